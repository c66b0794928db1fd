"""What every screen has: header, its own body, the two panes, a status line, the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from ncp_tui.gateway.exchange import Exchange
from ncp_tui.problem import Problem
from ncp_tui.tui.key_bindings import RUN_LIST, key_of, problem_words
from ncp_tui.tui.messages import ProfilesWanted
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.tui.widgets.bars import HeaderBar, HeaderItem, KeyBar, StatusBar
from ncp_tui.view.progress import final_sentence, tracked_sentence

if TYPE_CHECKING:
    from ncp_tui.search_engine.models import HistoryEntry
    from ncp_tui.snapshots.track import TrackedSnapshot
    from ncp_tui.tui.batch import Batch
    from ncp_tui.tui.change import Change
    from ncp_tui.tui.dialogs.copyable import Copyable
    from ncp_tui.tui.widgets.panes import Panes

NOT_CREATED = "no snapshot is created"
READ_ONLY_PROFILE = "Read-only mode (profile {name}): {what}."
READ_ONLY_RUN = "Read-only mode (set at the start): {what}."
NO_REQUEST = "No request to show yet."
DEMO = "DEMO: a private sandbox"
UNRESOLVED = "{count} UNRESOLVED"
UNRESOLVED_HERE = "{count} UNRESOLVED (u)"
GATEWAY = "CUSTOM GATEWAY {host}"
GATEWAY_SHORT = "CUSTOM GATEWAY"
CLOCK = "CLOCK OFF BY {offset}"
KEY = "key {key} ({source})"
FOLLOWING = "Following {snapshot}."
FOLLOWED = "{snapshot} is already followed; {key} lists it."

_WIDE = 100
_TALL = 30


class BaseScreen(ReportsWorkerErrors, Screen[None]):
    """A screen the user works on. Subclasses give a `path`, a `body`, and `load` what they show."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012 - declared so by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (_TALL, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reload", "Refresh", tooltip="Refresh what this screen shows", id="screen.reload"),
        Binding("v", "next_pane", "Pane", tooltip="Next pane: response or session log", id="screen.pane"),
        Binding(
            "z", "zoom", "Zoom", show=False, tooltip="Full screen for the pane in front, and back", id="screen.zoom"
        ),
        Binding("y", "copy_curl", "Curl", show=False, tooltip="Show the request as a curl command", id="screen.curl"),
        Binding(
            "Y,f8",
            "copy_choice",
            "Copy",
            show=False,
            tooltip="Copy a name, the request ID or the response",
            id="screen.copy",
        ),
        Binding(
            "w,f4",
            "run_list",
            "This run",
            show=False,
            tooltip="Snapshots created or followed in this run, and how far each is",
            id=RUN_LIST[0],
        ),
        Binding("escape", "back", "Back", tooltip="Back", id="screen.back"),
    ]
    first_pane: ClassVar[str] = ""
    """The pane that this screen fills itself, if there is one: details or preview."""
    panes_deferred: ClassVar[bool] = False
    """Whether the panes come after the first frame: for the first screen, which has nothing to show in them yet."""
    opens_requests: ClassVar[bool] = False
    """Whether `u` opens the requests from here."""

    is_form: ClassVar[bool] = False
    """Whether something is typed here, so that no letter leaves it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        yield HeaderBar()
        yield from self.body()
        if not self.panes_deferred:
            yield self._new_panes()
        yield StatusBar()
        yield KeyBar()

    @property
    def path(self) -> tuple[str, ...]:
        """The path to this screen, for the header."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        """The screen's own part."""
        raise NotImplementedError

    def load(self) -> None:
        """Fetch what the screen shows, in a worker that replaces an older one."""

    def on_mount(self) -> None:
        """Paint first; fetch after the first frame is out."""
        self.show_header()
        if not self.panes_deferred:
            self.call_after_refresh(self.load)

    async def mount_panes(self) -> None:
        """Add what the first frame was painted without."""
        await self.mount(self._new_panes(), before="#status")

    def _new_panes(self) -> Panes:
        from ncp_tui.tui.widgets.panes import Panes

        return Panes(self.session.log, self.first_pane)

    @property
    def panes(self) -> Panes | None:
        """The panes; None until they are there."""
        return cast("Panes | None", next(iter(self.query("#panes")), None))

    @property
    def exchange(self) -> Exchange | None:
        """The exchange in the response pane."""
        return self.panes.shown if self.panes is not None else None

    def on_screen_resume(self) -> None:
        """Show what changed while another screen was in front."""
        self.show_header()
        self.show_tracked()

    def show_header(self) -> None:
        """Show path, profile, safety and clock."""
        identity = self.session.identity
        header = self.query_one(HeaderBar)
        accent = identity.profile.accent if identity is not None else None
        header.set_classes(f"accent-{accent}" if accent and accent != "none" else "")
        header.set_class(self.session.workspace.demo, "demo")
        who = (identity.name, identity.profile.region) if identity is not None else ()
        items = header_items(self.session, opens_requests=self.opens_requests)
        if self.marked_words:
            items.insert(0, HeaderItem(self.marked_words, needed=True))
        header.show((*who, *self.path), items)

    @property
    def marked_words(self) -> str:
        """How many rows are marked; empty where none is."""
        return ""

    def say(self, text: str, tone: str = "plain") -> None:
        """Show one sentence on the status line."""
        self.query_one(StatusBar).say(text, tone)

    def say_problem(self, problem: Problem) -> None:
        """Show what happened and what to do next, in one line; the panes have the rest."""
        self.say(problem_words(problem), "bad")

    def show_card(self, problem: Problem, exchange: Exchange | None = None) -> None:
        """Show a card, and in the response pane the response that it is about: its own, or `exchange`."""
        from ncp_tui.tui.widgets.problem_card import ProblemCard

        self.query_one(ProblemCard).show(problem)
        about = exchange or getattr(problem, "exchange", None)
        if self.panes is not None and isinstance(about, Exchange):
            self.panes.show_exchange(about)

    def show_tracked(self) -> None:
        """Show the progress of the snapshots that have not ended."""
        under_way = self.session.open_snapshots
        if under_way:
            now, key = self.session.workspace.monotonic(), key_of(RUN_LIST)
            self.say(tracked_sentence(under_way, now, key), "warning")

    def show_unresolved(self) -> None:
        """Name the unresolved requests, on the screen that opens them; the header has their number everywhere."""

    def on_snapshot_moved(self, tracked: TrackedSnapshot) -> None:
        if tracked.is_open:
            self.show_tracked()
        else:
            self.say(*final_sentence(tracked, problem_words))

    def on_change_moved(self, change: Change) -> None:
        """Say what is known of another request with an effect, once that is all."""
        if change.result is not None:
            self.say(*change.words(change.result))
        elif change.problem is not None:
            self.say_problem(change.problem)

    def on_batch_moved(self, batch: Batch) -> None:
        """Say what became of a batch, once it is over."""
        if batch.problem is not None:
            self.say_problem(batch.problem)
        elif batch.is_over:
            from ncp_tui.view.batch import sending_sentence

            words, tone = sending_sentence(batch.plan.id, batch.rows, batch.stopped, is_over=True)
            self.say(words, tone)

    def stop_reading(self) -> None:
        """Stop what this screen is still reading; a request with an effect is not its own."""
        self.workers.cancel_node(self)

    def open(self, screen: Screen[Any], then: Callable[[Any], None] | None = None) -> None:
        """Go to another screen; what this one is still reading is stopped."""
        self.stop_reading()
        self.app.push_screen(screen, then)

    def action_reload(self) -> None:
        self.load()

    sometimes_unavailable: ClassVar[tuple[str, ...]] = ()
    """The actions of this screen for which `why_unavailable` may have an answer."""

    def why_unavailable(self, action: str) -> str:  # noqa: ARG002 - of a subclass's actions
        """Why an action cannot be taken here and now, in a sentence; empty where it can, or is none of this screen."""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey what cannot be done now; its key says why."""
        return None if self.why_unavailable(action) else super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Say why a key that is known here does nothing now."""
        if not any(map(self.why_unavailable, self.sometimes_unavailable)):
            return  # asking Textual for the bindings of each key that is pressed would take 1 ms
        active = self.active_bindings.get(event.key)
        why = self.why_unavailable(active.binding.action) if active is not None and not active.enabled else ""
        if why:
            event.stop()
            self.say(why, "warning")

    @on(KeyBar.UnavailableClicked)
    def say_why_unavailable(self, event: KeyBar.UnavailableClicked) -> None:
        active = self.active_bindings.get(event.key)
        if active is not None:
            self.say(self.why_unavailable(active.binding.action), "warning")

    @on(HeaderBar.PartClicked)
    async def go_to_part(self, event: HeaderBar.PartClicked) -> None:
        """The profile opens the profiles; every other part before the last is a step back, where there is one."""
        if event.is_profile:
            self.app.post_message(ProfilesWanted())
            return
        actions = {active.binding.action: active for active in self.active_bindings.values() if active.enabled}
        if active := actions.get("back"):
            await self.app.run_action(active.binding.action, active.node)

    def action_next_pane(self) -> None:
        if self.panes is not None:
            self.panes.next_pane()

    def action_zoom(self) -> None:
        """Give the pane that has the keys, or the one in front, the whole screen, or take it back."""
        panes = self.panes
        if panes is None:
            return
        zoomed = not self.has_class("zoomed")
        self.set_class(zoomed, "zoomed")
        for child in self.children:
            child.set_class(zoomed and child.id not in {"header", "panes", "status", "keys"}, "under-zoom")
        panes.zoom(is_zoomed=zoomed)
        if not zoomed and self.AUTO_FOCUS:
            self.query_one(self.AUTO_FOCUS).focus()

    def action_copy_curl(self) -> None:
        from ncp_tui.tui.dialogs.text import curl_dialog

        if self.exchange is None:
            self.say(NO_REQUEST)
            return
        self.app.push_screen(curl_dialog(self.exchange.request))

    def names_to_copy(self) -> list[Copyable]:
        """The names on this screen that can be copied."""
        return []

    def action_copy_choice(self) -> None:
        from ncp_tui.tui.dialogs.copy_picker import CopyPicker

        self.app.push_screen(CopyPicker(self.names_to_copy(), self.exchange))

    def action_run_list(self) -> None:
        """List the snapshots of this run in one place."""
        from ncp_tui.tui.dialogs.run_list import RunListDialog

        self.app.push_screen(RunListDialog(self.session))

    def action_back(self) -> None:
        self.app.pop_screen()


def already_followed(session: Session, cluster_number: str, rows: Sequence[HistoryEntry]) -> str:
    """That each of `rows` is followed already, and where that is seen; empty where one is not."""
    followed = {(each.request.cluster_number, each.request.name) for each in session.open_snapshots}
    if any((cluster_number, row.snapshot) not in followed for row in rows):
        return ""
    return FOLLOWED.format(snapshot=rows[0].snapshot, key=key_of(RUN_LIST))


def read_only_sentence(session: Session, what: str = NOT_CREATED) -> str:
    """What is not done in read-only mode, and what has set it; empty in any other."""
    if not session.read_only:
        return ""
    if session.identity is not None and session.identity.profile.read_only:
        return READ_ONLY_PROFILE.format(name=session.identity.name, what=what)
    return READ_ONLY_RUN.format(what=what)


def header_items(session: Session, *, opens_requests: bool = False) -> list[HeaderItem]:
    """What the header shows besides the path, most important first."""
    items = []
    if session.workspace.demo:
        items.append(HeaderItem(DEMO, "DEMO", needed=True))
    if session.read_only:
        items.append(HeaderItem("READ-ONLY", needed=True))
    if session.unresolved:
        count = len(session.unresolved)
        words = UNRESOLVED_HERE if opens_requests else UNRESOLVED
        items.append(HeaderItem(words.format(count=count), UNRESOLVED.format(count=count), needed=True))
    endpoint = session.identity.profile.endpoint() if session.identity is not None else None
    if endpoint is not None and endpoint.is_foreign:
        items.append(HeaderItem(GATEWAY.format(host=endpoint.hostname), GATEWAY_SHORT, needed=True))
    offset = session.connected.clock_offset if session.connected is not None else None
    if offset is not None and offset.is_worrying:
        items.append(HeaderItem(CLOCK.format(offset=offset), needed=True))
    if session.identity is not None:
        key, source = session.identity.masked_access_key, session.identity.source
        items.append(HeaderItem(KEY.format(key=key, source=source)))
    return items
