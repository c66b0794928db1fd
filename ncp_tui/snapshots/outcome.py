"""The words for what was asked and what is proved of it, shared by everything that takes, records and resolves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ncp_tui.gateway.errors import GatewayError, NotReached, ReadOnlyRefused
from ncp_tui.profiles.identity import Identity


class Outcome(StrEnum):
    """What is known about a create once it has been tried."""

    ACCEPTED = "accepted"
    """NCP has accepted it: by its answer (2xx, code 0, result true), or because the history names it. Whether
    it succeeds is for the history to tell."""
    REFUSED = "refused"
    """The request arrived and was refused: certainly not started."""
    NOT_SENT = "not_sent"
    """No byte of the request left: certainly not started."""
    UNKNOWN = "unknown"
    """It may have been started. It is never sent again blindly."""


class Verdict(StrEnum):
    """The same for a person: there are three things one can know about a create."""

    STARTED = "started"
    NOT_STARTED = "not started"
    UNKNOWN = "unknown"


VERDICT_OF = {
    Outcome.ACCEPTED: Verdict.STARTED,
    Outcome.REFUSED: Verdict.NOT_STARTED,
    Outcome.NOT_SENT: Verdict.NOT_STARTED,
    Outcome.UNKNOWN: Verdict.UNKNOWN,
}


_WORDS_OF_OTHERS = {Verdict.STARTED: "done", Verdict.NOT_STARTED: "not done", Verdict.UNKNOWN: "unknown"}


def verdict_word(verdict: Verdict, *, is_create: bool = True) -> str:
    """The verdict as it is said of a create, or of an operation that starts no snapshot."""
    return verdict.value if is_create else _WORDS_OF_OTHERS[verdict]


HELD_ELSEWHERE = "Another ncp-tui is sending or checking the request."
"""Why nothing is said of a request whose outcome is open."""


def outcome_sentence(outcome: Outcome, name: str) -> str:
    """What is known about the create of the snapshot `name`, the verdict first."""
    if outcome is Outcome.ACCEPTED:
        return f"Accepted: NCP is creating {name}."
    if outcome is Outcome.UNKNOWN:
        return f"Unknown whether {name} started. At most one request took effect."
    return f"Not started: {name}."


@dataclass(frozen=True)
class SnapshotRequest:
    """What was requested. The name is the idempotency key: rendered once, and looked up before anything is repeated."""

    cluster_number: str
    cluster_name: str
    name: str
    bucket: str

    @property
    def cluster(self) -> str:
        """What to call the cluster: of a request whose first line in the journal is lost only the number is known."""
        return self.cluster_name or self.cluster_number


@dataclass(frozen=True)
class Caller:
    """Who asks, and where: the profile's name and the gateway it points to. Holds nothing secret."""

    profile: str
    site: str
    region: str
    gateway: str

    @classmethod
    def of(cls, identity: Identity) -> Caller:
        """Who calls as `identity`. Raises UnknownEndpoint."""
        profile = identity.profile
        return cls(identity.name, profile.site, profile.region, profile.endpoint().base_url)


def outcome_of(error: GatewayError) -> Outcome:
    """What an error of a create proves."""
    return Outcome.UNKNOWN if error.may_have_acted else outcome_of_class(type(error))


def outcome_of_class(error: type[GatewayError]) -> Outcome:
    """What an error of a create proves, where nothing of it but its class is known any more."""
    if error.may_have_acted:
        return Outcome.UNKNOWN
    return Outcome.NOT_SENT if issubclass(error, NotReached | ReadOnlyRefused) else Outcome.REFUSED
