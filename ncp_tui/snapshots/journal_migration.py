"""Journals of the format before `v`, read once: what was closed keeps what it proves, what was open is unknown.

A line of that format was `{"id":…,"fact":…,"at":…}` with everything else beside it, and neither a number nor a sum:
what it does not say is no proof of anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ncp_tui.search_engine.operations import CREATE_SNAPSHOT
from ncp_tui.snapshots.journal_damage import FileEvent
from ncp_tui.snapshots.journal_entry import JournalEvent, parameters_and_context, read_entries
from ncp_tui.snapshots.journal_line import JournalLine, read_line
from ncp_tui.system.jsonl import read_object


def is_old(raws: Sequence[bytes]) -> bool:
    """Whether these are lines of the old format, and none of this one."""
    return any(_old_line(raw) for raw in raws) and not any(read_line(raw) for raw in raws)


def converted(raws: Sequence[bytes], at: str, kept: str) -> list[bytes]:
    """The same journal in this format. `kept` is the name of the copy of the old one.

    What nobody can read stays as it is, and is damage.
    """
    old = [_old_line(raw) for raw in raws]
    begun = {line["id"]: line for line in reversed(old) if line and line["fact"] == JournalEvent.BEGUN}
    found = [JournalLine(1, "", FileEvent.MIGRATED, at, context={"kept": kept}).encoded()]
    for raw, line in zip(raws, old, strict=True):
        found.append(raw if line is None else _new_line(len(found) + 1, line, begun).encoded())
    for key in _open(old):
        carried = {"id": key, "fact": JournalEvent.CARRIED_OVER.value, "at": at}
        found.append(_new_line(len(found) + 1, carried, begun).encoded())
    return found


def _open(old: Sequence[Mapping[str, Any] | None]) -> Iterator[str]:
    yield from (entry.id for entry in read_entries([line for line in old if line]) if entry.is_open)


def _new_line(seq: int, line: Mapping[str, Any], begun: Mapping[str, Mapping[str, Any]]) -> JournalLine:
    at = line.get("at")
    parameters, _ = parameters_and_context(begun.get(line["id"], {}))
    context = {name: value for name, value in line.items() if name not in {"id", "fact", "at"}}
    if line["fact"] == JournalEvent.BEGUN:
        context = parameters_and_context(line)[1]
    return JournalLine(
        seq, line["id"], line["fact"], at if isinstance(at, str) else "", CREATE_SNAPSHOT, parameters, None, context
    )


def _old_line(raw: bytes) -> dict[str, Any] | None:
    line = read_object(raw)
    if line is None or "v" in line:
        return None
    return line if all(isinstance(line.get(name), str) and line[name] for name in ("id", "fact")) else None
