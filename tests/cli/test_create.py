"""`snapshot create`: nothing is sent that could be known to be wrong, and every end says whether it was started."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.cli.runner import CommandContext
from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.snapshots import draft
from tests.cli.program import Called, Program, account_variables, asked, keys_of, passing
from tests.cli.workspaces import save_profile, use_memory_keyring

CREATE = ("snapshot", "create", "search-0001")
GOOD = (*CREATE, "--bucket", "bk.ses.snapshot", "--name", "x-1")
KEYS = {
    "outcome",
    "resolved_by",
    "finished",
    "snapshot",
    "cluster",
    "bucket",
    "request_id",
    "attempts",
    "error",
}
ERROR_KEYS = {"kind", "status", "code", "message", "hint"}
LOOKS = {"getBucketList", "getSnapshotHistory"}


def looked_and_created(sandbox: Sandbox, first: str) -> bool:
    """Whether the cluster was found by `first`, looked at from two sides at the same time, and asked once."""
    found, *looks, create = asked(sandbox)
    return (found, set(looks), len(looks), create) == (first, LOOKS, len(LOOKS), "createSnapshot")


def test_from_the_command_to_the_end(program: Program) -> None:
    """The whole way, as a process: created while running, followed, and finished."""
    with ThreadedSandbox(Sandbox(duration=1)) as served:
        result = program.run(*GOOD, "--wait", "--json", **keys_of(served))
        (effect,) = served.sandbox.ledger.effects
    assert result.code == 0
    document = result.json()
    assert document == {
        "outcome": "accepted",
        "resolved_by": None,
        "finished": "success",
        "snapshot": "x-1",
        "cluster": {"name": "search-0001", "number": "1037001"},
        "bucket": "bk.ses.snapshot",
        "request_id": effect.request_id,
        "attempts": 1,
        "error": None,
    }
    assert (effect.name, effect.bucket, effect.cluster) == ("x-1", "bk.ses.snapshot", "1037001")
    assert "running" in result.stderr
    assert served.sandbox.secret_key not in result.stdout + result.stderr


def test_accepted(call: Called, sandbox: Sandbox) -> None:
    result = call(*GOOD)
    assert result.code == 0
    assert "Accepted: NCP is creating x-1." in result.stdout
    assert sandbox.ledger.effects[0].request_id in result.stdout
    assert "ncp-tui snapshot wait search-0001 x-1" in result.stderr
    assert looked_and_created(sandbox, "getClusterInfoList")


def test_by_number(call: Called, sandbox: Sandbox) -> None:
    document = call("snapshot", "create", "1037001", "--bucket", "bk.ses.snapshot", "--name", "x-1", "--json").json()
    assert document["cluster"] == {"name": "search-0001", "number": "1037001"}
    assert set(document) == KEYS
    assert looked_and_created(sandbox, "getClusterInfo")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("--bucket", "bk.ses.snapshot", "--name", "Bad_Name"), "invalid_name"),
        (("--bucket", "bk.ses.snapshot", "--name", "스냅샷"), "invalid_name"),
        (("--bucket", "bk.ses.snapshot", "--name", ""), "invalid_name"),
        (("--bucket", "Bad_Bucket", "--name", "x-1"), "invalid_bucket"),
        (("--name", "x-1"), "invalid_bucket"),
        (("--bucket", "bk.ses.snapshot", "--template", "{nope}"), "invalid_template"),
        (("--bucket", "bk.ses.snapshot", "--template", "{date:kst}-{time:utc}"), "invalid_template"),
    ],
)
def test_what_is_wrong_before_anything_is_sent(
    call: Called, sandbox: Sandbox, arguments: tuple[str, ...], kind: str
) -> None:
    result = call(*CREATE, *arguments, "--json")
    assert result.code == 2
    document = result.json()
    assert set(document) == KEYS
    assert (document["outcome"], document["attempts"]) == ("not_sent", 0)
    assert set(document["error"]) == ERROR_KEYS
    assert document["error"]["kind"] == kind
    assert document["error"]["message"]
    assert "Not started" in result.stderr
    assert sandbox.ledger.requests == []


@pytest.mark.parametrize("bucket", ["audit-locked", "finance-private", "no-such-bucket"])
def test_a_bucket_that_cannot_take_it(call: Called, sandbox: Sandbox, bucket: str) -> None:
    result = call(*CREATE, "--bucket", bucket, "--name", "x-1", "--json")
    assert result.code == 2
    assert result.json()["error"]["kind"] == "invalid_bucket"
    assert "bk.ses.snapshot" in result.json()["error"]["hint"]
    assert "createSnapshot" not in asked(sandbox)


def test_a_cluster_that_may_not_be_opened(call: Called, sandbox: Sandbox) -> None:
    result = call("snapshot", "create", "hr-private", "--bucket", "bk.ses.snapshot", "--name", "x-1", "--json")
    assert result.code == 5
    assert result.json()["outcome"] == "not_sent"
    assert asked(sandbox) == ["getClusterInfoList"]


def test_a_cluster_without_a_storage_key_is_asked_for_nothing(call: Called, sandbox: Sandbox) -> None:
    """The service says so to the list of buckets already, once with HTTP 200 and once with 400."""
    for status in (200, 400):
        result = call("snapshot", "create", "search-0004", "--bucket", "bk.ses.snapshot", "--name", "x-1", "--json")
        assert result.code == 8
        assert "bucket: not checked." in result.stderr
        document = result.json()
        assert document["outcome"] == "not_sent"
        assert (document["error"]["status"], document["error"]["code"]) == (status, "10115")
        assert "the cluster has no storage key" in result.stderr
        assert "Set the cluster's storage key" in document["error"]["hint"]
    result = call("snapshot", "create", "search-0004", "--bucket", "bk.ses.snapshot", "--name", "x-1", "--dry-run")
    assert result.code == 8
    assert "createSnapshot" not in asked(sandbox)


def test_the_service_decides_about_what_cannot_be_checked(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("getBucketList", act=(200, {"code": 0, "message": "SUCCESS", "result": None}))
    said = call(*GOOD).stderr
    assert "bucket: not checked. The list of buckets did not come: the response has no result. NCP will decide." in said
    assert "storage key: unknown. The list of buckets did not come: the response has no result. Retry;" in said
    sandbox.faults.add("getBucketList", act=(200, {"code": 0, "message": "SUCCESS", "result": {"bucketList": []}}))
    result = call(*GOOD[:-1], "x-2")
    assert result.code == 0
    assert "bucket: not checked. NCP lists no buckets for this cluster. NCP will decide." in result.stderr


def test_a_cluster_that_is_not_running(call: Called) -> None:
    result = call("snapshot", "create", "search-0005", "--bucket", "bk.ses.snapshot", "--name", "x-1")
    assert result.code == 8
    assert "'changing', not running" in result.stderr


def test_a_duplicate_is_refused(call: Called, sandbox: Sandbox) -> None:
    """By the service as well, where the user says yes to it."""
    assert call(*GOOD).code == 0
    result = call(*GOOD, "--json", "--again", call(*GOOD, "--json").json()["earlier"]["id"])
    assert result.code == 8
    document = result.json()
    assert (document["outcome"], document["attempts"]) == ("refused", 1)
    assert document["request_id"] == sandbox.ledger.requests[-1].request_id
    assert document["error"] == {
        "kind": "refused",
        "status": 200,
        "code": "40070",
        "message": "snapshot with the same name already exists",
        "hint": document["error"]["hint"],
    }
    assert result.stderr.count("Not started: x-1.") == 1
    assert len(sandbox.ledger.effects) == 1


@pytest.mark.parametrize(
    ("act", "code", "outcome"),
    [
        (gateway_answer(GatewayError.AUTHENTICATION_FAILED), 4, "refused"),
        (gateway_answer(GatewayError.PERMISSION_DENIED), 5, "refused"),
        (gateway_answer(GatewayError.QUOTA_EXCEEDED), 7, "refused"),
        (gateway_answer(GatewayError.BAD_REQUEST), 8, "refused"),
        (gateway_answer(GatewayError.ENDPOINT_TIMEOUT), 9, "unknown"),
        (gateway_answer(GatewayError.UNEXPECTED), 9, "unknown"),
        ((200, {"code": 0, "message": "SUCCESS", "result": None, "requestId": "r"}), 9, "unknown"),
        ("drop", 9, "unknown"),
    ],
)
def test_ends_of_a_create(call: Called, sandbox: Sandbox, act: Any, code: int, outcome: str) -> None:
    """Each is sent once, whatever came back."""
    sandbox.faults.add("createSnapshot", act=act)
    result = call(*GOOD, "--json", "--wait")
    assert (result.code, result.json()["outcome"]) == (code, outcome)
    assert set(result.json()) == KEYS
    assert set(result.json()["error"]) == ERROR_KEYS
    assert asked(sandbox).count("createSnapshot") == 1
    assert ("Unknown whether x-1 started." in result.stderr) is (outcome == "unknown")
    assert ("ncp-tui snapshot history search-0001" in result.stderr) is (outcome == "unknown")
    assert ("ncp-tui snapshot resolve" in result.stderr) is (outcome == "unknown")


@pytest.mark.parametrize(("times", "code", "outcome"), [(None, 7, "refused"), (2, 0, "accepted")])
def test_a_throttled_create(call: Called, sandbox: Sandbox, times: int | None, code: int, outcome: str) -> None:
    """Refused before it had any effect: sent again, but twice at most, and the history is asked each time before."""
    sandbox.faults.add("createSnapshot", act=gateway_answer(GatewayError.RATE_LIMITED), times=times)
    result = call(*GOOD, "--json")
    assert (result.code, result.json()["outcome"], result.json()["attempts"]) == (code, outcome, 3)
    assert asked(sandbox)[3:] == ["createSnapshot", *["getSnapshotHistory", "createSnapshot"] * 2]
    assert len(sandbox.ledger.effects) == (outcome == "accepted")


def test_a_gateway_that_is_gone(call: Called, served: ThreadedSandbox) -> None:
    served.stop()
    result = call(*GOOD, "--json")
    assert (result.code, result.json()["outcome"]) == (6, "not_sent")
    assert result.json()["cluster"] == {"name": "search-0001", "number": None}


def test_a_viewer_may_not(call: Called, served: ThreadedSandbox) -> None:
    viewer = served.sandbox.viewer
    result = call(*GOOD, "--json", **account_variables(served.url, viewer.access_key, viewer.secret_key))
    assert (result.code, result.json()["outcome"]) == (5, "refused")
    assert served.sandbox.ledger.effects == []


@pytest.mark.parametrize("how", ["before", "after", "variable", "profile"])
def test_read_only(call: Called, served: ThreadedSandbox, how: str) -> None:
    """Nothing at all is sent, reads included: what follows them is forbidden anyway."""
    arguments, environ = [*GOOD, "--json"], {}
    if how == "before":
        arguments.insert(0, "--read-only")
    elif how == "after":
        arguments.append("--read-only")
    elif how == "variable":
        environ["NCP_TUI_READ_ONLY"] = "1"
    else:
        save_profile(call, served, "read_only = true")
        arguments += ["--profile", "prod"]
    result = call(*arguments, **environ)
    assert (result.code, result.json()["outcome"]) == (12, "not_sent")
    assert result.json()["error"]["kind"] == "read_only"
    assert served.sandbox.ledger.requests == []


def test_a_dry_run_in_read_only_mode(call: Called, sandbox: Sandbox) -> None:
    assert call("--read-only", *GOOD, "--dry-run").code == 0
    assert set(asked(sandbox)) == {"getClusterInfoList", *LOOKS}


def test_a_dry_run(call: Called, sandbox: Sandbox) -> None:
    document = call(*GOOD, "--dry-run", "--json").json()
    assert document["dry_run"] is True
    assert document["outcome"] == "not_sent"
    request = document["request"]
    assert request["method"] == "POST"
    assert request["url"].endswith("/api/v2/snapshot/createSnapshot/1037001")
    assert request["body"] == '{"snapshotName":"x-1","bucketName":"bk.ses.snapshot"}'
    assert request["headers"]["x-ncp-apigw-signature-v2"] == "****"
    assert request["string_to_sign"].startswith("POST /api/v2/snapshot/createSnapshot/1037001\n")
    assert "NCLOUD_ACCESS_KEY" in request["curl"]
    assert sandbox.access_key not in str(document)
    text = call(*GOOD, "--dry-run").stdout
    assert "POST http" in text
    assert "String to sign\n" in text
    assert "createSnapshot" not in asked(sandbox)


def test_a_name_from_a_template(call: Called, sandbox: Sandbox) -> None:
    result = call(*CREATE, "--bucket", "bk.ses.snapshot", "--template", "pre-{cluster}-{date}", "--json")
    assert result.code == 0
    assert result.json()["snapshot"] == sandbox.ledger.effects[0].name
    assert result.json()["snapshot"].startswith("pre-search-0001-2")


def test_without_a_name_the_usual_template(call: Called) -> None:
    name = call("snapshot", "create", "1037001", "--bucket", "bk.ses.snapshot", "--json").json()["snapshot"]
    assert name.startswith("search-0001-")
    assert len(name) == len("search-0001-20260101-123456")


@pytest.mark.parametrize(("name", "message"), [("x-fail", "FAILED"), ("x-partial", "PARTIAL")])
def test_a_snapshot_that_fails(call: Called, name: str, message: str) -> None:
    result = call(*CREATE, "--bucket", "bk.ses.snapshot", "--name", name, "--wait", "--json")
    assert result.code == 10
    document = result.json()
    assert (document["outcome"], document["finished"]) == ("accepted", "failed")
    assert document["error"]["kind"] == "snapshot_failed"
    assert message in document["error"]["message"]
    assert f"Accepted: NCP is creating {name}. Snapshot {name} failed: " in result.stderr


def test_a_wait_that_takes_too_long(call: Called) -> None:
    with ThreadedSandbox(Sandbox(duration=60)) as served:
        result = call(*GOOD, "--wait", "--timeout", "0.3", "--json", **keys_of(served))
    assert result.code == 11
    assert (result.json()["outcome"], result.json()["finished"], result.json()["error"]) == ("accepted", None, None)
    assert "the snapshot keeps running" in result.stderr


def test_keys_that_are_revoked_during_the_wait(call: Called, sandbox: Sandbox) -> None:
    """The snapshot was accepted: a code that means "not started" would be a lie."""
    sandbox.faults.add("getSnapshotHistory", act=passing, label="the look beforehand")
    sandbox.faults.add("getSnapshotHistory", act=gateway_answer(GatewayError.AUTHENTICATION_FAILED))
    result = call(*GOOD, "--wait", "--json")
    assert result.code == 11
    assert (result.json()["outcome"], result.json()["finished"]) == ("accepted", None)
    assert result.json()["error"]["kind"] == "authentication_failed"
    assert "Accepted: NCP is creating x-1." in result.stderr
    assert "can no longer be followed" in result.stderr


def test_interrupted_while_it_is_sent(program: Program, served: ThreadedSandbox) -> None:
    """Nobody knows then, and the user must be told so."""
    fault = served.sandbox.faults.add("createSnapshot", when="after", act="hang")
    with program.started(*GOOD, "--json") as process:
        assert fault.reached.wait(20)
        result = program.interrupted(process)
    assert result.code == 130
    assert (result.json()["outcome"], result.json()["attempts"]) == ("unknown", 1)
    assert result.json()["error"]["kind"] == "interrupted"
    assert "Unknown whether x-1 started." in result.stderr
    assert "Traceback" not in result.stderr


def test_interrupted_before_it_is_sent(program: Program, served: ThreadedSandbox) -> None:
    fault = served.sandbox.faults.add("getBucketList", act="hang")
    with program.started(*GOOD, "--json") as process:
        assert fault.reached.wait(20)
        result = program.interrupted(process)
    assert result.code == 130
    assert (result.json()["outcome"], result.json()["attempts"]) == ("not_sent", 0)
    assert "Not started: x-1. Interrupted." in result.stderr


def test_interrupted_while_it_is_throttled(program: Program, served: ThreadedSandbox) -> None:
    """What left was refused, and the next had not left yet: that is known, and it is what `resolve` would say."""
    throttled = gateway_answer(GatewayError.THROTTLED, {"retry-after": "60"})
    fault = served.sandbox.faults.add("createSnapshot", act=throttled, times=3)
    log = Path(program.environ["NCP_TUI_HOME"]) / "state" / "session.jsonl"
    with program.started(*GOOD, "--json") as process:
        assert fault.reached.wait(20)
        ends = time.monotonic() + 20
        while "createSnapshot" not in (log.read_text() if log.exists() else ""):  # the answer has been read
            assert time.monotonic() < ends
            time.sleep(0.02)
        result = program.interrupted(process)
    assert result.code == 130
    assert (result.json()["outcome"], result.json()["attempts"]) == ("refused", 0)
    assert "Not started: x-1. Interrupted." in result.stderr


def test_interrupted_while_waiting(program: Program, served: ThreadedSandbox) -> None:
    served.sandbox.faults.add("getSnapshotHistory", act=passing, label="the look beforehand")
    fault = served.sandbox.faults.add("getSnapshotHistory", act="hang")
    with program.started(*GOOD, "--wait", "--json") as process:
        assert fault.reached.wait(20)
        result = program.interrupted(process)
    assert result.code == 130
    assert (result.json()["outcome"], result.json()["finished"]) == ("accepted", None)
    assert "Accepted: NCP is creating x-1. Interrupted." in result.stderr


def test_a_bug_while_it_is_sent(program: Program, served: ThreadedSandbox) -> None:
    """Even then the user is told what is known of the snapshot."""
    spoil = (
        "import ncp_tui.snapshots.track as module\n"
        "send = module.create_snapshot\n"
        "async def create_snapshot(engine, request, **options):\n"
        "    await send(engine, request, **options)\n"
        "    raise ZeroDivisionError\n"
        "module.create_snapshot = create_snapshot"
    )
    with program.started(*GOOD, "--json", code=spoil) as process:
        result = program.ended(process)
    assert result.code == 1
    assert result.json()["outcome"] == "accepted"
    assert result.json()["error"]["kind"] == "bug"
    assert len(served.sandbox.ledger.effects) == 1


class TestAtATerminal:
    """Somebody sits there, and is asked."""

    @pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 130), ("", 130)])
    def test_asked_before_it_is_sent(self, program: Program, sandbox: Sandbox, answer: str, code: int) -> None:
        with program.at_terminal(*GOOD, "--json") as terminal:
            terminal.answer("Create snapshot x-1 of search-0001 in bucket bk.ses.snapshot? [y/N]", answer)
            result = terminal.end()
        assert result.code == code
        assert result.json()["outcome"] == ("accepted" if code == 0 else "not_sent")
        assert len(sandbox.ledger.effects) == (code == 0)

    def test_a_question_names_what_is_bad_and_is_asked_again_when_it_was_open_for_long(
        self, call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody answers after lunch: what the question was about may have changed meanwhile."""
        monkeypatch.setattr(draft, "FRESH", timedelta(days=-1))
        monkeypatch.setattr(CommandContext, "can_ask", True)
        sandbox.world.change("search-0001", status="changing")
        result = call("--quiet", *GOOD, stdin="y\ny\nn\n")
        assert (result.code, sandbox.ledger.effects) == (130, [])
        assert result.stderr.count("cluster: 'changing', not running.") == 3
        assert result.stderr.count("Create x-1 anyway? [y/N]") == 3
        assert asked(sandbox).count("getSnapshotHistory") == 3

    def test_interrupted_at_the_question(self, program: Program, sandbox: Sandbox) -> None:
        with program.at_terminal(*GOOD, "--json") as terminal:
            terminal.answer("[y/N]", "\x03")
            result = terminal.end()
        assert result.code == 130
        assert result.json()["outcome"] == "not_sent"
        assert sandbox.ledger.effects == []

    def test_yes_asks_nothing(self, program: Program) -> None:
        with program.at_terminal(*GOOD, "--yes") as terminal:
            result = terminal.end()
        assert result.code == 0
        assert "[y/N]" not in result.stderr


@pytest.fixture
def protected(call: Called, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch) -> Called:
    """A protected profile whose key is at hand."""
    save_profile(call, served, "protected = true", 'default_bucket = "bk.ses.snapshot"')
    use_memory_keyring(monkeypatch, {"prod": (served.sandbox.access_key, served.sandbox.secret_key)})
    return call


class TestProtected:
    """A protected profile wants the cluster's name, typed for this one snapshot."""

    def run(self, protected: Called, *arguments: str, cluster: str = "search-0001") -> tuple[int, dict[str, Any]]:
        result = protected("snapshot", "create", cluster, "--name", "x-1", "--profile", "prod", "--json", *arguments)
        return result.code, result.json()

    @pytest.mark.parametrize(
        "arguments", [(), ("--yes",), ("--confirm", "search-0002"), ("--yes", "--confirm", "search-0001")]
    )
    def test_refused(self, protected: Called, sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
        code, document = self.run(protected, *arguments)
        assert (code, document["outcome"]) == (12, "not_sent")
        assert document["error"]["kind"] == "not_confirmed"
        assert sandbox.ledger.requests == []

    def test_confirmed(self, protected: Called) -> None:
        assert self.run(protected, "--confirm", "search-0001")[0] == 0

    def test_a_number_is_confirmed_by_the_name(self, protected: Called, sandbox: Sandbox) -> None:
        assert self.run(protected, "--confirm", "1037001", cluster="1037001")[0] == 12
        assert sandbox.ledger.effects == []
        assert self.run(protected, "--confirm", "search-0001", cluster="1037001")[0] == 0

    def test_a_dry_run_needs_no_confirmation(self, protected: Called) -> None:
        assert self.run(protected, "--dry-run")[0] == 0


def test_the_clock_of_a_name_is_read_once(call: Called, sandbox: Sandbox) -> None:
    """The name is what the snapshot is looked for by: what is shown is what was sent."""
    before = time.time()
    name = call("snapshot", "create", "search-0002", "--bucket", "bk.ses.snapshot", "--json").json()["snapshot"]
    assert sandbox.ledger.effects[0].name == name
    assert time.strftime("%Y%m%d", time.gmtime(before)) in name
