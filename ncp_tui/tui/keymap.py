"""The user's own keys: `[keys]` of the settings file, checked before any of them is in force.

    [keys]
    "clusters.snapshot" = "c"
    "table.down" = "down,j,ctrl+n"

Each name is the id of a binding, as the help in the guide lists them; each value one key or several. What is wrong is
left out and told of in a sentence, the rest holds.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys
from textual.screen import Screen

import ncp_tui.tui
from ncp_tui.text import clean
from ncp_tui.tui.key_bindings import SEND_ID, use_keys

TAKEN: Final = frozenset(
    {"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+j", "ctrl+o", "ctrl+c", "ctrl+z", "ctrl+i", "ctrl+m"}
)
"""Keys that tmux, a terminal or the shell takes before a program sees them, the two that must always work, and the two
that a terminal sends for tab and enter."""

FIXED: Final = frozenset({"app.quit_now", "app.suspend"})
"""Bindings that work in every input and dialog, with the keys that every program has for them."""

_FUNCTION_KEY: Final = re.compile(r"f([1-9]|1\d|2[0-4])")
_MODIFIERS: Final = r"^((ctrl|alt|shift)\+)*"
_SIGNS: Final = frozenset(
    binding.key
    for sign in string.punctuation
    for binding in Binding.make_bindings([Binding("comma" if sign == "," else sign, "")])
)
_KEYS: Final = frozenset(key.value for key in Keys if "<" not in key.value)


@dataclass(frozen=True)
class OwnKeys:
    """The program's own keys of one binding, and the screens, widgets or app that have it."""

    keys: str
    owners: frozenset[type] = frozenset()


@dataclass(frozen=True)
class Keymap:
    """Keys by binding id, ready for the app, and what of the user's file is not among them and why."""

    keys: Mapping[str, str]
    problems: tuple[str, ...] = ()


def read_keymap(wanted: Mapping[str, Any], bindings: Mapping[str, OwnKeys]) -> Keymap:
    """The keys that the user `wanted`, by id, given all `bindings` of the program."""
    kept: dict[str, str] = {}
    problems: list[str] = []
    for name, value in wanted.items():
        keys = [_as_textual_names_it(key.strip()) for key in value.split(",")] if isinstance(value, str) else []
        why = _why_not(name, keys, bindings)
        if why:
            problems.append(f"Key of {clean(name)}: {why}")
        else:
            kept[name] = ",".join(keys)
    while conflicts := _conflicts(kept, bindings):  # what is left out has its own key again, which may be another's
        for name, other, key in conflicts:
            if kept.pop(name, None) is not None:
                problems.append(f"Key of {name}: {key} is the key of {other}.")
    return Keymap(kept, tuple(problems))


def _as_textual_names_it(key: str) -> str:
    """`?` as `question_mark`, `Ctrl+N` as `ctrl+n`, `F2` as `f2`: else it would never be pressed, nor be a conflict."""
    key = key if len(key) == 1 else key.lower()
    modifiers = re.match(_MODIFIERS, key)
    plain = key[modifiers.end() :] if modifiers is not None else key
    return key[: len(key) - len(plain)] + (_name_of(plain) if len(plain) == 1 else plain)


def _name_of(character: str) -> str:
    return next(iter(Binding.make_bindings([Binding(character, "")]))).key


def _is_key(key: str) -> bool:
    plain = re.sub(_MODIFIERS, "", key)
    is_letter = len(plain) == 1 and unicodedata.category(plain)[0] in "LN"
    return is_letter or key in _KEYS or plain in _KEYS or plain in _SIGNS


def _why_not(name: str, keys: list[str], bindings: Mapping[str, OwnKeys]) -> str:
    if name not in bindings:
        return "there is no such binding; `ncp-tui guide keys` lists them."
    if name in FIXED:
        return "it cannot be changed, so that there is always a way out."
    if not all(keys) or not keys:
        return "it is a text of one key, or several with commas between."
    unknown = next((key for key in keys if not _is_key(key)), "")
    if unknown:
        return f"{clean(unknown)} is no key; one is a letter, a sign, f1 to f24, or a name like ctrl+n, pageup, space."
    taken = next((key for key in keys if key in TAKEN), "")
    if taken:
        return f"{taken} belongs to the terminal, tmux or the shell."
    if name == SEND_ID and not all(_FUNCTION_KEY.fullmatch(key) for key in keys):
        return "what sends a snapshot is a function key, so that no typed text can be it."
    return ""


def _conflicts(kept: Mapping[str, str], bindings: Mapping[str, OwnKeys]) -> list[tuple[str, str, str]]:
    """Each of `kept` that has a key of another binding with which it can be on one screen."""
    all_keys = {name: each.keys for name, each in bindings.items()} | dict(kept)
    found = []
    for name, keys in kept.items():
        for other, others in all_keys.items():
            shared = set(keys.split(",")) & set(others.split(",")) - set(bindings[name].keys.split(","))
            if other != name and shared and _meet(bindings[name], bindings[other]):
                found.append((name, other, min(shared)))
    return found


def _meet(one: OwnKeys, other: OwnKeys) -> bool:
    """Whether both can be on one screen: two screens only as one and its own base; what is no screen is on any."""
    return any(
        not (issubclass(mine, Screen) and issubclass(its, Screen)) or issubclass(mine, its) or issubclass(its, mine)
        for mine in one.owners
        for its in other.owners
    )


def put_in_force(app: App[Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """Have the keys that the user `wanted` work in `app`; returns which of them do not, a sentence each."""
    keymap = read_keymap(wanted, all_bindings())
    use_keys(keymap.keys)
    app.set_keymap(dict(keymap.keys))
    return keymap.problems


def all_bindings() -> dict[str, OwnKeys]:
    """Every binding of the program that has an id, with its keys. It loads every screen: only for who remaps."""
    found: dict[str, OwnKeys] = {}
    for each in pkgutil.walk_packages(ncp_tui.tui.__path__, "ncp_tui.tui."):
        for _, owner in inspect.getmembers(importlib.import_module(each.name), inspect.isclass):
            if issubclass(owner, DOMNode) and owner.__module__ == each.name:
                for one in owner.__dict__.get("BINDINGS", ()):
                    if isinstance(one, Binding) and one.id:
                        others = found[one.id].owners if one.id in found else frozenset()
                        found[one.id] = OwnKeys(one.key, others | {owner})
    return dict(sorted(found.items()))
