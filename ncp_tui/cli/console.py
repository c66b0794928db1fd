"""`snapshot console`: the lines for Dev Tools about one snapshot, as text."""

from __future__ import annotations

from ncp_tui.cli.cluster_lookup import read_cluster
from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.runner import CommandContext
from ncp_tui.snapshots.rules import check_cluster
from ncp_tui.view.dev_tools import dev_tools_sheet, sheet_document, sheet_lines
from ncp_tui.view.text import plain_text


def show_console(context: CommandContext, wanted: str, name: str) -> ExitCode:
    """`snapshot console`. The notes are a part of the text; beside a JSON document they go to standard error."""
    engine = context.connect(context.identity())
    with context.log.action(f"Dev Tools lines for {name}"):
        cluster = check_cluster(context.wait(read_cluster(engine, wanted)))
        history = context.wait(engine.snapshot_history(cluster.number))
    sheet = dev_tools_sheet(cluster, name, history)
    if context.out.json:
        for note in sheet.notes:
            context.out.note(note)
    context.out.answer(sheet_document(sheet), plain_text(sheet_lines(sheet)))
    return ExitCode.DONE
