"""A profile with a secret command on the screens: made, tested, edited, copied and removed; no key is typed."""

# ruff: noqa: ASYNC240 - a test may look at its files from where it stands

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input, Select

from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.command_store import CommandStore
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.tui.screens.profile_form import ProfileFormScreen
from ncp_tui.tui.screens.profiles import ProfilesScreen
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, URL, Stage, staged
from tests.tui.test_requests import paths_in

WIDE = (160, 40)


def script(folder: Path, lines: str) -> str:
    path = folder / "print-key"
    path.write_text(f"#!/bin/sh\necho run >>{folder}/runs\n{lines}\n")
    path.chmod(0o700)
    return str(path)


def runs(folder: Path) -> int:
    file = folder / "runs"
    return len(file.read_text().splitlines()) if file.exists() else 0


def stores(folder: Path) -> dict[str, SessionStore | CommandStore]:
    return {
        "session": SessionStore(),
        "command": CommandStore({"PATH": "/usr/bin:/bin"}, paths_in(folder).profiles_file),
    }


def profile_of(stage: Stage, name: str) -> Profile:
    found = stage.workspace.profiles.load().find(name)
    assert found is not None
    return found


async def choose_store(stage: Stage, name: str) -> None:
    stage.app.screen.query_one("#store", Select).value = name
    await stage.settle()


async def test_a_command_in_the_place_of_a_key(closed_folder: Path) -> None:
    """The field for it is there when it is chosen; what is saved is the command, and an edit keeps it."""
    program = script(closed_folder, f"echo {SECRET_KEY}")
    async with staged(WIDE, stores=stores(closed_folder), paths=paths_in(closed_folder)) as stage:
        await stage.press("p", "a")
        assert not stage.shows("Secret command")
        for name, text in {"name": "lab", "access_key": ACCESS_KEY, "gateway_url": URL}.items():
            await stage.fill(name, text)
        await choose_store(stage, "command")
        assert stage.shows("Secret command")
        assert stage.app.screen.query_one("#secret_key", Input).disabled
        for wrong, said in (("", "The secret command is empty."), ("print-key", "is not the full path")):
            await stage.fill("secret_command", wrong)
            await stage.press("f2")
            assert stage.shows(said)
            assert stage.app.focused is stage.app.screen.query_one("#secret_command")
        await stage.fill("secret_command", f"{program} 'a b'")
        await stage.press("f5")
        await stage.expect("The keys work.")
        assert runs(closed_folder) == 1
        await stage.press("f2")
        await stage.expect("Profile lab saved.")
        saved = profile_of(stage, "lab")
        assert (saved.store, saved.secret_command) == ("command", (program, "a b"))
        assert stage.shows("secret command", f"{program} 'a b'")
        await stage.press("e")
        form = stage.app.screen
        assert isinstance(form, ProfileFormScreen)
        assert form.query_one("#secret_command", Input).value == f"{program} 'a b'"
        assert not form.fields.is_edited
        await stage.fill("default_bucket", "bk")
        await stage.press("f2")
        await stage.expect("Profile lab saved.")
        assert profile_of(stage, "lab").secret_command == (program, "a b")
        await stage.press("e")
        await choose_store(stage, "session")
        assert not stage.shows("Secret command")
        await stage.press("f2")
        assert stage.shows("Secret key missing.")
        await stage.fill("secret_key", SECRET_KEY)
        await stage.press("f2")
        await stage.expect("Profile lab saved.")
        assert profile_of(stage, "lab").secret_command is None
        assert runs(closed_folder) == 1, "no change runs it"


async def test_a_copy_has_it_and_a_removal_says_what_goes(closed_folder: Path) -> None:
    """Nothing but the file is changed: the command is run for none of it."""
    program = script(closed_folder, f"echo {SECRET_KEY}")
    kept = Profile(name="lab", access_key=ACCESS_KEY, store="command", secret_command=(program,), gateway_url=URL)
    async with staged(WIDE, stores=stores(closed_folder), paths=paths_in(closed_folder), more=[kept]) as stage:
        await stage.press("p", "end", "c", "enter")
        await stage.expect("lab copied to lab-copy.")
        assert profile_of(stage, "lab-copy").secret_command == (program,)
        await stage.press("x")
        assert stage.shows("Remove profile lab and its secret command", "key that the command prints?")
        await stage.type("lab")
        await stage.press("f2")
        await stage.expect("Profile lab removed.")
        assert isinstance(stage.app.screen, ProfilesScreen)
        assert runs(closed_folder) == 0


async def test_in_a_folder_that_others_can_write_it_is_not_saved(closed_folder: Path) -> None:
    """The form says why, and the profile is not there."""
    program = script(closed_folder, f"echo {SECRET_KEY}")
    async with staged(WIDE, stores=stores(closed_folder), paths=paths_in(closed_folder)) as stage:
        closed_folder.chmod(0o777)
        await stage.press("p", "a")
        for name, text in {"name": "lab", "access_key": ACCESS_KEY, "gateway_url": URL}.items():
            await stage.fill(name, text)
        await choose_store(stage, "command")
        await stage.fill("secret_command", program)
        await stage.press("f2")
        await stage.expect("Other users can write in", "Nothing was saved")
        assert stage.workspace.profiles.load().find("lab") is None
        closed_folder.chmod(0o700)
