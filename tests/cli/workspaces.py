"""Homes for tests that need a keyring and must not touch the developer's."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ncp_tui import workspace as workspaces
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile, StoreName
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.sandbox.sandbox import ThreadedSandbox
from tests.cli.program import Called


class MemoryKeyring(SessionStore):
    """A keyring that is gone with the test; `fails` is what its next change raises."""

    name: StoreName = "keyring"
    fails: Exception | None = None

    def describe(self) -> str:
        return "OS keyring (memory)"

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        if self.fails:
            raise self.fails
        await super().save(profile, secret_key)

    async def delete(self, profile: Profile) -> None:
        if self.fails:
            raise self.fails
        await super().delete(profile)

    async def rename(self, old: Profile, new: Profile) -> None:
        if self.fails:
            raise self.fails
        await super().rename(old, new)

    def secret_of(self, name: str, access_key: str) -> str | None:
        """What is kept, in clear."""
        key = asyncio.run(self.load(Profile(name=name, access_key=access_key)))
        return key.reveal() if key else None


def use_memory_keyring(
    monkeypatch: pytest.MonkeyPatch, keys: Mapping[str, tuple[str, str]] | None = None
) -> MemoryKeyring:
    """Have every home of this test keep its secrets in one MemoryKeyring."""
    keyring = MemoryKeyring()
    for name, (access_key, secret_key) in (keys or {}).items():
        asyncio.run(keyring.save(Profile(name=name, access_key=access_key), SecretKey(secret_key)))
    real = workspaces.open_workspace

    def open_workspace(environ: Mapping[str, str] = os.environ, **options: Any) -> workspaces.Workspace:
        home = real(environ, **options)
        return dataclasses.replace(home, stores={**home.stores, "keyring": keyring})

    monkeypatch.setattr(workspaces, "open_workspace", open_workspace)
    return keyring


def save_profile(call: Called, served: ThreadedSandbox, *flags: str) -> None:
    """A profile whose keys come from the environment: `NCP_TUI_HOME` holds the rest."""
    folder = Path(call.program.environ["NCP_TUI_HOME"])
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "version = 1",
        'default = "prod"',
        "[profiles.prod]",
        f'access_key = "{served.sandbox.access_key}"',
        f'gateway_url = "{served.url}"',
        'site = "public"',
        'region = "KR"',
        'store = "keyring"',
        *flags,
    ]
    (folder / "profiles.toml").write_text("\n".join(lines))
