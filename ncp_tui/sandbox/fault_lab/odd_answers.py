"""Answers that are not what the service documents: pages of a proxy, empty or wrong JSON, other shapes of error."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

from ncp_tui.sandbox.answers import Answer, json_answer
from ncp_tui.sandbox.fault_hooks import Act, Visit
from ncp_tui.sandbox.fault_lab.fault import LabFault, after, before, both, doing
from ncp_tui.sandbox.sandbox import Sandbox

BIG_PAGE = 5_000_000
_NESTING = 100_000
_HTML = "text/html;charset=UTF-8"
_STARTED = "the snapshot was started"
_NAN = float("nan")


def odd_answer_faults() -> Iterator[LabFault]:
    """All of this module."""
    yield from _pages()
    yield from _other_json()
    yield from _other_text()
    yield from _other_errors()


def _pages() -> Iterator[LabFault]:
    yield from both("empty-200", "200 without a body", doing(Answer(200, b"", {})))
    yield from both("html-200", "200 with an HTML page, as of a login portal", doing(_page(200, "Sign in")))
    yield from both("html-502", "502 with an HTML page, as of a proxy", doing(_page(502, "Bad Gateway")))
    yield from both("html-503", "503 with an HTML page, as of a proxy", doing(_page(503, "Service Unavailable")))
    blocked = _page(403, "Blocked by policy")
    yield before("html-403", "403 with an HTML page, as of a firewall; nothing was started.", doing(blocked))
    yield from both("html-5mb", "502 with 5 MB of HTML", lambda _sandbox: _big_page)


def _other_json() -> Iterator[LabFault]:
    """Every one with status 200 after the snapshot was started, or nobody could be misled by it."""
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


def _changed(change: Callable[[Answer], Answer]) -> Callable[[Sandbox], Act]:
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
