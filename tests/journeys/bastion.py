"""A host that is reached over SSH only: an sshd on loopback, a fresh user without a desktop, and the program there."""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from packaging.requirements import Requirement

import ncp_tui
from tests.journeys.terminal import PATIENCE, Terminal

_TOOLS = ("sshd", "ssh", "ssh-keygen", "tmux", "useradd", "userdel")
_PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_PRIVILEGE_SEPARATION = Path("/run/sshd")


class Bastion:
    """The host: `run` is a command over SSH without a terminal, `terminal` one with."""

    def __init__(self, own: Path, user: str, home: Path, port: int) -> None:
        self.home = home
        """The user's home; nothing of the program's is moved elsewhere by a variable."""
        self._own = own
        target = f"{user}@127.0.0.1"
        options = {
            "IdentityFile": str(own / "user_key"),
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(own / "known_hosts"),
            "GlobalKnownHostsFile": "none",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "LogLevel": "ERROR",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        self._ssh = [_tool("ssh"), "-F", "none", "-p", str(port), *flags]
        self._target = target

    def run(self, command: str, stdin: str = "") -> str:
        """What `command` writes to stdout there; it must succeed."""
        start = [*self._ssh, "-T", self._target, command]
        done = subprocess.run(start, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def terminal(self, command: str) -> Terminal:
        """A login with a terminal that runs `command`."""
        return Terminal(self._own, command=[*self._ssh, "-tt", self._target, command])


def missing() -> str:
    """Why there can be no such host here; empty where there can."""
    if os.getuid() != 0:
        return "needs root, to add a user"
    lacking = [name for name in _TOOLS if shutil.which(name, path=_PLACES) is None]
    if lacking:
        return f"needs {', '.join(lacking)}"
    if _interpreter() is None:
        return f"needs a Python {sysconfig.get_python_version()} that every user may start"
    return ""


@contextmanager
def bastion(own: Path) -> Iterator[Bastion]:
    """Such a host; `own` keeps what is not the user's. User, processes and files are gone afterwards."""
    # Not below pytest's own folder, where a test's TMPDIR is: that is closed to others.
    place = Path(tempfile.mkdtemp(prefix="ncp-tui-bastion-", dir="/tmp"))
    place.chmod(0o755)
    try:
        _install(place)
        with _user(place / "home") as user, _sshd(own, place) as port:
            _admit(own, user, port)
            yield Bastion(own, user.pw_name, place / "home", port)
    finally:
        shutil.rmtree(place)


@contextmanager
def _user(home: Path) -> Iterator[pwd.struct_passwd]:
    name = f"ncp{secrets.token_hex(4)}"
    # A password of "*" can never be typed; "!" would lock the account for keys as well.
    _call("useradd", "-m", "-d", str(home), "-k", "/nonexistent", "-s", "/bin/sh", "-p", "*", name)
    user = pwd.getpwnam(name)
    try:
        home.chmod(0o700)
        yield user
    finally:
        _end_processes_of(user.pw_uid)
        _call("userdel", name)


def _end_processes_of(uid: int) -> None:
    """End all of a user who was made here, tmux's server among them."""
    ends = time.monotonic() + PATIENCE
    while processes := [each for each in Path("/proc").glob("[0-9]*") if _is_of(each, uid)]:
        assert time.monotonic() < ends, f"still there: {processes}"
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)
        time.sleep(0.02)


def _is_of(process: Path, uid: int) -> bool:
    """Whether it is alive and the user's."""
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return process.stat().st_uid == uid and state != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def _sshd(own: Path, place: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    _make_key(own / "host_key")
    settings = [
        f"ListenAddress 127.0.0.1:{port}",
        f"HostKey {own / 'host_key'}",
        "PidFile none",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        # A session of its own kind: what a login on the console or a desktop would add is not there.
        f"SetEnv PATH={place / 'bin'}:/usr/bin:/bin LANG=C.UTF-8 TMUX_TMPDIR={place / 'home'}",
    ]
    (own / "sshd_config").write_text("\n".join(settings) + "\n")
    made = not _PRIVILEGE_SEPARATION.exists()
    _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    try:
        with (own / "sshd.log").open("wb") as log:
            start = [_tool("sshd"), "-D", "-e", "-f", str(own / "sshd_config")]
            with subprocess.Popen(start, stdin=subprocess.DEVNULL, stderr=log) as process:
                try:
                    _wait_for(port, process, own / "sshd.log")
                    yield port
                finally:
                    process.terminate()
    finally:
        if made:
            _PRIVILEGE_SEPARATION.rmdir()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < ends, "sshd does not listen"
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE):
            return
        time.sleep(0.02)


def _admit(own: Path, user: pwd.struct_passwd, port: int) -> None:
    """Give the user a key to log in with, and the client the host's."""
    _make_key(own / "user_key")
    folder = Path(user.pw_dir, ".ssh")
    folder.mkdir(mode=0o700)
    allowed = folder / "authorized_keys"
    allowed.write_bytes((own / "user_key.pub").read_bytes())
    for path in (folder, allowed):
        os.chown(path, user.pw_uid, user.pw_gid)
    (own / "known_hosts").write_text(f"[127.0.0.1]:{port} {(own / 'host_key.pub').read_text()}")


def _make_key(path: Path) -> None:
    _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))


def _install(place: Path) -> None:
    """Put the program where every user may read it: this environment may lie in a folder that is closed to others."""
    library, programs = place / "lib", place / "bin"
    shutil.copytree(Path(ncp_tui.__file__).parent, library / "ncp_tui", ignore=shutil.ignore_patterns("__pycache__"))
    for name in sorted(_needed("ncp-tui") - {"ncp-tui"}):
        _copy(importlib.metadata.distribution(name), library)
    programs.mkdir()
    start = programs / "ncp-tui"
    # -P: the folder it is started in is no place to import from.
    start.write_text(f'#!/bin/sh\nPYTHONPATH={library} exec {_interpreter()} -P -m ncp_tui "$@"\n')
    start.chmod(0o755)


def _needed(name: str, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The distributions that `name` takes to run, itself among them."""
    if name in known:
        return known
    known |= {name}
    for line in importlib.metadata.requires(name) or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            known = _needed(requirement.name.lower(), known)
    return known


def _copy(distribution: importlib.metadata.Distribution, library: Path) -> None:
    for file in distribution.files or ():
        if ".." in file.parts or file.suffix == ".pyc":  # programs, and what Python makes itself
            continue
        target = library.joinpath(*file.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), target)


def _interpreter() -> str | None:
    """A Python of this version, so that compiled modules load, which another user may start."""
    names = (os.path.realpath(sys.executable), f"/usr/bin/python{sysconfig.get_python_version()}")
    return next((name for name in names if _is_open(Path(name))), None)


def _is_open(program: Path) -> bool:
    return program.exists() and all(each.stat().st_mode & 0o001 for each in (program, *program.parents))


def _tool(name: str) -> str:
    """The whole path of a program; sshd insists on being started by it."""
    found = shutil.which(name, path=_PLACES)
    assert found, name
    return found


def _call(name: str, *arguments: str) -> None:
    done = subprocess.run([_tool(name), *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, f"{name}: {done.stderr}"
