"""The program on a terminal, called in this process: what is typed and written is real, ctrl+c is nobody's signal."""

from __future__ import annotations

import contextlib
import os
import pty
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

import pytest
from pexpect import fdpexpect

from ncp_tui.cli.main import main
from tests.cli.program import replace_environment
from tests.journeys.terminal import PATIENCE, Terminal, variables_of


class Conversation(Terminal):
    """`ncp-tui` in a thread of its own, which has the streams and the environment of this process for the while."""

    def __init__(
        self, home: Path, *arguments: str, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._master, slave = pty.openpty()
        self._begin(home, fdpexpect.fdspawn(self._master, timeout=PATIENCE))
        self._patched = contextlib.ExitStack()
        patch = self._patched.enter_context(monkeypatch.context())
        replace_environment(patch, variables_of(home, environ))
        streams = {
            name: os.fdopen(os.dup(slave), mode, encoding="utf-8")
            for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
        }
        os.close(slave)
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        self._code: int | None = None
        self._thread = threading.Thread(target=self._run, args=(arguments, list(streams.values())), daemon=True)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close()  # whatever it still asks is answered by the end of the input
        self._thread.join(PATIENCE)
        self._patched.close()
        assert not self._thread.is_alive(), "the program goes on in the tests that follow"

    def expect_end(self) -> int:
        """Wait until the program has ended, and return its exit code."""
        ends = time.monotonic() + PATIENCE
        while self._read(1.0):
            assert time.monotonic() < ends, f"the program does not end:\n{self.text()}"
        self._thread.join(PATIENCE)
        assert self._code is not None
        return self._code

    def _run(self, arguments: Sequence[str], streams: Sequence[TextIO]) -> None:
        try:
            self._code = main(arguments)
        finally:
            for stream in streams:
                with contextlib.suppress(OSError):  # where the other end is closed already
                    stream.close()
