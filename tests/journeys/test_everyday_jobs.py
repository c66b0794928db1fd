"""The everyday jobs through the real program in a real terminal: each with keys alone, and the same with the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.journeys.terminal import DOWN, ENTER, ESCAPE, F2, Terminal

pytestmark = pytest.mark.slow

WINDOW = (160, 40)
WITHOUT_A_GOOD_ONE = "search-0002"
RUNNING_ELSEWHERE = "search-0008"


class Hand(Protocol):
    """How the user does one step: with the keys, or with a click on a word that is on the screen."""

    def __call__(self, terminal: Terminal, _keys: tuple[str, ...], word: str, /) -> None: ...


def by_keys(terminal: Terminal, keys: tuple[str, ...], word: str) -> None:
    """Press the keys, when the word that says what they do is there."""
    terminal.expect(word)
    for key in keys:
        terminal.press(key)
        terminal.expect_quiet(0.2)


def by_mouse(terminal: Terminal, _keys: tuple[str, ...], word: str) -> None:
    """Click the word, and press nothing."""
    terminal.click(word)
    terminal.expect_quiet(0.2)


hands = pytest.mark.parametrize("hand", [by_keys, by_mouse])


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(duration=3.0)) as running:
        yield running


def opened(gateway: ThreadedSandbox, home: Path) -> Terminal:
    """The program with keys for the gateway, a moment before the clusters are there."""
    environ = {
        "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
        "NCLOUD_SECRET_KEY": gateway.sandbox.secret_key,
        "NCLOUD_API_GW": gateway.url,
        "NCP_TUI_PROFILE": "environment",
    }
    return Terminal(home, environ=environ, size=WINDOW)


def created(gateway: ThreadedSandbox) -> list[str]:
    return [effect.operation for effect in gateway.sandbox.ledger.effects]


@hands
def test_find_the_cluster_without_a_good_snapshot_and_create_one(
    hand: Hand, gateway: ThreadedSandbox, tmp_path: Path
) -> None:
    with opened(gateway, tmp_path) as terminal:
        terminal.expect("14 clusters", "none !")
        if hand is by_keys:
            terminal.press("/")
            terminal.expect("status:error")
            terminal.press("none", ENTER)
            terminal.expect_gone("search-0001 ")
        hand(terminal, (), WITHOUT_A_GOOD_ONE)
        terminal.expect("search-0002  number 1037002", "none")
        hand(terminal, ("s",), "s Create")
        terminal.expect("search-0002 / Create snapshot", "valid (UTC)", "ok: cluster")
        if hand is by_mouse:
            terminal.click("  Create snapshot")
            terminal.expect("in bucket bk.ses.snapshot?")
            terminal.click("Create   ")
        else:
            terminal.press(F2)
        terminal.expect("succeeded in")
        hand(terminal, (ESCAPE,), "esc Back")
        terminal.expect("/ KR / Clusters")
        hand(terminal, ("q",), "q Quit")
        assert terminal.expect_end() == 0
    assert created(gateway) == ["createSnapshot"]


@hands
def test_follow_one_that_was_started_elsewhere(hand: Hand, gateway: ThreadedSandbox, tmp_path: Path) -> None:
    gateway.sandbox.world.start_elsewhere(gateway.sandbox.world.named(RUNNING_ELSEWHERE), 12.0)
    with opened(gateway, tmp_path) as terminal:
        terminal.expect("14 clusters", "running")
        hand(terminal, (DOWN,) * 7, RUNNING_ELSEWHERE)
        terminal.expect("search-0008  number 1037008")
        hand(terminal, ("f",), "f Follow")
        terminal.expect("succeeded in")
        hand(terminal, ("q",), "q Quit")
        assert terminal.expect_end() == 0
    assert not created(gateway)


@hands
def test_find_out_about_an_unknown_request(hand: Hand, gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """No answer said what became of it: its row has all that is known, and a key reads the history again."""
    gateway.sandbox.faults.add("createSnapshot", "before", "drop")
    with opened(gateway, tmp_path) as terminal:
        terminal.expect("14 clusters")
        terminal.press("s")
        terminal.expect("valid (UTC)", "ok: cluster")
        terminal.press(F2)
        terminal.expect("no answer")
        hand(terminal, (ESCAPE,), "esc Back")
        terminal.expect("/ KR / Clusters")
        hand(terminal, ("u",), "u Requests")
        terminal.expect("/ Requests", "search-0001-", "outcome: unknown", "The connection was lost before")
        hand(terminal, ("s",), "s Check")
        terminal.expect("no answer from NCP; checking the history")
    assert not created(gateway)


@hands
def test_remap_a_key(hand: Hand, gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """The footer and help show the key that is in force; the old one does nothing; a wrong name is told of."""
    with opened(gateway, tmp_path) as terminal:
        settings = terminal.home / "settings.toml"
        terminal.expect("14 clusters", "h History")
        hand(terminal, ("q",), "q Quit")
        assert terminal.expect_end() == 0
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('[keys]\n"clusters.history" = "H"\n"clusters.histroy" = "x"\n', encoding="utf-8")
    with opened(gateway, tmp_path) as terminal:
        terminal.expect("H History", "Key of clusters.histroy: there is no such binding")
        hand(terminal, ("?",), "? Help")
        terminal.expect("H               Snapshot history")
        terminal.press(ESCAPE)
        terminal.expect_gone("This screen")
        terminal.press("h")
        terminal.expect_quiet()
        terminal.expect("/ KR / Clusters")
        hand(terminal, ("H",), "H History")
        terminal.expect("search-0001 / History")
        hand(terminal, (ESCAPE,), "esc Back")
        hand(terminal, ("q",), "q Quit")
        assert terminal.expect_end() == 0
