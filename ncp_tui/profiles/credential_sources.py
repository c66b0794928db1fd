"""Which keys are used: every profile and pair of keys there is, and the one order in which one is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ncp_tui.gateway.credentials import Credentials, KeySource
from ncp_tui.gateway.endpoints import DEFAULT_SITE, SITES, site_of_gateway_url
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.environment import (
    PROFILE_VARIABLE,
    REGION_VARIABLE,
    SERVER_ROLE_VARIABLE,
    SITE_VARIABLE,
    environment_identity,
    read_environment,
    server_role_identity,
    site_named,
    wants_server_role,
)
from ncp_tui.profiles.identity import CONFIGURE_PREFIX, Identities, Identity, SourceKind, same_name
from ncp_tui.profiles.ncloud_configure import DEFAULT_SECTION, SHORT_PATH, ConfigureSection, NcloudConfigure
from ncp_tui.profiles.profile import (
    ENVIRONMENT_NAME,
    SERVER_ROLE_NAME,
    Profile,
    StoreName,
    check_field,
    check_settings,
    first_region,
)
from ncp_tui.profiles.profiles_file import ProfilesFile
from ncp_tui.profiles.secret_stores.catalogue import STORES
from ncp_tui.profiles.secret_stores.errors import NoSecret
from ncp_tui.profiles.secret_stores.protocol import SecretStore

if TYPE_CHECKING:  # loaded only by a run that uses it
    from ncp_tui.profiles.server_role import ServerRole


class NoCredentials(Problem):
    """No profile to use: no keys were found, or those of the profile that was named cannot be used."""

    kind = "no_credentials"


class RoleNotWanted(NoCredentials):
    """The server role was named by something else than the user of this run, as the journal of an earlier one."""

    kind = "role_not_wanted"

    def __init__(self) -> None:
        super().__init__(
            "The server role is used only on request.",
            "The metadata service was not asked, and no other keys were tried.",
            f"Start ncp-tui with the profile {SERVER_ROLE_NAME}, or set {SERVER_ROLE_VARIABLE}=1.",
        )


def available_identities(
    environ: Mapping[str, str], book: ProfilesFile, configure: NcloudConfigure, role: ServerRole | None = None
) -> Identities:
    """Every profile and every pair of keys that can be used, `role` only where it is given.

    Reads nothing but its arguments and the file that a service was given, asks no secret store and no metadata service.
    """
    finding = _Collector()
    finding.add(ENVIRONMENT_NAME, lambda: _from_environment(environ, finding.warnings))
    finding.warnings += book.warnings
    finding.identities += [_from_profile(profile) for profile in book.profiles]
    finding.warnings += configure.warnings
    for section in configure.sections:
        finding.add_section(section, environ)
    if role is not None:
        finding.add(SERVER_ROLE_NAME, lambda: server_role_identity(environ, role))
    return Identities(tuple(finding.identities), finding.refused, tuple(finding.warnings))


def choose_identity(
    environ: Mapping[str, str],
    book: ProfilesFile,
    configure: NcloudConfigure,
    name: str | None = None,
    role: ServerRole | None = None,
) -> Identity:
    """Which profile to use: `name`, else `NCP_TUI_PROFILE`, the environment, the default profile.

    Then `[DEFAULT]` of configure, and last `role`, where the environment wants it. A profile that is named is used or
    refused; other keys are never used in its place. Nor are they for keys in the environment that cannot be used, or
    a default profile that cannot be read. Raises NoCredentials.
    """
    found = available_identities(environ, book, configure, role)
    wanted = name or environ.get(PROFILE_VARIABLE, "").strip()
    if wanted:
        return _named(found, book, wanted)
    if ENVIRONMENT_NAME in found.refused or found.find(ENVIRONMENT_NAME):
        return _named(found, book, ENVIRONMENT_NAME)
    if book.default is not None:
        return _named(found, book, book.default)
    if book.damaged:
        raise NoCredentials(
            "The default profile is unknown: the profiles file is damaged.",
            " ".join(book.warnings),
            "Name a profile, or repair the file.",
        )
    section = configure.find(DEFAULT_SECTION)
    if section is not None:
        return _named(found, book, CONFIGURE_PREFIX + section.name)
    if role is not None and wants_server_role(environ):  # not where it was only named for something else
        return _named(found, book, SERVER_ROLE_NAME)
    raise _nothing_found(found)


async def key_source_for(identity: Identity, stores: Mapping[StoreName, SecretStore]) -> KeySource:
    """What signs for `identity`: a pair that stays, or the server role that has just given one.

    Raises NoSecret, the Problem of its store, or KeysUnavailable.
    """
    profile = identity.profile
    if identity.role is not None:
        await identity.role.current()
        return identity.role
    if identity.secret_key is not None:
        return Credentials(profile.access_key, identity.secret_key)
    store = stores.get(profile.store)
    secret_key = await store.load(profile) if store is not None else None
    if secret_key is None:
        where = store.describe() if store is not None else STORES[profile.store].label
        raise NoSecret(
            f"Profile {profile.name} has no secret key in: {where}.",
            "Nothing was sent.",
            "Edit the profile and enter its secret key again.",
        )
    return Credentials(profile.access_key, secret_key)


class _Collector:
    """Identities as they are found, with the reason beside each that cannot be used."""

    def __init__(self) -> None:
        self.identities: list[Identity] = []
        self.refused: dict[str, Problem] = {}
        self.warnings: list[str] = []

    def add(self, name: str, make: Callable[[], Identity | None]) -> None:
        try:
            identity = make()
        except Problem as problem:
            self.refused[name] = problem
            self.warnings.append(f"The keys of {name} cannot be used: {problem.what}")
        else:
            self.identities += [identity] if identity is not None else []

    def add_section(self, section: ConfigureSection, environ: Mapping[str, str]) -> None:
        self.add(CONFIGURE_PREFIX + section.name, lambda: _from_configure(section, environ, self.warnings))


def _from_environment(environ: Mapping[str, str], warnings: list[str]) -> Identity | None:
    keys = read_environment(environ)
    warnings += keys.warnings
    return environment_identity(keys)


def _from_profile(profile: Profile) -> Identity:
    return Identity(profile.name, STORES[profile.store].label, SourceKind.PROFILE, profile)


def _from_configure(section: ConfigureSection, environ: Mapping[str, str], warnings: list[str]) -> Identity:
    name = CONFIGURE_PREFIX + section.name
    gateway_url = check_field("gateway_url", section.gateway_url)
    of_host = site_of_gateway_url(gateway_url) if gateway_url else None
    named = site_named(environ.get(SITE_VARIABLE, "").strip())
    if of_host and named and of_host != named:
        warnings.append(
            f"{name} uses site {of_host}, the site of its gateway URL; {SITE_VARIABLE} ({named}) is ignored."
        )
    site = of_host or named or DEFAULT_SITE
    # The file has no region. What is exported for other tools may be meant for another site.
    region = environ.get(REGION_VARIABLE, "").strip().upper()
    if region and region not in SITES[site].regions:
        warnings.append(
            f"{name} uses region {first_region(site)}: {REGION_VARIABLE} ({region!a}) is not a region of site {site}."
        )
        region = ""
    profile = Profile(
        name=name, access_key=section.access_key, site=site, region=region, store="session", gateway_url=gateway_url
    )
    source = f"{SHORT_PATH} [{section.name}]"
    return Identity(name, source, SourceKind.NCLOUD_CONFIGURE, check_settings(profile), section.secret_key)


def _named(found: Identities, book: ProfilesFile, name: str) -> Identity:
    identity = found.find(name)
    if identity is not None:
        return identity
    refused = next((problem for one, problem in found.refused.items() if same_name(one, name)), None)
    if refused is not None:
        raise NoCredentials(
            f"The keys of {name!a} cannot be used: {refused.what}", "No other keys were tried.", refused.next_step
        )
    if book.find_unreadable(name):
        raise NoCredentials(
            f"Profile {name!a} cannot be read.", " ".join(book.warnings), "Correct it in the profiles file."
        )
    if same_name(name, SERVER_ROLE_NAME):
        raise RoleNotWanted
    names = ", ".join(one.name for one in found.identities)
    raise NoCredentials(
        f"There is no profile {name!a}.",
        " ".join(("No other keys were tried.", *book.warnings)),
        f"Available: {names}." if names else "Add it first.",
    )


def _nothing_found(found: Identities) -> NoCredentials:
    names = [identity.name for identity in found.identities]
    step = f"Available: {', '.join(names)}." if names else ""
    action = NextAction("profile.choose" if names else "profile.add")
    return NoCredentials("No profile or keys found.", " ".join(found.warnings), step, action)
