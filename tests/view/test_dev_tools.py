"""The lines for Dev Tools: what the engines document and nothing else, whatever the snapshot is called."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.search_engine.lists import Listing
from ncp_tui.search_engine.models import Cluster, HistoryEntry
from ncp_tui.view.dev_tools import (
    Block,
    Sheet,
    dev_tools_sheet,
    drill_prefix,
    read_engine,
    sheet_document,
    sheet_lines,
    unusable,
)
from ncp_tui.view.text import plain_text

NAME = "before-upgrade"
CLUSTER = Cluster("1037001", "search-0001", "running", engine="OpenSearch 2.17.1")
TAKEN = HistoryEntry(
    NAME, "bk.ses.snapshot", at=datetime(2026, 1, 1, 18, 0, tzinfo=UTC), message="SUCCESS", has_error_log=False
)

RESTORE = {
    *("indices", "ignore_unavailable", "include_global_state", "include_aliases", "partial", "index_settings"),
    *("ignore_index_settings", "rename_pattern", "rename_replacement"),
}
"""Members of a restore's body: docs.opensearch.org 1.3 and 2.x `restore-snapshot`; elastic.co 7.7 to 7.17."""

CAT = frozenset({"v", "h", "s", "bytes", "format", "health", "help", "pri", "time", "local", "expand_wildcards"})
COLUMNS = {"health", "status", "index", "docs.count", "docs.deleted", "store.size", "pri.store.size", "pri", "rep"}


@dataclass(frozen=True)
class Documented:
    """One API: method, path with `{}` for a part, the members of its body, the parameters of its query."""

    method: str
    path: str
    body: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()


COMMON = (
    Documented("GET", "_snapshot/_all"),
    Documented("POST", "_snapshot/{}/_verify"),
    Documented("GET", "_snapshot/{}/{}", query=frozenset({"verbose", "ignore_unavailable"})),
    Documented("GET", "_snapshot/{}/{}/_status"),
    Documented("POST", "_snapshot/{}/{}/_restore", frozenset(RESTORE), frozenset({"wait_for_completion"})),
    Documented("DELETE", "_snapshot/{}/{}"),
    Documented("GET", "_cat/indices/{}", query=CAT),
    Documented("DELETE", "{}"),
)
DATA_STREAMS = Documented("DELETE", "_data_stream/{}")
WITH_FEATURES = Documented(
    "POST", "_snapshot/{}/{}/_restore", frozenset({*RESTORE, "feature_states"}), frozenset({"wait_for_completion"})
)

APIS: Mapping[str, Sequence[Documented]] = {
    "Elasticsearch 7.0.1": COMMON,
    "Elasticsearch 7.7.3": COMMON,
    "Elasticsearch 7.8": COMMON,
    "Elasticsearch 7.9.0": (*COMMON, DATA_STREAMS),
    "Elasticsearch 7.10.2": (*COMMON, DATA_STREAMS),
    "Elasticsearch 7.12.0": (*COMMON, DATA_STREAMS, WITH_FEATURES),
    "Elasticsearch 7.17.9": (*COMMON, DATA_STREAMS, WITH_FEATURES),
    "OpenSearch 1.3.9": (*COMMON, DATA_STREAMS),
    "OpenSearch 2.17.1": (*COMMON, DATA_STREAMS),
    "OpenSearch 2.x": (*COMMON, DATA_STREAMS),
    "Elasticsearch 6.8": COMMON,
    "Elasticsearch 8.11.0": COMMON,
    "OpenSearch 3.1.0": COMMON,
    "OpenSearch 21": COMMON,
    "2180": COMMON,
    "Solr 9.1": COMMON,
    "": COMMON,
}
"""What may be written for a cluster of each engine; where it is unknown, what all of them have."""

FORBIDDEN = ("_recovery", "_cluster", "_nodes", "_tasks", "_cat/recovery", "_settings", "_close", "_all?", "..")
"""What managed services refuse, and what would hit everything."""


def sheet(name: str = NAME, rows: Sequence[HistoryEntry] = (TAKEN,), engine: str = CLUSTER.engine) -> Sheet:
    return dev_tools_sheet(dataclasses.replace(CLUSTER, engine=engine), name, rows)


def text_of(made: Sheet) -> str:
    return plain_text(sheet_lines(made))


def is_documented(block: Block, apis: Sequence[Documented]) -> bool:
    path, _, query = block.path.partition("?")
    return any(
        api.method == block.method
        and re.fullmatch(re.escape(api.path).replace(r"\{\}", "[^/?#]+"), path)
        and set(block.body or {}) <= api.body
        and set(parse_qs(query, strict_parsing=bool(query))) <= api.query
        for api in apis
    )


@pytest.mark.parametrize("engine", APIS)
def test_every_request_is_documented_for_the_engine(engine: str) -> None:
    blocks = sheet(engine=engine).blocks
    assert len(blocks) >= 10
    for block in blocks:
        assert is_documented(block, APIS[engine]), f"{engine}: {block.request}"
        assert not any(word in block.path for word in FORBIDDEN), block.path
        for column in parse_qs(block.path.partition("?")[2]).get("h", [""])[0].split(","):
            assert column in COLUMNS | {""}


@pytest.mark.parametrize("engine", APIS)
def test_every_body_is_json_and_every_request_one_line_before_it(engine: str) -> None:
    for block in sheet(engine=engine).blocks:
        head, _, body = block.request.partition("\n")
        assert head == f"{block.method} {block.path}"
        assert (json.loads(body) if body else None) == block.body


def test_an_api_of_another_engine_would_be_found() -> None:
    streams = Block("", "", "DELETE", "_data_stream/drill_a_*", "")
    features = Block("", "", "POST", "_snapshot/R/S/_restore", "", {"feature_states": ["none"]})
    assert not is_documented(streams, APIS["Elasticsearch 7.7.3"])
    assert not is_documented(features, APIS["OpenSearch 2.17.1"])
    assert not is_documented(Block("", "", "PUT", "_snapshot/R/S", ""), COMMON)


@pytest.mark.parametrize(
    ("text", "product", "version"),
    [
        ("OpenSearch 2.17.1", "OpenSearch", (2, 17)),
        ("opensearch v1.3", "OpenSearch", (1, 3)),
        ("OpenSearch 2.x", "OpenSearch", (2, 0)),
        ("Elasticsearch 7.10.2", "Elasticsearch", (7, 10)),
        ("Elasticsearch", "", (0, 0)),
        ("OpenSearch 2171", "", (0, 0)),
        ("Not Elasticsearch 7.1", "", (0, 0)),
    ],
)
def test_the_engine_as_ncp_names_it(text: str, product: str, version: tuple[int, int]) -> None:
    engine = read_engine(text)
    assert (engine.product, engine.version) == (product, version)


def test_an_unknown_engine_is_said_before_any_line() -> None:
    for engine, said in (
        ("2180", "Engine unknown (NCP says 2180)"),
        ("", "Engine unknown (NCP does not say)"),
        ("OpenSearch 3.1.0", "OpenSearch 3.1.0 is not a version"),
    ):
        notes = " ".join(sheet(engine=engine).notes)
        assert said in notes
        assert "in common" in notes
    assert "For OpenSearch 2.17.1, in OpenSearch Dashboards > Dev Tools." in sheet().notes
    assert "For Elasticsearch 7.7.3, in Kibana > Dev Tools." in sheet(engine="Elasticsearch 7.7.3").notes


def test_what_is_destructive_is_last_and_marked() -> None:
    for engine in APIS:
        blocks = sheet(engine=engine).blocks
        marks = [block.is_destructive for block in blocks]
        assert marks == sorted(marks), "nothing harmless stands behind"
        for block in blocks:
            deletes = block.method == "DELETE" or block.title == "Restore in earnest"
            assert block.is_destructive == deletes, block.title
            assert block.changes.startswith("DESTRUCTIVE: ") == deletes
            assert block.why.endswith(".")
            assert block.changes.endswith(".")
    assert [block.title for block in sheet().blocks[-2:]] == ["Restore in earnest", "Delete the snapshot"]


def test_the_first_line_finds_the_repository_and_one_word_stands_for_it() -> None:
    made = sheet()
    assert (made.blocks[0].method, made.blocks[0].path) == ("GET", "_snapshot/_all")
    assert "bk.ses.snapshot" in made.blocks[0].why, "the bucket is what tells one repository from another"
    said = [*made.notes, *(block.why for block in made.blocks)]
    assert [sentence for sentence in said if "REPOSITORY" in sentence] == [made.blocks[0].why], "once is enough"
    assert "in place of REPOSITORY" in made.blocks[0].why
    for block in made.blocks[1:]:
        assert set(re.findall(r"\b[A-Z]{4,}\b", block.request.partition("\n")[0])) <= {"REPOSITORY", "POST", "DELETE"}


def drill(made: Sheet) -> dict[str, Block]:
    return {block.title: block for block in made.blocks}


def test_a_drill_touches_nothing_but_its_own_indices() -> None:
    blocks = drill(sheet())
    body = blocks["Restore drill"].body
    assert body is not None
    assert body["indices"] == "*,-.*"
    assert body["include_global_state"] is False
    assert body["include_aliases"] is False, "an alias in use would point to the copy as well"
    assert body["index_settings"]["index.number_of_replicas"] == 0
    renamed = re.sub(body["rename_pattern"], body["rename_replacement"].replace("$1", r"\1"), "orders-2026")
    assert renamed == "drill_before-upgrade_orders-2026"
    assert blocks["Remove the drill"].path == "drill_before-upgrade_*"
    assert blocks["Check the prefix of the drill"].path.startswith("_cat/indices/drill_before-upgrade_*?")
    assert "destructive_requires_name" in blocks["Remove the drill"].why
    assert blocks["Restore in earnest"].body == {
        "indices": "*,-.*",
        "include_global_state": False,
        "include_aliases": True,
    }
    assert "close" in blocks["Restore in earnest"].why


PREFIXED = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(lambda name: 3 <= len(name) <= 30)


@given(PREFIXED, PREFIXED)
def test_no_drill_removes_another_one(one: str, other: str) -> None:
    if one != other:
        assert not drill_prefix(other).startswith(drill_prefix(one))
    assert re.fullmatch(r"drill_[a-z0-9-]+_", drill_prefix(one))


HOSTILE = (
    *(
        "*",
        "a*",
        "a,b",
        "_all",
        "_current",
        "-a",
        "..",
        ".",
        "../x",
        "../../_all",
        "a/b",
        "a\\b",
        "",
        " ",
        "a b",
        "a?b=c",
    ),
    *("a#b", "<a-{now/d}>", 'a"b', "a|b", "a\nDELETE *", "a\r\nDELETE *", "a\tb", "a\x1b[2Jb", "a\x00", "a\u202eb"),
    *("a\u200bb", "a\u00a0b", "a\u2028b", "a\u240ab", "\ufeffa", "\udcff", "a" * 256, "가" * 100, "%2e%2e/x"),
)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_name_that_is_not_one_snapshots_is_in_no_line(name: str) -> None:
    """In a path it would be a pattern, a list, another path or another line; escaped it is so again on arrival."""
    made = sheet(name, ())
    assert unusable(name)
    assert [block.path for block in made.blocks] == [
        "_snapshot/_all",
        "_snapshot/REPOSITORY/_verify",
        "_snapshot/REPOSITORY/_all?verbose=false",
    ]
    assert not any(block.is_destructive for block in made.blocks)
    assert "No line below contains it." in made.notes[0]
    for line in text_of(made).splitlines():
        assert line.startswith(("# ", "GET _snapshot/", "POST _snapshot/")) or not line
        assert line.isprintable()


@pytest.mark.parametrize(
    "name", ["a'b", "a%2fb", "a%b", "a&b=c", "a;b", "a{b}", "a$1", "a+b", "a:b", "~a", "검색-1", "A-1"]
)
def test_an_odd_name_is_one_part_of_a_path(name: str) -> None:
    made = sheet(name, ())
    paths = [block.path for block in made.blocks if block.path.startswith("_snapshot/REPOSITORY/")]
    assert any(block.method == "DELETE" and block.path.startswith("_snapshot") for block in made.blocks)
    for path in paths[1:]:
        part = path.split("/")[2]
        assert unquote(part) == name
        assert re.fullmatch(r"[A-Za-z0-9._~%-]+", part)
    assert re.fullmatch(r"drill_[0-9a-f]{12}_", drill_prefix(name)), "an index has rules of its own"


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_text_adds_a_line(name: str, cluster: str, engine: str) -> None:
    rows = (HistoryEntry(name, cluster, message=engine),)
    made = dev_tools_sheet(Cluster("1", cluster, "running", engine=engine), name, rows)
    own = {line for block in made.blocks for line in block.request.split("\n")}
    for line in text_of(made).split("\n"):
        assert not line or line.startswith("#") or line in own
        assert line.isprintable() or not line
    for block in made.blocks:
        assert len(block.request.split("\n")) == 1 or block.body is not None
        assert is_documented(block, (*COMMON, DATA_STREAMS, WITH_FEATURES))


NEWER = datetime(2026, 1, 2, tzinfo=UTC)
FAILED = HistoryEntry(NAME, "bk", at=NEWER, message="2 of 40 shards failed", has_error_log=True)
RUNNING = HistoryEntry(NAME, "bk", at=NEWER)
UNKNOWN = HistoryEntry(NAME, "bk", at=NEWER, message="whatever this means", has_error_log=False)


@pytest.mark.parametrize(
    ("rows", "said", "doubt"),
    [
        ((TAKEN,), f"{NAME}: succeeded, taken 2026-01-02 03:00:00 KST, bucket bk.ses.snapshot.", ""),
        ((FAILED,), f"{NAME}: FAILED, 2026-01-02 09:00:00 KST, bucket bk (2 of 40 shards failed).", "FAILED"),
        ((RUNNING,), f"{NAME}: RUNNING by the history, since 2026-01-02 09:00:00 KST", "RUNNING"),
        ((UNKNOWN,), f"{NAME}: state UNKNOWN", "State UNKNOWN"),
        ((), f"{NAME}: NOT IN THE HISTORY of search-0001.", "NOT IN THE HISTORY"),
        ((dataclasses.replace(TAKEN, snapshot="other"),), f"{NAME}: NOT IN THE HISTORY", "NOT IN THE HISTORY"),
    ],
    ids=["succeeded", "failed", "running", "unknown", "no row", "another row"],
)
def test_what_the_history_says_stands_first(rows: tuple[HistoryEntry, ...], said: str, doubt: str) -> None:
    """Who deletes data next must not read a failed snapshot as a good one; a script sees one request at a time."""
    made = sheet(rows=rows)
    assert made.notes[0].startswith(said)
    for block in made.blocks:
        acts = block.path.startswith(f"_snapshot/REPOSITORY/{NAME}") and block.method != "GET"
        assert block.why.startswith(doubt if acts else ""), block.title
        assert acts or not block.why.startswith(("FAILED", "RUNNING", "State", "NOT")), block.title
    assert "exists" not in text_of(made)


def test_several_rows_of_one_name() -> None:
    made = sheet(rows=(TAKEN, FAILED))
    assert made.notes[0].startswith(f"{NAME}: FAILED"), "the newest counts"
    assert "2 rows of this name; before the newest: succeeded." in made.notes[1]


def test_a_history_that_was_not_read_whole_says_so() -> None:
    gap = "100 of 230 rows came."
    missing = Listing[HistoryEntry]((), datetime.now(UTC), is_whole=False, gap=gap)
    assert sheet(rows=missing).notes[0] == (
        f"{NAME}: NOT IN THE HISTORY of search-0001, as far as it was read. The history was not read whole: {gap}"
    )
    assert sheet(rows=missing).blocks[-1].why.startswith("State UNKNOWN: the history was not read, or not whole.")
    found = dataclasses.replace(missing, rows=(TAKEN,))
    assert gap in sheet(rows=found).notes[0]


def test_a_history_that_was_not_read_is_no_missing_row() -> None:
    made = dev_tools_sheet(CLUSTER, NAME, (), "No permission.")
    assert made.notes[0] == f"{NAME}: STATE UNKNOWN, the history of search-0001 could not be read. No permission."
    assert "NOT IN" not in text_of(made)
    assert made.blocks[-1].why.startswith("State UNKNOWN: ")
    assert len(made.blocks) == len(sheet().blocks), "the lines are the same: that is what they are needed for"


def test_the_text_can_be_pasted_as_it_is() -> None:
    """Dev Tools takes a line with a hash for a comment; all else has to be a request."""
    made = sheet()
    lines = text_of(made).split("\n")
    requests = "\n".join(line for line in lines if line and not line.startswith("#"))
    assert requests == "\n".join(block.request for block in made.blocks)
    assert all(len(line) <= 66 for line in lines if line.startswith("#"))


def test_the_document() -> None:
    document: list[dict[str, Any]] = sheet_document(sheet())
    assert [list(each) for each in document] == [["title", "why", "method", "path", "body", "changes"]] * 12
    assert json.loads(json.dumps(document)) == document
    assert document[0]["body"] is None
