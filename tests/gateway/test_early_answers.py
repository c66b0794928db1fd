"""What came before a request left is no answer to it: else a create would be confirmed that never happened."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ncp_tui.gateway.errors import NotReached
from tests.gateway.test_connections import NOW, certificate
from tests.gateway.wire import CREATE, LIST, Client, Listener, RawServer, Received, http

EARLY = http(200, b'{"code":0,"message":"SUCCESS","result":true,"requestId":"early"}')
"""A confirmation that nobody asked for."""


async def test_what_waits_on_an_idle_connection_is_no_answer_to_a_create() -> None:
    """A read leaves a connection open; on it the server, or whoever sits between, says yes in advance."""

    async def handler(received: Received, writer: asyncio.StreamWriter) -> None:
        if b"createSnapshot" in received.line:
            writer.write(http(503, b""))
            return
        writer.write(http() + EARLY)
        await writer.drain()

    async with RawServer(handler, keep_alive=True) as server, Client(server.url) as client:
        await client.gateway.send(LIST)
        with pytest.raises(Exception, match="HTTP 503"):
            await client.gateway.send(CREATE)
        assert server.connections == 2


async def test_a_create_leaves_no_connection_behind() -> None:
    """A late second answer to it would be taken for the first one of the next request."""

    async def handler(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http() + EARLY if b"create" in received.line else http())

    async with RawServer(handler, keep_alive=True) as server, Client(server.url) as client:
        assert (await client.gateway.send(CREATE))["requestId"] == "rid-1"
        assert (await client.gateway.send(LIST))["requestId"] == "rid-1"
        assert server.connections == 2


@pytest.mark.parametrize("said", [EARLY, b"HTTP/1.1 408 Request Timeout\r\n\r\n", b"x", b""])
@pytest.mark.parametrize("secure", [False, True])
async def test_a_server_that_speaks_first_gets_no_create(tmp_path: Path, said: bytes, *, secure: bool) -> None:
    """The journal is written in between, which takes as long as a disk takes."""
    heard: list[bytes] = []
    has_spoken = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        if not said:
            writer.close()
        has_spoken.set()
        while data := await reader.read(65536):
            heard.append(data)

    async def sending() -> None:
        await has_spoken.wait()
        await asyncio.sleep(0)

    certified = certificate(tmp_path, "127.0.0.1", NOW + timedelta(days=1)) if secure else None
    options = {"ca_bundle": str(certified.path)} if certified else {}
    async with (
        Listener(talk, certified.server if certified else None) as server,
        Client(server.url, **options) as client,
    ):
        with pytest.raises(NotReached) as caught:
            await client.gateway.send(replace(CREATE, before_send=sending))
        await server.hung_up()
    assert heard == []
    assert not caught.value.may_have_acted
    assert not client.exchange.sent
    assert "Nothing was sent." in caught.value.sentences()
