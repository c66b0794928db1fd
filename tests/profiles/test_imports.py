"""What importing the package costs."""

from __future__ import annotations

import subprocess
import sys


def test_importing_profiles_imports_no_keyring() -> None:
    """The keyring package and what it pulls in take 60 to 140 ms, before the first picture and for every `--help`."""
    program = (
        "import sys, ncp_tui.profiles.credential_sources, ncp_tui.profiles.profile_changes\n"
        "import ncp_tui.profiles.secret_stores.os_keyring, ncp_tui.profiles.secret_stores.key_file_store\n"
        "print([name for name in ('keyring', 'secretstorage', 'jeepney', 'cryptography', 'textual') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
