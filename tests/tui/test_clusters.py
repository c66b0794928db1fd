"""The clusters screen: what stays where it is, what can be opened, and what is said when nothing can be read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import httpx
import pytest

from ncp_tui.profiles.cluster_name_cache import ClusterNameCache
from ncp_tui.sandbox.authentication import Account
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.sandbox.world import SnapshotRun
from ncp_tui.system.paths import Paths
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.widgets.panes import Panes
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.tui.widgets.text_view import TextView
from tests.tui.stage import START, Stage, staged
from tests.tui.wires import Refusing, Wire

LIST = "getClusterInfoList"


def table_of(stage: Stage) -> RecordTable:
    return stage.app.screen.query_one("#table", RecordTable)


def lines_with(stage: Stage, text: str) -> list[str]:
    return [line for line in stage.text().splitlines() if text in line]


async def test_the_clusters_of_every_page() -> None:
    """An account with more clusters than one page holds must not lose the rest; the last answer ends on the pane."""
    async with staged((120, 40), clusters=250) as stage:
        assert table_of(stage).total == 252
        assert stage.shows("252 clusters")
        assert stage.asked(LIST) == 3
        log, panes = stage.app.session.log, stage.app.screen.query_one(Panes)
        read = next(action for action in log.actions if action.title == "list clusters")
        last = read.exchanges[-1]  # of pages that are asked for at the same time any may answer last
        pages = [each.request.url.partition("?")[2].partition("&")[0] for each in read.exchanges]
        assert sorted(pages) == ["pageNo=1", "pageNo=2", "pageNo=3"]
        await stage.until(lambda: panes.shown is last)
        await stage.press("v")
        await stage.expect(f"getClusterInfoList?{pages[-1]}")
        assert pages[-1] in panes.query_one("#response", TextView).text
        await stage.press("end")
        assert stage.shows("legal-archive")


async def test_a_cluster_without_access_opens_nothing() -> None:
    async with staged((120, 40)) as stage:
        before = len(stage.sandbox.ledger.requests)
        await stage.press("end")
        for key in ("s", "h", "enter"):
            await stage.press("up", "down", key)
            assert isinstance(stage.app.screen, ClustersScreen), key
            said = "No permission for legal-archive: this key sees only its name."
            assert stage.shows(said), key
            assert len(stage.sandbox.ledger.requests) == before, key
        await stage.pilot.resize_terminal(80, 24)
        await stage.settle()
        assert stage.shows("No permission for")


async def test_the_filter_takes_every_key_and_escape_clears_it_from_its_input_and_from_the_rows() -> None:
    """Home has no way back, and a filter that only its own input can clear looks like lost clusters."""
    async with staged((120, 40)) as stage:
        await stage.press("slash")
        await stage.type("qshp/?")
        assert stage.shows("qshp/?", "0 of 14 match")
        assert stage.app.is_running, "the keys that act are text here"
        await stage.press("escape")
        assert (table_of(stage).shown, table_of(stage).has_focus) == (14, True)
        await stage.press("slash")
        await stage.type("0002")
        assert stage.shows("1 of 14 match “0002”.")
        await stage.press("enter")
        assert (table_of(stage).shown, table_of(stage).has_focus) == (1, True)
        await stage.press("r")
        assert (table_of(stage).shown, table_of(stage).total) == (1, 14), "it stays over a refresh"
        await stage.press("escape")
        assert table_of(stage).shown == 14
        assert stage.shows("No filter: all rows are shown."), "not what the filter found"
        await stage.press("escape")
        assert isinstance(stage.app.screen, ClustersScreen)


async def test_every_column_can_be_sorted_by_and_the_choice_goes_back() -> None:
    """Ages are sorted by time: by their text, `12 d` would stand before `2 h`."""

    def prepare(sandbox: Sandbox) -> None:
        sandbox.world.state(sandbox.world.named("search-0002")).runs.append(
            SnapshotRun(1, "of-an-hour-ago", "bk.ses.snapshot", "MANUAL", START - 3700, START - 3600)
        )

    async with staged((120, 40), prepare=prepare) as stage:
        table = table_of(stage)
        for place, column in enumerate(table.columns):
            await stage.press("o", *["home"], *["down"] * (place + 1), "enter")
            assert stage.shows(f"Sorted by {column.label}, ascending.", f"{column.label} ▲")
        await stage.press("o", "home", *["down"] * 5, "enter")
        known = [row.key for row in table.rows if not row.cells[4].is_empty]
        assert known[0] == "1037002", "of an hour ago"
        assert [row.key for row in table.rows][: len(known)] == known, "what is not known comes last"
        await stage.press("O")
        assert stage.shows("Sorted by LAST GOOD, descending.", "LAST GOOD ▼")
        assert [row.key for row in table.rows][len(known) - 1] == "1037002"
        await stage.press("o", "home", "enter")
        assert stage.shows("In the order of NCP.")
        assert table.rows[0].key == "1037001"
        await stage.press("O")
        assert stage.shows("Sorted by CLUSTER, ascending.")
        await stage.press("O")
        rows = [row.cells[0].text for row in table.rows]
        assert rows == sorted(rows, reverse=True)


async def test_the_cursor_stays_on_its_cluster_when_others_go() -> None:
    """A cluster that disappears above the cursor must not move the next key press onto another cluster."""
    async with staged((120, 40)) as stage:
        await stage.press("down", "down", "down")
        assert table_of(stage).cursor_key == "1037004"
        world = stage.sandbox.world
        del world._clusters["1037001"]
        await stage.press("r")
        assert table_of(stage).cursor_key == "1037004"
        assert stage.shows("13 clusters")
        del world._clusters["1037004"]
        await stage.press("r")
        assert table_of(stage).cursor_key is not None
        assert not stage.shows("search-0004")


async def test_the_detail_has_what_the_list_has_not_and_keeps_what_it_said() -> None:
    async with staged((120, 50)) as stage:
        await stage.press("enter")
        assert isinstance(stage.app.screen, TextDialog)
        assert stage.shows("Cluster search-0001", "1037001", "OpenSearch 2.17.1", "documents", "store size")
        assert stage.shows("2,907,564", "1.7 GiB")
        assert stage.shows("green"), "the health is in the list only"
        assert "clusterNodeList" in stage.app.screen.query_one(TextView).text, "the nodes are in the detail only"
        await stage.press("escape")
        assert isinstance(stage.app.screen, ClustersScreen)
        stage.sandbox.faults.add("getClusterInfo", act=(500, "broken"), times=None)
        await stage.press("enter")
        assert stage.shows("OpenSearch 2.17.1", "green"), "a detail that fails keeps what the list said"
        await stage.press("end")
        assert stage.shows("HTTP 500")


async def test_the_age_of_the_newest_snapshot_and_the_names_are_kept() -> None:
    async with staged((120, 40)) as stage:
        assert "none !" in lines_with(stage, "search-0002")[0]
        assert " 5 h  " in lines_with(stage, "search-0001")[0]
        assert "42 h ! old" in lines_with(stage, "search-0012")[0]
        assert "failed" in lines_with(stage, "검색")[0]
        assert "no permission" in lines_with(stage, "hr-private")[0]
        assert stage.shows("검색-로그-서울")
        assert not stage.asked("createSnapshot")
        assert stage.asked("getSnapshotHistory") == 12, "one read for each cluster that may be opened"
        assert stage.app.session.identity is not None
        names = ClusterNameCache(stage.workspace.paths).names(stage.app.session.identity)
        assert len(names) == 14
        assert "search-0001" in names, "kept for the completion of a shell"


async def test_what_is_not_known_of_the_newest_snapshot_is_said() -> None:
    """Not read, cannot be read, none and no access are four things. What is nice to know puts no card over the list."""

    def prepare(sandbox: Sandbox) -> None:
        sandbox.faults.add("getSnapshotHistory", act=(500, "broken"), times=None)

    async with staged((120, 40), prepare=prepare) as stage:
        assert stage.shows("14 clusters")
        rows = "\n".join(
            line for line in stage.text().splitlines() if line.startswith(" search-") and "KST" not in line
        )
        assert " h ! old" not in rows
        assert "none" not in rows
        assert "not readable" in lines_with(stage, "search-0001")[0]
        assert "not read" in lines_with(stage, "search-0012")[0], "after some failures the others are left alone"
        assert "no permission" in lines_with(stage, "hr-private")[0]
        assert not stage.app.screen.query_one(ProblemCard).display


async def test_an_account_without_clusters() -> None:
    def prepare(sandbox: Sandbox) -> None:
        sandbox.world._clusters.clear()

    async with staged(prepare=prepare) as stage:
        assert stage.shows("No clusters in this region.", "0 clusters, as of")
        for key in ("s", "h", "enter"):
            await stage.press(key)
            assert isinstance(stage.app.screen, ClustersScreen)
            assert stage.shows("No cluster selected.")


def wrong_secret(sandbox: Sandbox) -> Account:
    return dataclasses.replace(sandbox.account, secret_key="another-secret-key-that-opens-nothing-00")


def viewer(sandbox: Sandbox) -> Account:
    return sandbox.viewer


def denied(sandbox: Sandbox) -> None:
    sandbox.faults.add(LIST, act=(401, {"error": {"errorCode": "210", "message": "Permission Denied", "details": ""}}))


def html(sandbox: Sandbox) -> None:
    sandbox.faults.add(LIST, act=(200, "<html><body>Please log in to the wireless network</body></html>"))


TROUBLES: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "wrong secret": (
        {"account": wrong_secret},
        (
            "The gateway refused the signature (401/200",
            "Nothing was changed.",
            "The clock is right. A key is wrong: copy both again from the NCP console.",
        ),
    ),
    "wrong secret and wrong clock": (
        {"account": wrong_secret, "clock_off": -900.0},
        (
            "The gateway refused the signature (401/200",
            "Nothing was changed.",
            "The clock was corrected for. A key is wrong: copy both from the NCP console.",
        ),
    ),
    "permission": (
        {"prepare": denied},
        (
            "The key is valid but lacks permission for this (401/210",
            "Nothing was changed.",
            "Ask for the policy NCP_VPC_SEARCH_ENGINE_SERVICE_MANAGER",
        ),
    ),
    "nobody there": (
        {"wrap": Refusing},
        ("127.0.0.1:8765 refused the connection.", "Nothing was sent.", "Check the network, the proxy"),
    ),
    "a page of somebody else": (
        {"prepare": html},
        ("The response is not one of NCP's (200)", "Nothing was changed (read-only request).", "Retry"),
    ),
}


@pytest.mark.parametrize(("options", "sentences"), TROUBLES.values(), ids=TROUBLES)
async def test_trouble_is_three_sentences(options: dict[str, Any], sentences: tuple[str, str, str]) -> None:
    """What happened, what it means for the work at hand, and what to do next, in a window of any size."""
    async with staged((80, 24), **options) as stage:
        for size in ((80, 24), (120, 40)):
            await stage.pilot.resize_terminal(*size)
            await stage.settle()
            assert stage.app.screen.query_one(ProblemCard).display, size
            assert stage.shows(*sentences), size
            assert stage.shows("Nothing to show. Press r to try again."), size
        assert not stage.effects


async def test_the_card_goes_when_the_gateway_is_back() -> None:
    wires: list[Refusing] = []

    def wrap(inner: Any) -> Refusing:
        wires.append(Refusing(inner))
        return wires[0]

    async with staged((120, 40), wrap=wrap) as stage:
        assert stage.shows("refused the connection")
        wires[0].down = False
        await stage.press("r")
        assert stage.shows("14 clusters", "search-0001")
        assert not stage.app.screen.query_one(ProblemCard).display
        wires[0].down = True
        await stage.press("r")
        assert stage.shows("refused the connection", "search-0001"), "what is known from before stays"


async def test_a_clock_that_is_off_is_in_the_header() -> None:
    """Inside the gateway's window nothing fails yet; a user should know before it does."""
    async with staged((120, 40), clock_off=120.0) as stage:
        assert stage.shows("14 clusters", "CLOCK OFF BY -119.5 s")


async def test_a_viewer_sees_its_clusters_and_creates_nothing() -> None:
    async with staged((120, 40), account=viewer) as stage:
        assert len(lines_with(stage, "no permission")) == 6
        await stage.press("s", "f2")
        assert stage.shows("The key is valid but lacks permission for this (401/210", "Not started: search-0001")
        assert not stage.effects


async def test_going_away_while_loading_and_coming_back_loads_again() -> None:
    """Leaving stops the reading; half a list would be taken for the whole."""
    async with staged((120, 40)) as stage:
        for key in ("s", "p"):
            await stage.pilot.press("r", key)
            await stage.press("escape")
            assert stage.shows("14 clusters"), key
            assert stage.app.session.clusters_complete, key


async def test_a_demo_and_a_full_disk_keep_no_names(tmp_path: Path) -> None:
    async with staged(demo=True) as stage:
        assert not stage.workspace.paths.listing_file.exists()
    paths = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "data")
    paths.listing_file.mkdir(parents=True)
    async with staged(paths=paths) as stage:
        assert stage.shows("14 clusters")
        assert paths.listing_file.is_dir()


@dataclasses.dataclass
class WithoutPage(httpx.AsyncBaseTransport):
    """A wire on which one page of a list never arrives whole."""

    inner: httpx.AsyncBaseTransport
    page: str

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.params.get("pageNo") == self.page:
            return httpx.Response(400, stream=httpx.ByteStream(b'{"error": {"errorCode": "x", "message": "no page"}}'))
        return await self.inner.handle_async_request(request)


async def test_what_came_before_a_page_that_fails_is_shown() -> None:
    """Pages are shown a few at a time; none of them waits for one that never comes."""
    async with staged((120, 40), clusters=350, wrap=Wire(WithoutPage, "3")) as stage:
        assert table_of(stage).total == 200
        assert stage.shows("no page")
