"""A test that is a table must be as strict as one for each row: without this, a whole table could be green unseen."""

from __future__ import annotations

import inspect

import pytest

from tests.tables import each_row


def test_every_wrong_row_is_named() -> None:
    met: list[tuple[int, int]] = []

    @each_row("given, expected", [(1, 1), (2, 3), pytest.param(4, 5, id="the last")])
    def compare(given: int, expected: int) -> None:
        met.append((given, expected))
        assert given == expected

    with pytest.RaisesGroup(AssertionError, AssertionError) as caught:
        compare()
    assert met == [(1, 1), (2, 3), (4, 5)]
    assert "2 of 3 rows are wrong: 2 (given=2, expected=3); 3 (the last)" in str(caught.value)
    assert [error.__notes__ for error in caught.value.exceptions] == [
        ["in row 2 (given=2, expected=3)"],
        ["in row 3 (the last)"],
    ]


async def test_tables_nest_and_may_wait() -> None:
    met: list[tuple[int, int, str]] = []

    @each_row("one", [1, 2])
    @each_row(("two",), [(3,), (4,)], ids=["three", "four"])
    async def meet(one: int, two: int, fixture: str) -> None:
        met.append((one, two, fixture))
        if two > 3:
            pytest.fail("no")

    assert list(inspect.signature(meet).parameters) == ["fixture"]
    with pytest.raises(ExceptionGroup, match="2 of 2 rows are wrong"):
        await meet(fixture="f")
    assert met == [(1, 3, "f"), (1, 4, "f"), (2, 3, "f"), (2, 4, "f")]


def test_what_is_no_table() -> None:
    with pytest.raises(ValueError, match="without rows"):
        each_row("one", [])
    with pytest.raises(ValueError, match="no marks"):
        each_row("one", [pytest.param(1, marks=pytest.mark.slow)])
    with pytest.raises(ValueError, match="zip"):
        each_row("one, two", [(1, 2, 3)])
