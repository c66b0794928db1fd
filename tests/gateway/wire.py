"""Raw servers on loopback: what they send is bytes, so that they can send what no HTTP library would."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.exchange import Exchange
from ncp_tui.gateway.request import ApiCall, Timeouts

ACCESS_KEY = "AKIDCANARY0000000009"
CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
SHORT = Timeouts(connect=5, read=5, total=5)
CREATE = ApiCall(
    "createSnapshot",
    "POST",
    "/snapshot/createSnapshot/1037001",
    body={"snapshotName": "before-upgrade", "bucketName": "bk.ses.snapshot"},
    boolean=True,
    has_effect=True,
    timeouts=SHORT,
)
LIST = ApiCall(
    "getClusterInfoList",
    "GET",
    "/cluster/getClusterInfoList",
    query=(("pageNo", "1"), ("pageSize", "10")),
    timeouts=SHORT,
)
ACCEPTED = json.dumps({"code": 0, "message": "SUCCESS", "result": True, "requestId": "rid-1"}).encode()


@dataclass(frozen=True)
class Received:
    """One request as it stood on the wire."""

    line: bytes
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> bytes:
        return self.line.split(b" ")[1]


Handler = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """Runs `talk` for each connection, and leaves nothing open behind it."""

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.port = 0
        self._talk = talk
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for writer in self._open.values():
            writer.transport.abort()
        for task in self._open:
            task.cancel()
        await self.hung_up()

    async def hung_up(self) -> None:
        """Wait until every connection so far has been closed from here."""
        await asyncio.gather(*self._open)
        for _ in range(5):  # the loop closes sockets some turns later
            await asyncio.sleep(0)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._open[task] = writer
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._talk(reader, writer)
        del self._open[task]
        writer.close()


class RawServer(Listener):
    """Reads requests and hands each to `handler`, which writes what it likes."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None, *, keep_alive: bool = False) -> None:
        super().__init__(self._answer, tls)
        self.requests: list[Received] = []
        self._handler = handler
        self._keep_alive = keep_alive

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            received = await read_request(reader)
            self.requests.append(received)
            await self._handler(received, writer)
            if not self._keep_alive:
                return


async def read_request(reader: asyncio.StreamReader) -> Received:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *rest = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    headers = {
        name.decode().lower(): value.strip().decode() for name, _, value in (each.partition(b":") for each in rest)
    }
    return Received(line, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


def answering(data: bytes) -> Handler:
    """Answers everything with these bytes."""

    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return handler


def http(status: int = 200, body: bytes = ACCEPTED, *headers: str) -> bytes:
    """A well-formed answer."""
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset, so that the client's read fails instead of ending."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def signature_of(received: Received, secret_key: str = CANARY) -> str:
    """The signature as the gateway would compute it, from the wire alone, by the published formula."""
    method, target, _ = received.line.split(b" ")
    lines = (received.headers["x-ncp-apigw-timestamp"], received.headers["x-ncp-iam-access-key"])
    text = method + b" " + target + b"\n" + "\n".join(lines).encode()
    return base64.b64encode(hmac.new(secret_key.encode(), text, hashlib.sha256).digest()).decode()


class Client:
    """A Gateway with what it recorded."""

    def __init__(self, url: str, secret_key: str = CANARY, access_key: str = ACCESS_KEY, **options: Any) -> None:
        self.exchanges: list[Exchange] = []
        self.gateway = GatewayClient(
            Endpoint("public", "KR", url, "/api/v2"),
            Credentials(access_key, SecretKey(secret_key)),
            record=self.exchanges.append,
            **{"environ": {}, **options},
        )

    @property
    def exchange(self) -> Exchange:
        """The only one."""
        assert len(self.exchanges) == 1
        return self.exchanges[0]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.aclose()
