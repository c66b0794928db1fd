"""Changes of profiles and keys, which have two halves: begun, they are carried through, whoever has left meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

# The event loop itself keeps tasks by weak references only.
_under_way: set[asyncio.Task[None]] = set()


async def carried_through(change: Coroutine[Any, Any, None]) -> None:
    """Run `change` to its end, even where the worker that waits for it is cancelled because its screen has gone.

    A file written and a key not moved would be a profile that nobody can use any more.
    """
    task = asyncio.create_task(change)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    await asyncio.shield(task)
