"""What is kept of the user's choices, and what is said of a settings file that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncp_tui.system.paths import Paths
from ncp_tui.tui.preferences import CannotRemember, remember, remembered
from tests.tables import each_row


def paths_with(folder: Path, content: bytes | None) -> Paths:
    paths = Paths(folder / "config", folder / "state", folder / "data")
    paths.config_dir.mkdir(mode=0o700)
    if content is None:
        paths.settings_file.mkdir()
    else:
        paths.settings_file.write_bytes(content)
    return paths


@each_row(
    "content, said",
    [
        (None, "s a directory"),
        (b"\xff\xfe", "not valid TOML"),
        (b"theme = ", "not valid TOML"),
        (b"a = " + b"[" * 20_000, "not valid TOML"),
        (b'keys = "s"', "[keys] is not a table"),
        (b"keys = [1]", "[keys] is not a table"),
        (b'theme = "dark"', ""),
        (b"", ""),
    ],
)
def test_settings_that_are_not_in_force_are_told_of(
    content: bytes | None, said: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = remembered(paths_with(tmp_path_factory.mktemp("home"), content))
    assert said in found.problem
    assert bool(found.problem) is bool(said)


def test_what_cannot_be_read_is_not_overwritten(tmp_path: Path) -> None:
    paths = paths_with(tmp_path, b"theme = ")
    with pytest.raises(CannotRemember, match="not valid TOML"):
        remember(paths, "theme", "dark")
    assert paths.settings_file.read_bytes() == b"theme = "


def test_a_choice_leaves_the_rest_of_the_file_as_it_was(tmp_path: Path) -> None:
    paths = paths_with(tmp_path, b'theme = "dark"\n[keys]\n"clusters.snapshot" = "c"\n')
    remember(paths, "refresh.prod", "60")
    found = remembered(paths)
    assert found.choices == {"theme": "dark", "refresh.prod": "60"}
    assert found.keys == {"clusters.snapshot": "c"}
