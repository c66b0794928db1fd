"""What a cluster held before a create, in the words of every place that shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.inventory import Inventory
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.view.history import history_lines
from ncp_tui.view.inventory import inventory_sentence
from ncp_tui.view.requests import request_entry_lines
from ncp_tui.view.text import plain_text
from tests.snapshots.journals import CALLER, REQUEST
from tests.tables import each_row

AT = datetime(2026, 1, 2, tzinfo=UTC)
WHOLE = Inventory("OpenSearch 2.17.1", "2171", 2, 4, 3, "1234567", "11", "110", "790016", AT.isoformat())
ENTRY = JournalEntry("a" * 32, AT, CALLER, REQUEST, inventory=WHOLE)
ROW = HistoryEntry.read({"snapshotName": REQUEST.name, "actionDate": "2026-01-02 09:00:01", "message": "SUCCESS"})
HELD = "1,234,567 documents in 11 indices, 771.5 KiB, as read 2026-01-02 09:00:00 KST"


@each_row(
    "inventory, said",
    [
        (WHOLE, f"OpenSearch 2.17.1 (code 2171), 9 nodes (2 manager, 4 data, 3 master); it held {HELD}."),
        (
            replace(WHOLE, documents="", stored=""),
            "it held an unknown number of documents in 11 indices, size unknown,",
        ),
        (replace(WHOLE, documents="12k", stored="1.2gb"), "it held 12k documents in 11 indices, 1.2gb, as read"),
        (
            Inventory("OpenSearch 2.17.1"),
            "OpenSearch 2.17.1; what it held was not read.",
        ),
        (Inventory(data_nodes=3), "was of an unknown engine, 3 nodes (3 data); what it held was not read."),
        (replace(WHOLE, read_at="yesterday"), "as read yesterday."),
    ],
)
def test_what_is_not_known_is_not_said_to_be_none(inventory: Inventory, said: str) -> None:
    assert said in inventory_sentence(inventory)


def test_the_details_of_a_row_have_the_journals_side() -> None:
    text = plain_text(history_lines(ROW, ENTRY))
    assert "requested    2026-01-02 09:00:00 KST, here, as prod" in text
    assert f"held         {HELD}" in text
    assert "engine       OpenSearch 2.17.1 (code 2171)" in text
    assert "requested" not in plain_text(history_lines(ROW))


def test_a_request_has_it_once() -> None:
    text = plain_text(request_entry_lines(ENTRY))
    assert text.count(HELD) == 1
    assert "The cluster before the create" not in plain_text(request_entry_lines(replace(ENTRY, inventory=None)))
