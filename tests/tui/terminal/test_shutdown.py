"""Law 6, the screen never waits: switching, leaving and quitting while something hangs, and what each of them stops.

What hangs here hangs for ever, so whatever is waited for would never come if it waited for that.
"""

from __future__ import annotations

import asyncio

import pytest
from textual.worker import WorkerState

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.identity import Identities
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.tui.dialogs.confirm import QuestionDialog
from ncp_tui.tui.messages import IdentityFound
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.session import IdentityChoice
from ncp_tui.tui.widgets.record_table import RecordTable
from tests.tui.stage import ACCESS_KEY, Stage, staged
from tests.tui.wires import Held, Silent, Wire

LIST, BUCKETS, HISTORY, CREATE = "getClusterInfoList", "getBucketList", "getSnapshotHistory", "createSnapshot"
NAME = "search-0001-20260102-000000"
OTHER = Profile(name="stage", access_key=ACCESS_KEY, store="session")


async def choose(stage: Stage, name: str) -> None:
    await stage.pilot.press("p")
    await stage.expect(name, "ACCESS KEY")
    stage.app.screen.query_one("#table", RecordTable).move_to(name)
    await stage.pilot.press("enter")


async def test_another_profile_while_the_listing_hangs() -> None:
    wire = Wire(Silent, {LIST})
    async with staged((120, 40), more=[OTHER], wrap=wire, settled=False) as stage:
        await stage.until(lambda: wire.held.waiting)
        await choose(stage, "stage")
        await stage.expect("stage / KR / Clusters")
        await stage.until(lambda: wire.held.left == [LIST])
        await stage.until(lambda: wire.held.waiting == [LIST])


async def test_what_comes_late_for_the_last_profile_is_not_shown() -> None:
    """Clusters of another account under this account's name would be the worst mistake of this screen."""
    wire = Wire(Held, {LIST})
    async with staged((120, 40), more=[OTHER], wrap=wire, settled=False) as stage:
        await stage.until(lambda: stage.asked(LIST) == 1)
        stage.sandbox.world.change("search-0001", status="error")
        await choose(stage, "stage")
        await stage.until(lambda: stage.asked(LIST) == 2)
        wire.held.gate.set()
        await stage.settle()
        assert stage.shows("stage / KR / Clusters", "14 clusters")
        row = next(line for line in stage.text().splitlines() if line.strip().startswith("search-0001"))
        assert "error" in row


class HungStore(SessionStore):
    """A keyring that waits for a password nobody types."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = False

    async def load(self, profile: Profile) -> SecretKey | None:
        if self.hangs and profile.name == "prod":
            await asyncio.Event().wait()
        return await super().load(profile)


async def test_another_profile_while_the_keyring_hangs() -> None:
    store = HungStore()
    store.hangs = True
    async with staged((120, 40), more=[OTHER], stores={"session": store}, settled=False) as stage:
        await stage.expect("Loading clusters ...")
        await choose(stage, "stage")
        await stage.expect("stage / KR / Clusters", "14 clusters")
        await choose(stage, "prod")
        await stage.expect("prod / KR / Clusters")
        await stage.pilot.press("q")
        await stage.until(lambda: not stage.app.is_running)


@pytest.mark.parametrize(("operation", "key"), [(LIST, "q"), (HISTORY, "ctrl+c"), (BUCKETS, "q")])
async def test_quitting_while_a_read_hangs(operation: str, key: str) -> None:
    wire = Wire(Silent, {operation})
    async with staged((120, 40), wrap=wire, settled=False) as stage:
        if operation == BUCKETS:
            await stage.expect("14 clusters")
            await stage.pilot.press("s")
        await stage.until(lambda: operation in wire.held.waiting)
        if operation == BUCKETS:
            await stage.pilot.press("escape")
        await stage.pilot.press(key)
        await stage.until(lambda: not stage.app.is_running)
    assert stage.app.return_code == 0


async def test_leaving_a_screen_stops_what_it_reads() -> None:
    """Each forgotten read holds a connection of the few there are, and lands on a screen that has gone."""
    wire = Wire(Silent, set())
    async with staged((120, 40), wrap=wire) as stage:
        left: list[str] = []
        for operation, key, group in (
            (BUCKETS, "s", "preflight"),
            (HISTORY, "h", "history"),
            ("getClusterInfo", "enter", "detail"),
        ):
            wire.held.operations = {operation}
            await stage.pilot.press(key)
            await stage.until(lambda operation=operation: wire.held.waiting == [operation])  # type: ignore[misc]
            (worker,) = [each for each in stage.app.workers if each.group == group]
            await stage.pilot.press("escape")
            left.append(operation)
            await stage.until(lambda: wire.held.left == left)
            assert worker.state is WorkerState.CANCELLED, operation
            assert isinstance(stage.app.screen, ClustersScreen), operation
            assert not wire.held.waiting, operation
            wire.held.operations = set()
            await stage.settle()
        stopped = [each for action in stage.app.session.log.actions for each in action.exchanges if each.error]
        assert [each.error for each in stopped] == ["cancelled"] * len(left), "what was stopped is in the log"


async def test_going_on_from_a_screen_stops_what_it_reads() -> None:
    wire = Wire(Silent, {HISTORY})
    async with staged((120, 40), wrap=wire, settled=False) as stage:
        await stage.until(lambda: wire.held.waiting == [HISTORY, HISTORY])
        await stage.pilot.press("s")
        await stage.until(lambda: wire.held.left == [HISTORY, HISTORY])


async def test_switching_the_profile_never_stops_a_create(quick_looks: None) -> None:  # noqa: ARG001
    wire = Wire(Held, {CREATE})
    async with staged((160, 40), more=[OTHER], wrap=wire) as stage:
        await stage.press("s")
        await stage.pilot.press("f2", "escape")
        await choose(stage, "stage")
        await stage.expect("stage / KR / Clusters", "sending the request ...")
        wire.held.gate.set()
        await stage.expect(f"Snapshot {NAME} of search-0001: running")
        stage.clock.advance(60)
        await stage.expect(f"Snapshot {NAME} succeeded")
        followed = stage.app.session.tracked[0]
        assert followed.identity.name == "prod"
        assert (stage.asked(CREATE), len(stage.effects)) == (1, 1)


async def test_quitting_while_a_create_is_on_its_way_asks_once_and_ctrl_c_twice_quits() -> None:
    """Its answer would be lost, and with it the only proof of what happened."""
    wire = Wire(Held, {CREATE})
    async with staged((120, 40), wrap=wire) as stage:
        await stage.press("s")
        await stage.pilot.press("f2")
        await stage.expect("sending the request ...")
        await stage.until(lambda: stage.effects)  # before that it is being written down, and nothing has left
        await stage.pilot.press("ctrl+c")
        await stage.expect("A create request has no answer yet. Quit without it?")
        for key in ("enter", "space", "q", "n"):
            await stage.pilot.press(key)
            assert not stage.app._exit, f"{key} is no yes"
        await stage.expect("sending the request ...")
        assert not isinstance(stage.app.screen, QuestionDialog)
        await stage.pilot.press("ctrl+c", "ctrl+c")
        await stage.until(lambda: not stage.app.is_running)
    assert len(stage.effects) == 1


async def test_a_yes_quits_without_the_answer() -> None:
    wire = Wire(Held, {CREATE})
    async with staged((120, 40), wrap=wire) as stage:
        await stage.press("s")
        await stage.pilot.press("f2")
        await stage.expect("sending the request ...")
        await stage.pilot.press("ctrl+c", "y")
        await stage.until(lambda: not stage.app.is_running)


async def test_quitting_does_not_ask_once_it_is_accepted() -> None:
    """The snapshot goes on by itself; a question for every quit is answered without reading."""
    async with staged((120, 40)) as stage:
        await stage.press("s", "f2", "escape")
        await stage.pilot.press("q")
        await stage.until(lambda: not stage.app.is_running)


async def test_who_to_call_as_is_found_too_late() -> None:
    """The program is on its way out, and the screens that would show it are being taken apart."""
    async with staged() as stage:
        identity = stage.app.session.identity
        await stage.pilot.press("q")
        await stage.until(lambda: not stage.app.is_running)
    stage.app.session.identity = None
    stage.app.start(IdentityFound(IdentityChoice(Identities(), None, identity)))
    assert stage.app.session.identity is None
