"""How the gate before an upgrade reads: in a line, in sentences with the next step, and for scripts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.models import Version
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.upgrade import WINDOW, Gate, Reason, UpgradeCheck, UpgradeGate
from ncp_tui.view.format import ZONE, as_of, clock_time, date_time, elapsed
from ncp_tui.view.text import BLANK, Line, Tone, field, line, wrapped

if TYPE_CHECKING:
    from ncp_tui.snapshots.pre_check import PreCheck

_TONES = {Gate.OPEN: Tone.GOOD, Gate.SHUT: Tone.BAD, Gate.UNKNOWN: Tone.WARNING}
_HOURS = f"{WINDOW // timedelta(hours=1)} h"
_MINUTE = timedelta(minutes=1)
_UNBROKEN = 100_000
_LABEL = 13
"""Cells of a label, as `field` has it."""

NCP_DECIDES = (
    "NCP decides: its history may name a snapshot that NCP has deleted since, and dates are read as Korean time."
)
AFTERWARDS = (
    "After the upgrade, create the first snapshot again: a snapshot of an old version cannot be restored everywhere."
)


def gate_line(gate: UpgradeGate) -> Line:
    """The gate in a line of a cluster's details."""
    return field("upgrade", f"gate {_in_short(gate)}", _TONES[gate.gate])


def _in_short(gate: UpgradeGate) -> str:
    name = gate.row.snapshot if gate.row is not None else ""
    if gate.gate is Gate.OPEN and gate.until is not None and gate.left is not None:
        return f"open until {clock_time(gate.until)[:-3]} {ZONE} ({elapsed(gate.left.total_seconds())} left)"
    if gate.gate is Gate.SHUT:
        running = f"; {gate.running[0].snapshot} is running" if gate.running else ""
        return f"shut: no good snapshot of the last {_HOURS}{running}"
    return "unknown: " + {
        Reason.INCOMPLETE: "rows of the history are missing",
        Reason.NOT_FAR_ENOUGH: "older rows are not read",
        Reason.NO_DATE: "a row has no date that can be read",
        Reason.UNCLEAR: f"the state of {name} is unknown",
        Reason.AHEAD: f"{name} is dated in the future",
        Reason.BY_ITS_END: f"{name} began more than {_HOURS} ago",
    }.get(gate.reason, "the history is not known")


def gate_sentence(gate: UpgradeGate) -> str:
    """Whether the gate is open, until when, and why that is known or not."""
    if gate.gate is Gate.OPEN:
        return _open_sentence(gate)
    if gate.gate is Gate.SHUT:
        return _shut_sentence(gate)
    name = gate.row.snapshot if gate.row is not None else "a snapshot"
    what = gate.problem.what if gate.problem is not None else ""
    why = {
        Reason.INCOMPLETE: f"the history is incomplete. {what}",
        Reason.NOT_FAR_ENOUGH: "none of the newest rows opens it, and older rows are not read.",
        Reason.NO_DATE: "the date of a row of the history cannot be read, and it may be a recent good snapshot.",
        Reason.UNCLEAR: f"the state of {name} is unknown.",
        Reason.AHEAD: f"{name} is dated in the future: the clocks differ.",
        Reason.BY_ITS_END: (
            f"{name} began more than {_HOURS} ago and ended less than {_HOURS} ago, and NCP does not document from "
            "which of the two it counts."
        ),
    }.get(gate.reason, f"the history cannot be read. {what}" if what else "the history is not read yet.")
    return f"Unknown whether the gate is open: {why}".rstrip()


def _open_sentence(gate: UpgradeGate) -> str:
    good, until, surely, left = gate.newest_good, gate.until, gate.surely_until, gate.left
    if good is None or until is None or surely is None or left is None:
        return "The gate is open."
    said = f"The gate is open until {_moment(until, gate.at)}, {elapsed(left.total_seconds())} from now."
    if gate.ended is None:
        return f"{said} The end of {good.snapshot} is unknown: the {_HOURS} are counted from its start, the safer one."
    counted = f"{said} The {_HOURS} are counted from the end of {good.snapshot}"
    if until - surely < _MINUTE:
        return f"{counted}."
    otherwise = (
        f"NCP does not document whether it counts from the start: that would be until {_moment(surely, gate.at)}."
    )
    return f"{counted}; {otherwise}"


def _shut_sentence(gate: UpgradeGate) -> str:
    good = gate.newest_good
    if good is None or good.at is None:
        said = "The gate is shut: the history has no good snapshot."
    else:
        ago = elapsed((gate.at - (gate.ended or good.at)).total_seconds())
        event = "started" if gate.ended is None else "ended"
        said = f"The gate is shut: the newest good snapshot, {good.snapshot}, {event} {ago} ago, more than {_HOURS}."
    if gate.running:
        return f"{said} {gate.running[0].snapshot} is running: it opens the gate once it has succeeded."
    return said


def _moment(moment: datetime, now: datetime) -> str:
    """The time of day within a day, else with the date."""
    text = clock_time(moment) if abs(moment - now) < timedelta(hours=12) else date_time(moment)
    return f"{text} {ZONE}"


def gate_card(check: UpgradeCheck) -> Problem:
    """The gate in sentences, with what to do next as a face takes it."""
    gate, cluster = check.gate, check.cluster.title
    create = NextAction("snapshot.create", {"cluster": cluster})
    if gate.gate is Gate.OPEN:
        step = "Begin the upgrade in the NCP console before then"
        return Problem(gate_sentence(gate), "", f"{step}; later it needs another snapshot.")
    if gate.running:
        name = gate.running[0].snapshot
        follow = NextAction("snapshot.wait", {"cluster": cluster, "name": name})
        return Problem(gate_sentence(gate), "", f"Wait until {name} has succeeded, then check again.", follow)
    if gate.gate is Gate.SHUT:
        return Problem(gate_sentence(gate), "", f"A good snapshot opens the gate for {_HOURS}.", create)
    history = NextAction("snapshot.history", {"cluster": cluster})
    return Problem(gate_sentence(gate), "", f"A good snapshot opens the gate for {_HOURS}.", history, create)


def upgrade_lines(check: UpgradeCheck, next_step: str, width: int = _UNBROKEN) -> list[Line]:
    """The gate of a cluster, the versions on offer, and what to do next; `next_step` is a face's own words for it.

    Sentences are broken into lines of `width` cells, where one is given.
    """
    gate, cluster = check.gate, check.cluster
    good = gate.newest_good
    lines = [
        field("cluster", f"{cluster.name or '-'} ({cluster.number or '-'})", Tone.STRONG),
        field("status", f"{cluster.status or '-'}; {cluster.engine or '-'}"),
        field("gate", gate.gate.value, _TONES[gate.gate]),
        *_paragraph("", gate_sentence(gate), width),
        field("newest good", "none that is known" if good is None else _good_words(gate)),
        *_version_lines(check, width),
        BLANK,
        *_paragraph("next", next_step, width),
        *_paragraph("afterwards", AFTERWARDS, width),
        *_paragraph("note", NCP_DECIDES, width, Tone.DIM),
    ]
    if gate.read_at is not None:
        lines.append(field("history", as_of(gate.read_at, gate.read_at), Tone.DIM))
    return lines


def _good_words(gate: UpgradeGate) -> str:
    good = gate.newest_good
    if good is None:
        return ""
    ended = f", ended {date_time(gate.ended)} {ZONE}" if gate.ended is not None else ", end unknown"
    return f"{good.snapshot}, taken {good.when or 'at an unknown time'}{ended}"


def _version_lines(check: UpgradeCheck, width: int) -> list[Line]:
    if check.versions is None:
        why = check.versions_problem.what if check.versions_problem is not None else "not read"
        return [*_paragraph("versions", f"unknown: {why}", width, Tone.WARNING)]
    if not check.versions:
        lines = [field("versions", "none on offer")]
    else:
        labels = ["versions", *[""] * (len(check.versions) - 1)]
        lines = [
            field(label, _version_words(version, is_own=check.is_of_cluster(version)))
            for label, version in zip(labels, check.versions, strict=True)
        ]
    if check.versions_problem is not None:
        lines += _paragraph("", f"The list is incomplete. {check.versions_problem.what}", width, Tone.WARNING)
    return lines


def _version_words(version: Version, *, is_own: bool) -> str:
    own = ", as this cluster has" if is_own else ""
    return f"{version.code or '-'}  {version.name or '-'}{own}"


def _paragraph(label: str, text: str, width: int, tone: Tone = Tone.PLAIN) -> list[Line]:
    first, *more = wrapped(text, width - _LABEL)
    return [field(label, first, tone), *(line(" " * _LABEL + each, tone) for each in more)]


def gate_document(gate: UpgradeGate) -> dict[str, Any]:
    """How the gate stands, for scripts: the newest good snapshot opens it `until`."""
    good = gate.newest_good
    counted = None if good is None or gate.until is None else ("end" if gate.ended is not None else "start")
    return {
        "gate": gate.gate.value,
        "reason": gate.reason.value,
        "until": _iso(gate.until),
        "surely_until": _iso(gate.surely_until),
        "counted_from": counted,
        "seconds_left": int(gate.left.total_seconds()) if gate.left is not None else None,
    }


def upgrade_document(check: UpgradeCheck, next_step: str) -> dict[str, Any]:
    """The same for scripts. `gate` is open, shut or unknown; the newest good snapshot opens it `until`."""
    gate, cluster = check.gate, check.cluster
    good = gate.newest_good
    return {
        "cluster": {"name": cluster.name, "number": cluster.number},
        "status": cluster.status,
        "engine": cluster.engine or None,
        **gate_document(gate),
        "newest_good": None
        if good is None
        else {"snapshot": good.snapshot, "at": _iso(good.at) or good.date or None, "ended": _iso(gate.ended)},
        "running": [row.snapshot for row in gate.running],
        "versions": None
        if check.versions is None
        else [_version_document(version, is_own=check.is_of_cluster(version)) for version in check.versions],
        "versions_problem": check.versions_problem.what if check.versions_problem is not None else None,
        "problem": gate.problem.what if gate.problem is not None else None,
        "says": gate_sentence(gate),
        "next_step": next_step or None,
        "at": gate.at.isoformat(),
        "read_at": _iso(gate.read_at),
    }


def pre_check_sentence(asked: PreCheck) -> str:
    """What NCP said when it was asked, or what is not known of that."""
    error, cluster = asked.result.sent.error, asked.result.request.cluster_name or asked.result.request.cluster_number
    if asked.outcome is Outcome.ACCEPTED:
        return f"NCP says yes: an upgrade of {cluster} to {asked.target} may begin."
    what = error.what if error is not None else "NCP gave no reason."
    if asked.outcome is Outcome.REFUSED:
        return f"NCP did not agree to an upgrade of {cluster} to {asked.target}. {what}"
    if asked.outcome is Outcome.NOT_SENT:
        return f"NCP was not asked: nothing was sent. {what}"
    return f"Unknown what NCP says of an upgrade of {cluster} to {asked.target}. {what} {LOST}"


LOST = (
    "The check itself changes nothing that is known, and no read tells its result. It is not repeated by itself: ask "
    "again on purpose."
)
"""What a lost answer means here."""


def pre_check_question(cluster: str, target: str) -> str:
    """What is to be confirmed before NCP is asked."""
    return (
        f"Ask NCP whether {cluster} can be upgraded to {target}? That the check changes nothing is documented nowhere: "
        "it is sent once and written to the journal."
    )


def pre_check_lines(asked: PreCheck, next_step: str, width: int = _UNBROKEN) -> list[Line]:
    """What NCP said, its message as it came, and what to do next; `next_step` is a face's own words for it."""
    tones = {Outcome.ACCEPTED: Tone.GOOD, Outcome.REFUSED: Tone.BAD}
    lines = [
        BLANK,
        *_paragraph("NCP says", pre_check_sentence(asked), width, tones.get(asked.outcome, Tone.WARNING)),
        *_paragraph("message", asked.message or "-", width),
        field("request ID", asked.result.sent.request_id or "-"),
    ]
    return [*lines, *_paragraph("next", next_step, width)] if next_step else lines


def pre_check_document(asked: PreCheck, next_step: str) -> dict[str, Any]:
    """The same for scripts. `outcome` accepted is NCP's yes, refused its no; `message` is NCP's own."""
    sent, error = asked.result.sent, asked.result.sent.error
    return {
        "target": asked.target,
        "region_no": asked.result.request.parameters.get("regionNo"),
        "outcome": asked.outcome.value,
        "message": asked.message or None,
        "request_id": sent.request_id,
        "attempts": sent.attempts,
        "says": pre_check_sentence(asked),
        "error": None
        if error is None
        else {
            "kind": error.kind,
            "status": error.status,
            "code": error.code,
            "message": error.message or error.what,
            "hint": next_step or error.meaning or None,
        },
        **({} if asked.result.journal_problem is None else {"journaled": False}),
    }


def _version_document(version: Version, *, is_own: bool) -> dict[str, Any]:
    return {"code": version.code, "name": version.name, "dashboard": version.dashboard or None, "current": is_own}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
