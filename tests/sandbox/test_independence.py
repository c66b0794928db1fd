"""Client and judge share no code, or both could be wrong in the same way and every test would pass."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import json, sys
import ncp_tui.sandbox.sandbox, ncp_tui.sandbox.fault_lab.catalogue
print(json.dumps(sorted(sys.modules)))
"""


def test_what_the_sandbox_loads() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    loaded: list[str] = json.loads(done.stdout)
    ours = {name for name in loaded if name.startswith("ncp_tui.")}
    assert {name for name in ours if not name.startswith("ncp_tui.sandbox")} == set()
    assert not {"textual", "rich", "httpx", "keyring", "uvicorn.protocols.http.auto"} & set(loaded)
