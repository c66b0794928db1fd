"""How a snapshot reads that this run tracks, from the request to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.view.format import elapsed, lasted
from ncp_tui.view.history import history_sentence, state_cell
from ncp_tui.view.text import Tone

if TYPE_CHECKING:  # the first frame does without what makes a snapshot
    from ncp_tui.snapshots.history_match import Match
    from ncp_tui.snapshots.track import Progress, TrackedSnapshot

Words = Callable[[Problem], str]
"""How a face says a problem, with its own means for the next step."""


def state_text(tracked: TrackedSnapshot, now: float) -> str:
    """How far it is, in words; the seconds count from the request. `now` is monotonic."""
    spent = elapsed(now - tracked.asked_monotonic)
    if tracked.taken is None:
        is_asking = tracked.resolving is None
        return "sending the request ..." if is_asking else f"no answer from NCP; checking the history, {spent}"
    return f"{_seen(tracked.progress)}, {spent}" if tracked.progress is not None else "accepted"


def _seen(progress: Progress) -> str:
    from ncp_tui.snapshots.history_match import Whose

    entry = progress.entry
    if progress.problem is not None:
        return "accepted; status check failing" if entry is None else f"{state_cell(entry).text} when last checked"
    if progress.other is not None and progress.other.whose is Whose.MAY_BE:
        return "accepted; a row of the history may be this snapshot"
    return "accepted; not in the history yet" if entry is None else state_cell(entry).text


def tracked_sentence(tracked: Sequence[TrackedSnapshot], now: float) -> str:
    """`Snapshot search-0001-... of search-0001: running, 12 s`, with a count where there are several."""
    first, more = tracked[0], len(tracked) - 1
    text = f"Snapshot {first.request.name} of {first.request.cluster}: {state_text(first, now)}"
    return f"{text}  (and {more} more)" if more else text


def tracked_word(tracked: Sequence[TrackedSnapshot]) -> str:
    """What is known of a cluster's snapshots that have not ended, in a word: only what is accepted runs."""
    if any(each.is_resolving for each in tracked):
        return "checking"
    return "sending" if any(each.taken is None for each in tracked) else "running"


def title_word(tracked: TrackedSnapshot) -> str:
    """The state of a snapshot in a word, for the window's title."""
    if tracked.is_open:
        return tracked_word([tracked])
    taken = tracked.taken
    if taken is None or taken.outcome not in {Outcome.ACCEPTED, Outcome.UNKNOWN}:
        return "not started"
    _, tone = final_sentence(tracked, Problem.sentences)
    return {Tone.GOOD: "succeeded", Tone.BAD: "FAILED"}.get(tone, "unknown")


def look_sentence(name: str, progress: Progress) -> str:
    """What a check of the history has shown of the snapshot `name`."""
    if progress.problem is not None:
        return f"The history cannot be read now; retrying. {progress.problem.what}"
    if progress.entry is None:
        return f"{name} is not in the history yet." if progress.other is None else other_sentence(name, progress.other)
    message = progress.entry.message
    return history_sentence(progress.entry) + (f" ({message})" if message else "")


def other_sentence(name: str, other: Match) -> str:
    """A row of the name that is not proved to be what was requested, and why."""
    from ncp_tui.snapshots.history_match import Whose

    if other.whose is Whose.MAY_BE:
        return f"{name}: a row of the history may be this snapshot: {other.why}."
    return f"{name}: the row in the history is not this snapshot: {other.why}."


def end_sentence(entry: HistoryEntry) -> tuple[str, Tone]:
    """How a snapshot ended and how long it took, and the tone of that."""
    if entry.state is SnapshotState.SUCCESS:
        took = f" in {lasted(entry.duration)}" if entry.duration else ""
        return f"Snapshot {entry.snapshot} succeeded{took}.", Tone.GOOD
    why = entry.message or ("the history has an error log" if entry.has_error_log else "the history gives no reason")
    return f"Snapshot {entry.snapshot} failed: {why}.", Tone.BAD


def final_sentence(tracked: TrackedSnapshot, words: Words) -> tuple[str, Tone]:
    """The last sentence about it, and its tone. Says also when the journal does not hold it."""
    text, tone = _final(tracked, words)
    taken = tracked.taken
    problem = tracked.journal_problem or (taken.journal_problem if taken is not None else None)
    if problem is not None:
        return f"{text} Not recorded in the journal: {problem.what}", Tone.WARNING
    return text, tone


def _final(tracked: TrackedSnapshot, words: Words) -> tuple[str, Tone]:
    name, taken, progress = tracked.request.name, tracked.taken, tracked.progress
    if taken is None and tracked.problem is not None:
        return f"Not started: {name}. {words(tracked.problem)}", Tone.BAD
    if taken is not None and taken.outcome is Outcome.UNKNOWN and taken.resolution is not None:
        return f"{taken.sentence} {taken.resolution.next_step}", Tone.WARNING
    if taken is not None and taken.error is not None and taken.outcome is not Outcome.ACCEPTED:
        tone = Tone.WARNING if taken.outcome is Outcome.UNKNOWN else Tone.BAD
        return f"{taken.sentence} {words(taken.error)}", tone
    if tracked.problem is not None:
        return f"{name} was accepted, but is no longer tracked: {tracked.problem.what}", Tone.WARNING
    if progress is not None and progress.entry is not None and progress.is_final:
        return end_sentence(progress.entry)
    return f"Snapshot {name} has not finished yet.", Tone.WARNING
