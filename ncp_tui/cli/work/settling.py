"""`snapshot settle`: every create of the journal whose outcome is open, looked into once more."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.work.documents import entry_document
from ncp_tui.cli.work.problems import CommandProblem
from ncp_tui.cli.work.session import Session
from ncp_tui.gateway import Problem
from ncp_tui.search_engine import SearchEngine
from ncp_tui.snapshots import Caller, Fact, Journal, JournalEntry, Settlement, Verdict, on_disk, settle

Settled = tuple[JournalEntry, Settlement | None]


class NothingOpen(CommandProblem):
    """A name that no open create has."""

    kind = "nothing_open"


def settle_all(session: Session, seconds: float, dismiss: str | None) -> ExitCode:
    """Settle what is open; with `--profile` only what that profile asked for."""
    journal = Journal(session.home.paths)
    entries = session.wait(on_disk(journal.open_entries))
    if session.settings.profile is not None:
        entries = [entry for entry in entries if entry.caller.profile == session.settings.profile]
    if dismiss is not None:
        return _dismiss(session, journal, [entry for entry in entries if entry.request.name == dismiss], dismiss)
    found = list(_settled(session, journal, entries, seconds))
    lines = [_line(entry, settlement) for entry, settlement in found]
    documents = [entry_document(entry, settlement) for entry, settlement in found]
    session.out.answer(documents, "\n".join(lines) or "Nothing is open: the outcome of every create is known.")
    unknown = any(settlement and settlement.verdict is Verdict.CANNOT_TELL for _, settlement in found)
    return ExitCode.UNKNOWN if unknown else ExitCode.DONE


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
                    settlement = Settlement(Verdict.CANNOT_TELL, problem.what, problem.next_step)
                action.outcome = settlement.sentence if settlement else "Another program has it in its hands."
            yield entry, settlement


def _engine(session: Session, profile: str, entry: JournalEntry) -> tuple[SearchEngine | None, Problem | None]:
    """A client for whoever asked, as long as that still leads to the same gateway."""
    try:
        identity = session.identity(profile)
        if Caller.of(identity).gateway != entry.caller.gateway:
            return None, Problem(
                f"Profile {profile} leads to another gateway now than when it asked.",
                "",
                f"Ask {entry.caller.gateway} with a profile for it.",
            )
        return session.connect(identity), None
    except Problem as problem:
        return None, problem


def _dismiss(session: Session, journal: Journal, entries: list[JournalEntry], name: str) -> ExitCode:
    if not entries:
        raise NothingOpen(
            f"No open create is called {name!a}.", "Nothing was changed.", "`snapshot settle` lists them."
        )
    for entry in entries:
        held = session.wait(on_disk(lambda key=entry.id: journal.hold(key)))  # type: ignore[misc]
        if held is None:
            raise NothingOpen(f"Another program has {name!a} in its hands.", "Nothing was changed.")
        try:
            held.record(Fact.DISMISSED)
        finally:
            held.release()
    documents = [entry_document(entry, None) for entry in entries]
    session.out.answer(documents, f"Dismissed: {name}. It is not looked for any more.")
    return ExitCode.DONE


def _line(entry: JournalEntry, settlement: Settlement | None) -> str:
    request = entry.request
    said = settlement.sentence if settlement else "Another program has it in its hands."
    return (
        f"{request.name} of {request.cluster_name} ({entry.at:%Y-%m-%d %H:%M:%S} UTC, {entry.caller.profile})\n  {said}"
    )
