"""Which row of the history is the snapshot that was asked for: taking another for it would be a false "started"."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.history_match import (
    Asked,
    Match,
    Whose,
    awaited,
    best_match,
    is_of_cluster,
    matches,
    row_key,
    rows_named,
)
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.system.time_zone import KST
from tests.snapshots.journals import CALLER, REQUEST
from tests.tables import each_row

NAME = REQUEST.name
SENT = datetime(2026, 1, 1, 3, 0, 0, tzinfo=UTC)
LOOKED = SENT + timedelta(seconds=30)
OURS, MAY_BE, NOT_OURS = Whose.OURS, Whose.MAY_BE, Whose.NOT_OURS

ASKED = Asked.of(REQUEST, SENT)
"""Where nobody had looked before."""
NEW = Asked.of(REQUEST, SENT, 0.0, frozenset())
"""Where the history had no row of the name before."""


def row(seconds: float | None = 0.0, name: str = NAME, index: int = 7, **more: Any) -> HistoryEntry:
    """A row dated so many seconds after it was asked for, in Korean time; None for one without a date."""
    at = None if seconds is None else (SENT + timedelta(seconds=seconds)).astimezone(KST)
    return HistoryEntry(snapshot=name, at=at, index=index, **more)


def read(date: Any, **more: Any) -> HistoryEntry:
    """A row as the service gives it, all of it ours."""
    item = {"snapshotName": NAME, "idx": 7, "actionDate": date, "bucketName": REQUEST.bucket, "requestType": "USER"}
    return HistoryEntry.read(item | {"serviceGroupInstanceNo": int(REQUEST.cluster_number), **more})


def whose(asked: Asked, found: HistoryEntry, looked_at: datetime = LOOKED) -> Whose:
    (match,) = matches(asked, [found], looked_at)
    assert bool(match.why) == (match.whose is not OURS), "what is not proved is said in words"
    return match.whose


def found_row(asked: Asked, rows: list[HistoryEntry]) -> HistoryEntry | None:
    match = best_match(asked, rows, LOOKED)
    return match.row if match and match.whose is OURS else None


def test_only_the_very_name_counts() -> None:
    others = [row(name=name) for name in ("before-upgrade-2", "Before-upgrade", "before-upgrad", "", " before-upgrade")]
    assert best_match(ASKED, others, LOOKED) is None
    assert found_row(ASKED, [*others, row()]) == row()


def test_the_newest_of_several_counts_in_any_order() -> None:
    rows = [row(5, index=1), row(25, index=2), row(1, index=3)]
    assert found_row(ASKED, rows) == found_row(ASKED, rows[::-1]) == rows[1]
    same_second = [row(5, index=1), row(5, index=2)]
    assert found_row(ASKED, same_second) == same_second[1]
    assert best_match(ASKED, [], LOOKED) is None


def test_a_row_that_is_ours_outweighs_a_newer_one_that_may_be_or_is_not() -> None:
    ours, later, foreign = row(5, index=1), row(10**7, index=2), row(6, index=3, bucket="another-bucket")
    found = best_match(ASKED, [foreign, later, ours], LOOKED)
    assert found == Match(ours, OURS)
    found = best_match(ASKED, [foreign, later], LOOKED)
    assert found is not None
    assert (found.row, found.whose) == (later, MAY_BE)
    found = best_match(ASKED, [foreign], LOOKED)
    assert found is not None
    assert (found.whose, found.why) == (NOT_OURS, "it is in the bucket another-bucket")


@each_row("asked", [ASKED, NEW], ids=["nobody had looked", "new since"])
@each_row(
    ("more", "expected"),
    [
        ({}, OURS),
        ({"cluster_number": REQUEST.cluster_number, "bucket": REQUEST.bucket, "kind": "MANUAL"}, OURS),
        ({"kind": "USER"}, OURS),
        ({"kind": "수동"}, OURS),
        ({"kind": "UNSCHEDULED"}, OURS),
        ({"cluster_name": REQUEST.cluster_name}, OURS),
        ({"cluster_name": "renamed", "cluster_number": REQUEST.cluster_number}, OURS),
        ({"cluster_number": "1037002"}, NOT_OURS),
        ({"cluster_number": "10370010"}, NOT_OURS),
        ({"cluster_number": "x"}, NOT_OURS),
        ({"cluster_name": "search-0002"}, NOT_OURS),
        ({"cluster_number": "1037002", "cluster_name": REQUEST.cluster_name}, NOT_OURS),
        ({"bucket": "another-bucket"}, NOT_OURS),
        ({"bucket": "BK.SES.SNAPSHOT"}, NOT_OURS),
        ({"kind": "AUTO"}, NOT_OURS),
        ({"kind": "Scheduled"}, NOT_OURS),
        ({"kind": "SNAPSHOT_SCHEDULING"}, NOT_OURS),
        ({"kind": "cron"}, NOT_OURS),
        ({"kind": "자동"}, NOT_OURS),
        ({"kind": "예약"}, NOT_OURS),
        ({"kind": "스케줄"}, NOT_OURS),
    ],
)
def test_another_cluster_bucket_or_a_schedule_is_never_proof(
    asked: Asked, more: dict[str, Any], expected: Whose
) -> None:
    assert whose(asked, row(1, **more)) is expected


@each_row(
    ("offset", "seconds", "expected"),
    [
        (0.0, 0, OURS),
        (0.0, -2, OURS),
        (0.0, -3, MAY_BE),
        (30.0, 30, OURS),
        (30.0, 0, OURS),  # on our clock: the Date may be what is wrong
        (30.0, -3, MAY_BE),
        (70.0, 0, OURS),
        (-70.0, 0, OURS),
        (None, 0, OURS),
        (None, -3, MAY_BE),
        (0.0, 30 + 599, OURS),
        (0.0, 30 + 601, MAY_BE),
        # A clock that is a day wrong says nothing: only the gateway's counts.
        (86_400.0, 86_400, OURS),
        (86_400.0, 0, NOT_OURS),
        (86_400.0, 30, NOT_OURS),
        (-86_400.0, -86_400, OURS),
        (-86_400.0, 0, MAY_BE),
        # Last month's success of the same name is an earlier attempt's, and a date in ten years nobody's.
        (0.0, -30 * 86_400, NOT_OURS),
        (None, -30 * 86_400, NOT_OURS),
        (0.0, 3650 * 86_400, MAY_BE),
        (None, 3650 * 86_400, MAY_BE),
    ],
)
def test_where_nobody_had_looked_only_the_window_of_the_request_counts(
    offset: float | None, seconds: float, expected: Whose
) -> None:
    """It could be a snapshot of minutes ago."""
    assert whose(replace(ASKED, clock_offset=offset), row(seconds)) is expected
    assert whose(ASKED.on_clock(offset), row(seconds)) is expected


HOUR, DAY = 3600.0, 86_400.0


@each_row(
    ("seconds", "expected"),
    [
        (0, OURS),
        (-601, OURS),
        (-HOUR, OURS),  # Singapore's time, read as Korean
        (-9 * HOUR, OURS),  # UTC
        (-17 * HOUR, OURS),  # US West
        (-21 * HOUR, OURS),
        (3 * HOUR, OURS),  # New Zealand
        (5 * HOUR, OURS),
        (-22 * HOUR, MAY_BE),
        (6 * HOUR, MAY_BE),
        (-DAY, MAY_BE),
        (DAY, MAY_BE),
        (30 * DAY, MAY_BE),
        (3650 * DAY, MAY_BE),
        (-3650 * DAY, MAY_BE),
        (None, OURS),
    ],
)
@each_row("offset", [None, 0.0, 70.0, -70.0])
def test_a_date_whose_zone_is_a_guess_rejects_no_row_that_is_new(
    offset: float | None, seconds: float | None, expected: Whose
) -> None:
    """The one right row would be passed over for an hour; but no zone makes up for a day."""
    assert whose(replace(NEW, clock_offset=offset), row(seconds)) is expected


def local(zone: float, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    return (SENT + timedelta(seconds=1)).astimezone(timezone(timedelta(hours=zone))).strftime(pattern)


@each_row(
    "date",
    [
        local(9),
        local(8),
        local(0),
        local(-12),
        local(14),
        local(0, "%Y-%m-%dT%H:%M:%SZ"),
        local(9, "%Y-%m-%dT%H:%M:%SZ"),  # local time that is marked as UTC
        local(9, "%Y-%m-%dT%H:%M:%S%z"),
        local(-5, "%Y-%m-%dT%H:%M:%S.123%z"),
        local(9, "%Y-%m-%d %H:%M:%S.0"),
        local(9, "%Y-%m-%d %H:%M"),
        local(9, "%Y/%m/%d %H:%M:%S"),
        local(9, "%Y년 %m월 %d일 %H시 %M분 %S초"),
        int(SENT.timestamp()),
        int(SENT.timestamp() * 1000),
        str(int(SENT.timestamp())),
        [2026, 1, 1, 12, 0, 1],
        "yesterday, about noon",
        "",
        None,
    ],
)
def test_in_whatever_form_a_date_comes(date: Any) -> None:
    assert whose(NEW, read(date)) is OURS
    seen = replace(NEW, seen_before=rows_named([read(date)], NAME))
    assert whose(seen, read(date)) is NOT_OURS


@each_row("date", ["yesterday, about noon", "", None])
def test_without_a_date_it_is_proof_only_against_what_was_there(date: Any) -> None:
    assert whose(ASKED, read(date)) is MAY_BE
    dated = row(1)
    assert found_row(NEW, [read(date), dated]) == dated


def test_what_was_not_asked_for_here_is_any_row_of_the_name_on_the_cluster() -> None:
    named = Asked(REQUEST.cluster_number, NAME)
    for found in (row(None), row(-30 * DAY), row(3650 * DAY), row(0, bucket="another-bucket", kind="AUTO")):
        assert whose(named, found) is OURS
    assert whose(named, row(cluster_number="1037002")) is NOT_OURS


def test_a_row_that_was_there_is_not_ours_however_near_its_date() -> None:
    """A failed attempt of two minutes ago is within every tolerance."""
    failed, ours = row(-20, index=6), row(2, index=7)
    asked = replace(NEW, seen_before=rows_named([failed, row(-20, "other", 5)], NAME))
    assert asked.seen_before == frozenset({row_key(failed)})
    assert whose(asked, failed) is NOT_OURS
    assert found_row(asked, [failed, ours]) == ours
    assert whose(replace(asked, seen_before=None), failed) is MAY_BE, "where nobody had looked it proves nothing"
    assert whose(NEW, failed) is OURS, "nothing was there"


def test_a_number_may_be_a_place_in_the_list() -> None:
    """Each new row moves the others on; taken for new, an old failure or success would be this one's end."""
    asked = replace(NEW, seen_before=rows_named([row(-20, index=1), row(-400, index=2)], NAME))
    moved = [row(-20, index=2), row(-400, index=3)]
    assert found_row(asked, moved) is None
    assert [match.whose for match in matches(asked, moved, LOOKED)] == [NOT_OURS, NOT_OURS]
    assert found_row(asked, [row(5, index=1), *moved]) == row(5, index=1)


def test_rows_without_dates_are_counted() -> None:
    asked = replace(NEW, seen_before=rows_named([row(None, index=1)], NAME))
    assert found_row(asked, [row(None, index=2)]) is None, "it may be the one that was there"
    assert found_row(asked, [row(None, index=1), row(None, index=2)]) == row(None, index=2)


def test_a_row_that_was_dated_anew_is_not_new() -> None:
    """One that was running may get another date when it ends."""
    asked = replace(NEW, seen_before=rows_named([row(-400, index=6)], NAME))
    assert whose(asked, row(-30, index=6)) is MAY_BE
    assert whose(asked, row(5, index=6)) is OURS, "dated within the window"


def test_a_row_of_days_later_was_asked_for_by_another() -> None:
    """Whoever looks a week later must not take a colleague's snapshot of the name for the one that was lost."""
    week_later = SENT + timedelta(days=7)
    for asked in (ASKED, NEW):
        assert whose(asked, row(20 * HOUR), week_later) is OURS
        assert whose(asked, row(3 * DAY), week_later) is MAY_BE


def test_the_baseline_survives_the_journal() -> None:
    """Written as lists and read back as pairs: compared with the rows of another run of the program."""
    from ncp_tui.snapshots.journal_entry import begun_context, read_entries

    seen = rows_named([row(-20, index=6), row(None, index=5)], NAME)
    begun = JournalEntry("a", SENT, CALLER, REQUEST, seen_before=seen)
    told = {"cluster": REQUEST.cluster_number, "name": REQUEST.name, "bucket": REQUEST.bucket, **begun_context(begun)}
    line = {"id": "a", "fact": "begun", "at": SENT.isoformat(), **told}
    (entry,) = read_entries([line])
    asked = Asked.by(entry)
    assert asked == replace(ASKED, seen_before=seen)
    assert found_row(asked, [row(-20, index=6), row(None, index=5)]) is None


@each_row("at", ["1970-01-01T00:00:00+00:00", "8999-12-31T23:59:59+00:00"])
@each_row("offset", [None, 0.0, 10 * 366 * DAY - 1, -10 * 366 * DAY + 1])
def test_no_clock_is_a_crash(at: str, offset: float | None) -> None:
    asked = Asked.of(REQUEST, datetime.fromisoformat(at), offset)
    for date in ("1970-01-02 00:00:00", "9998-12-31 00:00:00", "2026-01-01 12:00:00"):
        for seen in (None, frozenset[tuple[int, str]]()):
            matches(replace(asked, seen_before=seen), [read(date)], LOOKED)


def test_a_row_is_of_a_cluster_as_far_as_it_names_one() -> None:
    assert is_of_cluster(row(), "1")
    assert is_of_cluster(row(cluster_number="1", cluster_name="a"), "1", "b")
    assert is_of_cluster(row(cluster_name="a"), "1")
    assert not is_of_cluster(row(cluster_name="a"), "1", "b")
    assert not is_of_cluster(row(cluster_number="2"), "1", "b")


SEEN = row(-30, index=3)
FAR = st.integers(2 * 86_400, 20 * 365 * 86_400)
FOREIGN = st.one_of(
    st.fixed_dictionaries({"cluster_number": st.integers(1, 10**9).map(str).filter(REQUEST.cluster_number.__ne__)}),
    st.fixed_dictionaries({"bucket": st.from_regex(r"[a-z]{3,9}", fullmatch=True)}),
    st.fixed_dictionaries({"kind": st.sampled_from(["AUTO", "SCHEDULED", "schedule", "자동", "예약", "AUTOMATIC"])}),
    st.fixed_dictionaries({"seconds": FAR | FAR.map(lambda away: -away)}),
    st.just({"index": SEEN.index, "seconds": -30}),
)


@given(
    differs=FOREIGN,
    offset=st.none() | st.floats(-600, 600),
    looked=st.booleans(),
    seconds=st.integers(0, 20),
    waited=st.integers(20, 10**7),
)
def test_what_differs_from_ours_in_any_one_thing_is_never_proof(
    differs: dict[str, Any], offset: float | None, looked: bool, seconds: int, waited: int
) -> None:
    seen = frozenset({row_key(SEEN)}) if looked or differs.get("index") == SEEN.index else None
    asked = Asked.of(REQUEST, SENT, offset, seen)
    mine: dict[str, Any] = {"seconds": seconds, "bucket": REQUEST.bucket, "cluster_number": REQUEST.cluster_number}
    looked_at = SENT + timedelta(seconds=waited)
    assert whose(asked, row(**mine), looked_at) is OURS
    assert whose(asked, row(**mine | differs), looked_at) is not OURS


def dated(seconds: float, zone: str) -> HistoryEntry:
    """A row whose date says its zone."""
    return read(f"{SENT + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}{zone}")


WEEK_LATER = SENT + timedelta(days=7)
SLOW = replace(ASKED, clock_offset=-600.0)
TOO_SLOW = replace(ASKED, clock_offset=-601.0)
EDGES: list[tuple[Asked, HistoryEntry, datetime, Whose]] = [
    # Where nobody had looked: two seconds before, and ten minutes after the look or a day, whichever comes first.
    (ASKED, row(-2), LOOKED, OURS),
    (ASKED, row(-3), LOOKED, MAY_BE),
    (ASKED, row(630), LOOKED, OURS),
    (ASKED, row(631), LOOKED, MAY_BE),
    (ASKED, row(DAY + 600), WEEK_LATER, OURS),
    (ASKED, row(DAY + 601), WEEK_LATER, MAY_BE),
    (ASKED, row(600), SENT - timedelta(days=7), OURS),
    (ASKED, row(601), SENT - timedelta(days=7), MAY_BE),
    # Older than any zone explains, it is an earlier attempt.
    (ASKED, row(-600 - 21 * HOUR), LOOKED, MAY_BE),
    (ASKED, row(-601 - 21 * HOUR), LOOKED, NOT_OURS),
    (ASKED, dated(-600 - 12 * HOUR, "Z"), LOOKED, MAY_BE),
    (ASKED, dated(-601 - 12 * HOUR, "Z"), LOOKED, NOT_OURS),
    # New: by as much as two clocks and any two zones differ.
    (NEW, row(-600 - 21 * HOUR), LOOKED, OURS),
    (NEW, row(-601 - 21 * HOUR), LOOKED, MAY_BE),
    (NEW, row(630 + 5 * HOUR), LOOKED, OURS),
    (NEW, row(631 + 5 * HOUR), LOOKED, MAY_BE),
    (NEW, dated(-600 - 12 * HOUR, "Z"), LOOKED, OURS),
    (NEW, dated(-601 - 12 * HOUR, "Z"), LOOKED, MAY_BE),
    (NEW, dated(630 + 14 * HOUR, "Z"), LOOKED, OURS),
    (NEW, dated(631 + 14 * HOUR, "Z"), LOOKED, MAY_BE),
    # Our clock counts beside the gateway's where it is at most ten minutes off.
    (SLOW, row(-602), LOOKED, OURS),
    (SLOW, row(-603), LOOKED, MAY_BE),
    (SLOW, row(630), LOOKED, OURS),
    (SLOW, row(631), LOOKED, MAY_BE),
    (TOO_SLOW, row(29), LOOKED, OURS),
    (TOO_SLOW, row(30), LOOKED, MAY_BE),
]


@each_row(("asked", "found", "looked_at", "expected"), EDGES)
def test_the_window_of_a_request_to_the_second(
    asked: Asked, found: HistoryEntry, looked_at: datetime, expected: Whose
) -> None:
    """A second more, and another's snapshot is told as this one; a second less, and its own is not found."""
    assert whose(asked, found, looked_at) is expected


@each_row(
    ("asked", "found", "why"),
    [
        (NEW, row(1), ""),
        (NEW, row(1, cluster_number="7"), "it is of the cluster 7"),
        (NEW, row(1, cluster_name="search-0002"), "it is of the cluster search-0002"),
        (NEW, row(1, bucket="other"), "it is in the bucket other"),
        (NEW, row(1, kind="AUTO"), "a schedule created it"),
        (replace(NEW, seen_before=frozenset({row_key(row(1))})), row(1), "it was there before"),
        (ASKED, row(None), "it has no date"),
        (ASKED, read("soon"), "its date soon cannot be read"),
        (ASKED, row(-30 * DAY), "it is dated 2025-12-02 12:00:00 KST, before the request"),
        (NEW, row(-30 * DAY), "its date 2025-12-02 12:00:00 KST does not fit the time of the request"),
        (ASKED, row(30 * DAY), "its date 2026-01-31 12:00:00 KST does not fit the time of the request"),
    ],
)
def test_what_says_that_a_row_is_not_ours(asked: Asked, found: HistoryEntry, why: str) -> None:
    (match,) = matches(asked, [found], LOOKED)
    assert match.why == why


def test_rows_that_were_there_are_told_from_new_ones_by_number_and_date() -> None:
    """Seen, then moved as often as its date was seen, then dated anew; what is left is new."""
    seen = replace(NEW, seen_before=rows_named([row(-400, index=1), row(-400, index=2), row(-900, index=3)], NAME))
    for rows, expected in (
        ([row(-400, index=1), row(-400, index=2), row(-900, index=3)], [NOT_OURS] * 3),
        ([row(-400, index=5), row(-400, index=6), row(-400, index=7)], [OURS, NOT_OURS, NOT_OURS]),
        ([row(-400, index=1), row(-400, index=5), row(-400, index=6)], [OURS, NOT_OURS, NOT_OURS]),
        ([row(-400, index=5), row(-300, index=3), row(-300, index=1)], [MAY_BE, MAY_BE, NOT_OURS]),
        ([row(-300, index=4)], [OURS]),
        ([row(-900, index=4), row(-300, index=3)], [OURS, NOT_OURS]),
    ):
        assert [match.whose for match in matches(seen, rows, LOOKED)] == expected


def test_the_newest_request_for_a_snapshot_and_whether_its_row_is_still_to_come() -> None:
    def request(key: str, minutes: int, *facts: dict[str, str], name: str = NAME) -> JournalEntry:
        at = SENT + timedelta(minutes=minutes)
        return JournalEntry(key, at, CALLER, replace(REQUEST, name=name), events=({"fact": "begun"}, *facts))

    sent, done = {"fact": "sent"}, {"fact": "finished", "state": "success"}
    accepted, refused = ({"fact": "outcome", "outcome": outcome} for outcome in ("accepted", "refused"))
    older = request("older", 0, sent)
    for newest, is_awaited in (
        (request("a", 1, sent), True),
        (request("b", 1, sent, accepted), True),
        (request("c", 1, sent, accepted, done), False),
        (request("d", 1, sent, refused), False),
        (request("e", 1), False),
    ):
        others = [request("x", 9, sent, name="another")]
        for entries in ([older, newest, *others], [newest, older, *others]):
            assert awaited(entries, REQUEST.cluster_number, NAME) == (newest, is_awaited)
        assert awaited(others, REQUEST.cluster_number, NAME) == (None, False)
        assert awaited([newest], "7", NAME) == (None, False)
