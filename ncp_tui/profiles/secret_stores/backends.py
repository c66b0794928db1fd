"""Which keyring this platform has: chosen by name, never searched for.

`keyring.get_keyring()` imports every backend there is (100 ms and up to 15 child processes on Linux), obeys
`PYTHON_KEYRING_BACKEND`, and takes a backend that stores plain text when one happens to be installed. So the one class
is constructed here. This module imports nothing of keyring itself: the factories do, on the thread that calls them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ncp_tui.profiles.secret_stores.problems import NoKeyring

BUS_VARIABLE = "DBUS_SESSION_BUS_ADDRESS"

SILENT_SECONDS = 3.0
"""How long one silent operation (a read, say) may take in all; gh waits as long. A healthy read takes 16 ms."""

IMPORT_SECONDS = 2.0
"""What the first operation may take on top, to read the libraries from a slow or busy disk; usually 0.1 s."""

WINDOW_SECONDS = 60.0
"""How long an operation may take where a window of the system may ask the user, who has to find it first."""


class Backend(Protocol):
    """What is used of `keyring.backend.KeyringBackend`."""

    def get_password(self, service: str, username: str) -> str | None:
        """The stored text, or None."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a text."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Remove the text."""
        ...


@dataclass(frozen=True)
class Keyring:
    """A platform's keyring.

    `title` names it for the user. `connect` makes the backend: quietly, or (True) allowed to open a prompt. It runs on
    a daemon thread and raises NoKeyring. `seconds` is the time for one operation. `has_prompt` says that it stays
    locked until it is allowed to open a prompt.
    """

    title: str
    connect: Callable[[bool], Backend]
    seconds: float
    has_prompt: bool = False


def keyring_of(platform: str, environ: Mapping[str, str]) -> Keyring:
    """The keyring of a platform (`sys.platform`), whether or not it answers."""
    if platform == "darwin":
        return Keyring("macOS Keychain", _macos_backend, WINDOW_SECONDS)
    if platform == "win32":
        return Keyring("Windows Credential Manager", _windows_backend, WINDOW_SECONDS)
    # The backend itself keeps to SILENT_SECONDS once it is there.
    seconds = SILENT_SECONDS + IMPORT_SECONDS
    return Keyring("Secret Service", lambda prompt: _secret_service_backend(environ, prompt), seconds, True)


def bus_address(environ: Mapping[str, str], user_bus: Path | None = None) -> str | None:
    """The session bus's address; None when there is none. `user_bus` is the socket systemd makes for each user."""
    address = environ.get(BUS_VARIABLE, "").strip()
    if address:
        return address
    if user_bus is None:
        user_bus = Path(f"/run/user/{os.getuid()}/bus")
    return f"unix:path={user_bus}" if user_bus.exists() else None


def _secret_service_backend(environ: Mapping[str, str], prompt: bool) -> Backend:
    address = bus_address(environ)
    if address is None:  # known at once, before 100 ms of imports
        raise NoKeyring(f"{BUS_VARIABLE} is not set.")
    from ncp_tui.profiles.secret_stores.secret_service import TimedSecretService  # on the thread only

    return TimedSecretService(address, may_prompt=prompt)


def _macos_backend(prompt: bool) -> Backend:  # noqa: ARG001 - the Keychain asks in a window of its own, always
    from keyring.backends import macOS  # on the thread only

    backend: macOS.Keyring = macOS.Keyring()  # type: ignore[no-untyped-call]
    backend.keychain = None  # KEYCHAIN_PATH would print a warning into the screen and change nothing
    return backend


def _windows_backend(prompt: bool) -> Backend:  # noqa: ARG001 - the Credential Manager has no lock of its own
    from keyring.backends import Windows  # on the thread only

    backend = Windows.WinVaultKeyring()  # type: ignore[no-untyped-call]
    backend.persist = "local machine"  # the default, enterprise, roams with the user's Windows profile
    return backend
