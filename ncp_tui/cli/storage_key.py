"""`cluster set-key`: every problem that can be found first, then the key leaves once, then what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from ncp_tui.cli.cluster_lookup import find_cluster, is_number
from ncp_tui.cli.errors import NOTHING_SENT, Declined, ExitCode, NotConfirmed, exit_code_of, problem_words
from ncp_tui.cli.options import Invocation
from ncp_tui.cli.request_report import LeftRequests, cluster_member, error_member
from ncp_tui.cli.runner import CommandContext
from ncp_tui.cli.secret_input import printed_secret, read_secret
from ncp_tui.gateway.credentials import Credentials, SecretKey, check_access_key, mask_access_key
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.credential_sources import key_source_for
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import Cluster
from ncp_tui.search_engine.operations import SET_STORAGE_KEY
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import on_disk
from ncp_tui.snapshots.operations import OperationResult
from ncp_tui.snapshots.outcome import Caller, Outcome
from ncp_tui.snapshots.preflight import read_evidence
from ncp_tui.snapshots.storage_key import (
    Destination,
    KeysExpire,
    StorageKeyDraft,
    check_lasting,
    own_key,
    read_only_refused,
    send_storage_key,
)
from ncp_tui.snapshots.storage_key_state import KeyRead, read_key
from ncp_tui.text import inert
from ncp_tui.view.exchanges import request_document, request_text
from ncp_tui.view.preflight import check_document
from ncp_tui.view.storage_key import (
    CHECKING,
    NEVER_SHOWN,
    check_sentence,
    outcome_sentence,
    question,
    result_document,
    result_words,
)

RESOLVE_SECONDS = 60.0
"""How long the bucket list is read after a lost answer, before the command ends with "unknown"."""

_PLACEHOLDER = "placeholder"


@dataclass(frozen=True)
class KeyOptions:
    """The options of the command."""

    cluster: str
    this_profile: bool = False
    access_key: str | None = None
    secret_stdin: bool = False
    secret_command: str | None = None
    dry_run: bool = False
    yes: bool = False
    confirm: str | None = None
    confirm_gateway: str | None = None
    again: str | None = None

    def check(self) -> None:
        """Raise UsageError unless exactly one key is named, and one way to its secret at most."""
        if self.this_profile == (self.access_key is not None):
            raise click.UsageError("Give either --this-profile or --access-key AK.")
        if self.this_profile and (self.secret_stdin or self.secret_command is not None):
            raise click.UsageError("--this-profile takes the secret key of the profile; give no other.")
        if self.secret_stdin and self.secret_command is not None:
            raise click.UsageError("--secret-stdin and --secret-command exclude each other.")


def set_storage_key(context: CommandContext, options: KeyOptions) -> ExitCode:
    """Set the storage key of one cluster. From here on every failure says whether it was done."""
    options.check()
    work = _Setting(context, options)
    context.document_of, context.preface = work.document, work.sentence
    return work.run()


class _Setting:
    """The steps of it, in their order, and what is known at each."""

    def __init__(self, context: CommandContext, options: KeyOptions) -> None:
        self._context = context
        self._options = options
        self._asked_at = datetime.fromtimestamp(Invocation.of(click.get_current_context()).began, UTC)
        self._cluster: Cluster | None = None
        self._masked: str | None = None
        self._before: KeyRead | None = None
        self._after: KeyRead | None = None
        self._result: OperationResult | None = None
        self._left = LeftRequests(context.log, SET_STORAGE_KEY)

    def run(self) -> ExitCode:
        options, context = self._options, self._context
        access_key = None if options.access_key is None else check_access_key(options.access_key)
        self._masked = mask_access_key(access_key) if access_key is not None else None
        identity = context.identity()
        destination = Destination.of(identity, context.workspace.environ)
        if not options.dry_run:
            self._check_leave(identity, destination)
        if options.this_profile and identity.role is not None:
            raise KeysExpire
        key = self._typed(access_key) if access_key is not None else None
        keys = context.ask_store(lambda: key_source_for(identity, context.workspace.stores))
        engine = context.connect_with(identity, keys)
        if key is not None and not options.dry_run:
            check_lasting(key.access_key, identity)  # only now is it known which the role has handed out
            engine.keep_out(SecretKey(key.access_key), key.secret_key)
        draft = self._looked(engine, identity, destination, key or context.wait(own_key(identity, keys)))
        if options.dry_run:
            return self._show(draft, engine)
        while self._ask(draft) and draft.is_old(context.workspace.now()):
            context.out.note("Nothing was sent: what was read is out of date and is being read again.")
            draft = self._looked(engine, identity, destination, draft.key)
        return self._send(draft, engine)

    @property
    def outcome(self) -> Outcome:
        """What is proved; of a request that was cut off, by what left this machine."""
        if self._result is not None:
            return self._result.sent.outcome
        return self._left.outcome

    def sentence(self) -> str:
        """What became of it, in words."""
        return outcome_sentence(self.outcome, self._title, self._masked or "the new one")

    def document(self, problem: Problem | None = None) -> dict[str, Any]:
        """The document of the contract. `problem` is what it ended in, if anything."""
        earlier = {"earlier": problem.earlier.document()} if isinstance(problem, SecondRequest) else {}
        writer = self._result.writer if self._result is not None else None
        return {
            "cluster": cluster_member(self._options.cluster, self._cluster),
            "access_key": self._masked,
            **result_document(self.outcome, self._result, self._before, self._after),
            "error": None if problem is None else error_member(problem),
            **earlier,
            **({"journaled": False} if writer is not None and writer.problem is not None else {}),
        }

    @property
    def _title(self) -> str:
        return self._cluster.title if self._cluster is not None else self._options.cluster

    def _check_leave(self, identity: Identity, destination: Destination) -> None:
        """Refuse, before any request and before a secret is read, what may not be done. Raises a Problem."""
        options = self._options
        if self._is_read_only(identity):
            raise read_only_refused()
        destination.check(options.confirm_gateway)
        if identity.profile.protected:
            if options.yes:
                _refuse(f"Profile {identity.name} is protected: --yes does not confirm it.", options.cluster)
            if options.confirm is None and (options.secret_stdin or not self._context.can_ask):
                _refuse(f"Profile {identity.name} is protected: the cluster's name is required.", options.cluster)
        if options.confirm is not None and not is_number(options.cluster) and options.confirm != options.cluster:
            _refuse(f"--confirm {options.confirm!a} is not the cluster {options.cluster!a}.", options.cluster)

    def _is_read_only(self, identity: Identity) -> bool:
        return self._context.workspace.read_only or identity.profile.read_only

    def _typed(self, access_key: str) -> Credentials:
        """The pair that was named; a dry run reads no secret. Raises what reading it does."""
        options = self._options
        if options.dry_run:
            return Credentials(access_key, SecretKey(_PLACEHOLDER))
        if options.secret_command is not None:
            return Credentials(access_key, printed_secret(self._context, options.secret_command))
        return Credentials(access_key, read_secret(self._context, options.secret_stdin))

    def _looked(
        self, engine: SearchEngine, identity: Identity, destination: Destination, key: Credentials
    ) -> StorageKeyDraft:
        self._masked = key.masked
        with self._context.log.action(f"look before setting the storage key of {self._options.cluster}"):
            return self._context.wait(self._look(engine, identity, destination, key))

    async def _look(
        self, engine: SearchEngine, identity: Identity, destination: Destination, key: Credentials
    ) -> StorageKeyDraft:
        """Read the cluster, its buckets and its history, and the journal. Raises what forbids it, or stops it."""
        options, context = self._options, self._context
        listed = self._cluster
        cluster = self._cluster = listed or await find_cluster(engine, options.cluster)
        journal = context.journal
        evidence = await read_evidence(engine, cluster, journal, context.workspace.now, just_read=listed is None)
        draft = StorageKeyDraft(
            evidence.cluster,
            Caller.of(identity),
            destination,
            key,
            protected=identity.profile.protected,
            read_only=self._is_read_only(identity),
            evidence=evidence,
            again=options.again,
            confirmed_host=options.confirm_gateway,
            asked_at=self._asked_at,
        )
        self._before = draft.before
        if not options.dry_run:
            for check in draft.doubts:
                context.out.note(f"{check.subject}: {check.sentence}")
            if draft.problem is not None:
                raise draft.problem
            await on_disk(lambda: journal.check(draft.intent))
        return draft

    def _show(self, draft: StorageKeyDraft, engine: SearchEngine) -> ExitCode:
        request = draft.request()
        preview = engine.preview_change(request.operation, request.cluster_number, request.parameters)
        document = {
            "dry_run": True,
            **self.document(),
            "checks": [check_document(check) for check in draft.checks],
            "gateway": {"host": draft.destination.host, "doubt": draft.destination.doubt or None},
            "request": request_document(preview),
        }
        if draft.earlier is not None:
            document["earlier"] = draft.earlier.document()
        self._context.out.note("Dry run: nothing was set. The request:")
        lines = "\n".join(f"{check.subject}: {check.sentence}" for check in draft.checks)
        self._context.out.answer(document, f"{request_text(preview)}\n\n{lines}")
        stops = draft.problem or draft.stop
        if stops is not None:
            self._context.out.error(f"This request would not be sent. {problem_words(stops)}")
            return exit_code_of(stops)
        return ExitCode.DONE

    def _ask(self, draft: StorageKeyDraft) -> bool:
        """Have the user agree, where there is one; whether a question was asked. Raises NotConfirmed, Declined."""
        options, name = self._options, draft.cluster.name
        if options.confirm is not None:
            if options.confirm != name:
                _refuse(f"--confirm {options.confirm!a} is not the cluster's name.", name)
            return False
        if draft.protected:
            typed = click.prompt(inert(question(draft)).removesuffix(":"), err=True)
            if typed.strip() != name:
                _refuse(f"{typed.strip()!a} is not the cluster's name.", name)
            return True
        if options.yes or not self._context.can_ask:
            self._context.out.note(f"Setting the storage key of {self._title} to {draft.key.masked}. {NEVER_SHOWN}")
            return False
        if not click.confirm(inert(question(draft)), err=True):
            raise Declined
        return True

    def _send(self, draft: StorageKeyDraft, engine: SearchEngine) -> ExitCode:
        context = self._context
        self._left.begin()
        with context.log.action(f"set the storage key of {self._title}") as action:
            self._result = context.wait(
                send_storage_key(
                    engine,
                    draft,
                    journal=context.journal,
                    now=context.workspace.now,
                    resolve_seconds=RESOLVE_SECONDS,
                    on_resolving=lambda error: context.out.note(f"{error.what} {CHECKING}"),
                )
            )
            action.outcome = result_words(self._result, draft.key.masked)[0]
            action.failed = self.outcome is not Outcome.ACCEPTED
        return self._tell(self._result, draft, engine)

    def _tell(self, result: OperationResult, draft: StorageKeyDraft, engine: SearchEngine) -> ExitCode:
        """Say what came of it, and what the bucket list says now."""
        context, sent = self._context, result.sent
        if result.journal_problem is not None:
            context.out.error(f"Not recorded in the journal. {problem_words(result.journal_problem)}")
        if sent.outcome is Outcome.ACCEPTED:
            with context.log.action(f"buckets of {self._title}"):
                self._after = context.wait(read_key(engine, draft.cluster.number, context.workspace.now))
            said = result_words(result, draft.key.masked)[0]
            lines = [said, check_sentence(self._after), f"Request ID: {sent.request_id or '-'}"]
            context.out.answer(self.document(), "\n".join(lines))
            return ExitCode.DONE
        error = sent.error or GatewayError("NCP gave no reason.")
        if sent.outcome is not Outcome.UNKNOWN:
            context.tell(error)
            return exit_code_of(error)
        found = sent.resolution
        context.out.error(f"{self.sentence()} {error.what}")
        if found is not None:
            context.out.error(f"{found.evidence[:1].upper()}{found.evidence[1:]} {found.next_step}")
        if result.entry is not None:
            context.out.error(
                "Until it is resolved, the next request for this cluster needs --again; see snapshot resolve."
            )
        if context.settings.json:
            context.out.document(self.document(error))
        return ExitCode.UNKNOWN


def _refuse(what: str, cluster: str) -> NoReturn:
    raise NotConfirmed(what, NOTHING_SENT, "", NextAction("create.confirm", {"cluster": cluster}))
