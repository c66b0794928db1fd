"""Changes of a profile and its secret key, which are kept in two places: both are changed, or neither is."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import re
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import CONFIGURE_PREFIX, Identity, SourceKind, same_name
from ncp_tui.profiles.profile import (
    InvalidProfile,
    Profile,
    StoreName,
    check_profile,
    check_profile_name,
    without_command,
)
from ncp_tui.profiles.profile_store import CannotSave, ProfileStore
from ncp_tui.profiles.profiles_file import ProfilesFile
from ncp_tui.profiles.secret_stores.catalogue import STORES
from ncp_tui.profiles.secret_stores.errors import (
    DamagedSecret,
    NoKeyFileHere,
    NoKeyring,
    OtherAccessKey,
    StoreLocked,
)
from ncp_tui.profiles.secret_stores.protocol import SecretStore, service_of
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import PROFILE_CHANGE_SECONDS
from ncp_tui.system.private_files import Fence

READ_BACK_SECONDS: Final = 10.0
"""How long it may then take to say whether the change is on disk."""

T = TypeVar("T")

_NOT_ASKED = (StoreLocked, NoKeyring, NoKeyFileHere)
"""What a store raises before it has touched anything: there is nothing to put back, and no use in asking again."""

# The event loop itself keeps tasks by weak references only.
_running: set[asyncio.Task[Any]] = set()


class DiskSilent(CannotSave):
    """The disk of the profiles file did not answer in time."""


class KeyLeftBehind(Problem):
    """The change is made, and a copy of the key is still where it was kept before."""

    kind = "key_left_behind"

    def __init__(self, profile: Profile, moved_to: Profile, place: str, cause: Problem) -> None:
        super().__init__(
            f"A copy of the secret key remains in {place}.",
            cause.what,
            f"Delete the entry {service_of(profile)} there.",
        )
        self.profile = profile
        self.moved_to = moved_to
        self.place = place
        self.cause = cause


@dataclass(frozen=True)
class Changed:
    """The profiles as they are now, and what could not be cleared away after the change was made."""

    book: ProfilesFile
    left_behind: KeyLeftBehind | None = None


async def carried_through(change: Coroutine[Any, Any, T]) -> T:
    """Run `change` to its end, even where the worker that waits for it is cancelled because its screen has gone."""
    task = asyncio.create_task(change)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)


class ProfileChanges:
    """Changes of the profiles in `profiles` and their keys in `stores`. Written once, for the screens and the commands.

    The key goes first, then the file: a store that fails has then changed nothing else, and a process that is killed in
    between leaves a key that no profile names, which the next `add` replaces. What is no longer needed goes last.

    - **A failure** of a store or of the file: the key is put back, and the problem raised says when that failed too.
    - **A locked store** raises StoreLocked before anything is changed. Whoever can ask the user
      opens it and makes the same change again, from its beginning.
    - **A timeout** of a store leaves it unknown whether the key was changed: the old one is put back, as far as the
      store answers, and the profile stays as it was.
    - **A timeout** of the file leaves it unknown whether it was written. It is then closed to this change (`Fence`), so
      that no write comes late, and read again. It holds the change: the change is carried through. It does not: the key
      is put back, and DiskSilent says that nothing was changed. Where it cannot be read either, the key stays as the
      change wants it, since a profile that was written must find its key, and DiskSilent says what is not known.
    - **A cancellation** is treated as a timeout is, and then passed on. A screen that may go away while its user means
      the change uses `carried_through`.

    A profile whose store is not among `stores` has no key that outlives this run, and one with a secret command has
    none that is kept: only the file is changed for them.
    """

    def __init__(self, profiles: ProfileStore, stores: Mapping[StoreName, SecretStore]) -> None:
        self._profiles = profiles
        self._stores = stores

    async def add(self, profile: Profile, secret_key: SecretKey | None) -> Changed:
        """Save a new profile and its key. Raises InvalidProfile, CannotSave, and what the store raises."""
        profile = check_profile(profile)
        await self._on_disk(lambda: self._profiles.check_free(profile.name))
        await self._check_command(profile, None)
        write = _Write(lambda profiles: profiles.add(profile), lambda book: book.find(profile.name) == profile)
        return Changed(await self._keep(profile, secret_key, profile, write))

    async def edit(self, seen: Profile, profile: Profile, secret_key: SecretKey | None) -> Changed:
        """Put `profile` in the place of the one that was `seen`; without `secret_key` the key that is kept stays.

        It moves along into another store. Raises MissingSecret where the profile would be left without its key, and
        CannotSave where another program has changed the profile since it was seen.
        """
        profile = dataclasses.replace(check_profile(profile), name=seen.name)
        await self._on_disk(lambda: self._profiles.check_unchanged(seen))
        await self._check_command(profile, seen)
        write = _Write(
            lambda profiles: profiles.replace(profile, seen=seen), lambda book: book.find(profile.name) == profile
        )
        moves = profile.store != seen.store
        keeps_keys = self._store_of(profile) is not None
        if secret_key is None and keeps_keys and (moves or profile.access_key != seen.access_key):
            secret_key = await self.kept_key(seen) if profile.access_key == seen.access_key else None
            if secret_key is None:
                raise MissingSecret
        book = await self._keep(profile, secret_key, dataclasses.replace(seen, store=profile.store), write)
        return Changed(book, await self._clear(seen, profile) if moves else None)

    async def rename(self, old: Profile, name: str) -> Changed:
        """Give the profile `old` another name; its key is kept under that name, then deleted under the old one."""
        new = dataclasses.replace(old, name=name)
        await self._on_disk(lambda: self._profiles.check_free(name, unless=old.name))
        await self._on_disk(lambda: self._profiles.check_unchanged(old))
        secret_key = await self.kept_key(old)
        write = _Write(
            lambda profiles: profiles.rename(old.name, name),
            lambda book: any(each.name == name for each in book.profiles),
        )
        book = await self._keep(new, secret_key, new, write)
        return Changed(book, await self._clear(old, new) if secret_key is not None and old.name != name else None)

    async def duplicate(self, old: Profile, name: str) -> Changed:
        """Add a copy of the profile `old`, with a copy of its key, under another name."""
        new = dataclasses.replace(old, name=name)
        await self._on_disk(lambda: self._profiles.check_free(name))
        await self._on_disk(lambda: self._profiles.check_unchanged(old))
        secret_key = await self.kept_key(old)
        write = _Write(lambda profiles: profiles.duplicate(old.name, name), lambda book: book.find(name) is not None)
        return Changed(await self._keep(new, secret_key, new, write))

    async def remove(self, name: str, key_of: Profile | None) -> Changed:
        """Remove a profile, and before it the key of `key_of`, where that is said.

        In this order, because a profile that is left can be removed again, and a forgotten key cannot.
        """
        write = _Write(
            lambda profiles: profiles.remove(name),
            lambda book: book.find(name) is None and book.find_unreadable(name) is None,
        )
        store = self._store_of(key_of) if key_of is not None else None
        if key_of is None or store is None:
            return Changed(await self._both(_nothing, _nothing, write))
        await self._on_disk(lambda: self._profiles.check_unchanged(key_of))
        previous = await self.kept_key(key_of)

        async def put_back() -> None:
            if previous is not None:
                await store.save(key_of, previous)

        return Changed(await self._both(lambda: store.delete(key_of), put_back, write))

    async def set_default(self, name: str) -> Changed:
        """Use the profile `name` when none is named."""

        def is_default(book: ProfilesFile) -> bool:
            return book.default is not None and same_name(book.default, name)

        write = _Write(lambda profiles: profiles.set_default(name), is_default)
        return Changed(await self._both(_nothing, _nothing, write))

    async def forget_copy(self, left: KeyLeftBehind) -> None:
        """Delete the copy of a key that was left behind. Raises what its store raises."""
        await _delete_copy(self._stores[left.profile.store], left.profile, left.moved_to)

    async def kept_key(self, profile: Profile) -> SecretKey | None:
        """The key that is kept for `profile` now; one that cannot be read is worth nothing."""
        store = self._store_of(profile)
        with suppress(DamagedSecret, OtherAccessKey):
            return await store.load(profile) if store is not None else None
        return None

    def _store_of(self, profile: Profile) -> SecretStore | None:
        """Where a key of `profile` can be kept; None where none can. No secret command is run for a change."""
        return self._stores.get(profile.store) if STORES[profile.store].keeps_keys else None

    async def _keep(
        self, profile: Profile, secret_key: SecretKey | None, there: Profile, write: _Write
    ) -> ProfilesFile:
        """Keep `secret_key` for `profile`, then write; the key that is kept for `there` now is the one to put back."""
        store = self._store_of(profile)
        if store is None or secret_key is None:
            return await self._both(_nothing, _nothing, write)
        previous = await self.kept_key(there)

        async def put_back() -> None:
            await (store.delete(profile) if previous is None else store.save(there, previous))

        return await self._both(lambda: store.save(profile, secret_key), put_back, write)

    async def _both(
        self, change_key: Callable[[], Awaitable[None]], put_back: Callable[[], Awaitable[None]], write: _Write
    ) -> ProfilesFile:
        try:
            await change_key()
        except _NOT_ASKED:
            raise
        except BaseException:
            with suppress(Problem):  # what failed says itself what is known of the key
                await put_back()
            raise
        try:
            return await write.make(self._profiles)
        except BaseException as failure:
            if not write.may_be_on_disk:
                await _put_back(put_back, failure)
            raise

    async def _check_command(self, profile: Profile, seen: Profile | None) -> None:
        """Raise ExposedCommand for a new command in a file where it would not be run."""
        if profile.secret_command not in (None, seen and seen.secret_command):
            from ncp_tui.profiles.secret_stores.command_store import NOT_SAVED, check_not_exposed

            await check_not_exposed(self._profiles.file, NOT_SAVED)

    async def _clear(self, old: Profile, new: Profile) -> KeyLeftBehind | None:
        """Delete the key of `old`, of which `new` has a copy; where that fails, say where it is."""
        store = self._store_of(old)
        if store is None:
            return None
        try:
            await _delete_copy(store, old, new)
        except Problem as problem:
            return KeyLeftBehind(old, new, store.describe(), problem)
        return None

    async def _on_disk(self, question: Callable[[], T]) -> T:
        try:
            return await run_blocking(question, PROFILE_CHANGE_SECONDS)
        except TimeoutError:
            raise _silent("Nothing was changed.") from None


class MissingSecret(InvalidProfile):
    """A profile that would be saved without its secret key."""

    def __init__(self) -> None:
        super().__init__("Secret key missing.", "Nothing was saved or sent.", "Type or paste it.", field="secret_key")


class _Write:
    """One change of the profiles file, and whether it may be there once it has failed."""

    def __init__(
        self, change: Callable[[ProfileStore], ProfilesFile], has_landed: Callable[[ProfilesFile], bool]
    ) -> None:
        self._change = change
        self._has_landed = has_landed
        self.may_be_on_disk = False

    async def make(self, profiles: ProfileStore) -> ProfilesFile:
        """The profiles after the change. What a timeout means is said where it matters: see ProfileChanges."""
        fence = Fence()
        try:
            return await run_blocking(lambda: self._change(profiles.behind(fence)), PROFILE_CHANGE_SECONDS)
        except TimeoutError:
            book = await self._read_back(profiles, fence)
        except asyncio.CancelledError:
            await self._read_back(profiles, fence)
            raise
        if book is None:
            raise _silent("Whether the profiles were changed is unknown; the secret key was changed.")
        if not self.may_be_on_disk:
            raise _silent("Nothing was changed.")
        return book

    async def _read_back(self, profiles: ProfileStore, fence: Fence) -> ProfilesFile | None:
        """The profiles as they are now, which this change will not touch again; None where that is unknown."""

        def read() -> ProfilesFile:
            fence.close()
            return profiles.load()

        self.may_be_on_disk = True
        try:
            book = await run_blocking(read, READ_BACK_SECONDS)
        except (Problem, TimeoutError):
            return None
        self.may_be_on_disk = self._has_landed(book)
        return book


async def _delete_copy(store: SecretStore, old: Profile, new: Profile) -> None:
    if old.store == new.store and same_name(old.name, new.name):
        await store.rename(old, new)  # one and the same item where a keyring does not tell the letters apart
    else:
        await store.delete(old)


async def _put_back(put_back: Callable[[], Awaitable[None]], failure: BaseException) -> None:
    """Put the key back. What failed first is what is raised; that this failed as well is part of its meaning."""
    try:
        await put_back()
    except Problem as problem:
        if isinstance(failure, Problem):
            failure.meaning = f"{failure.meaning} The secret key could not be put back: {problem.what}".strip()


async def _nothing() -> None:
    """No key is kept."""


def _silent(meaning: str) -> DiskSilent:
    return DiskSilent(
        f"The disk did not answer within {PROFILE_CHANGE_SECONDS:g} s.", meaning, "Look at the disk, then try again."
    )


_LONGEST_STEM = 48


@dataclass(frozen=True)
class ImportedProfile:
    """Found keys as a profile that may be added; `same_as` is the profile that has these keys at this place already."""

    profile: Profile
    secret_key: SecretKey
    source: str
    same_as: str | None


def import_profiles(
    identities: Iterable[Identity], saved: Iterable[Profile], store: StoreName, unreadable: Iterable[str] = ()
) -> tuple[ImportedProfile, ...]:
    """The `identities` with a secret key of their own as profiles to be kept in `store`, under names that are free.

    `saved` are the profiles there are, `unreadable` the names of those that cannot be read.
    """
    known = list(saved)
    taken = [*(profile.name for profile in known), *unreadable]
    imported: list[ImportedProfile] = []
    for identity in identities:
        if identity.secret_key is None:
            continue
        from_environment = identity.kind is SourceKind.ENVIRONMENT
        wanted = "imported" if from_environment else identity.name.removeprefix(CONFIGURE_PREFIX)
        free = free_profile_name(wanted, taken)
        # What is found beside keys is the word of another program, and never a program that is run from now on.
        profile = check_profile(without_command(replace(identity.profile, name=free, store=store)))
        same = next((each.name for each in known if _caller(each) == _caller(profile)), None)
        imported.append(ImportedProfile(profile, identity.secret_key, identity.source, same))
        taken.append(profile.name)
        known.append(profile)
    return tuple(imported)


def _caller(profile: Profile) -> tuple[str | None, ...]:
    return (profile.access_key, profile.site, profile.region, profile.gateway_url)


def free_profile_name(wanted: str, taken: Collection[str]) -> str:
    """A profile name like `wanted` that is not among `taken`: `DEFAULT` becomes `default`, then `default-2`."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted)[:_LONGEST_STEM].strip("._-")
    stem = stem.lower() if stem.isupper() else stem
    if not _may_be_named(f"{stem}-2"):
        stem = f"profile-{stem}" if stem else "profile"
    used = {name.casefold() for name in taken}
    numbered = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
    return next(name for name in numbered if name.casefold() not in used and _may_be_named(name))


def _may_be_named(name: str) -> bool:
    try:
        check_profile_name(name)
    except InvalidProfile:
        return False
    return True
