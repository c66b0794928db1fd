"""The encrypted key file in the full-screen program: its passphrase is asked for when first needed, and once."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, Select

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.errors import KeyringLocked
from ncp_tui.profiles.secret_stores.key_file_store import KeyFileStore
from ncp_tui.profiles.secret_stores.passphrase import Passphrase
from ncp_tui.profiles.secret_stores.protocol import SecretStore
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.tui.dialogs.unlock import PassphraseDialog
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.profile_form import ProfileFormScreen
from ncp_tui.tui.screens.profiles import ProfilesScreen
from ncp_tui.tui.widgets.problem_card import ProblemCard
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, URL, Stage, staged

WIDE = (160, 40)
PHRASE = "canary battery staple"
BOXED = Profile(name="prod", access_key=ACCESS_KEY, store="file", default_bucket="bk.ses.snapshot")
USUAL = {"name": "lab", "access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "gateway_url": URL}


class Yesterdays(KeyFileStore):
    """A key file whose first key was saved by a session that is over."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "data" / "keys.enc", log2_n=lambda: 10)
        self.opened = 0

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        if self._path.exists() or self.opened:
            await super().save(profile, secret_key)
            return
        await super().open(Passphrase(PHRASE), creating=True)
        await super().save(profile, secret_key)
        self._backend = None

    async def open(self, passphrase: Passphrase, *, creating: bool) -> None:
        self.opened += 1
        await super().open(passphrase, creating=creating)


class Todays(KeyFileStore):
    """A host on which there is no key file yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "data" / "keys.enc", log2_n=lambda: 10)


@pytest.fixture
def key_file(tmp_path: Path) -> Yesterdays:
    return Yesterdays(tmp_path)


def stores(key_file: KeyFileStore) -> dict[str, SecretStore]:
    return {"session": SessionStore(), "file": key_file}


async def asked(stage: Stage) -> PassphraseDialog:
    """The question, once it is there. Whoever waits for its answer is at work all the while: nothing settles."""
    await stage.until(lambda: isinstance(stage.app.screen, PassphraseDialog) and stage.text())
    screen = stage.app.screen
    assert isinstance(screen, PassphraseDialog)
    return screen


def keys(phrase: str) -> list[str]:
    return ["space" if each == " " else each for each in phrase]


async def answer(stage: Stage, *phrases: str) -> None:
    """Type into each input of the question, with enter behind it."""
    await asked(stage)
    for phrase in phrases:
        await stage.pilot.press(*keys(phrase), "enter")


async def test_asked_once_and_then_open_for_the_session(key_file: Yesterdays) -> None:
    """A wrong one is asked again, and what was typed is neither copied nor in any message."""
    async with staged(WIDE, profile=BOXED, stores=stores(key_file), settled=False) as stage:
        await stage.expect("Unlock key file", "keys.enc", "asked once per session", "enter Unlock   esc Cancel")
        assert not stage.sandbox.ledger.requests, "nothing can be signed yet"
        await answer(stage, "wrong wrong wrong")
        await stage.expect("Wrong passphrase, or the file is damaged. Try again.")
        box = (await asked(stage)).query_one("#passphrase", Input)
        assert box.value == ""
        assert "wrong wrong" not in stage.text()
        await stage.pilot.press(*keys(PHRASE), "shift+home", "ctrl+x")
        assert box.value == PHRASE
        assert PHRASE not in repr(box)
        assert PHRASE not in stage.app.clipboard
        assert PHRASE not in stage.app.export_screenshot().replace("&#160;", " ")
        await stage.pilot.press("enter")
        await stage.expect("14 clusters")
        await stage.press("p", "t")
        await stage.expect("The keys of prod work")
        assert key_file.opened == 2, "once wrongly, once for the session"


async def test_esc_leaves_it_locked_and_sends_nothing(key_file: Yesterdays) -> None:
    """The screen behind loads again when it comes to the front, which must not be the same question for ever."""
    async with staged(WIDE, profile=BOXED, stores=stores(key_file), settled=False) as stage:
        for typed in ("", "wrong wrong wrong"):
            if typed:
                await stage.pilot.press("r")
                await answer(stage, typed)
                await stage.expect("Wrong passphrase")
            await asked(stage)
            await stage.pilot.press("escape")
            await stage.settle()
            assert isinstance(stage.app.screen, ClustersScreen), typed
            assert stage.shows("The key file is locked.", "Nothing was sent or changed."), typed
            assert not stage.sandbox.ledger.requests, typed
        await stage.pilot.press("r")
        await answer(stage, PHRASE)
        await stage.expect("14 clusters")


async def test_two_that_need_it_ask_once(key_file: Yesterdays) -> None:
    async with staged(WIDE, profile=BOXED, stores=stores(key_file), settled=False) as stage:
        await asked(stage)
        await stage.pilot.press("escape")
        await stage.settle()
        await stage.press("p")
        screen = stage.app.screen
        assert isinstance(screen, ProfilesScreen)
        identity = screen.chosen
        assert identity is not None
        screen.test_keys(identity)
        screen.test_keys(identity)
        await answer(stage, PHRASE)
        await stage.settle()
        assert stage.shows("The keys of prod work")
        assert stage.asked("getClusterInfoList") == 2
        assert key_file.opened == 1


async def test_a_profile_whose_key_stays_locked_stays_as_it_is(key_file: Yesterdays) -> None:
    """Renamed in one place and not in the other, it would have lost its key. Another bucket needs no passphrase."""
    async with staged(WIDE, profile=BOXED, stores=stores(key_file), settled=False) as stage:
        await asked(stage)
        await stage.pilot.press("escape")
        before = stage.workspace.paths.profiles_file.read_bytes()
        await stage.press("p")
        for key in ("n", "c", "x"):
            await stage.press(key)
            await stage.fill("confirm-input", "prod" if key == "x" else "other")
            await stage.pilot.press("f2" if key == "x" else "enter")
            await asked(stage)
            await stage.pilot.press("escape")
            await stage.settle()
            assert stage.shows("The key file is locked."), key
            assert stage.workspace.paths.profiles_file.read_bytes() == before, key
        await stage.press("e")
        await stage.fill("default_bucket", "es-backup-weekly")
        await stage.pilot.press("f2")
        await stage.until(lambda: not isinstance(stage.app.screen, ProfileFormScreen))
        found = stage.workspace.profiles.load().find("prod")
        assert found is not None
        assert (found.default_bucket, found.store) == ("es-backup-weekly", "file")
        assert key_file.opened == 0


async def fill_form(stage: Stage, store: str) -> None:
    """The usual values, put into the form that is open, with one wait for all of them."""
    for name, text in USUAL.items():
        stage.app.screen.query_one(f"#{name}", Input).value = text
    stage.app.screen.query_one("#store", Select).value = store
    await stage.settle()


async def test_the_form_says_where_the_key_will_be(tmp_path: Path) -> None:
    async with staged((80, 24), stores=stores(Todays(tmp_path))) as stage:
        await stage.press("p", "a")
        assert not stage.shows("keys.enc"), "it is not chosen"
        stage.app.screen.query_one("#store", Select).value = "file"
        await stage.settle()
        text = " ".join(stage.text().split())
        assert "Encrypted file (passphrase once per session)" in text
        assert "Stored in encrypted file (" in text
        assert "keys.enc" in text
        assert "A lost passphrase cannot be recovered." in text
        stage.app.screen.query_one("#store", Select).value = "session"
        await stage.settle()
        assert not stage.shows("Stored in")


async def test_a_new_file_has_its_passphrase_typed_twice(tmp_path: Path) -> None:
    key_file = Todays(tmp_path)
    async with staged(WIDE, stores=stores(key_file)) as stage:
        await stage.press("p", "a")
        await fill_form(stage, "file")
        await stage.pilot.press("f2")
        await asked(stage)
        await stage.pilot.press("escape")
        await stage.settle()
        assert isinstance(stage.app.screen, ProfileFormScreen)
        assert stage.shows("The key file does not exist yet.", "Nothing was sent or changed.")
        assert stage.workspace.profiles.load().find("lab") is None, "without a passphrase nothing is saved"
        assert not (tmp_path / "data").exists()
        await stage.pilot.press("f2")
        await answer(stage, "short", "short")
        await stage.expect("A new passphrase needs at least 12 characters; this one has 5.")
        await answer(stage, PHRASE, "another passphrase")
        await stage.expect("The two passphrases differ.")
        await answer(stage, PHRASE, PHRASE)
        await stage.expect("Profile lab saved.")
        assert PHRASE not in stage.text()
        lab = Profile(name="lab", access_key=ACCESS_KEY)
        fresh = Todays(tmp_path)
        await fresh.open(Passphrase(PHRASE), creating=False)
        assert await fresh.load(lab) == SecretKey(SECRET_KEY)
        await stage.press("t")
        await stage.expect("The keys of lab work")


class Keeps(SessionStore):
    """A keyring that deletes nothing while `stuck`."""

    stuck = True

    async def delete(self, profile: Profile) -> None:
        if self.stuck:
            raise KeyringLocked
        await super().delete(profile)


async def test_a_copy_that_cannot_be_deleted_is_told_and_tried_again(tmp_path: Path) -> None:
    """The user thinks that the key is in one place, and it is in two."""
    old, prod = Keeps(), Profile(name="prod", access_key=ACCESS_KEY)
    async with staged(WIDE, stores={"session": old, "file": Todays(tmp_path)}) as stage:
        await stage.press("p", "e")
        stage.app.screen.query_one("#store", Select).value = "file"
        await stage.pilot.press("f2")
        await answer(stage, PHRASE, PHRASE)
        await stage.expect("prod saved, but a copy of its key remains in this session only.")
        assert stage.app.screen.query_one(ProblemCard).display
        found = stage.workspace.profiles.load().find("prod")
        assert found is not None
        assert found.store == "file"
        old.stuck = False
        await stage.press("f2")
        assert stage.shows("Profile prod saved.")
        assert await old.load(prod) is None
        assert await stage.workspace.stores["file"].load(prod) == SecretKey(SECRET_KEY)
