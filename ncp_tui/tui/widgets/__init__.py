"""The parts that screens are made of."""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.tui.widgets.exchange_panels import ExchangePanels
    from ncp_tui.tui.widgets.filter_bar import FilterBar
    from ncp_tui.tui.widgets.lines import Fact, HeaderLine, KeyLine, StatusLine, shown_bindings
    from ncp_tui.tui.widgets.problem_card import ProblemCard
    from ncp_tui.tui.widgets.record_table import RecordTable
    from ncp_tui.tui.widgets.secret_input import SecretInput
    from ncp_tui.tui.widgets.send_button import SendButton
    from ncp_tui.tui.widgets.text_input import TextInput
    from ncp_tui.tui.widgets.text_view import TextView
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "exchange_panels": "ExchangePanels",
            "filter_bar": "FilterBar",
            "lines": "Fact HeaderLine KeyLine StatusLine shown_bindings",
            "problem_card": "ProblemCard",
            "record_table": "RecordTable",
            "secret_input": "SecretInput",
            "send_button": "SendButton",
            "text_input": "TextInput",
            "text_view": "TextView",
        },
    )

__all__ = [
    "ExchangePanels",
    "Fact",
    "FilterBar",
    "HeaderLine",
    "KeyLine",
    "ProblemCard",
    "RecordTable",
    "SecretInput",
    "SendButton",
    "StatusLine",
    "TextInput",
    "TextView",
    "shown_bindings",
]
