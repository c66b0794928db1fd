"""Whether a name has an address: the one step of a connection that nothing can cut short.

The connection looks the name up once more, as every client does. This look comes first because it tells a name that is
not known from a host that does not answer, and how long each took.
"""

from __future__ import annotations

import socket
from functools import partial

from ncp_tui.gateway.errors import NameNotFound
from ncp_tui.system.blocking import run_blocking

LOOKUP_TIMEOUT = 10.0
"""Seconds after which a name server that does not answer is given up."""


async def look_up(host: str, port: int) -> None:
    """Look whether `host` has an address. Raises NameNotFound."""
    lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    said = "it has no address"
    try:
        found = await run_blocking(lookup, LOOKUP_TIMEOUT)
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
