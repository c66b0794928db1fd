"""The board on the screen: every profile in one list, worst first; nothing is asked by itself, and enter goes there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import httpx

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.key_file_store import KeyFileStore
from ncp_tui.profiles.secret_stores.passphrase import Passphrase
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.snapshots.fleet import Severity
from ncp_tui.tui.dialogs.unlock import PassphraseDialog
from ncp_tui.tui.screens.board import BoardScreen
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.history import HistoryScreen
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, Stage, staged
from tests.tui.test_hostile_text import PAYLOADS, Hostile, check

WIDE = (160, 40)
PHRASE = Passphrase("correct horse battery staple")


class ByKey(httpx.AsyncBaseTransport):
    """Answers of its own for each access key, and whose turn it was; the sandbox for the others."""

    def __init__(self, inner: httpx.AsyncBaseTransport, answers: Mapping[str, Callable[[], httpx.Response]]) -> None:
        self._inner, self._answers = inner, answers
        self.keys = list[str]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["x-ncp-iam-access-key"]
        self.keys.append(key)
        return self._answers[key]() if key in self._answers else await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
