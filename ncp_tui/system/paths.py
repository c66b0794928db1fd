"""Where this program keeps its files, so that one variable can move all of them at once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ncp_tui.problem import Problem

APP_NAME = "ncp-tui"
HOME_VARIABLE = "NCP_TUI_HOME"

_ROOT = 0


class UnusableHome(Problem):
    """`NCP_TUI_HOME` names no folder."""

    kind = "unusable_home"


@dataclass(frozen=True)
class Paths:
    """The three folders of the program. None of them needs to exist: they are created when something is written."""

    config_dir: Path
    state_dir: Path
    data_dir: Path

    @property
    def profiles_file(self) -> Path:
        """The profiles, in TOML. It never holds a secret key."""
        return self.config_dir / "profiles.toml"

    @property
    def profiles_lock(self) -> Path:
        """The lock that one writer of the profiles holds."""
        return self.config_dir / "profiles.toml.lock"

    @property
    def settings_file(self) -> Path:
        """What was chosen about the program itself, in TOML."""
        return self.config_dir / "settings.toml"

    @property
    def keys_file(self) -> Path:
        """The secret keys of the profiles whose store is `file`, encrypted."""
        return self.data_dir / "keys.enc"

    @property
    def journal_file(self) -> Path:
        """What was asked of the service and what became of it, as JSON lines. It never holds a key."""
        return self.state_dir / "journal.jsonl"

    @property
    def batches_dir(self) -> Path:
        """The plans of the batches of creates, one file each."""
        return self.state_dir / "batches"

    @property
    def session_log_file(self) -> Path:
        """Every request that was made and what came of it, as JSON lines. It never holds a key."""
        return self.state_dir / "session.jsonl"

    @property
    def listing_file(self) -> Path:
        """The names of the clusters that were listed last, for the completion of a shell."""
        return self.state_dir / "clusters.json"

    @property
    def reports_dir(self) -> Path:
        """The reports of bugs, one file each."""
        return self.state_dir / "reports"


def paths_from(environ: Mapping[str, str]) -> Paths:
    """The folders for this user: all below `NCP_TUI_HOME` when that is set, else what the platform prescribes.

    Raises UnusableHome where that is relative to a working folder that is gone.
    """
    home = environ.get(HOME_VARIABLE, "").strip()
    if home:
        # A user that nobody knows is a folder of that name.
        root = Path(os.path.expanduser(home))  # noqa: PTH111 - Path's own raises then
        try:
            root = root.absolute()
        except FileNotFoundError:
            raise UnusableHome(
                f"{HOME_VARIABLE} is {home!a}, below the working folder, and that folder was deleted.",
                "Nothing was read or sent.",
                f"Change to a folder that exists, or give {HOME_VARIABLE} as a full path.",
            ) from None
        return Paths(root, root / "state", root / "data")
    directories = platformdirs.PlatformDirs(APP_NAME, appauthor=False)
    return Paths(directories.user_config_path, directories.user_state_path, directories.user_data_path)


def check_owner(paths: Paths) -> None:
    """Raise UnusableHome where root would work in the folders of another user, as under `sudo` with that user's HOME.

    What it wrote there, locks among it, would be root's, and the user could not use the program any more.
    """
    if os.name != "posix" or os.geteuid() != _ROOT:
        return
    for folder in (paths.config_dir, paths.state_dir, paths.data_dir):
        owner = _owner(folder)
        if owner not in {None, _ROOT}:
            raise UnusableHome(
                f"{folder} belongs to user {(user := _user(owner))}, and this is root.",
                "Nothing was read or sent: that user could not use files which root writes there.",
                f"Run ncp-tui as that user (sudo -u {user} ncp-tui ...), or set {HOME_VARIABLE} to a folder of root.",
            )


def _owner(folder: Path) -> int | None:
    """Who owns `folder`, or will when it is made: whoever owns the nearest that exists."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return place.stat().st_uid
    return None


def _user(uid: int | None) -> str:
    import pwd  # posix only

    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return f"'#{uid}'"  # as sudo takes a number that has no name


def configure_path(environ: Mapping[str, str]) -> Path:
    """Where the official tools keep the file: under the user's home, whatever `NCP_TUI_HOME` says."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    # Without a home in the environment, and for a number that no user has (a container), it is that of nobody.
    return Path(home or os.path.expanduser("~")) / ".ncloud" / "configure"  # noqa: PTH111


def make_private_directory(directory: Path) -> None:
    """Create `directory` and its missing parents, each 0700; leave those that exist as they are.

    Raises OSError. `Path.mkdir(parents=True)` would give the parents the usual mode, open to the group.
    """
    if directory.is_dir():
        return
    make_private_directory(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
