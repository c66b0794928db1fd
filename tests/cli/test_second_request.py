"""Never a second snapshot that nobody asked for: the command stops, says which request stops it, and what a yes is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.fault_lab.fault import Visit
from ncp_tui.sandbox.protocol import Answer, GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.snapshots.journal import Journal
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, Program, asked
from tests.snapshots.long_history import make_long

CREATE = ("snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", "x-1")
NO_YES = [("--yes",), ("--confirm", "search-0001"), ("--retry-if-not-started",), ("--without-journal",)]


@pytest.fixture
def journal(program: Program) -> Journal:
    return Journal(paths_from(program.environ))


def creates(sandbox: Sandbox) -> int:
    return asked(sandbox).count("createSnapshot")


def earlier(result: Any) -> dict[str, Any]:
    """What a refusal says of the earlier request."""
    document = result.json()
    assert (result.code, document["outcome"], document["error"]["kind"]) == (12, "not_sent", "second_request")
    assert f"--again {document['earlier']['id']}" in result.stderr
    assert set(document["earlier"]) == {"id", "source", "state", "at"}
    return dict(document["earlier"])


def lost(call: Called, sandbox: Sandbox) -> None:
    install(sandbox, "history-loses")
    sandbox.faults.add("createSnapshot", "after", "drop")
    assert call(*CREATE).code == 9


def accepted(call: Called, sandbox: Sandbox) -> None:
    sandbox.world.duration = 60.0
    assert call(*CREATE).code == 0


def succeeded(call: Called, _sandbox: Sandbox) -> None:
    assert call(*CREATE, "--wait").code == 0


@pytest.mark.parametrize(("first", "state"), [(lost, "unknown"), (accepted, "accepted"), (succeeded, "succeeded")])
def test_nothing_but_the_id_is_a_yes(
    call: Called, sandbox: Sandbox, first: Callable[[Called, Sandbox], None], state: str
) -> None:
    first(call, sandbox)
    for words in [(), *NO_YES, ("--again", "0" * 12)]:
        assert earlier(call(*CREATE, "--json", *words))["state"] == state
    assert creates(sandbox) == 1
    found = earlier(call(*CREATE, "--json"))
    assert found["source"] == "journal"
    assert call(*CREATE, "--json", "--again", found["id"]).json()["outcome"] in {"accepted", "refused", "unknown"}
    assert creates(sandbox) == 2


def test_a_row_of_the_history_alone_stops_it_too(call: Called, sandbox: Sandbox, journal: Journal) -> None:
    """Made by another machine, or by a journal that is gone."""
    succeeded(call, sandbox)
    for file in journal.path.parent.glob("journal.jsonl*"):
        file.unlink()
    found = earlier(call(*CREATE, "--json"))
    assert (found["source"], found["state"]) == ("history", "succeeded")
    assert call(*CREATE, "--json", "--again", found["id"]).json()["outcome"] == "refused", "by the service"


def test_a_row_of_the_history_stops_it_where_the_journal_cannot_be_read(
    call: Called, sandbox: Sandbox, journal: Journal
) -> None:
    """Not even written down, it would be a second snapshot that nobody asked for."""
    succeeded(call, sandbox)
    for file in journal.path.parent.glob("journal.jsonl*"):
        file.unlink()
    journal.path.mkdir()
    found = earlier(call(*CREATE, "--json", "--without-journal", "--yes"))
    assert (found["source"], found["state"]) == ("history", "succeeded")
    assert creates(sandbox) == 1
    again = call(*CREATE, "--json", "--without-journal", "--again", found["id"])
    assert (again.json()["outcome"], creates(sandbox)) == ("refused", 2), "by the service"


def test_a_yes_is_void_when_the_state_has_changed(call: Called, sandbox: Sandbox) -> None:
    lost(call, sandbox)
    before = earlier(call(*CREATE, "--json"))
    sandbox.faults.clear()
    assert call("snapshot", "resolve").code == 0
    after = earlier(call(*CREATE, "--json", "--again", before["id"]))
    assert (before["state"], after["state"] != "unknown", after["id"] != before["id"]) == ("unknown", True, True)
    assert creates(sandbox) == 1


def test_what_failed_or_was_refused_is_no_obstacle(call: Called, sandbox: Sandbox) -> None:
    failing = (*CREATE[:-1], "x-fail")
    assert call(*failing, "--wait").code == 10
    again = call(*failing, "--json")
    assert again.json()["error"] is None or again.json()["error"]["kind"] != "second_request"
    sandbox.faults.add("createSnapshot", "before", (400, {"error": {"errorCode": "100", "message": "no"}}))
    assert call(*CREATE, "--json").json()["outcome"] == "refused"
    assert call(*CREATE).code == 0


def test_an_accepted_one_is_looked_up_first(call: Called, sandbox: Sandbox, journal: Journal) -> None:
    """It failed meanwhile, and nobody has looked since."""
    failing = (*CREATE[:-1], "x-fail")
    assert call(*failing).code == 0
    assert journal.entries()[0].state is None
    result = call(*failing, "--json")
    assert result.json()["error"] is None or result.json()["error"]["kind"] != "second_request"
    assert journal.entries()[0].state == "failed"
    assert creates(sandbox) == 2


def test_a_repeated_wait_names_the_command_that_follows(call: Called, sandbox: Sandbox) -> None:
    sandbox.world.duration = 60.0
    assert call(*CREATE, "--wait", "--timeout", "0.2").code == 11
    result = call(*CREATE, "--wait", "--timeout", "0.2", "--json")
    earlier(result)
    assert "ncp-tui snapshot wait search-0001 x-1" in result.json()["error"]["hint"]
    assert creates(sandbox) == 1


def test_another_spelling_of_the_gateway_is_the_same_one(call: Called, sandbox: Sandbox, program: Program) -> None:
    lost(call, sandbox)
    url = program.environ["NCLOUD_API_GW"]
    program.environ["NCLOUD_API_GW"] = url.replace("127.0.0.1", "localhost")
    assert program.environ["NCLOUD_API_GW"] != url
    assert earlier(call(*CREATE, "--json"))["state"] == "unknown"
    assert creates(sandbox) == 1


def test_a_history_that_cannot_be_read_blocks_nothing(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("getSnapshotHistory", "before", (500, {}), times=None)
    result = call(*CREATE)
    assert result.code == 0
    assert "name: not checked" in result.stderr


def test_a_damaged_journal_stops_until_its_damage_is_accepted(call: Called, sandbox: Sandbox, journal: Journal) -> None:
    lost(call, sandbox)
    raws = journal.path.read_bytes().splitlines()
    journal.path.write_bytes(b"\n".join([raws[0], b"\0" * len(raws[1]), *raws[2:]]) + b"\n")
    result = call(*CREATE, "--json")
    assert (result.code, result.json()["error"]["kind"]) == (12, "damaged_journal")
    found = re.search(r"--accept-damage ([0-9a-f]+)", result.json()["error"]["hint"])
    assert found
    for words in [*NO_YES, ("--again", found[1])]:
        assert call(*CREATE, "--json", *words).json()["error"]["kind"] == "damaged_journal"
    assert found[1] in call("doctor", "--offline").stdout
    resolved = call("snapshot", "resolve", "--timeout", "0.2")
    assert resolved.code == 9
    assert found[1] in resolved.stdout
    assert "journal.jsonl.damaged-" in resolved.stdout
    assert call("snapshot", "resolve", "--accept-damage", "0" * 12).code == 2
    assert call("snapshot", "resolve", "--accept-damage", found[1]).code == 0
    assert earlier(call(*CREATE, "--json"))["state"] == "unknown"
    assert creates(sandbox) == 1
    assert call(*CREATE[:-1], "x-2").code in {0, 8}


def test_a_request_whose_first_line_is_lost_is_named_by_what_is_known(
    call: Called, sandbox: Sandbox, journal: Journal
) -> None:
    lost(call, sandbox)
    first, *others = journal.path.read_bytes().splitlines()
    journal.path.write_bytes(b"\n".join([b"X" + first[1:], *others]) + b"\n")
    resolved = call("snapshot", "resolve", "--timeout", "0.2")
    assert resolved.code == 9
    assert re.search(r"^x-1 on 1037001 \([-0-9]+ [:0-9]+ KST\)$", resolved.stdout, re.MULTILINE)
    assert "x-1 on 1037001" in call("doctor", "--offline").stdout


@pytest.mark.parametrize("pairs", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_of_two_at_once_one_is_sent(program: Program, sandbox: Sandbox, pairs: int) -> None:
    for number in range(pairs):
        words = (*CREATE[:-1], f"race-{number}", "--json")
        with program.started(*words) as one, program.started(*words) as other:
            codes = sorted((program.ended(one).code, program.ended(other).code))
        assert codes == [0, 12], number
    assert creates(sandbox) == len(sandbox.ledger.effects) == pairs


def test_the_oldest_of_a_long_history_stops_it(call: Called, sandbox: Sandbox) -> None:
    """A cron with a fixed name would else have a second one after a hundred others."""
    make_long(sandbox, "x-1")
    dry = call(*CREATE, "--dry-run", "--json")
    assert (dry.code, dry.json()["earlier"]["source"]) == (12, "history")
    found = earlier(call(*CREATE, "--json", "--yes"))
    assert (found["source"], found["state"], found["id"]) == ("history", "succeeded", dry.json()["earlier"]["id"])
    assert creates(sandbox) == 0
    assert call(*CREATE, "--json", "--again", found["id"]).json()["outcome"] == "refused", "by the service"
    assert creates(sandbox) == 1


@pytest.mark.parametrize(("rows", "looks"), [(0, 1), (250, 4)])
def test_a_free_name_costs_a_look_at_each_page(call: Called, sandbox: Sandbox, rows: int, looks: int) -> None:
    if rows:
        make_long(sandbox, "x-1", rows)
    result = call(*CREATE[:-1], "x-2", "--json")
    assert (result.json()["outcome"], creates(sandbox)) == ("accepted", 1)
    assert asked(sandbox).count("getSnapshotHistory") == looks


def test_older_rows_that_do_not_come_are_said_and_stop_nothing(call: Called, sandbox: Sandbox) -> None:
    make_long(sandbox, "x-1")

    async def behind_the_first(visit: Visit) -> Answer | None:
        return None if "pageNo=1&" in visit.target else gateway_answer(GatewayError.PERMISSION_DENIED)

    sandbox.faults.add("getSnapshotHistory", "before", behind_the_first, times=None)
    result = call(*CREATE[:-1], "x-2", "--json")
    assert (result.json()["outcome"], creates(sandbox)) == ("accepted", 1)
    assert "Older rows were not read." in result.stderr
