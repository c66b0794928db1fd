"""Asking the metadata service, which the servers of NCP alone reach, for the keys of the server's role.

A question of its own and no request to a gateway: unsigned, in plain http, never through a proxy, recorded nowhere,
because the answer holds a secret key. Source: the metadata clients of the official Go and Python SDKs.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import ncp_tui
from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.clock import ClockOffset, offset_from
from ncp_tui.gateway.connections import ConnectionPool
from ncp_tui.gateway.endpoints import HOST_AND_PORT, is_loopback, parsed_url
from ncp_tui.gateway.errors import KeysUnavailable
from ncp_tui.gateway.trace import NETWORK_ERRORS

METADATA_SERVICE = "http://169.254.169.254"
SECONDS = 3.0
"""For the whole question; it is what the SDKs give each half of it."""

LARGEST_ANSWER = 16 * 1024
"""Bytes; a pair of keys takes some three hundred."""

_ROLES = "/latest/meta-data/iam/security-credentials/"
_ROLE = re.compile(r"(?!\.+$)[^\s/\\?#<>{}\"']{1,128}")
# As the Python SDK reads them: each is how "there is none" is said.
_NO_ROLE = frozenset({403, 404, 405})
_OK = 200
_REDIRECTS = range(300, 400)
_NOTHING_SENT = "Nothing was sent to NCP."
_OTHER_KEYS = "or choose other keys"


class UnsafeMetadataService(KeysUnavailable):
    """An address at which anybody could hand out keys."""

    kind = "unsafe_metadata_service"


class NotOnServer(KeysUnavailable):
    """Nothing listens where the metadata service is."""

    kind = "not_on_ncp_server"


class NoServerRole(KeysUnavailable):
    """The metadata service has no role for this server."""

    kind = "no_server_role"


class MetadataSilent(KeysUnavailable):
    """The metadata service did not answer in time; outside of NCP that address often swallows what is sent to it."""

    kind = "metadata_silent"


class BadMetadata(KeysUnavailable):
    """An answer without a good pair of keys in it."""

    kind = "bad_metadata"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The response of the metadata service cannot be used: {reason}.",
            _NOTHING_SENT,
            f"Retry; if it persists, check the role of the server in the NCP console, {_OTHER_KEYS}.",
        )


@dataclass(frozen=True)
class RoleAnswer:
    """What is handed out for a role. `text` holds a secret key; the offset is that of the service's clock."""

    role: str
    text: str = field(repr=False)
    clock_offset: ClockOffset | None


def check_metadata_service(url: str, variable: str) -> str:
    """The base URL that `variable` names as `url`, without a slash at its end.

    Whoever answers there decides whose keys are used, so it is this machine or the link-local address itself. Raises
    UnsafeMetadataService, whose text does not hold the URL: what stands before an "@" may be a password.
    """
    url = url.strip()
    parts = parsed_url(url)
    host = (parts.hostname if parts else None) or ""
    is_plain = url.isascii() and url.isprintable() and " " not in url
    is_base = parts and parts.scheme == "http" and HOST_AND_PORT.fullmatch(parts.netloc)
    if parts is None or not is_plain or not is_base or parts.query or parts.fragment or not _is_own(host):
        raise UnsafeMetadataService(
            f"{variable} does not name this machine's metadata service.",
            "It was not contacted: whoever answers there would choose your keys. " + _NOTHING_SENT,
            f"Unset it, or give an http:// URL of {METADATA_SERVICE.removeprefix('http://')} or of a loopback address.",
        )
    # A name would have to be looked up, and somebody could give it another meaning.
    address = "127.0.0.1" if host == "localhost" else f"[{host}]" if ":" in host else host
    return f"http://{address}{f':{parts.port}' if parts.port else ''}{parts.path.rstrip('/')}"


async def ask_for_role(service: str, clock: Callable[[], float], monotonic: Callable[[], float]) -> RoleAnswer:
    """Which role this server has, and what the metadata service at `service` hands out for it.

    Raises NotOnServer, NoServerRole, BadMetadata, and MetadataSilent after SECONDS.
    """
    question = _Question(service, clock, monotonic)
    try:
        async with asyncio.timeout(SECONDS):
            role = _first_role(await question.get(_ROLES))
            text = await question.get(_ROLES + quote(role, safe=""))
    except TimeoutError:
        raise MetadataSilent(
            f"The metadata service did not answer within {SECONDS:g} s.",
            f"Only NCP servers have a metadata service. {_NOTHING_SENT}",
            f"Retry on a server that has a role, {_OTHER_KEYS}.",
        ) from None
    return RoleAnswer(role, text, question.clock_offset)


class _Question:
    """One question, which takes two requests."""

    def __init__(self, service: str, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._service = service
        self._clock = clock
        self._monotonic = monotonic
        self.clock_offset: ClockOffset | None = None
        """By the newest answer."""

    async def get(self, path: str) -> str:
        """The text at `path`."""
        try:
            status, body = await self._sent(path)
        except httpx.ConnectError:
            raise _not_on_server(self._service) from None
        except NETWORK_ERRORS:  # their texts may hold what was received
            raise BadMetadata("it broke off or is not HTTP") from None
        if status in _NO_ROLE:
            raise _no_role(f"HTTP status {status}")
        if status in _REDIRECTS:
            raise BadMetadata("it is a redirect, which is not followed")
        if status != _OK:
            raise BadMetadata(f"HTTP status {status}")
        return body.decode("utf-8-sig", errors="replace")

    async def _sent(self, path: str) -> tuple[int, bytes]:
        headers = {"connection": "close", "user-agent": f"ncp-tui/{ncp_tui.__version__}"}
        request = httpx.Request("GET", self._service + path, headers=headers)
        connections = ConnectionPool(None, None)
        started, began = self._clock(), self._monotonic()
        try:
            head = await connections.handle_async_request(request)
            self.clock_offset = offset_from(head.headers.get_list("date"), started, self._monotonic() - began)
            return head.status_code, await _body(head)
        finally:
            await connections.aclose()


async def _body(head: httpx.Response) -> bytes:
    body = bytearray()
    try:
        async for chunk in head.aiter_raw():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise BadMetadata(f"it is larger than {LARGEST_ANSWER // 1024} KiB")
    finally:
        await head.aclose()
    return bytes(body)


def _first_role(listing: str) -> str:
    if not listing.strip():
        raise _no_role("an empty list")
    role = listing.strip().splitlines()[0].strip()
    if not _ROLE.fullmatch(role) or not role.isprintable():
        raise BadMetadata("it is not a list of roles")
    return role


def _is_own(host: str) -> bool:
    return host == METADATA_SERVICE.removeprefix("http://") or is_loopback(host)


def _not_on_server(service: str) -> NotOnServer:
    return NotOnServer(
        f"There is no metadata service at {service.removeprefix('http://')}.",
        f"Only NCP servers have a metadata service. {_NOTHING_SENT}",
        f"Run ncp-tui on a server that has a role, {_OTHER_KEYS}.",
    )


def _no_role(said: str) -> NoServerRole:
    return NoServerRole(
        f"This server has no role: the metadata service answers with {said}.",
        _NOTHING_SENT,
        f"Attach a role to the server in the NCP console, {_OTHER_KEYS}.",
    )
