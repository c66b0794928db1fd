"""What would hold the event loop: calls that may never return, and work that grows with an answer.

Threads of an executor are joined at exit, so one hung name lookup or keyring call would hold the process for as long as
it hangs (measured: 20 s instead of 1.4 s). A daemon thread is simply left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

SLICE = 40
"""Rows that are made at once: 0.6 ms."""


async def run_blocking(function: Callable[[], T], seconds: float) -> T:
    """What `function` returns or raises, or TimeoutError after `seconds`.

    It runs on a daemon thread of its own: threads of an executor are joined when the interpreter ends, so one that
    hangs there would hold the whole program. A call that is given up keeps its thread until it ends by itself; its
    result is dropped. `function` is a closure without arguments, because asyncio's debug mode logs the arguments of
    callbacks.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def deliver(settle: Callable[[], None]) -> None:
        def settle_once() -> None:
            if not answer.done():
                settle()

        with contextlib.suppress(RuntimeError):  # the loop is closed: the program is already leaving
            loop.call_soon_threadsafe(settle_once)

    def run() -> None:
        try:
            result = function()
        except BaseException as fault:  # noqa: BLE001 - whatever it is, it belongs to the caller
            failure = fault
            deliver(lambda: answer.set_exception(failure))
        else:
            deliver(lambda: answer.set_result(result))

    threading.Thread(target=run, name="ncp-tui daemon call", daemon=True).start()
    # Not wait_for: before Python 3.12 it swallows a cancellation that comes in the same turn as the result.
    async with asyncio.timeout(seconds):
        return await answer


async def in_slices(make: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What `make` makes of each of `items`, giving way after every SLICE of them."""
    made = list[R]()
    for item in items:
        made.append(make(item))
        if len(made) % SLICE == 0:
            await asyncio.sleep(0)
    return made


class DaemonExecutor(ThreadPoolExecutor):
    """The loop's executor, where a call that hangs is left behind.

    The threads of a pool are joined at the end of the loop and again at the end of the interpreter: with a name lookup
    that hangs for 20 s in one of them, quitting takes 20 s. Here each call has a daemon thread of its own.
    """

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call `fn` on a new thread."""
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the caller
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=call, name="ncp-tui executor", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nothing, whatever is asked."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """An event loop whose own threads, as those of a connection's name lookup, hold up nothing either."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(DaemonExecutor())
    return loop
