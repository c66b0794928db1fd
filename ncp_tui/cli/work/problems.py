"""What can go wrong in a command itself, each with the exit code it leads to."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.text import clean
from ncp_tui.view import actions

NOTHING_SENT = "Nothing was sent."


class CommandProblem(Problem):
    """A command that ends otherwise than asked."""

    exit_code = ExitCode.USAGE


class UnknownCluster(CommandProblem):
    """No cluster has that name or number."""

    kind = "unknown_cluster"

    def __init__(self, wanted: str, known: Sequence[Cluster] = ()) -> None:
        names = [cluster.name for cluster in known]
        close = difflib.get_close_matches(wanted, names, n=3)
        step = f"Close to it: {', '.join(close)}." if close else "`ncp-tui cluster list` names them."
        kind = "number" if wanted.isdigit() else "name"
        super().__init__(f"No cluster has the {kind} {clean(wanted)!r}.", "Nothing was changed.", step)


class ClusterNotSeen(CommandProblem):
    """No cluster that was listed has that name, and the list is not whole: it may be among the others."""

    kind = "list_incomplete"
    exit_code = ExitCode.REFUSED

    def __init__(self, wanted: str, gap: str) -> None:
        super().__init__(
            f"Cluster {clean(wanted)!r} is not among those that were listed, and the list is not whole. {gap}",
            "Whether there is such a cluster is not known. Nothing was changed.",
            "Give its number instead of its name: the NCP console shows it.",
        )


class AmbiguousCluster(CommandProblem):
    """Several clusters have that name."""

    kind = "ambiguous_cluster"

    def __init__(self, name: str, found: Sequence[Cluster]) -> None:
        numbers = ", ".join(cluster.number for cluster in found)
        super().__init__(f"{len(found)} clusters are called {name!r}.", "Nothing was changed.", f"Numbers: {numbers}.")


class NotConfirmed(CommandProblem):
    """A protected profile without the confirmation it asks for."""

    kind = "not_confirmed"
    exit_code = ExitCode.NOT_ALLOWED


class Declined(CommandProblem):
    """The user was asked and said no."""

    kind = "declined"
    exit_code = ExitCode.INTERRUPTED

    def __init__(self, what: str = "You said no.") -> None:
        super().__init__(what, "Nothing was changed.")


class Interrupted(CommandProblem):
    """Ctrl-C, or the end of the input at a question."""

    kind = "interrupted"
    exit_code = ExitCode.INTERRUPTED

    def __init__(self, what: str = "Interrupted.") -> None:
        super().__init__(what)


class Terminated(Interrupted):
    """SIGTERM."""

    kind = "terminated"
    exit_code = ExitCode.TERMINATED

    def __init__(self) -> None:
        super().__init__("Terminated.")


class HungUp(Interrupted):
    """SIGHUP, or a terminal that is gone without a signal."""

    kind = "hung_up"
    exit_code = ExitCode.HUNG_UP

    def __init__(self) -> None:
        super().__init__("The terminal is gone.")


def interruption(code: ExitCode) -> Interrupted:
    """The problem whose exit code is `code`."""
    return {ExitCode.TERMINATED: Terminated, ExitCode.HUNG_UP: HungUp}.get(code, Interrupted)()


class Bug(CommandProblem):
    """Something nobody foresaw; `report` says where it was written down."""

    kind = "bug"
    exit_code = ExitCode.BUG

    def __init__(self, report: str) -> None:
        super().__init__("ncp-tui met a bug of its own.", report)


class SnapshotFailed(CommandProblem):
    """The snapshot ended without being good."""

    kind = "snapshot_failed"
    exit_code = ExitCode.SNAPSHOT_FAILED


class WaitEnded(CommandProblem):
    """Waiting ended before the snapshot did."""

    kind = "wait_ended"
    exit_code = ExitCode.WAIT_ENDED


class NothingToImport(CommandProblem):
    """No keys of other tools were found."""

    kind = "nothing_to_import"
    exit_code = ExitCode.NO_KEYS


class NothingKnown(CommandProblem):
    """No record here and no row in the history has that name."""

    kind = "nothing_known"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Nothing is known here of a snapshot {name!a}.",
            "No file was written.",
            "Name the cluster with --cluster to look into its history.",
        )


def problem_words(problem: Problem) -> str:
    """A failure for whoever types commands."""
    return actions.problem_words(problem, _command)


def next_words(problem: Problem) -> str:
    """The next step for whoever types commands."""
    return actions.next_words(problem, _command)


COMMANDS = {
    "snapshot.resolve": "ncp-tui snapshot resolve",
    "snapshot.wait": "ncp-tui snapshot wait {cluster} {name}",
    "snapshot.history": "ncp-tui snapshot history {cluster}",
    "snapshot.again": "repeat the command with --again {id}",
    "snapshot.unwritten": "repeat the command with --without-journal",
    "journal.accept_damage": "ncp-tui snapshot resolve --accept-damage {id}",
    "paths.show": "ncp-tui paths",
    "evidence.output": "--output FILE; - writes to standard output",
    "profile.choose": "--profile NAME",
    "profile.add": "ncp-tui profile add",
    "profile.bucket": "--bucket, or a default bucket of the profile",
    "read_only.leave": "--read-only, NCP_TUI_READ_ONLY, or the flag of the profile",
    "create.confirm": "--confirm {cluster}",
}
"""How an action is taken here, by its id."""


def _command(action: NextAction) -> str:
    return COMMANDS[action.id].format_map({name: shlex.quote(value) for name, value in action.arguments.items()})
