"""This process: its memory is closed to others, because a key is in it; and no garbage is looked for at the start.

Looking through what is being loaded again and again is a tenth of the start of the screen (measured: 15 to 30 ms of
220).
"""

from __future__ import annotations

import contextlib
import gc
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
        import resource  # there is none on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # `--help` does without it

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def keep_status_of_children() -> None:
    """Have the system keep with which status a child ends, as it does unless whoever started us ignored such signals.

    A child that failed would otherwise pass for one that succeeded: Python takes a status that is gone for 0. Off the
    main thread nothing is changed.
    """
    if sys.platform == "win32":
        return
    import signal  # not for `--help`

    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def pause_gc() -> None:
    """Look for no garbage until `resume_gc`."""
    gc.disable()


def resume_gc() -> None:
    """Look for garbage from now on, never again among what has been loaded. Only the first call does anything."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
