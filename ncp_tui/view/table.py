"""The columns of a table, each with what its cells say: on the screen and, as plain text, in a command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from ncp_tui.view.text import Cell, Row, text_table

T = TypeVar("T")


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column: as wide as its content up to `most`; with `flex`, it takes its share of what is left."""

    label: str
    cell: Callable[[T], Cell]
    """What stands in it about one object."""
    most: int = 24
    flex: int = 0
    least: int = 4
    room: int = 0
    """The table's width from which on the column is shown at all; the detail of a row has everything."""
    aliases: tuple[str, ...] = ()
    """Other names by which a filter may call it."""
    on_screen: bool = True
    in_commands: bool = True


@dataclass(frozen=True)
class Table(Generic[T]):
    """How a list of one kind of object reads."""

    columns: tuple[Column[T], ...]
    key: Callable[[T], str]
    """What stays the same when an object is loaded again."""
    is_dim: Callable[[T], bool] = lambda _: False
    empty: str = ""
    """What stands in its place where NCP lists none."""

    @cached_property
    def on_screen(self) -> tuple[Column[T], ...]:
        """The columns that the screens show."""
        return tuple(column for column in self.columns if column.on_screen)

    def row(self, item: T) -> Row:
        """One object as a line on the screen."""
        return Row(self.key(item), tuple([each.cell(item) for each in self.on_screen]), dim=self.is_dim(item))

    def text(self, items: Iterable[T]) -> str:
        """The list as a command prints it."""
        columns = [column for column in self.columns if column.in_commands]
        rows = [[column.cell(item).text for column in columns] for item in items]
        return text_table([column.label for column in columns], rows)


def gap_sentence(gap: str, of: str = "") -> str:
    """That a list, `of` something, is cut off or contradicts itself, so that rows may be missing."""
    return f"{of}: this list is incomplete. {gap}" if of else f"This list is incomplete. {gap}"
