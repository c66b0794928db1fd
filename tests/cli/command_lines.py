"""Which commands there are, and which of them a line calls."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click

from ncp_tui.cli.main import root
from ncp_tui.cli.options import Group


def commands(group: click.Group, *words: str) -> Iterator[tuple[str, ...]]:
    """The words of every command below `group` that help names, in its order."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield (*words, name)
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)


def understood(line: str) -> tuple[str, ...]:
    """The words of the command that a line calls. Raises ClickException where the line is not understood."""
    words = shlex.split(re.split(r" [|<>] ", line)[0])
    assert words[0] == "ncp-tui"
    context, called = root.make_context("ncp-tui", words[1:]), []
    while isinstance(context.command, Group) and context._protected_args:
        name, command, rest = context.command.resolve_command(context, context._protected_args + context.args)
        assert name is not None
        assert command is not None
        called.append(name)
        context = command.make_context(name, rest, parent=context)
    return tuple(called)
