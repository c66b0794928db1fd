"""From a draft to a request: what a screen asks before a schedule is set or released, and how it is sent, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from textual.message import Message

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import Problem
from ncp_tui.snapshots.journal import JournalProblem, on_disk
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.operations import OperationResult
from ncp_tui.snapshots.schedule_change import SecondChange, change_schedule
from ncp_tui.snapshots.schedule_draft import ChangeConfirmation, ScheduleDraft
from ncp_tui.tui.change import Change
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog, TypeNameDialog
from ncp_tui.tui.screens.base import BaseScreen
from ncp_tui.view.cluster_summary import setting_sentence
from ncp_tui.view.schedule_change import change_question, change_title
from ncp_tui.view.schedule_form import result_sentence

OTHER_PROFILE = "Another profile is in use than when this was opened, so nothing was sent. Open it from the clusters."
KEYS_NOT_LOADED = "Keys not loaded, so nothing can be sent. Refresh to retry."
IN_FLIGHT = "Another request is in flight. Wait for its answer."


@dataclass
class DamageAccepted(Message):
    """The accepted damage of the journal was recorded, or could not be."""

    problem: Problem | None = None


class ScheduleSender:
    """Asks what has to be confirmed, and has the change sent behind whatever screen is in front."""

    def __init__(
        self,
        screen: BaseScreen,
        on_sent: Callable[[Change], object],
        *,
        let_go: Callable[[], object] = lambda: None,
    ) -> None:
        """`on_sent` is called once it is on its way; `let_go` frees the screen's own key after a no."""
        self._screen = screen
        self._identity = screen.session.identity
        """Whose cluster the screen shows: another profile may have one of the same number."""
        self._on_sent = on_sent
        self._let_go = let_go
        self._draft: ScheduleDraft | None = None

    def confirm(self, draft: ScheduleDraft, *, ask: bool = False) -> None:
        """Ask for what has to be confirmed, then send; with `ask` also where nothing has."""
        session = self._screen.session
        if not self._may_send():
            return
        self._draft = draft
        wanted = draft.confirmation(session.workspace.now())
        if wanted.damage is not None:
            damage = wanted.damage.report.id
            self._ask(draft, wanted, "Accept", lambda: self._accept(damage))
        elif wanted.reasons or ask:
            self._ask(draft, wanted, "Set" if draft.change.is_set else "Release", lambda: self._send(draft, wanted))
        else:
            self._send(draft, wanted)

    def _may_send(self) -> bool:
        """Whether a request can be sent now; else it says why not."""
        session, why = self._screen.session, ""
        if session.identity is not self._identity:
            why = OTHER_PROFILE
        elif session.connected is None:
            why = KEYS_NOT_LOADED
        elif session.creating or session.changing:
            why = IN_FLIGHT
        if why:
            self._screen.say(why, "warning")
        return not why

    def ask_again(self, problem: Problem) -> bool:
        """Ask once more what stopped the draft when it was to be sent; False where no yes can help."""
        if self._draft is None or not isinstance(problem, JournalProblem | SecondChange | DamagedJournal):
            return False
        self.confirm(self._draft.stopped_by(problem), ask=True)
        return True

    def _ask(self, draft: ScheduleDraft, wanted: ChangeConfirmation, yes: str, act: Callable[[], object]) -> None:
        monotonic = self._screen.session.workspace.monotonic

        def decide(sure: bool | None) -> None:
            if not sure or wanted.damage is not None:
                self._let_go()
            if sure:
                act()

        schedule = draft.evidence.schedule if draft.evidence is not None else None
        released = "" if draft.change.is_set or schedule is None else setting_sentence(schedule)
        words = change_question(wanted, released)
        dialog = SendQuestionDialog(words, yes, monotonic)
        if wanted.typed is not None and wanted.damage is None:
            dialog = TypeNameDialog(words, yes, wanted.typed, monotonic)
        self._screen.app.push_screen(dialog, decide)

    def _accept(self, wanted: str) -> None:
        self._screen.run_worker(
            self._accept_damage(wanted),
            group="damage",
            exit_on_error=False,
            description="accept the damage of the journal",
        )

    async def _accept_damage(self, wanted: str) -> None:
        journal = self._screen.session.journal
        try:
            await on_disk(lambda: journal.accept_damage(wanted))
        except Problem as problem:
            self._screen.post_message(DamageAccepted(problem))
        else:
            self._screen.post_message(DamageAccepted())

    def _send(self, draft: ScheduleDraft, confirmed: ChangeConfirmation) -> None:
        session, workspace = self._screen.session, self._screen.session.workspace
        engine, identity, change = session.connected, session.identity, draft.change
        # Things may have changed while the question was open; and a fast second yes finds the first request on its way.
        if not self._may_send() or engine is None or identity is None or session.change_behind is None:
            return
        intent = replace(draft, again=confirmed.again or draft.again).intent(workspace.now())

        async def send(on_resolving: Callable[[GatewayError], None]) -> OperationResult:
            return await change_schedule(
                engine,
                intent,
                journal=session.journal,
                must_be_written=confirmed.unwritten is None,
                now=workspace.now,
                resolve_seconds=session.resolve_seconds,
                on_resolving=on_resolving,
            )

        verb = "set" if change.is_set else "release"
        sent = Change(
            f"{verb} {change_title(change)}",
            change.cluster_number,
            identity,
            send,
            lambda result: result_sentence(change, result),
        )
        session.change_behind(sent)
        self._on_sent(sent)
