"""How the question reads before a snapshot is requested."""

from __future__ import annotations

from ncp_tui.snapshots.draft import Confirmation, Reason
from ncp_tui.view.requests import ACCEPTED_DAMAGE

RECHECKED = "Nothing was sent: the checks were out of date and are being repeated."
"""What a request that was given up for this says; the face adds how to send it now."""

_DOUBTS = {
    Reason.NOT_LOOKED: "Preflight checks are not complete.",
    Reason.OLD: "Preflight checks are out of date.",
    Reason.OLDER_ROWS: "Older rows of the history are not checked.",
}


def question(wanted: Confirmation) -> str:
    """What is to be confirmed, a line each, and what a yes does in the last one."""
    if wanted.damage is not None:
        return (
            f"{wanted.damage.what} {wanted.damage.meaning}\n"
            f"Check the history first. Accept the damage {wanted.damage.report.id}? {ACCEPTED_DAMAGE}"
        )
    lines = [_DOUBTS[reason] for reason in wanted.reasons if reason in _DOUBTS]
    lines += [f"{check.subject}: {check.sentence}" for check in wanted.checks]
    name, cluster = wanted.request.name, wanted.request.cluster
    doubtful = bool(lines)
    if wanted.earlier is not None:
        if all(check.subject != "name" for check in wanted.checks):  # found after the name was checked
            lines.append(f"{name} on {cluster} was requested before.")
        lines.append(f"Send a second request for {name}? A yes covers only the {wanted.earlier.words}.")
    if wanted.unwritten is not None:
        lines.append(f"{wanted.unwritten.sentences()} Create {name} without a journal record?")
    if wanted.typed is not None:
        lines.append(f"Profile {wanted.profile} is protected. Type the cluster name to create {name}:")
    elif wanted.earlier is None and wanted.unwritten is None:
        certain = f"Create snapshot {name} of {cluster} in bucket {wanted.request.bucket}?"
        lines.append(f"Create {name} anyway?" if doubtful else certain)
    return "\n".join(lines)
