"""What others may read: no name is in it, the same name has the same stand-in everywhere, and what helps stays."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ncp_tui.search_engine.contract import BELIEFS
from ncp_tui.search_engine.stand_ins import LONGEST_TEXT, MOST_ROWS, StandIns, shape_of
from tests.tables import each_row

HISTORY = BELIEFS["getSnapshotHistory"].envelope
CLUSTER = BELIEFS["getClusterInfo"].envelope


def history(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"code": 0, "message": "SUCCESS", "result": {"snapshotHistoryResponseList": list(rows), **more}}


def copied(*payloads: dict[str, Any], private: dict[str, str] | None = None) -> list[Any]:
    stand_ins = StandIns(private)
    for payload in payloads:
        stand_ins.learn(payload, HISTORY)
    return [stand_ins.copy(payload, HISTORY) for payload in payloads]


def scrubbed(text: str, *names: str) -> str:
    stand_ins = StandIns(dict.fromkeys(names, "cluster"))
    return stand_ins.text(text)


def test_the_same_name_has_the_same_stand_in_everywhere() -> None:
    one, other = copied(
        history({"clusterName": "orders", "bucketName": "orders", "snapshotName": "nightly", "memberNo": "2719876"}),
        history(
            {"clusterName": "carts", "message": "orders: no room in nightly", "memberNo": "2719876"}, owner="orders"
        ),
    )
    row, again = (each["result"]["snapshotHistoryResponseList"][0] for each in (one, other))
    assert row["clusterName"] == row["bucketName"] == other["result"]["owner"] == "cluster-1"
    assert again["clusterName"] == "cluster-2"
    assert again["message"] == f"cluster-1: no room in {row['snapshotName']}"
    assert row["memberNo"] == again["memberNo"] != "2719876"


@each_row("duration", ["21s", "3m 12s", "PT3M12S", "00:03:12", "3분 12초", "192", "192.5", "1h", "3 min"])
def test_a_duration_stays(duration: str) -> None:
    """Its unit is one of the doubts."""
    (one,) = copied(history({"duration": duration}))
    assert one["result"]["snapshotHistoryResponseList"][0]["duration"] == duration


def test_a_number_is_the_same_as_a_number_and_as_text() -> None:
    (one,) = copied(history({"serviceGroupInstanceNo": 1037001, "memberNo": "1037001", "message": "of 1037001"}))
    (row,) = one["result"]["snapshotHistoryResponseList"]
    number = row["serviceGroupInstanceNo"]
    assert isinstance(number, int)
    assert (row["memberNo"], row["message"]) == (str(number), f"of {number}")
    assert number != 1037001


@each_row(
    "text, kept",
    [
        ("SUCCESS", "SUCCESS"),
        ("IN_PROGRESS", "IN_PROGRESS"),
        ("PARTIAL: 2 of 40 shards failed", "PARTIAL: 2 of 40 shards failed"),
        ("FAILED: repository_verification_exception", "FAILED: repository_verification_exception"),
        ("API 인증키가 설정되지 않았습니다.", "API 인증키가 설정되지 않았습니다."),
        ("required type 'java.lang.Long'", "required type 'java.lang.Long'"),
        ("done at 2026-11-28 03:00:12", "done at 2026-11-28 03:00:12"),
        ("took 3분 12초", "took 3분 12초"),
        ("took PT3M12S", "took PT3M12S"),
    ],
)
def test_what_helps_stays(text: str, kept: str) -> None:
    assert scrubbed(text) == kept


@each_row(
    "text, gone",
    [
        ("node at 10.1.2.3 is gone", "10.1.2.3"),
        ("node at 10.1.2.3:9300 is gone", "10.1.2.3"),
        ("node at fe80::1:2 is gone", "fe80::1:2"),
        ("node at [2001:db8::7]:9300", "2001:db8::7"),
        ("ask kim.lee@corp.example.", "kim.lee"),
        ("host es-01.corp.example refused", "corp.example"),
        ("host es01.internal:9200", "internal"),
        ("see https://wiki.corp.example/a?b=c", "wiki"),
        ("key NCPACCESSKEY12345678 is bad", "NCPACCESSKEY12345678"),
        ("key abcDEF123ghiJKL456mnoPQR789stuVWX012yzAB", "abcDEF123"),
        ("key ABCDEFGHIJKLMNOPQRST is bad", "ABCDEFGHIJKLMNOPQRST"),
        ("key ncp_iam_BPASKR1AbCdEfGhIjKlM is bad", "BPASKR1"),
        ("id 2757144e-8548-472d-9d65-962406b4efa0", "8548"),
        ("no such index [customers]", "customers"),
        ("no such index 'customers'", "customers"),
        ('no such index "고객"', "고객"),
        ("file /data/customers/x.log", "customers"),
        (r"file C:\data\customers", "customers"),
        ("member 2719876 may not", "2719876"),
        ("%EA%B2%80%EC%83%89 is red", "%EA"),
        ("prod is red", "prod"),
        ("PROD is red", "PROD"),
        ("prod-data-1 is red", "prod"),
        ("xprody is red", "prod"),
        ("prod에 is red", "prod"),
        ("in myPROD_index", "PROD"),
        ("x" * 40 + " prod " + "y" * 4000, "prod"),
    ],
)
def test_what_may_name_something_is_replaced(text: str, gone: str) -> None:
    assert gone not in scrubbed(text, "prod")


def test_a_word_that_is_no_name_of_anything_stays_beside_one() -> None:
    assert (
        scrubbed("prod: 3 of 5 nodes of prod-2 left", "prod", "prod-2") == "cluster-1: 3 of 5 nodes of cluster-2 left"
    )


@each_row(
    "value, shown",
    [
        ("kim", "aaa"),
        ("2026-11-28T20:00:00Z", "9999-99-99T99:99:99Z"),
        ("서울", "xx"),
        (17, 17),
        (True, True),
        (None, None),
    ],
)
def test_a_field_that_is_not_known_is_told_by_its_shape(value: Any, shown: Any) -> None:
    (one,) = copied(history(extra=value))
    assert one["result"]["extra"] == shown


def test_a_large_number_of_an_unknown_field_is_replaced() -> None:
    (one,) = copied(history(extra=2719876))
    assert one["result"]["extra"] != 2719876


@each_row(
    "name", ["my-bucket", "10.0.0.1", "a b", "AKTEST00000000000001", "x" * 41, "<U+202E>cod", "고객", "prodInfo", ""]
)
def test_the_name_of_a_field_may_be_a_name_as_well(name: str) -> None:
    """A map by bucket or by key is an object with strange members."""
    (one,) = copied(history(**{name: 1}), private={"prod": "host"})
    assert [each for each in one["result"] if each.startswith("field-")]
    assert name == "" or name not in json.dumps(one, ensure_ascii=False)


def test_a_new_field_of_the_api_keeps_its_name() -> None:
    (one,) = copied(history(snapshotSchedulingConfigUpdateDate="2026-11-28", productType2Code="A"))
    assert {"snapshotSchedulingConfigUpdateDate", "productType2Code"} <= set(one["result"])


def test_nodes_addresses_and_groups_of_a_cluster_are_replaced() -> None:
    node = {
        "computeInstanceName": "orders-m01",
        "computeInstanceNo": 103700101,
        "privateIp": "10.0.1.6",
        "subnet": "prv",
    }
    result = {
        "clusterName": "orders",
        "clusterStatus": "running",
        "searchEngineVersionCode": "2171",
        "softwareProductCode": "SW.VELST.OS.LNX64.ROCKY.0810.B050",
        "managerNodeAcgName": "acg-orders",
        "managerNodeInstanceNoList": [103700101],
        "loginKeyName": "kim-key",
        "searchEngineUserName": "kim",
        "vpcNo": 40211,
        "clusterNodeList": [node],
    }
    stand_ins = StandIns()
    stand_ins.learn({"result": result}, CLUSTER)
    shown = stand_ins.copy({"result": result}, CLUSTER)["result"]
    text = json.dumps(shown)
    for private in ("orders", "10.0.1.6", "103700101", "prv", "kim", "40211"):
        assert private not in text
    assert shown["managerNodeInstanceNoList"] == [shown["clusterNodeList"][0]["computeInstanceNo"]]
    kept = ("clusterStatus", "searchEngineVersionCode", "softwareProductCode")
    assert all(shown[name] == result[name] for name in kept)


def test_names_that_are_not_in_the_file_are_known_too() -> None:
    """Of a long list a part is copied; a message may name what is in the rest."""
    rows = [{"snapshotName": f"snap{place}x", "message": "after lastone"} for place in range(30)] + [
        {"snapshotName": "lastone", "message": ""}
    ]
    (one,) = copied(history(*rows))
    shown = one["result"]["snapshotHistoryResponseList"]
    assert len(shown) == MOST_ROWS + 1
    assert shown[-1] == "(and 21 more)"
    assert "lastone" not in json.dumps(one)


def test_a_hostile_answer_makes_no_large_file() -> None:
    deep: Any = "x"
    for _ in range(30):
        deep = [deep] * 12
        if len(json.dumps(deep)) > 100_000:
            deep = {"a": deep[0]}
    (one,) = copied(history(*[{}] * 40_000, deep=deep, **{f"n{place}": "y" * 4000 for place in range(5_000)}))
    assert len(json.dumps(one)) < 100_000


@settings(max_examples=150, deadline=None)
@given(
    name=st.from_regex(r"[a-z][a-z0-9]{2,10}(-[a-z0-9]{1,5})?", fullmatch=True).map(lambda name: f"q{name}"),
    before=st.text("ab -_.:/[]'가1", max_size=12),
    after=st.text("ab -_.:/[]'가1", max_size=12),
)
def test_no_name_survives_wherever_it_stands_in_a_text(name: str, before: str, after: str) -> None:
    shown = StandIns({name: "host"}).text(f"{before}{name}{after}")
    assert name not in shown


def test_no_text_is_longer_than_what_was_looked_through() -> None:
    assert len(scrubbed("a " * 2000)) < LONGEST_TEXT
    assert len(shape_of("a" * 4000)) < LONGEST_TEXT
