"""The journal's line format: one JSON object an event, with its place in the file and a checksum over all of it.

    {"v":1,"seq":7,"entry":"<id>","event":"sent","at":"<ISO 8601>","operation":"createSnapshot",
     "parameters":{"serviceGroupInstanceNo":"1037001","snapshotName":"daily","bucketName":"bk"},
     "batch":null,"context":{"attempt":1},"sum":"<16 hex digits>"}

`seq` is one more than that of the line before, `sum` is the last member and covers every byte before it. Operation and
parameters are on each line of an entry, so that the loss of one line does not hide what the others are about. Members
that a later version adds are kept. An `entry` of "" is an event of the file itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ncp_tui.search_engine.operations import CREATE_SNAPSHOT, OPERATIONS
from ncp_tui.system.jsonl import read_object

VERSION: Final = 1

NUMBER, NAME, BUCKET = "serviceGroupInstanceNo", "snapshotName", "bucketName"
"""The parameters of a create, as the API calls them."""

Key = tuple[str, str]
"""What a request is about: cluster number and snapshot name, the idempotency key of a create; of any other operation
the cluster number and the name of the operation, which is no name that a snapshot can have."""

_LARGEST_SEQ: Final = 2**53
_SIGNED: Final = re.compile(rb'(\{.*),"sum":"([0-9a-f]{16})"\}', re.DOTALL)
_ENTRY: Final = re.compile(rb'"entry":"([0-9a-f]{32})"')
_MEMBERS: Final = ("v", "seq", "entry", "event", "at", "operation", "parameters", "batch", "context")


@dataclass(frozen=True)
class JournalLine:
    """One event. `entry` is the id of the request it is about, or "" for an event of the file itself."""

    seq: int
    entry: str
    event: str
    at: str
    operation: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    batch: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    """What else is known of the event: who asked, or what was answered."""
    others: Mapping[str, Any] = field(default_factory=dict)
    """Members of a later version."""

    @property
    def key(self) -> Key | None:
        """What the request is about; None where the line does not say it whole."""
        return key_of(self.operation, self.parameters)

    def encoded(self) -> bytes:
        """The line as the file has it, without its end."""
        known = {
            "v": VERSION,
            "seq": self.seq,
            "entry": self.entry,
            "event": self.event,
            "at": self.at,
            "operation": self.operation,
            "parameters": dict(self.parameters),
            "batch": self.batch,
            "context": dict(self.context),
        }
        others = {name: value for name, value in self.others.items() if name not in {*_MEMBERS, "sum"}}
        text = json.dumps(known | others, ensure_ascii=False, separators=(",", ":"))
        body = text.encode("utf-8", "surrogatepass")[:-1]
        return body + b',"sum":"' + _sum(body) + b'"}'


def key_of(operation: str, parameters: Mapping[str, Any]) -> Key | None:
    """What a request of `operation` is about; None where `parameters` do not say it whole."""
    if operation in {"", CREATE_SNAPSHOT}:
        return _create_key(parameters)
    number = parameters.get(NUMBER)
    return (number if isinstance(number, str) else "", operation)


def recorded(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an operation as they may be written down: without those that the registry marks as secret.

    What no registry knows was read from the journal, and stands there already.
    """
    known = OPERATIONS.get(operation)
    secret = known.secret if known is not None else frozenset[str]()
    return {name: value for name, value in parameters.items() if name not in secret}


def read_line(raw: bytes) -> JournalLine | None:
    """The event in `raw`; None where it is not exactly what this program once wrote."""
    found = _SIGNED.fullmatch(raw)
    if found is None or _sum(found[1]) != found[2]:
        return None
    document = read_object(raw)
    return _line(document) if document is not None else None


def what_it_names(raw: bytes) -> tuple[frozenset[str], frozenset[Key]]:
    """The ids and the keys that can still be read in a line that is damaged."""
    document = read_object(raw)
    if document is None:
        return frozenset(each.decode() for each in _ENTRY.findall(raw)), frozenset()
    entry, parameters = document.get("entry"), document.get("parameters")
    # Of a create, whatever the line says that it is: it cannot be relied on.
    key = _create_key(parameters) if isinstance(parameters, dict) else None
    return (
        frozenset({entry} if isinstance(entry, str) and entry else ()),
        frozenset({key} if key is not None else ()),
    )


def _sum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest()[:16].encode()


def _line(document: Mapping[str, Any]) -> JournalLine | None:
    known = {name: document.get(name) for name in _MEMBERS}
    seq, batch = known["seq"], known["batch"]
    is_whole = (
        known.pop("v") == VERSION
        and isinstance(seq, int)
        and not isinstance(seq, bool)
        and 0 < seq < _LARGEST_SEQ
        and all(isinstance(known[name], str) for name in ("entry", "event", "at", "operation"))
        and all(isinstance(known[name], dict) for name in ("parameters", "context"))
        and isinstance(batch, str | None)
    )
    others = {name: value for name, value in document.items() if name not in {*_MEMBERS, "sum"}}
    return JournalLine(**known, others=others) if is_whole else None  # type: ignore[arg-type]


def _create_key(parameters: Mapping[str, Any]) -> Key | None:
    number, name = parameters.get(NUMBER), parameters.get(NAME)
    return (number, name) if isinstance(number, str) and isinstance(name, str) and number and name else None
