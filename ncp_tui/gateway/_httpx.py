"""httpx without its command line, which is loaded whenever rich, pygments and click happen to be installed.

Here they always are (Textual needs rich, the command line click), and each networked command would pay for them:
measured, `import httpx` takes 98 ms instead of 58. httpx falls back to a message of its own where its command line
cannot be imported, so that import is made to fail, once, while httpx itself is being imported. Everything in the
gateway takes httpx from here.

Below it, httpcore tries to import sniffio four times a request, to learn which loop it runs on. Where that is missing
(anyio needs it no more) each time is a search of every folder that Python knows: a third of a millisecond of the four
that a request takes. That it is missing is remembered here.

Its log of single steps is switched off for good: it has the headers of each answer, and a gateway may put back into
them what it was sent.
"""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec

_COMMAND_LINE = "httpx._main"

if "httpx" in sys.modules:
    import httpx
else:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # how Python spells "not to be imported"
    try:
        import httpx
    finally:
        del sys.modules[_COMMAND_LINE]

_LOOP_SNIFFER = "sniffio"

if _LOOP_SNIFFER not in sys.modules and find_spec(_LOOP_SNIFFER) is None:
    sys.modules[_LOOP_SNIFFER] = None  # type: ignore[assignment]

logging.getLogger("httpcore").setLevel(logging.INFO)

__all__ = ["httpx"]
