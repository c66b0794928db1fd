"""The journal's file: read whole, appended to a line at a time, replaced at once. Whoever writes holds its lock.

Beside it `<name>.last` holds the number of the line that was written last, so that a file that lost its end is noticed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock

from ncp_tui.system.jsonl import append_lines, raw_lines
from ncp_tui.system.paths import make_private_directory
from ncp_tui.system.private_files import read_file, remove_leftovers, write_atomically

_NO_LINK, _NO_WAIT = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)


class JournalFile:
    """The bytes of one journal. Its methods raise OSError; a lock that nobody lets go raises filelock.Timeout."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last_path = path.with_name(path.name + ".last")

    @contextlib.contextmanager
    def writing(self, seconds: float) -> Iterator[None]:
        """Hold the file alone, for whatever is read and then written."""
        make_private_directory(self.path.parent)
        with FileLock(self.path.with_name(self.path.name + ".lock"), timeout=seconds, mode=0o600):
            yield

    def read(self) -> tuple[list[bytes], int]:
        """Its lines without their ends, blank ones left out, and the number of the line that was written last, or 0."""
        # The number first: a line that another program adds meanwhile must not look like one that is missing.
        last = self._read_last()
        if self.path.exists() and not self.path.is_file():  # a pipe would be waited for
            raise OSError(0, "it is not a file")
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return [], last
        return list(raw_lines(data)), last

    @property
    def size(self) -> int:
        """Its bytes; of a link, the link's own: what it leads to is not ours to rewrite."""
        return self.path.lstat().st_size

    def append(self, line: bytes, seq: int) -> None:
        """Add `line`, which has the number `seq`. When this returns it is on disk."""
        append_lines(self.path, line, is_locked=True)
        self._write_last(seq)

    def replace(self, lines: Sequence[bytes], last: int) -> None:
        """Put `lines` in the place of all there is; the last of them has the number `last`."""
        remove_leftovers(self.path)
        write_atomically(self.path, b"".join(line + b"\n" for line in lines))
        self._write_last(last)

    def _read_last(self) -> int:
        try:
            return max(0, int(read_file(self._last_path)[:20]))
        except (OSError, ValueError):
            return 0

    def _write_last(self, seq: int) -> None:
        # After the line, and in its place: whatever ends the program here, it is never ahead of the journal.
        with contextlib.suppress(OSError):
            handle = os.open(self._last_path, os.O_WRONLY | os.O_CREAT | _NO_LINK | _NO_WAIT, 0o600)
            try:
                os.pwrite(handle, f"{seq:020d}\n".encode(), 0)
            finally:
                os.close(handle)
