"""Every fault of the lab does on the wire what its row says, to as many requests as asked, and to no other."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from email.utils import formatdate

import pytest

from ncp_tui.sandbox.fault_lab.answer_faults import redirect
from ncp_tui.sandbox.fault_lab.catalogue import FAULTS, UnknownFault, install, read_fault
from ncp_tui.sandbox.fault_lab.clock_faults import clock_off
from ncp_tui.sandbox.fault_lab.connection_faults import HUGE, trickle_body, trickle_headers, truncate_at
from ncp_tui.sandbox.fault_lab.fault import ANY, Cut, LabFault
from ncp_tui.sandbox.sandbox import Sandbox, serve
from tests.sandbox.raw_wire import CREATE, HISTORY, PATIENCE, Line, Reply, Wire
from tests.sandbox.signed_client import READY, START, Clock, hang_up
from tests.tables import each_row

Check = Callable[[Reply], bool]


@pytest.fixture
def sandbox(clock: Clock) -> Sandbox:
    """Snapshots are over at once, so that one create does not stand in the way of the next."""
    return Sandbox(duration=0, clock=clock)


@pytest.fixture
async def wire(sandbox: Sandbox, clock: Clock) -> AsyncIterator[Wire]:
    async with serve(sandbox) as running:
        yield Wire(running, clock)


def ends(ending: str) -> Check:
    return lambda reply: (reply.status, reply.body, reply.ending) == (None, b"", ending)


def page(status: int, least: int = 50) -> Check:
    return lambda reply: (
        (reply.status, reply.header("content-type")) == (status, ["text/html;charset=UTF-8"])
        and reply.whole
        and reply.body.startswith(b"<!DOCTYPE html>")
        and len(reply.body) >= least
    )


def error(status: int, code: str, *retry_after: str) -> Check:
    return lambda reply: (
        (reply.status, reply.json().get("error", {}).get("errorCode")) == (status, code)
        and reply.header("retry-after") == list(retry_after)
        and reply.whole
    )


def body(text: str) -> Check:
    return lambda reply: reply.status == 200 and reply.whole and reply.body == text.encode()


def envelope(status: int, **fields: object) -> Check:
    return lambda reply: reply.status == status and reply.whole and reply.json() | fields == reply.json()


def redirects(status: int, host: str) -> Check:
    return lambda reply: (reply.status, reply.body, reply.header("location")) == (status, b"", [host + CREATE])


def dated(*dates: str) -> Check:
    return lambda reply: envelope(200, result=True)(reply) and reply.header("date") == list(dates)


def refused_at(moment: float) -> Check:
    date = formatdate(moment, usegmt=True)
    return lambda reply: error(401, "200")(reply) and reply.header("date") == [date]


def both(name: str, check: Check) -> dict[str, Check]:
    return {f"{name}-before": check, f"{name}-after": check}


NOW, HOUR_AHEAD = formatdate(START, usegmt=True), formatdate(START + 3_600, usegmt=True)

# What a create gets to read. Faults that need more than reading to the end have a test of their own below.
WHOLE: Mapping[str, Check] = {
    **both("drop", ends("closed")),
    **both("reset", ends("reset")),
    "truncate-after": lambda reply: (
        reply.status == 200 and reply.header("content-length") == [str(len(reply.body) * 2)]
    ),
    **both("empty-200", body("")),
    **both("html-200", page(200)),
    **both("html-502", page(502)),
    **both("html-503", page(503)),
    "html-403": page(403),
    **both("html-5mb", page(502, least=5_000_000)),
    **both("result-null", envelope(200, code=0, result=None)),
    "json-list": body("[]"),
    "json-string": body('"SUCCESS"'),
    "json-number": body("0"),
    "json-null": body("null"),
    "result-text": envelope(200, code=0, result="true"),
    "result-nan": lambda reply: b'"result": NaN' in reply.body,
    "code-text": envelope(200, code="0", result=True),
    "deep-nesting": body("[" * 100_000 + "]" * 100_000),
    "byte-order-mark": lambda reply: reply.body.startswith(b"\xef\xbb\xbf{") and envelope(200, result=True)(reply),
    "latin-1": lambda reply: (
        reply.header("content-type") == ["application/json;charset=ISO-8859-1"]
        and json.loads(reply.body.decode("latin-1"))["message"] == "SUCCÈS"
    ),
    "not-utf-8": lambda reply: reply.status == 200 and reply.whole and b"\xff\xfe" in reply.body,
    "content-type": lambda reply: (
        reply.header("content-type") == ["text/html;charset=UTF-8"] and envelope(200, result=True)(reply)
    ),
    "response-error": lambda reply: reply.status == 400 and set(reply.json()) == {"responseError"},
    "response-error-200": lambda reply: reply.status == 200 and set(reply.json()) == {"responseError"},
    "error-in-200": error(200, "900"),
    "bad-request": error(400, "100"),
    "authentication-failed": error(401, "200"),
    "permission-denied": error(401, "210"),
    "forbidden": error(403, "230"),
    "not-found": error(404, "300"),
    "too-large": error(413, "430"),
    "quota-exceeded": error(429, "400"),
    "throttled": error(429, "410"),
    "rate-limited": error(429, "420"),
    **both("unexpected-error", error(500, "900")),
    **both("endpoint-error", error(503, "500")),
    **both("endpoint-timeout", error(504, "510")),
    "retry-after-absent": error(429, "410"),
    "retry-after-0": error(429, "410", "0"),
    "retry-after-5": error(429, "410", "5"),
    "retry-after-86400": error(429, "410", "86400"),
    "retry-after-negative": error(429, "410", "-5"),
    "retry-after-garbage": error(429, "410", "soon, perhaps"),
    "retry-after-date": error(429, "410", formatdate(START + 5, usegmt=True)),
    **{f"redirect-{status}": redirects(status, "http://localhost:1") for status in (301, 302, 307, 308)},
    **{f"redirect-{status}-same-host": redirects(status, "") for status in (301, 302, 307, 308)},
    "duplicate-name": envelope(200, code=40070, result=None),
    "busy": envelope(400, code=40080, result=None),
    "refused": envelope(400, code=40050, result=None),
    "refused-200": envelope(200, code=40050, result=None),
    "result-false": envelope(200, code=0, result=False),
    **{
        f"{name}{end}": envelope(status, code=code, result=None)
        for name, code in (("key-not-set", 10115), ("wrong-generation", 10139), ("no-recent-snapshot", 10154))
        for end, status in (("", 400), ("-200", 200))
    },
    **both("mismatch-400-510", error(400, "510")),
    **both("mismatch-409-900", error(409, "900")),
    **both("mismatch-429-500", error(429, "500")),
    **both("mismatch-404-200", error(404, "200")),
    **both("error-code-spaces", error(429, " 410 ")),
    **both("error-code-float", lambda reply: reply.status == 429 and b": 410.0," in reply.body),
    **both("confirmed-429", envelope(429, code=0, result=True)),
    **both("html-429", lambda reply: reply.status == 429 and b"Slow down" in reply.body),
    **both("empty-407", lambda reply: (reply.status, reply.body) == (407, b"")),
    **both("empty-408", lambda reply: (reply.status, reply.body) == (408, b"")),
    **both("envelope-504", envelope(200, code=504, result=None)),
    **both("envelope-900", envelope(400, code=900, result=None)),
    **both("envelope-404", envelope(404, code=10001, result=None)),
    **both("envelope-409", envelope(409, code=10001, result=None)),
    **both("envelope-500", envelope(500, code=10001, result=None)),
    **both("envelope-302", envelope(302, code=-1, result=None)),
    **both("code-negative", envelope(200, code=-1, result=None)),
    **both("code-word", envelope(400, code="DENIED", result=None)),
    **both("code-signed", envelope(200, code="+3", result=None)),
    **both("refused-and-confirmed", envelope(200, code=10001, result=True)),
    **both("result-missing", lambda reply: reply.status == 400 and set(reply.json()) == {"code", "message"}),
    **both("error-and-envelope", envelope(200, code=0, result=True, error={"errorCode": "200", "message": "no"})),
    **both("member-twice", lambda reply: reply.status == 200 and reply.body.count(b'"result"') == 2),
    **both("spring-404", lambda reply: reply.status == 404 and reply.json()["error"] == "Not Found"),
    **both("kong-401", lambda reply: reply.status == 401 and set(reply.json()) == {"message"}),
    **both("kong-429", lambda reply: reply.status == 429 and set(reply.json()) == {"message"}),
    **both("echo", lambda reply: envelope(500, code=10001)(reply) and b"debug: rejected" in reply.body),
    "echo-200": lambda reply: envelope(200, code=0, result=True)(reply) and "x-echo-0-base64" in dict(reply.headers),
    "clock-slow": refused_at(START - 600),
    "clock-fast": refused_at(START + 600),
    "date-missing": dated(),
    "date-wrong": dated(HOUR_AHEAD),
    "date-garbage": dated("yesterday, about noon"),
    "date-twice": dated(NOW, HOUR_AHEAD),
}
OTHERWISE_TESTED = {
    *("hang-before", "hang-after", "late", "hang-in-body", "trickle-headers", "trickle-body", "huge", "gzip-bomb"),
    *("history-lags", "history-loses", "history-fails", "history-reversed", "history-freezes"),
    *("schedule-missed", "schedule-adds"),
    *("tls", "tls-unknown-ca", "tls-expired", "tls-wrong-host", "tls-stall", "tls-reset"),
}


def test_no_fault_is_untested() -> None:
    assert {*WHOLE, *OTHERWISE_TESTED} == set(FAULTS)


@pytest.mark.parametrize("name", WHOLE)
async def test_on_the_wire(wire: Wire, name: str) -> None:
    """Once; then the gateway is as it was. The ledger knows whether the snapshot was started, and why."""
    install(wire.sandbox, name, times=1)
    reply = await wire.create("faulty-1")
    assert WHOLE[name](reply), (reply.status, reply.headers, reply.body[:500])
    assert wire.effects() == (["faulty-1"] if FAULTS[name].effect == "after" else [])
    assert [entry.fault for entry in wire.sandbox.ledger.requests] == [name]
    assert await wire.accepts("after-it-1")


@pytest.mark.parametrize("name", ["throttled", "drop-after", "clock-slow", "date-missing", "busy", "redirect-307"])
async def test_as_often_as_asked(wire: Wire, name: str) -> None:
    install(wire.sandbox, name, times=2)
    assert [WHOLE[name](await wire.create(f"faulty-{number}")) for number in range(4)] == [True, True, False, False]
    assert len(wire.effects()) == (4 if FAULTS[name].effect == "after" else 2)


async def test_always(wire: Wire) -> None:
    install(wire.sandbox, "throttled:always")
    assert [(await wire.create("faulty-1")).status for _ in range(5)] == [429] * 5


async def test_a_clock_stays_wrong_when_nothing_is_said(wire: Wire) -> None:
    install(wire.sandbox, "clock-slow")
    assert [(await wire.create("faulty-1")).status for _ in range(3)] == [401] * 3


async def test_several_in_a_row(wire: Wire) -> None:
    """A story: throttled twice, then accepted without anybody hearing of it."""
    for fault in ("throttled:2", "drop-after"):
        install(wire.sandbox, fault)
    statuses = [(await wire.create(f"faulty-{number}")).status for number in range(4)]
    assert statuses == [429, 429, None, 200]
    assert wire.effects() == ["faulty-2", "faulty-3"]


async def test_other_operations_are_left_alone(wire: Wire) -> None:
    install(wire.sandbox, "endpoint-timeout-after")
    assert (await wire.get(HISTORY)).status == 200
    assert (await wire.create("faulty-1")).status == 504


@pytest.mark.parametrize(
    ("target", "statuses"), [("create", [504, 200, 200]), ("history", [200, 504, 200]), ("any", [504, 504, 504])]
)
async def test_with_a_target(wire: Wire, target: str, statuses: list[int]) -> None:
    install(wire.sandbox, f"endpoint-timeout-before@{target}:always")
    create = await wire.create("faulty-1")
    history = await wire.get(HISTORY)
    clusters = await wire.get("/api/v2/cluster/getClusterInfoList")
    assert [create.status, history.status, clusters.status] == statuses


def test_what_an_aimed_fault_says_of_itself() -> None:
    aimed = read_fault("hang-after@history:always")
    assert (str(aimed), aimed.times) == ("hang-after@history:always", None)
    assert (aimed.fault.operation, aimed.fault.effect, aimed.fault.target) == ("getSnapshotHistory", None, "history")
    assert read_fault("hang-after@any").fault.effect == "after"


def test_every_row_is_in_order() -> None:
    for name, fault in FAULTS.items():
        assert fault.name == name
        assert fault.description.endswith("."), name
        assert "\n" not in fault.description, name
        assert fault.operation in {"createSnapshot", "getSnapshotHistory", "setSnapshotScheduling", ANY}, name
        assert (fault.effect is None) == name.startswith(("history-", "schedule-", "tls")), name
        assert name.endswith("-before") <= (fault.effect == "before"), name
        assert name.endswith("-after") <= (fault.effect == "after"), name
        assert str(read_fault(name)) == f"{name}:{fault.usual_times or 'always'}"


@each_row(
    ("text", "says"),
    [
        ("hang", "Did you mean hang-before or hang-after"),
        ("thortled", "Did you mean throttled"),
        ("xyzzy", "--list-faults"),
        ("", "is not a fault"),
        ("throttled:", "not a number of requests"),
        ("throttled:0", "not a number of requests"),
        ("throttled:-1", "not a number of requests"),
        ("throttled:x", "not a number of requests"),
        ("throttled:1:2", "is not a fault"),
        ("throttled@", "There is no target ''"),
        ("throttled@nothing", "There is no target 'nothing'"),
        ("throttled:2@any", "is not a fault"),
        ("busy@history", "has a fixed target"),
        ("tls@any", "has a fixed target"),
        ("clock+", "Did you mean"),
    ],
)
def test_names_of_no_fault(text: str, says: str) -> None:
    with pytest.raises(UnknownFault, match=says):
        read_fault(text)


def test_a_target_may_be_called_as_the_api_calls_it() -> None:
    for word, operation in (
        ("set-schedule", "setSnapshotScheduling"),
        ("release-schedule", "releaseSnapshotScheduling"),
    ):
        assert read_fault(f"drop-after@{operation}").fault == read_fault(f"drop-after@{word}").fault


def test_less_than_once(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="one request or more"):
        install(sandbox, "throttled", times=0)


# Clocks.


@pytest.mark.parametrize(
    ("seconds", "status"), [(-86_400, 401), (-300, 401), (-299, 200), (0, 200), (299, 200), (300, 401), (86_400, 401)]
)
async def test_a_clock_off_by_any_amount(wire: Wire, seconds: int, status: int) -> None:
    """Five minutes are too much, and Date tells how much it is."""
    fault = clock_off(seconds)
    fault.install(wire.sandbox, None)
    reply = await wire.create("first-1")
    assert (reply.status, reply.header("date")) == (status, [formatdate(START + seconds, usegmt=True)])
    assert (fault.effect == "after") == (status == 200)
    wire.sandbox.faults.clear()
    assert await wire.accepts("second-1")


async def test_a_client_that_learns_the_time(wire: Wire, clock: Clock) -> None:
    """It is let in; the world behind the gateway keeps its own time."""
    install(wire.sandbox, "clock+3600")
    assert (await wire.create("first-1")).status == 401
    ahead = Clock()
    ahead.now = clock.now + 3_600
    assert await Wire(wire.running, ahead).accepts("first-1")
    assert wire.sandbox.ledger.effects[0].time == START


async def test_a_wrong_clock_dates_what_has_no_route(wire: Wire) -> None:
    install(wire.sandbox, "clock-slow")
    assert (await wire.get("/nowhere")).header("date") == [formatdate(START - 600, usegmt=True)]


# Connections.


async def _reached(wire: Wire) -> None:
    """Wait until the fault that was installed first has met its request."""
    assert await asyncio.to_thread(wire.sandbox.faults.waiting[0].reached.wait, PATIENCE)


async def _entered(wire: Wire, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(wire.sandbox.ledger.requests) < count:  # noqa: ASYNC110 - the ledger is plain data without events
            await asyncio.sleep(0)


@pytest.mark.parametrize(("name", "effects"), [("hang-before", []), ("hang-after", ["faulty-1"])])
async def test_silence(wire: Wire, name: str, effects: list[str]) -> None:
    install(wire.sandbox, name)
    line = await wire.begin_create("faulty-1")
    await _reached(wire)
    listening = asyncio.create_task(line.reader.read())
    assert await wire.history()
    assert not listening.done()
    await hang_up(line.writer)
    await listening
    assert wire.effects() == effects
    assert await wire.accepts("after-it-1")


async def test_an_effect_that_comes_late(wire: Wire) -> None:
    """Nothing in the ledger while the client waits, exactly one effect when it is gone."""
    install(wire.sandbox, "late")
    line = await wire.begin_create("faulty-1")
    await _reached(wire)
    assert await wire.history()
    assert wire.effects() == []
    await hang_up(line.writer)
    await _entered(wire, 2)
    assert wire.effects() == ["faulty-1"]
    assert not await wire.accepts("faulty-1")
    assert await wire.accepts("after-it-1")
    assert wire.effects() == ["faulty-1", "after-it-1"]


async def test_silence_in_the_middle(wire: Wire) -> None:
    install(wire.sandbox, "hang-in-body")
    line = await wire.begin_create("faulty-1")
    head = await line.reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    assert (await line.reader.readexactly(length // 2)).startswith(b'{"code": 0')
    listening = asyncio.create_task(line.reader.read())
    assert await wire.history()
    assert not listening.done()
    await hang_up(line.writer)
    await listening
    assert wire.effects() == ["faulty-1"]


async def test_a_trickle_of_headers(wire: Wire) -> None:
    install(wire.sandbox, "trickle-headers")
    line = await wire.begin_create("faulty-1")
    first = await line.reader.read(1_000)
    assert b"HTTP/1.1 200 OK".startswith(first)
    await hang_up(line.writer)
    assert wire.effects() == ["faulty-1"]
    assert await wire.accepts("after-it-1")


async def test_a_trickle_of_the_body(wire: Wire) -> None:
    trickle_body(0.1).install(wire.sandbox)
    line = await wire.begin_create("faulty-1")
    assert (await line.reader.read(1_000)).endswith(b"\r\n\r\n")
    assert b'{"code": 0'.startswith(await line.reader.read(1_000))
    await hang_up(line.writer)
    assert wire.effects() == ["faulty-1"]


@pytest.mark.parametrize("trickle", [trickle_headers, trickle_body])
async def test_a_trickle_is_the_right_answer(wire: Wire, trickle: Callable[[float], LabFault]) -> None:
    """For a client that has the patience."""
    trickle(0).install(wire.sandbox)
    assert await wire.accepts("faulty-1")


async def test_cut_at_every_byte(wire: Wire) -> None:
    usual = await wire.create("whole-1")
    for length in range(len(usual.body) + 1):
        truncate_at(length).install(wire.sandbox)
        reply = await wire.create(f"cut-{length}")
        assert reply.header("content-length") == usual.header("content-length")
        assert (reply.status, len(reply.body)) == (200, length)
        assert usual.body.startswith(reply.body[:20])
    assert len(wire.effects()) == len(usual.body) + 2


async def _body(line: Line) -> AsyncGenerator[bytes, None]:
    try:
        async with asyncio.timeout(60):
            while piece := await line.reader.read(1 << 20):
                yield piece
    finally:
        await hang_up(line.writer)


async def test_three_hundred_mebibytes(wire: Wire) -> None:
    install(wire.sandbox, "huge")
    line = await wire.begin_create("faulty-1")
    assert f"content-length: {HUGE}\r\n".encode() in await line.reader.readuntil(b"\r\n\r\n")
    total, last = 0, b""
    async for piece in _body(line):
        total, last = total + len(piece), (last + piece)[-20:]
    assert total == HUGE
    assert last.endswith(b'"result": true}')
    assert wire.effects() == ["faulty-1"]
    assert await wire.accepts("after-it-1")


@pytest.mark.parametrize("enough", [32 << 20, pytest.param(HUGE, marks=pytest.mark.slow)], ids=["begins", "ends"])
async def test_a_bomb(wire: Wire, enough: int) -> None:
    install(wire.sandbox, "gzip-bomb")
    line = await wire.begin_create("faulty-1")
    assert b"content-encoding: gzip\r\n" in await line.reader.readuntil(b"\r\n\r\n")
    packed, unpacked = 0, 0
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    async with aclosing(_body(line)) as pieces:
        async for piece in pieces:
            packed, unpacked = packed + len(piece), unpacked + len(unpack.decompress(piece))
            if enough <= unpacked < HUGE:
                break
    assert unpacked >= enough
    assert unpack.eof is (unpacked == HUGE)
    assert packed < 1 << 20
    assert wire.effects() == ["faulty-1"]


async def test_a_stream_ends_with_its_reader(wire: Wire) -> None:
    """Otherwise a client that has left is served for as long as the answer takes, a minute and more for a trickle."""
    pieces = 0

    def endless() -> Iterator[bytes]:
        nonlocal pieces
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        for pieces in range(1, 100_000):  # noqa: B007 - read by the test
            yield b"x" * (1 << 16)

    wire.sandbox.faults.add(act=Cut("drop", endless()))
    line = await wire.begin_create("faulty-1")
    await line.reader.readuntil(b"\r\n\r\n")
    await hang_up(line.writer)
    tasks = wire.running._listener._state.tasks
    async with asyncio.timeout(PATIENCE):
        while tasks:  # noqa: ASYNC110 - the server's own set
            await asyncio.sleep(0)
    assert pieces < 1_000


# Redirects and refusals.


async def test_a_redirect_to_anywhere(wire: Wire) -> None:
    redirect(307, "https://other.example").install(wire.sandbox)
    assert (await wire.create("faulty-1")).header("location") == [f"https://other.example{CREATE}"]


async def test_busy_is_seen_in_the_history(wire: Wire, clock: Clock) -> None:
    """One foreign row, running, however often the create is refused; over after as long as a snapshot takes."""
    before = await wire.history()
    install(wire.sandbox, "busy", times=2)
    for _ in range(2):
        assert (await wire.create("faulty-1")).status == 400
    row, *others = await wire.history()
    assert others == before
    assert (row["message"], row["requestType"], row["snapshotName"][:5]) == ("IN_PROGRESS", "SCHEDULED", "auto-")
    assert await wire.accepts("after-it-1")
    clock.now += 20
    assert [row["message"] for row in (await wire.history())[:2]] == ["SUCCESS", "SUCCESS"]
    assert wire.effects() == ["after-it-1"]


async def test_busy_on_a_cluster_that_is_not_there(wire: Wire) -> None:
    install(wire.sandbox, "busy")
    line = Line(wire.running, wire.clock, "POST", "/api/v2/snapshot/createSnapshot/999")
    await line.send()
    assert (await line.rest()).json()["code"] == 40080


async def test_a_refusal_has_the_request_id_of_the_ledger(wire: Wire) -> None:
    install(wire.sandbox, "duplicate-name")
    assert (await wire.create("faulty-1")).json()["requestId"] == wire.sandbox.ledger.requests[0].request_id


# The history.


def _names(rows: list[dict[str, object]]) -> list[object]:
    return [row["snapshotName"] for row in rows]


async def test_a_history_that_lags(wire: Wire) -> None:
    """What was there stays; what is new comes with the third read, and pages are counted as if it were not there."""
    assert await wire.accepts("older-1")
    before = await wire.history()
    install(wire.sandbox, "history-lags:2")
    assert await wire.accepts("newer-1")
    first = await wire.get(HISTORY)
    assert first.json()["result"]["totalCount"] == len(before)
    assert first.json()["requestId"] == wire.sandbox.ledger.requests[-1].request_id
    assert await wire.history() == before
    assert _names(await wire.history()) == ["newer-1", *_names(before)]


async def test_a_lagging_history_has_pages(wire: Wire) -> None:
    install(wire.sandbox, "history-lags:2")
    assert await wire.accepts("newer-1")
    rows = []
    for number in (1, 2):
        reply = await wire.get(f"/api/v2/snapshot/getSnapshotHistory/{READY}?pageNo={number}&pageSize=10")
        rows += reply.json()["result"]["snapshotHistoryResponseList"]
    assert rows == (await wire.history())[1:21]


async def test_a_history_that_loses_the_entry(wire: Wire) -> None:
    install(wire.sandbox, "history-loses")
    assert await wire.accepts("newer-1")
    for _ in range(5):
        assert "newer-1" not in _names(await wire.history())


async def test_a_history_that_loses_refuses_as_usual(wire: Wire) -> None:
    install(wire.sandbox, "history-loses")
    assert (await wire.get("/api/v2/snapshot/getSnapshotHistory/999")).json()["code"] == 40040
    assert (await wire.get(f"{HISTORY}&pageNo=x".replace("pageNo=1&", ""))).json()["code"] == 40002


async def test_a_history_that_fails(wire: Wire) -> None:
    install(wire.sandbox, "history-fails", times=3)
    assert await wire.accepts("newer-1")
    assert [(await wire.get(HISTORY)).status for _ in range(4)] == [500, 500, 500, 200]


async def test_a_history_in_reverse(wire: Wire) -> None:
    usual = await wire.history()
    install(wire.sandbox, "history-reversed", times=1)
    assert await wire.history() == usual[::-1]
    assert await wire.history() == usual


async def test_a_history_that_freezes(clock: Clock) -> None:
    """What was running when first listed never ends; what comes later is still listed."""
    async with serve(Sandbox(duration=20, clock=clock)) as running:
        wire = Wire(running, clock)
        install(wire.sandbox, "history-freezes", times=3)
        assert await wire.accepts("frozen-1")
        for _ in range(2):
            row = (await wire.history())[0]
            assert (row["snapshotName"], row["message"]) == ("frozen-1", "IN_PROGRESS")
            clock.now += 60
        assert await wire.accepts("frozen-2")
        assert [row["message"] for row in (await wire.history())[:2]] == ["IN_PROGRESS", "IN_PROGRESS"]
        assert [row["message"] for row in (await wire.history())[:2]] == ["IN_PROGRESS", "SUCCESS"]
