"""Histories that are late, incomplete, out of order or unavailable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ncp_tui.sandbox.clusters import Cluster
from ncp_tui.sandbox.fault_lab.fault import HISTORY, Act, Doing, LabFault, Stage, Visit, applying, doing
from ncp_tui.sandbox.operations import history_page
from ncp_tui.sandbox.protocol import Answer, Fields, GatewayError, gateway_answer, read_page, read_query, success_answer
from ncp_tui.sandbox.world import SnapshotRun

# What is shown of a cluster's runs, which come newest first.
Shown = Callable[[Cluster, Sequence[SnapshotRun]], list[Fields]]


def history_faults() -> Iterator[LabFault]:
    """All of this module."""
    hides = "of the history do not show what is started from now on"
    yield _history("history-lags", f"Reads {hides}; later ones do. N counts the reads.", _showing(_without_new))
    yield _history("history-loses", f"All reads {hides}.", _showing(_without_new), usual_times=None)
    failed = gateway_answer(GatewayError.UNEXPECTED)
    yield _history("history-fails", "500/900 instead of the history. N counts the reads.", doing(failed))
    yield _history("history-reversed", "The history comes oldest first.", _showing(_oldest_first), usual_times=None)
    yield _history(
        "history-freezes", "A snapshot stays for ever as it was when first listed.", _showing(_frozen), usual_times=None
    )


def _history(name: str, description: str, make: Callable[[Stage], Doing], usual_times: int | None = 1) -> LabFault:
    set_up = applying("after", make)
    return LabFault(name, description, None, set_up, operation=HISTORY, usual_times=usual_times, fixed=True)


def _showing(choose: Callable[[Stage], Shown]) -> Callable[[Stage], Act]:
    """The requested page of another history than the true one; refusals stay as they are."""

    def make(sandbox: Stage) -> Act:
        shown = choose(sandbox)

        async def act(visit: Visit) -> Answer | None:
            cluster = sandbox.world.numbered(visit.number)
            if cluster is None or visit.coming.code != 0:
                return None
            page = read_page(read_query(visit.target.partition("?")[2].encode()))
            rows = shown(cluster, sandbox.world.state(cluster).runs[::-1])
            return success_answer(history_page(page, rows), visit.request_id)

        return act

    return make


def _without_new(sandbox: Stage) -> Shown:
    world, known = sandbox.world, sandbox.world.recent_runs()

    def shown(cluster: Cluster, runs: Sequence[SnapshotRun]) -> list[Fields]:
        old = [run for run in runs if run.started < world.start or run.idx in known]
        return [run.row(cluster, world.now) for run in old]

    return shown


def _oldest_first(sandbox: Stage) -> Shown:
    return lambda cluster, runs: [run.row(cluster, sandbox.world.now) for run in reversed(runs)]


def _frozen(sandbox: Stage) -> Shown:
    first_seen: dict[int, float] = {}

    def shown(cluster: Cluster, runs: Sequence[SnapshotRun]) -> list[Fields]:
        now = sandbox.world.now
        return [run.row(cluster, first_seen.setdefault(run.idx, now)) for run in runs]

    return shown
