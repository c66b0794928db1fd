"""How the board reads: a row a cluster or a profile, worst first, with the time it was read at and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ncp_tui.profiles.profile import Profile
from ncp_tui.snapshots.board import BoardRow, BoardState
from ncp_tui.snapshots.cluster_summary import Look
from ncp_tui.snapshots.fleet import Severity, SharedBucket
from ncp_tui.snapshots.upgrade import judge_gate
from ncp_tui.text import clean, plural
from ncp_tui.view.cluster_summary import Moment, last_good_cell, last_run_cell, next_cell, summary_lines
from ncp_tui.view.fleet import SEVERITY_TONES, shared_bucket_line
from ncp_tui.view.format import ZONE, as_of, clock_time
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Line, Span, Tone, field, line
from ncp_tui.view.upgrade import gate_line

NO_PROFILES = "No profiles saved. Add one on the profiles."
LOADING = "Reading the profiles ..."
NOT_READ_YET = "not read yet"
NO_CLUSTERS = "No clusters in this region."
ALL_CLUSTERS = "(all clusters)"
_FAILED_PROFILES = "profiles"

_UNSEEN = Cell("?", Tone.DIM, is_missing=True)
_RANKS = {Severity.CRITICAL: 0.0, Severity.UNKNOWN: 1.0, Severity.WARNING: 2.0, None: 3.0}
_RANK = 1e12
"""More seconds than any age."""


def _is_seen(row: BoardRow) -> bool:
    """Whether what is shown of the snapshots may look good: it was read, and in whole."""
    return row.severity is not Severity.UNKNOWN


def _doubted(cell: Cell, row: BoardRow) -> Cell:
    """`cell`, without the look of a good one where it could not be read, or not again."""
    if _is_seen(row) or cell.tone is not Tone.GOOD:
        return cell
    return Cell(cell.text if cell.text.endswith("?") else f"{cell.text} ?", Tone.WARNING, cell.sort, cell.is_missing)


def _cluster_cell(row: BoardRow) -> Cell:
    if row.found is None:
        return Cell(ALL_CLUSTERS, Tone.DIM)
    return Cell(row.found.cluster.name or row.found.cluster.number or "(no name)", Tone.STRONG)


def _place(profile: Profile | None) -> str:
    return f"{profile.site}/{profile.region}" if profile is not None else "-"


def _moment(row: BoardRow) -> Moment:
    return Moment(row.now, row.found.bars.max_age) if row.found is not None else Moment(row.now)


def _last_good_cell(row: BoardRow) -> Cell:
    return _doubted(last_good_cell(row.found.summary, _moment(row)), row) if row.found is not None else _UNSEEN


def _last_run_cell(row: BoardRow) -> Cell:
    return _doubted(last_run_cell(row.found.summary), row) if row.found is not None else _UNSEEN


def _next_cell(row: BoardRow) -> Cell:
    return next_cell(row.found.summary, row.now) if row.found is not None else _UNSEEN


def _age(row: BoardRow) -> float:
    """Of the newest good snapshot, in seconds, for an order among rows of one severity."""
    good = row.found.summary.last_good if row.found is not None else None
    return (row.now - good.at).total_seconds() if good is not None and good.at is not None else _RANK / 2


def reason(row: BoardRow) -> str:
    """Why a row is as it is, in whole."""
    if row.problem is not None and row.found is not None:
        return f"Not read again: {row.problem.what}"
    if row.problem is not None:
        return row.problem.what
    if row.state is BoardState.WAITING:
        return NOT_READ_YET
    return row.found.verdict.reason if row.found is not None else NO_CLUSTERS


def problem_cell(row: BoardRow) -> Cell:
    """`CRITICAL: reason`, `LOCKED: reason`; the word comes first, where no cut can take it. `-` where all is well."""
    severity = row.severity
    if severity is Severity.OK:
        return Cell("-", Tone.DIM)
    if severity is None and row.state is not BoardState.WAITING:
        return Cell(reason(row), Tone.DIM, is_missing=True)
    sort = _RANKS[severity] * _RANK - _age(row)
    if severity is None:
        # The clusters of a profile that is being read stand before the profiles whose turn is still to come.
        return Cell(NOT_READ_YET, Tone.DIM, sort=sort if row.found is not None else sort + _RANK)
    word = "LOCKED" if row.state is BoardState.LOCKED and row.found is None else severity.upper()
    notes = row.found.verdict.notes if row.found is not None and severity is Severity.WARNING else ()
    return Cell(f"{word}: {' '.join(notes) or reason(row)}", SEVERITY_TONES[severity], sort=sort)


def read_cell(row: BoardRow) -> Cell:
    """`09:00:12`, when it was read; `failed 09:00:12`, when that was tried in vain; `not yet`, `locked`."""
    at = row.read_at
    sort = at.timestamp() if at is not None else -math.inf
    if row.state is BoardState.LOCKED:
        return Cell("locked" if at is None or row.found is None else f"{clock_time(at)} !", Tone.WARNING, sort=sort)
    if row.state is BoardState.WAITING:
        return Cell("not yet", Tone.DIM, sort=sort)
    if at is None and row.state is BoardState.READ:
        return Cell("no", Tone.DIM, sort=sort)
    if at is None:
        return Cell("failed", Tone.WARNING, sort=sort)
    if row.state is BoardState.FAILED:
        return Cell(f"failed {clock_time(at)}" if row.found is None else f"{clock_time(at)} !", Tone.WARNING, sort=sort)
    if row.found is not None and row.found.summary.look in {Look.FAILED, Look.NO_PERMISSION}:
        return Cell(f"failed {clock_time(at)}", Tone.WARNING, sort=sort)
    return Cell(clock_time(at), sort=sort)


BOARD: Table[BoardRow] = Table(
    (
        Column("PROFILE", lambda row: Cell(row.name), most=16, least=8),
        Column("SITE/REGION", lambda row: Cell(_place(row.profile)), most=11, least=9, room=138),
        Column("CLUSTER", _cluster_cell, most=36, least=12),
        Column("LAST GOOD", _last_good_cell, most=14, least=9, aliases=("age", "good")),
        Column("LAST RUN", _last_run_cell, most=11, least=9),
        Column(f"NEXT ({ZONE})", _next_cell, most=12, least=10, room=98),
        Column("PROBLEM", problem_cell, flex=1, least=12, aliases=("severity",)),
        Column(f"READ ({ZONE})", read_cell, most=15, least=10),
    ),
    key=lambda row: row.key,
    is_dim=lambda row: row.state is BoardState.WAITING,
    empty=NO_PROFILES,
)

WORST_FIRST = next(place for place, column in enumerate(BOARD.on_screen) if column.label == "PROBLEM")
"""The column whose ascending order is that of the board."""


def board_lines(row: BoardRow, key: str = "", shared: Iterable[SharedBucket] = ()) -> list[Line]:
    """A row in whole, for the details pane; `key` is the masked access key, `shared` are buckets that several write."""
    profile = row.profile
    who = f"{row.name}: {profile.site}, region {profile.region}" if profile is not None else row.name
    caller = field("profile", f"{who}{key and f'; key {key}'}")
    severity = row.severity
    word = f"{severity.upper()}: " if severity is not None else ""
    verdict = field("verdict", f"{word}{reason(row)}", SEVERITY_TONES[severity] if severity is not None else Tone.DIM)
    if row.found is None:
        more = [row.problem.meaning, row.problem.next_step] if row.problem is not None else []
        title = (Span(row.name, Tone.STRONG), Span(f"  {ALL_CLUSTERS}", Tone.DIM))
        return [title, verdict, *(line(text) for text in more if text), caller, *_read_lines(row, "tried")]
    cluster = row.found.cluster
    title = (Span(cluster.name or "(no name)", Tone.STRONG), Span(f"  number {cluster.number or '-'}", Tone.DIM))
    known = summary_lines(row.found.summary, _moment(row))
    notes = [line(text, Tone.WARNING) for text in shared_lines(row, shared)]
    return [title, verdict, caller, *_read_lines(row, "read"), *known, *_gate_lines(row), *notes]


def _gate_lines(row: BoardRow) -> list[Line]:
    """How the gate before an upgrade stands; nothing where the history was not read."""
    if row.found is None or row.found.summary.look is Look.NOT_READ:
        return []
    return [gate_line(judge_gate(row.found.cluster, row.found.summary, row.now))]


def _read_lines(row: BoardRow, label: str) -> Sequence[Line]:
    return [field(label, as_of(row.read_at, row.now))] if row.read_at is not None else []


def shared_lines(row: BoardRow, shared: Iterable[SharedBucket]) -> list[str]:
    """That others write the bucket of a cluster, a sentence for each bucket."""
    if row.found is None:
        return []
    cluster = row.found.cluster
    buckets = {each.bucket for each in row.found.summary.rows}
    mine = [one for one in shared if one.bucket in buckets and (cluster.name or cluster.number) in one.clusters]
    return [shared_bucket_line(one) for one in mine]


def counts_sentence(rows: Iterable[BoardRow]) -> tuple[str, bool]:
    """How the whole board stands, and whether that is worth a warning."""
    words = [each.value for each in (Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING, Severity.OK)]
    counts = dict.fromkeys((*words, NOT_READ_YET, "not counted", _FAILED_PROFILES), 0)
    clusters = 0
    for row in rows:
        if row.found is not None:
            clusters += 1
            word = NOT_READ_YET if row.state is BoardState.WAITING else "not counted"
            counts[row.severity.value if row.severity is not None else word] += 1
        elif row.severity is not None:
            counts[_FAILED_PROFILES] += 1
    failed = counts.pop(_FAILED_PROFILES)
    said = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count or word in words)
    more = f"; {plural(failed, 'profile')} not read" if failed else ""
    is_bad = bool(failed or counts[Severity.CRITICAL] or counts[Severity.UNKNOWN])
    return f"{plural(clusters, 'cluster')}: {said}{more}.", is_bad


def locked_sentence(names: Sequence[str], key: str) -> str:
    """That profiles are locked, and the key that has one unlocked; empty where none is."""
    if not names:
        return ""
    what = f"Profile {clean(names[0])} is" if len(names) == 1 else f"{plural(len(names), 'profile')} are"
    return f"{what} locked and not read: {key} asks to unlock."
