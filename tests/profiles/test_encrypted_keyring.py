"""The encrypted key file: it opens with its passphrase or not at all, and no write loses a key."""

# ruff: noqa: ASYNC240 - a test may look at its files from where it stands

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import stat
import struct
import subprocess
import sys
import threading
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from filelock import FileLock

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores import key_file, key_file_store
from ncp_tui.profiles.secret_stores.encrypted_keyring import EncryptedKeyring
from ncp_tui.profiles.secret_stores.errors import (
    InvalidPassphrase,
    KeyFileFailed,
    KeyFileSilent,
    NoKeyFileHere,
    OtherAccessKey,
    SecretStoreProblem,
    UnsafeKeyFile,
    WrongPassphrase,
)
from ncp_tui.profiles.secret_stores.key_file import (
    Derivation,
    SessionKey,
    available_memory,
    derivation_of,
    derive,
    new_derivation,
    scrypt_cost_for,
    seal,
    unseal,
)
from ncp_tui.profiles.secret_stores.key_file_store import KeyFileStore
from ncp_tui.profiles.secret_stores.passphrase import PASSPHRASE_VARIABLE, Passphrase, PassphraseNeeded
from ncp_tui.system.secret_value import SecretValue
from tests.tables import each_row

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
SECRET = SecretKey(CANARY)
PHRASE = "비밀 horse battery CANARY"
PROFILE = Profile(name="prod", access_key="AKIDEXAMPLE123456789", store="file")
RENAMED = Profile(name="live", access_key=PROFILE.access_key, store="file")
CHEAP = 10
"""1 MiB and 3 ms: the least that a file may ask for."""

posix_modes = pytest.mark.skipif(os.name != "posix", reason="modes and owners of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys.enc"


def store_at(path: Path, passphrase_file: Path | None = None) -> KeyFileStore:
    return KeyFileStore(path, passphrase_file=passphrase_file, log2_n=lambda: CHEAP)


async def opened(path: Path, phrase: str = PHRASE) -> KeyFileStore:
    store = store_at(path)
    await store.open(Passphrase(phrase), creating=not path.exists())
    return store


async def filled(path: Path) -> KeyFileStore:
    store = await opened(path)
    await store.save(PROFILE, SECRET)
    return store


# The format


@pytest.fixture(scope="module")
def session() -> SessionKey:
    return derive(Passphrase(PHRASE), new_derivation(CHEAP))


def test_what_is_sealed_is_unsealed(session: SessionKey) -> None:
    file = seal(session, b"content")
    again = derive(Passphrase(PHRASE), derivation_of(file))
    assert unseal(again, file) == b"content"
    assert file.startswith(b"ncp-tui keys 1\n")
    assert b"content" not in file


def test_every_write_has_its_own_salt_and_nonce(session: SessionKey) -> None:
    """The same key with the same nonce twice would give away both contents."""
    one, two = seal(session, b"content"), seal(session, b"content")
    assert one[:34] == two[:34], "the passphrase's salt stays, so that the session's key goes on opening the file"
    assert one[34:50] != two[34:50]
    assert one[50:62] != two[50:62]
    assert one[62:] != two[62:]


def test_every_changed_byte_is_found_out(session: SessionKey) -> None:
    """The clear part too: it is the associated data of the rest."""
    file = seal(session, b"content")
    for place in range(len(file)):
        for bit in (1, 0x80):
            changed = bytearray(file)
            changed[place] ^= bit
            with pytest.raises(WrongPassphrase):
                unseal(session, bytes(changed))
    with pytest.raises(WrongPassphrase):
        unseal(session, file + b"\0")


def test_every_truncation_is_found_out(session: SessionKey) -> None:
    file = seal(session, b"content")
    for length in range(len(file)):
        with pytest.raises(WrongPassphrase):
            unseal(session, file[:length])


@pytest.mark.parametrize(
    "scrypt",
    [
        *((log2_n, 8, 1) for log2_n in (0, 9, 18, 63, 255)),
        *((CHEAP, block, 1) for block in (0, 1, 9, 255)),
        *((CHEAP, 8, parallel) for parallel in (0, 5, 255)),
    ],
)
def test_absurd_parameters_are_refused_without_deriving(
    session: SessionKey, scrypt: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header cannot be authenticated before the derivation it asks for: a changed one could ask for a terabyte."""
    monkeypatch.setattr("hashlib.scrypt", lambda *_, **__: pytest.fail("derived"))
    file = bytearray(seal(session, b"content"))
    file[15:18] = struct.pack(">3B", *scrypt)
    with pytest.raises(WrongPassphrase):
        derivation_of(bytes(file))


def test_the_most_that_a_file_may_ask_for_is_128_mib() -> None:
    assert Derivation(key_file.MOST_LOG2_N, b"").memory == 128 << 20


def test_no_memory_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """In OpenSSL's words, which are the only sign it gives."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError("[digital envelope routines] malloc failure")

    monkeypatch.setattr("hashlib.scrypt", fail)
    with pytest.raises(MemoryError):
        derive(Passphrase(PHRASE), new_derivation(CHEAP))


@pytest.mark.parametrize("missing", ["refused", "not built in", "no cipher"])
async def test_a_host_without_what_it_takes(path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """A host in FIPS mode: "ValueError ... Try again" sends nobody to the keyring or the environment."""

    def refuse(*_: object, **__: object) -> None:
        raise ValueError("[digital envelope routines] unsupported")

    def unknown(*_: object) -> None:
        raise UnsupportedAlgorithm("ChaCha20Poly1305 is not supported by this version of OpenSSL")

    if missing == "refused":
        monkeypatch.setattr("hashlib.scrypt", refuse)
    elif missing == "not built in":
        monkeypatch.delattr("hashlib.scrypt")
    else:
        monkeypatch.setattr(key_file, "ChaCha20Poly1305", unknown)
    with pytest.raises(NoKeyFileHere) as caught:
        key_file.check_host()
    assert "FIPS" in caught.value.what
    assert "environment" in caught.value.next_step
    store = store_at(path)
    with pytest.raises(NoKeyFileHere):  # noqa: PT012 - whichever of both needs it first
        await store.open(Passphrase(PHRASE), creating=True)
        await store.save(PROFILE, SecretKey(CANARY))
    assert not path.exists()


def test_this_host_has_what_it_takes() -> None:
    key_file.check_host()


@each_row(("mebibytes", "log2_n"), [(None, 17), (4096, 17), (512, 17), (511, 16), (256, 16), (255, 15), (1, 15)])
def test_a_small_host_gets_a_cheaper_setting(mebibytes: int | None, log2_n: int) -> None:
    assert scrypt_cost_for(None if mebibytes is None else mebibytes << 20) == log2_n


def test_memory_is_what_is_free_within_the_container(tmp_path: Path) -> None:
    meminfo, limit = tmp_path / "meminfo", tmp_path / "max"
    assert available_memory(meminfo, limit) is None
    meminfo.write_text("MemTotal:  8000 kB\nMemAvailable:    2000 kB\n")
    assert available_memory(meminfo, limit) == 2000 * 1024
    limit.write_text("max\n")
    assert available_memory(meminfo, limit) == 2000 * 1024
    limit.write_text("1048576\n")
    assert available_memory(meminfo, limit) == 1 << 20


# The passphrase


def test_a_passphrase_is_the_same_however_it_was_typed() -> None:
    """The same Korean word comes composed from one keyboard and decomposed from another."""
    composed = Passphrase(f" {unicodedata.normalize('NFC', PHRASE)}\n")
    assert composed.masked == Passphrase(unicodedata.normalize("NFD", PHRASE)).masked
    assert composed.masked != Passphrase(PHRASE.upper()).masked


@each_row("typed", ["", "  \n", "one\ntwo three four", "tab\tin the middle", "\x1b[31m", "\udc80 and so on"])
def test_what_is_no_passphrase(typed: str) -> None:
    with pytest.raises(InvalidPassphrase):
        Passphrase(typed)


def test_a_new_passphrase_is_long_and_typed_twice() -> None:
    Passphrase("twelve chars").check_new()
    with pytest.raises(InvalidPassphrase, match="this one has 11") as caught:
        Passphrase("eleven char").check_new()
    assert "guessed by anyone who copies the file" in caught.value.meaning
    with pytest.raises(InvalidPassphrase, match="differ"):
        Passphrase("twelve chars").check_same(Passphrase("twelve Chars"))


async def test_a_short_passphrase_creates_no_file(path: Path) -> None:
    with pytest.raises(InvalidPassphrase):
        await opened(path, "short")
    with pytest.raises(PassphraseNeeded):
        await store_at(path).save(PROFILE, SECRET)
    assert not path.exists()


def test_nothing_shows_what_it_holds(session: SessionKey) -> None:
    masked, phrase = SecretValue(CANARY.encode()), Passphrase(PHRASE)
    for each in (masked, phrase, session, [masked], {"a": phrase}):
        for shown in (repr(each), str(each), f"{each}", ascii(each)):
            assert "CANARY" not in shown
            assert session.key.reveal().hex() not in shown
    for each in (masked, phrase):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(each)


# The store


async def test_it_opens_again_with_its_passphrase(path: Path) -> None:
    await filled(path)
    store = store_at(path)
    with pytest.raises(PassphraseNeeded) as caught:
        await store.load(PROFILE)
    assert caught.value.creating is False
    assert caught.value.opener is store
    await store.open(Passphrase(unicodedata.normalize("NFD", PHRASE)), creating=False)
    assert store.is_open
    assert await store.load(PROFILE) == SECRET
    with pytest.raises(OtherAccessKey):
        await store.load(Profile(name="prod", access_key="AKIDOTHER0000000ZZZZ"))


async def test_it_saves_renames_and_forgets(path: Path) -> None:
    store = await filled(path)
    await store.rename(PROFILE, RENAMED)
    assert (await store.load(PROFILE), await store.load(RENAMED)) == (None, SECRET)
    capital = Profile(name="Live", access_key=PROFILE.access_key)
    await store.rename(RENAMED, capital)
    assert (await store.load(RENAMED), await store.load(capital)) == (None, SECRET)
    await store.save(capital, SecretKey("another"))
    assert await store.load(capital) == SecretKey("another")
    await store.delete(capital)
    await store.delete(capital)
    assert await store.load(capital) is None
    assert await names_in(path) == set()
    assert store.describe() == f"encrypted file ({path})"


def test_the_place_is_short_below_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/op")
    assert KeyFileStore(Path("/home/op/.local/share/ncp-tui/keys.enc")).place == "~/.local/share/ncp-tui/keys.enc"
    assert KeyFileStore(Path("/home/operator/keys.enc")).place == "/home/operator/keys.enc"


async def test_the_passphrase_is_derived_once_per_session(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second at every read or write would be felt."""
    store = await opened(path)
    monkeypatch.setattr("hashlib.scrypt", lambda *_, **__: pytest.fail("derived again"))
    for number in range(3):
        await store.save(Profile(name=f"p{number}", access_key="AK"), SECRET)
        assert await store.load(Profile(name=f"p{number}", access_key="AK")) == SECRET


async def test_without_a_file_nobody_is_asked(path: Path) -> None:
    store = store_at(path)
    assert await store.load(PROFILE) is None
    await store.delete(PROFILE)
    await store.rename(PROFILE, RENAMED)
    with pytest.raises(PassphraseNeeded) as caught:
        await store.save(PROFILE, SECRET)
    assert caught.value.creating
    assert not path.exists()


async def test_choosing_a_passphrase_writes_nothing_yet(path: Path) -> None:
    """A file without a key, under a passphrase that was soon forgotten, would only be in the way."""
    store = await opened(path)
    assert not path.exists()
    await store.save(PROFILE, SECRET)
    assert path.exists()


async def test_a_wrong_passphrase_opens_and_changes_nothing(path: Path) -> None:
    await filled(path)
    before = path.read_bytes()
    store = store_at(path)
    with pytest.raises(WrongPassphrase, match=r"^Wrong passphrase, or the file is damaged\.$"):
        await store.open(Passphrase("not the passphrase"), creating=False)
    assert not store.is_open
    with pytest.raises(PassphraseNeeded):
        await store.save(PROFILE, SECRET)
    assert path.read_bytes() == before


async def test_a_damaged_file_is_never_overwritten(path: Path) -> None:
    """Read by an open store, the damage must not be mistaken for an empty file."""
    store = await filled(path)
    good = path.read_bytes()
    for damaged in (
        good[:-1] + bytes([good[-1] ^ 1]),
        good[:40],
        b"",
        b"\0" * len(good),
        good[:16] + b"\xff" + good[17:],
    ):
        path.write_bytes(damaged)
        for attempt in (store.load(PROFILE), store.save(PROFILE, SECRET), store.delete(PROFILE)):
            with pytest.raises(WrongPassphrase):
                await attempt
        with pytest.raises(WrongPassphrase):
            await store_at(path).open(Passphrase(PHRASE), creating=False)
        assert path.read_bytes() == damaged
    path.write_bytes(good)
    assert await store.load(PROFILE) == SECRET


async def test_a_file_under_another_passphrase_is_not_overwritten(path: Path) -> None:
    """Two programs that create the file at the same time: the second must not take the first one's keys away."""
    first, second = await opened(path), await opened(path, "another passphrase")
    await first.save(PROFILE, SECRET)
    before = path.read_bytes()
    with pytest.raises(PassphraseNeeded) as caught:
        await second.save(RENAMED, SECRET)
    assert not caught.value.creating
    assert path.read_bytes() == before
    with pytest.raises(PassphraseNeeded):
        await store_at(path).open(Passphrase("another passphrase"), creating=True)
    await second.open(Passphrase(PHRASE), creating=False)
    await second.save(RENAMED, SECRET)
    assert await first.load(RENAMED) == SECRET


async def test_a_file_that_went_away_is_not_made_anew_unasked(path: Path) -> None:
    """A file system that is not mounted would get a file with one key in it, in the place of all."""
    store = await filled(path)
    path.unlink()
    assert await store.load(PROFILE) is None
    with pytest.raises(PassphraseNeeded) as caught:
        await store.save(PROFILE, SECRET)
    assert caught.value.creating


async def test_a_newer_content_is_not_overwritten(path: Path) -> None:
    store = await filled(path)
    session = derive(Passphrase(PHRASE), derivation_of(path.read_bytes()))
    path.write_bytes(seal(session, json.dumps({"v": 2, "items": []}).encode()))
    before = path.read_bytes()
    with pytest.raises(KeyFileFailed, match="newer ncp-tui"):
        await store.save(PROFILE, SECRET)
    assert path.read_bytes() == before


# The disk


@posix_modes
async def test_the_file_is_private(path: Path) -> None:
    mask = os.umask(0)
    try:
        await filled(path)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert CANARY.encode() not in path.read_bytes()
    assert sorted(each.name for each in path.parent.iterdir()) == ["keys.enc", "keys.enc.lock"]


@posix_modes
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
async def test_a_file_that_others_can_open_is_refused(path: Path, mode: int) -> None:
    store = await filled(path)
    path.chmod(mode)
    for attempt in (store.load(PROFILE), store.save(PROFILE, SECRET)):
        with pytest.raises(UnsafeKeyFile, match=f"mode {mode:04o}") as caught:
            await attempt
        assert caught.value.next_step == f"Close it to other users: chmod 600 {path}"


@posix_modes
async def test_a_folder_that_others_can_write_is_refused(path: Path) -> None:
    store = await filled(path)
    path.parent.chmod(0o770)
    with pytest.raises(UnsafeKeyFile, match="Other users can write") as caught:
        await store.load(PROFILE)
    assert f"chmod 700 {path.parent}" in caught.value.next_step


@posix_modes
async def test_a_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with sudo: the owner is who made it, not who reads it."""
    store = await filled(path)
    monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(UnsafeKeyFile, match="belongs to another user") as caught:
        await store.load(PROFILE)
    assert "chmod" in caught.value.next_step


@posix_modes
async def test_only_a_real_file_is_read(path: Path, tmp_path: Path) -> None:
    store = await filled(path)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(UnsafeKeyFile, match="symbolic link"):
        await store.load(PROFILE)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(UnsafeKeyFile, match="not a file"):
        await store.load(PROFILE)
    path.unlink()
    with path.open("wb") as file:
        file.truncate((1 << 20) + 1)
    path.chmod(0o600)
    with pytest.raises(KeyFileFailed, match="larger than 1 MiB"):
        await store.load(PROFILE)


async def test_leftovers_of_killed_writers_are_removed(path: Path) -> None:
    store = await filled(path)
    leftover = path.parent / ".keys.enc.abcd.tmp"
    leftover.write_text("half")
    await store.save(RENAMED, SECRET)
    assert not leftover.exists()


async def test_a_busy_lock_is_a_problem_and_not_a_wait_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file_store, "LOCK_SECONDS", 0.05)
    store = await filled(path)
    before = path.read_bytes()
    with FileLock(f"{path}.lock", is_singleton=False), pytest.raises(KeyFileSilent) as caught:
        await store.save(RENAMED, SECRET)
    assert "No saved key was changed." in caught.value.meaning
    assert path.read_bytes() == before


async def test_a_disk_that_hangs_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await filled(path)
    release = threading.Event()
    monkeypatch.setattr(key_file_store, "KEY_FILE_SECONDS", 0.05)
    monkeypatch.setattr(EncryptedKeyring, "set_password", lambda *_: release.wait(60))
    try:
        with pytest.raises(KeyFileSilent) as caught:
            await store.save(PROFILE, SECRET)
    finally:
        release.set()
    assert "is unknown" in caught.value.meaning


CHILD = """
import asyncio, os, resource, signal, sys
from pathlib import Path
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.key_file_store import KeyFileStore
from ncp_tui.profiles.secret_stores.passphrase import PASSPHRASE_VARIABLE, PassphraseNeeded
from ncp_tui.profiles.secret_stores.passphrase import Passphrase
from ncp_tui.profiles.secret_stores.errors import InvalidPassphrase, KeyFileFailed, KeyFileSilent
from ncp_tui.profiles.secret_stores.errors import OtherAccessKey, SecretStoreProblem, UnsafeKeyFile
from ncp_tui.profiles.secret_stores.errors import WrongPassphrase
store = KeyFileStore(Path(sys.argv[1]))
async def save(name):
    await store.open(Passphrase(sys.argv[2]), creating=False)
    await store.save(Profile(name=name, access_key="AK"), SecretKey("key-of-" + name))
"""


def child(path: Path, code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD + code, str(path), PHRASE, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def names_in(path: Path) -> set[str]:
    """The profiles whose keys a fresh session reads."""
    backend = EncryptedKeyring(path, lock_seconds=5, log2_n=lambda: CHEAP)
    backend.open(Passphrase(PHRASE), creating=False)
    _, items = backend._items(path.read_bytes())
    return {service.removeprefix("ncp-tui:") for service in items}


async def test_processes_that_write_at_once_lose_no_key(path: Path) -> None:
    """Without the lock, or without reading again under it, the last writer would drop the others' keys."""
    await filled(path)
    writers = [child(path, "asyncio.run(save(sys.argv[3]))", f"writer-{number}") for number in range(4)]
    for writer in writers:
        assert writer.communicate(timeout=60)[1] == ""
    assert await names_in(path) == {"prod"} | {f"writer-{number}" for number in range(4)}


DIE = """
name, real = sys.argv[3], getattr(os, sys.argv[3])
def die(*args, **kwargs):
    if sys.argv[4] == "after": real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
async def main():
    await store.open(Passphrase(sys.argv[2]), creating=False)
    setattr(os, name, die)
    await store.save(Profile(name="new", access_key="AK"), SecretKey("new"))
asyncio.run(main())
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["fchmod", "fsync", "replace"])
async def test_a_killed_writer_leaves_the_old_file_or_the_new_one(path: Path, call: str, moment: str) -> None:
    await filled(path)
    before = path.read_bytes()
    killed = child(path, DIE, call, moment)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    if (call, moment) == ("replace", "after"):
        assert await names_in(path) == {"prod", "new"}
    else:
        assert path.read_bytes() == before


FULL = """
async def main():
    await store.open(Passphrase(sys.argv[2]), creating=False)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try: await store.save(Profile(name="new", access_key="AK"), SecretKey("new"))
    except KeyFileFailed as problem: print(problem.sentences())
asyncio.run(main())
"""


async def test_a_full_disk_leaves_the_old_file(path: Path) -> None:
    """A real refusal by the kernel: a limit on the size of files, in a child."""
    await filled(path)
    before = path.read_bytes()
    said, trouble = child(path, FULL).communicate(timeout=60)
    assert trouble == ""
    assert said.startswith(
        "The key file cannot be used: file too large. The key file was not changed. Check free space"
    )
    assert path.read_bytes() == before
    assert list(path.parent.glob(".*.tmp")) == []


async def test_what_was_written_is_read_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await filled(path)
    monkeypatch.setattr("ncp_tui.profiles.secret_stores.key_file.write_atomically", lambda *_: None)
    with pytest.raises(KeyFileFailed, match="does not hold what was written"):
        await store.save(PROFILE, SecretKey("another"))


# What nobody is to see


def _bug(*_: object) -> None:
    raise RuntimeError(CANARY)


def _problem(*_: object) -> None:
    try:
        _bug()
    except RuntimeError as fault:
        raise KeyFileFailed("RuntimeError") from fault


@pytest.mark.parametrize("fail", [_bug, _problem])
async def test_a_fault_says_nothing_of_what_was_stored(
    path: Path, monkeypatch: pytest.MonkeyPatch, fail: Callable[..., None]
) -> None:
    """A crash report follows the chain of errors, and prints the local variables of their frames."""
    store = await filled(path)
    monkeypatch.setattr("ncp_tui.profiles.secret_stores.key_file.write_atomically", fail)
    with pytest.raises(KeyFileFailed, match="RuntimeError") as caught:
        await store.save(PROFILE, SECRET)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert "set_password" not in names, "its locals are the document"
    assert caught.value.__cause__ is caught.value.__context__ is None
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    here = __file__
    own = [frame for frame in report.stack if frame.filename != here]
    assert "CANARY" not in "".join(traceback.StackSummary.from_list(own).format())
    assert CANARY not in repr(vars(store))
    assert CANARY not in repr(vars(store._backend))
    assert "CANARY" not in str(store._backend)


def test_keyring_never_finds_it() -> None:
    """Whoever asks `keyring` for its best backend in this process gets another: ours is constructed by name only."""
    program = (
        "import keyring, keyring.backend\n"
        "from ncp_tui.profiles.secret_stores.encrypted_keyring import EncryptedKeyring as ours\n"
        "assert issubclass(ours, keyring.backend.KeyringBackend)\n"
        "print(ours in keyring.backend.KeyringBackend.get_viable_backends(),"
        " any(isinstance(each, ours) for each in keyring.backend.get_all_keyring()),"
        " isinstance(keyring.get_keyring(), ours))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False False False\n"


async def test_properties_of_the_environment_do_not_move_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The constructor of `keyring` sets any attribute that a KEYRING_PROPERTY_ variable names."""
    monkeypatch.setenv("KEYRING_PROPERTY__PATH", "/tmp/elsewhere")  # noqa: S108
    backend = EncryptedKeyring(path, lock_seconds=1, log2_n=lambda: CHEAP)
    assert backend._path == path


def test_the_screen_is_not_held_up_while_a_passphrase_is_derived(path: Path) -> None:
    """Derived on the loop's own thread, nothing else would run before it is done."""

    async def run() -> bool:
        store = KeyFileStore(path, log2_n=lambda: 14)
        opening = asyncio.create_task(store.open(Passphrase(PHRASE), creating=True))
        turns = 0
        while not opening.done():
            await asyncio.sleep(0)
            turns += 1
        await opening
        return turns > 2

    assert asyncio.run(run())


# The passphrase for runs without a terminal


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.touch(0o600)
    file.write_text(f"{PHRASE}\n")
    return file


async def test_a_file_opens_it(path: Path, passphrase_file: Path) -> None:
    """For creating as well: a host is set up by a script."""
    store = store_at(path, passphrase_file)
    await store.save(PROFILE, SECRET)
    assert await (await opened(path)).load(PROFILE) == SECRET
    assert await store_at(path, passphrase_file).load(PROFILE) == SECRET


@posix_modes
async def test_a_pipe_opens_it(path: Path) -> None:
    """So that the passphrase can come out of another program, and is on no disk."""
    await filled(path)
    reading, writing = os.pipe()
    try:
        os.write(writing, PHRASE.encode())
        os.close(writing)
        assert await store_at(path, Path(f"/dev/fd/{reading}")).load(PROFILE) == SECRET
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    ("content", "problem"),
    [("not the passphrase", WrongPassphrase), ("", InvalidPassphrase), ("one\ntwo", InvalidPassphrase)],
)
async def test_a_file_with_no_good_passphrase(
    path: Path, passphrase_file: Path, content: str, problem: type[SecretStoreProblem]
) -> None:
    await filled(path)
    passphrase_file.write_text(content)
    with pytest.raises(problem) as caught:
        await store_at(path, passphrase_file).load(PROFILE)
    assert PASSPHRASE_VARIABLE in caught.value.next_step
    assert "CANARY" not in caught.value.sentences()


@posix_modes
async def test_a_passphrase_that_others_can_read_is_not_used(path: Path, passphrase_file: Path) -> None:
    await filled(path)
    passphrase_file.chmod(0o644)
    with pytest.raises(UnsafeKeyFile) as caught:
        await store_at(path, passphrase_file).load(PROFILE)
    assert caught.value.next_step.endswith(f"chmod 600 {passphrase_file}")
    with pytest.raises(UnsafeKeyFile, match="neither a file nor a pipe"):
        await store_at(path, Path("/dev/null")).load(PROFILE)
    with pytest.raises(InvalidPassphrase, match="no such file or directory"):
        await store_at(path, Path("/nonexistent/passphrase")).load(PROFILE)


@pytest.fixture
def silent_pipe(tmp_path: Path) -> Iterator[Path]:
    """A pipe that nobody writes to, until the test is over."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    yield pipe
    os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))


@posix_modes
async def test_a_pipe_that_says_nothing_is_given_up(
    path: Path, silent_pipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(path)
    store = store_at(path, silent_pipe)
    monkeypatch.setattr(key_file_store, "KEY_FILE_SECONDS", 0.2)
    with pytest.raises(InvalidPassphrase, match="gave no passphrase in time"):
        await store.load(PROFILE)
