"""The store that keeps nothing: when the command of a profile is run, and when it is not."""

# ruff: noqa: ASYNC240 - a test may look at its files from where it stands

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.command_store import CommandStore
from ncp_tui.profiles.secret_stores.errors import ExposedCommand, SecretCommandFailed

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"

MakeProfile = Callable[..., Profile]


@pytest.fixture
def runs(closed_folder: Path) -> Path:
    """A file with a line for each run of the command."""
    return closed_folder / "runs"


@pytest.fixture
def profile(closed_folder: Path, runs: Path) -> Profile:
    """A profile with a command that counts its runs, and fails while there is a file `fail`."""
    script = closed_folder / "print-key"
    script.write_text(
        f"#!/bin/sh\necho run >>{runs}\n[ -e {closed_folder}/fail ] && exit 7\nsleep 0.05\necho {CANARY}\n"
    )
    script.chmod(0o700)
    return Profile(name="prod", access_key="AK", store="command", secret_command=(str(script),))


@pytest.fixture
def store(closed_folder: Path) -> CommandStore:
    return CommandStore({"PATH": "/usr/bin:/bin"}, closed_folder / "profiles.toml")


async def test_a_command_is_run_when_its_key_is_needed_and_only_once(
    store: CommandStore, profile: Profile, runs: Path
) -> None:
    """Several screens and requests ask at the same time; a command may ask somebody for a finger each time."""
    assert not runs.exists()
    keys = await asyncio.gather(*(store.load(profile) for _ in range(5)))
    assert set(keys) == {SecretKey(CANARY)}
    assert await store.load(dataclasses.replace(profile, default_bucket="other")) == SecretKey(CANARY)
    assert runs.read_text() == "run\n"


async def test_a_command_that_failed_is_not_run_again_by_itself(
    store: CommandStore, profile: Profile, runs: Path, closed_folder: Path
) -> None:
    """A refresh that repeats each minute must not lock the user out of a vault that counts wrong attempts."""
    (closed_folder / "fail").touch()
    for _ in range(3):
        with pytest.raises(SecretCommandFailed, match="ended with status 7") as caught:
            await store.load(profile)
        assert caught.value.can_be_opened
    assert runs.read_text() == "run\n"


async def test_a_command_that_was_edited_is_run(store: CommandStore, profile: Profile, closed_folder: Path) -> None:
    """Otherwise the user who mends it would have to start the program again."""
    broken = dataclasses.replace(profile, secret_command=(str(closed_folder / "missing"),))
    with pytest.raises(SecretCommandFailed, match="could not be started") as caught:
        await store.load(broken)
    assert not caught.value.can_be_opened
    assert await store.load(profile) == SecretKey(CANARY)


async def test_a_run_that_was_cancelled_does_not_count(store: CommandStore, profile: Profile) -> None:
    """The user left the screen; who waits beside it, or comes later, gets the key."""
    first, second = asyncio.create_task(store.load(profile)), asyncio.create_task(store.load(profile))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == SecretKey(CANARY)


@pytest.mark.parametrize("mode", [0o1777, 0o770, 0o702])
async def test_a_command_that_others_could_have_written_is_not_run(
    store: CommandStore, profile: Profile, runs: Path, closed_folder: Path, mode: int
) -> None:
    """Whoever can exchange the profiles file would have this user run a program of theirs."""
    closed_folder.chmod(mode)
    for ask in (store.load(profile), store.check()):
        with pytest.raises(ExposedCommand, match="Other users can write in") as caught:
            await ask
        assert "was not run" in caught.value.meaning
    assert not runs.exists()
    closed_folder.chmod(0o700)
    assert await store.load(profile) == SecretKey(CANARY)


async def test_nothing_is_kept(store: CommandStore, profile: Profile, closed_folder: Path) -> None:
    """A profile with a command has its key nowhere but where the command has it."""
    before = set(closed_folder.iterdir())
    await store.save(profile, SecretKey(CANARY))
    await store.rename(profile, profile)
    assert await store.load(profile) == SecretKey(CANARY)
    await store.delete(profile)
    assert set(closed_folder.iterdir()) - before == {closed_folder / "runs"}
    assert CANARY not in f"{store.__dict__} {store._runs}"
