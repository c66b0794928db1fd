"""What the tables say about each object: pure functions from a domain object to cells, without any UI import.

State is said in words; the tone only repeats it, so nothing is lost without colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from ncp_tui.gateway import Exchange, clean
from ncp_tui.profiles import Identity
from ncp_tui.search_engine import Bucket, Cluster, HistoryEntry, SnapshotState
from ncp_tui.session_log import Action

_KILO = 1024
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


class Tone(StrEnum):
    """How a cell is coloured, by meaning; the theme decides on the colour."""

    PLAIN = "plain"
    STRONG = "strong"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    DIM = "dim"


@dataclass(frozen=True)
class Cell:
    """One cell: inert text and its tone. `sort` orders a column where its text would not."""

    text: str
    tone: Tone = Tone.PLAIN
    sort: float | str | None = None


@dataclass(frozen=True)
class Row:
    """One line of a table. `key` stays the same when the object is loaded again, so the cursor can stay too."""

    key: str
    cells: tuple[Cell, ...]
    dim: bool = False

    def matches(self, text: str) -> bool:
        """Whether any cell contains `text`, in any case."""
        wanted = text.casefold()
        return any(wanted in cell.text.casefold() for cell in self.cells)


_STATUS_TONES = {
    "running": Tone.GOOD,
    "creating": Tone.WARNING,
    "changing": Tone.WARNING,
    "working": Tone.WARNING,
    "error": Tone.BAD,
    "deleting": Tone.DIM,
    "return": Tone.DIM,
}
_HEALTH_TONES = {
    "green": Tone.GOOD,
    "yellow": Tone.WARNING,
    "orange": Tone.WARNING,
    "red": Tone.BAD,
    "gray": Tone.DIM,
}
_STATE_WORDS = {
    SnapshotState.SUCCESS: ("ok", Tone.GOOD),
    SnapshotState.FAILED: ("failed", Tone.BAD),
    SnapshotState.RUNNING: ("running", Tone.WARNING),
    SnapshotState.UNKNOWN: ("unclear", Tone.WARNING),
}


def status_cell(status: str) -> Cell:
    """A cluster's status; one that nobody knows is shown verbatim."""
    return Cell(status or "-", _STATUS_TONES.get(status.lower(), Tone.PLAIN))


def health_cell(health: str) -> Cell:
    """A cluster's health; one that nobody knows is shown verbatim."""
    return Cell(health or "-", _HEALTH_TONES.get(health.lower(), Tone.PLAIN))


def state_cell(entry: HistoryEntry) -> Cell:
    """What the history proves about a snapshot, in one word."""
    word, tone = _STATE_WORDS[entry.state]
    return Cell(word, tone)


def cluster_row(cluster: Cluster, last: Cell) -> Row:
    """A line of the clusters screen; `last` is the cell about the cluster's newest snapshot."""
    name_tone = Tone.STRONG if cluster.allowed else Tone.DIM
    if not cluster.allowed:
        last = Cell("no access", Tone.DIM)
    cells = (
        Cell(cluster.name or "(no name)", name_tone),
        status_cell(cluster.status),
        health_cell(cluster.health),
        Cell(cluster.engine or "-"),
        Cell(cluster.nodes or "-"),
        last,
    )
    return Row(cluster.number or cluster.name, cells, dim=not cluster.allowed)


def last_snapshot_cell(entry: HistoryEntry | None, now: datetime) -> Cell:
    """`2 h ago ok`, or `never`."""
    if entry is None:
        return Cell("never", Tone.WARNING, sort=0.0)
    state = state_cell(entry)
    when = age(entry.at, now) if entry.at else "?"
    return Cell(f"{when} {state.text}", state.tone, sort=entry.sort_key[0])


def history_row(entry: HistoryEntry) -> Row:
    """A line of the history screen."""
    when = entry.at.strftime("%Y-%m-%d %H:%M:%S") if entry.at else "-"
    cells = (
        Cell(when, sort=entry.sort_key[0]),
        Cell(entry.snapshot or "-", Tone.STRONG),
        state_cell(entry),
        Cell(entry.bucket or "-"),
        Cell((entry.kind or "-").lower()),
        Cell(entry.duration or "-"),
        Cell(entry.message or "-", Tone.DIM if entry.state is SnapshotState.SUCCESS else Tone.PLAIN),
    )
    return Row(f"{entry.index}/{entry.snapshot}/{when}", cells)


def bucket_row(bucket: Bucket) -> Row:
    """A line of the bucket list; why a bucket cannot be used stands beside it."""
    use = Cell("usable", Tone.GOOD) if bucket.usable else Cell(bucket.reason, Tone.BAD)
    cells = (
        Cell(bucket.name, Tone.STRONG if bucket.usable else Tone.DIM),
        Cell(size(bucket.bytes_used), sort=bucket.bytes_used or 0),
        Cell("-" if bucket.objects is None else f"{bucket.objects:,}", sort=bucket.objects or 0),
        use,
    )
    return Row(bucket.name, cells, dim=not bucket.usable)


def identity_row(identity: Identity, *, current: bool, default: bool, tested: Cell) -> Row:
    """A line of the profiles screen."""
    profile = identity.profile
    marks = [word for word, on in (("in use", current), ("default", default)) if on]
    marks += [word for word, on in (("read-only", profile.read_only), ("protected", profile.protected)) if on]
    cells = (
        Cell(identity.name, Tone.STRONG),
        Cell(f"{profile.zone}/{profile.region}"),
        Cell(profile.masked_access_key),
        Cell(identity.source),
        tested,
        Cell(", ".join(marks), Tone.GOOD if current else Tone.DIM),
    )
    return Row(identity.name, cells)


def exchange_word(exchange: Exchange) -> Cell:
    """The status of a request in a word or number, with the tone of what it means."""
    if exchange.error == "cancelled":
        return Cell("stopped", Tone.DIM)
    if exchange.status is None:
        return Cell("no answer" if exchange.sent else "not sent", Tone.BAD)
    return Cell(str(exchange.status), Tone.BAD if exchange.error else Tone.GOOD)


def action_rows(actions: Sequence[Action]) -> list[tuple[Row, Exchange | None]]:
    """The session log, newest action first: in one line, or with its requests below it when it made several."""
    lines: list[tuple[Row, Exchange | None]] = []
    for action in reversed(actions):
        exchanges = action.exchanges
        if len(exchanges) == 1:
            lines.append((_exchange_row(action.number, 0, exchanges[0], action.title), exchanges[0]))
            continue
        word = Cell(f"{len(exchanges)} requests" if exchanges else (action.outcome or "..."), _action_tone(action))
        time = Cell(clock_time(action.started), Tone.DIM)
        lines.append((Row(f"{action.number}", (time, Cell(action.title), word, Cell(""))), None))
        lines += [
            (_exchange_row(action.number, index, exchange, f"  {exchange.operation} {target_end(exchange)}"), exchange)
            for index, exchange in reversed(list(enumerate(exchanges)))
        ]
    return lines


def target_end(exchange: Exchange) -> str:
    """What distinguishes requests of one operation: the cluster's number and the page."""
    path, _, query = exchange.request.target.partition("?")
    number = path.rpartition("/")[2]
    page = next((part for part in query.split("&") if part.startswith("pageNo=") and part != "pageNo=1"), "")
    return clean(" ".join(part for part in (number if number.isdigit() else "", page) if part))


def _action_tone(action: Action) -> Tone:
    return Tone.BAD if action.failed else Tone.DIM


def _exchange_row(action: int, index: int, exchange: Exchange, title: str) -> Row:
    cells = (
        Cell(clock_time(exchange.at), Tone.DIM),
        Cell(title),
        exchange_word(exchange),
        Cell(milliseconds(exchange.timings.total), Tone.DIM),
    )
    return Row(f"{action}.{index}", cells)


def clock_time(moment: datetime) -> str:
    """Local wall-clock time, as the operator's watch shows it."""
    return moment.astimezone().strftime("%H:%M:%S")


def milliseconds(seconds: float | None) -> str:
    """`182 ms`, or `2.41 s` from one second on."""
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def size(count: int | None) -> str:
    """Bytes in the largest unit below a thousand or so: `1.2 kB`, as object stores show them."""
    if count is None:
        return "-"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(value) < _KILO:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _KILO
    return f"{value:.1f} PB"


def age(moment: datetime, now: datetime) -> str:
    """`now`, `5 min ago`, `2 h ago`, `3 d ago`."""
    seconds = (now.astimezone(UTC) - moment.astimezone(UTC)).total_seconds()
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min ago"
    return f"{seconds // _HOUR:.0f} h ago" if seconds < _DAY else f"{seconds // _DAY:.0f} d ago"


def elapsed(seconds: float) -> str:
    """`12 s`, `3 min 20 s`, `1 h 02 min`."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
