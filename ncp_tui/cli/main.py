"""The root of the command line. It knows its nouns by name only: what they import is paid for when they are used."""

from __future__ import annotations

import importlib
import io
import json
import sys
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from ncp_tui.cli.errors import ExitCode, write_report
from ncp_tui.cli.options import Group, Invocation, Settings
from ncp_tui.cli.output import close_streams, write
from ncp_tui.cli.plain import can_converse, is_lines_only, run_plain, run_plain_in_demo
from ncp_tui.cli.runner import run_command
from ncp_tui.cli.signals import Signals
from ncp_tui.cli.streams import lost_answer, terminal_is_gone

if TYPE_CHECKING:
    from ncp_tui.cli.runner import CommandContext

# The texts are here and not in the modules, so that `--help` imports none of them. A test compares the two.
NOUNS: Mapping[str, str] = MappingProxyType(
    {
        "profile": "Add, test, import and remove profiles.",
        "cluster": "List and show clusters, set their storage keys.",
        "bucket": "List the buckets for a cluster's snapshots.",
        "snapshot": "Create and follow snapshots, read the history.",
        "schedule": "Show, set and release snapshot schedules.",
        "sandbox": "Run a local practice gateway.",
        "doctor": "Check everything a snapshot depends on.",
        "paths": "Show where ncp-tui keeps its files.",
        "guide": "Read the manual.",
    }
)


class LazyGroup(Group):
    """A group whose commands are each the variable `command` of `ncp_tui.cli.<name>`."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what holds for the whole program."""
        from ncp_tui.cli.help import write_examples, write_whole_program

        write_examples(ctx, formatter)
        write_whole_program(formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The nouns, in the order of use."""
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one noun."""
        if cmd_name not in NOUNS:
            return None
        command: click.Command = importlib.import_module(f"ncp_tui.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the nouns without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(NOUNS.items()))


@click.group("ncp-tui", cls=LazyGroup, invoke_without_command=True)
@click.option(
    "--demo", is_flag=True, help="Start on a private practice gateway; none of your files or accounts are used."
)
@click.option("--plain", is_flag=True, help="Create one snapshot by answering questions, in plain lines of text.")
@click.pass_context
def root(context: click.Context, demo: bool, plain: bool) -> None:
    """Create, follow and verify snapshots of NAVER Cloud Search Engine Service clusters.

    Without a command the full-screen program starts, or on a limited terminal (TERM=dumb) the questions of --plain.
    """
    if context.invoked_subcommand is not None:
        if demo or plain:
            raise click.UsageError(f"{'--demo' if demo else '--plain'} cannot be combined with a command.")
        return
    if Settings.of(context).json:
        raise click.UsageError("--json needs a command.")
    plain = plain or is_lines_only()
    _check_terminal(plain=plain)
    if plain:
        run_command(run_plain_in_demo if demo else run_plain)
    run_command(_demonstrate if demo else _show)


def main(arguments: Sequence[str] | None = None, signals: Signals | None = None) -> int:
    """Run the command line and return its exit code; nothing is raised, whatever happens.

    `signals` are those of the process, where somebody has taken them already.
    """
    began = time.time()  # whatever another program does from here on, it does at the same time
    given = list(sys.argv[1:] if arguments is None else arguments)
    streams = sys.stdout, sys.stderr
    with signals or Signals() as taken:
        try:
            code = _run(given, Invocation(began, taken))
            taken.hold()
        except KeyboardInterrupt:  # between two steps, for all others are met where they belong
            taken.hold()
            code = _interrupted(given, taken)
        sys.stdout, sys.stderr = streams  # as they were before a question that was broken off
        close_streams()
    loss = lost_answer()
    if loss is not None and code == ExitCode.DONE:
        if _is_monitoring(given):
            from ncp_tui.cli.check import UNKNOWN

            return UNKNOWN
        return ExitCode.HUNG_UP if loss.is_hang_up else ExitCode.NOT_WRITTEN
    return code


def _run(given: Sequence[str], invocation: Invocation) -> int:
    signals = invocation.signals
    try:
        signals.release()
        return int(root.main(given, prog_name="ncp-tui", standalone_mode=False, obj=invocation) or 0)
    except SystemExit as completed:  # a shell's completion leaves so
        return int(completed.code or 0)
    except click.ClickException as error:
        signals.hold()
        shown = io.StringIO()  # its words repeat arguments, and arguments are text like any other
        error.show(shown)
        write(sys.stderr, shown.getvalue().rstrip("\n"))
        return _tell_scripts(given, "usage", error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        signals.hold()
        return _interrupted(given, signals)
    except Exception as error:  # noqa: BLE001 - the last handler of the program
        signals.hold()
        what = f"Internal error. {write_report(error)}"
        write(sys.stderr, what)
        return _tell_scripts(given, "bug", what, ExitCode.BUG)


def _interrupted(given: Sequence[str], signals: Signals) -> int:
    from ncp_tui.cli.errors import interruption

    problem = interruption(signals.interruption())
    write(sys.stderr, problem.what)
    return _tell_scripts(given, problem.kind, problem.what, problem.exit_code)


def _check_terminal(*, plain: bool) -> None:
    """Refuse to draw where nothing can be drawn, and to ask where no one can answer."""
    wanted = f"Use one of the commands: {', '.join(NOUNS)}."
    if terminal_is_gone():
        raise click.Abort
    if plain and not can_converse():
        raise _NoTerminal(f"Questions need a terminal: stdin, stdout and stderr. {wanted}")
    # Textual draws on stderr.
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise _NoTerminal(f"The full-screen program needs a terminal. {wanted}")


class _NoTerminal(click.ClickException):
    """One sentence, without the usage that click writes before its own."""

    exit_code = ExitCode.USAGE

    def show(self, file: Any = None) -> None:
        write(file or sys.stderr, self.message)


def _show(context: CommandContext) -> int:
    from ncp_tui.tui.main import run as run_tui

    return run_tui(context.workspace, context.secrets, profile=context.settings.profile)


def _demonstrate(context: CommandContext) -> int:
    from ncp_tui.cli.sandbox import demo_workspace
    from ncp_tui.tui.main import run as run_tui

    with demo_workspace() as workspace:
        return run_tui(workspace, context.secrets)


def _tell_scripts(arguments: Sequence[str], kind: str, what: str, code: int) -> int:
    """The one answer of a command that was never understood, so only its words say which was wanted; its exit code."""
    if any(word.startswith("--prometheus") for word in arguments):
        from ncp_tui.cli.metrics_file import write_unchecked

        write_unchecked(arguments, what)
    if _is_monitoring(arguments):
        from ncp_tui.cli.check import UNKNOWN, unknown_line

        write(sys.stdout, unknown_line(what))
        return UNKNOWN
    if "--json" in _options_of(arguments):
        error: dict[str, Any] = dict.fromkeys(
            ("kind", "what", "meaning", "next_step", "status", "code", "message", "request_id")
        )
        write(sys.stdout, json.dumps({"error": error | {"kind": kind, "what": what}}, indent=2))
    return code


def _options_of(arguments: Sequence[str]) -> Sequence[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _is_monitoring(arguments: Sequence[str]) -> bool:
    words = _options_of(arguments)
    return "--monitoring" in words and "check" in words
