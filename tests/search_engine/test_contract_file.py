"""The report of a contract check and its file: whatever came, it is made, and it can be read by anyone."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncp_tui.search_engine.contract import BELIEFS
from ncp_tui.search_engine.contract_check import Reading
from ncp_tui.search_engine.contract_file import (
    CannotWriteContract,
    ContractReport,
    contract_text,
    file_name,
    report_on,
    write_contract,
)
from ncp_tui.view.contract import contract_document, contract_lines
from ncp_tui.view.text import plain_text

MADE_AT = datetime(2026, 11, 29, 1, 2, 3, tzinfo=UTC)
SECRET = "s3cr3tKEYofNobody0123456789abcdefABCDEF"
NAMES = sorted({field.name for belief in BELIEFS.values() for each in belief.envelope for field in each.fields})
MEMBERS = sorted(
    {inner.name for belief in BELIEFS.values() for each in belief.envelope for f in each.fields for inner in f.fields}
)
PRIVATE = "zwq-private"


def report(result: Any, **more: Any) -> ContractReport:
    payload = {"code": 0, "message": "SUCCESS", "result": result, "requestId": "r"}
    readings = [
        Reading(name, {"pageSize": "100"} if belief.is_paged else {}, payload) for name, belief in BELIEFS.items()
    ]
    usual: dict[str, Any] = {"masks": {SECRET: "****"}, "private": {PRIVATE: "host"}, "unread": {}}
    return report_on(readings, made_at=MADE_AT, site="public", region="KR", is_ncp=True, **(usual | more))


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=30),
    st.sampled_from([PRIVATE, f"of {PRIVATE}", SECRET, f"x{SECRET}y", "2026-11-28 20:00:00", "running"]),
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*NAMES, *MEMBERS, PRIVATE, SECRET]) | st.text(max_size=12), inner, max_size=6
        )
    ),
    max_leaves=25,
)


@settings(max_examples=60, deadline=None)
@given(anything)
def test_whatever_came_is_reported(result: Any) -> None:
    found = report(result)
    text = contract_text(found, {})
    said = plain_text(contract_lines(found, Path("x.json"), None))
    assert json.loads(text)["answers"]
    assert json.dumps(contract_document(found, None, None))
    for private in (PRIVATE, SECRET):
        assert private not in text
        assert private not in said


def test_the_file_is_the_users_alone_and_replaces_nothing(tmp_path: Path) -> None:
    target = tmp_path / file_name(MADE_AT)
    assert target.name == "contract-20261129-010203.json"
    assert write_contract(report({}), target, {}) == target
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.write_text("mine")
    with pytest.raises(CannotWriteContract, match="is there already"):
        write_contract(report({}), target, {})
    assert target.read_text() == "mine"
    with pytest.raises(CannotWriteContract):
        write_contract(report({}), tmp_path / "missing" / "x.json", {})


def test_the_file_has_the_belief_with_its_sources() -> None:
    believed = json.loads(contract_text(report({}), {}))["believed"]
    assert (
        "result.snapshotHistoryResponseList[].actionDate: string, always (inference)" in believed["getSnapshotHistory"]
    )
    assert set(believed) == set(BELIEFS)


def test_a_word_that_names_something_is_replaced_in_what_is_printed_too() -> None:
    row = {"clusterName": "orders", "clusterStatus": "moved to orders", "serviceGroupInstanceNo": "1037001"}
    found = report({"allowedClusters": [row], "disallowedClusters": [], "orders": 1})
    said = plain_text(contract_lines(found, Path("x.json"), ("orders", "1037001")))
    assert said.count("orders") == 1, "the cluster that was asked about, for whoever asked"
    assert "moved to cluster-1" in said
