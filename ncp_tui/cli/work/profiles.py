"""The `profile` commands that change nothing: list, show, test."""

from __future__ import annotations

from typing import Any

from ncp_tui.cli.errors import ExitCode, problem_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.profiles.profiles_file import ProfilesFile
from ncp_tui.view.profiles import PROFILES, ListedIdentity, identity_document, keys_sentence
from ncp_tui.view.text import key_values


def list_profiles(context: CommandContext) -> ExitCode:
    """`profile list`: everybody there is, and who would be used now."""
    book = context.workspace.profiles.load()
    found = context.workspace.identities(book)
    used, why_not = _in_use(context, book)
    documents = [_document(context, identity, book, used) for identity in found.identities]
    listed = [
        ListedIdentity(each, current=each.name == used, default=book.default_profile is each.profile)
        for each in found.identities
    ]
    context.out.answer(documents, PROFILES.text(listed))
    for warning in found.warnings:
        context.out.note(warning)
    context.out.note(f"Used without --profile: {used}." if used else why_not)
    return ExitCode.DONE


def show_profile(context: CommandContext, name: str) -> ExitCode:
    """`profile show`."""
    context.call_as(name)
    identity = context.workspace.choose(name)
    book = context.workspace.profiles.load()
    document = _document(context, identity, book, _in_use(context, book)[0])
    context.out.answer(
        document, key_values([(key.replace("_", " "), _plain(value)) for key, value in document.items()])
    )
    return ExitCode.DONE


def test_profile(context: CommandContext, name: str | None) -> ExitCode:
    """`profile test`."""
    context.call_as(name)
    identity = context.identity()
    engine = context.connect(identity)
    with context.log.action(f"test the keys of {identity.name}"):
        count = context.wait(engine.check_keys())
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
    context.out.answer(document, keys_sentence(count, offset, identity.name))
    return ExitCode.DONE


def _document(context: CommandContext, identity: Identity, book: ProfilesFile, used: str | None) -> dict[str, Any]:
    store = context.workspace.stores.get(identity.profile.store) if identity.is_stored else None
    return identity_document(
        identity,
        store.describe() if store else identity.source,
        default=book.default_profile is identity.profile,
        used=identity.name == used,
    )


def _in_use(context: CommandContext, book: ProfilesFile) -> tuple[str | None, str]:
    """Who would be used without `--profile`, or why nobody would."""
    try:
        return context.workspace.choose(None, book).name, ""
    except Problem as problem:
        return None, problem_words(problem)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
