"""A passphrase, held so that nothing prints it, and the question for it that stands before an encrypted file."""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path
from typing import NoReturn, Protocol

from ncp_tui.profiles.secret_stores.errors import InvalidPassphrase, StoreLocked, UnsafeKeyFile
from ncp_tui.system.private_files import is_readable_by_others
from ncp_tui.system.secret_value import SecretValue

LEAST_CHARACTERS = 12
"""Whoever gets the file can try passphrases for as long as they like, 0.4 s each. A hundred cores try all of eight
letters in 26 years and all of twelve in twelve million; people do not choose at random, so the margin is needed."""

_NEVER_TYPED = frozenset({"Cc", "Cs"})


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
                "A passphrase must be one line of visible characters.", "Nothing was changed.", "Type it again."
            )
        self.characters = len(text)
        self.masked = SecretValue(text.encode())

    def __repr__(self) -> str:
        return "Passphrase(****)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a passphrase is not pickled")

    def check_new(self) -> None:
        """Refuse what is too short to protect a new file. Raises InvalidPassphrase."""
        if self.characters < LEAST_CHARACTERS:
            raise InvalidPassphrase(
                f"A new passphrase needs at least {LEAST_CHARACTERS} characters; this one has {self.characters}.",
                "A short passphrase can be guessed by anyone who copies the file. Nothing was changed.",
                "Use several words; symbols and digits are not required.",
            )

    def check_same(self, again: Passphrase) -> None:
        """Refuse a second typing that differs. Raises InvalidPassphrase."""
        if self.masked != again.masked:
            raise InvalidPassphrase("The two passphrases differ.", "Nothing was changed.", "Type both again.")


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


class PassphraseNeeded(StoreLocked):
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
            f"Enter the passphrase on a terminal, or in a file that {PASSPHRASE_VARIABLE} names.",
        )
        self.opener = opener
        self.creating = creating


_LARGEST = 4096


def read_passphrase_file(path: Path) -> Passphrase:
    """The passphrase in `path`, one line. Blocks as long as a pipe does.

    A pipe may be anybody's, since what is read from it is on no disk. Raises UnsafeKeyFile for a file that others can
    read, and InvalidPassphrase.
    """
    try:
        return Passphrase(_read(path).decode("utf-8-sig"))
    except OSError as error:
        # Not by its name: where the passphrase itself was put into the variable, that would be shown here.
        reason = f"The passphrase file cannot be read: {os.strerror(error.errno or 0).lower()}."
    except (UnicodeDecodeError, InvalidPassphrase):
        reason = f"{path} has no passphrase: one line of visible characters in UTF-8."
    raise InvalidPassphrase(
        reason, "Nothing was sent or changed.", f"Correct the file that {PASSPHRASE_VARIABLE} names."
    )


def _read(path: Path) -> bytes:
    data = b""
    with path.open("rb", buffering=0) as file:
        _check(path, os.fstat(file.fileno()))
        while len(data) < _LARGEST and (part := file.read(_LARGEST - len(data))):
            data += part
    return data


def _check(path: Path, status: os.stat_result) -> None:
    if stat.S_ISFIFO(status.st_mode):
        return
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeKeyFile(
            f"{path} is neither a file nor a pipe.", "No passphrase was read.", f"Correct {PASSPHRASE_VARIABLE}."
        )
    mode = stat.S_IMODE(status.st_mode)
    if is_readable_by_others(status):
        raise UnsafeKeyFile(
            f"{path} holds the passphrase and is open to other users (mode {mode:04o}, uid {status.st_uid}).",
            "The passphrase was not read.",
            f"Make it yours alone: chmod 600 {path}",
        )
