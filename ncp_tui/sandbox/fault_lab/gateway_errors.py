"""The documented errors of the API gateway, what it says about trying again, and where it redirects to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate

from ncp_tui.sandbox.answers import Answer, GatewayError, gateway_answer
from ncp_tui.sandbox.fault_hooks import Act, Visit
from ncp_tui.sandbox.fault_lab.fault import LabFault, before, both, doing
from ncp_tui.sandbox.sandbox import Sandbox

# Another host name and a port where nothing listens: who follows, with all its headers, comes to nobody.
NOWHERE = "http://localhost:1"
_REDIRECTS = (301, 302, 307, 308)
_RETRY_DATE_SECONDS = 5

# Refused by the gateway itself, so that nothing reaches the service.
_REFUSED: Mapping[str, tuple[GatewayError, str]] = {
    "bad-request": (GatewayError.BAD_REQUEST, "bad request"),
    "authentication-failed": (GatewayError.AUTHENTICATION_FAILED, "wrong key or signature, though they are right"),
    "permission-denied": (GatewayError.PERMISSION_DENIED, "the account may not do this"),
    "forbidden": (GatewayError.FORBIDDEN, "forbidden"),
    "not-found": (GatewayError.NOT_FOUND, "no such path"),
    "too-large": (GatewayError.TOO_LARGE, "the request is too large"),
    "quota-exceeded": (GatewayError.QUOTA_EXCEEDED, "the quota is used up"),
    "throttled": (GatewayError.THROTTLED, "too many requests"),
    "rate-limited": (GatewayError.RATE_LIMITED, "too many requests in a second"),
}
# From behind the gateway, where the service may or may not have acted.
_UNCERTAIN: Mapping[str, tuple[GatewayError, str]] = {
    "unexpected-error": (GatewayError.UNEXPECTED, "the gateway failed"),
    "endpoint-error": (GatewayError.ENDPOINT_ERROR, "the gateway lost the service"),
    "endpoint-timeout": (GatewayError.ENDPOINT_TIMEOUT, "the service did not answer the gateway in time"),
}
_RETRY_AFTER: Mapping[str, tuple[Mapping[str, str], str]] = {
    "absent": ({}, "without a Retry-After"),
    "0": ({"retry-after": "0"}, "with Retry-After: 0"),
    "5": ({"retry-after": "5"}, "with Retry-After: 5 seconds"),
    "86400": ({"retry-after": "86400"}, "with Retry-After: a whole day in seconds"),
    "negative": ({"retry-after": "-5"}, "with Retry-After: -5"),
    "garbage": ({"retry-after": "soon, perhaps"}, "with a Retry-After that is neither number nor date"),
}


def gateway_error_faults() -> Iterator[LabFault]:
    """All of this module."""
    for name, (error, what) in _REFUSED.items():
        yield before(name, f"{_numbers(error)}, {what}; nothing was started.", doing(gateway_answer(error)))
    for name, (error, what) in _UNCERTAIN.items():
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


def _redirecting(status: int, location: str) -> Callable[[Sandbox], Act]:
    async def act(visit: Visit) -> Answer:
        return Answer(status, b"", {"location": location + visit.target})

    return lambda _sandbox: act


def _throttled_until(sandbox: Sandbox) -> Act:
    async def act(_visit: Visit) -> Answer:
        until = formatdate(sandbox.world.now + _RETRY_DATE_SECONDS, usegmt=True)
        return gateway_answer(GatewayError.THROTTLED, {"retry-after": until})

    return act


def _numbers(error: GatewayError) -> str:
    status, code, *_ = error.value
    return f"{status}/{code}"
