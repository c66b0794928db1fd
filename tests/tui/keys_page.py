"""The list of bindings at the end of the manual's page of keys, written with `python -m tests.tui.keys_page`.

The test beside this file compares: a key that changes changes the page.
"""

from __future__ import annotations

import sys
from pathlib import Path

from textual.binding import Binding

import ncp_tui
from ncp_tui.tui.keymap import all_bindings

PAGE = Path(ncp_tui.__file__).parent / "guide" / "keys.md"
_HEADING = "## Every key by its ID\n"


def page(current: str) -> str:
    """The page whose text is `current`, with the list as it is now."""
    text, _, _ = current.partition(_HEADING)
    rows = [(name, own.keys, _words(name, own.owners)) for name, own in all_bindings().items()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {keys:<{widths[1]}}  {words}".rstrip() for name, keys, words in rows]
    return "\n".join((text + _HEADING, "```text", *lines, "```", ""))


def _words(name: str, owners: frozenset[type]) -> str:
    """What the binding does, as help has it."""
    found = {
        binding.tooltip or binding.description
        for owner in owners
        for binding in owner.__dict__.get("BINDINGS", ())
        if isinstance(binding, Binding) and binding.id == name
    }
    return min(found)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
