"""What of the journal can be relied on: which lines are as they were written, what is damaged, and what that touches.

Nothing that is missing or unreadable proves anything. Damage that names a request touches that request's key (cluster
number and snapshot name); damage that names none may have been about any of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from ncp_tui.snapshots.journal_line import JournalLine, Key, read_line, what_it_names


class FileEvent(StrEnum):
    """Events of the file itself; their `entry` is ""."""

    COMPACTED = "compacted"
    """The first line of a journal that was made smaller: the sequence goes on from it."""
    MIGRATED = "migrated"
    """The first line of a journal whose entries come from the format before this one."""
    DAMAGE_ACCEPTED = "damage_accepted"
    """The user has seen the damage that `marks` name and lets creates be sent again."""


@dataclass(frozen=True)
class Damage:
    """One place where the journal is not what was written. With neither entries nor keys it touches everything."""

    mark: str
    """Identifies it, whatever is appended later."""
    what: str
    place: int = 0
    """How many intact lines stand before it."""
    entries: frozenset[str] = frozenset()
    keys: frozenset[Key] = frozenset()

    @property
    def touches_all(self) -> bool:
        """Whether it names no request."""
        return not self.entries and not self.keys

    def touches(self, key: Key, entries: Collection[str]) -> bool:
        """Whether it may be about a create of `key`, whose entries are `entries`."""
        return self.touches_all or key in self.keys or not self.entries.isdisjoint(entries)

    def document(self) -> dict[str, Any]:
        """The same for the first line of a compacted journal."""
        keys = [list(key) for key in sorted(self.keys)]
        return {"mark": self.mark, "what": self.what, "entries": sorted(self.entries), "keys": keys}


@dataclass(frozen=True)
class Reading:
    """A journal as it was read."""

    lines: tuple[JournalLine, ...]
    """The intact ones, in the file's order."""
    unaccepted: tuple[Damage, ...]
    accepted: tuple[Damage, ...]
    next_seq: int

    @property
    def damages(self) -> tuple[Damage, ...]:
        """All of it: what the user has accepted still lowers what may be claimed."""
        return self.accepted + self.unaccepted


def damage_id(damages: Iterable[Damage]) -> str:
    """What the user names to accept exactly these."""
    return _mark(*sorted(damage.mark for damage in damages))


def read_journal(raws: Sequence[bytes], last_written: int, known_events: Collection[str]) -> Reading:
    """Judge the lines of a journal, blank ones left out. `last_written` is the `seq` that was written last, or 0.

    An event that is not in `known_events` may mean anything.
    """
    walk = _Walk(known_events)
    for number, raw in enumerate(raws, 1):
        walk.step(number, raw)
    walk.end(last_written)
    lines = tuple(walk.lines)
    found = [*walk.damages, *walk.gaps(), *_orphans(lines)]
    named = [_of_known(damage, lines) for damage in found]
    marks = set(_accepted_marks(lines))
    return Reading(
        lines,
        tuple(damage for damage in named if damage.mark not in marks),
        (*_carried(lines), *(damage for damage in named if damage.mark in marks)),
        max(last_written, walk.last + walk.unread) + 1,
    )


class _Walk:
    """One pass over the file."""

    def __init__(self, known_events: Collection[str]) -> None:
        self.lines: list[JournalLine] = []
        self.damages: list[Damage] = []
        self.last, self.unread = 0, 0
        self._known_events = known_events
        self._gaps: list[tuple[int, int, int, int]] = []
        self._late: list[int] = []

    def step(self, number: int, raw: bytes) -> None:
        line = read_line(raw)
        if line is None:
            self.unread += 1
            mark = _mark("unreadable", self.last, self.unread, raw)
            entries, keys = what_it_names(raw)
            self._add(Damage(mark, f"line {number} cannot be read", len(self.lines), entries, keys))
            return
        goes_on = not self.lines and line.event in {FileEvent.COMPACTED, FileEvent.MIGRATED}
        if line.seq <= self.last:
            self._late.append(line.seq)
            self._about(line, "late", f"line {number} is out of its order", raw)
        else:
            if not goes_on:
                self._gap_before(line.seq)
            self.last, self.unread = line.seq, 0
        if line.event not in self._known_events:
            self._about(line, "event", f"line {number} tells of an event that this version does not know", raw)
        self.lines.append(line)

    def end(self, last_written: int) -> None:
        self._gap_before(last_written + 1)

    def gaps(self) -> Iterator[Damage]:
        for last, following, unread, place in self._gaps:
            late = sum(last < seq < following for seq in set(self._late))
            missing = following - last - 1 - unread - late
            if missing > 0:
                lines = f"{missing} line{'s' * (missing != 1)} after line {place} of it"
                yield Damage(_mark("gap", last, following, unread), f"{lines} are missing", place)

    def _gap_before(self, seq: int) -> None:
        if seq - self.last - 1 - self.unread > 0:
            self._gaps.append((self.last, seq, self.unread, len(self.lines)))

    def _about(self, line: JournalLine, kind: str, what: str, raw: bytes) -> None:
        keys = frozenset({line.key} if line.key else ())
        entries = frozenset({line.entry} if line.entry else ())
        self._add(Damage(_mark(kind, line.seq, len(self._late), raw), what, len(self.lines), entries, keys))

    def _add(self, damage: Damage) -> None:
        self.damages.append(damage)


def _orphans(lines: Sequence[JournalLine]) -> Iterator[Damage]:
    """The requests whose beginning is not there: who asked for what, and when, is not known for certain."""
    begun: set[str] = set()
    told: set[str] = set()
    for place, line in enumerate(lines):
        if line.event == "begun":
            begun.add(line.entry)
        elif line.entry and line.entry not in begun | told:
            told.add(line.entry)
            keys = frozenset({line.key} if line.key else ())
            what = f"the first line of request {line.entry[:8]} is missing"
            yield Damage(_mark("orphan", line.entry), what, place, frozenset({line.entry}), keys)


def _of_known(damage: Damage, lines: Sequence[JournalLine]) -> Damage:
    """The damage with the keys of the requests it names. One that is named nowhere else names nothing."""
    keys = {line.key for line in lines if line.entry in damage.entries and line.key} | damage.keys
    return replace(damage, entries=damage.entries if keys else frozenset(), keys=frozenset(keys))


def _accepted_marks(lines: Sequence[JournalLine]) -> Iterator[str]:
    for line in lines:
        marks = line.context.get("marks")
        if line.event == FileEvent.DAMAGE_ACCEPTED and isinstance(marks, list):
            yield from (mark for mark in marks if isinstance(mark, str))


def _carried(lines: Sequence[JournalLine]) -> Iterator[Damage]:
    """The accepted damage of before the journal was made smaller."""
    for line in lines:
        found = line.context.get("accepted")
        if line.event == FileEvent.COMPACTED and isinstance(found, list):
            kept = line.context.get("lines")
            place = kept + 1 if isinstance(kept, int) else len(lines)
            yield from (_damage_of(each, place) for each in found if isinstance(each, Mapping))


def _damage_of(document: Mapping[str, Any], place: int) -> Damage:
    """Damage of lines that are gone; what names nothing may be about any of the first `place` lines of now."""
    entries, keys = document.get("entries"), document.get("keys")
    return Damage(
        place=0 if entries or keys else place,
        mark=str(document.get("mark")),
        what=str(document.get("what")),
        entries=frozenset(map(str, entries)) if isinstance(entries, list) else frozenset(),
        keys=frozenset((str(number), str(name)) for number, name in keys) if isinstance(keys, list) else frozenset(),
    )


def _mark(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
