"""A request and its answer, in the panel, in the session log and in a command's dry run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ncp_tui.gateway.exchange import Answer, Exchange, RequestRecord, Timings
from ncp_tui.session_log.log import Action
from ncp_tui.view.exchanges import exchange_word, request_document, request_lines, request_text, response_lines
from ncp_tui.view.session_log import LogLines
from ncp_tui.view.text import Tone, plain_text

NOW = datetime(2026, 1, 1, 20, tzinfo=UTC)
REQUEST = RequestRecord(
    "POST",
    "https://gateway.example",
    "/api/v2/snapshot/createSnapshot/1037001",
    (("x-ncp-iam-access-key", "****"), ("content-type", "application/json")),
    '{"snapshotName":"x-1"}',
    "POST /api/v2/snapshot/createSnapshot/1037001\n1\nAK",
)
ANSWERED = Exchange(
    "createSnapshot",
    NOW,
    REQUEST,
    sent=True,
    answer=Answer(200, "OK", (("x-a", "b"),), b'{"code":0}'),
    timings=Timings(connect=0.001, first_byte=0.18, total=0.182),
    request_id="r-1",
)
LISTED = replace(
    ANSWERED, operation="getSnapshotHistory", request=replace(REQUEST, target="/x/getSnapshotHistory/1037001?pageNo=2")
)


def test_what_became_of_a_request_in_a_word() -> None:
    """Only what certainly left is without an answer; a number is good where it proves that."""
    words = {
        "200": (ANSWERED, Tone.GOOD),
        "503": (replace(ANSWERED, answer=Answer(503, "", (), b""), error="unavailable"), Tone.BAD),
        "no answer": (replace(ANSWERED, answer=None, error="answer_lost"), Tone.BAD),
        "not sent": (replace(ANSWERED, answer=None, error="no_connection", sent=False), Tone.BAD),
        "cancelled": (replace(ANSWERED, answer=None, error="cancelled"), Tone.DIM),
    }
    for word, (exchange, tone) in words.items():
        assert (exchange_word(exchange).text, exchange_word(exchange).tone) == (word, tone)


def test_an_answer_with_its_time_size_and_request() -> None:
    text = plain_text(response_lines(replace(ANSWERED, via_proxy="http://proxy", attempt=2)))
    assert text.startswith("200 OK   182 ms   10 B\nPOST /api/v2/snapshot/createSnapshot/1037001\n")
    for part in (
        "request ID   r-1",
        "timing       connect 1 ms · first byte 180 ms · total 182 ms",
        "via proxy    http://proxy",
        "attempt      2",
        "Response headers\nx-a",
    ):
        assert part in text
    assert "Response headers" not in plain_text(response_lines(replace(ANSWERED, answer=None, error="answer_lost")))


def test_a_dry_run_prints_what_the_screen_previews() -> None:
    preview, printed = plain_text(request_lines(REQUEST)), request_text(REQUEST)
    assert printed.startswith(preview)
    assert "\n1\\n\nAK" in preview, "line feeds are signed, so they are shown"
    assert request_document(REQUEST)["curl"].strip() in printed
    assert request_document(REQUEST)["body"] == '{"snapshotName":"x-1"}'


def test_an_action_is_one_line_or_has_its_requests_below_it() -> None:
    alone = Action("create snapshot x-1", 1, NOW, [ANSWERED])
    several = Action("list clusters", 2, NOW, [LISTED, replace(LISTED, answer=None, error="answer_lost")])
    empty = Action("watch x-1", 3, NOW, outcome="Nothing was sent.", failed=True)
    rows = [[cell.text for cell in row.cells] for row, _ in LogLines().of([alone, several, empty])]
    assert rows == [
        ["05:00:00", "watch x-1", "Nothing was sent.", ""],
        ["05:00:00", "list clusters", "2 requests", ""],
        ["05:00:00", "  getSnapshotHistory 1037001 pageNo=2", "no answer", "182 ms"],
        ["05:00:00", "  getSnapshotHistory 1037001 pageNo=2", "200", "182 ms"],
        ["05:00:00", "create snapshot x-1", "200", "182 ms"],
    ]
    keys = [row.key for row, _ in LogLines().of([alone, several, empty])]
    assert keys == ["3", "2", "2.1", "2.0", "1.0"]
