"""Help that can be trusted: every example is a command line that is understood, every variable is one we listen to."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import ncp_tui
from ncp_tui.cli.errors import MEANINGS, ExitCode
from ncp_tui.cli.help import ENVIRONMENT, examples_of
from ncp_tui.cli.main import root
from tests.cli.command_lines import commands, understood
from tests.cli.program import Called
from tests.tables import each_row

NOT_FOR_USERS = {"NCP_TUI_DEV", "NCP_TUI_BODY"}


ALL = [(), *commands(root)]
LEAVES = [words for words in ALL if words and not any(other[: len(words)] == words and other != words for other in ALL)]


@each_row("words", LEAVES, ids=" ".join)
def test_each_command_has_examples_of_itself_that_are_understood(words: tuple[str, ...]) -> None:
    examples = list(examples_of(" ".join(words)))
    assert examples
    for line, what in examples:
        assert understood(line) == words
        assert what.endswith(".")


def test_the_program_as_a_whole_has_examples_that_are_understood() -> None:
    assert [understood(line) for line, _ in examples_of("")] == [(), (), ("snapshot", "create")]


def test_a_wrong_example_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        understood("ncp-tui snapshot create search-0001 --backet b")


@pytest.mark.parametrize("words", ALL, ids=lambda words: " ".join(words) or "ncp-tui")
def test_help_fits_and_ends_no_sentence_early(call_nobody: Called, words: tuple[str, ...]) -> None:
    result = call_nobody(*words, "--help")
    assert result.code == 0
    assert "..." not in re.sub(r"\[[A-Z]+\]\.\.\.", "", result.stdout)
    lines = result.stdout.splitlines()
    examples = {f"  {line}" for line, _ in examples_of(" ".join(words))}
    assert examples <= set(lines), "an example can be copied as it is"
    assert all(len(line) <= 80 for line in lines if line not in examples)


def test_help_names_every_variable_that_is_listened_to(call_nobody: Called) -> None:
    source = "".join(path.read_text() for path in Path(ncp_tui.__file__).parent.rglob("*.py"))
    listened = set(re.findall(r"(?<!_)\bNCP_TUI_[A-Z_]+[A-Z]\b", source)) - NOT_FOR_USERS
    told = {name for names in ENVIRONMENT for name in names.split(", ")}
    assert {name for name in told if name.startswith("NCP_TUI_")} == listened
    help_text = call_nobody("--help").stdout
    for name in told:
        assert name in help_text


def test_help_has_every_exit_code(call_nobody: Called) -> None:
    assert set(MEANINGS) == set(ExitCode)
    help_text = re.sub(r"\s+", " ", call_nobody("--help").stdout)
    for code, meaning in MEANINGS.items():
        assert f" {int(code)} {meaning}" in help_text
