"""What the command palette offers: the actions of the screen in front, and the pages of the manual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.markup import escape
from textual.screen import Screen

from ncp_tui.guide.pages import TOPICS, read_page
from ncp_tui.profiles.identity import Identity
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.tui.key_bindings import SEND_ID
from ncp_tui.tui.terminal.notifications import WAYS
from ncp_tui.tui.themes import THEMES

_WIDTH = 66
"""Columns of a paragraph: what the box has at 80 columns."""


def commands_of(screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Every action of `screen`, once, but for those that move and those that send; one that is greyed says why.

    Its words are the label and the tooltip of its key, so that a search finds both.
    """
    why = getattr(screen, "why_unavailable", lambda _: "")
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        unavailable = "" if active.enabled else why(binding.action)
        if not binding.id or binding.action in seen or not (active.enabled or unavailable):
            continue
        group, _, _ = binding.id.partition(".")
        if (group in {"table", "text", "filter"} and not binding.tooltip) or binding.action in {
            "command_palette",
            "leave_now",
        }:
            continue
        if binding.id == SEND_ID:
            continue  # its letters and an enter would send
        seen.add(binding.action)
        words = binding.description
        if binding.tooltip and binding.tooltip != binding.description:
            words = f"{words}: {binding.tooltip}"
        key = f"Key: {screen.app.get_key_display(binding)}"
        if unavailable:
            yield SystemCommand(words, f"Not now: {escape(unavailable)}", partial(_say, screen, unavailable))
        else:
            yield SystemCommand(words, key, _running(active.node, binding.action))


def profiles_of(identities: Iterable[Identity], use: Callable[[str], object]) -> Iterator[SystemCommand]:
    """Every profile, to use from now on."""
    for identity in identities:
        place = f"{identity.profile.site}, {identity.profile.region}; keys from {identity.source}"
        yield SystemCommand(f"Use profile: {identity.name}", place, partial(use, identity.name))


def batches_of(resume: Callable[[], object]) -> SystemCommand:
    """A batch of creates that broke off, to resume."""
    return SystemCommand("Resume a batch", "Review and send what certainly never left", resume)


def themes_of(choose: Callable[[str], object]) -> Iterator[SystemCommand]:
    """Every theme."""
    for theme in THEMES:
        yield SystemCommand(f"Theme: {theme.name}", "Change the colours", partial(choose, theme.name))


def notices_of(choose: Callable[[str], object]) -> Iterator[SystemCommand]:
    """Every way to tell that a snapshot has ended."""
    for way, meaning in WAYS.items():
        yield SystemCommand(f"Notify: {way}", meaning, partial(choose, way))


def topics_of(app: App[Any]) -> Iterator[SystemCommand]:
    """Every topic of the manual, to read in a box over the screen."""
    for topic, sentence in TOPICS.items():
        yield SystemCommand(f"Guide: {topic.replace('-', ' ')}", sentence, partial(_open_topic, app, topic))


def _open_topic(app: App[Any], topic: str) -> None:
    app.run_worker(
        _show_topic(app, topic), group="guide", exclusive=True, exit_on_error=False, description="read the manual"
    )


async def _show_topic(app: App[Any], topic: str) -> None:
    from ncp_tui.guide.markdown import page_lines
    from ncp_tui.tui.dialogs.text import TextDialog
    from ncp_tui.view.text import Tone, line

    source = await run_blocking(partial(read_page, topic), DISK_SECONDS)
    lines = [line(each.text, Tone.STRONG if each.is_strong else Tone.PLAIN) for each in page_lines(source, _WIDTH)]
    await app.push_screen(TextDialog(f"Guide: {topic.replace('-', ' ')}", lines))


def _say(screen: Any, sentence: str) -> None:
    screen.say(sentence, "warning")


def _running(node: Any, action: str) -> Any:
    async def run() -> None:
        await node.run_action(action)

    return run
