"""A request and its answer: what was sent, what was signed, what came, and how long each part took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ncp_tui.gateway.exchange import LARGEST_SHOWN, Exchange, Headers, RequestRecord, Timings
from ncp_tui.text import clean
from ncp_tui.view.curl import as_curl
from ncp_tui.view.format import milliseconds, size
from ncp_tui.view.text import BLANK, Cell, Line, Span, Tone, body_lines, field, line, plain_text

_HEADER = 26


def exchange_word(exchange: Exchange) -> Cell:
    """The status of a request in a word or number, with the tone of what it means."""
    if exchange.error == "cancelled":
        return Cell("cancelled", Tone.DIM)
    if exchange.status is None:
        return Cell("no answer" if exchange.sent else "not sent", Tone.BAD)
    return Cell(str(exchange.status), Tone.BAD if exchange.error else Tone.GOOD)


def response_lines(exchange: Exchange) -> list[Line]:
    """A request and its answer: status, timings, body, headers, then the request side with the string to sign."""
    lines = list(_summary(exchange))
    if exchange.answer is not None:
        body = body_lines(exchange.pretty_body())
        if exchange.answer.forgotten:
            body = [line("(Response body discarded to save memory. Refresh to load it again.)", Tone.DIM)]
        if len(exchange.answer.body) > LARGEST_SHOWN:
            kept = f"Only the first {size(LARGEST_SHOWN)} of the response body are shown."
            body = [line(kept, Tone.WARNING), *body]
        lines += [BLANK, *body, BLANK, line("Response headers", Tone.STRONG)]
        lines += _header_lines(exchange.answer.headers)
    return [*lines, BLANK, *request_lines(exchange.request)]


def _summary(exchange: Exchange) -> Iterator[Line]:
    answer = exchange.answer
    word = exchange_word(exchange)
    head = [Span(f"{word.text} {answer.reason if answer else ''}".strip(), word.tone)]
    head.append(Span(f"   {milliseconds(exchange.timings.total)}"))
    if answer is not None:
        head.append(Span(f"   {size(answer.size)}"))
    yield tuple(head)
    if exchange.error_text:
        yield line(exchange.error_text, Tone.BAD)
    yield (Span(f"{exchange.request.method} ", Tone.STRONG), Span(clean(exchange.request.target)))
    if exchange.request_id:
        yield field("request ID", exchange.request_id)
    yield field("timing", timing_text(exchange.timings))
    if exchange.via_proxy:
        yield field("via proxy", exchange.via_proxy, Tone.WARNING)
    if exchange.attempt > 1:
        yield field("attempt", str(exchange.attempt))


def timing_text(timings: Timings) -> str:
    """`DNS 0 ms · connect 1 ms · first byte 180 ms · total 182 ms`; phases that did not happen are left out."""
    phases = (
        ("DNS", timings.dns),
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


def curl_lines(request: RequestRecord) -> list[Line]:
    """A request as a shell snippet that signs itself."""
    return [line(text) for text in as_curl(request).splitlines()]


def request_text(request: RequestRecord) -> str:
    """The request as a command prints it that would send it, and what sends it without us."""
    shell = line("Equivalent curl command", Tone.STRONG)
    return plain_text([*request_lines(request), BLANK, shell, *curl_lines(request)])


def request_document(request: RequestRecord) -> dict[str, Any]:
    """A request that was not sent, for scripts; keys and signature masked."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body": request.body,
        "string_to_sign": request.string_to_sign,
        "curl": as_curl(request),
    }


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
