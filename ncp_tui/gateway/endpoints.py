"""Where an NCP service answers: sites, regions and path prefixes, and what a gateway URL of one's own may be."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

from ncp_tui.problem import Problem

DEFAULT_SITE = "public"
DEFAULT_REGION = "KR"
SEARCH_ENGINE_SERVICE = "vpcsearchengine"


class UnknownEndpoint(Problem):
    """A site, region or gateway URL that no request can go to."""

    kind = "unknown_endpoint"


@dataclass(frozen=True)
class Site:
    """One of NCP's separate clouds, each with its own hosts, accounts and regions."""

    name: str
    title: str
    domain: str
    host_prefix: str
    regions: Mapping[str, str]

    def host(self, service: str) -> str:
        """The host of `service` here, as `vpcsearchengine.apigw.ntruss.com`."""
        return f"{self.host_prefix}{service}.apigw.{self.domain}"


# Hosts and prefixes: api.ncloud-docs.com, api-gov.ncloud-docs.com, api-fin.ncloud-docs.com, and the official Go SDK
# (services/vses2/configuration.go). The region is only in the path; there is no region parameter or header.
SITES: Mapping[str, Site] = MappingProxyType(
    {
        "public": Site(
            "public",
            "Public",
            "ntruss.com",
            "",
            MappingProxyType({"KR": "/api/v2", "SGN": "/api/sgn-v2", "JPN": "/api/jpn-v2"}),
        ),
        "gov": Site(
            "gov", "Government", "gov-ntruss.com", "", MappingProxyType({"KR": "/api/v2", "KRS": "/api/krs-v2"})
        ),
        "fin": Site("fin", "Financial", "fin-ntruss.com", "fin-", MappingProxyType({"FKR": "/api/v2"})),
    }
)


@dataclass(frozen=True)
class Endpoint:
    """Everything a path needs in front of it."""

    site: str
    region: str
    origin: str
    prefix: str

    @property
    def host(self) -> str:
        """Host and port, as the `Host` header has them."""
        return urlsplit(self.origin).netloc

    @property
    def hostname(self) -> str:
        """The host alone, without a port."""
        return urlsplit(self.origin).hostname or ""

    @property
    def base_url(self) -> str:
        """Origin and prefix: what stands before `/cluster/getClusterInfoList`."""
        return self.origin + self.prefix

    @property
    def is_loopback(self) -> bool:
        """Whether requests stay on this machine. Then plain http is allowed and no proxy is used."""
        return is_loopback(self.hostname)

    @property
    def is_foreign(self) -> bool:
        """Whether the host is neither NCP's nor this machine's. It is sent signatures, valid for five minutes."""
        return not self.is_loopback and site_of_gateway_url(self.origin) is None


def endpoint_for(
    site: str = DEFAULT_SITE,
    region: str | None = None,
    gateway_url: str | None = None,
    *,
    service: str = SEARCH_ENGINE_SERVICE,
) -> Endpoint:
    """The endpoint of `service` in a site and region, or at a gateway URL.

    `region` defaults to the site's first. A `gateway_url` may be the general one (`https://ncloud.apigw.ntruss.com`),
    which is mapped to the service's host as the official SDK does; any other is used as it is. The region's prefix is
    appended unless the URL already ends in one. Raises UnknownEndpoint before anything could be sent.
    """
    site, known = _site(site)
    region = (region or next(iter(known.regions))).upper()
    if region not in known.regions:
        raise UnknownEndpoint(
            f"Site {site} has no region {region!r}.",
            "Nothing was sent.",
            f"Regions of {site}: {', '.join(known.regions)}.",
        )
    prefix = known.regions[region]
    if not gateway_url:
        return Endpoint(site, region, f"https://{known.host(service)}", prefix)
    origin, path = _split_gateway_url(gateway_url, service)
    return Endpoint(site, region, origin, path if _VERSION_PREFIX.search(path) else path + prefix)


def check_gateway_url(url: str) -> str:
    """Return `url` without a slash at its end. Raises UnknownEndpoint for one that may not be used."""
    _split_gateway_url(url, SEARCH_ENGINE_SERVICE)
    return url.strip().rstrip("/")


def site_of_gateway_url(url: str) -> str | None:
    """The site a gateway URL belongs to, by its host; None for a host that is not NCP's.

    Only the general gateway and the service's own host are NCP's: below `apigw.ntruss.com` customers have hosts too.
    """
    parts = parsed_url(url.strip())
    host = (parts.hostname if parts else None) or ""
    return next((site.name for site in SITES.values() if host in {site.host(name) for name in _SERVICES}), None)


_GENERAL = "ncloud"
_SERVICES = (_GENERAL, SEARCH_ENGINE_SERVICE)
_VERSION_PREFIX = re.compile(r"/api/(?:[a-z]+-)?v\d+$")
# What is left of a URL once urlsplit has read it may still hold what no host name holds: spaces, backslashes, "@".
HOST_AND_PORT = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d+)?")


def _site(name: str) -> tuple[str, Site]:
    site = SITES.get(name.lower())
    if site is None:
        raise UnknownEndpoint(f"There is no site {name!r}.", "Nothing was sent.", f"Sites: {', '.join(SITES)}.")
    return site.name, site


def _split_gateway_url(url: str, service: str) -> tuple[str, str]:
    url = url.strip()
    parts = parsed_url(url)
    host = parts.hostname if parts else None
    # First, and without showing the URL: what stands before an "@" may be a password.
    if "@" in url or (parts and (parts.query or parts.fragment)):
        raise UnknownEndpoint(
            "A gateway URL contains no user, password, query or fragment.",
            "Nothing was sent.",
            "Keep scheme, host and path only.",
        )
    visible = url.isascii() and url.isprintable() and " " not in url
    if not parts or not host or not visible or parts.scheme not in {"http", "https"}:
        raise UnknownEndpoint(
            f"{url!r} is not a gateway URL.", "Nothing was sent.", "Use one like https://host or https://host/api/v2."
        )
    if not HOST_AND_PORT.fullmatch(parts.netloc):
        raise UnknownEndpoint(
            f"{parts.netloc!r} is not a host.", "Nothing was sent.", "Use one like https://host or https://host:8443."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise UnknownEndpoint(
            f"{url!r} is plain http.",
            "Nothing was sent: anyone on the way could read and replay the request.",
            "Use https; plain http is allowed on loopback only.",
        )
    return f"{parts.scheme}://{_service_host(parts.netloc, service)}", parts.path.rstrip("/")


def parsed_url(url: str) -> SplitResult | None:
    """The parts of `url`; None where it has none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # an impossible port shows only when it is asked for
    except ValueError:
        return None
    return parts


def _service_host(netloc: str, service: str) -> str:
    """The service's host for the general gateway, with its port or without; any other host as it is."""
    for site in SITES.values():
        if netloc.lower().removesuffix(":443") == site.host(_GENERAL):
            return site.host(service)
    return netloc


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, by an address or the one name that everybody knows."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_PORTS = {"http": 80, "https": 443}
_REGION = re.compile(r"/api/+((?:[a-z]+-)?v\d+)(?:/|$)")


def may_reach_same_clusters(one: str, other: str) -> bool:
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


def reach_same_clusters(one: str, other: str) -> bool:
    """Whether requests to both base URLs certainly reach the same clusters, so that what one says is true of the other.

    Two addresses of which that is not known are not one: a company's proxy may lead anywhere.
    """
    if not may_reach_same_clusters(one, other) or _region(one) != _region(other):
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
