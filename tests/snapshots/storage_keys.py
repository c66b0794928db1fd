"""Storage keys for tests: a pair that is nobody's, and a draft of setting it on a cluster of a sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.outcome import Caller
from ncp_tui.snapshots.preflight import read_evidence
from ncp_tui.snapshots.storage_key import Destination, StorageKeyDraft
from tests.snapshots.journals import CALLER

ACCESS, SECRET = "STORAGEKEYID00000042", "0bjectSt0rageCANARYsecret0123456789abcd"
KEY = Credentials(ACCESS, SecretKey(SECRET))
WITHOUT_KEY, WITH_KEY = Cluster("1037004", "search-0004", "running"), Cluster("1037001", "search-0001", "running")


def caller_of(served: RunningSandbox) -> Caller:
    return replace(CALLER, gateway=f"{served.url}/api/v2")


async def draft_of(
    engine: SearchEngine, served: RunningSandbox, cluster: Cluster, journal: Journal | None = None, **more: Any
) -> StorageKeyDraft:
    """What is known before the key of `cluster` is set."""
    evidence = await read_evidence(engine, cluster, journal)
    host = served.url.removeprefix("http://")
    return StorageKeyDraft(evidence.cluster, caller_of(served), Destination(host), KEY, evidence=evidence, **more)


def now() -> datetime:
    return datetime.now(UTC)
