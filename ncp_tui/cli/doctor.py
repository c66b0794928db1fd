"""`ncp-tui doctor`: what a snapshot depends on, checked one thing at a time, each problem with its fix."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from ncp_tui.cli.errors import ExitCode, exit_code_of, next_words
from ncp_tui.cli.options import Command, complete_cluster
from ncp_tui.cli.runner import CommandContext, run_command
from ncp_tui.problem import Problem
from ncp_tui.text import plural

if TYPE_CHECKING:
    from ncp_tui.gateway.clock import ClockOffset
    from ncp_tui.gateway.endpoints import Endpoint
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.snapshots.preflight import Severity
    from ncp_tui.workspace import Workspace


# As programs read them: the first that is set decides.
_LOCALES = ("LC_ALL", "LC_CTYPE", "LANG")
_SMALLEST = (60, 20)
_LEAST_FREE = 1024 * 1024


@click.command("doctor", cls=Command)
@click.option("--offline", is_flag=True, help="Local checks only: no request, no keyring.")
@click.option("--contract", is_flag=True, help="Compare NCP's answers with what ncp-tui believes of its API.")
@click.option(
    "--cluster",
    metavar="C",
    default="",
    shell_complete=complete_cluster,
    help="With --contract: a name or number.  [default: the first that the key may open]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="With --contract: new file to write; '-' is standard output.  [default: contract-TIME.json in this folder]",
)
def command(offline: bool, contract: bool, cluster: str, output: Path | None) -> None:
    """Check everything a snapshot depends on.

    Checks files and their modes, the journal, the terminal, the proxy, each site's gateway, this machine's clock, and
    the keys and permission of each profile. Each problem comes with a fix. Only reads. Exits 0 if all is well,
    otherwise with the exit code of the first problem.

    With --contract: each read operation is asked once or twice instead. Says what differs from what ncp-tui believes,
    and which doubtful facts are certain now; writes one file for a public issue, names, numbers and keys replaced.
    Differences are the answer: it exits 0 with them, otherwise with the exit code of what could not be read.
    """
    if not contract and (cluster or output is not None):
        raise click.UsageError("--cluster and --output need --contract.")
    if contract and offline:
        raise click.UsageError("--contract and --offline exclude each other.")
    if contract:
        from ncp_tui.cli.contract import check_contract

        run_command(partial(check_contract, cluster=cluster, output=output))
    else:
        run_command(partial(examine, offline=offline))


@dataclass(frozen=True)
class CheckResult:
    """One thing that was checked: how it is, and how to fix it."""

    subject: str
    severity: Severity
    says: str
    fix: str = ""
    problem: Problem | None = None

    @classmethod
    def ok(cls, subject: str, says: str) -> Self:
        """It needs nothing."""
        from ncp_tui.snapshots.preflight import Severity

        return cls(subject, Severity.OK, says)

    @classmethod
    def unsure(cls, subject: str, says: str, fix: str = "") -> Self:
        """It may be in the way of a snapshot."""
        from ncp_tui.snapshots.preflight import Severity

        return cls(subject, Severity.UNSURE, says, fix)

    @classmethod
    def bad(cls, subject: str, says: str, fix: str = "", problem: Problem | None = None) -> Self:
        """It is in the way of a snapshot; `problem` gives the exit code."""
        from ncp_tui.snapshots.preflight import Severity

        return cls(subject, Severity.BAD, says, fix, problem)

    @property
    def word(self) -> str:
        """How it is, in the word of the preflight checks: *block* is in the way of a snapshot."""
        return {"bad": "block", "unsure": "warn"}.get(self.severity.value, self.severity.value)

    @property
    def sentence(self) -> str:
        """Both in one line."""
        return f"{self.says.rstrip('.')}. {self.fix}".rstrip() if self.fix else self.says

    def document(self) -> dict[str, Any]:
        """The same for scripts."""
        return {"check": self.subject, "state": self.severity.value, "found": self.says, "fix": self.fix or None}


@dataclass(frozen=True)
class Target:
    """One gateway to speak to, and by what name the user knows it."""

    subject: str
    endpoint: Endpoint
    ca_bundle: str | None


@dataclass(frozen=True)
class Reached:
    """One gateway, and what came of speaking to it."""

    target: Target
    problem: Problem | None
    clock_offset: ClockOffset | None


def examine(context: CommandContext, offline: bool) -> ExitCode:
    """Look, say, and end with the exit code of the first thing that is wrong."""
    from ncp_tui.snapshots.preflight import Severity
    from ncp_tui.view.text import text_table

    results = list(local_results(context.workspace, context.settings.profile))
    if not offline:
        results += _asked_outside(context)
    context.out.answer(
        [result.document() for result in results],
        text_table(("CHECK", "", "FOUND"), [(each.subject, each.word, each.sentence) for each in results]),
    )
    wrong = next((result for result in results if result.severity is Severity.BAD), None)
    if wrong is None:
        return ExitCode.DONE
    return exit_code_of(wrong.problem) if wrong.problem is not None else ExitCode.NO_KEYS


def _asked_outside(context: CommandContext) -> Iterator[CheckResult]:
    """What gateways and secret stores answer."""
    identities = _identities(context)
    with context.log.action("doctor"):
        reached = context.wait(_reach_all(context, _targets(identities)))
    yield from map(_answered, reached)
    yield _clock(reached)
    for identity in identities:
        yield _keys(context, identity)


def _identities(context: CommandContext) -> Sequence[Identity]:
    """Every profile and key found, or the one that was named."""
    try:
        found = context.workspace.identities()
    except Problem:
        return ()  # among the results already, as profiles that cannot be read
    wanted = context.settings.profile
    if wanted is None:
        return found.identities
    one = found.find(wanted)
    return (one,) if one is not None else ()


def _targets(identities: Sequence[Identity]) -> Sequence[Target]:
    """The gateway of each site and of each profile, every one once."""
    from ncp_tui.gateway.endpoints import SITES

    targets: dict[str, Target] = {}
    for site in SITES:
        endpoint = site_endpoint(site)
        targets[endpoint.origin] = Target(f"gateway {site}", endpoint, None)
    for identity in identities:
        endpoint, bundle = identity.profile.endpoint(), identity.profile.ca_bundle
        known = targets.get(endpoint.origin)
        if known is None:
            targets[endpoint.origin] = Target(f"gateway of {identity.name}", endpoint, bundle)
        elif known.ca_bundle is None:
            targets[endpoint.origin] = Target(known.subject, endpoint, bundle)
    return tuple(targets.values())


async def _reach_all(context: CommandContext, targets: Sequence[Target]) -> Sequence[Reached]:
    import asyncio

    return await asyncio.gather(*(_reach(context, target) for target in targets))


async def _reach(context: CommandContext, target: Target) -> Reached:
    """Send a request with keys of no one: a refused signature is as good as any answer."""
    from ncp_tui.gateway.client import GatewayClient
    from ncp_tui.gateway.credentials import Credentials, SecretKey
    from ncp_tui.gateway.errors import AuthenticationFailed
    from ncp_tui.gateway.request import ApiCall, Timeouts
    from ncp_tui.search_engine.operations import OPERATIONS

    workspace = context.workspace
    # A gateway answers unknown keys with 401/200, which proves that it was reached.
    nobody = Credentials("ncp-tui-doctor", SecretKey("not-a-key-of-anybody"))
    timeouts = Timeouts(connect=5.0, read=10.0, total=10.0)
    listing = OPERATIONS["getClusterInfoList"]
    call = ApiCall(listing.name, listing.method, listing.path(), timeouts=timeouts)
    problem: Problem | None = None
    try:
        gateway = GatewayClient(
            target.endpoint,
            nobody,
            record=context.log.record,
            ca_bundle=target.ca_bundle,
            clock=workspace.clock,
            environ=workspace.environ,
        )
    except Problem as unusable:  # a proxy that cannot be spoken to
        return Reached(target, unusable, None)
    try:
        await gateway.send(call)
    except AuthenticationFailed:
        pass
    except Problem as error:
        problem = error
    finally:
        await gateway.aclose()
    return Reached(target, problem, gateway.clock_offset)


def _answered(reached: Reached) -> CheckResult:
    from ncp_tui.gateway.errors import NotReached

    subject, host, problem = reached.target.subject, reached.target.endpoint.host, reached.problem
    if problem is None:
        return CheckResult.ok(subject, f"{host} answers")
    # No fault in itself: a bastion is often let through to one site only. A profile that needs it has its own result.
    if isinstance(problem, NotReached) or reached.clock_offset is None:
        return CheckResult.unsure(subject, problem.what, next_words(problem))
    said = f"{host} answers, but not like an NCP gateway: {problem.what}"
    return CheckResult.unsure(subject, said, next_words(problem))


def _clock(reached: Sequence[Reached]) -> CheckResult:
    from ncp_tui.gateway.errors import AuthenticationFailed

    offsets = [each.clock_offset for each in reached if each.clock_offset is not None]
    if not offsets:
        return CheckResult.unsure("clock", "unknown: no gateway was reached", "Fix the gateway check first.")
    offset = min(offsets, key=lambda each: each.uncertainty)
    # The offset is the gateway's time minus ours.
    side = "behind" if offset.seconds > 0 else "ahead of"
    said = f"this machine is {abs(offset.seconds):.1f} s {side} NCP (+/- {offset.uncertainty:.1f} s)"
    if not offset.is_worrying:
        return CheckResult.ok("clock", said)
    fix = "Sync the clock (timedatectl set-ntp true): NCP refuses requests that are 300 s off."
    return CheckResult.bad("clock", said, fix, AuthenticationFailed("The clock is wrong."))


def _keys(context: CommandContext, identity: Identity) -> CheckResult:
    """Whether the keys of a profile can be had, are right, and may list clusters."""
    subject = f"profile {identity.name}"
    try:
        engine = context.connect(identity)
        with context.log.action(f"test {identity.name}"):
            count = context.wait(engine.check_keys())
    except Problem as problem:
        return CheckResult.bad(subject, problem.what, next_words(problem), problem)
    seen = "clusters are visible" if count else "no cluster is visible"
    return CheckResult.ok(subject, f"the keys from {identity.source} work; {seen}")


def site_endpoint(site: str) -> Endpoint:
    """The gateway of a site."""
    from ncp_tui.gateway.endpoints import endpoint_for

    return endpoint_for(site)


def local_results(workspace: Workspace, wanted: str | None = None) -> Iterator[CheckResult]:
    """Look at files, keys, journal, terminal and proxy; only reads. `wanted` is the profile that was named."""
    yield from _files(workspace)
    yield _profiles(workspace)
    yield from _key_file(workspace)
    yield from _secret_commands(workspace)
    yield from _callers(workspace, wanted)
    yield _journal(workspace)
    yield _terminal(workspace.environ)
    yield _characters(workspace.environ)
    yield _proxy(workspace.environ)


def _files(workspace: Workspace) -> Iterator[CheckResult]:
    paths = workspace.paths
    # By what they are for: outside of NCP_TUI_HOME all three have the program's name.
    for use, folder in (("config", paths.config_dir), ("state", paths.state_dir), ("data", paths.data_dir)):
        yield _folder(f"folder {use}", folder)
    for file in (paths.profiles_file, paths.keys_file, paths.journal_file, paths.session_log_file):
        found = _private(file)
        if found is not None:
            yield found


def _folder(subject: str, folder: Path) -> CheckResult:
    there = folder
    # Not Path.exists: it raises where a parent is closed to us.
    while not os.path.exists(there) and there != there.parent:  # noqa: PTH110
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fix = f"Check owner and mode of {there}, or set NCP_TUI_HOME to a folder of yours."
        return CheckResult.bad(subject, f"{folder} cannot be written", fix)
    if shutil.disk_usage(there).free < _LEAST_FREE:
        return CheckResult.bad(
            subject, f"{folder}: the disk is full", "Free disk space: the journal cannot be written."
        )
    return CheckResult.ok(subject, f"{folder} can be written")


def _private(file: Path) -> CheckResult | None:
    from ncp_tui.system.private_files import foreign_owner

    try:
        found = file.stat()
    except OSError:
        return None  # not there yet, or closed to us: that is the folder's result
    subject, quoted = f"file {file.name}", shlex.quote(str(file))
    if found.st_uid != os.getuid():
        what, fix = foreign_owner(file, found)
        return CheckResult.bad(subject, what.rstrip("."), fix)
    if stat.S_ISREG(found.st_mode) and found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        return CheckResult.bad(subject, f"other users may open {file} (mode {mode:04o})", f"chmod 600 {quoted}")
    return CheckResult.ok(subject, f"only you can open {file}")


def _profiles(workspace: Workspace) -> CheckResult:
    try:
        book = workspace.profiles.load()
    except Problem as problem:
        return CheckResult.bad("profiles", problem.what, next_words(problem), problem)
    if book.damaged:
        fix = f"Fix or remove {workspace.paths.profiles_file}."
        return CheckResult.bad("profiles", " ".join(book.warnings), fix)
    count = len(book.profiles)
    return CheckResult.ok("profiles", f"{plural(count, 'profile')} can be read")


def _key_file(workspace: Workspace) -> Iterator[CheckResult]:
    """Whether this host can open the encrypted file, where there is one or a profile wants one."""
    try:
        wanted = any(profile.store == "file" for profile in workspace.profiles.load().profiles)
    except Problem:
        wanted = False  # that is the result of the profiles
    if not wanted and not workspace.paths.keys_file.exists():
        return
    from ncp_tui.profiles.secret_stores.key_file import check_host  # `cryptography` takes 25 ms to import

    try:
        check_host()
    except Problem as problem:
        yield CheckResult.bad("encrypted file", problem.what, next_words(problem), problem)
    else:
        yield CheckResult.ok("encrypted file", "this host can open it")


def _secret_commands(workspace: Workspace) -> Iterator[CheckResult]:
    """Whether a secret command of a profile would be run; none is."""
    from ncp_tui.system.private_files import exposed_place

    try:
        wanted = any(profile.secret_command for profile in workspace.profiles.load().profiles)
        exposed = exposed_place(workspace.profiles.file) if wanted else ""
    except (Problem, OSError):
        return  # that is the result of the profiles
    if exposed:
        fix = "No secret command is run before the file and every folder above it are closed to other writers."
        yield CheckResult.bad("secret command", exposed.rstrip("."), fix)
    elif wanted:
        yield CheckResult.ok("secret command", "only you can change the profiles file")


def _callers(workspace: Workspace, wanted: str | None) -> Iterator[CheckResult]:
    """Keys that exist and cannot be used, and the profile a command would use."""
    try:
        book = workspace.profiles.load()
    except Problem:
        return  # no profile is known then: that is the result of the profiles
    found = workspace.identities(book)
    for name, problem in found.refused.items():
        yield CheckResult.bad(f"keys {name}", problem.what, next_words(problem))
    for warning in found.warnings:
        told = warning in book.warnings or any(problem.what in warning for problem in found.refused.values())
        if not told:
            yield CheckResult.unsure("keys", warning)
    try:
        chosen = workspace.choose(wanted)
    except Problem as problem:
        yield CheckResult.bad("keys in use", problem.what, next_words(problem), problem)
    else:
        yield CheckResult.ok("keys in use", f"{chosen.name} (key from {chosen.source})")


def _journal(workspace: Workspace) -> CheckResult:
    from ncp_tui.snapshots.journal import Journal, JournalProblem
    from ncp_tui.snapshots.journal_contents import DamagedJournal

    journal = Journal(workspace.paths)
    try:
        contents, abandoned = journal.contents(), journal.abandoned()
    except JournalProblem as problem:
        return CheckResult.bad("journal", problem.what, next_words(problem), problem)
    if contents.damage is not None:
        damaged = DamagedJournal(contents.damage)
        return CheckResult.bad("journal", f"{damaged.what} {damaged.meaning}", next_words(damaged), damaged)
    if not abandoned:
        old = f"; the journal of an earlier version is kept as {contents.kept}" if contents.kept else ""
        return CheckResult.ok("journal", f"no unresolved requests{old}")
    names = ", ".join(f"{entry.subject} on {entry.request.cluster}" for entry in abandoned[:3])
    more = f" and {len(abandoned) - 3} more" if len(abandoned) > 3 else ""  # noqa: PLR2004
    return CheckResult.unsure("journal", f"unresolved: {names}{more}", "Run: ncp-tui snapshot resolve")


def _terminal(environ: Mapping[str, str]) -> CheckResult:
    from ncp_tui.cli.plain import is_lines_only

    size = _screen_size()
    if size is None:
        return CheckResult.ok("terminal", "not a terminal")
    told = [f"TERM={environ.get('TERM') or 'not set'}"]
    told += [f"{size.columns}x{size.lines}"] * (0 not in size)
    told += [f"{name}={environ[name]} (ignored)" for name in ("COLUMNS", "LINES") if environ.get(name)]
    told += [name for name in ("TMUX", "STY", "SSH_CONNECTION", "NO_COLOR", "COLORTERM") if environ.get(name)]
    said = ", ".join(told)
    if is_lines_only():
        return CheckResult.unsure("terminal", said, "It cannot show the full screen: use ncp-tui --plain.")
    # Some say 0x0, which is no size: 80x24 is taken for it.
    if 0 not in size and (size.columns < _SMALLEST[0] or size.lines < _SMALLEST[1]):
        return CheckResult.unsure("terminal", said, "The full screen needs 60x20: make the window larger.")
    return CheckResult.ok("terminal", said)


def _screen_size() -> os.terminal_size | None:
    """The size of the terminal; None without one. A pipe for the answer does not take it away."""
    for stream in filter(None, (sys.stdout, sys.stderr, sys.stdin)):
        if stream.isatty():
            return os.get_terminal_size(stream.fileno())
    return None


def _characters(environ: Mapping[str, str]) -> CheckResult:
    # What Python itself would write says little: it takes UTF-8 for the C locale, and tmux, for one, does not.
    name = next((name for name in _LOCALES if environ.get(name)), None)
    said = f"{name}={environ[name]}" if name else "no locale is set"
    if "utf8" in said.lower().replace("-", ""):
        return CheckResult.ok("characters", said)
    fix = "Korean names may come out as question marks: export LC_ALL=C.UTF-8"
    return CheckResult.unsure("characters", f"{said}: not UTF-8", fix)


def _proxy(environ: Mapping[str, str]) -> CheckResult:
    """Which proxy a request to NCP goes through; nothing of a user or a password is said."""
    from ncp_tui.gateway.endpoints import endpoint_for
    from ncp_tui.gateway.proxies import PROXY_VARIABLES, UnusableProxy, proxy_for

    try:
        proxy = proxy_for(endpoint_for(), environ)
    except UnusableProxy as problem:
        return CheckResult.bad("proxy", problem.what, next_words(problem), problem)
    if proxy is None:
        named = any(environ.get(name) for name in PROXY_VARIABLES)
        return CheckResult.ok("proxy", "not used for NCP: NO_PROXY names it" if named else "none is set")
    user = "****@" if proxy.auth else ""
    port = f":{proxy.url.port}" if proxy.url.port else ""
    return CheckResult.ok("proxy", f"{proxy.url.scheme}://{user}{proxy.url.host}{port}")
