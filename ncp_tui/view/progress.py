"""How a snapshot reads that this run tracks, from the request to its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.text import plural
from ncp_tui.view.format import elapsed, lasted
from ncp_tui.view.history import history_sentence, state_cell
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Line, Span, Tone, field

if TYPE_CHECKING:  # the first frame does without what makes a snapshot
    from ncp_tui.snapshots.cluster_summary import UsualDuration
    from ncp_tui.snapshots.history_match import Match
    from ncp_tui.snapshots.track import TrackedSnapshot
    from ncp_tui.snapshots.watch import Progress

Words = Callable[[Problem], str]
"""How a face says a problem, with its own means for the next step."""


def state_text(tracked: TrackedSnapshot, now: float) -> str:
    """How far it is, in words; the seconds count from the request. `now` is monotonic."""
    spent = elapsed(now - tracked.asked_monotonic)
    if tracked.is_from_elsewhere:
        return f"{_seen_elsewhere(tracked.progress)}, {spent}" if tracked.progress is not None else "being checked"
    if tracked.taken is None:
        is_asking = tracked.resolving is None
        return "sending the request ..." if is_asking else f"no answer from NCP; checking the history, {spent}"
    return f"{_seen(tracked.progress)}, {spent}" if tracked.progress is not None else "accepted"


def _seen_elsewhere(progress: Progress) -> str:
    if progress.entry is None:
        return "status check failing" if progress.problem is not None else "not in the history"
    return _seen(progress)


def _seen(progress: Progress) -> str:
    from ncp_tui.snapshots.history_match import Whose

    entry = progress.entry
    if progress.problem is not None:
        return "accepted; status check failing" if entry is None else f"{state_cell(entry).text} when last checked"
    if progress.other is not None and progress.other.whose is Whose.MAY_BE:
        return "accepted; a row of the history may be this snapshot"
    return "accepted; not in the history yet" if entry is None else state_cell(entry).text


def waiting_text(tracked: TrackedSnapshot, now: float) -> str:
    """What it waits for and how long, `next check in 12 s`; empty while its first answer is awaited."""
    wait = None if tracked.next_at is None else max(0, math.ceil(tracked.next_at - now))
    if not tracked.is_open or (wait is None and tracked.progress is None and not tracked.is_resolving):
        return ""
    if tracked.is_being_sent:
        return f"NCP throttles; the request is sent again in {elapsed(wait or 0)}"
    check = f"next check in {elapsed(wait)}" if wait else "checking the history now"
    progress = tracked.progress
    if tracked.is_throttled:
        return f"NCP throttles; {check}"
    return f"history unreadable; {check}" if progress is not None and progress.problem is not None else check


@dataclass(frozen=True)
class Estimate:
    """How far a snapshot may be, by how long the good ones of its cluster took. It proves nothing."""

    fraction: float
    """From 0 to less than 1: the end is for the history to tell."""
    left: str
    """`about 2 min left`."""
    origin: str
    """`estimated from 8 runs`."""

    @property
    def words(self) -> str:
        """Both."""
        return f"{self.left}, {self.origin}"


def estimate(tracked: TrackedSnapshot, usual: UsualDuration | None, now: float) -> Estimate | None:
    """How far it may be; None where it has ended, may not have been started, or nothing is known to compare with."""
    is_started = tracked.is_from_elsewhere or (tracked.taken is not None and tracked.taken.outcome is Outcome.ACCEPTED)
    if usual is None or usual.seconds <= 0 or not (is_started and tracked.is_open):
        return None
    spent, origin = max(0.0, now - tracked.asked_monotonic), f"estimated from {plural(usual.count, 'run')}"
    left = usual.seconds - spent
    if left > 0:
        return Estimate(min(spent / usual.seconds, _MOST), f"about {_roughly(left)} left", origin)
    return Estimate(_MOST, "longer than usual", origin)


_MOST = 0.95
"""Of the bar, until the end is proved."""


def _roughly(seconds: float) -> str:
    """In steps that do not pretend to more than is known, and do not change each second."""
    if seconds <= _FEW:
        return "10 s"
    if seconds < _MINUTE:
        return f"{math.ceil(seconds / _FEW) * _FEW} s"
    minutes = round(seconds / _MINUTE)
    return f"{minutes} min" if minutes < _MINUTE else f"{minutes // _MINUTE} h {minutes % _MINUTE:02d} min"


_FEW, _MINUTE = 10, 60


def bar(fraction: float, width: int) -> str:
    """`fraction` as a bar of `width` cells; full only from 1 on. A terminal without blocks draws `#` and `.`."""
    filled = width if fraction >= 1 else min(int(max(0.0, fraction) * width), width - 1)
    return "█" * filled + "░" * (width - filled)


def progress_lines(tracked: TrackedSnapshot, usual: UsualDuration | None, now: float) -> list[Line]:
    """All that is known of a snapshot on its way, a line each."""
    request, taken = tracked.request, tracked.taken
    lines: list[Line] = [(Span(f"{request.name}: ", Tone.STRONG), Span(state_text(tracked, now), Tone.WARNING))]
    guess = estimate(tracked, usual, now)
    if guess is not None:
        lines.append(field("progress", f"{bar(guess.fraction, _BAR)} {guess.words}"))
    if waiting := waiting_text(tracked, now):
        lines.append(field("waits", waiting, Tone.WARNING if tracked.is_throttled else Tone.PLAIN))
    if request.bucket:
        lines.append(field("bucket", request.bucket))
    if taken is not None and taken.request_id:
        lines.append(field("request ID", taken.request_id))
    return lines


_BAR = 20
_SHORT_BAR = 10


def tracked_sentence(tracked: Sequence[TrackedSnapshot], now: float, lists: str = "") -> str:
    """`Snapshot search-0001-... of search-0001: running, 12 s`, with a count where there are several.

    `lists` is the key that lists them all.
    """
    first = tracked[0]
    text = f"{first.request.name} of {first.request.cluster}: {state_text(first, now)}"
    if len(tracked) == 1:
        return f"Snapshot {text}"
    key = f" ({lists} lists them)" if lists else ""
    return f"{plural(len(tracked), 'snapshot')} not finished{key}. {text}"


def tracked_word(tracked: Sequence[TrackedSnapshot]) -> str:
    """What is known of a cluster's snapshots that have not ended, in a word: only what is accepted runs."""
    if any(each.is_resolving for each in tracked):
        return "checking"
    return "sending" if any(each.is_to_be_sent for each in tracked) else "running"


@dataclass(frozen=True)
class ShownSnapshot:
    """A snapshot of this run as a list shows it."""

    tracked: TrackedSnapshot
    usual: UsualDuration | None
    now: float
    """Monotonic."""


def run_key(tracked: TrackedSnapshot) -> str:
    """What tells it from the others of its run: one name may have been requested twice."""
    return f"{id(tracked)}"


def _state_cell(shown: ShownSnapshot) -> Cell:
    tracked = shown.tracked
    if not tracked.is_open:
        word, tone = title_word(tracked), final_sentence(tracked, Problem.sentences)[1]
        return Cell(word.lower(), tone)
    return Cell(tracked_word([tracked]), Tone.WARNING)


def _elapsed_cell(shown: ShownSnapshot) -> Cell:
    tracked, progress = shown.tracked, shown.tracked.progress
    if tracked.is_open:
        return Cell(elapsed(max(0.0, shown.now - tracked.asked_monotonic)))
    took = progress.entry.duration if progress is not None and progress.entry is not None else ""
    return Cell(lasted(took))


def _progress_cell(shown: ShownSnapshot) -> Cell:
    guess = estimate(shown.tracked, shown.usual, shown.now)
    return Cell(f"{bar(guess.fraction, _SHORT_BAR)} {guess.left}" if guess is not None else "-")


RUN: Table[ShownSnapshot] = Table(
    (
        Column("SNAPSHOT", lambda shown: Cell(shown.tracked.request.name, Tone.STRONG), most=30, least=12),
        Column("CLUSTER", lambda shown: Cell(shown.tracked.request.cluster), most=20, least=8, room=96),
        Column("STATE", _state_cell, most=11, least=9),
        Column("ELAPSED", _elapsed_cell, most=12, least=8),
        Column("PROGRESS (ESTIMATED)", _progress_cell, flex=1, least=10),
        Column("WAITS", lambda shown: Cell(waiting_text(shown.tracked, shown.now) or "-"), most=30, least=8, room=120),
    ),
    key=lambda shown: run_key(shown.tracked),
    empty="No snapshot was created or followed in this run.",
)


def title_word(tracked: TrackedSnapshot) -> str:
    """The state of a snapshot in a word, for the window's title."""
    if tracked.is_open:
        return tracked_word([tracked])
    taken = tracked.taken
    if tracked.is_from_elsewhere:
        _, tone = final_sentence(tracked, Problem.sentences)
        return _END_WORDS.get(tone, "unknown")
    if taken is None or taken.outcome not in {Outcome.ACCEPTED, Outcome.UNKNOWN}:
        return "not started"
    _, tone = final_sentence(tracked, Problem.sentences)
    return _END_WORDS.get(tone, "unknown")


_END_WORDS = {Tone.GOOD: "succeeded", Tone.BAD: "FAILED"}


def look_sentence(name: str, progress: Progress) -> str:
    """What a check of the history has shown of the snapshot `name`."""
    if progress.problem is not None:
        return f"The history cannot be read now; retrying. {progress.problem.what}"
    if progress.entry is None:
        return f"{name} is not in the history yet." if progress.other is None else other_sentence(name, progress.other)
    message = progress.entry.message
    return history_sentence(progress.entry) + (f" ({message})" if message else "")


def unended_words(name: str, entry: HistoryEntry | None) -> str:
    """What is known of a snapshot that was waited for in vain: that it runs only where its row says so."""
    if entry is None:
        return f"the history does not show {name} yet"
    if entry.state is SnapshotState.RUNNING:
        return f"the snapshot keeps running ({entry.message or state_cell(entry).text})"
    return f"whether {name} has ended is unknown (NCP says {entry.message!r})"


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
    if tracked.is_from_elsewhere and tracked.problem is not None:
        return f"{name} is no longer tracked: {tracked.problem.what}", Tone.WARNING
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
