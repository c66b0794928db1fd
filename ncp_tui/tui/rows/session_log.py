"""The session log: each action in a line, and its requests below it where it made several."""

from __future__ import annotations

from collections.abc import Sequence

from ncp_tui.gateway import Exchange
from ncp_tui.session_log import Action
from ncp_tui.text import clean
from ncp_tui.tui.cells import Cell, Row, Tone
from ncp_tui.view.quantities import clock_time, milliseconds

LogLine = tuple[Row, Exchange | None]


class LogLines:
    """The lines of the session log. Those of an action are made again when it has changed: a log may have thousands."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[object, list[LogLine]]] = {}

    def of(self, actions: Sequence[Action]) -> list[LogLine]:
        """The newest action first: in one line, or with its requests below it when it made several."""
        before, self._made = self._made, {}
        for action in actions:
            # Requests that are the same objects are told from others without looking into them.
            state = (list(action.exchanges), action.outcome, action.failed)
            known = before.get(action.number)
            is_known = known is not None and known[0] == state
            self._made[action.number] = known if known is not None and is_known else (state, _lines_of(action))
        return [line for action in reversed(actions) for line in self._made[action.number][1]]


def action_rows(actions: Sequence[Action]) -> list[LogLine]:
    """The session log, newest action first: in one line, or with its requests below it when it made several."""
    return LogLines().of(actions)


def _lines_of(action: Action) -> list[LogLine]:
    exchanges = action.exchanges
    if len(exchanges) == 1:
        return [(_exchange_row(action.number, 0, exchanges[0], action.title), exchanges[0])]
    word = Cell(f"{len(exchanges)} requests" if exchanges else (action.outcome or "..."), _action_tone(action))
    time = Cell(clock_time(action.started), Tone.DIM)
    return [
        (Row(f"{action.number}", (time, Cell(action.title), word, Cell(""))), None),
        *[
            (_exchange_row(action.number, index, exchange, f"  {exchange.operation} {target_end(exchange)}"), exchange)
            for index, exchange in reversed(list(enumerate(exchanges)))
        ],
    ]


def exchange_word(exchange: Exchange) -> Cell:
    """The status of a request in a word or number, with the tone of what it means."""
    if exchange.error == "cancelled":
        return Cell("stopped", Tone.DIM)
    if exchange.status is None:
        return Cell("no answer" if exchange.sent else "not sent", Tone.BAD)
    return Cell(str(exchange.status), Tone.BAD if exchange.error else Tone.GOOD)


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
