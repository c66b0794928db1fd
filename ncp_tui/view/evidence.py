"""How the file reads that was written about a snapshot for a support ticket: where it is, and what it proves."""

from __future__ import annotations

from pathlib import Path

from ncp_tui.snapshots.evidence import Evidence
from ncp_tui.view.text import BLANK, Line, Tone, line, wrapped

_WIDTH = 66


def evidence_lines(evidence: Evidence, path: Path) -> list[Line]:
    """Where the file is, what it proves and by what, and what is missing in it."""
    judgement = evidence.conclusion
    proved = f"What it proves: {judgement.verdict.value}" + (f", {judgement.finished}" if judgement.finished else "")
    said = [f"{proved}.", *judgement.why, *evidence.gaps, "No key is in it. Read it before you pass it on."]
    return [
        line("Written, readable by you alone:"),
        line(str(path), Tone.STRONG),
        BLANK,
        *[line(part) for sentence in said for part in wrapped(sentence, _WIDTH)],
    ]
