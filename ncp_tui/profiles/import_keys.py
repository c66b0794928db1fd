"""Keys found elsewhere, offered as profiles of our own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.identity import CONFIGURE_PREFIX, Identity, SourceKind
from ncp_tui.profiles.profile import InvalidProfile, Profile, StoreName, check_profile, check_profile_name
from ncp_tui.profiles.profiles_file import ProfilesFile

_LONGEST_STEM = 48


@dataclass(frozen=True)
class ImportedProfile:
    """Found keys as a profile that may be saved; the caller puts the secret into the profile's store."""

    profile: Profile
    secret_key: SecretKey
    source: str


def import_profiles(
    identities: Iterable[Identity], book: ProfilesFile, store: StoreName = "keyring"
) -> tuple[ImportedProfile, ...]:
    """The identities found outside the book as profiles to be kept in `store`, under names that are legal and free."""
    taken = [profile.name for profile in book.profiles] + list(book.unreadable)
    imported: list[ImportedProfile] = []
    for identity in identities:
        if identity.secret_key is None:
            continue
        from_environment = identity.kind is SourceKind.ENVIRONMENT
        wanted = "imported" if from_environment else identity.name.removeprefix(CONFIGURE_PREFIX)
        name = free_profile_name(wanted, taken)
        taken.append(name)
        profile = check_profile(replace(identity.profile, name=name, store=store))
        imported.append(ImportedProfile(profile, identity.secret_key, identity.source))
    return tuple(imported)


def same_keys(book: ProfilesFile, wanted: Profile) -> str | None:
    """The name of the profile that has these keys at this place already."""

    def place(profile: Profile) -> tuple[str | None, ...]:
        return (profile.access_key, profile.site, profile.region, profile.gateway_url)

    return next((profile.name for profile in book.profiles if place(profile) == place(wanted)), None)


def free_profile_name(wanted: str, taken: Collection[str]) -> str:
    """A legal profile name like `wanted` that is not among `taken`: `DEFAULT` becomes `default`, then `default-2`."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted)[:_LONGEST_STEM].strip("._-")
    stem = stem.lower() if stem.isupper() else stem
    if not _is_legal(f"{stem}-2"):
        stem = f"profile-{stem}" if stem else "profile"
    used = {name.casefold() for name in taken}
    numbered = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
    return next(name for name in numbered if name.casefold() not in used and _is_legal(name))


def _is_legal(name: str) -> bool:
    try:
        check_profile_name(name)
    except InvalidProfile:
        return False
    return True
