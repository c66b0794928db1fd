"""What of the user's this run may touch, and how an identity found there becomes a client that signs.

Everything above asks here, so that a demo or a test replaces the user's files, keyring and environment in one place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ncp_tui.gateway.credentials import KeySource
from ncp_tui.profiles.environment import take_environment, wants_server_role
from ncp_tui.profiles.identity import Identities, Identity
from ncp_tui.profiles.profile import StoreName
from ncp_tui.profiles.secret_stores.catalogue import UsersStores
from ncp_tui.session_log.log import SessionLog
from ncp_tui.system.paths import Paths, check_owner, configure_path, make_private_directory, paths_from
from ncp_tui.system.process import close_process_memory, keep_status_of_children

if TYPE_CHECKING:
    from ncp_tui.gateway.clock import ClockOffset
    from ncp_tui.profiles.ncloud_configure import NcloudConfigure
    from ncp_tui.profiles.profile_store import ProfileStore
    from ncp_tui.profiles.profiles_file import ProfilesFile
    from ncp_tui.profiles.secret_stores.errors import StoreLocked
    from ncp_tui.profiles.secret_stores.protocol import SecretStore
    from ncp_tui.profiles.server_role import ServerRole
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.session_log.log_file import LogWriter

if TYPE_CHECKING:  # loaded only by a run that uses it
    from ncp_tui.profiles.server_role import ServerRole

READ_ONLY_VARIABLE = "NCP_TUI_READ_ONLY"

T = TypeVar("T")


@dataclass(frozen=True)
class Workspace:
    """The files, stores and variables of one run. Reading the files blocks: callers in a loop use a thread."""

    environ: Mapping[str, str] = field(repr=False)
    paths: Paths
    stores: Mapping[StoreName, SecretStore]
    configure_file: Path | None = None
    server_role: ServerRole | None = field(default=None, repr=False)
    """The role of this server, where the user said that it may be used; None where it may not."""

    read_only: bool = False
    """Set for the whole run: no operation with an effect is sent, whatever a profile says."""

    demo: bool = False
    folder: Path = Path()
    """Where a file that the user asks for goes: the folder the program was started in."""

    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def now(self) -> datetime:
        """This moment, on this machine's clock."""
        return datetime.fromtimestamp(self.clock(), UTC)

    @property
    def profiles(self) -> ProfileStore:
        """The profiles on disk."""
        from ncp_tui.profiles.profile_store import ProfileStore

        return ProfileStore(self.paths)

    def log_file(self) -> LogWriter:
        """The session log on disk. Nothing is written until it hears of a request."""
        from ncp_tui.session_log.log_file import LogWriter

        return LogWriter(self.paths.session_log_file, partial(make_private_directory, self.paths.state_dir))

    def configure(self) -> NcloudConfigure:
        """What `~/.ncloud/configure` holds; nothing where this run may not look at it."""
        from ncp_tui.profiles.ncloud_configure import NcloudConfigure, read_ncloud_configure

        return read_ncloud_configure(self.configure_file) if self.configure_file else NcloudConfigure()

    def identities(self, book: ProfilesFile | None = None) -> Identities:
        """Every profile and every pair of keys this run could use."""
        from ncp_tui.profiles.credential_sources import available_identities

        return available_identities(self.environ, book or self.profiles.load(), self.configure(), self.server_role)

    def choose(self, name: str | None = None, book: ProfilesFile | None = None) -> Identity:
        """Which profile to use, by name or by the documented order. Raises NoCredentials."""
        from ncp_tui.profiles.credential_sources import choose_identity

        return choose_identity(self.environ, book or self.profiles.load(), self.configure(), name, self.server_role)

    async def connect(self, identity: Identity, log: SessionLog) -> SearchEngine:
        """Fetch the secret key of `identity` and return a client for it; nothing is sent to NCP yet.

        Raises the Problem of the secret store, KeysUnavailable, UnknownEndpoint or UnusableProxy.
        """
        from ncp_tui.profiles.credential_sources import key_source_for

        return self.client(identity, await key_source_for(identity, self.stores), log)

    def client(
        self, identity: Identity, credentials: KeySource, log: SessionLog, *, at_once: int | None = None
    ) -> SearchEngine:
        """A client for `identity` that signs with `credentials`, saved or not; `at_once` requests, or the usual few."""
        from ncp_tui.gateway.client import GatewayClient
        from ncp_tui.gateway.connections import CONNECTIONS
        from ncp_tui.search_engine.client import SearchEngine

        profile = identity.profile
        client = GatewayClient(
            profile.endpoint(),
            credentials,
            record=partial(log.record, profile=identity.name),
            ca_bundle=profile.ca_bundle,
            clock=self.clock,
            environ=self.environ,
            connections=at_once or CONNECTIONS,
        )
        return SearchEngine(client, read_only=self.read_only or profile.read_only)


def open_workspace(
    environ: Mapping[str, str] = os.environ, *, read_only: bool = False, profile: str | None = None
) -> Workspace:
    """The workspace of the user who started the program. The keys in this process's own environment are taken out.

    From then on no other process of this user may read this one's memory. `profile` is whom the user named to call as.
    Raises UnusableHome.
    """
    if environ is os.environ:
        close_process_memory()
        keep_status_of_children()
        environ = take_environment(os.environ)
    paths = paths_from(environ)
    check_owner(paths)
    wanted = environ.get(READ_ONLY_VARIABLE, "").strip().lower()
    return Workspace(
        environ=environ,
        paths=paths,
        stores=UsersStores(environ, paths),
        configure_file=configure_path(environ),
        server_role=_server_role(environ, profile),
        read_only=read_only or wanted not in {"", "0", "false", "no"},
    )


def _server_role(environ: Mapping[str, str], profile: str | None) -> ServerRole | None:
    if not wants_server_role(environ, profile):
        return None
    from ncp_tui.profiles.server_role import ServerRole

    return ServerRole(environ)


async def ask_store(
    question: Callable[[], Awaitable[T]], open_store: Callable[[StoreLocked], Awaitable[bool]] | None
) -> T:
    """What a secret store answers. Where it is locked, `open_store` has the user open it, and the question is repeated.

    Once for each kind of lock, so that a store that stays locked ends it. `open_store` returns False where the
    user cannot be asked or would rather not. Raises what the store raises: StoreLocked where it was left locked.
    """
    from ncp_tui.profiles.secret_stores.errors import StoreLocked

    opened: set[type[StoreLocked]] = set()
    while True:
        try:
            return await question()
        except StoreLocked as problem:
            locked = problem
        if open_store is None or not locked.can_be_opened or type(locked) in opened or not await open_store(locked):
            raise locked
        opened.add(type(locked))


@dataclass(frozen=True)
class KeysAccepted:
    """The keys of a caller were accepted."""

    clusters: int
    """How many clusters the first page of the answer had."""

    clock_offset: ClockOffset | None


async def check_keys(engine: SearchEngine, log: SessionLog, name: str) -> KeysAccepted:
    """Make one signed read of one page with `engine`, the client of `name`, and close it. Nothing is changed.

    Raises what the read raises.
    """
    try:
        with log.action(f"test the keys of {name}"):
            return KeysAccepted(await engine.check_keys(), engine.clock_offset)
    finally:
        await engine.aclose()
