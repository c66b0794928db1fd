"""A profile and its key belong together after every change, whatever fails, hangs or is called off on the way."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles import profile_changes
from ncp_tui.profiles.profile import InvalidProfile, Profile, StoreName
from ncp_tui.profiles.profile_changes import Changed, MissingSecret, ProfileChanges, carried_through
from ncp_tui.profiles.profile_store import CannotSave, ProfileStore
from ncp_tui.profiles.profiles_file import ProfilesFile
from ncp_tui.profiles.secret_stores.errors import KeyringFailed, KeyringLocked, KeyringSilent
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.paths import Paths
from ncp_tui.system.private_files import write_atomically

T = TypeVar("T")

AK, OTHER_AK = "AKCANARY000000000001", "AKCANARY000000000002"
OLD, NEW = SecretKey("the-old-secret-key-that-opens-nothing-00"), SecretKey("the-new-secret-key-that-opens-nothing-00")
PROD = Profile(name="prod", access_key=AK, store="keyring")
Change = Callable[[ProfileChanges], Coroutine[Any, Any, Changed]]


def like_prod(**values: Any) -> Profile:
    return dataclasses.replace(PROD, **values)


@dataclass(frozen=True)
class Case:
    """A change of `prod`, and the profiles with their keys after it."""

    change: Change
    after: dict[Profile, SecretKey]


CASES = {
    "add": Case(lambda one: one.add(like_prod(name="lab"), NEW), {PROD: OLD, like_prod(name="lab"): NEW}),
    "edit the secret": Case(
        lambda one: one.edit(PROD, like_prod(protected=True), NEW), {like_prod(protected=True): NEW}
    ),
    "edit both keys": Case(
        lambda one: one.edit(PROD, like_prod(access_key=OTHER_AK), NEW), {like_prod(access_key=OTHER_AK): NEW}
    ),
    "edit neither": Case(lambda one: one.edit(PROD, like_prod(read_only=True), None), {like_prod(read_only=True): OLD}),
    "move the key": Case(lambda one: one.edit(PROD, like_prod(store="file"), None), {like_prod(store="file"): OLD}),
    "move, with another key": Case(
        lambda one: one.edit(PROD, like_prod(store="file"), NEW), {like_prod(store="file"): NEW}
    ),
    "rename": Case(lambda one: one.rename(PROD, "live"), {like_prod(name="live"): OLD}),
    "rename by its letters": Case(lambda one: one.rename(PROD, "Prod"), {like_prod(name="Prod"): OLD}),
    "duplicate": Case(lambda one: one.duplicate(PROD, "copy"), {PROD: OLD, like_prod(name="copy"): OLD}),
    "remove": Case(lambda one: one.remove("prod", PROD), {}),
}


class Faults:
    """What happens at the act number `at` of a run: every question to a store, and every write of the file, is one."""

    def __init__(self, kind: str = "", at: int | None = None) -> None:
        self.kind, self.at = kind, at
        self.acts: list[str] = []
        self.task: asyncio.Task[Any] | None = None
        self.hangs, self.released = asyncio.Event(), threading.Event()
        self.loop = asyncio.get_running_loop()

    def hits(self, act: str) -> str:
        """What is to happen at this act; empty for what always does."""
        self.acts.append(act)
        return self.kind if len(self.acts) - 1 == self.at else ""

    def hang(self) -> None:
        """Be a thread that does not come back until the test lets it."""
        if self.kind.startswith("cancelled") and self.task is not None:
            self.loop.call_soon_threadsafe(self.task.cancel)
        else:
            self.loop.call_soon_threadsafe(self.hangs.set)
        assert self.released.wait(60)


class FaultyStore(SessionStore):
    """A store that tells upper from lower case, as a Secret Service does, and fails where it is told to."""

    def __init__(self, name: StoreName, faults: Faults) -> None:
        self.name = name
        self.faults = faults
        self.keys: dict[str, tuple[str, SecretKey]] = {}

    async def load(self, profile: Profile) -> SecretKey | None:
        await self._act("load", lambda: None)
        access_key, secret_key = self.keys.get(profile.name, ("", None))
        return secret_key if access_key == profile.access_key else None

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        await self._act("save", lambda: self.keys.update({profile.name: (profile.access_key, secret_key)}))

    async def delete(self, profile: Profile) -> None:
        await self._act("delete", lambda: self.keys.pop(profile.name, None))

    async def rename(self, old: Profile, new: Profile) -> None:
        await self._act("rename", lambda: self.keys.update({new.name: self.keys.pop(old.name)}))

    async def _act(self, name: str, effect: Callable[[], object]) -> None:
        fault = self.faults.hits(f"{self.name} {name}")
        if not fault.endswith("before"):
            effect()
        if fault.startswith("fails"):
            raise KeyringFailed("made up")
        if fault.startswith("silent"):
            raise KeyringSilent(1)
        if fault.startswith("cancelled") and self.faults.task is not None:
            self.faults.task.cancel()
            await asyncio.sleep(0)


@dataclass
class World:
    """The two places, with faults."""

    faults: Faults
    profiles: ProfileStore
    stores: dict[StoreName, FaultyStore]

    @property
    def changes(self) -> ProfileChanges:
        return ProfileChanges(self.profiles, self.stores)

    def keys(self) -> dict[tuple[str, str], SecretKey]:
        """Every key that is kept, by store and name."""
        return {(store, name): key for store, each in self.stores.items() for name, (_, key) in each.keys.items()}

    def pairs(self) -> dict[Profile, SecretKey | None]:
        """Every profile on disk with the key it would be signed with."""
        found = {}
        for profile in self.profiles.load().profiles:
            access_key, secret_key = self.stores[profile.store].keys.get(profile.name, ("", None))
            found[profile] = secret_key if access_key == profile.access_key else None
        return found


async def world(folder: Path, monkeypatch: pytest.MonkeyPatch, faults: Faults) -> World:
    """`prod` with its key, before a change that meets `faults`."""
    profiles = ProfileStore(Paths(folder / "config", folder / "state", folder / "data"))
    profiles.add(PROD)
    stores: dict[StoreName, FaultyStore] = {name: FaultyStore(name, faults) for name in ("keyring", "file")}
    stores["keyring"].keys["prod"] = (AK, OLD)

    def write(path: Path, data: bytes, **options: Any) -> None:
        fault = faults.hits("write")
        if fault.startswith("fails"):
            raise OSError(28, "No space left on device")
        if fault.endswith("before"):
            faults.hang()
        write_atomically(path, data, **options)
        if fault.endswith("after"):
            faults.hang()

    async def call(function: Callable[[], T], seconds: float) -> T:
        """`run_blocking`, whose time is up when the write hangs, not before, however busy the machine is."""
        assert seconds < 60
        running = asyncio.ensure_future(run_blocking(function, 60))
        hanging = asyncio.ensure_future(faults.hangs.wait())
        try:
            await asyncio.wait({running, hanging}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return running.result()
            faults.hangs.clear()
            raise TimeoutError
        finally:
            running.cancel()
            hanging.cancel()

    monkeypatch.setattr("ncp_tui.profiles.profile_store.write_atomically", write)
    monkeypatch.setattr("ncp_tui.profiles.profile_changes.run_blocking", call)
    return World(faults, profiles, stores)


async def outcome(made: World, change: Change) -> BaseException | Changed:
    """How the change ended, once nothing of it is under way any more."""
    task = asyncio.ensure_future(change(made.changes))
    made.faults.task = task
    await asyncio.wait({task})
    made.faults.released.set()
    for thread in threading.enumerate():
        if thread.name == "ncp-tui daemon call":
            thread.join(60)
    if task.cancelled():
        return asyncio.CancelledError()
    return task.exception() or task.result()


async def acts_of(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the change does where nothing fails, in order."""
    made = await world(folder, monkeypatch, Faults())
    ended = await outcome(made, case.change)
    assert isinstance(ended, Changed), ended
    assert ended.left_behind is None
    assert made.pairs() == case.after
    assert len(made.keys()) == len(case.after), "no key is left over"
    return made.faults.acts


KINDS = [f"{what} {when}" for what in ("fails", "silent", "cancelled") for when in ("before", "after")]


@pytest.mark.parametrize("name", CASES)
async def test_key_and_profile_belong_together(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each act of each change fails, falls silent or is cancelled, with what it should do undone or done."""
    case, folders = CASES[name], (tmp_path / str(number) for number in itertools.count())
    acts = await acts_of(case, next(folders), monkeypatch)
    for (at, act), kind in itertools.product(enumerate(acts), KINDS):
        made = await world(next(folders), monkeypatch, Faults(kind, at))
        ended = await outcome(made, case.change)
        said = f"{name}: {act} ({at}) {kind}: {ended!r}"
        pairs = made.pairs()
        assert pairs in ({PROD: OLD}, case.after), said
        if isinstance(ended, Changed):
            assert pairs == case.after, said
        elif isinstance(ended, Problem) or (kind == "cancelled before" and at <= acts.index("write")):
            assert pairs == {PROD: OLD}, f"{said}: an error, and it was done all the same"
            assert made.keys() == {("keyring", "prod"): OLD}, f"{said}: a key too many"
        else:
            assert isinstance(ended, asyncio.CancelledError), said


@pytest.mark.parametrize("name", CASES)
async def test_a_write_that_hangs_is_never_made_late(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that answers a minute later would write the profile whose key has been put back meanwhile."""
    case = CASES[name]
    made = await world(
        tmp_path,
        monkeypatch,
        Faults("silent before", (await acts_of(case, tmp_path / "first", monkeypatch)).index("write")),
    )
    ended = await outcome(made, case.change)  # the thread has come back by then
    assert isinstance(ended, CannotSave)
    assert "Nothing was changed." in ended.meaning
    assert made.pairs() == {PROD: OLD}


async def test_a_key_that_cannot_be_put_back_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile says what it said before, and the next request would be refused for a reason nobody knows."""
    case = CASES["edit both keys"]
    made = await world(tmp_path, monkeypatch, Faults())

    def full(*_: object, **__: object) -> None:
        made.faults.kind, made.faults.at = "fails before", len(made.faults.acts)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ncp_tui.profiles.profile_store.write_atomically", full)
    ended = await outcome(made, case.change)
    assert isinstance(ended, CannotSave)
    assert "The secret key could not be put back: The OS keyring failed" in ended.meaning


async def test_a_disk_that_stays_silent_leaves_the_key_for_what_it_may_have_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await world(tmp_path, monkeypatch, Faults("silent after", 2))

    def load(_: ProfileStore) -> ProfilesFile:
        made.faults.hang()
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(ProfileStore, "load", load)
        ended = await outcome(made, CASES["edit both keys"].change)
    assert isinstance(ended, CannotSave)
    assert "Whether the profiles were changed is unknown" in ended.meaning
    assert made.pairs() == CASES["edit both keys"].after


async def test_a_locked_store_is_told_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens it makes the same change again."""
    for number, (name, case) in enumerate(CASES.items()):
        made = await world(tmp_path / str(number), monkeypatch, Faults())
        real, locked = FaultyStore._act, [True]

        async def act(
            store: FaultyStore, what: str, effect: Callable[[], object], locked: list[bool] = locked, real: Any = real
        ) -> None:
            if locked and store.name == "keyring":
                raise KeyringLocked
            await real(store, what, effect)

        with monkeypatch.context() as patch:
            patch.setattr(FaultyStore, "_act", act)
            if name not in {"edit neither", "move, with another key"}:
                assert isinstance(await outcome(made, case.change), KeyringLocked), name
                assert made.pairs() == {PROD: OLD}, name
            locked.clear()
            assert isinstance(await outcome(made, case.change), Changed), name
            assert made.pairs() == case.after, name


async def test_a_copy_in_a_store_that_is_locked_is_told_and_can_be_forgotten_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forgotten passphrase is no reason that the key cannot move out."""
    made = await world(tmp_path, monkeypatch, Faults())
    acts = await acts_of(CASES["move, with another key"], tmp_path / "first", monkeypatch)
    made = await world(tmp_path / "second", monkeypatch, Faults("fails before", acts.index("keyring delete")))
    ended = await made.changes.edit(PROD, like_prod(store="file"), NEW)
    assert ended.left_behind is not None
    assert ended.left_behind.next_step == "Delete the entry ncp-tui:prod there."
    assert made.pairs() == {like_prod(store="file"): NEW}
    await made.changes.forget_copy(ended.left_behind)
    assert made.keys() == {("file", "prod"): NEW}


async def test_what_cannot_be_is_refused_before_a_key_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: tuple[tuple[Change, type[Problem]], ...] = (
        (lambda one: one.add(like_prod(name="PROD"), NEW), InvalidProfile),
        (lambda one: one.add(like_prod(name="not a name"), NEW), InvalidProfile),
        (lambda one: one.rename(PROD, "not a name"), InvalidProfile),
        (lambda one: one.duplicate(PROD, "prod"), InvalidProfile),
        (lambda one: one.edit(PROD, like_prod(access_key=OTHER_AK), None), MissingSecret),
        (lambda one: one.edit(like_prod(protected=True), like_prod(site="gov", region="KRS"), NEW), CannotSave),
        (lambda one: one.rename(like_prod(access_key=OTHER_AK), "live"), CannotSave),
        (lambda one: one.duplicate(like_prod(store="file"), "copy"), CannotSave),
        (lambda one: one.remove("prod", like_prod(store="file")), CannotSave),
    )
    made = await world(tmp_path, monkeypatch, Faults())
    for number, (change, kind) in enumerate(refused):
        assert isinstance(await outcome(made, change), kind), number
        assert made.pairs() == {PROD: OLD}, number
    assert not {act for act in made.faults.acts if not act.endswith("load")}


async def test_a_profile_of_no_store_is_changed_without_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command keeps no key of the store `session`: it would end with it."""
    made = await world(tmp_path, monkeypatch, Faults())
    await made.changes.add(like_prod(name="lab", store="session"), None)
    await made.changes.edit(PROD, like_prod(store="session"), None)
    assert made.keys() == {}
    assert [each.store for each in made.profiles.load().profiles] == ["session", "session"]
    with pytest.raises(MissingSecret):
        await made.changes.edit(like_prod(store="session"), PROD, None)


async def test_begun_it_is_carried_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker of a screen that has gone is cancelled; its user meant the change all the same."""
    made = await world(tmp_path, monkeypatch, Faults())
    gate, real = asyncio.Event(), FaultyStore._act

    async def slow(store: FaultyStore, name: str, effect: Callable[[], object]) -> None:
        await gate.wait()
        await real(store, name, effect)

    monkeypatch.setattr(FaultyStore, "_act", slow)
    change = carried_through(CASES["rename"].change(made.changes))
    waiting = asyncio.ensure_future(change)
    await asyncio.sleep(0)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    gate.set()
    await asyncio.wait(set(profile_changes._running))
    assert made.pairs() == CASES["rename"].after
