"""Our own colours can be read wherever a style sheet puts them, and what is said is said in words as well."""

from __future__ import annotations

import itertools
import tomllib

import pytest
from rich.color import Color as RichColor
from rich.color import ColorType
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from ncp_tui.tui.preferences import remembered
from ncp_tui.tui.themes import CONTRAST, DARK, LIGHT, TERMINAL, THEMES, is_monochrome, theme_for
from tests.tui.stage import Stage, staged

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


def contrast(one: Color, other: Color) -> float:
    """The ratio of relative luminances, as WCAG 2 defines it."""

    def luminance(color: Color) -> float:
        parts = [part / 255 for part in color.rgb]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def unreadable(theme: Theme, *pairs: tuple[str, str]) -> list[str]:
    """Which pairs of text and ground have too little contrast."""
    found = {pair: contrast(colour(theme, pair[0]), colour(theme, pair[1])) for pair in pairs}
    return [f"{tone} on {ground}: {ratio:.2f}" for (tone, ground), ratio in found.items() if ratio < least(theme)]


@pytest.mark.parametrize("theme", OURS, ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_every_ground(theme: Theme) -> None:
    """Those of the header too: its accent says which account this is, and one that cannot be read says nothing."""
    headers = [("on-accent", ground) for ground in HEADERS]
    assert not unreadable(theme, *PAIRS, *headers, ("cursor-text", "cursor-background"))


async def test_every_theme_says_the_same() -> None:
    """State is said in words: without any colour nothing is lost. f9 goes through the themes, and around."""
    async with staged((120, 40)) as stage:
        for keys in ((), ("h",)):
            await stage.press(*keys)
            expected = stage.text()
            seen = []
            for _ in THEMES:
                seen.append(stage.app.theme)
                assert stage.text() == expected, f"{stage.app.theme} after {keys}"
                await stage.press("f9")
            assert seen == [theme.name for theme in THEMES]
            assert stage.app.theme == DARK.name


@pytest.mark.parametrize(
    ("environ", "remembered", "theme"),
    [
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, None, DARK.name),
        ({"TERM": "linux"}, None, TERMINAL.name),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, None, TERMINAL.name),
        ({"TERM": "xterm-256color"}, None, DARK.name),
        ({"TERM": "xterm-256color"}, CONTRAST.name, CONTRAST.name),
        ({"TERM": "xterm-256color"}, "a theme of last year", DARK.name),
        ({"TERM": "screen"}, CONTRAST.name, TERMINAL.name),
        ({"TERM": "vt100"}, None, TERMINAL.name),
        ({}, None, TERMINAL.name),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, DARK.name, DARK.name),
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
    async with staged((120, 40)) as stage:
        await stage.press("f9")
        assert remembered(stage.workspace.paths).choices["theme"] == LIGHT.name
        stage.workspace.paths.settings_file.write_text('later = "kept"\ntheme = 7\n')
        assert "theme" not in remembered(stage.workspace.paths).choices
        await stage.press("f9")
        kept = tomllib.loads(stage.workspace.paths.settings_file.read_text())
        assert kept == {"later": "kept", "theme": TERMINAL.name}
        assert stage.workspace.paths.settings_file.stat().st_mode & 0o777 == 0o600
        await stage.press("colon")
        await stage.type("ncp-contrast")
        await stage.press("down", "enter")
        assert stage.app.theme == CONTRAST.name
        assert remembered(stage.workspace.paths).choices["theme"] == CONTRAST.name, "the palette remembers too"


async def test_the_demo_remembers_nothing() -> None:
    async with staged(demo=True) as stage:
        await stage.press("f9")
        assert stage.app.theme == LIGHT.name
        assert not stage.workspace.paths.settings_file.exists()


async def test_settings_that_cannot_be_kept_are_told_and_left_alone() -> None:
    """A file that somebody wrote by hand must not be lost to a colour, nor a folder."""
    async with staged() as stage:
        file = stage.workspace.paths.settings_file
        file.write_text("not = = toml")
        assert "theme" not in remembered(stage.workspace.paths).choices
        await stage.press("f9")
        assert stage.app.theme == LIGHT.name
        assert stage.shows("This choice was not saved to")
        assert file.read_text() == "not = = toml"
        file.unlink()
        file.mkdir()
        stage.app.clear_notifications()
        await stage.press("f9")
        assert stage.app.theme == TERMINAL.name
        assert stage.shows("This choice was not saved to")
        assert file.is_dir()


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
            assert stage.app.theme == TERMINAL.name
            for style in styles(stage).values():
                assert {each.type for each in (style.color, style.bgcolor) if each} <= {
                    ColorType.DEFAULT,
                    ColorType.STANDARD,
                }


async def test_without_colours_nothing_is_coloured_and_the_cursor_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's own answer to NO_COLOR is greys in truecolor."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with staged(theme=CONTRAST.name) as stage:
        await look_without_colours(stage, CONTRAST.name)
        for theme in (each for each in THEMES if each is not CONTRAST):
            stage.app.theme = theme.name
            await stage.settle()
            await look_without_colours(stage, theme.name, on_form=theme is TERMINAL)


async def look_without_colours(stage: Stage, theme: str, *, on_form: bool = True) -> None:
    """The rows, the panel and the form: what is chosen is reversed or underlined, and nothing has a colour."""
    seen = styles(stage)
    coloured = {text for text, each in seen.items() if not all(is_plain(one) for one in (each.color, each.bgcolor))}
    assert not coloured, theme
    assert seen["search-0001"].reverse, theme
    assert not seen["search-0002"].reverse, theme
    await stage.press("tab")
    seen = styles(stage)
    assert seen["search-0001"].underline, theme
    assert not seen["search-0002"].underline, theme
    assert seen["[Details]"].reverse, theme
    stage.app.screen.query_one("#table").focus()
    if not on_form:
        return
    await stage.press("s")
    assert styles(stage)["Create snapshot"].underline, theme
    await stage.fill("name", "NOT LEGAL")
    seen = styles(stage)
    assert not seen["Create snapshot"].underline, theme
    assert not seen["Create snapshot"].bold, theme
    await stage.press("home")
    assert styles(stage)["N"].reverse, f"{theme}: the cursor of the input"
    await stage.press("escape")


def is_plain(color: RichColor | None) -> bool:
    return color is None or color.is_default
