"""How much memory deriving a key may take on this host, so that a small bastion is not brought down by a passphrase."""

from __future__ import annotations

import re
from pathlib import Path

USUAL_LOG2_N = 17
"""128 MiB, 0.4 s on one 2.5 GHz core."""

SMALLEST_LOG2_N = 15
"""32 MiB, 0.1 s. Less would make guessing too cheap to be called protection."""

SHARE = 4
"""At most a quarter of the memory that is available is asked for, for half a second."""

_MEMINFO = Path("/proc/meminfo")
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
_AVAILABLE = re.compile(r"^MemAvailable:\s*(\d+) kB$", re.MULTILINE)


def scrypt_cost_for(available: int | None) -> int:
    """The scrypt setting for a new file on a host with `available` bytes; the usual one where that is not known."""
    if available is None:
        return USUAL_LOG2_N
    choices = range(USUAL_LOG2_N, SMALLEST_LOG2_N, -1)
    return next((log2_n for log2_n in choices if (1024 << log2_n) * SHARE <= available), SMALLEST_LOG2_N)


def available_memory(meminfo: Path = _MEMINFO, container_limit: Path = _CONTAINER_LIMIT) -> int | None:
    """Bytes that can be had without swapping, and within the limit of a container; None where Linux does not tell."""
    found = _AVAILABLE.search(_text(meminfo))
    limit = _text(container_limit).strip()
    known = [int(found[1]) * 1024] if found else []
    known += [int(limit)] if limit.isdecimal() else []
    return min(known, default=None)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
