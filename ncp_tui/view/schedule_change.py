"""How setting and releasing a schedule read: the question before, what became of it, and the same for scripts."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

from ncp_tui.snapshots.draft import Reason
from ncp_tui.snapshots.operations import OperationResult, Sent
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.schedule import InForce, Schedule
from ncp_tui.snapshots.schedule_change import ScheduleChange, is_same
from ncp_tui.snapshots.schedule_draft import ChangeConfirmation
from ncp_tui.snapshots.schedule_rules import InvalidSchedule
from ncp_tui.view.cluster_summary import next_run_sentence, setting_sentence
from ncp_tui.view.requests import ACCEPTED_DAMAGE

SNAPSHOTS_STAY = "Snapshots that exist stay."
"""What a release leaves alone."""

_DOUBTS = {
    Reason.NOT_LOOKED: "Preflight checks are not complete.",
    Reason.OLD: "Preflight checks are out of date.",
}


def change_title(change: ScheduleChange) -> str:
    """`schedule nightly of search-0001`, or `the schedule of search-0001` where it is released."""
    of = f" of {change.cluster}" if change.cluster else ""
    return f"schedule {change.setting.name}{of}" if change.setting else f"the schedule{of}"


def setting_words(change: ScheduleChange) -> str:
    """`nightly, Everyday 03:00 (time zone assumed: KST), bucket b`."""
    setting = change.setting
    if setting is None:
        return ""
    with contextlib.suppress(InvalidSchedule):
        setting = setting.spelled
    return f"{setting.name}, {setting.day} {setting.at} (time zone assumed: KST), bucket {setting.bucket}"


def change_question(wanted: ChangeConfirmation, released: str = "") -> str:
    """What is to be confirmed, a line each, and what a yes does in the last one.

    `released` is the schedule that a release ends, in words, where it is known.
    """
    if wanted.damage is not None:
        return (
            f"{wanted.damage.what} {wanted.damage.meaning}\n"
            f"Check the history first. Accept the damage {wanted.damage.report.id}? {ACCEPTED_DAMAGE}"
        )
    change = wanted.change
    lines = [_DOUBTS[reason] for reason in wanted.reasons if reason in _DOUBTS]
    lines += [f"{check.subject}: {check.sentence}" for check in wanted.checks]
    if wanted.earlier is not None:
        told = wanted.earlier.told
        lines.append(f"{told[:1].upper()}{told[1:]}.")
        if wanted.earlier.source == "history" and change.is_set:
            lines.append(
                "Whether setting replaces a schedule is not documented: to be certain, release it first, then set this."
            )
    if wanted.unwritten is not None:
        lines.append(f"{wanted.unwritten.sentences()} Send it without a journal record?")
    act = f"{'Set' if change.is_set else 'Release'} {change_title(change)}"
    what = f": {setting_words(change)}" if change.is_set else f" ({released})" * bool(released)
    stays = "" if change.is_set else f" {SNAPSHOTS_STAY}"
    if wanted.typed is not None:
        lines.append(f"{act}{what}.{stays}")
        lines.append(f"Profile {wanted.profile} is protected. Type the cluster name to confirm:")
    else:
        lines.append(f"{act}{' anyway' if lines else ''}{what}?{stays}")
    return "\n".join(lines)


def change_sentence(change: ScheduleChange, outcome: Outcome, sent: Sent | None = None) -> str:
    """What is known of a set or a release, the verdict first."""
    title, is_set = change_title(change), change.is_set
    if outcome is Outcome.ACCEPTED:
        done = f"{'Set' if is_set else 'Released'}: {title}."
        if sent is not None and sent.resolution is not None:
            return f"{done} No answer confirmed it, but {sent.resolution.evidence}"
        return done
    if outcome is Outcome.UNKNOWN:
        return f"Unknown whether {title} was {'set' if is_set else 'released'}. At most one request took effect."
    return f"Not {'set' if is_set else 'released'}: {title}."


def history_now_sentence(change: ScheduleChange, schedule: Schedule | None, now: datetime) -> str:
    """What the schedule history says after `change` was accepted, `schedule` being its newest setting."""
    if schedule is None:
        return "The schedule history does not show it yet." if change.is_set else "The schedule history is empty now."
    status = schedule.entry.status
    said = f"{setting_sentence(schedule)}; {f'NCP says {status!r}' if status else 'NCP says nothing of its status'}."
    if change.is_set and not is_same(change, schedule):
        return f"The schedule history does not show it yet. It has: {said}"
    if not change.is_set and schedule.in_force is not InForce.NO:
        return f"The schedule history does not show that yet. It has: {said}"
    following = schedule.next_run(now)
    next_run = f" Next run: {next_run_sentence(following)}." if following is not None else ""
    return f"The schedule history has now: {said}{next_run}"


HISTORY_UNREAD = "The schedule history could not be read afterwards."


def change_document(change: ScheduleChange, outcome: Outcome, result: OperationResult | None = None) -> dict[str, Any]:
    """A set or a release for scripts; the `schedule` of a release is null."""
    setting, sent = change.setting, result.sent if result is not None else None
    by_history = sent is not None and sent.resolution is not None and outcome is Outcome.ACCEPTED
    schedule = None
    if setting is not None:
        schedule = {"name": setting.name, "bucket": setting.bucket, "day": setting.day, "at": setting.at}
    return {
        "operation": "set" if change.is_set else "release",
        "outcome": outcome.value,
        "resolved_by": "history" if by_history else None,
        "cluster": {"name": change.cluster_name or None, "number": change.cluster_number or None},
        "schedule": schedule,
        "request_id": sent.request_id if sent is not None else None,
        "attempts": sent.attempts if sent is not None else int(outcome in {Outcome.UNKNOWN, Outcome.ACCEPTED}),
    }
