from __future__ import annotations

import itertools
import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.exchange import Answer
from ncp_tui.text import LONGEST, clean, clean_json, clean_lines, json_text, plural
from tests.tables import each_row

ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(codec=None), max_size=200)

PAYLOADS = {
    "colour": "\x1b[31mred",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "clipboard, ST": "\x1b]52;c;ZXZpbA==\x1b\\",
    "device control": "\x1bP+q544e\x1b\\",
    "reset": "\x1bc",
    "C1 CSI": "\x9b31m",
    "C1 OSC": "\x9d52;c;ZXZpbA==\x9c",
    "NUL": "a\x00b",
    "DEL": "a\x7fb",
    "bell": "\x07",
    "back space": "abc\x08\x08\x08",
    "shift out": "\x0e\x0f",
    "right-to-left": "\u202egnp.exe",
    "isolate": "\u2066x\u2069",
    "Arabic letter mark": "\u061cx",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "lines": "a\r\nb\u2028c\u2029d\x85e",
    "half of a pair": "a\ud800b\udfffc",
    "tags": "\U000e0041\U000e007f",
    "private": "\ue000",
    "Hangul filler": "prod\u3164",
    "Hangul filler, half as wide": "prod\uffa0",
    "Hangul fillers of jamo": "\u115f\u1160",
    "a vowel without a consonant": "a\u1161\u11a8",
    "grapheme joiner": "pro\u034fd",
    "braille blank": "prod\u2800",
    "variation selectors": "a\ufe00b\ufe0fc\U000e0100d\U000e01ef",
    "soft hyphen": "pro\u00add",
    "spaces": "a\u00a0b\u1680c\u2003d\u202fe\u205ff\u3000g",
    "Mongolian": "a\u180bb\u180ec\u180fd",
    "Khmer vowels": "a\u17b4b\u17b5",
    "a stack of marks": "pro\u0301\u0302\u0303\u0304d",
    "the same mark twice": "pro\u0301\u0301d",
    "a mark on nothing": "\u0301a \u0302",
    "a mark on what is not seen": "a\u200b\u0301",
    "a musical nothing": "\U0001d159x",
    "a replaced object": "a\ufffcb",
}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


def acting(text: str) -> list[str]:
    return [character for character in text if unicodedata.category(character) in ACTING]


@each_row("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_what_acts_on_a_terminal_is_made_visible(payload: str) -> None:
    """Each of these reaches the terminal raw from every widget: it writes the clipboard or reverses what is read."""
    cleaned = clean(payload)
    assert not acting(cleaned)
    assert cleaned.encode()  # UTF-8, for the log and for stdout
    assert clean(cleaned) == cleaned
    hidden = [f"<U+{ord(character):04X}>" for character in payload if f"<U+{ord(character):04X}>" in cleaned]
    assert hidden or any(picture in cleaned for picture in "␛␀␡␇␈␎␏␍␊")


def test_two_names_that_differ_never_look_the_same() -> None:
    """A cluster is chosen by what is seen of it, and what is done to it cannot be undone."""
    hidden = [*"\u3164\u115f\u1160\uffa0\u034f\u2800\ufe0e\ufe0f\u200b\u200c\u200d\u2060\ufeff\u00ad\u00a0\u061c\u180e"]
    hidden += [
        "\U000e0100",
        "\U000e01ef",
        "\U000e0041",
        "\U000e007f",
        "\u202e",
        "\u2066",
        "\x1b",
        "\x7f",
        "\x9b",
        "\ud800",
    ]
    names = ["prod", *(f"prod{character}" for character in hidden), *(f"pr{character}od" for character in hidden)]
    names += [f"pro{chr(0x0301) * count}d" for count in range(2, 7)]
    shown = [clean(name) for name in names]
    assert len(set(shown)) == len(names)
    assert all(letter.isprintable() and letter not in "".join(hidden) for name in shown for letter in name)


KEPT = (
    "검색",
    unicodedata.normalize("NFD", "검색 서비스"),
    "ẹ́ e\u0323\u0302",
    "กี่",
    "שָׁלוֹם"[:3],
    "日本語 العربية",
    "😀 🚀 ✓",
)


@each_row("text", KEPT)
def test_what_is_seen_is_left_alone(text: str) -> None:
    assert clean(text) == text
    assert json.loads(json_text(text)) == text
    assert json_text(text) == f'"{text}"'


@given(JSON_VALUES)
def test_a_document_is_the_same_and_acts_on_nothing(value: object) -> None:
    for indent, ascii_only in itertools.product((None, 2), (False, True)):
        text = json_text(value, indent=indent, ascii_only=ascii_only)
        assert not [letter for letter in acting(text) if letter != "\n"]
        assert text.isascii() or not ascii_only
        assert json.dumps(json.loads(text)) == json.dumps(value)


def test_how_they_are_shown() -> None:
    assert clean("a\x1b[31m\x00\x7f\x9b\u202e") == "a␛[31m␀␡<U+009B><U+202E>"
    assert clean("검색 [red]x[/red] é 한글") == "검색 [red]x[/red] é 한글"
    assert clean("⚠\ufe0f") == "⚠<U+FE0F>", "terminals do not agree on how wide it is"


@given(ANY_TEXT)
def test_nothing_that_acts_is_ever_left(text: str) -> None:
    cleaned = clean(text)
    assert not acting(cleaned)
    assert not any(unicodedata.bidirectional(character) in {"RLO", "LRO", "RLE", "LRE", "PDF"} for character in cleaned)
    assert clean(cleaned) == cleaned
    cleaned.encode()


@given(ANY_TEXT, st.integers(1, 50))
def test_it_is_cut(text: str, longest: int) -> None:
    """One name of a megabyte would freeze the table it stands in."""
    cleaned = clean(text, longest)
    assert len(cleaned) <= longest
    assert clean(cleaned, longest) == cleaned
    assert len(text) <= longest or cleaned.endswith("…") or longest < 1


def test_the_cap() -> None:
    assert len(clean("x" * 1_000_000)) == LONGEST


@given(ANY_TEXT)
def test_lines_keep_their_feeds_and_nothing_else(text: str) -> None:
    lines = clean_lines(text)
    assert not [character for character in acting(lines) if character != "\n"]
    assert clean_lines(lines) == lines


def test_lines() -> None:
    assert clean_lines("{\r\n\t1\rx\n}") == "{\n    1␍x\n}"


def strings_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [each for item in value for each in strings_in(item)]
    if isinstance(value, dict):
        return [each for name, item in value.items() for each in (name, *strings_in(item))]
    return []


@given(JSON_VALUES)
def test_every_string_of_a_document_is_clean_names_included(value: object) -> None:
    body = json.dumps(value).encode()
    found = strings_in(Answer(200, "OK", (), body).json())
    assert not [text for text in found if acting(text)]
    for text in found:
        text.encode()


@given(st.binary(max_size=300))
def test_any_bytes_have_a_text(body: bytes) -> None:
    answer = Answer(200, "OK", (), body)
    answer.text.encode()
    assert not [character for character in acting(answer.text) if character != "\n"]


def test_numbers_and_booleans_stay() -> None:
    assert clean_json({"a": [1, 2.5, True, None, "x\x00"]}) == {"a": [1, 2.5, True, None, "x␀"]}


@each_row(
    "count, one, many, said",
    [
        (0, "cluster", "", "0 clusters"),
        (1, "cluster", "", "1 cluster"),
        (2, "cluster", "", "2 clusters"),
        (1, "entry", "entries", "1 entry"),
        (2_907_564, "entry", "entries", "2,907,564 entries"),
    ],
)
def test_a_count_agrees_with_what_is_counted(count: int, one: str, many: str, said: str) -> None:
    assert plural(count, one, many) == said
