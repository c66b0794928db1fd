"""The job itself: a legal name, one request, an honest outcome, and following the snapshot to its end."""

from ncp_tui.snapshots.checks import InvalidBucket, check_bucket, check_cluster
from ncp_tui.snapshots.names import InvalidName, check_name, name_problems, suggest_name
from ncp_tui.snapshots.take import Outcome, SnapshotRequest, Taken, take
from ncp_tui.snapshots.templates import DEFAULT_TEMPLATE, InvalidTemplate, render_name, zone_of_template
from ncp_tui.snapshots.watch import Progress, watch

__all__ = [
    "DEFAULT_TEMPLATE",
    "InvalidBucket",
    "InvalidName",
    "InvalidTemplate",
    "Outcome",
    "Progress",
    "SnapshotRequest",
    "Taken",
    "check_bucket",
    "check_cluster",
    "check_name",
    "name_problems",
    "render_name",
    "suggest_name",
    "take",
    "watch",
    "zone_of_template",
]
