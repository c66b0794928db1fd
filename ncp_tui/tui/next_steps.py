"""The next steps of a problem as keys of the screens."""

from __future__ import annotations

from dataclasses import dataclass

from ncp_tui.problem import NextAction, Problem
from ncp_tui.view import actions


@dataclass(frozen=True)
class KeyPath:
    """The keys to an action: each a binding, by its id and its key, and the last one's screen in words."""

    bindings: tuple[tuple[str, str], ...]
    screen: str = "on the clusters"

    @property
    def words(self) -> str:
        """`p on the clusters, then a`."""
        first, *more = (key for _, key in self.bindings)
        return f"{first} {self.screen}" + "".join(f", then {key}" for key in more)


PROFILES = ("clusters.profiles", "p")
REQUESTS = ("clusters.requests", "u")

KEYS: dict[str, KeyPath | None] = {
    "snapshot.resolve": KeyPath((REQUESTS,)),
    "snapshot.wait": KeyPath((("clusters.history", "h"),)),
    "snapshot.history": KeyPath((("clusters.history", "h"),)),
    "journal.accept_damage": KeyPath((REQUESTS, ("requests.accept", "a"))),
    "profile.choose": KeyPath((PROFILES,)),
    "profile.add": KeyPath((PROFILES, ("profiles.add", "a"))),
    # The form asks these by itself, or says them beside its inputs.
    "snapshot.again": None,
    "snapshot.unwritten": None,
    "create.confirm": None,
    "profile.bucket": None,
    # Only a command can.
    "paths.show": None,
    "evidence.output": None,
    "read_only.leave": KeyPath((PROFILES, ("profiles.edit", "e"))),
}
"""How an action is taken here, by its id; None where no key does it."""


def next_words(problem: Problem) -> str:
    """The next step for whoever presses keys."""
    return actions.next_words(problem, _keys)


def problem_words(problem: Problem) -> str:
    """A failure for whoever presses keys."""
    return actions.problem_words(problem, _keys)


def _keys(action: NextAction) -> str | None:
    path = KEYS[action.id]
    return path.words if path is not None else None
