"""The judge must be right before anything it says about a client means anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ncp_tui.sandbox.authentication import NotAuthenticated, check_signature, signature_v2
from tests.tables import each_row

VECTORS = json.loads((Path(__file__).parents[1] / "signature-vectors.json").read_text(encoding="utf-8"))["vectors"]
SECRET = "SK"
NOW = 1_700_000_000_000
CREATE = b"/api/v2/snapshot/createSnapshot/1037"
SEARCH = b"/api/sgn-v2/cluster/getClusterInfoList?inputText=%EA%B2%80%EC%83%89&pageNo=1&pageSize=20"
CREATE_SIGNED = b"G3UlT5ezqssfIzOidOByPKNL0dUoMspa6FLGZIVtBzk="
SEARCH_SIGNED = b"7Py9rbF2UnwXzY/HuNhmsCUBOiw5atzOg2/Ol+U7Exw="

Headers = list[tuple[bytes, bytes]]


def _headers(signature: bytes, timestamp: bytes = b"1700000000000", access_key: bytes = b"AK") -> Headers:
    return [
        (b"x-ncp-apigw-timestamp", timestamp),
        (b"x-ncp-iam-access-key", access_key),
        (b"x-ncp-apigw-signature-v2", signature),
    ]


def _check(method: bytes, target: bytes, headers: Headers, now_ms: float = NOW) -> str:
    secrets = {"AK": SECRET}
    return check_signature(method, target, headers, secret_of=secrets.get, now_ms=now_ms)


def test_every_known_answer_is_accepted() -> None:
    """Two public implementations agreed on each of these; a judge that refuses one would refuse real clients."""
    for vector in VECTORS:
        url = urlsplit(vector["url"])
        target = f"{url.path}?{url.query}" if url.query else url.path
        timestamp, access_key = str(vector["timestamp_ms"]), vector["access_key"]
        accepted = check_signature(
            vector["method"].encode(),
            target.encode(),
            _headers(vector["signature_v2"].encode(), timestamp.encode(), access_key.encode()),
            secret_of={access_key: vector["secret_key"]}.get,
            now_ms=vector["timestamp_ms"],
        )
        assert accepted == access_key, vector


def test_there_are_as_many_known_answers_as_published() -> None:
    """An empty file would pass the test above."""
    assert len(VECTORS) == 48


@each_row(("method", "target", "signature"), [(b"POST", CREATE, CREATE_SIGNED), (b"GET", SEARCH, SEARCH_SIGNED)])
def test_answers_that_openssl_computed(method: bytes, target: bytes, signature: bytes) -> None:
    assert signature_v2(method, target, b"1700000000000", b"AK", SECRET) == signature
    assert _check(method, target, _headers(signature)) == "AK"


def _each_with_one_byte_off(text: bytes) -> Iterator[bytes]:
    for place in range(len(text)):
        yield text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]


def test_one_byte_of_the_target_off() -> None:
    """Every byte counts, those of the query and of an escape included."""
    for changed in _each_with_one_byte_off(SEARCH):
        with pytest.raises(NotAuthenticated, match="wrong_signature"):
            _check(b"GET", changed, _headers(SEARCH_SIGNED))


def test_one_byte_of_the_signature_off() -> None:
    """Also in the padding: Base64 that decodes to the same bytes is another text."""
    for changed in _each_with_one_byte_off(SEARCH_SIGNED):
        with pytest.raises(NotAuthenticated, match="wrong_signature"):
            _check(b"GET", SEARCH, _headers(changed))


@each_row(
    ("method", "target"),
    [
        (b"POST", SEARCH),
        (b"GET", unquote(SEARCH.decode()).encode()),
        (b"GET", SEARCH.replace(b"%EA%B2", b"%ea%b2")),
        (b"GET", SEARCH.partition(b"?")[0]),
        (b"GET", b"/api/sgn-v2/cluster/getClusterInfoList?pageNo=1&pageSize=20&inputText=%EA%B2%80%EC%83%89"),
        (b"GET", b"http://127.0.0.1" + SEARCH),
    ],
    ids=["method", "decoded path", "escape in lower case", "no query", "other order", "whole URL"],
)
def test_what_was_signed_must_be_what_was_sent(method: bytes, target: bytes) -> None:
    with pytest.raises(NotAuthenticated, match="wrong_signature"):
        _check(method, target, _headers(SEARCH_SIGNED))


def test_the_signed_timestamp_must_be_the_header() -> None:
    with pytest.raises(NotAuthenticated, match="wrong_signature"):
        _check(b"GET", SEARCH, _headers(SEARCH_SIGNED, timestamp=b"1700000000001"))


def test_an_unknown_access_key() -> None:
    with pytest.raises(NotAuthenticated, match="unknown_access_key"):
        _check(b"GET", SEARCH, _headers(SEARCH_SIGNED, access_key=b"ak"))


@each_row("name", [b"x-ncp-apigw-timestamp", b"x-ncp-iam-access-key", b"x-ncp-apigw-signature-v2"])
def test_each_header_once_and_not_empty(name: bytes) -> None:
    """A request with two signatures would be judged by whichever comes first; which one is not documented."""
    headers = _headers(SEARCH_SIGNED)
    without = [header for header in headers if header[0] != name]
    with pytest.raises(NotAuthenticated, match="missing_header"):
        _check(b"GET", SEARCH, without)
    with pytest.raises(NotAuthenticated, match="missing_header"):
        _check(b"GET", SEARCH, [*without, (name, b"")])
    with pytest.raises(NotAuthenticated, match="repeated_header"):
        _check(b"GET", SEARCH, headers + [header for header in headers if header[0] == name])


@each_row(
    "timestamp", [b"", b"now", b"-1700000000000", b"1700000000000.0", b"1_700_000_000_000", b"9" * 400, b"\xd9\xa1"]
)
def test_a_timestamp_is_decimal_milliseconds(timestamp: bytes) -> None:
    """Signed correctly, so only the form of the timestamp can be what is refused."""
    signature = signature_v2(b"GET", SEARCH, timestamp, b"AK", SECRET)
    with pytest.raises(NotAuthenticated, match=r"malformed_timestamp|missing_header"):
        _check(b"GET", SEARCH, _headers(signature, timestamp=timestamp))


@each_row("sign", [-1, 1], ids=["slow client", "fast client"])
def test_the_window_is_five_minutes_either_way(sign: int) -> None:
    assert _check(b"GET", SEARCH, _headers(SEARCH_SIGNED), NOW + sign * 299_000) == "AK"
    for seconds in (300, 301):
        with pytest.raises(NotAuthenticated, match="stale_timestamp"):
            _check(b"GET", SEARCH, _headers(SEARCH_SIGNED), NOW + sign * seconds * 1000)
