"""A gateway that takes every connection and never answers, and a home whose profiles all call it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.system.paths import paths_from

ACCESS_KEY = "DEADGATEWAY000000A7K"
KEYRING = f"""
from ncp_tui.profiles.secret_stores import os_keyring
class Keyring:
    def get_password(self, service, username):
        return '{{"v":1,"ak":"{ACCESS_KEY}","sk":"a-secret-key-that-opens-nothing-at-all00"}}'
os_keyring._secret_service_backend = lambda *_: Keyring()
"""
"""Code to run before the program: a keyring that has a key for every profile."""


@contextmanager
def dead_gateway() -> Iterator[str]:
    """The URL of a port on loopback where the system accepts and nobody reads."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def add_profiles(home: Path, url: str, names: Sequence[str]) -> None:
    """Save profiles that call `url` for a terminal with this `home`; the first is the default."""
    store = ProfileStore(paths_from({"NCP_TUI_HOME": str(home / "ncp-tui")}))
    for name in names:
        store.add(Profile(name=name, access_key=ACCESS_KEY, gateway_url=url, store="keyring"))
    store.set_default(names[0])
