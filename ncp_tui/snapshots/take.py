"""Taking one snapshot: checked, sent once, and its outcome classified by what is proved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from ncp_tui.gateway import GatewayError, NotReached, ReadOnlyRefused
from ncp_tui.search_engine import SearchEngine
from ncp_tui.snapshots.checks import check_bucket
from ncp_tui.snapshots.names import check_name


class Outcome(StrEnum):
    """What is known about a create once it has been tried."""

    ACCEPTED = "accepted"
    """HTTP 2xx, code 0, result true: the service has taken it on. Whether it succeeds is for the history to tell."""
    REFUSED = "refused"
    """The request arrived and was refused: certainly not started."""
    NOT_SENT = "not_sent"
    """No byte of the request left: certainly not started."""
    UNKNOWN = "unknown"
    """It may have been started. It is never sent again blindly."""


@dataclass(frozen=True)
class SnapshotRequest:
    """What was asked for. The name is the idempotency key: rendered once, and looked up before anything is repeated."""

    cluster_number: str
    cluster_name: str
    name: str
    bucket: str


@dataclass(frozen=True)
class Taken:
    """A create that was tried, and what came of it."""

    request: SnapshotRequest
    outcome: Outcome
    at: datetime
    request_id: str | None = None
    error: GatewayError | None = None
    attempts: int = 1

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        name = self.request.name
        if self.outcome is Outcome.ACCEPTED:
            return f"Accepted: the service has taken on {name}."
        if self.outcome is Outcome.UNKNOWN:
            return f"Cannot tell whether {name} was started. It was not sent again."
        return f"Not started: {name}."


async def take(
    engine: SearchEngine, request: SnapshotRequest, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Taken:
    """Check `request`, send it once, and say what is known. An ambiguous failure is never sent again.

    Raises InvalidName or InvalidBucket before anything is sent; any failure after that is an outcome, no exception.
    """
    check_name(request.name)
    check_bucket(request.bucket)
    started = now()
    try:
        request_id = await engine.create_snapshot(request.cluster_number, request.name, request.bucket)
    except GatewayError as error:
        attempts = 0 if isinstance(error, ReadOnlyRefused) else 1
        return Taken(request, outcome_of(error), started, error.request_id, error, attempts)
    return Taken(request, Outcome.ACCEPTED, started, request_id or None)


def outcome_of(error: GatewayError) -> Outcome:
    """What an error of a create proves."""
    if error.may_have_acted:
        return Outcome.UNKNOWN
    return Outcome.NOT_SENT if isinstance(error, NotReached | ReadOnlyRefused) else Outcome.REFUSED
