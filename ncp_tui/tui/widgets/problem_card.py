"""A problem in three sentences: what happened, what it means, what to do next."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.widgets import Static

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import Problem
from ncp_tui.tui.key_bindings import next_words
from ncp_tui.tui.terminal.charset import escape


class ProblemCard(Static):
    """A box that is shown only while there is a problem."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"problem--what", "problem--next"}

    def __init__(self) -> None:
        super().__init__("", markup=False, id="problem")
        self.display = False

    def show(self, problem: Problem) -> None:
        """Show `problem`."""
        text = Text()
        text.append(escape(problem.what), self.get_component_rich_style("problem--what", partial=True))
        if problem.meaning:
            text.append(f"\n{escape(problem.meaning)}")
        if step := next_words(problem):
            text.append(f"\n{escape(step)}", self.get_component_rich_style("problem--next", partial=True))
        if isinstance(problem, GatewayError) and problem.request_id:
            text.append(f"\nRequest ID: {problem.request_id}")
        self.update(text)
        self.display = True

    def clear(self) -> None:
        """Hide it."""
        self.display = False
