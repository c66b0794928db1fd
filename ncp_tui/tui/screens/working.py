"""What every working screen has: header, its own body, the two panels, a status line, the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from ncp_tui.gateway import Problem
from ncp_tui.tui.rows import elapsed
from ncp_tui.tui.session import Followed, Session
from ncp_tui.tui.widgets import ExchangePanels, Fact, HeaderLine, KeyLine, StatusLine

if TYPE_CHECKING:
    from ncp_tui.tui.app import NcpApp

_WIDE = 100
_TALL = 30


class WorkingScreen(Screen[None]):
    """A screen the user works on. Subclasses give a `path`, a `body`, and `load` what they show."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012 - declared so by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (_TALL, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reload", "Refresh", tooltip="Load this screen again", id="screen.reload"),
        Binding("v", "next_panel", "Panel", tooltip="Next panel: response or session log", id="screen.panel"),
        Binding("y", "copy_curl", "Curl", show=False, tooltip="The request in the panel as curl", id="screen.curl"),
        Binding("escape", "back", "Back", tooltip="One step back", id="screen.back"),
    ]
    with_preview: ClassVar[bool] = False

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
        yield ExchangePanels(self.session.log, with_preview=self.with_preview)
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
        self.call_after_refresh(self.load)

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
        header.show((*who, *self.path), header_facts(self.session))

    def say(self, text: str, tone: str = "plain") -> None:
        """Put one sentence on the status line."""
        self.query_one(StatusLine).say(text, tone)

    def say_problem(self, problem: Problem) -> None:
        """Say what happened and what to do next, in one line; the panels have the rest."""
        self.say(problem.sentences(), "bad")

    def show_followed(self) -> None:
        """Say how the snapshots under way are doing."""
        under_way = self.session.open_snapshots
        if under_way:
            self.say(following_sentence(under_way, self.session.home.monotonic()), "warning")

    def on_followed_changed(self, followed: Followed) -> None:
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
        self.query_one(ExchangePanels).next_panel()

    def action_copy_curl(self) -> None:
        """Show the request in the response panel as curl."""
        exchange = self.query_one(ExchangePanels).shown
        if exchange is None:
            self.say("There is no request to show as curl yet.")
            return
        self.ncp_app.show_curl(exchange.request)

    def action_back(self) -> None:
        """Go one step back."""
        self.app.pop_screen()


def header_facts(session: Session) -> list[Fact]:
    """What the header says besides the path, most important first."""
    facts = []
    if session.home.demo:
        facts.append(Fact("DEMO: a private sandbox", "DEMO", needed=True))
    if session.read_only:
        facts.append(Fact("READ-ONLY", needed=True))
    offset = session.connected.clock_offset if session.connected is not None else None
    if offset is not None and offset.is_worrying:
        facts.append(Fact(f"CLOCK {offset} OFF", needed=True))
    if session.identity is not None:
        key = session.identity.profile.masked_access_key
        facts.append(Fact(f"{key} from {session.identity.source}"))
    if offset is not None and not offset.is_worrying:
        facts.append(Fact(f"clock {offset}"))
    return facts


def following_sentence(under_way: list[Followed], now: float) -> str:
    """`search-0001-...: running, 12 s`, or a count where there are several."""
    first = under_way[0]
    text = f"Snapshot {first.request.name} of {first.request.cluster_name}: {state_words(first, now)}"
    more = len(under_way) - 1
    return text + (f"  (and {more} more)" if more else "")


def state_words(followed: Followed, now: float) -> str:
    """How far a snapshot is, in words; the seconds count from the request. `now` is monotonic."""
    if followed.taken is None:
        return "asking the service ..."
    progress = followed.progress
    if progress is None:
        return "accepted"
    seen = "accepted, not in the history yet" if progress.entry is None else str(progress.state)
    if progress.problem is not None:
        seen = "looking at it fails" if progress.entry is None else f"last seen {progress.state}"
    return f"{seen}, {elapsed(now - followed.asked_monotonic)}"


def ending(followed: Followed) -> tuple[str, str]:
    """The last sentence about a snapshot, and its tone."""
    name, taken, progress = followed.request.name, followed.taken, followed.progress
    if taken is not None and taken.error is not None:
        return f"{taken.sentence} {taken.error.sentences()}", "warning" if taken.outcome == "unknown" else "bad"
    if followed.problem is not None:
        return f"{name} was accepted, but it is not followed any more: {followed.problem.what}", "warning"
    if progress is not None and progress.entry is not None and progress.is_final:
        message = progress.entry.message
        if progress.state == "success":
            return f"Finished: snapshot {name} exists ({message or 'success'}).", "good"
        return f"FAILED: snapshot {name}: {message or 'the history has an error log'}.", "bad"
    return f"Snapshot {name} is not finished.", "warning"
