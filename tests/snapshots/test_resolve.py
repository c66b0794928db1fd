"""One open request: found out about as whoever made it, and dismissed by nobody but who holds it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.journal import HeldEntry, Journal, hold_on_disk, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Caller, Verdict
from ncp_tui.snapshots.resolve import EntryHeld, Holds, NotOpen, Resolver, check_same_gateway, resolve_entry
from tests.search_engine.scripted import Scripted
from tests.snapshots.journals import CALLER, REQUEST, events_of, journal_in

PROFILE = Profile(name="prod", access_key="AK", gateway_url="https://gateway.example")
IDENTITY = Identity("prod", "", SourceKind.PROFILE, PROFILE)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return journal_in(tmp_path)


def left_open(journal: Journal) -> JournalEntry:
    """A create that was sent, and whose program was killed."""
    held = journal.begin(REQUEST, CALLER)
    held.record(JournalEvent.SENT, attempt=1)
    held.release()
    return held.entry


def resolver_of(journal: Journal, result: Any = None, callers: list[Caller] | None = None) -> Resolver:
    """One whose service knows the rows of `result`."""

    @asynccontextmanager
    async def client_for(caller: Caller) -> AsyncIterator[SearchEngine]:
        if callers is not None:
            callers.append(caller)
        yield Scripted(lambda _: {"snapshotHistoryResponseList": result or [], "isLast": True}).engine()

    return Resolver(journal, SessionLog(), client_for)


async def test_it_asks_as_whoever_asked(journal: Journal) -> None:
    callers, looks = list[Caller](), list[int]()
    entry = left_open(journal)
    found = await resolver_of(journal, callers=callers).resolve(entry, seconds=0.05, on_look=looks.append)
    assert (found and found.verdict, callers, looks[0]) == (Verdict.UNKNOWN, [CALLER], 1)
    assert events_of(journal)[-1] == "settled"


async def test_what_the_journal_proves_asks_nobody(journal: Journal) -> None:
    held = journal.begin(REQUEST, CALLER)
    held.release()
    callers = list[Caller]()
    found = await resolver_of(journal, callers=callers).resolve(held.entry)
    assert (found and found.verdict, callers) == (Verdict.NOT_STARTED, [])


async def test_a_dismissal_is_written_under_the_lock(journal: Journal) -> None:
    """Else one program dismisses what another is about to prove: the screens did so, the command did not."""
    entry, resolver = left_open(journal), resolver_of(journal)
    other = journal.hold(entry.id)
    assert other is not None
    with pytest.raises(EntryHeld):
        await resolver.dismiss(entry)
    other.release()
    await resolver.dismiss(entry)
    assert events_of(journal) == ["begun", "sent", "dismissed"]
    with pytest.raises(NotOpen):
        await resolver.dismiss(entry)
    assert events_of(journal).count("dismissed") == 1
    free = journal.hold(entry.id)
    assert free is not None, "and let go of"
    free.release()


async def test_what_is_looked_for_here_can_be_dismissed_meanwhile(journal: Journal) -> None:
    """The user is faster than the history, and need not stop the look first."""
    entry = left_open(journal)

    @asynccontextmanager
    async def client_for(_: Caller) -> AsyncIterator[SearchEngine]:
        yield Scripted(lambda _: {"snapshotHistoryResponseList": [], "isLast": True}).engine()

    resolver, tasks = Resolver(journal, SessionLog(), client_for), list[asyncio.Task[None]]()

    def dismiss(look: int) -> None:
        if look == 1:
            tasks.append(asyncio.create_task(resolver.dismiss(entry)))

    found = await resolver.resolve(entry, seconds=0.3, on_look=dismiss)
    await asyncio.gather(*tasks)
    assert found is not None
    assert "dismissed" in events_of(journal)


async def test_a_dismissal_while_the_look_takes_its_lock_is_not_told_of_another_program(journal: Journal) -> None:
    """The lock is taken on a thread: for a moment it is held, and nobody here knows yet by whom."""
    entry, resolver = left_open(journal), resolver_of(journal)
    looking = asyncio.create_task(resolver.resolve(entry, seconds=0.05))
    await asyncio.sleep(0)
    await resolver.dismiss(entry)
    await looking
    assert "dismissed" in events_of(journal)


async def test_what_is_resolved_and_not_given_back_yet_cannot_be_dismissed(journal: Journal) -> None:
    """A dismissal after the verdict would say that the user had looked where the history had proved it."""
    entry, holds = left_open(journal), Holds()
    resolver = resolver_of(journal)
    resolver._holds = holds
    held = await holds.take(journal, entry.id)
    assert held is not None
    held.record(JournalEvent.RESOLVED, verdict="started", evidence="the snapshot is in the history")
    with pytest.raises(NotOpen):
        await resolver.dismiss(entry)
    await holds.give_back(held)
    assert events_of(journal) == ["begun", "sent", "settled"]


async def test_the_verdict_waits_for_a_dismissal_that_is_being_written(journal: Journal) -> None:
    entry, holds = left_open(journal), Holds()
    engine = Scripted(lambda _: {"snapshotHistoryResponseList": [], "isLast": True}).engine()
    looked = asyncio.Event()
    resolving = asyncio.create_task(
        resolve_entry(journal, entry, engine, holds=holds, seconds=0.05, on_look=lambda _: looked.set())
    )
    await looked.wait()
    async with holds.turn:  # as whoever dismisses it has it
        done, _ = await asyncio.wait({resolving}, timeout=0.3)
        assert (done, events_of(journal)) == (set(), ["begun", "sent"])
    assert await resolving is not None


async def becomes_free(journal: Journal, entry: JournalEntry) -> None:
    async with asyncio.timeout(20):
        while (free := await on_disk(lambda: journal.hold(entry.id))) is None:  # noqa: ASYNC110 - a thread has it
            await asyncio.sleep(0.01)
    free.release()


async def cancelled_at_each_step(start: Callable[[], Coroutine[Any, Any, object]], steps: int, times: int = 2) -> None:
    """Begin it anew for each of its first steps on the loop, and cancel it there, `times` times in a row."""
    for step in range(steps):
        task = asyncio.create_task(start())
        for _ in range(step):
            await asyncio.sleep(0.001)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        with contextlib.suppress(asyncio.CancelledError, Problem):
            await task


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_look_that_is_cancelled_at_any_moment_leaves_nothing_locked(journal: Journal, times: int) -> None:
    """Locked, it could be neither resolved nor dismissed until the program ends."""
    entry = left_open(journal)
    holds = Holds()
    engine = Scripted(lambda _: {"snapshotHistoryResponseList": [], "isLast": True}).engine()
    await cancelled_at_each_step(
        lambda: resolve_entry(journal, entry, engine, holds=holds, seconds=0.01), steps=20, times=times
    )
    await becomes_free(journal, entry)
    assert holds.own == {}


async def test_a_lock_that_comes_when_nobody_waits_any_more_is_let_go(journal: Journal) -> None:
    """A disk that hangs for longer than is waited for may still answer."""
    entry, may_go_on = left_open(journal), threading.Event()

    def slowly() -> HeldEntry | None:
        may_go_on.wait(20)
        return journal.hold(entry.id)

    waiting = asyncio.create_task(hold_on_disk(slowly))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    may_go_on.set()
    await becomes_free(journal, entry)


@pytest.mark.parametrize(
    ("gateway_url", "asked", "is_same"),
    [
        (None, "https://vpcsearchengine.apigw.ntruss.com/api/v2", True),
        (None, "https://ncloud.apigw.ntruss.com/api/v2", True),
        (None, "https://proxy.example/api/v2", False),
        ("https://gateway.example", "https://gateway.example/api/v2", True),
        ("https://gateway.example", "https://other.example/api/v2", False),
        ("https://gateway.example", "", True),
    ],
)
def test_the_profile_must_still_ask_the_same_gateway(gateway_url: str | None, asked: str, *, is_same: bool) -> None:
    """A row of another service proves nothing; nothing is proved anyhow of an entry whose first line is lost."""
    identity = replace(IDENTITY, profile=replace(PROFILE, gateway_url=gateway_url))
    if is_same:
        assert check_same_gateway(identity, replace(CALLER, gateway=asked)) is identity
    else:
        with pytest.raises(Problem, match="points to another gateway"):
            check_same_gateway(identity, replace(CALLER, gateway=asked))


def test_a_profile_that_is_gone() -> None:
    with pytest.raises(Problem, match="No profile prod points to https://gateway"):
        check_same_gateway(None, CALLER)
