"""Everybody this program could call as, found before any of them is asked for a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity


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
