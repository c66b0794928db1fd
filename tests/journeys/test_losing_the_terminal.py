"""The terminal goes away, or somebody ends the program: it leaves in order, in time, and never spins."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.outcome import Verdict
from ncp_tui.system.paths import paths_from
from ncp_tui.tui.terminal.shutdown import ORDERLY_SECONDS
from tests.journeys.dead_gateway import KEYRING, add_profiles, dead_gateway
from tests.journeys.leaving import SOON, assert_restored, keys_of
from tests.journeys.terminal import F2, PATIENCE, Terminal

HANG = 600


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(duration=3.0)) as running:
        yield running


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_it_in_order(number: signal.Signals, tmp_path: Path) -> None:
    """Textual puts the terminal back for SIGINT alone; after the others the shell is drawn over the clusters."""
    with Terminal(tmp_path, "--demo") as terminal:
        terminal.expect("14 clusters")
        os.kill(terminal.process.pid, number)
        assert terminal.ends_within(SOON) == 128 + number
        assert_restored(terminal)
    assert not list(tmp_path.glob("ncp-tui-demo*")), "the demo's folder is still there"


IGNORE_HANGUP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
IN_ORDER = """
import os, pathlib
import ncp_tui.cli.main as command_line
close = command_line.close_streams
def closing():
    close()
    pathlib.Path(os.environ["HOME"], "in-order").touch()
command_line.close_streams = closing
"""
"""Leaves a trace when the program comes to its own end, and is not ended by the last resort."""


@pytest.mark.parametrize(
    "first",
    [pytest.param("", id="hangup", marks=pytest.mark.slow), pytest.param(IGNORE_HANGUP, id="nohup")],
)
def test_a_closed_terminal_ends_it_in_order(first: str, tmp_path: Path) -> None:
    """Told by SIGHUP, or by nothing but the end of its input, which without care it reads for ever, on a full core."""
    with Terminal(tmp_path, "--demo", first=first) as terminal:
        terminal.expect("14 clusters")
        terminal.hang_up()
        assert terminal.ends_within(SOON) == 128 + signal.SIGHUP
    assert not list(tmp_path.glob("ncp-tui-demo*")), "the demo's folder is still there"
    assert not list(tmp_path.rglob("reports/*")), "a lost terminal is no bug"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["chr(7)", "chr(7) * 20_000"], ids=["little", "much"])
@pytest.mark.parametrize("first", ["", IGNORE_HANGUP], ids=["hangup", "nohup"])
def test_a_terminal_closed_while_it_draws(first: str, what: str, gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """Textual's thread that writes dies of the first failing write, and the app waits for it for ever."""
    draw = f"""{first}{IN_ORDER}
from ncp_tui.tui.app import NcpApp
def draw(app):
    for _ in range(40):
        app._driver.write({what})
    app.set_timer(0.01, lambda: draw(app))
ready = NcpApp.on_ready
NcpApp.on_ready = lambda app: (ready(app), draw(app))
"""
    with Terminal(tmp_path, environ=keys_of(gateway), first=draw) as terminal:
        terminal.expect("14 clusters")
        terminal.hang_up()
        assert terminal.ends_within(SOON) == 128 + signal.SIGHUP
    assert (tmp_path / "in-order").exists()


@pytest.mark.slow
def test_its_input_fails(tmp_path: Path) -> None:
    """EIO, as for a process whose shell has died; Textual would print a traceback of its own."""
    fails = f"""{IN_ORDER}
import errno
read = os.read
def failing(handle, size):
    if handle == 0:
        raise OSError(errno.EIO, "Input/output error")
    return read(handle, size)
os.read = failing
"""
    with Terminal(tmp_path, "--demo", first=fails) as terminal:
        terminal.expect("14 clusters")
        terminal.press("?")
        assert terminal.ends_within(SOON) == 128 + signal.SIGHUP
        assert_restored(terminal)
    assert (tmp_path / "in-order").exists()


@pytest.mark.slow
def test_nobody_reads_what_it_draws(tmp_path: Path) -> None:
    """EPIPE, not EIO: the screen goes to stderr, and that may become a pipe."""
    closed = """
import os
from ncp_tui.tui.app import NcpApp
ready = NcpApp.on_ready
def close(app):
    ready(app)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(reading)
    os.close(writing)
    app.refresh()
NcpApp.on_ready = close
"""
    with Terminal(tmp_path, "--demo", first=closed) as terminal:
        assert terminal.ends_within(PATIENCE) == 128 + signal.SIGHUP
        assert b"Traceback" not in terminal.raw


@pytest.mark.slow
def test_a_terminal_that_takes_no_more(tmp_path: Path) -> None:
    """A link that stalls without closing: the app waits for the terminal, and must be ended all the same."""
    flood = """
from ncp_tui.tui.app import NcpApp
def write(app):
    for _ in range(200):
        app._driver.write("x" * 4000)
NcpApp.on_ready = lambda app: app.set_timer(0.2, lambda: write(app))
"""
    with Terminal(tmp_path, "--demo", first=flood) as terminal:
        while terminal.raw.count(b"x" * 400) < 1:
            terminal.read(0.05)
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.is_gone_within(SOON), "it waits for its terminal"
        assert terminal.ends_within(SOON) == 128 + signal.SIGTERM


HUNG_LOOKUP = f"""
import socket, time
real = socket.getaddrinfo
asked = []
def slow(host, *rest, **named):
    if host in ("hung.invalid", b"hung.invalid"):
        asked.append(host)
        if len(asked) > ANSWERED:
            time.sleep({HANG})
        host = "127.0.0.1"
    return real(host, *rest, **named)
socket.getaddrinfo = slow
"""
HUNG_KEYRING = f"""
import time
from ncp_tui.profiles.secret_stores import os_keyring
os_keyring._secret_service_backend = lambda *_: time.sleep({HANG})
"""
STUBBORN = f"""
import asyncio
from textual import work
from ncp_tui.tui.app import NcpApp
@work(group="stubborn", exit_on_error=False, description="never end")
async def stubborn(self):
    while True:
        try:
            await asyncio.sleep({HANG})
        except asyncio.CancelledError:
            pass
plain = NcpApp.on_mount
def on_mount(self):
    plain(self)
    self.stubborn()
NcpApp.stubborn, NcpApp.on_mount = stubborn, on_mount
"""
THREAD = f"""
import time
from textual import work
from ncp_tui.tui.app import NcpApp
@work(thread=True, group="thread", exit_on_error=False, description="hang in a thread")
def hang(self):
    time.sleep({HANG})
plain = NcpApp.on_mount
def on_mount(self):
    plain(self)
    self.hang()
NcpApp.hang, NcpApp.on_mount = hang, on_mount
"""


STUBBORN_WORKER = "worker that will not end"


@contextmanager
def hanging(what: str, tmp_path: Path, gateway: ThreadedSandbox, before: str = "") -> Iterator[Terminal]:
    """The program with something that hangs in it, in front of its clusters; `before` is run before it."""
    environ, first, texts = keys_of(gateway), "", ["Loading clusters ..."]
    if what == "request":
        gateway.sandbox.faults.add("getClusterInfoList", "before", "hang", times=None)
    elif what == "name lookup":
        environ["NCLOUD_API_GW"], first = "https://hung.invalid", HUNG_LOOKUP.replace("ANSWERED", "0")
    elif what == "second name lookup":
        environ["NCLOUD_API_GW"], first = "https://hung.invalid", HUNG_LOOKUP.replace("ANSWERED", "1")
    elif what == "keyring":
        store = ProfileStore(paths_from({"NCP_TUI_HOME": str(tmp_path / "ncp-tui")}))
        store.add(Profile(name="kept", access_key=gateway.sandbox.access_key, store="keyring"))
        environ, first = {"NCP_TUI_PROFILE": "kept"}, HUNG_KEYRING
    elif what == "thread":
        first, texts = THREAD, ["14 clusters"]
    else:
        first, texts = STUBBORN, ["14 clusters"]
    with Terminal(tmp_path, environ=environ, first=f"{before}{first}{IN_ORDER}") as terminal:
        terminal.expect(*texts)
        if what == "request":
            assert gateway.sandbox.faults.waiting[0].reached.wait(30)
        yield terminal


HANGING = ["request", "name lookup", "second name lookup", "keyring", "thread", STUBBORN_WORKER]


@pytest.mark.parametrize("what", [HANGING[0], *(pytest.param(what, marks=pytest.mark.slow) for what in HANGING[1:])])
def test_quitting_whatever_hangs(what: str, gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """The threads of a pool are joined at exit: `q` would take as long as the slowest name server."""
    with hanging(what, tmp_path, gateway) as terminal:
        terminal.press("q")
        assert terminal.ends_within(SOON) == 0
        assert_restored(terminal)
    assert (tmp_path / "in-order").exists() == (what != STUBBORN_WORKER)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", IGNORE_HANGUP], ids=["hangup", "nohup"])
@pytest.mark.parametrize("what", HANGING)
def test_a_closed_terminal_whatever_hangs(what: str, first: str, gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """What waits draws nothing, so that no failing write tells of the loss."""
    with hanging(what, tmp_path, gateway, first) as terminal:
        terminal.hang_up()
        assert terminal.ends_within(SOON) == 128 + signal.SIGHUP
    assert (tmp_path / "in-order").exists() == (what != STUBBORN_WORKER)


@pytest.mark.slow
def test_the_end_of_its_input(tmp_path: Path) -> None:
    """A job whose shell ignores the hangup gets no signal at all. A read fails then, or for ever returns nothing."""
    returns_nothing = f"""
import os
read = os.read
def ended(handle, size):
    try:
        return read(handle, size)
    except OSError:
        return b""
os.read = ended
{KEYRING}
from ncp_tui.__main__ import main
main()
"""
    shell = ["sh", "-c", """trap '' HUP; "$@"; exit $?""", "sh", sys.executable, "-c", returns_nothing]
    with dead_gateway() as url:
        add_profiles(tmp_path, url, ["first"])
        with Terminal(tmp_path, command=shell) as terminal:
            terminal.expect("Loading clusters ...")
            terminal.expect_quiet()  # no failing write is to tell of the loss
            terminal.hang_up()
            assert terminal.ends_within(SOON) == 128 + signal.SIGHUP


@pytest.mark.slow
def test_a_worker_writes_down_what_it_was_about(tmp_path: Path) -> None:
    """The end of asyncio's loop cancels what is still at work a second time: in the middle of its last words."""
    note = tmp_path / "noted"
    last_words = f"""
import asyncio, pathlib
from textual import work
from ncp_tui.tui.app import NcpApp
@work(group="last words", exit_on_error=False, description="write something down at the end")
async def last_words(self):
    try:
        await asyncio.sleep({HANG})
    finally:
        await asyncio.sleep(0.3)
        pathlib.Path({str(note)!r}).touch()
plain = NcpApp.on_mount
def on_mount(self):
    plain(self)
    self.last_words()
NcpApp.last_words, NcpApp.on_mount = last_words, on_mount
"""
    with Terminal(tmp_path, "--demo", first=last_words) as terminal:
        terminal.expect("14 clusters")
        terminal.hang_up()
        assert terminal.ends_within(SOON) == 128 + signal.SIGHUP
    assert note.exists()


@pytest.mark.slow
def test_a_hangup_that_was_switched_off(tmp_path: Path) -> None:
    """`nohup` and `trap '' HUP` are somebody's wish, as long as the terminal is there."""
    with Terminal(tmp_path, "--demo", first=IGNORE_HANGUP) as terminal:
        terminal.expect("14 clusters")
        os.kill(terminal.process.pid, signal.SIGHUP)
        terminal.press("?")
        terminal.expect("This screen")
        terminal.press("\x03")
        assert terminal.ends_within(SOON) == 0


HUNG_LOOP = f"""
import time
from ncp_tui.tui.app import NcpApp
NcpApp.action_help = lambda self: (self._driver.write("it hangs"), time.sleep({HANG}))
"""


@contextmanager
def hung_loop(tmp_path: Path, before: str = "") -> Iterator[Terminal]:
    """The program in a state in which nothing is left that could leave in order."""
    with Terminal(tmp_path, "--demo", first=before + HUNG_LOOP) as terminal:
        terminal.expect("14 clusters")
        terminal.press("?")
        while b"it hangs" not in terminal.raw:
            terminal.read(0.05)
        yield terminal


def test_a_loop_that_hangs(tmp_path: Path) -> None:
    """The last resort still puts the terminal back."""
    with hung_loop(tmp_path) as terminal:
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.ends_within(SOON) == 128 + signal.SIGTERM
        assert_restored(terminal)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", IGNORE_HANGUP], ids=["hangup", "nohup"])
def test_a_closed_terminal_of_a_loop_that_hangs(first: str, tmp_path: Path) -> None:
    """Nor does it spin meanwhile: to read the end of the input again and again takes a whole processor."""
    with hung_loop(tmp_path, first) as terminal:
        before = terminal.processor_seconds()
        terminal.hang_up()
        assert terminal.is_gone_within(SOON)
        used = terminal.processor_seconds() - before
        assert terminal.ends_within(SOON) == 128 + signal.SIGHUP
    assert used < ORDERLY_SECONDS / 2


@pytest.mark.parametrize(
    "first",
    [pytest.param("", id="hangup"), pytest.param(IGNORE_HANGUP, id="nohup", marks=pytest.mark.slow)],
)
def test_the_terminal_closes_in_the_middle_of_a_create(first: str, gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """The request may have arrived; nobody is there to be told, so what is on disk must tell it."""
    create = gateway.sandbox.faults.add("createSnapshot", "before", "hang")
    with Terminal(tmp_path, environ=keys_of(gateway), first=first) as terminal:
        terminal.expect("14 clusters")
        terminal.press("s")
        terminal.expect("valid (UTC)", "ok: cluster, health, bucket, name", "bk.ses.snapshot")
        terminal.press(F2)
        assert create.reached.wait(30)
        terminal.hang_up()
        assert terminal.ends_within(SOON) == 128 + signal.SIGHUP
        paths = paths_from({"NCP_TUI_HOME": str(terminal.home)})
    assert not list(paths.state_dir.glob("reports/*")), "a lost terminal is no bug"
    (entry,) = Journal(paths).abandoned()
    assert entry.in_doubt
    assert entry.verdict is Verdict.UNKNOWN
