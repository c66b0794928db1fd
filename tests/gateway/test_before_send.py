"""The moment before the first byte: whoever writes a journal has finished by then, or nothing leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from ncp_tui.gateway.errors import NotReached
from ncp_tui.gateway.request import Timeouts
from ncp_tui.problem import Problem
from tests.gateway.wire import CREATE, Client, Listener, RawServer, Received, answering, http
from tests.tables import each_row


class DiskFull(Problem):
    kind = "disk_full"


def wiretap() -> tuple[Listener, list[bytes], asyncio.Event]:
    """A server that keeps every byte, answers nothing by itself, and tells when a client has hung up."""
    seen: list[bytes] = []
    hung_up = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            seen.append(data)
        hung_up.set()

    return Listener(talk), seen, hung_up


def raising(error: Exception) -> Callable[[], Awaitable[None]]:
    async def sending() -> None:
        raise error

    return sending


@each_row("error", [DiskFull("The disk is full."), NotReached("no"), OSError("disk"), TimeoutError("disk")])
async def test_not_one_byte_leaves_when_it_raises(error: Exception) -> None:
    """Sent without a line in the journal, a create that is interrupted then is forgotten."""
    server, seen, hung_up = wiretap()
    async with server, Client(server.url) as client:
        with pytest.raises(type(error)) as caught:
            await client.gateway.send(replace(CREATE, before_send=raising(error)))
        await client.gateway.aclose()
        await hung_up.wait()
        assert server.connections == 1
    assert caught.value is error
    assert seen == []
    assert (client.exchange.sent, client.exchange.answer) == (False, None)
    assert client.exchange.error == (error.kind if isinstance(error, Problem) else "held_back")


async def test_it_has_ended_before_the_first_byte() -> None:
    server, seen, _ = wiretap()
    allowed, waiting = asyncio.Event(), asyncio.Event()

    async def sending() -> None:
        waiting.set()
        await allowed.wait()

    async with server, Client(server.url) as client:
        task = asyncio.ensure_future(client.gateway.send(replace(CREATE, before_send=sending)))
        await waiting.wait()
        for _ in range(200):  # whatever could leave by now would have
            await asyncio.sleep(0)
        assert seen == []
        allowed.set()
        while not seen:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert client.exchange.sent


async def test_cancelled_before_the_first_byte() -> None:
    server, seen, hung_up = wiretap()
    waiting = asyncio.Event()

    async def sending() -> None:
        waiting.set()
        await asyncio.Event().wait()

    async with server, Client(server.url) as client:
        task = asyncio.ensure_future(client.gateway.send(replace(CREATE, before_send=sending)))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.gateway.aclose()
        await hung_up.wait()
    assert seen == []
    assert (client.exchange.error, client.exchange.sent) == ("cancelled", False)


async def test_the_time_it_takes_counts() -> None:
    """A disk that hangs must not hold a create, and a user, for ever."""
    server, seen, hung_up = wiretap()

    async def sending() -> None:
        await asyncio.Event().wait()

    async with server, Client(server.url) as client:
        call = replace(CREATE, before_send=sending, timeouts=Timeouts(connect=5, read=5, total=0.3))
        with pytest.raises(NotReached) as caught:
            await client.gateway.send(call)
        await client.gateway.aclose()
        await hung_up.wait()
    assert seen == []
    assert not caught.value.may_have_acted
    assert "prepared within 0.3 s" in caught.value.what
    assert not client.exchange.sent


async def test_it_is_awaited_for_each_request_and_not_without_a_connection() -> None:
    sent: list[str] = []

    async def sending() -> None:
        sent.append("sent")

    async with RawServer(answering(http()), keep_alive=True) as server, Client(server.url) as client:
        for _ in range(3):
            await client.gateway.send(replace(CREATE, before_send=sending))
        assert (server.connections, len(sent)) == (3, 3)
    async with Client(server.url) as client:
        with pytest.raises(NotReached):
            await client.gateway.send(replace(CREATE, before_send=sending))
    assert len(sent) == 3


async def test_a_proxys_connect_is_not_the_request() -> None:
    """Noted as sent when only the proxy was asked, a refused proxy would leave an outcome in doubt."""
    sent: list[str] = []

    async def sending() -> None:
        sent.append("sent")

    async def refuse(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(403, b"no"))

    async with RawServer(refuse) as proxy:
        async with Client("https://gateway.invalid", environ={"HTTPS_PROXY": proxy.url}) as client:
            with pytest.raises(NotReached):
                await client.gateway.send(replace(CREATE, before_send=sending))
        assert proxy.connections == 1
    assert sent == []
