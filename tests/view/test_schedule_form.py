"""What is said of a schedule before it is set or released on a screen, and after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from ncp_tui.gateway.errors import GatewayError, NotReached, RefusedByService
from ncp_tui.problem import Problem
from ncp_tui.snapshots.operations import OperationRequest, OperationResult, Sent
from ncp_tui.snapshots.outcome import Outcome, Verdict
from ncp_tui.snapshots.resolve import Resolution
from ncp_tui.snapshots.schedule import schedule_of
from ncp_tui.snapshots.schedule_change import ScheduleChange, Setting
from ncp_tui.system.time_zone import KST
from ncp_tui.view.schedule_form import first_run_words, result_card, result_lines, waiting_sentence
from ncp_tui.view.text import plain_text
from tests.snapshots.test_schedule import NOON, entry
from tests.tables import each_row

SETTING = Setting("nightly", "logs", "Everyday", "03:00")
SET = ScheduleChange("1037001", "search-0001", SETTING)
RELEASE = ScheduleChange("1037001", "search-0001")
LOST = GatewayError("The connection was lost.")
FOUND = Resolution(Verdict.UNKNOWN, "in 2 checks the history does not have this setting.", "Check the console.")


def result(outcome: Outcome, error: GatewayError | None = None, found: Resolution | None = None) -> OperationResult:
    request = OperationRequest("setSnapshotScheduling", "1037001", "search-0001")
    return OperationResult(request, Sent(outcome, "r-1", error, resolution=found), NOON)


@each_row(
    "day, at, zone, words",
    [
        ("Everyday", (3, 0), KST, "Thu 03:00 KST"),
        ("Everyday", (13, 15), KST, "Wed 13:15 KST"),
        ("Everyday", (3, 0), UTC, "Thu 03:00 KST = Wed 18:00 UTC"),
        ("Sunday", (23, 45), timezone(timedelta(hours=-8), "PST"), "Sun 23:45 KST = Sun 06:45 PST"),
        ("someday", (3, 0), KST, ""),
    ],
)
def test_the_first_run_is_told_in_both_zones(day: str, at: tuple[int, int], zone: timezone, words: str) -> None:
    assert first_run_words(day, at, datetime(2026, 11, 25, 12, tzinfo=KST), zone) == words


@each_row(
    "change, known, card, lines",
    [
        (SET, result(Outcome.ACCEPTED), "", "First run Thu 03:00 KST"),
        (RELEASE, result(Outcome.ACCEPTED), "", "Snapshots that exist stay."),
        (SET, result(Outcome.REFUSED, RefusedByService("NCP refused.")), "NCP refused.", "Not set: schedule nightly"),
        (RELEASE, result(Outcome.NOT_SENT, NotReached("No route.")), "No route.", "Not released: the schedule"),
        (
            SET,
            result(Outcome.UNKNOWN, LOST, FOUND),
            "In 2 checks the history does not have this setting.",
            "Unknown whether",
        ),
        (RELEASE, result(Outcome.UNKNOWN, LOST), "until then. AGAIN", "Unknown whether the schedule of search-0001"),
    ],
)
def test_what_is_known_is_said_and_no_more(
    change: ScheduleChange, known: OperationResult, card: str, lines: str
) -> None:
    said = " ".join(plain_text(result_lines(change, known, NOON, 60)).split())
    assert lines in said
    assert "r-1" in said
    shown = result_card(change, known, "AGAIN")
    assert (card in shown.sentences()) if shown is not None else not card
    short = plain_text(result_lines(change, known, NOON, 60, has_card=True))
    assert shown is None or shown.what not in short, "what the card says is not said twice"


def test_what_was_in_force_before_is_named_and_only_then() -> None:
    known = result(Outcome.ACCEPTED)
    assert "watch the next runs" not in plain_text(result_lines(SET, known, NOON, 400))
    over = plain_text(result_lines(SET, known, NOON, 400, over=schedule_of([entry(status="HOLD")])))
    assert "Whether it still runs is not documented: watch the next runs of both." in over


def test_what_the_journal_does_not_hold_is_said_and_lines_fit() -> None:
    known = OperationResult(
        OperationRequest("setSnapshotScheduling", "1", "c"), Sent(Outcome.ACCEPTED), NOON, None, Problem("No room.")
    )
    text = plain_text(result_lines(SET, known, NOON, 40))
    assert "The journal does not hold it yet: No" in text
    assert max(map(len, text.splitlines())) <= 40


def test_no_answer_is_not_said_to_be_one() -> None:
    assert waiting_sentence(SET, None) == "Set schedule nightly of search-0001: sent, no answer yet."
    assert "no second request is sent" in waiting_sentence(RELEASE, LOST)
