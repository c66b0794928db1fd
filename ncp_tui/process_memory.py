"""Keeping this process's memory to itself: a key is in it, and so is the environment it was started with."""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_DUMPABLE = 4
DEVELOPMENT_VARIABLE = "NCP_TUI_DEV"


def close_process_memory() -> None:
    """Write no core files, and let no other process of this user attach or read memory and environment.

    On Linux `/proc/PID/mem` and `/proc/PID/environ` are then closed to everybody but root; elsewhere core files alone
    are switched off. Children are as open as usual. Where the system refuses, the program runs all the same: this is a
    second wall behind the file modes. A developer who needs a debugger sets NCP_TUI_DEV.
    """
    if DEVELOPMENT_VARIABLE in os.environ:
        return
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - there is none on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
