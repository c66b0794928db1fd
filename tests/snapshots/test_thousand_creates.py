"""A thousand creates against every trouble at once: none is sent twice, and no verdict is false.

The trouble of each create is drawn at random. `NCP_TUI_SEED` draws the same again; a failure names its seed. By default
a few are drawn from a seed of ours, in which every verdict occurs, and so does every way to damage a journal.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.request import Timeouts
from ncp_tui.problem import Problem
from ncp_tui.sandbox.fault_lab.catalogue import FAULTS
from ncp_tui.sandbox.fault_lab.connection_faults import truncate_at
from ncp_tui.sandbox.fault_lab.fault import Act, Fault, LabFault, Outcome, Visit, When
from ncp_tui.sandbox.ledger import Effect
from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import RunningSandbox, Sandbox, serve
from ncp_tui.search_engine import client as client_module
from ncp_tui.search_engine import retries
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.create import CreateResult, create_snapshot
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import VERDICT_OF, Caller, SnapshotRequest, Verdict
from ncp_tui.snapshots.resolve import resolve_entry
from ncp_tui.system import redact
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import journal_in, locks_of

GIVEN_SEED = os.environ.get("NCP_TUI_SEED")
OUR_SEED = "8"
CREATES_OF_ONE_USER = 4
"""At least; there are forty users at most."""
AT_A_TIME = 2
"""Creates of one user at the same time; each user has one journal."""
IN_ALL = 24
"""Creates of all users at the same time. They share one processor with the gateway: with many more, no answer comes
within its time, and nothing but that is tried."""

CREATE, HISTORY = "createSnapshot", "getSnapshotHistory"
PATIENCE = Timeouts(connect=5, read=5, total=1.5)
RESOLVE_SECONDS = 0.3
LONGEST_PAUSE = 0.15
LATER = 10.0

# Megabytes, hundreds of times, would measure the machine. A wrong clock is no trouble of one request.
NOT_HERE = frozenset({"huge", "gzip-bomb"})
DATES = ("date-missing", "date-wrong", "date-garbage", "date-twice")
HISTORIES = ("history-lags", "history-loses", "history-fails", "history-reversed", "history-freezes")
ANSWERS_OF_HISTORY = ("drop-after", "reset-before", "hang-before", "html-200-after", "json-list", "throttled")
LASTING = frozenset({"history-loses", "history-reversed", "history-freezes"})
LONGEST_TRUNCATION = 120

UNTROUBLED, THROTTLED_FIRST, THROTTLED_AFTER, NOBODY_LISTENS = 0.1, 0.1, 0.02, 0.04
TWICE_AT_ONCE = 0.2
"""How many creates meet nothing, are throttled before whatever comes next, are throttled although they were started,
and find no gateway at all."""

PERFORMED = frozenset({0, 40070})
"""What the service says to a create that got through to it: taken on, or refused because the name is there already."""


@dataclass
class Action:
    """A user who wants one snapshot, and the trouble in store for the requests that are made for it."""

    place: int
    request: SnapshotRequest
    creates: list[Fault] = field(default_factory=list)
    histories: list[Fault] = field(default_factory=list)
    nobody_listens: bool = False
    looks_before: bool = False
    twice_at_once: bool = False
    raised: list[BaseException | CreateResult] = field(default_factory=list)
    """What ended a create and should not have."""
    performed: int = 0
    """How many creates got through to the service: the second would be a snapshot that nobody asked for."""
    taken: CreateResult | None = None
    met: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict | None:
        return VERDICT_OF[self.taken.outcome] if self.taken else None

    def __str__(self) -> str:
        error = self.taken.error.kind if self.taken and self.taken.error else "no error"
        return f"{self.request.name}: {self.verdict} ({error}) after {', '.join(self.met) or 'no trouble'}"


class Trouble:
    """Hands each request the trouble of its action, which it finds by the name in it, or by the cluster."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.by_name: dict[str, Action] = {}
        self.by_cluster: dict[str, Action] = {}
        self.over = False
        self._struck: dict[str, Fault] = {}
        for operation in (CREATE, HISTORY):
            self._install(sandbox, operation, "before")
            self._install(sandbox, operation, "after")
            self._install(sandbox, operation, "answer")

    @asynccontextmanager
    async def of(self, action: Action) -> AsyncIterator[None]:
        """While the action goes on, its cluster is its own; its creates may arrive long after it has ended."""
        self.by_name[action.request.name] = self.by_cluster[action.request.cluster_number] = action
        yield
        del self.by_cluster[action.request.cluster_number]

    def _install(self, sandbox: Sandbox, operation: str, when: When) -> None:
        async def act(visit: Visit) -> Outcome | None:
            if when == "after" and operation == CREATE and visit.coming.code in PERFORMED:
                self.by_name[_name_in(visit)].performed += 1
            if when == "before" and not self.over:
                self._strike(visit)
            fault = self._struck.get(visit.request_id)
            return await fault.act(visit) if fault is not None and fault.when == when else None

        sandbox.faults.add(operation, when, act, times=None)

    def _strike(self, visit: Visit) -> None:
        """Choose the trouble of one request as it arrives."""
        if visit.operation == CREATE:
            action: Action | None = self.by_name[_name_in(visit)]
        else:
            action = self.by_cluster.get(visit.number)
        if action is None:
            return
        waiting = action.creates if visit.operation == CREATE else action.histories
        if waiting:
            fault = self._struck[visit.request_id] = waiting[0] if waiting[0].label in LASTING else waiting.pop(0)
            action.met.append(fault.label)


class Dice:
    """Draws actions. What is drawn for one depends on the seed and its place alone, not on which was faster."""

    def __init__(self, seed: str, sandbox: Sandbox) -> None:
        self._seed = seed
        self.sandbox = sandbox
        self._creates = [fault for name, fault in FAULTS.items() if fault.operation == CREATE and name not in NOT_HERE]
        self._creates += [FAULTS[name].at("create") for name in DATES]
        self._histories = [FAULTS[name] for name in HISTORIES]
        self._histories += [FAULTS[name].at("history") for name in ANSWERS_OF_HISTORY]

    def action(self, place: int, cluster: str) -> Action:
        dice = random.Random(f"{self._seed}/{place}")  # noqa: S311 - the same trouble again
        request = SnapshotRequest(cluster, f"search-{cluster}", f"create-{place:04d}", "bk.ses.snapshot")
        action = Action(place, request, looks_before=dice.random() < 1 / 2)
        action.nobody_listens = dice.random() < NOBODY_LISTENS
        action.twice_at_once = dice.random() < TWICE_AT_ONCE
        if dice.random() < UNTROUBLED:
            return action
        if dice.random() < THROTTLED_FIRST:
            throttled = dice.choice(
                ["throttled", "rate-limited", "retry-after-0", "retry-after-5", "retry-after-garbage"]
            )
            action.creates += [self._planned(FAULTS[throttled])] * dice.randint(1, 3)
        if not action.creates and dice.random() < THROTTLED_AFTER:
            # Against all documents. It is told from the history alone: an honest one, or nobody could.
            action.creates.append(Fault(CREATE, "after", _throttled, "throttled-after"))
            return action
        action.creates.append(self._of_create(dice))
        if dice.random() < 1 / 2:
            action.histories += [self._planned(dice.choice(self._histories))] * dice.randint(1, 3)
        return action

    def _of_create(self, dice: random.Random) -> Fault:
        own = [
            lambda: self._planned(truncate_at(dice.randrange(LONGEST_TRUNCATION))),
            lambda: Fault(CREATE, "before", _slow(dice.uniform(0, PATIENCE.total * 3 / 2)), "slow"),
        ]
        number = dice.randrange(len(self._creates) + 3 * len(own))
        return self._planned(self._creates[number]) if number < len(self._creates) else own[number % len(own)]()

    def _planned(self, fault: LabFault) -> Fault:
        """The fault out of the sandbox's queue again: which request it strikes is chosen here."""
        fault.install(self.sandbox, None)
        return self.sandbox.faults.waiting.pop()


@dataclass
class User:
    """Somebody with a journal, who calls `served`, or at times an address where nobody listens."""

    journal: Journal
    served: RunningSandbox
    nowhere: str
    at_a_time: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_A_TIME))

    @property
    def caller(self) -> Caller:
        """As whom this user calls."""
        return Caller("prod", "public", "KR", f"{self.served.url}/api/v2")

    async def wants(self, action: Action, trouble: Trouble) -> None:
        """One snapshot, at times from two windows at once; and the same again, where it may have been started."""
        async with self.engine() as engine:
            number = action.request.cluster_number
            history = None
            if action.looks_before:
                with suppress(Problem):  # a machine that is too busy for this look leaves the user without one
                    history = await engine.recent_snapshots(number)
            async with trouble.of(action), self.engine(self.nowhere if action.nobody_listens else None) as sender:
                takes = (self._take(sender, action, history) for _ in range(1 + action.twice_at_once))
                ended = await asyncio.gather(*takes, return_exceptions=True)
                order = [entry.id for entry in self.journal.entries()]
                taken = [one for one in ended if isinstance(one, CreateResult)]
                action.taken = max(taken, key=lambda one: order.index(one.entry.id) if one.entry else -1)
                action.raised = [one for one in ended if not isinstance(one, CreateResult | SecondRequest)]
                if action.verdict is not Verdict.NOT_STARTED:
                    with pytest.raises(SecondRequest):
                        await self._take(sender, action, history)

    async def _take(self, engine: SearchEngine, action: Action, history: Sequence[HistoryEntry] | None) -> CreateResult:
        return await create_snapshot(
            engine,
            action.request,
            caller=self.caller,
            journal=self.journal,
            history=history,
            resolve_seconds=RESOLVE_SECONDS,
            sleep=_briefly,
        )

    async def resolves_all(self) -> None:
        """`snapshot resolve`, whose minutes pass at once."""
        async with self.engine() as engine:
            for entry in self.journal.open_entries():
                time = _Time()
                await resolve_entry(
                    self.journal, entry, engine, seconds=LATER, sleep=time.sleep, monotonic=time.monotonic
                )

    @asynccontextmanager
    async def engine(self, url: str | None = None) -> AsyncIterator[SearchEngine]:
        """A client, as every run of the program has one of its own."""
        engine = engine_of(self.served)
        if url is not None:
            credentials = Credentials("AK", SecretKey("SK"))
            engine = SearchEngine(GatewayClient(Endpoint("public", "KR", url, "/api/v2"), credentials, environ={}))
        try:
            yield engine
        finally:
            await engine.aclose()


@pytest.mark.parametrize(
    ("creates", "seed"),
    [
        (24, GIVEN_SEED or OUR_SEED),
        pytest.param(1_000, GIVEN_SEED or str(random.SystemRandom().randrange(10**9)), marks=pytest.mark.slow),
    ],
    ids=["few", "thousand"],
)
async def test_many_creates(
    creates: int, seed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Started twice is what must never be; "not started" of what was is how a user is made to do it by hand."""
    monkeypatch.setattr(client_module, "CREATE_TIMEOUTS", PATIENCE)
    monkeypatch.setattr(retries, "TOTAL_SECONDS", PATIENCE.total)
    # httpcore looks for it at every lock, which is a quarter of all that is done here.
    monkeypatch.setitem(sys.modules, "sniffio", None)
    # A pattern for every spelling of every signature takes 30 ms, twice all the rest. Masking has tests of its own;
    # here a secret is looked for as it is.
    monkeypatch.setattr(redact, "_of", re.escape)
    sandbox = Sandbox(clusters=300, duration=0)
    with _closed_port() as nowhere:
        async with serve(sandbox) as served:
            count = min(40, creates // CREATES_OF_ONE_USER)
            users = [User(journal_in(tmp_path / f"user-{number}"), served, nowhere) for number in range(count)]
            trouble = Trouble(sandbox)
            actions = await _all_of_them(creates, Dice(seed, sandbox), trouble, users)
            trouble.over = True
            await _until_nothing_is_under_way(served)
            told = {action.place: action.verdict for action in actions}
            wrong = list(_falsehoods(actions, users, sandbox))
            await asyncio.gather(*(user.resolves_all() for user in users))
            wrong += _falsehoods_after_resolving(actions, users, sandbox)
            wrong += _sent_again_after_damage(seed, actions, users, sandbox)
    counts = Counter(told.values())
    with capsys.disabled():
        print(f"\nseed {seed}: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}")  # noqa: T201
    assert not wrong, f"NCP_TUI_SEED={seed}\n" + "\n".join(wrong)
    assert min(counts[verdict] for verdict in Verdict) > creates / 100, f"no mixture: {counts}"


async def _all_of_them(creates: int, dice: Dice, trouble: Trouble, users: Sequence[User]) -> list[Action]:
    free: asyncio.Queue[str] = asyncio.Queue()
    for cluster in dice.sandbox.world.clusters:
        if cluster.is_running and cluster.kind.key_set and not cluster.hidden:
            free.put_nowait(cluster.number)
    actions, in_all = [], asyncio.Semaphore(IN_ALL)

    async def one(place: int) -> None:
        user = users[place % len(users)]
        async with user.at_a_time, in_all:
            cluster = free.get_nowait()
            action = dice.action(place, cluster)
            actions.append(action)
            await user.wants(action, trouble)
            free.put_nowait(cluster)

    async with asyncio.TaskGroup() as group:
        for place in range(creates):
            group.create_task(one(place))
    return sorted(actions, key=lambda action: action.place)


def _falsehoods(actions: Sequence[Action], users: Sequence[User], sandbox: Sandbox) -> Iterator[str]:
    """Everything that was said and is not so, once nothing can happen any more."""
    effects: dict[str, list[Effect]] = {}
    for effect in sandbox.ledger.effects:
        effects.setdefault(str(effect.name), []).append(effect)
    entries = _entries(users)
    for action in actions:
        name = action.request.name
        wrong = [*_of_the_effects(action, effects.get(name, [])), *_of_the_journal(action, entries.get(name, []))]
        yield from (f"{what}: {action}" for what in wrong)


def _of_the_effects(action: Action, effects: Sequence[Effect]) -> Iterator[str]:
    if len(effects) > 1 or action.performed > 1:
        yield f"got through {action.performed} times, and started {len(effects)} snapshots"
    if action.verdict is Verdict.STARTED and not effects:
        yield "it was not started"
    if action.verdict is Verdict.NOT_STARTED and effects:
        yield "it was started"


def _of_the_journal(action: Action, entries: Sequence[JournalEntry]) -> Iterator[str]:
    if action.taken is None or action.taken.journal_problem is not None:
        yield "the journal does not hold the outcome"
    yield from (f"ended by {error!r}" for error in action.raised)
    *before, newest = [entry.verdict for entry in entries]
    if newest is not action.verdict or any(verdict is not Verdict.NOT_STARTED for verdict in before):
        yield f"the journal says {[entry.verdict.value for entry in entries]}"
    elif entries[-1].is_open is not (action.verdict is Verdict.UNKNOWN):
        yield f"the journal has it {'open' if entries[-1].is_open else 'closed'}"


def _falsehoods_after_resolving(actions: Sequence[Action], users: Sequence[User], sandbox: Sandbox) -> Iterator[str]:
    """With a history that tells the truth, whatever was started is known to be, and only that."""
    effects = Counter(effect.name for effect in sandbox.ledger.effects)
    entries = _entries(users)
    for action in actions:
        entry = entries[action.request.name][-1]
        was_told = action.verdict if action.verdict is not Verdict.UNKNOWN else None
        expected = was_told or (Verdict.STARTED if effects[action.request.name] else Verdict.UNKNOWN)
        if entry.verdict is not expected:
            yield f"resolved as {entry.verdict.value}, with {effects[action.request.name]} effects: {action}"
        if effects[action.request.name] > 1 or action.performed > 1:
            yield f"got through {action.performed} times in the end: {action}"
    for user in users:
        if locks_of(user.journal):
            yield f"locks left behind: {locks_of(user.journal)}"


def _sent_again_after_damage(
    seed: str, actions: Sequence[Action], users: Sequence[User], sandbox: Sandbox
) -> Iterator[str]:
    """What a damaged journal no longer forbids, one line in each of them damaged in another way."""
    started = {str(effect.name) for effect in sandbox.ledger.effects}
    for number, user in enumerate(users):
        raws = user.journal.path.read_bytes().splitlines()
        dice = random.Random(f"{seed}/damage/{number}")  # noqa: S311 - the same damage again
        place = dice.randrange(len(raws))
        raw, at = raws[place], dice.randrange(len(raws[place]))
        flipped = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        ways = [[], [raw, raw], [b"\0" * len(raw)], [raw[:at]], [flipped], [b'{"hello":"world"}']]
        instead = ways[number % len(ways)]
        user.journal.path.write_bytes(b"\n".join([*raws[:place], *instead, *raws[place + 1 :]]) + b"\n")
        for entry in user.journal.entries():
            if entry.request.name in started and entry.verdict is Verdict.NOT_STARTED:
                yield f"after damage the journal says not started: {entry.request.name}"
        for action in actions[number :: len(users)]:
            try:
                user.journal.begin(action.request, user.caller).release()
            except (SecondRequest, DamagedJournal):
                continue
            if action.request.name in started:
                yield f"after damage it could be sent again: {action}"


class _Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self._now = 0.0

    async def sleep(self, seconds: float) -> None:
        self._now += seconds

    def monotonic(self) -> float:
        return self._now


def _entries(users: Sequence[User]) -> Mapping[str, list[JournalEntry]]:
    found: dict[str, list[JournalEntry]] = {}
    for user in users:
        for entry in user.journal.entries():
            found.setdefault(entry.request.name, []).append(entry)
    return found


async def _until_nothing_is_under_way(served: RunningSandbox) -> None:
    """Wait for the effects that come when the client has gone: until every connection and every request has ended."""
    state = served._listener._state
    async with asyncio.timeout(30):
        while served._listener._arriving or state.connections or state.tasks:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def _briefly(seconds: float) -> None:
    await asyncio.sleep(min(seconds, LONGEST_PAUSE))


def _slow(seconds: float) -> Act:
    async def act(_visit: Visit) -> None:
        await asyncio.sleep(seconds)

    return act


async def _throttled(_visit: Visit) -> Outcome:
    return gateway_answer(GatewayError.THROTTLED)


def _name_in(visit: Visit) -> str:
    return str(json.loads(visit.body)["snapshotName"])


@contextmanager
def _closed_port() -> Iterator[str]:
    """A URL on loopback that refuses every connection: its port is taken, and nobody listens on it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
