"""`cluster set-key`: what is refused before a byte leaves, what is told after, and where the keys do not appear."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.search_engine.operations import SET_STORAGE_KEY
from ncp_tui.snapshots import storage_key
from ncp_tui.snapshots.resolve import search_storage_key
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, Program, Result, asked
from tests.cli.workspaces import use_memory_keyring
from tests.snapshots.storage_keys import ACCESS, SECRET
from tests.tables import each_row

OWN = ("cluster", "set-key", "search-0004", "--this-profile")
OTHER = ("cluster", "set-key", "search-0004", "--access-key", ACCESS, "--secret-stdin")


@pytest.fixture(autouse=True)
def few_looks(monkeypatch: pytest.MonkeyPatch, program: Program) -> Iterator[None]:
    """Four looks at the bucket list after a lost answer; and no output, file or list of processes has a key."""
    monkeypatch.setattr(
        storage_key, "search_storage_key", partial(search_storage_key, monotonic=count(0.0, 20.0).__next__)
    )
    program.never += [SECRET, ACCESS]
    yield
    for path in Path(program.environ["HOME"]).rglob("*"):
        if path.is_file() and path.name != "secret.sh":
            data = path.read_bytes()
            assert SECRET.encode() not in data, path
            assert ACCESS.encode() not in data, path


def sets(sandbox: Sandbox) -> int:
    return asked(sandbox).count(SET_STORAGE_KEY)


def effects(sandbox: Sandbox) -> int:
    return sum(effect.operation == SET_STORAGE_KEY for effect in sandbox.ledger.effects)


def refused(result: Result, code: int, kind: str) -> dict[str, Any]:
    document: dict[str, Any] = result.json()
    assert (result.code, document["outcome"], document["error"]["kind"]) == (code, "not_sent", kind), result.stderr
    return document


def test_it_is_set_and_the_bucket_list_is_a_check(call: Called, sandbox: Sandbox) -> None:
    result = call(*OTHER, stdin=SECRET)
    assert result.code == 0
    assert result.stdout.splitlines()[:2] == [
        "Done: the storage key of search-0004 is STOR…0042.",
        "Check: The bucket list opens, with 7 buckets: a key is set. It cannot say which.",
    ]
    assert "NCP never shows it again: it cannot be read back." in result.stderr
    assert (sets(sandbox), effects(sandbox)) == (1, 1)
    assert call("snapshot", "create", "search-0004", "--bucket", "bk.ses.snapshot").code == 0


def test_the_document(call: Called, sandbox: Sandbox) -> None:
    document = call(*OTHER, "--json", stdin=SECRET).json()
    request_id = next(each.request_id for each in sandbox.ledger.requests if each.operation == SET_STORAGE_KEY)
    bucket_list = document.pop("bucket_list")
    assert document == {
        "outcome": "accepted",
        "resolved_by": None,
        "cluster": {"name": "search-0004", "number": "1037004"},
        "access_key": "STOR…0042",
        "key_before": "not set",
        "request_id": request_id,
        "attempts": 1,
        "error": None,
    }
    assert (bucket_list["opens"], bucket_list["key"], bucket_list["buckets"]) == (True, "set", 7)


def test_the_keys_of_the_profile(call: Called, sandbox: Sandbox) -> None:
    assert call(*OWN, "--json").json()["access_key"] == f"{sandbox.access_key[:4]}…{sandbox.access_key[-4:]}"
    assert effects(sandbox) == 1


def test_a_secret_printed_by_a_program(call: Called, program: Program, sandbox: Sandbox) -> None:
    script = Path(program.environ["HOME"]) / "secret.sh"
    script.write_text(f"#!/bin/sh\necho {SECRET}\n")
    script.chmod(0o700)
    result = call(*OTHER[:-1], "--secret-command", str(script), "--json")
    assert (result.code, effects(sandbox)) == (0, 1), result.stderr
    script.write_text("#!/bin/sh\nexit 3\n")
    refused(call(*OTHER[:-1], "--secret-command", str(script), "--json"), 3, "secret_command_failed")
    refused(call(*OTHER[:-1], "--secret-command", "'", "--json"), 2, "invalid_profile")
    assert sets(sandbox) == 1


@each_row(
    "arguments",
    [
        OWN[:-1],
        (*OWN, "--access-key", ACCESS),
        (*OWN, "--secret-stdin"),
        (*OWN, "--secret-command", "/bin/true"),
        OTHER[:-1],
        (*OTHER, "--secret-command", "/bin/true"),
        (*OTHER[:-2], "not a key", "--secret-stdin"),
        (*OTHER[:-2], "", "--secret-stdin"),
    ],
)
def test_wrong_usage_sends_nothing(call: Called, sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    assert call(*arguments, stdin=SECRET).code == 2
    assert asked(sandbox) == []


@each_row("secret", ["", '"quoted"', "two words", "a=b # comment", "\x1b[2J" + "x" * 40])
def test_a_secret_that_is_none_sends_nothing(call: Called, sandbox: Sandbox, secret: str) -> None:
    refused(call(*OTHER, "--json", stdin=secret), 2, "invalid_credentials")
    assert asked(sandbox) == []


def test_a_dry_run_sends_nothing_and_reads_no_secret(call: Called, sandbox: Sandbox) -> None:
    result = call(*OTHER, "--dry-run", "--json")
    document = result.json()
    assert result.code == 0
    assert document["request"]["body"] == '{"accessKeyId":"****","secretKey":"****"}'
    assert document["request"]["headers"]["content-length"] == "****"
    assert [(check["subject"], check["light"]) for check in document["checks"]] == [
        ("storage key", "ok"),
        ("snapshots", "ok"),
    ]
    assert sets(sandbox) == 0
    assert "NCP_TUI_BODY_SECRETKEY" in call(*OTHER, "--dry-run").stdout
    assert call(*OTHER, "--dry-run", "--read-only").code == 12


def test_what_may_not_be_done_is_refused_before_anything_is_read(call: Called, sandbox: Sandbox) -> None:
    refused(call(*OTHER, "--json", "--read-only", stdin=SECRET), 12, "read_only")
    refused(call(*OTHER, "--json", "--confirm", "search-0001", stdin=SECRET), 12, "not_confirmed")
    refused(call(*OTHER, "--json", "--confirm-gateway", "gateway.example", stdin=SECRET), 12, "gateway_not_trusted")
    assert asked(sandbox) == []
    assert effects(sandbox) == 0


@each_row("more", [(), ("--confirm-gateway", "gateway.example"), ("--yes",)])
def test_an_address_of_the_environment_is_never_sent_a_key(call: Called, more: tuple[str, ...]) -> None:
    """Not even with the host: what exports a gateway for a test exports it for this."""
    environ = {"NCLOUD_API_GW": "https://gateway.example"}
    found = refused(call(*OTHER, "--json", *more, stdin=SECRET, **environ), 12, "gateway_not_trusted")
    assert "NCLOUD_API_GW" in found["error"]["hint"]


@pytest.fixture
def by_profile(call: Called, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call with a saved profile of other settings than usual."""

    def run(settings: dict[str, Any], *arguments: str) -> Result:
        paths = paths_from(call.program.environ)
        paths.config_dir.mkdir(parents=True, exist_ok=True)
        profile: dict[str, Any] = {
            "access_key": served.sandbox.access_key,
            "gateway_url": served.url,
            "site": "public",
            "region": "KR",
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in (profile | {"store": "keyring"} | settings).items()]
        paths.profiles_file.write_text("\n".join(["version = 1", "[profiles.prod]", *lines]))
        use_memory_keyring(monkeypatch, {"prod": (served.sandbox.access_key, served.sandbox.secret_key)})
        return call("--profile", "prod", *OTHER, "--json", *arguments, stdin=SECRET)

    return run


def test_a_gateway_that_is_not_known_has_to_be_named(by_profile: Callable[..., Result]) -> None:
    gateway = {"gateway_url": "https://gateway.invalid:8443"}
    found = refused(by_profile(gateway), 12, "gateway_not_trusted")
    assert "--confirm-gateway gateway.invalid:8443" in found["error"]["hint"]
    refused(by_profile(gateway, "--confirm-gateway", "gateway.invalid:443"), 12, "gateway_not_trusted")
    named = by_profile(gateway, "--confirm-gateway", "gateway.invalid:8443")
    assert (named.code, named.json()["outcome"]) == (6, "not_sent"), "it was tried, and nobody is there"


def test_a_protected_profile_asks_for_the_name(by_profile: Callable[..., Result], sandbox: Sandbox) -> None:
    protected = {"protected": True}
    for more in ((), ("--yes",), ("--confirm", "search-0001"), ("--yes", "--confirm", "search-0004")):
        refused(by_profile(protected, *more), 12, "not_confirmed")
    assert asked(sandbox) == []
    assert by_profile(protected, "--confirm", "search-0004").json()["outcome"] == "accepted"


def test_a_profile_that_is_read_only_sets_none(by_profile: Callable[..., Result], sandbox: Sandbox) -> None:
    refused(by_profile({"read_only": True}), 12, "read_only")
    assert asked(sandbox) == []


@pytest.mark.parametrize(
    "row",
    [
        ("search-0004", "drop-after", 0, "accepted", "bucket_list", "Done: the storage key of search-0004 is"),
        ("search-0004", "drop-before", 9, "unknown", None, "no key is set (code 10115)"),
        ("search-0001", "drop-after", 9, "unknown", None, "A key is set; whether it is the new one cannot be read."),
        ("search-0001", "result-null-before", 9, "unknown", None, "A key is set; whether it is the new one cannot"),
        ("search-0004", "result-null-after", 0, "accepted", "bucket_list", "Done: the storage key of search-0004 is"),
        ("search-0001", "throttled", 7, "refused", None, "Not done: the storage key of search-0001 was not set."),
        ("search-0001", "permission-denied", 5, "refused", None, "Not done: the storage key of search-0001 was"),
        ("search-0001", "authentication-failed", 4, "refused", None, "Not done: the storage key of search-0001"),
        ("search-0001", "refused-200", 8, "refused", None, "Not done: the storage key of search-0001 was not set."),
        ("search-0001", "clock-slow", 4, "refused", None, "Not done: the storage key of search-0001 was not set."),
        ("search-0001", "redirect-307", 9, "unknown", None, "Only one request was sent."),
        ("search-0001", "echo-after", 9, "unknown", None, "Only one request was sent."),
        ("search-0004", "echo-200", 0, "accepted", None, "Done: the storage key of search-0004 is STOR…0042."),
    ],
)
def test_what_is_told_of_a_fault(
    call: Called, sandbox: Sandbox, row: tuple[str, str, int, str, str | None, str]
) -> None:
    cluster, fault, code, outcome, resolved_by, words = row
    install(sandbox, f"{fault}@set-key:always")
    arguments = ["cluster", "set-key", cluster, *OTHER[3:]]
    result = call(*arguments, stdin=SECRET)
    assert (result.code, words in result.stdout + result.stderr) == (code, True), result
    assert (sets(sandbox), effects(sandbox) <= 1) == (1, True)
    assert (outcome == "refused") <= (effects(sandbox) == 0)
    assert "history" not in result.stderr, "that of the snapshots tells nothing of a key"
    document = call(*arguments, "--json", "--again", again_of(call, arguments), stdin=SECRET).json()
    assert document["outcome"] in {outcome, "unknown"}, "with an earlier one on its way nothing is proved"
    assert document["resolved_by"] == (resolved_by if outcome == "accepted" and sets(sandbox) == 1 else None)


def again_of(call: Called, arguments: list[str]) -> str:
    """The id that the next request needs; any where it needs none."""
    document = call(*arguments, "--json", "--dry-run").json()
    return str((document.get("earlier") or {"id": "0" * 12})["id"])


def test_an_unresolved_one_stops_the_next_until_its_id_is_named(call: Called, sandbox: Sandbox) -> None:
    install(sandbox, "drop-before@set-key")
    assert call(*OTHER, stdin=SECRET).code == 9
    document = refused(call(*OTHER, "--json", "--yes", stdin=SECRET), 12, "second_request")
    assert set(document["earlier"]) == {"id", "source", "state", "at"}
    assert sets(sandbox) == 1
    done = call(*OTHER, "--json", "--again", document["earlier"]["id"], stdin=SECRET).json()
    assert (done["outcome"], sets(sandbox), effects(sandbox)) == ("accepted", 2, 1)


def test_resolve_never_says_that_it_was_done(call: Called, sandbox: Sandbox) -> None:
    install(sandbox, "drop-before@set-key")
    assert call(*OTHER, stdin=SECRET).code == 9
    sandbox.world.state(sandbox.world.named("search-0004")).key_set = True
    result = call("snapshot", "resolve", "--json")
    (found,) = result.json()
    assert (result.code, found["verdict"]) == (9, "unknown")
    assert found["evidence"] == "a key is set; whether it is the new one cannot be read."
    assert call("snapshot", "resolve", "--dismiss", "search-0004", SET_STORAGE_KEY).code == 0
    assert call(*OTHER, "--json", stdin=SECRET).json()["outcome"] == "accepted"


def test_a_running_snapshot_is_warned_of(call: Called, sandbox: Sandbox) -> None:
    sandbox.world.duration = 60.0
    world = sandbox.world
    world.start_snapshot(world.named("search-0001"), "nightly-1", "bk.ses.snapshot")
    result = call("cluster", "set-key", "search-0001", "--this-profile")
    assert "nightly-1 is running since" in result.stderr
    assert "A changed key can leave it stuck." in result.stderr


@pytest.mark.slow
def test_on_a_terminal_it_asks_unseen_and_says_which_key(program: Program, served: ThreadedSandbox) -> None:
    with program.at_terminal(*OTHER[:-1], "--json") as terminal:
        terminal.answer("Secret key (not shown)", SECRET)
        terminal.expect("it cannot be read back.")
        terminal.answer("Set the storage key of search-0004 to STOR…0042?", "n")
        assert terminal.end().code == 130
    assert sets(served.sandbox) == 0
    with program.at_terminal(*OTHER[:-1], "--json") as terminal:
        terminal.answer("Secret key (not shown)", SECRET)
        terminal.answer("Set the storage key of search-0004 to STOR…0042?", "y")
        assert terminal.end().json()["outcome"] == "accepted"


@pytest.mark.slow
def test_interrupted_it_says_what_is_known(program: Program, served: ThreadedSandbox) -> None:
    """Its answer never comes, and Ctrl-C does."""
    fault = served.sandbox.faults.add(SET_STORAGE_KEY, "after", "hang")
    with program.started(*OWN, "--json") as process:
        assert fault.reached.wait(20.0)
        result = program.interrupted(process)
    document = result.json()
    assert (result.code, document["outcome"], document["error"]["kind"]) == (130, "unknown", "interrupted")
    assert document["attempts"] == 1
    refused(program.run(*OWN, "--json"), 12, "second_request")
