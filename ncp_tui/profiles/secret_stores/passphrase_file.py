"""The passphrase out of a file or a pipe that the user named, for runs that have no terminal to ask on."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ncp_tui.profiles.secret_stores.errors import InvalidPassphrase, UnsafeKeyFile
from ncp_tui.profiles.secret_stores.passphrase import PASSPHRASE_VARIABLE, Passphrase

_LARGEST = 4096
_EVERYBODY_ELSE = 0o077
_STRANGERS = 0o007
_ROOT = 0


def read_passphrase_file(path: Path) -> Passphrase:
    """The passphrase in `path`, one line. Blocks as long as a pipe does.

    A pipe may be anybody's, since what is read from it is on no disk. Raises UnsafeKeyFile for a file that others can
    read, and InvalidPassphrase.
    """
    try:
        return Passphrase(_read(path).decode("utf-8-sig"))
    except OSError as error:
        # Not by its name: where the passphrase itself was put into the variable, that would be shown here.
        reason = f"The file of the passphrase cannot be read: {os.strerror(error.errno or 0).lower()}."
    except (UnicodeDecodeError, InvalidPassphrase):
        reason = f"{path} holds no passphrase: that is one line of visible characters, in UTF-8."
    raise InvalidPassphrase(
        reason, "Nothing was sent or changed.", f"Correct the file that {PASSPHRASE_VARIABLE} names."
    )


def _read(path: Path) -> bytes:
    data = b""
    with path.open("rb", buffering=0) as file:
        _check(path, os.fstat(file.fileno()))
        while len(data) < _LARGEST and (part := file.read(_LARGEST - len(data))):
            data += part
    return data


def _check(path: Path, status: os.stat_result) -> None:
    if stat.S_ISFIFO(status.st_mode):
        return
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeKeyFile(
            f"{path} is neither a file nor a pipe.", "No passphrase was read.", f"Correct {PASSPHRASE_VARIABLE}."
        )
    if os.name != "posix":
        return
    # A service manager hands its files out as root's, with a group or an access list of the service.
    refused = _STRANGERS if status.st_uid == _ROOT != os.geteuid() else _EVERYBODY_ELSE
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in {_ROOT, os.geteuid()} or mode & refused:
        raise UnsafeKeyFile(
            f"{path} holds the passphrase and is open to other users (mode {mode:04o}, uid {status.st_uid}).",
            "The passphrase was not read.",
            f"Make it yours alone: chmod 600 {path}",
        )
