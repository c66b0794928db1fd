"""NCP API-gateway signature v2: the string to sign, its HMAC, and the headers that carry it.

Source: api.ncloud-docs.com, "API overview", and the signer of the official Go SDK. The body is not signed; path and
query are, byte for byte as they are sent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Generator

from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.clock import timestamp_ms
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.exchange import ACCESS_KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER


def string_to_sign(method: str, target: str, timestamp: int | str, access_key: str) -> str:
    """What is signed: method, path and query as sent; then timestamp (ms) and access key on lines of their own."""
    return f"{method} {target}\n{timestamp}\n{access_key}"


def sign(secret_key: SecretKey, text: str) -> str:
    """Standard Base64 of HMAC-SHA256 over `text`, keyed with the secret key's UTF-8 bytes."""
    digest = hmac.new(secret_key.reveal().encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


class SignatureV2(httpx.Auth):
    """Signs a request at the moment it leaves, so a request that waited or is repeated carries a fresh timestamp."""

    def __init__(self, credentials: Credentials, clock: Callable[[], float] = time.time) -> None:
        """Sign as `credentials`; `clock` gives epoch seconds."""
        self._credentials = credentials
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the three headers on `request`."""
        timestamp = str(timestamp_ms(self._clock))
        text = string_to_sign(request.method, target_of(request), timestamp, self._credentials.access_key)
        request.headers[TIMESTAMP_HEADER] = timestamp
        request.headers[ACCESS_KEY_HEADER] = self._credentials.access_key
        request.headers[SIGNATURE_HEADER] = sign(self._credentials.secret_key, text)
        yield request


def target_of(request: httpx.Request) -> str:
    """Path and query exactly as they stand in the request line."""
    return request.url.raw_path.decode("ascii")
