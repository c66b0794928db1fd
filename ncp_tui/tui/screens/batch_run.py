"""A batch of creates while it is sent, and what became of each: leaving this screen stops nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from ncp_tui.tui.batch import Batch
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.key_bindings import key_of, next_words
from ncp_tui.tui.messages import BatchWanted, HistoryWanted
from ncp_tui.tui.screens.table import TableScreen, detail_key
from ncp_tui.tui.session import Session
from ncp_tui.view.batch import (
    REVIEW,
    SENDING,
    STOPPED_BY_USER,
    ShownRow,
    sending_lines,
    sending_sentence,
    stop_question,
)
from ncp_tui.view.text import Line, Tone, line

if TYPE_CHECKING:
    from ncp_tui.snapshots.batch import BatchRow
    from ncp_tui.snapshots.track import TrackedSnapshot

RESUME = ("batch.resume", "s")

NO_ROW = "No row under the cursor."
NOT_OVER = "The batch is still being sent."
NOTHING_TO_STOP = "The batch is over: nothing of it is still to be sent."
NOTHING_TO_RESUME = "Nothing of this batch can be resumed."
NOT_LISTED = "{cluster} is not in the list of clusters of the profile in use."
RESUMES = "{words} {key} resumes it."
SENDING_IT = "{words} Leaving this screen stops nothing."


class BatchRunScreen(TableScreen):
    """The rows of the review, each with how far it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(RESUME[1], "resume", "Resume", tooltip="Review and send what certainly never left", id=RESUME[0]),
        Binding("x", "stop", "Stop", tooltip="Leave out what was not sent yet", id="batch.stop"),
        Binding("h", "history", "History", tooltip="History of this cluster", id="batch.history"),
        Binding("u", "requests", "Requests", tooltip="Requests; check and resolve them", id="batch.requests"),
        detail_key("sending", "All that is known of this snapshot"),
    ]
    path = ("Create snapshots",)
    columns = SENDING.on_screen
    sometimes_unavailable = ("resume", "stop")

    def __init__(self, session: Session, batch: Batch) -> None:
        super().__init__(session)
        self._batch = batch

    def load(self) -> None:
        """Show how far it is; nothing is read for that."""
        self.show_tracked()

    def show_tracked(self) -> None:
        """Show how far each is now."""
        if not self.is_mounted:
            return
        batch = self._batch
        self.table.show([SENDING.row(self._shown(row)) for row in batch.rows], empty=SENDING.empty)
        self.show_details()
        self.refresh_bindings()
        if batch.problem is not None:
            self.show_card(batch.problem)
            self.say_problem(batch.problem)
            return
        words, tone = sending_sentence(batch.plan.id, batch.rows, batch.stopped, is_over=batch.is_over)
        if batch.can_be_resumed:
            words = RESUMES.format(words=words, key=key_of(RESUME))
        elif not batch.is_over:
            words = SENDING_IT.format(words=words)
        self.say(words, tone.value)

    def _shown(self, row: BatchRow) -> ShownRow:
        usual = self.session.usual(row.tracked) if row.tracked is not None else None
        return ShownRow(row, self._batch.is_over, usual, self.session.workspace.monotonic())

    def on_batch_moved(self, batch: Batch) -> None:
        if batch is self._batch:
            self.show_tracked()

    def on_snapshot_moved(self, tracked: TrackedSnapshot) -> None:  # noqa: ARG002 - all are shown
        self.show_tracked()

    @property
    def _chosen(self) -> ShownRow | None:
        key = self.table.cursor_key
        return next((self._shown(row) for row in self._batch.rows if REVIEW.key(row) == key), None)

    def details(self) -> list[Line]:
        """All that is known of the snapshot under the cursor."""
        shown = self._chosen
        return sending_lines(shown, next_words) if shown is not None else [line(NO_ROW, Tone.DIM)]

    def action_open(self) -> None:
        shown = self._chosen
        if shown is not None:
            self.app.push_screen(TextDialog(shown.row.request.cluster, self.details()))

    def names_to_copy(self) -> list[Copyable]:
        """The name under the cursor."""
        return [Copyable("snapshot name", self._chosen.row.request.name)] if self._chosen is not None else []

    def action_resume(self) -> None:
        """Review what never left: nothing is sent before its question."""
        self.app.post_message(BatchWanted(self._batch.plan.id))

    def action_stop(self) -> None:
        """Ask, and leave the rest out: what was sent continues."""
        from ncp_tui.tui.dialogs.confirm import QuestionDialog

        def decide(sure: bool | None) -> None:
            if sure and self._batch.run is not None:
                self._batch.run.stop(STOPPED_BY_USER)
                self.show_tracked()

        self.app.push_screen(QuestionDialog(stop_question(self._batch.rows), "Leave out"), decide)

    def action_history(self) -> None:
        shown = self._chosen
        if shown is None:
            return
        cluster = self.session.clusters.get(shown.row.request.cluster_number)
        if cluster is None:
            self.say(NOT_LISTED.format(cluster=shown.row.request.cluster), "warning")
        else:
            self.app.post_message(HistoryWanted(cluster))

    def action_requests(self) -> None:
        from ncp_tui.tui.screens.requests import RequestsScreen

        self.open(RequestsScreen(self.session))

    def why_unavailable(self, action: str) -> str:
        """Only what has come to an end can be resumed, and only what has not can be stopped."""
        if action == "stop":
            return NOTHING_TO_STOP if self._batch.is_over or self._batch.run is None else ""
        if action != "resume" or self._batch.can_be_resumed:
            return ""
        return NOTHING_TO_RESUME if self._batch.is_over else NOT_OVER
