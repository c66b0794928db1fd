"""The journal: each request with an effect is on disk before it leaves, and each event about it before anything else.

One JSON line for each event (`journal_file`), in a file that is only ever appended to. Whatever ends the program, the
next one reads what was pending and finds out. A request that is being sent or checked has a lock of its own, which the
system releases with the process: so no program resolves what another one is still waiting for.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from filelock import FileLock, Timeout

from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.search_engine.operations import CREATE_SNAPSHOT
from ncp_tui.snapshots.earlier_requests import Guard, Intent
from ncp_tui.snapshots.inventory import Inventory
from ncp_tui.snapshots.journal_contents import Contents, DamageReport, OtherDamage, converted, is_old
from ncp_tui.snapshots.journal_entry import (
    JournalEntry,
    JournalEvent,
    begun_context,
    entries_of,
    event_of,
)
from ncp_tui.snapshots.journal_file import FileEvent, JournalFile, JournalLine, damage_id, read_journal, recorded
from ncp_tui.snapshots.outcome import Caller, SnapshotRequest
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.system.paths import Paths, make_private_directory
from ncp_tui.system.private_files import back_up

LARGEST = 1024 * 1024
"""Bytes from which closed entries are dropped: about 700 creates."""

KEPT = timedelta(days=30)
"""How long a closed entry is kept at least."""


_LOCK_SECONDS = 5.0
_EVENTS = frozenset({*JournalEvent, *FileEvent})

T = TypeVar("T")
H = TypeVar("H", bound="HeldEntry | None")


class JournalProblem(Problem):
    """The journal is of no use. Before a create that means: it is not sent unless the user says so."""

    kind = "journal"


class JournalUnwritable(JournalProblem):
    """An event could not be written down."""

    kind = "journal_unwritable"


class JournalUnreadable(JournalProblem):
    """The journal is there and the system does not let us read it."""

    kind = "journal_unreadable"


class HeldEntry:
    """An entry that is this program's alone until it is released."""

    def __init__(self, journal: Journal, entry: JournalEntry, lock: FileLock) -> None:
        self.entry = entry
        self._journal = journal
        self._lock = lock

    def record(self, event: JournalEvent, **details: Any) -> None:
        """Append one event, and return when it is on disk. Raises JournalUnwritable."""
        line = self._journal.append(self.entry.id, event, **details)
        self.entry = dataclasses.replace(self.entry, events=(*self.entry.events, line))

    def release(self) -> None:
        """Let go of it; harmless when it was done before."""
        if not self._lock.is_locked:
            return
        _let_go(self._lock)


class Journal:
    """The journal in the state folder of `paths`. Its methods block on the disk: call them on a thread."""

    def __init__(self, paths: Paths, *, clock: Callable[[], float] = time.time) -> None:
        self.path = paths.journal_file
        self._file = JournalFile(self.path)
        self._clock = clock

    def begin(
        self,
        request: SnapshotRequest,
        caller: Caller,
        *,
        clock_offset: float | None = None,
        seen_before: frozenset[tuple[int, str]] | None = None,
        history: Sequence[HistoryEntry] | None = None,
        again: str | None = None,
        asked_at: datetime | None = None,
        batch: str = "",
        inventory: Inventory | None = None,
    ) -> HeldEntry:
        """Write down that `request`, of that `batch` if any, is about to be sent, and hold its entry.

        `inventory` is what the cluster holds, where that was read.

        Raises SecondRequest where an earlier create of that name on that cluster, by whichever program, or a row of
        `history`, is not proved to have started nothing or to have failed, or another program began one after
        `asked_at`, unless `again` is the id of exactly that; DamagedJournal where one may have been lost; and
        JournalProblem. It is looked up under the same lock as the writing. In each case nothing may be sent.
        """
        entry = JournalEntry(
            "", self._now(), caller, request, 0, clock_offset, seen_before, batch=batch, inventory=inventory
        )
        return self._begin(entry, [], Intent(request, caller, history, again, asked_at))

    def begin_other(self, entry: JournalEntry, guard: Guard | None = None) -> HeldEntry:
        """Write down that the request of `entry`, which is no create, is about to be sent, and hold it.

        Raises what `guard` does of earlier requests and of damage, looked up under the same lock as the writing;
        without one neither stops it. Raises JournalProblem, and then nothing may be sent.
        """
        if entry.is_create:
            raise ValueError("a create is begun by `begin`")
        return self._begin(dataclasses.replace(entry, at=self._now()), [], guard)

    def check(self, intent: Guard) -> None:
        """Raise what beginning with `intent` would raise of earlier requests and damage, and write nothing."""
        try:
            with self._writing():
                self._check(self._contents_to_write(), intent)
        except JournalUnwritable:  # who is at work on it cannot be seen then; what is written down can
            contents = self.contents()
            contents.check_undamaged(intent)
            intent.check(contents.entries)

    def begin_late(self, entry: JournalEntry, events: Sequence[tuple[JournalEvent, Mapping[str, Any]]]) -> HeldEntry:
        """Write down a request that has left already, with all that is known of it, and hold its entry.

        Nothing is looked up: it cannot be stopped any more. All of it is on disk at once, or nothing. Raises
        JournalProblem.
        """
        return self._begin(entry, events)

    def _begin(
        self,
        entry: JournalEntry,
        events: Sequence[tuple[JournalEvent, Mapping[str, Any]]],
        intent: Guard | None = None,
    ) -> HeldEntry:
        """Write the first lines of `entry`, whose id and process are new, once `intent` is checked; and hold it."""
        entry = dataclasses.replace(entry, id=uuid.uuid4().hex, process=os.getpid())
        with self._writing():
            contents = self._contents_to_write()
            if intent is not None:
                self._check(contents, intent)
            if not events:  # else it has left, and to be written down is all that matters
                contents = self._compacted(contents)
            lock = self._lock_of(entry.id)
            lock.acquire(timeout=0)
            try:
                begun = _line(entry.at, JournalEvent.BEGUN, begun_context(entry), entry)
                now = self._now()
                lines = [begun, *(_line(now, event, more, entry) for event, more in events)]
                written = self._append(contents, *lines)
            except BaseException:
                _let_go(lock)
                raise
        return HeldEntry(self, dataclasses.replace(entry, events=tuple(written)), lock)

    def append(self, key: str, event: JournalEvent, **details: Any) -> Mapping[str, Any]:
        """Append one event about the entry `key`, and return it once it is on disk. Raises JournalUnwritable."""
        with self._writing():
            contents = self._contents_to_write()
            known = next((entry for entry in contents.entries if entry.id == key), None)
            line = _line(self._now(), event, details, known)
            line = dataclasses.replace(line, entry=key, operation=line.operation or CREATE_SNAPSHOT)
            return self._append(contents, line)[0]

    def accept_damage(self, wanted: str) -> DamageReport:
        """Write down that the user has seen the damage `wanted`: creates are sent again, what it touches stays unknown.

        Raises OtherDamage where that is not the damage that is there now, and JournalProblem.
        """
        with self._writing():
            contents = self._contents_to_write()
            report = contents.damage
            if report is None or report.id != wanted:
                raise OtherDamage(wanted, report)
            context = {"damage": report.id, "marks": [damage.mark for damage in report.damages]}
            self._append(contents, _line(self._now(), FileEvent.DAMAGE_ACCEPTED, context))
        return report

    def contents(self) -> Contents:
        """All that the journal says, and what of it is damaged. Raises JournalUnreadable."""
        found = self._read()
        if found.damage is None:
            return found
        # It may be a line that is being written at this moment: whoever holds the lock meets no half of one.
        with contextlib.suppress(JournalUnwritable), self._writing():
            found = self._read()
        return self._with_copy(found)

    def entries(self) -> list[JournalEntry]:
        """Every request that is written down, oldest first. Raises JournalUnreadable."""
        return list(self.contents().entries)

    def open_entries(self) -> list[JournalEntry]:
        """The requests whose outcome is still to be found out."""
        return [entry for entry in self.entries() if entry.is_open]

    def abandoned(self) -> list[JournalEntry]:
        """The unresolved entries that no running program holds. Raises JournalProblem."""
        if not self.open_entries():
            return []  # nothing is locked or written for it, so that a folder that cannot be written is no problem
        with self._writing():
            return [entry for entry in self._read().entries if entry.is_open and self._is_free(entry.id)]

    def hold(self, key: str) -> HeldEntry | None:
        """Take hold of an entry, as it is now; None where another program has it or there is none.

        Raises JournalUnwritable.
        """
        with self._writing():
            lock = self._lock_of(key)
            if not _is_taken(lock):
                return None
            try:
                entry = next((entry for entry in self._read().entries if entry.id == key), None)
            except BaseException:
                _let_go(lock)
                raise
            if entry is None:
                _let_go(lock)
                return None
        return HeldEntry(self, entry, lock)

    def _check(self, contents: Contents, intent: Guard) -> None:
        """Only for who holds the writing lock: else `hold` would meet the look at an entry's own."""
        contents.check_undamaged(intent)
        intent.check(contents.entries, lambda entry: not self._is_free(entry.id))

    def _is_free(self, key: str) -> bool:
        """Whether no program has it."""
        lock = self._lock_of(key)
        if not _is_taken(lock):
            return False
        _let_go(lock)
        return True

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _lock_of(self, key: str) -> FileLock:
        folder = self.path.with_name("journal.locks")
        make_private_directory(folder)
        # Held on one thread and released on another, so the lock must not be the thread's.
        return FileLock(folder / f"{key}.lock", mode=0o600, thread_local=False)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with _telling("The journal cannot be written"), self._file.writing(_LOCK_SECONDS):
            yield

    def _append(self, contents: Contents, *lines: JournalLine) -> list[dict[str, Any]]:
        """Write `lines` at the end of `contents`. Only for who holds the writing lock since that was read."""
        first = contents.reading.next_seq
        numbered = [dataclasses.replace(line, seq=first + place) for place, line in enumerate(lines)]
        self._file.append(b"\n".join(line.encoded() for line in numbered), numbered[-1].seq)
        return [event_of(line) for line in numbered]

    def _read(self) -> Contents:
        try:
            raws, last = self._file.read()
        except OSError as error:
            raise _unreadable(self.path, error.strerror or str(error)) from None
        if last == 0 and is_old(raws):
            raws = converted(raws, self._now().isoformat(), "")
        return self._judged(raws, last)

    def _judged(self, raws: Sequence[bytes], last: int) -> Contents:
        reading = read_journal(raws, last, _EVENTS)
        report = None
        if reading.unaccepted:
            report = DamageReport(damage_id(reading.unaccepted), reading.unaccepted, self.path)
        kept = next((line.context.get("kept") for line in reading.lines if line.event == FileEvent.MIGRATED), None)
        return Contents(reading, tuple(entries_of(reading)), report, str(kept) if kept else None)

    def _contents_to_write(self) -> Contents:
        """What is there, in this format; the file of the old one is kept beside it, and damage is copied."""
        try:
            raws, last = self._file.read()
        except OSError as error:
            raise _unreadable(self.path, error.strerror or str(error)) from None
        if last == 0 and is_old(raws) and not self.path.is_symlink():
            copy = back_up(self.path, self.path.read_bytes(), "old")
            raws = converted(raws, self._now().isoformat(), copy.name)
            last = len(raws)
            self._file.replace(raws, last)
        return self._with_copy(self._judged(raws, last))

    def _with_copy(self, contents: Contents) -> Contents:
        """Keep the damaged file beside the journal, once for each damage, before anything is written to it."""
        report = contents.damage
        if report is None:
            return contents
        copy = self.path.with_name(f"{self.path.name}.damaged-{report.id}")
        with contextlib.suppress(OSError):
            if not copy.exists():
                data = self.path.read_bytes() if self.path.exists() else b""
                copy = back_up(self.path, data, f"damaged-{report.id}")
            return dataclasses.replace(contents, damage=dataclasses.replace(report, copy=copy))
        return contents

    def _compacted(self, contents: Contents) -> Contents:
        """Drop old closed entries from a journal grown large. Damage stays until it is accepted, and is carried on."""
        # A disk too full to make the journal smaller may still take a line: that is for the append to find out.
        with contextlib.suppress(OSError):
            if contents.damage is not None or not self.path.exists() or self._file.size <= LARGEST:
                return contents
            raws = _smaller(contents, self._now())
            last = contents.reading.next_seq + len(raws) - 1
            self._file.replace(raws, last)
            return self._judged(raws, last)
        return contents


def _line(
    at: datetime,
    event: JournalEvent | FileEvent,
    context: Mapping[str, Any],
    entry: JournalEntry | None = None,
) -> JournalLine:
    """A line that has no number yet."""
    if entry is None:
        return JournalLine(0, "", event.value, at.isoformat(), context=context)
    parameters = recorded(entry.operation, entry.parameters)
    return JournalLine(0, entry.id, event.value, at.isoformat(), entry.operation, parameters, None, context)


def _smaller(contents: Contents, now: datetime) -> list[bytes]:
    """The lines that are still of use, numbered anew from a first one that says so."""
    reading, oldest = contents.reading, now - KEPT
    dropped = {entry.id for entry in contents.entries if not entry.is_open and entry.at < oldest}
    kept = [line for line in reading.lines if line.entry and line.entry not in dropped]
    context: dict[str, Any] = {"lines": len(kept), "accepted": [damage.document() for damage in reading.accepted]}
    if contents.kept is not None:
        context["kept"] = contents.kept
    first = JournalLine(reading.next_seq, "", FileEvent.COMPACTED, now.isoformat(), context=context)
    return [
        first.encoded(),
        *(dataclasses.replace(line, seq=first.seq + number).encoded() for number, line in enumerate(kept, 1)),
    ]


async def on_disk(act: Callable[[], T]) -> T:
    """What `act`, a method of the journal, returns; off the event loop. Raises JournalProblem, in time."""
    try:
        return await run_blocking(act, DISK_SECONDS)
    except TimeoutError:
        raise _unwritable("The journal cannot be written", f"no answer within {DISK_SECONDS:g} s") from None


async def hold_on_disk(act: Callable[[], H]) -> H:
    """What `act`, a method of the journal, holds. Where it is not waited for any more, it is let go again.

    That is where the wait is cancelled, or the disk takes too long. Raises what `on_disk` and `act` raise.
    """
    handover = _Handover(act)
    try:
        return await on_disk(handover.take)
    except BaseException:
        if (held := handover.give_up()) is not None:
            await asyncio.shield(let_go(held))
        raise


async def let_go(held: HeldEntry) -> None:
    """Release it; a disk that hangs keeps it from others, and holds nothing else up."""
    with contextlib.suppress(JournalProblem):
        await on_disk(held.release)


class _Handover(Generic[H]):
    """An entry on its way from the thread that takes its lock to whoever waits for it, if they still do."""

    def __init__(self, act: Callable[[], H]) -> None:
        self._act = act
        self._guard = threading.Lock()
        self._held: HeldEntry | None = None
        self._is_given_up = False

    def take(self) -> H:
        held = self._act()
        with self._guard:
            self._held, is_wanted = held, not self._is_given_up
        if held is not None and not is_wanted:
            held.release()
        return held

    def give_up(self) -> HeldEntry | None:
        """What was taken already; what is taken later is released there."""
        with self._guard:
            self._is_given_up = True
            return self._held


def _is_taken(lock: FileLock) -> bool:
    """Take `lock` if it is free."""
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
        "If the program is cut off now, the request cannot be resolved later.",
        "Free disk space or fix the state folder.",
        NextAction("paths.show"),
    )


def _unreadable(path: Path, why: str) -> JournalUnreadable:
    return JournalUnreadable(
        f"The journal cannot be read: {why}.",
        "Requests that were unresolved when ncp-tui last ended are not known.",
        f"Check {path}.",
    )
