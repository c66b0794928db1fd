"""The pictures of README and manual, drawn by the running app against the sandbox: `python -m tests.tui.pictures`.

Everything that varies is held still, so a picture changes only when a screen does; the test beside this file compares.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.sandbox.protocol import DAY
from ncp_tui.snapshots import batch, resolve, track, watch
from ncp_tui.system.backoff import Backoff
from ncp_tui.tui.terminal.charset import CHARSET
from ncp_tui.tui.widgets.panes import Panes
from ncp_tui.view.progress import final_sentence
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, URL, Stage, staged
from tests.tui.svg import Frame, film, frame_of, picture

FOLDER = Path(__file__).parents[2] / "screenshots"


class Looks:
    """The looks at a snapshot that is followed: none after the first until it is let, however slow the machine."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    async def wait(self, _seconds: float) -> None:
        """Wait for the next look, in the place of a pause."""
        await self._next.wait()
        self._next.clear()

    def let_one(self) -> None:
        """Let one look be."""
        self._next.set()


@dataclass(frozen=True)
class Scene:
    """One picture: a window, a theme, and what happens before it is taken."""

    name: str
    play: Callable[[Stage], Awaitable[None]] | None
    size: tuple[int, int] = (100, 30)
    theme: str = "ncp-dark"
    first_run: bool = False
    ascii: bool = False
    film: Callable[[Stage, Looks], AsyncIterator[Frame]] | None = None
    """For a picture that moves: its frames, in the place of what happens before."""


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
    await stage.expect(" succeeded in ")
    stage.clock.advance(25)
    await stage.press("escape", "down", "s")
    stage.sandbox.faults.add("createSnapshot", "before", (503, {"error": {"errorCode": "500", "message": "x"}}))
    await stage.press("f2", "escape", "u", "s")


async def _progress(stage: Stage) -> None:
    await stage.press("s")
    await _send(stage)


async def _send(stage: Stage) -> None:
    await stage.press("f2")
    # While a snapshot is watched the log does not come to rest: it shows the answer to the create a moment later.
    panes = stage.app.screen.query_one(Panes)
    await stage.until(lambda: panes.shown is not None and panes.shown.operation == "createSnapshot")
    stage.clock.advance(8)
    stage.app.screen.show_tracked()  # type: ignore[attr-defined]
    await stage.settle()


async def _history(stage: Stage) -> None:
    await stage.press("h", "down", "down", "down")


async def _schedule(stage: Stage) -> None:
    await stage.press("d")


async def _missed_run(stage: Stage) -> None:
    """The run that was due last night has left no row."""
    world = stage.sandbox.world
    runs = world.state(world.named("search-0001")).runs
    runs[:] = [run for run in runs if world.start - run.started > DAY]
    await stage.press("d")


async def _set_schedule(stage: Stage) -> None:
    """A time that no other cluster has, on one without a schedule."""
    await stage.press("down", "d", "s", "enter", "enter", "s", "down", "4")


async def _storage_key(stage: Stage) -> None:
    """From the form of a cluster without one; a pair is typed."""
    await stage.press("down", "down", "down", "s", "f7")
    await stage.fill("access_key", "STORAGEKEYID00000042")
    await stage.fill("secret_key", "0123456789012345678901234567890123456789")


async def _storage_key_question(stage: Stage) -> None:
    await _storage_key(stage)
    await stage.press("f2")


async def _upgrade(stage: Stage) -> None:
    await stage.press("down", "U")


async def _dev_tools(stage: Stage) -> None:
    await stage.press("h", "t")


async def _several_review(stage: Stage) -> None:
    """Four are marked; of one it is known that NCP would refuse it."""
    await stage.press("space", "space", "space", "space", "s")


async def _several(stage: Stage) -> None:
    """Two buckets, so two at a time; the third waits for the first."""
    await _several_review(stage)
    await stage.press("X", "f2", "left", "f2", "down")
    tracked = stage.app.session.tracked
    await stage.until(lambda: sum(each.progress is not None for each in tracked) == 2)
    stage.clock.advance(8)
    stage.app.screen.show_tracked()  # type: ignore[attr-defined]
    await stage.settle()


async def _board(stage: Stage) -> None:
    """Three profiles: in two regions, and one whose key is refused."""
    usual = stage.workspace.profiles.load().profiles[0]
    other = replace(usual, name="prod-sgn", region="SGN")
    refused = replace(usual, name="staging", access_key="SANDBOX00000000OTHER")
    for profile in (other, refused):
        stage.workspace.profiles.add(profile)
        await stage.workspace.stores["session"].save(profile, SecretKey(SECRET_KEY))
    await stage.press("b")


async def _profiles(stage: Stage) -> None:
    await stage.press("p", "t")


async def _profile_form(stage: Stage) -> None:
    await stage.press("p", "a")
    await stage.type("seoul-prod")


async def _detail(stage: Stage) -> None:
    await stage.press("enter")


async def _help(stage: Stage) -> None:
    await stage.press("question_mark")


async def _palette(stage: Stage) -> None:
    await stage.press("colon")


async def _sort(stage: Stage) -> None:
    await stage.press("o")


async def _filter(stage: Stage) -> None:
    await stage.press("slash")
    await stage.type("age>24h")
    await stage.press("enter")


async def _zoom(stage: Stage) -> None:
    await stage.press("z")


async def _gateway_gone(stage: Stage) -> None:
    stage.sandbox.faults.add(operation="getClusterInfoList", act=(504, b"<html>gateway time-out</html>"), times=None)
    await stage.press("r")


async def _main_job(stage: Stage, looks: Looks) -> AsyncIterator[Frame]:
    """From the clusters to a snapshot that succeeded."""
    yield frame_of(stage.app, "Clusters: s creates a snapshot of the one under the cursor", 1.5)
    await stage.press("s")
    yield frame_of(stage.app, "Name, bucket and preflight checks: f2 sends the request", 2.5)
    await _send(stage)
    yield frame_of(stage.app, "Accepted by NCP: tracked in the snapshot history", 1.5)
    stage.clock.advance(4)
    stage.app.screen.show_tracked()  # type: ignore[attr-defined]
    await stage.settle()
    yield frame_of(stage.app, "Leaving the screen or the program stops nothing", 1.5)
    stage.clock.advance(stage.sandbox.world.duration)
    looks.let_one()
    (tracked,) = stage.app.session.tracked
    await stage.until(lambda: not tracked.is_open and final_sentence(tracked, str)[0][:20] in stage.text())
    await stage.settle()
    yield frame_of(stage.app, "Succeeded, as the history says", 3.0)


SCENES = (
    Scene("main-job", None, (100, 24), film=_main_job),
    Scene("clusters", None, (120, 36)),
    Scene("clusters-80x24", None, (80, 24)),
    Scene("create-snapshot", _create, (120, 36)),
    Scene("preflight-80x24", _preflight, (80, 24)),
    Scene("progress-80x24", _progress, (80, 24)),
    Scene("requests-80x24", _requests, (80, 24)),
    Scene("history-light", _history, (120, 36), "ncp-light"),
    Scene("schedule", _schedule, (120, 40)),
    Scene("schedule-80x24", _missed_run, (80, 24)),
    Scene("set-schedule", _set_schedule, (120, 40)),
    Scene("storage-key-80x24", _storage_key, (80, 24)),
    Scene("storage-key", _storage_key_question, (120, 40)),
    Scene("several-review-80x24", _several_review, (80, 24)),
    Scene("several-80x24", _several, (80, 24)),
    Scene("board", _board, (120, 40)),
    Scene("upgrade", _upgrade, (120, 40)),
    Scene("dev-tools", _dev_tools, (120, 40)),
    Scene("profiles", _profiles),
    Scene("profile-form-80x24", _profile_form, (80, 24)),
    Scene("detail", _detail),
    Scene("help", _help),
    Scene("welcome-80x24", None, (80, 24), first_run=True),
    Scene("gateway-trouble", _gateway_gone),
    Scene("clusters-200x60", None, (200, 60)),
    Scene("create-snapshot-80x24", _create, (80, 24)),
    Scene("progress", _progress, (120, 40)),
    Scene("requests", _requests, (120, 40)),
    Scene("history-80x24", _history, (80, 24)),
    Scene("schedule-200x60", _schedule, (200, 60)),
    Scene("set-schedule-80x24", _set_schedule, (80, 24)),
    Scene("profiles-80x24", _profiles, (80, 24)),
    Scene("help-80x24", _help, (80, 24)),
    Scene("palette", _palette, (120, 40)),
    Scene("sort-80x24", _sort, (80, 24)),
    Scene("filter-80x24", _filter, (80, 24)),
    Scene("zoom-80x24", _zoom, (80, 24)),
    Scene("terminal-colours", None, (80, 24), "terminal"),
    Scene("high-contrast-80x24", None, (80, 24), "ncp-contrast"),
    Scene("ascii-80x24", None, (80, 24), "terminal", ascii=True),
)


@asynccontextmanager
async def _staged(scene: Scene) -> AsyncIterator[tuple[Stage, Looks]]:
    found = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": SECRET_KEY, "NCLOUD_API_GW": URL}
    environ = found if scene.first_run else {}
    looks = Looks()
    CHARSET.limit_to("ascii" if scene.ascii else None)
    try:
        with (
            mock.patch.object(track, "watch", partial(watch.watch, sleep=looks.wait)),
            mock.patch.object(resolve, "BACKOFF", Backoff(3600.0, 3600.0)),
            mock.patch.object(batch, "secrets", SimpleNamespace(token_hex=lambda _: "4fe21a")),
        ):
            async with staged(
                scene.size, theme=scene.theme, with_profile=not scene.first_run, environ=environ
            ) as stage:
                yield stage, looks
    finally:
        CHARSET.limit_to(None)


async def draw(scene: Scene) -> str:
    """The picture of one scene."""
    async with _staged(scene) as (stage, looks):
        if scene.film is not None:
            return film([frame async for frame in scene.film(stage, looks)])
        if scene.play is not None:
            await scene.play(stage)
        return picture(frame_of(stage.app))


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
