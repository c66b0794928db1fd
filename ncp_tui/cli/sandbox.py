"""`ncp-tui sandbox`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ncp_tui.cli.options import Command
from ncp_tui.cli.output import write


@click.command("sandbox", cls=Command)
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="PORT", default=0, show_default=True, help="0: any free port."
)
@click.option(
    "--clusters", type=click.IntRange(1, 100_000), metavar="N", default=12, show_default=True, help="How many."
)
@click.option(
    "--latency",
    type=click.IntRange(0),
    metavar="MS",
    default=0,
    show_default=True,
    help="Milliseconds before an answer.",
)
@click.option(
    "--duration",
    type=click.FloatRange(0),
    metavar="S",
    default=20.0,
    show_default=True,
    help="Seconds that a snapshot takes.",
)
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append each request and each effect to this file, as JSON lines.",
)
def command(port: int, clusters: int, latency: int, duration: float, ledger: Path | None) -> None:
    """Serve a local gateway to try everything out.

    Prints one JSON line with its URL and its made-up keys when it is ready, and serves until it is interrupted.
    """
    from ncp_tui.sandbox import Sandbox, run_forever

    try:
        if ledger is not None:
            ledger.open("a").close()
        sandbox = Sandbox(clusters, duration, latency, ledger_path=ledger)
        keys = {"access_key": sandbox.access_key, "secret_key": sandbox.secret_key}
        run_forever(sandbox, port, lambda url: write(sys.stdout, json.dumps({"url": url, **keys})))
    except OSError as error:
        raise click.UsageError(f"The sandbox cannot start: {error.strerror or error}.") from error
