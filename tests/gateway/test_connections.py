"""Connections: the name is looked up, TLS is verified, and a connection that may be broken is not used again."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import truststore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ncp_tui.gateway import connections
from ncp_tui.gateway.connections import UnusableCaBundle, tls_context
from ncp_tui.gateway.errors import AnswerLost, GatewayError, NameNotFound, NotReached, TlsFailed
from ncp_tui.gateway.request import Timeouts
from ncp_tui.sandbox.sandbox import RunningSandbox
from tests.gateway.test_client import unused_port
from tests.gateway.wire import CREATE, Client, Listener, RawServer, answering, http
from tests.search_engine.scripted import engine_of
from tests.tables import each_row


async def test_cut_off_requests_leave_no_connection_behind(served: RunningSandbox) -> None:
    """With four connections at most, four that are lost make the client deaf until it is started anew."""
    engine, chance = engine_of(served), random.Random(7)  # noqa: S311 - nothing secret

    async def cut_off() -> None:
        with contextlib.suppress(TimeoutError, GatewayError):
            async with asyncio.timeout(chance.uniform(0.0, 0.02)):
                await engine.recent_snapshots("1037012", tries=1)

    for _ in range(40):
        await asyncio.gather(*(cut_off() for _ in range(5)))
        async with asyncio.timeout(10):
            await engine.recent_snapshots("1037012", tries=1)
    await engine.aclose()


async def test_a_failure_does_not_touch_the_others(served: RunningSandbox) -> None:
    """A request that is still waiting keeps its connection when the one beside it is cut off."""
    engine = engine_of(served)
    released = asyncio.Event()

    async def wait(_visit: object) -> None:
        await released.wait()

    slow = served.sandbox.faults.add("getSnapshotHistory", "before", wait)
    waiting = asyncio.ensure_future(engine.recent_snapshots("1037012", tries=1))
    await asyncio.to_thread(slow.reached.wait, 10)
    served.sandbox.faults.add("getBucketList", "before", "reset", times=None)
    with contextlib.suppress(GatewayError):
        await engine.list_buckets("1037001")
    released.set()
    assert await asyncio.wait_for(waiting, 10)
    await engine.aclose()


HUNG = """
import asyncio, socket, sys, threading
real, answers = socket.getaddrinfo, {answers}
def getaddrinfo(*arguments, **options):
    global answers
    if answers:
        answers -= 1
        return real("127.0.0.1", {port}, type=socket.SOCK_STREAM)
    threading.Event().wait()
socket.getaddrinfo = getaddrinfo
from ncp_tui.gateway import connections
from ncp_tui.system import blocking
from ncp_tui.gateway.request import ApiCall, Timeouts
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.client import GatewayClient
connections.LOOKUP_TIMEOUT = 0.2

async def main():
    endpoint = Endpoint("public", "KR", "https://gateway.example:{port}", "/api/v2")
    gateway = GatewayClient(endpoint, Credentials("AK", SecretKey("SK")), environ={{}})
    try:
        await gateway.send(ApiCall("list", "GET", "/x", timeouts=Timeouts(connect=0.5)))
    except GatewayError as error:
        print(type(error).__name__, flush=True)
    await gateway.aclose()
with asyncio.Runner(loop_factory=blocking.new_event_loop) as runner:
    runner.run(main())
"""


@each_row(("answers", "said"), [(0, "NameNotFound"), (1, "NotReached")])
def test_a_resolver_that_hangs_holds_nobody(answers: int, said: str) -> None:
    """On the usual threads of asyncio it would: they are joined at the end, and this program would never have one.

    With one answer it hangs at the second lookup, that of the connection.
    """
    program = HUNG.format(answers=answers, port=unused_port())
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == (f"{said}\n", "")


Found = list[tuple[int, int, int, str, Any]]


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have every name resolve to `addresses`; returns the list of what was asked."""
    asked: list[str] = []

    def getaddrinfo(host: str | bytes, port: int, *_: Any, **_options: Any) -> Found:
        asked.append(host if isinstance(host, str) else host.decode())
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [
            (family, socket.SOCK_STREAM, 6, "", (address, port, 0, 0) if ":" in address else (address, port))
            for family, address in zip(families, addresses, strict=True)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


async def test_the_second_address_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Certificate and Host are those of the name, whichever address answers."""
    made: Certificate = certificate(tmp_path, "gateway.example", _tomorrow())
    async with RawServer(answering(http()), tls=made.server) as server:
        asked = resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
        url = f"https://gateway.example:{server.port}"
        async with Client(url, ca_bundle=str(made.path)) as client:
            await client.gateway.send(CREATE)
        assert server.requests[0].headers["host"] == f"gateway.example:{server.port}"
    assert set(asked) == {"gateway.example"}
    assert client.exchange.via_proxy is None
    assert client.exchange.timings.dns is not None


async def test_ipv6_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = certificate(tmp_path, "gateway.example", _tomorrow())
    async with RawServer(answering(http()), tls=made.server) as server:
        resolving(monkeypatch, "::1", "127.0.0.1")
        async with Client(f"https://gateway.example:{server.port}", ca_bundle=str(made.path)) as client:
            await client.gateway.send(CREATE)


async def test_every_address_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    port = unused_port()
    resolving(monkeypatch, "127.0.0.1", "127.0.0.2")
    async with Client(f"https://gateway.example:{port}") as client:
        with pytest.raises(NotReached) as caught:
            await client.gateway.send(CREATE)
    assert f"gateway.example:{port} refused the connection" in caught.value.what


async def test_no_address_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch)
    async with Client("https://gateway.example") as client:
        with pytest.raises(NameNotFound) as caught:
            await client.gateway.send(CREATE)
    assert "it has no address" in caught.value.what


async def test_a_dead_first_address_leaves_time_for_the_second(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A listener whose queue is full drops what comes: as silent as an address that leads nowhere."""
    made = certificate(tmp_path, "gateway.example", _tomorrow())
    async with RawServer(answering(http()), tls=made.server) as server:
        with socket.socket() as dead:
            dead.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            dead.bind(("127.0.0.2", server.port))
            dead.listen(0)
            fill = [_connecting("127.0.0.2", server.port) for _ in range(4)]
            resolving(monkeypatch, "127.0.0.2", "127.0.0.1")
            async with Client(f"https://gateway.example:{server.port}", ca_bundle=str(made.path)) as client:
                started = time.monotonic()
                await client.gateway.send(replace(CREATE, timeouts=Timeouts(connect=2, read=20, total=20)))
                assert time.monotonic() - started > 0.2, "the first address was not silent"
            for each in fill:
                each.close()


def _connecting(host: str, port: int) -> socket.socket:
    connecting = socket.socket()
    connecting.setblocking(False)
    connecting.connect_ex((host, port))
    return connecting


def _tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


async def test_a_proxys_name_is_looked_up_and_the_gateways_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a company's proxy the gateway's name often has no address at all."""
    async with RawServer(answering(http(403, b"no"))) as proxy:
        asked = resolving(monkeypatch, "127.0.0.1")
        environ = {"HTTPS_PROXY": f"http://proxy.example:{proxy.port}"}
        async with Client("https://gateway.example", environ=environ) as client:
            with pytest.raises(NotReached):
                await client.gateway.send(CREATE)
        assert set(asked) == {"proxy.example"}
        assert proxy.requests[0].line.startswith(b"CONNECT gateway.example:443")
    assert client.exchange.via_proxy == f"proxy.example:{proxy.port}"


@pytest.mark.parametrize(
    ("variables", "through"),
    [
        ({}, False),
        ({"HTTPS_PROXY": "URL"}, True),
        ({"ALL_PROXY": "BARE"}, True),
        ({"HTTP_PROXY": "URL"}, False),
        ({"HTTPS_PROXY": "URL", "NO_PROXY": "other.example, .example"}, False),
        ({"HTTPS_PROXY": "URL", "NO_PROXY": "way.example"}, True),
    ],
)
async def test_which_way_a_request_goes(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, through: bool
) -> None:
    async with RawServer(answering(http(403, b"no"))) as proxy:
        resolving(monkeypatch, "127.0.0.1")
        places = {"URL": proxy.url, "BARE": f"127.0.0.1:{proxy.port}"}
        environ = {name: places.get(value, value) for name, value in variables.items()}
        async with Client(f"https://gateway.example:{unused_port()}", environ=environ) as client:
            with pytest.raises(NotReached):
                await client.gateway.send(CREATE)
        assert bool(proxy.connections) is through


async def test_a_request_that_is_given_up_during_the_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    release, asked, loop = threading.Event(), asyncio.Event(), asyncio.get_running_loop()

    def getaddrinfo(*_: Any, **__: Any) -> Found:
        loop.call_soon_threadsafe(asked.set)
        release.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with Client("https://gateway.example") as client:
        task = asyncio.ensure_future(client.gateway.send(CREATE))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
    assert (client.exchange.error, client.exchange.sent) == ("cancelled", False)


NOW = datetime.now(UTC)


class Certificate(NamedTuple):
    path: Path
    server: ssl.SSLContext


def certificate(folder: Path, host: str, until: datetime) -> Certificate:
    """A self-signed certificate for `host`, in a file that serves as server certificate and as CA bundle."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ncp-tui test of {host}")])
    try:
        subject: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        subject = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=10))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    secret = folder / f"{host}.key"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path, secret)
    return Certificate(path, server)


@pytest.fixture
def right(tmp_path: Path) -> Certificate:
    return certificate(tmp_path, "127.0.0.1", NOW + timedelta(days=10))


async def failure(client: Client) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await client.gateway.send(CREATE)
    return caught.value


async def test_an_unknown_ca_is_told_nothing(right: Certificate) -> None:
    """Somebody in between must not even see the access key."""
    async with RawServer(answering(http()), tls=right.server) as server, Client(server.url) as client:
        error = await failure(client)
        assert server.requests == []
    assert type(error) is TlsFailed
    assert "not trusted" in error.what
    assert not client.exchange.sent
    assert "verify" not in error.next_step


@pytest.mark.parametrize("how", ["bundle", "environment", "both"])
async def test_a_company_ca(right: Certificate, tmp_path: Path, how: str) -> None:
    """The profile's bundle comes first: SSL_CERT_FILE belongs to other programs as well."""
    other = tmp_path / "nothing-here.pem"
    bundle = None if how == "environment" else str(right.path)
    environ = {"environment": {"SSL_CERT_FILE": str(right.path)}, "both": {"SSL_CERT_FILE": str(other)}}.get(how, {})
    async with (
        RawServer(answering(http()), tls=right.server) as server,
        Client(server.url, ca_bundle=bundle, environ=environ) as client,
    ):
        await client.gateway.send(CREATE)
    assert client.exchange.timings.tls is not None


async def test_a_certificate_for_another_host(tmp_path: Path) -> None:
    wrong = certificate(tmp_path, "other.example", NOW + timedelta(days=10))
    async with (
        RawServer(answering(http()), tls=wrong.server) as server,
        Client(server.url, ca_bundle=str(wrong.path)) as client,
    ):
        assert type(await failure(client)) is TlsFailed
        assert server.requests == []
    assert not client.exchange.sent


async def test_an_expired_certificate(tmp_path: Path) -> None:
    old = certificate(tmp_path, "127.0.0.1", NOW - timedelta(days=1))
    async with (
        RawServer(answering(http()), tls=old.server) as server,
        Client(server.url, ca_bundle=str(old.path)) as client,
    ):
        error = await failure(client)
    assert type(error) is TlsFailed
    assert "expired" in error.what


async def test_a_server_that_does_not_speak_tls() -> None:
    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with Listener(handler) as server, Client(server.url.replace("http:", "https:")) as client:
        assert isinstance(await failure(client), NotReached)
    assert not client.exchange.sent


async def test_a_handshake_that_stalls_ends_with_the_time_for_connecting() -> None:
    async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with Listener(handler) as server, Client(server.url.replace("http:", "https:")) as client:
        with pytest.raises(NotReached):
            await client.gateway.send(replace(CREATE, timeouts=Timeouts(connect=0.3, total=30)))
    assert not client.exchange.sent


async def test_garbage_after_the_handshake_is_an_answer_that_was_lost(right: Certificate) -> None:
    """OpenSSL's error comes through httpx as it is: uncaught, a create that may have started would be a crash."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = right.server.wrap_bio(incoming, outgoing, server_side=True)
        shaken = False
        while not shaken:
            incoming.write(await reader.read(65536))
            try:
                tls.do_handshake()
                shaken = True
            except ssl.SSLWantReadError:
                pass
            writer.write(outgoing.read())
        if not incoming.pending:
            await reader.read(65536)
        writer.write(b"\x17\x03\x03\x00\x20" + b"\xff" * 32)
        await writer.drain()
        await reader.read()

    async with (
        Listener(handler) as server,
        Client(server.url.replace("http:", "https:"), ca_bundle=str(right.path)) as client,
    ):
        error = await failure(client)
    assert type(error) is AnswerLost
    assert client.exchange.sent


async def test_no_session_keys_are_written(right: Certificate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With SSLKEYLOGFILE the usual context writes what decrypts the whole connection, the storage key included."""
    log = tmp_path / "session-keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    async with (
        RawServer(answering(http()), tls=right.server) as server,
        Client(server.url, ca_bundle=str(right.path), environ=os.environ) as client,
    ):
        await client.gateway.send(CREATE)
    tls_context(None, os.environ)
    assert not os.path.exists(log)  # noqa: PTH110, ASYNC240


def test_verification_is_always_on(right: Certificate) -> None:
    for context in (tls_context(None, {}), tls_context(str(right.path), {})):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("bundle", ["missing.pem", ".", "empty.pem", "text.pem", "\x00", "~nobody-of-that-name/x.pem"])
def test_a_bundle_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: str) -> None:
    """Falling back to the system's certificates would trust more than was asked for."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.pem").write_bytes(b"")
    (tmp_path / "text.pem").write_text("no certificate", encoding="utf-8")
    with pytest.raises(UnusableCaBundle):
        tls_context(bundle, {})
    with pytest.raises(UnusableCaBundle):
        tls_context(None, {"SSL_CERT_FILE": bundle})


def openssl_name(bundle: Path) -> str:
    """What OpenSSL looks a certificate up by in a folder, without the number behind it."""
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(bundle)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl names the files of a folder of certificates")
@pytest.mark.parametrize(
    ("file", "folders", "trusted"),
    [
        (None, ("good",), True),
        (None, ("nowhere", "good"), True),
        (None, ("good", "empty"), True),
        (None, ("empty",), False),
        ("other", ("good",), True),
        ("other", ("empty",), False),
        ("good", ("empty",), True),
        ("good", (), True),
        ("other", (), False),
    ],
)
async def test_the_variables_of_openssl(
    right: Certificate, tmp_path: Path, file: str | None, folders: tuple[str, ...], trusted: bool
) -> None:
    """A company's CA in a second folder, or in a folder beside a file: curl trusts it on this host, and so must we."""
    other = certificate(tmp_path, "other.example", NOW + timedelta(days=10))
    for folder in ("good", "empty"):
        (tmp_path / folder).mkdir()
    (tmp_path / "good" / f"{openssl_name(right.path)}.0").write_bytes(right.path.read_bytes())
    environ = {"SSL_CERT_FILE": str({"good": right.path, "other": other.path}[file])} if file else {}
    environ |= {"SSL_CERT_DIR": os.pathsep.join(str(tmp_path / folder) for folder in folders)} if folders else {}
    async with (
        RawServer(answering(http()), tls=right.server) as server,
        Client(server.url, environ=environ) as client,
    ):
        if trusted:
            await client.gateway.send(CREATE)
        else:
            assert type(await failure(client)) is TlsFailed


def test_a_bundle_of_a_profile_is_trusted_alone(right: Certificate) -> None:
    """Whoever names one means it: the system's many are not trusted beside it."""
    environ = {"SSL_CERT_DIR": "/etc/ssl/certs", "SSL_CERT_FILE": str(right.path)}
    assert len(tls_context(str(right.path), environ).get_ca_certs()) == 1


async def test_the_systems_certificates_are_read_before_the_connection(
    right: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read anew for each connection they would stop the screen for 22 ms: here they are gone by then."""
    monkeypatch.setenv("SSL_CERT_FILE", str(right.path))  # OpenSSL's own variable, for the system's certificates
    context = tls_context(None, {})
    right.path.unlink()
    async with RawServer(answering(http()), tls=right.server) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("bundle", [True, False])
async def test_an_openssl_that_was_built_for_another_place(
    right: Certificate, monkeypatch: pytest.MonkeyPatch, *, bundle: bool
) -> None:
    """As the Python of a version manager may be: without a look at the usual places it would trust nobody."""
    nowhere = ssl.DefaultVerifyPaths("", "", "", "", "", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(connections, "_BUNDLES", ("/nowhere/at/all.pem", str(right.path)) if bundle else ())
    assert len(tls_context(None, {}).get_ca_certs()) == int(bundle)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_where_the_system_itself_verifies(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert isinstance(tls_context(None, {}), truststore.SSLContext)


async def test_certificates_that_cannot_be_read_end_the_request(tmp_path: Path) -> None:
    """With the first request, on a thread: a folder on a network may hang, and the screen may not."""
    async with Client("https://127.0.0.1:1", ca_bundle=str(tmp_path / "missing.pem")) as client:
        error = await failure(client)
    assert type(error) is UnusableCaBundle
    assert isinstance(error, TlsFailed)
    assert "missing.pem" in error.what
    assert (client.exchange.error, client.exchange.sent) == ("unusable_ca_bundle", False)
    assert not error.may_have_acted


async def test_certificates_on_a_disk_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(connections, "DISK_SECONDS", 0.1)
    monkeypatch.setattr(connections, "tls_context", lambda *_: release.wait(30))
    async with Client("https://127.0.0.1:1") as client:
        error = await failure(client)
    release.set()
    assert type(error) is UnusableCaBundle
    assert "could not be read within" in error.what
