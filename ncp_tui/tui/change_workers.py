"""The workers that send the other requests with an effect than creates, whatever screen is in front.

None is a screen's own: leaving a screen never cancels a request that may have left already.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from ncp_tui.problem import Problem
from ncp_tui.tui.messages import ChangeMoved

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from ncp_tui.gateway.errors import GatewayError
    from ncp_tui.tui.change import Change
    from ncp_tui.tui.session import Session


class ChangeWorkers:
    """Sends each change in a worker of the app, and tells the app of each step in one message."""

    def __init__(self, app: App[Any], session: Session) -> None:
        self._app = app
        self._session = session
        session.change_behind = self.start

    def start(self, change: Change) -> None:
        """Send it. No screen owns this; none can cancel it."""
        self._session.changes.append(change)
        self._work(partial(self._run, change), "send a change and find out what became of it")

    async def _run(self, change: Change) -> None:
        from ncp_tui.snapshots.outcome import Outcome

        def tell_resolving(error: GatewayError) -> None:
            change.resolving = error
            self._app.post_message(ChangeMoved(change))

        try:
            with self._session.log.action(change.subject) as action:
                result = await change.send(tell_resolving)
                action.outcome, action.failed = change.words(result)[0], result.sent.outcome is not Outcome.ACCEPTED
        except Problem as problem:
            change.problem = problem
            self._app.post_message(ChangeMoved(change))
            return
        change.result = result
        self._app.post_message(ChangeMoved(change))
        if result.writer is not None:
            await result.writer.keep_trying()  # what the journal has not taken yet

    def _work(self, work: Callable[[], Coroutine[None, None, None]], words: str) -> None:
        _: Worker[None] = self._app.run_worker(work, group="snapshots", description=words, exit_on_error=False)
