"""Every store is described in one place; the one that is proposed works here, and none is asked for more than that."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from ncp_tui.cli.profile import command as profile
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import STORE_NAMES, StoreName
from ncp_tui.profiles.secret_stores import key_file
from ncp_tui.profiles.secret_stores.catalogue import STORES, UsersStores, lasting, working_store
from ncp_tui.profiles.secret_stores.errors import KeyringLocked, KeyringSilent, NoKeyFileHere, NoKeyring
from ncp_tui.profiles.secret_stores.key_file_store import KeyFileStore
from ncp_tui.profiles.secret_stores.os_keyring import KeyringStore, keyring_of
from ncp_tui.profiles.secret_stores.protocol import SecretStore
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.system.paths import paths_from
from tests.tables import each_row


class Store(SessionStore):
    def __init__(self, problem: Problem | None = None) -> None:
        super().__init__()
        self.problem = problem

    async def check(self) -> None:
        if self.problem is not None:
            raise self.problem


@each_row(
    ("keyring", "file", "proposed"),
    [
        (None, None, "keyring"),
        (KeyringLocked(), None, "keyring"),
        (NoKeyring(), None, "file"),
        (KeyringSilent(3), None, "file"),
        (NoKeyring(), NoKeyFileHere(), "session"),
        (None, NoKeyFileHere(), "keyring"),
    ],
)
async def test_the_first_that_works(keyring: Problem | None, file: Problem | None, proposed: StoreName) -> None:
    choice = await working_store({"keyring": Store(keyring), "file": Store(file), "session": Store()})
    assert choice.name == proposed
    expected = {"keyring": keyring, "file": file}
    assert choice.unusable == {
        name: problem for name, problem in expected.items() if problem and not isinstance(problem, KeyringLocked)
    }


async def test_the_real_stores_of_a_host_without_a_desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bus; with and without scrypt. Nothing is created by the look."""
    monkeypatch.setattr("ncp_tui.profiles.secret_stores.os_keyring.bus_address", lambda _: None)
    file = KeyFileStore(tmp_path / "data" / "keys.enc")
    stores: dict[StoreName, SecretStore] = {
        "keyring": KeyringStore(keyring_of("linux", {})),
        "file": file,
        "session": SessionStore(),
    }
    choice = await working_store(stores)
    assert (choice.name, list(choice.unusable)) == ("file", ["keyring"])

    def fips(*_: object) -> None:
        raise NoKeyFileHere

    monkeypatch.setattr(key_file, "derive", fips)
    assert (await working_store(stores)).name == "session"
    assert not tmp_path.joinpath("data").exists()


def test_every_store_is_described_and_made_in_one_place(tmp_path: Path) -> None:
    made = UsersStores({}, paths_from({"NCP_TUI_HOME": str(tmp_path)}))
    assert tuple(STORES) == STORE_NAMES == tuple(made)
    assert [made[name].name for name in made] == list(STORES)
    assert all(made[name] is made[name] for name in made)
    assert [made[name].describe().startswith(kind.label) for name, kind in STORES.items()] == [True] * len(STORES)
    assert list(lasting(made)) == ["keyring", "file"]
    assert not any(tmp_path.iterdir())


def test_the_help_names_every_store() -> None:
    helps = [
        option.help
        for name in ("add", "edit", "import")
        for option in profile.commands[name].params
        if isinstance(option, click.Option) and option.name == "store"
    ]
    assert len(helps) == 3
    named = [store for store, kind in STORES.items() if kind.keeps_keys]
    assert all(store in str(said) for said in helps for store in named)
