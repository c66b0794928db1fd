"""Somebody this program can call as, and where the keys were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile, StoreName

# No profile can have a colon in its name, so a name with this prefix never means one.
CONFIGURE_PREFIX = "configure:"

STORE_LABELS: Mapping[StoreName, str] = MappingProxyType({"keyring": "OS keyring", "session": "this session only"})


class SourceKind(StrEnum):
    """Where an identity was found."""

    PROFILE = "profile"
    ENVIRONMENT = "environment"
    NCLOUD_CONFIGURE = "ncloud-configure"


@dataclass(frozen=True)
class Identity:
    """One account this program can call as.

    `source` says where its keys come from, for the screen. `profile` is the saved profile, or one made up for keys
    found elsewhere, whose name no saved profile can have. `held_secret` is the secret found beside the access key;
    None means that the profile's store has it.
    """

    name: str
    source: str
    kind: SourceKind
    profile: Profile
    held_secret: SecretKey | None = None
