"""Who may call the sandbox: made-up key pairs, and what each of them may see and change."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Literal

ACCESS_KEY_LENGTH = 20
SECRET_KEY_LENGTH = 40
_PREFIX = "SANDBOX"

Role = Literal["manager", "viewer"]


@dataclass(frozen=True)
class Account:
    """One key pair. A `manager` may do everything; a `viewer` changes nothing and has some clusters hidden from it."""

    access_key: str
    secret_key: str = field(repr=False)
    role: Role = "manager"

    @property
    def may_write(self) -> bool:
        """Whether operations with an effect are open to it; otherwise they answer 401/210."""
        return self.role == "manager"


def made_up_account(role: Role = "manager", access_key: str | None = None, secret_key: str | None = None) -> Account:
    """A key pair of no real account; the access key begins with `SANDBOX`. Parts that are given are kept."""
    return Account(access_key or _access_key(), secret_key or _secret_key(), role)


def _access_key() -> str:
    return _PREFIX + _random(string.ascii_uppercase + string.digits, ACCESS_KEY_LENGTH - len(_PREFIX))


def _secret_key() -> str:
    return _random(string.ascii_letters + string.digits, SECRET_KEY_LENGTH)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
