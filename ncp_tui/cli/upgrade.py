"""`cluster upgrade-check`: whether a rolling upgrade may begin by the history, and by NCP where it is asked."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, NoReturn

import click

from ncp_tui.cli.cluster_lookup import is_number, read_cluster
from ncp_tui.cli.errors import NOTHING_SENT, Declined, ExitCode, NotConfirmed, exit_code_of, next_words, problem_words
from ncp_tui.cli.runner import CommandContext, error_document
from ncp_tui.gateway.errors import GatewayError, ReadOnlyRefused
from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import Cluster
from ncp_tui.search_engine.operations import UPGRADE_PRE_CHECK
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import on_disk
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.operations import OperationRequest
from ncp_tui.snapshots.outcome import Caller, Outcome
from ncp_tui.snapshots.pre_check import PreCheck, PreCheckIntent, ask_ncp, intent_of, pre_check_of
from ncp_tui.snapshots.upgrade import Gate, UpgradeCheck, read_upgrade
from ncp_tui.text import clean, inert
from ncp_tui.view.exchanges import request_document, request_text
from ncp_tui.view.text import plain_text
from ncp_tui.view.upgrade import (
    LOST,
    gate_card,
    pre_check_document,
    pre_check_lines,
    pre_check_question,
    pre_check_sentence,
    upgrade_document,
    upgrade_lines,
)


@dataclass(frozen=True)
class UpgradeOptions:
    """The options of the command."""

    cluster: str
    ask_ncp: bool = False
    target: str | None = None
    region_no: str | None = None
    dry_run: bool = False
    yes: bool = False
    confirm: str | None = None
    again: str | None = None
    """The earlier request without a known answer that the user has said yes to."""


def check_upgrade(context: CommandContext, options: UpgradeOptions) -> ExitCode:
    """`cluster upgrade-check`."""
    asking = _Asking(context, options.target or "")
    context.document_of, context.preface = asking.document, asking.sentence
    identity = context.identity()
    if options.ask_ncp:
        _pre_check(Cluster("0", options.cluster, ""), options)  # what is wrong with its words needs no request
        if not options.dry_run:
            _check_leave(context, identity, options)
    engine = context.connect(identity)
    with context.log.action(f"upgrade check of {options.cluster}"):
        cluster = context.wait(read_cluster(engine, options.cluster))
        check = context.wait(read_upgrade(engine, cluster))
    if not options.ask_ncp:
        return _tell(context, check)
    request = _pre_check(cluster, options)
    if check.versions and all(version.code != options.target for version in check.versions):
        context.out.note(f"{options.target} is not the code of a version on offer; NCP will decide.")
    guard = intent_of(request, Caller.of(identity), options.again)
    if options.dry_run:
        preview = engine.preview_change(request.operation, request.cluster_number, request.parameters)
        return _show(context, check, preview, guard, asking)
    context.wait(on_disk(lambda: context.journal.check(guard)))
    _ask_user(context, identity, cluster, options)
    asked = context.wait(asking.keep(ask_ncp(engine, request, guard, journal=context.journal, log=context.log)))
    return _tell_asked(context, check, asked)


class _Asking:
    """What is known of a request to NCP at every moment, also when the command breaks off."""

    def __init__(self, context: CommandContext, target: str) -> None:
        self._context = context
        self._target = target
        self._is_sending = self._is_known = False

    async def keep(self, asking: Awaitable[PreCheck]) -> PreCheck:
        """What `asking` returns; until then its answer is unknown once a byte of it has left."""
        self._is_sending = True
        found = await asking
        self._is_known = True
        return found

    @property
    def _is_unknown(self) -> bool:
        exchanges = (each for action in self._context.log.actions for each in action.exchanges)
        has_left = any(each.operation == UPGRADE_PRE_CHECK and each.sent for each in exchanges)
        return self._is_sending and not self._is_known and has_left

    def sentence(self) -> str:
        """That NCP was asked and its answer is unknown; nothing where that is not so."""
        return (
            f"Unknown what NCP says of an upgrade to {self._target}: it was asked. {LOST}" if self._is_unknown else ""
        )

    def document(self, problem: Problem) -> dict[str, Any]:
        """What the command ended in, for scripts."""
        document = error_document(problem)
        if isinstance(problem, SecondRequest):
            document["earlier"] = problem.earlier.document()
        if self._target:
            document["ncp"] = {"target": self._target, "outcome": "unknown" if self._is_unknown else "not_sent"}
        return document


def _pre_check(cluster: Cluster, options: UpgradeOptions) -> OperationRequest:
    return pre_check_of(cluster, options.target or "", options.region_no)


def _tell(context: CommandContext, check: UpgradeCheck) -> ExitCode:
    """Give the answer; a history that could not be read, or does not tell, is no answer."""
    gate, next_step = check.gate, next_words(gate_card(check))
    problem = gate.problem if gate.gate is Gate.UNKNOWN else None
    document = upgrade_document(check, next_step)
    if problem is not None:
        context.out.error(problem_words(problem))
        document |= error_document(problem)
    context.out.answer(document, plain_text(upgrade_lines(check, next_step)))
    _note_versions(context, check)
    if gate.gate is not Gate.UNKNOWN:
        return ExitCode.DONE
    return exit_code_of(problem) if isinstance(problem, GatewayError) else ExitCode.REFUSED


def _note_versions(context: CommandContext, check: UpgradeCheck) -> None:
    if check.versions_problem is not None:
        context.out.error(f"The versions on offer are not known. {problem_words(check.versions_problem)}")


def _check_leave(context: CommandContext, identity: Identity, options: UpgradeOptions) -> None:
    """Refuse, before any request, what may not be done, or not unconfirmed. Raises ReadOnlyRefused, NotConfirmed."""
    if context.workspace.read_only or identity.profile.read_only:
        leave = NextAction("read_only.leave")
        raise ReadOnlyRefused("Read-only mode: cannot ask NCP's pre-check.", NOTHING_SENT, "", leave)
    if identity.profile.protected:
        if options.yes:
            _refuse(f"Profile {identity.name} is protected: --yes does not confirm it.", options.cluster)
        if options.confirm is None and not context.can_ask:
            _refuse(f"Profile {identity.name} is protected: the cluster's name is required.", options.cluster)
    if options.confirm is not None and not is_number(options.cluster) and options.confirm != options.cluster:
        _refuse(f"--confirm {options.confirm!a} is not the cluster {options.cluster!a}.", options.cluster)


def _ask_user(context: CommandContext, identity: Identity, cluster: Cluster, options: UpgradeOptions) -> None:
    """Have the user agree, where there is one. Raises NotConfirmed, Declined."""
    question = inert(pre_check_question(cluster.title, options.target or ""))
    if options.confirm is not None:
        if options.confirm != cluster.name:
            _refuse(f"--confirm {options.confirm!a} is not the cluster's name.", cluster.name)
    elif identity.profile.protected:
        typed = click.prompt(f"{question}\nProfile {identity.name} is protected. Type the cluster name", err=True)
        if typed.strip() != cluster.name:
            _refuse(f"{typed.strip()!a} is not the cluster's name.", cluster.name)
    elif not options.yes and context.can_ask and not click.confirm(question, err=True):
        raise Declined


def _show(
    context: CommandContext, check: UpgradeCheck, preview: RequestRecord, guard: PreCheckIntent, asking: _Asking
) -> ExitCode:
    next_step = next_words(gate_card(check))
    context.out.note("Dry run: NCP was not asked. The request:")
    document = {"dry_run": True, **upgrade_document(check, next_step), "request": request_document(preview)}
    stop: Problem | None = None
    try:
        context.wait(on_disk(lambda: context.journal.check(guard)))
    except (SecondRequest, DamagedJournal) as problem:
        stop = problem
        document |= asking.document(problem)
    context.out.answer(document, f"{request_text(preview)}\n\n{plain_text(upgrade_lines(check, next_step))}")
    _note_versions(context, check)
    if stop is not None:
        context.out.error(f"This request would not be sent. {problem_words(stop)}")
        return exit_code_of(stop)
    return ExitCode.DONE


def _tell_asked(context: CommandContext, check: UpgradeCheck, asked: PreCheck) -> ExitCode:
    gate_step, error = next_words(gate_card(check)), asked.result.sent.error
    is_known = asked.outcome is not Outcome.UNKNOWN
    step = next_words(error) if error is not None and is_known else ""
    if asked.result.journal_problem is not None:
        context.out.error(f"Not recorded in the journal. {problem_words(asked.result.journal_problem)}")
    if asked.outcome is not Outcome.ACCEPTED:
        context.out.error(clean(f"{pre_check_sentence(asked)} {step}".rstrip()))
    document = upgrade_document(check, gate_step) | {"ncp": pre_check_document(asked, step)}
    context.out.answer(document, plain_text([*upgrade_lines(check, gate_step), *pre_check_lines(asked, step)]))
    _note_versions(context, check)
    if not is_known:
        return ExitCode.UNKNOWN
    return exit_code_of(error) if isinstance(error, Problem) else ExitCode.DONE


def _refuse(what: str, cluster: str) -> NoReturn:
    raise NotConfirmed(what, NOTHING_SENT, "", NextAction("create.confirm", {"cluster": cluster}))
