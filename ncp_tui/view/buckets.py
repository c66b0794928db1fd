"""How a bucket reads that a snapshot may go to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ncp_tui.search_engine.models import Bucket
from ncp_tui.view.format import ZONE, date, size
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Tone


def _name_cell(bucket: Bucket) -> Cell:
    return Cell(bucket.name, Tone.STRONG if bucket.usable else Tone.DIM)


def _objects_cell(bucket: Bucket) -> Cell:
    return Cell("-" if bucket.objects is None else f"{bucket.objects:,}", sort=bucket.objects or 0)


def _created_cell(bucket: Bucket) -> Cell:
    if bucket.created is None:
        return Cell("-", sort=0.0)
    return Cell(date(bucket.created), sort=bucket.created.timestamp())


def _status_cell(bucket: Bucket) -> Cell:
    return Cell("available", Tone.GOOD) if bucket.usable else Cell(bucket.reason, Tone.BAD)


BUCKETS: Table[Bucket] = Table(
    (
        Column("BUCKET", _name_cell, most=40, least=17),
        Column("SIZE", lambda bucket: Cell(size(bucket.bytes_used), sort=bucket.bytes_used or 0), most=10),
        Column("OBJECTS", _objects_cell, most=9),
        Column(f"CREATED ({ZONE})", _created_cell, most=13, room=140),
        Column("STATUS", _status_cell, flex=1, least=9),
    ),
    key=lambda bucket: bucket.name,
    is_dim=lambda bucket: not bucket.usable,
    empty="No buckets listed. Is the cluster's storage key set in the NCP console?",
)


def bucket_document(bucket: Bucket, read_at: datetime) -> dict[str, Any]:
    """A bucket for scripts; `reason` is null for one that can be used."""
    return {
        "name": bucket.name,
        "usable": bucket.usable,
        "reason": bucket.reason or None,
        "bytes": bucket.bytes_used,
        "objects": bucket.objects,
        "created": bucket.created.isoformat() if bucket.created else None,
        "read_at": read_at.isoformat(),
        "raw": bucket.raw,
    }
