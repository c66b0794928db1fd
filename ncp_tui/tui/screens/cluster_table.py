"""The table of the clusters: it reads every page and shows each as it comes, then the newest snapshot of each."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual import on, work
from textual.message import Message

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, read_summaries
from ncp_tui.system.blocking import in_slices, run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.tui.widgets.marked_table import MarkedTable
from ncp_tui.tui.widgets.record_table import MOST_SHOWN
from ncp_tui.view.cluster_summary import Moment
from ncp_tui.view.clusters import CLUSTERS, ListedCluster
from ncp_tui.view.progress import tracked_word
from ncp_tui.view.text import Row

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.snapshots.track import TrackedSnapshot

TOGETHER_SECONDS = 0.05
"""In which what comes at the same time is shown together: each costs a layout of the screen, 7 ms."""

MANY, TOGETHER_SECONDS_OF_MANY = 300, 0.25
"""From so many rows on that is done less often: the end of the list is not in view."""

_NEVER = datetime.min.replace(tzinfo=UTC)

LOADING = "Loading ..."
NO_PROFILE = "No profile selected. Press p to choose or add one."


class ClusterTable(ReportsWorkerErrors, MarkedTable):
    """The clusters of the profile in use, in the session and on the screen."""

    @dataclass
    class PageLoaded(Message, bubble=False):
        """Some clusters arrived, with their rows."""

        identity: Identity | None
        clusters: list[Cluster]
        rows: list[Row]

    @dataclass
    class SummaryLoaded(Message, bubble=False):
        """What the newest rows of the history of one cluster say is known."""

        identity: Identity | None
        number: str

    @dataclass
    class Listed(Message):
        """The listing has ended, or it failed; the table shows what came of it."""

        identity: Identity | None
        rows: list[Row]
        problem: Problem | None = None

    @dataclass
    class Summarized(Message):
        """What can be read of the histories and schedules of the clusters has been read."""

        identity: Identity | None

    @dataclass
    class MarksDropped(Message):
        """Marked clusters are not listed any more."""

        count: int

    def __init__(self, session: Session) -> None:
        super().__init__(CLUSTERS.on_screen, id="table")
        self._marked_as = session.identity
        self._session = session
        self._arrived: list[Row] = []
        self._are_summaries_left = False
        self._wanted = ""

    def want(self, key: str) -> None:
        """Put the cursor on this cluster, now or as soon as it is listed."""
        self._wanted = key
        self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self._wanted:
            self.move_to(self._wanted)
        if self._session.clusters_complete or self.cursor_key == self._wanted:
            self._wanted = ""

    def load(self) -> None:
        """List the clusters again, of the profile in use."""
        session = self._session
        self._arrived = []
        if session.identity is not self._marked_as:
            self._marked_as = session.identity
            self.unmark_all()  # clusters of another profile
        if session.identity is None:
            self.show([], empty=NO_PROFILE)
            return
        session.clusters_complete = False
        if not session.clusters:
            self.show([], empty=LOADING)
        self.load_clusters()

    @property
    def is_loading(self) -> bool:
        """Whether the clusters are being listed."""
        mine = (worker for worker in self.workers if worker.node is self and worker.group == "clusters")
        return any(not worker.is_finished and not worker.is_cancelled for worker in mine)

    @work(group="clusters", exclusive=True, exit_on_error=False, description="load clusters")
    async def load_clusters(self) -> None:
        """Read every page, showing each as it comes, then what the history and the schedule of each cluster say."""
        session, identity = self._session, self._session.identity
        try:
            with session.log.action("list clusters"):
                engine = await session.engine()
                found: dict[str, Cluster] = {}
                rows, gap = list[Row](), ""
                async for page in engine.cluster_pages(most=MOST_SHOWN):
                    found.update({cluster.number or cluster.name: cluster for cluster in page.rows})
                    made = await in_slices(self._row, page.rows)
                    rows, gap = rows + made, page.gap
                    self.post_message(self.PageLoaded(identity, page.rows, made))
            if identity is session.identity:
                session.clusters, session.clusters_gap, session.clusters_read_at = found, gap, session.workspace.now()
            self.post_message(self.Listed(identity, rows))
        except Problem as problem:
            self.post_message(self.Listed(identity, [], problem))
            return
        self._are_summaries_left = True
        await self._load_summaries(engine, identity, list(found.values()))

    def go_on(self) -> None:
        """Read the histories that were not read because this screen was left."""
        if self._are_summaries_left and self._session.clusters_complete and not self.is_loading:
            self.load_other_summaries()

    @work(group="clusters", exclusive=True, exit_on_error=False, description="read the other histories")
    async def load_other_summaries(self) -> None:
        """Read what the history and the schedule of each cluster say that was not read since they were listed."""
        session, identity = self._session, self._session.identity
        since = session.clusters_read_at or session.workspace.now()
        others = [each for each in session.clusters.values() if (self._read_at(each) or _NEVER) < since]
        try:
            engine = await session.engine()
        except Problem as problem:
            self.post_message(self.Listed(identity, [], problem))
            return
        await self._load_summaries(engine, identity, others)

    def _read_at(self, cluster: Cluster) -> datetime | None:
        return self._session.summaries.get(cluster.number, NOT_READ).read_at

    async def _load_summaries(self, engine: SearchEngine, identity: Identity | None, clusters: list[Cluster]) -> None:
        """Read the newest rows of the history of every running cluster, until another profile is in use.

        Those that were never read come first, then those read longest ago: however often the list is read again, or
        left, each has its turn.
        """
        clusters = sorted(clusters, key=lambda each: self._read_at(each) or _NEVER)

        def show(cluster: Cluster, summary: ClusterSummary) -> bool:
            if identity is self._session.identity:
                self._session.summaries[cluster.number] = summary
                self.post_message(self.SummaryLoaded(identity, cluster.number))
            return identity is self._session.identity

        with self._session.log.action("read histories and schedules", background=True):
            await read_summaries(engine, clusters, show, self._session.until_user_rests)
        if identity is self._session.identity:
            self._are_summaries_left = False
            self.post_message(self.Summarized(identity))

    @work(group="names", exclusive=True, exit_on_error=False, description="keep names")
    async def keep_names(self, identity: Identity, names: list[str], *, are_all: bool) -> None:
        """Write down what a shell may complete."""
        from ncp_tui.profiles.cluster_name_cache import ClusterNameCache

        cache = ClusterNameCache(self._session.workspace.paths)
        with contextlib.suppress(OSError, TimeoutError):  # a comfort: the shell completes what was listed before
            await run_blocking(lambda: cache.store(identity, names, is_whole=are_all), DISK_SECONDS)

    @on(PageLoaded)
    def show_page(self, event: PageLoaded) -> None:
        if event.identity is self._session.identity:
            self._session.clusters.update({cluster.number or cluster.name: cluster for cluster in event.clusters})
            self._show_soon(event.rows)

    def _show_soon(self, rows: list[Row]) -> None:
        """Show rows with those that come at the same time; the first ones at once."""
        is_waiting = bool(self._arrived)
        self._arrived += rows
        if not self.total:
            self._show_arrived()
        elif rows and not is_waiting:
            is_long = self.total > MANY
            self.set_timer(TOGETHER_SECONDS_OF_MANY if is_long else TOGETHER_SECONDS, self._show_arrived)

    def _show_arrived(self) -> None:
        arrived, self._arrived = self._arrived, []
        if arrived:
            self.merge(arrived)
            self._go_to_wanted()

    @on(Listed)
    def show_listed(self, event: Listed) -> None:
        """Show all of it, in NCP's order; a listing of another profile is dropped."""
        session = self._session
        if event.identity is not session.identity:
            event.stop()
            return
        if event.problem is not None:
            self._show_arrived()
            return
        session.clusters_complete, self._arrived = True, []
        if event.identity is not None and not session.workspace.demo:
            names = [cluster.name for cluster in session.clusters.values()]
            self.keep_names(event.identity, names, are_all=not session.clusters_gap)
        self.show(event.rows, empty=CLUSTERS.empty)
        gone = 0 if session.clusters_gap else self.keep_marks(session.clusters)
        if gone:
            self.post_message(self.MarksDropped(gone))
        self._go_to_wanted()

    @on(SummaryLoaded)
    def show_summary(self, event: SummaryLoaded) -> None:
        session = self._session
        if event.identity is session.identity and event.number in session.clusters:
            self._show_soon([self._row(session.clusters[event.number])])

    def _row(self, cluster: Cluster) -> Row:
        return CLUSTERS.row(self.listed(cluster))

    def listed(self, cluster: Cluster) -> ListedCluster:
        """A cluster with all that is known of its snapshots, as of now."""
        session = self._session
        under_way = [each for each in session.open_snapshots if each.request.cluster_number == cluster.number]
        summary = session.summaries.get(cluster.number, NOT_READ)
        word = tracked_word(under_way) if under_way else ""
        moment = Moment(session.workspace.now())
        if session.identity is not None:
            moment = Moment(moment.now, session.identity.profile.max_age_bar)
        return ListedCluster(cluster, moment, summary, word)

    @work(group="rows", exclusive=True, exit_on_error=False, description="show the clusters as of now")
    async def show_ages(self) -> None:
        """Make every row again: the ages in them have grown."""
        clusters = self._session.clusters
        rows = await in_slices(self._row, list(clusters.values()))
        if clusters is self._session.clusters:
            self.merge(rows)

    def keep_progress(self, tracked: TrackedSnapshot) -> None:
        """Keep what `tracked` shows of the newest snapshot of its cluster."""
        session, progress = self._session, tracked.progress
        if progress is not None and progress.entry is not None and tracked.identity is session.identity:
            number = tracked.request.cluster_number
            summary = session.summaries.get(number, NOT_READ)
            session.summaries[number] = summary.with_row(progress.entry)

    def show_progress(self, tracked: TrackedSnapshot) -> None:
        """Show it in the row of its cluster."""
        session = self._session
        cluster = session.clusters.get(tracked.request.cluster_number)
        if cluster is not None and tracked.identity is session.identity:
            self.merge([self._row(cluster)])
