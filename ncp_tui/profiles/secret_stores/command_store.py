"""Secret keys that are kept nowhere: a program of the user's prints them when they are needed.

They stay in memory, and each program is run once at most: one that asks its user for a finger or a code must not do so
at each refresh, and one that has failed is not run again unless the user says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile, StoreName
from ncp_tui.profiles.secret_command import run_secret_command
from ncp_tui.profiles.secret_stores.errors import ExposedCommand, SecretCommandFailed
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.system.private_files import exposed_place

NOT_RUN = "The secret command was not run: somebody else could have written it."
NOT_SAVED = "Nothing was saved: a secret command in that file would not be run."


async def check_not_exposed(profiles_file: Path, meaning: str = NOT_RUN) -> None:
    """Raise ExposedCommand where somebody else could write into the file, and so have this user run a program.

    `meaning` says what has not been done for that.
    """
    try:
        exposed = await run_blocking(lambda: exposed_place(profiles_file), DISK_SECONDS)
    except OSError as error:
        reason = f"after {DISK_SECONDS:g} s" if isinstance(error, TimeoutError) else error.strerror
        exposed = f"Whether other users can write in {profiles_file} is unknown: {reason}."
    if exposed:
        raise ExposedCommand(
            exposed,
            meaning,
            "Check the secret commands, then have the profiles file and every folder above it yours or root's, and "
            "closed to other writers (chmod go-w).",
        )


class CommandStore:
    """A SecretStore that keeps nothing; `environ` is the user's, and `profiles_file` is where commands come from."""

    name: StoreName = "command"

    def __init__(self, environ: Mapping[str, str], profiles_file: Path) -> None:
        self._environ = environ
        self._profiles_file = profiles_file
        self._runs: dict[_Asked, _Run] = {}

    def describe(self) -> str:
        """Where the keys are, in plain words."""
        return "secret command"

    async def check(self) -> None:
        """Raise ExposedCommand where no command would be run."""
        await check_not_exposed(self._profiles_file)

    async def load(self, profile: Profile) -> SecretKey | None:
        """The secret key that the command of `profile` prints. Raises SecretCommandFailed or ExposedCommand."""
        return await self._run_of(profile).result()

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        """Keep nothing: the command has the key."""

    async def delete(self, profile: Profile) -> None:
        """Delete nothing: the command has the key. What it printed is forgotten."""
        self._runs.pop(_asked(profile), None)

    async def rename(self, old: Profile, new: Profile) -> None:
        """Move nothing: the command goes with the profile."""

    def _run_of(self, profile: Profile) -> _Run:
        asked = _asked(profile)
        if asked not in self._runs:
            self._runs[asked] = _Run(profile, self._environ, self._profiles_file)
        return self._runs[asked]


_Asked = tuple[str, str, tuple[str, ...] | None, tuple[str, ...] | None]


def _asked(profile: Profile) -> _Asked:
    """What makes a run another one: a profile that was edited has its new command run."""
    return (profile.name.casefold(), profile.access_key, profile.secret_command, profile.secret_command_env)


class _Run:
    """The one run of the command of a profile, and what came of it. A CommandUnlocker."""

    def __init__(self, profile: Profile, environ: Mapping[str, str], profiles_file: Path) -> None:
        self._command = profile.secret_command or ()
        self._passed = profile.secret_command_env or ()
        self._environ = environ
        self._profiles_file = profiles_file
        self._one_at_a_time = asyncio.Lock()
        self._secret_key: SecretKey | None = None
        self._failure: SecretCommandFailed | None = None

    @property
    def program(self) -> str:
        """Its full path."""
        return self._command[0]

    async def result(self) -> SecretKey:
        """The key, from the first run; or how that failed."""
        async with self._one_at_a_time:
            if self._secret_key is None and self._failure is None:
                await self._ask(None)
        return self._kept()

    async def run(self, terminal: int) -> None:
        """Run it with the terminal of that descriptor, and keep what it prints. Raises SecretCommandFailed."""
        async with self._one_at_a_time:
            self._failure = None
            await self._ask(terminal)
        self._kept()

    async def _ask(self, terminal: int | None) -> None:
        await check_not_exposed(self._profiles_file)
        try:
            self._secret_key = await run_secret_command(
                self._command, self._environ, passed=self._passed, terminal=terminal
            )
        except SecretCommandFailed as problem:
            if not problem.ran:  # the next time counts as the first
                raise
            problem.unlocker = self
            self._failure = problem

    def _kept(self) -> SecretKey:
        if self._secret_key is None:
            assert self._failure is not None  # noqa: S101 - for the type checker: one of the two is there
            raise self._failure.anew()
        return self._secret_key
