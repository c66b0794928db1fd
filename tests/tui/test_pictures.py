"""The pictures in README and manual are what the app draws now, and readable wherever they are shown."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from _pytest.mark import ParameterSet
from rich.cells import cell_len

import ncp_tui
from tests.tables import each_row
from tests.tui.pictures import FOLDER, SCENES, Scene, draw, hold_time_zone
from tests.tui.stage import URL
from tests.tui.svg import CELL, Frame, Run, drawn, film, picture


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        hold_time_zone()
        yield
    time.tzset()


def scenes() -> Iterator[ParameterSet]:
    """Every scene; the second and third size of a screen, and of themes all but one, in the slow lane."""
    seen: set[str] = set()
    for scene in SCENES:
        screen = re.sub(r"-\d+x\d+$", "", scene.name)
        is_slow = screen in seen or screen in {"terminal-colours", "high-contrast", "zoom", "sort", "filter"}
        yield pytest.param(scene, id=scene.name, marks=[pytest.mark.slow] if is_slow else [])
        seen.add(screen)


@pytest.mark.parametrize("scene", list(scenes()))
async def test_the_picture_is_up_to_date(scene: Scene) -> None:
    """A stale picture shows a program that does not exist; `python -m tests.tui.pictures` draws them anew."""
    kept = FOLDER.joinpath(f"{scene.name}.svg").read_text(encoding="utf-8")
    assert drawn(kept), "the picture shows nothing"
    assert drawn(await draw(scene)) == drawn(kept)


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == {scene.name for scene in SCENES}


GALLERY = Path(ncp_tui.__file__).parent / "guide" / "screens.md"
README = FOLDER.parent / "README.md"


def test_the_gallery_has_a_heading_and_a_sentence_for_each_picture() -> None:
    sections = GALLERY.read_text("utf-8").split("\n## ")[1:]
    shown = []
    for section in sections:
        heading, *paragraphs, picture = section.strip().split("\n\n")
        assert paragraphs
        assert all(each.endswith(".") and "\n" not in each for each in paragraphs)
        found = re.fullmatch(r"!\[(.*)\]\(\.\./\.\./screenshots/([\w-]+)\.svg\)", picture)
        assert found is not None
        assert found[1] == heading
        shown.append(found[2])
    assert sorted(shown) == sorted(scene.name for scene in SCENES)


def test_the_readme_shows_three_that_can_be_read_there() -> None:
    """GitHub gives a picture 830 pixels: of 100 columns a letter is as large then as in its code, of 120 it is not."""
    shown = re.findall(r"\]\(screenshots/([\w-]+)\.svg\)", README.read_text("utf-8"))
    widths = {scene.name: scene.size[0] for scene in SCENES}
    assert len(shown) == 3
    assert all(widths[name] <= 100 for name in shown)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_picture_is_well_formed_and_fetches_nothing(scene: Scene) -> None:
    svg = FOLDER.joinpath(f"{scene.name}.svg").read_text("utf-8")
    ET.fromstring(svg)  # noqa: S314 - our own
    assert len(svg) < 400_000
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "").replace(URL, "")


def runs(*segments: tuple[str, str]) -> Frame:
    """A frame of one row."""
    column, row = 0, []
    for text, css in segments:
        row.append(Run(column, cell_len(text), text, css, "#000000"))
        column += cell_len(text)
    return Frame((tuple(row),), column, "#000000", "title", 1.0)


def places(frame: Frame) -> list[tuple[float, str, float]]:
    """Of each text its first column, itself, and how many columns it takes; 0 where its font decides."""
    found = []
    for _, x, _, rest, text in drawn(picture(frame)):
        width = re.search(r'textLength="([\d.]+)"', rest)
        found.append((float(x) / CELL, text, float(width[1]) / CELL if width else 0.0))
    return found[1:]  # behind the title


@each_row(
    ("text", "expected"),
    [
        ("plain text", [(0, "plain text", 10)]),
        ("  two blanks   before", [(2, "two blanks", 10), (15, "before", 6)]),
        ("검색-x", [(1, "검", 0), (3, "색", 0), (4, "-x", 2)]),
        ("a 검 b", [(0, "a", 1), (3, "검", 0), (5, "b", 1)]),
        ("─╮…", [(0, "─╮…", 3)]),
        ("   ", []),
        ("a<b&c", [(0, "a&lt;b&amp;c", 5)]),
    ],
)
def test_a_text_stands_where_its_cells_are(text: str, expected: list[tuple[float, str, float]]) -> None:
    """A run has the width of its cells in a browser, and no blank that librsvg would drop."""
    shown = [(round(x, 2), letters, round(width, 2)) for x, letters, width in places(runs((text, "fill:#fff")))]
    assert shown == expected


def test_a_film_shows_each_frame_in_its_time_and_the_last_where_nothing_moves() -> None:
    frames = [runs(("same", "a"), (text, "b")) for text in ("one", "two", "two")]
    same = Frame((*frames[0].rows, runs(("below", "c")).rows[0]), 8, "#000000", "title", 1.0)
    svg = film([same, *(replace(same, rows=(frame.rows[0], same.rows[1])) for frame in frames[1:])])
    ET.fromstring(svg)  # noqa: S314 - our own
    assert svg.count(">below<") == 1
    assert svg.count(">two<") == 1
    assert ".f1{opacity:0;animation:f1 3s" in svg
    assert "@keyframes f1{0%{opacity:1}33.33%{opacity:0}66.67%{opacity:0}100%{opacity:0}}" in svg
    assert ".f2{opacity:1;" in svg
    assert "prefers-reduced-motion" in svg


def test_the_main_job_takes_ten_seconds() -> None:
    (scene,) = (scene for scene in SCENES if scene.film is not None)
    assert " 10s step-end infinite" in FOLDER.joinpath(f"{scene.name}.svg").read_text("utf-8")
