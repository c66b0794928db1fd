"""Failures on purpose, over real sockets: what the client sees, and what has happened on the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ncp_tui.sandbox.fault_lab.fault import Cut, Fault, HowCut, Visit, When
from ncp_tui.sandbox.protocol import GatewayError, gateway_answer, json_answer
from ncp_tui.sandbox.sandbox import Sandbox, serve
from tests.sandbox.signed_client import READY, Caller, hang_up, signed_headers

CREATE = "createSnapshot"


async def _reached(fault: Fault) -> None:
    assert await asyncio.to_thread(fault.reached.wait, 5)


async def _entries(sandbox: Sandbox, count: int) -> None:
    """Wait until the ledger has `count` requests: an abandoned one is entered when the server notices."""
    async with asyncio.timeout(5):
        while len(sandbox.ledger.requests) < count:  # noqa: ASYNC110 - the ledger is plain data without events
            await asyncio.sleep(0)


def _names(sandbox: Sandbox) -> list[str | None]:
    return [effect.name for effect in sandbox.ledger.effects]


@pytest.mark.parametrize(("when", "effects"), [("before", []), ("after", ["before-upgrade"])])
@pytest.mark.parametrize(("how", "error"), [("drop", httpx.RemoteProtocolError), ("reset", httpx.ReadError)])
async def test_a_connection_that_ends_without_an_answer(
    wire: Caller, when: When, effects: list[str], how: HowCut, error: type[Exception]
) -> None:
    """The same error for the client whether or not the snapshot was started."""
    wire.sandbox.faults.add(CREATE, when, how)
    with pytest.raises(error):
        await wire.create("before-upgrade")
    assert _names(wire.sandbox) == effects
    (entry,) = wire.sandbox.ledger.requests
    assert (entry.status, entry.fault, entry.authenticated) == (None, f"{when}:{how}", True)


async def test_a_fault_applies_once(wire: Caller) -> None:
    wire.sandbox.faults.add(CREATE)
    with pytest.raises(httpx.RemoteProtocolError):
        await wire.create("before-upgrade")
    assert (await wire.create("before-upgrade")).json()["result"] is True


async def test_a_fault_applies_as_often_as_planned(wire: Caller) -> None:
    wire.sandbox.faults.add("getSnapshotHistory", act=gateway_answer(GatewayError.THROTTLED), times=2)
    statuses = [(await wire.send("GET", f"/snapshot/getSnapshotHistory/{READY}")).status_code for _ in range(3)]
    assert statuses == [429, 429, 200]


async def test_a_fault_that_stays(wire: Caller) -> None:
    wire.sandbox.faults.add(act=(503, "<html>"), times=None)
    for _ in range(3):
        assert (await wire.create("before-upgrade")).status_code == 503
    wire.sandbox.faults.clear()
    assert (await wire.create("before-upgrade")).status_code == 200


@pytest.mark.parametrize(("when", "effects"), [("before", []), ("after", ["before-upgrade"])])
async def test_a_gateway_that_hangs_until_the_client_gives_up(wire: Caller, when: When, effects: list[str]) -> None:
    fault = wire.sandbox.faults.add(CREATE, when, "hang")
    attempt = asyncio.create_task(wire.create("before-upgrade"))
    await _reached(fault)
    await wire.history()
    assert not attempt.done()
    assert [entry.fault for entry in wire.sandbox.ledger.requests] == [f"{when}:hang", None]
    attempt.cancel()
    await asyncio.wait([attempt])
    assert _names(wire.sandbox) == effects


async def test_an_effect_that_comes_after_the_client_has_gone(wire: Caller) -> None:
    """The worst kind: the client looks, finds nothing, and then the snapshot starts."""
    fault = wire.sandbox.faults.add(CREATE, act="late")
    attempt = asyncio.create_task(wire.create("before-upgrade"))
    await _reached(fault)
    assert _names(wire.sandbox) == []
    attempt.cancel()
    await asyncio.wait([attempt])
    await _entries(wire.sandbox, 1)
    assert _names(wire.sandbox) == ["before-upgrade"]


@pytest.mark.parametrize(
    ("act", "content"),
    [
        ((504, {"error": {"errorCode": "510", "message": "Endpoint Timeout"}}), b'{"error": {"errorCode": "510"'),
        ((502, "<html>Bad Gateway</html>"), b"<html>Bad Gateway</html>"),
        ((500, b"\xff"), b"\xff"),
        (json_answer(429, {}, {"retry-after": "5"}), b"{}"),
    ],
)
async def test_another_answer_after_the_effect(wire: Caller, act: Any, content: bytes) -> None:
    wire.sandbox.faults.add(CREATE, "after", act)
    response = await wire.create("before-upgrade")
    assert response.content.startswith(content)
    assert _names(wire.sandbox) == ["before-upgrade"]
    assert wire.sandbox.ledger.requests[-1].status == response.status_code


async def test_the_answer_on_its_way_out(wire: Caller) -> None:
    """`answer` sees refusals of the gateway too, and may take the real answer and change it."""

    async def cut_in_half(visit: Visit) -> Cut:
        assert visit.answer is not None
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(visit.answer.body)}\r\n\r\n".encode()
        return Cut("drop", (head, visit.answer.body[:20]))

    wire.sandbox.faults.add(CREATE, "answer", cut_in_half)
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        await wire.create("before-upgrade")
    assert wire.sandbox.ledger.requests[-1].fault == "answer:cut_in_half"
    wire.sandbox.faults.add(when="answer", act=(200, ""))
    assert (await wire.http.get("/nowhere")).content == b""


async def test_headers_and_then_silence(wire: Caller) -> None:
    """A client whose timeout counts from the last byte waits for ever."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"
    wire.sandbox.faults.add(CREATE, "after", Cut("hang", (head, b"{", b'"')))
    async with wire.http.stream(
        "POST", f"/api/v2/snapshot/createSnapshot/{READY}", headers=await _signed(wire), content=b"{}"
    ) as response:
        pieces = response.aiter_raw()
        assert (await anext(pieces)).startswith(b"{")


async def _signed(wire: Caller) -> dict[str, str]:
    target = f"/api/v2/snapshot/createSnapshot/{READY}"
    return signed_headers(wire.sandbox.account, "POST", target, wire.clock.now)


async def test_a_long_body_waits_for_a_slow_reader(sandbox: Sandbox) -> None:
    """Otherwise an endless answer, made to try a client's patience, would fill the memory of the sandbox first."""
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        yield b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n"
        for sent in range(1, 2_000):  # noqa: B007 - read by the test
            yield b"x" * (1 << 16)

    sandbox.faults.add(when="answer", act=Cut("drop", pieces()))
    async with serve(sandbox) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for _ in range(4_000):
            await asyncio.sleep(0)
        assert 0 < sent < 1_000
        await hang_up(writer)


async def test_the_connection_serves_on_after_a_plain_fault(wire: Caller) -> None:
    wire.sandbox.faults.add(CREATE, "before", (500, "no"))
    first = await wire.create("before-upgrade")
    second = await wire.create("before-upgrade")
    assert first.extensions["network_stream"] is second.extensions["network_stream"]


async def test_an_unauthenticated_request_wakes_no_fault_before(wire: Caller) -> None:
    """Otherwise a wrong signature would use up the fault that was meant for the right one."""
    fault = wire.sandbox.faults.add()
    assert (await wire.http.get("/api/v2/cluster/getClusterInfoList")).status_code == 401
    assert not fault.reached.is_set()


async def test_in_process_there_is_no_connection_to_cut(caller: Caller) -> None:
    caller.sandbox.faults.add(CREATE, "after", "drop")
    with pytest.raises(ConnectionAbortedError):
        await caller.create("before-upgrade")
    assert _names(caller.sandbox) == ["before-upgrade"]


@pytest.mark.parametrize("act", ["explode", 500, None])
def test_a_fault_that_is_none(sandbox: Sandbox, act: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        sandbox.faults.add(act=act)


async def test_latency_is_added_to_every_answer() -> None:
    sandbox = Sandbox(latency_ms=30)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox") as http:
        before = time.monotonic()
        await http.get("/nowhere")
        assert time.monotonic() - before >= 0.03
