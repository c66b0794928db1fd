"""The TLS context of every connection: verification is always on, and there is no switch for it."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

import truststore

from ncp_tui.gateway.errors import TlsFailed
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS


class UnusableCaBundle(TlsFailed):
    """The CA bundle of a profile or of SSL_CERT_FILE cannot be read."""

    kind = "unusable_ca_bundle"


async def loaded_tls_context(ca_bundle: str | None, environ: Mapping[str, str]) -> ssl.SSLContext:
    """The same as `tls_context`, with the files read where a disk that hangs holds nobody. Raises UnusableCaBundle."""
    try:
        return await run_blocking(lambda: tls_context(ca_bundle, environ), DISK_SECONDS)
    except TimeoutError:
        raise UnusableCaBundle(
            f"The certificates could not be read within {DISK_SECONDS:g} s.",
            "Nothing was sent.",
            "Is the folder of the CA bundle reachable?",
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
