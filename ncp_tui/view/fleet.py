"""How a check of many clusters reads: the table, the JSON document, the status line of a monitoring plugin."""

from __future__ import annotations

from typing import Any

from ncp_tui.snapshots.fleet import CheckedCluster, FleetReport, NotChecked, Severity, SharedBucket
from ncp_tui.text import clean, plural
from ncp_tui.view.cluster_summary import Moment, last_good_cell, last_run_cell, next_cell, summary_document
from ncp_tui.view.format import ZONE
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Tone

SEVERITY_TONES = {
    Severity.OK: Tone.GOOD,
    Severity.WARNING: Tone.WARNING,
    Severity.CRITICAL: Tone.BAD,
    Severity.UNKNOWN: Tone.WARNING,
}

MONITORING_CODES = {Severity.OK: 0, Severity.WARNING: 1, Severity.CRITICAL: 2, Severity.UNKNOWN: 3}
"""What a monitoring plugin exits with."""

_MOST_NAMED = 5
"""Clusters that a status line names; some systems cut it at 255 characters."""


def _severity_cell(row: CheckedCluster) -> Cell:
    if not row.verdict.counts:
        return Cell("not counted", Tone.DIM)
    return Cell(row.verdict.severity.upper(), SEVERITY_TONES[row.verdict.severity])


def _moment(row: CheckedCluster) -> Moment:
    return Moment(row.at, row.bars.max_age)


FLEET: Table[CheckedCluster] = Table(
    (
        Column("SEVERITY", _severity_cell, most=11, least=8),
        Column("PROFILE", lambda row: Cell(row.profile.name)),
        Column("CLUSTER", lambda row: Cell(row.cluster.name or row.cluster.number or "(no name)"), most=36, least=14),
        Column("LAST GOOD", lambda row: last_good_cell(row.summary, _moment(row)), most=14, least=10),
        Column("LAST RUN", lambda row: last_run_cell(row.summary), most=11, least=9),
        Column(f"NEXT ({ZONE})", lambda row: next_cell(row.summary, row.at), most=12, least=10),
        Column("REASON", lambda row: Cell(row.verdict.reason)),
    ),
    key=lambda row: f"{row.profile.name} {row.cluster.number or row.cluster.name}",
    empty="No clusters to check.",
)


def not_checked_line(missing: NotChecked) -> str:
    """`UNKNOWN profile prod: reason`, for a profile or a cluster that could not be checked."""
    return f"UNKNOWN {missing.kind} {missing.name}: {missing.reason}"


def fleet_text(report: FleetReport) -> str:
    """The table, the profiles that could not be read, and the counts."""
    parts = [FLEET.text(report.clusters)] if report.clusters else []
    parts += [*map(not_checked_line, report.not_checked), *map(shared_bucket_line, report.shared_buckets)]
    return "\n".join([*parts, counts_line(report)])


def shared_bucket_line(shared: SharedBucket) -> str:
    """That several clusters write one bucket, and why that matters."""
    count, names = len(shared.clusters), [clean(name) for name in shared.clusters[:_MOST_NAMED]]
    more = f" and {count - _MOST_NAMED} more" if count > _MOST_NAMED else ""
    return (
        f"NOTE bucket {clean(shared.bucket)}: {plural(count, 'cluster')} write to it "
        f"({', '.join(names)}{more}); two repositories in one place can damage each other."
    )


def counts_line(report: FleetReport) -> str:
    """`CRITICAL: 1 critical, 0 unknown, 2 warning, 9 ok of 12 clusters`."""
    counts = [f"{report.count(each)} {each}" for each in _ORDER]
    counted = sum(row.verdict.counts for row in report.clusters)
    return f"{report.severity.upper()}: {', '.join(counts)} ({plural(counted, 'cluster')} counted)"


_ORDER = (Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING, Severity.OK)


def fleet_document(report: FleetReport, exit_code: int) -> dict[str, Any]:
    """A check for scripts."""
    return {
        "severity": report.severity.value,
        "exit_code": exit_code,
        "at": report.at.isoformat(),
        "counts": {each.value: report.count(each) for each in _ORDER},
        "clusters": [_cluster_document(row) for row in report.clusters],
        "not_checked": [
            {"profile": None, "cluster": None, "file": None, missing.kind: missing.name, "reason": missing.reason}
            for missing in report.not_checked
        ],
        "shared_buckets": [
            {"bucket": shared.bucket, "clusters": list(shared.clusters)} for shared in report.shared_buckets
        ],
    }


def _cluster_document(row: CheckedCluster) -> dict[str, Any]:
    due, age, known = row.last_due, row.age, summary_document(row.summary, row.at)
    run = {"snapshot": known["snapshot"], "at": known["at"], "state": known["state"]} if known["snapshot"] else None
    return {
        "profile": row.profile.name,
        "site": row.profile.site,
        "region": row.profile.region,
        "name": row.cluster.name,
        "number": row.cluster.number or None,
        "status": row.cluster.status or None,
        "severity": row.verdict.severity.value,
        "counts": row.verdict.counts,
        "reason": row.verdict.reason,
        "last_good": known["last_good"],
        "age_seconds": round(age.total_seconds()) if age is not None else None,
        "max_age_seconds": round(row.bars.max_age.total_seconds()),
        "warn_age_seconds": round(row.bars.warn_age.total_seconds()) if row.bars.warn_age is not None else None,
        "last_run": run,
        "running": [each.snapshot for each in row.summary.running],
        "usual_seconds": known["usual_seconds"],
        "next_run": known["next_run"],
        "last_due": {"at": due.due.isoformat(), "state": due.run.value} if due is not None else None,
        "look": known["look"],
        "read_at": known["read_at"],
    }


def monitoring_line(report: FleetReport) -> str:
    """The one status line of a monitoring plugin, with its performance data."""
    worst = [row for row in report.clusters if row.verdict.counts and row.verdict.severity is not Severity.OK]
    named = [f"{row.cluster.name}: {row.verdict.reason.split('. ')[0].rstrip('.')}" for row in worst]
    named += [f"{each.name}: {each.reason.rstrip('.')}" for each in report.not_checked]
    more = [f"{len(named) - _MOST_NAMED} more"] if len(named) > _MOST_NAMED else []
    text = "; ".join([counts_line(report).partition(": ")[2], *named[:_MOST_NAMED], *more])
    ages = [row.age.total_seconds() for row in report.clusters if row.verdict.counts and row.age is not None]
    data = [f"{each.value}={report.count(each)};;;0" for each in _ORDER]
    data += [f"oldest_good={max(0, round(max(ages)))}s;;;0"] if ages else []
    return status_line(report.severity, text, " ".join(data))


def status_line(severity: Severity, text: str, performance: str = "unknown=1;;;0") -> str:
    """`SNAPSHOTS CRITICAL - text | performance data`, on one line whatever `text` holds."""
    plain = clean(" ".join(text.split())).replace("|", "/")
    return f"SNAPSHOTS {severity.upper()} - {plain} | {performance}"


Labels = tuple[tuple[str, str], ...]

_PREFIX = "ncp_ses_snapshot_"
_FAMILIES = {
    "latest_success_timestamp_seconds": "When the newest good snapshot of a cluster began, in seconds since 1970.",
    "latest_success_age_seconds": "How old the newest good snapshot of a cluster was when it was checked.",
    "state": "The verdict on a cluster: 1 for the state it is in.",
    "could_not_look": "1 where a cluster or profile could not be checked.",
    "check_timestamp_seconds": "When the check ended, in seconds since 1970.",
}
"""The metrics of a check, by the end of their names; all are gauges."""


def prometheus_text(report: FleetReport) -> str:
    """The metrics of a check as a textfile for the node exporter. What could not be checked has no timestamp."""
    samples: dict[str, dict[Labels, float]] = {family: {} for family in _FAMILIES}
    for row in report.clusters:
        if row.verdict.counts:
            _add_samples(samples, row)
    for missing in report.not_checked:
        if missing.kind != "file":
            named = {"profile": missing.name} if missing.kind == "profile" else {"cluster": missing.name}
            samples["could_not_look"].setdefault(_labels(**named), 1)
    samples["check_timestamp_seconds"][()] = report.at.timestamp()
    lines = [line for family, values in samples.items() for line in _family_lines(family, values)]
    return "".join(f"{line}\n" for line in lines)


def _add_samples(samples: dict[str, dict[Labels, float]], row: CheckedCluster) -> None:
    cluster, profile = row.cluster, row.profile
    where = {"profile": profile.name, "site": profile.site, "region": profile.region}
    labels = _labels(**where, cluster=cluster.name, number=cluster.number)
    if labels in samples["could_not_look"]:  # two without a number may have one name: the worse came first
        return
    is_unknown = row.verdict.severity is Severity.UNKNOWN
    samples["could_not_look"][labels] = float(is_unknown)
    for each in _ORDER:
        samples["state"][(*labels, ("state", each.value))] = float(row.verdict.severity is each)
    good = row.summary.last_good
    if not is_unknown and good is not None and good.at is not None:
        samples["latest_success_timestamp_seconds"][labels] = good.at.timestamp()
        samples["latest_success_age_seconds"][labels] = (row.at - good.at).total_seconds()


def _labels(profile: str = "", site: str = "", region: str = "", cluster: str = "", number: str = "") -> Labels:
    named = {"profile": profile, "site": site, "region": region, "cluster": cluster, "number": number}
    return tuple([(name, clean(value)) for name, value in named.items()])


def _family_lines(family: str, samples: dict[Labels, float]) -> list[str]:
    if not samples:
        return []
    name = f"{_PREFIX}{family}"
    head = [f"# HELP {name} {_FAMILIES[family]}", f"# TYPE {name} gauge"]
    return head + [f"{name}{_label_text(labels)} {value:.15g}" for labels, value in samples.items()]


def _label_text(labels: Labels) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
