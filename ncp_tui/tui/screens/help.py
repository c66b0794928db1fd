"""`?`: every key of the screen below, made from its bindings, so that it cannot be out of date."""

from __future__ import annotations

from textual.screen import Screen

from ncp_tui.tui.screens.text import TextScreen
from ncp_tui.view.text import BLANK, Line, Span, Tone, line

_KEY_WIDTH = 16
_GROUPS = {
    "table": "Moving in a table",
    "text": "Moving in a text",
    "filter": "In the filter",
    "screen": "On every screen",
    "app": "Anywhere",
}


class HelpScreen(TextScreen):
    """The keys that work on `screen` now, and those that are greyed."""

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__("Keys", help_lines(screen), "esc closes, arrows scroll")


def help_lines(screen: Screen[object]) -> list[Line]:
    """One line for each action: its keys, what it does, and whether it can be done now."""
    actions: dict[str, tuple[str, list[str], str, bool]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not binding.id:
            continue  # Textual's own, for its inputs: they work as everywhere
        group = _GROUPS.get(binding.id.partition(".")[0], "This screen")
        _, keys, _, _ = actions.setdefault(
            binding.action, (group, [], binding.tooltip or binding.description, active.enabled)
        )
        keys.append(screen.app.get_key_display(binding))
    groups = ["This screen", *dict.fromkeys(_GROUPS.values())]
    lines: list[Line] = []
    for group in groups:
        members = [action for action in actions.values() if action[0] == group]
        if not members:
            continue
        lines += [BLANK] if lines else []
        lines.append(line(group, Tone.STRONG))
        lines += [_help_line(keys, words, enabled=enabled) for _, keys, words, enabled in members]
    return lines


def _help_line(keys: list[str], words: str, *, enabled: bool) -> Line:
    return (
        Span(f"  {' '.join(keys):<{_KEY_WIDTH}}", Tone.GOOD if enabled else Tone.DIM),
        Span(words if enabled else f"{words} (not now)", Tone.PLAIN if enabled else Tone.DIM),
    )
