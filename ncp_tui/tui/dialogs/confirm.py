"""Questions before something is done. Each opens on Cancel; what has an effect wants the key that sends, or a click."""

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


class ConfirmDialog(ModalScreen[bool]):
    """A box with a question, Cancel, and a button that says what is done; ends in True only when that was meant."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "answer(False)", "Cancel", id="confirm.cancel")]
    AUTO_FOCUS = "#confirm-no"
    is_question: ClassVar[bool] = True

    def __init__(self, question: str, yes: str) -> None:
        """`yes` is what is done, in a word: `Create`."""
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
        """What stands between the question and its answers."""
        yield from ()

    def on_mount(self) -> None:
        self.hint(self.keys)

    @property
    def keys(self) -> str:
        """The keys that answer, in words."""
        raise NotImplementedError

    def hint(self, text: str) -> None:
        """Say something below the answers."""
        self.query_one("#confirm-hint", Static).update(escape(text))

    def confirm(self) -> None:
        """It was meant."""
        self.action_answer(True)

    @on(Button.Pressed, "#confirm-no")
    def cancel(self) -> None:
        self.action_answer(False)

    @on(Button.Pressed, "#confirm-yes")
    def press_yes(self) -> None:
        self.confirm()

    @on(SendButton.Entered)
    def refuse_enter(self) -> None:
        self.hint(f"enter does nothing here. {self.keys}")

    def action_answer(self, answer: bool) -> None:
        """End, once: to dismiss again would take away the screen below."""
        if self.is_current:
            self.dismiss(answer)


class QuestionDialog(ConfirmDialog):
    """A question about nothing that leaves this program: `y` is a yes as well."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="question.yes"),
        Binding("n", "answer(False)", "No", id="question.no"),
    ]

    @property
    def keys(self) -> str:
        """The keys that answer, in words."""
        return f"y: {self._yes}.  n or esc: Cancel."


class SendQuestionDialog(ConfirmDialog):
    """A question before an effect: no enter, space, tab or letter is a yes, and no key that is still held."""

    BINDINGS: ClassVar[list[BindingType]] = [
        send_binding("send", "Yes", "Do it"),
        Binding("n", "answer(False)", "No", show=False, id="send.cancel"),
    ]

    def __init__(self, question: str, yes: str, monotonic: Callable[[], float]) -> None:
        """`monotonic` tells a key that is held from one that is pressed anew."""
        super().__init__(question, yes)
        self.send_key = SendKey(monotonic, self.set_timer, held=True)

    @property
    def keys(self) -> str:
        """The keys that answer, in words."""
        return f"{send_key_name(self)}: {self._yes}.  esc: Cancel."

    def action_send(self) -> None:
        """The key that sends, as soon as it was let go."""
        if not self.send_key.press(self.confirm):
            self.hint(f"Let {send_key_name(self)} go first. {self.keys}")


class TypeNameDialog(SendQuestionDialog):
    """A question that only the typed name of the thing answers, and then the key that sends."""

    AUTO_FOCUS = "#confirm-input"

    def __init__(self, question: str, yes: str, name: str, monotonic: Callable[[], float]) -> None:
        """`name` is to be typed, to the letter."""
        super().__init__(question, yes, monotonic)
        self._wanted = name

    def details(self) -> Iterator[Widget]:
        """The name, and where it is typed."""
        yield Static(escape(self._wanted), markup=False, id="confirm-name")
        yield TextInput(id="confirm-input")

    def confirm(self) -> None:
        """Compare to the letter."""
        if self.query_one("#confirm-input", Input).value == self._wanted:
            super().confirm()
        else:
            self.hint(f"Nothing was done: that is not the name. {self.keys}")

    @on(Input.Changed)
    def note_edit(self, event: Input.Changed) -> None:
        """What is typed comes after the key was let go."""
        event.stop()
        self.send_key.let_go()

    @on(Input.Submitted)
    def stay(self, event: Input.Submitted) -> None:
        """Enter ends what arrives as text, so it ends nothing here."""
        event.stop()
        self.refuse_enter()


class PromptDialog(ModalScreen[str | None]):
    """Ends in the text, or in None when it was cancelled."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", id="prompt.cancel")]

    def __init__(self, question: str, text: str = "", wrong: Callable[[str], str] = lambda _: "") -> None:
        """`wrong` says what is wrong with a text, which then stays to be corrected; empty for one that will do."""
        super().__init__()
        self._wrong = wrong
        self._question = question
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="confirm-box"):
            yield Static(self._question, markup=False)
            yield TextInput(self._text, id="confirm-input")
            yield Static("enter confirms, esc cancels", markup=False, id="confirm-hint")

    @on(Input.Submitted)
    def finish(self, event: Input.Submitted) -> None:
        event.stop()
        if not self.is_current:  # a hurried second enter: to dismiss again would take away the screen below
            return
        text = event.value.strip()
        wrong = self._wrong(text)
        if wrong:
            self.query_one("#confirm-hint", Static).update(escape(wrong))
            return
        self.dismiss(text or None)
