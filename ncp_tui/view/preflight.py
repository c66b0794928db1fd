"""How the checks before a create read: in one line, each with its evidence and what to do about it, and as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ncp_tui.snapshots.preflight import Check, Preflight, Severity
from ncp_tui.view.format import age
from ncp_tui.view.text import Line, Span, Tone, line, wrapped

_LIGHT_TONES = {Severity.OK: Tone.GOOD, Severity.UNSURE: Tone.WARNING, Severity.BAD: Tone.BAD}
_LIGHT_WIDTH = 60


def light_lines(lights: Preflight, now: datetime) -> list[Line]:
    """The lights before a create, those that are not well first: word, subject, evidence, what to do about it.

    How old the oldest evidence is stands above them.
    """
    moments = [check.read_at for check in lights.checks if check.read_at is not None]
    read = f"   looked at: {age(min(moments), now)}" if moments else ""
    lines: list[Line] = [(Span("Before it is sent", Tone.STRONG), Span(read, Tone.DIM))]
    for check in (*lights.doubts, *(check for check in lights.checks if check.severity is Severity.OK)):
        first, *more = wrapped(check.sentence if check.advice else check.evidence, _LIGHT_WIDTH)
        word, subject = (
            Span(f"{check.severity.value:<7}", _LIGHT_TONES[check.severity]),
            Span(f"{check.subject:<8} ", Tone.DIM),
        )
        lines += [(word, subject, Span(first)), *[line(" " * 16 + text) for text in more]]
    return lines


def checks_line(found: Preflight, became: str = "") -> str:
    """The checks in one line, those that are not well first: no colour is needed to read it.

    `became` is what a request came to that was sent after they were read.
    """
    parts = [f"before it was {became}:"] if became else []
    for light, word in ((Severity.BAD, "BAD"), (Severity.UNSURE, "UNSURE"), (Severity.OK, "ok")):
        subjects = [check.subject for check in found.checks if check.severity is light]
        if subjects:
            parts.append(f"{word}: {', '.join(subjects)}")
    return "   ".join(parts)


def check_document(check: Check) -> dict[str, Any]:
    """One light before a create, for scripts."""
    return {
        "subject": check.subject,
        "light": check.severity.value,
        "evidence": check.evidence,
        "advice": check.advice or None,
        "read_at": check.read_at.isoformat() if check.read_at else None,
        "blocks": check.blocks,
    }
