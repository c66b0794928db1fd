"""httpx without its command line, which is loaded whenever rich, pygments and click happen to be installed.

Here they always are (Textual needs rich, the command line click), and each networked command would pay for them:
measured, `import httpx` takes 98 ms instead of 58. httpx falls back to a message of its own where its command line
cannot be imported, so that import is made to fail, once, while httpx itself is being imported. Everything in the
gateway takes httpx from here.
"""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"

if "httpx" in sys.modules:
    import httpx
else:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # how Python spells "not to be imported"
    try:
        import httpx
    finally:
        del sys.modules[_COMMAND_LINE]

__all__ = ["httpx"]
