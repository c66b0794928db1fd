"""Who signs: an access key id that may be shown masked, and a secret key that is never shown at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from ncp_tui.problem import Problem
from ncp_tui.system.secret_value import SecretValue

_SHOWN_AT_EACH_END = 4


class InvalidCredentials(Problem):
    """An access key or a secret key that no request could carry."""

    kind = "invalid_credentials"


_QUOTES = "\"'`“”„‘’«»"
# Letters alone before the sign: a key has digits too, and may hold or end in "=".
_NAMED = re.compile(r"(?:export\s+)?[a-z_]*(?:key|secret|ncloud)[a-z_]*\s*(?:=|:\s)\s*\S", re.IGNORECASE)
_BYTE_ORDER_MARK = "\ufeff"


def check_as_pasted(what: str, value: str) -> str:
    """`value`, a key, without the white space around it and a byte order mark before it.

    Raises InvalidCredentials that says which of the usual accidents happened to it on its way: quotes kept by
    `docker --env-file`, a comment or a blank inside, `NAME=` before it. No key of NCP has any of them, and the gateway
    would only say that a signature is wrong. `what` is its name in a sentence; no part of the value is repeated.
    """
    value = value.strip().removeprefix(_BYTE_ORDER_MARK).strip()
    mistake, mend = "", ""
    if _NAMED.match(value):
        mistake, mend = "has a name before it (NAME=value)", "Give the value alone."
    elif value and (value[0] in _QUOTES or value[-1] in _QUOTES):
        mistake, mend = "is in quotes", "Remove the quotes: here they would be part of the key."
    elif re.search(r"\s#", value):
        mistake, mend = "has a comment after it", "Remove the comment: here it would be part of the key."
    elif re.search(r"\s", value):
        mistake, mend = "contains a blank or a line break", "Copy it again: a key is one word."
    if mistake:
        raise InvalidCredentials(f"{what} {mistake}.", "Nothing was stored or sent.", mend)
    return value


class SecretKey(SecretValue[str]):
    """A secret key: masked wherever it is shown, and checked for what happens to keys on their way here."""

    __slots__ = ()

    def __init__(self, value: str) -> None:
        """Keep `value`; white space around it is a pasting accident and is removed.

        Raises InvalidCredentials for other accidents (`check_as_pasted`), and when nothing is left or something
        invisible is inside: a control character, a zero-width space, or half of a surrogate pair, which could not be
        signed with. Its text never holds the value.
        """
        value = check_as_pasted("The secret key", value)
        if not value.isprintable() or not value:
            raise InvalidCredentials(
                "The secret key is empty or contains an invisible character.",
                "Nothing was stored or sent.",
                "Copy it again from the NCP console: My Account > Manage Auth Key.",
            )
        super().__init__(value)


@dataclass(frozen=True)
class Credentials:
    """The pair that signs a request. An access key id is not secret but is shown masked all the same."""

    access_key: str
    secret_key: SecretKey

    def __post_init__(self) -> None:
        object.__setattr__(self, "access_key", check_access_key(self.access_key))

    @property
    def masked(self) -> str:
        """The access key id with its middle hidden."""
        return mask_access_key(self.access_key)

    async def current(self) -> Credentials:
        """Themselves: they are good until somebody revokes them."""
        return self


class KeySource(Protocol):
    """Where the pair comes from that signs a request. Credentials are their own; those of a server role change."""

    @property
    def masked(self) -> str:
        """The newest access key id with its middle hidden."""

    async def current(self) -> Credentials:
        """The pair to sign with now. Raises KeysUnavailable."""


def check_access_key(access_key: str) -> str:
    """Return `access_key` without the white space around it.

    Raises InvalidCredentials for anything that cannot stand in a header: it is sent as `x-ncp-iam-access-key`, and it
    is one line of the string to sign, so a line feed in it would move the lines.
    """
    access_key = check_as_pasted("The access key ID", access_key)
    if not access_key or not access_key.isascii() or not access_key.isprintable() or " " in access_key:
        raise InvalidCredentials(
            "The access key ID must be visible ASCII characters without spaces.",
            "Nothing was stored or sent.",
            "Copy it again from the NCP console: My Account > Manage Auth Key.",
        )
    return access_key


def mask_access_key(access_key: str) -> str:
    """Hide the middle: `AKID1234567890ABCD9Z` becomes `AKID…CD9Z`; a key too short for that is hidden whole."""
    if len(access_key) < 3 * _SHOWN_AT_EACH_END:
        return "****"
    return f"{access_key[:_SHOWN_AT_EACH_END]}…{access_key[-_SHOWN_AT_EACH_END:]}"
