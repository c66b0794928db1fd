"""How a row of the board reads: the word that matters first, and nothing green that could not be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.errors import KeyringLocked
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.board import BoardRow, BoardState
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, Look
from ncp_tui.snapshots.fleet import Bars, SharedBucket, checked
from ncp_tui.view.arrangement import Sort, arranged, read_filter
from ncp_tui.view.board import BOARD, WORST_FIRST, board_lines, counts_sentence, locked_sentence
from ncp_tui.view.text import Row, Tone, plain_text
from tests.snapshots.test_fleet import NOW, history, run
from tests.tables import each_row

PROD = Profile(name="prod", access_key="A", check_exempt=("lab-*",))
BARS = Bars(timedelta(hours=26))
TIMED_OUT = Problem("Timed out.", "Nothing is known.", "Refresh.")


def cluster(
    summary: ClusterSummary, state: BoardState = BoardState.READ, name: str = "c1", problem: Problem | None = None
) -> BoardRow:
    found = checked(PROD, BARS, Cluster(name, name, "running"), summary, NOW)
    return BoardRow(f"prod\n{name}", "prod", NOW, state, PROD, found, problem, summary.read_at)


def profile(state: BoardState, problem: Problem | None = None) -> BoardRow:
    at = None if state is BoardState.WAITING else NOW
    return BoardRow("prod\n", "prod", NOW, state, PROD, None, problem, at)


GOOD = cluster(history(run(2)))
WARNING = cluster(history(run(0.5, "FAILED", "new"), run(2)))
OLD = cluster(history(run(30)))
NONE = cluster(history())
GAP = cluster(history(run(2), gap="3 of 9 rows did not come."))
DENIED = cluster(ClusterSummary(Look.NO_PERMISSION))
NOT_YET = cluster(NOT_READ, BoardState.WAITING)
EXEMPT = cluster(NOT_READ, name="lab-1")
STALE = cluster(history(run(2)), BoardState.FAILED, problem=TIMED_OUT)
SHUT = cluster(history(run(2)), BoardState.LOCKED, problem=KeyringLocked())
LOCKED = profile(BoardState.LOCKED, KeyringLocked())
DEAD = profile(BoardState.FAILED, TIMED_OUT)
WAITING, EMPTY = profile(BoardState.WAITING), profile(BoardState.READ)


def cells(row: BoardRow) -> dict[str, str]:
    names = [column.label.split(" (")[0] for column in BOARD.on_screen]
    return dict(zip(names, [cell.text for cell in BOARD.row(row).cells], strict=True))


@each_row(
    "row, good, problem, read",
    [
        (GOOD, "2 h", "-", "12:00:00"),
        (WARNING, "2 h", "WARNING: The newest run failed: new.", "12:00:00"),
        (OLD, "30 h ! old", "CRITICAL: Newest good snapshot 30 h old, more than 26 h.", "12:00:00"),
        (NONE, "none !", "CRITICAL: No snapshot in the whole history.", "12:00:00"),
        (GAP, "2 h ?", "UNKNOWN: The snapshot history is incomplete: 3 of 9 rows did not come.", "12:00:00"),
        (DENIED, "no permission", "UNKNOWN: No permission to read the snapshot history.", "no"),
        (NOT_YET, "not read", "not read yet", "not yet"),
        (EXEMPT, "not read", "Not counted: exempt by the profile.", "no"),
        (STALE, "2 h ?", "UNKNOWN: Not read again: Timed out.", "12:00:00 !"),
        (SHUT, "2 h ?", "UNKNOWN: Not read again: Your OS keyring is locked.", "12:00:00 !"),
        (LOCKED, "?", "LOCKED: Your OS keyring is locked.", "locked"),
        (DEAD, "?", "UNKNOWN: Timed out.", "failed 12:00:00"),
        (WAITING, "?", "not read yet", "not yet"),
        (EMPTY, "?", "No clusters in this region.", "12:00:00"),
    ],
)
def test_a_row_says_how_it_stands_and_when_it_was_read(row: BoardRow, good: str, problem: str, read: str) -> None:
    found = cells(row)
    assert (found["LAST GOOD"], found["PROBLEM"], found["READ"]) == (good, problem, read)


@each_row("row", [GAP, DENIED, NOT_YET, STALE, SHUT, LOCKED, DEAD, WAITING])
def test_nothing_is_green_that_was_not_read(row: BoardRow) -> None:
    assert not [cell for cell in BOARD.row(row).cells if cell.tone is Tone.GOOD]


def test_worst_first_and_of_one_severity_the_oldest() -> None:
    older = cluster(history(run(90)), name="c2")
    rows = [EMPTY, GOOD, WAITING, NOT_YET, WARNING, DEAD, LOCKED, OLD, older, NONE]
    found = arranged([BOARD.row(row) for row in rows], read_filter("", ()), Sort(WORST_FIRST))
    assert [named(row) for row in found] == [
        *("none !", "90 h", "30 h ! old"),
        *("UNKNOWN: Timed out.", "LOCKED: Your OS keyring is locked."),
        "WARNING: The newest run failed: new.",
        *("not read yet c1", "not read yet (all clusters)"),
        *("No clusters in this region.", "2 h"),
    ]


def named(row: Row) -> str:
    places = {column.label.split(" (")[0]: place for place, column in enumerate(BOARD.on_screen)}
    good, problem = row.cells[places["LAST GOOD"]].text, row.cells[places["PROBLEM"]].text
    if problem == "not read yet":
        return f"{problem} {row.cells[places['CLUSTER']].text}"
    return {"3 d ! old": "90 h"}.get(good, good) if problem.startswith(("CRITICAL", "-")) else problem


def test_a_filter_finds_what_is_older_than_a_day() -> None:
    """Also where there is none at all; not where it is unknown."""
    wanted = read_filter("age>24h problem:critical", BOARD.on_screen)
    assert [row for row in (GOOD, OLD, NONE, DENIED, DEAD) if wanted.passes(BOARD.row(row))] == [OLD, NONE]


def test_the_details_have_the_reason_in_whole_and_what_else_is_known() -> None:
    text = plain_text(board_lines(OLD, "AKID…9Z", [SharedBucket("bk", ("c1", "c2"))]))
    assert "upgrade      gate shut" in text
    assert "CRITICAL: Newest good snapshot 30 h old, more than 26 h." in text
    assert "prod: public, region KR; key AKID…9Z" in text
    assert "NOTE" not in text, "it does not write that one"
    row = cluster(history(replace(run(2), bucket="bk")))
    assert "NOTE bucket bk: 2 clusters" in plain_text(board_lines(row, "", [SharedBucket("bk", ("c1", "c2"))]))
    text = plain_text(board_lines(DEAD))
    assert all(part in text for part in ("UNKNOWN: Timed out.", "Nothing is known.", "Refresh."))


@each_row(
    "rows, sentence, is_bad",
    [
        ((GOOD, WARNING), "2 clusters: 0 critical, 0 unknown, 1 warning, 1 ok.", False),
        ((GOOD, EXEMPT, EMPTY), "2 clusters: 0 critical, 0 unknown, 0 warning, 1 ok, 1 not counted.", False),
        ((OLD, DEAD), "1 cluster: 1 critical, 0 unknown, 0 warning, 0 ok; 1 profile not read.", True),
        ((STALE, NOT_YET), "2 clusters: 0 critical, 1 unknown, 0 warning, 0 ok, 1 not read yet.", True),
        ((), "0 clusters: 0 critical, 0 unknown, 0 warning, 0 ok.", False),
    ],
)
def test_the_counts_are_those_of_the_rows(rows: tuple[BoardRow, ...], sentence: str, is_bad: bool) -> None:
    assert counts_sentence(rows) == (sentence, is_bad)


def test_who_is_locked_is_said_with_the_key_that_asks() -> None:
    assert locked_sentence([], "l") == ""
    assert locked_sentence(["a"], "f3") == "Profile a is locked and not read: f3 asks to unlock."
    assert locked_sentence(["a", "b"], "l") == "2 profiles are locked and not read: l asks to unlock."
