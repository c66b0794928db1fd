"""What is known of a request with an effect at every moment of its command, also when that breaks off."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from ncp_tui.cli.cluster_lookup import is_number
from ncp_tui.cli.errors import next_words
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import Exchange
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.outcome import Outcome

HAS_LEFT: Final = frozenset({Outcome.UNKNOWN, Outcome.ACCEPTED})
"""What may have had its effect."""


class LeftRequests:
    """The requests of one operation that have left in this run: what they prove where nothing else has judged them."""

    def __init__(self, log: SessionLog, operation: str, number: str = "") -> None:
        """Of that cluster's `number` alone, where one is given: a run may ask several."""
        self._log = log
        self._ending = f"/{number}" if number else ""
        self._operation = operation
        self._judged: int | None = None

    def begin(self) -> None:
        """From here on they are judged; what left before has been judged by whoever sent it."""
        self._judged = len(list(self._all()))

    @property
    def outcome(self) -> Outcome:
        """What is proved by what left."""
        left = [exchange for exchange in self._new() if exchange.sent]
        if not left:
            return Outcome.NOT_SENT
        if any(each.answer is not None and each.error is None for each in left):  # a confirmed success
            return Outcome.ACCEPTED
        # Each that was refused before the next was sent, as for want of room, has been proved to have had no effect.
        return Outcome.UNKNOWN if any(each.may_have_acted is not False for each in left) else Outcome.REFUSED

    @property
    def request_id(self) -> str | None:
        """The id of the one that was accepted."""
        ids = [each.request_id for each in self._new() if each.error is None]
        return ids[-1] if ids and self.outcome is Outcome.ACCEPTED else None

    def _new(self) -> Iterator[Exchange]:
        yield from () if self._judged is None else islice(self._all(), self._judged, None)

    def _all(self) -> Iterator[Exchange]:
        for action in self._log.actions:
            for exchange in action.exchanges:
                if exchange.operation == self._operation and exchange.request.target.endswith(self._ending):
                    yield exchange


def cluster_member(wanted: str, cluster: Cluster | None) -> dict[str, str | None]:
    """The cluster, as far as it is known, for scripts."""
    if cluster is not None:
        return {"name": cluster.name, "number": cluster.number}
    known_by_number = is_number(wanted)
    return {"name": None if known_by_number else wanted, "number": wanted if known_by_number else None}


def error_member(problem: Problem) -> dict[str, Any]:
    """Why it ended so, for scripts."""
    said = problem if isinstance(problem, GatewayError) else None
    return {
        "kind": problem.kind,
        "status": said.status if said else None,
        "code": said.code if said else None,
        "message": (said.message if said else "") or problem.what,
        "hint": next_words(problem) or problem.meaning or None,
    }
