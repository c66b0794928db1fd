"""How the preflight checks read: in one line, each with its evidence and what to do about it, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ncp_tui.snapshots.preflight import Check, Preflight
from ncp_tui.view.format import age
from ncp_tui.view.text import Line, Span, Tone, line, wrapped

_TONES = {"block": Tone.BAD, "warn": Tone.WARNING, "unknown": Tone.WARNING, "ok": Tone.GOOD}
"""By the word of a check, the worst first."""

_WORDS = {"bad": "warn", "unsure": "warn"}
_WORD_WIDTH = max(map(len, _TONES)) + 1
_LINE = 76

UNBROKEN = 10_000
"""As a width: a sentence is one line."""


def check_word(check: Check) -> str:
    """What a check says in a word; only *block* keeps anybody from sending."""
    return "block" if check.blocks else _WORDS.get(check.severity.value, check.severity.value)


def check_lines(found: Preflight, now: datetime, width: int = _LINE) -> list[Line]:
    """The preflight checks, those that are not ok first: word, subject, evidence, what to do about it.

    How old the oldest evidence is stands above them. A pane that breaks its lines itself wants them UNBROKEN.
    """
    moments = [check.read_at for check in found.checks if check.read_at is not None]
    read = f"   checked {age(min(moments), now)}" if moments else ""
    lines: list[Line] = [(Span("Preflight checks", Tone.STRONG), Span(read, Tone.DIM))]
    subject_width = max((len(check.subject) for check in found.checks), default=0) + 1
    margin = _WORD_WIDTH + subject_width
    for each, tone in _TONES.items():
        for check in _of(found, each):
            first, *more = wrapped(check.sentence if check.advice else check.evidence, width - margin)
            word = Span(f"{each:<{_WORD_WIDTH}}", tone)
            subject = Span(f"{check.subject:<{subject_width}}", Tone.DIM)
            lines += [(word, subject, Span(first)), *[line(" " * margin + text) for text in more]]
    return lines


def checks_line(found: Preflight, note: str = "") -> str:
    """The checks in one line, those that are not ok first: no colour is needed to read it.

    `note` says of which moment they are, where a request has ended since, or just before.
    """
    parts = [note] if note else []
    by_word = {word: ", ".join(check.subject for check in _of(found, word)) for word in _TONES}
    return "   ".join([*parts, *(f"{word}: {subjects}" for word, subjects in by_word.items() if subjects)])


def before_request(became: str) -> str:
    """The note of checks that were read before a request ended so."""
    return f"before the request was {became}:"


def after_refusal(doubted: Sequence[str]) -> str:
    """The note of checks that were read again after NCP refused, with those that had been out of date."""
    return f"read again, NCP refused ({', '.join(doubted)}):" if doubted else "read again, NCP refused:"


def out_of_date(doubted: Sequence[str]) -> str:
    """Which checks a refusal has shown to be out of date, and that they are read again."""
    if not doubted:
        return "Preflight checks are out of date; reading them again."
    which = f"check “{doubted[0]}” is" if len(doubted) == 1 else f"checks “{'”, “'.join(doubted)}” are"
    return f"Preflight {which} out of date; reading again."


def _of(found: Preflight, word: str) -> list[Check]:
    """The checks with that word; of warnings those first that are bad for certain."""
    doubts = found.doubts
    rest = [check for check in found.checks if check not in doubts]
    return [check for check in (*doubts, *rest) if check_word(check) == word]


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
