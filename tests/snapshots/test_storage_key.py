"""Setting a storage key: where it may go, what stops it, what is written down, and what may be claimed after."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.errors import ReadOnlyRefused
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine, WrongCluster
from ncp_tui.search_engine.operations import SET_STORAGE_KEY
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots import storage_key
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest, Verdict
from ncp_tui.snapshots.preflight import Severity
from ncp_tui.snapshots.resolve import Resolver, search_storage_key
from ncp_tui.snapshots.storage_key import (
    Destination,
    GatewayNotTrusted,
    KeysExpire,
    SecondStorageKey,
    StorageKeyDraft,
    StorageKeyIntent,
    check_lasting,
    own_key,
    send_storage_key,
)
from ncp_tui.snapshots.storage_key_state import KeyState, read_key
from ncp_tui.view.storage_key import question
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import journal_in, lines_of
from tests.snapshots.storage_keys import ACCESS, KEY, SECRET, WITH_KEY, WITHOUT_KEY, caller_of, draft_of, now
from tests.tables import each_row

KNOWN = "vpcsearchengine.apigw.ntruss.com"


def identity(url: str | None = None, kind: SourceKind = SourceKind.PROFILE, **settings: Any) -> Identity:
    profile = Profile(name="prod", access_key="AKIDEXAMPLE0", gateway_url=url, **settings)
    return Identity("prod", "", kind, profile)


@each_row(
    ("found", "environ", "confirmed", "goes"),
    [
        # NCP's own host over https, of the profile's own site.
        (identity(), {}, None, True),
        (identity(f"https://{KNOWN}"), {}, None, True),
        (identity(f"https://{KNOWN}:443/api/v2"), {}, None, True),
        (identity("https://ncloud.apigw.ntruss.com"), {}, None, True),
        (identity(site="gov"), {}, None, True),
        (identity(site="fin", region="FKR"), {}, None, True),
        (identity(kind=SourceKind.ENVIRONMENT), {}, None, True),
        (identity(ca_bundle="/etc/company.pem"), {"SSL_CERT_FILE": "/etc/x.pem"}, None, True),
        # This machine, whoever says so.
        (identity("http://127.0.0.1:8443"), {}, None, True),
        (identity("http://localhost:8443"), {"SSL_CERT_FILE": "/etc/x.pem"}, None, True),
        (identity("https://[::1]:8443"), {}, None, True),
        (identity("http://127.0.0.1:8443", SourceKind.ENVIRONMENT), {}, None, True),
        # Anything else only once the host is named.
        (identity("https://gateway.example"), {}, None, False),
        (identity("https://gateway.example"), {}, "gateway.example", True),
        (identity("https://gateway.example:8443"), {}, "GATEWAY.example:8443", True),
        (identity("https://gateway.example:8443"), {}, "gateway.example", True),
        (identity("https://gateway.example:8443"), {}, "gateway.example:443", False),
        (identity("https://gateway.example"), {}, "other.example", False),
        (identity("https://gateway.example"), {}, "", False),
        (identity(f"https://{KNOWN}:8443"), {}, None, False),
        (identity(f"https://{KNOWN}.evil.example"), {}, None, False),
        (identity(f"https://x.{KNOWN}"), {}, None, False),
        (identity("https://abc.apigw.ntruss.com"), {}, None, False),
        (identity(f"https://{KNOWN}", site="gov"), {}, None, False),
        (identity("https://gateway.example", SourceKind.NCLOUD_CONFIGURE), {}, "gateway.example", True),
        # Nor where the environment says whose certificates are good.
        (identity(), {"SSL_CERT_FILE": "/etc/x.pem"}, None, False),
        (identity(), {"SSL_CERT_DIR": "/etc/x.pem"}, None, False),
        (identity(), {"SSL_CERT_FILE": "/etc/x.pem"}, KNOWN, True),
        # And never where the address came from there.
        (identity("https://gateway.example", SourceKind.ENVIRONMENT), {}, "gateway.example", False),
        (identity("https://gateway.example", SourceKind.SERVER_ROLE), {}, "gateway.example", False),
        (identity(f"https://{KNOWN}:8443", SourceKind.ENVIRONMENT), {}, f"{KNOWN}:8443", False),
        # A wrong name is a mistake wherever it goes.
        (identity(), {}, "gateway.example", False),
        (identity(), {}, KNOWN, True),
    ],
)
def test_where_it_may_go(found: Identity, environ: dict[str, str], confirmed: str | None, goes: bool) -> None:
    destination = Destination.of(found, environ)
    if goes:
        destination.check(confirmed)
        return
    with pytest.raises(GatewayNotTrusted) as refused:
        destination.check(confirmed)
    problem = refused.value
    assert "Nothing was sent." in problem.meaning
    assert destination.host in problem.what
    offers = [action.id for action in problem.actions]
    assert offers == ["storage_key.confirm_gateway"] * (confirmed is None and not destination.is_barred)


def test_the_users_own_ca_is_named_in_the_question() -> None:
    destination = Destination.of(identity(ca_bundle="/etc/company.pem"), {})
    assert (destination.doubt, "/etc/company.pem" in destination.note) == ("", True)
    draft = StorageKeyDraft(WITH_KEY, Caller("prod", "public", "KR", "x"), destination, KEY)
    assert "Whoever owns that CA can read the key." in question(draft)
    assert "Set the storage key of search-0001 to STOR…0042?" in question(draft)


async def test_keys_that_expire_are_no_storage_keys() -> None:
    role = identity().__class__("server-role", "", SourceKind.SERVER_ROLE, identity().profile, role=Role())  # type: ignore[arg-type]
    with pytest.raises(KeysExpire):
        await own_key(role, KEY)
    with pytest.raises(KeysExpire):
        check_lasting("ROLEKEY0000000000001", role)
    check_lasting(ACCESS, role)
    assert await own_key(identity(), KEY) is KEY


class Role:
    """A server role that has handed out one pair."""

    issued = (Credentials("ROLEKEY0000000000001", SecretKey("x" * 40)),)


@pytest.fixture
async def engine(served: RunningSandbox) -> AsyncIterator[SearchEngine]:
    async with contextlib.aclosing(engine_of(served)) as engine:
        yield engine


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return journal_in(tmp_path)


@pytest.fixture(autouse=True)
def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a lost answer four looks at the bucket list, however long each takes."""

    async def at_once(_seconds: float) -> None:
        return

    patched = partial(search_storage_key, sleep=at_once, monotonic=count(0.0, 4.0).__next__)
    monkeypatch.setattr(storage_key, "search_storage_key", patched)


def effects(served: RunningSandbox) -> int:
    return sum(effect.operation == SET_STORAGE_KEY for effect in served.sandbox.ledger.effects)


def requests(served: RunningSandbox) -> int:
    return sum(entry.operation == SET_STORAGE_KEY for entry in served.sandbox.ledger.requests)


async def test_it_is_set_and_written_down_without_a_secret(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    draft = await draft_of(engine, served, WITHOUT_KEY, journal)
    assert draft.before is not None
    assert draft.before.state is KeyState.NOT_SET
    result = await send_storage_key(engine, draft, journal=journal)
    assert (result.sent.outcome, result.sent.resolution, effects(served)) == (Outcome.ACCEPTED, None, 1)
    (entry,) = journal.entries()
    assert entry.details == {"maskedAccessKey": "STOR…0042", "keyBefore": "not set"}
    data = journal.path.read_bytes()
    assert ACCESS.encode() not in data
    assert SECRET.encode() not in data
    assert SECRET not in repr(draft) + repr(draft.request()) + repr(result)
    assert (await read_key(engine, WITHOUT_KEY.number, now)).state is KeyState.SET


@pytest.mark.parametrize("cluster", [WITHOUT_KEY, WITH_KEY])
@pytest.mark.parametrize("fault", ["drop-before", "drop-after"])
async def test_a_lost_answer_is_done_only_where_nothing_else_can_have_set_it(
    served: RunningSandbox, engine: SearchEngine, journal: Journal, cluster: Any, fault: str
) -> None:
    """NCP said just before that no key is set, and the list opens now. A key that was there before tells nothing."""
    install(served.sandbox, f"{fault}@set-key")
    draft = await draft_of(engine, served, cluster, journal)
    result = await send_storage_key(engine, draft, journal=journal)
    found = result.sent.resolution
    assert found is not None
    is_proved = cluster is WITHOUT_KEY and fault == "drop-after"
    assert result.sent.outcome is (Outcome.ACCEPTED if is_proved else Outcome.UNKNOWN)
    if cluster is WITH_KEY:
        assert found.evidence == "a key is set; whether it is the new one cannot be read."
    elif not is_proved:
        assert "code 10115" in found.evidence
        assert "may still take effect" in found.next_step
    assert requests(served) == 1
    (entry,) = journal.entries()
    assert (entry.is_open, entry.outcome) == (not is_proved, result.sent.outcome)
    assert lines_of(journal)[-1].get("settled_by") == ("bucket_list" if is_proved else None)


async def test_what_was_read_long_ago_proves_nothing(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """Somebody may have set a key while the question waited: it is read again just before."""
    draft = await draft_of(engine, served, WITHOUT_KEY, journal)
    assert draft.evidence is not None
    assert draft.evidence.buckets_read is not None
    old = replace(draft.evidence.buckets_read, at=datetime.now(UTC) - timedelta(seconds=31))
    draft = replace(draft, evidence=replace(draft.evidence, buckets_read=old))
    served.sandbox.world.state(served.sandbox.world.named("search-0004")).key_set = True
    install(served.sandbox, "drop-before@set-key")
    result = await send_storage_key(engine, draft, journal=journal)
    assert result.sent.outcome is Outcome.UNKNOWN
    assert journal.entries()[0].details["keyBefore"] == "set"


async def lost(served: RunningSandbox, engine: SearchEngine, journal: Journal) -> None:
    install(served.sandbox, "drop-before@set-key")
    await send_storage_key(engine, await draft_of(engine, served, WITHOUT_KEY, journal), journal=journal)


async def test_an_unresolved_one_stops_the_next_and_nothing_but_its_id_is_a_yes(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    await lost(served, engine, journal)
    wrong = await draft_of(engine, served, WITHOUT_KEY, journal, again="0" * 12)
    with pytest.raises(SecondStorageKey):
        await send_storage_key(engine, wrong, journal=journal)
    draft = await draft_of(engine, served, WITHOUT_KEY, journal)
    assert isinstance(draft.stop, SecondStorageKey)
    with pytest.raises(SecondStorageKey) as stopped:
        await send_storage_key(engine, draft, journal=journal)
    assert requests(served) == 1
    assert {action.id for action in stopped.value.actions} == {"snapshot.resolve", "snapshot.again"}
    other = await draft_of(engine, served, WITH_KEY, journal)
    assert other.stop is None, "another cluster is another key"
    draft = await draft_of(engine, served, WITHOUT_KEY, journal, again=stopped.value.earlier.id)
    assert draft.stop is None
    assert (await send_storage_key(engine, draft, journal=journal)).sent.outcome is Outcome.ACCEPTED
    assert effects(served) == 1


async def test_with_an_earlier_one_on_its_way_an_open_list_proves_nothing(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """The earlier request may have arrived meanwhile: the key that opens the list may be that one."""
    await lost(served, engine, journal)
    stop = (await draft_of(engine, served, WITHOUT_KEY, journal)).stop
    assert isinstance(stop, SecondStorageKey)
    install(served.sandbox, "drop-after@set-key")
    draft = await draft_of(engine, served, WITHOUT_KEY, journal, again=stop.earlier.id)
    assert (await send_storage_key(engine, draft, journal=journal)).sent.outcome is Outcome.UNKNOWN


async def test_nor_with_one_that_was_only_marked_as_resolved(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    await lost(served, engine, journal)
    held = journal.hold(journal.entries()[0].id)
    assert held is not None
    held.record(JournalEvent.DISMISSED)
    held.release()
    install(served.sandbox, "drop-after@set-key")
    draft = await draft_of(engine, served, WITHOUT_KEY, journal)
    assert draft.stop is None
    assert (await send_storage_key(engine, draft, journal=journal)).sent.outcome is Outcome.UNKNOWN


async def test_a_later_run_never_claims_that_it_was_done(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """Only the journal is left: who has set the key since is not known."""
    await lost(served, engine, journal)
    served.sandbox.world.state(served.sandbox.world.named("search-0004")).key_set = True

    @contextlib.asynccontextmanager
    async def client_for(_: Any) -> AsyncIterator[SearchEngine]:
        yield engine

    (entry,) = journal.entries()
    found = await Resolver(journal, SessionLog(), client_for).resolve(entry, seconds=5.0)
    assert found is not None
    assert (found.verdict, found.evidence) == (
        Verdict.UNKNOWN,
        "a key is set; whether it is the new one cannot be read.",
    )
    assert journal.entries()[0].is_open


def left(journal: Journal, served: RunningSandbox, *events: tuple[JournalEvent, dict[str, Any]]) -> Any:
    """What another program of this machine is at, or has left."""
    entry = JournalEntry(
        "",
        datetime.now(UTC),
        caller_of(served),
        SnapshotRequest(WITHOUT_KEY.number, WITHOUT_KEY.name, "", ""),
        operation=SET_STORAGE_KEY,
    )
    held = journal.begin_other(entry)
    for event, details in events:
        held.record(event, **details)
    return held


SENT = (JournalEvent.SENT, {"attempt": 1})


async def test_one_that_is_being_sent_stops_it(served: RunningSandbox, engine: SearchEngine, journal: Journal) -> None:
    held = left(journal, served)
    draft = await draft_of(engine, served, WITHOUT_KEY, journal)
    with pytest.raises(SecondStorageKey, match="is being sent or resolved at this moment"):
        await send_storage_key(engine, draft, journal=journal)
    held.release()
    assert (await send_storage_key(engine, draft, journal=journal)).sent.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("events", "stops"),
    [
        ([], False),
        ([SENT], True),
        ([SENT, (JournalEvent.OUTCOME, {"outcome": "refused"})], False),
        ([SENT, (JournalEvent.OUTCOME, {"outcome": "accepted"})], False),
        ([SENT, (JournalEvent.OUTCOME, {"outcome": "unknown"})], True),
        ([SENT, (JournalEvent.OUTCOME, {"outcome": "unknown"}), (JournalEvent.DISMISSED, {})], False),
    ],
)
def test_what_is_known_of_an_earlier_one_stops_nothing(
    served: RunningSandbox, journal: Journal, events: list[tuple[JournalEvent, dict[str, Any]]], stops: bool
) -> None:
    left(journal, served, *events).release()
    intent = StorageKeyIntent(SnapshotRequest(WITHOUT_KEY.number, "", "", ""), caller_of(served))
    assert (intent.earlier(journal.entries()) is not None) is stops
    elsewhere = replace(intent, caller=replace(intent.caller, gateway="https://gateway.example/api/sgn-v2"))
    assert elsewhere.earlier(journal.entries()) is None


def test_of_two_programs_at_once_one_sets_it(served: RunningSandbox, journal: Journal) -> None:
    asked_at = datetime.now(UTC) - timedelta(seconds=1)
    left(journal, served, SENT, (JournalEvent.OUTCOME, {"outcome": "accepted"})).release()
    entries = [replace(entry, process=1) for entry in journal.entries()]
    intent = StorageKeyIntent(SnapshotRequest(WITHOUT_KEY.number, "", "", ""), caller_of(served), asked_at=asked_at)
    with pytest.raises(SecondStorageKey, match="at the same time, and has set a key"):
        intent.check(entries)
    replace(intent, asked_at=datetime.now(UTC)).check(entries)


async def test_damage_that_may_have_held_one_stops_it(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    left(journal, served, SENT).release()
    data = journal.path.read_bytes()
    journal.path.write_bytes(data.splitlines(keepends=True)[0] + b"rubbish\n")
    draft = await draft_of(engine, served, WITHOUT_KEY, journal)
    assert isinstance(draft.stop, DamagedJournal)
    with pytest.raises(DamagedJournal, match="may have held a request to set the storage key"):
        await send_storage_key(engine, draft, journal=journal)
    assert requests(served) == 0


async def test_what_forbids_it_is_said_before_anything_is_sent(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    draft = await draft_of(engine, served, WITHOUT_KEY, journal)
    barred = Destination("gateway.example", "it is nobody's")
    for wrong, problem in (
        (replace(draft, read_only=True), ReadOnlyRefused),
        (replace(draft, destination=barred), GatewayNotTrusted),
    ):
        with pytest.raises(problem):
            await send_storage_key(engine, wrong, journal=journal)
    assert replace(draft, destination=barred, confirmed_host="gateway.example").problem is None
    assert requests(served) == 0
    assert not journal.path.exists()


async def test_a_cluster_that_answers_as_another_is_sent_no_key(
    served: RunningSandbox, engine: SearchEngine, journal: Journal
) -> None:
    """A proxy that mixes answers up: whoever gets the key is not who was named."""
    other = {"serviceGroupInstanceNo": "1037002", "clusterName": "search-0002", "clusterStatus": "running"}
    answer = {"code": 0, "message": "SUCCESS", "result": other}
    served.sandbox.faults.add("getClusterInfo", "answer", (200, answer), times=None)
    draft = await draft_of(engine, served, WITHOUT_KEY, journal)
    with pytest.raises(WrongCluster):
        await send_storage_key(engine, draft, journal=journal)
    assert requests(served) == 0


async def test_a_cluster_that_does_not_run_is_told_of(served: RunningSandbox, engine: SearchEngine) -> None:
    served.sandbox.world.change("search-0004", status="changing")
    draft = await draft_of(engine, served, WITHOUT_KEY)
    assert [check.subject for check in draft.doubts] == ["cluster"]
    assert draft.problem is None


async def test_a_running_snapshot_is_warned_of_and_what_is_not_known_is_said(
    served: RunningSandbox, engine: SearchEngine
) -> None:
    def snapshots(draft: StorageKeyDraft) -> tuple[Severity, str]:
        check = next(check for check in draft.checks if check.subject == "snapshots")
        return check.severity, check.sentence

    assert snapshots(await draft_of(engine, served, WITH_KEY)) == (Severity.OK, "no snapshot is running.")
    world = served.sandbox.world
    world.start_snapshot(world.named("search-0001"), "nightly-1", "bk.ses.snapshot")
    severity, said = snapshots(await draft_of(engine, served, WITH_KEY))
    assert (severity, said.startswith("nightly-1 is running since")) == (Severity.BAD, True)
    assert said.endswith("A changed key can leave it stuck. Wait until it ends.")
    install(served.sandbox, "unexpected-error-before@history:always")
    severity, said = snapshots(await draft_of(engine, served, WITH_KEY))
    assert severity is Severity.UNSURE
    assert "could not be read" in said
    assert "can be left stuck" in said


async def test_what_the_bucket_list_says_is_a_check_and_no_more(served: RunningSandbox, engine: SearchEngine) -> None:
    assert (await read_key(engine, WITHOUT_KEY.number, now)).document()["opens"] is False
    opened = await read_key(engine, WITH_KEY.number, now)
    assert opened.document()["opens"] is True
    assert "It cannot say which." in opened.sentence
    served.sandbox.faults.add("getBucketList", "answer", (200, {"code": 0, "message": "", "result": {}}), times=None)
    empty = await read_key(engine, WITH_KEY.number, now)
    assert (empty.state, empty.document()["opens"]) == (KeyState.UNKNOWN, None)
