"""The keys of the official tools, read out of `~/.ncloud/configure` without ever writing there."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ncp_tui.gateway.credentials import InvalidCredentials, SecretKey, check_access_key, mask_access_key
from ncp_tui.profiles.environment import ACCESS_KEY_VARIABLES, SECRET_KEY_VARIABLES

SHORT_PATH = "~/.ncloud/configure"
DEFAULT_SECTION = "DEFAULT"

_ACCESS_KEY = "ncloud_access_key_id"
_SECRET_KEY = "ncloud_secret_access_key"  # noqa: S105 - the name of the key in the file
_GATEWAY = "ncloud_api_url"
_OF_THE_ENVIRONMENT = {name.lower() for name in (*ACCESS_KEY_VARIABLES, *SECRET_KEY_VARIABLES)} - {
    _ACCESS_KEY,
    _SECRET_KEY,
}
# As text: compiling it takes 6 ms, and most machines have no such file.
_FOREIGN_NAME = r"(?i)(?P<export>export\s+)?(?P<name>ncloud_\w+)\s*(?P<sign>[:=])"
_LINE_END = r"\r\n|\r|\n"
_LARGEST = 1 << 20
_OTHERS = 0o077

T = TypeVar("T")


@dataclass(frozen=True)
class ConfigureSection:
    """The keys of one section. `gateway_url` is None when the section names none."""

    name: str
    access_key: str
    secret_key: SecretKey
    gateway_url: str | None = None


@dataclass(frozen=True)
class NcloudConfigure:
    """The usable sections in the order of the file, and what the user should know about the rest of it."""

    sections: tuple[ConfigureSection, ...] = ()
    warnings: tuple[str, ...] = ()

    def find(self, name: str) -> ConfigureSection | None:
        """The section of that name: the same spelling first, then upper and lower case alike."""
        alike = [section for section in self.sections if section.name.casefold() == name.casefold()]
        return next((section for section in alike if section.name == name), alike[0] if alike else None)


@dataclass(frozen=True)
class _Entry:
    section: str
    key: str
    value: str
    line: int


def read_ncloud_configure(path: Path) -> NcloudConfigure:
    """What the file holds. A file that is missing is empty; one that cannot be read is a warning. Never raises."""
    try:
        data, mode = _read(path)
    except FileNotFoundError:
        return NcloudConfigure()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        return NcloudConfigure(warnings=(f"{SHORT_PATH} cannot be read: {reason}.",))
    configure = parse_ncloud_configure(data)
    if mode & _OTHERS and os.name == "posix":
        warning = f"{SHORT_PATH} is open to other users (mode {mode:04o}): chmod 600 {SHORT_PATH}"
        return NcloudConfigure(configure.sections, (*configure.warnings, warning))
    return configure


def parse_ncloud_configure(data: bytes) -> NcloudConfigure:
    """The sections in `data`: INI with or without headers, where only `=` separates and a value is taken as it is.

    Keys above the first header belong to `[DEFAULT]`, and `[DEFAULT]` lends nothing to other sections: half a pair of
    one account must not be completed by another's.
    """
    text = _decoded(data)
    warnings = list(_unread_lines(text))
    entries = tuple(_entries(text))
    sections: list[ConfigureSection] = []
    for name in dict.fromkeys(entry.section for entry in entries):
        values = {entry.key: entry for entry in entries if entry.section == name and entry.value}
        try:
            section = _section(name, values)
        except InvalidCredentials as problem:
            warnings.append(f"{_place(name)} is not used: {problem.what}")
            continue
        if section is not None:
            sections.append(section)
        elif _ACCESS_KEY in values or _SECRET_KEY in values:
            missing = _SECRET_KEY if _ACCESS_KEY in values else _ACCESS_KEY
            warnings.append(f"{_place(name)} is not used: it has no {missing}.")
    warnings.extend(_other_readings(entries, sections))
    return NcloudConfigure(tuple(sections), tuple(warnings))


def _read(path: Path) -> tuple[bytes, int]:
    # O_NONBLOCK: a pipe of this name would be waited for, for ever.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        return file.read(_LARGEST), stat.S_IMODE(status.st_mode)


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # A comment in an old Korean encoding; the keys are ASCII in all of them, and anything else is refused below.
        return data.decode("latin-1")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers; a line may end as on any system."""
    for number, raw in enumerate(re.split(_LINE_END, text), start=1):
        line = raw.strip()
        if line and not line.startswith(("#", ";")):
            yield number, line


def _entries(text: str) -> Iterator[_Entry]:
    section = DEFAULT_SECTION
    for number, line in _lines(text):
        if line.startswith("[") and "]" in line:
            section = line[1 : line.index("]")].strip() or DEFAULT_SECTION
            continue
        key, separator, value = line.partition("=")
        if separator:
            yield _Entry(section, key.strip().lower(), value.strip(), number)


def _unread_lines(text: str) -> Iterator[str]:
    """What stands there in the spelling of another file, and is not read: keys that seem to be there and are not."""
    if "\r" in text.replace("\r\n", ""):
        yield f"{SHORT_PATH}: lines end in a bare CR, which the official tools do not read as the end of a line."
    for number, line in _lines(text):
        name = re.match(_FOREIGN_NAME, line)
        if name is None:
            continue
        place = f"{SHORT_PATH}, line {number}"
        if name["export"]:
            yield f"{place} is not read: it begins with export, as in a shell. Write: {_ACCESS_KEY} = ..."
        elif name["sign"] == ":":
            yield f"{place} is not read: it has a colon instead of the = sign."
        elif name["name"].lower() in _OF_THE_ENVIRONMENT:
            known = _ACCESS_KEY if "secret" not in name["name"].lower() else _SECRET_KEY
            yield f"{place} is not read: {name['name']} is an environment variable; in this file the key is {known}."


def _section(name: str, values: Mapping[str, _Entry]) -> ConfigureSection | None:
    access_key, secret_key = values.get(_ACCESS_KEY), values.get(_SECRET_KEY)
    if access_key is None or secret_key is None:
        return None
    if not name.isprintable():
        raise InvalidCredentials("its name has characters that cannot be shown.")
    if not secret_key.value.isascii():
        raise InvalidCredentials(f"line {secret_key.line}: the secret key has characters that no NCP key has.")
    gateway = values.get(_GATEWAY)
    return ConfigureSection(
        name,
        _on_its_line(access_key, check_access_key),
        _on_its_line(secret_key, SecretKey),
        gateway.value if gateway else None,
    )


def _on_its_line(entry: _Entry, check: Callable[[str], T]) -> T:
    try:
        return check(entry.value)
    except InvalidCredentials as problem:
        problem.what = f"line {entry.line}: {problem.what}"
        raise


def _other_readings(entries: tuple[_Entry, ...], sections: list[ConfigureSection]) -> Iterator[str]:
    """What the official SDKs read differently: they ignore headers, so that the last value of the whole file wins.

    The Go SDK splits a line at every `=` and keeps the second piece, which cuts a value that holds one.
    """
    ours = next((section for section in sections if section.name == DEFAULT_SECTION), None)
    last = {entry.key: entry.value for entry in entries}
    theirs = last.get(_ACCESS_KEY, "")
    if ours is not None and theirs != ours.access_key:
        yield (
            f"The official SDKs ignore the sections of {SHORT_PATH} and use the last keys in it "
            f"({mask_access_key(theirs)}); ncp-tui uses those of the section it names."
        )
    for section in sections:
        if "=" in section.secret_key.reveal():
            yield f"{_place(section.name)}: the official Go SDK cuts the secret key at its `=`; ncp-tui uses all of it."


def _place(section: str) -> str:
    return f"{SHORT_PATH} [{section if section.isprintable() else ascii(section)}]"
