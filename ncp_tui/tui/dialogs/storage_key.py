"""The storage key of a cluster: whose key is set, what was read before, and the question before it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Select, Static

from ncp_tui.gateway.credentials import Credentials, SecretKey, check_access_key
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.outcome import Caller, Outcome
from ncp_tui.snapshots.preflight import PreflightEvidence, read_evidence
from ncp_tui.snapshots.storage_key import (
    Destination,
    KeysExpire,
    StorageKeyDraft,
    check_lasting,
    own_key,
    read_only_refused,
    send_storage_key,
)
from ncp_tui.snapshots.storage_key_state import KeyRead, read_key
from ncp_tui.tui.change import Change
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog, TypeNameDialog
from ncp_tui.tui.key_bindings import SendKey, problem_words, send_binding, send_key_name
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.tui.widgets.fields import field_line
from ncp_tui.tui.widgets.inputs import SecretInput, SendButton, TextInput
from ncp_tui.view.preflight import check_word
from ncp_tui.view.storage_key import CHECKING, NEVER_SHOWN, check_sentence, question, result_words
from ncp_tui.view.text import wrapped

if TYPE_CHECKING:
    from ncp_tui.gateway.errors import GatewayError
    from ncp_tui.snapshots.operations import OperationResult
    from ncp_tui.view.text import Tone

TITLE = "Storage key of {cluster}"
WHAT_IT_IS = "The cluster writes its snapshots to Object Storage with this key."
READING = "Reading the bucket list and the history ..."
OTHER, OWN = "another key", "the key of this profile, {key}"
HOST = "Type {host} to send the key there"
SENT_HINT = "esc Close"
SENDING = "Sending it once ... Closing this window stops nothing."
ENTER_SENDS_NOTHING = "enter does nothing here. Press {key} to set the key."
HINT = "{key} Set key   f5 Read again   esc Cancel"
NOT_TYPED = "Type the secret key, or choose the key of this profile."
IN_FLIGHT = "Another request is in flight. Wait for its answer."
READ_FIRST = "What was read is out of date and is being read again. Nothing was sent. Press {key} again."
NOT_READ = "Nothing was read yet. Press f5 to read it again."
HELD = "{key} was already pressed. To set the key, press another key first, then {key}."

_OTHER, _OWN = "other", "own"
_WIDTH, _MARGIN = 70, 18
"""Columns of a line in the box, and before the words of a check."""


class StorageKeyDialog(ReportsWorkerErrors, ModalScreen[None]):
    """Nothing leaves before the question is answered; what leaves then is not this dialog's own."""

    CSS_PATH = "storage_key.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        send_binding("set_key", "Set key", "Set the storage key"),
        Binding("f5", "reload", "Read again", tooltip="Read buckets and history again", id="storage_key.reload"),
        Binding("escape", "cancel", "Cancel", id="storage_key.cancel"),
    ]
    AUTO_FOCUS = "#access_key"
    is_form = True

    @dataclass
    class Looked(Message):
        """What can be known before was read, or there is no client to read it with."""

        evidence: PreflightEvidence | None
        problem: Problem | None = None

    @dataclass
    class Ready(Message):
        """The pair to be sent is at hand, or cannot be had."""

        key: Credentials | None = field(repr=False)
        problem: Problem | None = None

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__()
        self._session = session
        self._cluster = cluster
        self._evidence: PreflightEvidence | None = None
        identity = session.identity
        self._destination = Destination.of(identity, session.workspace.environ) if identity is not None else None
        self._sent: Change | None = None
        self.send_key = SendKey(session.workspace.monotonic, self.set_timer)

    def compose(self) -> ComposeResult:
        identity, destination = self._session.identity, self._destination
        with Vertical(id="storage-key-box") as box:
            box.border_title = Content(escape(TITLE.format(cluster=self._cluster.title)))
            yield Static(f"{WHAT_IT_IS} {NEVER_SHOWN}", markup=False, id="words")
            yield Static(READING, markup=False, id="checks")
            choices = [(OTHER, _OTHER)]
            if identity is not None and identity.role is None:
                choices.append((escape(OWN.format(key=identity.masked_access_key)), _OWN))
            yield field_line("Key", Select(choices, value=_OTHER, allow_blank=False, id="key", compact=True))
            yield field_line("Access key", TextInput(id="access_key"))
            yield field_line("Secret key", SecretInput(id="secret_key"))
            if destination is not None and destination.doubt and not destination.is_barred:
                words = f"{destination.doubt[:1].upper()}{destination.doubt[1:]}. {HOST.format(host=destination.host)}:"
                yield Static(escape(words), markup=False, id="host-words")
                yield field_line("Host", TextInput(id="host"))
            yield SendButton("Set key", id="set", variant="warning", compact=True)
            yield Static("", markup=False, id="said")
            yield Static("", markup=False, id="hint")

    def on_mount(self) -> None:
        self.query_one("#hint", Static).update(HINT.format(key=send_key_name(self)))
        problem = self._forbidden
        if problem is not None:
            self.say(problem_words(problem), "bad")
        self.action_reload()

    @property
    def _forbidden(self) -> Problem | None:
        """What no choice in this dialog changes."""
        if self._session.read_only:
            return read_only_refused()
        if self._destination is not None and self._destination.is_barred:
            try:
                self._destination.check(None)
            except Problem as problem:
                return problem
        return None

    def say(self, text: str, tone: str = "plain") -> None:
        """Show what stands in the way, or what is being done."""
        said = self.query_one("#said", Static)
        for each in ("bad", "good", "warning"):
            said.set_class(tone == each, each)
        said.update(escape(text))

    def action_reload(self) -> None:
        if self._sent is not None:
            return
        self._evidence = None
        self.query_one("#checks", Static).update(READING)
        self.look()

    @work(group="storage key", exclusive=True, exit_on_error=False, description="read before a storage key is set")
    async def look(self) -> None:
        """Read cluster, buckets and history, side by side, and the journal."""
        session, cluster = self._session, self._cluster
        try:
            with session.log.action(f"look before setting the storage key of {cluster.title}"):
                engine = await session.engine()
                evidence = await read_evidence(engine, cluster, session.journal, session.workspace.now)
        except Problem as problem:
            self.post_message(self.Looked(None, problem))
        else:
            self.post_message(self.Looked(evidence))

    @on(Looked)
    def show_looked(self, event: Looked) -> None:
        self._evidence = event.evidence
        if event.problem is not None:
            self.query_one("#checks", Static).update("")
            self.say(problem_words(event.problem), "bad")
            return
        draft = self._draft(_NO_KEY)
        if draft is not None:
            self.query_one("#checks", Static).update(_check_text(draft))

    @on(Select.Changed, "#key")
    def follow_choice(self) -> None:
        """The keys of the profile are not typed."""
        for name in ("access_key", "secret_key"):
            self.query_one(f"#{name}").disabled = self._is_own

    @on(Input.Changed)
    def note_edit(self, event: Input.Changed) -> None:
        """An edit is a new decision, so the key may send again."""
        event.stop()
        self.send_key.let_go()

    @on(Input.Submitted)
    def to_next_field(self, event: Input.Submitted) -> None:
        """A pasted line may end in an enter, so enter sends nothing."""
        event.stop()
        self.focus_next()

    @property
    def _is_own(self) -> bool:
        return self.query_one("#key", Select).value == _OWN

    def _draft(self, key: Credentials) -> StorageKeyDraft | None:
        session, identity, destination = self._session, self._session.identity, self._destination
        if identity is None or destination is None or self._evidence is None:
            return None
        host = self.query("#host")
        return StorageKeyDraft(
            self._evidence.cluster,
            Caller.of(identity),
            destination,
            key,
            protected=identity.profile.protected,
            read_only=session.read_only,
            evidence=self._evidence,
            confirmed_host=self.query_one("#host", Input).value if host else None,
        )

    @on(Button.Pressed, "#set")
    def click_set(self, event: Button.Pressed) -> None:
        """A click on the button opens the question, which needs another click."""
        event.stop()
        if self._sent is None:
            self._prepare()

    @on(SendButton.Entered)
    def refuse_enter(self) -> None:
        """Enter on the button: text that arrives as keys must not send."""
        self.say(ENTER_SENDS_NOTHING.format(key=send_key_name(self)))

    def action_set_key(self) -> None:
        """The key that sends: it opens the question; a repeat of a held key does not."""
        if self._sent is not None:
            return
        if not self.send_key.press(self._prepare):
            self.say(HELD.format(key=send_key_name(self)))

    def _prepare(self) -> None:
        """Judge what was typed, and have the pair at hand."""
        draft, session = self._draft(_NO_KEY), self._session
        problem = self._forbidden or (draft.problem or draft.stop_for_good if draft is not None else None)
        if problem is not None:
            self.say(problem_words(problem), "bad")
        elif draft is None:
            self.say(NOT_READ, "bad")
        elif session.changing or session.creating:
            self.say(IN_FLIGHT, "bad")
        elif draft.is_old(session.workspace.now()):
            self.say(READ_FIRST.format(key=send_key_name(self)))
            self.action_reload()
        else:
            self.say("")
            self.fetch_key()
            return
        self.send_key.let_go()

    @work(group="storage key", exclusive=True, exit_on_error=False, description="fetch the pair to be set")
    async def fetch_key(self) -> None:
        """The pair that was typed, or that of the profile out of its store."""
        try:
            key = await self._own() if self._is_own else self._typed()
        except Problem as problem:
            self.post_message(self.Ready(None, problem))
        else:
            self.post_message(self.Ready(key))

    async def _own(self) -> Credentials:
        from ncp_tui.profiles.credential_sources import key_source_for

        session, identity = self._session, self._session.identity
        if identity is None or identity.role is not None:
            raise KeysExpire
        return await own_key(
            identity, await session.ask_store(lambda: key_source_for(identity, session.workspace.stores))
        )

    def _typed(self) -> Credentials:
        identity = self._session.identity
        access_key = check_access_key(self.query_one("#access_key", Input).value)
        if identity is not None:
            check_lasting(access_key, identity)
        secret = self.query_one("#secret_key", SecretInput).secret()
        if secret is None:
            raise Problem("The secret key is missing.", "Nothing was sent.", NOT_TYPED)
        return Credentials(access_key, secret)

    @on(Ready)
    def ask(self, event: Ready) -> None:
        """Ask, with the key in the question; only a yes sends."""
        draft = self._draft(event.key) if event.key is not None else None
        if not self.is_current:  # esc was pressed
            return
        if event.problem is not None or draft is None:
            self.send_key.let_go()
            self.say(problem_words(event.problem) if event.problem is not None else NOT_READ, "bad")
            return
        earlier = draft.earlier
        agreed = replace(draft, again=earlier.id if earlier is not None else None)

        def decide(sure: bool | None) -> None:
            self.send_key.let_go()
            if sure:
                self._send(agreed)

        words, monotonic = question(draft), self._session.workspace.monotonic
        dialog = SendQuestionDialog(words, "Set key", monotonic)
        if draft.protected:
            dialog = TypeNameDialog(words, "Set key", self._cluster.name, monotonic)
        self.app.push_screen(dialog, decide)

    def _send(self, draft: StorageKeyDraft) -> None:
        """Have it sent, once, behind whatever screen is in front."""
        session = self._session
        engine, identity = session.connected, session.identity
        # A fast second yes finds the first request on its way; and without a client nothing can be sent.
        if engine is None or identity is None or session.changing or session.change_behind is None or self._sent:
            return
        session.secrets += [draft.key.secret_key, *([SecretKey(draft.key.access_key)] * (not self._is_own))]
        self._sent = storage_key_change(session, draft)
        for name in ("key", "access_key", "secret_key", "set"):
            self.query_one(f"#{name}").disabled = True
        self.query_one("#secret_key", SecretInput).value = ""
        self.query_one("#access_key", Input).value = draft.key.masked
        self.query_one("#hint", Static).update(SENT_HINT)
        self.say(SENDING)
        session.change_behind(self._sent)

    def on_change_moved(self, change: Change) -> None:
        """Show what is known of what was sent from here."""
        if change is not self._sent:
            return
        if change.problem is not None:
            self.say(problem_words(change.problem), "bad")
        elif change.result is not None:
            said, tone = change.words(change.result)
            found = change.result.sent.resolution
            step = found.next_step if found is not None else ""
            self.say(f"{said} {step}".rstrip(), tone.value)
        elif change.resolving is not None:
            self.say(f"{change.resolving.what} {CHECKING}")

    def action_cancel(self) -> None:
        if self.is_current:
            self.dismiss(None)


_NO_KEY = Credentials("none", SecretKey("none"))
"""Stands in a draft before a key is chosen. It is judged, and never sent."""


def storage_key_change(session: Session, draft: StorageKeyDraft) -> Change:
    """The request that sets the key of `draft`, and after it the bucket list as a check. Needs a client."""
    engine, identity, workspace, masked = session.connected, session.identity, session.workspace, draft.key.masked
    if engine is None or identity is None:
        raise ValueError("no profile is connected")
    checked: list[KeyRead] = []

    async def send(on_resolving: Callable[[GatewayError], None]) -> OperationResult:
        result = await send_storage_key(
            engine,
            draft,
            journal=session.journal,
            now=workspace.now,
            resolve_seconds=session.resolve_seconds,
            on_resolving=on_resolving,
        )
        if result.sent.outcome is Outcome.ACCEPTED:
            checked.append(await read_key(engine, draft.cluster.number, workspace.now))
        return result

    def words(result: OperationResult) -> tuple[str, Tone]:
        said, tone = result_words(result, masked)
        error = result.sent.error
        if error is not None and result.sent.outcome is not Outcome.ACCEPTED:
            said = f"{said} {error.what}"
        return " ".join([said, *map(check_sentence, checked)]), tone

    return Change(f"set storage key of {draft.cluster.title}", draft.cluster.number, identity, send, words)


def _check_text(draft: StorageKeyDraft) -> Text:
    lines = []
    for check in draft.checks:
        first, *more = wrapped(check.sentence if check.advice else check.evidence, _WIDTH - _MARGIN)
        lines += [f"{check_word(check):<5}{check.subject:<13}{first}", *(" " * _MARGIN + text for text in more)]
    return Text("\n").join(Text(escape(text)) for text in lines)
