"""What a hostile gateway makes of a key that it was sent: in pieces, in another case, backwards, encoded, hashed."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
from collections.abc import Callable
from urllib.parse import quote

from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.body_reader import BodyReader
from ncp_tui.system.secret_traces import Traces
from tests.system.test_redact import KEY, WAYS, each
from tests.tables import each_row

HEX = "0f3a9c7e55d1b2846ac0e93f17d48b60c2a5f7e1"
SHORT = "s3cr3t-9"


def pieces(length: int) -> Callable[[str], str]:
    return lambda text: json.dumps([text[start : start + length] for start in range(0, len(text), length)])


TURNS: dict[str, Callable[[str], str]] = {
    **WAYS,
    "other case": str.swapcase,
    "capitals": str.upper,
    "small letters": str.lower,
    "backwards": lambda text: text[::-1],
    "backwards in capitals": lambda text: text[::-1].upper(),
    "half": lambda text: text[: len(text) // 2],
    "the other half": lambda text: text[len(text) // 2 :],
    "two fields": lambda text: json.dumps({"a": text[:20], "b": text[20:]}),
    "two headers in JSON": lambda text: f"a={each('%{:02x}')(text[:20])}; b={text[20:].swapcase()}",
    "list of pieces": pieces(3),
    "list of letters": pieces(1),
    "blanks between": " ".join,
    "hyphens between": "-".join,
    "half of it in base64": lambda text: base64.b64encode(text[:20].encode()).decode(),
    "capitals in base64": lambda text: base64.b64encode(text.upper().encode()).decode(),
    "backwards in base64 for URLs": lambda text: base64.urlsafe_b64encode(text[::-1].encode()).decode(),
    "base64 in a URL": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "small letters in hexadecimal": lambda text: text.lower().encode().hex().upper(),
    "MD5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "SHA-256": lambda text: hashlib.sha256(text.encode()).hexdigest().upper(),
    "SHA-256 in base64": lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode(),
}


def runs(text: str, length: int) -> set[str]:
    return {text[start : start + length].lower() for start in range(len(text) - length + 1)}


@each_row("turn", TURNS.values(), ids=TURNS)
@each_row("secret", [KEY, HEX])
def test_no_turn_of_it_is_left(secret: str, turn: Callable[[str], str]) -> None:
    written = turn(secret)
    masked = Traces((secret,)).masked(f"before [{written}] after", "****")
    assert "****" in masked
    assert masked.startswith("before [")
    assert masked.endswith("] after")
    left = "".join(character for character in masked if character.isalnum()).lower()
    assert not runs("".join(character for character in written if character.isalnum()), 8) & runs(left, 8)


def test_what_is_masked_inside_json_stays_json() -> None:
    for name in ("plain", "two fields", "list of pieces", "list of letters", "every letter in JSON", "other case"):
        written = TURNS[name](KEY)
        text = f'{{"code":0,"echo":{written if written[0] in "[{" else json.dumps(written)},"result":true}}'
        masked = json.loads(Traces((KEY,)).masked(text, "****"))
        assert (masked["code"], masked["result"]) == (0, True), name


def test_a_short_one_is_found_whole_and_one_of_three_letters_only_as_a_string() -> None:
    assert Traces((SHORT,)).masked(f"no {SHORT.upper()}!", "****") == "no ****!"
    assert Traces(("abc",)).masked('abc "abc" "abcd"', "****") == 'abc "****" "abcd"'


def test_what_is_looked_for_is_not_shown() -> None:
    assert KEY not in repr(Traces((KEY,)).of(HEX))


def test_it_is_found_wherever_it_lies_in_a_large_text() -> None:
    for before in (0, 65_500, 65_530, 131_072):
        masked = Traces((KEY,)).masked(f"{'x ' * before}{KEY}{' y' * 70_000}", "****")
        assert "****" in masked
        assert not runs(KEY, 6) & set(masked.lower().split())


def test_a_number_is_no_trace_of_a_key_with_many_noughts() -> None:
    text = '{"bytesUsed": 850000000000, "x": "0000000A"}'
    assert Traces(("SANDBOX0000000000A7K",)).masked(text, "****") == text


def test_the_members_of_an_answer_are_no_traces_of_a_key_made_of_words() -> None:
    key = "my-secretKey-for-the-result-of-requestId-1"
    text = '{"code": 0, "message": "SUCCESS", "result": true, "requestId": "1", "secretKey": 1}'
    assert Traces((key,)).masked(text, "****") == text
    assert Traces((key,)).masked(f'{{"message": "{key.upper()}", "result": 1}}', "-") == '{"message": "-", "result": 1}'


def test_honest_text_is_left_alone() -> None:
    words = random.Random(7)  # noqa: S311 - text, the same in each run
    text = "".join(words.choices(string.ascii_letters + string.digits + ' ",:{}[]%\\&=', k=100_000))
    assert Traces(("Zq8Kd02LmXv77TbnRw5Yc1UoGh3JfEs9Ai4P6tQe",)).masked(text, "****") == text
    assert Traces((KEY,)).masked("", "****") == ""


@each_row("turn", TURNS.values(), ids=TURNS)
def test_no_record_of_an_answer_has_it(turn: Callable[[str], str]) -> None:
    """Nor the length of the body that had it, which would tell its own."""
    written = turn(KEY).replace("\x00", "")
    data = f'{{"message": "bad", "echo": [{json.dumps(written)}]}}'.encode()
    headers = [("x-echo", written), ("content-length", str(len(data)))]
    head = httpx.Response(400, headers=headers, extensions={"reason_phrase": written.encode()})
    answer = BodyReader(head, bytearray(data), is_whole=True).answer([], Traces((KEY,)))
    shown = f"{answer.reason} {answer.headers} {answer.body.decode()}"
    assert written not in shown
    assert dict(answer.headers)["content-length"] == "****"
    honest = BodyReader(head, bytearray(b"{}"), is_whole=True).answer([], Traces((KEY,)))
    assert dict(honest.headers)["content-length"] == str(len(data))


def test_nothing_is_kept_of_what_cannot_be_decoded() -> None:
    head = httpx.Response(200, headers=[("content-encoding", "br"), ("content-length", "9")])
    answer = BodyReader(head, bytearray(b"compressed"), is_encoded=True).answer([], Traces((KEY,)))
    assert (answer.body, dict(answer.headers)["content-length"]) == (b"", "****")
