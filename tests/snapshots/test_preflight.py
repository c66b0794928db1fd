"""What can be seen before a create: each light in each colour, and only a sure refusal blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    EndpointError,
    GatewayError,
    PermissionDenied,
    RefusedByService,
    ServerError,
    Throttled,
)
from ncp_tui.sandbox.protocol import GatewayError as Table
from ncp_tui.sandbox.protocol import gateway_answer
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.models import Bucket, Cluster, HistoryEntry
from ncp_tui.snapshots.create import create_snapshot
from ncp_tui.snapshots.journal import JournalUnreadable
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import SnapshotRequest
from ncp_tui.snapshots.preflight import (
    Check,
    PreflightEvidence,
    ReadResult,
    Severity,
    doubted_by,
    preflight,
    read_evidence,
)
from ncp_tui.system.time_zone import KST
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import CALLER, REQUEST, journal_in
from tests.tables import each_row

AT = datetime(2026, 1, 2, 3, 0, 0, tzinfo=UTC)
READ = ReadResult(AT)
BROKEN = ReadResult(AT, EndpointError("The gateway could not reach its backend (503/500)."))
CLUSTER = Cluster(REQUEST.cluster_number, REQUEST.cluster_name, "running", health="green")
BUCKETS = (Bucket(REQUEST.bucket), Bucket("locked-one", locked=True), Bucket("denied-one", denied=True))
FACTS = PreflightEvidence(CLUSTER, READ, BUCKETS, READ, [], READ, (), None, ClockOffset(0.2, 0.5))
SUBJECTS = ["cluster", "health", "bucket", "name", "snapshots", "storage key", "clock"]
OK, UNSURE, BAD = Severity.OK, Severity.UNSURE, Severity.BAD


def light(subject: str, observed: PreflightEvidence, request: SnapshotRequest = REQUEST) -> Check:
    checks = preflight(request, observed, CALLER.gateway).checks
    assert [check.subject for check in checks] == SUBJECTS
    return next(check for check in checks if check.subject == subject)


def says(check: Check) -> tuple[Severity, bool, str, str]:
    return check.severity, check.blocks, check.evidence, check.advice


def row(message: str = "SUCCESS", name: str = "auto-1", hours: float = 2.0) -> HistoryEntry:
    return HistoryEntry(name, at=(AT - timedelta(hours=hours)).astimezone(KST), message=message, index=1)


def entry(*observed: dict[str, Any], name: str = REQUEST.name, hours: float = 1, **caller: Any) -> JournalEntry:
    request = replace(REQUEST, name=name)
    return JournalEntry(
        "a", AT - timedelta(hours=hours), replace(CALLER, **caller), request, events=({"fact": "begun"}, *observed)
    )


SENT = {"fact": "sent"}
ACCEPTED = {"fact": "outcome", "outcome": "accepted"}
REFUSED = {"fact": "outcome", "outcome": "refused"}
ANSWERED = {"fact": "answered", "outcome": "accepted"}
FINISHED = {"fact": "finished", "state": "success"}
FAILED = {"fact": "finished", "state": "failed"}


def test_all_well() -> None:
    checks = preflight(REQUEST, replace(FACTS, history=[row()]), CALLER.gateway)
    assert {check.subject: check.evidence for check in checks.checks} == {
        "cluster": "running",
        "health": "green",
        "bucket": "bk.ses.snapshot can be used",
        "name": "not in use in the one row of the history and the journal",
        "snapshots": "no other snapshot is running",
        "storage key": "set: lists 3 buckets",
        "clock": "0.2 s behind NCP",
    }
    assert (checks.severity, checks.blocked, checks.doubts) == (OK, None, ())
    assert {check.read_at for check in checks.checks} == {AT}


@each_row(
    ("cluster", "read", "colour", "evidence", "advice"),
    [
        ({}, READ, OK, "running", ""),
        ({"status": "Running"}, READ, OK, "running", ""),
        ({"status": "changing"}, READ, BAD, "'changing', not running", "NCP may refuse"),
        ({"status": ""}, READ, BAD, "'unknown', not running", "NCP may refuse"),
        ({}, BROKEN, UNSURE, "'running' when last read. The gateway could not reach", ""),
    ],
)
def test_the_cluster(cluster: dict[str, str], read: ReadResult, colour: Severity, evidence: str, advice: str) -> None:
    check = light("cluster", replace(FACTS, cluster=replace(CLUSTER, **cluster), cluster_read=read))  # type: ignore[arg-type]
    assert (check.severity, check.blocks) == (colour, False)
    assert check.evidence.startswith(evidence)
    assert check.advice.startswith(advice)


def test_a_cluster_that_this_key_may_not_open_blocks() -> None:
    """Whatever was read of it, and even where nothing could be."""
    for read in (READ, BROKEN):
        observed = replace(FACTS, cluster=replace(CLUSTER, allowed=False), cluster_read=read)
        check = light("cluster", observed)
        assert (check.severity, check.blocks) == (BAD, True)
        assert "sees only its name" in check.evidence
        assert "NCP_VPC_SEARCH_ENGINE_SERVICE_MANAGER" in check.advice


@each_row(
    ("health", "read", "colour", "evidence"),
    [
        ("green", READ, OK, "green"),
        ("GREEN", READ, OK, "green"),
        ("yellow", READ, UNSURE, "yellow: some replica shards are missing, no data is"),
        ("red", READ, BAD, "red: some primary shards are missing"),
        ("orange", READ, UNSURE, "orange: "),
        ("gray", READ, UNSURE, "gray: "),
        ("", READ, UNSURE, "unknown: "),
        # What the list said an hour ago is no green light now.
        ("green", BROKEN, UNSURE, "green when last read"),
        ("red", BROKEN, BAD, "red: some primary shards are missing"),
    ],
)
def test_health(health: str, read: ReadResult, colour: Severity, evidence: str) -> None:
    check = light("health", replace(FACTS, cluster=replace(CLUSTER, health=health), cluster_read=read))
    assert (check.severity, check.blocks) == (colour, False)
    assert check.evidence.startswith(evidence)


@each_row(
    ("bucket", "buckets", "read", "colour", "blocks", "evidence", "advice"),
    [
        (REQUEST.bucket, BUCKETS, READ, OK, False, "bk.ses.snapshot can be used", ""),
        ("locked-one", BUCKETS, READ, BAD, True, "Bucket locked-one cannot be used: locked", "Usable buckets"),
        ("denied-one", BUCKETS, READ, BAD, True, "Bucket denied-one cannot be used: the", "Usable buckets"),
        ("missing-one", BUCKETS, READ, BAD, True, "Bucket missing-one is not visible with", "Usable"),
        ("NO_BUCKET", (), None, BAD, True, "'NO_BUCKET' is not a bucket name.", "3 to 63"),
        ("", BUCKETS, READ, BAD, True, "No bucket is chosen.", "Name the bucket"),
        (
            REQUEST.bucket,
            (),
            READ,
            UNSURE,
            False,
            "not checked. NCP lists no buckets for this cluster.",
            "NCP will decide.",
        ),
        (REQUEST.bucket, (), BROKEN, UNSURE, False, "not checked. The gateway could not", "NCP will decide."),
        (REQUEST.bucket, (), None, UNSURE, False, "not checked. ", "NCP will decide."),
    ],
)
def test_the_bucket(  # noqa: PLR0917 - the columns of a table
    bucket: str,
    buckets: Sequence[Bucket],
    read: ReadResult | None,
    colour: Severity,
    blocks: bool,
    evidence: str,
    advice: str,
) -> None:
    observed = replace(FACTS, buckets=buckets, buckets_read=read)
    check = light("bucket", observed, replace(REQUEST, bucket=bucket))
    assert (check.severity, check.blocks) == (colour, blocks)
    assert check.evidence.startswith(evidence)
    assert check.advice.startswith(advice)


UNREADABLE = JournalUnreadable("The journal cannot be read: Permission denied.", "", "Check journal.jsonl.")
BEFORE = "before-upgrade was requested before: the request of 2026-01-02 "
# What was read beside the rest, and what the light says.
NAMES: list[tuple[dict[str, Any], Severity, bool, str, str]] = [
    ({}, OK, False, "not in use: the history is empty, no journal entry", ""),
    ({"history": [row(), row()]}, OK, False, "not in use in the 2 newest rows of the history and the journal", ""),
    ({"history": [row(name=REQUEST.name)]}, BAD, False, f"{BEFORE}10:00:00 KST has succeeded", "Use another"),
    ({"history": [row("", REQUEST.name)]}, BAD, False, f"{BEFORE}10:00:00 KST is running", "Use another"),
    (
        {"history": [row("FAILED", REQUEST.name)]},
        UNSURE,
        False,
        "before-upgrade is already in the history (FAILED)",
        "NCP may",
    ),
    ({"history": [row(name="Before-upgrade")]}, OK, False, "not in use in", ""),
    ({"history": None, "history_read": BROKEN}, UNSURE, False, "not checked. The gateway could not reach", ""),
    ({"history": None, "history_read": None}, UNSURE, False, "not checked.", ""),
    ({"journal_problem": UNREADABLE}, UNSURE, False, "the history is empty. The journal", "Check"),
    ({"journal": [entry(SENT)]}, BAD, False, f"{BEFORE}02:00:00 UTC may have started", "Use another"),
    ({"journal": [entry(SENT)], "history": None}, BAD, False, f"{BEFORE}02:00:00 UTC may", "Use another"),
    ({"journal": [entry(SENT)], "history": [row(name=REQUEST.name)]}, BAD, False, f"{BEFORE}02:00", "Use another"),
    ({"journal": [entry(SENT, ACCEPTED)]}, BAD, False, f"{BEFORE}02:00:00 UTC was accepted", "Use another"),
    ({"journal": [entry(SENT, ANSWERED)]}, BAD, False, f"{BEFORE}02:00:00 UTC was accepted", "Use another"),
    ({"journal": [entry(SENT, ACCEPTED)], "history": None}, BAD, False, f"{BEFORE}02:00:00", "Use another"),
    ({"journal": [entry(SENT, ACCEPTED, FINISHED)]}, BAD, False, f"{BEFORE}02:00:00 UTC has succeeded", "Use"),
    ({"journal": [entry(SENT, ACCEPTED, FAILED)]}, OK, False, "not in use", ""),
    ({"journal": [entry(SENT, REFUSED)]}, OK, False, "not in use", ""),
    ({"journal": [entry()]}, OK, False, "not in use", ""),
    ({"journal": [entry(SENT, {"fact": "dismissed"})]}, BAD, False, f"{BEFORE}02:00:00 UTC may", "Use another"),
    ({"journal": [entry(SENT, name="another")]}, OK, False, "not in use", ""),
    ({"journal": [entry(SENT, gateway="https://gateway.example/api/sgn-v2")]}, OK, False, "not in use", ""),
    ({"journal": [replace(entry(SENT), request=replace(REQUEST, cluster_number="2"))]}, OK, False, "not in use", ""),
    ({"journal": [entry(SENT, profile="another", site="gov")]}, BAD, False, f"{BEFORE}02", "Use another"),
]


@each_row(("read", "colour", "blocks", "evidence", "advice"), NAMES)
def test_the_name(read: dict[str, Any], colour: Severity, blocks: bool, evidence: str, advice: str) -> None:
    check = light("name", replace(FACTS, **read))
    assert (check.severity, check.blocks) == (colour, blocks), check
    assert check.evidence.startswith(evidence)
    assert check.advice.startswith(advice)
    assert bool(check.advice) == bool(advice)


OTHERS: list[tuple[dict[str, Any], Severity, str]] = [
    ({"history": [row(), row("FAILED")]}, OK, "no other snapshot is running"),
    ({"history": [row("IN_PROGRESS")]}, BAD, "auto-1 is running since 2026-01-02 10:00:00 KST"),
    (
        {"history": [row("IN_PROGRESS", hours=25)]},
        UNSURE,
        "auto-1 has been running since 2026-01-01 11:00:00 KST and may be stuck",
    ),
    ({"history": [replace(row("IN_PROGRESS"), at=None)]}, BAD, "auto-1 is running"),
    ({"history": [row("IN_PROGRESS", REQUEST.name)]}, OK, "no other snapshot is running"),
    ({"history": None, "history_read": BROKEN}, UNSURE, "not checked: the history could not be read"),
    ({"journal": [entry(SENT, ACCEPTED, name="other")]}, UNSURE, "other may be running, as the journal says"),
    ({"journal": [entry(SENT, ACCEPTED, name="other", hours=25)]}, OK, "no other"),
    ({"journal": [entry(SENT, ACCEPTED, name="other")], "history": [row(name="other")]}, OK, "no other"),
    ({"journal": [entry(SENT, ACCEPTED, FINISHED, name="other")]}, OK, "no other"),
    ({"journal": [entry(SENT, ACCEPTED, name="other", gateway="https://gateway.example/api/sgn-v2")]}, OK, "no other"),
]


@each_row(("read", "colour", "evidence"), OTHERS)
def test_the_others(read: dict[str, Any], colour: Severity, evidence: str) -> None:
    check = light("snapshots", replace(FACTS, **read))
    assert (check.severity, check.blocks) == (colour, False), check
    assert check.evidence.startswith(evidence)


@each_row(
    ("buckets", "read", "colour", "evidence"),
    [
        (BUCKETS, READ, OK, "set: lists 3 buckets"),
        (BUCKETS[:1], READ, OK, "set: lists 1 bucket"),
        ((), READ, UNSURE, "no bucket is listed: the key may not be set"),
        ((), BROKEN, UNSURE, "unknown. The gateway could not reach"),
        ((), None, UNSURE, "no bucket is listed"),
    ],
)
def test_the_api_key(buckets: Sequence[Bucket], read: ReadResult | None, colour: Severity, evidence: str) -> None:
    check = light("storage key", replace(FACTS, buckets=buckets, buckets_read=read))
    assert (check.severity, check.blocks) == (colour, False)
    assert check.evidence.startswith(evidence)
    assert bool(check.advice) == (colour is not OK)


@each_row(
    ("offset", "colour", "evidence"),
    [
        (None, UNSURE, "unknown: no server time received"),
        (ClockOffset(59.0, 0.5), OK, "59.0 s behind NCP"),
        (ClockOffset(-59.0, 0.5), OK, "59.0 s ahead of NCP"),
        (ClockOffset(61.0, 0.5), UNSURE, "61.0 s behind NCP"),
        (ClockOffset(-299.0, 0.5), UNSURE, "299.0 s ahead of NCP"),
        (ClockOffset(301.0, 0.5), BAD, "301.0 s behind NCP"),
        (ClockOffset(-86_400.0, 0.5), BAD, "86400.0 s ahead of NCP"),
    ],
)
def test_the_clock(offset: ClockOffset | None, colour: Severity, evidence: str) -> None:
    check = light("clock", replace(FACTS, clock_offset=offset))
    assert (check.severity, check.blocks, check.evidence) == (colour, False, evidence)


def test_the_worst_is_shown_first_and_the_first_that_blocks_is_named() -> None:
    observed = replace(FACTS, cluster=replace(CLUSTER, health="yellow", status="changing"), journal=[entry(SENT)])
    found = preflight(replace(REQUEST, bucket="locked-one"), observed, CALLER.gateway)
    assert [(check.subject, check.severity) for check in found.doubts] == [
        ("cluster", BAD),
        ("bucket", BAD),
        ("name", BAD),
        ("health", UNSURE),
    ]
    assert found.severity is BAD
    assert found.blocked is not None
    assert found.blocked.subject == "bucket"


@given(
    read=st.sampled_from([READ, BROKEN]),
    buckets=st.sampled_from([(), BUCKETS]),
    buckets_read=st.sampled_from([READ, BROKEN, None]),
    history=st.sampled_from([None, [], [row()], [row("IN_PROGRESS")], [row(name=REQUEST.name)]]),
    journal=st.lists(
        st.sampled_from([read_ for read_, *_ in NAMES if "journal" in read_]).map(lambda one: one["journal"][0])
    ),
    allowed=st.booleans(),
    status=st.sampled_from(["running", "changing", "error", ""]),
    health=st.sampled_from(["green", "yellow", "red", ""]),
    offset=st.sampled_from([None, ClockOffset(0, 0), ClockOffset(1e6, 1)]),
    bucket=st.sampled_from([REQUEST.bucket, "locked-one", "missing-one", "BAD"]),
)
def test_only_two_things_block(
    bucket: str, allowed: bool, status: str, health: str, read: ReadResult, **seen: Any
) -> None:
    """Whoever must have a snapshot now is not held up by a guess; each doubt comes with its evidence."""
    cluster = replace(CLUSTER, allowed=allowed, status=status, health=health)
    seen["clock_offset"] = seen.pop("offset")
    observed = PreflightEvidence(cluster, read, **seen)
    found = preflight(replace(REQUEST, bucket=bucket), observed, CALLER.gateway)
    blocking = {check.subject for check in found.checks if check.blocks}
    known = bool(observed.buckets)
    expected = {
        "cluster": not allowed,
        "bucket": bucket == "BAD" or (known and bucket != REQUEST.bucket),
    }
    assert blocking == {subject for subject, blocks in expected.items() if blocks}
    for check in found.checks:
        assert check.evidence
        assert check.severity is BAD or not check.blocks


# Against a real sandbox: what is read, and what becomes of it.


async def seen(
    served: RunningSandbox, name: str, request: SnapshotRequest | None = None, **options: Any
) -> dict[str, Severity]:
    engine = engine_of(served)
    cluster = next(cluster for cluster in await engine.list_clusters() if cluster.name == name)
    observed = await read_evidence(engine, cluster, **options)
    await engine.aclose()
    request = request or SnapshotRequest(cluster.number, name, "before-upgrade", "bk.ses.snapshot")
    found = preflight(replace(request, cluster_number=cluster.number), observed, CALLER.gateway)
    return {check.subject: check.severity for check in found.checks if check.severity is not OK}


@pytest.mark.parametrize(
    ("name", "doubts"),
    [
        ("search-0001", {}),
        ("search-0002", {"health": UNSURE}),
        ("search-0004", {"bucket": UNSURE, "storage key": BAD}),
        ("search-0005", {"cluster": BAD, "health": UNSURE}),
        ("search-0006", {"cluster": BAD, "health": BAD}),
        (
            "hr-private",
            dict.fromkeys(["health", "bucket", "name", "snapshots", "storage key"], UNSURE) | {"cluster": BAD},
        ),
    ],
)
async def test_the_clusters_of_the_sandbox(served: RunningSandbox, name: str, doubts: dict[str, Severity]) -> None:
    assert await seen(served, name) == doubts


async def test_reading_is_reading(served: RunningSandbox) -> None:
    """Four kinds of reads, nothing twice, and no effect."""
    await seen(served, "search-0001")
    assert sorted(str(one.operation) for one in served.sandbox.ledger.requests) == [
        "getBucketList",
        "getClusterInfo",
        "getClusterInfoList",
        "getSnapshotHistory",
    ]
    assert served.sandbox.ledger.effects == []


async def test_a_cluster_that_was_just_read_is_not_read_again(served: RunningSandbox) -> None:
    assert await seen(served, "search-0001", just_read=True) == {}
    assert "getClusterInfo" not in {one.operation for one in served.sandbox.ledger.requests}


async def test_a_snapshot_under_way_is_seen(served: RunningSandbox, tmp_path: Path) -> None:
    engine = engine_of(served)
    await create_snapshot(engine, REQUEST)
    await engine.aclose()
    journal = journal_in(tmp_path)
    assert await seen(served, "search-0001", replace(REQUEST, name="another"), journal=journal) == {"snapshots": BAD}
    assert await seen(served, "search-0001", journal=journal) == {"name": BAD}


async def test_a_name_in_doubt_is_seen(served: RunningSandbox, tmp_path: Path) -> None:
    held = journal_in(tmp_path).begin(REQUEST, CALLER)
    held.record(JournalEvent.SENT)
    held.release()
    assert await seen(served, "search-0001", journal=journal_in(tmp_path)) == {"name": BAD}


async def test_a_journal_that_cannot_be_read_is_seen(served: RunningSandbox, tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.path.mkdir(parents=True)
    assert await seen(served, "search-0001", journal=journal) == {"name": UNSURE}


async def test_a_service_that_answers_nothing_leaves_every_light_unsure(served: RunningSandbox) -> None:
    engine = engine_of(served)
    cluster = (await engine.list_clusters())[0]
    served.sandbox.faults.add("*", "before", gateway_answer(Table.ENDPOINT_ERROR), times=None)
    observed = await read_evidence(engine, cluster, now=lambda: AT)
    await engine.aclose()
    found = preflight(replace(REQUEST, cluster_number=cluster.number), observed, CALLER.gateway)
    assert {check.subject: check.severity for check in found.checks} == dict.fromkeys(SUBJECTS, UNSURE) | {"clock": OK}
    assert found.blocked is None
    assert {check.read_at for check in found.checks} == {AT}


async def test_a_cluster_that_is_gone_is_not_called_running(served: RunningSandbox) -> None:
    """The list is minutes old; that the service knows no such number any more is said."""
    engine = engine_of(served)
    cluster = replace((await engine.list_clusters())[0], number="999")
    observed = await read_evidence(engine, cluster)
    await engine.aclose()
    check = light("cluster", observed, replace(REQUEST, cluster_number="999"))
    assert (check.severity, check.evidence) == (
        UNSURE,
        "'running' when last read. NCP no longer knows this cluster.",
    )


@pytest.mark.parametrize(
    ("message", "subjects"),
    [
        ("snapshot with the same name already exists", ("name",)),
        ("Invalid snapshotName", ("name",)),
        ("이미 존재하는 스냅샷 이름입니다", ("name",)),
        ("The bucket has an object lock", ("bucket",)),
        ("버킷에 접근할 수 없습니다", ("bucket",)),
        ("API authentication key is not set", ("storage key",)),
        ("A snapshot is in progress", ("snapshots",)),
        ("다른 작업이 진행 중입니다", ("snapshots",)),
        ("Cluster status is changing", ("cluster",)),
        ("No.", ()),
        ("", ()),
    ],
)
def test_which_check_a_refusal_speaks_against(message: str, subjects: tuple[str, ...]) -> None:
    """By the words of NCP, in either language; where they name none, all are doubted."""
    refused = RefusedByService("NCP refused.")
    refused.message = message
    assert doubted_by(refused) == subjects


@pytest.mark.parametrize(
    ("error", "subjects"),
    [
        (AuthenticationFailed("Refused."), ("clock",)),
        (PermissionDenied("Denied."), ("cluster",)),
        (Throttled("The bucket of tokens is empty."), ()),
        (ServerError("bucket"), ()),
    ],
)
def test_a_kind_of_error_says_more_than_its_words(error: GatewayError, subjects: tuple[str, ...]) -> None:
    assert doubted_by(error) == subjects
