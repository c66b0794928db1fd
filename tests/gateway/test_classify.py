"""What an answer proves. Wrong here means a second snapshot nobody asked for, or one that was never taken."""

from __future__ import annotations

import itertools
import json
import unicodedata
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.classify import (
    LARGEST_CONFIRMATION,
    classify_answer,
    payload_of,
    request_id_of,
    words_in,
    words_of,
)
from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    BadAnswer,
    EndpointError,
    EndpointTimeout,
    GatewayError,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    Redirected,
    RefusedByGateway,
    RefusedByService,
    ServerError,
    Throttled,
)
from ncp_tui.gateway.exchange import Answer, Exchange
from tests.tables import each_row


def judged(status: int, body: Any, *, boolean: bool = True, offset: ClockOffset | None = None) -> GatewayError | None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status, "", (), data)
    return classify_answer(answer, payload_of(answer), boolean=boolean, offset=offset)


def envelope(code: Any = 0, result: Any = True, message: Any = "SUCCESS") -> dict[str, Any]:
    return {"code": code, "message": message, "result": result, "requestId": "rid"}


# HTTP status, errorCode, class, whether it may have acted: api-gov.ncloud-docs.com, "api-call-lgc-errorhandling".
GATEWAY_TABLE: list[tuple[int, int, type[GatewayError], bool]] = [
    (400, 100, RefusedByGateway, False),
    (401, 200, AuthenticationFailed, False),
    (401, 210, PermissionDenied, False),
    (403, 230, PermissionDenied, False),
    (404, 300, NotFound, False),
    (413, 430, RefusedByGateway, False),
    (429, 400, QuotaExceeded, False),
    (429, 410, Throttled, False),
    (429, 420, Throttled, False),
    (503, 500, EndpointError, True),
    (504, 510, EndpointTimeout, True),
    (500, 900, ServerError, True),
]
SHAPES: dict[str, Callable[[int], Any]] = {
    "text": lambda code: {"error": {"errorCode": str(code), "message": "M", "details": "D"}},
    "number": lambda code: {"error": {"errorCode": code, "message": "M", "details": "D"}},
    "bare": lambda code: {"error": {"errorCode": str(code)}},
    "odd": lambda code: {"error": {"errorCode": code, "message": None, "details": ["D"]}, "requestId": "r"},
}


@each_row("shape", SHAPES)
@each_row(("status", "code", "kind", "may_have_acted"), GATEWAY_TABLE)
def test_gateway_error(status: int, code: int, kind: type[GatewayError], shape: str, *, may_have_acted: bool) -> None:
    error = judged(status, SHAPES[shape](code))
    assert type(error) is kind
    assert error.may_have_acted is may_have_acted
    assert error.code == str(code)
    if may_have_acted:
        assert "Nothing" not in error.sentences()


REFUSING = {(status, code) for status, code, _, may_have_acted in GATEWAY_TABLE if not may_have_acted}


def test_no_other_pair_of_status_and_code_refuses() -> None:
    """A 400 with the code of a timeout, a 429 with that of a signature: nobody knows how far the request got."""
    for status, code in itertools.product([*BARE, 409, 422, 431], [*(row[1] for row in GATEWAY_TABLE), 0, 1, 300, 777]):
        error = judged(status, SHAPES["text"](code))
        assert error is not None
        assert error.may_have_acted is ((status, code) not in REFUSING), (status, code)
        if error.may_have_acted:
            assert "Nothing was" not in error.sentences(), (status, code)
            assert "history" in error.next_step


@each_row("spell", ["+{}", "0{}", " {} ", "{}\n", "{}.0", "0x{}", "{}\u200b", "٤١٠"])
def test_a_code_spelled_otherwise_refuses_nothing(spell: str) -> None:
    for status, code in REFUSING:
        error = judged(status, {"error": {"errorCode": spell.format(code)}})
        assert error is not None
        assert error.may_have_acted, (status, spell)
    error = judged(429, {"error": {"errorCode": 410.0}})
    assert error is not None
    assert error.may_have_acted
    assert error.code == "410.0"


@each_row(("code", "kind"), [row[1:3] for row in GATEWAY_TABLE])
def test_gateway_error_inside_a_200(code: int, kind: type[GatewayError]) -> None:
    """Sibling services do that; it is called what its code says, and proves nothing by it."""
    error = judged(200, SHAPES["text"](code))
    assert type(error) is kind
    assert error.may_have_acted


def test_an_unknown_gateway_error_inside_a_200_is_no_success() -> None:
    assert type(judged(200, {"error": {"errorCode": "777"}})) is BadAnswer
    assert type(judged(201, {"responseError": {"returnCode": "1"}})) is BadAnswer


@each_row("status", [200, 202, 302])
@each_row("said", [{"errorCode": "777"}, {"errorCode": "0"}, {"message": "no code at all"}, {}])
def test_an_unknown_error_in_spite_of_its_status_proves_nothing(status: int, said: dict[str, str]) -> None:
    """A 200 says that it was done, its body that it was not; only the documented codes say how far it got."""
    error = judged(status, {"error": said})
    assert error is not None
    assert error.may_have_acted
    assert "history" in error.next_step


@each_row("status", [400, 401, 403, 404, 407, 409, 413, 418, 429])
@each_row("payload", [{"error": {"message": "Forbidden"}}, {"error": {}}, {"error": {"errorCode": None}}, {}, []])
def test_an_error_object_without_a_code_is_not_the_gateways(status: int, payload: object) -> None:
    """Web application firewalls and proxies speak JSON too; they do not know what became of the request."""
    error = judged(status, payload)
    assert error is not None
    assert error.may_have_acted


@each_row("status", [200, 400, 401, 403, 404, 429, 500, 503])
@each_row("code", ["200", "410", "1200", 0])
def test_the_shape_of_other_services_proves_nothing(status: int, code: object) -> None:
    error = judged(status, {"responseError": {"returnCode": code, "returnMessage": "Access denied."}})
    assert error is not None
    assert error.may_have_acted
    assert (error.code, error.message) == (str(code), "Access denied")
    assert "Access denied" in error.what


CONTRADICTIONS = {
    "error and success": {"error": {"errorCode": "200"}, "code": 0, "message": "SUCCESS", "result": True},
    "error and refusal": {"error": {"errorCode": "200"}, "code": 10115, "message": "no", "result": None},
    "empty error and success": {"error": {}, "code": 0, "result": True},
    "error in words and success": {"error": "Forbidden", "code": 0, "result": True},
    "other error and success": {"responseError": {"returnCode": "1"}, "code": 0, "result": True},
    "two errors": {"error": {"errorCode": "200"}, "responseError": {"returnCode": "200"}},
    "error and result": {"error": {"errorCode": "200"}, "result": None},
}
TWICE = {
    "code": b'{"code": 1, "code": 0, "message": "SUCCESS", "result": true}',
    "result": b'{"code": 0, "message": "SUCCESS", "result": false, "result": true}',
    "refusing": b'{"code": 0, "code": 10115, "message": "no", "result": null}',
    "error": b'{"error": {"errorCode": "500"}, "error": {"errorCode": "200"}}',
    "error code": b'{"error": {"errorCode": "510", "errorCode": "200"}}',
    "other error's code": b'{"responseError": {"returnCode": "510", "returnCode": "200"}}',
    "escaped": b'{"code": 1, "c\\u006fde": 0, "result": true}',
}


@each_row("status", [200, 400, 401, 429])
@each_row("body", [*CONTRADICTIONS.values(), *TWICE.values()], ids=[*CONTRADICTIONS, *TWICE])
def test_an_answer_that_contradicts_itself_proves_nothing(status: int, body: object) -> None:
    error = judged(status, body)
    assert error is not None
    assert error.may_have_acted
    assert "contradicts itself" in error.what
    assert judged(status, body, boolean=False) is not None


def test_a_confirmation_is_small() -> None:
    """Nobody looks for contradictions in megabytes on the event loop, so those are none of the service's."""
    payload = envelope(10115, None, "x" * 100_000)
    error = judged(400, payload)
    assert error is not None
    assert error.may_have_acted
    assert type(judged(400, payload, boolean=False)) is RefusedByService


FOREIGN: dict[str, tuple[int, Any, str]] = {
    "spring": (
        404,
        {"timestamp": "2026", "status": 404, "error": "Not Found", "message": "No static resource", "path": "/api"},
        "Not Found - No static resource",
    ),
    "kong": (401, {"message": "No API key found in request"}, "No API key found in request"),
    "kong throttles": (429, {"message": "API rate limit exceeded"}, "API rate limit exceeded"),
    "aws": (403, {"Message": "explicit deny"}, "explicit deny"),
    "problem details": (403, {"title": "Blocked", "detail": "by policy 7."}, "Blocked - by policy 7"),
    "oauth": (401, {"error": "invalid_token", "error_description": "expired"}, "invalid_token - expired"),
    "apigee": (500, {"fault": {"faultstring": "Policy failed"}}, "Policy failed"),
    "list": (400, {"errors": [{"message": "first"}, {"message": "second"}]}, "first - second"),
    "plain": (503, b"upstream connect error", "upstream connect error"),
    "HTML": (
        403,
        b"<html><style>p{}</style><h1>Blocked</h1><p>by&nbsp;policy &amp; law</p>",
        "Blocked by policy & law",
    ),
}


@each_row(("status", "body", "words"), FOREIGN.values(), ids=FOREIGN)
def test_the_words_of_any_machine_are_shown(status: int, body: Any, words: str) -> None:
    error = judged(status, body)
    assert error is not None
    assert error.message == words
    assert words in error.what


@each_row(("status", "code"), [row[:2] for row in GATEWAY_TABLE])
def test_the_gateways_words_stand_beside_what_they_are_taken_for(status: int, code: int) -> None:
    """The reason is often in `details` alone; a person who reads "key or clock is wrong" looks in the wrong place."""
    error = judged(
        status, {"error": {"errorCode": str(code), "message": "Nope", "details": "This account is not ours."}}
    )
    assert error is not None
    assert error.message == "Nope - This account is not ours"
    assert error.message in error.what


def test_an_unknown_route_may_be_a_missing_permission() -> None:
    error = judged(404, SHAPES["text"](300))
    assert error is not None
    assert "permission" in error.meaning
    assert "subscription" in error.meaning
    assert "region" in error.meaning


@each_row(
    ("body", "is_incomplete"),
    [
        (b"", True),
        (b" \r\n", True),
        (b'{"code":0,"result":tr', True),
        (b"<html>Sign in to the guest network</html>", False),
        (b"null", False),
    ],
)
def test_an_answer_that_is_missing_its_end_is_told_apart(body: bytes, *, is_incomplete: bool) -> None:
    """It may be whole the next time; a captive portal's page will not."""
    error = judged(200, body)
    assert isinstance(error, BadAnswer)
    assert error.is_incomplete is is_incomplete


def test_the_two_code_spaces_are_not_mixed() -> None:
    """Inside a 401, code 200 is a refused signature; inside a 429, code 400 is quota."""
    assert type(judged(401, SHAPES["text"](400))) is AuthenticationFailed
    assert type(judged(429, SHAPES["text"](200))) is Throttled
    assert type(judged(400, SHAPES["text"](200))) is BadAnswer
    assert type(judged(418, SHAPES["text"](0))) is BadAnswer
    assert type(judged(599, SHAPES["text"](200))) is ServerError


@each_row("status", [200, 201, 202])
@each_row("code", [0, "0"])
def test_success(status: int, code: object) -> None:
    assert judged(status, envelope(code)) is None


@each_row(
    ("result", "kind"),
    [
        (False, BadAnswer),
        (None, BadAnswer),
        ("true", BadAnswer),
        (1, BadAnswer),
        ({}, BadAnswer),
        ([True], BadAnswer),
    ],
)
def test_only_true_is_true(result: object, kind: type[GatewayError]) -> None:
    """The documentation says `true | null`; "true" and 1 are neither, and what `false` means is written nowhere."""
    error = judged(200, envelope(result=result))
    assert type(error) is kind
    assert error.may_have_acted
    assert judged(200, envelope(result=result), boolean=False) is None


def null_judged(status: int, body: Any) -> GatewayError | None:
    """Of an operation whose documented refusal is a result of null."""
    answer = Answer(status, "", (), json.dumps(body).encode())
    return classify_answer(answer, payload_of(answer), boolean=True, null_refuses=True)


@each_row("message", ["No snapshot of the last 6 hours.", "최근 스냅샷이 없습니다.", "Unsuccessful", "not possible"])
def test_null_with_a_reason_refuses_where_that_is_documented(message: str) -> None:
    """Everywhere else it confirms nothing, and refuses nothing."""
    body = envelope(result=None, message=message)
    found = null_judged(200, body)
    assert isinstance(found, RefusedByService)
    assert (found.may_have_acted, found.message) == (False, message.rstrip("."))
    elsewhere = judged(200, body)
    assert isinstance(elsewhere, BadAnswer)
    assert elsewhere.may_have_acted


@each_row(
    "status, body",
    [
        *[
            (200, envelope(result=None, message=message))
            for message in ("SUCCESS", " success. ", "OK", "성공", "", None, 7)
        ],
        *[(200, envelope(result=result, message="No.")) for result in (False, "null", 0, [1], {"a": 1})],
        (200, {"code": 0, "message": "No.", "requestId": "rid"}),
        (201, envelope(result=None, message="No.")),
        (400, envelope(result=None, message="No.")),
        (200, envelope(code="00", result=None, message="No.")),
        (200, envelope(code=504, result=None, message="No.")),
        (200, {**envelope(result=None, message="No."), "error": {"errorCode": "200"}}),
    ],
)
def test_null_that_contradicts_itself_refuses_nothing(status: int, body: Any) -> None:
    found = null_judged(status, body)
    assert found is not None
    assert found.may_have_acted


def test_a_missing_result_is_no_confirmation() -> None:
    error = judged(200, {"code": 0, "message": "SUCCESS"})
    assert type(error) is BadAnswer
    assert error.may_have_acted


@each_row("status", [200, 400])
@each_row("code", [1, 3, 404, 499, 600, 899, 901, 10115, 40070, "40070"])
def test_a_service_refusal(status: int, code: object) -> None:
    error = judged(status, envelope(code, None, "이미 존재합니다"))
    assert type(error) is RefusedByService
    assert not error.may_have_acted
    assert error.code == str(code)
    assert error.message == "이미 존재합니다"
    assert "이미 존재합니다" in error.what


_NO_CODES: list[Any] = [None, [10115], {}]
_NO_RESULTS: list[Any] = [False, {}, [], "", "null", 0]
NO_REFUSALS: list[tuple[int, Any, Any]] = [
    *((status, 10115, None) for status in (201, 202, 204, 302, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503)),
    *((200, code, None) for code in [500, 502, 504, 510, 599, 900, -1, -10115, 10115.0, True]),
    *((200, code, None) for code in ["+3", "0x10", " 10115 ", "10115.0", "010115", "E1", "SUCCESS", ""]),
    *((200, code, None) for code in _NO_CODES),
    *((400, code, None) for code in ["500", "504", "900", "-1"]),
    *((200, 10115, result) for result in _NO_RESULTS),
]


@each_row(("status", "code", "result"), NO_REFUSALS)
def test_what_only_looks_like_a_refusal_of_the_service(status: int, code: object, result: object) -> None:
    error = judged(status, envelope(code, result, "그럴 수 없습니다"))
    assert error is not None
    assert error.may_have_acted
    assert "그럴 수 없습니다" in error.what
    assert "Nothing" not in error.sentences()


def test_a_refusal_without_a_result_is_none() -> None:
    error = judged(200, {"code": 10115, "message": "no"})
    assert error is not None
    assert error.may_have_acted


@each_row("status", [200, 400])
@each_row("code", [1, "0000", "SUCCESS", -1])
def test_a_confirmation_with_a_code_that_refuses_proves_nothing(status: int, code: object) -> None:
    """One of the two is wrong, and nobody knows which."""
    error = judged(status, envelope(code, True, "SUCCESS"))
    assert type(error) is BadAnswer
    assert error.may_have_acted


@each_row("status", [500, 502, 503, 504])
def test_a_failure_of_the_service_proves_nothing(status: int) -> None:
    """It may have broken after the snapshot was started: "not started" would be a guess."""
    error = judged(status, envelope(500, None, "Internal Server Error"))
    assert isinstance(error, (ServerError, EndpointError, EndpointTimeout))
    assert error.may_have_acted
    assert "Internal Server Error" in error.what


@each_row("code", [None, False, True, 0.0, 1.5, [], {}, ""])
def test_a_code_that_is_none_proves_nothing(code: object) -> None:
    """False equals 0 in Python and 0.0 does too; neither is what the API promises."""
    error = judged(200, envelope(code))
    assert type(error) is BadAnswer
    assert error.may_have_acted


@each_row("status", [300, 302, 400, 401, 404, 429, 500, 503])
def test_code_0_with_a_status_that_is_no_success(status: int) -> None:
    error = judged(status, envelope())
    assert error is not None
    assert error.may_have_acted


BODIES = {
    "empty": b"",
    "HTML": b"<html><body>Service</body></html>",
    "big HTML": b"<html>" + b"x" * 5_000_000,
    "truncated": json.dumps(envelope()).encode()[:-1],
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"code":0,"result":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "scalar": b"true",
    "null": b"null",
    "text": b'"SUCCESS"',
    "list": b'[{"code":0,"result":true}]',
    "two documents": b'{"code":0,"result":true}{}',
    "single quotes": b"{'code': 0, 'result': True}",
    "huge number": b'{"code":0,"result":true,"n":' + b"9" * 5_000 + b"}",
    "no code": b'{"result":true,"message":"SUCCESS"}',
    "spring": b'{"timestamp":"2026","status":500,"error":"Internal Server Error","path":"/"}',
    "XML": b"<?xml version='1.0'?><error><errorCode>200</errorCode></error>",
    "UTF-16": json.dumps(envelope()).encode("utf-16"),
    "binary": bytes(range(256)),
    "capital": b'{"Code":0,"Result":true}',
}
BARE: dict[int, tuple[type[GatewayError], bool]] = {
    100: (BadAnswer, True),
    200: (BadAnswer, True),
    204: (BadAnswer, True),
    301: (Redirected, True),
    307: (Redirected, True),
    400: (BadAnswer, True),
    401: (AuthenticationFailed, True),
    403: (PermissionDenied, True),
    404: (NotFound, True),
    407: (BadAnswer, True),
    408: (BadAnswer, True),
    413: (RefusedByGateway, True),
    418: (BadAnswer, True),
    429: (Throttled, True),
    500: (ServerError, True),
    502: (ServerError, True),
    503: (EndpointError, True),
    504: (EndpointTimeout, True),
    999: (ServerError, True),
}


@each_row("body", BODIES.values(), ids=BODIES)
def test_a_body_of_no_documented_shape(body: bytes) -> None:
    """With any status, whether a boolean was promised or not."""
    payload = payload_of(Answer(200, "", (), body))
    for status, boolean in itertools.product(BARE, [True, False]):
        kind, may_have_acted = BARE[status]
        error = classify_answer(Answer(status, "", (), body), payload, boolean=boolean)
        assert type(error) is kind, f"{status}, {boolean=}"
        assert error.may_have_acted is may_have_acted, f"{status}, {boolean=}"
        assert len(error.sentences()) < 600
        if may_have_acted:
            assert "Nothing" not in error.sentences()
        if may_have_acted and 400 <= status < 500:
            assert "A proxy may have answered instead of NCP" in error.meaning
            assert "history" in error.next_step


def test_a_success_cut_anywhere_is_no_success() -> None:
    whole = json.dumps(envelope()).encode()
    for length in range(len(whole)):
        error = judged(200, whole[:length])
        assert error is not None, whole[:length]
        assert error.may_have_acted, whole[:length]


@each_row(
    "body",
    [
        b"\xef\xbb\xbf" + json.dumps(envelope()).encode(),
        b"\n\n " + json.dumps(envelope()).encode() + b"\r\n",
        b'{"code":0,"result":true,"message":"\xff\xfe"}',
        b'{"code":0,"result":true,"size":NaN,"n":1e999}',
        b'{"code":0,"result":true,"n":' + b"9" * 4_000 + b"}",
        b'{"code":0,"result":true,"message":"\\ud800"}',
        b'{"code":0,"result":true,"later":{"twice":1,"twice":2}}',
    ],
)
def test_oddities_that_do_not_matter(body: bytes) -> None:
    """Parsed by content, whatever its type says: a byte-order mark must not turn a snapshot into an unknown one."""
    assert judged(200, body) is None


@each_row("body", BODIES.values(), ids=BODIES)
def test_any_body_can_be_shown(body: bytes) -> None:
    exchange = Exchange("x", None, None, answer=Answer(200, "OK", (), body))  # type: ignore[arg-type]
    assert isinstance(exchange.pretty_body(), str)


@given(
    status=st.integers(100, 999),
    payload=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["code", "result", "error", "errorCode", "message", "responseError", "requestId"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    boolean=st.booleans(),
)
def test_success_is_proved_or_it_is_none(status: int, payload: Any, *, boolean: bool) -> None:
    """The law itself: a 2xx, code 0, no error object, and `result: true` where a boolean was promised."""
    request_id_of(payload)
    if judged(status, payload, boolean=boolean) is None:
        assert 200 <= status < 300
        assert payload["code"] in (0, "0")
        assert not isinstance(payload["code"], bool)
        assert payload.get("error") is None
        assert payload.get("result") is True or not boolean


@given(code=st.text(max_size=300), message=st.text(max_size=300))
def test_a_servers_words_stay_inert_in_an_error(code: str, message: str) -> None:
    error = judged(400, envelope(f"x{code}", None, message))
    assert error is not None
    shown = error.sentences() + error.message + (error.code or "")
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@each_row(
    ("offset", "words"),
    [
        (None, "this machine's clock is wrong"),
        (ClockOffset(400.0, 1.0), "400 s slow"),
        (ClockOffset(-400.0, 1.0), "400 s fast"),
        (ClockOffset(2.0, 1.0), "The clock is right"),
    ],
)
def test_a_refused_signature_says_what_the_clock_has_to_do_with_it(offset: ClockOffset | None, words: str) -> None:
    error = judged(401, SHAPES["text"](200), offset=offset)
    assert error is not None
    assert words in error.next_step


def test_a_refusal_of_what_was_signed_with_the_gateways_time_does_not_blame_the_clock() -> None:
    answer = Answer(401, "", (), b"")
    error = classify_answer(answer, SHAPES["text"](200), boolean=True, offset=ClockOffset(400.0, 1.0), correction=400.0)
    assert error is not None
    assert "clock was corrected for" in error.next_step
    error = classify_answer(
        answer, SHAPES["text"](200), boolean=True, offset=ClockOffset(400.0, 1.0), correction=-400.0
    )
    assert error is not None
    assert "400 s slow" in error.next_step


@each_row("status", [200, 400, 401, 407, 429, 503])
@each_row("body", [envelope(), envelope(40070, None), SHAPES["text"](200)])
def test_what_is_not_whole_proves_nothing(status: int, body: object) -> None:
    """A record is judged again when evidence is made of it: it must not say more than was known when it came."""
    answer = Answer(status, "", (), json.dumps(body).encode(), is_whole=False)
    error = classify_answer(answer, payload_of(answer), boolean=True)
    assert type(error) is BadAnswer
    assert error.may_have_acted
    assert error.code is None


def test_where_a_redirect_points_is_shown() -> None:
    answer = Answer(302, "", (("Location", "https://evil.example/"),), b"")
    error = classify_answer(answer, None, boolean=True)
    assert error is not None
    assert "https://evil.example/" in error.what


@each_row(
    ("payload", "expected"),
    [
        ({"requestId": "r"}, "r"),
        ({"error": {"requestId": "r"}}, "r"),
        ({"responseError": {"requestId": "r"}}, "r"),
        ({"requestId": 5}, None),
        ([], None),
        (None, None),
    ],
)
def test_request_id(payload: object, expected: str | None) -> None:
    assert request_id_of(payload) == expected


UNSAID = "The request may or may not have taken effect. Check the history before you retry."
SOMETHING = (
    "A proxy may have answered instead of NCP. The request may or may not have taken effect. Check the "
    "gateway URL and the proxy. Check the history before you retry."
)
NO_ANSWER_OF_IT = (
    "The request may or may not have taken effect. Check the gateway URL and the proxy, and the history "
    "before you retry."
)
FIX = "The message says why: correct that, then retry."
POLICY = "Nothing was changed. Ask for the policy NCP_VPC_SEARCH_ENGINE_SERVICE_MANAGER, or use another profile."


def gateways(code: object, message: str = "") -> dict[str, Any]:
    return {"error": {"errorCode": code, "message": message}}


TOLD: list[tuple[int, Any, str]] = [
    # What the gateway documents.
    (400, gateways("100", "M."), f"The gateway refused the request (400/100: M). Nothing was changed. {FIX}"),
    (401, gateways("200"), ("The gateway refused the signature (401/200). Nothing was changed. A key or this machine's "
     "clock is wrong: copy both keys again from the NCP console, and check the clock.")),
    (401, gateways("210"), f"The key is valid but lacks permission for this (401/210). {POLICY}"),
    (403, gateways("230"), f"The key is valid but lacks permission for this (403/230). {POLICY}"),
    (404, gateways("300"), ("The gateway does not know this path (404/300). Nothing was changed. The site or region is "
     "wrong, NCP does not offer it there, or this account has no permission for it or no subscription. Check "
     "site, region and gateway URL of the profile, then the permissions and the subscription of the account.")),
    (413, gateways("430"), f"The request is too large (413/430). Nothing was changed. {FIX}"),
    (429, gateways("400"), ("The account's quota is used up (429/400). Nothing was changed. A retry does not help. "
     "Raise the quota in the NCP console, or wait until it is renewed.")),
    (429, gateways("410"), ("The gateway is throttling this account (429/410). Nothing was changed. Wait a minute, "
     "then retry.")),
    (429, gateways("420"), ("The gateway is throttling this account (429/420). Nothing was changed. Wait a minute, "
     "then retry.")),
    (503, gateways("500"), f"The gateway could not reach its backend (503/500). {UNSAID}"),
    (504, gateways("510"), ("The backend of the gateway did not answer in time (504/510). The request may have "
     "taken effect nevertheless. Check the history before you retry.")),
    (500, gateways("900"), f"The gateway failed (500/900). {UNSAID}"),
    # What it does not.
    (400, gateways("410"), f"The gateway answered 400/410: no message. HTTP status and code do not match. {UNSAID}"),
    (200, gateways("777", "M."),
     f"The gateway answered 200/777: M. The response is an error although its HTTP status is a success. {UNSAID}"),
    (302, gateways(None), f"The gateway answered 302/-: no message. HTTP status and code do not match. {UNSAID}"),
    # What the service documents, and what only looks like it.
    (200, envelope(7, None, "M."), f"NCP refused: M (code 7). Nothing was started by this request. {FIX}"),
    (400, envelope(7, None, ""),
     f"NCP refused: no reason given (code 7). Nothing was started by this request. {FIX}"),
    (200, envelope(599, None, "M."), f"NCP failed: M (HTTP 200, code 599). {UNSAID}"),
    (500, envelope(7, None, "M."), f"NCP failed: M (HTTP 500, code 7). {UNSAID}"),
    (503, envelope(7, None, ""), f"NCP failed: no reason given (HTTP 503, code 7). {UNSAID}"),
    (404, envelope(7, None, "M."),
     f"NCP answered HTTP 404 with code 7, which is not one of its refusals. It says: M. {UNSAID}"),
    (200, envelope("E1", None, ""), f"The code of the response (E1) is not a number that NCP uses. {UNSAID}"),
    (200, envelope(None, None, ""), f"The code of the response (none) is not a number that NCP uses. {UNSAID}"),
    (200, envelope(0, False, "M."), ("NCP answered result: false (M). That is not a documented refusal: the "
     "request may or may not have taken effect. Check the history before you retry.")),
    (200, envelope(0, False, ""), ("NCP answered result: false (no message). That is not a documented "
     "refusal: the request may or may not have taken effect. Check the history before you retry.")),
    (200, envelope(0, None, ""), ("NCP answered without confirming (result is not true). The request may or may "
     "not have taken effect. Check the history before you retry.")),
    # What contradicts itself.
    (400, envelope(0, True, ""), f"The response contradicts itself: HTTP 400 with code 0. {UNSAID}"),
    (200, envelope(7, True, ""), f"The response contradicts itself: result true with code 7. {UNSAID}"),
    (200, envelope(200, None, "OK"),
     f"The response contradicts itself: code 200 with a message of success. It says: OK. {UNSAID}"),
    (400, envelope(1, None, "SUCCESS."),
     f"The response contradicts itself: code 1 with a message of success. It says: SUCCESS. {UNSAID}"),
    (200, TWICE["code"],
     f"The response contradicts itself: a member occurs twice. It says: SUCCESS. {UNSAID}"),
    (200, {"code": 0, "error": {}},
     f"The response contradicts itself: it has more than one of the known formats. {UNSAID}"),
    # What is none of theirs.
    (400, {"responseError": {"returnCode": "1", "returnMessage": "M."}},
     f"A response in the format of another service arrived (400). It says: M. {UNSAID}"),
    (400, envelope(7, None, "M" * 70_000),
     f"The response is far larger than any of NCP's. It says: {'M' * 399}…. {UNSAID}"),
    (300, b"", ("The gateway answered with a redirect (300) to nowhere. It was not followed: the signed request was "
     "meant for one address only. The request may or may not have taken effect. Check the gateway URL and the "
     "proxy. Check the history before you retry.")),
    (200, b"", f"The response is not one of NCP's (200): it is empty. {NO_ANSWER_OF_IT}"),
    (200, b"<p>Sign in.\r\n Guests.",
     f"The response is not one of NCP's (200): <p>Sign in. Guests. {NO_ANSWER_OF_IT}"),
    (403, {"error": {"message": "M."}},
     f"HTTP 403 came without an error body that NCP documents. It says: M. {SOMETHING}"),
    (502, b"", f"HTTP 502 came without an error body that NCP documents. {SOMETHING}"),
    (502, b"M.", f"HTTP 502 came without an error body that NCP documents. It says: M. {SOMETHING}"),
]  # fmt: skip


@each_row(("status", "body", "told"), TOLD)
def test_what_is_told_of_an_answer(status: int, body: Any, told: str) -> None:
    """Word by word: these sentences are all that somebody has who decides whether to ask once more."""
    error = judged(status, body)
    assert error is not None
    assert error.sentences() == told


def test_what_is_told_of_an_answer_that_is_not_whole() -> None:
    error = classify_answer(Answer(200, "", (), b"{", is_whole=False), None, boolean=True)
    assert isinstance(error, BadAnswer)
    assert error.is_incomplete
    assert error.sentences() == f"Only the beginning of a response (200) arrived. {UNSAID}"


def sized(body: dict[str, Any], size: int) -> bytes:
    """The same answer, of so many bytes."""
    data = json.dumps(body).encode()
    return data[:-1] + b" " * (size - len(data)) + b"}"


def test_how_large_an_answer_may_be_that_decides() -> None:
    """To the byte: one more, and neither a yes nor a no counts, nor is it searched for what it says twice."""
    for body, kind in ((envelope(), type(None)), (envelope(7, None, "no"), RefusedByService)):
        assert type(judged(400 if body["code"] else 200, sized(body, LARGEST_CONFIRMATION))) is kind
        assert type(judged(400 if body["code"] else 200, sized(body, LARGEST_CONFIRMATION + 1))) is BadAnswer
    twice = TWICE["code"][:-1] + b" " * (LARGEST_CONFIRMATION - len(TWICE["code"])) + b"}"
    error = judged(200, twice, boolean=False)
    assert error is not None
    assert "twice" in error.what
    assert judged(200, twice + b" ", boolean=False) is None


def test_how_much_of_an_answers_own_words_is_shown() -> None:
    """A page is shown by its beginning, a code as far as it can be one, and words as far as anybody reads them."""
    assert LARGEST_CONFIRMATION == 64 * 1024
    error = judged(400, envelope("9" * 41, None, "w" * 3000) | {"details": "v" * 3000})
    assert error is not None
    assert (error.code, error.message) == ("9" * 39 + "…", f"{'w' * 3000} - {'v' * 996}…")
    error = judged(200, b" " * 4095 + b"ab" + b"c" * 200)
    assert error is not None
    assert error.what == "The response is not one of NCP's (200): a."
    error = judged(200, b"c" * 121)
    assert error is not None
    assert error.what == f"The response is not one of NCP's (200): {'c' * 120}."


READ_OUT = [
    "title", "error", "responseError", "fault", "errors", "message", "errorMessage", "returnMessage", "faultstring",
    "msg", "reason", "error_description", "detail", "details", "description",
]  # fmt: skip


@each_row(
    ("payload", "words"),
    [
        ({name: name for name in reversed(READ_OUT)}, " - ".join(READ_OUT)),
        ({"note": "no", "code": "1", "status": "2"}, ""),
        ({"ERROR": {"Message": "a", "DETAILS": "b"}}, "a - b"),
        ({"message": "same", "details": "same."}, "same - same"),
        ({"message": "same", "details": " same "}, "same"),
        ({"message": " a\n\t b ", "details": ""}, "a b"),
        ({"message": "Really. ..", "details": None}, "Really"),
        ({"errors": [str(number) for number in range(9)]}, "0 - 1 - 2 - 3 - 4"),
        ({"error": {"error": {"error": {"message": "deep"}}}}, "deep"),
        ({"error": {"error": {"error": {"error": {"message": "deeper"}}}}}, ""),
        ({"message": "w" * 400}, "w" * 400),
        ({"message": "w" * 401}, "w" * 399 + "…"),
        ({"message": 5, "details": True}, ""),
        ([{"message": "a"}], "a"),
        ([[[["deep"]]]], "deep"),
        ([[[[["deeper"]]]]], ""),
        ("a", "a"),
    ],
)
def test_which_words_of_an_answer_are_read_out(payload: Any, words: str) -> None:
    """A refusal is told with the reason that came with it, in whatever machine's shape, and not with a page of it."""
    assert words_of(payload) == words


@each_row(
    ("body", "words"),
    [
        (b"w" * 120, "w" * 120),
        (b"w" * 121, "w" * 119 + "…"),
        (b" " * 4095 + b"abc", "a"),
        (b"\xef\xbb\xbfabc \xff", "abc \N{REPLACEMENT CHARACTER}"),
        (b"a &amp; b", "a &amp; b"),
        (b"<p>a &amp; b</p>", "a & b"),
        (b"<SCRIPT>no</script><style type=x>no</style><!-- no\n --><b\nid=1>a</b><i", "a"),
        (b"<script>no", ""),
        (b"a<!-- no", "a"),
    ],
)
def test_which_words_of_a_page_are_read_out(body: bytes, words: str) -> None:
    assert words_in(Answer(502, "", (), body), None) == words


@each_row(
    ("body", "code"),
    [
        (envelope("E1", None), "E1"),
        (envelope(1.5, None), "1.5"),
        (envelope(-1, None), "-1"),
        *((envelope(never, None), None) for never in (True, False, None, "", [], [1], {"a": 1})),
        ({"error": {"errorCode": "300"}, "code": 7}, "300"),
        ({"responseError": {"returnCode": 5}, "code": 7}, "5"),
        ({"error": {"errorCode": ["300"]}}, None),
        ({"error": "no", "code": 7}, "7"),
    ],
)
def test_which_code_is_shown(body: dict[str, Any], code: str | None) -> None:
    """As it came, of whichever object has it; what is no number and no text is no code."""
    error = judged(404, body)
    assert error is not None
    assert error.code == code


@each_row(
    ("offset", "correction", "advice"),
    [
        (
            None,
            0.0,
            "A key or this machine's clock is wrong: copy both keys again from the NCP console, and check the clock.",
        ),
        (
            ClockOffset(2.0, 1.0),
            0.0,
            "The clock is right. A key is wrong: copy both again from the NCP console.",
        ),
        (ClockOffset(400.0, 1.0), 0.0, "This machine's clock is 400 s slow: set it first."),
        (ClockOffset(-400.0, 1.0), 0.0, "This machine's clock is 400 s fast: set it first."),
        (
            ClockOffset(400.0, 1.0),
            400.0,
            "The clock was corrected for. A key is wrong: copy both from the NCP console.",
        ),
        (ClockOffset(400.0, 1.0), -400.0, "This machine's clock is 400 s slow: set it first."),
        (
            ClockOffset(-3 * 86_400.0, 1.0),
            0.0,
            (
                "The date of the response is 3 days behind this machine's clock: a clock is corrected for by 24 hours "
                "at most. Set this machine's clock if it is wrong; else check the gateway URL and the proxy."
            ),
        ),
    ],
)
def test_what_is_advised_after_a_refused_signature(offset: ClockOffset | None, correction: float, advice: str) -> None:
    payload = SHAPES["bare"](200)
    error = classify_answer(Answer(401, "", (), b"{}"), payload, boolean=True, offset=offset, correction=correction)
    assert error is not None
    assert error.next_step == advice
