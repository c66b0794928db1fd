"""The keys that a shell or a pipeline hands over in environment variables, and how they are taken out of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from ncp_tui.gateway.credentials import InvalidCredentials, SecretKey, check_access_key
from ncp_tui.gateway.endpoints import DEFAULT_SITE, SITES, site_of_gateway_url
from ncp_tui.profiles.credential_file import SHOWN_CREDENTIAL, has_credential, read_credential
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import (
    ENVIRONMENT_NAME,
    SERVER_ROLE_NAME,
    InvalidProfile,
    Profile,
    check_field,
    check_settings,
)

if TYPE_CHECKING:  # loaded only by a run that uses it
    from ncp_tui.profiles.server_role import ServerRole


T = TypeVar("T")

# Both spellings of each, in the order of the official Go SDK; Terraform's provider knows the second only.
ACCESS_KEY_VARIABLES = ("NCLOUD_ACCESS_KEY_ID", "NCLOUD_ACCESS_KEY")
SECRET_KEY_VARIABLES = ("NCLOUD_SECRET_ACCESS_KEY", "NCLOUD_SECRET_KEY")
PROFILE_VARIABLE = "NCP_TUI_PROFILE"
SERVER_ROLE_VARIABLE = "NCP_TUI_SERVER_ROLE"
SITE_VARIABLE = "NCLOUD_SITE"  # as Terraform's provider reads it
REGION_VARIABLE = "NCLOUD_REGION"
GATEWAY_VARIABLE = "NCLOUD_API_GW"


@dataclass(frozen=True)
class EnvironmentKeys:
    """What the environment says. A variable that is empty counts as unset.

    The variables, or the file in the place of one, are named so that the source can be shown; None where none of them
    is set.
    """

    access_key: str | None
    access_variable: str | None
    secret_key: SecretKey | None
    secret_variable: str | None
    site: str
    region: str
    gateway_url: str
    warnings: tuple[str, ...]


def read_environment(environ: Mapping[str, str]) -> EnvironmentKeys:
    """The keys in `environ`, the secret one else in the file that a service was given. Blocks on the disk for that.

    Raises InvalidCredentials for a key that no request could carry, naming its variable.
    """
    access_variable = _first_set(environ, ACCESS_KEY_VARIABLES)
    secret_variable = _first_set(environ, SECRET_KEY_VARIABLES)
    secret_key = _named(secret_variable, SecretKey, environ) if secret_variable else None
    if access_variable and secret_key is None and (secret_key := read_credential(environ)):
        secret_variable = SHOWN_CREDENTIAL
    return EnvironmentKeys(
        access_key=_named(access_variable, check_access_key, environ) if access_variable else None,
        access_variable=access_variable,
        secret_key=secret_key,
        secret_variable=secret_variable,
        site=environ.get(SITE_VARIABLE, "").strip(),
        region=environ.get(REGION_VARIABLE, "").strip(),
        gateway_url=environ.get(GATEWAY_VARIABLE, "").strip(),
        warnings=tuple(_warnings(environ, access_variable, secret_variable)),
    )


def _named(variable: str, check: Callable[[str], T], environ: Mapping[str, str]) -> T:
    try:
        return check(environ[variable])
    except InvalidCredentials as problem:
        problem.what = f"{variable}: {problem.what}"
        raise


def environment_identity(keys: EnvironmentKeys) -> Identity | None:
    """The account of `keys`; None unless both halves are there. Raises InvalidProfile for what cannot be used."""
    if keys.access_key is None or keys.secret_key is None:
        return None
    profile = check_settings(_placed(ENVIRONMENT_NAME, keys.access_key, keys.site, keys.region, keys.gateway_url))
    beside = f" with {SHOWN_CREDENTIAL}" if keys.secret_variable == SHOWN_CREDENTIAL else ""
    source = f"environment ({keys.access_variable}){beside}"
    return Identity(ENVIRONMENT_NAME, source, SourceKind.ENVIRONMENT, profile, keys.secret_key)


def server_role_identity(environ: Mapping[str, str], role: ServerRole) -> Identity:
    """The account of this server's role, at the site and region of the environment; its keys are not fetched.

    Raises InvalidProfile or UnsafeMetadataService for what cannot be used.
    """
    role.service()
    place = (environ.get(name, "").strip() for name in (SITE_VARIABLE, REGION_VARIABLE, GATEWAY_VARIABLE))
    profile = check_settings(_placed(SERVER_ROLE_NAME, "", *place), without_key=True)
    return Identity(SERVER_ROLE_NAME, "server role", SourceKind.SERVER_ROLE, profile, role=role)


def _placed(name: str, access_key: str, site: str, region: str, gateway_url: str) -> Profile:
    url = check_field("gateway_url", gateway_url)
    chosen = _site_for(site, url, region)
    return Profile(name=name, access_key=access_key, site=chosen, region=region, store="session", gateway_url=url)


def _site_for(site: str, gateway_url: str | None, region: str) -> str:
    """The site that is named; else that of the gateway's host, else the first that has the region.

    Raises InvalidProfile where two of them name different sites: the keys of one are never sent to another.
    """
    named = site_named(site)
    of_host = site_of_gateway_url(gateway_url) if gateway_url else None
    if named and of_host and named != of_host:
        raise InvalidProfile(
            f"{SITE_VARIABLE} is {named}, but {GATEWAY_VARIABLE} is a gateway of site {of_host}.",
            "Nothing was sent.",
            "Unset one of them.",
            field="site",
        )
    with_region = (each.name for each in SITES.values() if region.upper() in each.regions)
    return named or of_host or next(with_region, DEFAULT_SITE)


def site_named(site: str) -> str | None:
    """The site that the value of NCLOUD_SITE names, in any case; None where it is empty. Raises InvalidProfile."""
    if site and site.lower() not in SITES:
        raise InvalidProfile(
            f"{SITE_VARIABLE} is {site!a:.40}, which is not an NCP site.",
            "Nothing was sent: keys are only sent to their own site.",
            f"Set it to one of {', '.join(SITES)}, or unset it.",
            field="site",
        )
    return site.lower() or None


def _first_set(environ: Mapping[str, str], variables: Sequence[str]) -> str | None:
    return next((variable for variable in variables if environ.get(variable, "").strip()), None)


def _warnings(environ: Mapping[str, str], access_variable: str | None, secret_variable: str | None) -> Iterator[str]:
    if access_variable and not secret_variable:
        yield f"{access_variable} is set but no {' or '.join(SECRET_KEY_VARIABLES)}: the environment is not used."
    given = SHOWN_CREDENTIAL if has_credential(environ) else None
    if not access_variable and (secret := secret_variable or given):
        yield f"{secret} is set but no {' or '.join(ACCESS_KEY_VARIABLES)}: the environment is not used."
    for first, second in (ACCESS_KEY_VARIABLES, SECRET_KEY_VARIABLES):
        values = {environ[variable].strip() for variable in (first, second) if environ.get(variable, "").strip()}
        if len(values) > 1:
            yield f"{first} and {second} differ; {first} is used."


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
