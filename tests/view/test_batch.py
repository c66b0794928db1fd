"""How a batch reads, before and while it is sent, and afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ncp_tui.problem import Problem
from ncp_tui.snapshots.batch import BatchRow, BrokenOff, Plan
from ncp_tui.snapshots.outcome import HELD_ELSEWHERE, Caller, SnapshotRequest
from ncp_tui.view.batch import (
    LEFT_OUT,
    REVIEW,
    SENDING,
    ShownRow,
    batch_question,
    blocked,
    blocked_sentence,
    broken_off_words,
    counts_sentence,
    left_over_sentence,
    review_lines,
    review_sentence,
    row_sentence,
    sending_lines,
    sending_sentence,
    stop_question,
)
from ncp_tui.view.text import Tone, plain_text
from tests.tables import each_row

NOW = datetime(2026, 11, 29, 3, tzinfo=UTC)
REFUSED = Problem("NCP refused: no.", "Nothing was started.", "Ask.")


def row(number: int, problem: Problem | None = None, left_out: str = "") -> BatchRow:
    """A row of the cluster of that number."""
    request = SnapshotRequest(f"{number}", f"search-{number}", f"snapshot-{number}", "bucket")
    return BatchRow(request, problem=problem, left_out=left_out)


def cell(found: BatchRow, *, is_over: bool) -> str:
    return SENDING.row(ShownRow(found, is_over, None, 0.0)).cells[3].text


@each_row(
    ("rows", "review", "why"),
    [
        ([row(1), row(2)], "2 clusters: 2 to create.", ""),
        ([row(1, REFUSED)], "1 cluster: 0 to create, 1 blocked.", "1 of 1 row blocked: search-1."),
        (
            [row(1), row(2, REFUSED), row(3, REFUSED), row(4, REFUSED)],
            "4 clusters: 1 to create, 3 blocked.",
            "3 of 4 rows blocked: search-2 and 2 others.",
        ),
        (
            [row(1), row(2, REFUSED, LEFT_OUT), row(3, None, LEFT_OUT), row(4, REFUSED)],
            "4 clusters: 1 to create, 1 blocked, 2 left out.",
            "1 of 4 rows blocked: search-4.",
        ),
    ],
)
def test_a_review_counts_what_is_created_blocked_and_left_out(rows: list[BatchRow], review: str, why: str) -> None:
    assert review_sentence(rows) == review
    assert (blocked_sentence(rows) if blocked(rows) else "") == why


def test_a_row_that_is_blocked_says_by_what_and_one_that_is_left_out_that_it_is() -> None:
    checks = [REVIEW.row(each).cells[3].text for each in (row(1, REFUSED), row(1, REFUSED, LEFT_OUT), row(1))]
    assert checks == ["block: NCP refused: no.", "left out", "ok"]
    assert REVIEW.row(row(1, None, HELD_ELSEWHERE)).cells[3].text == HELD_ELSEWHERE
    text = plain_text(review_lines(row(1, REFUSED), NOW, lambda problem: problem.next_step))
    assert text.splitlines()[1:4] == [
        "blocked      NCP refused: no.",
        "             Nothing was started.",
        "             Ask.",
    ]


def test_what_waits_is_told_from_what_is_not_sent() -> None:
    assert (cell(row(1), is_over=False), cell(row(1), is_over=True)) == ("waiting", "not sent")
    assert cell(row(1, None, LEFT_OUT), is_over=False) == "left out"
    waiting = ShownRow(row(1), False, None, 0.0)
    assert "waits for its turn" in plain_text(sending_lines(waiting, str))
    stopped = row(1, None, "Not sent: whether search-2 started is unknown.")
    assert row_sentence(stopped) == "search-1: Not sent: whether search-2 started is unknown."


def test_a_batch_is_told_with_what_is_bad_first() -> None:
    rows = [row(1), row(2, None, LEFT_OUT), row(3, REFUSED)]
    so_far = "Batch x: 1 of 3 not sent yet. So far: 1 not sent, 1 left out (2 clusters)."
    assert sending_sentence("x", rows, "", is_over=False) == (so_far, Tone.WARNING)
    assert sending_sentence("x", rows, "Why.", is_over=False)[0] == f"{so_far} Why."
    assert sending_sentence("x", [row(1)], "", is_over=False)[0] == "Batch x: 1 of 1 not sent yet."
    counts = "Batch x: 2 not sent, 1 left out (3 clusters)."
    assert sending_sentence("x", rows, "", is_over=True) == (counts, Tone.WARNING)
    stopped = sending_sentence("x", rows, "Not sent: y.", is_over=True)[0]
    assert stopped == f"Stopped: the rest was left out. {counts} Not sent: y."
    assert counts_sentence(rows) == "2 not sent, 1 left out (3 clusters)"
    assert stop_question(rows).startswith("Leave out what was not sent yet, 1 of 3?")
    assert left_over_sentence("x", 1).startswith("Not sent yet: 1 snapshot of batch x.")


def test_a_batch_that_broke_off_says_how_much_is_left_whose_it_is_and_of_when() -> None:
    requests = [row(number).request for number in range(12)]
    plan = Plan.of(Caller("prod", "public", "KR", "https://x"), requests, NOW - timedelta(hours=2))
    assert broken_off_words(BrokenOff(plan, 3), NOW) == "3 of 12 never left, prod, 2 h ago"


def test_one_question_says_what_a_yes_does() -> None:
    rows = [row(1), row(2), row(3, REFUSED)]
    in_turn = "Those into one bucket are created one after another."
    assert batch_question(rows) == f"Create 2 snapshots? {in_turn} 1 other row of the table will not be sent."
    assert in_turn not in batch_question(rows, share_buckets=True)
    assert batch_question([row(1)]) == "Create 1 snapshot?"
