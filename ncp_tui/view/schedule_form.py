"""How a schedule reads while it is set or released on a screen: before the request, and what is known after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import ScheduleEntry
from ncp_tui.snapshots.operations import OperationResult, Sent
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.schedule import Schedule, schedule_of
from ncp_tui.snapshots.schedule_change import ScheduleChange
from ncp_tui.snapshots.schedule_draft import ScheduleDraft
from ncp_tui.system.time_zone import KST
from ncp_tui.view.cluster_summary import setting_sentence
from ncp_tui.view.exchanges import request_lines
from ncp_tui.view.preflight import UNBROKEN, check_lines
from ncp_tui.view.schedule_change import SNAPSHOTS_STAY, change_sentence, change_title, setting_words
from ncp_tui.view.text import BLANK, Line, Tone, field, line, wrapped

CANNOT_SET = "Cannot set yet:"
NO_KEYS = "The keys are not loaded yet."
AFTER_RELEASE = "read again after the release:"
"""The note of checks that were read since the first of two steps was taken, or tried."""

LOOK_AGAIN = "Check again later: the request is listed as unresolved until then."
_TONES = {
    Outcome.ACCEPTED: Tone.GOOD,
    Outcome.REFUSED: Tone.BAD,
    Outcome.NOT_SENT: Tone.BAD,
    Outcome.UNKNOWN: Tone.WARNING,
}

_SHORT = {
    Outcome.ACCEPTED: "Done.",
    Outcome.REFUSED: "Refused, see above.",
    Outcome.NOT_SENT: "Not sent, see above.",
    Outcome.UNKNOWN: "Unknown, see above.",
}


def first_run_words(day: str, at: tuple[int, int], now: datetime, zone: tzinfo | None = None) -> str:
    """`Sat 03:00 KST = Fri 18:00 UTC`: when it would run for the first time, were it set now.

    `zone` is where the user is: that of this machine, unless another one is given.
    """
    schedule = schedule_of([ScheduleEntry("", "", "", day, f"{at[0]:02d}:{at[1]:02d}", "")])
    run = schedule.next_run(now) if schedule is not None else None
    if run is None:
        return ""
    here = run.astimezone(zone)
    also = f" = {here:%a %H:%M} {here:%Z}" if here.utcoffset() != run.utcoffset() else ""
    return f"{run.astimezone(KST):%a %H:%M} KST{also}"


def set_draft_lines(
    draft: ScheduleDraft, preview: RequestRecord | None, now: datetime, read_only: Sequence[str] = ()
) -> list[Line]:
    """Everything wrong with the form, else the checks and the request that would be sent: its `preview`, if any.

    `read_only` says why nothing is set in read-only mode, with the keys of the face.
    """
    checks = [*check_lines(draft.preflight, now, UNBROKEN), BLANK] if draft.preflight.checks else []
    if draft.problem is not None:
        # Beside its input a reason has 12 cells in a window of 60, and only the first one is there.
        wrong = [field("name", reason, Tone.BAD) for reason in draft.name_problems]
        if draft.bucket_problem is not None:
            wrong.append(field("bucket", draft.bucket_problem.what, Tone.BAD))
        wrong += [field("when", each, Tone.BAD) for each in (draft.day_problem, draft.time_problem) if each]
        wrong += [line(words, Tone.BAD) for words in read_only]
        return [line(CANNOT_SET, Tone.DIM), *wrong, BLANK, *checks]
    if preview is None:
        return [*checks, line(NO_KEYS, Tone.DIM)]
    return [*checks, *request_lines(preview)]


def waiting_sentence(change: ScheduleChange, resolving: GatewayError | None) -> str:
    """What is known while there is no answer, or none that says what became of it."""
    title = change_title(change)
    if resolving is None:
        return f"{_verb(change)} {title}: sent, no answer yet."
    return f"No clear answer about {title}. Reading the schedule history; no second request is sent."


def result_sentence(change: ScheduleChange, result: OperationResult) -> tuple[str, Tone]:
    """What is known of a change that was sent, and the tone of that."""
    return change_sentence(change, result.sent.outcome, result.sent), _TONES[result.sent.outcome]


def result_lines(
    change: ScheduleChange,
    result: OperationResult,
    now: datetime,
    width: int,
    *,
    over: Schedule | None = None,
    after: str = "",
    has_card: bool = False,
) -> list[Line]:
    """What is known after the answer, in lines of `width` cells, and what it means for schedule and snapshots.

    `over` is a schedule that was, or may have been, in force when another one was set; `after` is what the schedule
    history says now. What a card says is not said again.
    """
    sent, (said, tone) = result.sent, result_sentence(change, result)
    lines = [line(each, tone) for each in wrapped(_SHORT[sent.outcome] if has_card else said, width)]
    for text in _meaning(change, sent, now, over, after):
        lines += [line(each) for each in wrapped(text, width)]
    if result.journal_problem is not None:
        lines += [line(each, Tone.WARNING) for each in wrapped(_not_written(result.journal_problem), width)]
    if sent.request_id:
        lines.append(field("request ID", sent.request_id))
    return lines


def _not_written(problem: Problem) -> str:
    return f"The journal does not hold it yet: {problem.what}"


def _meaning(change: ScheduleChange, sent: Sent, now: datetime, over: Schedule | None, after: str) -> list[str]:
    setting = change.setting
    if sent.outcome is not Outcome.ACCEPTED:
        return []
    if setting is None:
        return [SNAPSHOTS_STAY]
    first = first_run_words(setting.day, (int(setting.at[:2]), int(setting.at[3:])), now)
    said = [f"{setting_words(change)}. First run {first}."]
    if after:  # which names the next run, as far as the history has it
        said = [f"{setting_words(change)}.", after]
    if over is not None:
        said.append(
            f"{setting_sentence(over)} was or may have been in force before. Whether it still runs is not documented: "
            "watch the next runs of both."
        )
    return said


def result_card(change: ScheduleChange, result: OperationResult, again: str) -> Problem | None:
    """What went wrong, or is unknown; None where nothing is. `again` says how it is looked up again."""
    sent = result.sent
    if sent.outcome is Outcome.ACCEPTED or sent.error is None:
        return None
    if sent.outcome is not Outcome.UNKNOWN:
        return sent.error
    found, lost = sent.resolution, sent.error.what
    said = change_sentence(change, sent.outcome, sent)
    if found is None:
        return Problem(said, lost, f"{LOOK_AGAIN} {again}")
    return Problem(
        said, f"{lost} {found.evidence[:1].upper()}{found.evidence[1:]}", f"{found.next_step} {again}".strip()
    )


def _verb(change: ScheduleChange) -> str:
    return "Set" if change.is_set else "Release"
