"""One sandbox put together: its accounts, its world, its ledger, its faults, and the application in front of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

from starlette.types import ASGIApp

from ncp_tui.sandbox.accounts import Account, made_up_account
from ncp_tui.sandbox.app import Gateway
from ncp_tui.sandbox.fault_hooks import Faults
from ncp_tui.sandbox.handshakes import Handshakes
from ncp_tui.sandbox.ledger import Ledger
from ncp_tui.sandbox.world import World


def _uuid() -> str:
    return str(uuid.uuid4())


class Sandbox:
    """A gateway with a world behind it, not yet listening anywhere.

    `duration` is how long a snapshot takes, in seconds; `latency_ms` is added before every answer. `clock` gives epoch
    seconds and rules everything: the window of signatures, snapshots, and the `Date` header. Keys that are not given
    are made up. `accounts` are further key pairs beside the main one; without them there is one viewer, see `viewer`.
    Raises ValueError for less than one cluster or a negative time.
    """

    def __init__(
        self,
        clusters: int = 12,
        duration: float = 20.0,
        latency_ms: int = 0,
        *,
        ledger_path: Path | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        clock: Callable[[], float] = time.time,
        faults: Faults | None = None,
        accounts: Iterable[Account] | None = None,
        new_request_id: Callable[[], str] = _uuid,
    ) -> None:
        if duration < 0 or latency_ms < 0:
            raise ValueError("duration and latency cannot be negative")
        self.account = made_up_account(access_key=access_key, secret_key=secret_key)
        self.others = (made_up_account("viewer"),) if accounts is None else tuple(accounts)
        self.ledger = Ledger(ledger_path)
        self.faults = Faults() if faults is None else faults
        self.handshakes = Handshakes()
        self.world = World(clusters, duration, clock)
        self.app: ASGIApp = Gateway(
            self.world,
            {account.access_key: account for account in (self.account, *self.others)},
            self.ledger,
            self.faults,
            latency=latency_ms / 1000,
            new_request_id=new_request_id,
        )

    @property
    def access_key(self) -> str:
        """The access key of the main pair."""
        return self.account.access_key

    @property
    def secret_key(self) -> str:
        """The secret key of the main pair."""
        return self.account.secret_key

    @property
    def ca_bundle(self) -> Path | None:
        """The file of certificates to trust; None as long as no fault has made this sandbox speak TLS."""
        return self.handshakes.ca_bundle

    def close(self) -> None:
        """Remove what it keeps on disk for clients, the authority's file; harmless when it was done before."""
        self.handshakes.close()

    @property
    def viewer(self) -> Account:
        """The first pair that changes nothing. Raises LookupError when `accounts` had none."""
        for account in self.others:
            if account.role == "viewer":
                return account
        raise LookupError("this sandbox has no viewer")

    def __repr__(self) -> str:
        return f"Sandbox(access_key={self.access_key!r}, clusters={len(self.world.clusters)})"
