"""The lights before a create, each with its evidence and what to do about it."""

from __future__ import annotations

from datetime import datetime

from ncp_tui.snapshots import Light, Preflight
from ncp_tui.tui.cells import Tone
from ncp_tui.tui.documents.lines import Line, Span, line, wrapped
from ncp_tui.view.quantities import age

_LIGHT_TONES = {Light.OK: Tone.GOOD, Light.UNSURE: Tone.WARNING, Light.BAD: Tone.BAD}


_LIGHT_WIDTH = 60


def light_lines(lights: Preflight, now: datetime) -> list[Line]:
    """The lights before a create, those that are not well first: word, subject, evidence, what to do about it.

    How old the oldest evidence is stands above them.
    """
    moments = [check.read_at for check in lights.checks if check.read_at is not None]
    read = f"   looked at: {age(min(moments), now)}" if moments else ""
    lines: list[Line] = [(Span("Before it is sent", Tone.STRONG), Span(read, Tone.DIM))]
    for check in (*lights.doubts, *(check for check in lights.checks if check.light is Light.OK)):
        first, *more = wrapped(check.sentence if check.advice else check.evidence, _LIGHT_WIDTH)
        word, subject = (
            Span(f"{check.light.value:<7}", _LIGHT_TONES[check.light]),
            Span(f"{check.subject:<8} ", Tone.DIM),
        )
        lines += [(word, subject, Span(first)), *[line(" " * 16 + text) for text in more]]
    return lines
