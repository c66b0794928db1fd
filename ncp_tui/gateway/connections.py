"""The connections of one gateway: the name is looked up, TLS is verified, and one request goes out as it is.

A request goes straight to the transport of httpx: its client would follow redirects unless told otherwise, keep
cookies, and lose an answer whose `Location` it cannot read. Verification is always on, and there is no switch for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import truststore

from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.errors import NameNotFound, TlsFailed
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS

FRESH = "fresh"
"""A request's extension: whether it goes out on a connection that was never used, which is closed after it."""

CONNECTIONS = 4
"""To one gateway, unless chosen: NCP publishes no limit of requests, so we stay far below any."""

_IDLE_SECONDS = 5.0
_CLOSING_SECONDS = 1.0


class ConnectionPool(httpx.AsyncBaseTransport):
    """Sends one request as it is and hands back what comes. Raises httpx's exceptions.

    httpcore's pool, which is what httpx's transport is made of, keeps a connection for good whose request was cut off
    at the wrong moment: it guards itself against anyio's way of cancelling, not against asyncio's (measured: after 200
    cancelled reads none of four was left, and every request waited in vain). So a pool that had a failure is replaced,
    and closed when its last request has ended.
    """

    def __init__(
        self, context: ssl.SSLContext | None, proxy: httpx.Proxy | None, connections: int = CONNECTIONS
    ) -> None:
        """Connect through `proxy` if there is one; `context` is for TLS, and there is none where nothing needs it.

        At most `connections` are open at the same time, beside those of requests that want a fresh one.
        """
        # Told to verify, httpx would read the certificates of the system for a gateway without TLS as well.
        context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if proxy is not None and proxy.url.scheme == "https":
            proxy = httpx.Proxy(proxy.url, auth=proxy.auth, ssl_context=context)
        limits = httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_IDLE_SECONDS
        )
        self._new_transport = partial(
            httpx.AsyncHTTPTransport, verify=context, trust_env=False, proxy=proxy, limits=limits
        )
        self._pool = _Pool(self._new_transport())
        self._closing: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and return its answer, the body still to be read and closed."""
        pool = _Pool(self._new_transport()) if request.extensions.get(FRESH) else self._pool
        pool.requests += 1
        try:
            response = await pool.transport.handle_async_request(request)
        except BaseException:
            self._ended(pool, well=False)
            raise
        response.stream = _Body(cast("httpx.AsyncByteStream", response.stream), partial(self._ended, pool))
        return response

    def _ended(self, pool: _Pool, *, well: bool) -> None:
        pool.requests -= 1
        if not well and pool is self._pool:
            self._pool = _Pool(self._new_transport())
        if pool is not self._pool and not pool.requests:
            task = asyncio.get_running_loop().create_task(_closed(pool))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.gather(_closed(self._pool), *self._closing)


@dataclass(eq=False)
class _Pool:
    transport: httpx.AsyncHTTPTransport
    requests: int = 0


async def _closed(pool: _Pool) -> None:
    """Close a pool whose connections may be in any state: one that does not close in time is left to the system."""
    with contextlib.suppress(TimeoutError, RuntimeError, httpx.NetworkError):
        await asyncio.wait_for(pool.transport.aclose(), _CLOSING_SECONDS)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, ended: Callable[..., None]) -> None:
        self._stream = stream
        self._ended = ended
        self._is_whole = self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece
        self._is_whole = True

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._stream.aclose()
        finally:
            self._ended(well=self._is_whole)


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


class UnusableCaBundle(TlsFailed):
    """The CA bundle of a profile or of SSL_CERT_FILE cannot be read."""

    kind = "unusable_ca_bundle"


async def loaded_tls_context(ca_bundle: str | None, environ: Mapping[str, str]) -> ssl.SSLContext:
    """The same as `tls_context`, with the files read on a thread that may hang. Raises UnusableCaBundle."""
    try:
        return await run_blocking(lambda: tls_context(ca_bundle, environ), DISK_SECONDS)
    except TimeoutError:
        raise UnusableCaBundle(
            f"The certificates could not be read within {DISK_SECONDS:g} s.",
            "Nothing was sent.",
            "Check whether the folder of the CA bundle is reachable.",
        ) from None


def tls_context(ca_bundle: str | None, environ: Mapping[str, str]) -> ssl.SSLContext:
    """A verifying client context: from `ca_bundle` alone, else from what OpenSSL would read.

    That is the file that SSL_CERT_FILE names or the system's own, and beside it the folders of SSL_CERT_DIR or the
    system's own: each variable replaces its half. Built by hand because `ssl.create_default_context` writes session
    keys to SSLKEYLOGFILE when that is set. Raises UnusableCaBundle before anything is sent.
    """
    if ca_bundle:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load(context, ca_bundle)
        return context
    file, folders = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if not file and not folders:
        return _system_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    usual = ssl.get_default_verify_paths()
    if file:
        _load(context, file)
    elif Path(usual.openssl_cafile).is_file():
        _load(context, usual.openssl_cafile)
    for folder in (folders or usual.openssl_capath).split(os.pathsep):
        if folder:
            context.load_verify_locations(capath=folder)  # read by OpenSSL when it needs it; it may not exist
    return context


def _load(context: ssl.SSLContext, bundle: str) -> None:
    try:
        context.load_verify_locations(cafile=str(Path(bundle).expanduser()))
    except (OSError, ValueError, RuntimeError):  # not readable, not PEM, not a path, no such user's home
        raise UnusableCaBundle(
            f"The CA bundle {bundle} cannot be read as certificates.",
            "Nothing was sent.",
            "Give a file of PEM certificates, or remove the setting to use the system's.",
        ) from None


def _system_context() -> ssl.SSLContext:
    """A context that trusts what this system trusts, with everything read from disk now.

    truststore asks the system itself on macOS and Windows. Elsewhere it would read the files anew for each connection,
    on the event loop: measured, 22 ms for 140 certificates. There OpenSSL knows where they are, unless it was built for
    another place.
    """
    if sys.platform in _WITH_A_STORE:
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    known = ssl.get_default_verify_paths()
    if known.cafile or (known.capath and any(Path(known.capath).glob(_HASHED))):
        context.set_default_verify_paths()
        return context
    bundle = next((path for path in _BUNDLES if Path(path).is_file()), None)
    if bundle:
        context.load_verify_locations(cafile=bundle)
    return context


_WITH_A_STORE = ("darwin", "win32")
_HASHED = "[0-9a-f]" * 8 + ".[0-9]"  # how OpenSSL names certificates in a folder
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat, Rocky, Amazon
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Arch, BSD
)
