"""The storage key through the real program: from a blocked form to a snapshot, and past a hostile gateway."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.fault_lab.echo_faults import spellings
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.search_engine.operations import SET_STORAGE_KEY
from tests.journeys.terminal import DOWN, ENTER, ESCAPE, F2, TAB, Terminal
from tests.journeys.test_canary import LOUD, left_behind

pytestmark = pytest.mark.slow

ACCESS, SECRET = "STORAGEKEYID00000042", "0bjectSt0rageCANARYsecret0123456789abcd"
F7, SHIFT_TAB = "\x1b[18~", "\x1b[Z"


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(duration=1.0)) as served:
        yield served


def variables(gateway: ThreadedSandbox) -> dict[str, str]:
    return {
        "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
        "NCLOUD_SECRET_KEY": gateway.sandbox.secret_key,
        "NCLOUD_API_GW": gateway.url,
        "NCP_TUI_PROFILE": "environment",
    }


def to_search_0004(terminal: Terminal) -> None:
    terminal.expect("14 clusters", "search-0004")
    for name in ("search-0002", "검색-로그-서울", "search-0004"):
        terminal.press(DOWN)
        terminal.expect(f"{name}  number")


def effects(gateway: ThreadedSandbox) -> list[str]:
    return [effect.operation for effect in gateway.sandbox.ledger.effects]


def test_from_a_form_that_is_blocked_to_a_snapshot(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    with Terminal(tmp_path, environ=variables(gateway), size=(120, 40)) as terminal:
        to_search_0004(terminal)
        terminal.press("s")
        terminal.expect("The cluster has no storage key, so NCP lists no buckets. Press f7 to set it.")
        terminal.press(F7)
        terminal.expect("Storage key of search-0004", "not set (code 10115)", "no snapshot is running")
        terminal.press(SHIFT_TAB, ENTER)
        terminal.expect("the key of this profile, SAND")
        terminal.press(DOWN, ENTER)
        terminal.expect_gone("another key")
        terminal.press(F2)
        terminal.expect("Set the storage key of search-0004 to SAND", "f2 Set key")
        terminal.expect_quiet(1.0)  # the key that opened it was let go
        terminal.press(F2)
        terminal.expect("Done: the storage key of search-0004 is SAND", "esc Close")
        terminal.press(ESCAPE)
        terminal.expect("bk.ses.snapshot", "ok: cluster, health, bucket, name, snapshots, storage key")
        terminal.press("a", F2)
        terminal.expect(" succeeded in ")
        terminal.press(ESCAPE)
        terminal.expect("LAST GOOD")
        terminal.press("q")
        assert terminal.expect_end() == 0
    assert effects(gateway) == [SET_STORAGE_KEY, "createSnapshot"]


def assert_no_key(found: dict[str, bytes]) -> None:
    """No spelling of the secret that a hostile gateway sends back, and no run of it."""
    wanted = [written.encode() for written in flat(spellings(SECRET)) if len(written) > 6]
    wanted += [SECRET[start : start + 8].encode() for start in range(len(SECRET) - 8)]
    wanted.append(base64.b64encode(f'{{"accessKeyId":"{ACCESS}"'.encode())[4:-4])
    for name, data in found.items():
        for each in wanted:
            assert each not in data, f"{name} has {each!r}"


def flat(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in flat(each)]
    return [text for each in value for text in flat(each)] if isinstance(value, list) else [str(value)]


def test_a_hostile_gateway_a_look_at_everything_and_a_crash(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """The body comes back in every spelling, in the answer and in a later one; then all that is left is searched."""
    environ = variables(gateway) | {"TEXTUAL_LOG": "textual.log", "SSLKEYLOGFILE": "tls.log"}
    install(gateway.sandbox, "echo-after@set-key:always")
    with Terminal(tmp_path, environ=environ, first=LOUD, size=(120, 40)) as terminal:
        to_search_0004(terminal)
        terminal.press("K")
        terminal.expect("Storage key of search-0004", "no snapshot is running")
        terminal.press(ACCESS)
        terminal.expect(ACCESS)
        terminal.press(TAB, SECRET)
        terminal.expect("••••••••")
        terminal.press(F2)
        terminal.expect("Set the storage key of search-0004 to STOR")
        terminal.expect_quiet(1.0)
        terminal.press(F2)
        terminal.expect("Done: the storage key of search-0004 is STOR")
        said = {"code": 10001, "message": f"{ACCESS} {SECRET}", "result": None, "echo": spellings(SECRET)}
        gateway.sandbox.faults.add("getClusterInfoList", "answer", (400, said), times=None)
        terminal.press(ESCAPE)
        terminal.expect_gone("esc Close")
        terminal.press("r")
        terminal.expect("10001")
        terminal.press("v")
        terminal.expect("[Response]", '"message": "**** ****"')
        terminal.press("u")
        terminal.expect("REQUESTED", "access key   STOR")
        terminal.press(ESCAPE)
        terminal.expect("LAST GOOD")
        terminal.press("h")
        terminal.expect("/ History")
        terminal.press("F")
        assert terminal.expect_end() == 1
    found = left_behind(tmp_path)
    assert any("reports" in name for name in found), "it did crash"
    journal = next(data for name, data in found.items() if name.endswith("journal.jsonl"))
    assert "STOR…0042" in journal.decode()
    assert ACCESS.encode() not in journal
    assert_no_key(found | {"the terminal": terminal.raw})
    assert effects(gateway) == [SET_STORAGE_KEY]


def test_the_commands_past_a_hostile_gateway(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """What each prints and writes: refused, unknown, done, resolved and bundled."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NCP_TUI_HOME": str(tmp_path / "n")}
    environ |= variables(gateway) | {"LANG": "C.UTF-8"}
    set_key = ["cluster", "set-key", "search-0004", "--access-key", ACCESS, "--secret-stdin"]
    printed: dict[str, bytes] = {}

    def run(code: int, *arguments: str) -> bytes:
        command = [sys.executable, "-m", "ncp_tui", *arguments]
        result = subprocess.run(
            command, env=environ, cwd=tmp_path, input=SECRET.encode(), capture_output=True, timeout=120, check=False
        )
        assert result.returncode == code, (arguments, result.stderr)
        printed[f"{len(printed)} {' '.join(arguments)}"] = result.stdout + result.stderr
        return result.stdout

    run(0, *set_key, "--dry-run", "--json")
    install(gateway.sandbox, "echo-before@set-key")
    gateway.sandbox.faults.add("getBucketList", "answer", (400, {"code": 10001, "message": SECRET, "result": None}), 9)
    run(9, *set_key, "--json")
    gateway.sandbox.faults.clear()
    run(9, "snapshot", "resolve", "--timeout", "1", "--json")
    run(12, *set_key, "--json")
    run(0, "snapshot", "resolve", "--dismiss", "search-0004", SET_STORAGE_KEY)
    install(gateway.sandbox, "echo-200@set-key")
    run(0, *set_key, "--json")
    create = ["snapshot", "create", "search-0004", "--bucket", "bk.ses.snapshot", "--name", "x-1"]
    run(0, *create, "--wait")
    run(0, "snapshot", "evidence", "x-1")
    found = left_behind(tmp_path)
    assert any("evidence-x-1" in name for name in found)
    assert_no_key(found | printed)
    assert not any(ACCESS.encode() in data for data in (found | printed).values())
    assert effects(gateway) == [SET_STORAGE_KEY, "createSnapshot"]
