"""The evidence bundle: complete, judged as the program judged, and without a key whatever it was made from."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from ncp_tui.gateway.classify import classify_answer, payload_of
from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import Answer, Exchange
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.session_log.log import Action, SessionLog
from ncp_tui.session_log.records import request_line
from ncp_tui.snapshots.conclusion import outcome_of_kind
from ncp_tui.snapshots.evidence import Evidence, exchanges_about, gather_evidence, lines_about
from ncp_tui.snapshots.evidence_file import (
    MOST_OF_A_BODY,
    CannotWriteEvidence,
    evidence_text,
    exchange_document,
    write_evidence,
)
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_entry import read_entries
from ncp_tui.snapshots.outcome import Outcome, outcome_of
from ncp_tui.system.paths import Paths
from tests.snapshots.journals import write_lines
from tests.tables import each_row

NOW = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
NAME = "before-upgrade"
ENDPOINT = Endpoint("public", "KR", "https://gateway.example", "/api/v2")
ACCESS_KEY = "AKIDCANARY0000000009"
CANARY = 'CANARY/s3cr3t+KEY"0123456789abcdefABCDEF'
PROFILE = Profile(name="prod", access_key=ACCESS_KEY)


async def created(
    status: int, body: bytes, log: SessionLog | None = None, headers: dict[str, str] | None = None
) -> tuple[Exchange, GatewayError | None]:
    """A create that is answered so: what was recorded, and what the program made of it."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers or {})

    log = log or SessionLog(lambda: NOW)
    credentials = Credentials(ACCESS_KEY, SecretKey(CANARY))
    gateway = GatewayClient(
        ENDPOINT, credentials, record=log.record, transport=httpx.MockTransport(answer), environ={}, clock=NOW.timestamp
    )
    engine, error = SearchEngine(gateway), None
    try:
        with log.action(f"create snapshot {NAME} of search-0001"):
            await engine.create_snapshot("1037001", NAME, "bk.ses.snapshot")
    except GatewayError as raised:
        error = raised
    finally:
        await engine.aclose()
    return log.actions[-1].exchanges[-1], error


def envelope(code: object = 0, result: object = True, **more: object) -> bytes:
    return json.dumps({"code": code, "message": "said", "result": result, "requestId": "rid", **more}).encode()


def gateway_error(code: str) -> bytes:
    return json.dumps({"error": {"errorCode": code, "message": "said", "details": "more"}}).encode()


ANSWERS: list[tuple[int, bytes]] = [
    (200, envelope()),
    (200, envelope("0")),
    (200, b"\xef\xbb\xbf" + envelope()),
    (200, envelope(result=None)),
    (200, envelope(result=False)),
    (200, envelope(result="true")),
    (200, envelope(4001)),
    (200, envelope({"not": "a code"})),
    (500, envelope()),
    (500, envelope(500)),
    (400, envelope(1_000)),
    (401, gateway_error("200")),
    (401, gateway_error("210")),
    (200, gateway_error("200")),
    (403, gateway_error("230")),
    (404, gateway_error("300")),
    (413, gateway_error("430")),
    (429, gateway_error("400")),
    (429, gateway_error("410")),
    (503, gateway_error("500")),
    (504, gateway_error("510")),
    (500, gateway_error("900")),
    (200, gateway_error("999")),
    (401, b'{"responseError":{"returnCode":"200","returnMessage":"said"}}'),
    (200, b""),
    (200, b"<html>welcome to the captive portal</html>"),
    (200, b'{"code":0,"resul'),
    (200, b"\xff\xfe\x00broken"),
    (200, b"[" * 5_000),
    (302, b""),
    (408, b"slow"),
    (407, b"proxy"),
    (429, b""),
    (502, b"<html>bad gateway</html>"),
    (503, b""),
    (504, b""),
    (200, envelope(result=None, padding="x" * (2 * MOST_OF_A_BODY))),
    (200, envelope(message="완료 \x1b[2J \u202e")),
]


@each_row(("status", "body"), ANSWERS)
async def test_the_bundle_is_judged_as_the_answer_was(status: int, body: bytes) -> None:
    """Whoever reads the file must be able to come to the same verdict, from what is in it alone."""
    headers = {"location": "https://elsewhere.example/"} if status == 302 else {}
    exchange, error = await created(status, body, headers=headers)
    text = evidence_text(Evidence(NAME, NOW, exchanges=[exchange]), secrets=[SecretKey(CANARY)])
    (document,) = json.loads(text)["requests"]
    found = document["answer"]
    pairs = tuple((name, value) for name, value in found["headers"])
    answer = Answer(found["status"], found["reason"], pairs, found["body"].encode())
    again = classify_answer(answer, payload_of(answer), boolean=document["boolean"])
    assert type(again) is type(error)
    judged = document["judged"]
    if error is None:
        assert (judged["class"], judged["may_have_acted"], judged["outcome"]) == (None, True, "accepted")
        return
    assert again is not None
    assert (again.code, again.what) == (error.code, error.what)
    assert judged["class"] == type(error).__name__
    assert (judged["kind"], judged["may_have_acted"]) == (error.kind, error.may_have_acted)
    assert judged["outcome"] == outcome_of(error)
    assert document["error"] == {"kind": error.kind, "text": error.what}


def every_error(error: type[GatewayError] = GatewayError) -> list[type[GatewayError]]:
    return [error, *(each for below in error.__subclasses__() for each in every_error(below))]


@each_row("error", every_error())
def test_a_kind_proves_what_its_error_proves(error: type[GatewayError]) -> None:
    """Of a request of another run the log has the kind alone."""
    assert outcome_of_kind(error.kind, sent=True) is outcome_of(error.__new__(error))  # some want arguments


def test_a_kind_nobody_knows_proves_nothing() -> None:
    assert outcome_of_kind("cancelled", sent=True) is Outcome.UNKNOWN
    assert outcome_of_kind("cancelled", sent=False) is Outcome.NOT_SENT
    assert outcome_of_kind(None, sent=True) is Outcome.ACCEPTED


def fact(key: str, what: str, /, **details: Any) -> dict[str, Any]:
    return {"id": key, "fact": what, "at": NOW.isoformat(), **details}


def begun(key: str = "e1", name: str = NAME, cluster: str = "1037001", **more: Any) -> dict[str, Any]:
    return fact(key, "begun", name=name, cluster=cluster, cluster_name=f"search-{cluster[-4:]}", profile="prod", **more)


def row(message: str = "", *, minutes: int = 1, **more: Any) -> HistoryEntry:
    return HistoryEntry(NAME, at=NOW + timedelta(minutes=minutes), message=message, index=1, **more)


SENT, LOST = fact("e1", "sent", attempt=1), fact("e1", "answered", outcome="unknown", kind="answer_lost")
TAKEN = fact("e1", "answered", outcome="accepted")
REFUSED = fact("e1", "answered", outcome="refused", kind="throttled")


@each_row(
    ("facts", "history", "verdict", "by", "finished"),
    [
        ([], None, "unknown", None, None),
        ([], [], "unknown", None, None),
        ([], [row("SUCCESS")], "started", "history", "success"),
        ([begun()], None, "not started", "journal", None),
        ([begun(), SENT], None, "unknown", None, None),
        ([begun(), SENT, LOST], [], "unknown", None, None),
        ([begun(), SENT, LOST], [row("in progress")], "started", "history", None),
        ([begun(), SENT, LOST], [row("FAILED")], "started", "history", "failed"),
        ([begun(), SENT, LOST], [row("SUCCESS", minutes=-120)], "unknown", None, None),
        ([begun(), SENT, TAKEN], None, "started", "journal", None),
        ([begun(), SENT, TAKEN], [row("SUCCESS")], "started", "journal", "success"),
        ([begun(), SENT, TAKEN, fact("e1", "finished", state="failed")], None, "started", "journal", "failed"),
        ([begun(), SENT, REFUSED], [], "not started", "journal", None),
        # Refused, and there is a row that can be it: somebody asked for it, and nobody knows who.
        ([begun(), SENT, REFUSED], [row("SUCCESS")], "unknown", None, None),
        ([begun(), SENT, REFUSED], [row("SUCCESS", minutes=-120)], "unknown", None, None),
        ([begun(), SENT, REFUSED], [row("SUCCESS", minutes=10 * 525_600)], "unknown", None, None),
        ([begun()], [row("SUCCESS")], "unknown", None, None),
        ([begun(), SENT, REFUSED], [row("SUCCESS", minutes=-60 * 24 * 30)], "not started", "journal", None),
        ([begun(bucket="bk"), SENT, REFUSED], [row("SUCCESS", bucket="other")], "not started", "journal", None),
        ([begun(bucket="bk"), SENT, LOST], [row("SUCCESS", bucket="other")], "unknown", None, None),
        ([begun(), SENT, LOST], [row("SUCCESS", kind="AUTO")], "unknown", None, None),
        ([begun(), SENT, LOST], [row("SUCCESS", cluster_number="1037002")], "unknown", None, None),
        ([begun(), SENT, LOST], [row("SUCCESS", minutes=10 * 525_600)], "unknown", None, None),
        ([begun(), SENT, TAKEN, begun("e2"), fact("e2", "sent")], [], "unknown", None, None),
    ],
)
def test_the_verdict(
    facts: list[dict[str, Any]],
    history: list[HistoryEntry] | None,
    verdict: str,
    by: str | None,
    finished: str | None,
) -> None:
    judgement = Evidence(NAME, NOW, entries=read_entries(facts), history=history).conclusion
    assert (judgement.verdict, judgement.resolved_by, judgement.finished) == (verdict, by, finished)
    assert all(reason.endswith(".") for reason in judgement.why)


async def test_the_verdict_by_the_answer_alone() -> None:
    """Where the journal could not be written, the requests on record have to do."""
    throttled = json.dumps({"error": {"errorCode": "410", "message": "Throttle Limited"}}).encode()
    for status, body, verdict in (
        (200, envelope(), "started"),
        (429, throttled, "not started"),
        (504, b"", "unknown"),
    ):
        exchange, _ = await created(status, body)
        line = request_line("r", Action(f"create snapshot {NAME}", 1, NOW), exchange)
        for evidence in (Evidence(NAME, NOW, exchanges=[exchange]), Evidence(NAME, NOW, lines=[line])):
            assert evidence.conclusion.verdict == verdict
            assert evidence.conclusion.resolved_by == (None if verdict == "unknown" else "answer")


@each_row(("seconds", "verdict"), [(5, "started"), (0, "not started"), (-5, "not started")])
async def test_a_request_that_left_after_all_that_the_journal_tells_is_the_newest(seconds: int, verdict: str) -> None:
    """Refused, then sent without the journal and accepted: the older refusal says nothing of it."""
    exchange, _ = await created(200, envelope())
    later = dataclasses.replace(exchange, at=NOW + timedelta(seconds=seconds))
    line = request_line("r", Action(f"create snapshot {NAME}", 1, NOW), later)
    for evidence in (Evidence(NAME, NOW, exchanges=[later]), Evidence(NAME, NOW, lines=[line])):
        judgement = dataclasses.replace(evidence, entries=read_entries([begun(), SENT, REFUSED])).conclusion
        assert judgement.verdict == verdict


def test_the_journals_lines_of_one_name(tmp_path: Path) -> None:
    other = [begun("e2", "before-upgrade-2"), fact("e2", "sent")]
    elsewhere = [begun("e3", cluster="1037002"), fact("e3", "sent")]
    paths = Paths(tmp_path, tmp_path / "state", tmp_path / "data")
    write_lines(Journal(paths), begun(), *other, SENT, *elsewhere, LOST)

    def told(cluster: str = "") -> list[tuple[Any, Any]]:
        found = gather_evidence(NAME, paths, made_at=NOW, cluster=cluster)
        return [(each["id"], each["fact"]) for each in found.events]

    own = [("e1", "begun"), ("e1", "sent"), ("e1", "answered")]
    assert told() == [*own, ("e3", "begun"), ("e3", "sent")]
    for cluster in ("1037001", "search-7001"):
        assert told(cluster) == own


def line(action: int, title: str, operation: str = "", number: str = "1", **more: Any) -> dict[str, Any]:
    return {"run": "r", "action": action, "title": title, "operation": operation, "target": f"/x/{number}?p=1", **more}


def test_the_logs_lines_of_one_name() -> None:
    """Everything of an action belongs together; a longer name is another one."""
    create = [
        line(1, "create snapshot a-1 of c", "getBucketList"),
        line(1, "create snapshot a-1 of c", "createSnapshot", asked={"snapshotName": "a-1"}),
    ]
    others = [line(2, "create snapshot a-12"), line(3, "watch b-a-1"), line(4, "list clusters")]
    elsewhere = [line(5, "wait for a-1", "getSnapshotHistory", "2")]
    untitled = [line(6, "createSnapshot", "createSnapshot", asked={"snapshotName": "a-1"})]
    lines = [*create, *others, *elsewhere, *untitled]
    assert lines_about(lines, "a-1") == [*create, *elsewhere, *untitled]
    assert lines_about(lines, "a-1", "1") == [*create, *untitled]
    assert lines_about([{}, {"asked": 3, "title": None}], "a-1") == []


async def test_the_requests_of_this_run_of_one_name() -> None:
    log = SessionLog(lambda: NOW)
    exchange, _ = await created(200, envelope(), log)
    other = dataclasses.replace(exchange, operation="getBucketList")
    with log.action("list buckets"):
        log.record(other)
    log.record(exchange)
    assert exchanges_about(log, NAME) == [exchange, exchange]
    assert exchanges_about(log, NAME, "1037002") == []
    assert exchanges_about(log, "before") == []


async def test_a_long_answer_is_cut_unless_it_is_the_creates() -> None:
    body = b"x" * (MOST_OF_A_BODY + 1)
    create, _ = await created(200, body)
    read = dataclasses.replace(create, operation="getSnapshotHistory")
    assert [len(exchange_document(each)["answer"]["body"]) for each in (create, read)] == [len(body), MOST_OF_A_BODY]
    assert [exchange_document(each)["answer"]["whole"] for each in (create, read)] == [True, False]
    judged = exchange_document(read)["judged"]
    assert (judged["may_have_acted"], judged["outcome"]) == (False, None), "a read never had an effect"


def gathered(tmp_path: Path) -> Paths:
    """A state folder with a journal and a log, both torn, with a key where none should ever be."""
    paths = Paths(tmp_path, tmp_path / "state", tmp_path / "data")
    paths.state_dir.mkdir()
    facts = [begun(), SENT, fact("e1", "answered", outcome="unknown", said=f"quoted {CANARY} {ACCESS_KEY}")]
    write_lines(Journal(paths), *facts, b'{"v":1,"entry":"e1","ev')
    said = line(1, f"create snapshot {NAME}", "createSnapshot", "1037001", outcome=f"quoted {CANARY}")
    paths.session_log_file.write_text(json.dumps(said) + '\n{"tor')
    return paths


async def full(tmp_path: Path) -> Evidence:
    """A bundle with something in every member."""
    log = SessionLog(lambda: NOW)
    await created(504, b"", log)
    evidence = gather_evidence(NAME, gathered(tmp_path), made_at=NOW, log=log)
    exchange = evidence.exchanges[0]
    # As it would look if the gateway had not masked anything.
    request = dataclasses.replace(
        exchange.request,
        headers=(*exchange.request.headers, ("x-copy", CANARY)),
        target=f"/x?key={quote(CANARY, safe='')}",
        string_to_sign=f"POST /x\n1\n{ACCESS_KEY}",
    )
    body = json.dumps({"said": CANARY}).replace("/", "\\/").encode()
    answer = Answer(504, "", (("set-cookie", CANARY),), body)
    leaky = dataclasses.replace(exchange, request=request, answer=answer, error_text=f"quoted {CANARY}")
    return dataclasses.replace(
        evidence,
        exchanges=[leaky],
        identity=Identity("prod", "OS keyring", SourceKind.PROFILE, PROFILE),
        clock_offset=ClockOffset(0.2, 0.6),
        history=[dataclasses.replace(row(f"reason: {CANARY}"), raw={CANARY: [f"nested {CANARY}"]})],
        gaps=[f"because {CANARY}"],
    )


async def test_no_key_is_in_the_bundle_however_it_is_spelled(tmp_path: Path) -> None:
    evidence = await full(tmp_path)
    text = evidence_text(evidence, secrets=[SecretKey(CANARY)], access_keys=[ACCESS_KEY])
    for spelling in (CANARY, "CANARY/", "CANARY\\/", "CANARY%2F", "s3cr3t"):
        assert spelling not in text
    assert ACCESS_KEY not in text
    assert text.count("AKID…0009") >= 4, "an access key is masked, and can be told from another"
    assert "CANARY/" in evidence_text(evidence, secrets=[]), "the test would find it"


async def test_what_is_in_the_bundle(tmp_path: Path) -> None:
    evidence = await full(tmp_path)
    document = json.loads(evidence_text(evidence, secrets=[SecretKey(CANARY)], access_keys=[ACCESS_KEY]))
    assert document["evidence"] == 1
    assert document["made_at"] == "2026-01-01T09:30:00.000+00:00"
    assert document["cluster"] == {"name": "search-7001", "number": "1037001"}
    assert set(document["program"]) == {"ncp-tui", "python", "system", "httpx"}
    assert document["profile"] == {
        "name": "prod",
        "source": "OS keyring",
        "access_key": "AKID…0009",
        "site": "public",
        "region": "KR",
        "gateway": "https://vpcsearchengine.apigw.ntruss.com",
    }
    assert document["clock_offset"] == {"seconds": 0.2, "uncertainty": 0.6}
    assert [each["fact"] for each in document["journal"]] == ["begun", "sent", "answered"]
    assert len(document["session_log"]) == 1
    assert document["verdict"]["verdict"] == "started"
    (request,) = document["requests"]
    assert request["request"]["body"] == f'{{"snapshotName":"{NAME}","bucketName":"bk.ses.snapshot"}}'
    assert request["request"]["string_to_sign"].startswith("POST ")
    assert ["x-ncp-apigw-signature-v2", "****"] in request["request"]["headers"]
    assert set(request["seconds"]) >= {"dns", "connect", "tls", "first_byte", "total"}


def test_what_cannot_be_read_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle without the journal must say so, and not look as if there had been none."""
    paths = gathered(tmp_path)

    def refuse(*_: object) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr("ncp_tui.snapshots.evidence.read_log", refuse)
    evidence = gather_evidence(NAME, paths, made_at=NOW)
    assert evidence.gaps == [
        "The journal cannot be read: Permission denied.",
        "The session log could not be read: Permission denied.",
    ]


def test_nothing_at_all(tmp_path: Path) -> None:
    evidence = gather_evidence(NAME, Paths(tmp_path / "no", tmp_path / "no", tmp_path / "no"), made_at=NOW)
    assert evidence.is_empty
    assert evidence.gaps == []
    assert not (tmp_path / "no").exists()


def test_the_file_is_private_and_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evidence = Evidence("../a b/스냅", NOW)
    old_mask = os.umask(0)
    try:
        path = write_evidence(evidence)
    finally:
        os.umask(old_mask)
    assert path == tmp_path / "evidence-.._a_b___-20260101-093000.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["snapshot"] == "../a b/스냅"
    before = path.read_bytes()
    with pytest.raises(CannotWriteEvidence, match="there already"):
        write_evidence(dataclasses.replace(evidence, gaps=["x"]))
    assert path.read_bytes() == before


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """In a folder that others can write to, it would have us make a file where they cannot."""
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(CannotWriteEvidence):
        write_evidence(Evidence(NAME, NOW), tmp_path / "link")
    assert not (tmp_path / "target").exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CannotWriteEvidence, match="No such file"):
        write_evidence(Evidence(NAME, NOW), tmp_path / "no" / "file")


def test_a_full_disk_leaves_no_half_a_file(tmp_path: Path) -> None:
    """A real refusal by the kernel, which works for root as well: a limit on the size of files, in a child."""
    program = (
        "import resource, signal, sys\nfrom datetime import datetime\nfrom pathlib import Path\n"
        "from ncp_tui.snapshots.evidence import Evidence\n"
        "from ncp_tui.snapshots.evidence_file import CannotWriteEvidence, write_evidence\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try: write_evidence(Evidence('a-1', datetime.now()), Path(sys.argv[1]))\n"
        "except CannotWriteEvidence as problem: print(problem.what)\n"
    )
    target = tmp_path / "bundle.json"
    command = [sys.executable, "-c", program, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{target} was not written: File too large.\n"
    assert not target.exists()
