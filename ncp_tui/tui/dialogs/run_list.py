"""The snapshots of this run in one place, in a box over the screen: created here, or followed from elsewhere."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.dialogs.copyable import Copyable, CopyableDialog
from ncp_tui.tui.messages import BatchShown, HistoryWanted
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.progress import RUN, run_key

TITLE = "Snapshots of this run"
HINT = "enter History  c Copy name  b Batch  esc Close  Closing stops nothing."
NO_BATCH = "No batch was sent in this run."
NOT_LISTED = "{cluster} is not in the list of clusters of the profile in use."


class RunListDialog(CopyableDialog):
    """State, elapsed time and a bar for each; it is drawn anew once a second while one has not ended."""

    CSS_PATH = "run_list.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "history", "History", show=False, tooltip="History of its cluster", id="run.history"),
        Binding("b", "batch", "Batch", show=False, tooltip="The newest batch of creates", id="run.batch"),
        Binding("escape,q,f4", "dismiss(None)", "Close", id="run.close"),
    ]
    AUTO_FOCUS = "#run-list"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        with Vertical(id="run-box") as box:
            box.border_title = Content(TITLE)
            yield RecordTable(RUN.on_screen, empty=RUN.empty, id="run-list")
            yield Static(HINT, markup=False, id="run-hint")

    def on_mount(self) -> None:
        self.show_tracked()

    def show_tracked(self) -> None:
        """Show how far each is now. Only what looks otherwise than before is sent to the terminal."""
        self.query_one(RecordTable).show([RUN.row(each) for each in self._session.shown_snapshots()])
        batch = self._session.batch
        if batch is not None:
            from ncp_tui.view.batch import sending_sentence

            self.say(f"{sending_sentence(batch.plan.id, batch.rows, '', is_over=False)[0]}\n{HINT}")

    @property
    def _chosen(self) -> TrackedSnapshot | None:
        key = self.query_one(RecordTable).cursor_key
        return next((each for each in self._session.tracked if run_key(each) == key), None)

    def to_copy(self) -> Copyable | None:
        """The name under the cursor."""
        return Copyable("snapshot name", self._chosen.request.name) if self._chosen is not None else None

    def say(self, text: str) -> None:
        """Show a sentence below the rows."""
        self.query_one("#run-hint", Static).update(escape(text))

    def action_history(self) -> None:
        """Leave for the history of its cluster."""
        chosen = self._chosen
        if chosen is None:
            return
        cluster = self._session.clusters.get(chosen.request.cluster_number)
        if cluster is None:
            self.say(NOT_LISTED.format(cluster=chosen.request.cluster))
            return
        self.dismiss(None)
        self.app.post_message(HistoryWanted(cluster))

    def action_batch(self) -> None:
        """Leave for the batch: the one that is being sent, else the newest."""
        batch = self._session.batch or next(reversed(self._session.batches), None)
        if batch is None:
            self.say(NO_BATCH)
            return
        self.dismiss(None)
        self.app.post_message(BatchShown(batch))

    @on(RecordTable.Chosen)
    def open_clicked(self, event: RecordTable.Chosen) -> None:
        event.stop()
        self.action_history()
