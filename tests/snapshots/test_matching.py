"""Which row of the history is the snapshot that was asked for: taking another for it would be a false "started"."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ncp_tui.search_engine import HistoryEntry
from ncp_tui.search_engine.reading import KST
from ncp_tui.snapshots import JournalEntry
from ncp_tui.snapshots.matching import KNOWN_CLOCK, UNKNOWN_CLOCK, find_snapshot, row_key, rows_named
from ncp_tui.snapshots.settling import find_row
from tests.snapshots.journals import CALLER, REQUEST

NAME = REQUEST.name
ASKED = datetime(2026, 1, 1, 3, 0, 0, tzinfo=UTC)
ENTRY = JournalEntry("a", ASKED, CALLER, REQUEST)


def row(seconds: float | None = 0.0, name: str = NAME, index: int = 7) -> HistoryEntry:
    """A row dated so many seconds after it was asked for, in Korean time; None for one without a date."""
    at = None if seconds is None else (ASKED + timedelta(seconds=seconds)).astimezone(KST)
    return HistoryEntry(snapshot=name, at=at, index=index)


def test_only_the_very_name_counts() -> None:
    others = [row(name=name) for name in ("before-upgrade-2", "Before-upgrade", "before-upgrad", "", " before-upgrade")]
    assert find_snapshot(others, NAME, ASKED) is None
    assert find_snapshot([*others, row()], NAME, ASKED) == row()


def test_the_newest_of_several_counts_in_any_order() -> None:
    rows = [row(5, index=1), row(300, index=2), row(1, index=3)]
    assert find_snapshot(rows, NAME, ASKED) == find_snapshot(rows[::-1], NAME, ASKED) == rows[1]
    same_second = [row(5, index=1), row(5, index=2)]
    assert find_snapshot(same_second, NAME, ASKED) == same_second[1]
    assert find_snapshot([], NAME, ASKED) is None


@pytest.mark.parametrize(
    ("offset", "seconds", "is_ours"),
    [
        (None, 0, True),
        (None, 3600, True),
        (None, -599, True),
        (None, -601, False),
        (0.0, 0, True),
        (0.0, -59, True),
        (0.0, -61, False),
        (0.0, 3600, True),
        # A clock of ours that is a day wrong, measured: only the gateway's time counts.
        (86_400.0, 86_400, True),
        (86_400.0, 86_341, True),
        (86_400.0, 86_339, False),
        (86_400.0, 0, False),
        (-86_400.0, -86_400, True),
        (-86_400.0, -86_461, False),
    ],
)
def test_a_row_from_before_is_not_ours(offset: float | None, seconds: float, is_ours: bool) -> None:
    """Last month's success of the same name would be taken for today's."""
    found = find_row(replace(ENTRY, clock_offset=offset, seen_before=frozenset()), [row(seconds)])
    assert (found is not None) == is_ours


def test_the_tolerance_is_that_of_the_clock() -> None:
    assert timedelta(seconds=60) == KNOWN_CLOCK < UNKNOWN_CLOCK == timedelta(minutes=10)


def test_a_row_that_was_there_is_not_ours_however_near_its_date() -> None:
    """A failed attempt of two minutes ago is within every tolerance."""
    failed, ours = row(-20, index=6), row(2, index=7)
    entry = replace(ENTRY, clock_offset=0.0, seen_before=rows_named([failed, row(-20, "other", 5)], NAME))
    assert entry.seen_before == frozenset({row_key(failed)})
    assert find_row(entry, [failed]) is None
    assert find_row(entry, [failed, ours]) == ours
    assert find_row(replace(entry, seen_before=None), [failed]) is None, "also where nobody had looked"
    assert find_row(replace(entry, seen_before=frozenset()), [failed]) == failed, "or nothing was there"


def test_a_row_without_a_date_proves_something_only_against_what_was_there() -> None:
    undated = row(None)
    assert find_row(ENTRY, [undated]) is None
    assert find_row(replace(ENTRY, seen_before=frozenset()), [undated]) == undated
    assert find_row(replace(ENTRY, seen_before=rows_named([undated], NAME)), [undated]) is None
    assert find_snapshot([undated], NAME) == undated
    dated = row(1)
    assert find_row(replace(ENTRY, seen_before=frozenset()), [undated, dated]) == dated


def test_the_baseline_survives_the_journal() -> None:
    """Written as lists and read back as pairs: compared with the rows of another run of the program."""
    from ncp_tui.snapshots.journal_entry import first_line, read_entries

    seen = rows_named([row(-20, index=6), row(None, index=5)], NAME)
    line = {"id": "a", "fact": "begun", "at": ASKED.isoformat(), **first_line(replace(ENTRY, seen_before=seen))}
    (entry,) = read_entries([line])
    assert entry.seen_before == seen
    assert find_row(entry, [row(-20, index=6), row(None, index=5)]) is None


@pytest.mark.parametrize(
    ("offset", "seconds", "is_ours"),
    [
        (0.0, 0, True),
        (0.0, -2, True),
        (0.0, -3, False),
        (30.0, 30, True),
        (30.0, 27, False),
        (None, 0, True),
        (None, -3, False),
    ],
)
def test_where_nobody_had_looked_a_row_must_not_be_older(offset: float | None, seconds: float, is_ours: bool) -> None:
    """It could be a snapshot of minutes ago."""
    entry = replace(ENTRY, clock_offset=offset, seen_before=None)
    assert (find_row(entry, [row(seconds)]) is not None) == is_ours
    assert (find_row(replace(entry, clock_offset=None), [row(seconds)], offset) is not None) == is_ours
