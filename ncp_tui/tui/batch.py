"""A batch of creates of this run, from its consent on, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncp_tui.problem import Problem
from ncp_tui.snapshots.outcome import Outcome

if TYPE_CHECKING:
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.snapshots.batch import BatchRow, BatchRun, Look, Plan


@dataclass(eq=False)
class Batch:
    """It outlives the screen that began it: an app's worker sends it."""

    plan: Plan
    rows: list[BatchRow]
    """All that the user has seen, also what is not sent."""
    look: Look
    identity: Identity
    engine: SearchEngine
    is_resumed: bool = False
    """Whether its plan is on disk from before."""
    run: BatchRun | None = None
    problem: Problem | None = None
    """Why nothing of it was sent."""
    is_over: bool = False
    """Whether nothing more of it is sent."""

    @property
    def stopped(self) -> str:
        """Why the rest was left out; empty where nothing was."""
        return self.run.stopped if self.run is not None else ""

    @property
    def waiting(self) -> int:
        """How many are still to be sent."""
        return 0 if self.is_over else sum(row.is_to_be_sent for row in self.rows)

    @property
    def can_be_resumed(self) -> bool:
        """Whether it is over, and something of its plan certainly never left."""
        planned = {(request.cluster_number, request.name) for request in self.plan.requests}
        return (
            self.is_over
            and self.problem is None
            and any(
                row.outcome is Outcome.NOT_SENT and (row.request.cluster_number, row.request.name) in planned
                for row in self.rows
            )
        )
