"""Files of JSON lines: one object a line, appended to by several programs, any of which may be killed at it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ncp_tui.system.private_files import sync_directory

_PRIVATE = 0o600
_OTHERS = 0o077
_GROWTH_SECONDS = 0.02
"""How long a line of another program may stand half written: the system shows a write of one page after the other."""

# A link may lead anywhere, and a pipe of that name would be waited for.
_FLAGS = (
    os.O_RDWR
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


@dataclass(frozen=True)
class Appended:
    """What became of the file: its size in bytes, and whether it was deleted while the line was written."""

    size: int
    is_deleted: bool


def append_lines(path: Path, lines: bytes, *, is_locked: bool) -> Appended:
    """Append `lines`, given without their last line end, to the file at `path`; a missing file is made, mode 0600.

    Who holds the lock of the file (`is_locked`) finds them on disk when this returns, or nothing of them when it
    raises. Without a lock they are one write, which the system does not mix with that of another program; a part may
    stay of them, and they may be lost with the machine's power. A line that was torn by a kill or a full disk keeps its
    place and ends there. Raises OSError; EINVAL where something else than a file is in its place.
    """
    is_new = is_locked and not path.exists()
    handle = os.open(path, _FLAGS, _PRIVATE)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        if stat.S_IMODE(found.st_mode) & _OTHERS:
            os.fchmod(handle, _PRIVATE)
        data = lines + b"\n"
        if _is_torn(handle, found.st_size, may_grow=not is_locked):
            data = b"\n" + data
        if is_locked:
            _write_durably(handle, data, found.st_size)
        elif os.write(handle, data) != len(data):
            raise OSError(errno.ENOSPC, "it took a part of a line")
        appended = Appended(found.st_size + len(data), os.fstat(handle).st_nlink == 0)
    finally:
        os.close(handle)
    if is_new:
        sync_directory(path.parent)
    return appended


def raw_lines(data: bytes) -> Iterator[bytes]:
    """The lines in the bytes of a file, without line ends, the white space around them, and blank lines."""
    for raw in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if line := raw.strip(b" \t\r"):
            yield line


def read_object(raw: bytes) -> dict[str, Any] | None:
    """The object that a line is; None for a torn line and for whatever else is no object."""
    try:
        value = json.loads(raw.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_objects(data: bytes) -> list[dict[str, Any]]:
    """The objects in the bytes of a file, in their order; lines that are none are passed over."""
    return [found for raw in raw_lines(data) if (found := read_object(raw)) is not None]


def _is_torn(handle: int, size: int, *, may_grow: bool) -> bool:
    """Whether the last line has no end; one that another program is just writing grows meanwhile, and has."""
    if not size or os.pread(handle, 1, size - 1) == b"\n":
        return False
    if may_grow:
        time.sleep(_GROWTH_SECONDS)
    return os.fstat(handle).st_size == size


def _write_durably(handle: int, data: bytes, size: int) -> None:
    """Write all of `data` after the first `size` bytes, or nothing of it, and wait until it is on disk."""
    try:
        while data:  # a disk that took a part of it raises its reason at the next piece
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(handle, size)
        raise
