"""The store `file` on the command line: a passphrase asked on the terminal, or read where there is none."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.profiles.secret_stores.errors import SecretStoreProblem
from ncp_tui.profiles.secret_stores.key_file_store import KeyFileStore
from ncp_tui.sandbox.sandbox import ThreadedSandbox
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, Result, Terminal
from tests.cli.workspaces import MemoryKeyring, use_memory_keyring

PHRASE = "canary battery staple"
ASKED = "Passphrase of ~/ncp-tui/data/keys.enc (not shown):"


class Owner:
    """Somebody on a host without a keyring, whose profile `box` calls the sandbox."""

    def __init__(self, call: Called, served: ThreadedSandbox, folder: Path) -> None:
        self.call = call
        self.program = program = call.program
        self.served = served
        self.keys = folder / "ncp-tui" / "data" / "keys.enc"
        self.passphrase_file = folder / "passphrase"
        self.passphrase_file.touch(0o600)
        self.passphrase_file.write_text(f"{PHRASE}\n")
        program.never += [PHRASE, served.sandbox.secret_key]

    @property
    def by_file(self) -> dict[str, str]:
        """The variable for runs without a terminal."""
        return {"NCP_TUI_PASSPHRASE_FILE": str(self.passphrase_file)}

    def add(self, **environ: str) -> Result:
        """Add the profile without a terminal."""
        return self.call(*self.added("--secret-stdin"), stdin=self.served.sandbox.secret_key, **environ)

    def added(self, *more: str) -> tuple[str, ...]:
        sandbox, url = self.served.sandbox, self.served.url
        where = ("--store", "file", "--gateway-url", url, "--default-bucket", "bk.ses.snapshot")
        return ("profile", "add", "box", "--access-key", sandbox.access_key, *where, *more)

    def saved(self) -> dict[str, Profile]:
        """What the profiles file holds."""
        return {each.name: each for each in ProfileStore(paths_from(self.program.environ)).load().profiles}


@pytest.fixture
def owner(call_nobody: Called, served: ThreadedSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Owner:
    """Whose key file opens quickly, unless a process of its own has made it."""
    monkeypatch.setattr("ncp_tui.profiles.secret_stores.key_file.scrypt_cost_for", lambda _: 10)
    return Owner(call_nobody, served, tmp_path)


def read_on(terminal: Terminal, text: str) -> None:
    """Wait for `text`; the next question is looked for behind it."""
    terminal.expect(text)
    terminal.seen = terminal.seen.partition(text)[2]


def choose(terminal: Terminal, first: str, second: str) -> None:
    terminal.answer("New passphrase (not shown):", first)
    terminal.answer("New passphrase again (not shown):", second)


def test_added_at_a_terminal_and_used_there(owner: Owner) -> None:
    """From the first question to a snapshot, each process asking once."""
    with owner.program.at_terminal(*owner.added()) as terminal:
        terminal.answer("Secret key (not shown):", owner.served.sandbox.secret_key)
        terminal.expect("cannot be recovered")
        choose(terminal, PHRASE, "another passphrase")
        read_on(terminal, "The two passphrases differ.")
        choose(terminal, PHRASE, PHRASE)
        assert terminal.end().code == 0
    assert stat.S_IMODE(owner.keys.stat().st_mode) == 0o600
    with owner.program.at_terminal("profile", "test", "box") as terminal:
        terminal.answer(ASKED, "wrong wrong wrong")
        read_on(terminal, "Wrong passphrase, or the file is damaged.")
        terminal.answer(ASKED, PHRASE)
        result = terminal.end()
    assert (result.code, result.stdout) == (0, "The keys of box work.\n")
    with owner.program.at_terminal("snapshot", "create", "search-0001", "--yes", "--json") as terminal:
        terminal.answer(ASKED, PHRASE)
        result = terminal.end()
    assert (result.code, result.json()["outcome"]) == (0, "accepted")


def test_without_a_store_named_the_one_that_works_here_is_used(owner: Owner) -> None:
    """As the form proposes it. A host without a keyring used to be told that its keyring failed."""
    key, secret = owner.served.sandbox.access_key, owner.served.sandbox.secret_key
    add = ("profile", "add", "box", "--access-key", key, "--secret-stdin")
    result = owner.call(*add, stdin=secret, **owner.by_file)
    assert (result.code, owner.saved()["box"].store) == (0, "file")
    assert "No OS keyring in this session." in result.stderr
    assert "Without --store a secret key is kept in: encrypted file (" in result.stderr
    found = {"NCLOUD_ACCESS_KEY": "AKCANARY000000000009", "NCLOUD_SECRET_KEY": secret}
    assert owner.call("profile", "import", **owner.by_file, **found).code == 0
    assert {each.store for each in owner.saved().values()} == {"file"}


def test_a_passphrase_that_is_too_short_is_asked_again(owner: Owner) -> None:
    with owner.program.at_terminal(*owner.added()) as terminal:
        terminal.answer("Secret key (not shown):", owner.served.sandbox.secret_key)
        for _ in range(3):
            terminal.answer("New passphrase (not shown):", "short")
            read_on(terminal, "at least 12 characters; this one has 5.")
        assert terminal.end().code == 3
    assert not owner.keys.exists()
    assert owner.saved() == {}


def test_three_wrong_passphrases_end_it(owner: Owner) -> None:
    assert owner.add(**owner.by_file).code == 0
    before = owner.keys.read_bytes()
    with owner.program.at_terminal("profile", "remove", "box", "--yes") as terminal:
        for _ in range(3):
            terminal.answer(ASKED, "wrong wrong wrong")
            read_on(terminal, "Wrong passphrase")
        assert terminal.end().code == 3
    assert owner.keys.read_bytes() == before
    assert "box" in owner.saved()


def test_ctrl_c_at_the_question_ends_it(owner: Owner) -> None:
    assert owner.add(**owner.by_file).code == 0
    with owner.program.at_terminal("cluster", "list") as terminal:
        terminal.expect(ASKED)
        os.write(terminal.master, b"\x03")
        assert terminal.end().code == 130
    assert not owner.served.sandbox.ledger.requests


@pytest.mark.slow
def test_a_signal_at_the_question_ends_it(owner: Owner) -> None:
    assert owner.add(**owner.by_file).code == 0
    with owner.program.at_terminal("cluster", "list", "--json") as terminal:
        terminal.expect(ASKED)
        terminal.process.terminate()
        result = terminal.end()
    assert (result.code, result.json()["error"]["kind"]) == (143, "terminated")
    assert not owner.served.sandbox.ledger.requests


def test_without_a_terminal_it_says_so(owner: Owner) -> None:
    """Nothing waits for an answer that nobody can give."""
    result = owner.add()
    assert result.code == 3
    assert "NCP_TUI_PASSPHRASE_FILE" in result.stderr
    assert owner.saved() == {}
    assert owner.add(**owner.by_file).code == 0
    result = owner.call("cluster", "list", "--json")
    assert (result.code, result.json()["error"]["kind"]) == (3, "passphrase_needed")
    assert "The key file is locked." in result.stderr
    assert not owner.served.sandbox.ledger.requests


def test_a_passphrase_out_of_a_file(owner: Owner) -> None:
    """As a timer calls it."""
    assert owner.add(**owner.by_file).code == 0
    result = owner.call("snapshot", "create", "search-0001", "--yes", "--json", **owner.by_file)
    assert (result.code, result.json()["outcome"]) == (0, "accepted")
    owner.passphrase_file.write_text("not the passphrase")
    result = owner.call("cluster", "list", **owner.by_file)
    assert result.code == 3
    assert "Wrong passphrase" in result.stderr
    owner.passphrase_file.chmod(0o644)
    assert "chmod 600" in owner.call("cluster", "list", **owner.by_file).stderr


def test_no_variable_holds_the_passphrase(owner: Owner) -> None:
    """It names a file; who mistakes it, and puts the passphrase there, does not see it again in the message."""
    assert owner.add(**owner.by_file).code == 0
    result = owner.call("cluster", "list", NCP_TUI_PASSPHRASE_FILE=PHRASE)
    assert result.code == 3
    assert "The passphrase file cannot be read" in result.stderr


def test_rename_and_remove(owner: Owner) -> None:
    assert owner.add(**owner.by_file).code == 0
    assert owner.call("profile", "rename", "box", "crate", **owner.by_file).code == 0
    assert owner.call("profile", "test", "crate", **owner.by_file).code == 0
    assert owner.call("profile", "remove", "crate", "--yes", **owner.by_file).code == 0
    assert owner.saved() == {}


# Moving a key from one store to another


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    return use_memory_keyring(monkeypatch)


@pytest.fixture
def mover(call_nobody: Called, keyring: MemoryKeyring, owner: Owner) -> Mover:
    return Mover(call_nobody, keyring, owner)


class Mover:
    """Somebody with both stores, whose profile `box` begins in the keyring."""

    def __init__(self, call: Called, keyring: MemoryKeyring, owner: Owner) -> None:
        self.call, self.keyring, self.owner = call, keyring, owner
        sandbox = owner.served.sandbox
        profile = Profile(name="box", access_key=sandbox.access_key, gateway_url=owner.served.url)
        ProfileStore(paths_from(call.program.environ)).add(profile)
        asyncio.run(keyring.save(profile, SecretKey(sandbox.secret_key)))

    def __call__(self, *arguments: str) -> Result:
        return self.call("profile", *arguments, **self.owner.by_file)

    @property
    def in_keyring(self) -> str | None:
        return self.keyring.secret_of("box", self.owner.served.sandbox.access_key)


def test_a_key_moves_without_being_typed_again(mover: Mover) -> None:
    result = mover("edit", "box", "--store", "file", "--json")
    assert (result.code, result.json()) == (0, {"done": True, "name": "box", "left_in": None})
    assert mover.in_keyring is None
    assert mover.owner.saved()["box"].store == "file"
    assert mover("test", "box").code == 0
    assert mover("edit", "box", "--store", "keyring").code == 0
    assert mover.in_keyring == mover.owner.served.sandbox.secret_key
    assert mover("test", "box").code == 0


def test_a_copy_that_cannot_be_deleted_is_told(mover: Mover) -> None:
    """The user thinks that the key is in one place, and it is in two."""
    mover.keyring.fails = SecretStoreProblem("The keyring does not delete.")
    result = mover("edit", "box", "--store", "file", "--json", "--quiet")
    assert (result.code, result.json()["left_in"]) == (0, "OS keyring (memory)")
    assert "A copy of the secret key remains in OS keyring (memory). The keyring does not delete." in result.stderr
    assert "ncp-tui:box" in result.stderr
    assert mover("test", "box").code == 0


def test_a_copy_that_was_not_kept_leaves_the_original(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ncp_tui.profiles.secret_stores.key_file.write_atomically", lambda *_: None)
    assert mover("edit", "box", "--store", "file").code == 3
    assert mover.in_keyring == mover.owner.served.sandbox.secret_key
    assert mover.owner.saved()["box"].store == "keyring"


def test_import_into_the_file(mover: Mover) -> None:
    sandbox = mover.owner.served.sandbox
    keys = {"NCLOUD_ACCESS_KEY": "AKOTHER0000000000002", "NCLOUD_SECRET_KEY": sandbox.secret_key}
    result = mover.call("profile", "import", "--store", "file", **keys, **mover.owner.by_file)
    assert result.code == 0
    assert mover.owner.saved()["imported"].store == "file"
    shown = mover("show", "imported", "--json").json()
    assert (shown["store"], shown["source"]) == ("file", "encrypted file (~/ncp-tui/data/keys.enc)")


def test_the_place_is_told(call_nobody: Called, tmp_path: Path) -> None:
    document: dict[str, Any] = call_nobody("paths", "--json").json()
    assert document["keys"] == str(tmp_path / "ncp-tui" / "data" / "keys.enc")


def test_what_needs_no_key_asks_for_no_passphrase(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another bucket, or a look at the list, is no reason to type it."""
    assert mover("edit", "box", "--store", "file").code == 0
    for name in ("load", "save", "delete", "rename"):
        monkeypatch.setattr(KeyFileStore, name, lambda *_: pytest.fail("asked"))
    assert mover("edit", "box", "--default-bucket", "other").code == 0
    assert mover("list").code == 0
