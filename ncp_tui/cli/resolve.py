"""`snapshot resolve`: every unresolved request of the journal, checked once more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from ncp_tui.cli.errors import CommandProblem, ExitCode, next_words, problem_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.operations import SET_STORAGE_KEY
from ncp_tui.snapshots.journal import JournalProblem, on_disk
from ncp_tui.snapshots.journal_contents import Contents, DamagedJournal
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import Caller, Verdict
from ncp_tui.snapshots.resolve import LOOK_UPS, Resolution, Resolver, check_same_gateway
from ncp_tui.view.requests import ACCEPTED_DAMAGE, marked_sentence, request_entry_document, resolved_text

Resolved = tuple[JournalEntry, Resolution | None]


class NothingOpen(CommandProblem):
    """No unresolved request has that name."""

    kind = "nothing_open"


def resolve_all(context: CommandContext, seconds: float) -> ExitCode:
    """Check what is unresolved; with `--profile` only the requests of that profile."""
    journal = context.journal
    contents = context.wait(on_disk(journal.contents))
    found = list(_resolved(context, _open(context, contents), seconds))
    lines = [resolved_text(entry, resolution) for entry, resolution in found]
    documents: list[dict[str, Any]] = [request_entry_document(entry, resolution) for entry, resolution in found]
    if contents.damage is not None:
        problem = DamagedJournal(contents.damage)
        lines.insert(0, f"Damaged: {problem_words(problem)}")
        documents.append({"damage": contents.damage.document(), "verdict": None})
    if contents.kept is not None and (journal.path.parent / contents.kept).exists():
        context.out.note(f"The journal of an earlier version is kept: {journal.path.parent / contents.kept}")
    context.out.answer(documents, "\n".join(lines) or "No unresolved requests.")
    unknown = any(resolution and resolution.verdict is Verdict.UNKNOWN for _, resolution in found)
    return ExitCode.UNKNOWN if unknown or contents.damage is not None else ExitCode.DONE


def accept(context: CommandContext, wanted: str) -> ExitCode:
    """Record that the user has seen the damage `wanted`. Raises OtherDamage."""
    report = context.wait(on_disk(lambda: context.journal.accept_damage(wanted)))
    context.out.answer(
        [{"damage": report.document(), "accepted": True}],
        f"Accepted: {report.summary}. {report.where}\n{ACCEPTED_DAMAGE}",
    )
    return ExitCode.DONE


def dismiss_one(context: CommandContext, cluster: str, name: str) -> ExitCode:
    """Mark the requests for `name` on `cluster`, a name or a number, as resolved.

    Raises NothingOpen, EntryHeld, NotOpen.
    """
    unresolved = _open(context, context.wait(on_disk(context.journal.contents)))
    of_cluster = [each for each in unresolved if cluster in {each.request.cluster_name, each.request.cluster_number}]
    entries = [each for each in of_cluster if name in {each.key[1], each.subject}]
    if not entries:
        raise NothingOpen(
            f"No unresolved request for {name!a} on {cluster!a}.",
            "",
            "List them: ncp-tui snapshot resolve",
        )
    resolver = Resolver(context.journal, context.log, _Askers(context).client_for)
    for entry in entries:
        context.wait(resolver.dismiss(entry))
    documents = [request_entry_document(entry, None) for entry in entries]
    context.out.answer(documents, marked_sentence(name))
    return ExitCode.DONE


def _open(context: CommandContext, contents: Contents) -> list[JournalEntry]:
    profile = context.settings.profile
    return [entry for entry in contents.entries if entry.is_open and profile in {None, entry.caller.profile, ""}]


def _resolved(context: CommandContext, entries: list[JournalEntry], seconds: float) -> Iterator[Resolved]:
    askers = _Askers(context)
    resolver = Resolver(context.journal, context.log, askers.client_for)
    for entry in sorted(entries, key=lambda entry: entry.caller.profile):
        name = entry.subject
        if entry.in_doubt and entry.operation in LOOK_UPS:
            askers.find(entry.caller)

        where = "bucket list" if entry.operation == SET_STORAGE_KEY else "history"

        def say(looks: int, said: str = f"Checking the {where} for {name} (up to {seconds:g} s).") -> None:
            if looks == 1:
                context.out.note(said)

        try:
            found = context.wait(resolver.resolve(entry, seconds=seconds, on_look=say))
        except JournalProblem:
            raise
        except Problem as problem:
            found = Resolution(Verdict.UNKNOWN, problem.what, next_words(problem))
        yield entry, found


class _Askers:
    """The profile of each request and a client for it; found first, since a locked store asks the user."""

    def __init__(self, context: CommandContext) -> None:
        self._context = context
        self._identities: dict[str, Identity] = {}
        self._engines: dict[str, SearchEngine] = {}
        self._problems: dict[Caller, Problem] = {}

    def find(self, caller: Caller) -> None:
        """Find the profile of the request, once, and its client if it still points to the same gateway."""
        name = caller.profile
        if caller in self._problems:
            return
        try:
            if name not in self._identities:
                self._identities[name] = self._context.identity(name or None)
            check_same_gateway(self._identities[name], caller)
            if name not in self._engines:
                self._engines[name] = self._context.connect(self._identities[name])
        except Problem as problem:
            self._problems[caller] = problem

    @asynccontextmanager
    async def client_for(self, caller: Caller) -> AsyncIterator[SearchEngine]:
        """The client for a request, in the form that Resolver takes."""
        problem = self._problems.get(caller)
        if problem is not None:
            raise problem
        yield self._engines[caller.profile]
