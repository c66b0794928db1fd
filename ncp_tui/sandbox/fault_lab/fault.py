"""What a fault is: what may happen to a request before its effect, after it, or to the answer on its way out.

`Faults` is the seam in the gateway where a fault waits for its request. A `LabFault` is one that has a name and a
description, may apply to another operation, and installs itself there.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

from ncp_tui.sandbox.handshakes import Handshakes
from ncp_tui.sandbox.protocol import Answer, json_answer
from ncp_tui.sandbox.world import World

ANY = "*"

When = Literal["before", "after", "answer"]
HowCut = Literal["drop", "reset", "hang"]


@dataclass(frozen=True)
class Cut:
    """No answer, or not a whole one.

    The bytes of `first` go out as they are, `pause` seconds apart, headers and all. Then the connection is closed
    (`drop`), closed with a reset so that the client's read fails (`reset`), or kept open in silence until the client
    goes away (`hang`). For a fault that applies more than once `first` must not be an iterator.
    """

    how: HowCut
    first: Iterable[bytes] = ()
    pause: float = 0.0


Outcome = Answer | Cut


@dataclass(frozen=True)
class Visit:
    """What an act may read.

    The operation (None where there is no route), the request's target and body, and at `after` and `answer` the answer
    that is about to be sent. `gone` waits until the client has closed the connection. `number` is the cluster's, as it
    stands at the path's end; empty for an operation without one.
    """

    operation: str | None
    target: str
    body: bytes = field(repr=False)
    answer: Answer | None
    gone: Callable[[], Awaitable[None]]
    number: str = ""
    request_id: str = ""

    @property
    def coming(self) -> Answer:
        """The answer that is about to be sent. Raises LookupError at `before`, where there is none."""
        if self.answer is None:
            raise LookupError("nothing has been answered yet")
        return self.answer


Act = Callable[[Visit], Awaitable[Outcome | None]]


@dataclass
class Fault:
    """One fault that waits for its request. `reached` is set each time it applies, before it acts."""

    operation: str
    when: When
    act: Act
    label: str
    times: int | None = 1
    reached: threading.Event = field(default_factory=threading.Event)

    def applies_to(self, operation: str | None, when: When) -> bool:
        """Whether this fault applies now."""
        return self.when == when and self.operation in {ANY, operation} and self.times != 0


@dataclass
class Skew:
    """A gateway's clock that is `seconds` ahead (behind, when negative) for the requests it applies to.

    It judges their signatures and dates their answers. The world behind the gateway keeps its own time.
    """

    operation: str
    seconds: float
    label: str
    times: int | None = None

    def applies_to(self, operation: str | None) -> bool:
        """Whether this skew applies now."""
        return self.operation in {ANY, operation} and self.times != 0


class Faults:
    """Faults in the order in which they were added; at each point only the first that fits applies."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.skews: list[Skew] = []

    def add(
        self,
        operation: str = ANY,
        when: When = "before",
        act: Act | Outcome | HowCut | Literal["late"] | tuple[int, Any] = "drop",
        times: int | None = 1,
        label: str | None = None,
    ) -> Fault:
        """Plan a fault for the next `times` requests of an operation (`times` None: for all; operation `*`: for any).

        `when` is `before` (authenticated, nothing has happened), `after` (it has happened, unless it was refused) or
        `answer` (any answer, refusals of the gateway among them). `act` is one of

        - `drop`, `reset`, `hang`, or a `Cut` with bytes of its own: see there;
        - `late`: wait until the client has gone away, then continue, so that the effect comes too late for the answer;
        - an `Answer`, or a status and a body (text, bytes, or anything for JSON), instead of what would have come;
        - a coroutine function from `Visit` to one of these two, or to None, to continue as usual.

        `label` is what the ledger calls it; without one, `when` and `act` in short.
        """
        fault = Fault(operation, when, _act(act), label or f"{when}:{_label(act)}", times)
        self.waiting.append(fault)
        return fault

    def skew(self, seconds: float, operation: str = ANY, times: int | None = None, label: str = "skew") -> None:
        """Put the gateway's clock off by `seconds` for the next `times` requests (None: for all)."""
        self.skews.append(Skew(operation, seconds, label, times))

    def clear(self) -> None:
        """Forget the faults that have not applied yet."""
        self.waiting.clear()
        self.skews.clear()

    def take(self, operation: str | None, when: When) -> Fault | None:
        """The fault that applies now, with one of its times used up."""
        for fault in self.waiting:
            if fault.applies_to(operation, when):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def take_skew(self, operation: str | None) -> Skew | None:
        """The skew of this request, with one of its times used up."""
        for skew in self.skews:
            if skew.applies_to(operation):
                if skew.times is not None:
                    skew.times -= 1
                return skew
        return None


def _act(act: Any) -> Act:
    if act == "late":
        return _late
    if isinstance(act, str):
        return _constantly(Cut(_how(act)))
    if isinstance(act, tuple):
        return _constantly(_plain_answer(*act))
    if isinstance(act, Answer | Cut):
        return _constantly(act)
    if not callable(act):
        raise TypeError(f"{act!r} is not an act of a fault")
    return act  # type: ignore[no-any-return]  # what a callable returns shows when it applies


def _how(name: str) -> HowCut:
    hows: dict[str, HowCut] = {"drop": "drop", "reset": "reset", "hang": "hang"}
    if name not in hows:
        raise ValueError(f"a fault is drop, reset, hang or late, not {name!r}")
    return hows[name]


def _constantly(outcome: Outcome) -> Act:
    async def act(_visit: Visit) -> Outcome:
        return outcome

    return act


async def _late(visit: Visit) -> None:
    await visit.gone()


def _plain_answer(status: int, body: Any) -> Answer:
    if isinstance(body, str):
        body = body.encode()
    if isinstance(body, bytes):
        return Answer(status, body, {"content-type": "text/plain;charset=UTF-8"})
    return json_answer(status, body)


def _label(act: Any) -> str:
    if isinstance(act, str):
        return act
    if isinstance(act, tuple):
        return str(act[0])
    if isinstance(act, Answer):
        return str(act.status)
    return act.how if isinstance(act, Cut) else getattr(act, "__name__", type(act).__name__)


CREATE = "createSnapshot"
HISTORY = "getSnapshotHistory"
SET_SCHEDULE = "setSnapshotScheduling"

Effect = Literal["before", "after"]


class Stage(Protocol):
    """What a fault of the lab reaches of a sandbox."""

    @property
    def faults(self) -> Faults:
        """Where it waits for its request."""

    @property
    def handshakes(self) -> Handshakes:
        """How connections are met."""

    @property
    def world(self) -> World:
        """What is behind the gateway, and its clock."""


# What a fault may apply to, in the words of the command line.
TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "create": CREATE,
        "history": HISTORY,
        "clusters": "getClusterInfoList",
        "cluster": "getClusterInfo",
        "buckets": "getBucketList",
        "pre-check": "rollingUpgradePreCheck",
        "versions": "getSearchEngineVersionList",
        "dashboard": "getDashboardInformation",
        "set-schedule": SET_SCHEDULE,
        "release-schedule": "releaseSnapshotScheduling",
        "schedule-history": "getSnapshotSchedulingHistory",
        "set-key": "updateAPIAuthenticationKey",
        "any": ANY,
    }
)
_MAY_CREATE = frozenset({CREATE, ANY})


@dataclass(frozen=True)
class LabFault:
    """One fault.

    `operation` is what it applies to, `*` for anything. `effect` says what that means for a create: `before`, nothing
    was started and nothing will be; `after`, the snapshot was started, or will be when the client has gone; None, it
    applies to no create. `usual_times` is to how many requests it applies by default (None: all). One whose target is
    `fixed` makes sense for its own operation alone.
    """

    name: str
    description: str
    effect: Effect | None
    set_up: Callable[[LabFault, Stage, int | None], None] = field(repr=False)
    operation: str = CREATE
    usual_times: int | None = 1
    fixed: bool = False

    @property
    def target(self) -> str:
        """What it applies to, as one word of `TARGETS`."""
        return next(word for word, operation in TARGETS.items() if operation == self.operation)

    def install(self, sandbox: Stage, times: int | None = 1) -> None:
        """Plan it for the next `times` requests (None: all of them). Raises ValueError for less than one."""
        if times is not None and times < 1:
            raise ValueError("a fault applies to one request or more")
        self.set_up(self, sandbox, times)

    def at(self, target: str) -> LabFault:
        """The same for another of `TARGETS`. Raises KeyError for a word that is none."""
        operation = TARGETS[target]
        effect = self.effect if operation in _MAY_CREATE else None
        return dataclasses.replace(self, name=f"{self.name}@{target}", operation=operation, effect=effect)


Doing = Act | Answer | Cut | HowCut | Literal["late"]
SetUp = Callable[[LabFault, Stage, int | None], None]


def applying(when: When, make: Callable[[Stage], Doing]) -> SetUp:
    """Set up one fault of the seam; `make` is called once for each installation."""

    def set_up(fault: LabFault, sandbox: Stage, times: int | None) -> None:
        sandbox.faults.add(fault.operation, when, make(sandbox), times, label=fault.name)

    return set_up


def doing(what: Doing) -> Callable[[Stage], Doing]:
    """The same in every sandbox."""
    return lambda _sandbox: what


def before(name: str, description: str, make: Callable[[Stage], Doing]) -> LabFault:
    """One that applies when nothing has happened, and keeps it so."""
    return LabFault(name, description, "before", applying("before", make))


def after(name: str, description: str, make: Callable[[Stage], Doing]) -> LabFault:
    """One that applies when the operation is done."""
    return LabFault(name, description, "after", applying("after", make))


def both(name: str, what: str, make: Callable[[Stage], Doing]) -> Iterator[LabFault]:
    """Two that look the same to the client: `name-before` and `name-after`."""
    yield before(f"{name}-before", f"{what}; nothing was started.", make)
    yield after(f"{name}-after", f"{what}; the snapshot was started.", make)
