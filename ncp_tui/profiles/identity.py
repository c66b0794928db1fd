"""Somebody this program can call as, and where the keys were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile, StoreName

if TYPE_CHECKING:  # loaded only by a run that uses it
    from ncp_tui.profiles.server_role import ServerRole

# No profile can have a colon in its name, so a name with this prefix never means one.
CONFIGURE_PREFIX = "configure:"

STORE_LABELS: Mapping[StoreName, str] = MappingProxyType(
    {"keyring": "OS keyring", "file": "encrypted file", "session": "this session only"}
)


class SourceKind(StrEnum):
    """Where an identity was found."""

    PROFILE = "profile"
    ENVIRONMENT = "environment"
    NCLOUD_CONFIGURE = "ncloud-configure"
    SERVER_ROLE = "server-role"


@dataclass(frozen=True)
class Identity:
    """One account this program can call as.

    `found_in` says where its keys come from. `profile` is the saved profile, or one made up for keys found elsewhere,
    whose name no saved profile can have. `held_secret` is the secret found beside the access key; `role` hands out
    both for a time, and then the profile has no access key. With neither, the profile's store has the secret.
    """

    name: str
    found_in: str
    kind: SourceKind
    profile: Profile
    held_secret: SecretKey | None = None
    role: ServerRole | None = field(default=None, repr=False, compare=False)

    @property
    def source(self) -> str:
        """Where its keys come from, for the screen; a server role with its name, once that is known."""
        return f"{self.found_in} {self.role.name}".rstrip() if self.role else self.found_in

    @property
    def masked_access_key(self) -> str:
        """The access key id it calls with now, its middle hidden."""
        return self.role.masked if self.role else self.profile.masked_access_key

    @property
    def access_keys(self) -> tuple[str, ...]:
        """Every access key id it has called with in this run, or would, in clear: to be looked for in what is written.

        Whom it is remembered as is its name, since these may change while it is used.
        """
        return tuple(pair.access_key for pair in self.role.handed_out) if self.role else (self.profile.access_key,)

    @property
    def is_stored(self) -> bool:
        """Whether its secret key is in the profile's store."""
        return self.held_secret is None and self.role is None
