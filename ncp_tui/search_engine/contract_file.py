"""What a contract check found, as others may read it: in one file for a public issue, without a key or a name.

The stand-ins are those of the report on the terminal too, so that both can be talked about.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import ncp_tui
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.contract import BELIEFS, Field, Holds
from ncp_tui.search_engine.contract_check import Reading, without_secrets
from ncp_tui.search_engine.contract_comparison import Unread, compare
from ncp_tui.search_engine.contract_findings import Comparison, Difference, DifferenceKind, Doubt, Fact, FactKind
from ncp_tui.search_engine.stand_ins import StandIns
from ncp_tui.system.private_files import create_private_file
from ncp_tui.system.redact import redact
from ncp_tui.system.time_zone import timestamp
from ncp_tui.text import json_text

FORMAT = 1
"""Of the file; it grows when a member changes its meaning."""


_CODE = re.compile(r"[0-9]{1,10}")


class CannotWriteContract(Problem):
    """The file was not written, and nothing that was there was touched."""

    kind = "cannot_write_contract"


@dataclass(frozen=True)
class ContractReport:
    """What a check found, with stand-ins for everything that is the user's."""

    made_at: datetime
    site: str
    region: str
    is_ncp: bool
    """Whether it was a gateway of NCP that answered."""
    comparisons: tuple[Comparison, ...]
    answers: tuple[tuple[Reading, Any], ...]
    """Each reading with its answer as others may read it."""

    @property
    def differences(self) -> list[Difference]:
        """All of them, those that are more than additions first."""
        found = [each for one in self.comparisons for each in one.differences]
        return sorted(found, key=lambda each: each.is_addition)

    @property
    def facts(self) -> list[Fact]:
        """What is certain now."""
        return [each for one in self.comparisons for each in one.facts]

    @property
    def doubts(self) -> list[Doubt]:
        """What stays doubtful."""
        return [each for one in self.comparisons for each in one.doubts]

    @property
    def problem(self) -> GatewayError | None:
        """The first reason why an operation could not be read."""
        return next((one.problem for one in self.comparisons if one.problem is not None), None)

    @property
    def has_answers(self) -> bool:
        """Whether anything came that could be compared."""
        return any(reading.is_answer for reading, _ in self.answers)


def report_on(
    readings: Sequence[Reading],
    *,
    made_at: datetime,
    site: str,
    region: str,
    is_ncp: bool,
    masks: Mapping[str, str],
    private: Mapping[str, Holds | str],
    unread: Unread,
) -> ContractReport:
    """Compare and replace. `masks` has what stands for each secret, `private` for what is the user's beside answers.

    `unread` is as for `compare`.
    """
    readings = without_secrets(readings, masks)
    stand_ins = StandIns(private)
    for reading in readings:
        stand_ins.learn(reading.payload, BELIEFS[reading.operation].envelope)
    comparisons = [_public(comparison, stand_ins) for comparison in compare(readings, unread)]
    answers = [(each, stand_ins.copy(each.payload, BELIEFS[each.operation].envelope)) for each in readings]
    return ContractReport(made_at, site, region, is_ncp, tuple(comparisons), tuple(answers))


def file_name(made_at: datetime) -> str:
    """`contract-<time>.json`: no name of a cluster is in it."""
    return f"contract-{made_at:%Y%m%d-%H%M%S}.json"


def write_contract(report: ContractReport, target: Path | None, masks: Mapping[str, str]) -> Path:
    """Write the file, readable by the user alone, and return where it is: `target`, or a new file in this folder.

    It blocks on the disk. Raises CannotWriteContract, also where `target` is there already.
    """
    path = target or Path(file_name(report.made_at))
    try:
        path = path.absolute()
        create_private_file(path, contract_text(report, masks).encode())
    except OSError as error:
        why = "it is there already" if isinstance(error, FileExistsError) else os.strerror(error.errno or 0)
        raise CannotWriteContract(
            f"{path} was not written: {why}.",
            "Nothing that was there was touched.",
            "Choose another file.",
            NextAction("evidence.output"),
        ) from None
    return path


def contract_text(report: ContractReport, masks: Mapping[str, str]) -> str:
    """The file as it is written: JSON that is inert on a terminal and holds none of the secrets."""
    return json_text(redact(_file_document(report), masks), indent=2) + "\n"


def report_document(report: ContractReport) -> dict[str, Any]:
    """What was found, for scripts; it is in the file too."""
    return {
        "at": timestamp(report.made_at),
        "differences": [_difference(each) for each in report.differences],
        "facts": [_fact(each) for each in report.facts],
        "doubtful": [
            {"operation": each.operation, "field": each.path or None, "question": each.question}
            for each in report.doubts
        ],
        "operations": [_operation(reading) for reading, _ in report.answers],
    }


def _file_document(report: ContractReport) -> dict[str, Any]:
    found = report_document(report)
    answers = [
        operation | {"answer": answer}
        for operation, (_, answer) in zip(found.pop("operations"), report.answers, strict=True)
    ]
    return {
        "contract_check": FORMAT,
        "program": {"ncp-tui": ncp_tui.__version__},
        "site": report.site,
        "region": report.region,
        "gateway": "ncp" if report.is_ncp else "another",
        **found,
        "believed": {name: list(_fields(belief.envelope, "")) for name, belief in BELIEFS.items()},
        "answers": answers,
    }


def _fields(fields: Iterable[Field], path: str) -> Iterable[str]:
    """`result.isLast: boolean, always (docs)`, a line each."""
    for each in fields:
        place = f"{path}.{each.name}" if path else each.name
        yield f"{place}: {each.kind}, {each.presence} ({each.grade})"
        yield from _fields(each.fields, place + ("[]" if each.kind == "array" else ""))


def _operation(reading: Reading) -> dict[str, Any]:
    problem = reading.problem
    state = "compared" if problem is None else "refused" if reading.is_answer else "not_read"
    return {
        "operation": reading.operation,
        "asked": dict(reading.asked),
        "state": state,
        "reason": problem.kind if problem is not None else None,
        "status": problem.status if problem is not None else 200,
        "code": "0" if problem is None else _code(problem.code),
    }


def _code(code: str | None) -> str | None:
    """A code as it came; it may be any text."""
    return code if code is None or _CODE.fullmatch(code) else "(no number)"


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "operation": each.operation,
        "kind": each.kind.value,
        "field": each.path or None,
        "believed": each.believed or None,
        "seen": list(each.seen),
        "count": each.count or None,
        "of": each.of or None,
        "is_addition": each.is_addition,
    }


def _fact(each: Fact) -> dict[str, Any]:
    return {
        "operation": each.operation,
        "kind": each.kind.value,
        "field": each.path or None,
        "seen": list(each.seen),
        "count": each.count or None,
    }


def _public(comparison: Comparison, stand_ins: StandIns) -> Comparison:
    return replace(
        comparison,
        differences=tuple(_public_difference(each, stand_ins) for each in comparison.differences),
        facts=tuple(_public_fact(each, stand_ins) for each in comparison.facts),
    )


def _public_difference(each: Difference, stand_ins: StandIns) -> Difference:
    if each.kind is DifferenceKind.UNKNOWN_FIELD:
        return _public_path(each, stand_ins)
    if each.kind is DifferenceKind.OTHER_NAME:
        return replace(each, seen=tuple(map(stand_ins.field_name, each.seen)))
    if each.kind is DifferenceKind.UNKNOWN_WORD:
        return replace(each, seen=tuple(map(stand_ins.word, each.seen)))
    if each.kind is DifferenceKind.OTHER_CLUSTER:
        seen = tuple(stand_ins.name(number, Holds.NUMBER) for number in each.seen)
        return replace(each, believed=stand_ins.name(each.believed, Holds.NUMBER), seen=seen)
    if each.kind in {DifferenceKind.NOT_UNDERSTOOD, DifferenceKind.OTHER_PAGE, DifferenceKind.REFUSED}:
        return replace(each, seen=tuple(map(stand_ins.plain, each.seen)))
    return each


def _public_path(each: Difference, stand_ins: StandIns) -> Difference:
    """The place of an unknown field with its name, or of those that were too many to name."""
    shown = stand_ins.field_name(each.name) if each.name else ""
    return replace(each, path=".".join(part for part in (each.path, shown) if part), name=shown)


def _public_fact(each: Fact, stand_ins: StandIns) -> Fact:
    if each.kind is FactKind.WORDS:
        return replace(each, seen=tuple(map(stand_ins.word, each.seen)))
    if each.path.endswith(".duration"):
        return replace(each, seen=tuple(map(stand_ins.text, each.seen)))
    if each.kind is FactKind.STATES:
        return replace(each, seen=(stand_ins.text(each.seen[0]), *each.seen[1:]))
    if each.kind in {FactKind.KEY_NOT_SET, FactKind.PAGE_SIZE}:
        return replace(each, seen=tuple(map(stand_ins.plain, each.seen)))
    return each
