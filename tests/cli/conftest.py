from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.snapshots.resolve import search_history
from ncp_tui.system.backoff import Backoff
from tests.cli.program import Called, Program, keys_of, private_environment


@pytest.fixture(autouse=True)
def nothing_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process looks at the history follow each other soon, and a throttled create is repeated at once."""
    # By the modules' names: the package has functions of the same names.
    taking = import_module("ncp_tui.snapshots.create")
    # A create whose answer was lost is looked for a few times, however long a look takes: its clock goes by looks.
    monkeypatch.setattr(import_module("ncp_tui.cli.create"), "RESOLVE_SECONDS", 20.0)
    monkeypatch.setattr(taking, "search_history", partial(search_history, monotonic=count(0.0, 4.0).__next__))
    monkeypatch.setattr(import_module("ncp_tui.snapshots.resolve"), "BACKOFF", Backoff(0.05, 15.0))
    monkeypatch.setattr(taking, "BACKOFF", Backoff(first=0.0, longest=0.0))
    monkeypatch.setattr(import_module("ncp_tui.snapshots.watch"), "BACKOFF", Backoff(0.05, 15.0, growth=1.5))


@pytest.fixture
def served() -> Iterator[ThreadedSandbox]:
    """A sandbox whose snapshots are over at once."""
    with ThreadedSandbox(Sandbox(duration=0)) as served:
        yield served


@pytest.fixture
def sandbox(served: ThreadedSandbox) -> Sandbox:
    return served.sandbox


@pytest.fixture
def nobody(tmp_path: Path) -> Program:
    """The program of a user without any keys."""
    return Program(private_environment(tmp_path))


@pytest.fixture
def program(nobody: Program, served: ThreadedSandbox) -> Program:
    """The program with the sandbox's keys in its environment."""
    secrets = [served.sandbox.secret_key, served.sandbox.viewer.secret_key]
    return Program(nobody.environ | keys_of(served), secrets)


@pytest.fixture
def call(program: Program, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Called:
    """The same, called in this process."""
    return Called(program, capsys, monkeypatch)


@pytest.fixture
def call_nobody(nobody: Program, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Called:
    """The program without keys, called in this process."""
    return Called(nobody, capsys, monkeypatch)
