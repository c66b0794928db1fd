"""`--plain`: the whole job in lines of text, for screen readers, dumb terminals and the slowest links."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ncp_tui.profiles.environment import PROFILE_VARIABLE
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.system.paths import paths_from
from tests.cli.conversation import Conversation
from tests.cli.program import Called, Program, keys_of
from tests.cli.workspaces import use_memory_keyring
from tests.journeys.terminal import ENTER, Terminal

CTRL_C, END = "\x03", "\x04"
ESCAPE = b"\x1b"
TWO_KILOBYTES = 2048


@dataclass
class Conversations:
    """`ncp-tui` on a dumb terminal, from the first to the last line: called in this process, or as one of its own."""

    folder: Path
    served: ThreadedSandbox
    monkeypatch: pytest.MonkeyPatch

    @contextmanager
    def __call__(self, *arguments: str, **environ: str) -> Iterator[Terminal]:
        variables = self._variables(environ)
        with Conversation(self.folder, *arguments, environ=variables, monkeypatch=self.monkeypatch) as terminal:
            yield terminal
            self._check(terminal)

    @contextmanager
    def as_a_process(self, *arguments: str, **environ: str) -> Iterator[Terminal]:
        with Terminal(self.folder, *arguments, environ=self._variables(environ)) as terminal:
            yield terminal
            self._check(terminal)

    def _variables(self, more: dict[str, str]) -> dict[str, str]:
        return keys_of(self.served) | {"TERM": "dumb"} | more

    def _check(self, terminal: Terminal) -> None:
        assert ESCAPE not in terminal.raw
        assert self.served.sandbox.secret_key.encode() not in terminal.raw


@pytest.fixture
def conversation(tmp_path: Path, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch) -> Conversations:
    return Conversations(tmp_path, served, monkeypatch)


def answer(terminal: Terminal, *pairs: tuple[str, str]) -> None:
    """Type each answer when its question is there."""
    for question, text in pairs:
        terminal.expect_question(question)
        terminal.press(text, ENTER)


TO_THE_NAME = (("Cluster (number", "search-0001"), ("Bucket (number", "bk.ses.snapshot"))


def save_profiles(folder: Path, *profiles: Profile) -> None:
    store = ProfileStore(paths_from({"NCP_TUI_HOME": str(folder / "ncp-tui")}))
    for profile in profiles:
        store.add(profile)


def named(served: ThreadedSandbox, name: str, **fields: object) -> Profile:
    return Profile(name=name, access_key=served.sandbox.access_key, gateway_url=served.url, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [(), ("--plain",), ("--plain", "--quiet")])
def test_from_the_first_question_to_the_end(
    conversation: Conversations, served: ThreadedSandbox, arguments: tuple[str, ...]
) -> None:
    """Numbers, enter and y are enough; what it costs is what a link of 300 baud carries in a minute."""
    with (conversation if arguments else conversation.as_a_process)(*arguments) as terminal:
        terminal.expect("1 search-0001, running, green", "hr-private, no permission")
        answer(terminal, ("Cluster (number", "1"))
        terminal.expect("1 bk.ses.snapshot", "- audit-locked: locked: object lock is on")
        answer(
            terminal,
            ("Bucket (number", "1"),
            ("Name [search-0001-", ""),
            ("[y/N]", "y"),
            ("Wait until it finishes", ""),
        )
        assert terminal.expect_end() == 0
        assert "Using environment" in terminal.raw.decode()
        assert "Request ID: " in terminal.raw.decode()
        assert "Snapshot search-0001-" in terminal.raw.decode().rsplit("Wait until it finishes")[-1]
        assert len(terminal.raw) < TWO_KILOBYTES
    (effect,) = served.sandbox.ledger.effects
    assert (effect.cluster, effect.bucket) == ("1037001", "bk.ses.snapshot")
    assert (effect.name or "").startswith("search-0001-")


def test_whoever_does_not_follow_hears_how_to(conversation: Conversations, served: ThreadedSandbox) -> None:
    with conversation() as terminal:
        answer(terminal, *TO_THE_NAME, ("Name [", "by-hand-1"), ("[y/N]", "y"), ("Wait until it finishes", "n"))
        terminal.expect("ncp-tui snapshot wait search-0001 by-hand-1")
        assert terminal.expect_end() == 0
    assert len(served.sandbox.ledger.effects) == 1


def test_an_answer_that_means_nothing_is_asked_for_again(conversation: Conversations, served: ThreadedSandbox) -> None:
    """A typing error must not cost the whole conversation; each refusal says what would be right."""
    with conversation() as terminal:
        answer(terminal, ("Cluster (number", "99"))
        terminal.expect("No cluster has the name or number '99'")
        answer(terminal, ("Cluster (number", "hr-private"))
        terminal.expect("No permission for cluster hr-private")
        answer(terminal, ("Cluster (number", "1037001"))
        answer(terminal, ("Bucket (number", "audit-locked"))
        terminal.expect("Bucket audit-locked cannot be used: locked")
        answer(terminal, ("Bucket (number", "9"))
        terminal.expect("'9' is not a bucket name.")
        answer(terminal, ("Bucket (number", "2"))
        answer(terminal, ("Name [", "My Snapshot"))
        terminal.expect("no capital letters (MS)", "A valid name close to it: my-snapshot")
        answer(terminal, ("Name [", "my-snapshot"))
        answer(terminal, ("Create snapshot my-snapshot of search-0001 in bucket es-backup-weekly? [y/N]", ""))
        terminal.expect("Not started: my-snapshot. Cancelled.")
        assert terminal.expect_end() == 130
    assert not served.sandbox.ledger.effects


def test_the_lights_that_are_not_ok_are_told_before_the_last_question(conversation: Conversations) -> None:
    with conversation() as terminal:
        answer(terminal, ("Cluster (number", "search-0006"), TO_THE_NAME[1], ("Name [", ""))
        terminal.expect("cluster: 'error', not running.", "health: red: some primary shards are missing")
        terminal.expect_question("[y/N]")
        terminal.press(END)
        assert terminal.expect_end() == 130


@pytest.mark.parametrize(
    ("question", "key"),
    [(question, END) for question in ("Cluster (number", "Bucket (number", "Name [", "[y/N]")]
    + [("Cluster (number", CTRL_C), ("[y/N]", CTRL_C)],
)
def test_every_question_can_be_left(
    conversation: Conversations, served: ThreadedSandbox, question: str, key: str
) -> None:
    """Somebody who cannot see the rest of the screen must hear at once that nothing was sent."""
    with (conversation.as_a_process if key == CTRL_C else conversation)() as terminal:
        for asked, text in (*TO_THE_NAME, ("Name [", ""), ("[y/N]", "y")):
            terminal.expect_question(asked)
            if asked == question:
                break
            terminal.press(text, ENTER)
        terminal.press(key)
        assert terminal.expect_end() == 130
        told = terminal.raw.decode().rsplit(question)[-1]
        assert ("Not started: search-0001-" if question == "[y/N]" else "Nothing was sent. Interrupted.") in told
    assert not served.sandbox.ledger.effects


def test_leaving_the_last_question_leaves_what_is_known(conversation: Conversations, served: ThreadedSandbox) -> None:
    with conversation.as_a_process() as terminal:
        answer(terminal, *TO_THE_NAME, ("Name [", "kept-1"), ("[y/N]", "y"))
        terminal.expect_question("Wait until it finishes")
        terminal.press(CTRL_C)
        terminal.expect("Accepted: NCP is creating kept-1. Interrupted.")
        assert terminal.expect_end() == 130
    assert len(served.sandbox.ledger.effects) == 1


def test_many_clusters_are_asked_for_a_part_of_the_name_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        ThreadedSandbox(Sandbox(clusters=60, duration=0)) as served,
        Conversations(tmp_path, served, monkeypatch)() as terminal,
    ):
        answer(terminal, ("62 clusters. Part of the name", "nothing-like-it"))
        terminal.expect("No name contains 'nothing-like-it'.")
        # Hangul as a terminal on macOS hands it over: in pieces.
        answer(terminal, ("Part of the name", "\u1100\u1165\u11b7\u1109\u1162\u11a8"))
        terminal.expect("1 검색-로그-서울")
        answer(terminal, ("Cluster (number", "1"))
        assert "search-0001" not in terminal.text()
        terminal.expect_question("Bucket (number")
        terminal.press(END)
        assert terminal.expect_end() == 130


def test_several_profiles_and_none_chosen(tmp_path: Path, conversation: Conversations, served: ThreadedSandbox) -> None:
    """The account is the first thing to be sure of: a default that nobody remembers is not enough."""
    profiles = [named(served, "lab"), named(served, "prod", protected=True, store="session")]
    save_profiles(tmp_path, *profiles)
    keys = dict.fromkeys(keys_of(served), "")
    with conversation(**keys) as terminal:
        answer(terminal, ("Profile (number or name) [lab]", "7"))
        terminal.expect("1 lab, public KR, default", "2 prod, public KR, protected", "There is no profile '7'.")
        answer(terminal, ("Profile (number or name) [lab]", "2"))
        terminal.expect("Using prod", "Profile prod has no secret key")
        assert terminal.expect_end() == 3
    with conversation(**keys, **{PROFILE_VARIABLE: "prod"}) as terminal:
        terminal.expect("Using prod")
        assert terminal.expect_end() == 3
        assert b"which profile" not in terminal.raw


def test_a_name_comes_before_a_number_of_the_list(
    tmp_path: Path, conversation: Conversations, served: ThreadedSandbox
) -> None:
    """Enter takes the default that is shown, also where its name could be a number."""
    save_profiles(tmp_path, named(served, "2", store="session"), named(served, "other", store="session"))
    with conversation(**dict.fromkeys(keys_of(served), "")) as terminal:
        terminal.expect("1 2, public KR, default", "2 other, public KR")
        answer(terminal, ("Profile (number or name) [2]", ""))
        terminal.expect("Using 2: ")
        assert terminal.expect_end() == 3


def test_a_protected_profile_wants_the_name_of_the_cluster(
    tmp_path: Path, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A y typed by habit must not be enough, nor must the number that chose it."""
    save_profiles(tmp_path, named(served, "prod", protected=True, default_bucket="bk.ses.snapshot"))
    use_memory_keyring(monkeypatch, {"prod": (served.sandbox.access_key, served.sandbox.secret_key)})
    for typed, code in (("1", 12), ("search-0001", 0)):
        with Conversation(tmp_path, environ={"TERM": "dumb"}, monkeypatch=monkeypatch) as terminal:
            answer(
                terminal, ("Cluster (number", "1"), ("Bucket (number or name) [bk.ses.snapshot]", ""), ("Name [", "")
            )
            answer(terminal, ("Type the cluster name", typed))
            if code == 0:
                answer(terminal, ("Wait until it finishes", "n"))
            assert terminal.expect_end() == code
            assert ESCAPE not in terminal.raw
    assert len(served.sandbox.ledger.effects) == 1


@pytest.mark.parametrize("arguments", [("--read-only",), ()])
def test_read_only_is_told_before_anything_is_asked(
    conversation: Conversations, served: ThreadedSandbox, arguments: tuple[str, ...]
) -> None:
    environ = {} if arguments else {"NCP_TUI_READ_ONLY": "1"}
    with conversation(*arguments, **environ) as terminal:
        terminal.expect("Read-only mode: cannot create a snapshot. Nothing was sent.")
        assert terminal.expect_end() == 12
        assert b"Cluster (number" not in terminal.raw
    assert not served.sandbox.ledger.requests


def test_wrong_keys_end_it_as_they_end_every_command(conversation: Conversations) -> None:
    with conversation(NCLOUD_SECRET_KEY="not-the-secret-key-of-this-account") as terminal:
        assert terminal.expect_end() == 4


def test_what_an_earlier_run_left_open_is_told_first(conversation: Conversations, served: ThreadedSandbox) -> None:
    """A create whose answer was lost may be running: whoever comes to take another should hear of that one first."""
    served.sandbox.faults.add("createSnapshot", when="after", act="hang")
    with conversation.as_a_process() as terminal:
        answer(terminal, *TO_THE_NAME, ("Name [", "lost-1"), ("[y/N]", "y"))
        terminal.expect("in bucket bk.ses.snapshot? [y/N]: y")
        while not served.sandbox.ledger.effects and terminal._read(0.1):
            pass
        terminal.press(CTRL_C)
        assert terminal.expect_end() == 130
    with conversation() as terminal:
        terminal.expect(
            "search-0001: Unresolved: lost-1 may or may not have started.",
            "ncp-tui snapshot resolve",
            "Cluster (number",
        )
        answer(terminal, *TO_THE_NAME, ("Name [", "lost-1"))
        terminal.expect("Not started: lost-1.", "Nothing was sent", "--again")
        assert terminal.expect_end() == 12


def test_the_demo_is_spoken_too_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with Terminal(tmp_path, "--demo", environ={"TERM": "dumb"}) as terminal:
        answer(terminal, ("Cluster (number", "1"), ("[bk.ses.snapshot]", ""), ("Name [", ""), ("[y/N]", "y"))
        answer(terminal, ("Wait until it finishes", "n"))
        assert terminal.expect_end() == 0
        assert ESCAPE not in terminal.raw
    assert sorted(tmp_path.rglob("*")) == before


def test_bytes_that_are_no_text_are_a_name_that_is_refused(conversation: Conversations) -> None:
    """An old terminal sends Hangul in EUC-KR; a traceback would be the worst of answers."""
    # Strict, as in most locales: in C.UTF-8 alone Python takes such bytes by itself.
    with conversation() as terminal:
        answer(terminal, *TO_THE_NAME)
        terminal.expect_question("Name [")
        terminal.process.send("검색".encode("euc-kr") + b"\r")
        terminal.expect("is not a valid snapshot name")
        terminal.expect_question("Name [")
        terminal.press(END)
        assert terminal.expect_end() == 130


@pytest.mark.parametrize("arguments", [("--plain",), ("--plain", "--demo")])
def test_without_a_terminal_nobody_is_asked(nobody: Program, arguments: tuple[str, ...]) -> None:
    result = nobody.run(*arguments)
    assert (result.code, result.stdout) == (2, "")
    assert "Questions need a terminal" in result.stderr


def test_plain_takes_no_command_and_no_json(call_nobody: Called) -> None:
    assert call_nobody("--plain", "cluster", "list").code == 2
    assert call_nobody("--plain", "--json").code == 2
