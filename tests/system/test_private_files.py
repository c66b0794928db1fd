"""Files of ours that somebody put something else in the place of: nothing hangs, and nothing of others is touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import CannotRead, CannotSave, ProfileStore
from ncp_tui.snapshots.journal_file import JournalFile
from ncp_tui.system.paths import UnusableHome, check_owner, paths_from
from ncp_tui.system.private_files import exposed_place, read_file, write_atomically


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_link(path: Path) -> None:
    path.symlink_to(path.with_name("somebody-elses"))
    path.with_name("somebody-elses").write_bytes(b"precious")


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def an_endless_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


STRANGE: list[Callable[[Path], None]] = [a_pipe, a_folder, a_link, a_dangling_link, an_endless_device]


@pytest.mark.parametrize("make", STRANGE)
def test_what_is_no_file_is_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "file")
    with pytest.raises(OSError):  # noqa: PT011 - each system has its own number for it
        read_file(tmp_path / "file")


@pytest.mark.parametrize("make", STRANGE)
def test_what_is_no_file_is_replaced_or_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A link in the place of a cache would have another file overwritten."""
    make(tmp_path / "file")
    try:
        write_atomically(tmp_path / "file", b"ours")
    except OSError:
        assert make is a_folder
    else:
        assert read_file(tmp_path / "file") == b"ours"
        assert not (tmp_path / "file").is_symlink()
    if make is a_link:
        assert (tmp_path / "somebody-elses").read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()
    assert list(tmp_path.glob(".file.*")) == []


def test_a_link_that_is_wanted_stays_one(tmp_path: Path) -> None:
    """As the configuration of somebody who keeps it in a repository."""
    a_link(tmp_path / "file")
    assert read_file(tmp_path / "file", follow=True) == b"precious"
    write_atomically(tmp_path / "file", b"new", follow=True)
    assert (tmp_path / "file").is_symlink()
    assert (tmp_path / "somebody-elses").read_bytes() == b"new"


@pytest.mark.parametrize("make", [a_pipe, a_folder, a_dangling_link])
@pytest.mark.parametrize("name", ["journal.jsonl", "journal.jsonl.last"])
def test_a_journal_beside_something_strange_never_waits(
    tmp_path: Path, make: Callable[[Path], None], name: str
) -> None:
    """A pipe there was waited for, for ever, with the create half begun."""
    make(tmp_path / name)
    file = JournalFile(tmp_path / "journal.jsonl")
    for act in (file.read, lambda: file.append(b"{}", 1), lambda: file.replace([b"{}"], 1)):
        try:
            act()
        except OSError:
            assert name == "journal.jsonl"


@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666, 0o622])
def test_profiles_that_others_can_write_are_not_used(tmp_path: Path, mode: int) -> None:
    """A gateway URL or a CA bundle in them is where signatures go."""
    paths = paths_from({"NCP_TUI_HOME": str(tmp_path)})
    store = ProfileStore(paths)
    store.add(Profile(name="prod", access_key="AK"))
    paths.profiles_file.chmod(mode)
    with pytest.raises(CannotRead, match="Other users can write") as caught:
        store.load()
    assert "chmod 600" in caught.value.next_step
    with pytest.raises((CannotRead, CannotSave)):
        store.add(Profile(name="other", access_key="AK"))
    paths.profiles_file.chmod(0o644)
    assert [profile.name for profile in store.load().profiles] == ["prod"]


ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")


@ROOT
def test_profiles_of_another_user_are_not_used(tmp_path: Path) -> None:
    paths = paths_from({"NCP_TUI_HOME": str(tmp_path)})
    store = ProfileStore(paths)
    store.add(Profile(name="prod", access_key="AK"))
    os.chown(paths.profiles_file, 4321, 4321)
    with pytest.raises(CannotRead, match="another user"):
        store.load()


@ROOT
@pytest.mark.parametrize("there", [".", "home", "home/state"])
def test_root_does_not_work_in_the_folders_of_a_user(tmp_path: Path, there: str) -> None:
    """`sudo` with the user's HOME left profiles and locks to root, and the user locked out."""
    owned = tmp_path / there
    owned.mkdir(parents=True, exist_ok=True)
    paths = paths_from({"NCP_TUI_HOME": str(tmp_path / "home")})
    check_owner(paths)
    os.chown(owned, 4321, 4321)
    with pytest.raises(UnusableHome, match="root") as caught:
        check_owner(paths)
    assert "sudo -u '#4321' ncp-tui" in caught.value.next_step
    assert list(tmp_path.rglob("*.lock")) == []


def test_a_path_of_which_every_part_is_closed_is_exposed_to_no_one(closed_folder: Path) -> None:
    """Whatever of it is not there yet; links and dots among it."""
    file = closed_folder / "a" / "b" / "file"
    assert exposed_place(file) == ""
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    (closed_folder / "link").symlink_to("a/../a")
    assert exposed_place(file) == ""
    assert exposed_place(closed_folder / "link" / "b" / "file") == ""


@pytest.mark.parametrize("place", [".", "a", "a/b", "a/b/file"])
@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o775, 0o702])
def test_one_part_of_a_path_in_which_others_write_exposes_it(closed_folder: Path, place: str, mode: int) -> None:
    """A group counts as others, and a sticky folder is open: there a name is whose who is first."""
    file = closed_folder / "a" / "b" / "file"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    (closed_folder / place).chmod(mode)
    found = exposed_place(file)
    assert f"{closed_folder / place} " in found
    assert f"(mode {mode:04o})" in found


def test_a_link_leads_through_the_folders_of_its_target(closed_folder: Path, tmp_path: Path) -> None:
    """The profiles file may be a link into a folder of dotfiles, which then has to be closed as well."""
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o700)
    open_to_all.chmod(0o777)
    (closed_folder / "folder").symlink_to(open_to_all)
    (closed_folder / "file").symlink_to(open_to_all / "file")
    for path in (closed_folder / "folder" / "file", closed_folder / "file"):
        assert "Other users can write in " in exposed_place(path)
    (closed_folder / "round").symlink_to("round")
    with pytest.raises(OSError, match="symbolic links"):
        exposed_place(closed_folder / "round" / "file")


@ROOT
@pytest.mark.parametrize("place", [".", "a", "a/file"])
def test_a_part_of_a_path_that_belongs_to_another_user_exposes_it(closed_folder: Path, place: str) -> None:
    """Its owner can open it again at any time."""
    file = closed_folder / "a" / "file"
    file.parent.mkdir()
    file.write_bytes(b"")
    os.chown(closed_folder / place, 4321, 4321)
    assert exposed_place(file) == f"{closed_folder / place} belongs to another user (uid 4321)."
