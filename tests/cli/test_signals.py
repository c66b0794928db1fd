"""SIGINT, SIGTERM and SIGHUP: one document, the right code, in time."""

from __future__ import annotations

import asyncio
import contextvars
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.signals import NUMBERS, Signals, Stopped
from ncp_tui.sandbox.fault_lab.fault import Fault
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.snapshots.journal import Journal
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, Program, keys_of, passing

CREATE = ("snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", "x-1", "--yes")
KINDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung_up"}


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def signalled_in_the_middle(number: signal.Signals, steps: list[str]) -> None:
    steps.append("begun")
    signal.raise_signal(number)
    steps.append("written")


@pytest.mark.parametrize("number", NUMBERS)
class TestSignals:
    """The object itself."""

    def test_work_is_cancelled(self, number: signal.Signals, runner: asyncio.Runner) -> None:
        seen: list[str] = []

        async def work() -> None:
            signal.raise_signal(number)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                signal.raise_signal(number)  # a second one disturbs nobody's tidying up
                await asyncio.sleep(0)
                seen.append("tidied up")
                raise

        with Signals() as signals:
            signals.release()
            with pytest.raises(Stopped):
                signals.run(runner, work(), contextvars.copy_context())
            assert signals.interruption() == ExitCode(128 + number)
        assert seen == ["tidied up"]

    def test_what_has_come_to_its_end_is_kept_by_the_work(self, number: signal.Signals, runner: asyncio.Runner) -> None:
        """An accepted create must not be called unknown because a signal came in the same turn."""
        kept: list[str] = []

        async def work() -> None:
            kept.append("accepted")
            signal.raise_signal(number)

        with Signals() as signals:
            signals.release()
            with pytest.raises(Stopped):
                signals.run(runner, work(), contextvars.copy_context())
        assert kept == ["accepted"]

    def test_it_is_raised_once(self, number: signal.Signals) -> None:
        """Telling what has become of the work must not be broken off as well."""
        with Signals() as signals:
            signals.release()
            with pytest.raises(Stopped):
                signal.raise_signal(number)
            signal.raise_signal(number)

    def test_while_it_is_held_it_waits(self, number: signal.Signals) -> None:
        steps: list[str] = []
        with Signals() as signals:
            signal.raise_signal(number)  # while the program loads
            with pytest.raises(Stopped):
                signals.release()
        with Signals() as signals:
            signals.release()
            with pytest.raises(Stopped), signals.held():
                signalled_in_the_middle(number, steps)
        with Signals() as signals:
            signals.release()
            signals.hold()
            signal.raise_signal(number)
        assert steps == ["begun", "written"]

    def test_the_handlers_of_before_are_back(self, number: signal.Signals) -> None:
        before = signal.getsignal(number)
        with Signals():
            assert signal.getsignal(number) != before
        assert signal.getsignal(number) == before

    def test_what_is_switched_off_stays_off(self, number: signal.Signals) -> None:
        """nohup, and a shell that starts a job in the background."""
        before = signal.signal(number, signal.SIG_IGN)
        try:
            with Signals() as signals:
                signals.release()
                signal.raise_signal(number)
            assert signals.number is None
        finally:
            signal.signal(number, before)


def test_a_cancellation_of_another_kind_goes_through(runner: asyncio.Runner) -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with Signals() as signals, pytest.raises(asyncio.CancelledError):
        signals.run(runner, work(), contextvars.copy_context())


@contextmanager
def sent_at(fault: Fault, number: int) -> Iterator[None]:
    """Have this process signalled, twice, when the request that `fault` strikes has come."""

    def send() -> None:
        assert fault.reached.wait(20)
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        sender.join()


@pytest.mark.parametrize("number", NUMBERS)
class TestEachMoment:
    """Whatever the command is at."""

    def test_looking_up(self, number: signal.Signals, call: Called, sandbox: Sandbox) -> None:
        with sent_at(sandbox.faults.add("getBucketList", act="hang"), number):
            result = call(*CREATE, "--json")
        document = result.json()
        assert (result.code, document["outcome"]) == (128 + number, "not_sent")
        assert document["error"]["kind"] == KINDS[number]

    def test_in_flight(self, number: signal.Signals, call: Called, sandbox: Sandbox) -> None:
        """Nobody knows then, and the journal keeps it for whoever finds out."""
        with sent_at(sandbox.faults.add("createSnapshot", when="after", act="hang"), number):
            result = call(*CREATE, "--json")
        assert (result.code, result.json()["outcome"], result.json()["attempts"]) == (128 + number, "unknown", 1)
        assert "Unknown whether x-1 started." in result.stderr
        (entry,) = Journal(paths_from(call.program.environ)).entries()
        assert entry.is_open

    def test_waiting(self, number: signal.Signals, call: Called, sandbox: Sandbox) -> None:
        """timeout(1) and CI end a --wait so, and read the document."""
        sandbox.faults.add("getSnapshotHistory", act=passing, label="the look beforehand")
        with sent_at(sandbox.faults.add("getSnapshotHistory", act="hang"), number):
            result = call(*CREATE, "--wait", "--json")
        document = result.json()
        assert (result.code, document["outcome"], document["finished"]) == (128 + number, "accepted", None)
        (entry,) = Journal(paths_from(call.program.environ)).entries()
        assert not entry.is_open

    def test_a_read(self, number: signal.Signals, call: Called, sandbox: Sandbox) -> None:
        with sent_at(sandbox.faults.add("getClusterInfoList", act="hang"), number):
            result = call("cluster", "list", "--json")
        assert (result.code, result.json()["error"]["kind"]) == (128 + number, KINDS[number])


def test_accepted_while_the_journal_is_written(call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer had come: a slow disk makes it no less accepted."""
    record = Journal.append

    def slow(journal: Journal, key: str, fact: str, **details: object) -> object:
        if fact == "answered":
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.5)
        return record(journal, key, fact, **details)  # type: ignore[arg-type]

    monkeypatch.setattr(Journal, "append", slow)
    result = call(*CREATE, "--json")
    assert (result.code, result.json()["outcome"]) == (143, "accepted")
    assert result.json()["request_id"]
    assert len(sandbox.ledger.effects) == 1


def test_terminated_at_the_question(program: Program, sandbox: Sandbox) -> None:
    with program.at_terminal(*CREATE[:-1], "--json") as terminal:
        terminal.expect("[y/N]")
        terminal.process.send_signal(signal.SIGTERM)
        result = terminal.end()
    assert (result.code, result.json()["outcome"]) == (143, "not_sent")
    assert sandbox.ledger.effects == []


def test_the_terminal_goes_at_the_question(program: Program, sandbox: Sandbox) -> None:
    """The signal comes together with the end of the input, while click has put stderr in the place of stdout."""
    with program.at_terminal(*CREATE[:-1], "--json") as terminal:
        terminal.expect("[y/N]")
        terminal.hang_up()
        result = terminal.end()
    assert (result.code, result.json()["outcome"]) == (129, "not_sent")
    assert sandbox.ledger.effects == []


def test_a_terminal_that_is_gone_has_not_said_yes(program: Program, sandbox: Sandbox) -> None:
    """Without a terminal nobody is asked. One that has hung up is no longer known as a terminal."""
    master, slave = pty.openpty()
    os.close(master)
    done = subprocess.run(
        [sys.executable, "-m", "ncp_tui", *CREATE[:-1], "--json"],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=program.environ,
        timeout=20,
        check=False,
    )
    os.close(slave)
    assert done.returncode == 129
    assert b'"kind": "hung_up"' in done.stdout
    assert sandbox.ledger.effects == []


@pytest.mark.slow
def test_a_step_that_hangs_is_not_waited_for(program: Program) -> None:
    """The document comes all the same, from another thread."""
    spoil = """
import time
import ncp_tui.cli.signals, ncp_tui.cli.create as create
ncp_tui.cli.signals.ORDERLY_SECONDS = 0.3
def hang(name):
    print("hangs", file=sys.stderr, flush=True)
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass
create.check_name = hang
"""
    with program.started(*CREATE, "--json", code=f"import sys\n{spoil}") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"hangs\n"
        process.send_signal(signal.SIGTERM)
        result = program.ended(process)
    assert (result.code, result.json()["outcome"]) == (143, "not_sent")


@pytest.mark.slow
def test_nobody_reads_the_answer(program: Program) -> None:
    with ThreadedSandbox(Sandbox(600)) as served:
        full = Program(program.environ | keys_of(served))
        shorter = "import ncp_tui.cli.signals; ncp_tui.cli.signals.ORDERLY_SECONDS = 0.3"
        with full.started("cluster", "list", "--json", code=shorter) as process:
            assert process.stdout is not None
            process.stdout.read(1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 143
