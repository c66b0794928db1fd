"""The form of one profile. Its secret key goes to the chosen store first; only then is the profile saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import InvalidProfile, Profile, StoreName
from ncp_tui.profiles.profile_changes import (
    KeyLeftBehind,
    MissingSecret,
    ProfileChanges,
    carried_through,
    import_profiles,
)
from ncp_tui.profiles.secret_stores.catalogue import StoreChoice, working_store
from ncp_tui.profiles.secret_stores.protocol import service_of
from ncp_tui.tui.dialogs.confirm import QuestionDialog
from ncp_tui.tui.dialogs.run_list import RunListDialog
from ncp_tui.tui.screens.base import DEMO
from ncp_tui.tui.screens.profile_fields import ProfileFields
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.tui.widgets.bars import HeaderBar, HeaderItem, KeyBar, StatusBar
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.view.profiles import keys_sentence
from ncp_tui.workspace import check_keys

TESTING, SAVING = "Testing ...", "Saving ..."
SEE_CARD = "Not done: the card above says why."
SAVING_STILL = "Saving. Press esc again to leave; saving continues."
KEY_LEFT = "{name} saved, but a copy of its key remains in {place}."
KEY_LEFT_NEXT = "Press f2 to retry deleting it (entry {entry}), or esc to leave it."
SAME_KEYS = "Profile {name} has these keys already. Press f2 to save them again, or esc to leave."
LEAVE = "Leave without saving? What you typed is lost."


class ProfileFormScreen(ReportsWorkerErrors, Screen[str | None]):
    """Add or edit a profile; ends in the name saved, or in None."""

    CSS_PATH = "profile_form.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - declared so by Textual
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "save", "Save", tooltip="Save the key, then the profile", id="form.save"),
        Binding("f5", "test", "Test keys", tooltip="Test the keys with one read-only request", id="form.test"),
        Binding(
            "f4",
            "run_list",
            "This run",
            show=False,
            tooltip="Snapshots created or followed in this run, and how far each is",
            id="form.run_list",
        ),
        Binding("escape", "cancel", "Cancel", tooltip="Leave without saving", id="form.cancel"),
    ]
    AUTO_FOCUS = "#name, #access_key"
    """The first that can be edited: the name of a saved profile is not changed here."""

    is_form: ClassVar[bool] = True

    @dataclass
    class Done(Message):
        """A test or a save ended."""

        said: str = ""
        saved: str | None = None
        problem: Problem | None = None

    @dataclass
    class StoresTried(Message):
        """The stores were checked on this host."""

        choice: StoreChoice

    def __init__(
        self,
        session: Session,
        *,
        editing: Profile | None = None,
        importing: Identity | None = None,
        welcome: str = "",
    ) -> None:
        super().__init__()
        self.session = session
        self._editing = editing
        self._left_behind: KeyLeftBehind | None = None
        self._held = importing.secret_key if importing else None
        self._welcome = welcome
        self._saving = False
        self._leaves_anyway = False
        self._saved: str | None = None
        self._same_as: str | None = None
        self._start = editing or self._imported(importing) or Profile(name="", access_key="", store=self._first_store())

    @work(group="form-store", exit_on_error=False, description="check which stores work here")
    async def find_store(self) -> None:
        """Check which stores work on this host, before a key is typed."""
        self.post_message(self.StoresTried(await working_store(self.session.workspace.stores)))

    @on(StoresTried)
    def propose_store(self, event: StoresTried) -> None:
        """Propose one that works, unless the user has chosen one, and say why not the usual one."""
        self.fields.propose_store(event.choice)

    def _first_store(self) -> StoreName:
        return next(iter(self.session.workspace.stores))

    def _imported(self, identity: Identity | None) -> Profile | None:
        if identity is None:
            return None
        saved = [each.profile for each in self.session.identities.identities if each.kind is SourceKind.PROFILE]
        (imported,) = import_profiles([identity], saved, self._first_store())
        self._same_as = imported.same_as
        return imported.profile

    def compose(self) -> ComposeResult:
        yield HeaderBar()
        yield ProfileFields(
            self.session,
            self._start,
            is_saved=self._editing is not None,
            has_key=self._held is not None,
            welcome=self._welcome,
        )
        yield StatusBar()
        yield KeyBar()

    @property
    def fields(self) -> ProfileFields:
        """The fields."""
        return self.query_one(ProfileFields)

    def on_mount(self) -> None:
        title = f"Edit {self._start.name}" if self._editing else "New profile"
        items = [HeaderItem(DEMO, "DEMO", needed=True)] if self.session.workspace.demo else []
        self.query_one(HeaderBar).show(("Profiles", title), items)
        self.find_store()
        if self._same_as is not None:
            self.say(SAME_KEYS.format(name=self._same_as), "warning")

    def say(self, text: str, tone: str = "plain") -> None:
        """Show one sentence on the status line."""
        self.query_one(StatusBar).say(text, tone)

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    async def _secret(self, profile: Profile) -> SecretKey | None:
        """The secret key to use: the command's; else the one typed, the one found beside the access key, the stored."""
        printed = self.session.workspace.stores.get("command") if profile.store == "command" else None
        if printed is not None:
            return await self.session.ask_store(lambda: printed.load(profile))
        typed = self.fields.secret()
        if typed is not None:
            return typed
        if self._held is not None:
            return self._held
        if self._editing is None or profile.access_key != self._editing.access_key:
            return None
        editing, store = self._editing, self.session.workspace.stores.get(self._editing.store)
        return await self.session.ask_store(lambda: store.load(editing)) if store is not None else None

    @on(HeaderBar.PartClicked)
    def leave_by_path(self) -> None:
        """Every part of the path opens the profiles, as the key that leaves does."""
        self.action_cancel()

    def action_run_list(self) -> None:
        """List the snapshots of this run over the form, which stays as it is."""
        self.app.push_screen(RunListDialog(self.session))

    def action_test(self) -> None:
        self.say(TESTING)
        self.test_keys()

    @work(group="form", exclusive=True, exit_on_error=False, description="test the form's keys")
    async def test_keys(self) -> None:
        """One signed read of one page; nothing is saved or changed."""
        session = self.session
        try:
            profile = self.fields.profile()
            secret = await self._secret(profile)
            if secret is None:
                raise MissingSecret
            identity = Identity(profile.name, "this form", SourceKind.PROFILE, profile)
            engine = session.workspace.client(identity, Credentials(profile.access_key, secret), session.log)
            keys = await check_keys(engine, session.log, profile.name)
        except Problem as problem:
            self.post_message(self.Done(problem=problem))
        else:
            self.post_message(self.Done(keys_sentence(keys.clusters, keys.clock_offset)))

    def action_save(self) -> None:
        if not self._saving:
            self._saving, self._leaves_anyway = True, False
            self.say(SAVING)
            self.save()

    @work(group="form-save", exit_on_error=False, description="save a profile")
    async def save(self) -> None:
        """Secret key first, read back by its store; a profile whose key could not be kept is not saved."""
        await carried_through(self._save())

    async def _save(self) -> None:
        try:
            await self._change()
            if self._left_behind is not None:
                await self._forget_copy(self._left_behind)
        except Problem as problem:
            self.post_message(self.Done(problem=problem))
        else:
            self.post_message(self.Done(saved=self._saved))

    async def _change(self) -> None:
        profile, editing, held = self.fields.profile(), self._editing, self._held
        typed = self.fields.secret() or held
        if editing is not None:
            done = await self.session.change(lambda change: change.edit(editing, profile, typed))
            self._editing = done.book.find(profile.name)
        elif typed is None and profile.store != "command":
            raise MissingSecret
        else:
            done = await self.session.change(lambda change: change.add(profile, typed))
        self._saved, self._left_behind = profile.name, done.left_behind or self._left_behind

    async def _forget_copy(self, left: KeyLeftBehind) -> None:
        changes = ProfileChanges(self.session.workspace.profiles, self.session.workspace.stores)
        try:
            await self.session.ask_store(lambda: changes.forget_copy(left))
        except Problem as problem:
            raise Problem(
                KEY_LEFT.format(name=left.profile.name, place=left.place),
                problem.what,
                KEY_LEFT_NEXT.format(entry=service_of(left.profile)),
            ) from None
        self._left_behind = None

    @on(Done)
    def show_done(self, event: Done) -> None:
        self._saving = False
        if event.saved is not None:
            # Textual dismisses the screen in front: help or the palette may have been opened since.
            self.pop_until_active()
            self.dismiss(event.saved)
            return
        card = self.query_one(ProblemCard)
        if event.problem is None:
            card.clear()
            self.say(event.said, "good")
            return
        card.show(event.problem)
        card.scroll_visible(animate=False)
        self.say(SEE_CARD, "bad")
        if isinstance(event.problem, InvalidProfile) and event.problem.field:
            wrong = self.query(f"#{event.problem.field}")
            if wrong:
                wrong.first().focus()

    def action_cancel(self) -> None:
        """Leave without saving, after a question where something was typed; a save that has begun completes."""
        if self._saving and not self._leaves_anyway:
            self._leaves_anyway = True
            self.say(SAVING_STILL, "warning")
            return
        if self._saved is None and not self._saving and self.fields.is_edited:
            self._ask_to_leave()
            return
        self.dismiss(self._saved)

    def _ask_to_leave(self) -> None:
        def decide(sure: bool | None) -> None:
            if sure:
                self.call_later(self._leave)  # behind the question, which is still in front

        self.app.push_screen(QuestionDialog(LEAVE, "Leave"), decide)

    def _leave(self) -> None:
        if self.is_current:
            self.dismiss(None)
