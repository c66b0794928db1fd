"""The Secret Service (GNOME Keyring, KWallet, KeePassXC) over D-Bus, such that it cannot hang and never asks by itself.

keyring's own backend waits for ever on a prompt on another screen, on a provider that sleeps, and on half a bus, and
it creates a collection when a *read* finds none. Here every call has a deadline, nothing is created, and a prompt is
refused where it would be sent. Only imported on a daemon thread: with what it needs it takes 100 ms.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import secretstorage
from jeepney import DBusErrorResponse, HeaderFields, Message
from jeepney.auth import AuthenticationError
from jeepney.bus import get_bus
from jeepney.io.blocking import DBusConnection, prep_socket
from keyring.backends import SecretService
from keyring.errors import PasswordDeleteError
from secretstorage.exceptions import (
    ItemNotFoundException,
    LockedException,
    SecretServiceNotAvailableException,
)
from secretstorage.util import add_match_rules

from ncp_tui.problem import Problem
from ncp_tui.profiles.secret_stores.errors import (
    DamagedSecret,
    KeyringFailed,
    KeyringLocked,
    KeyringSilent,
    NoKeyring,
)
from ncp_tui.profiles.secret_stores.protocol import SILENT_SECONDS, WINDOW_SECONDS

GREETING_SECONDS = 1.0
CALL_SECONDS = 2.0

T = TypeVar("T")

_PROMPT_INTERFACE = "org.freedesktop.Secret.Prompt"
_IS_LOCKED = "org.freedesktop.Secret.Error.IsLocked"
_NO_REPLY = "org.freedesktop.DBus.Error.NoReply"


class TimedConnection(DBusConnection):  # type: ignore[misc]  # jeepney has no types
    """A bus connection whose every call has a deadline, and all of them together as well: `ends`, in monotonic time."""

    def __init__(self, sock: Any, *, may_prompt: bool, ends: float) -> None:
        self._may_prompt = may_prompt
        self._ends = ends
        sock.settimeout(CALL_SECONDS)  # for sending, to a bus that has stopped reading
        super().__init__(sock)

    def send_and_get_reply(self, message: Message, *, timeout: float | None = None) -> Message:  # noqa: ARG002
        """jeepney's, with our deadline; asking for a prompt is refused unless the user wanted one."""
        if message.header.fields.get(HeaderFields.interface) == _PROMPT_INTERFACE and not self._may_prompt:
            raise KeyringLocked
        return super().send_and_get_reply(message, timeout=min(CALL_SECONDS, self._seconds_left()))

    def recv_until_filtered(self, queue: deque[Message], *, timeout: float | None = None) -> Message:  # noqa: ARG002
        """jeepney's, with our deadline: waits for the end of a prompt."""
        return super().recv_until_filtered(queue, timeout=self._seconds_left())

    def _seconds_left(self) -> float:
        return max(self._ends - time.monotonic(), 0.0)


class TimedSecretService(SecretService.Keyring):
    """keyring's backend over a TimedConnection; every fault of the layers below comes out as a Problem."""

    priority = 0  # for those who call keyring.get_keyring() in this process: never chosen

    def __init__(self, address: str, *, may_prompt: bool = False) -> None:
        # Not calling keyring's own constructor: it sets any attribute named by a KEYRING_PROPERTY_ variable.
        self._address = address
        self._may_prompt = may_prompt

    def get_preferred_collection(self) -> secretstorage.Collection:
        """The default collection, unlocked. The caller closes its connection."""
        connection = self._connect()
        try:
            collection = secretstorage.Collection(connection)
            if collection.is_locked() and self._may_prompt:
                collection.unlock()
            self.unlock(collection)
        except BaseException:
            connection.close()
            raise
        return collection

    def unlock(self, item: secretstorage.Item | secretstorage.Collection) -> None:
        """The hook of keyring before an item is read; here it asks no user. Raises KeyringLocked."""
        if item.is_locked():
            raise KeyringLocked if isinstance(item, secretstorage.Collection) else _locked_by_itself()

    def get_password(self, service: str, username: str) -> str | None:
        """The stored text, or None. Raises a SecretStoreProblem."""
        plain = super().get_password
        text: str | None = _translated(lambda: plain(service, username))  # type: ignore[no-untyped-call]
        return text

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a text. Raises a SecretStoreProblem."""
        plain = super().set_password
        _translated(lambda: plain(service, username, password))  # type: ignore[no-untyped-call]

    def delete_password(self, service: str, username: str) -> None:
        """Remove the text, if there is one. Raises a SecretStoreProblem."""
        plain = super().delete_password
        with contextlib.suppress(PasswordDeleteError):
            _translated(lambda: plain(service, username))  # type: ignore[no-untyped-call]

    def _connect(self) -> TimedConnection:
        ends = time.monotonic() + (WINDOW_SECONDS if self._may_prompt else SILENT_SECONDS)
        sock = _open_socket(self._address)
        try:
            connection = TimedConnection(sock, may_prompt=self._may_prompt, ends=ends)
        except BaseException:
            sock.close()
            raise
        try:
            add_match_rules(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _locked_by_itself() -> KeyringLocked:
    """KeePassXC locks single items; its prompt is for the user to answer there."""
    return KeyringLocked("Your OS keyring is open, but the key in it is locked.", by_prompt=False)


def _open_socket(address: str) -> Any:
    """A socket that the bus has accepted. Raises NoKeyring unless it is only slow."""
    try:
        return prep_socket(get_bus(address), timeout=GREETING_SECONDS)
    except TimeoutError:
        raise
    except (OSError, RuntimeError, ValueError, StopIteration, AuthenticationError) as fault:
        reason = type(fault).__name__
    raise NoKeyring(f"The session bus cannot be used ({reason}).")


def _translated(action: Callable[[], T]) -> T:
    """What `action` returns; its faults as Problems that hold nothing of it, not even as their context."""
    try:
        return action()
    except (Problem, PasswordDeleteError):
        raise
    except Exception as fault:  # noqa: BLE001 - seven libraries below, each with errors of its own, AssertionError included
        problem = _problem(fault)
    raise problem


def _problem(fault: Exception) -> Problem:
    match fault:
        case TimeoutError():
            return KeyringSilent(SILENT_SECONDS)
        case UnicodeDecodeError():
            return DamagedSecret("The entry in the OS keyring is not text.")
        case LockedException():
            return KeyringLocked()
        case ItemNotFoundException():
            return KeyringLocked("Your OS keyring is locked or not set up yet.", by_prompt=False)
        case SecretServiceNotAvailableException() if _bus_error(fault.__cause__) != _NO_REPLY:
            return NoKeyring("No Secret Service is running on the session bus.")
        case DBusErrorResponse() if fault.name == _IS_LOCKED:
            return KeyringLocked()
    return KeyringFailed(type(fault).__name__)


def _bus_error(fault: BaseException | None) -> str | None:
    return fault.name if isinstance(fault, DBusErrorResponse) else None
