"""The history screen: newest first, failures told apart, a row in full, and a cluster without any."""

from __future__ import annotations

from dataclasses import replace

from textual.widgets import Input

from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.tui.dialogs.copy_picker import CopyPicker
from ncp_tui.tui.dialogs.dev_tools import DevToolsDialog
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.history import HistoryScreen
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.tui.widgets.text_view import TextView
from tests.tui.stage import Stage, staged

HISTORY = "getSnapshotHistory"
WIDE = (160, 40)


def table_of(stage: Stage) -> RecordTable:
    return stage.app.screen.query_one("#table", RecordTable)


def times(stage: Stage) -> list[str]:
    return [line[1:20] for line in stage.text().splitlines() if line[1:3] == "20"]


async def test_newest_first_with_state_in_words_failures_only_and_a_row_in_full() -> None:
    async with staged(WIDE) as stage:
        await stage.press("h")
        assert len(times(stage)) > 5
        assert times(stage) == sorted(times(stage), reverse=True)
        assert stage.shows("TIME (KST)", "23 snapshots, 5 failed", "2 of 40 shards failed")
        partial = next(line for line in stage.text().splitlines() if "2 of 40 shards" in line)
        assert " failed " in partial, "a snapshot that misses shards is no success"
        await stage.press("F")
        assert (table_of(stage).shown, table_of(stage).total) == (5, 5)
        assert stage.shows("History (failed and unknown only)")
        await stage.press("F")
        assert not stage.shows("unknown only")
        assert table_of(stage).shown == 23
        await stage.press("enter")
        assert isinstance(stage.app.screen, TextDialog)
        text = stage.app.screen.query_one(TextView).text
        for part in ("Raw API response", '"memberNo"', '"idx"', '"hasErrorLog"', " KST"):
            assert part in text, f"what nobody knows is shown too: {part}"
        await stage.press("escape", "escape")
        assert stage.shows("Clusters")


async def test_the_oldest_first_is_turned_around_and_no_failure_is_among_them() -> None:
    """The service's order is not documented; the newest must be on top whatever it is."""

    def prepare(sandbox: Sandbox) -> None:
        runs = sandbox.world.state(sandbox.world.clusters[0]).runs
        runs[:] = [run for run in reversed(runs) if run.ending == "SUCCESS"]

    async with staged(WIDE, prepare=prepare) as stage:
        assert stage.shows("last good    5 h ago")
        await stage.press("h")
        assert times(stage) == sorted(times(stage), reverse=True)
        assert times(stage)[0].startswith("2026-01-02")
        await stage.press("F")
        assert stage.shows("No failed or unknown snapshot in the rows loaded so far. F shows all.")


async def test_the_message_of_a_row_is_said_where_its_column_has_no_room() -> None:
    async with staged((80, 24)) as stage:
        await stage.press("h", "F", "down")
        assert "MESSAGE" not in stage.text()
        assert stage.shows("2 of 40 shards failed") or stage.shows("repository_verification_exception")


async def test_a_cluster_without_history() -> None:
    async with staged(WIDE) as stage:
        await stage.press("down", "h")
        assert stage.shows("No snapshots in the history.", "0 snapshots, 0 failed")
        await stage.press("enter", "f", "o")
        assert stage.shows("No snapshots in the history.")


async def test_trouble_leaves_what_was_read_before() -> None:
    async with staged(WIDE) as stage:
        await stage.press("h")
        fault = (504, {"error": {"errorCode": "510", "message": "Endpoint Timeout"}})
        stage.sandbox.faults.add(HISTORY, act=fault, times=None)
        await stage.press("r")
        assert stage.app.screen.query_one(ProblemCard).display
        assert stage.shows("(504/510", "Nothing was changed (read-only request).")
        assert times(stage)
        stage.sandbox.faults.clear()
        await stage.press("r")
        assert not stage.app.screen.query_one(ProblemCard).display


def long_history(sandbox: Sandbox, times: int = 10) -> None:
    """230 snapshots of the first cluster; the newest has the highest number."""
    runs = sandbox.world.state(sandbox.world.clusters[0]).runs
    count = len(runs) * times
    start = max(run.started for run in runs) - count * 60
    runs[:] = [
        replace(run, idx=place, name=f"snap-{place}", started=start + place * 60)
        for place, run in enumerate(runs * times)
    ]


async def test_the_newest_page_at_once_and_the_others_where_the_cursor_goes() -> None:
    """A history of 10,000 rows is 100 requests, of which nobody wants more than the first."""
    async with staged(WIDE, prepare=long_history) as stage:
        before = stage.asked(HISTORY)
        await stage.press("h")
        assert stage.shows("100 of 230 snapshots read", "snap-229", "Scroll down to load more.")
        assert stage.asked(HISTORY) == before + 1
        await stage.press("pagedown")
        assert stage.asked(HISTORY) == before + 1
        fault = (504, {"error": {"errorCode": "510", "message": "Endpoint Timeout"}})
        stage.sandbox.faults.add(HISTORY, act=fault, times=3)
        await stage.press("end")
        assert stage.app.screen.query_one(ProblemCard).display, "a page that fails is told"
        assert table_of(stage).total == 100
        await stage.press("end")
        await stage.expect("200 of 230 snapshots read")
        assert not stage.app.screen.query_one(ProblemCard).display, "and read again"
        assert "snap-130" in str(table_of(stage).cursor_key), "the cursor stays where it was"
        before = stage.asked(HISTORY)
        await stage.press("end")
        assert stage.asked(HISTORY) == before + 1
        assert stage.shows("230 snapshots, 50 failed")
        await stage.press("end", "r")
        assert stage.shows("230 snapshots, 50 failed")
        assert "snap-0/" in str(table_of(stage).cursor_key), "as much as before is read again"


async def test_whoever_looks_for_something_looks_through_all_of_it() -> None:
    """That a name, or a failure, is not among the newest hundred says nothing about the rest; evidence says so."""
    async with staged(WIDE, prepare=long_history) as stage:
        for key, then in (("slash", "11 of 230 match “snap-7”."), ("o", "230 snapshots, 50 failed")):
            await stage.press("h")
            assert stage.shows("100 of 230 snapshots read"), key
            await stage.press(key)
            if key == "slash":
                stage.app.screen.query_one("#filter", Input).value = "snap-7"
                await stage.settle()
            assert stage.shows(then), key
            while not isinstance(stage.app.screen, ClustersScreen):
                await stage.press("escape")
        await stage.press("h")
        screen = stage.app.screen
        assert isinstance(screen, HistoryScreen)
        part = await screen.read_history_of("snap-229", "1")
        assert part.problem is not None
        assert "100 of 230 snapshots read" in part.problem.what
        await stage.press("F")
        assert stage.shows("230 snapshots, 50 failed")
        assert (await screen.read_history_of("snap-229", "1")).problem is None


async def test_the_newest_are_on_top_where_the_service_begins_with_the_oldest() -> None:
    def prepare(sandbox: Sandbox) -> None:
        long_history(sandbox)
        sandbox.world.state(sandbox.world.clusters[0]).runs.reverse()

    async with staged(WIDE, prepare=prepare) as stage:
        await stage.press("h")
        assert "snap-229/" in str(table_of(stage).cursor_key)
        assert stage.shows("of 230 snapshots read")
        await stage.press("end", "end", "end")
        assert table_of(stage).total == 230
        assert "snap-0/" in str(table_of(stage).cursor_key)


async def test_the_dev_tools_lines_of_a_row_to_read_and_to_copy_one() -> None:
    async with staged((80, 24)) as stage:
        await stage.press("h", "t")
        dialog = stage.app.screen
        assert isinstance(dialog, DevToolsDialog)
        name = dialog.to_copy().what.split()[4]
        assert f"GET _snapshot/REPOSITORY/{name}" in dialog.to_copy().text
        assert f"{name}: succeeded, taken " in dialog.to_copy().text
        assert stage.shows("b Copy one")
        await stage.press("b", "down", "down", "down", "down", "down")
        picker = stage.app.screen
        assert isinstance(picker, CopyPicker)
        chosen = picker.to_copy()
        assert chosen is not None
        assert chosen.what == "Restore drill"
        assert chosen.text.startswith(f"POST _snapshot/REPOSITORY/{name}/_restore\n{{\n")
        assert "#" not in chosen.text
        await stage.press("escape", "escape")
        assert isinstance(stage.app.screen, HistoryScreen)


async def test_there_are_no_dev_tools_lines_without_a_row() -> None:
    async with staged(WIDE) as stage:
        await stage.press("down", "h", "t")
        assert isinstance(stage.app.screen, HistoryScreen)
        assert stage.shows("No snapshot under the cursor.")


async def test_the_details_of_a_row_say_what_its_cluster_held() -> None:
    """By this machine's journal, for a snapshot that it requested; of any other nothing is known."""
    async with staged((120, 60)) as stage:
        await stage.press("s", "f2")
        stage.clock.advance(60.0)
        await stage.press("escape", "h", "z")
        held = ("The cluster before the create", "OpenSearch 2.17.1 (code 2171), 9 nodes", "held ")
        assert stage.shows("request ID", "KST, here, as prod", *held)
        await stage.press("z", "down", "z")
        assert not stage.shows("The cluster before the create")
