"""What one run of the program is about: who it calls as, what it has seen, and which snapshots it follows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from ncp_tui.gateway import Problem
from ncp_tui.home import Home
from ncp_tui.profiles import Identities, Identity
from ncp_tui.search_engine import Cluster, HistoryEntry, SearchEngine
from ncp_tui.session_log import SessionLog
from ncp_tui.snapshots import Progress, SnapshotRequest, Taken


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
    """Why it is not followed any more, where the watch itself came to an end."""

    @property
    def is_open(self) -> bool:
        """Whether anything is still to come."""
        if self.taken is None:
            return True
        if self.taken.outcome != "accepted" or self.problem is not None:
            return False
        return self.progress is None or not self.progress.is_final


@dataclass
class Session:
    """The identity in use and its client, the session log, and what was loaded."""

    home: Home
    log: SessionLog = field(init=False)
    identity: Identity | None = None
    identities: Identities = field(default_factory=Identities)
    default_profile: str | None = None
    clusters: dict[str, Cluster] = field(default_factory=dict)
    clusters_complete: bool = False
    last_snapshots: dict[str, HistoryEntry | None] = field(default_factory=dict)
    followed: list[Followed] = field(default_factory=list)
    _engine: SearchEngine | None = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.log = SessionLog(self.home.now)

    def use(self, identity: Identity) -> None:
        """Call as `identity` from now on. Nothing is fetched or sent yet; requests under way keep their own client."""
        self.identity = identity
        self._engine = None
        self._connecting = asyncio.Lock()  # whoever waits for a hung keyring of the last identity is left alone
        self.clusters = {}
        self.clusters_complete = False
        self.last_snapshots = {}

    async def engine(self) -> SearchEngine:
        """The client of the identity in use; its secret key is fetched at the first call. Raises a Problem."""
        identity = self.identity
        if identity is None:
            raise Problem("No profile is chosen.", "Nothing was sent.", "Press p and choose or add one.")
        async with self._connecting:
            if self._engine is None or self.identity is not identity:
                engine = await self.home.connect(identity, self.log)
                if self.identity is not identity:
                    return engine
                self._engine = engine
            return self._engine

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
        """Whether a create request is on its way right now."""
        return any(followed.taken is None for followed in self.followed)
