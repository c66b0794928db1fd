"""What workers and screens report to the app; they know nothing else of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from ncp_tui.problem import Problem

if TYPE_CHECKING:
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.search_engine.models import Cluster, HistoryEntry
    from ncp_tui.snapshots.batch import BrokenOff
    from ncp_tui.snapshots.journal_entry import JournalEntry
    from ncp_tui.snapshots.track import TrackedSnapshot
    from ncp_tui.tui.batch import Batch
    from ncp_tui.tui.change import Change
    from ncp_tui.tui.session import IdentityChoice


@dataclass
class IdentityFound(Message):
    """It is known who there is, and who is used."""

    choice: IdentityChoice


@dataclass
class SnapshotMoved(Message):
    """A snapshot of this run moved on."""

    tracked: TrackedSnapshot


@dataclass
class ChangeMoved(Message):
    """More is known of a request with an effect that is no create."""

    change: Change


@dataclass
class BatchMoved(Message):
    """More is known of a batch of creates of this run."""

    batch: Batch


@dataclass
class BatchShown(Message):
    """A batch of this run is to be shown."""

    batch: Batch


@dataclass
class BatchesFound(Message):
    """It is known which batches broke off, and of which that cannot be said."""

    found: list[BrokenOff]
    problem: Problem | None = None


@dataclass
class BatchWanted(Message):
    """A batch that broke off is to be resumed: the one of that id, or which is to be asked."""

    id: str = ""


@dataclass
class JournalRead(Message):
    """It is known which requests of earlier runs, and of this one, are unresolved or running."""

    unresolved: list[JournalEntry]
    under_way: list[JournalEntry]
    problem: Problem | None = None


@dataclass
class JournalChanged(Message):
    """Something in the journal, or in who may follow it, is no longer as it was read."""


@dataclass
class ChoiceMade(Message):
    """The user has chosen something about the program itself, to be kept for the next run."""

    name: str
    value: str


@dataclass
class HistoryWanted(Message):
    """The history of this cluster is to be shown."""

    cluster: Cluster


@dataclass
class BoardWanted(Message):
    """The board is to be shown over the list in front."""


@dataclass
class ClusterWanted(Message):
    """This cluster is to be shown, as this identity, whatever is in front; without one, the clusters are."""

    identity: Identity
    key: str


@dataclass
class ProfilesWanted(Message):
    """The profiles are to be shown, whatever is in front."""


@dataclass
class FollowWanted(Message):
    """Running snapshots of this cluster are to be followed that no request of this run started."""

    cluster: Cluster
    rows: Sequence[HistoryEntry]


@dataclass
class FollowFailed(Message):
    """There is no client to follow a snapshot with."""

    problem: Problem


@dataclass
class ProfileToUse(Message):
    """The profiles are to be read again, and this one is to be called as from now on."""

    name: str
