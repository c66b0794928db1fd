"""Taking a snapshot, against a judge that counts: one request in every case, and an outcome that is true."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.gateway import errors as gateway_errors
from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    BadAnswer,
    EndpointError,
    EndpointTimeout,
    GatewayError,
    NotReached,
    PermissionDenied,
    QuotaExceeded,
    ReadOnlyRefused,
    RefusedByService,
    ServerError,
    Throttled,
)
from ncp_tui.sandbox.fault_lab.fault import Cut
from ncp_tui.sandbox.protocol import GatewayError as Table
from ncp_tui.sandbox.protocol import gateway_answer
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.snapshots.create import MOST_REPEATS, CreateResult, _wait_after, create_snapshot
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import Journal, JournalProblem, JournalUnwritable
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest, Verdict, outcome_of
from ncp_tui.snapshots.resolve import Resolution, resolve_entry, search_history
from ncp_tui.snapshots.rules import InvalidBucket, InvalidName
from tests.gateway.wire import Listener, RawServer, Received, http, read_request
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import CALLER, REQUEST, children, events_of, journal_in, lines_of, locks_of
from tests.snapshots.waiting import Waiting

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def engine(served: RunningSandbox) -> AsyncIterator[SearchEngine]:
    engine = engine_of(served)
    yield engine
    await engine.aclose()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def journal(home: Path) -> Journal:
    return journal_in(home)


class Time:
    """A clock that only sleeping moves. The history is looked at by it, so that no test waits for a minute."""

    def __init__(self, served: RunningSandbox) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.effects: int | None = None
        self._served = served

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        if self.effects is not None:
            await settled(self._served, self.effects)

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(served: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time(served)
    module = importlib.import_module("ncp_tui.snapshots.create")
    monkeypatch.setattr(module, "search_history", partial(search_history, monotonic=clock.monotonic))
    return clock


def creates(served: RunningSandbox) -> tuple[int, int]:
    """How many creates arrived, and how many snapshots they started."""
    ledger = served.sandbox.ledger
    arrived = sum(entry.operation == "createSnapshot" for entry in ledger.requests)
    return arrived, sum(effect.operation == "createSnapshot" for effect in ledger.effects)


def operations(served: RunningSandbox) -> list[str | None]:
    return [entry.operation for entry in served.sandbox.ledger.requests]


async def test_accepted(served: RunningSandbox, engine: SearchEngine, journal: Journal) -> None:
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, now=lambda: NOW)
    assert (taken.outcome, taken.at, taken.attempts, taken.error) == (Outcome.ACCEPTED, NOW, 1, None)
    assert taken.request_id == served.sandbox.ledger.requests[0].request_id
    assert taken.request is REQUEST
    assert operations(served) == ["createSnapshot"]
    assert creates(served) == (1, 1)
    assert taken.sentence == "Accepted: NCP is creating before-upgrade."
    assert events_of(journal) == ["begun", "sent", "answered", "outcome"]
    (entry,) = journal.entries()
    assert (entry, entry.caller, entry.request_id) == (taken.entry, CALLER, taken.request_id)
    assert (entry.is_open, entry.is_under_way, taken.journal_problem) == (False, True, None)
    assert locks_of(journal) == []
    assert served.sandbox.secret_key.encode() not in journal.path.read_bytes()


def big(status: int) -> tuple[int, str]:
    return status, "<html>" + "x" * 100_000


# When, what, whether it takes effect, the outcome, the error's class.
FAULTS: list[tuple[str, Any, bool, Outcome, type[GatewayError]]] = [
    ("before", "drop", False, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("after", "drop", True, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("before", "reset", False, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("after", "reset", True, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("before", "hang", False, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("after", "hang", True, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("before", "late", True, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("after", Cut("drop", [b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", b'{"code":0,"res']), True, Outcome.UNKNOWN,
     gateway_errors.AnswerLost),
    ("after", Cut("hang", [b"HTTP/1.1 200 OK\r\n"] + [b"x-a: b\r\n"] * 1000, 0.05), True, Outcome.UNKNOWN,
     gateway_errors.AnswerLost),
    ("after", (200, ""), True, Outcome.UNKNOWN, BadAnswer),
    ("after", (200, "<html>ok</html>"), True, Outcome.UNKNOWN, BadAnswer),
    ("after", (200, {"code": 0, "message": "SUCCESS", "result": None}), True, Outcome.UNKNOWN, BadAnswer),
    ("after", (200, {"code": 0, "message": "SUCCESS"}), True, Outcome.UNKNOWN, BadAnswer),
    ("after", (302, ""), True, Outcome.UNKNOWN, gateway_errors.Redirected),
    ("after", big(500), True, Outcome.UNKNOWN, ServerError),
    ("before", big(502), False, Outcome.UNKNOWN, ServerError),
    ("after", (500, {"code": 500, "message": "Internal", "result": None}), True, Outcome.UNKNOWN, ServerError),
    ("after", gateway_answer(Table.ENDPOINT_TIMEOUT), True, Outcome.UNKNOWN, EndpointTimeout),
    ("before", gateway_answer(Table.ENDPOINT_ERROR), False, Outcome.UNKNOWN, EndpointError),
    ("after", gateway_answer(Table.UNEXPECTED), True, Outcome.UNKNOWN, ServerError),
    ("before", gateway_answer(Table.QUOTA_EXCEEDED), False, Outcome.REFUSED, gateway_errors.QuotaExceeded),
    ("before", gateway_answer(Table.PERMISSION_DENIED), False, Outcome.REFUSED, PermissionDenied),
    ("before", gateway_answer(Table.BAD_REQUEST), False, Outcome.REFUSED, gateway_errors.RefusedByGateway),
    ("before", (200, {"code": 7, "message": "안 됨", "result": None}), False, Outcome.REFUSED, RefusedByService),
    ("before", (400, {"code": 7, "message": "안 됨", "result": None}), False, Outcome.REFUSED, RefusedByService),
]  # fmt: skip


@pytest.mark.parametrize(("when", "act", "effect", "outcome", "kind"), FAULTS)
async def test_a_fault(  # noqa: PLR0917 - the columns of a table
    served: RunningSandbox,
    engine: SearchEngine,
    journal: Journal,
    clock: Time,
    monkeypatch: pytest.MonkeyPatch,
    when: Any,
    act: Any,
    effect: bool,
    outcome: Outcome,
    kind: type[GatewayError],
) -> None:
    """Told "not started" when it may have been, a user takes the second snapshot; told "accepted", none."""
    fault = served.sandbox.faults.add("createSnapshot", when, act)
    clock.effects = int(effect)
    told: list[GatewayError] = []
    async with asyncio.TaskGroup() as group:
        if (act.how if isinstance(act, Cut) else act) in ("hang", "late"):
            group.create_task(Waiting(monkeypatch).runs_out(fault))
        taken = await create_snapshot(
            engine, REQUEST, caller=CALLER, journal=journal, sleep=clock.sleep, on_resolving=told.append
        )
    is_proved = effect and outcome is Outcome.UNKNOWN
    assert (type(taken.error), taken.attempts) == (kind, 1)
    assert taken.outcome is (Outcome.ACCEPTED if is_proved else outcome)
    assert taken.by_history == is_proved
    await settled(served, int(effect))
    assert set(operations(served)[1:]) <= {"getSnapshotHistory"}, "nothing but reads after the one request"
    assert told == ([taken.error] if outcome is Outcome.UNKNOWN else [])
    words = {Outcome.ACCEPTED: "Started", Outcome.UNKNOWN: "Unknown", Outcome.REFUSED: "Not started"}
    assert taken.sentence.startswith(words[taken.outcome])
    looked = ["settled"] if outcome is Outcome.UNKNOWN else []
    assert events_of(journal) == ["begun", "sent", "answered", *looked, "outcome"]
    answered, concluded = lines_of(journal)[2], lines_of(journal)[-1]
    assert (answered["outcome"], answered["kind"]) == (outcome.value, kind.kind)
    assert (concluded["outcome"], concluded["settled_by"]) == (taken.outcome.value, "history" if is_proved else None)
    (entry,) = journal.entries()
    assert entry == taken.entry
    assert (entry.outcome, entry.in_doubt) == (taken.outcome, taken.outcome is Outcome.UNKNOWN)
    assert locks_of(journal) == []


LOOKALIKES: dict[str, tuple[int, Any]] = {
    "empty 429": (429, ""),
    "HTML 429": (429, "<html>slow down</html>"),
    "Kong's 429": (429, {"message": "API rate limit exceeded"}),
    "429 that confirms": (429, {"code": 0, "message": "SUCCESS", "result": True, "requestId": "r"}),
    "429 with another code": (429, {"error": {"errorCode": "510", "message": "Endpoint Timeout"}}),
    "429 in another shape": (429, {"responseError": {"returnCode": "410", "returnMessage": "Throttle Limited"}}),
    "429 with an envelope": (429, {"code": 410, "message": "Throttle Limited", "result": None}),
    "200 with the code of throttling": (200, {"error": {"errorCode": "410", "message": "Throttle Limited"}}),
    "407": (407, ""),
    "408": (408, ""),
    "bare 401": (401, ""),
    "result false": (200, {"code": 0, "message": "SUCCESS", "result": False}),
}


@pytest.mark.parametrize("answer", LOOKALIKES.values(), ids=LOOKALIKES)
async def test_what_only_looks_like_a_refusal_is_never_repeated(
    served: RunningSandbox, engine: SearchEngine, clock: Time, answer: tuple[int, Any]
) -> None:
    """It was sent three times after a 429 that anybody may have written, and each had its effect."""
    served.sandbox.faults.add("createSnapshot", "before", answer, times=None)
    taken = await create_snapshot(engine, REQUEST, sleep=clock.sleep)
    assert (taken.outcome, taken.attempts) == (Outcome.UNKNOWN, 1)
    assert creates(served) == (1, 0)


async def test_one_repeat_for_the_clock_in_all(clock: Time) -> None:
    """A gateway whose date moves with every answer would else have three creates sent twice each."""
    refused = json.dumps({"error": {"errorCode": "200", "message": "Authentication Failed"}}).encode()
    throttled = json.dumps({"error": {"errorCode": "410", "message": "Throttle Limited"}}).encode()
    history = json.dumps({"code": 0, "message": "SUCCESS", "result": {"snapshotHistoryResponseList": []}}).encode()
    creates = 0

    async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal creates
        if b"createSnapshot" not in received.line:
            writer.write(http(200, history))
            return
        creates += 1
        date = f"date: {formatdate(time.time() + 3600 * creates, usegmt=True)}"
        writer.write(http(429, throttled) if creates == 2 else http(401, refused, date))

    async with RawServer(answer) as server:
        engine = stranger(server.url)
        taken = await create_snapshot(engine, REQUEST, sleep=clock.sleep)
        await engine.aclose()
    assert (taken.outcome, type(taken.error)) == (Outcome.REFUSED, AuthenticationFailed)
    assert (creates, taken.attempts) == (3, 3)


async def settled(served: RunningSandbox, effects: int) -> None:
    """Wait until the sandbox has noticed that the client is gone."""
    async with asyncio.timeout(60):
        while creates(served) != (1, effects):  # noqa: ASYNC110 - the sandbox tells nobody
            await asyncio.sleep(0)


async def test_a_name_in_doubt_is_not_sent_again(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, clock: Time
) -> None:
    """Until somebody has resolved it; another name goes."""
    served.sandbox.faults.add("createSnapshot", "before", "drop")
    first = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, sleep=clock.sleep)
    assert (first.outcome, creates(served)) == (Outcome.UNKNOWN, (1, 0))
    assert first.resolution is not None
    assert first.resolution.verdict is Verdict.UNKNOWN
    with pytest.raises(SecondRequest):
        await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    assert creates(served) == (1, 0)
    other = dataclasses.replace(REQUEST, name="another-name")
    assert (await create_snapshot(engine, other, caller=CALLER, journal=journal)).outcome is Outcome.ACCEPTED
    assert [entry.request.name for entry in journal.open_entries()] == [REQUEST.name]


async def test_a_row_of_the_name_from_before_proves_nothing(
    served: RunningSandbox, engine: SearchEngine, clock: Time
) -> None:
    """The failed attempt of a minute ago is the reason why the same name is asked for once more."""
    assert (await create_snapshot(engine, REQUEST)).outcome is Outcome.ACCEPTED
    history = await engine.recent_snapshots(REQUEST.cluster_number)
    served.sandbox.faults.add("createSnapshot", "before", "drop")
    taken = await create_snapshot(engine, REQUEST, history=history, sleep=clock.sleep)
    assert taken.outcome is Outcome.UNKNOWN
    assert creates(served) == (2, 1)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (SnapshotRequest("1037001", "c", "Bad_Name", "bk.ses.snapshot"), InvalidName),
        (SnapshotRequest("1037001", "c", "good-name\n", "bk.ses.snapshot"), InvalidName),
        (SnapshotRequest("1037001", "c", "good-name", "BUCKET"), InvalidBucket),
    ],
)
async def test_what_is_wrong_beforehand_is_not_sent(
    served: RunningSandbox, engine: SearchEngine, request_: SnapshotRequest, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await create_snapshot(engine, request_)
    assert served.sandbox.ledger.requests == []


async def test_the_services_own_refusals(served: RunningSandbox, engine: SearchEngine) -> None:
    for number, name, bucket in (
        ("1037001", "before-upgrade", "no-such-bucket"),
        ("1037004", "before-upgrade", "bk.ses.snapshot"),
        ("9999999", "before-upgrade", "bk.ses.snapshot"),
    ):
        taken = await create_snapshot(engine, SnapshotRequest(number, "c", name, bucket))
        assert (taken.outcome, type(taken.error)) == (Outcome.REFUSED, RefusedByService)
        assert taken.request_id == served.sandbox.ledger.requests[-1].request_id
    assert creates(served) == (3, 0)


async def test_a_name_that_was_used_is_refused_and_nothing_is_repeated(
    served: RunningSandbox, engine: SearchEngine
) -> None:
    """The same name is how a repeated request is recognised."""
    assert (await create_snapshot(engine, REQUEST)).outcome is Outcome.ACCEPTED
    second = await create_snapshot(engine, REQUEST)
    assert second.outcome is Outcome.REFUSED
    assert second.error is not None
    assert "same name" in second.error.message
    assert creates(served) == (2, 1)


async def test_not_sent(served: RunningSandbox, journal: Journal) -> None:
    url = served.url
    await served.stop()
    engine = stranger(url)
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    await engine.aclose()
    assert (taken.outcome, type(taken.error)) == (Outcome.NOT_SENT, NotReached)
    assert taken.sentence == "Not started: before-upgrade."
    assert events_of(journal) == ["begun", "answered", "outcome"]
    assert not journal.entries()[0].was_sent
    assert journal.open_entries() == []


async def test_read_only(served: RunningSandbox, journal: Journal, home: Path) -> None:
    engine = engine_of(served, read_only=True)
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    await engine.aclose()
    assert not home.exists()  # noqa: ASYNC240 - one look at a folder in memory
    assert (taken.entry, taken.journal_problem) == (None, None)
    assert (taken.outcome, type(taken.error), taken.attempts) == (Outcome.NOT_SENT, ReadOnlyRefused, 0)
    assert served.sandbox.ledger.requests == []


async def test_a_wrong_key_is_refused(served: RunningSandbox, journal: Journal) -> None:
    engine = stranger(served.url, served.sandbox.access_key)
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    await engine.aclose()
    assert (taken.outcome, type(taken.error)) == (Outcome.REFUSED, AuthenticationFailed)
    assert creates(served) == (1, 0)
    assert "WRONGsecret" not in repr(taken)
    assert b"WRONGsecret" not in journal.path.read_bytes()


async def test_without_a_journal_nothing_is_written_and_all_goes_on(
    served: RunningSandbox, engine: SearchEngine, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(*_: object) -> None:
        raise AssertionError("something was written")

    monkeypatch.setattr("os.fsync", written)
    served.sandbox.faults.add("createSnapshot", "after", "drop")
    taken = await create_snapshot(engine, REQUEST, sleep=clock.sleep)
    assert (taken.outcome, taken.by_history) == (Outcome.ACCEPTED, True)
    assert (taken.entry, taken.journal_problem) == (None, None)


async def test_it_says_sent_on_disk_before_the_first_byte_leaves(journal: Journal) -> None:
    """Cut off between the byte and the line, nobody would know that something left."""
    seen: list[list[str]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(1)
        seen.append(events_of(journal))
        rest = asyncio.StreamReader()
        rest.feed_data(first)
        while not rest.at_eof():
            rest.feed_data(await reader.read(65536))
            if b"bucketName" in rest._buffer:  # type: ignore[attr-defined]
                rest.feed_eof()
                await read_request(rest)
        writer.write(http())
        await writer.drain()

    async with Listener(talk) as server:
        engine = stranger(server.url)
        taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
        await engine.aclose()
    assert taken.outcome is Outcome.ACCEPTED
    assert seen == [["begun", "sent"]]


async def test_nothing_leaves_when_it_cannot_be_begun(
    served: RunningSandbox, engine: SearchEngine, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalProblem):
        await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal_in(tmp_path / "file"))
    assert served.sandbox.ledger.requests == []


@pytest.fixture
def failing_at(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make the disk fail at the lines that say one of these facts, from the given number of them on."""

    def fail(*facts: str, after: int = 0) -> None:
        real = os.fsync

        def fsync(handle: int) -> None:
            found = events_of(journal)
            if found[-1] in facts and found.count(found[-1]) > after:
                raise OSError(28, "No space left on device")
            real(handle)

        monkeypatch.setattr("os.fsync", fsync)

    return fail


async def test_nothing_leaves_when_sending_cannot_be_written_down(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, failing_at: Callable[..., None]
) -> None:
    failing_at("sent")
    with pytest.raises(JournalUnwritable):
        await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    assert served.sandbox.ledger.requests == []
    (entry,) = journal.open_entries()
    assert not entry.was_sent
    found = await resolve_entry(journal, entry, None)
    assert found is not None
    assert found.verdict is Verdict.NOT_STARTED
    assert locks_of(journal) == []


@pytest.mark.parametrize(
    ("when", "act", "outcome"),
    [
        ("after", None, Outcome.ACCEPTED),
        ("after", "drop", Outcome.ACCEPTED),
        ("before", "drop", Outcome.UNKNOWN),
        ("before", gateway_answer(Table.PERMISSION_DENIED), Outcome.REFUSED),
    ],
)
async def test_a_disk_that_fails_later_changes_nothing_about_the_outcome(  # noqa: PLR0917 - fixtures and a table
    served: RunningSandbox,
    engine: SearchEngine,
    journal: Journal,
    clock: Time,
    failing_at: Callable[..., None],
    when: Any,
    act: Any,
    outcome: Outcome,
) -> None:
    """The user must not hear "failed" of a snapshot that runs."""
    if act is not None:
        served.sandbox.faults.add("createSnapshot", when, act)
    failing_at("answered", "settled", "outcome")
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, sleep=clock.sleep)
    assert taken.outcome is outcome
    assert isinstance(taken.journal_problem, JournalUnwritable)
    assert events_of(journal) == ["begun", "sent"]
    (entry,) = journal.open_entries()
    assert entry.in_doubt, "for whoever reads the journal next"
    assert locks_of(journal) == []


async def test_a_corrected_request_that_cannot_be_written_down_leaves_a_refusal(
    served: RunningSandbox, journal: Journal, failing_at: Callable[..., None]
) -> None:
    """The first one left and was refused for this machine's clock: that is proved, and it is what is told."""
    sandbox = served.sandbox
    keys = Credentials(sandbox.access_key, SecretKey(sandbox.secret_key))
    gateway = GatewayClient(
        Endpoint("public", "KR", served.url, "/api/v2"), keys, environ={}, clock=lambda: time.time() + 3_600
    )
    failing_at("sent", after=1)
    taken = await create_snapshot(SearchEngine(gateway), REQUEST, caller=CALLER, journal=journal)
    await gateway.aclose()
    assert taken.outcome is Outcome.REFUSED
    assert isinstance(taken.error, AuthenticationFailed)
    assert taken.error.what == "The gateway refused the signature, because of this machine's clock."
    assert taken.error.meaning == "The corrected request was not sent: the journal could not be written."
    assert isinstance(taken.journal_problem, JournalUnwritable)
    assert taken.error.next_step == taken.journal_problem.next_step
    assert sandbox.ledger.effects == []
    assert not any(entry.in_doubt for entry in journal.entries())
    assert locks_of(journal) == []


@pytest.mark.parametrize("act", ["create", "resolve"])
async def test_letting_go_of_an_entry_is_no_work_for_the_event_loop(
    engine: SearchEngine, journal: Journal, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """Of a state folder on a network disk that hangs, the screen must not know."""
    if act == "resolve":
        journal.begin(REQUEST, CALLER).release()
    unlink, threads = Path.unlink, list[threading.Thread]()

    def watched(path: Path, *, missing_ok: bool = False) -> None:
        threads.append(threading.current_thread())
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", watched)
    if act == "create":
        await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    else:
        await resolve_entry(journal, journal.entries()[0], None)
    assert threads
    assert threading.main_thread() not in threads
    assert locks_of(journal) == []


async def test_an_answer_that_was_not_written_down_is_tried_again(
    engine: SearchEngine, journal: Journal, failing_at: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its order, and with the outcome; and again for as long as the program runs."""
    failing_at("answered")
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    assert isinstance(taken.journal_problem, JournalUnwritable)
    assert events_of(journal) == ["begun", "sent"]
    monkeypatch.undo()
    assert taken.writer is not None
    await taken.writer.keep_trying()
    assert events_of(journal) == ["begun", "sent", "answered", "outcome"]
    assert journal.open_entries() == []


async def test_what_need_not_be_written_is_sent_and_written_later(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, home: Path
) -> None:
    home.touch()  # noqa: ASYNC240 - one look at a folder in memory
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, must_be_written=False)
    assert (taken.outcome, taken.entry) == (Outcome.ACCEPTED, None)
    assert isinstance(taken.journal_problem, JournalUnwritable)
    assert creates(served) == (1, 1)
    assert taken.writer is not None
    assert not await taken.writer.catch_up()
    home.unlink()  # noqa: ASYNC240

    async def work() -> str:
        assert taken.writer is not None
        while taken.writer.problem is not None:  # noqa: ASYNC110 - nothing tells when it is written
            await asyncio.sleep(0)
        return "done"

    assert await taken.writer.meanwhile(work()) == "done"
    assert events_of(journal) == ["begun", "sent", "answered", "outcome"]
    assert locks_of(journal) == [], "and others may see to it"


async def test_what_is_cut_off_is_written_down_as_unknown(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, home: Path
) -> None:
    """Ctrl-C while the answer is waited for: the journal can be written by now, and must not know nothing of it."""
    left = asyncio.Event()

    async def hang(_: object) -> None:
        loop.call_soon_threadsafe(left.set)
        await asyncio.Event().wait()

    loop = asyncio.get_running_loop()
    served.sandbox.faults.add("createSnapshot", "after", hang)
    home.touch()  # noqa: ASYNC240 - one look at a folder in memory
    taking = asyncio.create_task(
        create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, must_be_written=False)
    )
    await left.wait()
    home.unlink()  # noqa: ASYNC240
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert events_of(journal) == ["begun", "sent"]
    (entry,) = journal.open_entries()
    assert entry.in_doubt


def throttled(retry_after: str | None = None) -> Any:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return gateway_answer(Table.THROTTLED, headers)


@pytest.mark.parametrize(
    ("asked", "shortest", "longest"),
    [("0", (0, 0), (0, 0)), ("2", (2, 2), (2, 2)), (None, (0.8, 1.6), (1.2, 2.4)), ("soon", (0.8, 1.6), (1.2, 2.4))],
)
async def test_a_throttled_create_is_repeated_twice_at_most(  # noqa: PLR0917 - fixtures and a table
    served: RunningSandbox,
    engine: SearchEngine,
    journal: Journal,
    clock: Time,
    asked: str | None,
    shortest: tuple[float, float],
    longest: tuple[float, float],
) -> None:
    """Refused before it had any effect; and the history is looked at before each repetition."""
    served.sandbox.faults.add("createSnapshot", "before", throttled(asked), times=None)
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, sleep=clock.sleep)
    assert (taken.outcome, type(taken.error), taken.attempts) == (Outcome.REFUSED, Throttled, 3)
    assert operations(served) == ["createSnapshot", "getSnapshotHistory"] * 2 + ["createSnapshot"]
    assert creates(served) == (3, 0)
    assert len(clock.pauses) == 2
    assert all(low <= pause <= high for low, pause, high in zip(shortest, clock.pauses, longest, strict=True))
    assert events_of(journal) == ["begun", *["sent", "answered"] * 3, "outcome"]
    assert [line["attempt"] for line in lines_of(journal) if line["fact"] == "sent"] == [1, 2, 3]
    assert journal.open_entries() == []


async def test_a_throttled_create_that_is_let_through_later(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, clock: Time
) -> None:
    served.sandbox.faults.add("createSnapshot", "before", throttled())
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, sleep=clock.sleep)
    assert (taken.outcome, taken.error, taken.attempts, taken.by_history) == (Outcome.ACCEPTED, None, 2, False)
    assert creates(served) == (2, 1)
    assert taken.request_id == served.sandbox.ledger.requests[-1].request_id


async def test_a_throttled_create_that_had_its_effect_is_not_repeated(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, clock: Time
) -> None:
    """A gateway that throttles the answer, and not the request, would make two of one."""
    served.sandbox.faults.add("createSnapshot", "after", throttled("0"))
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, sleep=clock.sleep)
    assert (taken.outcome, taken.by_history, taken.attempts) == (Outcome.ACCEPTED, True, 1)
    assert taken.resolution is not None
    assert taken.resolution.looks == 1
    assert creates(served) == (1, 1)
    assert events_of(journal) == ["begun", "sent", "answered", "settled", "outcome"]
    assert journal.entries()[0].outcome is Outcome.ACCEPTED


async def test_a_throttled_create_is_not_repeated_blindly(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, clock: Time
) -> None:
    served.sandbox.faults.add("createSnapshot", "before", throttled("0"))
    served.sandbox.faults.add("getSnapshotHistory", "before", gateway_answer(Table.ENDPOINT_ERROR), times=None)
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, sleep=clock.sleep)
    assert (taken.outcome, type(taken.error), taken.attempts) == (Outcome.REFUSED, Throttled, 1)
    assert operations(served) == ["createSnapshot", "getSnapshotHistory"]
    assert events_of(journal) == ["begun", "sent", "answered", "outcome"]


async def test_a_repetition_that_is_lost_is_looked_for(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, clock: Time
) -> None:
    served.sandbox.faults.add("createSnapshot", "before", throttled("0"))
    served.sandbox.faults.add("createSnapshot", "after", "drop")
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, sleep=clock.sleep)
    assert (taken.outcome, taken.by_history, taken.attempts) == (Outcome.ACCEPTED, True, 2)
    assert creates(served) == (2, 1)


async def test_a_repetition_that_cannot_be_written_down_is_not_sent(
    served: RunningSandbox,
    engine: SearchEngine,
    journal: Journal,
    clock: Time,
    failing_at: Callable[..., None],
) -> None:
    served.sandbox.faults.add("createSnapshot", "before", throttled("0"), times=None)
    failing_at("sent", after=1)
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, sleep=clock.sleep)
    assert (taken.outcome, type(taken.error), taken.attempts) == (Outcome.REFUSED, Throttled, 1)
    assert isinstance(taken.journal_problem, JournalUnwritable)
    assert creates(served) == (1, 0)
    assert journal.open_entries() == []


async def test_a_used_up_quota_is_not_tried_again(served: RunningSandbox, engine: SearchEngine, clock: Time) -> None:
    served.sandbox.faults.add("createSnapshot", "before", gateway_answer(Table.QUOTA_EXCEEDED))
    taken = await create_snapshot(engine, REQUEST, sleep=clock.sleep)
    assert (taken.outcome, type(taken.error), clock.pauses) == (Outcome.REFUSED, QuotaExceeded, [])
    assert operations(served) == ["createSnapshot"]


async def test_each_signing_for_a_wrong_clock_is_written_down(served: RunningSandbox, journal: Journal) -> None:
    """Two requests leave then, and the first is refused: the journal says `sent` before each."""
    sandbox = served.sandbox
    credentials = Credentials(sandbox.access_key, SecretKey(sandbox.secret_key))
    endpoint = Endpoint("public", "KR", served.url, "/api/v2")
    engine = SearchEngine(GatewayClient(endpoint, credentials, environ={}, clock=lambda: time.time() - 3600))
    taken = await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    await engine.aclose()
    assert taken.outcome is Outcome.ACCEPTED
    assert events_of(journal) == ["begun", "sent", "sent", "answered", "outcome"]
    assert creates(served) == (2, 1)


async def test_cancelled_on_its_way_it_stays_open_and_free(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """Whoever quits in the middle finds it in the journal, and can find out."""
    fault = served.sandbox.faults.add("createSnapshot", "after", "hang")
    task = asyncio.ensure_future(create_snapshot(engine, REQUEST, caller=CALLER, journal=journal))
    await asyncio.to_thread(fault.reached.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert events_of(journal) == ["begun", "sent"]
    (entry,) = journal.open_entries()
    assert entry.in_doubt
    found = await resolve_entry(journal, entry, engine)
    assert found is not None
    assert found.verdict is Verdict.STARTED
    assert creates(served) == (1, 1)


async def test_cancelled_while_it_is_looked_for_it_stays_open_and_free(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    served.sandbox.faults.add("createSnapshot", "before", "drop")
    looking = asyncio.Event()

    async def sleep(_: float) -> None:
        looking.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, sleep=sleep))
    await looking.wait()
    assert journal.hold(journal.entries()[0].id) is None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert events_of(journal) == ["begun", "sent", "answered"]
    held = journal.hold(journal.entries()[0].id)
    assert held is not None
    assert held.entry.in_doubt


async def test_killed_on_its_way_the_next_program_finds_out(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, home: Path
) -> None:
    """The whole promise: kill -9 in the middle, and no second snapshot, and no snapshot unheard of."""
    sandbox = served.sandbox
    fault = sandbox.faults.add("createSnapshot", "after", "hang")
    program = """
import asyncio
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.client import GatewayClient
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.snapshots.create import create_snapshot
url, access_key, secret_key = sys.argv[2].split()
endpoint = Endpoint("public", "KR", url, "/api/v2")
gateway = GatewayClient(endpoint, Credentials(access_key, SecretKey(secret_key)), environ={})
asyncio.run(create_snapshot(SearchEngine(gateway), REQUEST, caller=CALLER, journal=module.Journal(journal_paths)))
"""
    given = f"{served.url} {sandbox.access_key} {sandbox.secret_key}"
    with children(home, program.replace("journal_paths", "paths_in(Path(sys.argv[1]))"), given) as (taking,):
        await asyncio.to_thread(fault.reached.wait, 60)
        (entry,) = journal.open_entries()
        assert await resolve_entry(journal, entry, engine) is None, "it is still waited for"
        with pytest.raises(SecondRequest):
            await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
        taking.kill()
        taking.wait(60)
    with pytest.raises(SecondRequest):
        await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal)
    found = await resolve_entry(journal, entry, engine)
    assert found is not None
    assert found.verdict is Verdict.STARTED
    assert journal.open_entries() == []
    assert creates(served) == (1, 1)


def stranger(url: str, access_key: str = "AK") -> SearchEngine:
    credentials = Credentials(access_key, SecretKey("WRONGsecret0123456789"))
    return SearchEngine(GatewayClient(Endpoint("public", "KR", url, "/api/v2"), credentials, environ={}))


def test_every_error_of_the_gateway_has_an_outcome_that_it_proves() -> None:
    """A class that is added later must decide whether it proves "not started"."""
    kinds = [
        kind for kind in vars(gateway_errors).values() if isinstance(kind, type) and issubclass(kind, GatewayError)
    ]
    for kind in kinds:
        outcome = outcome_of(kind("what"))
        assert (outcome is Outcome.UNKNOWN) == kind.may_have_acted
        assert (outcome is Outcome.NOT_SENT) == issubclass(kind, NotReached | ReadOnlyRefused)


def test_an_outcome_is_a_word_for_scripts() -> None:
    assert json.dumps(list(Outcome)) == '["accepted", "refused", "not_sent", "unknown"]'
    assert CreateResult(REQUEST, Outcome.UNKNOWN, NOW).sentence.endswith("At most one request took effect.")


def test_what_is_told_of_a_create() -> None:
    """Word by word; of one that the history proved, that its answer did not say so."""
    by_history = Resolution(Verdict.STARTED, "the snapshot is in the history (running).")
    cannot_tell = Resolution(Verdict.UNKNOWN, "nobody knows.")
    accepted = "Accepted: NCP is creating before-upgrade."
    unknown = "Unknown whether before-upgrade started. At most one request took effect."
    started = "Started: before-upgrade. No answer confirmed it, but the snapshot is in the history (running)."
    for outcome, settlement, told in (
        (Outcome.ACCEPTED, None, accepted),
        (Outcome.ACCEPTED, cannot_tell, accepted),
        (Outcome.ACCEPTED, by_history, started),
        (Outcome.UNKNOWN, None, unknown),
        (Outcome.UNKNOWN, cannot_tell, unknown),
        (Outcome.REFUSED, None, "Not started: before-upgrade."),
        (Outcome.NOT_SENT, None, "Not started: before-upgrade."),
    ):
        taken = CreateResult(REQUEST, outcome, NOW, resolution=settlement)
        assert taken.sentence == told
        assert taken.by_history is (settlement is by_history)
        assert taken.attempts == 1


def test_how_long_is_waited_after_a_throttled_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the gateway asks for; else a second, then two, by a fifth more or less."""
    error = Throttled("slow down")
    for dice, waits in ((0.0, (0.8, 1.6)), (0.25, (0.9, 1.8)), (1.0, (1.2, 2.4))):
        monkeypatch.setattr("random.random", lambda dice=dice: dice)
        assert (_wait_after(error, 1), _wait_after(error, 2)) == pytest.approx(waits)
    error.retry_after = 0.0
    assert [_wait_after(error, attempts) for attempts in (1, 2)] == [0.0, 0.0]
    assert MOST_REPEATS == 2


async def test_what_the_journal_keeps_of_an_answer(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """All that support asks for later, when nobody has the screen any more."""
    served.sandbox.faults.add(
        "createSnapshot", "before", (400, {"code": 7, "message": "no", "requestId": "r", "result": None})
    )
    refused = await create_snapshot(engine, REQUEST, journal=journal)
    accepted = await create_snapshot(engine, REQUEST, journal=journal)
    assert refused.error is not None
    common = {"id", "fact", "at"}
    answers = [
        {name: value for name, value in line.items() if name not in common}
        for line in lines_of(journal)
        if line["fact"] == "answered"
    ]
    assert answers == [
        {
            "outcome": "refused",
            "request_id": "r",
            "kind": "refused",
            "status": 400,
            "code": "7",
            "what": "NCP refused: no (code 7).",
        },
        {"outcome": "accepted", "request_id": accepted.request_id},
    ]
    assert [entry.caller for entry in journal.entries()] == [Caller("", "", "", "")] * 2


async def test_the_row_of_a_throttled_create_is_found_by_the_gateways_clock(
    served: RunningSandbox, clock: Time
) -> None:
    """This machine's is three minutes fast, which only the answer to the create itself has shown."""
    served.sandbox.faults.add("createSnapshot", "after", throttled("0"))
    credentials = Credentials(served.sandbox.access_key, SecretKey(served.sandbox.secret_key))
    endpoint = Endpoint("public", "KR", served.url, "/api/v2")
    engine = SearchEngine(GatewayClient(endpoint, credentials, environ={}, clock=lambda: time.time() + 180))
    taken = await create_snapshot(
        engine, REQUEST, sleep=clock.sleep, now=lambda: datetime.now(UTC) + timedelta(seconds=180)
    )
    await engine.aclose()
    assert (taken.outcome, taken.by_history, taken.attempts) == (Outcome.ACCEPTED, True, 1)
    assert creates(served) == (1, 1)
    assert operations(served) == ["createSnapshot", "getSnapshotHistory"]


async def test_a_throttled_create_whose_row_may_be_there_is_not_repeated(
    served: RunningSandbox, engine: SearchEngine, clock: Time
) -> None:
    """A row of an hour ago may be of an earlier attempt, or of this one by a clock that is wrong: nobody can tell."""
    assert (await create_snapshot(engine, REQUEST)).outcome is Outcome.ACCEPTED
    served.sandbox.faults.add("createSnapshot", "before", throttled("0"))
    hour_later = datetime.now(UTC) + timedelta(hours=1)
    taken = await create_snapshot(engine, REQUEST, sleep=clock.sleep, now=lambda: hour_later)
    assert (taken.outcome, type(taken.error), taken.attempts) == (Outcome.UNKNOWN, Throttled, 1)
    assert taken.resolution is not None
    assert "may be this snapshot" in taken.resolution.evidence
    assert creates(served) == (2, 1)
