"""The profiles on disk: one change at a time, nothing lost, whoever else is writing."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import same_name
from ncp_tui.profiles.profile import InvalidProfile, Profile, check_profile, check_profile_name
from ncp_tui.profiles.profiles_file import VERSION, ProfilesFile, read_profiles, write_profiles
from ncp_tui.system.paths import Paths, make_private_directory
from ncp_tui.system.private_files import (
    Fence,
    GivenUp,
    back_up,
    foreign_owner,
    read_file,
    remove_leftovers,
    write_atomically,
)

LOCK_SECONDS = 10.0

_ROOT = 0
_OTHERS_WRITE = 0o022


class CannotRead(Problem):
    """The profiles file is there and the system does not let us read it."""

    kind = "cannot_read_profiles"


class CannotSave(Problem):
    """A change of the profiles that did not reach the disk; the file is as it was."""

    kind = "cannot_save_profiles"


class UnknownProfile(Problem):
    """A name that no profile has."""

    kind = "unknown_profile"


class ProfileStore:
    """The profiles file of `paths`. Its methods block on the disk and the lock: call them on a thread.

    Each change takes the lock, reads the file again, and writes it whole; it returns the book as it is then. All of
    them raise CannotSave or CannotRead, and leave the file byte for byte as it was when they do.
    """

    def __init__(self, paths: Paths, *, lock_seconds: float = LOCK_SECONDS, fence: Fence | None = None) -> None:
        self._paths = paths
        self._lock_seconds = lock_seconds
        self._fence = fence or Fence()

    @property
    def file(self) -> Path:
        """Where the profiles are."""
        return self._paths.profiles_file

    def behind(self, fence: Fence) -> ProfileStore:
        """The same file, for a change that is not written any more once `fence` is closed."""
        return ProfileStore(self._paths, lock_seconds=self._lock_seconds, fence=fence)

    def load(self) -> ProfilesFile:
        """The profiles, with a copy of a file that is not wholly understood put aside. Raises CannotRead."""
        data = self._read()
        book = read_profiles(data)
        if not book.damaged or book.version > VERSION:
            return book
        try:
            note = f"A copy of the file is in {back_up(self._paths.profiles_file, data)}."
        except OSError as error:
            note = f"No copy of the file could be made: {_reason(error)}."
        return dataclasses.replace(book, warnings=(*book.warnings, note))

    def add(self, profile: Profile) -> ProfilesFile:
        """Add a profile; the first one becomes the default. Raises InvalidProfile for a bad value or a taken name."""
        profile = check_profile(profile)

        def added(book: ProfilesFile) -> ProfilesFile:
            if book.find(profile.name) is not None:
                raise name_taken(profile.name)
            keeps_default = book.profiles or (book.damaged and book.default)
            default = book.default if keeps_default else profile.name
            return dataclasses.replace(
                book,
                profiles=(*book.profiles, profile),
                default=default,
                # A table of this name that could not be read is replaced; load and change have kept a copy.
                unreadable={
                    name: table for name, table in book.unreadable.items() if not same_name(name, profile.name)
                },
            )

        return self._change(added)

    def check_free(self, name: str, *, unless: str | None = None) -> None:
        """Raise what a change to a profile called `name` would, before a key is touched for it.

        InvalidProfile where no profile may be called so or one is, readable or not, other than `unless`.
        """
        check_profile_name(name)
        book = read_profiles(self._read())
        self._refuse_newer(book)
        _refuse_taken(book, name, unless=book.find(unless) if unless else None)

    def check_unchanged(self, seen: Profile) -> None:
        """Raise what `replace` of `seen` would, before a key is touched for it."""
        book = read_profiles(self._read())
        self._refuse_newer(book)
        _refuse_changed(known_profile(book, seen.name), seen)

    def replace(self, profile: Profile, *, seen: Profile | None = None) -> ProfilesFile:
        """Put `profile` in the place of the one of its name, which is as it was `seen`, where that is said.

        Raises UnknownProfile, InvalidProfile, CannotSave for one that another program has changed meanwhile.
        """
        profile = check_profile(profile)

        def replaced(book: ProfilesFile) -> ProfilesFile:
            # The spelling stays: secrets are kept under it, and only `rename` moves them.
            old = known_profile(book, profile.name)
            if seen is not None:
                _refuse_changed(old, seen)
            return _exchanged(book, old, dataclasses.replace(profile, name=old.name))

        return self._change(replaced)

    def rename(self, old: str, new: str) -> ProfilesFile:
        """Give a profile another name; the default follows. Raises UnknownProfile, InvalidProfile.

        The secret stays where it is: the caller moves it with the store's own `rename`.
        """
        check_profile_name(new)

        def renamed(book: ProfilesFile) -> ProfilesFile:
            profile = known_profile(book, old)
            _refuse_taken(book, new, unless=profile)
            was_default = book.default is not None and same_name(book.default, profile.name)
            book = _exchanged(book, profile, dataclasses.replace(profile, name=new))
            return dataclasses.replace(book, default=new) if was_default else book

        return self._change(renamed)

    def duplicate(self, name: str, new: str) -> ProfilesFile:
        """Add a copy of a profile under a new name, without its secret. Raises UnknownProfile, InvalidProfile."""
        check_profile_name(new)

        def duplicated(book: ProfilesFile) -> ProfilesFile:
            profile = known_profile(book, name)
            _refuse_taken(book, new)
            return dataclasses.replace(book, profiles=(*book.profiles, dataclasses.replace(profile, name=new)))

        return self._change(duplicated)

    def remove(self, name: str) -> ProfilesFile:
        """Remove a profile; removing the default leaves none, so that no other account is used unnoticed.

        A table that cannot be read is removed as well (its copy stays). Raises UnknownProfile.
        """

        def removed(book: ProfilesFile) -> ProfilesFile:
            written = book.find_unreadable(name) if book.find(name) is None else None
            if written is None:
                known_profile(book, name)
            default = None if book.default and same_name(book.default, name) else book.default
            return dataclasses.replace(
                book,
                profiles=tuple(profile for profile in book.profiles if not same_name(profile.name, name)),
                unreadable={key: table for key, table in book.unreadable.items() if key != written},
                default=default,
            )

        return self._change(removed)

    def set_default(self, name: str) -> ProfilesFile:
        """Use this profile when none is named. Raises UnknownProfile."""
        return self._change(lambda book: dataclasses.replace(book, default=known_profile(book, name).name))

    def _read(self) -> bytes:
        file = self._paths.profiles_file
        try:
            if file.exists() and not file.is_file():
                raise CannotRead(f"{file} is not a file.", "The profiles cannot be read.", "Move it away.")
            self._check_owner(file)
            return read_file(file, follow=True)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise CannotRead(
                f"{file} cannot be read: {_reason(error)}.",
                "No profile was read.",
                "Check the owner and mode of the file; another user (sudo?) may have created it.",
            ) from error

    def _check_owner(self, file: Path) -> None:
        """Raise CannotRead for a file that somebody else could have written: its URLs are where signatures go."""
        status = file.stat()
        mode = stat.S_IMODE(status.st_mode)
        if os.name == "posix" and status.st_uid not in {os.geteuid(), _ROOT}:
            what, fix = foreign_owner(file, status)
            raise CannotRead(what, "The profiles in it were not used: they say where signatures are sent.", fix)
        if os.name == "posix" and mode & _OTHERS_WRITE:
            raise CannotRead(
                f"Other users can write in {file} (mode {mode:04o}).",
                "The profiles in it were not used: they say where signatures are sent.",
                f"Check its content, then close it to other users: chmod 600 {file}",
            )

    def _change(self, change: Callable[[ProfilesFile], ProfilesFile]) -> ProfilesFile:
        file = self._paths.profiles_file
        with self._locked():
            data = self._read()
            book = read_profiles(data)
            self._refuse_newer(book)
            changed = write_profiles(change(book))
            try:
                if book.damaged:
                    back_up(file, data)
                remove_leftovers(file)
                write_atomically(file, changed, follow=True, replacing=self._fence.passage())
            except OSError as error:
                raise self._cannot_save(_reason(error)) from error
            except GivenUp:
                raise self._cannot_save("the disk did not answer in time") from None
        return read_profiles(changed)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout  # 8 ms, which reading does not need

        lock = FileLock(self._paths.profiles_lock, timeout=self._lock_seconds, mode=0o600)
        try:
            make_private_directory(self._paths.config_dir)
            lock.acquire()
        except Timeout:
            raise CannotSave(
                f"Another ncp-tui has held the profiles file for {self._lock_seconds:g} s.",
                "Nothing was changed.",
                "Retry; look for a hung ncp-tui process.",
            ) from None
        except (OSError, NotImplementedError) as error:
            raise self._cannot_save(_reason(error)) from error
        try:
            yield
        finally:
            lock.release()

    def _refuse_newer(self, book: ProfilesFile) -> None:
        if book.version > VERSION:
            raise CannotSave(
                f"The profiles file was written by a newer ncp-tui (version {book.version}; this one knows {VERSION}).",
                "Nothing was changed: settings of the newer version would be lost.",
                "Update ncp-tui, or change the profile with the newer one.",
            )

    def _cannot_save(self, reason: str) -> CannotSave:
        return CannotSave(
            f"The profiles could not be saved: {reason}.",
            "The file is as it was.",
            f"Check the free space and the mode of {self._paths.config_dir}.",
        )


def known_profile(book: ProfilesFile, name: str) -> Profile:
    """The profile of that name. Raises UnknownProfile, which names those that there are."""
    profile = book.find(name)
    if profile is not None:
        return profile
    if book.find_unreadable(name):
        raise UnknownProfile(
            f"Profile {name!a} cannot be read.",
            "Nothing was changed.",
            "Correct it in the profiles file, or remove it.",
        )
    names = ", ".join(one.name for one in book.profiles)
    known = f"Profiles: {names}." if names else "There are no profiles yet."
    raise UnknownProfile(f"There is no profile {name!a}.", "Nothing was changed.", " ".join((*book.warnings, known)))


def _refuse_taken(book: ProfilesFile, name: str, *, unless: Profile | None = None) -> None:
    if book.find(name) not in (None, unless) or book.find_unreadable(name):
        raise name_taken(name)


def _refuse_changed(now: Profile, seen: Profile) -> None:
    """A form that was open meanwhile would undo what another program did, a protection among it."""
    if now != seen:
        raise CannotSave(
            f"Profile {now.name} was changed by another program meanwhile.",
            "Nothing was saved.",
            "Check the profile as it is now, then repeat the change.",
        )


def name_taken(name: str) -> InvalidProfile:
    """What is wrong with a name that another profile has."""
    return InvalidProfile(
        f"Profile {name!r} already exists.",
        "Nothing was saved.",
        "Choose another name (case does not matter).",
        field="name",
    )


def _exchanged(book: ProfilesFile, old: Profile, new: Profile) -> ProfilesFile:
    return dataclasses.replace(book, profiles=tuple(new if profile is old else profile for profile in book.profiles))


def _reason(error: OSError | NotImplementedError) -> str:
    """Why the system refused, in its own words but without paths or data."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else type(error).__name__
