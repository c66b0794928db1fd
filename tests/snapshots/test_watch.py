"""Following a snapshot without waiting for it: sleep, clock and dice are given."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    EndpointError,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    RefusedByService,
    Throttled,
)
from ncp_tui.sandbox.sandbox import Sandbox, serve
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.create import CreateResult, create_snapshot
from ncp_tui.snapshots.history_match import Asked, Whose, rows_named
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.watch import Progress, watch
from ncp_tui.system.time_zone import KST
from tests.search_engine.scripted import Scripted, engine_of
from tests.snapshots.journals import CALLER, REQUEST, journal_in
from tests.tables import each_row

NAME = "before-upgrade"
SINCE = datetime(2026, 1, 1, 12, 0, 0, tzinfo=KST)
NAMED = Asked("1", NAME)
"""Any row of the name: it was not asked for here."""
ASKED = Asked("1", NAME, at=SINCE)
LOOKED = SINCE + timedelta(minutes=1)


def row(
    message: str = "IN_PROGRESS", at: str = "2026-01-01 12:00:01", name: str = NAME, idx: int = 7
) -> dict[str, Any]:
    return {"snapshotName": name, "message": message, "actionDate": at, "idx": idx, "hasErrorLog": False}


def rows(*found: dict[str, Any]) -> dict[str, Any]:
    return {"snapshotHistoryResponseList": list(found), "isLast": True}


def gateway_error(status: int, code: str) -> tuple[int, Any]:
    return status, {"error": {"errorCode": code, "message": "M"}}


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


async def watched(
    result: Callable[[Mapping[str, str]], Any] | Iterator[Any], limit: int = 100, asked: Asked = NAMED
) -> tuple[list[Progress], Time]:
    answer = result if callable(result) else lambda _: next(result)
    engine, time = Scripted(answer).engine(), Time()
    found: list[Progress] = []
    options: dict[str, Any] = {"sleep": time.sleep, "monotonic": time.monotonic, "jitter": lambda: 0.5}
    looking = watch(engine, asked, now=lambda: LOOKED, **options)
    async for progress in looking:
        found.append(progress)
        if len(found) == limit:
            await looking.aclose()  # type: ignore[attr-defined]  # an async generator, promised as an iterator
            break
    return found, time


async def test_pauses_grow_from_two_to_fifteen_seconds() -> None:
    """Constant pauses of two seconds would be 43,000 requests a day, constant ones of fifteen too slow for most."""
    _, time = await watched(lambda _: rows(row()), limit=10)
    assert time.pauses[:3] == [2.0, 3.0, 4.5]
    assert time.pauses == sorted(time.pauses)
    assert time.pauses[-1] == 15.0


async def test_jitter_spreads_the_looks() -> None:
    for dice, first in ((0.0, 1.6), (1.0, 2.4)):
        engine, time = Scripted(lambda _: rows(row())).engine(), Time()
        looking = watch(engine, NAMED, sleep=time.sleep, jitter=lambda dice=dice: dice)  # type: ignore[misc]
        await anext(looking)
        await anext(looking)
        assert time.pauses == [pytest.approx(first)]


@each_row(
    ("message", "state"),
    [("SUCCESS", SnapshotState.SUCCESS), ("FAILED", SnapshotState.FAILED), ("PARTIAL", SnapshotState.FAILED)],
)
async def test_it_ends_when_the_snapshot_does(message: str, state: SnapshotState) -> None:
    found, time = await watched(iter([rows(), rows(row()), rows(row(message))]))
    assert [progress.state for progress in found] == [SnapshotState.UNKNOWN, SnapshotState.RUNNING, state]
    assert [progress.looks for progress in found] == [1, 2, 3]
    assert [progress.elapsed for progress in found] == [0.0, 2.0, 5.0]
    assert [progress.is_final for progress in found] == [False, False, True]
    assert found[0].entry is None
    assert len(time.pauses) == 2


async def test_a_failing_look_is_reported_and_tried_again() -> None:
    """A link that drops for a minute must not end an hour of watching."""
    looks = [
        rows(row()),
        gateway_error(503, "500"),
        gateway_error(429, "410"),
        (200, "<html>"),
        (500, ""),
        rows(row("SUCCESS")),
    ]
    found, _ = await watched(iter(looks))
    assert [type(progress.problem) for progress in found][1:3] == [EndpointError, Throttled]
    assert [progress.problem is None for progress in found] == [True, False, False, False, False, True]
    assert [progress.state for progress in found[:-1]] == [SnapshotState.RUNNING] * 5
    assert found[-1].is_final


async def test_an_unreachable_gateway_is_a_failing_look() -> None:
    def result(_: Mapping[str, str]) -> Any:
        raise httpx.ConnectError("no")

    found, _ = await watched(result, limit=3)
    assert [progress.state for progress in found] == [SnapshotState.UNKNOWN] * 3
    assert all(progress.problem for progress in found)


@each_row(
    ("answer", "kind"),
    [
        (gateway_error(401, "200"), AuthenticationFailed),
        (gateway_error(401, "210"), PermissionDenied),
        (gateway_error(404, "300"), NotFound),
        (gateway_error(429, "400"), QuotaExceeded),
    ],
)
async def test_what_no_patience_cures_ends_it(answer: Any, kind: type[Exception]) -> None:
    """A wrong key tried for hours locks the account."""
    with pytest.raises(kind):
        await watched(iter([rows(row()), answer]))


async def test_an_older_attempt_of_the_same_name_is_not_taken_for_this_one() -> None:
    """Last month's success would be reported as today's."""
    old = row("SUCCESS", "2025-12-01 12:00:00", idx=1)
    found, _ = await watched(iter([rows(old), rows(old, row()), rows(old, row("SUCCESS"))]), asked=ASKED)
    assert [progress.state for progress in found] == [
        SnapshotState.UNKNOWN,
        SnapshotState.RUNNING,
        SnapshotState.SUCCESS,
    ]


async def test_a_row_that_was_there_before_is_not_taken_for_this_one() -> None:
    """A failed attempt of a minute ago is within what clocks may differ by."""
    old = row("FAILED", "2026-01-01 11:59:30", idx=6)
    seen = rows_named([HistoryEntry.read(old)], NAME)
    answers = iter([rows(old), rows(old, row()), rows(old, row("SUCCESS"))])
    found, _ = await watched(answers, asked=replace(ASKED, seen_before=seen))
    assert [progress.state for progress in found] == [
        SnapshotState.UNKNOWN,
        SnapshotState.RUNNING,
        SnapshotState.SUCCESS,
    ]


@each_row("date", ["", "at noon", "2026-01-01 11:00:00"])
async def test_a_row_whose_date_says_nothing_is_followed_where_it_is_new(date: str) -> None:
    """That the snapshot was accepted is known; an end that is never seen would be waited for, for ever."""
    answers = rows(row("SUCCESS", at=date))
    found, _ = await watched(lambda _: answers, asked=replace(ASKED, seen_before=frozenset()))
    assert found[0].is_final
    found, _ = await watched(lambda _: answers, limit=2, asked=ASKED)
    assert [(one.state, one.entry) for one in found] == [(SnapshotState.UNKNOWN, None)] * 2
    assert found[0].other is not None
    assert found[0].other.whose is Whose.MAY_BE, "it is told of, and never taken for the end"


@each_row(
    "differs",
    [
        {"serviceGroupInstanceNo": 2},
        {"bucketName": "another-bucket"},
        {"requestType": "AUTO"},
        {"actionDate": "2036-01-01 12:00:00"},
    ],
)
async def test_a_row_that_is_not_ours_ends_nothing(differs: dict[str, Any]) -> None:
    foreign = row("SUCCESS", idx=6) | differs
    asked = replace(ASKED, bucket="bk", seen_before=frozenset())
    found, _ = await watched(iter([rows(foreign), rows(foreign, row("SUCCESS"))]), asked=asked)
    assert [progress.state for progress in found] == [SnapshotState.UNKNOWN, SnapshotState.SUCCESS]
    assert found[0].other is not None
    assert found[0].other.why
    assert found[1].other is None


@each_row(("asked", "pause"), [("20", 20.0), ("0", 2.0), ("soon", 2.0)])
async def test_a_gateway_that_asks_to_be_left_alone_is(asked: str, pause: float) -> None:
    class Asking(Scripted):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            answer.headers["retry-after"] = asked
            return answer

    answers = iter([gateway_error(429, "410"), rows(row("SUCCESS"))])
    engine, time = Asking(lambda _: next(answers)).engine(), Time()
    looking = watch(engine, NAMED, sleep=time.sleep, monotonic=time.monotonic, jitter=lambda: 0.5)
    assert [progress.is_final async for progress in looking] == [False, True]
    assert time.pauses == [pause]


async def test_each_look_is_one_request() -> None:
    """Asked again inside a look as well, a struggling gateway would get three times as much."""
    transport, time = Scripted(lambda _: gateway_error(503, "500")), Time()
    looking = watch(transport.engine(), NAMED, sleep=time.sleep, monotonic=time.monotonic)
    for looks in range(1, 5):
        assert (await anext(looking)).looks == looks == len(transport.requests)


@each_row("minutes", [-9, 0, 9])
async def test_clocks_may_differ_by_as_much_as_a_signature_may(minutes: int) -> None:
    at = (SINCE + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
    found, _ = await watched(iter([rows(row("SUCCESS", at))]), asked=replace(ASKED, seen_before=frozenset()))
    assert found[0].is_final


async def test_the_newest_row_of_the_name_counts() -> None:
    first, second = row("FAILED", "2026-01-01 12:00:01", idx=1), row("SUCCESS", "2026-01-01 12:05:00", idx=2)
    for order in ((first, second), (second, first)):
        found, _ = await watched(iter([rows(*order)]))
        assert found[0].state is SnapshotState.SUCCESS


async def test_other_snapshots_are_not_ours() -> None:
    others = [row("SUCCESS", name=name) for name in ("before-upgrade-2", "BEFORE-UPGRADE", "", "x")]
    found, _ = await watched(lambda _: rows(*others), limit=2)
    assert [progress.state for progress in found] == [SnapshotState.UNKNOWN] * 2


async def test_a_row_that_disappears_again_is_remembered() -> None:
    found, _ = await watched(iter([rows(row()), rows(), rows(row("SUCCESS"))]))
    assert [progress.state for progress in found[:2]] == [SnapshotState.RUNNING] * 2


async def test_a_row_on_an_older_page_by_now_is_followed_there() -> None:
    """A watch of an hour on a busy cluster would else say "running" for ever."""
    newer = [row("SUCCESS", name=f"newer-{number}", idx=number) for number in range(8, 11)]
    pages = {"1": newer, "2": [row("SUCCESS")]}

    def paged(query: Mapping[str, str]) -> Any:
        asked_for.append(query["pageNo"])
        if len(asked_for) == 1:
            return rows(row())
        return {
            "snapshotHistoryResponseList": pages[query["pageNo"]],
            "isLast": query["pageNo"] == "2",
            "totalCount": 4,
        }

    asked_for = list[str]()
    found, _ = await watched(paged)
    assert [progress.state for progress in found] == [SnapshotState.RUNNING] * 2 + [SnapshotState.SUCCESS]
    assert asked_for == ["1", "1", "1", "2"], "older pages are read only where the newest has lost it"


async def test_a_first_whole_look_that_is_refused_for_certain_ends_it() -> None:
    """To repeat it would end with "out of time", where the refusal says why."""
    refused = (200, {"code": 4711, "message": "not now", "result": None, "requestId": "rid"})
    answers = iter([rows(row()), refused, rows(row("SUCCESS"))])
    seen = [
        each
        async for each in watch(Scripted(lambda _: next(answers)).engine(), NAMED, whole_first=True, sleep=Time().sleep)
    ]
    assert isinstance(seen[1].problem, RefusedByService), "once something was seen, it is tried again"
    with pytest.raises(RefusedByService):
        await anext(watch(Scripted(lambda _: refused).engine(), NAMED, whole_first=True))


async def test_a_network_that_fails_at_the_first_whole_look_is_waited_out() -> None:
    answers = iter([*[gateway_error(503, "500")] * 3, rows(row("SUCCESS"))])
    looking = watch(Scripted(lambda _: next(answers)).engine(), NAMED, whole_first=True, sleep=Time().sleep)
    assert [each.is_final async for each in looking] == [False, True]


async def test_cancelling_ends_it_at_once() -> None:
    asleep = asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    async def act(engine: SearchEngine) -> None:
        async for _ in watch(engine, NAMED, sleep=sleep):
            pass

    transport = Scripted(lambda _: rows(row()))
    task = asyncio.ensure_future(act(transport.engine()))
    await asleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(transport.requests) == 1


async def test_a_snapshot_of_the_sandbox_from_start_to_end() -> None:
    """Against a real server whose clock is moved by our sleeping; each look is one request."""
    time = Time()
    time.now = 1_760_000_000.0
    sandbox = Sandbox(duration=60, clock=time.monotonic)
    async with serve(sandbox) as served:
        engine = engine_of(served)
        engine._gateway._clock = time.monotonic
        await engine.create_snapshot("1037002", "partial-one", "bk.ses.snapshot")
        since = datetime.fromtimestamp(time.now, KST)
        looking = watch(
            engine,
            Asked("1037002", "partial-one", at=since),
            now=lambda: datetime.fromtimestamp(time.now, KST),
            sleep=time.sleep,
            monotonic=time.monotonic,
        )
        found = [progress async for progress in looking]
        await engine.aclose()
    assert found[0].state is SnapshotState.RUNNING
    assert found[-1].state is SnapshotState.FAILED
    assert found[-1].elapsed >= 60
    assert len(sandbox.ledger.requests) == 1 + len(found)
    assert [effect.name for effect in sandbox.ledger.effects] == ["partial-one"]


async def first_look(engine: SearchEngine, taken: CreateResult) -> Progress:
    """What is seen of a create that was accepted, as its callers follow it."""
    return await anext(watch(engine, taken.asked, now=lambda: taken.at + timedelta(seconds=1)))


@pytest.mark.parametrize("ahead", [-86_000, -700, 0, 700, 3_600, 86_000])
async def test_a_clock_that_is_wrong_hides_no_end(ahead: float, tmp_path: Path) -> None:
    """A signature is corrected for a clock that is a day off; rows are dated by the service's clock, not by ours."""

    def clock() -> float:
        return time.time() + ahead

    async with serve(Sandbox(duration=0)) as served:
        sandbox = served.sandbox
        keys = Credentials(sandbox.access_key, SecretKey(sandbox.secret_key))
        gateway = GatewayClient(Endpoint("public", "KR", served.url, "/api/v2"), keys, environ={}, clock=clock)
        engine = SearchEngine(gateway)
        taken = await create_snapshot(
            engine,
            REQUEST,
            caller=CALLER,
            journal=journal_in(tmp_path),
            history=await engine.recent_snapshots(REQUEST.cluster_number),
            now=lambda: datetime.fromtimestamp(clock(), UTC),
        )
        assert (await first_look(engine, taken)).is_final
        await engine.aclose()


@each_row("minutes", [1.5, 5, 9])
@each_row("had_looked", [True, False])
async def test_without_a_journal_too_an_earlier_end_is_not_this_ones(minutes: float, had_looked: bool) -> None:
    """What the history had before is known from the look before, not from the journal."""
    earlier = datetime.now(KST) - timedelta(minutes=minutes)
    engine = Scripted(
        lambda query: rows(row("SUCCESS", f"{earlier:%Y-%m-%d %H:%M:%S}")) if "pageNo" in query else True
    ).engine(dated=True)
    history = await engine.recent_snapshots(REQUEST.cluster_number) if had_looked else None
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, history=history)
    assert taken.outcome is Outcome.ACCEPTED
    assert not (await first_look(engine, taken)).is_final
