"""Watching one request from inside the connection: the time each phase took, and whether anything left this machine.

httpcore reports its steps to a `trace` extension. That is public, and it is the only honest witness of "not one byte
was sent", which decides between "certainly not started" and "cannot tell".
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore

from ncp_tui.gateway import errors
from ncp_tui.gateway.dns import look_up
from ncp_tui.gateway.endpoints import Endpoint
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
        """Resolve the name before the connection does: timed apart, and where a dead resolver holds nobody."""
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
    what = "Something answered before the request left." if early else "The connection was closed before it was used."
    raise errors.NotReached(what, "Nothing was sent.", "Check the gateway URL and the proxy, and try again.")


def _is_for_proxy(info: dict[str, Any]) -> bool:
    """Whether these are the headers of a CONNECT to a proxy, which carry nothing of ours."""
    request = info.get("request")
    return getattr(request, "method", b"") == b"CONNECT"
