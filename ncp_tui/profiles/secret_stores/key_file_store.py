"""Secret keys in an encrypted file, opened by a passphrase once per session."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile, StoreName
from ncp_tui.profiles.secret_stores.errors import (
    InvalidPassphrase,
    KeyFileFailed,
    KeyFileSilent,
    WrongPassphrase,
)
from ncp_tui.profiles.secret_stores.passphrase import (
    PASSPHRASE_VARIABLE,
    Locked,
    Passphrase,
    PassphraseNeeded,
    read_passphrase_file,
)
from ncp_tui.profiles.secret_stores.protocol import USER_NAME, decode, encode, service_of
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import KEY_FILE_SECONDS

if TYPE_CHECKING:
    from ncp_tui.profiles.secret_stores.encrypted_keyring import EncryptedKeyring

LOCK_SECONDS = 5.0
DERIVING_SECONDS = 60.0
"""For a passphrase: 0.4 s on an idle machine, and more than that only on one that swaps."""

_UNKNOWN = "Whether the key file was changed is unknown."

T = TypeVar("T")


class KeyFileStore:
    """A SecretStore in the encrypted file `path`: one item for each profile, named as in the OS keyring.

    Every method raises PassphraseNeeded until `open` was called, unless there is nothing to open; with a
    `passphrase_file` the store opens itself. KeyFileSilent, KeyFileFailed and UnsafeKeyFile come within bounded time.
    """

    name: StoreName = "file"

    def __init__(
        self,
        path: Path,
        *,
        passphrase_file: Path | None = None,
        log2_n: Callable[[], int] | None = None,
    ) -> None:
        self._path = path
        self._passphrase_file = passphrase_file
        self._log2_n = log2_n
        self._backend: EncryptedKeyring | None = None
        self._making = threading.Lock()

    @property
    def place(self) -> str:
        """The file, with the user's home as `~`."""
        home = os.path.expanduser("~")  # noqa: PTH111 - Path.home raises where there is none
        path = str(self._path)
        return f"~{path.removeprefix(home)}" if path.startswith(home + os.sep) else path

    @property
    def is_open(self) -> bool:
        """Whether the passphrase has been given in this session."""
        return self._backend is not None and self._backend.is_open

    def describe(self) -> str:
        """Where the keys are, in plain words."""
        return f"encrypted file ({self.place})"

    async def open(self, passphrase: Passphrase, *, creating: bool) -> None:
        """Open the file with its passphrase, or choose the passphrase of the file that the first key will create."""
        await self._on_thread(lambda backend: backend.open(passphrase, creating=creating), DERIVING_SECONDS)

    async def check(self) -> None:
        """Try the ciphers, without a passphrase and without the file. Raises NoKeyFileHere, KeyFileSilent."""

        def check(_: EncryptedKeyring) -> None:
            from ncp_tui.profiles.secret_stores.key_file import check_host  # on the thread only

            check_host()

        await self._on_thread(check, KEY_FILE_SECONDS)

    async def load(self, profile: Profile) -> SecretKey | None:
        """The secret key of `profile`; None when there is none. Raises also OtherAccessKey, DamagedSecret."""

        def load(backend: EncryptedKeyring) -> SecretKey | None:
            text = backend.get_password(service_of(profile), USER_NAME)
            return None if text is None else decode(profile, text)

        return await self._ask(load)

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        """Keep `secret_key` for `profile`, and read it back."""
        await self._ask(lambda backend: _save(backend, profile, secret_key), given_up=_UNKNOWN)

    async def delete(self, profile: Profile) -> None:
        """Forget the secret key of `profile`, if there is one."""
        await self._ask(lambda backend: backend.delete_password(service_of(profile), USER_NAME), given_up=_UNKNOWN)

    async def rename(self, old: Profile, new: Profile) -> None:
        """Move the secret key of `old` to `new`; the old one goes when the new one has been read back."""

        def rename(backend: EncryptedKeyring) -> None:
            text = backend.get_password(service_of(old), USER_NAME)
            if text is not None:
                _save(backend, new, decode(old, text))
                backend.delete_password(service_of(old), USER_NAME)

        if old.name != new.name:
            await self._ask(rename, given_up=_UNKNOWN)

    async def _ask(self, action: Callable[[EncryptedKeyring], T], *, given_up: str = "") -> T:
        """`action` on the open file; `given_up` is what silence means for the stored key when not "unchanged"."""
        try:
            return await self._on_thread(action, KEY_FILE_SECONDS, given_up)
        except PassphraseNeeded as problem:
            if self._passphrase_file is None:
                raise
            creating = problem.creating
        await self._open_by_file(self._passphrase_file, creating=creating)
        return await self._on_thread(action, KEY_FILE_SECONDS, given_up)

    async def _open_by_file(self, file: Path, *, creating: bool) -> None:
        correct = f"Correct the file that {PASSPHRASE_VARIABLE} names: {file}"
        try:
            passphrase = await self._on_thread(lambda _: read_passphrase_file(file), KEY_FILE_SECONDS)
        except KeyFileSilent as silent:
            raise InvalidPassphrase(f"{file} gave no passphrase in time.", silent.meaning, correct) from None
        try:
            await self.open(passphrase, creating=creating)
        except (WrongPassphrase, InvalidPassphrase) as problem:
            problem.next_step = correct
            raise

    async def _on_thread(self, action: Callable[[EncryptedKeyring], T], seconds: float, given_up: str = "") -> T:
        def guarded() -> T:
            # What is raised is cut off from where it came from: a crash report prints the local variables of every
            # frame, and those below hold keys. For the same reason no text of a library is passed on.
            try:
                return action(self._connect())
            except Problem as fault:
                problem = fault.with_traceback(None)
            except Locked as fault:
                problem = PassphraseNeeded(self, creating=fault.creating)
            except Exception as fault:  # noqa: BLE001 - whatever disk, cipher and system raise
                problem = self._problem(fault)
            problem.__context__ = problem.__cause__ = None
            raise problem

        try:
            return await run_blocking(guarded, seconds)
        except TimeoutError:
            silent = KeyFileSilent(seconds)
        except KeyFileSilent as problem:
            raise problem from None  # another program had the lock, so nothing was changed
        if given_up:
            silent.meaning = given_up
        raise silent

    def _connect(self) -> EncryptedKeyring:
        from ncp_tui.profiles.secret_stores.encrypted_keyring import EncryptedKeyring  # on the thread

        with self._making:
            if self._backend is None:
                self._backend = EncryptedKeyring(self._path, lock_seconds=LOCK_SECONDS, log2_n=self._log2_n)
            return self._backend

    def _problem(self, fault: Exception) -> Problem:
        """A fault as one of ours, told by its class: its text may hold what was stored."""
        if isinstance(fault, MemoryError):
            return KeyFileFailed(
                "not enough memory to check its passphrase",
                next_step="Opening it takes up to 128 MiB for half a second: free memory, then retry.",
            )
        if isinstance(fault, OSError) and fault.errno:
            return KeyFileFailed(
                os.strerror(fault.errno).lower(), next_step=f"Check free space and modes of {self._path.parent}."
            )
        return KeyFileFailed(type(fault).__name__)


def _save(backend: EncryptedKeyring, profile: Profile, secret_key: SecretKey) -> None:
    backend.set_password(service_of(profile), USER_NAME, encode(profile, secret_key))
