"""What is typed or pasted faster than the screen follows ends in the field it was meant for, and nowhere else."""

from __future__ import annotations

from textual import events
from textual.widgets import Input, Select

from ncp_tui.tui.screens.profile_form import ProfileFormScreen
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, Stage, staged

KEYS = frozenset({"tab", "shift+tab", "enter", "down", "escape"})


def all_at_once(stage: Stage, *parts: str | events.Paste) -> None:
    """Send keys, texts and pastes as a slow line does: together, before the app has looked at the first."""
    driver = stage.app._driver
    assert driver is not None
    for part in parts:
        if isinstance(part, events.Paste):
            driver.send_message(part)
        elif part in KEYS:
            driver.send_message(events.Key(part, None))
        else:
            for letter in part:
                driver.send_message(events.Key(letter, letter))


def values(stage: Stage) -> dict[str, str]:
    return {
        box.id: box.value
        for box in stage.app.screen.query(Input)
        if box.id in {"name", "access_key", "secret_key", "default_bucket"}
    }


async def test_a_whole_form_in_one_burst() -> None:
    """From the key that opens the form on, over two choices: a secret key in the Name would be read by everybody."""
    async with staged((160, 40)) as stage:
        await stage.press("p")
        to_the_bucket = ("tab", "tab", "enter", "down", "enter", "tab", "tab")
        all_at_once(stage, "a", "lab", "tab", ACCESS_KEY, "tab", events.Paste(SECRET_KEY), *to_the_bucket, "weekly")
        await stage.settle()
        assert values(stage) == {
            "name": "lab",
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "default_bucket": "weekly",
        }
        assert stage.app.screen.query_one("#site", Select).value == "gov"
        assert SECRET_KEY not in stage.text()
        back = ("shift+tab",) * 4
        all_at_once(stage, *back, events.Paste("X"), "tab", "tab", "tab", "tab", "-2")
        await stage.settle()
        assert values(stage)["secret_key"] == "X", "all of it is selected, and replaced"
        assert values(stage)["default_bucket"] == "weekly-2"


async def test_keys_that_follow_each_other_through_screens() -> None:
    """Each acts on what the one before led to: on the list, then in the prompt, then on the list again."""
    async with staged((160, 40)) as stage:
        await stage.press("p")
        all_at_once(stage, "c", "-two", "enter")
        await stage.expect("prod copied to prod-copy-two.")
        await stage.settle()
        all_at_once(stage, "e", "tab", events.Paste(SECRET_KEY))
        await stage.until(lambda: isinstance(stage.app.screen, ProfileFormScreen))
        await stage.settle()
        assert values(stage)["secret_key"] == SECRET_KEY
        assert values(stage)["access_key"] == ACCESS_KEY


async def test_a_question_is_not_answered_before_it_is_seen() -> None:
    async with staged((160, 40)) as stage:
        all_at_once(stage, "p", "a", "lab", "escape", "y", "tab", "enter")
        await stage.expect("Leave without saving?")
        await stage.settle()
        assert stage.shows("Leave without saving?")
        all_at_once(stage, "y")
        await stage.until(lambda: not stage.shows("Leave without saving?"))
        all_at_once(stage, "a", "lab", "escape", "escape", "-2")
        await stage.settle()
        assert values(stage)["name"] == "lab-2", "a no is never too early"
