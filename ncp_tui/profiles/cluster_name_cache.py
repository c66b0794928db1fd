"""The names of the clusters that each caller listed last, so that a shell completes them without asking the service."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from ncp_tui.profiles.identity import Identity
from ncp_tui.system.paths import Paths, make_private_directory
from ncp_tui.system.private_files import read_file, write_atomically

_MOST_CALLERS = 32
"""Older ones are dropped: whoever has them all in use lists again."""

MOST_NAMES = 10_000
"""Kept of each caller: a shell waits for the file to be read at every press of tab."""

_PLAIN = re.compile(r"[^\W_][\w.-]{0,99}")


class ClusterNameCache:
    """One file for all callers. It is a comfort: where it cannot be read there are no names, and no more is lost."""

    def __init__(self, paths: Paths) -> None:
        self._file = paths.listing_file

    def store(self, identity: Identity, names: Iterable[str], *, is_whole: bool = True) -> None:
        """Replace what `identity` listed before; add to it where a list is not whole. It blocks. Raises OSError.

        Of two programs that write at once the later one wins; the names of the other come back with its next listing.
        """
        known = self._read()
        before = known.pop(_caller(identity), None)
        kept = before if isinstance(before, list) and not is_whole else []
        listed = sorted({*names, *(name for name in kept if isinstance(name, str))})[:MOST_NAMES]
        if before == listed:
            return
        known[_caller(identity)] = listed
        newest = dict(list(known.items())[-_MOST_CALLERS:])
        make_private_directory(self._file.parent)
        write_atomically(self._file, json.dumps(newest, ensure_ascii=False, indent=1).encode())

    def names(self, identity: Identity) -> list[str]:
        """What `identity` listed last, as far as it can stand on a shell's line as it is.

        A shell takes what is completed for typed by hand: a cluster called `$(...)` would be run.
        """
        names = self._read().get(_caller(identity))
        if not isinstance(names, list):
            return []
        return [name for name in names if isinstance(name, str) and _PLAIN.fullmatch(name)]

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(read_file(self._file))
        except (OSError, ValueError, RecursionError):
            return {}
        return known if isinstance(known, dict) else {}


def begins_with(name: str, beginning: str) -> bool:
    """Whether a name begins as was typed. Hangul may be typed in pieces that look the same."""
    return unicodedata.normalize("NFC", name).startswith(unicodedata.normalize("NFC", beginning))


def _caller(identity: Identity) -> str:
    profile = identity.profile
    return f"{identity.name} {profile.site} {profile.region}"
