"""Work that grows with an answer, done a little at a time: a key that is pressed meanwhile has its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

SLICE = 40
"""Rows that are made at once: 0.6 ms."""


async def in_slices(make: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What `make` makes of each of `items`, giving way after every SLICE of them."""
    made = list[R]()
    for item in items:
        made.append(make(item))
        if len(made) % SLICE == 0:
            await asyncio.sleep(0)
    return made
