"""The connections of one client, for as long as the full screen runs: requests are cut off there all the time."""

from __future__ import annotations

import asyncio
import contextlib
import random

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.sandbox.sandbox import RunningSandbox
from tests.search_engine.scripted import engine_of


async def test_cut_off_requests_leave_no_connection_behind(served: RunningSandbox) -> None:
    """With four connections at most, four that are lost make the client deaf until it is started anew."""
    engine, chance = engine_of(served), random.Random(7)  # noqa: S311 - nothing secret

    async def cut_off() -> None:
        with contextlib.suppress(TimeoutError, GatewayError):
            async with asyncio.timeout(chance.uniform(0.0, 0.02)):
                await engine.recent_snapshots("1037012", tries=1)

    for _ in range(40):
        await asyncio.gather(*(cut_off() for _ in range(5)))
        async with asyncio.timeout(10):
            await engine.recent_snapshots("1037012", tries=1)
    await engine.aclose()


async def test_a_failure_does_not_touch_the_others(served: RunningSandbox) -> None:
    """A request that is still waiting keeps its connection when the one beside it is cut off."""
    engine = engine_of(served)
    released = asyncio.Event()

    async def wait(_visit: object) -> None:
        await released.wait()

    slow = served.sandbox.faults.add("getSnapshotHistory", "before", wait)
    waiting = asyncio.ensure_future(engine.recent_snapshots("1037012", tries=1))
    await asyncio.to_thread(slow.reached.wait, 10)
    served.sandbox.faults.add("getBucketList", "before", "reset", times=None)
    with contextlib.suppress(GatewayError):
        await engine.list_buckets("1037001")
    released.set()
    assert await asyncio.wait_for(waiting, 10)
    await engine.aclose()
