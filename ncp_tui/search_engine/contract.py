"""What this program believes of each read of the API, field by field, with where that comes from and what is doubtful.

A contract check compares it with the answers of NCP, and a test with those of the sandbox. The grade of a source is
that of the public material: the pages of api.ncloud-docs.com, the models of ncloud-sdk-go-v2 (`vses` for v1, `vses2`
for v2), terraform-provider-ncloud, and what others have measured (npm ncloud-mcp-server 1.16.0).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Kind(StrEnum):
    """The types of JSON."""

    TEXT = "string"
    INTEGER = "integer"
    REAL = "number"
    FLAG = "boolean"
    OBJECT = "object"
    LIST = "array"
    NULL = "null"


class Grade(StrEnum):
    """How well a belief is founded, the best first."""

    DOCS = "docs"
    SDK_V2 = "sdk v2"
    SDK_V1 = "sdk v1"
    THIRD_PARTY = "third party"
    INFERENCE = "inference"


class Presence(StrEnum):
    """Whether a field is there."""

    ALWAYS = "always"
    AT_TIMES = "at times"
    """It may be missing or null in some rows."""
    DOUBTFUL = "doubtful"
    """It is unknown whether there is such a field at all."""


class Holds(StrEnum):
    """What a value says about its owner; the word is what stands for it in a file that others may read."""

    NOTHING = ""
    """Counts, versions, types: it is kept."""
    WORD = "word"
    """One of a few words, such as a status."""
    MESSAGE = "message"
    """Free text, which may name anything."""
    DATE = "date"
    CLUSTER = "cluster"
    BUCKET = "bucket"
    SNAPSHOT = "snapshot"
    NODE = "node"
    INDEX = "index"
    NETWORK = "network"
    GROUP = "acg"
    LOGIN_KEY = "login-key"
    USER = "user"
    MEMBER = "member"
    ADDRESS = "address"
    NUMBER = "number"
    IDENTIFIER = "id"
    ACCESS_KEY = "access-key"


KEPT = frozenset({Holds.NOTHING, Holds.WORD, Holds.MESSAGE, Holds.DATE})
"""What is no name of anything."""

DATE_SHAPE = "9999-99-99 99:99:99"
"""How a date is written: `yyyy-MM-dd HH:mm:ss`, without a zone, in Korean time."""


@dataclass(frozen=True)
class Field:
    """One member of an object. `fields` are those of an object, or of each item of a list."""

    name: str
    kind: Kind
    grade: Grade
    holds: Holds = Holds.NOTHING
    presence: Presence = Presence.ALWAYS
    words: tuple[str, ...] = ()
    """The words it is believed to have; empty where none are documented."""
    fields: tuple[Field, ...] = ()
    newest_first_by: str = ""
    """Of a list: the date by which the newest row comes first, which no page says."""
    doubt: str = ""
    """What is not certain about it."""


@dataclass(frozen=True)
class Belief:
    """What is believed of the answer to one read."""

    operation: str
    envelope: tuple[Field, ...]
    is_paged: bool = False
    rows: tuple[str, ...] = ()
    """The members of the result that are its rows."""
    doubts: tuple[str, ...] = ()
    """Questions that no field has."""


def _text(name: str, grade: Grade, holds: Holds = Holds.NOTHING, **more: Any) -> Field:
    return Field(name, Kind.TEXT, grade, holds, **more)


def _word(name: str, grade: Grade, *words: str, doubt: str = "") -> Field:
    return Field(name, Kind.TEXT, grade, Holds.WORD, words=words, doubt=doubt)


def _integer(name: str, grade: Grade, holds: Holds = Holds.NOTHING, **more: Any) -> Field:
    return Field(name, Kind.INTEGER, grade, holds, **more)


def _flag(name: str, grade: Grade, **more: Any) -> Field:
    return Field(name, Kind.FLAG, grade, **more)


def _list(name: str, grade: Grade, *fields: Field, **more: Any) -> Field:
    return Field(name, Kind.LIST, grade, fields=fields, **more)


def _answer(operation: str, *result: Field, is_paged: bool = False, doubts: tuple[str, ...] = ()) -> Belief:
    envelope = (
        _integer("code", Grade.DOCS),
        _text("message", Grade.DOCS, Holds.MESSAGE),
        Field("result", Kind.OBJECT, Grade.DOCS, fields=(*(_PAGING if is_paged else ()), *result)),
        _text("requestId", Grade.DOCS, Holds.IDENTIFIER),
    )
    rows = tuple(field.name for field in result if field.kind is Kind.LIST)
    return Belief(operation, envelope, is_paged, rows, doubts)


_D, _S2, _S1 = Grade.DOCS, Grade.SDK_V2, Grade.SDK_V1

_PAGING = (
    _integer("currentPage", _D),
    _integer("pageSize", _D),
    _integer("totalCount", _D),
    _integer("totalPage", _D),
    _flag("isFirst", _D),
    _flag("isLast", _D),
)

_CLUSTER_STATUS = _word(
    "clusterStatus",
    _S1,
    *("creating", "changing", "running", "error", "deleting", "return", "working"),
    doubt="Which words there are beside the known ones.",
)
_HEALTH = _word(
    "searchEngineStatus",
    Grade.INFERENCE,
    *("green", "yellow", "orange", "red", "gray"),
    doubt="Which words there are beside the known ones.",
)
_REDUCED = (
    _text("serviceGroupInstanceNo", _S2, Holds.NUMBER),
    _text("clusterName", _S2, Holds.CLUSTER),
    _CLUSTER_STATUS,
    _HEALTH,
)
_CREATED = _text("createDate", _S2, Holds.DATE, doubt="Its format.")
_COMMON = (
    _CREATED,
    _integer("vpcNo", _S2, Holds.NUMBER),
    _text("searchEnginePort", _S2),
    _text("searchEngineDashboardPort", _S2),
    _text("searchEngineUserName", _S2, Holds.USER),
    _text("loginKeyName", _S2, Holds.LOGIN_KEY),
    _flag("isDualManager", _S2),
    _flag("isMasterOnlyNodeActivated", _S2),
)
_ROLES = ("manager", "data", "master")


def _nodes_of_list() -> Iterator[Field]:
    for role in _ROLES:
        yield _integer(f"{role}NodeCount", _S2)
        yield _text(f"{role}NodeType", _S2)
        yield _text(f"{role}NodeSubnetName", _S2, Holds.NETWORK)
        yield _integer(f"{role}NodeSubnetNo", _S2, Holds.NUMBER)
        yield _text(f"{role}NodeAccessControlGroupName", _S2, Holds.GROUP)
        yield _integer(f"{role}NodeAccessControlGroupSequence", _S2, Holds.NUMBER)
        if role != "manager":
            yield _text(f"{role}NodeProductName", _S2)


def _nodes_of_detail() -> Iterator[Field]:
    for role in _ROLES:
        yield _integer(f"{role}NodeCount", _S2)
        yield _text(f"{role}NodeProductCode", _S2)
        yield _integer(f"{role}NodeSubnetNo", _S2, Holds.NUMBER)
        yield _text(f"{role}NodeType", _S2)
        yield _integer(f"{role}NodeAcgId", _S2, Holds.NUMBER)
        yield _text(f"{role}NodeAcgName", _S2, Holds.GROUP)


_CLUSTERS = _answer(
    "getClusterInfoList",
    _list(
        "allowedClusters",
        _S2,
        *_REDUCED,
        *_COMMON,
        _text("searchEngineVersion", _S2),
        _text("softwareProductName", _S2),
        _text("vpcName", _S2, Holds.NETWORK),
        _text("memberNo", _S2, Holds.MEMBER),
        _flag("isPluginInstalled", _S2),
        _integer("dataStorageVolumeSize", _S2, doubt="Its unit."),
        *_nodes_of_list(),
        _text(
            "accessKeyId",
            _S1,
            Holds.ACCESS_KEY,
            presence=Presence.DOUBTFUL,
            doubt="Whether it is there still: v1 has it, and it would say whether a storage key is set.",
        ),
    ),
    _list("disallowedClusters", _S2, *_REDUCED),
    is_paged=True,
    doubts=("Whether totalCount counts the clusters that the key may not open.", "The largest pageSize."),
)

_CLUSTER = _answer(
    "getClusterInfo",
    *(field for field in _REDUCED if field is not _HEALTH),
    *_COMMON,
    _text("softwareProductCode", _D),
    _text("searchEngineVersionCode", _D),
    _text("dataNodeStorageSize", _S2),
    *_nodes_of_detail(),
    Field("managerNodeInstanceNoList", Kind.LIST, _S2, Holds.NUMBER),
    _list(
        "clusterNodeList",
        _S2,
        _text("computeInstanceName", _S2, Holds.NODE),
        _integer("computeInstanceNo", _S2, Holds.NUMBER),
        _text("privateIp", _S2, Holds.ADDRESS),
        _word("serverStatus", _S2),
        _word("nodeType", _S2),
        _text("subnet", _S2, Holds.NETWORK),
    ),
)

_VERSIONS = _answer(
    "getSearchEngineVersionList",
    _list(
        "searchEngineVersionList",
        _S2,
        _text("searchEngineVersionCode", _S2),
        _text("searchEngineVersionName", _S2),
        _text("searchEngineDashboardVersionName", _S2),
        _text("type", _S2),
    ),
)

_DASHBOARD = _answer(
    "getDashboardInformation",
    Field(
        "clusterStatus",
        Kind.OBJECT,
        _S1,
        fields=(
            replace(_HEALTH, name="status", grade=_S1),
            _text("docsCount", _S1),
            _text("indicesCount", _S1),
            _text("shardCount", _S1),
            _text("segmentsCount", _S1),
            _text("storeSizeInUsed", _S1, doubt="Its unit."),
        ),
        doubt="Its fields in v2.",
    ),
    Field(
        "clusterIndicesStatus",
        Kind.OBJECT,
        _S1,
        fields=(
            *(replace(field, grade=_S1) for field in _PAGING[:4]),
            _flag("isPaged", _S1),
            _list(
                "indiceInfoList",
                _S1,
                _text("indexName", _S1, Holds.INDEX),
                _word("health", _S1),
                _word("status", _S1),
                _text("uuid", _S1, Holds.IDENTIFIER),
                *(_text(name, _S1) for name in ("docsCount", "docsDeleted", "primaryCount", "replicaCount")),
                _text("storeSize", _S1),
            ),
        ),
        doubt="Its fields in v2.",
    ),
)

_BUCKETS = _answer(
    "getBucketList",
    _list(
        "bucketList",
        _D,
        _text("name", _D, Holds.BUCKET),
        _integer("bytesUsed", _D),
        _integer("objectCount", _D),
        _integer("creationTime", _D, Holds.DATE, doubt="Whether it counts seconds or milliseconds."),
        _word("bucketProtectionState", _D, "ENABLED", "DISABLED"),
        _word("permission", _D, "Allow", "Deny"),
        *(
            _text(name, _S1, Holds.WORD, presence=Presence.DOUBTFUL, doubt="Whether v2 has it.")
            if name == "actionName"
            else _flag(name, _S1, presence=Presence.DOUBTFUL, doubt="Whether v2 has it.")
            for name in ("actionName", "disabled", "enable", "sseKmsEnabled")
        ),
    ),
    doubts=("How NCP answers where no storage key is set: ask about a cluster without one.",),
)

_HISTORY = _answer(
    "getSnapshotHistory",
    _list(
        "snapshotHistoryResponseList",
        _D,
        _integer("idx", _D),
        _text("clusterName", _D, Holds.CLUSTER),
        _text("snapshotName", _D, Holds.SNAPSHOT),
        _text("memberNo", _D, Holds.MEMBER),
        _integer("serviceGroupInstanceNo", _D, Holds.NUMBER),
        _text("actionDate", Grade.INFERENCE, Holds.DATE, doubt="Its name and format in v2."),
        _text("bucketName", _S1, Holds.BUCKET),
        _word("requestType", _S1, doubt="Its words."),
        _text("message", _S1, Holds.MESSAGE, doubt="Its words; they alone tell the state of a snapshot."),
        _flag("hasErrorLog", _S1),
        _text("duration", _S1, presence=Presence.AT_TIMES, doubt="Its unit and format."),
        newest_first_by="actionDate",
        doubt="The order of its rows.",
    ),
    is_paged=True,
    doubts=("The largest pageSize.",),
)

_SCHEDULES = _answer(
    "getSnapshotSchedulingHistory",
    _list(
        "snapshotSchedulingHistoryList",
        _S1,
        _text("snapshotName", _S1, Holds.SNAPSHOT),
        _text("bucketName", _S1, Holds.BUCKET),
        _text("snapshotSchedulingConfigSetUpDate", _S1, Holds.DATE, doubt="Its format."),
        _word(
            "snapshotSchedulingSetUpDay",
            _S1,
            *("Everyday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
            doubt="Whether it has the words of setSnapshotScheduling.",
        ),
        _text("snapshotSchedulingSetUpTime", _S1, Holds.DATE, doubt="Its format."),
        _word("snapshotSchedulingStatus", _S1, doubt="Its words."),
        newest_first_by="snapshotSchedulingConfigSetUpDate",
        doubt="The order of its rows.",
    ),
    is_paged=True,
    doubts=("The largest pageSize.",),
)

BELIEFS: Mapping[str, Belief] = MappingProxyType(
    {
        belief.operation: belief
        for belief in (_CLUSTERS, _CLUSTER, _VERSIONS, _DASHBOARD, _BUCKETS, _HISTORY, _SCHEDULES)
    }
)
"""By the operation, in the order in which they are compared."""

SHAPES: Mapping[str, str] = MappingProxyType(
    {
        "createDate": DATE_SHAPE,
        "actionDate": DATE_SHAPE,
        "snapshotSchedulingConfigSetUpDate": DATE_SHAPE,
        "snapshotSchedulingSetUpTime": "99:99",
    }
)
"""How the dates and times of the API are written, by the name of the field; 9 is a digit."""
