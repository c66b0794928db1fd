"""A body in lines, as pretty as its kind allows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ncp_tui.tui.cells import Tone
from ncp_tui.tui.documents.lines import Line, Span, line

_JSON_MEMBER = re.compile(r'^(\s*)("(?:[^"\\]|\\.)*")(: )(.*)$')


MOST_LINES = 10_000
"""Of a body; a page of 100 clusters has 3,000."""

_LONGEST_LINE = 4_000
"""Characters; what has no line feeds at all is folded."""


def body_lines(body: str) -> list[Line]:
    """A body in lines; names of JSON members stand out a little from their values. Of a long one the beginning."""
    if not body:
        return [line("(no body)", Tone.DIM)]
    *lines, rest = body.split("\n", MOST_LINES)
    if len(lines) < MOST_LINES:
        return [piece for text in (*lines, rest) for piece in _pieces(text)]
    shown = [piece for text in lines for piece in _pieces(text)]
    return [*shown, line(f"(More than {MOST_LINES:,} lines: the rest is not shown.)", Tone.DIM)]


def _pieces(text: str) -> list[Line]:
    if len(text) <= _LONGEST_LINE:
        return [_json_line(text)]
    return [line(text[start : start + _LONGEST_LINE]) for start in range(0, len(text), _LONGEST_LINE)]


def raw_lines(raw: Mapping[str, Any]) -> list[Line]:
    """An object of the service, untouched but inert."""
    return body_lines(json.dumps(dict(raw), indent=2, ensure_ascii=False, default=str))


def _json_line(text: str) -> Line:
    found = _JSON_MEMBER.match(text)
    if found is None:
        return line(text)
    indent, name, colon, value = found.groups()
    return (Span(indent), Span(name + colon, Tone.DIM), Span(value))
