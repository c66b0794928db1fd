"""The app: it wires session, screens and themes together, and owns what outlives a screen. It does no work itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.system.process import resume_gc
from ncp_tui.tui.batch_workers import BatchWorkers
from ncp_tui.tui.change_workers import ChangeWorkers
from ncp_tui.tui.first_run import FirstRun
from ncp_tui.tui.key_bindings import note_input, problem_words
from ncp_tui.tui.messages import (
    BatchesFound,
    BatchMoved,
    BatchShown,
    BatchWanted,
    BoardWanted,
    ChangeMoved,
    ChoiceMade,
    ClusterWanted,
    FollowFailed,
    FollowWanted,
    HistoryWanted,
    IdentityFound,
    JournalChanged,
    JournalRead,
    ProfilesWanted,
    ProfileToUse,
    SnapshotMoved,
)
from ncp_tui.tui.navigation import Navigation, quit_question
from ncp_tui.tui.palette import batches_of, commands_of, notices_of, profiles_of, themes_of, topics_of
from ncp_tui.tui.preferences import Preferences
from ncp_tui.tui.screens.base import BaseScreen
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.session import Session
from ncp_tui.tui.snapshot_workers import SnapshotWorkers
from ncp_tui.tui.terminal.clipboard import Clipboard
from ncp_tui.tui.terminal.driver import TerminalApp
from ncp_tui.tui.terminal.notifications import BELL, Notifier
from ncp_tui.tui.terminal.typed_ahead import TypedAhead
from ncp_tui.tui.themes import DARK, THEMES, theme_for
from ncp_tui.tui.widgets.small_window import SmallWindow
from ncp_tui.view.progress import final_sentence, title_word
from ncp_tui.workspace import Workspace

if TYPE_CHECKING:
    from ncp_tui.profiles.secret_stores.errors import StoreLocked

_BEGIN_SECONDS = 0.2
"""By then the first frame is out nearly everywhere; where it is not, the program begins before it."""

_KEY_NAMES = {
    **{key: key for key in ("enter", "up", "down", "left", "right", "ctrl+c")},
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


class NcpApp(TerminalApp):
    """ncp-tui, full screen. Its parts are attributes; it wires them to the screens."""

    TITLE = "ncp-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?", tooltip="Keys of this screen", id="app.help"),
        # In an input a question mark is typed; f1 helps there.
        Binding("f1", "help", "Help", tooltip="Keys of this screen", id="app.help_anywhere"),
        Binding("q", "leave", "Quit", tooltip="Quit (snapshots keep running on NCP)", id="app.quit"),
        Binding("ctrl+c", "leave_now", "Quit", show=False, priority=True, tooltip="Quit", id="app.quit_now"),
        Binding(
            "ctrl+z",
            "suspend_process",
            "Suspend",
            show=False,
            priority=True,
            tooltip="Back to the shell; `fg` returns here",
            id="app.suspend",
        ),
        Binding(
            "colon,ctrl+p",
            "command_palette",
            "Commands",
            key_display=":",
            show=False,
            tooltip="Command palette: actions of this screen, themes, the manual",
            id="app.palette",
        ),
        Binding(
            "f9",
            "next_theme",
            "Theme",
            show=False,
            tooltip="Next theme: dark, light, terminal colours, high contrast",
            id="app.theme",
        ),
    ]

    def __init__(
        self,
        workspace: Workspace,
        profile: str | None = None,
        theme: str | None = None,
        secrets: list[SecretKey] | None = None,
        notify_by: str = BELL,
    ) -> None:
        """Call as `profile` if one is named; each key that is used is added to `secrets`."""
        super().__init__()
        self._typed_ahead = TypedAhead(self, self._deliver)
        self.terminal_clipboard = Clipboard(self.send_copy, None if workspace.demo else workspace.folder, workspace.now)
        self.session = Session(workspace, ask_to_open=self.ask_to_open, secrets=[] if secrets is None else secrets)
        self.session.on_used = self.show_identity
        self.navigation = Navigation(self, self.session)
        self.snapshot_workers = SnapshotWorkers(self, self.session)
        self.change_workers = ChangeWorkers(self, self.session)
        self.batch_workers = BatchWorkers(self, self.session)
        self._profile_wanted = profile
        self._has_begun = False
        self.notifier = Notifier(self, notify_by)
        self.preferences = Preferences(None if workspace.demo else workspace.paths)
        self.small_window = SmallWindow(self)
        self.wanted_keys: Mapping[str, Any] = {}
        """The user's own keys, by binding id, as the settings file has them."""
        self.begin_with(theme or theme_for(workspace.environ))

    def get_key_display(self, binding: Binding) -> str:
        """Name a key as it is written on keyboards; Textual's own signs for it are not in every font."""
        return _KEY_NAMES.get(binding.key) or super().get_key_display(binding)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give the style sheets our own variables before, and whatever, theme is chosen."""
        return DARK.variables

    def get_default_screen(self) -> Screen[Any]:
        """Begin with the clusters; Textual would begin with an empty screen below them."""
        return ClustersScreen(self.session)

    def on_mount(self) -> None:
        """Move nothing smoothly: a page that slides costs 118 kB instead of 4 (measured)."""
        self.animation_level = "none"
        self.small_window.watch()

    @on(events.Resize)
    def fit(self, event: events.Resize) -> None:
        """Cover the screens while they have no room."""
        self.small_window.cover_all(event.size)

    def on_ready(self) -> None:
        """Paint first: whatever touches disk, keyring or network is a worker that starts after the first frame."""
        self.screen.call_after_refresh(self._begin)
        # Textual keeps that call back while another screen is in front, as after a key pressed before the first frame.
        self.set_timer(_BEGIN_SECONDS, self._begin)

    async def _begin(self) -> None:
        if self._has_begun:
            return
        self._has_begun = True
        if self.wanted_keys:
            from ncp_tui.tui.keymap import put_in_force

            self.session.key_problems += put_in_force(self, self.wanted_keys)
        self.find_identity()
        clusters = self.navigation.clusters
        if clusters is not None:
            await clusters.mount_panes()
        resume_gc()

    @work(group="identity", exclusive=True, exit_on_error=False, description="find who to call as")
    async def find_identity(self) -> None:
        """Read who there is, and choose by the documented order."""
        self.post_message(IdentityFound(await self.session.choose_identity(self._profile_wanted)))

    @on(IdentityFound)
    def start(self, event: IdentityFound) -> None:
        """Start with the identity chosen, or ask on a first run."""
        if not self.is_running:
            return  # on its way out: the screens are being taken apart
        choice = event.choice
        self.session.identities = choice.identities
        self.session.default_profile = choice.default_profile
        clusters = self.navigation.clusters
        if choice.identity is not None:
            self.session.use(choice.identity)
            return
        if clusters is not None:
            clusters.load()  # without a profile: it says so
        if choice.ask:
            FirstRun(self, self.session, self.find_and_use).ask()
        elif choice.problem is not None and clusters is not None:
            clusters.show_problem(choice.problem)

    @work(group="identity", exclusive=True, exit_on_error=False, description="use a saved profile")
    async def find_and_use(self, name: str) -> None:
        """Read the profiles again and call as `name`."""
        self._profile_wanted = name
        self.post_message(IdentityFound(await self.session.choose_saved(name)))

    async def ask_to_open(self, locked: StoreLocked) -> bool:
        """Have the user open the key file or the keyring; False when the user would rather not."""
        from ncp_tui.tui.dialogs.unlock import ask_to_open

        return await ask_to_open(self, locked)

    def show_identity(self) -> None:
        """Show what the identity in use may see; a call that hangs for the last one is left behind."""
        identity = self.session.identity
        who = "" if identity is None else f" {identity.name} {identity.profile.region}"
        if identity is not None and self.session.workspace.demo:
            who = f" DEMO {identity.profile.region}"
        self.notifier.call_window(f"ncp-tui{who}")
        clusters = self.navigation.clusters
        if clusters is not None:
            clusters.stop_reading()
            clusters.hide_problem()
            clusters.show_header()
            clusters.refresh_bindings()
            clusters.load()
        if identity is not None:
            self.snapshot_workers.look_into_journal()

    @on(ProfileToUse)
    def use_profile(self, event: ProfileToUse) -> None:
        """Call as what was just saved."""
        self.find_and_use(event.name)

    @on(ChoiceMade)
    def keep_made_choice(self, event: ChoiceMade) -> None:
        """Have it hold for this run and for the next one."""
        self.session.choices[event.name] = event.value
        self.keep_choice(event.name, event.value)

    @on(JournalChanged)
    def look_into_journal(self) -> None:
        """Find out which requests in it are unresolved now."""
        self.snapshot_workers.look_into_journal()

    @on(JournalRead)
    def take_up_journal(self, event: JournalRead) -> None:
        """Show how many requests are unresolved, and track the running snapshots of this identity."""
        self.snapshot_workers.take_up(event)
        for screen in self.navigation.screens:
            screen.show_header()
            screen.show_unresolved()

    @on(SnapshotMoved)
    def show_tracked(self, event: SnapshotMoved) -> None:
        """Show it on every screen and in the window title; announce it when it ended."""
        tracked = event.tracked
        for screen in self.navigation.screens:
            screen.on_snapshot_moved(tracked)
        self.snapshot_workers.show_in_list()
        self.notifier.tell_in_title(f"{tracked.request.name}: {title_word(tracked)}")
        if not tracked.is_open:
            self.notifier.announce(final_sentence(tracked, problem_words)[0])

    @on(ChangeMoved)
    def show_change(self, event: ChangeMoved) -> None:
        """Tell the screens, and count what is unresolved now."""
        from ncp_tui.tui.dialogs.storage_key import StorageKeyDialog

        for screen in self.navigation.screens:
            screen.on_change_moved(event.change)
        if isinstance(self.screen, StorageKeyDialog):
            self.screen.on_change_moved(event.change)
        if event.change.is_over:
            self.snapshot_workers.look_into_journal()

    @on(BatchMoved)
    def show_batch_moved(self, event: BatchMoved) -> None:
        """Tell the screens."""
        for screen in self.navigation.screens:
            screen.on_batch_moved(event.batch)
        self.snapshot_workers.show_in_list()

    @on(BatchShown)
    def open_batch(self, event: BatchShown) -> None:
        self.batch_workers.show(event.batch)

    @on(BatchWanted)
    def resume_batch(self, event: BatchWanted) -> None:
        """Open the review of what never left, of one that the user chooses where none is named."""
        if event.id:
            self.batch_workers.review(event.id)
        else:
            self.batch_workers.look_for_broken_off()

    @on(BatchesFound)
    def choose_batch(self, event: BatchesFound) -> None:
        self.batch_workers.choose(event)

    @on(HistoryWanted)
    def open_history(self, event: HistoryWanted) -> None:
        self.navigation.open_history(event.cluster)

    @on(ProfilesWanted)
    async def open_profiles(self) -> None:
        await self.navigation.open_profiles()

    @on(BoardWanted)
    def open_board(self) -> None:
        self.navigation.open_board()

    @on(ClusterWanted)
    async def go_to_cluster(self, event: ClusterWanted) -> None:
        await self.navigation.go_to_cluster(event.identity, event.key)

    @on(FollowWanted)
    def follow(self, event: FollowWanted) -> None:
        """Follow what was started elsewhere like our own, to its end."""
        self.snapshot_workers.follow(event.cluster, event.rows)

    @on(FollowFailed)
    def say_not_followed(self, event: FollowFailed) -> None:
        if isinstance(self.screen, BaseScreen):
            self.screen.say_problem(event.problem)

    def action_help(self) -> None:
        """Show the keys of the screen in front."""
        from ncp_tui.tui.dialogs.text import HelpDialog, TextDialog

        if not isinstance(self.screen, TextDialog):
            self.push_screen(HelpDialog(self.screen, self.session.key_problems))

    def action_next_theme(self) -> None:
        """Change to the next theme."""
        names = [theme.name for theme in THEMES]
        place = names.index(self.theme) if self.theme in names else -1
        self.choose_theme(names[(place + 1) % len(names)])

    def choose_theme(self, name: str) -> None:
        """Change to the theme `name`, from now on and at the next start."""
        self.theme = name
        self.keep_choice("theme", name)

    def choose_notice(self, way: str) -> None:
        """Announce the end of a snapshot by `way`, from now on and at the next start."""
        self.notifier.way = way
        self.notifier.announce("Test notification: this is what you get when a snapshot ends.")
        self.keep_choice("notify", way)

    @work(group="choice", exit_on_error=False, description="remember a choice")
    async def keep_choice(self, name: str, value: str) -> None:
        """Write down what was chosen."""
        try:
            await self.preferences.keep(name, value)
        except Problem as problem:
            if isinstance(self.screen, BaseScreen):
                self.screen.say(problem_words(problem), "warning")

    async def on_event(self, event: events.Event) -> None:
        """Pass it on, what the user does one after the other."""
        if not await self._typed_ahead.take(event):
            await self._deliver(event)

    async def _deliver(self, event: events.Event) -> None:
        """Pass it on; a screen that sends has to know that its key was let go."""
        if isinstance(event, events.InputEvent) and self.screen_stack:
            self.session.last_input = time.monotonic()
            note_input(self.screen, event)
        if not self.small_window.holds_back(event):
            await super().on_event(event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A letter never leaves a form, wherever in it the focus is."""
        if action == "leave" and any(getattr(screen, "is_form", False) for screen in self.screen_stack):
            return False
        return super().check_action(action, parameters)

    def action_leave(self) -> None:
        """Quit by a letter."""
        self.action_leave_now()

    def action_leave_now(self) -> None:
        """Quit; ask first while a request with an effect has no answer yet, or its outcome is being checked."""
        from ncp_tui.tui.dialogs.confirm import QuestionDialog

        question = quit_question(self.session)
        if question and not isinstance(self.screen, QuestionDialog):
            self.push_screen(QuestionDialog(question, "Quit"), lambda sure: self.exit() if sure else None)
        else:
            self.exit()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: the actions of the screen in front, the manual, themes and notifications."""
        yield from commands_of(screen)
        if not any(getattr(each, "is_form", False) for each in self.screen_stack):
            yield batches_of(partial(self.post_message, BatchWanted()))
        yield from profiles_of(self.session.identities.identities, self.find_and_use)
        yield from themes_of(self.choose_theme)
        yield from notices_of(self.choose_notice)
        yield from topics_of(self)
