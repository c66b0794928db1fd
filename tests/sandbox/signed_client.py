"""A client of the sandbox for its own tests: signs by the published formula, shares nothing with the product."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
from typing import Any

import httpx

from ncp_tui.sandbox.authentication import Account
from ncp_tui.sandbox.sandbox import Sandbox

START = 1_760_000_000.0
READY = "1037001"
FRESH = "1037002"
KEYLESS = "1037004"
HEADERS = ("x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-signature-v2")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def signed_headers(account: Account, method: str, target: str, now: float) -> dict[str, str]:
    timestamp = str(int(now * 1000))
    text = f"{method} {target}\n{timestamp}\n{account.access_key}"
    digest = hmac.new(account.secret_key.encode(), text.encode(), hashlib.sha256).digest()
    return dict(zip(HEADERS, (timestamp, account.access_key, base64.b64encode(digest).decode()), strict=True))


class Caller:
    """Sends signed requests to a sandbox, in process or over a socket."""

    def __init__(self, http: httpx.AsyncClient, sandbox: Sandbox, clock: Clock) -> None:
        self.http = http
        self.sandbox = sandbox
        self.clock = clock

    async def send(
        self, method: str, target: str, content: Any = None, account: Account | None = None, prefix: str = "/api/v2"
    ) -> httpx.Response:
        """Sign the target as it will stand on the wire and send it."""
        content = {"json": content} if isinstance(content, dict | list) else {"content": content}
        request = self.http.build_request(method, prefix + target, **content)
        raw = request.url.raw_path.decode()
        request.headers.update(signed_headers(account or self.sandbox.account, method, raw, self.clock.now))
        return await self.http.send(request)

    async def get(self, target: str, account: Account | None = None) -> Any:
        """The `result` of a read that must succeed."""
        response = await self.send("GET", target, account=account)
        assert response.status_code == 200, response.text
        body = response.json()
        assert (body["code"], body["message"]) == (0, "SUCCESS")
        return body["result"]

    async def create(self, name: str, bucket: str = "bk.ses.snapshot", number: str = READY) -> httpx.Response:
        return await self.send(
            "POST", f"/snapshot/createSnapshot/{number}", {"snapshotName": name, "bucketName": bucket}
        )

    async def history(self, number: str = READY, page: int = 1, size: int = 100) -> list[dict[str, Any]]:
        result = await self.get(f"/snapshot/getSnapshotHistory/{number}?pageNo={page}&pageSize={size}")
        rows: list[dict[str, Any]] = result["snapshotHistoryResponseList"]
        return rows


async def raw_exchange(port: int, data: bytes) -> bytes:
    """Send bytes as they are and return all that comes back until the sandbox closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        await hang_up(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close and wait for it; the other side may have closed first."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
