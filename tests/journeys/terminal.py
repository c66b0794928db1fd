"""A real terminal for the real program: a pty to type into, and a screen to read, as a user has them."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pexpect
import pyte
from rich.cells import cell_len

PATIENCE = 30.0
"""Seconds before a journey is given up; the machine may be busy, and nothing here measures speed."""

ENTER, ESCAPE, UP, DOWN, END = "\r", "\x1b", "\x1b[A", "\x1b[B", "\x1b[F"
F1, F2 = "\x1bOP", "\x1bOQ"
TAB = "\t"


def variables_of(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program whose home is `home`."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "NCP_TUI_HOME": str(home / "ncp-tui"),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "TMPDIR": str(home),
        **more,
    }


class Terminal:
    """`python -m ncp_tui` in a window of `size`, columns and rows, with a home of its own.

    `first` is code that runs in it before the program; `command` is another program to run, as a shell.
    """

    def __init__(
        self,
        home: Path,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        first: str = "",
        command: Sequence[str] = (),
        size: tuple[int, int] = (80, 24),
    ) -> None:
        start = ["-c", f"{first}\nfrom ncp_tui.__main__ import main\nmain()"] if first else ["-m", "ncp_tui"]
        program, *rest = command or [sys.executable, *start]
        variables, dimensions = variables_of(home, environ or {}), (size[1], size[0])
        process = pexpect.spawn(program, [*rest, *arguments], env=variables, dimensions=dimensions, timeout=PATIENCE)
        self._begin(home, process, size)
        self._end = os.pidfd_open(self.process.pid)

    def _begin(self, home: Path, process: Any, size: tuple[int, int] = (80, 24)) -> None:
        self.home = home / "ncp-tui"
        """NCP_TUI_HOME of the program: its configuration, state and data."""
        self.screen = pyte.Screen(*size)
        self.raw = b""
        self._typed_at = 0
        self.process = process
        self._stream = pyte.ByteStream(self.screen)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.closed and self.process.isalive():
            os.killpg(self.process.pid, signal.SIGKILL)  # a terminal's first process leads a group, as a shell's job
        self.process.close(force=True)
        os.close(self._end)

    def press(self, *keys: str) -> None:
        """Type keys."""
        self._typed_at = len(self.raw)
        for key in keys:
            self.process.send(key)

    def click(self, word: str) -> None:
        """Wait until `word` is on the screen, and click the first from the top, in its middle."""
        self.expect(word)
        number, line = next((row, line) for row, line in enumerate(self.screen.display, 1) if word in line)
        column = cell_len(line[: line.index(word)]) + cell_len(word) // 2 + 1
        self.press(f"\x1b[<0;{column};{number}M", f"\x1b[<0;{column};{number}m")

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

    def expect_question(self, text: str) -> None:
        """Wait until the program asks this on a line of its own, after all that was typed before, and awaits an answer.

        What is typed sooner is echoed in the middle of whatever the program is about to write.
        """
        ends = time.monotonic() + PATIENCE
        while text not in (asked := self._last_line()) or not asked.endswith(" "):
            assert time.monotonic() < ends, f"never asked {text!r} on\n{self.text()}"
            assert self._read(1.0), f"the program ended without asking {text!r} on\n{self.text()}"

    def _last_line(self) -> str:
        """What was written on the last line since something was typed."""
        return self.raw[self._typed_at :].decode(errors="replace").rpartition("\n")[2]

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

    def hang_up(self) -> None:
        """Take the terminal away, as the end of an SSH session does."""
        self.process.ptyproc.fileobj.close()
        self.process.ptyproc.closed = self.process.closed = True
        self.process.child_fd = -1

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, which the program is told of by SIGWINCH."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def wipe(self) -> int:
        """Empty the screen behind the program's back: only what it draws from here on in `raw` will be there."""
        self.screen.reset()
        return len(self.raw)

    def read(self, seconds: float) -> None:
        """Take what the program writes for a while, so that it is not held up."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0 and self._read(left):
            pass

    def expect_quiet(self, seconds: float = 0.5) -> None:
        """Wait until the program has written nothing for a while."""
        ends = time.monotonic() + PATIENCE
        seen = -1
        while seen != len(self.raw):
            assert time.monotonic() < ends, f"the program never stops drawing:\n{self.text()}"
            seen = len(self.raw)
            self.read(seconds)

    def expect_stopped(self) -> None:
        """Wait until the program is stopped, as by SIGTSTP."""
        ends = time.monotonic() + PATIENCE
        while not os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT):
            assert time.monotonic() < ends, f"the program does not stop:\n{self.text()}"
            self._read(0.01)
        self.read(0.05)

    def is_gone_within(self, seconds: float) -> bool:
        """Whether the process is gone after `seconds` at most; nothing of what it writes is read in the meantime."""
        return bool(select.select([self._end], [], [], seconds)[0])

    def processor_seconds(self) -> float:
        """The processor time that the process has used, also once it is gone and nobody has asked for its exit code."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ends_within(self, seconds: float) -> int:
        """Wait until the process is gone, `seconds` at most, and return its exit code, or minus the signal."""
        ends = time.monotonic() + seconds
        while not self.is_gone_within(0.0 if self._is_open else seconds):
            assert time.monotonic() < ends, f"the process is not gone:\n{self.text()}"
            self._read(0.01)
        while self._is_open and self._read(0.0):
            pass
        self.process.wait()
        status: int | None = self.process.exitstatus
        return status if status is not None else -int(self.process.signalstatus)

    @property
    def _is_open(self) -> bool:
        return not self.process.closed

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
