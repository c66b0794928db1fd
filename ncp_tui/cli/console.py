"""`snapshot console`: the lines for Dev Tools about one snapshot, as text."""

from __future__ import annotations

from collections.abc import Sequence

from ncp_tui.cli.cluster_lookup import read_cluster
from ncp_tui.cli.errors import ExitCode, problem_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.rules import check_cluster
from ncp_tui.view.dev_tools import dev_tools_sheet, sheet_document, sheet_lines
from ncp_tui.view.text import plain_text


def show_console(context: CommandContext, wanted: str, name: str) -> ExitCode:
    """`snapshot console`. The notes are a part of the text; beside a JSON document they go to standard error.

    A history that cannot be read is a note: the lines are needed most when NCP answers least.
    """
    engine = context.connect(context.identity())
    with context.log.action(f"Dev Tools lines for {name}"):
        cluster = check_cluster(context.wait(read_cluster(engine, wanted)))
        rows: Sequence[HistoryEntry] = ()
        unread = ""
        try:
            rows = context.wait(engine.snapshot_history(cluster.number))
        except GatewayError as problem:
            unread = problem_words(problem)
    sheet = dev_tools_sheet(cluster, name, rows, unread)
    if context.out.json:
        for note in sheet.notes:
            context.out.note(note)
    context.out.answer(sheet_document(sheet), plain_text(sheet_lines(sheet)))
    return ExitCode.DONE
