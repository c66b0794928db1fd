"""A table of values is one test, and a failure names every row that is wrong rather than the first."""

from __future__ import annotations

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

Test = Callable[..., Any]
Ids = Iterable[str] | Callable[[Any], object] | None
_Row = type(pytest.param())


def each_row(names: str | Sequence[str], rows: Iterable[Any], ids: Ids = None) -> Callable[[Test], Test]:
    """Run a test once for each row, as one item; what it takes is what `pytest.mark.parametrize` takes.

    For functions without fixtures that one row could leave changed for the next. A row that is wrong does not stop
    the ones after it: all are raised together, each with a note that says which it is.
    """
    columns = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    is_alone = isinstance(names, str) and len(columns) == 1
    table = _rows_by_name(columns, [(row,) if is_alone and not isinstance(row, _Row) else row for row in rows], ids)

    def decorate(test: Test) -> Test:
        if inspect.iscoroutinefunction(test):

            @functools.wraps(test)
            async def run(*args: Any, **kwargs: Any) -> None:
                wrong = _WrongRows()
                for name, row in table.items():
                    with wrong.collected(name):
                        await test(*args, **row, **kwargs)
                wrong.raise_together(len(table))
        else:

            @functools.wraps(test)
            def run(*args: Any, **kwargs: Any) -> None:
                wrong = _WrongRows()
                for name, row in table.items():
                    with wrong.collected(name):
                        test(*args, **row, **kwargs)
                wrong.raise_together(len(table))

        signature = inspect.signature(test)
        fixtures = [parameter for name, parameter in signature.parameters.items() if name not in columns]
        run.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        return run

    return decorate


def _rows_by_name(columns: Sequence[str], rows: Sequence[Any], ids: Ids) -> Mapping[str, Mapping[str, Any]]:
    """Each row under what a failure calls it: its own id, or its values."""
    if not rows:
        raise ValueError("a table without rows tests nothing")
    own = [] if ids is None or callable(ids) else list(ids)
    table: dict[str, Mapping[str, Any]] = {}
    for number, row in enumerate(rows, 1):
        name, values = "", row
        if isinstance(row, _Row):
            if row.marks:
                raise ValueError(f"a row of a table has no marks of its own: {row}")
            name, values = str(row.id or ""), row.values
        elif own:
            name = own[number - 1]
        elif callable(ids):
            name = "-".join(str(ids(value)) for value in values)
        named = dict(zip(columns, values, strict=True))
        name = name or ", ".join(f"{column}={reprlib.repr(value)}" for column, value in named.items())
        table[f"{number} ({name})"] = named
    return table


class _WrongRows:
    """What the rows of one table raised."""

    def __init__(self) -> None:
        self._errors: dict[str, Exception] = {}

    @contextmanager
    def collected(self, row: str) -> Iterator[None]:
        try:
            yield
        except pytest.fail.Exception as failure:  # no Exception, which a table around this one would let through
            self._errors[row] = AssertionError(failure.msg).with_traceback(failure.__traceback__)
        except Exception as error:  # noqa: BLE001  raised with the others
            self._errors[row] = error
        if row in self._errors:
            self._errors[row].add_note(f"in row {row}")

    def raise_together(self, count: int) -> None:
        if self._errors:
            raise ExceptionGroup(
                f"{len(self._errors)} of {count} rows are wrong: {'; '.join(self._errors)}",
                list(self._errors.values()),
            )
