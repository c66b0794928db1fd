"""The gateway as an ASGI application: route, authentication, operation, answer, and a ledger entry for each request."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Protocol

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from ncp_tui.sandbox.authentication import ACCESS_KEY_HEADER, Account, NotAuthenticated, check_signature
from ncp_tui.sandbox.fault_lab.fault import Cut, Faults, Outcome, Visit, When
from ncp_tui.sandbox.ledger import Ledger, RequestEntry
from ncp_tui.sandbox.operations import Call, Operation, find_operation, perform
from ncp_tui.sandbox.protocol import (
    Answer,
    Denied,
    GatewayError,
    NotPossible,
    Refusal,
    Refused,
    gateway_answer,
    not_possible_answer,
    read_query,
    refusal_answer,
    success_answer,
)
from ncp_tui.sandbox.world import World

# The state key under which the server leaves the connection of a request.
CONNECTION = "sandbox_connection"
LONGEST_BODY = 1 << 20
_LONGEST_TARGET_IN_LEDGER = 4_096
_NOT_PRINTABLE = re.compile(r"[^ -~]")


class Connection(Protocol):
    """The socket under a request, for faults that an HTTP answer cannot express."""

    async def write(self, data: bytes) -> bool:
        """Send bytes as they are; False, and nothing is sent, when the client has gone."""

    def close(self, *, reset: bool) -> None:
        """Close at once, with a TCP reset where `reset` says so."""


@dataclass
class Arrival:
    """One request on its way through the gateway, and what has been found out about it.

    `skew` is how many seconds the gateway's clock is ahead for this request.
    """

    time: float
    request_id: str
    scope: Scope
    target: bytes
    body: bytes = field(default=b"", repr=False)
    too_large: bool = False
    operation: str | None = None
    number: str = ""
    skew: float = 0.0
    account: Account | None = None
    refusal: str | None = None
    fault: str | None = None
    entered: bool = False

    @property
    def method(self) -> str:
        """The method as sent."""
        return str(self.scope["method"])

    def entry(self, answer: Answer | None) -> RequestEntry:
        """The ledger's view of it; without an answer the status is None."""
        return RequestEntry(
            time=self.time,
            request_id=self.request_id,
            method=self.method,
            target=_printable(self.target),
            access_key=self._claimed_access_key(),
            operation=self.operation,
            authenticated=self.account is not None,
            status=answer.status if answer else None,
            error_code=answer.error_code if answer else None,
            code=answer.code if answer else None,
            refusal=self.refusal,
            fault=self.fault,
        )

    def _claimed_access_key(self) -> str | None:
        for name, value in self.scope["headers"]:
            if name.lower() == ACCESS_KEY_HEADER:
                return _printable(value)
        return None


class Gateway:
    """The ASGI application. It needs no lifespan, and keeps nothing of a request but its ledger entry."""

    def __init__(
        self,
        world: World,
        accounts: Mapping[str, Account],
        ledger: Ledger,
        faults: Faults,
        *,
        latency: float,
        new_request_id: Callable[[], str],
    ) -> None:
        self._world = world
        self._accounts = accounts
        self._ledger = ledger
        self._faults = faults
        self._latency = latency
        self._new_request_id = new_request_id
        self._statuses = itertools.cycle((200, 400))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or end its connection without an answer where a fault says so."""
        if scope["type"] != "http":
            raise NotImplementedError(f"the sandbox speaks HTTP only, not {scope['type']}")
        arrival = Arrival(self._world.now, self._new_request_id(), scope, _target(scope))
        try:
            await self._answer(arrival, receive, send)
        finally:
            self._enter(arrival, None)

    async def _answer(self, arrival: Arrival, receive: Receive, send: Send) -> None:
        if not await _read_body(arrival, receive):
            return
        outcome = await self._outcome(arrival, receive)
        if isinstance(outcome, Answer):
            await asyncio.sleep(self._latency)
            outcome = await self._meet(arrival, "answer", receive, outcome) or outcome
        # Entered before anything leaves: a client that has the answer finds the entry.
        self._enter(arrival, outcome if isinstance(outcome, Answer) else None)
        if isinstance(outcome, Cut):
            await _cut(outcome, arrival.scope, receive)
        else:
            await self._response(arrival, outcome)(arrival.scope, receive, send)

    async def _outcome(self, arrival: Arrival, receive: Receive) -> Outcome:
        """Route first, then authentication, then size, then the operation between its two faults."""
        found = find_operation(arrival.method, arrival.scope["raw_path"])
        if found is not None:
            arrival.operation, arrival.number = found[0].name, found[1]
        self._set_clock(arrival)
        if found is None:
            return gateway_answer(GatewayError.NOT_FOUND)
        operation, number = found
        account = self._authenticate(arrival)
        if account is None:
            return gateway_answer(GatewayError.AUTHENTICATION_FAILED)
        if arrival.too_large:
            return gateway_answer(GatewayError.TOO_LARGE)
        early = await self._meet(arrival, "before", receive)
        if early is not None:
            return early
        answer = self._perform(arrival, operation, account, number)
        return await self._meet(arrival, "after", receive, answer) or answer

    def _set_clock(self, arrival: Arrival) -> None:
        """Set the gateway's clock for this request."""
        skew = self._faults.take_skew(arrival.operation)
        if skew is not None:
            arrival.skew, arrival.fault = skew.seconds, skew.label

    def _authenticate(self, arrival: Arrival) -> Account | None:
        try:
            access_key = check_signature(
                arrival.method.encode(),
                arrival.target,
                arrival.scope["headers"],
                secret_of=self._secret_of,
                now_ms=(arrival.time + arrival.skew) * 1000,
            )
        except NotAuthenticated as refused:
            arrival.refusal = refused.reason
            return None
        arrival.account = self._accounts[access_key]
        return arrival.account

    def _secret_of(self, access_key: str) -> str | None:
        account = self._accounts.get(access_key)
        return account.secret_key if account else None

    def _perform(self, arrival: Arrival, operation: Operation, account: Account, number: str) -> Answer:
        query = read_query(arrival.scope["query_string"])
        call = Call(operation.name, account, number, query, arrival.body, arrival.request_id, self._ledger)
        try:
            return success_answer(perform(operation, self._world, call), arrival.request_id)
        except Refused as refused:
            return refusal_answer(refused.refusal, arrival.request_id, self._by_turns(refused.refusal))
        except NotPossible as impossible:
            return not_possible_answer(str(impossible), arrival.request_id)
        except Denied:
            return gateway_answer(GatewayError.PERMISSION_DENIED)

    def _by_turns(self, refusal: Refusal) -> int | None:
        """200 and 400 alternately for a missing key: such services answer with both, so a client must read both."""
        return next(self._statuses) if refusal is Refusal.AUTHENTICATION_KEY_NOT_SET else None

    async def _meet(
        self, arrival: Arrival, when: When, receive: Receive, answer: Answer | None = None
    ) -> Outcome | None:
        fault = self._faults.take(arrival.operation, when)
        if fault is None:
            return None
        arrival.fault = fault.label
        fault.reached.set()
        visit = Visit(
            arrival.operation,
            _printable(arrival.target),
            arrival.body,
            answer,
            _waiter_for_client(receive),
            arrival.number,
            arrival.request_id,
        )
        return await fault.act(visit)

    def _enter(self, arrival: Arrival, answer: Answer | None) -> None:
        if not arrival.entered:
            arrival.entered = True
            self._ledger.add_request(arrival.entry(answer))

    def _response(self, arrival: Arrival, answer: Answer) -> Response:
        """The date is the gateway's, so that a client can find out how far its own clock is off."""
        response = Response(answer.body, answer.status, answer.headers)
        usual = formatdate(self._world.now + arrival.skew, usegmt=True)
        for date in (usual,) if answer.dates is None else answer.dates:
            response.headers.append("date", date)
        return response


def _target(scope: Scope) -> bytes:
    query: bytes = scope["query_string"]
    path: bytes = scope["raw_path"]
    return path + b"?" + query if query else path


def _printable(data: bytes) -> str:
    text = data[:_LONGEST_TARGET_IN_LEDGER].decode("latin-1")
    return _NOT_PRINTABLE.sub("?", text)


async def _read_body(arrival: Arrival, receive: Receive) -> bool:
    """Read the whole body, keeping no more than is allowed; False when the client left before its end."""
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return False
        arrival.body += message.get("body", b"")
        if len(arrival.body) > LONGEST_BODY:
            arrival.too_large, arrival.body = True, b""
        if not message.get("more_body", False):
            return True


def _waiter_for_client(receive: Receive) -> Callable[[], Awaitable[None]]:
    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return gone


async def _cut(cut: Cut, scope: Scope, receive: Receive) -> None:
    """End the exchange without an answer, and return when the connection is gone.

    Returning earlier would make the server send an answer of its own. Raises ConnectionAbortedError where there is no
    connection (an in-process transport).
    """
    connection: Connection | None = scope.get("state", {}).get(CONNECTION)
    if connection is None and (cut.how != "hang" or cut.first):
        raise ConnectionAbortedError("the sandbox ends this connection")
    if connection is not None:
        for piece in cut.first:
            if not await connection.write(piece):
                break
            await asyncio.sleep(cut.pause)
        if cut.how != "hang":
            connection.close(reset=cut.how == "reset")
    await _waiter_for_client(receive)()
