"""`ncp-tui guide`: the manual, in a pager on a terminal and as plain text in a pipe."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from ncp_tui.cli.options import Command, Settings
from ncp_tui.cli.runner import run_command
from ncp_tui.guide.pages import TOPICS, read_page

if TYPE_CHECKING:
    from ncp_tui.cli.runner import CommandContext


def complete_topic(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The topics that begin so, for a shell's completion."""
    return [topic for topic in TOPICS if topic.startswith(incomplete)]


@click.command("guide", cls=Command)
@click.argument("topic", required=False, shell_complete=complete_topic)
@click.pass_context
def command(context: click.Context, topic: str | None) -> None:
    """Read the manual.

    Lists the topics, or shows the page of TOPIC: in a pager on a terminal ($PAGER, else less or more), as plain text
    in a pipe or a file.
    """
    if Settings.of(context).json:
        raise click.UsageError("guide has no --json: the manual is text.")
    if topic is not None and topic not in TOPICS:
        raise click.UsageError(_unknown(topic))
    run_command(partial(_show, topic=topic))


def _unknown(topic: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(topic.lower(), TOPICS, n=1)
    nearest = f" Did you mean {near[0]}?" if near else ""
    return f"No topic is called {topic!r}.{nearest} Topics: {', '.join(TOPICS)}."


def _show(context: CommandContext, topic: str | None) -> int:
    if topic is None:
        width = max(map(len, TOPICS))
        context.out.text("\n".join(f"{name:<{width}}  {sentence}" for name, sentence in TOPICS.items()))
        context.out.note("\nRead one with: ncp-tui guide TOPIC")
        return 0
    from ncp_tui.guide.markdown import page_text

    text = page_text(read_page(topic))
    if _has_pager():
        _page(text)
    else:
        context.out.text(text)
    return 0


def _has_pager() -> bool:
    """Whether the answer goes to a terminal that a pager can draw on."""
    from ncp_tui.cli.plain import is_lines_only

    return not is_lines_only() and all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _page(text: str) -> None:
    from ncp_tui.profiles.environment import take_environment

    take_environment(os.environ)  # a pager is another program: it inherits no key
    click.echo_via_pager(text)
