"""Who may call the sandbox, and the proof of it: test keys, their roles, and the judge's own check of signature v2.

The check is written from the published rules: a client's mistake is not ours too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

ACCESS_KEY_LENGTH = 20
SECRET_KEY_LENGTH = 40
_PREFIX = "SANDBOX"

Role = Literal["manager", "viewer"]


@dataclass(frozen=True)
class Account:
    """One key pair. A `manager` may do everything; a `viewer` changes nothing and has some clusters hidden from it."""

    access_key: str
    secret_key: str = field(repr=False)
    role: Role = "manager"

    @property
    def may_write(self) -> bool:
        """Whether operations with an effect are open to it; otherwise they answer 401/210."""
        return self.role == "manager"


def new_account(role: Role = "manager", access_key: str | None = None, secret_key: str | None = None) -> Account:
    """A key pair of no real account; the access key begins with `SANDBOX`. Parts that are given are kept."""
    return Account(access_key or _access_key(), secret_key or _secret_key(), role)


def _access_key() -> str:
    return _PREFIX + _random(string.ascii_uppercase + string.digits, ACCESS_KEY_LENGTH - len(_PREFIX))


def _secret_key() -> str:
    return _random(string.ascii_letters + string.digits, SECRET_KEY_LENGTH)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


ACCESS_KEY_HEADER = b"x-ncp-iam-access-key"
SIGNATURE_HEADER = b"x-ncp-apigw-signature-v2"
TIMESTAMP_HEADER = b"x-ncp-apigw-timestamp"

# "The request is considered invalid if the timestamp differs from the API Gateway server by 5 minutes or more."
WINDOW_MS = 5 * 60 * 1000

_TIMESTAMP = re.compile(rb"[0-9]{1,15}")

Headers = Iterable[tuple[bytes, bytes]]


class NotAuthenticated(Exception):
    """The request does not prove who sent it. `reason` is one word for the ledger; the client never sees it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SignedHeaders:
    """The three headers of a signed request, as the bytes that arrived."""

    timestamp: bytes
    access_key: bytes
    signature: bytes


def signature_v2(method: bytes, target: bytes, timestamp: bytes, access_key: bytes, secret_key: str) -> bytes:
    """Base64(HMAC-SHA256(secret key, METHOD SP target LF timestamp LF access key)).

    `target` is path and query exactly as they stand in the request line. The body is not signed.
    """
    text = method + b" " + target + b"\n" + timestamp + b"\n" + access_key
    return base64.b64encode(hmac.new(secret_key.encode(), text, hashlib.sha256).digest())


def check_signature(
    method: bytes, target: bytes, headers: Headers, *, secret_of: Callable[[str], str | None], now_ms: float
) -> str:
    """Return the access key that signed this request.

    `secret_of` gives the secret key of an access key, None for an unknown one; `now_ms` is the gateway's clock in epoch
    milliseconds. Raises NotAuthenticated.

    An ASGI scope is the same for `/path?` and `/path`: a question mark at the end is judged as if it were not there.
    """
    signed = signed_headers(headers)
    if not _TIMESTAMP.fullmatch(signed.timestamp):
        raise NotAuthenticated("malformed_timestamp")
    secret_key = secret_of(signed.access_key.decode("latin-1"))
    if secret_key is None:
        raise NotAuthenticated("unknown_access_key")
    expected = signature_v2(method, target, signed.timestamp, signed.access_key, secret_key)
    if not hmac.compare_digest(expected, signed.signature):
        raise NotAuthenticated("wrong_signature")
    if abs(now_ms - int(signed.timestamp)) >= WINDOW_MS:
        raise NotAuthenticated("stale_timestamp")
    return signed.access_key.decode("latin-1")


def signed_headers(headers: Headers) -> SignedHeaders:
    """Take the three headers out. Raises NotAuthenticated when one is missing, empty or there twice."""
    headers = tuple(headers)
    return SignedHeaders(
        timestamp=_only(headers, TIMESTAMP_HEADER),
        access_key=_only(headers, ACCESS_KEY_HEADER),
        signature=_only(headers, SIGNATURE_HEADER),
    )


def _only(headers: Headers, name: bytes) -> bytes:
    values = [value for key, value in headers if key.lower() == name]
    if len(values) > 1:
        raise NotAuthenticated("repeated_header")
    if not values or not values[0]:
        raise NotAuthenticated("missing_header")
    return values[0]
