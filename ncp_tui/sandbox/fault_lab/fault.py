"""What one fault of the lab is: named, described, aimed at an operation, and installed in a sandbox."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from ncp_tui.sandbox.answers import Answer
from ncp_tui.sandbox.fault_hooks import ANY, Act, Cut, HowCut, When
from ncp_tui.sandbox.sandbox import Sandbox

CREATE = "createSnapshot"
HISTORY = "getSnapshotHistory"

Effect = Literal["before", "after"]

# What a fault may be aimed at, in the words of the command line.
TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "create": CREATE,
        "history": HISTORY,
        "clusters": "getClusterInfoList",
        "cluster": "getClusterInfo",
        "buckets": "getBucketList",
        "any": ANY,
    }
)
_MAY_CREATE = frozenset({CREATE, ANY})


@dataclass(frozen=True)
class LabFault:
    """One fault.

    `operation` is what it strikes, `*` for anything. `effect` tells a create that it strikes: `before`, nothing was
    started and nothing will be; `after`, the snapshot was started, or will be when the client has gone; None, it
    strikes no create. `usual_times` is how often it strikes when nobody says (None: always). One that is not `aimable`
    makes sense for its own operation alone.
    """

    name: str
    description: str
    effect: Effect | None
    set_up: Callable[[LabFault, Sandbox, int | None], None] = field(repr=False)
    operation: str = CREATE
    usual_times: int | None = 1
    aimable: bool = True

    @property
    def aim(self) -> str:
        """What it strikes, as one word of `TARGETS`."""
        return next(word for word, operation in TARGETS.items() if operation == self.operation)

    def install(self, sandbox: Sandbox, times: int | None = 1) -> None:
        """Have it strike the next `times` requests (None: all of them). Raises ValueError for less than one."""
        if times is not None and times < 1:
            raise ValueError("a fault strikes once or more often")
        self.set_up(self, sandbox, times)

    def at(self, target: str) -> LabFault:
        """The same, aimed at another of `TARGETS`. Raises KeyError for a word that is none."""
        operation = TARGETS[target]
        effect = self.effect if operation in _MAY_CREATE else None
        return dataclasses.replace(self, name=f"{self.name}@{target}", operation=operation, effect=effect)


Doing = Act | Answer | Cut | HowCut | Literal["late"]
SetUp = Callable[[LabFault, Sandbox, int | None], None]


def striking(when: When, make: Callable[[Sandbox], Doing]) -> SetUp:
    """Set up one fault of the seam; `make` is asked once for each installation."""

    def set_up(fault: LabFault, sandbox: Sandbox, times: int | None) -> None:
        sandbox.faults.add(fault.operation, when, make(sandbox), times, label=fault.name)

    return set_up


def doing(what: Doing) -> Callable[[Sandbox], Doing]:
    """The same in every sandbox."""
    return lambda _sandbox: what


def before(name: str, description: str, make: Callable[[Sandbox], Doing]) -> LabFault:
    """One that strikes when nothing has happened, and keeps it so."""
    return LabFault(name, description, "before", striking("before", make))


def after(name: str, description: str, make: Callable[[Sandbox], Doing]) -> LabFault:
    """One that strikes when the operation is done."""
    return LabFault(name, description, "after", striking("after", make))


def both(name: str, what: str, make: Callable[[Sandbox], Doing]) -> Iterator[LabFault]:
    """Two that look the same to the client: `name-before` and `name-after`."""
    yield before(f"{name}-before", f"{what}; nothing was started.", make)
    yield after(f"{name}-after", f"{what}; the snapshot was started.", make)
