"""Our own colours, dark and light, and the terminal's own for terminals that have only sixteen."""

from __future__ import annotations

import re
from collections.abc import Mapping

from textual.theme import Theme

DARK = Theme(
    name="ncp-dark",
    primary="#2fd27d",
    secondary="#7aa2f7",
    accent="#2fd27d",
    success="#4fd68c",
    warning="#e5b567",
    error="#ff7a85",
    foreground="#d5dbe3",
    background="#11151b",
    surface="#161b23",
    panel="#1d242e",
    dark=True,
    variables={
        "border": "#33404f",
        "border-blurred": "#33404f",
        "dim": "#8b98a8",
        "on-accent": "#11151b",
        "cursor-text": "#08130d",
        "cursor-background": "#2fd27d",
        "resting-background": "#24303c",
        "input-selection-background": "#2fd27d 35%",
        "block-cursor-text-style": "none",
    },
)
LIGHT = Theme(
    name="ncp-light",
    primary="#00763a",
    secondary="#2453a6",
    accent="#00763a",
    success="#006b34",
    warning="#7d5200",
    error="#b3202e",
    foreground="#1c232b",
    background="#fbfcfd",
    surface="#f3f5f7",
    panel="#e6eaee",
    dark=False,
    variables={
        "border": "#b4bec9",
        "border-blurred": "#b4bec9",
        "dim": "#596673",
        "on-accent": "#fbfcfd",
        "cursor-text": "#ffffff",
        "cursor-background": "#00763a",
        "resting-background": "#dde4ea",
        "input-selection-background": "#00763a 30%",
        "block-cursor-text-style": "none",
    },
)
TERMINAL = Theme(
    name="terminal",
    ansi=True,
    primary="ansi_green",
    secondary="ansi_cyan",
    accent="ansi_green",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "border": "ansi_bright_black",
        "border-blurred": "ansi_bright_black",
        "dim": "ansi_default",
        "on-accent": "ansi_black",
        "cursor-text": "ansi_black",
        "cursor-background": "ansi_green",
        "resting-background": "ansi_default",
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "block-cursor-text-style": "reverse",
        "block-cursor-blurred-text-style": "none",
        "input-selection-background": "ansi_blue",
        "input-cursor-text-style": "reverse",
        "scrollbar": "ansi_bright_black",
        "scrollbar-hover": "ansi_bright_black",
        "scrollbar-active": "ansi_green",
        "scrollbar-background": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
    },
)
CONTRAST = Theme(
    name="ncp-contrast",
    primary="#4dff9b",
    secondary="#9cc4ff",
    accent="#4dff9b",
    success="#5dffa0",
    warning="#ffd75e",
    error="#ff9aa2",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#101010",
    dark=True,
    variables={
        "border": "#ffffff",
        "border-blurred": "#b8b8b8",
        "dim": "#d6d6d6",
        "on-accent": "#000000",
        "cursor-text": "#000000",
        "cursor-background": "#ffffff",
        "resting-background": "#262626",
        "input-selection-background": "#ffffff 40%",
        "block-cursor-text-style": "none",
    },
)
THEMES = (DARK, LIGHT, TERMINAL, CONTRAST)

_MONOCHROME = re.compile(r"vt\d.*|.*-m|.*-mono")


def theme_for(environ: Mapping[str, str], remembered: str | None = None) -> str:
    """The theme to start with: the one chosen last, where the terminal has the colours for it; else its own.

    `remembered` may be the name of a theme that is no more. In sixteen colours ours would be their nearest neighbours.
    """
    many = environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"} or "256" in environ.get("TERM", "")
    if not many or environ.get("NO_COLOR"):
        return TERMINAL.name
    return remembered if remembered in {theme.name for theme in THEMES} else DARK.name


def is_monochrome(environ: Mapping[str, str]) -> bool:
    """Whether the terminal's own name says that it has no colours; `vt220` does, `vt220-color` does not."""
    term = environ.get("TERM", "").lower()
    return "color" not in term and _MONOCHROME.fullmatch(term) is not None
