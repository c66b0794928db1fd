"""What happened in this run, as data: each action of the user and, under it, the requests it really made."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ncp_tui.gateway.exchange import Exchange
from ncp_tui.problem import Problem

MOST_ACTIONS = 200
"""Actions kept in memory; the log on disk has all of them."""

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
    """Not requested by the user just now: listed, but nothing jumps to it."""
    ended: datetime | None = None
    """None while it runs, and for a request that was made outside of any action."""
    error: str | None = None
    """The `kind` of the problem it ended in."""
    profile: str = ""
    """Whom its requests were made as; empty before the first."""
    requests: int = 0
    """How many were made, those no longer kept included."""


Listener = Callable[["Action", "Exchange | None"], None]

LARGE_BODY = 4 * 1024
"""Bytes from which the body of a good answer is forgotten some day. Smaller ones, and failures, stay."""

MOST_LARGE_BYTES = 2 * 1024 * 1024
"""Bytes of such bodies that are kept, the newest of them; the newest one however large it is."""

_current: ContextVar[Action | None] = ContextVar("action", default=None)


class SessionLog:
    """The actions of this run, oldest first, with a way to be told of changes."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.actions: deque[Action] = deque(maxlen=MOST_ACTIONS)
        self._large: deque[tuple[Action, Exchange]] = deque()
        self._large_bytes = 0
        self.listener_failure: Exception | None = None
        """The first exception of a listener. It is kept for whoever runs the log to report, and does nothing here."""
        self._listeners: list[Listener] = []
        self._numbers = itertools.count(1)
        self._now = now

    @contextmanager
    def action(self, title: str, *, background: bool = False) -> Iterator[Action]:
        """Group every request made inside under one action.

        Tasks started inside belong to it as well. Whatever ends it (a Problem, a bug, being cancelled) becomes its
        outcome and is raised on.
        """
        action = Action(title, next(self._numbers), self._now(), background=background)
        self.actions.append(action)
        self._tell(action)
        token = _current.set(action)
        try:
            yield action
        except Problem as problem:
            action.failed, action.error = True, problem.kind
            action.outcome = action.outcome or problem.what
            raise
        except (asyncio.CancelledError, KeyboardInterrupt):
            action.outcome = action.outcome or "Cancelled."
            raise
        except Exception as bug:
            # Its text is left out: it was made for nobody's eyes and may quote anything.
            action.failed, action.error = True, "bug"
            action.outcome = action.outcome or f"Internal error: {type(bug).__name__}."
            raise
        finally:
            _current.reset(token)
            action.ended = self._now()
            self._tell(action)

    def _keep(self, action: Action, exchange: Exchange) -> None:
        """Forget the oldest large bodies where there are too many: 10,000 refreshes would hold 160 MiB."""
        answer = exchange.answer
        if answer is None or exchange.error is not None or answer.size < LARGE_BODY:
            return
        self._large.append((action, exchange))
        self._large_bytes += answer.size
        while self._large_bytes > MOST_LARGE_BYTES and len(self._large) > 1:
            old, found = self._large.popleft()
            if found.answer is not None:
                self._large_bytes -= found.answer.size
                shorter = replace(found, answer=found.answer.without_body())
                old.exchanges[:] = [shorter if each is found else each for each in old.exchanges]

    def record(self, exchange: Exchange, profile: str = "") -> None:
        """Add a request, made as `profile`, to its action; one made outside of any gets an action of its own.

        Never raises: it is called between an answer and what is made of it, and the answer must not be lost here.
        """
        action = _current.get()
        if action is None:
            action = Action(exchange.operation, next(self._numbers), self._now())
            self.actions.append(action)
        action.profile = profile or action.profile
        action.requests += 1
        action.exchanges.append(exchange)
        self._keep(action, exchange)
        if len(action.exchanges) > MOST_EXCHANGES:
            del action.exchanges[MOST_EXCHANGES // 2]
        self._tell(action, exchange)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener(action, exchange)` called after each change; the returned function ends that.

        A listener that raises is called again at the next change; the first exception is `listener_failure`.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, action: Action, exchange: Exchange | None = None) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(action, exchange)
            except Exception as failure:  # noqa: BLE001 - whatever a listener does, the request it hears of was made
                self.listener_failure = self.listener_failure or failure
