"""Reading JSON lines that several programs wrote and any of them may have been killed over."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from ncp_tui.session_log.writer import KEPT, old_file


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects in a file, in its order. A torn line, and whatever else is none, is passed over. Raises OSError."""
    return _objects(path.read_bytes()) if path.is_file() else []


def read_log(path: Path, *, kept: int = KEPT) -> list[dict[str, Any]]:
    """The lines of the session log at `path` and of the files that were put aside, oldest first. Raises OSError."""
    files: list[bytes] = []
    seen: set[tuple[int, int]] = set()
    # Newest first: a file that is put aside meanwhile is met again under its next name, where it is passed over. The
    # other way round it would be missed.
    for number in range(kept + 1):
        with contextlib.suppress(FileNotFoundError), open(old_file(path, number), "rb", opener=_open) as file:
            found = os.fstat(file.fileno())
            if (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                files.append(file.read())
    return [line for data in reversed(files) for line in _objects(data)]


def _open(path: str, flags: int) -> int:
    """A pipe in the place of the file is not waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def _objects(data: bytes) -> list[dict[str, Any]]:
    found = []
    for raw in data.split(b"\n"):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(raw)
            if isinstance(value, dict):
                found.append(value)
    return found
