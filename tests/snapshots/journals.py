"""Journals for tests: real files in a folder of their own, and real processes that write to them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ncp_tui.search_engine.operations import CREATE_SNAPSHOT
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_entry import event_of, parameters_and_context
from ncp_tui.snapshots.journal_file import JournalLine, read_line
from ncp_tui.snapshots.outcome import Caller, SnapshotRequest
from ncp_tui.system.paths import Paths, paths_from

NOW = 1_767_225_600.0
"""What the clock of a journal says: 2026-01-01 in UTC, as epoch seconds."""

REQUEST = SnapshotRequest("1037001", "search-0001", "before-upgrade", "bk.ses.snapshot")
CALLER = Caller("prod", "public", "KR", "https://gateway.example/api/v2")

_PROGRAM = """
import os, resource, signal, sys, threading
from dataclasses import replace
from pathlib import Path
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import Journal, JournalProblem
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.search_engine.operations import CREATE_SNAPSHOT
from ncp_tui.snapshots.journal_entry import JournalEvent
from ncp_tui.snapshots import journal as module
from tests.snapshots.journals import CALLER, NOW, REQUEST, journal_in, paths_in
journal = journal_in(Path(sys.argv[1]), clock=lambda: NOW)
module._LOCK_SECONDS = 60.0  # many processes that wait for one another on a busy machine
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def paths_in(home: Path) -> Paths:
    return paths_from({"NCP_TUI_HOME": str(home)})


def journal_in(home: Path, **options: Any) -> Journal:
    return Journal(paths_in(home), **options)


def named(name: str) -> SnapshotRequest:
    return SnapshotRequest(REQUEST.cluster_number, REQUEST.cluster_name, name, REQUEST.bucket)


def child(home: Path, program: str, *arguments: str) -> subprocess.Popen[str]:
    """A process with `journal`, `die` and the words of the journal; its arguments begin at `sys.argv[2]`."""
    command = [sys.executable, "-c", _PROGRAM + program, str(home), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def run_child(home: Path, program: str, *arguments: str) -> tuple[int, str]:
    """The exit status of such a process, negative for a signal, and what it said."""
    with child(home, program, *arguments) as running:
        said, _ = running.communicate(timeout=60)
    return running.returncode, said


@contextlib.contextmanager
def children(home: Path, program: str, *firsts: str) -> Iterator[list[subprocess.Popen[str]]]:
    """One such process for each of the first arguments, all of them told to go on at once; none is left behind."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(child(home, program, first)) for first in firsts]
        for one in running:
            stack.callback(one.kill)
        for one in running:
            tell(one)
        yield running


def tell(one: subprocess.Popen[str]) -> None:
    """Let a process go on that waits for a line."""
    assert one.stdin
    one.stdin.write("go\n")
    one.stdin.flush()


def hear(one: subprocess.Popen[str]) -> str:
    """The next line it says, without its end."""
    assert one.stdout
    return one.stdout.readline().strip()


def lines_of(journal: Journal) -> list[dict[str, Any]]:
    """Every intact line as one mapping, with its id, event and time."""
    return [event_of(line) for raw in journal.path.read_bytes().splitlines() if (line := read_line(raw))]


def events_of(journal: Journal) -> list[str]:
    return [line["fact"] for line in lines_of(journal)]


def encoded(*lines: Mapping[str, Any] | bytes) -> list[bytes]:
    """Facts as lines of a journal, in sequence; bytes stay as they are, and take a place."""
    begun = {line["id"]: line for line in lines if isinstance(line, Mapping) and line.get("fact") == "begun"}
    found: list[bytes] = []
    for line in lines:
        if isinstance(line, bytes):
            found.append(line)
            continue
        parameters, _ = parameters_and_context(begun.get(line["id"], {}))
        _, context = parameters_and_context(line) if line["fact"] == "begun" else ({}, dict(line))
        details = {name: value for name, value in context.items() if name not in {"id", "fact", "at"}}
        at = line.get("at", "")
        found.append(
            JournalLine(
                len(found) + 1,
                line["id"],
                line["fact"],
                at,
                CREATE_SNAPSHOT if line["id"] else "",
                parameters,
                None,
                details,
            ).encoded()
        )
    return found


def write_lines(journal: Journal, *lines: Mapping[str, Any] | bytes) -> bytes:
    """A journal of these lines; what was there before, and the number of its last line, are gone."""
    journal.path.parent.mkdir(parents=True, exist_ok=True)
    journal.path.with_name("journal.jsonl.last").unlink(missing_ok=True)
    data = b"".join(line + b"\n" for line in encoded(*lines))
    journal.path.write_bytes(data)
    return data


def begun(key: str, at: str = "2026-01-01T00:00:00+00:00", name: str = REQUEST.name, **more: Any) -> dict[str, Any]:
    """The first line of an entry, as the file has it."""
    return {
        "id": key,
        "fact": "begun",
        "at": at,
        "profile": CALLER.profile,
        "zone": CALLER.site,
        "region": CALLER.region,
        "gateway": CALLER.gateway,
        "cluster": REQUEST.cluster_number,
        "cluster_name": REQUEST.cluster_name,
        "name": name,
        "bucket": REQUEST.bucket,
        **more,
    }


def locks_of(journal: Journal) -> list[str]:
    folder = journal.path.with_name("journal.locks")
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []
