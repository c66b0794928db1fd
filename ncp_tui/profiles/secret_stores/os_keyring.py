"""Secret keys in the keyring of the operating system, asked on a thread that may hang.

Which keyring this platform has is chosen by name, never searched for: `keyring.get_keyring()` imports every backend
there is (100 ms and up to 15 child processes on Linux), obeys `PYTHON_KEYRING_BACKEND`, and takes a backend that stores
plain text when one happens to be installed. So the one class is constructed here. This module imports nothing of
keyring itself: the factories do, on the thread that calls them.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile, StoreName
from ncp_tui.profiles.secret_stores.errors import (
    UNCHANGED,
    CannotStore,
    DamagedSecret,
    KeyringFailed,
    KeyringLocked,
    KeyringSilent,
    NoKeyring,
)
from ncp_tui.profiles.secret_stores.protocol import (
    SILENT_SECONDS,
    USER_NAME,
    WINDOW_SECONDS,
    decode,
    encode,
    service_of,
)
from ncp_tui.system.blocking import run_blocking

BUS_VARIABLE = "DBUS_SESSION_BUS_ADDRESS"


IMPORT_SECONDS = 2.0
"""What the first operation may take on top, to read the libraries from a slow or busy disk; usually 0.1 s."""


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


_MOST_DUPLICATES = 4
_UNLOCK = "ncp-tui:unlock"
"""The service that is read only to have the keyring open: it has no item."""
_ASKED_IN_VAIN = "Its prompt was closed without the password, or there is no desktop to show it on. " + UNCHANGED
_UNKNOWN = "Whether the keyring was changed is unknown."

T = TypeVar("T")


class KeyringStore:
    """A SecretStore in the OS keyring: one item for each profile, service `ncp-tui:<profile>`, user `credentials`.

    Every method raises NoKeyring, KeyringLocked, KeyringSilent or KeyringFailed when the keyring cannot be asked,
    within the keyring's own `seconds` for each step. No prompt is opened, except by `unlock`.
    """

    name: StoreName = "keyring"

    def __init__(self, keyring: Keyring | None = None) -> None:
        self._keyring = keyring or keyring_of(sys.platform, os.environ)

    def describe(self) -> str:
        """Where the keys are, in plain words."""
        return f"OS keyring ({self._keyring.title})"

    async def check(self) -> None:
        """Ask the keyring for an item that is not there. Raises why it cannot be asked."""
        await self._ask(lambda backend: backend.get_password(_UNLOCK, USER_NAME))

    async def load(self, profile: Profile) -> SecretKey | None:
        """The secret key of `profile`; None when there is none. Raises also OtherAccessKey, DamagedSecret."""

        def load(backend: Backend) -> SecretKey | None:
            text = _text(backend, profile)
            return None if text is None else decode(profile, text)

        return await self._ask(load)

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        """Keep `secret_key` for `profile`, and read it back. Raises also CannotStore."""
        await self._ask(lambda backend: _save(backend, profile, secret_key), steps=4, given_up=_UNKNOWN)

    async def delete(self, profile: Profile) -> None:
        """Forget the secret key of `profile`, if there is one. Raises also CannotStore when it does not go away."""
        await self._ask(lambda backend: _delete(backend, profile), steps=3, given_up=_UNKNOWN)

    async def rename(self, old: Profile, new: Profile) -> None:
        """Move the secret key of `old` to `new`; the old one goes when the new one has been read back."""

        def rename(backend: Backend) -> None:
            text = _text(backend, old)
            if text is None:
                return
            secret_key = decode(old, text)
            _save(backend, new, secret_key)
            _delete(backend, old)
            if old.name.casefold() == new.name.casefold():
                # Windows does not tell upper and lower case apart, so that was the new item as well.
                _save(backend, new, secret_key)

        if old.name != new.name:
            await self._ask(rename, steps=8, given_up=_UNKNOWN)

    async def unlock(self, seconds: float = WINDOW_SECONDS) -> None:
        """Let the keyring ask the user for its password, where it does. Wanted by the user, who may cancel the task.

        Raises KeyringLocked when the keyring stays locked.
        """
        await self._ask(lambda backend: backend.get_password(_UNLOCK, USER_NAME), prompt=True, seconds=seconds)

    async def _ask(
        self,
        action: Callable[[Backend], T],
        *,
        steps: int = 1,
        given_up: str | None = None,
        prompt: bool = False,
        seconds: float | None = None,
    ) -> T:
        """`action` on a daemon thread; `given_up` is what silence means for the stored key when not "unchanged"."""
        keyring = self._keyring
        limit = (keyring.seconds if seconds is None else seconds) * steps

        def guarded() -> T:
            # What is raised is cut off from where it came from: a crash report prints the local variables of every
            # frame, and those below hold the secret. For the same reason no text of a library is passed on.
            try:
                return action(keyring.connect(prompt))
            except Problem as fault:
                problem = fault.with_traceback(None)
            except Exception as fault:  # noqa: BLE001 - keyring raises whatever the layers below it raise
                problem = _problem(fault, limit)
            problem.__context__ = problem.__cause__ = None
            raise problem

        try:
            return await run_blocking(guarded, limit)
        except KeyringLocked as problem:
            if prompt and problem.by_prompt:
                problem.meaning = _ASKED_IN_VAIN
            elif keyring.has_prompt and problem.by_prompt:
                problem.unlocker = self
            raise
        except TimeoutError:
            silent = KeyringSilent(limit)
        except KeyringSilent as problem:
            silent = problem
        if given_up:
            silent.meaning = given_up
        raise silent


def _text(backend: Backend, profile: Profile) -> str | None:
    """What is stored for `profile`; None for nothing, and an empty text for what another program left that is no text.

    None of ours is empty: it is then read as damaged, and can be replaced and deleted as any other.
    """
    try:
        return backend.get_password(service_of(profile), USER_NAME)
    except (UnicodeDecodeError, DamagedSecret):
        return ""


def _save(backend: Backend, profile: Profile, secret_key: SecretKey) -> None:
    """Store and read back; put the old text back when that fails.

    On macOS and Windows storing is "delete, then add", so a failure in between would lose the old key.
    """
    service = service_of(profile)
    document = encode(profile, secret_key)
    old = _text(backend, profile)
    try:
        backend.set_password(service, USER_NAME, document)
        _check_kept(_text(backend, profile), document)
    except KeyringSilent:
        raise  # a second attempt would wait as long, and the first may still be carried out
    except Exception:
        if old:
            with contextlib.suppress(Exception):
                backend.set_password(service, USER_NAME, old)
        raise


def _check_kept(kept: str | None, document: str) -> None:
    if kept is None or not hmac.compare_digest(kept.encode(), document.encode()):
        raise CannotStore


def _delete(backend: Backend, profile: Profile) -> None:
    # Another program may have stored several items under these attributes, and keyring deletes one at a time.
    for _ in range(_MOST_DUPLICATES):
        if _text(backend, profile) is None:
            return
        backend.delete_password(service_of(profile), USER_NAME)
    if _text(backend, profile) is not None:
        raise CannotStore(f"The OS keyring did not delete the key of profile {profile.name}.")


def _problem(fault: Exception, seconds: float) -> Problem:
    """A fault of keyring as one of ours, told by its class: its text may hold what was stored."""
    from keyring.errors import KeyringLocked as Locked  # on the thread only
    from keyring.errors import NoKeyringError

    match fault:
        case TimeoutError():
            return KeyringSilent(seconds)
        case Locked():
            return KeyringLocked()
        case NoKeyringError() | ImportError():
            return NoKeyring()
    return KeyringFailed(type(fault).__name__)
