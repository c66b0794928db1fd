"""The full-screen program. Nothing outside of this package imports Textual."""

from __future__ import annotations

from ncp_tui.home import Home


def run(home: Home, *, profile: str | None = None) -> int:
    """Run the program in this terminal until the user leaves, and return the exit code.

    Raises whatever crashed the app, once the terminal is restored, for the caller to report without local variables.
    """
    from ncp_tui.tui.crash import silence_textual_logs  # noqa: PLC0415 - Textual is loaded when a screen is wanted

    silence_textual_logs()
    from ncp_tui.tui.app import NcpApp  # noqa: PLC0415

    app = NcpApp(home, profile)
    # Over SSH the mouse belongs to the terminal, so that text can be selected and copied.
    app.run(mouse="SSH_CONNECTION" not in home.environ)
    if app.crashed is not None:
        raise app.crashed
    return app.return_code or 0
