"""Answers that refuse, or that prove nothing.

The documented errors of the API gateway, what it says about trying again, and where it redirects to; the ways in which
the service itself refuses; answers that are not what the service documents: pages of a proxy, wrong JSON, other shapes
of error; and answers whose status, code and result do not belong together. The last prove nothing, so most of them come
in two kinds: the snapshot was started, or it was not.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from typing import Any

from ncp_tui.sandbox.fault_lab.fault import Act, LabFault, Stage, Visit, after, applying, before, both, doing
from ncp_tui.sandbox.protocol import (
    JSON_TYPE,
    Answer,
    GatewayError,
    Refusal,
    gateway_answer,
    json_answer,
    refusal_answer,
)

BIG_PAGE = 5_000_000
_NESTING = 100_000
_HTML = "text/html;charset=UTF-8"
_STARTED = "the snapshot was started"
_NAN = float("nan")


def answer_faults() -> Iterator[LabFault]:
    """All of this module."""
    yield from _pages()
    yield from _other_json()
    yield from _other_text()
    yield from _other_errors()
    yield from _contradictions()
    yield from _gateway_errors()
    yield from _refusals()


def _pages() -> Iterator[LabFault]:
    yield from both("empty-200", "200 without a body", doing(Answer(200, b"", {})))
    yield from both("html-200", "200 with an HTML page, as of a login portal", doing(_page(200, "Sign in")))
    yield from both("html-502", "502 with an HTML page, as of a proxy", doing(_page(502, "Bad Gateway")))
    yield from both("html-503", "503 with an HTML page, as of a proxy", doing(_page(503, "Service Unavailable")))
    blocked = _page(403, "Blocked by policy")
    yield before("html-403", "403 with an HTML page, as of a firewall; nothing was started.", doing(blocked))
    yield from both("html-5mb", "502 with 4.8 MiB of HTML", lambda _sandbox: _big_page)


def _other_json() -> Iterator[LabFault]:
    """All with status 200 after the snapshot was started: only then can they mislead."""
    yield from both("result-null", "200 whose result is null", doing(_envelope(result=None)))
    for name, what, body in (
        ("json-list", "a JSON list", []),
        ("json-string", "a JSON string", "SUCCESS"),
        ("json-number", "a JSON number", 0),
        ("json-null", "a JSON null", None),
    ):
        yield after(name, f"200 with {what} instead of an object; {_STARTED}.", doing(json_answer(200, body)))
    text = doing(_envelope(result="true"))
    yield after("result-text", f'200 whose result is the text "true"; {_STARTED}.', text)
    yield after("result-nan", f"200 whose result is NaN, which is no JSON; {_STARTED}.", doing(_envelope(result=_NAN)))
    yield after("code-text", f'The right answer with the text "0" as its code; {_STARTED}.', _changed(_code_as_text))
    nested = Answer(200, b"[" * _NESTING + b"]" * _NESTING, json_answer(200, None).headers)
    yield after("deep-nesting", f"200 with {_NESTING:,} lists in one another; {_STARTED}.", doing(nested))


def _other_text() -> Iterator[LabFault]:
    yield after("byte-order-mark", f"The right answer behind a byte order mark; {_STARTED}.", _changed(_with_mark))
    yield after("latin-1", f"The right answer in ISO-8859-1, and it says so; {_STARTED}.", _changed(_in_latin_1))
    broken = Answer(200, b'{"code": 0, "message": "\xff\xfe", "result": tru', json_answer(200, None).headers)
    yield after("not-utf-8", f"200 with bytes that are no UTF-8, and no JSON; {_STARTED}.", doing(broken))
    yield after("content-type", f"The right answer, called text/html; {_STARTED}.", _changed(_as_html))


def _other_errors() -> Iterator[LabFault]:
    classic = {"responseError": {"returnCode": "1200", "returnMessage": "The request cannot be processed."}}
    in_200 = {"error": {"errorCode": "900", "message": "Unexpected Error"}}
    nothing = "nothing was started"
    yield before("response-error", f"400 with a responseError object; {nothing}.", doing(json_answer(400, classic)))
    yield before("response-error-200", f"200 with a responseError object; {nothing}.", doing(json_answer(200, classic)))
    yield before("error-in-200", f"200 with the gateway's error object; {nothing}.", doing(json_answer(200, in_200)))


def _page(status: int, title: str) -> Answer:
    text = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body><h1>{title}</h1></body></html>\n"
    return Answer(status, text.encode(), {"content-type": _HTML})


async def _big_page(_visit: Visit) -> Answer:
    page = _page(502, "Bad Gateway")
    return dataclasses.replace(page, body=page.body.ljust(BIG_PAGE))


def _envelope(*, result: Any) -> Answer:
    return json_answer(200, {"code": 0, "message": "SUCCESS", "result": result}, code=0)


def _changed(change: Callable[[Answer], Answer]) -> Callable[[Stage], Act]:
    """What would have come, with something changed about it."""

    async def act(visit: Visit) -> Answer:
        return change(visit.coming)

    return lambda _sandbox: act


def _code_as_text(answer: Answer) -> Answer:
    body = json.loads(answer.body)
    return json_answer(answer.status, body | {"code": str(body.get("code"))}, code=answer.code)


def _with_mark(answer: Answer) -> Answer:
    return dataclasses.replace(answer, body=b"\xef\xbb\xbf" + answer.body)


def _in_latin_1(answer: Answer) -> Answer:
    """With a letter that UTF-8 writes otherwise, so that the charset matters."""
    body = json.loads(answer.body)
    text = json.dumps(body | {"message": "SUCCÈS"}, ensure_ascii=False)
    content_type = {"content-type": "application/json;charset=ISO-8859-1"}
    return dataclasses.replace(answer, body=text.encode("latin-1", "replace"), headers=content_type)


def _as_html(answer: Answer) -> Answer:
    return dataclasses.replace(answer, headers={**answer.headers, "content-type": _HTML})


def _contradictions() -> Iterator[LabFault]:
    for name, (what, answer) in _CONTRADICTIONS.items():
        yield from both(name, what, doing(answer))


def _error(status: int, code: Any) -> Answer:
    return json_answer(status, {"error": {"errorCode": code, "message": "See the code"}}, error_code=str(code))


def _odd_envelope(status: int, code: Any, *, result: bool | None = None, message: str = "안 됩니다. (no)") -> Answer:
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
_CONTRADICTIONS: Mapping[str, tuple[str, Answer]] = {
    "mismatch-400-510": ("400 with the gateway's code of a timeout", _error(400, "510")),
    "mismatch-409-900": ("409 with the gateway's code of a failure", _error(409, "900")),
    "mismatch-429-500": ("429 with the gateway's code of a lost service", _error(429, "500")),
    "mismatch-404-200": ("404 with the gateway's code of a wrong signature", _error(404, "200")),
    "error-code-spaces": ("429 with a code that has spaces around it", _error(429, " 410 ")),
    "error-code-float": ("429 with a code that is 410.0", _error(429, 410.0)),
    "confirmed-429": ("429 with code 0 and result true", _odd_envelope(429, 0, result=True, message="SUCCESS")),
    "html-429": ("429 with an HTML page", _text(429, "<!DOCTYPE html>\n<html><h1>Slow down</h1></html>", _HTML)),
    "empty-407": ("407 without a body, after the request has left", Answer(407, b"", {})),
    "empty-408": ("408 without a body", Answer(408, b"", {})),
    "envelope-504": ("200 whose code is 504", _odd_envelope(200, 504)),
    "envelope-900": ("400 whose code is 900", _odd_envelope(400, 900)),
    "envelope-404": ("404 with a refusal by NCP", _odd_envelope(404, 10001)),
    "envelope-409": ("409 with a refusal by NCP", _odd_envelope(409, 10001)),
    "envelope-500": ("500 with a refusal by NCP", _odd_envelope(500, 10001)),
    "envelope-302": ("302 with an envelope whose code is -1", _odd_envelope(302, -1)),
    "code-negative": ("200 whose code is -1", _odd_envelope(200, -1)),
    "code-word": ("400 whose code is a word", _odd_envelope(400, "DENIED")),
    "code-signed": ('200 whose code is the text "+3"', _odd_envelope(200, "+3")),
    "refused-and-confirmed": ("200 with a code that refuses and result true", _odd_envelope(200, 10001, result=True)),
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


# Another host name and a port where nothing listens: a client that follows, with all its headers, reaches no server.
NOWHERE = "http://localhost:1"
_REDIRECTS = (301, 302, 307, 308)
_RETRY_DATE_SECONDS = 5

# Refused by the gateway itself, so that nothing reaches the service.
_GATEWAY_REFUSALS: Mapping[str, tuple[GatewayError, str]] = {
    "bad-request": (GatewayError.BAD_REQUEST, "bad request"),
    "authentication-failed": (GatewayError.AUTHENTICATION_FAILED, "wrong key or signature, although they are right"),
    "permission-denied": (GatewayError.PERMISSION_DENIED, "the account may not do this"),
    "forbidden": (GatewayError.FORBIDDEN, "forbidden"),
    "not-found": (GatewayError.NOT_FOUND, "no such path"),
    "too-large": (GatewayError.TOO_LARGE, "the request is too large"),
    "quota-exceeded": (GatewayError.QUOTA_EXCEEDED, "the quota is used up"),
    "throttled": (GatewayError.THROTTLED, "too many requests"),
    "rate-limited": (GatewayError.RATE_LIMITED, "too many requests in a second"),
}
# From behind the gateway, where the service may or may not have acted.
_GATEWAY_FAILURES: Mapping[str, tuple[GatewayError, str]] = {
    "unexpected-error": (GatewayError.UNEXPECTED, "the gateway failed"),
    "endpoint-error": (GatewayError.ENDPOINT_ERROR, "the gateway lost the backend"),
    "endpoint-timeout": (GatewayError.ENDPOINT_TIMEOUT, "the backend did not answer the gateway in time"),
}
_RETRY_AFTER: Mapping[str, tuple[Mapping[str, str], str]] = {
    "absent": ({}, "without a Retry-After"),
    "0": ({"retry-after": "0"}, "with Retry-After: 0"),
    "5": ({"retry-after": "5"}, "with Retry-After: 5 seconds"),
    "86400": ({"retry-after": "86400"}, "with Retry-After: a whole day in seconds"),
    "negative": ({"retry-after": "-5"}, "with Retry-After: -5"),
    "garbage": ({"retry-after": "soon, perhaps"}, "with a Retry-After that is neither number nor date"),
}


def _gateway_errors() -> Iterator[LabFault]:
    for name, (error, what) in _GATEWAY_REFUSALS.items():
        yield before(name, f"{_numbers(error)}, {what}; nothing was started.", doing(gateway_answer(error)))
    for name, (error, what) in _GATEWAY_FAILURES.items():
        yield from both(name, f"{_numbers(error)}, {what}", doing(gateway_answer(error)))
    for name, (headers, what) in _RETRY_AFTER.items():
        answer = gateway_answer(GatewayError.THROTTLED, headers)
        yield before(f"retry-after-{name}", f"429/410 {what}; nothing was started.", doing(answer))
    in_seconds = f"with Retry-After: the date of {_RETRY_DATE_SECONDS} seconds from now"
    yield before("retry-after-date", f"429/410 {in_seconds}; nothing was started.", _throttled_until)
    for status in _REDIRECTS:
        yield redirect(status)
        yield redirect(status, "")


def redirect(status: int, location: str = NOWHERE) -> LabFault:
    """A redirect to the same path at `location`, a scheme and host; an empty one is the host that was asked."""
    name, where = (
        (f"redirect-{status}", "another host") if location else (f"redirect-{status}-same-host", "the same host")
    )
    return before(name, f"{status} to {where}; nothing was started.", _redirecting(status, location))


def _redirecting(status: int, location: str) -> Callable[[Stage], Act]:
    async def act(visit: Visit) -> Answer:
        return Answer(status, b"", {"location": location + visit.target})

    return lambda _sandbox: act


def _throttled_until(sandbox: Stage) -> Act:
    async def act(_visit: Visit) -> Answer:
        until = formatdate(sandbox.world.now + _RETRY_DATE_SECONDS, usegmt=True)
        return gateway_answer(GatewayError.THROTTLED, {"retry-after": until})

    return act


def _numbers(error: GatewayError) -> str:
    status, code, *_ = error.value
    return f"{status}/{code}"


# Long enough to be seen in the history also where snapshots take no time at all.
_SHORTEST_RUN_SECONDS = 20.0


def _refusals() -> Iterator[LabFault]:
    yield before(
        "duplicate-name",
        "200 whose code says that the name is taken; nothing was started.",
        _no(Refusal.DUPLICATE_NAME),
    )
    yield LabFault(
        "busy",
        "400: another snapshot runs, and the history shows it; nothing was started.",
        "before",
        applying("before", _busy),
        fixed=True,
    )
    yield before(
        "refused", "400 whose code says that the cluster is not running; nothing was started.", _no(_NOT_RUNNING)
    )
    yield before("refused-200", "200 whose code is not zero; nothing was started.", _no(_NOT_RUNNING, status=200))
    for name, refusal, what in _REFUSALS:
        says = f"{refusal.value[1]}, {what}; nothing was started."
        yield before(name, f"400 with code {says}", _no(refusal, status=400))
        yield before(f"{name}-200", f"200 with code {says}", _no(refusal, status=200))
    yield before("result-false", "200 whose result is false; nothing was started.", _result_false)


_REFUSALS = (
    ("key-not-set", Refusal.AUTHENTICATION_KEY_NOT_SET, "the cluster has no key for Object Storage"),
    ("wrong-generation", Refusal.WRONG_GENERATION, "the cluster has another generation of servers"),
    ("no-recent-snapshot", Refusal.NO_RECENT_SNAPSHOT, "a recent snapshot is required first"),
)
_NOT_RUNNING = Refusal.CLUSTER_NOT_RUNNING


def _no(refusal: Refusal, status: int | None = None) -> Callable[[Stage], Act]:
    async def act(visit: Visit) -> Answer:
        return refusal_answer(refusal, visit.request_id, status)

    return lambda _sandbox: act


def _result_false(_sandbox: Stage) -> Act:
    async def act(visit: Visit) -> Answer:
        body = {"code": 0, "message": "SUCCESS", "result": False, "requestId": visit.request_id}
        return json_answer(200, body, code=0)

    return act


def _busy(sandbox: Stage) -> Act:
    world = sandbox.world

    async def act(visit: Visit) -> Answer:
        cluster = world.numbered(visit.number)
        if cluster and not any(run.is_running(world.now) for run in world.state(cluster).runs):
            world.start_elsewhere(cluster, max(world.duration, _SHORTEST_RUN_SECONDS))
        return refusal_answer(Refusal.SNAPSHOT_IN_PROGRESS, visit.request_id)

    return act
