"""What grows with an answer is made a little at a time: the screen never waits."""

from __future__ import annotations

import asyncio
import itertools

from ncp_tui.tui.slices import SLICE, in_slices


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
