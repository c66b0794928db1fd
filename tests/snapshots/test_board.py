"""What the board keeps: each row as old as it is, never better than what was read of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.errors import KeyringLocked
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.board import Board, BoardRow, BoardState
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary
from ncp_tui.snapshots.fleet import Bars, NotChecked, Severity, checked
from ncp_tui.snapshots.fleet_reading import Caller, ProfileReading
from tests.snapshots.test_fleet import NOW, history, nightly, run

PROD, LAB = Profile(name="prod", access_key="A"), Profile(name="lab", access_key="B", site="gov")
BARS = Bars(timedelta(hours=26))
LATER = NOW + timedelta(minutes=5)


async def _no_client() -> SearchEngine:
    raise AssertionError


def reading(profile: Profile = PROD, **summaries: ClusterSummary) -> ProfileReading:
    """A whole reading of clusters by number."""
    found = ProfileReading(Caller(profile, BARS, _no_client), is_listed=True, is_over=True)
    for name, summary in summaries.items():
        found.rows[name] = checked(profile, BARS, Cluster(name, name, "running"), summary, NOW)
    return found


def failed(problem: Problem, profile: Profile = PROD, **summaries: ClusterSummary) -> ProfileReading:
    return replace(reading(profile, **summaries), is_listed=False, problem=problem)


def rows(board: Board, now: datetime = NOW) -> dict[str, BoardRow]:
    """By the cluster, or the profile in brackets."""
    found = [row for key in board.row_keys() if (row := board.row(key, now)) is not None]
    return {row.found.cluster.name if row.found else f"({row.name})": row for row in found}


def test_a_profile_is_a_row_until_its_clusters_are_known() -> None:
    board = Board()
    board.begin([PROD, LAB], [NotChecked("old", "The profile cannot be read.", "profile")])
    assert {name: row.state for name, row in rows(board).items()} == {
        "(prod)": BoardState.WAITING,
        "(lab)": BoardState.WAITING,
        "(old)": BoardState.FAILED,
    }
    page = replace(reading(c1=NOT_READ), is_over=False, is_listed=False)
    changes = board.take(page, ["c1"], NOW)
    assert (set(changes.changed), set(changes.gone)) == ({"prod\nc1"}, {"prod\n"})
    assert rows(board)["c1"].state is BoardState.WAITING
    assert rows(board)["c1"].severity is None, "nothing is claimed yet"
    board.take(reading(c1=history(run(1))), ["c1"], NOW)
    assert rows(board)["c1"].severity is Severity.OK
    assert rows(board)["c1"].read_at == NOW
    board.take(reading(LAB), [], NOW)
    assert rows(board)["(lab)"].severity is None, "a profile without clusters"


def test_what_is_read_again_stays_as_old_as_it_is_until_then() -> None:
    board = Board()
    board.begin([PROD])
    board.take(reading(c1=history(run(1))), ["c1"], NOW)
    board.start("prod")
    board.take(replace(reading(c1=NOT_READ), is_over=False), ["c1"], LATER)
    assert (rows(board, LATER)["c1"].read_at, rows(board, LATER)["c1"].severity) == (NOW, Severity.OK)
    late = NOW + timedelta(hours=26)
    assert rows(board, late)["c1"].severity is Severity.CRITICAL, "its age grows all the same"


def test_what_could_not_be_read_again_is_unknown_and_says_since_when() -> None:
    """Never good: neither where the keys are locked now nor where the list broke off before a cluster came."""
    board = Board()
    board.begin([PROD])
    board.take(reading(c1=history(run(1)), c2=history(run(2))), ["c1", "c2"], NOW)
    board.take(failed(Problem("Timed out."), c1=history(run(1))), ["c1"], LATER)
    seen = rows(board, LATER)
    assert {name: row.severity for name, row in seen.items()} == {
        "(prod)": Severity.UNKNOWN,
        "c1": Severity.OK,
        "c2": Severity.UNKNOWN,
    }
    assert (seen["c2"].state, seen["c2"].read_at) == (BoardState.FAILED, NOW)
    board.take(failed(KeyringLocked()), [], LATER)
    seen = rows(board, LATER)
    assert {row.severity for row in seen.values()} == {Severity.UNKNOWN}
    assert seen["c1"].state is BoardState.LOCKED
    assert board.locked() == ["prod"]
    board.take(reading(c1=history(run(1))), ["c1"], LATER)
    assert {name: row.severity for name, row in rows(board, LATER).items()} == {"c1": Severity.OK}, "c2 is gone"


def test_what_is_due_is_what_was_not_read_to_its_end() -> None:
    """And nothing locked: that is tried when the user says so."""
    board, least = Board(), timedelta(minutes=1)
    board.begin([PROD, LAB])
    assert board.is_due("prod", NOW, least)
    board.take(replace(reading(c1=history(run(1))), is_over=False), ["c1"], NOW)
    assert board.is_due("prod", NOW, least), "it was broken off"
    board.take(reading(c1=history(run(1))), ["c1"], NOW)
    assert not board.is_due("prod", NOW, least)
    assert board.is_due("prod", LATER, least)
    board.take(failed(KeyringLocked(), LAB), [], NOW)
    assert not board.is_due("lab", LATER, least)


def test_a_profile_that_was_changed_or_removed_leaves_nothing_behind() -> None:
    board = Board()
    board.begin([PROD, LAB])
    board.take(reading(c1=history(run(1))), ["c1"], NOW)
    board.begin([replace(PROD, region="SGN")])
    assert list(rows(board)) == ["(prod)"]
    assert not board.take(reading(c1=history(run(1))), ["c1"], NOW).changed, "of a reading of the one before"
    assert board.row("lab\n", NOW) is None


def test_a_bucket_that_clusters_of_two_profiles_write_is_found() -> None:
    board = Board()
    board.begin([PROD, replace(LAB, site="public")])
    both = [replace(run(1), bucket="bk")]
    board.take(reading(c1=history(*both)), ["c1"], NOW)
    board.take(reading(replace(LAB, site="public"), c2=history(*both)), ["c2"], NOW)
    board.end()
    assert [(each.bucket, each.clusters) for each in board.shared] == [("bk", ("c1", "c2"))]


def test_what_is_kept_of_a_row_says_the_same() -> None:
    """Without the service's objects a history of 20 rows is judged as before, for as long as the board is open."""
    rows_ = [
        replace(run(hour), bucket=f"bk{hour % 2}", raw={"hasErrorLog": "", "more": "x" * 99}) for hour in range(1, 20)
    ]
    unclear = replace(run(0.5), raw={"hasErrorLog": "perhaps"})
    for summary in (
        history(*rows_),
        history(unclear, *rows_),
        nightly(*rows_),
        nightly(run(5)),
        history(run(1, "FAILED")),
    ):
        board = Board()
        board.begin([PROD])
        board.take(reading(c1=summary), ["c1"], NOW)
        for now in (NOW, LATER, NOW + timedelta(hours=30)):
            found = rows(board, now)["c1"].found
            assert found is not None
            assert found.verdict == checked(PROD, BARS, Cluster("c1", "c1", "running"), summary, now).verdict
            assert {each.bucket for each in found.summary.rows} == {each.bucket for each in summary.rows}
            assert not any("more" in each.raw for each in found.summary.rows)
