"""How the schedule of a cluster reads for scripts: what is set, the next run, and the last one that was due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ncp_tui.search_engine.models import Cluster, ScheduleEntry
from ncp_tui.snapshots.cluster_summary import ClusterSummary, Look
from ncp_tui.snapshots.schedule import DueVerdict, InForce, Schedule
from ncp_tui.view.cluster_summary import due_sentence

ASSUMED_ZONE = "Asia/Seoul"
"""NCP documents no time zone for its schedules."""


def setting_document(entry: ScheduleEntry) -> dict[str, Any]:
    """A setting as it came; `set_at` is its date as a time, null where it is none."""
    return {
        "name": entry.snapshot or None,
        "bucket": entry.bucket or None,
        "day": entry.day or None,
        "time": entry.time or None,
        "status": entry.status or None,
        "set_at": entry.set_at.isoformat() if entry.set_at else None,
        "raw": entry.raw,
    }


def schedule_document(cluster: Cluster, summary: ClusterSummary, now: datetime) -> dict[str, Any]:
    """What is known of the schedule of `cluster`: `known` is false where it is not known what is set."""
    schedule = summary.schedule
    return {
        "cluster": {"name": cluster.name, "number": cluster.number},
        "read_at": summary.read_at.isoformat() if summary.read_at else None,
        "known": summary.is_schedule_read,
        "schedule": _schedule(schedule, now) if schedule is not None else None,
        "last_due": _last_due(summary, now),
        "time_zone": {"name": ASSUMED_ZONE, "documented": False},
        "problem": summary.schedule_problem.what if summary.schedule_problem is not None else None,
        "history_problem": summary.problem.what if summary.problem is not None else None,
    }


def _schedule(schedule: Schedule, now: datetime) -> dict[str, Any]:
    following = schedule.next_run(now)
    return {
        **setting_document(schedule.entry),
        "in_force": {InForce.YES: True, InForce.NO: False, InForce.UNKNOWN: None}[schedule.in_force],
        "next_run": following.isoformat() if following is not None else None,
    }


def _last_due(summary: ClusterSummary, now: datetime) -> dict[str, Any] | None:
    due = summary.schedule.last_due(now) if summary.schedule is not None else None
    if due is None:
        return None
    if summary.look not in {Look.FOUND, Look.NONE}:
        return {"due": due.isoformat(), "run": "not_read", "snapshot": None, "at": None, "message": None, "words": None}
    verdict = summary.last_due(now)
    return _verdict(verdict) if verdict is not None else None


def _verdict(verdict: DueVerdict) -> dict[str, Any]:
    row = verdict.row
    return {
        "due": verdict.due.isoformat(),
        "run": verdict.run.value,
        "snapshot": row.snapshot if row is not None else None,
        "at": row.at.isoformat() if row is not None and row.at else None,
        "message": (row.message or None) if row is not None else None,
        "words": due_sentence(verdict),
    }
