"""The whole policy of a create before it is sent: what forbids it, what was seen, and what the user has to confirm.

Nothing is read or sent here. The rules of names, buckets, checks and earlier requests are their modules'; `view.create`
has the sentences of what is to be confirmed, for both faces.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

from ncp_tui.gateway.errors import ReadOnlyRefused
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Bucket
from ncp_tui.snapshots.earlier_requests import Earlier, SecondRequest
from ncp_tui.snapshots.journal import JournalProblem
from ncp_tui.snapshots.journal_contents import DamagedJournal, DamageReport
from ncp_tui.snapshots.outcome import Caller, SnapshotRequest
from ncp_tui.snapshots.preflight import Check, Preflight, PreflightEvidence, Severity, preflight
from ncp_tui.snapshots.rules import (
    DEFAULT_TEMPLATE,
    InvalidTemplate,
    check_bucket,
    check_name,
    name_problems,
    render_name,
    suggest_name,
    zone_of_template,
)

FRESH: Final = timedelta(minutes=2)
"""How old the preflight checks may be when a create is sent; a form or a question left open over lunch is older."""


class Reason(StrEnum):
    """Why a create has to be confirmed."""

    DAMAGE = "damage"
    """The journal is damaged where it may have held the same create. A yes accepts that, and sends nothing."""
    NOT_LOOKED = "not_looked"
    """Nothing of the cluster is known yet."""
    OLD = "old"
    OLDER_ROWS = "older_rows"
    """The history has older rows than those that were read."""
    BAD_CHECKS = "bad_checks"
    SECOND_REQUEST = "second_request"
    UNWRITTEN = "unwritten"
    """The journal does not take it."""
    PROTECTED = "protected"
    """The cluster's name has to be typed."""


@dataclass(frozen=True)
class Confirmation:
    """What the user has to confirm before `request` is sent: the reasons in reading order, with their details."""

    request: SnapshotRequest
    reasons: tuple[Reason, ...] = ()
    checks: tuple[Check, ...] = ()
    """The bad ones."""
    earlier: Earlier | None = None
    """A yes covers this earlier request, in the state it is in now, and no other."""
    damage: DamagedJournal | None = None
    unwritten: JournalProblem | None = None
    profile: str = ""

    @property
    def typed(self) -> str | None:
        """The cluster's name, where only that confirms."""
        return self.request.cluster_name if Reason.PROTECTED in self.reasons else None

    @property
    def again(self) -> str | None:
        """The id of the earlier request that a yes covers."""
        return self.earlier.id if self.earlier is not None else None


@dataclass(frozen=True)
class SnapshotDraft:
    """One create that is not sent yet, and what is known before it."""

    request: SnapshotRequest
    caller: Caller
    protected: bool = False
    read_only: bool = False
    evidence: PreflightEvidence | None = None
    """What was read before it; None where nothing was, or not yet."""
    again: str | None = None
    """The id of the earlier request that the user has said yes to already."""
    met: SecondRequest | DamagedJournal | None = None
    """What stopped it when it was to be sent: newer than what was read."""
    unwritten: JournalProblem | None = None
    """Why it cannot be written down, where that has been tried."""

    @property
    def name_problems(self) -> list[str]:
        """Everything wrong with its name, each as a short reason."""
        return name_problems(self.request.name)

    @cached_property
    def bucket_problem(self) -> Problem | None:
        """Why its bucket cannot take it."""
        try:
            check_bucket(self.request.bucket, self.buckets)
        except Problem as problem:
            return problem
        return None

    @property
    def buckets(self) -> Sequence[Bucket]:
        """The buckets that the service names for the cluster."""
        return self.evidence.buckets if self.evidence is not None else ()

    @cached_property
    def preflight(self) -> Preflight:
        """The checks; none where nothing was read."""
        return Preflight(()) if self.evidence is None else preflight(self.request, self.evidence, self.caller.gateway)

    @property
    def problem(self) -> Problem | None:
        """What forbids it, whatever the user says: the first thing that is wrong."""
        try:
            check_name(self.request.name)
        except Problem as problem:
            return problem
        if self.read_only:
            return read_only_refused()
        blocked = self.preflight.blocked
        return blocked.problem if blocked is not None else self.bucket_problem

    @property
    def earlier(self) -> Earlier | None:
        """The earlier request for the same snapshot that has not been said yes to."""
        found = self.met.earlier if isinstance(self.met, SecondRequest) else self.preflight.earlier
        return found if found is not None and found.id != self.again else None

    @property
    def damage(self) -> DamageReport | None:
        """The damage of the journal that has to be accepted first."""
        return self.met.report if isinstance(self.met, DamagedJournal) else self.preflight.damage

    @property
    def stop(self) -> SecondRequest | DamagedJournal | None:
        """What stops it until the user says yes to exactly that."""
        if self.damage is not None:
            return DamagedJournal(self.damage, self.request)
        return SecondRequest(self.earlier, self.request) if self.earlier is not None else None

    def is_old(self, now: datetime) -> bool:
        """Whether the checks say too little of how things are now, and have to be repeated."""
        return self.evidence is not None and now - self.evidence.cluster_read.at > FRESH

    def stopped_by(self, problem: Problem) -> SnapshotDraft:
        """The same draft with what stopped it when it was to be sent; any other problem changes nothing."""
        if isinstance(problem, SecondRequest | DamagedJournal):
            return replace(self, met=problem)
        return replace(self, unwritten=problem) if isinstance(problem, JournalProblem) else self

    def confirmation(self, now: datetime) -> Confirmation:
        """What has to be confirmed before it is sent; without reasons a deliberate key is enough."""
        if self.damage is not None:
            return Confirmation(self.request, (Reason.DAMAGE,), damage=DamagedJournal(self.damage, self.request))
        bad = [check for check in self.preflight.checks if check.severity is Severity.BAD]
        found = {
            Reason.NOT_LOOKED: self.evidence is None,
            Reason.OLD: self.is_old(now),
            Reason.OLDER_ROWS: self.evidence is not None and self.evidence.has_older,
            Reason.BAD_CHECKS: bool(bad),
            Reason.SECOND_REQUEST: self.earlier is not None,
            Reason.UNWRITTEN: self.unwritten is not None,
            Reason.PROTECTED: self.protected,
        }
        reasons = tuple(reason for reason, holds in found.items() if holds)
        return Confirmation(
            self.request, reasons, tuple(bad), self.earlier, unwritten=self.unwritten, profile=self.caller.profile
        )


def read_only_refused() -> ReadOnlyRefused:
    """Why no snapshot may be created in read-only mode."""
    return ReadOnlyRefused(
        "Read-only mode: cannot create a snapshot.", "Nothing was sent.", "", NextAction("read_only.leave")
    )


@dataclass(frozen=True)
class ProposedName:
    """A name made from a template; a valid one close to the cluster's where the template cannot be used."""

    name: str
    zone: str = ""
    """Of its date and time; empty where the template cannot be used."""
    problem: InvalidTemplate | None = None
    """Why it cannot."""


def propose_name(cluster: str, profile: Profile | None, now: datetime, template: str | None = None) -> ProposedName:
    """A name for a snapshot of `cluster`, from `template`, else the profile's, else the usual one."""
    template = template or (profile.name_template if profile is not None else None) or DEFAULT_TEMPLATE
    name, region = (profile.name, profile.region) if profile is not None else ("", "")
    problem: InvalidTemplate | None = None
    rendered, zone = suggest_name(cluster), ""
    with contextlib.suppress(InvalidTemplate):
        zone = zone_of_template(template)
    try:
        rendered = render_name(template, cluster=cluster, profile=name, region=region, now=now)
    except InvalidTemplate as invalid:
        problem = invalid
    return ProposedName(rendered, zone, problem)
