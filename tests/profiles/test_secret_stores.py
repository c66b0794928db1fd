"""The stores themselves, with backends made for the test in the place of an operating system's."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.errors import (
    CannotStore,
    DamagedSecret,
    KeyringFailed,
    KeyringLocked,
    KeyringSilent,
    NoKeyring,
    OtherAccessKey,
)
from ncp_tui.profiles.secret_stores.os_keyring import Backend, Keyring, KeyringStore, keyring_of
from ncp_tui.profiles.secret_stores.protocol import SecretStore, decode, encode
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from tests.tables import each_row

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
SECRET = SecretKey(CANARY)
PROFILE = Profile(name="prod", access_key="AKIDEXAMPLE123456789")
RENAMED = Profile(name="live", access_key=PROFILE.access_key)


class MemoryBackend:
    """A keyring that works; subclasses do not."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.items.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.items[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.items[service, username]


class NullBackend(MemoryBackend):
    """As keyring.backends.null: accepts everything, stores nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class StubbornBackend(MemoryBackend):
    def delete_password(self, service: str, username: str) -> None:
        pass


class LosingBackend(MemoryBackend):
    """As macOS: stores by "delete, then add", and the second half fails now and then."""

    failures = 0

    def set_password(self, service: str, username: str, password: str) -> None:
        self.items.pop((service, username), None)
        self.failures -= 1
        if self.failures >= 0:
            raise ValueError(f"cannot add {password}")
        super().set_password(service, username, password)


class CaselessBackend(MemoryBackend):
    """As Windows: upper and lower case are the same item."""

    def get_password(self, service: str, username: str) -> str | None:
        return super().get_password(service.lower(), username)

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service.lower(), username, password)

    def delete_password(self, service: str, username: str) -> None:
        super().delete_password(service.lower(), username)


def store_over(backend: Backend, seconds: float = 30.0) -> KeyringStore:
    return KeyringStore(Keyring("Test Keyring", lambda _prompt: backend, seconds))


def store_that_raises(make: Callable[[], BaseException]) -> KeyringStore:
    def connect(_prompt: bool) -> Backend:
        raise make()

    return KeyringStore(Keyring("Test Keyring", connect, 30.0))


@each_row("store", [SessionStore(), store_over(MemoryBackend())], ids=["session", "keyring"])
async def test_every_store_saves_loads_renames_and_forgets(store: SecretStore) -> None:
    assert store.describe()
    assert await store.load(PROFILE) is None
    await store.delete(PROFILE)
    await store.rename(PROFILE, RENAMED)
    await store.save(PROFILE, SECRET)
    assert await store.load(PROFILE) == SECRET
    with pytest.raises(OtherAccessKey):
        await store.load(Profile(name="prod", access_key="AKIDOTHER0000000ZZZZ"))
    await store.rename(PROFILE, RENAMED)
    assert await store.load(PROFILE) is None
    assert await store.load(RENAMED) == SECRET
    await store.delete(RENAMED)
    assert await store.load(RENAMED) is None


def test_stores_say_in_plain_words_where_the_keys_are() -> None:
    assert SessionStore().describe() == "this session only"
    assert KeyringStore(keyring_of("linux", {})).describe() == "OS keyring (Secret Service)"
    assert KeyringStore(keyring_of("darwin", {})).describe() == "OS keyring (macOS Keychain)"
    assert KeyringStore(keyring_of("win32", {})).describe() == "OS keyring (Windows Credential Manager)"


async def test_a_session_store_does_not_show_what_it_holds() -> None:
    store = SessionStore()
    await store.save(PROFILE, SECRET)
    assert CANARY not in repr(vars(store))


async def test_a_backend_that_stores_nothing_is_found_out() -> None:
    """Without reading back, the user would be told "saved" and find no key tomorrow."""
    with pytest.raises(CannotStore):
        await store_over(NullBackend()).save(PROFILE, SECRET)


async def test_a_backend_that_deletes_nothing_is_found_out() -> None:
    store = store_over(StubbornBackend())
    await store.save(PROFILE, SECRET)
    with pytest.raises(CannotStore, match="did not delete"):
        await store.delete(PROFILE)


async def test_the_old_key_is_put_back_when_the_new_one_cannot_be_stored() -> None:
    backend = LosingBackend()
    store = store_over(backend)
    await store.save(PROFILE, SecretKey("old"))
    backend.failures = 1
    with pytest.raises(KeyringFailed) as caught:
        await store.save(PROFILE, SECRET)
    assert await store.load(PROFILE) == SecretKey("old")
    assert CANARY not in caught.value.sentences(), "the text of the error was `cannot add <the document>`"


async def test_a_rename_by_case_survives_a_keyring_without_case() -> None:
    store = store_over(CaselessBackend())
    capital = Profile(name="Prod", access_key=PROFILE.access_key)
    await store.save(PROFILE, SECRET)
    await store.rename(PROFILE, capital)
    assert await store.load(capital) == SECRET
    await store.rename(capital, capital)
    assert await store.load(capital) == SECRET


async def test_a_backend_that_hangs_is_given_up() -> None:
    release = threading.Event()

    class HungBackend(MemoryBackend):
        def get_password(self, service: str, username: str) -> str | None:
            release.wait(60)
            return super().get_password(service, username)

    try:
        with pytest.raises(KeyringSilent, match=r"within 0\.05 s") as caught:
            await store_over(HungBackend(), 0.05).load(PROFILE)
    finally:
        release.set()
    assert "No saved key was changed." in caught.value.meaning


def _keyring_errors() -> ModuleType:
    import keyring.errors

    return keyring.errors


@each_row(
    ("make", "problem"),
    [
        (lambda: _keyring_errors().KeyringLocked(CANARY), KeyringLocked),
        (lambda: _keyring_errors().NoKeyringError(CANARY), NoKeyring),
        (lambda: _keyring_errors().InitError(CANARY), KeyringFailed),
        (lambda: ImportError(CANARY), NoKeyring),
        (lambda: TimeoutError(CANARY), KeyringSilent),
        (lambda: RuntimeError(CANARY), KeyringFailed),
        (lambda: UnicodeEncodeError("ascii", CANARY, 0, 1, CANARY), KeyringFailed),
        (lambda: AssertionError(CANARY), KeyringFailed),
        (lambda: StopIteration(CANARY), KeyringFailed),
    ],
)
async def test_every_fault_becomes_a_problem_without_its_text(
    make: Callable[[], BaseException], problem: type[Problem]
) -> None:
    """The keyring package passes on whatever the layers below it raise, and their texts may quote what was stored."""
    with pytest.raises(problem) as caught:
        await store_that_raises(make).load(PROFILE)
    assert CANARY not in caught.value.sentences()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "session only" in caught.value.next_step
    assert "in the encrypted file" in caught.value.next_step


async def test_a_problem_of_a_backend_loses_what_it_came_from() -> None:
    """The error below it may quote the document, and a crash report follows the chain."""

    class ChainingBackend(MemoryBackend):
        def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002
            try:
                raise ValueError(CANARY)  # noqa: TRY301
            except ValueError as fault:
                raise KeyringLocked from fault

    with pytest.raises(KeyringLocked) as caught:
        await store_over(ChainingBackend()).load(PROFILE)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@each_row(
    "text",
    [
        "",
        "plain secret",
        "[]",
        "null",
        "{}",
        '{"v":2,"ak":"a","sk":"s"}',
        '{"v":1,"ak":5,"sk":"s"}',
        '{"v":1,"ak":"a","sk":5}',
        '{"v":1,"ak":"a","sk":""}',
        '{"v":1,"ak":"a"}',
        "[" * 100_000,
        "\udc80",
    ],
)
def test_a_stored_text_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(DamagedSecret) as caught:
        decode(PROFILE, text)
    assert caught.value.next_step


@each_row("secret", [CANARY, 'a"}b', "비밀", "\\u0000", "😀"])
def test_a_document_gives_back_what_went_in(secret: str) -> None:
    text = encode(PROFILE, SecretKey(secret))
    assert decode(PROFILE, text) == SecretKey(secret)
    assert json.loads(text)["ak"] == PROFILE.access_key
    assert len(text) < 1280, "the Windows Credential Manager takes no more"


def test_platform_backends_are_constructed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detection would import them all, obey PYTHON_KEYRING_BACKEND, and take a plain-text one."""
    made: list[Any] = []

    class Fake:
        keychain = "/from/the/environment"

        def __init__(self) -> None:
            made.append(self)

    macos, windows = ModuleType("keyring.backends.macOS"), ModuleType("keyring.backends.Windows")
    macos.Keyring = Fake  # type: ignore[attr-defined]
    windows.WinVaultKeyring = Fake  # type: ignore[attr-defined]
    import keyring.backends

    for name, module in (("macOS", macos), ("Windows", windows)):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(keyring.backends, name, module, raising=False)
    mac: Any = keyring_of("darwin", {}).connect(False)
    assert mac.keychain is None, "KEYCHAIN_PATH would print a warning into the screen"
    windows_backend: Any = keyring_of("win32", {}).connect(False)
    assert windows_backend.persist == "local machine", "the default roams with the Windows profile"
    assert made == [mac, windows_backend]


PROGRAM_WITHOUT_A_BUS = """
import asyncio, sys
from pathlib import Path
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.os_keyring import KeyringStore
from ncp_tui.profiles.secret_stores.errors import NoKeyring
from ncp_tui.profiles.secret_stores import os_keyring
os_keyring.bus_address = lambda environ: None
async def main():
    try:
        await KeyringStore().load(Profile(name="a", access_key="AKID"))
    except NoKeyring as problem:
        print(problem.what)
asyncio.run(main())
print([name for name in ("keyring", "secretstorage", "jeepney") if name in sys.modules])
"""


def test_without_a_bus_the_answer_needs_no_import() -> None:
    """The usual bastion has no bus; it should not pay 100 ms to learn that."""
    command = [sys.executable, "-c", PROGRAM_WITHOUT_A_BUS]
    environ = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environ)
    assert done.stdout == "No OS keyring in this session.\n[]\n"


PROGRAM_WITH_A_HUNG_KEYRING = """
import asyncio, threading
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.os_keyring import KeyringStore
from ncp_tui.profiles.secret_stores.os_keyring import Keyring
def connect(prompt):
    threading.Event().wait()
async def main():
    asyncio.create_task(KeyringStore(Keyring("hung", connect, 3600)).load(Profile(name="a", access_key="AKID")))
    while not any(thread.daemon for thread in threading.enumerate()):
        await asyncio.sleep(0)
asyncio.run(main())
print("left")
"""


def test_a_hung_keyring_does_not_keep_the_program_from_leaving() -> None:
    """On an executor's thread this child would never end."""
    command = [sys.executable, "-c", PROGRAM_WITH_A_HUNG_KEYRING]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "left\n"
