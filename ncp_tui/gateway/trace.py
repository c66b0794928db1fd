"""Watching one request from inside the connection: the time each phase took, and whether anything left this machine.

httpcore reports its steps to a `trace` extension. That is public, and it is the only honest witness of "not one byte
was sent", which decides between "certainly not started" and "unknown". From it follows
what an exception of the network means for the request.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore

from ncp_tui.gateway import errors
from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.connections import look_up
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import Timings

_LOOK_SECONDS = 0.005
_CONNECT = "connection.connect_tcp"
_TLS = "connection.start_tls"
_SEND = "http11.send_request_headers"
_RECEIVE = "http11.receive_response_headers"


@dataclass(frozen=True)
class ProxyAnswer:
    """A proxy's answer to a CONNECT: its status, and the ways of authentication that it offers, in lower case."""

    status: int
    schemes: frozenset[str]


class RequestTrace:
    """A `trace` callback for one request."""

    def __init__(
        self,
        before_send: Callable[[], Awaitable[None]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        looks: bool = False,
    ) -> None:
        """Await `before_send` when all is ready, before the first byte of the request leaves.

        With `looks`, nothing leaves on a new connection on which something has come already: it would be taken for the
        answer.
        """
        self.sent = False
        self.hook_error: Exception | None = None
        """What `before_send` raised, or the look after it: the request was ready, and was not sent because of it."""
        self.is_connected = False
        """Whether there was a connection to send on. With nothing sent, it was `before_send` that did not end."""
        self.proxy_answer: ProxyAnswer | None = None
        """What a proxy said to our CONNECT, if it said anything."""
        self._before_send = before_send
        self._looks = looks
        self._stream: Any = None
        self._monotonic = monotonic
        self._started = monotonic()
        self._left: float | None = None
        self._marks: dict[str, float] = {}
        self._spent: dict[str, float] = {}
        self._connected_to: tuple[str, int] | None = None

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Take one event, as `connection.connect_tcp.started`."""
        step, _, moment = event.rpartition(".")
        if step == _SEND and _is_for_proxy(info):
            return
        if moment == "started":
            if step == _CONNECT:
                await self._look_up(info["host"], info["port"])
            if step == _SEND:
                await self._before_the_first_byte()
            self._marks[step] = self._monotonic()
        elif moment == "complete" and step.endswith((".connect_tcp", ".start_tls")):
            self._stream = info.get("return_value")
        if moment != "started" and step in self._marks:
            self._spent[step] = self._monotonic() - self._marks[step]
            if step == _RECEIVE and moment == "complete" and not self.sent:
                self.proxy_answer = _proxy_answer(info["return_value"])

    async def _before_the_first_byte(self) -> None:
        self.is_connected = True
        try:
            if self._before_send is not None:
                await self._before_send()
            if self._looks and self._stream is not None:
                await _check_silence(self._stream)
        except Exception as error:
            self.hook_error = error
            raise
        self.sent = True
        self._left = self._monotonic()

    async def _look_up(self, host: str, port: int) -> None:
        """Resolve the name before the connection does: timed apart, and where a dead resolver holds up nothing."""
        self._connected_to = (host, port)
        started = self._monotonic()
        await look_up(host, port)
        self._spent["dns"] = self._monotonic() - started

    def before_leaving(self) -> float:
        """Seconds from the start until the request left; all went to connecting and getting ready."""
        return 0.0 if self._left is None else self._left - self._started

    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._monotonic() - self._started

    def timings(self) -> Timings:
        """What is known so far."""
        first_byte = None
        if _RECEIVE in self._spent:
            first_byte = self._spent[_RECEIVE] + self._spent.get(_SEND, 0.0)
        return Timings(
            dns=self._spent.get("dns"),
            connect=self._spent.get(_CONNECT),
            tls=self._spent.get(_TLS),
            first_byte=first_byte,
            total=self.elapsed(),
        )

    def proxy_of(self, endpoint: Endpoint) -> str | None:
        """Host and port of the proxy the connection went to, if it was not the endpoint itself."""
        if self._connected_to is None or self._connected_to[0] == endpoint.hostname:
            return None
        return f"{self._connected_to[0]}:{self._connected_to[1]}"


def _proxy_answer(head: Sequence[Any]) -> ProxyAnswer:
    """Read the head of an answer as httpcore traces it: version, status, reason, headers."""
    offers = (value for name, value in head[3] if name.lower() == b"proxy-authenticate")
    schemes = frozenset(offer.decode("latin-1").partition(" ")[0].lower() for offer in offers)
    return ProxyAnswer(head[1], schemes)


async def _check_silence(stream: Any) -> None:
    """Look whether anything has come before the request left. Raises NotReached.

    Reading is the only look that holds for TLS as well, where a readable socket may be a session ticket.
    """
    try:
        early = await stream.read(1, timeout=_LOOK_SECONDS)
    except httpcore.ReadTimeout:  # the stream is httpcore's own, and so are its exceptions
        return
    except httpcore.NetworkError:
        early = b""
    what = (
        "A response arrived before the request was sent." if early else "The connection was closed before it was used."
    )
    raise errors.NotReached(what, "Nothing was sent.", "Check the gateway URL and the proxy, then retry.")


def _is_for_proxy(info: dict[str, Any]) -> bool:
    """Whether these are the headers of a CONNECT to a proxy, which carry nothing of ours."""
    request = info.get("request")
    return getattr(request, "method", b"") == b"CONNECT"


# OSError is the deadline's TimeoutError, and TLS alerts after the handshake, which httpx hands on as they are.
NETWORK_ERRORS = (OSError, zlib.error, httpx.HTTPError)

_TIMEOUTS = (TimeoutError, httpx.TimeoutException)

_NOTHING_SENT = "Nothing was sent."
_CHECK_THE_WAY = "Check the network, the proxy and the profile's gateway URL."
_TRUST_THE_PROXY = "If the proxy of your company issues certificates, set its CA as the CA bundle of the profile."
_CHECK_WHO_ANSWERS = "Check the gateway URL of the profile, and whether a proxy or a login page answers instead of NCP."
_CHECK_THE_DATE = (
    "Check the date of this machine. If it is right, the operator of that host has to renew the certificate."
)
# By OpenSSL's number of the reason, where no CA bundle would help.
_CERTIFICATE_ADVICE = {
    9: _CHECK_THE_DATE,  # X509_V_ERR_CERT_NOT_YET_VALID
    10: _CHECK_THE_DATE,  # X509_V_ERR_CERT_HAS_EXPIRED
    62: _CHECK_WHO_ANSWERS,  # X509_V_ERR_HOSTNAME_MISMATCH
    64: _CHECK_WHO_ANSWERS,  # X509_V_ERR_IP_ADDRESS_MISMATCH
}


def classify_failure(error: Exception, trace: RequestTrace, endpoint: Endpoint, deadline: float) -> GatewayError:
    """The GatewayError for `error`. What was sent decides first; an exception's own text is never shown.

    Texts of h11 and ssl may hold header values, and those hold the signature. `deadline` is in seconds.
    """
    if not trace.sent and trace.is_connected:
        return errors.NotReached(
            f"The request could not be prepared within {deadline:.3g} s.",
            _NOTHING_SENT,
            "Retry, and check whether the disk is busy.",
        )
    if not trace.sent:
        return _not_sent(error, trace, endpoint)
    if isinstance(error, _TIMEOUTS):
        waited = f"{deadline:.3g} s" if isinstance(error, TimeoutError) else "the time allowed"
        return errors.AnswerLost(
            f"No complete response within {waited}.",
            "The request was sent; it may or may not have taken effect.",
            "Check the history before you retry.",
        )
    if isinstance(error, zlib.error):
        return errors.BadAnswer(
            "The compressed response cannot be read.",
            "The request may or may not have taken effect.",
            "Check the history before you retry.",
        )
    return errors.AnswerLost(
        "The connection was lost before the response was complete.",
        "The request was sent; it may or may not have taken effect.",
        "Check the history before you retry.",
    )


def _not_sent(error: Exception, trace: RequestTrace, endpoint: Endpoint) -> GatewayError:
    where = trace.proxy_of(endpoint) or endpoint.host
    certificate = _cause(error, ssl.SSLCertVerificationError)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        return errors.TlsFailed(
            f"The certificate of {where} is not trusted: {certificate.verify_message.rstrip('.')}.",
            _NOTHING_SENT,
            _CERTIFICATE_ADVICE.get(certificate.verify_code, _TRUST_THE_PROXY),
        )
    if _cause(error, ssl.SSLError):
        if isinstance(error, _TIMEOUTS):
            said = f"{where} accepted the connection, but did not answer the TLS handshake in time."
            return errors.TlsFailed(said, _NOTHING_SENT, _CHECK_THE_WAY)
        return errors.TlsFailed(f"No TLS connection could be made to {where}.", _NOTHING_SENT, _CHECK_THE_WAY)
    if isinstance(error, httpx.ProxyError):
        return _refused_by_proxy(where, trace.proxy_answer, endpoint)
    if isinstance(error, _TIMEOUTS):
        return errors.NotReached(f"{where} did not accept a connection in time.", _NOTHING_SENT, _CHECK_THE_WAY)
    if _cause(error, ConnectionRefusedError):
        return errors.NotReached(f"{where} refused the connection.", _NOTHING_SENT, _CHECK_THE_WAY)
    return errors.NotReached(f"{where} could not be reached.", _NOTHING_SENT, _CHECK_THE_WAY)


def _refused_by_proxy(proxy: str, answer: ProxyAnswer | None, endpoint: Endpoint) -> errors.ProxyRefused:
    """What a proxy meant by its status; 502 to 504 are about the gateway, which it could not get to."""
    status = answer.status if answer else None
    what, next_step = f"The proxy {proxy} did not make the connection ({status or 'no status'}).", "Check the proxy."
    if answer and status == _PROXY_AUTHENTICATION:
        what = f"The proxy {proxy} requires a user and a password, or other ones ({status})."
        next_step = "Give them in HTTPS_PROXY as http://USER:PASSWORD@HOST:PORT, with special characters as %23."
        if answer.schemes and "basic" not in answer.schemes:
            offered = ", ".join(sorted(answer.schemes))
            next_step = f"It accepts {offered} only, which ncp-tui does not support: use a local proxy that does."
    elif status == _FORBIDDEN:
        what = f"The proxy {proxy} does not allow connections to {endpoint.host} ({status})."
        next_step = f"Ask the operator of the proxy to allow {endpoint.host}, or name it in NO_PROXY."
    elif status in _NO_WAY_ON:
        what = f"The proxy {proxy} cannot reach {endpoint.host} ({status})."
        next_step = "Retry later; if it persists, ask the operator of the proxy."
    error = errors.ProxyRefused(what, _NOTHING_SENT, next_step)
    error.proxy_status = status
    return error


_FORBIDDEN, _PROXY_AUTHENTICATION = 403, 407
_NO_WAY_ON = frozenset({502, 503, 504})


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The first exception of `kind` behind `error`; httpx and anyio wrap the system's own."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        if isinstance(current, kind):
            return current
        seen.add(id(current))
        todo += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            todo += list(current.exceptions)
    return None
