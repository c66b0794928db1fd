from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from ncp_tui.gateway.exchange import Answer, Exchange, RequestRecord
from ncp_tui.problem import Problem
from ncp_tui.session_log.log import MOST_ACTIONS, MOST_EXCHANGES, MOST_LARGE_BYTES, Action, SessionLog

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def exchange(
    operation: str = "getClusterInfoList", *, answer: Answer | None = None, error: str | None = None
) -> Exchange:
    request = RequestRecord("GET", "https://h", "/x", (), "", "")
    return Exchange(operation, NOW, request, answer=answer, error=error)


def exchanges(log: SessionLog) -> list[Exchange]:
    return [each for action in log.actions for each in action.exchanges]


def told(log: SessionLog) -> list[tuple[str, list[str]]]:
    return [(action.title, [each.operation for each in action.exchanges]) for action in log.actions]


@pytest.fixture
def log() -> SessionLog:
    return SessionLog(lambda: NOW)


def test_requests_are_grouped_under_the_action(log: SessionLog) -> None:
    with log.action("create snapshot") as action:
        log.record(exchange("getBucketList"))
        log.record(exchange("createSnapshot"))
    assert told(log) == [("create snapshot", ["getBucketList", "createSnapshot"])]
    assert (action.number, action.started, action.failed, action.outcome) == (1, NOW, False, "")


def test_a_request_outside_of_any_action_has_one_of_its_own(log: SessionLog) -> None:
    """Nothing that was sent may be missing from the log."""
    log.record(exchange("getBucketList"))
    log.record(exchange("getBucketList"))
    with log.action("a"):
        pass
    log.record(exchange("getClusterInfo"))
    assert told(log) == [
        ("getBucketList", ["getBucketList"]),
        ("getBucketList", ["getBucketList"]),
        ("a", []),
        ("getClusterInfo", ["getClusterInfo"]),
    ]
    assert [action.number for action in log.actions] == [1, 2, 3, 4]


def test_an_action_inside_another(log: SessionLog) -> None:
    with log.action("outer"):
        log.record(exchange("1"))
        with log.action("inner"):
            log.record(exchange("2"))
        log.record(exchange("3"))
    assert told(log) == [("outer", ["1", "3"]), ("inner", ["2"])]


def test_a_problem_is_the_outcome_and_goes_on(log: SessionLog) -> None:
    def act(title: str, outcome: str) -> None:
        with log.action(title) as action:
            action.outcome = outcome
            raise Problem("It broke.")

    for title, outcome in (("a", ""), ("b", "Unknown.")):
        with pytest.raises(Problem):
            act(title, outcome)
    assert [(action.failed, action.outcome) for action in log.actions] == [(True, "It broke."), (True, "Unknown.")]
    log.record(exchange())
    assert len(log.actions) == 3


async def test_a_cancelled_action_does_not_look_like_a_finished_one(log: SessionLog) -> None:
    async def act() -> None:
        with log.action("watch"):
            await asyncio.Event().wait()

    task = asyncio.ensure_future(act())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(action.outcome, action.failed) for action in log.actions] == [("Cancelled.", False)]


def test_listeners_hear_of_each_change_until_they_leave(log: SessionLog) -> None:
    heard: list[tuple[str, str | None]] = []

    def listen(action: Action, each: Exchange | None) -> None:
        heard.append((action.title, each.operation if each else None))

    leave = log.subscribe(listen)
    with log.action("a"):
        log.record(exchange("1"))
    log.record(exchange("2"))
    leave()
    log.record(exchange("3"))
    assert heard == [("a", None), ("a", "1"), ("a", None), ("2", "2")]


def test_a_listener_may_leave_while_it_is_told(log: SessionLog) -> None:
    heard: list[str] = []

    def once(action: Action, _: Exchange | None) -> None:
        heard.append(action.title)
        leave()

    leave = log.subscribe(once)
    log.subscribe(lambda action, _: heard.append(action.title.upper()))
    log.record(exchange("a"))
    log.record(exchange("b"))
    assert heard == ["a", "A", "B"]


async def test_two_tasks_keep_their_requests_apart(log: SessionLog) -> None:
    """A refresh in the background must not show up under the snapshot that the user is taking."""
    turn = asyncio.Barrier(2)

    async def act(title: str) -> None:
        with log.action(title):
            for step in range(3):
                await turn.wait()
                log.record(exchange(f"{title}{step}"))

    await asyncio.gather(act("a"), act("b"))
    assert sorted(told(log)) == [("a", ["a0", "a1", "a2"]), ("b", ["b0", "b1", "b2"])]


async def test_a_task_started_inside_belongs_to_the_action(log: SessionLog) -> None:
    async def fetch(name: str) -> None:
        await asyncio.sleep(0)
        log.record(exchange(name))

    with log.action("all pages"):
        await asyncio.gather(fetch("1"), fetch("2"))
    assert told(log) == [("all pages", ["1", "2"])]


def test_the_log_is_bounded(log: SessionLog) -> None:
    """The program stays open in tmux for weeks."""
    for number in range(MOST_ACTIONS + 5):
        log.record(exchange(str(number)))
    assert len(log.actions) == MOST_ACTIONS
    assert log.actions[0].title == "5"


def test_an_action_is_bounded_and_keeps_its_beginning_and_its_end(log: SessionLog) -> None:
    """Watching one snapshot for a day makes thousands of requests, each with a page of history in it."""
    with log.action("create and watch") as action:
        for number in range(5_000):
            log.record(exchange(str(number)))
    kept = [each.operation for each in action.exchanges]
    assert len(kept) == MOST_EXCHANGES
    assert kept[0] == "0"
    assert kept[-1] == "4999"


def test_large_bodies_are_forgotten_oldest_first_but_never_a_failure(log: SessionLog) -> None:
    """A listing of 2,000 clusters is 2 MB; refreshed for a day it would fill the memory of a bastion."""
    body = b"x" * (MOST_LARGE_BYTES // 4)
    for number in range(9):
        answer = Answer(200, "OK", (), body)
        log.record(exchange(str(number), answer=answer, error="bad_answer" if number == 1 else None))
    sizes = {each.operation: (each.answer.size, len(each.answer.body)) for each in exchanges(log) if each.answer}
    kept = [name for name, (_, held) in sizes.items() if held]
    assert kept == ["1", "5", "6", "7", "8"]
    assert {size for size, _ in sizes.values()} == {len(body)}, "what was forgotten is still told"


def test_a_small_body_is_kept_and_so_is_one_that_is_larger_than_all(log: SessionLog) -> None:
    log.record(exchange("small", answer=Answer(200, "OK", (), b"true")))
    log.record(exchange("huge", answer=Answer(200, "OK", (), b"x" * (MOST_LARGE_BYTES + 1))))
    assert all(each.answer is not None and each.answer.body for each in exchanges(log))


def test_a_listener_that_raises_changes_nothing(log: SessionLog) -> None:
    """It is called inside of sending: its exception would stand in the place of a create's outcome."""
    heard: list[str] = []

    def broken(action: Action, _: Exchange | None) -> None:
        raise ValueError(action.title)

    log.subscribe(broken)
    log.subscribe(lambda action, _: heard.append(action.title))
    with log.action("a"):
        log.record(exchange())
    with log.action("b"):
        pass
    assert heard == ["a", "a", "a", "b", "b"]
    assert isinstance(log.listener_failure, ValueError)
    assert log.listener_failure.args == ("a",), "the first is the one to report"


def test_an_action_says_how_it_ended(log: SessionLog) -> None:
    """On disk an action that met a bug, or Ctrl-C, must not look like one that was done."""

    def act(title: str, error: BaseException) -> None:
        with log.action(title) as action:
            assert action.ended is None
            raise error

    for title, error in (("a", Problem("It broke.")), ("b", KeyError("x")), ("c", KeyboardInterrupt())):
        with pytest.raises(type(error)):
            act(title, error)
    with log.action("d"):
        log.record(exchange(), profile="prod")
    assert [(action.error, action.outcome, action.profile) for action in log.actions] == [
        ("problem", "It broke.", ""),
        ("bug", "Internal error: KeyError.", ""),
        (None, "Cancelled.", ""),
        (None, "", "prod"),
    ]
    assert all(action.ended == NOW for action in log.actions)
