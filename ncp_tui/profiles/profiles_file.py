"""The profiles as one document: what the TOML file says, read with tolerance and written back without loss."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import same_name
from ncp_tui.profiles.profile import Profile, check_profile

VERSION = 1

_FIELDS = tuple(one.name for one in dataclasses.fields(Profile) if one.name not in {"name", "extra"})
_ALWAYS_WRITTEN = frozenset({"site", "region", "access_key", "store"})
_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")


@dataclass(frozen=True)
class ProfilesFile:
    """Everything in the profiles file.

    `default` is the name as the file has it, whether or not such a profile can be read. `unreadable` holds the tables
    that are no profile, by name, as they were found: they are written back. `damaged` says that something was not
    understood, and `warnings` say what, in sentences for the user. `version` above VERSION means a newer program wrote
    the file.
    """

    profiles: tuple[Profile, ...] = ()
    default: str | None = None
    warnings: tuple[str, ...] = ()
    damaged: bool = False
    version: int = VERSION
    unreadable: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    def find(self, name: str) -> Profile | None:
        """The profile of that name, upper and lower case alike."""
        return next((profile for profile in self.profiles if same_name(profile.name, name)), None)

    def find_unreadable(self, name: str) -> str | None:
        """The name, as written, of a table that was meant to be this profile but could not be read."""
        return next((one for one in self.unreadable if same_name(one, name)), None)

    @property
    def default_profile(self) -> Profile | None:
        """The profile used when none is named; None when there is none or it cannot be read."""
        return self.find(self.default) if self.default else None


def read_profiles(data: bytes) -> ProfilesFile:
    """What the file says. Never raises: what cannot be read is left out, and `warnings` say so."""
    if not data:
        return ProfilesFile()
    import tomllib  # whoever keeps the keys in the environment has no file to read

    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return ProfilesFile(damaged=True, warnings=("The profiles file is not UTF-8 text.",))
    except tomllib.TOMLDecodeError as error:
        where = _LINE.search(str(error))  # only the place: the text of the error may quote the file
        place = f" in line {where[1]}, column {where[2]}" if where else ""
        return ProfilesFile(damaged=True, warnings=(f"The profiles file is not TOML{place}.",))
    except (RecursionError, ValueError):
        return ProfilesFile(damaged=True, warnings=("The profiles file is nested too deeply or has an invalid value.",))
    return _Parser(document).book()


def write_profiles(book: ProfilesFile) -> bytes:
    """The file's content for this book."""
    document: dict[str, Any] = {**book.extra, "version": VERSION}
    if book.default is not None:
        document["default"] = book.default
    tables: dict[str, Any] = {profile.name: _table(profile) for profile in book.profiles}
    document["profiles"] = tables | dict(book.unreadable)
    import tomli_w  # reading does not need it

    return tomli_w.dumps(document).encode()


def _table(profile: Profile) -> dict[str, Any]:
    values = {name: getattr(profile, name) for name in _FIELDS}
    chosen = {name: value for name, value in values.items() if name in _ALWAYS_WRITTEN or value not in (None, False)}
    return {**profile.extra, **chosen}


class _Parser:
    """One pass over a decoded document, collecting what is good and what is not."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = dict(document)
        self._profiles: list[Profile] = []
        self._unreadable: dict[str, Any] = {}
        self._warnings: list[str] = []
        self._damaged = False

    def book(self) -> ProfilesFile:
        version = self._version()
        default = self._default()
        self._read_profiles()
        if default is not None and not any(same_name(profile.name, default) for profile in self._profiles):
            self._warnings.append(f"The default profile {default!a} is not among the readable profiles.")
        return ProfilesFile(
            profiles=tuple(self._profiles),
            default=default,
            warnings=tuple(self._warnings),
            damaged=self._damaged,
            version=version,
            unreadable=self._unreadable,
            extra=self._document,
        )

    def _version(self) -> int:
        version = self._document.pop("version", VERSION)
        if type(version) is not int or version < 1:
            self._spoiled("The version of the profiles file is not a number of 1 or more.")
            return VERSION
        if version > VERSION:
            self._warnings.append(
                f"The profiles file was written by a newer ncp-tui (version {version}): it is read, but not changed."
            )
        return version

    def _default(self) -> str | None:
        default = self._document.pop("default", None)
        if default is None or isinstance(default, str):
            return default
        self._spoiled("The name of the default profile is not text.")
        return None

    def _read_profiles(self) -> None:
        tables = self._document.pop("profiles", {})
        if not isinstance(tables, dict):
            self._spoiled("`profiles` is not a table.")
            return
        for name, table in tables.items():
            try:
                self._profiles.append(self._profile(name, table))
            except Problem as problem:
                self._unreadable[name] = table
                self._spoiled(f"Profile {name!a} is not used: {problem.what}")

    def _profile(self, name: str, table: object) -> Profile:
        if not isinstance(table, dict):
            raise Problem("it is not a table.")
        if any(same_name(name, profile.name) for profile in self._profiles):
            raise Problem("another profile has this name already.")
        known = {key: value for key, value in table.items() if key in _FIELDS}
        extra = {key: value for key, value in table.items() if key not in _FIELDS}
        if "access_key" not in known:
            raise Problem("it has no access_key.")
        if "zone" in extra and "site" not in known:  # read as public, its requests would go to another gateway
            raise Problem('"zone" is called "site" in this version: change the word in the file.')
        self._warnings.extend(_secret_warnings(name, extra))
        place = {"store": "command"} if "secret_command" in known else {}
        return check_profile(Profile(name=name, extra=extra, **{"region": "", **place, **known}))

    def _spoiled(self, warning: str) -> None:
        self._damaged = True
        self._warnings.append(warning)


def _secret_warnings(name: str, extra: Mapping[str, Any]) -> Iterator[str]:
    for key in extra:
        if "secret" in key.lower():
            yield (
                f"Profile {name!a} has a key {key[:40]!a} in the profiles file. ncp-tui does not read it; "
                "a secret key does not belong there."
            )
