"""A secret key on its way into a command: typed unseen, through a pipe, or printed by a program; never an argument."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ncp_tui.cli.runner import CommandContext
    from ncp_tui.gateway.credentials import SecretKey

_LONGEST_INPUT = 64 * 1024


def read_secret(context: CommandContext, from_stdin: bool) -> SecretKey:
    """The secret key, typed unseen or read from stdin. Raises InvalidCredentials, or UsageError when neither is so."""
    from ncp_tui.gateway.credentials import SecretKey

    if context.can_ask:
        secret_key = SecretKey(click.prompt("Secret key (not shown)", hide_input=True, err=True))
    elif from_stdin and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError("The secret key would be visible while you type it. Send it through a pipe.")
    elif from_stdin:
        data = sys.stdin.buffer.read(_LONGEST_INPUT) if sys.stdin is not None else b""
        secret_key = SecretKey(data.decode("utf-8-sig", errors="replace"))
    else:
        raise click.UsageError("Without a terminal, add --secret-stdin and send the secret key on stdin.")
    context.secrets.append(secret_key)
    return secret_key


def printed_secret(context: CommandContext, command: str) -> SecretKey:
    """The secret key that the program of a command line prints; it runs once, and nothing is saved.

    Raises InvalidProfile for a line that is none, and SecretCommandFailed.
    """
    from ncp_tui.profiles.secret_command import run_secret_command, split_command

    secret_key = context.wait(run_secret_command(split_command(command), context.workspace.environ))
    context.secrets.append(secret_key)
    return secret_key
