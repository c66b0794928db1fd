"""Setting the storage key of a cluster: where the key may go, what was seen before, what stops it, what it proves.

NCP keeps the key and never shows it, so whoever sets one sends a secret away for good. That is why it goes to a
host of NCP's own or to this machine and nowhere else unless the user names the host; and why a lost answer is followed
by little: the bucket list tells that a key is set, never which.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ncp_tui.gateway.credentials import Credentials, KeySource, SecretKey
from ncp_tui.gateway.endpoints import SEARCH_ENGINE_SERVICE, SITES, may_reach_same_clusters
from ncp_tui.gateway.errors import GatewayError, ReadOnlyRefused
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.environment import GATEWAY_VARIABLE
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.search_engine.client import WrongCluster
from ncp_tui.search_engine.models import Cluster
from ncp_tui.search_engine.operations import KEY_NOT_SET, SET_STORAGE_KEY
from ncp_tui.snapshots.draft import FRESH
from ncp_tui.snapshots.earlier_requests import Earlier, EarlierState, SecondRequest
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.journal_file import Key
from ncp_tui.snapshots.operations import OperationRequest, OperationResult, send_operation
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.preflight import Check, PreflightEvidence, Severity, preflight
from ncp_tui.snapshots.resolve import SECONDS, search_storage_key
from ncp_tui.snapshots.rules import check_cluster
from ncp_tui.snapshots.storage_key_state import KeyRead, KeyState, read_key
from ncp_tui.text import plural

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

JUST_BEFORE: Final = timedelta(seconds=30)
"""How old the bucket list may be when the key is sent; what was read earlier may have changed since."""

MASKED_KEY: Final = "maskedAccessKey"
"""What the journal calls the access key of a storage key, whose middle is hidden."""

KEY_BEFORE: Final = "keyBefore"
"""What the journal calls what the bucket list said of the storage key before the request."""

_CA_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_HTTPS_PORT = 443


class GatewayNotTrusted(Problem):
    """A gateway that may not be sent a storage key, or only once the user has named its host. Nothing was sent."""

    kind = "gateway_not_trusted"


class KeysExpire(Problem):
    """Keys of the server role, which end with the hour, as a storage key. Nothing was sent."""

    kind = "keys_expire"

    def __init__(self) -> None:
        super().__init__(
            "The keys of the server role expire: they cannot be the storage key of a cluster.",
            "Nothing was sent. Snapshots would fail as soon as they end.",
            "Use the access key and secret key of an account that may use Object Storage.",
        )


@dataclass(frozen=True)
class Destination:
    """Where a storage key would be sent."""

    host: str
    doubt: str = ""
    """Why the user has to name the host first; empty where it is NCP's own or this machine."""
    is_barred: bool = False
    """Whether not even that is enough, since the address came from the environment."""
    note: str = ""
    """What else the user should know of it, as whose certificates vouch for it."""

    @classmethod
    def of(cls, identity: Identity, environ: Mapping[str, str]) -> Destination:
        """Where whoever calls as `identity` sends it. Raises UnknownEndpoint."""
        profile, endpoint = identity.profile, identity.profile.endpoint()
        if endpoint.is_loopback:
            return cls(endpoint.host)
        parts, known = urlsplit(endpoint.origin), SITES[profile.site].host(SEARCH_ENGINE_SERVICE)
        if parts.scheme != "https" or endpoint.hostname != known or parts.port not in {None, _HTTPS_PORT}:
            doubt = f"{endpoint.host} is not the host of NCP's site {profile.site} ({known})"
            from_environment = identity.kind in {SourceKind.ENVIRONMENT, SourceKind.SERVER_ROLE}
            return cls(endpoint.host, doubt, is_barred=from_environment)
        variables = [name for name in _CA_VARIABLES if environ.get(name)]
        if variables and not profile.ca_bundle:
            # With the proxy of the environment, whoever set both could read along. A bundle of the profile is the
            # user's own decision about this very gateway.
            trust = " and ".join(variables)
            return cls(endpoint.host, f"the certificates that vouch for {endpoint.host} are those of {trust}")
        if profile.ca_bundle:
            return cls(endpoint.host, note=f"the CA bundle of the profile vouches for it ({profile.ca_bundle})")
        return cls(endpoint.host)

    def check(self, confirmed: str | None) -> None:
        """Raise GatewayNotTrusted unless a storage key may go there; `confirmed` is the host that the user named."""
        if self.is_barred:
            raise GatewayNotTrusted(
                f"The storage key was not sent: {self.doubt}, and its address came from the environment.",
                "Nothing was sent. Whoever answers there would have the key.",
                f"Unset {GATEWAY_VARIABLE}, or save a profile with that gateway URL.",
            )
        if self.doubt and confirmed is None:
            raise GatewayNotTrusted(
                f"The storage key was not sent: {self.doubt}.",
                "Nothing was sent. Whoever answers there would have the key.",
                "",
                NextAction("storage_key.confirm_gateway", {"host": self.host}),
            )
        if confirmed is not None and not self.is_named_by(confirmed):
            raise GatewayNotTrusted(
                f"The storage key was not sent: {confirmed!a} is not the host it would go to, {self.host}.",
                "Nothing was sent.",
            )

    def is_named_by(self, typed: str) -> bool:
        """Whether the user has typed this host, with its port or without."""
        return typed.strip().lower() in {self.host.lower(), (urlsplit(f"//{self.host}").hostname or "").lower()}


async def own_key(identity: Identity, keys: KeySource) -> Credentials:
    """The pair that `identity` calls with, to be a storage key. Raises KeysExpire for that of a server role."""
    if identity.role is not None or not isinstance(keys, Credentials):
        raise KeysExpire
    return keys


def check_lasting(access_key: str, identity: Identity) -> None:
    """Raise KeysExpire where `access_key` is one that the server role has handed out."""
    if identity.role is not None and access_key in identity.access_keys:
        raise KeysExpire


@dataclass(frozen=True)
class StorageKeyDraft:
    """A storage key that is not sent yet, and what is known before it."""

    cluster: Cluster
    caller: Caller
    destination: Destination
    key: Credentials = field(repr=False)
    protected: bool = False
    read_only: bool = False
    evidence: PreflightEvidence | None = None
    """What was read before it; None where nothing was, or not yet."""
    again: str | None = None
    """The id of the earlier request that the user has said yes to."""
    confirmed_host: str | None = None
    """The host that the user has named to send the key there."""
    asked_at: datetime | None = None
    """When the user requested it; None where that was at no certain moment."""

    @property
    def problem(self) -> Problem | None:
        """What forbids it: the first thing that is wrong."""
        if self.read_only:
            return read_only_refused()
        try:
            self.destination.check(self.confirmed_host)
            check_cluster(self.cluster)
        except Problem as problem:
            return problem
        answered = self.evidence.cluster_read.problem if self.evidence is not None else None
        return answered if isinstance(answered, WrongCluster) else None

    @property
    def before(self) -> KeyRead | None:
        """What the bucket list said; None where it was not read."""
        evidence = self.evidence
        if evidence is None or evidence.buckets_read is None:
            return None
        read = evidence.buckets_read
        return KeyRead.of(read.at, len(evidence.buckets), read.problem)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """What the user should know before saying yes; none where nothing was read."""
        evidence = self.evidence
        if evidence is None:
            return ()
        found = {check.subject: check for check in preflight(_of(self.cluster), evidence, self.caller.gateway).checks}
        cluster = found["cluster"]
        first = [cluster] if cluster.severity is not Severity.OK else []
        return (*first, *filter(None, [self._key_check()]), self._snapshots_check(found["snapshots"]))

    @property
    def doubts(self) -> tuple[Check, ...]:
        """Those of them that are not ok."""
        return tuple(check for check in self.checks if check.severity is not Severity.OK)

    def is_old(self, now: datetime) -> bool:
        """Whether what was read says too little of how things are now, and has to be read again."""
        return self.evidence is not None and now - self.evidence.cluster_read.at > FRESH

    @property
    def intent(self) -> StorageKeyIntent:
        """What stops it of the journal."""
        return StorageKeyIntent(_of(self.cluster), self.caller, self.again, self.asked_at)

    @property
    def earlier(self) -> Earlier | None:
        """The earlier request of this cluster that stops it, as far as the journal that was read tells."""
        found = self.intent.earlier(self.evidence.journal) if self.evidence is not None else None
        return found if found is not None and found.id != self.again else None

    @property
    def stop(self) -> Problem | None:
        """What stops it until the user says yes to exactly that."""
        evidence = self.evidence
        if evidence is not None and evidence.damage is not None:
            key, entries = (self.cluster.number, SET_STORAGE_KEY), evidence.journal
            if evidence.damage.touches(key, entries):
                return DamagedJournal(evidence.damage, _of(self.cluster), self.intent.lost)
        return SecondStorageKey(self.earlier, _of(self.cluster)) if self.earlier is not None else None

    @property
    def stop_for_good(self) -> Problem | None:
        """What stops it whatever the user says here: damage, which has to be accepted first."""
        stop = self.stop
        return stop if isinstance(stop, DamagedJournal) else None

    @property
    def may_be_overtaken(self) -> bool:
        """Whether an earlier request may still set its key: then it is unknown whose key opens the list.

        Also one that the user has marked as resolved: that is no proof that it never arrives.
        """
        evidence = self.evidence
        if evidence is None or evidence.journal_problem is not None:
            return True
        return any(self.intent.is_of(entry) and entry.outcome is Outcome.UNKNOWN for entry in evidence.journal)

    def request(self, before: KeyRead | None = None) -> OperationRequest:
        """What would be sent, and what of it is written down; `before` is what was read of the key last."""
        before = before or self.before
        return OperationRequest(
            SET_STORAGE_KEY,
            self.cluster.number,
            self.cluster.name,
            {"accessKeyId": self.key.access_key, "secretKey": self.key.secret_key},
            {
                MASKED_KEY: self.key.masked,
                KEY_BEFORE: (before.state if before is not None else KeyState.UNKNOWN).value,
            },
        )

    def _key_check(self) -> Check | None:
        before = self.before
        if before is None:
            return None
        if before.state is KeyState.NOT_SET:
            return Check("storage key", Severity.OK, f"not set (code {KEY_NOT_SET})", "", before.at)
        if before.state is KeyState.SET:
            said = f"set already: lists {plural(before.buckets, 'bucket')}"
            return Check("storage key", Severity.UNSURE, said, "The new key replaces it.", before.at)
        return Check("storage key", Severity.UNSURE, before.sentence, "If one is set, it is replaced.", before.at)

    def _snapshots_check(self, check: Check) -> Check:
        if check.severity is Severity.OK:
            return Check("snapshots", Severity.OK, "no snapshot is running", "", check.read_at)
        advice = "A changed key can leave it stuck."
        if check.severity is Severity.BAD:
            advice = f"{advice} Wait until it ends."
        elif self.evidence is not None and self.evidence.history is None:
            advice = "A running snapshot can be left stuck by a changed key."
        return Check("snapshots", check.severity, check.evidence, advice, check.read_at)


def read_only_refused() -> ReadOnlyRefused:
    """Why no storage key may be set in read-only mode."""
    return ReadOnlyRefused(
        "Read-only mode: cannot set a storage key.", "Nothing was sent.", "", NextAction("read_only.leave")
    )


_WORDS = {
    EarlierState.UNDER_WAY: "is being sent or resolved at this moment, here or in another ncp-tui",
    EarlierState.ACCEPTED: "was made by another ncp-tui at the same time, and has set a key",
    EarlierState.NOT_STARTED: "was made by another ncp-tui at the same time, and has set no key",
}


class SecondStorageKey(SecondRequest):
    """An earlier request to set the storage key of the same cluster stops this one. Nothing was sent."""

    def __init__(self, earlier: Earlier, request: SnapshotRequest) -> None:
        state = _WORDS.get(earlier.state, "may have set a key, now or later")
        at = f" of {earlier.at:%Y-%m-%d %H:%M:%S} {earlier.at.tzname() or ''}".rstrip() if earlier.at else ""
        Problem.__init__(
            self,
            f"The storage key of {request.cluster} was sent before: the request{at} {state}.",
            "Nothing was sent: of two requests without an answer, it is unknown which key stays.",
            "",
            NextAction("snapshot.resolve"),
            NextAction("snapshot.again", {"id": earlier.id}),
        )
        self.earlier = earlier


@dataclass(frozen=True)
class StorageKeyIntent:
    """A storage key that somebody wants to set; looked up again where it is written down."""

    request: SnapshotRequest
    """The cluster alone."""
    caller: Caller
    again: str | None = None
    """The id of the earlier request that the user has said yes to."""
    asked_at: datetime | None = None
    """When the user requested it; None where that was at no certain moment."""
    lost: str = "a request to set the storage key"
    """What damage of the journal may have held."""

    @property
    def keys(self) -> Sequence[Key]:
        """What the earlier requests are about that may stop it."""
        return ((self.request.cluster_number, SET_STORAGE_KEY),)

    def check(self, entries: Sequence[JournalEntry], is_held: Callable[[JournalEntry], bool] = lambda _: False) -> None:
        """Raise SecondStorageKey where an earlier request stops it, and the user did not say yes to exactly that."""
        found = self.earlier(entries, is_held)
        if found is not None and found.id != self.again:
            raise SecondStorageKey(found, self.request)

    def is_of(self, entry: JournalEntry) -> bool:
        """Whether `entry` set, or may have set, the key of the same cluster, as far as one can tell."""
        return entry.key in self.keys and may_reach_same_clusters(entry.caller.gateway, self.caller.gateway)

    def earlier(
        self, entries: Sequence[JournalEntry], is_held: Callable[[JournalEntry], bool] = lambda _: False
    ) -> Earlier | None:
        """All earlier requests that are unresolved or being sent, shown as the newest; one that is known stops nothing.

        `is_held` says whether a program has an unresolved entry. What another program began after the user requested
        this one stops it too.
        """
        found = [
            (entry, state)
            for entry in entries
            if self.is_of(entry) and (state := _state(entry, is_held, self.asked_at)) is not None
        ]
        if not found:
            return None
        newest, state = found[-1]
        told = ";".join(sorted(f"{entry.id} {each}" for entry, each in found))
        identity = hashlib.sha256(f"{SET_STORAGE_KEY} {self.request.cluster_number} {told}".encode()).hexdigest()[:12]
        return Earlier(identity, "journal", state, newest.at)


def _state(
    entry: JournalEntry, is_held: Callable[[JournalEntry], bool], asked_at: datetime | None
) -> EarlierState | None:
    if entry.is_open and is_held(entry):
        return EarlierState.UNDER_WAY
    if entry.in_doubt:
        return EarlierState.UNKNOWN
    if asked_at is None or entry.process == os.getpid() or entry.at < asked_at:
        return None
    return EarlierState.ACCEPTED if entry.outcome is Outcome.ACCEPTED else EarlierState.NOT_STARTED


def _of(cluster: Cluster) -> SnapshotRequest:
    return SnapshotRequest(cluster.number, cluster.name, "", "")


async def send_storage_key(
    engine: SearchEngine,
    draft: StorageKeyDraft,
    *,
    journal: Journal | None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    resolve_seconds: float = SECONDS,
    on_resolving: Callable[[GatewayError], None] = lambda _: None,
) -> OperationResult:
    """Write down that the key of `draft` is about to be sent, send it once, and say what is known of it.

    After a lost answer it is done only where NCP said just before that no key was set, no earlier request may still
    set one, and the bucket list opens now. Raises what forbids or stops it, and JournalProblem, before anything is
    sent.
    """
    if draft.problem is not None:
        raise draft.problem
    engine.keep_out(SecretKey(draft.key.access_key), draft.key.secret_key)
    before = draft.before
    if before is None or now() - before.at > JUST_BEFORE:
        before = await read_key(engine, draft.cluster.number, now)
    was_missing = before.state is KeyState.NOT_SET and not draft.may_be_overtaken

    return await send_operation(
        engine,
        draft.request(before),
        caller=draft.caller,
        journal=journal,
        guard=draft.intent,
        look_up=partial(search_storage_key, was_missing=was_missing),
        now=now,
        resolve_seconds=resolve_seconds,
        on_resolving=on_resolving,
    )
