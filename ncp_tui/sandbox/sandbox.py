"""A sandbox put together, and listening on loopback: in a running event loop, on a thread, or until interrupted.

uvicorn's protocol is used without its server, which takes over signals, ticks ten times a second and is slow to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ncp_tui.sandbox.app import CONNECTION, Gateway
from ncp_tui.sandbox.authentication import Account, new_account
from ncp_tui.sandbox.fault_lab.fault import Faults
from ncp_tui.sandbox.handshakes import Handshakes
from ncp_tui.sandbox.ledger import Ledger
from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.world import World


def _uuid() -> str:
    return str(uuid.uuid4())


class Sandbox:
    """A gateway with a world behind it, not yet listening anywhere.

    `duration` is how long a snapshot takes, in seconds; `latency_ms` is added before every answer. `clock` gives epoch
    seconds and rules everything: the window of signatures, snapshots, and the `Date` header. Keys that are not given
    are generated. `accounts` are further key pairs beside the main one; without them there is one viewer, see `viewer`.
    Raises ValueError for less than one cluster or a negative time.
    """

    def __init__(
        self,
        clusters: int = 12,
        duration: float = 20.0,
        latency_ms: int = 0,
        *,
        ledger_path: Path | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        clock: Callable[[], float] = time.time,
        faults: Faults | None = None,
        accounts: Iterable[Account] | None = None,
        new_request_id: Callable[[], str] = _uuid,
    ) -> None:
        if duration < 0 or latency_ms < 0:
            raise ValueError("duration and latency cannot be negative")
        self.account = new_account(access_key=access_key, secret_key=secret_key)
        self.others = (new_account("viewer"),) if accounts is None else tuple(accounts)
        self.ledger = Ledger(ledger_path)
        self.faults = Faults() if faults is None else faults
        self.handshakes = Handshakes()
        self.world = World(clusters, duration, clock)
        self.app: ASGIApp = Gateway(
            self.world,
            {account.access_key: account for account in (self.account, *self.others)},
            self.ledger,
            self.faults,
            latency=latency_ms / 1000,
            new_request_id=new_request_id,
        )

    @property
    def access_key(self) -> str:
        """The access key of the main pair."""
        return self.account.access_key

    @property
    def secret_key(self) -> str:
        """The secret key of the main pair."""
        return self.account.secret_key

    @property
    def ca_bundle(self) -> Path | None:
        """The file of certificates to trust; None as long as no fault has made this sandbox speak TLS."""
        return self.handshakes.ca_bundle

    def close(self) -> None:
        """Remove what it keeps on disk for clients, the authority's file; harmless when it was done before."""
        self.handshakes.close()

    @property
    def viewer(self) -> Account:
        """The first pair that changes nothing. Raises LookupError when `accounts` had none."""
        for account in self.others:
            if account.role == "viewer":
                return account
        raise LookupError("this sandbox has no viewer")

    def __repr__(self) -> str:
        return f"Sandbox(access_key={self.access_key!r}, clusters={len(self.world.clusters)})"


HOST = "127.0.0.1"
# Long enough that no client meets a connection closing under its request: faults are added on purpose or not at all.
_KEEP_ALIVE_SECONDS = 600
_SILENT = logging.CRITICAL + 1
# An accepted connection is handed over three turns of the event loop later; an aborted one is lost after one, and after
# two under TLS.
_TURNS = 5
_BACKLOG = 100
_BREATH_SECONDS = 1.0
_HELLO = 1 << 16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class RunningSandbox:
    """A sandbox that listens on a loopback port of the running event loop.

    Takes no signals and prints nothing. Leaving the context closes every connection at once, whatever hangs.
    Raises OSError when the port is taken.
    """

    def __init__(self, sandbox: Sandbox, port: int = 0) -> None:
        self.sandbox = sandbox
        self._listener = _Listener(sandbox, port)

    @property
    def port(self) -> int:
        """The port it listens on, chosen by the system for 0."""
        return self._listener.port

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or the same with `https`."""
        return f"{self._listener.scheme}://{HOST}:{self.port}"

    async def stop(self) -> None:
        """Stop listening and close every connection; harmless when it was done before."""
        await self._listener.stop()

    async def __aenter__(self) -> Self:
        await self._listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def serve(sandbox: Sandbox, port: int = 0) -> RunningSandbox:
    """A sandbox to be entered with `async with`; requests then go to its `url`. `port` 0 lets the system choose."""
    return RunningSandbox(sandbox, port)


class ThreadedSandbox:
    """A sandbox on a daemon thread with its own event loop, for clients that block or run in another process.

    Raises OSError on entering when the port is taken.
    """

    def __init__(self, sandbox: Sandbox, port: int = 0) -> None:
        self.sandbox = sandbox
        self.url = ""
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self._error: OSError | None = None

    def start(self) -> None:
        """Listen; after a `stop` on the same port again, so that a gateway can come back."""
        listening, self._error = threading.Event(), None
        self._thread = threading.Thread(target=self._run, args=(listening,), name="sandbox", daemon=True)
        self._thread.start()
        listening.wait()
        if self._error:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """Kill the server: connections are closed, nothing is answered any more. Harmless when it was done before."""
        if self._loop and self._stopping and self._thread:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._loop = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, listening: threading.Event) -> None:
        try:
            asyncio.run(self._serve(listening))
        except OSError as error:
            self._error = error
        finally:
            listening.set()

    async def _serve(self, listening: threading.Event) -> None:
        async with serve(self.sandbox, self._port) as running:
            self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
            self._port, self.url = running.port, running.url
            listening.set()
            await self._stopping.wait()


def run_forever(sandbox: Sandbox, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; `announce` is called once with the URL when requests are taken.

    Call it from the main thread. Raises OSError when the port is taken.
    """
    asyncio.run(_until_interrupted(sandbox, port, announce))


async def _until_interrupted(sandbox: Sandbox, port: int, announce: Callable[[str], None]) -> None:
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupted.set)
    async with serve(sandbox, port) as running:
        announce(running.url)
        await interrupted.wait()


class _Connection(H11Protocol):
    """uvicorn's protocol, with a handle on the socket in each request's state and JSON for what is not even HTTP."""

    def __init__(self, config: Config, server_state: ServerState) -> None:
        super().__init__(config, server_state, {CONNECTION: self})

    def send_400_response(self, msg: str) -> None:
        answer = gateway_answer(GatewayError.BAD_REQUEST)
        head = (
            f"HTTP/1.1 400 {msg}\r\ncontent-type: {answer.headers['content-type']}\r\n"
            f"content-length: {len(answer.body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + answer.body)
        self.transport.close()

    async def write(self, data: bytes) -> bool:
        """Send bytes as they are, and wait while the client is slow to take them; False when it has gone."""
        if self.transport.is_closing():
            return False
        self.transport.write(data)
        await self.flow.drain()
        return True

    def close(self, *, reset: bool) -> None:
        """Close the socket, after what was written or with a reset."""
        if not reset:
            self.transport.close()
            return
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()


class _Listener:
    """A listening socket and the connections that came in through it.

    It accepts on its own, because every connection may be met in another way: asyncio's server knows one TLS context.
    """

    def __init__(self, sandbox: Sandbox, port: int) -> None:
        self.port = port
        self._handshakes = sandbox.handshakes
        self._config = Config(
            sandbox.app,
            http=_Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level=_SILENT,
            access_log=False,
            proxy_headers=False,
            workers=1,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._state = ServerState()
        self._socket: socket.socket | None = None
        self._arriving: set[asyncio.Task[None]] = set()

    @property
    def scheme(self) -> str:
        """`https` as soon as connections are encrypted."""
        return "https" if self._handshakes.tls else "http"

    async def start(self) -> None:
        """Bind to loopback, nowhere else."""
        self._socket = socket.create_server((HOST, self.port), backlog=_BACKLOG)
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]
        self._listen(self._socket)

    async def stop(self) -> None:
        """Close the socket and every connection, and cancel the requests still running."""
        if self._socket is None:
            return
        listening, self._socket = self._socket, None
        asyncio.get_running_loop().remove_reader(listening.fileno())
        listening.close()
        await _turns()
        await _cancelled(self._arriving)
        for connection in tuple(self._state.connections):
            connection.transport.abort()
        await _turns()
        await _cancelled(self._state.tasks)

    def _listen(self, listening: socket.socket) -> None:
        if listening is self._socket:
            asyncio.get_running_loop().add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # the client left while it was waiting
        except OSError:
            # No more files may be open. The socket stays readable, so it is not read for a while.
            loop = asyncio.get_running_loop()
            loop.remove_reader(listening.fileno())
            loop.call_later(_BREATH_SECONDS, self._listen, listening)
            return
        connection.setblocking(False)
        arriving = asyncio.get_running_loop().create_task(self._meet(connection))
        self._arriving.add(arriving)
        arriving.add_done_callback(self._arriving.discard)

    async def _meet(self, connection: socket.socket) -> None:
        how = self._handshakes.take()
        if how in {"stall", "reset"}:
            await _turn_away(connection, stall=how == "stall")
            return
        # A client that refuses the certificate, or speaks no TLS, ends the handshake; that is no error here.
        with contextlib.suppress(OSError):
            # asyncio does this for sockets of its own making only. Without it an answer in two writes takes 44 ms.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: _Connection(self._config, self._state), connection, ssl=self._handshakes.context(how)
            )


async def _turn_away(connection: socket.socket, *, stall: bool) -> None:
    """Take the client's first bytes; then be silent until it leaves, or reset the connection."""
    loop = asyncio.get_running_loop()
    with connection, contextlib.suppress(OSError):
        heard = await loop.sock_recv(connection, _HELLO)
        while stall and heard:
            heard = await loop.sock_recv(connection, _HELLO)
        if heard:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


async def _cancelled(tasks: set[asyncio.Task[None]]) -> None:
    ending = tuple(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def _turns() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
