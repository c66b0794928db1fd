"""The root of every error a user may see, because an error here is part of the product and not a stack trace."""

from __future__ import annotations


class Problem(Exception):
    """Something went wrong that the user can be told about in three sentences.

    `what` happened, what it `meaning`s for the work at hand, and the `next_step` to take. `kind` is a stable word for
    scripts (`--json`), never shown alone. None of the texts may hold a secret: they end up in logs and on screens.
    """

    kind = "problem"
    command = ""
    """The command, or the option, that takes the next step: for the command line alone."""

    def __init__(self, what: str, meaning: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.meaning = meaning
        self.next_step = next_step

    def sentences(self) -> str:
        """The whole story on one line, empty parts left out."""
        return " ".join(part for part in (self.what, self.meaning, self.next_step) if part)
