"""A text to read, in a box over the screen: details, a cluster, curl, help. Closing it changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster, Dashboard
from ncp_tui.tui.dialogs.copyable import Copyable, CopyableDialog
from ncp_tui.tui.key_bindings import problem_words
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.widgets.inputs import FilterBar
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.clusters import cluster_lines
from ncp_tui.view.exchanges import curl_lines
from ncp_tui.view.text import BLANK, Line, Span, Tone, comparable, line, plain_text, wrapped

_HINT = "esc Close   c Copy   w Save   m Select   arrows Scroll"
_HELP_HINT = "/ Search   esc Close   arrows Scroll"
_CURL_NOTE = "Reads NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY when run; contains no keys."
_LOADING = "Loading ..."


class TextDialog(CopyableDialog):
    """A titled text with a scroll position."""

    CSS_PATH = "text.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close", id="text.close"),
    ]
    AUTO_FOCUS = "TextView"

    def __init__(self, title: str, lines: Sequence[Line], hint: str = _HINT) -> None:
        super().__init__()
        self._title = title
        self._lines = list(lines)
        self._hint = hint

    def compose(self) -> ComposeResult:
        with Vertical(id="text-box") as box:
            box.border_title = Content(escape(self._title))  # a plain str would be read as markup
            yield TextView(self._lines, id="text")
            yield Static(self._hint, markup=False, id="text-hint")

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._lines = list(lines)
        self.query_one(TextView).show(self._lines)

    def to_copy(self) -> Copyable:
        """The whole text."""
        return Copyable(self._title, self.query_one(TextView).text)

    def say(self, text: str) -> None:
        """Show a sentence in the place of the hint."""
        self.query_one("#text-hint", Static).update(escape(text))


def curl_dialog(request: RequestRecord) -> TextDialog:
    """A request as a shell snippet that signs itself."""
    return TextDialog("As curl", [*curl_lines(request), BLANK, line(_CURL_NOTE, Tone.DIM)])


_KEY_WIDTH = 16
_BOX_WIDTH = 66
"""Cells of a row in a window of 80."""
_WORDS_WIDTH = _BOX_WIDTH - _KEY_WIDTH - 2
"""Cells of what a key does, beside it."""
_GROUPS = {
    "table": "Table",
    "text": "Text",
    "filter": "Filter",
    "screen": "All screens",
    "app": "Global",
}


class HelpDialog(TextDialog):
    """The keys of `screen`, and why some are unavailable now; `/` searches them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "dismiss(None)", "Close", id="help.close"),
        Binding(
            "slash",
            "search",
            "Search",
            key_display="/",
            tooltip="Show only the keys whose words match",
            id="help.search",
        ),
    ]

    def __init__(self, screen: Screen[object], problems: Sequence[str] = ()) -> None:
        """`problems` say what of the user's settings and own keys is not in force."""
        told = [[line(text, Tone.WARNING) for text in wrapped(problem, _BOX_WIDTH)] for problem in problems]
        self._all = [*told, *([[BLANK]] if told else ()), *help_entries(screen)]
        super().__init__("Keys", _joined(self._all), _HELP_HINT)

    def action_search(self) -> None:
        """Open a line to type in, above the keys."""
        bar = next(iter(self.query(FilterBar)), None)
        if bar is not None:
            bar.open()
            return
        bar = FilterBar()
        self.query_one("#text-box").mount(bar, before="#text")
        self.call_after_refresh(bar.open)

    @on(FilterBar.Narrowed)
    def show_matches(self, event: FilterBar.Narrowed) -> None:
        event.stop()
        wanted = comparable(event.text)
        self.show(_joined([each for each in self._all if wanted in comparable(_on_one_line(each))]))

    @on(FilterBar.Left)
    def back_to_keys(self, event: FilterBar.Left) -> None:
        event.stop()
        self.query_one(TextView).focus()


def help_entries(screen: Screen[object]) -> list[list[Line]]:
    """An entry for each action: its keys, what it does, and why it cannot be done now. Titles and gaps are entries."""
    actions: dict[str, tuple[str, list[str], str, str]] = {}
    why = getattr(screen, "why_unavailable", lambda _: "")
    for active in screen.active_bindings.values():
        binding = active.binding
        if not binding.id:
            continue  # Textual's own, for its inputs
        group = _GROUPS.get(binding.id.partition(".")[0], "This screen")
        unavailable = "" if active.enabled else why(binding.action) or "unavailable now"
        _, keys, _, _ = actions.setdefault(
            binding.action, (group, [], binding.tooltip or binding.description, unavailable)
        )
        keys.append(screen.app.get_key_display(binding))
    groups = ["This screen", *dict.fromkeys(_GROUPS.values())]
    entries: list[list[Line]] = []
    for group in groups:
        members = [action for action in actions.values() if action[0] == group]
        if not members:
            continue
        entries += [[BLANK]] if entries else []
        entries.append([line(group, Tone.STRONG)])
        entries += [_help_entry(keys, words, unavailable) for _, keys, words, unavailable in members]
    return entries


def _help_entry(keys: list[str], words: str, unavailable: str) -> list[Line]:
    tone = Tone.DIM if unavailable else Tone.PLAIN
    first, *more = wrapped(words, _WORDS_WIDTH)
    if unavailable:
        more += [f"  {text}" for text in wrapped(f"Not now: {unavailable}", _WORDS_WIDTH - 2)]
    margin = " " * (_KEY_WIDTH + 2)
    head = Span(f"  {' '.join(keys):<{_KEY_WIDTH}}", Tone.DIM if unavailable else Tone.GOOD)
    return [(head, Span(first, tone)), *[line(f"{margin}{text}", tone) for text in more]]


def _joined(entries: Iterable[list[Line]]) -> list[Line]:
    return [each for entry in entries for each in entry]


def _on_one_line(entry: list[Line]) -> str:
    return " ".join(plain_text(entry).split())


class ClusterDetailDialog(TextDialog):
    """What the list has, at once; then the detail and the dashboard."""

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(f"Cluster {cluster.name}", [*cluster_lines(cluster), BLANK, line(_LOADING, Tone.DIM)])
        self._session = session
        self._cluster = cluster

    def on_mount(self) -> None:
        self.call_after_refresh(self.load_detail)

    @work(group="detail", exclusive=True, exit_on_error=False, description="load cluster detail")
    async def load_detail(self) -> None:
        """Read detail and dashboard; where that fails, what the list has stays."""
        cluster, problem = self._cluster, ""
        dashboard: Dashboard | None = None
        try:
            with self._session.log.action(f"show {cluster.name}"):
                engine = await self._session.engine()
                detail = await engine.show_cluster(cluster.number, cluster.name)
                cluster = cluster.with_detail(detail) if detail else cluster
                dashboard = await engine.show_dashboard(cluster.number)
                self._session.dashboards[cluster.number] = dashboard
        except Problem as error:
            problem = problem_words(error)
        lines = cluster_lines(cluster, dashboard)
        self.show([*lines, BLANK, line(problem, Tone.BAD)] if problem else lines)
