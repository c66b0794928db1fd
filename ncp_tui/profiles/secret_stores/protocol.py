"""What a secret store is, and the one document it keeps for each profile.

A new store takes:

- its name, in `profile.StoreName`: the word in the profiles file and of `--store`;
- a module here with a class like SecretStore. What fails is a problem of `errors`. A store that its user has to open
  raises a StoreLocked of its own, with what opens it; how the user is asked stands in `tui.dialogs.unlock` and
  `cli.prompts`, and `workspace.ask_store` does the rest;
- its label, words and making, in `catalogue.STORES`: from there it is proposed, listed and chosen on the screen;
- a word in the help of `--store` (`cli.profile`) and in the pages `keys` and `files` of the guide.
"""

from __future__ import annotations

import json
from typing import Protocol

from ncp_tui.gateway.credentials import InvalidCredentials, SecretKey, mask_access_key
from ncp_tui.profiles.profile import Profile, StoreName
from ncp_tui.profiles.secret_stores.errors import DamagedSecret, OtherAccessKey

SILENT_SECONDS = 3.0
"""How long one silent operation (a read, say) may take in all; gh waits as long. A healthy read takes 16 ms."""

WINDOW_SECONDS = 60.0
"""How long an operation may take where a window of the system may ask the user, who has to find it first."""

DOCUMENT_VERSION = 1

USER_NAME = "credentials"
"""The user name of every item, in the words of the keyring package."""

_SERVICE_PREFIX = "ncp-tui:"


class SecretStore(Protocol):
    """A place that keeps one secret key for each profile, under the profile's name.

    Every method that asks the place raises a SecretStoreProblem when it cannot, within a bounded time.
    """

    @property
    def name(self) -> StoreName:
        """The word by which a profile names this store."""
        ...

    def describe(self) -> str:
        """Where the keys are, in plain words."""
        ...

    async def check(self) -> None:
        """Raise why no key could be kept here, as far as that can be known beforehand; nothing is changed."""
        ...

    async def load(self, profile: Profile) -> SecretKey | None:
        """The secret key of `profile`; None when there is none. Raises OtherAccessKey for another access key's."""
        ...

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        """Keep `secret_key` for `profile`, in the place of an older one, and read it back: returning is the proof."""
        ...

    async def delete(self, profile: Profile) -> None:
        """Forget the secret key of `profile`. It is no error that there is none."""
        ...

    async def rename(self, old: Profile, new: Profile) -> None:
        """Move the secret key of `old` to `new`. It is no error that there is none."""
        ...


def service_of(profile: Profile) -> str:
    """The service name of the item of a profile, in the words of the keyring package."""
    return _SERVICE_PREFIX + profile.name


def encode(profile: Profile, secret_key: SecretKey) -> str:
    """The document of a profile: both halves in one, so that no crash leaves a pair that does not belong together."""
    document = {"v": DOCUMENT_VERSION, "ak": profile.access_key, "sk": secret_key.reveal()}
    return json.dumps(document, separators=(",", ":"))


def decode(profile: Profile, text: str) -> SecretKey:
    """The secret key in a stored document. Raises DamagedSecret or OtherAccessKey, which show nothing of it."""
    parts = _parts(text)
    del text  # a crash report prints the local variables of every frame
    if parts is None:
        raise DamagedSecret(
            f"What is stored for profile {profile.name} cannot be read.",
            "Another program changed it, or a newer ncp-tui wrote it.",
            "Edit the profile and enter its secret key again.",
        )
    access_key, secret_key = parts
    if access_key != profile.access_key:
        raise OtherAccessKey(
            f"The stored secret key belongs to another access key ({mask_access_key(access_key)}) than profile "
            f"{profile.name} has ({profile.masked_access_key}).",
            "It was not used: NCP would refuse every request.",
            "Edit the profile and enter the secret key of this access key.",
        )
    return secret_key


def _parts(text: str) -> tuple[str, SecretKey] | None:
    try:
        document = json.loads(text)
        if document["v"] == DOCUMENT_VERSION and isinstance(document["ak"], str):
            return document["ak"], SecretKey(document["sk"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidCredentials):
        pass
    return None
