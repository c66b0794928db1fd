"""What may go wrong between a profile and its secret key, each state told apart, because each has another cure."""

from __future__ import annotations

from ncp_tui.gateway.problems import Problem

_UNCHANGED = "Your saved key was not changed."
_SESSION_ONLY = "use the key for this session only (store: session)"


class SecretStoreProblem(Problem):
    """A secret store that did not do what it was asked."""

    kind = "secret_store"


class NoSecret(SecretStoreProblem):
    """The store answered, and it has no secret key for this profile."""

    kind = "no_secret"


class NoKeyring(SecretStoreProblem):
    """This session has no OS keyring at all."""

    kind = "no_keyring"

    def __init__(self, reason: str = "") -> None:
        super().__init__(
            "There is no OS keyring in this session.",
            " ".join(part for part in (reason, _UNCHANGED) if part),
            f"Start a keyring before ncp-tui, or {_SESSION_ONLY}.",
        )


class KeyringLocked(SecretStoreProblem):
    """The keyring is there and wants a password that only a prompt could ask for."""

    kind = "keyring_locked"

    def __init__(self, what: str = "Your OS keyring is locked.") -> None:
        super().__init__(
            what,
            "ncp-tui did not open a prompt (it may appear on another screen). " + _UNCHANGED,
            f"Unlock it and try again, or {_SESSION_ONLY}.",
        )


class KeyringSilent(SecretStoreProblem):
    """The keyring did not answer in time."""

    kind = "keyring_silent"

    def __init__(self, seconds: float, meaning: str = _UNCHANGED) -> None:
        super().__init__(
            f"The OS keyring did not answer within {seconds:g} s.", meaning, f"Try again, or {_SESSION_ONLY}."
        )


class KeyringFailed(SecretStoreProblem):
    """The keyring answered with an error; `reason` is a word for the bug report, never the text of a library."""

    kind = "keyring_failed"

    def __init__(self, reason: str, meaning: str = _UNCHANGED) -> None:
        super().__init__(f"The OS keyring failed ({reason}).", meaning, f"Try again, or {_SESSION_ONLY}.")


class CannotStore(SecretStoreProblem):
    """The keyring took the secret key without an error and did not keep it."""

    kind = "cannot_store"

    def __init__(self, what: str = "The OS keyring accepted the key, but did not give it back.") -> None:
        super().__init__(what, "Nothing can be relied on to be saved.", f"Check the keyring, or {_SESSION_ONLY}.")


class DamagedSecret(SecretStoreProblem):
    """What is stored for the profile was not written by this program, or not by one it understands."""

    kind = "damaged_secret"


class OtherAccessKey(SecretStoreProblem):
    """The stored secret belongs to another access key than the profile has."""

    kind = "other_access_key"
