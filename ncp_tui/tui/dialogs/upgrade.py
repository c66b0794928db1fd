"""Whether a rolling upgrade of a cluster may begin, in a box over the screen. Only reads."""

from __future__ import annotations

from textual import work

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.upgrade import read_upgrade
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.key_bindings import next_words, problem_words
from ncp_tui.tui.session import Session
from ncp_tui.view.text import Tone, line, wrapped
from ncp_tui.view.upgrade import gate_card, upgrade_lines

_LOADING = "Loading ..."
_WIDTH = 66
"""Cells of a line in a window of 80."""


class UpgradeDialog(TextDialog):
    """The gate of a cluster, the versions on offer, and what to do next, as they are read now."""

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(f"Upgrade check of {cluster.title}", [line(_LOADING, Tone.DIM)])
        self._session = session
        self._cluster = cluster

    def on_mount(self) -> None:
        self.call_after_refresh(self.load_check)

    @work(group="upgrade", exclusive=True, exit_on_error=False, description="check an upgrade")
    async def load_check(self) -> None:
        """Read the history and the versions; what cannot be read is said in its place."""
        cluster = self._cluster
        try:
            with self._session.log.action(f"upgrade check of {cluster.title}"):
                engine = await self._session.engine()
                check = await read_upgrade(engine, cluster)
        except Problem as problem:
            self.show([line(text, Tone.BAD) for text in wrapped(problem_words(problem), _WIDTH)])
            return
        self.show(upgrade_lines(check, next_words(gate_card(check)), _WIDTH))
