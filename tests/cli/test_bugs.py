"""A bug of our own, and Ctrl-C: calm words, the right code, and a report without the values that were in play."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.sandbox.sandbox import ThreadedSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, Program
from tests.cli.workspaces import use_memory_keyring

BUG = """
from ncp_tui.search_engine.client import SearchEngine
async def list_clusters(self):
    secret = self._gateway._credentials.secret_key.reveal()
    raise ZeroDivisionError("the key is " + secret)
SearchEngine.list_clusters = list_clusters
"""


def reports(program: Program) -> list[Path]:
    return list((Path(program.environ["NCP_TUI_HOME"]) / "state" / "reports").glob("*"))


def test_a_bug_is_reported(program: Program, served: ThreadedSandbox) -> None:
    """Also when the error's own text holds the key."""
    with program.started("cluster", "list", "--json", "--quiet", code=BUG) as process:
        result = program.ended(process)
    (report,) = reports(program)
    assert result.code == 1
    assert result.stderr.count("\n") == 1
    assert str(report) in result.stderr
    assert result.json()["error"]["kind"] == "bug"
    assert str(report) in result.json()["error"]["meaning"]
    text = report.read_text()
    assert "ZeroDivisionError" in text
    assert "list_clusters" in text
    assert served.sandbox.secret_key not in text
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert stat.S_IMODE(report.parent.stat().st_mode) == 0o700


def test_a_bug_with_a_key_from_the_keyring(
    call_nobody: Called, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is in no variable is left out as well."""
    secret = "SKcanary00000000000000000000000000000001"
    use_memory_keyring(monkeypatch, {"box": ("AKCANARY000000000001", secret)})
    profile = Profile(name="box", access_key="AKCANARY000000000001", gateway_url=served.url)
    ProfileStore(paths_from(call_nobody.program.environ)).add(profile)

    async def fail(_engine: SearchEngine) -> None:
        raise RuntimeError(f"the key is {secret}")

    monkeypatch.setattr(SearchEngine, "list_clusters", fail)
    assert call_nobody("cluster", "list").code == 1
    (report,) = reports(call_nobody.program)
    assert "the key is ****" in report.read_text()


def test_a_bug_where_nothing_can_be_written(program: Program, tmp_path: Path) -> None:
    (tmp_path / "ncp-tui").write_text("not a folder")
    program.environ |= {"NCLOUD_API_GW": program.environ["NCLOUD_API_GW"]}
    spoil = BUG + "\nfrom ncp_tui.profiles.profiles_file import ProfilesFile\n"
    spoil += "from ncp_tui.profiles.profile_store import ProfileStore\nProfileStore.load = lambda self: ProfilesFile()"
    with program.started("cluster", "list", "--quiet", code=spoil) as process:
        result = program.ended(process)
    assert result.code == 1
    assert f"{tmp_path}/2" in result.stderr  # the system's folder for temporary files


def test_a_bug_before_the_command_begins(call_nobody: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("made up")

    monkeypatch.setattr("ncp_tui.cli.cluster.run_command", fail)
    result = call_nobody("cluster", "list", "--json")
    assert result.code == 1
    assert result.json()["error"]["kind"] == "bug"
    assert len(reports(call_nobody.program)) == 1


def test_interrupted(program: Program, served: ThreadedSandbox) -> None:
    fault = served.sandbox.faults.add("getClusterInfoList", act="hang")
    with program.started("cluster", "list", "--json", "--quiet") as process:
        assert fault.reached.wait(20)
        result = program.interrupted(process)
    assert (result.code, result.stderr) == (130, "Interrupted.\n")
    assert result.json()["error"]["kind"] == "interrupted"
    assert reports(program) == []


def test_interrupted_before_the_command_begins(call_nobody: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ncp_tui.cli.cluster.run_command", interrupt)
    result = call_nobody("cluster", "list", "--json")
    assert result.code == 130
    assert result.stderr.strip() == "Interrupted."
    assert result.json()["error"]["kind"] == "interrupted"
