"""The keyring of Linux, asked through the real client stack over a bus that misbehaves on demand.

Every case has a wall-clock limit far above what is expected: without the deadlines under test it would wait for ever.
"""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores import secret_service
from ncp_tui.profiles.secret_stores.errors import (
    CannotStore,
    DamagedSecret,
    KeyringFailed,
    KeyringLocked,
    KeyringSilent,
    NoKeyring,
    OtherAccessKey,
)
from ncp_tui.profiles.secret_stores.os_keyring import KeyringStore, bus_address, keyring_of
from ncp_tui.system.blocking import run_blocking
from tests.profiles.fake_secret_service import IS_LOCKED, NO_REPLY, FakeSecretService, Faults
from tests.tables import each_row

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
PROFILE = Profile(name="prod", access_key="AKIDEXAMPLE123456789")
LIMIT = 30.0


@pytest.fixture
def service() -> Iterator[FakeSecretService]:
    with FakeSecretService() as running:
        yield running


def store_on(address: str) -> KeyringStore:
    return KeyringStore(keyring_of("linux", {"DBUS_SESSION_BUS_ADDRESS": address}))


@asynccontextmanager
async def responsive_loop() -> AsyncIterator[None]:
    """Fails when the event loop stood still while the body waited, within generous bounds."""
    longest = 0.0
    stop = asyncio.Event()

    async def tick() -> None:
        nonlocal longest
        while not stop.is_set():
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)

    ticking = asyncio.create_task(tick())
    try:
        async with asyncio.timeout(LIMIT):
            yield
    finally:
        stop.set()
        await ticking
    assert longest < 1.0, "something blocked the event loop"


async def test_save_load_replace_rename_delete(service: FakeSecretService) -> None:
    store = store_on(service.address)
    renamed = Profile(name="live", access_key=PROFILE.access_key)
    async with responsive_loop():
        assert await store.load(PROFILE) is None
        await store.save(PROFILE, SecretKey("first"))
        await store.save(PROFILE, SecretKey(CANARY))
        assert await store.load(PROFILE) == SecretKey(CANARY)
        assert len(service.items) == 1
        await store.rename(PROFILE, renamed)
        assert await store.load(PROFILE) is None
        assert await store.load(renamed) == SecretKey(CANARY)
        await store.delete(renamed)
        await store.delete(renamed)
        assert service.items == {}


async def test_the_item_is_one_document_under_the_usual_attributes(service: FakeSecretService) -> None:
    """So that `secret-tool lookup service ncp-tui:prod username credentials` finds it, whole."""
    await store_on(service.address).save(PROFILE, SecretKey(CANARY))
    (item,) = service.items.values()
    assert item.attributes["service"] == "ncp-tui:prod"
    assert item.attributes["username"] == "credentials"
    assert item.secret.decode() == f'{{"v":1,"ak":"{PROFILE.access_key}","sk":"{CANARY}"}}'
    assert CANARY not in item.label


@pytest.mark.parametrize("left", [b"\xff\xfex", b"\x00\x80", "비밀".encode("cp949"), b"", b"plain text"])
async def test_what_another_program_left_can_be_replaced_and_removed(service: FakeSecretService, left: bytes) -> None:
    """An item that is no UTF-8 made every way out end in the same error."""
    store = store_on(service.address)
    for _ in range(2):
        await store.save(PROFILE, SecretKey("first"))
        (item,) = service.items.values()
        item.secret = left
        with pytest.raises(DamagedSecret, match="cannot be read") as caught:
            await store.load(PROFILE)
        assert "Edit the profile" in caught.value.next_step
        assert caught.value.__context__ is None
        await store.save(PROFILE, SecretKey(CANARY))
        assert await store.load(PROFILE) == SecretKey(CANARY)
        (item,) = service.items.values()
        item.secret = left
        await store.delete(PROFILE)
        assert service.items == {}


async def test_the_key_of_another_access_key_is_not_used(service: FakeSecretService) -> None:
    store = store_on(service.address)
    await store.save(PROFILE, SecretKey(CANARY))
    other = Profile(name="prod", access_key="AKIDOTHER0000000ZZZZ")
    with pytest.raises(OtherAccessKey) as caught:
        await store.load(other)
    assert "AKID…6789" in caught.value.what
    assert PROFILE.access_key not in caught.value.sentences()
    await store.save(other, SecretKey("new"))
    assert await store.load(other) == SecretKey("new")


LOAD_FAULTS: dict[str, tuple[Faults, type[Problem]]] = {
    "locked": (Faults(locked=True), KeyringLocked),
    "locked, prompt dismissed": (Faults(locked=True, prompt="dismissed"), KeyringLocked),
    "no default collection": (Faults(no_collection=True), KeyringLocked),
    "only the item is locked": (Faults(locked_items=True), KeyringLocked),
    "locked between two calls": (Faults(failing={"GetSecret": IS_LOCKED}), KeyringLocked),
    "no service on the bus": (Faults(no_service=True), NoKeyring),
    "the bus never greets": (Faults(mute=True), KeyringSilent),
    "the bus never answers Hello": (Faults(silent={"Hello"}), KeyringSilent),
    "AddMatch hangs": (Faults(silent={"AddMatch"}), KeyringSilent),
    "Get hangs": (Faults(silent={"Get"}), KeyringSilent),
    "SearchItems hangs": (Faults(silent={"SearchItems"}), KeyringSilent),
    "OpenSession hangs": (Faults(silent={"OpenSession"}), KeyringSilent),
    "GetSecret hangs": (Faults(silent={"GetSecret"}), KeyringSilent),
    "Hello drops the connection": (Faults(dropping={"Hello"}), KeyringFailed),
    "GetSecret drops the connection": (Faults(dropping={"GetSecret"}), KeyringFailed),
    "GetSecret fails": (Faults(failing={"GetSecret": "org.example.Odd"}), KeyringFailed),
    "the service died": (Faults(failing={"Get": NO_REPLY}), KeyringFailed),
}


@contextmanager
def patience_for(problem: type[Problem]) -> Iterator[None]:
    """What never answers has a quarter of a second, where the product waits for one or two."""
    with pytest.MonkeyPatch.context() as patch:
        if problem is KeyringSilent:
            patch.setattr(secret_service, "GREETING_SECONDS", 0.25)
            patch.setattr(secret_service, "CALL_SECONDS", 0.25)
        yield


@pytest.mark.parametrize("case", LOAD_FAULTS)
async def test_a_load_that_fails_says_why_in_time_and_asks_nobody(case: str, service: FakeSecretService) -> None:
    """The backend of keyring itself waits for ever in most of these, or opens a prompt on another screen."""
    faults, problem = LOAD_FAULTS[case]
    store = store_on(service.address)
    await store.save(PROFILE, SecretKey(CANARY))
    service.faults = faults
    service.calls.clear()
    async with responsive_loop():
        with patience_for(problem), pytest.raises(problem) as caught:
            await store.load(PROFILE)
    assert await run_blocking(_stuck_calls, LIMIT) == [], "the thread ends as well, not only the wait for it"
    assert "session only" in caught.value.next_step
    assert "CANARY" not in caught.value.sentences()
    assert not {"Prompt", "Unlock", "CreateCollection"} & set(service.calls)
    service.faults = Faults()
    assert await store.load(PROFILE) == SecretKey(CANARY), "the saved key is untouched"


def _stuck_calls() -> list[threading.Thread]:
    """The threads of other calls that do not end by themselves."""
    me = threading.current_thread()
    others = [thread for thread in threading.enumerate() if thread.name == me.name and thread is not me]
    for thread in others:
        thread.join(5)
    return [thread for thread in others if thread.is_alive()]


SAVE_FAULTS: dict[str, tuple[Faults, type[Problem]]] = {
    "locked": (Faults(locked=True), KeyringLocked),
    "no default collection": (Faults(no_collection=True), KeyringLocked),
    "CreateItem hangs": (Faults(silent={"CreateItem"}), KeyringSilent),
    "CreateItem drops the connection": (Faults(dropping={"CreateItem"}), KeyringFailed),
    "another text is given back": (Faults(forgetful=True), CannotStore),
}


@pytest.mark.parametrize("case", SAVE_FAULTS)
async def test_a_save_that_fails_says_why_in_time(case: str, service: FakeSecretService) -> None:
    faults, problem = SAVE_FAULTS[case]
    service.faults = faults
    async with responsive_loop():
        with patience_for(problem), pytest.raises(problem) as caught:
            await store_on(service.address).save(PROFILE, SecretKey(CANARY))
    assert not {"Prompt", "CreateCollection"} & set(service.calls)
    assert CANARY not in _everything_in(caught.value)
    if problem is KeyringSilent:
        assert "is unknown" in caught.value.meaning, "the item may have been stored all the same"


async def test_nothing_of_the_secret_is_in_the_frames_of_an_error(service: FakeSecretService) -> None:
    """A Textual crash report prints the local variables of every frame into the terminal's scrollback."""
    store = store_on(service.address)
    await store.save(PROFILE, SecretKey(CANARY))
    for faults in (Faults(dropping={"CreateItem"}), Faults(forgetful=True), Faults(failing={"CreateItem": "org.x.Y"})):
        service.faults = faults
        with pytest.raises(Problem) as caught:
            await store.save(PROFILE, SecretKey(CANARY))
        assert CANARY not in _everything_in(caught.value)
    service.faults = Faults()
    service.items = {}
    await store.save(PROFILE, SecretKey(CANARY))
    with pytest.raises(OtherAccessKey) as mismatch:
        await store.load(Profile(name="prod", access_key="AKIDOTHER0000000ZZZZ"))
    assert CANARY not in _everything_in(mismatch.value)


def _everything_in(problem: BaseException) -> str:
    """What a crash report with local variables could show; the frames of this file know the canary by right."""
    report = traceback.TracebackException.from_exception(problem, capture_locals=True)
    shown = [repr(vars(problem)), repr(problem)]
    link: traceback.TracebackException | None = report
    while link is not None:
        shown += [repr(frame.locals) for frame in link.stack if frame.filename != __file__]
        link = link.__cause__ or link.__context__
    return "\n".join(shown)


async def test_a_provider_that_asks_when_an_item_is_deleted_is_not_let(service: FakeSecretService) -> None:
    """KeePassXC answers Delete with a prompt, which opens a window on somebody's desktop."""
    store = store_on(service.address)
    await store.save(PROFILE, SecretKey(CANARY))
    service.faults = Faults(delete_asks=True)
    async with responsive_loop():
        with pytest.raises(KeyringLocked):
            await store.delete(PROFILE)
    assert "Prompt" not in service.calls


async def test_several_items_of_one_profile_are_all_deleted(service: FakeSecretService) -> None:
    store = store_on(service.address)
    await store.save(PROFILE, SecretKey(CANARY))
    (item,) = service.items.values()
    service.items["/org/freedesktop/secrets/collection/login/99"] = item
    await store.delete(PROFILE)
    assert service.items == {}


async def test_unlocking_is_asked_for_by_the_user_only(service: FakeSecretService) -> None:
    store = store_on(service.address)
    await store.save(PROFILE, SecretKey(CANARY))
    service.faults = Faults(locked=True, prompt="accepted")
    async with responsive_loop():
        with pytest.raises(KeyringLocked):
            await store.load(PROFILE)
        await store.unlock()
        assert await store.load(PROFILE) == SecretKey(CANARY)


@pytest.mark.parametrize(("prompt", "problem"), [("dismissed", KeyringLocked), ("never", KeyringSilent)])
async def test_a_prompt_that_is_dismissed_or_never_answered(
    prompt: str, problem: type[Problem], service: FakeSecretService
) -> None:
    service.faults = Faults(locked=True, prompt="never" if prompt == "never" else "dismissed")
    async with responsive_loop():
        with pytest.raises(problem):
            await store_on(service.address).unlock(2 if problem is KeyringLocked else 0.3)


async def test_waiting_for_a_prompt_can_be_cancelled(service: FakeSecretService) -> None:
    service.faults = Faults(locked=True, prompt="never")
    async with responsive_loop():
        unlocking = asyncio.create_task(store_on(service.address).unlock())
        assert await run_blocking(lambda: service.prompted.wait(LIMIT), LIMIT)
        unlocking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await unlocking


@each_row(
    "address",
    ["disabled:", "autolaunch:", "tcp:host=127.0.0.1,port=1", "unix:path=/nonexistent/bus", "nonsense", "unix:", ";"],
)
async def test_an_address_that_leads_nowhere_is_no_keyring(address: str) -> None:
    """What tmux, sudo and containers leave in the variable."""
    async with responsive_loop():
        with pytest.raises(NoKeyring):
            await store_on(address).load(PROFILE)


def test_the_bus_of_the_user_is_found_without_the_variable(tmp_path: Path) -> None:
    """After `su` or in a cron job the variable is missing, while systemd's socket is there."""
    (tmp_path / "bus").touch()
    assert bus_address({}, tmp_path / "bus") == f"unix:path={tmp_path / 'bus'}"
    assert bus_address({}, tmp_path / "none") is None
    assert bus_address({"DBUS_SESSION_BUS_ADDRESS": " "}, tmp_path / "none") is None
    assert bus_address({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}, tmp_path / "bus") == "unix:path=/x"


async def test_variables_of_keyring_change_nothing(service: FakeSecretService, monkeypatch: pytest.MonkeyPatch) -> None:
    """For years people were told to export the null backend, which accepts every key and stores none."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", "/nowhere")
    monkeypatch.setenv("KEYRING_PROPERTY_SCHEME", "KeePassXC")
    await store_on(service.address).save(PROFILE, SecretKey(CANARY))
    assert len(service.items) == 1


def test_our_backend_is_never_chosen_by_others() -> None:
    """Defining a backend with a priority makes `keyring.get_keyring()` choose it in the whole process."""
    from ncp_tui.profiles.secret_stores.secret_service import TimedSecretService

    assert TimedSecretService.priority == 0
