"""Sending one signed request, bounded in time and size, and recording what happened to it whatever that was."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import ncp_tui
from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.body_reader import BodyReader
from ncp_tui.gateway.classify import classify_answer, request_id_of
from ncp_tui.gateway.clock import ClockOffset, offset_from, retry_after
from ncp_tui.gateway.connections import CONNECTIONS, FRESH, ConnectionPool, loaded_tls_context
from ncp_tui.gateway.credentials import Credentials, KeySource, SecretKey, mask_access_key
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import AuthenticationFailed, BadAnswer, GatewayError, Throttled
from ncp_tui.gateway.exchange import (
    ACCESS_KEY_HEADER,
    MASKED,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Answer,
    Exchange,
    Headers,
    RequestRecord,
)
from ncp_tui.gateway.proxies import proxy_for
from ncp_tui.gateway.request import ApiCall, Body
from ncp_tui.gateway.signature import SignatureV2, string_to_sign, target_of
from ncp_tui.gateway.trace import NETWORK_ERRORS, RequestTrace, classify_failure
from ncp_tui.problem import Problem
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.inert_json import MOST_VALUES, TooManyValues, decode
from ncp_tui.system.secret_traces import Traces
from ncp_tui.text import clean

_LARGE_BODY = 32 * 1024
"""Bytes from which an answer is parsed on a thread of its own: on the loop 8 MiB would stop every key for 0.2 s."""

_PARSING_SECONDS = 30.0


@dataclass
class _AttemptResult:
    """What one attempt came to."""

    keys: Credentials | None = None
    """What it was signed with; None where there was nothing to sign with."""
    payload: Any = None
    problem: Exception | None = None
    answer: Answer | None = None
    offset: ClockOffset | None = None
    """The clock's, as this answer's own date has it."""

    @property
    def is_refused_for_its_signature(self) -> bool:
        """401/200 in the gateway's own words: certain to have had no effect. Any other 401 may be anybody's."""
        problem = self.problem
        return isinstance(problem, AuthenticationFailed) and not problem.may_have_acted


class GatewayClient:
    """A signing HTTP client for one endpoint and one caller. Close it with `aclose`."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: KeySource,
        *,
        record: Callable[[Exchange], None] = lambda _: None,
        ca_bundle: str | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        environ: Mapping[str, str] = os.environ,
        transport: httpx.AsyncBaseTransport | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        """Talk to `endpoint` as `credentials`, the source of the pair for each attempt; attempts are given to `record`.

        Proxies come from the environment as curl reads it, except that a loopback gateway is always reached directly.
        Certificates are read when the first request needs them, so UnusableCaBundle comes out of `send`. `monotonic` is
        a clock in seconds that is never set. At most `connections` are open at the same time for reads: so many
        requests are on their way. `transport` replaces the network in tests. Raises UnusableProxy.
        """
        self.endpoint = endpoint
        self.clock_offset: ClockOffset | None = None
        self._credentials = credentials
        self._record = record
        self._ca_bundle = ca_bundle
        self._clock = clock
        self._monotonic = monotonic
        self._environ = environ
        self._proxy = proxy_for(endpoint, environ)
        self._transport = transport
        self._connections = connections
        self._is_corrected = False
        self._sent = Traces()
        """Of each secret that was sent in a body: whoever has it may repeat it in any later answer."""

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()

    def now(self) -> datetime:
        """The time by this machine's clock."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def keep_out(self, *secrets: SecretKey) -> None:
        """Leave every trace of `secrets` out of the records of whatever comes from now on, sent already or not yet."""
        self._sent = self._sent.of(*(secret.reveal().encode().decode("latin-1") for secret in secrets))

    def preview(self, call: ApiCall) -> RequestRecord:
        """The request `call` would send, without sending it."""
        return self._recorded(self._request(call), call)

    async def send(self, call: ApiCall, *, attempt: int = 1) -> Any:
        """Send `call` and return the decoded, inert JSON of a confirmed success.

        Raises a GatewayError that says what is known, or what `call.before_send` raised, and records an Exchange in
        every case, cancellation included. Nothing is repeated but this: a request that the gateway refused for its
        signature, by an answer whose date shows that it was signed with a wrong time, is signed with the right one and
        sent once more, unless that date is more than a day away or `call.corrects_clock` forbids it. The refusal proves
        that it had no effect. If that helps, this machine's clock is corrected for from then on.
        """
        correction = self._correction
        ended = await self._attempt(call, attempt, correction)
        measured = ended.offset if ended.is_refused_for_its_signature and call.corrects_clock else None
        if measured is not None and measured.is_believable and measured.after(correction).is_worrying:
            correction = measured.correction if measured.is_worrying else 0.0
            ended = await self._attempt(call, attempt + 1, correction)
            if ended.answer is not None:
                self._is_corrected = correction != 0 and not ended.is_refused_for_its_signature
        if ended.problem is not None:
            raise ended.problem
        return ended.payload

    @property
    def _correction(self) -> float:
        """Seconds to add to local time for signing: none, until a refusal has shown that it takes some."""
        return self.clock_offset.correction if self._is_corrected and self.clock_offset is not None else 0.0

    async def _attempt(self, call: ApiCall, attempt: int, correction: float) -> _AttemptResult:
        trace = RequestTrace(call.before_send, self._monotonic, looks=call.has_effect)
        request = self._request(call, trace)
        started = self._clock()
        incoming, ended = BodyReader(), _AttemptResult()
        self.keep_out(*(value for value in (call.body or {}).values() if isinstance(value, SecretKey)))
        try:
            keys = ended.keys = await self._credentials.current()
            async with asyncio.timeout(call.timeouts.total):
                transport = await self._ready()
                next(SignatureV2(keys, lambda: self._clock() + correction).auth_flow(request))
                head = await transport.handle_async_request(request)
                ended.offset = self._measured(head, started, trace)
                await incoming.read(head)
            answer, ended.payload, excess = await _taken_in(incoming, _secrets(request, call, keys), self._sent, call)
            ended.answer = answer
        except asyncio.CancelledError:
            exchange = self._exchange(call, request, trace, started, attempt)
            self._record(replace(exchange, error="cancelled", error_text="Cancelled before a response arrived."))
            raise
        except Exception as error:
            if trace.hook_error is not None:
                ended.problem = trace.hook_error
            elif isinstance(error, GatewayError):
                ended.problem = error
            elif isinstance(error, NETWORK_ERRORS):
                ended.problem = classify_failure(error, trace, self.endpoint, call.timeouts.total)
            else:
                raise
            ended.answer = incoming.answer(_secrets(request, call, ended.keys), self._sent) if incoming.head else None
        else:
            offset = ended.offset or self.clock_offset
            ended.problem = excess or self._classified(answer, ended.payload, call, offset, correction)
        self._record_attempt(ended, self._exchange(call, request, trace, started, attempt))
        return ended

    async def _ready(self) -> httpx.AsyncBaseTransport:
        """The connections; the first request makes them, since certificates are read from disk for that."""
        if self._transport is None:
            plain = self.endpoint.origin.startswith("http:")
            context = None if plain else await loaded_tls_context(self._ca_bundle, self._environ)
            if self._transport is None:  # still: another request may have been faster
                self._transport = ConnectionPool(context, self._proxy, self._connections)
        return self._transport

    def _request(self, call: ApiCall, trace: RequestTrace | None = None) -> httpx.Request:
        timeouts = call.timeouts
        headers = {
            # The body is inflated by us in bounded steps. Not "deflate": servers disagree on what it means.
            "accept-encoding": "gzip",
            "connection": "keep-alive",
            "user-agent": f"ncp-tui/{ncp_tui.__version__}",
            "accept": "application/json",
        }
        content = None if call.body is None else encode_body(call.body, reveal=True)
        if content is not None:
            headers["content-type"] = "application/json; charset=utf-8"
        timeout = httpx.Timeout(timeouts.read, connect=timeouts.connect)
        return httpx.Request(
            call.method,
            f"{self.endpoint.base_url}/{call.path.lstrip('/')}",
            params=httpx.QueryParams(call.query) if call.query else None,
            headers=headers,
            content=content,
            extensions={"timeout": timeout.as_dict(), FRESH: call.has_effect} | ({"trace": trace} if trace else {}),
        )

    def _measured(self, head: httpx.Response, started: float, trace: RequestTrace) -> ClockOffset | None:
        """The clock's offset by this answer; kept as the newest, unless it says nothing about a clock."""
        left = trace.before_leaving()
        offset = offset_from(head.headers.get_list("date"), started + left, trace.elapsed() - left)
        if offset is not None and not offset.is_absurd:
            self.clock_offset = offset
        return offset

    def _classified(
        self, answer: Answer, payload: Any, call: ApiCall, offset: ClockOffset | None, correction: float
    ) -> GatewayError | None:
        problem = classify_answer(
            answer,
            payload,
            boolean=call.boolean,
            null_refuses=call.null_refuses,
            offset=offset,
            correction=correction,
        )
        if isinstance(problem, Throttled):
            problem.retry_after = retry_after(answer, self._clock() + correction)
        return problem

    def _record_attempt(self, ended: _AttemptResult, exchange: Exchange) -> None:
        """Record what is known of an attempt, and tie its error to the record."""
        answer, problem = ended.answer, ended.problem
        exchange = replace(
            exchange,
            sent=exchange.sent or answer is not None,
            answer=answer,
            request_id=request_id_of(ended.payload),
            code=_code_of(answer, problem),
            may_have_acted=not isinstance(problem, GatewayError) or problem.may_have_acted,
        )
        if isinstance(problem, Problem):
            exchange = replace(exchange, error=problem.kind, error_text=problem.what)
        elif problem is not None:
            exchange = replace(exchange, error="held_back", error_text="The request was ready and was not sent.")
        if isinstance(problem, GatewayError):
            problem.exchange = exchange
        self._record(exchange)

    def _exchange(
        self, call: ApiCall, request: httpx.Request, trace: RequestTrace, started: float, attempt: int
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

    def _recorded(self, request: httpx.Request, call: ApiCall) -> RequestRecord:
        return record_request(request, call, self.endpoint.origin, self._credentials.masked)


def _secrets(request: httpx.Request, call: ApiCall, keys: Credentials | None) -> list[SecretKey]:
    """The secrets that an answer may repeat."""
    values = [keys.secret_key if keys else None, *(call.body or {}).values()]
    signature = request.headers.get(SIGNATURE_HEADER)
    return [value for value in values if isinstance(value, SecretKey)] + [SecretKey(signature)] * bool(signature)


def _code_of(answer: Answer | None, problem: Exception | None) -> str | None:
    if answer is None:
        return None
    return problem.code if isinstance(problem, GatewayError) else "0"


async def _taken_in(
    incoming: BodyReader, secrets: list[SecretKey], sent: Traces, call: ApiCall
) -> tuple[Answer, Any, BadAnswer | None]:
    """A whole answer, what is in it, and why it is more than can be used."""

    def take_in() -> tuple[Answer, Any, BadAnswer | None]:
        answer = incoming.answer(secrets, sent)
        try:
            decoded = decode(answer.body)
        except TooManyValues:
            return answer, None, _too_many()
        except ValueError:
            return answer, None, None
        # What is missing of an answer could deny what the rest of it confirms.
        return answer, decoded.value, _too_many() if decoded.is_cut and call.boolean else None

    if len(incoming.body) <= _LARGE_BODY:
        return take_in()
    return await run_blocking(take_in, _PARSING_SECONDS)


def _too_many() -> BadAnswer:
    return BadAnswer(
        f"The response has more than {MOST_VALUES:,} values and was not read.",
        "The request may or may not have taken effect.",
        "Check the gateway URL and the proxy: NCP does not answer like this.",
    )


_BUILDING = "(made when it is sent)"


def record_request(request: httpx.Request, call: ApiCall, origin: str, masked: str) -> RequestRecord:
    """The record of `request`, made for `call`; `masked` is the access key of one that is not signed."""
    access_key = request.headers.get(ACCESS_KEY_HEADER)
    masked = mask_access_key(access_key) if access_key else masked
    timestamp = request.headers.get(TIMESTAMP_HEADER, _BUILDING)
    return RequestRecord(
        method=request.method,
        origin=origin,
        target=target_of(request),
        headers=_shown_headers(request.headers, masked, hides_length=call.has_secret),
        body="" if call.body is None else encode_body(call.body, reveal=False).decode(),
        string_to_sign=string_to_sign(request.method, target_of(request), timestamp, masked),
        has_effect=call.has_effect,
    )


def encode_body(body: Body, *, reveal: bool) -> bytes:
    """`body` as JSON: with its secrets as it is sent, masked as it is shown."""
    plain = {
        name: (value.reveal() if reveal else MASKED) if isinstance(value, SecretKey) else value
        for name, value in body.items()
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


def _shown_headers(headers: httpx.Headers, masked_access_key: str, *, hides_length: bool) -> Headers:
    """The headers to show: in sending order, signing headers always there, nothing secret in them.

    The length of a body that holds a secret tells that of the secret.
    """
    hidden = {ACCESS_KEY_HEADER: masked_access_key, SIGNATURE_HEADER: MASKED, "proxy-authorization": MASKED}
    if hides_length:
        hidden["content-length"] = MASKED
    shown = [(name, hidden.get(name, clean(value))) for name, value in headers.multi_items()]
    names = {name for name, _ in shown}
    signing = ((TIMESTAMP_HEADER, _BUILDING), (ACCESS_KEY_HEADER, masked_access_key), (SIGNATURE_HEADER, MASKED))
    return (*shown, *(pair for pair in signing if pair[0] not in names))
