"""Markdown as lines of a terminal."""

from __future__ import annotations

from ncp_tui.guide.markdown import page_lines, page_text
from tests.tables import each_row

FORMS = [
    ("# Title", "Title\n====="),
    ("## Part", "Part\n----"),
    ("### Small", "Small"),
    ("one\ntwo **three**", "one two three"),
    ("one two three four five six", "one two three four\nfive six"),
    ("- one two three four five\n- six", "- one two three four\n  five\n- six"),
    ("- one\n  two\n\nthree", "- one two\n\nthree"),
    ("1. one\n10. two two two two two", "1. one\n10. two two two two\n    two"),
    ("text\n- item", "text\n- item"),
    ("`**a** [b](c)`", "`**a** [b](c)`"),
    ("```sh\ncode  **x** that is never broken at all\n\n# no title\n```", None),
    ("| a | `b` **c** |\n|---|---|", "| a | `b` **c** |\n|---|---|"),
    ("[Keys](keys.md)", "Keys"),
    ("[Here](keys.md)", "Here (topic keys)"),
    ("[A](https://x/y)", "A (https://x/y)"),
    ("[A](#part)", "A"),
    ("![words](../../screenshots/x.svg)", "Picture:\nscreenshots/x.svg"),
    ("<!-- command: x -->\ntext", "text"),
    ("", ""),
]


@each_row(("source", "text"), FORMS)
def test_each_form(source: str, text: str | None) -> None:
    expected = "    code  **x** that is never broken at all\n\n    # no title" if text is None else text
    shown = page_text(source, 20)
    assert shown.replace("Picture: ", "Picture:\n") == expected


def test_headings_are_strong_and_nothing_else() -> None:
    assert [line.text for line in page_lines("# A\n\ntext\n\n### B") if line.is_strong] == ["A", "=", "B"]


def test_what_is_not_closed_is_shown() -> None:
    assert page_text("```\ncode") == "    code"
    assert page_text("`a [b](c)") == "`a [b](c)"
