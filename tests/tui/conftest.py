from __future__ import annotations

import importlib

import pytest


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a watch look again at once, so that no test waits for the seconds between two looks."""
    # The package has a function of the module's name, so the module is not to be had as its attribute.
    module = importlib.import_module("ncp_tui.snapshots.watching")
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.05)
