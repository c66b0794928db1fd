"""The snapshot group: what is refused, what is accepted, and what the history says about it afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from tests.sandbox.signed_client import FRESH, KEYLESS, READY, START, Caller

CREATE = "/snapshot/createSnapshot"
KST = timezone(timedelta(hours=9))


def _refusal(response: httpx.Response) -> tuple[int, int]:
    body = response.json()
    assert set(body) == {"code", "message", "result", "requestId"}
    assert body["result"] is None
    assert body["message"] != "SUCCESS"
    return response.status_code, body["code"]


async def test_buckets_of_every_kind(caller: Caller) -> None:
    rows = (await caller.get(f"/snapshot/getBucketList/{READY}"))["bucketList"]
    kinds = {row["name"]: (row["bucketProtectionState"], row["permission"]) for row in rows}
    assert kinds["bk.ses.snapshot"] == kinds["es-backup-weekly"] == ("DISABLED", "Allow")
    assert kinds["audit-locked"] == ("ENABLED", "Allow")
    assert kinds["finance-private"] == ("DISABLED", "Deny")
    assert kinds["legal-hold"] == ("ENABLED", "Deny")
    times = {row["name"]: row["creationTime"] for row in rows}
    assert times["bk.ses.snapshot"] > 10**11 > times["es-backup-weekly"]


async def test_a_snapshot_is_accepted(caller: Caller) -> None:
    response = await caller.create("before-upgrade")
    body = response.json()
    assert (response.status_code, body["code"], body["message"], body["result"]) == (200, 0, "SUCCESS", True)
    (effect,) = caller.sandbox.ledger.effects
    assert (effect.operation, effect.cluster, effect.name, effect.bucket, effect.request_id) == (
        "createSnapshot",
        READY,
        "before-upgrade",
        "bk.ses.snapshot",
        body["requestId"],
    )


async def test_a_snapshot_runs_and_ends(caller: Caller) -> None:
    """`duration` is absent while it runs: its presence is how a client knows that it is over."""
    await caller.create("before-upgrade")
    row = (await caller.history())[0]
    assert row == {
        "idx": row["idx"],
        "clusterName": "search-0001",
        "snapshotName": "before-upgrade",
        "memberNo": row["memberNo"],
        "serviceGroupInstanceNo": int(READY),
        "actionDate": datetime.fromtimestamp(START, KST).strftime("%Y-%m-%d %H:%M:%S"),
        "bucketName": "bk.ses.snapshot",
        "requestType": "MANUAL",
        "message": "IN_PROGRESS",
        "hasErrorLog": False,
    }
    caller.clock.now += 19.9
    assert (await caller.history())[0]["message"] == "IN_PROGRESS"
    caller.clock.now += 0.2
    ended = (await caller.history())[0]
    assert (ended["message"], ended["hasErrorLog"], ended["duration"]) == ("SUCCESS", False, "20s")


@pytest.mark.parametrize("name", ["will-fail", "fail-again", "a-fail-b"])
async def test_a_snapshot_that_fails(caller: Caller, name: str) -> None:
    """It is accepted like any other, and no error shows while it runs."""
    assert (await caller.create(name)).json()["result"] is True
    assert not (await caller.history())[0]["hasErrorLog"]
    caller.clock.now += 21
    row = (await caller.history())[0]
    assert row["hasErrorLog"]
    assert row["message"] == "FAILED: repository_verification_exception on bk.ses.snapshot"
    assert row["duration"] == "20s"


async def test_failing_is_a_part_of_the_name(caller: Caller) -> None:
    await caller.create("failover-test")
    caller.clock.now += 21
    assert (await caller.history())[0]["message"] == "SUCCESS"


async def test_a_partial_snapshot_has_no_error_log(caller: Caller) -> None:
    """A client that looks at hasErrorLog only would call it a success."""
    await caller.create("partial-one")
    caller.clock.now += 21
    row = (await caller.history())[0]
    assert (row["message"], row["hasErrorLog"]) == ("PARTIAL: 2 of 40 shards failed", False)


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 31, "Snapshot-1", "1snap", "snap--1", "snap-", "-snap", "snap_1", "snap.1", "스냅샷-1", "snap\n", ""],
)
async def test_a_name_against_the_rules(caller: Caller, name: str) -> None:
    assert _refusal(await caller.create(name)) == (400, 40010)
    assert not caller.sandbox.ledger.effects


@pytest.mark.parametrize("name", ["abc", "a" * 30, "snapshot-20250324", "a-1-b-2", "curator-20260101123456"])
async def test_a_name_within_the_rules(caller: Caller, name: str) -> None:
    assert (await caller.create(name)).json()["result"] is True


@pytest.mark.parametrize(
    ("bucket", "code"), [("nowhere", 40020), ("audit-locked", 40021), ("finance-private", 40022), ("legal-hold", 40022)]
)
async def test_a_bucket_that_takes_no_snapshot(caller: Caller, bucket: str, code: int) -> None:
    assert _refusal(await caller.create("before-upgrade", bucket)) == (400, code)
    assert not caller.sandbox.ledger.effects


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"snapshotName": ' + b"9" * 5_000 + b"}",
    ],
    ids=["empty", "cut", "null", "list", "text", "not UTF-8", "deep", "giant number"],
)
async def test_a_body_that_is_no_object(caller: Caller, body: bytes) -> None:
    response = await caller.send("POST", f"{CREATE}/{READY}", body)
    assert _refusal(response) == (400, 40003)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 40010),
        ({"snapshotName": None, "bucketName": "bk.ses.snapshot"}, 40010),
        ({"snapshotName": ["abc"], "bucketName": "bk.ses.snapshot"}, 40010),
        ({"snapshotName": "abc"}, 40020),
        ({"snapshotName": "abc", "bucketName": 7}, 40020),
    ],
)
async def test_fields_of_the_wrong_kind(caller: Caller, body: dict[str, Any], code: int) -> None:
    assert _refusal(await caller.send("POST", f"{CREATE}/{READY}", body)) == (400, code)


async def test_half_a_surrogate_pair(caller: Caller) -> None:
    """Valid JSON that cannot be written as UTF-8 again, so it must not come back in the message or the ledger."""
    body = rb'{"snapshotName": "abc", "bucketName": "\ud800"}'
    assert _refusal(await caller.send("POST", f"{CREATE}/{READY}", body)) == (400, 40020)


@pytest.mark.parametrize("number", ["1037005", "1037006", "1037007", "1037009", "1037010", "1037011"])
async def test_a_cluster_that_is_not_running(caller: Caller, number: str) -> None:
    assert _refusal(await caller.create("before-upgrade", number=number)) == (400, 40050)


@pytest.mark.parametrize(
    ("method", "operation"),
    [
        ("POST", "createSnapshot"),
        ("POST", "setSnapshotScheduling"),
        ("POST", "updateAPIAuthenticationKey"),
        ("GET", "getSnapshotHistory"),
        ("GET", "getSnapshotSchedulingHistory"),
        ("GET", "getBucketList"),
        ("GET", "releaseSnapshotScheduling"),
    ],
)
async def test_a_cluster_that_does_not_exist(caller: Caller, method: str, operation: str) -> None:
    assert _refusal(await caller.send(method, f"/snapshot/{operation}/42", {})) == (400, 40040)


async def test_a_cluster_that_is_not_open(caller: Caller) -> None:
    response = await caller.create("before-upgrade", number="1037013")
    assert (response.status_code, response.json()["error"]["errorCode"]) == (401, "210")


async def test_a_duplicate_name_is_a_refusal_in_http_200(caller: Caller) -> None:
    """The trap for clients that take HTTP 200 for success; a failed or running attempt holds the name too."""
    await caller.create("will-fail")
    assert _refusal(await caller.create("will-fail")) == (200, 40070)
    caller.clock.now += 21
    assert _refusal(await caller.create("will-fail")) == (200, 40070)
    assert len(caller.sandbox.ledger.effects) == 1


async def test_the_same_name_on_another_cluster(caller: Caller) -> None:
    await caller.create("before-upgrade")
    assert (await caller.create("before-upgrade", number=FRESH)).json()["result"] is True


async def test_one_snapshot_at_a_time(caller: Caller) -> None:
    await caller.create("first-one")
    assert _refusal(await caller.create("second-one")) == (400, 40080)
    caller.clock.now += 21
    assert (await caller.create("second-one")).json()["result"] is True


async def test_nothing_works_until_the_key_is_set(caller: Caller) -> None:
    buckets = f"/snapshot/getBucketList/{KEYLESS}"
    """By turns with 200 and 400: services of this family do both, and a client has to know both."""
    assert _refusal(await caller.send("GET", buckets)) == (200, 10115)
    assert _refusal(await caller.create("before-upgrade", number=KEYLESS)) == (400, 10115)
    assert _refusal(await caller.send("GET", buckets)) == (200, 10115)
    keys = {"accessKeyId": "AKID", "secretKey": "object-storage-secret"}
    response = await caller.send("POST", f"/snapshot/updateAPIAuthenticationKey/{KEYLESS}", keys)
    assert response.json()["result"] is True
    assert (await caller.get(buckets))["bucketList"]
    assert (await caller.create("before-upgrade", number=KEYLESS)).json()["result"] is True


@pytest.mark.parametrize(
    "keys", [{}, {"accessKeyId": "AKID"}, {"accessKeyId": "", "secretKey": "x"}, {"accessKeyId": 1, "secretKey": "x"}]
)
async def test_a_key_that_is_not_whole(caller: Caller, keys: dict[str, Any]) -> None:
    response = await caller.send("POST", f"/snapshot/updateAPIAuthenticationKey/{KEYLESS}", keys)
    assert _refusal(response) == (400, 40030)
    assert not caller.sandbox.ledger.effects


async def test_the_past_of_the_first_cluster_fills_three_pages(caller: Caller) -> None:
    """Newest first, no row twice, everything before the start, and no two with one idx."""
    pages = [
        await caller.get(f"/snapshot/getSnapshotHistory/{READY}?pageNo={number}&pageSize=10") for number in (1, 2, 3)
    ]
    assert [len(page["snapshotHistoryResponseList"]) for page in pages] == [10, 10, 3]
    assert [page["isLast"] for page in pages] == [False, False, True]
    rows = [row for page in pages for row in page["snapshotHistoryResponseList"]]
    dates = [row["actionDate"] for row in rows]
    assert dates == sorted(dates, reverse=True)
    assert len({row["idx"] for row in rows}) == len({row["snapshotName"] for row in rows}) == 23
    assert {row["requestType"] for row in rows} == {"MANUAL", "SCHEDULED"}
    assert {row["message"].partition(":")[0] for row in rows} == {"SUCCESS", "PARTIAL", "FAILED"}
    assert all(row["duration"].endswith("s") for row in rows)


async def test_new_rows_come_before_the_past(caller: Caller) -> None:
    await caller.create("before-upgrade")
    rows = await caller.history()
    assert (rows[0]["snapshotName"], rows[0]["idx"]) == ("before-upgrade", max(row["idx"] for row in rows))


async def test_a_fresh_cluster_has_no_past(caller: Caller) -> None:
    result = await caller.get(f"/snapshot/getSnapshotHistory/{FRESH}")
    assert (result["totalCount"], result["totalPage"], result["isFirst"], result["isLast"]) == (0, 0, True, True)
    assert result["snapshotHistoryResponseList"] == []
