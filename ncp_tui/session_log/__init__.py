"""What happened in a run, as data: in memory for the screen, as JSON lines on disk for whoever must prove it later."""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.session_log.file import KEPT, LARGEST, LogFile, LogUnwritable
    from ncp_tui.session_log.lines import Line, action_line, request_line
    from ncp_tui.session_log.log import MOST_ACTIONS, MOST_EXCHANGES, MOST_LARGE_BYTES, Action, Listener, SessionLog
    from ncp_tui.session_log.reading import read_json_lines, read_log
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "file": "KEPT LARGEST LogFile LogUnwritable",
            "lines": "Line action_line request_line",
            "log": "MOST_ACTIONS MOST_EXCHANGES MOST_LARGE_BYTES Action Listener SessionLog",
            "reading": "read_json_lines read_log",
        },
    )

__all__ = [
    "KEPT",
    "LARGEST",
    "MOST_ACTIONS",
    "MOST_EXCHANGES",
    "MOST_LARGE_BYTES",
    "Action",
    "Line",
    "Listener",
    "LogFile",
    "LogUnwritable",
    "SessionLog",
    "action_line",
    "read_json_lines",
    "read_log",
    "request_line",
]
