"""What help says beyond options: examples to copy, and for the program as a whole its variables and exit codes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import click

from ncp_tui.cli.errors import MEANINGS

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

_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "": """
            ncp-tui --demo
            Look around: a private sandbox; nothing of yours is read or written.

            ncp-tui --profile prod --read-only
            The full-screen program, which can change nothing then.

            ncp-tui snapshot create search-0001 --bucket bk.ses.snapshot --wait
            Take a snapshot and follow it to its end.
        """,
        "profile list": """
            ncp-tui profile list
            Who can be called as, and who would be.
        """,
        "profile add": """
            ncp-tui profile add prod --access-key ABCDEFGHIJ0123456789 --protected
            The secret key is asked for, and kept in the keyring.

            ncp-tui profile add prod --access-key ABCDEFGHIJ0123456789 --store file --secret-stdin < secret.txt
            The secret key comes from a file, and goes into the encrypted file.
        """,
        "profile show": """
            ncp-tui profile show prod
            Everything but its secret key.
        """,
        "profile edit": """
            ncp-tui profile edit prod --region JPN --default-bucket bk.ses.snapshot
            Change two settings, keep the rest.

            ncp-tui profile edit prod --store file
            Move its secret key to the encrypted file.
        """,
        "profile rename": """
            ncp-tui profile rename prod prod-kr
            Its secret key moves along.
        """,
        "profile remove": """
            ncp-tui profile remove prod
            Asks for the name once more.
        """,
        "profile default": """
            ncp-tui profile default prod
            Called as from now on, when nobody is named.
        """,
        "profile import": """
            ncp-tui profile import --from ncloud-configure --store file
            Only what the official tools keep, into the encrypted file.
        """,
        "profile test": """
            ncp-tui profile test prod
            One signed read.
        """,
        "cluster list": """
            ncp-tui cluster list
            The clusters of the account, with their state and health.

            ncp-tui cluster list --json | jq -r '.[].name'
            Their names, for a script.
        """,
        "cluster show": """
            ncp-tui cluster show search-0001
            By its name.

            ncp-tui --profile prod cluster show 1037001 --json
            By its number, called as prod, for a script.
        """,
        "bucket list": """
            ncp-tui bucket list search-0001
            Where a snapshot of this cluster can go.
        """,
        "snapshot create": """
            ncp-tui snapshot create search-0001 --bucket bk.ses.snapshot --dry-run
            Look at everything that matters, and at the exact request; create nothing.

            ncp-tui snapshot create search-0001 --bucket bk.ses.snapshot --wait
            Create one, and follow it to its end.

            ncp-tui snapshot create search-0001 --name before-upgrade --yes --json
            From a script: nobody is asked, and the answer is one JSON document. The bucket is the profile's default.

            ncp-tui snapshot create search-0001 --confirm search-0001
            With a protected profile, where nobody can be asked.
        """,
        "snapshot history": """
            ncp-tui snapshot history search-0001 --limit 5
            The newest five.
        """,
        "snapshot wait": """
            ncp-tui snapshot wait search-0001 before-upgrade --timeout 600
            For ten minutes at most.
        """,
        "snapshot resolve": """
            ncp-tui snapshot resolve
            Look for everything that is open.

            ncp-tui snapshot resolve --dismiss search-0001 before-upgrade
            You have seen in the console what became of it.
        """,
        "snapshot evidence": """
            ncp-tui snapshot evidence before-upgrade
            Into a new file in this folder.

            ncp-tui snapshot evidence before-upgrade --offline --output -
            To standard output, and nothing is sent.
        """,
        "sandbox": """
            ncp-tui sandbox --latency 200
            A slow link, on any free port.

            ncp-tui sandbox --fault drop-after --fault history-lags:3
            The next create starts and its answer is lost; the history is late to name it.

            ncp-tui sandbox --ledger ledger.jsonl
            Keep a record of each request and each effect.
        """,
        "doctor": """
            ncp-tui doctor
            Everything.

            ncp-tui doctor --offline --json
            This machine alone, for a script.
        """,
        "paths": """
            ncp-tui paths
            Every folder and file, and whether it is there.
        """,
        "guide": """
            ncp-tui guide
            The topics.

            ncp-tui guide troubleshooting
            One page, in a pager.
        """,
    }
)
"""By the words of the command; none for the program as a whole."""


def examples_of(command: str) -> Iterator[tuple[str, str]]:
    """Each example of a command such as `snapshot create`: its line, and what it does. None for a group."""
    for example in textwrap.dedent(_EXAMPLES.get(command, "")).strip().split("\n\n"):
        line, _, what = example.partition("\n")
        if line:
            yield line, what


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
