"""`doctor --contract`: differences are the answer, what cannot be read the exit code, and the file may be shared."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest

from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.cli.program import Called, Program
from tests.tables import each_row

READS = {
    "getClusterInfoList",
    "getClusterInfo",
    "getSearchEngineVersionList",
    "getDashboardInformation",
    "getBucketList",
    "getSnapshotHistory",
    "getSnapshotSchedulingHistory",
}
SECRET = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
ACCESS_KEY = "CANARYACCESS00000001"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def the_file(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


def test_a_check_of_the_sandbox_in_read_only_mode(call: Called, sandbox: Sandbox, tmp_path: Path) -> None:
    result = call("--read-only", "doctor", "--contract", "--json")
    document = result.json()
    assert (result.code, document["differences"]) == (0, [])
    assert document["cluster"] == {"name": "search-0001", "number": "1037001"}
    assert {each["operation"] for each in document["operations"]} == READS
    assert {each["state"] for each in document["operations"]} == {"compared"}
    path = the_file(tmp_path / "here")
    assert document["file"] == str(path)
    assert path.name.startswith("contract-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {request.operation for request in sandbox.ledger.requests} == READS
    assert not sandbox.ledger.effects
    schema = {"file", "cluster", "at", "differences", "facts", "doubtful", "operations"}
    assert set(document) == schema


def test_the_file_names_nothing_of_the_user(call: Called, sandbox: Sandbox, tmp_path: Path) -> None:
    assert call("doctor", "--contract").code == 0
    text = the_file(tmp_path / "here").read_text()
    document = json.loads(text)
    assert document["facts"]
    assert (document["site"], document["gateway"]) == ("public", "another")
    private = [cluster.name for cluster in sandbox.world.clusters] + ["bk.ses.snapshot", "legal-hold", "vpc-prod"]
    private += ["1037001", "2719876", "127.0.0.1", "10.0.", "sandbox-login-key", "logs-001", "40211", "auto-20"]
    private += [sandbox.access_key, sandbox.secret_key, sandbox.account.access_key[-6:]]
    assert [each for each in private if each in text] == []
    answers = [each["answer"]["result"] for each in document["answers"] if each["operation"] == "getClusterInfoList"]
    assert answers[0]["allowedClusters"][0]["clusterName"] == "cluster-1"


def test_in_words(call: Called) -> None:
    said = " ".join(call("doctor", "--contract").stdout.split())
    for sentence in (
        "Asked about cluster search-0001 (1037001).",
        "No difference from what ncp-tui believes was found.",
        "getSnapshotHistory is newest first: seen (23 rows).",
        "words of `snapshotSchedulingHistoryList[].snapshotSchedulingStatus` seen: ACTIVE, RELEASED.",
        "Still doubtful: ",
        "How NCP answers where no storage key is set: ask about a cluster without one.",
    ):
        assert sentence in said, said


def test_a_cluster_without_a_storage_key_is_named(call: Called) -> None:
    document = call("doctor", "--contract", "--cluster", "search-0004", "--json").json()
    assert document["cluster"]["name"] == "search-0004"
    (fact,) = [fact for fact in document["facts"] if fact["kind"] == "key_not_set"]
    assert fact["seen"][1] == "10115"


def test_a_file_of_ones_own_choice_or_standard_output(call: Called, tmp_path: Path) -> None:
    target = tmp_path / "here" / "mine.json"
    assert call("doctor", "--contract", "--output", str(target)).code == 0
    result = call("doctor", "--contract", "--output", str(target))
    assert (result.code, "is there already" in result.stderr) == (2, True)
    assert set(call("doctor", "--contract", "--output", "-").json()) == set(json.loads(target.read_text()))
    assert the_file(tmp_path / "here") == target


@each_row(
    "arguments",
    [
        ("--cluster", "search-0001"),
        ("--output", "x.json"),
        ("--contract", "--offline"),
        ("--contract", "--cluster", "nothing-here"),
        ("--contract", "--cluster", "1999999"),
    ],
)
def test_wrong_usage_writes_nothing(call: Called, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert call("doctor", *arguments).code == 2
    assert not list((tmp_path / "here").iterdir())


def test_a_cluster_that_the_key_may_not_open(call: Called) -> None:
    assert call("doctor", "--contract", "--cluster", "hr-private").code == 5


def test_an_operation_that_is_not_open_is_a_difference(call: Called, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add("getBucketList", act=gateway_answer(GatewayError.NOT_FOUND))
    result = call("doctor", "--contract", "--json")
    assert result.code == 0
    (difference,) = result.json()["differences"]
    assert (difference["operation"], difference["kind"], difference["seen"]) == (
        "getBucketList",
        "refused",
        ["404", "300"],
    )
    assert the_file(tmp_path / "here").is_file()


@pytest.mark.parametrize(
    ("error", "code"),
    [(GatewayError.RATE_LIMITED, 7), (GatewayError.ENDPOINT_ERROR, 6), (GatewayError.PERMISSION_DENIED, 5)],
)
def test_what_cannot_be_read_is_the_exit_code(
    call: Called, sandbox: Sandbox, tmp_path: Path, error: GatewayError, code: int
) -> None:
    """The others are compared all the same, and nothing is claimed of the one."""
    sandbox.faults.add("getSnapshotHistory", act=gateway_answer(error))
    result = call("doctor", "--contract", "--json")
    document = result.json()
    assert (result.code, document["differences"]) == (code, [])
    states = {each["operation"]: each["state"] for each in document["operations"]}
    assert states["getBucketList"] == "compared"
    assert the_file(tmp_path / "here").is_file()


def test_keys_that_are_wrong_write_no_file(call: Called, tmp_path: Path) -> None:
    result = call("doctor", "--contract", NCLOUD_SECRET_KEY="wrong")
    assert result.code == 4
    assert not list((tmp_path / "here").iterdir())


def test_a_gateway_that_is_not_there_writes_no_file(call: Called, served: ThreadedSandbox, tmp_path: Path) -> None:
    served.stop()
    assert call("doctor", "--contract").code == 6
    assert not list((tmp_path / "here").iterdir())


# A gateway that means no good


class Hostile:
    """Answers each read with `result(operation)` in an envelope, whoever asks."""

    def __init__(self, result: Callable[[str], Any]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                operation = self.path.partition("?")[0].split("/")[4]
                body = json.dumps(
                    {"code": 0, "message": "SUCCESS", "result": result(operation), "requestId": "r"}
                ).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


Serve = Callable[[Callable[[str], Any]], Called]


@pytest.fixture
def against(nobody: Program, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Calls the program with the canary's keys against a gateway that answers as told."""
    running: list[Hostile] = []

    def serve(result: Callable[[str], Any]) -> Called:
        running.append(Hostile(result))
        keys = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": SECRET, "NCLOUD_API_GW": running[-1].url}
        return Called(Program(nobody.environ | keys, [SECRET]), capsys, monkeypatch)

    yield serve
    for each in running:
        each.server.shutdown()
        each.server.server_close()


SPELLINGS = [
    SECRET,
    base64.b64encode(SECRET.encode()).decode(),
    SECRET.encode().hex(),
    "".join(f"%{ord(letter):02X}" for letter in SECRET),
    "".join(f"\\u{ord(letter):04x}" for letter in SECRET),
    "".join(f"&#{ord(letter)};" for letter in SECRET),
    quote(SECRET.swapcase()).swapcase(),
]


def echo(operation: str) -> dict[str, Any]:
    """The secret and the access key, wherever an answer can have a text."""
    texts = [*SPELLINGS, ACCESS_KEY, f"x{ACCESS_KEY}y", *(f"a {each} b" for each in SPELLINGS)]
    rows = [
        {
            "serviceGroupInstanceNo": "1037001",
            "clusterName": text,
            "clusterStatus": text,
            "createDate": text,
            "message": text,
            "snapshotName": text,
            "requestType": text,
            "actionDate": text,
            "duration": text,
            "name": text,
            "permission": text,
            "searchEngineVersion": text,
            "echoed": text,
            "snapshotSchedulingStatus": text,
            text: text,
        }
        for text in texts
    ]
    names = ("allowedClusters", "bucketList", "snapshotHistoryResponseList", "snapshotSchedulingHistoryList")
    return dict.fromkeys((*names, "searchEngineVersionList"), rows) | {"totalCount": len(rows), "pageSize": operation}


def test_a_secret_that_the_gateway_repeats_reaches_nothing(against: Serve, tmp_path: Path) -> None:
    result = against(echo)("doctor", "--contract", "--cluster", "1037001")
    assert result.code == 0
    left = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] + [result.stdout, result.stderr]
    assert len(left) > 3
    for text in left:
        for spelling in [*SPELLINGS, SECRET[:20], SECRET[20:]]:
            assert spelling not in text
    assert ACCESS_KEY not in the_file(tmp_path / "here").read_text()
    assert ACCESS_KEY[:8] not in the_file(tmp_path / "here").read_text()


BIDI = "\u202eevil\u2066\x1b[31m\x9b"


@each_row(
    "result",
    [
        {"allowedClusters": [{}] * 8_000},
        {f"{place}{BIDI}": {} for place in range(2_000)},
        {"allowedClusters": [{f"f{row}_{place}": BIDI for place in range(40)} for row in range(60)]},
        {"allowedClusters": [{"serviceGroupInstanceNo": "1", "clusterName": BIDI, BIDI: [[[[[{BIDI: BIDI}]]]]]}]},
        {"allowedClusters": [{"serviceGroupInstanceNo": "../../x", "clusterName": "a"}]},
    ],
    ids=["tiny", "names", "fields", "nested", "address"],
)
def test_a_hostile_answer_is_bounded_and_inert(against: Serve, tmp_path: Path, result: Any) -> None:
    answer = against(lambda _: result)("doctor", "--contract")
    assert answer.code in {0, 8}
    for text in (answer.stdout, the_file(tmp_path / "here").read_text()):
        assert len(text) < 600_000
        assert not any(sign in text for sign in ("\x1b", "\x9b", "\u202e", "\u2066"))
    the_file(tmp_path / "here").unlink()
