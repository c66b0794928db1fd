"""How the snapshots of a cluster read: the cells LAST GOOD, LAST RUN and NEXT, the details pane, the JSON document."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.cluster_summary import ClusterSummary, Look
from ncp_tui.snapshots.schedule import EVERY_DAY, LATE, DueRun, DueVerdict, InForce, Schedule
from ncp_tui.system.time_zone import KST
from ncp_tui.text import plural
from ncp_tui.view.format import ZONE, age, clock_time, date_time, elapsed, short_age
from ncp_tui.view.history import state_cell
from ncp_tui.view.text import Cell, Line, Tone, field

_DAY = timedelta(days=1)
_AHEAD = timedelta(hours=1)
"""Beyond that a row from the future is no clock that differs a little."""


def _none(text: str) -> Cell:
    return Cell(text, Tone.BAD, sort=math.inf)


_LOOKS = {
    Look.NOT_READ: Cell("not read", Tone.DIM, is_missing=True),
    Look.NONE: _none("none !"),
    Look.NO_PERMISSION: Cell("no permission", Tone.DIM, is_missing=True),
    Look.FAILED: Cell("not readable", Tone.BAD, is_missing=True),
}
_MISSING = Cell("-", Tone.DIM)
NOT_KNOWN = Cell("?", Tone.DIM, is_missing=True)
_HAS_NONE = frozenset({Look.FOUND, Look.NONE})


@dataclass(frozen=True)
class Moment:
    """As of when a summary is shown, and from which age on its last good snapshot is too old."""

    now: datetime
    max_age: timedelta = timedelta(hours=26)


def is_too_old(summary: ClusterSummary, moment: Moment) -> bool | None:
    """Whether there is no good snapshot younger than the bar; None where that is not known."""
    good = summary.last_good
    if good is not None and good.at is not None:
        is_old = moment.now - good.at > moment.max_age
        return None if _is_ahead(good.at, moment) or (is_old and summary.problem is not None) else is_old
    if summary.look is Look.NONE:
        return True
    return True if summary.look is Look.FOUND and good is None and summary.is_whole else None


def _all_are_known(summary: ClusterSummary) -> bool:
    return all(row.state is not SnapshotState.UNKNOWN for row in summary.rows)


def _is_ahead(at: datetime, moment: Moment) -> bool:
    return at - moment.now > _AHEAD


def last_good_cell(summary: ClusterSummary, moment: Moment) -> Cell:
    """`2 h`, `4 d ! old`, `none !`, or why that is not known. Its value is the age in seconds, or infinite."""
    good = summary.last_good
    if good is None:
        if summary.look is not Look.FOUND:
            return _LOOKS[summary.look]
        if summary.is_whole:
            return _LOOKS[Look.NONE] if _all_are_known(summary) else _none("none proved !")
        if summary.problem is not None:
            return Cell("unknown ?", Tone.WARNING, is_missing=True)
        return _none("none recent !")
    if good.at is None:
        return Cell("undated", Tone.WARNING, is_missing=True)
    since = moment.now - good.at
    text, is_old = short_age(since), is_too_old(summary, moment)
    if is_old is None:  # dated ahead, or a younger one may be among the rows that are missing
        return Cell(f"{text} ?", Tone.WARNING, sort=since.total_seconds())
    return Cell(f"{text} ! old" if is_old else text, Tone.BAD if is_old else Tone.GOOD, sort=since.total_seconds())


_SEVERITY = {
    SnapshotState.FAILED: 0.0,
    SnapshotState.UNKNOWN: 1.0,
    SnapshotState.RUNNING: 2.0,
    SnapshotState.SUCCESS: 3.0,
}


def last_run_cell(summary: ClusterSummary) -> Cell:
    """The state of the newest run, in a word; worst first when sorted."""
    run = summary.last_run
    if run is None:
        return _MISSING if summary.look is Look.NONE else NOT_KNOWN
    state = state_cell(run)
    return Cell(state.text, state.tone, sort=_SEVERITY[run.state])


def next_cell(summary: ClusterSummary, now: datetime) -> Cell:
    """`03:00` within a day, else `Sun 03:00`, in the zone of the column; `?` where its status is not known."""
    schedule = summary.schedule
    if summary.schedule_problem is not None:
        return Cell("?", Tone.WARNING, is_missing=True)
    if schedule is None and not summary.is_schedule_read:
        return NOT_KNOWN
    run = schedule.next_run(now) if schedule is not None else None
    if schedule is None or schedule.in_force is InForce.NO:
        return _MISSING
    if run is None:
        return Cell("set ?", Tone.WARNING, is_missing=True)
    text = f"{run:%H:%M}" if run - now < _DAY else f"{run:%a %H:%M}"
    if schedule.in_force is InForce.UNKNOWN:
        return Cell(f"{text} ?", Tone.WARNING, sort=(run - now).total_seconds())
    return Cell(text, sort=(run - now).total_seconds())


def summary_lines(summary: ClusterSummary, moment: Moment) -> list[Line]:
    """What is known of the snapshots of a cluster, a line each."""
    lines = [_last_good_line(summary, moment), _last_run_line(summary, moment.now)]
    if summary.usual is not None:
        runs = plural(summary.usual.count, "good run")
        of = f"median of the last {runs}" if summary.usual.count > 1 else f"from {runs}"
        lines.append(field("usually", f"{elapsed(summary.usual.seconds)}, {of}"))
    lines += [_running_line(row, moment.now) for row in summary.running]
    lines += schedule_lines(summary, moment.now)
    if summary.problem is not None:
        lines.append(field("history", summary.problem.what, Tone.WARNING))
    return lines


def _last_good_line(summary: ClusterSummary, moment: Moment) -> Line:
    good = summary.last_good
    if good is None:
        return field("last good", _why_no_good(summary), last_good_cell(summary, moment).tone)
    when = age(good.at, moment.now) if good.at else "at an unknown time"
    bucket = f", bucket {good.bucket}" if good.bucket else ""
    tone = {True: Tone.BAD, False: Tone.GOOD, None: Tone.WARNING}[is_too_old(summary, moment)]
    bar = f" (older than {short_age(moment.max_age)})" if is_too_old(summary, moment) else ""
    return field("last good", f"{when}{bar}: {good.snapshot}{bucket}", tone)


def _why_no_good(summary: ClusterSummary) -> str:
    if summary.look is Look.FOUND and not summary.is_whole:
        return "none among the newest rows; older rows are not read"
    if not _all_are_known(summary):
        return "none is proved; the state of some is unknown"
    return {
        Look.NOT_READ: "not read yet",
        Look.NO_PERMISSION: "unknown: this key has no permission to read the history",
        Look.FAILED: "unknown: the history cannot be read",
    }.get(summary.look, "none in the whole history")


def _last_run_line(summary: ClusterSummary, now: datetime) -> Line:
    run = summary.last_run
    if run is None:
        return field("last run", "none" if summary.look is Look.NONE else "unknown", Tone.DIM)
    state = state_cell(run)
    when = f", {age(run.at, now)}" if run.at else ""
    message = f": {run.message}" if run.message and run.state is not SnapshotState.SUCCESS else ""
    return field("last run", f"{state.text}{when}{message}", state.tone)


def _running_line(row: HistoryEntry, now: datetime) -> Line:
    if row.at is None:
        return field("running", row.snapshot, Tone.WARNING)
    # A moment, no duration: the pane is not drawn anew each second.
    since = clock_time(row.at) if abs(now - row.at) < _DAY else date_time(row.at)
    return field("running", f"{row.snapshot} since {since} {ZONE}, {age(row.at, now)}", Tone.WARNING)


def schedule_lines(summary: ClusterSummary, now: datetime) -> list[Line]:
    """The schedule of a cluster, its next run, and the result of the last one that was due."""
    schedule = summary.schedule
    if summary.schedule_problem is not None:
        return [field("schedule", f"unknown: {summary.schedule_problem.what}", Tone.WARNING)]
    if schedule is None:
        words = "none" if summary.is_schedule_read else "not read"
        return [field("schedule", words, Tone.DIM)] if summary.look in _HAS_NONE else []
    lines = [field("schedule", _schedule_sentence(schedule))]
    following = schedule.next_run(now)
    if following is not None:
        lines.append(field("next run", f"{if_in_force(schedule)}{next_run_sentence(following)}"))
    verdict = summary.last_due(now)
    if verdict is not None:
        lines.append(field("due run", due_sentence(verdict), DUE_TONES[verdict.run]))
    return lines


def if_in_force(schedule: Schedule) -> str:
    """What stands before the next run of a schedule of which it is not known whether it is in force."""
    return "if in force: " if schedule.in_force is InForce.UNKNOWN else ""


def next_run_sentence(run: datetime, zone: tzinfo | None = None) -> str:
    """`Sat 01-03 03:00 KST = Fri 18:00 UTC (time zone assumed)`: nothing says which one NCP means.

    `zone` is where the user is: that of this machine, unless another one is given.
    """
    here = run.astimezone(zone)
    also = f" = {here:%a %H:%M} {here:%Z}" if here.utcoffset() != run.utcoffset() else ""
    return f"{run:%a %m-%d %H:%M} {ZONE}{also} (time zone assumed)"


def setting_sentence(schedule: Schedule) -> str:
    """What is set: its name, when it runs, into which bucket."""
    entry = schedule.entry
    when = f"{entry.day} {entry.time}".strip() or "at an unknown time"
    if schedule.day == EVERY_DAY and schedule.at is not None:
        when = f"every day at {schedule.at[0]:02d}:{schedule.at[1]:02d}"
    elif schedule.day is not None and schedule.at is not None:
        when = f"every {schedule.day} at {schedule.at[0]:02d}:{schedule.at[1]:02d}"
    into = f" into {entry.bucket}" if entry.bucket else ""
    return f"{entry.snapshot}: {when}{into}"


def _schedule_sentence(schedule: Schedule) -> str:
    """What is set; before it, where a cut cannot take it away, that it is not in force, or may not be."""
    status = schedule.entry.status
    said = f"NCP says {status!r}, meaning unknown" if status else "NCP says nothing of its state"
    if not schedule.is_newest:
        said = "perhaps not the newest setting"
    before = {InForce.YES: "", InForce.NO: "released: ", InForce.UNKNOWN: f"{said}: "}[schedule.in_force]
    return f"{before}{setting_sentence(schedule)}"


DUE_TONES = {
    DueRun.CAME: Tone.GOOD,
    DueRun.FAILED: Tone.BAD,
    DueRun.RUNNING: Tone.WARNING,
    DueRun.UNCLEAR: Tone.WARNING,
    DueRun.PERHAPS: Tone.WARNING,
    DueRun.NOT_READ: Tone.WARNING,
    DueRun.PERHAPS_RELEASED: Tone.WARNING,
    DueRun.WAITED_FOR: Tone.PLAIN,
    DueRun.MISSED: Tone.BAD,
}


def due_sentence(verdict: DueVerdict) -> str:
    """`03:00: succeeded at 03:07`, `03:00: no row by 03:30, missed`, `03:00: failed: message`."""
    row, due = verdict.row, f"{verdict.due:%m-%d %H:%M}"
    if row is not None:
        at = f"{row.at.astimezone(KST):%H:%M}" if row.at else ""
        message = f": {row.message}" if verdict.run is DueRun.FAILED and row.message else ""
        if verdict.run is DueRun.PERHAPS:
            return f"{due}: unknown; {row.snapshot} of {at or 'an unknown time'} may be it ({state_cell(row).text})"
        return f"{due}: {state_cell(row).text}{at and f' at {at}'}{message}"
    by = f"no row by {verdict.due + LATE:%H:%M}"
    return {
        DueRun.MISSED: f"{due}: {by}, missed",
        DueRun.WAITED_FOR: f"{due}: no row yet",
        DueRun.PERHAPS_RELEASED: f"{due}: {by}; unknown whether the schedule is in force",
    }.get(verdict.run, f"{due}: unknown; the rows that were read do not tell")


def summary_document(summary: ClusterSummary, now: datetime) -> dict[str, Any]:
    """What is known of the snapshots of a cluster, for scripts; `look` tells what was not read from what is not."""
    run, good = summary.last_run, summary.last_good
    return {
        "look": summary.look.value,
        "read_at": summary.read_at.isoformat() if summary.read_at else None,
        "snapshot": run.snapshot if run else None,
        "at": run.at.isoformat() if run and run.at else None,
        "state": run.state.value if run else None,
        "last_good": {"snapshot": good.snapshot, "at": good.at.isoformat() if good.at else None} if good else None,
        "usual_seconds": summary.usual.seconds if summary.usual else None,
        "next_run": _next_run(summary, now),
        "problem": summary.problem.what if summary.problem else None,
    }


def _next_run(summary: ClusterSummary, now: datetime) -> str | None:
    schedule = summary.schedule
    is_in_force = schedule is not None and schedule.in_force is InForce.YES
    following = schedule.next_run(now) if schedule is not None and is_in_force else None
    return following.isoformat() if following is not None else None
