"""What may go wrong between a profile and its secret key, each state told apart, because each has another cure."""

from __future__ import annotations

from typing import Protocol

from ncp_tui.problem import Problem
from ncp_tui.text import clean

UNCHANGED = "No saved key was changed."
_SESSION_ONLY = "keep it for this session only"
_ELSEWHERE = f"store the key in the encrypted file, or {_SESSION_ONLY}"
_NO_WAY_BACK = "A lost passphrase cannot be recovered: move the file away and enter the keys again"


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
            "No OS keyring in this session.",
            " ".join(part for part in (reason, UNCHANGED) if part),
            f"Start a keyring before ncp-tui, {_ELSEWHERE}.",
        )


class Unlocker(Protocol):
    """A keyring that can ask the user for its password, in a prompt of its own."""

    async def unlock(self) -> None:
        """Let it ask, for a minute at most; whoever waits may be cancelled. Raises what else a store raises."""
        ...


class StoreLocked(SecretStoreProblem):
    """A store that keeps keys and gives none until its user has opened it. Raised before anything was touched.

    Whoever can ask the user has the store opened and asks it again, see `workspace.ask_store`.
    """

    @property
    def can_be_opened(self) -> bool:
        """Whether there is a way to open it from here."""
        return True


class KeyringLocked(StoreLocked):
    """The keyring is there and wants a password that only a prompt could ask for.

    Whoever can ask the user whether to open that prompt does so, calls `unlocker.unlock`, and tries again. There is
    none where the keyring has no prompt, or has just shown it in vain, or where that would not help (`by_prompt`).
    """

    kind = "keyring_locked"
    unlocker: Unlocker | None = None

    def __init__(self, what: str = "Your OS keyring is locked.", *, by_prompt: bool = True) -> None:
        super().__init__(
            what,
            "No prompt was opened, as it may appear on another screen. " + UNCHANGED,
            f"Unlock it and retry, {_ELSEWHERE}.",
        )
        self.by_prompt = by_prompt

    @property
    def can_be_opened(self) -> bool:
        """Whether the keyring has a prompt of its own."""
        return self.unlocker is not None


class KeyringSilent(SecretStoreProblem):
    """The keyring did not answer in time."""

    kind = "keyring_silent"

    def __init__(self, seconds: float, meaning: str = UNCHANGED) -> None:
        super().__init__(f"The OS keyring did not answer within {seconds:g} s.", meaning, f"Retry, {_ELSEWHERE}.")


class KeyringFailed(SecretStoreProblem):
    """The keyring answered with an error; `reason` is a word for the bug report, never the text of a library."""

    kind = "keyring_failed"

    def __init__(self, reason: str, meaning: str = UNCHANGED) -> None:
        super().__init__(f"The OS keyring failed ({reason}).", meaning, f"Retry, {_ELSEWHERE}.")


class CannotStore(SecretStoreProblem):
    """The keyring took the secret key without an error and did not keep it."""

    kind = "cannot_store"

    def __init__(self, what: str = "The OS keyring accepted the key, but did not return it.") -> None:
        super().__init__(what, "The key may not be saved.", f"Check the keyring, {_ELSEWHERE}.")


class DamagedSecret(SecretStoreProblem):
    """What is stored for the profile was not written by this program, or not by one it understands."""

    kind = "damaged_secret"


class OtherAccessKey(SecretStoreProblem):
    """The stored secret belongs to another access key than the profile has."""

    kind = "other_access_key"


class InvalidPassphrase(SecretStoreProblem):
    """A passphrase that is too short, holds what cannot be typed, or was not repeated."""

    kind = "invalid_passphrase"


class WrongPassphrase(SecretStoreProblem):
    """The key file did not open. To the cipher a wrong passphrase and a damaged file look the same."""

    kind = "wrong_passphrase"

    def __init__(self) -> None:
        super().__init__(
            "Wrong passphrase, or the file is damaged.",
            "No key was read from it, and nothing was changed.",
            f"Type the passphrase again. {_NO_WAY_BACK}.",
        )


class UnsafeKeyFile(SecretStoreProblem):
    """A key file, or a file with its passphrase, that somebody else can read, write or exchange."""

    kind = "unsafe_key_file"


class KeyFileFailed(SecretStoreProblem):
    """The system did not let the key file be read or written; `reason` is the system's word, or the error's class."""

    kind = "key_file_failed"

    def __init__(self, reason: str, meaning: str = "The key file was not changed.", next_step: str = "") -> None:
        super().__init__(f"The key file cannot be used: {reason}.", meaning, next_step or "Retry.")


class NoKeyFileHere(SecretStoreProblem):
    """This host's libraries refuse what the key file is sealed with, as in FIPS mode."""

    kind = "no_key_file_here"

    def __init__(self) -> None:
        super().__init__(
            "This host cannot open or create the encrypted key file: no scrypt or ChaCha20 (FIPS mode?).",
            "The key file was not changed.",
            "Store the key in the OS keyring, keep it for this session only, or set it in the environment.",
        )


class KeyFileSilent(SecretStoreProblem):
    """The disk of the key file, or another program that writes it, did not answer in time."""

    kind = "key_file_silent"

    def __init__(self, seconds: float, meaning: str = UNCHANGED) -> None:
        super().__init__(
            f"The key file did not answer within {seconds:g} s.",
            meaning,
            "Retry; look for a hung ncp-tui process, and check the disk.",
        )


class CommandUnlocker(Protocol):
    """A secret command that can be run with the terminal, so that it may ask its user."""

    @property
    def program(self) -> str:
        """Its full path."""

    async def run(self, terminal: int) -> None:
        """Run it with the terminal of that descriptor, and keep what it prints. Raises SecretCommandFailed."""


class SecretCommandFailed(StoreLocked):
    """A secret command that gave no secret key; says how it ended, and nothing of what it printed.

    One that `ran` may only have wanted to ask its user. Where a terminal can be lent to it, `unlocker` runs it again.
    """

    kind = "secret_command_failed"
    unlocker: CommandUnlocker | None = None

    def __init__(self, program: str, how: str, *, ran: bool = False) -> None:
        super().__init__(
            f"The secret command {clean(program)} {how}.",
            "No secret key was read, and nothing was sent. What it printed is not shown.",
            "Run it in a shell as this user: it has to print the secret key, one line, and ask for nothing.",
        )
        self.program = program
        self.how = how
        self.ran = ran

    def anew(self) -> SecretCommandFailed:
        """The same, to be raised once more: an exception grows by the frames of each time."""
        again = SecretCommandFailed(self.program, self.how, ran=self.ran)
        again.unlocker = self.unlocker
        return again

    @property
    def can_be_opened(self) -> bool:
        """Whether running it once more, with the terminal, could help."""
        return self.ran and self.unlocker is not None


class ExposedCommand(SecretStoreProblem):
    """A secret command that somebody else could have written into the profiles file."""

    kind = "exposed_command"
