"""The `profile` commands that change something: each does all of it, or leaves everything as it was.

A profile and its secret key are in two places. The key goes first: a store that fails has then changed nothing else,
and a crash in between leaves a key that no profile names, which the next `add` replaces. The other order would leave a
profile that looks good and cannot sign.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.work.problems import Declined, NothingToImport
from ncp_tui.cli.work.session import Session
from ncp_tui.gateway import Problem, SecretKey
from ncp_tui.profiles import (
    DamagedSecret,
    ImportedProfile,
    InvalidProfile,
    OtherAccessKey,
    Profile,
    ProfileBook,
    SecretStore,
    SourceKind,
    UnknownProfile,
    check_field,
    check_profile,
    import_profiles,
    service_of,
)
from ncp_tui.snapshots import template_warning
from ncp_tui.text import clean, inert

_LONGEST_INPUT = 64 * 1024
_ENDS_WITH_RUN = "A key of the store `session` does not outlive this command, so none was kept."


def add(session: Session, name: str, secret_stdin: bool, values: Mapping[str, Any]) -> ExitCode:
    """`profile add`."""
    if "access_key" not in values:
        raise click.UsageError("Missing option '--access-key'.")
    profile = check_profile(Profile(name=name, **{"region": "", **values}))
    _refuse_taken(_book(session), name)
    _warn_of_template(session, profile)
    if profile.store == "session":
        _refuse_secret(secret_stdin)
        session.home.profiles.add(profile)
        session.out.note(_ENDS_WITH_RUN)
    else:
        _save_new(session, profile, _secret(session, secret_stdin))
    return _done(session, f"Profile {profile.name} is saved.", name=profile.name)


def _warn_of_template(session: Session, profile: Profile) -> None:
    warning = template_warning(profile.name_template)
    if warning:
        session.out.note(warning)


def edit(session: Session, name: str, secret_stdin: bool, values: Mapping[str, Any]) -> ExitCode:
    """`profile edit`."""
    old = _known(_book(session), name)
    changed = dict(values)
    if "zone" in changed and check_field("zone", changed["zone"]) != old.zone:
        changed.setdefault("region", "")
    new = check_profile(dataclasses.replace(old, **changed))
    if "name_template" in changed:
        _warn_of_template(session, new)
    profiles = session.home.profiles
    if new.store == "session":
        _refuse_secret(secret_stdin)
        with _forgotten(session, old):
            profiles.replace(new)
        session.out.note(_ENDS_WITH_RUN)
    elif secret_stdin or new.access_key != old.access_key or new.store != old.store:
        secret_key = _secret_for(session, old, new, secret_stdin)
        with _kept(session, new, secret_key, before=old):
            profiles.replace(new)
    else:
        profiles.replace(new)
    left = None if new.store in {old.store, "session"} else _left_behind(session, old)
    return _done(session, f"Profile {new.name} is changed.", name=new.name, left_in=left)


def rename(session: Session, old: str, new: str) -> ExitCode:
    """`profile rename`."""
    profiles, book = session.home.profiles, _book(session)
    profile = _known(book, old)
    profiles.check_free(new, unless=profile.name)  # before the key of whoever is called so would be overwritten
    renamed = dataclasses.replace(profile, name=new)
    store = _store(session, profile)
    with _undone_by(lambda: session.wait(store.rename(renamed, profile))):
        session.ask_store(lambda: store.rename(profile, renamed))
        profiles.rename(profile.name, new)
    return _done(session, f"Profile {profile.name} is now {new}.", name=new)


def remove(session: Session, name: str, yes: bool, keep_secret: bool) -> ExitCode:
    """`profile remove`. The key goes first: a profile that is left can be removed again, a forgotten key cannot."""
    profiles, book = session.home.profiles, _book(session)
    unreadable = book.find_unreadable(name) if book.find(name) is None else None
    profile = None if unreadable else _known(book, name)
    written = unreadable or (profile.name if profile else name)
    forgotten = None if keep_secret else profile
    _confirm_removal(session, written, yes, with_key=forgotten is not None)
    with _forgotten(session, forgotten):
        left = profiles.remove(written)
    if forgotten is None:
        called = f", where it is called {service_of(profile)}" if profile else ""
        session.out.note(f"Its secret key, if there is one, stays where it was kept{called}.")
    if left.default is None and left.profiles:
        session.out.note("No profile is the default now: choose one with `ncp-tui profile default`.")
    return _done(session, f"Profile {written} is removed.", name=written)


def set_default(session: Session, name: str) -> ExitCode:
    """`profile default`."""
    default = session.home.profiles.set_default(name).default
    return _done(session, f"Profile {default} is the default.", name=default)


def import_found(session: Session, origin: str | None, store: str) -> ExitCode:
    """`profile import`. One profile after the other; those before a failure stay."""
    book = session.home.profiles.load()
    found = session.home.identities(book)
    for warning in found.warnings:
        session.out.note(warning)
    kinds = {SourceKind(origin)} if origin else {SourceKind.ENVIRONMENT, SourceKind.NCLOUD_CONFIGURE}
    identities = [identity for identity in found.identities if identity.kind in kinds]
    if not identities:
        raise NothingToImport("No keys were found to import.", "Nothing was changed.", "Use: ncp-tui profile add")
    documents = []
    for one in import_profiles(identities, book, check_field("store", store)):
        document = {"name": one.profile.name, "source": one.source, "saved": False, "same_as": _same_as(book, one)}
        if document["same_as"] is None:
            book = _import(session, one)
            document["saved"] = True
        documents.append(document)
    session.out.answer(documents, "\n".join(map(_imported, documents)))
    return ExitCode.DONE


def _import(session: Session, one: ImportedProfile) -> ProfileBook:
    if one.profile.store == "session":
        session.out.note(_ENDS_WITH_RUN)
        return session.home.profiles.add(one.profile)
    return _save_new(session, one.profile, one.secret_key)


def _same_as(book: ProfileBook, one: ImportedProfile) -> str | None:
    """The profile that has these keys at this place already."""

    def place(profile: Profile) -> tuple[str | None, ...]:
        return (profile.access_key, profile.zone, profile.region, profile.gateway_url)

    return next((profile.name for profile in book.profiles if place(profile) == place(one.profile)), None)


def _imported(document: Mapping[str, Any]) -> str:
    if document["saved"]:
        return f"Profile {document['name']} is saved, from {document['source']}."
    return f"Left out, from {document['source']}: profile {document['same_as']} has these keys already."


def _book(session: Session) -> ProfileBook:
    """The profiles, and a word about what of the file was not understood: it is written anew without that."""
    book = session.home.profiles.load()
    for warning in book.warnings:
        session.out.note(warning)
    return book


def _save_new(session: Session, profile: Profile, secret_key: SecretKey) -> ProfileBook:
    with _kept(session, profile, secret_key):
        return session.home.profiles.add(profile)


@contextlib.contextmanager
def _kept(
    session: Session,
    profile: Profile,
    secret_key: SecretKey,
    before: Profile | None = None,
) -> Iterator[None]:
    """Keep `secret_key`, and put the one that is there now (of `before`) back when what follows fails."""
    store = _store(session, profile)
    there = dataclasses.replace(before or profile, store=profile.store)
    previous = _stored(session, there)

    def undo() -> None:
        session.wait(store.delete(profile) if previous is None else store.save(there, previous))

    with _undone_by(undo):
        session.ask_store(lambda: store.save(profile, secret_key))
        yield


@contextlib.contextmanager
def _forgotten(session: Session, profile: Profile | None) -> Iterator[None]:
    """Delete the key of `profile`, if there is one to delete, and put it back when what follows fails."""
    if profile is None or profile.store == "session":
        yield
        return
    store, previous = _store(session, profile), _stored(session, profile)

    def undo() -> None:
        if previous is not None:
            session.wait(store.save(profile, previous))

    with _undone_by(undo):
        session.ask_store(lambda: store.delete(profile))
        yield


def _left_behind(session: Session, old: Profile) -> str | None:
    """Delete the key that has moved away from the store of `old`; where that fails, say so, and return the place."""
    if old.store == "session":
        return None
    store = _store(session, old)
    try:
        session.ask_store(lambda: store.delete(old))
    except Problem as problem:
        place = store.describe()
        session.out.error(
            f"The secret key is in its new place, and a copy is still in: {place}. {problem.what} "
            f"Delete it there yourself; it is called {service_of(old)}."
        )
        return place
    return None


@contextlib.contextmanager
def _undone_by(undo: Callable[[], None]) -> Iterator[None]:
    """Call `undo` when what is inside fails; a failure of its own does not hide the first one."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(Problem):
            undo()
        raise


def _store(session: Session, profile: Profile) -> SecretStore:
    return session.home.stores[profile.store]


def _stored(session: Session, profile: Profile) -> SecretKey | None:
    """The key that is there now, to be put back; one that cannot be read is worth nothing anyway."""
    store = _store(session, profile)
    with contextlib.suppress(DamagedSecret, OtherAccessKey):
        return session.ask_store(lambda: store.load(profile))
    return None


def _secret_for(session: Session, old: Profile, new: Profile, from_stdin: bool) -> SecretKey:
    """The key that `new` is to have: a new one, or the stored one where only its place is another."""
    if not from_stdin and old.store != "session" and new.access_key == old.access_key:
        store = _store(session, old)
        stored = session.ask_store(lambda: store.load(old))
        if stored is not None:
            session.secrets.append(stored)
            return stored
    return _secret(session, from_stdin)


def _secret(session: Session, from_stdin: bool) -> SecretKey:
    """The secret key, typed unseen or read from stdin. Raises InvalidCredentials, or UsageError when neither is so."""
    if session.can_ask:
        secret_key = SecretKey(click.prompt("Secret key (not shown)", hide_input=True, err=True))
    elif from_stdin and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError("The secret key would be shown while it is typed: send it through a pipe.")
    elif from_stdin:
        data = sys.stdin.buffer.read(_LONGEST_INPUT) if sys.stdin is not None else b""
        secret_key = SecretKey(data.decode("utf-8-sig", errors="replace"))
    else:
        raise click.UsageError("Without a terminal the secret key is read with --secret-stdin.")
    session.secrets.append(secret_key)
    return secret_key


def _refuse_secret(secret_stdin: bool) -> None:
    if secret_stdin:
        raise click.UsageError(f"--secret-stdin and --store session exclude each other. {_ENDS_WITH_RUN}")


def _known(book: ProfileBook, name: str) -> Profile:
    profile = book.find(name)
    if profile is None:
        names = ", ".join(one.name for one in book.profiles)
        raise UnknownProfile(
            f"There is no profile {name!a}.",
            " ".join(("Nothing was changed.", *book.warnings)),
            f"Profiles: {names}." if names else "There are none yet.",
        )
    return profile


def _refuse_taken(book: ProfileBook, name: str) -> None:
    if book.find(name) is not None:
        raise InvalidProfile(
            f"There is a profile {name!r} already.",
            "Nothing was saved.",
            "Choose another name; upper and lower case are not told apart.",
            field="name",
        )


def _confirm_removal(session: Session, name: str, yes: bool, *, with_key: bool) -> None:
    if yes:
        return
    if not session.can_ask:
        raise click.UsageError("Without a terminal a profile is removed with --yes only.")
    what = f"profile {name} and its secret key" if with_key else f"profile {name}, and leaves its secret key"
    typed = click.prompt(inert(f"This removes {what}. Type its name"), err=True)
    if typed.strip() not in {name, clean(name)}:
        raise Declined("That is not the profile's name.")


def _done(session: Session, sentence: str, **document: Any) -> ExitCode:
    session.out.answer({"done": True, **document}, sentence)
    return ExitCode.DONE
