"""The pictures in the README are what the app draws now."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.tui.pictures import FOLDER, SCENES, Scene, draw, drawn, hold_time_zone


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        hold_time_zone()
        yield
    time.tzset()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_the_picture_is_up_to_date(scene: Scene) -> None:
    """A stale picture shows a program that does not exist; `python -m tests.tui.pictures` draws them anew."""
    kept = FOLDER.joinpath(f"{scene.name}.svg").read_text(encoding="utf-8")
    assert drawn(kept), "the picture shows nothing"
    assert drawn(await draw(scene)) == drawn(kept)


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == {scene.name for scene in SCENES}


def test_the_readme_shows_every_picture() -> None:
    shown = re.findall(r"\]\(screenshots/([\w-]+)\.svg\)", FOLDER.parent.joinpath("README.md").read_text("utf-8"))
    assert sorted(shown) == sorted(scene.name for scene in SCENES)
