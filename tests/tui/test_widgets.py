"""The other parts of a screen: texts to scroll, the fixed lines, and the input that keeps a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual import events, on
from textual.app import App, ComposeResult
from textual.widgets import Input

from ncp_tui.gateway.credentials import InvalidCredentials
from ncp_tui.tui.widgets.bars import HeaderItem, KeyHint, fitting, header_text, hint_at, part_at
from ncp_tui.tui.widgets.inputs import SecretInput
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.text import Line, Span, Tone, line

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
WORDS = st.text(alphabet=st.sampled_from("abc 검색-/日é"), max_size=30)
ITEMS = st.lists(st.builds(HeaderItem, text=WORDS, short=WORDS, needed=st.booleans()), max_size=5)


@given(st.lists(WORDS, max_size=4), ITEMS, st.integers(0, 150))
def test_the_header_fills_its_line_exactly(path: list[str], items: list[HeaderItem], width: int) -> None:
    """One cell more and it wraps, or the items on its right stand in the wrong place."""
    assert cell_len(header_text(tuple(path), items, width)) == width


def test_what_keeps_the_user_safe_leaves_the_header_last() -> None:
    items = [
        HeaderItem("DEMO: a private sandbox", "DEMO", needed=True),
        HeaderItem("READ-ONLY", needed=True),
        HeaderItem("AKID…9Z from OS keyring"),
        HeaderItem("clock +0.2 s"),
    ]
    path = ("prod", "KR", "search-0001", "Create snapshot")
    wide, middle, narrow = (header_text(path, items, width) for width in (140, 60, 45))
    assert wide.startswith("ncp-tui / prod")
    assert wide.endswith("clock +0.2 s")
    for shown in (middle, narrow):
        assert "DEMO" in shown
        assert "READ-ONLY" in shown
    assert "OS keyring" not in narrow


@pytest.mark.parametrize(
    ("x", "part"),
    [
        (0, "ncp-tui"),
        (6, "ncp-tui"),
        (7, None),
        (10, "운영"),
        (13, "운영"),
        (14, None),
        (17, "KR"),
        (22, "Clusters"),
        (60, None),
    ],
)
def test_a_click_on_the_path_finds_its_part(x: int, part: str | None) -> None:
    path = ("운영", "KR", "Clusters")
    place = part_at(x, path, header_text(path, [HeaderItem("key AKID")], 80))
    assert (None if place is None else ("ncp-tui" if place < 0 else path[place])) == part


def test_a_path_that_is_cut_has_no_part_to_click() -> None:
    path = ("prod", "KR", "search-0001")
    assert part_at(2, path, header_text(path, [HeaderItem("READ-ONLY", needed=True)], 22)) is None


HINTS = st.lists(
    st.builds(
        KeyHint,
        key=st.sampled_from(["s", "f2", "enter", "esc"]),
        description=WORDS,
        binding_key=st.just("x"),
        action=st.sampled_from("abcdef"),
        is_enabled=st.booleans(),
    ),
    max_size=12,
)


@given(HINTS, st.integers(0, 200))
def test_the_key_line_never_leaves_out_help(hints: list[KeyHint], width: int) -> None:
    """Where little fits, help is the way to all the rest."""
    help_hint = KeyHint("?", "Help", "question_mark", "help")
    kept = fitting([*hints, help_hint, KeyHint("q", "Quit", "q", "leave")], width)
    assert help_hint in kept
    assert sum(hint.width for hint in kept) <= width or kept == [help_hint]


@pytest.mark.parametrize(
    ("width", "kept"), [(80, "sehb?"), (41, "seb?"), (40, "sb?"), (22, "b?"), (19, "b?"), (17, "?")]
)
def test_the_way_back_stays_among_the_keys_beside_help(width: int, kept: str) -> None:
    hints = [
        KeyHint("s", "Create", "s", "snapshot"),
        KeyHint("e", "Evidence", "e", "evidence"),
        KeyHint("h", "History", "h", "history"),
        KeyHint("b", "Go back", "b", "back"),
        KeyHint("?", "Help", "question_mark", "help"),
    ]
    assert "".join(hint.key for hint in fitting(hints, width)) == kept


def test_a_click_finds_the_hint_it_lies_in() -> None:
    hints = [KeyHint("s", "Create", "s", "snapshot"), KeyHint("esc", "Back", "escape", "back")]
    assert [hint_at(x, hints) for x in (0, 7, 8, 9, 10, 17, 18)] == [
        *(hints[0], hints[0], None, None, hints[1], hints[1], None)
    ]


class Reader(App[None]):
    CSS = "TextView { scrollbar-size-horizontal: 0; scrollbar-size-vertical: 1; }"

    def __init__(self, lines: list[Line]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        yield TextView(self._lines)

    def text(self) -> list[str]:
        view = self.query_one(TextView)
        return ["".join(segment.text for segment in view.render_line(y)) for y in range(view.size.height)]


async def test_a_text_is_scrolled_in_both_directions_and_never_past_its_ends() -> None:
    lines = [line(f"{n:03d} " + "검색" * 30) for n in range(100)]
    app = Reader(lines)
    async with app.run_test(size=(30, 10)) as pilot:
        app.query_one(TextView).focus()
        for keys, first in (
            (["up"], "000"),
            (["down", "j"], "002"),
            (["k"], "001"),
            (["pagedown"], "010"),
            (["space"], "019"),
            (["pageup"], "010"),
            (["end"], "090"),
            (["pagedown", "down"], "090"),
            (["g"], "000"),
        ):
            await pilot.press(*keys)
            assert app.text()[0].strip().startswith(first), keys
            assert {cell_len(each) for each in app.text()} == {29}  # and the scrollbar
            assert all(each.rstrip().endswith("…") for each in app.text())  # the rest is to the right
        await pilot.press("right")
        assert "000" not in app.text()[0]
        await pilot.press("left", "left")
        assert "000" in app.text()[0]


async def test_a_text_is_shown_letter_by_letter() -> None:
    """Nothing in it is markup, and what has no line here has none on the screen."""
    app = Reader([(Span("[red]x[/red]", Tone.BAD), Span("[@click=app.bell]y")), (), line("end")])
    async with app.run_test(size=(60, 5)) as pilot:
        await pilot.pause()
        assert [each.strip() for each in app.text()] == ["[red]x[/red][@click=app.bell]y", "", "end", "", ""]
        assert app.query_one(TextView).text == "[red]x[/red][@click=app.bell]y\n\nend"


async def test_another_text_begins_at_its_start_unless_the_place_is_kept() -> None:
    app = Reader([line(str(n)) for n in range(100)])
    async with app.run_test(size=(20, 10)) as pilot:
        view = app.query_one(TextView)
        view.focus()
        await pilot.press("end")
        view.show([line(f"other {n}") for n in range(100)], keep_place=True)
        await pilot.pause()
        assert app.text()[0].strip() == "other 90"
        view.show([line("short")])
        await pilot.pause()
        assert app.text()[0].strip() == "short"


class Vault(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.bells = 0
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield SecretInput(id="secret_key")

    def bell(self) -> None:
        self.bells += 1

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    @on(Input.Changed)
    @on(Input.Submitted)
    def see(self, event: Input.Changed | Input.Submitted) -> None:
        self.seen += [repr(event), " ".join(map(repr, event.__rich_repr__()))]


async def test_a_secret_is_typed_and_shown_to_nobody() -> None:
    """Textual's own password input copies the plain text on ctrl+c, and prints it in its messages."""
    app = Vault()
    async with app.run_test(size=(60, 5)) as pilot:
        box = app.query_one(SecretInput)
        box.focus()
        box.value = CANARY[:-6]
        await pilot.press("end", *CANARY[-6:])
        await pilot.press("ctrl+a", "shift+home", "ctrl+c", "ctrl+x", "ctrl+insert", "shift+delete")
        assert box.value == CANARY, "nothing is cut"
        assert not app.copied
        assert CANARY not in app.clipboard
        assert app.bells >= 2
        await pilot.press("enter")
        secret = box.secret()
        assert secret is not None
        assert secret.reveal() == CANARY
        shown = [*app.seen, repr(box), str(box), repr(secret), app.export_screenshot()]
        assert len(app.seen) >= 2 * (1 + 6 + 1)
        assert not [each for each in shown if CANARY in each]
        drawn = "".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)
        assert "••••" in drawn
        assert CANARY[:6] not in drawn


async def test_a_pasted_secret_is_in_no_event_afterwards() -> None:
    app = Vault()
    async with app.run_test(size=(60, 5)) as pilot:
        box = app.query_one(SecretInput)
        box.focus()
        event = events.Paste(f"  {CANARY}\n")
        box.post_message(event)
        await pilot.pause()
        secret = box.secret()
        assert secret is not None
        assert secret.reveal() == CANARY
        assert CANARY not in repr(event)


async def test_what_cannot_be_a_secret_is_refused_without_showing_it() -> None:
    app = Vault()
    async with app.run_test(size=(60, 5)):
        box = app.query_one(SecretInput)
        assert box.secret() is None
        box.value = "   "
        assert box.secret() is None
        box.value = f"{CANARY}\u200b"
        with pytest.raises(InvalidCredentials) as refused:
            box.secret()
        assert CANARY not in str(refused.value)
