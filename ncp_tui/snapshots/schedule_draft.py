"""The whole policy of a schedule before it is set or released: what forbids it, what was seen, what is to be confirmed.

Nothing is read or sent here. `view.schedule_change` has the sentences of what is to be confirmed, for both faces.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from ncp_tui.gateway.errors import ReadOnlyRefused
from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.models import Bucket
from ncp_tui.snapshots.draft import FRESH, Reason
from ncp_tui.snapshots.journal import JournalProblem
from ncp_tui.snapshots.journal_contents import DamagedJournal, DamageReport
from ncp_tui.snapshots.outcome import Caller
from ncp_tui.snapshots.preflight import Check, Preflight, Severity
from ncp_tui.snapshots.rules import check_bucket
from ncp_tui.snapshots.schedule_change import ChangeIntent, EarlierChange, ScheduleChange, SecondChange, earlier_change
from ncp_tui.snapshots.schedule_preflight import ScheduleEvidence, release_preflight, set_preflight
from ncp_tui.snapshots.schedule_rules import (
    InvalidSchedule,
    check_day,
    check_time,
    day_problem,
    schedule_name_problems,
    time_problem,
)


@dataclass(frozen=True)
class ChangeConfirmation:
    """What the user has to confirm before `change` is sent: the reasons in reading order, with their details."""

    change: ScheduleChange
    reasons: tuple[Reason, ...] = ()
    checks: tuple[Check, ...] = ()
    """The bad ones that no other reason tells of."""
    earlier: EarlierChange | None = None
    """A yes covers exactly this, in the state it is in now."""
    damage: DamagedJournal | None = None
    unwritten: JournalProblem | None = None
    profile: str = ""

    @property
    def typed(self) -> str | None:
        """The cluster's name, where only that confirms."""
        return self.change.cluster_name if Reason.PROTECTED in self.reasons else None

    @property
    def again(self) -> str | None:
        """The id of what a yes covers."""
        return self.earlier.id if self.earlier is not None else None


@dataclass(frozen=True)
class ScheduleDraft:
    """One set or release that is not sent yet, and what is known before it."""

    change: ScheduleChange
    caller: Caller
    protected: bool = False
    read_only: bool = False
    evidence: ScheduleEvidence | None = None
    """What was read before it; None where nothing was, or not yet."""
    again: str | None = None
    """The id of what the user has said yes to already."""
    met: SecondChange | DamagedJournal | None = None
    """What stopped it when it was to be sent: newer than what was read."""
    unwritten: JournalProblem | None = None
    """Why it cannot be written down, where that has been tried."""

    @property
    def name_problems(self) -> list[str]:
        """Everything wrong with its name, each as a short reason."""
        return schedule_name_problems(self.change.setting.name) if self.change.setting is not None else []

    @property
    def day_problem(self) -> str:
        """What is wrong with its day; empty where nothing is."""
        return day_problem(self.change.setting.day) if self.change.setting is not None else ""

    @property
    def time_problem(self) -> str:
        """What is wrong with its time; empty where nothing is."""
        return time_problem(self.change.setting.at) if self.change.setting is not None else ""

    @cached_property
    def bucket_problem(self) -> Problem | None:
        """Why its bucket cannot be set."""
        if self.change.setting is None:
            return None
        try:
            check_bucket(self.change.setting.bucket, self.buckets)
        except Problem as problem:
            return problem
        return None

    @property
    def buckets(self) -> Sequence[Bucket]:
        """The buckets that the service names for the cluster."""
        return self.evidence.base.buckets if self.evidence is not None else ()

    @cached_property
    def preflight(self) -> Preflight:
        """The checks; none where nothing was read."""
        if self.evidence is None:
            return Preflight(())
        request, stopped = self.change.request, _check_of(self.earlier, self.evidence)
        if self.change.setting is None:
            return release_preflight(request, self.evidence, stopped)
        day, at = self.change.setting.day, (-1, -1)
        with contextlib.suppress(InvalidSchedule):  # no other cluster runs then
            day, at = check_day(day), check_time(self.change.setting.at)
        return set_preflight(request, day, at, self.evidence, stopped)

    @property
    def problem(self) -> Problem | None:
        """What forbids it, whatever the user says: the first thing that is wrong."""
        try:
            _ = self.change.parameters
        except Problem as problem:
            return problem
        if self.read_only:
            return schedule_read_only(self.change)
        blocked = self.preflight.blocked
        return blocked.problem if blocked is not None else self.bucket_problem

    @cached_property
    def earlier(self) -> EarlierChange | None:
        """What stops it and has not been said yes to."""
        if isinstance(self.met, SecondChange) and isinstance(self.met.earlier, EarlierChange):
            found: EarlierChange | None = self.met.earlier
        elif self.evidence is None:
            found = None
        else:
            found = earlier_change(self.intent(), self.evidence.base.journal)
        return found if found is not None and found.id != self.again else None

    @property
    def damage(self) -> DamageReport | None:
        """The damage of the journal that has to be accepted first."""
        if isinstance(self.met, DamagedJournal):
            return self.met.report
        base = self.evidence.base if self.evidence is not None else None
        if base is None or base.damage is None:
            return None
        is_touched = any(base.damage.touches(key, base.journal) for key in self.intent().keys)
        return base.damage if is_touched else None

    @property
    def stop(self) -> SecondChange | DamagedJournal | None:
        """What stops it until the user says yes to exactly that."""
        if self.damage is not None:
            return DamagedJournal(self.damage, self.change.request, self.intent().lost)
        return SecondChange(self.earlier, self.change) if self.earlier is not None else None

    def intent(self, asked_at: datetime | None = None) -> ChangeIntent:
        """The guard of its entry in the journal."""
        return ChangeIntent(self.change, self.caller, self.evidence, self.again, asked_at)

    def is_old(self, now: datetime) -> bool:
        """Whether the checks say too little of how things are now, and have to be repeated."""
        return self.evidence is not None and now - self.evidence.read_at > FRESH

    def stopped_by(self, problem: Problem) -> ScheduleDraft:
        """The same draft with what stopped it when it was to be sent; any other problem changes nothing."""
        if isinstance(problem, SecondChange | DamagedJournal):
            return replace(self, met=problem)
        return replace(self, unwritten=problem) if isinstance(problem, JournalProblem) else self

    def confirmation(self, now: datetime) -> ChangeConfirmation:
        """What has to be confirmed before it is sent; without reasons a deliberate key is enough."""
        stop = self.stop
        if isinstance(stop, DamagedJournal):
            return ChangeConfirmation(self.change, (Reason.DAMAGE,), damage=stop)
        told = {"schedule", "earlier change"} if self.earlier is not None else set()
        bad = [each for each in self.preflight.checks if each.severity is Severity.BAD and each.subject not in told]
        found = {
            Reason.NOT_LOOKED: self.evidence is None,
            Reason.OLD: self.is_old(now),
            Reason.BAD_CHECKS: bool(bad),
            Reason.SECOND_REQUEST: self.earlier is not None,
            Reason.UNWRITTEN: self.unwritten is not None,
            Reason.PROTECTED: self.protected,
        }
        reasons = tuple(reason for reason, holds in found.items() if holds)
        return ChangeConfirmation(
            self.change, reasons, tuple(bad), self.earlier, unwritten=self.unwritten, profile=self.caller.profile
        )


def schedule_read_only(change: ScheduleChange) -> ReadOnlyRefused:
    """Why no schedule may be changed in read-only mode."""
    act = "set" if change.is_set else "release"
    return ReadOnlyRefused(
        f"Read-only mode: cannot {act} a schedule.", "Nothing was sent.", "", NextAction("read_only.leave")
    )


def _check_of(earlier: EarlierChange | None, evidence: ScheduleEvidence) -> Check | None:
    """The check of what the journal has; what the history says has a check of its own."""
    if earlier is None or earlier.source != "journal":
        return None
    return Check("earlier change", Severity.BAD, earlier.told, "Find out first.", evidence.read_at)
