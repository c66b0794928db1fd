"""A secret is found however it is written: whoever reads the record reads it back."""

from __future__ import annotations

import base64
import html
import json
import quopri
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from ncp_tui.gateway._httpx import httpx
from ncp_tui.gateway.body_reader import BodyReader
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.system.redact import Spellings, redact
from tests.tables import each_row

SIGNATURE = "FUFRsiXMk+n/bS2CkPmDZZQpbI/DLb03NaEKZBYo+K4="
KEY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"


def each(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(ord(letter), letter) for letter in text)


WAYS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "URL": lambda text: quote(text, safe=""),
    "URL in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "URL in small letters": lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "form": quote_plus,
    "form, read back": lambda text: text.replace("+", " "),
    "every letter in a URL": each("%{:02X}"),
    "PHP": lambda text: text.replace("/", "\\/"),
    "PHP in JSON": lambda text: json.dumps(text.replace("/", "\\/"))[1:-1],
    "Java": lambda text: text.replace("+", "\\u002b").replace("/", "\\u002F").replace("=", "\\u003D"),
    "every letter in JSON": each("\\u{:04x}"),
    "JSON in JSON": lambda text: json.dumps(each("\\u{:04x}")(text))[1:-1],
    "JavaScript": each("\\x{:02x}"),
    "HTML": lambda text: html.escape(text).replace("/", "&#47;").replace("+", "&#43;").replace("=", "&#61;"),
    "every letter in HTML": each("&#{:d};"),
    "every letter in HTML, in hexadecimal": each("&#x{:X};"),
    "HTML with noughts, twice": each("&amp;#0{:d};"),
    "names of HTML": lambda text: text.replace("+", "&plus;").replace("/", "&sol;").replace("=", "&equals;"),
    "mail": lambda text: quopri.encodestring(text.encode()).decode().replace("=\n", ""),
    "without padding": lambda text: text.rstrip("="),
    "base64 for URLs": lambda text: text.replace("+", "-").replace("/", "_").rstrip("="),
    "in base64": lambda text: base64.b64encode(f"key={text};".encode()).decode(),
    "in base64, one on": lambda text: base64.b64encode(f"keys={text}".encode()).decode(),
    "in base64, two on": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "in hexadecimal": lambda text: text.encode().hex(),
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
}


@each_row("way", WAYS.values(), ids=WAYS)
@each_row("secret", [SIGNATURE, KEY])
@each_row("filler", [0, 100_000])
def test_it_is_found(secret: str, way: Callable[[str], str], filler: int) -> None:
    """Also in a large answer, where it is looked for with less."""
    written = way(secret)
    masked = Spellings(secret).masked(f"{'x ' * filler}before [{written}] after", "****")
    assert written not in masked
    assert "****" in masked
    assert masked.rstrip().endswith("] after")
    assert not any(secret[start : start + 12] in masked for start in range(len(secret) - 12))


@each_row("way", WAYS.values(), ids=WAYS)
def test_no_record_and_no_evidence_repeats_it(way: Callable[[str], str]) -> None:
    written = way(SIGNATURE).replace("\x00", "")
    headers = [("x-echo", written), (f"x-{quote(SIGNATURE, safe='')}", "1")]
    head = httpx.Response(401, headers=headers, extensions={"reason_phrase": written.encode()})
    incoming = BodyReader(head, bytearray(f'{{"message": "bad [{written}]"}}'.encode()), is_whole=True)
    answer = incoming.answer([SecretKey(SIGNATURE)])
    redacted = redact({written: [written]}, {SIGNATURE: "****"})
    shown = f"{answer.reason} {answer.headers} {answer.body.decode()} {redacted}"
    assert written not in shown
    assert shown.count("****") >= 5


def test_what_is_cut_off_in_the_middle_of_it_is_hidden_too() -> None:
    for way in ("plain", "URL", "Java", "every letter in HTML", "every letter in JSON", "JavaScript", "mail", "UTF-16"):
        for secret in (KEY, SIGNATURE + "="):
            for length in range(4, len(secret)):
                text = f"before [{WAYS[way](secret[:length])}"
                cut = Spellings(secret).without_beginning_at_end(text, "****", 4)
                assert cut == "before [****", (way, secret[:length])
    for honest in ("", "before", KEY[:3], f"{KEY[:20]}!", f"{KEY} after", KEY[4:]):
        assert Spellings(KEY).without_beginning_at_end(honest, "****", 4) == honest


def test_honest_text_is_left_alone() -> None:
    text = f"{KEY[:20]} {KEY[::-1]} {SIGNATURE[:30]} 100%25 a=b&c \\u0041"
    assert Spellings(KEY).masked(Spellings(SIGNATURE).masked(text, "****"), "****") == text


def test_redaction_leaves_the_rest_alone() -> None:
    """A short key may be an honest word; numbers and structure stay."""
    document = {"a": ["snap", "snapshot", 3, None, True, {"snap": "x"}], "signature": "c2lnbmF0dXJlLXY=/+0123456789"}
    masks = dict.fromkeys(("snap", "c2lnbmF0dXJlLXY=/+0123456789"), "****")
    assert redact(document, masks) == {
        "a": ["****", "snapshot", 3, None, True, {"****": "x"}],
        "signature": "****",
    }
    longer = "0123456789abcdef-and-more"
    masked = redact(f"<{longer}>", dict.fromkeys((longer[:16], longer), "****"))
    assert masked == "<****>", "nothing is left of the longer one"
