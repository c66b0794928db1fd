"""A secret key that systemd hands to a service, as a file in a folder that only the service can see."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ncp_tui.gateway.credentials import InvalidCredentials, SecretKey
from ncp_tui.system.private_files import is_readable_by_others, read_file
from ncp_tui.system.secret_value import SecretValue

DIRECTORY_VARIABLE: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what `LoadCredential=` and `LoadCredentialEncrypted=` name (systemd.exec(5))."""

CREDENTIAL_NAME: Final = "ncp-tui-secret-key"
SHOWN_CREDENTIAL: Final = f"${DIRECTORY_VARIABLE}/{CREDENTIAL_NAME}"
"""How it is called as a source of keys."""

_LONGEST = 4096


def has_credential(environ: Mapping[str, str]) -> bool:
    """Whether this process was given a secret key; it is not read."""
    path = _path(environ)
    return path is not None and os.path.lexists(path)


def read_credential(environ: Mapping[str, str]) -> SecretKey | None:
    """The secret key that this process was given; None where there is none. Blocks on the disk.

    Raises InvalidCredentials for a file that others can read, that cannot be read, or that is no secret key.
    """
    path = _path(environ)
    if path is None:
        return None
    try:
        if is_readable_by_others(path.stat()):
            raise _unusable("is open to other users", f"Make it readable for its user alone: chmod 600 {path}")
        content = SecretValue(read_file(path, follow=True))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(f"cannot be read: {error.strerror or type(error).__name__}") from None
    return _key_in(content)


def _path(environ: Mapping[str, str]) -> Path | None:
    folder = environ.get(DIRECTORY_VARIABLE, "").strip()
    return Path(folder) / CREDENTIAL_NAME if folder else None


def _key_in(content: SecretValue[bytes]) -> SecretKey:
    line = content.reveal().removesuffix(b"\n").removesuffix(b"\r")
    if len(line) > _LONGEST or b"\n" in line:
        raise _unusable(f"is not one line of at most {_LONGEST // 1024} KiB")
    try:
        return SecretKey(line.decode())
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    except InvalidCredentials as problem:  # its text holds nothing of the value
        reason = f"holds no secret key. {problem.what.rstrip('.')}"
    raise _unusable(reason)


def _unusable(reason: str, next_step: str = "") -> InvalidCredentials:
    return InvalidCredentials(
        f"{SHOWN_CREDENTIAL} {reason}.",
        "Nothing was sent.",
        next_step or "Correct what LoadCredential= of the unit names.",
    )
