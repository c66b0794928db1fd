"""A first run: keys that were found are used or saved, or a profile is typed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

    from ncp_tui.profiles.identity import Identity
    from ncp_tui.tui.session import Session

WELCOME = "Add a profile to begin: access key, secret key and region."


class FirstRun:
    """Leads from the welcome to a profile in use."""

    def __init__(self, app: App[Any], session: Session, use: Callable[[str], object]) -> None:
        """`use` has a saved profile, by its name, used from now on."""
        self._app = app
        self._session = session
        self._use = use

    def ask(self) -> None:
        """Show what was found on this machine, and what can be done with it."""
        from ncp_tui.tui.screens.welcome import WelcomeScreen

        self._app.push_screen(WelcomeScreen(self._session), self._after_welcome)

    def _after_welcome(self, answer: tuple[str, Identity | None] | None) -> None:
        what, identity = answer or ("later", None)
        if what == "use" and identity is not None:
            self._session.use(identity)
        elif what in {"form", "import"}:
            self._open_form(identity)

    def _open_form(self, identity: Identity | None) -> None:
        from ncp_tui.tui.screens.profile_form import ProfileFormScreen

        form = ProfileFormScreen(self._session, importing=identity, welcome=WELCOME)
        self._app.push_screen(form, self._after_form)

    def _after_form(self, saved: str | None) -> None:
        if saved:
            self._use(saved)
