"""Everything about one cluster: what the service tells of it, and how much is in it."""

from __future__ import annotations

from textual import work

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster, Dashboard
from ncp_tui.tui.dialogs.text import TextScreen
from ncp_tui.tui.next_steps import problem_words
from ncp_tui.tui.session import Session
from ncp_tui.view.clusters import cluster_lines
from ncp_tui.view.text import BLANK, Tone, line


class ClusterDetailScreen(TextScreen):
    """What the list already said, at once; what takes a request, as it comes."""

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(f"Cluster {cluster.name}", [*cluster_lines(cluster), BLANK, line("Loading ...", Tone.DIM)])
        self._session = session
        self._cluster = cluster

    def on_mount(self) -> None:
        """Fetch the rest."""
        self.call_after_refresh(self.load_detail)

    @work(group="detail", exclusive=True, exit_on_error=False, description="load cluster detail")
    async def load_detail(self) -> None:
        """Read detail and dashboard; a reading that fails leaves the list's facts standing."""
        cluster, problem = self._cluster, ""
        dashboard: Dashboard | None = None
        try:
            with self._session.log.action(f"show {cluster.name}"):
                engine = await self._session.engine()
                detail = await engine.show_cluster(cluster.number, cluster.name)
                cluster = cluster.with_detail(detail) if detail else cluster
                dashboard = await engine.show_dashboard(cluster.number)
        except Problem as error:
            problem = problem_words(error)
        lines = cluster_lines(cluster, dashboard)
        self.show([*lines, BLANK, line(problem, Tone.BAD)] if problem else lines)
