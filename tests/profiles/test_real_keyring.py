"""The real GNOME Keyring on a real bus: the encrypted session, the real daemon's own ideas of locked and not there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("gnome-keyring-daemon") and shutil.which("dbus-run-session")),
        reason="gnome-keyring-daemon or dbus-run-session is not installed",
    ),
]

ROOT = Path(__file__).parents[2]
CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"

DRIVER = """
import asyncio, json, sys
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.os_keyring import KeyringStore

profile = Profile(name="prod", access_key="AKIDEXAMPLE123456789")
renamed = Profile(name="live", access_key=profile.access_key)
secret = SecretKey(sys.stdin.read() or "never used")

async def steps(store):
    yield "where", store.describe()
    yield "first", await store.load(profile) is None
    await store.save(profile, SecretKey("first"))
    await store.save(profile, secret)
    yield "saved", await store.load(profile) == secret
    await store.rename(profile, renamed)
    yield "renamed", await store.load(renamed) == secret and await store.load(profile) is None
    if "keep" not in sys.argv:
        await store.delete(renamed)
        yield "deleted", await store.load(renamed) is None

async def main():
    told = {}
    try:
        async with asyncio.timeout(60):
            async for name, value in steps(KeyringStore()):
                told[name] = value
    except Problem as problem:
        told["problem"] = type(problem).__name__
        told["sentences"] = problem.sentences()
    print(json.dumps(told))

asyncio.run(main())
"""

UNLOCK = 'printf %s "ci-only-passphrase" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; '


def run_on_a_bus(home: Path, prefix: str, *arguments: str, display: str | None = None) -> dict[str, object]:
    """The driver under a bus of its own, with a home of its own: another's keyring would be locked for us."""
    home.mkdir(exist_ok=True)
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "PYTHONPATH": str(ROOT),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    environ |= {"DISPLAY": display} if display else {}
    script = prefix + 'exec "$@" 2>"$HOME/stderr"'
    command = ["dbus-run-session", "--", "bash", "-c", script, "driver", sys.executable, "-c", DRIVER, *arguments]
    # Files, not pipes: the daemon inherits them and outlives the driver, and a pipe is read until its last writer ends.
    with (home / "in").open("w+") as given, (home / "out").open("w") as told, (home / "bus").open("w") as noise:
        given.write(CANARY)
        given.seek(0)
        subprocess.run(command, env=environ, stdin=given, stdout=told, stderr=noise, timeout=120, check=False)
    assert (home / "stderr").read_text() == ""
    answer: dict[str, object] = json.loads((home / "out").read_text())
    return answer


def test_save_load_rename_delete(tmp_path: Path) -> None:
    answer = run_on_a_bus(tmp_path / "home", UNLOCK)
    assert answer == {
        "where": "OS keyring (Secret Service)",
        "first": True,
        "saved": True,
        "renamed": True,
        "deleted": True,
    }


def test_the_key_is_not_readable_on_the_disk(tmp_path: Path) -> None:
    run_on_a_bus(tmp_path / "home", UNLOCK, "keep")
    files = [one for one in (tmp_path / "home" / ".local").rglob("*") if one.is_file()]
    assert files
    assert all(CANARY.encode() not in one.read_bytes() for one in files)


def test_a_new_bus_without_the_passphrase_finds_it_locked(tmp_path: Path) -> None:
    """The usual case on a bastion: login by public key, so that no passphrase ever reached the keyring."""
    run_on_a_bus(tmp_path / "home", UNLOCK, "keep")
    answer = run_on_a_bus(tmp_path / "home", "")
    assert answer["problem"] == "KeyringLocked"


@pytest.mark.parametrize("display", [None, ":99"])
def test_a_keyring_that_was_never_made_opens_no_prompt(tmp_path: Path, display: str | None) -> None:
    """With DISPLAY set (ssh -X, a stale tmux) keyring's own backend waits for ever on a prompt that nobody sees."""
    answer = run_on_a_bus(tmp_path / "home", "", display=display)
    assert answer["problem"] == "KeyringLocked"
    assert "No prompt was opened" in str(answer["sentences"])


def test_a_wrong_passphrase_is_locked_and_not_a_success(tmp_path: Path) -> None:
    """`gnome-keyring-daemon --unlock` exits 0 with a wrong passphrase."""
    run_on_a_bus(tmp_path / "home", UNLOCK, "keep")
    answer = run_on_a_bus(tmp_path / "home", UNLOCK.replace("ci-only", "wrong"))
    assert answer["problem"] == "KeyringLocked"
