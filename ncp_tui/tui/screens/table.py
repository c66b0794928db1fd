"""A screen whose body is one table with a filter and an order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from ncp_tui.problem import Problem
from ncp_tui.tui.messages import BoardWanted, ChoiceMade
from ncp_tui.tui.refresh import CHOICES, Refresher, rhythm_words
from ncp_tui.tui.screens.base import BaseScreen
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.arrangement import Sort, read_sort, sort_name, sort_sentence
from ncp_tui.view.format import as_of
from ncp_tui.view.table import Column
from ncp_tui.view.text import Line

if TYPE_CHECKING:
    from ncp_tui.tui.widgets.inputs import FilterBar


def detail_key(screen: str, tooltip: str) -> Binding:
    """The key for the details of a row, among the own keys of `screen`."""
    return Binding("enter", "open", "Details", show=False, key_display="enter", tooltip=tooltip, id=f"{screen}.detail")


NOTHING_TO_SHOW = "Nothing to show. Press r to try again."
SEE_ABOVE = "{screen}: the last action failed; the card above says why."
MATCHES = "{shown:,} of {total:,} match “{text}”."
UNFILTERED = "No filter: all rows are shown."
LISTED_ORDER = "as NCP lists them"
SORT_HINT = "enter Sort, or reverse   esc Close"
REFRESHED = "Automatic refresh: {rhythm}. It pauses while a form or a dialog is open."

_MINUTE = 60.0
"""Seconds after which what is shown of a list's age has grown."""


class TableScreen(BaseScreen):
    """Rows with a filter (`/`), an order (`o`, `O`) and a cursor that keeps its row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "filter",
            "Filter",
            key_display="/",
            tooltip="Filter rows",
            id="table.filter",
        ),
        Binding("o", "sort", "Sort", tooltip="Choose the column to sort by", id="table.sort"),
        Binding(
            "R",
            "choose_refresh",
            "Auto refresh",
            show=False,
            tooltip="Refresh this list by itself: never, or how often",
            id="table.refresh",
        ),
        Binding(
            "b",
            "board",
            "Board",
            show=False,
            tooltip="The clusters of every profile in one list, worst first",
            id="table.board",
        ),
        Binding("O", "reverse", "Reverse", show=False, tooltip="Reverse sort order", id="table.reverse"),
    ]
    first_pane = "details"
    AUTO_FOCUS = "#table"  # else the filter gets it first, and its keys are painted and painted over
    columns: ClassVar[tuple[Column[Any], ...]] = ()
    row_actions: ClassVar[tuple[str, ...]] = ()
    """Actions that can be taken with some rows and not with others."""
    listed_order: ClassVar[str] = LISTED_ORDER
    """What the order of the rows is called where none is chosen."""
    usual_sort: ClassVar[Sort | None] = None
    """What the rows are sorted by where no order is chosen; None for the order in which they come."""
    refreshes: ClassVar[bool] = False
    """Whether the list can be read again by itself: one that NCP answers for."""

    opens_board: ClassVar[bool] = True
    """Whether `b` opens the board from here."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._unavailable = self.row_actions
        self.read_at: datetime | None = None
        """When what is shown was read."""
        self.refresher = Refresher(self, self.load, session.workspace.monotonic)

    def body(self) -> Iterable[Widget]:
        """The filter, a place for a problem, the table."""
        if not self.panes_deferred:
            from ncp_tui.tui.widgets.inputs import FilterBar

            yield FilterBar()
        yield ProblemCard()
        yield self.new_table()

    async def mount_panes(self) -> None:
        """Add the filter as well."""
        from ncp_tui.tui.widgets.inputs import FilterBar

        await self.mount(FilterBar(), before="#problem")
        await super().mount_panes()
        self.call_after_refresh(self.show_details)

    @property
    def filter_bar(self) -> FilterBar | None:
        """The filter; None until it is there."""
        return cast("FilterBar | None", next(iter(self.query("#filter")), None))

    def new_table(self) -> RecordTable:
        """An empty table with the screen's columns."""
        return RecordTable(self.columns, id="table")

    @property
    def table(self) -> RecordTable:
        """The table."""
        return self.query_one("#table", RecordTable)

    def on_mount(self) -> None:
        chosen = read_sort(self.session.choices.get(self._sort_choice, ""), self.table.columns)
        self.table.sort_by(chosen or self.usual_sort)
        self.table.on_moved = self.show_details
        self.table.focus()
        self.set_interval(_MINUTE, self._grow_older)
        if self.refreshes:
            self.watch(self.app, "app_focus", self.refresher.front, init=False)

    def on_screen_suspend(self) -> None:
        self.refresher.cover(is_covered=True)

    def on_screen_resume(self) -> None:
        self.refresher.cover(is_covered=False)

    def note_read(self, read_at: datetime | None) -> None:
        """A read of the list has ended; it was read then, or, where that is None, it failed."""
        self.read_at = read_at or self.read_at
        self.refresher.choose(self._every)
        self.refresher.ended()
        self.show_as_of()

    @property
    def _every(self) -> int:
        """How often the list is read by itself: kept for each profile."""
        chosen = self.session.choices.get(self._refresh_choice, "")
        return next((every for every in CHOICES if self.refreshes and str(every) == chosen), 0)

    @property
    def _refresh_choice(self) -> str:
        identity = self.session.identity
        return f"refresh.{identity.name}" if identity is not None else "refresh"

    def show_as_of(self) -> None:
        """Say beside the panes how many rows pass the filter, when the list was read, and how often it is read."""
        if self.panes is None or self.read_at is None:
            return
        every = self.refresher.rhythm.every
        rhythm = f", {rhythm_words(every)}" if every else ""
        is_filtered = self.filter_bar is not None and self.filter_bar.value
        shown = f"{self.table.shown:,} of {self.table.total:,} rows, " if is_filtered else ""
        read = as_of(self.read_at, self.session.workspace.now())
        self.panes.show_note(f"{shown}{read}{rhythm}", f"{shown}{read}", read, as_of(self.read_at, self.read_at))

    def _grow_older(self) -> None:
        if self.is_current:
            self.show_as_of()
            self.show_ages()

    def show_ages(self) -> None:
        """Show rows whose age has grown, without a request."""

    def action_choose_refresh(self) -> None:
        from ncp_tui.tui.dialogs.choice import Choice, ChoiceDialog

        choices = [Choice(str(every), rhythm_words(every)) for every in CHOICES]
        dialog = ChoiceDialog("Refresh this list", choices, str(self.refresher.rhythm.every))
        self.app.push_screen(dialog, self._refresh_every)

    def _refresh_every(self, chosen: str | None) -> None:
        if chosen is None:
            return
        self.session.choices[self._refresh_choice] = chosen
        self.post_message(ChoiceMade(self._refresh_choice, chosen))
        self.refresher.choose(int(chosen))
        self.show_as_of()
        self.say(REFRESHED.format(rhythm=rhythm_words(int(chosen))))

    def details(self) -> Sequence[Line]:
        """What is known of the row under the cursor."""
        raise NotImplementedError

    @on(RecordTable.Arranged, "#table")
    def show_details(self) -> None:
        """Have the details pane and the keys follow the cursor, and what becomes known of its row."""
        if self.panes is not None:
            self.panes.show_first(self.details())
            self.show_as_of()
        unavailable = tuple(action for action in self.row_actions if self.why_unavailable(action))
        if unavailable != self._unavailable:
            self._unavailable = unavailable
            self.refresh_bindings()

    def show_problem(self, problem: Problem) -> None:
        """Show a problem above the rows that are known from before."""
        self.show_card(problem)
        self.say(SEE_ABOVE.format(screen=self.path[-1]), "bad")
        if not self.table.total:
            self.table.show([], empty=NOTHING_TO_SHOW)

    def hide_problem(self) -> None:
        """Remove the problem."""
        self.query_one(ProblemCard).clear()

    def action_open(self) -> None:
        """What enter does with the row under the cursor."""
        raise NotImplementedError

    @on(RecordTable.Chosen, "#table")
    def open_chosen(self) -> None:
        self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the filter a slash is text."""
        if action == "filter":
            return self.filter_bar is not None and not self.filter_bar.has_focus
        if action == "choose_refresh" and not self.refreshes:
            return False
        if action == "board" and (self.is_form or not self.opens_board):
            return False
        return super().check_action(action, parameters)

    def action_board(self) -> None:
        self.app.post_message(BoardWanted())

    def action_filter(self) -> None:
        if self.filter_bar is not None:
            self.filter_bar.open()

    @property
    def _sort_choice(self) -> str:
        """Under which name the order of this screen's list is kept."""
        return f"sort.{self.path[-1].lower()}"

    def action_sort(self) -> None:
        """Choose the column; choosing the one in force reverses it."""
        from ncp_tui.tui.dialogs.choice import Choice, ChoiceDialog

        table = self.table
        labels = [column.label for column in table.columns if column.label]
        choices = [Choice("", self.listed_order), *(Choice(label, label) for label in labels)]
        current = table.columns[table.sort.column].label if table.sort is not None else ""
        self.app.push_screen(ChoiceDialog("Sort", choices, current, hint=SORT_HINT), self._sort_by_label)

    def _sort_by_label(self, label: str | None) -> None:
        if label is not None:
            found = read_sort(label, self.table.columns)
            self._sort_by(found and self._turned(found.column))

    def _turned(self, column: int) -> Sort:
        now = self.table.sort
        return Sort(column, now is not None and now.column == column and not now.descending)

    def _sort_by(self, sort: Sort | None) -> None:
        sort = sort or self.usual_sort
        self.table.sort_by(sort)
        self.say(sort_sentence(sort, self.table.columns))
        self.post_message(ChoiceMade(self._sort_choice, sort_name(sort, self.table.columns)))

    def action_reverse(self) -> None:
        now = self.table.sort
        self._sort_by(self._turned(now.column if now is not None else 0))

    @on(RecordTable.HeadClicked, "#table")
    def sort_by_clicked(self, event: RecordTable.HeadClicked) -> None:
        self._sort_by(self._turned(event.column))

    def on_filter_bar_narrowed(self, event: FilterBar.Narrowed) -> None:
        self.table.filter(event.text)
        self.say(self.narrowed_sentence() if event.text else UNFILTERED)

    def narrowed_sentence(self) -> str:
        """How many rows pass the filter."""
        return self.matches(MATCHES)

    def matches(self, sentence: str) -> str:
        """`sentence` with how many rows pass the filter, of how many, and the filter."""
        text = self.filter_bar.value if self.filter_bar is not None else ""
        return sentence.format(shown=self.table.shown, total=self.table.total, text=text)

    def on_filter_bar_left(self) -> None:
        self.table.focus()

    def action_back(self) -> None:
        """Clear the filter first, then leave."""
        if self.filter_bar is not None and self.filter_bar.display:
            self.filter_bar.action_clear()
        else:
            super().action_back()
