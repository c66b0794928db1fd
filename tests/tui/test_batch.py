"""Several creates at once on the screen: marked, reviewed row by row, agreed to once, sent behind whatever is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.widgets import Button

from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.snapshots.batch import Plan, Plans
from ncp_tui.snapshots.outcome import Caller, SnapshotRequest
from ncp_tui.system.paths import Paths
from ncp_tui.tui.dialogs.confirm import QuestionDialog, SendQuestionDialog, TypeNameDialog
from ncp_tui.tui.screens.batch_review import BatchReviewScreen
from ncp_tui.tui.screens.batch_run import BatchRunScreen
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.requests import RequestsScreen
from ncp_tui.tui.widgets.marked_table import MarkedTable
from ncp_tui.tui.widgets.record_table import RecordTable
from tests.tui.stage import ACCESS_KEY, START, URL, Stage, staged
from tests.tui.test_hostile_text import PAYLOADS, Hostile, check
from tests.tui.wires import Held, Wire

WIDE = (120, 40)
CREATE = "createSnapshot"
BUCKET, OTHER = "bk.ses.snapshot", "es-backup-weekly"
NO_WORD = (503, {"error": {"errorCode": "500", "message": "x"}})
"""An answer that does not say how far the request got."""
PROFILE = Profile(name="prod", access_key=ACCESS_KEY, gateway_url=URL, store="session", default_bucket=BUCKET)
SENDS = ("f2", "left", "f2")
"""The key, another one since that was let go, and the key again on the question."""

pytestmark = pytest.mark.usefixtures("quick_looks")


def marked(stage: Stage) -> list[str]:
    """The numbers of the clusters that have the sign, in the last digits, as they stand on the screen."""
    assert isinstance(stage.app.screen, ClustersScreen)
    return [cluster.number.removeprefix("10370") for cluster in stage.app.screen.marked]


def signs(stage: Stage) -> list[str]:
    """What stands on the screen behind a sign."""
    return [line[1:].split()[0] for line in stage.text().splitlines() if line.startswith("*")]


def ends_at_once(sandbox: Sandbox) -> None:
    sandbox.world.duration = 0.0


async def review(stage: Stage, *places: int) -> None:
    """Mark the clusters at `places`, and open their review."""
    keys = ["space" if place in places else "down" for place in range(max(places) + 1)]
    await stage.press("home", *keys, "s")
    assert isinstance(stage.app.screen, BatchReviewScreen)


def rows(stage: Stage) -> dict[str, str]:
    """What the last column says of each cluster."""
    table = stage.app.screen.query_one("#table", RecordTable)
    return {row.cells[0].text: row.cells[3].text for row in table.rows}


def names(stage: Stage) -> list[str]:
    return [str(effect.cluster).removeprefix("10370") for effect in stage.effects if effect.operation == CREATE]


async def over(stage: Stage) -> None:
    """Wait for the end of the newest batch, and of its snapshots."""
    await stage.until(lambda: stage.app.session.batches[-1].is_over and not stage.app.session.open_snapshots)
    await stage.settle()


async def test_rows_are_marked_one_by_one_in_a_range_and_all_that_are_shown() -> None:
    async with staged(WIDE, more=[replace(PROFILE, name="other")]) as stage:
        await stage.press("space", "down", "space")
        assert (marked(stage), signs(stage)) == (["01", "03"], ["search-0001", "검색-로그-서울"])
        assert stage.shows("2 marked", "2 clusters marked. s reviews a snapshot of each.")
        await stage.press("down", "down", "V")
        assert marked(stage) == ["01", "03", "04", "05", "06"], "from the last mark to here"
        await stage.press("up", "space", "shift+down")
        assert marked(stage) == ["01", "03", "04", "06", "07"], "a mark is taken away; two are marked on the way"
        await stage.press("N")
        assert (marked(stage), signs(stage)) == ([], [])
        assert "marked" not in stage.text().splitlines()[0]
        await stage.press("slash")
        await stage.type("status:running")
        await stage.press("enter", "A")
        shown = marked(stage)
        assert len(shown) == stage.app.screen.query_one(MarkedTable).shown < 14
        await stage.press("escape")
        assert marked(stage) == shown
        await stage.press("slash")
        await stage.type("0005")
        await stage.press("enter", "space")
        assert stage.shows(f"{len(shown) + 1} marked ({len(shown)} not shown)"), (
            "nothing is created that nobody knows of"
        )
        await stage.press("escape", "r", "O")
        assert len(marked(stage)) == len(shown) + 1, "a refresh and another order keep them"
        del stage.sandbox.world._clusters["1037001"]
        await stage.press("r")
        assert "01" not in marked(stage)
        assert stage.shows("1 cluster not listed any more: unmarked.")
        await stage.press("p", "down", "enter")
        assert stage.shows("other / KR / Clusters")
        assert marked(stage) == [], "they were another profile's"


async def test_what_is_blocked_is_named_and_left_out_by_the_user() -> None:
    async with staged(prepare=ends_at_once) as stage:
        await review(stage, 0, 1, 3)
        assert rows(stage) == {"search-0001": "ok", "search-0002": "warn: health", "search-0004": "block: storage key"}
        assert "1 of 3 rows blocked: search-0004. x leaves out one row, X all that are blocked." in stage.words()
        assert stage.shows("blocked      NCP refused: the cluster has no storage key")
        await stage.press(*SENDS)
        assert isinstance(stage.app.screen, BatchReviewScreen)
        assert stage.shows("1 of 3 rows blocked: search-0004.")
        await stage.press("x")
        assert rows(stage)["search-0004"] == "left out"
        assert stage.shows("3 clusters: 2 to create, 1 left out. Nothing is sent until you press f2.")
        await stage.press("end", "x")
        assert rows(stage)["search-0004"] == "block: storage key", "taken in again"
        await stage.press("X", "home", "x")
        assert stage.shows("3 clusters: 1 to create, 2 left out.")
        await stage.press("home", "x", "f2")
        assert isinstance(stage.app.screen, SendQuestionDialog)
        assert stage.app.screen.query_one("#confirm-no", Button).has_focus
        assert "Create 2 snapshots? Those into one bucket are created one after another. 1 other row" in stage.words()
        await stage.press("f2", "f2", "enter")
        assert isinstance(stage.app.screen, BatchReviewScreen), "a held key is no yes, and enter is on Cancel"
        assert not stage.effects
        assert not list(stage.workspace.paths.batches_dir.glob("*"))
        await stage.press(*SENDS)
        await over(stage)
        assert rows(stage) == {"search-0001": "succeeded", "search-0002": "succeeded", "search-0004": "left out"}
        assert stage.shows("2 succeeded, 1 left out (3 clusters).")
        assert names(stage) == ["01", "02"]
        await stage.press("escape")
        assert marked(stage) == []


async def test_a_bucket_is_chosen_once_for_all() -> None:
    async with staged(WIDE, prepare=ends_at_once) as stage:
        await review(stage, 0, 1, 2)
        await stage.press("end", "x", "B")
        assert stage.shows("One bucket for all", "its own for each", OTHER, "usable for 3 of 3", "usable for 0 of 3")
        place = next(i for i, line in enumerate(stage.text().splitlines()) if OTHER in line and "usable" in line)
        first = next(i for i, line in enumerate(stage.text().splitlines()) if "its own for each" in line)
        await stage.press(*["down"] * (place - first), "enter")
        table = stage.app.screen.query_one("#table", RecordTable)
        assert [row.cells[2].text for row in table.rows] == [OTHER] * 3
        assert stage.shows("3 clusters: 2 to create, 1 left out."), "what was left out stays so"
        await stage.press(*SENDS)
        await over(stage)
        assert {effect.bucket for effect in stage.effects} == {OTHER}


async def test_it_is_sent_behind_whatever_is_shown_and_quitting_asks() -> None:
    wire = Wire(Held, {CREATE})
    async with staged(WIDE, wrap=wire, prepare=ends_at_once) as stage:
        await review(stage, 0, 1)
        await stage.app._press_keys(SENDS)
        await stage.until(lambda: wire.held.arrived)
        (plan,) = stage.workspace.paths.batches_dir.glob("*.json")
        assert len(json.loads(plan.read_text())["requests"]) == 2, "written before the first request"
        await stage.app._press_keys(["escape"])
        await stage.expect("/ KR / Clusters")
        await stage.app._press_keys(["q"])
        await stage.until(lambda: isinstance(stage.app.screen, QuestionDialog))
        question = stage.words()
        assert "Not sent yet: 1 snapshot of batch" in question
        assert "A create request has no answer yet." in question
        await stage.app._press_keys(["n", "w"])
        await stage.expect("Snapshots of this run", "1 of 2 not sent yet", "sending")
        await stage.app._press_keys(["b"])
        await stage.until(lambda: isinstance(stage.app.screen, BatchRunScreen))
        await stage.expect("being sent", "waiting")
        wire.held.gate.set()
        await over(stage)
        assert rows(stage) == {"search-0001": "succeeded", "search-0002": "succeeded"}
        assert names(stage) == ["01", "02"]


async def test_the_rest_is_left_out_when_the_user_says_so() -> None:
    wire = Wire(Held, {CREATE})
    async with staged(WIDE, wrap=wire, prepare=ends_at_once) as stage:
        await review(stage, 0, 1)
        await stage.app._press_keys(SENDS)
        await stage.until(lambda: wire.held.arrived)
        await stage.app._press_keys(["x"])
        await stage.until(lambda: isinstance(stage.app.screen, QuestionDialog))
        assert "Leave out what was not sent yet, 1 of 2?" in stage.words()
        await stage.app._press_keys(["y"])
        wire.held.gate.set()
        await over(stage)
        assert rows(stage) == {"search-0001": "succeeded", "search-0002": "not sent"}
        assert "Not sent: you stopped the batch. s resumes it." in stage.words()
        assert names(stage) == ["01"]
        await stage.press("x")
        assert stage.shows("The batch is over: nothing of it is still to be sent.")


async def test_a_protected_profile_has_the_number_typed_and_another_profile_sends_nothing() -> None:
    protected = replace(PROFILE, protected=True)
    async with staged(WIDE, profile=protected, more=[replace(PROFILE, name="other")], prepare=ends_at_once) as stage:
        await review(stage, 0, 1)
        await stage.press("f2")
        assert isinstance(stage.app.screen, TypeNameDialog)
        assert stage.shows("Profile prod is protected. Create 2 snapshots?")
        await stage.type("create 3")
        await stage.press("f2")
        assert stage.shows("These are not the words above.")
        assert not stage.effects
        await stage.press("escape")
        stage.app.find_and_use("other")
        await stage.settle()
        await stage.press("f2")
        assert stage.shows("These clusters are of profile prod, which is not in use any more.")
        await stage.press("r", "f2")
        assert stage.shows("These clusters are of profile prod, which is not in use any more.", "Nothing was sent.")
        stage.app.find_and_use("prod")
        await stage.settle()
        await stage.press("escape")
        await review(stage, 0, 1)
        await stage.press("f2")
        await stage.type("create 2")
        await stage.press("f2")
        await over(stage)
        assert names(stage) == ["01", "02"]


async def test_read_only_reviews_nothing() -> None:
    async with staged(profile=replace(PROFILE, read_only=True)) as stage:
        await stage.press("space", "s")
        assert isinstance(stage.app.screen, ClustersScreen)
        assert stage.shows("Read-only mode (profile prod): no snapshot is created.")


@pytest.mark.parametrize(
    "way",
    [
        ("s",),
        pytest.param(("escape", "u", "B", "enter"), marks=pytest.mark.slow),
        pytest.param(("escape", "colon"), marks=pytest.mark.slow),
    ],
)
async def test_what_is_unknown_stops_the_rest_which_is_resumed_after_another_consent(way: Sequence[str]) -> None:
    """From the batch itself, from the requests, and from the palette."""
    async with staged(WIDE, prepare=ends_at_once) as stage:
        stage.sandbox.faults.add(CREATE, "after", NO_WORD)
        await review(stage, 0, 1)
        stage.sandbox.faults.add("getSnapshotHistory", "before", NO_WORD, times=None)
        await stage.press(*SENDS)
        await over(stage)
        assert list(rows(stage).values()) == ["unknown", "not sent"]
        assert stage.shows("Stopped: the rest was left out.", "s resumes it.")
        assert names(stage) == ["01"], "the one whose answer was lost"
        stage.sandbox.faults.clear()
        await stage.press(*way)
        if way[-1] == "colon":
            await stage.type("resume a batch")
            await stage.press("down", "enter", "enter")
        assert isinstance(stage.app.screen, BatchReviewScreen)
        assert stage.shows("Resume a batch", "2 clusters: 1 to create, 1 sent before."), stage.text()
        assert rows(stage)["search-0001"].startswith("sent before: "), "never again"
        await stage.press("home", "x")
        assert stage.shows("search-0001 is not sent again")
        await stage.press("f2")
        assert "Create 1 snapshot?" in stage.words()
        await stage.press("left", "f2")
        await over(stage)
        assert names(stage) == ["01", "02"], "each once"
        await stage.press("escape")
        if not isinstance(stage.app.screen, RequestsScreen):
            await stage.press("u")
        await stage.press("B")
        assert stage.shows("No batch of this machine has anything that never left.")


async def test_a_batch_is_resumed_as_whoever_began_it(tmp_path: Path) -> None:
    """Nothing of another profile's batch is looked at, and what is damaged is told."""
    paths = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "data")
    requests = [SnapshotRequest("1037001", "search-0001", "a", BUCKET)]
    now = datetime.fromtimestamp(START, UTC) - timedelta(hours=2)
    other = Plan.of(Caller("other", "public", "KR", f"{URL}/api/v2"), requests, now)
    Plans(paths).write(other)
    async with staged(WIDE, paths=paths) as stage:
        await stage.press("u", "B")
        assert stage.shows(other.id, "1 of 1 never left, other, 2 h ago"), stage.text()
        await stage.press("enter")
        assert stage.shows(f"Batch {other.id} was begun with profile other.", "Nothing was sent.")
        await stage.press("f2")
        assert stage.shows("The checks are not complete yet.")
        await stage.press("escape")
        (paths.batches_dir / f"{other.id}.json").write_text("{}")
        await stage.press("B")
        assert stage.shows(f"The plan of batch {other.id} cannot be read")
        assert not stage.effects


async def test_a_plan_that_cannot_be_written_sends_nothing() -> None:
    async with staged(WIDE) as stage:
        stage.workspace.paths.batches_dir.parent.mkdir(parents=True, exist_ok=True)
        stage.workspace.paths.batches_dir.write_text("in the way")
        await review(stage, 0, 1)
        await stage.press(*SENDS)
        await over(stage)
        assert stage.shows("The batch cannot be written down", "Nothing was sent")
        assert list(rows(stage).values()) == ["not sent", "not sent"]
        assert not stage.asked(CREATE)


async def test_hostile_names_are_text_in_review_and_batch() -> None:
    async with staged(WIDE, clusters=2, wrap=lambda inner: Hostile(inner, PAYLOADS["all at once"])) as stage:
        await stage.press("space", "space")
        check(stage, "marked")
        await stage.press("s")
        check(stage, "reviewed")
        for key in ("enter", "escape", "B", "escape", "X", "f2", "escape", "escape"):
            await stage.press(key)
            check(stage, key)
        assert not stage.asked(CREATE)
