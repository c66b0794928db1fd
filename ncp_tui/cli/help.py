"""What help says beyond options: examples to copy, and for the program as a whole its variables and exit codes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import click

from ncp_tui.cli.errors import MEANINGS

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "NCLOUD_ACCESS_KEY_ID, NCLOUD_ACCESS_KEY": "The access key ID to use.",
        "NCLOUD_SECRET_ACCESS_KEY, NCLOUD_SECRET_KEY": "Its secret key.",
        "CREDENTIALS_DIRECTORY": "Set by systemd; a file ncp-tui-secret-key in it is the secret key.",
        "NCLOUD_SITE": "The site of these keys: public, gov or fin.",
        "NCLOUD_REGION": "The region of these keys. Default: the first of the site.",
        "NCLOUD_API_GW": "The gateway of these keys.",
        "NCP_TUI_PROFILE": "The profile to use, unless --profile names one.",
        "NCP_TUI_SERVER_ROLE": "1 = offer the keys of this NCP server's role.",
        "NCP_TUI_PASSPHRASE_FILE": "A file or pipe with the passphrase of the encrypted key file.",
        "NCP_TUI_READ_ONLY": "1 = the same as --read-only.",
        "NCP_TUI_HOME": "One folder for every file of this program.",
        "NCP_TUI_ASCII": "1 = draw with ASCII characters only.",
        "NCP_TUI_MOUSE": "1 = use the mouse over SSH too, 0 = never.",
        "NCP_TUI_NOTIFY": "Notification when a snapshot ends: bell, osc9, osc777 or off.",
        "NO_COLOR": "Draw without colours.",
        "HTTPS_PROXY, NO_PROXY": "The HTTP proxy, and the hosts to reach without it.",
        "SSL_CERT_FILE, SSL_CERT_DIR": "PEM certificates to trust, as OpenSSL reads both.",
    }
)

_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "": """
            ncp-tui --demo
            Look around on a private practice gateway; none of your files or accounts are used.

            ncp-tui --profile prod --read-only
            The full-screen program, with every change refused.

            ncp-tui snapshot create search-0001 --bucket bk.ses.snapshot --wait
            Create a snapshot and follow it to its end.
        """,
        "profile list": """
            ncp-tui profile list
            The profiles, and which one is used by default.
        """,
        "profile add": """
            ncp-tui profile add prod --access-key ABCDEFGHIJ0123456789 --protected
            Prompts for the secret key and stores it in the keyring.

            ncp-tui profile add prod --access-key ABCDEFGHIJ0123456789 --store file --secret-stdin < secret.txt
            Reads the secret key from a file and stores it in the encrypted key file.

            ncp-tui profile add prod --access-key ABCDEFGHIJ0123456789 --secret-command '/usr/bin/pass show ncp/prod'
            Stores no secret key: the command prints it whenever it is needed.
        """,
        "profile show": """
            ncp-tui profile show prod
            All settings except the secret key.
        """,
        "profile edit": """
            ncp-tui profile edit prod --region JPN --default-bucket bk.ses.snapshot
            Change two settings and keep the rest.

            ncp-tui profile edit prod --store file
            Move the secret key to the encrypted key file.
        """,
        "profile rename": """
            ncp-tui profile rename prod prod-kr
            The secret key moves with it.
        """,
        "profile remove": """
            ncp-tui profile remove prod
            Asks you to type the name.
        """,
        "profile default": """
            ncp-tui profile default prod
            Use prod when no profile is named.
        """,
        "profile import": """
            ncp-tui profile import --from ncloud-configure --store file
            Only the keys of the official tools, into the encrypted key file.
        """,
        "profile test": """
            ncp-tui profile test prod
            One signed, read-only request.
        """,
        "cluster list": """
            ncp-tui cluster list
            All clusters, with their status and health.

            ncp-tui cluster list --json | jq -r '.[].name'
            Their names, for a script.
        """,
        "cluster show": """
            ncp-tui cluster show search-0001
            By its name.

            ncp-tui --profile prod cluster show 1037001 --json
            By its number, with profile prod, for a script.
        """,
        "cluster upgrade-check": """
            ncp-tui cluster upgrade-check search-0001
            The newest good snapshot, and until when an upgrade may begin with it.

            ncp-tui cluster upgrade-check search-0001 --ask-ncp --target 2180 --dry-run
            The request that would ask NCP's own pre-check; nothing is sent.
        """,
        "cluster set-key": """
            ncp-tui cluster set-key search-0001 --this-profile
            The keys of the profile, which may use Object Storage.

            ncp-tui cluster set-key search-0001 --access-key ABCDEFGHIJ0123456789 --secret-stdin < secret.txt
            Another key, its secret key from a file.

            ncp-tui cluster set-key search-0001 --access-key ABCDEFGHIJ0123456789 --secret-command 'pass show s3'
            Another key, its secret key printed by a program.
        """,
        "bucket list": """
            ncp-tui bucket list search-0001
            The buckets that a snapshot of this cluster can go to.
        """,
        "snapshot create": """
            ncp-tui snapshot create search-0001 --bucket bk.ses.snapshot --dry-run
            Run the preflight checks and show the request; create nothing.

            ncp-tui snapshot create search-0001 --bucket bk.ses.snapshot --wait
            Create a snapshot and follow it to its end.

            ncp-tui snapshot create search-0001 --name before-upgrade --yes --json
            From a script: no question, one JSON document. The bucket is the profile's default.

            ncp-tui snapshot create search-0001 --confirm search-0001
            With a protected profile, from a script.
        """,
        "snapshot history": """
            ncp-tui snapshot history search-0001 --limit 5
            The newest five snapshots.
        """,
        "snapshot wait": """
            ncp-tui snapshot wait search-0001 before-upgrade --timeout 600
            Wait ten minutes at most.
        """,
        "snapshot resolve": """
            ncp-tui snapshot resolve
            Check every unresolved request.

            ncp-tui snapshot resolve --dismiss search-0001 before-upgrade
            Mark one as resolved: you checked it in the NCP console.
        """,
        "snapshot evidence": """
            ncp-tui snapshot evidence before-upgrade
            Write a new file in this folder.

            ncp-tui snapshot evidence before-upgrade --offline --output -
            Write to standard output, from local records only.
        """,
        "snapshot console": """
            ncp-tui snapshot console search-0001 before-upgrade
            The lines to verify, try, restore or delete it, to copy into Dev Tools.

            ncp-tui snapshot console search-0001 before-upgrade --json
            The same requests for a script; the notes go to standard error.
        """,
        "snapshot check": """
            ncp-tui snapshot check --max-age 26h
            Every cluster of this profile; 13 where one has no good snapshot of the last 26 hours.

            ncp-tui snapshot check --all-profiles --match 'search-*' --json
            From a timer: one JSON document on all profiles.

            ncp-tui snapshot check --monitoring
            From a monitoring system: one status line, and its exit codes.
        """,
        "schedule show": """
            ncp-tui schedule show search-0001
            What is set, the next run, and whether the last one came.

            ncp-tui schedule show search-0001 --json | jq -r .last_due.run
            The last due run in a word, for a script.
        """,
        "schedule history": """
            ncp-tui schedule history search-0001
            Every setting of the schedule, newest first.
        """,
        "schedule set": """
            ncp-tui schedule set search-0001 --name nightly --bucket bk.ses.snapshot --day Everyday --at 03:00 --dry-run
            Run the preflight checks and show the request; set nothing.

            ncp-tui schedule set search-0001 --name weekly --day Sunday --at 02:30 --yes --json
            From a script: no question, one JSON document. The bucket is the profile's default.
        """,
        "schedule release": """
            ncp-tui schedule release search-0001
            End the schedule; snapshots that exist stay.

            ncp-tui schedule release search-0001 --confirm search-0001
            With a protected profile, from a script.
        """,
        "sandbox": """
            ncp-tui sandbox --latency 200
            Simulate a slow link, on any free port.

            ncp-tui sandbox --fault drop-after --fault history-lags:3
            The next snapshot starts but its answer is lost, and the history shows it late.

            ncp-tui sandbox --ledger ledger.jsonl
            Write each request and each effect to a request log.
        """,
        "doctor": """
            ncp-tui doctor
            Check everything.

            ncp-tui doctor --offline --json
            Check this machine only, for a script.

            ncp-tui doctor --contract --cluster search-0001
            Compare NCP's API with what ncp-tui believes of it.
        """,
        "paths": """
            ncp-tui paths
            Every folder and file, and whether it exists.
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
    """Write what holds for every command: the variables that are read, and what the exit codes mean."""
    with formatter.section("Environment"):
        formatter.write_dl(list(ENVIRONMENT.items()), col_max=26)
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(int(code)), meaning) for code, meaning in MEANINGS.items()])
