"""The signature, against answers that were computed by others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.request import ApiCall
from ncp_tui.gateway.signature import SignatureV2, sign, string_to_sign, target_of
from tests.gateway.wire import CANARY, LIST, Client, RawServer, answering, http, signature_of
from tests.tables import each_row

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "signature-vectors.json").read_text(encoding="utf-8")
)["vectors"]

AK, SK = "AKTEST0000000000001", "SKTEST0000000000000000000000000000000001"
KNOWN = [
    (
        "GET",
        "/vserver/v2/getServerInstanceList?responseFormatType=json",
        1234567890123,
        "TestAccessKey",
        "TestSecretKey",
        "FPsYYX8fuMAgi+cue3eACOW0dNtIwu1LYWfg/megA2M=",
    ),
    (
        "GET",
        "/api/v2/cluster/getClusterInfoList",
        1700000000000,
        AK,
        SK,
        "FUFRsiXMk+n/bS2CkPmDZZQpbI/DLb03NaEKZBYo+K4=",
    ),
    (
        "GET",
        "/api/v2/cluster/getClusterInfoList?pageNo=1&pageSize=10",
        1700000000000,
        AK,
        SK,
        "7PtakTbcDzwDb/yzJqpKebns7j7Co/UpPWCr82eIo6Q=",
    ),
    (
        "POST",
        "/api/v2/snapshot/createSnapshot/1037123",
        1700000000000,
        AK,
        SK,
        "54FB8i5639iHmx69qP9Rh6+dDihgk4xHpgggKYu9edU=",
    ),
    (
        "POST",
        "/api/v2/snapshot/createSnapshot/1037",
        1700000000000,
        "AK",
        "SK",
        "G3UlT5ezqssfIzOidOByPKNL0dUoMspa6FLGZIVtBzk=",
    ),
    (
        "GET",
        "/api/sgn-v2/cluster/getClusterInfoList?inputText=%EA%B2%80%EC%83%89&pageNo=1&pageSize=20",
        1700000000000,
        "AK",
        "SK",
        "7Py9rbF2UnwXzY/HuNhmsCUBOiw5atzOg2/Ol+U7Exw=",
    ),
]


def through_auth(method: str, url: str, milliseconds: int, access_key: str, secret_key: str) -> httpx.Request:
    # Half a millisecond on top: the nearest float may lie below a whole one, and truncation would show it.
    clock = lambda: (milliseconds + 0.5) / 1000  # noqa: E731
    auth = SignatureV2(Credentials(access_key, SecretKey(secret_key)), clock)
    return next(auth.auth_flow(httpx.Request(method, url)))


def test_the_vectors() -> None:
    """Two public implementations agreed on these; one difference and every request is answered with 401."""
    assert len(VECTORS) == 48
    for vector in VECTORS:
        request = through_auth(
            vector["method"], vector["url"], vector["timestamp_ms"], vector["access_key"], vector["secret_key"]
        )
        text = string_to_sign(vector["method"], target_of(request), vector["timestamp_ms"], vector["access_key"])
        assert sign(SecretKey(vector["secret_key"]), text) == vector["signature_v2"], vector
        assert request.headers["x-ncp-apigw-signature-v2"] == vector["signature_v2"], vector
        assert request.headers["x-ncp-apigw-timestamp"] == str(vector["timestamp_ms"])
        assert request.headers["x-ncp-iam-access-key"] == vector["access_key"]


@each_row("known", KNOWN)
def test_known_answer(known: tuple[str, str, int, str, str, str]) -> None:
    method, target, milliseconds, access_key, secret_key, expected = known
    assert sign(SecretKey(secret_key), string_to_sign(method, target, milliseconds, access_key)) == expected
    request = through_auth(method, f"https://gateway.example{target}", milliseconds, access_key, secret_key)
    assert request.headers["x-ncp-apigw-signature-v2"] == expected


def test_each_request_gets_a_timestamp_of_its_own() -> None:
    """A signature older than five minutes is refused, so a request that waited must not carry an old one."""
    moments = iter((1.0, 2.0))
    auth = SignatureV2(Credentials("AK", SecretKey("SK")), lambda: next(moments))
    first, second = (next(auth.auth_flow(httpx.Request("GET", "https://h/"))) for _ in range(2))
    assert (first.headers["x-ncp-apigw-timestamp"], second.headers["x-ncp-apigw-timestamp"]) == ("1000", "2000")


QUERIES: list[tuple[tuple[str, str], ...]] = [
    (),
    (("pageNo", "1"), ("pageSize", "100")),
    (("inputText", "검색 로그"), ("vpcName", "서울-운영")),
    (("inputText", "a b+c&d=e%20/?#[]@!$'()*,;:~"),),
    (("inputText", ""), ("inputText", "twice")),
    (("inputText", "%EA%B2%80"),),
]


@each_row("query", QUERIES)
async def test_the_bytes_on_the_wire_are_the_bytes_that_were_signed(query: tuple[tuple[str, str], ...]) -> None:
    """The gateway signs what it receives; a client that signs before encoding is refused for Korean text only."""
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        await client.gateway.send(ApiCall("x", "GET", "/cluster/getClusterInfoList", query=query))
        received = server.requests[0]
        assert received.headers["x-ncp-apigw-signature-v2"] == signature_of(received)
        assert client.exchange.request.target.encode() == received.target


@given(text=st.text(max_size=40))
def test_any_query_is_signed_as_it_is_built(text: str) -> None:
    """The target is taken from the built request, never assembled a second time."""
    try:
        request = httpx.Request("GET", "https://h/api/v2/x", params={"inputText": text})
    except UnicodeEncodeError:
        return  # half of a surrogate pair is no text
    signed = next(SignatureV2(Credentials("AK", SecretKey(CANARY)), lambda: 1.0).auth_flow(request))
    expected = string_to_sign("GET", request.url.raw_path.decode(), 1000, "AK")
    assert signed.headers["x-ncp-apigw-signature-v2"] == sign(SecretKey(CANARY), expected)


async def test_the_body_is_not_signed_and_arrives_as_utf_8() -> None:
    call = ApiCall("x", "POST", "/snapshot/createSnapshot/1", body={"snapshotName": "스냅샷"})
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        await client.gateway.send(call)
        received = server.requests[0]
    assert json.loads(received.body) == {"snapshotName": "스냅샷"}
    assert received.headers["content-type"].startswith("application/json")
    assert received.headers["x-ncp-apigw-signature-v2"] == signature_of(received)


async def test_a_read_has_no_body() -> None:
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        await client.gateway.send(LIST)
    assert server.requests[0].body == b""
    assert "content-type" not in server.requests[0].headers
