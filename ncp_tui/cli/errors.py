"""What a command ends with: the exit codes, which scripts rely on, and what can go wrong in a command itself."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from ncp_tui.problem import NextAction, Problem
from ncp_tui.text import clean

if TYPE_CHECKING:
    from pathlib import Path

    from ncp_tui.gateway.credentials import SecretKey
    from ncp_tui.search_engine.models import Cluster


class ExitCode(IntEnum):
    """The table of the command line's contract."""

    DONE = 0
    BUG = 1
    USAGE = 2
    NO_KEYS = 3
    AUTHENTICATION = 4
    PERMISSION = 5
    NOT_REACHED = 6
    THROTTLED = 7
    REFUSED = 8
    UNKNOWN = 9
    SNAPSHOT_FAILED = 10
    WAIT_ENDED = 11
    NOT_ALLOWED = 12
    TOO_OLD = 13
    NOT_CHECKED = 14
    NOT_WRITTEN = 15
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.DONE: "done: accepted (with --wait: finished successfully)",
        ExitCode.BUG: "an internal error; the message names the report",
        ExitCode.USAGE: "wrong usage, invalid name or bucket: nothing was sent",
        ExitCode.NO_KEYS: "no profile or keys, unreadable configuration, keyring locked or silent",
        ExitCode.AUTHENTICATION: "authentication failed (keys, signature or clock)",
        ExitCode.PERMISSION: "permission denied",
        ExitCode.NOT_REACHED: "gateway not reached; nothing was started",
        ExitCode.THROTTLED: "throttled or over quota",
        ExitCode.REFUSED: "NCP refused",
        ExitCode.UNKNOWN: "unknown: it may have started",
        ExitCode.SNAPSHOT_FAILED: "the snapshot failed",
        ExitCode.WAIT_ENDED: "the wait timed out; the snapshot keeps running",
        ExitCode.NOT_ALLOWED: "refused by read-only mode, a missing confirmation (protected profile, second request "
        "for the same snapshot), a gateway or keys unfit for a storage key, a damaged journal, or one that cannot be "
        "written",
        ExitCode.TOO_OLD: "snapshot check: the newest good snapshot of a cluster is too old, or there is none",
        ExitCode.NOT_CHECKED: "snapshot check: a cluster or profile could not be checked",
        ExitCode.NOT_WRITTEN: "done, but the answer could not be written",
        ExitCode.HUNG_UP: "the terminal is gone",
        ExitCode.INTERRUPTED: "interrupted",
        ExitCode.TERMINATED: "terminated",
    }
)
"""For help and the README."""


_SECRET_VARIABLES = ("NCLOUD_SECRET_ACCESS_KEY", "NCLOUD_SECRET_KEY")
_MASK = "****"

NOTHING_SENT = "Nothing was sent."


class CommandProblem(Problem):
    """A command that did not do what was requested."""

    exit_code = ExitCode.USAGE


class UnknownCluster(CommandProblem):
    """No cluster has that name or number."""

    kind = "unknown_cluster"

    def __init__(self, wanted: str, known: Sequence[Cluster] = ()) -> None:
        import difflib

        names = [cluster.name for cluster in known]
        close = difflib.get_close_matches(wanted, names, n=3)
        step = f"Did you mean: {', '.join(close)}?" if close else "List them: ncp-tui cluster list"
        kind = "number" if wanted.isdigit() else "name"
        super().__init__(f"No cluster has the {kind} {clean(wanted)!r}.", "", step)


class ClusterNotSeen(CommandProblem):
    """No cluster that was listed has that name, and the list is not whole: it may be among the others."""

    kind = "list_incomplete"
    exit_code = ExitCode.REFUSED

    def __init__(self, wanted: str, gap: str) -> None:
        super().__init__(
            f"Cluster {clean(wanted)!r} is not in the list, and the list is incomplete. {gap}",
            "Whether this cluster exists is unknown.",
            "Use the cluster's number, which the NCP console shows.",
        )


class AmbiguousCluster(CommandProblem):
    """Several clusters have that name."""

    kind = "ambiguous_cluster"

    def __init__(self, name: str, found: Sequence[Cluster]) -> None:
        numbers = ", ".join(cluster.number for cluster in found)
        super().__init__(f"{len(found)} clusters are called {name!r}.", "", f"Use one of the numbers: {numbers}.")


class NotConfirmed(CommandProblem):
    """A protected profile without the confirmation it requires."""

    kind = "not_confirmed"
    exit_code = ExitCode.NOT_ALLOWED


class Declined(CommandProblem):
    """The user was asked and said no."""

    kind = "declined"
    exit_code = ExitCode.INTERRUPTED

    def __init__(self, what: str = "Cancelled.") -> None:
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
    """An internal error; `report` names the file it was written to."""

    kind = "bug"
    exit_code = ExitCode.BUG

    def __init__(self, report: str) -> None:
        super().__init__("Internal error.", report)


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
            f"Nothing is recorded here about snapshot {name!a}.",
            "No file was written.",
            "Add --cluster to read a cluster's history.",
        )


def problem_words(problem: Problem) -> str:
    """A failure for whoever types commands."""
    from ncp_tui.view import actions

    return actions.problem_words(problem, _command)


def next_words(problem: Problem) -> str:
    """The next step for whoever types commands."""
    from ncp_tui.view import actions

    return actions.next_words(problem, _command)


COMMANDS = {
    "snapshot.create": "ncp-tui snapshot create {cluster} --wait",
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
    "profile.bucket": "--bucket B, or ncp-tui profile edit NAME --default-bucket B",
    "read_only.leave": "omit --read-only, unset NCP_TUI_READ_ONLY, or ncp-tui profile edit NAME --no-read-only",
    "create.confirm": "--confirm {cluster}",
    "storage_key.set": "ncp-tui cluster set-key CLUSTER --this-profile",
    "storage_key.confirm_gateway": "--confirm-gateway {host}",
    "schedule.show": "ncp-tui schedule history {cluster}",
    "schedule.release": "ncp-tui schedule release {cluster}",
    "schedule.again": "repeat the command with --again {id}",
}
"""The command or option of each action, by its id."""


def _command(action: NextAction) -> str:
    return COMMANDS[action.id].format_map({name: shlex.quote(value) for name, value in action.arguments.items()})


def exit_code_of(problem: Problem) -> ExitCode:
    """The exit code of a read, or of anything local, that ended in `problem`.

    A read without an answer is "not reached": it can have started nothing. `snapshot create` decides what its own
    requests end in.
    """
    if isinstance(problem, CommandProblem):
        return problem.exit_code
    return next((code for kinds, code in _codes() if isinstance(problem, kinds)), ExitCode.NO_KEYS)


_WORST_FIRST = (9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 0)


def worst_of(codes: Iterable[ExitCode]) -> ExitCode:
    """The exit code of several creates: that of the worst, by how much is left to find out or to do."""
    return min(codes, key=_WORST_FIRST.index, default=ExitCode.DONE)


def _codes() -> Sequence[tuple[tuple[type[Problem], ...], ExitCode]]:
    """The first row that a problem is one of decides."""
    from ncp_tui.gateway.connections import UnusableCaBundle
    from ncp_tui.gateway.errors import (
        AnswerLost,
        AuthenticationFailed,
        EndpointError,
        EndpointTimeout,
        GatewayError,
        KeysUnavailable,
        NotReached,
        PermissionDenied,
        QuotaExceeded,
        ReadOnlyRefused,
        Throttled,
    )
    from ncp_tui.snapshots.earlier_requests import SecondRequest
    from ncp_tui.snapshots.journal import JournalProblem
    from ncp_tui.snapshots.journal_contents import DamagedJournal
    from ncp_tui.snapshots.storage_key import GatewayNotTrusted, KeysExpire

    return (
        ((ReadOnlyRefused, GatewayNotTrusted, KeysExpire), ExitCode.NOT_ALLOWED),
        ((SecondRequest, DamagedJournal, JournalProblem), ExitCode.NOT_ALLOWED),
        # The configuration's fault, or the server's, though nothing was reached by it.
        ((UnusableCaBundle, KeysUnavailable), ExitCode.NO_KEYS),
        ((AuthenticationFailed,), ExitCode.AUTHENTICATION),
        ((PermissionDenied,), ExitCode.PERMISSION),
        ((NotReached, AnswerLost, EndpointTimeout, EndpointError), ExitCode.NOT_REACHED),
        ((Throttled, QuotaExceeded), ExitCode.THROTTLED),
        ((GatewayError,), ExitCode.REFUSED),
        (_usage(), ExitCode.USAGE),
    )


def _usage() -> tuple[type[Problem], ...]:
    """Requests that cannot be made as they stand: nothing was sent."""
    from ncp_tui.gateway.credentials import InvalidCredentials
    from ncp_tui.gateway.endpoints import UnknownEndpoint
    from ncp_tui.gateway.proxies import UnusableProxy
    from ncp_tui.profiles.profile import InvalidProfile
    from ncp_tui.search_engine.contract_file import CannotWriteContract
    from ncp_tui.snapshots.batch import UnknownBatch
    from ncp_tui.snapshots.evidence_file import CannotWriteEvidence
    from ncp_tui.snapshots.journal_contents import OtherDamage
    from ncp_tui.snapshots.pre_check import InvalidTarget
    from ncp_tui.snapshots.resolve import EntryHeld, NotOpen
    from ncp_tui.snapshots.rules import InvalidBucket, InvalidName, InvalidTemplate
    from ncp_tui.snapshots.schedule_preflight import NothingToRelease
    from ncp_tui.snapshots.schedule_rules import InvalidSchedule
    from ncp_tui.view.curl import NotForCurl

    return (
        UnknownEndpoint,
        UnusableProxy,
        NotForCurl,
        InvalidCredentials,
        InvalidProfile,
        InvalidName,
        InvalidTarget,
        InvalidBucket,
        InvalidTemplate,
        InvalidSchedule,
        NothingToRelease,
        OtherDamage,
        UnknownBatch,
        CannotWriteContract,
        CannotWriteEvidence,
        EntryHeld,
        NotOpen,
    )


def write_report(error: BaseException, secrets: Iterable[SecretKey] = ()) -> str:
    """Write the report of `error`, readable for the user alone, and return a sentence that says where it is.

    `secrets` are the keys this run has read: where the error's own text has one, it is masked.
    """
    text = report_of(error, secrets)
    for folder in (_state_folder(), None):
        try:
            return f"Report (without keys): {_write(folder, text)}"
        except OSError:
            continue
    return f"No report could be written; the error is {type(error).__name__}."


def report_of(error: BaseException, secrets: Iterable[SecretKey] = ()) -> str:
    """The report's text: the versions and the frames. Local variables are left out: they hold the secret key."""
    import platform
    import traceback
    from datetime import UTC, datetime

    import ncp_tui

    frames = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    values = [os.environ.get(name, "").strip() for name in _SECRET_VARIABLES]
    for value in filter(None, values + [secret.reveal() for secret in secrets]):
        frames = frames.replace(value, _MASK)
    head = f"ncp-tui {ncp_tui.__version__}, Python {platform.python_version()}, {platform.platform()}, {sys.argv[0]!a}"
    return f"{head}\n{datetime.now(UTC).isoformat(timespec='seconds')}\n\n{frames}"


def _state_folder() -> Path | None:
    from ncp_tui.system.paths import make_private_directory, paths_from

    try:
        folder = paths_from(os.environ).reports_dir
        make_private_directory(folder)
    except (OSError, RuntimeError, Problem):
        return None
    return folder


def _write(folder: Path | None, text: str) -> str:
    """A new file of mode 0600; `folder` None is the system's for temporary files."""
    import tempfile
    from datetime import UTC, datetime

    handle, name = tempfile.mkstemp(prefix=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-", suffix=".txt", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return name
