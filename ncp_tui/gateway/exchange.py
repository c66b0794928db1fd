"""One request and its answer, kept as data: what the response panel shows and the session log stores."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ncp_tui.system.inert_json import decode, text_of
from ncp_tui.text import clean_lines

Headers = tuple[tuple[str, str], ...]

LARGEST_SHOWN = 256 * 1024
"""Bytes of a body that are laid out for people; the largest real page measured is below 200 kB."""

# What a signature is carried by. They stand here, where whoever only reads a record need not load what speaks HTTP.
TIMESTAMP_HEADER = "x-ncp-apigw-timestamp"
ACCESS_KEY_HEADER = "x-ncp-iam-access-key"
SIGNATURE_HEADER = "x-ncp-apigw-signature-v2"

MASKED = "****"
"""What stands in a record for a secret."""


@dataclass(frozen=True)
class Timings:
    """Seconds spent in each phase; None for a phase that did not happen (a kept-alive connection has no connect)."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    total: float = 0.0


@dataclass(frozen=True)
class RequestRecord:
    """A request as it is, or would be, sent; access key and signature masked, secrets in the body replaced."""

    method: str
    origin: str
    target: str
    headers: Headers
    body: str
    string_to_sign: str
    has_effect: bool = True
    """Whether sending it again would change anything: what is not known to be a read would."""

    @property
    def url(self) -> str:
        """Origin, path and query."""
        return self.origin + self.target


@dataclass(frozen=True)
class Answer:
    """What came back. `body` is the decoded bytes, in UTF-8 where they declare another charset; headers are cleaned.

    Where it broke off, was too large or could not be decoded it is not `is_whole`: then `body` is its beginning, as far
    as it was read and at most 64 kB, in the bytes of the wire where nothing could be decoded.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes = field(repr=False, default=b"")
    is_whole: bool = True
    forgotten: int = 0
    """How many bytes the body had that is no longer kept."""

    @property
    def size(self) -> int:
        """How many bytes came, kept or not."""
        return len(self.body) or self.forgotten

    def without_body(self) -> Answer:
        """The same, its body no longer kept."""
        return replace(self, body=b"", forgotten=self.size)

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def text(self) -> str:
        """The body as inert text, of a large one the beginning; bytes that are not UTF-8 are shown as `�`."""
        return clean_lines(text_of(self.body[:LARGEST_SHOWN]))

    def json(self) -> Any:
        """The body as JSON whose strings are inert; a list that is too long is cut. Raises ValueError for any other."""
        return decode(self.body).value


@dataclass(frozen=True)
class Exchange:
    """One attempt at one operation, whatever became of it."""

    operation: str
    at: datetime
    request: RequestRecord
    attempt: int = 1
    sent: bool = False
    """Whether a byte of the request may have left this machine. False proves that it had no effect."""
    via_proxy: str | None = None
    answer: Answer | None = None
    timings: Timings = Timings()
    request_id: str | None = None
    error: str | None = None
    """The `kind` of the error it ended in; None for a confirmed success."""
    error_text: str = ""
    code: str | None = None
    """The code in the answer, the gateway's or the service's own; None where there is none."""
    may_have_acted: bool | None = None
    """Whether it may have had an effect, as far as its answer tells; None where it was cut off before any."""

    @property
    def status(self) -> int | None:
        """The HTTP status, None when no answer came."""
        return self.answer.status if self.answer else None

    def pretty_body(self) -> str:
        """The answer's body, indented when it is JSON; the beginning of a large one, as it came."""
        if self.answer is None:
            return ""
        if len(self.answer.body) > LARGEST_SHOWN:
            return self.answer.text
        try:
            return json.dumps(self.answer.json(), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.answer.text
