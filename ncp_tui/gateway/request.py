"""One operation to perform: what is sent, how long it may take, what its answer must say. It loads no HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from ncp_tui.gateway.credentials import SecretKey

Body = Mapping[str, str | int | SecretKey]
"""A JSON object to send."""


@dataclass(frozen=True)
class Timeouts:
    """How long one request may take, in seconds: per phase, and in total whatever the server does."""

    connect: float = 10.0
    read: float = 20.0
    total: float = 30.0

    def within(self, seconds: float) -> Timeouts:
        """The same, ending after `seconds` at the latest."""
        return Timeouts(min(self.connect, seconds), min(self.read, seconds), min(self.total, seconds))


# An asynchronous create may take the engine "several seconds (or even minutes)" to acknowledge: a short limit here
# would only turn good creates into unknown ones.
CREATE_TIMEOUTS = Timeouts(read=60.0, total=90.0)


@dataclass(frozen=True)
class ApiCall:
    """One operation to perform: what is sent, and what its answer must say to count as a success."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Body | None = field(default=None, repr=False)
    boolean: bool = False
    null_refuses: bool = False
    """Of a boolean one: null with code 0 and a message that is no success is its documented refusal."""
    has_effect: bool = False
    """It goes out on a connection of its own: bytes that waited on an idle one are no answer to it."""
    corrects_clock: bool = True
    """Whether it may be sent once more where the gateway refused it because of this machine's clock."""
    timeouts: Timeouts = Timeouts()
    before_send: Callable[[], Awaitable[None]] | None = field(default=None, repr=False, compare=False)
    """Awaited for each attempt when everything is ready, just before its first byte leaves; it counts in the deadline.

    If it raises, nothing is sent, and what it raised comes out of `Gateway.send` as it is.
    """

    @property
    def has_secret(self) -> bool:
        """Whether its body holds a secret, whose length no record of it may tell either."""
        return any(isinstance(value, SecretKey) for value in (self.body or {}).values())
