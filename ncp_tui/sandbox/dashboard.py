"""The indices of a cluster, for clients that ask how much a snapshot would have to hold."""

from __future__ import annotations

from ncp_tui.sandbox.clusters import Cluster
from ncp_tui.sandbox.request_fields import Fields, Page

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
