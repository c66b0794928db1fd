"""Whole journeys through the real program in a real terminal, with keys alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.journeys.terminal import END, ENTER, ESCAPE, F1, F2, TAB, UP, Terminal

LEFT_ALTERNATE_SCREEN, CURSOR_SHOWN = b"\x1b[?1049l", b"\x1b[?25h"


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(duration=3.0)) as running:
        yield running


def keys_of(gateway: ThreadedSandbox, secret: str | None = None) -> dict[str, str]:
    return {
        "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
        "NCLOUD_SECRET_KEY": secret or gateway.sandbox.secret_key,
        "NCLOUD_API_GW": gateway.url,
    }


def test_from_the_first_run_to_a_finished_snapshot(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """The main job: keys found, clusters seen, a snapshot taken, its end, its response and the log."""
    with Terminal(tmp_path, environ=keys_of(gateway)) as terminal:
        terminal.expect("Welcome to ncp-tui", "environment (NCLOUD_ACCESS_KEY)")
        terminal.press(ENTER)
        terminal.expect("search-0001", "14 clusters")
        terminal.press("s")
        terminal.expect(
            "Create snapshot",
            "valid (UTC)",
            "ok: cluster, health, bucket, name",
            "bk.ses.snapshot",
            "locked: object lock",
        )
        terminal.press(F2)
        terminal.expect("running,", "POST /api/v2/snapshot/createSnapshot/1037001", "200 OK")
        terminal.expect("Snapshot search-0001-")
        terminal.press("v")
        terminal.expect("Session log", "create snapshot search-0001-", "watch search-0001-")
        terminal.press(ESCAPE)
        terminal.expect("LAST GOOD", "succeeded, just now")
        terminal.press("q")
        assert terminal.expect_end() == 0
    assert [effect.operation for effect in gateway.sandbox.ledger.effects] == ["createSnapshot"]
    assert LEFT_ALTERNATE_SCREEN in terminal.raw
    assert terminal.raw.rindex(CURSOR_SHOWN) > terminal.raw.rindex(b"\x1b[?25l")
    assert gateway.sandbox.secret_key.encode() not in terminal.raw


def test_a_first_profile_typed_by_hand(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """Somebody with nothing but a pair of keys gets to the clusters without leaving the program."""
    with Terminal(tmp_path) as terminal:
        # Each key is pressed where the one before has been seen to arrive: what is open, or has the focus, comes late.
        terminal.expect("My Account > Manage Auth Key", "ncp-tui --demo", "Enter keys ...")
        terminal.press(ENTER)
        terminal.expect("Add a profile to begin", "Secret key", "yes: type cluster name", "f1 Help")
        terminal.press("lab")
        terminal.expect("lab")
        terminal.press(TAB, gateway.sandbox.access_key)
        terminal.expect(gateway.sandbox.access_key)
        terminal.press(TAB, gateway.sandbox.secret_key)
        terminal.expect("••••")
        # Keep it in: the last but one, this session only; a test machine has no keyring to rely on.
        terminal.press(TAB, ENTER)
        terminal.expect("Encrypted file", "This session only")
        terminal.press(END, UP, ENTER)
        terminal.expect_gone("Encrypted file")
        terminal.expect("This session only", "? Help")  # f1 in a menu, and where text is typed
        terminal.press(TAB, TAB, TAB, TAB, TAB, TAB, gateway.url)
        terminal.expect(gateway.url)
        terminal.press("\x1b[15~")
        terminal.expect("The keys work")
        terminal.press(F2)
        terminal.expect("lab / KR / Clusters", "search-0001", "14 clusters")
        terminal.press("q")
        assert terminal.expect_end() == 0
    left_behind = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert gateway.sandbox.access_key.encode() in left_behind
    assert gateway.sandbox.secret_key.encode() not in left_behind + terminal.raw


@pytest.mark.slow
def test_a_wrong_secret_key(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """One calm card that names the cause, the clock's innocence and the next step."""
    environ = {**keys_of(gateway, "not-the-secret-key-of-this-account"), "NCP_TUI_PROFILE": "environment"}
    with Terminal(tmp_path, environ=environ) as terminal:
        terminal.expect(
            "The gateway refused the signature (401/200: Authentication", "The clock is right. A key is wrong"
        )
        terminal.press("r")
        terminal.expect("The gateway refused the signature (401/200: Authentication")
        terminal.press("p")
        terminal.expect("Profiles", "in use")
        terminal.press("q")
        assert terminal.expect_end() == 0
    assert not gateway.sandbox.ledger.effects
    assert not any(request.authenticated for request in gateway.sandbox.ledger.requests)


@pytest.mark.slow
def test_the_gateway_goes_in_the_middle(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """A snapshot that was accepted stays accepted; the screen says that looking at it fails, and goes on living."""
    with Terminal(tmp_path, environ={**keys_of(gateway), "NCP_TUI_PROFILE": "environment"}) as terminal:
        terminal.expect("14 clusters")
        terminal.press("s")
        terminal.expect("valid (UTC)", "ok: cluster, health, bucket, name")
        terminal.press(F2)
        terminal.expect("Accepted")
        gateway.stop()
        terminal.expect("running when last checked", "Accepted. The history cannot be read now")
        terminal.press(ESCAPE)
        terminal.expect("Clusters")
        terminal.press("r")
        terminal.expect("refused the connection.", "Nothing was sent.")
        terminal.press("?")
        terminal.expect("Create a snapshot", "This screen")
        terminal.press(ESCAPE)  # apart from the next key: together they would be alt+q
        terminal.expect_gone("This screen")
        terminal.press("q")
        assert terminal.expect_end() == 0
    assert len(gateway.sandbox.ledger.effects) == 1


@pytest.mark.slow
def test_the_demo_touches_nothing_of_the_user(tmp_path: Path) -> None:
    (tmp_path / ".ncloud").mkdir()
    (tmp_path / ".ncloud" / "configure").write_text("[DEFAULT]\nncloud_access_key_id = MINE\n")
    before = sorted(tmp_path.rglob("*"))
    keys, short = (
        {"NCLOUD_ACCESS_KEY": "MINE", "NCLOUD_SECRET_KEY": "MINE"},
        "from ncp_tui.cli import sandbox; sandbox._DEMO_SECONDS = 4.0",
    )
    with Terminal(tmp_path, "--demo", environ=keys, first=short) as terminal:
        terminal.expect("DEMO", "sandbox / KR / Clusters", "14 clusters")
        terminal.press("s")
        terminal.expect("DEMO", "valid (UTC)", "ok: cluster, health, bucket, name", "available")
        terminal.press(F2)
        terminal.expect("Accepted")
        terminal.press(F1)
        terminal.expect("Keys", "This screen")
        terminal.press(ESCAPE)
        terminal.expect("Snapshot search-0001-")
        terminal.press(ESCAPE)
        terminal.expect("sandbox / KR / Clusters")
        terminal.press("q")
        assert terminal.expect_end() == 0
    assert b"MINE" not in terminal.raw
    assert sorted(tmp_path.rglob("*")) == before
