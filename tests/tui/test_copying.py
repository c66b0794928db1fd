"""A copy leaves for the terminal in every form that may arrive, is never called more than sent, and holds no key."""

from __future__ import annotations

import base64
import errno
import os
import re
from pathlib import Path

import pytest
from textual.widgets import Static

from ncp_tui.tui.dialogs.copy_picker import CopyPicker
from ncp_tui.tui.dialogs.copyable import SelectDialog, folded
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.terminal.clipboard import (
    MOST_ENCODED,
    CannotCopy,
    CannotWriteCopy,
    clipboard_sequence,
    copy_file_name,
    write_copy,
)
from ncp_tui.view.text import line
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, START, Stage, staged

TEXT = "요청 2757144e-8548\nline two"
ENCODED = base64.b64encode(TEXT.encode()).decode()
PLAIN = f"\x1b]52;c;{ENCODED}\a"
TMUX = f"\x1bPtmux;\x1b\x1b]52;c;{ENCODED}\a\x1b\\"
SCREEN = f"\x1bP{PLAIN}\x1b\\"


@pytest.mark.parametrize(
    ("environ", "sequence"),
    [
        ({"TERM": "xterm-256color"}, PLAIN),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, PLAIN + TMUX),  # noqa: S108
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, PLAIN + TMUX),  # noqa: S108
        ({"TERM": "tmux-256color"}, PLAIN + TMUX),
        ({"TERM": "screen", "STY": "1.pts-0.host"}, PLAIN + SCREEN),
        ({"TERM": "xterm", "STY": "1.pts-0.host"}, PLAIN + SCREEN),
        ({"TERM": "screen.xterm-256color"}, PLAIN + SCREEN),
    ],
)
def test_each_terminal_gets_the_forms_that_may_reach_it(environ: dict[str, str], sequence: str) -> None:
    """Which of its two forms tmux lets through depends on settings that nobody here can read."""
    assert clipboard_sequence(TEXT, environ) == sequence


def test_screen_gets_it_in_pieces_that_are_one_again() -> None:
    """It drops a long string without a word."""
    text = "x" * 5_000
    sequence = clipboard_sequence(text, {"TERM": "screen", "STY": "1"})
    plain = clipboard_sequence(text, {"TERM": "xterm"})
    assert sequence.startswith(plain)
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sequence.removeprefix(plain), re.DOTALL)
    assert "".join(pieces) == plain
    assert max(map(len, pieces)) <= 256


@pytest.mark.parametrize("term", ["linux", "vt100", "vt220", "dumb", ""])
def test_a_terminal_without_a_clipboard_is_told_so(term: str) -> None:
    with pytest.raises(CannotCopy, match="has no clipboard"):
        clipboard_sequence(TEXT, {"TERM": term})


def test_what_is_too_long_is_refused_and_not_cut() -> None:
    """Half a command on the clipboard is worse than none."""
    most = "x" * (MOST_ENCODED // 4 * 3)
    assert clipboard_sequence(most, {"TERM": "xterm"})
    with pytest.raises(CannotCopy, match="Too long for the terminal"):
        clipboard_sequence(f"{most}xxx", {"TERM": "xterm"})


def test_a_file_is_new_and_the_users_alone(tmp_path: Path) -> None:
    path = write_copy("a\nb", tmp_path / "copy.txt")
    assert path.read_text() == "a\nb\n"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CannotWriteCopy, match="the file exists"):
        write_copy("other", path)
    assert path.read_text() == "a\nb\n"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotWriteCopy, match="the file exists"):
        write_copy("other", tmp_path / "link")
    with pytest.raises(CannotWriteCopy, match="No such file"):
        write_copy("other", tmp_path / "nowhere" / "copy.txt")


def test_a_folder_that_was_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(CannotWriteCopy, match="No such file or directory"):
        write_copy("text", Path("copy.txt"))


def test_half_a_copy_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWriteCopy, match="No space left"):
        write_copy("text", tmp_path / "copy.txt")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def xterm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with a clipboard and nothing in between."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)


def written(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to the terminal beside the screen."""
    found: list[str] = []
    monkeypatch.setattr(stage.app, "send", lambda data: found.append(data) if "]52;" in data else None)
    return found


def said(stage: Stage) -> str:
    """The sentence at the foot of the box."""
    return str(stage.app.screen.query_one("#copy-hint, #text-hint", Static).content)


def files_of(stage: Stage) -> list[Path]:
    """What was written into the folder that the program was started in."""
    return sorted(stage.workspace.folder.iterdir())


@pytest.mark.usefixtures("xterm")
async def test_everything_worth_a_copy_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged() as stage:
        await stage.press("h")
        sent = written(stage, monkeypatch)
        await stage.press("Y")
        assert isinstance(stage.app.screen, CopyPicker)
        assert stage.shows("snapshot name", "curl", "request ID", "response")
        for key in ("enter", "c", "c", "c"):
            await stage.press(key, "down")
        assert stage.shows("Sent to the terminal clipboard (OSC 52). Nothing there?")
        copied = [base64.b64decode(each.removeprefix("\x1b]52;c;").removesuffix("\a")).decode() for each in sent]
        name, curl, request_id, response = copied
        assert name.startswith(("auto-", "snapshot-"))
        assert "getSnapshotHistory" in curl
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", request_id)
        assert response.startswith("{\n")
        assert not [each for each in copied if SECRET_KEY in each or ACCESS_KEY in each]
        assert not files_of(stage)


@pytest.mark.usefixtures("xterm")
async def test_a_copy_is_written_beside_the_program_and_never_over_another() -> None:
    async with staged() as stage:
        await stage.press("h", "Y", "down", "down", "w")
        (file,) = files_of(stage)
        assert file.name == "ncp-tui-request-id-20260102-000000.txt"
        await stage.expect("Saved (only you can read it):")
        before = file.read_bytes()
        await stage.press("w")
        assert "the file exists. No other file was changed." in said(stage)
        assert file.read_bytes() == before
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("xterm")
async def test_the_demo_writes_no_copy() -> None:
    async with staged(demo=True) as stage:
        await stage.press("Y", "down", "w")
        await stage.expect("The demo writes no files.")
        assert not files_of(stage)


@pytest.mark.usefixtures("xterm")
async def test_a_text_screen_copies_writes_and_shows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged() as stage:
        await stage.press("y")
        sent = written(stage, monkeypatch)
        await stage.press("c")
        assert len(sent) == 1
        assert stage.shows("Sent to the terminal")
        await stage.press("w")
        (file,) = files_of(stage)
        assert "curl -q -K -" in file.read_text()
        await stage.press("m")
        assert isinstance(stage.app.screen, SelectDialog)
        first = stage.text().splitlines()[0]
        assert first.startswith("signed=$("), "nothing may stand before it: it would be selected too"
        await stage.press("escape")
        assert isinstance(stage.app.screen, TextDialog)


@pytest.mark.usefixtures("xterm")
async def test_what_cannot_be_copied_says_what_can_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged() as stage:
        stage.app.push_screen(TextDialog("Long", [line("x" * 80)] * 1_000))
        await stage.settle()
        sent = written(stage, monkeypatch)
        await stage.press("c")
        assert not sent
        assert "Too long for the terminal's clipboard" in said(stage)
        monkeypatch.setenv("TERM", "linux")
        await stage.press("c")
        assert "(TERM=linux) has no clipboard" in said(stage)
        assert not sent


@pytest.mark.usefixtures("xterm")
async def test_an_inputs_own_copy_goes_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's ends at tmux."""
    monkeypatch.setenv("TMUX", "1")
    async with staged() as stage:
        await stage.press("slash")
        await stage.type("abc")
        sent = written(stage, monkeypatch)
        await stage.press("shift+home", "super+c")
        assert sent == [clipboard_sequence("abc", {"TERM": "xterm", "TMUX": "1"})]


def test_a_text_to_select_is_folded_between_characters() -> None:
    pieces = ["".join(span.text for span in each) for each in folded("검색로그\n\nabcdefg", 5)]
    assert pieces == ["검색", "로그", "", "abcde", "fg"]


def test_a_file_is_named_after_what_is_in_it() -> None:
    from datetime import UTC, datetime

    assert copy_file_name("As curl", datetime.fromtimestamp(START, UTC)) == "ncp-tui-as-curl-20260102-000000.txt"
