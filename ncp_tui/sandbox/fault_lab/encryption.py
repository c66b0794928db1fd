"""TLS: a sandbox that speaks https, with a certificate that is right or wrong in one way, or with no handshake."""

from __future__ import annotations

from collections.abc import Iterator

from ncp_tui.sandbox.fault_hooks import ANY
from ncp_tui.sandbox.fault_lab.fault import LabFault
from ncp_tui.sandbox.handshakes import HowMet
from ncp_tui.sandbox.sandbox import Sandbox


def encryption_faults() -> Iterator[LabFault]:
    """All of this module. N counts connections; a certificate stays what it is unless something else is said."""
    yield _met("tls", "right", "https, right in everything; the ready line names the CA file to trust.", always=True)
    yield _met("tls-unknown-ca", "unknown-ca", "https by a CA that is in no file.", always=True)
    yield _met("tls-expired", "expired", "https with a certificate that expired yesterday.", always=True)
    yield _met("tls-wrong-host", "wrong-host", "https with a certificate for another host.", always=True)
    yield _met("tls-stall", "stall", "https whose handshake is not answered. N counts connections.")
    yield _met("tls-reset", "reset", "https whose handshake is reset. N counts connections.")


def _met(name: str, how: HowMet, description: str, *, always: bool = False) -> LabFault:
    def set_up(_fault: LabFault, sandbox: Sandbox, times: int | None) -> None:
        sandbox.handshakes.add(how, times)

    return LabFault(name, description, None, set_up, operation=ANY, usual_times=None if always else 1, aimable=False)
