"""One table an object: the same columns, words, units and times on the screen and in a command."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Bucket, Cluster, HistoryEntry
from ncp_tui.snapshots.cluster_summary import ClusterSummary, Look, summary_of
from ncp_tui.view.arrangement import arranged, read_filter
from ncp_tui.view.buckets import BUCKETS
from ncp_tui.view.cluster_summary import Moment
from ncp_tui.view.clusters import CLUSTERS, ListedCluster, cluster_lines
from ncp_tui.view.format import ZONE
from ncp_tui.view.history import HISTORY, history_lines, history_sentence, may_have_failed
from ncp_tui.view.profiles import PROFILES, ListedIdentity, keys_cell, keys_sentence
from ncp_tui.view.requests import REQUESTS
from ncp_tui.view.session_log import SESSION_LOG
from ncp_tui.view.table import Table, gap_sentence
from ncp_tui.view.text import Tone, plain_text

NOW = datetime(2026, 1, 2, 15, 30, tzinfo=UTC)
MOMENT = Moment(NOW)
CLUSTER = Cluster("1037001", "search-0001", "running", "green", "OpenSearch 2.17.1", "vpc-prod", "2025-01-01", 2, 4, 3)
HIDDEN = Cluster("", "legal-archive", "", allowed=False)
PAYROLL = Bucket("bk.ses.snapshot", bytes_used=48_318_382_080, objects=18_204, created=NOW)
LOCKED = Bucket("audit-locked", locked=True)
DONE = HistoryEntry("검색-1", "bk", NOW, "MANUAL", "SUCCESS", "12 s", has_error_log=False)
BROKEN = HistoryEntry("s-2", "bk", None, "AUTO", "no space left", "", has_error_log=True, date="yesterday")
PROD = Identity(
    "prod",
    "OS keyring",
    SourceKind.PROFILE,
    Profile(name="prod", access_key="AKIDEXAMPLE0000000A1", store="keyring", protected=True),
)
TABLES: Sequence[tuple[Table[Any], list[Any]]] = (
    (CLUSTERS, [ListedCluster(CLUSTER, MOMENT), ListedCluster(HIDDEN, MOMENT)]),
    (BUCKETS, [PAYROLL, LOCKED]),
    (HISTORY, [DONE, BROKEN]),
    (PROFILES, [ListedIdentity(PROD, current=True, default=True)]),
)


def test_a_command_prints_the_cells_of_the_screen() -> None:
    """Word for word, in the same order, under the same heads."""
    for table, items in TABLES:
        head, *lines = table.text(items).splitlines()
        common = [column for column in table.columns if column.on_screen and column.in_commands]
        places = [head.index(column.label) for column in common if column.label]
        assert places == sorted(places)
        for item, text in zip(items, lines, strict=True):
            for column in common:
                assert column.cell(item).text in text


def test_only_what_one_face_cannot_have_is_left_out_of_it() -> None:
    """A command that lists reads no history for each row and keeps no tests; a screen has a detail and grey rows."""
    apart = {
        column.label
        for table in (CLUSTERS, BUCKETS, HISTORY, PROFILES, REQUESTS, SESSION_LOG)
        for column in table.columns
        if not (column.on_screen and column.in_commands)
    }
    assert apart == {"LAST GOOD", "LAST RUN", f"NEXT ({ZONE})", "LAST TEST", "NUMBER", "VPC", "ACCESS"}


def test_a_row_has_a_cell_for_each_column_on_the_screen() -> None:
    for table, items in TABLES:
        for item in items:
            assert len(table.row(item).cells) == len(table.on_screen)


def test_one_zone_whose_name_stands_in_the_head() -> None:
    """23:30 of the second in UTC is the third in Korea, in each column and in the detail."""
    assert BUCKETS.text([PAYROLL]).splitlines()[0].split() == [
        "BUCKET", "SIZE", "OBJECTS", "CREATED", f"({ZONE})", "STATUS"
    ]  # fmt: skip
    assert "2026-01-03" in BUCKETS.text([PAYROLL])
    assert "2026-01-03 00:30:00" in HISTORY.text([DONE])
    assert "2026-01-03 00:30:00 KST" in plain_text(history_lines(DONE))


def test_one_unit_system() -> None:
    assert BUCKETS.text([PAYROLL, LOCKED]).splitlines()[1].split()[1:4] == ["45.0", "GiB", "18,204"]


def test_what_is_missing_is_said() -> None:
    assert BUCKETS.text([LOCKED]).splitlines()[1].split()[:4] == ["audit-locked", "-", "-", "-"]
    assert "yesterday" in HISTORY.text([BROKEN])
    assert CLUSTERS.row(ListedCluster(HIDDEN, MOMENT)).cells[1].text == "-"


def test_a_state_has_one_word_in_rows_details_and_sentences() -> None:
    state = HISTORY.row(DONE).cells[2]
    assert (state.text, state.tone) == ("succeeded", Tone.GOOD)
    assert "state        succeeded" in plain_text(history_lines(DONE))
    assert history_sentence(DONE) == "검색-1: succeeded, 12 s"
    row = CLUSTERS.row(ListedCluster(CLUSTER, MOMENT, summary_of([DONE], NOW)))
    assert [cell.text for cell in row.cells[4:7]] == ["now", "succeeded", "?"]


def test_why_a_last_good_snapshot_is_not_known() -> None:
    """Five things that look different; a tracked snapshot goes before what was read, and no permission before both."""
    looks = {
        Look.NOT_READ: "not read",
        Look.NONE: "none !",
        Look.NO_PERMISSION: "no permission",
        Look.FAILED: "not readable",
    }
    for look, word in looks.items():
        summary = ClusterSummary(look, problem=Problem("Because."))
        assert CLUSTERS.row(ListedCluster(CLUSTER, MOMENT, summary)).cells[4].text == word
        assert "Because." in plain_text(cluster_lines(CLUSTER, summary=summary, moment=MOMENT))
        assert CLUSTERS.row(ListedCluster(CLUSTER, MOMENT, summary, "running")).cells[5].text == "running"
        hidden = CLUSTERS.row(ListedCluster(HIDDEN, MOMENT, summary, "running"))
        assert [cell.text for cell in hidden.cells[4:7]] == ["no permission", "?", "?"]


def test_what_cannot_be_used_is_greyed_and_says_why() -> None:
    assert BUCKETS.row(LOCKED).dim
    assert BUCKETS.row(LOCKED).cells[-1].text == "locked: object lock is on"
    assert CLUSTERS.row(ListedCluster(HIDDEN, MOMENT)).dim
    assert "no permission (name only)" in CLUSTERS.text([ListedCluster(HIDDEN, MOMENT)])


def test_who_is_in_use() -> None:
    notes = PROFILES.row(ListedIdentity(PROD, current=True, default=True)).cells[-1]
    assert (notes.text, notes.tone) == ("in use, default, protected", Tone.GOOD)


def test_a_list_that_is_cut_off_says_so_and_an_empty_one_is_no_error() -> None:
    assert gap_sentence("Page 3 is missing.", "search-0001") == (
        "search-0001: this list is incomplete. Page 3 is missing."
    )
    assert gap_sentence("Page 3 is missing.").startswith("This list is incomplete. ")
    assert all(table.empty for table in (CLUSTERS, BUCKETS, HISTORY))


def test_what_a_test_of_keys_says() -> None:
    """A clock within what the gateway tolerates is not news."""
    assert keys_sentence(1, ClockOffset(0.5, 0.1), "prod") == "The keys of prod work."
    assert keys_sentence(1, ClockOffset(412.0, 0.1), "prod") == "The keys of prod work. Clock off by +412.0 s."
    assert keys_sentence(0, None) == "The keys work. No clusters visible."
    assert (keys_cell(None).text, keys_cell(Problem("No.")).tone) == ("ok", Tone.BAD)


def test_a_row_that_succeeded_says_taken_and_not_that_it_is_there() -> None:
    """NCP deletes old snapshots: a row of the history is the log of an attempt."""
    row = HistoryEntry("nightly", "bk", message="SUCCESS", has_error_log=False, date="2026-01-01 03:00:00")
    assert "taken        2026-01-01 03:00:00 (NCP may have deleted it since)" in plain_text(history_lines(row))
    failed = dataclasses.replace(row, has_error_log=True)
    assert "taken" not in plain_text(history_lines(failed))


def test_the_clusters_without_a_good_snapshot_are_found_by_the_filter() -> None:
    """The first everyday job: each spelling that the manual names finds them, and nothing that is unknown."""
    looks = {
        "none": ClusterSummary(Look.NONE),
        "none recent": ClusterSummary(Look.FOUND, HistoryEntry("a", has_error_log=True), is_whole=False),
        "not read": ClusterSummary(Look.NOT_READ),
        "not readable": ClusterSummary(Look.FAILED),
    }
    rows = [
        CLUSTERS.row(ListedCluster(dataclasses.replace(CLUSTER, name=name, number=name), MOMENT, summary))
        for name, summary in looks.items()
    ]
    for text in ("good:none", "age:none", "age>24h", "last-good>1h"):
        shown = arranged(rows, read_filter(text, CLUSTERS.on_screen), None)
        assert [row.key for row in shown] == ["none", "none recent"], text
    assert arranged(rows, read_filter("age<24h", CLUSTERS.on_screen), None) == []


def test_a_row_of_unknown_state_stays_among_the_failures() -> None:
    """Whoever looks for what went wrong must not lose the row of which nothing is known."""
    rows = (
        HistoryEntry("failed", has_error_log=True),
        HistoryEntry("unknown", message="not completed", duration="12", has_error_log=False),
        HistoryEntry("running"),
        HistoryEntry("succeeded", message="SUCCESS", has_error_log=False),
    )
    assert [row.state.value for row in rows] == ["failed", "unknown", "running", "success"]
    assert [may_have_failed(row) for row in rows] == [True, True, False, False]
