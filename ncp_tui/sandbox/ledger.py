"""What the sandbox witnessed: every request and every effect, in memory and as JSON lines; never a secret or a body."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RequestEntry:
    """One request that arrived.

    `time` is its arrival in epoch seconds; `target` is the request target as it stood on the wire; `access_key` is what
    the request claims. `status` is None when no answer was sent: because of `fault`, or because the client was gone.
    `error_code` is the gateway's, `code` the service's; `refusal` is why the signature was not accepted.
    """

    time: float
    request_id: str
    method: str
    target: str
    access_key: str | None
    operation: str | None
    authenticated: bool
    status: int | None
    error_code: str | None = None
    code: int | None = None
    refusal: str | None = None
    fault: str | None = None


@dataclass(frozen=True)
class Effect:
    """Something that changed, by `request_id`'s request; `time` in epoch seconds."""

    time: float
    request_id: str
    operation: str
    cluster: str
    name: str | None = None
    bucket: str | None = None


class Ledger:
    """Requests and effects in the order in which they happened.

    A request is entered before its answer leaves, so whoever has the answer finds the entry. With a path, each entry is
    appended to that file as one JSON line with a `type` of `request` or `effect`, and is written when the call returns.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.requests: list[RequestEntry] = []
        self.effects: list[Effect] = []
        self._path = path

    def add_request(self, entry: RequestEntry) -> None:
        """Enter a request. Raises OSError when the file cannot be written."""
        self.requests.append(entry)
        self._append("request", entry)

    def add_effect(self, effect: Effect) -> None:
        """Enter an effect. Raises OSError when the file cannot be written."""
        self.effects.append(effect)
        self._append("effect", effect)

    def _append(self, kind: str, entry: RequestEntry | Effect) -> None:
        if self._path is None:
            return
        line = json.dumps({"type": kind} | dataclasses.asdict(entry))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
