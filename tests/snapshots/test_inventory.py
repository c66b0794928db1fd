"""What a cluster held before a create: read beside the checks, written down with it, and never in its way."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.sandbox.clusters import dashboard
from ncp_tui.sandbox.protocol import Page
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import Cluster, Dashboard
from ncp_tui.snapshots import inventory as module
from ncp_tui.snapshots.create import create_snapshot
from ncp_tui.snapshots.inventory import DashboardRead, Inventory
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.preflight import preflight, read_evidence
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import CALLER, REQUEST, begun, journal_in, lines_of, write_lines
from tests.tables import each_row

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
READ = "getDashboardInformation"
WHOLE = Inventory("OpenSearch 2.17.1", "2171", 2, 4, 3, "1234", "11", "110", "790016", AT.isoformat())


@pytest.fixture
async def engine(served: RunningSandbox) -> AsyncIterator[SearchEngine]:
    async with contextlib.aclosing(engine_of(served)) as engine:
        yield engine


async def created(engine: SearchEngine, home: Path) -> JournalEntry:
    """Look and create as the faces do, and what the journal has of it."""
    (cluster,) = [each for each in await engine.list_clusters() if each.number == REQUEST.cluster_number]
    journal = journal_in(home)
    evidence = await read_evidence(engine, cluster, journal, with_inventory=True)
    assert preflight(REQUEST, evidence, CALLER.gateway).blocked is None
    taken = await create_snapshot(
        engine,
        REQUEST,
        caller=CALLER,
        journal=journal,
        history=evidence.history,
        inventory=evidence.inventory,
    )
    assert taken.outcome is Outcome.ACCEPTED
    (entry,) = journal.entries()
    assert entry == taken.entry
    return entry


async def test_the_journal_has_what_the_cluster_held(
    served: RunningSandbox, engine: SearchEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LAST_WAIT", 30.0)  # on a busy machine it may be the last to come
    inventory = (await created(engine, tmp_path)).inventory
    cluster = served.sandbox.world.named(REQUEST.cluster_name)
    said = dashboard(cluster, Page())["clusterStatus"]
    assert inventory is not None
    assert (inventory.engine, inventory.engine_code) == ("OpenSearch 2.17.1", "2171")
    assert (inventory.manager_nodes, inventory.data_nodes, inventory.master_nodes) == (2, 4, 3)
    assert (inventory.documents, inventory.indices) == (said["docsCount"], said["indicesCount"])
    assert (inventory.shards, inventory.stored) == (said["shardCount"], said["storeSizeInUsed"])
    assert datetime.fromisoformat(inventory.read_at).tzinfo is not None
    assert lines_of(journal_in(tmp_path))[0]["inventory"] == inventory.document()
    assert [each.operation for each in served.sandbox.ledger.requests].count(READ) == 1


@pytest.mark.parametrize(
    "answer",
    [
        (503, {"error": {"errorCode": "500", "message": "no"}}),
        (200, {"code": 0, "message": "SUCCESS", "result": None}),
        (200, {"code": 0, "message": "SUCCESS", "result": {"clusterStatus": [1]}}),
        (200, "<html>no</html>"),
        (200, "x" * 9_000_000),
        "drop",
    ],
)
async def test_a_read_that_fails_costs_nothing(
    served: RunningSandbox, engine: SearchEngine, tmp_path: Path, answer: Any
) -> None:
    """Asked once; the create has all that the cluster itself said."""
    served.sandbox.faults.add(READ, act=answer, times=None)
    inventory = (await created(engine, tmp_path)).inventory
    assert inventory is not None
    assert (inventory.engine, inventory.documents, inventory.read_at) == ("OpenSearch 2.17.1", "", "")
    assert [each.operation for each in served.sandbox.ledger.requests].count(READ) <= 1


async def test_one_that_never_answers_is_not_waited_for(
    served: RunningSandbox, engine: SearchEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LAST_WAIT", 0.0)
    fault = served.sandbox.faults.add(READ, act="hang", times=None)
    async with asyncio.timeout(20.0):  # far less than a request may take
        inventory = (await created(engine, tmp_path)).inventory
    assert inventory is not None
    assert inventory.read_at == ""
    del fault


async def test_a_journal_without_it_reads_as_before(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    write_lines(journal, begun("a" * 32))
    assert [entry.inventory for entry in journal.entries()] == [None]


@each_row(
    "written, read",
    [
        (WHOLE.document(), WHOLE),
        ({}, None),
        (None, None),
        ([], None),
        ("OpenSearch", None),
        ({"engine": ["x"], "documents": {"a": 1}, "manager_nodes": "2"}, None),
        ({"engine": "x", "manager_nodes": True, "data_nodes": -1}, Inventory("x")),
        ({"documents": 12, "data_nodes": 10**30, "later": "y"}, Inventory(documents="12")),
        ({"documents": "true", "stored": False}, None),
        ({"stored": "9" * 500}, Inventory(stored="9" * 59 + "…")),
    ],
)
def test_what_a_record_holds_is_read_leniently(written: Any, read: Inventory | None) -> None:
    found = Inventory.read(written)
    assert found == read
    if found is not None:
        assert Inventory.read(json.loads(json.dumps(found.document()))) == found


@each_row("value", ["\u202e4321\u202c", "\x1b[2J", "1\n2", "9" * 8_000_000, "\u200b1"])
def test_a_hostile_dashboard_is_inert(value: str) -> None:
    item = dict.fromkeys(("docsCount", "indicesCount", "shardCount", "storeSizeInUsed"), value)
    cluster = Cluster.read({"searchEngineVersion": value, "managerNodeCount": value, "searchEngineVersionCode": value})
    read = DashboardRead(Dashboard.read({"clusterStatus": item}), AT)
    inventory = Inventory.of(cluster, read)
    read_again = Inventory.read({**inventory.document(), "stored": value, "read_at": value})
    text = json.dumps([inventory.document(), read_again and read_again.document()], ensure_ascii=False)
    assert not {"\x1b", "\u202e", "\u200b", "\n"} & set(text)
    assert len(text) < 2_000


@each_row("value", [10**4_000, -1, 1.5, True, None, [1], {"a": 1}])
def test_a_value_of_another_type_is_no_text(value: Any) -> None:
    item = dict.fromkeys(("docsCount", "indicesCount"), value)
    cluster = Cluster.read({"searchEngineVersionCode": value, "dataNodeCount": value})
    found = Inventory.of(cluster, DashboardRead(Dashboard.read({"clusterStatus": item}), AT))
    assert max(len(found.engine_code), len(found.documents)) <= 60
    assert found.data_nodes in {None, 1}
