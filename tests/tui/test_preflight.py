"""The lights before a create: what they say, what only warns, what forbids; and a journal that cannot be written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.widgets import Button, Static

from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.snapshots.journal import Journal
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.widgets.text_view import TextView
from tests.snapshots.journals import events_of
from tests.snapshots.long_history import make_long
from tests.tui.stage import Stage, staged
from tests.tui.test_requests import SENT, earlier_run, paths_in
from tests.tui.wires import Held, Silent, Wire

CREATE, SHOW, BUCKETS, HISTORY = "createSnapshot", "getClusterInfo", "getBucketList", "getSnapshotHistory"
NAME = "search-0001-20260102-000000"
WIDE = (120, 40)


def form_of(stage: Stage) -> CreateSnapshotScreen:
    assert isinstance(stage.app.screen, CreateSnapshotScreen)
    return stage.app.screen


def lights(stage: Stage) -> str:
    return str(form_of(stage).query_one("#preflight", Static).visual)


def pane(stage: Stage) -> str:
    return form_of(stage).query_one("#preview", TextView).text


def can_create(stage: Stage) -> bool:
    return not form_of(stage).query_one("#create", Button).disabled


def sentences(stage: Stage) -> str:
    """What is on the screen without its lines and boxes."""
    return " ".join(stage.text().replace("│", " ").split())


async def test_all_green_sends_without_a_question() -> None:
    async with staged((80, 24)) as stage:
        await stage.press("s")
        assert lights(stage) == "ok: cluster, health, bucket, name, snapshots, storage key, clock"
        assert stage.shows(lights(stage)), "the whole line is in an 80x24 window"
        await stage.press("f2")
        assert [effect.name for effect in stage.effects] == [NAME]


RED: tuple[tuple[dict[str, str], str, str], ...] = (
    ({"status": "changing"}, "warn: cluster", "'changing', not running. NCP may refuse the request."),
    (
        {"status": "running", "health": "red"},
        "warn: health",
        "red: some primary shards are missing (from the cluster list). The snapshot would be incomplete.",
    ),
)


async def test_a_red_light_asks_and_no_letter_sends() -> None:
    async with staged(WIDE) as stage:
        for state, red, words in RED:
            stage.sandbox.world.change("search-0001", **state)
            await stage.press("escape", "r", "s")
            assert lights(stage).startswith(red)
            assert words in " ".join(pane(stage).split())
            await stage.press("f2")
            assert isinstance(stage.app.screen, SendQuestionDialog), red
            await stage.press("escape")
        for key in ("enter", "space", "y", "n", "escape"):
            await stage.press("f2")
            assert isinstance(stage.app.screen, SendQuestionDialog)
            assert f"Create {NAME} anyway?" in sentences(stage)
            await stage.press(key)
            if isinstance(stage.app.screen, SendQuestionDialog):
                await stage.press("escape")
        assert not stage.asked(CREATE)
        await stage.press("f2", "tab", "f2")
        assert stage.asked(CREATE) == 1


UNSURE = {SHOW: "cluster, health", BUCKETS: "bucket, storage key", HISTORY: "name, snapshots"}
"""What cannot be told where the answer to an operation does not come."""


async def test_what_cannot_be_read_is_unsure_and_forbids_nothing() -> None:
    async with staged(WIDE) as stage:
        for operation, unsure in UNSURE.items():
            failing = (500, {"error": {"errorCode": "900", "message": "x"}})
            stage.sandbox.faults.add(operation, "before", failing, times=None)
            await stage.press("escape", "s")
            assert lights(stage).startswith(f"warn: {unsure}   ok:")
            assert can_create(stage), operation
            stage.sandbox.faults.clear()
        await stage.press("f2")
        assert len(stage.effects) == 1


async def test_a_create_before_the_lights_are_known_asks() -> None:
    """A look that hangs forbids nothing, but nobody skips it by pressing keys in a hurry."""
    wire = Wire(Silent, set[str]())
    async with staged(WIDE, wrap=wire) as stage:
        wire.held.operations = {HISTORY}
        await stage.pilot.press("s")
        await stage.expect("checking ...")
        await stage.pilot.press("f2")
        await stage.until(lambda: "Preflight checks are not complete." in sentences(stage))
        assert not stage.asked(CREATE)
        wire.held.operations = set()
        await stage.pilot.press("tab", "f2")
        await stage.until(lambda: stage.effects)


async def test_the_lights_follow_the_typing_without_any_request() -> None:
    async with staged(WIDE) as stage:
        await stage.press("s")
        taken = stage.sandbox.world.state(stage.sandbox.world.clusters[0]).runs[0].name
        before = len(stage.sandbox.ledger.requests)
        await stage.fill("name", taken)
        assert lights(stage).startswith("warn: name")
        assert f"{taken} was requested before" in pane(stage)
        await stage.type("x")
        assert lights(stage).startswith("ok: cluster")
        await stage.fill("bucket", "audit-locked")
        assert lights(stage).startswith("block: bucket")
        assert not can_create(stage)
        assert len(stage.sandbox.ledger.requests) == before


async def test_f5_looks_at_the_cluster_again() -> None:
    async with staged(WIDE) as stage:
        await stage.press("s")
        assert stage.shows("search-0001  1037001  running  green")
        shown = stage.asked(SHOW)
        stage.sandbox.world.change("search-0001", status="changing")
        await stage.press("f5")
        assert stage.asked(SHOW) == shown + 1
        assert lights(stage).startswith("warn: cluster   ok: health")
        assert stage.shows("search-0001  1037001  changing", "not running: NCP may reject the request")


AGAIN = "Nothing was sent: the checks were out of date and are being repeated. Press f2 again."


async def test_old_lights_are_read_again_before_anything_is_sent() -> None:
    """A form left open over lunch shows the cluster of before lunch."""
    async with staged(WIDE) as stage:
        await stage.press("s")
        stage.clock.advance(121)
        await stage.press("f2")
        assert stage.shows(AGAIN)
        assert (stage.asked(SHOW), stage.asked(CREATE)) == (2, 0)
        stage.clock.advance(119)
        await stage.press("tab", "f2")
        assert (stage.asked(SHOW), stage.asked(CREATE)) == (2, 1), "not old yet"


async def test_what_went_red_meanwhile_is_asked_about() -> None:
    async with staged(WIDE) as stage:
        await stage.press("s")
        stage.clock.advance(300)
        stage.sandbox.world.change("search-0001", status="changing")
        await stage.press("f2", "tab", "f2")
        assert isinstance(stage.app.screen, SendQuestionDialog)
        assert "'changing', not running" in sentences(stage)
        await stage.press("escape")
        assert stage.asked(CREATE) == 0


@asynccontextmanager
async def held_looks() -> AsyncIterator[tuple[Stage, Wire[Held]]]:
    """A form, and a wire on which a second look need not end."""
    wire = Wire(Held, {SHOW})
    async with staged(WIDE, wrap=wire, settled=False) as stage:
        wire.held.gate.set()
        await stage.settle()
        await stage.press("s")
        yield stage, wire


async def look_again(stage: Stage, wire: Wire[Held]) -> None:
    """Press the key that sends when the lights are old, and stay before the end of the look that it brings."""
    wire.held.gate.clear()
    stage.clock.advance(300)
    before = stage.asked(SHOW)
    form_of(stage).query_one("#name").focus()
    await stage.pilot.press("end", "f2")
    await stage.until(lambda: stage.asked(SHOW) == before + 1)


async def test_a_look_that_hangs_keeps_nobody_from_sending_and_sends_nothing_when_it_ends() -> None:
    async with held_looks() as (stage, wire):
        await look_again(stage, wire)
        for answer, sent in (("escape", 0), ("f2", 1)):
            await stage.pilot.press("tab", "f2")
            await stage.until(lambda: isinstance(stage.app.screen, SendQuestionDialog))
            await stage.until(lambda: "Preflight checks are out of date." in sentences(stage))
            await stage.pilot.press("tab", answer)
            await stage.until(lambda: isinstance(stage.app.screen, CreateSnapshotScreen))
            await stage.until(lambda sent=sent: stage.asked(CREATE) == sent)  # type: ignore[misc]
        wire.held.gate.set()
        await stage.settle()
        assert stage.asked(CREATE) == 1


async def test_nothing_is_sent_by_itself_when_the_look_ends() -> None:
    """Whatever the user has turned to meanwhile: every create is a key of theirs."""
    turned: tuple[list[str], ...] = ([], ["x"], ["f1"], ["f1", "escape"], ["f5"], ["escape"])
    async with held_looks() as (stage, wire):
        for keys in turned:
            await look_again(stage, wire)
            if keys:
                await stage.pilot.press(*keys)
            wire.held.gate.set()
            await stage.settle()
            assert stage.asked(CREATE) == 0, keys
            if keys == ["f1"]:
                await stage.press("escape")
        assert not isinstance(stage.app.screen, CreateSnapshotScreen)


async def test_a_name_in_doubt_is_sent_again_by_a_yes_to_exactly_that_request(tmp_path: Path) -> None:
    """Law 1: an earlier create of that name may have started, and another could be a second snapshot."""
    earlier_run(tmp_path, SENT, name=NAME)
    async with staged(WIDE, paths=paths_in(tmp_path)) as stage:
        await stage.press("s")
        assert lights(stage).startswith("warn: name")
        assert stage.shows("27/30  requested before")
        assert f"{NAME} was requested before" in pane(stage)
        await stage.press("f2")
        assert isinstance(stage.app.screen, SendQuestionDialog)
        question = str(stage.app.screen.query("#confirm-question Static").first(Static).visual)
        assert f"Send a second request for {NAME}? A yes covers only the request of" in question
        await stage.press("escape")
        assert not stage.asked(CREATE)
        await stage.press("tab", "f2", "tab", "f2")
        assert [effect.name for effect in stage.effects] == [NAME]


async def test_a_name_that_came_into_doubt_meanwhile_is_not_sent_either(tmp_path: Path) -> None:
    """Another window lost its answer after this form had looked."""
    async with staged(WIDE, paths=paths_in(tmp_path)) as stage:
        await stage.press("s")
        earlier_run(tmp_path, SENT, name=NAME)
        await stage.press("f2")
        assert isinstance(stage.app.screen, SendQuestionDialog)
        assert f"{NAME} on search-0001 was requested before" in sentences(stage)
        assert "Send a second request" in sentences(stage)
        assert not stage.asked(CREATE)
        await stage.press("escape")
        assert stage.shows("Nothing was sent: it would be a second request")


async def test_damage_of_the_journal_is_accepted_before_anything_is_sent(tmp_path: Path) -> None:
    """A yes to the damage is none to the create, and what may have been lost is still unknown."""
    earlier_run(tmp_path, SENT, name=NAME)
    journal = Journal(paths_in(tmp_path))
    raws = journal.path.read_bytes().splitlines()
    journal.path.write_bytes(raws[0] + b"\n" + b"\0" * len(raws[1]) + b"\n")
    async with staged(WIDE, paths=paths_in(tmp_path)) as stage:
        await stage.press("s")
        assert stage.shows("the journal is damaged")
        await stage.press("f2")
        assert "line 2 cannot be read" in sentences(stage)
        await stage.press("tab", "f2")
        assert not stage.asked(CREATE)
        assert journal.contents().damage is None
        await stage.settle()
        await stage.press("tab", "f2")
        assert "Send a second request" in sentences(stage)
        assert not stage.asked(CREATE)


def unwritable(root: Path) -> None:
    """A journal that can be read and not written: for root as well, whom no permission stops."""
    state = root / "state"
    state.mkdir(exist_ok=True)
    (state / "journal.jsonl.lock").mkdir()


async def test_the_oldest_row_of_a_long_history_is_asked_about() -> None:
    async with staged(WIDE, prepare=lambda sandbox: make_long(sandbox, NAME)) as stage:
        before = stage.asked(HISTORY)
        await stage.press("s")
        await stage.expect("warn: name")
        assert stage.asked(HISTORY) - before == 4, "the newest page, and then all three"
        await stage.press("f2")
        assert isinstance(stage.app.screen, SendQuestionDialog)
        assert f"Send a second request for {NAME}?" in sentences(stage)
        assert not stage.asked(CREATE)
        await stage.press("escape")
        await stage.press("1")
        assert lights(stage) == "ok: cluster, health, bucket, name, snapshots, storage key, clock"


async def test_without_a_journal_nothing_is_sent_but_by_a_yes(tmp_path: Path) -> None:
    async with staged(WIDE, paths=paths_in(tmp_path)) as stage:
        await stage.press("s")
        unwritable(tmp_path)
        await stage.press("f2")
        assert isinstance(stage.app.screen, SendQuestionDialog)
        assert stage.shows("The journal cannot be written", "without a journal record?")
        assert not stage.asked(CREATE)
        await stage.press("n")
        assert stage.shows(f"Not started: {NAME}.")
        assert not stage.asked(CREATE)
        await stage.press("f2")
        assert isinstance(stage.app.screen, SendQuestionDialog), "it is asked each time"
        await stage.press("tab", "f2")
        assert [effect.name for effect in stage.effects] == [NAME]
        assert stage.asked(CREATE) == 1
        assert stage.shows(f"{NAME}: running")


async def test_a_journal_that_fails_after_the_answer_is_told_of(tmp_path: Path, quick_looks: None) -> None:  # noqa: ARG001
    async with staged((160, 40), paths=paths_in(tmp_path)) as stage:
        await stage.press("s", "f2")
        await stage.expect("running")
        lock = tmp_path / "state" / "journal.jsonl.lock"
        lock.unlink(missing_ok=True)
        lock.mkdir()
        stage.clock.advance(60)
        await stage.expect("Not recorded in the journal:")
        assert events_of(stage.app.session.journal)[-1] != "finished"


async def test_a_clock_that_is_wrong_by_more_than_a_signature_may_be() -> None:
    def prepare(sandbox: Sandbox) -> None:
        sandbox.faults.skew(-400.0)

    async with staged(WIDE, prepare=prepare, clock_off=-10.0) as stage:
        await stage.press("s")
        assert lights(stage).startswith("warn: clock")
