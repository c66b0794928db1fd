"""Clusters: the home screen. Every cluster the key may see, its state, and the age of its newest snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.cluster_summary import NOT_READ, Look
from ncp_tui.text import plural
from ncp_tui.tui.key_bindings import CREATE, key_of
from ncp_tui.tui.messages import FollowWanted, JournalChanged
from ncp_tui.tui.screens.base import FOLLOWING, already_followed, read_only_sentence
from ncp_tui.tui.screens.cluster_table import NO_PROFILE, ClusterTable
from ncp_tui.tui.screens.marking import MARK, MarkingScreen
from ncp_tui.tui.screens.table import detail_key
from ncp_tui.tui.widgets.marked_table import MarkedTable
from ncp_tui.view.clusters import ListedCluster, details_lines
from ncp_tui.view.format import ZONE, clock_time
from ncp_tui.view.table import gap_sentence
from ncp_tui.view.text import Line, Tone, line

if TYPE_CHECKING:
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.snapshots.track import TrackedSnapshot
    from ncp_tui.tui.batch import Batch
    from ncp_tui.tui.dialogs.copyable import Copyable


LOADING = "Loading clusters ..."
NO_CLUSTER = "No cluster selected."
NO_PERMISSION = "No permission for {cluster}: this key sees only its name. Ask for permission, or switch profile (p)."
COUNT = "{clusters}, as of {time} {zone}."
NO_RUN = "{cluster}: no running snapshot as of {time} {zone}. r reads again."
RUNS_UNKNOWN = "{cluster}: unknown whether a snapshot is running; its history was not read."
UNRESOLVED = "{requests} Press u."
NO_KEY_SET = "no storage key is set"
MARKED_NEXT = "{count} marked. {key} reviews a snapshot of each."
NONE_MARKED = "Nothing is marked."
DROPPED = "{clusters} not listed any more: unmarked."


class ClustersScreen(MarkingScreen):
    """The clusters of the profile in use."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(CREATE[1], "snapshot", "Create", tooltip="Create a snapshot, or one of each marked", id=CREATE[0]),
        Binding("h", "history", "History", tooltip="Snapshot history", id="clusters.history"),
        Binding("d", "schedule", "Schedule", tooltip="Snapshot schedule", id="clusters.schedule"),
        MARK,
        Binding(
            "u",
            "requests",
            "Requests",
            tooltip="Snapshot requests; check and resolve them",
            id="clusters.requests",
        ),
        Binding(
            "U",
            "upgrade",
            "Upgrade check",
            show=False,
            tooltip="Whether a rolling upgrade may begin, and until when",
            id="clusters.upgrade",
        ),
        Binding(
            "K",
            "storage_key",
            "Storage key",
            show=False,
            tooltip="Set the key that the cluster writes its snapshots with",
            id="clusters.storage_key",
        ),
        Binding("p", "profiles", "Profiles", tooltip="Switch, add or test profiles", id="clusters.profiles"),
        Binding("f", "follow", "Follow", tooltip="Follow the running snapshot to its end", id="clusters.follow"),
        detail_key("clusters", "Cluster details"),
    ]
    path = ("Clusters",)
    panes_deferred = True
    refreshes = True
    sometimes_unavailable = ("snapshot", "follow", "storage_key")
    row_actions = ("follow",)
    opens_requests = True
    is_from_board = False
    """Whether a row of the board led here, so that back leads there."""

    _last_batch: Batch | None = None

    def new_table(self) -> ClusterTable:
        """The table that reads the clusters itself."""
        return ClusterTable(self.session)

    @property
    def table(self) -> ClusterTable:
        """The table."""
        return self.query_one("#table", ClusterTable)

    def go_to(self, identity: Identity, key: str) -> None:
        """Show the cluster `key` of `identity`, which is used from now on."""
        session, self.is_from_board = self.session, True
        in_use = session.identity
        if in_use is None or (in_use.name, in_use.profile) != (identity.name, identity.profile):
            session.use(identity)
        self.table.want(key)
        self.refresh_bindings()

    def load(self) -> None:
        """List the clusters again."""
        if self.session.identity is not None:
            self.say(LOADING)
            self.refresher.started()
        self.table.load()

    def stop_reading(self) -> None:
        """Stop what the table is still reading, too."""
        super().stop_reading()
        self.workers.cancel_node(self.table)

    @on(ClusterTable.Listed)
    def show_end(self, event: ClusterTable.Listed) -> None:
        session = self.session
        self.note_read(session.clusters_read_at)
        self.show_header()
        if event.problem is not None:
            self.show_problem(event.problem)
            return
        self.hide_problem()
        self.refresher.started()  # the histories are still to come
        if session.clusters_gap:
            self.say(gap_sentence(session.clusters_gap), "warning")
        else:
            read_at = session.clusters_read_at or session.workspace.now()
            clusters = plural(len(session.clusters), "cluster")
            self.say(COUNT.format(clusters=clusters, time=clock_time(read_at), zone=ZONE))
        if session.key_problems:
            self.say(session.key_problems[0], "warning")
        self.show_unresolved()
        self.show_tracked()
        if session.left_behind:
            session.left_behind = False
            self.app.post_message(JournalChanged())

    @on(ClusterTable.Summarized)
    def count_from_here(self, event: ClusterTable.Summarized) -> None:
        """Only now is the list read: one of 2,000 clusters takes longer than its rhythm."""
        if event.identity is self.session.identity:
            self.refresher.ended()

    def show_unresolved(self) -> None:
        """Name the unresolved requests, or say why they cannot be listed."""
        if self.session.journal_problem is not None:
            self.say_problem(self.session.journal_problem)
        elif self.session.unresolved:
            from ncp_tui.view.requests import unresolved_sentence

            self.say(UNRESOLVED.format(requests=unresolved_sentence(self.session.unresolved)), "warning")

    @property
    def marked(self) -> list[Cluster]:
        """The clusters that are marked, in NCP's order."""
        marks = self.table.marks if self.query("#table") else frozenset()
        return [cluster for key, cluster in self.session.clusters.items() if key in marks] if marks else []

    @on(MarkedTable.Marked)
    def show_marks(self) -> None:
        """Show in the header how many there are."""
        self.show_header()
        if self.marked:
            self.say(MARKED_NEXT.format(count=plural(len(self.marked), "cluster"), key=key_of(CREATE)))
        else:
            self.say(NONE_MARKED)

    @on(ClusterTable.MarksDropped)
    def say_dropped(self, event: ClusterTable.MarksDropped) -> None:
        self.say(DROPPED.format(clusters=plural(event.count, "cluster")), "warning")

    def on_batch_moved(self, batch: Batch) -> None:
        """What was marked has been sent."""
        super().on_batch_moved(batch)
        if not batch.is_resumed and batch is not self._last_batch:
            self._last_batch = batch
            self.table.keep_marks(self.table.marks - {row.request.cluster_number for row in batch.rows})

    def on_snapshot_moved(self, tracked: TrackedSnapshot) -> None:
        """Show a snapshot's progress in its cluster's line as well."""
        self.table.keep_progress(tracked)
        super().on_snapshot_moved(tracked)
        self.table.show_progress(tracked)

    def details(self) -> list[Line]:
        """What is known of the cluster under the cursor, without a request of its own."""
        cluster = self.chosen
        if cluster is None:
            return [line("No cluster under the cursor.", Tone.DIM)]
        listed = self.table.listed(cluster)
        return details_lines(listed, self.session.dashboards.get(cluster.number), self._upgrade_lines(listed))

    def _upgrade_lines(self, listed: ListedCluster) -> list[Line]:
        """How the gate before an upgrade stands now, by NCP's clock; nothing where the history was not read yet."""
        engine, summary = self.session.connected, listed.summary
        if summary.look is Look.NOT_READ:
            return []
        from ncp_tui.snapshots.upgrade import judge_gate  # no history is read before the first frame
        from ncp_tui.view.upgrade import gate_line

        now = engine.time_there() if engine is not None else listed.moment.now
        return [gate_line(judge_gate(listed.cluster, summary, now))]

    @property
    def chosen(self) -> Cluster | None:
        """The cluster under the cursor."""
        key = self.table.cursor_key
        return self.session.clusters.get(key) if key is not None else None

    def _openable(self) -> Cluster | None:
        cluster = self.chosen
        if self.session.identity is None:
            self.say(NO_PROFILE, "warning")
        elif cluster is None:
            self.say(NO_CLUSTER, "warning")
        elif not cluster.allowed:
            self.say(NO_PERMISSION.format(cluster=cluster.title), "bad")
        else:
            return cluster
        return None

    def names_to_copy(self) -> list[Copyable]:
        """The cluster under the cursor."""
        from ncp_tui.tui.dialogs.copyable import Copyable

        return [Copyable("cluster name", self.chosen.name)] if self.chosen else []

    def action_snapshot(self) -> None:
        if self.marked:
            from ncp_tui.tui.screens.batch_review import BatchReviewScreen

            self.open(BatchReviewScreen(self.session, self.marked))
            return
        from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen

        cluster = self._openable()
        if cluster is not None:
            self.open(CreateSnapshotScreen(self.session, cluster))

    def action_history(self) -> None:
        from ncp_tui.tui.screens.history import HistoryScreen

        cluster = self._openable()
        if cluster is not None:
            self.open(HistoryScreen(self.session, cluster))

    def action_schedule(self) -> None:
        from ncp_tui.tui.screens.schedule import ScheduleScreen

        cluster = self._openable()
        if cluster is not None:
            self.open(ScheduleScreen(self.session, cluster))

    def action_open(self) -> None:
        from ncp_tui.tui.dialogs.text import ClusterDetailDialog

        cluster = self._openable()
        if cluster is not None:
            self.app.push_screen(ClusterDetailDialog(self.session, cluster))

    def action_upgrade(self) -> None:
        from ncp_tui.tui.dialogs.upgrade import UpgradeDialog

        cluster = self._openable()
        if cluster is not None:
            self.app.push_screen(UpgradeDialog(self.session, cluster))

    def action_storage_key(self) -> None:
        from ncp_tui.tui.dialogs.storage_key import StorageKeyDialog

        cluster = self._openable()
        if cluster is not None:
            self.app.push_screen(StorageKeyDialog(self.session, cluster))

    def action_follow(self) -> None:
        cluster = self._openable()
        if cluster is not None:
            rows = self.session.summaries[cluster.number].running
            self.say(FOLLOWING.format(snapshot=rows[0].snapshot))
            self.app.post_message(FollowWanted(cluster, rows))

    def action_profiles(self) -> None:
        from ncp_tui.tui.screens.profiles import ProfilesScreen

        self.open(ProfilesScreen(self.session))

    def action_requests(self) -> None:
        from ncp_tui.tui.screens.requests import RequestsScreen

        self.open(RequestsScreen(self.session))

    def show_ages(self) -> None:
        self.table.show_ages()

    def on_screen_resume(self) -> None:
        """Show what was started elsewhere, and load again what leaving this screen stopped."""
        self.table.show_ages()
        if self.session.identity is not None and not self.session.clusters_complete and not self.table.is_loading:
            self.call_after_refresh(self.load)
        elif self.session.identity is not None:
            self.table.go_on()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is behind the home screen but an open filter, and the board where that led here."""
        if action == "back":
            return self.is_from_board or (self.filter_bar is not None and self.filter_bar.display)
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Clear the filter first, then go back to the board."""
        if self.is_from_board and not (self.filter_bar is not None and self.filter_bar.display):
            self.is_from_board = False
            self.action_board()
        else:
            super().action_back()

    def why_unavailable(self, action: str) -> str:
        """Read-only mode creates nothing, and only what runs is followed."""
        if action == "follow":
            return self._why_not_followed(self.chosen if self.is_mounted else None)
        if action == "storage_key":
            return read_only_sentence(self.session, NO_KEY_SET)
        return read_only_sentence(self.session) if action == "snapshot" else super().why_unavailable(action)

    def _why_not_followed(self, cluster: Cluster | None) -> str:
        if cluster is None:
            return NO_CLUSTER
        summary = self.session.summaries.get(cluster.number, NOT_READ)
        if summary.running:
            return already_followed(self.session, cluster.number, summary.running)
        if summary.look not in {Look.FOUND, Look.NONE} or summary.read_at is None:
            return RUNS_UNKNOWN.format(cluster=cluster.title)
        return NO_RUN.format(cluster=cluster.title, time=clock_time(summary.read_at), zone=ZONE)
