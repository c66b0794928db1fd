"""Deciding what an answer means: a success only when status, code and result all say so.

The order is: a gateway error object, then the service's envelope, then the HTTP status, then the raw text. The two code
spaces are never mixed: "code 200" inside a 401 is a refused signature, "code 400" inside a 429 a used-up quota.
"""

from __future__ import annotations

from typing import Any

from ncp_tui.gateway import errors
from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import Answer
from ncp_tui.gateway.text import clean, clean_lines

_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)
_REFUSED = range(400, 500)
_SERVER_ERROR = range(500, 1000)
_LONGEST_EXCERPT = 120
_LOOKED_AT = 4096  # bytes of an answer that an excerpt is made of
_LONGEST_CODE = 40


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


def judge(
    answer: Answer, payload: Any, *, boolean: bool, offset: ClockOffset | None = None, correction: float = 0.0
) -> GatewayError | None:
    """Return the error an answer amounts to, or None for a confirmed success.

    `payload` is the answer's decoded JSON; an answer that is not whole proves nothing, whatever it begins with.
    `boolean` operations promise `result: true`; anything else there is not a success. `offset` is the clock's, and
    `correction` the seconds of it that the signature allowed for already; both are for the advice given with a refused
    signature.
    """
    if not answer.is_whole:
        return _incomplete(answer.status)
    gateway_error = _gateway_error(payload)
    error: GatewayError | None
    if gateway_error is not None and (gateway_error[0] or answer.status not in _REFUSED):
        code, message = gateway_error
        error = _from_gateway(answer.status, code, message, _clock_advice(offset, correction))
    elif gateway_error is not None:  # some other machine's, which has errors too, but not the gateway's codes
        code, message = gateway_error
        error = _from_status(answer)
    elif isinstance(payload, dict) and "code" in payload:
        code, message = _code(payload["code"]), _joined(payload.get("message"))
        error = _from_envelope(answer.status, code, message, payload.get("result"), boolean=boolean)
    else:
        code, message = "", ""
        error = _from_status(answer)
    if error is not None:
        error.code, error.message = code or None, message
    return error


def _incomplete(status: int) -> errors.BadAnswer:
    error = errors.BadAnswer(f"Only the beginning of an answer ({status}) came.", _UNKNOWN_EFFECT, _LOOK_FIRST)
    error.is_incomplete = True
    return error


def _gateway_error(payload: Any) -> tuple[str, str] | None:
    """The code and message of a gateway's own error object, in either of the two shapes in use."""
    if not isinstance(payload, dict):
        return None
    error = payload.get("error")
    if isinstance(error, dict):
        return _code(error.get("errorCode")), _joined(error.get("message"), error.get("details"))
    error = payload.get("responseError")
    if isinstance(error, dict):
        return _code(error.get("returnCode")), _joined(error.get("returnMessage"))
    return None


def _code(value: Any) -> str:
    """A code, which comes as a number or as text; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return clean(str(value), _LONGEST_CODE)


def _joined(*texts: Any) -> str:
    return " - ".join(text for text in texts if isinstance(text, str) and text)


_NOTHING_CHANGED = "Nothing was changed."
_UNKNOWN_EFFECT = "It does not say whether the request took effect."
_LOOK_FIRST = "Look at the history before trying again."


def _from_gateway(status: int, code: str, message: str, clock_advice: str) -> GatewayError:
    """Tell the gateway's errors apart: the table of api-gov.ncloud-docs.com, "api-call-lgc-errorhandling"."""
    numbers = f"{status}/{code or '-'}"
    if status in _SUCCESS:  # seen from sibling services; then only the code tells what it is
        status = _STATUS_OF.get(code, status)
    if status == _UNAUTHORIZED and code != "210":
        return errors.AuthenticationFailed(
            f"The gateway refused the signature ({numbers}).",
            f"{_NOTHING_CHANGED} Access key, secret key or clock is wrong.",
            clock_advice,
        )
    if status == _TOO_MANY and code == "400":
        return errors.QuotaExceeded(
            f"The account's quota is used up ({numbers}).",
            f"{_NOTHING_CHANGED} Repeating will not help.",
            "Raise the quota in the NCP console, or wait for it to be renewed.",
        )
    if status in _KNOWN_REFUSALS:
        kind, what, meaning, next_step = _KNOWN_REFUSALS[status]
        return kind(f"{what} ({numbers}).", meaning, next_step)
    said = f"The gateway answered {numbers}: {message.rstrip('.') or 'no message'}."
    if status in _REFUSED:
        return errors.RefusedByGateway(said, _NOTHING_CHANGED, "See to what the message names, then try again.")
    if status in _SUCCESS or status in _REDIRECT:
        return _may_have_acted(
            errors.RefusedByService(
                said, f"The answer is an error in spite of its status. {_UNKNOWN_EFFECT}", _LOOK_FIRST
            )
        )
    return errors.ServerError(said, _UNKNOWN_EFFECT, _LOOK_FIRST)


_UNAUTHORIZED = 401
_TOO_MANY = 429
_STATUS_OF = {
    "100": 400,
    "200": 401,
    "210": 401,
    "230": 403,
    "300": 404,
    "430": 413,
    "400": 429,
    "410": 429,
    "420": 429,
    "500": 503,
    "510": 504,
    "900": 500,
}
_PERMISSION = (
    errors.PermissionDenied,
    "The key is right but may not do this",
    _NOTHING_CHANGED,
    "Ask for the policy NCP_VPC_SEARCH_ENGINE_SERVICE_MANAGER, or use another profile.",
)
_KNOWN_REFUSALS: dict[int, tuple[type[GatewayError], str, str, str]] = {
    401: _PERMISSION,
    403: _PERMISSION,
    404: (
        errors.NotFound,
        "The gateway knows no such address",
        f"{_NOTHING_CHANGED} The service is not offered in this region, or zone or region is wrong.",
        "Check zone, region and gateway URL of the profile.",
    ),
    429: (
        errors.Throttled,
        "The gateway is throttling this account",
        _NOTHING_CHANGED,
        "Wait a minute and try again.",
    ),
    503: (errors.EndpointError, "The gateway could not talk to the service", _UNKNOWN_EFFECT, _LOOK_FIRST),
    504: (
        errors.EndpointTimeout,
        "The service did not answer the gateway in time",
        "The request may have taken effect all the same.",
        _LOOK_FIRST,
    ),
}


def _may_have_acted(error: GatewayError) -> GatewayError:
    """The same error, where its class would prove too much."""
    error.may_have_acted = True
    return error


def _clock_advice(offset: ClockOffset | None, correction: float) -> str:
    if offset is not None and correction and not offset.after(correction).is_worrying:
        return "Test the profile's keys; this machine's clock was corrected for."
    if offset is None:
        return "Test the profile's keys, and check this machine's clock."
    if offset.is_worrying:
        side = "slow" if offset.seconds > 0 else "fast"
        return f"This machine's clock is {abs(offset.seconds):.0f} s {side}: set it first."
    return "Test the profile's keys; the clock agrees with the gateway's."


def _from_envelope(status: int, code: str, message: str, result: Any, *, boolean: bool) -> GatewayError | None:
    """Judge the service's own envelope: `code` 0 and, for a boolean operation, `result: true`."""
    if not code:
        return errors.BadAnswer("The answer's code is neither a number nor text.", _UNKNOWN_EFFECT, _LOOK_FIRST)
    if code != "0" and status in _SERVER_ERROR:
        # A refusal is proved by a code with a status that says so; a 5xx only says that something broke, at some point.
        return errors.ServerError(
            f"The service failed: {message or 'no reason given'} (HTTP {status}, code {code}).",
            _UNKNOWN_EFFECT,
            _LOOK_FIRST,
        )
    if code != "0" and boolean and result is True:
        return errors.BadAnswer(
            f"The answer contradicts itself: result true with code {code} ({message.rstrip('.') or 'no message'}).",
            _UNKNOWN_EFFECT,
            _LOOK_FIRST,
        )
    if code != "0":
        return errors.RefusedByService(
            f"The service refused: {message or 'no reason given'} (code {code}).",
            "Nothing was started by this request.",
            "See to what the message names, then try again.",
        )
    if status not in _SUCCESS:
        return errors.ServerError(
            f"The answer contradicts itself: HTTP {status} with code 0.", _UNKNOWN_EFFECT, _LOOK_FIRST
        )
    if not boolean or result is True:
        return None
    if result is False:
        return errors.RefusedByService(
            f"The service answered result: false ({message.rstrip('.') or 'no message'}).",
            "It did not do what was asked.",
            "Look at the cluster's state and its history, then try again.",
        )
    return errors.BadAnswer(
        "The service answered without confirming (result is not true).", "It may or may not have acted.", _LOOK_FIRST
    )


def _from_status(answer: Answer) -> GatewayError:
    """Judge an answer in none of the documented shapes: HTML, empty, cut off, or from some machine in between."""
    status = answer.status
    if status in _REDIRECT:
        return errors.Redirected(
            f"The gateway answered with a redirect ({status}) to {answer.header('location') or 'nowhere'}.",
            f"It was not followed: the signed request was meant for one address only. {_UNKNOWN_EFFECT}",
            f"Check the gateway URL and the proxy. {_LOOK_FIRST}",
        )
    if status in _SUCCESS:
        beginning = clean_lines(answer.body[:_LOOKED_AT].decode("utf-8-sig", errors="replace")).split()
        bad = errors.BadAnswer(
            f"The answer is not one of the service's ({status}): "
            f"{' '.join(beginning)[:_LONGEST_EXCERPT].rstrip('.') or 'it is empty'}.",
            _UNKNOWN_EFFECT,
            "Check the gateway URL and the proxy, and look at the history before trying again.",
        )
        # Nothing at all, or JSON that begins and makes no sense: most likely the end of it is missing.
        bad.is_incomplete = not beginning or beginning[0].startswith("{")
        return bad
    said = f"HTTP {status} came back with none of the bodies that the API documents."
    if status in _CERTAIN:
        return _BARE[status](said, _NOTHING_CHANGED, "Check the gateway URL and the proxy, and try again.")
    # Without the gateway's error object some machine in between may be speaking, which does not know what became of
    # the request (408 means "too slow"): whatever the status says, it proves nothing.
    otherwise = errors.BadAnswer if status in _REFUSED else errors.ServerError
    return _may_have_acted(
        _BARE.get(status, otherwise)(
            said,
            "Something between here and the service may have answered; whether the request took effect is not known.",
            f"Check the gateway URL and the proxy. {_LOOK_FIRST}",
        )
    )


_CERTAIN = frozenset({407, 429})
"""Refused before it was passed on, whoever says so: by a proxy that wants to know us, or for want of room."""
_BARE: dict[int, type[GatewayError]] = {
    401: errors.AuthenticationFailed,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    407: errors.ProxyRefused,
    413: errors.RefusedByGateway,
    429: errors.Throttled,
    503: errors.EndpointError,
    504: errors.EndpointTimeout,
}
