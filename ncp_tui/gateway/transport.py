"""Sending one signed request, bounded in time and size, and recording what happened to it whatever that was."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx

import ncp_tui
from ncp_tui.gateway import errors
from ncp_tui.gateway.answers import judge, payload_of, request_id_of
from ncp_tui.gateway.clock import ClockOffset, offset_from
from ncp_tui.gateway.connection_trace import ConnectionTrace
from ncp_tui.gateway.credentials import Credentials, SecretKey, mask_access_key
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import MASKED, Answer, Exchange, Headers, RequestRecord
from ncp_tui.gateway.problems import Problem
from ncp_tui.gateway.signature import (
    ACCESS_KEY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    SignatureV2,
    string_to_sign,
    target_of,
)
from ncp_tui.gateway.text import clean
from ncp_tui.gateway.tls import tls_context
from ncp_tui.gateway.transport_errors import error_from

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes of an answer that are kept, decoded. The largest real page measured is below 200 kB."""

_BUILDING = "(made when it is sent)"
_GZIP_OR_DEFLATE = 47  # zlib's window bits for "either, by its header"
# OSError is the deadline's TimeoutError, and TLS alerts after the handshake, which httpcore hands on as they are.
_NETWORK_ERRORS = (OSError, httpx.HTTPError, zlib.error)
_SHORTEST_REAL_SECRET = 16  # NCP's have 40 characters; one much shorter could be part of an honest word


class UnusableProxy(Problem):
    """The environment names a proxy that we cannot speak to."""

    kind = "unusable_proxy"


@dataclass(frozen=True)
class Patience:
    """How long one request may take, in seconds: per phase, and in total whatever the server does."""

    connect: float = 10.0
    read: float = 20.0
    total: float = 30.0


# An asynchronous create may take the engine "several seconds (or even minutes)" to acknowledge: a short limit here
# would only turn good creates into unknown ones.
PATIENT = Patience(read=60.0, total=90.0)


@dataclass(frozen=True)
class Call:
    """One operation to perform: what is sent, and what its answer must say to count as a success."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, str | int | SecretKey] | None = field(default=None, repr=False)
    boolean: bool = False
    patience: Patience = Patience()


class Gateway:
    """A signing HTTP client for one endpoint and one pair of keys. Close it with `aclose`."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        record: Callable[[Exchange], None] = lambda _: None,
        ca_bundle: str | None = None,
        clock: Callable[[], float] = time.time,
        environ: Mapping[str, str] = os.environ,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Talk to `endpoint` as `credentials`; each attempt is given to `record`.

        Proxies come from the environment as httpx reads it, except that a loopback gateway is always reached directly.
        `transport` replaces the network in tests. Raises UnusableCaBundle or UnusableProxy.
        """
        self.endpoint = endpoint
        self.clock_offset: ClockOffset | None = None
        self._credentials = credentials
        self._record = record
        self._clock = clock
        # Without TLS an empty context is given: httpx would load certificates for nothing and obey SSLKEYLOGFILE.
        plain = endpoint.origin.startswith("http:")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else tls_context(ca_bundle, environ)
        try:
            self._client = httpx.AsyncClient(
                base_url=endpoint.base_url,
                auth=SignatureV2(credentials, clock),
                headers={"user-agent": f"ncp-tui/{ncp_tui.__version__}", "accept": "application/json"},
                verify=context,
                trust_env=not endpoint.is_loopback,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=4, max_keepalive_connections=4),
                transport=transport,
            )
        except (ImportError, ValueError, httpx.InvalidURL):  # SOCKS, another scheme, not a URL; it may hold a password
            raise UnusableProxy(
                "The proxy in the environment cannot be used.",
                "Nothing was sent.",
                "Set HTTPS_PROXY or ALL_PROXY to an http:// or https:// proxy; SOCKS is not supported.",
            ) from None
        # We decode the body ourselves, in bounded steps. "deflate" is not offered: servers disagree on what it means.
        self._client.headers["accept-encoding"] = "gzip"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def preview(self, call: Call) -> RequestRecord:
        """The request `call` would send, without sending it."""
        return self._recorded(self._request(call), call)

    async def send(self, call: Call, *, attempt: int = 1) -> Any:
        """Send `call` once and return the decoded, inert JSON of a confirmed success.

        Raises a GatewayError that says what is known, and records an Exchange in every case, cancellation included.
        Never repeats anything.
        """
        trace = ConnectionTrace()
        request = self._request(call, trace)
        started = self._clock()
        answer: Answer | None = None
        payload: Any = None
        problem: GatewayError | None = None
        try:
            async with asyncio.timeout(call.patience.total):
                answer = await self._answer(request, call)
        except asyncio.CancelledError:
            cancelled = replace(self._exchange(call, request, trace, started, attempt), error="cancelled")
            self._record(replace(cancelled, error_text="Cancelled before an answer came."))
            raise
        except GatewayError as error:
            problem = error
        except _NETWORK_ERRORS as error:
            problem = error_from(error, trace, self.endpoint, call.patience.total)
        else:
            self._observe_clock(answer, started)
            payload = payload_of(answer)
            problem = judge(answer, payload, boolean=call.boolean, offset=self.clock_offset)
        exchange = self._exchange(call, request, trace, started, attempt)
        exchange = replace(
            exchange, sent=trace.sent or answer is not None, answer=answer, request_id=request_id_of(payload)
        )
        if problem is None:
            self._record(exchange)
            return payload
        problem.exchange = replace(exchange, error=problem.kind, error_text=problem.what)
        self._record(problem.exchange)
        raise problem

    def _request(self, call: Call, trace: ConnectionTrace | None = None) -> httpx.Request:
        patience = call.patience
        content = None if call.body is None else _encoded(call.body, reveal=True)
        return self._client.build_request(
            call.method,
            call.path.lstrip("/"),
            params=httpx.QueryParams(call.query) if call.query else None,
            content=content,
            headers={"content-type": "application/json; charset=utf-8"} if content is not None else None,
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            extensions={"trace": trace} if trace else None,
        )

    async def _answer(self, request: httpx.Request, call: Call) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            body = await _bounded_body(response)
        finally:
            await response.aclose()
        # An answer may repeat what nobody may see: validators quote rejected values, debuggers echo headers.
        values = [
            self._credentials.secret_key,
            *(call.body or {}).values(),
            SecretKey(request.headers[SIGNATURE_HEADER]),
        ]
        secrets = [value for value in values if isinstance(value, SecretKey)]
        return Answer(
            status=response.status_code,
            reason=clean(response.reason_phrase),
            headers=tuple(
                (clean(name), clean(_without(secrets, value.encode()).decode()))
                for name, value in response.headers.multi_items()
            ),
            body=_without(secrets, body),
        )

    def _exchange(
        self, call: Call, request: httpx.Request, trace: ConnectionTrace, started: float, attempt: int
    ) -> Exchange:
        return Exchange(
            operation=call.operation,
            at=datetime.fromtimestamp(started, UTC),
            request=self._recorded(request, call),
            attempt=attempt,
            sent=trace.sent,
            via_proxy=trace.proxy_of(self.endpoint),
            timings=trace.timings(),
        )

    def _recorded(self, request: httpx.Request, call: Call) -> RequestRecord:
        masked = mask_access_key(self._credentials.access_key)
        timestamp = request.headers.get(TIMESTAMP_HEADER, _BUILDING)
        return RequestRecord(
            method=request.method,
            origin=self.endpoint.origin,
            target=target_of(request),
            headers=_shown_headers(request.headers, masked),
            body="" if call.body is None else _encoded(call.body, reveal=False).decode(),
            string_to_sign=string_to_sign(request.method, target_of(request), timestamp, masked),
        )

    def _observe_clock(self, answer: Answer, started: float) -> None:
        offset = offset_from(answer.header("date"), started, self._clock())
        if offset is not None:
            self.clock_offset = offset


def _shown_headers(headers: httpx.Headers, masked_access_key: str) -> Headers:
    """The headers to show: in sending order, signing headers always there, nothing secret in them."""
    hidden = {ACCESS_KEY_HEADER: masked_access_key, SIGNATURE_HEADER: MASKED, "proxy-authorization": MASKED}
    shown = [(name, hidden.get(name, clean(value))) for name, value in headers.multi_items()]
    names = {name for name, _ in shown}
    signing = ((TIMESTAMP_HEADER, _BUILDING), (ACCESS_KEY_HEADER, masked_access_key), (SIGNATURE_HEADER, MASKED))
    return (*shown, *(pair for pair in signing if pair[0] not in names))


def _without(secrets: list[SecretKey], data: bytes) -> bytes:
    for secret in secrets:
        plain = secret.reveal().encode()
        if len(plain) >= _SHORTEST_REAL_SECRET:
            data = data.replace(plain, MASKED.encode())
    return data


def _encoded(body: Mapping[str, str | int | SecretKey], *, reveal: bool) -> bytes:
    plain = {
        name: (value.reveal() if reveal else MASKED) if isinstance(value, SecretKey) else value
        for name, value in body.items()
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


async def _bounded_body(response: httpx.Response) -> bytes:
    """The body, inflated in steps that never hold more than the cap: a gzip bomb costs no memory."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    inflate = zlib.decompressobj(_GZIP_OR_DEFLATE) if encoding in {"gzip", "x-gzip", "deflate"} else None
    if inflate is None and encoding not in {"", "identity"}:
        raise errors.BadAnswer(f"The answer is in an encoding nobody asked for: {clean(encoding)}.")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += inflate.decompress(chunk, LARGEST_BODY + 1 - len(body)) if inflate else chunk
        if len(body) > LARGEST_BODY:
            raise errors.BadAnswer(
                f"The answer is larger than {LARGEST_BODY // 1024 // 1024} MiB and was cut off.",
                "It does not say whether the request took effect.",
                "Check the gateway URL and the proxy.",
            )
    if inflate is not None and not inflate.eof and body:
        raise errors.BadAnswer("The compressed answer was cut off.")
    return bytes(body)
