"""From an exception of the network to an error that says whether the request can have had an effect."""

from __future__ import annotations

import ssl
import zlib

from ncp_tui.gateway import errors
from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.trace import ProxyAnswer, RequestTrace

# OSError is the deadline's TimeoutError, and TLS alerts after the handshake, which httpx hands on as they are.
NETWORK_ERRORS = (OSError, zlib.error, httpx.HTTPError)

_TIMEOUTS = (TimeoutError, httpx.TimeoutException)

_NOTHING_SENT = "Nothing was sent."
_CHECK_THE_WAY = "Check the network, the proxy and the profile's gateway URL."
_TRUST_THE_PROXY = "If your company's proxy issues certificates, give its CA as the profile's CA bundle."
_CHECK_WHO_ANSWERS = "Check the profile's gateway URL, and whether a proxy or a login page answers in its place."
_CHECK_THE_DATE = "Check this machine's date. If it is right, whoever runs that host has to renew the certificate."
# By OpenSSL's number of the reason, where no CA bundle would help.
_CERTIFICATE_ADVICE = {
    9: _CHECK_THE_DATE,  # X509_V_ERR_CERT_NOT_YET_VALID
    10: _CHECK_THE_DATE,  # X509_V_ERR_CERT_HAS_EXPIRED
    62: _CHECK_WHO_ANSWERS,  # X509_V_ERR_HOSTNAME_MISMATCH
    64: _CHECK_WHO_ANSWERS,  # X509_V_ERR_IP_ADDRESS_MISMATCH
}


def classify_failure(error: Exception, trace: RequestTrace, endpoint: Endpoint, deadline: float) -> GatewayError:
    """The GatewayError for `error`. What was sent decides first; an exception's own text is never shown.

    Texts of h11 and ssl may hold header values, and those hold the signature. `deadline` is in seconds.
    """
    if not trace.sent and trace.is_connected:
        return errors.NotReached(
            f"The request could not be made ready within {deadline:g} s.", _NOTHING_SENT, "Try again; is the disk busy?"
        )
    if not trace.sent:
        return _not_sent(error, trace, endpoint)
    if isinstance(error, _TIMEOUTS):
        waited = f"{deadline:g} s" if isinstance(error, TimeoutError) else "the time allowed"
        return errors.AnswerLost(
            f"No whole answer came within {waited}.",
            "The request was sent; whether it took effect is not known.",
            "Look at the history before trying again.",
        )
    if isinstance(error, zlib.error):
        return errors.BadAnswer(
            "The compressed answer cannot be read.",
            "It does not say whether the request took effect.",
            "Look at the history before trying again.",
        )
    return errors.AnswerLost(
        "The connection broke before the whole answer came.",
        "The request was sent; whether it took effect is not known.",
        "Look at the history before trying again.",
    )


def _not_sent(error: Exception, trace: RequestTrace, endpoint: Endpoint) -> GatewayError:
    where = trace.proxy_of(endpoint) or endpoint.host
    certificate = _cause(error, ssl.SSLCertVerificationError)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        return errors.TlsFailed(
            f"The certificate of {where} is not trusted: {certificate.verify_message.rstrip('.')}.",
            _NOTHING_SENT,
            _CERTIFICATE_ADVICE.get(certificate.verify_code, _TRUST_THE_PROXY),
        )
    if _cause(error, ssl.SSLError):
        if isinstance(error, _TIMEOUTS):
            said = f"{where} accepted the connection, but did not answer the TLS handshake in time."
            return errors.TlsFailed(said, _NOTHING_SENT, _CHECK_THE_WAY)
        return errors.TlsFailed(f"No TLS connection could be made to {where}.", _NOTHING_SENT, _CHECK_THE_WAY)
    if isinstance(error, httpx.ProxyError):
        return _refused_by_proxy(where, trace.proxy_answer, endpoint)
    if isinstance(error, _TIMEOUTS):
        return errors.NotReached(f"{where} did not accept a connection in time.", _NOTHING_SENT, _CHECK_THE_WAY)
    if _cause(error, ConnectionRefusedError):
        return errors.NotReached(f"{where} refused the connection.", _NOTHING_SENT, _CHECK_THE_WAY)
    return errors.NotReached(f"{where} could not be reached.", _NOTHING_SENT, _CHECK_THE_WAY)


def _refused_by_proxy(proxy: str, answer: ProxyAnswer | None, endpoint: Endpoint) -> errors.ProxyRefused:
    """What a proxy meant by its status; 502 to 504 are about the gateway, which it could not get to."""
    status = answer.status if answer else None
    what, next_step = f"The proxy {proxy} did not make the connection ({status or 'no status'}).", "Check the proxy."
    if answer and status == _PROXY_AUTHENTICATION:
        what = f"The proxy {proxy} wants a user and a password, or other ones ({status})."
        next_step = "Give them in HTTPS_PROXY as http://USER:PASSWORD@HOST:PORT, with special characters as %23."
        if answer.schemes and "basic" not in answer.schemes:
            offered = ", ".join(sorted(answer.schemes))
            next_step = f"It accepts {offered} only, which ncp-tui does not speak: go through a local proxy that does."
    elif status == _FORBIDDEN:
        what = f"The proxy {proxy} does not allow connections to {endpoint.host} ({status})."
        next_step = f"Ask whoever runs the proxy to allow {endpoint.host}, or name it in NO_PROXY."
    elif status in _NO_WAY_ON:
        what = f"The proxy {proxy} cannot reach {endpoint.host} ({status})."
        next_step = "Try again later; if it stays so, ask whoever runs the proxy."
    error = errors.ProxyRefused(what, _NOTHING_SENT, next_step)
    error.proxy_status = status
    return error


_FORBIDDEN, _PROXY_AUTHENTICATION = 403, 407
_NO_WAY_ON = frozenset({502, 503, 504})


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The first exception of `kind` behind `error`; httpx and anyio wrap the system's own."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        if isinstance(current, kind):
            return current
        seen.add(id(current))
        todo += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            todo += list(current.exceptions)
    return None
