"""One `snapshot create`: what is known of it at every moment, also when it breaks off."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from ncp_tui.cli.errors import next_words
from ncp_tui.cli.lookup import is_number
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import Exchange
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.search_engine.operations import CREATE_SNAPSHOT
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.create import CreateResult
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.outcome import Outcome, outcome_sentence

Finished = Literal["success", "failed"]

_HAS_LEFT = frozenset({Outcome.UNKNOWN, Outcome.ACCEPTED})


@dataclass(frozen=True)
class Wishes:
    """The options of the command."""

    cluster: str
    bucket: str | None = None
    name: str | None = None
    template: str | None = None
    dry_run: bool = False
    wait: bool = False
    offer_wait: bool = False
    """Ask, once it is accepted, whether to follow it."""
    timeout: float = 3600.0
    yes: bool = False
    confirm: str | None = None
    without_journal: bool = False
    retry_if_not_started: bool = False
    again: str | None = None
    """The earlier request for the same snapshot that the user has said yes to."""


@dataclass
class Attempt:
    """What was asked for, as far as it is known, and how far it got."""

    log: SessionLog
    wanted_cluster: str
    snapshot: str | None = None
    bucket: str | None = None
    cluster: Cluster | None = None
    sending: bool = False
    taken: CreateResult | None = None
    finished: Finished | None = None
    _judged: int = 0
    """How many requests an earlier `take` has already been judged by."""

    def begin_sending(self) -> None:
        """From here on the outcome is that of what leaves now: what an earlier `take` proved says nothing of it."""
        self.taken, self.sending, self._judged = None, True, len(list(self._creates()))

    async def keep(self, taking: Awaitable[CreateResult]) -> CreateResult:
        """What `taking` returns, kept before a signal that came meanwhile is heard."""
        self.taken = await taking
        return self.taken

    @property
    def outcome(self) -> Outcome:
        """What is proved. A create that was cut off before `take` could judge it is judged by what left the machine."""
        if self.taken is not None:
            return self.taken.outcome
        left = [exchange for exchange in islice(self._creates(), self._judged, None) if exchange.sent]
        if not self.sending or not left:
            return Outcome.NOT_SENT
        if any(each.answer is not None and each.error is None for each in left):  # a confirmed success
            return Outcome.ACCEPTED
        # Each that was refused before the next was sent, as for want of room, has been proved to have had no effect.
        return Outcome.UNKNOWN if any(each.may_have_acted is not False for each in left) else Outcome.REFUSED

    def sentence(self) -> str:
        """The outcome in words: one of started, not started, cannot tell."""
        if self.taken is not None:
            return self.taken.sentence
        name = self.snapshot or "the snapshot"
        return outcome_sentence(self.outcome, name)

    def document(self, problem: Problem | None = None) -> dict[str, Any]:
        """The document of the contract. `problem` is what it ended in, if anything."""
        earlier = {"earlier": problem.earlier.document()} if isinstance(problem, SecondRequest) else {}
        return {
            "outcome": self.outcome.value,
            "resolved_by": "history" if self.taken is not None and self.taken.by_history else None,
            "finished": self.finished,
            "snapshot": self.snapshot,
            "cluster": self._cluster(),
            "bucket": self.bucket,
            "request_id": self._request_id(),
            "attempts": self.taken.attempts if self.taken else int(self.outcome in _HAS_LEFT),
            "error": None if problem is None else _error(problem),
            **earlier,
            **self._not_journaled(),
        }

    def _request_id(self) -> str | None:
        """The id of the create itself; a read that failed before it has one of its own, in no way this snapshot's."""
        if self.taken is not None:
            return self.taken.request_id
        ids = [each.request_id for each in islice(self._creates(), self._judged, None) if each.error is None]
        return ids[-1] if ids and self.outcome is Outcome.ACCEPTED else None

    def _not_journaled(self) -> dict[str, bool]:
        """Told where the journal does not hold all that is known of what was sent."""
        record = self.taken.record if self.taken is not None else None
        return {} if record is None or record.problem is None else {"journaled": False}

    def _creates(self) -> Iterator[Exchange]:
        for action in self.log.actions:
            yield from (exchange for exchange in action.exchanges if exchange.operation == CREATE_SNAPSHOT)

    def _cluster(self) -> dict[str, str | None]:
        if self.cluster is not None:
            return {"name": self.cluster.name, "number": self.cluster.number}
        known_by_number = is_number(self.wanted_cluster)
        return {
            "name": None if known_by_number else self.wanted_cluster,
            "number": self.wanted_cluster if known_by_number else None,
        }


def _error(problem: Problem) -> dict[str, Any]:
    said = problem if isinstance(problem, GatewayError) else None
    return {
        "kind": problem.kind,
        "status": said.status if said else None,
        "code": said.code if said else None,
        "message": (said.message if said else "") or problem.what,
        "hint": next_words(problem) or problem.meaning or None,
    }
