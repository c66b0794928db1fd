"""A snapshot on its way: no word claims more than is proved, and both faces end with the same sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from ncp_tui.gateway.errors import GatewayError, Throttled
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.cluster_summary import UsualDuration
from ncp_tui.snapshots.create import CreateResult
from ncp_tui.snapshots.history_match import Match, Whose
from ncp_tui.snapshots.outcome import Outcome, SnapshotRequest, Verdict
from ncp_tui.snapshots.resolve import Resolution
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.snapshots.watch import Progress
from ncp_tui.tui.terminal.charset import Charset
from ncp_tui.view.progress import (
    RUN,
    ShownSnapshot,
    bar,
    end_sentence,
    estimate,
    final_sentence,
    look_sentence,
    progress_lines,
    state_text,
    title_word,
    tracked_sentence,
    tracked_word,
    unended_words,
    waiting_text,
)
from ncp_tui.view.text import Tone, plain_text

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = SnapshotRequest("1037001", "search-0001", "x-1", "bk")
ACCEPTED = CreateResult(REQUEST, Outcome.ACCEPTED, NOW, "r-1")
RUNNING = HistoryEntry("x-1", "bk", NOW)
DONE = HistoryEntry("x-1", "bk", NOW, message="SUCCESS", duration="12s")
BROKEN = HistoryEntry("x-1", "bk", NOW, has_error_log=True)
THROTTLED = Throttled("Too many requests.")
USUAL = UsualDuration(180.0, 8)
BUSY = GatewayError("NCP is busy.")
LOST = GatewayError("The answer was lost.")


def tracked(
    taken: CreateResult | None = None,
    progress: Progress | None = None,
    *,
    resolving: GatewayError | None = None,
    problem: Problem | None = None,
    journal_problem: Problem | None = None,
    next_at: float | None = None,
    is_earlier: bool = False,
) -> TrackedSnapshot:
    identity = cast("Identity", None)
    made = TrackedSnapshot(REQUEST, identity, cast("SearchEngine", None), NOW, 100.0, taken, progress, problem)
    made.resolving, made.journal_problem = resolving, journal_problem
    made.next_at, made.is_earlier = next_at, is_earlier
    return made


def seen(entry: HistoryEntry | None, problem: GatewayError | None = None, other: Match | None = None) -> Progress:
    return Progress((entry or RUNNING).state, 12.0, 1, entry, problem, other)


def other(whose: Whose) -> Match:
    return Match(DONE, whose, "it was there before")


def test_how_far_it_is() -> None:
    """Nothing is called running before the history shows it; a failing check leaves the last known state."""
    states = {
        "sending the request ...": tracked(),
        "no answer from NCP; checking the history, 12 s": tracked(resolving=LOST),
        "accepted": tracked(ACCEPTED),
        "accepted; not in the history yet, 12 s": tracked(ACCEPTED, seen(None)),
        "accepted; a row of the history may be this snapshot, 12 s": tracked(
            ACCEPTED, seen(None, other=other(Whose.MAY_BE))
        ),
        "running, 12 s": tracked(ACCEPTED, seen(RUNNING)),
        "accepted; status check failing, 12 s": tracked(ACCEPTED, seen(None, BUSY)),
        "running when last checked, 12 s": tracked(ACCEPTED, seen(RUNNING, BUSY)),
    }
    assert [state_text(each, 112.0) for each in states.values()] == list(states)


def test_several_at_once() -> None:
    running, asking, lost = tracked(ACCEPTED, seen(RUNNING)), tracked(), tracked(resolving=LOST)
    assert tracked_sentence([running], 112.0) == "Snapshot x-1 of search-0001: running, 12 s"
    several = tracked_sentence([running, asking], 112.0, "w")
    assert several == "2 snapshots not finished (w lists them). x-1 of search-0001: running, 12 s"
    assert tracked_sentence([running, asking], 112.0).startswith("2 snapshots not finished. ")
    words = [tracked_word(each) for each in ([running], [running, asking], [running, asking, lost])]
    assert words == ["running", "sending", "checking"]


def test_what_a_look_shows() -> None:
    looks = {
        "x-1 is not in the history yet.": seen(None),
        "x-1: a row of the history may be this snapshot: it was there before.": seen(None, other=other(Whose.MAY_BE)),
        "x-1: the row in the history is not this snapshot: it was there before.": seen(
            None, other=other(Whose.NOT_OURS)
        ),
        "The history cannot be read now; retrying. NCP is busy.": seen(RUNNING, BUSY),
        "x-1: running": seen(RUNNING),
        "x-1: succeeded, 12 s (SUCCESS)": seen(DONE),
    }
    assert [look_sentence("x-1", progress) for progress in looks.values()] == list(looks)


def test_of_one_that_was_waited_for_in_vain_only_a_row_that_runs_keeps_running() -> None:
    assert unended_words("x-1", None) == "the history does not show x-1 yet"
    assert unended_words("x-1", RUNNING) == "the snapshot keeps running (running)"
    assert (
        unended_words("x-1", replace(DONE, message="wobbly")) == "whether x-1 has ended is unknown (NCP says 'wobbly')"
    )


def test_how_it_ended() -> None:
    assert end_sentence(DONE) == ("Snapshot x-1 succeeded in 12 s.", Tone.GOOD)
    assert end_sentence(BROKEN) == ("Snapshot x-1 failed: the history has an error log.", Tone.BAD)
    assert end_sentence(replace(BROKEN, message="no space left"))[0] == "Snapshot x-1 failed: no space left."
    assert end_sentence(replace(DONE, duration=""))[0] == "Snapshot x-1 succeeded."
    assert end_sentence(replace(DONE, duration="about an hour"))[0] == "Snapshot x-1 succeeded in about an hour."


def test_the_last_sentence_and_the_word_of_the_title() -> None:
    """A warning where anything is unresolved; bad only where it is certain."""
    unknown = CreateResult(REQUEST, Outcome.UNKNOWN, NOW, error=LOST)
    found = Resolution(Verdict.UNKNOWN, "no row.", "Look again.")
    ends = {
        ("succeeded", Tone.GOOD): tracked(ACCEPTED, seen(DONE)),
        ("FAILED", Tone.BAD): tracked(ACCEPTED, seen(BROKEN)),
        ("not started", Tone.BAD): tracked(problem=Problem("No.")),
        ("unknown", Tone.WARNING): tracked(replace(unknown, resolution=found)),
    }
    for (word, tone), each in ends.items():
        assert (title_word(each), final_sentence(each, Problem.sentences)[1]) == (word, tone)
    assert title_word(tracked(ACCEPTED)) == "running"
    assert [title_word(each) for each in (tracked(), tracked(resolving=LOST))] == ["sending", "checking"]
    assert final_sentence(ends["not started", Tone.BAD], Problem.sentences)[0] == "Not started: x-1. No."
    assert final_sentence(ends["unknown", Tone.WARNING], Problem.sentences)[0].endswith("Look again.")
    lost = tracked(ACCEPTED, seen(RUNNING), problem=BUSY)
    assert final_sentence(lost, Problem.sentences) == (
        "x-1 was accepted, but is no longer tracked: NCP is busy.",
        Tone.WARNING,
    )


def test_an_end_that_the_journal_does_not_hold_is_no_good_news() -> None:
    text, tone = final_sentence(
        tracked(ACCEPTED, seen(DONE), journal_problem=Problem("The disk is full.")), Problem.sentences
    )
    assert text == "Snapshot x-1 succeeded in 12 s. Not recorded in the journal: The disk is full."
    assert tone is Tone.WARNING


def test_each_face_says_a_problem_with_its_own_next_step() -> None:
    refused = tracked(CreateResult(REQUEST, Outcome.REFUSED, NOW, error=BUSY))
    assert final_sentence(refused, lambda problem: f"{problem.what} Press r.")[0].endswith("NCP is busy. Press r.")


def test_what_it_waits_for_and_how_long() -> None:
    waits = {
        "": tracked(),
        "NCP throttles; the request is sent again in 2 s": tracked(next_at=114.0),
        "next check in 12 s": tracked(ACCEPTED, seen(RUNNING), next_at=124.0),
        "next check in 1 s": tracked(ACCEPTED, seen(RUNNING), next_at=112.2),
        "checking the history now": tracked(ACCEPTED, seen(RUNNING), next_at=112.0),
        "NCP throttles; next check in 1 min 00 s": tracked(ACCEPTED, seen(RUNNING, THROTTLED), next_at=172.0),
        "history unreadable; next check in 3 s": tracked(ACCEPTED, seen(RUNNING, BUSY), next_at=115.0),
        "next check in 5 s": tracked(resolving=LOST, next_at=117.0),
    }
    assert [waiting_text(each, 112.0) for each in waits.values()] == list(waits)
    assert not waiting_text(tracked(ACCEPTED, seen(DONE), next_at=124.0), 112.0), "it has ended"


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        (0, "about 3 min left, estimated from 8 runs"),
        (60, "about 2 min left, estimated from 8 runs"),
        (139, "about 50 s left, estimated from 8 runs"),
        (179, "about 10 s left, estimated from 8 runs"),
        (180, "longer than usual, estimated from 8 runs"),
        (9_999, "longer than usual, estimated from 8 runs"),
    ],
)
def test_how_long_it_may_take(spent: int, said: str) -> None:
    guess = estimate(tracked(ACCEPTED, seen(RUNNING)), USUAL, 100.0 + spent)
    assert guess is not None
    assert guess.words == said
    assert guess.fraction < 1, "the end is for the history to tell"


def test_nothing_is_estimated_where_nothing_is_known() -> None:
    ended, unsent, lost = tracked(ACCEPTED, seen(DONE)), tracked(), tracked(resolving=LOST)
    assert [estimate(each, USUAL, 112.0) for each in (ended, unsent, lost)] == [None, None, None]
    assert estimate(tracked(ACCEPTED, seen(RUNNING)), None, 112.0) is None
    assert estimate(tracked(ACCEPTED, seen(RUNNING)), UsualDuration(0.0, 3), 112.0) is None


@pytest.mark.parametrize(
    ("fraction", "drawn"),
    [(0.0, "░░░░"), (-1.0, "░░░░"), (0.5, "██░░"), (0.95, "███░"), (0.999, "███░"), (1.0, "████"), (7.0, "████")],
)
def test_a_bar_is_full_only_at_the_end(fraction: float, drawn: str) -> None:
    assert bar(fraction, 4) == drawn


def test_a_terminal_without_blocks_gets_a_bar_of_ascii() -> None:
    for encoding in ("ascii", "euc_kr"):
        charset = Charset()
        charset.limit_to(encoding)
        assert charset.encode_frame(charset.escape(bar(0.5, 4))) == "##.."


def test_one_followed_from_elsewhere_was_never_sent_from_here() -> None:
    """No word of it says that it was requested, accepted or not started by this run."""
    before = tracked(is_earlier=True)
    running = tracked(progress=seen(RUNNING), is_earlier=True)
    missing, failing = (
        tracked(progress=seen(None), is_earlier=True),
        tracked(progress=seen(None, BUSY), is_earlier=True),
    )
    assert [state_text(each, 112.0) for each in (before, running, missing, failing)] == [
        "being checked",
        "running, 12 s",
        "not in the history, 12 s",
        "status check failing, 12 s",
    ]
    assert {title_word(each) for each in (before, running)} == {"running"}
    ended, lost = tracked(progress=seen(DONE), is_earlier=True), tracked(problem=BUSY, is_earlier=True)
    assert (title_word(ended), title_word(lost)) == ("succeeded", "unknown")
    assert final_sentence(lost, Problem.sentences) == ("x-1 is no longer tracked: NCP is busy.", Tone.WARNING)
    assert estimate(running, USUAL, 112.0) is not None


def test_a_snapshot_on_its_way_in_lines() -> None:
    lines = plain_text(progress_lines(tracked(ACCEPTED, seen(RUNNING), next_at=124.0), USUAL, 160.0)).splitlines()
    assert lines == [
        "x-1: running, 1 min 00 s",
        "progress     ██████░░░░░░░░░░░░░░ about 2 min left, estimated from 8 runs",
        "waits        checking the history now",
        "bucket       bk",
        "request ID   r-1",
    ]
    assert "progress" not in plain_text(progress_lines(tracked(ACCEPTED, seen(RUNNING)), None, 160.0))


def test_the_snapshots_of_a_run_in_a_list() -> None:
    shown = [
        ShownSnapshot(each, USUAL, 160.0)
        for each in (tracked(ACCEPTED, seen(RUNNING), next_at=163.0), tracked(), tracked(ACCEPTED, seen(DONE)))
    ]
    cells = [[cell.text for cell in RUN.row(each).cells][2:] for each in shown]
    assert cells == [
        ["running", "1 min 00 s", "███░░░░░░░ about 2 min left", "next check in 3 s"],
        ["sending", "1 min 00 s", "-", "-"],
        ["succeeded", "12 s", "-", "-"],
    ]
