"""Answers that repeat what was sent: a debugging proxy, or a gateway that wants the key.

Every text of the request's body comes back in the message, in members, in headers and in pieces, in each spelling that
another machine may use. A client has to keep none of it that is a key.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from ncp_tui.sandbox.fault_lab.fault import Act, LabFault, Stage, Visit, after, both
from ncp_tui.sandbox.protocol import Answer, json_answer

_FORMS = ("%{:02X}", "%25{:02x}", "\\u{:04x}", "\\\\u{:04X}", "\\x{:02x}", "&#{};", "&#x{:x};", "={:02X}")
_PIECE = 10


def echo_faults() -> Iterator[LabFault]:
    """All of this module."""
    yield from both("echo", "500 that repeats the body of the request in many spellings", _failing)
    yield after("echo-200", "The right answer, and in it the body of the request in many spellings.", _confirming)


def spellings(text: str) -> dict[str, Any]:
    """`text` as other machines may write it, by the name of the way."""
    data, half = text.encode(), len(text) // 2
    return {
        "plain": text,
        "small": text.lower(),
        "capitals": text.upper(),
        "otherCase": text.swapcase(),
        "backwards": text[::-1],
        "url": quote(text, safe=""),
        "base64": base64.b64encode(data).decode(),
        "base64Url": base64.urlsafe_b64encode(data).decode().rstrip("="),
        "base64OfBackwards": base64.b64encode(data[::-1]).decode(),
        "hexadecimal": data.hex(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "halves": {"first": text[:half], "second": text[half:]},
        "pieces": [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)],
        "escaped": ["".join(form.format(ord(letter)) for letter in text) for form in _FORMS],
    }


def _texts_of(body: bytes) -> dict[str, str]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return {name: text for name, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}


def _echo(visit: Visit) -> dict[str, Any]:
    texts = _texts_of(visit.body)
    return {
        "message": f"debug: rejected {visit.body.decode('utf-8', 'replace')}",
        "echo": {name: spellings(text) for name, text in texts.items()},
        "bodyInBase64": base64.b64encode(visit.body).decode(),
    }


def _with_headers(answer: Answer, visit: Visit) -> Answer:
    said = {
        f"x-echo-{place}-{way.lower()}": written
        for place, text in enumerate(_texts_of(visit.body).values())
        for way, written in spellings(text).items()
        if isinstance(written, str) and written.isascii() and written.isprintable()
    }
    return dataclasses.replace(answer, headers={**answer.headers, **said})


def _failing(_sandbox: Stage) -> Act:
    async def act(visit: Visit) -> Answer:
        body = {"code": 10001, "result": None, "requestId": visit.request_id, **_echo(visit)}
        return _with_headers(json_answer(500, body, code=10001), visit)

    return act


def _confirming(_sandbox: Stage) -> Act:
    async def act(visit: Visit) -> Answer:
        answer = visit.coming
        body = {**_echo(visit), **json.loads(answer.body)}
        return _with_headers(json_answer(answer.status, body, code=answer.code), visit)

    return act
