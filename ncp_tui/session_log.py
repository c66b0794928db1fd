"""What happened in this run, as data: each action of the user and, under it, the requests it really made."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ncp_tui.gateway import Exchange, Problem

MOST_ACTIONS = 1_000
"""Actions kept in memory; watching a snapshot for a day makes far fewer."""

MOST_EXCHANGES = 200
"""Requests kept of one action, the first half and the newest: watching a snapshot for a day makes 5,760."""


@dataclass
class Action:
    """Something the user, or the program on the user's behalf, set out to do."""

    title: str
    number: int
    started: datetime
    exchanges: list[Exchange] = field(default_factory=list)
    outcome: str = ""
    failed: bool = False
    background: bool = False
    """Not asked for by the user just now: listed, but nothing jumps to it."""


_current: ContextVar[Action | None] = ContextVar("action", default=None)


class SessionLog:
    """The actions of this run, oldest first, with a way to be told of changes."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.actions: deque[Action] = deque(maxlen=MOST_ACTIONS)
        self._listeners: list[Callable[[Action, Exchange | None], None]] = []
        self._numbers = itertools.count(1)
        self._now = now

    @contextmanager
    def action(self, title: str, *, background: bool = False) -> Iterator[Action]:
        """Group every request made inside under one action.

        Tasks started inside belong to it as well. A Problem that ends it, or being cancelled, becomes its outcome and
        goes on.
        """
        action = Action(title, next(self._numbers), self._now(), background=background)
        self.actions.append(action)
        self._tell(action)
        token = _current.set(action)
        try:
            yield action
        except Problem as problem:
            action.failed = True
            action.outcome = action.outcome or problem.what
            raise
        except asyncio.CancelledError:
            action.outcome = action.outcome or "Cancelled."
            raise
        finally:
            _current.reset(token)
            self._tell(action)

    def record(self, exchange: Exchange) -> None:
        """Add a request to the action it was made in; one made outside of any gets an action of its own."""
        action = _current.get()
        if action is None:
            action = Action(exchange.operation, next(self._numbers), self._now())
            self.actions.append(action)
        action.exchanges.append(exchange)
        if len(action.exchanges) > MOST_EXCHANGES:
            del action.exchanges[MOST_EXCHANGES // 2]
        self._tell(action, exchange)

    def subscribe(self, listener: Callable[[Action, Exchange | None], None]) -> Callable[[], None]:
        """Have `listener(action, exchange)` called after each change; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, action: Action, exchange: Exchange | None = None) -> None:
        for listener in tuple(self._listeners):
            listener(action, exchange)
