"""A snapshot is tracked in one way, whoever asks: sent once, told of each change, its end written down."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots import operations
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Caller, Outcome
from ncp_tui.snapshots.track import PICKED_UP_FOR, SnapshotTracker, TrackedSnapshot
from ncp_tui.system.backoff import Backoff
from ncp_tui.system.paths import Paths
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import CALLER, REQUEST, begun, events_of, journal_in, named, paths_in, write_lines
from tests.snapshots.long_history import make_long

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
IDENTITY = Identity(
    "prod", "", SourceKind.PROFILE, Profile(name="prod", access_key="AK", gateway_url="https://gateway.example")
)
ACCEPTED: list[tuple[JournalEvent, dict[str, object]]] = [
    (JournalEvent.SENT, {"attempt": 1}),
    (JournalEvent.ANSWERED, {"outcome": "accepted", "request_id": "r-1"}),
    (JournalEvent.OUTCOME, {"outcome": "accepted"}),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for the pause between two looks, or two tries to write."""
    watching = importlib.import_module("ncp_tui.snapshots.watch")
    monkeypatch.setattr(watching, "BACKOFF", Backoff(0.01, 0.02))
    monkeypatch.setattr(operations, "RETRY_SECONDS", 0.01)


@pytest.fixture
async def engine(served: RunningSandbox) -> AsyncIterator[SearchEngine]:
    """A client of a service whose snapshots are over at once."""
    served.sandbox.world.duration = 0
    async with contextlib.aclosing(engine_of(served)) as engine:
        yield engine


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return journal_in(tmp_path)


def tracker_of(journal: Journal) -> tuple[SnapshotTracker, list[str]]:
    """A tracker, and what it has told."""
    told = list[str]()

    def hear(tracked: TrackedSnapshot) -> None:
        ended = tracked.progress is not None and tracked.progress.is_final
        told.append("ended" if ended else "open" if tracked.is_open else "over")

    tracker = SnapshotTracker(
        journal, SessionLog(), now=lambda: datetime.now(UTC), monotonic=asyncio.get_running_loop().time
    )
    tracker.subscribe(hear)
    return tracker, told


def left_by_an_earlier_run(journal: Journal, at: datetime | None = None) -> JournalEntry:
    """An accepted create whose end nobody saw."""
    earlier = Journal(journal_paths(journal), clock=(at or datetime.now(UTC)).timestamp)
    held = earlier.begin(REQUEST, CALLER)
    for fact, details in ACCEPTED:
        held.record(fact, **details)
    held.release()
    return held.entry


def journal_paths(journal: Journal) -> Paths:
    return paths_in(journal.path.parents[1])


async def test_from_the_request_to_the_end(served: RunningSandbox, engine: SearchEngine, journal: Journal) -> None:
    tracker, told = tracker_of(journal)
    tracked = tracker.start(REQUEST, IDENTITY, engine)
    assert (tracked.is_being_sent, tracked.is_open, tracker.open) == (True, True, [tracked])
    assert not served.sandbox.ledger.effects, "whoever starts it decides when it is run"
    await tracker.run(tracked)
    assert told[0] == "open"
    assert told[-1] == "ended"
    assert events_of(journal) == ["begun", "sent", "answered", "outcome", "finished"]
    assert (len(served.sandbox.ledger.effects), tracker.open) == (1, [])
    assert list(tracker.not_written_down()) == []


async def test_what_is_run_behind_is_run_when_it_starts(engine: SearchEngine, journal: Journal) -> None:
    begun_ones = list[TrackedSnapshot]()
    log, clock = SessionLog(), asyncio.get_running_loop().time
    tracker = SnapshotTracker(journal, log, now=lambda: NOW, monotonic=clock, run_behind=begun_ones.append)
    assert [tracker.start(REQUEST, IDENTITY, engine)] == begun_ones == tracker.snapshots


async def test_its_end_is_told_when_it_is_written_down(engine: SearchEngine, journal: Journal) -> None:
    """Who reads "finished" may look into the journal at once, or quit."""
    tracker, _ = tracker_of(journal)
    seen = list[str]()
    tracker.subscribe(lambda tracked: seen.append(events_of(journal)[-1]) if not tracked.is_open else None)
    await tracker.run(tracker.start(REQUEST, IDENTITY, engine))
    assert seen == ["finished"]


async def test_a_journal_that_takes_nothing_gets_the_end_as_well_once_it_can(
    engine: SearchEngine, journal: Journal
) -> None:
    """In its order, by whoever follows: a create without its end stops the next one of that name."""
    in_the_way = journal.path.parent
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_text("")
    tracker, _ = tracker_of(journal)
    tracked, not_written = tracker.start(REQUEST, IDENTITY, engine, with_journal=False), asyncio.Event()
    tracker.subscribe(lambda each: not_written.set() if each.journal_problem is not None else None)
    running = asyncio.create_task(tracker.run(tracked))
    try:
        async with asyncio.timeout(20):
            await not_written.wait()
            assert list(tracker.not_written_down())
            in_the_way.unlink()
            await running
    finally:
        running.cancel()
    assert tracked.journal_problem is None
    assert events_of(journal)[-1] == "finished"
    assert tracked.entry is not None
    assert list(tracker.not_written_down()) == []


async def test_a_second_request_of_the_same_moment_is_stopped(engine: SearchEngine, journal: Journal) -> None:
    """Two people press the key at the same time; the screens did not look at the moment, the command did."""
    tracker, told = tracker_of(journal)
    tracked = tracker.start(REQUEST, IDENTITY, engine, asked_at=datetime.now(UTC) - timedelta(seconds=1))
    refused = {"id": "other", "fact": "outcome", "at": "", "outcome": "not_sent"}
    at = datetime.now(UTC).isoformat()
    write_lines(journal, begun("other", at, process=1, gateway=Caller.of(IDENTITY).gateway), refused)
    await tracker.run(tracked)
    assert isinstance(tracked.problem, SecondRequest)
    assert (told, tracked.is_open) == (["over"], False)


async def test_what_an_earlier_run_left_is_followed_also_on_an_old_page(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """The command looked through all pages, the screens at the newest only: they would have waited for ever."""
    entry = left_by_an_earlier_run(journal)
    world = served.sandbox.world
    world.start_snapshot(world.named("search-0001"), REQUEST.name, REQUEST.bucket)
    make_long(served.sandbox, "later")
    tracker, told = tracker_of(journal)
    tracked = tracker.resume(entry, IDENTITY, engine)
    assert tracker.has(entry.id)
    await tracker.run(tracked)
    assert (told, tracked.request) == (["ended"], REQUEST)
    assert events_of(journal)[-1] == "finished"
    assert tracker.has(entry.id), "followed to its end, it is not picked up again"
    assert not served.sandbox.ledger.effects, "nothing is sent for it"


async def test_the_newest_of_a_name_whoever_asked(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    world = served.sandbox.world
    world.start_snapshot(world.named("search-0001"), "somebodys", REQUEST.bucket)
    tracker, told = tracker_of(journal)
    await tracker.follow(tracker.watch_name(named("somebodys"), IDENTITY, engine))
    assert told == ["ended"]
    assert not journal.path.exists(), "it is in nobody's journal here"


async def test_one_that_is_only_watched_is_never_sent(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """Whoever runs what is tracked need not know where it comes from."""
    world = served.sandbox.world
    world.start_snapshot(world.named("search-0001"), "somebodys", REQUEST.bucket)
    tracker, told = tracker_of(journal)
    tracked = tracker.watch_name(named("somebodys"), IDENTITY, engine)
    assert (tracked.is_open, tracked.is_being_sent) == (True, False)
    await tracker.run(tracked)
    assert (told, tracked.is_open) == (["ended"], False)
    assert not any(entry.operation == "createSnapshot" for entry in served.sandbox.ledger.requests)


async def test_even_run_behind_it_is_never_sent_nor_written_down(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """The screens run all they track; elapsed time counts from its row, and never backwards."""
    world = served.sandbox.world
    world.start_snapshot(world.named("search-0001"), "somebodys", REQUEST.bucket)
    running = list[asyncio.Task[None]]()
    clock = asyncio.get_running_loop().time
    tracker = SnapshotTracker(
        journal,
        SessionLog(),
        now=lambda: NOW,
        monotonic=clock,
        run_behind=lambda tracked: running.append(asyncio.create_task(tracker.run(tracked))),
    )
    since = NOW - timedelta(minutes=3)
    tracked = tracker.watch_name(named("somebodys"), IDENTITY, engine, since=since)
    assert clock() - tracked.asked_monotonic == pytest.approx(180.0, abs=1.0)
    assert tracker.is_followed(REQUEST.cluster_number, "somebodys")
    assert not tracker.is_followed(REQUEST.cluster_number, "other")
    await asyncio.gather(*running)
    assert not tracker.is_followed(REQUEST.cluster_number, "somebodys"), "it has ended"
    assert not any(entry.operation == "createSnapshot" for entry in served.sandbox.ledger.requests)
    assert not journal.path.exists()
    ahead = tracker.watch_name(named("ahead"), IDENTITY, engine, since=NOW + timedelta(hours=1))
    assert clock() - ahead.asked_monotonic == pytest.approx(0.0, abs=1.0)
    running[-1].cancel()


async def test_when_the_next_look_is(served: RunningSandbox, engine: SearchEngine, journal: Journal) -> None:
    """Throttled, it waits as long as NCP says."""
    served.sandbox.world.duration = 60
    tracker, _ = tracker_of(journal)
    tracked, throttled = tracker.start(REQUEST, IDENTITY, engine), asyncio.Event()
    await tracker.create(tracked)
    busy = gateway_answer(GatewayError.THROTTLED, {"retry-after": "20"})
    served.sandbox.faults.add("getSnapshotHistory", act=busy)
    tracker.subscribe(lambda each: throttled.set() if each.is_throttled else None)
    following = asyncio.create_task(tracker.follow(tracked, seconds=30))
    async with asyncio.timeout(20):
        await throttled.wait()
    assert tracked.next_at is not None
    assert tracked.next_at - asyncio.get_running_loop().time() == pytest.approx(20.0, abs=2.0)
    following.cancel()


async def test_a_timeout_inside_a_look_is_not_the_end_of_the_time(
    engine: SearchEngine, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Swallowed, the snapshot would stay "running" with nobody who follows it."""

    async def hung(_: TrackedSnapshot) -> None:
        raise TimeoutError

    tracker, _ = tracker_of(journal)
    monkeypatch.setattr(tracker, "_look", hung)
    for seconds in (None, 60.0):
        with pytest.raises(TimeoutError):
            await tracker.follow(tracker.watch_name(REQUEST, IDENTITY, engine), seconds=seconds)


async def test_when_the_time_is_over_the_snapshot_goes_on(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    served.sandbox.world.duration = 60
    tracker, told = tracker_of(journal)
    tracked = tracker.start(REQUEST, IDENTITY, engine)
    assert (await tracker.create(tracked)).outcome is Outcome.ACCEPTED
    await tracker.follow(tracked, seconds=0.3)
    assert tracked.is_open
    assert tracked.problem is None
    assert "ended" not in told


async def test_what_is_left_open(journal: Journal) -> None:
    long_over = left_by_an_earlier_run(journal, datetime.now(UTC) - PICKED_UP_FOR - timedelta(minutes=1))
    journal.append(long_over.id, JournalEvent.OUTCOME, outcome="accepted")
    held = journal.begin(named("lost"), CALLER)
    held.record(JournalEvent.SENT, attempt=1)
    held.release()
    mine = journal.begin(named("mine"), CALLER)
    tracker, _ = tracker_of(journal)
    found = await tracker.left_open()
    assert [entry.id for entry in found.unresolved] == [held.entry.id], "what this program holds is seen to"
    assert found.under_way == []
    mine.release()
    journal.append(long_over.id, JournalEvent.FINISHED, state="failed")
    young = left_by_an_earlier_run(journal)
    assert [entry.id for entry in (await tracker.left_open()).under_way] == [young.id]
