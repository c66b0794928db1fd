"""Deciding what an answer means: a success, and a refusal, only when status, code and result all say so.

The order is: a gateway error object, then the service's envelope, then the HTTP status. The two code spaces are never
mixed: "code 200" inside a 401 is a refused signature, "code 400" inside a 429 a used-up quota. What is no documented
success and no documented refusal proves nothing: the request may have had its effect.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ncp_tui.gateway import errors
from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import Answer
from ncp_tui.text import clean, clean_lines

_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)
_LONGEST_EXCERPT = 120
_LOOKED_AT = 4096  # bytes of an answer that an excerpt is made of
_LONGEST_CODE = 40

LARGEST_CONFIRMATION = 64 * 1024
"""Bytes of an answer that may say yes or no to an operation with an effect. The real ones have a few hundred."""


def request_id_of(payload: Any) -> str | None:
    """The request id an answer carries, wherever its envelope keeps it."""
    if isinstance(payload, dict):
        for holder in (payload, payload.get("error"), payload.get("responseError")):
            found = holder.get("requestId") if isinstance(holder, dict) else None
            if isinstance(found, str):
                return found
    return None


def payload_of(answer: Answer) -> Any:
    """The decoded JSON of an answer, or None where the body is not JSON."""
    try:
        return answer.json()
    except ValueError:
        return None


def classify_answer(
    answer: Answer,
    payload: Any,
    *,
    boolean: bool,
    null_refuses: bool = False,
    offset: ClockOffset | None = None,
    correction: float = 0.0,
) -> GatewayError | None:
    """Return the error an answer amounts to, or None for a confirmed success.

    `payload` is the answer's decoded JSON; an answer that is not whole proves nothing, whatever it begins with.
    `boolean` operations promise `result: true`; anything else there is not a success. Where `null_refuses`, null with
    code 0 and a reason in `message` is the refusal that is documented for the operation. `offset` is the clock's, and
    `correction` the seconds of it that the signature allowed for already; both are for the advice given with a refused
    signature.
    """
    if not answer.is_whole:
        return _incomplete(answer.status)
    if not isinstance(payload, dict):
        error: GatewayError | None = _from_status(answer, payload)
        code, message = "", "" if answer.status in _SUCCESS else words_in(answer, payload)
    else:
        advice = _clock_advice(offset, correction)
        error = _from_object(answer, payload, boolean=boolean, null_refuses=null_refuses, clock_advice=advice)
        code, message = _shown_code(payload), words_of(payload, _LONGEST_MESSAGE)
    if error is not None:
        error.code, error.message = code or None, message
    return error


_LONGEST_MESSAGE = 4000


def _incomplete(status: int) -> errors.BadAnswer:
    error = errors.BadAnswer(f"Only the beginning of a response ({status}) arrived.", _UNKNOWN_EFFECT, _LOOK_FIRST)
    error.is_incomplete = True
    return error


def _from_object(
    answer: Answer, payload: dict[str, Any], *, boolean: bool, null_refuses: bool, clock_advice: str
) -> GatewayError | None:
    """Judge a JSON object by which of the known shapes it has, and by whether it has one only."""
    said = words_of(payload)
    if boolean and len(answer.body) > LARGEST_CONFIRMATION:
        return _unproven(answer.status, "The response is far larger than any of NCP's.", said)
    if len(answer.body) <= LARGEST_CONFIRMATION and _repeats_a_name(answer):
        return _unproven(answer.status, "The response contradicts itself: a member occurs twice.", said)
    gateway_error, classic = payload.get("error"), payload.get("responseError")
    has_envelope = "code" in payload or "result" in payload
    if sum((has_envelope, gateway_error is not None, classic is not None)) > 1:
        return _unproven(
            answer.status, "The response contradicts itself: it has more than one of the known formats.", said
        )
    if isinstance(gateway_error, dict):
        return _from_gateway(answer, gateway_error, said, clock_advice)
    if isinstance(classic, dict):
        # The shape of other services of NCP. What its codes prove about this one is documented nowhere.
        return _unproven(answer.status, f"A response in the format of another service arrived ({answer.status}).", said)
    if "code" in payload:
        return _from_envelope(answer.status, payload, said, boolean=boolean, null_refuses=null_refuses)
    return _from_status(answer, payload)


class _Pairs(list[tuple[str, Any]]):
    """The members of one JSON object, also those that have the name of another."""

    def has_a_name_twice(self) -> bool:
        names = [name for name, _ in self]
        return len(names) != len(set(names))


def _repeats_a_name(answer: Answer) -> bool:
    """Whether the object, or an error object in it, has two members of one name: then it is unknown which is meant."""
    try:
        found = json.loads(answer.body.decode("utf-8-sig", errors="replace"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return False
    if not isinstance(found, _Pairs):
        return False
    inner = [value for name, value in found if name in {"error", "responseError"}]
    return any(isinstance(each, _Pairs) and each.has_a_name_twice() for each in (found, *inner))


def _shown_code(payload: dict[str, Any]) -> str:
    """The code as it came, for a person and for scripts; empty where there is none."""
    for holder, name in (("error", "errorCode"), ("responseError", "returnCode")):
        found = payload.get(holder)
        if isinstance(found, dict):
            return _text_of_code(found.get(name))
    return _text_of_code(payload.get("code"))


def _text_of_code(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str | float):
        return ""
    return clean(str(value), _LONGEST_CODE)


_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]*")


def _number(value: Any) -> str:
    """The digits of a code, which comes as a number or as text; empty for anything that is no number of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = clean(str(value), _LONGEST_CODE)
    return text if _WHOLE_NUMBER.fullmatch(text) else ""


_NOTHING_CHANGED = "Nothing was changed."
_UNKNOWN_EFFECT = "The request may or may not have taken effect."
_LOOK_FIRST = "Check the history before you retry."
_CHECK_THE_WAY = "Check the gateway URL and the proxy."


@dataclass(frozen=True)
class _Documented:
    """What one pair of HTTP status and error code means."""

    kind: type[GatewayError]
    what: str
    meaning: str
    next_step: str


_FIX_THE_CAUSE = "The message says why: correct that, then retry."
_BAD_REQUEST = _Documented(errors.RefusedByGateway, "The gateway refused the request", _NOTHING_CHANGED, _FIX_THE_CAUSE)
_SIGNATURE = _Documented(
    errors.AuthenticationFailed,
    "The gateway refused the signature",
    _NOTHING_CHANGED,
    "",  # by the clock
)
_PERMISSION = _Documented(
    errors.PermissionDenied,
    "The key is valid but lacks permission for this",
    _NOTHING_CHANGED,
    "Ask for the policy NCP_VPC_SEARCH_ENGINE_SERVICE_MANAGER, or use another profile.",
)
_NO_ROUTE = _Documented(
    errors.NotFound,
    "The gateway does not know this path",
    f"{_NOTHING_CHANGED} The site or region is wrong, NCP does not offer it there, or this account has no "
    "permission for it or no subscription.",
    "Check site, region and gateway URL of the profile, then the permissions and the subscription of the account.",
)
_TOO_LARGE = _Documented(errors.RefusedByGateway, "The request is too large", _NOTHING_CHANGED, _FIX_THE_CAUSE)
_QUOTA = _Documented(
    errors.QuotaExceeded,
    "The account's quota is used up",
    f"{_NOTHING_CHANGED} A retry does not help.",
    "Raise the quota in the NCP console, or wait until it is renewed.",
)
_THROTTLED = _Documented(
    errors.Throttled, "The gateway is throttling this account", _NOTHING_CHANGED, "Wait a minute, then retry."
)

REFUSALS: Mapping[tuple[int, str], _Documented] = MappingProxyType(
    {
        (400, "100"): _BAD_REQUEST,
        (401, "200"): _SIGNATURE,
        (401, "210"): _PERMISSION,
        (403, "230"): _PERMISSION,
        (404, "300"): _NO_ROUTE,
        (413, "430"): _TOO_LARGE,
        (429, "400"): _QUOTA,
        (429, "410"): _THROTTLED,
        (429, "420"): _THROTTLED,
    }
)
"""HTTP status and error code by which the gateway itself refuses, so that nothing reaches the service.

Source: api-gov.ncloud-docs.com, "api-call-lgc-errorhandling". No other pair proves that nothing happened.
"""

_FAILURES: Mapping[tuple[int, str], _Documented] = MappingProxyType(
    {
        (503, "500"): _Documented(
            errors.EndpointError, "The gateway could not reach its backend", _UNKNOWN_EFFECT, _LOOK_FIRST
        ),
        (504, "510"): _Documented(
            errors.EndpointTimeout,
            "The backend of the gateway did not answer in time",
            "The request may have taken effect nevertheless.",
            _LOOK_FIRST,
        ),
        (500, "900"): _Documented(errors.ServerError, "The gateway failed", _UNKNOWN_EFFECT, _LOOK_FIRST),
    }
)
"""The same table's failures, which do not say how far the request got."""

_KIND_OF_CODE = {code: known.kind for (_, code), known in (*REFUSALS.items(), *_FAILURES.items())}
_CODES_OF_FAILURES = frozenset(code for _, code in _FAILURES)


def _from_gateway(answer: Answer, said: dict[str, Any], words: str, clock_advice: str) -> GatewayError:
    """Judge the gateway's error object: a documented pair of status and code is what it says, no other is."""
    status, code = answer.status, _number(said.get("errorCode"))
    known = REFUSALS.get((status, code)) or _FAILURES.get((status, code))
    if known is not None:
        reason = f": {words}" if words else ""
        next_step = clock_advice if known is _SIGNATURE else known.next_step
        return known.kind(f"{known.what} ({status}/{code}{reason}).", known.meaning, next_step)
    if not _text_of_code(said.get("errorCode")) and status not in _SUCCESS and status not in _REDIRECT:
        return _from_status(answer, {"error": said})  # some other machine's: those have errors too
    kind = _kind_of(status)
    if status in _SUCCESS or code in _CODES_OF_FAILURES:
        kind = _KIND_OF_CODE.get(code, kind)
    numbers = f"{status}/{_text_of_code(said.get('errorCode')) or '-'}"
    meaning = (
        "The response is an error although its HTTP status is a success."
        if status in _SUCCESS
        else "HTTP status and code do not match."
    )
    return _may_have_acted(
        kind(f"The gateway answered {numbers}: {words or 'no message'}.", f"{meaning} {_UNKNOWN_EFFECT}", _LOOK_FIRST)
    )


def _unproven(status: int, what: str, words: str) -> GatewayError:
    """An answer that is neither a success nor a refusal, though it may look like one."""
    said = f"{what} It says: {words}." if words else what
    return _may_have_acted(_kind_of(status)(said, _UNKNOWN_EFFECT, _LOOK_FIRST))


def _kind_of(status: int) -> type[GatewayError]:
    """What to call an answer that proves nothing; a read of such a kind may be asked again where that can help."""
    otherwise = errors.BadAnswer if status < _SERVER_ERROR else errors.ServerError
    return _BARE.get(status, otherwise)


_SERVER_ERROR = 500
_BARE: dict[int, type[GatewayError]] = {
    401: errors.AuthenticationFailed,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    413: errors.RefusedByGateway,
    429: errors.Throttled,
    503: errors.EndpointError,
    504: errors.EndpointTimeout,
}


def _may_have_acted(error: GatewayError) -> GatewayError:
    """The same error, where its class would prove too much."""
    error.may_have_acted = True
    return error


def _clock_advice(offset: ClockOffset | None, correction: float) -> str:
    if offset is not None and not offset.is_believable:
        return (
            f"The date of the response is {offset.in_words}: a clock is corrected for by 24 hours at most. Set "
            "this machine's clock if it is wrong; else check the gateway URL and the proxy."
        )
    if offset is not None and correction and not offset.after(correction).is_worrying:
        return "The clock was corrected for. A key is wrong: copy both from the NCP console."
    if offset is None:
        return "A key or this machine's clock is wrong: copy both keys again from the NCP console, and check the clock."
    if offset.is_worrying:
        side = "slow" if offset.seconds > 0 else "fast"
        return f"This machine's clock is {abs(offset.seconds):.0f} s {side}: set it first."
    return "The clock is right. A key is wrong: copy both again from the NCP console."


_STATUSES_OF_REFUSALS = (200, 400)
_NO_REFUSALS = frozenset(map(str, (*range(500, 600), 900)))
"""Codes in an envelope that are a failure of HTTP or of the gateway, behind which anything may have happened."""


_NO_REASON = re.compile(
    r"(?i)\W*(success\w*|succeeded|ok|okay|done|true|null|none|possible|upgradable|성공|정상|완료)?\W*"
)
"""A message that says nothing, or that agrees: beside a result of null it contradicts itself."""
_AGREES = re.compile(r"(?i)\W*(success\w*|succeeded|ok|okay|done|accepted|created|성공|정상|완료)\W*")
"""A message that agrees: beside the code of a refusal it contradicts itself."""


def _from_envelope(
    status: int, payload: dict[str, Any], words: str, *, boolean: bool, null_refuses: bool
) -> GatewayError | None:
    """Judge the service's own envelope: `code` 0 and, for a boolean operation, `result: true`."""
    code, result = _number(payload["code"]), payload.get("result")
    if code == "0" and status in _SUCCESS:
        is_confirmed = not boolean or result is True
        return None if is_confirmed else _without_true(status, payload, words, null_refuses=null_refuses)
    if code == "0":
        return _unproven(status, f"The response contradicts itself: HTTP {status} with code 0.", words)
    shown = _text_of_code(payload["code"])
    if not code:
        return _unproven(status, f"The code of the response ({shown or 'none'}) is not a number that NCP uses.", words)
    if boolean and result is True:
        return _unproven(status, f"The response contradicts itself: result true with code {shown}.", words)
    reason = words or "no reason given"
    if status >= _SERVER_ERROR or code in _NO_REFUSALS:
        kind = _kind_of(status) if status >= _SERVER_ERROR else errors.ServerError
        return _may_have_acted(
            kind(f"NCP failed: {reason} (HTTP {status}, code {code}).", _UNKNOWN_EFFECT, _LOOK_FIRST)
        )
    if boolean and isinstance(payload.get("message"), str) and _AGREES.fullmatch(payload["message"]):
        return _unproven(status, f"The response contradicts itself: code {shown} with a message of success.", words)
    if status in _STATUSES_OF_REFUSALS and "result" in payload and result is None:
        return errors.RefusedByService(
            f"NCP refused: {reason} (code {code}).", "Nothing was started by this request.", _FIX_THE_CAUSE
        )
    return _unproven(status, f"NCP answered HTTP {status} with code {code}, which is not one of its refusals.", words)


def _without_true(status: int, payload: dict[str, Any], words: str, *, null_refuses: bool) -> GatewayError:
    """Judge the envelope of a success whose result does not confirm."""
    result, reason = payload.get("result"), payload.get("message")
    is_null = status == _STATUSES_OF_REFUSALS[0] and "result" in payload and result is None
    if null_refuses and is_null and isinstance(reason, str) and not _NO_REASON.fullmatch(reason):
        return errors.RefusedByService(
            f"NCP refused: {words} (result null).", "Nothing was started by this request.", _FIX_THE_CAUSE
        )
    if result is False:
        return errors.BadAnswer(
            f"NCP answered result: false ({words or 'no message'}).",
            "That is not a documented refusal: the request may or may not have taken effect.",
            _LOOK_FIRST,
        )
    return errors.BadAnswer(
        "NCP answered without confirming (result is not true).",
        "The request may or may not have taken effect.",
        _LOOK_FIRST,
    )


def _from_status(answer: Answer, payload: Any) -> GatewayError:
    """Judge an answer in none of the documented shapes: HTML, empty, cut off, or from some machine in between.

    Whatever its status says, it proves nothing: such a machine does not know what became of the request (408 means
    "too slow", and a proxy that wants to know us says so before the request leaves, not after).
    """
    status = answer.status
    if status in _REDIRECT:
        return errors.Redirected(
            f"The gateway answered with a redirect ({status}) to {answer.header('location') or 'nowhere'}.",
            f"It was not followed: the signed request was meant for one address only. {_UNKNOWN_EFFECT}",
            f"{_CHECK_THE_WAY} {_LOOK_FIRST}",
        )
    if status in _SUCCESS:
        beginning = clean_lines(answer.body[:_LOOKED_AT].decode("utf-8-sig", errors="replace")).split()
        bad = errors.BadAnswer(
            f"The response is not one of NCP's ({status}): "
            f"{' '.join(beginning)[:_LONGEST_EXCERPT].rstrip('.') or 'it is empty'}.",
            _UNKNOWN_EFFECT,
            "Check the gateway URL and the proxy, and the history before you retry.",
        )
        # Nothing at all, or JSON that begins and makes no sense: most likely the end of it is missing.
        bad.is_incomplete = not beginning or beginning[0].startswith("{")
        return bad
    words = words_in(answer, payload)
    said = f"HTTP {status} came without an error body that NCP documents."
    return _may_have_acted(
        _kind_of(status)(
            f"{said} It says: {words}." if words else said,
            "A proxy may have answered instead of NCP. The request may or may not have taken effect.",
            f"{_CHECK_THE_WAY} {_LOOK_FIRST}",
        )
    )


# By what they are called in the gateway's object, the service's envelope, and the bodies of Spring, Kong, AWS and
# other machines that may stand in between. In the order in which they are read out.
_NAMES = (
    "title",
    "error",
    "responseerror",
    "fault",
    "errors",
    "message",
    "errormessage",
    "returnmessage",
    "faultstring",
    "msg",
    "reason",
    "error_description",
    "detail",
    "details",
    "description",
)
_DEEPEST = 4
_MOST_ITEMS = 5
_LONGEST = 400
_LONGEST_PAGE = 120
_BEGINNING = 4096  # bytes of a page that are looked at
_NO_TEXT = re.compile(r"(?is)<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)|<[^>]*(>|$)")


def words_of(payload: Any, longest: int = _LONGEST) -> str:
    """The sentences in a JSON payload, joined, without a full stop at the end; empty where it has none."""
    found = dict.fromkeys(text for text in (clean(" ".join(said.split())) for said in _said(payload, 0)) if text)
    return _cut(" - ".join(found), longest)


def words_in(answer: Answer, payload: Any) -> str:
    """The sentences of an answer in no documented shape: of its JSON, else the text at the beginning of its page."""
    if isinstance(payload, dict):
        return words_of(payload)
    text = answer.body[:_BEGINNING].decode("utf-8-sig", errors="replace")
    if "<" in text:
        text = html.unescape(_NO_TEXT.sub(" ", text))
    return _cut(clean(" ".join(text.split())), _LONGEST_PAGE)


def _said(value: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value[:_MOST_ITEMS]:
            yield from _said(item, depth + 1)
    elif isinstance(value, dict):
        named = {str(name).lower(): item for name, item in value.items()}
        for name in _NAMES:
            yield from _said(named.get(name), depth + 1)


def _cut(text: str, longest: int) -> str:
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text.rstrip(". ")
