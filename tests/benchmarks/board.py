"""What the board costs while it fills: 50 profiles of 40 clusters, read over a link with latency."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.system.paths import paths_from
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.terminal_bytes import UP, Line, of_nobody
from tests.journeys.terminal import DOWN

_LATENCY_MS = 50
_FILLS = 0.7
"""Seconds without a key, in which it is read on: a key comes before a history."""
_SHORT = 0.05


def _program(gateway: ThreadedSandbox) -> tuple[str, ...]:
    """The program with a keyring that has the sandbox's key for every profile."""
    sandbox = gateway.sandbox
    kept = json.dumps({"v": 1, "ak": sandbox.access_key, "sk": sandbox.secret_key})
    code = f"""
from ncp_tui.profiles.secret_stores import os_keyring
class Keyring:
    def get_password(self, service, username):
        return {kept!r}
os_keyring._secret_service_backend = lambda *_: Keyring()
from ncp_tui.__main__ import main
main()
"""
    return (sys.executable, "-c", code)


def filling(home: Path, profiles: int, clusters: int, keys: int) -> Iterator[Figure]:
    """The first rows, arrow keys while it fills, and what it holds in the end."""
    of = f"board of {profiles} profiles, {clusters} clusters each"
    with ThreadedSandbox(Sandbox(clusters=clusters, latency_ms=_LATENCY_MS)) as gateway:
        store = ProfileStore(paths_from({"NCP_TUI_HOME": str(home / "ncp-tui")}))
        names = [f"profile-{number:02d}" for number in range(profiles)]
        for name in names:
            access_key = gateway.sandbox.access_key
            store.add(Profile(name=name, access_key=access_key, gateway_url=gateway.url, store="keyring"))
        store.set_default(names[0])
        with Line(_program(gateway), of_nobody(home)) as line:
            line.expect("clusters, as of ")
            line.settle()
            yield Figure(f"{of}: resident memory before", line.resident_mib(), "MiB")
            # The next row of the table below the head is a cluster's, and no longer a profile's that waits.
            first = line.press_until("b", "READ", "search-00") - _LATENCY_MS
            yield Figure(f"{of}, `b` to the first rows but for the latency", first, "ms", 500)
            answers = []
            for key in (DOWN, UP) * (keys // 2):
                line.read(_FILLS)
                answers.append(line.press(key, _SHORT).first_ms)
            yield Figure(f"... arrow key while it fills ({keys} keys), p95", percentile(answers, 0.95), "ms", 16)
            while b" critical, " not in line.raw:
                line.read(1.0)
            line.settle()
            answers = [line.press(key, _SHORT).first_ms for key in (DOWN, UP) * (keys // 2)]
            yield Figure("... arrow key when it is full, p95", percentile(answers, 0.95), "ms", 16)
            yield Figure("... resident memory when it is full", line.resident_mib(), "MiB", 75)
