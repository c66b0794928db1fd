"""Finding out what became of a create: only by reading, for a bounded time, and without a guess."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    EndpointError,
    GatewayError,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
)
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.earlier_ends import learn_ends
from ncp_tui.snapshots.journal import Journal, JournalUnwritable
from ncp_tui.snapshots.journal_entry import Doubt, JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Verdict
from ncp_tui.snapshots.resolve import (
    SECONDS,
    Resolution,
    at_best_unknown,
    proved_by_the_journal,
    resolve_entry,
    search_history,
    started_by,
)
from ncp_tui.system.time_zone import KST
from tests.search_engine.scripted import Scripted, engine_of
from tests.snapshots.journals import (
    CALLER,
    REQUEST,
    children,
    events_of,
    hear,
    journal_in,
    lines_of,
    named,
    write_lines,
)
from tests.tables import each_row

ASKED = datetime(2026, 1, 1, 3, 0, 0, tzinfo=UTC)
ENTRY = JournalEntry("a", ASKED, CALLER, REQUEST, events=({"fact": "begun"}, {"fact": "sent"}))


def row(seconds: float = 1.0, message: str = "IN_PROGRESS", name: str = REQUEST.name, idx: int = 7) -> dict[str, Any]:
    at = (ASKED + timedelta(seconds=seconds)).astimezone(KST)
    return {"snapshotName": name, "message": message, "actionDate": f"{at:%Y-%m-%d %H:%M:%S}", "idx": idx}


def rows(*found: dict[str, Any]) -> dict[str, Any]:
    return {"snapshotHistoryResponseList": list(found), "isLast": True}


def gateway_error(status: int, code: str) -> tuple[int, Any]:
    return status, {"error": {"errorCode": code, "message": "M"}}


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


Answers = Callable[[Any], Any]


async def looked(
    answers: Answers | Iterator[Any], entry: JournalEntry = ENTRY, **options: Any
) -> tuple[Resolution, Time, Scripted]:
    transport = Scripted(answers if callable(answers) else lambda _: next(answers))
    time = Time()
    options = {"sleep": time.sleep, "monotonic": time.monotonic, "jitter": lambda: 0.5, **options}
    found = await search_history(transport.engine(), entry, **options)
    assert found.looks == len(transport.requests)
    for request in transport.requests:
        assert request.method == "GET"
        assert "/getSnapshotHistory/" in request.url.path, "nothing but the history is asked for"
    assert found.verdict in {Verdict.STARTED, Verdict.UNKNOWN}, "a history proves nothing by what it lacks"
    return found, time, transport


async def test_the_history_names_it_at_the_first_look() -> None:
    found, time, _ = await looked(lambda _: rows(row()))
    assert (found.verdict, found.looks, time.pauses) == (Verdict.STARTED, 1, [])
    assert found.row is not None
    assert found.evidence == "the snapshot is in the history since 2026-01-01 12:00:01 KST (IN_PROGRESS)."
    assert found.sentence.startswith("Started: the snapshot is in the history")
    assert found.journal_details() == {"verdict": "started", "evidence": found.evidence, "looks": 1}


async def test_a_history_that_lags() -> None:
    """Ruled "not started" at the first look, the user would have taken the second snapshot."""
    told: list[int] = []
    found, time, _ = await looked(iter([rows()] * 5 + [rows(row())]), on_look=told.append)
    assert (found.verdict, found.looks) == (Verdict.STARTED, 6)
    assert time.pauses == [1.0, 2.0, 4.0, 8.0, 15.0]
    assert told == [1, 2, 3, 4, 5, 6]


async def test_a_snapshot_that_failed_was_started_all_the_same() -> None:
    found, _, _ = await looked(lambda _: rows(row(message="FAILED: repository")))
    assert found.verdict is Verdict.STARTED
    assert "FAILED: repository" in found.evidence


@each_row("offset", [None, 0.0, 86_400.0, -86_400.0])
async def test_an_earlier_row_of_the_name_is_not_it(offset: float | None) -> None:
    old = row((offset or 0) - 3600, "SUCCESS")
    entry = JournalEntry("a", ASKED, CALLER, REQUEST, clock_offset=offset, events=ENTRY.events)
    found, _, _ = await looked(lambda _: rows(old, row(name="another")), entry)
    assert found.verdict is Verdict.UNKNOWN
    assert "does not fit the time" in found.evidence, "the history does name it: to deny that would be a lie"
    assert "before you send a second request" in found.next_step
    found, _, _ = await looked(lambda _: rows(old, row((offset or 0) + 1, idx=8)), entry)
    assert found.verdict is Verdict.STARTED
    assert found.row is not None
    assert found.row.index == 8


async def test_a_history_that_never_names_it_proves_nothing() -> None:
    found, time, _ = await looked(lambda _: rows(row(name="another")))
    assert found.verdict is Verdict.UNKNOWN
    assert found.problem is None
    assert f"in {found.looks} checks the history did not have before-upgrade" in found.evidence
    assert "proves nothing" in found.next_step
    assert time.now - 1000.0 <= SECONDS
    assert time.now - 1000.0 >= SECONDS - 5, "there is room for the last look, and for no more"


async def test_a_row_that_disappears_again_was_proof_enough() -> None:
    found, _, _ = await looked(iter([rows(row())]))
    assert found.verdict is Verdict.STARTED


async def test_a_history_that_cannot_be_read_for_a_while() -> None:
    def broken() -> Iterator[Any]:
        yield gateway_error(503, "500")
        yield 200, "<html>"
        yield gateway_error(429, "410")
        yield 500, ""
        yield rows(row())

    found, _, _ = await looked(broken())
    assert (found.verdict, found.looks, found.problem) == (Verdict.STARTED, 5, None)


async def test_a_history_that_can_never_be_read() -> None:
    def away(_: object) -> Any:
        raise httpx.ConnectError("no")

    for answers in (away, lambda _: gateway_error(503, "500"), lambda _: (200, "<html>")):
        found, time, _ = await looked(answers)
        assert found.verdict is Verdict.UNKNOWN
        assert "could not be read" in found.evidence
        assert isinstance(found.problem, GatewayError)
        assert time.now - 1000.0 <= SECONDS


async def test_the_last_look_that_failed_is_told_and_the_others_still_count() -> None:
    def then_broken() -> Iterator[Any]:
        yield rows()
        while True:
            yield gateway_error(503, "500")

    found, _, _ = await looked(then_broken())
    assert "in 1 check the history did not have" in found.evidence
    assert isinstance(found.problem, EndpointError)


@each_row(
    ("answer", "kind"),
    [
        (gateway_error(401, "200"), AuthenticationFailed),
        (gateway_error(401, "210"), PermissionDenied),
        (gateway_error(404, "300"), NotFound),
        (gateway_error(429, "400"), QuotaExceeded),
    ],
)
async def test_what_no_patience_cures_ends_it_at_once(answer: Any, kind: type[GatewayError]) -> None:
    """A wrong key tried again and again locks the account."""
    found, time, _ = await looked(iter([answer]))
    assert (found.verdict, type(found.problem), found.looks) == (Verdict.UNKNOWN, kind, 1)
    assert time.pauses == []
    found, _, _ = await looked(iter([rows(), answer]))
    assert (found.verdict, found.looks) == (Verdict.UNKNOWN, 2)
    assert "in 1 check the history did not have" in found.evidence


ANSWER = st.sampled_from([
    rows(), rows(row(name="another")), rows(row(-5000)), (200, "<html>"), (500, ""), (200, ""),
    gateway_error(503, "500"), gateway_error(504, "510"), gateway_error(429, "410"), gateway_error(403, "230"),
])  # fmt: skip


@given(answers=st.lists(ANSWER, min_size=1), seconds=st.floats(0, 500), dice=st.floats(0, 1))
async def test_it_never_takes_longer_than_it_may_and_never_rules_without_a_row(
    answers: list[Any], seconds: float, dice: float
) -> None:
    turns = iter(range(10_000))
    found, time, _ = await looked(lambda _: answers[next(turns) % len(answers)], seconds=seconds, jitter=lambda: dice)
    assert found.verdict is Verdict.UNKNOWN
    assert time.now - 1000.0 <= seconds + 1e-6
    assert found.looks <= 8 + seconds / 10, "less and less often"
    assert found.evidence
    assert found.next_step


async def test_a_gateway_that_asks_to_be_left_alone_is() -> None:
    class Asking(Scripted):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            answer.headers["retry-after"] = "20"
            return answer

    answers = iter([gateway_error(429, "410"), rows(row())])
    transport, time = Asking(lambda _: next(answers)), Time()
    found = await search_history(transport.engine(), ENTRY, sleep=time.sleep, monotonic=time.monotonic)
    assert (found.verdict, time.pauses) == (Verdict.STARTED, [20.0])


async def test_a_gateway_that_hangs_is_given_up_in_time(served: RunningSandbox) -> None:
    """Its own patience of half a minute for each look must not be added on top."""
    served.sandbox.faults.add("getSnapshotHistory", "before", "hang", times=None)
    engine = engine_of(served)
    started = asyncio.get_running_loop().time()
    found = await search_history(engine, ENTRY, seconds=0.3)
    assert asyncio.get_running_loop().time() - started < 10
    await engine.aclose()
    assert (found.verdict, found.looks) == (Verdict.UNKNOWN, 1)
    assert "could not be read" in found.evidence


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def journal(home: Path) -> Journal:
    return journal_in(home, clock=ASKED.timestamp)


def left_behind(journal: Journal, *facts: tuple[JournalEvent, dict[str, Any]]) -> JournalEntry:
    """An entry of a program that ended in the middle."""
    held = journal.begin(REQUEST, CALLER)
    for fact, details in facts:
        held.record(fact, **details)
    held.release()
    return held.entry


UNKNOWN: list[tuple[JournalEvent, dict[str, Any]]] = [
    (JournalEvent.SENT, {}),
    (JournalEvent.ANSWERED, {"outcome": "unknown"}),
]


async def test_what_was_found_is_written_down(journal: Journal) -> None:
    entry = left_behind(journal, *UNKNOWN)
    transport = Scripted(lambda _: rows(row()))
    found = await resolve_entry(journal, entry, transport.engine())
    assert found is not None
    assert found.verdict is Verdict.STARTED
    line = lines_of(journal)[-1]
    assert {name: line[name] for name in ("id", "fact", "verdict", "looks")} == {
        "id": entry.id,
        "fact": "settled",
        "verdict": "started",
        "looks": 1,
    }
    assert line["evidence"] == found.evidence
    assert journal.open_entries() == []
    assert await resolve_entry(journal, entry, transport.engine()) is None, "it is settled"
    assert len(transport.requests) == 1
    assert events_of(journal).count("settled") == 1


async def test_what_cannot_be_told_stays_open_and_can_be_looked_for_again(journal: Journal) -> None:
    entry = left_behind(journal, *UNKNOWN)
    time = Time()
    options: dict[str, Any] = {"sleep": time.sleep, "monotonic": time.monotonic}
    found = await resolve_entry(journal, entry, Scripted(lambda _: rows()).engine(), **options)
    assert found is not None
    assert found.verdict is Verdict.UNKNOWN
    (again,) = journal.open_entries()
    assert again.in_doubt
    found = await resolve_entry(journal, again, Scripted(lambda _: rows(row())).engine(), **options)
    assert found is not None
    assert found.verdict is Verdict.STARTED
    assert journal.open_entries() == []


@pytest.mark.parametrize(
    ("facts", "verdict", "words"),
    [
        ([], Verdict.NOT_STARTED, "never left"),
        ([(JournalEvent.ANSWERED, {"outcome": "not_sent"})], Verdict.NOT_STARTED, "never left"),
        ([(JournalEvent.SENT, {}), (JournalEvent.ANSWERED, {"outcome": "refused"})], Verdict.NOT_STARTED, "refused"),
        ([(JournalEvent.SENT, {}), (JournalEvent.ANSWERED, {"outcome": "accepted"})], Verdict.STARTED, "accepted"),
    ],
)
async def test_what_the_journal_proves_needs_no_gateway(
    journal: Journal, facts: list[tuple[JournalEvent, dict[str, Any]]], verdict: Verdict, words: str
) -> None:
    found = await resolve_entry(journal, left_behind(journal, *facts), None)
    assert found is not None
    assert (found.verdict, found.looks) == (verdict, 0)
    assert words in found.evidence
    assert events_of(journal)[-1] == "settled"
    assert journal.open_entries() == []


async def test_without_a_gateway_the_rest_is_left_as_it_is(journal: Journal) -> None:
    entry = left_behind(journal, *UNKNOWN)
    assert proved_by_the_journal(entry) is None
    assert await resolve_entry(journal, entry, None) is None
    assert events_of(journal) == ["begun", "sent", "answered"]
    assert journal.hold(entry.id) is not None, "and nobody holds it"


async def test_two_at_once_tell_one_story(journal: Journal) -> None:
    entry = left_behind(journal, *UNKNOWN)
    looking, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        looking.set()
        await go_on.wait()

    answers = iter([rows(), rows(row())])
    first = asyncio.create_task(resolve_entry(journal, entry, Scripted(lambda _: next(answers)).engine(), sleep=sleep))
    await looking.wait()
    other = Scripted(lambda _: rows())
    assert await resolve_entry(journal, entry, other.engine()) is None
    assert other.requests == []
    go_on.set()
    found = await first
    assert found is not None
    assert found.verdict is Verdict.STARTED
    assert events_of(journal) == ["begun", "sent", "answered", "settled"]


async def test_what_another_program_still_waits_for_is_left_alone(journal: Journal, home: Path) -> None:
    program = """
held = journal.begin(REQUEST, CALLER)
held.record(JournalEvent.SENT)
print("sent", flush=True)
threading.Event().wait()
"""
    transport = Scripted(lambda _: rows(row()))
    with children(home, program, "") as (sender,):
        assert await asyncio.to_thread(hear, sender) == "sent"
        (entry,) = journal.open_entries()
        assert await resolve_entry(journal, entry, transport.engine()) is None
        assert transport.requests == []
        sender.kill()
        sender.wait(60)
    found = await resolve_entry(journal, entry, transport.engine())
    assert found is not None
    assert found.verdict is Verdict.STARTED


async def test_of_two_processes_one_resolves(journal: Journal, home: Path) -> None:
    left_behind(journal)
    program = """
import asyncio
from ncp_tui.snapshots.resolve import resolve_entry
(entry,) = journal.entries()
sys.stdin.readline()
found = asyncio.run(resolve_entry(journal, entry, None))
print(found.verdict if found else None, flush=True)
"""
    with children(home, program, *"123") as running:
        said = [await asyncio.to_thread(hear, one) for one in running]
    assert sorted(said) == ["None", "None", "not started"]
    assert events_of(journal) == ["begun", "settled"]


async def test_cancelled_it_stays_open_and_free(journal: Journal) -> None:
    entry = left_behind(journal, *UNKNOWN)
    looking = asyncio.Event()

    async def sleep(_: float) -> None:
        looking.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(resolve_entry(journal, entry, Scripted(lambda _: rows()).engine(), sleep=sleep))
    await looking.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert events_of(journal) == ["begun", "sent", "answered"]
    assert journal.hold(entry.id) is not None


async def test_a_verdict_that_cannot_be_written_down_is_a_problem(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = left_behind(journal, *UNKNOWN)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(JournalUnwritable):
        await resolve_entry(journal, entry, Scripted(lambda _: rows(row())).engine())
    monkeypatch.undo()
    assert journal.hold(entry.id) is not None
    assert [entry.in_doubt for entry in journal.entries()] == [True]


async def test_an_entry_that_is_gone_is_nobodys(journal: Journal) -> None:
    entry = left_behind(journal)
    write_lines(journal)
    journal.begin(named("another"), CALLER).release()
    assert await resolve_entry(journal, entry, None) is None


def test_what_damage_touches_is_at_best_unknown() -> None:
    """The lines that are lost may have said which row is its own: a row of the name proves nothing of it any more."""
    row = HistoryEntry(ENTRY.request.name, bucket=ENTRY.request.bucket, at=ASKED, message="SUCCESS", index=9)
    sound = started_by(row, 1)
    assert at_best_unknown(ENTRY, sound, []) == sound
    for doubt in (Doubt(is_named=True), Doubt(is_named=False)):
        found = at_best_unknown(replace(ENTRY, doubt=doubt), sound, [])
        assert found.verdict is Verdict.UNKNOWN
        assert "the snapshot is in the history" in found.evidence
        assert "damaged" in found.evidence
        assert found.row == row


def test_what_is_told_of_what_was_found_out() -> None:
    """Word by word: by these sentences somebody decides whether to ask for the same snapshot once more."""
    sent = {"fact": "sent"}
    by_journal = {
        "Not started: the journal shows that the request never left this machine. "
        "before-upgrade can be requested again.": (),
        "Not started: NCP refused the request, as the journal shows. before-upgrade is still free.": (
            sent,
            {"fact": "answered", "outcome": "refused"},
        ),
        "Started: NCP accepted the request, as the journal shows. Follow the snapshot in the history.": (
            sent,
            {"fact": "answered", "outcome": "accepted"},
        ),
    }
    for told, facts in by_journal.items():
        found = proved_by_the_journal(replace(ENTRY, events=({"fact": "begun"}, *facts)))
        assert found is not None
        assert (found.sentence, found.looks, found.row, found.problem) == (told, 0, None, None)
    assert Resolution(Verdict.STARTED, "it is there.").sentence == "Started: it is there."
    found_row = HistoryEntry(REQUEST.name, at=ASKED.astimezone(KST), message="IN_PROGRESS")
    for known, told in (
        (
            found_row,
            (
                "Started: the snapshot is in the history since 2026-01-01 12:00:00 KST (IN_PROGRESS). "
                "Do not send a second request."
            ),
        ),
        (
            replace(found_row, at=None, message=""),
            "Started: the snapshot is in the history (running). Do not send a second request.",
        ),
    ):
        assert started_by(known, 3).sentence == told
        assert (started_by(known, 3).row, started_by(known, 3).looks) == (known, 3)
        assert at_best_unknown(
            replace(ENTRY, doubt=Doubt(is_named=True)), started_by(known, 1), []
        ).sentence == told.replace("Started", "Unknown").replace(
            ". Do not send a second request.",
            ", but the journal is damaged where it may have said more. Check the row in the history before you send "
            "a second request.",
        )


async def test_what_is_told_where_nobody_can_tell() -> None:
    left = "Unknown: no answer confirmed the request, and "
    lag = "That proves nothing: the history may lag. Check again in a few minutes, before you create another one."
    unread = f"{left}the history could not be read. "
    nameless = replace(ENTRY, request=replace(REQUEST, cluster_name=""))
    cases: list[tuple[Any, JournalEntry, float, str]] = [
        (rows(), ENTRY, 0, f"{left}in 1 check the history did not have before-upgrade. {lag}"),
        (rows(), ENTRY, 5, f"{left}in 4 checks the history did not have before-upgrade. {lag}"),
        (rows(row(-90_000)), ENTRY, 0, (f"{left}in 1 check the history had only another row of "
         f"before-upgrade: it is dated 2025-12-31 11:00:00 KST, before the request. {lag}")),
        (rows(row(-3600)), ENTRY, 0, ("Unknown: the history has a row of before-upgrade that may be this snapshot: its "
         "date 2026-01-01 11:00:00 KST does not fit the time of the request. The row may "
         "also be an earlier snapshot. Check it in the NCP console before you send a second request.")),
        (gateway_error(401, "210"), ENTRY, 60, (f"{unread}The key is valid but lacks permission for this (401/210: M). "
         "Check the history of search-0001 once that is fixed.")),
        (gateway_error(503, "500"), nameless, 0, (f"{unread}The gateway could not reach its backend "
         "(503/500: M). Check the history of 1037001 once that is fixed.")),
    ]  # fmt: skip
    for answer, entry, seconds, told in cases:
        found, _, _ = await looked(itertools.repeat(answer), entry, seconds=seconds)
        assert found.sentence == told
        assert found.row is None


async def test_the_pauses_between_the_looks() -> None:
    """Each is twice as long as the one before, up to 15 s, and by a fifth shorter or longer; one look is the last."""
    for seconds, dice, pauses in (
        (0, 0.5, []),
        (5, 0.5, [1.0, 2.0, 1.5]),
        (20, 0.0, [0.8, 1.6, 3.2, 6.4, 6.0]),
        (20, 1.0, [1.2, 2.4, 4.8, 9.6]),
        (60, 0.0, [0.8, 1.6, 3.2, 6.4, 12.0, 12.0, 12.0, 7.0]),
        (60, 1.0, [1.2, 2.4, 4.8, 9.6, 18.0, 18.0, 1.0]),
        (100, 0.5, [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0, 15.0, 5.0]),
    ):
        found, time, _ = await looked(lambda _: rows(), seconds=seconds, jitter=lambda dice=dice: dice)
        assert time.pauses == pytest.approx(pauses)
        assert found.looks == len(pauses) + 1


async def test_a_timer_that_is_a_moment_early_makes_no_further_look() -> None:
    time = Time()

    async def wakes_early(pause: float) -> None:
        await time.sleep(pause - 0.001)

    found, _, _ = await looked(lambda _: rows(), sleep=wakes_early, monotonic=time.monotonic)
    assert found.looks == 8


ACCEPTED: list[tuple[JournalEvent, dict[str, Any]]] = [
    (JournalEvent.SENT, {}),
    (JournalEvent.OUTCOME, {"outcome": "accepted"}),
]


async def test_how_an_earlier_create_of_the_same_snapshot_ended_is_learned(journal: Journal) -> None:
    """It decides whether the next one is a second: only where the history has its very row, and that has ended."""
    entry = left_behind(journal, *ACCEPTED)
    before = events_of(journal)

    async def learn(answer: Any, history: Any = None, request: Any = REQUEST) -> int:
        """How often the history was read."""
        transport = Scripted(lambda _: answer)
        await learn_ends(
            transport.engine(), journal, request, CALLER.gateway, history, now=lambda: ASKED + timedelta(minutes=5)
        )
        return len(transport.requests)

    assert await learn(rows(row(message="SUCCESS")), request=named("another")) == 0, "that is none of its own"
    assert await learn(rows(row(message="IN_PROGRESS"))) == 1
    assert await learn(rows(row(-3600, "SUCCESS"))) == 1
    assert await learn(rows(row(message="SUCCESS", name="another"))) == 1
    assert await learn(gateway_error(401, "210")) == 1
    assert await learn(rows(row(message="SUCCESS")), history=[]) == 0, "who asks has read it already"
    assert events_of(journal) == before
    assert await learn(rows(row(message="FAILED: repository"))) == 1
    assert events_of(journal) == [*before, "finished"]
    line = lines_of(journal)[-1]
    assert (line["id"], line["state"], line["message"]) == (entry.id, "failed", "FAILED: repository")
    assert await learn(rows(row(message="SUCCESS"))) == 0, "it is known now"
    assert events_of(journal) == [*before, "finished"]
