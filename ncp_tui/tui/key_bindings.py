"""Which key takes the next step of a problem, and the one key that sends: one decision, one request.

Terminals report no release of a key. A held one repeats: first after 0.25 to 1 s (X 0.66 s, Windows at most 1 s), then
every 30 to 100 ms, and a connection that stalls brings any number of repeats at once, after any time. So a press counts
as a new one after another key, a click, a paste or an edit; or after a pause, where no repeat follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.timer import Timer

from ncp_tui.problem import NextAction, Problem
from ncp_tui.view import actions

SEND_ID: Final = "send.send"
"""The id of the key on every screen that has it, so that one remapping holds for all of them."""

SEND_KEY: Final = "f2"

PAUSE_SECONDS: Final = 0.8
"""Without the key, before it can be pressed anew: longer than the first repeat takes with the usual settings."""

ALONE_SECONDS: Final = 0.25
"""How long a press after a pause must stay alone: longer than two repeats are apart."""


def send_binding(action: str, description: str, tooltip: str) -> Binding:
    """The binding of the key on one screen."""
    return Binding(SEND_KEY, action, description, tooltip=tooltip, id=SEND_ID)


def send_key_name(screen: Screen[Any]) -> str:
    """What the key is called, as it is mapped now."""
    for active in screen.active_bindings.values():
        if active.binding.id == SEND_ID:
            return screen.app.get_key_display(active.binding)
    return SEND_KEY


class SendKey:
    """What one screen knows of the key: whether it was let go, and what is decided with it."""

    def __init__(
        self, monotonic: Callable[[], float], later: Callable[[float, Callable[[], None]], Timer], *, held: bool = False
    ) -> None:
        """`later` calls a function after some seconds. `held`: the key may be down already, as where it led here."""
        self._monotonic, self._later = monotonic, later
        self._last = monotonic()
        self._is_let_go = not held
        self._is_spent = False
        self._waiting: Timer | None = None

    def press(self, act: Callable[[], None]) -> bool:
        """Take one event of the key: `act` now, or soon where no other one follows. False where the key is held."""
        now, pause = self._monotonic(), self._monotonic() - self._last
        self._last = now
        self._forget()
        if self._is_let_go:
            self._is_let_go = False
            act()
            return True
        if self._is_spent or pause < PAUSE_SECONDS:
            return False
        self._waiting = self._later(ALONE_SECONDS, act)
        return True

    def let_go(self) -> None:
        """Note another key, a click, or a paste."""
        self._is_let_go, self._is_spent = True, False
        self._forget()

    def spend(self) -> None:
        """Note that a request left: no pause makes another one of the same key, only `let_go` does."""
        self._is_let_go, self._is_spent = False, True

    def _forget(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None


def note_input(screen: Screen[Any], event: events.Event) -> None:
    """Tell the screen in front that something else than its sending key came from the user."""
    key = getattr(screen, "send_key", None)
    if not isinstance(key, SendKey) or getattr(event, "is_forwarded", False):
        return
    if isinstance(event, events.Key):
        active = screen.active_bindings.get(event.key)
        if active is None or active.binding.id != SEND_ID:
            key.let_go()
    elif isinstance(event, events.MouseDown | events.Paste):
        key.let_go()


@dataclass(frozen=True)
class KeyPath:
    """The keys to an action: each a binding, by its id and its key, and the last one's screen in words."""

    bindings: tuple[tuple[str, str], ...]
    screen: str = "on the clusters"

    @property
    def words(self) -> str:
        """`p on the clusters, then a`, with the keys that are in force."""
        first, *more = (_in_force.get(name, key) for name, key in self.bindings)
        return f"{first} {self.screen}" + "".join(f", then {key}" for key in more)


_in_force: dict[str, str] = {}


def use_keys(keys: Mapping[str, str]) -> None:
    """Name the user's own `keys`, by binding id, in what is said from now on."""
    _in_force.clear()
    _in_force.update({name: each.partition(",")[0] for name, each in keys.items()})


def key_of(binding: tuple[str, str]) -> str:
    """The key of a binding, given as its id and its usual key, as it is mapped now."""
    name, key = binding
    return _in_force.get(name, key)


RUN_LIST = ("screen.run_list", "w")
CREATE = ("clusters.snapshot", "s")
PROFILES = ("clusters.profiles", "p")
REQUESTS = ("clusters.requests", "u")
SCHEDULE = ("clusters.schedule", "d")
STORAGE_KEY = ("clusters.storage_key", "K")

KEYS: dict[str, KeyPath | None] = {
    "snapshot.create": KeyPath((CREATE,)),
    "snapshot.resolve": KeyPath((REQUESTS,)),
    "snapshot.wait": KeyPath((("clusters.history", "h"),)),
    "snapshot.history": KeyPath((("clusters.history", "h"),)),
    "schedule.show": KeyPath((SCHEDULE,)),
    "storage_key.set": KeyPath((STORAGE_KEY,)),
    "schedule.release": KeyPath((SCHEDULE, ("schedule.release", "x"))),
    "journal.accept_damage": KeyPath((REQUESTS, ("requests.accept", "a"))),
    "profile.choose": KeyPath((PROFILES,)),
    "profile.add": KeyPath((PROFILES, ("profiles.add", "a"))),
    # The form asks these by itself, or says them beside its inputs.
    "snapshot.again": None,
    "snapshot.unwritten": None,
    "create.confirm": None,
    "storage_key.confirm_gateway": None,
    "schedule.again": None,
    "profile.bucket": None,
    # Only a command can.
    "paths.show": None,
    "evidence.output": None,
    "read_only.leave": KeyPath((PROFILES, ("profiles.edit", "e"))),
}
"""How an action is taken here, by its id; None where no key does it."""


def next_words(problem: Problem) -> str:
    """The next step, with the key that takes it."""
    return actions.next_words(problem, _keys)


def problem_words(problem: Problem) -> str:
    """A failure on one line, with the keys of its next steps."""
    return actions.problem_words(problem, _keys)


def _keys(action: NextAction) -> str | None:
    path = KEYS[action.id]
    return path.words if path is not None else None
