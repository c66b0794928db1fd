"""TLS faults, with handshakes of a client that verifies: what is refused, what is silent, and what is left on disk."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox, serve
from tests.sandbox.raw_wire import PATIENCE, Wire
from tests.sandbox.signed_client import Clock, hang_up, raw_exchange


@pytest.fixture
def sandbox(clock: Clock) -> Sandbox:
    return Sandbox(duration=0, clock=clock)


def trusting(sandbox: Sandbox) -> ssl.SSLContext:
    """A context that is as strict as Python can be and trusts the sandbox's CA."""
    assert sandbox.ca_bundle is not None
    context = ssl.create_default_context(cafile=sandbox.ca_bundle)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


async def test_a_right_certificate(sandbox: Sandbox, clock: Clock) -> None:
    install(sandbox, "tls")
    async with serve(sandbox) as running:
        assert running.url == f"https://127.0.0.1:{running.port}"
        assert await Wire(running, clock, trusting(sandbox)).accepts("first-1")


# OpenSSL's reasons: X509_V_ERR_CERT_HAS_EXPIRED, _IP_ADDRESS_MISMATCH, _UNABLE_TO_GET_ISSUER_CERT_LOCALLY.
@pytest.mark.parametrize(("name", "reason"), [("tls-expired", 10), ("tls-wrong-host", 64), ("tls-unknown-ca", 20)])
@pytest.mark.parametrize("count", [1, 2])
async def test_a_certificate_that_is_refused(
    sandbox: Sandbox, clock: Clock, name: str, reason: int, count: int
) -> None:
    """By a client that trusts the CA. The gateway hears nothing of its request, and the next connection is right."""
    install(sandbox, name, times=count)
    async with serve(sandbox) as running:
        wire = Wire(running, clock, trusting(sandbox))
        for _ in range(count):
            with pytest.raises(ssl.SSLCertVerificationError) as caught:
                await wire.create("faulty-1")
            assert caught.value.verify_code == reason
        assert sandbox.ledger.requests == []
        assert await wire.accepts("faulty-1")


@pytest.mark.parametrize("name", ["tls-expired", "tls-wrong-host", "tls-unknown-ca"])
async def test_a_wrong_certificate_stays(sandbox: Sandbox, clock: Clock, name: str) -> None:
    install(sandbox, name)
    async with serve(sandbox) as running:
        for _ in range(3):
            with pytest.raises(ssl.SSLCertVerificationError):
                await Wire(running, clock, trusting(sandbox)).create("faulty-1")


async def test_a_stranger_trusts_nothing(sandbox: Sandbox, clock: Clock) -> None:
    install(sandbox, "tls")
    async with serve(sandbox) as running:
        with pytest.raises(ssl.SSLCertVerificationError):
            await Wire(running, clock, ssl.create_default_context()).create("faulty-1")


async def test_a_handshake_that_stalls(sandbox: Sandbox, clock: Clock) -> None:
    install(sandbox, "tls-stall")
    async with serve(sandbox) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"\x16\x03\x01")
        listening = asyncio.create_task(reader.read())
        assert await Wire(running, clock, trusting(sandbox)).accepts("next-1")
        assert not listening.done()
        await hang_up(writer)
        await listening
        arriving = running._listener._arriving
        async with asyncio.timeout(PATIENCE):
            while arriving:  # noqa: ASYNC110 - the server's own set
                await asyncio.sleep(0)


async def test_a_handshake_that_is_reset(sandbox: Sandbox, clock: Clock) -> None:
    """Seen from a bare socket: to asyncio's TLS an orderly end in the handshake is a reset as well."""
    install(sandbox, "tls-reset")
    async with serve(sandbox) as running:
        with pytest.raises(ConnectionResetError):
            await raw_exchange(running.port, b"\x16\x03\x01")
        assert await Wire(running, clock, trusting(sandbox)).accepts("next-1")


async def test_other_faults_under_tls(sandbox: Sandbox, clock: Clock) -> None:
    """A reset has to reach the socket through the encryption."""
    for name in ("tls", "reset-after", "drop-after", "truncate-after"):
        install(sandbox, name)
    async with serve(sandbox) as running:
        wire = Wire(running, clock, trusting(sandbox))
        reset, dropped, cut = [await wire.create(f"faulty-{number}") for number in range(3)]
        assert (reset.status, reset.ending) == (None, "reset")
        assert (dropped.status, dropped.ending) == (None, "closed")
        assert (cut.status, cut.whole) == (200, False)
        assert wire.effects() == ["faulty-0", "faulty-1", "faulty-2"]


async def test_what_is_not_tls(sandbox: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
    install(sandbox, "tls")
    async with serve(sandbox) as running:
        assert b"HTTP" not in await raw_exchange(running.port, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await Wire(running, clock, trusting(sandbox)).accepts("next-1")
    assert capfd.readouterr() == ("", "")


async def test_it_stops_at_once_under_tls(sandbox: Sandbox, clock: Clock) -> None:
    """With a handshake that stalls, one that the client does not finish, and a request that hangs."""
    for name in ("tls-stall", "hang-before"):
        install(sandbox, name)
    async with serve(sandbox) as running:
        unfinished = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(2)]
        hanging = await Wire(running, clock, trusting(sandbox)).begin_create("faulty-1")
        assert await asyncio.to_thread(sandbox.faults.waiting[0].reached.wait, PATIENCE)
        before = time.monotonic()
        await running.stop()
        assert time.monotonic() - before < PATIENCE  # what hangs would hang for ever
        for reader, writer in unfinished:
            async with asyncio.timeout(PATIENCE):
                assert await reader.read() == b""
            await hang_up(writer)
        await hang_up(hanging.writer)


def test_on_a_thread(sandbox: Sandbox) -> None:
    install(sandbox, "tls")
    with ThreadedSandbox(sandbox) as running:
        assert running.url.startswith("https://127.0.0.1:")


def test_what_lies_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CA's certificate, for this user alone, and no key; with the sandbox it is gone."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sandbox = Sandbox()
    assert sandbox.ca_bundle is None
    for name in ("tls", "tls-expired", "tls-wrong-host", "tls-unknown-ca"):
        install(sandbox, name)
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == [sandbox.ca_bundle]
    assert "PRIVATE" not in (folder / "ca.pem").read_text(encoding="ascii")
    del sandbox
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_files_can_be_removed_early(sandbox: Sandbox) -> None:
    sandbox.handshakes.close()
    install(sandbox, "tls")
    bundle = sandbox.ca_bundle
    assert bundle is not None
    for _ in range(2):
        sandbox.handshakes.close()
        assert not bundle.parent.exists()


@contextlib.contextmanager
def no_more_files() -> Iterator[None]:
    """This process may open nothing: the lowest number that is free is the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_no_file_left_for_a_connection(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket stays readable: it must neither keep the loop busy nor fill the terminal with tracebacks."""
    monkeypatch.setattr("ncp_tui.sandbox.sandbox._BREATH_SECONDS", 0.01)
    loop = asyncio.get_running_loop()
    failures: list[object] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    async with serve(sandbox) as running:
        with socket.socket() as client:
            with no_more_files():
                client.connect(("127.0.0.1", running.port))
                for _ in range(5):
                    await asyncio.sleep(0)
            client.sendall(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n")
            client.setblocking(False)
            async with asyncio.timeout(PATIENCE):
                answer = await loop.sock_recv(client, 100)
    assert answer.startswith(b"HTTP/1.1 404")
    assert failures == []
