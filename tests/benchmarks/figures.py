"""One line of the table: what was measured, and what it may be."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured value and its budget, in `unit`; without a budget it is there to be known."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether it stays within the budget; None without one."""
        return None if self.budget is None else self.value <= self.budget

    def row(self) -> str:
        """The line as Markdown."""
        note = f" ({self.note})" if self.note else ""
        verdict = {None: "", True: "met", False: "**missed**"}[self.is_met]
        budget = "" if self.budget is None else _written(self.budget, self.unit)
        return f"| {self.what} | {_written(self.value, self.unit)}{note} | {budget} | {verdict} |"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def _written(value: float, unit: str) -> str:
    places = 2 if unit == "x" else 1 if value % 1 and abs(value) < 100 else 0
    return f"{value:,.{places}f} {unit}".strip()
