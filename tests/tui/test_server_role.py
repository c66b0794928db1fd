"""The screens with the keys of a server role: whose they are is said, and a day of use outlives many of them."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from ncp_tui.profiles.server_role import ServerRole
from ncp_tui.sandbox.authentication import Account
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.snapshots.outcome import Caller
from ncp_tui.tui.screens.evidence import known_keys
from ncp_tui.tui.screens.profiles import ProfilesScreen
from ncp_tui.tui.screens.welcome import WelcomeScreen
from tests.profiles.metadata_server import ROLE, MetadataServer, document
from tests.snapshots.journals import paths_in
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, START, URL, Clock, Stage, staged
from tests.tui.test_requests import GATEWAY, SENT, begun_in_the_world, earlier_run

HOURS = 3600.0
WIDE = (120, 40)
LATER = Account("SANDBOX0000000LATER1", "sandbox-secret-key-of-a-role-later-on-00")


@pytest.fixture
def metadata() -> Iterator[MetadataServer]:
    """It hands out the keys of the sandbox, good for six hours."""
    with MetadataServer(document(ACCESS_KEY, SECRET_KEY, START + 6 * HOURS)) as server:
        yield server


@asynccontextmanager
async def staged_with_role(
    metadata: MetadataServer, wanted: str | None = "server-role", **options: object
) -> AsyncIterator[tuple[Stage, Clock]]:
    """The app where the user wants the role, and the clock by which the role's keys expire."""
    clock = Clock()
    environ = {**metadata.environ, "NCLOUD_API_GW": URL}
    role = ServerRole(environ, clock=clock, monotonic=clock)
    shown = {"with_profile": False, "environ": environ, "server_role": role, "wanted": wanted} | options
    async with staged(WIDE, **shown) as stage:  # type: ignore[arg-type]
        yield stage, clock


def renew(metadata: MetadataServer, sandbox: Sandbox) -> None:
    """New keys for the role; the old ones open nothing any more."""
    metadata.keys = document(LATER.access_key, LATER.secret_key, START + 12 * HOURS)
    accounts: dict[str, Account] = sandbox.app._accounts  # type: ignore[attr-defined]
    accounts.pop(ACCESS_KEY)
    accounts[LATER.access_key] = LATER


async def test_a_session_outlives_its_keys(metadata: MetadataServer) -> None:
    """As one that is left open over the day: no restart, no error, and the header, which says whose keys, follows."""
    async with staged_with_role(metadata) as (stage, clock):
        assert stage.shows("server-role / KR / Clusters", "14 clusters", f"key SAND…0A7K (server role {ROLE})")
        assert ACCESS_KEY not in stage.text()
        assert metadata.questions == 1
        renew(metadata, stage.sandbox)
        clock.advance(6 * HOURS)
        await stage.press("r")
        assert stage.shows("14 clusters", f"key SAND…TER1 (server role {ROLE})")
        assert "Authentication" not in stage.text()
        assert metadata.questions == 2
        secrets, access_keys = known_keys(stage.app.session)
        assert {SECRET_KEY, LATER.secret_key} <= {secret.reveal() for secret in secrets}
        assert access_keys == [ACCESS_KEY, LATER.access_key]


@pytest.mark.usefixtures("quick_looks")
async def test_a_watched_snapshot_outlives_its_keys_and_goes_on_when_they_come_back(metadata: MetadataServer) -> None:
    """The service is away longer than the keys are good: a look that fails so is like any other that fails."""
    async with staged_with_role(metadata) as (stage, clock):
        await stage.press("s", "f2")
        await stage.expect(": running, 0 s")
        metadata.keys = None
        clock.advance(6 * HOURS)
        asked = metadata.questions
        await stage.until(lambda: metadata.questions > asked + 1)
        renew(metadata, stage.sandbox)
        seen = stage.asked("getSnapshotHistory")
        await stage.until(lambda: stage.asked("getSnapshotHistory") > seen + 1)
        stage.clock.advance(30)
        await stage.expect(" succeeded in ")
        assert len(stage.effects) == 1
        assert stage.sandbox.ledger.requests[-1].access_key == LATER.access_key


async def test_keys_that_cannot_be_had_are_a_card(metadata: MetadataServer) -> None:
    metadata.keys = None
    async with staged_with_role(metadata) as (stage, _):
        assert stage.shows("This server has no role", "Nothing was sent to NCP", "Attach a role")
        assert stage.shows("key **** (server role")
        assert not stage.sandbox.ledger.requests
        metadata.keys = document(ACCESS_KEY, SECRET_KEY, START + 6 * HOURS)
        await stage.press("r")
        assert stage.shows("14 clusters")


async def test_leaving_waits_for_nobody(metadata: MetadataServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that hangs holds neither a key press nor the end."""
    monkeypatch.setattr(importlib.import_module("ncp_tui.gateway.metadata_service"), "SECONDS", 600.0)
    metadata.is_silent = True
    async with staged_with_role(metadata, settled=False) as (stage, _):
        await stage.until(lambda: metadata.paths)
        await stage.pilot.press("p")
        await stage.until(lambda: isinstance(stage.app.screen, ProfilesScreen))
        await stage.pilot.press("escape", "q")
        await stage.until(lambda: not stage.app.is_running)


async def test_it_is_one_of_the_profiles_where_it_is_wanted(metadata: MetadataServer) -> None:
    async with staged_with_role(metadata, wanted=None, with_profile=True) as (stage, _):
        assert stage.shows("prod / KR / Clusters")
        await stage.press("p")
        assert stage.shows("server-role", "server role", "****")
        assert metadata.paths == []
        await stage.press("end", "i")
        assert stage.shows("so they are not saved")
        await stage.press("e")
        assert stage.shows("server-role is not a saved profile, and cannot be: its keys expire in a few hours.")
        assert not stage.shows("Press i to save")
        assert metadata.paths == []
        await stage.press("t")
        assert stage.shows("The keys of server-role work", f"server role {ROLE}")
        await stage.press("enter")
        assert stage.shows("server-role / KR / Clusters", "14 clusters")
        assert metadata.questions == 1


async def test_it_is_nobody_where_it_is_not_wanted(metadata: MetadataServer, tmp_path: Path) -> None:
    """The journal names it, which is no word of this run's user."""
    earlier_run(tmp_path, SENT, caller=Caller("server-role", "public", "KR", GATEWAY))
    environ = {**metadata.environ, "NCLOUD_API_GW": URL}
    async with staged(WIDE, paths=paths_in(tmp_path), environ=environ) as stage:
        await stage.press("p")
        assert not stage.shows("server-role")
        await stage.press("escape")
        asked = len(stage.sandbox.ledger.requests)
        await stage.press("u", "s")
        assert stage.shows("The server role is used only on request.", "stays unresolved.")
        assert metadata.paths == []
        assert len(stage.sandbox.ledger.requests) == asked, "nor was the history looked at with other keys"


async def test_resolving_for_it_where_it_is_wanted(metadata: MetadataServer, tmp_path: Path) -> None:
    """With other keys than those it was sent with: it is known by its name."""
    earlier_run(tmp_path, SENT, caller=Caller("server-role", "public", "KR", GATEWAY))
    prepare = begun_in_the_world("before-upgrade", timedelta(minutes=5))
    metadata.keys = document(LATER.access_key, LATER.secret_key, START + 6 * HOURS)

    def renewed(sandbox: Sandbox) -> None:
        prepare(sandbox)
        renew(metadata, sandbox)

    async with staged_with_role(metadata, prepare=renewed, paths=paths_in(tmp_path)) as (stage, _):
        await stage.press("u", "s")
        assert stage.shows("Started: before-upgrade.")
        assert stage.app.session.unresolved == []


async def test_a_first_run_offers_it_to_be_used_and_not_to_be_saved(metadata: MetadataServer) -> None:
    async with staged_with_role(metadata, wanted=None) as (stage, _):
        assert isinstance(stage.app.screen, WelcomeScreen)
        assert stage.shows("server role", "enter Use now")
        assert not stage.shows("i Save as a profile")
        assert metadata.paths == []
        await stage.press("i")
        assert isinstance(stage.app.screen, WelcomeScreen)
        await stage.press("down")
        assert stage.shows("i Save as a profile")
        await stage.press("up", "enter")
        assert stage.shows("server-role / KR / Clusters", "14 clusters")
