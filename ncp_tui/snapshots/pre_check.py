"""Asking NCP itself whether an upgrade may begin: one request that counts as one with an effect.

Nothing documents that it changes anything, and nothing that it does not. So it is written down, sent once and never
repeated by itself; no read tells of it, and a lost answer stays unknown until somebody asks again on purpose.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ncp_tui.gateway.classify import payload_of
from ncp_tui.gateway.endpoints import may_reach_same_clusters
from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.search_engine.operations import UPGRADE_PRE_CHECK
from ncp_tui.snapshots.earlier_requests import Earlier, EarlierState, SecondRequest
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.journal_file import Key
from ncp_tui.snapshots.operations import OperationRequest, OperationResult, send_operation
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ncp_tui.gateway.exchange import Exchange
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.session_log.log import SessionLog
    from ncp_tui.snapshots.journal import Journal

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_LONGEST_MESSAGE: Final = 4_000


class InvalidTarget(Problem):
    """A version code or a region number that NCP cannot mean; nothing was sent."""

    kind = "invalid_target"


def pre_check_of(cluster: Cluster, target: str, region_no: str | None = None) -> OperationRequest:
    """The request whether `cluster` can be upgraded to the version with the code `target`. Raises InvalidTarget.

    `region_no` is NCP's number of the region, which some of its pages require and others do not know.
    """
    _check("The version code", target, "A version code is letters and digits, as 2180; the versions on offer have one.")
    parameters = {"targetVersionCode": target}
    if region_no is not None:
        _check("The region number", region_no, "NCP's number of the region is letters and digits, as 1.")
        parameters = {"regionNo": region_no, **parameters}
    return OperationRequest(UPGRADE_PRE_CHECK, cluster.number, cluster.name, parameters)


def intent_of(request: OperationRequest, caller: Caller, again: str | None = None) -> PreCheckIntent:
    """What stops `request`, unless it is the earlier one `again`."""
    return PreCheckIntent(SnapshotRequest(request.cluster_number, request.cluster_name, "", ""), caller, again)


def _check(what: str, value: str, rule: str) -> None:
    if not _CODE.fullmatch(value):
        raise InvalidTarget(f"{what} {clean(value)!r} is not valid.", "Nothing was sent.", rule)


class SecondPreCheck(SecondRequest):
    """An earlier pre-check of the same cluster, whose answer is not known, stops this one. Nothing was sent."""

    def __init__(self, earlier: Earlier, request: SnapshotRequest) -> None:
        is_held = earlier.state is EarlierState.UNDER_WAY
        state = "is being sent at this moment, here or in another ncp-tui" if is_held else "has no known answer"
        at = f" of {earlier.at:%Y-%m-%d %H:%M:%S} {earlier.at.tzname() or ''}".rstrip() if earlier.at else ""
        Problem.__init__(
            self,
            f"NCP was asked before about an upgrade of {request.cluster}: the request{at} {state}.",
            "Nothing was sent: that the check changes nothing is documented nowhere.",
            "",
            NextAction("snapshot.again", {"id": earlier.id}),
        )
        self.earlier = earlier


@dataclass(frozen=True)
class PreCheckIntent:
    """A pre-check that somebody wants to send; looked up again where it is written down."""

    request: SnapshotRequest
    """The cluster alone."""
    caller: Caller
    again: str | None = None
    """The id of the earlier one that the user has said yes to."""
    lost: str = "a pre-check of an upgrade"
    """What damage of the journal may have held."""

    @property
    def keys(self) -> Sequence[Key]:
        """What the earlier requests are about that may stop it: a check of any version of this cluster."""
        return ((self.request.cluster_number, UPGRADE_PRE_CHECK),)

    def check(self, entries: Sequence[JournalEntry], is_held: Callable[[JournalEntry], bool] = lambda _: False) -> None:
        """Raise SecondPreCheck where one without a known answer stops it, and the user did not say yes to exactly it.

        `is_held` says whether a program has an unresolved entry.
        """
        gateway = self.caller.gateway
        found = [
            (entry, EarlierState.UNDER_WAY if has_one else EarlierState.UNKNOWN)
            for entry in entries
            if entry.is_open and entry.key in self.keys and may_reach_same_clusters(entry.caller.gateway, gateway)
            if (has_one := is_held(entry)) or entry.outcome is Outcome.UNKNOWN
        ]
        if not found:
            return
        told = ";".join(sorted(f"{entry.id} {state}" for entry, state in found))
        key = hashlib.sha256(f"{UPGRADE_PRE_CHECK} {self.request.cluster_number} {told}".encode()).hexdigest()[:12]
        newest, state = found[-1]
        if key != self.again:
            raise SecondPreCheck(Earlier(key, "journal", state, newest.at), self.request)


@dataclass(frozen=True)
class PreCheck:
    """What came of asking."""

    result: OperationResult
    message: str = ""
    """NCP's own words, whatever they say; empty where none came."""

    @property
    def outcome(self) -> Outcome:
        """Accepted is a yes of NCP, refused a no; what is unknown is neither."""
        return self.result.sent.outcome

    @property
    def target(self) -> str:
        """The code of the version that was asked about."""
        return str(self.result.request.parameters["targetVersionCode"])


async def ask_ncp(
    engine: SearchEngine, request: OperationRequest, guard: PreCheckIntent, *, journal: Journal, log: SessionLog
) -> PreCheck:
    """Send `request`, once, as the caller of `guard`.

    Raises SecondPreCheck, DamagedJournal and JournalProblem before anything is sent; any failure after that is an
    outcome.
    """
    cluster = request.cluster_name or request.cluster_number
    with log.action(f"pre-check an upgrade of {cluster} to {request.parameters['targetVersionCode']}") as action:
        result = await send_operation(engine, request, caller=guard.caller, journal=journal, guard=guard)
        asked = PreCheck(
            result, _message_of(action.exchanges) or (result.sent.error.message if result.sent.error else "")
        )
        action.outcome, action.failed = f"pre-check: {asked.outcome.value}", asked.outcome is not Outcome.ACCEPTED
    return asked


def _message_of(exchanges: Iterable[Exchange]) -> str:
    """The message of the newest answer, as it came and inert."""
    answers = [each.answer for each in exchanges if each.operation == UPGRADE_PRE_CHECK and each.answer is not None]
    payload = payload_of(answers[-1]) if answers else None
    message = payload.get("message") if isinstance(payload, Mapping) else None
    return clean(message[:_LONGEST_MESSAGE]) if isinstance(message, str) else ""
