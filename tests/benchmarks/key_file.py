"""What a passphrase and a write of the encrypted key file cost here: `python -m tests.benchmarks.key_file`."""

# ruff: noqa: T201 - a table is what it is for

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ncp_tui.profiles.secret_stores.encrypted_keyring import EncryptedKeyring
from ncp_tui.profiles.secret_stores.key_file import (
    SMALLEST_LOG2_N,
    USUAL_LOG2_N,
    available_memory,
    derive,
    new_derivation,
    scrypt_cost_for,
)
from ncp_tui.profiles.secret_stores.passphrase import Passphrase

PHRASE = Passphrase("correct horse battery staple")


def main() -> None:
    """Print the table."""
    for log2_n in range(SMALLEST_LOG2_N, USUAL_LOG2_N + 1):
        derivation = new_derivation(log2_n)
        took = milliseconds(partial(derive, PHRASE, derivation), 3)
        print(f"scrypt N=2^{log2_n} r=8 p=1  {derivation.memory >> 20:4d} MiB  {took:7.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        keyring = EncryptedKeyring(Path(folder) / "keys.enc", lock_seconds=5, log2_n=lambda: SMALLEST_LOG2_N)
        keyring.open(PHRASE, creating=True)
        print(f"write one key, open  {milliseconds(lambda: keyring.set_password('s', 'u', 'x' * 90), 50):7.2f} ms")
        print(f"read one key, open   {milliseconds(lambda: keyring.get_password('s', 'u'), 50):7.2f} ms")
    available = available_memory()
    print(f"a new file here gets N=2^{scrypt_cost_for(available)} ({(available or 0) >> 20} MiB available)")


def milliseconds(function: Callable[[], object], times: int) -> float:
    """The median."""
    measured = []
    for _ in range(times):
        started = time.perf_counter()
        function()
        measured.append((time.perf_counter() - started) * 1e3)
    return statistics.median(measured)


if __name__ == "__main__":
    main()
