"""Each read operation asked once or twice of a live gateway, through the client with its limits: what came.

Nothing but reads, in a row and without a retry, so that a check is no load. What hinders one is told beside the rest.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ncp_tui.gateway.classify import payload_of
from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    NotFound,
    NotReached,
    RefusedByGateway,
    RefusedByService,
)
from ncp_tui.search_engine import fields
from ncp_tui.search_engine.contract import BELIEFS, Belief
from ncp_tui.search_engine.models import Cluster
from ncp_tui.system.redact import redact

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

PAGE_SIZES = (100, 1_000)
"""Rows requested of each list in pages: what the client asks for, then more, to see the limit."""

SECONDS = 120.0
"""After which no further operation is asked."""

_ANSWERS = (NotFound, RefusedByGateway, RefusedByService)
"""Refusals that say how the API is. What hinders a look (keys, permission, network) says nothing of it."""

_HOPELESS = (AuthenticationFailed, NotReached)
"""After which no other operation would be answered either."""


@dataclass(frozen=True)
class Reading:
    """What came of asking one operation: its answer, or the problem; `asked` is the query."""

    operation: str
    asked: Mapping[str, str]
    payload: Any = None
    problem: GatewayError | None = None
    number: str = ""
    """The cluster's."""

    @property
    def is_answer(self) -> bool:
        """Whether it says something of the API."""
        return self.problem is None or isinstance(self.problem, _ANSWERS)


class OutOfTime(GatewayError):
    """An operation that was not asked, since the others took too long."""

    kind = "out_of_time"


class NoCluster(GatewayError):
    """An operation that was not asked, since there is no cluster to ask it of."""

    kind = "no_cluster"


@dataclass
class Listed:
    """The clusters that were listed; `problem` is why some could not be, and `is_whole` whether there are no others."""

    clusters: list[Cluster] = field(default_factory=list)
    problem: GatewayError | None = None
    is_whole: bool = False

    def take_in(self, reading: Reading) -> None:
        """Remember what a list of clusters says."""
        if reading.problem is not None:
            self.problem = reading.problem
            return
        result = reading.payload.get("result")
        self.is_whole = self.is_whole or (isinstance(result, Mapping) and fields.flag(result, "isLast") is True)
        for name in ("allowedClusters", "disallowedClusters"):
            read = [Cluster.read(item, allowed=name == "allowedClusters") for item in fields.members(result, name)]
            known = {(each.number, each.name) for each in self.clusters}
            self.clusters += [each for each in read if (each.number, each.name) not in known]


Choose = Callable[[Listed], Cluster | None]
"""The cluster to ask about, of those that were listed; None where there is none. What it raises ends the check."""


async def read_contract(
    engine: SearchEngine, choose: Choose, *, monotonic: Callable[[], float] = time.monotonic
) -> AsyncGenerator[Reading, None]:
    """Ask each operation once, those that answer in pages twice, and yield what came, whatever it was."""
    ends, listed, number = monotonic() + SECONDS, Listed(), ""
    stopped: GatewayError | None = None
    for name, belief in BELIEFS.items():
        if name != "getClusterInfoList" and not number:
            chosen = choose(listed)
            number = chosen.number if chosen is not None else ""
        for asked in _queries(belief):
            reading = Reading(name, asked, number=number)
            if stopped is None and monotonic() > ends:
                stopped = OutOfTime(f"Not read: the others took {SECONDS:g} s.")
            missing = (
                None
                if number or name in _WITHOUT_CLUSTER
                else NoCluster("Not read: no cluster to ask about.", "", "Name the number of a cluster.")
            )
            if stopped is not None or missing is not None:
                yield Reading(name, asked, problem=stopped or missing, number=number)
                continue
            reading = await _read(engine, reading)
            if isinstance(reading.problem, _HOPELESS):
                stopped = reading.problem
            if name == "getClusterInfoList":
                listed.take_in(reading)
            yield reading


_WITHOUT_CLUSTER = {"getClusterInfoList", "getSearchEngineVersionList"}


def _queries(belief: Belief) -> Sequence[Mapping[str, str]]:
    if not belief.is_paged:
        return ({},)
    return tuple({"pageNo": "1", "pageSize": str(size)} for size in PAGE_SIZES)


async def _read(engine: SearchEngine, reading: Reading) -> Reading:
    number = "" if reading.operation in _WITHOUT_CLUSTER else reading.number
    try:
        payload = await engine.read_payload(reading.operation, number, query=tuple(reading.asked.items()))
    except GatewayError as error:
        answer = error.exchange.answer if error.exchange is not None else None
        body = payload_of(answer) if answer is not None else None
        return Reading(reading.operation, reading.asked, body, error, reading.number)
    return Reading(reading.operation, reading.asked, payload, number=reading.number)


def without_secrets(readings: Iterable[Reading], masks: Mapping[str, str]) -> list[Reading]:
    """The same with what to put in the place of each secret, however an answer spells it."""
    return [replace(reading, payload=redact(reading.payload, masks)) for reading in readings]
