"""The user's own keys: what of the settings file is in force, and what is said of the rest."""

from __future__ import annotations

import re
from typing import Any

from ncp_tui.problem import NextAction, Problem
from ncp_tui.tui.app import NcpApp
from ncp_tui.tui.key_bindings import SEND_ID, problem_words, use_keys
from ncp_tui.tui.keymap import FIXED, OwnKeys, all_bindings, read_keymap
from ncp_tui.tui.screens.base import BaseScreen
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.screens.profiles import ProfilesScreen
from ncp_tui.tui.widgets.record_table import RecordTable
from tests.tables import each_row
from tests.tui.stage import staged

BINDINGS = {
    "clusters.snapshot": OwnKeys("s", frozenset({ClustersScreen})),
    "clusters.history": OwnKeys("h", frozenset({ClustersScreen})),
    "profiles.edit": OwnKeys("e", frozenset({ProfilesScreen})),
    "screen.reload": OwnKeys("r", frozenset({BaseScreen})),
    "table.down": OwnKeys("down,j", frozenset({RecordTable})),
    "app.help": OwnKeys("question_mark", frozenset({NcpApp})),
    "app.quit_now": OwnKeys("ctrl+c", frozenset({NcpApp})),
    SEND_ID: OwnKeys("f2", frozenset({CreateSnapshotScreen})),
}


@each_row(
    "wanted, kept, said",
    [
        ({"clusters.snapshot": "c"}, {"clusters.snapshot": "c"}, ""),
        ({"table.down": "down,j,ctrl+n"}, {"table.down": "down,j,ctrl+n"}, ""),
        ({"table.down": "down, ctrl+n"}, {"table.down": "down,ctrl+n"}, ""),
        ({SEND_ID: "f12"}, {SEND_ID: "f12"}, ""),
        ({"clusters.create": "c"}, {}, "Key of clusters.create: there is no such binding"),
        ({"clusters.snapshot": "ctrl+a"}, {}, "ctrl+a belongs to the terminal, tmux or the shell"),
        ({"clusters.snapshot": "ctrl+c"}, {}, "ctrl+c belongs to"),
        ({"clusters.snapshot": ""}, {}, "a text of one key, or several"),
        ({"clusters.snapshot": 5}, {}, "a text of one key, or several"),
        ({"clusters.snapshot": ["c"]}, {}, "a text of one key, or several"),
        ({SEND_ID: "x"}, {}, "is a function key"),
        ({SEND_ID: "f0"}, {}, "f0 is no key"),
        ({SEND_ID: "f99"}, {}, "f99 is no key"),
        ({SEND_ID: "F3"}, {SEND_ID: "f3"}, ""),
        ({"clusters.snapshot": "bananas"}, {}, "bananas is no key"),
        ({"clusters.snapshot": "ctrl+bananas"}, {}, "ctrl+bananas is no key"),
        ({"clusters.snapshot": "a b"}, {}, "a b is no key"),
        ({"clusters.snapshot": "\x1b[2J"}, {}, "is no key"),
        ({"clusters.snapshot": "c,"}, {}, "a text of one key, or several"),
        ({"clusters.snapshot": True}, {}, "a text of one key, or several"),
        ({"clusters.snapshot": "Ctrl+S"}, {}, "ctrl+s belongs to"),
        ({"clusters.snapshot": "ctrl+m"}, {}, "ctrl+m belongs to"),
        ({"clusters.snapshot": "Ctrl+N"}, {"clusters.snapshot": "ctrl+n"}, ""),
        ({"clusters.snapshot": "!"}, {"clusters.snapshot": "exclamation_mark"}, ""),
        ({"clusters.snapshot": "?"}, {}, "question_mark is the key of app.help"),
        ({"clusters.snapshot": "ㅅ"}, {"clusters.snapshot": "ㅅ"}, ""),  # the letter of s in a Korean layout
        ({"app.quit_now": "x"}, {}, "it cannot be changed"),
        # One of three in a row has to stay, and then the two that stood where it goes back to.
        (
            {"clusters.snapshot": "h", "clusters.history": "r"},
            {},
            "Key of clusters.snapshot: h is the key of clusters.history.",
        ),
        ({SEND_ID: "f2,x"}, {}, "is a function key"),
        ({"clusters.snapshot": "h"}, {}, "Key of clusters.snapshot: h is the key of clusters.history."),
        ({"clusters.snapshot": "r"}, {}, "r is the key of screen.reload"),
        ({"clusters.snapshot": "j"}, {}, "j is the key of table.down"),
        # Two that are never on one screen may have the same key, and one that moves away makes room.
        ({"clusters.snapshot": "e"}, {"clusters.snapshot": "e"}, ""),
        (
            {"clusters.snapshot": "h", "clusters.history": "i"},
            {"clusters.snapshot": "h", "clusters.history": "i"},
            "",
        ),
        ({"\x1b[2J": "c"}, {}, "there is no such binding"),
    ],
)
def test_what_is_wrong_is_left_out_and_said_and_the_rest_holds(
    wanted: dict[str, Any], kept: dict[str, str], said: str
) -> None:
    keymap = read_keymap(wanted, BINDINGS)
    assert keymap.keys == kept
    assert said in " ".join(keymap.problems)
    assert bool(keymap.problems) is bool(said)
    assert "\x1b" not in " ".join(keymap.problems)


def test_every_binding_of_the_program_can_be_named() -> None:
    found = all_bindings()
    assert {"clusters.snapshot", "screen.back", "table.down", "app.quit", SEND_ID} <= set(found)
    assert not read_keymap(
        {name: f"alt+{chr(0xAC00 + place)}" for place, name in enumerate(found) if name not in {SEND_ID, *FIXED}},
        found,
    ).problems


async def test_a_remapped_key_is_in_force_and_named_everywhere() -> None:
    try:
        keys = {"clusters.snapshot": "c", "profiles.edit": "W", "clusters.nothing": "y"}
        async with staged((120, 40), keys=keys) as stage:
            label = next(each for each in ClustersScreen.BINDINGS if each.id == "clusters.snapshot").description  # type: ignore[union-attr]
            assert stage.shows(f"c {label}")
            assert f"s {label}" not in stage.text()
            assert stage.text().splitlines()[-1].strip().startswith(f"c {label}  h "), (
                "it stands where the usual key did"
            )
            assert stage.shows("Key of clusters.nothing: there is no such binding")
            assert "then W" in problem_words(Problem("x", "", "", NextAction("read_only.leave")))
            await stage.press("question_mark")
            assert stage.shows("Key of clusters.nothing: there is no such binding"), "the status line has moved on"
            assert any(re.search(r"\bc {4,}Create a snapshot", row) for row in stage.text().splitlines())
            await stage.press("escape", "c")
            assert isinstance(stage.app.screen, CreateSnapshotScreen)
    finally:
        use_keys({})
