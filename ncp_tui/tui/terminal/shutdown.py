"""The end of the program: by choice, by a signal or because the terminal has gone; in time, whatever hangs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

ORDERLY_SECONDS = 1.5
"""How long an orderly end may take. Two seconds are promised; the rest is for a busy machine."""

RESTORING_SECONDS = 0.2
"""How long the last resort waits for a terminal that may take no more bytes."""

TERMINAL_LOST = 128 + signal.SIGHUP
"""The exit code when the terminal has gone, the same for a signal and for the end of the input."""

_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


class Shutdown:
    """One process's way out. It begins once, and then the process ends within ORDERLY_SECONDS, in order or not.

    Until it is prepared, nothing is ever ended.
    `restore` puts the terminal back; it is called at the last resort alone, on a thread of its own.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        """The exit code of what began first; None while nothing has."""
        self.restore: Callable[[], None] = lambda: None
        self._leave: Callable[[int], None] = lambda _: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun: queue.SimpleQueue[int] = queue.SimpleQueue()

    @property
    def has_begun(self) -> bool:
        """Whether the program is on its way out."""
        return self.code is not None

    def prepare(self, leave: Callable[[int], None]) -> None:
        """Take the signals that end a program, for the rest of the process, and have the last resort stand by.

        `leave` is called in the running loop, with the exit code. A signal that was switched off before the start, as
        by nohup, stays off. Call it on the main thread.
        """
        self._loop, self._leave = asyncio.get_running_loop(), leave
        threading.Thread(target=self._stand_by, name="ncp-tui last resort", daemon=True).start()
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def arm(self, code: int) -> None:
        """Note that the program is leaving by itself, so that it is ended should it not come to its end."""
        if self.code is None:
            self.code = code
            # Unlike an event or a lock, this may be used by a handler that interrupts another use of it.
            self._begun.put(code)

    def request(self, code: int) -> None:
        """Have the program leave. From any thread, and from a signal handler; only the first call does anything."""
        if self._loop is not None and self.code is None:
            self.arm(code)
            with contextlib.suppress(RuntimeError):  # the loop is closed: it is leaving already
                self._loop.call_soon_threadsafe(self._leave, code)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # Not the loop's own kind of handler: a loop that waits for the terminal to take its bytes would never run it.
        self.request(128 + number)

    def _stand_by(self) -> None:
        code = self._begun.get()
        time.sleep(ORDERLY_SECONDS)
        try:
            restoring = threading.Thread(target=self._restore, name="ncp-tui restoring", daemon=True)
            restoring.start()
            restoring.join(RESTORING_SECONDS)
        finally:
            os._exit(code)

    def _restore(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the terminal may be the very thing that has gone
            self.restore()
            sys.__stdout__.flush()  # type: ignore[union-attr]  # the screen is drawn on a terminal only
