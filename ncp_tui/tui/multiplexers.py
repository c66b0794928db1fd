"""Sequences for the terminal behind tmux or screen, which keep what they do not know to themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_SCREEN_CHUNK = 256
"""screen drops a string of more than 768 bytes, in some builds of more than 256."""


def passed_through(sequence: str, environ: Mapping[str, str]) -> str:
    """What tmux or screen passes on as `sequence`; nothing where neither is in between.

    tmux does where `allow-passthrough` is on.
    """
    term = environ.get("TERM", "")
    if environ.get("TMUX") or term.startswith("tmux"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("STY") or term.startswith("screen"):
        return "".join(_through_screen(sequence))
    return ""


def _through_screen(sequence: str) -> Iterator[str]:
    """Screen passes the inside of such a string on as it is, so that the parts become one again behind it."""
    part, size = "", 0
    for character in sequence:
        wide = len(character.encode())
        if size + wide > _SCREEN_CHUNK:
            yield f"\x1bP{part}\x1b\\"
            part, size = "", 0
        part, size = part + character, size + wide
    yield f"\x1bP{part}\x1b\\"
