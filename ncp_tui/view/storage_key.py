"""How setting a storage key reads: the question before it, the preview, and what is known after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ncp_tui.snapshots.operations import OperationResult
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.storage_key import StorageKeyDraft
from ncp_tui.snapshots.storage_key_state import KeyRead, KeyState
from ncp_tui.view.text import Tone

NEVER_SHOWN = "NCP never shows it again: it cannot be read back."
"""What everybody should know who sets one."""

CHECKING = "Reading the bucket list to see whether a key is set (up to a minute)."
"""What is done after a lost answer."""


def question(draft: StorageKeyDraft) -> str:
    """What is to be confirmed, a line each, and what a yes does in the last one."""
    lines = [f"{check.subject}: {check.sentence}" for check in draft.doubts]
    if draft.destination.note:
        lines.append(f"gateway: {draft.destination.note}. Whoever owns that CA can read the key.")
    if draft.destination.doubt:
        lines.append(f"gateway: {draft.destination.doubt}. Whoever answers there will have the key.")
    cluster, key = draft.cluster.title, draft.key.masked
    lines.append(f"The secret key is sent to {draft.destination.host}. {NEVER_SHOWN}")
    if draft.earlier is not None:
        lines.append(f"An earlier request for {cluster} is unresolved. A yes covers only that request.")
    if draft.protected:
        lines.append(f"Profile {draft.caller.profile} is protected. Type the cluster name to set its storage key:")
    else:
        lines.append(f"Set the storage key of {cluster} to {key}?")
    return "\n".join(lines)


def host_question(draft: StorageKeyDraft) -> str:
    """What a user has to read who types the host that is not NCP's."""
    return f"{draft.destination.doubt[:1].upper()}{draft.destination.doubt[1:]}. Type the host to send the key there:"


def outcome_sentence(outcome: Outcome, cluster: str, key: str) -> str:
    """What is known of the storage key `key`, masked, of `cluster`, the verdict first."""
    if outcome is Outcome.ACCEPTED:
        return f"Done: the storage key of {cluster} is {key}."
    if outcome is Outcome.UNKNOWN:
        return f"Unknown whether the storage key of {cluster} was set. Only one request was sent."
    return f"Not done: the storage key of {cluster} was not set."


def result_words(result: OperationResult, key: str) -> tuple[str, Tone]:
    """The same of a request that was tried, with what a look has shown, and its tone."""
    sent, request = result.sent, result.request
    said = outcome_sentence(sent.outcome, request.cluster_name or request.cluster_number, key)
    if sent.resolution is not None:
        evidence = sent.resolution.evidence
        said = f"{said} {evidence[:1].upper()}{evidence[1:]}"
    tones = {Outcome.ACCEPTED: Tone.GOOD, Outcome.UNKNOWN: Tone.WARNING}
    return said, tones.get(sent.outcome, Tone.BAD)


def check_sentence(after: KeyRead) -> str:
    """The bucket list after it, as a check and no more."""
    if after.state is KeyState.NOT_SET:
        return f"Check: {after.sentence} NCP may need a moment; look at the buckets again."
    return f"Check: {after.sentence}"


def result_document(
    outcome: Outcome, result: OperationResult | None, before: KeyRead | None, after: KeyRead | None
) -> dict[str, Any]:
    """What is known of it, for scripts, beside cluster and key."""
    sent = result.sent if result is not None else None
    found = sent.resolution if sent is not None else None
    return {
        "outcome": outcome.value,
        "resolved_by": found.source if found is not None and outcome is Outcome.ACCEPTED else None,
        "request_id": sent.request_id if sent is not None else None,
        "attempts": sent.attempts if sent is not None else int(outcome in {Outcome.UNKNOWN, Outcome.ACCEPTED}),
        "key_before": before.state.value if before is not None else None,
        "bucket_list": after.document() if after is not None else None,
    }


def draft_lines(draft: StorageKeyDraft) -> Iterator[str]:
    """The checks of a preview, a line each."""
    yield from (f"{check.subject}: {check.sentence}" for check in draft.checks)
