"""What the program loads before it knows what is wanted, and where the shared options may stand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from ncp_tui import __version__
from ncp_tui.cli.main import NOUNS, root
from tests.cli.program import Called, Program

HEAVY = {"asyncio", "textual", "httpx", "keyring", "starlette", "uvicorn", "ncp_tui.gateway", "ncp_tui.tui"}
NEVER_NEEDED = {
    *("textual", "rich", "pygments"),  # httpx imports the last two for a command line of its own wherever they are
    *("cryptography", "keyring"),  # the keys are in the environment
    *("starlette", "uvicorn", "ncp_tui.sandbox"),
}
LOADED = """
import json, sys
from ncp_tui.cli.main import main
try:
    sys.exit(main())
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded(program: Program, *arguments: str, **environ: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        capture_output=True,
        env=program.environ | environ,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.decode().splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], *([noun, "--help"] for noun in NOUNS), ["snapshot", "create", "--help"]]
)
def test_help_is_cheap(nobody: Program, arguments: list[str]) -> None:
    """Help and completion must not pay 150 ms for a client that they never use."""
    assert not (HEAVY | NEVER_NEEDED) & loaded(nobody, *arguments)


def test_completion_is_cheap(nobody: Program) -> None:
    environ = {"_NCP_TUI_COMPLETE": "bash_complete", "COMP_WORDS": "ncp-tui sna", "COMP_CWORD": "1"}
    assert not HEAVY & loaded(nobody, **environ)


def test_completing_a_cluster_is_cheap(nobody: Program) -> None:
    environ = {"_NCP_TUI_COMPLETE": "bash_complete", "COMP_WORDS": "ncp-tui cluster show s", "COMP_CWORD": "3"}
    assert not {"httpx", "filelock", "tomli_w"} & loaded(nobody, **environ)
    assert not NEVER_NEEDED & loaded(nobody, **environ)


def test_a_snapshot_never_loads_textual(program: Program) -> None:
    modules = loaded(
        program, "snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", "light-1", "--quiet"
    )
    assert not NEVER_NEEDED & modules
    assert "httpx" in modules


def test_the_version(call_nobody: Called) -> None:
    assert call_nobody("--version").stdout == f"ncp-tui {__version__}\n"
    assert call_nobody("cluster", "list", "--version").stdout == f"ncp-tui {__version__}\n"


def commands(group: click.Group) -> Iterator[click.Command]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


def test_every_command_takes_the_shared_options() -> None:
    """A command with the plain class of click would refuse `--json` after its name."""
    for command in commands(root):
        options = {name for parameter in command.params for name in parameter.opts}
        assert {"--profile", "--json", "--quiet", "--read-only", "--version"} <= options, command.name


def test_the_short_texts_of_the_root_are_those_of_the_nouns() -> None:
    """They are written twice so that `--help` imports no noun."""
    for name, text in NOUNS.items():
        command = root.get_command(click.Context(root), name)
        assert command is not None
        assert (command.help or "").splitlines()[0] == text


def test_every_command_has_help() -> None:
    for command in commands(root):
        assert command.get_short_help_str(), command.name


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "cluster", "list"],
        ["cluster", "--json", "list"],
        ["cluster", "list", "--json"],
        ["--json", "cluster", "list", "--quiet"],
    ],
)
def test_shared_options_stand_before_or_after(call: Called, arguments: list[str]) -> None:
    result = call(*arguments)
    assert result.code == 0
    assert len(result.json()) == 14
    assert bool(result.stderr) is ("--quiet" not in arguments)


def test_a_profile_is_named_before_or_after(call_nobody: Called) -> None:
    for arguments in (["--profile", "nope", "cluster", "list"], ["cluster", "list", "--profile", "nope"]):
        result = call_nobody(*arguments)
        assert result.code == 3
        assert "There is no profile 'nope'." in result.stderr


@pytest.mark.parametrize("arguments", [[], ["--demo"], ["--profile", "x"]])
def test_without_a_terminal_there_is_no_screen(nobody: Program, arguments: list[str]) -> None:
    result = nobody.run(*arguments)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "cluster, bucket, snapshot" in result.stderr


def test_a_dumb_terminal_has_no_screen(nobody: Program) -> None:
    with nobody.at_terminal("--quiet", TERM="dumb") as terminal:
        assert terminal.end().code == 2
    assert nobody.run(TERM="dumb").code == 2


def test_the_demo_takes_no_command(call_nobody: Called) -> None:
    assert call_nobody("--demo", "cluster", "list").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["cluster", "frobnicate"],
        ["frobnicate"],
        ["cluster", "show"],
        ["cluster"],
        ["snapshot", "create", "search-0001", "--name", "abc", "--template", "x"],
        ["snapshot", "history", "search-0001", "--limit", "0"],
    ],
)
def test_wrong_usage(call_nobody: Called, arguments: list[str]) -> None:
    assert call_nobody(*arguments).code == 2
    result = call_nobody("--json", *arguments)
    assert result.code == 2
    assert result.json()["error"]["kind"] == "usage"
    assert result.json()["error"]["what"]
    assert result.stderr


def test_json_alone_is_no_command(call_nobody: Called) -> None:
    assert call_nobody("--json").json()["error"]["kind"] == "usage"
