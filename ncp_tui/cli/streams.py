"""Standard output and standard error as the work needs them: the answer whole or known to be lost, the rest in no way.

Python's own streams raise in the middle of the work, cut what a pipe that does not block cannot take at once, and try
again at the interpreter's end. Here everything that is written to one of the two goes through one object, which never
raises. An answer is waited for as long as its reader takes; a note is not.
"""

from __future__ import annotations

import errno
import io
import locale
import os
import select
import stat
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDIN, STDOUT, STDERR = 0, 1, 2

PATIENCE = 0.1
"""Seconds that notes may hold the work up, in all, where standard error is full; what does not go is kept."""

LAST_PATIENCE = 0.5
"""Seconds that the program's end waits for standard error to take the rest."""

MOST_KEPT = 64 * 1024
"""Bytes kept for a standard error that takes nothing; older ones are dropped."""

# Linux's and the largest that is asked for: a pipe that poll calls writable takes so many without waiting.
_AT_ONCE = min(select.PIPE_BUF, 4096)


@dataclass
class Loss:
    """Why standard output did not take all of the answer."""

    why: str
    """In the system's words; empty where the reader has gone, who wants no more and needs no message."""
    is_hang_up: bool = False
    """Whether it is a terminal that is gone."""
    is_told: bool = False
    """Whether the user has heard of it."""


class _Sink(io.RawIOBase):
    """What both have of a file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)


class AnswerSink(_Sink):
    """Where an answer goes: all of it, however slowly it is read, or none of the rest and `loss` says why."""

    def __init__(self, descriptor: int, loss: Loss | None = None) -> None:
        """Write to `descriptor`, or nowhere where a `loss` is known from the start."""
        super().__init__(descriptor)
        self.loss: Loss | None = None
        self._known = loss

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of `data` or note the loss. It takes as long as the reader does."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        self.loss = self.loss or (self._known if size else None)
        while rest and self.loss is None:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                _wait_for(self._descriptor, None)
            except OSError as error:
                self.loss = _loss(error, self._descriptor)
        return size

    def finish(self) -> None:
        """Find out now what a file system that writes behind (NFS) would tell when the file is closed."""
        if self.loss is None and self._known is None:
            try:
                os.close(os.dup(self._descriptor))
            except OSError as error:
                self.loss = _loss(error, self._descriptor)


class NoteSink(_Sink):
    """Where notes and errors go, if anybody takes them. Nothing about it stops or delays the work."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._kept = bytearray()
        self._patience = PATIENCE

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what is taken within what is left of the patience, and keep the rest for the next time."""
        text = bytes(data)
        self._kept += text
        del self._kept[:-MOST_KEPT]
        begun = time.monotonic()
        self._push(self._patience)
        self._patience = max(0.0, self._patience - (time.monotonic() - begun))
        return len(text)

    def finish(self) -> None:
        """Give what is left a last chance."""
        self._push(LAST_PATIENCE)

    def _push(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._kept and _wait_for(self._descriptor, max(0.0, until - time.monotonic())):
            try:
                del self._kept[: os.write(self._descriptor, self._kept[:_AT_ONCE])]
            except BlockingIOError:
                return
            except OSError:  # a disk that is full may have room for the next line, so it is tried again then
                self._kept.clear()


def take_over_streams() -> None:
    """Have all that the process writes go through the two sinks. To be called once, before anything else is opened.

    A descriptor that was closed is opened on /dev/null: else the next file, the journal or a connection to the
    gateway, would get its number, and the words meant for the user.
    """
    closed = Loss("it was closed before the start")
    absent = [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)]
    for descriptor in (STDIN, STDOUT, STDERR):
        _reopen(descriptor)
    if sys.stdin is None:
        sys.stdin = open(STDIN, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stdout = text_over(AnswerSink(STDOUT, closed if absent[STDOUT] else None), _encoding(sys.stdout))
    sys.stderr = text_over(NoteSink(STDERR), _encoding(sys.stderr))


def text_over(sink: AnswerSink | NoteSink, encoding: str) -> io.TextIOWrapper:
    """The text stream over `sink`. A character that the encoding lacks is written as an escape."""
    # typeshed wants a buffer; a raw stream that takes all it is given is one.
    return io.TextIOWrapper(sink, encoding, "backslashreplace", write_through=True)  # type: ignore[arg-type]


def finish(stream: TextIO) -> None:
    """Have all written that can be; nothing more is written to `stream`."""
    if isinstance(sink := getattr(stream, "buffer", None), AnswerSink | NoteSink):
        stream.flush()
        sink.finish()


def lost_answer() -> Loss | None:
    """Why standard output has not taken the answer so far; None where it has."""
    sink = getattr(sys.stdout, "buffer", None)
    return sink.loss if isinstance(sink, AnswerSink) else None


def terminal_is_gone() -> bool:
    """Whether the terminal that one of the three streams is on has hung up. It no longer says that it is one."""
    return any(_has_hung_up(descriptor) for descriptor in (STDIN, STDOUT, STDERR))


def asker_is_gone() -> bool:
    """Whether a question would have been asked here, had the terminal not gone: silence must not pass for a yes."""
    asked_on = (STDIN, STDERR)
    gone = [_has_hung_up(descriptor) for descriptor in asked_on]
    return any(gone) and all(is_gone or os.isatty(fd) for fd, is_gone in zip(asked_on, gone, strict=True))


def is_hang_up(error: BaseException) -> bool:
    """Whether a call has failed because its terminal is gone."""
    return isinstance(error, OSError) and error.errno in {errno.EIO, errno.ENXIO} and terminal_is_gone()


def _has_hung_up(descriptor: int) -> bool:
    try:
        if not stat.S_ISCHR(os.fstat(descriptor).st_mode):
            return False
        poll = select.poll()
        poll.register(descriptor, 0)
        return any(event & select.POLLHUP for _, event in poll.poll(0))
    except OSError:
        return False


def _loss(error: OSError, descriptor: int) -> Loss:
    if error.errno in {errno.EPIPE, errno.ECONNRESET}:
        return Loss("")
    return Loss((error.strerror or str(error)).lower(), is_hang_up=_has_hung_up(descriptor))


def _wait_for(descriptor: int, seconds: float | None) -> bool:
    """Wait until something can be written, or would fail; whether it can be tried. None waits for ever."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def _reopen(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        try:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is this one
        except OSError:
            return
        os.set_inheritable(opened, True)


def _encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or locale.getpreferredencoding(False)
