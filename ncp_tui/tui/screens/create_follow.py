"""What became of the create of a form: beside its button, on its status line, and on its card."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from ncp_tui.problem import Problem
from ncp_tui.snapshots.create import CreateResult
from ncp_tui.snapshots.history_search import Resolution
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.next_steps import problem_words
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.view.progress import final_sentence, look_sentence, state_text


class CreateProgress(Static):
    """How far the form's own snapshot is, beside the button that asked for it."""

    def __init__(self) -> None:
        super().__init__("", id="progress", markup=False)

    def show(self, followed: TrackedSnapshot, now: float) -> None:
        """Show it; `now` is monotonic."""
        text, tone = (state_text(followed, now), "warning") if followed.is_open else result(followed)
        for name in ("good", "bad", "warning"):
            self.set_class(name == tone, name)
        self.update(Text(escape(f"{followed.request.name}: {text}" if followed.is_open else text)))


def result(followed: TrackedSnapshot) -> tuple[str, str]:
    """What came of it, and its tone: one sentence, where a card on the form has the rest."""
    taken, (text, tone) = followed.taken, final_sentence(followed, problem_words)
    if taken is None:
        return f"Not started: {followed.request.name}.", tone
    if taken.outcome is Outcome.ACCEPTED or taken.journal_problem is not None:
        return text, tone
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


def in_doubt(taken: CreateResult, found: Resolution) -> Problem:
    """What is known of a create that nothing proves, and where to look again."""
    lost = f"{taken.error.what} " if taken.error is not None else ""
    evidence = found.evidence[:1].upper() + found.evidence[1:]
    again = " u on the clusters looks again." if taken.entry is not None else ""
    return Problem(taken.sentence, f"{lost}{evidence}", f"{found.next_step}{again}")
