"""Setting a storage key by keys: what is read before, what is asked, what is sent, and where the keys do not appear."""

from __future__ import annotations

import json

import pytest
from textual.widgets import Input, Select, Static

from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.search_engine.operations import SET_STORAGE_KEY
from ncp_tui.session_log.records import request_line
from ncp_tui.snapshots.storage_key import Destination
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog, TypeNameDialog
from ncp_tui.tui.dialogs.storage_key import StorageKeyDialog
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from tests.snapshots.storage_keys import ACCESS, SECRET
from tests.tui.stage import ACCESS_KEY, Stage, staged

WIDE = (120, 40)
MASKED_OWN = f"{ACCESS_KEY[:4]}…{ACCESS_KEY[-4:]}"


def profile(**fields: object) -> Profile:
    usual = {"name": "prod", "access_key": ACCESS_KEY, "store": "session", "default_bucket": "bk.ses.snapshot"}
    return Profile(**usual | fields)  # type: ignore[arg-type]


def sets(stage: Stage) -> int:
    return stage.asked(SET_STORAGE_KEY)


async def on_cluster(stage: Stage, name: str = "search-0004") -> None:
    stage.app.screen.query_one("#table").move_to(stage.sandbox.world.named(name).number)  # type: ignore[attr-defined]
    await stage.settle()


async def choose_own(stage: Stage) -> None:
    stage.app.screen.query_one("#key", Select).value = "own"
    await stage.settle()


async def fill_other(stage: Stage) -> None:
    await stage.fill("access_key", ACCESS)
    await stage.fill("secret_key", SECRET)


async def answer_yes(stage: Stage) -> None:
    """Answer the question with the key that sends, once it was let go."""
    assert isinstance(stage.app.screen, SendQuestionDialog), stage.text()
    stage.clock.advance(2)
    await stage.press("a", "f2")


def told(stage: Stage, name: str = "said") -> str:
    """A line of the dialog; on the screen it stands between lines of what is behind it."""
    return " ".join(str(stage.app.screen.query_one(f"#{name}", Static).content).split())


def asked(stage: Stage) -> str:
    words = stage.app.screen.query("#confirm-question Static").results(Static)
    return " ".join(" ".join(str(each.content) for each in words).split())


async def test_from_a_blocked_form_to_a_snapshot() -> None:
    async with staged(WIDE, profile=profile()) as stage:
        await on_cluster(stage)
        await stage.press("s")
        assert stage.shows("The cluster has no storage key, so NCP lists no buckets. Press f7 to set it.")
        await stage.press("f7")
        assert stage.shows("Storage key of search-0004", "not set (code 10115)", "no snapshot is running")
        assert stage.shows("it cannot be read back")
        await choose_own(stage)
        assert stage.app.screen.query_one("#secret_key", Input).disabled
        await stage.press("f2")
        assert f"Set the storage key of search-0004 to {MASKED_OWN}?" in asked(stage)
        assert "NCP never shows it again" in asked(stage)
        assert sets(stage) == 0
        await answer_yes(stage)
        assert sets(stage) == 1
        assert f"Done: the storage key of search-0004 is {MASKED_OWN}. Check: The bucket list opens" in told(stage)
        await stage.press("f2", "f5", "enter", "escape")
        assert isinstance(stage.app.screen, CreateSnapshotScreen)
        assert stage.shows("bk.ses.snapshot", "available")
        await stage.press("a", "f2")
        assert [effect.operation for effect in stage.effects] == [SET_STORAGE_KEY, "createSnapshot"]


async def test_what_is_typed_is_on_no_screen_and_in_no_record() -> None:
    async with staged(WIDE, profile=profile()) as stage:
        install(stage.sandbox, "echo-200@set-key:always")
        await on_cluster(stage)
        await stage.press("K")
        await fill_other(stage)
        assert SECRET not in stage.text()
        await stage.press("f2")
        assert "Set the storage key of search-0004 to STOR…0042?" in asked(stage)
        await answer_yes(stage)
        assert "Done: the storage key of search-0004 is STOR…0042." in told(stage)
        exchanges = [each for action in stage.app.session.log.actions for each in action.exchanges]
        sent = [each for each in exchanges if each.operation == SET_STORAGE_KEY]
        assert len(sent) == 1
        actions = stage.app.session.log.actions
        lines = [json.dumps(request_line("r", actions[0], each)) for each in exchanges]
        shown = repr([(each, each.answer and (each.answer.body, each.answer.headers)) for each in exchanges])
        for secret in (SECRET, SECRET.upper(), SECRET[::-1], SECRET[:12], ACCESS):
            assert secret not in shown + "".join(lines) + stage.text() + repr(stage.app.session)
        assert {"STOR…0042"} == {entry.details["maskedAccessKey"] for entry in stage.app.session.journal.entries()}


async def test_nothing_but_the_deliberate_key_sends() -> None:
    async with staged(WIDE, profile=profile()) as stage:
        await on_cluster(stage)
        await stage.press("K", "f2")
        assert isinstance(stage.app.screen, StorageKeyDialog)
        assert stage.shows("access key ID")
        await stage.fill("access_key", ACCESS)
        await stage.press("a", "f2")
        assert "The secret key is missing." in told(stage)
        await stage.fill("secret_key", SECRET)
        await stage.press("enter", "enter", "enter")
        assert isinstance(stage.app.screen, StorageKeyDialog)
        await stage.press("f2", "f2", "f2", "y")
        assert isinstance(stage.app.screen, SendQuestionDialog), "a held key is no yes"
        await stage.press("escape")
        assert isinstance(stage.app.screen, StorageKeyDialog)
        await stage.press("escape")
        assert isinstance(stage.app.screen, ClustersScreen)
        assert sets(stage) == 0


async def test_read_only_offers_it_not() -> None:
    async with staged(WIDE, profile=profile(read_only=True)) as stage:
        await on_cluster(stage)
        await stage.press("K")
        assert isinstance(stage.app.screen, ClustersScreen)
        assert "Read-only mode (profile prod): no storage key is set." in stage.words()
        assert sets(stage) == 0


async def test_a_protected_profile_wants_the_name() -> None:
    async with staged(WIDE, profile=profile(protected=True)) as stage:
        await on_cluster(stage)
        await stage.press("K")
        await choose_own(stage)
        await stage.press("f2")
        assert isinstance(stage.app.screen, TypeNameDialog)
        stage.clock.advance(2)
        await stage.press("a", "f2")
        assert sets(stage) == 0
        await stage.fill("confirm-input", "search-0004")
        await stage.press("f2")
        assert sets(stage) == 1


async def test_a_gateway_that_is_not_known_has_to_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = Destination("gateway.example:8443", "gateway.example:8443 is not the host of NCP's site public (x)")
    monkeypatch.setattr(Destination, "of", lambda *_: foreign)
    async with staged(WIDE, profile=profile()) as stage:
        await on_cluster(stage)
        await stage.press("K")
        assert "Type gateway.example:8443 to send the key there" in told(stage, "host-words")
        await choose_own(stage)
        for typed in ("", "gateway.example:1", "other"):
            await stage.fill("host", typed)
            await stage.press("f2")
            assert isinstance(stage.app.screen, StorageKeyDialog)
            assert "The storage key was not sent" in told(stage)
        await stage.fill("host", "gateway.example:8443")
        await stage.press("f2")
        assert "Whoever answers there will have the key." in asked(stage)
        await answer_yes(stage)
        assert sets(stage) == 1


async def test_a_lost_answer_is_unknown_and_the_next_needs_a_yes_to_it() -> None:
    async with staged(WIDE, profile=profile()) as stage:
        install(stage.sandbox, "drop-after@set-key")
        await on_cluster(stage, "search-0001")
        await stage.press("K")
        assert stage.shows("set already: lists 7 buckets")
        await choose_own(stage)
        await stage.press("f2")
        await answer_yes(stage)
        said = (
            "Unknown whether the storage key of search-0001 was set. Only one request was sent. A key is set; whether"
        )
        assert said in told(stage)
        await stage.press("escape", "K")
        await choose_own(stage)
        await stage.press("f2")
        assert "An earlier request for search-0001 is unresolved. A yes covers only that request." in asked(stage)
        await answer_yes(stage)
        assert sets(stage) == 2


async def test_what_was_read_long_ago_is_read_again() -> None:
    async with staged(WIDE, profile=profile()) as stage:
        await on_cluster(stage)
        await stage.press("K")
        await choose_own(stage)
        stage.clock.advance(300)
        await stage.press("f2")
        assert isinstance(stage.app.screen, StorageKeyDialog)
        assert "out of date" in told(stage)
        await stage.press("a", "f2")
        assert isinstance(stage.app.screen, SendQuestionDialog)


async def test_it_fits_a_small_window_and_warns_of_a_running_snapshot() -> None:
    async with staged(profile=profile()) as stage:
        world = stage.sandbox.world
        world.duration = 600.0
        world.start_snapshot(world.named("search-0001"), "nightly-1", "bk.ses.snapshot")
        await on_cluster(stage, "search-0001")
        await stage.press("K")
        assert stage.shows("Storage key of search-0001", "f2 Set key", "esc Cancel", "Secret key")
        words = told(stage, "checks")
        assert "nightly-1 is running" in words
        assert "A changed key can leave it stuck." in words


async def test_the_form_of_a_schedule_leads_there_too() -> None:
    async with staged(WIDE, profile=profile()) as stage:
        await on_cluster(stage)
        await stage.press("d", "s")
        assert stage.shows("The cluster has no storage key, so NCP lists no buckets. Press f7 to set it.")
        await stage.press("f7")
        await choose_own(stage)
        await stage.press("f2")
        await answer_yes(stage)
        await stage.press("escape")
        assert stage.shows("Set schedule", "bk.ses.snapshot", "available")
        assert sets(stage) == 1
