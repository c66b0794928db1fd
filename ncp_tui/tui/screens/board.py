"""The board: the clusters of every saved profile in one list, worst first. It asks for no key by itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.snapshots.board import BoardRow, BoardState, Changes
from ncp_tui.snapshots.cluster_summary import MOST_FAILED_LOOKS
from ncp_tui.snapshots.fleet import Bars, NotChecked, Wanted, saved_profiles
from ncp_tui.snapshots.fleet_reading import Caller, Pace, ProfileReading, read_profiles
from ncp_tui.system.blocking import SLICE, in_slices, run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.text import plural
from ncp_tui.tui.key_bindings import key_of
from ncp_tui.tui.messages import ClusterWanted
from ncp_tui.tui.refresh import Refresher
from ncp_tui.tui.screens.cluster_table import TOGETHER_SECONDS, TOGETHER_SECONDS_OF_MANY
from ncp_tui.tui.screens.table import TableScreen
from ncp_tui.tui.session import Session
from ncp_tui.view.arrangement import Sort
from ncp_tui.view.board import BOARD, LOADING, WORST_FIRST, board_lines, counts_sentence, locked_sentence
from ncp_tui.view.text import Line, Row, Tone, line

if TYPE_CHECKING:
    from ncp_tui.tui.dialogs.copyable import Copyable

AT_ONCE, PROFILES_AT_ONCE = 2, 5
"""Requests of a profile on their way, and profiles that are read, at the same time.

Where so many profiles are read, one request of each: what is on its way has to be read before the next key.
"""

FRESH = timedelta(minutes=1)
"""What was read within the last minute is not read again by opening the board."""

_COMPARING_SECONDS = 10.0

UNLOCK = ("board.unlock", "l")
READING = "Reading {profiles} ..."
NO_ROW = "No row selected."
NONE_LOCKED = "No profile is locked."
NO_SUCH_PROFILE = "Profile {name} cannot be read: it cannot be switched to."
SLOW_DISK = "Profiles could not be read within {seconds:g} s."


class BoardScreen(TableScreen):
    """Every cluster of every saved profile, and every profile that could not be read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Go to", tooltip="Switch to its profile and go to this cluster", id="board.open"),
        Binding(UNLOCK[1], "unlock", "Unlock", tooltip="Unlock the key of a locked profile and read it", id=UNLOCK[0]),
    ]
    path = ("Board",)
    columns = BOARD.on_screen
    listed_order = "worst first"
    usual_sort = Sort(WORST_FIRST)
    refreshes = True
    opens_board = False
    sometimes_unavailable = ("unlock",)

    @dataclass
    class Begun(Message):
        """It is known which profiles there are; these are the rows that are known from before."""

        rows: list[Row]
        profiles: int

    @dataclass
    class RowsRead(Message):
        """More is known of one profile."""

        changes: Changes

    @dataclass
    class Ended(Message):
        """Everything has been read that could be, or the profiles themselves could not."""

        counts: tuple[str, bool] = ("", False)
        problem: Problem | None = None

    @dataclass
    class Unlocked(Message):
        """The user was asked to unlock a key."""

        names: list[str] = field(default_factory=list)
        problem: Problem | None = None

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.board = session.board
        self.refresher = Refresher(self, self.read_again, session.workspace.monotonic)
        self._identities: dict[str, Identity] = {}
        self._locked = 0
        self._has_first = False
        self._opened = time.monotonic()
        self._changed: set[str] = set()
        self._gone: set[str] = set()

    def on_mount(self) -> None:
        self.table.show([], empty=LOADING)

    @property
    def _refresh_choice(self) -> str:
        return "refresh-board"  # a dot, as before the name of a profile, would make it that of one

    def load(self) -> None:
        """Read what was not read within the last minute."""
        self.read_board()

    def action_reload(self) -> None:
        self.read_again()

    def read_again(self) -> None:
        """Read every profile again."""
        self.read_board(every=True)

    @work(group="board", exclusive=True, exit_on_error=False, description="read the board")
    async def read_board(self, *, every: bool = False, also: Sequence[str] = ()) -> None:
        """Read the profiles, a few at a time, and tell of each page and each history as it comes."""
        session, board = self.session, self.board
        try:
            identities, missing = await self._find_profiles()
        except Problem as problem:
            self.post_message(self.Ended(problem=problem))
            return
        self._identities = {each.name: each for each in identities}
        board.begin([each.profile for each in identities], missing)
        now = session.workspace.now()
        due = [each for each in identities if every or each.name in also or board.is_due(each.name, now, FRESH)]
        for each in due:
            board.start(each.name)
        rows = await in_slices(self._row, list(board.row_keys()))
        self.post_message(self.Begun([row for row in rows if row is not None], len(due)))
        at_once = AT_ONCE if len(due) < PROFILES_AT_ONCE else 1
        pace = Pace(at_once, PROFILES_AT_ONCE, MOST_FAILED_LOOKS, session.until_user_rests)
        with session.log.action("read the board", background=True):
            await read_profiles(list(map(self._caller, due)), Wanted(), session.workspace.now, self._take, pace)
        with contextlib.suppress(TimeoutError):
            await run_blocking(board.end, _COMPARING_SECONDS)
        found = await in_slices(self._found, list(board.row_keys()))
        self.post_message(self.Ended(counts_sentence([each for each in found if each is not None])))

    async def _find_profiles(self) -> tuple[list[Identity], list[NotChecked]]:
        """The saved profiles, the one in use first, which may be none; and those that cannot be read."""
        workspace, in_use = self.session.workspace, self.session.identity

        def read() -> tuple[list[Identity], list[NotChecked]]:
            book = workspace.profiles.load()
            return saved_profiles(book, workspace.identities(book))

        try:
            saved, missing = await run_blocking(read, DISK_SECONDS)
        except TimeoutError:
            raise Problem(SLOW_DISK.format(seconds=DISK_SECONDS), "", "Check the disk, then refresh.") from None
        if in_use is not None and in_use.kind is not SourceKind.PROFILE:
            saved = [in_use, *saved]
        saved.sort(key=lambda each: in_use is None or each.name != in_use.name)
        return saved, missing

    def _caller(self, identity: Identity) -> Caller:
        profile, session = identity.profile, self.session
        return Caller(
            profile,
            Bars(profile.max_age_bar, profile.warn_age_bar),
            lambda: session.connect(identity, ask=False),
            lambda engine: engine.aclose(),
        )

    def _take(self, reading: ProfileReading, changed: Sequence[str]) -> None:
        self.post_message(self.RowsRead(self.board.take(reading, changed, self.session.workspace.now())))

    def _found(self, key: str) -> BoardRow | None:
        return self.board.row(key, self.session.workspace.now())

    def _row(self, key: str) -> Row | None:
        found = self._found(key)
        return BOARD.row(found) if found is not None else None

    @on(Begun)
    def show_begun(self, event: Begun) -> None:
        self._changed, self._gone = set(), set()
        is_first = not self.table.total
        self.table.show(event.rows, empty=BOARD.empty)
        if is_first and self.session.board_key:
            self.table.move_to(self.session.board_key)
        self._stay_at_top()
        if event.profiles:
            self.refresher.started()
            self.say(READING.format(profiles=plural(event.profiles, "profile")))

    @on(RowsRead)
    def show_read(self, event: RowsRead) -> None:
        """Show them with those that come at the same time."""
        is_waiting = bool(self._changed or self._gone)
        changes = event.changes
        self._changed = (self._changed | changes.changed) - changes.gone
        self._gone = (self._gone - changes.changed) | changes.gone
        if not is_waiting and (self._changed or self._gone):
            self._show_soon()

    def _show_soon(self) -> None:
        """The first clusters at once, and all others four times a second: each time costs a layout of the screen."""
        self.set_timer(TOGETHER_SECONDS_OF_MANY if self._has_first else TOGETHER_SECONDS, self._show_arrived)
        self._has_first = True

    def _show_arrived(self) -> None:
        now, gone = sorted(self._changed)[:SLICE], self._gone
        self._changed, self._gone = self._changed.difference(now), set()
        self._merge(map(self._row, now), gone)
        if self._changed:
            self._show_soon()

    def _merge(self, rows: Iterable[Row | None], gone: set[str]) -> None:
        self.table.merge([row for row in rows if row is not None], gone)
        self._stay_at_top()
        locked = len(self.board.locked())
        if locked != self._locked:
            self._locked = locked
            self.refresh_bindings()

    def _stay_at_top(self) -> None:
        """Keep the worst in view until the user does something; from then on the cursor stays on its row."""
        if self.session.last_input <= self._opened and not self.session.board_key:
            self.table.action_jump(0)

    @on(Ended)
    def show_ended(self, event: Ended) -> None:
        self.note_read(self.board.read_at if event.problem is None else None)
        if event.problem is not None:
            self.show_problem(event.problem)
            return
        self.hide_problem()
        said, is_bad = event.counts
        locked = locked_sentence(self.board.locked(), key_of(UNLOCK))
        self.say(f"{said} {locked}".strip(), "warning" if is_bad or locked else "plain")
        self.show_details()

    def show_ages(self) -> None:
        self.judge_again()

    @work(group="rows", exclusive=True, exit_on_error=False, description="show the board as of now")
    async def judge_again(self) -> None:
        """Judge every row again: the ages in them have grown."""
        self._merge(await in_slices(self._row, list(self.board.row_keys())), set())

    def details(self) -> list[Line]:
        """What is known of the row under the cursor, without a request of its own."""
        row = self.chosen
        if row is None:
            return [line("No row under the cursor.", Tone.DIM)]
        identity = self._identities.get(row.name)
        return board_lines(row, identity.masked_access_key if identity is not None else "", self.board.shared)

    @property
    def chosen(self) -> BoardRow | None:
        """The row under the cursor."""
        key = self.table.cursor_key
        return self._found(key) if key is not None else None

    def names_to_copy(self) -> list[Copyable]:
        """The cluster under the cursor, and its profile."""
        from ncp_tui.tui.dialogs.copyable import Copyable

        row = self.chosen
        if row is None:
            return []
        cluster = [Copyable("cluster name", row.found.cluster.name)] if row.found is not None else []
        return [*cluster, Copyable("profile name", row.name)]

    def action_open(self) -> None:
        """Go to the cluster as its own profile; a locked profile is unlocked first."""
        row = self.chosen
        identity = self._identities.get(row.name) if row is not None else None
        if row is None:
            self.say(NO_ROW, "warning")
        elif identity is None:
            self.say(NO_SUCH_PROFILE.format(name=row.name), "warning")
        elif row.state is BoardState.LOCKED and row.found is None:
            self.unlock(identity)
        else:
            self.session.board_key = row.key
            cluster = row.found.cluster if row.found is not None else None
            self.app.post_message(ClusterWanted(identity, (cluster.number or cluster.name) if cluster else ""))

    def action_unlock(self) -> None:
        locked, row = self.board.locked(), self.chosen
        name = row.name if row is not None and row.name in locked else next(iter(locked), "")
        if name in self._identities:
            self.unlock(self._identities[name])

    @work(group="unlock", exclusive=True, exit_on_error=False, description="unlock the key of a profile")
    async def unlock(self, identity: Identity) -> None:
        """Have the user unlock the store; the others that are locked are tried after that, without a question."""
        try:
            engine = await self.session.connect(identity)
            await engine.aclose()
        except Problem as problem:
            self.post_message(self.Unlocked(problem=problem))
        else:
            self.post_message(self.Unlocked(self.board.locked()))

    @on(Unlocked)
    def read_unlocked(self, event: Unlocked) -> None:
        if event.problem is not None:
            self.say_problem(event.problem)
        else:
            self.read_board(also=event.names)

    def why_unavailable(self, action: str) -> str:
        """There is nothing to unlock where no profile is locked."""
        if action == "unlock":
            return "" if self.board.locked() else NONE_LOCKED
        return super().why_unavailable(action)
