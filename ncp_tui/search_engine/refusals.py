"""The refusals of the service whose codes are known: each with what it means for the snapshot and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeGuard

from ncp_tui.gateway.errors import GatewayError, RefusedByService

KEY_NOT_SET = "10115"
WRONG_GENERATION = "10139"
NO_RECENT_SNAPSHOT = "10154"


@dataclass(frozen=True)
class _Known:
    what: str
    meaning: str
    next_step: str


# The service documents no codes of its own; these three were seen live by others (ncloud-mcp-server 1.16.0).
_KNOWN: Mapping[str, _Known] = MappingProxyType(
    {
        KEY_NOT_SET: _Known(
            "The service refused: the cluster has no storage key (its API authentication key for Object Storage)",
            "No snapshot of it can be created or scheduled until it is; nothing was started.",
            "Set the cluster's API authentication key in the NCP console (Search Engine Service, Snapshot), then try "
            "again.",
        ),
        NO_RECENT_SNAPSHOT: _Known(
            "The service refused: the cluster has no recent snapshot, which the check before an upgrade wants",
            "Nothing was changed, and no snapshot was started.",
            "Create a snapshot of the cluster, wait until it has succeeded, then repeat the check.",
        ),
        WRONG_GENERATION: _Known(
            "The service refused: the request is for another generation of servers than this cluster's",
            "Nothing was changed; its snapshots are not touched by it.",
            "Look in the NCP console which generation the cluster is (G2 or G3), and use what that one offers.",
        ),
    }
)


def is_key_missing(problem: object) -> TypeGuard[RefusedByService]:
    """Whether the service refused for certain because the cluster has no storage key."""
    return isinstance(problem, RefusedByService) and not problem.may_have_acted and problem.code == KEY_NOT_SET


def explained(error: GatewayError) -> GatewayError:
    """The same error; where the service refused with a code that is known, in that code's sentences."""
    known = _KNOWN.get(error.code or "") if isinstance(error, RefusedByService) else None
    if known is not None and not error.may_have_acted:
        said = f": {error.message.rstrip('. ')}" if error.message else ""
        error.what = f"{known.what} (code {error.code}{said})."
        error.meaning, error.next_step = known.meaning, known.next_step
    return error
