"""Profiles: who this program can call as, where each secret key is kept, and whether the keys work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identities, Identity, SourceKind, same_name
from ncp_tui.profiles.profile import InvalidProfile, check_profile_name
from ncp_tui.profiles.profile_changes import Changed, ProfileChanges, carried_through
from ncp_tui.profiles.profile_store import name_taken
from ncp_tui.profiles.profiles_file import ProfilesFile
from ncp_tui.snapshots.templates import template_warning
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.tui.dialogs.confirm import PromptDialog, TypeNameDialog
from ncp_tui.tui.key_bindings import next_words, problem_words
from ncp_tui.tui.messages import ProfileToUse
from ncp_tui.tui.screens.profile_form import ProfileFormScreen
from ncp_tui.tui.screens.table import TableScreen
from ncp_tui.tui.session import Session
from ncp_tui.view.profiles import (
    NOT_TESTED,
    PROFILES,
    ListedIdentity,
    keys_cell,
    keys_sentence,
    profile_lines,
    removed_sentence,
    saved_sentence,
)
from ncp_tui.view.text import Cell, Line, Tone, line


class ProfilesScreen(TableScreen):
    """Saved profiles, the keys found elsewhere, and this server's role where the user wants it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Use", tooltip="Call as this profile from now on", id="profiles.use"),
        Binding("a", "add", "Add", tooltip="Add a profile", id="profiles.add"),
        Binding("e", "edit", "Edit", tooltip="Edit this profile, or its secret key", id="profiles.edit"),
        Binding("t", "test", "Test", tooltip="Make one signed read with its keys", id="profiles.test"),
        Binding("d", "default", "Default", tooltip="Use this profile when none is named", id="profiles.default"),
        Binding("n", "rename", "Rename", tooltip="Give this profile another name", id="profiles.rename"),
        Binding("c", "duplicate", "Copy", show=False, tooltip="A new profile like this one", id="profiles.duplicate"),
        Binding("i", "import", "Import", tooltip="Save the keys found here as a profile", id="profiles.import"),
        Binding("x", "remove", "Remove", tooltip="Remove this profile, by typing its name", id="profiles.remove"),
    ]
    path = ("Profiles",)
    columns = PROFILES.on_screen

    @dataclass
    class Loaded(Message):
        """The profiles were read, or written and read."""

        said: str = ""
        problem: Problem | None = None

    @dataclass
    class Tested(Message):
        """The keys of one identity were tried."""

        name: str
        sentence: str
        problem: Problem | None = None

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._tests: dict[str, Cell] = {}
        self._wanted = ""
        self._just_saved = ""

    def load(self) -> None:
        """Read the profiles again."""
        self.read_profiles()

    @work(group="profiles", exclusive=True, exit_on_error=False, description="read profiles")
    async def read_profiles(self, said: str = "", problem: Problem | None = None) -> None:
        """Read the files; they may be on a slow disk. `problem` is why what was to be done was not."""
        session = self.session

        def read() -> tuple[ProfilesFile, Identities]:
            book = session.workspace.profiles.load()
            return book, session.workspace.identities(book)

        try:
            book, identities = await run_blocking(read, DISK_SECONDS)
        except Problem as fault:
            self.post_message(self.Loaded(problem=problem or fault))
        except TimeoutError:
            self.post_message(self.Loaded(problem=problem or _slow_disk()))
        else:
            session.identities, session.default_profile = identities, book.default
            self.post_message(self.Loaded(said, problem))

    @work(group="profile-change", exit_on_error=False, description="change profiles")
    async def change_profiles(
        self,
        change: Callable[[ProfileChanges], Awaitable[Changed]],
        said: str,
        renamed: tuple[str, str | None] | None = None,
    ) -> None:
        """Make one change of a profile and its key, then show the profiles; begun, it is made whoever leaves."""
        await carried_through(self._change(change, said, renamed))

    async def _change(
        self, change: Callable[[ProfileChanges], Awaitable[Changed]], said: str, renamed: tuple[str, str | None] | None
    ) -> None:
        try:
            done = await self.session.change(change)
        except Problem as problem:
            self.read_profiles(problem=problem)
            return
        if renamed is not None:
            self._follow_rename(*renamed)
        self.read_profiles(said if done.left_behind is None else f"{said} {problem_words(done.left_behind)}")

    @on(Loaded)
    def show_loaded(self, event: Loaded) -> None:
        session = self.session
        self.note_read(session.workspace.now())
        rows = [PROFILES.row(self._listed(identity)) for identity in session.identities.identities]
        self.table.show(rows, empty="No profile yet. Press a to add one.")
        if any(row.key == self._wanted for row in rows):
            self.table.move_to(self._wanted)
            self._wanted = ""
        if event.problem is not None:
            self.show_problem(event.problem)
            return
        warnings = session.identities.warnings
        if warnings:
            self.show_problem(Problem(warnings[0], " ".join(warnings[1:3])))
        else:
            self.hide_problem()
        warning = self._warning_of_saved()
        said = f"{event.said} {warning}".strip() or "enter uses a profile, a adds one, ? shows every key."
        self.say(said, "warning" if warning else "plain")

    def _listed(self, identity: Identity) -> ListedIdentity:
        session = self.session
        return ListedIdentity(
            identity,
            current=session.identity is not None and identity.name == session.identity.name,
            default=identity.name == session.default_profile,
            tested=self._tests.get(identity.name, NOT_TESTED),
        )

    def details(self) -> list[Line]:
        """Who the profile under the cursor calls as, and where."""
        identity = self.chosen
        if identity is None:
            return [line("No profile under the cursor.", Tone.DIM)]
        return profile_lines(self._listed(identity))

    def _warning_of_saved(self) -> str:
        """What to know of the profile that the form has just saved, told once."""
        saved, self._just_saved = self._just_saved, ""
        identity = self.session.identities.find(saved) if saved else None
        return template_warning(identity.profile.name_template) if identity is not None else ""

    @property
    def chosen(self) -> Identity | None:
        """The identity under the cursor."""
        key = self.table.cursor_key
        return next((each for each in self.session.identities.identities if each.name == key), None)

    def _saved(self, verb: str) -> Identity | None:
        identity = self.chosen
        if identity is None:
            self.say("There is no profile under the cursor.", "warning")
        elif identity.kind is not SourceKind.PROFILE:
            said = f"Not a saved profile, so ncp-tui cannot {verb} it: {identity.name}."
            self.say(said if identity.role else f"{said} i saves it as one.", "warning")
        else:
            return identity
        return None

    def _follow_rename(self, old: str, new: str | None) -> None:
        """Call as the profile in use by its new name; as nobody where it was removed."""
        session = self.session
        if session.identity is None or session.identity.name != old:
            return
        if new is None:  # what is under way keeps its own client, and nothing else is sent until a choice is made
            session.use(None)
        else:
            self.app.post_message(ProfileToUse(new))

    def action_open(self) -> None:
        identity = self.chosen
        if identity is not None:
            self.session.use(identity)
            self.action_leave()

    def action_leave(self) -> None:
        """Go back without looking at the filter."""
        self.app.pop_screen()

    def action_add(self) -> None:
        self.open(ProfileFormScreen(self.session), self._after_form)

    def action_edit(self) -> None:
        identity = self._saved("edit")
        if identity is not None:
            self.open(ProfileFormScreen(self.session, editing=identity.profile), self._after_form)

    def action_import(self) -> None:
        identity = self.chosen
        if identity is None or identity.kind is SourceKind.PROFILE:
            self.say("Put the cursor on keys found in the environment or in ~/.ncloud/configure to import them.")
            return
        if identity.role is not None:
            self.say("The keys of a server role end after some hours: there is nothing to save.")
            return
        self.open(ProfileFormScreen(self.session, importing=identity), self._after_form)

    def _after_form(self, saved: str | None) -> None:
        if saved:
            self._tests.pop(saved, None)
            self._wanted = self._just_saved = saved
            if self.session.identity is None or self.session.identity.name == saved:
                self.app.post_message(ProfileToUse(saved))
            self.read_profiles(saved_sentence(saved))
        else:
            self.read_profiles()

    def action_default(self) -> None:
        identity = self._saved("make a default of")
        if identity is not None:
            name = identity.name
            self.change_profiles(lambda change: change.set_default(name), f"{name} is the default now.")

    def action_rename(self) -> None:
        identity = self._saved("rename")
        if identity is not None:
            prompt = PromptDialog(
                f"New name of profile {identity.name}:",
                identity.name,
                lambda new: wrong_name(new, self.session.identities, but=identity.name),
            )
            self.app.push_screen(prompt, lambda new: self._rename(identity, new))

    def _rename(self, identity: Identity, new: str | None) -> None:
        if new and new != identity.name:
            old = identity.profile
            said = f"{old.name} is now called {new}."
            self.change_profiles(lambda change: change.rename(old, new), said, (old.name, new))

    def action_duplicate(self) -> None:
        identity = self._saved("copy")
        if identity is not None:
            prompt = PromptDialog(
                f"Name of the copy of {identity.name}:",
                f"{identity.name}-copy",
                lambda new: wrong_name(new, self.session.identities),
            )
            self.app.push_screen(prompt, lambda new: self._duplicate(identity, new))

    def _duplicate(self, identity: Identity, new: str | None) -> None:
        if new:
            old = identity.profile
            self.change_profiles(lambda change: change.duplicate(old, new), f"{old.name} is copied to {new}.")

    def action_remove(self) -> None:
        identity = self._saved("remove")
        if identity is not None:
            is_used = self.session.identity is not None and self.session.identity.name == identity.name
            in_use = if_in_use(identity.name, len(self.session.open_snapshots)) if is_used else ""
            question = f"Removing a profile also removes its secret key. {in_use}Type the profile's name:"
            screen = TypeNameDialog(question, "Remove", identity.name, self.session.workspace.monotonic)
            self.app.push_screen(screen, lambda sure: self._remove(identity, sure=sure))

    def _remove(self, identity: Identity, *, sure: bool | None) -> None:
        if sure:
            profile = identity.profile
            said = removed_sentence(profile.name)
            self.change_profiles(lambda change: change.remove(profile.name, profile), said, (profile.name, None))

    def action_test(self) -> None:
        identity = self.chosen
        if identity is not None:
            self._tests[identity.name] = Cell("testing ...", Tone.DIM)
            self.show_loaded(self.Loaded(f"Testing {identity.name} ..."))
            self.test_keys(identity)

    @work(group="test-keys", exit_on_error=False, description="test keys")
    async def test_keys(self, identity: Identity) -> None:
        """One signed read of one page; nothing is changed by it."""
        session = self.session
        try:
            with session.log.action(f"test keys of {identity.name}"):
                engine = await session.ask_store(lambda: session.workspace.connect(identity, session.log))
                try:
                    clusters = await engine.check_keys()
                    offset = engine.clock_offset
                finally:
                    await engine.aclose()
        except Problem as problem:
            self.post_message(self.Tested(identity.name, problem.what, problem))
        else:
            self.post_message(self.Tested(identity.name, keys_sentence(clusters, offset, identity.name)))

    @on(Tested)
    def show_test(self, event: Tested) -> None:
        problem = event.problem
        self._tests[event.name] = keys_cell(problem)
        self.show_loaded(self.Loaded(event.sentence))
        if event.problem is not None:
            self.show_problem(event.problem)
        else:
            self.say(event.sentence, "good")


def wrong_name(new: str, identities: Identities, but: str | None = None) -> str:
    """What is wrong with a new name of a profile, as far as is known here; that of `but` may be kept."""
    try:
        check_profile_name(new)
        if any(same_name(each.name, new) for each in identities.identities if each.name != but):
            raise name_taken(new)
    except InvalidProfile as problem:
        return f"{problem.what} {next_words(problem)}"
    return ""


def if_in_use(name: str, tracked: int) -> str:
    """What removing the profile in use means, and for the snapshots that are tracked with its key."""
    under_way = "the snapshot under way is" if tracked == 1 else f"the {tracked} snapshots under way are"
    snapshots = f" With its key {under_way} tracked to the end." if tracked else ""
    return f"{name} is in use: then nobody is called until you choose another profile.{snapshots} "


def _slow_disk() -> Problem:
    return Problem(f"The disk did not answer within {DISK_SECONDS:g} s.", "The profiles could not be read.", "Press r.")
