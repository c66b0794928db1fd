"""A locked store is opened once for both faces: who is asked, how often, and what is raised."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncp_tui.problem import Problem
from ncp_tui.profiles.secret_stores.errors import KeyringLocked, NoKeyring, StoreLocked
from ncp_tui.profiles.secret_stores.key_file_store import KeyFileStore
from ncp_tui.profiles.secret_stores.passphrase import PassphraseNeeded
from ncp_tui.workspace import ask_store
from tests.tables import each_row


class Unlocker:
    async def unlock(self) -> None:
        """It opens."""


def locked_keyring(*, has_prompt: bool = True) -> KeyringLocked:
    problem = KeyringLocked()
    problem.unlocker = Unlocker() if has_prompt else None
    return problem


def locked_file() -> PassphraseNeeded:
    return PassphraseNeeded(KeyFileStore(Path("keys.enc")), creating=False)


class Asked:
    """A store that raises `problems` one after the other, then answers; and a user who opens what may be opened."""

    def __init__(self, *problems: Problem, opens: bool = True) -> None:
        self.problems = list(problems)
        self.opens = opens
        self.opened: list[StoreLocked] = []

    async def question(self) -> str:
        if self.problems:
            raise self.problems.pop(0)
        return "the key"

    async def open_store(self, locked: StoreLocked) -> bool:
        self.opened.append(locked)
        return self.opens


async def test_nobody_is_asked_for_an_open_store() -> None:
    asked = Asked()
    assert await ask_store(asked.question, asked.open_store) == "the key"
    assert not asked.opened


async def test_each_kind_of_lock_is_opened_once() -> None:
    locks = [locked_keyring(), locked_file()]
    asked = Asked(*locks)
    assert await ask_store(asked.question, asked.open_store) == "the key"
    assert asked.opened == locks


@each_row(
    ("problems", "opens", "times"),
    [
        ([locked_keyring()], False, 1),
        ([locked_file()], False, 1),
        ([locked_keyring(has_prompt=False)], True, 0),
        ([locked_keyring(), locked_keyring()], True, 1),
        ([locked_file(), locked_file()], True, 1),
        ([NoKeyring()], True, 0),
        ([locked_file(), NoKeyring()], True, 1),
    ],
)
async def test_what_stays_locked_is_raised(problems: list[Problem], opens: bool, times: int) -> None:
    asked = Asked(*problems, opens=opens)
    with pytest.raises(Problem) as raised:
        await ask_store(asked.question, asked.open_store)
    assert raised.value is problems[-1]
    assert len(asked.opened) == times


async def test_where_nobody_can_be_asked() -> None:
    locked = locked_file()
    with pytest.raises(PassphraseNeeded) as raised:
        await ask_store(Asked(locked).question, None)
    assert raised.value is locked
