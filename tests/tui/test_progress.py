"""Snapshots on their way: in one list from every screen, and followed wherever they were started."""

from __future__ import annotations

import pytest

from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.tui.dialogs.run_list import RunListDialog
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.screens.history import HistoryScreen
from tests.tui.stage import Stage, staged

ELSEWHERE = "started-elsewhere"
WIDE = (120, 40)


def start_elsewhere(sandbox: Sandbox, cluster: str = "search-0002") -> None:
    world = sandbox.world
    world.start_snapshot(world.named(cluster), ELSEWHERE, "bk.ses.snapshot")


def assert_nothing_was_created(stage: Stage) -> None:
    assert not stage.asked("createSnapshot")
    assert not stage.app.session.journal.path.exists(), "it is no request of this machine"


async def test_one_started_elsewhere_is_followed_from_the_clusters_to_its_end(
    quick_looks: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with staged(WIDE, prepare=start_elsewhere) as stage:
        announced = list[str]()
        monkeypatch.setattr(stage.app.notifier, "announce", announced.append)
        await stage.press("f")
        assert stage.shows("search-0001: no running snapshot as of", "r reads again.")
        await stage.press("down", "f")
        await stage.expect(f"Snapshot {ELSEWHERE} of search-0002: running")
        await stage.press("f")
        assert len(stage.app.session.tracked) == 1, "it is followed once"
        assert isinstance(stage.app.screen, ClustersScreen)
        assert "already followed; w lists it" in stage.app.screen.why_unavailable("follow")
        stage.clock.advance(60)
        await stage.expect(f"Snapshot {ELSEWHERE} succeeded")
        assert [said.startswith(f"Snapshot {ELSEWHERE} succeeded") for said in announced] == [True]
        assert_nothing_was_created(stage)


async def test_one_started_elsewhere_is_followed_from_the_history(quick_looks: None) -> None:  # noqa: ARG001
    async with staged(WIDE, prepare=lambda sandbox: start_elsewhere(sandbox, "search-0001")) as stage:
        await stage.press("h", "down", "f")
        assert stage.shows("is not running. Only a running snapshot can be followed.")
        await stage.press("up", "f")
        await stage.expect(f"Snapshot {ELSEWHERE} of search-0001: running")
        stage.clock.advance(60)
        await stage.until(lambda: any(ELSEWHERE in row and "succeeded" in row for row in stage.text().splitlines()))
        assert_nothing_was_created(stage)


async def test_several_at_once_in_one_list(quick_looks: None) -> None:  # noqa: ARG001
    """From a form as well, where letters are typed; the list says how far each is, and closing it stops nothing."""
    async with staged((160, 40), prepare=start_elsewhere) as stage:
        await stage.press("w")
        assert stage.shows("No snapshot was created or followed in this run.")
        await stage.press("escape", "down", "f", "up", "s", "f2")
        await stage.press("escape")
        await stage.expect("2 snapshots not finished (w lists them).")
        await stage.press("down", "down", "s", "f4")
        assert isinstance(stage.app.screen, RunListDialog)
        await stage.expect(ELSEWHERE, "search-0001-20260102-000000", "ELAPSED")
        stage.clock.advance(5)
        await stage.expect("PROGRESS (ESTIMATED)", "left")
        await stage.press("escape")
        assert isinstance(stage.app.screen, CreateSnapshotScreen)
        stage.clock.advance(60)
        await stage.press("f4")
        await stage.until(lambda: not stage.app.session.open_snapshots)
        await stage.expect("succeeded")
        await stage.press("enter")
        assert isinstance(stage.app.screen, HistoryScreen)


NAME = "search-0001-20260102-000000"


async def test_after_create_the_form_becomes_the_snapshot(quick_looks: None) -> None:  # noqa: ARG001
    """State, elapsed time, an estimate, when the next check is, bucket, request ID, and what to press."""
    async with staged((80, 24)) as stage:
        await stage.press("s", "h")
        assert isinstance(stage.app.screen, CreateSnapshotScreen), "before it is sent a letter is text"
        await stage.press("f3", "f2")
        await stage.expect(f"{NAME}: running", "bucket       bk.ses.snapshot", "request ID")
        await stage.expect("left, estimated from", "waits", "esc Leave, it keeps running   h History   u Requests")
        assert "Preflight" not in stage.text()
        stage.clock.advance(60)
        await stage.expect(f"Snapshot {NAME} succeeded", "esc Leave   h History")
        assert "estimated" not in stage.text()
        await stage.press("u", "escape", "h")
        assert isinstance(stage.app.screen, HistoryScreen)


async def test_a_certain_refusal_is_said_once_and_the_check_it_contradicts_is_read_again() -> None:
    def refuse(sandbox: Sandbox) -> None:
        body = {"code": 40070, "message": "snapshot with the same name already exists", "result": None}
        sandbox.faults.add("createSnapshot", act=(200, body))

    async with staged(WIDE, prepare=refuse) as stage:
        await stage.press("s")
        before = stage.asked("getSnapshotHistory")
        await stage.press("f2")
        assert stage.shows(
            f"Not started: {NAME}. Preflight check “name” is out of date; reading again.",
            "read again, NCP refused (name):",
        )
        assert stage.asked("getSnapshotHistory") == before + 1
        shown = stage.app.screen.exchange if isinstance(stage.app.screen, CreateSnapshotScreen) else None
        assert shown is not None
        assert shown.operation == "createSnapshot", "the response that the card is about"
        said = stage.words()
        assert said.count(f"Not started: {NAME}.") == 1
        await stage.fill("name", "another-name")
        assert "NCP refused (name)" not in stage.text(), "an edit is a new decision"
