"""The names that a shell completes: of the caller who listed them, harmless on a command line, never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncp_tui.profiles.cluster_name_cache import ClusterNameCache, begins_with
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.system.paths import Paths


def caller(name: str = "prod", region: str = "KR") -> Identity:
    profile = Profile(name=name, access_key="ABCDEFGHIJ0123456789", region=region)
    return Identity(name, "OS keyring", SourceKind.PROFILE, profile)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config", tmp_path / "state", tmp_path / "data")


def test_each_caller_has_its_own(paths: Paths) -> None:
    listing = ClusterNameCache(paths)
    listing.store(caller(), ["b-2", "a-1", "a-1"])
    listing.store(caller("lab"), ["c-3"])
    assert ClusterNameCache(paths).names(caller()) == ["a-1", "b-2"]
    assert listing.names(caller("lab")) == ["c-3"]
    assert listing.names(caller(region="JPN")) == []
    listing.store(caller(), ["b-2"])
    assert listing.names(caller()) == ["b-2"], "a cluster that is gone is gone here too"


def test_the_file_is_the_users_alone(paths: Paths) -> None:
    ClusterNameCache(paths).store(caller(), ["a-1"])
    assert paths.listing_file.stat().st_mode & 0o777 == 0o600
    assert paths.state_dir.stat().st_mode & 0o777 == 0o700


def test_the_same_names_are_not_written_again(paths: Paths) -> None:
    listing = ClusterNameCache(paths)
    listing.store(caller(), ["a-1"])
    before = paths.listing_file.stat().st_ino
    listing.store(caller(), ["a-1"])
    assert paths.listing_file.stat().st_ino == before


def test_it_does_not_grow_for_ever(paths: Paths) -> None:
    listing = ClusterNameCache(paths)
    for number in range(100):
        listing.store(caller(f"p-{number}"), ["a-1"])
    assert listing.names(caller("p-99")) == ["a-1"]
    assert listing.names(caller("p-0")) == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            "$(touch owned)",
            "`id`",
            "a b",
            "a;b",
            "a&b",
            "a|b",
            "a>b",
            "a'b",
            'a"b',
            "a\\b",
            "a\nb",
            "a*",
            "~root",
            "!x",
        ),
        *("-rf", "--yes", "", ".", "../x", "a,b", "a\x1b[31m", "x" * 500, "a\u202eb", "{a,b}", "a=b", "#a"),
    ],
)
def test_what_a_shell_would_read_as_more_than_a_name_is_left_out(paths: Paths, name: str) -> None:
    """What is completed is run as if it had been typed."""
    listing = ClusterNameCache(paths)
    listing.store(caller(), [name, "search-0001", "검색-로그-서울", "v1.2_x"])
    assert listing.names(caller()) == ["search-0001", "v1.2_x", "검색-로그-서울"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\x00", b"[]", b"{", b'{"prod public KR": 7}', b'{"prod public KR": [1, null]}', b"[" * 100_000],
)
def test_a_damaged_file_has_no_names_and_is_written_anew(paths: Paths, content: bytes) -> None:
    listing = ClusterNameCache(paths)
    paths.state_dir.mkdir()
    paths.listing_file.write_bytes(content)
    assert listing.names(caller()) == []
    listing.store(caller(), ["a-1"])
    assert listing.names(caller()) == ["a-1"]


def test_hangul_typed_in_pieces_is_the_same() -> None:
    assert begins_with("검색-로그", "\u1100\u1165\u11b7")
    assert not begins_with("검색-로그", "로")
