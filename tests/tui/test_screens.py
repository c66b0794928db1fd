"""Each screen as a user meets it, against the sandbox, by keys alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from textual.widgets import Button, Input, Select

from ncp_tui.profiles import NoKeyring, Profile, SessionStore
from ncp_tui.tui.app import NcpApp
from ncp_tui.tui.screens import ClustersScreen, ProfileFormScreen, WelcomeScreen
from ncp_tui.tui.widgets import RecordTable
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, URL, staged

ENVIRON = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": SECRET_KEY, "NCLOUD_API_GW": URL}
PROFILE = Profile(
    name="prod", access_key=ACCESS_KEY, gateway_url=URL, store="session", default_bucket="bk.ses.snapshot"
)


async def test_clusters_of_every_page_with_the_age_of_their_snapshots() -> None:
    async with staged((120, 40)) as stage:
        text = stage.text()
        assert "14 clusters" in text
        assert "검색-로그-서울" in text
        assert "1 d ago ok" in text
        assert "no access" in text, "a cluster that the key may not open is there, and says so"
        assert all(request.operation != "createSnapshot" for request in stage.sandbox.ledger.requests)


async def test_a_cluster_one_may_not_open_says_why() -> None:
    async with staged() as stage:
        await stage.press("end", "s")
        assert "by name only" in stage.text()
        assert isinstance(stage.app.screen, ClustersScreen)


async def test_filter_sort_and_the_cursor_that_stays() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("down", "down", "down")
        await stage.press("o")
        assert "Sorted by cluster up." in stage.text()
        await stage.press("O")
        table = stage.app.screen.query_one("#table", RecordTable)
        assert table.cursor_key == "1037004", "the cursor stays on its cluster"
        await stage.press("r")
        assert table.cursor_key == "1037004"
        await stage.press("slash")
        await stage.type("서울")
        assert table.shown == 1
        await stage.press("escape")
        assert table.shown == 14


async def test_a_snapshot_from_form_to_end() -> None:
    """The main job. Create is pressed many times; one request may leave."""
    async with staged((120, 40)) as stage:
        await stage.press("s")
        text = stage.text()
        assert "search-0001-20260102-000000" in text
        assert "27/30  legal; time is UTC" in text
        assert "locked: objects cannot be replaced" in text
        assert '"snapshotName": "search-0001-20260102-000000"' in text
        assert not stage.sandbox.ledger.effects, "a preview sends nothing"
        await stage.press("f2", "f2", "f2")
        assert "running" in stage.text()
        assert len(stage.sandbox.ledger.effects) == 1
        await stage.press("escape")
        assert "running now" in stage.text(), "the clusters show what is under way"
        stage.clock.advance(60)
        await stage.expect("Finished: snapshot search-0001-20260102-000000 exists (SUCCESS).")
    assert len(stage.sandbox.ledger.effects) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Abc-1", "no capital letters"),
        ("스냅샷-1", "no Hangul"),
        ("a" * 31, "too long"),
        ("ab", "too short"),
        ("a--b", ""),
    ],
)
async def test_an_illegal_name_cannot_be_sent(name: str, reason: str) -> None:
    async with staged((120, 40)) as stage:
        await stage.press("s")
        stage.app.screen.query_one("#name", Input).value = name
        await stage.settle()
        assert reason in stage.text()
        assert stage.app.screen.query_one("#create", Button).disabled
        await stage.press("f2")
        assert not [r for r in stage.sandbox.ledger.requests if r.operation == "createSnapshot"]


async def test_a_locked_bucket_cannot_be_sent_and_another_can_be_typed() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("s")
        box = stage.app.screen.query_one("#bucket", Input)
        box.value = "audit-locked"
        await stage.settle()
        assert "Bucket audit-locked cannot take a snapshot" in stage.text()
        await stage.press("f2")
        assert not stage.sandbox.ledger.effects
        box.value = "es-backup-weekly"
        await stage.press("f2")
        assert stage.sandbox.ledger.effects[0].bucket == "es-backup-weekly"


async def test_a_bucket_can_be_typed_where_the_list_cannot_be_read() -> None:
    """search-0004 has no API key: the list is refused, and the service's own words say why."""
    async with staged((120, 40)) as stage:
        await stage.press("down", "down", "down", "s")
        assert "can be typed by hand" in stage.text()
        assert not stage.app.screen.query_one("#create", Button).disabled


async def test_enter_leads_through_the_form() -> None:
    """Name, bucket, Create: the keyboard's way, which ends at the button."""
    async with staged() as stage:
        await stage.press("s", "enter", "enter", "enter", "enter", "space")
        assert stage.app.screen.query_one("#create").has_focus
        assert stage.shows("f2 creates. enter sends nothing.")
        assert not stage.asked("createSnapshot")
        assert stage.app.screen.query_one("#create", Button).size.height == 1
        assert "▔" not in stage.text()


async def test_a_refused_duplicate_can_be_corrected() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("s", "f2")
        stage.clock.advance(60)
        await stage.expect("Finished: snapshot")
        await stage.press("escape", "s")
        stage.app.screen.query_one("#name", Input).value = "search-0001-20260102-000000"
        await stage.press("f2")
        assert stage.shows("all the same?"), "the history has that name, so the light is red"
        await stage.press("tab", "f2")
        text = stage.text()
        assert "The service refused: snapshot with the same name already exists" in text
        assert "Not started" in text
        stage.app.screen.query_one("#name", Input).value = "another-name"
        await stage.press("f2")
        assert [effect.name for effect in stage.sandbox.ledger.effects][1:] == ["another-name"]


class LosesTheAnswer(httpx.AsyncBaseTransport):
    """Passes a create on, and loses its answer."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace = request.extensions.get("trace")
        response = await self._inner.handle_async_request(request)
        if "createSnapshot" in request.url.path and trace is not None:
            await trace("http11.send_request_headers.started", {"request": request})
            raise httpx.ReadError("lost")
        return response


async def test_an_answer_that_is_lost_is_looked_for_and_never_sent_again() -> None:
    """Law 1: a create that may have reached the service is not repeated; the history says what became of it."""
    async with staged((120, 40), wrap=LosesTheAnswer) as stage:
        await stage.press("s", "f2", "f2")
        assert stage.shows("Started: the history names it, though no answer said so.")
        await stage.press("f2")
        assert len([r for r in stage.sandbox.ledger.requests if r.operation == "createSnapshot"]) == 1


async def test_a_failing_snapshot_is_called_failed() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("s")
        stage.app.screen.query_one("#name", Input).value = "nightly-fail"
        await stage.press("f2")
        stage.clock.advance(60)
        await stage.expect("FAILED: snapshot nightly-fail")


async def test_a_protected_profile_asks_for_the_clusters_name() -> None:
    async with staged((120, 40), profile=dataclasses.replace(PROFILE, protected=True)) as stage:
        await stage.press("s", "f2")
        assert "protected" in stage.text()
        await stage.type("search-0002")
        await stage.press("f2")
        assert "that is not the name." in stage.text()
        assert not stage.sandbox.ledger.effects
        await stage.press("escape", "f2")
        await stage.type("search-0001")
        await stage.press("enter")
        assert not stage.asked("createSnapshot")
        await stage.press("f2")
        assert len(stage.sandbox.ledger.effects) == 1


async def test_read_only_has_no_way_to_a_snapshot() -> None:
    async with staged((120, 40), profile=dataclasses.replace(PROFILE, read_only=True)) as stage:
        assert "READ-ONLY" in stage.text()
        assert "s Snapshot" not in stage.text()
        await stage.press("s")
        assert isinstance(stage.app.screen, ClustersScreen)
        await stage.press("question_mark")
        assert "Create a snapshot" not in stage.text()
        await stage.press("escape", "h", "s")
        assert "Create snapshot" not in stage.text()


async def test_history_newest_first_with_its_failures() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("h")
        text = stage.text()
        assert "23 snapshots, 5 failed" in text
        assert text.index("2025-12-31") < text.index("2025-12-29")
        await stage.press("f")
        table = stage.app.screen.query_one("#table", RecordTable)
        assert (table.shown, table.total) == (5, 5)
        await stage.press("enter")
        assert '"hasErrorLog"' in stage.text()


@pytest.mark.parametrize(
    ("secret", "operation_fault", "said"),
    [
        ("a-wrong-secret-key-a-wrong-secret-key-00", None, "The gateway refused the signature (401/200)."),
        (SECRET_KEY, (200, b"<html>welcome</html>"), "The answer is not one of the service's (200)"),
        (SECRET_KEY, (503, b'{"error":{"errorCode":"500","message":"x"}}'), "could not talk to the service (503/500)"),
        (SECRET_KEY, (429, b'{"error":{"errorCode":"410","message":"x"}}'), "throttling this account (429/410)"),
    ],
)
async def test_what_is_wrong_is_said_calmly(secret: str, operation_fault: tuple[int, bytes] | None, said: str) -> None:
    environ = {**ENVIRON, "NCLOUD_SECRET_KEY": secret, "NCP_TUI_PROFILE": "environment"}
    async with staged((120, 40), with_profile=False, environ=environ) as stage:
        if operation_fault is not None:
            stage.sandbox.faults.add(operation="getClusterInfoList", act=operation_fault, times=None)
            await stage.press("r")
        assert said in stage.text()
        assert "Nothing was changed" in stage.text()
        assert not stage.sandbox.ledger.effects
        if operation_fault is not None:
            stage.sandbox.faults.clear()
            await stage.press("r")
            assert said not in stage.text(), "the problem goes when it is over"


async def test_first_run_offers_what_was_found(tmp_path: Path) -> None:
    configure = tmp_path / "configure"
    configure.write_text("[lab]\nncloud_access_key_id = LABKEY00000000000001\nncloud_secret_access_key = s\n")
    async with staged(with_profile=False, environ=ENVIRON, configure_file=configure) as stage:
        assert isinstance(stage.app.screen, WelcomeScreen)
        assert "environment (NCLOUD_ACCESS_KEY)" in stage.text()
        assert "[lab]" in stage.text()
        await stage.press("enter")
        assert "environment / KR / Clusters" in stage.text()
        assert "14 clusters" in stage.text()


async def test_first_run_with_nothing_is_a_form() -> None:
    async with staged(with_profile=False) as stage:
        assert isinstance(stage.app.screen, ProfileFormScreen)
        await stage.press("f2")
        assert "A profile needs a name." in stage.text()


async def test_a_profile_is_added_tested_edited_renamed_and_removed() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("p", "a")
        form = stage.app.screen
        form.query_one("#name", Input).value = "lab"
        form.query_one("#access_key", Input).value = ACCESS_KEY
        form.query_one("#secret_key", Input).value = SECRET_KEY
        form.query_one("#gateway_url", Input).value = URL
        await stage.press("f5")
        assert "The keys work" in stage.text()
        await stage.press("f2")
        assert "Profile lab is saved." in stage.text()
        table = stage.app.screen.query_one("#table", RecordTable)
        table.move_to("lab")
        await stage.press("t")
        assert "The keys of lab work" in stage.text()
        await stage.press("n")
        stage.app.screen.query_one(Input).value = "lab-2"
        await stage.press("enter")
        assert "lab is now called lab-2." in stage.text()
        table.move_to("lab-2")
        await stage.press("t")
        assert "The keys of lab-2 work" in stage.text(), "the secret key moved along"
        await stage.press("d")
        assert stage.home.profiles.load().default == "lab-2"
        await stage.press("e")
        stage.app.screen.query_one("#zone", Select).value = "gov"
        await stage.press("f2")
        assert stage.home.profiles.load().find("lab-2") is not None
        await stage.press("x")
        await stage.type("wrong")
        await stage.press("enter")
        assert stage.home.profiles.load().find("lab-2") is not None
        await stage.press("escape", "x")
        await stage.type("lab-2")
        await stage.press("f2")
        assert stage.home.profiles.load().find("lab-2") is None


async def test_using_another_profile_shows_its_clusters() -> None:
    async with staged((120, 40), environ=ENVIRON, profile=PROFILE) as stage:
        await stage.press("p")
        stage.app.screen.query_one("#table", RecordTable).move_to("environment")
        await stage.press("enter")
        assert "environment / KR / Clusters" in stage.text()


class NoPlaceForSecrets(SessionStore):
    """A store on a host without a keyring."""

    async def save(self, profile: Profile, secret_key: object) -> None:  # noqa: ARG002
        raise NoKeyring


async def test_a_key_that_cannot_be_kept_saves_nothing() -> None:
    """A profile without its key would be refused at every request, and nobody would know why."""
    async with staged((120, 40), with_profile=False, stores={"session": NoPlaceForSecrets()}) as stage:
        form = stage.app.screen
        form.query_one("#name", Input).value = "lab"
        form.query_one("#access_key", Input).value = ACCESS_KEY
        form.query_one("#secret_key", Input).value = SECRET_KEY
        await stage.press("f2")
        assert "keyring" in stage.text()
        assert not stage.home.profiles.load().profiles


class NeverAnswers(httpx.AsyncBaseTransport):
    """A gateway that takes the request and is silent."""

    def __init__(self, _: httpx.AsyncBaseTransport) -> None:
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        import asyncio

        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError(request)


async def test_nothing_waits_for_a_gateway_that_hangs() -> None:
    """Law 6: keys, screens, switching profile and quitting work at once while a call hangs."""
    async with staged((120, 40), environ=ENVIRON, profile=PROFILE, wrap=NeverAnswers, settled=False) as stage:
        await stage.pilot.press("p")
        await stage.expect("environment / KR / Profiles", "public/KR")
        stage.app.screen.query_one("#table", RecordTable).move_to("environment")
        await stage.pilot.press("enter")
        await stage.expect("environment / KR / Clusters")
        await stage.pilot.press("q")
        await stage.pilot.pause()
    assert stage.app.return_code == 0


async def test_the_program_begins_though_a_key_came_before_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual may call nothing after the refresh of a screen that was covered before it; such a one is played here."""
    after_refresh = ClustersScreen.call_after_refresh

    def covered(screen: ClustersScreen, callback: Callable[..., object]) -> bool:
        assert isinstance(screen.app, NcpApp)
        return callback == screen.app._begin or after_refresh(screen, callback)

    monkeypatch.setattr(ClustersScreen, "call_after_refresh", covered)
    async with staged((120, 40), settled=False) as stage:
        await stage.pilot.press("p")
        await stage.expect("prod / KR / Profiles", "public/KR")
        await stage.press("escape")
        assert stage.shows("14 clusters", "search-0001")


async def test_the_header_names_a_gateway_that_is_not_ncps() -> None:
    """Whoever has it receives signed requests."""
    async with staged((120, 40)) as stage:
        assert "GATEWAY" not in stage.text()
        identity = stage.app.session.identity
        assert identity is not None
        own = dataclasses.replace(identity.profile, gateway_url="https://gw.corp.example:8443")
        stage.app.use_identity(dataclasses.replace(identity, profile=own))
        await stage.expect("GATEWAY gw.corp.example")
        await stage.press("s")
        assert stage.shows("OTHER GATEWAY", "Create snapshot")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20), (200, 60), (40, 10), (20, 5)])
async def test_every_screen_in_every_size(size: tuple[int, int]) -> None:
    async with staged(size, environ=ENVIRON) as stage:
        for keys in (["s"], ["h"], ["p"], ["p", "a"], ["enter"], ["question_mark"], ["slash"], ["y"]):
            await stage.press(*keys)
            assert stage.text().strip()
            while not isinstance(stage.app.screen, ClustersScreen):
                await stage.press("escape")
            await stage.press("escape")
