"""How a check reads: one status line whatever a name holds, and metrics that a parser of Prometheus takes."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Cluster, HistoryEntry
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, summary_of
from ncp_tui.snapshots.fleet import Bars, CheckedCluster, FleetReport, NotChecked, judge
from ncp_tui.view.fleet import fleet_document, fleet_text, monitoring_line, prometheus_text

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
BARS = Bars(timedelta(hours=26))
PROFILE = Profile(name="prod", access_key="ABCDEFGHIJ0123456789")
GOOD = HistoryEntry.read({"snapshotName": "a", "actionDate": "2026-11-25 11:00:00", "message": "SUCCESS"})


def row(name: str, summary: ClusterSummary, number: str = "1037001", status: str = "running") -> CheckedCluster:
    cluster = Cluster(number, name, status)
    return CheckedCluster(PROFILE, cluster, summary, BARS, judge(cluster, summary, BARS, NOW), NOW)


HOSTILE = 'a"b\\c\n| d=1 \x1b[31m'
REPORT = FleetReport(
    (
        row("none", summary_of([], NOW), "1037002"),
        row("shut", NOT_READ, "1037003"),
        row(HOSTILE, summary_of([GOOD], NOW)),
        row("new", NOT_READ, "1037004", "creating"),
    ),
    (NotChecked("dev", "The keyring is locked.", "profile"), NotChecked("gone", "No such cluster.")),
    NOW,
)


def test_metrics_are_what_a_real_parser_reads() -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    families = {family.name: family for family in parser.text_string_to_metric_families(prometheus_text(REPORT))}
    success = families["ncp_ses_snapshot_latest_success_timestamp_seconds"].samples
    assert [(sample.labels["number"], sample.value) for sample in success] == [("1037001", GOOD.at.timestamp())]  # type: ignore[union-attr]
    assert success[0].labels["cluster"].startswith('a"b\\c')
    unread = {
        sample.labels["cluster"] or sample.labels["profile"]: sample.value
        for sample in families["ncp_ses_snapshot_could_not_look"].samples
    }
    assert unread.pop(success[0].labels["cluster"]) == 0
    assert unread == {"none": 0, "shut": 1, "dev": 1, "gone": 1}
    states = families["ncp_ses_snapshot_state"].samples
    assert {sample.labels["state"] for sample in states if sample.labels["cluster"] == "none" and sample.value} == {
        "critical"
    }
    assert families["ncp_ses_snapshot_check_timestamp_seconds"].samples[0].value == NOW.timestamp()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing_wrong() -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=prometheus_text(REPORT).encode(), check=False)
    assert done.returncode == 0


def test_metrics_hold_every_name_in_one_label() -> None:
    """A quote or a line feed of a server would otherwise begin a metric of its own."""
    text = prometheus_text(REPORT)
    assert all(line.startswith(("# ", "ncp_ses_snapshot_")) for line in text.splitlines())
    assert "\x1b" not in text
    assert PROFILE.access_key not in text
    twice = dataclasses.replace(REPORT, clusters=(row("x", NOT_READ, ""), row("x", NOT_READ, "")))
    lines = [line.rpartition(" ")[0] for line in prometheus_text(twice).splitlines()]
    assert len(lines) == len(set(lines))


def test_a_status_line_is_one_line_with_one_bar() -> None:
    line = monitoring_line(REPORT)
    assert line.startswith("SNAPSHOTS CRITICAL - 1 critical, 3 unknown, 0 warning, 1 ok")
    assert (line.count("|"), line.count("\n"), line.count("\x1b")) == (1, 0, 0)
    data = dict(each.split("=") for each in line.partition(" | ")[2].split())
    assert data["critical"] == "1;;;0"
    assert data["oldest_good"] == "3600s;;;0"


def test_what_could_not_be_checked_is_in_every_form() -> None:
    document = fleet_document(REPORT, 13)
    assert document["not_checked"][0] == {
        "profile": "dev",
        "cluster": None,
        "file": None,
        "reason": "The keyring is locked.",
    }
    assert [each["counts"] for each in document["clusters"]] == [True, True, True, False]
    assert "UNKNOWN profile dev: The keyring is locked." in fleet_text(REPORT)


def test_a_bucket_that_two_clusters_write_is_told_and_changes_no_verdict() -> None:
    def in_bucket(bucket: str) -> ClusterSummary:
        return summary_of([dataclasses.replace(GOOD, bucket=bucket)], NOW)

    rows = (
        row("b", in_bucket("shared"), "2"),
        row("a", in_bucket("shared"), "1"),
        row("a", in_bucket("shared"), "1"),  # seen through another profile
        row("c", in_bucket("own"), "3"),
        row("d", in_bucket("own"), "3"),
    )
    report = FleetReport(rows, (), NOW)
    assert report.severity == "ok"
    assert fleet_document(report, 0)["shared_buckets"] == [{"bucket": "shared", "clusters": ["a", "b"]}]
    assert "NOTE bucket shared: 2 clusters write to it (a, b)" in fleet_text(report)
    elsewhere = dataclasses.replace(rows[0], profile=dataclasses.replace(PROFILE, site="gov"))
    assert FleetReport((elsewhere, rows[1]), (), NOW).shared_buckets == ()
