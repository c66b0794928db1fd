"""What one run of the program is about: who it calls as, what it has seen, and which snapshots it follows."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.identity import Identities, Identity
from ncp_tui.profiles.profile import SERVER_ROLE_NAME
from ncp_tui.search_engine.models import Cluster, Dashboard, SnapshotState
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.cluster_summary import ClusterSummary, UsualDuration, usual_duration
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.workspace import Workspace, ask_store

if TYPE_CHECKING:
    from ncp_tui.profiles.profile_changes import Changed, ProfileChanges
    from ncp_tui.profiles.profiles_file import ProfilesFile
    from ncp_tui.profiles.secret_stores.errors import StoreLocked
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.session_log.log_file import LogWriter
    from ncp_tui.snapshots.board import Board
    from ncp_tui.snapshots.journal import Journal
    from ncp_tui.snapshots.journal_entry import JournalEntry
    from ncp_tui.snapshots.outcome import Caller
    from ncp_tui.snapshots.resolve import Resolver
    from ncp_tui.snapshots.track import SnapshotTracker, TrackedSnapshot
    from ncp_tui.tui.batch import Batch
    from ncp_tui.tui.change import Change
    from ncp_tui.view.progress import ShownSnapshot

RESOLVE_SECONDS = 60.0
"""How long the history is checked after a lost answer."""

CLIENT_SECONDS = 20.0
"""How long a client may take to be made, from a disk that is busy."""

REST_SECONDS = 0.5
"""Without a key, after which histories are read again."""

T = TypeVar("T")


@dataclass(frozen=True)
class IdentityChoice:
    """Who there is to call as, and who is used."""

    identities: Identities = field(default_factory=Identities)
    default_profile: str | None = None
    identity: Identity | None = None
    ask: bool = False
    """Whether there is no profile yet, and no other source of keys."""
    problem: Problem | None = None


@dataclass
class Session:
    """The identity in use and its client, the session log, and what was loaded."""

    workspace: Workspace
    log: SessionLog = field(init=False)
    identity: Identity | None = None
    identities: Identities = field(default_factory=Identities)
    default_profile: str | None = None
    clusters: dict[str, Cluster] = field(default_factory=dict)
    clusters_complete: bool = False
    """Whether the listing of them has come to its end."""
    clusters_read_at: datetime | None = None
    """When that was; None before it."""
    clusters_gap: str = ""
    """What is missing of the clusters although the listing has ended; empty where they are all."""
    summaries: dict[str, ClusterSummary] = field(default_factory=dict)
    """What is known of the snapshots of each cluster, by its number; of one that is not here, nothing was read."""
    dashboards: dict[str, Dashboard] = field(default_factory=dict)
    """What is in the clusters whose detail was read, by number."""
    unresolved: list[JournalEntry] = field(default_factory=list)
    """Requests of the journal that are unresolved, and that no running program handles."""
    journal_problem: Problem | None = None
    """Why it is not known which requests are unresolved."""
    left_behind: bool = False
    """Whether a snapshot of an earlier run is not tracked, for lack of a client: mostly of a locked store."""
    resolve_seconds: float = RESOLVE_SECONDS
    log_file: LogWriter | None = field(default=None, init=False)
    """The log on disk, whose `problem` says why something is missing there; None where none is kept."""
    ask_to_open: Callable[[StoreLocked], Awaitable[bool]] | None = None
    """Has the user open a locked store; False when the user would rather not. None where no user can be asked."""
    on_used: Callable[[], None] | None = None
    """Called when another identity, or none, is used from now on."""
    track_behind: Callable[[TrackedSnapshot], None] | None = None
    """Has a snapshot run to its end; called before anything of it is sent."""
    on_tracked: Callable[[TrackedSnapshot], None] | None = None
    """Called after each change of a snapshot."""
    changes: list[Change] = field(default_factory=list)
    """The requests with an effect of this run that are no creates."""
    change_behind: Callable[[Change], None] | None = None
    """Has a change sent behind whatever else is done."""
    batches: list[Batch] = field(default_factory=list)
    """The batches of creates of this run."""
    batch_behind: Callable[[Batch], None] | None = None
    """Has a batch sent behind whatever else is done."""
    choices: dict[str, str] = field(default_factory=dict)
    """What the user has chosen about the program itself: the order of a list, how often one is read again."""
    board_key: str = ""
    """The row of the board that was left for its cluster."""
    key_problems: tuple[str, ...] = ()
    """What of the user's settings and own keys is not in force, a sentence each."""
    last_input: float = -math.inf
    """When the user last pressed a key or moved the mouse, by `time.monotonic`."""
    secrets: list[SecretKey] = field(default_factory=list, repr=False)
    """The secret keys this run has called with, to be looked for in whatever it writes down."""
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _times_opened: int = 0
    _engine: SearchEngine | None = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.log = SessionLog(self.workspace.now)
        if self.workspace.server_role is not None:
            self.workspace.server_role.subscribe(self.secrets.append)

    @cached_property
    def journal(self) -> Journal:
        """The journal of creates."""
        from ncp_tui.snapshots.journal import Journal

        return Journal(self.workspace.paths, clock=self.workspace.clock)

    @cached_property
    def board(self) -> Board:
        """What was read of all profiles; it stays when the screen that reads it is left."""
        from ncp_tui.snapshots.board import Board

        return Board()

    def keep_log(self) -> LogWriter:
        """Have the log written to disk from now on. Whoever asks closes the file at the end; it may be asked once."""
        self.log_file = self.workspace.log_file()
        self.log.subscribe(self.log_file.on_event)
        return self.log_file

    async def choose_identity(self, wanted: str | None) -> IdentityChoice:
        """Read the profiles and the other places that may hold keys, and choose by the documented order."""
        try:
            book, identities = await self._read_identities()
        except Problem as problem:
            return IdentityChoice(problem=problem)
        is_named = bool(wanted or self.workspace.environ.get("NCP_TUI_PROFILE"))
        if not book.profiles and not is_named and not book.damaged:
            return IdentityChoice(identities, book.default, ask=True)
        try:
            identity = await _from_disk(lambda: self.workspace.choose(wanted))
        except Problem as problem:
            return IdentityChoice(identities, book.default, problem=problem)
        return IdentityChoice(identities, book.default, identity)

    async def choose_saved(self, name: str) -> IdentityChoice:
        """Read the profiles again, and choose the one called `name`."""
        try:
            book, identities = await self._read_identities()
        except Problem as problem:
            return IdentityChoice(problem=problem)
        return IdentityChoice(identities, book.default, identities.find(name))

    async def _read_identities(self) -> tuple[ProfilesFile, Identities]:
        def read() -> tuple[ProfilesFile, Identities]:
            book = self.workspace.profiles.load()
            return book, self.workspace.identities(book)

        return await _from_disk(read)

    def use(self, identity: Identity | None) -> None:
        """Call as `identity` from now on, or not at all. Nothing is fetched or sent yet.

        Running requests keep their own client.
        """
        self.identity = identity
        self._engine = None
        self.left_behind = False
        self._connecting = asyncio.Lock()  # whoever waits for a hung keyring of the last identity is left alone
        self.clusters = {}
        self.clusters_complete = False
        self.clusters_read_at, self.clusters_gap = None, ""
        self.summaries, self.dashboards = {}, {}
        if self.on_used is not None:
            self.on_used()

    async def engine(self, *, ask: bool = True) -> SearchEngine:
        """The client of the identity in use; its secret key is fetched at the first call. Raises a Problem.

        With `ask` the user is asked to open a locked store: for an action of the user, not for work in the background.
        """
        identity = self.identity
        if identity is None:
            raise Problem("No profile is selected.", "Nothing was sent.", "", NextAction("profile.choose"))
        async with self._connecting:
            if self._engine is None or self.identity is not identity:
                engine = await self.connect(identity, ask=ask)
                if self.identity is not identity:
                    return engine
                self._engine = engine
            return self._engine

    async def until_user_rests(self) -> None:
        """A key comes before a history: reading thousands of them takes half of a processor."""
        while (left := self.last_input + REST_SECONDS - time.monotonic()) > 0:  # noqa: ASYNC110 - time tells of itself
            await asyncio.sleep(left)

    async def connect(self, identity: Identity, *, ask: bool = True) -> SearchEngine:
        """A client of its own for `identity`, whoever is in use; whoever asks closes it. Raises a Problem."""
        from ncp_tui.profiles.credential_sources import key_source_for

        keys = await self.ask_store(lambda: key_source_for(identity, self.workspace.stores), ask=ask)
        secret_key = (await keys.current()).secret_key
        if secret_key not in self.secrets:
            self.secrets.append(secret_key)
        # On a thread: the first client loads what speaks HTTP, for 60 ms, and reads the system's proxies.
        return await run_blocking(lambda: self.workspace.client(identity, keys, self.log), CLIENT_SECONDS)

    async def ask_store(self, question: Callable[[], Awaitable[T]], *, ask: bool = True) -> T:
        """What a secret store answers; with `ask` its user opens a locked one. Raises what the store raises."""
        from ncp_tui.profiles.secret_stores.passphrase import PassphraseNeeded

        try:
            return await ask_store(question, self._opened if ask else None)
        except PassphraseNeeded as problem:
            problem.next_step = "Repeat the action to enter the passphrase."
            raise

    async def change(self, change: Callable[[ProfileChanges], Awaitable[Changed]]) -> Changed:
        """Make one change of a profile and its key, from its beginning where the user had to open a locked store."""
        from ncp_tui.profiles.profile_changes import ProfileChanges

        changes = ProfileChanges(self.workspace.profiles, self.workspace.stores)
        return await self.ask_store(lambda: change(changes))

    async def _opened(self, locked: StoreLocked) -> bool:
        if self.ask_to_open is None:
            return False
        before = self._times_opened
        async with self._asking:
            # Two that met a locked store at the same time ask once.
            if self._times_opened == before and await self.ask_to_open(locked):
                self._times_opened += 1
            return self._times_opened != before

    @property
    def connected(self) -> SearchEngine | None:
        """The client, if there is one already."""
        return self._engine

    @property
    def read_only(self) -> bool:
        """Whether operations with an effect are refused."""
        return self.workspace.read_only or (self.identity is not None and self.identity.profile.read_only)

    @cached_property
    def tracker(self) -> SnapshotTracker:
        """What creates snapshots and follows them, whatever screen is in front."""
        from ncp_tui.snapshots.track import SnapshotTracker

        workspace = self.workspace
        tracker = SnapshotTracker(
            self.journal, self.log, now=workspace.now, monotonic=workspace.monotonic, run_behind=self.track_behind
        )
        tracker.resolve_seconds = self.resolve_seconds
        if self.on_tracked is not None:
            tracker.subscribe(self.on_tracked)
        return tracker

    @property
    def tracked(self) -> list[TrackedSnapshot]:
        """The snapshots of this run. The first frame, which has none, does not load what sends them."""
        return self.tracker.snapshots if "tracker" in vars(self) else []

    @property
    def open_snapshots(self) -> list[TrackedSnapshot]:
        """The snapshots that have not ended."""
        return [each for each in self.tracked if each.is_open]

    def usual(self, tracked: TrackedSnapshot) -> UsualDuration | None:
        """How long a snapshot of its cluster usually takes; None where no good one is known."""
        summary = self.summaries.get(tracked.request.cluster_number)
        if summary is not None and summary.usual is not None and tracked.identity is self.identity:
            return summary.usual
        return usual_duration(row for row in tracked.history or () if row.state is SnapshotState.SUCCESS)

    def shown_snapshots(self) -> list[ShownSnapshot]:
        """The snapshots of this run as a list shows them now: those that have not ended first, then the newest."""
        from ncp_tui.view.progress import ShownSnapshot

        now = self.workspace.monotonic()
        newest = sorted(self.tracked, key=lambda each: (each.is_open, each.asked_monotonic), reverse=True)
        return [ShownSnapshot(each, self.usual(each), now) for each in newest]

    @property
    def creating(self) -> bool:
        """Whether a create request was sent and its answer is neither there nor lost."""
        return any(each.is_being_sent for each in self.tracked)

    @property
    def batch(self) -> Batch | None:
        """The batch of which something may still be sent."""
        return next((batch for batch in self.batches if not batch.is_over), None)

    @property
    def changing(self) -> bool:
        """Whether another request with an effect was sent and its answer is neither there nor lost."""
        return any(each.is_being_sent for each in self.changes)

    @property
    def resolving(self) -> bool:
        """Whether NCP is being asked what became of a request without a clear answer."""
        return any(each.is_resolving for each in self.tracked) or any(each.is_resolving for each in self.changes)

    def not_written_down(self) -> Iterator[str]:
        """What the journal does not hold of this run's requests, a line each."""
        if self.tracked:
            yield from self.tracker.not_written_down()
        yield from filter(None, [change.not_written_down for change in self.changes])

    def resolver(self) -> Resolver:
        """What finds out about unresolved requests."""
        from ncp_tui.snapshots.resolve import Resolver

        return Resolver(self.journal, self.log, self.client_for)

    def identity_of(self, caller: Caller) -> Identity | None:
        """Who sent that request; the identity in use where the journal has lost it. None where it no longer exists."""
        from ncp_tui.profiles.credential_sources import RoleNotWanted

        if not caller.profile:
            return self.identity
        found = self.identities.find(caller.profile)
        if found is None and caller.profile == SERVER_ROLE_NAME:
            raise RoleNotWanted
        return found

    @asynccontextmanager
    async def client_for(self, caller: Caller) -> AsyncIterator[SearchEngine]:
        """A client of who sent that request, if the profile still points to the same gateway. Raises a Problem."""
        from ncp_tui.snapshots.outcome import Caller
        from ncp_tui.snapshots.resolve import check_same_gateway

        in_use = self.identity
        if in_use is not None and Caller.of(in_use) == caller:
            yield await self.engine()
            return
        engine = await self.connect(check_same_gateway(self.identity_of(caller), caller))
        try:
            yield engine
        finally:
            await engine.aclose()


async def _from_disk(read: Callable[[], T]) -> T:
    """What `read` returns. Raises a Problem, also where the disk is silent."""
    try:
        return await run_blocking(read, DISK_SECONDS)
    except TimeoutError:
        words = f"Profiles could not be read within {DISK_SECONDS:g} s."
        raise Problem(words, "Nothing was sent.", "Check the disk, then refresh.") from None
