"""The workers that outlive every screen: create requests, snapshots that are tracked, reads of the journal."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ncp_tui.problem import Problem
from ncp_tui.tui.messages import FollowFailed, JournalRead, SnapshotMoved
from ncp_tui.tui.screens.base import BaseScreen
from ncp_tui.tui.session import Session

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from ncp_tui.search_engine.models import Cluster, HistoryEntry
    from ncp_tui.snapshots.journal_entry import JournalEntry
    from ncp_tui.snapshots.track import SnapshotTracker, TrackedSnapshot

_TICK_SECONDS = 1.0


@runtime_checkable
class ShowsTracked(Protocol):
    """A screen, or a list over one, that shows how far the snapshots of this run are."""

    def show_tracked(self) -> None:
        """Show how far they are now."""


class SnapshotWorkers:
    """Runs each tracked snapshot in a worker of the app, and tells the app of each change in one message."""

    def __init__(self, app: App[Any], session: Session) -> None:
        self._app = app
        self._session = session
        self._is_ticking = False
        session.track_behind, session.on_tracked = self.run, self._tell

    @property
    def _tracker(self) -> SnapshotTracker:
        return self._session.tracker

    def run(self, tracked: TrackedSnapshot) -> None:
        """Run one to its end. No screen owns this; none can cancel it."""
        self._work(partial(self._tracker.run, tracked), "snapshots", "create and follow a snapshot")
        self._tick()

    def _tell(self, tracked: TrackedSnapshot) -> None:
        from ncp_tui.snapshots.outcome import Outcome

        self._app.post_message(SnapshotMoved(tracked))
        if tracked.taken is not None and tracked.taken.outcome is Outcome.UNKNOWN:
            self.look_into_journal()

    def look_into_journal(self) -> None:
        """Find out which requests in the journal are unresolved and handled by no program; ends in JournalRead."""
        self._work(self._look_into_journal, "journal", "look into the journal", exclusive=True)

    async def _look_into_journal(self) -> None:
        from ncp_tui.snapshots.journal import JournalProblem

        try:
            found = await self._tracker.left_open()
        except JournalProblem as problem:
            self._app.post_message(JournalRead([], [], problem))
        else:
            self._app.post_message(JournalRead(found.unresolved, found.under_way))

    def take_up(self, event: JournalRead) -> None:
        """Keep how many requests are unresolved, and track the running snapshots of this identity."""
        from ncp_tui.snapshots.outcome import Caller

        session = self._session
        session.unresolved, session.journal_problem = event.unresolved, event.problem
        if session.identity is None:
            return
        caller = Caller.of(session.identity)
        for entry in event.under_way:
            if entry.caller == caller and not self._tracker.has(entry.id):
                self._work(partial(self._pick_up, entry), "snapshots", "follow a snapshot of an earlier run")

    async def _pick_up(self, entry: JournalEntry) -> None:
        session, identity = self._session, self._session.identity
        if identity is None:
            return
        try:
            engine = await session.engine(ask=False)
        except Problem:
            # The screen in front has the same problem, and shows it; once it has none, this is tried again.
            session.left_behind = True
            return
        if session.identity is identity and not self._tracker.has(entry.id):
            self._tracker.resume(entry, identity, engine)

    def follow(self, cluster: Cluster, rows: Sequence[HistoryEntry]) -> None:
        """Follow running snapshots of a cluster that no request of this run started; nothing is sent for them."""
        self._work(partial(self._follow, cluster, rows), "follow", "follow a running snapshot")

    async def _follow(self, cluster: Cluster, rows: Sequence[HistoryEntry]) -> None:
        from ncp_tui.snapshots.outcome import SnapshotRequest

        session, identity = self._session, self._session.identity
        if identity is None:
            return
        try:
            engine = await session.engine()
        except Problem as problem:
            self._app.post_message(FollowFailed(problem))
            return
        if session.identity is not identity:
            return
        for row in rows:
            if not self._tracker.is_followed(cluster.number, row.snapshot):
                request = SnapshotRequest(cluster.number, cluster.name, row.snapshot, row.bucket)
                self._tracker.watch_name(request, identity, engine, since=row.at)
        self.show_in_front()

    def _work(
        self, work: Callable[[], Coroutine[None, None, None]], group: str, words: str, *, exclusive: bool = False
    ) -> None:
        _: Worker[None] = self._app.run_worker(
            work, group=group, description=words, exclusive=exclusive, exit_on_error=False
        )

    def _tick(self) -> None:
        """While a snapshot runs, one small update a second; nothing ticks otherwise."""
        if not self._is_ticking:
            self._is_ticking = True
            self._app.set_timer(_TICK_SECONDS, self._on_tick)

    def _on_tick(self) -> None:
        self._is_ticking = False
        if not self._session.open_snapshots:
            return
        self._tick()
        self.show_in_front()

    def show_in_front(self) -> None:
        """Show on the screen or the list in front how far the snapshots are now."""
        front = self._in_front
        if front is not None:
            front.show_tracked()

    def show_in_list(self) -> None:
        """Show it in the list in front, where there is one; the screens are told of each change by name."""
        front = self._in_front
        if front is not None and not isinstance(front, BaseScreen):
            front.show_tracked()

    @property
    def _in_front(self) -> ShowsTracked | None:
        """What is in front; None where it shows no snapshots, or the app is being taken apart."""
        stack = self._app.screen_stack if self._app.is_running else []
        return stack[-1] if stack and isinstance(stack[-1], ShowsTracked) else None
