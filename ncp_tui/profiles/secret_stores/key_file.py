r"""The encrypted key file: read only when no other user can have touched it, written whole or not at all.

Its bytes, of which nothing else is accepted:

    magic and version  15 bytes   b"ncp-tui keys 1\n"
    scrypt             3 bytes    log2 of N, r, p
    salt               16 bytes   of the passphrase; made when the file is created
    write salt         16 bytes   new at every write
    nonce              12 bytes   new at every write
    sealed content     the rest   ChaCha20-Poly1305, with all that stands before it as its associated data

scrypt turns the passphrase into the session's key, once. Each write seals under a key of its own, made from that key
and the write salt (HKDF-SHA256), so the passphrase need not be kept to give every write a fresh salt. The clear part is
of fixed size and is taken as it stands: there is nothing in it to be parsed in two ways.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from filelock import FileLock, Timeout

from ncp_tui.profiles.secret_stores.errors import (
    KeyFileFailed,
    KeyFileSilent,
    NoKeyFileHere,
    UnsafeKeyFile,
    WrongPassphrase,
)
from ncp_tui.profiles.secret_stores.passphrase import Passphrase
from ncp_tui.system.paths import make_private_directory
from ncp_tui.system.private_files import foreign_owner, remove_leftovers, write_atomically
from ncp_tui.system.secret_value import SecretValue

LARGEST = 1 << 20
"""Bytes; a profile takes about 150."""

_OTHERS = 0o077
_OTHERS_WRITE = 0o022
_NOT_READ = "No key was read from it, and nothing was changed."


class KeyFile:
    """A file of mode 0600 in a folder of mode 0700, both of the user alone.

    Its methods block, and raise UnsafeKeyFile, KeyFileSilent, KeyFileFailed or OSError; the file is then as it was.
    """

    def __init__(self, path: Path, lock_seconds: float) -> None:
        self._path = path
        self._lock_seconds = lock_seconds

    def read(self) -> bytes | None:
        """The whole file; None when there is none."""
        # A link of that name could lead to another's file, and a pipe would be waited for.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            self._check_folder()
            if self._path.is_symlink():
                raise UnsafeKeyFile(
                    f"{self._path} is a symbolic link.", _NOT_READ, "Put the file itself there, with mode 600."
                )
            handle = os.open(self._path, flags)
        except FileNotFoundError:
            return None
        with os.fdopen(handle, "rb") as file:
            self._check(os.fstat(handle))
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise KeyFileFailed(f"it is larger than {LARGEST >> 20} MiB", next_step=f"Check {self._path}.")
        return data

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer. Raises KeyFileSilent when another has been writing for too long."""
        make_private_directory(self._path.parent)
        lock = FileLock(f"{self._path}.lock", timeout=self._lock_seconds, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise KeyFileSilent(self._lock_seconds) from None
        try:
            yield
        finally:
            lock.release()

    def write(self, data: bytes) -> None:
        """Replace the file, and read it back. Only inside of `locked`."""
        remove_leftovers(self._path)
        write_atomically(self._path, data)
        if self.read() != data:
            raise KeyFileFailed("it does not hold what was written", "The key may not be saved.")

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeKeyFile(f"{self._path} is not a file.", _NOT_READ, "Move it away.")
        self._check_owner(self._path, status)
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OTHERS and os.name == "posix":
            raise UnsafeKeyFile(
                f"{self._path} is open to other users (mode {mode:04o}).",
                f"They may have copied it, and can guess its passphrase. {_NOT_READ}",
                f"Close it to other users: chmod 600 {self._path}",
            )

    def _check_folder(self) -> None:
        """Who can write the folder can put another file in the place of this one."""
        folder = self._path.parent
        status = folder.stat()
        self._check_owner(folder, status)
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OTHERS_WRITE and os.name == "posix":
            raise UnsafeKeyFile(
                f"Other users can write in {folder} (mode {mode:04o}).",
                f"They could replace the key file. {_NOT_READ}",
                f"Close it to other users: chmod 700 {folder}",
            )

    def _check_owner(self, path: Path, status: os.stat_result) -> None:
        if os.name == "posix" and status.st_uid != os.geteuid():
            what, fix = foreign_owner(path, status)
            raise UnsafeKeyFile(what, _NOT_READ, fix)


MAGIC = b"ncp-tui keys 1\n"

BLOCK = 8
"""scrypt's r, as everywhere. With it N = 2^17 takes 128 MiB."""

LEAST_LOG2_N, MOST_LOG2_N, MOST_PARALLEL = 10, 17, 4
"""What a file may ask for: 128 MiB and four times the usual 0.4 s. The header can only be authenticated after the
derivation it asks for, so what it asks for is bounded first."""

_HEADER = struct.Struct(">15s3B16s16s12s")
_KEY_BYTES = 32
_TAG_BYTES = 16
_PURPOSE = b"ncp-tui key file, one write"


@dataclass(frozen=True)
class Derivation:
    """How a passphrase becomes a key: scrypt with N = 2^`log2_n`, r = 8 and `parallel`, over `salt`."""

    log2_n: int
    salt: bytes
    parallel: int = 1

    @property
    def memory(self) -> int:
        """Bytes that deriving takes."""
        return 128 * BLOCK << self.log2_n


@dataclass(frozen=True)
class SessionKey:
    """A derived key, and the derivation it came from: it opens the files that name this one, and no others."""

    derivation: Derivation
    key: SecretValue[bytes]


def new_derivation(log2_n: int) -> Derivation:
    """A derivation for a new file."""
    return Derivation(log2_n, secrets.token_bytes(16))


def derive(passphrase: Passphrase, derivation: Derivation) -> SessionKey:
    """The key of a passphrase: 0.4 s and 128 MiB at the usual setting. Blocks, without holding the interpreter.

    Raises MemoryError where the memory is not to be had, and NoKeyFileHere where the host has no scrypt.
    """
    try:
        key = hashlib.scrypt(
            passphrase.masked.reveal(),
            salt=derivation.salt,
            n=1 << derivation.log2_n,
            r=BLOCK,
            p=derivation.parallel,
            maxmem=derivation.memory + (1 << 20),  # OpenSSL counts its own few blocks as well
            dklen=_KEY_BYTES,
        )
    except AttributeError:  # a Python that was built without it
        raise NoKeyFileHere from None
    except ValueError as fault:
        if "malloc" in str(fault):  # what OpenSSL says when it gets no memory
            raise MemoryError from None
        raise NoKeyFileHere from None  # what it asks for is bounded, so it is the host that refuses
    return SessionKey(derivation, SecretValue(key))


def seal(session: SessionKey, content: bytes) -> bytes:
    """A whole file that holds `content`."""
    derivation = session.derivation
    write_salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    scrypt = (derivation.log2_n, BLOCK, derivation.parallel)
    header = _HEADER.pack(MAGIC, *scrypt, derivation.salt, write_salt, nonce)
    return header + _cipher(session, write_salt).encrypt(nonce, content, header)


def unseal(session: SessionKey, file: bytes) -> bytes:
    """The content of a file. Raises WrongPassphrase, which also stands for any byte that is not as it was written."""
    if derivation_of(file) != session.derivation:
        raise WrongPassphrase
    header, sealed = file[: _HEADER.size], file[_HEADER.size :]
    *_, write_salt, nonce = _HEADER.unpack(header)
    try:
        return _cipher(session, write_salt).decrypt(nonce, sealed, header)
    except InvalidTag:
        raise WrongPassphrase from None


def derivation_of(file: bytes) -> Derivation:
    """The derivation that a file needs. Raises WrongPassphrase for one that this program would not have written."""
    if len(file) < _HEADER.size + _TAG_BYTES:
        raise WrongPassphrase
    magic, log2_n, block, parallel, salt, _, _ = _HEADER.unpack(file[: _HEADER.size])
    sensible = LEAST_LOG2_N <= log2_n <= MOST_LOG2_N and block == BLOCK and 1 <= parallel <= MOST_PARALLEL
    if magic != MAGIC or not sensible:
        raise WrongPassphrase
    return Derivation(log2_n, salt, parallel)


def check_host() -> None:
    """Try whether this host can do all that a key file takes, at a cost of nothing. Raises NoKeyFileHere."""
    session = derive(Passphrase("only to try it out"), Derivation(LEAST_LOG2_N, bytes(16)))
    seal(session, b"")


def _cipher(session: SessionKey, write_salt: bytes) -> ChaCha20Poly1305:
    try:
        return ChaCha20Poly1305(HKDF(SHA256(), _KEY_BYTES, write_salt, _PURPOSE).derive(session.key.reveal()))
    except UnsupportedAlgorithm:
        raise NoKeyFileHere from None


USUAL_LOG2_N = 17
"""128 MiB, 0.4 s on one 2.5 GHz core."""

SMALLEST_LOG2_N = 15
"""32 MiB, 0.1 s. Less would make guessing too cheap to be called protection."""

SHARE = 4
"""At most a quarter of the memory that is available is taken, for half a second."""

_MEMINFO = Path("/proc/meminfo")
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
_AVAILABLE = re.compile(r"^MemAvailable:\s*(\d+) kB$", re.MULTILINE)


def scrypt_cost_for(available: int | None) -> int:
    """The scrypt setting for a new file on a host with `available` bytes; the usual one where that is not known."""
    if available is None:
        return USUAL_LOG2_N
    choices = range(USUAL_LOG2_N, SMALLEST_LOG2_N, -1)
    return next((log2_n for log2_n in choices if (1024 << log2_n) * SHARE <= available), SMALLEST_LOG2_N)


def usual_log2_n() -> int:
    """The scrypt setting for a new file on this host."""
    return scrypt_cost_for(available_memory())


def available_memory(meminfo: Path = _MEMINFO, container_limit: Path = _CONTAINER_LIMIT) -> int | None:
    """Bytes that can be had without swapping, and within the limit of a container; None where Linux does not tell."""
    found = _AVAILABLE.search(_text(meminfo))
    limit = _text(container_limit).strip()
    known = [int(found[1]) * 1024] if found else []
    known += [int(limit)] if limit.isdecimal() else []
    return min(known, default=None)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
