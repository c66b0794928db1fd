"""The time for a create, which passes when it has to: no test waits for it, and no busy machine ends it early."""

from __future__ import annotations

import asyncio

import pytest

from ncp_tui.gateway.request import Timeouts
from ncp_tui.sandbox.fault_lab.fault import Fault

WAITED = Timeouts(read=61.0, total=61.0)


class Waiting:
    """Lets the time for a create run out when its fault has struck, and not before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._timeout, self._create = asyncio.timeout, asyncio.timeout(None)
        monkeypatch.setattr("ncp_tui.search_engine.client.CREATE_TIMEOUTS", WAITED)
        monkeypatch.setattr(asyncio, "timeout", self._started)

    async def runs_out(self, fault: Fault) -> None:
        while not fault.reached.is_set():  # noqa: ASYNC110 - the fault strikes in this loop
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)  # what there is of an answer may come
        self._create.reschedule(asyncio.get_running_loop().time())

    def _started(self, seconds: float | None) -> asyncio.Timeout:
        timeout = self._timeout(seconds)
        self._create = timeout if seconds == WAITED.total else self._create
        return timeout
