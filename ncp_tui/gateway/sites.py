"""Whether two gateway addresses may be one site: there are many ways to write a host, and a proxy may lead anywhere."""

from __future__ import annotations

import re

from ncp_tui.gateway.endpoints import is_loopback, parsed_url, site_of_gateway_url

_PORTS = {"http": 80, "https": 443}
_REGION = re.compile(r"/api/+((?:[a-z]+-)?v\d+)(?:/|$)")


def may_be_one_site(one: str, other: str) -> bool:
    """Whether requests to the base URLs `one` and `other` may reach the same clusters.

    False only where that is certain: two regions, two of NCP's sites, or two ports of this machine. The general gateway
    and the service's own host are one, and so may be a company's proxy and whatever stands behind it. An address that
    cannot be read may be any.
    """
    regions = _region(one), _region(other)
    if None not in regions and regions[0] != regions[1]:
        return False
    sites = site_of_gateway_url(_host_url(one)), site_of_gateway_url(_host_url(other))
    if None not in sites:
        return sites[0] == sites[1]
    ports = _loopback_port(one), _loopback_port(other)
    return None in ports or ports[0] == ports[1]


def is_one_site(one: str, other: str) -> bool:
    """Whether requests to both base URLs certainly reach the same clusters, so that what one says is true of the other.

    Two addresses of which that is not known are not one: a company's proxy may lead anywhere.
    """
    if not may_be_one_site(one, other) or _region(one) != _region(other):
        return False
    if None not in {site_of_gateway_url(_host_url(one)), site_of_gateway_url(_host_url(other))}:
        return True
    places = _place(one), _place(other)
    return None not in places and places[0] == places[1]


def _place(url: str) -> tuple[str, int | None, str] | None:
    """Host, port and path, each in one spelling; this machine has one name."""
    parts = parsed_url(url.strip())
    if parts is None or not _host(url):
        return None
    host = "localhost" if is_loopback(_host(url)) else _host(url)
    path = "/".join(part for part in parts.path.lower().split("/") if part)
    return host, parts.port or _PORTS.get(parts.scheme.lower()), path


def _region(url: str) -> str | None:
    """The last part of the path prefix: `v2`, `sgn-v2`."""
    parts = parsed_url(url.strip())
    found = _REGION.search(parts.path.lower()) if parts else None
    return found[1] if found else None


def _host(url: str) -> str:
    parts = parsed_url(url.strip())
    return ((parts.hostname if parts else None) or "").lower().rstrip(".")


def _host_url(url: str) -> str:
    return f"https://{_host(url)}"


def _loopback_port(url: str) -> int | None:
    parts = parsed_url(url.strip())
    if parts is None or not is_loopback(_host(url)):
        return None
    return parts.port or _PORTS.get(parts.scheme.lower())
