"""How long the disk of this machine may take, in seconds: a hung network folder must hold neither a key nor an exit.

What a gateway may take stands with the requests (`gateway.request`), what a secret store may take beside each store.
"""

from __future__ import annotations

from typing import Final

FIRST_FRAME_SECONDS: Final = 0.3
"""For a file that the first frame would like to know; after that it is drawn without."""

DISK_SECONDS: Final = 10.0
"""For one file to be read or written while a person waits."""

KEY_FILE_SECONDS: Final = 15.0
"""For one operation on the key file: the wait for its lock and the import of its libraries included."""

PROFILE_CHANGE_SECONDS: Final = 30.0
"""For one change of the profiles file: three times what it waits for the lock of another program."""
