"""A journal that was tampered with, torn or cut: nothing false is claimed, and nothing is sent without a yes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.search_engine.operations import OPERATIONS
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_contents import DamagedJournal, OtherDamage
from ncp_tui.snapshots.journal_entry import JournalEvent, entries_of
from ncp_tui.snapshots.journal_file import JournalLine, _sum, read_journal, read_line, recorded, what_it_names
from ncp_tui.snapshots.outcome import Outcome, SnapshotRequest
from tests.snapshots.journals import CALLER, NOW, REQUEST, encoded, journal_in, named

OTHER = named("another")
THIRD = named("a-third")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return journal_in(tmp_path, clock=lambda: NOW)


def filled(journal: Journal) -> list[bytes]:
    """Three creates: REQUEST may have started, OTHER was accepted, THIRD was refused."""
    first, second, third = (journal.begin(request, CALLER) for request in (REQUEST, OTHER, THIRD))
    first.record(JournalEvent.SENT, attempt=1)
    second.record(JournalEvent.SENT, attempt=1)
    second.record(JournalEvent.ANSWERED, outcome="accepted")
    third.record(JournalEvent.SENT, attempt=1)
    second.record(JournalEvent.OUTCOME, outcome="accepted")
    third.record(JournalEvent.ANSWERED, outcome="refused")
    third.record(JournalEvent.OUTCOME, outcome="refused")
    first.record(JournalEvent.ANSWERED, outcome="unknown")
    for held in (first, second, third):
        held.release()
    return journal.path.read_bytes().splitlines()


def flipped(raw: bytes) -> Iterator[bytes]:
    """The line with one byte changed: at its ends, and in every member."""
    places = {0, len(raw) - 1, *(raw.index(name) + len(name) + 3 for name in (b'"v', b'"seq', b'"entry', b'"event'))}
    places |= {raw.index(b"snapshotName") + 18, raw.index(b'"sum') + 9, raw.index(b'"context') + 4, len(raw) // 2}
    for place in sorted(places):
        yield raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def replaced(raw: bytes) -> Iterator[bytes]:
    """What may stand in the place of a line."""
    document = json.loads(raw)
    yield b"\0" * len(raw)
    yield raw[: len(raw) // 2]
    yield raw[:-1]
    yield b'{"hello":"world"}'
    yield b"[1,2]"
    yield b"null"
    yield b"\xff\xfe" + raw
    yield json.dumps(document | {"entry": 7}).encode()
    yield json.dumps(document | {"event": "invented"}).encode()
    yield json.dumps({"id": document["entry"], "fact": "outcome", "outcome": "refused"}).encode()
    yield b"x" * 200_000
    yield from flipped(raw)


def files(raws: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every way in which the file is not what was written."""
    whole = b"".join(raw + b"\n" for raw in raws)

    def file(lines: list[bytes]) -> bytes:
        return b"".join(line + b"\n" for line in lines)

    for place, raw in enumerate(raws):
        before, after = raws[:place], raws[place + 1 :]
        yield f"without line {place}", file(before + after)
        yield f"line {place} twice", file([*before, raw, raw, *after])
        if after:
            yield f"line {place} last", file([*before, *after, raw])
        yield f"cut before line {place}", file(before)
        yield f"cut in line {place}", file(before) + raw[: len(raw) // 3]
        for number, other in enumerate(replaced(raw)):
            yield f"line {place} replaced, {number}", file([*before, other, *after])
        if after:
            yield f"lines {place} swapped", file([*before, after[0], raw, *after[1:]])
            yield f"lines {place} joined", file(before) + raw + file(after)
    yield "empty", b""
    yield "garbage", bytes(range(256)) * 40
    yield "two files", whole + whole
    yield "backwards", file(raws[::-1])
    yield "utf-16", whole.decode().encode("utf-16")


def test_whatever_happens_to_the_file_nothing_false_is_claimed_and_nothing_is_sent(journal: Journal) -> None:
    """One of the three may have started and one has: neither may be sent again, nor be said not to have started."""
    raws = filled(journal)
    last = len(raws)
    for what, data in files(raws):
        lines = [line for line in data.split(b"\n") if line.strip()]
        reading = read_journal(lines, last, {*JournalEvent})
        assert reading.unaccepted, f"{what}: no damage is seen"
        for entry in entries_of(reading):
            if entry.key != (THIRD.cluster_number, THIRD.name):
                assert entry.outcome in {Outcome.UNKNOWN, Outcome.ACCEPTED}, f"{what}: {entry.request.name}"
        journal.path.write_bytes(data)
        for request in (REQUEST, OTHER):
            with pytest.raises((DamagedJournal, SecondRequest)):
                journal.begin(request, CALLER)
        assert journal.path.read_bytes() == data, what


@pytest.mark.parametrize("place", range(10))
def test_a_line_that_is_lost_is_missed_without_the_number_beside_the_file_too(journal: Journal, place: int) -> None:
    """But for the end of the file, where nothing else says that there was more."""
    raws = filled(journal)
    found = read_journal(raws[:place] + raws[place + 1 :], 0, {*JournalEvent})
    assert bool(found.unaccepted) is (place != len(raws) - 1 if raws else False)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\n\n  \n"),
        lambda data: data.rstrip(b"\n"),
    ],
    ids=["CRLF", "BOM", "blank lines", "no end"],
)
def test_what_an_editor_adds_changes_no_line(journal: Journal, change: object) -> None:
    filled(journal)
    before = journal.contents()
    assert callable(change)
    journal.path.write_bytes(change(journal.path.read_bytes()))
    after = journal.contents()
    assert (after.damage, after.entries) == (None, before.entries)


def test_a_line_that_names_its_request_touches_that_alone(journal: Journal) -> None:
    raws = filled(journal)
    data = [raw.replace(b'"attempt":1', b'"attempt":2') if number == 3 else raw for number, raw in enumerate(raws)]
    journal.path.write_bytes(b"\n".join(data) + b"\n")
    with pytest.raises(DamagedJournal, match="line 4 cannot be read"):
        journal.begin(REQUEST, CALLER)
    journal.begin(named("free"), CALLER).release()
    by_name = {entry.request.name: entry.outcome for entry in journal.entries()}
    assert by_name[REQUEST.name] is Outcome.UNKNOWN
    assert (by_name[OTHER.name], by_name[THIRD.name]) == (Outcome.ACCEPTED, Outcome.REFUSED)


def test_a_request_whose_first_line_is_lost_is_unknown_by_the_others(journal: Journal) -> None:
    raws = filled(journal)
    journal.path.write_bytes(b"\n".join([*raws[:2], b"X" + raws[2], *raws[3:]]) + b"\n")
    third = next(entry for entry in journal.entries() if entry.key == (THIRD.cluster_number, THIRD.name))
    assert (third.outcome, third.is_open) == (Outcome.UNKNOWN, True)
    with pytest.raises(DamagedJournal):
        journal.begin(THIRD, CALLER)


def test_damage_is_accepted_by_its_id_alone_and_what_it_touches_stays_unknown(journal: Journal) -> None:
    raws = filled(journal)
    journal.path.write_bytes(b"\n".join([*raws[:3], b"\0" * 40, *raws[4:]]) + b"\n")
    with pytest.raises(DamagedJournal) as caught:
        journal.begin(named("free"), CALLER)
    report = caught.value.report
    assert report.copy is not None
    assert report.copy.read_bytes() == journal.path.read_bytes()
    assert report.id in caught.value.next_step
    with pytest.raises(OtherDamage):
        journal.accept_damage("0" * 12)
    journal.accept_damage(report.id)
    assert journal.contents().damage is None
    journal.begin(named("free"), CALLER).release()
    for request in (REQUEST, THIRD):
        with pytest.raises(SecondRequest) as refused:
            journal.begin(request, CALLER)
        assert refused.value.earlier.state == "unknown"
    with journal.path.open("ab") as file:
        file.write(b"more damage\n")
    with pytest.raises(DamagedJournal):
        journal.begin(named("free-2"), CALLER)


def test_a_lost_end_is_the_same_damage_once_something_was_written_after_it(journal: Journal) -> None:
    raws = filled(journal)
    journal.path.write_bytes(b"\n".join(raws[:-2]) + b"\n")
    before = journal.contents().damage
    assert before is not None
    assert before.touched == "it may be about any request of this machine"
    journal.append(journal.entries()[0].id, JournalEvent.DISMISSED)
    after = journal.contents().damage
    assert after is not None
    assert after.id == before.id
    journal.accept_damage(after.id)
    journal.append(journal.entries()[0].id, JournalEvent.DISMISSED)
    assert journal.contents().damage is None


def test_accepted_damage_goes_through_a_compaction(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    raws = filled(journal)
    journal.path.write_bytes(b"\n".join([*raws[:3], b"\0" * 40, *raws[4:]]) + b"\n")
    report = journal.contents().damage
    assert report is not None
    journal.accept_damage(report.id)
    monkeypatch.setattr("ncp_tui.snapshots.journal.LARGEST", 1)
    journal.begin(named("free"), CALLER).release()
    assert journal.contents().damage is None
    assert b"\0" not in journal.path.read_bytes()
    by_name = {entry.request.name: entry.outcome for entry in journal.entries()}
    assert (by_name[REQUEST.name], by_name[THIRD.name]) == (Outcome.UNKNOWN, Outcome.UNKNOWN)
    assert by_name["free"] is Outcome.NOT_SENT


def old(key: str, fact: str, **more: object) -> bytes:
    return json.dumps({"id": key, "fact": fact, "at": "2025-12-31T00:00:00+00:00", **more}).encode()


def old_begun(key: str, request: SnapshotRequest) -> bytes:
    return old(
        key, "begun", profile="prod", zone="public", region="KR", gateway=CALLER.gateway, name=request.name,
        cluster=request.cluster_number, cluster_name=request.cluster_name, bucket=request.bucket,
    )  # fmt: skip


def test_a_journal_of_the_format_before_is_read_once(journal: Journal) -> None:
    """What was open is unknown, even where nothing had left by its rules; what was closed keeps its proof."""
    a, b, c = ("a" * 32, "b" * 32, "c" * 32)
    data = b"\n".join(
        [old_begun(a, REQUEST), old_begun(b, OTHER), old(b, "sent"), old(b, "outcome", outcome="accepted"),
         old_begun(c, THIRD), old(c, "sent"), old(c, "outcome", outcome="refused")]
    ) + b"\n"  # fmt: skip
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes(data)

    def told() -> dict[str, tuple[Outcome, bool]]:
        return {entry.request.name: (entry.outcome, entry.is_open) for entry in journal.entries()}

    expected = {
        REQUEST.name: (Outcome.UNKNOWN, True),
        OTHER.name: (Outcome.ACCEPTED, False),
        THIRD.name: (Outcome.REFUSED, False),
    }
    assert told() == expected
    assert journal.path.read_bytes() == data, "a look changes nothing"
    for request in (REQUEST, OTHER):
        with pytest.raises(SecondRequest):
            journal.begin(request, CALLER)
    assert told() == expected
    kept = journal.contents().kept
    assert kept is not None
    assert (journal.path.parent / kept).read_bytes() == data
    journal.begin(THIRD, CALLER).release()
    assert len(list(journal.path.parent.glob("*.old*"))) == 1, "it is converted once"


def test_a_damaged_journal_of_the_format_before_is_damaged(journal: Journal) -> None:
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes(old_begun("a" * 32, REQUEST) + b"\n" + b"\0" * 30 + b"\n")
    for _ in range(2):
        with pytest.raises(DamagedJournal):
            journal.begin(THIRD, CALLER)
    report = journal.contents().damage
    assert report is not None
    journal.accept_damage(report.id)
    journal.begin(THIRD, CALLER).release()
    with pytest.raises(SecondRequest):
        journal.begin(REQUEST, CALLER)


def test_no_file_crashes_the_reader(journal: Journal) -> None:
    raws = encoded({"id": "a", "fact": "begun"}, b"{" * 50_000, {"id": "", "fact": "compacted"}, b'{"entry":[]}')
    for data in (b"", b"\n".join(raws), b"[" * 100_000, b'{"v":1,"seq":true}', bytes(range(256))):
        journal.path.parent.mkdir(parents=True, exist_ok=True)
        journal.path.write_bytes(data)
        journal.entries()


def signed(**members: Any) -> bytes:
    """A line with these members in the place of its own, and a checksum that is right."""
    known = json.loads(JournalLine(1, "e" * 32, "sent", "2026-01-01", "createSnapshot", {"a": "b"}).encoded())
    del known["sum"]
    body = json.dumps(known | members, separators=(",", ":")).encode()[:-1]
    return body + b',"sum":"' + _sum(body) + b'"}'


def test_a_line_is_what_this_version_writes_or_nothing() -> None:
    """A checksum that is right does not make sense of what another program, or a later version, has written."""
    line = read_line(signed())
    assert line == JournalLine(1, "e" * 32, "sent", "2026-01-01", "createSnapshot", {"a": "b"})
    assert line.encoded() == signed()
    nonsense: dict[str, Sequence[Any]] = {
        "v": [2, "1", None],
        "seq": [0, -1, True, "1", 1.0, None, 2**53],
        **dict.fromkeys(["entry", "event", "at", "operation"], (None, 1, ())),
        **dict.fromkeys(["parameters", "context"], (None, (), "x")),
        "batch": [1, [], {}],
    }
    for name, value in ((name, value) for name, values in nonsense.items() for value in values):
        assert read_line(signed(**{name: value})) is None, (name, value)
    sense: dict[str, Any] = {"seq": 2**53 - 1, "batch": "b", "entry": "", "context": {"attempt": 1}}
    for name, value in sense.items():
        assert read_line(signed(**{name: value})) is not None, (name, value)
    raw = signed()
    for wrong in (raw + b" ", b" " + raw, raw[:-3] + b'0"}', raw.replace(b"sent", b"sEnt"), raw[:-1], b"", b"{}"):
        assert read_line(wrong) is None, wrong


def test_members_of_a_later_version_are_kept() -> None:
    line = read_line(signed(later={"x": [1]}, context={"é": "\ud800"}))
    assert line is not None
    assert (line.others, line.context) == ({"later": {"x": [1]}}, {"é": "\ud800"})
    assert read_line(line.encoded()) == line
    forged = replace(line, others={"later": 1, "seq": 9, "sum": "0"})
    again = read_line(forged.encoded())
    assert again is not None
    assert (again.seq, again.others) == (1, {"later": 1})


def names_of(raw: bytes) -> tuple[list[str], list[tuple[str, str]]]:
    entries, keys = what_it_names(raw)
    return sorted(entries), sorted(keys)


def test_what_a_damaged_line_still_names() -> None:
    number: dict[str, Any] = {"serviceGroupInstanceNo": "1"}
    name: dict[str, Any] = {"snapshotName": "a"}
    for parameters, keys in (
        (number | name, [("1", "a")]),
        (number, []),
        (name, []),
        (number | {"snapshotName": ""}, []),
        (name | {"serviceGroupInstanceNo": 1}, []),
        ({**number, "snapshotName": 1}, []),
        ({**name, "serviceGroupInstanceNo": ""}, []),
        ([], []),
    ):
        assert names_of(json.dumps({"entry": "e", "parameters": parameters}).encode()) == (["e"], keys)
        assert names_of(json.dumps({"entry": 5, "parameters": parameters}).encode()) == ([], keys)
        assert names_of(json.dumps({"entry": "", "parameters": parameters}).encode()) == ([], keys)
    first, second = "0" * 32, "f" * 32
    torn = f'{{"entry":"{first}","a":1}}{{"entry":"{second}","snapshotName":"a"'.encode()
    assert names_of(torn) == ([first, second], [])
    assert names_of(b'{"entry":"short"') == ([], [])
    assert names_of(b"[1]") == ([], [])


def test_a_secret_parameter_is_not_written_down() -> None:
    assert recorded("createSnapshot", {"snapshotName": "a"}) == {"snapshotName": "a"}
    for operation, known in OPERATIONS.items():
        everything = dict.fromkeys(["snapshotName", *known.secret], "x")
        assert recorded(operation, everything) == {"snapshotName": "x"}, operation
