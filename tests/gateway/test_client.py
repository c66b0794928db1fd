"""Sending, over real sockets: every way it can end is one GatewayError and exactly one recorded Exchange."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import socket
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from ncp_tui.gateway import body_reader
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.gateway.errors import (
    AnswerLost,
    AuthenticationFailed,
    BadAnswer,
    EndpointTimeout,
    GatewayError,
    NameNotFound,
    NotReached,
)
from ncp_tui.gateway.request import ApiCall, Timeouts
from ncp_tui.sandbox.sandbox import RunningSandbox
from tests.gateway.wire import (
    ACCEPTED,
    ACCESS_KEY,
    CANARY,
    CREATE,
    LIST,
    Client,
    Handler,
    RawServer,
    Received,
    answering,
    http,
    reset,
    signature_of,
)
from tests.tables import each_row

IMPATIENT = Timeouts(connect=5, read=5, total=0.3)


async def failure(client: Client, call: ApiCall = CREATE) -> GatewayError:
    """The error of a send that must fail, after checking what holds for every one of them."""
    with pytest.raises(GatewayError) as caught:
        await client.gateway.send(call)
    error = caught.value
    assert error.exchange is client.exchange
    assert client.exchange.error == error.kind
    assert client.exchange.error_text == error.what
    assert client.exchange.sent == error.may_have_acted or error.status is not None
    assert error.__cause__ is None
    assert error.__context__ is None or isinstance(error, NameNotFound)
    return error


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def silence(_: Received, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hang_up(_: Received, _writer: asyncio.StreamWriter) -> None:
    return


async def reset_at_once(_: Received, writer: asyncio.StreamWriter) -> None:
    reset(writer)


def cut(data: bytes, *, with_reset: bool = False) -> Handler:
    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if with_reset:
            reset(writer)

    return handler


def trickle(data: bytes, at_once: int) -> Handler:
    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data[:at_once])
        for byte in data[at_once:]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    return handler


async def test_a_success_is_returned_and_recorded() -> None:
    date = "date: Thu, 01 Jan 2026 12:00:00 GMT"
    clock = lambda: 1_767_268_790.0  # noqa: E731 - ten seconds slow
    async with RawServer(answering(http(200, ACCEPTED, date))) as server, Client(server.url, clock=clock) as client:
        assert await client.gateway.send(CREATE) == json.loads(ACCEPTED)
        offset = client.gateway.clock_offset
        assert offset is not None
        assert offset.seconds == pytest.approx(10.5, abs=offset.uncertainty - 0.5 + 0.1)  # the time it took, rounded
    exchange = client.exchange
    assert (exchange.status, exchange.sent, exchange.error, exchange.request_id) == (200, True, None, "rid-1")
    assert exchange.request.url == f"{server.url}/api/v2/snapshot/createSnapshot/1037001"
    assert exchange.via_proxy is None
    assert exchange.timings.connect is not None
    assert exchange.timings.first_byte is not None
    assert exchange.timings.tls is None


async def test_a_refused_connection() -> None:
    async with Client(f"http://127.0.0.1:{unused_port()}") as client:
        error = await failure(client)
    assert type(error) is NotReached
    assert "refused the connection" in error.what
    assert not client.exchange.sent


@each_row("handler", [hang_up, reset_at_once])
async def test_a_connection_dropped_before_the_answer(handler: Handler) -> None:
    """The request was on its way: nobody knows what became of it."""
    async with RawServer(handler) as server, Client(server.url) as client:
        error = await failure(client)
    assert type(error) is AnswerLost
    assert client.exchange.sent
    assert len(server.requests) == 1


@each_row("with_reset", [False, True])
@each_row("cut_at", [1, 12, 20, -len(ACCEPTED), -1])
async def test_an_answer_cut_anywhere(cut_at: int, *, with_reset: bool) -> None:
    async with RawServer(cut(http()[:cut_at], with_reset=with_reset)) as server, Client(server.url) as client:
        error = await failure(client)
    assert type(error) is AnswerLost
    assert len(server.requests) == 1


@each_row("at_once", [0, 17, len(http()) - len(ACCEPTED)])
async def test_a_trickle_ends_at_the_deadline(at_once: int) -> None:
    """Each byte resets a read timeout: without a total, one request can last for hours."""
    started = time.monotonic()
    async with RawServer(trickle(http(), at_once)) as server, Client(server.url) as client:
        error = await failure(client, replace(CREATE, timeouts=IMPATIENT))
    assert type(error) is AnswerLost
    assert "0.3 s" in error.what
    assert time.monotonic() - started > 0.25  # and before the last byte, or it would be a success


async def test_silence_ends_at_the_read_timeout() -> None:
    async with RawServer(silence) as server, Client(server.url) as client:
        error = await failure(client, replace(CREATE, timeouts=Timeouts(connect=5, read=0.1, total=30)))
    assert type(error) is AnswerLost
    assert client.exchange.timings.total < 10


async def test_endless_informational_answers_end_at_the_deadline() -> None:
    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with RawServer(handler) as server, Client(server.url) as client:
        assert type(await failure(client, replace(CREATE, timeouts=IMPATIENT))) is AnswerLost


@each_row(
    "data",
    [
        b"garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x-long: y\r\n" * 50_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://[\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: \xff\xfe://:99999/\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_what_is_not_http(data: bytes) -> None:
    async with RawServer(answering(data)) as server, Client(server.url) as client:
        error = await failure(client)
    assert error.may_have_acted


async def test_a_body_over_the_cap() -> None:
    """A proxy's endless error page must not fill the memory of a bastion host."""
    body = b"x" * (body_reader.LARGEST_BODY + 1)
    async with RawServer(answering(http(200, body))) as server, Client(server.url) as client:
        error = await failure(client)
    assert type(error) is BadAnswer
    assert "8 MiB" in error.what


async def test_a_body_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_reader, "LARGEST_BODY", len(ACCEPTED))
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        await client.gateway.send(CREATE)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@each_row(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress)],
)
async def test_a_compressed_answer(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    data = http(200, pack(ACCEPTED), f"content-encoding: {encoding}")
    async with RawServer(answering(data)) as server, Client(server.url) as client:
        await client.gateway.send(CREATE)
        assert server.requests[0].headers["accept-encoding"] == "gzip"
    assert client.exchange.answer is not None
    assert client.exchange.answer.body == ACCEPTED


@each_row(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(ACCEPTED)[:-9]),
        ("gzip", gzip.compress(ACCEPTED)[:5]),
        ("gzip", b"this is no gzip at all"),
        ("gzip", gzip.compress(ACCEPTED)[:-8] + b"\x00" * 8),
        ("deflate", raw_deflate(ACCEPTED)),
        ("br", b"whatever"),
        ("gzip, gzip", gzip.compress(gzip.compress(ACCEPTED))),
        ("\x80", b"whatever"),
    ],
    ids=["cut", "cut in its header", "not gzip", "wrong checksum", "raw deflate", "brotli", "twice", "no word"],
)
async def test_a_compressed_answer_that_cannot_be_read(encoding: str, body: bytes) -> None:
    """An exception that is not the network's must not escape: the request was sent, and has to be recorded."""
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {len(body)}\r\n\r\n".encode("latin-1")
    async with RawServer(answering(head + body)) as server, Client(server.url) as client:
        error = await failure(client)
    assert type(error) is BadAnswer
    assert client.exchange.sent


async def test_a_name_nobody_knows() -> None:
    async with Client("https://gateway.invalid") as client:
        error = await failure(client)
    assert type(error) is NameNotFound
    assert "gateway.invalid" in error.what
    assert not client.exchange.sent


async def test_a_silent_name_server_costs_the_deadline_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    hung = asyncio.Event()

    async def never(*_: object, **__: object) -> None:
        await hung.wait()

    monkeypatch.setattr("ncp_tui.gateway.connections.run_blocking", never)
    async with Client("https://gateway.invalid") as client:
        error = await failure(client, replace(CREATE, timeouts=IMPATIENT))
    assert type(error) is NotReached
    assert not client.exchange.sent


async def test_cancelling_is_recorded_and_goes_on() -> None:
    """The user pressed escape: what is known is that the request had left."""
    arrived = asyncio.Event()

    async def handler(_: Received, _writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    async with RawServer(handler) as server, Client(server.url) as client:
        task = asyncio.ensure_future(client.gateway.send(CREATE))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert client.exchange.error == "cancelled"
    assert client.exchange.sent
    assert client.exchange.status is None


async def test_a_connection_is_kept_and_used_again() -> None:
    """On a link with 200 ms of latency a new TLS connection for each request costs most of a second."""
    async with RawServer(answering(http()), keep_alive=True) as server, Client(server.url) as client:
        for _ in range(5):
            await client.gateway.send(LIST)
        assert (server.connections, len(server.requests)) == (1, 5)
    assert [exchange.timings.connect is None for exchange in client.exchanges] == [False, True, True, True, True]


async def test_a_connection_closed_while_idle_is_replaced() -> None:
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        for _ in range(3):
            await client.gateway.send(LIST)
            await server.hung_up()
        assert (server.connections, len(server.requests)) == (3, 3)


@each_row("with_reset", [False, True])
async def test_a_connection_that_breaks_under_a_request_never_sends_it_twice(*, with_reset: bool) -> None:
    """A silent second attempt is a snapshot. A kept connection, where an idle timeout strikes, is not used for it."""
    answers = 0

    async def handler(_: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal answers
        answers += 1
        if answers == 1:
            writer.write(http())
        elif with_reset:
            reset(writer)
        else:
            writer.close()

    async with RawServer(handler, keep_alive=True) as server, Client(server.url) as client:
        await client.gateway.send(LIST)
        with pytest.raises(AnswerLost) as caught:
            await client.gateway.send(CREATE)
        assert len(server.requests) == 2
        assert server.connections == 2
    assert caught.value.exchange is not None
    assert caught.value.exchange.sent
    assert len(client.exchanges) == 2


@pytest.mark.parametrize("fault", ["drop", "reset"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_many_creates_over_breaking_connections_each_arrive_once(
    served: RunningSandbox, when: Any, fault: Any
) -> None:
    sandbox = served.sandbox
    async with Client(served.url, sandbox.secret_key, sandbox.access_key) as client:
        for _ in range(10):
            await client.gateway.send(LIST)
            sandbox.faults.add("createSnapshot", when, fault)
            with pytest.raises(AnswerLost):
                await client.gateway.send(CREATE)
    assert sum(entry.operation == "createSnapshot" for entry in sandbox.ledger.requests) == 10
    assert len(client.exchanges) == 20


@each_row("call", [CREATE, LIST], ids=["create", "list"])
async def test_a_preview_is_what_is_sent(call: ApiCall) -> None:
    """What a dry run shows and what leaves must not be two pieces of code."""
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        preview = client.gateway.preview(call)
        assert server.connections == 0
        assert client.exchanges == []
        await client.gateway.send(call)
    sent = client.exchange.request
    timestamp = dict(sent.headers)["x-ncp-apigw-timestamp"]
    made_when_sent = dict(preview.headers)["x-ncp-apigw-timestamp"]
    assert preview.string_to_sign.replace(made_when_sent, timestamp) == sent.string_to_sign
    headers = tuple((name, timestamp if value == made_when_sent else value) for name, value in preview.headers)
    assert replace(preview, headers=headers, string_to_sign=sent.string_to_sign) == sent
    arrived = server.requests[0]
    assert sent.target.encode() == arrived.target
    assert sent.body.encode() == arrived.body
    assert {name for name, _ in sent.headers} == set(arrived.headers)


KEY_CALL = ApiCall(
    "updateAPIAuthenticationKey",
    "POST",
    "/snapshot/updateAPIAuthenticationKey/1",
    body={"accessKeyId": "OBJECTSTORAGEKEY0001", "secretKey": SecretKey("0bjectSt0rageCANARYsecret0123456789abcd")},
    boolean=True,
)
STORAGE_SECRET = "0bjectSt0rageCANARYsecret0123456789abcd"


def everything(client: Client) -> str:
    """All that a log, a screen or a crash report could show of the exchanges."""
    parts: list[Any] = []
    for exchange in client.exchanges:
        parts += [exchange, exchange.request.headers, exchange.request.body, exchange.request.string_to_sign]
        if exchange.answer:
            parts += [exchange.answer.body, exchange.answer.text, exchange.pretty_body(), exchange.answer.headers]
    return repr(parts)


async def test_no_exchange_holds_a_secret() -> None:
    async with RawServer(answering(http()), keep_alive=True) as server, Client(server.url) as client:
        for call in (CREATE, LIST, KEY_CALL):
            await client.gateway.send(call)
        signatures = [signature_of(received) for received in server.requests]
        assert json.loads(server.requests[2].body)["secretKey"] == STORAGE_SECRET
    shown = everything(client)
    for secret in (CANARY, STORAGE_SECRET, ACCESS_KEY, *signatures):
        assert secret not in shown
    assert '"secretKey":"****"' in client.exchanges[2].request.body
    assert "AKID…0009" in shown
    assert repr(KEY_CALL).count(STORAGE_SECRET) == 0


async def test_an_answer_that_repeats_a_secret_is_recorded_without_it() -> None:
    """A Java validator quotes the rejected value, a debugging proxy echoes the headers."""

    async def echo(received: Received, writer: asyncio.StreamWriter) -> None:
        said = {"code": 40030, "message": f"rejected value [{received.body.decode()}]", "headers": received.headers}
        signature = received.headers["x-ncp-apigw-signature-v2"]
        writer.write(http(400, json.dumps(said).encode(), f"x-echo: {signature}", f"x-key: {CANARY}"))

    async with RawServer(echo) as server, Client(server.url) as client:
        call = replace(KEY_CALL, body={"secretKey": SecretKey(STORAGE_SECRET), "accessKeyId": "A"})
        error = await failure(client, call)
    shown = everything(client) + error.sentences() + error.message
    for secret in (CANARY, STORAGE_SECRET, signature_of(server.requests[0])):
        assert secret not in shown
    assert "rejected value" in error.message


@each_row(
    "spell",
    [
        lambda text: text.replace("/", "\\/"),
        lambda text: text.replace("/", "\\u002f").replace("+", "\\u002B"),
        lambda text: text.replace("=", "\\u003d"),
    ],
    ids=["php", "java", "signs"],
)
async def test_a_signature_spelled_as_json_may_spell_it_is_found_too(spell: Callable[[str], str]) -> None:
    """Read back, it would be whole again. Every base64 has such a sign in it sooner or later."""
    signatures: list[str] = []

    async def echo(received: Received, writer: asyncio.StreamWriter) -> None:
        signatures.append(received.headers["x-ncp-apigw-signature-v2"])
        said = spell(json.dumps({"error": {"errorCode": "200", "message": f"bad signature {signatures[-1]}"}}))
        writer.write(http(401, said.encode()))

    shown = ""
    async with RawServer(echo) as server:
        while not all(sign in "".join(signatures) for sign in "/+="):
            async with Client(server.url) as client:
                error = await failure(client)
            shown += everything(client) + error.sentences() + error.message
    assert "bad signature" in shown
    assert not any(signature in shown for signature in signatures)


async def test_headers_are_inert() -> None:
    data = http(200, b"", "x-c1: \x9b31m", "x-bidi: \u202eexe", "x-korean: 검색")
    async with RawServer(answering(data)) as server, Client(server.url) as client:
        await failure(client)
    answer = client.exchange.answer
    assert answer is not None
    assert [answer.header(name) for name in ("x-c1", "x-bidi", "x-korean")] == ["<U+009B>31m", "<U+202E>exe", "검색"]


async def test_plain_http_makes_no_key_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        await client.gateway.send(CREATE)
    assert os.listdir(tmp_path) == []  # noqa: PTH208


@each_row(("status", "code", "kind"), [(401, "200", AuthenticationFailed), (504, "510", EndpointTimeout)])
async def test_a_refusal_carries_what_the_gateway_said(status: int, code: str, kind: type[GatewayError]) -> None:
    body = {"error": {"errorCode": code, "message": "M", "details": "D"}, "requestId": "rid-2"}
    async with RawServer(answering(http(status, json.dumps(body).encode()))) as server, Client(server.url) as client:
        error = await failure(client)
    assert type(error) is kind
    assert (error.status, error.code, error.message, error.request_id) == (status, code, "M - D", "rid-2")


class Failing(httpx.AsyncBaseTransport):
    """Raises before a byte is sent; where the wire would add nothing."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        raise self.error


@each_row(
    "error",
    [
        httpx.ConnectTimeout(CANARY),
        httpx.ConnectError(CANARY),
        httpx.PoolTimeout(CANARY),
        httpx.UnsupportedProtocol(CANARY),
        OSError(CANARY),
    ],
)
async def test_an_exceptions_own_text_is_never_shown(error: Exception) -> None:
    """h11 puts the header value it does not like into its message."""
    async with Client("https://gateway.invalid", transport=Failing(error)) as client:
        found = await failure(client)
    assert isinstance(found, NotReached)
    assert CANARY not in found.sentences() + everything(client)
