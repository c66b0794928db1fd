"""The form of one profile. Its secret key goes to the chosen store first; only then is the profile saved."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import SITES
from ncp_tui.problem import Problem
from ncp_tui.profiles.administration import Administration, KeyLeftBehind, MissingSecret, carried_through
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.import_keys import free_profile_name
from ncp_tui.profiles.profile import ACCENTS, InvalidProfile, Profile, StoreName, check_profile
from ncp_tui.profiles.secret_stores.protocol import service_of
from ncp_tui.profiles.store_choice import StoreChoice, working_store
from ncp_tui.tui.crash import LoudWorkers
from ncp_tui.tui.dialogs.confirm import QuestionScreen
from ncp_tui.tui.glyphs import shown
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.lines import Fact, HeaderLine, KeyLine, StatusLine
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.secret_input import SecretInput
from ncp_tui.tui.widgets.text_input import TextInput
from ncp_tui.view.profiles import keys_sentence

STORE_WORDS: dict[StoreName, str] = {
    "keyring": "OS keyring: kept there, not in any file of ncp-tui",
    "file": "Encrypted file, opened with a passphrase once per session",
    "session": "This session only: not stored, asked for again next time",
}

_YES, _NO = "yes", "no"


class ProfileFormScreen(LoudWorkers, Screen[str | None]):
    """Add or edit a profile; ends in the name saved, or in None."""

    CSS_PATH = "profile_form.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - declared so by Textual
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "save", "Save", tooltip="Store the key, then the profile", id="form.save"),
        Binding("f5", "test", "Test keys", tooltip="Make one signed read with what the form says", id="form.test"),
        Binding("escape", "cancel", "Cancel", tooltip="Leave without saving", id="form.cancel"),
    ]
    AUTO_FOCUS = "#name, #access_key"
    """The first that can have it: the name of a saved profile is not changed here."""

    is_form: ClassVar[bool] = True

    @dataclass
    class Done(Message):
        """A test or a save ended."""

        said: str = ""
        saved: str | None = None
        problem: Problem | None = None

    @dataclass
    class StoresTried(Message):
        """It is known which stores work here."""

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
        self._unusable: Mapping[StoreName, Problem] = {}
        self._saving = False
        self._leaves_anyway = False
        self._saved: str | None = None
        self._start = editing or self._imported(importing) or Profile(name="", access_key="", store=self._first_store())

    @work(group="form-store", exit_on_error=False, description="look which stores work here")
    async def find_store(self) -> None:
        """Ask the stores whether they work on this host, before anything is typed that they would have to keep."""
        self.post_message(self.StoresTried(await working_store(self.session.workspace.stores)))

    @on(StoresTried)
    def propose_store(self, event: StoresTried) -> None:
        """Propose one that works, unless the user has chosen meanwhile, and say why not the usual one."""
        self._unusable = event.choice.unusable
        box = self.query_one("#store", Select)
        if self._editing is None and box.value == self._start.store:
            self._start = dataclasses.replace(self._start, store=event.choice.name)
            box.value = event.choice.name
        self._show_store_words()

    def _first_store(self) -> StoreName:
        return next(iter(self.session.workspace.stores))

    def _imported(self, identity: Identity | None) -> Profile | None:
        if identity is None:
            return None
        taken = [each.name for each in self.session.identities.identities if each.kind is SourceKind.PROFILE]
        name = free_profile_name(identity.name.rpartition(":")[2].lower(), taken)
        return dataclasses.replace(identity.profile, name=name, store=self._first_store())

    def compose(self) -> ComposeResult:
        """Header, fields, status, keys."""
        yield HeaderLine()
        with VerticalScroll(id="fields", can_focus=False):
            if self._welcome:
                yield Static(self._welcome, markup=False, id="welcome")
            yield ProblemCard()
            for label, widget, hint in self._fields():
                with Horizontal(classes="field"):
                    yield Static(label, classes="label", markup=False)
                    yield widget
                    yield Static(hint, classes="verdict", markup=False)
                if widget.id == "store":
                    yield Static("", markup=False, id="store-words")
        yield StatusLine()
        yield KeyLine()

    def _fields(self) -> Iterable[tuple[str, Widget, str]]:
        start = self._start
        secret = "empty: stays as it is" if self._editing else "never shown"
        secret = "empty: the one found" if self._held else secret
        yield "Name", TextInput(start.name, id="name", disabled=self._editing is not None), "letters, digits, . _ -"
        yield "Access key", TextInput(start.access_key, id="access_key"), "the access key id"
        yield "Secret key", SecretInput(id="secret_key"), secret
        yield "Keep it in", _select("store", [(words, name) for name, words in self._stores()], start.store), ""
        yield "Site", _select("site", [(site.title, name) for name, site in SITES.items()], start.site), "the cloud"
        yield "Region", _select("region", _regions(start.site), start.region), ""
        yield "Bucket", _input("default_bucket", start.default_bucket), "proposed for snapshots"
        yield "Name template", _input("name_template", start.name_template), "or {cluster}-{date}-{time}"
        yield "Gateway URL", _input("gateway_url", start.gateway_url), "empty: the site's own"
        yield "CA bundle", _input("ca_bundle", start.ca_bundle), "empty: the system's"
        yield (
            "Accent",
            _select("accent", [(name, name) for name in ACCENTS], start.accent or "none"),
            "colour of the header",
        )
        yield "Read-only", _yes_no("read_only", on=start.read_only), "yes: creates no snapshot"
        yield "Protected", _yes_no("protected", on=start.protected), "yes: asks for cluster's name"

    def _stores(self) -> list[tuple[StoreName, str]]:
        return [(name, words) for name, words in STORE_WORDS.items() if name in self.session.workspace.stores]

    def _store_words(self, chosen: object) -> str:
        """What to know of the store that is chosen: why it does not work here, or another one does not."""
        for name, problem in self._unusable.items():
            if name == chosen:
                return f"No key can be kept there on this host. {problem.what} Choose another place."
        words = [f"{problem.what}" for name, problem in self._unusable.items() if name != "session"]
        store = self.session.workspace.stores.get("file")
        if chosen == "file" and store is not None:
            words.append(f"Kept in: {store.describe()}. A forgotten passphrase cannot be recovered.")
        return " ".join(words)

    @on(Select.Changed, "#store")
    def follow_store(self) -> None:
        """Say what is to be known of the one chosen."""
        self._show_store_words()

    def _show_store_words(self) -> None:
        words = self._store_words(self.query_one("#store", Select).value)
        line = self.query_one("#store-words", Static)
        line.update(shown(words))
        line.display = bool(words)

    def on_mount(self) -> None:
        """Say where we are."""
        title = f"Edit {self._start.name}" if self._editing else "New profile"
        facts = [Fact("DEMO: a private sandbox", "DEMO", needed=True)] if self.session.workspace.demo else []
        self.query_one(HeaderLine).show(("Profiles", title), facts)
        self._show_store_words()
        self.find_store()
        self.say("tab goes on, f5 tests the keys, f2 saves, esc leaves without saving.")

    def say(self, text: str, tone: str = "plain") -> None:
        """Put one sentence on the status line."""
        self.query_one(StatusLine).say(text, tone)

    @on(Select.Changed, "#site")
    def follow_site(self, event: Select.Changed) -> None:
        """Offer the regions of the site."""
        region = cast("Select[str]", self.query_one("#region", Select))
        choices = _regions(str(event.value))
        kept = region.value if region.value in {value for _, value in choices} else choices[0][1]
        region.set_options(choices)
        region.value = kept

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field."""
        event.stop()
        self.focus_next()

    def _profile(self) -> Profile:
        """The profile as the form has it. Raises InvalidProfile naming the field."""
        return check_profile(dataclasses.replace(self._start, **self._values()))

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            name: self.query_one(f"#{name}", Input).value.strip()
            for name in ("name", "access_key", "default_bucket", "name_template", "gateway_url", "ca_bundle")
        }
        values |= {name: self.query_one(f"#{name}", Select).value for name in ("store", "site", "region", "accent")}
        return values | {name: self.query_one(f"#{name}", Select).value == _YES for name in ("read_only", "protected")}

    @property
    def _is_edited(self) -> bool:
        """Whether anything would be lost by leaving."""
        start = dataclasses.asdict(self._start) | {"accent": self._start.accent or "none"}
        typed = bool(self.query_one("#secret_key", SecretInput).value)
        return typed or any(value != (start[name] or type(value)()) for name, value in self._values().items())

    async def _secret(self, profile: Profile) -> SecretKey | None:
        """The secret key to use: what was typed, what was found beside the access key, or what is stored already."""
        typed = self.query_one("#secret_key", SecretInput).secret()
        if typed is not None:
            return typed
        if self._held is not None:
            return self._held
        if self._editing is None or profile.access_key != self._editing.access_key:
            return None
        editing, store = self._editing, self.session.workspace.stores.get(self._editing.store)
        return await self.session.ask_store(lambda: store.load(editing)) if store is not None else None

    def action_test(self) -> None:
        """Try what the form says."""
        self.say("Testing ...")
        self.test_keys()

    @work(group="form", exclusive=True, exit_on_error=False, description="test the form's keys")
    async def test_keys(self) -> None:
        """One signed read of one page; nothing is saved or changed."""
        session = self.session
        try:
            profile = self._profile()
            secret = await self._secret(profile)
            if secret is None:
                raise MissingSecret
            identity = Identity(profile.name, "this form", SourceKind.PROFILE, profile)
            with session.log.action(f"test keys of {profile.name}"):
                engine = session.workspace.client(identity, Credentials(profile.access_key, secret), session.log)
                try:
                    clusters = await engine.check_keys()
                finally:
                    await engine.aclose()
        except Problem as problem:
            self.post_message(self.Done(problem=problem))
        else:
            self.post_message(self.Done(keys_sentence(clusters, engine.clock_offset)))

    def action_save(self) -> None:
        """Save what the form says, once."""
        if not self._saving:
            self._saving, self._leaves_anyway = True, False
            self.say("Saving ...")
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
        profile, editing, held = self._profile(), self._editing, self._held
        typed = self.query_one("#secret_key", SecretInput).secret() or held
        if editing is not None:
            done = await self.session.change(lambda change: change.edit(editing, profile, typed))
            self._editing = done.book.find(profile.name)
        elif typed is None:
            raise MissingSecret
        else:
            done = await self.session.change(lambda change: change.add(profile, typed))
        self._saved, self._left_behind = profile.name, done.left_behind or self._left_behind

    async def _forget_copy(self, left: KeyLeftBehind) -> None:
        administration = Administration(self.session.workspace.profiles, self.session.workspace.stores)
        try:
            await self.session.ask_store(lambda: administration.forget_copy(left))
        except Problem as problem:
            raise Problem(
                f"{left.profile.name} is saved, and a copy of its key is still in: {left.place}.",
                problem.what,
                f"f2 tries again to delete it there, where it is called {service_of(left.profile)}; esc leaves it.",
            ) from None
        self._left_behind = None

    @on(Done)
    def show_done(self, event: Done) -> None:
        """Leave after a save; show a problem where it belongs."""
        self._saving = False
        if event.saved is not None:
            # Textual takes away the screen in front, whoever asks: help or palette may have been opened meanwhile.
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
        self.say(event.problem.what, "bad")
        if isinstance(event.problem, InvalidProfile) and event.problem.field:
            wrong = self.query(f"#{event.problem.field}")
            if wrong:
                wrong.first().focus()

    def action_cancel(self) -> None:
        """Leave without saving, or without the rest of it; what is being saved is saved all the same.

        What was typed is not thrown away by one key.
        """
        if self._saving and not self._leaves_anyway:
            self._leaves_anyway = True
            self.say("It is being saved. esc once more leaves; the saving goes on.", "warning")
            return
        if self._saved is None and not self._saving and self._is_edited:
            self._ask_to_leave()
            return
        self.dismiss(self._saved)

    def _ask_to_leave(self) -> None:
        def decide(sure: bool | None) -> None:
            if sure:
                self.call_later(self._leave)  # behind the question, which is still in front

        self.app.push_screen(QuestionScreen("Leave without saving? What was typed here is lost.", "Leave"), decide)

    def _leave(self) -> None:
        if self.is_current:
            self.dismiss(None)


def _select(name: str, choices: list[tuple[str, str]], value: str) -> Select[str]:
    known = value if value in {each for _, each in choices} else choices[0][1]
    return Select(choices, value=known, allow_blank=False, id=name, compact=True)


def _yes_no(name: str, *, on: bool) -> Select[str]:
    """A choice in words: a checkbox says what it holds by colour alone."""
    return _select(name, [("no", _NO), (_YES, _YES)], _YES if on else _NO)


def _input(name: str, value: str | None) -> TextInput:
    return TextInput(value or "", id=name)


def _regions(site: str) -> list[tuple[str, str]]:
    return [(region, region) for region in SITES[site].regions]
