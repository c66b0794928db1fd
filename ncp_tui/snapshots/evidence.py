"""All that is known here about one snapshot name: the journal, this run, the session log, and the history."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.exchange import Exchange
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.search_engine.operations import CREATE_SNAPSHOT
from ncp_tui.session_log.log import Action, SessionLog
from ncp_tui.session_log.log_file import read_log
from ncp_tui.session_log.records import Line, asked_of
from ncp_tui.snapshots.conclusion import Conclusion, Create, judged, moment, outcome_of_kind, verdict_of
from ncp_tui.snapshots.history_match import Asked
from ncp_tui.snapshots.inventory import Inventory
from ncp_tui.snapshots.journal import Journal, JournalProblem
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.system.paths import Paths

_ABOUT_ONE_CLUSTER = {CREATE_SNAPSHOT, "getSnapshotHistory"}


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
    def inventory(self) -> Inventory | None:
        """What the cluster held before the newest create; None where the journal does not say."""
        return self.entries[-1].inventory if self.entries else None

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
                yield Create(moment(line.get("time")), outcome, str(line.get("outcome") or ""), bucket)
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
