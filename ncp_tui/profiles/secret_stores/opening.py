"""The question that stands before an encrypted file: who asks it is not known here, only what is asked and by whom."""

from __future__ import annotations

from typing import Protocol

from ncp_tui.profiles.secret_stores.passphrase import Passphrase
from ncp_tui.profiles.secret_stores.problems import SecretStoreProblem

PASSPHRASE_VARIABLE = "NCP_TUI_PASSPHRASE_FILE"  # noqa: S105 - a name
"""Names a file or a pipe with the passphrase, for runs without a terminal. The passphrase itself is in no variable:
`/proc/<pid>/environ` and every child would have it."""


class Opener(Protocol):
    """A store that a passphrase opens, once for as long as the program runs."""

    @property
    def place(self) -> str:
        """The file, as it is shown to the user."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether the passphrase has been given."""
        ...

    async def open(self, passphrase: Passphrase, *, creating: bool) -> None:
        """Open the file, or (`creating`) choose the passphrase of the file that the first key will be saved in.

        Raises WrongPassphrase, InvalidPassphrase, PassphraseNeeded when the file has come or gone meanwhile, and what
        else a store raises.
        """
        ...


class Locked(Exception):
    """The file does not open without its passphrase; with `creating`, there is no file, and a passphrase to choose.

    For the inside of a store, which turns it into a PassphraseNeeded.
    """

    def __init__(self, *, creating: bool) -> None:
        super().__init__("The key file is locked.")
        self.creating = creating


class PassphraseNeeded(SecretStoreProblem):
    """The store is locked. Whoever can ask the user does so, calls `opener.open`, and tries again.

    `creating` says that there is no file yet, so that its passphrase is to be chosen, and typed twice.
    """

    kind = "passphrase_needed"

    def __init__(self, opener: Opener, *, creating: bool) -> None:
        what = "The key file is locked." if not creating else "The key file does not exist yet."
        needs = "its passphrase, once per session" if not creating else "a passphrase, chosen by you"
        super().__init__(
            what,
            f"{opener.place} needs {needs}. Nothing was sent or changed.",
            f"Give the passphrase on a terminal, or in a file that {PASSPHRASE_VARIABLE} names.",
        )
        self.opener = opener
        self.creating = creating
