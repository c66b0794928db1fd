"""What a program has to leave behind in its terminal, and the keys it is started with."""

from __future__ import annotations

import termios

from ncp_tui.sandbox.sandbox import ThreadedSandbox
from tests.journeys.terminal import Terminal

SOON = 5.0
"""Two seconds are promised, and half a second for `q`. What hangs here hangs for minutes, so this tells them apart on a
busy machine too; `tests.benchmarks.dead_gateway` measures."""

RESTORING = {
    "alternate screen": (b"\x1b[?1049h", b"\x1b[?1049l"),
    "cursor": (b"\x1b[?25l", b"\x1b[?25h"),
    "mouse": (b"\x1b[?1000h", b"\x1b[?1000l"),
    "mouse movement": (b"\x1b[?1003h", b"\x1b[?1003l"),
    "mouse, extended": (b"\x1b[?1006h", b"\x1b[?1006l"),
    "bracketed paste": (b"\x1b[?2004h", b"\x1b[?2004l"),
    "focus": (b"\x1b[?1004h", b"\x1b[?1004l"),
    "keyboard protocol": (b"\x1b[>", b"\x1b[<u"),
    "lines wrap": (b"\x1b[?7l", b"\x1b[?7h"),
}


def keys_of(gateway: ThreadedSandbox) -> dict[str, str]:
    return {
        "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
        "NCLOUD_SECRET_KEY": gateway.sandbox.secret_key,
        "NCLOUD_API_GW": gateway.url,
        "NCP_TUI_PROFILE": "environment",
    }


def modes(terminal: Terminal) -> tuple[int, int]:
    """The terminal's own input and local modes; both ends of a pty tell the same."""
    attributes = termios.tcgetattr(terminal.process.child_fd)
    return attributes[0], attributes[3]


def assert_restored(terminal: Terminal) -> None:
    """Every mode that was switched was switched back after it, and nothing else was written behind that."""
    for what, (on, off) in RESTORING.items():
        assert terminal.raw.rfind(off) > terminal.raw.rfind(on), what
    assert terminal.raw.count(b"\x1b[<u") == terminal.raw.count(b"\x1b[>"), "a second pop takes the shell's own flags"
    assert modes(terminal)[1] & (termios.ICANON | termios.ECHO | termios.ISIG) == (
        termios.ICANON | termios.ECHO | termios.ISIG
    )
    after = terminal.raw[terminal.raw.rindex(b"\x1b[?1049l") :]
    assert not [part for part in after.split(b"\x1b") if part and part[-1:] not in b"hlut\a"], (
        f"more was said: {after!r}"
    )
    assert b"Traceback" not in terminal.raw
