"""What can be known to be wrong before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from ncp_tui.gateway.errors import PermissionDenied
from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.client import check_number
from ncp_tui.search_engine.listing import gap_of
from ncp_tui.search_engine.models import Bucket, Cluster
from ncp_tui.text import clean

# Object Storage's rule for bucket names (api.ncloud-docs.com, PutBucket).
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")

_MOST_NAMED = 10
"""Buckets that are named as a way out; an account may have a thousand."""


class InvalidBucket(Problem):
    """A bucket that cannot take the snapshot; nothing was sent."""

    kind = "invalid_bucket"


def check_bucket(name: str, known: Sequence[Bucket] = ()) -> str:
    """Return `name` if a snapshot may be sent there.

    `known` is the service's list for the cluster. A bucket in it that is locked or denied is refused; so is one that is
    missing from a list that is whole and not empty. With no list, only the form of the name is checked. Raises
    InvalidBucket.
    """
    if not name:
        step = "Name the bucket that the snapshot goes to."
        raise InvalidBucket("No bucket is chosen.", "Nothing was sent.", step, NextAction("profile.bucket"))
    if not _BUCKET.fullmatch(name) or ".." in name or _is_address(name):
        raise InvalidBucket(
            f"{clean(name)!r} is not a bucket name.",
            "Nothing was sent.",
            "3 to 63 characters: lower-case letters, digits, '.' and '-'; letter or digit at both ends.",
        )
    found = next((bucket for bucket in known if bucket.name == name), None)
    names = [bucket.name for bucket in known if bucket.usable]
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    usable = (", ".join(names[:_MOST_NAMED]) or "none") + more
    if found is None and known and not gap_of(known):
        raise InvalidBucket(
            f"The cluster's API key sees no bucket {name}.", "Nothing was sent.", f"Usable buckets: {usable}."
        )
    if found is not None and not found.usable:
        raise InvalidBucket(
            f"Bucket {name} cannot take a snapshot: {found.reason}.", "Nothing was sent.", f"Usable buckets: {usable}."
        )
    return name


def check_cluster(cluster: Cluster) -> Cluster:
    """Return `cluster` if this key may open it and it has a number. Raises PermissionDenied, WrongCluster."""
    if not cluster.allowed:
        raise PermissionDenied(
            f"This key may see cluster {cluster.name} by name only.",
            "Nothing was sent.",
            "Ask for the policy NCP_VPC_SEARCH_ENGINE_SERVICE_MANAGER, or use another profile.",
        )
    check_number(cluster.number, cluster.name)
    return cluster


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
