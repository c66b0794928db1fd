"""A keyring in one encrypted file, for hosts that have none: a backend of the `keyring` package, constructed by name.

Only imported on a daemon thread: `keyring` takes 25 ms to import and `cryptography` as long.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.compat import properties

from ncp_tui.profiles.secret_stores.errors import KeyFileFailed
from ncp_tui.profiles.secret_stores.key_file import (
    KeyFile,
    SessionKey,
    derivation_of,
    derive,
    new_derivation,
    seal,
    unseal,
    usual_log2_n,
)
from ncp_tui.profiles.secret_stores.passphrase import Locked, Passphrase

CONTENT_VERSION = 1

_Items = dict[str, dict[str, str]]
"""The texts by service, then by user name."""


class EncryptedKeyring(KeyringBackend):
    """All keys in the file `path`, opened by one passphrase per session. Its methods block.

    They raise Locked, WrongPassphrase, UnsafeKeyFile, KeyFileSilent, KeyFileFailed or OSError, and whatever they raise,
    the file is as it was. A change takes the file's lock and reads the file again, so two programs lose no key.
    `log2_n` gives the scrypt setting when a file is created; without it the free memory of this host decides.
    """

    def __init__(self, path: Path, *, lock_seconds: float, log2_n: Callable[[], int] | None = None) -> None:
        # Not calling keyring's own constructor: it sets any attribute named by a KEYRING_PROPERTY_ variable.
        self._path = path
        self._file = KeyFile(path, lock_seconds)
        self._log2_n = log2_n or usual_log2_n
        self._session: SessionKey | None = None
        self._is_new = False

    @properties.classproperty
    def priority(cls) -> float:  # noqa: N805 - a property of the class, as keyring has it
        """None: `keyring.get_keyring()` in this process never finds this class."""
        raise RuntimeError("ncp-tui constructs this keyring by name")

    def __str__(self) -> str:
        return f"EncryptedKeyring({self._path})"  # keyring's own shows the priority

    __repr__ = __str__

    @property
    def is_open(self) -> bool:
        """Whether the key of the session is known."""
        return self._session is not None

    def open(self, passphrase: Passphrase, *, creating: bool) -> None:
        """Derive the session's key. With `creating` nothing is written yet: that is left to the first key saved.

        Raises InvalidPassphrase for a new passphrase that is too short.
        """
        file = self._file.read()
        if creating is not (file is None):
            raise Locked(creating=file is None)
        if file is None:
            passphrase.check_new()
            session = derive(passphrase, new_derivation(self._log2_n()))
        else:
            session = derive(passphrase, derivation_of(file))
            unseal(session, file)
        self._session, self._is_new = session, creating

    def get_password(self, service: str, username: str) -> str | None:
        """The stored text, or None. Where there is no file, no passphrase is needed."""
        file = self._file.read()
        return None if file is None else self._items(file)[1].get(service, {}).get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a text, and read the file back."""

        def change(items: _Items) -> None:
            items.setdefault(service, {})[username] = password

        self._change(change)

    def delete_password(self, service: str, username: str) -> None:
        """Remove the text, if there is one."""

        def change(items: _Items) -> None:
            items.get(service, {}).pop(username, None)

        if self.get_password(service, username) is not None:
            self._change(change)

    def _change(self, change: Callable[[_Items], None]) -> None:
        self._items(self._file.read())  # a store that is not open makes no folder and no lock
        with self._file.locked():
            session, items = self._items(self._file.read())
            change(items)
            self._file.write(seal(session, _written({name: users for name, users in items.items() if users})))
            self._is_new = False

    def _items(self, file: bytes | None) -> tuple[SessionKey, _Items]:
        """What `file` holds, and the key it opened with."""
        session = self._session
        if file is None:
            if session is None or not self._is_new:
                raise Locked(creating=True)
            return session, {}
        if session is None or derivation_of(file) != session.derivation:
            derivation_of(file)  # a file that no passphrase opens is told at once
            self._session = None
            raise Locked(creating=False)
        return session, _read(unseal(session, file))


def _written(items: _Items) -> bytes:
    return json.dumps({"v": CONTENT_VERSION, "items": items}, separators=(",", ":")).encode()


def _read(content: bytes) -> _Items:
    document = json.loads(content)
    if document["v"] != CONTENT_VERSION:
        raise KeyFileFailed("it was written by a newer ncp-tui", next_step="Update ncp-tui.")
    items: _Items = document["items"]
    return items
