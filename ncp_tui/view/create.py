"""How the question reads before a create is sent."""

from __future__ import annotations

from ncp_tui.snapshots.draft import Confirmation, Reason

LOOKED_AGAIN = "Nothing is sent yet: the lights were old and are read again."

_DOUBTS = {
    Reason.NOT_LOOKED: "The cluster is still being looked at: the lights are not known yet.",
    Reason.OLD: "The cluster is still being looked at: the lights are old.",
    Reason.OLDER_ROWS: "Older rows of the history are still being looked at.",
}


def question(wanted: Confirmation) -> str:
    """What is to be confirmed, a line each, and what a yes does in the last one."""
    if wanted.damage is not None:
        return (
            f"{wanted.damage.what} {wanted.damage.meaning}\n"
            f"Look at the history first. Accept the damage {wanted.damage.report.id}? "
            "What it touches stays unknown; creates may be sent again."
        )
    lines = [_DOUBTS[reason] for reason in wanted.reasons if reason in _DOUBTS]
    lines += [f"{check.subject}: {check.sentence}" for check in wanted.checks]
    name, cluster = wanted.request.name, wanted.request.cluster
    doubtful = bool(lines)
    if wanted.earlier is not None:
        if all(check.subject != "name" for check in wanted.checks):  # it was met later than that was looked at
            lines.append(f"{name} on {cluster} was asked for before.")
        lines.append(f"Send a second request for {name}? The yes is for the {wanted.earlier.words}, and for no other.")
    if wanted.unwritten is not None:
        lines.append(f"{wanted.unwritten.sentences()} Create {name} without writing it down?")
    if wanted.typed is not None:
        lines.append(f"Profile {wanted.profile} is protected. Type the cluster's name to create {name}:")
    elif wanted.earlier is None and wanted.unwritten is None:
        certain = f"Create snapshot {name} of {cluster} in bucket {wanted.request.bucket}?"
        lines.append(f"Create {name} all the same?" if doubtful else certain)
    return "\n".join(lines)
