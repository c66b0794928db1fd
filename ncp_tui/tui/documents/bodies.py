"""A body in lines, as pretty as its kind allows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ncp_tui.tui.cells import Tone
from ncp_tui.tui.documents.lines import Line, Span, line

_JSON_MEMBER = re.compile(r'^(\s*)("(?:[^"\\]|\\.)*")(: )(.*)$')


def body_lines(body: str) -> list[Line]:
    """A body in lines; names of JSON members stand out a little from their values."""
    return [_json_line(text) for text in body.split("\n")] if body else [line("(no body)", Tone.DIM)]


def raw_lines(raw: Mapping[str, Any]) -> list[Line]:
    """An object of the service, untouched but inert."""
    return body_lines(json.dumps(dict(raw), indent=2, ensure_ascii=False, default=str))


def _json_line(text: str) -> Line:
    found = _JSON_MEMBER.match(text)
    if found is None:
        return line(text)
    indent, name, colon, value = found.groups()
    return (Span(indent), Span(name + colon, Tone.DIM), Span(value))
