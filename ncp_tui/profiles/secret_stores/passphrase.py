"""A passphrase and the key derived from it, in a wrapping that cannot be printed by accident."""

from __future__ import annotations

import hmac
import unicodedata
from typing import NoReturn

from ncp_tui.profiles.secret_stores.problems import InvalidPassphrase

LEAST_CHARACTERS = 12
"""Whoever gets the file can try passphrases for as long as they like, 0.4 s each. A hundred cores try all of eight
letters in 26 years and all of twelve in twelve million; nobody chooses at random, so the margin is needed."""

_MASK = "Masked(****)"
_NEVER_TYPED = frozenset({"Cc", "Cs"})


class Masked:
    """Bytes that no repr, format, pickle or comparison in variable time gives away."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes themselves: for the key derivation and the cipher, nobody else."""
        return self._value

    def __repr__(self) -> str:
        return _MASK

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return format(_MASK, format_spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Masked):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(Masked)  # a hash of the value would tell something about it

    def __reduce__(self) -> NoReturn:
        raise TypeError("a masked value is not pickled")


class Passphrase:
    """A passphrase as it was meant: one line in Unicode's composed form (NFC), without the white space around it.

    The same Korean word reaches a program composed from one keyboard and decomposed from another. Raises
    InvalidPassphrase, which holds nothing of it, for an empty one and for control characters.
    """

    __slots__ = ("characters", "masked")

    def __init__(self, typed: str) -> None:
        text = unicodedata.normalize("NFC", typed).strip()
        if not text or any(unicodedata.category(character) in _NEVER_TYPED for character in text):
            raise InvalidPassphrase(
                "A passphrase is one line of visible characters.", "Nothing was changed.", "Type it again."
            )
        self.characters = len(text)
        self.masked = Masked(text.encode())

    def __repr__(self) -> str:
        return "Passphrase(****)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a passphrase is not pickled")

    def check_new(self) -> None:
        """Refuse what is too short to protect a new file. Raises InvalidPassphrase."""
        if self.characters < LEAST_CHARACTERS:
            raise InvalidPassphrase(
                f"A new passphrase has at least {LEAST_CHARACTERS} characters; this one has {self.characters}.",
                "Whoever gets hold of the file can try short ones until one fits. Nothing was changed.",
                "Take several words in a row; no signs or digits are needed.",
            )

    def check_same(self, again: Passphrase) -> None:
        """Refuse a second typing that differs. Raises InvalidPassphrase."""
        if self.masked != again.masked:
            raise InvalidPassphrase("The two passphrases differ.", "Nothing was changed.", "Type both again.")
