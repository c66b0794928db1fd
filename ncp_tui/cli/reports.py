"""The report of a bug: where it happened, for whoever repairs it, and none of the values that were in play."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import ncp_tui
from ncp_tui.gateway.credentials import SecretKey

_SECRET_VARIABLES = ("NCLOUD_SECRET_ACCESS_KEY", "NCLOUD_SECRET_KEY")
_MASK = "****"


def write_report(error: BaseException, secrets: Iterable[SecretKey] = ()) -> str:
    """Write the report of `error`, readable for the user alone, and return a sentence that says where it is.

    `secrets` are the keys this run has had in its hands: where the error's own text holds one, it is masked.
    """
    text = report_of(error, secrets)
    for folder in (_state_folder(), None):
        try:
            return f"The report, with no keys in it, is in {_write(folder, text)}."
        except OSError:
            continue
    return f"No report could be written; it was {type(error).__name__}."


def report_of(error: BaseException, secrets: Iterable[SecretKey] = ()) -> str:
    """The report's text: the versions and the frames. Local variables are left out: they hold the secret key."""
    frames = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    values = [os.environ.get(name, "").strip() for name in _SECRET_VARIABLES]
    for value in filter(None, values + [secret.reveal() for secret in secrets]):
        frames = frames.replace(value, _MASK)
    head = f"ncp-tui {ncp_tui.__version__}, Python {platform.python_version()}, {platform.platform()}, {sys.argv[0]!a}"
    return f"{head}\n{datetime.now(UTC).isoformat(timespec='seconds')}\n\n{frames}"


def _state_folder() -> Path | None:
    from ncp_tui.problem import Problem
    from ncp_tui.system.paths import make_private_directory, paths_from

    try:
        folder = paths_from(os.environ).reports_dir
        make_private_directory(folder)
    except (OSError, RuntimeError, Problem):
        return None
    return folder


def _write(folder: Path | None, text: str) -> Path:
    """A new file of mode 0600; `folder` None is the system's for temporary files."""
    handle, name = tempfile.mkstemp(prefix=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-", suffix=".txt", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return Path(name)
