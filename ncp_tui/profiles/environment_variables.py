"""The variables that hand keys over, and taking them out of the environment: all that a start does with them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType

from ncp_tui.gateway.credentials import InvalidCredentials, SecretKey

# Both spellings of each, in the order of the official Go SDK; Terraform's provider knows the second only.
ACCESS_KEY_VARIABLES = ("NCLOUD_ACCESS_KEY_ID", "NCLOUD_ACCESS_KEY")
SECRET_KEY_VARIABLES = ("NCLOUD_SECRET_ACCESS_KEY", "NCLOUD_SECRET_KEY")
PROFILE_VARIABLE = "NCP_TUI_PROFILE"
SERVER_ROLE_VARIABLE = "NCP_TUI_SERVER_ROLE"
SITE_VARIABLE = "NCLOUD_SITE"  # as Terraform's provider reads it
REGION_VARIABLE = "NCLOUD_REGION"
GATEWAY_VARIABLE = "NCLOUD_API_GW"

SERVER_ROLE_NAME = "server-role"
"""What the role of this server is called as a profile."""


def take_environment(environ: MutableMapping[str, str]) -> Mapping[str, str]:
    """A copy of `environ`, from which the keys are then removed: no child of this program is to inherit them.

    What the kernel shows as `/proc/<pid>/environ` is what the program was started with, and stays.
    """
    taken = MappingProxyType(dict(environ))
    for variable in (*ACCESS_KEY_VARIABLES, *SECRET_KEY_VARIABLES):
        environ.pop(variable, None)
    return taken


def environment_secrets(environ: Mapping[str, str]) -> list[SecretKey]:
    """Every secret key in `environ`, used or not, so that a report can leave them out."""
    secrets = []
    for variable in SECRET_KEY_VARIABLES:
        with contextlib.suppress(InvalidCredentials):
            secrets.append(SecretKey(environ.get(variable, "")))
    return secrets


def wants_server_role(environ: Mapping[str, str], name: str | None = None) -> bool:
    """Whether the user said that this server's role may be used: by `name`, or by one of the two variables."""
    named = (name or "", environ.get(PROFILE_VARIABLE, "").strip())
    if any(one.casefold() == SERVER_ROLE_NAME for one in named):
        return True
    return environ.get(SERVER_ROLE_VARIABLE, "").strip().lower() not in {"", "0", "false", "no"}
