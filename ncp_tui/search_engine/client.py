"""The service as Python methods. The last line of defence for read-only mode is here, below every user interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from ncp_tui.gateway import (
    PATIENT,
    Call,
    ClockOffset,
    Gateway,
    GatewayError,
    Patience,
    ReadOnlyRefused,
    RequestRecord,
    SecretKey,
)
from ncp_tui.search_engine.models import Bucket, Cluster, Dashboard, HistoryEntry, ScheduleEntry, Version
from ncp_tui.search_engine.operations import OPERATIONS, Effect
from ncp_tui.search_engine.paging import PAGE_SIZE, number_of_pages, pages
from ncp_tui.search_engine.reading import members

Body = Mapping[str, str | int | SecretKey]


class SearchEngine:
    """Search Engine Service through one gateway. Every method raises GatewayError; none repeats a request."""

    def __init__(self, gateway: Gateway, *, read_only: bool = False) -> None:
        """Talk through `gateway`; with `read_only`, operations with an effect are refused before they are built."""
        self._gateway = gateway
        self.read_only = read_only

    @property
    def clock_offset(self) -> ClockOffset | None:
        """The gateway's clock against ours, as of the newest answer."""
        return self._gateway.clock_offset

    async def aclose(self) -> None:
        """Close the connections."""
        await self._gateway.aclose()

    async def cluster_pages(self) -> AsyncIterator[list[Cluster]]:
        """Every cluster, a page at a time, each once. Clusters this key may not open come with `allowed` False."""
        seen: set[str] = set()
        async for result in self._pages("getClusterInfoList", "", "allowedClusters", "disallowedClusters"):
            found = [Cluster.read(item) for item in members(result, "allowedClusters")]
            found += [Cluster.read(item, allowed=False) for item in members(result, "disallowedClusters")]
            fresh = [cluster for cluster in found if (cluster.number or cluster.name) not in seen]
            seen.update(cluster.number or cluster.name for cluster in fresh)
            if not fresh:
                return  # a page of nothing but rows already seen: the service is not advancing
            yield _each_once(fresh)

    async def list_clusters(self) -> list[Cluster]:
        """Every cluster of the account in this region."""
        return [cluster async for page in self.cluster_pages() for cluster in page]

    async def check_keys(self) -> int:
        """Make one cheap signed read, the first page of clusters; returns how many clusters it named."""
        payload = await self._call("getClusterInfoList", query=_page_query(1, 1))
        result = payload.get("result")
        return len(members(result, "allowedClusters")) + len(members(result, "disallowedClusters"))

    async def show_cluster(self, number: str) -> Cluster | None:
        """A cluster in full, or None where the service knows no such number."""
        result = (await self._call("getClusterInfo", number)).get("result")
        return Cluster.read(result) if isinstance(result, Mapping) else None

    async def list_buckets(self, number: str) -> list[Bucket]:
        """The buckets as seen by the API key stored on the cluster; null, missing and empty are all an empty list."""
        result = (await self._call("getBucketList", number)).get("result")
        return [Bucket.read(item) for item in members(result, "bucketList")]

    async def create_snapshot(self, number: str, name: str, bucket: str) -> str:
        """Ask for a snapshot, once, and return the request id. Returning at all means accepted, not finished."""
        payload = await self._send(self._creation(number, name, bucket))
        return str(payload.get("requestId") or "")

    def preview_create_snapshot(self, number: str, name: str, bucket: str) -> RequestRecord:
        """The request `create_snapshot` would send; nothing is sent."""
        return self._gateway.preview(self._creation(number, name, bucket))

    async def history_pages(self, number: str) -> AsyncIterator[list[HistoryEntry]]:
        """The snapshot history, a page at a time, in the service's own order; a row met twice comes once."""
        seen: set[object] = set()
        async for result in self._pages("getSnapshotHistory", number, "snapshotHistoryResponseList"):
            rows = [HistoryEntry.read(item) for item in members(result, "snapshotHistoryResponseList")]
            fresh = [row for row in rows if _identity(row) not in seen]
            seen.update(map(_identity, fresh))
            if not fresh:
                return
            yield fresh

    async def snapshot_history(self, number: str) -> list[HistoryEntry]:
        """The whole snapshot history of a cluster, newest first."""
        rows = [row async for page in self.history_pages(number) for row in page]
        return sorted(rows, key=lambda row: row.sort_key, reverse=True)

    async def recent_snapshots(self, number: str) -> list[HistoryEntry]:
        """The newest rows of the history, newest first: enough to follow one snapshot, at one request or two.

        The service's order is not documented. Where the first of several pages turns out to begin with the oldest, the
        newest are on the last.
        """
        result = (await self._call("getSnapshotHistory", number, query=_page_query(1, PAGE_SIZE))).get("result")
        rows = _history(result)
        last = number_of_pages(result)
        if last > 1 and rows and rows[0].sort_key < rows[-1].sort_key:
            result = (await self._call("getSnapshotHistory", number, query=_page_query(last, PAGE_SIZE))).get("result")
            rows += _history(result)
        return sorted(rows, key=lambda row: row.sort_key, reverse=True)

    async def set_api_key(self, number: str, access_key: str, secret_key: SecretKey) -> None:
        """Store the key with which the cluster reaches Object Storage. It cannot be read back."""
        await self._call(
            "updateAPIAuthenticationKey", number, body={"accessKeyId": access_key, "secretKey": secret_key}
        )

    async def set_schedule(self, number: str, *, name: str, bucket: str, day: str, hour: int, minute: int) -> None:
        """Take snapshots every `day` (`Everyday`, `Sunday` ...) at a quarter hour."""
        await self._call(
            "setSnapshotScheduling",
            number,
            body={
                "snapshotName": name,
                "bucketName": bucket,
                "scheduledDay": day,
                "scheduledHour": hour,
                "scheduledMinute": minute,
            },
        )

    async def schedule_history(self, number: str) -> list[ScheduleEntry]:
        """Every setting of the schedule; the newest is the one in force."""
        name = "snapshotSchedulingHistoryList"
        found: list[ScheduleEntry] = []
        async for result in self._pages("getSnapshotSchedulingHistory", number, name):
            rows = [ScheduleEntry.read(item) for item in members(result, name)]
            fresh = [row for row in rows if row not in found]
            if not fresh:
                break
            found += fresh
        return found

    async def release_schedule(self, number: str) -> None:
        """End the schedule. A GET with an effect: existing snapshots stay, but it is never repeated."""
        await self._call("releaseSnapshotScheduling", number)

    async def list_versions(self) -> list[Version]:
        """The search engine versions on offer."""
        result = (await self._call("getSearchEngineVersionList")).get("result")
        return [Version.read(item) for item in members(result, "searchEngineVersionList")]

    async def show_dashboard(self, number: str) -> Dashboard:
        """Documents, indices and size of a cluster."""
        return Dashboard.read((await self._call("getDashboardInformation", number)).get("result"))

    async def _pages(self, name: str, number: str, *lists: str) -> AsyncIterator[Mapping[str, Any]]:
        async def fetch(page: int) -> Any:
            return (await self._call(name, number, query=_page_query(page, PAGE_SIZE))).get("result")

        async for result in pages(fetch, lambda result: not any(members(result, each) for each in lists)):
            yield result

    async def _call(
        self, name: str, number: str = "", *, query: tuple[tuple[str, str], ...] = (), body: Body | None = None
    ) -> dict[str, Any]:
        return await self._send(_call_of(name, number, query=query, body=body))

    async def _send(self, call: Call) -> dict[str, Any]:
        operation = OPERATIONS[call.operation]
        if self.read_only and operation.effect is not Effect.READ:
            raise ReadOnlyRefused(
                f"Read-only mode refuses to {operation.title}.",
                "Nothing was sent.",
                "Leave read-only mode (--read-only, NCP_TUI_READ_ONLY, or the profile's flag) to do it.",
            )
        try:
            payload = await self._gateway.send(call)
        except GatewayError as error:
            if operation.effect is Effect.READ and error.may_have_acted:
                # The gateway cannot know that nothing was at stake: what is marked as a read has no effect to fear.
                error.may_have_acted = False
                error.meaning = "Nothing was changed: this was only a read."
                error.next_step = "Try again; if it stays so, check the gateway URL and the proxy."
            raise
        return payload if isinstance(payload, dict) else {}

    @staticmethod
    def _creation(number: str, name: str, bucket: str) -> Call:
        body = {"snapshotName": name, "bucketName": bucket}
        return _call_of("createSnapshot", number, body=body, patience=PATIENT)


def _call_of(
    name: str,
    number: str = "",
    *,
    query: tuple[tuple[str, str], ...] = (),
    body: Body | None = None,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Call:
    operation = OPERATIONS[name]
    return Call(
        operation=operation.name,
        method=operation.method,
        # A number comes from the service: nothing in it may change which path is called, ".." included.
        path=operation.path(quote(number, safe="").replace(".", "%2E")),
        query=query,
        body=body,
        boolean=operation.boolean,
        patience=patience,
    )


def _history(result: Any) -> list[HistoryEntry]:
    return [HistoryEntry.read(item) for item in members(result, "snapshotHistoryResponseList")]


def _page_query(page: int, size: int) -> tuple[tuple[str, str], ...]:
    return (("pageNo", str(page)), ("pageSize", str(size)))


def _identity(row: HistoryEntry) -> object:
    # Not the row number alone: nobody documents that it does not start anew on each page.
    return row.index, row.snapshot, row.at


def _each_once(clusters: list[Cluster]) -> list[Cluster]:
    return list({cluster.number or cluster.name: cluster for cluster in clusters}.values())
