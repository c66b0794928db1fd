"""Standard output and error that take nothing, little, or nothing any more."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ncp_tui.cli.streams import MOST_KEPT, PATIENCE, AnswerSink, Loss, NoteSink, lost_answer, text_over
from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.snapshots.journal import Journal
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, Program, keys_of
from tests.tables import each_row

CREATE = ("snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", "x-1", "--yes")
MODULE = (sys.executable, "-m", "ncp_tui")
MEGABYTE = b"0123456789abcdef" * 65536


@contextlib.contextmanager
def pipe(*, blocking: bool = True) -> Iterator[tuple[int, int]]:
    """The reading end and the writing end."""
    ends = reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    try:
        yield reading, writing
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                os.close(end)


def fill(writing: int) -> int:
    """Write until nothing more is taken; how many bytes that were."""
    was_blocking = os.get_blocking(writing)
    os.set_blocking(writing, False)
    taken = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            taken += os.write(writing, b"\n" * 4096)
    os.set_blocking(writing, was_blocking)
    return taken


def read_all(reading: int) -> bytes:
    """Everything until the end, in small pieces."""
    return b"".join(iter(lambda: os.read(reading, 4096), b""))


@contextlib.contextmanager
def dead_terminal() -> Iterator[int]:
    """A terminal that has hung up."""
    master, slave = pty.openpty()
    os.close(master)
    try:
        yield slave
    finally:
        os.close(slave)


@contextlib.contextmanager
def unwritable(kind: str) -> Iterator[int]:
    """A descriptor that takes nothing."""
    with contextlib.ExitStack() as stack:
        if kind == "full":
            yield stack.enter_context(Path("/dev/full").open("wb", buffering=0)).fileno()
        elif kind == "read-only":
            yield stack.enter_context(Path(os.devnull).open("rb", buffering=0)).fileno()
        elif kind == "dead terminal":
            yield stack.enter_context(dead_terminal())
        elif kind == "pipe":
            reading, writing = stack.enter_context(pipe())
            os.close(reading)
            yield writing
        else:
            descriptor = os.open(os.devnull, os.O_WRONLY)
            os.close(descriptor)
            yield descriptor


UNWRITABLE = {
    "full": Loss("no space left on device"),
    "read-only": Loss("bad file descriptor"),
    "closed": Loss("bad file descriptor"),
    "pipe": Loss(""),
    "dead terminal": Loss("input/output error", is_hang_up=True),
}


class TestAnswers:
    """Standard output."""

    @each_row("blocking", [True, False])
    def test_a_slow_reader_gets_all_of_it(self, blocking: bool) -> None:
        """A pipe that does not block takes 65,536 bytes; the rest was dropped, with exit code 0."""
        with pipe(blocking=blocking) as (reading, writing):
            sink = AnswerSink(writing)

            def answer() -> None:
                sink.write(MEGABYTE)
                os.close(writing)

            writer = threading.Thread(target=answer)
            writer.start()
            assert read_all(reading) == MEGABYTE
            writer.join()
        assert sink.loss is None

    @each_row("kind", UNWRITABLE)
    def test_nothing_is_taken(self, kind: str) -> None:
        with unwritable(kind) as descriptor:
            sink = AnswerSink(descriptor)
            assert sink.write(b"answer") == 6, "who writes is not to be stopped by it"
            sink.write(b"more of it")
        assert sink.loss == UNWRITABLE[kind]

    def test_a_reader_that_leaves_in_the_middle(self) -> None:
        with pipe() as (reading, writing):
            sink = AnswerSink(writing)

            def leave() -> None:
                os.read(reading, 10)
                os.close(reading)

            leaving = threading.Thread(target=leave)
            leaving.start()
            sink.write(MEGABYTE)
            leaving.join()
        assert sink.loss == Loss("")

    def test_nothing_is_lost_where_nothing_is_written(self) -> None:
        """A command without an answer ends in 0 also with `>&-`."""
        with unwritable("closed") as descriptor:
            sink = AnswerSink(descriptor, Loss("closed"))
            sink.write(b"")
            sink.finish()
            assert sink.loss is None
            sink.write(b"answer")
        assert sink.loss == Loss("closed")

    def test_text_that_the_encoding_lacks(self) -> None:
        with pipe() as (reading, writing):
            stream = text_over(AnswerSink(writing), "ascii")
            stream.write("한\n")
            assert os.read(reading, 100) == b"\\ud55c\n"


class TestNotes:
    """Standard error."""

    @each_row("kind", UNWRITABLE)
    def test_nothing_is_taken(self, kind: str) -> None:
        with unwritable(kind) as descriptor:
            sink = NoteSink(descriptor)
            assert sink.write(b"note") == 4
            sink.finish()

    @each_row("blocking", [True, False])
    def test_a_full_pipe_delays_nothing_and_gets_the_rest_when_it_is_read(self, blocking: bool) -> None:
        """An hour of notes to a reader that is stuck must not keep a snapshot waiting."""
        with pipe(blocking=blocking) as (reading, writing):
            full = fill(writing)
            sink = NoteSink(writing)
            begun = time.process_time(), time.monotonic()
            for number in range(100):
                sink.write(b"note %d\n" % number)
            assert time.process_time() - begun[0] < 1, "nor is it tried in a busy loop"
            assert time.monotonic() - begun[1] < PATIENCE + 5
            while full:
                full -= len(os.read(reading, full))
            sink.finish()
            os.close(writing)
            assert read_all(reading) == b"".join(b"note %d\n" % number for number in range(100))

    def test_what_is_kept_is_bounded(self) -> None:
        with pipe() as (reading, writing):
            full = fill(writing)
            sink = NoteSink(writing)
            for _ in range(4):
                sink.write(b"." * MOST_KEPT)
            sink.write(b"last words\n")
            reader = threading.Thread(target=lambda: got.append(read_all(reading)))
            got: list[bytes] = []
            reader.start()
            sink.finish()
            os.close(writing)
            reader.join()
        assert len(got[0]) == full + MOST_KEPT
        assert got[0].endswith(b"last words\n")


@contextlib.contextmanager
def streams(monkeypatch: pytest.MonkeyPatch, out: int | None = None, err: int | None = None) -> Iterator[None]:
    """This process's streams over other descriptors."""
    with monkeypatch.context() as patch:
        for name, sink in (("stdout", AnswerSink(out) if out else None), ("stderr", NoteSink(err) if err else None)):
            if sink is not None:
                patch.setattr(sys, name, text_over(sink, "utf-8"))
        yield


READS = [
    ("cluster", "list"),
    ("snapshot", "history", "search-0001"),
    ("doctor",),
    ("paths",),
    ("--help",),
    ("--version",),
]


class TestCommands:
    """What becomes of the exit code."""

    @pytest.mark.parametrize("kind", UNWRITABLE)
    def test_an_accepted_create_whose_answer_is_lost(
        self, kind: str, call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It ended as "an internal error", exit code 1, and a script asked again."""
        with unwritable(kind) as descriptor, streams(monkeypatch, out=descriptor):
            result = call(*CREATE, "--json")
        assert result.code == (129 if kind == "dead terminal" else 15)
        assert len(sandbox.ledger.effects) == 1
        said = "Accepted: NCP is creating x-1. The answer could not be written to standard output"
        assert (said in result.stderr) == (kind != "pipe")
        assert "bug" not in result.stderr
        assert [entry.is_open for entry in Journal(paths_from(call.program.environ)).entries()] == [False]

    @pytest.mark.parametrize("arguments", READS)
    @pytest.mark.parametrize("json", [(), ("--json",)], ids=["text", "json"])
    def test_a_read(
        self, arguments: Sequence[str], json: Sequence[str], call: Called, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with unwritable("full") as descriptor, streams(monkeypatch, out=descriptor):
            result = call(*arguments, *json)
        assert result.code == 15
        assert result.stderr.count("The answer could not be written to standard output: no space left on device.") == 1

    def test_another_code_stays(self, call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """That the answer is lost is less than that NCP refused."""
        sandbox.faults.add("createSnapshot", act=gateway_answer(GatewayError.PERMISSION_DENIED))
        with unwritable("full") as descriptor, streams(monkeypatch, out=descriptor):
            assert call(*CREATE, "--json").code == 5
            assert call("cluster", "show", "nobody", "--json").code == 2
            assert call("no-such-noun", "--json").code == 2

    @pytest.mark.parametrize("kind", UNWRITABLE)
    def test_notes_that_nobody_takes(
        self, kind: str, call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A log on a full disk stopped the backup: nothing was sent at all."""
        with unwritable(kind) as descriptor, streams(monkeypatch, err=descriptor):
            result = call(*CREATE, "--json", "--wait")
        assert (result.code, result.json()["finished"]) == (0, "success")
        assert len(sandbox.ledger.effects) == 1

    def test_completion(self, call: Called, monkeypatch: pytest.MonkeyPatch) -> None:
        asks = {"_NCP_TUI_COMPLETE": "bash_complete", "COMP_WORDS": "ncp-tui cl", "COMP_CWORD": "1"}
        assert call(**asks).stdout == "plain,cluster\n"
        with unwritable("pipe") as descriptor, streams(monkeypatch, out=descriptor):
            assert call(**asks).stderr == ""

    def test_a_stream_of_the_callers_own_loses_nothing(self, call: Called) -> None:
        assert call("paths").code == 0
        assert lost_answer() is None


class TestTheProcess:
    """What the interpreter and the system do, before the program's first line and after its last."""

    def run(self, program: Program, redirection: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["sh", "-c", f'"$@" {redirection}', "sh", *MODULE, *arguments],
            env=program.environ,
            capture_output=True,
            timeout=20,
            check=False,
        )

    @pytest.mark.parametrize(
        "redirection",
        ["<&- >&- 2>&-", *(pytest.param(some, marks=pytest.mark.slow) for some in ("<&-", ">&-", "2>&-", "<&- >&-"))],
    )
    def test_closed_descriptors_are_nobody_elses(self, redirection: str, program: Program, sandbox: Sandbox) -> None:
        """The journal would be opened as number 1 and get the answer, or a connection as number 2 the notes."""
        done = self.run(program, redirection, *CREATE, "--json", "--wait")
        assert done.returncode == (15 if ">&-" in redirection.split() else 0)
        assert len(sandbox.ledger.effects) == 1
        contents = Journal(paths_from(program.environ)).contents()
        assert contents.damage is None
        assert [entry.state for entry in contents.entries] == ["success"]
        if redirection == ">&-":
            assert b"The answer could not be written to standard output: it was closed before the start." in done.stderr

    @pytest.mark.slow
    def test_a_file_that_may_not_grow(self, program: Program, tmp_path: Path) -> None:
        """A quota, and a disk that takes a part."""
        with ThreadedSandbox(Sandbox(600)) as served:
            full = Program(program.environ | keys_of(served))
            done = self.run(full, f">{tmp_path / 'answer'}", "cluster", "list", "--json")
            assert done.returncode == 0
            done = subprocess.run(
                ["sh", "-c", 'ulimit -f 64; "$@" >"$ANSWER"', "sh", *MODULE, "cluster", "list", "--json"],
                env=full.environ | {"ANSWER": str(tmp_path / "answer")},
                capture_output=True,
                timeout=20,
                check=False,
            )
        assert done.returncode == 15
        assert b"The answer could not be written to standard output: file too large." in done.stderr

    @pytest.mark.slow
    def test_a_pipe_that_does_not_block(self, program: Program) -> None:
        with ThreadedSandbox(Sandbox(600)) as served, pipe(blocking=False) as (reading, writing):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
            with subprocess.Popen(
                [*MODULE, "cluster", "list", "--json"],
                stdout=writing,
                stderr=writing,
                env=program.environ | keys_of(served),
            ) as process:
                os.close(writing)
                data = read_all(reading)
        assert process.returncode == 0
        assert data.endswith(b"\n]\n")

    @pytest.mark.slow
    def test_the_sandbox_whose_keys_nobody_gets(self, nobody: Program) -> None:
        """It served until it was ended, to nobody."""
        done = self.run(nobody, ">/dev/full", "sandbox")
        assert done.returncode == 15
        assert b"no space left on device" in done.stderr


def test_a_journal_that_cannot_be_written_sends_nothing(call: Called, sandbox: Sandbox) -> None:
    """Here another file is in the place of its folder; the session log, which is there too, stops nothing."""
    state = paths_from(call.program.environ).state_dir
    state.parent.mkdir(parents=True)
    state.touch()
    result = call(*CREATE, "--json")
    assert (result.code, result.json()["error"]["kind"]) == (12, "journal_unwritable")
    assert sandbox.ledger.effects == []
    assert call(*CREATE, "--json", "--without-journal").code == 0
    assert len(sandbox.ledger.effects) == 1
