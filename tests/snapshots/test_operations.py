"""A request with an effect that is no create goes the same way: written down, sent once, classified, closed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.gateway.errors import ReadOnlyRefused, Throttled
from ncp_tui.sandbox.protocol import GatewayError as Table
from ncp_tui.sandbox.protocol import Refusal, gateway_answer, refusal_answer
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.operations import OPERATIONS, Effect
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.create import create_snapshot
from ncp_tui.snapshots.journal import Journal, JournalProblem
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.journal_file import JournalLine, recorded
from ncp_tui.snapshots.operations import OperationRequest, OperationResult, send_operation
from ncp_tui.snapshots.outcome import Caller, Outcome, Verdict
from ncp_tui.snapshots.resolve import LOOK_UPS, Resolution, Resolver
from ncp_tui.snapshots.track import SnapshotTracker
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import CALLER, REQUEST, events_of, journal_in, locks_of

NUMBER, CLUSTER = REQUEST.cluster_number, REQUEST.cluster_name
SCHEDULE = OperationRequest(
    "setSnapshotScheduling",
    NUMBER,
    CLUSTER,
    {
        "snapshotName": REQUEST.name,  # as the snapshot is called that the other tests create
        "bucketName": REQUEST.bucket,
        "scheduledDay": "Everyday",
        "scheduledHour": 3,
        "scheduledMinute": 15,
    },
)
RELEASE = OperationRequest("releaseSnapshotScheduling", NUMBER, CLUSTER)
STORAGE_KEY = OperationRequest(
    "updateAPIAuthenticationKey",
    NUMBER,
    CLUSTER,
    {"accessKeyId": "storage-access-key", "secretKey": SecretKey("storage-secret-key")},
)
PRE_CHECK = OperationRequest("rollingUpgradePreCheck", NUMBER, CLUSTER, {"targetVersionCode": "1319"})
REQUESTS = [SCHEDULE, RELEASE, STORAGE_KEY, PRE_CHECK]
each_request = pytest.mark.parametrize("request_", REQUESTS, ids=[each.operation for each in REQUESTS])


@pytest.fixture
async def engine(served: RunningSandbox) -> AsyncIterator[SearchEngine]:
    served.sandbox.world.add_past(CLUSTER, "just-now", ended=60.0)  # without it no upgrade may begin
    async with contextlib.aclosing(engine_of(served)) as engine:
        yield engine


@pytest.fixture(autouse=True)
def nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """How a request is resolved is tested with its look-up; here is what holds without one."""
    for request in REQUESTS:
        monkeypatch.delitem(LOOK_UPS, request.operation, raising=False)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return journal_in(tmp_path)


async def send(engine: SearchEngine, request: OperationRequest, journal: Journal, **options: Any) -> OperationResult:
    return await send_operation(engine, request, caller=CALLER, journal=journal, **options)


def arrived(served: RunningSandbox) -> list[str | None]:
    return [entry.operation for entry in served.sandbox.ledger.requests]


def resolver_of(journal: Journal) -> Resolver:
    """One that may ask nobody."""

    def client_for(_: Caller) -> Any:
        raise AssertionError("nothing can be looked up")

    return Resolver(journal, SessionLog(), client_for)


def test_every_registered_write_is_tried_here() -> None:
    writes = {name for name, operation in OPERATIONS.items() if operation.effect is not Effect.READ}
    assert writes == {"createSnapshot", *(each.operation for each in REQUESTS)}


@each_request
async def test_it_is_written_down_sent_once_and_closed(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, request_: OperationRequest
) -> None:
    result = await send(engine, request_, journal)
    assert (result.sent.outcome, result.sent.attempts, result.journal_problem) == (Outcome.ACCEPTED, 1, None)
    assert arrived(served) == [request_.operation]
    assert result.sent.request_id == served.sandbox.ledger.requests[0].request_id
    assert events_of(journal) == ["begun", "sent", "answered", "outcome"]
    (entry,) = journal.entries()
    assert entry == result.entry
    assert (entry.operation, entry.caller, entry.verdict) == (request_.operation, CALLER, Verdict.STARTED)
    assert (entry.is_open, entry.is_under_way, entry.in_doubt) == (False, False, False), "its answer is its end"
    assert locks_of(journal) == []


async def test_its_parameters_are_on_each_line_without_the_secret_ones(engine: SearchEngine, journal: Journal) -> None:
    for request in REQUESTS:
        await send(engine, request, journal)
    data = journal.path.read_bytes()
    assert b"storage-secret-key" not in data
    assert b"storage-access-key" not in data
    written = [json.loads(line) for line in data.splitlines()]
    for request in REQUESTS:
        own = [line["parameters"] for line in written if line["operation"] == request.operation]
        secret = OPERATIONS[request.operation].secret
        told = {name: value for name, value in request.parameters.items() if name not in secret}
        assert own == [{"serviceGroupInstanceNo": NUMBER, **told}] * 4
    assert [entry.details for entry in journal.entries()] == [
        SCHEDULE.parameters,
        {},
        {},
        PRE_CHECK.parameters,
    ]
    assert "secret-key" not in repr(STORAGE_KEY)


def test_a_secret_is_not_written_down_whatever_the_registry_says() -> None:
    for operation in (SCHEDULE.operation, "anOperationOfALaterVersion"):
        assert recorded(operation, {"nodeCount": 3, "anyKey": SecretKey("storage-secret-key")}) == {"nodeCount": 3}


@each_request
async def test_what_cannot_be_written_down_is_not_sent(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, request_: OperationRequest
) -> None:
    journal.path.parent.parent.mkdir(parents=True, exist_ok=True)
    journal.path.parent.write_text("")
    with pytest.raises(JournalProblem):
        await send(engine, request_, journal)
    assert arrived(served) == []
    result = await send(engine, request_, journal, must_be_written=False)
    assert result.sent.outcome is Outcome.ACCEPTED
    assert result.journal_problem is not None
    journal.path.parent.unlink()
    assert result.writer is not None
    assert await result.writer.catch_up()
    assert events_of(journal) == ["begun", "sent", "answered", "outcome"]


@each_request
async def test_a_lost_answer_is_unknown_and_never_repeated(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, request_: OperationRequest
) -> None:
    served.sandbox.faults.add(request_.operation, "after", "drop", times=None)
    result = await send(engine, request_, journal)
    assert (result.sent.outcome, arrived(served)) == (Outcome.UNKNOWN, [request_.operation])
    (entry,) = journal.entries()
    assert (entry.is_open, entry.in_doubt) == (True, True)
    found = await resolver_of(journal).resolve(entry)
    assert found is not None
    assert (found.verdict, "NCP console" in found.next_step) == (Verdict.UNKNOWN, True)
    await resolver_of(journal).dismiss(entry)
    assert not journal.entries()[0].is_open
    assert arrived(served) == [request_.operation]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (gateway_answer(Table.THROTTLED), Outcome.REFUSED),
        (gateway_answer(Table.AUTHENTICATION_FAILED), Outcome.REFUSED),
        (refusal_answer(Refusal.BUCKET_DENIED, "rid"), Outcome.REFUSED),
        (gateway_answer(Table.ENDPOINT_TIMEOUT), Outcome.UNKNOWN),
    ],
)
async def test_a_failure_is_classified_as_that_of_a_create(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, answer: Any, outcome: Outcome
) -> None:
    """A throttled create is repeated, since its name tells what has become of it; nothing tells that of others."""
    served.sandbox.faults.add(SCHEDULE.operation, act=answer, times=None)
    result = await send(engine, SCHEDULE, journal)
    assert (result.sent.outcome, arrived(served)) == (outcome, [SCHEDULE.operation])
    (entry,) = journal.entries()
    assert (entry.outcome, entry.is_open) == (outcome, outcome is Outcome.UNKNOWN)
    assert isinstance(result.sent.error, Throttled) == (answer.status == 429)


@pytest.mark.parametrize("verdict", [Verdict.STARTED, Verdict.UNKNOWN])
async def test_a_look_up_that_is_registered_resolves_it(
    served: RunningSandbox,
    engine: SearchEngine,
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
    verdict: Verdict,
) -> None:
    """Now, and in a later run: that is all that another operation needs."""
    asked = list[tuple[JournalEntry, float]]()

    async def look_up(_: SearchEngine, entry: JournalEntry, *, seconds: float = 0.0, **__: Any) -> Resolution:
        asked.append((entry, seconds))
        return Resolution(verdict, "the schedule says so.")

    monkeypatch.setitem(LOOK_UPS, SCHEDULE.operation, look_up)
    served.sandbox.faults.add(SCHEDULE.operation, "after", "drop")
    result = await send(engine, SCHEDULE, journal, resolve_seconds=7.0)
    assert [(entry.details, seconds) for entry, seconds in asked] == [(SCHEDULE.parameters, 7.0)]
    is_known = verdict is Verdict.STARTED
    assert result.sent.outcome is (Outcome.ACCEPTED if is_known else Outcome.UNKNOWN)
    (entry,) = journal.entries()
    assert entry.is_open is not is_known
    if not is_known:

        @contextlib.asynccontextmanager
        async def client_for(_: Caller) -> AsyncIterator[SearchEngine]:
            yield engine

        found = await Resolver(journal, SessionLog(), client_for).resolve(entry)
        assert found is not None
        assert len(asked) == 2


async def test_read_only_writes_and_sends_nothing(served: RunningSandbox, journal: Journal) -> None:
    async with contextlib.aclosing(engine_of(served, read_only=True)) as engine:
        for request in REQUESTS:
            result = await send(engine, request, journal)
            assert (result.sent.outcome, result.sent.attempts) == (Outcome.NOT_SENT, 0)
            assert isinstance(result.sent.error, ReadOnlyRefused)
    assert not journal.path.exists()
    assert arrived(served) == []


def left_open(journal: Journal, request: OperationRequest = SCHEDULE, *, sent: bool = True) -> JournalEntry:
    """What a run that was killed left."""
    entry = JournalEntry(
        "",
        datetime.now(UTC),
        CALLER,
        replace(REQUEST, name="", bucket=""),
        operation=request.operation,
        details=request.parameters,
    )
    held = journal.begin_other(entry)
    if sent:
        held.record(JournalEvent.SENT, attempt=1)
    held.release()
    return held.entry


async def test_one_that_never_left_is_proved_so_by_the_journal(journal: Journal) -> None:
    found = await resolver_of(journal).resolve(left_open(journal, sent=False))
    assert (found and found.verdict) == Verdict.NOT_STARTED
    assert not journal.entries()[0].is_open


async def test_an_unresolved_one_is_shown_and_stops_no_create(engine: SearchEngine, journal: Journal) -> None:
    """Not even the create of a snapshot whose name it has among its parameters."""
    entry = left_open(journal)
    tracker = SnapshotTracker(journal, SessionLog(), now=lambda: datetime.now(UTC), monotonic=lambda: 0.0)
    left = await tracker.left_open()
    assert ([each.id for each in left.unresolved], left.under_way) == ([entry.id], [])
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    assert taken.outcome is Outcome.ACCEPTED


def test_a_line_feed_in_the_journal_forges_no_line_of_what_is_printed(journal: Journal) -> None:
    forged = "x\n  Not started: the journal shows that no byte left."
    at, parameters = datetime.now(UTC).isoformat(), {"serviceGroupInstanceNo": NUMBER, "snapshotName": forged}
    context = {"profile": forged, "cluster_name": forged}
    lines = [
        JournalLine(place, str(place) * 32, "begun", at, operation, parameters, None, context)
        for place, operation in enumerate((forged, "createSnapshot"), 1)
    ]
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes(b"".join(line.encoded() + b"\n" for line in lines))
    entries = journal.entries()
    assert len(entries) == len(lines)
    for entry in entries:
        assert "\n" not in entry.subject + entry.request.cluster + entry.caller.profile


@pytest.mark.parametrize("event", ["sent", "weighed"])
async def test_an_operation_of_a_later_version_is_shown_and_stops_nothing_else(
    engine: SearchEngine, journal: Journal, event: str
) -> None:
    """Whatever its events mean, they are about no snapshot."""
    context = {"profile": "prod", "gateway": CALLER.gateway, "cluster_name": CLUSTER}
    parameters = {"serviceGroupInstanceNo": NUMBER, "snapshotName": REQUEST.name, "nodeCount": 3}
    at, key = datetime.now(UTC).isoformat(), "f" * 32
    lines = [
        JournalLine(1, key, "begun", at, "changeNodeCount", parameters, None, context),
        JournalLine(2, key, event, at, "changeNodeCount", parameters),
    ]
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes(b"".join(line.encoded() + b"\n" for line in lines))
    (entry,) = journal.entries()
    assert (entry.subject, entry.request.cluster, entry.is_open) == ("changeNodeCount", CLUSTER, True)
    assert entry.details == {"snapshotName": REQUEST.name, "nodeCount": 3}
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    assert taken.outcome is Outcome.ACCEPTED
    held = journal.hold(key)
    assert held is not None
    held.record(JournalEvent.DISMISSED)
    held.release()
    line = json.loads(journal.path.read_bytes().splitlines()[-1])
    assert (line["operation"], line["parameters"]) == ("changeNodeCount", parameters)


async def test_damage_that_names_it_stops_no_create(engine: SearchEngine, journal: Journal) -> None:
    """Its first line is lost: who asked is not known, and what it was about is."""
    parameters = {"serviceGroupInstanceNo": NUMBER, **SCHEDULE.parameters}
    line = JournalLine(1, "f" * 32, "sent", datetime.now(UTC).isoformat(), SCHEDULE.operation, parameters)
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes(line.encoded() + b"\n")
    damage = journal.contents().damage
    assert damage is not None
    assert damage.touched == f"it is about setSnapshotScheduling on {NUMBER}"
    assert [(entry.subject, entry.in_doubt) for entry in journal.entries()] == [(f"set schedule {REQUEST.name}", True)]
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    assert taken.outcome is Outcome.ACCEPTED


async def test_a_create_goes_its_own_way(engine: SearchEngine, journal: Journal) -> None:
    with pytest.raises(ValueError, match="create_snapshot"):
        await send(engine, OperationRequest("createSnapshot", NUMBER, CLUSTER), journal)
    with pytest.raises(ValueError, match="is a read"):
        await engine.change("getSnapshotHistory", NUMBER)
