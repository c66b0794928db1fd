"""Any NCP API-gateway service: where it is, how a request is signed and sent, and what its answers mean."""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.gateway.call import PATIENT, Call, Patience
    from ncp_tui.gateway.clock import ClockOffset
    from ncp_tui.gateway.credentials import (
        Credentials,
        InvalidCredentials,
        KeySource,
        SecretKey,
        check_access_key,
        mask_access_key,
    )
    from ncp_tui.gateway.curl import NotForCurl, as_curl
    from ncp_tui.gateway.daemon_threads import daemon_call
    from ncp_tui.gateway.endpoints import ZONES, Endpoint, UnknownEndpoint, endpoint_for
    from ncp_tui.gateway.errors import (
        AnswerLost,
        AuthenticationFailed,
        BadAnswer,
        EndpointError,
        EndpointTimeout,
        GatewayError,
        KeysUnavailable,
        NameNotFound,
        NotFound,
        NotReached,
        PermissionDenied,
        ProxyRefused,
        QuotaExceeded,
        ReadOnlyRefused,
        Redirected,
        RefusedByGateway,
        RefusedByService,
        ServerError,
        Throttled,
        TlsFailed,
    )
    from ncp_tui.gateway.exchange import Answer, Exchange, Headers, RequestRecord, Timings
    from ncp_tui.gateway.problems import NextAction, Problem
    from ncp_tui.gateway.proxies import PROXY_VARIABLES, UnusableProxy, parsed_proxy, proxy_for
    from ncp_tui.gateway.signature import SignatureV2, sign, string_to_sign
    from ncp_tui.gateway.tls import UnusableCaBundle
    from ncp_tui.gateway.transport import Gateway
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "call": "PATIENT Call Patience",
            "clock": "ClockOffset",
            "credentials": "Credentials InvalidCredentials KeySource SecretKey check_access_key mask_access_key",
            "curl": "NotForCurl as_curl",
            "daemon_threads": "daemon_call",
            "endpoints": "ZONES Endpoint UnknownEndpoint endpoint_for",
            "errors": "AnswerLost AuthenticationFailed BadAnswer EndpointError EndpointTimeout GatewayError "
            "KeysUnavailable NameNotFound NotFound NotReached PermissionDenied ProxyRefused "
            "QuotaExceeded ReadOnlyRefused Redirected RefusedByGateway RefusedByService "
            "ServerError Throttled TlsFailed",
            "exchange": "Answer Exchange Headers RequestRecord Timings",
            "problems": "NextAction Problem",
            "proxies": "PROXY_VARIABLES UnusableProxy parsed_proxy proxy_for",
            "signature": "SignatureV2 sign string_to_sign",
            "tls": "UnusableCaBundle",
            "transport": "Gateway",
        },
    )

__all__ = [
    "PATIENT",
    "PROXY_VARIABLES",
    "ZONES",
    "Answer",
    "AnswerLost",
    "AuthenticationFailed",
    "BadAnswer",
    "Call",
    "ClockOffset",
    "Credentials",
    "Endpoint",
    "EndpointError",
    "EndpointTimeout",
    "Exchange",
    "Gateway",
    "GatewayError",
    "Headers",
    "InvalidCredentials",
    "KeySource",
    "KeysUnavailable",
    "NameNotFound",
    "NextAction",
    "NotForCurl",
    "NotFound",
    "NotReached",
    "Patience",
    "PermissionDenied",
    "Problem",
    "ProxyRefused",
    "QuotaExceeded",
    "ReadOnlyRefused",
    "Redirected",
    "RefusedByGateway",
    "RefusedByService",
    "RequestRecord",
    "SecretKey",
    "ServerError",
    "SignatureV2",
    "Throttled",
    "Timings",
    "TlsFailed",
    "UnknownEndpoint",
    "UnusableCaBundle",
    "UnusableProxy",
    "as_curl",
    "check_access_key",
    "daemon_call",
    "endpoint_for",
    "mask_access_key",
    "parsed_proxy",
    "proxy_for",
    "sign",
    "string_to_sign",
]
