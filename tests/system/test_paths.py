"""Where files go, and who else may read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ncp_tui.system.paths import UnusableHome, make_private_directory, paths_from


def test_one_variable_moves_everything(tmp_path: Path) -> None:
    """Without it, a demo or a test would touch the files of the user."""
    paths = paths_from({"NCP_TUI_HOME": str(tmp_path / "all")})
    for directory in (paths.config_dir, paths.state_dir, paths.data_dir, paths.profiles_file, paths.profiles_lock):
        assert directory.is_relative_to(tmp_path / "all")
    assert not (tmp_path / "all").exists(), "looking must not create"


def test_a_tilde_in_the_variable_is_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths_from({"NCP_TUI_HOME": "~/x"}).config_dir == tmp_path / "x"


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`NCP_TUI_HOME= ncp-tui` must not mean the current folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    paths = paths_from({"NCP_TUI_HOME": " "})
    assert paths.config_dir.is_relative_to(tmp_path)
    assert paths.config_dir.name == "ncp-tui"


def test_new_folders_are_private_at_every_level(tmp_path: Path) -> None:
    """`mkdir(parents=True, mode=0o700)` leaves the parents open to everybody."""
    old_mask = os.umask(0)
    try:
        make_private_directory(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(old_mask)
    for directory in (tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)
    (tmp_path / "a").chmod(0o755)
    make_private_directory(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


def test_a_relative_home_below_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that stayed in a deleted folder is no bug of the program."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UnusableHome, match="was deleted") as caught:
        paths_from({"NCP_TUI_HOME": "x"})
    assert "full path" in caught.value.next_step
    assert paths_from({"NCP_TUI_HOME": str(tmp_path)}).config_dir == tmp_path
