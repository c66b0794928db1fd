"""A made-up region gives a URL that looks right and is answered with 404."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.endpoints import (
    SITES,
    UnknownEndpoint,
    check_gateway_url,
    endpoint_for,
    may_reach_same_clusters,
    reach_same_clusters,
    site_of_gateway_url,
)
from tests.tables import each_row

PAIRS = [
    ("public", "KR", "https://vpcsearchengine.apigw.ntruss.com/api/v2"),
    ("public", "SGN", "https://vpcsearchengine.apigw.ntruss.com/api/sgn-v2"),
    ("public", "JPN", "https://vpcsearchengine.apigw.ntruss.com/api/jpn-v2"),
    ("gov", "KR", "https://vpcsearchengine.apigw.gov-ntruss.com/api/v2"),
    ("gov", "KRS", "https://vpcsearchengine.apigw.gov-ntruss.com/api/krs-v2"),
    ("fin", "FKR", "https://fin-vpcsearchengine.apigw.fin-ntruss.com/api/v2"),
]


@each_row(("site", "region", "base_url"), PAIRS)
def test_every_site_and_region(site: str, region: str, base_url: str) -> None:
    assert endpoint_for(site, region).base_url == base_url
    assert endpoint_for(site.upper(), region.lower()) == endpoint_for(site, region)


def test_the_table_is_complete() -> None:
    assert {(site.name, region) for site in SITES.values() for region in site.regions} == {pair[:2] for pair in PAIRS}


@each_row(("site", "region"), [("public", "KR"), ("gov", "KR"), ("fin", "FKR")])
def test_the_first_region_is_the_default(site: str, region: str) -> None:
    assert endpoint_for(site).region == region


@each_row(
    ("site", "region"),
    [("public", "USWN"), ("public", "DEN"), ("public", "KRS"), ("gov", "SGN"), ("fin", "KR"), ("moon", "KR"), ("", "")],
)
def test_an_unknown_site_or_region_is_refused(site: str, region: str) -> None:
    """A made-up region gives a URL that looks right and is answered with 404."""
    with pytest.raises(UnknownEndpoint):
        endpoint_for(site, region)


@each_row(
    ("general", "region", "base_url"),
    [
        ("https://ncloud.apigw.ntruss.com", "SGN", PAIRS[1][2]),
        ("https://ncloud.apigw.ntruss.com/", "KR", PAIRS[0][2]),
        ("https://ncloud.apigw.ntruss.com:443", "KR", PAIRS[0][2]),
        ("https://NCLOUD.apigw.ntruss.com", "KR", PAIRS[0][2]),
        ("https://ncloud.apigw.gov-ntruss.com", "KR", PAIRS[3][2]),
        ("https://fin-ncloud.apigw.fin-ntruss.com", "KR", "https://fin-vpcsearchengine.apigw.fin-ntruss.com/api/v2"),
    ],
)
def test_the_general_gateway_is_mapped_to_the_service(general: str, region: str, base_url: str) -> None:
    """It is what every other NCP tool calls NCLOUD_API_GW."""
    assert endpoint_for("public", region, general).base_url == base_url


@each_row(
    ("url", "base_url"),
    [
        ("https://gw.example.com", "https://gw.example.com/api/sgn-v2"),
        ("https://gw.example.com:8443/", "https://gw.example.com:8443/api/sgn-v2"),
        ("https://gw.example.com/api/v2", "https://gw.example.com/api/v2"),
        ("https://gw.example.com/api/krs-v2/", "https://gw.example.com/api/krs-v2"),
        ("https://gw.example.com/ses", "https://gw.example.com/ses/api/sgn-v2"),
        ("https://gw.example.com/ses/api/v3", "https://gw.example.com/ses/api/v3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/sgn-v2"),
        ("http://localhost:8080", "http://localhost:8080/api/sgn-v2"),
        ("http://[::1]:8080", "http://[::1]:8080/api/sgn-v2"),
        ("  https://gw.example.com  ", "https://gw.example.com/api/sgn-v2"),
        ("HTTPS://gw.example.com", "https://gw.example.com/api/sgn-v2"),
    ],
)
def test_a_gateway_of_ones_own_is_used_as_it_is(url: str, base_url: str) -> None:
    assert endpoint_for("public", "SGN", url).base_url == base_url


REFUSED = [
    "http://vpcsearchengine.apigw.ntruss.com",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://0.0.0.0:1",
    "http://169.254.169.254",
    "ftp://gw.example.com",
    "file:///etc/passwd",
    "gw.example.com",
    "//gw.example.com",
    "https://",
    "https:///api/v2",
    "https://[",
    "https://gw.example.com:99999",
    "https://gw.example.com:",
    "https://gw.example.com:x",
    "https://user@gw.example.com",
    "https://user:word@gw.example.com",
    "https://@gw.example.com",
    "https://gw.example.com\\@evil.example",
    "https://gw.example.com?x=1",
    "https://gw.example.com/#x",
    "https://gw example.com",
    "https://gw.exa\nmple.com",
    "https://gw.exa\x00mple.com",
    "https://gw.\x1b[31mexample.com",
    "https://검색.example.com",
    "https://-.example.com/ /x",
    "javascript:alert(1)",
]


@each_row("url", REFUSED)
def test_what_is_no_safe_gateway_url_is_refused(url: str) -> None:
    """The signature goes wherever this URL points."""
    with pytest.raises(UnknownEndpoint):
        endpoint_for("public", "KR", url)
    with pytest.raises(UnknownEndpoint):
        check_gateway_url(url)


@each_row("url", ["https://user:PASSWORD@h", "ftp://user:PASSWORD@h", "https://user:PASSWORD@[", "http://u:PASSWORD@h"])
def test_a_password_in_a_refused_url_is_not_repeated(url: str) -> None:
    with pytest.raises(UnknownEndpoint) as caught:
        check_gateway_url(url)
    assert "PASSWORD" not in caught.value.sentences()


@given(st.text(max_size=60) | st.text(max_size=30).map("https://{}".format))
def test_any_text_is_a_url_or_a_problem(url: str) -> None:
    """NCLOUD_API_GW and another tool's config file may hold anything."""
    site_of_gateway_url(url)
    try:
        endpoint = endpoint_for("public", "KR", url or "x")
    except UnknownEndpoint as error:
        assert error.what  # noqa: PT017 - either outcome is right
    else:
        assert endpoint.origin.startswith("https://") or endpoint.is_loopback


@each_row(
    ("url", "site"),
    [
        ("https://ncloud.apigw.ntruss.com", "public"),
        ("https://ncloud.apigw.gov-ntruss.com", "gov"),
        ("https://fin-ncloud.apigw.fin-ntruss.com", "fin"),
        ("https://NCLOUD.apigw.ntruss.com:443/", "public"),
        ("https://vpcsearchengine.apigw.gov-ntruss.com", "gov"),
        ("https://fin-vpcsearchengine.apigw.fin-ntruss.com/api/v2", "fin"),
        ("https://abcdefgh.apigw.ntruss.com", None),
        ("https://vpcsearchengine.apigw.fin-ntruss.com", None),
        ("https://vpcsearchengine.apigw.ntruss.com.evil.example", None),
        ("https://apigw.ntruss.com.evil.example", None),
        ("https://evil-apigw.ntruss.com", None),
        ("http://127.0.0.1", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_the_site_of_a_gateway_url(url: str, site: str | None) -> None:
    assert site_of_gateway_url(url) == site


def test_loopback() -> None:
    assert endpoint_for("public", "KR", "http://127.8.9.1:5").is_loopback
    assert endpoint_for("public", "KR", "https://LOCALHOST").is_loopback
    assert not endpoint_for("public", "KR").is_loopback


@each_row(
    ("url", "foreign"),
    [
        (None, False),
        ("https://ncloud.apigw.ntruss.com", False),
        ("https://fin-vpcsearchengine.apigw.fin-ntruss.com", False),
        ("http://127.0.0.1:8080", False),
        ("https://[::1]:8443", False),
        ("https://gw.corp.example/ses", True),
        ("https://10.0.0.7", True),
        ("https://abcdefgh.apigw.ntruss.com", True),
        ("https://apigw.ntruss.com.evil.example", True),
    ],
)
def test_a_host_that_is_nobodys_we_know_is_foreign(url: str | None, foreign: bool) -> None:
    assert endpoint_for(site_of_gateway_url(url or "") or "public", None, url).is_foreign is foreign


OFFICIAL = "https://vpcsearchengine.apigw.ntruss.com/api/v2"
LOCAL = "http://127.0.0.1:8080/api/v2"


@each_row(
    ("one", "other"),
    [
        (LOCAL, "http://localhost:8080/api/v2"),
        (LOCAL, "http://LocalHost.:8080/api/v2/"),
        (LOCAL, "http://[::1]:8080/api/v2"),
        (LOCAL, "http://127.9.9.9:8080//api/v2"),
        (LOCAL, "https://127.0.0.1:8080/api/v2"),
        ("http://localhost/api/v2", "http://127.0.0.1:80/api/v2"),
        ("https://localhost/api/v2", "https://127.0.0.1:443/api/v2"),
        (OFFICIAL, "https://ncloud.apigw.ntruss.com/api/v2"),
        (OFFICIAL, "HTTPS://VPCSearchEngine.apigw.ntruss.com:443/API/v2/"),
        (OFFICIAL, "https://vpcsearchengine.apigw.ntruss.com./api/v2"),
        (OFFICIAL, "https://proxy.example/api/v2"),
        (OFFICIAL, "https://localhost:8443/api/v2"),
        ("https://gateway.example/api/v2", "https://gateway.example:8443/vpc/api/v2"),
        ("https://one.example/api/v2", "https://other.example/api/v2"),
        (OFFICIAL, ""),
        (OFFICIAL, "http://[broken"),
    ],
)
def test_what_may_be_one(one: str, other: str) -> None:
    assert may_reach_same_clusters(one, other)
    assert may_reach_same_clusters(other, one)
    assert may_reach_same_clusters(one, one)


@each_row(
    ("one", "other"),
    [
        (OFFICIAL, "https://vpcsearchengine.apigw.ntruss.com/api/sgn-v2"),
        (OFFICIAL, "https://vpcsearchengine.apigw.gov-ntruss.com/api/v2"),
        (OFFICIAL, "https://fin-vpcsearchengine.apigw.fin-ntruss.com/api/v2"),
        (LOCAL, "http://localhost:8081/api/v2"),
        (LOCAL, "http://localhost:8080/api/jpn-v2"),
        ("https://proxy.example/api/v2", "https://proxy.example/api/krs-v2"),
    ],
)
def test_what_is_certainly_another(one: str, other: str) -> None:
    assert not may_reach_same_clusters(one, other)
    assert not may_reach_same_clusters(other, one)
    assert not reach_same_clusters(one, other)


@each_row(
    ("one", "other", "is_one"),
    [
        (OFFICIAL, OFFICIAL, True),
        (OFFICIAL, "https://ncloud.apigw.ntruss.com/api/v2", True),
        (OFFICIAL, "HTTPS://VPCSearchEngine.apigw.ntruss.com.:443/API//v2/", True),
        (LOCAL, "http://localhost:8080/api/v2/", True),
        ("https://gateway.example/api/v2", "https://Gateway.example:443/api/v2", True),
        (OFFICIAL, "https://proxy.example/api/v2", False),
        (OFFICIAL, "https://localhost:8443/api/v2", False),
        ("https://one.example/api/v2", "https://other.example/api/v2", False),
        ("https://proxy.example/api/v2", "https://proxy.example:8443/api/v2", False),
        ("https://proxy.example/one/api/v2", "https://proxy.example/other/api/v2", False),
        ("https://proxy.example/api/v2", "https://proxy.example/", False),
        (OFFICIAL, "", False),
        ("", "", False),
        ("http://[broken", "http://[broken", False),
    ],
)
def test_what_is_certainly_one(one: str, other: str, *, is_one: bool) -> None:
    """What a history proves it proves of its own site, so a doubt counts as another one."""
    assert (reach_same_clusters(one, other), reach_same_clusters(other, one)) == (is_one, is_one)
