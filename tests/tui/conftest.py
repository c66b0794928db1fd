from __future__ import annotations

import gc
import importlib

import pytest

from ncp_tui.system.backoff import Backoff
from tests.tui.stage import _nothing_to_run


@pytest.fixture(scope="session", autouse=True)
def _nothing_loaded_is_garbage() -> None:
    """Look for garbage among what an app leaves behind, not among all that was ever imported: a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 50)


@pytest.fixture(autouse=True)
def _waits_for_a_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every pilot wait until nothing can run, as a stage does, and not until the processor is idle."""
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", _nothing_to_run)


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a watch look again at once, so that no test waits for the seconds between two looks."""
    # The package has a function of the module's name, so the module is not to be had as its attribute.
    module = importlib.import_module("ncp_tui.snapshots.watch")
    monkeypatch.setattr(module, "BACKOFF", Backoff(0.02, 0.05))
