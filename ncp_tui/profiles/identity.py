"""Who this program can call as, where the keys of each come from, and all of them by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile

if TYPE_CHECKING:
    from ncp_tui.profiles.server_role import ServerRole

# No profile can have a colon in its name, so a name with this prefix never means one.
CONFIGURE_PREFIX = "configure:"


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
    whose name no saved profile can have. `secret_key` is the secret found beside the access key; `role` hands out
    both for a time, and then the profile has no access key. With neither, the profile's store has the secret.
    """

    name: str
    origin: str
    kind: SourceKind
    profile: Profile
    secret_key: SecretKey | None = None
    role: ServerRole | None = field(default=None, repr=False, compare=False)

    @property
    def source(self) -> str:
        """Where its keys come from, for the screen; a server role with its name, once that is known."""
        return f"{self.origin} {self.role.name}".rstrip() if self.role else self.origin

    @property
    def masked_access_key(self) -> str:
        """The access key id it calls with now, its middle hidden."""
        return self.role.masked if self.role else self.profile.masked_access_key

    @property
    def access_keys(self) -> tuple[str, ...]:
        """Every access key id it has called with in this run, or would, in clear: to be looked for in what is written.

        Whom it is remembered as is its name, since these may change while it is used.
        """
        return tuple(pair.access_key for pair in self.role.issued) if self.role else (self.profile.access_key,)

    @property
    def is_stored(self) -> bool:
        """Whether its secret key is in the profile's store."""
        return self.secret_key is None and self.role is None


@dataclass(frozen=True)
class Identities:
    """All identities: the environment's, the profiles in their order, the sections of the configure file.

    `refused` tells by name why keys that are there cannot be used; `warnings` are sentences for the user.
    """

    identities: tuple[Identity, ...] = ()
    refused: Mapping[str, Problem] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def find(self, name: str) -> Identity | None:
        """The identity of that name: the same spelling first, then upper and lower case alike."""
        alike = [identity for identity in self.identities if same_name(identity.name, name)]
        return next((identity for identity in alike if identity.name == name), alike[0] if alike else None)


def same_name(one: str, other: str) -> bool:
    """Whether two profile names mean the same profile."""
    return one.casefold() == other.casefold()
