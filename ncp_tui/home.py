"""What of the user's this run may touch, and how an identity found there becomes a client that signs.

Everything above asks here, so that a demo or a test replaces the user's files, keyring and environment in one place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ncp_tui.gateway import Credentials, Gateway
from ncp_tui.profiles import (
    Identities,
    Identity,
    KeyringStore,
    NcloudConfigure,
    Paths,
    ProfileBook,
    ProfileStore,
    SecretStore,
    SessionStore,
    StoreName,
    available_identities,
    choose_identity,
    configure_path,
    paths_from,
    read_ncloud_configure,
    secrets_for,
)
from ncp_tui.search_engine import SearchEngine
from ncp_tui.session_log import SessionLog

READ_ONLY_VARIABLE = "NCP_TUI_READ_ONLY"


@dataclass(frozen=True)
class Home:
    """The files, stores and variables of one run. Reading the files blocks: callers in a loop use a thread."""

    environ: Mapping[str, str] = field(repr=False)
    paths: Paths
    stores: Mapping[StoreName, SecretStore]
    configure_file: Path | None = None
    read_only: bool = False
    """Set for the whole run: no operation with an effect is sent, whatever a profile says."""

    demo: bool = False
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def now(self) -> datetime:
        """This moment, on this machine's clock."""
        return datetime.fromtimestamp(self.clock(), UTC)

    @property
    def profiles(self) -> ProfileStore:
        """The profiles on disk."""
        return ProfileStore(self.paths)

    def configure(self) -> NcloudConfigure:
        """What `~/.ncloud/configure` holds; nothing where this run may not look at it."""
        return read_ncloud_configure(self.configure_file) if self.configure_file else NcloudConfigure()

    def identities(self, book: ProfileBook | None = None) -> Identities:
        """Everybody this run could call as."""
        return available_identities(self.environ, book or self.profiles.load(), self.configure())

    def choose(self, name: str | None = None) -> Identity:
        """Who to call as, by name or by the documented order. Raises NoCredentials."""
        return choose_identity(self.environ, self.profiles.load(), self.configure(), name)

    async def connect(self, identity: Identity, log: SessionLog) -> SearchEngine:
        """Fetch the secret key of `identity` and return a client for it; nothing is sent yet.

        Raises the Problem of the secret store, UnknownEndpoint or UnusableCaBundle.
        """
        return self.client(identity, await secrets_for(identity, self.stores), log)

    def client(self, identity: Identity, credentials: Credentials, log: SessionLog) -> SearchEngine:
        """A client for `identity` that signs with `credentials`, saved or not."""
        profile = identity.profile
        gateway = Gateway(
            profile.endpoint(),
            credentials,
            record=log.record,
            ca_bundle=profile.ca_bundle,
            clock=self.clock,
            environ=self.environ,
        )
        return SearchEngine(gateway, read_only=self.read_only or profile.read_only)


def users_home(environ: Mapping[str, str] = os.environ, *, read_only: bool = False) -> Home:
    """The home of the user who started the program."""
    stores: dict[StoreName, SecretStore] = {"keyring": KeyringStore(), "session": SessionStore()}
    wanted = environ.get(READ_ONLY_VARIABLE, "").strip().lower()
    return Home(
        environ=environ,
        paths=paths_from(environ),
        stores=stores,
        configure_file=configure_path(environ),
        read_only=read_only or wanted not in {"", "0", "false", "no"},
    )
