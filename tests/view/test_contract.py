"""How a contract check reads: a whole sentence for each kind of difference and of fact."""

from __future__ import annotations

from ncp_tui.guide.pages import read_page
from ncp_tui.search_engine.contract_findings import Difference, DifferenceKind, Fact, FactKind
from ncp_tui.view.contract import difference_sentence, difference_sentences, fact_sentences
from tests.tables import each_row

ROWS = "result.snapshotHistoryResponseList[]"
K, F = DifferenceKind, FactKind

DIFFERENCES = [
    (
        Difference("op", K.UNKNOWN_FIELD, f"{ROWS}.state", seen=("string", "null"), count=3, of=9, name="state"),
        "op: unknown field `state` in `snapshotHistoryResponseList[]` (string or null in 3 of 9).",
    ),
    (
        Difference("op", K.UNKNOWN_FIELD, "traceId", seen=("string",), count=1, of=1, name="traceId"),
        "op: unknown field `traceId` (string).",
    ),
    (
        Difference("op", K.UNKNOWN_FIELD, ROWS, seen=("more",), count=1200, of=9),
        "op: 1,200 more unknown fields in `snapshotHistoryResponseList[]`.",
    ),
    (
        Difference("op", K.MISSING, f"{ROWS}.idx", "integer", count=3, of=9),
        "op: `snapshotHistoryResponseList[].idx` (integer) is missing in 3 of 9.",
    ),
    (Difference("op", K.MISSING, "result.isLast", "boolean", count=1, of=1), "op: `isLast` (boolean) is missing."),
    (
        Difference("op", K.OTHER_NAME, "result.bucketList", "bucketList", ("buckets",)),
        "op: `bucketList` is called `buckets`.",
    ),
    (
        Difference("op", K.OTHER_TYPE, "result.totalCount", "integer", ("string",), count=1, of=1),
        "op: `totalCount` is string, not integer.",
    ),
    (
        Difference("op", K.UNKNOWN_WORD, "result.clusterStatus", "running, error", ("upgrading",)),
        "op: unknown word of `clusterStatus`: upgrading. Known: running, error.",
    ),
    (
        Difference("op", K.NOT_UNDERSTOOD, f"{ROWS}.message", seen=("DONE?",), count=2),
        "op: nothing can be read from `snapshotHistoryResponseList[].message` 'DONE?' (2 rows).",
    ),
    (
        Difference("op", K.OTHER_FORMAT, f"{ROWS}.actionDate", "9999-99-99", ("99/99",)),
        "op: `snapshotHistoryResponseList[].actionDate` is written as 99/99, not as 9999-99-99.",
    ),
    (
        Difference("op", K.OTHER_ORDER, "list", "newest first", ("oldest first",)),
        "op: the rows of `list` come oldest first, not newest first.",
    ),
    (
        Difference("op", K.OTHER_PAGE, "pageSize", "100", ("10", "23", "10")),
        "op: pageSize=100 was requested; 10 of 23 rows came, and the response says pageSize 10.",
    ),
    (
        Difference("op", K.OTHER_PAGE, "currentPage", "1", ("0",)),
        "op: page 1 was requested, and the response is of page 0.",
    ),
    (
        Difference("op", K.OTHER_COUNT, "totalCount", "23", ("99",)),
        "op: totalCount is 99, and 23 rows came on the only page.",
    ),
    (
        Difference("op", K.OTHER_CLUSTER, "", "9000001", ("9000002",)),
        "op: cluster 9000001 was requested, and the response is of 9000002.",
    ),
    (
        Difference("op", K.REFUSED, "", "200", ("404", "300")),
        "op: refused with HTTP 404, code 300; it is not open here, or asks for more.",
    ),
]

FACTS = [
    (
        Fact("op", F.FIELDS, ROWS, count=23),
        "op: every believed field of `snapshotHistoryResponseList[]`, its name and type: seen (23 objects).",
    ),
    (Fact("op", F.PRESENCE, "result.a", ("there",), 1), "op: doubtful fields that are there: `a`."),
    (Fact("op", F.PRESENCE, "result.a", ("missing",), 1), "op: doubtful fields that are not there: `a`."),
    (Fact("op", F.WORDS, "result.status", ("ACTIVE", "RELEASED")), "op: words of `status` seen: ACTIVE, RELEASED."),
    (Fact("op", F.FORMAT, "result.at", ("99:99",)), "op: `at` is written as 99:99 (9 is a digit)."),
    (
        Fact("getSnapshotHistory", F.ORDER, "list", ("newest first",), 2),
        "getSnapshotHistory is newest first: seen (2 rows).",
    ),
    (
        Fact("op", F.PAGE_SIZE, "pageSize", ("100", "10", "23", "10")),
        "op: pageSize=100 was answered with 10 of 23 rows, and says pageSize 10.",
    ),
    (
        Fact("op", F.PAGE_SIZE, "pageSize", ("1000", "refused", "400", "40002")),
        "op: pageSize=1000 is refused with HTTP 400, code 40002.",
    ),
    (Fact("op", F.COUNT, "", ("both",)), "op: totalCount counts the clusters that this key may not open."),
    (Fact("op", F.COUNT, "", ("allowed",)), "op: totalCount does not count the clusters that this key may not open."),
    (
        Fact("op", F.KEY_NOT_SET, "code", ("200", "10115")),
        "op: without a storage key NCP answers with HTTP 200, code 10115.",
    ),
    (Fact("op", F.STATES, "m", ("", "running")), "op: messages read as running: (empty)."),
]


@each_row("difference, sentence", DIFFERENCES)
def test_a_difference_is_a_sentence(difference: Difference, sentence: str) -> None:
    assert difference_sentence(difference) == sentence


@each_row("fact, sentence", FACTS)
def test_a_fact_is_a_sentence(fact: Fact, sentence: str) -> None:
    assert list(fact_sentences([fact])) == [sentence]


def test_no_kind_is_forgotten_here_or_in_the_guide() -> None:
    assert {difference.kind for difference, _ in DIFFERENCES} == set(DifferenceKind)
    assert {fact.kind for fact, _ in FACTS} == set(FactKind)
    page = read_page("contract")
    for name in (*DifferenceKind, *FactKind, "is_addition", "doubtful", "operations", "differences", "facts"):
        assert f"`{name}`" in page or f'"{name}"' in page or f"(`{name}`)" in page, name


def test_fields_that_are_missing_at_one_place_are_one_sentence_after_the_rest() -> None:
    missing = [Difference("op", K.MISSING, f"{ROWS}.{name}", "string", count=2, of=2) for name in ("a", "b")]
    other = Difference("op", K.OTHER_ORDER, "list", "newest first", ("oldest first",))
    assert list(difference_sentences([missing[0], other, missing[1]])) == [
        difference_sentence(other),
        "op: of `snapshotHistoryResponseList[]` `a`, `b` are missing in 2 of 2.",
    ]


def test_a_message_that_is_not_understood_makes_nothing_certain() -> None:
    assert not list(fact_sentences([Fact("op", F.STATES, "m", ("QZX", "unknown"))]))


def test_what_is_alike_is_one_sentence() -> None:
    facts = [Fact("op", F.STATES, "m", (word, "failed")) for word in ("FAILED", "PARTIAL")]
    assert list(fact_sentences(facts)) == ["op: messages read as failed: FAILED, PARTIAL."]
