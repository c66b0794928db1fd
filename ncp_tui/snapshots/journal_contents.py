"""What the journal says, and the damage of it that is not accepted yet, as it is told.

A journal of the format before `v` is converted once: what was closed keeps what it proves, what was open is unknown. A
line of that format was `{"id":…,"fact":…,"at":…}` with everything else beside it, and neither a number nor a sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.operations import CREATE_SNAPSHOT
from ncp_tui.snapshots.earlier_requests import Guard
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent, parameters_and_context, read_entries
from ncp_tui.snapshots.journal_file import Damage, FileEvent, JournalLine, Key, Reading, read_line
from ncp_tui.snapshots.outcome import SnapshotRequest
from ncp_tui.system.jsonl import read_object

_SHOWN: Final = 3


class DamagedJournal(Problem):
    """The journal is damaged in a place that may be about this very snapshot. Nothing was sent."""

    kind = "damaged_journal"

    def __init__(self, report: DamageReport, request: SnapshotRequest | None = None, lost: str = "") -> None:
        """The damage, and the request that it stops; `lost` is what it may have held that is no create."""
        accept = NextAction("journal.accept_damage", {"id": report.id})
        if request is None:
            said = f"The journal is damaged: {report.summary}; {report.touched}."
            super().__init__(said, report.where, f"The damage is {report.id}.", accept)
        else:
            held, happened = lost or f"a create of {request.name}", "taken effect" if lost else "started"
            # What is no create is in no history of snapshots.
            looks = [] if lost else [NextAction("snapshot.history", {"cluster": request.cluster})]
            super().__init__(
                f"The journal is damaged: {report.summary}. It may have held {held}.",
                f"Nothing was sent: that {'request' if lost else 'create'} may have {happened}. {report.where}",
                f"Check {'the NCP console' if lost else 'the history'} first. The damage is {report.id}.",
                *looks,
                accept,
            )
        self.report = report


class OtherDamage(Problem):
    """The damage that was to be accepted is not the one that is there."""

    kind = "other_damage"

    def __init__(self, wanted: str, report: DamageReport | None) -> None:
        if report is None:
            super().__init__(f"No damage of the journal is called {wanted!a}.", "Nothing was changed.")
        else:
            super().__init__(
                f"The damage of the journal is {report.id} now, not {wanted!a}: {report.summary}.",
                "Nothing was changed.",
                "",
                NextAction("journal.accept_damage", {"id": report.id}),
            )


@dataclass(frozen=True)
class DamageReport:
    """The damage that is not accepted yet. `id` names exactly this; more damage is another id."""

    id: str
    damages: tuple[Damage, ...]
    path: Path
    copy: Path | None = None
    """The file as it was when the damage was met; None where no copy could be kept."""

    @property
    def summary(self) -> str:
        """What is damaged, in the middle of a sentence."""
        shown = ", ".join(damage.what for damage in self.damages[:_SHOWN])
        more = len(self.damages) - _SHOWN
        return f"{shown} and {more} more" if more > 0 else shown

    @property
    def where(self) -> str:
        """The file and its copy."""
        copied = f"the copy that was kept: {self.copy}" if self.copy else "no copy could be kept"
        return f"The file: {self.path}; {copied}."

    @property
    def touched(self) -> str:
        """Which requests it may be about."""
        if any(damage.touches_all for damage in self.damages):
            return "it may be about any request of this machine"
        keys = sorted({key for damage in self.damages for key in damage.keys})
        return "it is about " + ", ".join(f"{name} on {number}" for number, name in keys)

    def touches(self, key: Key, entries: Sequence[JournalEntry]) -> bool:
        """Whether a create of `key` may be among what was lost."""
        own = {entry.id for entry in entries if entry.key == key}
        return any(damage.touches(key, own) for damage in self.damages)

    def document(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "id": self.id,
            "what": [damage.what for damage in self.damages],
            "touches": self.touched,
            "file": str(self.path),
            "copy": str(self.copy) if self.copy else None,
        }


@dataclass(frozen=True)
class Contents:
    """What the journal says. `kept` is the copy of a journal of the format before, where there was one."""

    reading: Reading
    entries: tuple[JournalEntry, ...] = ()
    damage: DamageReport | None = None
    kept: str | None = None

    def check_undamaged(self, guard: Guard) -> None:
        """Raise DamagedJournal where what was lost may have been a request that stops the one of `guard`."""
        damage = self.damage
        if damage is not None and any(damage.touches(key, self.entries) for key in guard.keys):
            raise DamagedJournal(damage, guard.request, guard.lost)


def is_old(raws: Sequence[bytes]) -> bool:
    """Whether these are lines of the old format, and none of this one."""
    return any(_old_line(raw) for raw in raws) and not any(read_line(raw) for raw in raws)


def converted(raws: Sequence[bytes], at: str, kept: str) -> list[bytes]:
    """The same journal in this format. `kept` is the name of the copy of the old one.

    What cannot be read stays as it is, and is damage.
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
