"""A locked keyring on the command line: its prompt is offered to whoever sits there, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ncp_tui.sandbox.sandbox import ThreadedSandbox
from tests.cli.program import Called
from tests.profiles.fake_secret_service import FakeSecretService, Faults

OFFER = "Wait up to a minute for the keyring? [y/N]:"


@dataclass
class Owner:
    """Somebody whose profile `box` keeps its key in a keyring, which is locked by now."""

    call: Called
    service: FakeSecretService


@pytest.fixture
def owner(call_nobody: Called, served: ThreadedSandbox) -> Iterator[Owner]:
    with FakeSecretService() as service:
        nobody = call_nobody.program
        nobody.environ["DBUS_SESSION_BUS_ADDRESS"] = service.address
        sandbox = served.sandbox
        nobody.never.append(sandbox.secret_key)
        where = ("--access-key", sandbox.access_key, "--gateway-url", served.url, "--secret-stdin")
        added = call_nobody("profile", "add", "box", "--store", "keyring", *where, stdin=sandbox.secret_key)
        assert added.code == 0, added.stderr
        service.faults = Faults(locked=True, prompt="accepted")
        service.calls.clear()
        yield Owner(call_nobody, service)


def test_offered_at_a_terminal(owner: Owner) -> None:
    with owner.call.program.at_terminal("profile", "test", "box") as terminal:
        terminal.answer(OFFER, "y")
        result = terminal.end()
    assert (result.code, result.stdout) == (0, "The keys of box work.\n")
    assert owner.service.calls.count("Prompt") == 1


def test_declined_at_a_terminal(owner: Owner) -> None:
    with owner.call.program.at_terminal("profile", "test", "box") as terminal:
        terminal.answer(OFFER, "n")
        result = terminal.end()
    assert result.code == 3
    assert "Your OS keyring is locked." in result.stderr
    assert "Prompt" not in owner.service.calls


def test_a_prompt_that_was_closed_ends_it(owner: Owner) -> None:
    owner.service.faults.prompt = "dismissed"
    with owner.call.program.at_terminal("profile", "test", "box") as terminal:
        terminal.answer(OFFER, "y")
        result = terminal.end()
    assert result.code == 3
    assert "closed without the password" in result.stderr


@pytest.mark.slow
def test_a_signal_while_it_asks_ends_it(owner: Owner) -> None:
    owner.service.faults.prompt = "never"
    with owner.call.program.at_terminal("profile", "test", "box", "--json") as terminal:
        terminal.answer(OFFER, "y")
        assert owner.service.prompted.wait(20)
        terminal.process.terminate()
        result = terminal.end()
    assert (result.code, result.json()["error"]["kind"]) == (143, "terminated")


def test_never_offered_to_a_script(owner: Owner) -> None:
    result = owner.call("profile", "test", "box")
    assert result.code == 3
    assert "Your OS keyring is locked." in result.stderr
    assert "Prompt" not in owner.service.calls


def test_a_key_that_is_locked_by_itself_is_no_endless_question(owner: Owner) -> None:
    owner.service.faults.locked_items = True
    with owner.call.program.at_terminal("profile", "test", "box") as terminal:
        terminal.answer(OFFER, "y")
        result = terminal.end()
    assert result.code == 3
    assert "Your OS keyring is open, but the key in it is locked." in result.stderr
    assert owner.service.calls.count("Prompt") == 1
