"""SIGINT, SIGTERM and SIGHUP while a command runs: its work is cancelled in order, and it still gives its answer.

timeout(1), systemd, CI and a dropped link end commands so. The first signal cancels or raises, and no other does; from
then on the process has a few seconds to say what has become of the work, and is ended if it does not.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.streams import terminal_is_gone

if TYPE_CHECKING:
    import asyncio
    import contextvars

T = TypeVar("T")

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

ORDERLY_SECONDS = 5.0
"""How long an orderly end may take after the first signal; who sends SIGKILL next waits ten seconds and more."""

HURRIED_SECONDS = 1.5
"""The same after the second one, sent by a user who is tired of waiting."""

LAST_WORDS_SECONDS = 0.5
"""How long the last words may take, where the orderly end did not come."""


class Stopped(KeyboardInterrupt):
    """A signal asks the work to end. It is raised once in a run."""


class Signals:
    """The signals that end one run of the program. One that is switched off, as SIGHUP by nohup, stays off."""

    def __init__(self) -> None:
        self.number: int | None = None
        """The first that came; None while none has."""
        self.last_words: Callable[[], None] = lambda: None
        """Called on another thread where the orderly end takes too long, just before the process is ended."""
        self.exit_code: int | None = None
        """What the process exits with in that case; None for the code of the signal."""
        self._is_held = True
        self._is_cancelled = self._is_raised = False
        self._is_over = False
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Take the signals, held until `release`: while the program loads they are remembered."""
        if threading.current_thread() is threading.main_thread():
            for number in NUMBERS:
                if (before := signal.getsignal(number)) is not signal.SIG_IGN:
                    self._before[number] = before
                    signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_held = self._is_over = True
        for number, before in self._before.items():
            # Where it is another's now, it stays so: the full-screen program takes them for the rest of the process.
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, before)

    def interruption(self) -> ExitCode:
        """The exit code of a run that was broken off: of the first signal, of a terminal that is gone, of Ctrl-C."""
        if self.number is not None:
            return ExitCode(128 + self.number)
        return ExitCode.HUNG_UP if terminal_is_gone() else ExitCode.INTERRUPTED

    def hold(self) -> None:
        """Raise nothing any more: what is said now is said to its end."""
        self._is_held = True

    def release(self) -> None:
        """Let a signal end the work. Raises Stopped where one has come already."""
        self._is_held = False
        self._raise_waiting()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """A few steps that belong together. Raises Stopped at their end where a signal came meanwhile."""
        before, self._is_held = self._is_held, True
        try:
            yield
        finally:
            self._is_held = before
        self._raise_waiting()

    def run(self, runner: asyncio.Runner, work: Coroutine[Any, Any, T], context: contextvars.Context) -> T:
        """What `work` returns, run to its end; a signal cancels it. Raises Stopped then.

        Also where it came to its end just before: so whatever is not to be lost is kept by `work` itself.
        """
        from asyncio import CancelledError

        self._loop = runner.get_loop()
        try:
            result = runner.run(self._stoppable(work), context=context)
        except CancelledError:
            self._loop = None
            self._raise_waiting()
            raise
        finally:
            self._loop = None
        self._raise_waiting()
        return result

    async def _stoppable(self, work: Coroutine[Any, Any, T]) -> T:
        from asyncio import CancelledError, current_task

        if self._is_waiting:
            work.close()
            raise CancelledError
        self._task = current_task()
        try:
            return await work
        finally:
            self._task = None

    @property
    def _is_waiting(self) -> bool:
        """Whether a signal has come that is not delivered yet, and may be delivered now."""
        return self.number is not None and not self._is_raised and not self._is_held

    def _raise_waiting(self) -> None:
        if self._is_waiting:
            self._is_raised = True
            raise Stopped

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.number is None:
            self.number = number
        self._count += 1
        if self._count <= 2:  # noqa: PLR2004 - the first, and the one of a user who is tired of waiting
            seconds = ORDERLY_SECONDS if self._count == 1 else HURRIED_SECONDS
            with contextlib.suppress(RuntimeError):  # no more threads may be had: it ends in order, or not at all
                # Not threading's own: this may have interrupted another start of a thread, and that takes a lock.
                _thread.start_new_thread(self._end_in_time, (seconds,))
        if self._loop is None:
            self._raise_waiting()
        else:
            with contextlib.suppress(RuntimeError):  # closed: it is leaving already
                self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None and self._is_waiting and not self._is_cancelled:
            self._is_cancelled = True  # a second time it would break off the tidying up
            self._task.cancel()

    def _end_in_time(self, seconds: float) -> None:
        time.sleep(seconds)
        if self._is_over:
            return
        speaking = threading.Thread(target=self._speak, name="ncp-tui last words", daemon=True)
        speaking.start()
        speaking.join(LAST_WORDS_SECONDS)
        os._exit(self.interruption() if self.exit_code is None else self.exit_code)

    def _speak(self) -> None:
        with contextlib.suppress(Exception):  # nobody is left who could do anything about it
            self.last_words()
