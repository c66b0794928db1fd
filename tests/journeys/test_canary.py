"""One secret key, through the whole program and into trouble; then all that is left behind is searched for it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.journeys.terminal import ESCAPE, F2, Terminal
from tests.profiles.metadata_server import MetadataServer, document
from tests.tables import each_row

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
ESCAPES = ("%{:02X}", "%25{:02x}", "\\u{:04x}", "\\\\u{:04X}", "\\x{:02x}", "&#{};", "&#x{:x};", "={:02X}")
SPELLINGS = [
    CANARY,
    CANARY[:20],
    base64.b64encode(CANARY.encode()).decode(),
    CANARY.encode().hex(),
    quote(CANARY.swapcase()).swapcase(),
    CANARY[::-1],
    *("".join(form.format(ord(letter)) for letter in CANARY) for form in ESCAPES),
    base64.b64encode(CANARY.encode()).decode().rstrip("="),
]

# Every logger at DEBUG into a file, as somebody looking for a fault would have it, and a bug at the end.
LOUD = """
import logging, os
logging.basicConfig(level=logging.DEBUG, filename=os.path.join(os.environ["HOME"], "debug.log"))
from ncp_tui.tui.screens.history import HistoryScreen
def broken(self):
    raise RuntimeError(f"broken on purpose with {self.session.connected.__dict__}")
HistoryScreen.action_failed = broken
"""


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(duration=1, secret_key=CANARY)) as served:
        yield served


def variables(gateway: ThreadedSandbox) -> dict[str, str]:
    return {
        "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
        "NCLOUD_SECRET_KEY": CANARY,
        "NCLOUD_API_GW": gateway.url,
        "NCP_TUI_PROFILE": "environment",
        "TEXTUAL_LOG": "textual.log",
        "SSLKEYLOGFILE": "tls.log",
    }


def left_behind(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file() and not path.is_symlink()}


def assert_no_key(found: dict[str, bytes]) -> None:
    for name, data in found.items():
        for spelling in SPELLINGS:
            assert spelling.encode() not in data, f"{name} has the key as {spelling}"


def with_command(gateway: ThreadedSandbox, folder: Path) -> dict[str, str]:
    """Variables of a user with a profile whose command prints the canary, in the home below `folder`."""
    command = folder / "print-key"
    command.write_text(f"#!/bin/sh\necho {CANARY}\necho {CANARY} >&2\n")
    command.chmod(0o700)
    profiles = folder / "home" / "profiles.toml"
    profiles.parent.mkdir(mode=0o700)
    profiles.write_text(
        f'version = 1\ndefault = "prod"\n[profiles.prod]\naccess_key = "{gateway.sandbox.access_key}"\n'
        f'gateway_url = "{gateway.url}"\nstore = "command"\nsecret_command = ["{command}"]\n'
    )
    return {"NCP_TUI_HOME": str(profiles.parent), "TEXTUAL_LOG": "textual.log", "SSLKEYLOGFILE": "tls.log"}


def processes(first: int) -> dict[str, bytes]:
    """What the system shows of a process and of all that it has started: their arguments and environments."""
    found: dict[str, bytes] = {}
    parents = {first}
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(folder.name) in parents or int(fields[1]) in parents:
                parents.add(int(folder.name))
                found |= {f"{folder}/{name}": (folder / name).read_bytes() for name in ("cmdline", "environ")}
        except OSError:  # it has ended
            continue
    return found


SOURCES = ["environment", *(pytest.param(name, marks=pytest.mark.slow) for name in ("server role", "secret command"))]


@pytest.fixture(params=SOURCES)
def with_keys(
    request: pytest.FixtureRequest, gateway: ThreadedSandbox, closed_folder: Path
) -> Iterator[dict[str, str]]:
    """Variables that lead to the canary: found in them, handed out by the metadata service, or printed by a command."""
    if request.param == "secret command":
        yield with_command(gateway, closed_folder)
        return
    found = variables(gateway)
    with MetadataServer(document(gateway.sandbox.access_key, CANARY, time.time() + 3600)) as metadata:
        if request.param == "environment":
            yield found
        else:
            yield {
                **{name: value for name, value in found.items() if not name.endswith("_KEY")},
                **metadata.environ,
                "NCP_TUI_PROFILE": "server-role",
            }


def test_the_full_screen_in_trouble(gateway: ThreadedSandbox, with_keys: dict[str, str], tmp_path: Path) -> None:
    """A create that succeeds, a look at everything on screen, answers that quote the key, and a crash."""
    headers = {"error": {"errorCode": "500", "message": f"debug: secret {CANARY}", "details": SPELLINGS[6:]}}
    with Terminal(tmp_path, environ=with_keys, first=LOUD) as terminal:
        terminal.expect("14 clusters")
        terminal.press("s")
        terminal.expect("valid (UTC)", "ok: cluster, health, bucket, name", "bk.ses.snapshot")
        terminal.press(F2)
        terminal.expect(" succeeded in ")
        terminal.press("y")
        terminal.expect("As curl", "NCLOUD_ACCESS_KEY")
        terminal.press(ESCAPE, ESCAPE)
        terminal.expect("search-0001", "LAST GOOD")
        if "NCLOUD_SECRET_KEY" not in with_keys:  # what the program was started with stays in /proc
            assert_no_key(processes(terminal.process.pid))
        gateway.sandbox.faults.add("getClusterInfoList", "answer", (500, headers), times=None)
        terminal.press("r")
        terminal.expect("500")
        terminal.press("h")
        terminal.expect("History")
        terminal.press("F")
        assert terminal.expect_end() == 1
    found = left_behind(tmp_path) | left_behind(Path(with_keys.get("NCP_TUI_HOME", tmp_path)))
    assert any(name.endswith("debug.log") for name in found), "the loggers were on"
    assert any("reports" in name for name in found), "it did crash"
    assert any(name.endswith("journal.jsonl") for name in found)
    assert any(name.endswith("session.jsonl") for name in found)
    assert_no_key(found | {"the terminal": terminal.raw})


@pytest.mark.slow
def test_the_commands_in_trouble(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """What each command prints and writes, the evidence for a ticket included."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "NCP_TUI_HOME": str(tmp_path / "n"),
        "LANG": "C.UTF-8",
    }
    environ |= variables(gateway)
    gateway.sandbox.faults.add("createSnapshot", "after", "drop")
    create = ["snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", "x-1"]
    printed = {}
    for arguments in (
        ["paths"],
        [*create, "--dry-run"],
        [*create, "--wait", "--json"],
        ["snapshot", "resolve"],
        ["snapshot", "evidence", "x-1"],
        ["profile", "list", "--json"],
        ["cluster", "list"],
    ):
        command = [sys.executable, "-m", "ncp_tui", *arguments]
        result = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, timeout=120, check=False)
        assert result.returncode == 0, (arguments, result.stderr)
        printed[" ".join(arguments)] = result.stdout + result.stderr
    found = left_behind(tmp_path)
    assert any("evidence-x-1" in name for name in found)
    assert not any(name.endswith("tls.log") for name in found)
    assert_no_key(found | printed)


ASK = """
import ctypes, resource
from ncp_tui.workspace import open_workspace
open_workspace()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
@each_row(("variables", "says"), [({}, "0 0 0"), ({"NCP_TUI_DEV": "1"}, "1 ")])
def test_the_memory_is_closed_to_others(variables: dict[str, str], says: str) -> None:
    """Another process of this user could attach and read memory and first environment, both of which hold the key."""
    environ = {"PATH": os.environ["PATH"], **variables}
    result = subprocess.run(
        [sys.executable, "-c", ASK], env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.startswith(says)
