"""What can be known to be wrong before anything is sent: with the name, the bucket, the cluster; each with a reason.

A name has 3 to 30 characters; lower-case English letters, digits and `-`; a letter first; a letter or digit last; no
two `-` in a row (api.ncloud-docs.com, createSnapshot). Far narrower than the engine's own, and the service says only
"invalid".
"""

from __future__ import annotations

import ipaddress
import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ncp_tui.gateway.errors import PermissionDenied
from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.client import check_number
from ncp_tui.search_engine.lists import gap_of
from ncp_tui.search_engine.models import Bucket, Cluster
from ncp_tui.system.time_zone import KST
from ncp_tui.text import clean

SHORTEST, LONGEST = 3, 30

_LEGAL = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_INVISIBLE = frozenset({"Cf", "Cc", "Zl", "Zp"})
# Nothing is drawn for these either, though their category says letter or mark: Hangul fillers, variation selectors.
_BLANK = frozenset("\u034f\u115f\u1160\u3164\uffa0") | frozenset(map(chr, range(0xFE00, 0xFE10)))
_AN_INVISIBLE = "an invisible character"


class InvalidName(Problem):
    """A snapshot name that NCP would refuse; nothing was sent."""

    kind = "invalid_name"


def name_problems(name: str, longest: int = LONGEST) -> list[str]:
    """Everything wrong with `name`, each as a short reason; empty for a valid name."""
    if _LEGAL.fullmatch(name) and SHORTEST <= len(name) <= longest:
        return []
    problems = []
    if len(name) < SHORTEST:
        problems.append(f"too short: {len(name)} of at least {SHORTEST} characters")
    if len(name) > longest:
        problems.append(f"too long: {len(name)} of at most {longest} characters")
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
    """Return `name` if it is valid. Raises InvalidName with every reason and a valid suggestion."""
    problems = name_problems(name)
    if problems:
        raise InvalidName(
            f"{clean(name) or 'An empty name'!r} is not a valid snapshot name: {'; '.join(problems)}.",
            "Nothing was sent.",
            f"A valid name close to it: {suggest_name(name)}",
        )
    return name


def suggest_name(name: str, longest: int = LONGEST) -> str:
    """A valid name as close to `name` as the rules allow."""
    plain = unicodedata.normalize("NFKC", name).lower()
    slug = _SEPARATORS.sub("-", plain).strip("-")
    if not slug or not slug[0].isalpha():
        slug = f"snapshot-{slug}".strip("-")
    slug = slug[:longest].rstrip("-")
    return slug if len(slug) >= SHORTEST else f"{slug}-snapshot"


# Object Storage's rule for bucket names (api.ncloud-docs.com, PutBucket).
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")

_MOST_NAMED = 10
"""Buckets that are named as a way out; an account may have a thousand."""


class InvalidBucket(Problem):
    """A bucket that no snapshot can be created in; nothing was sent."""

    kind = "invalid_bucket"


def check_bucket(name: str, known: Sequence[Bucket] = ()) -> str:
    """Return `name` if a snapshot may be sent there.

    `known` is the service's list for the cluster. A bucket in it that is locked or denied is refused; so is one that is
    missing from a list that is whole and not empty. With no list, only the form of the name is checked. Raises
    InvalidBucket.
    """
    if not name:
        step = "Name the bucket that the snapshot goes to."
        raise InvalidBucket("No bucket is chosen.", "Nothing was sent.", step, NextAction("profile.bucket"))
    if not _BUCKET.fullmatch(name) or ".." in name or _is_address(name):
        raise InvalidBucket(
            f"{clean(name)!r} is not a bucket name.",
            "Nothing was sent.",
            "3 to 63 characters: lower-case letters, digits, '.' and '-'; letter or digit at both ends.",
        )
    found = next((bucket for bucket in known if bucket.name == name), None)
    names = [bucket.name for bucket in known if bucket.usable]
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    usable = (", ".join(names[:_MOST_NAMED]) or "none") + more
    if found is None and known and not gap_of(known):
        raise InvalidBucket(
            f"Bucket {name} is not visible with the cluster's storage key.",
            "Nothing was sent.",
            f"Usable buckets: {usable}.",
        )
    if found is not None and not found.usable:
        raise InvalidBucket(
            f"Bucket {name} cannot be used: {found.reason}.", "Nothing was sent.", f"Usable buckets: {usable}."
        )
    return name


def check_cluster(cluster: Cluster) -> Cluster:
    """Return `cluster` if this key may open it and it has a number. Raises PermissionDenied, WrongCluster."""
    if not cluster.allowed:
        raise PermissionDenied(
            f"No permission for cluster {cluster.name}: this key sees only its name.",
            "Nothing was sent.",
            "Ask for the policy NCP_VPC_SEARCH_ENGINE_SERVICE_MANAGER, or use another profile.",
        )
    check_number(cluster.number, cluster.name)
    return cluster


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


DEFAULT_TEMPLATE = "{cluster}-{date}-{time}"
FIELDS = ("cluster", "profile", "region", "date", "time")

_ZONES = {"": UTC, "utc": UTC, "kst": KST}
_ILLEGAL = re.compile(r"[^a-z0-9]+")
# What may be shortened, in this order. The time never is: it is what makes the name unique.
_SHORTENED = ("cluster", "profile")
_LEAD = "s-"


class InvalidTemplate(Problem):
    """A name template that cannot give a valid snapshot name."""

    kind = "invalid_template"


@dataclass(frozen=True)
class _Piece:
    literal: str
    field: str | None
    zone: str


def render_name(template: str, *, cluster: str, profile: str, region: str, now: datetime) -> str:
    """Render `template` to a valid name.

    Fields: `{cluster}`, `{profile}`, `{region}`, `{date}` (20260101) and `{time}` (123456); the last two are in UTC, or
    in Korean time as `{date:kst}` and `{time:kst}`. `now` must know its zone. Raises InvalidTemplate.
    """
    pieces = _parsed(template)
    moment = now.astimezone(_ZONES[_zone(pieces)])
    values = {
        "cluster": cluster,
        "profile": profile,
        "region": region,
        "date": moment.strftime("%Y%m%d"),
        "time": moment.strftime("%H%M%S"),
    }
    values = {field: _slug(value) for field, value in values.items()}
    values["cluster"] = values["cluster"] or "cluster"
    name = _assembled(pieces, values)
    used = {piece.field for piece in pieces}
    for field in _SHORTENED:
        while len(name) > LONGEST and field in used and values[field]:
            values[field] = values[field][:-1]
            name = _assembled(pieces, values)
    problems = name_problems(name)
    if problems:
        raise InvalidTemplate(
            f"The name template {template!r} gives {name!r}: {'; '.join(problems)}.",
            "Nothing was sent.",
            f"The usual one is {DEFAULT_TEMPLATE}",
        )
    return name


def zone_of_template(template: str) -> str:
    """`UTC` or `KST`: the zone of the template's date and time. Raises InvalidTemplate."""
    return "KST" if _zone(_parsed(template)) == "kst" else "UTC"


def template_warning(template: str | None) -> str:
    """What to know of a template before it is saved; empty where there is nothing, or it is not a template at all."""
    try:
        fields = {piece.field for piece in _parsed(template or DEFAULT_TEMPLATE)}
    except InvalidTemplate:
        return ""  # said when a name is made of it
    if "time" in fields:
        return ""
    return (
        "The name template has no {time}: it gives the same name again, and a name is created once. cron needs {time}."
    )


def _parsed(template: str) -> list[_Piece]:
    try:
        pieces = [
            # A conversion ("{cluster!r}") is refused with everything else that is no zone.
            _Piece(literal, field, f"!{conversion}" if conversion else (zone or "").lower())
            for literal, field, zone, conversion in string.Formatter().parse(template)
        ]
    except ValueError:
        raise InvalidTemplate(f"The name template {template!r} has an unmatched brace.", "", _advice()) from None
    for piece in pieces:
        if piece.field is not None and piece.field not in FIELDS:
            raise InvalidTemplate(f"The name template has an unknown field {{{clean(piece.field)}}}.", "", _advice())
        if piece.zone and (piece.field not in {"date", "time"} or piece.zone not in _ZONES):
            raise InvalidTemplate(f"{{{piece.field}}} cannot be followed by {clean(piece.zone)!r}.", "", _advice())
    return pieces


def _advice() -> str:
    return f"Fields: {', '.join(f'{{{field}}}' for field in FIELDS)}; {{date:kst}} and {{time:kst}} for Korean time."


def _zone(pieces: list[_Piece]) -> str:
    zones = {piece.zone or "utc" for piece in pieces if piece.field in {"date", "time"}}
    if len(zones) > 1:
        raise InvalidTemplate("The name template mixes UTC and KST.", "", "Use one of them for date and time.")
    return zones.pop() if zones else "utc"


def _assembled(pieces: list[_Piece], values: Mapping[str, str]) -> str:
    text = "".join(piece.literal + (values[piece.field] if piece.field else "") for piece in pieces)
    name = _slug(text)
    return name if not name or name[0].isalpha() else _LEAD + name


def _slug(text: str) -> str:
    return _ILLEGAL.sub("-", text.lower()).strip("-")
