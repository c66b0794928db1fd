"""Asking again: reads only, not often, not for long, and never what will not mend."""

from __future__ import annotations

import asyncio
import json
import time as real_time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from ncp_tui.gateway.errors import (
    AnswerLost,
    AuthenticationFailed,
    BadAnswer,
    EndpointError,
    EndpointTimeout,
    GatewayError,
    NameNotFound,
    NotFound,
    NotReached,
    PermissionDenied,
    ProxyRefused,
    QuotaExceeded,
    Redirected,
    RefusedByGateway,
    RefusedByService,
    ServerError,
    Throttled,
    TlsFailed,
)
from ncp_tui.sandbox.protocol import GatewayError as Table
from ncp_tui.sandbox.protocol import gateway_answer
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine import retries
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.operations import OPERATIONS, Effect
from ncp_tui.search_engine.retries import RetryPolicy, is_transient
from ncp_tui.system.backoff import Backoff
from tests.gateway.wire import Client, RawServer, Received, answering, http
from tests.search_engine.scripted import engine_of
from tests.search_engine.test_operations import ACTS, NUMBER
from tests.tables import each_row


@dataclass
class Time:
    """Time that passes when somebody sleeps, and by as much as a try is said to take; luck is always the worst."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    luck: float = 1.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def retries(self) -> RetryPolicy:
        return RetryPolicy(sleep=self.sleep, monotonic=lambda: self.now, jitter=lambda: self.luck)


@pytest.fixture(autouse=True)
def the_pauses_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "BACKOFF", Backoff(0.5, 5.0, least=0.0, most=1.0))


def failing(*errors: GatewayError, time: Time | None = None, each: float = 0.0) -> tuple[Any, list[tuple[int, float]]]:
    """Something that raises `errors` one after the other, then answers; and the number and time of each try."""
    asked: list[tuple[int, float]] = []
    waiting = list(errors)

    async def ask(number: int, left: float) -> str:
        asked.append((number, left))
        if time is not None:
            time.now += min(each, left)
        if waiting:
            raise waiting.pop(0)
        return "answer"

    return ask, asked


def incomplete() -> BadAnswer:
    error = BadAnswer("cut off")
    error.is_incomplete = True
    return error


def throttled(retry_after: float | None) -> Throttled:
    error = Throttled("slow down")
    error.retry_after = retry_after
    return error


PASSING: list[GatewayError] = [
    NotReached("x"),
    NameNotFound("x"),
    AnswerLost("x"),
    ServerError("x"),
    EndpointError("x"),
    EndpointTimeout("x"),
    throttled(None),
    incomplete(),
]
LASTING: list[GatewayError] = [
    TlsFailed("x"),
    ProxyRefused("x"),
    AuthenticationFailed("x"),
    PermissionDenied("x"),
    NotFound("x"),
    QuotaExceeded("x"),
    RefusedByGateway("x"),
    RefusedByService("x"),
    Redirected("x"),
    BadAnswer("HTML"),
]


@each_row("error", PASSING, ids=lambda error: type(error).__name__)
async def test_what_may_pass_is_asked_three_times(error: GatewayError) -> None:
    time = Time()
    ask, asked = failing(error, error)
    assert await time.retries().run(ask) == "answer"
    assert [number for number, _ in asked] == [1, 2, 3]
    ask, asked = failing(error, error, error, error)
    with pytest.raises(type(error)) as caught:
        await time.retries().run(ask)
    assert caught.value is error
    assert len(asked) == 3


@each_row("error", LASTING, ids=lambda error: type(error).__name__)
async def test_what_lasts_is_asked_once(error: GatewayError) -> None:
    time = Time()
    ask, asked = failing(error)
    with pytest.raises(type(error)):
        await time.retries().run(ask)
    assert (len(asked), time.slept) == (1, [])
    assert not is_transient(error)


async def test_one_try_is_one_try() -> None:
    """Whoever looks again in a rhythm of its own would otherwise look three times as often."""
    ask, asked = failing(AnswerLost("x"))
    with pytest.raises(AnswerLost):
        await Time().retries().run(ask, tries=1)
    assert len(asked) == 1


async def test_the_pauses_grow_and_are_capped() -> None:
    time = Time()
    ask, _ = failing(*[ServerError("x")] * 6)
    await time.retries().run(ask, tries=7)
    assert time.slept == [0.5, 1, 2, 4, 5, 5]
    lucky = Time(luck=0.0)
    await lucky.retries().run(failing(ServerError("x"))[0])
    assert lucky.slept == [0.0], "anything from nothing to the most"


@each_row(("asks_for", "pause"), [(None, 0.5), (0.0, 0.5), (0.2, 0.5), (3.0, 3.0)])
async def test_a_throttling_gateway_is_left_alone_for_as_long_as_it_asks(asks_for: float | None, pause: float) -> None:
    time = Time()
    ask, _ = failing(throttled(asks_for))
    assert await time.retries().run(ask) == "answer"
    assert time.slept == [pause]


async def test_a_pause_that_would_leave_no_time_is_not_begun() -> None:
    """Thirty seconds of silence, and then the error that was known at the beginning."""
    time = Time()
    ask, asked = failing(throttled(29.5))
    with pytest.raises(Throttled):
        await time.retries().run(ask)
    assert (len(asked), time.slept) == (1, [])


@each_row("each", [12.0, 20.0, 29.7, 30.0])
async def test_all_of_it_ends_within_the_total(each: float) -> None:
    time = Time()
    ask, asked = failing(*[AnswerLost("x")] * 3, time=time, each=each)
    with pytest.raises(AnswerLost):
        await time.retries().run(ask)
    assert time.now <= 1000 + retries.TOTAL_SECONDS
    assert len(asked) == {12.0: 3, 20.0: 2}.get(each, 1)
    for tried, (_, left) in enumerate(asked):
        assert left == pytest.approx(30 - each * tried - sum(time.slept[:tried]))


async def always_500(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(http(500, b"broken"))
    await writer.drain()


@each_row("name", ACTS)
async def test_a_read_is_asked_three_times_and_a_write_once(name: str) -> None:
    """`releaseSnapshotScheduling` is a GET with an effect: by its method it would be repeated."""
    async with RawServer(always_500, keep_alive=True) as server, Client(server.url) as client:
        time = Time()
        with pytest.raises(ServerError) as caught:
            await ACTS[name](SearchEngine(client.gateway, retries=time.retries()))
        is_read = OPERATIONS[name].effect is Effect.READ
        assert len(server.requests) == (3 if is_read else 1)
        assert all(f"/{name}".encode() in received.line for received in server.requests)
        assert [exchange.attempt for exchange in client.exchanges] == ([1, 2, 3] if is_read else [1])
        assert caught.value.exchange is client.exchanges[-1]
        assert caught.value.may_have_acted is not is_read
        assert len(time.slept) == len(server.requests) - 1


async def test_each_try_is_signed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "BACKOFF", Backoff(0.0, 0.0))
    moments = iter(range(1_767_268_800, 1_767_269_000))
    async with (
        RawServer(always_500, keep_alive=True) as server,
        Client(server.url, clock=lambda: float(next(moments))) as client,
    ):
        with pytest.raises(ServerError):
            await SearchEngine(client.gateway).list_versions()
        assert len({received.headers["x-ncp-apigw-timestamp"] for received in server.requests}) == 3
        assert len({received.headers["x-ncp-apigw-signature-v2"] for received in server.requests}) == 3


async def test_a_fault_that_passes_is_not_seen(served: RunningSandbox) -> None:
    engine = engine_of(served, retries=Time().retries())
    for act in ("drop", "reset", gateway_answer(Table.ENDPOINT_ERROR), (200, ""), (200, '{"code":0,"resu')):
        served.sandbox.faults.add("getBucketList", act=act)
        assert await engine.list_buckets(NUMBER)
    await engine.aclose()
    assert len(served.sandbox.ledger.requests) == 10


async def test_recent_snapshots_with_one_try() -> None:
    async with RawServer(always_500, keep_alive=True) as server, Client(server.url) as client:
        with pytest.raises(ServerError):
            await SearchEngine(client.gateway, retries=Time().retries()).recent_snapshots(NUMBER, tries=1)
        assert len(server.requests) == 1


class Failing(httpx.AsyncBaseTransport):
    """A wire on which nothing comes about."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        self.error = error
        self.patience: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.patience.append(request.extensions["timeout"]["connect"])
        raise self.error()


async def test_each_try_gets_what_time_is_left() -> None:
    """Three tries of 30 s each would be a minute and a half in front of an empty list."""
    time = Time()

    def fail() -> Exception:
        time.now += 12
        return httpx.ConnectTimeout("x")

    wire = Failing(fail)
    async with Client("https://gateway.invalid", transport=wire) as client:
        with pytest.raises(NotReached):
            await SearchEngine(client.gateway, retries=time.retries()).list_versions()
    assert wire.patience == [10.0, 10.0, pytest.approx(30 - 24 - 0.5 - 1)]


async def test_the_request_that_a_wrong_clock_cost_is_counted(served: RunningSandbox) -> None:
    """Two records of one operation with the same number could not be told apart."""
    sandbox = served.sandbox
    clock = lambda: real_time.time() - 900  # noqa: E731
    async with Client(served.url, sandbox.secret_key, sandbox.access_key, clock=clock) as client:
        sandbox.faults.add("getSearchEngineVersionList", act=(500, "broken"))
        await SearchEngine(client.gateway, retries=Time().retries()).list_versions()
    assert [exchange.attempt for exchange in client.exchanges] == [1, 2, 3]


async def test_a_quota_answer_is_asked_once_on_the_wire() -> None:
    body = json.dumps({"error": {"errorCode": "400", "message": "Quota Exceeded"}}).encode()
    data = http(429, body, "retry-after: 1")
    async with RawServer(answering(data), keep_alive=True) as server, Client(server.url) as client:
        with pytest.raises(QuotaExceeded):
            await SearchEngine(client.gateway, retries=Time().retries()).list_versions()
        assert len(server.requests) == 1
