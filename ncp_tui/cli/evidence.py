"""`snapshot evidence`: local records and what NCP says now, in one file without keys."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ncp_tui.cli.cluster_lookup import find_cluster
from ncp_tui.cli.errors import ExitCode, NothingKnown, problem_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.environment import PROFILE_VARIABLE
from ncp_tui.profiles.identity import Identity
from ncp_tui.snapshots.evidence import Evidence, gather_evidence
from ncp_tui.snapshots.evidence_file import evidence_text, write_evidence
from ncp_tui.view.evidence import evidence_lines, history_gap
from ncp_tui.view.text import plain_text

_STANDARD_OUTPUT = Path("-")


def bundle_evidence(context: CommandContext, name: str, cluster: str, output: Path | None, offline: bool) -> ExitCode:
    """`snapshot evidence`. What cannot be read is a gap in the bundle, and no reason not to write it."""
    evidence = gather_evidence(name, context.workspace.paths, made_at=context.workspace.now(), cluster=cluster)
    identity = None
    try:
        identity = _identity(context, evidence)
        if offline:
            evidence = _with_gap(evidence, "The history was not read: --offline.")
        else:
            evidence = _with_history(context, identity, evidence, cluster)
    except Problem as problem:
        context.out.note(f"The history could not be read. {problem_words(problem)}")
        evidence = _with_gap(evidence, history_gap(problem))
    if evidence.is_empty and not (cluster and evidence.history is not None):
        raise NothingKnown(name)
    return _write(context, dataclasses.replace(evidence, identity=identity), output)


def _identity(context: CommandContext, evidence: Evidence) -> Identity:
    """The profile that requested the snapshot, unless the user names another. Raises NoCredentials."""
    entries = evidence.entries
    recorded = entries[-1].caller.profile if entries else next(_profiles(evidence), None)
    named = context.settings.profile or context.workspace.environ.get(PROFILE_VARIABLE)
    if recorded and not named and context.workspace.identities().find(recorded) is not None:
        return context.identity(recorded)
    return context.identity()


def _profiles(evidence: Evidence) -> Iterator[str]:
    for line in reversed(evidence.lines):
        if isinstance(line.get("profile"), str):
            yield line["profile"]


def _with_history(context: CommandContext, identity: Identity, evidence: Evidence, cluster: str) -> Evidence:
    """`evidence` with the rows of its name, as the history has them now. Raises a Problem."""
    wanted = cluster or evidence.cluster_number
    if not wanted:
        raise Problem("The cluster of this snapshot is not recorded.", "", "Add --cluster.")
    engine = context.connect(identity)
    # Its title does not hold the name: this look is in the bundle already, and must not be found in the next one.
    with context.log.action("read the history for evidence") as action:
        found = context.wait(find_cluster(engine, wanted))
        rows = context.wait(engine.snapshot_history(found.number))
    if rows.gap:
        evidence = _with_gap(evidence, rows.gap)
    return dataclasses.replace(
        evidence,
        cluster_name=found.name,
        cluster_number=found.number,
        clock_offset=engine.clock_offset,
        exchanges=(*evidence.exchanges, *action.exchanges),
        history=[row for row in rows if row.snapshot == evidence.snapshot],
    )


def _write(context: CommandContext, evidence: Evidence, output: Path | None) -> ExitCode:
    identities = context.workspace.identities().identities
    secrets = [*context.secrets, *(each.secret_key for each in identities if each.secret_key is not None)]
    access_keys = [key for each in identities for key in each.access_keys]
    if output == _STANDARD_OUTPUT:
        # Not as a document of its own making: this text is inert already, and it is the one document.
        context.out.made_document(_for_stdout(evidence, secrets, access_keys))
        return ExitCode.DONE
    path = write_evidence(evidence, output, secrets=secrets, access_keys=access_keys)
    context.out.answer({"file": str(path)}, plain_text(evidence_lines(evidence, path)))
    return ExitCode.DONE


def _for_stdout(evidence: Evidence, secrets: list[SecretKey], access_keys: list[str]) -> str:
    text = evidence_text(evidence, secrets=secrets, access_keys=access_keys).rstrip("\n")
    if (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf"):
        return text
    return json.dumps(json.loads(text), indent=2)


def _with_gap(evidence: Evidence, gap: str) -> Evidence:
    return dataclasses.replace(evidence, gaps=(*evidence.gaps, gap))
