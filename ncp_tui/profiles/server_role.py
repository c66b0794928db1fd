"""The temporary keys that a server's role gives it: fetched when first needed, and anew before they expire.

They are fetched only in a run whose user said so, see `wants_server_role`; no other run loads this module.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ncp_tui.gateway.credentials import Credentials, InvalidCredentials, SecretKey, mask_access_key
from ncp_tui.gateway.errors import KeysUnavailable
from ncp_tui.gateway.exchange import MASKED
from ncp_tui.gateway.metadata_service import (
    METADATA_SERVICE,
    BadMetadata,
    RoleAnswer,
    ask_for_role,
    check_metadata_service,
)
from ncp_tui.text import clean

# The first is the official Go SDK's, the second the Python SDK's.
SERVICE_VARIABLES = ("NCLOUD_METADATA_API_ENDPOINT", "NCLOUD_METADATA_ENDPOINT")

RENEW_BEFORE = 15 * 60.0
"""Seconds before the keys expire from which new ones are fetched, as the official Python SDK does."""

ASK_AGAIN_AFTER = 60.0
"""Seconds after which a renewal is tried again while the old keys are still good: a service that hangs must not cost
every request its three seconds, and one that still hands out the old keys need not be asked each time."""

_LONGEST_CODE, _LONGEST_MESSAGE = 40, 200


@dataclass(frozen=True)
class _Held:
    """Keys, and when they end: by the clock on the wall, and by one that is never set and may stand still."""

    credentials: Credentials
    ends: float
    ends_monotonic: float


class ServerRole:
    """The source of the keys of this server's role. It holds them in memory, and sends nothing until `current`."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask the metadata service that `environ` names, or the one of every server."""
        self.name = ""
        """What NCP calls the role; empty until the first answer."""
        self.issued: list[Credentials] = []
        """Every pair this run has had from it, oldest first."""
        self._environ = environ
        self._clock = clock
        self._monotonic = monotonic
        self._held: _Held | None = None
        self._asked_at: float | None = None
        self._listeners: list[Callable[[SecretKey], None]] = []
        self._asking = asyncio.Lock()

    @property
    def masked(self) -> str:
        """The newest access key id with its middle hidden; all of it before there is one."""
        return mask_access_key(self.issued[-1].access_key) if self.issued else MASKED

    def subscribe(self, listener: Callable[[SecretKey], None]) -> None:
        """Tell `listener` each secret key that comes, so that whatever is written down can leave it out."""
        self._listeners.append(listener)

    def service(self) -> str:
        """The base URL of the metadata service. Raises UnsafeMetadataService; nothing is asked."""
        variable = next((name for name in SERVICE_VARIABLES if self._environ.get(name, "").strip()), None)
        return check_metadata_service(self._environ[variable], variable) if variable else METADATA_SERVICE

    async def current(self) -> Credentials:
        """Keys that are good now. While the last ones are, a renewal that fails is no failure.

        Raises UnsafeMetadataService, NotOnServer, NoServerRole, MetadataSilent or BadMetadata.
        """
        held = self._good()
        if held is None:
            async with self._asking:
                held = self._good() or await self._renewed()  # still: somebody else may have asked meanwhile
        return held.credentials

    def _good(self) -> _Held | None:
        """The keys that are held, unless it is time to ask for others."""
        held = self._held
        left = self._left(held)
        if left > RENEW_BEFORE:
            return held
        has_just_asked = self._asked_at is not None and self._monotonic() - self._asked_at < ASK_AGAIN_AFTER
        return held if left > 0 and has_just_asked else None

    def _left(self, held: _Held | None) -> float:
        """Seconds until the keys expire, by the clock that says the least."""
        return min(held.ends - self._clock(), held.ends_monotonic - self._monotonic()) if held else 0.0

    async def _renewed(self) -> _Held:
        self._asked_at, held = self._monotonic(), self._held
        try:
            answer = await ask_for_role(self.service(), self._clock, self._monotonic)
            taken = self._taken(answer)
        except KeysUnavailable:
            if held is not None and self._left(held) > 0:
                return held
            raise
        self.name, self._held = answer.role, taken
        if taken.credentials not in self.issued:
            self._tell(taken.credentials)
        return taken

    def _tell(self, credentials: Credentials) -> None:
        self.issued.append(credentials)
        for listener in self._listeners:
            listener(credentials.secret_key)

    def _taken(self, answer: RoleAnswer) -> _Held:
        credentials, expires = read_keys(answer.text)
        # By the service's own clock, where it tells the time: with this machine's, which may be hours off, keys that
        # are good would look expired, and expired ones good.
        offset = answer.clock_offset.seconds if answer.clock_offset else 0.0
        left = expires.timestamp() - offset - self._clock()
        if left <= 0:
            raise BadMetadata("its keys have expired")
        return _Held(credentials, self._clock() + left, self._monotonic() + left)


def read_keys(text: str) -> tuple[Credentials, datetime]:
    """The pair in an answer of the metadata service, and when it expires. Raises BadMetadata, never quoting a key."""
    fields = _fields(text)
    code = str(fields.get("code") or "Success")
    if code.lower() != "success":
        raise BadMetadata(_refusal(code, fields))
    missing = [name for name in ("AccessKeyId", "SecretAccessKey", "Expiration") if not _text(fields, name)]
    if missing:
        raise BadMetadata(f"it has no {' and no '.join(missing)}")
    try:
        credentials = Credentials(_text(fields, "AccessKeyId"), SecretKey(_text(fields, "SecretAccessKey")))
    except InvalidCredentials:
        raise BadMetadata("no request could carry its keys") from None
    try:
        expires = datetime.fromisoformat(_text(fields, "Expiration"))
    except ValueError:
        raise BadMetadata("its Expiration is not a time") from None
    return credentials, expires if expires.tzinfo else expires.replace(tzinfo=UTC)


def _fields(text: str) -> Mapping[str, Any]:
    """The members of the object, by their names in lower case."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # its text quotes what could not be read
        raise BadMetadata("it is not JSON") from None
    if not isinstance(document, dict):
        raise BadMetadata("it is not a JSON object")
    return {name.lower(): value for name, value in document.items()}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name.lower())
    return value.strip() if isinstance(value, str) else ""


def _refusal(code: str, fields: Mapping[str, Any]) -> str:
    secret, message = _text(fields, "SecretAccessKey"), _text(fields, "Message")
    said = f"it says {clean(code, _LONGEST_CODE)}"
    if not message:
        return said
    return f"{said}: {clean(message.replace(secret, MASKED) if secret else message, _LONGEST_MESSAGE).rstrip('.')}"
