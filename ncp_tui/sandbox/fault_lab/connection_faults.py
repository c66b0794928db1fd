"""Connections that end, fall silent or crawl, answers that have no end, and TLS that is right or wrong in one way."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from ncp_tui.sandbox.fault_lab.fault import ANY, Act, Cut, Doing, LabFault, Stage, Visit, after, applying, both, doing
from ncp_tui.sandbox.handshakes import HowMet
from ncp_tui.sandbox.protocol import JSON_TYPE

HUGE = 300 << 20
# One byte a second outlasts every timeout: the answer to a create has more than a hundred.
_TRICKLE_SECONDS = 1.0
_CHUNK = 1 << 16
_CHUNK_OF_BOMB = 1 << 20
_FIRST, _LAST = b'{"code": 0, "message": "', b'", "result": true}'


def connection_faults() -> Iterator[LabFault]:
    """All of this module."""
    yield from both("drop", "The connection is closed without an answer", doing("drop"))
    yield from both("reset", "The connection is reset without an answer", doing("reset"))
    yield from both("hang", "No answer comes, and the connection stays open", doing("hang"))
    description = "No answer comes; the snapshot is started once the client has given up."
    yield LabFault("late", description, "after", applying("before", doing("late")))
    yield after(
        "hang-in-body", "Half of the answer comes, then nothing; the snapshot was started.", _cutting(_half, "hang")
    )
    yield trickle_headers()
    yield trickle_body()
    yield after("truncate-after", "The answer ends after half of its body; the snapshot was started.", _cutting(_half))
    yield after(
        "huge", "The answer is 300 MiB of JSON; the snapshot was started.", _streaming(_Pieces(_huge_body), HUGE)
    )
    yield after(
        "gzip-bomb",
        "A small compressed answer that unpacks to 300 MiB; the snapshot was started.",
        _streaming(_Pieces(_bomb), None),
    )
    yield from _tls_faults()


def trickle_headers(seconds: float = _TRICKLE_SECONDS) -> LabFault:
    """The right answer, a byte at a time from its first one on, `seconds` apart."""
    return after(
        "trickle-headers",
        "The answer comes one byte a second, headers and all; the snapshot was started.",
        _cutting(lambda head, body: _bytes(head + body), pause=seconds),
    )


def trickle_body(seconds: float = _TRICKLE_SECONDS) -> LabFault:
    """The right answer: its headers at once, its body a byte at a time, `seconds` apart."""
    return after(
        "trickle-body",
        "The headers come at once, the body one byte a second; the snapshot was started.",
        _cutting(lambda head, body: (head, *_bytes(body)), pause=seconds),
    )


def truncate_at(length: int) -> LabFault:
    """The right answer, closed after `length` bytes of its body though its headers promise all of them."""
    return after(
        f"truncate-at-{length}",
        f"The answer ends after {length} bytes of its body; the snapshot was started.",
        _cutting(lambda head, body: (head, body[:length])),
    )


@dataclass(frozen=True)
class _Pieces:
    """Bytes that are made while they are sent, so that the sandbox holds none of them; anew for each request."""

    make: Callable[[], Iterator[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        return self.make()


def _cutting(
    pieces: Callable[[bytes, bytes], tuple[bytes, ...]], how: Doing = "drop", pause: float = 0.0
) -> Callable[[Stage], Act]:
    """Send what `pieces` makes of head and body of the right answer."""

    def make(sandbox: Stage) -> Act:
        async def act(visit: Visit) -> Cut:
            answer = visit.coming
            head = _head(sandbox, answer.status, {**answer.headers, "content-length": str(len(answer.body))})
            return Cut("hang" if how == "hang" else "drop", pieces(head, answer.body), pause)

        return act

    return make


def _streaming(pieces: _Pieces, length: int | None) -> Callable[[Stage], Act]:
    """Send a body of `length` bytes; None for a compressed one that ends with the connection."""
    about = {"connection": "close", "content-encoding": "gzip"} if length is None else {"content-length": str(length)}

    def make(sandbox: Stage) -> Act:
        async def act(_visit: Visit) -> Cut:
            head = _head(sandbox, HTTPStatus.OK, {"content-type": JSON_TYPE, **about})

            def stream() -> Iterator[bytes]:
                yield head
                yield from pieces

            return Cut("drop", _Pieces(stream))

        return act

    return make


def _head(sandbox: Stage, status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"date: {formatdate(sandbox.world.now, usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _half(head: bytes, body: bytes) -> tuple[bytes, ...]:
    return head, body[: len(body) // 2]


def _bytes(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[place : place + 1] for place in range(len(data)))


def _huge_body(chunk: int = _CHUNK) -> Iterator[bytes]:
    """JSON that would be success if read to its end."""
    left = HUGE - len(_FIRST) - len(_LAST)
    yield _FIRST
    while left:
        size = min(left, chunk)
        yield b"x" * size
        left -= size
    yield _LAST


def _bomb() -> Iterator[bytes]:
    """The same, compressed by a factor of a thousand."""
    compressor = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    for piece in _huge_body(_CHUNK_OF_BOMB):
        packed = compressor.compress(piece)
        if packed:
            yield packed
    yield compressor.flush()


def _tls_faults() -> Iterator[LabFault]:
    """N counts connections; a certificate applies to all of them unless a number is given."""
    yield _met(
        "tls", "right", "https with a valid certificate; the ready line names the CA file to trust.", always=True
    )
    yield _met("tls-unknown-ca", "unknown-ca", "https with a certificate by an unknown CA.", always=True)
    yield _met("tls-expired", "expired", "https with a certificate that expired yesterday.", always=True)
    yield _met("tls-wrong-host", "wrong-host", "https with a certificate for another host.", always=True)
    yield _met("tls-stall", "stall", "https whose handshake is not answered. N counts connections.")
    yield _met("tls-reset", "reset", "https whose handshake is reset. N counts connections.")


def _met(name: str, how: HowMet, description: str, *, always: bool = False) -> LabFault:
    def set_up(_fault: LabFault, sandbox: Stage, times: int | None) -> None:
        sandbox.handshakes.add(how, times)

    return LabFault(name, description, None, set_up, operation=ANY, usual_times=None if always else 1, fixed=True)
