"""What stops a create as the second of its snapshot, and what it takes to send it all the same."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ncp_tui.problem import NextAction
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.earlier_requests import (
    Earlier,
    EarlierState,
    Intent,
    SecondRequest,
    earlier_request,
    is_of,
    stops,
)
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.system.time_zone import KST
from tests.snapshots.journals import CALLER, REQUEST
from tests.tables import each_row

AT = datetime(2026, 1, 1, 3, tzinfo=UTC)
BEGUN: dict[str, Any] = {"fact": "begun"}
SENT = {"fact": "sent"}
ACCEPTED, REFUSED = ({"fact": "outcome", "outcome": outcome} for outcome in ("accepted", "refused"))
SUCCESS, FAILED = ({"fact": "finished", "state": state} for state in ("success", "failed"))


def entry(*facts: dict[str, Any], key: str = "a", minutes: int = 0, process: int | None = None) -> JournalEntry:
    own = os.getpid() if process is None else process
    return JournalEntry(key, AT + timedelta(minutes=minutes), CALLER, REQUEST, own, events=(BEGUN, *facts))


def row(message: str, **more: Any) -> HistoryEntry:
    return HistoryEntry(**{"snapshot": REQUEST.name, "at": AT.astimezone(KST), "message": message, "index": 7, **more})


def found(
    entries: list[JournalEntry], rows: list[HistoryEntry] | None = None, **options: Any
) -> tuple[str, str] | None:
    earlier = earlier_request(REQUEST, CALLER.gateway, entries, rows, **options)
    return None if earlier is None else (earlier.source, earlier.state.value)


@each_row(
    ("facts", "free", "held"),
    [
        ([], None, "under_way"),
        ([SENT], "unknown", "under_way"),
        ([SENT, REFUSED], None, None),
        ([SENT, ACCEPTED], "accepted", "accepted"),
        ([SENT, ACCEPTED, SUCCESS], "succeeded", "succeeded"),
        ([SENT, ACCEPTED, FAILED], None, None),
        ([SENT, {"fact": "answered", "outcome": "refused"}], None, "under_way"),
        ([SENT, {"fact": "dismissed"}], "unknown", "unknown"),
    ],
)
def test_what_the_journal_says_against_it(facts: list[dict[str, Any]], free: str | None, held: str | None) -> None:
    assert found([entry(*facts)]) == (free and ("journal", free))
    assert found([entry(*facts)], is_held=lambda _: True) == (held and ("journal", held))


@each_row(
    ("message", "says"), [("SUCCESS", "succeeded"), ("IN_PROGRESS", "running"), ("FAILED", None), ("what?", "unknown")]
)
def test_what_the_history_says_against_it(message: str, says: str | None) -> None:
    assert found([], [row(message)]) == (says and ("history", says))
    assert stops(row(message), REQUEST) is (says is not None)
    for other in (row(message, snapshot="another"), row(message, cluster_number="7"), row(message, cluster_name="x")):
        assert found([], [other]) is None
    assert found([], None) is None


def test_what_another_program_began_after_the_user_had_asked_stops_it_too() -> None:
    """Both were asked for once: the second to come does not send, whatever became of the first."""
    own = os.getpid()
    for process, minutes, says in (
        (own + 1, 0, ("journal", "not_started")),
        (own + 1, 1, ("journal", "not_started")),
        (own + 1, -1, None),
        (own, 1, None),
    ):
        assert found([entry(SENT, REFUSED, process=process, minutes=minutes)], asked_at=AT) == says
        assert found([entry(SENT, REFUSED, process=process, minutes=minutes)]) is None


def test_the_newest_is_told_and_the_journal_before_the_history() -> None:
    older, newer = entry(SENT, key="older"), entry(SENT, ACCEPTED, key="newer", minutes=5)
    for entries in ([older, newer], [newer, older]):
        earlier = earlier_request(REQUEST, CALLER.gateway, entries, [row("SUCCESS", at=AT + timedelta(days=1))])
        assert earlier is not None
        assert (earlier.source, earlier.state, earlier.at) == ("journal", EarlierState.ACCEPTED, newer.at)
    rows = [row("SUCCESS"), row("IN_PROGRESS", at=AT + timedelta(hours=1)), row("SUCCESS", at=None)]
    assert found([], rows) == ("history", "running")


def test_a_yes_covers_exactly_what_was_known_when_it_was_said() -> None:
    known = [entry(SENT), entry(SENT, ACCEPTED, key="b")]

    def stopped(entries: list[JournalEntry], rows: list[HistoryEntry] | None = None, again: str | None = None) -> str:
        try:
            Intent(REQUEST, CALLER, rows, again).check(entries)
        except SecondRequest as stopping:
            return stopping.earlier.id
        return ""

    told = stopped(known)
    assert len(told) == 12
    assert stopped(known[::-1]) == told
    assert not stopped(known, again=told)
    for entries, rows in (
        (known[:1], None),
        ([*known, entry(SENT, key="c")], None),
        ([known[0], entry(SENT, ACCEPTED, SUCCESS, key="b")], None),
        (known, [row("SUCCESS")]),
    ):
        assert stopped(entries, rows, told) not in {"", told}
    other = Intent(replace(REQUEST, name="another"), CALLER)
    other.check(known)
    assert is_of(known[0], REQUEST, CALLER.gateway)
    assert not is_of(known[0], other.request, CALLER.gateway)
    assert not is_of(known[0], replace(REQUEST, cluster_number="7"), CALLER.gateway)


WAIT = NextAction("snapshot.wait", {"cluster": "search-0001", "name": "before-upgrade"})
RESOLVE = NextAction("snapshot.resolve")
AGAIN = NextAction("snapshot.again", {"id": "abc"})
WORDS: list[tuple[EarlierState, str, str, tuple[NextAction, ...]]] = [
    (EarlierState.SUCCEEDED, "has succeeded", "Use another name.", ()),
    (EarlierState.RUNNING, "is running", "", (WAIT,)),
    (EarlierState.ACCEPTED, "was accepted, and its end is not known", "", (WAIT,)),
    (
        EarlierState.UNDER_WAY,
        "is being sent or resolved at this moment, here or in another ncp-tui",
        "",
        (WAIT,),
    ),
    (EarlierState.UNKNOWN, "may have started", "Use another name.", (RESOLVE,)),
    (
        EarlierState.NOT_STARTED,
        "was made by another ncp-tui at the same time, and started nothing",
        "See what the other ncp-tui said.",
        (),
    ),
]


@each_row(("state", "words", "step", "actions"), WORDS)
def test_what_is_told_of_the_earlier_request(
    state: EarlierState, words: str, step: str, actions: tuple[NextAction, ...]
) -> None:
    problem = SecondRequest(Earlier("abc", "journal", state, AT), REQUEST)
    assert problem.what == (
        f"before-upgrade on search-0001 was requested before: the request of 2026-01-01 03:00:00 UTC {words}."
    )
    assert problem.meaning == "Nothing was sent: it would be a second request for the same snapshot."
    assert (problem.next_step, problem.actions) == (step, (*actions, AGAIN))
    assert problem.earlier.document() == {
        "id": "abc",
        "source": "journal",
        "state": state.value,
        "at": "2026-01-01T03:00:00+00:00",
    }
    undated = Earlier("abc", "history", state, None)
    assert (undated.words, undated.document()["at"]) == (f"request {words}", None)
