"""A real terminal for the real program: a pty to type into, and a screen to read, as a user has them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pexpect
import pyte

PATIENCE = 30.0
"""Seconds before a journey is given up; the machine may be busy, and nothing here measures speed."""

ENTER, ESCAPE, DOWN = "\r", "\x1b", "\x1b[B"
F1, F2 = "\x1bOP", "\x1bOQ"
TAB = "\t"


class Terminal:
    """`python -m ncp_tui` in 80x24, with a home of its own."""

    def __init__(self, home: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self.screen = pyte.Screen(80, 24)
        self.raw = b""
        self._stream = pyte.ByteStream(self.screen)
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "NCP_TUI_HOME": str(home / "ncp-tui"),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "TMPDIR": str(home),
            **(environ or {}),
        }
        self.process = pexpect.spawn(
            sys.executable, ["-m", "ncp_tui", *arguments], env=variables, dimensions=(24, 80), timeout=PATIENCE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close(force=True)

    def press(self, *keys: str) -> None:
        """Type keys."""
        for key in keys:
            self.process.send(key)

    def text(self) -> str:
        """What is on the screen now."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def expect(self, *texts: str) -> None:
        """Wait until all of `texts` are on the screen at once."""
        ends = time.monotonic() + PATIENCE
        while not all(text in self.text() for text in texts):
            left = ends - time.monotonic()
            assert left > 0, f"never saw {texts} on\n{self.text()}"
            if not self._read(min(left, 1.0)):
                missing = [text for text in texts if text not in self.text()]
                assert not missing, f"the program ended without {missing} on\n{self.text()}"

    def expect_gone(self, text: str) -> None:
        """Wait until `text` is not on the screen any more."""
        ends = time.monotonic() + PATIENCE
        while text in self.text():
            assert time.monotonic() < ends, f"still there: {text} on\n{self.text()}"
            self._read(0.2)

    def expect_end(self) -> int:
        """Wait until the program has ended, and return its exit code, or minus the signal."""
        ends = time.monotonic() + PATIENCE
        while self._read(1.0):
            assert time.monotonic() < ends, f"the program does not end:\n{self.text()}"
        self.process.wait()
        status: int | None = self.process.exitstatus
        return status if status is not None else -int(self.process.signalstatus)

    def _read(self, seconds: float) -> bool:
        """Feed what the program wrote to the screen; False at its end."""
        try:
            data = self.process.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True
