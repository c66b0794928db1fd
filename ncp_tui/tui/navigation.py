"""What is opened over what, how one comes home to the clusters, and what is asked before leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncp_tui.tui.screens.base import BaseScreen
from ncp_tui.tui.screens.clusters import ClustersScreen

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

    from ncp_tui.profiles.identity import Identity
    from ncp_tui.search_engine.models import Cluster
    from ncp_tui.tui.session import Session

LEAVE_FORM_FIRST = "Save or leave this form first: a history opens from the list of clusters."

QUIT_WITHOUT_ANSWER = (
    "A create request has no answer yet. Quit without it? The snapshot may start anyway; "
    "the next start lists the request as unresolved."
)
QUIT_WITHOUT_ANSWER_TO_CHANGE = (
    "A request has no answer yet. Quit without it? It may take effect anyway; "
    "the next start lists the request as unresolved."
)
QUIT_WHILE_CHECKING = "Still checking what became of a request. Quit? The request stays listed as unresolved."

QUIT = "Quit?"


class Navigation:
    """The screens of the app, and the ways between them."""

    def __init__(self, app: App[Any], session: Session) -> None:
        self._app = app
        self._session = session

    @property
    def screens(self) -> list[BaseScreen]:
        """The screens that can show something; none while the app is on its way out, and taking them apart."""
        if not self._app.is_running:
            return []
        return [screen for screen in self._app.screen_stack if isinstance(screen, BaseScreen) and screen.is_mounted]

    @property
    def clusters(self) -> ClustersScreen | None:
        """Home."""
        return next((screen for screen in self.screens if isinstance(screen, ClustersScreen)), None)

    def open_history(self, cluster: Cluster) -> None:
        """Show it over the screen in front."""
        from ncp_tui.tui.screens.history import HistoryScreen
        from ncp_tui.tui.screens.profile_form import ProfileFormScreen

        front = self._front
        if isinstance(front, BaseScreen):
            front.open(HistoryScreen(self._session, cluster))
        elif isinstance(front, ProfileFormScreen):
            front.say(LEAVE_FORM_FIRST, "warning")

    async def open_profiles(self) -> None:
        """Show them from home: whoever chooses another one there must not come back to a form of the one before."""
        from ncp_tui.tui.screens.profiles import ProfilesScreen

        clusters = self.clusters
        if clusters is None or isinstance(self._front, ProfilesScreen):
            return
        await self._return_to(clusters)
        clusters.action_profiles()

    def open_board(self) -> None:
        """Show it over the list in front."""
        from ncp_tui.tui.screens.board import BoardScreen
        from ncp_tui.tui.screens.table import TableScreen

        front = self._front
        if isinstance(front, TableScreen) and front.check_action("board", ()):
            front.open(BoardScreen(self._session))

    async def go_to_cluster(self, identity: Identity, key: str) -> None:
        """Go home, and to that cluster there: what stood over the clusters of another profile is closed."""
        clusters = self.clusters
        if clusters is not None:
            await self._return_to(clusters)
            clusters.go_to(identity, key)

    @property
    def _front(self) -> Screen[Any]:
        return self._app.screen

    async def _return_to(self, screen: BaseScreen) -> None:
        while self._front is not screen:
            await self._app.pop_screen()


def quit_question(session: Session) -> str:
    """What the user is asked before leaving; empty where nothing is left without an answer."""
    question, batch = "", session.batch
    if session.creating:
        question = QUIT_WITHOUT_ANSWER
    elif session.changing:
        question = QUIT_WITHOUT_ANSWER_TO_CHANGE
    elif session.resolving:
        question = QUIT_WHILE_CHECKING
    if batch is not None and batch.waiting:
        from ncp_tui.view.batch import left_over_sentence

        question = f"{left_over_sentence(batch.plan.id, batch.waiting)} {question or QUIT}"
    return question
