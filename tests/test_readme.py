"""README and manual can be followed: commands are understood, keys are bound, links lead somewhere."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from textual.binding import Binding

import ncp_tui
from ncp_tui.cli.main import NOUNS, root
from ncp_tui.guide.pages import TOPICS
from tests.cli.command_lines import commands, understood
from tests.tables import each_row

ROOT = Path(ncp_tui.__file__).parent.parent
README = ROOT / "README.md"
GUIDE = sorted((ROOT / "ncp_tui" / "guide").glob("*.md"))
TEXTS = {path.name: path.read_text("utf-8") for path in (README, *GUIDE)}
WRITTEN_BY_HAND = {name: text for name, text in TEXTS.items() if name != "commands.md"}
MARKED = re.compile(r"<!-- command: (\w+) -->\n```sh\n(.+)\n```\n<!-- end -->\n")


def test_both_commands_stand_near_the_top() -> None:
    """`.ci/run` takes the second from here; whoever looks at a repository for a minute tries the first."""
    text = TEXTS["README.md"]
    found = {match[1]: text[: match.end()].count("\n") for match in MARKED.finditer(text)}
    assert list(found) == ["demo", "tests"]
    assert max(found.values()) <= 40


def test_the_readme_is_read_in_one_go() -> None:
    assert 110 <= TEXTS["README.md"].count("\n") <= 130


def lines_of(text: str) -> Iterator[str]:
    """Every command line of the program, in a block or in a sentence; one that only names options is none."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    for line in "\n".join(blocks).splitlines():
        if line.startswith("ncp-tui"):
            yield line.partition("  #")[0]
    for line in re.findall(r"`(ncp-tui(?: [^`]*)?)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if "[" not in line and not line.endswith("--help"):
            yield line


@each_row("name", WRITTEN_BY_HAND)
def test_every_command_line_is_understood(name: str) -> None:
    for line in lines_of(WRITTEN_BY_HAND[name]):
        assert understood(line)[:1] == tuple(word for word in line.split()[1:2] if word in NOUNS), line


@each_row("name", TEXTS)
def test_every_link_leads_somewhere(name: str) -> None:
    folder = ROOT if name == "README.md" else GUIDE[0].parent
    for target in re.findall(r"\]\(([^)]*)\)", TEXTS[name]):
        assert target.startswith("https://") or (folder / target).exists(), target


def test_the_readme_has_every_command_and_every_topic() -> None:
    text = TEXTS["README.md"]
    nouns = dict(re.findall(r"^ncp-tui (\w+) +(.*)$", text, re.MULTILINE))
    assert {noun for noun in NOUNS if noun in nouns} == set(NOUNS)
    verbs: dict[str, list[str]] = {}
    for words in commands(root):
        if len(words) == 2:
            verbs.setdefault(words[0], []).append(words[1])
    blocks = "\n".join(re.findall(r"```text\n(.*?)```", text, re.DOTALL))
    listed = {noun: line.split(" | ") for noun, line in re.findall(r"^ncp-tui (\w+) +(.*)$", blocks, re.MULTILINE)}
    assert {noun: listed[noun] for noun in verbs} == verbs
    assert all(f"ncp_tui/guide/{topic}.md" in text for topic in TOPICS)


NAMES = {"/": "slash", ":": "colon", "?": "question_mark", "esc": "escape"}


def bound_keys() -> set[str]:
    """Every key that a screen, a dialog, a widget or the app binds."""
    found: set[str] = set()
    import ncp_tui.tui as package

    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for thing in vars(importlib.import_module(module.name)).values():
            for binding in vars(thing).get("BINDINGS", ()) if isinstance(thing, type) else ():
                found |= set(binding.key.split(",")) if isinstance(binding, Binding) else set()
    return found


@each_row("name", ["README.md", "keys.md"])
def test_every_key_is_bound(name: str) -> None:
    bound = bound_keys()
    tables = [table for table in TEXTS[name].split("\n\n") if re.match(r"\|\s*key\s", table)]
    rows = [line.split("|") for table in tables for line in table.splitlines()]
    keys = re.findall(r"`(\w+|[/:?])`", " ".join(cell for row in rows for cell in row[1::2]))
    assert len(keys) > 10
    assert not [key for key in keys if NAMES.get(key, key) not in bound]
