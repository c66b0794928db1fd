"""What is typed faster than the screen follows waits for its turn, so that it acts on what the keys before it led to.

Textual hands a key to the widget that has the focus, and a key that this widget does not take comes back to the app
through the queues of all that the widget is in. Keys that came meanwhile have gone to the same widget by then: of a tab
and a secret key that arrive together, as over a slow line, the secret key is shown in the field before (measured, and
more often on a busy machine). A screen that has just been opened has no focus yet, and a Select takes its own back
several messages after the enter that chose.

Only a question is not answered ahead: what was typed before it could be seen was not meant for it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from textual import events
from textual.app import App
from textual.dom import DOMNode

ROUNDS: Final = 3
"""How often the way from the focus to the app is gone after a key. The first is the key's own, with what it runs; the
choice of a Select takes two more until the focus is back."""


LONGEST_SECONDS: Final = 5.0
"""How long a key may hold up the next one: a widget that takes nothing any more must not make all of them deaf."""


class TypedAhead:
    """Hands keys, pastes and clicks to the app one after the other, each when the one before has had its effect."""

    def __init__(self, app: App[Any], deliver: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._deliver = deliver
        self._waiting: deque[tuple[events.Event, DOMNode]] = deque()
        """What the user did, and the screen that was in front then."""
        self._is_busy = False
        self._delivered = 0.0

    async def take(self, event: events.Event) -> bool:
        """Whether `event` is one of those that have to wait for each other; it is delivered now, or in its turn."""
        kinds = (events.Key, events.Paste, events.MouseDown, events.MouseUp)
        if not isinstance(event, kinds) or event.is_forwarded or (self._is_busy and self._is_urgent(event)):
            return False
        self._waiting.append((event, self._screen()))
        if not self._is_busy or time.monotonic() - self._delivered > LONGEST_SECONDS:
            await self._next()
        return True

    def _is_urgent(self, event: events.Event) -> bool:
        """Whether it is a key that has to work whatever hangs, such as the one that quits."""
        if not isinstance(event, events.Key) or not self._app.screen_stack:
            return False
        active = self._app.screen.active_bindings.get(event.key)
        return active is not None and active.binding.priority

    async def _next(self) -> None:
        self._is_busy = bool(self._waiting)
        if self._waiting:
            event, seen = self._waiting.popleft()
            start, self._delivered = self._front(), time.monotonic()
            if not self._answers_unseen(event, seen):
                await self._deliver(event)
            self._follow(start, ROUNDS)

    def _answers_unseen(self, event: events.Event, seen: DOMNode) -> bool:
        """Whether it would answer a question that came up after it was typed; esc answers any with a no."""
        now = self._screen()
        is_no = isinstance(event, events.Key) and event.key == "escape"
        return now is not seen and getattr(now, "is_question", False) and not is_no

    def _screen(self) -> DOMNode:
        return self._app.screen if self._app.screen_stack else self._app

    def _front(self) -> DOMNode:
        """Who is handed a key now."""
        return (self._app.screen_stack and self._app.focused) or self._screen()

    def _follow(self, node: DOMNode, rounds: int) -> None:
        """Go the way of a key from `node` to the app, behind everything that waits in each queue.

        A screen takes nothing out of its queue before it is mounted.
        """
        on_the_way: DOMNode | None = node
        while on_the_way is not None and on_the_way is not self._app:
            above = on_the_way.parent
            if on_the_way.call_later(self._follow, above or self._app, rounds):
                return
            on_the_way = above  # it has been removed meanwhile
        if rounds > 1:
            self._app.call_later(self._again, rounds - 1)
        else:
            self._app.call_later(self._next)

    def _again(self, rounds: int) -> None:
        self._follow(self._front(), rounds)
