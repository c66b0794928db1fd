"""Limits: of memory, of time, and of what an answer may say, with servers that respect none of them."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway import body_reader
from ncp_tui.gateway.errors import AnswerLost, BadAnswer, GatewayError, Redirected
from ncp_tui.gateway.request import ApiCall, Timeouts
from ncp_tui.system import inert_json
from tests.gateway.wire import (
    ACCEPTED,
    CANARY,
    CREATE,
    LIST,
    Client,
    RawServer,
    Received,
    answering,
    http,
    signature_of,
)
from tests.tables import each_row

MIB = 1 << 20
TOO_MANY = 128
"""MiB of an answer without an end, four times what it may cost."""
MEASURE = """
import asyncio, re, resource, sys
from pathlib import Path
from ncp_tui.gateway.request import ApiCall
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.client import GatewayClient
url = sys.argv[1]

def peak():
    status = Path("/proc/self/status")
    if status.exists():  # Linux counts the process that started this one into getrusage's figure
        return int(re.search(r"VmHWM:\\s+([0-9]+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main():
    endpoint = Endpoint("public", "KR", url, "/api/v2")
    gateway = GatewayClient(endpoint, Credentials("AK", SecretKey("SK" * 20)), environ={})
    await gateway.send(ApiCall("list", "GET", "/small"))  # everything that is loaded once
    before = peak()
    for path in sys.argv[2:]:
        try:
            await gateway.send(ApiCall("list", "GET", path))
        except GatewayError as error:
            print(path, type(error).__name__, error.exchange.status, len(error.exchange.answer.body), peak() - before)
    await gateway.aclose()
asyncio.run(main())
"""


def plain() -> Iterator[bytes]:
    yield from [f"HTTP/1.1 200 OK\r\ncontent-length: {TOO_MANY * MIB}\r\n\r\n".encode(), *[b"x" * MIB] * TOO_MANY]


def endless() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    for _ in range(TOO_MANY):
        yield b"100000\r\n" + b"x" * MIB + b"\r\n"


def gzipped(*, zeros: int, after: bytes = b"", times: int = 0) -> Iterator[bytes]:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(zeros)) + packer.flush()
    length = len(bomb) + len(after) * times
    yield f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n".encode()
    yield bomb
    for _ in range(times):
        yield after


LARGE: dict[str, Callable[[], Iterator[bytes]]] = {
    "/plain": plain,
    "/chunks": endless,
    "/bomb": lambda: gzipped(zeros=TOO_MANY),
    "/after-the-end": lambda: gzipped(zeros=0, after=b"x" * MIB, times=TOO_MANY),
}


async def test_no_answer_takes_more_than_32_mib() -> None:
    """A proxy's endless page, or a bomb, must not bring down a bastion host that others work on."""

    async def handler(received: Received, writer: asyncio.StreamWriter) -> None:
        large = LARGE.get("/" + received.target.decode().rpartition("/")[2])
        for piece in large() if large else [http()]:
            writer.write(piece)
            await writer.drain()

    async with RawServer(handler, keep_alive=True) as server:
        pipe, arguments = asyncio.subprocess.PIPE, ["-c", MEASURE, server.url, *LARGE]
        child = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=pipe, stderr=pipe)
        stdout, stderr = await asyncio.wait_for(child.communicate(), 60)
    assert stderr == b""
    told = [line.split() for line in stdout.decode().splitlines()]
    assert [line[:3] for line in told] == [[path, "BadAnswer", "200"] for path in LARGE]
    for path, _, _, kept, grown in told:
        assert int(kept) <= 64 * 1024, path
        assert int(grown) <= 32 * MIB, f"grown by {int(grown) / MIB:.0f} MiB at {path}"


def dripping(data: bytes, at_once: int) -> Any:
    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data[:at_once])
        for byte in data[at_once:]:
            await asyncio.sleep(0.3)
            writer.write(bytes([byte]))
            await writer.drain()

    return handler


@each_row(("at_once", "total"), [(0, 0.5), (len(http()) - len(ACCEPTED), 1.0)], ids=["headers", "body"])
async def test_a_byte_at_a_time_ends_at_the_deadline(at_once: int, total: float) -> None:
    """No timeout between two bytes ever strikes, and all of them take half a minute; only a total ends it."""
    async with RawServer(dripping(http(), at_once)) as server, Client(server.url) as client:
        started = time.monotonic()
        with pytest.raises(AnswerLost):
            await client.gateway.send(replace(CREATE, timeouts=Timeouts(total=total)))
        assert 0.9 * total < time.monotonic() - started < 20  # at once, but for a busy machine
    assert (client.exchange.status is not None) is (at_once > 0)


async def test_the_request_that_a_wrong_clock_costs_has_a_deadline_of_its_own() -> None:
    refusal = http(401, b'{"error":{"errorCode":"200"}}', "date: Thu, 01 Jan 2026 12:00:00 GMT")
    first = asyncio.Event()

    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        if first.is_set():
            await asyncio.Event().wait()
        first.set()
        await asyncio.sleep(0.3)
        writer.write(refusal)

    async with RawServer(handler) as server, Client(server.url, clock=lambda: 1_767_265_200.0) as client:
        with pytest.raises(AnswerLost) as caught:
            await client.gateway.send(replace(CREATE, timeouts=Timeouts(total=0.5)))
        assert caught.value.may_have_acted
    assert [exchange.status for exchange in client.exchanges] == [401, None]


@each_row(
    ("status", "where"),
    [
        (301, "/api/v2/elsewhere"),
        (302, "//{other}/x"),
        (303, "{other_url}/x"),
        (307, "{other_url}/x"),
        (308, "{other_url}/x"),
        (307, "http://127.0.0.1:{port}/x"),
        (301, "http://["),
    ],
)
async def test_a_redirect_is_shown_and_leads_nowhere(status: int, where: str) -> None:
    """Signing headers must go to the host they were meant for, once, whatever an answer says."""
    async with RawServer(answering(http())) as other:
        places = {"other": f"127.0.0.1:{other.port}", "other_url": other.url, "port": other.port}
        location = where.format(**places)
        data = http(status, b"gone elsewhere", f"location: {location}")
        async with RawServer(answering(data), keep_alive=True) as server, Client(server.url) as client:
            with pytest.raises(Redirected) as caught:
                await client.gateway.send(CREATE)
            assert (other.connections, len(server.requests)) == (0, 1)
    assert caught.value.may_have_acted
    assert location in caught.value.what
    assert client.exchange.answer is not None
    assert client.exchange.answer.header("location") == location
    assert client.exchange.answer.body == b"gone elsewhere"


async def test_cookies_are_not_kept() -> None:
    """They are no part of this API, and would carry something from one answer into the next request."""
    data = http(200, ACCEPTED, "set-cookie: session=1; Path=/")
    async with RawServer(answering(data), keep_alive=True) as server, Client(server.url) as client:
        await client.gateway.send(CREATE)
        await client.gateway.send(CREATE)
        assert "cookie" not in server.requests[1].headers


class Saying(httpx.AsyncBaseTransport):
    """Answers with these bytes; a socket for each of hundreds of examples would prove nothing more."""

    def __init__(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.response = httpx.Response(status, headers=list(headers), stream=httpx.ByteStream(body))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        return self.response


def outcome(status: int, body: bytes, *headers: tuple[str, str], call: ApiCall = CREATE) -> object:
    """What `send` makes of an answer: its payload, or the GatewayError it raised. Anything else is a crash."""

    async def send() -> object:
        client = Client("http://127.0.0.1", transport=Saying(status, body, *headers))
        try:
            ended = await client.gateway.send(call)
        except GatewayError as error:
            ended = error
        assert client.exchange.answer is not None
        assert isinstance(client.exchange.pretty_body(), str)
        return ended

    return asyncio.run(send())


WORDS = st.sampled_from(["code", "result", "error", "errorCode", "message", "responseError", "returnCode", "requestId"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)


@given(status=st.integers(200, 599), document=DOCUMENTS, call=st.sampled_from([CREATE, LIST]))
def test_any_json_is_an_answer_or_an_error(status: int, document: Any, call: ApiCall) -> None:
    """NaN and Infinity among it: Python's own JSON writes them, and other people's too."""
    outcome(status, json.dumps(document).encode(), call=call)


@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from(["application/json", "text/html; charset=euc-kr", "application/json; charset=utf-16", "no"]),
    encoding=st.sampled_from(["", "gzip", "deflate", "br", "identity", "gzip, gzip"]),
)
def test_any_bytes_are_an_answer_or_an_error(body: bytes, kind: str, encoding: str) -> None:
    found = outcome(200, body, ("content-type", kind), ("content-encoding", encoding))
    assert isinstance(found, GatewayError)


ODD: dict[str, bytes] = {
    "deep lists": b"[" * 200_000 + b"]" * 200_000,
    "deep objects": b'{"code":0,"result":' + b'{"a":' * 200_000 + b"1" + b"}" * 200_001,
    "deep and never closed": b"[" * 1_000_000,
    "deep below the limit": b'{"code":0,"result":' + b"[" * 400 + b"]" * 400 + b"}",
    "deep and large": b'{"code":0,"result":true,"x":' + b"[" * 900_000 + b"]" * 900_000 + b"}",
    "a number of 5,000 digits": b'{"code":0,"result":' + b"9" * 5_000 + b"}",
    "a number of 4,000 digits": b'{"code":' + b"9" * 4_000 + b',"result":true}',
    "an endless exponent": b'{"code":1e999999,"result":true}',
    "NaN as a code": b'{"code":NaN,"result":true}',
    "infinity as a result": b'{"code":0,"result":-Infinity}',
    "a NUL": b'{"code":0,"result":"\x00"}',
    "half a surrogate": b'{"code":"\\ud800","message":"\\udfff","result":null}',
    "a million members": b"{" + b",".join(b'"k%d":0' % number for number in range(100_000)) + b"}",
    "nothing but white space": b" " * 1_000_000,
    "two byte-order marks": b"\xef\xbb\xbf\xef\xbb\xbf{}",
}


@each_row(
    ("status", "body"),
    [(status, body) for body, other in zip(ODD.values(), cycle((302, 401, 429, 500))) for status in (200, other)],
)
def test_odd_documents(status: int, body: bytes) -> None:
    found = outcome(status, body)
    assert isinstance(found, GatewayError)
    assert 0 < len(found.sentences()) < 5_000


async def test_a_large_answer_is_parsed_on_a_thread_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight megabytes of JSON take a fifth of a second, in which no key would be answered."""
    parsed_on: list[bool] = []
    original = inert_json.decode

    def decode(body: bytes) -> inert_json.Decoded:
        parsed_on.append(threading.current_thread() is threading.main_thread())
        return original(body)

    monkeypatch.setattr("ncp_tui.gateway.client.decode", decode)
    large = json.dumps({"code": 0, "result": True, "filler": "x" * 300_000}).encode()
    for body in (ACCEPTED, large):
        async with RawServer(answering(http(200, body))) as server, Client(server.url) as client:
            await client.gateway.send(LIST)
    assert parsed_on == [True, False]


async def test_an_answer_that_was_cut_confirms_no_create() -> None:
    """The rest of it might have denied what the beginning says. A list that was cut is a list all the same."""
    many = json.dumps({"code": 0, "result": {"rows": [{}] * 60_000}}).encode()
    async with RawServer(answering(http(200, many))) as server, Client(server.url) as client:
        with pytest.raises(BadAnswer, match="more than 50,000 values") as caught:
            await client.gateway.send(CREATE)
        listed = await client.gateway.send(LIST)
    assert caught.value.may_have_acted
    assert isinstance(listed["result"]["rows"], inert_json.CutList)


async def test_more_values_than_can_be_decoded_are_told_as_that() -> None:
    many = b"{" + b",".join(b'"%d":0' % number for number in range(60_000)) + b"}"
    async with RawServer(answering(http(200, many))) as server, Client(server.url) as client:
        with pytest.raises(BadAnswer, match="more than 50,000 values"):
            await client.gateway.send(LIST)
    assert client.exchange.error_text
    assert len(client.exchange.pretty_body()) <= 256 * 1024


@each_row(
    ("status", "body", "code"),
    [
        (200, b'{"code":0,"result":{}}', "0"),
        (200, b'{"code":"4001","message":"no"}', "4001"),
        (404, b'{"responseError":{"returnCode":"300"}}', "300"),
        (200, b"<html>", None),
    ],
)
async def test_the_code_of_an_answer_is_kept_with_it(status: int, body: bytes, code: str | None) -> None:
    """The session log would have to parse all of it again."""
    async with RawServer(answering(http(status, body))) as server, Client(server.url) as client:
        with contextlib.suppress(GatewayError):
            await client.gateway.send(LIST)
    assert client.exchange.code == code


PAGE = "<html><body>스냅샷 서비스 점검 중입니다</body></html>"
BAD_CHECKSUM = gzip.compress(ACCEPTED)[:-8] + b"\x00" * 8
BROKEN: dict[str, tuple[bytes, bytes]] = {
    "EUC-KR": (http(200, PAGE.encode("euc-kr"), "content-type: text/html; charset=utf-8"), PAGE.encode("euc-kr")),
    "not UTF-8": (http(500, b"\xff\xfe\x80 broken"), b"\xff\xfe\x80 broken"),
    "not gzip": (http(200, b"plain all the same", "content-encoding: gzip"), b"plain all the same"),
    "another encoding": (http(200, b"\x0b\x02\x80{}\x03", "content-encoding: br"), b"\x0b\x02\x80{}\x03"),
    "gzip cut in its header": (
        http(200, gzip.compress(ACCEPTED)[:5], "content-encoding: gzip"),
        gzip.compress(ACCEPTED)[:5],
    ),
    "gzip with a wrong checksum": (
        http(200, BAD_CHECKSUM, "content-encoding: gzip"),
        BAD_CHECKSUM,
    ),
    "a broken connection": (http(502, b"<html>Bad gate")[:-4] + b"", b"<html>Bad "),
}


@each_row(("data", "body"), BROKEN.values(), ids=BROKEN)
async def test_what_cannot_be_read_can_still_be_shown(data: bytes, body: bytes) -> None:
    """It is all that a person has to find out who answered."""
    async with RawServer(answering(data)) as server, Client(server.url) as client:
        with pytest.raises(GatewayError) as caught:
            await client.gateway.send(CREATE)
    answer = client.exchange.answer
    assert answer is not None
    assert answer.body == body
    assert answer.status == int(data[9:12])
    assert answer.header("content-length") is not None
    assert caught.value.status == answer.status
    assert caught.value.may_have_acted


async def test_of_what_is_too_large_the_beginning_is_kept() -> None:
    body = b"<html>" + b"x" * (body_reader.LARGEST_BODY + 1)
    async with RawServer(answering(http(503, body))) as server, Client(server.url) as client:
        with pytest.raises(BadAnswer):
            await client.gateway.send(CREATE)
    answer = client.exchange.answer
    assert answer is not None
    assert (answer.status, answer.is_whole) == (503, False)
    assert answer.body == body[: body_reader.LARGEST_BROKEN_BODY]


async def test_a_whole_answer_says_so() -> None:
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        await client.gateway.send(CREATE)
    assert client.exchange.answer is not None
    assert client.exchange.answer.is_whole


@each_row("cut", [0, 1, 5, 20, 35])
async def test_no_secret_is_shown_where_an_answer_is_cut(cut: int) -> None:
    """In the middle of a secret, neither half of it would be recognised."""
    before = b"<html>" + b"x" * (body_reader.LARGEST_BROKEN_BODY - 6 - cut)
    async with (
        RawServer(answering(http(200, before + CANARY.encode() + b"y" * body_reader.LARGEST_BODY))) as server,
        Client(server.url) as client,
    ):
        with pytest.raises(BadAnswer):
            await client.gateway.send(CREATE)
    answer = client.exchange.answer
    assert answer is not None
    assert CANARY[:5].encode() not in answer.body


@each_row("shown", [5, 20, 39])
async def test_no_piece_of_a_secret_is_shown_where_a_connection_breaks(shown: int) -> None:
    async def echo(received: Received, writer: asyncio.StreamWriter) -> None:
        signature = signature_of(received).encode()
        writer.write(b"HTTP/1.1 400 Bad\r\ncontent-length: 999\r\n\r\nrejected: " + signature[:shown])

    async with RawServer(echo) as server, Client(server.url) as client:
        with pytest.raises(AnswerLost):
            await client.gateway.send(CREATE)
        signature = signature_of(server.requests[0])
    answer = client.exchange.answer
    assert answer is not None
    assert answer.body == b"rejected: ****"
    assert signature[:5].encode() not in answer.body
