"""Profiles: who is there, whose keys work, and that no change loses a key or saves half of one."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from pathlib import Path

import pytest
from textual.widgets import Input, Select

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.errors import KeyringLocked, NoKeyring
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.tui.dialogs.confirm import QuestionDialog, TypeNameDialog
from ncp_tui.tui.first_run import FirstRun
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.profile_form import ProfileFormScreen
from ncp_tui.tui.screens.profiles import ProfilesScreen
from ncp_tui.tui.screens.welcome import WelcomeScreen
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.record_table import RecordTable
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, URL, Stage, staged

WIDE = (160, 40)
ENVIRON = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": SECRET_KEY, "NCLOUD_API_GW": URL}
OTHER = Profile(name="stage", access_key=ACCESS_KEY, store="session")


@pytest.fixture
def configure(tmp_path: Path) -> Path:
    file = tmp_path / "configure"
    file.touch(0o600)
    file.write_text(
        f"[lab]\nncloud_access_key_id = {ACCESS_KEY}\nncloud_secret_access_key = {SECRET_KEY}\nncloud_api_url = {URL}\n"
    )
    return file


def table_of(stage: Stage) -> RecordTable:
    return stage.app.screen.query_one("#table", RecordTable)


def line_of(stage: Stage, name: str) -> str:
    return next(line for line in stage.text().splitlines() if line.strip().startswith(name))


def profile_of(stage: Stage, name: str) -> Profile:
    found = stage.workspace.profiles.load().find(name)
    assert found is not None
    return found


async def secret_of(stage: Stage, profile: Profile) -> SecretKey | None:
    return await stage.workspace.stores[profile.store].load(profile)


async def fill_form(stage: Stage, **values: str) -> None:
    """Put each value into the input of its name, as `Stage.fill` does, and wait once for all of them."""
    for name, text in values.items():
        box = stage.app.screen.query_one(f"#{name}", Input)
        box.focus()
        box.value = text
    await stage.settle()


USUAL = {"name": "lab", "access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "gateway_url": URL}


async def test_everybody_this_run_could_call_as_and_enter_calls(configure: Path) -> None:
    async with staged(WIDE, wanted="prod", environ=ENVIRON, configure_file=configure, more=[OTHER]) as stage:
        await stage.press("p")
        assert stage.shows("environment (NCLOUD_ACCESS_KEY)", "~/.ncloud/configure [lab]", "this session only")
        assert "in use" in line_of(stage, "prod")
        assert "default" in line_of(stage, "prod")
        assert "in use" not in line_of(stage, "stage")
        assert ACCESS_KEY not in stage.text()
        assert SECRET_KEY not in stage.text()
        for name in ("stage", "configure:lab"):
            table_of(stage).move_to(name)
            await stage.press("enter")
            assert isinstance(stage.app.screen, ClustersScreen), name
            assert stage.shows(f"{name} / KR / Clusters", "14 clusters"), name
            await stage.press("p")
            assert "in use" in line_of(stage, name)


async def test_keys_found_elsewhere_are_not_changed_and_can_be_saved_as_a_profile(configure: Path) -> None:
    async with staged(WIDE, wanted="prod", environ=ENVIRON, configure_file=configure) as stage:
        await stage.press("p")
        for name, keys in (("environment", "e"), ("configure:lab", "encdx")):
            for key in keys:
                table_of(stage).move_to("prod")
                table_of(stage).move_to(name)
                await stage.press(key)
                assert isinstance(stage.app.screen, ProfilesScreen), (name, key)
                assert stage.shows(f"{name} is not a saved profile"), (name, key)
                assert stage.shows("Press i to save it, then") is (key != "x"), (name, key)
                stage.app.screen.say("")
                await stage.settle()
                assert not stage.shows("is not a saved profile"), "the next key has to say it anew"
        await stage.press("i")
        form = stage.app.screen
        assert isinstance(form, ProfileFormScreen)
        assert form.query_one("#name", Input).value == "lab"
        assert form.query_one("#secret_key", Input).value == "", "the key found is used without being shown"
        await stage.press("f5")
        assert stage.shows("The keys work")
        await stage.press("f2")
        assert await secret_of(stage, profile_of(stage, "lab")) == SecretKey(SECRET_KEY)


async def test_a_profile_is_tested_added_and_the_cursor_is_on_it() -> None:
    """A name that is taken replaces nobody's key, and a test says why keys do not work."""
    async with staged(WIDE) as stage:
        await stage.press("p", "a")
        await fill_form(stage, **USUAL | {"name": "PROD", "secret_key": "wrong-wrong-wrong-wrong-wrong-wrong-0000"})
        await stage.press("f2")
        assert stage.shows("Profile 'PROD' already exists.", "Nothing was saved.")
        assert await secret_of(stage, profile_of(stage, "prod")) == SecretKey(SECRET_KEY)
        await stage.fill("name", "lab")
        await stage.press("f5")
        assert stage.shows("The gateway refused the signature (401/200")
        assert "wrong-wrong" not in stage.text()
        await stage.fill("secret_key", SECRET_KEY)
        await stage.press("f5")
        assert stage.shows("The keys work.")
        assert not stage.app.screen.query_one(ProblemCard).display
        assert stage.workspace.profiles.load().find("lab") is None, "a test saves nothing"
        await stage.press("f2")
        assert isinstance(stage.app.screen, ProfilesScreen)
        assert stage.shows("Profile lab saved.")
        assert table_of(stage).cursor_key == "lab"
        assert await secret_of(stage, profile_of(stage, "lab")) == SecretKey(SECRET_KEY)
        file = stage.workspace.paths.profiles_file.read_text()
        assert SECRET_KEY not in file
        assert stage.workspace.profiles.load().default == "prod"


WRONG = {
    "name": ("environment", "means the keys in the environment."),
    "access_key": ("한글", "visible ASCII"),
    "secret_key": ("", "Secret key missing."),
    "gateway_url": ("http://example.com", "is plain http."),
    "ca_bundle": ("ca.pem", "depends on the current folder."),
}
"""One of each field: tests/profiles/test_profile.py has every rule."""


async def test_a_wrong_value_is_marked_and_nothing_is_saved() -> None:
    async with staged(WIDE) as stage:
        before = stage.workspace.paths.profiles_file.read_bytes()
        asked = len(stage.sandbox.ledger.requests)
        await stage.press("p", "a")
        form = stage.app.screen
        await fill_form(stage, **USUAL)
        for name, (value, said) in WRONG.items():
            await fill_form(stage, **{name: value})
            for key in ("f2", "f5") if name in {"secret_key", "gateway_url"} else ("f2",):
                form.query_one("#default_bucket").focus()
                await stage.press(key)
                assert stage.app.screen is form, (name, key)
                assert said in stage.words(), (name, key)
                assert form.query_one(f"#{name}").has_focus, (name, key)
            form.query_one(f"#{name}", Input).value = USUAL.get(name, "")
        assert stage.workspace.paths.profiles_file.read_bytes() == before
        assert len(stage.sandbox.ledger.requests) == asked


async def test_leaving_the_form_saves_nothing() -> None:
    async with staged(WIDE) as stage:
        await stage.press("p", "a")
        await fill_form(stage, **USUAL)
        await stage.press("escape")
        assert stage.shows("Leave without saving? What you typed is lost.")
        await stage.press("escape")
        assert isinstance(stage.app.screen, ProfileFormScreen), "a no goes back to what was typed"
        await stage.press("escape", "y")
        assert isinstance(stage.app.screen, ProfilesScreen)
        assert [each.name for each in stage.workspace.profiles.load().profiles] == ["prod"]


async def test_editing_keeps_the_secret_that_is_not_typed_and_undoes_nothing_of_another_program() -> None:
    """A form that was open would take a protection away again, unawares."""
    async with staged(WIDE) as stage:
        await stage.press("p", "e")
        form = stage.app.screen
        assert form.query_one("#name", Input).disabled, "a name is changed by renaming, which moves the key"
        assert stage.shows("unchanged if empty")
        await stage.fill("default_bucket", "es-backup-weekly")
        form.query_one("#protected", Select).value = "yes"
        await stage.press("f2")
        profile = profile_of(stage, "prod")
        assert (profile.default_bucket, profile.protected) == ("es-backup-weekly", True)
        assert await secret_of(stage, profile) == SecretKey(SECRET_KEY)
        assert "protected" in line_of(stage, "prod")
        identity = stage.app.session.identity
        assert identity is not None
        assert identity.profile.protected, "the profile in use is the edited one"
        await stage.press("e")
        stage.workspace.profiles.replace(dataclasses.replace(profile, read_only=True))
        await stage.fill("default_bucket", "bk.other")
        await stage.press("f2")
        assert stage.shows("Profile prod was changed by another program meanwhile.", "Nothing was saved.")
        now = profile_of(stage, "prod")
        assert (now.read_only, now.protected, now.default_bucket) == (True, True, "es-backup-weekly")


async def test_another_access_key_asks_for_its_secret_and_a_typed_one_replaces_it() -> None:
    """A secret belongs to one access key; with another it signs nothing, and every request would be refused."""
    async with staged(WIDE) as stage:
        await stage.press("p", "e")
        await stage.fill("access_key", "ANOTHERKEY0000000001")
        await stage.press("f5")
        assert stage.shows("Secret key missing.")
        await stage.press("f2")
        assert profile_of(stage, "prod").access_key == ACCESS_KEY, "a profile without its key is not saved"
        await fill_form(stage, access_key=ACCESS_KEY, secret_key="wrong-wrong-wrong-wrong-wrong-wrong-0000")
        await stage.press("f2", "t")
        assert stage.shows("The gateway refused the signature (401/200")
        assert "authentication failed" in line_of(stage, "prod")


async def test_copied_renamed_and_made_the_default() -> None:
    """A copy has a key of its own; renaming moves the key and the header."""
    async with staged(WIDE, more=[OTHER]) as stage:
        await stage.press("p", "c")
        assert stage.app.screen.query_one("#confirm-input", Input).value == "prod-copy"
        await stage.press("enter")
        assert stage.shows("prod copied to prod-copy.")
        for name in ("prod", "prod-copy"):
            assert await secret_of(stage, profile_of(stage, name)) == SecretKey(SECRET_KEY)
        assert stage.workspace.profiles.load().default == "prod"
        table_of(stage).move_to("prod")
        await stage.press("n")
        await stage.fill("confirm-input", "production")
        await stage.press("enter")
        assert stage.shows("prod renamed to production.")
        book = stage.workspace.profiles.load()
        assert (book.find("prod"), book.default) == (None, "production")
        assert await secret_of(stage, profile_of(stage, "production")) == SecretKey(SECRET_KEY)
        table_of(stage).move_to("stage")
        await stage.press("d")
        assert stage.shows("stage is now the default.")
        assert "default" in line_of(stage, "stage")
        assert "default" not in line_of(stage, "production ")
        assert stage.workspace.profiles.load().default == "stage"
        await stage.press("escape")
        assert stage.shows("production / KR / Clusters", "14 clusters")


async def test_a_name_that_cannot_be_changes_nothing() -> None:
    """One that is empty and one that is taken: tests/profiles/test_profile.py has every bad name."""
    async with staged(WIDE, more=[OTHER]) as stage:
        await stage.press("p", "n")
        for new, wrong in (("", "A profile needs a name."), ("STAGE", "Profile 'STAGE' already exists.")):
            await stage.fill("confirm-input", new)
            await stage.press("enter")
            assert stage.app.screen.query_one("#confirm-input", Input).value == new, "what was typed is kept"
            assert wrong in stage.words(), new
        assert [each.name for each in stage.workspace.profiles.load().profiles] == ["prod", "stage"]
        for name in ("prod", "stage"):
            assert await secret_of(stage, profile_of(stage, name)) == SecretKey(SECRET_KEY), name


class SlowStore(SessionStore):
    """A keyring that takes its time: what it is asked for is done when `gate` opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[str] = []

    async def rename(self, old: Profile, new: Profile) -> None:
        self.asked.append("rename")
        await self.gate.wait()
        await super().rename(old, new)

    async def delete(self, profile: Profile) -> None:
        self.asked.append("delete")
        await self.gate.wait()
        await super().delete(profile)

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        self.asked.append("save")
        await super().save(profile, secret_key)
        await self.gate.wait()  # it has the key, and is reading it back


async def test_leaving_while_a_rename_is_running_keeps_the_key() -> None:
    """The key first, by its new name: cut off anywhere, the profile has one."""
    store = SlowStore()
    async with staged(WIDE, stores={"session": store}) as stage:
        await stage.press("p", "n")
        store.gate.clear()
        store.asked.clear()
        stage.app.screen.query_one("#confirm-input", Input).value = "production"
        await stage.pilot.press("enter")
        await stage.until(lambda: store.asked == ["save"])
        assert await secret_of(stage, profile_of(stage, "prod")) == SecretKey(SECRET_KEY)
        await stage.pilot.press("escape")
        store.gate.set()
        await stage.until(lambda: store.asked == ["save", "delete"])
        await stage.settle()
        assert await secret_of(stage, profile_of(stage, "production")) == SecretKey(SECRET_KEY)
        assert await store.load(dataclasses.replace(profile_of(stage, "production"), name="prod")) is None


def make_newer(stage: Stage) -> None:
    """The profiles file of a program that is ahead of this one, which reads it and must not write it."""
    file = stage.workspace.paths.profiles_file
    file.write_text(re.sub(r"version = \d+", "version = 99", file.read_text()))


async def change_prod(stage: Stage, act: str) -> None:
    """Edit the keys of `prod`, or have it called `production`."""
    if act == "edit":
        await stage.press("e")
        await fill_form(stage, access_key="ANOTHERACCESSKEY0001", secret_key="another-secret-key-that-opens-nothing-00")
        await stage.press("f2")
    else:
        await stage.press("n")
        await stage.fill("confirm-input", "production")
        await stage.press("enter")


async def nothing_changed(stage: Stage) -> None:
    """`prod` has its key, and no other name has one."""
    assert await secret_of(stage, profile_of(stage, "prod")) == SecretKey(SECRET_KEY)
    other = Profile(name="production", access_key=ACCESS_KEY, store="session")
    assert await stage.workspace.stores["session"].load(other) is None


ACTS = ("edit", "rename")
"""One from the form and one from the list: tests/profiles/test_profile_changes.py has every change and every fault."""


async def refused(stage: Stage, act: str, why: str) -> None:
    """The act says why nothing came of it, and is called off."""
    await change_prod(stage, act)
    assert stage.shows(why), act
    await nothing_changed(stage)
    while not isinstance(stage.app.screen, ProfilesScreen):
        await stage.press("y" if isinstance(stage.app.screen, QuestionDialog) else "escape")
    await stage.press("r")


async def test_a_file_that_may_not_be_written_costs_no_key() -> None:
    """Whatever is begun with the key is undone where the file refuses: a profile without its key is no profile."""
    async with staged(WIDE, more=[OTHER]) as stage:
        await stage.press("p")
        make_newer(stage)
        for act in ACTS:
            await refused(stage, act, "written by a newer ncp-tui")


async def test_a_profile_without_its_key_says_where_it_should_be_and_moves_nowhere() -> None:
    """A key of the session is gone at the next start: the form must ask for it, not save a profile that has none."""
    stores = {"session": SessionStore(), "keyring": SessionStore()}
    async with staged(WIDE, stores=stores) as stage:
        await stores["session"].delete(profile_of(stage, "prod"))
        await stage.press("p", "t")
        assert stage.shows("Profile prod has no secret key in: this session only.")
        assert "no secret" in line_of(stage, "prod")
        await stage.press("e")
        stage.app.screen.query_one("#store", Select).value = "keyring"
        await stage.press("f2")
        assert stage.shows("Secret key missing.")
        assert profile_of(stage, "prod").store == "session"


async def test_only_the_typed_name_removes() -> None:
    async with staged(WIDE, wanted="prod", more=[OTHER]) as stage:
        await stage.press("p", "x")
        assert "It is in use: no profile is selected after that." in stage.words()
        await stage.press("escape")
        table_of(stage).move_to("stage")
        await stage.press("x")
        assert "is in use" not in stage.words()
        for typed in ("", "prod", "STAGE"):
            await stage.fill("confirm-input", typed)
            await stage.press("tab", "f2")
            assert isinstance(stage.app.screen, TypeNameDialog)
            assert stage.shows("Name does not match.")
        await stage.press("escape")
        removed = profile_of(stage, "stage")
        assert await secret_of(stage, removed) == SecretKey(SECRET_KEY)
        await stage.press("x")
        await stage.fill("confirm-input", "stage")
        await stage.press("enter")
        assert stage.shows("enter does nothing here.   f2 Remove")
        await stage.press("f2")
        assert stage.shows("Profile stage removed.")
        assert stage.workspace.profiles.load().find("stage") is None
        assert await secret_of(stage, removed) is None


async def test_without_the_profile_in_use_nobody_is_called() -> None:
    async with staged(WIDE, wanted="prod") as stage:
        await stage.press("p", "x")
        await stage.fill("confirm-input", "prod")
        await stage.press("f2", "escape")
        assert stage.shows("No profile selected. Press p to choose or add one.")
        assert stage.app.session.identity is None
        assert "prod" not in stage.text().splitlines()[0]


class Refuses(SessionStore):
    """A store that does not take keys, once it is told so."""

    problem: Exception | None = None

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        if self.problem is not None:
            raise self.problem
        await super().save(profile, secret_key)


async def test_a_key_that_cannot_be_kept_saves_no_profile() -> None:
    store = Refuses()
    async with staged(WIDE, stores={"session": store}) as stage:
        before = stage.workspace.paths.profiles_file.read_bytes()
        await stage.press("p", "a")
        await fill_form(stage, **USUAL)
        for problem in (NoKeyring(), KeyringLocked()):
            store.problem = problem
            await stage.press("f2")
            assert isinstance(stage.app.screen, ProfileFormScreen), problem
            assert stage.shows(problem.what[:30], "keep it for this session only"), problem
            assert stage.workspace.paths.profiles_file.read_bytes() == before, problem
        store.problem = None
        await stage.press("f2")
        assert stage.shows("Profile lab saved."), "what was typed is still there"


async def test_a_damaged_file_is_said_and_nothing_is_lost() -> None:
    async with staged(WIDE) as stage:
        stage.workspace.paths.profiles_file.write_text("this is [ not TOML")
        await stage.press("p")
        assert stage.shows("The profiles file is not TOML")
        assert list(stage.workspace.paths.config_dir.glob("profiles.toml*")), "a copy was put aside"


async def test_nothing_found_is_a_form() -> None:
    async with staged(WIDE, with_profile=False) as stage:
        assert isinstance(stage.app.screen, WelcomeScreen)
        for words in ("My Account > Manage Auth Key", "NCLOUD_ACCESS_KEY_ID", "~/.ncloud/configure", "ncp-tui --demo"):
            assert words in stage.words(), words
        await stage.press("enter")
        assert isinstance(stage.app.screen, ProfileFormScreen)
        assert stage.shows("Add a profile to begin")
        await stage.press("f2")
        assert stage.shows("A profile needs a name.")
        await fill_form(stage, **USUAL)
        await stage.press("f2")
        assert stage.shows("lab / KR / Clusters", "14 clusters")
        assert stage.workspace.profiles.load().default == "lab"


async def test_the_first_form_can_be_left() -> None:
    async with staged(WIDE, with_profile=False) as stage:
        await stage.press("escape")
        assert stage.shows("No profile selected. Press p to choose or add one.")
        for key in ("s", "h", "r", "enter"):
            await stage.press(key)
            assert key == "r" or stage.shows("No profile selected. Press p to choose or add one.")
        assert isinstance(stage.app.screen, ClustersScreen)
        await stage.press("p")
        assert stage.shows("No profiles yet. Press a to add one.")
        for key in ("enter", "e", "t", "d", "n", "c", "i", "x"):
            await stage.press(key)
        assert isinstance(stage.app.screen, ProfilesScreen)


async def test_what_was_found_is_offered(configure: Path) -> None:
    async with staged(WIDE, with_profile=False, environ=ENVIRON, configure_file=configure) as stage:
        assert stage.shows("environment (NCLOUD_ACCESS_KEY)", "~/.ncloud/configure [lab]", "Enter other keys")
        assert SECRET_KEY not in stage.text()
        for keys, then in (
            (["i"], "New profile"),
            (["a"], "New profile"),
            (["end", "enter"], "New profile"),
            (["escape"], "No profile selected. Press p to choose or add one."),
            (["enter"], "environment / KR / Clusters"),
            (["down", "enter"], "configure:lab / KR / Clusters"),
        ):
            assert isinstance(stage.app.screen, WelcomeScreen), keys
            if keys[-1] != "enter" or keys[0] == "end":
                assert not stage.sandbox.ledger.requests, "nothing is sent with keys that nobody chose"
            await stage.press(*keys)
            assert stage.shows(then), keys
            if then == "New profile":
                await stage.press("escape")
            assert isinstance(stage.app.screen, ClustersScreen), keys
            FirstRun(stage.app, stage.app.session, stage.app.find_and_use).ask()
            await stage.settle()
        assert not stage.workspace.paths.profiles_file.exists()


class HasNone(SessionStore):
    """A store that does not work on this host."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem

    async def check(self) -> None:
        raise self.problem


async def test_a_store_that_works_here_is_proposed_before_anything_is_typed() -> None:
    """Without a keyring the form said so when it was saved, with the keys typed."""
    stores = {"keyring": HasNone(NoKeyring()), "file": SessionStore(), "session": SessionStore()}
    async with staged(WIDE, stores=stores, profile=OTHER) as stage:
        await stage.press("p", "a")
        form = stage.app.screen
        assert form.query_one("#store", Select).value == "file"
        assert "No OS keyring in this session." in stage.words()
        await stage.press("escape")
        assert isinstance(stage.app.screen, ProfilesScreen), "nothing was typed, so nothing is asked"
        await stage.press("a")
        stage.app.screen.query_one("#store", Select).value = "keyring"
        await stage.settle()
        assert "No key can be stored there on this host. No OS keyring" in stage.words()
        stage.app.screen.query_one("#store", Select).value = "file"
        await fill_form(stage, **USUAL)
        await stage.press("f2")
        assert profile_of(stage, "lab").store == "file"


@pytest.mark.parametrize("by", ["option", "variable"])
async def test_a_profile_nobody_knows_is_a_card(by: str) -> None:
    """A name that was asked for never falls through to other keys: they may be another account's."""
    options = {"wanted": "porduction"} if by == "option" else {"environ": {"NCP_TUI_PROFILE": "porduction"}}
    async with staged(WIDE, **options) as stage:
        assert stage.shows("There is no profile 'porduction'.", "No other keys were tried.", "Available: prod.")
        assert not stage.sandbox.ledger.requests
        await stage.press("p", "enter")
        assert stage.shows("prod / KR / Clusters", "14 clusters")
        assert not stage.app.screen.query_one(ProblemCard).display


async def test_leaving_while_it_is_saved_says_so_and_help_over_it_stays() -> None:
    """A keyring reads back: closing the form must not take away what is over it, and the next esc must not crash.

    That esc leaves without saving is not true any more then.
    """
    store = SlowStore()
    async with staged(WIDE, stores={"session": store}) as stage:
        for meanwhile in (["f1", "ctrl+p"], ["escape"], ["escape", "escape"]):
            await stage.press("p", "e")
            assert isinstance(stage.app.screen, ProfileFormScreen)
            await stage.fill("secret_key", SECRET_KEY)
            store.gate.clear()
            store.asked.clear()
            await stage.pilot.press("f2")
            await stage.until(lambda: store.asked == ["save"])
            for place, key in enumerate(meanwhile):
                if place and key == "escape":
                    await stage.expect("Saving. Press esc again to leave; saving continues.")
                await stage.pilot.press(key)
            if meanwhile == ["escape", "escape"]:
                await stage.until(lambda: isinstance(stage.app.screen, ProfilesScreen))
            store.gate.set()
            await stage.settle()
            assert not [screen for screen in stage.app.screen_stack if isinstance(screen, ProfileFormScreen)], meanwhile
            while not isinstance(stage.app.screen, ClustersScreen):
                await stage.press("escape")
            assert stage.shows("prod / KR / Clusters"), meanwhile
