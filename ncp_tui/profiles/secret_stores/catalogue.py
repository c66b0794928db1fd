"""The secret stores there are: what each is called, how it is made, and which of them to propose on this host.

Here are the words and the making of each; `protocol` says what else a new one takes. No store is loaded before it is
used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import StoreName
from ncp_tui.system.paths import Paths

if TYPE_CHECKING:
    from ncp_tui.profiles.secret_stores.protocol import SecretStore


@dataclass(frozen=True)
class StoreKind:
    """One store, before it is made."""

    label: str
    """What it is called in lists and sentences."""

    choice: str
    """What it is called where one is chosen: what happens to the key there."""

    make: Callable[[Mapping[str, str], Paths], SecretStore]
    """The store of the user with this environment and these files; nothing is read or asked yet."""

    outlives_run: bool = True
    """Whether a key can be put there that is still there in the next run."""

    keeps_keys: bool = True
    """Whether a key can be put there at all. One that keeps none is never proposed to a user who has chosen none."""

    not_kept: str = ""
    """Why a command keeps no key there, as a sentence; empty where it does."""

    caution: str = ""
    """What to know before a key is kept there, as a sentence."""


def _keyring(_environ: Mapping[str, str], _paths: Paths) -> SecretStore:
    from ncp_tui.profiles.secret_stores.os_keyring import KeyringStore

    return KeyringStore()


def _key_file(environ: Mapping[str, str], paths: Paths) -> SecretStore:
    from ncp_tui.profiles.secret_stores.key_file_store import KeyFileStore
    from ncp_tui.profiles.secret_stores.passphrase import PASSPHRASE_VARIABLE

    named = environ.get(PASSPHRASE_VARIABLE, "").strip()
    # A unit file or a .env hands "~" over as it is written. Path's own raises for a user that does not exist.
    return KeyFileStore(paths.keys_file, passphrase_file=Path(os.path.expanduser(named)) if named else None)  # noqa: PTH111


def _session(_environ: Mapping[str, str], _paths: Paths) -> SecretStore:
    from ncp_tui.profiles.secret_stores.session_store import SessionStore

    return SessionStore()


def _command(environ: Mapping[str, str], paths: Paths) -> SecretStore:
    from ncp_tui.profiles.secret_stores.command_store import CommandStore

    return CommandStore(environ, paths.profiles_file)


STORES: Mapping[StoreName, StoreKind] = MappingProxyType(
    {
        "keyring": StoreKind("OS keyring", "OS keyring", _keyring),
        "file": StoreKind(
            "encrypted file",
            "Encrypted file (passphrase once per session)",
            _key_file,
            caution="A lost passphrase cannot be recovered.",
        ),
        "session": StoreKind(
            "this session only",
            "This session only (not saved)",
            _session,
            outlives_run=False,
            not_kept="The store `session` ends with this command, so no key was stored.",
        ),
        "command": StoreKind(
            "secret command",
            "Not stored: a command prints it",
            _command,
            outlives_run=False,
            keeps_keys=False,
            not_kept="The secret key is printed by the profile's secret command, so no key is stored.",
        ),
    }
)
"""Every store by its name, in the order in which they are proposed."""


class UsersStores(Mapping["StoreName", "SecretStore"]):
    """The stores of one user, each made when it is first used: the first screen is drawn without them."""

    def __init__(self, environ: Mapping[str, str], paths: Paths) -> None:
        self._environ = environ
        self._paths = paths
        self._made: dict[StoreName, SecretStore] = {}

    def __getitem__(self, name: StoreName) -> SecretStore:
        if name not in self._made:
            self._made[name] = STORES[name].make(self._environ, self._paths)
        return self._made[name]

    def __iter__(self) -> Iterator[StoreName]:
        return iter(STORES)

    def __len__(self) -> int:
        return len(STORES)


def lasting(stores: Mapping[StoreName, SecretStore]) -> Mapping[StoreName, SecretStore]:
    """Those of `stores` in which a key outlives this run."""
    return {name: stores[name] for name in stores if STORES[name].outlives_run}


@dataclass(frozen=True)
class StoreChoice:
    """The store to propose, and why each store that does not work here does not."""

    name: StoreName
    unusable: Mapping[StoreName, Problem] = field(default_factory=dict)


async def working_store(stores: Mapping[StoreName, SecretStore]) -> StoreChoice:
    """The first of `stores` that works here. Nothing is changed, no user is asked; it takes as long as the slowest.

    A locked store works: its user can open it. Where nothing works the last one is proposed. Those that
    keep no keys are not asked.
    """
    import asyncio  # 58 modules, of which a command that asks no store needs none

    from ncp_tui.profiles.secret_stores.errors import StoreLocked

    async def problem_of(store: SecretStore) -> Problem | None:
        try:
            await store.check()
        except StoreLocked:
            return None
        except Problem as problem:
            return problem
        return None

    names = [name for name in stores if STORES[name].keeps_keys]
    problems = await asyncio.gather(*(problem_of(stores[name]) for name in names))
    unusable = {name: problem for name, problem in zip(names, problems, strict=True) if problem is not None}
    return StoreChoice(next((name for name in names if name not in unusable), names[-1]), unusable)
