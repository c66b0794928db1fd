"""A clock that is wrong: one extra request, once. The judge keeps its own time, and refuses what is 300 s off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from ncp_tui.gateway.errors import AuthenticationFailed, BadAnswer, GatewayError, Redirected
from ncp_tui.gateway.request import ApiCall
from ncp_tui.sandbox.sandbox import RunningSandbox, Sandbox, serve
from tests.gateway.wire import ACCEPTED, CREATE, LIST, Client, RawServer, Received, answering, http
from tests.tables import each_row

DAY = 86_400.0
REFUSED = json.dumps({"error": {"errorCode": "200", "message": "Authentication Failed"}}).encode()
NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""


class Skewed:
    """This machine's clock: how far it is off from the gateway's, where it is always noon."""

    def __init__(self, off: float = 0.0) -> None:
        self.off = off

    def __call__(self) -> float:
        return NOON + self.off


@pytest.fixture
async def served() -> AsyncIterator[RunningSandbox]:
    async with serve(Sandbox(duration=5, clock=lambda: NOON)) as running:
        yield running


def client_of(served: RunningSandbox, clock: Callable[[], float], secret_key: str | None = None) -> Client:
    sandbox = served.sandbox
    return Client(served.url, secret_key or sandbox.secret_key, sandbox.access_key, clock=clock)


def asked(served: RunningSandbox) -> int:
    return len(served.sandbox.ledger.requests)


SKEWS = [0.0, 59.0, 61.0, 299.0, 301.0, 900.0, 6 * 3600.0, DAY]


@pytest.mark.parametrize("off", sorted({*SKEWS, *(-skew for skew in SKEWS)}))
async def test_any_clock_within_a_day_is_good_enough(served: RunningSandbox, off: float) -> None:
    """A machine that slept, local time set as UTC: the snapshot must not wait for an administrator."""
    async with client_of(served, Skewed(off)) as client:
        await client.gateway.send(CREATE)
        first = asked(served)
        assert first <= 2
        assert (first == 1) == (abs(off) < 300)
        for number in range(1, 4):
            await client.gateway.send(LIST)
            assert asked(served) == first + number, "signed with the right time from now on"
        assert client.gateway.clock_offset is not None
        assert client.gateway.clock_offset.seconds == pytest.approx(-off, abs=2)
    assert [effect.operation for effect in served.sandbox.ledger.effects] == ["createSnapshot"]


async def test_both_requests_are_recorded(served: RunningSandbox) -> None:
    async with client_of(served, Skewed(900)) as client:
        await client.gateway.send(CREATE, attempt=4)
    refused, accepted = client.exchanges
    assert (refused.attempt, refused.error, refused.sent, refused.status) == (4, "authentication_failed", True, 401)
    assert (accepted.attempt, accepted.error, accepted.status) == (5, None, 200)
    timestamps = [int(dict(exchange.request.headers)["x-ncp-apigw-timestamp"]) for exchange in client.exchanges]
    assert timestamps[0] - timestamps[1] == pytest.approx(900_000, abs=5_000)


@pytest.mark.parametrize(("off", "requests"), [(0, 1), (59, 1), (900, 2), (-900, 2), (DAY, 2)])
async def test_a_wrong_secret_stays_wrong(served: RunningSandbox, off: float, requests: int) -> None:
    """Each refusal counts at the gateway: one that no clock explains is never repeated."""
    async with client_of(served, Skewed(off), "another-secret-key-that-opens-nothing-00") as client:
        with pytest.raises(AuthenticationFailed) as caught:
            await client.gateway.send(CREATE)
        assert asked(served) == requests
        assert caught.value.exchange is client.exchanges[-1]
        assert not caught.value.may_have_acted
        said = caught.value.next_step
        assert ("clock was corrected for" in said) == (requests == 2)
        assert ("The clock is right" in said) == (requests == 1)
    assert served.sandbox.ledger.effects == []


async def test_a_clock_that_is_set_right_meanwhile(served: RunningSandbox) -> None:
    """Corrected twice, a right clock would be wrong: it is used again after one refusal."""
    clock = Skewed(900)
    async with client_of(served, clock) as client:
        await client.gateway.send(LIST)
        clock.off = 0
        await client.gateway.send(LIST)
        assert asked(served) == 4
        await client.gateway.send(LIST)
        assert asked(served) == 5
    timestamp = int(dict(client.exchanges[-1].request.headers)["x-ncp-apigw-timestamp"])
    assert timestamp == NOON * 1000


async def test_a_clock_that_drifts_on_is_followed(served: RunningSandbox) -> None:
    clock = Skewed(900)
    async with client_of(served, clock) as client:
        for _ in range(8):
            await client.gateway.send(LIST)
            clock.off += 200
    assert asked(served) == 9


async def test_requests_at_the_same_time_each_find_out_for_themselves(served: RunningSandbox) -> None:
    async with client_of(served, Skewed(-900)) as client:
        await asyncio.gather(*(client.gateway.send(LIST) for _ in range(4)))
        together = asked(served)
        assert together <= 8
        await client.gateway.send(LIST)
        assert asked(served) == together + 1


def dated(*offsets: float) -> list[str]:
    moments = (datetime.fromtimestamp(NOON + offset, UTC) for offset in offsets)
    return [f"date: {format_datetime(moment, usegmt=True)}" for moment in moments]


HOSTILE = {
    "far future": ["date: Fri, 31 Dec 9999 23:59:59 GMT"],
    "1970": ["date: Thu, 01 Jan 1970 00:00:00 GMT"],
    "garbage": ["date: yesterday, around noon"],
    "empty": ["date:"],
    "none": [],
    "two": dated(-4000, 4000),
    "good and bad": dated(0, 4000),
}


@each_row("dates", HOSTILE.values(), ids=HOSTILE)
async def test_a_date_that_says_nothing_changes_nothing(dates: list[str]) -> None:
    """And it does not make us forget what a better one said."""
    answers: Iterator[bytes] = iter(
        [http(200, ACCEPTED, *dated(0)), http(200, ACCEPTED, *dates), http(401, REFUSED, *dates)]
    )

    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(next(answers))

    async with RawServer(handler) as server, Client(server.url, clock=Skewed()) as client:
        await client.gateway.send(CREATE)
        good = client.gateway.clock_offset
        assert good is not None
        await client.gateway.send(CREATE)
        with pytest.raises(AuthenticationFailed):
            await client.gateway.send(CREATE)
        assert client.gateway.clock_offset is good
        assert len(server.requests) == 3


@each_row("off", [-4000.0, 4000.0, 300 * DAY])
async def test_a_lying_date_does_not_break_a_host_with_a_good_clock(off: float) -> None:
    """A proxy with a clock of its own dates every answer; requests are judged by the gateway's all the same."""

    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(200, ACCEPTED, *dated(off)))

    async with RawServer(handler) as server, Client(server.url, clock=Skewed()) as client:
        for _ in range(3):
            await client.gateway.send(CREATE)
        for received in server.requests:
            signed_at = int(received.headers["x-ncp-apigw-timestamp"]) / 1000
            assert signed_at == pytest.approx(NOON, abs=60)


async def test_a_lying_date_on_a_refusal_costs_one_request_and_no_more() -> None:
    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(401, REFUSED, *dated(4000)))

    async with RawServer(handler) as server, Client(server.url, clock=Skewed()) as client:
        with pytest.raises(AuthenticationFailed):
            await client.gateway.send(CREATE)
        assert len(server.requests) == 2
        with pytest.raises(AuthenticationFailed):
            await client.gateway.send(CREATE)
        signed_at = int(server.requests[2].headers["x-ncp-apigw-timestamp"]) / 1000
        assert signed_at == pytest.approx(NOON, abs=60), "what did not help is not kept"


NO_REPEAT = {
    "permission": (401, {"error": {"errorCode": "210", "message": "Permission Denied"}}),
    "bare": (401, None),
    "envelope": (401, {"code": 200, "message": "no"}),
    "another status": (403, {"error": {"errorCode": "200", "message": "Authentication Failed"}}),
    "in a success": (200, {"error": {"errorCode": "200", "message": "Authentication Failed"}}),
}


@each_row(("status", "payload"), NO_REPEAT.values(), ids=NO_REPEAT)
async def test_only_the_gateways_own_refusal_of_a_signature_is_repeated(status: int, payload: object) -> None:
    """Nothing else proves that the create had no effect."""
    body = b"" if payload is None else json.dumps(payload).encode()
    data = http(status, body, *dated(4000))
    async with RawServer(answering(data)) as server, Client(server.url, clock=Skewed()) as client:
        with pytest.raises(GatewayError):
            await client.gateway.send(CREATE)
        assert len(server.requests) == 1
    assert client.exchange.attempt == 1


FAR = [2 * DAY, -2 * DAY, 300 * DAY, 3650 * DAY, -3650 * DAY, 60 * 365 * DAY]


@each_row("off", FAR)
@each_row("call", [CREATE, LIST])
async def test_no_signature_is_made_for_a_date_that_a_server_chose(call: ApiCall, off: float) -> None:
    """One that is good in ten years is a signature that somebody else may use in ten years."""
    data = http(401, REFUSED, *dated(off))
    async with RawServer(answering(data)) as server, Client(server.url, clock=Skewed()) as client:
        for _ in range(2):
            with pytest.raises(AuthenticationFailed) as caught:
                await client.gateway.send(call)
            assert not caught.value.may_have_acted
            assert "by 24 hours at most" in caught.value.next_step
            assert ("ahead" if off > 0 else "behind") in caught.value.next_step
        assert len(server.requests) == 2
        for received in server.requests:
            signed_at = int(received.headers["x-ncp-apigw-timestamp"]) / 1000
            assert signed_at == pytest.approx(NOON, abs=60)


async def test_a_server_that_moves_its_date_with_every_answer_stays_within_a_day() -> None:
    moved = iter(range(1, 100))

    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(401, REFUSED, *dated(next(moved) * 5 * 3600)))

    async with RawServer(handler) as server, Client(server.url, clock=Skewed()) as client:
        for _ in range(5):
            with pytest.raises(AuthenticationFailed):
                await client.gateway.send(LIST)
        for received in server.requests:
            assert abs(int(received.headers["x-ncp-apigw-timestamp"]) / 1000 - NOON) <= DAY + 1


async def test_who_asks_for_no_repeat_gets_none() -> None:
    data = http(401, REFUSED, *dated(4000))
    async with RawServer(answering(data)) as server, Client(server.url, clock=Skewed()) as client:
        with pytest.raises(AuthenticationFailed):
            await client.gateway.send(replace(CREATE, corrects_clock=False))
        assert len(server.requests) == 1


async def test_a_create_whose_second_answer_is_lost_is_in_doubt() -> None:
    """The first was refused; the second may have started it."""
    answers = iter([http(401, REFUSED, *dated(4000)), b""])

    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(next(answers))

    async with RawServer(handler) as server, Client(server.url, clock=Skewed()) as client:
        with pytest.raises(GatewayError) as caught:
            await client.gateway.send(CREATE)
        assert caught.value.may_have_acted
        assert len(server.requests) == 2


async def test_the_moment_before_the_first_byte_comes_for_each_of_them(served: RunningSandbox) -> None:
    """The journal has to know about the second request too."""
    requests_before: list[int] = []

    async def sending() -> None:
        requests_before.append(asked(served))

    async with client_of(served, Skewed(900)) as client:
        await client.gateway.send(replace(CREATE, before_send=sending))
    assert requests_before == [0, 1]


MEASURED = {
    "an error": (http(500, b"", "date: Thu, 01 Jan 2026 12:10:00 GMT"), GatewayError),
    "HTML": (http(200, b"<html>", "date: Thu, 01 Jan 2026 12:10:00 GMT"), BadAnswer),
    "a redirect": (http(302, b"", "date: Thu, 01 Jan 2026 12:10:00 GMT", "location: http://["), Redirected),
    "cut off": (http(200, ACCEPTED, "date: Thu, 01 Jan 2026 12:10:00 GMT")[:-5], GatewayError),
    "not gzip": (http(200, b"no", "date: Thu, 01 Jan 2026 12:10:00 GMT", "content-encoding: gzip"), BadAnswer),
}


@each_row(("data", "kind"), MEASURED.values(), ids=MEASURED)
async def test_every_answer_with_a_date_measures_the_clock(data: bytes, kind: type[GatewayError]) -> None:
    async with RawServer(answering(data)) as server, Client(server.url, clock=Skewed()) as client:
        with pytest.raises(kind):
            await client.gateway.send(CREATE)
        assert client.gateway.clock_offset is not None
        assert client.gateway.clock_offset.seconds == pytest.approx(600.5, abs=5)


async def test_the_round_trip_is_measured_by_a_clock_that_nobody_sets() -> None:
    """Set back by an hour while the answer was on its way, the local clock would seem to be half an hour off."""
    moments, ticks = iter([NOON, NOON, NOON - 3600]), iter(range(10_000))
    clock, monotonic = (lambda: next(moments, NOON - 3600)), (lambda: next(ticks) / 1000)
    data = http(200, ACCEPTED, "date: Thu, 01 Jan 2026 12:00:00 GMT")
    async with (
        RawServer(answering(data)) as server,
        Client(server.url, clock=clock, monotonic=monotonic) as client,
    ):
        await client.gateway.send(CREATE)
        assert client.gateway.clock_offset is not None
        assert abs(client.gateway.clock_offset.seconds) < 1
        assert client.gateway.clock_offset.uncertainty == pytest.approx(0.5, abs=0.1)
