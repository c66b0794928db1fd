"""Asking NCP whether an upgrade may begin: once, its own words, and in each fault of the lab no more than is proved."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ncp_tui.cli.errors import exit_code_of
from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.gateway.request import Timeouts
from ncp_tui.sandbox.fault_lab.catalogue import FAULTS, install
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import Cluster
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.earlier_requests import EarlierState
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.pre_check import InvalidTarget, PreCheck, SecondPreCheck, ask_ncp, intent_of, pre_check_of
from ncp_tui.view.upgrade import pre_check_document, pre_check_sentence
from tests.snapshots.journals import CALLER, events_of, journal_in
from tests.tables import each_row

CLUSTER = Cluster("1037001", "search-0001", "running")
NEWER = "1319"

# What it is taken for, with the exit code, by fault; what is not here proves nothing, whatever it looks like.
CERTAIN: dict[str, tuple[Outcome, int]] = {
    **dict.fromkeys(("code-text", "byte-order-mark", "latin-1", "content-type", "echo-200"), (Outcome.ACCEPTED, 0)),
    **dict.fromkeys(("clock-slow", "clock-fast"), (Outcome.ACCEPTED, 0)),
    **dict.fromkeys(("date-missing", "date-wrong", "date-garbage", "date-twice"), (Outcome.ACCEPTED, 0)),
    **dict.fromkeys(("bad-request", "not-found", "too-large"), (Outcome.REFUSED, 8)),
    "authentication-failed": (Outcome.REFUSED, 4),
    **dict.fromkeys(("permission-denied", "forbidden"), (Outcome.REFUSED, 5)),
    **dict.fromkeys(("quota-exceeded", "throttled", "rate-limited"), (Outcome.REFUSED, 7)),
    **dict.fromkeys((name for name in FAULTS if name.startswith("retry-after")), (Outcome.REFUSED, 7)),
    **dict.fromkeys(("duplicate-name", "refused", "refused-200"), (Outcome.REFUSED, 8)),
    **dict.fromkeys(
        ("key-not-set", "key-not-set-200", "wrong-generation", "wrong-generation-200"), (Outcome.REFUSED, 8)
    ),
    **dict.fromkeys(("no-recent-snapshot", "no-recent-snapshot-200"), (Outcome.REFUSED, 8)),
}
NEVER_ANSWERED = {"hang-before", "hang-after", "late", "hang-in-body", "trickle-headers", "trickle-body"}
OTHERS = [name for name, fault in FAULTS.items() if fault.fixed or name.startswith("tls")]
"""Of another operation, or of the connection before any request: the table of the create has those."""
ONE_OF_EACH_KIND = {
    *("drop-before", "drop-after", "html-200-after", "html-502-before", "result-null-before", "result-false"),
    *("envelope-504-after", "error-and-envelope-before", "redirect-307", "endpoint-timeout-after", "code-text"),
    *("authentication-failed", "throttled", "no-recent-snapshot-200", "clock-slow", "member-twice-after"),
}


def asked_faults() -> list[object]:
    names = [name for name in FAULTS if name not in OTHERS]
    return [pytest.param(name, marks=[] if name in ONE_OF_EACH_KIND else [pytest.mark.slow]) for name in names]


async def ask(
    served: RunningSandbox, home: Path, target: str = NEWER, *, region_no: str | None = None, again: str | None = None
) -> PreCheck:
    log, sandbox = SessionLog(), served.sandbox
    gateway = GatewayClient(
        Endpoint("public", "KR", served.url, "/api/v2"),
        Credentials(sandbox.access_key, SecretKey(sandbox.secret_key)),
        record=partial(log.record, profile="prod"),
        environ={},
    )
    async with contextlib.aclosing(SearchEngine(gateway)) as engine:
        request = pre_check_of(CLUSTER, target, region_no)
        return await ask_ncp(engine, request, intent_of(request, CALLER, again), journal=journal_in(home), log=log)


def asked_times(served: RunningSandbox) -> int:
    return [entry.operation for entry in served.sandbox.ledger.requests].count("rollingUpgradePreCheck")


@pytest.mark.parametrize("fault", asked_faults())
async def test_no_fault_makes_it_say_more_than_is_proved(
    fault: str, served: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the ledger: a yes was given, a no was not, and it was asked once; twice where a clock was corrected for."""
    if fault in NEVER_ANSWERED:  # however long it is waited for, nothing comes
        monkeypatch.setattr("ncp_tui.search_engine.client.CREATE_TIMEOUTS", Timeouts(total=0.3))
    served.sandbox.world.add_past(CLUSTER.name, "before", ended=60.0)
    install(served.sandbox, f"{fault}@pre-check")
    asked = await ask(served, tmp_path)
    outcome, code = CERTAIN.get(fault, (Outcome.UNKNOWN, 9))
    assert asked.outcome is outcome
    error = asked.result.sent.error
    if outcome is not Outcome.UNKNOWN:
        assert code == (exit_code_of(error) if error is not None else 0)
    effects = len(served.sandbox.ledger.effects)
    assert effects == (outcome is Outcome.ACCEPTED) if outcome is not Outcome.UNKNOWN else effects <= 1
    assert asked_times(served) == (2 if fault in {"clock-slow", "clock-fast"} else 1)
    assert events_of(journal_in(tmp_path))[-2:] == ["answered", "outcome"]
    (entry,) = journal_in(tmp_path).entries()
    assert (entry.outcome, entry.is_open) == (outcome, outcome is Outcome.UNKNOWN)
    assert ".." not in pre_check_sentence(asked)


@each_row("name", CERTAIN)
def test_the_table_names_faults(name: str) -> None:
    assert name in FAULTS


async def test_after_a_lost_answer_only_its_own_id_has_it_asked_again(served: RunningSandbox, tmp_path: Path) -> None:
    served.sandbox.world.add_past(CLUSTER.name, "before", ended=60.0)
    install(served.sandbox, "drop-after@pre-check")
    assert (await ask(served, tmp_path)).outcome is Outcome.UNKNOWN
    ids = set[str]()
    for again in (None, "0" * 12, journal_in(tmp_path).entries()[0].id):
        with pytest.raises(SecondPreCheck) as caught:
            await ask(served, tmp_path, "7102", again=again)
        ids.add(caught.value.earlier.id)
    assert asked_times(served) == 1
    (key,) = ids
    assert (await ask(served, tmp_path, again=key)).outcome is Outcome.ACCEPTED
    with pytest.raises(SecondPreCheck):
        await ask(served, tmp_path)
    assert asked_times(served) == 2


async def test_one_that_is_on_its_way_stops_the_next(served: RunningSandbox, tmp_path: Path) -> None:
    fault = served.sandbox.faults.add("rollingUpgradePreCheck", act="hang")
    first = asyncio.create_task(ask(served, tmp_path))
    assert await asyncio.to_thread(fault.reached.wait, 30.0)
    with pytest.raises(SecondPreCheck) as caught:
        await ask(served, tmp_path)
    assert caught.value.earlier.state is EarlierState.UNDER_WAY
    first.cancel()
    await asyncio.wait([first])
    with pytest.raises(SecondPreCheck) as caught:
        await ask(served, tmp_path)
    assert caught.value.earlier.state is EarlierState.UNKNOWN
    assert asked_times(served) <= 1


async def test_damage_that_may_hide_one_stops_it(served: RunningSandbox, tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes(b"not a line\n")
    with pytest.raises(DamagedJournal, match="may have held a pre-check of an upgrade"):
        await ask(served, tmp_path)
    assert asked_times(served) == 0
    damage = journal.contents().damage
    assert damage is not None
    journal.accept_damage(damage.id)
    await ask(served, tmp_path)
    assert asked_times(served) == 1


async def test_another_cluster_is_not_stopped(served: RunningSandbox, tmp_path: Path) -> None:
    install(served.sandbox, "drop-after@pre-check")
    await ask(served, tmp_path)
    request = pre_check_of(Cluster("1037002", "search-0002", "running"), NEWER)
    journal_in(tmp_path).check(intent_of(request, CALLER))


@pytest.mark.parametrize("target", [NEWER, "7102"])
async def test_a_known_answer_stops_no_further_question(served: RunningSandbox, tmp_path: Path, target: str) -> None:
    served.sandbox.world.add_past(CLUSTER.name, "before", ended=60.0)
    await ask(served, tmp_path, target)
    await ask(served, tmp_path, target)
    assert asked_times(served) == 2


async def test_a_yes_is_told_in_ncps_words(served: RunningSandbox, tmp_path: Path) -> None:
    served.sandbox.world.add_past(CLUSTER.name, "before", ended=60.0)
    asked = await ask(served, tmp_path, region_no="1")
    assert (asked.message, pre_check_sentence(asked)) == (
        "SUCCESS",
        "NCP says yes: an upgrade of search-0001 to 1319 may begin.",
    )
    document = pre_check_document(asked, "")
    assert (document["outcome"], document["target"], document["region_no"]) == ("accepted", "1319", "1")
    (entry,) = journal_in(tmp_path).entries()
    assert entry.parameters == {"serviceGroupInstanceNo": "1037001", "regionNo": "1", "targetVersionCode": "1319"}


async def test_a_no_has_its_reason_word_for_word(served: RunningSandbox, tmp_path: Path) -> None:
    served.sandbox.world.add_past(CLUSTER.name, "before", ended=60.0)
    asked = await ask(served, tmp_path, "7102")
    assert (asked.outcome, asked.message) == (Outcome.REFUSED, "OpenSearch 2.17.1 cannot be upgraded to 7102.")
    assert asked.message.rstrip(".") in pre_check_sentence(asked)


async def test_no_recent_snapshot_is_explained(served: RunningSandbox, tmp_path: Path) -> None:
    served.sandbox.world.state(served.sandbox.world.named(CLUSTER.name)).runs.clear()
    asked = await ask(served, tmp_path)
    assert asked.message == "최근 스냅샷이 없습니다. (a recent snapshot is required)"
    assert "the cluster has no recent snapshot, which the check before an upgrade requires" in pre_check_sentence(asked)


@pytest.mark.parametrize("message", ["\x1b[2Jgone", "\u202eesrever", "x" * 50_000, "two\nlines"])
async def test_a_hostile_message_is_inert(served: RunningSandbox, tmp_path: Path, message: str) -> None:
    answer = {"code": 0, "message": message, "result": None, "requestId": "rid"}
    served.sandbox.faults.add("rollingUpgradePreCheck", act=(200, answer))
    asked = await ask(served, tmp_path)
    assert asked.outcome is Outcome.REFUSED
    said = asked.message + pre_check_sentence(asked)
    assert not {"\x1b", "\u202e", "\n"} & set(said)
    assert len(asked.message) <= 4_000


@each_row("code", ["", " ", "2180 ", "2 180", "-1", "../x", "a\n", "\u202e1", "x" * 33, "번호"])
def test_what_is_no_code_is_not_sent(code: str) -> None:
    for make in (lambda: pre_check_of(CLUSTER, code), lambda: pre_check_of(CLUSTER, NEWER, code)):
        assert_refused(make)


def assert_refused(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidTarget) as caught:
        make()
    assert "\n" not in caught.value.what
    assert caught.value.meaning == "Nothing was sent."
