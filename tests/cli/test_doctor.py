"""`doctor`: each thing that can be wrong is found by name, with its remedy, and nothing is changed by looking."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.gateway.endpoints import Endpoint, endpoint_for
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import ThreadedSandbox
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, Program, Result, asked
from tests.cli.workspaces import use_memory_keyring
from tests.journeys.terminal import Terminal
from tests.snapshots.journals import begun, journal_in, write_lines

Finding = Mapping[str, Any]


@pytest.fixture(autouse=True)
def zones_of_nobody(monkeypatch: pytest.MonkeyPatch, served: ThreadedSandbox) -> None:
    """The sites are the sandbox: no test may ask a real gateway."""

    def on_loopback(site: str = "public") -> Endpoint:
        return endpoint_for(site, gateway_url=served.url)

    monkeypatch.setattr("ncp_tui.cli.doctor.site_endpoint", on_loopback)


class Patient:
    """A home with one profile in it, `prod`, whose key is in a keyring; doctor looks at it in this process."""

    def __init__(self, call: Called, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self.call, self.served, self._monkeypatch = call, served, monkeypatch
        self.paths = paths_from(call.program.environ)
        call.program.never.append(served.sandbox.secret_key)

    def keep(self, *, secret_key: str | None = None, **fields: Any) -> None:
        """Save `prod`, and its secret key unless there is none."""
        sandbox = self.served.sandbox
        usual = {"access_key": sandbox.access_key, "gateway_url": self.served.url, "store": "keyring"}
        profile = Profile(name="prod", **(usual | fields))
        ProfileStore(self.paths).add(profile)
        keys = {"prod": (profile.access_key, secret_key)} if secret_key else {}
        use_memory_keyring(self._monkeypatch, keys)

    def look(self, *arguments: str, **environ: str) -> tuple[Result, list[Finding]]:
        """Let doctor look; nothing may come of it."""
        result = self.call("doctor", "--json", *arguments, **environ)
        assert not self.served.sandbox.ledger.effects
        return result, result.json()


@pytest.fixture
def patient(call_nobody: Called, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch) -> Patient:
    return Patient(call_nobody, served, monkeypatch)


@pytest.fixture
def healthy(patient: Patient) -> Patient:
    patient.keep(secret_key=patient.served.sandbox.secret_key)
    return patient


def one(findings: list[Finding], check: str) -> Finding:
    (finding,) = [finding for finding in findings if finding["check"] == check]
    return finding


def not_well(findings: list[Finding]) -> set[str]:
    return {finding["check"] for finding in findings if finding["state"] != "ok"}


def test_all_is_well(healthy: Patient) -> None:
    """Also the second time, when there is a session log of the first."""
    assert healthy.look()[0].code == 0
    result, findings = healthy.look()
    assert (result.code, not_well(findings)) == (0, set())
    subjects = [finding["check"] for finding in findings]
    assert len(set(subjects)) == len(subjects), "a script finds a check by its name"
    assert {
        "folder state",
        "file session.jsonl",
        "profiles",
        "keys in use",
        "journal",
        "terminal",
        "characters",
    } <= set(subjects)
    assert {"proxy", "gateway fin", "clock", "profile prod"} <= set(subjects)
    assert one(findings, "keys in use")["found"] == "prod (key from OS keyring)"
    assert set(asked(healthy.served.sandbox)) == {"getClusterInfoList"}


def test_in_words(healthy: Patient) -> None:
    """Name, state and sentence in columns, for a person."""
    lines = healthy.call("doctor").stdout.splitlines()
    assert lines[0].split() == ["CHECK", "FOUND"]
    assert any(line.split()[:3] == ["profile", "prod", "ok"] for line in lines)


def test_offline_sends_nothing(healthy: Patient) -> None:
    result, findings = healthy.look("--offline")
    assert (result.code, not_well(findings)) == (0, set())
    assert not asked(healthy.served.sandbox)
    assert not {"clock", "profile prod"} & {finding["check"] for finding in findings}


def test_looking_writes_nothing(nobody: Program, tmp_path: Path) -> None:
    """Somebody without anything still has nothing, and is told how to begin."""
    result = nobody.run("doctor", "--offline", "--json")
    caller = one(result.json(), "keys in use")
    assert (result.code, caller["state"]) == (3, "bad")
    assert "ncp-tui profile add" in caller["fix"]
    assert not list(tmp_path.iterdir())


# Files


@pytest.mark.parametrize("file", ["profiles_file", "journal_file"])
def test_a_file_that_others_may_open(healthy: Patient, file: str) -> None:
    path: Path = getattr(healthy.paths, file)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    path.chmod(0o644)
    result, findings = healthy.look()
    found = one(findings, f"file {path.name}")
    assert (result.code, found["state"], found["fix"]) == (3, "bad", f"chmod 600 {path}")
    assert "mode 0644" in found["found"]
    assert not_well(findings) == {f"file {path.name}"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else(healthy: Patient) -> None:
    """As sudo leaves them behind."""
    os.chown(healthy.paths.profiles_file, 12345, -1)
    result, findings = healthy.look("--offline")
    assert (result.code, not_well(findings)) == (3, {"file profiles.toml", "profiles"})
    file, profiles = one(findings, "file profiles.toml"), one(findings, "profiles")
    assert "belongs to another user (uid 12345)" in file["found"]
    assert profiles["found"].rstrip(".") == file["found"]
    assert "chown" in file["fix"]
    assert profiles["fix"] == file["fix"]


def test_a_folder_that_cannot_be_one(healthy: Patient) -> None:
    """A file is in the way of the state folder, so no create could be written down."""
    shutil.rmtree(healthy.paths.state_dir, ignore_errors=True)
    healthy.paths.state_dir.touch()
    result, findings = healthy.look()
    assert (result.code, not_well(findings)) == (3, {"folder state", "journal"})
    assert "NCP_TUI_HOME" in one(findings, "folder state")["fix"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_closed(healthy: Patient) -> None:
    healthy.paths.data_dir.mkdir(mode=0o500)
    result, findings = healthy.look("--offline")
    assert (result.code, not_well(findings)) == (3, {"folder data"})


def test_profiles_that_are_damaged(healthy: Patient) -> None:
    healthy.paths.profiles_file.write_text("this is [no TOML")
    result, findings = healthy.look()
    found = one(findings, "profiles")
    assert (result.code, found["state"]) == (3, "bad")
    assert str(healthy.paths.profiles_file) in found["fix"]


def test_profiles_that_cannot_be_read(healthy: Patient) -> None:
    """Everything else is looked at all the same."""
    healthy.paths.profiles_file.unlink()
    healthy.paths.profiles_file.mkdir()
    result, findings = healthy.look()
    assert (result.code, not_well(findings)) == (3, {"profiles"})
    assert one(findings, "profiles")["fix"]
    assert one(findings, "gateway fin")["state"] == "ok"


def test_a_create_whose_outcome_is_open(healthy: Patient) -> None:
    """It stops nobody, so the exit code stays 0; the command that resolves it is named."""
    journal = journal_in(healthy.paths.config_dir)
    write_lines(journal, *(begun(str(number), name=f"left-{number}") for number in range(4)))
    journal.path.chmod(0o600)
    result, findings = healthy.look()
    found = one(findings, "journal")
    assert (result.code, found["state"], found["fix"]) == (0, "unsure", "Run: ncp-tui snapshot resolve")
    assert "left-0 on search-0001" in found["found"]
    assert found["found"].endswith("and 1 more")


def test_keys_in_the_environment_that_no_request_could_carry(healthy: Patient) -> None:
    keys = {"NCLOUD_ACCESS_KEY": healthy.served.sandbox.access_key, "NCLOUD_SECRET_KEY": "a key\nof two lines"}
    result, findings = healthy.look("--offline", **keys)
    assert (result.code, not_well(findings)) == (3, {"keys environment", "keys in use"})
    assert one(findings, "keys environment")["fix"]


# Terminal, characters, proxy


@pytest.mark.parametrize(("kind", "state"), [("dumb", "unsure"), ("xterm-256color", "ok")])
def test_a_terminal_that_shows_lines_only(program: Program, kind: str, state: str) -> None:
    with program.at_terminal("doctor", "--offline", "--json", TERM=kind) as terminal:
        result = terminal.end()
    found = one(result.json(), "terminal")
    assert (result.code, found["state"]) == (0, state)
    assert f"TERM={kind}" in found["found"]
    assert ("--plain" in (found["fix"] or "")) == (state == "unsure")


@pytest.mark.parametrize(("size", "said"), [((40, 10), "make the window larger"), ((80, 24), "80x24")])
def test_a_small_window(tmp_path: Path, size: tuple[int, int], said: str) -> None:
    # The window gets its size after the program has been started in it.
    sized = f'until [ "$(stty size)" = "{size[1]} {size[0]}" ]; do :; done; exec "$@"'
    start = ("sh", "-c", sized, "sh", sys.executable, "-m", "ncp_tui", "doctor", "--offline")
    with Terminal(tmp_path, command=start, size=size) as terminal:
        terminal.expect_end()
        text = " ".join(terminal.raw.decode().split())
    assert said in text
    assert ("make the window larger" in text) == (said != "80x24")


@pytest.mark.parametrize(
    ("environ", "state"),
    [
        ({"LANG": "C.UTF-8"}, "ok"),
        ({"LANG": "ko_KR.utf8"}, "ok"),
        ({"LANG": "ko_KR.eucKR"}, "unsure"),
        ({"LANG": "C.UTF-8", "LC_ALL": "C"}, "unsure"),
        ({"LANG": ""}, "unsure"),
    ],
)
def test_characters(healthy: Patient, environ: Mapping[str, str], state: str) -> None:
    result, findings = healthy.look("--offline", **environ)
    found = one(findings, "characters")
    assert (result.code, found["state"]) == (0, state)
    assert ("LC_ALL=C.UTF-8" in (found["fix"] or "")) == (state == "unsure")


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_socks_proxy(healthy: Patient, variable: str) -> None:
    result, findings = healthy.look(**{variable: "SOCKS5://proxy.example:1080"})
    found = one(findings, "proxy")
    assert (result.code, found["state"]) == (2, "bad")
    assert "SOCKS is not supported" in found["fix"]
    assert not_well(findings) == {"proxy"}, "loopback is reached directly"


def test_a_socks_proxy_that_is_not_used(healthy: Patient) -> None:
    """HTTPS_PROXY goes before ALL_PROXY."""
    proxies = {"HTTPS_PROXY": "http://proxy.example:3128", "ALL_PROXY": "socks5://proxy.example:1080"}
    assert healthy.look("--offline", **proxies)[0].code == 0


@pytest.mark.parametrize("url", ["http://me:{}@proxy.example:3128", "me:{}@proxy.example:3128"])
@pytest.mark.parametrize("password", ["quokka", "quo/kka", "quo@kka", "quo:kka", "4711#quokka", "quo?kka"])
def test_the_password_of_a_proxy_is_masked(healthy: Patient, url: str, password: str) -> None:
    """Whatever is in it, and whether the URL has a scheme or not."""
    result, findings = healthy.look("--offline", HTTPS_PROXY=url.format(password))
    assert "****@proxy.example:3128" in one(findings, "proxy")["found"]
    assert not any(part in result.stdout + result.stderr for part in ("quo", "kka"))


# Gateways, clock, keys


def test_a_gateway_that_nobody_answers(patient: Patient) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        patient.keep(secret_key="k" * 40, gateway_url=f"http://127.0.0.1:{closed.getsockname()[1]}")
        result, findings = patient.look()
    assert (result.code, not_well(findings)) == (6, {"gateway of prod", "profile prod"})
    assert one(findings, "gateway of prod")["state"] == "unsure"
    assert one(findings, "profile prod")["fix"]


def test_zones_that_are_out_of_reach(healthy: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bastion is let through to one site: for the others that is no fault."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setattr("ncp_tui.cli.doctor.site_endpoint", lambda site: endpoint_for(site, gateway_url=url))
        result, findings = healthy.look()
    assert (result.code, {each.split()[0] for each in not_well(findings)}) == (0, {"gateway"})
    assert one(findings, "gateway of prod")["state"] == "ok"


@pytest.mark.parametrize(("ahead", "side"), [(120, "behind"), (-120, "ahead of")])
def test_a_clock_that_is_two_minutes_off(healthy: Patient, ahead: int, side: str) -> None:
    """Nothing fails yet, but three minutes later it will. The machine is behind where the gateway is ahead."""
    healthy.served.sandbox.faults.skew(ahead)
    result, findings = healthy.look()
    found = one(findings, "clock")
    assert (result.code, not_well(findings)) == (4, {"clock"})
    assert f" s {side} NCP" in found["found"]
    assert "timedatectl" in found["fix"]


def no_permission(patient: Patient) -> None:
    denied = gateway_answer(GatewayError.PERMISSION_DENIED)
    patient.served.sandbox.faults.add("getClusterInfoList", "before", denied, times=None)
    patient.keep(secret_key=patient.served.sandbox.secret_key)


def wrong_secret(patient: Patient) -> None:
    patient.keep(secret_key="canary-that-is-not-the-secret-key")


def no_secret(patient: Patient) -> None:
    patient.keep()


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (wrong_secret, 4, "refused the signature"),
        (no_permission, 5, "401/210"),
        (no_secret, 3, "Profile prod has no secret key"),
    ],
)
def test_keys_that_do_not_work(patient: Patient, spoil: Callable[[Patient], None], code: int, said: str) -> None:
    spoil(patient)
    result, findings = patient.look()
    found = one(findings, "profile prod")
    assert (result.code, not_well(findings)) == (code, {"profile prod"})
    assert said in found["found"]
    assert found["fix"]
    assert "canary" not in result.stdout + result.stderr


def test_a_key_file_that_is_locked(patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal nobody can be asked, and the other checks go on."""
    passphrase = tmp_path / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("canary battery staple")
    sandbox = patient.served.sandbox
    where = ("--access-key", sandbox.access_key, "--store", "file", "--gateway-url", patient.served.url)
    monkeypatch.setattr("ncp_tui.profiles.secret_stores.key_file.scrypt_cost_for", lambda _: 10)
    added = patient.call(
        *("profile", "add", "box", *where, "--secret-stdin"),
        stdin=sandbox.secret_key,
        NCP_TUI_PASSPHRASE_FILE=str(passphrase),
    )
    assert added.code == 0
    result, findings = patient.look()
    found = one(findings, "profile box")
    assert (result.code, not_well(findings)) == (3, {"profile box"})
    assert "locked" in found["found"]
    assert "NCP_TUI_PASSPHRASE_FILE" in found["fix"]
    result, findings = patient.look(NCP_TUI_PASSPHRASE_FILE=str(passphrase))
    assert (result.code, not_well(findings)) == (0, set())


def test_a_host_that_cannot_open_a_key_file(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    """In FIPS mode; said only where a profile wants the file."""
    monkeypatch.delattr("hashlib.scrypt")
    assert not [finding for finding in patient.look("--offline")[1] if finding["check"] == "encrypted file"]
    ProfileStore(patient.paths).add(Profile(name="box", access_key="AKBOX", store="file"))
    found = one(patient.look("--offline")[1], "encrypted file")
    assert found["state"] == "bad"
    assert "scrypt" in found["found"]


def test_one_profile_of_several(healthy: Patient) -> None:
    """With --profile the keys of nobody else are asked for."""
    other = Profile(name="other", access_key="SOMEBODYELSE", gateway_url=healthy.served.url, store="keyring")
    ProfileStore(healthy.paths).add(other)
    assert healthy.look()[0].code == 3
    result, findings = healthy.look("--profile", "prod")
    assert (result.code, not_well(findings)) == (0, set())
    result, findings = healthy.look("--profile", "nobody")
    assert (result.code, not_well(findings)) == (3, {"keys in use"})


def test_the_answer_is_one_array(nobody: Program) -> None:
    """As a process: stdout holds the document and nothing else."""
    result = nobody.run("doctor", "--offline", "--json")
    assert isinstance(json.loads(result.stdout), list)
    assert all(set(finding) == {"check", "state", "found", "fix"} for finding in result.json())
