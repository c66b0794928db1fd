"""The form for one snapshot: a name checked while typing, a bucket, the exact request, and then its progress."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Bucket, Cluster
from ncp_tui.search_engine.refusals import is_key_missing
from ncp_tui.snapshots.checks import check_bucket
from ncp_tui.snapshots.earlier import SecondRequest
from ncp_tui.snapshots.journal import JournalProblem, on_disk
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.lights import Facts, Preflight, look_further, preflight, read_facts
from ncp_tui.snapshots.names import name_problems, suggest_name
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.templates import DEFAULT_TEMPLATE, render_name, zone_of_template
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.glyphs import shown
from ncp_tui.tui.screens.confirm import SendQuestionScreen, TypeNameScreen
from ncp_tui.tui.screens.copying import Copyable
from ncp_tui.tui.screens.create_sentences import (
    goes_on,
    in_doubt,
    lights_text,
    red_sentences,
    result,
    second_question,
)
from ncp_tui.tui.screens.working import WorkingScreen
from ncp_tui.tui.send_key import SendKey, send_binding, send_key_name
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.exchange_panels import ExchangePanels
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.tui.widgets.send_button import SendButton
from ncp_tui.tui.widgets.text_input import TextInput
from ncp_tui.view.buckets import BUCKETS
from ncp_tui.view.exchanges import request_lines
from ncp_tui.view.preflight import light_lines
from ncp_tui.view.progress import state_text
from ncp_tui.view.text import BLANK, Tone, field, line

_LONGEST = 30

FRESH = timedelta(minutes=2)
"""How old the lights may be when a create is sent; a form left open over lunch shows the cluster of before lunch."""


class CreateSnapshotScreen(WorkingScreen):
    """Nothing is sent before Create; leaving after Create stops nothing."""

    CSS_PATH = "create_snapshot.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        send_binding("create", "Create", "Send the request shown below"),
        Binding("f3", "new_name", "New name", tooltip="A fresh name from the template", id="create.new_name"),
        Binding("enter", "take_bucket", "Take", show=False, tooltip="Use this bucket", id="create.take"),
        Binding(
            "f5", "reload", "Look again", show=False, tooltip="Read cluster, buckets and history", id="create.reload"
        ),
        Binding("f6", "next_panel", "Panel", tooltip="Next panel: request, response, session log", id="create.panel"),
        Binding("escape", "back", "Back", tooltip="Leave; a snapshot under way goes on", id="create.back"),
    ]
    AUTO_FOCUS = "#name"
    with_preview = True
    is_form = True

    @dataclass
    class FactsRead(Message):
        """All that can be seen before a create was read, or why there is no client to read it with."""

        facts: Facts | None
        problem: Problem | None = None

    @dataclass
    class OlderRead(Message):
        """The history was looked at behind its newest page."""

        facts: Facts

    @dataclass
    class DamageAccepted(Message):
        """It is written down that the user has seen the journal's damage, or why it is not."""

        problem: Problem | None = None

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(session)
        self.cluster = cluster
        self._facts: Facts | None = None
        self._is_cut_off = False
        self._is_looking = False
        self._lights = Preflight(())
        self._followed: TrackedSnapshot | None = None
        self._ended_before = ""
        """What became of a request since the lights were read; they were about that one."""
        self.send_key = SendKey(session.home.monotonic, self.set_timer)

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
            yield RecordTable(BUCKETS.on_screen, empty="Reading the buckets ...", id="buckets")
            with Horizontal(classes="field"):
                yield Static("Lights", classes="label", markup=False)
                yield Static("", id="lights", markup=False)
            with Horizontal(id="decision"):
                yield SendButton("Create snapshot", id="create", variant="success", compact=True)
                yield Static("", id="outcome", markup=False)

    def on_mount(self) -> None:
        """Fill the form from profile and template."""
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
        cluster = self._facts.cluster if self._facts is not None else self.cluster
        status = cluster.status or "status unknown"
        if not cluster.is_running:
            status += ", not running: the service may refuse"
        facts = [cluster.name, cluster.number, status, cluster.health, cluster.engine]
        return Text(shown("  ".join(fact for fact in facts if fact)), no_wrap=True, overflow="ellipsis")

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
        """Look again at all that can be seen before a create."""
        self._is_looking = True
        self.read_facts()

    @work(group="facts", exclusive=True, exit_on_error=False, description="look before a create")
    async def read_facts(self) -> None:
        """Read cluster, buckets and history, side by side, and the journal."""
        session = self.session
        try:
            with session.log.action(f"look before a snapshot of {self.cluster.name}"):
                engine = await session.engine()
                facts = await read_facts(engine, self.cluster, session.journal, session.home.now)
                if facts.has_older:  # the form is not kept waiting for a long history
                    self.post_message(self.FactsRead(facts))
                    self.post_message(self.OlderRead(await look_further(engine, facts)))
                    return
        except Problem as problem:
            self.post_message(self.FactsRead(None, problem))
        else:
            self.post_message(self.FactsRead(facts))

    @on(FactsRead)
    def show_facts(self, event: FactsRead) -> None:
        """Show the buckets, or why there are none and that one can be typed, and light the lights."""
        self._facts = facts = event.facts
        self._is_looking, self._ended_before = facts is not None and facts.has_older, ""
        self._is_cut_off = facts is None
        self.show_header()
        read = facts.buckets_read if facts is not None else None
        problem = event.problem or (read.problem if read is not None else None)
        empty = (
            "The service names no bucket. Is the cluster's API key for Object Storage set? One can be typed by hand."
        )
        if problem is not None:
            empty = "The bucket list could not be read. A bucket can be typed by hand."
            if is_key_missing(problem):
                empty = "The cluster has no storage key, so it names no buckets."
            self.say_problem(problem)
        if facts is not None:
            self.query_one("#cluster-facts", Static).update(self._cluster_facts())
        table = self.query_one("#buckets", RecordTable)
        table.show([BUCKETS.row(bucket) for bucket in self._buckets], empty=empty)
        box = self.query_one("#bucket", Input)
        if not box.value:
            box.value = next((bucket.name for bucket in self._buckets if bucket.usable), "")
        table.move_to(box.value)
        self._judge()

    @on(OlderRead)
    def show_older(self, event: OlderRead) -> None:
        """Judge the form by the whole history. Nothing else on it has changed, and nothing of it moves."""
        self._facts, self._is_looking = event.facts, False
        self._judge()

    @property
    def _buckets(self) -> Sequence[Bucket]:
        return self._facts.buckets if self._facts is not None else ()

    @on(Input.Changed)
    def judge_input(self, event: Input.Changed) -> None:
        """Check while typing. What is edited is another decision."""
        event.stop()
        self.send_key.let_go()
        self._ended_before = ""
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
        right = self._light_up(name, bucket) and not wrong and not bucket_problem
        if not wrong and self._lights.damage is not None:
            self._verdict("name", f"{len(name)}/{_LONGEST}  the journal is damaged", good=False)
        elif not wrong and self._lights.earlier is not None:
            self._verdict("name", f"{len(name)}/{_LONGEST}  asked for before", good=False)
        self.query_one("#create", Button).disabled = not right or self._followed is not None
        self._show_preview(name, bucket, right=right)
        self.refresh_bindings()
        return right

    def _light_up(self, name: str, bucket: str) -> bool:
        """Show the lights for what is in the form; False where one of them forbids it."""
        identity, facts = self.session.identity, self._facts
        if identity is None or facts is None:
            self._lights = Preflight(())
            words = "not known: nothing could be read" if self._is_cut_off else "looking at the cluster ..."
            self.query_one("#lights", Static).update(Text(words, no_wrap=True))
            return True
        self._lights = preflight(self._request(name, bucket), facts, Caller.of(identity).gateway)
        self.query_one("#lights", Static).update(lights_text(self._lights, self._ended_before))
        return self._lights.blocked is None

    def _request(self, name: str, bucket: str) -> SnapshotRequest:
        return SnapshotRequest(self.cluster.number, self.cluster.name, name, bucket)

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
        verdict.update(Text(shown(text), no_wrap=True, overflow="ellipsis"))
        verdict.set_class(good, "good")
        verdict.set_class(not good, "bad")

    def _show_preview(self, name: str, bucket: str, *, right: bool) -> None:
        panels, engine = self.query_one(ExchangePanels), self.session.connected
        lights = [*light_lines(self._lights, self.session.home.now()), BLANK] if self._lights.checks else []
        if not right:
            # Beside its input a reason has 12 cells in a window of 60, and only the first one is there.
            wrong = [field("name", reason, Tone.BAD) for reason in name_problems(name)]
            if self._bucket_problem(bucket):
                wrong.append(field("bucket", self._bucket_problem(bucket), Tone.BAD))
            told = line("Nothing can be sent yet: see the marks above.", Tone.DIM)
            panels.show_preview([told, *wrong, BLANK, *lights])
        elif engine is None:
            panels.show_preview([line("The keys are not loaded yet.", Tone.DIM)])
        else:
            request = engine.preview_create_snapshot(self.cluster.number, name, bucket)
            panels.show_preview([*lights, *request_lines(request)])

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value.strip()

    @on(Button.Pressed, "#create")
    def click_create(self) -> None:
        """A click on the button; its question wants another one."""
        self._create(clicked=True)

    @on(SendButton.Entered)
    def refuse_enter(self) -> None:
        """Enter on the button: text that arrives as keys must not send."""
        self.say(f"{send_key_name(self)} creates. enter sends nothing.", "warning")

    def names_to_copy(self) -> list[Copyable]:
        """The name in the form."""
        return [Copyable("snapshot name", self._value("name"))]

    def action_create(self) -> None:
        """The key that sends; held, it decides nothing."""
        if not self.send_key.press(self._create) and self._followed is None:
            name = send_key_name(self)
            self.say(f"Nothing more is sent by {name} alone: press another key first, then {name}.", "warning")

    def _create(self, *, clicked: bool = False) -> None:
        """Send the request, once; what is doubtful, protected or clicked is asked about first."""
        if not self._can_send():
            return
        request = self._request(self._value("name"), self._value("bucket"))
        if self._lights.damage is not None:
            self._ask_to_accept(DamagedJournal(self._lights.damage, request))
            return
        earlier = self._lights.earlier
        again = earlier.id if earlier is not None else None
        profile, doubts = self._profile, self._doubts()
        if profile is not None and profile.protected:
            second = f"{second_question(earlier, request)}\n" if earlier is not None else ""
            typed = f"Profile {profile.name} is protected. Type the cluster's name to create {request.name}:"
            question = f"{doubts}{second}{typed}"
            screen = TypeNameScreen(question, "Create", self.cluster.name, self.session.home.monotonic)
            self._push(screen, request, again=again)
        elif earlier is not None:
            self._ask(f"{doubts}{second_question(earlier, request)}", request, again=again)
        elif doubts:
            self._ask(f"{doubts}Create {request.name} all the same?", request)
        elif clicked:
            self._ask(f"Create {request.name} of {request.cluster_name} in {request.bucket}?", request)
        else:
            self._send(request)

    def _can_send(self) -> bool:
        """Whether nothing stands in the way of a create; what does is said."""
        if self._followed is not None or not self._judge():
            return False
        if self.session.connected is None:
            self.say("The keys are not loaded, so nothing can be sent. f5 tries again.", "bad")
            return False
        if self.session.creating:
            self.say("Another create is on its way; wait for its answer first.", "warning")
            return False
        if self._is_stale and not self._is_looking:
            self.load()
            self.say("Nothing is sent yet: the lights were old and are read again. Then press it once more.", "warning")
            return False  # and never by itself when they come: who knows where the user is by then
        return True

    def _doubts(self) -> str:
        """What the user should have read before saying yes."""
        doubts = red_sentences(self._lights)
        if not self._lights.checks:
            return "The cluster is still being looked at: the lights are not known yet.\n"
        if self._is_stale:
            return f"The cluster is still being looked at: the lights are old.\n{doubts}"
        if self._facts is not None and self._facts.has_older:
            return f"Older rows of the history are still being looked at.\n{doubts}"
        return doubts

    @property
    def _is_stale(self) -> bool:
        return self._facts is not None and self.session.home.now() - self._facts.cluster_read.at > FRESH

    def _ask(
        self, question: str, request: SnapshotRequest, *, with_journal: bool = True, again: str | None = None
    ) -> None:
        screen = SendQuestionScreen(question, "Create", self.session.home.monotonic)
        self._push(screen, request, with_journal=with_journal, again=again)

    def _push(
        self,
        screen: SendQuestionScreen,
        request: SnapshotRequest,
        *,
        with_journal: bool = True,
        again: str | None = None,
    ) -> None:
        """Ask, and send on a yes; a no was another key or a click. The yes covers the earlier request `again`."""

        def decide(sure: bool | None) -> None:
            if sure:
                self._send(request, with_journal=with_journal, again=again)
            else:
                self.send_key.let_go()

        self.app.push_screen(screen, decide)

    def _ask_to_accept(self, problem: DamagedJournal) -> None:
        """Ask whether the user has seen the damage; a yes sends nothing yet."""
        question = (
            f"{problem.what} {problem.meaning}\nLook at the history first. Accept the damage {problem.report.id}? "
            "What it touches stays unknown; creates may be sent again."
        )

        def decide(sure: bool | None) -> None:
            self.send_key.let_go()
            if sure:
                self.accept_damage(problem.report.id)

        self.app.push_screen(SendQuestionScreen(question, "Accept", self.session.home.monotonic), decide)

    @work(group="damage", exit_on_error=False, description="accept the damage of the journal")
    async def accept_damage(self, wanted: str) -> None:
        """Write down that the user has seen it, and look again."""
        journal = self.session.journal
        try:
            await on_disk(lambda: journal.accept_damage(wanted))
        except Problem as problem:
            self.post_message(self.DamageAccepted(problem))
        else:
            self.post_message(self.DamageAccepted())

    @on(DamageAccepted)
    def show_accepted(self, event: DamageAccepted) -> None:
        """Say so, and read the journal anew: what is in it now decides about the next create."""
        self.query_one(ProblemCard).clear()
        if event.problem is not None:
            self.query_one(ProblemCard).show(event.problem)
        else:
            self.say(f"Accepted. Nothing was sent: {send_key_name(self)} creates.", "warning")
        self.load()

    def _send(self, request: SnapshotRequest, *, with_journal: bool = True, again: str | None = None) -> None:
        session, facts = self.session, self._facts
        engine, identity = session.connected, session.identity
        # A hurried second click had the question asked twice; and without a client there is nobody to send as.
        if self._followed is not None or engine is None or identity is None:
            return
        self.send_key.spend()
        self.query_one(ProblemCard).clear()
        history = facts.rows_for(request.name) if facts is not None else None
        self._followed = session.tracker.start(
            request, identity, engine, history=history, with_journal=with_journal, again=again
        )
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
        text, tone = (state_text(followed, now), "warning") if followed.is_open else result(followed)
        outcome = self.query_one("#outcome", Static)
        for name in ("good", "bad", "warning"):
            outcome.set_class(name == tone, name)
        outcome.update(Text(shown(f"{followed.request.name}: {text}" if followed.is_open else text)))
        if followed.is_open:
            self.say(*goes_on(followed))

    def on_followed_changed(self, followed: TrackedSnapshot) -> None:
        """Follow this form's snapshot; after a certain refusal, let the user correct the form."""
        if followed is not self._followed:
            super().on_followed_changed(followed)
            return
        self.show_followed()
        if followed.is_open:
            return
        taken = followed.taken
        if taken is None and followed.problem is not None:
            self._was_not_sent(followed, followed.problem)
        elif taken is not None and taken.error is not None and taken.outcome is not Outcome.ACCEPTED:
            found = taken.settlement
            self.query_one(ProblemCard).show(taken.error if found is None else in_doubt(taken, found))
            self.say(*result(followed))
            self.set_class(taken.outcome is Outcome.UNKNOWN, "in-doubt")
            if taken.outcome is not Outcome.UNKNOWN:
                self._let_correct("refused" if taken.outcome is Outcome.REFUSED else "not sent")
        else:
            self.say("esc goes back to the clusters.")

    def _was_not_sent(self, followed: TrackedSnapshot, problem: Problem) -> None:
        """Nothing left: the form is the user's again, and a journal that cannot be written is asked about."""
        self.query_one(ProblemCard).show(problem)
        self.say(f"Not started: {followed.request.name}.", "bad")
        self._let_correct("not sent")
        # There is no answer to it: the response panel has that of another request.
        self.query_one(ExchangePanels).bring_forward("preview")
        if isinstance(problem, JournalProblem):
            question = f"{problem.sentences()} Create {followed.request.name} without writing it down?"
            self._ask(question, followed.request, with_journal=False, again=followed.again)
        elif isinstance(problem, SecondRequest):
            question = f"{problem.what}\n{second_question(problem.earlier, followed.request)}"
            again = problem.earlier.id
            self._ask(question, followed.request, with_journal=followed.with_journal, again=again)
        elif isinstance(problem, DamagedJournal):
            self._ask_to_accept(problem)

    def _let_correct(self, became: str) -> None:
        self._followed, self._ended_before = None, became
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
