"""When Python looks for garbage: not while the program loads, of which nothing is garbage.

Looking through it again and again is a tenth of the start of the screen (measured: 15 to 30 ms of 220).
"""

from __future__ import annotations

import gc


def hold_while_loading() -> None:
    """Look for no garbage until `resume`."""
    gc.disable()


def resume() -> None:
    """Look for garbage from now on, never again among what has been loaded. Only the first call does anything."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
