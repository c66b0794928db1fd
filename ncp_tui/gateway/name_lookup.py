"""From a name to addresses, on a daemon thread: the one step of a connection that nothing can cut short.

httpcore would look names up on asyncio's own threads, and those are joined when the program ends: a resolver that hangs
would hold it. So names are looked up here, timed apart from connecting, and connections are made to the addresses.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from functools import partial
from itertools import chain, zip_longest

import httpcore

from ncp_tui.gateway.daemon_threads import daemon_call
from ncp_tui.gateway.errors import NameNotFound

LOOKUP_TIMEOUT = 10.0
"""Seconds after which a name server that does not answer is given up."""

_MOST_ADDRESSES = 4


class Names:
    """Names of one client: looked up before each connection, and kept for just that connection."""

    def __init__(self) -> None:
        self._addresses: dict[tuple[str, int], list[str]] = {}

    async def look_up(self, host: str, port: int) -> None:
        """Find the addresses of `host`. Raises NameNotFound."""
        lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        said = "it has no address"
        try:
            found = await daemon_call(lookup, LOOKUP_TIMEOUT)
        except TimeoutError:
            found, said = [], "no answer"
        except (OSError, UnicodeError) as error:
            found, said = [], getattr(error, "strerror", None) or "not a name"
        if not found:
            raise NameNotFound(
                f"The name {host} could not be resolved ({said}).",
                "Nothing was sent.",
                "Check the network and name resolution of this host, and the profile's gateway URL.",
            )
        self._addresses[host, port] = in_turns((family, str(address[0])) for family, _, _, _, address in found)

    def addresses(self, host: str, port: int) -> list[str]:
        """What the last lookup of `host` found, in the order in which to try."""
        return self._addresses[host, port]


def in_turns(found: Iterable[tuple[int, str]]) -> list[str]:
    """A few addresses in the resolver's order of preference, but the families in turns.

    On a host whose IPv6 leads nowhere, four such addresses in front would use up the time for connecting.
    """
    families: dict[int, list[str]] = {}
    for family, address in found:
        known = families.setdefault(family, [])
        if address not in known:
            known.append(address)
    mixed = chain.from_iterable(zip_longest(*families.values()))
    return [address for address in mixed if address is not None][:_MOST_ADDRESSES]


class AddressBackend(httpcore.AsyncNetworkBackend):
    """Connects to the addresses in `names`, so that nobody resolves a name behind our back."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; each gets its share of `timeout`, so no dead one takes it all."""
        addresses = self._names.addresses(host, port)
        ends = None if timeout is None else time.monotonic() + timeout
        for number, address in enumerate(addresses, start=1):
            share = None if ends is None else max(0.0, ends - time.monotonic()) / (len(addresses) - number + 1)
            try:
                return await self._sockets.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        """Pause; asked for by httpcore where it retries, which it is told not to."""
        await self._sockets.sleep(seconds)
