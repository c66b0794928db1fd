"""A client over a transport that answers as told, where a wire would add nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.retries import RetryPolicy
from tests.gateway.in_process import about_to_send

ENDPOINT = Endpoint("public", "KR", "https://gateway.example", "/api/v2")
MOST_REQUESTS = 500


class Scripted(httpx.AsyncBaseTransport):
    """Answers each request with the envelope around `result(query)`, and keeps what was asked.

    A pair of status and body instead of a result is sent as it is; an exception is the network's.
    """

    def __init__(self, result: Callable[[Mapping[str, str]], Any]) -> None:
        self.result = result
        self.requests: list[httpx.Request] = []
        self._dated = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await about_to_send(request)
        self.requests.append(request)
        assert len(self.requests) <= MOST_REQUESTS, "it never stops asking"
        status, result = 200, self.result(dict(request.url.params))
        body = {"code": 0, "message": "SUCCESS", "result": result, "requestId": "rid"}
        if isinstance(result, tuple):
            status, body = result
        headers = {"date": format_datetime(datetime.now(UTC), usegmt=True)} if self._dated else {}
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(json.dumps(body).encode()))

    def engine(self, *, read_only: bool = False, dated: bool = False) -> SearchEngine:
        """A client; with `dated` its answers have the date of now, by which a client measures its clock."""
        self._dated = dated
        gateway = GatewayClient(ENDPOINT, Credentials("AK", SecretKey("SK")), transport=self, environ={})
        return SearchEngine(gateway, read_only=read_only)


def engine_of(served: RunningSandbox, *, read_only: bool = False, retries: RetryPolicy | None = None) -> SearchEngine:
    """A client of a real sandbox."""
    sandbox = served.sandbox
    credentials = Credentials(sandbox.access_key, SecretKey(sandbox.secret_key))
    endpoint = Endpoint("public", "KR", served.url, "/api/v2")
    return SearchEngine(GatewayClient(endpoint, credentials, environ={}), read_only=read_only, retries=retries)
