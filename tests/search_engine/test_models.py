"""Reading objects whose fields may be missing, retyped or new: tolerated, shown, never a crash and never green."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.search_engine.fields import epoch, flag, members, number, text
from ncp_tui.search_engine.models import (
    Bucket,
    Cluster,
    Dashboard,
    HistoryEntry,
    ScheduleEntry,
    SnapshotState,
    Version,
)
from ncp_tui.system.time_zone import KST
from tests.tables import each_row

FIELDS = [
    *("serviceGroupInstanceNo", "clusterName", "clusterStatus", "searchEngineStatus", "searchEngineVersion"),
    *("searchEngineVersionCode", "vpcName", "vpcNo", "createDate", "managerNodeCount", "dataNodeCount"),
    *("masterNodeCount", "name", "bucketProtectionState", "permission", "bytesUsed"),
    *("objectCount", "creationTime", "snapshotName", "bucketName", "actionDate", "requestType", "message"),
    *("duration", "hasErrorLog", "idx", "clusterStatus", "status", "docsCount", "somethingNew"),
]
ODD = st.sampled_from(
    [10**4000, -(10**4000), 1e308, -1e308, 2**63, -1, 0, "9" * 4000, "0001-01-01 00:00:00", "9999-12-31 23:59:59"]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ANY_ITEM = st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=len(FIELDS))


@given(ANY_ITEM)
def test_no_json_in_any_field_is_a_crash(item: dict[str, Any]) -> None:
    """Old copies of the documentation disagree on names and types; one odd row must not hide the list."""
    cluster, bucket, entry = Cluster.read(item), Bucket.read(item), HistoryEntry.read(item)
    assert isinstance(cluster.nodes, str)
    assert isinstance(cluster.is_running, bool)
    assert bucket.usable == (not bucket.reason)
    assert isinstance(entry.state, SnapshotState)
    assert isinstance(entry.sort_key[0], float)
    for moment in (entry.at, bucket.created):
        if moment is not None:
            moment.astimezone(UTC)
            moment.astimezone(KST)
    ScheduleEntry.read(item)
    Version.read(item)
    Dashboard.read({"clusterStatus": item})
    for read in (cluster, bucket, entry):
        assert read.raw == item
        assert repr(read)


@given(ANY_JSON)
def test_no_json_is_a_crash_as_a_result(result: Any) -> None:
    members(result, "allowedClusters")
    Dashboard.read(result)


@given(st.lists(ANY_ITEM, max_size=5))
def test_any_rows_can_be_sorted(items: list[dict[str, Any]]) -> None:
    sorted([HistoryEntry.read(item) for item in items], key=lambda row: row.sort_key)


def test_a_cluster_from_the_list_and_from_the_detail() -> None:
    """The number is text in one answer and a number in the other; the version a name here and a code there."""
    listed = Cluster.read(
        {"serviceGroupInstanceNo": "1037", "searchEngineVersion": "OpenSearch 2.17.1", "vpcName": "v"}
    )
    detail = Cluster.read({"serviceGroupInstanceNo": 1037, "searchEngineVersionCode": "2171", "vpcNo": 40211})
    assert listed.number == detail.number == "1037"
    assert (listed.engine, detail.engine, listed.vpc, detail.vpc) == ("OpenSearch 2.17.1", "2171", "v", "40211")
    whole = listed.with_detail(detail)
    assert (whole.number, whole.engine, whole.vpc) == ("1037", "OpenSearch 2.17.1", "v")


def test_a_detail_says_how_a_listed_cluster_is_now() -> None:
    """Health is in the list alone and nodes may be in the detail alone; what a detail leaves empty says nothing."""
    listed = Cluster.read({"clusterName": "a", "clusterStatus": "running", "searchEngineStatus": "green"})
    detail = Cluster.read({"clusterStatus": "changing", "searchEngineStatus": None, "dataNodeCount": 3, "port": 9200})
    whole = listed.with_detail(detail)
    assert (whole.name, whole.status, whole.health, whole.data_nodes) == ("a", "changing", "green", 3)
    assert (whole.raw["port"], whole.raw["searchEngineStatus"]) == (9200, "green")
    assert listed.with_detail(Cluster.read({"clusterStatus": ""})).status == "running"


def test_a_detail_gives_no_access_that_the_list_denied() -> None:
    assert not Cluster.read({"clusterName": "a"}, allowed=False).with_detail(Cluster.read({"port": 1})).allowed


@each_row(
    ("counts", "shown"),
    [
        ((2, 3, 0), "2+3"),
        ((2, 3, None), "2+3"),
        (("2", "3", "3"), "2+3+3"),
        ((None, None, None), ""),
        (([], {}, ""), ""),
    ],
)
def test_nodes(counts: tuple[Any, Any, Any], shown: str) -> None:
    names = ("managerNodeCount", "dataNodeCount", "masterNodeCount")
    assert Cluster.read(dict(zip(names, counts, strict=True))).nodes == shown


@each_row(
    ("status", "running"), [("running", True), ("RUNNING", True), ("working", False), ("", False), ("return", False)]
)
def test_running(status: str, *, running: bool) -> None:
    assert Cluster.read({"clusterStatus": status}).is_running is running


@each_row(
    ("state", "permission", "usable", "words"),
    [
        ("DISABLED", "Allow", True, ""),
        ("ENABLED", "Allow", False, "locked"),
        ("enabled", "ALLOW", False, "locked"),
        ("DISABLED", "Deny", False, "no access"),
        ("ENABLED", "deny", False, "; "),
        (None, None, True, ""),
    ],
)
def test_buckets(state: str | None, permission: str | None, words: str, *, usable: bool) -> None:
    bucket = Bucket.read({"name": "b", "bucketProtectionState": state, "permission": permission})
    assert bucket.usable is usable
    assert words in bucket.reason


S, F, R, U = SnapshotState.SUCCESS, SnapshotState.FAILED, SnapshotState.RUNNING, SnapshotState.UNKNOWN

# Message, hasErrorLog, duration. The service publishes no states, so this table is the rule: never guess green.
STATES: list[tuple[str | None, Any, Any, SnapshotState]] = [
    ("SUCCESS", False, "31s", S),
    ("success", None, None, S),
    (" Success", False, "", S),
    ("Succeeded", False, "1", S),
    ("completed", None, "", S),
    ("Snapshot completed", False, "31s", S),
    ("완료", False, "", S),
    ("성공", None, "", S),
    ("스냅샷 생성 완료", False, "31", S),
    ("스냅샷 생성 완료", None, "31", S),
    ("", False, "31s", S),
    (None, None, 31, S),
    ("no failures", False, "31s", S),
    ("request completed", False, "31s", S),
    ("request completed", False, None, U),
    ("no failures", None, "31s", U),
    ("SUCCESS", "no", "31s", S),
    ("SUCCESS", "perhaps", "31s", U),
    ("", ["x"], "31s", U),
    ("무언가", False, "31s", U),
    ("Complete loss of data", False, "31s", U),
    ("SUCCESS", "YES", "31s", F),
    ("SUCCESS", True, "31s", F),
    ("SUCCESS", "true", "31s", F),
    ("SUCCESS", 1, "31s", F),
    ("", True, "31s", F),
    ("", 1, "31s", F),
    ("", "Y", "31s", F),
    ("FAILED", False, "31s", F),
    ("FAILED: repository_verification_exception", False, None, F),
    ("PARTIAL: 2 of 40 shards failed", False, "31s", F),
    ("Completed with errors", False, "31s", F),
    ("unsuccessful", False, "31s", F),
    ("Access denied", False, "3s", F),
    ("request timed out", False, "3s", F),
    ("snapshot rejected", False, "3s", F),
    ("INCOMPATIBLE", False, "3s", F),
    ("aborted", False, "3s", F),
    ("실패", False, "31s", F),
    ("생성 실패", None, None, F),
    ("오류가 발생했습니다", False, "31s", F),
    ("취소됨", False, "31s", F),
    ("권한이 거부되었습니다", False, "31s", F),
    ("시간 초과", False, "31s", F),
    ("작업이 중단되었습니다", False, "31s", F),
    ("IN_PROGRESS", False, None, R),
    ("in progress", None, "12s", R),
    ("Started", False, None, R),
    ("진행 중", False, None, R),
    ("진행중", False, "3s", R),
    ("스냅샷 생성 중입니다", False, "3s", R),
    ("스냅샷 생성을 요청했습니다", False, None, R),
    ("대기", False, None, R),
    ("", False, None, R),
    (None, None, None, R),
    ("", False, "-", R),
    ("", False, "0", U),
    ("", False, "0s", U),
    ("", None, 0, U),
    (None, False, "00:00:00", U),
    ("not completed", False, "31s", U),
    ("incomplete", False, "31s", U),
    ("Success: false", False, "31s", U),
    ("Completed, 2 shards missing", False, "31s", U),
    ("완료되지 않았습니다", False, "31s", U),
    ("성공하지 못했습니다", False, "31s", U),
    ("미완료", False, "31s", U),
    ("무언가", False, None, U),
    ("무언가", None, "31s", U),
    ("SNAPSHOT", None, None, U),
]


def test_state() -> None:
    """Whoever deletes an index next reads this word."""
    for message, has_error_log, duration, state in STATES:
        row = {"snapshotName": "s", "message": message, "hasErrorLog": has_error_log, "duration": duration}
        assert HistoryEntry.read(row).state is state, row


@each_row(
    ("snapshot", "message", "state"),
    [
        ("failed-upgrade", "SUCCESS: failed-upgrade", S),
        ("no-error-1", "no-error-1 FAILED", F),
        ("failed", "failed", F),
        ("partial", "partial success", F),
        ("daily-1", "Snapshot daily-1 completed", S),
        ("daily-1", "Snapshot daily-12 completed", U),
    ],
)
def test_a_name_in_a_message_says_nothing(snapshot: str, message: str, state: SnapshotState) -> None:
    assert HistoryEntry.read({"snapshotName": snapshot, "message": message, "hasErrorLog": False}).state is state


@each_row(
    ("kind", "scheduled"),
    [("AUTO", True), ("Scheduled", True), ("예약", True), ("USER", False), ("MANUAL", False), ("", False)],
)
def test_scheduled(kind: str, *, scheduled: bool) -> None:
    assert HistoryEntry.read({"requestType": kind}).is_scheduled is scheduled


@each_row(
    ("date", "shown"),
    [
        ("2025-03-24 10:00:00", "2025-03-24 10:00:00 KST"),
        ("2025-03-24T01:00:00Z", "2025-03-24 10:00:00 KST"),
        ("about noon", "about noon"),
        ([1], "[1]"),
        ({"a": 1}, "{'a': 1}"),
        (None, ""),
    ],
)
def test_a_date_is_shown_in_any_case(date: Any, shown: str) -> None:
    """A blank would look as if the service had said nothing."""
    assert HistoryEntry.read({"actionDate": date}).when == shown


@given(st.text(max_size=30), st.text(max_size=10))
def test_an_error_log_is_never_anything_but_failed(message: str, duration: str) -> None:
    row = {"message": message, "duration": duration, "hasErrorLog": True}
    assert HistoryEntry.read(row).state is SnapshotState.FAILED


@each_row(
    ("value", "expected"),
    [
        (1_700_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1_700_000_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (10**30, None),
        (-1, None),
        (None, None),
        ("x", None),
        (True, None),
        (10**4000, None),
    ],
)
def test_epoch(value: Any, expected: datetime | None) -> None:
    """Seconds or milliseconds: the documentation does not say."""
    assert epoch({"t": value}, "t") == expected


def test_scalars() -> None:
    item = {"i": 5, "f": 1.5, "s": "x", "t": True, "n": None, "l": [1], "d": {}, "si": " 7 ", "inf": float("inf")}
    assert [text(item, name) for name in item] == ["5", "1.5", "x", "true", "", "", "", " 7 ", "inf"]
    assert [number(item, name) for name in item] == [5, 1, None, None, None, None, None, 7, None]
    assert (text(item, "missing"), number(item, "missing"), flag(item, "missing")) == ("", None, None)


@each_row(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        ("True", True),
        ("false", False),
        (1, True),
        (0, False),
        ("N", False),
        ("no", False),
        (" Yes ", True),
        ("x", None),
        (2, None),
        (None, None),
        (1.0, None),
        ([], None),
    ],
)
def test_flag(value: Any, *, expected: bool | None) -> None:
    assert flag({"f": value}, "f") is expected


def test_a_cluster_without_a_name_is_called_by_its_number() -> None:
    for name, title in (("", "1037001"), ("  ", "1037001"), (None, "1037001"), ("prod", "prod")):
        assert Cluster.read({"serviceGroupInstanceNo": "1037001", "clusterName": name}).title == title
