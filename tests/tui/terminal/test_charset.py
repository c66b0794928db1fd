"""The limited terminal: no Unicode, keys that others take, and Korean that is twice as wide."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual._border import BORDER_CHARS
from textual.app import App, ComposeResult
from textual.widgets import Input

from ncp_tui.text import inert
from ncp_tui.tui.terminal.charset import CHARSET, Charset, limited_encoding
from ncp_tui.tui.widgets.bars import header_text
from ncp_tui.tui.widgets.table_rows import cut
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.text import line
from tests.journeys.terminal import ESCAPE, F1, Terminal
from tests.tui.stage import staged

KOREAN = st.text(st.sampled_from("ab-검색로그서울한…·\u1109\u1161é"), max_size=30)
NFD = "\u1100\u1165\u11b7\u1109\u1162\u11a8"
"""검색, as a keyboard on macOS sends it."""


class TestCharset:
    @pytest.mark.parametrize(
        ("environ", "encoding", "limit"),
        [
            ({}, "UTF-8", None),
            ({}, "utf8", None),
            ({}, "ANSI_X3.4-1968", "ascii"),
            ({}, "EUC-KR", "euc_kr"),
            ({}, "ISO-8859-1", "iso8859-1"),
            ({}, "an encoding of tomorrow", "ascii"),
            ({"NCP_TUI_ASCII": "1"}, "UTF-8", "ascii"),
            ({"NCP_TUI_ASCII": "0"}, "UTF-8", None),
        ],
    )
    def test_the_locale_decides_unless_plain_ascii_is_asked_for(
        self, environ: dict[str, str], encoding: str, limit: str | None
    ) -> None:
        assert limited_encoding(environ, encoding) == limit

    def test_every_border_of_textual_has_a_likeness(self) -> None:
        """A border that has none would be a row of question marks."""
        charset = Charset()
        charset.limit_to("ascii")
        drawn = {charset.encode_frame(character) for rows in BORDER_CHARS.values() for row in rows for character in row}
        assert "?" not in drawn
        assert all(each.isascii() for each in drawn)

    @given(KOREAN | st.text(max_size=20))
    @pytest.mark.parametrize("encoding", ["ascii", "euc_kr", "iso8859-1"])
    def test_what_is_drawn_can_be_sent_and_is_as_wide_as_before(self, encoding: str, text: str) -> None:
        """One cell more or less, and everything to the right of it stands in the wrong place."""
        charset = Charset()
        charset.limit_to(encoding)
        drawn = charset.encode_frame(text)
        drawn.encode(encoding)
        assert cell_len(drawn) == sum(map(cell_len, text))

    @given(KOREAN)
    def test_what_is_shown_loses_nothing(self, text: str) -> None:
        charset = Charset()
        charset.limit_to("ascii")
        shown = charset.escape(text)
        assert charset.encode_frame(shown).isascii()
        kept = re.sub(r"\\(?:u([0-9a-f]{4})|x([0-9a-f]{2}))", lambda found: chr(int(found[1] or found[2], 16)), shown)
        assert kept == unicodedata.normalize("NFC", inert(text))

    def test_hangul_stays_where_the_terminal_has_it(self) -> None:
        """In EUC-KR a quote and a line take two cells on the terminal, one here: those are drawn in ASCII."""
        charset = Charset()
        charset.limit_to("euc_kr")
        assert charset.escape("검색-로그") == "검색-로그"
        assert charset.encode_frame("│ 검색 “x” … ─") == '| 검색 "x" ~ -'
        assert charset.escape(NFD) == "검색"
        assert charset.escape("é") == r"\xe9"

    def test_escape_sequences_pass(self) -> None:
        charset = Charset()
        charset.limit_to("ascii")
        assert charset.encode_frame("\x1b[1;1H\x1b[38;5;1m╭─╮\x1b[0m\a") == "\x1b[1;1H\x1b[38;5;1m+-+\x1b[0m\a"

    async def test_a_korean_cluster_is_known_by_its_escapes(self) -> None:
        """Question marks would make two clusters look the same."""
        CHARSET.limit_to("ascii")
        try:
            async with staged((120, 30)) as stage:
                shown = r"\uac80\uc0c9-\ub85c"
                assert stage.shows(shown)
                await stage.press("down", "down", "h")
                await stage.expect(f"KR / {shown}", "/ History")
                await stage.press("escape", "slash")
                stage.app.screen.query_one("#filter", Input).value = NFD
                await stage.settle()
                assert stage.shows("1 of 14 match")
        finally:
            CHARSET.limit_to(None)


LIMITED_LOCALES = {
    "C": {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "C, Python's own way": {"LC_ALL": "C"},
    "POSIX": {"LC_ALL": "POSIX"},
    "asked for": {"NCP_TUI_ASCII": "1"},
}


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param(environ, id=name, marks=[] if name == "C" else [pytest.mark.slow])
        for name, environ in LIMITED_LOCALES.items()
    ],
)
def test_nothing_but_ascii_reaches_a_terminal_of_ascii(tmp_path: Path, environ: dict[str, str]) -> None:
    """Where the stream cannot take a border, Python would write an escape of six characters in its place."""
    with Terminal(tmp_path, "--demo", environ=environ) as terminal:
        terminal.expect("14 clusters", "-[Details]  Response   Session log (KST)  ----")
        for key, text in ((F1, "This screen"), ("s", "valid (UTC)")):
            terminal.press(key)
            terminal.expect(text)
            terminal.press(ESCAPE)
            terminal.expect_gone(text)
        terminal.press("p")
        terminal.expect("in use")
        terminal.press("a")
        terminal.expect("Name template")
        terminal.press("\x03")
        assert terminal.expect_end() == 0
    assert terminal.raw.isascii()
    assert b"\\u25" not in terminal.raw


@pytest.fixture(scope="session")
def korean_locale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ko_KR.EUC-KR that was made for these tests."""
    folder = tmp_path_factory.mktemp("locales")
    localedef = shutil.which("localedef")
    made = localedef and subprocess.run(
        [localedef, "-i", "ko_KR", "-f", "EUC-KR", str(folder / "ko_KR.EUC-KR")], capture_output=True, check=False
    )
    if not made or made.returncode > 1:
        pytest.skip("this machine cannot make the locale ko_KR.EUC-KR")
    return folder


@pytest.mark.parametrize(
    "python",
    [pytest.param({}, id="the locale's", marks=pytest.mark.slow), pytest.param({"PYTHONUTF8": "1"}, id="UTF-8")],
)
def test_a_korean_terminal_of_old_gets_its_own_hangul(
    tmp_path: Path, korean_locale: Path, python: dict[str, str]
) -> None:
    """Whatever Python would write; and what the terminal types in its own encoding ends nothing."""
    environ = {"LOCPATH": str(korean_locale), "LC_ALL": "ko_KR.EUC-KR", **python}
    with Terminal(tmp_path, "--demo", environ=environ) as terminal:
        terminal.expect("14 clusters")
        terminal.press("/")
        terminal.expect("Filter: word, !word")
        terminal.process.send("검색".encode("euc-kr"))
        terminal.press("0002")
        terminal.expect("1 of 14 match")
        terminal.press("\x03")
        assert terminal.expect_end() == 0
    assert "검색-로그-서울".encode("euc-kr") in terminal.raw
    assert "검색".encode() not in terminal.raw
    terminal.raw.decode("euc-kr")


class TestKorean:
    @given(KOREAN, st.integers(0, 20))
    def test_a_cut_fills_its_cells_exactly(self, text: str, width: int) -> None:
        """Half a syllable more, and the row behind it breaks."""
        assert cell_len(cut(text, width)) == width

    @given(st.lists(KOREAN, max_size=3), st.integers(1, 60))
    def test_the_header_is_as_wide_as_the_window(self, path: list[str], width: int) -> None:
        assert cell_len(header_text(tuple(path), [], width)) == width

    async def test_a_text_is_cropped_beside_its_syllables(self) -> None:
        class Reader(App[None]):
            CSS = "TextView { scrollbar-size: 0 0; }"

            def compose(self) -> ComposeResult:
                yield TextView([line("가나다라마바사" * 5)])

        async with Reader().run_test(size=(8, 3)) as pilot:
            view = pilot.app.query_one(TextView)
            for width in range(8, 16):
                await pilot.resize_terminal(width, 3)
                async with asyncio.timeout(20):
                    while view.size.width != width:  # the layout comes by a timer
                        await pilot.pause()
                for left in range(12):
                    view.scroll_to(x=left, animate=False, force=True)
                    # The lines are drawn here and now, from where the text is scrolled to: nothing to wait for.
                    assert (view.scroll_offset.x, view.render_line(0).cell_length) == (left, width)
                    assert cell_len(view.render_line(0).text) == width
