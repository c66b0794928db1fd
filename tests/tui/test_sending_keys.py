"""On a profile that may write: nothing but the key that sends, or two clicks, sends; and a held key sends once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.screens.profile_form import ProfileFormScreen
from tests.tui.stage import Stage, staged
from tests.tui.test_read_only import NAMES, SINGLE, changed_nothing

CREATE = "createSnapshot"
HELD = 60
"""Events of a key that is held for two seconds."""

BATCH = 50
NEARLY = (
    ["s", "enter", "enter", "enter", "enter"],
    ["s", "enter", "enter", "space", "tab", "enter"],
    ["s", "y", "enter"],
    ["d", "x", "enter", "y"],
    ["d", "s", "enter", "enter", "enter", "y"],
    ["h", "s", "tab", "tab", "tab", "enter", "y"],
    ["ctrl+p", *"create", "down", "enter", "enter", "y"],
    ["s", "ctrl+p", *"create", "enter", "enter"],
    ["u", "x", "y", "enter"],
)
"""What came close to a create, or ended in one, when enter and y were enough."""


def keys_of(chance: random.Random, *opening: str) -> list[str]:
    batch = ["escape"] * 5 + list(opening)
    while len(batch) < BATCH:
        if chance.random() < 0.2:
            batch += chance.choice(NEARLY)
        else:
            key = chance.choice([each for each in (*SINGLE, "q") if each != "f2"])
            batch.append(NAMES.get(key, key))
    return batch


@pytest.mark.parametrize(("batches", "seed"), [(6, 1), pytest.param(100, None, marks=pytest.mark.slow)])
async def test_keys_without_the_one_that_sends_send_nothing(
    batches: int, seed: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same keys each time; in the slow lane new ones. Every other batch begins on the form."""
    monkeypatch.chdir(tmp_path)
    seed = seed or random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    async with staged((100, 30)) as stage:
        monkeypatch.setattr(stage.app, "exit", lambda *_, **__: None)
        forms = 0
        for number in range(batches):
            batch = keys_of(chance, *["s"] * (number % 2))
            for key in batch:
                await stage.pilot._app._press_keys([key])
                forms += isinstance(stage.app.screen, CreateSnapshotScreen)
            await stage.pilot.pause()
            assert changed_nothing(stage), f"seed {seed}: {stage.effects}, after {batch}"
            assert stage.app.is_running, f"seed {seed}, after {batch}"
        assert forms, f"seed {seed} went nowhere"
    assert stage.app.crashed is None, f"seed {seed}"


async def hold(stage: Stage) -> None:
    """Hold the key that sends, while refusals come in between."""
    for _ in range(HELD):
        await stage.pilot.press("f2")
    await stage.settle()


def refusing(sandbox: Sandbox) -> None:
    body = {"code": 40070, "message": "snapshot with the same name already exists", "result": None, "requestId": "x"}
    sandbox.faults.add(CREATE, act=(200, body), times=None)


@pytest.mark.parametrize("again", ["x", *(pytest.param(key, marks=pytest.mark.slow) for key in ("tab", "up"))])
async def test_a_held_key_sends_once_after_each_decision(again: str) -> None:
    """A second of f2 after instant refusals was nearly thirty requests."""
    async with staged((100, 45), prepare=refusing) as stage:
        await stage.press("s")
        await hold(stage)
        assert stage.asked(CREATE) == 1
        assert stage.shows("read again, NCP refused (name):"), "they were green for a request that was refused"
        stage.clock.advance(600)
        await stage.press("f2")
        assert stage.asked(CREATE) == 1, "a pause alone is no decision"
        await stage.press("f5", again)
        await hold(stage)
        assert stage.asked(CREATE) == 2


def changing(sandbox: Sandbox) -> None:
    sandbox.world.change("search-0001", status="changing")


async def test_a_question_that_sends_is_answered_by_a_key_that_was_let_go_or_a_click() -> None:
    async with staged((100, 30), prepare=changing) as stage:
        await stage.press("s")
        await hold(stage)
        assert isinstance(stage.app.screen, SendQuestionDialog)
        assert stage.app.screen.query_one("#confirm-no").has_focus
        assert stage.shows("Release f2 first.")
        await stage.press("y", "space", "tab", "enter", "y", "c")
        assert stage.shows("enter does nothing here.   f2 Create")
        await stage.press("shift+tab", "enter")
        assert isinstance(stage.app.screen, CreateSnapshotScreen), "it opens on Cancel"
        assert not stage.asked(CREATE)
        await stage.press("f2")
        stage.clock.advance(1)
        await stage.press("f2")
        await stage.until(lambda: stage.asked(CREATE))
        assert stage.asked(CREATE) == 1


async def test_the_mouse_sends_by_a_click_on_the_button_and_another_on_create() -> None:
    async with staged((80, 24)) as stage:
        await stage.press("s")
        await stage.pilot.click("#create", times=2)
        await stage.until(lambda: isinstance(stage.app.screen, SendQuestionDialog))
        await stage.settle()
        assert isinstance(stage.app.screen, SendQuestionDialog), "the second click of two answers nothing"
        assert not stage.asked(CREATE)
        await stage.pilot.click("#confirm-no")
        await stage.settle()
        assert isinstance(stage.app.screen, CreateSnapshotScreen)
        await stage.pilot.click("#create")
        await stage.until(lambda: stage.app.screen.query("#confirm-yes"))
        await stage.settle()
        await stage.pilot.click("#confirm-yes")
        await stage.until(lambda: stage.effects)
        await stage.settle()
        assert (stage.asked(CREATE), len(stage.effects)) == (1, 1)


async def test_q_leaves_no_form() -> None:
    """In an input it is typed; anywhere else in a form it ended the program, with all that was typed."""
    async with staged((80, 24)) as stage:
        for opening, form in ((["s"], CreateSnapshotScreen), (["p", "a"], ProfileFormScreen)):
            await stage.press(*opening)
            for _ in stage.app.screen.focus_chain:
                await stage.press("tab", "q")
                assert stage.app.is_running
                assert isinstance(stage.app.screen, form)
            stage.app.set_focus(None)
            await stage.press("q")
            assert isinstance(stage.app.screen, form)
            assert stage.app.is_running
            while not isinstance(stage.app.screen, ClustersScreen):
                stage.app.pop_screen()
                await stage.settle()
