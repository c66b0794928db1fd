"""Creating a snapshot: nothing leaves before it is asked for, one request leaves, and the outcome is what is known."""

from __future__ import annotations

import json

import pytest
from textual.widgets import Button, Input

from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.tui.dialogs.confirm import TypeNameDialog
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.screens.history import HistoryScreen
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.tui.widgets.text_view import TextView
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, Stage, staged
from tests.tui.wires import Held, Refusing, Wire

CREATE, HISTORY = "createSnapshot", "getSnapshotHistory"
NAME = "search-0001-20260102-000000"
WIDE = (120, 40)


def profile(**fields: object) -> Profile:
    usual = {"name": "prod", "access_key": ACCESS_KEY, "store": "session", "default_bucket": "bk.ses.snapshot"}
    return Profile(**usual | fields)  # type: ignore[arg-type]


def form_of(stage: Stage) -> CreateSnapshotScreen:
    assert isinstance(stage.app.screen, CreateSnapshotScreen)
    return stage.app.screen


def value(stage: Stage, name: str) -> str:
    return form_of(stage).query_one(f"#{name}", Input).value


def can_create(stage: Stage) -> bool:
    return not form_of(stage).query_one("#create", Button).disabled


async def test_the_name_comes_from_the_profiles_template() -> None:
    async with staged(WIDE, profile=profile(name_template="{profile}-{date:kst}-{time:kst}")) as stage:
        await stage.press("s")
        assert value(stage, "name") == "prod-20260102-090000"
        assert stage.shows("20/30  valid (KST)")
        stage.clock.advance(61)
        await stage.press("f3")
        assert value(stage, "name") == "prod-20260102-090101", "a fresh name has the time of now"


async def test_without_a_usable_template_or_a_default_bucket_the_form_proposes_its_own() -> None:
    async with staged(WIDE, profile=profile(name_template="{cluster", default_bucket=None)) as stage:
        await stage.press("s")
        assert value(stage, "name") == "search-0001"
        assert value(stage, "bucket") == "bk.ses.snapshot", "the first usable one"
        assert can_create(stage)


ILLEGAL = {
    "Nightly": "no capital letters (N)",
    "밤-스냅샷": "no Hangul",
    "\uff4eightly": "full-width",
    "night\u200bly": "an invisible character (U+200B)",
}
"""Some of the rules: tests/snapshots/test_name_rules.py has them all."""


async def test_an_illegal_name_is_judged_while_it_is_typed() -> None:
    """The service only says `invalid`; here each rule is named, and nothing can be sent in the meantime."""
    async with staged((160, 40)) as stage:
        await stage.press("s")
        for name, reason in ILLEGAL.items():
            await stage.fill("name", name)
            assert stage.shows(f"{len(name)}/30  {reason}", "Cannot create yet")
            assert not can_create(stage), name
            await stage.press("f2", "enter", "enter", "enter")
            assert not stage.asked(CREATE), name
        await stage.pilot.resize_terminal(60, 20)
        for name, reason in ILLEGAL.items():
            await stage.fill("name", name)
            assert stage.shows(reason), f"{name} where there is little room"


async def test_typing_changes_the_verdict_key_by_key() -> None:
    async with staged(WIDE) as stage:
        await stage.press("s", "A")
        assert stage.shows(f"{len(NAME) + 1}/30  no capital letters (A)")
        await stage.press("backspace")
        assert stage.shows(f"{len(NAME)}/30  valid")
        await stage.press("question_mark")
        assert value(stage, "name").endswith("?"), "in an input a question mark is typed"


async def test_only_a_usable_bucket_can_be_taken() -> None:
    async with staged((160, 40)) as stage:
        await stage.press("s")
        assert stage.shows(
            "bk.ses.snapshot", "45.0 GiB", "18,204", "available", "locked: object lock is on", "no access"
        )
        table = form_of(stage).query_one("#buckets", RecordTable)
        table.focus()
        await stage.settle()
        for name in ("audit-locked", "finance-private", "legal-hold"):
            table.move_to(name)
            await stage.press("enter")
            assert value(stage, "bucket") == "bk.ses.snapshot"
            assert stage.shows(f"{name} cannot be used:")
        table.move_to("empty-bucket")
        await stage.press("enter")
        assert value(stage, "bucket") == "empty-bucket"
        assert form_of(stage).query_one("#create").has_focus


async def test_without_a_storage_key_nothing_is_sent_whatever_bucket_is_typed() -> None:
    """search-0004 has none, so the service names no buckets and takes no create; its own words are shown."""
    async with staged((160, 40), profile=profile(default_bucket=None)) as stage:
        await stage.press("down", "down", "down", "s")
        assert stage.shows("The cluster has no storage key, so NCP lists no buckets.", "choose a bucket")
        assert "Set the API authentication key first" in stage.words()
        assert stage.shows("No bucket is chosen.", "block: bucket, storage key")
        assert not can_create(stage)
        await stage.fill("bucket", "typed-by-hand")
        assert stage.shows("not checked", "block: storage key", "not set: no snapshot can be created.")
        assert not can_create(stage)
        await stage.press("f2")
        assert not stage.asked(CREATE)


async def test_a_refused_list_says_why_and_a_bucket_can_be_typed() -> None:
    body = {"code": 40070, "message": "Not now, please.", "result": None, "requestId": "x"}

    def prepare(sandbox: Sandbox) -> None:
        sandbox.faults.add("getBucketList", act=(400, body))

    async with staged((160, 40), profile=profile(default_bucket=None), prepare=prepare) as stage:
        await stage.press("s")
        assert stage.shows("Bucket list unavailable. You can type a bucket name.")
        assert stage.shows("Not now, please", "choose a bucket")
        assert not can_create(stage)
        await stage.fill("bucket", "bk.ses.snapshot")
        assert stage.shows("not checked")
        assert can_create(stage)
        await stage.press("f2")
        assert [(effect.name, effect.bucket) for effect in stage.effects] == [(NAME, "bk.ses.snapshot")]


async def test_an_empty_list_says_so() -> None:
    """One that did not come is not empty."""

    def prepare(sandbox: Sandbox) -> None:
        results: tuple[dict[str, object], ...] = ({"bucketList": []}, {"bucketList": None})
        for result in results:
            body = {"code": 0, "message": "SUCCESS", "result": result, "requestId": "x"}
            sandbox.faults.add("getBucketList", act=(200, body))

    async with staged(WIDE, prepare=prepare) as stage:
        await stage.press("s")
        assert stage.shows("No buckets listed. Is the cluster's storage key set in the NCP console?")
        assert can_create(stage)
        await stage.press("f5")
        assert stage.shows("Bucket list unavailable. You can type a bucket name.")
        assert "it does not mean that there are none" in stage.words()
        assert can_create(stage)
        await stage.press("f5")
        assert stage.shows("empty-bucket"), "f5 reads the list again"


async def test_the_preview_is_what_is_sent() -> None:
    """What the user agrees to and what leaves must be the same request, but for the moment and the signature."""
    async with staged(WIDE) as stage:
        await stage.press("s")
        engine = stage.app.session.connected
        assert engine is not None
        before = len(stage.sandbox.ledger.requests)
        preview = engine.preview_create_snapshot("1037001", NAME, "bk.ses.snapshot")
        text = form_of(stage).query_one("#preview", TextView).text
        assert "POST http://127.0.0.1:8765/api/v2/snapshot/createSnapshot/1037001" in text
        assert len(stage.sandbox.ledger.requests) == before, "a preview sends nothing"
        await stage.press("f2")
        action = next(each for each in stage.app.session.log.actions if each.title == f"create snapshot {NAME}")
        sent = action.exchanges[0].request
        assert (sent.method, sent.url, sent.body) == (preview.method, preview.url, preview.body)
        assert json.loads(sent.body) == {"snapshotName": NAME, "bucketName": "bk.ses.snapshot"}
        moving = {"x-ncp-apigw-timestamp", "x-ncp-apigw-signature-v2"}
        assert {name for name, _ in sent.headers} == {name for name, _ in preview.headers}
        assert dict(sent.headers) | dict.fromkeys(moving) == dict(preview.headers) | dict.fromkeys(moving)
        for shown in (text, str(sent), str(preview)):
            assert SECRET_KEY not in shown
            assert ACCESS_KEY not in shown
        assert "SAND…0A7K" in text
        assert stage.sandbox.ledger.requests[-2].target == "/api/v2/snapshot/createSnapshot/1037001"


async def test_create_is_sent_once_however_often_it_is_pressed() -> None:
    """Law 1. Keys pressed in a hurry arrive before the first answer does."""
    wire = Wire(Held, {CREATE})
    async with staged(WIDE, wrap=wire) as stage:
        await stage.press("s")
        for _ in range(5):
            await stage.pilot.press("f2")
        form = form_of(stage)
        form.action_create()
        form.query_one("#create", Button).press()
        await stage.expect("sending the request ...")
        wire.held.gate.set()
        await stage.expect("running")
        await stage.press("f2", "f2")
        assert (stage.asked(CREATE), len(stage.effects)) == (1, 1)


async def test_a_hurried_confirmation_sends_once() -> None:
    """Two clicks on Create may open the question twice; answering both must not send twice."""
    async with staged(WIDE, profile=profile(protected=True)) as stage:
        await stage.press("s")
        form = form_of(stage)
        form.action_create()
        form.action_create()
        await stage.settle()
        for _ in range(2):
            if isinstance(stage.app.screen, TypeNameDialog):
                await stage.type("search-0001")
                await stage.press("f2")
        assert stage.asked(CREATE) == 1


async def test_what_is_not_whole_is_called_failed(quick_looks: None) -> None:  # noqa: ARG001
    """Law 2: accepted is not finished, and a partial snapshot is no backup."""
    async with staged((160, 40)) as stage:
        for name, message in (("will-fail", "repository_verification_exception"), ("will-partial", "2 of 40 shards")):
            await stage.press("s")
            await stage.fill("name", name)
            await stage.press("f2")
            stage.clock.advance(60)
            await stage.expect(f"Snapshot {name} failed:", message)
            assert "Finished" not in stage.text()
            await stage.press("escape")
            await stage.expect("42 h ! old", "last run     failed, 1 min ago")


async def test_a_refusal_can_be_corrected() -> None:
    async with staged((160, 40)) as stage:
        await stage.press("s")
        taken = stage.sandbox.world.state(stage.sandbox.world.clusters[0]).runs[0].name
        await stage.fill("name", taken)
        await stage.press("f2")
        assert stage.shows(f"{taken} was requested before", "Send a second request")
        await stage.press("tab", "f2")
        assert stage.shows(
            "NCP refused: snapshot with the same name already exists (code 40070).",
            "Nothing was started by this request.",
            f"Not started: {taken}.",
            "request ID",
        )
        assert form_of(stage).query_one("#name").has_focus
        await stage.fill("name", "corrected")
        assert can_create(stage)
        await stage.press("f2")
        assert stage.shows("corrected: running")
        assert [effect.name for effect in stage.effects] == ["corrected"]
        # The card of the first try goes, and so does its response, which gives way a moment later.
        await stage.until(lambda: not stage.shows("snapshot with the same name"))


@pytest.mark.parametrize("cut", ["drop", pytest.param("reset", marks=pytest.mark.slow)])
async def test_a_lost_answer_over_a_socket_is_unknown(cut: str) -> None:
    """Law 1 on a real connection: what may have started is never sent again, whatever is pressed."""
    async with staged((160, 40), listening=True) as stage:
        stage.sandbox.faults.add(CREATE, "after", cut)  # type: ignore[arg-type]
        body = {"code": 0, "message": "SUCCESS", "result": {"snapshotHistoryResponseList": []}, "requestId": "x"}
        await stage.press("s")
        stage.sandbox.faults.add(HISTORY, "before", (200, body), times=None)
        await stage.press("f2")
        assert stage.shows(
            f"Unknown whether {NAME} started. At most one request took effect.",
            "No answer confirmed the request",
            "the history did not have",
            "That proves nothing: the history may lag.",
        )
        assert "Not started" not in stage.text()
        await stage.press("f2", "f2")
        form_of(stage).action_create()
        await stage.settle()
        assert not can_create(stage)
        assert (stage.asked(CREATE), len(stage.effects)) == (1, 1)


@pytest.mark.parametrize("cut", ["reset", pytest.param("drop", marks=pytest.mark.slow)])
async def test_a_lost_answer_over_a_socket_is_found_in_the_history(cut: str, quick_looks: None) -> None:  # noqa: ARG001
    """What the history names was started, and is followed as if it had been answered."""
    async with staged((160, 40), listening=True) as stage:
        stage.sandbox.faults.add(CREATE, "after", cut)  # type: ignore[arg-type]
        await stage.press("s", "f2", "f2")
        assert stage.shows("Started: it is in the history, although the response was lost.", f"{NAME}: running")
        stage.clock.advance(60)
        await stage.expect(f"Snapshot {NAME} succeeded")
        assert (stage.asked(CREATE), len(stage.effects)) == (1, 1)


async def test_a_refused_connection_is_certainly_not_started() -> None:
    wire = Wire(Refusing, False)
    async with staged((160, 40), wrap=wire) as stage:
        await stage.press("s")
        wire.held.down = True
        await stage.press("f2")
        assert stage.shows("refused the connection.", "Nothing was sent.", f"Not started: {NAME}.")
        wire.held.down = False
        await stage.press("tab", "f2")
        assert [effect.name for effect in stage.effects] == [NAME], "what was not started may be asked for again"


async def test_leaving_the_form_during_the_create_cancels_nothing(quick_looks: None) -> None:  # noqa: ARG001
    wire = Wire(Held, {CREATE})
    async with staged(WIDE, wrap=wire) as stage:
        await stage.press("s")
        await stage.pilot.press("f2")
        await stage.expect("sending the request ...")
        await stage.pilot.press("escape")
        await stage.expect("Clusters", f"Snapshot {NAME} of search-0001: sending the request ...")
        wire.held.gate.set()
        await stage.expect(f"Snapshot {NAME} of search-0001: running")
        stage.clock.advance(60)
        await stage.expect(f"Snapshot {NAME} succeeded", "last good    1 min ago")
        assert (stage.asked(CREATE), len(stage.effects)) == (1, 1)


async def test_the_watch_outlives_every_screen(quick_looks: None) -> None:  # noqa: ARG001
    async with staged((160, 40)) as stage:
        await stage.press("s", "f2", "escape", "p")
        await stage.expect("Profiles", f"Snapshot {NAME} of search-0001: running")
        await stage.press("escape", "h")
        await stage.expect("running, 0 s", NAME, "IN_PROGRESS")
        assert isinstance(stage.app.screen, HistoryScreen)
        stage.clock.advance(60)
        # The history is read again when it ends.
        await stage.until(lambda: any(NAME in line and " succeeded " in line for line in stage.text().splitlines()))
        await stage.press("escape")
        await stage.expect("last good    1 min ago")


async def test_a_second_create_waits_for_the_answer_of_the_first() -> None:
    wire = Wire(Held, {CREATE})
    async with staged(WIDE, wrap=wire) as stage:
        await stage.press("s")
        await stage.pilot.press("f2", "escape", "down", "s")
        await stage.expect("search-0002-20260102-000000")
        await stage.until(lambda: can_create(stage))
        await stage.pilot.press("f2")
        await stage.expect("Another request is in flight. Wait for its answer.")
        wire.held.gate.set()
        await stage.settle()
        await stage.press("tab", "f2")
        assert [effect.cluster for effect in stage.effects] == ["1037001", "1037002"]


async def test_only_the_name_of_the_cluster_confirms() -> None:
    async with staged(WIDE, profile=profile(protected=True)) as stage:
        await stage.press("s", "f2")
        assert stage.shows("Profile prod is protected.", "search-0001")
        for typed in ("", "y", "search-0002", "SEARCH-0001", "search-0001 "):
            await stage.fill("confirm-input", typed)
            await stage.press("tab", "f2")
            assert stage.shows("Name does not match.")
        await stage.press("escape")
        assert can_create(stage)
        assert not stage.asked(CREATE)
        await stage.press("f2")
        await stage.fill("confirm-input", "search-0001")
        await stage.press("enter")
        assert not stage.asked(CREATE)
        await stage.press("tab", "f2")
        assert [effect.name for effect in stage.effects] == [NAME]


async def test_the_button_is_in_sight_whatever_the_window_and_the_number_of_buckets() -> None:
    for size in ((80, 24), (100, 30), (120, 33)):
        async with staged(size) as stage:
            await stage.press("s")
            assert stage.shows("Preflight", "Create snapshot  "), size
            assert (
                stage.app.screen.query_one("#create", Button).region.bottom
                <= stage.app.screen.query_one("#panes").region.y
            ), size
