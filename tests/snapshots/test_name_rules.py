from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.snapshots.rules import InvalidName, check_name, name_problems, suggest_name
from tests.tables import each_row

# The published rule, written down a second time and differently.
LEGAL = re.compile(r"(?=.{3,30}\Z)[a-z](?:-?[a-z0-9])*")

GOOD = [
    "snapshot-20250324",
    "my-test-snapshot",
    "curator-20260101123456",
    "prod-logs-20260101-123456",
    "abc",
    "a-b",
    "a" * 30,
    "z99",
]
BAD = {
    "snapshot-2026.01.01": "only a-z",
    "snapshot_20260101": "no underscores",
    "Snapshot-1": "no capital letters (S)",
    "1snap": "must start with a lower-case letter",
    "snap--1": "no two hyphens in a row",
    "snap-": "must end with a letter or digit",
    "ab": "too short: 2 of at least 3",
    "a" * 31: "too long: 31 of at most 30",
    "스냅샷-1": "no Hangul",
    "snapshot\n": "an invisible character",
    "": "too short: 0",
    "-abc": "must start with",
    "a b c": "no spaces",
    "ㄴㅅㅅ": "no Hangul",
    "\u1109\u1173nap": "no Hangul",
    "ｓｎａｐ": "full-width characters; switch the input method",
    "snap－1": "full-width characters; switch the input method",
    "sn\u200bap": "an invisible character",
    "sn\ufeffap": "an invisible character",
    "sn\u202eap": "an invisible character",
    "sn\x1bap": "an invisible character",
    "snäp": "only a-z, 0-9 and - (ä)",
    "snap٣": "only a-z, 0-9 and -",
    "snap–1": "only a-z, 0-9 and -",
    "сnap": "only a-z, 0-9 and - (с)",
}


@each_row("name", GOOD)
def test_good_names(name: str) -> None:
    assert name_problems(name) == []
    assert check_name(name) == name
    assert suggest_name(name) == name


@each_row(("name", "reason"), BAD.items())
def test_bad_names_have_a_reason_and_a_way_out(name: str, reason: str) -> None:
    """The service says only "invalid", in Korean; a trailing line feed passes a regex that ends in `$`."""
    assert any(reason in problem for problem in name_problems(name)), name_problems(name)
    with pytest.raises(InvalidName) as caught:
        check_name(name)
    assert reason in caught.value.what
    assert suggest_name(name) in caught.value.next_step
    assert name_problems(suggest_name(name)) == []
    assert caught.value.sentences().isprintable()


def test_every_reason_is_given_at_once() -> None:
    """One reason per attempt makes a user try five times."""
    assert len(name_problems("1_Snap--샷-")) == 6


@each_row(
    ("name", "suggestion"),
    [
        ("Snapshot_2026.01.01", "snapshot-2026-01-01"),
        ("ｓｎａｐ－１", "snap-1"),
        ("스냅샷-1", "snapshot-1"),
        ("20260101", "snapshot-20260101"),
        ("", "snapshot"),
        ("ab", "ab-snapshot"),
        ("snapshot\n", "snapshot"),
        ("a" * 29 + "-bcd", "a" * 29),
    ],
)
def test_suggestions_stay_close(name: str, suggestion: str) -> None:
    assert suggest_name(name) == suggestion


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_has_a_legal_suggestion(name: str) -> None:
    assert LEGAL.fullmatch(suggest_name(name))


@given(st.text(st.sampled_from("ab9-_A \n가"), max_size=33) | st.text(st.characters(codec=None), max_size=33))
def test_the_reasons_agree_with_the_rule(name: str) -> None:
    """A reason too many blocks a good name, one too few lets a refused request out."""
    assert (not name_problems(name)) == bool(LEGAL.fullmatch(name))
    assert all(problem.isprintable() for problem in name_problems(name))


SYLLABLES = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=4)
KOREAN_KEYBOARD = {
    "no Hangul": st.one_of(
        SYLLABLES,
        SYLLABLES.map(lambda text: unicodedata.normalize("NFD", text)),
        st.text(st.characters(min_codepoint=0x3131, max_codepoint=0x3163), min_size=1, max_size=4),
        st.just("\uffa1\uffa2"),
    ),
    "full-width characters": st.text(
        st.characters(min_codepoint=0xFF01, max_codepoint=0xFF5E) | st.just("\u3000"), min_size=1
    ),
    "an invisible character": st.text(
        st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u3164\u115f\ufe0f"), min_size=1
    ),
}


@pytest.mark.parametrize("reason", KOREAN_KEYBOARD)
@given(data=st.data(), start=st.sampled_from(["", "snap-", "a1"]))
def test_what_a_korean_keyboard_types_is_called_by_its_name(reason: str, data: st.DataObject, start: str) -> None:
    """Full width looks like plain letters, and a zero width like nothing: a reason that names neither helps nobody."""
    name = start + data.draw(KOREAN_KEYBOARD[reason])
    wrong = [kind for kind in KOREAN_KEYBOARD if any(kind in problem for problem in name_problems(name))]
    assert wrong == [reason]
    assert LEGAL.fullmatch(suggest_name(name))
    assert suggest_name(name).startswith(start.rstrip("-"))


def test_an_invisible_character_is_shown_by_its_number() -> None:
    assert "an invisible character (U+200B U+3164)" in name_problems("sn\u200bap\u3164")
