"""Requests over a bare socket: what comes back is kept byte for byte, and so is how the connection ended."""

from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import dataclass
from typing import Any, Literal

from ncp_tui.sandbox.sandbox import RunningSandbox
from tests.sandbox.signed_client import READY, Clock, hang_up, signed_headers

PATIENCE = 10.0
CREATE = f"/api/v2/snapshot/createSnapshot/{READY}"
HISTORY = f"/api/v2/snapshot/getSnapshotHistory/{READY}?pageNo=1&pageSize=100"

Ending = Literal["closed", "reset"]


@dataclass(frozen=True)
class Reply:
    """Everything that came until the connection ended; without a status nothing that looks like HTTP came."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    ending: Ending

    @classmethod
    def of(cls, data: bytes, ending: Ending) -> Reply:
        head, found, body = data.partition(b"\r\n\r\n")
        if not found:
            return cls(None, (), data, ending)
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        return cls(int(first.split()[1]), tuple((name.lower(), value) for name, value in pairs), body, ending)

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def whole(self) -> bool:
        """Whether the body is as long as the headers say."""
        return self.header("content-length") == [str(len(self.body))]

    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """One connection and one signed request on it. Enter it, and read from it as much as the test wants."""

    def __init__(
        self, running: RunningSandbox, clock: Clock, method: str, target: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self._running = running
        self._clock = clock
        self._method = method
        self._target = target
        self._tls = tls
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def send(self, body: bytes = b"") -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._running.port, ssl=self._tls)
        headers = signed_headers(self._running.sandbox.account, self._method, self._target, self._clock.now)
        headers |= {"host": "x", "connection": "close", "content-length": str(len(body))}
        lines = [f"{self._method} {self._target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def rest(self) -> Reply:
        """All that comes until the sandbox ends the connection."""
        data = b""
        try:
            async with asyncio.timeout(PATIENCE):
                while piece := await self.reader.read(1 << 20):
                    data += piece
        except ConnectionResetError:
            return Reply.of(data, "reset")
        finally:
            await hang_up(self.writer)
        return Reply.of(data, "closed")


class Wire:
    """Calls one listening sandbox."""

    def __init__(self, running: RunningSandbox, clock: Clock, tls: ssl.SSLContext | None = None) -> None:
        self.running = running
        self.sandbox = running.sandbox
        self.clock = clock
        self.tls = tls

    async def begin_create(self, name: str) -> Line:
        """A create that was sent; nothing was read yet."""
        line = Line(self.running, self.clock, "POST", CREATE, self.tls)
        await line.send(json.dumps({"snapshotName": name, "bucketName": "bk.ses.snapshot"}).encode())
        return line

    async def create(self, name: str) -> Reply:
        return await (await self.begin_create(name)).rest()

    async def get(self, target: str) -> Reply:
        line = Line(self.running, self.clock, "GET", target, self.tls)
        await line.send()
        return await line.rest()

    async def history(self) -> list[dict[str, Any]]:
        """The rows of a history that must be told."""
        reply = await self.get(HISTORY)
        assert reply.status == 200, reply
        rows: list[dict[str, Any]] = reply.json()["result"]["snapshotHistoryResponseList"]
        return rows

    async def accepts(self, name: str) -> bool:
        """Whether a create is answered as if there had never been a fault."""
        reply = await self.create(name)
        usual = {"code": 0, "message": "SUCCESS", "result": True}
        return reply.status == 200 and reply.whole and reply.json() | usual == reply.json()

    def effects(self) -> list[str | None]:
        return [effect.name for effect in self.sandbox.ledger.effects]
