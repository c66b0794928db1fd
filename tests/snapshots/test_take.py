"""Taking a snapshot, against a judge that counts: one request in every case, and an outcome that is true."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ncp_tui.gateway import (
    AuthenticationFailed,
    BadAnswer,
    Credentials,
    Endpoint,
    EndpointError,
    EndpointTimeout,
    Gateway,
    GatewayError,
    NotReached,
    Patience,
    PermissionDenied,
    ReadOnlyRefused,
    RefusedByService,
    SecretKey,
    ServerError,
    Throttled,
)
from ncp_tui.gateway import errors as gateway_errors
from ncp_tui.sandbox import Cut, RunningSandbox, gateway_answer
from ncp_tui.sandbox import GatewayError as Table
from ncp_tui.search_engine import SearchEngine
from ncp_tui.search_engine import client as client_module
from ncp_tui.snapshots import InvalidBucket, InvalidName, Outcome, SnapshotRequest, Taken, take
from ncp_tui.snapshots.take import outcome_of
from tests.search_engine.scripted import engine_of

REQUEST = SnapshotRequest("1037001", "search-0001", "before-upgrade", "bk.ses.snapshot")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def engine(served: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SearchEngine]:
    """Patient for a third of a second, where the product waits for ninety."""
    monkeypatch.setattr(client_module, "PATIENT", Patience(connect=5, read=5, total=0.3))
    engine = engine_of(served)
    yield engine
    await engine.aclose()


def creates(served: RunningSandbox) -> tuple[int, int]:
    """How many creates arrived, and how many snapshots they started."""
    ledger = served.sandbox.ledger
    arrived = sum(entry.operation == "createSnapshot" for entry in ledger.requests)
    return arrived, sum(effect.operation == "createSnapshot" for effect in ledger.effects)


async def test_accepted(served: RunningSandbox, engine: SearchEngine) -> None:
    taken = await take(engine, REQUEST, lambda: NOW)
    assert (taken.outcome, taken.at, taken.attempts, taken.error) == (Outcome.ACCEPTED, NOW, 1, None)
    assert taken.request_id == served.sandbox.ledger.requests[0].request_id
    assert taken.request is REQUEST
    assert creates(served) == (1, 1)
    assert taken.sentence.startswith("Accepted")


def big(status: int) -> tuple[int, str]:
    return status, "<html>" + "x" * 100_000


# When, what, whether it takes effect, the outcome, the error's class.
FAULTS: list[tuple[str, Any, bool, Outcome, type[GatewayError]]] = [
    ("before", "drop", False, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("after", "drop", True, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("before", "reset", False, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("after", "reset", True, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("before", "hang", False, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("after", "hang", True, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("before", "late", True, Outcome.UNKNOWN, gateway_errors.AnswerLost),
    ("after", Cut("drop", [b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", b'{"code":0,"res']), True, Outcome.UNKNOWN,
     gateway_errors.AnswerLost),
    ("after", Cut("hang", [b"HTTP/1.1 200 OK\r\n"] + [b"x-a: b\r\n"] * 1000, 0.05), True, Outcome.UNKNOWN,
     gateway_errors.AnswerLost),
    ("after", (200, ""), True, Outcome.UNKNOWN, BadAnswer),
    ("after", (200, "<html>ok</html>"), True, Outcome.UNKNOWN, BadAnswer),
    ("after", (200, {"code": 0, "message": "SUCCESS", "result": None}), True, Outcome.UNKNOWN, BadAnswer),
    ("after", (200, {"code": 0, "message": "SUCCESS"}), True, Outcome.UNKNOWN, BadAnswer),
    ("after", (302, ""), True, Outcome.UNKNOWN, gateway_errors.Redirected),
    ("after", big(500), True, Outcome.UNKNOWN, ServerError),
    ("before", big(502), False, Outcome.UNKNOWN, ServerError),
    ("after", (500, {"code": 500, "message": "Internal", "result": None}), True, Outcome.UNKNOWN, ServerError),
    ("after", gateway_answer(Table.ENDPOINT_TIMEOUT), True, Outcome.UNKNOWN, EndpointTimeout),
    ("before", gateway_answer(Table.ENDPOINT_ERROR), False, Outcome.UNKNOWN, EndpointError),
    ("after", gateway_answer(Table.UNEXPECTED), True, Outcome.UNKNOWN, ServerError),
    ("before", gateway_answer(Table.THROTTLED), False, Outcome.REFUSED, Throttled),
    ("before", gateway_answer(Table.QUOTA_EXCEEDED), False, Outcome.REFUSED, gateway_errors.QuotaExceeded),
    ("before", gateway_answer(Table.PERMISSION_DENIED), False, Outcome.REFUSED, PermissionDenied),
    ("before", gateway_answer(Table.BAD_REQUEST), False, Outcome.REFUSED, gateway_errors.RefusedByGateway),
    ("before", (200, {"code": 7, "message": "안 됨", "result": None}), False, Outcome.REFUSED, RefusedByService),
    ("before", (400, {"code": 7, "message": "안 됨", "result": None}), False, Outcome.REFUSED, RefusedByService),
]  # fmt: skip


@pytest.mark.parametrize(("when", "act", "effect", "outcome", "kind"), FAULTS)
async def test_a_fault(  # noqa: PLR0917 - the columns of a table
    served: RunningSandbox,
    engine: SearchEngine,
    when: Any,
    act: Any,
    effect: bool,
    outcome: Outcome,
    kind: type[GatewayError],
) -> None:
    """Told "not started" when it may have been, a user takes the second snapshot; told "accepted", none."""
    served.sandbox.faults.add("createSnapshot", when, act)
    taken = await take(engine, REQUEST)
    assert (taken.outcome, type(taken.error), taken.attempts) == (outcome, kind, 1)
    await settled(served, effect=effect)
    assert creates(served) == (1, int(effect))
    if effect:
        assert outcome is Outcome.UNKNOWN
    assert taken.sentence.startswith("Cannot tell" if outcome is Outcome.UNKNOWN else "Not started")


async def settled(served: RunningSandbox, *, effect: bool) -> None:
    """Wait until the sandbox has noticed that the client is gone."""
    async with asyncio.timeout(5):
        while creates(served) != (1, int(effect)):  # noqa: ASYNC110 - the sandbox tells nobody
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (SnapshotRequest("1037001", "c", "Bad_Name", "bk.ses.snapshot"), InvalidName),
        (SnapshotRequest("1037001", "c", "good-name\n", "bk.ses.snapshot"), InvalidName),
        (SnapshotRequest("1037001", "c", "good-name", "BUCKET"), InvalidBucket),
    ],
)
async def test_what_is_wrong_beforehand_is_not_sent(
    served: RunningSandbox, engine: SearchEngine, request_: SnapshotRequest, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await take(engine, request_)
    assert served.sandbox.ledger.requests == []


async def test_the_services_own_refusals(served: RunningSandbox, engine: SearchEngine) -> None:
    for number, name, bucket in (
        ("1037001", "before-upgrade", "no-such-bucket"),
        ("1037004", "before-upgrade", "bk.ses.snapshot"),
        ("9999999", "before-upgrade", "bk.ses.snapshot"),
    ):
        taken = await take(engine, SnapshotRequest(number, "c", name, bucket))
        assert (taken.outcome, type(taken.error)) == (Outcome.REFUSED, RefusedByService)
        assert taken.request_id == served.sandbox.ledger.requests[-1].request_id
    assert creates(served) == (3, 0)


async def test_a_name_that_was_used_is_refused_and_nothing_is_repeated(
    served: RunningSandbox, engine: SearchEngine
) -> None:
    """The same name is how a repeated request is recognised."""
    assert (await take(engine, REQUEST)).outcome is Outcome.ACCEPTED
    second = await take(engine, REQUEST)
    assert second.outcome is Outcome.REFUSED
    assert second.error is not None
    assert "same name" in second.error.message
    assert creates(served) == (2, 1)


async def test_not_sent(served: RunningSandbox) -> None:
    url = served.url
    await served.stop()
    engine = stranger(url)
    taken = await take(engine, REQUEST)
    await engine.aclose()
    assert (taken.outcome, type(taken.error)) == (Outcome.NOT_SENT, NotReached)
    assert taken.sentence == "Not started: before-upgrade."


async def test_read_only(served: RunningSandbox) -> None:
    engine = engine_of(served, read_only=True)
    taken = await take(engine, REQUEST)
    await engine.aclose()
    assert (taken.outcome, type(taken.error), taken.attempts) == (Outcome.NOT_SENT, ReadOnlyRefused, 0)
    assert served.sandbox.ledger.requests == []


async def test_a_wrong_key_is_refused(served: RunningSandbox) -> None:
    engine = stranger(served.url, served.sandbox.access_key)
    taken = await take(engine, REQUEST)
    await engine.aclose()
    assert (taken.outcome, type(taken.error)) == (Outcome.REFUSED, AuthenticationFailed)
    assert creates(served) == (1, 0)
    assert "WRONGsecret" not in repr(taken)


async def test_cancelling_goes_on_to_the_caller(served: RunningSandbox, engine: SearchEngine) -> None:
    fault = served.sandbox.faults.add("createSnapshot", "after", "hang")
    task = asyncio.ensure_future(take(engine, REQUEST))
    await asyncio.to_thread(fault.reached.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def stranger(url: str, access_key: str = "AK") -> SearchEngine:
    credentials = Credentials(access_key, SecretKey("WRONGsecret0123456789"))
    return SearchEngine(Gateway(Endpoint("public", "KR", url, "/api/v2"), credentials, environ={}))


def test_every_error_of_the_gateway_has_an_outcome_that_it_proves() -> None:
    """A class that is added later must decide whether it proves "not started"."""
    kinds = [
        kind for kind in vars(gateway_errors).values() if isinstance(kind, type) and issubclass(kind, GatewayError)
    ]
    for kind in kinds:
        outcome = outcome_of(kind("what"))
        assert (outcome is Outcome.UNKNOWN) == kind.may_have_acted
        assert (outcome is Outcome.NOT_SENT) == issubclass(kind, NotReached | ReadOnlyRefused)


def test_an_outcome_is_a_word_for_scripts() -> None:
    assert json.dumps(list(Outcome)) == '["accepted", "refused", "not_sent", "unknown"]'
    assert Taken(REQUEST, Outcome.UNKNOWN, NOW).sentence.endswith("It was not sent again.")
