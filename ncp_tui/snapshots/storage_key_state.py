"""What the bucket list tells of a cluster's storage key: that one is set, and never which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import Problem
from ncp_tui.search_engine.operations import KEY_NOT_SET, is_key_missing
from ncp_tui.text import plural

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine


class KeyState(StrEnum):
    """What the bucket list says of a cluster's storage key. It never says which key it is."""

    SET = "set"
    NOT_SET = "not set"
    """NCP answered with code 10115."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class KeyRead:
    """What one read of the bucket list said."""

    at: datetime
    state: KeyState
    buckets: int = 0
    problem: Problem | None = None

    @classmethod
    def of(cls, at: datetime, buckets: int, problem: Problem | None) -> KeyRead:
        """What `buckets` in the list, or why there is none, amount to; an empty list tells nothing."""
        if problem is not None:
            return cls(at, KeyState.NOT_SET if is_key_missing(problem) else KeyState.UNKNOWN, 0, problem)
        return cls(at, KeyState.SET if buckets else KeyState.UNKNOWN, buckets)

    @property
    def sentence(self) -> str:
        """The same for a person."""
        if self.state is KeyState.SET:
            return f"The bucket list opens, with {plural(self.buckets, 'bucket')}: a key is set. It cannot say which."
        if self.state is KeyState.NOT_SET:
            return f"NCP says that no key is set (code {KEY_NOT_SET})."
        why = self.problem.what if self.problem is not None else "It is empty."
        return f"The bucket list does not tell whether a key is set. {why}"

    def document(self) -> dict[str, object]:
        """The same for scripts."""
        opens = {KeyState.SET: True, KeyState.NOT_SET: False}.get(self.state)
        return {"at": self.at.isoformat(), "key": self.state.value, "opens": opens, "buckets": self.buckets or None}


async def read_key(engine: SearchEngine, number: str, now: Callable[[], datetime]) -> KeyRead:
    """Read the bucket list of the cluster `number`; a failure is told in what is returned."""
    try:
        buckets = await engine.list_buckets(number)
    except GatewayError as problem:
        return KeyRead.of(now(), 0, problem)
    return KeyRead.of(now(), len(buckets), None)


async def look_at_key(engine: SearchEngine, number: str) -> KeyRead:
    """The same, but a failure that tells nothing of the key is raised."""
    read = await read_key(engine, number, engine.now)
    if read.state is KeyState.UNKNOWN and read.problem is not None:
        raise read.problem
    return read


WHICH_IS_NOT_TOLD: Final = "a key is set; whether it is the new one cannot be read."


def proves_new_key(read: KeyRead | None, *, was_missing: bool) -> bool:
    """Whether the bucket list proves that a key that was sent is set.

    It does where NCP said just before that there `was_missing` one, nothing else may have set it, and the list opens.
    """
    return was_missing and read is not None and read.state is KeyState.SET


def told_of_new_key(read: KeyRead | None, looks: int, *, was_missing: bool) -> tuple[str, str]:
    """What `looks` at the bucket list tell of a key that was sent and not confirmed, and what to do next."""
    if proves_new_key(read, was_missing=was_missing):
        return f"the bucket list opens, and just before NCP said that no key was set (code {KEY_NOT_SET}).", ""
    if read is not None and read.state is KeyState.SET:
        return WHICH_IS_NOT_TOLD, "If in doubt set it again, then mark this request as resolved."
    if read is not None and read.state is KeyState.NOT_SET:
        said = f"in {plural(looks, 'check')} NCP said that no key is set (code {KEY_NOT_SET})."
        return said, "That is no proof: the request may still take effect. Look at the buckets again in a few minutes."
    return "the bucket list does not tell whether a key is set.", "Look at the buckets again in a few minutes."
