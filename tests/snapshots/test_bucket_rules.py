from __future__ import annotations

import pytest

from ncp_tui.gateway.errors import PermissionDenied
from ncp_tui.search_engine.models import Bucket, Cluster
from ncp_tui.snapshots.rules import InvalidBucket, check_bucket, check_cluster
from tests.tables import each_row

KNOWN = [Bucket("open-bucket"), Bucket("locked-bucket", locked=True), Bucket("denied-bucket", denied=True)]


@each_row("name", ["bk.ses.snapshot", "abc", "0-0", "a" * 63, "1.2.3", "1.2.3.4.5", "256.1.1.1"])
def test_a_bucket_name(name: str) -> None:
    assert check_bucket(name) == name


@each_row(
    "name",
    [
        *("", "ab", "a" * 64, "Abc", "a_c", "a c", "-abc", "abc-", ".abc", "abc.", "a..c", "192.168.0.1", "버킷-1"),
        *("abc\n", "a/c", "../x", "abc\x00", "a\x1b[31mc", "\u202eabc"),
    ],
)
def test_no_bucket_name(name: str) -> None:
    with pytest.raises(InvalidBucket) as caught:
        check_bucket(name)
    assert caught.value.sentences().isprintable()


def test_no_bucket_is_called_none() -> None:
    """A form that is not filled in has no name that is wrong."""
    with pytest.raises(InvalidBucket, match=r"^No bucket is chosen\.$"):
        check_bucket("", KNOWN)


def test_a_known_bucket_must_be_usable() -> None:
    """A locked bucket takes the request and never the snapshot."""
    assert check_bucket("open-bucket", KNOWN) == "open-bucket"
    for name, reason in (
        ("locked-bucket", "locked"),
        ("denied-bucket", "no access"),
        ("other-bucket", "is not visible"),
    ):
        with pytest.raises(InvalidBucket, match=reason) as caught:
            check_bucket(name, KNOWN)
        assert caught.value.next_step == "Usable buckets: open-bucket."


def test_nothing_usable_is_said() -> None:
    with pytest.raises(InvalidBucket) as caught:
        check_bucket("locked-bucket", KNOWN[1:])
    assert caught.value.next_step == "Usable buckets: none."


def test_a_cluster_seen_by_name_only() -> None:
    cluster = Cluster("1", "mine", "running")
    assert check_cluster(cluster) is cluster
    with pytest.raises(PermissionDenied, match="hr-private"):
        check_cluster(Cluster("2", "hr-private", "running", allowed=False))
