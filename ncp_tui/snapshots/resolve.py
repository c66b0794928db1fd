"""Finding out about one open request as whoever made it, and taking the user's word where nothing can be found out.

Only reads: nothing is ever sent again from here. While an entry is looked for its lock is held, so no two programs
write a verdict, and nobody dismisses what another one is about to prove.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ncp_tui.gateway.endpoints import reach_same_clusters
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.history_search import SECONDS, Resolution
from ncp_tui.snapshots.journal import HeldEntry, Journal, hold_on_disk, let_go, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.operations import LOOK_UPS
from ncp_tui.snapshots.outcome import HELD_ELSEWHERE, Caller, Outcome, Verdict

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ncp_tui.search_engine.client import SearchEngine

ClientFor = Callable[[Caller], "AbstractAsyncContextManager[SearchEngine]"]
"""A client of whoever asked. Raises a Problem where there is none, or it would ask another gateway."""


class EntryHeld(Problem):
    """A request that another program sends, or finds out about, at this moment."""

    kind = "entry_held"

    def __init__(self, name: str) -> None:
        super().__init__(f"Another program has {name!a} in its hands.", "Nothing was changed.")


class NotOpen(Problem):
    """A request whose outcome is known by now."""

    kind = "not_open"

    def __init__(self, name: str) -> None:
        super().__init__(f"The request for {name!a} is not open any more.", "Nothing was changed.")


def check_same_gateway(identity: Identity | None, caller: Caller) -> Identity:
    """Who asked then, as long as that still asks the same gateway: the history of another one proves nothing.

    Where the journal has lost which gateway it was any may be asked, since nothing is proved of such an entry. Raises a
    Problem.
    """
    if identity is None:
        raise Problem(
            f"No profile {caller.profile} leads to {caller.gateway} any more.",
            "Nothing was sent.",
            "Choose or add a profile for it.",
        )
    if caller.gateway and not reach_same_clusters(Caller.of(identity).gateway, caller.gateway):
        raise Problem(
            f"Profile {caller.profile} leads to another gateway now than when it asked.",
            "Nothing was sent.",
            f"Ask {caller.gateway} with a profile for it.",
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
        """What the journal proves of `entry`, else the history, looked at for at most `seconds` as whoever asked.

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
            action.failed = found is None or found.verdict is Verdict.CANNOT_TELL
        return found

    async def dismiss(self, entry: JournalEntry) -> None:
        """Write down that the user has looked elsewhere: nobody looks for it any more.

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
    program has the entry in its hands, or it was resolved meanwhile. `holds` has it meanwhile; `search` is
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
            found = _at_best_unknown(held.entry, await look_up(engine, held.entry, **search))
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
            "the journal shows that no byte of the request left.",
            f"{name} can be asked for again.",
        )
    if entry.outcome is Outcome.REFUSED:
        return Resolution(
            Verdict.NOT_STARTED,
            "the request was refused, and the journal has the answer.",
            f"{name} is still free." if entry.is_create else "",
        )
    if entry.outcome is Outcome.ACCEPTED:
        step = "Watch it in the history." if entry.is_create else ""
        return Resolution(Verdict.STARTED, "the journal has the service's answer: accepted.", step)
    return None


def _never_known(entry: JournalEntry) -> Resolution:
    """Of an operation that no read tells of, or that this version does not know."""
    return Resolution(
        Verdict.CANNOT_TELL,
        "the request was sent, and its result cannot be looked up from here.",
        f"Check {entry.request.cluster or 'the cluster'} in the NCP console, then mark the request resolved.",
    )


def _at_best_unknown(entry: JournalEntry, found: Resolution) -> Resolution:
    """What may be claimed of an entry that damage touches: not which row is its own, since the lost lines said so."""
    if entry.doubt is None or found.verdict is not Verdict.STARTED:
        return found
    return replace(
        found,
        verdict=Verdict.CANNOT_TELL,
        evidence=f"{found.evidence.rstrip('.')}, but the journal is damaged where it may have said more.",
        next_step="Look at the row in the history. Do not send it again before you have looked.",
    )
