"""What can go wrong between us and a service, told apart by what it proves about the request's effect."""

from __future__ import annotations

from ncp_tui.gateway.exchange import Exchange
from ncp_tui.problem import NextAction, Problem


class GatewayError(Problem):
    """A request that did not end in a confirmed success.

    `may_have_acted` is the one fact that decides what happens next: False proves that the operation had no effect (it
    did not leave, or it was refused), True means unknown. `code` and `message` are the gateway's or the
    service's own, `exchange` is what was sent and received.
    """

    kind = "gateway_error"
    may_have_acted = False

    def __init__(self, what: str, meaning: str = "", next_step: str = "", *actions: NextAction) -> None:
        super().__init__(what, meaning, next_step, *actions)
        self.exchange: Exchange | None = None
        self.code: str | None = None
        self.message = ""

    @property
    def status(self) -> int | None:
        """The HTTP status it came with, if an answer came at all."""
        return self.exchange.status if self.exchange else None

    @property
    def request_id(self) -> str | None:
        """The service's id of the request: what NCP's support asks for."""
        return self.exchange.request_id if self.exchange else None


class AuthenticationFailed(GatewayError):
    """401/200: the access key, the secret key or the timestamp is wrong."""

    kind = "authentication_failed"


class PermissionDenied(GatewayError):
    """401/210 or 403: the key is right but may not do this."""

    kind = "permission_denied"


class NotFound(GatewayError):
    """404/300: no such route, which in this API also means a wrong region, site or method."""

    kind = "not_found"


class Throttled(GatewayError):
    """429/410 or 420: too many requests just now. `retry_after` is the pause it asks for in seconds, if it asks."""

    kind = "throttled"
    retry_after: float | None = None


class QuotaExceeded(GatewayError):
    """429/400: the account's allowance is used up; repeating does not help."""

    kind = "quota_exceeded"


class RefusedByGateway(GatewayError):
    """400, 413 and every other 4xx that the gateway answers for itself."""

    kind = "refused_by_gateway"


class RefusedByService(GatewayError):
    """The service understood and said no: a code other than 0, or a result of `false`."""

    kind = "refused"


class ReadOnlyRefused(GatewayError):
    """An operation with an effect was requested in read-only mode; it was never built."""

    kind = "read_only"


class NotReached(GatewayError):
    """No connection: not one byte of the request left."""

    kind = "not_reached"


class NameNotFound(NotReached):
    """The gateway's name could not be resolved."""

    kind = "name_not_found"


class ProxyRefused(NotReached):
    """The proxy did not let us through. `proxy_status` is its HTTP status, where it answered with one."""

    kind = "proxy_refused"
    proxy_status: int | None = None

    @property
    def status(self) -> int | None:
        """The proxy's status: the gateway was never reached."""
        return self.proxy_status


class TlsFailed(NotReached):
    """The connection could not be made private; nothing was sent over it."""

    kind = "tls_failed"


class KeysUnavailable(NotReached):
    """Keys that are fetched just before signing, as those of a server role, could not be had: nothing was signed."""

    kind = "keys_unavailable"


class EndpointError(GatewayError):
    """503/500: the gateway says it could not talk to the service. It does not say how far the request got."""

    kind = "endpoint_error"
    may_have_acted = True


class EndpointTimeout(GatewayError):
    """504/510: the service did not answer the gateway in time; it may have acted all the same."""

    kind = "endpoint_timeout"
    may_have_acted = True


class ServerError(GatewayError):
    """Any other 5xx."""

    kind = "server_error"
    may_have_acted = True


class AnswerLost(GatewayError):
    """The request left and no whole answer came back: time ran out, or the connection broke."""

    kind = "answer_lost"
    may_have_acted = True


class BadAnswer(GatewayError):
    """An answer that is not what the API promises: HTML, empty, cut off, too large, or without a confirmation.

    `is_incomplete` tells the empty and the cut off from the others: the same question may get a better answer.
    """

    kind = "bad_answer"
    may_have_acted = True
    is_incomplete = False


class Redirected(BadAnswer):
    """A redirect. It is shown and not followed: the signing headers would go to another host."""

    kind = "redirected"
