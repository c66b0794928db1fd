"""The keys in the program's own environment: read once, and handed on to nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from ncp_tui.profiles.environment import environment_secrets
from ncp_tui.workspace import open_workspace

KEYS = {
    "NCLOUD_ACCESS_KEY_ID": "AKENVIRONMENT0000001",
    "NCLOUD_ACCESS_KEY": "AKENVIRONMENT0000002",
    "NCLOUD_SECRET_ACCESS_KEY": "CANARYs3cr3t1",
    "NCLOUD_SECRET_KEY": "CANARYs3cr3t2",
}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return KEYS


def test_a_child_started_later_has_none_of_the_keys(keys: Mapping[str, str]) -> None:
    """A pager, a browser or a compiler that a library starts inherits the environment, and may log it."""
    home = open_workspace()
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    inherited = json.loads(done.stdout)
    assert not set(keys) & set(inherited)
    assert not set(keys.values()) & set(inherited.values())
    assert inherited["PATH"] == os.environ["PATH"]
    identity = home.choose("environment")
    assert identity.profile.access_key == keys["NCLOUD_ACCESS_KEY_ID"]
    assert identity.secret_key is not None


@pytest.mark.usefixtures("keys")
def test_what_was_read_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    home = open_workspace()
    monkeypatch.setenv("NCLOUD_REGION", "SGN")
    assert "NCLOUD_REGION" not in home.environ
    assert {name: home.environ[name] for name in KEYS} == KEYS


def test_an_environment_that_is_given_is_not_touched() -> None:
    given = dict(KEYS)
    assert open_workspace(given).environ == KEYS
    assert given == KEYS


def test_a_report_knows_every_secret_to_leave_out() -> None:
    secrets = [secret.reveal() for secret in environment_secrets({**KEYS, "OTHER": "x"})]
    assert secrets == ["CANARYs3cr3t1", "CANARYs3cr3t2"]
    assert environment_secrets({"NCLOUD_SECRET_KEY": "\0"}) == []
