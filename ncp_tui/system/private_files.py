"""Files written whole or not at all, and copies that never replace an older copy."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shlex
import stat
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

LARGEST = 16 << 20
"""Bytes of a file that are read: many times what any of ours has, and no endless device."""

_PRIVATE = 0o600
_ROOT = 0
_OTHERS_WRITE = 0o022
_EVERYBODY_ELSE = 0o077
_STRANGERS = 0o007
_MOST_LINKS = 40


def read_file(path: Path, *, follow: bool = False) -> bytes:
    """What is in the file `path`, at most LARGEST bytes of it. Raises OSError.

    A pipe of that name would be waited for, and a link may point to anything: neither is read, but a link with
    `follow`.
    """
    no_link = 0 if follow else getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, os.O_RDONLY | no_link | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        return file.read(LARGEST)


def foreign_owner(path: Path, status: os.stat_result) -> tuple[str, str]:
    """What is wrong with a file or folder of another user, and how to make it one's own: a sentence each."""
    quoted, mode = shlex.quote(str(path)), "700" if stat.S_ISDIR(status.st_mode) else "600"
    fix = f"sudo chown {os.geteuid()} {quoted} && chmod {mode} {quoted}"
    return (
        f"{path} belongs to another user (uid {status.st_uid}).",
        f"Run ncp-tui as that user (without sudo?), or check its content and make it yours: {fix}",
    )


def is_readable_by_others(status: os.stat_result) -> bool:
    """Whether others than this user, and root, may read a file with a secret.

    A service manager hands its files out as root's, with a group or an access list of the service.
    """
    if os.name != "posix":
        return False
    refused = _STRANGERS if status.st_uid == _ROOT != os.geteuid() else _EVERYBODY_ELSE
    return status.st_uid not in {_ROOT, os.geteuid()} or bool(status.st_mode & refused)


def exposed_place(path: Path) -> str:
    """Why somebody else than this user and root could have put `path` there, as a sentence; empty where no one could.

    Looks at it, at every folder above it, and the same for each link on the way. A sticky folder, as /tmp, is open to
    others all the same: whoever comes first makes the name. What is not there yet is no one's. Raises OSError.
    """
    if os.name != "posix":
        return ""
    for place, status in _places_of(path):
        if status.st_uid not in {_ROOT, os.geteuid()}:
            return f"{place} belongs to another user (uid {status.st_uid})."
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & _OTHERS_WRITE:
            return f"Other users can write in {place} (mode {stat.S_IMODE(status.st_mode):04o})."
    return ""


def _places_of(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Each file, folder and link through which the system goes to reach `path`, from the root on."""
    place = Path("/")
    yield place, place.stat()
    ahead = list(reversed(path.absolute().parts[1:]))
    links = itertools.count(1)
    while ahead:
        part = ahead.pop()
        if part in {os.curdir, os.pardir}:
            place = place.parent if part == os.pardir else place
            continue
        try:
            status = (place / part).lstat()
        except FileNotFoundError:
            return
        yield place / part, status
        if not stat.S_ISLNK(status.st_mode):
            place /= part
            continue
        if next(links) > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = (place / part).readlink()
        place = Path("/") if target.is_absolute() else place
        ahead += [each for each in reversed(target.parts) if each != target.anchor]


class GivenUp(Exception):
    """This write is not awaited any more, so it was not made."""


class Fence:
    """Between a thread that writes a file and whoever may stop waiting for it.

    A disk that hangs may answer a minute later. Without the fence it would then write what its user was told is not
    written.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_closed = False

    def close(self) -> None:
        """Have nothing replaced from now on. Blocks while a file is being replaced: call it on a thread."""
        with self._lock:
            self._is_closed = True

    @contextlib.contextmanager
    def passage(self) -> Iterator[None]:
        """Around the moment in which a file is replaced. Raises GivenUp once the fence is closed."""
        with self._lock:
            if self._is_closed:
                raise GivenUp
            yield


def write_atomically(
    path: Path,
    data: bytes,
    *,
    follow: bool = False,
    replacing: AbstractContextManager[None] | None = None,
    mode: int = _PRIVATE,
) -> None:
    """Replace the content of `path` by `data`, mode 0600 if no other; whoever reads sees the old file or the new one.

    A symbolic link is replaced, and what it points to left alone; with `follow` it stays one, and the file it points to
    is replaced. `replacing` is entered for the moment of the replacement, and may call it off by raising. Raises
    OSError, and then the old file is untouched.
    """
    target = Path(os.path.realpath(path)) if follow else path
    import tempfile  # which needs random numbers and hashes; a start writes nothing

    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=_temporary_prefix(target), suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with replacing or contextlib.nullcontext():
            os.replace(temporary, target)  # noqa: PTH105 - one name for the tests' full disk
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_directory(target.parent)


def remove_leftovers(path: Path) -> None:
    """Delete what killed writers of `path` left beside it. Only the holder of the file's lock may call this."""
    target = Path(os.path.realpath(path))
    for leftover in target.parent.glob(f"{_temporary_prefix(target)}*.tmp"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def back_up(path: Path, data: bytes, ending: str = "bad") -> Path:
    """Make sure that `data` is in a file `<path>.bad` (or `.bad.1`, `.bad.2`, …), and return which.

    A copy that is there already is found again; another content is never overwritten. Raises OSError.
    """
    for number in itertools.count():
        copy = path.with_name(f"{path.name}.{ending}" + (f".{number}" if number else ""))
        if _holds(copy, data):
            return copy
        with contextlib.suppress(FileExistsError):
            create_private_file(copy, data)
            return copy
    raise AssertionError


def create_private_file(path: Path, data: bytes) -> None:
    """Write a new file, mode 0600; where it cannot be written whole there is none. Raises OSError.

    FileExistsError where something is there already, a link that leads nowhere included.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _temporary_prefix(target: Path) -> str:
    return f".{target.name}."


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.is_file() and path.read_bytes() == data
    except OSError:
        return False


def sync_directory(directory: Path) -> None:
    """Have the names in `directory` on disk.

    What they name is written already, so a file system that cannot sync folders is no reason to call that a failure.
    """
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
