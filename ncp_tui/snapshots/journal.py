"""The outcome journal: each create is on disk before it leaves, and each fact about it before anything else happens.

One JSON line for each fact, in a file that is only ever appended to. Whatever ends the program, the next one reads what
was pending and finds out. A create in the making holds a lock of its own, which the system releases with the process:
so nobody settles what another program is still waiting for.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from ncp_tui.gateway import Problem, daemon_call
from ncp_tui.profiles.files import remove_leftovers, write_atomically
from ncp_tui.profiles.paths import Paths, make_private_directory
from ncp_tui.snapshots.journal_entry import Fact, JournalEntry, first_line, read_entries
from ncp_tui.snapshots.outcome import Caller, SnapshotRequest

LARGEST = 1024 * 1024
"""Bytes from which closed entries are dropped: about 1,500 creates."""

KEPT = timedelta(days=30)
"""How long a closed entry is kept at least."""

DISK_SECONDS = 10.0
"""Seconds after which a disk that does not answer counts as one that cannot be written."""

_LOCK_SECONDS = 5.0

T = TypeVar("T")


class JournalProblem(Problem):
    """The journal is of no use. Before a create that means: it is not sent unless the user says so."""

    kind = "journal"


class JournalUnwritable(JournalProblem):
    """A fact could not be written down."""

    kind = "journal_unwritable"


class JournalUnreadable(JournalProblem):
    """The journal is there and the system does not let us read it."""

    kind = "journal_unreadable"


class OutcomeInDoubt(Problem):
    """An earlier create of the same name on the same cluster may have started; another could be a second snapshot."""

    kind = "outcome_in_doubt"


class HeldEntry:
    """An entry that is this program's alone until it is released."""

    def __init__(self, journal: Journal, entry: JournalEntry, lock: FileLock) -> None:
        self.entry = entry
        self._journal = journal
        self._lock = lock

    def record(self, fact: Fact, **details: Any) -> None:
        """Append one fact, and return when it is on disk. Raises JournalUnwritable."""
        line = self._journal.append(self.entry.id, fact, **details)
        self.entry = dataclasses.replace(self.entry, facts=(*self.entry.facts, line))

    def release(self) -> None:
        """Let go of it; harmless when it was done before."""
        if not self._lock.is_locked:
            return
        _let_go(self._lock)


class Journal:
    """The journal in the state folder of `paths`. Its methods block on the disk: call them on a thread."""

    def __init__(self, paths: Paths, *, clock: Callable[[], float] = time.time) -> None:
        self.path = paths.journal_file
        self._clock = clock

    def begin(
        self,
        request: SnapshotRequest,
        caller: Caller,
        *,
        clock_offset: float | None = None,
        seen_before: frozenset[tuple[int, str]] | None = None,
    ) -> HeldEntry:
        """Write down that `request` is about to be sent, and hold its entry.

        Raises OutcomeInDoubt where an earlier create of that name on that cluster is still to be settled or in another
        program's hands, which is looked up under the same lock as the writing, and JournalProblem; in each case nothing
        may be sent.
        """
        entry = JournalEntry(uuid.uuid4().hex, self._now(), caller, request, os.getpid(), clock_offset, seen_before)
        with self._writing():
            for other in self.entries():
                if other.is_open and _same_snapshot(other, entry):
                    self._check_that_it_started_nothing(other)
            self._compact()
            lock = self._lock_of(entry.id)
            lock.acquire(timeout=0)
            try:
                begun = self._append(entry.id, Fact.BEGUN, entry.at, first_line(entry))
            except BaseException:
                _let_go(lock)
                raise
        return HeldEntry(self, dataclasses.replace(entry, facts=(begun,)), lock)

    def append(self, key: str, fact: Fact, **details: Any) -> Mapping[str, Any]:
        """Append one fact about the entry `key`, and return its line once it is on disk. Raises JournalUnwritable."""
        with self._writing():
            return self._append(key, fact, self._now(), details)

    def entries(self) -> list[JournalEntry]:
        """Every create that is written down, oldest first; lines nobody can read are passed over.

        Raises JournalUnreadable.
        """
        return read_entries([line for _, line in self._lines() if line is not None])

    def open_entries(self) -> list[JournalEntry]:
        """The creates whose outcome is still to be found out."""
        return [entry for entry in self.entries() if entry.is_open]

    def abandoned(self) -> list[JournalEntry]:
        """The open entries that no running program has in its hands. Raises JournalProblem."""
        if not self.open_entries():
            return []  # nothing is locked or written for it, so that a folder that cannot be written is no problem
        with self._writing():
            return [entry for entry in self.open_entries() if self._is_free(entry.id)]

    def _is_free(self, key: str) -> bool:
        """Whether nobody has it. Only for who holds the writing lock: else `hold` would meet this very look."""
        lock = self._lock_of(key)
        if not _is_taken(lock):
            return False
        _let_go(lock)
        return True

    def hold(self, key: str) -> HeldEntry | None:
        """Take hold of an entry, as it is now; None where another program has it or there is none.

        Raises JournalUnwritable.
        """
        with self._writing():
            lock = self._lock_of(key)
            if not _is_taken(lock):
                return None
            try:
                entry = next((entry for entry in self.entries() if entry.id == key), None)
            except BaseException:
                _let_go(lock)
                raise
            if entry is None:
                _let_go(lock)
                return None
        return HeldEntry(self, entry, lock)

    def _check_that_it_started_nothing(self, other: JournalEntry) -> None:
        """Raise OutcomeInDoubt if `other` may have started, or still may. Only for who holds the writing lock."""
        name, cluster = other.request.name, other.request.cluster_name
        if not self._is_free(other.id):
            raise OutcomeInDoubt(
                f"{name} on {cluster} is being created or settled at this moment, here or in another ncp-tui.",
                "Nothing was sent.",
                "Wait until that has ended, or use another name.",
            )
        if other.in_doubt:
            raise OutcomeInDoubt(
                f"An earlier create of {name} on {cluster} may have started.",
                "Nothing was sent.",
                "Settle it first (ncp-tui snapshot settle), or use another name.",
            )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _lock_of(self, key: str) -> FileLock:
        folder = self.path.with_name("journal.locks")
        make_private_directory(folder)
        # Held on one thread and released on another, so the lock must not be the thread's.
        return FileLock(folder / f"{key}.lock", mode=0o600, thread_local=False)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with _telling("The journal cannot be written"):
            make_private_directory(self.path.parent)
            with FileLock(self.path.with_name(self.path.name + ".lock"), timeout=_LOCK_SECONDS, mode=0o600):
                yield

    def _append(self, key: str, fact: Fact, at: datetime, details: Mapping[str, Any]) -> dict[str, Any]:
        line = {"id": key, "fact": fact.value, "at": at.isoformat(), **details}
        data = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "surrogatepass")
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        is_new = not self.path.exists()
        handle = os.open(self.path, flags, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                data = b"\n" + data  # a line torn by a kill or a full disk keeps its place, and ends there
            try:
                _write_whole(handle, data)
                os.fsync(handle)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if is_new:
            _sync_directory(self.path.parent)
        return line

    def _lines(self) -> list[tuple[bytes, dict[str, Any] | None]]:
        try:
            if self.path.exists() and not self.path.is_file():  # a pipe would be waited for
                raise _unreadable(self.path, "it is not a file")
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(self.path, error.strerror or str(error)) from None
        return [(raw, _parsed(raw)) for raw in data.split(b"\n") if raw]

    def _compact(self) -> None:
        """Drop old closed entries from a journal grown large; what nobody can read stays."""
        # A disk too full to make the journal smaller may still take a line: that is for the append to find out.
        with contextlib.suppress(OSError):
            if self.path.lstat().st_size <= LARGEST:  # a link's own size: what it leads to is not ours to rewrite
                return
            lines = self._lines()
            oldest = self._now() - KEPT
            entries = read_entries([line for _, line in lines if line is not None])
            dropped = {entry.id for entry in entries if not entry.is_open and entry.at < oldest}
            remaining = [raw for raw, line in lines if line is None or _text_id(line) not in dropped]
            remove_leftovers(self.path)
            write_atomically(self.path, b"".join(raw + b"\n" for raw in remaining))


async def on_disk(act: Callable[[], T]) -> T:
    """What `act`, a method of the journal, returns; off the event loop. Raises JournalProblem, in time."""
    try:
        return await daemon_call(act, DISK_SECONDS)
    except TimeoutError:
        raise _unwritable("The journal cannot be written", f"no answer within {DISK_SECONDS:g} s") from None


def _is_taken(lock: FileLock) -> bool:
    """Take `lock` if nobody has it."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _let_go(lock: FileLock) -> None:
    # Unlinked while it is held: whoever waits on this file gets the lock, reads the journal anew, and sees.
    with contextlib.suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def _same_snapshot(one: JournalEntry, other: JournalEntry) -> bool:
    mine, theirs = one.request, other.request
    return (one.caller.gateway, mine.cluster_number, mine.name) == (
        other.caller.gateway,
        theirs.cluster_number,
        theirs.name,
    )


def _write_whole(handle: int, data: bytes) -> None:
    """Write all of `data`; a disk that took a part of it raises its reason at the next piece."""
    while data:
        data = data[os.write(handle, data) :]


def _text_id(line: Mapping[str, Any]) -> str | None:
    key = line.get("id")
    return key if isinstance(key, str) else None


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


@contextlib.contextmanager
def _telling(what: str) -> Iterator[None]:
    try:
        yield
    except Timeout:
        raise _unwritable(what, "another program holds it") from None
    except OSError as error:
        raise _unwritable(what, error.strerror or str(error)) from None


def _unwritable(what: str, why: str) -> JournalUnwritable:
    return JournalUnwritable(
        f"{what}: {why}.",
        "If the program is cut off now, nobody will know what became of the snapshot.",
        "Make room or repair the state folder; `ncp-tui paths` says where it is.",
    )


def _unreadable(path: Path, why: str) -> JournalUnreadable:
    return JournalUnreadable(
        f"The journal cannot be read: {why}.",
        "What was pending when the program last ended is not known.",
        f"Check {path}.",
    )


def _sync_directory(directory: Path) -> None:
    # A file system that cannot sync folders has written the line all the same.
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
