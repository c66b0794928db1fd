"""How the preflight checks read: in one line, each with its evidence and what to do about it, and as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ncp_tui.snapshots.preflight import Check, Preflight, Severity
from ncp_tui.view.format import age
from ncp_tui.view.text import Line, Span, Tone, line, wrapped

_TONES = {Severity.OK: Tone.GOOD, Severity.UNSURE: Tone.WARNING, Severity.BAD: Tone.BAD}
_WIDTH = 60


def check_lines(found: Preflight, now: datetime) -> list[Line]:
    """The preflight checks, those that are not ok first: word, subject, evidence, what to do about it.

    How old the oldest evidence is stands above them.
    """
    moments = [check.read_at for check in found.checks if check.read_at is not None]
    read = f"   checked {age(min(moments), now)}" if moments else ""
    lines: list[Line] = [(Span("Preflight checks", Tone.STRONG), Span(read, Tone.DIM))]
    for check in (*found.doubts, *(check for check in found.checks if check.severity is Severity.OK)):
        first, *more = wrapped(check.sentence if check.advice else check.evidence, _WIDTH)
        word, subject = (
            Span(f"{check.severity.value:<7}", _TONES[check.severity]),
            Span(f"{check.subject:<8} ", Tone.DIM),
        )
        lines += [(word, subject, Span(first)), *[line(" " * 16 + text) for text in more]]
    return lines


def checks_line(found: Preflight, became: str = "") -> str:
    """The checks in one line, those that are not ok first: no colour is needed to read it.

    `became` is the result of a request that was sent after they were read.
    """
    parts = [f"before the request was {became}:"] if became else []
    for severity, word in ((Severity.BAD, "BAD"), (Severity.UNSURE, "UNSURE"), (Severity.OK, "ok")):
        subjects = [check.subject for check in found.checks if check.severity is severity]
        if subjects:
            parts.append(f"{word}: {', '.join(subjects)}")
    return "   ".join(parts)


def check_document(check: Check) -> dict[str, Any]:
    """One check, for scripts."""
    return {
        "subject": check.subject,
        "light": check.severity.value,
        "evidence": check.evidence,
        "advice": check.advice or None,
        "read_at": check.read_at.isoformat() if check.read_at else None,
        "blocks": check.blocks,
    }
