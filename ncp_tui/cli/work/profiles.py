"""The `profile` commands that change nothing: list, show, test."""

from __future__ import annotations

from typing import Any

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.output import facts, table
from ncp_tui.cli.work.problems import problem_words
from ncp_tui.cli.work.session import Session
from ncp_tui.gateway import Problem
from ncp_tui.profiles import Identity, ProfileBook

_HEADINGS = ("", "PROFILE", "ZONE", "REGION", "ACCESS KEY", "SOURCE", "")


def list_profiles(session: Session) -> ExitCode:
    """`profile list`: everybody there is, and who would be used now."""
    book = session.home.profiles.load()
    found = session.home.identities(book)
    used, why_not = _in_use(session, book)
    documents = [identity_document(session, identity, book, used) for identity in found.identities]
    rows = [_row(identity, book, used) for identity in found.identities]
    session.out.answer(documents, table(_HEADINGS, rows))
    for warning in found.warnings:
        session.out.note(warning)
    session.out.note(f"Used without --profile: {used} (>)." if used else why_not)
    return ExitCode.DONE


def show_profile(session: Session, name: str) -> ExitCode:
    """`profile show`."""
    session.call_as(name)
    identity = session.home.choose(name)
    book = session.home.profiles.load()
    document = identity_document(session, identity, book, _in_use(session, book)[0])
    session.out.answer(document, facts([(key.replace("_", " "), _plain(value)) for key, value in document.items()]))
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
    seen = "it can see clusters" if count else "it sees no cluster"
    clock = f"; clock {offset} against the gateway" if offset else ""
    session.out.answer(document, f"OK: {identity.name} is accepted, {seen}{clock}.")
    return ExitCode.DONE


def identity_document(session: Session, identity: Identity, book: ProfileBook, used: str | None) -> dict[str, Any]:
    """An identity for scripts; its access key is masked, and its secret key is not looked at."""
    profile = identity.profile
    store = session.home.stores.get(profile.store) if identity.is_stored else None
    return {
        "name": identity.name,
        "kind": identity.kind.value,
        "source": store.describe() if store else identity.source,
        "access_key": identity.masked_access_key,
        "zone": profile.zone,
        "region": profile.region,
        "endpoint": profile.endpoint().base_url,
        "store": profile.store if identity.is_stored else None,
        "default": book.default_profile is profile,
        "used": identity.name == used,
        "gateway_url": profile.gateway_url,
        "ca_bundle": profile.ca_bundle,
        "default_bucket": profile.default_bucket,
        "name_template": profile.name_template,
        "read_only": profile.read_only,
        "protected": profile.protected,
        "accent": profile.accent,
    }


def _in_use(session: Session, book: ProfileBook) -> tuple[str | None, str]:
    """Who would be used without `--profile`, or why nobody would."""
    try:
        return session.home.choose(None, book).name, ""
    except Problem as problem:
        return None, problem_words(problem)


def _row(identity: Identity, book: ProfileBook, used: str | None) -> tuple[str, ...]:
    profile = identity.profile
    remarks = (
        ("default", book.default_profile is profile),
        ("read-only", profile.read_only),
        ("protected", profile.protected),
    )
    return (
        ">" if identity.name == used else "",
        identity.name,
        profile.zone,
        profile.region,
        identity.masked_access_key,
        identity.source,
        ", ".join(word for word, applies in remarks if applies),
    )


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
