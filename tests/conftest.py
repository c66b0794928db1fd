"""What every test has in common: an environment that is nobody's, one for each process that runs tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from ncp_tui.sandbox.sandbox import RunningSandbox, Sandbox, serve
from ncp_tui.system.backoff import Backoff
from ncp_tui.system.private_files import exposed_place

REPOSITORY = Path(__file__).parents[1]

# In the background of a script both are ignored, and every program started here would inherit that: ctrl+c at one of
# its questions would do nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# The default lane tries the same examples each time, so that a red test is due to the change at hand; the slow lane
# (`--hypothesis-profile=ci`) tries more, and new ones.
settings.register_profile("dev", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile("ci", max_examples=200, deadline=None, print_blob=True)
settings.load_profile("dev")
set_hypothesis_home_dir(REPOSITORY / ".hypothesis")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Three processes for two cores: of the time of a test a quarter is waiting for sockets and other processes.

    No other process for a single file: starting one takes longer than most files.
    """
    names = [argument.partition("::")[0] for argument in config.args]
    if len(set(names)) == 1 and Path(names[0]).is_file():
        return 0
    return len(os.sched_getaffinity(0)) * 3 // 2 if hasattr(os, "sched_getaffinity") else None


@dataclass(frozen=True)
class Places:
    """The folders of a process that runs tests; no test leaves anything in the first two."""

    working_directory: Path
    home: Path
    temporary: Path


@pytest.fixture(scope="session", autouse=True)
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """A home, a working directory and a folder for temporary files that no other process of the tests has."""
    root = tmp_path_factory.mktemp("process", numbered=False)
    places = Places(root / "cwd", root / "home", root / "tmp")
    for place in (places.working_directory, places.home, places.temporary):
        place.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if _belongs_to_the_developer(name):
                patch.delenv(name)
        patch.setenv("HOME", str(places.home))
        patch.setenv("TMPDIR", str(places.temporary))
        patch.setattr(tempfile, "tempdir", None)
        patch.chdir(places.working_directory)
        yield places


def _belongs_to_the_developer(name: str) -> bool:
    """Whether a variable says how the developer uses this program, or where their programs keep files."""
    return name.startswith(("NCLOUD_", "NCP_TUI_", "XDG_", "TEXTUAL")) or name in {"NO_COLOR", "COLORTERM", "TMUX"}


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A new folder into which no other user can write, nor into one above it: those of pytest are in /tmp."""
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir)  # $HOME is that of the tests
    candidates = (home, Path(f"/run/user/{os.geteuid()}"), REPOSITORY)
    root = next((each for each in candidates if os.access(each, os.W_OK) and not exposed_place(each)), None)
    if root is None:
        pytest.skip("every folder of this user is open to others")
    with tempfile.TemporaryDirectory(prefix=".ncp-tui-test-", dir=root) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(places: Places) -> Iterator[None]:
    """A file where every test looks would decide what the next one finds."""
    yield
    left = [path for place in (places.working_directory, places.home) for path in place.iterdir()]
    for path in left:  # the next test is not to blame
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert not left, f"left behind by this test: {left}"


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_in_the_repository() -> Iterator[None]:
    """By this file, or by one that ran beside it."""
    before = _files_of_the_repository()
    yield
    left = _files_of_the_repository() - before
    assert not left, f"left in the repository: {sorted(left)}"


def _files_of_the_repository() -> set[str]:
    """All but caches and installations."""
    found = set()
    for folder, folders, files in os.walk(REPOSITORY):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        found |= {f"{folder}/{name}" for name in files}
    return found


@pytest.fixture
async def served() -> AsyncIterator[RunningSandbox]:
    """A sandbox on a real loopback port; its state is at `served.sandbox`."""
    async with serve(Sandbox(duration=5)) as running:
        yield running


@pytest.fixture(autouse=True)
def reads_are_repeated_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that fails is asked again after a pause; no test of this process waits for it."""
    monkeypatch.setattr("ncp_tui.search_engine.retries.BACKOFF", Backoff(0.0, 0.0))


@pytest.fixture(autouse=True)
def no_proxy_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy or CA bundle in the developer's own environment must not decide a test."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "SSLKEYLOGFILE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
