"""What of the user's this run may touch, and how an identity found there becomes a client that signs.

Everything above asks here, so that a demo or a test replaces the user's files, keyring and environment in one place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ncp_tui import gateway, profiles, search_engine, session_log
from ncp_tui.process_memory import close_process_memory

if TYPE_CHECKING:
    from ncp_tui.gateway import KeySource
    from ncp_tui.profiles import (
        Identities,
        Identity,
        NcloudConfigure,
        Paths,
        ProfileBook,
        ProfileStore,
        SecretStore,
        ServerRole,
        StoreName,
    )
    from ncp_tui.search_engine import SearchEngine
    from ncp_tui.session_log import LogFile, SessionLog

if TYPE_CHECKING:  # loaded only by a run that uses it
    from ncp_tui.profiles.server_role import ServerRole

READ_ONLY_VARIABLE = "NCP_TUI_READ_ONLY"


@dataclass(frozen=True)
class Home:
    """The files, stores and variables of one run. Reading the files blocks: callers in a loop use a thread."""

    environ: Mapping[str, str] = field(repr=False)
    paths: Paths
    stores: Mapping[StoreName, SecretStore]
    configure_file: Path | None = None
    server_role: ServerRole | None = field(default=None, repr=False)
    """The role of this server, where the user said that it may be used; without it nobody asks for one."""

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
        return profiles.ProfileStore(self.paths)

    def log_file(self) -> LogFile:
        """The session log on disk. Nothing is written until it hears of a request."""
        return session_log.LogFile(
            self.paths.session_log_file, partial(profiles.make_private_directory, self.paths.state_dir)
        )

    def configure(self) -> NcloudConfigure:
        """What `~/.ncloud/configure` holds; nothing where this run may not look at it."""
        return (
            profiles.read_ncloud_configure(self.configure_file) if self.configure_file else profiles.NcloudConfigure()
        )

    def identities(self, book: ProfileBook | None = None) -> Identities:
        """Everybody this run could call as."""
        return profiles.available_identities(
            self.environ, book or self.profiles.load(), self.configure(), self.server_role
        )

    def choose(self, name: str | None = None, book: ProfileBook | None = None) -> Identity:
        """Who to call as, by name or by the documented order. Raises NoCredentials."""
        return profiles.choose_identity(
            self.environ, book or self.profiles.load(), self.configure(), name, self.server_role
        )

    async def connect(self, identity: Identity, log: SessionLog) -> SearchEngine:
        """Fetch the secret key of `identity` and return a client for it; nothing is sent to the service yet.

        Raises the Problem of the secret store, KeysUnavailable, UnknownEndpoint or UnusableProxy.
        """
        return self.client(identity, await profiles.secrets_for(identity, self.stores), log)

    def client(self, identity: Identity, credentials: KeySource, log: SessionLog) -> SearchEngine:
        """A client for `identity` that signs with `credentials`, saved or not."""
        profile = identity.profile
        client = gateway.Gateway(
            profile.endpoint(),
            credentials,
            record=partial(log.record, profile=identity.name),
            ca_bundle=profile.ca_bundle,
            clock=self.clock,
            environ=self.environ,
        )
        return search_engine.SearchEngine(client, read_only=self.read_only or profile.read_only)


def users_home(environ: Mapping[str, str] = os.environ, *, read_only: bool = False, profile: str | None = None) -> Home:
    """The home of the user who started the program. The keys in this process's own environment are taken out of it.

    From then on no other process of this user may read this one's memory. `profile` is whom the user named to call as.
    Raises UnusableHome.
    """
    if environ is os.environ:
        close_process_memory()
        environ = profiles.take_environment(os.environ)
    paths = profiles.paths_from(environ)
    profiles.check_owner(paths)
    wanted = environ.get(READ_ONLY_VARIABLE, "").strip().lower()
    return Home(
        environ=environ,
        paths=paths,
        stores=_UsersStores(environ, paths),
        configure_file=profiles.configure_path(environ),
        server_role=profiles.ServerRole(environ) if profiles.wants_server_role(environ, profile) else None,
        read_only=read_only or wanted not in {"", "0", "false", "no"},
    )


class _UsersStores(Mapping["StoreName", "SecretStore"]):
    """The user's stores, made when one is asked for: the first screen is drawn without them."""

    def __init__(self, environ: Mapping[str, str], paths: Paths) -> None:
        self._environ = environ
        self._paths = paths

    @cached_property
    def _stores(self) -> Mapping[StoreName, SecretStore]:
        named = self._environ.get(profiles.PASSPHRASE_VARIABLE, "").strip()
        # A unit file or a .env hands "~" over as it is written. Path's own raises for a user that nobody knows.
        passphrase_file = Path(os.path.expanduser(named)) if named else None  # noqa: PTH111
        key_file = profiles.FileStore(self._paths.keys_file, passphrase_file=passphrase_file)
        return {"keyring": profiles.KeyringStore(), "file": key_file, "session": profiles.SessionStore()}

    def __getitem__(self, name: StoreName) -> SecretStore:
        return self._stores[name]

    def __iter__(self) -> Iterator[StoreName]:
        return iter(self._stores)

    def __len__(self) -> int:
        return len(self._stores)
