"""Answers that look like a yes or a no and are neither: status, code and result that do not belong together.

None of them proves anything, so most come in two kinds: the snapshot was started, or it was not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ncp_tui.sandbox.answers import JSON_TYPE, Answer, json_answer
from ncp_tui.sandbox.fault_lab.fault import LabFault, both, doing

_HTML = "text/html;charset=UTF-8"


def contradiction_faults() -> Iterator[LabFault]:
    """All of this module."""
    for name, (what, answer) in _ANSWERS.items():
        yield from both(name, what, doing(answer))


def _error(status: int, code: Any) -> Answer:
    return json_answer(status, {"error": {"errorCode": code, "message": "See the code"}}, error_code=str(code))


def _envelope(status: int, code: Any, *, result: bool | None = None, message: str = "안 됩니다. (no)") -> Answer:
    return json_answer(status, {"code": code, "message": message, "result": result, "requestId": "1"})


def _text(status: int, body: str, kind: str = JSON_TYPE) -> Answer:
    return Answer(status, body.encode(), {"content-type": kind})


_SPRING = {
    "timestamp": "2026-11-28T03:04:05.678+00:00",
    "status": 404,
    "error": "Not Found",
    "message": "No static resource",
    "path": "/api/v2/snapshot",
}
_ANSWERS: Mapping[str, tuple[str, Answer]] = {
    "mismatch-400-510": ("400 with the gateway's code of a timeout", _error(400, "510")),
    "mismatch-409-900": ("409 with the gateway's code of a failure", _error(409, "900")),
    "mismatch-429-500": ("429 with the gateway's code of a lost service", _error(429, "500")),
    "mismatch-404-200": ("404 with the gateway's code of a wrong signature", _error(404, "200")),
    "error-code-spaces": ("429 with a code that has spaces around it", _error(429, " 410 ")),
    "error-code-float": ("429 with a code that is 410.0", _error(429, 410.0)),
    "confirmed-429": ("429 with code 0 and result true", _envelope(429, 0, result=True, message="SUCCESS")),
    "html-429": ("429 with an HTML page", _text(429, "<!DOCTYPE html>\n<html><h1>Slow down</h1></html>", _HTML)),
    "empty-407": ("407 without a body, after the request has left", Answer(407, b"", {})),
    "empty-408": ("408 without a body", Answer(408, b"", {})),
    "envelope-504": ("200 whose code is 504", _envelope(200, 504)),
    "envelope-900": ("400 whose code is 900", _envelope(400, 900)),
    "envelope-404": ("404 with a refusal of the service", _envelope(404, 10001)),
    "envelope-409": ("409 with a refusal of the service", _envelope(409, 10001)),
    "envelope-500": ("500 with a refusal of the service", _envelope(500, 10001)),
    "envelope-302": ("302 with an envelope whose code is -1", _envelope(302, -1)),
    "code-negative": ("200 whose code is -1", _envelope(200, -1)),
    "code-word": ("400 whose code is a word", _envelope(400, "DENIED")),
    "code-signed": ('200 whose code is the text "+3"', _envelope(200, "+3")),
    "refused-and-confirmed": ("200 with a code that refuses and result true", _envelope(200, 10001, result=True)),
    "result-missing": (
        "400 with a code that refuses, and no result",
        json_answer(400, {"code": 10001, "message": "no"}),
    ),
    "error-and-envelope": (
        "200 with an error object and a confirmation",
        json_answer(
            200, {"error": {"errorCode": "200", "message": "no"}, "code": 0, "message": "SUCCESS", "result": True}
        ),
    ),
    "member-twice": (
        "200 that refuses and confirms, by members of one name",
        _text(200, '{"code": 10115, "result": null, "message": "no", "code": 0, "result": true}'),
    ),
    "spring-404": ("404 with the error body of a Spring service", json_answer(404, _SPRING)),
    "kong-401": ("401 with the error body of a Kong gateway", json_answer(401, {"message": "No API key found"})),
    "kong-429": ("429 with the error body of a Kong gateway", json_answer(429, {"message": "API rate limit exceeded"})),
}
