"""A secret key printed by a program of the user's, as `op read`, `pass`, Vault or `systemd-creds` do.

The program is run as whoever does not know it: without a shell, in a session of its own that ends with it, without the
terminal, and without the keys in the environment. What it prints is used or dropped, and never shown.
"""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from ncp_tui.gateway.credentials import InvalidCredentials, SecretKey
from ncp_tui.profiles.credential_file import DIRECTORY_VARIABLE
from ncp_tui.profiles.profile import InvalidProfile, check_field
from ncp_tui.profiles.secret_stores.errors import SecretCommandFailed
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.secret_value import SecretValue

DEADLINE_SECONDS: Final = 30.0
"""How long the program may take, from its start to its end."""

LONGEST_LINE: Final = 4096
"""Bytes of the line that it prints, the end of the line not among them."""

NOT_INHERITED: Final = ("NCLOUD_*SECRET*", "NCP_TUI_*", DIRECTORY_VARIABLE)
"""Variables that the program does not get, unless the profile lists them: keys, and what is ncp-tui's alone."""

# With it gpg has its agent ask for a passphrase on that terminal, in the middle of our screen.
_TERMINAL_VARIABLES = ("GPG_TTY",)

_MUCH = 1 << 20
"""Bytes after which a program that prints too much is not waited for any more."""

_PIECE = 1 << 16
_PAUSE_SECONDS = 0.02
_DEATH_SECONDS = 1.0
"""How long a program that was killed may take to be gone."""

_STARTING_SECONDS = 5.0


def split_command(text: str) -> tuple[str, ...]:
    """The words of a command line by the quoting rules of a POSIX shell, of which nothing else is done.

    No variable, no `~` and no pattern is expanded. Raises InvalidProfile for quotes that do not end, and for what no
    `secret_command` may be.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise InvalidProfile(
            "The secret command has a quote without its end, or ends in a backslash.",
            "Nothing was run or saved.",
            "Quote its words as for a shell.",
            field="secret_command",
        ) from None
    command: tuple[str, ...] | None = check_field("secret_command", words)
    if command is None:
        raise InvalidProfile(
            "The secret command is empty.",
            "Nothing was run or saved.",
            "Give the full path of a program that prints the secret key.",
            field="secret_command",
        )
    return command


def child_environment(
    environ: Mapping[str, str], passed: Collection[str] = (), *, terminal: bool = False
) -> dict[str, str]:
    """What of `environ` the program gets: all but NOT_INHERITED and, without a `terminal`, the name of one.

    Variables in `passed` it gets in any case.
    """
    return {
        name: value
        for name, value in environ.items()
        if name in passed
        or not (
            any(fnmatchcase(name.upper(), pattern) for pattern in NOT_INHERITED)
            or (name in _TERMINAL_VARIABLES and not terminal)
        )
    }


async def run_secret_command(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    passed: Collection[str] = (),
    seconds: float = DEADLINE_SECONDS,
    terminal: int | None = None,
) -> SecretKey:
    """The secret key that `command` prints. Raises SecretCommandFailed, which names the program and how it ended.

    `environ` is the user's; the program gets it as `child_environment` says. `terminal` is the descriptor of one that
    is lent to it: nothing else may read or draw there until this returns. Whatever happens, a cancellation included,
    the program and all that it has started in its group are ended.
    """
    child = _Child(command, child_environment(environ, passed, terminal=terminal is not None), seconds, terminal)
    try:
        return await run_blocking(child.run, seconds + _STARTING_SECONDS)
    except TimeoutError:  # a folder that hangs, say: not even the system has an answer
        raise child.failed(f"could not be started within {seconds:g} s") from None
    finally:
        child.end()
        child.wait_for_terminal()


class _Child:
    """One run of a program. `run` blocks; `end` may be called meanwhile, from any thread."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], seconds: float, terminal: int | None
    ) -> None:
        self._command = tuple(command)
        self._environ = environ
        self._seconds = seconds
        self._terminal = terminal
        self._lock = threading.Lock()
        self._living: subprocess.Popen[bytes] | None = None
        self._given_up = False
        self._is_spared = False
        self._is_terminal_back = threading.Event()
        if terminal is None:
            self._is_terminal_back.set()

    def run(self) -> SecretKey:
        try:
            return self._run()
        finally:
            self._is_terminal_back.set()

    def _run(self) -> SecretKey:
        ends = time.monotonic() + self._seconds
        process = self._start()
        with process.stdout or contextlib.nullcontext(), self._terminal_lent_to(process):
            try:
                printed, in_time = self._printed(process, ends)
            except ChildProcessError:
                self._ended(process, in_time=False)
                raise self.failed("ended, and with which status is unknown") from None
            finally:
                self.end()
        return self._key(printed, self._ended(process, in_time=in_time))

    def end(self) -> None:
        """Kill the program and its group, if there is one, and one that is started yet."""
        with self._lock:
            self._given_up = True
            if self._living is not None:
                # It has not been waited for, so its number is still its own and that of its group.
                try:
                    os.killpg(self._living.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                except PermissionError:  # it runs as another user, as sudo does
                    self._is_spared = True
                self._living = None

    def wait_for_terminal(self) -> None:
        """Wait until the terminal is back, which after the end of the program takes a moment."""
        self._is_terminal_back.wait(_DEATH_SECONDS)

    def failed(self, how: str, *, ran: bool = False) -> SecretCommandFailed:
        """The problem that the program, which is named, `how` it ended, is."""
        return SecretCommandFailed(self._command[0], how, ran=ran)

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command, split into words and without a shell
                self._command,
                env=self._environ,
                cwd="/",
                stdin=subprocess.DEVNULL if self._terminal is None else self._terminal,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # A session has no terminal to open; a group of ours can be put in front of the one that we have.
                start_new_session=self._terminal is None,
                process_group=None if self._terminal is None else 0,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise self.failed(f"could not be started: {reason}") from None
        with self._lock:
            self._living = process
            given_up = self._given_up
        if given_up:
            self.end()
        return process

    def _printed(self, process: subprocess.Popen[bytes], ends: float) -> tuple[SecretValue[bytes], bool]:
        """What it printed, its beginning at least, and whether it ended by itself."""
        assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        pipe = process.stdout.fileno()
        os.set_blocking(pipe, False)
        printed, total, is_open = b"", 0, True
        while True:
            has_ended = _has_ended(process)  # before the pipe is read: what it printed is then in there
            while is_open and total <= _MUCH:
                piece = _read(pipe)
                if piece is None:
                    break
                is_open = bool(piece)
                total += len(piece)
                printed = (printed + piece)[: LONGEST_LINE + 3]
            if has_ended or total > _MUCH or self._given_up or time.monotonic() >= ends:
                return SecretValue(printed), has_ended
            select.select([pipe] if is_open else [], [], [], _PAUSE_SECONDS)

    def _ended(self, process: subprocess.Popen[bytes], *, in_time: bool) -> int | None:
        """Its exit status; None where it was ended. Waits for what was killed to be gone, but for none that may not."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(_DEATH_SECONDS)
            return status if in_time else None
        return None

    def _key(self, printed: SecretValue[bytes], status: int | None) -> SecretKey:
        size = len(printed.reveal())
        if status is None:
            too_much = size > LONGEST_LINE and "printed without an end"
            end = "could not be killed" if self._is_spared else "was killed"
            raise self.failed(f"{too_much or f'did not end within {self._seconds:g} s'} and {end}", ran=True)
        if status < 0:
            raise self.failed(f"was killed by {_signal_name(-status)}", ran=True)
        if status > 0:
            raise self.failed(f"ended with status {status}", ran=True)
        key, wrong = _key_of(printed)
        if key is None:
            raise self.failed(f"ended with status 0, but {wrong}", ran=True)
        return key

    @contextlib.contextmanager
    def _terminal_lent_to(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Have the program in front of the terminal, then whoever was there, with the terminal as it was."""
        terminal = self._terminal
        if terminal is None:
            yield
            return
        # To change who is in front from behind would stop this process. The mask is this thread's, not the program's.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            before, modes = os.tcgetpgrp(terminal), termios.tcgetattr(terminal)
        except (OSError, termios.error):  # no terminal, or one that is gone
            yield
            return
        try:
            with contextlib.suppress(OSError):  # it has ended already
                os.tcsetpgrp(terminal, process.pid)
                os.killpg(process.pid, signal.SIGCONT)  # it was stopped if it asked before it was in front
            yield
        finally:
            with contextlib.suppress(OSError, termios.error):
                os.tcsetpgrp(terminal, before)
                termios.tcsetattr(terminal, termios.TCSADRAIN, modes)


def _read(pipe: int) -> bytes | None:
    """What is in the pipe: nothing at its end, None where there is nothing yet."""
    try:
        return os.read(pipe, _PIECE)
    except BlockingIOError:
        return None


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended. Raises ChildProcessError where the system keeps no status of it."""
    if hasattr(os, "waitid"):  # on macOS since Python 3.13
        # It is left to be waited for: until then no other process or group has its number.
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    return process.poll() is not None


def _key_of(printed: SecretValue[bytes]) -> tuple[SecretKey | None, str]:
    """The key in the one line that was printed, or what is wrong with what was printed."""
    line = printed.reveal()
    ending = next((each for each in (b"\r\n", b"\n") if line.endswith(each)), b"")
    line = line.removesuffix(ending)
    if not line.strip():
        return None, "printed nothing"
    if len(line) > LONGEST_LINE:
        return None, f"printed more than {LONGEST_LINE // 1024} KiB"
    if b"\n" in line:
        return None, "printed more than one line"
    try:
        return SecretKey(line.decode()), ""
    except UnicodeDecodeError:
        return None, "what it printed is not UTF-8 text"
    except InvalidCredentials as problem:  # its text holds nothing of the value
        return None, f"printed no secret key. {problem.what.rstrip('.')}"


def _signal_name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
