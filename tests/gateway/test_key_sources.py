"""Keys that change while a client is in use: each attempt asks for its pair, and without one nothing leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, KeySource, SecretKey, mask_access_key
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import AuthenticationFailed, KeysUnavailable, NotReached
from ncp_tui.gateway.exchange import Exchange
from tests.gateway.wire import CANARY, CREATE, LIST, RawServer, Received, answering, http, signature_of

OTHER_CANARY = "CANARYoth3rKEY0123456789abcdefABCDEFxyz0"
FIRST = Credentials("AKFIRST0000000000001", SecretKey(CANARY))
SECOND = Credentials("AKSECOND000000000002", SecretKey(OTHER_CANARY))


class Turns:
    """Hands out one after the other; None is a source that has nothing."""

    def __init__(self, pairs: Iterable[Credentials | None]) -> None:
        self._pairs = iter(pairs)
        self.masked = "****"

    async def current(self) -> Credentials:
        await asyncio.sleep(0)
        pair = next(self._pairs)
        if pair is None:
            raise KeysUnavailable("There are no keys.", "Nothing was sent to NCP.", "Wait.")
        self.masked = pair.masked
        return pair


class Client:
    def __init__(self, server: RawServer, source: KeySource) -> None:
        self.exchanges: list[Exchange] = []
        endpoint = Endpoint("public", "KR", server.url, "/api/v2")
        self.gateway = GatewayClient(endpoint, source, record=self.exchanges.append, environ={})


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with RawServer(answering(http())) as running:
        yield running


async def test_each_request_is_signed_with_the_keys_of_its_moment(server: RawServer) -> None:
    client = Client(server, Turns([FIRST, SECOND]))
    for pair in (FIRST, SECOND):
        await client.gateway.send(LIST)
        received = server.requests[-1]
        assert received.headers["x-ncp-iam-access-key"] == pair.access_key
        assert received.headers["x-ncp-apigw-signature-v2"] == signature_of(received, pair.secret_key.reveal())
    await client.gateway.aclose()


async def test_a_record_shows_the_key_that_signed(server: RawServer) -> None:
    """Not the one that came since: a ticket would name a key that had nothing to do with it."""
    client = Client(server, Turns([FIRST, SECOND]))
    for pair in (FIRST, SECOND):
        assert mask_access_key(pair.access_key) not in client.gateway.preview(LIST).string_to_sign
        await client.gateway.send(LIST)
        record = client.exchanges[-1].request
        assert dict(record.headers)["x-ncp-iam-access-key"] == pair.masked
        assert record.string_to_sign.endswith(pair.masked)
        assert client.gateway.preview(LIST).string_to_sign.endswith(pair.masked)
    await client.gateway.aclose()


async def test_an_answer_that_quotes_the_key_it_was_signed_with() -> None:
    async def quoting(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(http(500, f"secrets {CANARY} {OTHER_CANARY}".encode()))

    async with RawServer(quoting) as server:
        client = Client(server, Turns([FIRST, SECOND]))
        for pair in (FIRST, SECOND):
            with pytest.raises(Exception, match="500"):
                await client.gateway.send(LIST)
            answer = client.exchanges[-1].answer
            assert answer is not None
            assert pair.secret_key.reveal() not in answer.text
        await client.gateway.aclose()


async def test_without_keys_nothing_leaves_and_that_is_on_record(server: RawServer) -> None:
    """A create that had no keys was certainly not started."""
    client = Client(server, Turns([None, FIRST]))
    with pytest.raises(KeysUnavailable) as caught:
        await client.gateway.send(CREATE)
    assert isinstance(caught.value, NotReached)
    assert not caught.value.may_have_acted
    (exchange,) = client.exchanges
    assert (exchange.sent, exchange.error, exchange.answer) == (False, "keys_unavailable", None)
    assert caught.value.exchange is exchange
    assert dict(exchange.request.headers)["x-ncp-iam-access-key"] == "****"
    assert server.connections == 0
    await client.gateway.send(CREATE)
    assert len(server.requests) == 1
    await client.gateway.aclose()


async def test_cancelled_while_it_waits_for_keys(server: RawServer) -> None:
    class Never:
        masked = "****"

        async def current(self) -> Credentials:
            await asyncio.Event().wait()
            raise AssertionError

    client = Client(server, Never())
    sending = asyncio.ensure_future(client.gateway.send(CREATE))
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert [(each.sent, each.error) for each in client.exchanges] == [(False, "cancelled")]
    assert server.connections == 0


async def test_a_refusal_repeats_nothing_by_itself() -> None:
    """Keys are renewed in time, not by trying what they still open."""
    refused = b'{"error":{"errorCode":"200","message":"Authentication Failed"}}'
    async with RawServer(answering(http(401, refused))) as server:
        client = Client(server, Turns([FIRST, SECOND]))
        with pytest.raises(AuthenticationFailed):
            await client.gateway.send(CREATE)
        assert len(server.requests) == 1
        await client.gateway.aclose()


async def test_plain_credentials_are_their_own_source() -> None:
    assert await FIRST.current() is FIRST
