"""The journal's file: its lines, what of them can be relied on, and how it is read, appended to and replaced.

One JSON object an event, with its place in the file and a checksum over all of it:

    {"v":1,"seq":7,"entry":"<id>","event":"sent","at":"<ISO 8601>","operation":"createSnapshot",
     "parameters":{"serviceGroupInstanceNo":"1037001","snapshotName":"daily","bucketName":"bk"},
     "batch":null,"context":{"attempt":1},"sum":"<16 hex digits>"}

`seq` is one more than that of the line before, `sum` is the last member and covers every byte before it. Operation and
parameters are on each line of an entry, so that the loss of one line does not hide what the others are about. Members
that a later version adds are kept. An `entry` of "" is an event of the file itself.

Nothing that is missing or unreadable proves anything. Damage that names a request touches what that request is about;
damage that names none may have been about any of them. Whoever writes holds the lock of the file. Beside it
`<name>.last` holds the number of the line that was written last, so that a file that lost its end is noticed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from ncp_tui.search_engine.operations import CREATE_SNAPSHOT, NUMBER, OPERATIONS
from ncp_tui.system.jsonl import append_lines, raw_lines, read_object
from ncp_tui.system.paths import make_private_directory
from ncp_tui.system.private_files import read_file, remove_leftovers, write_atomically
from ncp_tui.system.secret_value import SecretValue
from ncp_tui.text import plural

VERSION: Final = 1

NAME, BUCKET = "snapshotName", "bucketName"
"""The parameters of a create, as the API calls them."""

Key = tuple[str, str]
"""What a request is about: cluster number and snapshot name, the idempotency key of a create; of any other operation
the cluster number and the name of the operation, which is no name that a snapshot can have."""

_LARGEST_SEQ: Final = 2**53
_SIGNED: Final = re.compile(rb'(\{.*),"sum":"([0-9a-f]{16})"\}', re.DOTALL)
_ENTRY: Final = re.compile(rb'"entry":"([0-9a-f]{32})"')
_MEMBERS: Final = ("v", "seq", "entry", "event", "at", "operation", "parameters", "batch", "context")


@dataclass(frozen=True)
class JournalLine:
    """One event. `entry` is the id of the request it is about, or "" for an event of the file itself."""

    seq: int
    entry: str
    event: str
    at: str
    operation: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    batch: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    """What else is known of the event: who asked, or what was answered."""
    others: Mapping[str, Any] = field(default_factory=dict)
    """Members of a later version."""

    @property
    def key(self) -> Key | None:
        """What the request is about; None where the line does not say it whole."""
        return key_of(self.operation, self.parameters)

    def encoded(self) -> bytes:
        """The line as the file has it, without its end."""
        known = {
            "v": VERSION,
            "seq": self.seq,
            "entry": self.entry,
            "event": self.event,
            "at": self.at,
            "operation": self.operation,
            "parameters": dict(self.parameters),
            "batch": self.batch,
            "context": dict(self.context),
        }
        others = {name: value for name, value in self.others.items() if name not in {*_MEMBERS, "sum"}}
        text = json.dumps(known | others, ensure_ascii=False, separators=(",", ":"))
        body = text.encode("utf-8", "surrogatepass")[:-1]
        return body + b',"sum":"' + _sum(body) + b'"}'


def key_of(operation: str, parameters: Mapping[str, Any]) -> Key | None:
    """What a request of `operation` is about; None where `parameters` do not say it whole."""
    if operation in {"", CREATE_SNAPSHOT}:
        return _create_key(parameters)
    number = parameters.get(NUMBER)
    return (number if isinstance(number, str) else "", operation)


def recorded(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an operation as they may be written down: without what is secret.

    That is what the registry marks as such, and what has the type of a secret.
    What no registry knows was read from the journal, and stands there already.
    """
    known = OPERATIONS.get(operation)
    secret = known.secret if known is not None else frozenset[str]()
    return {
        name: value for name, value in parameters.items() if name not in secret and not isinstance(value, SecretValue)
    }


def read_line(raw: bytes) -> JournalLine | None:
    """The event in `raw`; None where it is not exactly what this program once wrote."""
    found = _SIGNED.fullmatch(raw)
    if found is None or _sum(found[1]) != found[2]:
        return None
    document = read_object(raw)
    return _line(document) if document is not None else None


def what_it_names(raw: bytes) -> tuple[frozenset[str], frozenset[Key]]:
    """The ids and the keys that can still be read in a line that is damaged."""
    document = read_object(raw)
    if document is None:
        return frozenset(each.decode() for each in _ENTRY.findall(raw)), frozenset()
    entry, parameters = document.get("entry"), document.get("parameters")
    # Of a create, whatever the line says that it is: it cannot be relied on.
    key = _create_key(parameters) if isinstance(parameters, dict) else None
    return (
        frozenset({entry} if isinstance(entry, str) and entry else ()),
        frozenset({key} if key is not None else ()),
    )


def _sum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest()[:16].encode()


def _line(document: Mapping[str, Any]) -> JournalLine | None:
    known = {name: document.get(name) for name in _MEMBERS}
    seq, batch = known["seq"], known["batch"]
    is_whole = (
        known.pop("v") == VERSION
        and isinstance(seq, int)
        and not isinstance(seq, bool)
        and 0 < seq < _LARGEST_SEQ
        and all(isinstance(known[name], str) for name in ("entry", "event", "at", "operation"))
        and all(isinstance(known[name], dict) for name in ("parameters", "context"))
        and isinstance(batch, str | None)
    )
    others = {name: value for name, value in document.items() if name not in {*_MEMBERS, "sum"}}
    return JournalLine(**known, others=others) if is_whole else None  # type: ignore[arg-type]


def _create_key(parameters: Mapping[str, Any]) -> Key | None:
    number, name = parameters.get(NUMBER), parameters.get(NAME)
    return (number, name) if isinstance(number, str) and isinstance(name, str) and number and name else None


class FileEvent(StrEnum):
    """Events of the file itself; their `entry` is ""."""

    COMPACTED = "compacted"
    """The first line of a journal that was made smaller: the sequence continues from it."""
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
                said = f"{plural(missing, 'line')} missing after line {place}"
                yield Damage(_mark("gap", last, following, unread), said, place)

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
    """The requests whose beginning is not there: who requested what, and when, is not known for certain."""
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


_NO_LINK, _NO_WAIT = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)


class JournalFile:
    """The bytes of one journal. Its methods raise OSError; a lock that is not let go raises filelock.Timeout."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last_path = path.with_name(path.name + ".last")

    @contextlib.contextmanager
    def writing(self, seconds: float) -> Iterator[None]:
        """Hold the file alone, for whatever is read and then written."""
        make_private_directory(self.path.parent)
        with FileLock(self.path.with_name(self.path.name + ".lock"), timeout=seconds, mode=0o600):
            yield

    def read(self) -> tuple[list[bytes], int]:
        """Its lines without their ends, blank ones left out, and the number of the line that was written last, or 0."""
        # The number first: a line that another program adds meanwhile must not look like one that is missing.
        last = self._read_last()
        if self.path.exists() and not self.path.is_file():  # a pipe would be waited for
            raise OSError(0, "it is not a file")
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return [], last
        return list(raw_lines(data)), last

    @property
    def size(self) -> int:
        """Its bytes; of a link, the link's own: what it points to is not ours to rewrite."""
        return self.path.lstat().st_size

    def append(self, line: bytes, seq: int) -> None:
        """Add `line`, which has the number `seq`. When this returns it is on disk."""
        append_lines(self.path, line, is_locked=True)
        self._write_last(seq)

    def replace(self, lines: Sequence[bytes], last: int) -> None:
        """Put `lines` in the place of all there is; the last of them has the number `last`."""
        remove_leftovers(self.path)
        write_atomically(self.path, b"".join(line + b"\n" for line in lines))
        self._write_last(last)

    def _read_last(self) -> int:
        try:
            return max(0, int(read_file(self._last_path)[:20]))
        except (OSError, ValueError):
            return 0

    def _write_last(self, seq: int) -> None:
        # After the line, and in its place: whatever ends the program here, it is never ahead of the journal.
        with contextlib.suppress(OSError):
            handle = os.open(self._last_path, os.O_WRONLY | os.O_CREAT | _NO_LINK | _NO_WAIT, 0o600)
            try:
                os.pwrite(handle, f"{seq:020d}\n".encode(), 0)
            finally:
                os.close(handle)
