"""What can be found out about this machine without asking anybody: files, keys, journal, terminal, proxy."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ncp_tui.cli.errors import next_words
from ncp_tui.cli.plain import is_lines_only
from ncp_tui.gateway.endpoints import endpoint_for
from ncp_tui.gateway.proxies import PROXY_VARIABLES, UnusableProxy, proxy_for
from ncp_tui.problem import Problem
from ncp_tui.snapshots.journal import Journal, JournalProblem
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.preflight import Severity
from ncp_tui.workspace import Workspace

# As programs read them: the first that is set decides.
_LOCALES = ("LC_ALL", "LC_CTYPE", "LANG")
_SMALLEST = (60, 20)
_LEAST_FREE = 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and how to mend it."""

    subject: str
    severity: Severity
    says: str
    fix: str = ""
    problem: Problem | None = None

    @property
    def sentence(self) -> str:
        """Both in one line."""
        return f"{self.says.rstrip('.')}. {self.fix}".rstrip() if self.fix else self.says

    def document(self) -> dict[str, Any]:
        """The same for scripts."""
        return {"check": self.subject, "state": self.severity.value, "found": self.says, "fix": self.fix or None}


def local_findings(workspace: Workspace, wanted: str | None = None) -> Iterator[Finding]:
    """Look at files, keys, journal, terminal and proxy; only reads. `wanted` is the profile that was asked for."""
    yield from _files(workspace)
    yield _profiles(workspace)
    yield from _key_file(workspace)
    yield from _callers(workspace, wanted)
    yield _journal(workspace)
    yield _terminal(workspace.environ)
    yield _characters(workspace.environ)
    yield _proxy(workspace.environ)


def _files(workspace: Workspace) -> Iterator[Finding]:
    paths = workspace.paths
    # By what they are for: outside of NCP_TUI_HOME all three have the program's name.
    for use, folder in (("config", paths.config_dir), ("state", paths.state_dir), ("data", paths.data_dir)):
        yield _folder(f"folder {use}", folder)
    for file in (paths.profiles_file, paths.keys_file, paths.journal_file, paths.session_log_file):
        found = _private(file)
        if found is not None:
            yield found


def _folder(subject: str, folder: Path) -> Finding:
    there = folder
    # Not Path.exists: it raises where a parent is closed to us.
    while not os.path.exists(there) and there != there.parent:  # noqa: PTH110
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fix = f"Check owner and mode of {there}, or set NCP_TUI_HOME to a folder of yours."
        return Finding(subject, Severity.BAD, f"{folder} cannot be written", fix)
    if shutil.disk_usage(there).free < _LEAST_FREE:
        return Finding(subject, Severity.BAD, f"{folder}: the disk is full", "Make room: nothing can be written down.")
    return Finding(subject, Severity.OK, f"{folder} can be written")


def _private(file: Path) -> Finding | None:
    try:
        found = file.stat()
    except OSError:
        return None  # not there yet, or closed to us: that is the folder's finding
    subject, quoted = f"file {file.name}", shlex.quote(str(file))
    if found.st_uid != os.getuid():
        return Finding(subject, Severity.BAD, f"{file} belongs to somebody else", f'sudo chown "$USER" {quoted}')
    if stat.S_ISREG(found.st_mode) and found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        return Finding(subject, Severity.BAD, f"others may open {file} (mode {mode:04o})", f"chmod 600 {quoted}")
    return Finding(subject, Severity.OK, f"{file} is yours alone")


def _profiles(workspace: Workspace) -> Finding:
    try:
        book = workspace.profiles.load()
    except Problem as problem:
        return Finding("profiles", Severity.BAD, problem.what, next_words(problem), problem)
    if book.damaged:
        fix = f"Mend or remove {workspace.paths.profiles_file}."
        return Finding("profiles", Severity.BAD, " ".join(book.warnings), fix)
    count = len(book.profiles)
    return Finding("profiles", Severity.OK, f"{count} profile{'s' * (count != 1)} can be read")


def _key_file(workspace: Workspace) -> Iterator[Finding]:
    """Whether this host can open the encrypted file, where there is one or a profile wants one."""
    try:
        wanted = any(profile.store == "file" for profile in workspace.profiles.load().profiles)
    except Problem:
        wanted = False  # that is the finding about the profiles
    if not wanted and not workspace.paths.keys_file.exists():
        return
    from ncp_tui.profiles.secret_stores.key_file_format import check_host  # `cryptography` takes 25 ms to import

    try:
        check_host()
    except Problem as problem:
        yield Finding("encrypted file", Severity.BAD, problem.what, next_words(problem), problem)
    else:
        yield Finding("encrypted file", Severity.OK, "this host can open it")


def _callers(workspace: Workspace, wanted: str | None) -> Iterator[Finding]:
    """Keys that are there and cannot be used, and whom a command would call as."""
    try:
        book = workspace.profiles.load()
    except Problem:
        return  # nobody to call as is known then: that is the finding about the profiles
    found = workspace.identities(book)
    for name, problem in found.refused.items():
        yield Finding(f"keys {name}", Severity.BAD, problem.what, next_words(problem))
    for warning in found.warnings:
        told = warning in book.warnings or any(problem.what in warning for problem in found.refused.values())
        if not told:
            yield Finding("keys", Severity.UNSURE, warning)
    try:
        chosen = workspace.choose(wanted)
    except Problem as problem:
        yield Finding("caller", Severity.BAD, problem.what, next_words(problem), problem)
    else:
        yield Finding("caller", Severity.OK, f"commands call as {chosen.name} (key from {chosen.source})")


def _journal(workspace: Workspace) -> Finding:
    journal = Journal(workspace.paths)
    try:
        contents, abandoned = journal.contents(), journal.abandoned()
    except JournalProblem as problem:
        return Finding("journal", Severity.BAD, problem.what, next_words(problem), problem)
    if contents.damage is not None:
        damaged = DamagedJournal(contents.damage)
        return Finding("journal", Severity.BAD, f"{damaged.what} {damaged.meaning}", next_words(damaged), damaged)
    if not abandoned:
        old = f"; the journal of an earlier version is kept as {contents.kept}" if contents.kept else ""
        return Finding("journal", Severity.OK, f"the outcome of every create is known{old}")
    names = ", ".join(f"{entry.request.name} on {entry.request.cluster}" for entry in abandoned[:3])
    more = f" and {len(abandoned) - 3} more" if len(abandoned) > 3 else ""  # noqa: PLR2004
    return Finding("journal", Severity.UNSURE, f"outcome not known: {names}{more}", "ncp-tui snapshot resolve")


def _terminal(environ: Mapping[str, str]) -> Finding:
    size = _screen_size()
    if size is None:
        return Finding("terminal", Severity.OK, "none: nobody looks on")
    told = [f"TERM={environ.get('TERM') or 'not set'}"]
    told += [f"{size.columns}x{size.lines}"] * (0 not in size)
    told += [f"{name}={environ[name]} (ignored)" for name in ("COLUMNS", "LINES") if environ.get(name)]
    told += [name for name in ("TMUX", "STY", "SSH_CONNECTION", "NO_COLOR", "COLORTERM") if environ.get(name)]
    said = ", ".join(told)
    if is_lines_only():
        return Finding("terminal", Severity.UNSURE, said, "It cannot show the full screen: use ncp-tui --plain.")
    # Some say 0x0, which is no size: 80x24 is taken for it.
    if 0 not in size and (size.columns < _SMALLEST[0] or size.lines < _SMALLEST[1]):
        return Finding("terminal", Severity.UNSURE, said, "The full screen needs 60x20: make the window larger.")
    return Finding("terminal", Severity.OK, said)


def _screen_size() -> os.terminal_size | None:
    """The size of the terminal; None without one. A pipe for the answer does not take it away."""
    for stream in filter(None, (sys.stdout, sys.stderr, sys.stdin)):
        if stream.isatty():
            return os.get_terminal_size(stream.fileno())
    return None


def _characters(environ: Mapping[str, str]) -> Finding:
    # What Python itself would write says little: it takes UTF-8 for the C locale, and tmux, for one, does not.
    name = next((name for name in _LOCALES if environ.get(name)), None)
    said = f"{name}={environ[name]}" if name else "no locale is set"
    if "utf8" in said.lower().replace("-", ""):
        return Finding("characters", Severity.OK, said)
    fix = "Korean names may come out as question marks: export LC_ALL=C.UTF-8"
    return Finding("characters", Severity.UNSURE, f"{said}: not UTF-8", fix)


def _proxy(environ: Mapping[str, str]) -> Finding:
    """Which proxy a request to NCP goes through; nothing of a user or a password is said."""
    try:
        proxy = proxy_for(endpoint_for(), environ)
    except UnusableProxy as problem:
        return Finding("proxy", Severity.BAD, problem.what, next_words(problem), problem)
    if proxy is None:
        named = any(environ.get(name) for name in PROXY_VARIABLES)
        return Finding("proxy", Severity.OK, "not used for NCP: NO_PROXY names it" if named else "none is set")
    user = "****@" if proxy.auth else ""
    port = f":{proxy.url.port}" if proxy.url.port else ""
    return Finding("proxy", Severity.OK, f"{proxy.url.scheme}://{user}{proxy.url.host}{port}")
