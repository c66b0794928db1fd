"""What one run of the program is about: who it calls as, what it has seen, and which snapshots it follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ncp_tui import gateway, profiles, session_log, snapshots
from ncp_tui.home import Home
from ncp_tui.text import clean

if TYPE_CHECKING:
    from ncp_tui.gateway import GatewayError, Problem, SecretKey
    from ncp_tui.profiles import Administration, Changed, Identities, Identity, KeyringLocked, PassphraseNeeded
    from ncp_tui.search_engine import Cluster, HistoryEntry, SearchEngine
    from ncp_tui.session_log import LogFile, SessionLog
    from ncp_tui.snapshots import Caller, Journal, JournalEntry, LastSnapshot, Progress, SnapshotRequest, Taken

SETTLE_SECONDS = 60.0
"""How long the history is looked at after a lost answer."""

CLIENT_SECONDS = 20.0
"""How long a client may take to be made, from a disk that is busy."""

T = TypeVar("T")


@dataclass(eq=False)
class Followed:
    """A snapshot this run asked for, from the request to its end. It outlives the screen it was asked on."""

    request: SnapshotRequest
    identity: Identity
    engine: SearchEngine
    asked_at: datetime
    asked_monotonic: float
    taken: Taken | None = None
    progress: Progress | None = None
    problem: Problem | None = None
    """Why it was never sent, or is not followed any more."""
    history: Sequence[HistoryEntry] | None = None
    """What the history showed before it was sent."""
    with_journal: bool = True
    again: str | None = None
    """The id of the earlier request for the same snapshot that the user said yes to."""
    settling: GatewayError | None = None
    """Why no answer said what became of it; from then on the history is asked."""
    journal_problem: Problem | None = None

    @property
    def is_settling(self) -> bool:
        """Whether no answer said what became of it, and the history is being looked at."""
        return self.settling is not None and self.taken is None and self.problem is None

    @property
    def is_open(self) -> bool:
        """Whether anything is still to come."""
        if self.taken is None:
            return self.problem is None
        if self.taken.outcome != "accepted" or self.problem is not None:
            return False
        return self.progress is None or not self.progress.is_final


@dataclass
class Session:
    """The identity in use and its client, the session log, and what was loaded."""

    home: Home
    log: SessionLog = field(init=False)
    identity: Identity | None = None
    identities: Identities = field(default_factory=lambda: profiles.Identities())  # noqa: PLW0108 - loaded when it is needed
    default_profile: str | None = None
    clusters: dict[str, Cluster] = field(default_factory=dict)
    clusters_complete: bool = False
    """Whether the listing of them has come to its end."""
    clusters_read_at: datetime | None = None
    """When that was; None before it."""
    clusters_gap: str = ""
    """What is missing of the clusters although the listing has ended; empty where they are all."""
    last_snapshots: dict[str, LastSnapshot] = field(default_factory=dict)
    """What is known of the newest snapshot of each cluster; of one that is not here, nothing was read."""
    followed: list[Followed] = field(default_factory=list)
    unsettled: list[JournalEntry] = field(default_factory=list)
    """Creates of the journal whose outcome is open, and which no running program has in its hands."""
    journal_problem: Problem | None = None
    """Why it is not known what is open."""
    left_behind: bool = False
    """Whether a snapshot of an earlier run is not followed, for want of a client: of a locked store, mostly."""
    settle_seconds: float = SETTLE_SECONDS
    ticking: bool = False
    log_file: LogFile | None = field(default=None, init=False)
    """The log on disk, whose `problem` says why something is missing there; None where none is kept."""
    ask_to_open: Callable[[PassphraseNeeded | KeyringLocked], Awaitable[bool]] | None = None
    """Has the user open a locked store; False when the user would rather not. None where nobody can be asked."""
    secrets: list[SecretKey] = field(default_factory=list, repr=False)
    """The secret keys this run has called with, to be looked for in whatever it writes down."""
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _times_opened: int = 0
    _engine: SearchEngine | None = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.log = session_log.SessionLog(self.home.now)
        if self.home.server_role is not None:
            self.home.server_role.subscribe(self.secrets.append)

    @cached_property
    def journal(self) -> Journal:
        """The journal of creates."""
        return snapshots.Journal(self.home.paths, clock=self.home.clock)

    def keep_log(self) -> LogFile:
        """Have the log written to disk from now on. Whoever asks closes the file at the end; it may be asked once."""
        self.log_file = self.home.log_file()
        self.log.subscribe(self.log_file.hear)
        return self.log_file

    def use(self, identity: Identity | None) -> None:
        """Call as `identity` from now on, or as nobody. Nothing is fetched or sent yet.

        Requests under way keep their own client.
        """
        self.identity = identity
        self._engine = None
        self.left_behind = False
        self._connecting = asyncio.Lock()  # whoever waits for a hung keyring of the last identity is left alone
        self.clusters = {}
        self.clusters_complete = False
        self.clusters_read_at, self.clusters_gap = None, ""
        self.last_snapshots = {}

    async def engine(self, *, ask: bool = True) -> SearchEngine:
        """The client of the identity in use; its secret key is fetched at the first call. Raises a Problem.

        With `ask` the user is asked to open a locked store: for what a user has wanted, not for what goes on behind it.
        """
        identity = self.identity
        if identity is None:
            raise gateway.Problem("No profile is chosen.", "Nothing was sent.", "Press p and choose or add one.")
        async with self._connecting:
            if self._engine is None or self.identity is not identity:
                engine = await self._connect(identity, ask=ask)
                if self.identity is not identity:
                    return engine
                self._engine = engine
            return self._engine

    async def _connect(self, identity: Identity, *, ask: bool = True) -> SearchEngine:
        keys = await self.ask_store(lambda: profiles.secrets_for(identity, self.home.stores), ask=ask)
        self.secrets.append((await keys.current()).secret_key)
        # On a thread: the first client loads what speaks HTTP, for 60 ms, and reads the system's proxies.
        return await gateway.daemon_call(lambda: self.home.client(identity, keys, self.log), CLIENT_SECONDS)

    async def ask_store(self, question: Callable[[], Awaitable[T]], *, ask: bool = True) -> T:
        """What a secret store answers; the user is asked to open it where it is locked, once for each kind of store.

        Raises what the store raises: PassphraseNeeded only when the user left the store locked.
        """
        opened: set[type[Problem]] = set()
        while True:
            try:
                return await question()
            except profiles.PassphraseNeeded as problem:
                problem.next_step = "Do the same again to be asked for it."
                locked: PassphraseNeeded | KeyringLocked = problem
            except profiles.KeyringLocked as problem:
                if problem.unlocker is None:
                    raise
                locked = problem
            if not ask or type(locked) in opened or not await self._opened(locked):
                raise locked
            opened.add(type(locked))

    async def change(self, change: Callable[[Administration], Awaitable[Changed]]) -> Changed:
        """Make one change of a profile and its key, from its beginning where the user had to open a locked store."""
        administration = profiles.Administration(self.home.profiles, self.home.stores)
        return await self.ask_store(lambda: change(administration))

    async def _opened(self, locked: PassphraseNeeded | KeyringLocked) -> bool:
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
        return self.home.read_only or (self.identity is not None and self.identity.profile.read_only)

    @property
    def open_snapshots(self) -> list[Followed]:
        """The snapshots still under way."""
        return [followed for followed in self.followed if followed.is_open]

    @property
    def creating(self) -> bool:
        """Whether a create request is on its way right now, its answer neither there nor lost."""
        return any(each.taken is None and each.is_open and not each.is_settling for each in self.followed)

    @property
    def settling(self) -> bool:
        """Whether the history is being looked at for a create of which no answer said what became."""
        return any(followed.is_settling for followed in self.followed)

    def not_written_down(self) -> Iterator[str]:
        """What the journal does not hold of this run's creates, a line each: nobody can find it out later."""
        for followed in self.followed:
            record = followed.taken.record if followed.taken is not None else None
            if record is not None and record.problem is not None and followed.taken is not None:
                yield clean(f"{followed.taken.sentence} The journal does not hold it: {record.problem.what}")

    def is_followed(self, key: str) -> bool:
        """Whether the journal's entry `key` is followed already, or was to its end."""
        for followed in self.followed:
            entry = followed.taken.entry if followed.taken is not None else None
            has_ended = followed.progress is not None and followed.progress.is_final
            if entry is not None and entry.id == key and (followed.is_open or has_ended):
                return True
        return False

    @asynccontextmanager
    async def engine_for(self, caller: Caller) -> AsyncIterator[tuple[Identity, SearchEngine]]:
        """Whoever asked then, and a client for them, if that profile leads to the same gateway. Raises a Problem."""
        if self.identity is not None and snapshots.Caller.of(self.identity) == caller:
            yield self.identity, await self.engine()
            return
        identity = self.identities.find(caller.profile)
        if identity is None and caller.profile == profiles.SERVER_ROLE_NAME:
            raise profiles.RoleNotWanted
        if identity is None or snapshots.Caller.of(identity).gateway != caller.gateway:
            raise gateway.Problem(
                f"No profile {caller.profile} leads to {caller.gateway} any more.",
                "Nothing was sent.",
                "Choose or add a profile for it.",
            )
        engine = await self._connect(identity)
        try:
            yield identity, engine
        finally:
            await engine.aclose()
