"""Names, addresses, and a resolver that hangs: the one thing on the way to a gateway that nothing can cut short."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.gateway.errors import NameNotFound, NotReached
from ncp_tui.gateway.request import Timeouts
from tests.gateway.test_client import unused_port
from tests.gateway.test_tls import Certificate, certificate
from tests.gateway.wire import CREATE, Client, RawServer, answering, http
from tests.tables import each_row

HUNG = """
import asyncio, socket, sys, threading
real, answers = socket.getaddrinfo, {answers}
def getaddrinfo(*arguments, **options):
    global answers
    if answers:
        answers -= 1
        return real("127.0.0.1", {port}, type=socket.SOCK_STREAM)
    threading.Event().wait()
socket.getaddrinfo = getaddrinfo
from ncp_tui.gateway import dns
from ncp_tui.system import blocking
from ncp_tui.gateway.request import ApiCall, Timeouts
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.client import GatewayClient
dns.LOOKUP_TIMEOUT = 0.2

async def main():
    endpoint = Endpoint("public", "KR", "https://gateway.example:{port}", "/api/v2")
    gateway = GatewayClient(endpoint, Credentials("AK", SecretKey("SK")), environ={{}})
    try:
        await gateway.send(ApiCall("list", "GET", "/x", timeouts=Timeouts(connect=0.5)))
    except GatewayError as error:
        print(type(error).__name__, flush=True)
    await gateway.aclose()
with asyncio.Runner(loop_factory=blocking.new_event_loop) as runner:
    runner.run(main())
"""


@each_row(("answers", "said"), [(0, "NameNotFound"), (1, "NotReached")])
def test_a_resolver_that_hangs_holds_nobody(answers: int, said: str) -> None:
    """On the usual threads of asyncio it would: they are joined at the end, and this program would never have one.

    With one answer it hangs at the second lookup, that of the connection.
    """
    program = HUNG.format(answers=answers, port=unused_port())
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == (f"{said}\n", "")


Found = list[tuple[int, int, int, str, Any]]


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have every name resolve to `addresses`; returns the list of what was asked."""
    asked: list[str] = []

    def getaddrinfo(host: str | bytes, port: int, *_: Any, **_options: Any) -> Found:
        asked.append(host if isinstance(host, str) else host.decode())
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [
            (family, socket.SOCK_STREAM, 6, "", (address, port, 0, 0) if ":" in address else (address, port))
            for family, address in zip(families, addresses, strict=True)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


async def test_the_second_address_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Certificate and Host are those of the name, whichever address answers."""
    made: Certificate = certificate(tmp_path, "gateway.example", _tomorrow())
    async with RawServer(answering(http()), tls=made.server) as server:
        asked = resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
        url = f"https://gateway.example:{server.port}"
        async with Client(url, ca_bundle=str(made.path)) as client:
            await client.gateway.send(CREATE)
        assert server.requests[0].headers["host"] == f"gateway.example:{server.port}"
    assert set(asked) == {"gateway.example"}
    assert client.exchange.via_proxy is None
    assert client.exchange.timings.dns is not None


async def test_ipv6_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = certificate(tmp_path, "gateway.example", _tomorrow())
    async with RawServer(answering(http()), tls=made.server) as server:
        resolving(monkeypatch, "::1", "127.0.0.1")
        async with Client(f"https://gateway.example:{server.port}", ca_bundle=str(made.path)) as client:
            await client.gateway.send(CREATE)


async def test_every_address_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    port = unused_port()
    resolving(monkeypatch, "127.0.0.1", "127.0.0.2")
    async with Client(f"https://gateway.example:{port}") as client:
        with pytest.raises(NotReached) as caught:
            await client.gateway.send(CREATE)
    assert f"gateway.example:{port} refused the connection" in caught.value.what


async def test_no_address_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch)
    async with Client("https://gateway.example") as client:
        with pytest.raises(NameNotFound) as caught:
            await client.gateway.send(CREATE)
    assert "it has no address" in caught.value.what


async def test_a_dead_first_address_leaves_time_for_the_second(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A listener whose queue is full drops what comes: as silent as an address that leads nowhere."""
    made = certificate(tmp_path, "gateway.example", _tomorrow())
    async with RawServer(answering(http()), tls=made.server) as server:
        with socket.socket() as dead:
            dead.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            dead.bind(("127.0.0.2", server.port))
            dead.listen(0)
            fill = [_connecting("127.0.0.2", server.port) for _ in range(4)]
            resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
            async with Client(f"https://gateway.example:{server.port}", ca_bundle=str(made.path)) as client:
                started = time.monotonic()
                await client.gateway.send(replace(CREATE, timeouts=Timeouts(connect=2, read=20, total=20)))
                assert time.monotonic() - started > 0.2, "the first address was not silent"
            for each in fill:
                each.close()


def _connecting(host: str, port: int) -> socket.socket:
    connecting = socket.socket()
    connecting.setblocking(False)
    connecting.connect_ex((host, port))
    return connecting


def _tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


async def test_a_proxys_name_is_looked_up_and_the_gateways_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a company's proxy the gateway's name often has no address at all."""
    async with RawServer(answering(http(403, b"no"))) as proxy:
        asked = resolving(monkeypatch, "127.0.0.1")
        environ = {"HTTPS_PROXY": f"http://proxy.example:{proxy.port}"}
        async with Client("https://gateway.example", environ=environ) as client:
            with pytest.raises(NotReached):
                await client.gateway.send(CREATE)
        assert set(asked) == {"proxy.example"}
        assert proxy.requests[0].line.startswith(b"CONNECT gateway.example:443")
    assert client.exchange.via_proxy == f"proxy.example:{proxy.port}"


@pytest.mark.parametrize(
    ("variables", "through"),
    [
        ({}, False),
        ({"HTTPS_PROXY": "URL"}, True),
        ({"ALL_PROXY": "BARE"}, True),
        ({"HTTP_PROXY": "URL"}, False),
        ({"HTTPS_PROXY": "URL", "NO_PROXY": "other.example, .example"}, False),
        ({"HTTPS_PROXY": "URL", "NO_PROXY": "way.example"}, True),
    ],
)
async def test_which_way_a_request_goes(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, through: bool
) -> None:
    async with RawServer(answering(http(403, b"no"))) as proxy:
        resolving(monkeypatch, "127.0.0.1")
        places = {"URL": proxy.url, "BARE": f"127.0.0.1:{proxy.port}"}
        environ = {name: places.get(value, value) for name, value in variables.items()}
        async with Client(f"https://gateway.example:{unused_port()}", environ=environ) as client:
            with pytest.raises(NotReached):
                await client.gateway.send(CREATE)
        assert bool(proxy.connections) is through


async def test_a_request_that_is_given_up_during_the_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    release, asked, loop = threading.Event(), asyncio.Event(), asyncio.get_running_loop()

    def getaddrinfo(*_: Any, **__: Any) -> Found:
        loop.call_soon_threadsafe(asked.set)
        release.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with Client("https://gateway.example") as client:
        task = asyncio.ensure_future(client.gateway.send(CREATE))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
    assert (client.exchange.error, client.exchange.sent) == ("cancelled", False)
