"""What grows with an answer is bounded, and not made again: the screen never waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ncp_tui.gateway.exchange import Answer, Exchange, RequestRecord
from ncp_tui.session_log.log import SessionLog
from ncp_tui.view.exchanges import response_lines
from ncp_tui.view.session_log import LogLines
from ncp_tui.view.text import MOST_LINES, body_lines

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = RequestRecord("GET", "https://gateway.example", "/api/v2/x", (), "", "")


def exchange(body: bytes = b"") -> Exchange:
    return Exchange("getClusterInfoList", NOW, REQUEST, sent=True, answer=Answer(200, "OK", (), body))


def test_of_a_long_body_the_beginning_is_laid_out() -> None:
    lines = body_lines("[\n" + "0,\n" * 100_000 + "0]")
    assert len(lines) == MOST_LINES + 1
    assert "the rest is not shown" in lines[-1][0].text


def test_a_body_without_line_feeds_is_folded() -> None:
    """A line of a megabyte would be measured and cut anew for every frame."""
    lines = body_lines("x" * 1_000_000)
    assert max(len(span.text) for line in lines for span in line) <= 4_000
    assert sum(len(span.text) for line in lines for span in line) == 1_000_000


def test_of_a_large_answer_the_beginning_is_shown_and_said_to_be_that() -> None:
    large = b'{"code":0,"result":{"rows":[' + b"{}," * 1_000_000 + b"{}]}}"
    lines = response_lines(exchange(large))
    text = "\n".join("".join(span.text for span in line) for line in lines)
    assert "Only the first 256.0 KiB of the response body are shown." in text
    assert len(text) < 300_000


def test_lines_of_the_log_that_have_not_changed_are_not_made_again() -> None:
    """Two hundred refreshes of twenty pages are four thousand lines, and each request shows the log again."""
    log, lines = SessionLog(lambda: NOW), LogLines()
    with log.action("list clusters"):
        log.record(exchange(b"first"))
        log.record(exchange(b"second"))
    before = lines.of(list(log.actions))
    with log.action("another"):
        log.record(exchange())
        after = lines.of(list(log.actions))
    assert [row for row, _ in after[1:]] == [row for row, _ in before]
    assert all(new is old for (new, _), (old, _) in zip(after[1:], before, strict=True))


def test_a_body_that_the_log_no_longer_keeps_is_not_kept_by_its_lines() -> None:
    log, lines = SessionLog(lambda: NOW), LogLines()
    with log.action("list clusters") as action:
        log.record(exchange(b"body"))
    lines.of(list(log.actions))
    answer = action.exchanges[0].answer
    assert answer is not None
    action.exchanges[0] = replace(action.exchanges[0], answer=answer.without_body())
    ((_, shown),) = lines.of(list(log.actions))
    assert shown is action.exchanges[0]
