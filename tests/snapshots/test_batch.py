"""Several creates as one: each is planned, written down, sent once and in its turn; what broke off is resumed."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import json
import os
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ncp_tui.gateway.errors import AnswerLost, PermissionDenied
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import SnapshotState
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.batch import (
    BatchRow,
    BatchRun,
    Look,
    Plan,
    Plans,
    Rules,
    StopOn,
    UnknownBatch,
    broken_off,
    rows_of,
)
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import JournalUnwritable
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.journal_entry import JournalEvent
from ncp_tui.snapshots.outcome import HELD_ELSEWHERE, Caller, Outcome
from ncp_tui.snapshots.rules import InvalidBucket
from ncp_tui.snapshots.track import SnapshotTracker, TrackedSnapshot
from ncp_tui.snapshots.watch import Progress
from ncp_tui.system.backoff import Backoff
from ncp_tui.view.batch import result_word, row_sentence
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import CALLER, REQUEST, journal_in, paths_in
from tests.tables import each_row

NOW = datetime(2026, 11, 29, 3, tzinfo=UTC)
BUCKET, OTHER = "bk.ses.snapshot", "es-backup-weekly"
SECONDS = 0.3
"""In which the history is checked after a lost answer."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("ncp_tui.snapshots.watch"), "BACKOFF", Backoff(0.01, 0.02))


@pytest.fixture
async def engine(served: RunningSandbox) -> AsyncIterator[SearchEngine]:
    served.sandbox.world.duration = 0.2
    async with contextlib.aclosing(engine_of(served)) as engine:
        yield engine


class Stage:
    """All that one run of a batch has."""

    def __init__(self, served: RunningSandbox, engine: SearchEngine, home: Path) -> None:
        profile = Profile(name="prod", access_key=served.sandbox.access_key, gateway_url=served.url)
        self.engine, self.home, self.ledger = engine, home, served.sandbox.ledger
        self.identity = Identity("prod", "", SourceKind.PROFILE, profile)
        self.journal, self.plans = journal_in(home), Plans(paths_in(home))
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.shown = list[tuple[str, Outcome]]()

    def look(self, **options: str | bool | None) -> Look:
        wanted = {"template": "{cluster}-batch", **options}
        return Look(self.engine, self.journal, self.identity, self.now, **wanted)  # type: ignore[arg-type]

    async def rows(self, *names: str, **options: str | bool | None) -> list[BatchRow]:
        clusters = [each for each in await self.engine.list_clusters() if each.name in names]
        return await self.look(**options).at_all(clusters)

    def plan(self, rows: Sequence[BatchRow]) -> Plan:
        plan = Plan.of(Caller.of(self.identity), [row.request for row in rows if row.is_to_be_sent], self.now())
        self.plans.write(plan)
        return plan

    async def send(
        self,
        plan: Plan,
        rows: Sequence[BatchRow],
        rules: Rules = Rules(),  # noqa: B008
        behind: Callable[[TrackedSnapshot], None] | None = None,
    ) -> BatchRun:
        import time

        tracker = SnapshotTracker(self.journal, SessionLog(), now=self.now, monotonic=time.monotonic, run_behind=behind)
        self.tracker = tracker
        tracker.resolve_seconds = SECONDS
        run = BatchRun(
            plan,
            rows,
            rules,
            tracker=tracker,
            identity=self.identity,
            engine=self.engine,
            look=self.look(),
            show=lambda row: self.shown.append((row.request.cluster_name, row.outcome)),
        )
        await run.run()
        return run

    async def resumed(self, plan: Plan) -> list[BatchRow]:
        found = self.plans.read(plan.id, self.now())
        return await rows_of(found, self.journal, self.engine, self.look(), seconds=SECONDS)

    def effects(self) -> list[str]:
        return sorted(str(effect.name) for effect in self.ledger.effects)


@pytest.fixture
def stage(served: RunningSandbox, engine: SearchEngine, tmp_path: Path) -> Stage:
    return Stage(served, engine, tmp_path)


def test_a_plan_is_read_as_it_was_written_and_by_nobody_else(tmp_path: Path) -> None:
    plans, plan = Plans(paths_in(tmp_path)), Plan.of(CALLER, [REQUEST, replace(REQUEST, name="second")], NOW)
    plans.write(plan)
    assert plans.read(plan.id, NOW + timedelta(days=29)) == plan
    (path,) = paths_in(tmp_path).batches_dir.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UnknownBatch, match="older than 30 days"):
        plans.read(plan.id, NOW + timedelta(days=31))
    os.utime(path, times=(0, 0))
    plans.write(Plan.of(CALLER, [REQUEST], NOW))
    assert not path.exists(), "what cannot be resumed any more goes"


@each_row("wanted", ["", "../../journal", "20261129-030000-abcdef", "20261129-030000-ABCDEF", "x" * 500])
def test_what_is_no_id_of_a_plan_opens_nothing(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(UnknownBatch, match="There is no batch"):
        Plans(paths_in(tmp_path)).read(wanted, NOW)


@each_row(
    "change",
    [
        lambda _: b"",
        lambda _: b"[]",
        lambda _: b"\xff\xfe",
        lambda _: b"[" * 100_000,
        lambda plan: json.dumps(plan | {"format": 2}).encode(),
        lambda plan: json.dumps(plan | {"id": "20261129-030000-000000"}).encode(),
        lambda plan: json.dumps(plan | {"at": "2026-11-29T03:00:00"}).encode(),
        lambda plan: json.dumps(plan | {"requests": [{"name": "x"}]}).encode(),
        lambda plan: json.dumps(plan | {"requests": [plan["requests"][0] | {"cluster_number": 7}]}).encode(),
        lambda plan: json.dumps({name: plan[name] for name in ("format", "id", "at")}).encode(),
    ],
)
def test_a_plan_that_is_damaged_is_not_followed(tmp_path: Path, change: object) -> None:
    plans, plan = Plans(paths_in(tmp_path)), Plan.of(CALLER, [REQUEST], NOW)
    plans.write(plan)
    path = paths_in(tmp_path).batches_dir / f"{plan.id}.json"
    path.write_bytes(change(json.loads(path.read_bytes())))  # type: ignore[operator]
    with pytest.raises(UnknownBatch, match="cannot be read"):
        plans.read(plan.id, NOW)


def test_a_plan_that_cannot_be_written_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    folder = paths_in(tmp_path).batches_dir
    folder.parent.mkdir(parents=True)
    folder.write_text("")
    with pytest.raises(JournalUnwritable, match="cannot be written down"):
        Plans(paths_in(tmp_path)).write(Plan.of(CALLER, [REQUEST], NOW))


async def test_each_row_has_its_own_name_and_bucket_or_says_what_forbids_it(stage: Stage) -> None:
    names = ("search-0001", "search-0002", "search-0004", "hr-private")
    rows = {row.request.cluster_name: row for row in await stage.rows(*names)}
    good = rows["search-0001"]
    assert (good.request.name, good.request.bucket, good.is_to_be_sent) == ("search-0001-batch", BUCKET, True)
    fresh = rows["search-0002"].problem
    assert isinstance(fresh, InvalidBucket), "no good snapshot says which bucket, and the profile names none"
    assert rows["search-0004"].problem is not None, "no storage key"
    assert isinstance(rows["hr-private"].problem, PermissionDenied)
    for_all = await stage.rows("search-0002", bucket=OTHER)
    assert (for_all[0].request.bucket, for_all[0].problem) == (OTHER, None)
    (refused,) = await stage.rows("search-0001", read_only=True)
    assert refused.problem is not None
    assert stage.effects() == []


async def test_each_is_sent_once_and_written_down_as_a_part_of_its_batch(stage: Stage) -> None:
    rows = await stage.rows("search-0001", "search-0002", "search-0008", bucket=BUCKET)
    plan = stage.plan(rows)
    await stage.send(plan, rows)
    assert stage.effects() == sorted(row.request.name for row in rows)
    assert {row.outcome for row in rows} == {Outcome.ACCEPTED}
    assert {entry.batch for entry in stage.journal.entries()} == {plan.id}
    assert all(row.outcome is Outcome.ACCEPTED for row in await stage.resumed(plan))
    await stage.send(plan, await stage.resumed(plan))
    assert len(stage.effects()) == len(rows), "there is nothing left to send"


@pytest.mark.parametrize("follow", [None, 5.0])
async def test_each_is_sent_once_where_every_snapshot_is_run_behind(stage: Stage, follow: float | None) -> None:
    """As on the screens, where a worker sends and follows each: the batch waits for it and sends nothing itself."""
    rows = await stage.rows("search-0001", "search-0002", "search-0008", bucket=BUCKET)
    plan, running = stage.plan(rows), list[asyncio.Task[None]]()

    def behind(tracked: TrackedSnapshot) -> None:
        running.append(asyncio.create_task(stage.tracker.run(tracked)))

    await stage.send(plan, rows, Rules(follow=follow), behind)
    assert stage.effects() == sorted(row.request.name for row in rows)
    assert {row.outcome for row in rows} == {Outcome.ACCEPTED}
    assert [row.ended for row in rows][:2] == ["success", "success"], "one bucket: the next waits for the end"
    again = await stage.resumed(plan)
    await stage.send(plan, again, Rules(follow=5), behind)
    await asyncio.gather(*running)
    assert len(stage.effects()) == len(rows)
    assert [row.ended for row in again] == ["success"] * 3


async def test_what_stops_a_create_that_is_run_behind_is_its_problem(stage: Stage) -> None:
    rows = await stage.rows("search-0001", "search-0002", bucket=BUCKET)
    plan, running = stage.plan(rows), list[asyncio.Task[None]]()
    held = stage.journal.begin(rows[0].request, plan.caller)
    await stage.send(plan, rows, behind=lambda tracked: running.append(asyncio.create_task(stage.tracker.run(tracked))))
    held.release()
    await asyncio.gather(*running)
    assert isinstance(rows[0].problem, SecondRequest)
    assert [row.outcome for row in rows] == [Outcome.NOT_SENT, Outcome.ACCEPTED]
    assert stage.effects() == ["search-0002-batch"]


async def test_the_batches_that_can_be_resumed_are_named_the_newest_first(stage: Stage) -> None:
    assert await broken_off(stage.plans, stage.journal, stage.now()) == ([], [])
    rows = await stage.rows("search-0001", "search-0002", bucket=BUCKET)
    done, half, new = (
        Plan.of(Caller.of(stage.identity), [row.request for row in rows], stage.now() + timedelta(seconds=place))
        for place in range(3)
    )
    for plan in (half, new, done):
        stage.plans.write(plan)
    await stage.send(done, rows)
    held = stage.journal.begin(replace(rows[0].request, name="half"), half.caller, batch=half.id)
    held.record(JournalEvent.SENT, attempt=1)
    held.release()
    half = replace(half, requests=(replace(rows[0].request, name="half"), replace(rows[1].request, name="other")))
    stage.plans.write(half)
    found, problems = await broken_off(stage.plans, stage.journal, stage.now())
    assert [(each.plan, each.never_left) for each in found] == [(new, 2), (half, 1)], "what may have left is not"
    assert not problems
    (paths_in(stage.home).batches_dir / f"{new.id}.json").write_text("")
    found, (problem,) = await broken_off(stage.plans, stage.journal, stage.now())
    assert [each.plan.id for each in found] == [half.id]
    assert new.id in problem.what


async def test_no_two_are_written_into_one_bucket_at_the_same_time_unless_asked(stage: Stage) -> None:
    names = ("search-0001", "search-0002", "search-0008")
    rows = await stage.rows(*names, bucket=BUCKET)
    await stage.send(stage.plan(rows), rows, Rules(at_once=3))
    moments = sorted(effect.time for effect in stage.ledger.effects)
    assert all(later - earlier >= 0.2 for earlier, later in itertools.pairwise(moments)), moments
    assert [row.ended for row in rows][:2] == ["success", "success"], "the last is not waited for"
    assert rows[2].ended is None


async def test_what_may_be_written_into_a_bucket_keeps_the_next_out_of_it(served: RunningSandbox, stage: Stage) -> None:
    served.sandbox.faults.add("createSnapshot", "before", "drop")
    rows = await stage.rows("search-0001", "search-0002", bucket=BUCKET)
    run = await stage.send(stage.plan(rows), rows, Rules(stop_on=StopOn.NEVER))
    assert [row.outcome for row in rows] == [Outcome.UNKNOWN, Outcome.NOT_SENT]
    assert (rows[1].left_out, run.stopped) == ("Not sent: search-0001 may write to the same bucket.", "")


@pytest.mark.parametrize(
    ("stop_on", "fault", "rest"),
    [
        ("unknown", "drop", "whether search-0001 started is unknown"),
        ("unknown", (400, {"code": 40031, "message": "no", "result": None}), ""),
        ("failed", (400, {"code": 40031, "message": "no", "result": None}), "search-0001 was not created"),
        ("never", "drop", ""),
    ],
)
async def test_what_keeps_the_rest_from_being_sent(
    served: RunningSandbox, stage: Stage, stop_on: str, fault: object, rest: str
) -> None:
    served.sandbox.faults.add("createSnapshot", "before", fault)  # type: ignore[arg-type]
    rows = await stage.rows("search-0001", "search-0002", "search-0008", bucket=BUCKET)
    rules = Rules(at_once=1, stop_on=StopOn(stop_on), share_buckets=True)
    plan = stage.plan(rows)
    run = await stage.send(plan, rows, rules)
    assert rest in run.stopped
    assert bool(run.stopped) == bool(rest)
    assert len(stage.effects()) == (0 if rest else 2)
    again = await stage.resumed(plan)
    assert [row.is_to_be_sent for row in again] == [False, bool(rest), bool(rest)]
    await stage.send(plan, again, rules)
    assert stage.effects() == ["search-0002-batch", "search-0008-batch"], "only what never left is sent"


async def test_nothing_is_said_to_be_left_out_where_nothing_was(served: RunningSandbox, stage: Stage) -> None:
    served.sandbox.faults.add("createSnapshot", "before", "drop")
    (row,) = rows = await stage.rows("search-0001", bucket=BUCKET)
    run = await stage.send(stage.plan(rows), rows)
    assert (row.outcome, row.left_out, run.stopped) == (Outcome.UNKNOWN, "", "")


async def test_one_that_the_history_proved_is_told_once_and_by_its_end(served: RunningSandbox, stage: Stage) -> None:
    served.sandbox.world.duration = 0
    served.sandbox.faults.add("createSnapshot", "after", "drop")
    (row,) = rows = await stage.rows("search-0001", bucket=BUCKET)
    await stage.send(stage.plan(rows), rows)
    assert row_sentence(row).startswith("search-0001: Started: search-0001-batch. No answer confirmed it, but")
    assert "lost" not in row_sentence(row)
    assert row.tracked is not None
    row.tracked.progress = Progress(SnapshotState.FAILED, 1.0, 1)
    assert row_sentence(row) == "search-0001: search-0001-batch failed."


async def test_one_that_is_broken_off_while_the_history_is_checked_is_unknown(stage: Stage) -> None:
    (row,) = await stage.rows("search-0001", bucket=BUCKET)
    tracker = SnapshotTracker(stage.journal, SessionLog(), now=stage.now, monotonic=lambda: 0.0)
    row.tracked = tracker.start(row.request, stage.identity, stage.engine)
    row.tracked.resolving = AnswerLost("Lost.")
    assert (row.outcome, result_word(row)) == (Outcome.UNKNOWN, "unknown")


async def test_of_a_batch_that_broke_off_what_is_unknown_is_looked_up(served: RunningSandbox, stage: Stage) -> None:
    served.sandbox.world.duration = 0
    rows = await stage.rows("search-0001", "search-0002", bucket=BUCKET)
    plan = stage.plan(rows)
    for row in rows:
        held = stage.journal.begin(row.request, plan.caller, batch=plan.id, seen_before=frozenset())
        if row is rows[0]:  # it has left, and then the program was gone
            held.record(JournalEvent.SENT, attempt=1)
            await stage.engine.create_snapshot(row.request.cluster_number, row.request.name, row.request.bucket)
        held.release()
    first, second = await stage.resumed(plan)
    assert (first.outcome, first.is_to_be_sent) == (Outcome.ACCEPTED, False)
    assert (second.outcome, second.is_to_be_sent) == (Outcome.NOT_SENT, True)
    await stage.send(plan, [first, second], Rules(follow=5))
    assert stage.effects() == ["search-0001-batch", "search-0002-batch"]
    assert [first.ended, second.ended] == ["success", "success"]


async def test_what_another_program_holds_is_left_to_it(stage: Stage) -> None:
    rows = await stage.rows("search-0001", bucket=BUCKET)
    plan = stage.plan(rows)
    held = stage.journal.begin(rows[0].request, plan.caller, batch=plan.id)
    (row,) = await stage.resumed(plan)
    assert (row.left_out, row.is_to_be_sent) == (HELD_ELSEWHERE, False)
    held.release()
    (row,) = await stage.resumed(plan)
    assert row.is_to_be_sent


async def test_a_damaged_journal_proves_of_nothing_that_it_never_left(stage: Stage) -> None:
    rows = await stage.rows("search-0001", bucket=BUCKET)
    plan = stage.plan(rows)
    stage.journal.begin(replace(REQUEST, name="another"), CALLER).release()
    with stage.journal.path.open("r+b") as file:
        file.write(b"\0\0\0\0")
    with pytest.raises(DamagedJournal):
        await stage.resumed(plan)


async def test_what_somebody_else_created_meanwhile_is_not_created_again(stage: Stage) -> None:
    rows = await stage.rows("search-0001", "search-0008", bucket=BUCKET)
    plan = stage.plan(rows)
    request = rows[0].request
    await stage.engine.create_snapshot(request.cluster_number, request.name, request.bucket)
    stage.now = lambda: datetime.now(UTC) + timedelta(minutes=3)  # the question waited over a coffee
    await stage.send(plan, rows)
    assert isinstance(rows[0].problem, SecondRequest)
    assert stage.effects() == ["search-0001-batch", "search-0008-batch"]
    assert [row.outcome for row in rows] == [Outcome.NOT_SENT, Outcome.ACCEPTED]
