"""Certificates, with real handshakes: verification cannot be switched off, and a stranger is told nothing."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import ssl
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import truststore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ncp_tui.gateway import tls
from ncp_tui.gateway.errors import AnswerLost, GatewayError, NotReached, TlsFailed
from ncp_tui.gateway.request import Timeouts
from ncp_tui.gateway.tls import UnusableCaBundle, tls_context
from tests.gateway.wire import CREATE, Client, Listener, RawServer, answering, http

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
    monkeypatch.setattr(tls, "_BUNDLES", ("/nowhere/at/all.pem", str(right.path)) if bundle else ())
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
    monkeypatch.setattr(tls, "DISK_SECONDS", 0.1)
    monkeypatch.setattr(tls, "tls_context", lambda *_: release.wait(30))
    async with Client("https://127.0.0.1:1") as client:
        error = await failure(client)
    release.set()
    assert type(error) is UnusableCaBundle
    assert "could not be read within" in error.what
