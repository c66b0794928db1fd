"""The session log: each action in a line, and its requests below it where it made several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ncp_tui.gateway.exchange import Exchange
from ncp_tui.session_log.log import Action
from ncp_tui.text import clean, plural
from ncp_tui.view.exchanges import exchange_word
from ncp_tui.view.format import clock_time, milliseconds
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Row, Tone


@dataclass(frozen=True)
class LogEntry:
    """An action, or one of its requests: `index` counts those, and is None for the action itself."""

    action: Action
    exchange: Exchange | None = None
    index: int | None = None

    @property
    def is_alone(self) -> bool:
        """Whether it is the one request of its action, which stands for both."""
        return self.exchange is not None and len(self.action.exchanges) == 1


def _time_cell(entry: LogEntry) -> Cell:
    return Cell(clock_time(entry.exchange.at if entry.exchange is not None else entry.action.started), Tone.DIM)


def _what_cell(entry: LogEntry) -> Cell:
    if entry.exchange is None or entry.is_alone:
        return Cell(entry.action.title)
    return Cell(f"  {entry.exchange.operation} {target_end(entry.exchange)}")


def _status_cell(entry: LogEntry) -> Cell:
    if entry.exchange is not None:
        return exchange_word(entry.exchange)
    action = entry.action
    word = plural(len(action.exchanges), "request") if action.exchanges else (action.outcome or "...")
    return Cell(word, Tone.BAD if action.failed else Tone.DIM)


def _duration_cell(entry: LogEntry) -> Cell:
    return Cell("") if entry.exchange is None else Cell(milliseconds(entry.exchange.timings.total), Tone.DIM)


SESSION_LOG: Table[LogEntry] = Table(
    (
        Column("time", _time_cell, most=8),
        Column("what", _what_cell, flex=1, least=8),
        Column("status", _status_cell, most=10),
        Column("duration", _duration_cell, most=7, room=52),
    ),
    key=lambda entry: f"{entry.action.number}" + ("" if entry.index is None else f".{entry.index}"),
)

LogLine = tuple[Row, Exchange | None]


class LogLines:
    """The lines of the session log. Those of an action are made again when it has changed: a log may have thousands."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[object, list[LogLine]]] = {}

    def of(self, actions: Sequence[Action]) -> list[LogLine]:
        """The newest action first: in one line, or with its requests below it when it made several."""
        before, self._made = self._made, {}
        for action in actions:
            # The same request objects are recognised without looking into them.
            state = (list(action.exchanges), action.outcome, action.failed)
            known = before.get(action.number)
            is_known = known is not None and known[0] == state
            self._made[action.number] = known if known is not None and is_known else (state, _lines_of(action))
        return [line for action in reversed(actions) for line in self._made[action.number][1]]


def _lines_of(action: Action) -> list[LogLine]:
    requests = [LogEntry(action, exchange, index) for index, exchange in enumerate(action.exchanges)]
    entries = requests if len(requests) == 1 else [LogEntry(action), *reversed(requests)]
    return [(SESSION_LOG.row(entry), entry.exchange) for entry in entries]


def target_end(exchange: Exchange) -> str:
    """What distinguishes requests of one operation: the cluster's number and the page."""
    path, _, query = exchange.request.target.partition("?")
    number = path.rpartition("/")[2]
    page = next((part for part in query.split("&") if part.startswith("pageNo=") and part != "pageNo=1"), "")
    return clean(" ".join(part for part in (number if number.isdigit() else "", page) if part))
