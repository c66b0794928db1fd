"""Answers compared with what is believed of them: what differs, what is certain now, and what stays doubtful.

An answer may hold anything: of long lists a part is compared, of names that are not known a part is kept, and nothing
follows what is nested deeper than the contract.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.search_engine import fields as members
from ncp_tui.search_engine.contract import BELIEFS, SHAPES, Belief, Field, Holds, Kind, Presence
from ncp_tui.search_engine.contract_check import PAGE_SIZES, Reading
from ncp_tui.search_engine.contract_findings import Comparison, Difference, DifferenceKind, Doubt, Fact, FactKind
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.search_engine.operations import KEY_NOT_SET
from ncp_tui.search_engine.stand_ins import shape_of

_MOST_COMPARED = 1_000
_MOST_NAMES = 40
"""Unknown names of one object, and words of one field, that are kept."""

_MOST_SEARCHED = 200
"""Unknown names of one object among which one is looked for that is known by another spelling."""


Unread = Mapping[str, Callable[[Mapping[str, Any]], Sequence[str]]]
"""By operation: the fields of a row from which whoever uses it can read nothing."""


def compare(readings: Sequence[Reading], unread: Unread = MappingProxyType({})) -> list[Comparison]:
    """Compare the answers with the contract, by operation; `unread` also with what is made of them."""
    found = []
    for name, belief in BELIEFS.items():
        own = tuple(reading for reading in readings if reading.operation == name)
        found.append(_Compared(belief, own, unread.get(name)).comparison())
    return found


@dataclass
class _Seen:
    """What all answers to an operation have at one place."""

    objects: int = 0
    kinds: dict[str, Counter[Kind]] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, Counter[Kind]] = field(default_factory=dict)
    left_out: int = 0
    values: dict[str, Counter[str]] = field(default_factory=dict)


class _Compared:
    def __init__(
        self,
        belief: Belief,
        readings: tuple[Reading, ...],
        unread: Callable[[Mapping[str, Any]], Sequence[str]] | None = None,
    ) -> None:
        self._belief, self._readings, self._unread = belief, readings, unread
        self._seen: dict[str, _Seen] = {}
        self._fullest: Reading | None = None
        self._odd: dict[str, Counter[Kind]] = {}
        """Items of lists that are no objects, by the place of the list."""
        self._differences: list[Difference] = []
        self._facts: list[Fact] = []
        self._doubts: list[Doubt] = []

    def comparison(self) -> Comparison:
        for reading in self._readings:
            if reading.problem is not None and reading.is_answer:
                self._refusal(reading, reading.problem)
        self._fullest = max((each for each in self._readings if each.problem is None), key=self._count, default=None)
        if self._fullest is not None:
            self._take_in(self._fullest.payload, self._belief.envelope, "")
            self._judge(self._belief.envelope, "")
            self._judge_results()
        self._remaining_doubts()
        return Comparison(
            self._belief.operation,
            self._readings,
            tuple(dict.fromkeys(self._differences)),
            tuple(dict.fromkeys(self._facts)),
            tuple(self._doubts),
        )

    # What is there

    def _take_in(self, value: Mapping[str, Any], fields: Sequence[Field], path: str) -> None:
        seen = self._seen.setdefault(path, _Seen())
        seen.objects += 1
        names = {known.name for known in fields}
        unknown = {name: each for name, each in value.items() if name not in names}
        for known in fields:
            name = known.name
            if name not in value and (other := _same_by_another_name(known, unknown)) is not None:
                seen.renamed.setdefault(name, other)
                inner = unknown.pop(other)
            elif name in value:
                inner = value[name]
            else:
                continue
            seen.kinds.setdefault(name, Counter())[kind_of(inner)] += 1
            self._take_in_member(known, inner, path, seen)
        for name, each in unknown.items():
            if name in seen.unknown or len(seen.unknown) < _MOST_NAMES:
                seen.unknown.setdefault(name, Counter())[kind_of(each)] += 1
            else:
                seen.left_out += 1

    def _take_in_member(self, known: Field, inner: Any, path: str, seen: _Seen) -> None:
        if known.kind is Kind.OBJECT and isinstance(inner, Mapping):
            self._take_in(inner, known.fields, _below(path, known))
        elif known.kind is Kind.LIST and isinstance(inner, list) and known.fields:
            for item in inner[:_MOST_COMPARED]:
                if isinstance(item, Mapping):
                    self._take_in(item, known.fields, _below(path, known))
                else:
                    self._odd.setdefault(_below(path, known), Counter())[kind_of(item)] += 1
        elif known.holds in {Holds.WORD, Holds.MESSAGE, Holds.DATE} or known.name == "duration":
            values = seen.values.setdefault(known.name, Counter())
            text = _value_of(known, inner)
            if text and (text in values or len(values) < _MOST_NAMES):
                values[text] += 1

    # What it says

    def _judge(self, fields: Sequence[Field], path: str) -> None:
        seen = self._seen.get(path)
        if seen is None:
            return
        wrong = len(self._differences)
        for known in fields:
            self._judge_field(known, path, seen)
        for name, kinds in seen.unknown.items():
            kind = DifferenceKind.UNKNOWN_FIELD
            self._differ(kind, path, seen=_kinds(kinds), count=kinds.total(), of=seen, name=name)
        if seen.left_out:
            self._differ(DifferenceKind.UNKNOWN_FIELD, path, seen=("more",), count=seen.left_out, of=seen)
        as_believed = all(each.is_addition for each in self._differences[wrong:])
        if path and as_believed:
            self._facts.append(Fact(self._belief.operation, FactKind.FIELDS, path, count=seen.objects))
        for known in fields:
            if known.fields:
                self._judge(known.fields, _below(path, known))

    def _judge_field(self, known: Field, path: str, seen: _Seen) -> None:
        place, kinds = _join(path, known.name), seen.kinds.get(known.name, Counter())
        there = kinds.total() - kinds[Kind.NULL]
        if known.presence is Presence.DOUBTFUL:
            words = ("there",) if kinds.total() else ("missing",)
            self._facts.append(Fact(self._belief.operation, FactKind.PRESENCE, place, words, seen.objects))
        if known.name in seen.renamed:
            self._differ(DifferenceKind.OTHER_NAME, place, known.name, (seen.renamed[known.name],))
        elif kinds.total() < seen.objects and (known.presence is Presence.ALWAYS):
            self._differ(DifferenceKind.MISSING, place, known.kind, count=seen.objects - kinds.total(), of=seen)
        others = {kind: count for kind, count in kinds.items() if kind is not known.kind}
        if known.presence is not Presence.ALWAYS:
            others.pop(Kind.NULL, None)
        for kind, count in others.items():
            self._differ(DifferenceKind.OTHER_TYPE, place, known.kind, (kind,), count=count, of=seen)
        if there and known.holds is Holds.WORD:
            self._judge_words(known, place, seen.values.get(known.name, Counter()))
        elif there and (known.holds is Holds.DATE or known.name == "duration"):
            self._judge_shapes(known, place, seen.values.get(known.name, Counter()))

    def _judge_words(self, known: Field, place: str, values: Counter[str]) -> None:
        self._facts.append(Fact(self._belief.operation, FactKind.WORDS, place, tuple(values), values.total()))
        if known.words:
            for word in values:
                if word not in known.words:
                    self._differ(
                        DifferenceKind.UNKNOWN_WORD, place, ", ".join(known.words), (word,), count=values[word]
                    )

    def _judge_shapes(self, known: Field, place: str, shapes: Counter[str]) -> None:
        self._facts.append(Fact(self._belief.operation, FactKind.FORMAT, place, tuple(shapes), shapes.total()))
        believed = SHAPES.get(known.name)
        others = [shape for shape in shapes if shape != believed]
        if believed and others:
            self._differ(DifferenceKind.OTHER_FORMAT, place, believed, tuple(others))

    def _judge_results(self) -> None:
        for place, kinds in self._odd.items():
            self._differ(DifferenceKind.OTHER_TYPE, place, Kind.OBJECT, _kinds(kinds), count=kinds.total())
        for reading in self._readings:
            result = reading.payload.get("result") if reading.problem is None else None
            if isinstance(result, Mapping):
                self._judge_page(reading, result)
                self._judge_cluster(reading, result)
        for known in _result_fields(self._belief):
            if known.newest_first_by:
                self._judge_order(known)
        if self._belief.operation == "getSnapshotHistory":
            self._judge_messages()
        if self._unread is not None:
            self._judge_unread(self._unread)

    def _judge_page(self, reading: Reading, result: Mapping[str, Any]) -> None:
        if "pageSize" not in reading.asked:
            return
        asked, rows, total = int(reading.asked["pageSize"]), self._rows(result), members.number(result, "totalCount")
        said, is_last = members.number(result, "pageSize"), members.flag(result, "isLast")
        expected = min(asked, total) if total is not None else None
        came = (str(asked), str(rows), "-" if total is None else str(total), "-" if said is None else str(said))
        self._facts.append(Fact(self._belief.operation, FactKind.PAGE_SIZE, "pageSize", came))
        if asked == PAGE_SIZES[0] and ((expected is not None and rows != expected) or said not in {None, asked}):
            self._differ(DifferenceKind.OTHER_PAGE, "pageSize", str(asked), came[1:])
        if members.number(result, "currentPage") not in {None, 1}:
            self._differ(DifferenceKind.OTHER_PAGE, "currentPage", "1", (str(result.get("currentPage")),))
        if is_last and total is not None and total != rows:
            self._differ(DifferenceKind.OTHER_COUNT, "totalCount", str(rows), (str(total),))
        hidden = len(members.members(result, "disallowedClusters"))
        if is_last and hidden and total in {rows, rows - hidden}:
            word = "both" if total == rows else "allowed"
            self._facts.append(Fact(self._belief.operation, FactKind.COUNT, "totalCount", (word,)))

    def _judge_order(self, known: Field) -> None:
        items = [item for place, item in self._all_rows() if place == f"result.{known.name}[]"]
        order = order_of(items, known.newest_first_by)
        if order is None:
            return
        self._facts.append(Fact(self._belief.operation, FactKind.ORDER, known.name, (order,), len(items)))
        if order != NEWEST_FIRST:
            self._differ(DifferenceKind.OTHER_ORDER, known.name, NEWEST_FIRST, (order,))

    def _judge_cluster(self, reading: Reading, result: Mapping[str, Any]) -> None:
        answered = members.text(result, "serviceGroupInstanceNo")
        if self._belief.operation == "getClusterInfo" and answered and answered != reading.number:
            place = "result.serviceGroupInstanceNo"
            self._differ(DifferenceKind.OTHER_CLUSTER, place, reading.number, (answered,))

    def _judge_messages(self) -> None:
        """As what each message of the history is read."""
        read: dict[str, SnapshotState] = {}
        for _, item in self._all_rows():
            row = HistoryEntry.read(item)
            if row.message not in read and len(read) < _MOST_NAMES:
                read[row.message] = row.state
        place = "result.snapshotHistoryResponseList[].message"
        for message, state in read.items():
            self._facts.append(Fact(self._belief.operation, FactKind.STATES, place, (message, state.value)))

    def _judge_unread(self, unread: Callable[[Mapping[str, Any]], Sequence[str]]) -> None:
        found = Counter[tuple[str, str]]()
        for place, item in self._all_rows():
            for name in unread(item):
                if item.get(name) is None:
                    continue  # missing or null, which is told of the field
                each = (f"{place}.{name}", members.as_it_came(item, name))
                if each in found or len(found) < _MOST_NAMES:
                    found[each] += 1
        told = {each.path for each in self._differences if each.kind is DifferenceKind.UNKNOWN_WORD}
        for (place, value), count in found.items():
            if place not in told:
                self._differ(DifferenceKind.NOT_UNDERSTOOD, place, "", (value,), count=count)

    def _all_rows(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The rows of the fullest answer, each with its place."""
        result = self._fullest.payload.get("result") if self._fullest is not None else None
        for known in _result_fields(self._belief):
            if known.name in self._belief.rows:
                place = f"result.{known.name}[]"
                renamed = self._seen[place].renamed if place in self._seen else {}
                for item in members.members(result, self._name_of(known))[:_MOST_COMPARED]:
                    yield place, {**item, **{name: item.get(other) for name, other in renamed.items()}}

    def _refusal(self, reading: Reading, problem: GatewayError) -> None:
        came = (str(problem.status or "-"), problem.code or "-")
        if self._belief.operation == "getBucketList" and problem.code == KEY_NOT_SET:
            self._facts.append(Fact(self._belief.operation, FactKind.KEY_NOT_SET, "code", came))
            return
        size = reading.asked.get("pageSize")
        if size == str(PAGE_SIZES[1]) and any(each.problem is None for each in self._readings):
            self._facts.append(Fact(self._belief.operation, FactKind.PAGE_SIZE, "pageSize", (size, "refused", *came)))
            return
        self._differ(DifferenceKind.REFUSED, "", "200", came)

    # What stays open

    def _remaining_doubts(self) -> None:
        certain = {fact.path for fact in self._facts} | {each.path for each in self._differences}
        for path, known in _all_fields(self._belief.envelope, ""):
            place = known.name if known.newest_first_by else _join(path, known.name)
            if known.doubt and place not in certain and _below(path, known) not in certain:
                self._doubts.append(Doubt(self._belief.operation, place, known.doubt))
        kinds = {fact.kind for fact in self._facts}
        answered = {
            "totalCount": FactKind.COUNT in kinds,
            "pageSize": self._limit_is_known(),
            "storage key": FactKind.KEY_NOT_SET in kinds,
        }
        for question in self._belief.doubts:
            if not any(is_known and subject in question for subject, is_known in answered.items()):
                self._doubts.append(Doubt(self._belief.operation, "", question))

    def _limit_is_known(self) -> bool:
        """Whether a page came that is smaller than was asked and than there are rows, or the size was refused."""
        for fact in self._facts:
            if fact.kind is FactKind.PAGE_SIZE:
                asked, rows, *more = fact.seen
                if rows == "refused" or (more[0].isdecimal() and int(rows) < min(int(asked), int(more[0]))):
                    return True
        return False

    def _count(self, reading: Reading) -> int:
        result = reading.payload.get("result")
        return self._rows(result) if isinstance(result, Mapping) else 0

    def _rows(self, result: Mapping[str, Any]) -> int:
        return sum(
            len(found)
            for known in _result_fields(self._belief)
            if known.name in self._belief.rows and isinstance(found := result.get(self._name_of(known)), list)
        )

    def _name_of(self, known: Field) -> str:
        """What a list is called in these answers."""
        seen = self._seen.get("result")
        return seen.renamed.get(known.name, known.name) if seen is not None else known.name

    def _differ(
        self,
        kind: DifferenceKind,
        path: str,
        believed: str = "",
        seen: tuple[str, ...] = (),
        *,
        count: int = 0,
        of: _Seen | None = None,
        name: str = "",
    ) -> None:
        objects = of.objects if of is not None else 0
        self._differences.append(Difference(self._belief.operation, kind, path, believed, seen, count, objects, name))


NEWEST_FIRST, OLDEST_FIRST, NO_ORDER = "newest first", "oldest first", "neither newest nor oldest first"


def order_of(items: Sequence[Mapping[str, Any]], date: str) -> str | None:
    """How rows are ordered by a date; None where fewer than two have different ones."""
    moments = [moment for item in items if (moment := members.moment(item, date)) is not None]
    steps = {one > other for one, other in itertools.pairwise(moments) if one != other}
    if not steps:
        return None
    return NO_ORDER if len(steps) > 1 else NEWEST_FIRST if steps == {True} else OLDEST_FIRST


def kind_of(value: Any) -> Kind:
    """The type of a value of JSON."""
    if value is None:
        return Kind.NULL
    if isinstance(value, bool):
        return Kind.FLAG
    if isinstance(value, int):
        return Kind.INTEGER
    if isinstance(value, float):
        return Kind.REAL
    return Kind.TEXT if isinstance(value, str) else Kind.LIST if isinstance(value, list) else Kind.OBJECT


_SECONDS_BELOW = 10**11
_DURATION = re.compile(r"[\d.,: ]{0,20}(?:[^\W\d_]{1,8}[\d.,: ]{0,20}){0,4}")


def _value_of(known: Field, value: Any) -> str:
    """A word as it came; of a date or a duration its shape."""
    if known.holds is Holds.DATE or known.name == "duration":
        if isinstance(value, int) and not isinstance(value, bool):
            return "epoch seconds" if abs(value) < _SECONDS_BELOW else "epoch milliseconds"
        if known.name == "duration" and isinstance(value, str) and _DURATION.fullmatch(value):
            return re.sub(r"\d+", "9", value)
        return shape_of(value) if isinstance(value, str) else ""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _same_by_another_name(known: Field, unknown: Mapping[str, Any]) -> str | None:
    """A member that is the same but for its spelling; of a list also one whose rows have most of its fields."""
    wanted = _bare(known.name)
    for name, value in itertools.islice(unknown.items(), _MOST_SEARCHED):
        if _bare(name) == wanted:
            return name
        if known.kind is Kind.LIST and known.fields and isinstance(value, list) and value:
            own = {each.name for each in known.fields}
            if isinstance(value[0], Mapping) and len(own & set(value[0])) * 2 >= len(own):
                return name
    return None


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _result_fields(belief: Belief) -> tuple[Field, ...]:
    return next(each.fields for each in belief.envelope if each.name == "result")


def _all_fields(fields: Sequence[Field], path: str) -> Iterator[tuple[str, Field]]:
    for each in fields:
        yield path, each
        yield from _all_fields(each.fields, _below(path, each))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _below(path: str, known: Field) -> str:
    return _join(path, known.name) + ("[]" if known.kind is Kind.LIST else "")


def _kinds(kinds: Counter[Kind]) -> tuple[str, ...]:
    return tuple(kind.value for kind, _ in kinds.most_common())
