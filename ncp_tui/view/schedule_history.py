"""How a setting of a schedule reads, and what is known of the schedule of a cluster, for whoever looks at it alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from ncp_tui.search_engine.models import ScheduleEntry
from ncp_tui.snapshots.cluster_summary import ClusterSummary, Look
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.schedule import DueRun, InForce, Schedule
from ncp_tui.snapshots.schedule_change import change_of
from ncp_tui.snapshots.schedule_preflight import other_setting
from ncp_tui.text import plural
from ncp_tui.view.cluster_summary import DUE_TONES, due_sentence, if_in_force, next_run_sentence, setting_sentence
from ncp_tui.view.format import ZONE, age, date_time, short_age
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import BLANK, Cell, Line, Span, Tone, field, line, raw_lines, wrapped

_LABEL = 13
"""Cells of a label, as `field` has it."""


def _set_cell(entry: ScheduleEntry) -> Cell:
    at = entry.set_at
    return Cell(date_time(at), sort=at.timestamp()) if at is not None else Cell(entry.set_up or "-")


SCHEDULES: Table[tuple[int, ScheduleEntry]] = Table(
    (
        Column(f"SET ({ZONE})", lambda each: _set_cell(each[1]), most=19, least=19),
        Column("NAME", lambda each: Cell(each[1].snapshot or "-", Tone.STRONG), most=16, least=6),
        Column("DAY", lambda each: Cell(each[1].day or "-"), most=10, least=6),
        Column("TIME", lambda each: Cell(each[1].time or "-"), most=8, least=5),
        Column("STATUS", lambda each: Cell(each[1].status or "-"), most=16, least=8),
        Column("BUCKET", lambda each: Cell(each[1].bucket or "-"), flex=1, least=6),
    ),
    key=lambda each: f"{each[0]}/{each[1].snapshot}/{each[1].set_up}",
    empty="No schedule was ever set.",
)
"""Each setting with how many are older: the service numbers none."""


def schedule_entry_lines(entry: ScheduleEntry) -> list[Line]:
    """A setting in full, unknown members included."""
    return [
        field("name", entry.snapshot or "-", Tone.STRONG),
        field("day", entry.day or "-"),
        field("time", entry.time or "-"),
        field("bucket", entry.bucket or "-"),
        field("set", f"{date_time(entry.set_at)} {ZONE}" if entry.set_at else entry.set_up or "-"),
        field("status", entry.status or "-"),
        BLANK,
        line("Raw API response", Tone.STRONG),
        *raw_lines(entry.raw),
    ]


def loaded_sentence(cluster: str, count: int, shown: int) -> str:
    """How many settings were read, and how many of them are listed."""
    part = "" if shown == count else f" The newest {shown:,} are listed."
    return f"{cluster}: {plural(count, 'schedule setting')}.{part}"


def schedule_heading(
    summary: ClusterSummary,
    now: datetime,
    width: int,
    *,
    others: Sequence[ScheduleEntry] = (),
    unresolved: Sequence[JournalEntry] = (),
    key: str = "",
) -> list[Line]:
    """What is set, since when, when it runs next and whether it came last time, in lines of `width` cells.

    `others` are the settings beside the newest whose status says in force, `unresolved` the changes of this schedule of
    which it is not known what became; `key` lists them.
    """
    lines = []
    for label, text, tone in [*_facts(summary, now), *_other(others), *map(partial(_unresolved, key), unresolved)]:
        first, *more = wrapped(text, max(width - _LABEL, _LABEL))
        lines += [field(label, first, tone), *[(Span(" " * _LABEL), Span(each, tone)) for each in more]]
    return lines


Fact = tuple[str, str, Tone]


def _other(others: Sequence[ScheduleEntry]) -> list[Fact]:
    if not others:
        return []
    said = other_setting(others)
    return [("older", f"{said[:1].upper()}{said[1:]}; whether it still runs is not documented", Tone.WARNING)]


def _unresolved(key: str, entry: JournalEntry) -> Fact:
    at = f"{date_time(entry.at)} {ZONE}"
    return ("unresolved", f"{change_of(entry)}, requested {at}, may have taken effect; {key} lists it", Tone.WARNING)


def _facts(summary: ClusterSummary, now: datetime) -> list[Fact]:
    schedule = summary.schedule
    if summary.schedule_problem is not None:
        return [("schedule", f"unknown: {summary.schedule_problem.what}", Tone.WARNING)]
    if schedule is None and not summary.is_schedule_read:
        return [("schedule", "not read yet", Tone.DIM)]
    if schedule is None:
        return [("schedule", "none: the history of the schedule is empty", Tone.PLAIN)]
    facts = [
        ("schedule", setting_sentence(schedule), Tone.STRONG),
        ("status", *_status(schedule)),
        ("set", _set_when(schedule, now), Tone.PLAIN),
    ]
    following = schedule.next_run(now)
    if following is not None:
        run = f"{if_in_force(schedule)}{next_run_sentence(following)}; in {short_age(following - now)}"
        facts.append(("next run", run, Tone.PLAIN))
    elif schedule.in_force is not InForce.NO:
        facts.append(("next run", "unknown: its day or time is in no form that is known", Tone.WARNING))
    last = _last_due(summary, schedule, now)
    return [*facts, last] if last is not None else facts


def _status(schedule: Schedule) -> tuple[str, Tone]:
    said = f"NCP says {schedule.entry.status!r}" if schedule.entry.status else "NCP says nothing"
    if not schedule.is_newest:
        return f"unknown: the dates do not tell which setting is the newest ({said})", Tone.WARNING
    return {
        InForce.YES: (f"in force ({said})", Tone.GOOD),
        InForce.NO: (f"released ({said})", Tone.WARNING),
        InForce.UNKNOWN: (f"unknown whether it is in force ({said}; the words are not documented)", Tone.WARNING),
    }[schedule.in_force]


def _set_when(schedule: Schedule, now: datetime) -> str:
    at = schedule.entry.set_at
    return f"{date_time(at)} {ZONE}, {age(at, now)}" if at else schedule.entry.set_up or "at an unknown time"


_BECAUSE = {
    DueRun.PERHAPS: "NCP does not document names and kinds of scheduled snapshots.",
    DueRun.UNCLEAR: "NCP's words for the state of that row are not known.",
    DueRun.MISSED: "Check the bucket, the storage key and the cluster. Its time is taken for Korean time.",
}


def _last_due(summary: ClusterSummary, schedule: Schedule, now: datetime) -> Fact | None:
    """What became of the last run that was due; None where a released or an unreadable schedule has none."""
    due = schedule.last_due(now)
    if due is None:
        return None
    if summary.look not in {Look.FOUND, Look.NONE}:
        why = f": {summary.problem.what}" if summary.problem is not None else ", the history was not read"
        return ("last due run", f"{due:%m-%d %H:%M}: unknown{why}", Tone.WARNING)
    verdict = summary.last_due(now)
    if verdict is None:
        return ("last due run", "none: no run was due since the schedule was set", Tone.PLAIN)
    why = _BECAUSE.get(verdict.run, "")
    return ("last due run", f"{due_sentence(verdict)}{'. ' if why else ''}{why}", DUE_TONES[verdict.run])
