"""A request of the journal in a list, in full, counted, and in a command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import HELD_ELSEWHERE, Caller, SnapshotRequest, Verdict
from ncp_tui.snapshots.resolve import Resolution
from ncp_tui.view.requests import (
    REQUESTS,
    ListedRequest,
    how_many,
    request_entry_document,
    request_entry_lines,
    resolved_text,
    unresolved_sentence,
)
from ncp_tui.view.text import Tone, plain_text

REQUEST = SnapshotRequest("1037001", "search-0001", "before-upgrade", "bk")
CALLER = Caller("prod", "public", "KR", "https://gateway.example/api/v2")
BEGUN: dict[str, Any] = {
    "fact": "begun",
    "at": "2026-01-01T20:00:00+00:00",
    "profile": "prod",
    "name": "before-upgrade",
}
SENT: dict[str, Any] = {"fact": "sent", "at": "2026-01-01T20:00:01+00:00", "attempt": 1}
ACCEPTED: dict[str, Any] = {"fact": "outcome", "at": "2026-01-01T20:00:02+00:00", "outcome": "accepted"}
DISMISSED: dict[str, Any] = {"fact": "dismissed", "at": "2026-01-01T20:00:03+00:00"}


def entry(*facts: Mapping[str, Any]) -> JournalEntry:
    return JournalEntry("a", datetime(2026, 1, 1, 20, tzinfo=UTC), CALLER, REQUEST, events=(BEGUN, *facts))


def test_another_operation_than_a_create_is_shown_with_its_parameters() -> None:
    """Without a bucket or a snapshot: whoever reads it would take it for a create."""
    cluster = SnapshotRequest("1037001", "search-0001", "", "")
    at, details = datetime(2026, 1, 1, 20, tzinfo=UTC), {"scheduledDay": "Everyday", "scheduledHour": 3}
    other = JournalEntry("a", at, CALLER, cluster, operation="setSnapshotScheduling", details=details)
    text = plain_text(request_entry_lines(other))
    assert "set schedule" in text
    assert re.search(r"scheduledHour +3", text)
    assert "bucket" not in text
    assert REQUESTS.row(ListedRequest(other)).cells[1].text == "set schedule"
    document = request_entry_document(other, None)
    assert (document["operation"], document["snapshot"]) == ("setSnapshotScheduling", None)
    assert request_entry_document(entry(SENT), None)["operation"] == "createSnapshot"


def finished(state: str) -> dict[str, Any]:
    return {"fact": "finished", "at": "2026-01-01T20:01:00+00:00", "state": state}


def test_what_is_left_of_each_request() -> None:
    """No row says more than is known: only what this run tracks is called running."""
    ends = {
        "press s": ListedRequest(entry(SENT), unresolved="press s"),
        "checking": ListedRequest(entry(SENT)),
        "marked resolved": ListedRequest(entry(SENT, DISMISSED)),
        "running": ListedRequest(entry(SENT, ACCEPTED), tracked=True),
        "unknown": ListedRequest(entry(SENT, ACCEPTED)),
        "succeeded": ListedRequest(entry(SENT, ACCEPTED, finished("success"))),
        "failed": ListedRequest(entry(SENT, ACCEPTED, finished("failed"))),
    }
    assert {REQUESTS.row(listed).cells[3].text for listed in ends.values()} == set(ends)
    assert all(REQUESTS.row(listed).cells[3].text == word for word, listed in ends.items())


def test_a_row_tells_when_and_what_is_proved() -> None:
    row = REQUESTS.row(ListedRequest(entry(SENT, ACCEPTED)))
    assert [cell.text for cell in row.cells[:3]] == ["2026-01-02 05:00:00", "before-upgrade", "started"]
    assert row.cells[2].tone is Tone.GOOD
    assert REQUESTS.row(ListedRequest(entry(SENT))).cells[2].tone is Tone.WARNING


def test_a_request_in_full_has_each_event_at_its_time() -> None:
    odd = {"fact": "answered", "at": "some day or other", "kind": "answer_lost", "what": "It broke. " * 8}
    text = plain_text(request_entry_lines(entry(SENT, odd)))
    for part in ("search-0001 (1037001)", "requested    2026-01-02 05:00:00 KST", "05:00:01", "kind: answer_lost"):
        assert part in text
    assert "profile: prod" not in text, "what stands above is not said again"
    assert max(map(len, text.splitlines())) <= 66


def test_how_many_there_are_and_what_is_left() -> None:
    known, held, dismissed = entry(SENT, ACCEPTED), entry(SENT), entry(SENT, DISMISSED)
    sentences = {
        "No requests in the journal.": how_many([], []),
        "1 request, all resolved.": how_many([known], []),
        "2 requests, all resolved, 1 of them marked resolved without proof.": how_many([known, dismissed], []),
        "1 request, 1 being sent or checked by a running ncp-tui.": how_many([held], []),
        "2 requests, 1 unresolved: s checks, x marks resolved.": how_many(
            [held, known], [held], "{count}, {unresolved:,} unresolved: s checks, x marks resolved."
        ),
        "1 request, 1 unresolved.": how_many([held], [held]),
    }
    assert {said for said, _ in sentences.values()} == set(sentences)
    assert [tone for _, tone in sentences.values()] == [Tone.PLAIN] * 3 + [Tone.WARNING] * 3


def test_which_requests_are_unresolved() -> None:
    assert unresolved_sentence([entry(SENT)]) == "Unresolved: before-upgrade may or may not have started."
    assert unresolved_sentence([entry(SENT)] * 3).startswith("3 snapshot requests are unresolved: ")


def test_what_was_found_out_for_a_command() -> None:
    found = Resolution(Verdict.STARTED, "The history has it.")
    asked = "before-upgrade on search-0001 (2026-01-02 05:00:00 KST, prod)"
    assert resolved_text(entry(SENT), found) == f"{asked}\n  Started: The history has it."
    assert resolved_text(entry(SENT), None) == f"{asked}\n  {HELD_ELSEWHERE}"
    document = request_entry_document(entry(SENT), found)
    assert (document["verdict"], document["next_step"], document["cluster"]["number"]) == ("started", None, "1037001")
    assert request_entry_document(entry(SENT), None)["verdict"] is None
