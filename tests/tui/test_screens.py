"""Each screen as a user meets it, against the sandbox, by keys alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from rich.cells import cell_len
from textual.widgets import Button, Input

from ncp_tui.profiles.profile import Profile
from ncp_tui.tui.app import NcpApp
from ncp_tui.tui.dialogs.run_list import RunListDialog
from ncp_tui.tui.dialogs.text import HelpDialog
from ncp_tui.tui.messages import HistoryWanted
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.history import HistoryScreen
from ncp_tui.tui.screens.profile_form import ProfileFormScreen
from ncp_tui.tui.screens.profiles import ProfilesScreen
from ncp_tui.tui.widgets.panes import Panes
from ncp_tui.tui.widgets.record_table import RecordTable
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, URL, Stage, staged

ENVIRON = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": SECRET_KEY, "NCLOUD_API_GW": URL}
PROFILE = Profile(
    name="prod", access_key=ACCESS_KEY, gateway_url=URL, store="session", default_bucket="bk.ses.snapshot"
)


async def test_filter_sort_and_the_cursor_that_stays() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("down", "down", "down")
        await stage.press("o", "down", "enter")
        assert "Sorted by CLUSTER, ascending." in stage.text()
        await stage.press("O")
        table = stage.app.screen.query_one("#table", RecordTable)
        assert table.cursor_key == "1037004", "the cursor stays on its cluster"
        await stage.press("r")
        assert table.cursor_key == "1037004"
        await stage.press("slash")
        await stage.type("서울")
        assert table.shown == 1
        await stage.press("escape")
        assert table.shown == 14


async def test_a_snapshot_from_form_to_end(quick_looks: None) -> None:  # noqa: ARG001
    """The main job. Create is pressed many times; one request may leave."""
    async with staged((120, 40)) as stage:
        await stage.press("s")
        text = stage.text()
        assert "search-0001-20260102-000000" in text
        assert "27/30  valid (UTC)" in text
        assert "locked: object lock is on" in text
        assert '"snapshotName": "search-0001-20260102-000000"' in text
        assert not stage.sandbox.ledger.effects, "a preview sends nothing"
        await stage.press("f2", "f2", "f2")
        await stage.expect("search-0001-20260102-000000: running, 0 s", "Accepted. It runs on NCP;")
        assert len(stage.sandbox.ledger.effects) == 1
        stage.clock.advance(15)
        await stage.expect("search-0001-20260102-000000: running, 15 s")
        await stage.press("escape")
        assert "running" in stage.text(), "the clusters show what is under way"
        stage.clock.advance(45)
        await stage.expect("Snapshot search-0001-20260102-000000 succeeded")
        assert not stage.app.session.open_snapshots
    assert len(stage.sandbox.ledger.effects) == 1


async def test_enter_leads_through_the_form() -> None:
    """Name, bucket, Create: the keyboard's way, which ends at the button."""
    async with staged() as stage:
        await stage.press("s", "enter", "enter", "enter", "enter", "space")
        assert stage.app.screen.query_one("#create").has_focus
        assert stage.shows("enter does nothing here. Press f2 to create.")
        assert not stage.asked("createSnapshot")
        assert stage.app.screen.query_one("#create", Button).size.height == 1
        assert "▔" not in stage.text()


class NeverAnswers(httpx.AsyncBaseTransport):
    """A gateway that takes the request and is silent."""

    def __init__(self, _: httpx.AsyncBaseTransport) -> None:
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        import asyncio

        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError(request)


async def test_nothing_waits_for_a_gateway_that_hangs() -> None:
    """Law 6: keys, screens, switching profile and quitting work at once while a call hangs."""
    async with staged((120, 40), environ=ENVIRON, profile=PROFILE, wrap=NeverAnswers, settled=False) as stage:
        await stage.pilot.press("p")
        await stage.expect("environment / KR / Profiles", "public/KR")
        stage.app.screen.query_one("#table", RecordTable).move_to("environment")
        await stage.pilot.press("enter")
        await stage.expect("environment / KR / Clusters")
        await stage.pilot.press("q")
        await stage.pilot.pause()
    assert stage.app.return_code == 0


async def test_the_program_begins_though_a_key_came_before_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual may call nothing after the refresh of a screen that was covered before it; such a one is played here."""
    after_refresh = ClustersScreen.call_after_refresh

    def covered(screen: ClustersScreen, callback: Callable[..., object]) -> bool:
        assert isinstance(screen.app, NcpApp)
        return callback == screen.app._begin or after_refresh(screen, callback)

    monkeypatch.setattr(ClustersScreen, "call_after_refresh", covered)
    async with staged((120, 40), settled=False) as stage:
        await stage.pilot.press("p")
        await stage.expect("prod / KR / Profiles", "public/KR")
        await stage.press("escape")
        assert stage.shows("14 clusters", "search-0001")


async def test_the_header_names_a_gateway_that_is_not_ncps() -> None:
    """Whoever has it receives signed requests."""
    async with staged((120, 40)) as stage:
        assert "GATEWAY" not in stage.text()
        identity = stage.app.session.identity
        assert identity is not None
        own = dataclasses.replace(identity.profile, gateway_url="https://gw.corp.example:8443")
        stage.app.session.use(dataclasses.replace(identity, profile=own))
        await stage.expect("GATEWAY gw.corp.example")
        await stage.press("s")
        assert stage.shows("CUSTOM GATEWAY", "Create snapshot")


FAULTS = {
    "The response is not one of NCP's (200)": (200, b"<html>welcome</html>"),
    "could not reach its backend (503/500": (503, b'{"error":{"errorCode":"500","message":"x"}}'),
    "throttling this account (429/410": (429, b'{"error":{"errorCode":"410","message":"x"}}'),
}


async def test_what_is_wrong_is_said_calmly_and_goes_when_it_is_over() -> None:
    async with staged((120, 40)) as stage:
        for said, fault in FAULTS.items():
            stage.sandbox.faults.add(operation="getClusterInfoList", act=fault, times=None)
            await stage.press("r")
            assert stage.shows(said, "Nothing was changed")
            stage.sandbox.faults.clear()
            await stage.press("r")
            assert not stage.shows(said)
        assert not stage.effects


SIZES = [(60, 20), (80, 24), (120, 40), (200, 60), (40, 10), (20, 5)]
SMALLEST = (60, 20)
SCREENS = {
    (): "search-0001",
    ("s",): "Create snapshot",
    ("h",): "SNAPSHOT",
    ("d",): "every day at 03:00",
    ("d", "s"): "Set schedule",
    ("p",): "prod",
    ("p", "a"): "New profile",
    ("enter",): "Cluster search-0001",
    ("question_mark",): "This screen",
    ("slash",): "Filter",
    ("y",): "curl",
}
"""The keys that lead to each, and a word of it."""


async def test_every_screen_in_every_size() -> None:
    async with staged(SIZES[0], environ=ENVIRON) as stage:
        for keys, word in SCREENS.items():
            await stage.press(*keys)
            for size in SIZES:
                await stage.pilot.resize_terminal(*size)
                # Of a window made narrower the old rows may stay for a moment.
                await stage.settle()
                await stage.until(partial(fits, stage, size[0]))
                look_at(stage, size, word)
            await stage.pilot.resize_terminal(*SIZES[0])
            await stage.settle()
            while not isinstance(stage.app.screen, ClustersScreen):
                await stage.press("escape")
            await stage.press("escape")


def fits(stage: Stage, width: int) -> bool:
    return all(cell_len(row) <= width for row in stage.text().splitlines())


def look_at(stage: Stage, size: tuple[int, int], word: str) -> None:
    """There is something to see, and where there is room for it the screen, from edge to edge, with its keys."""
    rows = stage.text().splitlines()
    assert stage.text().strip(), (size, word)
    assert all(cell_len(row) <= size[0] for row in rows), (size, word)
    if size >= SMALLEST:
        assert stage.shows(word), (size, word, stage.text())
        assert rows[-1].strip(), (size, word)
        if isinstance(stage.app.screen, ClustersScreen | HistoryScreen) and word != "Filter":
            assert "? Help" in rows[-1], (size, word)


async def test_the_details_follow_the_cursor_without_a_request_and_a_pane_has_the_screen_to_itself() -> None:
    async with staged((120, 40)) as stage:
        panes = stage.app.screen.query_one(Panes)
        assert stage.shows("[Details]  Response", "search-0001  number 1037001", "usually", "every day at 03:00")
        before = len(stage.sandbox.ledger.requests)
        await stage.press("down")
        assert stage.shows("search-0002  number 1037002", "none in the whole history")
        assert len(stage.sandbox.ledger.requests) == before
        await stage.press("v")
        assert stage.shows("Details  [Response]", "Session log (KST)"), "the log stays beside it"
        await stage.press("z")
        assert stage.shows("[Response]   Session log") or stage.shows("[Response]  Session log")
        assert not stage.shows("search-0003"), "the list is under it"
        await stage.press("z")
        assert stage.app.screen.query_one("#table").has_focus
        await stage.press("h", "escape")
        assert panes.front == "response", "a screen keeps the pane that it showed"


async def test_where_one_pane_has_room_the_others_are_tabs_to_be_clicked() -> None:
    async with staged((80, 24)) as stage:
        text = stage.text().splitlines()
        row = next(y for y, line in enumerate(text) if "[Details]" in line)
        await stage.pilot.click(offset=(text[row].index("Response") + 2, row))
        await stage.settle()
        assert stage.shows("Details  [Response]")
        text = stage.text().splitlines()
        await stage.pilot.click(offset=(text[row].index("Session") + 2, row))
        await stage.settle()
        assert stage.shows("[Session log (KST)]", "getSnapshotHistory")


async def test_a_click_on_a_head_sorts_and_a_second_one_turns_it_around() -> None:
    async with staged((120, 40)) as stage:
        head = stage.text().splitlines()[1]
        await stage.pilot.click(offset=(head.index("STATUS") + 1, 1))
        await stage.settle()
        assert stage.shows("STATUS ▲", "Sorted by STATUS, ascending.")
        assert stage.app.screen.query_one("#table", RecordTable).rows[0].key == "1037006", "in error: worst first"
        await stage.pilot.click(offset=(head.index("STATUS") + 1, 1))
        await stage.settle()
        assert stage.shows("STATUS ▼")


async def test_a_key_that_does_nothing_now_says_why_also_when_it_is_clicked() -> None:
    async with staged((120, 40), read_only=True) as stage:
        assert stage.shows("READ-ONLY")
        row = len(stage.text().splitlines()) - 1
        await stage.press("s")
        assert isinstance(stage.app.screen, ClustersScreen)
        assert stage.shows("Read-only mode (set at the start): no snapshot is created.")
        await stage.press("r")
        await stage.pilot.click(offset=(1, row))
        await stage.settle()
        assert stage.shows("Read-only mode (set at the start): no snapshot is created.")
        await stage.press("question_mark")
        assert stage.shows("Not now: Read-only mode (set at the start)")


async def test_a_key_in_the_bar_can_be_clicked() -> None:
    async with staged((120, 40)) as stage:
        bar = stage.text().splitlines()[-1]
        await stage.pilot.click(offset=(bar.index("h History") + 3, 39))
        await stage.settle()
        assert isinstance(stage.app.screen, HistoryScreen)


async def test_help_is_closed_by_its_own_key_and_searched() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("question_mark")
        assert isinstance(stage.app.screen, HelpDialog)
        await stage.press("slash")
        await stage.type("sort")
        assert stage.shows("Choose the column to sort by")
        assert not stage.shows("Create a snapshot")
        await stage.press("escape", "question_mark")
        assert isinstance(stage.app.screen, ClustersScreen)


async def test_half_a_page_goes_half_as_far_as_a_page() -> None:
    async with staged((120, 40), clusters=100) as stage:
        table = stage.app.screen.query_one("#table", RecordTable)
        places = {row.key: place for place, row in enumerate(table.rows)}
        await stage.press("ctrl+f")
        page = places[table.cursor_key or ""]
        await stage.press("ctrl+u")
        assert page - places[table.cursor_key or ""] == page // 2
        await stage.press("home", "ctrl+d")
        assert places[table.cursor_key or ""] == page // 2


async def test_the_arrows_lead_from_field_to_field_of_a_form() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("p", "a")
        first = stage.app.screen.focused
        await stage.press("down")
        assert stage.app.screen.focused is not first
        await stage.press("up")
        assert stage.app.screen.focused is first


async def test_a_filter_stays_in_sight_with_a_count_that_is_true() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("slash")
        await stage.type("status:running !검색")
        await stage.press("enter")
        assert stage.app.screen.query_one("#table", RecordTable).has_focus
        assert stage.shows("status:running !검색", "7 of 14 rows, as of 09:00:00 KST")
        world = stage.sandbox.world
        del world._clusters["1037001"]
        await stage.press("r")
        assert stage.shows("6 of 13 rows, as of 09:00:00 KST")
        await stage.press("escape")
        assert not stage.shows("of 13 rows")


async def test_how_old_is_too_old_is_the_profiles_own() -> None:
    async with staged((120, 40), profile=dataclasses.replace(PROFILE, max_age="3d")) as stage:
        assert stage.shows("42 h")
        assert not stage.shows("42 h ! old")


async def test_a_click_on_the_path_leads_there() -> None:
    """The profile opens the profiles; a part before the last leads back; the last is where the user is."""
    async with staged((120, 40)) as stage:
        await stage.pilot.click(offset=(stage.text().splitlines()[0].index("Clusters"), 0))
        await stage.settle()
        assert isinstance(stage.app.screen, ClustersScreen)
        await stage.pilot.click(offset=(stage.text().splitlines()[0].index("prod"), 0))
        await stage.settle()
        assert stage.shows("prod / KR / Profiles")
        await stage.pilot.click(offset=(stage.text().splitlines()[0].index("KR"), 0))
        await stage.settle()
        assert isinstance(stage.app.screen, ClustersScreen)


async def test_a_line_of_the_details_that_is_too_long_ends_in_an_ellipsis() -> None:
    async with staged((60, 20)) as stage:
        row = next(each for each in stage.text().splitlines() if each.startswith(" next run"))
        assert row.rstrip().endswith("…")


async def test_a_sentence_of_the_checks_goes_on_below_its_beginning() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("down", "down", "down", "down", "s")
        rows = [each[:60].rstrip() for each in stage.text().splitlines()]
        place = next(number for number, each in enumerate(rows) if "'changing', not running" in each)
        assert not rows[place].endswith("…")
        assert rows[place + 1].startswith("              "), rows[place : place + 2]
        assert "Wait until" in rows[place + 1]


async def test_the_profile_in_the_header_opens_the_profiles_from_every_screen() -> None:
    """Behind the profiles there is home only: a form of the profile before would send with the one chosen there."""
    async with staged((120, 40)) as stage:
        identity = stage.app.session.identity
        assert identity is not None
        home = stage.app.screen
        for keys in ((), ("h",), ("h", "s"), ("s",), ("u",)):
            await stage.press(*keys)
            place = stage.text().splitlines()[0].index(identity.name)
            await stage.pilot.click(offset=(place + 1, 0))
            await stage.settle()
            assert isinstance(stage.app.screen, ProfilesScreen), keys
            assert stage.app.screen_stack[-2] is home
            await stage.pilot.click(offset=(place + 1, 0))
            await stage.settle()
            assert isinstance(stage.app.screen, ProfilesScreen), "here it is already"
            await stage.press("escape")
            assert stage.app.screen is home


async def test_the_snapshots_of_this_run_are_listed_over_the_form_of_a_profile() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("p", "a", "x", "f4")
        assert isinstance(stage.app.screen, RunListDialog)
        await stage.press("f4")
        assert isinstance(stage.app.screen, ProfileFormScreen)
        assert stage.app.screen.query_one("#name", Input).value == "x"
        stage.app.post_message(HistoryWanted(next(iter(stage.app.session.clusters.values()))))
        await stage.expect("Save or leave this form first")
        place = stage.text().splitlines()[0].index("Profiles")
        await stage.pilot.click(offset=(place + 1, 0))
        await stage.expect("What you typed is lost")
