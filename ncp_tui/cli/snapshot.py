"""`ncp-tui snapshot`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ncp_tui.cli.check import check
from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.options import Group, complete_cluster
from ncp_tui.cli.runner import CommandContext, run_command

_HOUR = 3600.0
_SECONDS = click.FloatRange(0, min_open=True)
_NOT_NEGATIVE = click.FloatRange(0)


@click.group("snapshot", cls=Group)
def command() -> None:
    """Create and follow snapshots, read the history."""


@command.command("create")
@click.argument("clusters", nargs=-1, metavar="[CLUSTER]...", shell_complete=complete_cluster)
@click.option("--all", "all_", is_flag=True, help="A snapshot of every cluster of the profile.")
@click.option("--match", metavar="GLOB", help="A snapshot of each cluster whose name matches, as 'search-*'.")
@click.option("--resume", metavar="BATCH", help="Send what of an earlier batch certainly never left.")
@click.option("--bucket", metavar="B", help="The bucket for the snapshot. Default: the profile's default bucket.")
@click.option("--name", metavar="N", help="3 to 30 characters: a-z, 0-9 and single hyphens; a letter first.")
@click.option("--template", metavar="T", help="Build the name from a template, as {cluster}-{date}-{time}.")
@click.option("--dry-run", is_flag=True, help="Run the preflight checks and show the request; create nothing.")
@click.option("--wait", is_flag=True, help="Follow the snapshot to its end.")
@click.option(
    "--timeout", type=_SECONDS, metavar="S", default=_HOUR, show_default=True, help="Seconds to wait with --wait."
)
@click.option("--yes", is_flag=True, help="Skip the question, which is asked on a terminal only.")
@click.option(
    "--confirm",
    metavar="CLUSTER",
    shell_complete=complete_cluster,
    help="The cluster's name again, to confirm with a protected profile; of a batch 'create N'.",
)
@click.option(
    "--without-journal",
    is_flag=True,
    help="Send it even if the journal cannot be written; writing is retried until the command ends.",
)
@click.option("--retry-if-not-started", is_flag=True, help="Retry once if the first request certainly started nothing.")
@click.option(
    "--again",
    metavar="ID",
    help="Send a second request although the earlier request ID may have started; the refusal names the ID.",
)
@click.option("--skip-blocked", is_flag=True, help="Of a batch: leave out what cannot be sent, and create the others.")
@click.option("--at-once", type=click.IntRange(1, 64), metavar="N", help="Of a batch: creates at the same time. [2]")
@click.option("--stagger", type=_NOT_NEGATIVE, metavar="S", help="Of a batch: seconds between two creates. [0]")
@click.option(
    "--stop-on",
    type=click.Choice(["unknown", "failed", "never"]),
    help="Of a batch: what keeps the rest from being sent. [unknown]",
)
@click.option("--share-buckets", is_flag=True, help="Of a batch: let two be written into one bucket at the same time.")
def create(clusters: tuple[str, ...], **options: Any) -> None:
    """Create one snapshot of CLUSTER, or of each of several.

    The request is written to the journal, then sent. If the answer is lost, the history is checked for a minute; the
    request is never repeated blindly. Exit codes: accepted (0), certainly not started (2 to 8, 12), unknown (9).
    With --wait: succeeded (0), failed (10), still running when the time is over (11).

    A name is used once: while an earlier request for it may have started, is running or has succeeded, a second one is
    refused (12) unless --again names that request. From cron use a template with {time}; with a fixed name every
    night after the first is refused.

    Two CLUSTERs, --all or --match make a batch: one review and one consent, then each is created on its own, in the
    bucket of its last good snapshot where --bucket names none. If it breaks off, --resume sends what never left. The
    exit code is that of the worst.
    """
    if options["name"] is not None and options["template"] is not None:
        raise click.UsageError("--name and --template exclude each other.")
    kinds = [bool(clusters), options["all_"], options["match"] is not None, options["resume"] is not None]
    if sum(kinds) > 1:
        raise click.UsageError("CLUSTER, --all, --match and --resume exclude one another.")
    if not any(kinds):
        raise click.UsageError("Missing argument 'CLUSTER'.")
    if "" in clusters or options["match"] == "":
        raise click.UsageError("A cluster name or pattern is empty.")
    of_one = {name: options.pop(name) for name in _OF_ONE}
    of_several = {name: options.pop(name) for name in _OF_SEVERAL}
    given = {name: value for name, value in of_several.items() if value}
    if len(clusters) == 1:
        _create_one(clusters[0], {**options, **of_one}, given)
    else:
        _create_several({"clusters": clusters, **options, **given}, of_one)


_OF_ONE = ("name", "again", "without_journal", "retry_if_not_started")
_OF_SEVERAL = ("all_", "match", "resume", "skip_blocked", "at_once", "stagger", "stop_on", "share_buckets")
_NOT_OF_A_RESUMED = ("bucket", "template", "dry_run")


def _create_one(cluster: str, options: dict[str, Any], given: dict[str, Any]) -> None:
    from ncp_tui.cli.create import create_snapshot
    from ncp_tui.cli.create_report import CreateOptions

    if given:
        raise click.UsageError(f"{_option(next(iter(given)))} is for several clusters.")
    run_command(partial(create_snapshot, options=CreateOptions(cluster, **options)))


def _create_several(options: dict[str, Any], of_one: dict[str, Any]) -> None:
    from ncp_tui.cli.batch import BatchOptions, create_batch

    wrong = [name for name, value in of_one.items() if value]
    if options.get("resume") is not None:
        wrong += [name for name in _NOT_OF_A_RESUMED if options[name]]
    if wrong:
        what = "a batch that is resumed" if wrong[0] in _NOT_OF_A_RESUMED else "several clusters"
        raise click.UsageError(f"{_option(wrong[0])} is not for {what}.")
    options.pop("all_", None)
    run_command(partial(create_batch, options=BatchOptions(**options)))


def _option(name: str) -> str:
    return "--" + name.rstrip("_").replace("_", "-")


@command.command("history")
@click.argument("cluster", shell_complete=complete_cluster)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Show only the newest N.")
def history(cluster: str, limit: int | None) -> None:
    """List the snapshots taken of CLUSTER, newest first.

    A row says that a snapshot was taken, not that it is still there: NCP deletes old snapshots by a rule that is not
    published.
    """
    run_command(partial(show_history, wanted=cluster, limit=limit))


@command.command("wait")
@click.argument("cluster", shell_complete=complete_cluster)
@click.argument("name")
@click.option("--timeout", type=_SECONDS, metavar="S", default=_HOUR, show_default=True, help="Seconds to wait.")
def wait(cluster: str, name: str, timeout: float) -> None:
    """Follow the snapshot NAME of CLUSTER to its end.

    Exit codes: succeeded (0), failed (10), still running when the time is over (11). If this machine requested the
    snapshot and its end is not known, that request is followed; otherwise the newest row with the name.
    """
    from ncp_tui.cli.wait import wait_for_snapshot

    run_command(partial(wait_for_snapshot, wanted=cluster, name=name, seconds=timeout))


@command.command("resolve")
@click.option(
    "--timeout", type=_SECONDS, metavar="S", default=60.0, show_default=True, help="Seconds to check each request."
)
@click.option(
    "--dismiss",
    nargs=2,
    metavar="CLUSTER NAME",
    help="Mark this request as resolved: you checked it yourself. NAME is as it is listed.",
)
@click.option(
    "--accept-damage",
    metavar="ID",
    help="Allow new requests although the journal has the damage ID; what it affects stays unknown.",
)
def resolve(timeout: float, dismiss: tuple[str, str] | None, accept_damage: str | None) -> None:
    """Find out what became of unresolved requests.

    A lost answer, a crash or a dropped link leaves a request unresolved. Only reads. Each is found started, not
    started or unknown; one that starts no snapshot, as of a schedule, is done, not done or unknown. Exits 9 if any is
    unknown or the journal is damaged.
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
    help="New file to write; '-' is standard output.  [default: evidence-NAME-TIME.json in this folder]",
)
@click.option("--offline", is_flag=True, help="Use local records only; send nothing.")
def evidence(name: str, cluster: str, output: Path | None, offline: bool) -> None:
    """Write everything known about snapshot NAME to one file.

    For a support ticket: the journal, the session log, the rows of the history, and what they prove. No keys are
    included.
    """
    from ncp_tui.cli.evidence import bundle_evidence

    run_command(partial(bundle_evidence, name=name, cluster=cluster, output=output, offline=offline))


@command.command("console")
@click.argument("cluster", shell_complete=complete_cluster)
@click.argument("name")
def console(cluster: str, name: str) -> None:
    """Print the Dev Tools lines for snapshot NAME of CLUSTER.

    Text for OpenSearch Dashboards or Kibana: find and verify the repository, show the snapshot, try a restore into
    renamed indices and remove them, restore in earnest, delete. Only reads the cluster and its history; runs none of
    the lines.
    """
    from ncp_tui.cli.console import show_console

    run_command(partial(show_console, wanted=cluster, name=name))


command.add_command(check)


def show_history(context: CommandContext, wanted: str, limit: int | None) -> ExitCode:
    """`snapshot history`. All pages are read whatever the limit: the order of the answer is not documented."""
    from ncp_tui.cli.cluster_lookup import find_cluster
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
