"""The file of metrics of `snapshot check`, written whatever that ends in: an old one would say that all is well."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ncp_tui.cli.errors import NOTHING_SENT, CommandProblem
from ncp_tui.cli.output import write
from ncp_tui.problem import Problem
from ncp_tui.text import clean

if TYPE_CHECKING:
    from ncp_tui.cli.runner import CommandContext
    from ncp_tui.snapshots.fleet import FleetReport, NotChecked

_READABLE = 0o644
"""For the user of the node exporter, whatever the umask."""


class UnusableFile(CommandProblem):
    """A file that the metrics must not be written to."""

    kind = "unusable_file"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{clean(str(path))} {why}.", NOTHING_SENT, "Name a new file, or one that ncp-tui wrote.")


class MetricsFile:
    """The file of one check, which is written whatever that ends in."""

    def __init__(self, context: CommandContext, path: Path) -> None:
        """Check `path` before anything is sent. Raises UnusableFile."""
        self._context, self._path, self._is_complete = context, path, False
        _check_target(path)
        self._end, self._last_words = context.exit_code_of, context.signals.last_words
        context.exit_code_of = self.end
        context.signals.last_words = self._say_last

    def write(self, report: FleetReport) -> NotChecked | None:
        """Replace the file; why it could not be written, where it could not."""
        from ncp_tui.snapshots.fleet import NotChecked

        why = _written(self._path, report)
        self._is_complete = not why
        return NotChecked(str(self._path), why, "file") if why else None

    def end(self, problem: Problem) -> int:
        """The exit code of a check that ended in `problem`; the file says that it could not check."""
        self._write_unchecked(problem.what)
        return self._end(problem)

    def _say_last(self) -> None:
        self._write_unchecked("The run was ended by a signal.")
        self._last_words()

    def _write_unchecked(self, why: str) -> None:
        """Have the file say that nothing could be checked, unless it has what was checked already."""
        if self._is_complete:
            return
        unwritten = _written(self._path, _nothing(self._context.settings.profile or "", why))
        if unwritten:
            self._context.out.error(unwritten)


def write_unchecked(arguments: Sequence[str], why: str) -> None:
    """The same for a command line that was not understood, or a run that ended before it began, if it names a file.

    Only its words say which was wanted. A file that must not be written to is left alone, and told on stderr.
    """
    words = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    name = _value_of("--prometheus", words)
    if name is None or _command_of(words) != ["snapshot", "check"]:
        return
    path = Path(name)
    try:
        _check_target(path)
    except UnusableFile as problem:
        write(sys.stderr, problem.what)
        return
    unwritten = _written(path, _nothing(_value_of("--profile", words) or "", why))
    if unwritten:
        write(sys.stderr, unwritten)


def _command_of(words: Sequence[str]) -> list[str]:
    """The first two words that are neither an option nor the value of one that every command takes."""
    named = [word for place, word in enumerate(words) if not place or words[place - 1] != "--profile"]
    return [word for word in named if not word.startswith("-")][:2]


def _value_of(option: str, words: Sequence[str]) -> str | None:
    """The value that is given to an option, the last one; None for none, or one that looks like another option."""
    found = None
    for place, word in enumerate(words):
        value = word.removeprefix(f"{option}=")
        if value == word:
            value = words[place + 1] if word == option and place + 1 < len(words) else ""
        if value and not value.startswith("-"):
            found = value
    return found


def _nothing(profile: str, why: str) -> FleetReport:
    """The report of a check that could check nothing."""
    from ncp_tui.snapshots.fleet import FleetReport, NotChecked

    # Not the workspace's clock: what ended the check may be that there is no workspace.
    return FleetReport((), (NotChecked(profile, why, "profile"),), datetime.now(UTC))


def _written(path: Path, report: FleetReport) -> str:
    """Replace the file; a sentence of why it could not be written, empty where it was."""
    from ncp_tui.system.private_files import write_atomically
    from ncp_tui.view.fleet import prometheus_text

    try:
        write_atomically(path, prometheus_text(report).encode("utf-8", "replace"), mode=_READABLE)
    except OSError as error:
        return f"The file cannot be written: {error.strerror or type(error).__name__}."
    return ""


def _check_target(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # a name with a NUL in it is no file's
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UnusableFile(path, f"cannot be used: {why}") from error
    if not stat.S_ISREG(found.st_mode):
        raise UnusableFile(path, "is not a regular file (a link, pipe, folder or device)")
    if found.st_uid != os.geteuid():
        raise UnusableFile(path, f"belongs to another user (uid {found.st_uid})")
