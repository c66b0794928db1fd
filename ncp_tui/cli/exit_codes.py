"""What the program's exit code means, and which one a problem leads to. Scripts rely on it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from ncp_tui.problem import Problem


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
    NOT_WRITTEN = 15
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.DONE: "done: accepted (with --wait: finished successfully)",
        ExitCode.BUG: "a bug; the report names where it was written",
        ExitCode.USAGE: "wrong usage, invalid name or bucket: nothing was sent",
        ExitCode.NO_KEYS: "no profile or keys, unreadable configuration, keyring locked or silent",
        ExitCode.AUTHENTICATION: "authentication failed (keys, signature or clock)",
        ExitCode.PERMISSION: "permission denied",
        ExitCode.NOT_REACHED: "gateway not reached; certainly not started",
        ExitCode.THROTTLED: "throttled or over quota",
        ExitCode.REFUSED: "the service refused",
        ExitCode.UNKNOWN: "outcome unknown: it may have started",
        ExitCode.SNAPSHOT_FAILED: "the snapshot failed",
        ExitCode.WAIT_ENDED: "the wait ran out of time; the snapshot goes on",
        ExitCode.NOT_ALLOWED: "refused by read-only mode, a missing confirmation (protected profile, second request "
        "for the same snapshot), a damaged journal, or one that cannot be written",
        ExitCode.NOT_WRITTEN: "done, but the answer could not be written",
        ExitCode.HUNG_UP: "the terminal is gone",
        ExitCode.INTERRUPTED: "interrupted",
        ExitCode.TERMINATED: "terminated",
    }
)
"""For help and the README."""


def exit_code_of(problem: Problem) -> ExitCode:
    """The exit code of a read, or of anything local, that ended in `problem`.

    A read that went unanswered is "not reached": nothing can have been started by it. The outcome of a create is for
    `snapshot create` to tell.
    """
    from ncp_tui.cli.work.problems import CommandProblem
    from ncp_tui.gateway.credentials import InvalidCredentials
    from ncp_tui.gateway.curl import NotForCurl
    from ncp_tui.gateway.endpoints import UnknownEndpoint
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
    from ncp_tui.gateway.proxies import UnusableProxy
    from ncp_tui.gateway.tls import UnusableCaBundle
    from ncp_tui.profiles.profile import InvalidProfile
    from ncp_tui.snapshots.earlier_requests import SecondRequest
    from ncp_tui.snapshots.evidence import CannotWriteEvidence
    from ncp_tui.snapshots.journal import JournalProblem
    from ncp_tui.snapshots.journal_contents import DamagedJournal, OtherDamage
    from ncp_tui.snapshots.resolve import EntryHeld, NotOpen
    from ncp_tui.snapshots.rules import InvalidBucket, InvalidName
    from ncp_tui.snapshots.templates import InvalidTemplate

    if isinstance(problem, CommandProblem):
        return problem.exit_code
    unanswered = (NotReached, AnswerLost, EndpointTimeout, EndpointError)
    usage = (
        UnknownEndpoint,
        UnusableProxy,
        NotForCurl,
        InvalidCredentials,
        InvalidProfile,
        InvalidName,
        InvalidBucket,
        InvalidTemplate,
        OtherDamage,
        CannotWriteEvidence,
        EntryHeld,
        NotOpen,
    )
    table: tuple[tuple[type[Problem] | tuple[type[Problem], ...], ExitCode], ...] = (
        (ReadOnlyRefused, ExitCode.NOT_ALLOWED),
        ((SecondRequest, DamagedJournal, JournalProblem), ExitCode.NOT_ALLOWED),
        # The configuration's fault, or the server's, though nothing was reached by it.
        ((UnusableCaBundle, KeysUnavailable), ExitCode.NO_KEYS),
        (AuthenticationFailed, ExitCode.AUTHENTICATION),
        (PermissionDenied, ExitCode.PERMISSION),
        (unanswered, ExitCode.NOT_REACHED),
        ((Throttled, QuotaExceeded), ExitCode.THROTTLED),
        (GatewayError, ExitCode.REFUSED),
        (usage, ExitCode.USAGE),
    )
    return next((code for kinds, code in table if isinstance(problem, kinds)), ExitCode.NO_KEYS)
