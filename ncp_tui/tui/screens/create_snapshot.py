"""The form for one snapshot: a name checked while typing, a bucket, the exact request, and then its progress."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from ncp_tui.gateway import Problem
from ncp_tui.profiles import Profile
from ncp_tui.search_engine import Bucket, Cluster
from ncp_tui.snapshots import (
    DEFAULT_TEMPLATE,
    SnapshotRequest,
    check_bucket,
    name_problems,
    render_name,
    suggest_name,
    zone_of_template,
)
from ncp_tui.tui.documents import line, request_lines
from ncp_tui.tui.rows import Tone, bucket_row
from ncp_tui.tui.screens.confirm import TypeNameScreen
from ncp_tui.tui.screens.working import WorkingScreen, ending, state_words
from ncp_tui.tui.session import Followed, Session
from ncp_tui.tui.widgets import Column, ExchangePanels, ProblemCard, RecordTable, TextInput

_LONGEST = 30


class CreateSnapshotScreen(WorkingScreen):
    """Nothing is sent before Create; leaving after Create stops nothing."""

    CSS_PATH = "create_snapshot.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "create", "Create", tooltip="Send the request shown below", id="create.create"),
        Binding("f3", "new_name", "New name", tooltip="A fresh name from the template", id="create.new_name"),
        Binding("enter", "take_bucket", "Take", show=False, tooltip="Use this bucket", id="create.take"),
        Binding("f5", "reload", "Reload buckets", show=False, tooltip="Read the bucket list again", id="create.reload"),
        Binding("f6", "next_panel", "Panel", tooltip="Next panel: request, response, session log", id="create.panel"),
        Binding("escape", "back", "Back", tooltip="Leave; a snapshot under way goes on", id="create.back"),
    ]
    AUTO_FOCUS = "#name"
    with_preview = True

    @dataclass
    class BucketsLoaded(Message):
        """The buckets are known, or why they are not."""

        buckets: list[Bucket]
        problem: Problem | None = None

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(session)
        self.cluster = cluster
        self._buckets: list[Bucket] = []
        self._followed: Followed | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """Where this screen is."""
        return (self.cluster.name, "Create snapshot")

    def body(self) -> Iterable[Widget]:
        """The form: cluster, name, bucket, the list of buckets, Create, and what came of it."""
        with Vertical(id="form"):
            yield ProblemCard()
            with Horizontal(classes="field"):
                yield Static("Cluster", classes="label", markup=False)
                yield Static("", id="cluster-facts", markup=False)
            with Horizontal(classes="field"):
                yield Static("Name", classes="label", markup=False)
                yield TextInput(id="name")
                yield Static("", id="name-verdict", classes="verdict", markup=False)
            with Horizontal(classes="field"):
                yield Static("Bucket", classes="label", markup=False)
                yield TextInput(id="bucket")
                yield Static("", id="bucket-verdict", classes="verdict", markup=False)
            yield RecordTable(
                (
                    Column("BUCKET", 40, least=17),
                    Column("SIZE", 10),
                    Column("OBJECTS", 9),
                    Column("USE", flex=1, least=8),
                ),
                empty="Reading the buckets ...",
                id="buckets",
            )
            with Horizontal(id="decision"):
                yield Button("Create snapshot", id="create", variant="success", compact=True)
                yield Static("", id="outcome", markup=False)

    def on_mount(self) -> None:
        """Fill the form from profile and template."""
        super().on_mount()
        self.query_one("#cluster-facts", Static).update(self._cluster_facts())
        profile = self._profile
        self.query_one("#bucket", Input).value = (profile.default_bucket or "") if profile else ""
        self.action_new_name()
        self.say("enter goes on to the next field, f2 creates. Nothing is sent before that.")

    @property
    def _profile(self) -> Profile | None:
        return self.session.identity.profile if self.session.identity else None

    @property
    def _template(self) -> str:
        return (self._profile.name_template if self._profile else None) or DEFAULT_TEMPLATE

    def _cluster_facts(self) -> Text:
        cluster = self.cluster
        facts = [cluster.name, cluster.number, cluster.status or "status unknown", cluster.health, cluster.engine]
        text = Text("  ".join(fact for fact in facts if fact), no_wrap=True, overflow="ellipsis")
        if not cluster.is_running:
            text.append("   not running: the service may refuse")
        return text

    def action_new_name(self) -> None:
        """Render the template anew, with the time of now."""
        profile, box = self._profile, self.query_one("#name", Input)
        try:
            box.value = render_name(
                self._template,
                cluster=self.cluster.name,
                profile=profile.name if profile else "",
                region=profile.region if profile else "",
                now=self.session.home.now(),
            )
        except Problem as problem:
            box.value = suggest_name(self.cluster.name)
            self.say_problem(problem)
        box.cursor_position = len(box.value)

    def load(self) -> None:
        """Read the bucket list again."""
        self.load_buckets()

    @work(group="buckets", exclusive=True, exit_on_error=False, description="load buckets")
    async def load_buckets(self) -> None:
        """Ask the service which buckets the cluster can use."""
        try:
            with self.session.log.action(f"buckets of {self.cluster.name}"):
                engine = await self.session.engine()
                buckets = await engine.list_buckets(self.cluster.number)
        except Problem as problem:
            self.post_message(self.BucketsLoaded([], problem))
        else:
            self.post_message(self.BucketsLoaded(buckets))

    @on(BucketsLoaded)
    def show_buckets(self, event: BucketsLoaded) -> None:
        """Show the buckets, or why there are none and that one can be typed."""
        self._buckets = event.buckets
        self.show_header()
        empty = (
            "The service names no bucket. Is the cluster's API key for Object Storage set? One can be typed by hand."
        )
        if event.problem is not None:
            empty = "The bucket list could not be read. A bucket can be typed by hand."
            self.say_problem(event.problem)
        table = self.query_one("#buckets", RecordTable)
        table.show([bucket_row(bucket) for bucket in self._buckets], empty=empty)
        box = self.query_one("#bucket", Input)
        if not box.value:
            box.value = next((bucket.name for bucket in self._buckets if bucket.usable), "")
        table.move_to(box.value)
        self._judge()

    @on(Input.Changed)
    def judge_input(self, event: Input.Changed) -> None:
        """Check while typing."""
        event.stop()
        self._judge()

    @on(Input.Submitted, "#name")
    def to_bucket(self) -> None:
        """Enter goes on to the bucket."""
        self.query_one("#bucket").focus()

    @on(Input.Submitted, "#bucket")
    def to_create(self) -> None:
        """Enter goes on to the button."""
        self.query_one("#create").focus()

    @on(RecordTable.Chosen, "#buckets")
    def choose_bucket(self) -> None:
        """Do with the mouse what enter does."""
        self.action_take_bucket()

    def action_take_bucket(self) -> None:
        """Put the bucket under the cursor into the form."""
        key = self.query_one("#buckets", RecordTable).cursor_key
        bucket = next((each for each in self._buckets if each.name == key), None)
        if bucket is not None and bucket.usable:
            self.query_one("#bucket", Input).value = bucket.name
            self.query_one("#create").focus()
        elif bucket is not None:
            self.say(f"{bucket.name} cannot take a snapshot: {bucket.reason}.", "bad")

    def _judge(self) -> bool:
        """Say what is wrong with name and bucket, show the request, and open Create only when all is right."""
        name, bucket = self._value("name"), self._value("bucket")
        wrong = name_problems(name)
        if wrong:
            self._verdict("name", f"{len(name)}/{_LONGEST}  {wrong[0]}", good=False)
        else:
            self._verdict("name", f"{len(name)}/{_LONGEST}  {self._legal_words()}", good=True)
        bucket_problem = self._bucket_problem(bucket)
        known = any(each.name == bucket for each in self._buckets)
        self._verdict("bucket", bucket_problem or ("usable" if known else "not checked"), good=not bucket_problem)
        right = not wrong and not bucket_problem
        self.query_one("#create", Button).disabled = not right or self._followed is not None
        self._show_preview(name, bucket, right=right)
        self.refresh_bindings()
        return right

    def _legal_words(self) -> str:
        try:
            return f"legal; time is {zone_of_template(self._template)}"
        except Problem:
            return "legal"  # the template cannot be used; that was said when the name was proposed

    def _bucket_problem(self, bucket: str) -> str:
        if not bucket:
            return "choose a bucket"
        try:
            check_bucket(bucket, self._buckets)
        except Problem as problem:
            return problem.what
        return ""

    def _verdict(self, field: str, text: str, *, good: bool) -> None:
        verdict = self.query_one(f"#{field}-verdict", Static)
        verdict.update(Text(text, no_wrap=True, overflow="ellipsis"))
        verdict.set_class(good, "good")
        verdict.set_class(not good, "bad")

    def _show_preview(self, name: str, bucket: str, *, right: bool) -> None:
        panels, engine = self.query_one(ExchangePanels), self.session.connected
        if not right:
            panels.show_preview([line("Nothing can be sent yet: see the marks above.", Tone.DIM)])
        elif engine is None:
            panels.show_preview([line("The keys are not loaded yet.", Tone.DIM)])
        else:
            panels.show_preview(request_lines(engine.preview_create_snapshot(self.cluster.number, name, bucket)))

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value.strip()

    @on(Button.Pressed, "#create")
    def press_create(self) -> None:
        """The button."""
        self.action_create()

    def action_create(self) -> None:
        """Send the request, once; a protected profile asks for the cluster's name first."""
        if self._followed is not None or not self._judge():
            return
        if self.session.creating:
            self.say("Another create is on its way; wait for its answer first.", "warning")
            return
        name, bucket = self._value("name"), self._value("bucket")
        request = SnapshotRequest(self.cluster.number, self.cluster.name, name, bucket)
        profile = self._profile
        if profile is not None and profile.protected:
            question = f"Profile {profile.name} is protected. Type the cluster's name to create {name}:"
            self.app.push_screen(
                TypeNameScreen(question, self.cluster.name), lambda sure: self._send(request) if sure else None
            )
            return
        self._send(request)

    def _send(self, request: SnapshotRequest) -> None:
        if self._followed is not None:  # a hurried second click had the question asked twice
            return
        self.query_one(ProblemCard).clear()
        self._followed = self.ncp_app.create_snapshot(request)
        if self._followed is None:
            return
        for selector in ("#name", "#bucket", "#create", "#buckets"):
            self.query_one(selector).disabled = True
        self.query_one(ExchangePanels).bring_forward("response")
        self.set_focus(self.query_one("#response"))
        self.show_followed()

    def show_followed(self) -> None:
        """Show this form's own snapshot beside the button."""
        followed = self._followed
        if followed is None:
            super().show_followed()
            return
        now = self.session.home.monotonic()
        text, tone = (state_words(followed, now), "warning") if followed.is_open else ending(followed)
        outcome = self.query_one("#outcome", Static)
        for name in ("good", "bad", "warning"):
            outcome.set_class(name == tone, name)
        outcome.update(Text(f"{followed.request.name}: {text}" if followed.is_open else text))
        if followed.is_open and followed.progress is not None and followed.progress.problem is not None:
            self.say(f"Accepted, but the history cannot be read now: {followed.progress.problem.what}", "warning")
        elif followed.is_open:
            self.say(
                "Accepted: it goes on without you. esc leaves; every screen shows how it does."
                if followed.taken
                else ""
            )

    def on_followed_changed(self, followed: Followed) -> None:
        """Follow this form's snapshot; after a certain refusal, let the user correct the form."""
        if followed is not self._followed:
            super().on_followed_changed(followed)
            return
        self.show_followed()
        if followed.is_open:
            return
        taken = followed.taken
        if taken is not None and taken.error is not None:
            self.query_one(ProblemCard).show(taken.error)
            self.say(taken.sentence, "warning" if taken.outcome == "unknown" else "bad")
            if taken.outcome != "unknown":
                self._let_correct()
        else:
            self.say("esc goes back to the clusters.")

    def _let_correct(self) -> None:
        self._followed = None
        for selector in ("#name", "#bucket", "#buckets"):
            self.query_one(selector).disabled = False
        self.query_one("#name").focus()
        self._judge()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters belong to the inputs here; Create is greyed until the form is right."""
        if action == "take_bucket":
            return bool(self.query("#buckets")) and self.query_one("#buckets").has_focus
        if action == "new_name":
            return True if self._followed is None else None
        if action == "create":
            return None if self.query("#create") and self.query_one("#create", Button).disabled else True
        return super().check_action(action, parameters)
