"""The board on the screen: every profile in one list, worst first; no key is asked for by itself; enter goes there."""

from __future__ import annotations

from pathlib import Path

import httpx

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.tui.dialogs.unlock import PassphraseDialog
from ncp_tui.tui.screens.batch_review import BatchReviewScreen
from ncp_tui.tui.screens.board import BoardScreen
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.history import HistoryScreen
from ncp_tui.view.board import BOARD
from ncp_tui.view.text import Row, Tone
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, Stage, staged
from tests.tui.test_hostile_text import PAYLOADS, Hostile, check
from tests.tui.test_key_file import PHRASE, Yesterdays
from tests.tui.wires import Held, Wire

WIDE = (160, 40)
VAULT = Profile(name="vault", access_key=ACCESS_KEY, store="file")
RANKS = {"CRITICAL: ": 0, "LOCKED: ": 1, "UNKNOWN: ": 1, "WARNING: ": 2, "not read yet": 3, "-": 4, "Not counted": 4}
LABELS = [column.label for column in BOARD.on_screen]


class Dead(httpx.AsyncBaseTransport):
    """A wire to several gateways, of which one listens to nobody."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "dead.example":
            raise httpx.ConnectError("refused", request=request) from ConnectionRefusedError()
        return await self._inner.handle_async_request(request)


async def save(stage: Stage, name: str, url: str = "", access_key: str = ACCESS_KEY) -> None:
    """Save one more profile, whose keys are in this session alone."""
    usual = stage.workspace.profiles.load().profiles[0]
    profile = Profile(name=name, access_key=access_key, store="session", gateway_url=url or usual.gateway_url)
    stage.workspace.profiles.add(profile)
    await stage.workspace.stores["session"].save(profile, SecretKey(SECRET_KEY))


def board(stage: Stage) -> BoardScreen:
    screen = stage.app.screen
    assert isinstance(screen, BoardScreen)
    return screen


def cell(row: Row, label: str) -> str:
    return row.cells[next(place for place, each in enumerate(LABELS) if each.startswith(label))].text


def table(stage: Stage) -> list[tuple[str, str, str, str]]:
    """Profile, cluster, problem and when it was read, row by row."""
    rows = board(stage).table.rows
    return [(cell(row, "PROFILE"), cell(row, "CLUSTER"), cell(row, "PROBLEM"), cell(row, "READ")) for row in rows]


async def test_worst_first_with_profiles_that_are_locked_dead_and_refused(tmp_path: Path) -> None:
    """Each costs the others nothing, none is green, and no key is asked for before the user says so."""
    key_file = Yesterdays(tmp_path)
    stores = {"session": SessionStore(), "file": key_file}
    async with staged(WIDE, clusters=3, more=[VAULT], stores=stores, wrap=Dead) as stage:
        await save(stage, "dead", url="https://dead.example")
        await save(stage, "other", access_key="SANDBOX00000000OTHER")
        await stage.press("b")
        await stage.until(lambda: stage.shows("profiles not read"))
        rows = table(stage)
        ranks = [next(rank for word, rank in RANKS.items() if problem.startswith(word)) for _, _, problem, _ in rows]
        assert ranks == sorted(ranks)
        assert set(ranks) == {0, 1, 4}
        alone = {name: (problem, read) for name, cluster, problem, read in rows if cluster == "(all clusters)"}
        assert set(alone) == {"vault", "dead", "other"}
        assert alone["vault"][0].startswith("LOCKED: ")
        assert alone["vault"][1] == "locked"
        assert all(alone[name][0].startswith("UNKNOWN: ") for name in ("dead", "other"))
        assert all(alone[name][1] == "failed 09:00:00" for name in ("dead", "other"))
        green = [row for row in board(stage).table.rows if any(each.tone is Tone.GOOD for each in row.cells)]
        assert green
        assert {cell(row, "PROFILE") for row in green} == {"prod"}
        assert key_file.opened == 0
        assert stage.shows("Profile vault is locked and not read: l asks to unlock.", "3 profiles not read")
        await unlock(stage)
        assert key_file.opened == 1
        await go_to_a_cluster_and_return(stage)


async def unlock(stage: Stage) -> None:
    await stage.app._press_keys(["l"])
    await stage.until(lambda: isinstance(stage.app.screen, PassphraseDialog))
    await stage.app._press_keys([*PHRASE, "enter"])
    await stage.until(lambda: isinstance(stage.app.screen, BoardScreen) and stage.shows("2 profiles not read"))
    assert [row for row in table(stage) if row[0] == "vault" and row[1] == "search-0001"]
    await stage.press("l")
    assert stage.shows("No profile is locked.")


async def go_to_a_cluster_and_return(stage: Stage) -> None:
    """As its own profile, and back to the same row."""
    await stage.press("slash")
    await stage.type("profile:vault search-0002")
    await stage.press("enter")
    assert stage.shows("1 of 12 rows"), stage.text()
    await stage.press("enter")
    assert isinstance(stage.app.screen, ClustersScreen)
    assert stage.app.session.identity is not None
    assert stage.app.session.identity.name == "vault"
    assert stage.text().splitlines()[0].startswith(" ncp-tui / vault / KR / Clusters")
    assert stage.app.screen.chosen is not None
    assert stage.app.screen.chosen.name == "search-0002"
    stage.clock.advance(5)
    await stage.press("escape")
    assert stage.shows("as of 09:00:00 KST"), "nothing was read again"
    found = board(stage).chosen
    assert found is not None
    assert found.found is not None
    assert (found.name, found.found.cluster.name) == ("vault", "search-0002")
    asked = stage.asked("getSnapshotHistory")
    assert stage.shows("verdict", "CRITICAL: No snapshot in the whole history.", "vault: public, region KR")
    await stage.press("r")
    assert stage.asked("getSnapshotHistory") > asked, "r reads all of it again"
    await stage.press("escape")
    assert not stage.app.screen.check_action("back", ()), "home again"


async def test_it_opens_over_every_list_and_over_no_form_and_leaving_it_stops_it() -> None:
    wire = Wire(Held, {"getSnapshotHistory"})
    async with staged(WIDE, clusters=3, settled=False, wrap=wire) as stage:
        await stage.expect("clusters, as of ")
        await stage.app._press_keys(["b"])
        await stage.until(lambda: isinstance(stage.app.screen, BoardScreen) and stage.shows("not read yet"))
        await stage.app._press_keys(["escape"])
        await stage.until(lambda: isinstance(stage.app.screen, ClustersScreen))
        await stage.until(lambda: not [each for each in stage.working if "board" in each])
        wire.held.gate.set()
        for keys, kind in ((["h"], HistoryScreen), ([], ClustersScreen)):
            await stage.press(*keys, "b")
            assert isinstance(stage.app.screen, BoardScreen)
            await stage.press("b")
            assert isinstance(stage.app.screen, BoardScreen)
            await stage.press("escape")
            assert isinstance(stage.app.screen, kind)
            if keys:
                await stage.press("escape")
        await stage.press("space", "s", "b")
        assert isinstance(stage.app.screen, BatchReviewScreen), "nothing leaves a form but esc"


async def test_hostile_names_are_text_on_the_board() -> None:
    async with staged(WIDE, clusters=2, wrap=lambda inner: Hostile(inner, PAYLOADS["all at once"])) as stage:
        for key in ("b", "down", "Y", "escape", "o", "escape", "enter", "escape"):
            await stage.press(key)
            check(stage, key)
        board(stage)


async def test_a_snapshot_is_followed_on_while_the_board_changes_the_profile() -> None:
    """And the palette has the board."""
    lab = Profile(name="lab", access_key=ACCESS_KEY, store="session")
    async with staged(WIDE, clusters=2, more=[lab]) as stage:
        await stage.press("s", "f2")
        await stage.until(lambda: len(stage.effects) == 1)
        await stage.press("escape", "colon")
        await stage.type("Board: ")
        await stage.press("down", "enter")
        await stage.until(lambda: isinstance(stage.app.screen, BoardScreen) and stage.shows("as of"))
        await stage.press("slash")
        await stage.type("profile:lab search-0002")
        await stage.press("enter", "enter")
        assert stage.app.session.identity is not None
        assert stage.app.session.identity.name == "lab"
        (tracked,) = stage.app.session.tracked
        assert (tracked.is_open, tracked.identity.name) == (True, "prod")
        assert len(stage.effects) == 1


async def test_it_is_read_again_as_chosen_for_the_board_alone() -> None:
    async with staged(WIDE, clusters=2) as stage:
        await stage.press("b", "R", "down", "enter")
        assert stage.shows("every 30 s")
        assert stage.app.session.choices == {"refresh-board": "30"}
        listed = stage.asked("getClusterInfoList")
        stage.clock.advance(45)
        board(stage).refresher.front(is_in_front=True)
        await stage.until(lambda: stage.asked("getClusterInfoList") == listed + 1)
        await stage.expect("as of 09:00:45 KST, every 30 s")
        await stage.press("O")
        assert stage.app.session.choices["sort.board"] == "-PROBLEM"
