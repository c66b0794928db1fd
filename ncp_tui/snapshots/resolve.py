"""Resolving one request: NCP is asked as whoever made it what became of it, or the user says that they have checked.

Only reads: nothing is ever sent again from here. While an entry is looked for its lock is held, so no two programs
write a verdict, and no program marks resolved what another one is about to prove.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from ncp_tui.gateway.endpoints import reach_same_clusters
from ncp_tui.gateway.errors import (
    GatewayError,
)
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.search_engine.operations import (
    CREATE_SNAPSHOT,
    RELEASE_SCHEDULE,
    SET_SCHEDULE,
    SET_STORAGE_KEY,
    UPGRADE_PRE_CHECK,
)
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.history_match import Asked, Match, Whose, best_match
from ncp_tui.snapshots.journal import HeldEntry, Journal, hold_on_disk, let_go, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.looks import Looked, Pace, look_until
from ncp_tui.snapshots.outcome import HELD_ELSEWHERE, Caller, Outcome, Verdict, verdict_word
from ncp_tui.snapshots.schedule_witness import Witness, is_rival, witness_of
from ncp_tui.snapshots.storage_key_state import KeyState, look_at_key, proves_new_key, told_of_new_key
from ncp_tui.system.backoff import Backoff, chance
from ncp_tui.text import plural

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ncp_tui.search_engine.client import SearchEngine


SECONDS = 60.0
"""How long the history is checked. A row that is missing then may still come: absence proves nothing."""

BACKOFF = Backoff(first=1.0, longest=15.0)


@dataclass(frozen=True)
class Resolution:
    """What the search for an outcome found: a verdict, the evidence for it in a sentence, and what to do next."""

    verdict: Verdict
    evidence: str
    next_step: str = ""
    row: HistoryEntry | None = None
    looks: int = 0
    problem: GatewayError | None = None
    """Why the last look at the history failed, if it did."""
    source: str = "history"
    """What was read."""
    is_create: bool = True
    """Whether it is about a create: another operation is done, and starts nothing."""

    def journal_details(self) -> dict[str, Any]:
        """What the journal keeps of it."""
        return {"verdict": self.verdict.value, "evidence": self.evidence, "looks": self.looks}

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        return f"{self.word.capitalize()}: {self.evidence} {self.next_step}".rstrip()

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return verdict_word(self.verdict, is_create=self.is_create)


async def search_history(
    engine: SearchEngine,
    entry: JournalEntry,
    *,
    seconds: float = SECONDS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = chance,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_look: Callable[[int], None] = lambda _: None,
) -> Resolution:
    """Look for `entry` in the history of its cluster for at most `seconds`, less and less often.

    Only reads. A row that is ours (see `matching`) is the proof that it was started. There is no proof of the contrary
    in a history that may lag behind or lose a row: where no check shows it, it is unknown. `on_look` is told
    the number of each look before it.
    """

    async def look() -> Match | None:
        rows = await engine.recent_snapshots(entry.request.cluster_number, tries=1)
        offset = engine.clock_offset
        return best_match(Asked.by(entry).on_clock(offset.seconds if offset else None), rows, now())

    pace = Pace(seconds, BACKOFF, sleep, monotonic, jitter, on_look)
    found = await look_until(look, lambda match: match.whose is Whose.OURS, pace)
    if found.best is not None and found.best.whose is Whose.OURS:
        return started_by(found.best.row, found.looks)
    return _unknown(entry, found.looks, found.seen, found.problem, found.best)


async def search_schedule(
    engine: SearchEngine,
    entry: JournalEntry,
    *,
    seconds: float = SECONDS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = chance,
    on_look: Callable[[int], None] = lambda _: None,
) -> Resolution:
    """The same for a set or a release of a schedule, in the schedule history: see `schedule_witness`."""

    async def look() -> Witness | None:
        rows = await engine.schedule_history(entry.request.cluster_number, tries=1)
        offset = engine.clock_offset
        return None if rows.gap else witness_of(entry, rows, rows.read_at, offset.seconds if offset else None)

    pace = Pace(seconds, BACKOFF, sleep, monotonic, jitter, on_look)
    found = await look_until(look, lambda witness: witness.whose is Whose.OURS, pace)
    return _of_schedule(entry, found)


async def search_storage_key(
    engine: SearchEngine, entry: JournalEntry, *, seconds: float = SECONDS, was_missing: bool = False, **pace: Any
) -> Resolution:
    """The same for a storage key, in the bucket list, which never says which key is set: see `storage_key_state`.

    Only the run that sent it may know that there `was_missing` one just before: later anybody may have set one.
    """
    number = entry.request.cluster_number
    found = await look_until(
        lambda: look_at_key(engine, number), lambda read: read.state is KeyState.SET, Pace(seconds, BACKOFF, **pace)
    )
    evidence, step = told_of_new_key(found.best, found.looks, was_missing=was_missing)
    verdict = Verdict.STARTED if proves_new_key(found.best, was_missing=was_missing) else Verdict.UNKNOWN
    return Resolution(verdict, evidence, step, None, found.looks, found.problem, "bucket_list")


class LookUp(Protocol):
    """Asks NCP, with reads only and for at most `seconds`, what became of a request whose answer was lost."""

    async def __call__(
        self, engine: SearchEngine, entry: JournalEntry, *, seconds: float = ..., on_look: Callable[[int], None] = ...
    ) -> Resolution:
        """The verdict, and the evidence for it."""


LOOK_UPS: Final[dict[str, LookUp]] = {
    CREATE_SNAPSHOT: search_history,
    SET_SCHEDULE: search_schedule,
    RELEASE_SCHEDULE: search_schedule,
    SET_STORAGE_KEY: search_storage_key,
}
"""How a request is resolved, by its operation. What is not here stays unknown until the user has checked it."""


def started_by(row: HistoryEntry, looks: int) -> Resolution:
    """The verdict that a row of the history proves."""
    at = f" since {row.when}" if row.when else ""
    return Resolution(
        Verdict.STARTED,
        f"the snapshot is in the history{at} ({row.message or row.state.value}).",
        "Do not send a second request.",
        row,
        looks,
    )


def _of_schedule(entry: JournalEntry, found: Looked[Witness]) -> Resolution:
    """The verdict on a set or a release."""
    is_set, witness = entry.operation == SET_SCHEDULE, found.best
    if witness is not None and witness.whose is Whose.OURS:
        row = witness.entry
        at = f" since {row.set_up}" if row.set_up else ""
        evidence = f"the schedule history has it{at}" if is_set else f"the schedule {row.snapshot} is released now"
        status = f" (status {row.status})" if row.status else ""
        return Resolution(Verdict.STARTED, f"{evidence}{status}.", "Do not send it again.", None, found.looks)
    step = "Check the schedule in the NCP console before you send it again."
    if witness is not None:
        evidence = f"the schedule history has a row that may be of this request: {witness.why}."
    elif found.seen:
        missing = "does not have this setting" if is_set else "does not say that it was released"
        evidence = f"no answer confirmed the request, and in {plural(found.seen, 'check')} the history {missing}."
        step = f"That is no proof: the history may lag. {step}"
    else:
        evidence = "no answer confirmed the request, and the schedule history could not be read."
        because = found.problem.what if found.problem is not None else "NCP did not answer in time."
        step = f"{because} {step}"
    return Resolution(Verdict.UNKNOWN, evidence, step, None, found.looks, found.problem)


def _unknown(
    entry: JournalEntry, looks: int, seen: int, problem: GatewayError | None, other: Match | None = None
) -> Resolution:
    name, cluster = entry.request.name, entry.request.cluster
    if other is not None and other.whose is Whose.MAY_BE:
        evidence = f"the history has a row of {name} that may be this snapshot: {other.why}."
        next_step = (
            "The row may also be an earlier snapshot. Check it in the NCP console before you send a second request."
        )
    elif seen:
        row = f"did not have {name}" if other is None else f"had only another row of {name}: {other.why}"
        checks = f"in {plural(seen, 'check')} the history {row}"
        evidence = f"no answer confirmed the request, and {checks}."
        next_step = (
            "That proves nothing: the history may lag. Check again in a few minutes, before you create another one."
        )
    else:
        evidence = "no answer confirmed the request, and the history could not be read."
        because = problem.what if problem is not None else "NCP did not answer in time."
        next_step = f"{because} Check the history of {cluster} once that is fixed."
    return Resolution(Verdict.UNKNOWN, evidence, next_step, None, looks, problem)


ClientFor = Callable[[Caller], "AbstractAsyncContextManager[SearchEngine]"]
"""A client of whoever asked. Raises a Problem where there is none, or it would ask another gateway."""


class EntryHeld(Problem):
    """A request that another program sends, or finds out about, at this moment."""

    kind = "entry_held"

    def __init__(self, name: str) -> None:
        super().__init__(f"The request for {name!a} is held by another ncp-tui.", "Nothing was changed.")


class NotOpen(Problem):
    """A request whose outcome is known by now."""

    kind = "not_open"

    def __init__(self, name: str) -> None:
        super().__init__(f"The request for {name!a} is already resolved.", "Nothing was changed.")


def check_same_gateway(identity: Identity | None, caller: Caller) -> Identity:
    """Who asked then, as long as that still asks the same gateway: the history of another one proves nothing.

    Where the journal has lost which gateway it was any may be asked, since nothing is proved of such an entry. Raises a
    Problem.
    """
    if identity is None:
        raise Problem(
            f"No profile {caller.profile} points to {caller.gateway} now.",
            "Nothing was sent.",
            "Choose or add a profile for that gateway.",
        )
    if caller.gateway and not reach_same_clusters(Caller.of(identity).gateway, caller.gateway):
        raise Problem(
            f"Profile {caller.profile} points to another gateway than when it sent the request.",
            "Nothing was sent.",
            f"Use a profile for {caller.gateway}.",
        )
    return identity


class Resolver:
    """Finds out about open entries of a journal, and writes the verdicts down."""

    def __init__(self, journal: Journal, log: SessionLog, client_for: ClientFor) -> None:
        self._journal = journal
        self._log = log
        self._client_for = client_for
        self._holds = Holds()

    async def resolve(
        self, entry: JournalEntry, *, seconds: float = SECONDS, on_look: Callable[[int], None] = lambda _: None
    ) -> Resolution | None:
        """What the journal proves of `entry`, else the history, checked for at most `seconds` as whoever asked.

        None where another program has the entry, or it is resolved by now. `on_look` is told the number of each look
        before it. Raises JournalProblem, and the Problem of whoever asked then.
        """
        with self._log.action(f"resolve {entry.subject}") as action:
            found = await resolve_entry(self._journal, entry, None, holds=self._holds)
            if found is None and entry.in_doubt:
                async with self._client_for(entry.caller) as engine:
                    found = await resolve_entry(
                        self._journal, entry, engine, holds=self._holds, seconds=seconds, on_look=on_look
                    )
            action.outcome = found.sentence if found else HELD_ELSEWHERE
            action.failed = found is None or found.verdict is Verdict.UNKNOWN
        return found

    async def dismiss(self, entry: JournalEntry) -> None:
        """Write down that the user has checked it elsewhere: it is not checked any more.

        What this resolver is looking for can be dismissed meanwhile. Raises EntryHeld, NotOpen, JournalProblem.
        """
        async with self._holds.turn:
            own = self._holds.own.get(entry.id)
            held = own or await hold_on_disk(lambda: self._journal.hold(entry.id))
            if held is None:
                raise EntryHeld(entry.subject)
            try:
                if not held.entry.is_open:  # it was resolved meanwhile, and is not given back yet
                    raise NotOpen(entry.subject)
                await on_disk(lambda: held.record(JournalEvent.DISMISSED))
            finally:
                if own is None:
                    await asyncio.shield(let_go(held))


class Holds:
    """The entries whose locks are held here; `turn` is whose turn it is to take a lock or to give one back."""

    def __init__(self) -> None:
        self.own: dict[str, HeldEntry] = {}
        self.turn = asyncio.Lock()

    async def take(self, journal: Journal, key: str) -> HeldEntry | None:
        """The entry `key`; None where another program has it. Raises JournalProblem."""
        async with self.turn:
            held = await hold_on_disk(lambda: journal.hold(key))
            if held is not None:
                self.own[key] = held
            return held

    async def give_back(self, held: HeldEntry) -> None:
        """Let others have it; also where whoever waits for this is cancelled, once more, meanwhile."""
        await asyncio.shield(self._given_back(held))

    async def _given_back(self, held: HeldEntry) -> None:
        async with self.turn:
            del self.own[held.entry.id]
            await let_go(held)


async def resolve_entry(
    journal: Journal,
    entry: JournalEntry,
    engine: SearchEngine | None,
    *,
    holds: Holds | None = None,
    **search: Any,
) -> Resolution | None:
    """Resolve an entry of the journal, and write the verdict down.

    What the journal proves by itself needs no `engine`; without one the rest is left as it is. None where another
    program holds the entry, or it was resolved meanwhile. `holds` has it meanwhile; `search` is
    handed on to its look-up. Raises JournalProblem.
    """
    holds = holds or Holds()
    held = await holds.take(journal, entry.id)
    if held is None:
        return None
    try:
        if not held.entry.is_open:
            return None
        found, look_up = proved_by_the_journal(held.entry), LOOK_UPS.get(held.entry.operation)
        if found is None and look_up is None:
            found = _never_known(held.entry)
        if found is None:
            if engine is None or look_up is None:
                return None
            found = await look_up(engine, held.entry, **search)
            found = at_best_unknown(held.entry, found, await on_disk(journal.entries))
        found = replace(found, is_create=held.entry.is_create)
        events = found.journal_details()
        async with holds.turn:  # whoever dismisses it at this moment meets it before, or resolved
            await on_disk(lambda: held.record(JournalEvent.RESOLVED, **events))
        return found
    finally:
        await holds.give_back(held)


def proved_by_the_journal(entry: JournalEntry) -> Resolution | None:
    """What the journal alone proves; None where the history has to be asked."""
    name = entry.subject
    if entry.outcome is Outcome.NOT_SENT:
        return Resolution(
            Verdict.NOT_STARTED,
            "the journal shows that the request never left this machine.",
            f"{name} can be requested again.",
        )
    if entry.outcome is Outcome.REFUSED:
        return Resolution(
            Verdict.NOT_STARTED,
            "NCP refused the request, as the journal shows.",
            f"{name} is still free." if entry.is_create else "",
        )
    if entry.outcome is Outcome.ACCEPTED:
        step = "Follow the snapshot in the history." if entry.is_create else ""
        return Resolution(Verdict.STARTED, "NCP accepted the request, as the journal shows.", step)
    return None


def _never_known(entry: JournalEntry) -> Resolution:
    """Of an operation that no read tells of, or that this version does not know."""
    if entry.operation == UPGRADE_PRE_CHECK:
        return Resolution(
            Verdict.UNKNOWN,
            "the request was sent, and no read tells what NCP said; the check itself changes nothing that is known.",
            "Mark the request resolved, or ask again on purpose; the NCP console shows what an upgrade needs.",
        )
    return Resolution(
        Verdict.UNKNOWN,
        "the request was sent, and its result cannot be looked up from here.",
        f"Check {entry.request.cluster or 'the cluster'} in the NCP console, then mark the request resolved.",
    )


def at_best_unknown(entry: JournalEntry, found: Resolution, entries: Sequence[JournalEntry]) -> Resolution:
    """What may be claimed of an entry that damage touches: not which row is its own, since the lost lines said so.

    Nor where another of the journal's `entries` may have left the same trace.
    """
    if found.verdict is not Verdict.STARTED:
        return found
    if any(is_rival(entry, other) for other in entries):
        return replace(
            found,
            verdict=Verdict.UNKNOWN,
            evidence=f"{found.evidence.rstrip('.')}, but another request of this machine may have done the same.",
            next_step="Check the schedule in the NCP console.",
        )
    if entry.doubt is None:
        return found
    return replace(
        found,
        verdict=Verdict.UNKNOWN,
        evidence=f"{found.evidence.rstrip('.')}, but the journal is damaged where it may have said more.",
        next_step="Check the row in the history before you send a second request.",
    )
