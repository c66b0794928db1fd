"""Actions and requests as the lines of the log on disk: what support asks for, and nothing that has to be hidden.

A `request` line is written when the request is over, an `action` line when the action is. Both begin with when it
started (`time`), the program that did it (`run`), and `profile`, `host`, `action` (a number within the run), `title`.
Headers and bodies stay in memory, but for the parameters of a request with an effect that holds no secret. Those of
a create are the names of snapshot and bucket.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from ncp_tui.gateway.exchange import ACCESS_KEY_HEADER, MASKED, Exchange
from ncp_tui.session_log.log import Action
from ncp_tui.system.time_zone import timestamp
from ncp_tui.text import clean

Line = Mapping[str, Any]


def request_line(run: str, action: Action, exchange: Exchange) -> dict[str, Any]:
    """A request and what came of it."""
    request, answer = exchange.request, exchange.answer
    line: dict[str, Any] = {
        "time": timestamp(exchange.at),
        "line": "request",
        "run": run,
        "profile": action.profile or None,
        "access_key": next((value for name, value in request.headers if name == ACCESS_KEY_HEADER), None),
        "host": request.origin,
        "action": action.number,
        "title": clean(action.title),
        "operation": exchange.operation,
        "method": request.method,
        "target": clean(request.target),
        "attempt": exchange.attempt,
        "sent": exchange.sent,
        "proxy": exchange.via_proxy,
        "status": exchange.status,
        "code": exchange.code,
        "error": exchange.error,
        "outcome": exchange.error_text or "confirmed",
        "request_id": exchange.request_id,
        "bytes": None if answer is None else answer.size,
        "ms": {name: _milliseconds(spent) for name, spent in dataclasses.asdict(exchange.timings).items()},
    }
    if request.has_effect:
        line["asked"] = None if MASKED in request.body else asked_of(exchange)
        line["may_have_acted"] = exchange.may_have_acted
    return line


def action_line(run: str, action: Action) -> dict[str, Any]:
    """An action that has ended."""
    last = action.exchanges[-1] if action.exchanges else None
    spent = (action.ended - action.started).total_seconds() if action.ended else None
    return {
        "time": timestamp(action.started),
        "line": "action",
        "run": run,
        "profile": action.profile or None,
        "host": last.request.origin if last else None,
        "action": action.number,
        "title": clean(action.title),
        "background": action.background,
        "requests": action.requests,
        "failed": action.failed,
        "error": action.error,
        "outcome": clean(action.outcome) or "done",
        "ms": {"total": _milliseconds(spent)},
    }


def asked_of(exchange: Exchange) -> dict[str, Any] | None:
    """The body of a request as an object, secrets masked; None for anything else."""
    try:
        body = json.loads(exchange.request.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
