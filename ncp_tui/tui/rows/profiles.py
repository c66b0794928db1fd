"""A profile, or keys found elsewhere, in a table."""

from __future__ import annotations

from ncp_tui.profiles import Identity
from ncp_tui.tui.cells import Cell, Row, Tone


def identity_row(identity: Identity, *, current: bool, default: bool, tested: Cell) -> Row:
    """A line of the profiles screen."""
    profile = identity.profile
    marks = [word for word, on in (("in use", current), ("default", default)) if on]
    marks += [word for word, on in (("read-only", profile.read_only), ("protected", profile.protected)) if on]
    cells = (
        Cell(identity.name, Tone.STRONG),
        Cell(f"{profile.zone}/{profile.region}"),
        Cell(identity.masked_access_key),
        Cell(identity.source),
        tested,
        Cell(", ".join(marks), Tone.GOOD if current else Tone.DIM),
    )
    return Row(identity.name, cells)
