"""The policy of a create before it is sent: what forbids it, what stops it, and what has to be confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.errors import EndpointError, ReadOnlyRefused
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.lists import Listing
from ncp_tui.search_engine.models import Bucket, Cluster, HistoryEntry
from ncp_tui.snapshots.draft import FRESH, Reason, SnapshotDraft, propose_name
from ncp_tui.snapshots.earlier_requests import Earlier, EarlierState, SecondRequest
from ncp_tui.snapshots.journal import JournalUnwritable
from ncp_tui.snapshots.journal_contents import DamagedJournal, DamageReport
from ncp_tui.snapshots.journal_file import Damage
from ncp_tui.snapshots.preflight import PreflightEvidence, ReadResult
from ncp_tui.system.time_zone import KST
from ncp_tui.view.create import question
from ncp_tui.view.preflight import before_request, checks_line
from tests.snapshots.journals import CALLER, REQUEST
from tests.tables import each_row

AT = datetime(2026, 1, 2, 3, 0, 0, tzinfo=UTC)
READ = ReadResult(AT)
BROKEN = ReadResult(AT, EndpointError("The gateway could not reach its backend (503/500)."))
CLUSTER = Cluster(REQUEST.cluster_number, REQUEST.cluster_name, "running", health="green")
BUCKETS = (Bucket(REQUEST.bucket), Bucket("locked-one", locked=True), Bucket("denied-one", denied=True))
FACTS = PreflightEvidence(CLUSTER, READ, BUCKETS, READ, [], READ, (), None, ClockOffset(0.2, 0.5))
DRAFT = SnapshotDraft(REQUEST, CALLER, evidence=FACTS)
NAME, CLUSTER_NAME = REQUEST.name, REQUEST.cluster_name

REPORT = DamageReport("0123456789ab", (Damage("mark", "line 2 cannot be read"),), Path("journal.jsonl"))
ROW = HistoryEntry(NAME, at=AT.astimezone(KST), message="SUCCESS", index=1)
EARLIER = Earlier("fedcba987654", "journal", EarlierState.UNKNOWN, AT)
CERTAIN = f"Create snapshot {NAME} of {CLUSTER_NAME} in bucket {REQUEST.bucket}?"


def draft(
    *, request: dict[str, str] | None = None, evidence: dict[str, Any] | None = None, **fields: Any
) -> SnapshotDraft:
    """DRAFT with other words in the request, other evidence, and other fields."""
    return replace(
        DRAFT, request=replace(REQUEST, **request or {}), evidence=replace(FACTS, **evidence or {}), **fields
    )


def words(wanted: SnapshotDraft, now: datetime = AT) -> list[str]:
    return question(wanted.confirmation(now)).split("\n")


def test_a_create_against_which_nothing_stands_needs_no_more_than_a_deliberate_key() -> None:
    assert (DRAFT.problem, DRAFT.stop, DRAFT.name_problems, DRAFT.bucket_problem) == (None, None, [], None)
    wanted = DRAFT.confirmation(AT)
    assert (wanted.reasons, wanted.typed, wanted.again, wanted.damage) == ((), None, None, None)
    assert question(wanted) == CERTAIN, "what one who is asked all the same reads"


@each_row(
    ("name", "why"),
    [
        ("Nightly", "no capital letters (N)"),
        ("\ubc24", "no Hangul"),
        ("a--b", "no two hyphens"),
        ("ab", "too short"),
        ("", "too short"),
    ],
)
def test_a_name_that_the_service_would_refuse_forbids_it(name: str, why: str) -> None:
    wrong = draft(request={"name": name})
    assert any(why in reason for reason in wrong.name_problems)
    assert wrong.problem is not None
    assert wrong.problem.kind == "invalid_name"


@each_row(
    ("bucket", "evidence", "why"),
    [
        ("", {}, "No bucket is chosen."),
        ("UPPER", {}, "'UPPER' is not a bucket name."),
        ("a..b", {}, "'a..b' is not a bucket name."),
        ("10.0.0.1", {}, "'10.0.0.1' is not a bucket name."),
        ("no-such-bucket", {}, "Bucket no-such-bucket is not visible"),
        ("locked-one", {}, "Bucket locked-one cannot be used: locked"),
        ("denied-one", {}, "Bucket denied-one cannot be used: "),
        ("no-such-bucket", {"buckets": (), "buckets_read": BROKEN}, None),
        ("no-such-bucket", None, None),
        ("UPPER", None, "'UPPER' is not a bucket name."),
    ],
)
def test_a_bucket_that_cannot_take_it_forbids_it(bucket: str, evidence: dict[str, Any] | None, why: str | None) -> None:
    """With no list only the form of the name is checked."""
    wrong = draft(request={"bucket": bucket}, evidence=evidence)
    if evidence is None:
        wrong = replace(wrong, evidence=None)
    for problem in (wrong.bucket_problem, wrong.problem):
        assert (problem is None) == (why is None)
        assert problem is None or (problem.kind == "invalid_bucket" and problem.what.startswith(why or ""))


@each_row(
    ("wanted", "kind", "what"),
    [
        (draft(read_only=True), "read_only", "Read-only mode: cannot create a snapshot."),
        (replace(draft(read_only=True), evidence=None), "read_only", "Read-only mode: cannot"),
        (
            draft(evidence={"cluster": replace(CLUSTER, allowed=False)}),
            "permission_denied",
            "No permission for cluster",
        ),
    ],
)
def test_what_nobody_may_do_forbids_it(wanted: SnapshotDraft, kind: str, what: str) -> None:
    assert wanted.problem is not None
    assert (wanted.problem.kind, wanted.problem.what[: len(what)]) == (kind, what)
    assert wanted.problem.meaning == "Nothing was sent."


def test_the_first_wrong_thing_is_the_one_that_is_told() -> None:
    """The same in a command and on the screen: a name first, then read-only, then what was seen."""
    worst = draft(request={"name": "A", "bucket": "B"}, read_only=True)
    assert isinstance(worst.problem, Problem)
    assert worst.problem.kind == "invalid_name"
    assert isinstance(replace(worst, request=replace(REQUEST, bucket="B")).problem, ReadOnlyRefused)


UNREADABLE = {"cluster_read": BROKEN, "buckets": (), "buckets_read": BROKEN, "history": None, "history_read": BROKEN}


@each_row(
    ("evidence", "asks"),
    [
        ({"cluster": replace(CLUSTER, health="yellow")}, False),
        (UNREADABLE, False),
        ({"cluster": replace(CLUSTER, status="changing")}, True),
        ({"cluster": replace(CLUSTER, health="red")}, True),
        ({"history": [replace(ROW, snapshot="of-another", message="IN_PROGRESS")]}, True),
        ({"clock_offset": ClockOffset(400.0, 0.5)}, True),
    ],
)
def test_what_is_unsure_asks_nothing_and_what_is_bad_does(evidence: dict[str, Any], asks: bool) -> None:
    """Neither forbids anything."""
    seen = draft(evidence=evidence)
    assert seen.problem is None
    wanted = seen.confirmation(AT)
    assert wanted.reasons == ((Reason.BAD_CHECKS,) if asks else ())
    *doubts, last = words(seen)
    assert doubts == [f"{check.subject}: {check.sentence}" for check in wanted.checks]
    assert last == (f"Create {NAME} anyway?" if asks else CERTAIN)


@each_row(("since", "is_old"), [(timedelta(0), False), (FRESH, False), (FRESH + timedelta(seconds=1), True)])
def test_what_was_looked_at_two_minutes_ago_is_old(since: timedelta, is_old: bool) -> None:
    """A form or a question left open over lunch shows the cluster of before lunch."""
    assert DRAFT.is_old(AT + since) is is_old
    assert DRAFT.confirmation(AT + since).reasons == ((Reason.OLD,) if is_old else ())
    assert (words(DRAFT, AT + since)[0] == "Preflight checks are out of date.") is is_old


def test_what_was_not_looked_at_is_asked_about() -> None:
    unseen = replace(DRAFT, evidence=None)
    assert (unseen.problem, unseen.is_old(AT), unseen.preflight.checks) == (None, False, ())
    assert unseen.confirmation(AT).reasons == (Reason.NOT_LOOKED,)
    assert words(unseen) == [
        "Preflight checks are not complete.",
        f"Create {NAME} anyway?",
    ]


def test_a_history_that_goes_on_behind_what_was_looked_at_is_asked_about() -> None:
    longer = draft(evidence={"history": Listing((replace(ROW, snapshot="other-1"),), AT, has_more=True)})
    assert longer.confirmation(AT).reasons == (Reason.OLDER_ROWS,)
    assert words(longer)[0] == "Older rows of the history are not checked."


def test_an_earlier_request_stops_it_and_a_yes_is_for_exactly_that_one() -> None:
    second = draft(evidence={"history": [ROW]})
    assert isinstance(second.stop, SecondRequest)
    assert second.problem is None
    wanted = second.confirmation(AT)
    assert wanted.reasons == (Reason.BAD_CHECKS, Reason.SECOND_REQUEST)
    assert wanted.again == second.stop.earlier.id
    assert f"{NAME} was requested before" in words(second)[0]
    assert words(second)[-1] == (
        f"Send a second request for {NAME}? A yes covers only the {second.stop.earlier.words}."
    )
    assert replace(second, again=wanted.again).stop is None
    assert replace(second, again="0" * 12).stop is not None, "a yes to another one is none"


def test_an_earlier_request_that_is_met_when_it_is_sent_is_newer_than_what_was_seen() -> None:
    for before in (DRAFT, draft(evidence={"history": [ROW]}, again="0" * 12)):
        met = before.stopped_by(SecondRequest(EARLIER, REQUEST))
        assert met.confirmation(AT).again == EARLIER.id
        assert isinstance(met.stop, SecondRequest)
        assert replace(met, again=EARLIER.id).stop is None
    assert words(DRAFT.stopped_by(SecondRequest(EARLIER, REQUEST))) == [
        f"{NAME} on {CLUSTER_NAME} was requested before.",
        f"Send a second request for {NAME}? A yes covers only the {EARLIER.words}.",
    ]


@each_row("damaged", [draft(evidence={"damage": REPORT}), DRAFT.stopped_by(DamagedJournal(REPORT, REQUEST))])
def test_damage_is_accepted_before_anything_else_is_asked(damaged: SnapshotDraft) -> None:
    """A yes to the damage is none to the create."""
    for each in (damaged, replace(damaged, protected=True, again=EARLIER.id, unwritten=JournalUnwritable("x"))):
        assert isinstance(each.stop, DamagedJournal)
        wanted = each.confirmation(AT + 2 * FRESH)
        assert wanted.reasons == (Reason.DAMAGE,)
        assert (wanted.again, wanted.typed) == (None, None)
        assert f"Accept the damage {REPORT.id}?" in question(wanted)
        assert "Create" not in question(wanted)


def test_what_cannot_be_written_down_is_asked_about() -> None:
    unwritten = DRAFT.stopped_by(JournalUnwritable("The journal cannot be written: no room.", "", "Make room."))
    assert unwritten.confirmation(AT).reasons == (Reason.UNWRITTEN,)
    said = f"The journal cannot be written: no room. Make room. Create {NAME} without a journal record?"
    assert words(unwritten) == [said]
    both = unwritten.stopped_by(SecondRequest(EARLIER, REQUEST))
    assert both.confirmation(AT).reasons == (Reason.SECOND_REQUEST, Reason.UNWRITTEN)
    assert both.confirmation(AT).unwritten is not None, "a second question does not forget what the first one was about"


def test_any_other_problem_leaves_the_draft_as_it_was() -> None:
    assert DRAFT.stopped_by(Problem("Something else.")) == DRAFT


@each_row(
    "change",
    [
        lambda it: it,
        lambda it: replace(it, evidence=None),
        lambda it: replace(it, evidence=replace(FACTS, cluster=replace(CLUSTER, status="changing"))),
        lambda it: it.stopped_by(SecondRequest(EARLIER, REQUEST)),
        lambda it: it.stopped_by(JournalUnwritable("The journal cannot be written.")),
    ],
)
def test_a_protected_profile_has_the_clusters_name_typed_whatever_else_is_asked(
    change: Callable[[SnapshotDraft], SnapshotDraft],
) -> None:
    protected = change(replace(DRAFT, protected=True))
    wanted = protected.confirmation(AT)
    assert wanted.reasons[-1] is Reason.PROTECTED
    assert wanted.typed == CLUSTER_NAME
    last = words(protected)[-1]
    assert last == f"Profile {CALLER.profile} is protected. Type the cluster name to create {NAME}:"
    unprotected = change(DRAFT).confirmation(AT)
    assert (*unprotected.reasons, Reason.PROTECTED) == wanted.reasons
    assert all(doubt in question(wanted) for doubt in question(unprotected).split("\n")[:-1])


def test_the_checks_in_one_line_have_what_is_not_well_first() -> None:
    assert checks_line(DRAFT.preflight) == "ok: cluster, health, bucket, name, snapshots, storage key, clock"
    mixed = draft(evidence={"cluster": replace(CLUSTER, status="changing", health="yellow")})
    said = "warn: cluster, health   ok: bucket, name, snapshots, storage key, clock"
    assert checks_line(mixed.preflight) == said
    assert checks_line(mixed.preflight, before_request("refused")) == f"before the request was refused:   {said}"


PROFILE = Profile(name="prod", access_key="AKID", name_template="{profile}-{date:kst}-{time:kst}")


@each_row(
    ("profile", "template", "name", "zone"),
    [
        (PROFILE, None, "prod-20260102-120000", "KST"),
        (PROFILE, "{cluster}-{date}", "search-0001-20260102", "UTC"),
        (None, None, "search-0001-20260102-030000", "UTC"),
        (replace(PROFILE, name_template=None), None, "search-0001-20260102-030000", "UTC"),
    ],
)
def test_a_name_is_proposed_by_the_template(
    profile: Profile | None, template: str | None, name: str, zone: str
) -> None:
    proposed = propose_name("search-0001", profile, AT, template)
    assert (proposed.name, proposed.zone, proposed.problem) == (name, zone, None)
    assert propose_name("search-0001", profile, AT + timedelta(hours=1)).name != proposed.name


def test_a_template_that_cannot_be_used_leaves_a_legal_name_and_is_told() -> None:
    for template in ("{cluster", "{date}-{date:kst}", "{nothing}"):
        proposed = propose_name("Search_0001", PROFILE, AT, template)
        assert (proposed.name, proposed.zone) == ("search-0001", "")
        assert proposed.problem is not None
        assert proposed.problem.kind == "invalid_template"
