r"""The bytes of an encrypted key file: what they say in clear, how they are sealed, and that nothing else is accepted.

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

import hashlib
import secrets
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ncp_tui.profiles.secret_stores.errors import NoKeyFileHere, WrongPassphrase
from ncp_tui.profiles.secret_stores.passphrase import Passphrase
from ncp_tui.system.secret_value import SecretValue

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
    """What a file asks for. Raises WrongPassphrase for anything this program would not have asked for."""
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
