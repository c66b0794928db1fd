"""The reading of many profiles: rows as they come, bounded, and what fails costs the others nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.snapshots.cluster_summary import Look
from ncp_tui.snapshots.fleet import Bars, Severity, Wanted
from ncp_tui.snapshots.fleet_reading import GIVEN_UP, Caller, Pace, ProfileReading, read_profiles
from tests.gateway.in_process import InProcess

BARS = Bars(timedelta(hours=26))
HISTORY = "getSnapshotHistory"


@dataclass
class Fleet:
    """Profiles against one sandbox, and what of them is going on."""

    sandbox: Sandbox = field(default_factory=lambda: Sandbox(6))
    refused: set[str] = field(default_factory=set)
    """Operations that nothing answers."""
    open: list[str] = field(default_factory=list)
    """The profiles that have a client now."""
    most_open: int = 0
    on_the_way: int = 0
    most_on_the_way: int = 0
    opened: list[str] = field(default_factory=list)
    news: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    found: dict[str, ProfileReading] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def caller(self, name: str, fails: Problem | None = None) -> Caller:
        async def opening() -> SearchEngine:
            self.opened.append(name)
            if fails is not None:
                raise fails
            self.open.append(name)
            self.most_open = max(self.most_open, len(self.open))
            credentials = Credentials(self.sandbox.access_key, SecretKey(self.sandbox.secret_key))
            endpoint = Endpoint("public", "KR", "https://gateway.example", "/api/v2")
            wire = _Wire(self, InProcess(self.sandbox.app))
            return SearchEngine(GatewayClient(endpoint, credentials, transport=wire, environ={}))

        return Caller(Profile(name=name, access_key="A"), BARS, opening, partial(self._close, name))

    async def _close(self, name: str, engine: SearchEngine) -> None:
        self.open.remove(name)
        await engine.aclose()

    def show(self, reading: ProfileReading, changed: Sequence[str]) -> None:
        name = reading.caller.profile.name
        self.news.append((name, tuple(changed)))
        self.found[name] = reading

    async def read(self, callers: Sequence[Caller], **pace: object) -> None:
        await read_profiles(callers, Wanted(), lambda: datetime.now(UTC), self.show, Pace(**pace))  # type: ignore[arg-type]


@dataclass
class _Wire(httpx.AsyncBaseTransport):
    fleet: Fleet
    inner: httpx.AsyncBaseTransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fleet = self.fleet
        fleet.on_the_way += 1
        fleet.most_on_the_way = max(fleet.most_on_the_way, fleet.on_the_way)
        try:
            for _ in range(5):
                await asyncio.sleep(0)
            operation = request.url.path.split("/")[4]
            if operation in fleet.refused:
                body = b'{"code": 1, "message": "no", "result": null}'
                return httpx.Response(400, stream=httpx.ByteStream(body))
            return await self.inner.handle_async_request(request)
        finally:
            fleet.on_the_way -= 1


async def test_rows_come_with_the_list_and_again_with_each_history() -> None:
    """The first rows are there before any history is, and the last word of a profile is that it is over."""
    fleet = Fleet()
    await fleet.read([fleet.caller("prod")])
    name, first = fleet.news[0]
    assert (name, len(first)) == ("prod", 8), "the page, before a history"
    rows = fleet.found["prod"].rows
    assert set(first) == set(rows)
    singles = [changed for _, changed in fleet.news[1:-1]]
    assert sorted(singles) == sorted((key,) for key, row in rows.items() if row.verdict.counts)
    assert fleet.news[-1] == ("prod", ())
    assert (fleet.found["prod"].is_over, fleet.found["prod"].is_listed) == (True, True)
    assert {row.summary.look for row in rows.values() if row.verdict.counts} <= {
        Look.FOUND,
        Look.NONE,
        Look.NO_PERMISSION,
    }


async def test_a_handful_of_profiles_at_a_time_with_as_many_requests_as_they_are_told() -> None:
    """Fifty profiles are no hundred connections; one that is read gives its place, and its client is closed."""
    fleet = Fleet()
    names = [f"p{number}" for number in range(9)]
    await fleet.read([fleet.caller(name) for name in names], at_once=2, profiles=3)
    assert fleet.opened == names, "in the order in which they are given"
    assert (fleet.most_open, fleet.open) == (3, [])
    assert 3 < fleet.most_on_the_way <= 9, "two histories of each, and the next page of the list"
    assert all(reading.is_over for reading in fleet.found.values())


async def test_one_that_is_locked_is_told_and_gives_its_place() -> None:
    fleet = Fleet()
    locked = Problem("The keyring is locked.")
    await fleet.read([fleet.caller("shut", locked), fleet.caller("prod")], profiles=1)
    assert fleet.news[0] == ("shut", ())
    assert fleet.found["shut"].problem is locked
    assert fleet.found["shut"].is_over
    assert fleet.found["prod"].is_listed


async def test_after_some_failures_in_a_row_the_rest_of_a_profile_is_not_asked_for() -> None:
    """It is told as not read, and is unknown; without a limit, as in a check, each is asked for."""
    fleet = Fleet(refused={HISTORY})
    await fleet.read([fleet.caller("prod")], at_once=1, most_failed=3)
    reasons = [row.verdict.reason for row in fleet.found["prod"].rows.values() if row.verdict.counts]
    given_up = GIVEN_UP.format(count=3)
    assert reasons.count(given_up) == len([each for each in reasons if "permission" not in each]) - 3
    verdicts = {row.verdict.severity for row in fleet.found["prod"].rows.values() if row.verdict.counts}
    assert verdicts == {Severity.UNKNOWN}
    await fleet.read([fleet.caller("prod")], at_once=1)
    assert not [row for row in fleet.found["prod"].rows.values() if row.verdict.reason == given_up]


async def test_a_history_waits_for_what_matters_more() -> None:
    fleet = Fleet()

    async def rests() -> None:
        await fleet.gate.wait()

    task = asyncio.create_task(fleet.read([fleet.caller("prod")], before_each=rests))
    await _until(lambda: bool(fleet.news))
    assert len(fleet.news) == 1, "the list alone"
    fleet.gate.set()
    await task
    assert fleet.found["prod"].is_over


async def test_a_reading_that_is_left_closes_every_client() -> None:
    fleet = Fleet()
    task = asyncio.create_task(
        fleet.read([fleet.caller("a"), fleet.caller("b")], before_each=partial(_forever, fleet.gate))
    )
    await _until(lambda: len(fleet.news) == 2)
    assert fleet.open == ["a", "b"]
    task.cancel()
    await asyncio.wait([task])
    assert fleet.open == []
    assert not any(reading.is_over for reading in fleet.found.values())


async def _forever(gate: asyncio.Event) -> None:
    await gate.wait()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)
