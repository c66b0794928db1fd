"""The proxy on the way to a gateway: which one the environment names, and for which hosts there is none.

The variables are read as curl 7.88 reads them (`url.c` and `noproxy.c`), since that is what a bastion host was set up
with: the lower-case name first, an empty one counts as not set, and NO_PROXY is a list of names, addresses and CIDR
blocks between commas or blanks.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Mapping
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.endpoints import HOST_AND_PORT, Endpoint
from ncp_tui.problem import Problem

PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""Where a proxy may be named, in the order of curl. Only https is ever sent through one."""

_NO_PROXY_VARIABLES = ("no_proxy", "NO_PROXY")
_WITH_SETTINGS = ("darwin", "win32")
_SEPARATORS = re.compile(r"[ \t,]+")
# Everything before the last "@" is user and password: one that was pasted as it is may hold "@", "#", "?" and "/",
# where the host of a URL would end, and what stands before them is no host.
_URL = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?:(?P<user>.*)@)?(?P<place>[^@]*)", re.DOTALL)
_LAST_PORT = 65535


class UnusableProxy(Problem):
    """The environment names a proxy that we cannot speak to."""

    kind = "unusable_proxy"


def proxy_for(endpoint: Endpoint, environ: Mapping[str, str]) -> httpx.Proxy | None:
    """The proxy that `environ`, or the system, names for `endpoint`; none on loopback. Raises UnusableProxy.

    No message holds a piece of the URL: any of it may be a password.
    """
    if endpoint.is_loopback:
        return None
    variable = next((name for name in PROXY_VARIABLES if environ.get(name)), None)
    excepted = next((environ[name] for name in _NO_PROXY_VARIABLES if environ.get(name)), "")
    if variable is not None:
        return None if is_excepted(endpoint.hostname, excepted) else parsed_proxy(environ[variable], variable)
    if sys.platform in _WITH_SETTINGS and not is_excepted(endpoint.hostname, excepted):
        url = getproxies().get("https")
        return parsed_proxy(url, "the system's settings") if url and not proxy_bypass(endpoint.hostname) else None
    return None


def parsed_proxy(url: str, where: str) -> httpx.Proxy:
    """The proxy that `url` names; a user and a password in it are percent-decoded. Raises UnusableProxy.

    `where` is what the user has to change, as HTTPS_PROXY.
    """
    parts = _URL.fullmatch(url.strip())
    scheme, user, place = (parts["scheme"] or "http", parts["user"], parts["place"]) if parts else ("", None, "")
    if scheme.lower() not in {"http", "https"}:
        raise _unusable(
            f"The proxy in {where} is not an http:// or https:// proxy.", "SOCKS is not supported: name another proxy."
        )
    place = place.removesuffix("/")
    if not HOST_AND_PORT.fullmatch(place) or (place.startswith("[") and not _address(place[1 : place.index("]")])):
        raise _unusable(f"The proxy in {where} is not a host and a port.", "Write it as http://host:3128.")
    port = re.search(r":(\d+)$", place)
    if port and not 1 <= int(port[1][-6:]) <= _LAST_PORT:
        raise _unusable(f"The port of the proxy in {where} is out of range.", "A port is a number from 1 to 65535.")
    name, _, password = (user or "").partition(":")
    return httpx.Proxy(f"{scheme}://{place}", auth=None if user is None else (unquote(name), unquote(password)))


def is_excepted(host: str, no_proxy: str) -> bool:
    """Whether `no_proxy` says that `host`, a name or an address without brackets, is reached without a proxy."""
    if no_proxy == "*":
        return True
    entries = [entry for entry in _SEPARATORS.split(no_proxy) if entry]
    address = _address(host)
    if address is not None:
        return any(_holds(entry, address) for entry in entries)
    name = host.removesuffix(".").lower()
    domains = (entry.removesuffix(".").removeprefix(".").lower() for entry in entries)
    return any(name == domain or (domain and name.endswith(f".{domain}")) for domain in domains)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _holds(entry: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address or a CIDR block of the list is, or holds, `address`. Blocks may have bits set in the host."""
    block, slash, bits = entry.partition("/")
    if _address(block) is None:
        return False
    if not slash:
        return _address(block) == address
    digits = re.match(r"\d+", bits)  # as atoi: what does not begin with a digit is no number of bits, and 0 is all
    wanted = int(digits[0]) if digits else 0
    try:
        network = ipaddress.ip_network(f"{block}/{wanted or address.max_prefixlen}", strict=False)
    except ValueError:
        return False
    return address.version == network.version and address in network


def _unusable(what: str, next_step: str) -> UnusableProxy:
    return UnusableProxy(what, "Nothing was sent.", next_step)
