"""The gate before an upgrade in words: until when, why it is shut, and that an unknown one is neither."""

from __future__ import annotations

from datetime import timedelta

from ncp_tui.gateway.errors import EndpointError
from ncp_tui.problem import Problem
from ncp_tui.search_engine.lists import Listing
from ncp_tui.search_engine.models import Cluster, Version
from ncp_tui.snapshots.cluster_summary import ClusterSummary, Look
from ncp_tui.snapshots.upgrade import Gate, UpgradeCheck, UpgradeGate, judge_gate
from ncp_tui.system.time_zone import KST
from ncp_tui.view.text import plain_text
from ncp_tui.view.upgrade import gate_card, gate_document, gate_line, gate_sentence, upgrade_document, upgrade_lines
from tests.snapshots.test_upgrade import CLUSTER, HOUR, NOW, UNDATED, gate_of, row
from tests.tables import each_row

GAP = Problem("3 rows are missing.")
FAILED = judge_gate(CLUSTER, ClusterSummary(Look.FAILED, problem=EndpointError("The gateway is gone.")), NOW)


@each_row(
    "gate, sentence, line, step",
    [
        (
            gate_of(row(2, duration="30 min")),
            "from the end of s-2; NCP does not document whether it counts from the start: that would be until 16:00:00",
            "gate open until 16:30 KST (4 h 30 min left)",
            "Begin the upgrade in the NCP console before then",
        ),
        (
            gate_of(row(2, duration="30 s")),
            "The gate is open until 16:00:30 KST, 4 h 00 min from now. The 6 h are counted from the end of s-2.",
            "gate open until 16:00 KST (4 h 00 min left)",
            "Begin the upgrade",
        ),
        (
            gate_of(row(2, duration="")),
            "The end of s-2 is unknown: the 6 h are counted from its start, the safer one.",
            "gate open until 16:00 KST",
            "Begin the upgrade",
        ),
        (
            gate_of(row(7)),
            "The gate is shut: the newest good snapshot, s-7, ended 6 h 59 min ago, more than 6 h.",
            "gate shut: no good snapshot of the last 6 h",
            "A good snapshot opens the gate for 6 h.",
        ),
        (
            gate_of(row(0.5, "IN_PROGRESS", ""), row(7, duration="")),
            "s-7, started 7 h 00 min ago, more than 6 h. s-0.5 is running: it opens the gate once it has succeeded.",
            "gate shut: no good snapshot of the last 6 h; s-0.5 is running",
            "Wait until s-0.5 has succeeded",
        ),
        (gate_of(), "The gate is shut: the history has no good snapshot.", "gate shut", "A good snapshot opens"),
        (
            gate_of(row(30), problem=GAP),
            "the history is incomplete. 3 rows are missing.",
            "rows of the history",
            "A good",
        ),
        (gate_of(row(9), is_whole=False), "older rows are not read.", "older rows are not read", "A good"),
        (gate_of(row(1, **UNDATED)), "the date of a row of the history cannot be read", "a row has no date", "A good"),
        (gate_of(row(1, "HALF", "")), "the state of s-1 is unknown.", "the state of s-1 is unknown", "A good"),
        (gate_of(row(-1)), "s--1 is dated in the future", "s--1 is dated in the future", "A good"),
        (gate_of(row(8, duration="3 h")), "s-8 began more than 6 h ago and ended less", "s-8 began more", "A good"),
        (FAILED, "the history cannot be read. The gateway is gone.", "the history is not known", "A good"),
    ],
)
def test_every_gate_in_words(gate: UpgradeGate, sentence: str, line: str, step: str) -> None:
    said, short = gate_sentence(gate), plain_text([gate_line(gate)])
    assert sentence in said
    assert line in short
    assert step in gate_card(UpgradeCheck(CLUSTER, gate)).next_step
    beginning = {Gate.OPEN: "The gate is open until", Gate.SHUT: "The gate is shut", Gate.UNKNOWN: "Unknown whether"}
    assert said.startswith(beginning[gate.gate])
    assert f"upgrade      gate {gate.gate.value}" in short
    assert ".." not in said


def test_for_scripts() -> None:
    document = gate_document(gate_of(row(2, duration="30 min")))
    assert document == {
        "gate": "open",
        "reason": "recent",
        "until": (NOW + 4.5 * HOUR).astimezone(KST).isoformat(),
        "surely_until": (NOW + 4 * HOUR).astimezone(KST).isoformat(),
        "counted_from": "end",
        "seconds_left": 16_200,
    }
    unknown = upgrade_document(UpgradeCheck(CLUSTER, FAILED, None, Problem("No.")), "")
    assert (unknown["gate"], unknown["until"], unknown["newest_good"]) == ("unknown", None, None)
    assert (unknown["versions"], unknown["versions_problem"], unknown["problem"]) == (
        None,
        "No.",
        "The gateway is gone.",
    )


@each_row("width", [66, 40, 100_000])
def test_the_whole_in_lines(width: int) -> None:
    """Hostile words of the service stay inert where they are printed; here they only have to be whole."""
    versions = Listing((Version("2171", "OpenSearch 2.17.1"), Version("", "")), NOW, 2, is_whole=True)
    cluster = Cluster.read({"clusterName": "a", "serviceGroupInstanceNo": "1", "searchEngineVersionCode": "2171"})
    lines = upgrade_lines(UpgradeCheck(cluster, gate_of(row(2)), versions), "Do it.", width)
    text = " ".join(plain_text(lines).split())
    assert "versions 2171 OpenSearch 2.17.1, as this cluster has - -" in text
    assert "afterwards After the upgrade, create the first snapshot again" in text
    assert "next Do it." in text
    if width == 40:
        wordy = [len(plain_text([each])) for each in lines if "snapshot of" in plain_text([each])]
        assert max(wordy) <= width
    assert timedelta(0) < (gate_of(row(2)).left or timedelta(0))
