"""What every working screen has: header, its own body, the two panels, a status line, the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from ncp_tui import snapshots
from ncp_tui.tui import screens, widgets
from ncp_tui.tui.crash import LoudWorkers
from ncp_tui.tui.next_steps import problem_words
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets import Fact, HeaderLine, KeyLine, StatusLine
from ncp_tui.view.format import elapsed

if TYPE_CHECKING:
    from ncp_tui.gateway import Exchange, Problem
    from ncp_tui.snapshots import JournalEntry, TrackedSnapshot
    from ncp_tui.tui.app import NcpApp
    from ncp_tui.tui.screens.copying import Copyable
    from ncp_tui.tui.widgets import ExchangePanels

_WIDE = 100
_TALL = 30


class WorkingScreen(LoudWorkers, Screen[None]):
    """A screen the user works on. Subclasses give a `path`, a `body`, and `load` what they show."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012 - declared so by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (_TALL, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reload", "Refresh", tooltip="Load this screen again", id="screen.reload"),
        Binding("v", "next_panel", "Panel", tooltip="Next panel: response or session log", id="screen.panel"),
        Binding("y", "copy_curl", "Curl", show=False, tooltip="The request in the panel as curl", id="screen.curl"),
        Binding(
            "Y,f8",
            "copy_choice",
            "Copy",
            show=False,
            tooltip="Copy the request id, the answer, a name: choose what",
            id="screen.copy",
        ),
        Binding("escape", "back", "Back", tooltip="One step back", id="screen.back"),
    ]
    with_preview: ClassVar[bool] = False
    completed_later: ClassVar[bool] = False
    """Whether the panels come after the first frame: for the first screen, which has nothing to show in them yet."""
    leads_to_outcomes: ClassVar[bool] = False
    """Whether `u` opens the outcomes from here."""

    is_form: ClassVar[bool] = False
    """Whether something is typed here, so that no letter leaves it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    @property
    def ncp_app(self) -> NcpApp:
        """The app, by its own type."""
        return cast("NcpApp", self.app)

    def compose(self) -> ComposeResult:
        """Header, body, panels, status, keys: the same places on every screen."""
        yield HeaderLine()
        yield from self.body()
        if not self.completed_later:
            yield self._new_panels()
        yield StatusLine()
        yield KeyLine()

    @property
    def path(self) -> tuple[str, ...]:
        """Where this screen is, for the header."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        """The screen's own part."""
        raise NotImplementedError

    def load(self) -> None:
        """Fetch what the screen shows, in a worker that replaces an older one."""

    def on_mount(self) -> None:
        """Paint first; fetch after the first frame is out."""
        self.show_header()
        if not self.completed_later:
            self.call_after_refresh(self.load)

    async def complete(self) -> None:
        """Add what the first frame was painted without."""
        await self.mount(self._new_panels(), before="#status")

    def _new_panels(self) -> ExchangePanels:
        return widgets.ExchangePanels(self.session.log, with_preview=self.with_preview)

    @property
    def panels(self) -> ExchangePanels | None:
        """The panels; None until they are there."""
        return cast("ExchangePanels | None", next(iter(self.query("#panels")), None))

    @property
    def exchange(self) -> Exchange | None:
        """What the response panel shows."""
        return self.panels.shown if self.panels is not None else None

    def on_screen_resume(self) -> None:
        """Show what changed while another screen was in front."""
        self.show_header()
        self.show_followed()

    def show_header(self) -> None:
        """Say where the user is, as whom, with which safety, on which clock."""
        identity = self.session.identity
        header = self.query_one(HeaderLine)
        accent = identity.profile.accent if identity is not None else None
        header.set_classes(f"accent-{accent}" if accent and accent != "none" else "")
        header.set_class(self.session.home.demo, "demo")
        who = (identity.name, identity.profile.region) if identity is not None else ()
        header.show((*who, *self.path), header_facts(self.session, leads_to_outcomes=self.leads_to_outcomes))

    def say(self, text: str, tone: str = "plain") -> None:
        """Put one sentence on the status line."""
        self.query_one(StatusLine).say(text, tone)

    def say_problem(self, problem: Problem) -> None:
        """Say what happened and what to do next, in one line; the panels have the rest."""
        self.say(problem_words(problem), "bad")

    def show_followed(self) -> None:
        """Say how the snapshots under way are doing."""
        under_way = self.session.open_snapshots
        if under_way:
            self.say(following_sentence(under_way, self.session.home.monotonic()), "warning")

    def show_unsettled(self) -> None:
        """Say which creates are open, on the screen that leads to them; the header has their number everywhere."""

    def on_followed_changed(self, followed: TrackedSnapshot) -> None:
        """React to a snapshot that moved on."""
        if followed.is_open:
            self.show_followed()
        else:
            self.say(*ending(followed))

    def open(self, screen: Screen[Any], then: Callable[[Any], None] | None = None) -> None:
        """Go to another screen. What this one is still reading is stopped; a request with an effect is not ours."""
        self.workers.cancel_node(self)
        self.app.push_screen(screen, then)

    def action_reload(self) -> None:
        """Load again."""
        self.load()

    def action_next_panel(self) -> None:
        """Show the next panel."""
        if self.panels is not None:
            self.panels.next_panel()

    def action_copy_curl(self) -> None:
        """Show the request in the response panel as curl."""
        if self.exchange is None:
            self.say("There is no request to show as curl yet.")
            return
        self.app.push_screen(screens.curl_screen(self.exchange.request))

    def names_to_copy(self) -> list[Copyable]:
        """The names that this screen is about."""
        return []

    def action_copy_choice(self) -> None:
        """Offer what can be copied."""
        self.app.push_screen(screens.CopyScreen(self.names_to_copy(), self.exchange))

    def action_back(self) -> None:
        """Go one step back."""
        self.app.pop_screen()


def header_facts(session: Session, *, leads_to_outcomes: bool = False) -> list[Fact]:
    """What the header says besides the path, most important first."""
    facts = []
    if session.home.demo:
        facts.append(Fact("DEMO: a private sandbox", "DEMO", needed=True))
    if session.read_only:
        facts.append(Fact("READ-ONLY", needed=True))
    if session.unsettled:
        count = f"{len(session.unsettled)} UNSETTLED"
        facts.append(Fact(f"{count}, press u" if leads_to_outcomes else count, count, needed=True))
    endpoint = session.identity.profile.endpoint() if session.identity is not None else None
    if endpoint is not None and endpoint.is_foreign:
        facts.append(Fact(f"GATEWAY {endpoint.hostname}", "OTHER GATEWAY", needed=True))
    offset = session.connected.clock_offset if session.connected is not None else None
    if offset is not None and offset.is_worrying:
        facts.append(Fact(f"CLOCK {offset} OFF", needed=True))
    if session.identity is not None:
        facts.append(Fact(f"{session.identity.masked_access_key} from {session.identity.source}"))
    if offset is not None and not offset.is_worrying:
        facts.append(Fact(f"clock {offset}"))
    return facts


def following_sentence(under_way: list[TrackedSnapshot], now: float) -> str:
    """`search-0001-...: running, 12 s`, or a count where there are several."""
    first = under_way[0]
    text = f"Snapshot {first.request.name} of {first.request.cluster}: {state_words(first, now)}"
    more = len(under_way) - 1
    return text + (f"  (and {more} more)" if more else "")


def state_words(followed: TrackedSnapshot, now: float) -> str:
    """How far a snapshot is, in words; the seconds count from the request. `now` is monotonic."""
    if followed.taken is None and followed.resolving is not None:
        return f"no clear answer; looking in the history, {elapsed(now - followed.asked_monotonic)}"
    if followed.taken is None:
        return "asking the service ..."
    progress = followed.progress
    if progress is None:
        return "accepted"
    seen = "accepted, not in the history yet" if progress.entry is None else str(progress.state)
    if progress.other is not None and progress.other.whose is snapshots.Whose.MAY_BE:
        seen = "accepted, a row of the history may be it"
    if progress.problem is not None:
        seen = "looking at it fails" if progress.entry is None else f"last seen {progress.state}"
    return f"{seen}, {elapsed(now - followed.asked_monotonic)}"


def under_way_word(under_way: Sequence[TrackedSnapshot]) -> str:
    """What is known of a cluster's snapshots that have not ended, in a cell: only what is accepted runs."""
    if any(each.is_resolving for each in under_way):
        return "not known"
    return "asking" if any(each.taken is None for each in under_way) else "running now"


def outcome_word(followed: TrackedSnapshot) -> str:
    """What has become of it, in a word for the window's title."""
    if followed.is_open:
        return "under way"
    taken = followed.taken
    if taken is None or taken.outcome not in {snapshots.Outcome.ACCEPTED, snapshots.Outcome.UNKNOWN}:
        return "not started"
    _, tone = ending(followed)
    return {"good": "finished", "bad": "FAILED"}.get(tone, "not clear")


def unsettled_sentence(entries: Sequence[JournalEntry]) -> str:
    """Which creates are open, and which key leads to them."""
    first = entries[-1].request
    if len(entries) == 1:
        return f"Press u: it is not known whether {first.name} was started."
    return f"Press u: of {len(entries)} creates it is not known whether they were started."


def ending(followed: TrackedSnapshot) -> tuple[str, str]:
    """The last sentence about a snapshot, and its tone. A journal that does not hold it is told of as well."""
    text, tone = _ending(followed)
    taken = followed.taken
    problem = followed.journal_problem or (taken.journal_problem if taken is not None else None)
    return (f"{text} The journal does not hold it: {problem.what}", "warning") if problem is not None else (text, tone)


def _ending(followed: TrackedSnapshot) -> tuple[str, str]:
    name, taken, progress = followed.request.name, followed.taken, followed.progress
    if taken is None and followed.problem is not None:
        return f"Not started: {name}. {problem_words(followed.problem)}", "bad"
    if taken is not None and taken.outcome is snapshots.Outcome.UNKNOWN and taken.settlement is not None:
        return f"{taken.sentence} {taken.settlement.next_step}", "warning"
    if taken is not None and taken.error is not None and taken.outcome is not snapshots.Outcome.ACCEPTED:
        return (
            f"{taken.sentence} {problem_words(taken.error)}",
            "warning" if taken.outcome is snapshots.Outcome.UNKNOWN else "bad",
        )
    if followed.problem is not None:
        return f"Accepted, but no longer followed: {name}. {followed.problem.what}", "warning"
    if progress is not None and progress.entry is not None and progress.is_final:
        message = progress.entry.message
        if progress.state == "success":
            return f"Finished: snapshot {name} exists ({message or 'success'}).", "good"
        return f"FAILED: snapshot {name}: {message or 'the history has an error log'}.", "bad"
    return f"Snapshot {name} is not finished.", "warning"
