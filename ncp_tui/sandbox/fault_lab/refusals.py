"""The service's own ways to say no: nothing was started, and its envelope says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ncp_tui.sandbox.answers import Answer, Refusal, json_answer, refusal_answer
from ncp_tui.sandbox.fault_hooks import Act, Visit
from ncp_tui.sandbox.fault_lab.fault import LabFault, before, striking
from ncp_tui.sandbox.sandbox import Sandbox

# Long enough to be seen in the history also where snapshots take no time at all.
_SHORTEST_RUN_SECONDS = 20.0


def refusal_faults() -> Iterator[LabFault]:
    """All of this module."""
    yield before(
        "duplicate-name",
        "200 whose code says that the name is taken; nothing was started.",
        _no(Refusal.DUPLICATE_NAME),
    )
    yield LabFault(
        "busy",
        "400: another snapshot runs, and the history shows it; nothing was started.",
        "before",
        striking("before", _busy),
        aimable=False,
    )
    yield before(
        "refused", "400 whose code says that the cluster is not running; nothing was started.", _no(_NOT_RUNNING)
    )
    yield before("refused-200", "200 whose code is not zero; nothing was started.", _no(_NOT_RUNNING, status=200))
    for name, refusal, what in _KNOWN:
        says = f"{refusal.value[1]}, {what}; nothing was started."
        yield before(name, f"400 with code {says}", _no(refusal, status=400))
        yield before(f"{name}-200", f"200 with code {says}", _no(refusal, status=200))
    yield before("result-false", "200 whose result is false; nothing was started.", _false)


_KNOWN = (
    ("key-not-set", Refusal.AUTHENTICATION_KEY_NOT_SET, "the cluster has no key for Object Storage"),
    ("wrong-generation", Refusal.WRONG_GENERATION, "the cluster has another generation of servers"),
    ("no-recent-snapshot", Refusal.NO_RECENT_SNAPSHOT, "a recent snapshot is wanted first"),
)
_NOT_RUNNING = Refusal.CLUSTER_NOT_RUNNING


def _no(refusal: Refusal, status: int | None = None) -> Callable[[Sandbox], Act]:
    async def act(visit: Visit) -> Answer:
        return refusal_answer(refusal, visit.request_id, status)

    return lambda _sandbox: act


def _false(_sandbox: Sandbox) -> Act:
    async def act(visit: Visit) -> Answer:
        body = {"code": 0, "message": "SUCCESS", "result": False, "requestId": visit.request_id}
        return json_answer(200, body, code=0)

    return act


def _busy(sandbox: Sandbox) -> Act:
    world = sandbox.world

    async def act(visit: Visit) -> Answer:
        cluster = world.numbered(visit.number)
        if cluster and not any(run.is_running(world.now) for run in world.state(cluster).runs):
            world.start_elsewhere(cluster, max(world.duration, _SHORTEST_RUN_SECONDS))
        return refusal_answer(Refusal.SNAPSHOT_IN_PROGRESS, visit.request_id)

    return act
