"""What is believed of the API: the sandbox answers so, and whatever answers in another way is told by its place."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from ncp_tui.gateway.errors import GatewayError, RefusedByService
from ncp_tui.sandbox.sandbox import Sandbox, serve
from ncp_tui.search_engine.contract import BELIEFS, Field
from ncp_tui.search_engine.contract_check import PAGE_SIZES, Listed, NoCluster, Reading, read_contract
from ncp_tui.search_engine.contract_comparison import NEWEST_FIRST, NO_ORDER, OLDEST_FIRST, Unread, compare, order_of
from ncp_tui.search_engine.contract_findings import Comparison, DifferenceKind, FactKind
from ncp_tui.search_engine.models import Cluster, HistoryEntry, ScheduleEntry
from ncp_tui.search_engine.operations import OPERATIONS, Effect
from ncp_tui.snapshots.schedule import unread_run, unread_setting
from tests.search_engine.scripted import Scripted, engine_of
from tests.tables import each_row

KEYLESS = "search-0004"
HISTORY, SCHEDULES, BUCKETS = "getSnapshotHistory", "getSnapshotSchedulingHistory", "getBucketList"
CLUSTERS, CLUSTER = "getClusterInfoList", "getClusterInfo"
UNREAD: Unread = {
    HISTORY: lambda item: unread_run(HistoryEntry.read(item)),
    SCHEDULES: lambda item: unread_setting(ScheduleEntry.read(item)),
}
ROWS, SET = "snapshotHistoryResponseList", "snapshotSchedulingHistoryList"


def first(listed: Listed) -> Cluster | None:
    return listed.clusters[0] if listed.clusters else None


def read_sandbox(sandbox: Sandbox, name: str = "search-0001") -> list[Reading]:
    async def read() -> list[Reading]:
        async with serve(sandbox) as running:
            engine = engine_of(running, read_only=True)
            named = (lambda listed: next(each for each in listed.clusters if each.name == name)) if name else first
            found = [reading async for reading in read_contract(engine, named)]
            await engine.aclose()
        return found

    return asyncio.run(read())


@pytest.fixture(scope="module")
def answered() -> list[Reading]:
    """What the sandbox answers about a cluster with a history and a schedule."""
    return read_sandbox(Sandbox(duration=0))


def of(comparisons: list[Comparison], operation: str) -> Comparison:
    return next(each for each in comparisons if each.operation == operation)


def differences(readings: list[Reading]) -> list[tuple[str, DifferenceKind, str]]:
    return [(each.operation, each.kind, each.path) for one in compare(readings, UNREAD) for each in one.differences]


def changed(readings: list[Reading], operation: str, change: Callable[[dict[str, Any]], None]) -> list[Reading]:
    """The same, the result of one operation being another."""
    found = copy.deepcopy(readings)
    for reading in found:
        if reading.operation == operation:
            change(reading.payload["result"])
    return found


def test_every_read_and_nothing_else_has_a_belief() -> None:
    reads = {name for name, operation in OPERATIONS.items() if operation.effect is Effect.READ}
    assert set(BELIEFS) == reads


def test_every_field_has_a_type_and_a_source() -> None:
    def check(fields: tuple[Field, ...]) -> None:
        names = [each.name for each in fields]
        assert len(set(names)) == len(names), names
        for each in fields:
            assert each.kind
            assert each.grade
            check(each.fields)

    for belief in BELIEFS.values():
        check(belief.envelope)


# The sandbox


def test_the_sandbox_is_as_believed(answered: list[Reading]) -> None:
    """They share no code, so a mistake of one is found here."""
    assert {reading.operation for reading in answered} == set(BELIEFS)
    assert all(reading.problem is None for reading in answered)
    assert differences(answered) == []


@pytest.mark.parametrize("name", ["search-0002", "검색-로그-서울", KEYLESS, "search-0005"])
def test_so_is_another_cluster_of_it(name: str) -> None:
    """Without a history, with a Korean name, without a storage key, changing."""
    assert differences(read_sandbox(Sandbox(duration=0), name)) == []


def test_a_cluster_without_a_storage_key_settles_how_that_is_answered() -> None:
    found = of(compare(read_sandbox(Sandbox(duration=0), KEYLESS)), BUCKETS)
    (fact,) = [fact for fact in found.facts if fact.kind is FactKind.KEY_NOT_SET]
    assert fact.seen[1] == "10115"
    assert not found.differences
    assert "storage key" not in " ".join(doubt.question for doubt in found.doubts)


def test_each_operation_is_asked_once_or_twice_and_nothing_is_changed() -> None:
    sandbox = Sandbox(duration=0)
    read_sandbox(sandbox)
    asked = [request.operation for request in sandbox.ledger.requests]
    assert {asked.count(operation) for operation in asked} == {1, 2}
    assert set(asked) == set(BELIEFS)
    assert not sandbox.ledger.effects


# What answers in another way

Change = Callable[[dict[str, Any]], None]


def in_rows(name: str, change: Callable[[dict[str, Any]], None]) -> Change:
    def each(result: dict[str, Any]) -> None:
        for row in result[name]:
            change(row)

    return each


def without(field: str) -> Change:
    return lambda row: row.pop(field)


def with_value(field: str, value: Any) -> Change:
    return lambda row: row.update({field: value})


def renamed(old: str, new: str) -> Change:
    return lambda row: row.update({new: row.pop(old)})


def backwards(name: str) -> Change:
    return lambda result: result[name].reverse()


def page_of_ten(result: dict[str, Any]) -> None:
    result[ROWS] = result[ROWS][:10]
    result.update(pageSize=10, isLast=False)


K = DifferenceKind
MEMBERS: list[tuple[str, Change, K, str]] = [
    (HISTORY, in_rows(ROWS, without("idx")), K.MISSING, f"{ROWS}[].idx"),
    (HISTORY, in_rows(ROWS, without("message")), K.MISSING, f"{ROWS}[].message"),
    (CLUSTER, without("searchEngineVersionCode"), K.MISSING, "searchEngineVersionCode"),
    (HISTORY, without("isLast"), K.MISSING, "isLast"),
    (HISTORY, without(ROWS), K.MISSING, ROWS),
    (HISTORY, in_rows(ROWS, with_value("idx", "7")), K.OTHER_TYPE, f"{ROWS}[].idx"),
    (HISTORY, in_rows(ROWS, with_value("hasErrorLog", "false")), K.OTHER_TYPE, f"{ROWS}[].hasErrorLog"),
    (CLUSTERS, in_rows("allowedClusters", with_value("serviceGroupInstanceNo", 1)), K.OTHER_TYPE, ""),
    (BUCKETS, in_rows("bucketList", with_value("bytesUsed", 1.5)), K.OTHER_TYPE, "bucketList[].bytesUsed"),
    (BUCKETS, with_value("bucketList", {"a": {}}), K.OTHER_TYPE, "bucketList"),
    (BUCKETS, with_value("bucketList", ["a", "b"]), K.OTHER_TYPE, "bucketList[]"),
    (HISTORY, in_rows(ROWS, with_value("message", None)), K.OTHER_TYPE, f"{ROWS}[].message"),
    (BUCKETS, with_value("bucketList", None), K.OTHER_TYPE, "bucketList"),
    (SCHEDULES, in_rows(SET, with_value("bucketName", None)), K.OTHER_TYPE, f"{SET}[].bucketName"),
    (CLUSTER, with_value("clusterStatus", "upgrading"), K.UNKNOWN_WORD, "clusterStatus"),
    (CLUSTERS, in_rows("allowedClusters", with_value("searchEngineStatus", "purple")), K.UNKNOWN_WORD, ""),
    (BUCKETS, in_rows("bucketList", with_value("permission", "ALLOW_ALL")), K.UNKNOWN_WORD, "bucketList[].permission"),
    (SCHEDULES, in_rows(SET, with_value("snapshotSchedulingSetUpDay", "MON")), K.UNKNOWN_WORD, ""),
    (HISTORY, in_rows(ROWS, with_value("message", "QZX_7")), K.NOT_UNDERSTOOD, f"{ROWS}[].message"),
    (HISTORY, in_rows(ROWS, with_value("requestType", "QZX_7")), K.NOT_UNDERSTOOD, f"{ROWS}[].requestType"),
    (HISTORY, in_rows(ROWS, with_value("actionDate", "yesterday")), K.NOT_UNDERSTOOD, f"{ROWS}[].actionDate"),
    (SCHEDULES, in_rows(SET, with_value("snapshotSchedulingStatus", "PENDING")), K.NOT_UNDERSTOOD, ""),
    (SCHEDULES, in_rows(SET, with_value("snapshotSchedulingSetUpTime", "noon")), K.NOT_UNDERSTOOD, ""),
    (HISTORY, backwards(ROWS), K.OTHER_ORDER, ROWS),
    (SCHEDULES, backwards(SET), K.OTHER_ORDER, SET),
    (HISTORY, in_rows(ROWS, with_value("actionDate", "2026-11-28T20:00:00+09:00")), K.OTHER_FORMAT, ""),
    (HISTORY, in_rows(ROWS, with_value("actionDate", "20261128200000")), K.OTHER_FORMAT, f"{ROWS}[].actionDate"),
    (HISTORY, in_rows(ROWS, with_value("actionDate", 1_760_000_000)), K.OTHER_FORMAT, f"{ROWS}[].actionDate"),
    (SCHEDULES, in_rows(SET, with_value("snapshotSchedulingSetUpTime", "3:00 AM")), K.OTHER_FORMAT, ""),
    (HISTORY, page_of_ten, K.OTHER_PAGE, "pageSize"),
    (HISTORY, with_value("currentPage", 0), K.OTHER_PAGE, "currentPage"),
    (HISTORY, with_value("totalCount", 99), K.OTHER_COUNT, "totalCount"),
    (HISTORY, in_rows(ROWS, renamed("snapshotName", "snapshot_name")), K.OTHER_NAME, f"{ROWS}[].snapshotName"),
    (HISTORY, in_rows(ROWS, renamed("actionDate", "ActionDate")), K.OTHER_NAME, f"{ROWS}[].actionDate"),
    (BUCKETS, renamed("bucketList", "BucketList"), K.OTHER_NAME, "bucketList"),
    (SCHEDULES, renamed(SET, "snapshotSchedulingHistoryResponseList"), K.OTHER_NAME, SET),
    (SCHEDULES, renamed(SET, "rows"), K.OTHER_NAME, SET),
    (HISTORY, in_rows(ROWS, with_value("snapshotState", "DONE")), K.UNKNOWN_FIELD, f"{ROWS}[]"),
    (CLUSTER, with_value("upgradable", {"to": []}), K.UNKNOWN_FIELD, "result"),
    (CLUSTER, with_value("serviceGroupInstanceNo", "999999"), K.OTHER_CLUSTER, ""),
]


@each_row("operation, change, kind, path", MEMBERS)
def test_what_answers_in_another_way_is_told(
    answered: list[Reading], operation: str, change: Change, kind: DifferenceKind, path: str
) -> None:
    found = differences(changed(answered, operation, change))
    assert (operation, kind) in {(each[0], each[1]) for each in found}
    assert {each[0] for each in found} == {operation}
    assert not path or any(each[1] is kind and each[2].endswith(path) for each in found), found


@each_row("operation, change, kind, path", [each for each in MEMBERS if each[2] is K.OTHER_NAME])
def test_what_has_another_name_is_compared_all_the_same(
    answered: list[Reading], operation: str, change: Change, kind: DifferenceKind, path: str
) -> None:
    """One difference and not two: a field that is missing, and one that is unknown."""
    assert path
    assert {each[1] for each in differences(changed(answered, operation, change))} == {kind}


def test_an_addition_is_told_apart(answered: list[Reading]) -> None:
    found = compare(changed(answered, HISTORY, in_rows(ROWS, with_value("snapshotState", "DONE"))))
    (difference,) = of(found, HISTORY).differences
    assert difference.is_addition
    assert (difference.name, difference.seen, difference.count) == ("snapshotState", ("string",), 23)


def test_a_field_that_is_missing_at_times_is_counted(answered: list[Reading]) -> None:
    def change(result: dict[str, Any]) -> None:
        for row in result[ROWS][:3]:
            row.pop("bucketName")

    (difference,) = of(compare(changed(answered, HISTORY, change)), HISTORY).differences
    assert (difference.count, difference.of) == (3, 23)


def test_a_doubtful_field_that_is_there_is_a_fact_and_no_difference(answered: list[Reading]) -> None:
    found = compare(changed(answered, BUCKETS, in_rows("bucketList", with_value("sseKmsEnabled", value=True))))
    assert not of(found, BUCKETS).differences
    assert "there" in {fact.seen[0] for fact in of(found, BUCKETS).facts if fact.kind is FactKind.PRESENCE}


@each_row(
    "dates, order",
    [
        (["2026-11-03", "2026-11-02", "2026-11-02", "2026-11-01"], NEWEST_FIRST),
        (["2026-11-01", "2026-11-02"], OLDEST_FIRST),
        (["2026-11-01", "2026-11-03", "2026-11-02"], NO_ORDER),
        (["2026-11-01"], None),
        (["2026-11-01", "2026-11-01"], None),
        ([], None),
    ],
)
def test_an_order_needs_two_different_dates(dates: list[str], order: str | None) -> None:
    assert order_of([{"at": f"{date} 10:00:00"} for date in dates], "at") == order


def test_without_rows_everything_about_them_stays_doubtful(answered: list[Reading]) -> None:
    def change(result: dict[str, Any]) -> None:
        result.update({ROWS: [], "totalCount": 0, "totalPage": 0})

    found = of(compare(changed(answered, HISTORY, change)), HISTORY)
    assert not found.differences
    questions = " ".join(f"{doubt.path} {doubt.question}" for doubt in found.doubts)
    assert all(part in questions for part in ("order", "requestType", "message", "actionDate", "duration"))


# What hinders it


def test_a_refusal_of_a_large_page_is_its_limit() -> None:
    def result(query: Any) -> Any:
        if query.get("pageSize") == str(PAGE_SIZES[1]):
            return 400, {"code": 40002, "message": "too many", "result": None, "requestId": "r"}
        return {"allowedClusters": [], "disallowedClusters": [], "totalCount": 0, "isLast": True}

    found = of(compare(read(Scripted(result))), CLUSTERS)
    assert K.REFUSED not in {each.kind for each in found.differences}
    assert ("1000", "refused", "400", "40002") in {fact.seen for fact in found.facts}
    assert not any("pageSize" in doubt.question for doubt in found.doubts)


def test_an_operation_that_is_not_open_is_a_difference_and_the_others_are_read() -> None:
    error = {"error": {"errorCode": "300", "message": "Not Found Exception"}}
    found = compare(read(Scripted(lambda query: (404, error) if not query else cluster_page())))
    for operation in (CLUSTER, BUCKETS, "getSearchEngineVersionList"):
        (difference,) = of(found, operation).differences
        assert (difference.kind, difference.seen) == (K.REFUSED, ("404", "300"))
        assert of(found, operation).problem is None


def test_keys_that_are_refused_end_it_at_once() -> None:
    error = {"error": {"errorCode": "200", "message": "Authentication Failed"}}
    gateway = Scripted(lambda _: (401, error))
    found = read(gateway)
    assert len(gateway.requests) == 1
    assert all(reading.problem is not None and not reading.is_answer for reading in found)


def test_without_a_cluster_the_rest_is_not_read() -> None:
    empty = {"allowedClusters": [], "disallowedClusters": [], "searchEngineVersionList": [], "totalCount": 0}
    found = read(Scripted(lambda _: empty))
    unread = {reading.operation for reading in found if isinstance(reading.problem, NoCluster)}
    assert unread == set(BELIEFS) - {CLUSTERS, "getSearchEngineVersionList"}


def test_it_ends_in_time() -> None:
    moments = iter(range(0, 10_000, 100))
    gateway = Scripted(lambda _: cluster_page())
    found = read(gateway, monotonic=lambda: float(next(moments)))
    assert len(gateway.requests) < 3
    assert found[-1].problem is not None
    assert found[-1].problem.kind == "out_of_time"


@each_row(
    "result",
    [
        {"allowedClusters": [{}] * 4_000},
        {"allowedClusters": [{f"field{place}": place} for place in range(3_000)]},
        {f"field{place}": {} for place in range(3_000)},
        {"allowedClusters": [[[[[[]]]]]] * 300},
        [],
        "text",
        None,
        {"allowedClusters": None, "disallowedClusters": "x", "totalCount": "many", "isLast": "perhaps"},
    ],
    ids=["tiny rows", "names", "members", "nested", "list", "text", "null", "wrong types"],
)
def test_a_hostile_answer_is_bounded(result: Any) -> None:
    comparisons = compare(read(Scripted(lambda _: result)))
    told = json.dumps([repr(one.differences) + repr(one.facts) for one in comparisons])
    assert len(told) < 200_000
    assert of(comparisons, CLUSTERS).differences


def test_a_refusal_keeps_its_answer() -> None:
    body = {"code": 10199, "message": "no", "result": None, "requestId": "r"}
    found = read(Scripted(lambda query: cluster_page() if query else (400, body)))
    refused = next(reading for reading in found if reading.operation == CLUSTER)
    assert isinstance(refused.problem, RefusedByService)
    assert refused.payload == body


def cluster_page() -> dict[str, Any]:
    cluster = {"serviceGroupInstanceNo": "1037001", "clusterName": "a", "clusterStatus": "running"}
    return {"allowedClusters": [cluster], "disallowedClusters": [], "totalCount": 1, "isLast": True}


def read(gateway: Scripted, **more: Any) -> list[Reading]:
    async def reading() -> list[Reading]:
        return [each async for each in read_contract(gateway.engine(read_only=True), first, **more)]

    return asyncio.run(reading())


def test_only_a_read_is_read() -> None:
    async def ask(operation: str) -> None:
        await Scripted(lambda _: True).engine().read_payload(operation, "1")

    for name, operation in OPERATIONS.items():
        if operation.effect is not Effect.READ:
            with pytest.raises(ValueError, match="effect"):
                asyncio.run(ask(name))
    assert issubclass(NoCluster, GatewayError)
