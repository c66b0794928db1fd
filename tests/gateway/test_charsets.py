"""Text of others in the charset it declares: a Korean sentence is a sentence; no number breaks a JSON document."""

from __future__ import annotations

import json

import pytest

from ncp_tui.gateway.errors import GatewayError
from tests.gateway.wire import CANARY, CREATE, LIST, Client, RawServer, answering, http
from tests.tables import each_row

SENTENCE = "점검 중이니 나중에 하세요. 뷁"
PLAIN = json.dumps({"code": 400, "message": SENTENCE, "result": None}, ensure_ascii=False)


@each_row(
    ("declared", "written"),
    [
        ("EUC-KR", "cp949"),
        ("euc-kr", "cp949"),
        ('"EUC-KR"', "cp949"),
        ("ks_c_5601-1987", "cp949"),
        ("CP949", "cp949"),
        ("utf-16", "utf-16"),
        ("utf-16le", "utf-16-le"),
        ("utf-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        # Servers that declare by habit what they do not write.
        ("ISO-8859-1", "utf-8"),
        ("EUC-KR", "utf-8"),
        ("no-such-charset", "utf-8"),
        ("rot13", "utf-8"),
    ],
)
async def test_a_refusal_is_read_as_it_is_written(declared: str, written: str) -> None:
    data = http(400, PLAIN.encode(written), f"content-type: application/json;charset={declared}")
    async with RawServer(answering(data)) as server, Client(server.url) as client:
        with pytest.raises(GatewayError) as caught:
            await client.gateway.send(CREATE)
    assert caught.value.message == SENTENCE
    assert client.exchange.answer is not None
    assert SENTENCE in client.exchange.answer.text


@each_row("charset", ["utf-16", "utf-16le", "iso-2022-kr", "euc-kr"])
async def test_a_key_is_hidden_in_every_charset(charset: str) -> None:
    """A validator that quotes what it was sent does so in its own charset."""
    body = f"<html>{SENTENCE[:2]} {CANARY}".encode(charset)
    data = http(500, body, f"content-type: text/html;charset={charset}")
    async with RawServer(answering(data)) as server, Client(server.url) as client:
        with pytest.raises(GatewayError):
            await client.gateway.send(CREATE)
    answer = client.exchange.answer
    assert answer is not None
    assert "****" in answer.text
    assert CANARY not in answer.text
    assert CANARY.encode() not in answer.body.replace(b"\0", b"")


@each_row("number", ["Infinity", "-Infinity", "NaN", "1e999", "-1e999"])
async def test_what_is_no_number_stays_text(number: str) -> None:
    """Handed on as a float it would come out of `--json` as a word that no other program reads."""
    data = http(200, f'{{"code":0,"result":{{"odd":{number},"good":1.5e3}}}}'.encode())
    async with RawServer(answering(data)) as server, Client(server.url) as client:
        payload = await client.gateway.send(LIST)
    assert payload["result"] == {"odd": number, "good": 1500.0}
    assert json.loads(json.dumps(payload, allow_nan=False)) == payload
