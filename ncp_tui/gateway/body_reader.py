"""Taking in an answer within bounds, and keeping what had come when it breaks off: a person has to see it."""

from __future__ import annotations

import asyncio
import codecs
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ncp_tui.gateway import errors
from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.gateway.exchange import MASKED, Answer
from ncp_tui.system.redact import Spellings
from ncp_tui.system.secret_traces import Traces
from ncp_tui.text import clean

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes of an answer that are kept, decoded. The largest real page measured is below 200 kB."""

LARGEST_BROKEN_BODY = 64 * 1024
"""Bytes that are kept of an answer that was cut off, is too large, or cannot be decoded: enough to see what it was."""

_STEP = 256 * 1024  # bytes inflated at once
_GZIP_OR_DEFLATE = 47  # zlib's window bits for "either, by its header"
_SHORTEST_REAL_SECRET = 16  # NCP's have 40 characters; one much shorter could be part of an honest word
_NONE = Traces()
_SHORTEST_PIECE = 4  # characters of a secret that are hidden where an answer ends in the middle of it


@dataclass
class BodyReader:
    """An answer on its way: its head, and as much of its body as there is."""

    head: httpx.Response | None = None
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False
    is_encoded: bool = False
    """Whether `body` is what came over the wire, because it could not be decoded."""

    async def read(self, head: httpx.Response) -> None:
        """Read the body that follows `head`, inflated in steps that never hold more than the cap.

        Raises BadAnswer for one that is too large, cut off or in an encoding that was not requested, zlib.error for
        one that cannot be inflated, and whatever the network does. The answer is closed in any case.
        """
        self.head = head
        try:
            await self._read(head)
        finally:
            await head.aclose()
        self.is_whole = True

    async def _read(self, response: httpx.Response) -> None:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding in {"", "identity"}:
            async for chunk in response.aiter_raw():
                self._take(chunk)
        elif encoding in {"gzip", "x-gzip", "deflate"}:
            await self._read_compressed(response)
        else:
            await self._read_beginning(response)
            raise errors.BadAnswer(
                f"The response is in an encoding that was not requested: {clean(encoding)}.",
                _UNKNOWN_EFFECT,
                _LOOK_FIRST,
            )

    async def _read_beginning(self, response: httpx.Response) -> None:
        self.is_encoded = True
        async for chunk in response.aiter_raw():
            self.body += chunk
            if len(self.body) > LARGEST_BROKEN_BODY:
                return

    async def _read_compressed(self, response: httpx.Response) -> None:
        inflate = zlib.decompressobj(_GZIP_OR_DEFLATE)
        beginning = bytearray()
        try:
            async for chunk in response.aiter_raw():
                if inflate.eof:
                    break  # what follows the end is nobody's, and zlib would collect it all
                beginning += chunk[: LARGEST_BROKEN_BODY - len(beginning)]
                for piece in _inflated(inflate, chunk):
                    self._take(piece)
                    await asyncio.sleep(0)  # 64 kB of zeros become 64 MiB: a key may come in between
        except zlib.error:
            self._keep_encoded(beginning)
            raise
        if beginning and not inflate.eof:
            self._keep_encoded(beginning)
            cut_off = errors.BadAnswer("The compressed response was cut off.", _UNKNOWN_EFFECT, _LOOK_FIRST)
            cut_off.is_incomplete = True
            raise cut_off

    def _keep_encoded(self, beginning: bytearray) -> None:
        if not self.body:
            self.body, self.is_encoded = beginning, True

    def _take(self, piece: bytes) -> None:
        self.body += piece
        if len(self.body) > LARGEST_BODY:
            del self.body[LARGEST_BROKEN_BODY:]
            raise errors.BadAnswer(
                f"The response is larger than {LARGEST_BODY // 1024 // 1024} MiB and was cut off.",
                _UNKNOWN_EFFECT,
                "Check the gateway URL and the proxy.",
            )

    def answer(self, secrets: Sequence[SecretKey], sent: Traces = _NONE) -> Answer:
        """What came, as a record, once there is a head.

        It may repeat a secret (validators quote rejected values, debuggers echo headers): `secrets` are
        taken out, and of those that were `sent` in a body every trace. Where one was, the length of the body would
        tell its own, and of what cannot be decoded nothing is kept.
        """
        head = self.head
        if head is None:
            raise ValueError("not even the headers arrived")
        kept = bytes(self.body if self.is_whole else self.body[:LARGEST_BROKEN_BODY])
        if sent and self.is_encoded:
            kept = b""
        read = _in_utf8(kept, head.charset_encoding)
        # Once for all that is searched: of each there are eleven spellings, and an answer has eight texts.
        hidden = [Spellings(plain.decode("latin-1")) for plain in _plain(secrets)]
        body = _without_traces(sent, _without(hidden, read))
        if not self.is_whole:
            body = _without_a_piece_at_the_end(hidden, body)
        hides_length = bool(sent) and (body != read or self.is_encoded)
        return Answer(
            status=head.status_code,
            reason=_shown(hidden, sent, head.reason_phrase),
            headers=tuple(
                (
                    _shown(hidden, sent, name),
                    MASKED if hides_length and name.lower() == "content-length" else _shown(hidden, sent, value),
                )
                for name, value in head.headers.multi_items()
            ),
            body=body,
            is_whole=self.is_whole,
        )


_UNKNOWN_EFFECT = "The request may or may not have taken effect."
_LOOK_FIRST = "Check the history before you retry."


# Charsets that machines between a Korean bastion and NCP answer in, by Python's name for what they declare. Each with
# the one that is read: cp949 is EUC-KR with all of Hangul, as everybody writes it who declares EUC-KR.
_CHARSETS = {"euc_kr": "cp949", "cp949": "cp949", "johab": "johab", "iso8859-1": "cp1252", "cp1252": "cp1252"}
_NEVER_UTF_8 = {"iso2022_kr": "iso2022_kr", "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be"}


def _in_utf8(data: bytes, declared: str | None) -> bytes:
    """`data` in UTF-8, out of the charset that its Content-Type declares.

    What is good UTF-8 is taken for it, whatever a server declares by habit: Korean in another charset never is.
    """
    try:
        name = codecs.lookup(declared or "utf-8").name
    except (LookupError, ValueError):
        return data
    if name in _NEVER_UTF_8:
        return data.decode(_NEVER_UTF_8[name], errors="replace").encode()
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(_CHARSETS[name], errors="replace").encode() if name in _CHARSETS else data
    return data


def _inflated(inflate: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    while True:
        piece = inflate.decompress(data, _STEP)
        yield piece
        data = inflate.unconsumed_tail
        if not data and len(piece) < _STEP:  # a full piece may have left something inside the inflater
            return


def _shown(hidden: Sequence[Spellings], sent: Traces, text: str) -> str:
    data = _without_traces(sent, _without(hidden, text.encode("utf-8", "surrogateescape")))
    return clean(data.decode("utf-8", "replace"))


def _without_traces(sent: Traces, data: bytes) -> bytes:
    if not sent:
        return data
    return sent.masked(data.decode("latin-1"), MASKED).encode("latin-1")


def _without(hidden: Sequence[Spellings], data: bytes) -> bytes:
    """`data` with a mask in the place of each secret, however it is spelled."""
    text = data.decode("latin-1")  # a character a byte, whatever they are
    for spellings in hidden:
        text = spellings.masked(text, MASKED)
    return text.encode("latin-1")


def _without_a_piece_at_the_end(hidden: Sequence[Spellings], data: bytes) -> bytes:
    text = data.decode("latin-1")
    for spellings in hidden:
        text = spellings.without_beginning_at_end(text, MASKED, _SHORTEST_PIECE)
    return text.encode("latin-1")


def _plain(secrets: Sequence[SecretKey]) -> Iterator[bytes]:
    for secret in secrets:
        plain = secret.reveal().encode()
        if len(plain) >= _SHORTEST_REAL_SECRET:
            yield plain
