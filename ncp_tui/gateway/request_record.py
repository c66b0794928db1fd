"""A request as it may be shown: everything that was sent, with a mask in the place of each secret."""

from __future__ import annotations

import json

from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.credentials import SecretKey, mask_access_key
from ncp_tui.gateway.exchange import (
    ACCESS_KEY_HEADER,
    MASKED,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Headers,
    RequestRecord,
)
from ncp_tui.gateway.request import ApiCall, Body
from ncp_tui.gateway.signature import string_to_sign, target_of
from ncp_tui.text import clean

_BUILDING = "(made when it is sent)"


def record_request(request: httpx.Request, call: ApiCall, origin: str, masked: str) -> RequestRecord:
    """The record of `request`, made for `call`; `masked` is the access key of one that is not signed."""
    access_key = request.headers.get(ACCESS_KEY_HEADER)
    masked = mask_access_key(access_key) if access_key else masked
    timestamp = request.headers.get(TIMESTAMP_HEADER, _BUILDING)
    return RequestRecord(
        method=request.method,
        origin=origin,
        target=target_of(request),
        headers=_shown_headers(request.headers, masked),
        body="" if call.body is None else encode_body(call.body, reveal=False).decode(),
        string_to_sign=string_to_sign(request.method, target_of(request), timestamp, masked),
        has_effect=call.has_effect,
    )


def encode_body(body: Body, *, reveal: bool) -> bytes:
    """`body` as JSON: with its secrets as it is sent, masked as it is shown."""
    plain = {
        name: (value.reveal() if reveal else MASKED) if isinstance(value, SecretKey) else value
        for name, value in body.items()
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


def _shown_headers(headers: httpx.Headers, masked_access_key: str) -> Headers:
    """The headers to show: in sending order, signing headers always there, nothing secret in them."""
    hidden = {ACCESS_KEY_HEADER: masked_access_key, SIGNATURE_HEADER: MASKED, "proxy-authorization": MASKED}
    shown = [(name, hidden.get(name, clean(value))) for name, value in headers.multi_items()]
    names = {name for name, _ in shown}
    signing = ((TIMESTAMP_HEADER, _BUILDING), (ACCESS_KEY_HEADER, masked_access_key), (SIGNATURE_HEADER, MASKED))
    return (*shown, *(pair for pair in signing if pair[0] not in names))
