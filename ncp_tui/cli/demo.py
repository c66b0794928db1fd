"""A workspace that is nobody's: a sandbox in this process, its keys in memory, its files in a folder that goes away."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.system.paths import Paths
from ncp_tui.workspace import Workspace

CLUSTERS = 12
SECONDS = 12.0
"""How long a snapshot takes: long enough to see its progress, short enough to wait for its end."""


@contextmanager
def demo_workspace() -> Iterator[Workspace]:
    """A workspace with one profile, `sandbox`, whose gateway is served for as long as the context lasts."""
    store = SessionStore()
    with (
        # What is still being written when the program ends is no reason to end it with an error.
        tempfile.TemporaryDirectory(prefix="ncp-tui-demo-", ignore_cleanup_errors=True) as folder,
        ThreadedSandbox(Sandbox(CLUSTERS, SECONDS)) as served,
    ):
        root = Path(folder)
        paths = Paths(root / "config", root / "state", root / "data")
        profile = Profile(
            name="sandbox",
            access_key=served.sandbox.access_key,
            gateway_url=served.url,
            store="session",
            default_bucket="bk.ses.snapshot",
        )
        ProfileStore(paths).add(profile)
        asyncio.run(store.save(profile, SecretKey(served.sandbox.secret_key)))
        yield Workspace(environ={}, paths=paths, stores={"session": store}, configure_file=None, demo=True)
