"""The app: it wires session, screens and themes together, and owns what outlives a screen. It does no work itself."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from ncp_tui.gateway import Problem, RequestRecord, as_curl, daemon_call
from ncp_tui.home import Home
from ncp_tui.profiles import Identities, Identity, ProfileBook
from ncp_tui.snapshots import SnapshotRequest, take, watch
from ncp_tui.tui.crash import QuietCrash
from ncp_tui.tui.documents import BLANK, line
from ncp_tui.tui.rows import Tone
from ncp_tui.tui.screens import (
    ClustersScreen,
    HelpScreen,
    ProfileFormScreen,
    QuestionScreen,
    TextScreen,
    WelcomeScreen,
    WorkingScreen,
)
from ncp_tui.tui.session import Followed, Session
from ncp_tui.tui.themes import DARK, THEMES, theme_for

DISK_SECONDS = 10.0
_KEY_NAMES = {"enter": "enter", "escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "ctrl+c": "ctrl+c"}


class NcpApp(QuietCrash):
    """ncp-tui, full screen."""

    TITLE = "ncp-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?", tooltip="The keys of this screen", id="app.help"),
        # In an input a question mark is typed; f1 helps there.
        Binding("f1", "help", "Help", tooltip="The keys of this screen", id="app.help_anywhere"),
        Binding("q", "leave", "Quit", tooltip="Quit; snapshots under way go on", id="app.quit"),
        Binding("ctrl+c", "leave", "Quit", show=False, priority=True, tooltip="Quit", id="app.quit_now"),
        Binding(
            "colon,ctrl+p",
            "command_palette",
            "Commands",
            key_display=":",
            show=False,
            tooltip="Command palette",
            id="app.palette",
        ),
        Binding(
            "f9", "next_theme", "Theme", show=False, tooltip="Dark, light, the terminal's own colours", id="app.theme"
        ),
    ]

    @dataclass
    class IdentityFound(Message):
        """It is known who there is, and who is used."""

        identities: Identities
        default_profile: str | None
        identity: Identity | None
        ask: bool
        problem: Problem | None = None

    @dataclass
    class FollowedChanged(Message):
        """A snapshot this run asked for moved on."""

        followed: Followed

    def __init__(self, home: Home, profile: str | None = None, theme: str | None = None) -> None:
        super().__init__()
        self.session = Session(home)
        self._profile_wanted = profile
        self._theme_wanted = theme or theme_for(home.environ)
        self._ticking = False

    def get_key_display(self, binding: Binding) -> str:
        """Name a key as it is written on keyboards; Textual's own signs for it are not in every font."""
        return _KEY_NAMES.get(binding.key) or super().get_key_display(binding)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give the style sheets our own variables before, and whatever, theme is chosen."""
        return DARK.variables

    def on_mount(self) -> None:
        """Paint first: whatever touches disk, keyring or network is a worker that starts after the first frame."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._theme_wanted
        self.animation_level = "none"
        self.push_screen(ClustersScreen(self.session))
        self.call_after_refresh(self.find_identity)
        self._leave_on_signals()

    def _leave_on_signals(self) -> None:
        """Put the terminal back when the session ends: Textual itself does so only for SIGINT."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                try:
                    loop.add_signal_handler(getattr(signal, name), self.exit)
                except (NotImplementedError, RuntimeError, ValueError):  # not the main thread, or not this platform
                    return

    @work(group="identity", exclusive=True, exit_on_error=False, description="find who to call as")
    async def find_identity(self) -> None:
        """Read the profiles and the other places that may hold keys, and choose by the documented order."""
        home, wanted = self.session.home, self._profile_wanted

        def find() -> tuple[ProfileBook, Identities]:
            book = home.profiles.load()
            return book, home.identities(book)

        try:
            book, identities = await daemon_call(find, DISK_SECONDS)
        except Problem as problem:
            self.post_message(self.IdentityFound(Identities(), None, None, ask=False, problem=problem))
            return
        except TimeoutError:
            self.post_message(self.IdentityFound(Identities(), None, None, ask=False, problem=_slow_disk()))
            return
        asked_for = bool(wanted or home.environ.get("NCP_TUI_PROFILE"))
        first_run = not book.profiles and not asked_for and not book.damaged
        try:
            identity = None if first_run else await daemon_call(lambda: home.choose(wanted), DISK_SECONDS)
        except (Problem, TimeoutError) as error:
            why = error if isinstance(error, Problem) else _slow_disk()
            self.post_message(self.IdentityFound(identities, book.default, None, ask=False, problem=why))
            return
        self.post_message(self.IdentityFound(identities, book.default, identity, ask=first_run))

    @on(IdentityFound)
    def start(self, event: IdentityFound) -> None:
        """Start with the identity chosen, or ask on a first run."""
        self.session.identities = event.identities
        self.session.default_profile = event.default_profile
        home = self._clusters_screen()
        if event.identity is not None:
            self.use_identity(event.identity)
        elif event.ask:
            self._ask_first_time(event.identities)
        elif event.problem is not None and home is not None:
            home.show_problem(event.problem)

    def _ask_first_time(self, identities: Identities) -> None:
        if identities.identities:
            self.push_screen(WelcomeScreen(self.session), self._after_welcome)
        else:
            self._open_form(None)

    def _after_welcome(self, answer: tuple[str, Identity | None] | None) -> None:
        what, identity = answer or ("later", None)
        if what == "use" and identity is not None:
            self.use_identity(identity)
        elif what in {"form", "import"}:
            self._open_form(identity)

    def _open_form(self, identity: Identity | None) -> None:
        words = "Welcome. ncp-tui needs one profile: an access key, its secret key, and where they belong."
        form = ProfileFormScreen(self.session, importing=identity, welcome=words)
        self.push_screen(form, self._after_form)

    def _after_form(self, saved: str | None) -> None:
        if saved:
            self.find_and_use(saved)

    @work(group="identity", exclusive=True, exit_on_error=False, description="use a saved profile")
    async def find_and_use(self, name: str) -> None:
        """Read the profiles again and call as `name`."""
        self._profile_wanted = name
        home = self.session.home
        try:
            book = await daemon_call(home.profiles.load, DISK_SECONDS)
            identities = await daemon_call(lambda: home.identities(book), DISK_SECONDS)
        except (Problem, TimeoutError) as error:
            why = error if isinstance(error, Problem) else _slow_disk()
            self.post_message(self.IdentityFound(Identities(), None, None, ask=False, problem=why))
            return
        self.post_message(self.IdentityFound(identities, book.default, identities.find(name), ask=False))

    def use_identity(self, identity: Identity) -> None:
        """Call as `identity` from now on; a call that hangs for the last one is left behind."""
        self.session.use(identity)
        home = self._clusters_screen()
        if home is not None:
            home.workers.cancel_node(home)
            home.hide_problem()
            home.show_header()
            home.refresh_bindings()
            home.load()

    def identity_changed(self, name: str) -> None:
        """Take over what was edited, if it is the profile in use."""
        if self.session.identity is None or self.session.identity.name == name:
            self.find_and_use(name)

    def identity_renamed(self, old: str, new: str) -> None:
        """Follow the profile in use to its new name."""
        if self.session.identity is not None and self.session.identity.name == old:
            self.find_and_use(new)

    def _clusters_screen(self) -> ClustersScreen | None:
        return next((screen for screen in self.screen_stack if isinstance(screen, ClustersScreen)), None)

    def create_snapshot(self, request: SnapshotRequest) -> Followed | None:
        """Send one create and follow it to its end, whatever screen the user goes to; None when there is no client."""
        engine, identity = self.session.connected, self.session.identity
        if engine is None or identity is None:
            return None
        followed = Followed(request, identity, engine, self.session.home.now(), self.session.home.monotonic())
        self.session.followed.append(followed)
        self.follow(followed)
        self._tick()
        return followed

    @work(group="snapshots", exit_on_error=False, description="create and follow a snapshot")
    async def follow(self, followed: Followed) -> None:
        """Send the create, then read the history until the snapshot ends. No screen owns this; none can cancel it."""
        request = followed.request
        try:
            with self.session.log.action(f"create snapshot {request.name}") as action:
                followed.taken = await take(followed.engine, request)
                action.outcome = followed.taken.sentence
                action.failed = followed.taken.error is not None
            self.post_message(self.FollowedChanged(followed))
            if followed.taken.outcome != "accepted":
                return
            with self.session.log.action(f"watch {request.name}", background=True):
                looks = watch(followed.engine, request.cluster_number, request.name, since=followed.asked_at)
                async for progress in looks:
                    followed.progress = progress
                    self.post_message(self.FollowedChanged(followed))
        except Problem as problem:
            followed.problem = problem
            self.post_message(self.FollowedChanged(followed))

    @on(FollowedChanged)
    def show_followed(self, event: FollowedChanged) -> None:
        """Tell every working screen; ring when it ended."""
        for screen in self.screen_stack:
            if isinstance(screen, WorkingScreen) and screen.is_mounted:
                screen.on_followed_changed(event.followed)
        if not event.followed.is_open:
            self.bell()

    def _tick(self) -> None:
        """While something is under way, one small update a second; nothing ticks otherwise."""
        if self._ticking:
            return
        self._ticking = True
        self.set_timer(1.0, self._on_tick)

    def _on_tick(self) -> None:
        self._ticking = False
        if not self.session.open_snapshots:
            return
        self._tick()
        if isinstance(self.screen, WorkingScreen):
            self.screen.show_followed()

    def show_curl(self, request: RequestRecord) -> None:
        """Show a request as a shell snippet that signs itself."""
        lines = [line(text) for text in as_curl(request).splitlines()]
        note = "Keys are read from NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY when it runs; none is in it."
        self.push_screen(TextScreen("As curl", [*lines, BLANK, line(note, Tone.DIM)]))

    def action_help(self) -> None:
        """Show the keys of the screen in front."""
        if not isinstance(self.screen, TextScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_next_theme(self) -> None:
        """Go on to the next theme."""
        names = [theme.name for theme in THEMES]
        place = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(place + 1) % len(names)]

    def action_leave(self) -> None:
        """Quit; ask first only while a create is on its way and its answer would be lost."""
        if self.session.creating and not isinstance(self.screen, QuestionScreen):
            question = "A create is on its way. Quit without its answer? It may be started all the same."
            self.push_screen(QuestionScreen(question), lambda sure: self.exit() if sure else None)
        else:
            self.exit()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: what can be done now on the screen in front, and the themes."""
        seen: set[str] = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if not binding.id or not active.enabled or binding.action in seen:
                continue
            group, _, _ = binding.id.partition(".")
            if group in {"table", "text", "filter"} or binding.action == "command_palette":
                continue
            seen.add(binding.action)
            yield SystemCommand(
                f"{group}: {binding.description.lower()}",
                binding.tooltip or binding.description,
                _running(active.node, binding.action),
            )
        for theme in THEMES:
            yield SystemCommand(f"theme: {theme.name}", "Change the colours", _theming(self, theme.name))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Turn an unexpected error of a worker into the app's end with a report, never into silence."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and isinstance(error, Exception):
            self._handle_exception(error)


def _slow_disk() -> Problem:
    return Problem("The profiles could not be read within 10 s.", "Nothing was sent.", "Check the disk.")


def _running(node: Any, action: str) -> Any:
    async def run() -> None:
        await node.run_action(action)

    return run


def _theming(app: NcpApp, name: str) -> Any:
    def change() -> None:
        app.theme = name

    return change
