"""The root of every error a user may see, because an error here is part of the product and not a stack trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class NextAction:
    """A next step that this program itself can take, by the `id` of the action and what it is about.

    `view.actions` says what each is for; the command line renders it as a command, the screens as a key.
    """

    id: str
    arguments: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Problem(Exception):
    """Something went wrong that the user can be told about in three sentences.

    `what` happened, what it `meaning`s for the work at hand, and the `next_step` to take. `kind` is a stable word for
    scripts (`--json`), never shown alone. None of the texts may hold a secret: they end up in logs and on screens. None
    names a key, a command or an option either, which only one face has: for those there are `actions`.
    """

    kind = "problem"

    def __init__(self, what: str, meaning: str = "", next_step: str = "", *actions: NextAction) -> None:
        super().__init__(what)
        self.what = what
        self.meaning = meaning
        self.next_step = next_step
        self.actions = actions

    def sentences(self) -> str:
        """The whole story on one line but for the `actions`, empty parts left out."""
        return " ".join(part for part in (self.what, self.meaning, self.next_step) if part)
