"""What help says beyond options: examples to copy, and for the program as a whole its variables and exit codes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from types import MappingProxyType

import click

from ncp_tui.cli.errors import MEANINGS
from ncp_tui.cli.examples import examples_of

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "NCLOUD_ACCESS_KEY_ID, NCLOUD_ACCESS_KEY": "The access key id to call with.",
        "NCLOUD_SECRET_ACCESS_KEY, NCLOUD_SECRET_KEY": "Its secret key.",
        "NCLOUD_SITE": "The site of these keys: public, gov or fin.",
        "NCLOUD_REGION": "The region of these keys: the site's first unless said otherwise.",
        "NCLOUD_API_GW": "The gateway of these keys.",
        "NCP_TUI_PROFILE": "The profile to call as, unless --profile names one.",
        "NCP_TUI_SERVER_ROLE": "1 offers the keys of this NCP server's role.",
        "NCP_TUI_PASSPHRASE_FILE": "A file or pipe with the passphrase of the encrypted key file.",
        "NCP_TUI_READ_ONLY": "1 refuses everything that changes anything, as --read-only.",
        "NCP_TUI_HOME": "One folder for every file of this program.",
        "NCP_TUI_ASCII": "1 draws with plain characters.",
        "NCP_TUI_MOUSE": "1 takes the mouse over SSH too, 0 never does.",
        "NCP_TUI_NOTIFY": "How the end of a snapshot is told: bell, osc9, osc777 or off.",
        "NO_COLOR": "Draw without colours.",
        "HTTPS_PROXY, NO_PROXY": "The http proxy to go through, and what goes past it.",
        "SSL_CERT_FILE, SSL_CERT_DIR": "PEM certificates to trust, as OpenSSL reads both.",
    }
)


def write_examples(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write each command line, never wrapped so that it can be copied, and below it what it does."""
    examples = list(examples_of(ctx.command_path.removeprefix(ctx.find_root().command_path).strip()))
    if not examples:
        return
    with formatter.section("Examples"):
        for line, what in examples:
            indent = " " * formatter.current_indent
            formatter.write(f"{indent}{line}\n")
            formatter.write(textwrap.indent(textwrap.fill(what, formatter.width - 8), f"{indent}    ") + "\n")


def write_whole_program(formatter: click.HelpFormatter) -> None:
    """Write what holds for every command: the variables that are listened to, and what the exit codes mean."""
    with formatter.section("Environment"):
        formatter.write_dl(list(ENVIRONMENT.items()), col_max=26)
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(int(code)), meaning) for code, meaning in MEANINGS.items()])
