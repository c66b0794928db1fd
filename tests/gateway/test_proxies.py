"""The proxy of a bastion host: found as curl finds it, named when it refuses, and never a piece of its password."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ncp_tui.gateway.endpoints import endpoint_for
from ncp_tui.gateway.errors import GatewayError, NotReached, ProxyRefused
from ncp_tui.gateway.proxies import UnusableProxy, is_excepted, proxy_for
from tests.gateway.wire import CREATE, Client, Listener, RawServer, answering, http
from tests.tables import each_row

GATEWAY = "https://gateway.invalid"


async def failure(client: Client) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await client.gateway.send(CREATE)
    assert not client.exchange.sent
    return caught.value


async def test_loopback_never_goes_through_a_proxy() -> None:
    """A company's proxy would see the sandbox's requests, or refuse them."""
    async with RawServer(answering(http(403, b""))) as proxy, RawServer(answering(http())) as server:
        environ = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), proxy.url)
        async with Client(server.url, environ=environ) as client:
            await client.gateway.send(CREATE)
        assert proxy.connections == 0


@each_row(
    ("status", "says", "to_do"),
    [
        (407, "requires a user and a password", "HTTPS_PROXY"),
        (403, "does not allow connections to gateway.invalid", "NO_PROXY"),
        (502, "cannot reach gateway.invalid", "Retry"),
        (503, "cannot reach gateway.invalid", "Retry"),
        (504, "cannot reach gateway.invalid", "Retry"),
        (400, "did not make the connection", "Check the proxy"),
        (302, "did not make the connection", "Check the proxy"),
        (500, "did not make the connection", "Check the proxy"),
    ],
)
async def test_a_proxy_that_refuses(status: int, says: str, to_do: str) -> None:
    """A password, a permission and a broken line need three different people."""
    async with RawServer(answering(http(status, b"no", "proxy-authenticate: Basic realm=corp"))) as proxy:
        url = proxy.url.replace("http://", "http://someone:quokka@")
        async with Client(GATEWAY, environ={"HTTPS_PROXY": url}) as client:
            error = await failure(client)
        assert proxy.requests[0].line == b"CONNECT gateway.invalid:443 HTTP/1.1"
        assert not {name for name in proxy.requests[0].headers if name.startswith("x-ncp")}
    assert isinstance(error, ProxyRefused)
    assert says in error.what
    assert f"({status})" in error.what
    assert to_do in error.next_step
    assert (error.status, error.may_have_acted) == (status, False)
    assert client.exchange.via_proxy == f"127.0.0.1:{proxy.port}"
    assert "quokka" not in repr(client.exchange) + error.sentences()


async def test_a_proxy_that_wants_what_we_do_not_speak() -> None:
    """No password in the environment would ever help."""
    said = http(407, b"", "Proxy-Authenticate: NTLM", "Proxy-Authenticate: Negotiate")
    async with RawServer(answering(said)) as proxy, Client(GATEWAY, environ={"https_proxy": proxy.url}) as client:
        error = await failure(client)
    assert "negotiate, ntlm only" in error.next_step


async def test_a_proxy_that_hangs_up_or_is_not_there() -> None:
    async def hang_up(_reader: object, _writer: object) -> None:
        """Close the connection at once."""

    async with Listener(hang_up) as proxy:
        environ = {"HTTPS_PROXY": proxy.url}
        async with Client(GATEWAY, environ=environ) as client:
            assert isinstance(await failure(client), NotReached)
    async with Client(GATEWAY, environ=environ) as client:
        assert type(await failure(client)) is NotReached


PASSWORDS = [
    ("PASSWORD", "PASSWORD"),
    ("4711#PASSWORD", "4711#PASSWORD"),
    ("3128/PASSWORD", "3128/PASSWORD"),
    ("443?PASSWORD", "443?PASSWORD"),
    ("PASS@WORD", "PASS@WORD"),
    ("PASS:WORD", "PASS:WORD"),
    ("PASS%23WORD", "PASS#WORD"),
    ("PASS\\WORD", "PASS\\WORD"),
    ("비밀PASSWORD", "비밀PASSWORD"),
    ("", ""),
]


@each_row(("written", "password"), PASSWORDS)
@each_row("scheme", ["http://", ""])
async def test_a_password_is_a_password_whatever_is_in_it(written: str, password: str, scheme: str) -> None:
    """Read as a URL, "kim:4711#word@proxy" is the host "kim" at port 4711: looked up, and logged."""
    async with RawServer(answering(http(403, b""))) as proxy:
        url = f"{scheme}kim:{written}@127.0.0.1:{proxy.port}"
        async with Client(GATEWAY, environ={"HTTPS_PROXY": url}) as client:
            error = await failure(client)
        sent = proxy.requests[0].headers["proxy-authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == f"kim:{password}"
    assert client.exchange.via_proxy == f"127.0.0.1:{proxy.port}"
    assert "WORD" not in repr(client.exchange) + error.sentences()


@each_row(
    "url",
    [
        "socks5://someone:PASSWORD@127.0.0.1:1",
        "nonsense://PASSWORD@x",
        "http://PASSWORD:x:y",
        "http://PASSWORD#x",
        "http://PASSWORD/x",
        "http://u:PASSWORD@",
        "http://u:PASSWORD@[1:2",
        "http://u:PASSWORD@[nothing]",
        "http://u:PASSWORD@two words",
        "http://u:PASSWORD@h:1\r\nX: y",
        "http://u:PASSWORD@host:0",
        "http://u:PASSWORD@host:65536",
        "http://u:PASSWORD@host:99999999999999999999",
        "http://u:PASSWORD@host:x",
        "http://u:PASSWORD@host:-1",
        "http://",
        "@",
        "://",
    ],
)
def test_a_proxy_that_cannot_be_used(url: str) -> None:
    """For these httpx raises ValueError with the whole URL in it: a crash report with a password."""
    with pytest.raises(UnusableProxy) as caught:
        Client(GATEWAY, environ={"ALL_PROXY": url})
    assert "PASSWORD" not in caught.value.sentences()
    assert "ALL_PROXY" in caught.value.what
    assert caught.value.__context__ is None


def test_the_first_variable_that_is_set_decides() -> None:
    """An empty one is not set: scripts empty the lower-case name to be rid of a proxy that the other still names."""
    order = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    environ = {name: f"http://{name.replace('_', '-')}:1" for name in order}
    for name in order:
        proxy = proxy_for(endpoint_for(), environ)
        assert proxy is not None
        assert proxy.url.host == name.replace("_", "-").lower()
        environ[name] = ""
    assert proxy_for(endpoint_for(), environ) is None
    assert proxy_for(endpoint_for(), {"HTTP_PROXY": "http://not-for-https:1"}) is None


# What curl 7.88 does: (NO_PROXY, host of the URL, whether it goes straight there).
EXCEPTED = [
    ("*", "gw.corp.example", True),
    ("*,x.example", "gw.corp.example", False),
    (" *", "gw.corp.example", False),
    ("", "gw.corp.example", False),
    ("gw.corp.example", "gw.corp.example", True),
    ("GW.Corp.Example", "gw.corp.example", True),
    ("corp.example", "gw.corp.example", True),
    (".corp.example", "gw.corp.example", True),
    (".corp.example", "corp.example", True),
    ("..corp.example", "gw.corp.example", False),
    ("corp.example.", "gw.corp.example", True),
    (".corp.example.", "gw.corp.example", True),
    ("example", "gw.corp.example", True),
    ("orp.example", "gw.corp.example", False),
    ("w.corp.example", "gw.corp.example", False),
    ("*.corp.example", "gw.corp.example", False),
    ("gw.corp.example:443", "gw.corp.example", False),
    ("https://gw.corp.example", "gw.corp.example", False),
    ("localhost corp.example", "gw.corp.example", True),
    ("localhost,corp.example", "gw.corp.example", True),
    ("localhost , corp.example", "gw.corp.example", True),
    ("localhost,,corp.example", "gw.corp.example", True),
    (",corp.example,", "gw.corp.example", True),
    ("localhost\tcorp.example", "gw.corp.example", True),
    ("localhost;corp.example", "gw.corp.example", False),
    (".", "gw.corp.example", False),
    ("10.20.30.40", "10.20.30.40", True),
    ("10.0.0.0/8", "10.20.30.40", True),
    ("10.20.30.99/24", "10.20.30.40", True),
    ("10.20.30.99/26", "10.20.30.40", False),
    ("10.20.30.40/32", "10.20.30.40", True),
    ("10.20.30.40/33", "10.20.30.40", False),
    ("0.0.0.0/0", "10.20.30.40", False),
    ("10.20.30.40/0", "10.20.30.40", True),
    ("10.20.30.40/", "10.20.30.40", True),
    ("10.0.0.0/8x", "10.20.30.40", True),
    ("10.0.0.0/x", "10.20.30.40", False),
    ("10.20.30", "10.20.30.40", False),
    (".30.40", "10.20.30.40", False),
    ("10.20.30.40.", "10.20.30.40", False),
    ("192.168.0.0/16 10.0.0.0/8", "10.20.30.40", True),
    ("fd00::/8", "10.20.30.40", False),
    ("::ffff:10.20.30.40", "10.20.30.40", False),
    ("fd00::7", "10.20.30.40", False),
]


@each_row(("no_proxy", "host", "expected"), EXCEPTED)
def test_no_proxy(no_proxy: str, host: str, expected: bool) -> None:
    """A bastion's NO_PROXY was written for curl; what has to be reached directly, the proxy cannot reach."""
    assert is_excepted(host, no_proxy) is expected


@each_row(
    ("no_proxy", "expected"),
    [("fd00::/8", True), ("fd00::7", True), ("fd00:0:0::7/128", True), ("fe00::/8", False), ("10.0.0.0/8", False)],
)
def test_no_proxy_of_ipv6(no_proxy: str, expected: bool) -> None:
    assert is_excepted("fd00::7", no_proxy) is expected


def test_a_lower_case_no_proxy_goes_before_the_other() -> None:
    environ = {"HTTPS_PROXY": "http://proxy.example:1", "no_proxy": "other.example", "NO_PROXY": "ntruss.com"}
    assert proxy_for(endpoint_for(), environ) is not None
    assert proxy_for(endpoint_for(), environ | {"no_proxy": ""}) is None


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_table_is_what_curl_does() -> None:
    """The rows above are a claim about another program: here it is asked."""
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    if tuple(map(int, version.split(".")[:2])) < (7, 86):
        pytest.skip(f"curl {version} reads NO_PROXY in an older way")
    with socket.socket() as closed, ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as proxy:
        closed.bind(("127.0.0.1", 0))
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        differing = []
        for no_proxy, host, expected in EXCEPTED:
            _Refusing.asked = 0
            environ = {"https_proxy": f"http://127.0.0.1:{proxy.server_port}", "no_proxy": no_proxy}
            # What does not go through the proxy goes to a port where nobody listens.
            straight = f"::127.0.0.1:{closed.getsockname()[1]}"
            command = ["curl", "-q", "-sk", "-o", os.devnull, "--connect-to", straight, f"https://{host}/"]
            subprocess.run(command, env=environ | {"PATH": os.environ["PATH"]}, check=False, timeout=60)
            if (not _Refusing.asked) is not expected:
                differing.append((no_proxy, host, expected))
        proxy.shutdown()
    assert differing == []


class _Refusing(BaseHTTPRequestHandler):
    """A proxy that counts who asks it, and refuses."""

    asked = 0

    def do_CONNECT(self) -> None:
        type(self).asked += 1
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
