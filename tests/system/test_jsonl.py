"""Lines of JSON on disk: one append for those who hold a lock and those who do not, and what a reader makes of them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.system.jsonl import append_lines, raw_lines, read_object, read_objects


@pytest.mark.parametrize("is_locked", [True, False])
def test_lines_follow_one_another_in_a_private_file(tmp_path: Path, is_locked: bool) -> None:
    """Whoever may read the file of another user reads cluster names and requests."""
    path = tmp_path / "lines.jsonl"
    append_lines(path, b'{"n":1}', is_locked=is_locked)
    path.chmod(0o644)
    appended = append_lines(path, b'{"n":2}\n{"n":3}', is_locked=is_locked)
    assert path.read_bytes() == b'{"n":1}\n{"n":2}\n{"n":3}\n'
    assert (appended.size, appended.is_deleted) == (24, False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("is_locked", [True, False])
def test_a_torn_line_keeps_its_place_and_ends_there(tmp_path: Path, is_locked: bool) -> None:
    """Else the next line is glued to it, and both are lost."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":')
    append_lines(path, b'{"n":2}', is_locked=is_locked)
    assert path.read_bytes() == b'{"n":1}\n{"n":\n{"n":2}\n'
    assert read_objects(path.read_bytes()) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("is_locked", [True, False])
@pytest.mark.parametrize("make", ["link", "pipe", "folder"])
def test_what_is_no_file_is_not_written_to(tmp_path: Path, make: str, is_locked: bool) -> None:
    """A link may lead to any file of the user, and a pipe is waited for."""
    path, other = tmp_path / "lines.jsonl", tmp_path / "other"
    other.write_bytes(b"kept")
    made: dict[str, Callable[[], None]] = {
        "link": lambda: path.symlink_to(other),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }
    made[make]()
    with pytest.raises(OSError, match=r".") as refused:
        append_lines(path, b"{}", is_locked=is_locked)
    assert refused.value.errno in {errno.ELOOP, errno.EINVAL, errno.EISDIR}
    assert other.read_bytes() == b"kept"


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_under_a_lock_a_full_disk_leaves_nothing_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """What is not on disk must not look like a half of something that is."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"n":1}\n')
    write = os.write
    pieces = iter((3, 0))

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "full")

    def part(handle: int, data: bytes) -> int:
        return write(handle, data[:count]) if (count := next(pieces)) else full()

    monkeypatch.setattr(f"os.{failing}", part if failing == "write" else full)
    with pytest.raises(OSError, match="full"):
        append_lines(path, b'{"n":2}', is_locked=True)
    assert path.read_bytes() == b'{"n":1}\n'


def test_without_a_lock_a_part_of_a_line_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program may have written behind it, so it cannot be cut off again; the next line ends it."""
    path, write = tmp_path / "lines.jsonl", os.write
    with monkeypatch.context() as patch:
        patch.setattr("os.write", lambda handle, data: write(handle, data[:3]))
        with pytest.raises(OSError, match="part"):
            append_lines(path, b'{"n":2}', is_locked=False)
    append_lines(path, b'{"n":3}', is_locked=False)
    assert read_objects(path.read_bytes()) == [{"n": 3}]


def test_lines_of_a_file_that_an_editor_saved_are_read() -> None:
    """Notepad adds a byte order mark and carriage returns."""
    data = b'\xef\xbb\xbf{"n":1}\r\n\r\n {"n":2}\t\r\n'
    assert list(raw_lines(data)) == [b'{"n":1}', b'{"n":2}']
    assert read_objects(data) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"1", b"\xff{}", b"[" * 100_000, b'{"n":' + b"9" * 5_000 + b"}"])
def test_what_is_no_object_is_none(raw: bytes) -> None:
    """A line that is damaged in any way is passed over, and never ends the reading."""
    assert read_object(raw) is None


def test_half_of_a_surrogate_pair_is_read_back() -> None:
    """A name that came with one was written with one, and its line is no damage."""
    assert read_object('{"n":"\ud800"}'.encode("utf-8", "surrogatepass")) == {"n": "\ud800"}
