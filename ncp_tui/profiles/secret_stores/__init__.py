"""The places that can keep a secret key, behind one Protocol; nothing of keyring is imported before one is asked."""

from ncp_tui.profiles.secret_stores.backends import Backend, Keyring, keyring_of
from ncp_tui.profiles.secret_stores.base import SecretStore
from ncp_tui.profiles.secret_stores.keyring_store import KeyringStore
from ncp_tui.profiles.secret_stores.problems import (
    CannotStore,
    DamagedSecret,
    KeyringFailed,
    KeyringLocked,
    KeyringSilent,
    NoKeyring,
    NoSecret,
    OtherAccessKey,
    SecretStoreProblem,
)
from ncp_tui.profiles.secret_stores.session_store import SessionStore

__all__ = [
    "Backend",
    "CannotStore",
    "DamagedSecret",
    "Keyring",
    "KeyringFailed",
    "KeyringLocked",
    "KeyringSilent",
    "KeyringStore",
    "NoKeyring",
    "NoSecret",
    "OtherAccessKey",
    "SecretStore",
    "SecretStoreProblem",
    "SessionStore",
    "keyring_of",
]
