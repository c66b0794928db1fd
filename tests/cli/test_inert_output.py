"""What a journal, a log, a profile, an argument or a path holds is text for whoever reads the output, in every command.

Each is walked with all of it hostile, and what it prints is searched for characters that act on a terminal or hide.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ncp_tui.cli.main import NOUNS, root
from tests.cli.program import Called, Result

EVIL = "e\x1b]0;owned\x07\x1b[31m\x9b2J\x7f\u202e\u2066\u200b\u3164\u115f\u034f\u2800\ufe0f\u00ad\U000e0041\udcff\rx"
"""A title, a colour, C1, bidi, everything that is not seen, half a byte, and a line that overwrites."""

JOURNAL = {
    "v": 1,
    "id": f"1-{EVIL}",
    "fact": "begun",
    "at": "2026-11-28T03:04:05+00:00",
    "profile": f"p{EVIL}",
    "site": EVIL,
    "region": EVIL,
    "gateway": f"https://{EVIL}",
    "cluster": "1037001",
    "cluster_number": "1037001",
    "cluster_name": f"c{EVIL}",
    "snapshot": f"s{EVIL}",
    "bucket": f"b{EVIL}",
    "clock_offset": None,
}


def hidden_in(text: str) -> list[str]:
    """The characters that act or hide; line feeds are lines."""
    unseen = set("\u3164\u115f\u034f\u2800\ufe0f")
    return [
        f"U+{ord(letter):04X}"
        for letter in text
        if letter != "\n" and (letter in unseen or unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"})
    ]


def commands() -> Iterator[tuple[str, ...]]:
    """Every command there is, by its words."""
    context = click.Context(root)
    for noun in NOUNS:
        command = root.get_command(context, noun)
        if isinstance(command, click.Group):
            yield from ((noun, name) for name in command.list_commands(context))
        else:
            yield (noun,)


ARGUMENTS: dict[str, tuple[str, ...]] = {
    "snapshot create": (EVIL, "--bucket", EVIL, "--name", EVIL, "--yes"),
    "snapshot evidence": (EVIL, "--output", EVIL),
    "snapshot wait": (EVIL, EVIL),
    "snapshot resolve": ("--timeout", "1"),
    "profile add": (EVIL, "--access-key", EVIL, "--secret-stdin"),
    "profile rename": (EVIL, "other"),
    "profile remove": (EVIL, "--yes"),
    "sandbox": ("--fault", EVIL),
}
TAKE_NOTHING = {"cluster list", "profile list", "profile import", "paths", "doctor"}


@pytest.fixture
def hostile_home(call: Called, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in a folder of that name, whose journal, log, and profiles hold it wherever a text may stand."""
    home = tmp_path / f"home-{EVIL}".replace("/", "_")
    (home / "state").mkdir(parents=True)
    lines = [JOURNAL, {"v": 1, "id": JOURNAL["id"], "fact": "sent", "at": JOURNAL["at"], EVIL: EVIL}]
    (home / "state" / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (home / "state" / "session.jsonl").write_text(json.dumps({"line": EVIL, "title": EVIL, EVIL: EVIL}) + "\n")
    toml = json.dumps(EVIL.replace("\udcff", "").replace("\U000e0041", "")).replace("\x7f", "\\u007f")
    profile = f'version = 1\n[profiles.{toml}]\naccess_key = "AKID0000000000000009"\nsite = {toml}\nname = {toml}\n'
    (home / "profiles.toml").write_text(profile)
    call.program.environ["NCP_TUI_HOME"] = str(home)
    monkeypatch.chdir(tmp_path)
    return home


@pytest.mark.usefixtures("hostile_home")
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_no_command_prints_what_acts_or_hides(call: Called, *, as_json: bool) -> None:
    """A title that renames the window, a line that overwrites the verdict, a name that looks like another."""
    printed = ""
    for words in commands():
        command = " ".join(words)
        given = ARGUMENTS.get(command, () if command in TAKE_NOTHING else (EVIL,))
        for more in ((), ("--help",)) if not as_json else ((),):
            result = call(*words, *given, *more, *(["--json"] if as_json else []), stdin="nothing\n")
            assert not hidden_in(result.stdout + result.stderr), command
            assert result.code != 1, (command, result.stderr)
            assert not as_json or is_one_document(result), command
            printed += result.stdout + result.stderr
    if not as_json:
        assert printed.count("␛]0;owned") > 20, "all of it was there to be shown"


def is_one_document(result: Result) -> bool:
    return isinstance(json.loads(result.stdout), dict | list)


@pytest.mark.parametrize(
    "arguments", [(EVIL,), ("snapshot", EVIL), ("snapshot", "create", f"--{EVIL}"), ("--" + EVIL,)]
)
def test_wrong_usage_repeats_arguments_as_text(call_nobody: Called, arguments: tuple[str, ...]) -> None:
    result = call_nobody(*arguments)
    assert result.code == 2
    assert "owned" in result.stderr
    assert not hidden_in(result.stderr)


def test_a_document_keeps_what_it_escapes(call: Called) -> None:
    """A script gets the name as it is: it compares, and a terminal never sees it."""
    result = call("snapshot", "create", EVIL, "--bucket", "bk.ses.snapshot", "--json")
    assert not hidden_in(result.stdout)
    assert json.loads(result.stdout)["cluster"]["name"] == EVIL
