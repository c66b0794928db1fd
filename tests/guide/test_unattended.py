"""The units and lines of the page on unattended runs are what they claim: systemd reads them, and so does ncp-tui."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ncp_tui.guide.pages import read_page
from ncp_tui.profiles.credential_file import CREDENTIAL_NAME
from ncp_tui.profiles.profiles_file import read_profiles
from tests.cli.command_lines import understood

PROGRAM = "/opt/ncp-tui/bin/ncp-tui"


def blocks(kind: str) -> list[str]:
    """The examples of the page that are of this kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", read_page("unattended"), re.MULTILINE | re.DOTALL)


def units() -> dict[str, str]:
    """The units by the name of the file that each says it is."""
    found = {}
    for block in blocks("ini"):
        first, _, rest = block.partition("\n")
        found[Path(first.removeprefix("# ")).name] = rest
    return found


def test_there_is_a_service_and_a_timer_for_each_job() -> None:
    """A check in the morning and a create at night, each with its secret key from an encrypted credential."""
    assert sorted(units()) == [f"ncp-tui-{job}.{kind}" for job in ("check", "create") for kind in ("service", "timer")]
    for name, unit in units().items():
        if name.endswith(".service"):
            assert f"\nLoadCredentialEncrypted={CREDENTIAL_NAME}:" in unit
            assert "\nType=oneshot\n" in unit
            assert "Restart=" not in unit
            assert "StandardInput=" not in unit


def test_systemd_finds_nothing_wrong_with_them(tmp_path: Path) -> None:
    """`systemd-analyze verify` says what a manager would complain about; it starts and loads nothing."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    for name, unit in units().items():
        (tmp_path / name).write_text(unit.replace(PROGRAM, "/bin/true"))
    files = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        [analyze, "verify", "--man=no", *files], capture_output=True, text=True, timeout=60, check=False
    )
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "ncp-tui" in line]
    assert (done.returncode, said) == (0, [])


def test_a_time_of_a_timer_is_one() -> None:
    """As systemd reads it, with the zone: 07:00 in Seoul, whatever the host's zone is."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    for name, unit in units().items():
        times = re.findall(r"^OnCalendar=(.*)$", unit, re.MULTILINE)
        assert len(times) == name.endswith(".timer")
        for each in times:
            done = subprocess.run([analyze, "calendar", each], capture_output=True, timeout=60, check=False)
            assert done.returncode == 0, each


def test_what_a_service_starts_is_understood() -> None:
    """A word that is no option would fail every night, and be found in the journal."""
    called = []
    for name, unit in units().items():
        parsed = configparser.ConfigParser(strict=False, interpolation=None)
        parsed.read_string(unit)
        if name.endswith(".service"):
            called.append(understood(parsed["Service"]["ExecStart"].replace(PROGRAM, "ncp-tui")))
    assert called == [("snapshot", "check"), ("snapshot", "create")]


def test_the_lines_for_cron_and_for_monitoring_are_understood() -> None:
    """The same for what cron and NRPE start."""
    lines = [line for block in blocks("text") for line in block.splitlines() if PROGRAM in line]
    called = [
        understood(line[line.index(PROGRAM) :].replace(PROGRAM, "ncp-tui").replace(" >", " > ")) for line in lines
    ]
    assert called == [("snapshot", "check"), ("snapshot", "create"), ("snapshot", "check")]
    assert not any("%" in line for line in lines), "cron ends the line there"


def test_the_profile_of_the_page_can_be_read() -> None:
    """A profiles file with that text has no complaint about it."""
    (table,) = blocks("toml")
    assert tomllib.loads(table)
    book = read_profiles(table.encode())
    assert book.warnings == ()
    (profile,) = book.profiles
    assert profile.secret_command == ("/usr/bin/systemd-creds", "cat", "ncp-prod")
    assert profile.secret_command_env == ("CREDENTIALS_DIRECTORY",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("cluster", "list"), 3),
        (("profile", "add", "x", "--access-key", "AK"), 2),
        (("profile", "remove", "x"), 3),
        (("snapshot", "create", "x", "--bucket", "b"), 3),
        ((), 2),
        (("--plain",), 2),
    ],
)
def test_without_a_terminal_nothing_waits(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    """In a session of its own, with an input that never ends and never says anything, as a service may have."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ncp_tui", *arguments],
        env={"HOME": str(tmp_path), "NCP_TUI_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        assert process.stdin is not None
        assert process.wait(60) == code
        process.stdin.close()
