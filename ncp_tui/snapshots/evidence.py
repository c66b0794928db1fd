"""All that is known about one snapshot name, in one file for a support ticket, with no key in it.

An answer is in it as it came, so that whoever reads the file can judge it again and must come to the same verdict.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ncp_tui
from ncp_tui.gateway.classify import classify_answer, payload_of
from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.credentials import SecretKey, mask_access_key
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import MASKED, Exchange
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.search_engine.operations import CREATE_SNAPSHOT, OPERATIONS, Effect
from ncp_tui.session_log.log import Action, SessionLog
from ncp_tui.session_log.log_file import read_log
from ncp_tui.session_log.records import Line, asked_of
from ncp_tui.snapshots.history_match import Asked, Match, Whose, best_match
from ncp_tui.snapshots.journal import Journal, JournalProblem
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import VERDICT_OF, Outcome, Verdict, outcome_of, outcome_of_class
from ncp_tui.system.paths import Paths
from ncp_tui.system.private_files import create_private_file
from ncp_tui.system.redact import redact
from ncp_tui.system.time_zone import KST, timestamp
from ncp_tui.text import json_text


@dataclass(frozen=True)
class Create:
    """One create request that is on record: when it was made, what it proves, and what was said of it."""

    at: datetime | None
    outcome: Outcome
    said: str
    bucket: str = ""


@dataclass(frozen=True)
class Conclusion:
    """What became of the newest create of a name. `outcome` is None where no create is on record here."""

    verdict: Verdict
    outcome: Outcome | None
    resolved_by: str | None
    """`journal`, `answer` or `history`; None where it is unknown."""
    finished: str | None
    """`success` or `failed`; None where that is not known."""
    why: tuple[str, ...]


def verdict_of(
    asked: Asked,
    entries: Sequence[JournalEntry],
    creates: Sequence[Create],
    history: Sequence[HistoryEntry] | None,
    looked_at: datetime,
) -> Conclusion:
    """Judge the newest create of `asked`, by its name and cluster; `history` was read at `looked_at`.

    The newest record is asked first: the journal, since it also knows what was resolved later, unless a request on
    record left after all that the journal tells of; and where that leaves it open, the history. A row that can be this
    create is never explained away: where the record says that nothing was started, it is unknown.
    """
    later = _left_after(entries, creates)
    if later:
        entries = ()
    outcome, by, why = _on_record(asked.name, entries, creates)
    reasons = [why]
    found = _match(asked, entries, creates, history, looked_at)
    row = found.row if found is not None and found.whose is Whose.OURS else None
    if found is None and history is not None:
        reasons.append("The history has no row of that name. It may lag: that alone proves nothing.")
    elif found is not None:
        reasons.append(_of_row(found))
        refused = outcome in {Outcome.REFUSED, Outcome.NOT_SENT}
        if found.whose is Whose.OURS and outcome in {None, Outcome.UNKNOWN}:
            outcome, by = Outcome.ACCEPTED, "history"
        elif found.whose is not Whose.NOT_OURS and refused:
            reasons.append("Who requested that row is unknown: a request that is not in the journal may have.")
            outcome, row = Outcome.UNKNOWN, None
    state = entries[-1].state if entries else None
    if row is not None and row.state in {SnapshotState.SUCCESS, SnapshotState.FAILED}:
        state = row.state.value
    verdict = Verdict.UNKNOWN if outcome is None else VERDICT_OF[outcome]
    return Conclusion(verdict, outcome, by if verdict is not Verdict.UNKNOWN else None, state, tuple(reasons))


def outcome_of_kind(kind: str | None, *, sent: bool) -> Outcome:
    """What the `kind` of a create's error proves; None is a confirmed success. An unknown kind proves nothing."""
    if kind is None:
        return Outcome.ACCEPTED
    found = next((error for error in _kinds(GatewayError) if error.kind == kind), None)
    if found is None:
        return Outcome.UNKNOWN if sent else Outcome.NOT_SENT
    return outcome_of_class(found)


def _on_record(
    name: str, entries: Sequence[JournalEntry], creates: Sequence[Create]
) -> tuple[Outcome | None, str | None, str]:
    if entries:
        entry = entries[-1]
        return (
            entry.outcome,
            "journal",
            f"The journal's create of {entry.at.astimezone(KST):%Y-%m-%d %H:%M:%S} KST: {_last_event(entry)}.",
        )
    if creates:
        create = creates[-1]
        at = f" of {create.at.astimezone(KST):%Y-%m-%d %H:%M:%S} KST" if create.at else ""
        return create.outcome, "answer", f"The create request{at}: {create.said}"
    return None, None, f"This machine has no record of a request for {name}."


def _last_event(entry: JournalEntry) -> str:
    """The newest line, its time and id apart."""
    event = entry.events[-1]
    said = ", ".join(f"{key} {value}" for key, value in event.items() if key not in {"id", "fact", "at"} and value)
    return f"{event['fact']}{f' ({said})' if said and event is not entry.events[0] else ''}"


def _left_after(entries: Sequence[JournalEntry], creates: Sequence[Create]) -> bool:
    """Whether the newest request on record left after everything the journal has about requests."""
    if not entries or not creates or creates[-1].at is None:
        return False
    about_requests = {JournalEvent.BEGUN, JournalEvent.SENT, JournalEvent.ANSWERED, JournalEvent.OUTCOME}
    told = [_moment(event.get("at")) for event in entries[-1].events if event.get("fact") in about_requests]
    newest = max((at for at in told if at is not None), default=entries[-1].at)
    return creates[-1].at > newest


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _match(
    asked: Asked,
    entries: Sequence[JournalEntry],
    creates: Sequence[Create],
    history: Sequence[HistoryEntry] | None,
    looked_at: datetime,
) -> Match | None:
    """The row that tells most of the newest create."""
    if entries:
        asked = Asked.by(entries[-1]).on_clock(asked.clock_offset)
    elif creates and creates[-1].at is not None:
        asked = replace(asked, at=creates[-1].at, bucket=creates[-1].bucket)
    return best_match(asked, history or (), looked_at)


def _of_row(found: Match) -> str:
    row = found.row
    at = f" at {row.when}" if row.when else ""
    said = f"The history has a row of that name{at}: {row.message or row.state.value}."
    if found.whose is Whose.OURS:
        return said
    return (
        f"{said} {'It may be this snapshot' if found.whose is Whose.MAY_BE else 'It is another snapshot'}: {found.why}."
    )


def _kinds(error: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield error
    for below in error.__subclasses__():
        yield from _kinds(below)


FORMAT = 1
"""Of the file; it grows when a member changes its meaning."""

MOST_OF_A_BODY = 64 * 1024
"""Characters kept of an answer that only read something. The answer to a create is kept whole: it is the evidence."""

_ABOUT_ONE_CLUSTER = {CREATE_SNAPSHOT, "getSnapshotHistory"}
_NOT_FOR_A_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_NAME = 64


class CannotWriteEvidence(Problem):
    """The file was not written, and nothing that was there was touched."""

    kind = "cannot_write_evidence"


@dataclass(frozen=True)
class Evidence:
    """What was found about `snapshot`. `history` is its rows, newest first; None where it was not read."""

    snapshot: str
    made_at: datetime
    cluster_name: str = ""
    cluster_number: str = ""
    identity: Identity | None = None
    clock_offset: ClockOffset | None = None
    entries: Sequence[JournalEntry] = ()
    """The creates that the journal tells of, oldest first."""
    exchanges: Sequence[Exchange] = ()
    """The requests of this run about it, in full."""
    lines: Sequence[Line] = ()
    """The lines of the session log on disk about it."""
    history: Sequence[HistoryEntry] | None = None
    gaps: Sequence[str] = field(default=())
    """What could not be read, in sentences."""

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """The journal's lines about it."""
        return [event for entry in self.entries for event in entry.events]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known here of the name."""
        return not (self.events or self.exchanges or self.lines or self.history)

    @property
    def conclusion(self) -> Conclusion:
        """What became of the newest create, and why that is known."""
        offset = self.clock_offset.seconds if self.clock_offset else None
        asked = Asked(self.cluster_number, self.snapshot, cluster_name=self.cluster_name, clock_offset=offset)
        creates = sorted(self._creates(), key=lambda create: (create.at is not None, create.at))
        return verdict_of(asked, self.entries, creates, self.history, self.made_at)

    def _creates(self) -> Iterator[Create]:
        for line in self.lines:
            if line.get("operation") == CREATE_SNAPSHOT and _asks_for(line.get("asked"), self.snapshot):
                outcome = outcome_of_kind(line.get("error"), sent=line.get("sent") is not False)
                if outcome is Outcome.REFUSED and line.get("may_have_acted") is not False:
                    outcome = Outcome.UNKNOWN  # a 404 in HTML has the kind of one that the gateway gave, and no proof
                bucket = _bucket_of(line.get("asked"))
                yield Create(_moment(line.get("time")), outcome, str(line.get("outcome") or ""), bucket)
        for exchange in self.exchanges:
            if exchange.operation == CREATE_SNAPSHOT and _asks_for(asked_of(exchange), self.snapshot):
                outcome = Outcome(judged(exchange)["outcome"])
                bucket = _bucket_of(asked_of(exchange))
                yield Create(exchange.at, outcome, exchange.error_text or "confirmed", bucket)


def gather_evidence(
    name: str, paths: Paths, *, made_at: datetime, log: SessionLog | None = None, cluster: str = ""
) -> Evidence:
    """What this machine knows of the snapshot `name`; `cluster`, a name or a number, leaves those of others out.

    It blocks on the disk. What cannot be read is one of the `gaps`. Identity, clock and history are for the caller to
    add, with `dataclasses.replace`.
    """
    gaps: list[str] = []
    entries = _entries_about(paths, name, cluster, gaps)
    newest = entries[-1].request if entries else None
    number = newest.cluster_number if newest else cluster if cluster.isdigit() else ""
    only = number if cluster else ""
    lines = lines_about(_session_log(paths, gaps), name, only)
    exchanges = exchanges_about(log, name, only) if log else []
    return Evidence(
        snapshot=name,
        made_at=made_at,
        cluster_name=newest.cluster_name if newest else "" if number else cluster,
        cluster_number=number or _number_of_newest(lines, exchanges),
        entries=entries,
        exchanges=exchanges,
        lines=lines,
        gaps=gaps,
    )


def _entries_about(paths: Paths, name: str, cluster: str, gaps: list[str]) -> list[JournalEntry]:
    """The journal's creates of `name`, on `cluster` (a name or a number) if one is given."""
    try:
        contents = Journal(paths).contents()
    except JournalProblem as problem:
        gaps.append(problem.what)
        return []
    if contents.damage is not None:
        gaps.append(f"The journal is damaged: {contents.damage.summary}; {contents.damage.touched}.")
    return [
        entry
        for entry in contents.entries
        if entry.request.name == name and cluster in {"", entry.request.cluster_number, entry.request.cluster_name}
    ]


def lines_about(lines: Iterable[Line], name: str, number: str = "") -> list[Line]:
    """The lines of every action, of whatever run, that has to do with `name` (on the cluster `number`)."""
    actions: dict[object, list[Line]] = {}
    for line in lines:
        actions.setdefault((line.get("run"), line.get("action")), []).append(line)
    kept = []
    for found in actions.values():
        named = any(_names(str(line.get("title")), name) or _asks_for(line.get("asked"), name) for line in found)
        requests = [(line.get("operation"), str(line.get("target"))) for line in found]
        if named and _on_cluster(requests, number):
            kept += found
    return kept


def exchanges_about(log: SessionLog, name: str, number: str = "") -> list[Exchange]:
    """The requests of every action of this run that has to do with `name` (on the cluster `number`)."""
    found: list[Exchange] = []
    for action in tuple(log.actions):
        exchanges = tuple(action.exchanges)
        requests = [(exchange.operation, exchange.request.target) for exchange in exchanges]
        if _is_about(action, exchanges, name) and _on_cluster(requests, number):
            found += exchanges
    return found


def write_evidence(
    evidence: Evidence,
    target: Path | None = None,
    *,
    secrets: Iterable[SecretKey] = (),
    access_keys: Iterable[str] = (),
) -> Path:
    """Write the bundle, readable by the user alone, and return where it is: `target`, or a new file in this folder.

    `secrets` and `access_keys` are all those known to the program. It blocks on the disk. Raises CannotWriteEvidence,
    also where `target` is there already.
    """
    path = target or Path(file_name(evidence))
    try:
        path = path.absolute()  # which needs the folder this runs in, and that may have been removed
        create_private_file(path, evidence_text(evidence, secrets=secrets, access_keys=access_keys).encode())
    except OSError as error:
        why = "it is there already" if isinstance(error, FileExistsError) else os.strerror(error.errno or 0)
        raise CannotWriteEvidence(
            f"{path} was not written: {why}.",
            "Nothing that was there was touched.",
            "Choose another file.",
            NextAction("evidence.output"),
        ) from None
    return path


def evidence_text(evidence: Evidence, *, secrets: Iterable[SecretKey], access_keys: Iterable[str] = ()) -> str:
    """The bundle as it is written: JSON that is inert on a terminal and holds none of the secrets."""
    masks = {key: mask_access_key(key) for key in access_keys} | {secret.reveal(): MASKED for secret in secrets}
    return json_text(redact(evidence_document(evidence), masks), indent=2) + "\n"


def file_name(evidence: Evidence) -> str:
    """`evidence-<snapshot>-<time>.json`, whatever the snapshot is called."""
    safe = _NOT_FOR_A_FILE_NAME.sub("_", evidence.snapshot)[:_LONGEST_NAME]
    return f"evidence-{safe}-{evidence.made_at:%Y%m%d-%H%M%S}.json"


def evidence_document(evidence: Evidence) -> dict[str, Any]:
    """The bundle before the secrets are taken out of it: never to be written as it is."""
    return {
        "evidence": FORMAT,
        "made_at": timestamp(evidence.made_at),
        "snapshot": evidence.snapshot,
        "cluster": {"name": evidence.cluster_name or None, "number": evidence.cluster_number or None},
        "verdict": dataclasses.asdict(evidence.conclusion),
        "program": {
            "ncp-tui": ncp_tui.__version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "httpx": version("httpx"),
        },
        "profile": None if evidence.identity is None else _profile(evidence.identity),
        "clock_offset": None if evidence.clock_offset is None else dataclasses.asdict(evidence.clock_offset),
        "gaps": list(evidence.gaps),
        "journal": list(evidence.events),
        "requests": [exchange_document(exchange) for exchange in evidence.exchanges],
        "session_log": list(evidence.lines),
        "history": None if evidence.history is None else [_row(row) for row in evidence.history],
    }


def exchange_document(exchange: Exchange) -> dict[str, Any]:
    """A request and its answer in full. The keys are masked already where the request was recorded."""
    request, answer = exchange.request, exchange.answer
    operation = OPERATIONS.get(exchange.operation)
    is_read = operation is not None and operation.effect is Effect.READ
    document: dict[str, Any] = {
        "at": timestamp(exchange.at),
        "operation": exchange.operation,
        "boolean": operation is not None and operation.boolean,
        "attempt": exchange.attempt,
        "sent": exchange.sent,
        "via_proxy": exchange.via_proxy,
        "request_id": exchange.request_id,
        "seconds": dataclasses.asdict(exchange.timings),
        "request": dataclasses.asdict(request),
        "answer": None,
        "error": {"kind": exchange.error, "text": exchange.error_text} if exchange.error else None,
        "judged": judged(exchange),
    }
    if answer is not None:
        # As it came and not made inert, which would change it: the file's own escapes do that.
        body = answer.body.decode("utf-8-sig", errors="replace")
        kept = body[:MOST_OF_A_BODY] if is_read else body
        document["answer"] = {
            "status": answer.status,
            "reason": answer.reason,
            "headers": answer.headers,
            "body": kept,
            "bytes": answer.size,
            "whole": kept == body and not answer.forgotten,
        }
    return document


def judged(exchange: Exchange) -> dict[str, Any]:
    """What the answer, or its absence, amounts to: the error's class and kind, and whether it may have had an effect.

    `outcome` is a write's; a read has none.
    """
    operation = OPERATIONS.get(exchange.operation)
    is_write = operation is None or operation.effect is not Effect.READ
    error: GatewayError | None = None
    if exchange.answer is not None and exchange.answer.forgotten:
        outcome = Outcome.ACCEPTED  # only what was a confirmed success is forgotten
    elif exchange.answer is not None:
        boolean = operation is not None and operation.boolean
        error = classify_answer(exchange.answer, payload_of(exchange.answer), boolean=boolean)
        outcome = Outcome.ACCEPTED if error is None else outcome_of(error)
    else:
        outcome = outcome_of_kind(exchange.error, sent=exchange.sent)
    return {
        "class": type(error).__name__ if error else None,
        "kind": error.kind if error else exchange.error,
        "code": error.code if error else None,
        "message": error.message if error else None,
        "may_have_acted": is_write and outcome in {Outcome.ACCEPTED, Outcome.UNKNOWN},
        "outcome": outcome.value if is_write else None,
    }


def _profile(identity: Identity) -> dict[str, Any]:
    profile = identity.profile
    return {
        "name": identity.name,
        "source": identity.source,
        "access_key": identity.masked_access_key,
        "site": profile.site,
        "region": profile.region,
        "gateway": profile.endpoint().origin,
    }


def _row(row: HistoryEntry) -> dict[str, Any]:
    return {"at": row.at.isoformat() if row.at else row.date or None, "state": row.state.value, "raw": dict(row.raw)}


def _session_log(paths: Paths, gaps: list[str]) -> Sequence[Line]:
    try:
        return read_log(paths.session_log_file)
    except OSError as error:
        gaps.append(f"The session log could not be read: {os.strerror(error.errno or 0)}.")
        return []


def _is_about(action: Action, exchanges: Iterable[Exchange], name: str) -> bool:
    creates = (exchange for exchange in exchanges if exchange.operation == CREATE_SNAPSHOT)
    return _names(action.title, name) or any(_asks_for(asked_of(exchange), name) for exchange in creates)


def _names(title: str, name: str) -> bool:
    """Whether a title has the name as a word of its own; `daily` is not in `create snapshot daily-2`."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", title) is not None


def _asks_for(asked: Any, name: str) -> bool:
    return isinstance(asked, Mapping) and asked.get("snapshotName") == name


def _bucket_of(asked: Any) -> str:
    found = asked.get("bucketName") if isinstance(asked, Mapping) else None
    return found if isinstance(found, str) else ""


def _on_cluster(requests: Iterable[tuple[Any, str]], number: str) -> bool:
    targets = [target.partition("?")[0] for operation, target in requests if operation in _ABOUT_ONE_CLUSTER]
    return not number or not targets or any(target.endswith(f"/{number}") for target in targets)


def _number_of_newest(lines: Iterable[Line], exchanges: Iterable[Exchange]) -> str:
    """The cluster of the newest create, from the end of its target."""
    found = [str(line.get("target")) for line in lines if line.get("operation") == CREATE_SNAPSHOT]
    found += [exchange.request.target for exchange in exchanges if exchange.operation == CREATE_SNAPSHOT]
    return found[-1].partition("?")[0].rpartition("/")[2] if found else ""
