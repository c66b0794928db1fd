"""How a snapshot on its way reads, from the request to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.view.format import elapsed
from ncp_tui.view.history import history_sentence, state_cell
from ncp_tui.view.text import Tone

if TYPE_CHECKING:  # the first frame does without what makes a snapshot
    from ncp_tui.snapshots.history_match import Match
    from ncp_tui.snapshots.track import TrackedSnapshot
    from ncp_tui.snapshots.watch import Progress

Words = Callable[[Problem], str]
"""How a face says a problem, with its own means for the next step."""


def state_text(tracked: TrackedSnapshot, now: float) -> str:
    """How far it is, in words; the seconds count from the request. `now` is monotonic."""
    spent = elapsed(now - tracked.asked_monotonic)
    if tracked.taken is None:
        is_asking = tracked.resolving is None
        return "asking the service ..." if is_asking else f"no clear answer; looking in the history, {spent}"
    return f"{_seen(tracked.progress)}, {spent}" if tracked.progress is not None else "accepted"


def _seen(progress: Progress) -> str:
    from ncp_tui.snapshots.history_match import Whose

    entry = progress.entry
    if progress.problem is not None:
        return "looking at it fails" if entry is None else f"last seen {state_cell(entry).text}"
    if progress.other is not None and progress.other.whose is Whose.MAY_BE:
        return "accepted, a row of the history may be it"
    return "accepted, not in the history yet" if entry is None else state_cell(entry).text


def under_way_sentence(under_way: Sequence[TrackedSnapshot], now: float) -> str:
    """`search-0001-...: running, 12 s`, or a count where there are several."""
    first, more = under_way[0], len(under_way) - 1
    text = f"Snapshot {first.request.name} of {first.request.cluster}: {state_text(first, now)}"
    return text + (f"  (and {more} more)" if more else "")


def under_way_word(under_way: Sequence[TrackedSnapshot]) -> str:
    """What is known of a cluster's snapshots that have not ended, in a cell: only what is accepted runs."""
    if any(each.is_resolving for each in under_way):
        return "not known"
    return "asking" if any(each.taken is None for each in under_way) else "running now"


def title_word(tracked: TrackedSnapshot) -> str:
    """What has become of it, in a word for the window's title."""
    if tracked.is_open:
        return "under way"
    taken = tracked.taken
    if taken is None or taken.outcome not in {Outcome.ACCEPTED, Outcome.UNKNOWN}:
        return "not started"
    _, tone = final_sentence(tracked, Problem.sentences)
    return {Tone.GOOD: "finished", Tone.BAD: "FAILED"}.get(tone, "not clear")


def look_sentence(name: str, progress: Progress) -> str:
    """What a look at the history has shown of the snapshot `name`."""
    if progress.problem is not None:
        return f"The history cannot be read now; that is tried again. {progress.problem.what}"
    if progress.entry is None:
        return f"{name} is not in the history yet." if progress.other is None else other_sentence(name, progress.other)
    message = progress.entry.message
    return history_sentence(progress.entry) + (f" ({message})" if message else "")


def other_sentence(name: str, other: Match) -> str:
    """A row of the name that is not proved to be what was asked for, and why."""
    from ncp_tui.snapshots.history_match import Whose

    may_be = "may be this one" if other.whose is Whose.MAY_BE else "is not this one"
    return f"The history has a row of {name} that {may_be}: {other.why}."


def end_sentence(entry: HistoryEntry) -> tuple[str, Tone]:
    """How a snapshot ended, and the tone of that."""
    if entry.state is SnapshotState.SUCCESS:
        return f"Finished: snapshot {entry.snapshot} exists ({entry.message or 'ok'}).", Tone.GOOD
    why = entry.message or ("the history has an error log" if entry.has_error_log else "the history gives no reason")
    return f"FAILED: snapshot {entry.snapshot}: {why}.", Tone.BAD


def end_text(entry: HistoryEntry) -> str:
    """How a snapshot ended and how long it took, as a command says it."""
    return end_sentence(entry)[0] + (f" It took {entry.duration}." if entry.duration else "")


def final_sentence(tracked: TrackedSnapshot, words: Words) -> tuple[str, Tone]:
    """The last sentence about it, and its tone. A journal that does not hold it is told of as well."""
    text, tone = _final(tracked, words)
    taken = tracked.taken
    problem = tracked.journal_problem or (taken.journal_problem if taken is not None else None)
    if problem is not None:
        return f"{text} The journal does not hold it: {problem.what}", Tone.WARNING
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
        return f"Accepted, but no longer followed: {name}. {tracked.problem.what}", Tone.WARNING
    if progress is not None and progress.entry is not None and progress.is_final:
        return end_sentence(progress.entry)
    return f"Snapshot {name} is not finished.", Tone.WARNING
