"""The keys that a shell or a pipeline hands over in environment variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.gateway.endpoints import DEFAULT_ZONE, ZONES, zone_of_gateway_url
from ncp_tui.profiles.environment_variables import (
    ACCESS_KEY_VARIABLES,
    GATEWAY_VARIABLE,
    REGION_VARIABLE,
    SECRET_KEY_VARIABLES,
    SERVER_ROLE_NAME,
)
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import ENVIRONMENT_NAME, Profile, check_field, check_settings

if TYPE_CHECKING:  # loaded only by a run that uses it
    from ncp_tui.profiles.server_role import ServerRole


@dataclass(frozen=True)
class EnvironmentKeys:
    """What the environment says. A variable that is empty counts as unset.

    The variables are named so that the source can be shown; None where none of the two is set.
    """

    access_key: str | None
    access_variable: str | None
    secret_key: SecretKey | None
    secret_variable: str | None
    region: str
    gateway_url: str
    warnings: tuple[str, ...]

    @property
    def is_pair(self) -> bool:
        """Whether both halves are there."""
        return self.access_variable is not None and self.secret_variable is not None


def read_environment(environ: Mapping[str, str]) -> EnvironmentKeys:
    """The keys in `environ`. Raises InvalidCredentials for a secret key that no request could carry."""
    access_variable = _first_set(environ, ACCESS_KEY_VARIABLES)
    secret_variable = _first_set(environ, SECRET_KEY_VARIABLES)
    return EnvironmentKeys(
        access_key=environ[access_variable] if access_variable else None,
        access_variable=access_variable,
        secret_key=SecretKey(environ[secret_variable]) if secret_variable else None,
        secret_variable=secret_variable,
        region=environ.get(REGION_VARIABLE, "").strip(),
        gateway_url=environ.get(GATEWAY_VARIABLE, "").strip(),
        warnings=tuple(_warnings(environ, access_variable, secret_variable)),
    )


def environment_identity(keys: EnvironmentKeys) -> Identity | None:
    """The account of `keys`; None unless both halves are there. Raises InvalidProfile for what cannot be used."""
    if keys.access_key is None or keys.secret_key is None:
        return None
    profile = check_settings(_placed(ENVIRONMENT_NAME, keys.access_key, keys.region, keys.gateway_url))
    source = f"environment ({keys.access_variable})"
    return Identity(ENVIRONMENT_NAME, source, SourceKind.ENVIRONMENT, profile, keys.secret_key)


def server_role_identity(environ: Mapping[str, str], role: ServerRole) -> Identity:
    """The account of this server's role, at the place that the environment names; nobody is asked for its keys.

    Raises InvalidProfile or UnsafeMetadataService for what cannot be used.
    """
    role.service()
    region, gateway_url = (environ.get(name, "").strip() for name in (REGION_VARIABLE, GATEWAY_VARIABLE))
    profile = check_settings(_placed(SERVER_ROLE_NAME, "", region, gateway_url), without_key=True)
    return Identity(SERVER_ROLE_NAME, "server role", SourceKind.SERVER_ROLE, profile, role=role)


def _placed(name: str, access_key: str, region: str, gateway_url: str) -> Profile:
    url = check_field("gateway_url", gateway_url)
    return Profile(
        name=name, access_key=access_key, zone=_zone(url, region), region=region, store="session", gateway_url=url
    )


def _zone(gateway_url: str | None, region: str) -> str:
    """The zone of the gateway's host; for a host of one's own or none, the first zone that has the region."""
    of_host = zone_of_gateway_url(gateway_url) if gateway_url else None
    with_region = (zone.name for zone in ZONES.values() if region.upper() in zone.regions)
    return of_host or next(with_region, DEFAULT_ZONE)


def _first_set(environ: Mapping[str, str], variables: Sequence[str]) -> str | None:
    return next((variable for variable in variables if environ.get(variable, "").strip()), None)


def _warnings(environ: Mapping[str, str], access_variable: str | None, secret_variable: str | None) -> Iterator[str]:
    if access_variable and not secret_variable:
        yield f"{access_variable} is set but no {' or '.join(SECRET_KEY_VARIABLES)}: the environment is not used."
    if secret_variable and not access_variable:
        yield f"{secret_variable} is set but no {' or '.join(ACCESS_KEY_VARIABLES)}: the environment is not used."
    for first, second in (ACCESS_KEY_VARIABLES, SECRET_KEY_VARIABLES):
        values = {environ[variable].strip() for variable in (first, second) if environ.get(variable, "").strip()}
        if len(values) > 1:
            yield f"{first} and {second} differ; {first} is used."
