"""Our own colours can be read wherever a style sheet puts them, and what is said is said in words as well."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.color import ColorType
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from ncp_tui.tui.settings import remembered
from ncp_tui.tui.themes import CONTRAST, DARK, LIGHT, TERMINAL, THEMES, is_monochrome, theme_for
from tests.tui.stage import Stage, staged
from tests.tui.test_rules import contrast

OURS = (DARK, LIGHT, CONTRAST)


def least(theme: Theme) -> float:
    """The ratio that WCAG asks of text, and the one that it calls enhanced."""
    return 7.0 if theme is CONTRAST else 4.5


TONES = ("foreground", "success", "warning", "error", "dim")
GROUNDS = ("background", "surface", "panel", "resting-background")
PAIRS = [*itertools.product(TONES, GROUNDS), *(("primary", ground) for ground in GROUNDS[:3])]
"""The resting cursor lies on rows, and those are never in the primary colour."""

HEADERS = ("secondary", "error", "warning", "success")


def colour(theme: Theme, name: str) -> Color:
    value = theme.variables.get(name) or getattr(theme, name)
    return Color.parse(value)


@pytest.mark.parametrize(("tone", "ground"), PAIRS)
@pytest.mark.parametrize("theme", OURS, ids=lambda theme: theme.name)
def test_every_tone_can_be_read_on_every_ground(theme: Theme, tone: str, ground: str) -> None:
    assert contrast(colour(theme, tone), colour(theme, ground)) >= least(theme)


@pytest.mark.parametrize("ground", HEADERS)
@pytest.mark.parametrize("theme", OURS, ids=lambda theme: theme.name)
def test_the_header_can_be_read_in_every_accent(theme: Theme, ground: str) -> None:
    """The accent says which account this is; a header that cannot be read says nothing."""
    assert contrast(colour(theme, "on-accent"), colour(theme, ground)) >= least(theme)


@pytest.mark.parametrize("theme", OURS, ids=lambda theme: theme.name)
def test_the_row_under_the_cursor_can_be_read(theme: Theme) -> None:
    assert contrast(colour(theme, "cursor-text"), colour(theme, "cursor-background")) >= least(theme)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
async def test_every_theme_says_the_same(theme: Theme) -> None:
    """State is said in words: without any colour nothing is lost."""
    async with staged((120, 40)) as usual:
        await usual.press("h")
        expected = usual.text()
    async with staged((120, 40), theme=theme.name) as stage:
        await stage.press("h")
        assert stage.text() == expected
        assert stage.app.theme == theme.name


async def test_f9_goes_through_the_themes() -> None:
    async with staged() as stage:
        seen = []
        for _ in THEMES:
            seen.append(stage.app.theme)
            await stage.press("f9")
        assert seen == [theme.name for theme in THEMES]
        assert stage.app.theme == DARK.name


@pytest.mark.parametrize(
    ("environ", "remembered", "theme"),
    [
        ({"TERM": "xterm-256color"}, CONTRAST.name, CONTRAST.name),
        ({"TERM": "xterm-256color"}, "a theme of last year", DARK.name),
        ({"TERM": "screen"}, CONTRAST.name, TERMINAL.name),
        ({"TERM": "vt100"}, None, TERMINAL.name),
        ({}, None, TERMINAL.name),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, DARK.name, TERMINAL.name),
    ],
)
def test_the_theme_chosen_last_is_used_where_there_are_colours_for_it(
    environ: dict[str, str], remembered: str | None, theme: str
) -> None:
    assert theme_for(environ, remembered) == theme


@pytest.mark.parametrize(
    ("term", "monochrome"),
    [
        ("vt100", True),
        ("vt220", True),
        ("xterm-mono", True),
        ("linux-m", True),
        ("linux", False),
        ("vt220-color", False),
    ],
)
def test_a_terminal_without_colours_is_known_by_its_name(term: str, monochrome: bool) -> None:
    assert is_monochrome({"TERM": term}) is monochrome


async def test_a_theme_that_was_chosen_is_there_at_the_next_start() -> None:
    async with staged() as stage:
        await stage.press("f9")
        assert remembered(stage.home.paths)["theme"] == LIGHT.name
        stage.home.paths.settings_file.write_text('later = "kept"\ntheme = 7\n')
        assert "theme" not in remembered(stage.home.paths)
        await stage.press("f9")
        kept = tomllib.loads(stage.home.paths.settings_file.read_text())
        assert kept == {"later": "kept", "theme": TERMINAL.name}
        assert stage.home.paths.settings_file.stat().st_mode & 0o777 == 0o600


async def test_the_palette_remembers_too() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("colon")
        await stage.type("ncp-contrast")
        await stage.press("down", "enter")
        assert stage.app.theme == CONTRAST.name
        assert remembered(stage.home.paths)["theme"] == CONTRAST.name


async def test_the_demo_remembers_nothing() -> None:
    async with staged(demo=True) as stage:
        await stage.press("f9")
        assert stage.app.theme == LIGHT.name
        assert not stage.home.paths.settings_file.exists()


@pytest.mark.parametrize("broken", [lambda file: file.write_text("not = = toml"), lambda file: file.mkdir()])
async def test_settings_that_cannot_be_kept_are_told_and_left_alone(broken: Callable[[Path], object]) -> None:
    """A file that somebody wrote by hand must not be lost to a colour."""
    async with staged() as stage:
        file = stage.home.paths.settings_file
        broken(file)
        assert "theme" not in remembered(stage.home.paths)
        await stage.press("f9")
        assert stage.app.theme == LIGHT.name
        assert stage.shows("This choice is not kept in")
        assert file.is_dir() or file.read_text() == "not = = toml"


def styles(stage: Stage) -> dict[str, Style]:
    """The style of each text on the screen, as it is sent."""
    found: dict[str, Style] = {}
    for strip in stage.app.screen._compositor.render_strips():
        for segment in strip:
            if segment.style is not None:
                found.setdefault(segment.text.strip(), segment.style)
    return found


async def test_sixteen_colours_are_the_terminals_own() -> None:
    """Until the first change of the theme Textual made truecolor of them, and of that the nearest of sixteen."""
    async with staged(theme=TERMINAL.name) as stage:
        for keys in ((), ("h",), ("s",), ("f1",)):
            await stage.press(*keys)
            for style in styles(stage).values():
                assert {each.type for each in (style.color, style.bgcolor) if each} <= {
                    ColorType.DEFAULT,
                    ColorType.STANDARD,
                }


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
async def test_without_colours_nothing_is_coloured_and_the_cursor_is_seen(
    monkeypatch: pytest.MonkeyPatch, theme: Theme
) -> None:
    """Textual's own answer to NO_COLOR is greys in truecolor."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with staged(theme=theme.name) as stage:
        seen = styles(stage)
        assert all(each is None or each.is_default for style in seen.values() for each in (style.color, style.bgcolor))
        assert seen["search-0001"].reverse
        assert not seen["search-0002"].reverse
        await stage.press("tab")
        seen = styles(stage)
        assert seen["search-0001"].underline
        assert not seen["search-0002"].underline
        assert seen["Response   v: session log"].reverse
        stage.app.screen.query_one("#table").focus()
        await stage.press("s")
        assert styles(stage)["Create snapshot"].underline
        await stage.fill("name", "NOT LEGAL")
        seen = styles(stage)
        assert not seen["Create snapshot"].underline
        assert not seen["Create snapshot"].bold
        await stage.press("home")
        assert styles(stage)["N"].reverse, "the cursor of the input"
