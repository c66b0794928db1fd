"""Changes of profiles and keys, which have two halves: begun, they are carried through, whoever has left meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any, Final

from ncp_tui.gateway import Problem, SecretKey
from ncp_tui.profiles import DamagedSecret, OtherAccessKey, Profile

if TYPE_CHECKING:
    from ncp_tui.profiles import SecretStore
    from ncp_tui.tui.session import Session

DISK_SECONDS: Final = 30.0
"""How long a change of the profiles may take: three times what it waits for another program's lock, so that one that
is given up really hangs, and is not written a moment later."""

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


@contextlib.asynccontextmanager
async def key_kept(
    session: Session, profile: Profile, secret_key: SecretKey, *, before: Profile | None = None
) -> AsyncIterator[None]:
    """Keep `secret_key` for `profile`, and put back the one that is there now (of `before`) when what follows fails."""
    store = session.home.stores[profile.store]
    there = dataclasses.replace(before or profile, store=profile.store)
    previous = await stored(session, store, there)
    await session.ask_store(lambda: store.save(profile, secret_key))
    try:
        yield
    except Problem:
        with contextlib.suppress(Problem):  # what failed first is what is told
            await (store.delete(profile) if previous is None else store.save(there, previous))
        raise


@contextlib.asynccontextmanager
async def key_forgotten(session: Session, profile: Profile) -> AsyncIterator[None]:
    """Delete the key of `profile`, and put it back when what follows fails."""
    store = session.home.stores.get(profile.store)
    if store is None:
        yield
        return
    previous = await stored(session, store, profile)
    await session.ask_store(lambda: store.delete(profile))
    try:
        yield
    except Problem:
        with contextlib.suppress(Problem):
            if previous is not None:
                await store.save(profile, previous)
        raise


async def stored(session: Session, store: SecretStore, profile: Profile) -> SecretKey | None:
    """The key that is there now; one that cannot be read is worth nothing anyway."""
    with contextlib.suppress(DamagedSecret, OtherAccessKey):
        return await session.ask_store(lambda: store.load(profile))
    return None
