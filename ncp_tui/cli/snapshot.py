"""`ncp-tui snapshot`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.options import Group, complete_cluster
from ncp_tui.cli.runner import CommandContext, run_command

_HOUR = 3600.0
_SECONDS = click.FloatRange(0, min_open=True)


@click.group("snapshot", cls=Group)
def command() -> None:
    """Create a snapshot, follow it, read the history."""


@command.command("create")
@click.argument("cluster", shell_complete=complete_cluster)
@click.option("--bucket", metavar="B", help="The bucket it goes to; without it the profile's default bucket.")
@click.option("--name", metavar="N", help="3 to 30 characters: a-z, 0-9 and single hyphens; a letter first.")
@click.option("--template", metavar="T", help="Make the name from this, as {cluster}-{date}-{time}.")
@click.option("--dry-run", is_flag=True, help="Look, but create nothing: show the request that would be sent.")
@click.option("--wait", is_flag=True, help="Follow the snapshot to its end.")
@click.option(
    "--timeout", type=_SECONDS, metavar="S", default=_HOUR, show_default=True, help="Seconds that --wait waits."
)
@click.option("--yes", is_flag=True, help="Do not ask. Without a terminal nobody is asked.")
@click.option(
    "--confirm",
    metavar="CLUSTER",
    shell_complete=complete_cluster,
    help="The cluster's name once more: what a protected profile wants.",
)
@click.option(
    "--without-journal",
    is_flag=True,
    help="Send it also where it cannot be written down; that is tried until the command ends.",
)
@click.option(
    "--retry-if-not-started", is_flag=True, help="Ask once more where it is certain that nothing was started."
)
@click.option(
    "--again",
    metavar="ID",
    help="Send it although the earlier request ID for the same snapshot may have started; the refusal names the ID.",
)
def create(**options: Any) -> None:
    """Create one snapshot of CLUSTER, a name or a number.

    It is written down, then sent. An answer that is lost is looked for in the history for a minute; nothing is sent
    again blindly. It ends in one of: accepted (0), certainly not started (2 to 8, 12), cannot tell (9).
    With --wait it ends when the snapshot does: success (0), failed (10), not over in time (11).

    A name is created once: while an earlier request for it may have started, is running or has succeeded, another one
    is refused (12) until you name that request with --again. So let cron use a template with {time}, or every night
    after the first is refused.
    """
    from ncp_tui.cli.create import create_snapshot
    from ncp_tui.cli.create_report import CreateOptions

    if options["name"] is not None and options["template"] is not None:
        raise click.UsageError("--name and --template exclude each other.")
    run_command(partial(create_snapshot, options=CreateOptions(**options)))


@command.command("history")
@click.argument("cluster", shell_complete=complete_cluster)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N.")
def history(cluster: str, limit: int | None) -> None:
    """List the snapshots of CLUSTER, newest first.

    CLUSTER is a name or a number.
    """
    run_command(partial(show_history, wanted=cluster, limit=limit))


@command.command("wait")
@click.argument("cluster", shell_complete=complete_cluster)
@click.argument("name")
@click.option("--timeout", type=_SECONDS, metavar="S", default=_HOUR, show_default=True, help="Seconds to wait.")
def wait(cluster: str, name: str, timeout: float) -> None:
    """Follow the snapshot NAME of CLUSTER to its end.

    It ends with success (0), failed (10), or not over in time (11). Where this machine asked for it and its end is not
    known yet, that request is followed, and a row of an earlier one says nothing; else the newest row of the name.
    """
    from ncp_tui.cli.wait import wait_for_snapshot

    run_command(partial(wait_for_snapshot, wanted=cluster, name=name, seconds=timeout))


@command.command("resolve")
@click.option(
    "--timeout", type=_SECONDS, metavar="S", default=60.0, show_default=True, help="Seconds to look for each of them."
)
@click.option(
    "--dismiss",
    nargs=2,
    metavar="CLUSTER NAME",
    help="Do not look for this one any more: you have seen for yourself.",
)
@click.option(
    "--accept-damage",
    metavar="ID",
    help="Let creates be sent again although the journal has the damage ID; what it touches stays unknown.",
)
def resolve(timeout: float, dismiss: tuple[str, str] | None, accept_damage: str | None) -> None:
    """Find out what became of creates whose outcome is unknown.

    That is so after a lost answer, a crash, a dropped link. Only reads. Each is started, not started, or cannot
    be told (9 where that is left for any, or the journal is damaged).
    """
    from ncp_tui.cli.resolve import accept, dismiss_one, resolve_all

    if dismiss is not None and accept_damage is not None:
        raise click.UsageError("--dismiss and --accept-damage exclude each other.")
    if dismiss is not None:
        run_command(partial(dismiss_one, cluster=dismiss[0], name=dismiss[1]))
    elif accept_damage is not None:
        run_command(partial(accept, wanted=accept_damage))
    else:
        run_command(partial(resolve_all, seconds=timeout))


@command.command("evidence")
@click.argument("name")
@click.option(
    "--cluster",
    metavar="C",
    default="",
    shell_complete=complete_cluster,
    help="Only on this cluster, a name or a number.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="A file that is not there yet; '-' is standard output.  [default: evidence-NAME-TIME.json in this folder]",
)
@click.option("--offline", is_flag=True, help="Send nothing: only what this machine has on record.")
def evidence(name: str, cluster: str, output: Path | None, offline: bool) -> None:
    """Write all that is known about snapshot NAME to one file.

    For a support ticket: the journal, the session log, the rows of the history, and what they prove. No key is in it.
    """
    from ncp_tui.cli.evidence import bundle_evidence

    run_command(partial(bundle_evidence, name=name, cluster=cluster, output=output, offline=offline))


def show_history(context: CommandContext, wanted: str, limit: int | None) -> ExitCode:
    """`snapshot history`. All pages are read whatever the limit: the service's order is not documented."""
    from ncp_tui.cli.cluster import find_cluster
    from ncp_tui.view.history import HISTORY, history_document

    engine = context.connect(context.identity())

    with context.log.action(f"snapshot history of {wanted}"):
        cluster = context.wait(find_cluster(engine, wanted))
        history = context.wait(engine.snapshot_history(cluster.number))
    entries = history[:limit]
    documents = [history_document(entry, history.read_at) for entry in entries]
    context.out.answer(documents, HISTORY.text(entries))
    context.tell_gap(history)
    if not history:
        context.out.note(HISTORY.empty)
    return ExitCode.DONE
