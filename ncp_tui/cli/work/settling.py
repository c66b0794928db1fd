"""`snapshot resolve`: every create of the journal whose outcome is open, looked into once more."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.work.problems import CommandProblem, next_words, problem_words
from ncp_tui.cli.work.session import Session
from ncp_tui.gateway.sites import may_be_one_site
from ncp_tui.problem import Problem
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.snapshots.journal import Journal, on_disk
from ncp_tui.snapshots.journal_contents import Contents, DamagedJournal
from ncp_tui.snapshots.journal_entry import Fact, JournalEntry
from ncp_tui.snapshots.outcome import Caller, Verdict
from ncp_tui.snapshots.settling import Settlement, settle
from ncp_tui.view.requests import IN_OTHER_HANDS, request_entry_document, settled_text

Settled = tuple[JournalEntry, Settlement | None]


class NothingOpen(CommandProblem):
    """A name that no open create has."""

    kind = "nothing_open"


def settle_all(session: Session, seconds: float) -> ExitCode:
    """Find out about what is unknown; with `--profile` only about what that profile asked for."""
    journal = Journal(session.home.paths)
    contents = session.wait(on_disk(journal.contents))
    found = list(_settled(session, journal, _open(session, contents), seconds))
    lines = [settled_text(entry, settlement) for entry, settlement in found]
    documents: list[dict[str, Any]] = [request_entry_document(entry, settlement) for entry, settlement in found]
    if contents.damage is not None:
        problem = DamagedJournal(contents.damage)
        lines.insert(0, f"Damaged: {problem_words(problem)}")
        documents.append({"damage": contents.damage.document(), "verdict": None})
    if contents.kept is not None and (journal.path.parent / contents.kept).exists():
        session.out.note(f"The journal of an earlier version is kept: {journal.path.parent / contents.kept}")
    session.out.answer(documents, "\n".join(lines) or "Nothing is open: the outcome of every create is known.")
    unknown = any(settlement and settlement.verdict is Verdict.CANNOT_TELL for _, settlement in found)
    return ExitCode.UNKNOWN if unknown or contents.damage is not None else ExitCode.DONE


def accept(session: Session, wanted: str) -> ExitCode:
    """Write down that the user has seen the damage `wanted`. Raises OtherDamage."""
    journal = Journal(session.home.paths)
    report = session.wait(on_disk(lambda: journal.accept_damage(wanted)))
    session.out.answer(
        [{"damage": report.document(), "accepted": True}],
        f"Accepted: {report.summary}. {report.where}\nWhat it touches stays unknown; creates may be sent again.",
    )
    return ExitCode.DONE


def dismiss_one(session: Session, cluster: str, name: str) -> ExitCode:
    """Look no more for the create of `name` on `cluster`, a name or a number. Raises NothingOpen."""
    journal = Journal(session.home.paths)
    entries = _open(session, session.wait(on_disk(journal.contents)))
    wanted = [
        entry
        for entry in entries
        if entry.request.name == name and cluster in {entry.request.cluster_name, entry.request.cluster_number}
    ]
    return _dismiss(session, journal, wanted, cluster, name)


def _open(session: Session, contents: Contents) -> list[JournalEntry]:
    profile = session.settings.profile
    return [entry for entry in contents.entries if entry.is_open and profile in {None, entry.caller.profile, ""}]


def _settled(session: Session, journal: Journal, entries: list[JournalEntry], seconds: float) -> Iterator[Settled]:
    by_profile = sorted(entries, key=lambda entry: entry.caller.profile)
    for profile, group in groupby(by_profile, key=lambda entry: entry.caller.profile):
        engine: SearchEngine | None = None
        problem: Problem | None = None
        for entry in group:
            name = entry.request.name
            with session.log.action(f"settle {name}") as action:
                settlement = session.wait(settle(journal, entry, None))
                if settlement is None and entry.in_doubt and engine is None and problem is None:
                    engine, problem = _engine(session, profile, entry)
                if settlement is None and engine is not None:
                    session.out.note(f"Looking for {name} in the history, for {seconds:g} s at most.")
                    settlement = session.wait(settle(journal, entry, engine, seconds=seconds))
                if settlement is None and problem is not None:
                    settlement = Settlement(Verdict.CANNOT_TELL, problem.what, next_words(problem))
                action.outcome = settlement.sentence if settlement else IN_OTHER_HANDS
            yield entry, settlement


def _engine(session: Session, profile: str, entry: JournalEntry) -> tuple[SearchEngine | None, Problem | None]:
    """A client for whoever asked, as long as that still leads to the same gateway."""
    try:
        identity = session.identity(profile or None)
        if not may_be_one_site(Caller.of(identity).gateway, entry.caller.gateway):
            return None, Problem(
                f"Profile {profile} leads to another gateway now than when it asked.",
                "",
                f"Ask {entry.caller.gateway} with a profile for it.",
            )
        return session.connect(identity), None
    except Problem as problem:
        return None, problem


def _dismiss(session: Session, journal: Journal, entries: list[JournalEntry], cluster: str, name: str) -> ExitCode:
    if not entries:
        raise NothingOpen(
            f"No open create of {cluster!a} is called {name!a}.",
            "Nothing was changed.",
            "`snapshot resolve` lists them.",
        )
    for entry in entries:
        held = session.wait(on_disk(lambda key=entry.id: journal.hold(key)))  # type: ignore[misc]
        if held is None:
            raise NothingOpen(f"Another program has {name!a} in its hands.", "Nothing was changed.")
        try:
            held.record(Fact.DISMISSED)
        finally:
            held.release()
    documents = [request_entry_document(entry, None) for entry in entries]
    session.out.answer(documents, f"Dismissed: {name}. It is not looked for any more.")
    return ExitCode.DONE
