"""How what a cluster held before a create reads."""

from __future__ import annotations

from datetime import datetime

from ncp_tui.snapshots.inventory import Inventory
from ncp_tui.text import clean
from ncp_tui.view.format import ZONE, date_time, grouped, size_of
from ncp_tui.view.text import Line, Tone, field, line

TITLE = "The cluster before the create"


def inventory_lines(inventory: Inventory) -> list[Line]:
    """Engine and nodes, documents, indices and size, under a title."""
    return [
        line(TITLE, Tone.STRONG),
        field("engine", engine_words(inventory)),
        field("held", content_words(inventory)),
    ]


def inventory_sentence(inventory: Inventory) -> str:
    """The same in a sentence."""
    held = f"it held {content_words(inventory)}" if inventory.read_at else "what it held was not read"
    return f"Before the create the cluster was {engine_words(inventory)}; {held}."


def engine_words(inventory: Inventory) -> str:
    """`OpenSearch 2.17.1 (code 2171), 9 nodes (2 manager, 4 data, 3 master)`."""
    code = inventory.engine_code if inventory.engine_code != inventory.engine else ""
    engine = f"{inventory.engine or 'of an unknown engine'}{f' (code {code})' if code else ''}"
    counts = {"manager": inventory.manager_nodes, "data": inventory.data_nodes, "master": inventory.master_nodes}
    known = {role: count for role, count in counts.items() if count}
    if not known:
        return engine
    roles = ", ".join(f"{count:,} {role}" for role, count in known.items())
    return f"{engine}, {sum(known.values()):,} nodes ({roles})"


def content_words(inventory: Inventory) -> str:
    """`1,234 documents in 11 indices, 771.5 KiB, as read 2026-01-02 09:00:00 KST`; `not read`."""
    if not inventory.read_at:
        return "not read"
    documents = f"{_count(inventory.documents)} documents in {_count(inventory.indices)} indices"
    stored = size_of(inventory.stored) if inventory.stored else "size unknown"
    return f"{documents}, {stored}, as read {_moment(inventory.read_at)}"


def _count(text: str) -> str:
    return grouped(text) if text else "an unknown number of"


def _moment(text: str) -> str:
    try:
        return f"{date_time(datetime.fromisoformat(text))} {ZONE}"
    except (ValueError, OverflowError):
        return clean(text)
