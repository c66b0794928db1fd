"""Calls on daemon threads: answered, failed, given up, and left behind."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading

import pytest

from ncp_tui.system.blocking import SLICE, in_slices, run_blocking


async def test_result_and_fault_come_back() -> None:
    assert await run_blocking(lambda: 42, 5) == 42
    with pytest.raises(ZeroDivisionError):
        await run_blocking(lambda: 1 // 0, 5)


async def test_a_call_that_is_given_up_holds_nobody_and_its_answer_is_dropped() -> None:
    """A late answer to a future that is gone would raise InvalidStateError in the event loop."""
    loop = asyncio.get_running_loop()
    faults: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _loop, context: faults.append(context))
    release, ended = threading.Event(), threading.Event()

    def hang() -> None:
        release.wait(30)
        loop.call_soon_threadsafe(lambda: None)
        ended.set()

    with pytest.raises(TimeoutError):
        await run_blocking(hang, 0.05)
    release.set()
    assert await run_blocking(lambda: ended.wait(30), 30)
    await run_blocking(lambda: None, 5)  # one turn of the loop after the late answer
    assert faults == []


async def test_it_runs_on_a_daemon_thread() -> None:
    assert await run_blocking(lambda: threading.current_thread().daemon, 5)


def test_a_hung_call_does_not_hold_the_process() -> None:
    """The threads of an executor are joined at exit: `asyncio.to_thread` would keep this child for ever."""
    program = (
        "import asyncio, threading\n"
        "from ncp_tui.system.blocking import run_blocking\n"
        "async def main():\n"
        "    try: await run_blocking(threading.Event().wait, 0.05)\n"
        "    except TimeoutError: print('given up')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "given up\n"
    assert done.stderr == ""


def test_an_answer_after_the_end_of_the_loop_is_dropped() -> None:
    release, ended = threading.Event(), threading.Event()

    def hang() -> None:
        try:
            release.wait(30)
        finally:
            ended.set()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await run_blocking(hang, 0.05)

    asyncio.run(give_up())
    release.set()
    assert ended.wait(30)
    for thread in threading.enumerate():
        if thread.name == "ncp-tui daemon call":
            thread.join(30)


async def test_a_hung_function_is_left_behind_and_the_loop_goes_on() -> None:
    """A keyring that asks in a window nobody sees would stop every key press."""
    release, turns = threading.Event(), 0
    hung = asyncio.ensure_future(run_blocking(release.wait, 0.1))
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

    task = asyncio.ensure_future(run_blocking(hang, 60))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()


async def test_rows_are_made_a_slice_at_a_time() -> None:
    turns = list[int]()
    made_so_far = list[int]()

    async def another() -> None:
        while True:
            turns.append(len(made_so_far))
            await asyncio.sleep(0)

    def make(number: int) -> int:
        made_so_far.append(number)
        return number

    task = asyncio.ensure_future(another())
    made = await in_slices(make, range(1_000))
    task.cancel()
    assert made == list(range(1_000))
    assert max(after - before for before, after in itertools.pairwise(turns)) <= SLICE
