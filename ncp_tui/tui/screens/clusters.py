"""Clusters: the home screen. Every cluster the key may see, what state it is in, and how old its newest snapshot is."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.last_snapshot import NOT_READ, LastSnapshot, Look, look_at_last_snapshots
from ncp_tui.system.blocking import run_blocking
from ncp_tui.tui.history_reader import MOST_ROWS
from ncp_tui.tui.messages import JournalChanged
from ncp_tui.tui.screens.table import TableScreen
from ncp_tui.tui.session import Session
from ncp_tui.tui.slices import in_slices
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.clusters import CLUSTERS, ListedCluster
from ncp_tui.view.format import ZONE, clock_time, milliseconds
from ncp_tui.view.progress import under_way_word
from ncp_tui.view.table import gap_sentence
from ncp_tui.view.text import Row

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.snapshots.track import TrackedSnapshot
    from ncp_tui.tui.dialogs.copyable import Copyable

TOGETHER_SECONDS = 0.05
"""In which what comes at the same time is shown together: each costs a layout of the screen, 7 ms."""

MANY, TOGETHER_SECONDS_OF_MANY = 300, 0.25
"""From so many rows on that is done less often: nobody sees the end of the list."""

NAMES_SECONDS = 10.0
"""How long the disk may take to keep the names; nobody waits for it."""


class ClustersScreen(TableScreen):
    """The clusters of the profile in use."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "snapshot", "Snapshot", tooltip="Create a snapshot of this cluster", id="clusters.snapshot"),
        Binding("h", "history", "History", tooltip="The snapshot history of this cluster", id="clusters.history"),
        Binding(
            "u",
            "requests",
            "Requests",
            show=False,
            tooltip="What became of each create; resolve what is open",
            id="clusters.requests",
        ),
        Binding("p", "profiles", "Profiles", tooltip="Choose, add and test profiles", id="clusters.profiles"),
        Binding(
            "enter",
            "detail",
            "Detail",
            show=False,
            key_display="enter",
            tooltip="Everything about this cluster",
            id="clusters.detail",
        ),
    ]
    path = ("Clusters",)
    panels_deferred = True
    opens_requests = True
    columns = CLUSTERS.on_screen

    @dataclass
    class PageLoaded(Message):
        """Some clusters arrived, with their lines."""

        identity: Identity | None
        clusters: list[Cluster]
        rows: list[Row]

    @dataclass
    class LoadEnded(Message):
        """The listing has ended, or it failed."""

        identity: Identity | None
        seconds: float
        rows: list[Row]
        problem: Problem | None = None

    @dataclass
    class LastSnapshotLoaded(Message):
        """The newest snapshot of one cluster is known."""

        identity: Identity | None
        number: str

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._arrived: list[Row] = []

    def load(self) -> None:
        """List the clusters again."""
        self._arrived = []
        if self.session.identity is None:
            self.table.show([], empty="No profile is chosen. Press p.")
            return
        self.session.clusters_complete = False
        self.say("Loading clusters ...")
        if not self.session.clusters:
            self.table.show([], empty="Loading ...")
        self.load_clusters()

    @work(group="clusters", exclusive=True, exit_on_error=False, description="load clusters")
    async def load_clusters(self) -> None:
        """Read every page, showing each as it comes, then the age of each cluster's newest snapshot."""
        session, identity = self.session, self.session.identity
        monotonic = session.workspace.monotonic
        started = monotonic()
        try:
            with session.log.action("list clusters"):
                engine = await session.engine()
                found: dict[str, Cluster] = {}
                lines, gap = list[Row](), ""
                async for page in engine.cluster_pages(most=MOST_ROWS):
                    found.update({cluster.number or cluster.name: cluster for cluster in page.rows})
                    made = await in_slices(self._row, page.rows)
                    lines, gap = lines + made, page.gap
                    self.post_message(self.PageLoaded(identity, page.rows, made))
            if identity is session.identity:
                session.clusters, session.clusters_gap, session.clusters_read_at = found, gap, session.workspace.now()
            self.post_message(self.LoadEnded(identity, monotonic() - started, lines))
        except Problem as problem:
            self.post_message(self.LoadEnded(identity, monotonic() - started, [], problem))
            return
        await self._load_last_snapshots(engine, identity, list(found.values()))

    async def _load_last_snapshots(
        self, engine: SearchEngine, identity: Identity | None, clusters: list[Cluster]
    ) -> None:
        """Look at the newest snapshot of every running cluster, until another profile is in use."""

        def show(cluster: Cluster, last: LastSnapshot) -> bool:
            if identity is self.session.identity:
                self.session.last_snapshots[cluster.number] = last
                self.post_message(self.LastSnapshotLoaded(identity, cluster.number))
            return identity is self.session.identity

        with self.session.log.action("read last snapshots", background=True):
            await look_at_last_snapshots(engine, clusters, show)

    @work(group="names", exclusive=True, exit_on_error=False, description="keep names")
    async def keep_names(self, identity: Identity, names: list[str], *, are_all: bool) -> None:
        """Write down what a shell may complete."""
        from ncp_tui.profiles.cluster_name_cache import ClusterNameCache

        listing = ClusterNameCache(self.session.workspace.paths)
        with contextlib.suppress(OSError, TimeoutError):  # a comfort: the shell completes what was listed before
            await run_blocking(lambda: listing.store(identity, names, is_whole=are_all), NAMES_SECONDS)

    @on(PageLoaded)
    def show_page(self, event: PageLoaded) -> None:
        if event.identity is self.session.identity:
            self.session.clusters.update({cluster.number or cluster.name: cluster for cluster in event.clusters})
            self._show_soon(event.rows)

    def _show_soon(self, lines: list[Row]) -> None:
        """Show lines with those that come at the same time; the first ones at once."""
        is_waiting = bool(self._arrived)
        self._arrived += lines
        if not self.table.total:
            self._show_arrived()
        elif lines and not is_waiting:
            is_long = self.table.total > MANY
            self.set_timer(TOGETHER_SECONDS_OF_MANY if is_long else TOGETHER_SECONDS, self._show_arrived)

    def _show_arrived(self) -> None:
        arrived, self._arrived = self._arrived, []
        if arrived:
            self.table.merge(arrived)

    @on(LoadEnded)
    def show_end(self, event: LoadEnded) -> None:
        session = self.session
        if event.identity is not session.identity:
            return
        self.show_header()
        if event.problem is not None:
            self._show_arrived()
            self.show_problem(event.problem)
            return
        self.hide_problem()
        session.clusters_complete, self._arrived = True, []
        if event.identity is not None and not session.workspace.demo:
            names = [cluster.name for cluster in session.clusters.values()]
            self.keep_names(event.identity, names, are_all=not session.clusters_gap)
        count = len(session.clusters)
        self.table.show(event.rows, empty=CLUSTERS.empty)
        if session.clusters_gap:
            self.say(gap_sentence(session.clusters_gap), "warning")
        else:
            read = f", read at {clock_time(session.clusters_read_at)} {ZONE}" if session.clusters_read_at else ""
            self.say(f"{count:,} cluster{'s' * (count != 1)} in {milliseconds(event.seconds)}{read}.")
        self.show_unresolved()
        self.show_tracked()
        if session.left_behind:
            session.left_behind = False
            self.app.post_message(JournalChanged())

    def show_unresolved(self) -> None:
        """Say which creates are open, or why nobody knows."""
        if self.session.journal_problem is not None:
            self.say_problem(self.session.journal_problem)
        elif self.session.unresolved:
            from ncp_tui.view.requests import unresolved_words

            self.say(f"Press u: {unresolved_words(self.session.unresolved)}.", "warning")

    @on(LastSnapshotLoaded)
    def show_last_snapshot(self, event: LastSnapshotLoaded) -> None:
        if event.identity is self.session.identity and event.number in self.session.clusters:
            self._show_soon([self._row(self.session.clusters[event.number])])

    def _row(self, cluster: Cluster) -> Row:
        """The line of a cluster, as of now."""
        session = self.session
        under_way = [each for each in session.open_snapshots if each.request.cluster_number == cluster.number]
        last = session.last_snapshots.get(cluster.number, NOT_READ)
        word = under_way_word(under_way) if under_way else ""
        return CLUSTERS.row(ListedCluster(cluster, session.workspace.now(), last, word))

    @work(group="rows", exclusive=True, exit_on_error=False, description="show the clusters as of now")
    async def show_ages(self) -> None:
        """Make every line again: the ages in them have grown."""
        clusters = self.session.clusters
        lines = await in_slices(self._row, list(clusters.values()))
        if clusters is self.session.clusters:
            self.table.merge(lines)

    def on_snapshot_moved(self, followed: TrackedSnapshot) -> None:
        """Show a snapshot's progress in its cluster's line as well."""
        progress = followed.progress
        if progress is not None and progress.entry is not None and followed.identity is self.session.identity:
            last = LastSnapshot(Look.FOUND, progress.entry, self.session.workspace.now())
            self.session.last_snapshots[followed.request.cluster_number] = last
        super().on_snapshot_moved(followed)
        cluster = self.session.clusters.get(followed.request.cluster_number)
        if cluster is not None and followed.identity is self.session.identity:
            self.table.merge([self._row(cluster)])

    @property
    def chosen(self) -> Cluster | None:
        """The cluster under the cursor."""
        key = self.table.cursor_key
        return self.session.clusters.get(key) if key is not None else None

    def _openable(self) -> Cluster | None:
        cluster = self.chosen
        if self.session.identity is None:
            self.say("No profile is chosen, so there is nobody to call as. p chooses or adds one.", "warning")
        elif cluster is None:
            self.say("There is no cluster under the cursor.", "warning")
        elif not cluster.allowed:
            self.say(
                f"This key may see {cluster.name} by name only: ask for permission, or use another profile.", "bad"
            )
        else:
            return cluster
        return None

    def names_to_copy(self) -> list[Copyable]:
        """The cluster under the cursor."""
        from ncp_tui.tui.dialogs.copyable import Copyable

        return [Copyable("cluster name", self.chosen.name)] if self.chosen else []

    def action_snapshot(self) -> None:
        from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen

        cluster = self._openable()
        if cluster is not None:
            self.open(CreateSnapshotScreen(self.session, cluster))

    def action_history(self) -> None:
        from ncp_tui.tui.screens.history import HistoryScreen

        cluster = self._openable()
        if cluster is not None:
            self.open(HistoryScreen(self.session, cluster))

    def action_detail(self) -> None:
        from ncp_tui.tui.dialogs.text import ClusterDetailDialog

        cluster = self._openable()
        if cluster is not None:
            self.app.push_screen(ClusterDetailDialog(self.session, cluster))

    @on(RecordTable.Chosen, "#table")
    def open_detail(self) -> None:
        self.action_detail()

    def action_profiles(self) -> None:
        from ncp_tui.tui.screens.profiles import ProfilesScreen

        self.open(ProfilesScreen(self.session))

    def action_requests(self) -> None:
        from ncp_tui.tui.screens.requests import RequestsScreen

        self.open(RequestsScreen(self.session))

    def on_screen_resume(self) -> None:
        """Show what was started elsewhere, and load again what leaving this screen stopped."""
        self.show_ages()
        if self.session.identity is not None and not self.session.clusters_complete and not self._is_loading:
            self.call_after_refresh(self.load)

    @property
    def _is_loading(self) -> bool:
        mine = (worker for worker in self.workers if worker.node is self and worker.group == "clusters")
        return any(not worker.is_finished and not worker.is_cancelled for worker in mine)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Home has no way back but out of a filter, and read-only mode has no snapshots."""
        if action == "back":
            return self.filter_bar is not None and self.filter_bar.display
        if action == "snapshot" and self.session.read_only:
            return False
        return super().check_action(action, parameters)
