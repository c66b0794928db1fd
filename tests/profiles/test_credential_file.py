"""The secret key that systemd hands to a service: used beside an access key, or refused with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.credential_file import SHOWN_CREDENTIAL, read_credential
from ncp_tui.profiles.credential_sources import NoCredentials, available_identities, choose_identity
from ncp_tui.profiles.ncloud_configure import NcloudConfigure
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_changes import import_profiles
from ncp_tui.profiles.profiles_file import ProfilesFile

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
BOOK = ProfilesFile(profiles=(Profile(name="prod", access_key="AKIDEXAMPLE123456789"),), default="prod")


@pytest.fixture
def credential(tmp_path: Path) -> Path:
    path = tmp_path / "ncp-tui-secret-key"
    path.write_text(f"{CANARY}\n")
    path.chmod(0o400)
    return path


@pytest.fixture
def environ(credential: Path) -> dict[str, str]:
    return {"CREDENTIALS_DIRECTORY": str(credential.parent), "NCLOUD_ACCESS_KEY": "AKENV"}


def test_with_an_access_key_in_the_environment_it_is_a_source_that_is_shown(environ: dict[str, str]) -> None:
    """A timer has no keyring; and whoever reads its log must see which of two secret keys was used."""
    found = choose_identity(environ, BOOK, NcloudConfigure())
    assert (found.name, found.secret_key) == ("environment", SecretKey(CANARY))
    assert found.source == "environment (NCLOUD_ACCESS_KEY) with $CREDENTIALS_DIRECTORY/ncp-tui-secret-key"
    (imported,) = import_profiles([found], (), "keyring")
    assert (imported.profile.name, imported.profile.secret_command) == ("imported", None)


def test_a_key_in_the_environment_comes_first_and_a_named_profile_before_both(environ: dict[str, str]) -> None:
    """The order of the sources."""
    both = environ | {"NCLOUD_SECRET_KEY": "other"}
    found = choose_identity(both, BOOK, NcloudConfigure())
    assert (found.secret_key, found.source) == (SecretKey("other"), "environment (NCLOUD_ACCESS_KEY)")
    assert choose_identity(environ, BOOK, NcloudConfigure(), "prod").name == "prod"


def test_without_an_access_key_it_is_not_used_and_that_is_said(environ: dict[str, str], credential: Path) -> None:
    """A unit that forgot the access key would otherwise call as the default profile without a word."""
    del environ["NCLOUD_ACCESS_KEY"]
    found = available_identities(environ, BOOK, NcloudConfigure())
    assert found.find("environment") is None
    assert any(SHOWN_CREDENTIAL in warning and "NCLOUD_ACCESS_KEY" in warning for warning in found.warnings)
    credential.unlink()
    assert available_identities(environ, BOOK, NcloudConfigure()).warnings == ()


def test_a_service_without_that_credential_is_as_without_any(environ: dict[str, str], credential: Path) -> None:
    """A service may have credentials for other programs."""
    credential.unlink()
    assert read_credential(environ) is None
    assert read_credential({}) is None
    assert read_credential({"CREDENTIALS_DIRECTORY": " "}) is None
    assert choose_identity(environ, BOOK, NcloudConfigure()).name == "prod"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no secret key"),
        (b"\n", "holds no secret key"),
        (f"{CANARY}\n{CANARY}\n".encode(), "is not one line"),
        (b"x" * 5000, "is not one line"),
        (b"\xff\xfe\n", "is not UTF-8"),
        (b"a\0b\n", "holds no secret key"),
        (f"'{CANARY}'".encode(), "is in quotes"),
        (f"SECRET_KEY={CANARY}".encode(), "has a name before it"),
    ],
)
def test_what_is_no_key_is_refused_and_no_other_keys_are_used(
    environ: dict[str, str], credential: Path, content: bytes, said: str
) -> None:
    """The default profile may be another account."""
    credential.chmod(0o600)
    credential.write_bytes(content)
    with pytest.raises(NoCredentials, match=said) as caught:
        choose_identity(environ, BOOK, NcloudConfigure())
    assert SHOWN_CREDENTIAL in caught.value.what
    assert "No other keys were tried" in caught.value.meaning
    assert CANARY not in caught.value.sentences()


@pytest.mark.parametrize("content", [f"{CANARY}", f"{CANARY}\n", f"{CANARY}\r\n", f"\ufeff{CANARY}\n"])
def test_the_end_of_the_line_is_not_part_of_the_key(environ: dict[str, str], credential: Path, content: str) -> None:
    credential.chmod(0o600)
    credential.write_bytes(content.encode())
    assert read_credential(environ) == SecretKey(CANARY)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o420])
def test_a_file_that_others_can_read_is_refused(environ: dict[str, str], credential: Path, mode: int) -> None:
    """Such a file was made by hand: systemd closes those that it makes."""
    credential.chmod(mode)
    with pytest.raises(NoCredentials, match="is open to other users"):
        choose_identity(environ, BOOK, NcloudConfigure())


def test_what_is_no_file_is_refused_at_once(environ: dict[str, str], credential: Path) -> None:
    """A pipe would be waited for."""
    credential.unlink()
    os.mkfifo(credential, 0o600)
    with pytest.raises(NoCredentials, match="cannot be read"):
        choose_identity(environ, BOOK, NcloudConfigure())
