"""`ncp-tui sandbox`, and the workspace of --demo, whose sandbox is in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.options import Command, Settings
from ncp_tui.cli.output import Output, write
from ncp_tui.cli.streams import lost_answer
from ncp_tui.system.process import resume_gc
from ncp_tui.view.text import text_table

if TYPE_CHECKING:
    from ncp_tui.sandbox.fault_lab.catalogue import PlannedFault
    from ncp_tui.sandbox.fault_lab.fault import LabFault
    from ncp_tui.sandbox.sandbox import Sandbox
    from ncp_tui.workspace import Workspace

_DEMO_CLUSTERS = 12
_DEMO_SECONDS = 12.0
"""How long a snapshot takes: long enough to see its progress, short enough to wait for its end."""


def _read_faults(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[PlannedFault, ...]:
    """The faults that were named, before anything listens. Help and completion import no server for it."""
    if not given:
        return ()
    from ncp_tui.sandbox.fault_lab.catalogue import UnknownFault, read_fault

    try:
        return tuple(read_fault(text) for text in given)
    except UnknownFault as error:
        raise click.BadParameter(str(error)) from error


@click.command("sandbox", cls=Command)
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="PORT", default=0, show_default=True, help="0 is any free port."
)
@click.option(
    "--clusters", type=click.IntRange(1, 100_000), metavar="N", default=12, show_default=True, help="How many clusters."
)
@click.option(
    "--latency",
    type=click.IntRange(0),
    metavar="MS",
    default=0,
    show_default=True,
    help="Milliseconds before each answer.",
)
@click.option(
    "--duration",
    type=click.FloatRange(0),
    metavar="S",
    default=20.0,
    show_default=True,
    help="Seconds a snapshot runs.",
)
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append each request and each effect to this file, a request log of JSON lines.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:N]",
    callback=_read_faults,
    help="Simulate a failure of the next N requests, or NAME:always. Repeatable: the first that fits applies.",
)
@click.option("--list-faults", is_flag=True, help="List the faults and exit.")
@click.pass_context
def command(
    context: click.Context,
    *,
    port: int,
    clusters: int,
    latency: int,
    duration: float,
    ledger: Path | None,
    faults: tuple[PlannedFault, ...],
    list_faults: bool,
) -> None:
    """Run a local practice gateway.

    Prints one JSON line with its URL and test keys when it is ready, and serves until it is interrupted.

    A fault applies to the creation of a snapshot unless its row in --list-faults names another target. NAME@history
    applies it to the history; the other targets are clusters, cluster, buckets, set-schedule, release-schedule,
    schedule-history, set-key, pre-check, versions, dashboard, create and any.
    """
    from ncp_tui.sandbox.fault_lab.catalogue import FAULTS
    from ncp_tui.sandbox.sandbox import Sandbox, run_forever

    if list_faults:
        _list(FAULTS, Output(json=Settings.of(context).json))
        return
    try:
        if ledger is not None:
            ledger.open("a").close()
        with closing(Sandbox(clusters, duration, latency, ledger_path=ledger)) as sandbox:
            for fault in faults:
                fault.install(sandbox)
            resume_gc()
            run_forever(sandbox, port, lambda url: _announce(_ready(sandbox, url, faults)))
    except OSError as error:
        raise click.UsageError(f"The sandbox cannot start: {error.strerror or error}.") from error


def _announce(ready: dict[str, object]) -> None:
    """Write the line that says where it serves, and with which keys; where that line is lost, it serves no one."""
    write(sys.stdout, json.dumps(ready))
    if lost_answer() is not None:
        raise click.exceptions.Exit(ExitCode.DONE)


def _ready(sandbox: Sandbox, url: str, faults: Iterable[PlannedFault]) -> dict[str, object]:
    """What a client needs to know."""
    ready: dict[str, object] = {"url": url, "access_key": sandbox.access_key, "secret_key": sandbox.secret_key}
    if sandbox.ca_bundle:
        ready["ca_bundle"] = str(sandbox.ca_bundle)
    planned = [str(fault) for fault in faults]
    return ready | {"faults": planned} if planned else ready


def _list(faults: Mapping[str, LabFault], out: Output) -> None:
    documents = [
        {
            "name": fault.name,
            "description": fault.description,
            "operation": fault.operation,
            "effect": fault.effect,
            "times": fault.usual_times,
        }
        for fault in faults.values()
    ]
    rows = [(fault.name, _how_often(fault), fault.target, fault.description) for fault in faults.values()]
    out.answer(documents, text_table(("FAULT", "TIMES", "APPLIES TO", "WHAT IT DOES"), rows))


def _how_often(fault: LabFault) -> str:
    """How often it applies when no N is given."""
    return "always" if fault.usual_times is None else str(fault.usual_times)


@contextmanager
def demo_workspace() -> Iterator[Workspace]:
    """A workspace with one profile, `sandbox`, whose gateway is served for as long as the context lasts."""
    import asyncio
    import tempfile

    from ncp_tui.gateway.credentials import SecretKey
    from ncp_tui.profiles.profile import Profile
    from ncp_tui.profiles.profile_store import ProfileStore
    from ncp_tui.profiles.secret_stores.session_store import SessionStore
    from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
    from ncp_tui.system.paths import Paths
    from ncp_tui.workspace import Workspace

    store = SessionStore()
    with (
        # What is still being written when the program ends is no reason to end it with an error.
        tempfile.TemporaryDirectory(prefix="ncp-tui-demo-", ignore_cleanup_errors=True) as folder,
        ThreadedSandbox(Sandbox(_DEMO_CLUSTERS, _DEMO_SECONDS)) as served,
    ):
        root = Path(folder)
        paths = Paths(root / "config", root / "state", root / "data")
        profile = Profile(
            name="sandbox",
            access_key=served.sandbox.access_key,
            gateway_url=served.url,
            store="session",
            default_bucket="bk.ses.snapshot",
        )
        ProfileStore(paths).add(profile)
        asyncio.run(store.save(profile, SecretKey(served.sandbox.secret_key)))
        yield Workspace(environ={}, paths=paths, stores={"session": store}, configure_file=None, demo=True)
