from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.credentials import (
    Credentials,
    InvalidCredentials,
    SecretKey,
    check_access_key,
    mask_access_key,
)
from tests.gateway.wire import CANARY
from tests.tables import each_row


def ways_to_print(key: SecretKey) -> list[str]:
    return [
        repr(key),
        str(key),
        f"{key}",
        f"{key!s} {key!r} {key:>60}",
        "{}".format(key),  # noqa: UP032
        "%s %r" % (key, key),  # noqa: UP031
        format(key, "<80"),
        repr([key, {"key": key}, (key,)]),
        repr(Credentials("AK", key)),
        repr(key.__hash__()),
        ascii(key),
    ]


@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="\"'`“”„‘’«»:="), min_size=6))
def test_a_secret_key_is_never_printed(value: str) -> None:
    """Crash reports print locals, worker descriptions print arguments, logs print whatever they are given."""
    for printed in ways_to_print(SecretKey(f"s3cr3t{value}")):
        assert f"s3cr3t{value}" not in printed
    assert SecretKey(value).reveal() == value


def test_a_traceback_with_locals_shows_no_secret() -> None:
    def failing(credentials: Credentials) -> None:
        kept = (credentials.secret_key,)
        raise RuntimeError(str(kept))

    with pytest.raises(RuntimeError) as caught:
        failing(Credentials("AK", SecretKey(CANARY)))
    report = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "kept = " in report
    assert CANARY not in report


def test_it_cannot_be_pickled_copied_or_dumped() -> None:
    """A pickle or a JSON document would carry it out of memory."""
    key = SecretKey(CANARY)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError) as caught:
            attempt(key)
        assert CANARY not in str(caught.value)
    with pytest.raises(TypeError):
        dataclasses.asdict(Credentials("AK", key))
    assert not hasattr(key, "__dict__")


def test_equal_keys_are_equal_and_hash_alike() -> None:
    assert SecretKey("same") == SecretKey(" same ")
    assert hash(SecretKey("same")) == hash(SecretKey("same"))
    assert SecretKey("same") != SecretKey("other")
    assert SecretKey("same") != "same"
    assert len({Credentials("AK", SecretKey("same")), Credentials("AK", SecretKey("same"))}) == 1


@each_row(
    "value",
    [
        "",
        "   \t\n",
        "a\nb",
        "a\x00b",
        "a\x7fb",
        "a\x1bb",
        "a\x9bb",
        "a\u200bb",
        "a\ufeffb",
        "a\u202eb",
        "a\ud800b",
        "a\u2028b",
    ],
)
def test_a_secret_key_no_request_could_be_signed_with(value: str) -> None:
    """An environment variable that is not UTF-8 gives half surrogates: they must not surface while signing."""
    with pytest.raises(InvalidCredentials) as caught:
        SecretKey(value)
    assert not value.strip() or value.strip() not in caught.value.sentences()


def test_white_space_around_is_a_pasting_accident() -> None:
    assert SecretKey(f"\t{CANARY}\r\n").reveal() == CANARY
    assert Credentials("  AKID \n", SecretKey("x")).access_key == "AKID"
    assert check_access_key(" AKID ") == "AKID"


@each_row("value", ["", "  ", "A K", "A\nK", "A\x00K", "키", "A\u200bK", "A\x7fK", "A\tK", "A\ud800"])
def test_an_access_key_that_cannot_stand_in_a_header(value: str) -> None:
    """A line feed in it would move the lines of the string to sign."""
    with pytest.raises(InvalidCredentials):
        Credentials(value, SecretKey("x"))


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60))
def test_a_masked_access_key_is_not_the_whole(value: str) -> None:
    masked = mask_access_key(value)
    assert value not in masked or value in {"*", "**", "***", "****"}
    assert len(masked.replace("…", "")) <= 8


def test_mask() -> None:
    assert mask_access_key("AKID1234567890ABCD9Z") == "AKID…CD9Z"
    assert mask_access_key("AKID12345") == "****"
    assert Credentials("AKID1234567890ABCD9Z", SecretKey("x")).masked == "AKID…CD9Z"


KEY = "abcdEFGH0123/+x=="
PASTED = {
    f'"{KEY}"': "in quotes",
    f"'{KEY}'": "in quotes",
    f'"{KEY}': "in quotes",
    f"{KEY}'": "in quotes",
    f"`{KEY}`": "in quotes",
    f"“{KEY}”": "in quotes",
    f"{KEY} # until June": "a comment after it",
    f"{KEY}\t#prod": "a comment after it",
    f"NCLOUD_SECRET_KEY={KEY}": "a name before it",
    f"export NCLOUD_SECRET_KEY={KEY}": "a name before it",
    f"secretKey = {KEY}": "a name before it",
    f"secret_key: {KEY}": "a name before it",
    f'NCLOUD_SECRET_KEY="{KEY}"': "a name before it",
    f"{KEY[:6]} {KEY[6:]}": "a blank or a line break",
    f"{KEY[:6]}\n{KEY[6:]}": "a blank or a line break",
    f"{KEY[:6]}\r\n{KEY[6:]}": "a blank or a line break",
    f"{KEY[:6]}\u3000{KEY[6:]}": "a blank or a line break",
}


@each_row("value", PASTED)
@each_row("check", [SecretKey, check_access_key])
def test_an_accident_of_pasting_is_named(value: str, check: Callable[[str], object]) -> None:
    """The gateway would say that key or clock is wrong, and nobody looks at the quotes of an --env-file."""
    with pytest.raises(InvalidCredentials) as caught:
        check(value)
    assert PASTED[value] in caught.value.what
    assert KEY not in caught.value.sentences()
    assert caught.value.next_step


@each_row("value", [f"{KEY}\r", f"{KEY}\r\n", f"\ufeff{KEY}\n", f"  {KEY}\t", f"\ufeff {KEY}"])
def test_what_nobody_sees_around_a_key_is_taken_away(value: str) -> None:
    """A file of Windows, a byte order mark: there is nothing to be asked."""
    assert SecretKey(value).reveal() == KEY
    assert check_access_key(value) == KEY


@each_row("value", ["SK=1==", "a#b;c", "a:b", "S%K%(x)s%%", "${x}$", "x=y"])
def test_a_sign_inside_is_no_accident(value: str) -> None:
    assert SecretKey(value).reveal() == value
