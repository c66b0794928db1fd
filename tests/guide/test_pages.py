"""The manual's pages: there, readable everywhere, and true where that can be checked."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import ncp_tui
from ncp_tui.guide.markdown import WIDTH, page_lines
from ncp_tui.guide.pages import TOPICS, read_page
from tests.tables import each_row

FOLDER = Path(ncp_tui.__file__).parent / "guide"
ROOT = FOLDER.parent.parent


def test_every_page_has_a_topic_and_every_topic_a_page() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == sorted(TOPICS)


@each_row("topic", TOPICS)
def test_a_page_begins_with_its_title_and_the_sentence_of_the_list(topic: str) -> None:
    title, blank, sentence, after = read_page(topic).splitlines()[:4]
    assert title == f"# {topic.replace('-', ' ').capitalize()}"
    assert sentence == TOPICS[topic]
    assert (blank, after) == ("", "")


@each_row("topic", TOPICS)
def test_a_page_is_readable_on_any_terminal(topic: str) -> None:
    """A C locale shows escapes for whatever is not ASCII; a broken line of a paragraph reads as two sentences."""
    source = read_page(topic)
    assert source.isascii()
    assert source.endswith("\n")
    for line in page_lines(source):
        assert len(line.text) <= WIDTH or line.text.startswith(("|", "    ")), line.text
        assert "](" not in line.text
        assert "**" not in line.text


def test_an_unknown_topic_names_no_file() -> None:
    for topic in ("nothing", "../view/text", "/etc/passwd", ""):
        with pytest.raises(KeyError):
            read_page(topic)


@pytest.mark.slow
def test_the_wheel_has_the_manual(tmp_path: Path) -> None:
    """A bastion host has the wheel and no browser."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(command, env=os.environ | {"HOME": str(tmp_path)}, check=True, timeout=300)  # pip asks for a rustc
    (wheel,) = tmp_path.glob("*.whl")
    packaged = set(zipfile.ZipFile(wheel).namelist())
    assert {f"ncp_tui/guide/{topic}.md" for topic in TOPICS} <= packaged
