"""The service as Python methods. The last line of defence for read-only mode is here, below every user interface."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.gateway.errors import GatewayError, ReadOnlyRefused
from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.gateway.request import CREATE_TIMEOUTS, ApiCall, Timeouts
from ncp_tui.search_engine import fields
from ncp_tui.search_engine.lists import (
    AT_ONCE,
    BUCKETS,
    CLUSTERS,
    HISTORY,
    MOST_ROWS,
    PAGE_SIZE,
    SCHEDULES,
    VERSIONS,
    Listing,
    ListKind,
    ListMissing,
    ListPage,
    RowReader,
    is_end_of,
    last_page,
    number_of_pages,
    pages,
    pages_backwards,
)
from ncp_tui.search_engine.models import Bucket, Cluster, Dashboard, HistoryEntry, ScheduleEntry, Version
from ncp_tui.search_engine.operations import CREATE_SNAPSHOT, NUMBER, OPERATIONS, Effect, Operation, explained
from ncp_tui.search_engine.retries import MOST_TRIES, RetryPolicy
from ncp_tui.text import clean

Body = Mapping[str, str | int | SecretKey]

Query = tuple[tuple[str, str], ...]

T = TypeVar("T")

_MOST_OF_A_NUMBER = 40


class WrongCluster(GatewayError):
    """What answered is not the requested cluster, or nothing that could be requested: nothing goes there."""

    kind = "wrong_cluster"


class SearchEngine:
    """Search Engine Service through one gateway. Every method raises GatewayError.

    A read that fails for a moment is asked again, see `retries`; an operation with an effect is sent once.
    """

    def __init__(self, gateway: GatewayClient, *, read_only: bool = False, retries: RetryPolicy | None = None) -> None:
        """Talk through `gateway`; with `read_only`, operations with an effect are refused before they are built."""
        self._gateway = gateway
        self._retries = retries or RetryPolicy()
        self.read_only = read_only

    @property
    def clock_offset(self) -> ClockOffset | None:
        """The gateway's clock against ours, as of the newest answer."""
        return self._gateway.clock_offset

    def now(self) -> datetime:
        """The time by this machine's clock: when a list was read."""
        return self._gateway.now()

    def time_there(self) -> datetime:
        """The time by NCP's clock, as far as its newest answer told it: what a row of the history is dated by."""
        offset = self.clock_offset
        return self.now() + timedelta(seconds=offset.correction if offset is not None else 0.0)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._gateway.aclose()

    async def cluster_pages(
        self, *, name_part: str = "", most: int = MOST_ROWS
    ) -> AsyncGenerator[ListPage[Cluster], None]:
        """The clusters, a page at a time, each once. Those this key may not open come with `allowed` False.

        Only those whose name contains `name_part`, as the service compares, where one is given; at most `most`. Raises
        ListMissing.
        """
        query = (("inputText", name_part),) if name_part else ()
        fetch = self._fetching("getClusterInfoList", query=query)
        async with aclosing(pages(fetch, RowReader(CLUSTERS, most), at_once=AT_ONCE)) as found:
            async for page in found:
                yield page

    async def list_clusters(self, *, name_part: str = "") -> Listing[Cluster]:
        """Every cluster of the account in this region, or those whose name contains `name_part`. Raises ListMissing."""
        return await self._listed(self.cluster_pages(name_part=name_part))

    async def check_keys(self) -> int:
        """Make one cheap signed read, the first page of clusters; returns how many clusters it named."""
        payload = await self._call("getClusterInfoList", query=_page_query(1, 1))
        return len(await RowReader(CLUSTERS, MOST_ROWS).take(payload.get("result")))

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

    async def list_buckets(self, number: str) -> Listing[Bucket]:
        """The buckets as seen by the API key stored on the cluster. Raises ListMissing."""
        return await self._listed(self._one_page("getBucketList", number, BUCKETS))

    async def create_snapshot(
        self,
        number: str,
        name: str,
        bucket: str,
        *,
        before_send: Callable[[], Awaitable[None]] | None = None,
        corrects_clock: bool = True,
    ) -> str:
        """Ask for a snapshot, once, and return the request id. Returning at all means accepted, not finished.

        `before_send` and `corrects_clock` are as in `change`.
        """
        body = _creation(name, bucket)
        return await self.change(CREATE_SNAPSHOT, number, body, before_send=before_send, corrects_clock=corrects_clock)

    async def change(
        self,
        operation: str,
        number: str = "",
        body: Body | None = None,
        *,
        before_send: Callable[[], Awaitable[None]] | None = None,
        corrects_clock: bool = True,
    ) -> str:
        """Send a registered operation with an effect, once, and return the request id. Returning means: confirmed.

        `before_send` is awaited just before the first byte leaves; if it raises, nothing leaves and the Problem it
        raised comes out of here. It is awaited again where the gateway refused the signature because of this machine's
        clock, and the request is sent once more with the right time; not without `corrects_clock`, and never where the
        body holds a secret: that leaves once.
        """
        call = _call_of(operation, number, body=body, timeouts=CREATE_TIMEOUTS)
        if not call.has_effect:
            raise ValueError(f"{operation} is a read")
        corrects_clock = corrects_clock and not call.has_secret
        payload = await self._send(replace(call, before_send=before_send, corrects_clock=corrects_clock))
        return str(payload.get("requestId") or "")

    def preview_create_snapshot(self, number: str, name: str, bucket: str) -> RequestRecord:
        """The request `create_snapshot` would send; nothing is sent."""
        return self._gateway.preview(_call_of(CREATE_SNAPSHOT, number, body=_creation(name, bucket)))

    def keep_out(self, *secrets: SecretKey) -> None:
        """Leave every trace of `secrets` out of the records of whatever is answered from now on."""
        self._gateway.keep_out(*secrets)

    def preview_change(self, operation: str, number: str, body: Body | None = None) -> RequestRecord:
        """The request `change` would send; nothing is sent."""
        return self._gateway.preview(_call_of(operation, number, body=body))

    async def history_pages(
        self, number: str, *, at_once: int = 1, most: int = MOST_ROWS
    ) -> AsyncGenerator[ListPage[HistoryEntry], None]:
        """The snapshot history from its newest end on, a page at a time; a row met twice comes once.

        The service's order is not documented: where the first of several pages begins with the oldest, the pages are
        gone through backwards. The next page is fetched when it is needed; with `at_once` above one, some are on
        their way before. Raises ListMissing.
        """
        fetch, rows = self._fetching("getSnapshotHistory", number), RowReader(HISTORY, most)
        first = await fetch(1)
        is_reversed = number_of_pages(first) > 1 and _begins_with_oldest(first)
        found = (
            pages_backwards(fetch, rows, first, at_once=at_once)
            if is_reversed
            else pages(fetch, rows, at_once=at_once, first=(first,))
        )
        async with aclosing(found):
            async for page in found:
                yield page

    async def snapshot_history(self, number: str) -> Listing[HistoryEntry]:
        """The whole snapshot history of a cluster, newest first. Raises ListMissing."""
        return _newest_first(await self._listed(self.history_pages(number, at_once=AT_ONCE)))

    async def recent_snapshots(self, number: str, *, tries: int = MOST_TRIES) -> Listing[HistoryEntry]:
        """The newest rows of the history, newest first: enough to follow one snapshot, at one request or two.

        The service's order is not documented. Where the first of several pages turns out to begin with the oldest, the
        newest are on the last. Whoever looks again and again in a rhythm of its own asks for one of `tries`. Raises
        ListMissing.
        """
        fetch, rows = self._fetching("getSnapshotHistory", number, tries=tries), RowReader(HISTORY, MOST_ROWS)
        first = await fetch(1)
        found = await rows.take(first)
        if is_end_of(first, 1, rows):
            gap = last_page(found, rows, is_end=True).gap
            return _newest_first(Listing(tuple(found), self.now(), rows.total, not gap, gap))
        if number_of_pages(first) > 1 and _begins_with_oldest(first):
            found += await rows.take(await fetch(number_of_pages(first)))
        if not found:
            raise ListMissing(HISTORY.noun, rows.damage or "the response says that there are some, and has none")
        newest = Listing(tuple(found), self.now(), rows.total, is_whole=False, gap=rows.damage, has_more=True)
        return _newest_first(newest)

    async def schedule_history(self, number: str, *, tries: int = MOST_TRIES) -> Listing[ScheduleEntry]:
        """Every setting of the schedule; the newest is the one in force. Raises ListMissing."""
        fetch = self._fetching("getSnapshotSchedulingHistory", number, tries=tries)
        return await self._listed(pages(fetch, RowReader(SCHEDULES, MOST_ROWS)))

    async def list_versions(self) -> Listing[Version]:
        """The search engine versions on offer. Raises ListMissing."""
        return await self._listed(self._one_page("getSearchEngineVersionList", "", VERSIONS))

    async def show_dashboard(self, number: str, *, tries: int = MOST_TRIES) -> Dashboard:
        """Documents, indices and size of a cluster."""
        return Dashboard.read((await self._send(_call_of("getDashboardInformation", number), tries)).get("result"))

    async def read_payload(self, operation: str, number: str = "", *, query: Query = ()) -> dict[str, Any]:
        """The whole answer to one registered read, asked once: for whoever compares it with what is believed of it."""
        call = _call_of(operation, number, query=query)
        if call.has_effect:
            raise ValueError(f"{operation} has an effect")
        return await self._send(call, tries=1)

    def _fetching(
        self, name: str, number: str = "", *, query: Query = (), tries: int = MOST_TRIES
    ) -> Callable[[int], Awaitable[Any]]:
        """What fetches one page of a list."""

        async def fetch(page: int) -> Any:
            call = _call_of(name, number, query=(*query, *_page_query(page, PAGE_SIZE)))
            return (await self._send(call, tries)).get("result")

        return fetch

    async def _one_page(self, name: str, number: str, kind: ListKind[T]) -> AsyncGenerator[ListPage[T], None]:
        """The only page of a list that the service does not cut into pages."""
        rows = RowReader(kind, MOST_ROWS)
        yield last_page(await rows.take((await self._call(name, number)).get("result")), rows, is_end=True)

    async def _listed(self, found: AsyncIterator[ListPage[T]]) -> Listing[T]:
        rows, gap, total = list[T](), "", None
        async for page in found:
            rows += page.rows
            total, gap = page.total, page.gap
        return Listing(tuple(rows), self.now(), total, not gap, gap)

    async def _call(self, name: str, number: str = "", *, query: Query = ()) -> dict[str, Any]:
        return await self._send(_call_of(name, number, query=query))

    async def _send(self, call: ApiCall, tries: int = MOST_TRIES) -> dict[str, Any]:
        operation = OPERATIONS[call.operation]
        if operation.effect is Effect.READ:
            payload = await self._retries.run(lambda number, left: self._read(call, number, left), tries)
        elif self.read_only:
            raise ReadOnlyRefused(
                f"Read-only mode: cannot {operation.title}.",
                "Nothing was sent.",
                "Turn read-only mode off: it is set by the option, NCP_TUI_READ_ONLY or the profile.",
            )
        else:
            payload = await self._write(call)
        return payload if isinstance(payload, dict) else {}

    async def _write(self, call: ApiCall) -> Any:
        try:
            return await self._gateway.send(call)
        except GatewayError as error:
            raise explained(error)  # noqa: B904 - the same error

    async def _read(self, call: ApiCall, number: int, left: float) -> Any:
        try:
            return await self._gateway.send(replace(call, timeouts=call.timeouts.within(left)), attempt=number)
        except GatewayError as error:
            if error.may_have_acted:
                # The gateway cannot know that nothing was at stake: what is marked as a read has no effect to fear.
                error.may_have_acted = False
                error.meaning = "Nothing was changed (read-only request)."
                error.next_step = "Retry; if it persists, check the gateway URL and the proxy."
            raise explained(error)  # noqa: B904 - the same error


def check_number(number: str, name: str = "") -> None:
    """A cluster's number is digits: anything else that a service gives, ".." included, could be another address.

    Raises WrongCluster.
    """
    if not (number.isascii() and number.isdigit()):
        of = f" of {clean(name)}" if name else ""
        raise WrongCluster(
            f"The cluster number{of} is {clean(number[:_MOST_OF_A_NUMBER])!r}, but a number has digits only.",
            "Nothing was sent to it.",
            "List the clusters again; if it persists, check the gateway URL.",
        )


def same_name(one: str, other: str) -> bool:
    """Whether two names are one: a shell on macOS hands Hangul over in pieces that look the same."""
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def _another(cluster: Cluster, number: str, name: str) -> WrongCluster:
    asked = f"{name} ({number})" if name else number
    answered = " ".join(part for part in (cluster.name, f"({cluster.number})" if cluster.number else "") if part)
    return WrongCluster(
        f"Cluster {asked} was requested, but the response is about {clean(answered) or 'no cluster'}.",
        "The response is not used, and nothing was sent to either cluster.",
        "List the clusters again; if it persists, check the gateway URL and the proxy.",
    )


def _creation(name: str, bucket: str) -> Body:
    return {"snapshotName": name, "bucketName": bucket}


def _call_of(
    name: str,
    number: str = "",
    *,
    query: Query = (),
    body: Body | None = None,
    timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
) -> ApiCall:
    operation = OPERATIONS[name]
    if operation.for_cluster or operation.number_in_body:
        check_number(number)
    if operation.number_in_body:
        body = {NUMBER: number, **(body or {})}
    return ApiCall(
        operation=operation.name,
        method=operation.method,
        path=operation.path(number),
        query=query,
        body=_with_secrets(operation, body),
        boolean=operation.boolean,
        null_refuses=operation.null_refuses,
        has_effect=operation.effect is not Effect.READ,
        timeouts=timeouts,
    )


def _with_secrets(operation: Operation, body: Body | None) -> Body | None:
    """`body` with all that the registry calls secret in the type that no record of it tells."""
    if body is None:
        return None
    return {
        name: SecretKey(str(value)) if name in operation.secret and not isinstance(value, SecretKey) else value
        for name, value in body.items()
    }


def _begins_with_oldest(result: Any) -> bool:
    """Whether the rows of a page of the history are in the order of their time."""
    items = fields.members(result, HISTORY.members[0])
    return bool(items) and HistoryEntry.read(items[0]).sort_key < HistoryEntry.read(items[-1]).sort_key


def _newest_first(listing: Listing[HistoryEntry]) -> Listing[HistoryEntry]:
    return replace(listing, rows=tuple(sorted(listing.rows, key=lambda row: row.sort_key, reverse=True)))


def _page_query(page: int, size: int) -> Query:
    return (("pageNo", str(page)), ("pageSize", str(size)))
