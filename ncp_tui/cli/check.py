"""`ncp-tui snapshot check`: is there a good recent snapshot of every cluster."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.metrics_file import MetricsFile
from ncp_tui.cli.options import Command, Settings, complete_cluster
from ncp_tui.cli.runner import CommandContext, run_command
from ncp_tui.problem import Problem

if TYPE_CHECKING:
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.snapshots.fleet import FleetReport, NotChecked
    from ncp_tui.snapshots.fleet_reading import Caller


class _Age(click.ParamType[timedelta]):
    """`90m`, `26h` or `3d`."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The time; a bare number does not say of what, and is refused."""
        from ncp_tui.profiles.profile import read_age

        if isinstance(value, timedelta):
            return value
        age = read_age(str(value))
        if age is None:
            self.fail(f"{value!r} is not an age. Write it as 90m, 26h or 3d.", param, ctx)
        return age


class StatusLine:
    """The one line of a monitoring plugin, whatever the check ends in, and the exit code that belongs to it."""

    def __init__(self, context: CommandContext) -> None:
        """Answer in the place of `context`, its failures and its last words included."""
        self._out = context.out
        self._code: int | None = None
        context.exit_code_of = self.end
        context.signals.last_words = self._say_last
        context.signals.exit_code = UNKNOWN

    def write(self, line: str, code: int) -> None:
        """Write the line, unless there is one."""
        if self._code is None:
            self._code = code
            self._out.made_document(line)

    def end(self, problem: Problem) -> int:
        """The exit code of a run that ended in `problem`."""
        return self.end_unknown(problem.what)

    def _say_last(self) -> None:
        self.end_unknown("The run was ended by a signal.")

    def end_unknown(self, what: str) -> int:
        """The exit code of a run that ended without its answer: UNKNOWN, or that of the line that was written."""
        self.write(unknown_line(what), UNKNOWN)
        return UNKNOWN if self._code is None else self._code


class Progress:
    """One line on a terminal that says how many clusters have been read; nothing elsewhere."""

    def __init__(self, *, is_shown: bool) -> None:
        """Write to stderr where `is_shown` and it is a terminal."""
        self._is_shown = is_shown and sys.stderr is not None and sys.stderr.isatty()
        self._width = 0

    def show(self, done: int, of: int) -> None:
        """Replace the line."""
        self._write(f"{done} of {of} clusters read")

    def end(self) -> None:
        """Remove the line."""
        if self._width:
            self._write("")
            self._write("")

    def _write(self, text: str) -> None:
        if self._is_shown:
            sys.stderr.write(f"\r{text:<{self._width}}")
            sys.stderr.flush()
            self._width = len(text)


UNKNOWN = 3
"""What a monitoring plugin exits with where it could not check."""


def unknown_line(what: str) -> str:
    """The status line of a check that came to no verdict."""
    from ncp_tui.snapshots.fleet import Severity
    from ncp_tui.view.fleet import status_line

    return status_line(Severity.UNKNOWN, what)


@dataclass(frozen=True)
class CheckOptions:
    """The options of one check."""

    clusters: tuple[str, ...] = ()
    match: str | None = None
    all_profiles: bool = False
    max_age: timedelta | None = None
    warn_age: timedelta | None = None
    at_once: int = 4
    deadline: float = 300.0
    monitoring: bool = False
    prometheus: Path | None = None


@click.command("check", cls=Command)
@click.argument("clusters", nargs=-1, metavar="[CLUSTER]...", shell_complete=complete_cluster)
@click.option("--match", metavar="GLOB", help="Only clusters whose name matches, as 'search-*'.")
@click.option("--all-profiles", is_flag=True, help="The clusters of every saved profile.")
@click.option("--max-age", type=_Age(), metavar="D", help="Critical from this age on. Default: the profile's, or 26h.")
@click.option("--warn-age", type=_Age(), metavar="D", help="A warning from this age on. Default: the profile's.")
@click.option(
    "--at-once",
    type=click.IntRange(1, 64),
    metavar="N",
    default=4,
    show_default=True,
    help="Requests of a profile at the same time.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    default=300.0,
    show_default=True,
    help="Seconds for the whole run.",
)
@click.option("--monitoring", is_flag=True, help="Print one status line and exit as monitoring plugins do.")
@click.option(
    "--prometheus",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write metrics to FILE, for the node exporter's textfile collector.",
)
def check(**options: Any) -> None:
    """Check that each cluster has a good recent snapshot.

    Without CLUSTER, all of them. Only reads. D is 90m, 26h or 3d. Exit codes: every cluster OK or WARNING (0), a newest
    good snapshot is too old or missing (13), a cluster or profile could not be checked (14); 13 over 14.

    With --monitoring: OK (0), WARNING (1), CRITICAL (2), UNKNOWN (3), whatever happens.
    """
    wanted = CheckOptions(**options)
    if wanted.monitoring and Settings.of(click.get_current_context()).json:
        raise click.UsageError("--monitoring and --json exclude each other.")
    if wanted.clusters and wanted.match is not None:
        raise click.UsageError("CLUSTER and --match exclude each other.")
    if wanted.all_profiles and Settings.of(click.get_current_context()).profile:
        raise click.UsageError("--all-profiles and --profile exclude each other.")
    if wanted.match == "" or "" in wanted.clusters:
        raise click.UsageError("A cluster name or pattern is empty.")
    run_command(partial(check_snapshots, options=wanted))


def check_snapshots(context: CommandContext, options: CheckOptions) -> int:
    """`snapshot check`."""
    from ncp_tui.view.fleet import MONITORING_CODES, fleet_document, fleet_text, monitoring_line

    status = StatusLine(context) if options.monitoring else None
    metrics = MetricsFile(context, options.prometheus) if options.prometheus is not None else None
    report = _read(context, options)
    unwritten = metrics.write(report) if metrics is not None else None
    if unwritten is not None:
        report = dataclasses.replace(report, not_checked=(*report.not_checked, unwritten))
    if status is not None:
        status.write(monitoring_line(report), MONITORING_CODES[report.severity])
        return MONITORING_CODES[report.severity]
    code = exit_code(report)
    context.out.answer(fleet_document(report, code), fleet_text(report))
    return code


def _read(context: CommandContext, options: CheckOptions) -> FleetReport:
    from ncp_tui.snapshots.fleet import Wanted
    from ncp_tui.snapshots.fleet_reading import read_fleet

    identities, missing = _identities(context, options)
    if len(identities) == 1 and not options.monitoring and context.can_ask:
        openings = [_asked(context, identities[0], options.at_once)]
    else:
        openings = [partial(context.open, identity, at_once=options.at_once) for identity in identities]
    callers = [_caller(identity, options, opening) for identity, opening in zip(identities, openings, strict=True)]
    wanted, progress = Wanted(options.clusters, options.match), Progress(is_shown=not context.settings.quiet)
    try:
        with context.log.action("check snapshots"):
            reading = read_fleet(
                callers,
                wanted,
                context.workspace.now,
                at_once=options.at_once,
                deadline=options.deadline,
                show=progress.show,
            )
            report = context.wait(reading)
    finally:
        progress.end()
    return dataclasses.replace(report, not_checked=(*report.not_checked, *missing))


def exit_code(report: FleetReport) -> ExitCode:
    """13 where a cluster is critical, else 14 where something could not be checked, else 0."""
    from ncp_tui.snapshots.fleet import Severity

    codes = {Severity.CRITICAL: ExitCode.TOO_OLD, Severity.UNKNOWN: ExitCode.NOT_CHECKED}
    return codes.get(report.severity, ExitCode.DONE)


def _identities(context: CommandContext, options: CheckOptions) -> tuple[list[Identity], list[NotChecked]]:
    """Whom to check as, and the saved profiles that cannot be read. Raises NoCredentials where there is no profile."""
    from ncp_tui.snapshots.fleet import saved_profiles

    if not options.all_profiles:
        return [context.identity()], []
    book = context.workspace.profiles.load()
    saved, missing = saved_profiles(book, context.workspace.identities(book))
    for warning in book.warnings:
        context.out.note(warning)
    return (saved, missing) if saved or missing else ([context.identity()], [])


def _asked(context: CommandContext, identity: Identity, at_once: int) -> partial[Coroutine[Any, Any, SearchEngine]]:
    """The client of a profile, the user having been asked to open its store where that is locked."""

    async def opened(found: SearchEngine | Problem) -> SearchEngine:
        if isinstance(found, Problem):
            raise found
        return found

    try:
        return partial(opened, context.connect(identity, at_once=at_once))
    except Problem as problem:
        return partial(opened, problem)


def _caller(
    identity: Identity, options: CheckOptions, opening: Callable[[], Coroutine[Any, Any, SearchEngine]]
) -> Caller:
    from ncp_tui.snapshots.fleet import Bars
    from ncp_tui.snapshots.fleet_reading import Caller

    profile = identity.profile
    bars = Bars(options.max_age or profile.max_age_bar, options.warn_age or profile.warn_age_bar)
    return Caller(profile, bars, opening)
