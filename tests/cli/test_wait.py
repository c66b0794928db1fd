"""`snapshot wait`."""

from __future__ import annotations

from ncp_tui.sandbox import GatewayError, Sandbox, ThreadedSandbox, gateway_answer
from tests.cli.program import Called, asked, keys_of, passing

WAIT = ("snapshot", "wait", "search-0001")


def begin(served: ThreadedSandbox, name: str) -> None:
    """Start a snapshot without a client."""
    world = served.sandbox.world
    world.start_snapshot(world.named("search-0001"), name, "bk.ses.snapshot")


def test_one_that_is_over(call: Called, served: ThreadedSandbox) -> None:
    begin(served, "x-1")
    result = call(*WAIT, "x-1", "--json")
    assert result.code == 0
    document = result.json()
    assert (document["finished"], document["state"], document["failed"]) == ("success", "success", False)
    assert document["cluster"] == {"name": "search-0001", "number": "1037001"}
    assert document["snapshot"] == document["raw"]["snapshotName"] == "x-1"
    assert document["error"] is None
    assert call(*WAIT, "x-1").stdout == "x-1: success, 0s\n"


def test_one_that_is_running(call: Called) -> None:
    with ThreadedSandbox(Sandbox(duration=1)) as served:
        begin(served, "x-1")
        result = call(*WAIT, "x-1", **keys_of(served))
    assert (result.code, result.stdout) == (0, "x-1: success, 1s\n")
    assert "x-1: running" in result.stderr


def test_one_that_failed(call: Called, served: ThreadedSandbox) -> None:
    begin(served, "x-fail")
    result = call(*WAIT, "x-fail", "--json")
    assert result.code == 10
    assert (result.json()["finished"], result.json()["failed"]) == ("failed", True)
    assert result.json()["error"]["kind"] == "snapshot_failed"
    assert "x-fail of search-0001 failed: FAILED" in result.stderr


def test_one_that_does_not_end_in_time(call: Called) -> None:
    with ThreadedSandbox(Sandbox(duration=60)) as served:
        begin(served, "x-1")
        result = call(*WAIT, "x-1", "--timeout", "0.3", "--json", **keys_of(served))
    assert result.code == 11
    assert (result.json()["finished"], result.json()["state"]) == (None, "running")
    assert "goes on" in result.stderr


def test_one_that_nobody_knows(call: Called) -> None:
    result = call(*WAIT, "nobody-1", "--timeout", "0.3", "--json")
    assert result.code == 11
    assert (result.json()["finished"], result.json()["state"], result.json()["snapshot"]) == (None, None, "nobody-1")
    assert "nobody-1 is not in the history yet." in result.stderr


def test_one_on_an_old_page(call: Called, sandbox: Sandbox) -> None:
    """Following reads the newest page only; a snapshot that ended long ago is found all the same."""
    oldest = sandbox.world.state(sandbox.world.named("search-0001")).runs[0]
    assert call(*WAIT, oldest.name).code == 0


def test_keys_that_are_refused(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("getSnapshotHistory", act=gateway_answer(GatewayError.AUTHENTICATION_FAILED))
    assert call(*WAIT, "x-1").code == 4


def test_a_look_that_fails_is_repeated(call: Called, served: ThreadedSandbox) -> None:
    world = served.sandbox.world
    world.duration = 1
    begin(served, "x-1")
    looked = served.sandbox.faults.add("getSnapshotHistory", act=passing, times=1)
    served.sandbox.faults.add("getSnapshotHistory", act=gateway_answer(GatewayError.THROTTLED))
    result = call(*WAIT, "x-1")
    assert looked.reached.is_set()
    assert result.code == 0
    assert "A look failed, and is repeated." in result.stderr
    assert result.stderr.count("A look failed") == 1
    assert asked(served.sandbox).count("getSnapshotHistory") >= 3


def test_quiet(call: Called, served: ThreadedSandbox) -> None:
    begin(served, "x-1")
    assert call(*WAIT, "x-1", "--quiet").stderr == ""
