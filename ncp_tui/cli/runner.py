"""What runs a command: whatever happens in it ends in a plain message and the right exit code."""

from __future__ import annotations

import contextvars
import dataclasses
import os
import sys
from collections.abc import Callable, Coroutine
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

import click

from ncp_tui.cli.errors import Bug, ExitCode, exit_code_of, interruption, next_words, problem_words, write_report
from ncp_tui.cli.options import Invocation, Settings
from ncp_tui.cli.output import Output, tell_loss
from ncp_tui.cli.streams import asker_is_gone, is_hang_up
from ncp_tui.problem import Problem

if TYPE_CHECKING:
    from ncp_tui.cli.signals import Signals
    from ncp_tui.gateway.credentials import KeySource, SecretKey
    from ncp_tui.gateway.exchange import Exchange
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.profiles.secret_stores.errors import StoreLocked
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.search_engine.lists import Listing
    from ncp_tui.session_log.log import Action
    from ncp_tui.session_log.log_file import LogWriter
    from ncp_tui.snapshots.journal import Journal
    from ncp_tui.snapshots.track import SnapshotTracker
    from ncp_tui.workspace import Workspace

T = TypeVar("T")


class CommandContext:
    """What a command works with: the user's workspace, whom it calls as, a loop for what waits, words for failures.

    The work is ordinary code; only what waits for the network or a keyring goes through `wait`. So a question to the
    user is asked outside of any event loop, where Ctrl-C ends it at once.
    """

    def __init__(self, settings: Settings, signals: Signals) -> None:
        """Work as `settings` say, until a signal ends it."""
        from ncp_tui.session_log.log import SessionLog
        from ncp_tui.system.blocking import new_event_loop

        self.settings = settings
        self.signals = signals
        self.out = Output(json=settings.json, quiet=settings.quiet, undisturbed=signals.held)
        self.log = SessionLog()
        self.log.subscribe(self._write_down)
        self.document_of: Callable[[Problem], Any] = error_document
        """The JSON document of a failure; a command with a document of its own puts that here."""
        self.exit_code_of: Callable[[Problem], int] = exit_code_of
        """The exit code of a failure; a command with codes of its own puts that here."""
        self.preface: Callable[[], str] = str
        """What has become of the work so far: stands before the text of a failure."""
        self.secrets: list[SecretKey] = []
        """The keys this run has read, so that the report of an internal error can leave them out."""
        signals.last_words = self._say_last
        import asyncio  # 58 modules, of which `--help` and `--version` need none

        self._runner = asyncio.Runner(loop_factory=new_event_loop)
        self._engines: list[SearchEngine] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for engine in self._engines:
            self._runner.run(engine.aclose())
        self._runner.close()
        self._close_log()
        tell_loss(self.preface())

    def _write_down(self, action: Action, exchange: Exchange | None) -> None:
        self.log_file.on_event(action, exchange)

    def _close_log(self) -> None:
        """Wait a moment for the disk, and say once what is missing there. The command has ended as it has."""
        if "log_file" in self.__dict__:
            self.log_file.close()
            if self.log_file.problem is not None:
                self.out.note(self.log_file.problem.sentences())
        if self.log.listener_failure is not None:
            report = write_report(self.log.listener_failure, self.secrets)
            self.out.error(f"Internal error while the session log was followed; the answer above stands. {report}")

    @cached_property
    def workspace(self) -> Workspace:
        """The files, stores and variables of the user."""
        from ncp_tui.profiles.environment import environment_secrets
        from ncp_tui.workspace import open_workspace

        workspace = open_workspace(os.environ, read_only=self.settings.read_only, profile=self.settings.profile)
        self.secrets += environment_secrets(workspace.environ)
        if workspace.server_role is not None:
            workspace.server_role.subscribe(self.secrets.append)
        return workspace

    @cached_property
    def journal(self) -> Journal:
        """The requests of this machine."""
        from ncp_tui.snapshots.journal import Journal

        return Journal(self.workspace.paths, clock=self.workspace.clock)

    @cached_property
    def tracker(self) -> SnapshotTracker:
        """What creates snapshots and follows them."""
        from ncp_tui.snapshots.track import SnapshotTracker

        workspace = self.workspace
        return SnapshotTracker(self.journal, self.log, now=workspace.now, monotonic=workspace.monotonic)

    def call_as(self, name: str | None) -> None:
        """Take a command's own NAME as said with `--profile`; to be called before the workspace is opened."""
        self.settings = dataclasses.replace(self.settings, profile=name or self.settings.profile)

    @cached_property
    def log_file(self) -> LogWriter:
        """The session log on disk, once there is something to write."""
        return self.workspace.log_file()

    @property
    def can_ask(self) -> bool:
        """Whether a user can answer a question. Questions go to stderr, so stdout may be a pipe.

        Raises click.Abort where the terminal is gone.
        """
        if asker_is_gone():
            raise click.Abort
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Write to stderr, whatever is quiet."""
        self.out.error(text)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` to its end. A signal cancels it and raises KeyboardInterrupt, see `Signals.run`."""
        from ncp_tui.system.process import resume_gc

        resume_gc()
        # A copy: a runner keeps the context of its first run, which knows nothing of an action begun since.
        return self.signals.run(self._runner, coroutine, contextvars.copy_context())

    def ask_store(self, question: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """`wait` for a secret store; where it is locked, the user is asked to open it."""
        from ncp_tui.cli.prompts import open_store
        from ncp_tui.workspace import ask_store

        # No loop runs around these two: while the user is asked, Ctrl-C ends the question itself.
        async def asked() -> T:
            return self.wait(question())

        async def opened(locked: StoreLocked) -> bool:
            return open_store(locked, self)

        return _without_loop(ask_store(asked, opened))

    def identity(self, name: str | None = None) -> Identity:
        """The profile to use, named on stderr with its warnings. Raises NoCredentials."""
        from ncp_tui.profiles.identity import SourceKind

        book, configure = self.workspace.profiles.load(), self.workspace.configure()
        wanted = name or self.settings.profile
        found = self.workspace.identities(book)
        identity = self.workspace.choose(wanted, book)
        # What is odd about a file that this command does not use is for `profile list` to tell.
        unused = () if identity.kind is SourceKind.NCLOUD_CONFIGURE else configure.warnings
        for warning in found.warnings:
            if warning not in unused:
                self.out.note(warning)
        profile, endpoint = identity.profile, identity.profile.endpoint()
        foreign = " (not a host of NAVER Cloud)" if endpoint.is_foreign else ""
        self.out.note(
            f"Using {identity.name}: key {identity.masked_access_key} from {identity.source}, "
            f"{profile.site} {profile.region}, {endpoint.origin}{foreign}"
        )
        return identity

    def connect(self, identity: Identity, *, at_once: int | None = None) -> SearchEngine:
        """A client for `identity`, closed at the end. Nothing is sent yet, but a keyring or a role may be asked.

        It has `at_once` requests on their way at the same time, or the usual few.
        """
        from ncp_tui.profiles.credential_sources import key_source_for

        keys = self.ask_store(lambda: key_source_for(identity, self.workspace.stores))
        return self.connect_with(identity, keys, at_once=at_once)

    def connect_with(self, identity: Identity, keys: KeySource, *, at_once: int | None = None) -> SearchEngine:
        """A client for `identity` that signs with `keys`, closed at the end."""
        self.secrets.append(self.wait(keys.current()).secret_key)
        if identity.role is not None:
            self.out.note(f"Keys of {identity.source}: {identity.masked_access_key}, renewed before they expire.")
        engine = self.workspace.client(identity, keys, self.log, at_once=at_once)
        self._engines.append(engine)
        return engine

    async def open(self, identity: Identity, *, at_once: int | None = None) -> SearchEngine:
        """The same without a question: a store that is locked raises. Closed at the end."""
        from ncp_tui.profiles.credential_sources import key_source_for

        keys = await key_source_for(identity, self.workspace.stores)
        self.secrets.append((await keys.current()).secret_key)
        engine = self.workspace.client(identity, keys, self.log, at_once=at_once)
        self._engines.append(engine)
        return engine

    def tell(self, problem: Problem) -> None:
        """Tell of a failure, on stderr and, with --json, as the one document."""
        self.out.error(" ".join(part for part in (self.preface(), problem_words(problem)) if part))
        if self.settings.json:
            self.out.document(self.document_of(problem))

    def tell_gap(self, listing: Listing[Any]) -> None:
        """Say what is missing from the answer, whatever is quiet: a part must not pass for the whole."""
        if listing.gap:
            from ncp_tui.view.table import gap_sentence

            self.out.error(gap_sentence(listing.gap))

    def _say_last(self) -> None:
        """Give the one document although the work does not end. Called on another thread, before the process ends."""
        self.tell(interruption(self.signals.interruption()))


def _without_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that never gives up control: whatever it waits for, it has run itself."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        answer: T = ended.value
        return answer
    raise RuntimeError("it waits for an event loop")


def error_document(problem: Problem) -> dict[str, Any]:
    """A failure for scripts."""
    from ncp_tui.gateway.errors import GatewayError

    error: dict[str, Any] = {
        "kind": problem.kind,
        "what": problem.what,
        "meaning": problem.meaning or None,
        "next_step": next_words(problem) or None,
        "status": None,
        "code": None,
        "message": None,
        "request_id": None,
    }
    if isinstance(problem, GatewayError):
        error["status"] = problem.status
        error["code"] = problem.code
        error["message"] = problem.message or None
        error["request_id"] = problem.request_id
    return {"error": error}


def run_command(work: Callable[[CommandContext], ExitCode | int]) -> NoReturn:
    """Do `work` and leave with the exit code that it returns, or that its failure ends in.

    click's own exceptions (wrong usage) go through.
    """
    invocation = click.get_current_context()
    signals = Invocation.of(invocation).signals
    with CommandContext(Settings.of(invocation), signals) as context:
        try:
            ended = _ended(work, context)
            signals.hold()
        except KeyboardInterrupt:  # it came between two steps, for all others end the work itself
            ended = _interrupted(signals)
        signals.hold()
        if not isinstance(ended, int):
            context.tell(ended)
            ended = context.exit_code_of(ended)
        invocation.exit(int(ended))


def _ended(work: Callable[[CommandContext], ExitCode | int], context: CommandContext) -> int | Problem:
    """What `work` ended with: its exit code, or why it has none. Raises click's own exceptions."""
    try:
        return int(work(context))
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException:
        raise
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(context.signals)
    except Problem as problem:
        return problem
    except Exception as error:  # noqa: BLE001 - the last handler: only the report can explain it
        if is_hang_up(error):  # a question on a terminal that has gone: its input fails, or has an end
            return _interrupted(context.signals)

        return Bug(write_report(error, context.secrets))


def _interrupted(signals: Signals) -> Problem:
    return interruption(signals.interruption())
