"""A create in the journal: what is proved of it, and what is left to find out."""

from __future__ import annotations

from ncp_tui.snapshots import Fact, JournalEntry, Verdict
from ncp_tui.text import clean
from ncp_tui.tui.cells import Cell, Row, Tone
from ncp_tui.view.quantities import date_time

_VERDICT_TONES = {Verdict.STARTED: Tone.GOOD, Verdict.NOT_STARTED: Tone.PLAIN, Verdict.CANNOT_TELL: Tone.WARNING}


def journal_row(entry: JournalEntry, *, unsettled: bool, followed: bool = False) -> Row:
    """A line of the outcomes screen: what is known of a create, and whether anything is left to find out.

    `followed` is a snapshot whose end this run waits for.
    """
    verdict = Cell(entry.verdict.value, _VERDICT_TONES[entry.verdict])
    end = Cell(entry.state or "-", {"success": Tone.GOOD, "failed": Tone.BAD}.get(entry.state or "", Tone.DIM))
    if unsettled:
        end = Cell("press s", Tone.WARNING)
    elif entry.is_open:
        end = Cell("in the making", Tone.WARNING)
    elif entry.state is None and any(fact["fact"] == Fact.DISMISSED for fact in entry.facts):
        end = Cell("dismissed", Tone.DIM)
    elif entry.is_under_way:
        end = Cell("running", Tone.WARNING) if followed else Cell("not known", Tone.DIM)
    cells = (
        Cell(date_time(entry.at), sort=entry.at.timestamp()),
        Cell(clean(entry.request.name), Tone.STRONG),
        verdict,
        end,
        Cell(clean(entry.request.cluster_name)),
        Cell(clean(entry.caller.profile)),
    )
    return Row(entry.id, cells)
