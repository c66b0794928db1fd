"""What the panels say, as lines of inert text with a tone: pure functions, without any UI import."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ncp_tui.gateway import Exchange, Headers, RequestRecord, Timings, clean
from ncp_tui.search_engine import Cluster, Dashboard, HistoryEntry
from ncp_tui.tui.rows import Tone, exchange_word, milliseconds, size

_JSON_MEMBER = re.compile(r'^(\s*)("(?:[^"\\]|\\.)*")(: )(.*)$')
_LABEL, _HEADER = 12, 26


@dataclass(frozen=True)
class Span:
    """A run of text in one tone."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Span, ...]
BLANK: Line = ()


def line(text: str, tone: Tone = Tone.PLAIN) -> Line:
    """One line in one tone."""
    return (Span(text, tone),)


def field(label: str, value: str, tone: Tone = Tone.PLAIN, *, width: int = _LABEL) -> Line:
    """A label and its value, values standing below each other."""
    return (Span(f"{label:<{width}} ", Tone.DIM), Span(value, tone))


def response_lines(exchange: Exchange) -> list[Line]:
    """A request and its answer: status, timings, body, headers, then the request side with the string to sign."""
    lines = list(_summary(exchange))
    if exchange.answer is not None:
        lines += [BLANK, *body_lines(exchange.pretty_body()), BLANK, line("Response headers", Tone.STRONG)]
        lines += _header_lines(exchange.answer.headers)
    return [*lines, BLANK, *request_lines(exchange.request)]


def _summary(exchange: Exchange) -> Iterator[Line]:
    answer = exchange.answer
    word = exchange_word(exchange)
    head = [Span(f"{word.text} {answer.reason if answer else ''}".strip(), word.tone)]
    head.append(Span(f"   {milliseconds(exchange.timings.total)}"))
    if answer is not None:
        head.append(Span(f"   {size(len(answer.body))}"))
    yield tuple(head)
    if exchange.error_text:
        yield line(exchange.error_text, Tone.BAD)
    yield (Span(f"{exchange.request.method} ", Tone.STRONG), Span(clean(exchange.request.target)))
    if exchange.request_id:
        yield field("request id", exchange.request_id)
    yield field("time", timing_text(exchange.timings))
    if exchange.via_proxy:
        yield field("via proxy", exchange.via_proxy, Tone.WARNING)
    if exchange.attempt > 1:
        yield field("attempt", str(exchange.attempt))


def timing_text(timings: Timings) -> str:
    """`name 0 ms · connect 1 ms · first byte 180 ms · total 182 ms`; phases that did not happen are left out."""
    phases = (
        ("name", timings.dns),
        ("connect", timings.connect),
        ("TLS", timings.tls),
        ("first byte", timings.first_byte),
        ("total", timings.total),
    )
    return " · ".join(f"{name} {milliseconds(spent)}" for name, spent in phases if spent is not None)


def request_lines(request: RequestRecord) -> list[Line]:
    """The request as it is sent: request line, headers with the keys masked, body, string to sign."""
    lines = [
        line("Request", Tone.STRONG),
        (Span(f"{request.method} ", Tone.STRONG), Span(clean(request.url))),
    ]
    if request.body:
        lines += body_lines(_pretty(request.body))
    lines += [BLANK, *_header_lines(request.headers)]
    lines += [BLANK, line("String to sign", Tone.STRONG)]
    return [*lines, *_signed_lines(request.string_to_sign)]


def _header_lines(headers: Headers) -> list[Line]:
    return [field(name, value, width=_HEADER) for name, value in headers]


def _signed_lines(text: str) -> list[Line]:
    """The string to sign with its line feeds written out, since a byte more or less changes the signature."""
    *before, last = text.split("\n")
    return [(Span(clean(part)), Span("\\n", Tone.DIM)) for part in before] + [line(clean(last))]


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def body_lines(body: str) -> list[Line]:
    """A body in lines; names of JSON members stand out a little from their values."""
    return [_json_line(text) for text in body.split("\n")] if body else [line("(no body)", Tone.DIM)]


def _json_line(text: str) -> Line:
    found = _JSON_MEMBER.match(text)
    if found is None:
        return line(text)
    indent, name, colon, value = found.groups()
    return (Span(indent), Span(name + colon, Tone.DIM), Span(value))


def cluster_lines(cluster: Cluster, dashboard: Dashboard | None) -> list[Line]:
    """A cluster in full, members that nobody knows included."""
    lines = [
        field("cluster", cluster.name, Tone.STRONG),
        field("number", cluster.number),
        field("status", cluster.status or "-"),
        field("health", cluster.health or "-"),
        field("engine", cluster.engine or "-"),
        field("nodes", f"{cluster.nodes or '-'}   (manager + data + master)"),
        field("VPC", cluster.vpc or "-"),
        field("created", cluster.created or "-"),
    ]
    if dashboard is not None:
        lines += [
            BLANK,
            field("documents", dashboard.documents or "-"),
            field("indices", dashboard.indices or "-"),
            field("shards", dashboard.shards or "-"),
            field("store size", dashboard.store_size or "-"),
        ]
    return [*lines, BLANK, line("As the service gave it", Tone.STRONG), *raw_lines(cluster.raw)]


def history_lines(entry: HistoryEntry) -> list[Line]:
    """A row of the history in full, members that nobody knows included."""
    return [
        field("snapshot", entry.snapshot, Tone.STRONG),
        field("state", entry.state),
        field("bucket", entry.bucket or "-"),
        field("at", f"{entry.at:%Y-%m-%d %H:%M:%S} KST" if entry.at else "-"),
        field("kind", entry.kind or "-"),
        field("duration", entry.duration or "-"),
        field("message", entry.message or "-"),
        BLANK,
        line("As the service gave it", Tone.STRONG),
        *raw_lines(entry.raw),
    ]


def raw_lines(raw: Mapping[str, Any]) -> list[Line]:
    """An object of the service, untouched but inert."""
    return body_lines(json.dumps(dict(raw), indent=2, ensure_ascii=False, default=str))
