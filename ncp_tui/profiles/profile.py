"""What a profile is, and the one place that says which values it may hold."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NoReturn, get_args

from ncp_tui.gateway.credentials import check_access_key, mask_access_key
from ncp_tui.gateway.endpoints import (
    DEFAULT_REGION,
    DEFAULT_SITE,
    SITES,
    Endpoint,
    check_gateway_url,
    endpoint_for,
    site_of_gateway_url,
)
from ncp_tui.problem import Problem

StoreName = Literal["keyring", "file", "session", "command"]
STORE_NAMES: tuple[StoreName, ...] = get_args(StoreName)

Accent = Literal["red", "orange", "yellow", "green", "blue", "purple", "none"]
ACCENTS: tuple[Accent, ...] = get_args(Accent)

ENVIRONMENT_NAME = "environment"
SERVER_ROLE_NAME = "server-role"
_RESERVED_NAMES = MappingProxyType(
    {ENVIRONMENT_NAME: "the keys in the environment", SERVER_ROLE_NAME: "the keys of this server's role"}
)

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_LONGEST_NAME = 64
_AGE = re.compile(r"(\d{1,5})([mhd])")
DEFAULT_MAX_AGE = "26h"
"""A day, and two hours for the nightly snapshot to run."""

_LONGEST_TEXT = 1024
_LONGEST_COMMAND = 4096
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# A profile's name becomes part of file names; Windows opens a device for these, with any extension.
_WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
)
_NOTHING_SAVED = "Nothing was saved."


class InvalidProfile(Problem):
    """A value that a profile cannot hold; `field` names it as the profile does, so that a form can mark it."""

    kind = "invalid_profile"

    def __init__(self, what: str, meaning: str = "", next_step: str = "", *, field: str = "") -> None:
        super().__init__(what, meaning, next_step)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Who calls, and where: everything of an account but its secret key, which lives in the `store`.

    `gateway_url`, `ca_bundle`, `default_bucket`, `name_template` and `accent` are None when not chosen. `read_only`
    refuses every write, `protected` asks before each. `extra` keeps the keys of newer versions, to be written back
    untouched. A Profile may hold anything; `check_profile` says whether it is a good one.
    """

    name: str
    access_key: str = field(repr=False)
    site: str = DEFAULT_SITE
    region: str = DEFAULT_REGION
    store: StoreName = "keyring"
    gateway_url: str | None = None
    ca_bundle: str | None = None
    default_bucket: str | None = None
    name_template: str | None = None
    read_only: bool = False
    protected: bool = False
    accent: Accent | None = None
    max_age: str | None = None
    """From which age the newest good snapshot of a cluster is too old, as `26h`; None for DEFAULT_MAX_AGE."""
    warn_age: str | None = None
    """From which age it is worth a warning; None for none."""
    check_exempt: tuple[str, ...] | None = None
    """Names of clusters, `*` and `?` as in a shell, that need no snapshot; None for none."""
    secret_command: tuple[str, ...] | None = None
    """The program that prints the secret key, by its full path, and its arguments; None for a key that is stored."""
    secret_command_env: tuple[str, ...] | None = None
    """Variables of the environment that it gets although they are kept from it otherwise; None for none."""
    # Not in the repr: a hand-written file may hold anything under a key of its own, a secret included.
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    @property
    def masked_access_key(self) -> str:
        """The access key id with its middle hidden, for screens and logs."""
        return mask_access_key(self.access_key)

    @property
    def max_age_bar(self) -> timedelta:
        """`max_age` as a time, or the default."""
        return read_age(self.max_age or DEFAULT_MAX_AGE) or timedelta(hours=26)

    @property
    def warn_age_bar(self) -> timedelta | None:
        """`warn_age` as a time; None for none."""
        return read_age(self.warn_age) if self.warn_age else None

    def endpoint(self) -> Endpoint:
        """Where this profile's requests go. Raises UnknownEndpoint for a site, region or URL that does not exist."""
        return endpoint_for(self.site, self.region, self.gateway_url)


def read_age(text: str) -> timedelta | None:
    """`90m`, `26h` or `3d` as a time; None for anything else, a bare number and zero among it."""
    match = _AGE.fullmatch(text.strip().lower())
    if match is None or not int(match[1]):
        return None
    return int(match[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[match[2]]


def check_profile_name(name: str) -> str:
    """Return `name`. Raises InvalidProfile with the rule that it breaks.

    Names are plain on purpose: they are typed on command lines and become parts of file and keyring names.
    """
    if not name:
        _refuse("name", "A profile needs a name.")
    if len(name) > _LONGEST_NAME:
        _refuse("name", f"A profile name has at most {_LONGEST_NAME} characters; this one has {len(name)}.")
    if not _NAME.fullmatch(name):
        _refuse(
            "name",
            f"{name!a} is not a profile name.",
            "Use ASCII letters, digits, dot, dash and underscore; begin and end with a letter or a digit.",
        )
    if name.split(".", maxsplit=1)[0].lower() in _WINDOWS_DEVICES:
        _refuse("name", f"{name!r} is the name of a device on Windows.", "Choose another name.")
    if name.lower() in _RESERVED_NAMES:
        _refuse("name", f"{name!r} means {_RESERVED_NAMES[name.lower()]}.", "Choose another name.")
    return name


def check_field(name: str, value: object) -> Any:
    """The good form of one field's `value`: white space trimmed, `""` of an optional text turned into None.

    Raises InvalidProfile. What one field means for another (region and site) is checked by `check_profile`.
    """
    check = _CHECKS.get(name)
    return value if check is None else check(name, value)


def check_profile(profile: Profile) -> Profile:
    """The good form of a whole profile; an empty region becomes the site's first.

    Raises InvalidProfile naming the first field that is wrong.
    """
    name = check_field("name", profile.name)  # first: it is what a form asks for first
    return dataclasses.replace(check_settings(profile), name=name)


def check_settings(profile: Profile, *, without_key: bool = False) -> Profile:
    """`check_profile` without the name, for keys found elsewhere, whose name is none that could be saved.

    And `without_key` where there is no access key yet.
    """
    unchecked = {"name", "access_key"} if without_key else {"name"}
    names = [one.name for one in dataclasses.fields(profile) if one.name not in unchecked]
    values = {name: check_field(name, getattr(profile, name)) for name in names}
    values["region"] = values["region"] or first_region(values["site"])
    checked = dataclasses.replace(profile, **values)
    _check_region(checked)
    _check_gateway_site(checked)
    _check_store_command(checked)
    return checked


def without_command(profile: Profile) -> Profile:
    """`profile` for a key that is stored."""
    return dataclasses.replace(profile, secret_command=None, secret_command_env=None)


def first_region(site: str) -> str:
    """The region of a site that is meant when none is named."""
    return next(iter(SITES[site].regions))


def _refuse(field_name: str, what: str, next_step: str = "", meaning: str = _NOTHING_SAVED) -> NoReturn:
    raise InvalidProfile(what, meaning, next_step, field=field_name)


def _check_name(_field: str, value: object) -> str:
    if not isinstance(value, str):
        _refuse("name", "A profile name must be text.")
    return check_profile_name(value)


def _check_access_key(field_name: str, value: object) -> str:
    if not isinstance(value, str):
        _refuse(field_name, "The access key ID must be text.")
    try:
        return check_access_key(value)
    except Problem as problem:
        _refuse(field_name, problem.what, problem.next_step)


def _check_choice(field_name: str, value: object, choices: tuple[str, ...]) -> str:
    chosen = value.strip().lower() if isinstance(value, str) else ""
    if chosen not in choices:
        _refuse(field_name, f"{_shown(value)} is not a known {field_name}.", f"Choose one of: {', '.join(choices)}.")
    return chosen


def _check_site(field_name: str, value: object) -> str:
    return _check_choice(field_name, value, tuple(SITES))


def _check_store(field_name: str, value: object) -> str:
    return _check_choice(field_name, value, STORE_NAMES)


def _check_accent(field_name: str, value: object) -> str | None:
    return None if value in (None, "") else _check_choice(field_name, value, ACCENTS)


def _check_region_text(field_name: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        _refuse(field_name, "A region must be text.")
    return value.strip().upper()


def _check_text(field_name: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        _refuse(field_name, f"{field_name} must be text.")
    text = value.strip()
    if not text.isprintable() or len(text) > _LONGEST_TEXT:
        _refuse(field_name, f"{field_name} must be one line of at most {_LONGEST_TEXT} visible characters.")
    return text or None


def _check_gateway_url(field_name: str, value: object) -> str | None:
    url = _check_text(field_name, value)
    if url is None:
        return None
    try:
        return check_gateway_url(url)
    except Problem as problem:
        _refuse(field_name, problem.what, problem.next_step)


def _check_ca_bundle(field_name: str, value: object) -> str | None:
    text = _check_text(field_name, value)
    if text is None:
        return None
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # ~somebody who does not exist
        path = Path(text)
    if not path.is_absolute():
        _refuse(field_name, f"{text!r} depends on the current folder.", "Give the full path of the certificate file.")
    return str(path)


def _check_age(field_name: str, value: object) -> str | None:
    text = _check_text(field_name, value)
    if text is not None and read_age(text) is None:
        _refuse(field_name, f"{_shown(value)} is not an age.", "Write it as 90m, 26h or 3d.")
    return text.lower() if text is not None else None


def _check_names(field_name: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        _refuse(field_name, f"{field_name} must be a list of names.")
    names = [_check_text(field_name, one) for one in value]
    return tuple([name for name in names if name]) or None


def _check_command(field_name: str, value: object) -> tuple[str, ...] | None:
    """The words of a command as they are: a blank may be meant. Empty words are arguments, an empty list is none."""
    if value is None or value in ([], ()):
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        _refuse(field_name, "The secret command must be a list of texts: the program and its arguments.")
    words = tuple(map(str, value))
    if not all(word.isprintable() for word in words):
        _refuse(field_name, "The secret command contains an invisible character.")
    if sum(map(len, words)) > _LONGEST_COMMAND:
        _refuse(field_name, f"The secret command has more than {_LONGEST_COMMAND} characters.")
    if not words[0].startswith("/"):
        _refuse(
            field_name,
            f"The secret command {_shown(words[0])} is not the full path of a program.",
            "Give a path that begins with /; neither ~ nor a variable is expanded.",
        )
    return words


def _check_variables(field_name: str, value: object) -> tuple[str, ...] | None:
    names = _check_names(field_name, value)
    for name in names or ():
        if not _VARIABLE.fullmatch(name):
            _refuse(field_name, f"{_shown(name)} is not the name of a variable.")
    return names


def _check_flag(field_name: str, value: object) -> bool:
    if not isinstance(value, bool):
        _refuse(field_name, f"{field_name} must be true or false.")
    return value


def _check_region(profile: Profile) -> None:
    regions = SITES[profile.site].regions
    if profile.region not in regions:
        _refuse(
            "region",
            f"Site {profile.site} has no region {_shown(profile.region)}.",
            f"Regions of {profile.site}: {', '.join(regions)}.",
        )


def _check_gateway_site(profile: Profile) -> None:
    site = site_of_gateway_url(profile.gateway_url) if profile.gateway_url else None
    if site is not None and site != profile.site:
        _refuse(
            "gateway_url",
            f"The gateway URL belongs to site {site}, the profile to site {profile.site}.",
            f"Choose site {site}, or another URL.",
        )


def _check_store_command(profile: Profile) -> None:
    """A key comes from a command or is stored, never both: which is used would be anyone's guess."""
    if profile.store == "command" and profile.secret_command is None:
        _refuse("secret_command", "The store command needs a secret command.", "Give the program that prints the key.")
    if profile.store != "command" and profile.secret_command is not None:
        _refuse(
            "store",
            f"A secret command and the store {profile.store} cannot be combined.",
            "With a secret command the store is: command.",
        )


def _shown(value: object) -> str:
    """A wrong value as a message may show it: short, and with nothing in it that a terminal would obey."""
    return ascii(value)[:40]


_CHECKS: Mapping[str, Callable[[str, object], Any]] = MappingProxyType(
    {
        "name": _check_name,
        "access_key": _check_access_key,
        "site": _check_site,
        "region": _check_region_text,
        "store": _check_store,
        "gateway_url": _check_gateway_url,
        "ca_bundle": _check_ca_bundle,
        "default_bucket": _check_text,
        "name_template": _check_text,
        "read_only": _check_flag,
        "protected": _check_flag,
        "accent": _check_accent,
        "max_age": _check_age,
        "warn_age": _check_age,
        "check_exempt": _check_names,
        "secret_command": _check_command,
        "secret_command_env": _check_variables,
    }
)
