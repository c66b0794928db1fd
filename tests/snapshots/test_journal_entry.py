"""What a sequence of facts proves: the journal is read by a program that knows nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.snapshots import Fact, JournalEntry, Outcome, Verdict
from ncp_tui.snapshots.journal_entry import read_entries
from tests.snapshots.journals import CALLER, REQUEST, begun
from tests.tables import each_row

ENTRY = JournalEntry("a", datetime(2026, 1, 1, tzinfo=UTC), CALLER, REQUEST)
BEGUN: dict[str, Any] = {"fact": "begun"}
SENT = {"fact": "sent", "attempt": 1}
ACCEPTED = {"fact": "answered", "outcome": "accepted", "request_id": "rid"}
REFUSED = {"fact": "answered", "outcome": "refused", "kind": "throttled"}
AMBIGUOUS = {"fact": "answered", "outcome": "unknown"}
NOT_REACHED = {"fact": "answered", "outcome": "not_sent"}
CANNOT_TELL = {"fact": "settled", "verdict": "cannot tell"}
STARTED = {"fact": "settled", "verdict": "started"}
NOT_STARTED = {"fact": "settled", "verdict": "not started"}
FINISHED = {"fact": "finished", "state": "success"}
DISMISSED = {"fact": "dismissed"}
LATER = {"fact": "invented-later", "outcome": "accepted", "verdict": "started"}


def concluded(outcome: str) -> dict[str, Any]:
    return {"fact": "outcome", "outcome": outcome}


def of(*facts: dict[str, Any]) -> JournalEntry:
    return replace(ENTRY, facts=facts)


# The facts after `begun`; was it sent, the outcome, is it open, in doubt, under way.
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
    verdicts = {Outcome.ACCEPTED: Verdict.STARTED, Outcome.UNKNOWN: Verdict.CANNOT_TELL}
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
CLOSING = {Fact.ANSWERED, Fact.SETTLED, Fact.OUTCOME, Fact.FINISHED, Fact.DISMISSED}


@given(st.lists(ANY_FACT, max_size=8))
def test_a_request_of_which_nothing_was_learned_is_always_in_doubt(facts: list[dict[str, Any]]) -> None:
    """Else its name would be free for a second snapshot."""
    kinds = [fact["fact"] for fact in facts]
    entry = of(BEGUN, *facts)
    if Fact.SENT in kinds:
        since = set(kinds[len(kinds) - kinds[::-1].index(Fact.SENT) :])
        if not since & CLOSING:
            assert entry.in_doubt
            assert entry.verdict is Verdict.CANNOT_TELL
    else:
        assert not entry.was_sent
    if entry.in_doubt:
        assert entry.is_open
        assert entry.was_sent or any(fact.get("fact") in {Fact.ANSWERED, Fact.OUTCOME} for fact in facts)


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
