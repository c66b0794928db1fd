"""Real sockets: where it listens, how fast it is gone, and that it says nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox, serve
from tests.sandbox.raw_wire import PATIENCE
from tests.sandbox.signed_client import READY, Caller, Clock, hang_up, raw_exchange, signed_headers
from tests.tables import each_row

CLI = """
import json
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.sandbox.sandbox import run_forever
sandbox = Sandbox(clusters=2)
keys = {"access_key": sandbox.access_key, "secret_key": sandbox.secret_key}
run_forever(sandbox, 0, lambda url: print(json.dumps({"url": url, **keys}), flush=True))
print("left")
"""


async def test_it_listens_on_loopback_only(sandbox: Sandbox) -> None:
    async with serve(sandbox) as running:
        assert running.url == f"http://127.0.0.1:{running.port}"
        listening = running._listener._socket
        assert listening is not None
        assert listening.getsockname()[0] == "127.0.0.1"


async def test_connections_are_kept_alive(wire: Caller) -> None:
    streams = {(await wire.send("GET", "/cluster/getClusterInfoList")).extensions["network_stream"] for _ in range(3)}
    assert len(streams) == 1


async def test_many_at_once(wire: Caller) -> None:
    """Twenty creates of one name at the same time: one effect."""
    responses = await asyncio.gather(*(wire.create("only-once") for _ in range(20)))
    assert sum(response.json()["result"] is True for response in responses) == 1
    assert len(wire.sandbox.ledger.effects) == 1


async def test_it_stops_at_once_whatever_hangs(sandbox: Sandbox, clock: Clock) -> None:
    """An idle kept-alive connection, a request that hangs, and one that has not been sent to its end."""
    async with httpx.AsyncClient(trust_env=False) as http:
        running = serve(sandbox)
        await running.__aenter__()
        http.base_url = httpx.URL(running.url)
        caller = Caller(http, sandbox, clock)
        await caller.history()
        fault = sandbox.faults.add("createSnapshot", act="hang")
        hanging = asyncio.create_task(caller.create("before-upgrade"))
        assert await asyncio.to_thread(fault.reached.wait, 5)
        _reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"POST /api/v2/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
        await writer.drain()
        before = time.monotonic()
        await running.stop()
        assert time.monotonic() - before < PATIENCE  # what hangs would hang for ever
        await hang_up(writer)
        with pytest.raises(httpx.TransportError):
            await hanging
        with pytest.raises(httpx.ConnectError):
            await caller.history()
        await running.stop()
    assert [entry.status for entry in sandbox.ledger.requests][:2] == [200, None]


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_arrives_while_it_stops(sandbox: Sandbox, turns: int) -> None:
    """Accepted but not yet handed over: it would never be closed, and its client would wait for ever."""
    async with serve(sandbox) as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
            for _ in range(turns):
                await asyncio.sleep(0)
            await running.stop()
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""


async def test_signal_handlers_are_left_alone(sandbox: Sandbox) -> None:
    """Textual owns them in the same process."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with serve(sandbox):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_a_port_that_is_taken(sandbox: Sandbox) -> None:
    async with serve(sandbox) as running:
        with pytest.raises(OSError, match="in use"):
            async with serve(Sandbox(), running.port):
                pass
        with pytest.raises(OSError, match="in use"):
            ThreadedSandbox(Sandbox(), running.port).start()


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /\xea\xb2\x80 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/two\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    ],
    ids=["TLS", "raw Korean", "version", "header", "length"],
)
async def test_what_is_not_http(sandbox: Sandbox, capfd: pytest.CaptureFixture[str], noise: bytes) -> None:
    """A client that speaks TLS to the plain port gets an answer, the terminal gets nothing."""
    async with serve(sandbox) as running:
        answer = await raw_exchange(running.port, noise)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["errorCode"] == "100"
    assert capfd.readouterr() == ("", "")


async def test_pipelined_and_lower_case_requests(sandbox: Sandbox) -> None:
    async with serve(sandbox) as running:
        requests = b"get / HTTP/1.1\r\nhost: x\r\n\r\nGET /b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        answers = await raw_exchange(running.port, requests)
    assert answers.count(b'"errorCode": "300"') == 2


@pytest.fixture
def threaded(sandbox: Sandbox) -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(sandbox) as running:
        yield running


def test_a_thread_of_its_own(threaded: ThreadedSandbox) -> None:
    assert httpx.get(threaded.url + "/nowhere", trust_env=False).status_code == 404
    assert threaded.sandbox.ledger.requests[-1].target == "/nowhere"


def test_a_gateway_that_goes_and_comes_back(threaded: ThreadedSandbox) -> None:
    """Same port, same world, so that a client's retry can find it again."""
    url = threaded.url
    with httpx.Client(trust_env=False) as http:
        assert http.get(url).status_code == 404
        before = time.monotonic()
        threaded.stop()
        assert time.monotonic() - before < PATIENCE  # what hangs would hang for ever
        with pytest.raises(httpx.TransportError):
            http.get(url)
        threaded.stop()
        threaded.start()
        assert threaded.url == url
        assert http.get(url).status_code == 404


def test_killing_it_under_a_request(threaded: ThreadedSandbox) -> None:
    fault = threaded.sandbox.faults.add(when="answer", act="hang")
    failures: list[Exception] = []

    def ask() -> None:
        try:
            httpx.get(threaded.url, trust_env=False)
        except httpx.TransportError as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert fault.reached.wait(5)
    threaded.stop()
    asking.join(5)
    assert len(failures) == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "sandbox"]


@each_row("number", [signal.SIGINT, signal.SIGTERM])
def test_until_interrupted(number: signal.Signals) -> None:
    """Ready when it says so, silent on stdout and stderr whatever is sent, and a normal end with a connection open."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CLI], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"url", "access_key", "secret_key"}
        host, port = ready["url"].removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"noise\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 404")
            process.send_signal(number)
            out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (0, "left\n", "")


async def test_a_wrong_type_of_scope(sandbox: Sandbox) -> None:
    with pytest.raises(NotImplementedError, match="HTTP only"):
        await sandbox.app({"type": "lifespan"}, None, None)  # type: ignore[arg-type]


async def test_raw_target_is_what_is_judged(sandbox: Sandbox, clock: Clock) -> None:
    """Escapes as a client happened to write them, `+`, an empty and a bare parameter: nothing is normalised."""
    target = "/api/v2/cluster/getClusterInfoList?inputText=%ea%b2%80&vpcName=a+b%2B&x=&y&pageNo=1"
    lines = [f"{name}: {value}" for name, value in signed_headers(sandbox.account, "GET", target, clock.now).items()]
    head = "\r\n".join([f"GET {target} HTTP/1.1", "host: x", "connection: close", *lines, "", ""])
    async with serve(sandbox) as running:
        answer = await raw_exchange(running.port, head.encode())
    assert answer.startswith(b"HTTP/1.1 200")
    assert sandbox.ledger.requests[-1].target == target
    assert sandbox.world.named("search-0001").number == READY
