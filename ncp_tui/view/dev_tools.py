"""The lines for Dev Tools about one snapshot: what NCP's API cannot do, the engine's own can, from inside the cluster.

Text only, nothing here sends anything. The APIs are those of docs.opensearch.org (1.x, 2.x) and of Elastic's reference
7.x; the test beside this module has them as a table. Left out is what managed services forbid: `_recovery`,
`_cluster/settings`, `_nodes`. A name goes into a path only where the engine may have given it to one snapshot:
escaping does not help against a pattern, since `%2A` is `*` again where it arrives, and some consoles decode `%2F`.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from ncp_tui.search_engine.lists import gap_of
from ncp_tui.search_engine.models import Cluster, HistoryEntry, SnapshotState
from ncp_tui.snapshots.rules import name_problems
from ncp_tui.text import clean, plural
from ncp_tui.view.history import state_cell
from ncp_tui.view.text import BLANK, Line, Tone, line, wrapped

REPOSITORY = "REPOSITORY"
"""What stands for the repository's name, which NCP's API does not tell."""

_WIDTH = 64
"""Cells of a comment without its sign: with it, what a box has in a window of 80."""
_LONGEST_NAME = 255
"""Bytes: the engine keeps a name in names of files."""
_LONGEST_MESSAGE = 200
_DESTRUCTIVE = "DESTRUCTIVE: "

_REGULAR = "*,-.*"
"""Every index but those whose name begins with a dot: system indices, Dashboards and its security."""


@dataclass(frozen=True)
class Engine:
    """What is known of a cluster's engine: `OpenSearch` or `Elasticsearch`, and its version; else nothing."""

    product: str = ""
    version: tuple[int, int] = (0, 0)

    @property
    def is_documented(self) -> bool:
        """Whether the lines were compared with the documentation of this version."""
        return (self.product, self.version[0]) in {("OpenSearch", 1), ("OpenSearch", 2), ("Elasticsearch", 7)}

    @property
    def has_data_streams(self) -> bool:
        """Whether `_data_stream` is known to be there."""
        return self.is_documented and (self.product == "OpenSearch" or self.version >= (7, 9))

    @property
    def has_feature_states(self) -> bool:
        """Whether a restore takes `feature_states`: the state that Elasticsearch keeps in system indices."""
        return self.is_documented and self.product == "Elasticsearch" and self.version >= (7, 12)


_ENGINE = re.compile(r"\s*(open|elastic)\s?search\s+v?(\d{1,3})(?:\.(\d{1,3}))?(?!\d)", re.IGNORECASE)


def read_engine(text: str) -> Engine:
    """The engine that NCP names; of a minor version that is not said the first one is meant."""
    found = _ENGINE.match(text)
    if found is None:
        return Engine()
    product = "OpenSearch" if found[1].lower() == "open" else "Elasticsearch"
    return Engine(product, (int(found[2]), int(found[3] or 0)))


@dataclass(frozen=True)
class Block:
    """One request for Dev Tools: what it is for, and what it changes."""

    title: str
    why: str
    method: str
    path: str
    changes: str
    body: Mapping[str, Any] | None = None

    @property
    def request(self) -> str:
        """What is typed into Dev Tools."""
        head = f"{self.method} {self.path}"
        return head if self.body is None else f"{head}\n{json.dumps(self.body, indent=2)}"

    @property
    def is_destructive(self) -> bool:
        """Whether it deletes or overwrites something for good."""
        return self.changes.startswith(_DESTRUCTIVE)


@dataclass(frozen=True)
class Sheet:
    """Everything for one snapshot: what has to be known first, and the requests in their order."""

    title: str
    notes: tuple[str, ...]
    blocks: tuple[Block, ...]


def dev_tools_sheet(cluster: Cluster, name: str, rows: Sequence[HistoryEntry], unread: str = "") -> Sheet:
    """The sheet for snapshot `name` of `cluster`, whose history has `rows`, of any name, or is `unread`: why."""
    engine = read_engine(cluster.engine)
    shown, why_not = clean(name).strip() or "(no name)", unusable(name)
    named = sorted(
        (row for row in rows if row.snapshot in {name, clean(name)}), key=lambda row: row.sort_key, reverse=True
    )
    doubt = _DOUBTS[named[0].state] if named else _NOT_READ if unread or gap_of(rows) else _NO_ROW
    blocks = _first_blocks(named[0].bucket if named else "")
    if why_not:
        blocks.append(_list_block())
    else:
        path = f"_snapshot/{REPOSITORY}/{quote(name, safe='')}"
        own = [*_snapshot_blocks(path), *_drill_blocks(path, drill_prefix(name), engine), *_last_blocks(path, engine)]
        blocks += [_with_doubt(block, path, doubt) for block in own]
    notes = [f"{shown}: {why_not} No line below contains it."] if why_not else []
    if unread:
        notes.append(f"{shown}: STATE UNKNOWN, the history of {cluster.title} could not be read. {clean(unread)}")
    else:
        notes += _standing(cluster, shown, named, gap_of(rows))
    notes.append(_engine_note(cluster, engine))
    if any(block.is_destructive for block in blocks):
        notes.append("Run one request at a time, in this order. What is marked DESTRUCTIVE cannot be undone.")
    return Sheet(f"Dev Tools lines for {shown} on {cluster.title}", tuple(notes), tuple(blocks))


_FORBIDDEN = frozenset('\\/*?"<>|,#') | frozenset(string.whitespace)


def unusable(name: str) -> str:
    """Why `name` is not written into any path, as a sentence; empty where it may be the name of one snapshot.

    The engine's own rules for a name, and what a console, a URL or the screen would read as something else.
    """
    found = [character for character in dict.fromkeys(name) if character in _FORBIDDEN and character.isprintable()]
    if found:
        return f"the engine has no snapshot with {' '.join(found).strip() or 'a space'} in its name."
    is_as_shown = clean(name) == name and not any("\u2400" <= character <= "\u2421" for character in name)
    if not name.strip() or not is_as_shown or any(character.isspace() for character in name):
        return "a name with invisible characters, or none, cannot be copied as it is shown."
    if name[0] in "_-" or not name.strip("."):
        return "a name that begins with _ or -, or has dots only, means something else in a path."
    if len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        return f"the engine has no snapshot with a name of more than {_LONGEST_NAME} bytes."
    return ""


def drill_prefix(name: str) -> str:
    """What the indices of a drill begin with: one prefix a snapshot, and none the beginning of another.

    A name that NCP accepts has no `_`. Of another one there is a digest, since an index has rules of its own.
    """
    own = name if not name_problems(name) else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:12]
    return f"drill_{own}_"


def _first_blocks(bucket: str) -> list[Block]:
    which = f"the one whose settings name bucket {bucket}" if bucket else "the one whose settings name your bucket"
    return [
        Block(
            "Find the repository",
            f"Lists the repositories of the cluster. Take {which}, and put its name in place of {REPOSITORY} in every "
            "line below.",
            "GET",
            "_snapshot/_all",
            "Nothing.",
        ),
        Block(
            "Verify the repository",
            "Shows whether every node can write to the bucket. An error here explains most failed snapshots.",
            "POST",
            f"_snapshot/{REPOSITORY}/_verify",
            "Nothing in the cluster: each node writes a small test file to the bucket and removes it.",
        ),
    ]


def _list_block() -> Block:
    return Block(
        "List the snapshots of the repository",
        "Shows the names of all snapshots that are in the bucket now.",
        "GET",
        f"_snapshot/{REPOSITORY}/_all?verbose=false",
        "Nothing.",
    )


def _snapshot_blocks(path: str) -> list[Block]:
    return [
        Block(
            "Show the snapshot",
            "Shows whether the snapshot is there now, its state, its engine version and its indices. An answer "
            "snapshot_missing_exception means that it is not in this repository.",
            "GET",
            path,
            "Nothing.",
        ),
        Block(
            "Show the shards of the snapshot",
            "Shows files and bytes of each shard, also while it runs. It reads files of every shard: slow on a large "
            "snapshot.",
            "GET",
            f"{path}/_status",
            "Nothing.",
        ),
    ]


def _cat(pattern: str) -> str:
    return f"_cat/indices/{pattern}?v=true&h=health,index,docs.count,pri.store.size&s=index"


def _drill_blocks(path: str, prefix: str, engine: Engine) -> list[Block]:
    return [
        Block(
            "Check the prefix of the drill",
            f"Must list nothing: the drill adds indices that begin with {prefix}, and its end deletes all of them.",
            "GET",
            _cat(f"{prefix}*"),
            "Nothing.",
        ),
        _drill(path, prefix, engine),
        Block(
            "Follow the drill",
            "Every index of request 3 but system indices is listed and green: the drill is complete. A red line is "
            "still being restored, or could not be.",
            "GET",
            _cat(f"{prefix}*"),
            "Nothing.",
        ),
        Block(
            "Compare the counts",
            f"Compare docs.count of each index with that of the same name behind {prefix}. Whatever was written or "
            "deleted since the snapshot is a difference, and no fault.",
            "GET",
            _cat(_REGULAR),
            "Nothing.",
        ),
        *_end_of_drill(prefix, engine),
    ]


def _drill(path: str, prefix: str, engine: Engine) -> Block:
    body: dict[str, Any] = {
        "indices": _REGULAR,
        "include_global_state": False,
        "include_aliases": False,
        "rename_pattern": "(.+)",
        "rename_replacement": f"{prefix}$1",
        "index_settings": {"index.number_of_replicas": 0, "index.auto_expand_replicas": False},
        "ignore_index_settings": "index.hidden",
        **_no_features(engine),
    }
    return Block(
        "Restore drill",
        "Proves that the snapshot can be restored: every index but system indices comes back under a new name, "
        "without replicas, aliases and global state. It needs free disk space for one copy of the data. To try "
        'some indices only, name them in "indices".',
        "POST",
        f"{path}/_restore",
        f"Adds indices that begin with {prefix}; indices of other names stay as they are.",
        body,
    )


def _end_of_drill(prefix: str, engine: Engine) -> list[Block]:
    blocks = [
        Block(
            "Remove the drill",
            "Frees the disk space. If the cluster refuses patterns (action.destructive_requires_name), nothing is "
            f"deleted: then put the names that the drill lists in place of {prefix}*, with commas between.",
            "DELETE",
            f"{prefix}*",
            f"{_DESTRUCTIVE}deletes every index whose name begins with {prefix}, and no other.",
        ),
    ]
    if engine.has_data_streams:
        blocks.append(
            Block(
                "Remove the drill's data streams",
                "A data stream is no index and needs this request of its own. Not needed where the drill has none.",
                "DELETE",
                f"_data_stream/{prefix}*",
                f"{_DESTRUCTIVE}deletes every data stream whose name begins with {prefix}, and no other.",
            )
        )
    return blocks


def _last_blocks(path: str, engine: Engine) -> list[Block]:
    return [
        Block(
            "Restore in earnest",
            "Brings every index but system indices back under its own name. First close each of them that is open "
            "(one called orders: POST orders/_close) or delete it: one open index of the same name, and nothing is "
            "restored. A closed one must have as many shards as in the snapshot. To restore some only, name them in "
            '"indices".',
            "POST",
            f"{path}/_restore",
            f"{_DESTRUCTIVE}overwrites each closed index of the same name; what was written since then is lost.",
            {"indices": _REGULAR, "include_global_state": False, "include_aliases": True, **_no_features(engine)},
        ),
        Block(
            "Delete the snapshot",
            "Frees what no other snapshot in the bucket needs. A snapshot that is running is stopped. NCP's history "
            "keeps its row.",
            "DELETE",
            path,
            f"{_DESTRUCTIVE}deletes this snapshot from the bucket.",
        ),
    ]


def _no_features(engine: Engine) -> dict[str, Any]:
    return {"feature_states": ["none"]} if engine.has_feature_states else {}


_IN_COMMON = (
    "these lines are what Elasticsearch 7 and OpenSearch 1 and 2 have in common. A drill brings back data streams too, "
    "if there are any, and these lines do not remove them."
)


def _engine_note(cluster: Cluster, engine: Engine) -> str:
    name = cluster.engine.strip()
    if engine.is_documented:
        return f"For {name}, in {'OpenSearch Dashboards' if engine.product == 'OpenSearch' else 'Kibana'} > Dev Tools."
    if engine.product:
        return f"{name} is not a version that these lines were compared with: {_IN_COMMON}"
    return f"Engine unknown ({f'NCP says {name}' if name else 'NCP does not say'}): {_IN_COMMON}"


_OF_STATE = {
    SnapshotState.SUCCESS: (
        "succeeded, taken {when}{bucket}. NCP deletes old snapshots by a rule that is not published: request 3 shows "
        "whether it is still there."
    ),
    SnapshotState.FAILED: (
        "FAILED, {when}{bucket}{message}. The engine does not restore a snapshot whose shards are missing."
    ),
    SnapshotState.RUNNING: (
        "RUNNING by the history, since {when}{bucket}. Restore it only when it has succeeded; deleting it stops it."
    ),
    SnapshotState.UNKNOWN: (
        "state UNKNOWN, {when}{bucket}{message}: the history does not say how it ended. Request 3 shows its state."
    ),
}
_NO_ROW = "NOT IN THE HISTORY under this name. "
_NOT_READ = "State UNKNOWN: the history was not read, or not whole. "
_DOUBTS = {
    SnapshotState.SUCCESS: "",
    SnapshotState.FAILED: "FAILED, by its newest row in the history. ",
    SnapshotState.RUNNING: "RUNNING, by its newest row in the history. ",
    SnapshotState.UNKNOWN: "State UNKNOWN, by its newest row in the history. ",
}
"""Said again where a request would act on the snapshot: a script sees one request at a time."""


def _with_doubt(block: Block, path: str, doubt: str) -> Block:
    acts = block.path.startswith(path) and block.method != "GET"
    return replace(block, why=doubt + block.why) if acts else block


def _standing(cluster: Cluster, name: str, rows: Sequence[HistoryEntry], gap: str) -> list[str]:
    """What the history says of the snapshot, given its `rows` newest first: the newest counts, older ones are named."""
    part = f" The history was not read whole: {gap}" if gap else ""
    if not rows:
        rest = part or " Check the name."
        return [f"{name}: NOT IN THE HISTORY of {cluster.title}{', as far as it was read' if gap else ''}.{rest}"]
    newest, *older = rows
    message = clean(newest.message, _LONGEST_MESSAGE).rstrip(".")
    said = _OF_STATE[newest.state].format(
        when=newest.when or "at an unknown time",
        bucket=f", bucket {newest.bucket}" if newest.bucket else "",
        message=f" ({message})" if message else "",
    )
    sentences = [f"{name}: {said}{part}"]
    if older:
        states = ", ".join(state_cell(row).text for row in older)
        sentences.append(
            f"The history has {plural(len(rows), 'row')} of this name; before the newest: {states}. "
            "A repository holds one snapshot of a name: request 3 shows which."
        )
    return sentences


def sheet_lines(sheet: Sheet) -> list[Line]:
    """The sheet as Dev Tools takes it: sentences as comments, requests as they are typed."""
    lines = [*_comment(sheet.title, Tone.STRONG), *[each for note in sheet.notes for each in _comment(note)]]
    for number, block in enumerate(sheet.blocks, 1):
        tone = Tone.BAD if block.is_destructive else Tone.DIM
        lines += [BLANK, *_comment(f"{number}. {block.title}", Tone.BAD if block.is_destructive else Tone.STRONG)]
        lines += [*_comment(block.why, Tone.DIM), *_comment(f"Changes: {block.changes}", tone)]
        lines += [line(each) for each in block.request.split("\n")]
    return lines


def _comment(text: str, tone: Tone = Tone.PLAIN) -> list[Line]:
    return [line(f"# {each}", tone) for each in wrapped(clean(text), _WIDTH)]


def sheet_document(sheet: Sheet) -> list[dict[str, Any]]:
    """The requests for scripts, in their order; the notes are no part of it."""
    return [
        {
            "title": block.title,
            "why": block.why,
            "method": block.method,
            "path": block.path,
            "body": block.body,
            "changes": block.changes,
        }
        for block in sheet.blocks
    ]
