"""Setting and releasing a schedule by keys: what is shown before, what is sent, and what is known after it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from textual.widgets import Button, Input, Static

from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.system.paths import Paths
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog, TypeNameDialog
from ncp_tui.tui.screens.schedule import ScheduleScreen
from ncp_tui.tui.screens.set_schedule import SetScheduleScreen
from ncp_tui.tui.widgets.choice_field import ChoiceField
from ncp_tui.tui.widgets.text_view import TextView
from tests.tui.stage import ACCESS_KEY, Stage, staged
from tests.tui.wires import Held, Wire

SET, RELEASE = "setSnapshotScheduling", "releaseSnapshotScheduling"
WIDE = (120, 40)
PROTECTED = Profile(
    name="prod", access_key=ACCESS_KEY, store="session", default_bucket="bk.ses.snapshot", protected=True
)


def changes(stage: Stage) -> list[str]:
    return [effect.operation for effect in stage.effects]


def says(stage: Stage, *texts: str) -> bool:
    """Whether all of `texts` are in the question, or on the screen where there is none, wherever lines are broken."""
    asked = stage.app.screen.query("#confirm-question Static").results(Static)
    words = " ".join(str(each.content) for each in asked) or stage.words()
    words = " ".join(words.split())
    return all(text in words for text in texts)


def choice(stage: Stage, name: str) -> str:
    return stage.app.screen.query_one(f"#{name}", ChoiceField).value


async def open_form(stage: Stage, cluster: str = "search-0002") -> None:
    """The form of a cluster whose schedule was never set, at a minute at which no other cluster writes."""
    stage.app.screen.query_one("#table").move_to(stage.sandbox.world.named(cluster).number)  # type: ignore[attr-defined]
    await stage.press("d", "s")
    await stage.press("enter", "enter", "down", "right")


async def confirm(stage: Stage, key: str) -> None:
    """Press the key that opens a question and answer it, once the key was let go."""
    await stage.press(key)
    assert isinstance(stage.app.screen, SendQuestionDialog)
    stage.clock.advance(2)
    await stage.press("a", "f2")


async def test_a_schedule_is_set_by_keys_and_every_screen_shows_it() -> None:
    async with staged(WIDE) as stage:
        await open_form(stage)
        assert (choice(stage, "day"), choice(stage, "hour"), choice(stage, "minute")) == ("Everyday", "04", "00")
        await stage.pilot.click("#hour", offset=(5, 0))
        assert choice(stage, "hour") == "05", "a click on the right half is a step forward"
        await stage.press("2", "1", "down", "left", "up", "up", "s", "a")
        assert (choice(stage, "day"), choice(stage, "hour"), choice(stage, "minute")) == ("Saturday", "21", "45")
        assert stage.shows("Sat 21:45 KST", "warn: other clusters", "none at this time among 11 of 13")
        await stage.fill("name", "Weekly_of_search-2")
        assert stage.shows("18/15  too long: 18 of at most 15", "Cannot set yet:", "no capital letters (W)")
        await stage.press("f2")
        assert not stage.asked(SET), "a name that is wrong is not sent"
        await stage.fill("name", "weekly")
        assert stage.shows("6/15  valid")
        preview = stage.app.screen.query_one("#preview", TextView).text
        for sent in ('"scheduledDay": "Saturday"', '"scheduledHour": 21', '"scheduledMinute": 45'):
            assert sent in preview
        assert not stage.asked(SET), "a preview sends nothing"
        await stage.press("tab", "enter", "space", "y")
        assert not stage.asked(SET)
        await stage.press("f2", "f2", "f2")
        assert changes(stage) == [SET]
        assert stage.shows(
            "Set: schedule weekly of search-0002.",
            "weekly, Saturday 21:45 (time zone assumed: KST), bucket bk.ses.snapshot",
            "The schedule history has now: weekly: every Saturday at 21:45 into bk.ses.snapshot; NCP says 'ACTIVE'.",
            "POST /api/v2/snapshot/setSnapshotScheduling/1037002",
        )
        await stage.press("u")
        assert stage.shows("set schedule weekly", "done", "all resolved")
        await stage.press("escape", "escape")
        assert isinstance(stage.app.screen, ScheduleScreen)
        assert stage.shows("weekly: every Saturday at 21:45", "none: no run was due since the schedule was set")
        await stage.press("escape")
        assert stage.shows("Sat 21:45"), "the clusters say when it runs next"
    assert changes(stage) == [SET]


async def test_where_one_is_in_force_it_is_released_first_and_the_new_one_set_as_two_steps() -> None:
    async with staged(WIDE) as stage:
        await stage.press("d", "s")
        assert stage.app.screen.query_one("#name", Input).value == "auto", "what is set is where the form begins"
        assert stage.shows(
            "A schedule is in force. Whether setting replaces it is not documented: f3 releases it first."
        )
        await stage.press("f2")
        assert says(stage, "Exactly this schedule, auto (Everyday 03:00", "to be certain, release it first")
        await stage.press("enter")
        assert isinstance(stage.app.screen, SetScheduleScreen)
        assert not stage.effects, "the question opens on Cancel"
        await stage.press("f3")
        assert says(
            stage, "Release the schedule of search-0001 (auto: every day at 03:00", "Snapshots that exist stay."
        )
        assert not stage.asked(RELEASE), "a GET with an effect is not sent before the yes"
        stage.clock.advance(2)
        await stage.press("a", "f2")
        assert changes(stage) == [RELEASE]
        assert stage.shows("Released: the schedule of search-0001.", "press f2 to set", "read again after the release:")
        await stage.press("f3")
        assert stage.shows("No schedule is known to be in force"), "one step after the other"
        await stage.fill("name", "nightly")
        await stage.press("f2")
        assert changes(stage) == [RELEASE, SET]
        assert stage.shows("Set: schedule nightly of search-0001.")
        assert not stage.shows("watch the next runs")
        await stage.press("escape", "s")
        await stage.fill("name", "second")
        await confirm(stage, "f2")
        assert says(
            stage,
            "nightly: every day at 03:00 into bk.ses.snapshot was or may have been in force",
            "watch the next runs of both",
        ), "set over another one"
    assert (stage.asked(RELEASE), stage.asked(SET)) == (1, 2)


async def test_a_release_says_what_it_releases_and_that_snapshots_stay() -> None:
    async with staged(WIDE) as stage:
        await stage.press("d", "x")
        assert stage.shows("auto: every day at 03:00 into", "Snapshots that exist stay.")
        await stage.press("enter", "space", "y", "escape")
        assert not stage.asked(RELEASE)
        stage.sandbox.faults.add(RELEASE, "before", "drop")
        await confirm(stage, "x")
        assert says(stage, "Unknown whether the schedule of search-0001 was released.", "u lists the request")
        assert stage.shows("in force (NCP says 'ACTIVE')", "1 UNRESOLVED"), (
            "the card stays while the list is read again"
        )
        await stage.press("r")
        assert not stage.shows("u lists the request")
        await stage.press("x")
        assert says(stage, "may have taken effect"), "a second request is the user's to decide"
        stage.clock.advance(2)
        await stage.press("a", "f2")
        assert changes(stage) == [RELEASE]
        assert stage.shows("Released: the schedule of search-0001.", "released (NCP says 'RELEASED')")
        await stage.press("x")
        assert says(stage, "may have taken effect"), "the first one is still unresolved"
        await stage.press("escape", "u")
        assert stage.shows("release schedule", "done")
        await stage.press("escape", "escape", "down", "d", "x")
        assert stage.shows("search-0002 has no schedule: its schedule history is empty.", "No schedule was ever set.")
    assert stage.asked(RELEASE) == 2


async def test_a_lost_answer_is_looked_up_and_never_sent_again() -> None:
    async with staged(WIDE) as stage:
        stage.sandbox.faults.add(SET, "after", "drop")
        await open_form(stage)
        await stage.press("f2")
        assert stage.shows("Set: schedule search-0002 of search-0002. No answer confirmed it, but the schedule history")
        await stage.press("escape")
        stage.sandbox.faults.add(RELEASE, "after", "drop")
        await confirm(stage, "x")
        assert stage.shows("Released: the schedule of search-0002. No answer confirmed it, but the schedule")
        stage.sandbox.faults.add(SET, "before", "drop")
        await stage.press("s")
        await stage.press("f2")
        assert stage.shows("1 UNRESOLVED", "Unknown whether schedule search-0002", "Unknown, see above.")
        assert says(stage, "u on this form lists the request and looks again.")
        await stage.press("f2", "f2", "escape")
        assert says(stage, "unresolved set search-0002 (Everyday", "may have taken effect; u lists it")
        stage.sandbox.faults.add(RELEASE, "before", "drop")
        await stage.press("x")
        assert says(stage, "may have taken effect"), "a release meets the set that is unresolved"
        await stage.press("escape", "u")
        assert stage.shows("set schedule", "unknown", "press s")
    assert (stage.asked(SET), stage.asked(RELEASE)) == (2, 1)


async def test_a_refusal_lets_the_form_be_corrected() -> None:
    body = {"code": 40031, "message": "[red]bucket[/red] \x1b[31mis full", "result": None, "requestId": "x"}
    async with staged(WIDE) as stage:
        stage.sandbox.faults.add(SET, act=(200, body))
        await open_form(stage)
        await stage.press("f2")
        assert stage.shows("Not set: schedule search-0002 of search-0002.", "[red]bucket[/red]")
        assert "\x1b" not in stage.text()
        assert stage.app.screen.query_one("#name", Input).has_focus
        await stage.fill("name", "other")
        await stage.press("f2")
        assert stage.shows("Set: schedule other of search-0002.")
        await stage.press("escape", "x")
        identity = stage.app.session.identity
        assert identity is not None
        stage.app.session.use(dataclasses.replace(identity, profile=dataclasses.replace(identity.profile, name="new")))
        await stage.settle()
        await stage.press("a", "f2")
        assert stage.shows("Another profile is in use than when this was opened, so nothing was sent.")
    assert (stage.asked(SET), stage.asked(RELEASE), changes(stage)) == (2, 0, [SET])


async def test_leaving_the_form_stops_nothing_and_quitting_asks() -> None:
    wire = Wire(Held, {SET})
    async with staged(WIDE, wrap=wire) as stage:
        await open_form(stage)
        await stage.pilot.press("f2")
        await stage.until(lambda: stage.effects)
        await stage.expect("Set schedule search-0002 of search-0002: sent, no answer yet.")
        await stage.pilot.press("escape", "x")
        await stage.expect("Another request is in flight.")
        await stage.pilot.press("ctrl+c")
        await stage.expect("A request has no answer yet. Quit without it?")
        await stage.pilot.press("n")
        wire.held.gate.set()
        await stage.expect("Set: schedule search-0002 of search-0002.", "search-0002: every day at 04:00")
    assert changes(stage) == [SET]


async def test_read_only_dims_both_keys_and_says_why() -> None:
    async with staged(WIDE, read_only=True) as stage:
        await stage.press("d", "s")
        assert isinstance(stage.app.screen, ScheduleScreen)
        assert stage.shows("Read-only mode (set at the start): no schedule is changed.", "every day at 03:00")
        await stage.press("r", "x", "f2")
        assert stage.shows("Read-only mode (set at the start): no schedule is changed.")
        stage.app.push_screen(SetScheduleScreen(stage.app.session, stage.app.session.clusters["1037002"], None))
        await stage.press("f2")
        assert stage.shows("Read-only mode: cannot set a schedule.")
        assert stage.app.screen.query_one("#send", Button).disabled
        assert not stage.app.session.journal.entries()
    assert not stage.asked(SET) + stage.asked(RELEASE)


async def test_a_protected_profile_wants_the_name_of_the_cluster_typed() -> None:
    async with staged(WIDE, profile=PROTECTED) as stage:
        await stage.press("d", "x")
        assert isinstance(stage.app.screen, TypeNameDialog)
        await stage.type("search-0002")
        await stage.press("f2")
        assert stage.shows("Name does not match.")
        await stage.fill("confirm-input", "search-0001")
        await stage.press("f2")
        assert changes(stage) == [RELEASE]
        await stage.press("s", "f2")
        assert isinstance(stage.app.screen, TypeNameDialog)
        await stage.type("search-0001")
        await stage.press("f2")
        assert changes(stage) == [RELEASE, SET]


def without_key(sandbox: Sandbox) -> None:
    sandbox.world.state(sandbox.world.named("search-0002")).key_set = False


async def test_what_blocks_is_said_old_checks_are_read_again_and_a_click_asks() -> None:
    async with staged(WIDE, prepare=without_key) as stage:
        await open_form(stage)
        assert stage.shows("The cluster has no storage key", "block: storage key", "Cannot set yet:")
        await stage.press("f2")
        assert not stage.asked(SET)
        stage.sandbox.world.state(stage.sandbox.world.named("search-0002")).key_set = True
        await stage.press("f5")
        await stage.press("up", "up", *["down"] * 4, "enter")
        assert stage.shows("audit-locked cannot be used: locked")
        stage.clock.advance(600)
        await stage.press("f2")
        assert says(stage, "Nothing was sent: the checks were out of date and are being repeated. Press f2 again.")
        await stage.pilot.click("#send")
        await stage.settle()
        assert isinstance(stage.app.screen, SendQuestionDialog)
        assert not stage.asked(SET)
        await stage.pilot.click("#confirm-yes")
        await stage.settle()
        assert changes(stage) == [SET]


async def test_the_card_of_a_setting_is_text_whatever_the_service_says() -> None:
    hostile = "[/nope]\x1b]52;c;x\x07\u202e"
    async with staged(WIDE) as stage:
        world = stage.sandbox.world
        state = world.state(world.named("search-0001"))
        request = dataclasses.replace(state.schedules[-1].request, name=hostile, bucket=hostile)
        state.schedules[-1] = dataclasses.replace(state.schedules[-1], request=request)
        await stage.press("d")
        assert stage.shows("[/nope]")
        await stage.press("enter", "escape", "x")
        assert stage.shows("Release the schedule of search-0001")
        await stage.press("escape", "s")
        assert stage.shows("Cannot set yet:")
        assert not set("\x1b\x07\u202e") & set(stage.text())
        assert stage.app.screen.query_one("#preview", TextView).text


async def test_a_damaged_journal_is_accepted_first_and_one_that_takes_nothing_is_asked_about(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "data")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.jsonl").write_bytes(b"\0" * 80 + b"\n")
    async with staged(WIDE, paths=paths) as stage:
        await open_form(stage)
        await stage.press("f2")
        assert says(stage, "Accept the damage")
        await stage.press("a", "f2")
        assert stage.shows("Damage accepted. Nothing was sent: press f2 to set the schedule.")
        assert not stage.asked(SET)
        lock = tmp_path / "state" / "journal.jsonl.lock"
        lock.unlink()
        lock.mkdir()  # nothing can be written, for root as well
        await stage.press("a", "f2")
        assert says(stage, "Send it without a journal record?")
        assert not stage.asked(SET)
        await stage.press("a", "f2")
        assert changes(stage) == [SET]
        assert stage.shows("Set: schedule search-0002", "The journal does not hold it yet:")
        assert "The journal does not hold it" in "\n".join(stage.app.session.not_written_down())
        lock.rmdir()
    assert stage.asked(SET) == 1
