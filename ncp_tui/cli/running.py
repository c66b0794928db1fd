"""The frame around a command's work: whatever happens in it ends in calm words and the right exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import click

from ncp_tui.cli.options import Settings

if TYPE_CHECKING:
    from ncp_tui.cli.exit_codes import ExitCode
    from ncp_tui.cli.work.session import Session


def run(work: Callable[[Session], ExitCode | int]) -> NoReturn:
    """Do `work` and leave with the exit code that it returns, or that its failure leads to.

    click's own exceptions (wrong usage) go through.
    """
    from ncp_tui.cli.work.session import Session
    from ncp_tui.gateway import Problem

    context = click.get_current_context()
    problem: Problem
    with Session(Settings.of(context)) as session:
        try:
            context.exit(int(work(session)))
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            from ncp_tui.cli.work.problems import Interrupted

            problem = Interrupted()
        except Problem as raised:
            problem = raised
        except Exception as error:  # noqa: BLE001 - the last handler: nobody but the report can do anything about it
            from ncp_tui.cli.reports import write_report
            from ncp_tui.cli.work.problems import Bug

            problem = Bug(write_report(error, session.secrets))
        from ncp_tui.cli.exit_codes import exit_code_of

        session.tell(problem)
        context.exit(int(exit_code_of(problem)))
