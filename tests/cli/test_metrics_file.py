"""`snapshot check --prometheus FILE`: the file tells of every ending that the process survives, by its own rules."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ncp_tui.cli import metrics_file, signals
from ncp_tui.cli.metrics_file import write_unchecked
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.snapshots import fleet_reading
from tests.cli.program import Called, asked
from tests.cli.test_signals import sent_at
from tests.tables import each_row

CHECK = ("snapshot", "check")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of an earlier run, in which all is well."""
    file = tmp_path / "ncp.prom"
    file.write_text('ncp_ses_snapshot_could_not_look{profile="a"} 0\n')
    return file


def could_not_look(file: Path) -> list[tuple[str, float]]:
    """The profiles of the file with their verdict; nothing else may claim anything."""
    families = {family.name: family for family in text_string_to_metric_families(file.read_text())}
    assert set(families) == {"ncp_ses_snapshot_could_not_look", "ncp_ses_snapshot_check_timestamp_seconds"}
    samples = families["ncp_ses_snapshot_could_not_look"].samples
    return [(sample.labels["profile"], sample.value) for sample in samples]


@each_row(
    "arguments, code, profile",
    [
        (("--max-age", "26"), 2, ""),
        (("--no-such-option",), 2, ""),
        (("a", "--match", "b*"), 2, ""),
        (("",), 2, ""),
        (("--monitoring", "--json"), 3, ""),
        (("--monitoring", "--warn-age", "1w"), 3, ""),
        (("--profile", "prod", "--at-once", "0"), 2, "prod"),
        (("--profile=prod", "--deadline", "soon"), 2, "prod"),
        (("--all-profiles", "--profile", "prod"), 2, "prod"),
        (("--profile", "no-such"), 3, "no-such"),
        (("--quiet", "--at-once", "x"), 2, ""),
    ],
)
def test_wrong_usage_and_a_profile_that_is_not_there(
    call: Called, sandbox: Sandbox, file: Path, *, arguments: tuple[str, ...], code: int, profile: str
) -> None:
    for option in (("--prometheus", str(file)), (f"--prometheus={file}",)):
        file.write_text("old")
        assert call(*CHECK, *arguments, *option).code == code
        assert could_not_look(file) == [(profile, 1)]
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert asked(sandbox) == []


def test_options_before_the_command(call: Called, file: Path) -> None:
    assert call("--profile", "snapshot", "--quiet", *CHECK, "--at-once", "0", "--prometheus", str(file)).code == 2
    assert could_not_look(file) == [("snapshot", 1)]


def test_without_any_profile(call_nobody: Called, file: Path) -> None:
    assert call_nobody(*CHECK, "--prometheus", str(file)).code == 3
    assert could_not_look(file) == [("", 1)]


def test_a_home_that_cannot_be_used(call_nobody: Called, file: Path, tmp_path: Path) -> None:
    """There is no workspace then, whose clock could say when it was."""
    (tmp_path / "taken").write_text("")
    for variables in ({"NCP_TUI_HOME": str(tmp_path / "taken" / "below")}, {"NCP_TUI_HOME": "relative"}):
        file.write_text("old")
        assert call_nobody(*CHECK, "--prometheus", str(file), **variables).code in {1, 2, 3}
        assert could_not_look(file) == [("", 1)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal(call: Called, sandbox: Sandbox, file: Path, number: signal.Signals) -> None:
    with sent_at(sandbox.faults.add("getClusterInfoList", act="hang"), number):
        assert call(*CHECK, "--prometheus", str(file)).code == 128 + number
    assert could_not_look(file) == [("", 1)]


def broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError


@each_row(
    "place",
    ["ncp_tui.snapshots.fleet_reading.read_fleet", "ncp_tui.cli.check._identities", "ncp_tui.cli.check._caller"],
)
def test_an_internal_error(call: Called, file: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(place, broken)
        assert call(*CHECK, "--prometheus", str(file)).code == 1
    assert could_not_look(file) == [("", 1)]


def test_an_internal_error_before_the_command_runs(call: Called, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ncp_tui.cli.check.run_command", broken)
    assert call(*CHECK, "--prometheus", str(file)).code == 1
    assert could_not_look(file) == [("", 1)]


def test_what_was_checked_is_kept_whatever_comes_after(
    call: Called, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer alone was not made: the metrics are those of a whole check."""
    monkeypatch.setattr("ncp_tui.view.fleet.fleet_text", broken)
    assert call(*CHECK, "search-0001", "--max-age", "90d", "--prometheus", str(file)).code == 1
    assert 'cluster="search-0001"' in file.read_text()
    assert "latest_success_timestamp_seconds{" in file.read_text()


def test_an_end_that_is_not_orderly_writes_it_as_its_last_words(
    call: Called, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that hangs after its signal is ended by another thread, which speaks for it."""
    ended = threading.Event()
    monkeypatch.setattr(signals, "ORDERLY_SECONDS", 0.05)
    monkeypatch.setattr("ncp_tui.cli.signals.os._exit", lambda _code: ended.set())

    def hang(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    told: list[tuple[str, float]] = []

    def wait(*_: object) -> None:
        ended.wait(10)
        told.extend(could_not_look(file))

    monkeypatch.setattr(fleet_reading, "read_fleet", hang)
    monkeypatch.setattr("ncp_tui.cli.check.Progress.end", wait)
    call(*CHECK, "--prometheus", str(file))
    assert ended.is_set()
    assert told == [("", 1)], "before the orderly end"


# What it leaves alone


Prepare = Callable[[Path], None]


@each_row("prepare", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("other")], ids=["pipe", "folder", "link"])
def test_wrong_usage_does_not_write_to_what_is_no_file(call: Called, tmp_path: Path, prepare: Prepare) -> None:
    for name in ("one", "other"):
        if (tmp_path / name).is_symlink() or not (tmp_path / name).is_dir():
            (tmp_path / name).unlink(missing_ok=True)
        else:
            (tmp_path / name).rmdir()
    prepare(tmp_path / "one")
    before = (tmp_path / "one").lstat()
    result = call(*CHECK, "--max-age", "26", "--prometheus", str(tmp_path / "one"))
    assert (result.code, "is not a regular file" in result.stderr) == (2, True)
    assert (tmp_path / "one").lstat() == before
    assert not (tmp_path / "other").exists()


@each_row(
    "arguments",
    [
        ("snapshot", "check", "--help", "--prometheus", "FILE"),
        ("snapshot", "chek", "--prometheus", "FILE"),
        ("cluster", "list", "--prometheus", "FILE"),
        ("snapshot", "create", "check", "--prometheus", "FILE"),
        ("cluster", "snapshot", "check", "--prometheus", "FILE"),
        ("snapshot", "check", "--max-age", "26", "--prometheus"),
        ("snapshot", "check", "--max-age", "26", "--prometheus", "--json"),
        ("snapshot", "check", "--max-age", "26", "--prometheus", ""),
        ("snapshot", "check", "--max-age", "26", "--", "--prometheus", "FILE"),
    ],
)
def test_what_is_no_check_or_names_no_file_writes_none(
    call_nobody: Called, tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here"
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    call_nobody(*arguments)
    assert not list(folder.iterdir())


def test_a_file_that_cannot_be_written_leaves_the_code_and_is_told(call: Called, tmp_path: Path) -> None:
    result = call(*CHECK, "--max-age", "26", "--prometheus", str(tmp_path / "no" / "file"))
    assert (result.code, "cannot be written" in result.stderr) == (2, True)


def test_the_last_file_named_is_the_one(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_unchecked(["snapshot", "check", "--prometheus", str(one), f"--prometheus={other}"], "x")
    assert (one.exists(), other.exists()) == (False, True)
    assert metrics_file.UnusableFile.kind == "unusable_file"
