"""What was seen before a create: in one line of the form, and in full in the panel beside the request."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text
from textual.widgets import Static

from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.snapshots.draft import SnapshotDraft, read_only_refused
from ncp_tui.tui.glyphs import shown
from ncp_tui.tui.next_steps import next_words
from ncp_tui.view.exchanges import request_lines
from ncp_tui.view.preflight import checks_line, light_lines
from ncp_tui.view.text import BLANK, Line, Tone, field, line


class PreflightLine(Static):
    """The checks in one line."""

    def __init__(self) -> None:
        super().__init__("", id="lights", markup=False)

    def show(self, draft: SnapshotDraft, *, is_cut_off: bool, became: str) -> None:
        """Show them; `became` is what a request came to that was sent since they were read."""
        words = checks_line(draft.preflight, became)
        if draft.facts is None:
            words = "not known: nothing could be read" if is_cut_off else "looking at the cluster ..."
        self.update(Text(shown(words), no_wrap=True, overflow="ellipsis"))


def draft_lines(draft: SnapshotDraft, preview: RequestRecord | None, now: datetime) -> list[Line]:
    """All that is wrong with the form, else the checks and the request that would leave: its `preview`, if any."""
    checks = [*light_lines(draft.preflight, now), BLANK] if draft.preflight.checks else []
    if draft.problem is not None:
        # Beside its input a reason has 12 cells in a window of 60, and only the first one is there.
        wrong = [field("name", reason, Tone.BAD) for reason in draft.name_problems]
        if draft.bucket_problem is not None:
            wrong.append(field("bucket", draft.bucket_problem.what, Tone.BAD))
        if draft.read_only:
            refused = read_only_refused()
            wrong += [line(words, Tone.BAD) for words in (refused.what, refused.meaning, next_words(refused))]
        return [line("Nothing can be sent yet: see the marks above.", Tone.DIM), *wrong, BLANK, *checks]
    if preview is None:
        return [line("The keys are not loaded yet.", Tone.DIM)]
    return [*checks, *request_lines(preview)]
