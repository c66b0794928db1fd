"""The `profile` commands that change something: each does all of it, or leaves everything as it was."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import click

from ncp_tui.cli.errors import Declined, ExitCode, NothingToImport, problem_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.administration import Administration, Changed, MissingSecret
from ncp_tui.profiles.identity import SourceKind
from ncp_tui.profiles.import_keys import ImportedProfile, import_profiles, same_keys
from ncp_tui.profiles.profile import Profile, check_field, check_profile
from ncp_tui.profiles.profiles_file import ProfilesFile
from ncp_tui.profiles.secret_stores.errors import KeyringLocked
from ncp_tui.profiles.secret_stores.passphrase import PassphraseNeeded
from ncp_tui.profiles.secret_stores.protocol import service_of
from ncp_tui.profiles.store import known_profile
from ncp_tui.snapshots.templates import template_warning
from ncp_tui.text import clean, inert

_LONGEST_INPUT = 64 * 1024
_ENDS_WITH_RUN = "A key of the store `session` does not outlive this command, so none was kept."


def add(context: CommandContext, name: str, secret_stdin: bool, values: Mapping[str, Any]) -> ExitCode:
    """`profile add`."""
    if "access_key" not in values:
        raise click.UsageError("Missing option '--access-key'.")
    profile = check_profile(Profile(name=name, **{"region": "", **values}))
    _book(context)
    context.workspace.profiles.check_free(name)  # before anybody types a key for it
    _warn_of_template(context, profile)
    secret_key = _secret(context, secret_stdin) if _keeps(context, profile, secret_stdin) else None
    _change(context, lambda change: change.add(profile, secret_key))
    return _done(context, f"Profile {profile.name} is saved.", name=profile.name)


def _warn_of_template(context: CommandContext, profile: Profile) -> None:
    warning = template_warning(profile.name_template)
    if warning:
        context.out.note(warning)


def edit(context: CommandContext, name: str, secret_stdin: bool, values: Mapping[str, Any]) -> ExitCode:
    """`profile edit`."""
    old = known_profile(_book(context), name)
    changed = dict(values)
    if "zone" in changed and check_field("zone", changed["zone"]) != old.zone:
        changed.setdefault("region", "")
    new = check_profile(dataclasses.replace(old, **changed))
    if "name_template" in changed:
        _warn_of_template(context, new)
    _keeps(context, new, secret_stdin)
    typed = _secret(context, secret_stdin) if secret_stdin else None
    try:
        done = _change(context, lambda change: change.edit(old, new, typed))
    except MissingSecret:
        secret_key = _secret(context, from_stdin=False)
        done = _change(context, lambda change: change.edit(old, new, secret_key))
    left = _left_behind(context, done)
    return _done(context, f"Profile {new.name} is changed.", name=new.name, left_in=left)


def rename(context: CommandContext, old: str, new: str) -> ExitCode:
    """`profile rename`."""
    profile = known_profile(_book(context), old)
    done = _change(context, lambda change: change.rename(profile, new))
    left = _left_behind(context, done)
    return _done(context, f"Profile {profile.name} is now {new}.", name=new, left_in=left)


def remove(context: CommandContext, name: str, yes: bool, keep_secret: bool) -> ExitCode:
    """`profile remove`."""
    book = _book(context)
    unreadable = book.find_unreadable(name) if book.find(name) is None else None
    profile = None if unreadable else known_profile(book, name)
    written = unreadable or (profile.name if profile else name)
    forgotten = None if keep_secret else profile
    _confirm_removal(context, written, yes, with_key=forgotten is not None)
    left = _change(context, lambda change: change.remove(written, forgotten)).book
    if forgotten is None:
        called = f", where it is called {service_of(profile)}" if profile else ""
        context.out.note(f"Its secret key, if there is one, stays where it was kept{called}.")
    if left.default is None and left.profiles:
        context.out.note("No profile is the default now: choose one with `ncp-tui profile default`.")
    return _done(context, f"Profile {written} is removed.", name=written)


def set_default(context: CommandContext, name: str) -> ExitCode:
    """`profile default`."""
    default = _change(context, lambda change: change.set_default(name)).book.default
    return _done(context, f"Profile {default} is the default.", name=default)


def import_found(context: CommandContext, origin: str | None, store: str) -> ExitCode:
    """`profile import`. One profile after the other; those before a failure stay."""
    book = context.workspace.profiles.load()
    found = context.workspace.identities(book)
    for warning in found.warnings:
        context.out.note(warning)
    kinds = {SourceKind(origin)} if origin else {SourceKind.ENVIRONMENT, SourceKind.NCLOUD_CONFIGURE}
    identities = [identity for identity in found.identities if identity.kind in kinds]
    if not identities:
        raise NothingToImport("No keys were found to import.", "Nothing was changed.", "Use: ncp-tui profile add")
    documents = []
    for one in import_profiles(identities, book, check_field("store", store)):
        document = {
            "name": one.profile.name,
            "source": one.source,
            "saved": False,
            "same_as": same_keys(book, one.profile),
        }
        if document["same_as"] is None:
            book = _import(context, one)
            document["saved"] = True
        documents.append(document)
    context.out.answer(documents, "\n".join(map(_imported, documents)))
    return ExitCode.DONE


def _import(context: CommandContext, one: ImportedProfile) -> ProfilesFile:
    _keeps(context, one.profile, secret_stdin=False)
    return _change(context, lambda change: change.add(one.profile, one.secret_key)).book


def _imported(document: Mapping[str, Any]) -> str:
    if document["saved"]:
        return f"Profile {document['name']} is saved, from {document['source']}."
    return f"Left out, from {document['source']}: profile {document['same_as']} has these keys already."


def _book(context: CommandContext) -> ProfilesFile:
    """The profiles, and a word about what of the file was not understood: it is written anew without that."""
    book = context.workspace.profiles.load()
    for warning in book.warnings:
        context.out.note(warning)
    return book


def _change(context: CommandContext, change: Callable[[Administration], Coroutine[Any, Any, Changed]]) -> Changed:
    """Make one change. Where a store is locked, the user opens it, and the change is made from its beginning."""
    # A store of the session does not outlive this command, so no key is kept in it.
    stores = dict(context.workspace.stores)
    del stores["session"]
    administration = Administration(context.workspace.profiles, stores)
    return context.ask_store(lambda: change(administration))


def _left_behind(context: CommandContext, done: Changed) -> str | None:
    """Ask once more for the old copy of a key to be deleted where its store was locked; say where one is left."""
    left = done.left_behind
    if left is None:
        return None
    if isinstance(left.cause, (PassphraseNeeded, KeyringLocked)):
        administration = Administration(context.workspace.profiles, context.workspace.stores)
        with contextlib.suppress(Problem):
            context.ask_store(lambda: administration.forget_copy(left))
            return None
    context.out.error(problem_words(left))
    return left.place


def _secret(context: CommandContext, from_stdin: bool) -> SecretKey:
    """The secret key, typed unseen or read from stdin. Raises InvalidCredentials, or UsageError when neither is so."""
    if context.can_ask:
        secret_key = SecretKey(click.prompt("Secret key (not shown)", hide_input=True, err=True))
    elif from_stdin and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError("The secret key would be shown while it is typed: send it through a pipe.")
    elif from_stdin:
        data = sys.stdin.buffer.read(_LONGEST_INPUT) if sys.stdin is not None else b""
        secret_key = SecretKey(data.decode("utf-8-sig", errors="replace"))
    else:
        raise click.UsageError("Without a terminal the secret key is read with --secret-stdin.")
    context.secrets.append(secret_key)
    return secret_key


def _keeps(context: CommandContext, profile: Profile, secret_stdin: bool) -> bool:
    """Whether a key of `profile` is kept; says so where it is not. Raises UsageError for one that is sent."""
    if profile.store != "session":
        return True
    if secret_stdin:
        raise click.UsageError(f"--secret-stdin and --store session exclude each other. {_ENDS_WITH_RUN}")
    context.out.note(_ENDS_WITH_RUN)
    return False


def _confirm_removal(context: CommandContext, name: str, yes: bool, *, with_key: bool) -> None:
    if yes:
        return
    if not context.can_ask:
        raise click.UsageError("Without a terminal a profile is removed with --yes only.")
    what = f"profile {name} and its secret key" if with_key else f"profile {name}, and leaves its secret key"
    typed = click.prompt(inert(f"This removes {what}. Type its name"), err=True)
    if typed.strip() not in {name, clean(name)}:
        raise Declined("That is not the profile's name.")


def _done(context: CommandContext, sentence: str, **document: Any) -> ExitCode:
    context.out.answer({"done": True, **document}, sentence)
    return ExitCode.DONE
