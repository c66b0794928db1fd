"""What the form for one snapshot says: about the lights, about earlier requests, and about what became of it."""

from __future__ import annotations

from rich.text import Text

from ncp_tui.problem import Problem
from ncp_tui.snapshots.earlier import Earlier
from ncp_tui.snapshots.lights import Light, Preflight
from ncp_tui.snapshots.outcome import Outcome, SnapshotRequest
from ncp_tui.snapshots.settling import Settlement
from ncp_tui.snapshots.taking import Taken
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.glyphs import shown
from ncp_tui.tui.next_steps import problem_words
from ncp_tui.view.progress import final_sentence, look_sentence


def second_question(earlier: Earlier, request: SnapshotRequest) -> str:
    """What a yes would do, and for which earlier request alone."""
    return f"Send a second request for {request.name}? The yes is for the {earlier.words}, and for no other."


def result(followed: TrackedSnapshot) -> tuple[str, str]:
    """What came of it, and its tone: one sentence, where a card on the form has the rest."""
    taken, (text, tone) = followed.taken, final_sentence(followed, problem_words)
    if taken is None:
        return f"Not started: {followed.request.name}.", tone
    if taken.outcome is Outcome.ACCEPTED or taken.journal_problem is not None:
        return text, tone
    if taken.outcome is Outcome.UNKNOWN:
        return f"Cannot tell: {taken.request.name}. Only one request was sent.", tone
    return taken.sentence, tone


def goes_on(followed: TrackedSnapshot) -> tuple[str, str]:
    """What happens now, and what the user may do meanwhile."""
    progress, taken = followed.progress, followed.taken
    if progress is not None and (progress.problem is not None or progress.other is not None):
        return f"Accepted. {look_sentence(followed.request.name, progress)}", "warning"
    if taken is None:
        return (
            ("Only one request was sent. esc leaves; the looking goes on.", "warning")
            if followed.resolving
            else ("", "")
        )
    if taken.by_history:
        return "Started: the history names it, though no answer said so. esc leaves.", "plain"
    return "Accepted: it goes on without you. esc leaves; every screen shows how it does.", "plain"


def in_doubt(taken: Taken, found: Settlement) -> Problem:
    """What is known of a create that nothing proves, and where to look again."""
    lost = f"{taken.error.what} " if taken.error is not None else ""
    evidence = found.evidence[:1].upper() + found.evidence[1:]
    again = " u on the clusters looks again." if taken.entry is not None else ""
    return Problem(taken.sentence, f"{lost}{evidence}", f"{found.next_step}{again}")


def lights_text(lights: Preflight, became: str = "") -> Text:
    """The lights in one line, those that are not well first: no colour is needed to read it.

    `became` is what a request came to that was sent after they were read.
    """
    parts = [f"before it was {became}:"] if became else []
    for light, word in ((Light.BAD, "BAD"), (Light.UNSURE, "UNSURE"), (Light.OK, "ok")):
        subjects = [check.subject for check in lights.checks if check.light is light]
        if subjects:
            parts.append(f"{word}: {', '.join(subjects)}")
    return Text(shown("   ".join(parts)), no_wrap=True, overflow="ellipsis")


def red_sentences(lights: Preflight) -> str:
    """What a user should have read before saying yes; empty where no light is red."""
    red = [check for check in lights.checks if check.light is Light.BAD]
    return "".join(f"{check.subject}: {check.sentence}\n" for check in red)
