"""The question before a schedule is set or released, and what is said and written of it afterwards."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ncp_tui.gateway.errors import AnswerLost
from ncp_tui.search_engine.models import ScheduleEntry
from ncp_tui.snapshots.draft import Reason
from ncp_tui.snapshots.earlier_requests import EarlierState
from ncp_tui.snapshots.operations import OperationRequest, OperationResult, Sent
from ncp_tui.snapshots.outcome import Outcome, Verdict
from ncp_tui.snapshots.preflight import Check, Severity
from ncp_tui.snapshots.resolve import Resolution
from ncp_tui.snapshots.schedule import Schedule, schedule_of
from ncp_tui.snapshots.schedule_change import EarlierChange, ScheduleChange, Setting
from ncp_tui.snapshots.schedule_draft import ChangeConfirmation
from ncp_tui.view.schedule_change import (
    SNAPSHOTS_STAY,
    change_document,
    change_question,
    change_sentence,
    history_now_sentence,
    setting_words,
)
from tests.tables import each_row

SET = ScheduleChange("1037001", "search-0001", Setting("nightly", "logs", "everyday", "3:15"))
RELEASE = ScheduleChange("1037001", "search-0001")
AT = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_question_says_all_that_is_set() -> None:
    asked = change_question(ChangeConfirmation(SET))
    assert asked == (
        "Set schedule nightly of search-0001: nightly, Everyday 03:15 (time zone assumed: KST), bucket logs?"
    )


def test_a_question_says_what_is_released_and_that_snapshots_stay() -> None:
    asked = change_question(ChangeConfirmation(RELEASE), "auto: every day at 03:00")
    assert asked == f"Release the schedule of search-0001 (auto: every day at 03:00)? {SNAPSHOTS_STAY}"
    assert change_question(ChangeConfirmation(RELEASE)) == f"Release the schedule of search-0001? {SNAPSHOTS_STAY}"


def test_what_stands_against_it_comes_first() -> None:
    earlier = EarlierChange("id", "history", EarlierState.IN_FORCE, AT, "the schedule auto is in force")
    check = Check("clock", Severity.BAD, "400 s behind NCP", "Correct this machine's clock.")
    asked = change_question(ChangeConfirmation(SET, (Reason.OLD, Reason.SECOND_REQUEST), (check,), earlier))
    lines = asked.splitlines()
    assert lines[0] == "Preflight checks are out of date."
    assert lines[1].startswith("clock: 400 s behind NCP.")
    assert lines[2] == "The schedule auto is in force."
    assert "not documented" in lines[3]
    assert lines[4].startswith("Set schedule nightly of search-0001 anyway: ")


@pytest.mark.parametrize("change", [SET, RELEASE])
def test_a_protected_profile_has_the_name_typed(change: ScheduleChange) -> None:
    asked = change_question(ChangeConfirmation(change, (Reason.PROTECTED,), profile="prod"))
    assert asked.splitlines()[-1] == "Profile prod is protected. Type the cluster name to confirm:"
    assert "?" not in asked


def test_a_setting_that_is_not_whole_is_shown_as_typed() -> None:
    typing = ScheduleChange("1", "c", Setting("n", "", "Ever", "3:"))
    assert setting_words(typing) == "n, Ever 3: (time zone assumed: KST), bucket "
    assert setting_words(RELEASE) == ""


@pytest.mark.parametrize(
    ("change", "outcome", "sentence"),
    [
        (SET, Outcome.ACCEPTED, "Set: schedule nightly of search-0001."),
        (RELEASE, Outcome.ACCEPTED, "Released: the schedule of search-0001."),
        (
            SET,
            Outcome.UNKNOWN,
            "Unknown whether schedule nightly of search-0001 was set. At most one request took effect.",
        ),
        (RELEASE, Outcome.REFUSED, "Not released: the schedule of search-0001."),
        (SET, Outcome.NOT_SENT, "Not set: schedule nightly of search-0001."),
        (ScheduleChange("", "", SET.setting), Outcome.NOT_SENT, "Not set: schedule nightly."),
        (ScheduleChange("", ""), Outcome.NOT_SENT, "Not released: the schedule."),
    ],
)
def test_the_verdict_comes_first(change: ScheduleChange, outcome: Outcome, sentence: str) -> None:
    assert change_sentence(change, outcome) == sentence


def test_what_the_history_proved_is_said_and_written() -> None:
    found = Resolution(Verdict.STARTED, "the schedule history has it.")
    sent = Sent(Outcome.ACCEPTED, None, AnswerLost("Lost."), 1, found)
    result = OperationResult(OperationRequest(SET.operation, "1037001", "search-0001"), sent, AT)
    assert change_sentence(SET, Outcome.ACCEPTED, sent).endswith(
        "No answer confirmed it, but the schedule history has it."
    )
    document = change_document(SET, Outcome.ACCEPTED, result)
    assert (document["resolved_by"], document["attempts"], document["request_id"]) == ("history", 1, None)
    assert change_document(RELEASE, Outcome.NOT_SENT)["schedule"] is None
    assert change_document(RELEASE, Outcome.UNKNOWN)["attempts"] == 1


def setting(name: str, status: str) -> Schedule | None:
    members = {"Day": "Everyday", "Time": "03:15", "Status": status}
    raw = {
        "snapshotScheduling" + (each if each == "Status" else f"SetUp{each}"): text for each, text in members.items()
    }
    return schedule_of([ScheduleEntry.read({"snapshotName": name, "bucketName": "logs", **raw})])


@each_row(
    "change, schedule, said",
    [
        (SET, setting("nightly", "ACTIVE"), "The schedule history has now: nightly"),
        (SET, setting("nightly", ""), "NCP says nothing of its status. Next run:"),
        (SET, setting("weekly", "RELEASED"), "does not show it yet. It has: weekly"),
        (SET, None, "does not show it yet."),
        (RELEASE, setting("weekly", "RELEASED"), "The schedule history has now: weekly"),
        (RELEASE, setting("weekly", "ACTIVE"), "does not show that yet. It has: weekly"),
        (RELEASE, None, "is empty now."),
    ],
)
def test_what_the_history_says_afterwards(change: ScheduleChange, schedule: Schedule | None, said: str) -> None:
    sentence = history_now_sentence(change, schedule, AT)
    assert said in sentence
    assert ("Next run" in sentence) == (change is SET and "has now" in sentence)
