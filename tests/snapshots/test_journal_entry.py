"""What a sequence of events proves: the journal is read by a program that knows nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.search_engine.operations import CREATE_SNAPSHOT, NUMBER
from ncp_tui.snapshots.journal_entry import (
    Doubt,
    JournalEntry,
    JournalEvent,
    entries_of,
    parameters_and_context,
    read_entries,
)
from ncp_tui.snapshots.journal_file import NAME, Damage, JournalLine, Reading
from ncp_tui.snapshots.outcome import Outcome, SnapshotRequest, Verdict
from tests.snapshots.journals import CALLER, REQUEST, begun
from tests.tables import each_row

ENTRY = JournalEntry("a", datetime(2026, 1, 1, tzinfo=UTC), CALLER, REQUEST)
BEGUN: dict[str, Any] = {"fact": "begun"}
SENT = {"fact": "sent", "attempt": 1}
ACCEPTED = {"fact": "answered", "outcome": "accepted", "request_id": "rid"}
REFUSED = {"fact": "answered", "outcome": "refused", "kind": "throttled"}
AMBIGUOUS = {"fact": "answered", "outcome": "unknown"}
NOT_REACHED = {"fact": "answered", "outcome": "not_sent"}
CANNOT_TELL = {"fact": "settled", "verdict": "unknown"}
STARTED = {"fact": "settled", "verdict": "started"}
NOT_STARTED = {"fact": "settled", "verdict": "not started"}
FINISHED = {"fact": "finished", "state": "success"}
DISMISSED = {"fact": "dismissed"}
LATER = {"fact": "invented-later", "outcome": "accepted", "verdict": "started"}


def concluded(outcome: str) -> dict[str, Any]:
    return {"fact": "outcome", "outcome": outcome}


def of(*facts: dict[str, Any]) -> JournalEntry:
    return replace(ENTRY, events=facts)


# The events after `begun`; was it sent, the outcome, is it open, in doubt, under way.
TABLE: list[tuple[list[dict[str, Any]], tuple[bool, Outcome, bool, bool, bool]]] = [
    # Killed at each step of the way.
    ([], (False, Outcome.NOT_SENT, True, False, False)),
    ([SENT], (True, Outcome.UNKNOWN, True, True, False)),
    ([SENT, ACCEPTED], (True, Outcome.ACCEPTED, True, False, True)),
    ([SENT, REFUSED], (True, Outcome.REFUSED, True, False, False)),
    ([SENT, AMBIGUOUS], (True, Outcome.UNKNOWN, True, True, False)),
    ([NOT_REACHED], (False, Outcome.NOT_SENT, True, False, False)),
    # Brought to its end.
    ([SENT, ACCEPTED, concluded("accepted")], (True, Outcome.ACCEPTED, False, False, True)),
    ([SENT, REFUSED, concluded("refused")], (True, Outcome.REFUSED, False, False, False)),
    ([NOT_REACHED, concluded("not_sent")], (False, Outcome.NOT_SENT, False, False, False)),
    ([SENT, AMBIGUOUS, CANNOT_TELL, concluded("unknown")], (True, Outcome.UNKNOWN, True, True, False)),
    ([SENT, AMBIGUOUS, STARTED, concluded("accepted")], (True, Outcome.ACCEPTED, False, False, True)),
    # The answer could not be written down, the outcome could.
    ([SENT, concluded("accepted")], (True, Outcome.ACCEPTED, False, False, True)),
    # Sent again after a throttled request: what was known before says nothing about this one.
    ([SENT, REFUSED, SENT], (True, Outcome.UNKNOWN, True, True, False)),
    ([SENT, REFUSED, SENT, ACCEPTED], (True, Outcome.ACCEPTED, True, False, True)),
    ([SENT, REFUSED, NOT_REACHED], (True, Outcome.NOT_SENT, True, False, False)),
    ([SENT, SENT, REFUSED], (True, Outcome.REFUSED, True, False, False)),
    # Settled later, by the next program.
    ([NOT_STARTED], (False, Outcome.NOT_SENT, False, False, False)),
    ([SENT, CANNOT_TELL], (True, Outcome.UNKNOWN, True, True, False)),
    ([SENT, CANNOT_TELL, CANNOT_TELL, STARTED], (True, Outcome.ACCEPTED, False, False, True)),
    ([SENT, STARTED, CANNOT_TELL], (True, Outcome.ACCEPTED, False, False, True)),
    ([SENT, REFUSED, NOT_STARTED], (True, Outcome.REFUSED, False, False, False)),
    ([SENT, ACCEPTED, STARTED], (True, Outcome.ACCEPTED, False, False, True)),
    # The end, and the user's own word.
    ([SENT, ACCEPTED, concluded("accepted"), FINISHED], (True, Outcome.ACCEPTED, False, False, False)),
    ([SENT, ACCEPTED, concluded("accepted"), DISMISSED], (True, Outcome.ACCEPTED, False, False, False)),
    ([SENT, AMBIGUOUS, concluded("unknown"), DISMISSED], (True, Outcome.UNKNOWN, False, False, False)),
    # What is closed and then sent, against all rules, is open again.
    ([concluded("not_sent"), SENT], (True, Outcome.UNKNOWN, True, True, False)),
    ([SENT, ACCEPTED, FINISHED, SENT], (True, Outcome.UNKNOWN, True, True, False)),
    # Words of a later version prove nothing.
    ([SENT, LATER], (True, Outcome.UNKNOWN, True, True, False)),
    ([SENT, {"fact": "answered", "outcome": "postponed"}], (True, Outcome.UNKNOWN, True, True, False)),
    ([SENT, {"fact": "settled", "verdict": "perhaps"}], (True, Outcome.UNKNOWN, True, True, False)),
    ([SENT, {"fact": "outcome"}], (True, Outcome.UNKNOWN, True, True, False)),
]


@each_row(("facts", "says"), TABLE)
def test_what_the_facts_prove(facts: list[dict[str, Any]], says: tuple[bool, Outcome, bool, bool, bool]) -> None:
    entry = of(BEGUN, *facts)
    assert (entry.was_sent, entry.outcome, entry.is_open, entry.in_doubt, entry.is_under_way) == says
    verdicts = {Outcome.ACCEPTED: Verdict.STARTED, Outcome.UNKNOWN: Verdict.UNKNOWN}
    assert entry.verdict is verdicts.get(entry.outcome, Verdict.NOT_STARTED)


def test_the_request_id_is_the_newest_and_the_state_the_last() -> None:
    assert (of(BEGUN, SENT).request_id, of(BEGUN, SENT).state) == (None, None)
    later = {"fact": "answered", "request_id": None}
    entry = of(BEGUN, SENT, ACCEPTED, later, FINISHED, {"fact": "finished", "state": "failed"})
    assert (entry.request_id, entry.state) == ("rid", "failed")


ANY_FACT = st.sampled_from([
    SENT, ACCEPTED, REFUSED, AMBIGUOUS, NOT_REACHED, CANNOT_TELL, STARTED, NOT_STARTED, FINISHED, DISMISSED, LATER,
    *(concluded(outcome) for outcome in Outcome), {"fact": "answered"}, {"fact": "settled", "verdict": []},
])  # fmt: skip
CLOSING = {
    JournalEvent.ANSWERED,
    JournalEvent.RESOLVED,
    JournalEvent.OUTCOME,
    JournalEvent.FINISHED,
    JournalEvent.DISMISSED,
}


@given(st.lists(ANY_FACT, max_size=8))
def test_a_request_of_which_nothing_was_learned_is_always_in_doubt(facts: list[dict[str, Any]]) -> None:
    """Else its name would be free for a second snapshot."""
    kinds = [fact["fact"] for fact in facts]
    entry = of(BEGUN, *facts)
    if JournalEvent.SENT in kinds:
        since = set(kinds[len(kinds) - kinds[::-1].index(JournalEvent.SENT) :])
        if not since & CLOSING:
            assert entry.in_doubt
            assert entry.verdict is Verdict.UNKNOWN
    else:
        assert not entry.was_sent
    if entry.in_doubt:
        assert entry.is_open
        assert entry.was_sent or any(
            fact.get("fact") in {JournalEvent.ANSWERED, JournalEvent.OUTCOME} for fact in facts
        )


@given(st.lists(ANY_FACT, max_size=8), st.sampled_from([CANNOT_TELL, LATER, {"fact": "settled"}]))
def test_a_look_that_found_nothing_changes_nothing(facts: list[dict[str, Any]], look: dict[str, Any]) -> None:
    before, after = of(BEGUN, *facts), of(BEGUN, *facts, look)
    assert (after.outcome, after.is_open, after.in_doubt) == (before.outcome, before.is_open, before.in_doubt)


def test_lines_of_several_creates_may_be_mixed() -> None:
    of_others = [{"id": "b", **SENT}, {"id": "headless", **SENT}]
    lines = [begun("a"), begun("b"), {"id": "a", **SENT}, *of_others, {"id": "a", **REFUSED}]
    first, second = read_entries(lines)
    assert (first.id, first.outcome) == ("a", Outcome.REFUSED)
    assert (second.id, second.outcome) == ("b", Outcome.UNKNOWN)


DAMAGED: list[tuple[Doubt, list[dict[str, Any]], tuple[Outcome, bool, bool, bool]]] = [
    # Somewhere, and nobody knows what it was about: what was accepted stays so, and nothing proves the contrary.
    (Doubt(is_named=False), [], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=False), [SENT, REFUSED, concluded("refused")], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=False), [NOT_REACHED, concluded("not_sent")], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=False), [NOT_STARTED], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=False), [SENT, ACCEPTED], (Outcome.ACCEPTED, True, False, True)),
    (Doubt(is_named=False), [SENT, ACCEPTED, concluded("accepted")], (Outcome.ACCEPTED, False, False, True)),
    (Doubt(is_named=False), [SENT, STARTED], (Outcome.ACCEPTED, False, False, True)),
    (Doubt(is_named=False), [SENT, DISMISSED], (Outcome.UNKNOWN, False, False, False)),
    # About this one: only a look at the history since then proves anything, and the user's word closes it.
    (Doubt(is_named=True, after=2), [SENT, ACCEPTED, concluded("accepted")], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=True, after=4), [SENT, ACCEPTED, concluded("accepted")], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=True, after=2), [SENT, STARTED], (Outcome.ACCEPTED, False, False, True)),
    (Doubt(is_named=True, after=3), [SENT, STARTED], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=True, after=2), [SENT, FINISHED], (Outcome.ACCEPTED, False, False, False)),
    (Doubt(is_named=True, after=3), [SENT, FINISHED], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=True, after=2), [SENT, CANNOT_TELL], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=True, after=2), [SENT, NOT_STARTED], (Outcome.UNKNOWN, True, True, False)),
    (Doubt(is_named=True, after=3), [SENT, DISMISSED], (Outcome.UNKNOWN, False, False, False)),
    (Doubt(is_named=True, after=2), [SENT, STARTED, DISMISSED], (Outcome.ACCEPTED, False, False, False)),
]


@each_row(("doubt", "facts", "says"), DAMAGED)
def test_what_the_facts_prove_where_the_journal_is_damaged(
    doubt: Doubt, facts: list[dict[str, Any]], says: tuple[Outcome, bool, bool, bool]
) -> None:
    entry = replace(of(BEGUN, *facts), doubt=doubt)
    assert (entry.outcome, entry.is_open, entry.in_doubt, entry.is_under_way) == says
    assert entry.was_sent, "a line that is lost may have said so"
    assert (entry.state == "success") is (doubt.after == 2 and FINISHED in facts)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEN_YEARS = 10 * 366 * 86_400.0
FIRST_LINES: list[tuple[str, Any, str, Any]] = [
    ("at", "2026-01-01T03:00:00+09:00", "at", datetime(2025, 12, 31, 18, tzinfo=UTC)),
    ("at", "2026-01-01T03:00:00", "at", datetime(2026, 1, 1, 3, tzinfo=UTC)),
    ("at", "1970-01-01T00:00:05+00:00", "at", EPOCH + timedelta(seconds=5)),
    ("at", "8999-01-01T00:00:00+00:00", "at", datetime(8999, 1, 1, tzinfo=UTC)),
    ("at", "1969-12-31T00:00:00+00:00", "at", EPOCH),
    ("at", "9000-01-01T00:00:00+00:00", "at", EPOCH),
    ("at", "soon", "at", EPOCH),
    ("at", 5, "at", EPOCH),
    ("clock_offset", 3600, "clock_offset", 3600.0),
    ("clock_offset", -1.5, "clock_offset", -1.5),
    ("clock_offset", TEN_YEARS - 1, "clock_offset", TEN_YEARS - 1),
    ("clock_offset", TEN_YEARS, "clock_offset", None),
    ("clock_offset", -TEN_YEARS, "clock_offset", None),
    ("clock_offset", True, "clock_offset", None),
    ("clock_offset", "3600", "clock_offset", None),
    ("process", 4711, "process", 4711),
    ("process", "4711", "process", 0),
    ("seen_before", [], "seen_before", frozenset()),
    ("seen_before", [[7, "2026"], [8]], "seen_before", frozenset({(7, "2026")})),
    ("seen_before", [["7", "2026"], [8, 9], 5], "seen_before", frozenset({(8, "9")})),
    ("seen_before", None, "seen_before", None),
    ("seen_before", "7", "seen_before", None),
    ("seen_before", {}, "seen_before", None),
]


@each_row(("field", "value", "attribute", "says"), FIRST_LINES)
def test_what_a_first_line_says_and_what_it_cannot(field: str, value: Any, attribute: str, says: Any) -> None:
    """By these, which row of the history is its own is decided: a value that makes no sense is as good as none."""
    (entry,) = read_entries([{**begun("a"), field: value}])
    assert getattr(entry, attribute) == says
    assert type(getattr(entry, attribute)) is type(says)
    (entry,) = read_entries([{name: known for name, known in begun("a").items() if name != "process"}])
    assert entry.process == JournalEntry("a", EPOCH, CALLER, REQUEST).process == 0


def test_a_fact_without_an_id_or_a_kind_is_none() -> None:
    odd: list[dict[str, Any]] = [{"fact": "sent"}, {"id": 5, "fact": "sent"}, {"id": "a"}, {"id": "a", "fact": 5}, {}]
    (entry,) = read_entries([begun("a"), *odd])
    assert (len(entry.events), entry.outcome) == (1, Outcome.NOT_SENT)


def line(entry: str, event: str, **context: Any) -> JournalLine:
    """Of the create `entry` of a snapshot of that name, with a parameter that only a later version knows."""
    parameters = {NUMBER: "1", NAME: entry, "later": 1}
    return JournalLine(1, entry, event, "2026-01-01T00:00:00+00:00", CREATE_SNAPSHOT, parameters, context=context)


A, B = ("1", "a"), ("1", "b")
LINES = (line("a", "begun"), line("b", "begun"), line("a", "sent"), line("b", "sent"))
NAMED, ANY = partial(Doubt, is_named=True), Doubt(is_named=False)


@each_row(
    ("damages", "of_a", "of_b"),
    [
        ([], None, None),
        # What names nothing may be about all that had begun before it.
        ([Damage("m", "", 0)], None, None),
        ([Damage("m", "", 1)], ANY, None),
        ([Damage("m", "", 2)], ANY, ANY),
        # What names one, by its id before its snapshot, is about that one; it counts its events before the last damage.
        ([Damage("m", "", 3, frozenset({"a"}))], NAMED(after=2), None),
        ([Damage("m", "", 2, frozenset({"a"}))], NAMED(after=1), None),
        ([Damage("m", "", 3, frozenset(), frozenset({B}))], None, NAMED(after=1)),
        ([Damage("m", "", 3, frozenset({"a"}), frozenset({B}))], NAMED(after=2), None),
        ([Damage("m", "", 4, frozenset(), frozenset({A, B}))], NAMED(after=2), NAMED(after=2)),
        ([Damage("m", "", 0, frozenset({"a"})), Damage("n", "", 4, frozenset({"a"}))], NAMED(after=2), None),
        ([Damage("m", "", 0, frozenset({"a"})), Damage("n", "", 2)], NAMED(after=0), ANY),
    ],
)
def test_which_doubt_damage_casts_on_a_create(damages: list[Damage], of_a: Doubt | None, of_b: Doubt | None) -> None:
    for accepted, unaccepted in ((tuple(damages), ()), ((), tuple(damages)), (tuple(damages[:1]), tuple(damages[1:]))):
        first, second = entries_of(Reading(LINES, unaccepted, accepted, 5))
        assert (first.doubt, second.doubt) == (of_a, of_b)
        assert (first.key, second.key) == (A, B)


def test_a_create_whose_first_line_is_lost_is_known_by_its_others() -> None:
    """As far as they say what was asked for; an event of the file is none, and another operation is no create."""
    file = JournalLine(1, "", "compacted", "2026-01-01")
    other = replace(line("c", "begun"), operation="changeNodeCount")
    nameless = replace(line("d", "sent"), parameters={NUMBER: "1"})
    another, entry = entries_of(Reading((file, other, nameless, line("b", "sent")), (), (), 5))
    assert (another.is_create, another.key, another.subject) == (False, ("1", "changeNodeCount"), "changeNodeCount")
    assert (entry.id, entry.key, entry.outcome) == ("b", B, Outcome.UNKNOWN)
    assert entry.request == SnapshotRequest("1", "", "b", "")


def test_a_first_fact_is_taken_apart_as_it_was_put_together() -> None:
    fact = {"id": "a", "fact": "begun", "at": "2026", "cluster": "1", "name": "n", "profile": "prod"}
    assert parameters_and_context(fact) == ({NUMBER: "1", NAME: "n"}, {"profile": "prod"})
