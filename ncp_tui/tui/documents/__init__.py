"""What the panels and boxes say, as lines of inert text with a tone: pure functions, without any UI import."""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.tui.documents.bodies import body_lines, raw_lines
    from ncp_tui.tui.documents.clusters import cluster_lines
    from ncp_tui.tui.documents.exchanges import request_lines, response_lines, timing_text
    from ncp_tui.tui.documents.history import history_lines
    from ncp_tui.tui.documents.journal import journal_lines
    from ncp_tui.tui.documents.lights import light_lines
    from ncp_tui.tui.documents.lines import BLANK, Line, Span, field, line, wrapped
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "bodies": "body_lines raw_lines",
            "clusters": "cluster_lines",
            "exchanges": "request_lines response_lines timing_text",
            "history": "history_lines",
            "journal": "journal_lines",
            "lights": "light_lines",
            "lines": "BLANK Line Span field line wrapped",
        },
    )

__all__ = [
    "BLANK",
    "Line",
    "Span",
    "body_lines",
    "cluster_lines",
    "field",
    "history_lines",
    "journal_lines",
    "light_lines",
    "line",
    "raw_lines",
    "request_lines",
    "response_lines",
    "timing_text",
    "wrapped",
]
