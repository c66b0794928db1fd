"""`ncp-tui guide`: a list, a page in a pager or in a pipe; and a page of commands that says what help says."""

from __future__ import annotations

import sys
from pathlib import Path

import pexpect
import pytest

from ncp_tui.cli.guide import command, complete_topic
from ncp_tui.guide.pages import TOPICS, read_page
from tests.cli.commands_page import page
from tests.cli.program import Called, Program
from tests.tables import each_row

PAGER = """#!/bin/sh
echo "[paged $(env | grep -c '^NCLOUD_.*KEY')]"
sed 's/^/|/'
"""


def test_the_page_of_commands_is_up_to_date() -> None:
    """`python -m tests.cli.commands_page` writes it anew."""
    assert read_page("commands") == page()


def test_topics_are_listed_with_a_line_each(call_nobody: Called) -> None:
    result = call_nobody("guide")
    assert result.code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(TOPICS)
    assert all(len(line) <= 90 and line.endswith(".") for line in lines)
    assert "guide TOPIC" in result.stderr


@each_row("topic", TOPICS)
def test_a_page_is_plain_text_in_a_pipe(call_nobody: Called, topic: str) -> None:
    result = call_nobody("guide", topic)
    assert result.code == 0
    title = topic.replace("-", " ").capitalize()
    assert result.stdout.startswith(f"{title}\n{'=' * len(title)}\n\n{TOPICS[topic]}\n")
    assert not result.stderr


WRONG = [
    ("troubelshooting", "Did you mean troubleshooting?"),
    ("Keys", "Did you mean keys?"),
    ("zzz", "Topics: install, keys,"),
    ("../keys", "Topics: install, keys,"),
    ("", "Topics: install, keys,"),
    ("keys\x1b[2J", "Topics: install, keys,"),
]


@each_row(("topic", "words"), WRONG)
def test_an_unknown_topic_is_wrong_usage_and_names_what_there_is(call_nobody: Called, topic: str, words: str) -> None:
    result = call_nobody("guide", topic)
    assert (result.code, result.stdout) == (2, "")
    assert words in result.stderr
    assert "\x1b" not in result.stderr


def test_the_manual_is_no_json(call_nobody: Called) -> None:
    result = call_nobody("guide", "keys", "--json")
    assert result.code == 2
    assert result.json()["error"]["kind"] == "usage"


def test_topics_are_completed() -> None:
    context = command.make_context("guide", [])
    assert complete_topic(context, command.params[0], "s") == [
        "storage-key",
        "screens",
        "several",
        "schedule",
        "simulating-failures",
    ]
    assert complete_topic(context, command.params[0], "") == list(TOPICS)


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_a_terminal_gets_a_pager_that_inherits_no_key(nobody: Program, tmp_path: Path, kind: str) -> None:
    """One that can move no cursor gets the text."""
    pager = tmp_path / "pager"
    pager.write_text(PAGER)
    pager.chmod(0o700)
    keys = {"NCLOUD_ACCESS_KEY": "AK", "NCLOUD_SECRET_KEY": "CANARYs3cr3t"}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "ncp_tui", "guide", "terminals"],
        env=nobody.environ | keys | {"TERM": kind, "PAGER": str(pager)},
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 80),
    )
    child.expect(pexpect.EOF)
    child.close()
    shown = child.before
    assert child.exitstatus == 0
    assert "Limited terminals, slow links" in shown
    assert ("[paged 0]" in shown) is (kind == "xterm")
    assert "[paged 0]" in shown or "paged" not in shown
