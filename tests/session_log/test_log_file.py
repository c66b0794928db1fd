"""The session log on disk: complete whoever else writes, private, without keys, and never in anybody's way."""

from __future__ import annotations

import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import Answer, Exchange, RequestRecord, Timings
from ncp_tui.gateway.request import ApiCall
from ncp_tui.session_log import log_file as file_module
from ncp_tui.session_log.log import Action, SessionLog
from ncp_tui.session_log.log_file import KEPT, LogWriter, read_log
from ncp_tui.session_log.records import request_line
from ncp_tui.system.paths import make_private_directory
from ncp_tui.text import json_text
from ncp_tui.workspace import open_workspace

NOW = datetime(2026, 1, 1, 9, 30, 0, 123456, tzinfo=UTC)
ACCESS_KEY = "AKIDCANARY0000000009"
CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
PATIENCE = 60.0


def exchange(operation: str = "getBucketList", **fields: Any) -> Exchange:
    target = f"/api/v2/snapshot/{operation}/1037001"
    return Exchange(operation, NOW, RequestRecord("GET", "https://gateway.example", target, (), "", ""), **fields)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "session.jsonl"


@pytest.fixture
def file(path: Path) -> Iterator[LogWriter]:
    file = LogWriter(path, partial(make_private_directory, path.parent))
    yield file
    file.close(PATIENCE)


def log_into(file: LogWriter) -> SessionLog:
    moments = itertools.count()
    log = SessionLog(lambda: NOW + timedelta(seconds=next(moments)))
    log.subscribe(file.on_event)
    return log


def written(file: LogWriter) -> list[dict[str, Any]]:
    """All lines, each of them whole."""
    assert file.close(PATIENCE)
    return [json.loads(line) for line in file.path.read_text().splitlines()]


def test_the_lines(file: LogWriter) -> None:
    """Their members are what support asks for, and what `snapshot evidence` reads again."""
    log = log_into(file)
    answer = Answer(429, "", (), b'{"error":{"errorCode":"410","message":"slow"}}')
    timings = Timings(dns=0.0011, first_byte=0.18, total=0.1824)
    create = Exchange(
        operation="createSnapshot",
        at=NOW,
        request=RequestRecord(
            "POST",
            "https://gateway.example",
            "/api/v2/snapshot/createSnapshot/1037001",
            (("x-ncp-iam-access-key", "AKID…0009"), ("x-other", "value")),
            '{"snapshotName":"nightly","bucketName":"b-1"}',
            "",
        ),
        attempt=2,
        sent=True,
        answer=answer,
        timings=timings,
        request_id="rid-1",
        error="throttled",
        code="410",
        error_text="The gateway is throttling this account (429/410).",
    )
    with log.action("create snapshot nightly") as action:
        log.record(create, profile="prod")
        action.outcome, action.failed = "Not started: nightly.", True
    assert written(file) == [
        {
            "time": "2026-01-01T09:30:00.123+00:00",
            "line": "request",
            "run": file.run,
            "profile": "prod",
            "access_key": "AKID…0009",
            "host": "https://gateway.example",
            "action": 1,
            "title": "create snapshot nightly",
            "operation": "createSnapshot",
            "method": "POST",
            "target": "/api/v2/snapshot/createSnapshot/1037001",
            "attempt": 2,
            "sent": True,
            "proxy": None,
            "status": 429,
            "code": "410",
            "error": "throttled",
            "outcome": "The gateway is throttling this account (429/410).",
            "request_id": "rid-1",
            "bytes": len(answer.body),
            "ms": {"dns": 1.1, "connect": None, "tls": None, "first_byte": 180.0, "total": 182.4},
            "asked": {"snapshotName": "nightly", "bucketName": "b-1"},
            "may_have_acted": None,
        },
        {
            "time": "2026-01-01T09:30:00.123+00:00",
            "line": "action",
            "run": file.run,
            "profile": "prod",
            "host": "https://gateway.example",
            "action": 1,
            "title": "create snapshot nightly",
            "background": False,
            "requests": 1,
            "failed": True,
            "error": None,
            "outcome": "Not started: nightly.",
            "ms": {"total": 1000.0},
        },
    ]


def test_an_action_has_its_line_when_it_ends(file: LogWriter) -> None:
    log = log_into(file)
    with log.action("outer"):
        log.record(exchange())
        with log.action("inner"):
            pass
    log.record(exchange())
    assert [(line["line"], line["title"]) for line in written(file)] == [
        ("request", "outer"),
        ("action", "inner"),
        ("action", "outer"),
        ("request", "getBucketList"),
    ]


def test_lines_are_inert_and_readable() -> None:
    """`tail -f session.jsonl` must show Korean, and must not let a name act on the terminal."""
    text = json_text({"name": "완료 \x1b]0;x\x07 \x9b2J \u202e \ud800"})
    assert "완료" in text
    assert text.isprintable()
    assert json.loads(text) == {"name": "완료 \x1b]0;x\x07 \x9b2J \u202e \ud800"}


async def test_no_key_reaches_the_disk(file: LogWriter) -> None:
    """Not in a line about a request that carries one in its body and in an answer that repeats it."""

    def answer(request: httpx.Request) -> httpx.Response:
        signature = request.headers["x-ncp-apigw-signature-v2"]
        said = f"{CANARY} {signature} {request.content.decode()}"
        body = httpx.ByteStream(json.dumps({"code": "1", "message": said}).encode())
        return httpx.Response(400, stream=body, headers={"x-echo": CANARY})

    log = log_into(file)
    endpoint = Endpoint("public", "KR", "https://gateway.example", "/api/v2")
    credentials = Credentials(ACCESS_KEY, SecretKey(CANARY))
    record: Callable[[Exchange], None] = log.record
    gateway = GatewayClient(endpoint, credentials, record=record, transport=httpx.MockTransport(answer), environ={})
    other = SecretKey("OTHERCANARY-0123456789")
    body: dict[str, str | int | SecretKey] = {"accessKeyId": "AKIDCLUSTER000000001", "secretKey": other}
    for operation in ("updateAPIAuthenticationKey", "createSnapshot"):
        with pytest.raises(GatewayError), log.action(operation):
            await gateway.send(ApiCall(operation, "POST", f"/snapshot/{operation}/1", body=body))
    await gateway.aclose()
    assert len(written(file)) == 4
    everything = b"".join(each.read_bytes() for each in file.path.parent.iterdir())
    for secret in (CANARY, "OTHERCANARY", ACCESS_KEY):
        assert secret.encode() not in everything
    assert "AKID…0009" in everything.decode()


def test_files_and_folders_are_private(file: LogWriter) -> None:
    """At every level, whatever the umask; a file that somebody opened to others is closed again."""
    old_mask = os.umask(0)
    try:
        log = log_into(file)
        log.record(exchange())
        assert len(written(file)) == 1
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    file.path.chmod(0o644)
    again = LogWriter(file.path, lambda: None, largest=1)
    log_into(again).record(exchange())
    assert again.close(PATIENCE)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in file.path.parent.iterdir()}
    assert modes.pop("session.jsonl.lock") == 0o600
    assert modes == {"session.1.jsonl": 0o600}


def test_nothing_is_made_before_there_is_something_to_say(file: LogWriter) -> None:
    assert file.close()
    assert not file.path.parent.exists()


def test_files_are_put_aside_and_the_oldest_goes(path: Path) -> None:
    path.parent.mkdir()
    file = LogWriter(path, lambda: None, largest=2_000)
    log = log_into(file)
    for number in range(40):
        log.record(exchange(request_id=f"rid-{number}"))
    assert file.close(PATIENCE)
    names = {each.name for each in path.parent.iterdir()}
    assert names - {"session.jsonl", "session.jsonl.lock"} == {f"session.{number}.jsonl" for number in (1, 2, 3)}
    ids = [line["request_id"] for line in read_log(path)]
    assert ids == [f"rid-{number}" for number in range(40 - len(ids), 40)]
    assert 4 <= len(ids) < 40
    assert file.problem is None


def test_a_file_that_was_put_aside_meanwhile_stays(path: Path) -> None:
    """Of two programs that see the file full, the second must not put the new one aside, and delete the oldest."""
    path.parent.mkdir()
    path.write_text('{"n": 1}\n')
    LogWriter(path, lambda: None)._put_aside()
    assert path.exists()
    assert not path.with_name("session.1.jsonl").exists()


WRITER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from ncp_tui.gateway.exchange import Exchange, RequestRecord
from ncp_tui.session_log.log_file import LogWriter
from ncp_tui.session_log.log import Action
path, who, count, largest = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
file = LogWriter(path, lambda: None, largest=largest, run=who)
request = RequestRecord("GET", "https://h", "/x", (), "", "")
sys.stdin.readline()
for number in range(count):
    made = Exchange("op", datetime.now(UTC), request, request_id=f"{who}-{number}", error_text="x" * 200)
    while number > 200 and not file._waiting.empty():
        file._thread.join(0.001)
    file.on_event(Action("t", 1, made.at), made)
    if number == 20:
        print("writing", flush=True)
assert file.close(60)
assert file.problem is None, file.problem
"""


def writer(path: Path, who: str, count: int, largest: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), who, str(count), str(largest)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def test_several_programs_lose_no_line(path: Path) -> None:
    """Each appends and any of them puts the file aside, while the others are in the middle of a line."""
    path.parent.mkdir()
    count, programs = 150, ["a", "b", "c"]
    line = len(json_text(request_line("a", Action("t", 1, NOW), exchange(error_text="x" * 200)))) + 1
    # Put aside three times, so that nothing has to be deleted.
    largest = line * count * len(programs) * 10 // 34
    running = [writer(path, who, count, largest) for who in programs]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    for each in path.parent.glob("*.jsonl"):
        assert all(json.loads(text) for text in each.read_text().splitlines()), "no torn or mixed line"
    lines = read_log(path)
    for who in programs:
        assert [each["request_id"] for each in lines if each["run"] == who] == [f"{who}-{n}" for n in range(count)]
    assert len(list(path.parent.glob("session.*.jsonl"))) >= 2, "it was put aside meanwhile"


def test_a_killed_writer_leaves_whole_lines(path: Path) -> None:
    """At most the last one is torn, and neither the next line nor a reader suffers from it."""
    path.parent.mkdir()
    process = writer(path, "a", 1_000_000, 1 << 30)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    with path.open("ab") as torn:
        torn.write(b'{"line":"request","request_id":"to')
    whole = [line["request_id"] for line in read_log(path)]
    assert whole == [f"a-{number}" for number in range(len(whole))]
    file = LogWriter(path, lambda: None)
    log_into(file).record(exchange(request_id="next"))
    assert file.close(PATIENCE)
    assert [line["request_id"] for line in read_log(path)] == [*whole, "next"]


def test_reading_while_a_file_is_put_aside_misses_and_doubles_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    path.write_text('{"n": 2}\n')
    path.with_name("session.1.jsonl").write_text('{"n": 1}\n')
    real = os.fstat

    def put_aside(handle: int) -> os.stat_result:
        monkeypatch.setattr("os.fstat", real)
        path.with_name("session.1.jsonl").rename(path.with_name("session.2.jsonl"))
        path.rename(path.with_name("session.1.jsonl"))
        path.write_text('{"n": 3}\n')
        return real(handle)

    monkeypatch.setattr("os.fstat", put_aside)
    assert read_log(path) == [{"n": 1}, {"n": 2}]


def made_a_link(path: Path) -> None:
    (path.parent / "target").write_text("")
    path.symlink_to(path.parent / "target")


def made_a_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "nothing")


def made_a_pipe(path: Path) -> None:
    os.mkfifo(path)


def made_a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (made_a_link, "symbolic link"),
        (made_a_dangling_link, "symbolic link"),
        (made_a_pipe, "something else"),
        (made_a_folder, "something else"),
    ],
)
def test_what_is_no_file_is_not_written_to(
    file: LogWriter, spoil: Callable[[Path], None], why: str, tmp_path: Path
) -> None:
    """A link in a folder that others can write to would have us append to a file of their choice."""
    file.path.parent.mkdir()
    spoil(file.path)
    with (log := log_into(file)).action("a"):
        log.record(exchange())
    assert file.close(PATIENCE)
    assert file.problem is not None
    assert why in file.problem.what
    assert file.missing == 2
    assert not (tmp_path / "state" / "nothing").exists()
    if spoil is made_a_link:
        assert (tmp_path / "state" / "target").read_text() == ""


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    home = open_workspace({"NCP_TUI_HOME": str(tmp_path)})
    file = home.log_file()
    log_into(file).record(exchange())
    assert file.close(PATIENCE)
    assert file.problem is not None
    assert file.problem.next_step.startswith(f"Check {tmp_path}")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two pages."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8k,mode=700", "tmpfs", str(disk)]
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield disk
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=False)
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_and_a_read_only_one(tiny_disk: Path) -> None:
    """The run goes on, the gap is told once with its reason, and the log goes on when there is room again."""
    path = tiny_disk / "session.jsonl"
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * 4096)
    file = LogWriter(path, lambda: None)
    log = log_into(file)
    for number in range(20):
        log.record(exchange(request_id=f"full-{number}"))
    until(lambda: file.missing > 0 and file._waiting.empty())
    assert file.problem is not None
    assert "No space left" in file.problem.what
    ballast.unlink()
    log.record(exchange(request_id="room"))
    assert file.close(PATIENCE)
    ids = [line["request_id"] for line in read_log(path)]
    assert ids[-1] == "room", "a torn line does not take the next one with it"
    assert len(ids) + file.missing == 21
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    later = LogWriter(path, lambda: None)
    log_into(later).record(exchange())
    assert later.close(PATIENCE)
    assert later.problem is not None
    assert "Read-only" in later.problem.what


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.005)


@pytest.fixture
def stuck(path: Path) -> Iterator[LogWriter]:
    """A log on a disk that does not answer until the test is over."""
    free = threading.Event()

    def hang() -> None:
        free.wait(PATIENCE)
        make_private_directory(path.parent)

    file = LogWriter(path, hang)
    yield file
    free.set()
    until(lambda: file.close(PATIENCE))


def test_a_disk_that_hangs_delays_nobody(stuck: LogWriter) -> None:
    log = log_into(stuck)
    began = time.monotonic()
    for _ in range(file_module.MOST_WAITING + 50):
        log.record(exchange())
    assert not stuck.close()
    assert time.monotonic() - began < 5, "each wait for the disk would last a minute"
    assert stuck.problem is not None
    assert "does not answer" in stuck.problem.what
    assert stuck.missing >= 49, "what waits is bounded: each line holds an answer"
    assert log.listener_failure is None


def test_the_end_waits_for_the_disk_a_moment_only(stuck: LogWriter) -> None:
    log_into(stuck).record(exchange())
    assert not stuck.close(0.01)
    assert stuck.problem is not None
    assert "in time" in stuck.problem.what


def test_a_bug_in_a_line_does_not_end_the_log(file: LogWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_into(file)
    with monkeypatch.context() as patch:
        patch.setattr("ncp_tui.session_log.log_file.request_line", lambda *_: 1 / 0)
        log.record(exchange())
        until(lambda: file.missing == 1)
    log.record(exchange())
    assert len(written(file)) == 1
    assert file.problem is not None
    assert "ZeroDivisionError" in file.problem.what


def test_the_newest_files_are_read_first_to_last(path: Path) -> None:
    path.parent.mkdir()
    for number in range(KEPT, 0, -1):
        path.with_name(f"session.{number}.jsonl").write_text(f'{{"n": {number}}}\nnoise\n[1]\n\xff\n')
    assert read_log(path) == [{"n": 3}, {"n": 2}, {"n": 1}]
    assert read_log(path.with_name("none.jsonl")) == []
