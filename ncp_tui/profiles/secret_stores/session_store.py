"""Secret keys for as long as the program runs: not stored, which is not the same as erased from memory."""

from __future__ import annotations

import dataclasses

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile, StoreName
from ncp_tui.profiles.secret_stores.protocol import decode, encode


class SessionStore:
    """A SecretStore in this process's memory."""

    name: StoreName = "session"

    def __init__(self) -> None:
        # The same document as everywhere, in a SecretKey: the crash report of a Textual app prints dictionaries.
        self._documents: dict[str, SecretKey] = {}

    def describe(self) -> str:
        """Where the keys are, in plain words."""
        return "this session only"

    async def check(self) -> None:
        """Memory works everywhere."""

    async def load(self, profile: Profile) -> SecretKey | None:
        """The secret key of `profile`; None when there is none. Raises OtherAccessKey for another access key's."""
        document = self._documents.get(profile.name.casefold())
        return None if document is None else decode(profile, document.reveal())

    async def save(self, profile: Profile, secret_key: SecretKey) -> None:
        """Keep `secret_key` for `profile` until the program ends."""
        self._documents[profile.name.casefold()] = SecretKey(encode(profile, secret_key))

    async def delete(self, profile: Profile) -> None:
        """Forget the secret key of `profile`."""
        self._documents.pop(profile.name.casefold(), None)

    async def rename(self, old: Profile, new: Profile) -> None:
        """Move the secret key of `old` to `new`."""
        secret_key = await self.load(old)
        if secret_key is not None:
            del self._documents[old.name.casefold()]
            await self.save(dataclasses.replace(new, access_key=old.access_key), secret_key)
