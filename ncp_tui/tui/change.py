"""A request with an effect of this run that is no create, and what is known of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncp_tui.problem import Problem
from ncp_tui.text import clean

if TYPE_CHECKING:
    from ncp_tui.gateway.errors import GatewayError
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.snapshots.operations import OperationResult
    from ncp_tui.view.text import Tone


@dataclass(eq=False)
class Change:
    """It outlives the screen that made it: an app's worker sends it."""

    subject: str
    """What it does to which cluster, for the session log: `set schedule of search-0001`."""
    cluster_number: str
    identity: Identity
    send: Callable[[Callable[[GatewayError], None]], Awaitable[OperationResult]]
    """Sends it, once; tells what it is given when it looks up what became of it. Raises a Problem before that."""
    words: Callable[[OperationResult], tuple[str, Tone]]
    """What is known of it in one sentence, and the tone of that."""
    resolving: GatewayError | None = None
    """Why NCP is asked what became of it; None where nothing had to be asked."""
    result: OperationResult | None = None
    problem: Problem | None = None
    """Why it was not sent."""

    @property
    def is_over(self) -> bool:
        """Whether all that can be found out now is known."""
        return self.result is not None or self.problem is not None

    @property
    def is_being_sent(self) -> bool:
        """Whether its request is on its way right now, its answer neither there nor lost."""
        return not self.is_over and self.resolving is None

    @property
    def is_resolving(self) -> bool:
        """Whether its answer was lost, and NCP is asked what became of it."""
        return not self.is_over and self.resolving is not None

    @property
    def not_written_down(self) -> str:
        """What the journal does not hold of it; empty where it does."""
        result = self.result
        problem = result.writer.problem if result is not None and result.writer is not None else None
        if result is None or problem is None:
            return ""
        return clean(f"{self.words(result)[0]} The journal does not hold it: {problem.what}")
