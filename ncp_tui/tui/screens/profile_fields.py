"""The fields of a profile, each with a hint beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.gateway.endpoints import SITES
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import ACCENTS, Profile, StoreName, check_profile, without_command
from ncp_tui.profiles.secret_command import split_command
from ncp_tui.profiles.secret_stores.catalogue import STORES, StoreChoice
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.widgets.inputs import SecretInput, TextInput
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.view.profiles import command_text

UNCHANGED, FOUND, HIDDEN = "unchanged if empty", "the key found, if empty", "hidden"
STORE_UNUSABLE = "No key can be stored there on this host. {why} Choose another store."
STORED_IN = "Stored in {place}. {caution}"

_YES, _NO = "yes", "no"


class ProfileFields(VerticalScroll):
    """One line for each field of `start`, the profile that it begins with."""

    def __init__(self, session: Session, start: Profile, *, is_saved: bool, has_key: bool, welcome: str) -> None:
        """Show `welcome` above them. The name of one that `is_saved` stays; `has_key`: one was found beside it."""
        super().__init__(id="fields", can_focus=False)
        self._session = session
        self._start = start
        self._is_saved = is_saved
        self._has_key = has_key
        self._welcome = welcome
        self._unusable: Mapping[StoreName, Problem] = {}

    def compose(self) -> ComposeResult:
        if self._welcome:
            yield Static(self._welcome, markup=False, id="welcome")
        yield ProblemCard()
        for label, widget, hint in self._fields():
            with Horizontal(classes="field", id=f"field-{widget.id}"):
                yield Static(label, classes="label", markup=False)
                yield widget
                yield Static(hint, classes="verdict", markup=False)
            if widget.id == "store":
                yield Static("", markup=False, id="store-words")

    def on_mount(self) -> None:
        self._show_store_words()

    def _fields(self) -> Iterable[tuple[str, Widget, str]]:
        start = self._start
        secret = UNCHANGED if self._is_saved else HIDDEN
        secret = FOUND if self._has_key else secret
        yield "Name", TextInput(start.name, id="name", disabled=self._is_saved), "letters, digits, . _ -"
        yield "Access key", TextInput(start.access_key, id="access_key"), "access key ID"
        yield "Secret key", SecretInput(id="secret_key"), secret
        yield "Store key in", _select("store", [(words, name) for name, words in self._stores()], start.store), ""
        command = _input("secret_command", command_text(start.secret_command or ()))
        yield "Secret command", command, "full path, arguments"
        yield (
            "Site",
            _select("site", [(site.title, name) for name, site in SITES.items()], start.site),
            "public, gov or fin",
        )
        yield "Region", _select("region", _regions(start.site), start.region), ""
        yield "Bucket", _input("default_bucket", start.default_bucket), "default bucket, optional"
        yield "Name template", _input("name_template", start.name_template), "or {cluster}-{date}-{time}"
        yield "Max. age", _input("max_age", start.max_age), "of last good; 26h if empty"
        yield "Gateway URL", _input("gateway_url", start.gateway_url), "the site's, if empty"
        yield "CA bundle", _input("ca_bundle", start.ca_bundle), "the system's, if empty"
        yield (
            "Header colour",
            _select("accent", [(name, name) for name in ACCENTS], start.accent or "none"),
            "to tell prod from test",
        )
        yield "Read-only", _yes_no("read_only", on=start.read_only), "yes: no snapshots"
        yield "Protected", _yes_no("protected", on=start.protected), "yes: type cluster name"

    def _stores(self) -> list[tuple[StoreName, str]]:
        return [(name, kind.choice) for name, kind in STORES.items() if name in self._session.workspace.stores]

    def _store_words(self, chosen: object) -> str:
        """Why the chosen store, or another one, does not work on this host."""
        for name, problem in self._unusable.items():
            if name == chosen:
                return STORE_UNUSABLE.format(why=problem.what)
        words = [problem.what for problem in self._unusable.values()]
        for name, store in self._session.workspace.stores.items():
            if name == chosen and STORES[name].caution:
                words.append(STORED_IN.format(place=store.describe(), caution=STORES[name].caution))
        return " ".join(words)

    @on(Select.Changed, "#store")
    def follow_store(self) -> None:
        self._show_store_words()

    def _show_store_words(self) -> None:
        words = self._store_words(self.query_one("#store", Select).value)
        is_printed = self.query_one("#store", Select).value == "command"
        self.query_one("#field-secret_command").display = is_printed
        self.query_one("#secret_key").disabled = is_printed
        line = self.query_one("#store-words", Static)
        line.update(escape(words))
        line.display = bool(words)

    def propose_store(self, choice: StoreChoice) -> None:
        """Propose a store that works, unless the user has chosen one."""
        self._unusable = choice.unusable
        box = self.query_one("#store", Select)
        if not self._is_saved and box.value == self._start.store:
            self._start = dataclasses.replace(self._start, store=choice.name)
            box.value = choice.name
        self._show_store_words()

    @on(Select.Changed, "#site")
    def follow_site(self, event: Select.Changed) -> None:
        region = cast("Select[str]", self.query_one("#region", Select))
        choices = _regions(str(event.value))
        kept = region.value if region.value in {value for _, value in choices} else choices[0][1]
        region.set_options(choices)
        region.value = kept

    def profile(self) -> Profile:
        """The profile that the form describes. Raises InvalidProfile naming the field."""
        values = self._values()
        if values["store"] == "command":
            return check_profile(
                dataclasses.replace(self._start, **values, secret_command=split_command(self._command()))
            )
        return check_profile(without_command(dataclasses.replace(self._start, **values)))

    def _command(self) -> str:
        return self.query_one("#secret_command", Input).value

    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            name: self.query_one(f"#{name}", Input).value.strip()
            for name in ("name", "access_key", "default_bucket", "name_template", "max_age", "gateway_url", "ca_bundle")
        }
        values |= {name: self.query_one(f"#{name}", Select).value for name in ("store", "site", "region", "accent")}
        return values | {name: self.query_one(f"#{name}", Select).value == _YES for name in ("read_only", "protected")}

    @property
    def is_edited(self) -> bool:
        """Whether leaving would lose anything."""
        start = dataclasses.asdict(self._start) | {"accent": self._start.accent or "none"}
        typed = bool(self.query_one("#secret_key", SecretInput).value)
        typed = typed or self._command() != command_text(self._start.secret_command or ())
        return typed or any(value != (start[name] or type(value)()) for name, value in self._values().items())

    def secret(self) -> SecretKey | None:
        """The secret key that was typed, if any."""
        return self.query_one("#secret_key", SecretInput).secret()


def _select(name: str, choices: list[tuple[str, str]], value: str) -> Select[str]:
    known = value if value in {each for _, each in choices} else choices[0][1]
    return Select(choices, value=known, allow_blank=False, id=name, compact=True)


def _yes_no(name: str, *, on: bool) -> Select[str]:
    """A choice in words: a checkbox shows its state by colour alone."""
    return _select(name, [("no", _NO), (_YES, _YES)], _YES if on else _NO)


def _input(name: str, value: str | None) -> TextInput:
    return TextInput(value or "", id=name)


def _regions(site: str) -> list[tuple[str, str]]:
    return [(region, region) for region in SITES[site].regions]
