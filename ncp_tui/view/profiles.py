"""How a profile, or keys found elsewhere, reads."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.profiles.profile import Profile
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Line, Span, Tone, field

NOT_TESTED = Cell("-", Tone.DIM)


@dataclass(frozen=True)
class ListedIdentity:
    """An identity in a list: whether it is in use, whether it is the default, and the result of a test."""

    identity: Identity
    current: bool
    default: bool
    tested: Cell = NOT_TESTED


def _notes_cell(listed: ListedIdentity) -> Cell:
    profile = listed.identity.profile
    notes = {
        "in use": listed.current,
        "default": listed.default,
        "read-only": profile.read_only,
        "protected": profile.protected,
    }
    return Cell(", ".join(note for note, on in notes.items() if on), Tone.GOOD if listed.current else Tone.DIM)


def _place_cell(listed: ListedIdentity) -> Cell:
    return Cell(f"{listed.identity.profile.site}/{listed.identity.profile.region}")


PROFILES: Table[ListedIdentity] = Table(
    (
        Column("PROFILE", lambda listed: Cell(listed.identity.name, Tone.STRONG), flex=1, least=12),
        Column("SITE/REGION", _place_cell, most=11, least=10),
        Column("ACCESS KEY", lambda listed: Cell(listed.identity.masked_access_key), most=12, least=9),
        Column("KEY STORE", lambda listed: Cell(listed.identity.source), flex=1, least=13),
        # A command does not keep the results of tests.
        Column("LAST TEST", lambda listed: listed.tested, most=22, least=9, room=69, in_commands=False),
        Column("NOTES", _notes_cell, most=36, least=6),
    ),
    key=lambda listed: listed.identity.name,
)


def profile_lines(listed: ListedIdentity) -> list[Line]:
    """Who calls with these keys, and where, for the details pane."""
    identity = listed.identity
    profile = identity.profile
    lines = [
        (Span(identity.name, Tone.STRONG), Span(f"  {_notes_cell(listed).text}", Tone.DIM)),
        field("keys", f"{identity.masked_access_key} ({identity.source})"),
        field("site", f"{profile.site}, region {profile.region}"),
        field("gateway", profile.endpoint().base_url),
        field("last test", listed.tested.text, listed.tested.tone),
    ]
    extra = (
        ("bucket", profile.default_bucket),
        ("template", profile.name_template),
        ("max. age", profile.max_age),
        ("warn age", profile.warn_age),
        ("exempt", ", ".join(profile.check_exempt or ())),
        ("CA bundle", profile.ca_bundle),
        ("command", command_text(profile.secret_command or ())),
        ("inherits", ", ".join(profile.secret_command_env or ())),
    )
    return [*lines, *(field(label, value) for label, value in extra if value)]


FOUND: Table[Identity] = Table(
    (
        Column("FOUND IN", lambda identity: Cell(identity.source, Tone.STRONG), flex=1),
        Column("ACCESS KEY", lambda identity: Cell(identity.masked_access_key), most=12),
        Column("SITE", lambda identity: Cell(identity.profile.site), most=8),
        Column("REGION", lambda identity: Cell(identity.profile.region), most=6),
    ),
    key=lambda identity: identity.name,
)
"""Keys found outside the profiles."""


def keys_sentence(clusters: int, offset: ClockOffset | None, name: str = "") -> str:
    """That the keys, those of `name`, were accepted, whether they see clusters, and a clock that is off."""
    keys = f"The keys of {name} work." if name else "The keys work."
    said = [
        keys,
        "" if clusters else "No clusters visible.",
        f"Clock off by {offset}." if offset and offset.is_worrying else "",
    ]
    return " ".join(filter(None, said))


def keys_cell(problem: Problem | None) -> Cell:
    """The result of a test of keys: `ok`, or the kind of the failure."""
    return Cell("ok", Tone.GOOD) if problem is None else Cell(problem.kind.replace("_", " "), Tone.BAD)


def saved_sentence(name: str) -> str:
    """That a profile was saved."""
    return f"Profile {name} saved."


NO_KEY_REMOVED = "No secret key was stored for it; its secret command was not run."


def removal_words(name: str, profile: Profile | None, *, with_key: bool) -> str:
    """What the removal of a profile removes; `profile` is None for one that cannot be read."""
    if profile is not None and profile.secret_command is not None:
        return f"profile {name} and its secret command, not the secret key that the command prints"
    return f"profile {name} {'and' if with_key else 'but not'} its secret key"


def command_text(command: Sequence[str]) -> str:
    """A secret command as it would be typed."""
    return shlex.join(command)


def removed_sentence(name: str) -> str:
    """That a profile was removed."""
    return f"Profile {name} removed."


def identity_document(identity: Identity, source: str, *, default: bool, used: bool) -> dict[str, Any]:
    """An identity for scripts; its access key is masked, and its secret key is not read."""
    profile = identity.profile
    return {
        "name": identity.name,
        "kind": identity.kind.value,
        "source": source,
        "access_key": identity.masked_access_key,
        "site": profile.site,
        "region": profile.region,
        "endpoint": profile.endpoint().base_url,
        "store": profile.store if identity.is_stored else None,
        "default": default,
        "used": used,
        "gateway_url": profile.gateway_url,
        "ca_bundle": profile.ca_bundle,
        "default_bucket": profile.default_bucket,
        "name_template": profile.name_template,
        "max_age": profile.max_age,
        "warn_age": profile.warn_age,
        "check_exempt": list(profile.check_exempt or ()),
        "secret_command": list(profile.secret_command or ()),
        "secret_command_env": list(profile.secret_command_env or ()),
        "read_only": profile.read_only,
        "protected": profile.protected,
        "accent": profile.accent,
    }
