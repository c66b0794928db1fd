"""The session log on disk: appended to by any number of programs, and never in the way of what it tells of.

Whoever is heard only puts something into a queue. One daemon thread does the rest, so a disk that hangs or is full
delays neither a key nor the exit.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ncp_tui.gateway.exchange import Exchange
from ncp_tui.problem import Problem
from ncp_tui.session_log.log import Action
from ncp_tui.session_log.records import Line, action_line, request_line
from ncp_tui.system.jsonl import append_lines, read_objects
from ncp_tui.text import json_text

LARGEST = 1024 * 1024
"""Bytes from which the file is put aside: about 1,500 requests."""

KEPT = 3
"""How many files that were put aside are kept: `session.1.jsonl` is the newest of them."""

MOST_WAITING = 256
"""Lines that wait for a disk that hangs. Each may hold an answer, so their number is bounded; more are dropped."""

CLOSING_SECONDS = 0.3
"""How long the end of the program waits for the disk. Quitting takes half a second whatever hangs."""

_PRIVATE = 0o600
_LOCK_SECONDS = 1.0
_TRIES = 3


class LogUnwritable(Problem):
    """Something that happened could not be written to the session log."""

    kind = "session_log_unwritable"


class LogWriter:
    """The log at `path`, for `SessionLog.subscribe(log_file.hear)`. Nothing touches the disk before the first line.

    `prepare` makes the folder, on the thread and once: a folder that is taken away later is not made again. `largest`
    is in bytes, `kept` a number of files.
    """

    def __init__(
        self, path: Path, prepare: Callable[[], None], *, largest: int = LARGEST, kept: int = KEPT, run: str = ""
    ) -> None:
        self.path = path
        self.run = run or f"{os.getpid()}-{os.urandom(4).hex()}"
        """What this program's lines are told from others' by; process ids come again."""
        self.problem: LogUnwritable | None = None
        """Why something is missing in the file: the first reason. The run continues; later lines are tried again."""
        self.missing = 0
        """How many lines are missing."""
        self._prepare = prepare
        self._largest = largest
        self._kept = kept
        self._prepared = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._done: threading.Event | None = None
        self._waiting: queue.Queue[Callable[[], Line] | threading.Event] = queue.Queue(MOST_WAITING)

    def on_event(self, action: Action, exchange: Exchange | None) -> None:
        """Have a request written, or an action that has ended. Returns at once: it takes about 20 us."""
        if self._closed:
            return
        # The action goes on changing while its line waits, so the line is made from a copy.
        if exchange is not None:
            told = replace(action, exchanges=[])
            self._put(lambda: request_line(self.run, told, exchange))
        elif action.ended is not None:
            told = replace(action, exchanges=action.exchanges[-1:])
            self._put(lambda: action_line(self.run, told))

    def close(self, seconds: float = CLOSING_SECONDS) -> bool:
        """Wait at most `seconds` until all is written; whether it is. What is heard later is not written."""
        self._closed = True
        if self._thread is None:
            return True
        if self._done is None:
            done = threading.Event()
            try:
                self._waiting.put_nowait(done)
            except queue.Full:
                self._fail("the disk does not answer", 0)
                return False
            self._done = done
        if not self._done.wait(seconds):
            self._fail("the disk did not answer in time", 0)
            return False
        return True

    def _put(self, line: Callable[[], Line]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ncp-tui session log", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._fail("the disk does not answer")

    def _work(self) -> None:
        while True:
            waiting = self._waiting.get()
            if isinstance(waiting, threading.Event):
                waiting.set()
                return
            try:
                self._write(json_text(waiting()).encode())
            except OSError as error:
                self._fail(_reason(error))
            except Exception as bug:  # noqa: BLE001 - a thread that dies here would lose every later line, and say nothing
                self._fail(f"an internal error, {type(bug).__name__}")

    def _fail(self, why: str, missing: int = 1) -> None:
        self.missing += missing
        self.problem = self.problem or LogUnwritable(
            f"The session log cannot be written: {why}.",
            "Requests are sent as usual, but the session log on disk has a gap.",
            f"Check {self.path}.",
        )

    def _write(self, line: bytes) -> None:
        """Append one line in one write, which the system does not mix with another program's. Raises OSError."""
        if not self._prepared:
            self._prepare()
            self._prepared = True
        # Another program may put the file aside, and at last delete it, between the opening and the writing. That
        # takes three files' worth of lines; a file system that counts no links is not asked for ever.
        for _ in range(_TRIES):
            if self._append(line):
                return

    def _append(self, line: bytes) -> bool:
        """Append, and return whether the file was still one of those that are kept. Raises OSError."""
        appended = append_lines(self.path, line, is_locked=False)
        if not appended.is_deleted and appended.size >= self._largest:
            self._put_aside()
        return not appended.is_deleted

    def _put_aside(self) -> None:
        """Begin a new file, unless another program has done it already or is about to. Raises OSError."""
        from filelock import FileLock, Timeout  # 8 ms, for once in 1,500 requests

        try:
            with FileLock(f"{self.path}.lock", timeout=_LOCK_SECONDS, mode=_PRIVATE):
                if self.path.lstat().st_size < self._largest:
                    return
                for number in range(self._kept, 0, -1):
                    newer = old_file(self.path, number - 1)
                    if newer.exists():
                        newer.replace(old_file(self.path, number))
        except (Timeout, FileNotFoundError):
            return  # whoever holds it does this; if not, the next line tries again


def old_file(path: Path, number: int) -> Path:
    """`session.2.jsonl` beside `session.jsonl`; 0 is the file itself."""
    return path.with_name(f"{path.stem}.{number}{path.suffix}") if number else path


def read_log(path: Path, *, kept: int = KEPT) -> list[dict[str, Any]]:
    """The lines of the session log at `path` and of the files that were put aside, oldest first. Raises OSError."""
    files: list[bytes] = []
    seen: set[tuple[int, int]] = set()
    # Newest first: a file that is put aside meanwhile is met again under its next name, where it is passed over. The
    # other way round it would be missed.
    for number in range(kept + 1):
        with contextlib.suppress(FileNotFoundError), open(old_file(path, number), "rb", opener=_open) as file:
            found = os.fstat(file.fileno())
            if (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                files.append(file.read())
    return [line for data in reversed(files) for line in read_objects(data)]


def _open(path: str, flags: int) -> int:
    """A pipe in the place of the file is not waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def _reason(error: OSError) -> str:
    """Why the system refused, in its own words."""
    if error.errno == errno.ELOOP:
        return "it is a symbolic link"
    if error.errno in {errno.EINVAL, errno.ENXIO, errno.EISDIR, errno.EEXIST, errno.ENOTDIR}:
        return "something else is in its place"
    return os.strerror(error.errno) if error.errno else type(error).__name__
