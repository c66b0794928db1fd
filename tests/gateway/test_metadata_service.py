"""The question to the metadata service: who may be asked, and that every other answer than a good one is calm."""

from __future__ import annotations

import asyncio
import importlib
import socket
import time
from collections.abc import Iterator

import pytest

from ncp_tui.gateway.errors import KeysUnavailable
from ncp_tui.gateway.metadata_service import (
    LARGEST_ANSWER,
    METADATA_SERVICE,
    BadMetadata,
    MetadataSilent,
    NoServerRole,
    NotOnServer,
    RoleAnswer,
    UnsafeMetadataService,
    ask_for_role,
    check_metadata_service,
)
from tests.gateway.wire import Listener, RawServer, Received, answering, http
from tests.profiles.metadata_server import ROLE, ROLES, MetadataServer, document
from tests.tables import each_row

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"


@pytest.fixture
def metadata() -> Iterator[MetadataServer]:
    with MetadataServer(document("AK", CANARY, time.time() + 3600)) as server:
        yield server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline is short where it is what is waited for."""
    monkeypatch.setattr(importlib.import_module("ncp_tui.gateway.metadata_service"), "SECONDS", 0.2)


async def ask(url: str) -> RoleAnswer:
    return await ask_for_role(url, time.time, time.monotonic)


async def refused(url: str) -> KeysUnavailable:
    with pytest.raises(KeysUnavailable) as caught:
        await ask(url)
    problem = caught.value
    assert "Nothing was sent to NCP." in problem.meaning
    assert problem.next_step
    assert CANARY not in problem.sentences()
    assert problem.sentences().isprintable()
    return problem


async def test_it_hands_out_what_belongs_to_the_role(metadata: MetadataServer) -> None:
    answer = await ask(metadata.url)
    assert answer.role == ROLE
    assert CANARY in answer.text
    assert CANARY not in repr(answer)
    assert metadata.paths == [ROLES, ROLES + ROLE]


async def test_the_first_of_several_roles(metadata: MetadataServer) -> None:
    metadata.roles = f"{ROLE}\r\nanother\r\n"
    assert (await ask(metadata.url)).role == ROLE


async def test_it_is_not_told_who_asks(metadata: MetadataServer) -> None:
    """No key, no signature, nothing that would be worth a redirect."""
    await ask(metadata.url)
    for headers in metadata.headers:
        assert set(headers) == {"host", "user-agent", "connection"}


async def test_no_proxy_is_ever_used(metadata: MetadataServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would see the secret key, and would answer with the role of its own server."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await ask(metadata.url)).role == ROLE


async def test_nobody_is_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        problem = await refused(f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert isinstance(problem, NotOnServer)
    assert "Only NCP servers" in problem.meaning


@each_row("status", [403, 404, 405])
async def test_no_role_is_attached(status: int) -> None:
    async with RawServer(answering(http(status, b"<html>no</html>"))) as server:
        assert isinstance(await refused(server.url), NoServerRole)


@pytest.mark.parametrize("listing", ["", "\n", " \r\n"])
async def test_an_empty_list_of_roles(metadata: MetadataServer, listing: str) -> None:
    metadata.roles = listing
    assert isinstance(await refused(metadata.url), NoServerRole)


async def test_a_role_that_goes_while_it_is_asked_for() -> None:
    async def handler(received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(200, b"gone") if received.target.endswith(b"/") else http(404, b""))

    async with RawServer(handler) as server:
        assert isinstance(await refused(server.url), NoServerRole)


@pytest.mark.usefixtures("impatient")
async def test_a_service_that_takes_the_question_and_is_silent(metadata: MetadataServer) -> None:
    metadata.is_silent = True
    problem = await refused(metadata.url)
    assert isinstance(problem, MetadataSilent)
    assert problem.what == "The metadata service did not answer within 0.2 s."


@pytest.mark.usefixtures("impatient")
async def test_a_black_hole() -> None:
    """As outside of NCP: nobody accepts the connection, and nobody refuses it."""
    with socket.socket() as full, socket.socket() as first:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())
        assert isinstance(await refused(f"http://127.0.0.1:{full.getsockname()[1]}"), MetadataSilent)


@pytest.mark.usefixtures("impatient")
async def test_a_service_that_drips() -> None:
    """Each byte comes in time, and the whole never does: the deadline is for the whole question."""

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in http(200, b"x" * 5000):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.005)

    async with Listener(drip) as server:
        assert isinstance(await refused(server.url), MetadataSilent)
        await server.hung_up()


async def test_the_deadline_is_that_of_the_sdks() -> None:
    assert importlib.import_module("ncp_tui.gateway.metadata_service").SECONDS == 3.0


async def test_a_redirect_is_not_followed(metadata: MetadataServer) -> None:
    """Whoever could redirect would decide whose keys are used."""
    async with RawServer(answering(http(200, b"other"))) as other:
        metadata.raw = http(302, b"", f"Location: {other.url}{ROLES}")
        problem = await refused(metadata.url)
        assert isinstance(problem, BadMetadata)
        assert "redirect" in problem.what
        assert other.connections == 0


@each_row(
    "raw",
    [
        http(200, b"<!DOCTYPE html><html><body>Log in</body></html>"),
        http(200, b"role/../../secret"),
        http(200, b".."),
        http(200, "\u202erole".encode()),
        http(200, b"r" * 129),
        http(500, f"debug: {CANARY}".encode()),
        http(200, b"x" * (LARGEST_ANSWER + 1)),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"2000\r\n" + b"y" * 0x2000 + b"\r\n" * 9,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"z" * 900) for n in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbro",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=["html", "path", "dots", "bidi", "long", "500", "huge", "chunks", "headers", "cut off", "no http", "nothing"],
)
async def test_an_answer_that_is_none(raw: bytes) -> None:
    async with RawServer(answering(raw)) as server:
        assert isinstance(await refused(server.url), BadMetadata)
        await server.hung_up()


async def test_an_endless_answer_is_read_no_further_than_needed() -> None:
    sent = 0

    async def endless(_: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 4096)
            sent += 4096
            await writer.drain()

    async with RawServer(endless) as server:
        assert "larger than 16 KiB" in (await refused(server.url)).what
        await server.hung_up()
    assert sent < 64 * 1024 * 1024


@each_row(
    ("url", "meant"),
    [
        ("http://169.254.169.254", "http://169.254.169.254"),
        (" http://169.254.169.254/ ", "http://169.254.169.254"),
        ("HTTP://169.254.169.254:80", "http://169.254.169.254:80"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8080/base/", "http://[::1]:8080/base"),
        ("http://LOCALHOST:8080", "http://127.0.0.1:8080"),
    ],
)
def test_who_may_be_asked(url: str, meant: str) -> None:
    assert check_metadata_service(url, "V") == meant


@each_row(
    "url",
    [
        "https://169.254.169.254",
        "169.254.169.254",
        "http://169.254.169.253",
        "http://169.254.169.254.evil.example",
        "http://evil.example",
        "http://evil.example#169.254.169.254",
        "http://evil.example?http://127.0.0.1",
        f"http://127.0.0.1:{CANARY}@evil.example",
        f"http://user:{CANARY}@127.0.0.1",
        "http://evil.example\\@127.0.0.1",
        "http://127.0.0.1\\.evil.example",
        "http://2852039166",
        "http://0x7f.1",
        "http://127.1",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://[fe80::1]",
        "http://localhost.evil.example",
        "http://127.0.0.1:99999",
        "http://127.0.0.1/\x1b[2J",
        "http://127.0.0.1/a b",
        "http://",
        "http://[",
        "file:///etc/passwd",
        "ftp://127.0.0.1",
    ],
)
def test_who_may_not(url: str) -> None:
    """The variable could come from a project's file: it must not decide whose account is worked in."""
    with pytest.raises(UnsafeMetadataService) as caught:
        check_metadata_service(url, "NCLOUD_METADATA_ENDPOINT")
    said = caught.value.sentences()
    assert "NCLOUD_METADATA_ENDPOINT" in said
    assert "Nothing was sent to NCP." in said
    assert CANARY not in said
    assert "evil" not in said


def test_the_usual_one_may_be_asked() -> None:
    assert check_metadata_service(METADATA_SERVICE, "V") == METADATA_SERVICE
