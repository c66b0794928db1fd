"""The program under test: as a process of its own, or called in this one where a process adds nothing."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.cli.main import main
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox

PATIENCE = 20.0
# Started in the background a shell may have switched SIGINT off, and a Python program keeps it off.
_INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
_MAIN = "from ncp_tui.__main__ import main; main()"


@dataclass(frozen=True)
class Result:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """The one document on stdout; anything else there makes this fail."""
        return json.loads(self.stdout)


@dataclass
class Program:
    """The program in an environment that is nobody's."""

    environ: dict[str, str]
    never: list[str] = field(default_factory=list)
    """Secrets that must appear in no output."""

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> Result:
        """Run it as a process, without a terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "ncp_tui", *arguments],
            input=stdin.encode(),
            capture_output=True,
            env=self.environ | environ,
            timeout=PATIENCE,
            check=False,
        )
        return self.checked(Result(done.returncode, done.stdout.decode(), done.stderr.decode()))

    @contextmanager
    def started(self, *arguments: str, code: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """A process that is still running when the test goes on; `code` is run in it before the program."""
        with subprocess.Popen(
            [sys.executable, "-c", f"{_INTERRUPTIBLE}\n{code}\n{_MAIN}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environ,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def interrupted(self, process: subprocess.Popen[bytes]) -> Result:
        """Press Ctrl-C and wait for the end."""
        process.send_signal(signal.SIGINT)
        return self.ended(process)

    def ended(self, process: subprocess.Popen[bytes]) -> Result:
        """Wait for the end."""
        stdout, stderr = process.communicate(timeout=PATIENCE)
        return self.checked(Result(process.returncode, stdout.decode(), stderr.decode()))

    @contextmanager
    def at_terminal(self, *arguments: str, **environ: str) -> Iterator[Terminal]:
        """The same on a terminal; stdout alone is a pipe, so that the answer can be told from the questions."""
        master, slave = pty.openpty()
        environ = self.environ | environ | {"TTY": os.ttyname(slave)}
        # The leader of a new session gets the first terminal it opens: getpass asks on /dev/tty, which is that one.
        start = ["sh", "-c", 'exec "$@" <"$TTY" 2>"$TTY"', "sh", sys.executable, "-m", "ncp_tui", *arguments]
        with subprocess.Popen(start, stdout=subprocess.PIPE, env=environ, start_new_session=True) as process:
            terminal = Terminal(master, process, self)
            try:
                yield terminal
            finally:
                process.kill()
                os.close(slave)
                terminal.hang_up()

    def checked(self, result: Result) -> Result:
        """The result, with no secret in it."""
        for secret in self.never:
            assert secret not in result.stdout + result.stderr
        return result


@dataclass
class Terminal:
    """A program on a terminal, and what it has written there."""

    master: int
    process: subprocess.Popen[bytes]
    program: Program
    seen: str = ""
    is_gone: bool = False

    def hang_up(self) -> None:
        """Take the terminal away, as a link that drops does."""
        if not self.is_gone:
            self.is_gone = True
            os.close(self.master)

    def expect(self, text: str) -> None:
        """Wait until `text` has been written."""
        until = time.monotonic() + PATIENCE
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"{text!r} did not come, but {self.seen!r}"
            self.seen += os.read(self.master, 65536).decode(errors="replace")

    def answer(self, question: str, line: str) -> None:
        """Type `line` when `question` is there."""
        self.expect(question)
        os.write(self.master, f"{line}\n".encode())

    def end(self) -> Result:
        """Wait for the end of the program."""
        stdout, _ = self.process.communicate(timeout=PATIENCE)
        while not self.is_gone and select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        return self.program.checked(Result(self.process.returncode, stdout.decode(), self.seen))


@dataclass
class Called:
    """The program called in this process."""

    program: Program
    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *arguments: str, stdin: str = "", **environ: str) -> Result:
        with self.monkeypatch.context() as patch:
            replace_environment(patch, self.program.environ | environ)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            code = main(arguments)
        captured = self.capture.readouterr()
        return self.program.checked(Result(code, captured.out, captured.err))


def replace_environment(patch: pytest.MonkeyPatch, environ: Mapping[str, str]) -> None:
    """Have this process see `environ` and nothing else."""
    for name in tuple(os.environ):
        patch.delenv(name)
    for name, value in environ.items():
        patch.setenv(name, value)


def private_environment(folder: Path) -> dict[str, str]:
    """Variables of a user who has nothing: no files, no keys, no keyring."""
    return {
        "HOME": str(folder),
        "NCP_TUI_HOME": str(folder / "ncp-tui"),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder / 'no-bus'}",
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "TMPDIR": str(folder),
    }


def keys_of(served: ThreadedSandbox) -> dict[str, str]:
    """The variables that call `served` as its manager."""
    return account_variables(served.url, served.sandbox.access_key, served.sandbox.secret_key)


def account_variables(url: str, access_key: str, secret_key: str) -> dict[str, str]:
    """The variables that call `url` with a pair of keys."""
    return {"NCLOUD_ACCESS_KEY": access_key, "NCLOUD_SECRET_KEY": secret_key, "NCLOUD_API_GW": url}


def asked(sandbox: Sandbox) -> list[str | None]:
    """The operations that were asked for, in their order.

    What is in a cluster is read beside a create and never waited for, so it may stand anywhere: it is left out.
    """
    return [each.operation for each in sandbox.ledger.requests if each.operation != "getDashboardInformation"]


async def passing(_visit: object) -> None:
    """A fault that does nothing: the request it strikes is not for the next one in the queue."""
    return
