"""The pictures of the README, drawn by the running app against the sandbox with `python -m tests.tui.pictures`.

Everything that varies is held still, so a picture changes only when a screen does; the test beside this file compares.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from unittest import mock

from ncp_tui.tui.terminal.charset import CHARSET
from ncp_tui.tui.widgets.exchange_panes import ExchangePanes
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, URL, Stage, staged

FOLDER = Path(__file__).parents[2] / "screenshots"
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_TEXT = re.compile(r"(?<=>)[^<>]*[^<>\x00-\x7f][^<>]*(?=</text>)")
_DRAWN = re.compile(r'<text class="[^"]*?-(r\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<')


@dataclass(frozen=True)
class Scene:
    """One picture: a window, a theme, and what happens before it is taken."""

    name: str
    play: Callable[[Stage], Awaitable[None]]
    size: tuple[int, int] = (100, 30)
    theme: str = "ncp-dark"
    first_run: bool = False
    ascii: bool = False


async def _clusters(_: Stage) -> None:
    """The screen as it comes up."""


async def _create(stage: Stage) -> None:
    await stage.press("s")


async def _preflight(stage: Stage) -> None:
    """A cluster that is being changed, and another's snapshot under way."""
    stage.sandbox.world.start_elsewhere(stage.sandbox.world.clusters[0], 900.0)
    stage.sandbox.world.change("search-0001", status="changing")
    await stage.press("s")


async def _requests(stage: Stage) -> None:
    """One that went well, and one of which no answer said what became."""
    stage.app.session.resolve_seconds = 2.0  # the first of two looks is over by then on any machine
    stage.sandbox.world.duration = 0.0
    await stage.press("s", "f2")
    await stage.expect("Finished: snapshot")
    stage.clock.advance(25)
    await stage.press("escape", "down", "s")
    stage.sandbox.faults.add("createSnapshot", "before", (503, {"error": {"errorCode": "500", "message": "x"}}))
    await stage.press("f2", "escape", "u", "s")


async def _progress(stage: Stage) -> None:
    await stage.press("s", "f2")
    # While a snapshot is watched the log does not come to rest: it shows the answer to the create a moment later.
    panes = stage.app.screen.query_one(ExchangePanes)
    await stage.until(lambda: panes.shown is not None and panes.shown.operation == "createSnapshot")
    stage.clock.advance(8)
    stage.app.screen.show_tracked()  # type: ignore[attr-defined]
    await stage.settle()


async def _history(stage: Stage) -> None:
    await stage.press("h", "down", "down", "down")


async def _profiles(stage: Stage) -> None:
    await stage.press("p", "t")


async def _profile_form(stage: Stage) -> None:
    await stage.press("p", "a")
    await stage.type("seoul-prod")


async def _detail(stage: Stage) -> None:
    await stage.press("enter")


async def _help(stage: Stage) -> None:
    await stage.press("question_mark")


async def _gateway_gone(stage: Stage) -> None:
    stage.sandbox.faults.add(operation="getClusterInfoList", act=(504, b"<html>gateway time-out</html>"), times=None)
    await stage.press("r")


SCENES = (
    Scene("clusters", _clusters, (120, 36)),
    Scene("clusters-80x24", _clusters, (80, 24)),
    Scene("create-snapshot", _create, (120, 36)),
    Scene("preflight-80x24", _preflight, (80, 24)),
    Scene("progress-80x24", _progress, (80, 24)),
    Scene("requests-80x24", _requests, (80, 24)),
    Scene("history-light", _history, (120, 36), "ncp-light"),
    Scene("profiles", _profiles),
    Scene("profile-form-80x24", _profile_form, (80, 24)),
    Scene("detail", _detail),
    Scene("help", _help),
    Scene("welcome-80x24", _clusters, (80, 24), first_run=True),
    Scene("gateway-trouble", _gateway_gone),
    Scene("terminal-colours", _clusters, (80, 24), "terminal"),
    Scene("high-contrast-80x24", _clusters, (80, 24), "ncp-contrast"),
    Scene("ascii-80x24", _clusters, (80, 24), "terminal", ascii=True),
)


@contextmanager
def _first_looks_only() -> Iterator[None]:
    """No second look at a snapshot under way comes before the picture is taken, however slow the machine."""
    watch, history_search = (
        importlib.import_module(f"ncp_tui.snapshots.{name}") for name in ("watch", "history_search")
    )
    with mock.patch.object(watch, "FIRST_PAUSE", 3600.0), mock.patch.object(history_search, "_FIRST_PAUSE", 3600.0):
        yield


async def draw(scene: Scene) -> str:
    """The picture of one scene, as SVG without fonts from elsewhere."""
    found = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": SECRET_KEY, "NCLOUD_API_GW": URL}
    environ = found if scene.first_run else {}
    CHARSET.limit_to("ascii" if scene.ascii else None)
    try:
        with _first_looks_only():
            async with staged(
                scene.size, theme=scene.theme, with_profile=not scene.first_run, environ=environ
            ) as stage:
                await scene.play(stage)
                picture = stage.app.export_screenshot(title="ncp-tui")
        return _TEXT.sub(_as_sent, _FONT_FACE.sub("", picture))
    finally:
        CHARSET.limit_to(None)


def _as_sent(text: re.Match[str]) -> str:
    """What the driver would send for a text: on a limited terminal plain characters."""
    if CHARSET.encoding is None:
        return text[0]
    return escape(CHARSET.encode_frame(unescape(text[0])), quote=False).replace(" ", "&#160;")  # SVG drops plain ones


def drawn(picture: str) -> list[tuple[str, ...]]:
    """What a picture shows: every run of text with its style class and place."""
    return _DRAWN.findall(picture)


def hold_time_zone() -> None:
    """Draw the wall clock of UTC, wherever this runs."""
    os.environ["TZ"] = "UTC"
    time.tzset()


async def _draw_all() -> None:
    for scene in SCENES:
        FOLDER.joinpath(f"{scene.name}.svg").write_text(await draw(scene), encoding="utf-8")
        sys.stdout.write(f"{scene.name}.svg\n")


if __name__ == "__main__":
    hold_time_zone()
    asyncio.run(_draw_all())
