"""What the program writes to its terminal: bytes, frames, and when they came.

Over SSH these bytes are the speed. They do not depend on the machine: the same keys give the same bytes.
"""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pexpect

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.journeys.terminal import DOWN, F2, PATIENCE, TAB

PAGE_DOWN, UP = "\x1b[6~", "\x1b[A"
PROGRAM = (sys.executable, "-m", "ncp_tui")
QUIET = 0.3
"""Seconds without a byte that end an answer."""

# The question whether frames are marked, the answer of a terminal that can do it, and the mark.
_ASKED, _ANSWER, FRAME = b"\x1b[?2026$p", b"\x1b[?2026;2$y", b"\x1b[?2026h"
_CONTROL = re.compile(rb"\x1b(?:\[[0-9;?<>=$]*[a-zA-Z]|[()][A-Z0-9]|[=>78])")


@dataclass(frozen=True)
class Written:
    """What the program wrote for one reason. Milliseconds from that reason on; 0 where nothing came."""

    data: bytes
    first_ms: float
    last_ms: float

    @property
    def size(self) -> int:
        """How many bytes."""
        return len(self.data)

    @property
    def frames(self) -> int:
        """How often the terminal painted."""
        return self.data.count(FRAME)


class Line:
    """The terminal's end of the line to a program in 80x24. It marks frames, and says nothing else of itself."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.raw = b""
        self.started = time.perf_counter()
        self._last = self.started
        self.process = pexpect.spawn(command[0], list(command[1:]), env=dict(environ), dimensions=(24, 80))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.isalive():
            self.process.kill(signal.SIGKILL)
        self.process.close(force=True)

    def expect(self, text: str, since: int = 0) -> float:
        """Wait for `text` among what came after the byte `since`; milliseconds from the start until it was there."""
        ends = time.monotonic() + PATIENCE
        while text.encode() not in _CONTROL.sub(b"", self.raw[since:]):
            assert time.monotonic() < ends, f"never wrote {text!r}:\n{self.raw[-2000:]!r}"
            assert self._read(1.0) is not None, f"ended without {text!r}:\n{self.raw[-2000:]!r}"
        return (self._last - self.started) * 1000

    def settle(self, quiet: float = QUIET) -> None:
        """Read until nothing came for `quiet` seconds."""
        ends = time.monotonic() + PATIENCE
        while self._read(quiet):
            assert time.monotonic() < ends, "the program does not come to rest"

    def read(self, seconds: float) -> Written:
        """What comes within `seconds`."""
        return self._gather(time.perf_counter(), seconds, steady=True)

    def press(self, keys: str, quiet: float = QUIET) -> Written:
        """Press keys, and read until nothing came for `quiet` seconds."""
        begun = time.perf_counter()
        os.write(self.process.child_fd, keys.encode())
        return self._gather(begun, quiet, steady=False)

    def press_until(self, key: str, *texts: str) -> float:
        """Press a key and wait for all of `texts`; milliseconds until the last of them was there."""
        begun, before = time.perf_counter(), len(self.raw)
        os.write(self.process.child_fd, key.encode())
        for text in texts:
            self.expect(text, since=before)
        return (self._last - begun) * 1000

    def resident_mib(self) -> float:
        """Memory that the process holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def stopped_at_ms(self) -> float:
        """Stop the process where it is; milliseconds of processor time that it took so far, whatever else ran."""
        self.process.kill(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6

    def ends_within_ms(self) -> float:
        """Wait for the process to end; milliseconds from this call."""
        begun = time.perf_counter()
        while self._read(PATIENCE) is not None:
            pass
        self.process.wait()
        return (time.perf_counter() - begun) * 1000

    def _gather(self, begun: float, seconds: float, *, steady: bool) -> Written:
        before, first, last = len(self.raw), 0.0, 0.0
        ends = time.perf_counter() + (seconds if steady else PATIENCE)
        while (left := ends - time.perf_counter()) > 0:
            if self._read(min(left, seconds)):
                last = (self._last - begun) * 1000
                first = first or last
            elif not steady:
                break
        return Written(self.raw[before:], first, last)

    def _read(self, seconds: float) -> int | None:
        """How many bytes came within `seconds`; None at the program's end."""
        if not select.select([self.process.child_fd], [], [], seconds)[0]:
            return 0
        try:
            data = os.read(self.process.child_fd, 1 << 16)
        except OSError:
            return None
        self._last = time.perf_counter()
        self.raw += data
        if _ASKED in data:
            os.write(self.process.child_fd, _ANSWER)
        return len(data) or None


def environ_of(gateway: ThreadedSandbox, home: Path) -> dict[str, str]:
    """The variables of a user who keeps the keys in the environment."""
    return of_nobody(home) | {
        "NCP_TUI_PROFILE": "environment",
        "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
        "NCLOUD_SECRET_KEY": gateway.sandbox.secret_key,
        "NCLOUD_API_GW": gateway.url,
    }


def of_nobody(home: Path) -> dict[str, str]:
    """The variables of a user of a 256-colour terminal, who has no keys."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "NCP_TUI_HOME": str(home / "ncp-tui"),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }


@contextmanager
def running(home: Path, clusters: int = 12, duration: float = 60.0) -> Iterator[Line]:
    """The program against a sandbox, with everything of the first screen loaded and painted."""
    with (
        ThreadedSandbox(Sandbox(clusters=clusters, duration=duration)) as gateway,
        Line(PROGRAM, environ_of(gateway, home)) as line,
    ):
        line.expect("clusters, as of ")
        line.settle(1.0)
        yield line


def create_snapshot(line: Line) -> None:
    """Ask for a snapshot of the cluster under the cursor, and wait until it is accepted."""
    line.press("s")
    line.expect("valid (UTC)")
    line.settle()
    before = len(line.raw)
    line.press(F2)
    line.expect("running, ", since=before)
    line.settle(0.2)


@dataclass(frozen=True)
class Cost:
    """What one thing costs, and what it may cost. No limit on frames where there are None."""

    what: str
    size: int
    budget: int
    frames: int | None = None
    most_frames: int | None = None

    @property
    def is_met(self) -> bool:
        """Whether it stays within its budget."""
        return self.size <= self.budget and (self.most_frames is None or (self.frames or 0) <= self.most_frames)


def costs(home: Path, clusters: int) -> list[Cost]:
    """Press the keys of the budgets, and count."""
    with running(home, clusters) as line:
        start = Cost("start-up until quiet", len(line.raw), 25_000)
        rest = line.read(2.0)
        line.press(DOWN)
        down = line.press(DOWN)
        tab = line.press(TAB)
        page = line.press(PAGE_DOWN)
        page = line.press(PAGE_DOWN)
    return [
        start,
        Cost("idle for 2 s", rest.size, 0),
        Cost("arrow key in the list, with the details of its row", down.size, 1_500, down.frames, 1),
        Cost("tab to the response pane", tab.size, 6_000, tab.frames),
        Cost("page down in the response pane", page.size, 5_000, page.frames, 1),
    ]
