"""What the sandbox's account owns and no request changes: clusters, their indices and versions, and the buckets."""

from __future__ import annotations

from dataclasses import dataclass

from ncp_tui.sandbox.protocol import DAY, Fields, Page, Refusal, Refused, seoul_time

FIRST_NUMBER = 1_037_001
MEMBER_NUMBER = "2719876"
DISALLOWED = 2

# (code, name, dashboard, kind) of getSearchEngineVersionList.
VERSIONS = (
    ("2171", "OpenSearch 2.17.1", "OpenSearch Dashboards 2.17.0", "OpenSearch"),
    ("1319", "OpenSearch 1.3.9", "OpenSearch Dashboards 1.3.9", "OpenSearch"),
    ("7102", "Elasticsearch 7.10.2", "Kibana 7.10.2", "Elasticsearch"),
    ("773", "Elasticsearch 7.7.3", "Kibana 7.7.1", "Elasticsearch"),
)
_VPCS = (("vpc-prod", 40_211), ("vpc-stage", 40_212), ("vpc-data", 40_245))
_SEOUL_VPC = ("서울-운영", 40_301)


@dataclass(frozen=True)
class Kind:
    """What makes a cluster special. `name` replaces `search-NNNN`; a `fresh` one has no history yet."""

    status: str = "running"
    health: str = "green"
    name: str | None = None
    key_set: bool = True
    fresh: bool = False


# In the order in which a small world gets them. The service allows ASCII names only, but a server may send anything.
SPECIAL_KINDS = (
    Kind(),
    Kind(health="yellow", fresh=True),
    Kind(name="검색-로그-서울"),
    Kind(key_set=False, fresh=True),
    Kind("changing", "yellow"),
    Kind("error", "red"),
    Kind("creating", "gray", fresh=True),
    Kind(health="orange"),
    Kind("working"),
    Kind("deleting", "gray"),
    Kind("return", "gray"),
)
_DISALLOWED_NAMES = ("hr-private", "legal-archive")


@dataclass(frozen=True)
class Cluster:
    """One cluster as the service describes it. `index` counts from 1; `created` is in epoch seconds."""

    index: int
    name: str
    kind: Kind
    status: str
    health: str
    created: float
    hidden: bool = False

    @property
    def number(self) -> str:
        """The service group instance number, a string as in the cluster list."""
        return str(FIRST_NUMBER + self.index - 1)

    @property
    def is_running(self) -> bool:
        """Whether a snapshot of the cluster can be created."""
        return self.status == "running"

    @property
    def data_nodes(self) -> int:
        """How many data nodes, 3 to 6."""
        return 3 + self.index % 4

    @property
    def master_nodes(self) -> int:
        """Dedicated master nodes: none, or the smallest number that keeps a quorum."""
        return 3 if self.index % 3 == 1 else 0

    @property
    def version(self) -> tuple[str, str, str, str]:
        """Its row of VERSIONS."""
        return VERSIONS[(self.index - 1) % len(VERSIONS)]

    @property
    def vpc(self) -> tuple[str, int]:
        """Name and number of its VPC."""
        return _SEOUL_VPC if self.kind.name else _VPCS[(self.index - 1) % len(_VPCS)]


def build_clusters(count: int, start: float) -> tuple[Cluster, ...]:
    """`count` clusters that a manager may open, then those that no account may open. Raises ValueError below one."""
    if count < 1:
        raise ValueError("a sandbox has at least one cluster")
    allowed = [_cluster(index, start) for index in range(1, count + 1)]
    hidden = [_hidden(count + 1 + place, name, start) for place, name in enumerate(_DISALLOWED_NAMES)]
    return (*allowed, *hidden)


def reduced_row(cluster: Cluster) -> Fields:
    """The four fields that are left when the caller may not open the cluster."""
    return {
        "serviceGroupInstanceNo": cluster.number,
        "clusterName": cluster.name,
        "clusterStatus": cluster.status,
        "searchEngineStatus": cluster.health,
    }


def list_row(cluster: Cluster) -> Fields:
    """The cluster as getClusterInfoList has it: version by name, with health."""
    return (
        reduced_row(cluster)
        | _common_fields(cluster)
        | {
            "searchEngineVersion": cluster.version[1],
            "softwareProductName": "rocky-8.10-64",
            "vpcName": cluster.vpc[0],
            "memberNo": MEMBER_NUMBER,
            # Clusters made before 2021-07-23 get the Object Storage plugin when the key is first set.
            "isPluginInstalled": cluster.kind.key_set,
            "dataStorageVolumeSize": 100 * cluster.data_nodes,
            "managerNodeType": "MGR",
        }
        | _list_nodes(cluster)
    )


def detail_row(cluster: Cluster) -> Fields:
    """The cluster as getClusterInfo has it: version by code, with its nodes and without health."""
    number = int(cluster.number)
    return (
        {name: value for name, value in reduced_row(cluster).items() if name != "searchEngineStatus"}
        | _common_fields(cluster)
        | {
            "softwareProductCode": "SW.VELST.OS.LNX64.ROCKY.0810.B050",
            "searchEngineVersionCode": cluster.version[0],
            "dataNodeStorageSize": "100",
            "managerNodeInstanceNoList": [number * 100 + 1],
            "clusterNodeList": _nodes(cluster),
        }
        | _detail_nodes(cluster)
    )


def version_rows() -> list[Fields]:
    """The rows of getSearchEngineVersionList."""
    names = ("searchEngineVersionCode", "searchEngineVersionName", "searchEngineDashboardVersionName", "type")
    return [dict(zip(names, version, strict=True)) for version in VERSIONS]


def _cluster(index: int, start: float) -> Cluster:
    kind = SPECIAL_KINDS[index - 1] if index <= len(SPECIAL_KINDS) else Kind()
    age_days = 2 if kind.fresh else 60 + (index * 37) % 500
    return Cluster(
        index, kind.name or f"search-{index:04d}", kind, kind.status, kind.health, created=start - age_days * DAY
    )


def _hidden(index: int, name: str, start: float) -> Cluster:
    return Cluster(index, name, Kind(), "running", "green", created=start - 300 * DAY, hidden=True)


def _common_fields(cluster: Cluster) -> Fields:
    return {
        "createDate": seoul_time(cluster.created),
        "vpcNo": cluster.vpc[1],
        "searchEngineUserName": "admin",
        "searchEnginePort": "9200",
        "searchEngineDashboardPort": "5601",
        "loginKeyName": "sandbox-login-key",
        "isDualManager": cluster.index % 2 == 1,
        "isMasterOnlyNodeActivated": cluster.master_nodes > 0,
    }


def _counts(cluster: Cluster) -> dict[str, int]:
    return {
        "manager": 2 if cluster.index % 2 == 1 else 1,
        "data": cluster.data_nodes,
        "master": cluster.master_nodes,
    }


def _list_nodes(cluster: Cluster) -> Fields:
    fields: Fields = {}
    for place, (role, count) in enumerate(_counts(cluster).items()):
        fields |= {
            f"{role}NodeCount": count,
            f"{role}NodeSubnetName": f"{role}-subnet",
            f"{role}NodeSubnetNo": 81_000 + place,
            f"{role}NodeAccessControlGroupName": f"searchengine-{role}-{cluster.index}",
            f"{role}NodeAccessControlGroupSequence": 150_000 + cluster.index * 3 + place,
        }
        if role != "manager":
            fields |= {f"{role}NodeType": "STAND", f"{role}NodeProductName": "vCPU 2EA, Memory 8GB"}
    return fields


def _detail_nodes(cluster: Cluster) -> Fields:
    fields: Fields = {}
    for place, (role, count) in enumerate(_counts(cluster).items()):
        fields |= {
            f"{role}NodeCount": count,
            f"{role}NodeProductCode": "SVR.VELST.STAND.C002.M008.NET.SSD.B050.G002",
            f"{role}NodeSubnetNo": 81_000 + place,
            f"{role}NodeType": "STAND",
            f"{role}NodeAcgId": 150_000 + cluster.index * 3 + place,
            f"{role}NodeAcgName": f"searchengine-{role}-{cluster.index}",
        }
    return fields


def _nodes(cluster: Cluster) -> list[Fields]:
    roles = [role for role, count in _counts(cluster).items() for _ in range(count)]
    return [
        {
            "computeInstanceName": f"{cluster.name}-{role[0]}{place:02d}",
            "computeInstanceNo": int(cluster.number) * 100 + place,
            "privateIp": f"10.{cluster.index // 250 % 250}.{cluster.index % 250}.{place + 5}",
            "serverStatus": "RUN" if cluster.is_running else "STOP",
            "nodeType": role.upper(),
            "subnet": f"{role}-subnet",
        }
        for place, role in enumerate(roles, start=1)
    ]


_GIB = 1 << 30


def dashboard(cluster: Cluster, page: Page) -> Fields:
    """The result of getDashboardInformation; every figure is a string."""
    indices = [_index(cluster, place) for place in range(4 + cluster.index * 7 % 20)]
    documents = sum(int(index["docsCount"]) for index in indices)
    shards = sum(int(index["primaryCount"]) * (1 + int(index["replicaCount"])) for index in indices)
    fields = page.fields(len(indices))
    paging = {name: fields[name] for name in ("currentPage", "pageSize", "totalCount", "totalPage")}
    return {
        "clusterStatus": {
            "status": cluster.health,
            "docsCount": str(documents),
            "indicesCount": str(len(indices)),
            "shardCount": str(shards),
            "segmentsCount": str(shards * 11),
            "storeSizeInUsed": str(documents * 640),
        },
        "clusterIndicesStatus": paging | {"isPaged": True, "indiceInfoList": list(page.cut(indices))},
    }


def _index(cluster: Cluster, place: int) -> Fields:
    documents = 120_000 + (place * 7_919 + cluster.index * 104_729) % 4_000_000
    return {
        "indexName": f"logs-{place + 1:03d}",
        "health": cluster.health,
        "status": "open",
        "uuid": f"{cluster.index:08x}{place:014x}",
        "docsCount": str(documents),
        "docsDeleted": str(documents // 1_000),
        "primaryCount": "5",
        "replicaCount": "1",
        "storeSize": f"{documents * 640 / _GIB:.1f}gb",
    }


@dataclass(frozen=True)
class Bucket:
    """One bucket. `age_days` counts back from the start of the sandbox."""

    name: str
    bytes_used: int
    object_count: int
    age_days: int
    locked: bool = False
    denied: bool = False
    in_seconds: bool = False

    def row(self, start: float) -> Fields:
        """The bucket as getBucketList has it. The unit of creationTime is undocumented, so one bucket has another."""
        created = start - self.age_days * DAY
        return {
            "name": self.name,
            "bytesUsed": self.bytes_used,
            "objectCount": self.object_count,
            "creationTime": int(created) if self.in_seconds else int(created * 1000),
            "bucketProtectionState": "ENABLED" if self.locked else "DISABLED",
            "permission": "Deny" if self.denied else "Allow",
        }


BUCKETS = (
    Bucket("bk.ses.snapshot", 48_318_382_080, 18_204, age_days=412),
    Bucket("es-backup-weekly", 7_516_192_768, 2_961, age_days=230, in_seconds=True),
    Bucket("logs-archive-2025", 912_680_550_400, 301_442, age_days=158),
    Bucket("empty-bucket", 0, 0, age_days=1),
    Bucket("audit-locked", 1_288_490_189, 640, age_days=365, locked=True),
    Bucket("finance-private", 53_687_091_200, 12_007, age_days=600, denied=True),
    Bucket("legal-hold", 2_147_483_648, 88, age_days=720, locked=True, denied=True),
)


def usable_bucket(name: str) -> Bucket:
    """The bucket of that name. Raises Refused when there is none, or no snapshot can be stored in it."""
    for bucket in BUCKETS:
        if bucket.name == name:
            return _checked(bucket)
    raise Refused(Refusal.BUCKET_NOT_FOUND)


def _checked(bucket: Bucket) -> Bucket:
    if bucket.denied:
        raise Refused(Refusal.BUCKET_DENIED)
    if bucket.locked:
        raise Refused(Refusal.BUCKET_LOCKED)
    return bucket
