"""What an answer says in words, in whatever shape: a refusal is shown with the reason that came with it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from ncp_tui.gateway.exchange import Answer
from ncp_tui.text import clean

# By what they are called in the gateway's object, the service's envelope, and the bodies of Spring, Kong, AWS and
# other machines that may stand in between. In the order in which they are read out.
_NAMES = (
    "title",
    "error",
    "responseerror",
    "fault",
    "errors",
    "message",
    "errormessage",
    "returnmessage",
    "faultstring",
    "msg",
    "reason",
    "error_description",
    "detail",
    "details",
    "description",
)
_DEEPEST = 4
_MOST_ITEMS = 5
_LONGEST = 400
_LONGEST_PAGE = 120
_BEGINNING = 4096  # bytes of a page that are looked at
_NO_TEXT = re.compile(r"(?is)<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)|<[^>]*(>|$)")


def words_of(payload: Any, longest: int = _LONGEST) -> str:
    """The sentences in a JSON payload, joined, without a full stop at the end; empty where it has none."""
    found = dict.fromkeys(text for text in (clean(" ".join(said.split())) for said in _said(payload, 0)) if text)
    return _cut(" - ".join(found), longest)


def words_in(answer: Answer, payload: Any) -> str:
    """The sentences of an answer in no documented shape: of its JSON, else the text at the beginning of its page."""
    if isinstance(payload, dict):
        return words_of(payload)
    text = answer.body[:_BEGINNING].decode("utf-8-sig", errors="replace")
    if "<" in text:
        text = html.unescape(_NO_TEXT.sub(" ", text))
    return _cut(clean(" ".join(text.split())), _LONGEST_PAGE)


def _said(value: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value[:_MOST_ITEMS]:
            yield from _said(item, depth + 1)
    elif isinstance(value, dict):
        named = {str(name).lower(): item for name, item in value.items()}
        for name in _NAMES:
            yield from _said(named.get(name), depth + 1)


def _cut(text: str, longest: int) -> str:
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text.rstrip(". ")
