"""What a snapshot may be called, with a reason for each thing that is wrong.

Rule: 3 to 30 characters; lower-case English letters, digits and `-`; a letter first; a letter or digit last; no two `-`
in a row (api.ncloud-docs.com, createSnapshot). Far narrower than the engine's own, and the service says only "invalid".
"""

from __future__ import annotations

import re
import unicodedata

from ncp_tui.problem import Problem
from ncp_tui.text import clean

SHORTEST, LONGEST = 3, 30

_LEGAL = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_INVISIBLE = frozenset({"Cf", "Cc", "Zl", "Zp"})
# Nothing is drawn for these either, though their category says letter or mark: Hangul fillers, variation selectors.
_BLANK = frozenset("\u034f\u115f\u1160\u3164\uffa0") | frozenset(map(chr, range(0xFE00, 0xFE10)))
_AN_INVISIBLE = "an invisible character"


class InvalidName(Problem):
    """A snapshot name that the service would refuse; nothing was sent."""

    kind = "invalid_name"


def name_problems(name: str) -> list[str]:
    """Everything wrong with `name`, each as a short reason; empty for a legal name."""
    if _LEGAL.fullmatch(name) and SHORTEST <= len(name) <= LONGEST:
        return []
    problems = []
    if len(name) < SHORTEST:
        problems.append(f"too short: {len(name)} of at least {SHORTEST} characters")
    if len(name) > LONGEST:
        problems.append(f"too long: {len(name)} of at most {LONGEST} characters")
    problems += _character_problems(name)
    if name and not ("a" <= name[0] <= "z"):
        problems.append("must start with a lower-case letter")
    if name.endswith("-"):
        problems.append("must end with a letter or digit")
    if "--" in name:
        problems.append("no two hyphens in a row")
    return problems


def _character_problems(name: str) -> list[str]:
    found: dict[str, list[str]] = {}
    for character in dict.fromkeys(name):
        if not (character in "-0123456789" or "a" <= character <= "z"):
            found.setdefault(_class_of(character), []).append(character)
    return [f"{reason} ({_shown(reason, characters[:3])})" for reason, characters in found.items()]


def _shown(reason: str, characters: list[str]) -> str:
    if reason == _AN_INVISIBLE or not "".join(characters).isprintable():
        return " ".join(f"U+{ord(character):04X}" for character in characters)
    return "".join(characters)


def _class_of(character: str) -> str:
    if "A" <= character <= "Z":
        return "no capital letters"
    if character == " ":
        return "no spaces"
    if character == "_":
        return "no underscores, use -"
    if character in _BLANK or unicodedata.category(character) in _INVISIBLE:
        return _AN_INVISIBLE
    if unicodedata.east_asian_width(character) == "F":
        return "full-width characters; switch the input method to half width"
    name = unicodedata.name(character, "")
    if name.startswith(("HANGUL", "HALFWIDTH HANGUL")):
        return "no Hangul; only a-z, 0-9 and -"
    return "only a-z, 0-9 and -"


def check_name(name: str) -> str:
    """Return `name` if it is legal. Raises InvalidName with every reason and a legal suggestion."""
    problems = name_problems(name)
    if problems:
        raise InvalidName(
            f"{clean(name) or 'An empty name'!r} is not a legal snapshot name: {'; '.join(problems)}.",
            "Nothing was sent.",
            f"A legal name close to it: {suggest_name(name)}",
        )
    return name


def suggest_name(name: str) -> str:
    """A legal name as close to `name` as the rules allow."""
    plain = unicodedata.normalize("NFKC", name).lower()
    slug = _SEPARATORS.sub("-", plain).strip("-")
    if not slug or not slug[0].isalpha():
        slug = f"snapshot-{slug}".strip("-")
    slug = slug[:LONGEST].rstrip("-")
    return slug if len(slug) >= SHORTEST else f"{slug}-snapshot"
