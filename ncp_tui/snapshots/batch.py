"""Several creates as one batch: planned on disk before the first leaves, sent a few at a time, resumed after a break.

The plan says what is to be created; the journal, by the id of the batch, what became of each. What the plan names and
the journal does not know has never left this machine, since each create is in the journal before its own first byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import Cluster, HistoryEntry, SnapshotState
from ncp_tui.snapshots.draft import SnapshotDraft, propose_name
from ncp_tui.snapshots.journal import KEPT, Journal, JournalProblem, JournalUnwritable, on_disk
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import HELD_ELSEWHERE, Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.preflight import look_further, read_evidence
from ncp_tui.snapshots.resolve import SECONDS, resolve_entry
from ncp_tui.snapshots.rules import check_cluster
from ncp_tui.snapshots.track import SnapshotTracker, TrackedSnapshot
from ncp_tui.system.paths import Paths, make_private_directory
from ncp_tui.system.private_files import read_file, write_atomically
from ncp_tui.text import clean

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

AT_ONCE = 2
"""Creates of a batch that are on their way at the same time."""

LOOKS_AT_ONCE = 4
"""Clusters whose preflight evidence is read at the same time."""

BUCKET_SECONDS = 6 * 3600.0
"""How long a snapshot is waited for that writes into the bucket of the next one."""

_FORMAT = 1
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")


class UnknownBatch(Problem):
    """There is no plan of that id, or one that cannot be relied on."""

    kind = "unknown_batch"


@dataclass(frozen=True)
class Plan:
    """What a batch is to create, and as whom."""

    id: str
    at: datetime
    caller: Caller
    requests: tuple[SnapshotRequest, ...]

    @classmethod
    def of(cls, caller: Caller, requests: Sequence[SnapshotRequest], now: datetime) -> Plan:
        """A new one."""
        return cls(f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}", now, caller, tuple(requests))


class Plans:
    """The plans in the state folder. Its methods block on the disk."""

    def __init__(self, paths: Paths) -> None:
        self._folder = paths.batches_dir

    def write(self, plan: Plan) -> None:
        """Have it on disk; those too old to be resumed go. Raises JournalUnwritable, and then nothing may be sent."""
        document = {
            "format": _FORMAT,
            "id": plan.id,
            "at": plan.at.isoformat(),
            "caller": _fields(plan.caller),
            "requests": [_fields(request) for request in plan.requests],
        }
        try:
            make_private_directory(self._folder)
            write_atomically(self._folder / f"{plan.id}.json", json.dumps(document).encode())
        except OSError as error:
            raise JournalUnwritable(
                f"The batch cannot be written down: {error.strerror or error}.",
                "Nothing was sent: a batch that breaks off could not be resumed.",
                "Free disk space or fix the state folder.",
            ) from None
        self._drop_older_than(plan.at - KEPT)

    def read(self, wanted: str, now: datetime) -> Plan:
        """The plan of that id. Raises UnknownBatch."""
        if not _ID.fullmatch(wanted):
            raise UnknownBatch(f"There is no batch {wanted!a}.", "Nothing was sent.", "Give the id that was printed.")
        try:
            plan = _plan_of(json.loads(read_file(self._folder / f"{wanted}.json")), wanted)
        except FileNotFoundError:
            raise UnknownBatch(
                f"There is no batch {wanted} on this machine.", "Nothing was sent.", "Give the id that was printed."
            ) from None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise UnknownBatch(
                f"The plan of batch {wanted} cannot be read ({type(error).__name__}).",
                "Nothing was sent.",
                "The histories and the journal say what became of its snapshots.",
            ) from None
        if now - plan.at > KEPT:
            raise UnknownBatch(
                f"Batch {wanted} is older than {KEPT.days} days.",
                "Nothing was sent: the journal may have dropped what became of it.",
                "Begin a new batch.",
            )
        return plan

    def ids(self) -> list[str]:
        """The ids of all, the newest first. Raises UnknownBatch."""
        try:
            found = [path.stem for path in self._folder.iterdir() if path.suffix == ".json"]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UnknownBatch(
                f"The batches cannot be listed: {error.strerror or error}.", "Nothing was sent."
            ) from None
        return sorted(filter(_ID.fullmatch, found), reverse=True)

    def _drop_older_than(self, oldest: datetime) -> None:
        with contextlib.suppress(OSError):
            for path in self._folder.glob("*.json"):
                if _ID.fullmatch(path.stem) and path.stat().st_mtime < oldest.timestamp():
                    path.unlink()


def _plan_of(found: Any, wanted: str) -> Plan:
    """Raises ValueError, TypeError or KeyError where it is no plan of that id."""
    if found["format"] != _FORMAT or found["id"] != wanted:
        raise ValueError(found["format"])
    requests = tuple(SnapshotRequest(**request) for request in found["requests"])
    caller, at = Caller(**found["caller"]), datetime.fromisoformat(found["at"])
    if not all(isinstance(text, str) for each in (caller, *requests) for text in vars(each).values()) or not at.tzinfo:
        raise ValueError(wanted)
    return Plan(wanted, at, caller, requests)


def _fields(value: Caller | SnapshotRequest) -> dict[str, str]:
    return dict(vars(value))


@dataclass(eq=False)
class BatchRow:
    """One cluster of a batch, and all that is known of its snapshot."""

    request: SnapshotRequest
    cluster: Cluster | None = None
    draft: SnapshotDraft | None = None
    """What was seen of it before; None where nothing was."""
    problem: Problem | None = None
    """Why it is not sent, or what stopped it before it left."""
    left_out: str = ""
    """Why it was not sent although nothing forbids it."""
    entry: JournalEntry | None = None
    """What an earlier run of the batch left of it in the journal, where it may have left this machine."""
    tracked: TrackedSnapshot | None = None

    @property
    def is_to_be_sent(self) -> bool:
        """Whether it certainly never left, and nothing forbids it."""
        return self.problem is None and not self.left_out and self.entry is None and self.tracked is None

    @property
    def outcome(self) -> Outcome:
        """What is proved of it. One that is cut off while it is sent is unknown."""
        tracked = self.tracked
        if tracked is not None and tracked.taken is not None:
            return tracked.taken.outcome
        if self.entry is not None:
            return self.entry.outcome
        may_have_left = tracked is not None and tracked.is_to_be_sent and self.problem is None
        return Outcome.UNKNOWN if may_have_left else Outcome.NOT_SENT

    @property
    def ended(self) -> SnapshotState | None:
        """How its snapshot ended, as far as that is known."""
        progress = self.tracked.progress if self.tracked is not None else None
        if progress is not None and progress.is_final:
            return progress.state
        state = self.entry.state if self.entry is not None else None
        return SnapshotState(state) if state in {SnapshotState.SUCCESS, SnapshotState.FAILED} else None


class Look:
    """How the rows of a batch are checked: as a single create is, with the names and the bucket of the batch."""

    def __init__(
        self,
        engine: SearchEngine,
        journal: Journal,
        identity: Identity,
        now: Callable[[], datetime],
        *,
        bucket: str | None = None,
        template: str | None = None,
        read_only: bool = False,
    ) -> None:
        """One `bucket` for all; without one that of the newest good snapshot of each, else the profile's."""
        self._engine, self._journal, self._identity, self._now = engine, journal, identity, now
        self._bucket, self._template, self._read_only = bucket, template, read_only
        self._caller, self._named_at = Caller.of(identity), now()

    async def at_all(
        self, clusters: Sequence[Cluster], show: Callable[[BatchRow], object] = lambda _: None
    ) -> list[BatchRow]:
        """A row for each, in their order; what forbids one is its problem. `show` is given each as it is known."""
        turns = asyncio.Semaphore(LOOKS_AT_ONCE)

        async def one(cluster: Cluster) -> BatchRow:
            async with turns:
                row = await self.at(cluster)
            show(row)
            return row

        return list(await asyncio.gather(*map(one, clusters)))

    async def at(self, cluster: Cluster, planned: SnapshotRequest | None = None) -> BatchRow:
        """A row for `cluster`; its name and bucket as `planned`, where they are."""
        profile = self._identity.profile
        name = propose_name(cluster.name, profile, self._named_at, self._template)
        request = planned or SnapshotRequest(cluster.number, cluster.name, name.name, self._bucket or "")
        row = BatchRow(request, cluster)
        try:
            check_cluster(cluster)
            if planned is None and name.problem is not None:
                raise name.problem
        except Problem as problem:
            row.problem = problem
            return row
        evidence = await read_evidence(self._engine, cluster, self._journal, self._now, with_inventory=True)
        if not request.bucket:
            request = replace(request, bucket=_last_bucket(evidence.history or ()) or profile.default_bucket or "")
        evidence = await look_further(self._engine, evidence, request, self._caller.gateway)
        row.request = request
        row.draft = SnapshotDraft(request, self._caller, read_only=self._read_only, evidence=evidence)
        row.problem = row.draft.problem or row.draft.stop
        return row

    async def again(self, row: BatchRow) -> None:
        """Check it once more, since what was seen is old. What forbids it now is its problem."""
        if row.cluster is not None:
            found = await self.at(row.cluster, row.request)
            row.draft, row.problem = found.draft, found.problem

    def is_old(self, row: BatchRow) -> bool:
        """Whether what was seen of it says too little of how things are now."""
        return row.draft is None or row.draft.is_old(self._now())


def _last_bucket(history: Sequence[HistoryEntry]) -> str:
    """The bucket of the newest good snapshot; `history` is newest first."""
    return next((row.bucket for row in history if row.state is SnapshotState.SUCCESS and row.bucket), "")


@dataclass(frozen=True)
class BrokenOff:
    """A batch that can be resumed: some of it certainly never left this machine."""

    plan: Plan
    never_left: int


async def broken_off(plans: Plans, journal: Journal, now: datetime) -> tuple[list[BrokenOff], list[Problem]]:
    """Those batches, the newest first; and of each that cannot be read why. Raises JournalProblem, UnknownBatch.

    What is said of them is not relied on: `rows_of` reads all of it again.
    """
    entries = (await on_disk(journal.contents)).entries
    found, problems = list[BrokenOff](), list[Problem]()
    for each in await on_disk(plans.ids):
        try:
            plan = await on_disk(partial(plans.read, each, now))
        except UnknownBatch as problem:
            problems.append(problem)
            continue
        own = {entry.key: entry for entry in entries if entry.batch == plan.id}
        known = [own.get((request.cluster_number, request.name)) for request in plan.requests]
        never = sum(entry is None or (entry.outcome is Outcome.NOT_SENT and not entry.is_open) for entry in known)
        if never:
            found.append(BrokenOff(plan, never))
    return found, problems


async def rows_of(
    plan: Plan, journal: Journal, engine: SearchEngine, look: Look, *, seconds: float = SECONDS
) -> list[BatchRow]:
    """What became of each create of `plan`; what is unknown is looked up, and what never left is checked anew.

    Raises JournalProblem; DamagedJournal where the journal is damaged, since it then proves of nothing that it never
    left.
    """
    contents = await on_disk(journal.contents)
    if contents.damage is not None:
        raise DamagedJournal(contents.damage)
    own = {entry.key: entry for entry in contents.entries if entry.batch == plan.id}  # of several the newest
    free = {entry.id for entry in await on_disk(journal.abandoned)}
    turns = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def one(request: SnapshotRequest) -> BatchRow:
        async with turns:
            entry = own.get((request.cluster_number, request.name))
            if entry is not None and entry.is_open:
                if entry.id not in free or await resolve_entry(journal, entry, engine, seconds=seconds) is None:
                    return BatchRow(request, entry=entry, left_out=HELD_ELSEWHERE)
                entry = next(each for each in await on_disk(journal.entries) if each.id == entry.id)
            if entry is not None and entry.outcome is not Outcome.NOT_SENT:
                return BatchRow(request, entry=entry)
            return await _looked_at(request, engine, look)

    return list(await asyncio.gather(*map(one, plan.requests)))


async def _looked_at(request: SnapshotRequest, engine: SearchEngine, look: Look) -> BatchRow:
    row = BatchRow(request)
    try:
        cluster = await engine.show_cluster(request.cluster_number, request.cluster_name)
    except Problem as problem:
        row.problem = problem
        return row
    if cluster is None:
        row.problem = Problem(f"NCP knows no cluster {request.cluster_number} now.", "Nothing was sent to it.")
        return row
    return await look.at(cluster, request)


class StopOn(StrEnum):
    """What keeps the rest of a batch from being sent."""

    UNKNOWN = "unknown"
    """A create of which it is not known whether it started."""
    FAILED = "failed"
    """That, a refusal, or a snapshot that failed."""
    NEVER = "never"


@dataclass(frozen=True)
class Rules:
    """How a batch is sent. Seconds."""

    at_once: int = AT_ONCE
    stagger: float = 0.0
    """Between the beginnings of two."""
    stop_on: StopOn = StopOn.UNKNOWN
    share_buckets: bool = False
    """Whether two snapshots may be written into one bucket at the same time."""
    follow: float | None = None
    """How long each is followed to its end; None: not at all, but where the next one needs its bucket."""


class BatchRun:
    """Sends what of a batch is to be sent, each once and in its turn, and follows it as far as `rules` want."""

    def __init__(
        self,
        plan: Plan,
        rows: Sequence[BatchRow],
        rules: Rules,
        *,
        tracker: SnapshotTracker,
        identity: Identity,
        engine: SearchEngine,
        look: Look,
        show: Callable[[BatchRow], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`show` is called after each change of a row that is told."""
        self._stops = ""
        self._plan, self._rows, self._rules, self._look = plan, rows, rules, look
        self._tracker, self._identity, self._engine = tracker, identity, engine
        self._show, self._sleep, self._monotonic = show, sleep, monotonic
        self._slots, self._turn = asyncio.Semaphore(rules.at_once), asyncio.Lock()
        self._last = -rules.stagger + monotonic()
        self._buckets: dict[str, asyncio.Lock] = {}
        self._left = Counter(row.request.bucket for row in rows if row.is_to_be_sent)
        self._taken: dict[str, str] = {}
        """Why nothing more is written into a bucket."""

    @property
    def stopped(self) -> str:
        """Why the rest is left out; empty where nothing was."""
        return self._stops if any(row.left_out == self._stops for row in self._rows) else ""

    async def run(self) -> None:
        """Send and follow. Whatever goes wrong with one is its problem."""
        async with asyncio.TaskGroup() as group:
            for row in self._rows:  # these first: they may write into a bucket already
                if row.entry is not None and not row.left_out:
                    group.create_task(self._take_up(row, row.entry))
            for row in self._rows:
                if row.is_to_be_sent:
                    group.create_task(self._send(row))

    def stop(self, why: str) -> None:
        """Leave out whatever has not had its turn; what was sent is followed on."""
        self._stops = self._stops or why

    async def _take_up(self, row: BatchRow, entry: JournalEntry) -> None:
        async with self._alone_in(row.request.bucket):
            if entry.is_under_way:
                row.tracked = self._tracker.of_entry(entry.id) or self._tracker.resume(
                    entry, self._identity, self._engine
                )
                if self._rules.follow is not None:
                    await self._tracker.ended(row.tracked, self._rules.follow)
            self._show(row)
            await self._until_free(row)

    async def _send(self, row: BatchRow) -> None:
        bucket = row.request.bucket
        async with self._alone_in(bucket):
            async with self._slots:
                await self._begin(row)
                if row.tracked is not None and row.tracked.is_open and self._rules.follow is not None:
                    await self._tracker.ended(row.tracked, self._rules.follow)
            self._judge(row)
            self._show(row)
            self._left[bucket] -= 1
            await self._until_free(row)

    def _alone_in(self, bucket: str) -> AbstractAsyncContextManager[Any]:
        if self._rules.share_buckets:
            return contextlib.nullcontext()
        return self._buckets.setdefault(bucket, asyncio.Lock())

    async def _begin(self, row: BatchRow) -> None:
        """Create it, if it is still to be created when its turn has come."""
        async with self._turn:
            wait = self._last + self._rules.stagger - self._monotonic()
            if wait > 0 and not self._stops:
                await self._sleep(wait)
            self._last = self._monotonic()
        if self._look.is_old(row) and not self._stops:
            await self._look.again(row)
        row.left_out = self._stops or self._taken.get(row.request.bucket, "")  # nothing is awaited from here on
        if row.left_out or row.problem is not None or row.draft is None or row.draft.evidence is None:
            return
        evidence = row.draft.evidence
        row.tracked = self._tracker.start(
            row.request,
            self._identity,
            self._engine,
            history=evidence.rows_for(row.request.name),
            batch=self._plan.id,
            inventory=evidence.inventory,
        )
        self._show(row)
        await self._tracker.created(row.tracked)
        if row.tracked.taken is None:
            row.problem = row.tracked.problem

    def _judge(self, row: BatchRow) -> None:
        """Whether what became of it keeps the rest from being sent."""
        if row.left_out or self._stops:
            return
        name = clean(row.request.cluster_name)
        failed = row.problem is not None or row.outcome is Outcome.REFUSED or row.ended is SnapshotState.FAILED
        if isinstance(row.problem, JournalProblem):  # it would be the same with every other
            self._stops = f"Not sent: the journal did not take the create of {name}."
        elif row.outcome is Outcome.UNKNOWN and self._rules.stop_on is not StopOn.NEVER:
            self._stops = f"Not sent: whether {name} started is unknown."
        elif failed and self._rules.stop_on is StopOn.FAILED:
            self._stops = f"Not sent: {name} was not created."

    async def _until_free(self, row: BatchRow) -> None:
        """Wait until nothing is written into its bucket any more, as far as this batch knows, for the next."""
        if self._rules.share_buckets or not self._left[row.request.bucket]:
            return
        if row.outcome is Outcome.UNKNOWN:
            self._taken[row.request.bucket] = (
                f"Not sent: {clean(row.request.cluster_name)} may write to the same bucket."
            )
        elif row.outcome is Outcome.ACCEPTED and row.tracked is not None:
            if row.tracked.is_open:
                await self._tracker.ended(row.tracked, BUCKET_SECONDS)
                self._show(row)
            if row.ended is None:
                self._taken[row.request.bucket] = (
                    f"Not sent: the end of {clean(row.request.cluster_name)} in the same bucket is not known."
                )
