"""Variables of the environment that are meant for others, and that Textual would listen to."""

from __future__ import annotations

from collections.abc import MutableMapping

DEVELOPMENT_VARIABLE = "NCP_TUI_DEV"

# A shell that was asked to export its size (docker exec -e, Jupyter, Emacs) hands on one that no window has any more.
_SIZE = ("COLUMNS", "LINES")


def forget_foreign_variables(environ: MutableMapping[str, str]) -> None:
    """Take out of `environ` what must not decide how this program looks; to be called before Textual is loaded.

    That is the size in COLUMNS and LINES (the window knows its own), every TEXTUAL variable (one of them logs each key
    that is typed, another presses keys), and a NO_COLOR that is empty, which by its own rule (no-color.org) says
    nothing. A developer keeps those of Textual with NCP_TUI_DEV.
    """
    names = [name for name in _SIZE if name in environ]
    if DEVELOPMENT_VARIABLE not in environ:
        names += [name for name in environ if name == "TEXTUAL" or name.startswith("TEXTUAL_")]
    if environ.get("NO_COLOR") == "":
        names.append("NO_COLOR")
    for name in names:
        del environ[name]
