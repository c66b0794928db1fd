"""The `profile` commands: each does all of it or nothing, and no key shows anywhere."""

from __future__ import annotations

import stat
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.profiles.secret_stores.errors import KeyringFailed, NoKeyring
from ncp_tui.sandbox.sandbox import ThreadedSandbox
from tests.cli.program import Called, Program, Result, keys_of
from tests.cli.workspaces import MemoryKeyring, use_memory_keyring

ACCESS_KEY = "AKCANARY000000000001"
SECRET = "SKcanary00000000000000000000000000000001"
OTHER_SECRET = "SKcanary00000000000000000000000000000002"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    return use_memory_keyring(monkeypatch)


@pytest.fixture
def user(call_nobody: Called, keyring: MemoryKeyring) -> User:
    call_nobody.program.never += [SECRET, OTHER_SECRET]
    return User(call_nobody, keyring)


class User:
    """Somebody with a keyring."""

    def __init__(self, call: Called, keyring: MemoryKeyring) -> None:
        self.call = call
        self.keyring = keyring

    def __call__(self, *arguments: str, secret: str = "", **environ: str) -> Result:
        return self.call("profile", *arguments, stdin=secret, **environ)

    def add(self, name: str, *arguments: str) -> Result:
        """Add a profile with the usual key."""
        return self("add", name, "--access-key", ACCESS_KEY, "--secret-stdin", *arguments, secret=f"{SECRET}\n")

    def saved(self) -> dict[str, Any]:
        """What the file holds."""
        file = Path(self.call.program.environ["NCP_TUI_HOME"]) / "profiles.toml"
        return tomllib.loads(file.read_text()) if file.exists() else {}

    def profile(self, name: str) -> dict[str, Any]:
        """One profile of the file."""
        found: dict[str, Any] = self.saved()["profiles"][name]
        return found

    def secret_of(self, name: str, access_key: str = ACCESS_KEY) -> str | None:
        """The key in the keyring."""
        return self.keyring.secret_of(name, access_key)


def test_add(user: User) -> None:
    result = user.add(
        "prod",
        *("--site", "gov", "--region", "krs", "--default-bucket", "bk.ses.snapshot", "--accent", "red"),
        *("--read-only", "--protected", "--name-template", "{cluster}-{date}"),
    )
    assert (result.code, result.stdout) == (0, "Profile prod saved.\n")
    saved = user.profile("prod")
    assert (saved["site"], saved["region"], saved["read_only"], saved["protected"]) == ("gov", "KRS", True, True)
    assert user.saved()["default"] == "prod"
    assert user.secret_of("prod") == SECRET


def test_a_keyring_that_works_is_used_where_no_store_is_named(user: User) -> None:
    result = user.add("prod")
    assert user.profile("prod")["store"] == "keyring"
    assert "Without --store a secret key is kept in: OS keyring (memory)." in result.stderr
    assert "Without --store" not in user.add("lab", "--store", "keyring").stderr


def test_the_flag_of_a_profile_is_not_that_of_the_run(user: User) -> None:
    """`--read-only` after `profile add` is the profile's; before it, it would refuse nothing that is local."""
    assert user.add("one", "--read-only").code == 0
    assert user.profile("one")["read_only"] is True
    add = ("--read-only", "profile", "add", "two", "--access-key", ACCESS_KEY, "--secret-stdin")
    assert user.call(*add, stdin=SECRET).code == 0
    assert "read_only" not in user.profile("two")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("add", "prod"), "--access-key"),
        (("add", "prod", "--access-key", ACCESS_KEY), "--secret-stdin"),
        (("add", "a b", "--access-key", ACCESS_KEY, "--secret-stdin"), "not a profile name"),
        (("add", "prod", "--access-key", "a b", "--secret-stdin"), "access key ID"),
        (("add", "prod", "--access-key", ACCESS_KEY, "--secret-stdin", "--site", "moon"), "not a known site"),
        (("add", "prod", "--access-key", ACCESS_KEY, "--secret-stdin", "--region", "USWN"), "no region"),
        (("add", "prod", "--access-key", ACCESS_KEY, "--secret-stdin", "--store", "safe"), "not a known store"),
        (("add", "prod", "--access-key", ACCESS_KEY, "--secret-stdin", "--store", "session"), "ends with this command"),
        (("add", "prod", "--access-key", ACCESS_KEY, "--secret-stdin", "--gateway-url", "http://a.b"), "plain http"),
        (("add", "prod", "--access-key", ACCESS_KEY, "--secret", SECRET[:5]), "No such option"),
    ],
)
def test_add_what_cannot_be(user: User, arguments: tuple[str, ...], text: str) -> None:
    result = user(*arguments, secret=SECRET)
    assert result.code == 2
    assert text in result.stderr
    assert user.saved() == {}
    assert user.secret_of("prod") is None


@pytest.mark.parametrize("secret", ["", "\n", "one\ntwo\n", "\x1b[31m"])
def test_add_with_no_good_secret(user: User, secret: str) -> None:
    assert user("add", "prod", "--access-key", ACCESS_KEY, "--secret-stdin", secret=secret).code == 2
    assert user.saved() == {}


def test_add_a_name_twice(user: User) -> None:
    """The second must not replace the first one's key on its way to being refused."""
    user.add("prod")
    result = user("add", "PROD", "--access-key", ACCESS_KEY, "--secret-stdin", secret=OTHER_SECRET)
    assert result.code == 2
    assert "already" in result.stderr
    assert user.secret_of("prod") == SECRET


def test_add_without_a_keyring(user: User) -> None:
    user.keyring.fails = NoKeyring("It is not there.")
    result = user.add("prod", "--json")
    assert result.code == 3
    assert result.json()["error"]["kind"] == "no_keyring"
    assert "No OS keyring" in result.stderr
    assert user.saved() == {}


@pytest.mark.skipif(sys.platform != "linux", reason="the environment cannot take the keyring away here")
def test_add_on_a_host_without_a_keyring(nobody: Program, tmp_path: Path) -> None:
    """As a process, with nothing replaced."""
    nobody.never.append(SECRET)
    result = nobody.run("profile", "add", "prod", "--access-key", ACCESS_KEY, "--secret-stdin", stdin=SECRET)
    assert result.code == 3
    assert "keyring" in result.stderr
    assert not (tmp_path / "ncp-tui" / "profiles.toml").exists()


def test_add_for_a_session(user: User) -> None:
    result = user("add", "prod", "--access-key", ACCESS_KEY, "--store", "session")
    assert result.code == 0
    assert "no key was stored" in result.stderr
    assert user.profile("prod")["store"] == "session"
    assert user.call("cluster", "list", "--profile", "prod").code == 3


def test_the_secret_is_typed_unseen(nobody: Program) -> None:
    """The terminal's echo is what would show it; the keyring that then fails is none of this test's business."""
    nobody.never.append(SECRET)
    with nobody.at_terminal("profile", "add", "prod", "--access-key", ACCESS_KEY, "--store", "keyring") as terminal:
        terminal.answer("Secret key (not shown):", SECRET)
        result = terminal.end()
    assert result.code in {0, 3}
    assert SECRET not in result.stderr


def test_list(user: User, served: ThreadedSandbox) -> None:
    user.add("prod", "--protected")
    rows = user("list", "--json", **keys_of(served)).json()
    assert [(row["name"], row["kind"], row["used"], row["default"]) for row in rows] == [
        ("environment", "environment", True, False),
        ("prod", "profile", False, True),
    ]
    assert rows[1]["access_key"] == "AKCA…0001"
    assert rows[1]["source"] == "OS keyring (memory)"
    assert rows[1]["endpoint"] == "https://vpcsearchengine.apigw.ntruss.com/api/v2"
    text = user("list")
    assert [line.split()[:2] for line in text.stdout.splitlines()] == [
        ["PROFILE", "SITE/REGION"],
        ["prod", "public/KR"],
    ]
    assert "default, protected" in text.stdout


def test_list_of_nothing(user: User) -> None:
    result = user("list", "--json")
    assert (result.code, result.json()) == (0, [])
    assert "profile add" in result.stderr


def test_list_tells_what_is_wrong(user: User) -> None:
    file = Path(user.call.program.environ["NCP_TUI_HOME"]) / "profiles.toml"
    file.parent.mkdir()
    file.write_text("this is no TOML")
    result = user("list")
    assert result.code == 0
    assert "not TOML" in result.stderr
    assert user.call("cluster", "list").code == 3


def test_show(user: User) -> None:
    user.add("prod")
    document = user("show", "PROD", "--json").json()
    assert (document["name"], document["access_key"], document["used"]) == ("prod", "AKCA…0001", True)
    assert "https://vpcsearchengine.apigw.ntruss.com/api/v2" in user("show", "prod").stdout
    assert user("show", "nope").code == 3


def test_edit(user: User) -> None:
    user.add("prod", "--default-bucket", "one", "--protected")
    result = user("edit", "prod", "--site", "fin", "--default-bucket", "", "--no-protected", "--read-only")
    assert result.code == 0
    saved = user.profile("prod")
    assert (saved["site"], saved["region"], saved["read_only"]) == ("fin", "FKR", True)
    assert not {"default_bucket", "protected"} & set(saved)
    assert user.secret_of("prod") == SECRET


def test_edit_the_secret(user: User) -> None:
    user.add("prod")
    assert user("edit", "prod", "--secret-stdin", secret=OTHER_SECRET).code == 0
    assert user.secret_of("prod") == OTHER_SECRET


def test_another_access_key_needs_another_secret(user: User) -> None:
    user.add("prod")
    assert user("edit", "prod", "--access-key", "AKOTHER0000000000002").code == 2
    assert user.profile("prod")["access_key"] == ACCESS_KEY
    result = user("edit", "prod", "--access-key", "AKOTHER0000000000002", "--secret-stdin", secret=OTHER_SECRET)
    assert result.code == 0
    assert user.secret_of("prod", "AKOTHER0000000000002") == OTHER_SECRET


def test_an_edit_that_cannot_be_written_leaves_the_old_key(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    user.add("prod")

    def fail(*_: object, **__: object) -> None:
        raise KeyringFailed("made up")

    monkeypatch.setattr(ProfileStore, "replace", fail)
    assert user("edit", "prod", "--secret-stdin", secret=OTHER_SECRET).code == 3
    assert user.secret_of("prod") == SECRET


def test_edit_the_store(user: User) -> None:
    user.add("prod")
    result = user("edit", "prod", "--store", "session")
    assert result.code == 0
    assert user.secret_of("prod") is None
    assert user("edit", "prod", "--store", "keyring").code == 2
    assert user("edit", "prod", "--store", "keyring", "--secret-stdin", secret=SECRET).code == 0
    assert user.secret_of("prod") == SECRET


def test_edit_what_is_not_there(user: User) -> None:
    assert user("edit", "nope", "--protected").code == 3


def test_rename(user: User) -> None:
    user.add("prod")
    assert user("rename", "prod", "live").code == 0
    assert list(user.saved()["profiles"]) == ["live"]
    assert user.saved()["default"] == "live"
    assert (user.secret_of("prod"), user.secret_of("live")) == (None, SECRET)
    assert user("rename", "live", "Live").code == 0
    assert user.secret_of("Live") == SECRET


def test_rename_to_a_name_that_is_taken(user: User) -> None:
    """The other profile's key must survive it."""
    user.add("prod")
    user("add", "test", "--access-key", ACCESS_KEY, "--secret-stdin", secret=OTHER_SECRET)
    assert user("rename", "prod", "TEST").code == 2
    assert (user.secret_of("prod"), user.secret_of("test")) == (SECRET, OTHER_SECRET)
    assert user("rename", "prod", "a b").code == 2
    assert user("rename", "nope", "other").code == 3


def test_remove(user: User) -> None:
    user.add("prod")
    user.add("test")
    assert user("remove", "prod").code == 2
    assert user.secret_of("prod") == SECRET
    result = user("remove", "prod", "--yes", "--json")
    assert result.json() == {"done": True, "name": "prod"}
    assert "No profile is the default now" in result.stderr
    assert list(user.saved()["profiles"]) == ["test"]
    assert user.secret_of("prod") is None
    assert user("remove", "prod", "--yes").code == 3


def test_remove_where_the_keyring_cannot_be_reached(user: User) -> None:
    user.add("prod")
    user.keyring.fails = NoKeyring()
    assert user("remove", "prod", "--yes").code == 3
    assert "prod" in user.saved()["profiles"]
    assert user("remove", "prod", "--yes", "--keep-secret").code == 0
    assert user.saved()["profiles"] == {}


@pytest.mark.parametrize(("typed", "code"), [("prod", 0), ("Prod", 130), ("y", 130)])
def test_remove_at_a_terminal(nobody: Program, user: User, typed: str, code: int) -> None:
    """By typing the name, so that no single key does harm."""
    user("add", "prod", "--access-key", ACCESS_KEY, "--store", "session")
    with nobody.at_terminal("profile", "remove", "prod") as terminal:
        terminal.answer("Type its name:", typed)
        assert terminal.end().code == code
    assert ("prod" in user.saved()["profiles"]) is (code != 0)


def test_default(user: User) -> None:
    user.add("prod")
    user.add("test")
    assert user("default", "TEST").stdout == "Profile test is the default.\n"
    assert user.saved()["default"] == "test"
    assert user("default", "nope").code == 3


def configure(user: User, text: str) -> None:
    """Write the file of the official tools."""
    file = Path(user.call.program.environ["HOME"]) / ".ncloud" / "configure"
    file.parent.mkdir()
    file.write_text(text)
    file.chmod(0o600)


SECTION = f"[DEFAULT]\nncloud_access_key_id = {ACCESS_KEY}\nncloud_secret_access_key = {SECRET}\n"


def test_import(user: User, served: ThreadedSandbox) -> None:
    configure(user, SECTION)
    environ = keys_of(served)
    user.call.program.never.append(served.sandbox.secret_key)
    rows = user("import", "--json", **environ).json()
    assert [(row["name"], row["saved"]) for row in rows] == [("imported", True), ("default", True)]
    assert user.secret_of("imported", served.sandbox.access_key) == served.sandbox.secret_key
    assert user.secret_of("default") == SECRET
    assert user.profile("imported")["gateway_url"] == served.url
    again = user("import", "--json", **environ).json()
    assert [row["same_as"] for row in again] == ["imported", "default"]
    assert len(user.saved()["profiles"]) == 2


def test_import_from_one_place(user: User, served: ThreadedSandbox) -> None:
    configure(user, SECTION)
    result = user("import", "--from", "ncloud-configure", **keys_of(served))
    assert result.stdout == "Profile default was saved, from ~/.ncloud/configure [DEFAULT].\n"
    assert user("import", "--from", "environment").code == 3
    assert user("import", "--from", "moon").code == 2
    assert user("import", "--store", "moon").code == 2


def test_import_of_nothing(user: User) -> None:
    assert user("import", "--json").json()["error"]["kind"] == "nothing_to_import"


def test_import_without_keeping_the_keys(user: User) -> None:
    configure(user, SECTION)
    assert user("import", "--store", "session").code == 0
    assert user.profile("default")["store"] == "session"
    assert user.secret_of("default") is None


def test_the_keys_are_accepted(call: Called, served: ThreadedSandbox) -> None:
    result = call("profile", "test", "--json")
    document = result.json()
    assert (result.code, document["ok"], document["name"]) == (0, True, "environment")
    assert abs(document["clock_offset"]) < 2
    assert document["endpoint"] == f"{served.url}/api/v2"
    assert call("profile", "test").stdout.startswith("The keys of environment work.")
    assert [entry.operation for entry in served.sandbox.ledger.requests] == ["getClusterInfoList"] * 2


def test_a_saved_profile_calls(user: User, served: ThreadedSandbox) -> None:
    """From the terminal's `add` to a signed request, with the key out of the keyring."""
    secret = served.sandbox.secret_key
    user.call.program.never.append(secret)
    added = user(
        *("add", "box", "--access-key", served.sandbox.access_key, "--secret-stdin", "--gateway-url", served.url),
        secret=secret,
    )
    assert added.code == 0
    assert user("test", "box").code == 0
    assert len(user.call("cluster", "list", "--json").json()) == 14
    user("edit", "box", "--secret-stdin", secret=secret[::-1])
    assert user("test").code == 4


def test_files_are_private(user: User) -> None:
    user.add("prod")
    folder = Path(user.call.program.environ["NCP_TUI_HOME"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.rglob("*"):
        assert SECRET not in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_rename_onto_a_profile_that_cannot_be_read_costs_nobody_a_key(user: User) -> None:
    """It is there all the same, and so is its key."""
    user.add("prod")
    user.add("stage")
    file = Path(user.call.program.environ["NCP_TUI_HOME"]) / "profiles.toml"
    before, after = file.read_text().split("[profiles.prod]")
    file.write_text(f"{before}[profiles.prod]{after.replace('region = ', 'region = 7 #', 1)}")
    result = user("rename", "stage", "prod")
    assert result.code == 2
    assert "Profile 'prod' already exists." in result.stderr
    assert (user.secret_of("prod"), user.secret_of("stage")) == (SECRET, SECRET)


@pytest.mark.parametrize("home", ["~nosuchuser-of-mine/x", "~"])
def test_a_home_of_nobody_is_no_bug(user: User, tmp_path: Path, home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert user.call("paths", NCP_TUI_HOME=home).code == 0


def test_a_change_says_what_of_the_file_it_did_not_understand(user: User) -> None:
    """It is written anew without that; where the copy is must be told by the one who makes it."""
    user.add("prod")
    file = Path(user.call.program.environ["NCP_TUI_HOME"]) / "profiles.toml"
    file.write_text("not = = toml")
    result = user.add("other")
    assert result.code == 0
    assert "The profiles file is not TOML" in result.stderr
    assert f"A copy of the file is in {file}.bad" in result.stderr


def test_removing_what_cannot_be_read_says_that_its_key_stays(user: User) -> None:
    user.add("prod")
    file = Path(user.call.program.environ["NCP_TUI_HOME"]) / "profiles.toml"
    file.write_text(file.read_text().replace("region = ", "region = 7 #", 1))
    result = user("remove", "prod", "--yes")
    assert result.code == 0
    assert "The secret key, if there is one, stays in its store." in result.stderr
    assert user.secret_of("prod") == SECRET
