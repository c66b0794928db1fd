"""What a cluster held when a snapshot of it was requested: engine and version, nodes, documents, indices, stored size.

Read beside the preflight checks and written down with the create, so that somebody who finds the snapshot a year later
knows what should be in it, and which version made it. It is what NCP said just before, no count of the snapshot itself.
Everything may be missing, and a read that fails, or takes longer than all the others, costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster, Dashboard
from ncp_tui.text import clean

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

LAST_WAIT: Final = 0.3
"""Seconds that the dashboard may still take once everything else is read."""

_LONGEST: Final = 60
"""Characters of one value; a number of 64 bits has 20."""
_MOST_NODES: Final = 100_000


@dataclass(frozen=True)
class Inventory:
    """What NCP said of a cluster just before a create. Texts are as it gave them, cut; what it did not say is empty."""

    engine: str = ""
    engine_code: str = ""
    manager_nodes: int | None = None
    data_nodes: int | None = None
    master_nodes: int | None = None
    documents: str = ""
    indices: str = ""
    shards: str = ""
    stored: str = ""
    """Bytes, as NCP writes them."""
    read_at: str = ""
    """When documents, indices and size were read, as ISO 8601; empty where they were not."""

    @classmethod
    def of(cls, cluster: Cluster, read: DashboardRead | None) -> Inventory:
        """What is known of `cluster`, with its dashboard where that was read."""
        dashboard = read.dashboard if read is not None else Dashboard()
        code = cluster.raw.get("searchEngineVersionCode")
        return cls(
            _text(cluster.engine),
            _text(code),
            _count(cluster.manager_nodes),
            _count(cluster.data_nodes),
            _count(cluster.master_nodes),
            _text(dashboard.documents),
            _text(dashboard.indices),
            _text(dashboard.shards),
            _text(dashboard.store_size),
            read.at.isoformat() if read is not None else "",
        )

    @classmethod
    def read(cls, document: Any) -> Inventory | None:
        """What a record holds of it; None where it has none. A member of another type says nothing."""
        if not isinstance(document, Mapping):
            return None
        nodes = {"manager_nodes", "data_nodes", "master_nodes"}
        known = {each.name: (_count if each.name in nodes else _text)(document.get(each.name)) for each in fields(cls)}
        found = cls(**known)  # type: ignore[arg-type]
        return None if found == cls() else found

    def document(self) -> dict[str, Any]:
        """What is said of it, for a record."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) not in ("", None)}


def _text(value: object) -> str:
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool) and value not in {"true", "false"}
    return clean(str(value), _LONGEST) if is_plain and not _is_huge(value) else ""


def _is_huge(value: object) -> bool:
    """Whether it is a number that Python would not even spell."""
    return isinstance(value, int) and value.bit_length() > 4 * _LONGEST


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_NODES else None


@dataclass(frozen=True)
class DashboardRead:
    """The dashboard of a cluster, and when it was read."""

    dashboard: Dashboard
    at: datetime


class _Beside:
    """A read that is made beside others."""

    def __init__(self, task: asyncio.Task[Dashboard] | None, now: Callable[[], datetime]) -> None:
        self._task = task
        self._now = now

    async def result(self) -> DashboardRead | None:
        """What it has come to, LAST_WAIT from now at the latest; None where it failed or is not over."""
        if self._task is None:
            return None
        done, _ = await asyncio.wait([self._task], timeout=LAST_WAIT)
        if not done or self._task.cancelled() or self._task.exception() is not None:
            return None
        return DashboardRead(self._task.result(), self._now())


@asynccontextmanager
async def reading_dashboard(
    engine: SearchEngine, number: str, now: Callable[[], datetime], *, is_wanted: bool = True
) -> AsyncIterator[_Beside]:
    """Read the dashboard of a cluster beside what is done in the block, once; what is left of it then is given up."""
    task = asyncio.create_task(_dashboard(engine, number)) if is_wanted else None
    try:
        yield _Beside(task, now)
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


async def _dashboard(engine: SearchEngine, number: str) -> Dashboard:
    """Raises a Problem, which is the same here as no answer."""
    found = await engine.show_dashboard(number, tries=1)
    if found == Dashboard():
        raise Problem("The dashboard says nothing.")
    return Dashboard(*(_text(getattr(found, each.name)) for each in fields(Dashboard)))
