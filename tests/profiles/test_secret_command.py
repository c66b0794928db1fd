"""A secret command run for real: small programs that behave, and programs that do everything else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import InvalidProfile
from ncp_tui.profiles.secret_command import (
    DEADLINE_SECONDS,
    LONGEST_LINE,
    child_environment,
    run_secret_command,
    split_command,
)
from ncp_tui.profiles.secret_stores.errors import SecretCommandFailed
from tests.tables import each_row

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Writes an executable shell script, and gives its path."""

    def write(lines: str, name: str = "print-key", *, mode: int = 0o700) -> str:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(mode)
        return str(path)

    return write


async def run(*command: str, seconds: float = DEADLINE_SECONDS) -> SecretKey:
    return await run_secret_command(command, {"PATH": os.environ["PATH"]}, seconds=seconds)


async def failure(*command: str, seconds: float = DEADLINE_SECONDS) -> SecretCommandFailed:
    with pytest.raises(SecretCommandFailed) as caught:
        await run(*command, seconds=seconds)
    assert CANARY not in caught.value.sentences()
    assert caught.value.__cause__ is None
    return caught.value


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that has ended and was not waited for is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pid: int) -> bool:
    """Whether the process is gone, at once or a moment later: the system takes a while to end what was killed."""
    for _ in range(500):
        if not is_running(pid):
            return True
        await asyncio.sleep(0.01)
    return False


@each_row(
    "text, words",
    [
        ("/bin/pass show ncp", ("/bin/pass", "show", "ncp")),
        ("/bin/op read 'op://a b/c'", ("/bin/op", "read", "op://a b/c")),
        ('/bin/op read "a \\" b" \'c $D\'', ("/bin/op", "read", 'a " b', "c $D")),
        (r"/opt/my\ tools/key ''", ("/opt/my tools/key", "")),
        ("/bin/sh -c 'a | b; c && d'", ("/bin/sh", "-c", "a | b; c && d")),
        ("/bin/x ~ $HOME `id` $(id) * # x", ("/bin/x", "~", "$HOME", "`id`", "$(id)", "*", "#", "x")),
        ("/bin/x a|b >c ;d", ("/bin/x", "a|b", ">c", ";d")),
        ("  /bin/x  ", ("/bin/x",)),
    ],
)
def test_a_command_is_split_as_a_shell_quotes_and_nothing_is_expanded(text: str, words: tuple[str, ...]) -> None:
    """Otherwise an argument with a blank would be two, or a `$` in a vault's path would be somebody's variable."""
    assert split_command(text) == words


@each_row(
    "text, said",
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("/bin/x 'open", "a quote without its end"),
        ('/bin/x "open', "a quote without its end"),
        ("/bin/x \\", "a backslash"),
        ("pass show ncp", "not the full path"),
        ("./pass", "not the full path"),
        ("~/bin/pass", "not the full path"),
        ("$HOME/bin/pass", "not the full path"),
        ("'' /bin/x", "not the full path"),
        ("/bin/x 'a\nb'", "invisible"),
        ("/bin/x \x1b[31m", "invisible"),
        ("/bin/x \u202e", "invisible"),
        ("/bin/x " + "a" * 5000, "4096"),
    ],
)
def test_what_is_no_command_is_refused_before_anything_runs(text: str, said: str) -> None:
    """The program is found by its full path alone: no PATH, no home, no working folder decides which one runs."""
    with pytest.raises(InvalidProfile, match=said) as caught:
        split_command(text)
    assert caught.value.field == "secret_command"


@pytest.mark.parametrize(
    "lines",
    [
        f"echo {CANARY}",
        f"printf %s {CANARY}",
        f"printf '{CANARY}\\r\\n'",
        f"echo {CANARY}; echo noise >&2",
        f"cat; echo {CANARY}",
        f"test ! -t 0 && ! (: </dev/tty) 2>/dev/null && echo {CANARY}",
        f'test "$(pwd)" = / && echo {CANARY}',
    ],
    ids=["line", "no end of line", "crlf", "stderr", "empty stdin", "no terminal", "in the root folder"],
)
async def test_the_one_line_that_is_printed_is_the_key(script: Script, lines: str) -> None:
    """Nothing of where ncp-tui was started reaches the program, and what it says beside the line is dropped."""
    assert await run(script(lines)) == SecretKey(CANARY)


async def test_the_arguments_arrive_as_they_were_split(script: Script) -> None:
    """No shell stands between: a blank or a `;` inside an argument stays there."""
    path = script('[ $# = 3 ] && [ "$1" = "a b" ] && [ "$2" = "; exit 9" ] && [ -z "$3" ] && echo key')
    assert await run(path, "a b", "; exit 9", "") == SecretKey("key")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (f"echo {CANARY}; exit 1", "ended with status 1."),
        (f"echo {CANARY}; exit 77", "ended with status 77."),
        (f"echo {CANARY}; kill -KILL $$", "was killed by signal 9 (SIGKILL)."),
        (f"echo {CANARY}; kill -TERM $$", "was killed by signal 15 (SIGTERM)."),
        ("true", "ended with status 0, but printed nothing."),
        ("echo", "ended with status 0, but printed nothing."),
        ("echo '   '", "ended with status 0, but printed nothing."),
        (f"echo {CANARY}; echo {CANARY}", "ended with status 0, but printed more than one line."),
        (f"echo {CANARY}; echo", "ended with status 0, but printed more than one line."),
        (f"echo; echo {CANARY}", "ended with status 0, but printed more than one line."),
        (f"printf '{CANARY}\\r\\n{CANARY}\\r\\n'", "ended with status 0, but printed more than one line."),
        (f"printf '{CANARY}\\r{CANARY}\\n'", "contains a blank or a line break."),
        ("head -c 5120 /dev/zero | tr '\\0' x", "ended with status 0, but printed more than 4 KiB."),
        ("head -c 300000 /dev/zero | tr '\\0' x", "ended with status 0, but printed more than 4 KiB."),
        ("printf '\\377\\376 secret\\n'", "ended with status 0, but what it printed is not UTF-8 text."),
        ("printf 'a\\0b\\n'", "ended with status 0, but printed no secret key."),
        ("printf 'a\\033[31mb\\n'", "ended with status 0, but printed no secret key."),
        (f"echo '\"{CANARY}\"'", "is in quotes."),
        (f"echo SECRET_KEY={CANARY}", "has a name before it (NAME=value)."),
        ("yes", "printed without an end and was killed."),
    ],
)
async def test_everything_else_is_a_failure_that_names_the_program_and_how_it_ended(
    script: Script, lines: str, said: str
) -> None:
    """A key that was cut, doubled or damaged would only be found out by the gateway, as a wrong signature."""
    path = script(lines)
    problem = await failure(path)
    assert path in problem.what
    assert said in problem.what


@pytest.mark.parametrize(("size", "is_one"), [(LONGEST_LINE, True), (LONGEST_LINE + 1, False)])
@pytest.mark.parametrize("ending", ["", "\\n", "\\r\\n"])
async def test_a_line_has_at_most_four_kibibytes(script: Script, size: int, is_one: bool, ending: str) -> None:
    """The end of the line does not count."""
    path = script(f"head -c {size} /dev/zero | tr '\\0' x; printf '{ending}'")
    if is_one:
        assert len((await run(path)).reveal()) == size
    else:
        assert "more than 4 KiB" in (await failure(path)).what


async def test_what_cannot_be_started_says_why(script: Script, tmp_path: Path) -> None:
    """A path that is wrong is told apart from a program that fails."""
    path = script("echo key", "not-executable", mode=0o600)
    (tmp_path / "no-format").write_text("echo key\n")
    (tmp_path / "no-format").chmod(0o700)
    for program, reason in {
        path: "Permission denied",
        str(tmp_path / "missing"): "No such file or directory",
        str(tmp_path): "Permission denied",
        str(tmp_path / "no-format"): "Exec format error",
        "/dev/null/x": "Not a directory",
        "print-key": "No such file or directory",
    }.items():
        problem = await failure(program)
        assert f"{program} could not be started: {reason}." in problem.what
        assert not problem.ran
        assert not problem.can_be_opened


async def test_a_program_that_hangs_is_killed_with_all_that_it_started(script: Script, tmp_path: Path) -> None:
    """Otherwise a vault that asks somebody holds a nightly run for ever, or stays behind each night."""
    pids = tmp_path / "pids"
    path = script(f"trap '' TERM INT HUP; sleep 600 & echo $$ $! >{pids}; echo {CANARY}; wait")
    for seconds in (0.4, 4, 40):  # on a busy machine it has not begun to hang so soon
        problem = await failure(path, seconds=seconds)
        assert f"{path} did not end within {seconds:g} s and was killed." in problem.what
        if pids.exists() and len(pids.read_text().split()) == 2:
            break
    for pid in pids.read_text().split():
        assert await gone(int(pid))


@pytest.mark.parametrize("status", [0, 3])
async def test_a_child_that_holds_the_pipe_delays_nothing_and_is_ended(
    script: Script, tmp_path: Path, status: int
) -> None:
    """The program has ended and said what it had to; what it left behind in its group would hold the pipe for ever."""
    pid = tmp_path / "pid"
    path = script(f"sleep 600 & echo $! >{pid}; echo {CANARY}; exit {status}")
    began = time.monotonic()
    if status:
        assert "ended with status 3" in (await failure(path)).what
    else:
        assert await run(path) == SecretKey(CANARY)
    assert time.monotonic() - began < DEADLINE_SECONDS / 3
    assert await gone(int(pid.read_text()))


async def test_a_program_that_closes_its_output_is_waited_for(script: Script) -> None:
    """What it ends with counts, not when its pipe ended."""
    assert "status 4" in (await failure(script(f"echo {CANARY}; exec >&-; sleep 0.1; exit 4"))).what


async def test_where_the_system_keeps_no_status_success_is_not_claimed(script: Script) -> None:
    """Python's own word for a status that is gone is 0."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert "ended, and with which status is unknown." in (await failure(script(f"echo {CANARY}"))).what
    finally:
        signal.signal(signal.SIGCHLD, before)


async def test_a_run_that_is_cancelled_leaves_no_process(script: Script, tmp_path: Path) -> None:
    """Ctrl-C, or a screen that is left."""
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    path = script(f"echo $$ >{pid}; exec sleep 600")
    task = asyncio.create_task(run(path))
    number = int(await asyncio.to_thread(pid.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(number)


async def test_keys_and_what_is_ours_are_not_inherited(tmp_path: Path) -> None:
    """A program that prints its environment into a log must not print a secret key that it was not given."""
    environ = {
        "PATH": "/bin",
        "HOME": "/home/x",
        "NCLOUD_SECRET_KEY": CANARY,
        "NCLOUD_SECRET_ACCESS_KEY": CANARY,
        "NCLOUD_OLD_SECRET": CANARY,
        "ncloud_secret_key": CANARY,
        "NCP_TUI_HOME": "/x",
        "NCP_TUI_PASSPHRASE_FILE": "/x",
        "CREDENTIALS_DIRECTORY": "/run/credentials/x",
        "GPG_TTY": "/dev/pts/1",
        "VAULT_ADDR": "https://vault",
        "NCLOUD_REGION": "KR",
    }
    assert child_environment(environ).keys() == {"PATH", "HOME", "VAULT_ADDR", "NCLOUD_REGION"}
    assert child_environment(environ, ("CREDENTIALS_DIRECTORY", "NOT_SET")).keys() >= {"CREDENTIALS_DIRECTORY", "PATH"}
    assert "GPG_TTY" in child_environment(environ, terminal=True)
    seen = tmp_path / "seen"
    program = f"import json, os; json.dump(dict(os.environ), open({str(seen)!r}, 'w')); print('key')"
    await run_secret_command([sys.executable, "-c", program], environ, passed=("NCP_TUI_HOME",))
    inherited = json.loads(seen.read_text())
    assert CANARY not in json.dumps(inherited)
    assert inherited["NCP_TUI_HOME"] == "/x"


def test_the_terminal_is_lent_only_where_that_is_said(script: Script) -> None:
    """A deliberate unlock: the program is in front of the terminal, may ask there, and gives it back as it was."""
    path = script(
        "exec </dev/tty; stty -echo; printf 'PIN? ' >/dev/tty; read pin; [ \"$pin\" = 1234 ] && echo key-$pin"
    )
    program = (
        "import asyncio, os, termios\n"
        "from ncp_tui.profiles.secret_command import run_secret_command\n"
        "before = termios.tcgetattr(0)\n"
        f"key = asyncio.run(run_secret_command([{path!r}], dict(os.environ), terminal=0))\n"
        "same = termios.tcgetattr(0) == before and os.tcgetpgrp(0) == os.getpgrp()\n"
        "print('<', key.reveal(), same, '>')\n"
    )
    with pexpect.spawn(sys.executable, ["-c", program], timeout=30) as terminal:
        terminal.expect_exact("PIN? ")
        terminal.sendline("1234")
        terminal.expect_exact("< key-1234 True >")
