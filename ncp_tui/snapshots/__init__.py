"""The job itself: a legal name, one request written down before it leaves, an honest outcome, the snapshot's end.

`take` asks for it, `journal` holds what was asked, `settle` finds out what a lost answer left open, `watch` follows.
"""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.snapshots.checks import InvalidBucket, check_bucket, check_cluster
    from ncp_tui.snapshots.earlier import Earlier, EarlierState, Intent, SecondRequest
    from ncp_tui.snapshots.evidence import CannotWriteEvidence, Evidence, evidence_text, gather_evidence, write_evidence
    from ncp_tui.snapshots.journal import Journal, JournalProblem, JournalUnwritable, on_disk
    from ncp_tui.snapshots.journal_contents import DamagedJournal, DamageReport, OtherDamage
    from ncp_tui.snapshots.journal_entry import Fact, JournalEntry
    from ncp_tui.snapshots.last_snapshot import NOT_READ, LastSnapshot, Look, look_at_last_snapshot
    from ncp_tui.snapshots.lights import Check, Facts, Light, Preflight, look_further, preflight, read_facts
    from ncp_tui.snapshots.matching import Asked, Match, Whose, awaited, best_match
    from ncp_tui.snapshots.names import InvalidName, check_name, name_problems, suggest_name
    from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest, Verdict
    from ncp_tui.snapshots.settling import Settlement, learn_ends, settle
    from ncp_tui.snapshots.taking import Taken, accepted_sentence, take
    from ncp_tui.snapshots.templates import (
        DEFAULT_TEMPLATE,
        InvalidTemplate,
        render_name,
        template_warning,
        zone_of_template,
    )
    from ncp_tui.snapshots.track import LeftOpen, SnapshotTracker, TrackedSnapshot
    from ncp_tui.snapshots.watching import Progress, watch
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "checks": "InvalidBucket check_bucket check_cluster",
            "evidence": "CannotWriteEvidence Evidence evidence_text gather_evidence write_evidence",
            "earlier": "Earlier EarlierState Intent SecondRequest",
            "journal": "Journal JournalProblem JournalUnwritable on_disk",
            "journal_contents": "DamagedJournal DamageReport OtherDamage",
            "journal_entry": "Fact JournalEntry",
            "last_snapshot": "NOT_READ LastSnapshot Look look_at_last_snapshot",
            "lights": "Check Facts Light Preflight look_further preflight read_facts",
            "matching": "Asked Match Whose awaited best_match",
            "names": "InvalidName check_name name_problems suggest_name",
            "outcome": "Caller Outcome SnapshotRequest Verdict",
            "settling": "Settlement learn_ends settle",
            "taking": "Taken accepted_sentence take",
            "templates": "DEFAULT_TEMPLATE InvalidTemplate render_name template_warning zone_of_template",
            "track": "LeftOpen SnapshotTracker TrackedSnapshot",
            "watching": "Progress watch",
        },
    )

__all__ = [
    "DEFAULT_TEMPLATE",
    "NOT_READ",
    "Asked",
    "Caller",
    "CannotWriteEvidence",
    "Check",
    "DamageReport",
    "DamagedJournal",
    "Earlier",
    "EarlierState",
    "Evidence",
    "Fact",
    "Facts",
    "Intent",
    "InvalidBucket",
    "InvalidName",
    "InvalidTemplate",
    "Journal",
    "JournalEntry",
    "JournalProblem",
    "JournalUnwritable",
    "LastSnapshot",
    "LeftOpen",
    "Light",
    "Look",
    "Match",
    "OtherDamage",
    "Outcome",
    "Preflight",
    "Progress",
    "SecondRequest",
    "Settlement",
    "SnapshotRequest",
    "SnapshotTracker",
    "Taken",
    "TrackedSnapshot",
    "Verdict",
    "Whose",
    "accepted_sentence",
    "awaited",
    "best_match",
    "check_bucket",
    "check_cluster",
    "check_name",
    "evidence_text",
    "gather_evidence",
    "learn_ends",
    "look_at_last_snapshot",
    "look_further",
    "name_problems",
    "on_disk",
    "preflight",
    "read_facts",
    "render_name",
    "settle",
    "suggest_name",
    "take",
    "template_warning",
    "watch",
    "write_evidence",
    "zone_of_template",
]
