"""`ncp-tui schedule`."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from ncp_tui.cli.errors import ExitCode, problem_words
from ncp_tui.cli.options import Group, complete_cluster
from ncp_tui.cli.runner import CommandContext, run_command

_DAYS = ("Everyday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@click.group("schedule", cls=Group)
def command() -> None:
    """Show, set and release snapshot schedules."""


def _complete_day(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [day for day in _DAYS if day.lower().startswith(incomplete.lower())]


@command.command("show")
@click.argument("cluster", shell_complete=complete_cluster)
def show(cluster: str) -> None:
    """Show the schedule of CLUSTER, its next and its last run.

    CLUSTER is a name or a number. What is set is the newest row of the schedule history; NCP documents neither the
    words of its status nor its time zone, so Korean time is assumed.
    """
    run_command(partial(show_schedule, wanted=cluster))


@command.command("history")
@click.argument("cluster", shell_complete=complete_cluster)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Show only the newest N.")
def history(cluster: str, limit: int | None) -> None:
    """List every setting of the schedule of CLUSTER, newest first.

    CLUSTER is a name or a number.
    """
    run_command(partial(show_settings, wanted=cluster, limit=limit))


@command.command("set")
@click.argument("cluster", shell_complete=complete_cluster)
@click.option("--name", required=True, metavar="N", help="3 to 15 characters: a-z, 0-9, hyphens; a letter first.")
@click.option("--bucket", metavar="B", help="The bucket for the snapshots. Default: the profile's default bucket.")
@click.option(
    "--day", required=True, metavar="D", shell_complete=_complete_day, help="Everyday, or a day: Sunday to Saturday."
)
@click.option("--at", required=True, metavar="HH:MM", help="On a quarter hour; taken for Korean time.")
@click.option("--dry-run", is_flag=True, help="Run the preflight checks and show the request; set nothing.")
@click.option("--yes", is_flag=True, help="Skip the question, which is asked on a terminal only.")
@click.option(
    "--confirm",
    metavar="CLUSTER",
    shell_complete=complete_cluster,
    help="The cluster's name again, to confirm with a protected profile.",
)
@click.option("--without-journal", is_flag=True, help="Send it even if the journal cannot be written.")
@click.option("--again", metavar="ID", help="Send it although ID stands against it; the refusal names the ID.")
def set_command(**options: Any) -> None:
    """Set the snapshot schedule of CLUSTER, a name or a number.

    The request is written to the journal, then sent once. If the answer is lost, the schedule history is read for a
    minute. Exit codes: set (0), certainly not set (2 to 8, 12), unknown (9).

    Whether setting replaces a schedule is not documented. While one is or may be in force, the command is refused (12):
    release it first, or name it with --again. The same holds while an earlier change of the schedule is unresolved.
    """
    from ncp_tui.cli.schedule_change import ChangeOptions, change_schedule
    from ncp_tui.snapshots.schedule_change import Setting

    setting = Setting(options.pop("name"), options.pop("bucket") or "", options.pop("day"), options.pop("at"))
    run_command(partial(change_schedule, options=ChangeOptions(**options, setting=setting)))


@command.command("release")
@click.argument("cluster", shell_complete=complete_cluster)
@click.option("--dry-run", is_flag=True, help="Run the preflight checks and show the request; release nothing.")
@click.option("--yes", is_flag=True, help="Skip the question, which is asked on a terminal only.")
@click.option(
    "--confirm",
    metavar="CLUSTER",
    shell_complete=complete_cluster,
    help="The cluster's name again, to confirm with a protected profile.",
)
@click.option("--without-journal", is_flag=True, help="Send it even if the journal cannot be written.")
@click.option("--again", metavar="ID", help="Send it although ID stands against it; the refusal names the ID.")
def release(**options: Any) -> None:
    """Release the snapshot schedule of CLUSTER, a name or a number.

    Snapshots that exist stay. The request is written to the journal, then sent once. If the answer is lost, the
    schedule history is read for a minute. Exit codes: released (0), certainly not released (2 to 8, 12), unknown (9).
    """
    from ncp_tui.cli.schedule_change import ChangeOptions, change_schedule

    run_command(partial(change_schedule, options=ChangeOptions(**options)))


def show_schedule(context: CommandContext, wanted: str) -> ExitCode:
    """`schedule show`: fails where it is not known what is set; of the snapshot history that is only said."""
    from ncp_tui.cli.cluster_lookup import find_cluster
    from ncp_tui.gateway.errors import GatewayError
    from ncp_tui.snapshots.cluster_summary import read_schedule
    from ncp_tui.snapshots.schedule import others_in_force
    from ncp_tui.view.schedule_documents import schedule_document
    from ncp_tui.view.schedule_history import schedule_heading
    from ncp_tui.view.text import plain_text

    engine = context.connect(context.identity())
    with context.log.action(f"schedule of {wanted}"):
        cluster = context.wait(find_cluster(engine, wanted))
        read = context.wait(read_schedule(engine, cluster))
    summary, others = read.summary, others_in_force(read.settings or ())
    problem = summary.schedule_problem
    if isinstance(problem, GatewayError):
        raise problem
    now = context.workspace.now()
    heading = schedule_heading(summary, now, _WIDTH, others=others)
    context.out.answer(schedule_document(cluster, summary, now), plain_text(heading))
    if problem is not None:
        context.out.error(problem_words(problem))
        return ExitCode.REFUSED
    if summary.problem is not None:
        context.out.error(f"The snapshot history: {problem_words(summary.problem)}")
    return ExitCode.DONE


_WIDTH = 100
"""Columns: long sentences are folded."""


def show_settings(context: CommandContext, wanted: str, limit: int | None) -> ExitCode:
    """`schedule history`. All pages are read whatever the limit: the order of the answer is not documented."""
    from ncp_tui.cli.cluster_lookup import find_cluster
    from ncp_tui.snapshots.schedule import newest_first
    from ncp_tui.view.schedule_documents import setting_document
    from ncp_tui.view.schedule_history import SCHEDULES

    engine = context.connect(context.identity())
    with context.log.action(f"schedule history of {wanted}"):
        cluster = context.wait(find_cluster(engine, wanted))
        settings = context.wait(engine.schedule_history(cluster.number))
    rows = newest_first(settings)[:limit]
    context.out.answer([setting_document(row) for row in rows], SCHEDULES.text(enumerate(rows)))
    context.tell_gap(settings)
    if not settings:
        context.out.note(SCHEDULES.empty)
    return ExitCode.DONE
