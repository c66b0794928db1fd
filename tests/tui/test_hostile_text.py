"""Whatever a service sends is text: on every screen, in every pane, and no click on it does anything."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import httpx
import pytest

from ncp_tui.tui.screens.clusters import ClustersScreen
from tests.tui.stage import Stage, staged

FIRST = "\x1b\x9b\x07\x00\x7f\r\x08\n\u2028\u202e\u2066\u200b\ufeff\ud800"
"""One of every kind, where a narrow column shows it."""

OTHERS = (
    *("\x1b[31mred\x1b[0m", "\x1b]52;c;ZXZpbA==\x07", "\x1b]0;owned\x07", "\x1bc", "\x1bP1;2q\x1b\\"),
    *("\x9b31m\x9d0;x\x9c", "a\x00b\x7fc", "safe\rEVIL\x08\x0b\x0c", "\u202egnp.exe\u2066x\u2069\u200f"),
    *("a\u200bb\u200dc\ufeffd", "one\ntwo\tthree\u2028four", "\ud800x", unicodedata.normalize("NFD", "검색")),
)
"""Colours, the clipboard, a title, a reset, device control, C1, overwriting, bidi, zero width, lines, half a pair."""

MARKUP = "[red]red[/red][@click=app.leave]click me[/][/nope] [link=https://evil.example]x"
PAYLOADS = {
    "all at once": "".join(("[red]red[/red]", FIRST, MARKUP, *OTHERS)),
    "characters": "".join((FIRST, *OTHERS)),
    "markup": MARKUP,
    "broken markup": "[/nope] [link=https://evil.example]x",
    "long": "long" * 2500,
}
EACH = pytest.mark.parametrize(
    "payload",
    [
        pytest.param(payload, id=name, marks=[] if name == "all at once" else [pytest.mark.slow])
        for name, payload in PAYLOADS.items()
    ],
)
"""All at once by default; each alone, where another could hide it, in the slow lane."""


class Hostile(httpx.AsyncBaseTransport):
    """Puts a payload into every text of every answer, and into a header; structure and numbers stay."""

    def __init__(self, inner: httpx.AsyncBaseTransport, payload: str) -> None:
        self._inner = inner
        self._payload = payload

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        body = json.loads(await response.aread())
        poisoned = json.dumps(self._poisoned(body)).encode()
        header = self._payload.encode("utf-8", "replace").replace(b"\n", b" ").replace(b"\r", b" ").replace(b"\0", b" ")
        headers = [(b"content-type", b"application/json"), (b"x-evil", header[:200].strip())]
        return httpx.Response(response.status_code, headers=headers, stream=httpx.ByteStream(poisoned))

    def _poisoned(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._poisoned(item, key) for key, item in value.items()} | {self._payload: self._payload}
        if isinstance(value, list):
            return [self._poisoned(item, name) for item in value]
        # What the program needs to find its way stays; all that is only shown is the service's to choose.
        if isinstance(value, str) and name not in {"serviceGroupInstanceNo", "actionDate", "clusterStatus"}:
            return self._payload
        return value


def check(stage: Stage, *seen: object) -> None:
    """Nothing on the screen could act on a terminal, and the app is still there."""
    bad = {
        character
        for character in stage.text()
        if character != "\n" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }
    assert not bad, seen
    assert stage.app.is_running, seen
    assert stage.app.crashed is None, seen


WALKS = (["enter"], ["h", "enter"], ["h", "t", "b"], ["d", "enter"], ["s", "f2"], ["p", "t"], ["y"], ["v"], ["colon"])
"""Keys that lead from the clusters through every screen; each is looked at."""


@EACH
async def test_every_screen_shows_it_as_text(payload: str) -> None:
    """`[/nope]` crashes a widget that reads markup, `[@click=...]` runs an action, ESC reaches the terminal raw."""
    async with staged((120, 40), wrap=lambda inner: Hostile(inner, payload)) as stage:
        check(stage, "the start")
        for keys in WALKS:
            for key in keys:
                await stage.press(key)
                check(stage, keys, key)
            for _ in range(4):
                if isinstance(stage.app.screen, ClustersScreen):
                    break
                await stage.press("escape")
        for row in (2, 3, 20, 25, 30, 38):
            await stage.pilot.click(offset=(20, row))
            await stage.settle()
            check(stage, f"a click in row {row}")
        if MARKUP in payload:
            assert "[red]red[/red]" in stage.text()
