"""The manual's page of commands, written from the help of each with `python -m tests.cli.commands_page`.

The test beside this file compares: help that changes changes the page.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

import ncp_tui
from ncp_tui.cli.main import root
from ncp_tui.guide.pages import TOPICS
from tests.cli.command_lines import commands

PAGE = Path(ncp_tui.__file__).parent / "guide" / "commands.md"
_WIDTH = 78
"""Columns, as on a terminal of 80."""

_SHARED = "Options of every command:"
_INTRODUCTION = f"""# Commands

{TOPICS["commands"]}

Written from `ncp-tui COMMAND --help`. CLUSTER is a name or a number. Standard output carries the answer and nothing else, with `--json` exactly one JSON document; notes and progress go to standard error. SIGINT, SIGTERM and SIGHUP leave that document too, with what is known of the snapshot.
"""  # noqa: E501 - a paragraph of Markdown is one line


def page() -> str:
    """The whole page."""
    return "\n".join((_INTRODUCTION, *map(_section, ((), *commands(root)))))


def _section(words: tuple[str, ...]) -> str:
    text = _help_of(words)
    if words:  # what every command takes is in the first section, of the program as a whole
        blocks = [block for block in text.split("\n\n") if not block.startswith(_SHARED)]
        text = "\n\n".join(blocks)
    return f"## {' '.join(('ncp-tui', *words))}\n\n```text\n{text}\n```\n"


def _help_of(words: tuple[str, ...]) -> str:
    command: click.Group = root
    context = _context(root, "ncp-tui")
    for word in words:
        found = command.get_command(context, word)
        assert found is not None
        context = _context(found, word, context)
        command = found if isinstance(found, click.Group) else command
    return context.command.get_help(context)


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    return click.Context(command, parent, name, terminal_width=_WIDTH, **command.context_settings)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
