"""The preflight checks: what is not ok comes first, with what to do about it, and how old the evidence is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ncp_tui.problem import Problem
from ncp_tui.snapshots.preflight import Check, Preflight, Severity
from ncp_tui.view.preflight import after_refusal, check_document, check_lines, checks_line, out_of_date
from ncp_tui.view.text import Tone, cell_width, plain_text

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FINE = Check("cluster", Severity.OK, "search-0001 is running", read_at=NOW)
UNSURE = Check("clock", Severity.UNSURE, "not known", "f" * 80, read_at=NOW - timedelta(minutes=5))
WRONG = Check("health", Severity.BAD, "red", "Check the cluster first.")
CERTAIN = Check("bucket", Severity.BAD, "locked", problem=Problem("Locked."))
FOUND = Preflight((FINE, UNSURE, WRONG, CERTAIN))


def test_what_is_not_ok_comes_first_and_says_what_to_do() -> None:
    lines = check_lines(FOUND, NOW)
    text = plain_text(lines).splitlines()
    assert text[0] == "Preflight checks   checked 5 min ago"
    assert text[1] == "block   bucket  locked"
    assert [line.split()[0] for line in text[2:-1] if not line.startswith(" ")] == ["warn", "warn"]
    assert "health  red. Check the cluster first." in "\n".join(text)
    assert text[-1] == "ok      cluster search-0001 is running"
    assert [lines[1][0].tone, lines[-1][0].tone] == [Tone.BAD, Tone.GOOD]
    assert max(map(cell_width, text)) <= 76


def test_in_one_line_and_for_scripts() -> None:
    assert checks_line(FOUND) == "block: bucket   warn: health, clock   ok: cluster"
    document = check_document(WRONG)
    assert (document["subject"], document["light"], document["read_at"]) == ("health", "bad", None)
    assert check_document(FINE)["advice"] is None


def test_what_a_refusal_makes_of_the_checks() -> None:
    assert out_of_date(("bucket",)) == "Preflight check “bucket” is out of date; reading again."
    assert out_of_date(("name", "others")) == "Preflight checks “name”, “others” are out of date; reading again."
    assert out_of_date(()) == "Preflight checks are out of date; reading them again."
    assert checks_line(FOUND, after_refusal(("name",))).startswith("read again, NCP refused (name):   block: bucket")
    assert after_refusal(()) == "read again, NCP refused:"
