"""Questions. Each opens on Cancel; what has an effect needs the key that sends, or a click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from ncp_tui.tui.key_bindings import SendKey, send_binding, send_key_name
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.widgets.inputs import SendButton, TextInput

ANSWERS = "{key} {yes}   esc Cancel"
YES_OR_NO = "y {yes}   n Cancel"
ENTER_DOES_NOTHING = "enter does nothing here.   {answers}"
LET_GO = "Release {key} first.   {answers}"
WRONG_NAME = "Name does not match.   {answers}"
TEXT_ANSWERS = "enter Confirm   esc Cancel"


class ConfirmDialog(ModalScreen[bool]):
    """A box with a question, Cancel, and a button named for the act; ends in True only on a deliberate yes."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "answer(False)", "Cancel", id="confirm.cancel")]
    AUTO_FOCUS = "#confirm-no"
    is_question: ClassVar[bool] = True

    def __init__(self, question: str, yes: str) -> None:
        """`yes` names the act: `Create`."""
        super().__init__()
        self._question = question
        self._yes = yes

    def compose(self) -> ComposeResult:
        with Vertical(id="confirm-box"):
            with VerticalScroll(id="confirm-question"):
                yield Static(escape(self._question), markup=False)
            yield from self.details()
            with Horizontal(id="confirm-answers"):
                yield Button("Cancel", id="confirm-no", compact=True)
                yield SendButton(Content(escape(self._yes)), id="confirm-yes", variant="warning", compact=True)
            yield Static("", markup=False, id="confirm-hint")

    def details(self) -> Iterator[Widget]:
        """The widgets between the question and its answers."""
        yield from ()

    def on_mount(self) -> None:
        self.hint(self.answers)

    @property
    def answers(self) -> str:
        """The keys that answer."""
        raise NotImplementedError

    def hint(self, text: str) -> None:
        """Show a text below the answers."""
        self.query_one("#confirm-hint", Static).update(escape(text))

    def confirm(self) -> None:
        """Answer yes."""
        self.action_answer(True)

    @on(Button.Pressed, "#confirm-no")
    def cancel(self) -> None:
        self.action_answer(False)

    @on(Button.Pressed, "#confirm-yes")
    def press_yes(self) -> None:
        self.confirm()

    @on(SendButton.Entered)
    def refuse_enter(self) -> None:
        self.hint(ENTER_DOES_NOTHING.format(answers=self.answers))

    def action_answer(self, answer: bool) -> None:
        """End, once: a second dismissal would take away the screen below."""
        if self.is_current:
            self.dismiss(answer)


class QuestionDialog(ConfirmDialog):
    """A question about this program only: `y` is a yes as well."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="question.yes"),
        Binding("n", "answer(False)", "No", id="question.no"),
    ]

    @property
    def answers(self) -> str:
        """The keys that answer."""
        return YES_OR_NO.format(yes=self._yes)


class SendQuestionDialog(ConfirmDialog):
    """A question before an effect: enter, space, tab, letters and a key that is still held are no yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        send_binding("send", "Yes", "Confirm"),
        Binding("n", "answer(False)", "No", show=False, id="send.cancel"),
    ]

    def __init__(self, question: str, yes: str, monotonic: Callable[[], float]) -> None:
        """`monotonic` tells a held key from one that is pressed again."""
        super().__init__(question, yes)
        self.send_key = SendKey(monotonic, self.set_timer, held=True)

    @property
    def answers(self) -> str:
        """The keys that answer."""
        return ANSWERS.format(key=send_key_name(self), yes=self._yes)

    def action_send(self) -> None:
        """The key that sends, after it was released."""
        if not self.send_key.press(self.confirm):
            self.hint(LET_GO.format(key=send_key_name(self), answers=self.answers))


class TypeNameDialog(SendQuestionDialog):
    """A question that needs the typed name of the object, and then the key that sends."""

    AUTO_FOCUS = "#confirm-input"

    def __init__(
        self, question: str, yes: str, name: str, monotonic: Callable[[], float], wrong: str = WRONG_NAME
    ) -> None:
        """`name` has to be typed exactly; `wrong` says that it was not."""
        super().__init__(question, yes, monotonic)
        self._wanted, self._wrong = name, wrong

    def details(self) -> Iterator[Widget]:
        """The name and its input."""
        yield Static(escape(self._wanted), markup=False, id="confirm-name")
        yield TextInput(id="confirm-input")

    def confirm(self) -> None:
        """Compare the name exactly."""
        if self.query_one("#confirm-input", Input).value == self._wanted:
            super().confirm()
        else:
            self.hint(self._wrong.format(answers=self.answers))

    @on(Input.Changed)
    def note_edit(self, event: Input.Changed) -> None:
        """Typing comes after the key was released."""
        event.stop()
        self.send_key.let_go()

    @on(Input.Submitted)
    def stay(self, event: Input.Submitted) -> None:
        """Pasted text may end in an enter, so enter confirms nothing."""
        event.stop()
        self.refuse_enter()


class PromptDialog(ModalScreen[str | None]):
    """Asks for a text; ends in None when cancelled."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", id="prompt.cancel")]

    def __init__(self, question: str, text: str = "", wrong: Callable[[str], str] = lambda _: "") -> None:
        """`wrong` says what is wrong with a text; empty for a good one."""
        super().__init__()
        self._wrong = wrong
        self._question = question
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="confirm-box"):
            yield Static(self._question, markup=False)
            yield TextInput(self._text, id="confirm-input")
            yield Static(TEXT_ANSWERS, markup=False, id="confirm-hint")

    @on(Input.Submitted)
    def finish(self, event: Input.Submitted) -> None:
        event.stop()
        if not self.is_current:  # a fast second enter: a second dismissal would take away the screen below
            return
        text = event.value.strip()
        wrong = self._wrong(text)
        if wrong:
            self.query_one("#confirm-hint", Static).update(escape(wrong))
            return
        self.dismiss(text or None)
