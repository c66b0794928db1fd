"""The places that can keep a secret key, behind one Protocol; nothing of keyring is imported before one is asked."""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.profiles.secret_stores.backends import Backend, Keyring, keyring_of
    from ncp_tui.profiles.secret_stores.base import SecretStore, service_of
    from ncp_tui.profiles.secret_stores.file_store import FileStore
    from ncp_tui.profiles.secret_stores.keyring_store import KeyringStore
    from ncp_tui.profiles.secret_stores.opening import PASSPHRASE_VARIABLE, Opener, PassphraseNeeded
    from ncp_tui.profiles.secret_stores.passphrase import LEAST_CHARACTERS, Passphrase
    from ncp_tui.profiles.secret_stores.problems import (
        CannotStore,
        DamagedSecret,
        InvalidPassphrase,
        KeyFileFailed,
        KeyFileSilent,
        KeyringFailed,
        KeyringLocked,
        KeyringSilent,
        NoKeyring,
        NoSecret,
        OtherAccessKey,
        SecretStoreProblem,
        Unlocker,
        UnsafeKeyFile,
        WrongPassphrase,
    )
    from ncp_tui.profiles.secret_stores.session_store import SessionStore
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "backends": "Backend Keyring keyring_of",
            "base": "SecretStore service_of",
            "file_store": "FileStore",
            "keyring_store": "KeyringStore",
            "opening": "PASSPHRASE_VARIABLE Opener PassphraseNeeded",
            "passphrase": "LEAST_CHARACTERS Passphrase",
            "problems": "CannotStore DamagedSecret InvalidPassphrase KeyFileFailed KeyFileSilent "
            "KeyringFailed KeyringLocked KeyringSilent NoKeyring NoSecret OtherAccessKey "
            "SecretStoreProblem Unlocker UnsafeKeyFile WrongPassphrase",
            "session_store": "SessionStore",
        },
    )

__all__ = [
    "LEAST_CHARACTERS",
    "PASSPHRASE_VARIABLE",
    "Backend",
    "CannotStore",
    "DamagedSecret",
    "FileStore",
    "InvalidPassphrase",
    "KeyFileFailed",
    "KeyFileSilent",
    "Keyring",
    "KeyringFailed",
    "KeyringLocked",
    "KeyringSilent",
    "KeyringStore",
    "NoKeyring",
    "NoSecret",
    "Opener",
    "OtherAccessKey",
    "Passphrase",
    "PassphraseNeeded",
    "SecretStore",
    "SecretStoreProblem",
    "SessionStore",
    "Unlocker",
    "UnsafeKeyFile",
    "WrongPassphrase",
    "keyring_of",
    "service_of",
]
