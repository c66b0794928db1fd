from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from ncp_tui.gateway.daemon_threads import call_in_daemon_thread

HANGING = """
import asyncio, threading
from ncp_tui.gateway.daemon_threads import call_in_daemon_thread

async def main():
    try:
        await call_in_daemon_thread(threading.Event().wait, name="hung", timeout=0.05)
    except TimeoutError:
        print("left it")

asyncio.run(main())
"""


async def test_a_result_and_an_exception_pass_through() -> None:
    assert await call_in_daemon_thread(lambda: threading.current_thread().name, name="mine", timeout=5) == "mine"
    with pytest.raises(ValueError, match="invalid literal"):
        await call_in_daemon_thread(lambda: int("x"), name="failing", timeout=5)


async def test_a_hung_function_is_left_behind_and_the_loop_goes_on() -> None:
    """A keyring that asks in a window nobody sees would stop every key press."""
    release, turns = threading.Event(), 0
    hung = asyncio.ensure_future(call_in_daemon_thread(release.wait, name="hung", timeout=0.1))
    while not hung.done():
        turns += 1
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await hung
    assert turns > 10
    release.set()


async def test_cancelling_the_caller_does_not_wait_for_the_thread() -> None:
    release, started, loop = threading.Event(), asyncio.Event(), asyncio.get_running_loop()

    def hang() -> None:
        loop.call_soon_threadsafe(started.set)
        release.wait()

    task = asyncio.ensure_future(call_in_daemon_thread(hang, name="hung", timeout=60))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()


def test_the_process_ends_while_a_call_hangs() -> None:
    """Threads of an executor are joined at exit: the program would stay as long as the name server is silent."""
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", HANGING], capture_output=True, text=True, timeout=20, check=False
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("left it\n", "", 0)
    assert time.monotonic() - started < 15
