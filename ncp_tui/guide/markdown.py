"""A page as lines of a terminal: the few forms of Markdown that the manual uses, readable without colours."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

WIDTH = 76
"""Columns that a paragraph takes; a terminal of 80 has room for a margin."""

_HEADING = re.compile(r"(#{1,3}) (.*)")
_ITEM = re.compile(r"(?:- |\d+\. )")
_PICTURE = re.compile(r"!\[[^\]]*\]\((?:\.\./)*([^)]*)\)")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_UNDERLINES = {1: "=", 2: "-"}


@dataclass(frozen=True)
class PageLine:
    """One line of a page; `is_strong` where a heading stands."""

    text: str
    is_strong: bool = False


def page_lines(source: str, width: int = WIDTH) -> Iterator[PageLine]:
    """The lines of a page: headings underlined, paragraphs and lists filled, tables and code as they are."""
    block: list[str] = []
    is_code = False
    for line in [*source.splitlines(), ""]:
        if line.startswith("```"):
            yield from _filled(block, width)
            is_code = not is_code
        elif is_code:
            yield PageLine(f"    {line}".rstrip())
        elif line.startswith("<!--"):
            continue
        elif stands_alone := tuple(_alone(line)):
            yield from _filled(block, width)
            yield from stands_alone
        else:
            if _ITEM.match(line):
                yield from _filled(block, width)
            block.append(line.strip())


def page_text(source: str, width: int = WIDTH) -> str:
    """A page as plain text."""
    return "\n".join(line.text for line in page_lines(source, width)).strip("\n")


def _alone(line: str) -> Iterator[PageLine]:
    """What a line that belongs to no paragraph becomes; nothing where it belongs to one."""
    if heading := _HEADING.fullmatch(line):
        level, text = len(heading[1]), _inline(heading[2])
        yield PageLine(text, is_strong=True)
        if level in _UNDERLINES:
            yield PageLine(_UNDERLINES[level] * len(text), is_strong=True)
    elif picture := _PICTURE.fullmatch(line):
        yield PageLine(f"Picture: {picture[1]}")
    elif line.startswith("|") or not line.strip():
        yield PageLine(line)


def _filled(block: list[str], width: int) -> Iterator[PageLine]:
    """A paragraph or an item of a list, broken at `width`; `block` is empty afterwards."""
    text = _inline(" ".join(block))
    block.clear()
    marker = _ITEM.match(text)
    hang = " " * len(marker[0]) if marker else ""
    for line in textwrap.wrap(text, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False):
        yield PageLine(line)


def _inline(text: str) -> str:
    """Without marks of emphasis and with each link's target in words; what stands between backticks is left alone."""
    parts = text.split("`")
    parts[::2] = [_LINK.sub(_target, part).replace("**", "") for part in parts[::2]]
    return "`".join(parts)


def _target(link: re.Match[str]) -> str:
    words, target = link[1], link[2].removeprefix("../").removeprefix("../")
    if target.startswith("#"):
        return words
    if "/" not in target and target.endswith(".md"):
        topic = target.removesuffix(".md")
        return words if topic == words.lower() else f"{words} (topic {topic})"
    return f"{words} ({target})"
