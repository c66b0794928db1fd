"""A profile whose secret key a command prints, from its making to its removal, and with a command that fails."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.sandbox.sandbox import ThreadedSandbox
from tests.cli.program import Called, Result, keys_of
from tests.cli.workspaces import MemoryKeyring, use_memory_keyring


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    return use_memory_keyring(monkeypatch)


class User:
    """Somebody with a gateway, a home that is closed to others, and a program that prints the secret key."""

    def __init__(self, call: Called, served: ThreadedSandbox, home: Path) -> None:
        self.call = call
        self.home = home
        self.sandbox = served.sandbox
        self.program = self.script("print-key", f"echo run >>{home}/runs; echo {served.sandbox.secret_key}")
        call.program.never.append(served.sandbox.secret_key)
        self._environ = {"NCP_TUI_HOME": str(home / "ncp-tui"), "HOME": str(home)}
        self._url = keys_of(served)["NCLOUD_API_GW"]

    def script(self, name: str, lines: str) -> str:
        path = self.home / name
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o700)
        return str(path)

    def __call__(self, *arguments: str, stdin: str = "", **environ: str) -> Result:
        return self.call(*arguments, stdin=stdin, **self._environ, **environ)

    def add(self, name: str, command: str, *arguments: str) -> Result:
        common = ("--access-key", self.sandbox.access_key, "--gateway-url", self._url)
        return self("profile", "add", name, *common, "--secret-command", command, *arguments)

    @property
    def runs(self) -> int:
        """How often the program was run."""
        file = self.home / "runs"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def saved(self, name: str) -> dict[str, Any] | None:
        file = self.home / "ncp-tui" / "profiles.toml"
        profiles: dict[str, Any] = tomllib.loads(file.read_text())["profiles"] if file.exists() else {}
        return profiles.get(name)


@pytest.fixture
def user(call_nobody: Called, keyring: MemoryKeyring, served: ThreadedSandbox, closed_folder: Path) -> User:
    assert keyring is not None
    return User(call_nobody, served, closed_folder)


def test_the_command_is_saved_as_a_list_and_nothing_is_stored(user: User, keyring: MemoryKeyring) -> None:
    """Split once, by the quoting of a shell; it is neither run nor checked for its key when it is saved."""
    added = user.add("prod", f"{user.program} 'a b' \"c d\" e\\ f $HOME ~")
    assert added.code == 0
    saved = user.saved("prod")
    assert saved is not None
    assert (saved["store"], saved["secret_command"]) == ("command", [user.program, "a b", "c d", "e f", "$HOME", "~"])
    assert user.runs == 0
    assert keyring.secret_of("prod", user.sandbox.access_key) is None


def test_it_is_run_when_a_key_is_needed_once_and_is_shown_as_the_source(user: User) -> None:
    """What only reads the profiles asks for no finger."""
    user.add("prod", user.program)
    shown = user("--json", "profile", "show", "prod").json()
    assert (shown["store"], shown["source"]) == ("command", "secret command")
    assert (shown["secret_command"], shown["secret_command_env"]) == ([user.program], [])
    assert f"secret command  {user.program}\n" in user("profile", "show", "prod").stdout
    assert "secret command" in user("profile", "list").stdout
    assert user("--json", "profile", "list").json()[0]["secret_command"] == [user.program]
    assert user.runs == 0
    listed = user("cluster", "list")
    assert listed.code == 0
    assert "from secret command" in listed.stderr
    assert user.runs == 1
    assert user("profile", "test", "prod").code == 0
    assert user.runs == 2


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (("--store", "keyring"), "--secret-command and --store cannot be combined"),
        (("--store", "command"), "--secret-command and --store cannot be combined"),
        (("--secret-stdin",), "--secret-command and --secret-stdin cannot be combined"),
    ],
)
def test_a_command_beside_a_store_is_a_usage_error(user: User, extra: tuple[str, ...], said: str) -> None:
    """Two places for one key: which is used would be a guess. The same for `edit`."""
    refused = user.add("prod", user.program, *extra)
    assert (refused.code, user.saved("prod")) == (2, None)
    assert said in refused.stderr
    user.add("prod", user.program)
    refused = user("profile", "edit", "prod", "--secret-command", "/bin/other", *extra)
    assert refused.code == 2
    assert (user.saved("prod") or {})["secret_command"] == [user.program]


@pytest.mark.parametrize("command", ["", "pass show x", "./x", "~/x", "$HOME/x", "/bin/x 'open", "/bin/x \x1b[0m"])
def test_what_is_no_command_is_not_saved(user: User, command: str) -> None:
    """Usage errors, before the profile is written."""
    refused = user.add("prod", command)
    assert (refused.code, user.saved("prod")) == (2, None)


def test_the_store_command_needs_a_command(user: User) -> None:
    """`--store command` alone says where the key is not."""
    add = ("profile", "add", "prod", "--access-key", "AK", "--store", "command")
    assert "needs a secret command" in user(*add).stderr
    assert user("profile", "import", "--store", "command", NCLOUD_ACCESS_KEY="AK", NCLOUD_SECRET_KEY="x").code == 2
    assert user.saved("imported") is None


def test_an_edit_of_something_else_keeps_it_and_a_store_replaces_it(user: User, keyring: MemoryKeyring) -> None:
    """To a keyring the key is typed: the command is not run for it."""
    user.add("prod", user.program)
    assert user("profile", "edit", "prod", "--default-bucket", "b", "--access-key", "AKOTHER").code == 0
    assert (user.saved("prod") or {})["secret_command"] == [user.program]
    moved = user("profile", "edit", "prod", "--store", "keyring")
    assert moved.code == 2
    assert "--secret-stdin" in moved.stderr
    assert user("profile", "edit", "prod", "--store", "keyring", "--secret-stdin", stdin="typed").code == 0
    saved = user.saved("prod") or {}
    assert (saved["store"], "secret_command" in saved) == ("keyring", False)
    assert keyring.secret_of("prod", "AKOTHER") == "typed"
    assert user("profile", "edit", "prod", "--secret-command", user.program).code == 0
    assert (user.saved("prod") or {})["store"] == "command"
    assert keyring.secret_of("prod", "AKOTHER") is None
    assert user.runs == 0


def test_renaming_keeps_it_and_removing_says_what_stays(user: User) -> None:
    """No change of a profile runs its command."""
    user.add("prod", user.program)
    assert user("profile", "rename", "prod", "live").code == 0
    assert (user.saved("live") or {})["secret_command"] == [user.program]
    for arguments in ((), ("--keep-secret",)):
        removed = user("profile", "remove", "live", "--yes", *arguments)
        assert removed.code == 0
        assert "No secret key was stored for it; its secret command was not run." in removed.stderr
        assert "stays in its store" not in removed.stderr
        user.add("live", user.program)
    assert user.runs == 0


def test_a_command_that_fails_ends_in_3_and_shows_nothing_of_its_output(user: User) -> None:
    """The exit code of a key that is not there; nothing was sent, and nothing else was tried."""
    program = user.script("failing", f"echo {user.sandbox.secret_key}; echo {user.sandbox.secret_key} >&2; exit 9")
    user.add("prod", program)
    failed = user("--json", "cluster", "list")
    assert failed.code == 3
    assert f"The secret command {program} ended with status 9." in failed.stderr
    error = failed.json()["error"]
    assert (error["kind"], error["status"]) == ("secret_command_failed", None)
    assert user.sandbox.ledger.requests == []


def test_a_command_in_a_file_that_others_could_write_is_neither_saved_nor_run(user: User) -> None:
    """Whoever can write there would have this user run a program of theirs. A sticky folder is no exception."""
    user.add("prod", user.program)
    for mode in (0o1777, 0o775):
        user.home.chmod(mode)
        for arguments, meaning in (
            (("cluster", "list"), "The secret command was not run: somebody else could have written it."),
            (("profile", "edit", "prod", "--secret-command", "/bin/true"), "Nothing was saved: "),
        ):
            refused = user(*arguments)
            assert meaning in refused.stderr
            assert refused.code == 3
            assert f"Other users can write in {user.home} (mode {mode:04o})." in refused.stderr
        assert user.add("other", user.program).code == 3
    user.home.chmod(0o700)
    assert (user.runs, user.saved("other")) == (0, None)
    assert (user.saved("prod") or {})["secret_command"] == [user.program]


def test_a_file_written_by_hand_may_leave_out_the_store_but_not_name_another(user: User) -> None:
    """With `store = "keyring"` beside a command, which of the two is meant is unknown."""
    file = user.home / "ncp-tui" / "profiles.toml"
    file.parent.mkdir(mode=0o700)
    table = f'version = 1\n[profiles.one]\naccess_key = "AK"\nsecret_command = ["{user.program}"]\n'
    file.write_text(table)
    assert user("--json", "profile", "show", "one").json()["store"] == "command"
    file.write_text(f'{table}store = "keyring"\n')
    assert "cannot be combined" in user("profile", "list").stderr
    assert user("profile", "show", "one").code == 3
    for wrong in ('"/bin/true"', "[]", "[1]", '["bin/true"]', '["/bin/true", "a\\nb"]'):
        file.write_text(f'[profiles.one]\naccess_key = "AK"\nstore = "command"\nsecret_command = {wrong}\n')
        assert "Profile 'one' is not used" in user("profile", "list").stderr


@pytest.mark.slow
def test_started_by_a_program_that_ignores_its_children_a_failure_is_none_the_less(user: User) -> None:
    """The system then keeps no status, and Python would take the missing one for 0."""
    user.add("prod", user.script("failing", "echo no-key; exit 5"))
    code = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
        "os.execv(sys.executable, [sys.executable, '-m', 'ncp_tui', 'cluster', 'list'])"
    )
    variables = user.call.program.environ | {"NCP_TUI_HOME": str(user.home / "ncp-tui")}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, timeout=60, check=False)
    assert done.returncode == 3
    assert b"ended with status 5." in done.stderr


def test_an_import_brings_in_no_command(user: User) -> None:
    """What stands beside keys of other tools is the word of whoever can write there."""
    configure = user.home / ".ncloud" / "configure"
    configure.parent.mkdir()
    configure.write_text(
        "[lab]\nncloud_access_key_id = AKLAB\nncloud_secret_access_key = x\n"
        f"secret_command = {user.program}\nncloud_secret_command = {user.program}\nstore = command\n"
    )
    configure.chmod(0o600)
    imported = user("profile", "import", "--store", "keyring")
    assert imported.code == 0
    saved = user.saved("lab") or {}
    assert (saved["store"], [key for key in saved if "command" in key]) == ("keyring", [])
    assert user.runs == 0


def test_the_environment_of_the_command_has_no_keys_but_what_the_profile_lists(user: User) -> None:
    """`secret_command_env` is for a command that decrypts what systemd has handed over."""
    program = user.script("print-env", f"env >{user.home}/env; echo {user.sandbox.secret_key}")
    user.add("prod", program)
    file = user.home / "ncp-tui" / "profiles.toml"
    secret = {"NCLOUD_SECRET_KEY": "hidden-a", "NCLOUD_SECRET_ACCESS_KEY": "hidden-a", "NCLOUD_MY_SECRET": "hidden-b"}
    extra = secret | {"CREDENTIALS_DIRECTORY": "/run/x", "NCP_TUI_READ_ONLY": "1", "VAULT_ADDR": "https://v"}
    assert user("--profile", "prod", "cluster", "list", **extra).code == 0
    given = (user.home / "env").read_text()
    assert "VAULT_ADDR=https://v\n" in given
    for absent in ("hidden-", "CREDENTIALS_DIRECTORY", "NCP_TUI_", user.sandbox.secret_key):
        assert absent not in given
    file.write_text(
        file.read_text().replace("[profiles.prod]", '[profiles.prod]\nsecret_command_env = ["CREDENTIALS_DIRECTORY"]')
    )
    assert user("--profile", "prod", "cluster", "list", **extra).code == 0
    assert "CREDENTIALS_DIRECTORY=/run/x\n" in (user.home / "env").read_text()
    assert user("--json", "profile", "show", "prod").json()["secret_command_env"] == ["CREDENTIALS_DIRECTORY"]


def test_a_check_of_all_profiles_runs_each_command_once_and_one_that_fails_costs_the_others_nothing(user: User) -> None:
    """The keys of one account are missing; what is known of the other one stands."""
    user.add("good", user.program)
    user.add("shut", user.script("failing", "exit 5"))
    document = user("snapshot", "check", "--all-profiles", "--match", "search-0001", "--json").json()
    assert [(row["profile"], row["name"]) for row in document["clusters"]] == [("good", "search-0001")]
    assert [each["profile"] for each in document["not_checked"]] == ["shut"]
    assert document["exit_code"] == 14
    assert user.runs == 1


def test_doctor_runs_none_offline_and_says_whether_any_would_be_run(user: User) -> None:
    """Whoever finds out at night that a folder is open to a group finds out too late."""
    user.add("prod", user.program)
    assert "only you can change the profiles file" in user("doctor", "--offline").stdout
    user.home.chmod(0o775)
    assert f"Other users can write in {user.home} (mode 0775)" in user("doctor", "--offline").stdout
    user.home.chmod(0o700)
    assert user.runs == 0


def test_the_printed_key_is_in_no_file(user: User) -> None:
    """Neither the journal, the session log, a report nor the profiles have it, after reads and a create."""
    user.add("prod", user.program)
    cluster = user("--json", "cluster", "list").json()[0]["name"]
    bucket = next(each["name"] for each in user("--json", "bucket", "list", cluster).json() if each["usable"])
    assert user("snapshot", "create", cluster, "--bucket", bucket, "--yes").code == 0
    written = [path for path in (user.home / "ncp-tui").rglob("*") if path.is_file()]
    assert {"profiles.toml", "journal.jsonl", "session.jsonl"} <= {path.name for path in written}
    assert not any(user.sandbox.secret_key.encode() in path.read_bytes() for path in written)
