"""Commands that use the role of this server: only where the user says so, and with keys that nothing keeps."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.gateway.credentials import Credentials
from ncp_tui.gateway.endpoints import Endpoint, endpoint_for
from ncp_tui.gateway.metadata_service import NotOnServer
from ncp_tui.profiles.server_role import ServerRole
from ncp_tui.sandbox.authentication import Account
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, Program, asked, keys_of
from tests.cli.test_start import loaded
from tests.gateway.wire import http
from tests.journeys.terminal import Terminal
from tests.profiles.metadata_server import ROLE, MetadataServer, document
from tests.snapshots.journals import journal_in, lines_of

AS_ROLE = ("--profile", "server-role")
WANTED = {"NCP_TUI_SERVER_ROLE": "1"}
CREATE = ("snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", "x-1")
LATER = Account("SANDBOX0000000LATER1", "sandbox-secret-key-of-a-role-later-on-00")
ON_DEMAND = {"ncp_tui.profiles.server_role", "ncp_tui.gateway.metadata_service"}


def keys_for(sandbox: Sandbox, **more: object) -> dict[str, object]:
    return document(sandbox.access_key, sandbox.secret_key, time.time() + 6 * 3600, **more)


@pytest.fixture
def served() -> Iterator[ThreadedSandbox]:
    """It knows two pairs of keys of one account, as of a role whose keys have been renewed."""
    with ThreadedSandbox(Sandbox(duration=0, accounts=[LATER])) as served:
        yield served


@pytest.fixture
def metadata(served: ThreadedSandbox) -> Iterator[MetadataServer]:
    """It hands out the keys of the sandbox."""
    with MetadataServer(keys_for(served.sandbox)) as server:
        yield server


@pytest.fixture
def program(nobody: Program, served: ThreadedSandbox, metadata: MetadataServer) -> Program:
    """A user without keys on a server that may have a role."""
    return Program(nobody.environ | metadata.environ | {"NCLOUD_API_GW": served.url}, [served.sandbox.secret_key])


@pytest.fixture
def on_loopback(monkeypatch: pytest.MonkeyPatch, served: ThreadedSandbox) -> None:
    """Doctor's sites are the sandbox."""

    def endpoint(site: str = "public") -> Endpoint:
        return endpoint_for(site, gateway_url=served.url)

    monkeypatch.setattr("ncp_tui.cli.doctor.site_endpoint", endpoint)


@pytest.mark.parametrize(
    ("arguments", "environ"), [(AS_ROLE, {}), ((), {"NCP_TUI_PROFILE": "server-role"}), ((), WANTED)]
)
def test_clusters_by_the_role(
    call: Called, metadata: MetadataServer, sandbox: Sandbox, arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    """One of them as a process: everything of it is what a user would have."""
    run = call.program.run if arguments else call
    result = run("cluster", "list", "--json", *arguments, **environ)
    assert (result.code, len(result.json())) == (0, 14)
    assert metadata.questions == 1
    assert "Using server-role" in result.stderr
    assert f"server role {ROLE}: SAND…{sandbox.access_key[-4:]}" in result.stderr
    assert sandbox.access_key not in result.stdout + result.stderr


def test_its_keys_are_no_storage_key(call: Called, metadata: MetadataServer, sandbox: Sandbox) -> None:
    """They expire, and every snapshot would fail from then on: neither by its name nor typed. Others may be set."""
    set_key = ("cluster", "set-key", "search-0004", *AS_ROLE, "--json")
    secret = sandbox.secret_key
    for own in (("--this-profile",), ("--access-key", sandbox.access_key, "--secret-stdin")):
        result = call(*set_key, *own, stdin=secret)
        assert (result.code, result.json()["error"]["kind"], asked(sandbox)) == (12, "keys_expire", [])
    other = call(*set_key, "--access-key", "STORAGEKEYID00000042", "--secret-stdin", stdin="x" * 40)
    assert (other.code, other.json()["outcome"]) == (0, "accepted")
    assert metadata.questions


@pytest.mark.parametrize(
    "arguments",
    [
        ("cluster", "list"),
        ("profile", "list"),
        ("profile", "test"),
        ("profile", "import"),
        ("profile", "show", "environment"),
        ("snapshot", "resolve"),
        ("snapshot", "history", "search-0001"),
        ("doctor", "--offline"),
        ("paths",),
    ],
)
@pytest.mark.parametrize("with_keys", [False, True])
def test_nobody_is_asked_unless_the_user_says_so(
    call: Called, served: ThreadedSandbox, metadata: MetadataServer, arguments: tuple[str, ...], with_keys: bool
) -> None:
    """Having no keys at all is no reason either."""
    environ = keys_of(served) if with_keys else {}
    for more in ({}, {"NCP_TUI_SERVER_ROLE": "0"}, {"NCP_TUI_PROFILE": "nobody"}):
        call(*arguments, **environ, **more)
    assert metadata.paths == []


@pytest.mark.usefixtures("on_loopback")
def test_doctor_asks_nobody_unless_the_user_says_so(call: Called, metadata: MetadataServer) -> None:
    call("doctor")
    assert metadata.paths == []


def test_commands_that_do_not_use_it_do_not_load_it(program: Program, served: ThreadedSandbox) -> None:
    assert not ON_DEMAND & loaded(program, "cluster", "list", **keys_of(served))
    assert loaded(program, "cluster", "list", **WANTED) >= ON_DEMAND


def test_other_keys_go_before_it(call: Called, served: ThreadedSandbox, metadata: MetadataServer) -> None:
    """It is wanted, and last in the order: what is set up for a pipeline stays what it uses."""
    result = call("cluster", "list", **WANTED, **keys_of(served))
    assert "Using environment" in result.stderr
    assert metadata.paths == []


def test_it_is_listed_where_it_is_wanted(call: Called, metadata: MetadataServer) -> None:
    assert call("profile", "list", "--json").json() == []
    for arguments, environ in ((AS_ROLE, {}), ((), WANTED)):
        (row,) = call("profile", "list", "--json", *arguments, **environ).json()
        assert (row["name"], row["kind"], row["source"]) == ("server-role", "server-role", "server role")
        assert row["used"] is bool(environ), "that is what a command without --profile uses"
        assert (row["access_key"], row["store"], row["default"]) == ("****", None, False)
    assert metadata.paths == []


def test_show_asks_nobody(call: Called, served: ThreadedSandbox, metadata: MetadataServer) -> None:
    document = call("profile", "show", "server-role", "--json", NCLOUD_REGION="jpn").json()
    assert (document["site"], document["region"]) == ("public", "JPN")
    assert document["endpoint"] == f"{served.url}/api/jpn-v2"
    assert metadata.paths == []


def test_the_test_of_it(call: Called, metadata: MetadataServer) -> None:
    """Its name after the command says it as well as --profile does."""
    tested = call("profile", "test", "server-role", "--json").json()
    assert (tested["ok"], tested["name"], tested["source"]) == (True, "server-role", f"server role {ROLE}")
    assert metadata.questions == 1


def test_it_is_not_imported_and_nothing_is_called_so(call: Called, metadata: MetadataServer) -> None:
    assert call("profile", "import", **WANTED).code == 3
    added = call("profile", "add", "server-role", "--access-key", "AK", "--store", "session")
    assert added.code == 2
    assert "the keys of this server's role" in added.stderr
    assert metadata.paths == []


def no_role(metadata: MetadataServer) -> None:
    metadata.keys = None


def silent(metadata: MetadataServer) -> None:
    metadata.is_silent = True


def html(metadata: MetadataServer) -> None:
    metadata.raw = http(200, b"<html>Log in</html>")


def failed(metadata: MetadataServer) -> None:
    metadata.keys = document("AK", "SKcanary", time.time() + 600, Code="Failed", Message="debug SKcanary")


def expired(metadata: MetadataServer) -> None:
    metadata.keys = document("AK", "SKcanary", time.time() - 600)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that nobody answers is given up soon."""
    monkeypatch.setattr(importlib.import_module("ncp_tui.gateway.metadata_service"), "SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("spoil", "kind_and_words"),
    [
        (no_role, ("no_server_role", "This server has no role")),
        (silent, ("metadata_silent", "did not answer within 0.2 s")),
        (html, ("bad_metadata", "it is not a list of roles")),
        (failed, ("bad_metadata", "it says Failed: debug ****")),
        (expired, ("bad_metadata", "its keys have expired")),
    ],
)
def test_keys_that_cannot_be_had(
    call: Called,
    sandbox: Sandbox,
    metadata: MetadataServer,
    spoil: Callable[[MetadataServer], None],
    kind_and_words: tuple[str, str],
) -> None:
    """One calm sentence each, before anything is sent."""
    kind, said = kind_and_words
    spoil(metadata)
    result = call("cluster", "list", "--json", *AS_ROLE)
    error = result.json()["error"]
    assert (result.code, error["kind"]) == (3, kind)
    assert said in error["what"]
    assert "Nothing was sent to NCP." in error["meaning"]
    assert error["next_step"]
    assert "SKcanary" not in result.stdout + result.stderr
    assert asked(sandbox) == []
    assert call(*CREATE, "--yes", *AS_ROLE).code == 3


def test_not_on_a_server(call: Called) -> None:
    result = call("cluster", "list", "--json", *AS_ROLE, NCLOUD_METADATA_API_ENDPOINT="http://127.0.0.1:1")
    assert (result.code, result.json()["error"]["kind"]) == (3, "not_on_ncp_server")


@pytest.mark.parametrize("variable", ["NCLOUD_METADATA_API_ENDPOINT", "NCLOUD_METADATA_ENDPOINT"])
def test_another_host_that_would_hand_out_keys(call_nobody: Called, served: ThreadedSandbox, variable: str) -> None:
    """It would decide in whose account a snapshot is taken."""
    result = call_nobody(
        *("cluster", "list", "--json", *AS_ROLE), **{variable: "http://metadata.evil.example", "NCLOUD_API_GW": "x"}
    )
    assert result.code == 3
    assert f"{variable} does not name this machine's metadata service." in result.json()["error"]["what"]
    assert asked(served.sandbox) == []


@pytest.mark.usefixtures("on_loopback")
def test_doctor_knows_it(call: Called, metadata: MetadataServer, sandbox: Sandbox) -> None:
    findings = {each["check"]: each for each in call("doctor", "--json", **WANTED).json()}
    assert findings["keys in use"]["found"] == "server-role (key from server role)"
    assert findings["profile server-role"]["state"] == "ok"
    assert f"server role {ROLE}" in findings["profile server-role"]["found"]
    assert metadata.questions == 1
    no_role(metadata)
    result = call("doctor", "--json", *AS_ROLE)
    found = next(each for each in result.json() if each["check"] == "profile server-role")
    assert (result.code, found["state"]) == (3, "bad")
    assert "Attach a role" in found["fix"]
    assert set(asked(sandbox)) == {"getClusterInfoList"}


def test_doctor_finds_a_service_that_may_not_be_asked(call: Called) -> None:
    evil = {"NCLOUD_METADATA_ENDPOINT": "http://evil.example", "NCLOUD_METADATA_API_ENDPOINT": ""}
    result = call("doctor", "--offline", "--json", **WANTED, **evil)
    found = next(each for each in result.json() if each["check"] == "keys server-role")
    assert (result.code, found["state"]) == (3, "bad")


def test_who_asked_is_recognised_though_the_keys_have_changed(
    call: Called, metadata: MetadataServer, sandbox: Sandbox
) -> None:
    """The journal knows the role by the name it has here. Without being told so, resolving asks for no keys of it."""
    sandbox.faults.add("createSnapshot", "after", "drop")
    sandbox.faults.add("getSnapshotHistory", "answer", (500, {}), times=None)
    assert call(*CREATE, "--yes", "--quiet", *AS_ROLE).code == 9
    sandbox.faults.clear()
    metadata.paths.clear()
    metadata.keys = document(LATER.access_key, LATER.secret_key, time.time() + 3600)
    resolve = ("snapshot", "resolve", "--json", "--timeout", "5")
    unresolved = call(*resolve)
    assert (unresolved.code, unresolved.json()[0]["profile"]) == (9, "server-role")
    assert "only on request" in unresolved.json()[0]["evidence"]
    assert "NCP_TUI_SERVER_ROLE=1" in unresolved.json()[0]["next_step"]
    assert metadata.paths == []
    resolved = call(*resolve, **WANTED)
    assert (resolved.code, resolved.json()[0]["verdict"]) == (0, "started")
    assert sandbox.ledger.requests[-1].access_key == LATER.access_key


def without_keys_for_the_create(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service goes away between the last look and the create."""
    real = ServerRole.current

    async def current(role: ServerRole) -> Credentials:
        if "getBucketList" in asked(sandbox):
            raise NotOnServer("There is no metadata service.", "Nothing was sent to NCP.", "Wait.")
        return await real(role)

    monkeypatch.setattr(ServerRole, "current", current)


def test_keys_that_end_before_the_create(call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certainly not started: said so, written down so, and with the exit code of missing keys."""
    without_keys_for_the_create(sandbox, monkeypatch)
    result = call(*CREATE, "--yes", "--json", *AS_ROLE)
    assert (result.code, result.json()["outcome"]) == (3, "not_sent")
    assert result.json()["error"]["kind"] == "not_on_ncp_server"
    assert sandbox.ledger.effects == []
    facts = [line["fact"] for line in lines_of(journal_in(Path(call.program.environ["NCP_TUI_HOME"])))]
    assert "sent" not in facts


def left_behind(folder: Path) -> dict[str, str]:
    return {str(file): file.read_bytes().decode(errors="replace") for file in folder.rglob("*") if file.is_file()}


LOUD = """
import logging, os
logging.basicConfig(level=logging.DEBUG, filename=os.path.join(os.environ["HOME"], "debug.log"))
"""


def test_no_key_of_it_is_left_anywhere(program: Program, sandbox: Sandbox, tmp_path: Path) -> None:
    """Neither of the two: an access key of a role tells whose server this is, and is masked as every other."""
    sandbox.faults.add("getClusterInfo", "answer", (500, {"debug": f"{sandbox.secret_key} {sandbox.access_key}"}))
    for arguments in (
        ("cluster", "show", "search-0001"),
        (*CREATE, "--yes", "--wait"),
        ("snapshot", "evidence", "x-1", "--output", str(tmp_path / "evidence.json")),
    ):
        with program.started(*arguments, *AS_ROLE, code=LOUD) as process:
            program.ended(process)
    found = left_behind(tmp_path)
    assert any(name.endswith("debug.log") for name in found), "the loggers were on"
    assert any(name.endswith("session.jsonl") for name in found)
    assert json.loads(found[str(tmp_path / "evidence.json")])["profile"]["source"] == f"server role {ROLE}"
    for name, text in found.items():
        assert sandbox.secret_key not in text, name
        assert sandbox.access_key not in text, name


def test_a_bug_while_its_keys_are_in_use(call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report leaves out the keys that came from a role as it does any other, also the second pair."""
    later = "SKlater000000000000000000000000000000001"

    async def fail(engine: SearchEngine) -> None:
        role: Any = engine._gateway._credentials
        role._tell(Credentials("AKLATER0000000000001", type(role.issued[0].secret_key)(later)))
        raise RuntimeError(f"the keys are {role.issued[0].secret_key.reveal()} and {later}")

    monkeypatch.setattr(SearchEngine, "list_clusters", fail)
    assert call("cluster", "list", *AS_ROLE).code == 1
    (report,) = paths_from(call.program.environ).reports_dir.glob("*")
    assert "the keys are **** and ****" in report.read_text()
    assert sandbox.secret_key not in report.read_text()


@pytest.mark.slow
def test_the_full_screen_by_the_role(program: Program, metadata: MetadataServer, tmp_path: Path) -> None:
    environ = {**metadata.environ, "NCLOUD_API_GW": program.environ["NCLOUD_API_GW"]}
    with Terminal(tmp_path, *AS_ROLE, environ=environ) as terminal:
        terminal.expect("14 clusters", f"(server role {ROLE})")
        terminal.press("q")
        assert terminal.expect_end() == 0
    assert metadata.questions == 1
