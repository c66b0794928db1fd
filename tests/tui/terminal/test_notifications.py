"""The end of a snapshot is told by the way the user chose, through tmux and screen, and as inert text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.tui.preferences import remember, remembered
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.terminal.driver import TerminalApp
from ncp_tui.tui.terminal.notifications import BELL, OFF, WAYS, Notifier, notification_sequence, way_for
from ncp_tui.tui.terminal.sequences import title_sequence
from tests.journeys.terminal import ESCAPE, F2, Terminal
from tests.tui.stage import ACCESS_KEY, staged

OSC9 = "\x1b]9;ncp-tui: Finished.\a"
OSC777 = "\x1b]777;notify;ncp-tui;Finished.\a"
XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environ", "last", "way"),
    [
        ({}, None, BELL),
        ({}, "osc9", "osc9"),
        ({"NCP_TUI_NOTIFY": "osc777"}, "osc9", "osc777"),
        ({"NCP_TUI_NOTIFY": " OFF "}, "osc9", OFF),
        ({"NCP_TUI_NOTIFY": ""}, "osc9", "osc9"),
        ({"NCP_TUI_NOTIFY": "pigeon"}, "osc9", "osc9"),
        ({"NCP_TUI_NOTIFY": "pigeon"}, "owl", BELL),
    ],
)
def test_the_variable_comes_before_the_last_choice(environ: dict[str, str], last: str | None, way: str) -> None:
    assert way_for(environ, last) == way


@pytest.mark.parametrize(
    ("way", "environ", "sequence"),
    [
        ("osc9", XTERM, OSC9),
        ("osc777", XTERM, OSC777),
        ("osc9", {"TERM": "tmux-256color"}, "\x1bPtmux;\x1b" + OSC9 + "\x1b\\"),
        ("osc777", {"TERM": "screen-256color", "TMUX": "/t,1,0"}, "\x1bPtmux;\x1b" + OSC777 + "\x1b\\"),
        ("osc9", {"TERM": "screen", "STY": "1.pts-0.host"}, "\x1bP" + OSC9 + "\x1b\\"),
        ("osc777", {"TERM": "linux"}, ""),
        ("osc9", {"TERM": "dumb"}, ""),
        ("osc9", {}, ""),
        (BELL, XTERM, ""),
        (OFF, XTERM, ""),
    ],
)
def test_each_terminal_gets_the_form_that_reaches_it(way: str, environ: dict[str, str], sequence: str) -> None:
    """A console that knows no such sequence would print it."""
    assert notification_sequence(way, "ncp-tui", "Finished.", environ) == sequence


@pytest.mark.parametrize("way", ["osc9", "osc777"])
def test_a_hostile_name_ends_no_sequence(way: str) -> None:
    """Whoever names a snapshot or a cluster sends no sequence of their own, and adds no part to ours."""
    hostile = "\x1b]52;c;AAAA\x07\x9d2;x\x9c\u202e;name\n\x1b\\" + "x" * 5_000
    sequence = notification_sequence(way, "ncp-tui", hostile, XTERM)
    assert sequence.startswith("\x1b]")
    assert sequence.endswith("\a")
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", sequence[2:-1])
    assert sequence.count(";") == notification_sequence(way, "a", "b", XTERM).count(";")
    assert len(sequence) < 300


def test_screen_gets_no_part_that_it_would_drop() -> None:
    """It counts bytes, and a syllable has three."""
    sequence = notification_sequence("osc9", "ncp-tui", "검" * 200, {"TERM": "screen"})
    parts = re.findall(r"\x1bP(.*?)\x1b\\", sequence, re.DOTALL)
    assert "".join(parts) == notification_sequence("osc9", "ncp-tui", "검" * 200, XTERM)
    assert max(len(part.encode()) for part in parts) <= 256


def test_what_is_sent_is_as_the_user_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real program does so below, and as a notification, silently or by a bell alone in the slow lane."""
    monkeypatch.setenv("TERM", XTERM["TERM"])
    for way, sent in {BELL: ["bell", ""], "osc9": ["bell", OSC9], "osc777": ["bell", OSC777], OFF: []}.items():
        told = Told()
        Notifier(told, way).announce("Finished.")
        assert told.sent == sent, way


class Told(TerminalApp):
    """An app that keeps what it would send."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def bell(self) -> None:
        self.sent.append("bell")

    def send(self, sequence: str) -> None:
        self.sent.append(sequence)


@pytest.mark.usefixtures("quick_looks")
async def test_the_title_says_what_is_known_and_no_more() -> None:
    """A create that was refused has not failed: nothing was started. A long profile pushes no news out of the title."""
    profile = Profile(name="p" * 64, access_key=ACCESS_KEY, store="session", default_bucket="bk.ses.snapshot")
    async with staged((160, 40), profile=profile) as stage:
        for status, code, words in ((400, "100", ": not started - "), (503, "500", ": unknown - ")):
            fault = (status, {"error": {"errorCode": code, "message": "x"}})
            stage.sandbox.faults.add("createSnapshot", "before", fault)
            await stage.press("s", "f2")
            await stage.until(lambda words=words: words in title_sequence(stage.app.notifier.title))  # type: ignore[misc]
            while not isinstance(stage.app.screen, ClustersScreen):
                await stage.press("escape")
        await stage.press("down", "s", "f2")
        stage.clock.advance(60)
        await stage.until(lambda: ": succeeded - " in title_sequence(stage.app.notifier.title))


async def test_the_palette_has_every_way_and_the_choice_is_kept() -> None:
    async with staged((120, 40)) as stage:
        remember(stage.workspace.paths, "theme", "ncp-light")
        await stage.press("colon")
        await stage.type("notify:")
        assert stage.shows(*(f"Notify: {way}" for way in WAYS))
        await stage.type(" osc777")
        await stage.press("down", "enter")
        assert stage.app.notifier.way == "osc777"
        assert remembered(stage.workspace.paths).choices == {"theme": "ncp-light", "notify": "osc777"}


async def test_the_demo_keeps_no_choice() -> None:
    async with staged((120, 40), demo=True) as stage:
        stage.app.choose_notice(OFF)
        await stage.settle()
        assert stage.app.notifier.way == OFF
        assert not stage.workspace.paths.settings_file.exists()


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(duration=1.0)) as running:
        yield running


def what_it_sends(gateway: ThreadedSandbox, tmp_path: Path, **environ: str) -> bytes:
    """Everything the real program sends to a terminal while it takes a snapshot to its end."""
    keys = {
        "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
        "NCLOUD_SECRET_KEY": gateway.sandbox.secret_key,
        "NCLOUD_API_GW": gateway.url,
        "NCP_TUI_PROFILE": "environment",
    }
    with Terminal(tmp_path, environ=keys | environ) as terminal:
        terminal.expect("14 clusters")
        terminal.press("s")
        terminal.expect("ok: cluster, health, bucket, name")
        terminal.press(F2)
        terminal.expect("Snapshot search-0001-")
        terminal.press(ESCAPE)
        terminal.expect("environment / KR / Clusters")
        terminal.press("q")
        assert terminal.expect_end() == 0
        return terminal.raw


@pytest.mark.slow
def test_a_bell_and_the_title_by_themselves(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    sent = what_it_sends(gateway, tmp_path)
    name = gateway.sandbox.ledger.effects[0].name
    for word in ("running", "succeeded"):
        assert sent.count(title_sequence(f"{name}: {word} - ncp-tui environment KR").encode()) == 1
    assert without_sequences(sent).count(b"\a") == 1
    assert b"\x1b]9;" not in sent
    assert b"\x1b]777;" not in sent


def test_a_notification_by_choice(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    sent = what_it_sends(gateway, tmp_path, NCP_TUI_NOTIFY="osc9")
    name = gateway.sandbox.ledger.effects[0].name
    for word in ("running", "succeeded"):
        assert sent.count(title_sequence(f"{name}: {word} - ncp-tui environment KR").encode()) == 1
    assert sent.count(f"\x1b]9;ncp-tui: Snapshot {name} succeeded in ".encode()) == 1
    assert without_sequences(sent).count(b"\a") == 1


@pytest.mark.slow
def test_silence_by_choice(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    sent = what_it_sends(gateway, tmp_path, NCP_TUI_NOTIFY="off")
    assert b"\a" not in without_sequences(sent)
    assert b": succeeded - ncp-tui environment KR\a" in sent, "the title tells all the same"


def without_sequences(sent: bytes) -> bytes:
    """`sent` without the strings for the terminal, whose end is a BEL as well."""
    return re.sub(rb"\x1b\][^\x07\x1b]*\x07", b"", sent)
