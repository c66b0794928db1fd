"""Answers made to cost more than they weigh: what is decoded of one is bounded before the decoder runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.system import inert_json
from ncp_tui.system.inert_json import MOST_DEPTH, MOST_VALUES, CutList, TooManyValues, decode
from tests.tables import each_row

LARGEST = 1 << 20
ROW = b'{"idx":1,"snapshotName":"nightly, and {more}","message":"a \\" b","bucketName":"bk","hasErrorLog":false}'


def answer(rows: bytes) -> bytes:
    return b'{"code":0,"message":"SUCCESS","result":{"totalCount":9,"rows":[' + rows + b']},"requestId":"r"}'


def repeated(row: bytes, size: int = LARGEST) -> bytes:
    return b",".join([row] * ((size - 200) // (len(row) + 1)))


LONG_LISTS = {
    "empty objects": repeated(b"{}"),
    "buckets of a name": b",".join(b'{"name":"b%d"}' % number for number in range(80_000)),
    "real rows": repeated(ROW),
    "numbers": repeated(b"0"),
    "empty lists": repeated(b"[]"),
    "empty texts": repeated(b'""'),
}
MONSTERS = {
    "80,000 members": b"{" + b",".join(b'"%d":1' % number for number in range(80_000)) + b"}",
    "members that look like rows": b'{"result":{' + b",".join(b'"{[%d":1' % number for number in range(80_000)) + b"}}",
    "nesting": b"[" * (LARGEST // 2) + b"]" * (LARGEST // 2),
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "half a million in an unknown field": b'{"code":0,"x":[' + repeated(b"1") + b"]}",
    "a text without an end": b'{"code":0,"x":[' + repeated(b"{}") + b'],"y":"' + b'\\"' * 1_000,
    "a number of a million digits": b'{"code":0,"n":' + b"9" * LARGEST + b"}",
    "a fraction of a million digits": b'{"code":0,"n":0.' + b"9" * LARGEST + b"}",
}
HARMLESS = {
    "one text": b'{"a":"' + b"a" * (LARGEST - 20) + b'"}',
    "commas in a text": b'{"a":"' + b",{[" * (LARGEST // 3 - 20) + b'"}',
    "escapes": b'{"a":"' + b"\\n," * (LARGEST // 3 - 20) + b'"}',
}


@pytest.fixture
def decoded_values(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many values the decoder was given, by the commas and brackets in each text it got."""
    given_to_it = list[int]()
    original = json.loads

    def loads(text: str, **options: Any) -> Any:
        given_to_it.append(text.count("{") + text.count("[") + text.count(","))
        return original(text, **options)

    monkeypatch.setattr("ncp_tui.system.inert_json.json.loads", loads)
    return given_to_it


@pytest.mark.parametrize("rows", LONG_LISTS.values(), ids=LONG_LISTS)
def test_of_a_long_list_the_beginning_is_decoded(rows: bytes, decoded_values: list[int]) -> None:
    found = decode(answer(rows))
    cut = found.value["result"]["rows"]
    assert found.is_cut
    assert isinstance(cut, CutList)
    assert len(cut) > 1_000
    assert cut[0] == cut[-1] == json.JSONDecoder().raw_decode(rows.decode())[0] or rows.startswith(b'{"name"')
    assert (found.value["code"], found.value["result"]["totalCount"]) == (0, 9)
    most_in_texts = 2 * len(cut) * (rows is LONG_LISTS["real rows"])
    assert max(decoded_values) <= MOST_VALUES + most_in_texts + 10, "the decoder cannot be interrupted"


@pytest.mark.parametrize("body", MONSTERS.values(), ids=MONSTERS)
def test_what_cannot_be_cut_is_refused(body: bytes, decoded_values: list[int]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        decode(body)
    assert sum(decoded_values) <= MOST_VALUES


@each_row("body", HARMLESS.values(), ids=HARMLESS)
def test_a_large_text_is_no_structure(body: bytes) -> None:
    found = decode(body)
    assert not found.is_cut
    assert len(found.value["a"]) <= 4_000


def test_more_values_than_can_be_decoded_are_told_apart_from_no_json() -> None:
    with pytest.raises(TooManyValues):
        decode(MONSTERS["80,000 members"])


def test_a_name_that_comes_twice_is_not_taken_for_the_list_that_was_cut() -> None:
    rows = repeated(b"{}", 400_000)
    with pytest.raises(TooManyValues):
        decode(b'{"code":0,"result":{"rows":1,"x":2,"rows":[' + rows + b"]}}")


@each_row(("depth", "is_read"), [(MOST_DEPTH, True), (MOST_DEPTH + 2, False), (900, False)])
def test_depth_is_bounded(depth: int, is_read: bool) -> None:
    """Laid out with indents, 50,000 values that are 900 deep would be 90 MB."""
    body = b"[" * depth + b"]" * depth
    if is_read:
        assert not decode(body).is_cut
        return
    with pytest.raises(ValueError, match="deep"):
        decode(body)


def test_bytes_that_are_no_text_are_replaced_across_the_steps() -> None:
    step = inert_json._STEP
    assert inert_json.text_of(b"\xef\xbb\xbf" + b"a" * (step - 4) + "가".encode() + b"\xff") == "a" * (step - 4) + "가�"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text('a,{}[]"\\', max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text('a,{}[]"\\', max_size=3), inner, max_size=4)
        ),
        max_leaves=40,
    )
)
def test_what_is_cut_is_the_beginning_of_what_came(value: Any) -> None:
    """Wherever it is cut, what is left was there."""
    body = json.dumps({"code": 0, "result": {"n": 1, "rows": [value, {"a": value}, value, 5]}}).encode()
    with pytest.MonkeyPatch.context() as patch:
        for most in _limits(body):
            patch.setattr(inert_json, "MOST_VALUES", most)
            try:
                found = decode(body)
            except TooManyValues:
                continue
            rows = found.value["result"]["rows"]
            whole = json.loads(body)["result"]["rows"]
            assert rows == whole[: len(rows)]
            assert found.is_cut == (len(rows) < len(whole))


def _limits(body: bytes) -> Iterator[int]:
    return iter(range(0, body.count(b",") + body.count(b"{") + body.count(b"[") + 1, 3))
