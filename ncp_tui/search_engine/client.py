"""The service as Python methods. The last line of defence for read-only mode is here, below every user interface."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

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
    clean,
)
from ncp_tui.search_engine.models import Bucket, Cluster, Dashboard, HistoryEntry, ScheduleEntry, Version
from ncp_tui.search_engine.operations import OPERATIONS, Effect
from ncp_tui.search_engine.paging import AT_ONCE, MOST_PAGES, PAGE_SIZE, number_of_pages, pages, total_rows
from ncp_tui.search_engine.reading import members
from ncp_tui.search_engine.refusals import explained
from ncp_tui.search_engine.retries import MOST_TRIES, Retries

Body = Mapping[str, str | int | SecretKey]

_HISTORY = "snapshotHistoryResponseList"
_MOST_OF_A_NUMBER = 40
_MOST_EMPTY = 3
"""Pages in a row without anything new, after which a history that is read backwards is given up."""


class WrongCluster(GatewayError):
    """What answered is not the cluster that was asked for, or nothing that could be asked for: nothing goes there."""

    kind = "wrong_cluster"


@dataclass(frozen=True)
class HistoryPage:
    """Some rows of a history. `total` is how many there are in all, where the service says so.

    `is_last` says that these are known to be the last ones.
    """

    rows: list[HistoryEntry]
    total: int | None
    is_last: bool


class SearchEngine:
    """Search Engine Service through one gateway. Every method raises GatewayError.

    A read that fails for a moment is asked again, see `retries`; an operation with an effect is sent once.
    """

    def __init__(self, gateway: Gateway, *, read_only: bool = False, retries: Retries | None = None) -> None:
        """Talk through `gateway`; with `read_only`, operations with an effect are refused before they are built."""
        self._gateway = gateway
        self._retries = retries or Retries()
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
        lists = ("allowedClusters", "disallowedClusters")
        async with aclosing(self._pages("getClusterInfoList", "", *lists, at_once=AT_ONCE)) as results:
            async for result, _ in results:
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

    async def show_cluster(self, number: str, name: str = "") -> Cluster | None:
        """A cluster in full, or None where the service knows no such number.

        Raises WrongCluster where the answer is of another number, or of another `name` where one is known.
        """
        result = (await self._call("getClusterInfo", number)).get("result")
        if not isinstance(result, Mapping):
            return None
        cluster = Cluster.read(result)
        if cluster.number != number or (name and cluster.name and not same_name(cluster.name, name)):
            raise _another(cluster, number, name)
        return cluster

    async def list_buckets(self, number: str) -> list[Bucket]:
        """The buckets as seen by the API key stored on the cluster; null, missing and empty are all an empty list."""
        result = (await self._call("getBucketList", number)).get("result")
        return [Bucket.read(item) for item in members(result, "bucketList")]

    async def create_snapshot(
        self,
        number: str,
        name: str,
        bucket: str,
        *,
        sending: Callable[[], Awaitable[None]] | None = None,
        corrects_clock: bool = True,
    ) -> str:
        """Ask for a snapshot, once, and return the request id. Returning at all means accepted, not finished.

        `sending` is awaited just before the first byte leaves; if it raises, nothing leaves and the Problem it raised
        comes out of here. It is awaited again where the gateway refused the signature because of this machine's clock,
        and the request is sent once more with the right time; not without `corrects_clock`.
        """
        call = replace(self._creation(number, name, bucket), sending=sending, corrects_clock=corrects_clock)
        payload = await self._send(call)
        return str(payload.get("requestId") or "")

    def preview_create_snapshot(self, number: str, name: str, bucket: str) -> RequestRecord:
        """The request `create_snapshot` would send; nothing is sent."""
        return self._gateway.preview(self._creation(number, name, bucket))

    async def history_pages(self, number: str, *, at_once: int = 1) -> AsyncIterator[HistoryPage]:
        """The snapshot history from its newest end on, a page at a time; a row met twice comes once.

        The service's order is not documented: where the first of several pages begins with the oldest, the pages are
        gone through backwards. The next page is fetched when it is asked for; with `at_once` above one, some are on
        their way before.
        """
        seen: set[object] = set()
        async with aclosing(self._pages("getSnapshotHistory", number, _HISTORY, at_once=at_once)) as results:
            async for result, is_last in results:
                rows = _history(result)
                if not seen and number_of_pages(result) > 1 and _begins_with_oldest(rows):
                    break
                fresh = _fresh(rows, seen)
                if not fresh:
                    return
                yield HistoryPage(fresh, total_rows(result), is_last)
            else:
                return
        last, first, empty = number_of_pages(result), rows, 0
        end = max(1, last - MOST_PAGES)
        for page in range(last, end, -1):
            fresh = _fresh(_history(await self._history_page(number, page)), seen)
            empty = 0 if fresh else empty + 1
            if empty == _MOST_EMPTY:
                break  # the number of pages is not to be trusted
            yield HistoryPage(fresh, total_rows(result), is_last=False)
        yield HistoryPage(_fresh(first, seen), total_rows(result), is_last=True)

    async def snapshot_history(self, number: str) -> list[HistoryEntry]:
        """The whole snapshot history of a cluster, newest first."""
        rows = [row async for page in self.history_pages(number, at_once=AT_ONCE) for row in page.rows]
        return sorted(rows, key=lambda row: row.sort_key, reverse=True)

    async def recent_snapshots(self, number: str, *, tries: int = MOST_TRIES) -> list[HistoryEntry]:
        """The newest rows of the history, newest first: enough to follow one snapshot, at one request or two.

        The service's order is not documented. Where the first of several pages turns out to begin with the oldest, the
        newest are on the last. Whoever looks again and again in a rhythm of its own asks for one of `tries`.
        """
        result = await self._history_page(number, 1, tries)
        rows = _history(result)
        last = number_of_pages(result)
        if last > 1 and _begins_with_oldest(rows):
            rows += _history(await self._history_page(number, last, tries))
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
        async for result, _ in self._pages("getSnapshotSchedulingHistory", number, name):
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

    async def _pages(
        self, name: str, number: str, *lists: str, at_once: int = 1
    ) -> AsyncGenerator[tuple[Mapping[str, Any], bool], None]:
        async def fetch(page: int) -> Any:
            return (await self._call(name, number, query=_page_query(page, PAGE_SIZE))).get("result")

        def is_empty(result: Any) -> bool:
            return not any(members(result, each) for each in lists)

        # Closed in any case: whoever stops in the middle has pages on their way.
        async with aclosing(pages(fetch, is_empty, at_once=at_once)) as found:
            async for page in found:
                yield page

    async def _history_page(self, number: str, page: int, tries: int = MOST_TRIES) -> Any:
        call = _call_of("getSnapshotHistory", number, query=_page_query(page, PAGE_SIZE))
        return (await self._send(call, tries)).get("result")

    async def _call(
        self, name: str, number: str = "", *, query: tuple[tuple[str, str], ...] = (), body: Body | None = None
    ) -> dict[str, Any]:
        return await self._send(_call_of(name, number, query=query, body=body))

    async def _send(self, call: Call, tries: int = MOST_TRIES) -> dict[str, Any]:
        operation = OPERATIONS[call.operation]
        if operation.effect is Effect.READ:
            payload = await self._retries.of(lambda number, left: self._read(call, number, left), tries)
        elif self.read_only:
            raise ReadOnlyRefused(
                f"Read-only mode refuses to {operation.title}.",
                "Nothing was sent.",
                "Leave read-only mode (--read-only, NCP_TUI_READ_ONLY, or the profile's flag) to do it.",
            )
        else:
            payload = await self._write(call)
        return payload if isinstance(payload, dict) else {}

    async def _write(self, call: Call) -> Any:
        try:
            return await self._gateway.send(call)
        except GatewayError as error:
            raise explained(error)  # noqa: B904 - the same error

    async def _read(self, call: Call, number: int, left: float) -> Any:
        try:
            return await self._gateway.send(replace(call, patience=call.patience.within(left)), attempt=number)
        except GatewayError as error:
            if error.may_have_acted:
                # The gateway cannot know that nothing was at stake: what is marked as a read has no effect to fear.
                error.may_have_acted = False
                error.meaning = "Nothing was changed: this was only a read."
                error.next_step = "Try again; if it stays so, check the gateway URL and the proxy."
            raise explained(error)  # noqa: B904 - the same error

    @staticmethod
    def _creation(number: str, name: str, bucket: str) -> Call:
        body = {"snapshotName": name, "bucketName": bucket}
        return _call_of("createSnapshot", number, body=body, patience=PATIENT)


def check_number(number: str, name: str = "") -> None:
    """A cluster's number is digits: anything else that a service gives, ".." included, could be another address.

    Raises WrongCluster.
    """
    if not (number.isascii() and number.isdigit()):
        of = f" of {clean(name)}" if name else ""
        raise WrongCluster(
            f"The cluster number{of} is {clean(number[:_MOST_OF_A_NUMBER])!r}, and a number has digits only.",
            "Nothing was sent to it.",
            "List the clusters again; if it stays so, check the gateway URL.",
        )


def same_name(one: str, other: str) -> bool:
    """Whether two names are one: a shell on macOS hands Hangul over in pieces that look the same."""
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def _another(cluster: Cluster, number: str, name: str) -> WrongCluster:
    asked = f"{name} ({number})" if name else number
    answered = " ".join(part for part in (cluster.name, f"({cluster.number})" if cluster.number else "") if part)
    return WrongCluster(
        f"Asked for cluster {asked}, and the answer is {f'of {clean(answered)}' if answered else 'of no cluster'}.",
        "It is not used, and nothing was sent to either.",
        "List the clusters again; if it stays so, check the gateway URL and the proxy.",
    )


def _call_of(
    name: str,
    number: str = "",
    *,
    query: tuple[tuple[str, str], ...] = (),
    body: Body | None = None,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Call:
    operation = OPERATIONS[name]
    if operation.for_cluster:
        check_number(number)
    return Call(
        operation=operation.name,
        method=operation.method,
        path=operation.path(number),
        query=query,
        body=body,
        boolean=operation.boolean,
        has_effect=operation.effect is not Effect.READ,
        patience=patience,
    )


def _history(result: Any) -> list[HistoryEntry]:
    return [HistoryEntry.read(item) for item in members(result, _HISTORY)]


def _begins_with_oldest(rows: list[HistoryEntry]) -> bool:
    return bool(rows) and rows[0].sort_key < rows[-1].sort_key


def _fresh(rows: list[HistoryEntry], seen: set[object]) -> list[HistoryEntry]:
    """The rows that are not in `seen`, which then has them too."""
    fresh = [row for row in rows if _identity(row) not in seen]
    seen.update(map(_identity, fresh))
    return fresh


def _page_query(page: int, size: int) -> tuple[tuple[str, str], ...]:
    return (("pageNo", str(page)), ("pageSize", str(size)))


def _identity(row: HistoryEntry) -> object:
    # Not the row number alone: nobody documents that it does not start anew on each page.
    return row.index, row.snapshot, row.at


def _each_once(clusters: list[Cluster]) -> list[Cluster]:
    return list({cluster.number or cluster.name: cluster for cluster in clusters}.values())
