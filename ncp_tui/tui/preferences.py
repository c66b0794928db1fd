"""What the user has chosen about the program itself, kept from one run to the next, and the user's own keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ncp_tui.problem import Problem
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.system.paths import Paths, make_private_directory
from ncp_tui.system.private_files import read_file, write_atomically

LOCK_SECONDS = 2.0


class CannotRemember(Problem):
    """A choice that holds for this run only."""

    kind = "cannot_remember"


class Preferences:
    """What the user chooses while the program runs, kept for the next one; without `paths` nothing is kept."""

    def __init__(self, paths: Paths | None) -> None:
        self._paths = paths

    async def keep(self, name: str, value: str) -> None:
        """Write a choice down. Raises CannotRemember."""
        paths = self._paths
        if paths is None:
            return
        try:
            await run_blocking(lambda: remember(paths, name, value), DISK_SECONDS)
        except TimeoutError:
            raise _cannot(f"the disk did not answer within {DISK_SECONDS:g} s", paths.settings_file) from None


@dataclass(frozen=True)
class Remembered:
    """What was chosen last, by name, and the keys that the user has written into the file."""

    choices: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why that is not all that the file has, in a sentence."""


def not_remembered(paths: Paths, why: str) -> Remembered:
    """Nothing, and why."""
    return Remembered(problem=f"Settings are not in force: {why}. The file: {os.fspath(paths.settings_file)}")


def remembered(paths: Paths) -> Remembered:
    """What the file has; nothing where there is none, or it cannot be read. It blocks on the disk."""
    try:
        chosen = _read(paths)
    except OSError as error:
        return not_remembered(paths, _reason(error))
    except (ValueError, RecursionError):
        return not_remembered(paths, _NOT_TOML)
    keys = chosen.get("keys", {})
    choices = {name: value for name, value in chosen.items() if isinstance(value, str)}
    if not isinstance(keys, dict):
        return Remembered(choices, problem="Keys of the settings file are not in force: [keys] is not a table.")
    return Remembered(choices, keys)


def remember(paths: Paths, name: str, value: str) -> None:
    """Keep a choice, and all else that is in the file. It blocks on the disk. Raises CannotRemember."""
    import tomli_w  # 10 ms that a start, which only reads, does not spend
    from filelock import FileLock, Timeout

    file = paths.settings_file
    try:
        make_private_directory(paths.config_dir)
        with FileLock(f"{file}.lock", timeout=LOCK_SECONDS, mode=0o600):
            write_atomically(file, tomli_w.dumps(_read(paths) | {name: value}).encode(), follow=True)
    except Timeout:
        raise _cannot("the file is locked by another ncp-tui", file) from None
    except OSError as error:
        raise _cannot(_reason(error), file) from None
    except (ValueError, RecursionError):
        raise _cannot(_NOT_TOML, file) from None


def _read(paths: Paths) -> dict[str, Any]:
    """The file's content. Raises OSError, ValueError."""
    try:
        text = read_file(paths.settings_file, follow=True).decode()
    except FileNotFoundError:
        return {}
    import tomllib  # most starts have nothing to read

    return tomllib.loads(text)


_NOT_TOML = "the file is not valid TOML; fix it or move it away"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else type(error).__name__


def _cannot(why: str, file: os.PathLike[str]) -> CannotRemember:
    return CannotRemember(f"This choice was not saved to {os.fspath(file)}: {why}.", "It applies until you quit.")
