"""Names from a template: always legal, always cut in the cluster part and never in the time."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ncp_tui.problem import Problem
from ncp_tui.snapshots.rules import LONGEST, name_problems
from ncp_tui.system.time_zone import KST
from ncp_tui.text import clean

DEFAULT_TEMPLATE = "{cluster}-{date}-{time}"
FIELDS = ("cluster", "profile", "region", "date", "time")

_ZONES = {"": UTC, "utc": UTC, "kst": KST}
_ILLEGAL = re.compile(r"[^a-z0-9]+")
# What may be shortened, in this order. The time never is: it is what makes the name unique.
_SHORTENED = ("cluster", "profile")
_LEAD = "s-"


class InvalidTemplate(Problem):
    """A name template that cannot give a legal snapshot name."""

    kind = "invalid_template"


@dataclass(frozen=True)
class _Piece:
    literal: str
    field: str | None
    zone: str


def render_name(template: str, *, cluster: str, profile: str, region: str, now: datetime) -> str:
    """Render `template` to a legal name.

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
        raise InvalidTemplate("The name template mixes UTC and Korean time.", "", "Use one zone for date and time.")
    return zones.pop() if zones else "utc"


def _assembled(pieces: list[_Piece], values: Mapping[str, str]) -> str:
    text = "".join(piece.literal + (values[piece.field] if piece.field else "") for piece in pieces)
    name = _slug(text)
    return name if not name or name[0].isalpha() else _LEAD + name


def _slug(text: str) -> str:
    return _ILLEGAL.sub("-", text.lower()).strip("-")
