"""The Object Storage buckets that a cluster's API authentication key lists: usable, locked, denied, and both."""

from __future__ import annotations

from dataclasses import dataclass

from ncp_tui.sandbox.answers import Refusal, Refused
from ncp_tui.sandbox.kst import DAY
from ncp_tui.sandbox.request_fields import Fields


@dataclass(frozen=True)
class Bucket:
    """One bucket. `age_days` counts back from the start of the sandbox."""

    name: str
    bytes_used: int
    object_count: int
    age_days: int
    locked: bool = False
    denied: bool = False
    in_seconds: bool = False

    def row(self, start: float) -> Fields:
        """The bucket as getBucketList has it. The unit of creationTime is undocumented, so one bucket differs."""
        created = start - self.age_days * DAY
        return {
            "name": self.name,
            "bytesUsed": self.bytes_used,
            "objectCount": self.object_count,
            "creationTime": int(created) if self.in_seconds else int(created * 1000),
            "bucketProtectionState": "ENABLED" if self.locked else "DISABLED",
            "permission": "Deny" if self.denied else "Allow",
        }


BUCKETS = (
    Bucket("bk.ses.snapshot", 48_318_382_080, 18_204, age_days=412),
    Bucket("es-backup-weekly", 7_516_192_768, 2_961, age_days=230, in_seconds=True),
    Bucket("logs-archive-2025", 912_680_550_400, 301_442, age_days=158),
    Bucket("empty-bucket", 0, 0, age_days=1),
    Bucket("audit-locked", 1_288_490_189, 640, age_days=365, locked=True),
    Bucket("finance-private", 53_687_091_200, 12_007, age_days=600, denied=True),
    Bucket("legal-hold", 2_147_483_648, 88, age_days=720, locked=True, denied=True),
)


def usable_bucket(name: str) -> Bucket:
    """The bucket of that name. Raises Refused when there is none, or no snapshot can be stored in it."""
    for bucket in BUCKETS:
        if bucket.name == name:
            return _checked(bucket)
    raise Refused(Refusal.BUCKET_NOT_FOUND)


def _checked(bucket: Bucket) -> Bucket:
    if bucket.denied:
        raise Refused(Refusal.BUCKET_DENIED)
    if bucket.locked:
        raise Refused(Refusal.BUCKET_LOCKED)
    return bucket
