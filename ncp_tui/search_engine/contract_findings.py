"""What a comparison with the contract comes to: what differs, what is certain now, and what stays doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.search_engine.contract_check import Reading


class DifferenceKind(StrEnum):
    """In what an answer is not as believed."""

    UNKNOWN_FIELD = "unknown_field"
    MISSING = "missing_field"
    OTHER_NAME = "other_name"
    OTHER_TYPE = "other_type"
    UNKNOWN_WORD = "unknown_word"
    NOT_UNDERSTOOD = "not_understood"
    """A word or a text that decides something, and from which nothing can be read."""
    OTHER_FORMAT = "other_format"
    OTHER_ORDER = "other_order"
    OTHER_PAGE = "other_page"
    OTHER_COUNT = "other_count"
    OTHER_CLUSTER = "other_cluster"
    REFUSED = "refused"


class FactKind(StrEnum):
    """What is certain now."""

    FIELDS = "fields"
    """The names and types of a row."""
    PRESENCE = "presence"
    """Whether a doubtful field is there."""
    WORDS = "words"
    FORMAT = "format"
    ORDER = "order"
    PAGE_SIZE = "page_size"
    COUNT = "count"
    KEY_NOT_SET = "key_not_set"
    STATES = "states"
    """How the messages of the history are read."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as believed. `believed` and `seen` are words or names, which may be those of the user."""

    operation: str
    kind: DifferenceKind
    path: str
    believed: str = ""
    seen: tuple[str, ...] = ()
    count: int = 0
    """In how many of `of` objects."""
    of: int = 0
    name: str = ""
    """Of an unknown field: its name as it came, which may hold dots."""

    @property
    def is_addition(self) -> bool:
        """Whether it takes nothing away from what is believed."""
        return self.kind is DifferenceKind.UNKNOWN_FIELD


@dataclass(frozen=True)
class Fact:
    """One thing that was seen, and is certain now."""

    operation: str
    kind: FactKind
    path: str = ""
    seen: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class Doubt:
    """What stays doubtful after this check."""

    operation: str
    path: str
    question: str


@dataclass(frozen=True)
class Comparison:
    """What came of one operation."""

    operation: str
    readings: tuple[Reading, ...]
    differences: tuple[Difference, ...] = ()
    facts: tuple[Fact, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def problem(self) -> GatewayError | None:
        """Why it could not be read, where it could not."""
        return next((each.problem for each in self.readings if not each.is_answer), None)
