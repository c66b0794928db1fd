"""Profiles: what the program can use, where each secret key is kept, and whether the keys work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identities, Identity, SourceKind, same_name
from ncp_tui.profiles.profile import InvalidProfile, Profile, check_profile_name
from ncp_tui.profiles.profile_changes import Changed, ProfileChanges, carried_through
from ncp_tui.profiles.profile_store import name_taken
from ncp_tui.profiles.profiles_file import ProfilesFile
from ncp_tui.snapshots.rules import template_warning
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
    removal_words,
    removed_sentence,
    saved_sentence,
)
from ncp_tui.view.text import Cell, Line, Tone, line
from ncp_tui.workspace import check_keys

LISTED_ORDER = "as listed: saved profiles first"
NO_PROFILES = "No profiles yet. Press a to add one."
NO_PROFILE = "No profile selected."
NOT_EDITED = "{name} is not a saved profile. Press i to save it, then edit it."
NOT_RENAMED = "{name} is not a saved profile. Press i to save it, then rename it."
NOT_DUPLICATED = "{name} is not a saved profile. Press i to save it, then duplicate it."
NOT_REMOVED = "{name} is not a saved profile, so there is nothing to remove here."
NOT_DEFAULT = "{name} is not a saved profile. Press i to save it, then make it the default."
IS_ROLE = "{name} is not a saved profile, and cannot be: its keys expire in a few hours."
NOTHING_TO_IMPORT = "Select keys from the environment or ~/.ncloud/configure to import them."
ROLE_EXPIRES = "Server-role keys expire after a few hours, so they are not saved."
IS_DEFAULT = "{name} is now the default."
NEW_NAME = "New name of profile {name}:"
RENAMED = "{old} renamed to {new}."
COPY_NAME = "Name of the copy of {name}:"
DUPLICATED = "{old} copied to {new}."
REMOVE = "Remove {what}? Type its name to confirm:"
REMOVE_USED = "Remove {what}? It is in use: no profile is selected after that. Type its name to confirm:"
REMOVE_TRACKING = (
    "Remove {what}? It is in use: no profile is selected after that. Running snapshots that "
    "stay tracked with its key: {count:,}. Type its name to confirm:"
)
TESTING, TESTING_NAME = "testing ...", "Testing {name} ..."
SLOW_DISK = "The disk did not answer within {seconds:g} s."
NOT_READ, RETRY = "The profiles could not be read.", "Press r to retry."


class ProfilesScreen(TableScreen):
    """Saved profiles, keys found elsewhere, and the server role where it was requested."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Use", tooltip="Switch to this profile", id="profiles.use"),
        Binding("a", "add", "Add", tooltip="Add a profile", id="profiles.add"),
        Binding("e", "edit", "Edit", tooltip="Edit this profile or its secret key", id="profiles.edit"),
        Binding("t", "test", "Test", tooltip="Test its keys with one read-only request", id="profiles.test"),
        Binding("d", "default", "Default", tooltip="Make this the default profile", id="profiles.default"),
        Binding("n", "rename", "Rename", tooltip="Rename this profile", id="profiles.rename"),
        Binding("c", "duplicate", "Duplicate", show=False, tooltip="Duplicate this profile", id="profiles.duplicate"),
        Binding("i", "import", "Import", tooltip="Save these credentials as a profile", id="profiles.import"),
        Binding(
            "x", "remove", "Remove", tooltip="Remove this profile (type its name to confirm)", id="profiles.remove"
        ),
    ]
    path = ("Profiles",)
    columns = PROFILES.on_screen
    listed_order = LISTED_ORDER

    @dataclass
    class Loaded(Message):
        """The profiles were read, or changed and read."""

        said: str = ""
        problem: Problem | None = None

    @dataclass
    class Tested(Message):
        """The keys of one identity were tested."""

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
        """Read the files, which may be on a slow disk. `problem` is why a change before it failed."""
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
        """Make one change of a profile and its key, then show the profiles; leaving does not stop it."""
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
        self.table.show(rows, empty=NO_PROFILES)
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
        self.say(f"{event.said} {warning}".strip(), "warning" if warning else "plain")

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
        """The warning about the profile that the form has just saved, shown once."""
        saved, self._just_saved = self._just_saved, ""
        identity = self.session.identities.find(saved) if saved else None
        return template_warning(identity.profile.name_template) if identity is not None else ""

    @property
    def chosen(self) -> Identity | None:
        """The identity under the cursor."""
        key = self.table.cursor_key
        return next((each for each in self.session.identities.identities if each.name == key), None)

    def _saved(self, otherwise: str) -> Identity | None:
        """The saved profile under the cursor; where it is none, `otherwise` is said."""
        identity = self.chosen
        if identity is None:
            self.say(NO_PROFILE, "warning")
        elif identity.kind is not SourceKind.PROFILE:
            self.say((IS_ROLE if identity.role else otherwise).format(name=identity.name), "warning")
        else:
            return identity
        return None

    def _follow_rename(self, old: str, new: str | None) -> None:
        """Use the profile in use by its new name; no profile where it was removed."""
        session = self.session
        if session.identity is None or session.identity.name != old:
            return
        if new is None:  # running snapshots keep their client, and nothing else is sent until a choice is made
            session.use(None)
        else:
            self.app.post_message(ProfileToUse(new))

    def action_open(self) -> None:
        identity = self.chosen
        if identity is not None:
            self.session.use(identity)
            self.action_leave()

    def action_leave(self) -> None:
        """Go back, whatever is in the filter."""
        self.app.pop_screen()

    def action_add(self) -> None:
        self.open(ProfileFormScreen(self.session), self._after_form)

    def action_edit(self) -> None:
        identity = self._saved(NOT_EDITED)
        if identity is not None:
            self.open(ProfileFormScreen(self.session, editing=identity.profile), self._after_form)

    def action_import(self) -> None:
        identity = self.chosen
        if identity is None or identity.kind is SourceKind.PROFILE:
            self.say(NOTHING_TO_IMPORT)
            return
        if identity.role is not None:
            self.say(ROLE_EXPIRES)
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
        identity = self._saved(NOT_DEFAULT)
        if identity is not None:
            name = identity.name
            self.change_profiles(lambda change: change.set_default(name), IS_DEFAULT.format(name=name))

    def action_rename(self) -> None:
        identity = self._saved(NOT_RENAMED)
        if identity is not None:
            prompt = PromptDialog(
                NEW_NAME.format(name=identity.name),
                identity.name,
                lambda new: wrong_name(new, self.session.identities, but=identity.name),
            )
            self.app.push_screen(prompt, lambda new: self._rename(identity, new))

    def _rename(self, identity: Identity, new: str | None) -> None:
        if new and new != identity.name:
            old = identity.profile
            said = RENAMED.format(old=old.name, new=new)
            self.change_profiles(lambda change: change.rename(old, new), said, (old.name, new))

    def action_duplicate(self) -> None:
        identity = self._saved(NOT_DUPLICATED)
        if identity is not None:
            prompt = PromptDialog(
                COPY_NAME.format(name=identity.name),
                f"{identity.name}-copy",
                lambda new: wrong_name(new, self.session.identities),
            )
            self.app.push_screen(prompt, lambda new: self._duplicate(identity, new))

    def _duplicate(self, identity: Identity, new: str | None) -> None:
        if new:
            old = identity.profile
            self.change_profiles(lambda change: change.duplicate(old, new), DUPLICATED.format(old=old.name, new=new))

    def action_remove(self) -> None:
        identity = self._saved(NOT_REMOVED)
        if identity is not None:
            is_used = self.session.identity is not None and self.session.identity.name == identity.name
            question = removal_question(identity.profile, len(self.session.open_snapshots), is_used=is_used)
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
            self._tests[identity.name] = Cell(TESTING, Tone.DIM)
            self.show_loaded(self.Loaded(TESTING_NAME.format(name=identity.name)))
            self.test_keys(identity)

    @work(group="test-keys", exit_on_error=False, description="test keys")
    async def test_keys(self, identity: Identity) -> None:
        """One signed read of one page; it changes nothing."""
        session = self.session
        try:
            engine = await session.ask_store(lambda: session.workspace.connect(identity, session.log))
            keys = await check_keys(engine, session.log, identity.name)
        except Problem as problem:
            self.post_message(self.Tested(identity.name, problem.what, problem))
        else:
            self.post_message(
                self.Tested(identity.name, keys_sentence(keys.clusters, keys.clock_offset, identity.name))
            )

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


def removal_question(profile: Profile, tracked: int, *, is_used: bool) -> str:
    """What removing a profile means; `tracked` snapshots are tracked with the profile in use."""
    what = removal_words(profile.name, profile, with_key=True)
    if not is_used:
        return REMOVE.format(what=what)
    if not tracked:
        return REMOVE_USED.format(what=what)
    return REMOVE_TRACKING.format(what=what, count=tracked)


def _slow_disk() -> Problem:
    return Problem(SLOW_DISK.format(seconds=DISK_SECONDS), NOT_READ, RETRY)
