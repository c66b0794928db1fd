"""What an operator meets in each fault of the sandbox's lab: one create, and one line of a table for it.

The create and its telling are what the command does; a line for each kind of evidence goes through the whole command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path
from types import NoneType
from typing import NamedTuple

import pytest
from _pytest.mark.structures import ParameterSet

from ncp_tui.cli.create_report import CreateOptions, CreateReport, Ending
from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.options import Settings
from ncp_tui.cli.runner import CommandContext
from ncp_tui.cli.signals import Signals
from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.errors import (
    AnswerLost,
    AuthenticationFailed,
    BadAnswer,
    EndpointError,
    EndpointTimeout,
    GatewayError,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    Redirected,
    RefusedByGateway,
    RefusedByService,
    ServerError,
    Throttled,
    TlsFailed,
)
from ncp_tui.gateway.request import Timeouts
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.fault_lab.catalogue import FAULTS, install
from ncp_tui.sandbox.sandbox import RunningSandbox, Sandbox, ThreadedSandbox, serve
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.snapshots.create import CreateResult, create_snapshot
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_entry import JournalEvent
from ncp_tui.snapshots.outcome import SnapshotRequest
from ncp_tui.snapshots.preflight import Preflight, preflight, read_evidence
from ncp_tui.snapshots.resolve import search_history
from ncp_tui.snapshots.track import TrackedSnapshot
from tests.cli.program import Called, Result, keys_of
from tests.snapshots.journals import journal_in, lines_of
from tests.snapshots.waiting import WAITED, Waiting

REQUEST = SnapshotRequest("1037001", "search-0001", "x-1", "bk.ses.snapshot")
COMMAND = ("snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", "x-1", "--yes", "--json")


class Row(NamedTuple):
    """One line of the table."""

    faults: str
    """As `ncp-tui sandbox --fault` takes them, with a space between."""
    error: type[GatewayError] | None
    """What the failure was taken for, that of the last create where it came to one."""
    outcome: str
    resolved_by: str | None
    exit_code: int
    words: str
    """What stderr says, among other things."""


DONE = "Follow it: ncp-tui snapshot wait search-0001 x-1"
BROKE = "The connection was lost before the response was complete."
SILENT = f"No complete response within {WAITED.total:g} s."
NOT_CONFIRMED = "NCP answered without confirming (result is not true)."
THROTTLED = "Not started: x-1. The gateway is throttling this account ("
NOT_ALLOWED = "Ask for the policy NCP_VPC_SEARCH_ENGINE_SERVICE_MANAGER, or use another profile."
NOT_FOLLOWED = "It was not followed: the signed request was meant for one address only."
NOT_IN_THE_HISTORY = "the history did not have x-1."
NOT_RUNNING = "(code 40050). Nothing was started by this request. The message says why: correct that"
FAILED = "The gateway failed (500/900: Unexpected Error - Unexpected error)."
STRANGE = "The response is not one of NCP's (200):"

CLASSIC = "A response in the format of another service arrived"


def contradictory(
    name: str, kind: type[GatewayError], words: str
) -> Iterator[tuple[str, type[GatewayError], str, str | None, int, str]]:
    """It says the same of a snapshot that was started and of one that was not; the history knows."""
    yield f"{name}-before", kind, "unknown", None, 9, words
    yield f"{name}-after", kind, "accepted", "history", 0, words


_TABLE: list[tuple[str, type[GatewayError] | None, str, str | None, int, str]] = [
    # Faults, taken for, outcome, resolved by, exit code, words.
    #
    # The connection ends, falls silent or crawls. The history tells what became of the request, where it can.
    ("drop-before", AnswerLost, "unknown", None, 9, BROKE),
    ("drop-after", AnswerLost, "accepted", "history", 0, BROKE),
    ("reset-before", AnswerLost, "unknown", None, 9, BROKE),
    ("reset-after", AnswerLost, "accepted", "history", 0, BROKE),
    ("hang-before", AnswerLost, "unknown", None, 9, SILENT),
    ("hang-after", AnswerLost, "accepted", "history", 0, SILENT),
    ("late", AnswerLost, "accepted", "history", 0, SILENT),
    ("hang-in-body", AnswerLost, "accepted", "history", 0, SILENT),
    ("trickle-headers", AnswerLost, "accepted", "history", 0, SILENT),
    ("trickle-body", AnswerLost, "accepted", "history", 0, SILENT),
    ("truncate-after", AnswerLost, "accepted", "history", 0, BROKE),
    ("huge", BadAnswer, "accepted", "history", 0, "The response is larger than 8 MiB and was cut off."),
    ("gzip-bomb", BadAnswer, "accepted", "history", 0, "The response is larger than 8 MiB and was cut off."),
    # An answer comes that is none of the service's: it proves nothing, in either direction.
    ("empty-200-before", BadAnswer, "unknown", None, 9, f"{STRANGE} it is empty."),
    ("empty-200-after", BadAnswer, "accepted", "history", 0, f"{STRANGE} it is empty."),
    ("html-200-before", BadAnswer, "unknown", None, 9, "Check the gateway URL and the proxy, and the history"),
    ("html-200-after", BadAnswer, "accepted", "history", 0, f"{STRANGE} <!DOCTYPE html>"),
    ("html-502-before", ServerError, "unknown", None, 9, "A proxy may have answered instead of NCP."),
    ("html-502-after", ServerError, "accepted", "history", 0, "HTTP 502 came without an error body"),
    ("html-503-before", EndpointError, "unknown", None, 9, "A proxy may have answered instead of NCP."),
    ("html-503-after", EndpointError, "accepted", "history", 0, "HTTP 503 came without an error body"),
    ("html-403", PermissionDenied, "unknown", None, 9, "HTTP 403 came without an error body"),
    ("html-5mb-before", ServerError, "unknown", None, 9, "HTTP 502 came without an error body"),
    ("html-5mb-after", ServerError, "accepted", "history", 0, "HTTP 502 came without an error body"),
    ("result-null-before", BadAnswer, "unknown", None, 9, NOT_CONFIRMED),
    ("result-null-after", BadAnswer, "accepted", "history", 0, NOT_CONFIRMED),
    ("result-text", BadAnswer, "accepted", "history", 0, NOT_CONFIRMED),
    ("result-nan", BadAnswer, "accepted", "history", 0, NOT_CONFIRMED),
    ("json-list", BadAnswer, "accepted", "history", 0, f"{STRANGE} []."),
    ("json-string", BadAnswer, "accepted", "history", 0, f'{STRANGE} "SUCCESS".'),
    ("json-number", BadAnswer, "accepted", "history", 0, f"{STRANGE} 0."),
    ("json-null", BadAnswer, "accepted", "history", 0, f"{STRANGE} null."),
    ("deep-nesting", BadAnswer, "accepted", "history", 0, "The response has more than 50,000 values and was not read."),
    ("not-utf-8", BadAnswer, "accepted", "history", 0, f'{STRANGE} {{"code": 0, "message": "\N{REPLACEMENT CHARACTER}'),
    # Odd, and yet a confirmation: nothing is said of it.
    ("code-text", None, "accepted", None, 0, DONE),
    ("byte-order-mark", None, "accepted", None, 0, DONE),
    ("latin-1", None, "accepted", None, 0, DONE),
    ("content-type", None, "accepted", None, 0, DONE),
    # Errors in other shapes. A status of success with an error inside proves neither.
    ("response-error", BadAnswer, "unknown", None, 9, f"{CLASSIC} (400). It says: The request cannot be processed."),
    (
        "response-error-200",
        BadAnswer,
        "unknown",
        None,
        9,
        f"{CLASSIC} (200). It says: The request cannot be processed.",
    ),
    ("error-in-200", ServerError, "unknown", None, 9, "The gateway answered 200/900: Unexpected Error."),
    # Status, code and result that do not belong together. Each looks like a yes or a no, and is neither.
    *contradictory("mismatch-400-510", EndpointTimeout, "The gateway answered 400/510: See the code."),
    *contradictory("mismatch-409-900", ServerError, "The gateway answered 409/900: See the code."),
    *contradictory("mismatch-429-500", EndpointError, "The gateway answered 429/500: See the code."),
    *contradictory("mismatch-404-200", NotFound, "The gateway answered 404/200: See the code."),
    *contradictory("error-code-spaces", Throttled, "The gateway answered 429/ 410 : See the code."),
    *contradictory("error-code-float", Throttled, "The gateway answered 429/410.0: See the code."),
    *contradictory("confirmed-429", Throttled, "The response contradicts itself: HTTP 429 with code 0."),
    *contradictory("html-429", Throttled, "an error body that NCP documents. It says: Slow down."),
    *contradictory("empty-407", BadAnswer, "HTTP 407 came without an error body that NCP documents."),
    *contradictory("empty-408", BadAnswer, "HTTP 408 came without an error body that NCP documents."),
    *contradictory("envelope-504", ServerError, "NCP failed: 안 됩니다. (no) (HTTP 200, code 504)."),
    *contradictory("envelope-900", ServerError, "NCP failed: 안 됩니다. (no) (HTTP 400, code 900)."),
    *contradictory("envelope-404", NotFound, "HTTP 404 with code 10001, which is not one of its refusals. It says: 안"),
    *contradictory(
        "envelope-409", BadAnswer, "HTTP 409 with code 10001, which is not one of its refusals. It says: 안"
    ),
    *contradictory("envelope-500", ServerError, "NCP failed: 안 됩니다. (no) (HTTP 500, code 10001)."),
    *contradictory(
        "envelope-302", BadAnswer, "code of the response (-1) is not a number that NCP uses. It says: 안 됩니다. (no)."
    ),
    *contradictory(
        "code-negative", BadAnswer, "code of the response (-1) is not a number that NCP uses. It says: 안 됩니다."
    ),
    *contradictory(
        "code-word", BadAnswer, "code of the response (DENIED) is not a number that NCP uses. It says: 안 됩니다."
    ),
    *contradictory(
        "code-signed", BadAnswer, "code of the response (+3) is not a number that NCP uses. It says: 안 됩니다."
    ),
    *contradictory("refused-and-confirmed", BadAnswer, "The response contradicts itself: result true with code 10001."),
    *contradictory(
        "result-missing", BadAnswer, "HTTP 400 with code 10001, which is not one of its refusals. It says: no."
    ),
    *contradictory("error-and-envelope", BadAnswer, "contradicts itself: it has more than one of the known formats."),
    *contradictory("member-twice", BadAnswer, "The response contradicts itself: a member occurs twice. It says: no."),
    *contradictory("spring-404", NotFound, "that NCP documents. It says: Not Found - No static resource."),
    *contradictory("kong-401", AuthenticationFailed, "that NCP documents. It says: No API key found."),
    *contradictory("kong-429", Throttled, "that NCP documents. It says: API rate limit exceeded."),
    # It repeats what was sent; that is no secret here.
    ("echo-before", ServerError, "unknown", None, 9, 'NCP failed: debug: rejected {"snapshotName":"x-1"'),
    ("echo-after", ServerError, "accepted", "history", 0, 'NCP failed: debug: rejected {"snapshotName":"x-1"'),
    ("echo-200", None, "accepted", None, 0, DONE),
    # The gateway refuses: nothing reached the service.
    (
        "bad-request",
        RefusedByGateway,
        "refused",
        None,
        8,
        "(400/100: Bad Request Exception - Invalid request). Nothing",
    ),
    (
        "authentication-failed",
        AuthenticationFailed,
        "refused",
        None,
        4,
        "the signature (401/200: Authentication Failed - Invalid",
    ),
    ("permission-denied", PermissionDenied, "refused", None, 5, NOT_ALLOWED),
    ("forbidden", PermissionDenied, "refused", None, 5, NOT_ALLOWED),
    ("not-found", NotFound, "refused", None, 8, "Check site, region and gateway URL of the profile, then"),
    ("too-large", RefusedByGateway, "refused", None, 8, "Request entity too large). Nothing was changed."),
    ("quota-exceeded", QuotaExceeded, "refused", None, 7, "The account's quota is used up (429/400: Quota Exceeded"),
    # It throttles: asked again after a pause and a look at the history, twice at most.
    ("throttled", None, "accepted", None, 0, DONE),
    ("throttled:always", Throttled, "refused", None, 7, f"{THROTTLED}429/410: Throttle Limited - Throttle limited)."),
    ("throttled drop-after", AnswerLost, "accepted", "history", 0, BROKE),
    ("rate-limited", None, "accepted", None, 0, DONE),
    (
        "rate-limited:always",
        Throttled,
        "refused",
        None,
        7,
        f"{THROTTLED}429/420: Rate Limited - Rate limited). Nothing",
    ),
    ("retry-after-absent", None, "accepted", None, 0, DONE),
    ("retry-after-0", None, "accepted", None, 0, DONE),
    ("retry-after-5", None, "accepted", None, 0, DONE),
    ("retry-after-86400", None, "accepted", None, 0, DONE),
    ("retry-after-negative", None, "accepted", None, 0, DONE),
    ("retry-after-garbage", None, "accepted", None, 0, DONE),
    ("retry-after-date", None, "accepted", None, 0, DONE),
    # It failed, or lost the service behind it: who knows how far the request got?
    ("unexpected-error-before", ServerError, "unknown", None, 9, FAILED),
    ("unexpected-error-after", ServerError, "accepted", "history", 0, FAILED),
    ("endpoint-error-before", EndpointError, "unknown", None, 9, "The gateway could not reach its backend"),
    (
        "endpoint-error-after",
        EndpointError,
        "accepted",
        "history",
        0,
        "The gateway could not reach its backend",
    ),
    ("endpoint-timeout-before", EndpointTimeout, "unknown", None, 9, "The request may have taken effect nevertheless."),
    (
        "endpoint-timeout-after",
        EndpointTimeout,
        "accepted",
        "history",
        0,
        "The backend of the gateway did not answer in",
    ),
    # It points elsewhere. Nobody goes there, for a signature is not for others to see.
    ("redirect-301", Redirected, "unknown", None, 9, "answered with a redirect (301) to http://localhost:1/api/v2"),
    ("redirect-301-same-host", Redirected, "unknown", None, 9, "answered with a redirect (301) to /api/v2"),
    ("redirect-302", Redirected, "unknown", None, 9, NOT_FOLLOWED),
    ("redirect-302-same-host", Redirected, "unknown", None, 9, NOT_FOLLOWED),
    ("redirect-307", Redirected, "unknown", None, 9, NOT_FOLLOWED),
    ("redirect-307-same-host", Redirected, "unknown", None, 9, NOT_FOLLOWED),
    ("redirect-308", Redirected, "unknown", None, 9, "Check again later: ncp-tui snapshot resolve"),
    ("redirect-308-same-host", Redirected, "unknown", None, 9, NOT_FOLLOWED),
    # The service says no.
    ("duplicate-name", RefusedByService, "refused", None, 8, "snapshot with the same name already exists (code 40070)"),
    ("busy", RefusedByService, "refused", None, 8, "(another snapshot is in progress) (code 40080)."),
    ("refused", RefusedByService, "refused", None, 8, NOT_RUNNING),
    ("refused-200", RefusedByService, "refused", None, 8, NOT_RUNNING),
    ("result-false", BadAnswer, "unknown", None, 9, "NCP answered result: false (SUCCESS)."),
    ("key-not-set", RefusedByService, "refused", None, 8, "the cluster has no storage key (its API authentication key"),
    ("key-not-set-200", RefusedByService, "refused", None, 8, "Set the cluster's storage key, then try again."),
    ("wrong-generation", RefusedByService, "refused", None, 8, "(code 10139: 서버 세대가 맞지 않습니다. (server"),
    ("wrong-generation-200", RefusedByService, "refused", None, 8, "for another generation of servers than this"),
    ("no-recent-snapshot", RefusedByService, "refused", None, 8, "(code 10154: 최근 스냅샷이 없습니다. (a recent"),
    ("no-recent-snapshot-200", RefusedByService, "refused", None, 8, "Create a snapshot of the cluster, wait until it"),
    # A wrong clock is corrected for, and told of. A date that is none says nothing.
    ("clock-slow", None, "accepted", None, 0, "s ahead of NCP. Correct this machine's clock."),
    ("clock-fast", None, "accepted", None, 0, "s behind NCP. Correct this machine's clock."),
    ("date-missing", None, "accepted", None, 0, "clock: unknown: no server time received."),
    ("date-garbage", None, "accepted", None, 0, "clock: unknown: no server time received."),
    ("date-twice", None, "accepted", None, 0, "clock: unknown: no server time received."),
    ("date-wrong", None, "accepted", None, 0, "s behind NCP. Correct this machine's clock."),
    ("drop-after clock-slow", AnswerLost, "accepted", "history", 0, BROKE),
    ("drop-after date-missing", AnswerLost, "accepted", "history", 0, BROKE),
    ("drop-after date-garbage", AnswerLost, "accepted", "history", 0, BROKE),
    ("drop-after date-twice", AnswerLost, "accepted", "history", 0, BROKE),
    # The history misleads. It is asked only where the answer did not say; the first read is the look beforehand.
    ("history-lags", None, "accepted", None, 0, DONE),
    ("drop-after history-lags:2", AnswerLost, "accepted", "history", 0, BROKE),
    ("history-loses", None, "accepted", None, 0, DONE),
    ("drop-after history-loses", AnswerLost, "unknown", None, 9, NOT_IN_THE_HISTORY),
    ("drop-before history-loses", AnswerLost, "unknown", None, 9, NOT_IN_THE_HISTORY),
    ("history-fails", None, "accepted", None, 0, DONE),
    ("history-reversed", None, "accepted", None, 0, DONE),
    ("drop-after history-reversed", AnswerLost, "accepted", "history", 0, BROKE),
    ("history-freezes", None, "accepted", None, 0, DONE),
    ("drop-after history-freezes", AnswerLost, "accepted", "history", 0, BROKE),
    # Schedules are none of a create's business.
    ("schedule-missed", None, "accepted", None, 0, DONE),
    ("schedule-adds", None, "accepted", None, 0, DONE),
    # No connection that can be trusted: nothing leaves.
    ("tls", None, "accepted", None, 0, DONE),
    ("tls drop-after", AnswerLost, "accepted", "history", 0, BROKE),
    ("tls-unknown-ca", TlsFailed, "not_sent", None, 6, "set its CA as the CA bundle of the profile."),
    ("tls-expired", TlsFailed, "not_sent", None, 6, "expired. Nothing was sent. Check the date of this machine."),
    ("tls-wrong-host", TlsFailed, "not_sent", None, 6, "Check the gateway URL of the profile, and whether a proxy"),
    ("tls-stall", TlsFailed, "not_sent", None, 6, "did not answer the TLS handshake in time. Nothing was sent."),
    ("tls-reset", TlsFailed, "not_sent", None, 6, "No TLS connection could be made to 127.0.0.1:"),
]
TABLE = [Row(*line) for line in _TABLE]

# No whole answer ever comes to these.
NEVER_ANSWERED = {"hang-before", "hang-after", "late", "hang-in-body", "trickle-headers", "trickle-body"}

BY_THE_COMMAND = (
    *("drop-before", "drop-after", "html-200-before", "html-502-after", "code-text", "redirect-302", "duplicate-name"),
    *("authentication-failed", "permission-denied", "quota-exceeded", "throttled", "throttled:always", "clock-slow"),
    *("date-missing", "drop-after history-loses", "tls", "tls-unknown-ca"),
)
"""One for each kind of evidence."""


def described(row: object) -> str | None:
    return row.faults.replace(" ", "+") if isinstance(row, Row) else None


@pytest.fixture
def sandbox(row: Row) -> Iterator[Sandbox]:
    """A sandbox with the faults of the row; those of TLS have to be there before it listens."""
    sandbox = Sandbox(duration=0)
    for fault in row.faults.split():
        install(sandbox, fault)
    yield sandbox
    sandbox.close()


@pytest.fixture
def time_passes(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """What never comes is not waited for; what does come has all the time it takes."""
    take = import_module("ncp_tui.snapshots.create")
    monkeypatch.setattr(take, "_wait_after", lambda _error, _attempts: 0.0)
    monkeypatch.setattr(import_module("ncp_tui.cli.create"), "RESOLVE_SECONDS", 60.0)
    if row.resolved_by is None:
        # Ten seconds are over whenever somebody looks at the clock: three looks at the history, however slow they are.
        monkeypatch.setattr(take, "search_history", partial(search_history, monotonic=count(0.0, 10.0).__next__))


def one_of_each_kind() -> Iterator[ParameterSet]:
    """The rows, those in the slow lane that prove what an earlier one has: its class, outcome, proof and exit code."""
    known: set[object] = set()
    for row in TABLE:
        kind = (row.error, row.outcome, row.resolved_by, row.exit_code)
        yield pytest.param(row, id=described(row), marks=[pytest.mark.slow] if kind in known else [])
        known.add(kind)


@pytest.mark.usefixtures("time_passes")
@pytest.mark.parametrize("row", list(one_of_each_kind()))
async def test_the_table(
    row: Row, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is told is true by the ledger, and each line is what stands in the table."""
    journal = journal_in(tmp_path)
    if row.faults == "tls-stall":
        monkeypatch.setattr("ncp_tui.search_engine.client.CREATE_TIMEOUTS", Timeouts(connect=0.5))
    async with serve(sandbox) as served, aclosing(engine_of(served)) as engine, asyncio.TaskGroup() as group:
        if row.faults in NEVER_ANSWERED:
            group.create_task(Waiting(monkeypatch).runs_out(sandbox.faults.waiting[0]))
        taken, notes = await taken_with_notes(engine, journal, looks=row.outcome != "not_sent")
    assert type(taken.error) is (row.error or NoneType)
    code, printed = told(engine, taken), capsys.readouterr()
    assert_as_in_the_table(row, Result(code, printed.out, "\n".join([*notes, printed.err])), sandbox, journal)


def engine_of(served: RunningSandbox) -> SearchEngine:
    sandbox = served.sandbox
    credentials = Credentials(sandbox.access_key, SecretKey(sandbox.secret_key))
    trusted = {"SSL_CERT_FILE": str(sandbox.ca_bundle)} if sandbox.ca_bundle else {}
    return SearchEngine(GatewayClient(Endpoint("public", "KR", served.url, "/api/v2"), credentials, environ=trusted))


async def taken_with_notes(engine: SearchEngine, journal: Journal, *, looks: bool) -> tuple[CreateResult, list[str]]:
    """Look and create as the command does, and what it says meanwhile."""
    facts, lights, notes = None, Preflight(()), list[str]()
    if looks:
        (cluster,) = [each for each in await engine.list_clusters() if each.number == REQUEST.cluster_number]
        facts = await read_evidence(engine, cluster)
        lights = preflight(REQUEST, facts, "")
    taken = await create_snapshot(
        engine,
        REQUEST,
        journal=journal,
        history=facts.history if facts else None,
        resolve_seconds=60.0,
        sleep=lambda _: asyncio.sleep(0),
        on_resolving=lambda error: notes.append(error.what),
    )
    return taken, [*notes, *(f"{check.subject}: {check.evidence}. {check.advice}" for check in lights.doubts)]


def told(engine: SearchEngine, taken: CreateResult) -> ExitCode:
    """Tell what came of it as the command does, without one."""
    context = CommandContext(Settings(json=True), Signals())
    report = CreateReport(context.log, REQUEST.cluster_name, REQUEST.name, REQUEST.bucket, taken=taken)
    context.document_of, context.preface = report.document, report.sentence
    identity = Identity("prod", "", SourceKind.PROFILE, Profile(name="prod", access_key="AKIDEXAMPLE0"))
    tracked = TrackedSnapshot(REQUEST, identity, engine, taken.at, 0.0, taken=taken)
    return Ending(context, report, CreateOptions(REQUEST.cluster_name)).tell(tracked)


@pytest.mark.usefixtures("time_passes")
@pytest.mark.parametrize("row", [row for row in TABLE if row.faults in BY_THE_COMMAND], ids=described)
def test_the_command(call_nobody: Called, row: Row, sandbox: Sandbox) -> None:
    """The command tells what the table says, and nothing that is not so."""
    with ThreadedSandbox(sandbox) as served:
        trusted = {"SSL_CERT_FILE": str(served.sandbox.ca_bundle)} if served.sandbox.ca_bundle else {}
        result = call_nobody(*COMMAND, **keys_of(served), **trusted)
    journal = journal_in(Path(call_nobody.program.environ["NCP_TUI_HOME"]))
    assert_as_in_the_table(row, result, served.sandbox, journal)


def assert_as_in_the_table(row: Row, result: Result, sandbox: Sandbox, journal: Journal) -> None:
    document = result.json()
    effects = [effect for effect in sandbox.ledger.effects if effect.operation == "createSnapshot"]
    assert len(effects) <= 1
    if row.outcome != "unknown":
        assert len(effects) == (row.outcome == "accepted")
    assert (document["outcome"], document["resolved_by"], result.code) == (row.outcome, row.resolved_by, row.exit_code)
    assert row.words in result.stderr
    assert ".." not in result.stderr
    kind = row.error.kind if row.error else None
    if row.outcome == "not_sent":
        assert not sandbox.ledger.requests
    else:
        assert kind_in_the_journal(journal) == kind
    # A failure that the history made good is none for a script.
    assert (document["error"] and document["error"]["kind"]) == (None if row.outcome == "accepted" else kind)


def kind_in_the_journal(journal: Journal) -> str | None:
    """What the answer to the last create was taken for; None for a confirmation."""
    answers = [line for line in lines_of(journal) if line["fact"] == JournalEvent.ANSWERED.value]
    kind: str | None = answers[-1].get("kind")
    return kind


def test_each_fault_is_in_the_table() -> None:
    """A fault of the lab that nobody looked at is one whose message nobody has read."""
    names = [fault.partition(":")[0] for row in TABLE for fault in row.faults.split()]
    assert set(names) == set(FAULTS)
    assert len(TABLE) == len({row.faults for row in TABLE})
    alone = {row.faults.partition(":")[0] for row in TABLE if " " not in row.faults}
    assert alone == set(FAULTS)
    assert set(BY_THE_COMMAND) <= {row.faults for row in TABLE}
