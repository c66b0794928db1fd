"""What outlives every screen: creates on their way, snapshots that are watched, and what an earlier run left open."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from textual import on, work
from textual.message import Message

from ncp_tui import gateway, snapshots
from ncp_tui.tui.crash import LoudWorkers
from ncp_tui.tui.notices import NoticingApp
from ncp_tui.tui.screens.working import WorkingScreen, ending, outcome_word
from ncp_tui.tui.session import Followed, Session

if TYPE_CHECKING:
    from ncp_tui.gateway import GatewayError, Problem
    from ncp_tui.snapshots import Facts, JournalEntry, SnapshotRequest
    from ncp_tui.snapshots.record import Record

_STILL_WATCHED = timedelta(hours=24)


class FollowingApp(LoudWorkers, NoticingApp):
    """An app that sends creates and follows them, whatever screen the user goes to."""

    session: Session

    @dataclass
    class FollowedChanged(Message):
        """A snapshot this run follows moved on."""

        followed: Followed

    @dataclass
    class JournalRead(Message):
        """It is known what earlier runs, and this one, left open."""

        unsettled: list[JournalEntry]
        under_way: list[JournalEntry]
        problem: Problem | None = None

    def create_snapshot(
        self,
        request: SnapshotRequest,
        facts: Facts | None = None,
        *,
        with_journal: bool = True,
        again: str | None = None,
    ) -> Followed | None:
        """Send one create and follow it to its end; None when there is no client.

        `facts` is what was read before it. Without the journal only where the user said so; `again` is the id of the
        earlier request for the same snapshot that the user said yes to.
        """
        engine, identity = self.session.connected, self.session.identity
        if engine is None or identity is None:
            return None
        home = self.session.home
        followed = Followed(request, identity, engine, home.now(), home.monotonic())
        followed.history = facts.rows_for(request.name) if facts is not None else None
        followed.with_journal, followed.again = with_journal, again
        self.session.followed.append(followed)
        self.follow(followed)
        self._tick()
        return followed

    @work(group="snapshots", exit_on_error=False, description="create and follow a snapshot")
    async def follow(self, followed: Followed) -> None:
        """Send the create, then read the history until the snapshot ends. No screen owns this; none can cancel it."""
        request = followed.request

        def settling(error: GatewayError) -> None:
            followed.settling = error
            self.post_message(self.FollowedChanged(followed))

        try:
            with self.session.log.action(f"create snapshot {request.name}") as action:
                if not followed.with_journal:
                    await self._check_first(followed)
                taken = await snapshots.take(
                    followed.engine,
                    request,
                    caller=snapshots.Caller.of(followed.identity),
                    journal=self.session.journal,
                    must_be_written=followed.with_journal,
                    history=followed.history,
                    again=followed.again,
                    now=self.session.home.now,
                    settle_seconds=self.session.settle_seconds,
                    on_settling=settling,
                )
                followed.taken = taken
                action.outcome, action.failed = taken.sentence, taken.outcome is not snapshots.Outcome.ACCEPTED
        except gateway.Problem as problem:
            followed.problem = problem
        self.post_message(self.FollowedChanged(followed))
        if followed.taken is not None and followed.taken.record is not None and followed.taken.record.problem:
            self.write_down(followed, followed.taken.record)
        if followed.is_open:
            await self._watch(followed)
        elif followed.taken is not None and followed.taken.outcome is snapshots.Outcome.UNKNOWN:
            self.look_into_journal()

    @work(group="journal of creates", exit_on_error=False, description="write down what the journal did not take")
    async def write_down(self, followed: Followed, record: Record) -> None:
        """Try until the journal holds all that is known of a create, or the program ends."""
        await record.keep_trying()
        if followed.taken is not None:
            followed.taken = replace(followed.taken, entry=record.entry, journal_problem=None)
        self.post_message(self.FollowedChanged(followed))

    async def _check_first(self, followed: Followed) -> None:
        """What cannot be written down is not sent a second time either. Raises SecondRequest, DamagedJournal."""
        journal, caller = self.session.journal, snapshots.Caller.of(followed.identity)
        intent = snapshots.Intent(followed.request, caller, followed.history, followed.again)
        with contextlib.suppress(snapshots.JournalProblem):
            await snapshots.on_disk(lambda: journal.check(intent))

    @work(group="snapshots", exit_on_error=False, description="follow a snapshot of an earlier run")
    async def pick_up(self, entry: JournalEntry) -> None:
        """Follow on what an earlier run asked for."""
        session, identity = self.session, self.session.identity
        if identity is None:
            return
        try:
            engine = await session.engine(ask=False)
        except gateway.Problem:
            # The screen in front has the same problem, and tells it; once it has none, this is tried again.
            session.left_behind = True
            return
        if session.identity is not identity or session.is_followed(entry.id):
            return
        since = session.home.monotonic() - max(0.0, (session.home.now() - entry.at).total_seconds())
        followed = Followed(entry.request, identity, engine, entry.at, since)
        followed.taken = snapshots.Taken(
            entry.request,
            snapshots.Outcome.ACCEPTED,
            entry.at,
            entry.request_id,
            entry=entry,
            seen_before=entry.seen_before,
            clock_offset=entry.clock_offset,
        )
        session.followed.append(followed)
        self._tick()
        await self._watch(followed)

    async def _watch(self, followed: Followed) -> None:
        request, taken = followed.request, followed.taken
        entry = taken.entry if taken else None
        try:
            with self.session.log.action(f"watch {request.name}", background=True):
                asked = taken.asked if taken else snapshots.Asked.of(request, followed.asked_at)
                looks = snapshots.watch(followed.engine, asked, now=self.session.home.now)
                async for progress in looks:
                    followed.progress = progress
                    if progress.is_final and entry is not None:
                        await self._note_end(followed, entry)
                    self.post_message(self.FollowedChanged(followed))
        except gateway.Problem as problem:
            followed.problem = problem
            self.post_message(self.FollowedChanged(followed))

    async def _note_end(self, followed: Followed, entry: JournalEntry) -> None:
        progress, journal = followed.progress, self.session.journal
        if progress is None or progress.entry is None:
            return
        state, message = progress.state.value, progress.entry.message
        try:
            await snapshots.on_disk(
                lambda: journal.append(entry.id, snapshots.Fact.FINISHED, state=state, message=message)
            )
        except snapshots.JournalProblem as problem:
            followed.journal_problem = problem

    @work(group="journal", exclusive=True, exit_on_error=False, description="look into the journal")
    async def look_into_journal(self) -> None:
        """Find out what is open in the journal and in nobody's hands."""
        journal = self.session.journal
        try:
            entries = await snapshots.on_disk(journal.entries)
            unsettled = await snapshots.on_disk(journal.abandoned)
        except snapshots.JournalProblem as problem:
            self.post_message(self.JournalRead([], [], problem))
            return
        youngest = self.session.home.now() - _STILL_WATCHED
        under_way = [entry for entry in entries if entry.is_under_way and not entry.is_open and entry.at > youngest]
        self.post_message(self.JournalRead(unsettled, under_way))

    @on(JournalRead)
    def take_up_journal(self, event: JournalRead) -> None:
        """Show how many creates are unsettled, and follow on what this identity has under way."""
        session = self.session
        session.unsettled, session.journal_problem = event.unsettled, event.problem
        for screen in self._working_screens():
            screen.show_header()
            screen.show_unsettled()
        if session.identity is None:
            return
        caller = snapshots.Caller.of(session.identity)
        for entry in event.under_way:
            if entry.caller == caller and not session.is_followed(entry.id):
                self.pick_up(entry)

    @on(FollowedChanged)
    def show_followed(self, event: FollowedChanged) -> None:
        """Tell every working screen and the window's title; when it ended, also whoever looks elsewhere."""
        followed = event.followed
        for screen in self._working_screens():
            screen.on_followed_changed(followed)
        self.tell_in_title(f"{followed.request.name}: {outcome_word(followed)}")
        if not followed.is_open:
            self.tell_of_end(ending(followed)[0])

    def _working_screens(self) -> list[WorkingScreen]:
        """The screens that can show something; none while the app is on its way out, and taking them apart."""
        if not self.is_running:
            return []
        return [screen for screen in self.screen_stack if isinstance(screen, WorkingScreen) and screen.is_mounted]

    def _tick(self) -> None:
        """While something is under way, one small update a second; nothing ticks otherwise."""
        if self.session.ticking:
            return
        self.session.ticking = True
        self.set_timer(1.0, self._on_tick)

    def _on_tick(self) -> None:
        self.session.ticking = False
        if not self.session.open_snapshots:
            return
        self._tick()
        if self.is_running and isinstance(self.screen, WorkingScreen):
            self.screen.show_followed()
