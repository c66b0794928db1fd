"""The key file on disk: read only when nobody else can have touched it, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from ncp_tui.profiles.secret_stores.errors import KeyFileFailed, KeyFileSilent, UnsafeKeyFile
from ncp_tui.system.paths import make_private_directory
from ncp_tui.system.private_files import remove_leftovers, write_atomically

LARGEST = 1 << 20
"""Bytes; a profile takes about 150."""

_OTHERS = 0o077
_OTHERS_WRITE = 0o022
_NOT_READ = "No key was read from it, and nothing was changed."


class KeyFile:
    """A file of mode 0600 in a folder of mode 0700, both of the user alone.

    Its methods block, and raise UnsafeKeyFile, KeyFileSilent, KeyFileFailed or OSError; the file is then as it was.
    """

    def __init__(self, path: Path, lock_seconds: float) -> None:
        self._path = path
        self._lock_seconds = lock_seconds

    def read(self) -> bytes | None:
        """The whole file; None when there is none."""
        # A link of that name could lead to another's file, and a pipe would be waited for.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            self._check_folder()
            if self._path.is_symlink():
                raise UnsafeKeyFile(
                    f"{self._path} is a symbolic link.", _NOT_READ, "Put the file itself there, with mode 600."
                )
            handle = os.open(self._path, flags)
        except FileNotFoundError:
            return None
        with os.fdopen(handle, "rb") as file:
            self._check(os.fstat(handle))
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise KeyFileFailed(f"it is larger than {LARGEST >> 20} MiB", next_step=f"Look at {self._path}.")
        return data

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer. Raises KeyFileSilent when another has been writing for too long."""
        make_private_directory(self._path.parent)
        lock = FileLock(f"{self._path}.lock", timeout=self._lock_seconds, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise KeyFileSilent(self._lock_seconds) from None
        try:
            yield
        finally:
            lock.release()

    def write(self, data: bytes) -> None:
        """Replace the file, and read it back. Only inside of `locked`."""
        remove_leftovers(self._path)
        write_atomically(self._path, data)
        if self.read() != data:
            raise KeyFileFailed("it does not hold what was written", "Nothing can be relied on to be saved.")

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeKeyFile(f"{self._path} is not a file.", _NOT_READ, "Move it out of the way.")
        self._check_owner(self._path, status)
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OTHERS and os.name == "posix":
            raise UnsafeKeyFile(
                f"{self._path} is open to other users (mode {mode:04o}).",
                f"They may have copied it, and can try passphrases. {_NOT_READ}",
                f"Close it: chmod 600 {self._path}",
            )

    def _check_folder(self) -> None:
        """Who can write the folder can put another file in the place of this one."""
        folder = self._path.parent
        status = folder.stat()
        self._check_owner(folder, status)
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OTHERS_WRITE and os.name == "posix":
            raise UnsafeKeyFile(
                f"Other users can write in {folder} (mode {mode:04o}).",
                f"They could exchange the key file. {_NOT_READ}",
                f"Close it: chmod 700 {folder}",
            )

    def _check_owner(self, path: Path, status: os.stat_result) -> None:
        if os.name == "posix" and status.st_uid != os.geteuid():
            raise UnsafeKeyFile(
                f"{path} belongs to another user (uid {status.st_uid}).",
                _NOT_READ,
                f"Run ncp-tui as that user (without sudo?), or make it yours: chown {os.geteuid()} {path} "
                f"&& chmod {'700' if stat.S_ISDIR(status.st_mode) else '600'} {path}",
            )
