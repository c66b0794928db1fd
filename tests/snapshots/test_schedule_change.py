"""Setting and releasing a schedule: stopped by what may be the same, sent once, resolved by the schedule history."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.problem import Problem
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.operations import RELEASE_SCHEDULE, SET_SCHEDULE
from ncp_tui.snapshots.draft import Reason
from ncp_tui.snapshots.earlier_requests import EarlierState
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.operations import OperationResult
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.preflight import Severity
from ncp_tui.snapshots.schedule_change import (
    ChangeIntent,
    ScheduleChange,
    SecondChange,
    Setting,
    change_of,
    change_schedule,
)
from ncp_tui.snapshots.schedule_draft import ScheduleDraft
from ncp_tui.snapshots.schedule_preflight import NothingToRelease, read_schedule_evidence
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import CALLER, journal_in

NIGHTLY = Setting("nightly", "bk.ses.snapshot", "Everyday", "03:15")
SET = ScheduleChange("1037002", "search-0002", NIGHTLY)
RELEASE = ScheduleChange("1037002", "search-0002")
HAS_ONE = ScheduleChange("1037001", "search-0001", NIGHTLY)


@pytest.fixture
async def engine(served: RunningSandbox) -> AsyncIterator[SearchEngine]:
    async with contextlib.aclosing(engine_of(served)) as engine:
        yield engine


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return journal_in(tmp_path)


async def drafted(engine: SearchEngine, change: ScheduleChange, journal: Journal, **options: Any) -> ScheduleDraft:
    (cluster,) = await engine.list_clusters(name_part=change.cluster_name)
    evidence = await read_schedule_evidence(engine, cluster, journal)
    return ScheduleDraft(change, CALLER, evidence=evidence, **options)


async def send(
    engine: SearchEngine, change: ScheduleChange, journal: Journal, again: str | None = None
) -> OperationResult:
    draft = await drafted(engine, change, journal, again=again)
    return await change_schedule(engine, draft.intent(), journal=journal, resolve_seconds=0.2)


def changes(served: RunningSandbox) -> list[str | None]:
    names = {SET_SCHEDULE, RELEASE_SCHEDULE}
    return [entry.operation for entry in served.sandbox.ledger.requests if entry.operation in names]


async def test_set_and_release_are_two_steps(served: RunningSandbox, engine: SearchEngine, journal: Journal) -> None:
    assert (await send(engine, SET, journal)).sent.outcome is Outcome.ACCEPTED
    with pytest.raises(SecondChange) as raised:
        await send(engine, SET, journal)
    assert raised.value.earlier.state is EarlierState.IN_FORCE
    assert "exactly this schedule" in raised.value.what
    assert (await send(engine, RELEASE, journal)).sent.outcome is Outcome.ACCEPTED
    with pytest.raises(SecondChange, match="is released already"):
        await send(engine, RELEASE, journal)
    assert changes(served) == [SET_SCHEDULE, RELEASE_SCHEDULE]


async def test_a_yes_covers_exactly_what_is_in_force(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    draft = await drafted(engine, HAS_ONE, journal)
    assert draft.earlier is not None
    assert draft.confirmation(datetime.now(UTC)).again == draft.earlier.id
    with pytest.raises(SecondChange):
        await send(engine, HAS_ONE, journal, again="0123456789ab")
    assert (await send(engine, HAS_ONE, journal, again=draft.earlier.id)).sent.outcome is Outcome.ACCEPTED
    with pytest.raises(SecondChange):  # the yes was for the one that is replaced
        await send(engine, HAS_ONE, journal, again=draft.earlier.id)
    assert changes(served) == [SET_SCHEDULE]


@pytest.mark.parametrize("change", [SET, RELEASE])
async def test_an_unresolved_change_stops_the_next(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, change: ScheduleChange
) -> None:
    if not change.is_set:
        await send(engine, SET, journal)
    served.sandbox.faults.add(change.operation, "before", "drop")
    assert (await send(engine, change, journal)).sent.outcome is Outcome.UNKNOWN
    met = list[SecondChange]()
    for second in (SET, RELEASE):
        with pytest.raises(SecondChange) as raised:
            await send(engine, second, journal)
        met.append(raised.value)
    assert [(each.earlier.source, each.earlier.state) for each in met] == [("journal", EarlierState.UNKNOWN)] * 2
    assert (await send(engine, RELEASE, journal, again=met[1].earlier.id)).sent.outcome is not Outcome.NOT_SENT
    assert len(changes(served)) == 2 + (not change.is_set)


@pytest.mark.parametrize("change", [SET, RELEASE])
async def test_a_lost_answer_is_resolved_by_the_history(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, change: ScheduleChange
) -> None:
    if not change.is_set:
        await send(engine, SET, journal)
    served.sandbox.faults.add(change.operation, "after", "drop")
    result = await send(engine, change, journal)
    assert (result.sent.outcome, result.sent.attempts) == (Outcome.ACCEPTED, 1)
    assert result.sent.resolution is not None
    assert not any(entry.is_open for entry in journal.entries())


async def test_a_change_that_was_accepted_and_is_not_shown_yet_is_not_made_again(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """A history that lags behind does not have the next command set, or release, the same once more."""
    unset = await drafted(engine, SET, journal)
    await send(engine, SET, journal)
    after_set = await drafted(engine, RELEASE, journal)
    lagging = seen_with(unset, after_set)
    assert lagging.earlier is not None
    assert (lagging.earlier.source, lagging.earlier.state) == ("journal", EarlierState.ACCEPTED)
    assert "was accepted, and the schedule history does not show it yet" in lagging.earlier.words
    assert replace(lagging, change=RELEASE).problem is None, "it may be set"
    await send(engine, RELEASE, journal)
    lagging = seen_with(after_set, await drafted(engine, RELEASE, journal))
    assert lagging.earlier is not None
    assert lagging.earlier.state is EarlierState.ACCEPTED
    again = replace(lagging, change=SET).earlier
    assert again is not None
    assert "is in force, says its history, which does not show yet that it was released" in again.words
    assert changes(served) == [SET_SCHEDULE, RELEASE_SCHEDULE]


def seen_with(before: ScheduleDraft, now: ScheduleDraft) -> ScheduleDraft:
    """What is known now, and a schedule history as it was before."""
    assert before.evidence is not None
    assert now.evidence is not None
    return replace(before, evidence=replace(before.evidence, base=now.evidence.base))


async def test_what_was_never_set_is_not_released(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    assert isinstance((await drafted(engine, RELEASE, journal)).problem, NothingToRelease)
    assert changes(served) == []


async def test_a_history_that_cannot_be_read_stops_a_set(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """A schedule that nobody can see may be in force."""
    served.sandbox.faults.add("getSnapshotSchedulingHistory", "before", "drop", times=None)
    draft = await drafted(engine, SET, journal)
    assert draft.earlier is not None
    assert draft.earlier.state is EarlierState.UNKNOWN
    unknown = [check.subject for check in draft.preflight.doubts]
    assert {"schedule", "other clusters"} <= set(unknown)


@pytest.mark.parametrize(
    "setting",
    [
        Setting("Nightly", "bk.ses.snapshot", "Everyday", "03:15"),
        Setting("nightly", "", "Everyday", "03:15"),
        Setting("nightly", "bk.ses.snapshot", "Daily", "03:15"),
        Setting("nightly", "bk.ses.snapshot", "Everyday", "03:10"),
    ],
)
async def test_bad_input_is_refused_before_anything_is_sent(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, setting: Setting
) -> None:
    change = ScheduleChange("1037002", "search-0002", setting)
    assert ScheduleDraft(change, CALLER).problem is not None
    with pytest.raises(Problem):
        await change_schedule(engine, ChangeIntent(change, CALLER), journal=journal)
    assert list(served.sandbox.ledger.requests) == []
    assert not journal.path.exists()


async def test_what_has_to_be_confirmed(engine: SearchEngine, journal: Journal) -> None:
    now = datetime.now(UTC)
    draft = await drafted(engine, HAS_ONE, journal, protected=True)
    wanted = draft.confirmation(now)
    assert set(wanted.reasons) == {Reason.SECOND_REQUEST, Reason.PROTECTED}
    assert wanted.typed == "search-0001"
    assert ScheduleDraft(SET, CALLER).confirmation(now).reasons == (Reason.NOT_LOOKED,)
    assert ScheduleDraft(SET, CALLER, read_only=True).problem is not None


def test_what_a_journal_says_forges_no_line() -> None:
    details = {"snapshotName": "x\n  Not set: y", "scheduledDay": "\x1b[2J", "scheduledHour": "3", "bucketName": None}
    entry = JournalEntry("a", datetime.now(UTC), CALLER, SET.request, operation=SET_SCHEDULE, details=details)
    assert change_of(entry).isprintable()
    assert "at an unknown time" in change_of(entry)


async def test_an_older_setting_in_force_by_its_status_is_a_doubt_and_not_called_none(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """Whether a release, or a new setting, ends an older one is not documented."""
    world = served.sandbox.world
    schedules = world.state(world.named("search-0001")).schedules
    schedules[0], schedules[1] = replace(schedules[0], active=True), replace(schedules[1], active=False)
    draft = await drafted(engine, HAS_ONE, journal)
    (check,) = [each for each in draft.preflight.checks if each.subject == "schedule"]
    assert check.severity is Severity.UNSURE
    assert "auto (Everyday 03:00, bucket bk.ses.snapshot) was released; an older setting, nightly" in check.evidence
