"""How a contract check reads: what differs from what ncp-tui believes of the API, what is certain now, what is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ncp_tui.search_engine.contract_file import ContractReport, report_document
from ncp_tui.search_engine.contract_findings import Difference, DifferenceKind, Fact, FactKind
from ncp_tui.search_engine.models import SnapshotState
from ncp_tui.text import clean, plural
from ncp_tui.view.text import BLANK, Line, Tone, line, wrapped

_WIDTH = 76
_MOST_SHOWN = 60
_LONGEST = 70
"""Characters of a word from NCP in a sentence."""


def contract_document(report: ContractReport, path: Path | None, cluster: tuple[str, str] | None) -> dict[str, Any]:
    """A check for scripts; `cluster` is the name and number of the one that was asked about."""
    name, number = cluster or ("", "")
    return {
        "file": str(path) if path is not None else None,
        "cluster": {"name": name or None, "number": number} if cluster is not None else None,
        **report_document(report),
    }


def contract_lines(report: ContractReport, path: Path, cluster: tuple[str, str] | None) -> list[Line]:
    """What was asked, what differs, what is certain now, what stays doubtful, and where the file is."""
    differences = list(difference_sentences(report.differences))
    facts = list(fact_sentences(report.facts))
    doubts = [f"{each.operation}{_of(each.path)}: {each.question}" for each in report.doubts]
    unread = [
        f"{one.operation} was not compared: {one.problem.what}" for one in report.comparisons if one.problem is not None
    ]
    parts = [line(_asked(cluster))]
    parts += _section("Not compared:", unread, Tone.WARNING)
    count = plural(len(report.differences), "difference")
    parts += _section(f"{count} from what ncp-tui believes:", differences, Tone.WARNING)
    if not differences:
        parts += [BLANK, line("No difference from what ncp-tui believes was found.", Tone.GOOD)]
    parts += _section("Certain now:", facts)
    parts += _section("Still doubtful:", doubts, Tone.DIM)
    parts += [
        BLANK,
        line("Saved (only you can read it):"),
        line(str(path), Tone.STRONG),
        *_wrapped("Names, numbers, addresses and keys in it are replaced. Review it before you attach it to an issue."),
    ]
    return parts


def _asked(cluster: tuple[str, str] | None) -> str:
    if cluster is None:
        return "No cluster was asked about."
    name, number = cluster
    return f"Asked about cluster {clean(name)} ({number})." if name else f"Asked about cluster {number}."


def _section(title: str, sentences: Sequence[str], tone: Tone = Tone.PLAIN) -> Iterator[Line]:
    if sentences:
        yield BLANK
        yield line(title, Tone.STRONG)
        for sentence in sentences[:_MOST_SHOWN]:
            first, *more = wrapped(sentence, _WIDTH - 2)
            yield line(f"- {first}", tone)
            yield from (line(f"  {each}", tone) for each in more)
        if len(sentences) > _MOST_SHOWN:
            yield line(f"- and {len(sentences) - _MOST_SHOWN} more, all in the file", tone)


def _wrapped(sentence: str) -> Iterator[Line]:
    yield from map(line, wrapped(sentence, _WIDTH))


def difference_sentences(differences: Sequence[Difference]) -> Iterator[str]:
    """Each in a sentence; fields that are missing at one place are one, and come after the rest."""
    missing = defaultdict[tuple[str, str, str], list[str]](list)
    for each in differences:
        place, _, name = each.path.rpartition(".")
        if each.kind is DifferenceKind.MISSING and place:
            missing[each.operation, place, _how_often(each)].append(f"`{name}`")
        else:
            yield difference_sentence(each)
    for (operation, place, how_often), names in missing.items():
        are = "is" if len(names) == 1 else "are"
        yield f"{operation}: of `{_place(place)}` {', '.join(names)} {are} missing{how_often}."


def difference_sentence(each: Difference) -> str:
    """One thing that is not as believed, in a sentence."""
    return _SENTENCES[each.kind](each)


def _unknown_field(each: Difference) -> str:
    if not each.name:
        return f"{each.operation}: {each.count:,} more unknown fields{_in(each.path)}."
    place = each.path[: -len(each.name)].rstrip(".")
    return f"{each.operation}: unknown field `{each.name}`{_in(place)} ({' or '.join(each.seen)}{_how_often(each)})."


def _missing(each: Difference) -> str:
    return f"{each.operation}: `{_place(each.path)}` ({each.believed}) is missing{_how_often(each)}."


def _other_name(each: Difference) -> str:
    return f"{each.operation}: `{_place(each.path)}` is called `{_shown(each.seen)}`."


def _other_type(each: Difference) -> str:
    return f"{each.operation}: `{_place(each.path)}` is {_shown(each.seen)}{_how_often(each)}, not {each.believed}."


def _unknown_word(each: Difference) -> str:
    return f"{each.operation}: unknown word of `{_place(each.path)}`: {_shown(each.seen)}. Known: {each.believed}."


def _not_understood(each: Difference) -> str:
    times = f" ({plural(each.count, 'row')})" if each.count else ""
    return f"{each.operation}: nothing can be read from `{_place(each.path)}` {_shown(each.seen)!r}{times}."


def _other_format(each: Difference) -> str:
    return f"{each.operation}: `{_place(each.path)}` is written as {_shown(each.seen)}, not as {each.believed}."


def _other_order(each: Difference) -> str:
    return f"{each.operation}: the rows of `{_place(each.path)}` come {_shown(each.seen)}, not {each.believed}."


def _other_page(each: Difference) -> str:
    if each.path == "currentPage":
        return f"{each.operation}: page 1 was requested, and the response is of page {_shown(each.seen)}."
    rows, total, said = each.seen
    return (
        f"{each.operation}: pageSize={each.believed} was requested; {rows} of {total} rows came, and the response says "
        f"pageSize {said}."
    )


def _other_count(each: Difference) -> str:
    return f"{each.operation}: totalCount is {_shown(each.seen)}, and {each.believed} rows came on the only page."


def _other_cluster(each: Difference) -> str:
    return f"{each.operation}: cluster {each.believed} was requested, and the response is of {_shown(each.seen)}."


def _refused(each: Difference) -> str:
    status, code = each.seen
    return f"{each.operation}: refused with HTTP {status}, code {code}; it is not open here, or asks for more."


_SENTENCES: dict[DifferenceKind, Callable[[Difference], str]] = {
    DifferenceKind.UNKNOWN_FIELD: _unknown_field,
    DifferenceKind.MISSING: _missing,
    DifferenceKind.OTHER_NAME: _other_name,
    DifferenceKind.OTHER_TYPE: _other_type,
    DifferenceKind.UNKNOWN_WORD: _unknown_word,
    DifferenceKind.NOT_UNDERSTOOD: _not_understood,
    DifferenceKind.OTHER_FORMAT: _other_format,
    DifferenceKind.OTHER_ORDER: _other_order,
    DifferenceKind.OTHER_PAGE: _other_page,
    DifferenceKind.OTHER_COUNT: _other_count,
    DifferenceKind.OTHER_CLUSTER: _other_cluster,
    DifferenceKind.REFUSED: _refused,
}


def fact_sentences(facts: Sequence[Fact]) -> Iterator[str]:
    """What is certain now; what is alike in one operation is one sentence."""
    together = defaultdict[tuple[str, str], list[str]](list)
    for each in facts:
        if each.kind is FactKind.STATES:
            message, state = each.seen
            if state == SnapshotState.UNKNOWN:
                continue  # a difference, and nothing that is certain
            together[each.operation, f"messages read as {state}"].append(message or "(empty)")
        elif each.kind is FactKind.PRESENCE:
            known = (
                "doubtful fields that are there" if each.seen == ("there",) else "doubtful fields that are not there"
            )
            together[each.operation, known].append(f"`{_place(each.path)}`")
        elif (each.kind, each.path) != (FactKind.FIELDS, "result"):
            yield fact_sentence(each)
    for (operation, what), found in together.items():
        yield f"{operation}: {what}: {_shown(found)}."


def fact_sentence(each: Fact) -> str:
    """One thing that was seen, in a sentence."""
    operation, path = each.operation, _place(each.path)
    if each.kind is FactKind.FIELDS:
        return (
            f"{operation}: every believed field of `{path}`, its name and type: seen ({plural(each.count, 'object')})."
        )
    if each.kind is FactKind.WORDS:
        return f"{operation}: words of `{path}` seen: {_shown(each.seen)}."
    if each.kind is FactKind.FORMAT:
        return f"{operation}: `{path}` is written as {_shown(each.seen)} (9 is a digit)."
    if each.kind is FactKind.ORDER:
        return f"{operation} is {_shown(each.seen)}: seen ({plural(each.count, 'row')})."
    if each.kind is FactKind.COUNT:
        counts = "counts" if each.seen == ("both",) else "does not count"
        return f"{operation}: totalCount {counts} the clusters that this key may not open."
    if each.kind is FactKind.KEY_NOT_SET:
        return f"{operation}: without a storage key NCP answers with HTTP {each.seen[0]}, code {each.seen[1]}."
    return _page_size(each)


def _page_size(each: Fact) -> str:
    asked, rows, *more = each.seen
    if rows == "refused":
        return f"{each.operation}: pageSize={asked} is refused with HTTP {more[0]}, code {more[1]}."
    total, said = more
    return f"{each.operation}: pageSize={asked} was answered with {rows} of {total} rows, and says pageSize {said}."


def _place(path: str) -> str:
    """The place of a field, without what they all begin with."""
    return path.removeprefix("result.")


def _in(path: str) -> str:
    return f" in `{_place(path)}`" if path else ""


def _of(path: str) -> str:
    return f", `{_place(path)}`" if path else ""


def _how_often(each: Difference) -> str:
    return f" in {each.count:,} of {each.of:,}" if each.count and each.of > 1 else ""


def _shown(words: Sequence[str]) -> str:
    return ", ".join(clean(word, _LONGEST) for word in words)
