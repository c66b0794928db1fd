"""Reading what a request carries: query, page, JSON body and names, so strictly that nothing odd reaches the state."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from ncp_tui.sandbox.answers import Refusal, Refused

DEFAULT_PAGE_SIZE = 10
SNAPSHOT_NAME_LENGTH = 30
SCHEDULE_NAME_LENGTH = 15

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_SHORTEST_NAME = 3
_NUMBER = re.compile(r"[0-9]{1,18}")
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,8}")

Fields = dict[str, Any]
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for: `number` counts from 1."""

    number: int = 1
    size: int = DEFAULT_PAGE_SIZE

    def cut(self, rows: Sequence[_Row]) -> Sequence[_Row]:
        """The rows of this page; none behind the end."""
        first = (self.number - 1) * self.size
        return rows[first : first + self.size]

    def fields(self, total: int) -> Fields:
        """The paging fields that stand beside the list."""
        pages = -(-total // self.size)
        return {
            "currentPage": self.number,
            "pageSize": self.size,
            "totalCount": total,
            "totalPage": pages,
            "isFirst": self.number == 1,
            "isLast": self.number >= pages,
        }


def read_query(query: bytes) -> dict[str, str]:
    """The decoded query; of a parameter given twice the first counts."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace")
    return dict(reversed(pairs))


def read_page(query: Mapping[str, str]) -> Page:
    """`pageNo` and `pageSize`, 1 and 10 when absent or empty. Raises Refused for anything but a number from 1 up."""
    return Page(_page_number(query, "pageNo", 1), _page_number(query, "pageSize", DEFAULT_PAGE_SIZE))


def read_number(text: str) -> str:
    """A service group instance number in canonical form. Raises Refused unless it is one."""
    if not _NUMBER.fullmatch(text):
        raise Refused(Refusal.INVALID_NUMBER)
    return str(int(text))


def read_body(body: bytes) -> Fields:
    """The JSON object in `body`. Raises Refused for anything else, however malformed."""
    try:
        fields = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(Refusal.INVALID_BODY) from None
    if not isinstance(fields, dict):
        raise Refused(Refusal.INVALID_BODY)
    return fields


def read_text(fields: Fields, name: str, refusal: Refusal) -> str:
    """A string field that is not empty. Raises Refused(refusal)."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(refusal)
    return value


def read_snapshot_name(fields: Fields, longest: int, refusal: Refusal) -> str:
    """`snapshotName`: 3 to `longest` of a-z, 0-9 and single hyphens inside, a letter first. Raises Refused(refusal)."""
    name = read_text(fields, "snapshotName", refusal)
    if not _SHORTEST_NAME <= len(name) <= longest or not _NAME.fullmatch(name):
        raise Refused(refusal)
    return name


def _page_number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not _PAGE_NUMBER.fullmatch(text):
        raise Refused(Refusal.INVALID_PAGE)
    return int(text)
