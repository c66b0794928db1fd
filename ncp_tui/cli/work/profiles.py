"""The `profile` commands that change nothing: list, show, test."""

from __future__ import annotations

from typing import Any

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.work.problems import problem_words
from ncp_tui.cli.work.session import Session
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.profiles.profiles_file import ProfilesFile
from ncp_tui.view.profiles import PROFILES, ListedIdentity, identity_document, keys_sentence
from ncp_tui.view.text import key_values


def list_profiles(session: Session) -> ExitCode:
    """`profile list`: everybody there is, and who would be used now."""
    book = session.workspace.profiles.load()
    found = session.workspace.identities(book)
    used, why_not = _in_use(session, book)
    documents = [_document(session, identity, book, used) for identity in found.identities]
    listed = [
        ListedIdentity(each, current=each.name == used, default=book.default_profile is each.profile)
        for each in found.identities
    ]
    session.out.answer(documents, PROFILES.text(listed))
    for warning in found.warnings:
        session.out.note(warning)
    session.out.note(f"Used without --profile: {used}." if used else why_not)
    return ExitCode.DONE


def show_profile(session: Session, name: str) -> ExitCode:
    """`profile show`."""
    session.call_as(name)
    identity = session.workspace.choose(name)
    book = session.workspace.profiles.load()
    document = _document(session, identity, book, _in_use(session, book)[0])
    session.out.answer(
        document, key_values([(key.replace("_", " "), _plain(value)) for key, value in document.items()])
    )
    return ExitCode.DONE


def test_profile(session: Session, name: str | None) -> ExitCode:
    """`profile test`."""
    session.call_as(name)
    identity = session.identity()
    engine = session.connect(identity)
    with session.log.action(f"test the keys of {identity.name}"):
        count = session.wait(engine.check_keys())
    offset = engine.clock_offset
    document = {
        "name": identity.name,
        "ok": True,
        "source": identity.source,
        "endpoint": identity.profile.endpoint().base_url,
        "clusters": count,
        "clock_offset": offset.seconds if offset else None,
        "clock_uncertainty": offset.uncertainty if offset else None,
    }
    session.out.answer(document, keys_sentence(count, offset, identity.name))
    return ExitCode.DONE


def _document(session: Session, identity: Identity, book: ProfilesFile, used: str | None) -> dict[str, Any]:
    store = session.workspace.stores.get(identity.profile.store) if identity.is_stored else None
    return identity_document(
        identity,
        store.describe() if store else identity.source,
        default=book.default_profile is identity.profile,
        used=identity.name == used,
    )


def _in_use(session: Session, book: ProfilesFile) -> tuple[str | None, str]:
    """Who would be used without `--profile`, or why nobody would."""
    try:
        return session.workspace.choose(None, book).name, ""
    except Problem as problem:
        return None, problem_words(problem)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
