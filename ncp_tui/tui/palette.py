"""What the command palette offers of a screen: what can be done on it now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual.app import SystemCommand
from textual.screen import Screen

from ncp_tui.tui.send_key import SEND_ID


def commands_of(screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Every action of `screen` that is in force, once; what moves about in it, and what sends, apart."""
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        if not binding.id or not active.enabled or binding.action in seen:
            continue
        group, _, _ = binding.id.partition(".")
        if group in {"table", "text", "filter"} or binding.action in {"command_palette", "leave_now"}:
            continue
        if binding.id == SEND_ID:
            continue  # its letters and an enter would send
        seen.add(binding.action)
        yield SystemCommand(
            f"{group}: {binding.description.lower()}",
            binding.tooltip or binding.description,
            _running(active.node, binding.action),
        )


def _running(node: Any, action: str) -> Any:
    async def run() -> None:
        await node.run_action(action)

    return run
