"""Blocking calls that may never return, run where they cannot keep the program from exiting.

Threads of an executor are joined at exit, so one hung name lookup or keyring call would hold the process for as long as
it hangs (measured: 20 s instead of 1.4 s). A daemon thread is simply left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def call_in_daemon_thread(function: Callable[[], T], *, name: str, timeout: float) -> T:  # noqa: ASYNC109
    """Run `function` on a daemon thread of its own and return what it returns.

    Raises what `function` raises, or TimeoutError after `timeout` seconds; the thread is then left to itself.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = function()
        except BaseException as raised:  # noqa: BLE001 - handed to the caller as it is
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has gone: nobody waits for the answer
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(timeout):
        return await future
