"""Which values a profile may hold."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ncp_tui.profiles.profile import InvalidProfile, Profile, check_field, check_profile, check_profile_name
from tests.tables import each_row

KEY = "AKIDEXAMPLE123456789"


@each_row("name", ["a", "prod", "Prod-1", "0", "a.b_c-d", "x" * 64, "console", "com10", "environment2"])
def test_good_names(name: str) -> None:
    assert check_profile_name(name) == name


@each_row(
    "name",
    [
        "",
        "x" * 65,
        "-a",
        "a-",
        ".a",
        "a.",
        "_a",
        "a b",
        " a",
        "a\n",
        "a/b",
        "../../etc/x",
        "a\x00b",
        ".",
        "é",
        "e\u0301",
        "\u202egnp",
        "비밀",
        "[red]",
        "%s",
        "a:b",
        "configure:DEFAULT",
        "environment",
        "server-role",
        "Server-Role",
        "ENVIRONMENT",
        "con",
        "CON",
        "nul.txt",
        "Com1",
        "lpt9",
        "aux",
    ],
)
def test_bad_names_say_why(name: str) -> None:
    """Names become command-line words, file names and keyring names; these would break one of them."""
    with pytest.raises(InvalidProfile) as caught:
        check_profile_name(name)
    assert caught.value.field == "name"
    assert caught.value.what
    assert caught.value.meaning == "Nothing was saved."
    assert caught.value.what.isprintable()


@each_row(
    ("field", "value", "good"),
    [
        ("access_key", f" {KEY}\n", KEY),
        ("site", " GOV ", "gov"),
        ("region", "krs", "KRS"),
        ("gateway_url", "https://ncloud.apigw.ntruss.com/", "https://ncloud.apigw.ntruss.com"),
        ("gateway_url", "", None),
        ("gateway_url", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("ca_bundle", "/etc/ssl/ca.pem", "/etc/ssl/ca.pem"),
        ("default_bucket", " backup ", "backup"),
        ("default_bucket", "  ", None),
        ("accent", "Red", "red"),
        ("accent", "", None),
        ("read_only", True, True),
        ("store", "session", "session"),
    ],
)
def test_good_fields(field: str, value: object, good: object) -> None:
    assert check_field(field, value) == good


@each_row(
    ("field", "value"),
    [
        ("access_key", ""),
        ("access_key", "a b"),
        ("access_key", "키"),
        ("access_key", 5),
        ("site", "moon"),
        ("site", 1),
        ("region", 1),
        ("store", "plaintext"),
        ("gateway_url", "http://example.com"),
        ("gateway_url", "ftp://example.com"),
        ("gateway_url", "https://u:p@example.com"),
        ("gateway_url", "https://exa\nmple.com"),
        ("gateway_url", "http://["),
        ("gateway_url", 7),
        ("ca_bundle", "ca.pem"),
        ("ca_bundle", "~nobody-of-that-name/ca.pem"),
        ("ca_bundle", "/a\x00b"),
        ("default_bucket", "a\x1b[31m"),
        ("default_bucket", "x" * 1025),
        ("default_bucket", "\ud800"),
        ("name_template", "two\nlines"),
        ("max_age", "26"),
        ("max_age", "0h"),
        ("max_age", "a day"),
        ("max_age", 26),
        ("warn_age", "26"),
        ("check_exempt", "test-*"),
        ("check_exempt", [26]),
        ("name_template", []),
        ("accent", "pink"),
        ("accent", 3),
        ("read_only", "yes"),
        ("protected", 1),
        ("name", 1),
    ],
)
def test_bad_fields_name_themselves(field: str, value: object) -> None:
    """A form marks the field that is wrong, so the error has to know which."""
    with pytest.raises(InvalidProfile) as caught:
        check_field(field, value)
    assert caught.value.field == field
    assert caught.value.sentences().isprintable()


@each_row(
    ("values", "field"),
    [
        ({"site": "public", "region": "FKR"}, "region"),
        ({"site": "fin", "region": "KR"}, "region"),
        ({"region": "USWN"}, "region"),
        ({"gateway_url": "https://ncloud.apigw.gov-ntruss.com"}, "gateway_url"),
        ({"site": "moon"}, "site"),
    ],
)
def test_fields_that_do_not_fit_together(values: dict[str, Any], field: str) -> None:
    """A key of one site sent to the gateway of another is refused there in words that do not say so."""
    with pytest.raises(InvalidProfile) as caught:
        check_profile(Profile(name="a", access_key=KEY, **values))
    assert caught.value.field == field


@each_row(("site", "region"), [("public", "KR"), ("gov", "KR"), ("fin", "FKR")])
def test_an_empty_region_is_the_first_of_the_site(site: str, region: str) -> None:
    assert check_profile(Profile(name="a", access_key=KEY, site=site, region="")).region == region


def test_the_endpoint_is_that_of_site_region_and_url() -> None:
    profile = check_profile(Profile(name="a", access_key=KEY, site="gov", region="KRS"))
    assert profile.endpoint().base_url == "https://vpcsearchengine.apigw.gov-ntruss.com/api/krs-v2"
    local = dataclasses.replace(profile, gateway_url="http://127.0.0.1:9")
    assert local.endpoint().origin == "http://127.0.0.1:9"


def test_the_repr_shows_neither_access_key_nor_unknown_keys() -> None:
    """Crash reports print reprs, and a hand-written file may hold a secret under a key of its own."""
    profile = Profile(name="a", access_key=KEY, extra={"secret_key": "CANARYs3cr3t"})
    assert KEY not in repr(profile)
    assert "CANARY" not in repr(profile)
    assert profile.masked_access_key == "AKID…6789"
