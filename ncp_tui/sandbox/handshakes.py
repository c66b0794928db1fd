"""How a new connection is met: in plain HTTP, or with a TLS handshake that goes right or wrong."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ncp_tui.sandbox.certificates import Authority

HowMet = Literal["right", "expired", "wrong-host", "unknown-ca", "stall", "reset"]


@dataclass
class _Plan:
    """One way to meet the next `times` connections; None is for all."""

    how: HowMet
    times: int | None


class Handshakes:
    """Plain HTTP until the first `add`; from then on TLS, and right wherever nothing else was planned."""

    def __init__(self) -> None:
        self._plans: list[_Plan] = []
        self._authority: Authority | None = None
        self._contexts: dict[HowMet, ssl.SSLContext] = {}

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return self._authority is not None

    @property
    def ca_bundle(self) -> Path | None:
        """The file of the authority to trust; None without TLS."""
        return self._authority.ca_bundle if self._authority else None

    def add(self, how: HowMet, times: int | None = 1) -> None:
        """Meet the next `times` connections so (None: all of them). Raises OSError when no file can be made.

        - `right`: a certificate for this host by the authority in `ca_bundle`, as when nothing else is planned;
        - `expired`, `wrong-host`: by the same authority, and wrong in that;
        - `unknown-ca`: by an authority that is in no file;
        - `stall`, `reset`: the client's first bytes are not answered, or answered with a TCP reset.
        """
        if self._authority is None:
            # Costs 30 ms, and most sandboxes speak plain HTTP.
            from ncp_tui.sandbox.certificates import Authority

            self._authority = Authority()
            self._contexts["right"] = self._authority.right()
        if how not in self._contexts:
            self._contexts |= _made(self._authority, how)
        if how != "right":
            self._plans.append(_Plan(how, times))

    def take(self) -> HowMet | None:
        """How the connection that came in now is met, with one of the times used up; None in plain HTTP."""
        for plan in self._plans:
            if plan.times != 0:
                if plan.times is not None:
                    plan.times -= 1
                return plan.how
        return "right" if self.tls else None

    def context(self, how: HowMet | None) -> ssl.SSLContext | None:
        """The certificate to show; None in plain HTTP. Raises KeyError for a way without a certificate."""
        return self._contexts[how] if how else None

    def close(self) -> None:
        """Remove the authority's file; connections stay."""
        if self._authority:
            self._authority.close()


def _made(authority: Authority, how: HowMet) -> dict[HowMet, ssl.SSLContext]:
    if how == "expired":
        return {how: authority.expired()}
    if how == "wrong-host":
        return {how: authority.wrong_host()}
    return {how: authority.of_a_stranger()} if how == "unknown-ca" else {}
