"""The secret of a storage key leaves in one body, once, and no record has it: whatever the other side repeats."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import GatewayError, Redirected
from ncp_tui.gateway.exchange import Exchange, RequestRecord
from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.fault_lab.echo_faults import spellings
from ncp_tui.sandbox.protocol import Answer
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.operations import OPERATIONS, SET_STORAGE_KEY
from ncp_tui.session_log.log import Action
from ncp_tui.session_log.records import request_line
from ncp_tui.view.curl import as_curl
from ncp_tui.view.exchanges import request_document, response_lines
from ncp_tui.view.text import plain_text

ACCESS, SECRET = "STORAGEKEYID00000042", "0bjectSt0rageCANARYsecret0123456789abcd"
BODY: dict[str, str | int | SecretKey] = {"accessKeyId": ACCESS, "secretKey": SecretKey(SECRET)}
NUMBER = "1037001"


class Recorded:
    """A client of a sandbox, and all that a record of what it did could show."""

    def __init__(self, served: RunningSandbox) -> None:
        self.exchanges: list[Exchange] = []
        sandbox = served.sandbox
        credentials = Credentials(sandbox.access_key, SecretKey(sandbox.secret_key))
        endpoint = Endpoint("public", "KR", served.url, "/api/v2")
        self.engine = SearchEngine(GatewayClient(endpoint, credentials, record=self.exchanges.append, environ={}))

    @property
    def shown(self) -> str:
        return "\n".join(map(self.said_of, self.exchanges))

    @staticmethod
    def said_of(exchange: Exchange) -> str:
        answer, action = exchange.answer, Action("t", 1, exchange.at)
        parts = [repr(exchange), plain_text(response_lines(exchange)), as_curl(exchange.request)]
        parts += [json.dumps(request_line("run", action, exchange), ensure_ascii=False)]
        parts += [str(request_document(exchange.request))]
        if answer is not None:
            parts += [answer.body.decode("utf-8", "replace"), repr(answer.headers), answer.reason]
        return "\n".join(parts)


@pytest.fixture
async def recorded(served: RunningSandbox) -> AsyncIterator[Recorded]:
    recorded = Recorded(served)
    async with contextlib.aclosing(recorded.engine):
        yield recorded


def flat(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in flat(each)]
    return [text for each in value for text in flat(each)] if isinstance(value, list) else [str(value)]


def assert_nothing_of_it(shown: str) -> None:
    for secret in (SECRET, ACCESS):
        for written in flat(spellings(secret)):
            assert written not in shown
            assert json.dumps(written)[1:-1] not in shown
        folded = shown.lower()
        for start in range(len(secret) - 6):
            assert secret[start : start + 7].lower() not in folded


def arrived(served: RunningSandbox) -> list[str | None]:
    return [entry.operation for entry in served.sandbox.ledger.requests]


@pytest.mark.parametrize("fault", ["echo-before", "echo-after", "echo-200"])
async def test_no_record_has_what_a_gateway_repeats(served: RunningSandbox, recorded: Recorded, fault: str) -> None:
    install(served.sandbox, f"{fault}@set-key:always")
    try:
        await recorded.engine.change(SET_STORAGE_KEY, NUMBER, BODY)
        said = ""
    except GatewayError as error:
        said = error.sentences() + error.message + repr(error.__dict__)
    assert bool(said) is (fault != "echo-200"), "what it repeats does not change what its answer proves"
    assert_nothing_of_it(recorded.shown + said)
    assert "x-echo" in recorded.shown
    assert arrived(served) == [SET_STORAGE_KEY]


async def test_nor_what_it_repeats_in_a_later_answer(served: RunningSandbox, recorded: Recorded) -> None:
    await recorded.engine.change(SET_STORAGE_KEY, NUMBER, BODY)
    said = {"code": 40030, "message": f"the key {ACCESS} with {SECRET}", "echo": spellings(SECRET), "result": None}
    served.sandbox.faults.add("getBucketList", "answer", (400, said))
    with pytest.raises(GatewayError) as caught:
        await recorded.engine.list_buckets(NUMBER)
    assert_nothing_of_it(recorded.shown + caught.value.sentences())


async def test_nor_where_it_would_have_the_request_go(served: RunningSandbox, recorded: Recorded) -> None:
    headers = {"location": f"https://x.example/{ACCESS}?k={SECRET[::-1]}", "set-cookie": f"k={SECRET.upper()}; Path=/"}
    served.sandbox.faults.add(SET_STORAGE_KEY, "before", Answer(307, SECRET.encode(), headers))
    with pytest.raises(Redirected) as caught:
        await recorded.engine.change(SET_STORAGE_KEY, NUMBER, BODY)
    assert_nothing_of_it(recorded.shown + caught.value.sentences())
    assert "https://x.example/****?k=****" in caught.value.what


async def test_no_record_has_its_length(served: RunningSandbox, recorded: Recorded) -> None:
    """The request's own length would tell it, and that of an answer that repeats it."""
    lengths = set[str]()
    for secret in (SECRET, SECRET[:20]):
        recorded.exchanges.clear()
        served.sandbox.faults.clear()
        install(served.sandbox, "echo-200@set-key:always")
        await recorded.engine.change(SET_STORAGE_KEY, NUMBER, BODY | {"secretKey": SecretKey(secret)})
        (exchange,) = recorded.exchanges
        assert exchange.answer is not None
        assert dict(exchange.request.headers)["content-length"] == "****"
        assert dict(exchange.answer.headers)["content-length"] == "****"
        assert exchange.request.body == '{"accessKeyId":"****","secretKey":"****"}'
        lengths.add(exchange.request.body)
    assert len(lengths) == 1


def test_a_preview_has_a_placeholder_for_all_that_the_registry_calls_secret(served_record: RequestRecord) -> None:
    assert json.loads(served_record.body) == dict.fromkeys(OPERATIONS[SET_STORAGE_KEY].secret, "****")
    assert_nothing_of_it(repr(served_record) + as_curl(served_record))


@pytest.fixture
async def served_record(recorded: Recorded) -> RequestRecord:
    return recorded.engine.preview_change(SET_STORAGE_KEY, NUMBER, BODY)


@pytest.mark.parametrize("fault", ["clock-slow", "redirect-307", "redirect-308-same-host", "throttled", "drop-before"])
async def test_it_leaves_once_whatever_comes_back(served: RunningSandbox, recorded: Recorded, fault: str) -> None:
    """Also where the gateway has proved that a wrong clock was all that was wrong with it."""
    install(served.sandbox, f"{fault}@set-key:always")
    with pytest.raises(GatewayError):
        await recorded.engine.change(SET_STORAGE_KEY, NUMBER, BODY)
    assert len(served.sandbox.ledger.requests) == 1
    assert len(recorded.exchanges) == 1
