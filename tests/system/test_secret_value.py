"""A secret is not shown by accident, whatever it is made of."""

from __future__ import annotations

import pickle

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.system.secret_value import SecretValue

CANARY = "CANARY-0123456789"


@pytest.mark.parametrize("secret", [SecretValue(CANARY), SecretValue(CANARY.encode()), SecretKey(CANARY)])
def test_nothing_shows_it(secret: SecretValue[str] | SecretValue[bytes]) -> None:
    """A crash report prints the repr of local variables."""
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>40}", repr([secret]), ascii({"a": secret})):
        assert "CANARY" not in shown
        assert "****" in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("kind", [SecretValue, SecretKey])
def test_equal_values_are_equal_and_their_hash_tells_nothing(kind: type[SecretValue[str]]) -> None:
    """A hash of the value could be compared with that of a guess."""
    assert kind(CANARY) == kind(CANARY)
    assert kind(CANARY) != kind("another-0123456789")
    assert kind(CANARY) != CANARY
    assert hash(kind(CANARY)) == hash(kind("another-0123456789"))
