"""The frame around a command's work: whatever happens in it ends in calm words and the right exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import click

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.options import Invocation, Settings
from ncp_tui.cli.streams import is_hang_up
from ncp_tui.problem import Problem

if TYPE_CHECKING:
    from ncp_tui.cli.signals import Signals
    from ncp_tui.cli.work.session import Session


def run(work: Callable[[Session], ExitCode | int]) -> NoReturn:
    """Do `work` and leave with the exit code that it returns, or that its failure leads to.

    click's own exceptions (wrong usage) go through.
    """
    from ncp_tui.cli.work.session import Session

    context = click.get_current_context()
    signals = Invocation.of(context).signals
    with Session(Settings.of(context), signals) as session:
        try:
            ended = _ended(work, session)
            signals.hold()
        except KeyboardInterrupt:  # it came between two steps, for all others end the work itself
            ended = _interrupted(signals)
        signals.hold()
        if not isinstance(ended, int):
            from ncp_tui.cli.exit_codes import exit_code_of

            session.tell(ended)
            ended = exit_code_of(ended)
        context.exit(int(ended))


def _ended(work: Callable[[Session], ExitCode | int], session: Session) -> int | Problem:
    """What `work` ended with: its exit code, or why it has none. Raises click's own exceptions."""
    from ncp_tui.problem import Problem

    try:
        return int(work(session))
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException:
        raise
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(session.signals)
    except Problem as problem:
        return problem
    except Exception as error:  # noqa: BLE001 - the last handler: nobody but the report can do anything about it
        if is_hang_up(error):  # a question on a terminal that has gone: its input fails, or has an end
            return _interrupted(session.signals)
        from ncp_tui.cli.reports import write_report
        from ncp_tui.cli.work.problems import Bug

        return Bug(write_report(error, session.secrets))


def _interrupted(signals: Signals) -> Problem:
    from ncp_tui.cli.work.problems import interruption

    return interruption(signals.interruption())
