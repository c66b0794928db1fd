"""A locked keyring in the full-screen program: its prompt is opened when the user says so, never by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.os_keyring import KeyringStore, keyring_of
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.tui.dialogs.unlock import UnlockDialog
from ncp_tui.tui.screens.clusters import ClustersScreen
from tests.profiles.fake_secret_service import FakeSecretService, Faults
from tests.tui.stage import ACCESS_KEY, Stage, staged
from tests.tui.test_requests import ACCEPTED, OUTCOME, SENT, earlier_run, paths_in

WIDE = (160, 40)
KEPT = Profile(name="prod", access_key=ACCESS_KEY, store="keyring", default_bucket="bk.ses.snapshot")


class LockedOvernight(KeyringStore):
    """A real keyring store on a service that is locked as soon as the key is in it."""

    def __init__(self, service: FakeSecretService, prompt: Literal["never", "dismissed", "accepted"]) -> None:
        super().__init__(keyring_of("linux", {"DBUS_SESSION_BUS_ADDRESS": service.address}))
        self._service = service
        self._prompt = prompt

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        await super().save(profile, secret_key)
        self._service.faults = Faults(locked=True, prompt=self._prompt)
        self._service.calls.clear()


@pytest.fixture
def service() -> Iterator[FakeSecretService]:
    with FakeSecretService() as running:
        yield running


async def asked(stage: Stage) -> None:
    await stage.until(lambda: isinstance(stage.app.screen, UnlockDialog))
    await stage.expect("Unlock keyring", "Your OS keyring is locked.", "enter Unlock   esc Cancel")


@pytest.mark.parametrize("size", [(60, 20), WIDE])
async def test_unlocked_when_the_user_says_so(service: FakeSecretService, size: tuple[int, int]) -> None:
    stores = {"session": SessionStore(), "keyring": LockedOvernight(service, "accepted")}
    async with staged(size, profile=KEPT, stores=stores, settled=False) as stage:
        await asked(stage)
        assert "Prompt" not in service.calls, "no prompt that nobody asked for"
        assert not stage.sandbox.ledger.requests
        await stage.pilot.press("enter")
        await stage.expect("14 clusters")
        assert service.calls.count("Prompt") == 1
        await stage.press("p", "t")
        await stage.expect("prod work")


async def test_esc_leaves_it_locked(service: FakeSecretService) -> None:
    stores = {"session": SessionStore(), "keyring": LockedOvernight(service, "accepted")}
    async with staged(WIDE, profile=KEPT, stores=stores, settled=False) as stage:
        await asked(stage)
        await stage.pilot.press("escape")
        await stage.settle()
        assert isinstance(stage.app.screen, ClustersScreen)
        assert stage.shows("Your OS keyring is locked.", "No prompt was opened")
        assert "Prompt" not in service.calls
        assert not stage.sandbox.ledger.requests
        await stage.pilot.press("r")
        await asked(stage)
        await stage.pilot.press("enter")
        await stage.expect("14 clusters")


async def test_a_prompt_closed_without_the_password_can_be_opened_again(service: FakeSecretService) -> None:
    stores = {"session": SessionStore(), "keyring": LockedOvernight(service, "dismissed")}
    async with staged((80, 24), profile=KEPT, stores=stores, settled=False) as stage:
        await asked(stage)
        await stage.pilot.press("enter")
        await stage.expect("Its prompt was closed")
        service.faults.prompt = "accepted"
        await stage.pilot.press("enter")
        await stage.expect("14 clusters")


async def test_waiting_for_a_prompt_that_never_ends_can_be_left(service: FakeSecretService) -> None:
    stores = {"session": SessionStore(), "keyring": LockedOvernight(service, "never")}
    async with staged((80, 24), profile=KEPT, stores=stores, settled=False) as stage:
        await asked(stage)
        await stage.pilot.press("enter", "enter")
        await stage.expect("Waiting for the keyring")
        await stage.until(service.prompted.is_set)
        await stage.pilot.press("escape")
        await stage.settle()
        assert isinstance(stage.app.screen, ClustersScreen)
        assert service.calls.count("Prompt") == 1
        await stage.pilot.press("q")
        await stage.pilot.pause()
    assert stage.app.return_code == 0


async def test_a_no_is_not_asked_again_for_what_goes_on_behind(service: FakeSecretService, tmp_path: Path) -> None:
    """Snapshots of an earlier run are followed once the user has opened the keyring for something of their own."""
    under_way = 3
    for number in range(under_way):
        earlier_run(tmp_path, SENT, ACCEPTED, OUTCOME, name=f"before-{number}")
    stores = {"session": SessionStore(), "keyring": LockedOvernight(service, "accepted")}
    async with staged(WIDE, profile=KEPT, stores=stores, paths=paths_in(tmp_path), settled=False) as stage:
        await asked(stage)
        await stage.pilot.press("escape")
        await stage.settle()
        assert isinstance(stage.app.screen, ClustersScreen)
        assert not stage.app.session.tracked
        await stage.pilot.press("r")
        await asked(stage)
        await stage.pilot.press("enter")
        await stage.expect("legal-archive")
        await stage.until(lambda: len(stage.app.session.tracked) == under_way)
        assert service.calls.count("Prompt") == 1


async def test_what_no_prompt_would_open_is_told_and_not_offered(service: FakeSecretService) -> None:
    stores = {"session": SessionStore(), "keyring": LockedOvernight(service, "accepted")}
    async with staged(WIDE, profile=KEPT, stores=stores, settled=False) as stage:
        await asked(stage)
        await stage.pilot.press("escape")
        await stage.settle()
        for faults, words in (
            (Faults(no_collection=True), "Your OS keyring is locked or not set up yet."),
            (Faults(locked_items=True), "Your OS keyring is open, but the key in it is locked."),
        ):
            service.faults = faults
            await stage.pilot.press("r")
            await stage.expect(words, "No prompt was opened")
            assert isinstance(stage.app.screen, ClustersScreen), words
            assert "Prompt" not in service.calls, words


async def test_what_is_locked_again_at_once_is_not_asked_for_for_ever(service: FakeSecretService) -> None:
    stores = {"session": SessionStore(), "keyring": LockedOvernight(service, "accepted")}
    async with staged(WIDE, profile=KEPT, stores=stores, settled=False) as stage:
        await asked(stage)
        service.faults.locked_items = True
        await stage.pilot.press("enter")
        await stage.expect("Your OS keyring is open, but the key in it is locked.")
        await stage.settle()
        assert isinstance(stage.app.screen, ClustersScreen)
        assert service.calls.count("Prompt") == 1
