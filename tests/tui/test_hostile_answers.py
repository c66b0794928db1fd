"""Words of a server where they matter most: in the sentences about what went wrong, and about a snapshot."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.tui.app import NcpApp
from ncp_tui.tui.dialogs.text import TextDialog
from tests.tui.stage import Stage, staged
from tests.tui.test_hostile_text import EACH, check
from tests.tui.wires import Wire, operation_of

SIZE = (120, 40)
CLICK = "[@click=app.leave]click[/]"
LIST, CREATE, HISTORY = "getClusterInfoList", "createSnapshot", "getSnapshotHistory"


def said(payload: str) -> dict[str, Any]:
    return {"code": 40070, "message": payload, "result": None, "requestId": payload}


def gateway_error(payload: str) -> dict[str, Any]:
    return {"error": {"errorCode": payload, "message": payload, "details": payload}}


@dataclass
class Answers(httpx.AsyncBaseTransport):
    """A wire that answers one operation with words of its own; lone surrogates and all."""

    inner: httpx.AsyncBaseTransport
    operation: str
    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    reason: bytes = b"OK"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if operation_of(request) != self.operation:
            return await self.inner.handle_async_request(request)
        stream = httpx.ByteStream(self.body)
        reason = {"reason_phrase": self.reason}
        return httpx.Response(self.status, headers=list(self.headers), stream=stream, extensions=reason)

    def answer(self, status: int, body: object) -> None:
        """Answer with this from now on."""
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


def raw(payload: str) -> bytes:
    return payload.encode("utf-8", "surrogatepass")


async def look_everywhere(stage: Stage) -> None:
    """The screen as it is, its response pane, its log, the curl snippet, help."""
    check(stage, "the screen")
    for key in ("y", "f1"):
        await stage.press(key)
        check(stage, key)
        if isinstance(stage.app.screen, TextDialog):
            await stage.press("end")
            check(stage, key, "at its end")
            await stage.press("escape")


@EACH
async def test_a_card_shows_the_servers_words_as_text(payload: str) -> None:
    """Errors of service and gateway; a page, a redirect and headers of whoever answers on the gateway's address."""
    wire = Wire(Answers, LIST)
    async with staged(SIZE, wrap=wire) as stage:
        wire.held.headers = ((b"location", raw(payload)), (b"date", raw(payload)), (raw(payload)[:40], raw(payload)))
        wire.held.reason = raw(payload)[:100]
        for status, body in (
            (200, said(payload)),
            (401, gateway_error(payload)),
            (503, gateway_error(payload)),
            (200, raw(payload)),
            (302, raw(payload)),
        ):
            wire.held.answer(status, body)
            await stage.press("r")
            assert stage.shows("Nothing to show. Press r to try again.")
            check(stage, status, body)
        await look_everywhere(stage)


@EACH
async def test_the_outcome_of_a_create_shows_them_as_text(payload: str) -> None:
    wire = Wire(Answers, CREATE)
    async with staged(SIZE, wrap=wire) as stage:
        await stage.press("s")
        for status, outcome in ((200, "Not started"), (400, "Not started"), (500, "Unknown whether")):
            wire.held.answer(status, said(payload))
            await stage.press("tab", "f2")
            assert stage.shows(outcome)
            check(stage, outcome, status)
        await look_everywhere(stage)
        await stage.press("escape")
        check(stage)


@dataclass
class Poisons(httpx.AsyncBaseTransport):
    """A wire that exchanges what the history says of a snapshot, and every request id."""

    inner: httpx.AsyncBaseTransport
    payload: str
    in_another_bucket: bool = True
    """Whether it is told of the bucket as well; then the row is not that of what was asked for."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        body = json.loads(await response.aread())
        body |= {"requestId": self.payload, "message": self.payload}
        if operation_of(request) == HISTORY:
            for row in body["result"]["snapshotHistoryResponseList"]:
                row |= {"message": f"FAILED {self.payload}", "duration": self.payload}
                if self.in_another_bucket:
                    row["bucketName"] = self.payload
        return httpx.Response(response.status_code, stream=httpx.ByteStream(json.dumps(body).encode()))


@EACH
async def test_the_end_of_a_snapshot_shows_them_as_text(payload: str, quick_looks: None) -> None:  # noqa: ARG001
    wire = Wire(Poisons, payload)
    async with staged(SIZE, wrap=wire) as stage:
        await stage.press("s", "f2")
        await stage.expect("Accepted. search-0001-", "the row in the history is not this snapshot: ")
        check(stage, "a row in another bucket")
        wire.held.in_another_bucket = False
        await stage.expect("Snapshot search-0001-", " failed: ")
        await look_everywhere(stage)
        wire.held.in_another_bucket = True
        await stage.press("escape")
        await look_everywhere(stage)
        await stage.press("h", "down", "enter")
        check(stage)


async def test_a_click_on_a_name_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual runs what stands in `[@click=...]`, wherever it reads markup."""
    left: list[str] = []
    monkeypatch.setattr(NcpApp, "action_leave", lambda _: left.append("left"))

    def prepare(sandbox: Sandbox) -> None:
        clusters = sandbox.world._clusters
        clusters.update({number: replace(each, name=CLICK) for number, each in clusters.items()})

    async with staged(SIZE, prepare=prepare) as stage:
        rows = [y for y, line in enumerate(stage.text().splitlines()) if CLICK in line]
        assert len(rows) > 10, "the details of the row under the cursor are among them"
        for y in rows:
            await stage.pilot.click(offset=(22, y))
        stage.app.screen.query_one("#table").focus()
        await stage.press("home", "enter")
        assert stage.shows(f"Cluster {CLICK}")
        for y, line in enumerate(stage.text().splitlines()):
            if "click" in line:
                await stage.pilot.click(offset=(line.index("click") + 1, y))
        await stage.settle()
        assert not left
