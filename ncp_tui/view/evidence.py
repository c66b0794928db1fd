"""How an evidence file for a support ticket is reported: where it is, and what it proves."""

from __future__ import annotations

from pathlib import Path

from ncp_tui.problem import Problem
from ncp_tui.snapshots.evidence import Evidence
from ncp_tui.view.inventory import inventory_sentence
from ncp_tui.view.text import BLANK, Line, Tone, line, wrapped

_WIDTH = 66
TAKEN = "A row of the history says that the snapshot was taken; NCP may have deleted it since."


def evidence_lines(evidence: Evidence, path: Path) -> list[Line]:
    """Where the file is, what it proves and by what, and what is missing in it."""
    judgement = evidence.conclusion
    proved = f"Conclusion: {judgement.verdict.value}" + (f", {judgement.finished}" if judgement.finished else "")
    inventory = evidence.inventory
    held = [inventory_sentence(inventory)] if inventory is not None else []
    taken = [TAKEN] if evidence.history else []
    kept = "Contains no keys. Review it before sharing."
    said = [f"{proved}.", *judgement.why, *held, *taken, *evidence.gaps, kept]
    return [
        line("Saved (only you can read it):"),
        line(str(path), Tone.STRONG),
        BLANK,
        *[line(part) for sentence in said for part in wrapped(sentence, _WIDTH)],
    ]


def history_gap(problem: Problem) -> str:
    """That the evidence is without the history, and why."""
    return f"The history could not be read. {problem.what}"
