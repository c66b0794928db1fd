"""The profiles file: what is written is read again, and what could not be written changed nothing."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.profiles.profile import InvalidProfile, Profile
from ncp_tui.profiles.profile_store import CannotRead, CannotSave, ProfileStore, UnknownProfile
from ncp_tui.profiles.profiles_file import ProfilesFile, read_profiles, write_profiles
from ncp_tui.system.paths import Paths, paths_from

KEY = "AKIDEXAMPLE123456789"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_from({"NCP_TUI_HOME": str(tmp_path / "home")})


@pytest.fixture
def store(paths: Paths) -> ProfileStore:
    return ProfileStore(paths)


def profile(name: str, **values: Any) -> Profile:
    return Profile(name=name, access_key=KEY, **values)


def names(book: ProfilesFile) -> list[str]:
    return [one.name for one in book.profiles]


def write(paths: Paths, content: str | bytes) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    paths.config_dir.mkdir(parents=True, exist_ok=True)
    paths.profiles_file.write_bytes(data)
    return data


def test_no_file_is_an_empty_book_and_creates_nothing(store: ProfileStore, paths: Paths) -> None:
    assert store.load() == ProfilesFile()
    assert not paths.config_dir.exists()


def test_add_load_replace_rename_duplicate_default_remove(store: ProfileStore) -> None:
    store.add(profile("prod", site="gov", region="KRS", read_only=True, accent="red"))
    store.add(profile("dev", store="session"))
    book = store.load()
    assert names(book) == ["prod", "dev"]
    assert book.default == "prod", "the first one is the default"
    assert store.replace(profile("PROD", protected=True)).find("prod") == profile("prod", protected=True)
    assert names(store.rename("prod", "Live")) == ["Live", "dev"]
    assert store.load().default == "Live", "the default follows the new name"
    assert names(store.duplicate("live", "copy")) == ["Live", "dev", "copy"]
    assert store.set_default("DEV").default == "dev"
    book = store.remove("dev")
    assert names(book) == ["Live", "copy"]
    assert book.default is None, "nobody becomes the default without being asked"
    assert store.load() == book
    store.remove("Live")
    store.remove("copy")
    assert store.add(profile("new")).default == "new"


def test_a_rename_may_change_only_the_case(store: ProfileStore) -> None:
    store.add(profile("prod"))
    assert names(store.rename("prod", "Prod")) == ["Prod"]


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.add(profile("PROD")),
        lambda store: store.rename("dev", "Prod"),
        lambda store: store.duplicate("dev", "pRod"),
    ],
)
def test_a_taken_name_is_refused(store: ProfileStore, change: Callable[[ProfileStore], object]) -> None:
    """Two profiles that differ only in case would share one file or one keyring item on some systems."""
    store.add(profile("prod"))
    store.add(profile("dev"))
    with pytest.raises(InvalidProfile) as caught:
        change(store)
    assert caught.value.field == "name"
    assert names(store.load()) == ["prod", "dev"]


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.replace(profile("x")),
        lambda store: store.rename("x", "y"),
        lambda store: store.duplicate("x", "y"),
        lambda store: store.remove("x"),
        lambda store: store.set_default("x"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(
    store: ProfileStore, change: Callable[[ProfileStore], object]
) -> None:
    store.add(profile("prod"))
    with pytest.raises(UnknownProfile) as caught:
        change(store)
    assert "prod" in caught.value.next_step


def test_bad_values_are_refused_before_the_disk(store: ProfileStore, paths: Paths) -> None:
    with pytest.raises(InvalidProfile):
        store.add(profile("prod", region="USWN"))
    assert not paths.config_dir.exists()


def test_file_and_folder_are_private_and_nothing_is_left_over(store: ProfileStore, paths: Paths) -> None:
    old_mask = os.umask(0)
    try:
        store.add(profile("prod"))
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(paths.config_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(paths.profiles_file.stat().st_mode) == 0o600
    assert {one.name for one in paths.config_dir.iterdir()} <= {"profiles.toml", "profiles.toml.lock"}


def test_a_symlinked_file_stays_a_symlink(store: ProfileStore, paths: Paths, tmp_path: Path) -> None:
    """People keep their dotfiles in a repository; replacing the link would cut it off."""
    target = tmp_path / "dotfiles" / "profiles.toml"
    target.parent.mkdir()
    target.write_text("")
    paths.config_dir.mkdir()
    paths.profiles_file.symlink_to(target)
    store.add(profile("prod"))
    assert paths.profiles_file.is_symlink()
    assert "prod" in target.read_text()


def test_leftovers_of_killed_writers_are_removed(store: ProfileStore, paths: Paths) -> None:
    store.add(profile("prod"))
    leftover = paths.config_dir / ".profiles.toml.abcd.tmp"
    leftover.write_text("half")
    store.add(profile("dev"))
    assert not leftover.exists()


def test_what_a_newer_minor_version_wrote_is_kept(store: ProfileStore, paths: Paths) -> None:
    write(paths, f'theme = "dark"\n[profiles.prod]\naccess_key = "{KEY}"\nshiny = {{a = [1, 2]}}\n[plugins]\nx = 1\n')
    store.add(profile("dev"))
    document = tomllib.loads(paths.profiles_file.read_text())
    assert document["theme"] == "dark"
    assert document["plugins"] == {"x": 1}
    assert document["profiles"]["prod"]["shiny"] == {"a": [1, 2]}
    assert document["version"] == 1
    store.replace(profile("prod", extra=store.load().profiles[0].extra, accent="blue"))
    assert tomllib.loads(paths.profiles_file.read_text())["profiles"]["prod"]["shiny"] == {"a": [1, 2]}


def test_a_future_version_is_read_but_not_written(store: ProfileStore, paths: Paths) -> None:
    before = write(paths, f'version = 2\nnew = true\n[profiles.prod]\naccess_key = "{KEY}"\n')
    book = store.load()
    assert names(book) == ["prod"]
    assert "newer ncp-tui" in book.warnings[0]
    with pytest.raises(CannotSave, match="newer ncp-tui"):
        store.add(profile("dev"))
    assert paths.profiles_file.read_bytes() == before


GOOD = f'[profiles.good]\naccess_key = "{KEY}"\n'

BROKEN: dict[str, str | bytes] = {
    "not toml": "[profiles",
    "no value": "version =",
    "twice": "version = 1\nversion = 1\n",
    "not utf-8": b'default = "\xff"\n',
    "utf-16": "version = 1\n".encode("utf-16"),
    "nul": b"\x00\x00\x00",
    "nested too deeply": "x = " + "[" * 5000,
    "impossible date": "x = 2024-13-45\n",
    "profiles is a list": "profiles = [1]\n",
    "profile is a number": "[profiles]\nbad = 3\n" + GOOD,
    "no access key": "[profiles.bad]\nsite = 'public'\n" + GOOD,
    "access key is a number": "[profiles.bad]\naccess_key = 5\n" + GOOD,
    "unknown site": f'[profiles.bad]\naccess_key = "{KEY}"\nsite = "moon"\n' + GOOD,
    "unknown store": f'[profiles.bad]\naccess_key = "{KEY}"\nstore = "plaintext"\n' + GOOD,
    "flag is a text": f'[profiles.bad]\naccess_key = "{KEY}"\nread_only = "yes"\n' + GOOD,
    "region of another site": f'[profiles.bad]\naccess_key = "{KEY}"\nregion = "FKR"\n' + GOOD,
    "reserved name": f'[profiles.environment]\naccess_key = "{KEY}"\n' + GOOD,
    "hostile name": f'[profiles."../x\\u001b"]\naccess_key = "{KEY}"\n' + GOOD,
    "same name twice": f'[profiles.Good]\naccess_key = "{KEY}"\n[profiles.gOOD]\naccess_key = "{KEY}"\n',
    "version is a text": 'version = "one"\n' + GOOD,
    "version is zero": "version = 0\n" + GOOD,
    "version is true": "version = true\n" + GOOD,
    "default is a number": "default = 3\n" + GOOD,
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_put_aside_reported_and_used_as_far_as_it_goes(
    case: str, store: ProfileStore, paths: Paths
) -> None:
    """Whoever edits by hand makes mistakes; losing the other profiles to one of them would be ours."""
    data = write(paths, BROKEN[case])
    book = store.load()
    assert book.damaged
    assert book.warnings
    assert all(warning.isprintable() for warning in book.warnings)
    assert paths.profiles_file.read_bytes() == data, "looking does not repair"
    copy = paths.config_dir / "profiles.toml.bad"
    assert copy.read_bytes() == data
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    if "good" in str(data).lower():
        assert [name.lower() for name in names(book)] == ["good"]
    store.load()
    assert len(list(paths.config_dir.glob("*.bad*"))) == 1, "the same content is kept once"
    after = store.add(profile("added"))
    assert "added" in names(after)
    assert [one for one in after.profiles if one.name != "added"] == list(book.profiles)
    assert dict(after.unreadable) == dict(book.unreadable), "what was not understood is written back"
    assert copy.read_bytes() == data


def test_byte_order_mark_and_windows_lines_are_no_damage(store: ProfileStore, paths: Paths) -> None:
    write(paths, b"\xef\xbb\xbf" + f'version = 1\r\n[profiles.prod]\r\naccess_key = "{KEY}"\r\n'.encode())
    book = store.load()
    assert names(book) == ["prod"]
    assert not book.damaged
    assert book.warnings == ()


def test_copies_of_broken_files_are_numbered_and_never_replaced(store: ProfileStore, paths: Paths) -> None:
    for content in ("one [", "two [", "one [", "three ["):
        write(paths, content)
        store.load()
    kept = {one.name: one.read_text() for one in paths.config_dir.glob("*.bad*")}
    assert kept == {"profiles.toml.bad": "one [", "profiles.toml.bad.1": "two [", "profiles.toml.bad.2": "three ["}


def test_no_change_of_a_broken_file_without_its_copy(
    store: ProfileStore, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged file is the only copy of what somebody wrote by hand."""
    data = write(paths, "broken [")

    def no_space(*_: object) -> Path:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("ncp_tui.profiles.profile_store.back_up", no_space)
    assert "No copy" in store.load().warnings[-1]
    with pytest.raises(CannotSave):
        store.add(profile("prod"))
    assert paths.profiles_file.read_bytes() == data


def test_an_unreadable_profile_can_be_removed_or_written_anew(store: ProfileStore, paths: Paths) -> None:
    write(paths, "[profiles.bad]\nsite = 1\n[profiles.worse]\nsite = 2\n" + GOOD)
    with pytest.raises(UnknownProfile, match="cannot be read"):
        store.set_default("bad")
    assert list(store.remove("BAD").unreadable) == ["worse"]
    book = store.add(profile("Worse"))
    assert names(book) == ["good", "Worse"]
    assert not book.damaged


def test_a_secret_in_the_file_is_warned_about_and_not_repeated(store: ProfileStore, paths: Paths) -> None:
    write(paths, f'[profiles.prod]\naccess_key = "{KEY}"\nsecret_key = "CANARYs3cr3t"\n')
    book = store.load()
    assert "does not belong" in book.warnings[0]
    assert "CANARY" not in repr(book)
    write(paths, 'secret = "CANARYs3cr3t" CANARY')
    assert "CANARY" not in repr(store.load())


def test_a_folder_in_the_place_of_the_file_is_said(store: ProfileStore, paths: Paths) -> None:
    paths.profiles_file.mkdir(parents=True)
    with pytest.raises(CannotRead):
        store.load()


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(store: ProfileStore, paths: Paths) -> None:
    paths.config_dir.mkdir()
    os.mkfifo(paths.profiles_file)
    with pytest.raises(CannotRead):
        store.load()


def test_a_file_that_may_not_be_read_is_said(
    store: ProfileStore, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one `sudo ncp-tui` the file is root's. "No profiles" would be a lie."""
    write(paths, GOOD)

    def denied(*_: object, **__: object) -> bytes:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr("ncp_tui.profiles.profile_store.read_file", denied)
    with pytest.raises(CannotRead, match="Permission denied"):
        store.load()


@pytest.mark.parametrize("name", ["replace", "fsync", "fchmod"])
def test_a_write_that_fails_leaves_the_old_file(
    name: str, store: ProfileStore, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(profile("prod"))
    before = paths.profiles_file.read_bytes()

    def no_space(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(f"os.{name}", no_space)
    with pytest.raises(CannotSave, match="No space left") as caught:
        store.add(profile("dev"))
    monkeypatch.undo()
    assert caught.value.next_step
    assert paths.profiles_file.read_bytes() == before
    assert list(paths.config_dir.glob(".*.tmp")) == []


def test_a_full_disk_leaves_the_old_file(store: ProfileStore, paths: Paths) -> None:
    """A real refusal by the kernel, which works for root as well: a limit on the size of files, in a child."""
    store.add(profile("prod"))
    before = paths.profiles_file.read_bytes()

    program = (
        "import resource, signal, sys\nfrom ncp_tui.system.paths import paths_from\n"
        "from ncp_tui.profiles.profile import Profile\n"
        "from ncp_tui.profiles.profile_store import CannotSave, ProfileStore\n"
        "store = ProfileStore(paths_from({'NCP_TUI_HOME': sys.argv[1]}))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try: store.add(Profile(name='dev', access_key='AKIDEXAMPLE123456789'))\n"
        "except CannotSave as problem: print(problem.what)\n"
    )
    command = [sys.executable, "-c", program, str(paths.config_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "The profiles could not be saved: File too large.\n"
    assert paths.profiles_file.read_bytes() == before
    assert list(paths.config_dir.glob(".*.tmp")) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two pages."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8k,mode=700", "tmpfs", str(disk)]
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield disk
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=False)
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_file_system_and_a_read_only_one(tiny_disk: Path) -> None:
    paths = paths_from({"NCP_TUI_HOME": str(tiny_disk)})
    store = ProfileStore(paths)
    store.add(profile("prod"))
    before = paths.profiles_file.read_bytes()
    (tiny_disk / "ballast").write_bytes(b"x" * 4096)
    with pytest.raises(CannotSave, match="No space left"):
        store.add(profile("dev", default_bucket="b" * 1000))
    assert paths.profiles_file.read_bytes() == before
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    with pytest.raises(CannotSave, match="Read-only"):
        store.add(profile("dev"))
    assert names(store.load()) == ["prod"]


def test_a_busy_lock_is_a_problem_and_not_a_wait_for_ever(paths: Paths) -> None:
    store = ProfileStore(paths, lock_seconds=0.05)
    store.add(profile("prod"))
    with FileLock(paths.profiles_lock, is_singleton=False), pytest.raises(CannotSave, match="Another ncp-tui"):
        store.add(profile("dev"))


@pytest.mark.slow
def test_twenty_processes_lose_no_profile(store: ProfileStore, paths: Paths) -> None:
    """Without the lock, or without reading again under it, the last writer would drop the others' profiles."""
    program = (
        "import sys\nfrom ncp_tui.profiles.profiles_file import ProfilesFile\n"
        "from ncp_tui.system.paths import Paths, paths_from\n"
        "from ncp_tui.profiles.profile import InvalidProfile, Profile\n"
        "from ncp_tui.profiles.profile_store import CannotRead, CannotSave, ProfileStore\n"
        "from ncp_tui.profiles.profile_store import UnknownProfile\n"
        "store = ProfileStore(paths_from({'NCP_TUI_HOME': sys.argv[1]}), lock_seconds=120)\n"
        "store.add(Profile(name=sys.argv[2], access_key='AKIDEXAMPLE123456789'))"
    )
    arguments = [sys.executable, "-c", program, str(paths.config_dir)]
    children = [subprocess.Popen([*arguments, f"p{number}"]) for number in range(20)]
    assert [child.wait(120) for child in children] == [0] * 20
    book = store.load()
    assert sorted(names(book)) == sorted(f"p{number}" for number in range(20))
    assert book.default in names(book)


STEPS = [(call, moment) for call in ("fdopen", "fchmod", "fsync", "replace") for moment in ("before", "after")]


@pytest.mark.parametrize(
    "steps", [[STEPS[1], *STEPS[-2:]], pytest.param(STEPS, marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_a_killed_writer_leaves_the_old_file_or_the_new_one(
    store: ProfileStore, paths: Paths, steps: list[tuple[str, str]]
) -> None:
    """Killed at each system call of a write in turn, by the kernel's own hand, never half a file."""
    store.add(profile("prod"))
    program = (
        "import os, signal, sys\nfrom ncp_tui.system.paths import paths_from\n"
        "from ncp_tui.profiles.profile import Profile\n"
        "from ncp_tui.profiles.profile_store import ProfileStore\n"
        "store = ProfileStore(paths_from({'NCP_TUI_HOME': sys.argv[1]}))\n"
        "name, real = sys.argv[2], getattr(os, sys.argv[2])\n"
        "def die(*args, **kwargs):\n"
        "    if sys.argv[3] == 'after': real(*args, **kwargs)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "setattr(os, name, die)\n"
        "store.add(Profile(name=sys.argv[4], access_key='AKIDEXAMPLE123456789'))\n"
    )
    seen = set()
    for call, moment in steps:
        arguments = [str(paths.config_dir), call, moment, f"{call}-{moment}"]
        done = subprocess.run([sys.executable, "-c", program, *arguments], check=False, timeout=60)
        assert done.returncode == -signal.SIGKILL
        book = store.load()
        assert not book.damaged
        assert "prod" in names(book)
        seen.add(f"{call}-{moment}" in names(book))
    assert seen == {True, False}, "the test reached both sides of the replacement"
    store.add(profile("last"))
    assert list(paths.config_dir.glob(".*.tmp")) == []


LINES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
HOSTILE = st.sampled_from(
    ['"]\n[x."y', "'''", '"""', "\\", "a = 1", "#", "[red]", "%s", "\x7f", "비밀", "😀", "\ufeff"]
)
TEXT = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), HOSTILE)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(TEXT, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
FIELDS = {"site", "region", "access_key", "store", "gateway_url", "ca_bundle", "default_bucket", "name_template"}
FIELDS |= {"read_only", "protected", "accent", "max_age", "warn_age", "check_exempt"}
NAMES = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", fullmatch=True)
PROFILES = st.builds(
    Profile,
    name=NAMES.map(lambda name: ("p" + name)[:64].rstrip("._-")).filter(lambda name: name.lower() != "prn"),
    access_key=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\"'`=:"), min_size=1),
    region=st.sampled_from(["KR", "SGN", "JPN"]),
    store=st.sampled_from(["keyring", "session"]),
    gateway_url=st.sampled_from([None, "https://gw.example/x", "http://localhost:1"]),
    ca_bundle=st.one_of(st.none(), LINES.map(lambda text: "/x" + text.replace("/", "").replace("~", ""))),
    default_bucket=st.one_of(st.none(), LINES),
    name_template=st.one_of(st.none(), LINES),
    max_age=st.sampled_from([None, "90m", "26h", "3d"]),
    warn_age=st.sampled_from([None, "90m", "26h"]),
    check_exempt=st.sampled_from([None, ("test-*",), ("a", "b?")]),
    read_only=st.booleans(),
    protected=st.booleans(),
    accent=st.sampled_from([None, "red", "none"]),
    extra=st.dictionaries(TEXT.filter(lambda key: key not in FIELDS), VALUES, max_size=3),
)


@given(profiles=st.lists(PROFILES, max_size=4, unique_by=lambda one: one.name.casefold()), extra=VALUES)
def test_every_legal_profile_comes_back_from_toml(profiles: list[Profile], extra: Any) -> None:
    """With formatted strings in the place of a TOML writer, a hostile value adds keys of its own choice."""
    default = profiles[0].name if profiles else None
    book = ProfilesFile(profiles=tuple(profiles), default=default, extra={"later": extra})
    again = read_profiles(write_profiles(book))
    assert again.profiles == book.profiles
    assert again.default == book.default
    assert again.extra == book.extra
    assert not again.damaged


@given(data=st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    read_profiles(data)


@given(text=st.text("[]{}=\"'.,\n\\#0123abprofilesversion_ ", max_size=80))
def test_no_toml_like_text_crashes_the_reader(text: str) -> None:
    book = read_profiles(text.encode())
    assert read_profiles(write_profiles(book)).profiles == book.profiles


def test_a_profile_whose_site_is_misnamed_is_not_taken_for_public() -> None:
    """Its requests, and the signature with them, would go to another gateway than the one that was meant."""
    data = f'[profiles.prod]\naccess_key = "{KEY}"\nzone = "gov"\n'.encode()
    book = read_profiles(data)
    assert (book.profiles, book.damaged) == ((), True)
    assert '"zone" is called "site"' in book.warnings[0]
    assert read_profiles(write_profiles(book)).unreadable == book.unreadable, "nothing of it is lost"
