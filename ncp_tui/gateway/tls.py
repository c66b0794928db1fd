"""The TLS context of every connection: verification is always on, and there is no switch for it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import truststore

from ncp_tui.gateway.problems import Problem


class UnusableCaBundle(Problem):
    """The CA bundle of a profile or of SSL_CERT_FILE cannot be read."""

    kind = "unusable_ca_bundle"


def tls_context(ca_bundle: str | None, environ: Mapping[str, str]) -> ssl.SSLContext:
    """A verifying client context: from `ca_bundle`, else from SSL_CERT_FILE, else from the system's certificates.

    Built by hand because `ssl.create_default_context` writes session keys to SSLKEYLOGFILE when that is set. Raises
    UnusableCaBundle before anything is sent.
    """
    bundle = ca_bundle or environ.get("SSL_CERT_FILE")
    if not bundle:
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=str(Path(bundle).expanduser()))
    except (OSError, ValueError, RuntimeError):  # not readable, not PEM, not a path, no such user's home
        raise UnusableCaBundle(
            f"The CA bundle {bundle} cannot be read as certificates.",
            "Nothing was sent.",
            "Give a file of PEM certificates, or remove the setting to use the system's.",
        ) from None
    return context
