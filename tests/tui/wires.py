"""What can be wrong between the app and the gateway: a wire that says nothing, breaks, or changes the words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import httpx

Transport = TypeVar("Transport", bound=httpx.AsyncBaseTransport)


def operation_of(request: httpx.Request) -> str:
    """The operation a request asks for: the second part below the region's prefix."""
    return request.url.path.split("/")[4]


@dataclass
class Silent(httpx.AsyncBaseTransport):
    """A wire on which the chosen operations are never answered; the others go through.

    `waiting` are the operations that nobody has given up yet.
    """

    inner: httpx.AsyncBaseTransport
    operations: Collection[str]
    waiting: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        operation = operation_of(request)
        if operation not in self.operations:
            return await self.inner.handle_async_request(request)
        self.waiting.append(operation)
        try:
            await asyncio.Event().wait()
        finally:
            self.waiting.remove(operation)
            self.left.append(operation)
        raise AssertionError("nobody sets the event")


@dataclass
class Held(httpx.AsyncBaseTransport):
    """A wire on which the answers to the chosen operations wait until `gate` is opened; the sandbox acts at once."""

    inner: httpx.AsyncBaseTransport
    operations: Collection[str]
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: int = 0
    """Requests of those operations so far."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        if operation_of(request) in self.operations:
            self.arrived += 1
            await self.gate.wait()
        return response


@dataclass
class Refusing(httpx.AsyncBaseTransport):
    """A wire at whose other end nobody listens, while `down`."""

    inner: httpx.AsyncBaseTransport
    down: bool = True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused", request=request) from ConnectionRefusedError()
        return await self.inner.handle_async_request(request)


class Wire(Generic[Transport]):
    """Hands a wire to the stage and keeps it for the test: `Wire(Held, {"createSnapshot"})`."""

    def __init__(self, kind: Callable[..., Transport], *arguments: object) -> None:
        self._kind = kind
        self._arguments = arguments

    def __call__(self, inner: httpx.AsyncBaseTransport) -> Transport:
        self.held = self._kind(inner, *self._arguments)
        return self.held
