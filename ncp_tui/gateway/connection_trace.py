"""Watching one request from inside the connection: the time each phase took, and whether anything left this machine.

httpcore reports its steps to a `trace` extension. That is public, and it is the only honest witness of "not one byte
was sent", which decides between "certainly not started" and "cannot tell".
"""

from __future__ import annotations

import socket
import time
from functools import partial
from typing import Any

from ncp_tui.gateway.daemon_threads import daemon_call
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import NameNotFound
from ncp_tui.gateway.exchange import Timings

_LOOKUP_TIMEOUT = 10.0
_CONNECT = "connection.connect_tcp"
_TLS = "connection.start_tls"
_SEND = "http11.send_request_headers"
_RECEIVE = "http11.receive_response_headers"


class ConnectionTrace:
    """A `trace` callback for one request."""

    def __init__(self) -> None:
        self.sent = False
        self._started = time.monotonic()
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
                self.sent = True
            self._marks[step] = time.monotonic()
        elif step in self._marks:
            self._spent[step] = time.monotonic() - self._marks[step]

    async def _look_up(self, host: str, port: int) -> None:
        """Resolve the name before the connection does: timed apart, and where a dead resolver blocks nobody."""
        self._connected_to = (host, port)
        started = time.monotonic()
        lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            await daemon_call(lookup, _LOOKUP_TIMEOUT)
        except (OSError, UnicodeError, TimeoutError) as error:
            said = (
                "no answer" if isinstance(error, TimeoutError) else (getattr(error, "strerror", None) or "not a name")
            )
            raise NameNotFound(
                f"The name {host} could not be resolved ({said}).",
                "Nothing was sent.",
                "Check the network and name resolution of this host, and the profile's gateway URL.",
            ) from None
        self._spent["dns"] = time.monotonic() - started

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
            total=time.monotonic() - self._started,
        )

    def proxy_of(self, endpoint: Endpoint) -> str | None:
        """Host and port of the proxy the connection went to, if it was not the endpoint itself."""
        if self._connected_to is None or self._connected_to[0] == endpoint.hostname:
            return None
        return f"{self._connected_to[0]}:{self._connected_to[1]}"


def _is_for_proxy(info: dict[str, Any]) -> bool:
    """Whether these are the headers of a CONNECT to a proxy, which carry nothing of ours."""
    request = info.get("request")
    return getattr(request, "method", b"") == b"CONNECT"
