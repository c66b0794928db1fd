"""The worker that sends a batch of creates, whatever screen is in front.

It is no screen's own: leaving a screen never keeps the rest of a batch from being sent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ncp_tui.problem import Problem
from ncp_tui.tui.messages import BatchesFound, BatchMoved, JournalChanged
from ncp_tui.tui.screens.base import BaseScreen

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from ncp_tui.tui.batch import Batch
    from ncp_tui.tui.session import Session

WHICH = "Resume a batch"
NONE_BROKE_OFF = "No batch of this machine has anything that never left."
LEAVE_FORM_FIRST = "Leave this form first: a batch opens from the list of clusters."


class BatchWorkers:
    """Sends each batch in a worker of the app, and tells the app of each step in one message."""

    def __init__(self, app: App[Any], session: Session) -> None:
        self._app = app
        self._session = session
        session.batch_behind = self.start

    def start(self, batch: Batch) -> None:
        """Send it. No screen owns this; none can cancel it."""
        self._session.batches.append(batch)
        _: Worker[None] = self._app.run_worker(
            partial(self._run, batch), group="snapshots", description="send a batch of creates", exit_on_error=False
        )

    async def _run(self, batch: Batch) -> None:
        """Write its plan down, then send it: what has no plan could not be resumed."""
        from ncp_tui.snapshots.batch import BatchRun, Plans, Rules
        from ncp_tui.snapshots.journal import on_disk

        session = self._session
        try:
            with session.log.action(f"batch {batch.plan.id}", background=True):
                if not batch.is_resumed:
                    await on_disk(partial(Plans(session.workspace.paths).write, batch.plan))
                batch.run = BatchRun(
                    batch.plan,
                    batch.rows,
                    Rules(),
                    tracker=session.tracker,
                    identity=batch.identity,
                    engine=batch.engine,
                    look=batch.look,
                    show=lambda _: self._tell(batch),
                )
                await batch.run.run()
        except Problem as problem:
            batch.problem = problem
        batch.is_over = True
        self._tell(batch)
        self._app.post_message(JournalChanged())

    def look_for_broken_off(self) -> None:
        """Find out which batches can be resumed; ends in BatchesFound."""
        _: Worker[None] = self._app.run_worker(
            self._look_for_broken_off, group="batches", description="find batches that broke off", exit_on_error=False
        )

    async def _look_for_broken_off(self) -> None:
        from ncp_tui.snapshots.batch import Plans, broken_off

        session = self._session
        try:
            plans = Plans(session.workspace.paths)
            found, problems = await broken_off(plans, session.journal, session.workspace.now())
        except Problem as problem:
            self._app.post_message(BatchesFound([], problem))
            return
        under_way = session.batch.plan.id if session.batch is not None else ""
        found = [each for each in found if each.plan.id != under_way]
        self._app.post_message(BatchesFound(found, problems[0] if problems else None))

    def choose(self, event: BatchesFound) -> None:
        """Have the user choose one, if there are any."""
        from ncp_tui.tui.dialogs.choice import Choice, ChoiceDialog
        from ncp_tui.view.batch import broken_off_words

        front, now = self._app.screen, self._session.workspace.now()
        if not isinstance(front, BaseScreen):
            return
        if event.problem is not None:
            front.say_problem(event.problem)
        elif not event.found:
            front.say(NONE_BROKE_OFF)
        if event.found:
            choices = [Choice(each.plan.id, each.plan.id, broken_off_words(each, now)) for each in event.found]
            self._app.push_screen(ChoiceDialog(WHICH, choices), self._resume_chosen)

    def _resume_chosen(self, chosen: str | None) -> None:
        if chosen:
            self.review(chosen)

    def review(self, wanted: str) -> None:
        """Open the review of what of a batch certainly never left, in the place of its own screen."""
        from ncp_tui.tui.screens.batch_review import BatchReviewScreen
        from ncp_tui.tui.screens.batch_run import BatchRunScreen

        front, review = self._app.screen, BatchReviewScreen(self._session, resumed=wanted)
        if isinstance(front, BatchRunScreen):
            self._app.switch_screen(review)
        elif isinstance(front, BaseScreen):
            front.open(review)

    def show(self, batch: Batch) -> None:
        """Open the screen of a batch, unless it is in front."""
        from ncp_tui.tui.screens.batch_run import BatchRunScreen

        front = self._app.screen
        if isinstance(front, BatchRunScreen):
            self._app.switch_screen(BatchRunScreen(self._session, batch))
        elif isinstance(front, BaseScreen) and not front.is_form:
            front.open(BatchRunScreen(self._session, batch))
        elif isinstance(front, BaseScreen):
            front.say(LEAVE_FORM_FIRST, "warning")

    def _tell(self, batch: Batch) -> None:
        self._app.post_message(BatchMoved(batch))
