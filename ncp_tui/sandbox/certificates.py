"""A certificate authority of the sandbox's own, and server certificates that are right or wrong in one way.

Validity is by the machine's clock and not by the sandbox's, because it is the client who judges it.
"""

from __future__ import annotations

import ipaddress
import shutil
import ssl
import tempfile
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAYS = 30
_HOSTS = (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost"))
_OTHER_HOST = (x509.DNSName("other.example"),)


@dataclass(frozen=True)
class _Issuer:
    """A certificate that signs others, and its key, which never leaves memory."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """Makes certificates for this machine's loopback.

    `ca_bundle` is the file that a client has to trust. It lies in a directory that only this user may enter and that is
    removed with the authority, at the latest when the program ends.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ncp-tui-sandbox-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._issuer = _issuer("ncp-tui sandbox CA")
        self.ca_bundle = self._folder / "ca.pem"
        self.ca_bundle.write_bytes(self._issuer.certificate.public_bytes(Encoding.PEM))

    def close(self) -> None:
        """Remove the files; harmless when it was done before."""
        self._finalizer()

    def right(self) -> ssl.SSLContext:
        """A certificate that a client accepts who trusts `ca_bundle`."""
        return self._context(self._issuer, _HOSTS)

    def expired(self) -> ssl.SSLContext:
        """One that was right until yesterday."""
        return self._context(self._issuer, _HOSTS, until=timedelta(days=-1))

    def wrong_host(self) -> ssl.SSLContext:
        """One for another host."""
        return self._context(self._issuer, _OTHER_HOST)

    def of_a_stranger(self) -> ssl.SSLContext:
        """One for this host, by an authority that is in no file."""
        return self._context(_issuer("ncp-tui sandbox, another CA"), _HOSTS)

    def _context(
        self, issuer: _Issuer, hosts: tuple[x509.GeneralName, ...], until: timedelta = timedelta(days=_DAYS)
    ) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder("ncp-tui sandbox", issuer.certificate.subject, key.public_key(), until)
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
            .sign(issuer.key, hashes.SHA256())
        )
        return self._loaded(certificate, key)

    def _loaded(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
        """OpenSSL reads a key from a file only; the file is gone when this returns."""
        file = self._folder / "server.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(file)
        finally:
            file.unlink()
        return context


def _issuer(name: str) -> _Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(name, _name(name), key.public_key(), timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)
        .sign(key, hashes.SHA256())
    )
    return _Issuer(certificate, key)


# Without it a client with OpenSSL's strict checks, Python's default from 3.13 on, refuses the authority.
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _builder(
    name: str, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, until: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=_DAYS))
        .not_valid_after(now + until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
