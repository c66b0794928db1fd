"""Two spellings of one gateway are one site; what might be one is taken for one."""

from __future__ import annotations

from ncp_tui.gateway.sites import is_one_site, may_be_one_site
from tests.tables import each_row

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
    assert may_be_one_site(one, other)
    assert may_be_one_site(other, one)
    assert may_be_one_site(one, one)


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
    assert not may_be_one_site(one, other)
    assert not may_be_one_site(other, one)
    assert not is_one_site(one, other)


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
    assert (is_one_site(one, other), is_one_site(other, one)) == (is_one, is_one)
