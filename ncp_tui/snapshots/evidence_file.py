"""The file for a support ticket that holds the evidence about one snapshot name, with no key in it.

An answer is in it as it came, so that whoever reads the file can judge it again and must come to the same verdict.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import re
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ncp_tui
from ncp_tui.gateway.credentials import SecretKey, mask_access_key
from ncp_tui.gateway.exchange import MASKED, Exchange
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.search_engine.operations import OPERATIONS, Effect
from ncp_tui.snapshots.conclusion import judged
from ncp_tui.snapshots.evidence import Evidence
from ncp_tui.system.private_files import create_private_file
from ncp_tui.system.redact import redact
from ncp_tui.system.time_zone import timestamp
from ncp_tui.text import json_text

FORMAT = 1
"""Of the file; it grows when a member changes its meaning."""

MOST_OF_A_BODY = 64 * 1024
"""Characters kept of an answer that only read something. The answer to a create is kept whole: it is the evidence."""

_NOT_FOR_A_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_NAME = 64


class CannotWriteEvidence(Problem):
    """The file was not written, and nothing that was there was touched."""

    kind = "cannot_write_evidence"


def write_evidence(
    evidence: Evidence,
    target: Path | None = None,
    *,
    secrets: Iterable[SecretKey] = (),
    access_keys: Iterable[str] = (),
) -> Path:
    """Write the bundle, readable by the user alone, and return where it is: `target`, or a new file in this folder.

    `secrets` and `access_keys` are all those known to the program. It blocks on the disk. Raises CannotWriteEvidence,
    also where `target` is there already.
    """
    path = target or Path(file_name(evidence))
    try:
        path = path.absolute()  # which needs the folder this runs in, and that may have been removed
        create_private_file(path, evidence_text(evidence, secrets=secrets, access_keys=access_keys).encode())
    except OSError as error:
        why = "it is there already" if isinstance(error, FileExistsError) else os.strerror(error.errno or 0)
        raise CannotWriteEvidence(
            f"{path} was not written: {why}.",
            "Nothing that was there was touched.",
            "Choose another file.",
            NextAction("evidence.output"),
        ) from None
    return path


def evidence_text(evidence: Evidence, *, secrets: Iterable[SecretKey], access_keys: Iterable[str] = ()) -> str:
    """The bundle as it is written: JSON that is inert on a terminal and holds none of the secrets."""
    masks = {key: mask_access_key(key) for key in access_keys} | {secret.reveal(): MASKED for secret in secrets}
    return json_text(redact(evidence_document(evidence), masks), indent=2) + "\n"


def file_name(evidence: Evidence) -> str:
    """`evidence-<snapshot>-<time>.json`, whatever the snapshot is called."""
    safe = _NOT_FOR_A_FILE_NAME.sub("_", evidence.snapshot)[:_LONGEST_NAME]
    return f"evidence-{safe}-{evidence.made_at:%Y%m%d-%H%M%S}.json"


def evidence_document(evidence: Evidence) -> dict[str, Any]:
    """The bundle before the secrets are taken out of it: never to be written as it is."""
    return {
        "evidence": FORMAT,
        "made_at": timestamp(evidence.made_at),
        "snapshot": evidence.snapshot,
        "cluster": {"name": evidence.cluster_name or None, "number": evidence.cluster_number or None},
        "verdict": dataclasses.asdict(evidence.conclusion),
        "program": {
            "ncp-tui": ncp_tui.__version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "httpx": version("httpx"),
        },
        "profile": None if evidence.identity is None else _profile(evidence.identity),
        "clock_offset": None if evidence.clock_offset is None else dataclasses.asdict(evidence.clock_offset),
        "inventory": None if evidence.inventory is None else evidence.inventory.document(),
        "gaps": list(evidence.gaps),
        "journal": list(evidence.events),
        "requests": [exchange_document(exchange) for exchange in evidence.exchanges],
        "session_log": list(evidence.lines),
        "history": None if evidence.history is None else [_row(row) for row in evidence.history],
    }


def exchange_document(exchange: Exchange) -> dict[str, Any]:
    """A request and its answer in full. The keys are masked already where the request was recorded."""
    request, answer = exchange.request, exchange.answer
    operation = OPERATIONS.get(exchange.operation)
    is_read = operation is not None and operation.effect is Effect.READ
    document: dict[str, Any] = {
        "at": timestamp(exchange.at),
        "operation": exchange.operation,
        "boolean": operation is not None and operation.boolean,
        "attempt": exchange.attempt,
        "sent": exchange.sent,
        "via_proxy": exchange.via_proxy,
        "request_id": exchange.request_id,
        "seconds": dataclasses.asdict(exchange.timings),
        "request": dataclasses.asdict(request),
        "answer": None,
        "error": {"kind": exchange.error, "text": exchange.error_text} if exchange.error else None,
        "judged": judged(exchange),
    }
    if answer is not None:
        # As it came and not made inert, which would change it: the file's own escapes do that.
        body = answer.body.decode("utf-8-sig", errors="replace")
        kept = body[:MOST_OF_A_BODY] if is_read else body
        document["answer"] = {
            "status": answer.status,
            "reason": answer.reason,
            "headers": answer.headers,
            "body": kept,
            "bytes": answer.size,
            "whole": kept == body and not answer.forgotten,
        }
    return document


def _profile(identity: Identity) -> dict[str, Any]:
    profile = identity.profile
    return {
        "name": identity.name,
        "source": identity.source,
        "access_key": identity.masked_access_key,
        "site": profile.site,
        "region": profile.region,
        "gateway": profile.endpoint().origin,
    }


def _row(row: HistoryEntry) -> dict[str, Any]:
    return {"at": row.at.isoformat() if row.at else row.date or None, "state": row.state.value, "raw": dict(row.raw)}
