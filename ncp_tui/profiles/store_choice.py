"""Which store to propose for a first key: one that works on this host, found out before anything is typed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import StoreName
from ncp_tui.profiles.secret_stores.errors import KeyringLocked
from ncp_tui.profiles.secret_stores.protocol import SecretStore


@dataclass(frozen=True)
class StoreChoice:
    """The store to propose, and why each store that does not work here does not."""

    name: StoreName
    unusable: Mapping[StoreName, Problem] = field(default_factory=dict)


async def working_store(stores: Mapping[StoreName, SecretStore]) -> StoreChoice:
    """The first of `stores` that works here. Nothing is changed, nobody is asked, and it takes as long as the slowest.

    A locked keyring works: its user can open it. Where nothing works the last one is proposed.
    """

    async def problem_of(store: SecretStore) -> Problem | None:
        try:
            await store.check()
        except KeyringLocked:
            return None
        except Problem as problem:
            return problem
        return None

    problems = await asyncio.gather(*(problem_of(store) for store in stores.values()))
    unusable = {name: problem for name, problem in zip(stores, problems, strict=True) if problem is not None}
    return StoreChoice(next((name for name in stores if name not in unusable), list(stores)[-1]), unusable)
