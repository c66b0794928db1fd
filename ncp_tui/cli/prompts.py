"""A locked store, opened by the user on the terminal.

The passphrase of the key file is typed unseen, whatever stdin and stdout are; a keyring asks in its own prompt, once
the user has said that it may.
"""

from __future__ import annotations

import getpass
import os
import sys
import warnings
from collections.abc import Coroutine
from typing import Any, Protocol

import click

from ncp_tui.profiles.secret_stores.errors import InvalidPassphrase, KeyringLocked, StoreLocked, WrongPassphrase
from ncp_tui.profiles.secret_stores.passphrase import LEAST_CHARACTERS, Passphrase, PassphraseNeeded

ATTEMPTS = 3

_TERMINAL = "/dev/tty"


class Asker(Protocol):
    """What a question needs of the command that asks it."""

    @property
    def can_ask(self) -> bool:
        """Whether a user can answer a question."""

    def say(self, text: str) -> None:
        """Write to stderr."""

    def wait(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run `coroutine` to its end."""


def open_store(locked: StoreLocked, asker: Asker) -> bool:
    """Have the user open the store; False where no one can answer, or declines."""
    match locked:
        case PassphraseNeeded():
            return _open_key_file(asker, locked)
        case KeyringLocked():
            return _unlock_keyring(asker, locked)
    return False


def _unlock_keyring(asker: Asker, locked: KeyringLocked) -> bool:
    if locked.unlocker is None or not asker.can_ask:
        return False
    asker.say(f"{locked.what} The keyring asks for its password in its own window, on a desktop only.")
    if not click.confirm("Wait up to a minute for the keyring?", err=True):
        return False
    asker.wait(locked.unlocker.unlock())
    return True


def _open_key_file(asker: Asker, locked: PassphraseNeeded) -> bool:
    """Have the user open the key file; False where no one can answer.

    After ATTEMPTS wrong answers the last one's problem is raised; Ctrl-C and the end of the input raise Abort.
    """
    if not _somebody_is_there():
        return False
    if locked.creating:
        asker.say(
            f"{locked.opener.place} is encrypted with a passphrase of at least {LEAST_CHARACTERS} characters. "
            "A forgotten passphrase cannot be recovered: you would issue new keys in the NCP console."
        )
    for attempt in range(1, ATTEMPTS + 1):
        try:
            passphrase = _chosen() if locked.creating else _typed(f"Passphrase of {locked.opener.place} (not shown)")
            asker.wait(locked.opener.open(passphrase, creating=locked.creating))
        except (WrongPassphrase, InvalidPassphrase) as problem:
            if attempt == ATTEMPTS:
                raise
            asker.say(problem.what)
        else:
            return True
    return False


def _chosen() -> Passphrase:
    passphrase = _typed("New passphrase (not shown)")
    passphrase.check_new()
    passphrase.check_same(_typed("New passphrase again (not shown)"))
    return passphrase


def _typed(question: str) -> Passphrase:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would continue and show what is typed
            return Passphrase(getpass.getpass(f"{question}: ", sys.stderr))
    except (EOFError, getpass.GetPassWarning):
        raise click.Abort from None


def _somebody_is_there() -> bool:
    """Whether a question would be seen, and its answer come from a keyboard, whatever stdin is."""
    if sys.stderr is None or not sys.stderr.isatty():
        return False
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True
