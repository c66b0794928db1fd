"""The manual on the screen: on a bastion host there is no browser."""

from __future__ import annotations

import re
import tomllib

from ncp_tui.guide.pages import TOPICS, read_page
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.keymap import all_bindings, read_keymap
from ncp_tui.tui.palette import topics_of
from tests.tui.keys_page import page
from tests.tui.stage import staged


def test_the_list_of_keys_is_up_to_date() -> None:
    """`python -m tests.tui.keys_page` writes it anew."""
    assert read_page("keys") == page(read_page("keys"))


def test_the_example_of_own_keys_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", read_page("keys"), re.DOTALL)
    keymap = read_keymap(tomllib.loads(example)["keys"], all_bindings())
    assert len(keymap.keys) == 2
    assert not keymap.problems


async def test_the_palette_opens_every_topic_in_a_box() -> None:
    async with staged((80, 24)) as stage:
        commands = list(topics_of(stage.app))
        assert [command.title for command in commands] == [f"Guide: {topic.replace('-', ' ')}" for topic in TOPICS]
        await stage.press("colon")
        await stage.type("guide: troub")
        await stage.press("down", "enter")
        await stage.until(lambda: isinstance(stage.app.screen, TextDialog))
        await stage.expect("Guide: troubleshooting", "Symptom, meaning, and what to do.")
        assert stage.app.screen.to_copy().text.startswith("Troubleshooting\n===============\n")  # type: ignore[attr-defined]
        await stage.press("escape")
        for command in commands:
            command.callback()
            await stage.until(lambda: isinstance(stage.app.screen, TextDialog))
            await stage.press("escape")
