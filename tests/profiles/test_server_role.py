"""The keys of a server role: read with care, fetched when needed, and anew before they expire."""

from __future__ import annotations

import asyncio
import importlib
import json
import pickle
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.errors import KeysUnavailable
from ncp_tui.gateway.metadata_service import BadMetadata, MetadataSilent, NotOnServer, UnsafeMetadataService
from ncp_tui.profiles.server_role import ASK_AGAIN_AFTER, RENEW_BEFORE, ServerRole, read_keys
from tests.gateway.wire import http
from tests.profiles.metadata_server import ROLE, MetadataServer, document
from tests.tables import each_row

START = 1_767_312_000.0
HOURS = 3600.0
FIRST, SECOND = "AKROLE00000000000001", "AKROLE00000000000002"
CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
OTHER_CANARY = "CANARYoth3rKEY0123456789abcdefABCDEFxyz0"


class Clock:
    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metadata() -> Iterator[MetadataServer]:
    """It hands out keys that are good for six hours."""
    with MetadataServer(document(FIRST, CANARY, START + 6 * HOURS)) as server:
        yield server


@pytest.fixture
def role(metadata: MetadataServer, clock: Clock) -> ServerRole:
    return ServerRole(metadata.environ, clock=clock, monotonic=clock)


def rotate(metadata: MetadataServer, ends: float = START + 12 * HOURS) -> None:
    metadata.keys = document(SECOND, OTHER_CANARY, ends)


async def asked(metadata: MetadataServer, times: int) -> None:
    while metadata.questions < times:  # noqa: ASYNC110 - the server's thread tells nobody
        await asyncio.sleep(0.001)


async def used(role: ServerRole) -> str:
    return (await role.current()).access_key


def test_nobody_is_asked_before_keys_are_needed(metadata: MetadataServer, role: ServerRole) -> None:
    assert role.service() == metadata.url
    assert (role.name, role.masked, role.issued) == ("", "****", [])
    assert metadata.paths == []


async def test_keys_are_fetched_once(metadata: MetadataServer, role: ServerRole) -> None:
    pairs = await asyncio.gather(*(role.current() for _ in range(20)))
    assert {(pair.access_key, pair.secret_key.reveal()) for pair in pairs} == {(FIRST, CANARY)}
    assert metadata.questions == 1
    assert (role.name, role.masked) == (ROLE, "AKRO…0001")


async def test_they_are_renewed_a_quarter_of_an_hour_before_they_expire(
    metadata: MetadataServer, role: ServerRole, clock: Clock
) -> None:
    await role.current()
    rotate(metadata)
    clock.seconds = START + 6 * HOURS - RENEW_BEFORE - 1
    assert (await used(role), metadata.questions) == (FIRST, 1)
    clock.seconds += 2
    assert (await used(role), metadata.questions) == (SECOND, 2)
    assert role.masked == "AKRO…0002"
    assert [pair.access_key for pair in role.issued] == [FIRST, SECOND]


async def test_a_day_of_use(metadata: MetadataServer, role: ServerRole, clock: Clock) -> None:
    """As a screen that is left open: each pair is used while it is good, and none is asked for needlessly."""
    for minute in range(24 * 60):
        clock.seconds = START + 60 * minute
        shift = int((clock.seconds - START + RENEW_BEFORE) // (6 * HOURS))
        metadata.keys = document(f"AKROLE{shift:014}", CANARY, START + (shift + 1) * 6 * HOURS)
        assert await used(role) == f"AKROLE{shift:014}"
    assert metadata.questions == 5


def out_of_reach(metadata: MetadataServer) -> None:
    metadata.raw = http(500, b"")


def without_a_role(metadata: MetadataServer) -> None:
    metadata.keys = None


def expired(metadata: MetadataServer) -> None:
    metadata.keys = document(SECOND, OTHER_CANARY, START - 1)


@pytest.mark.parametrize("spoil", [out_of_reach, without_a_role, expired])
async def test_a_renewal_that_fails_is_no_error_while_the_keys_are_good(
    metadata: MetadataServer, role: ServerRole, clock: Clock, spoil: object
) -> None:
    """And it is not tried at each request: a service that hangs would cost every one of them three seconds."""
    await role.current()
    assert callable(spoil)
    spoil(metadata)
    clock.seconds = START + 6 * HOURS - RENEW_BEFORE + 1
    for _ in range(5):
        assert await used(role) == FIRST
    assert metadata.questions == 2
    clock.seconds += ASK_AGAIN_AFTER
    assert (await used(role), metadata.questions) == (FIRST, 3)
    clock.seconds = START + 6 * HOURS
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            await role.current()
    assert metadata.questions == 5, "once they have expired nothing but new ones helps"
    metadata.raw = None
    rotate(metadata)
    assert await used(role) == SECOND


async def test_a_service_that_hangs_is_waited_for_once(
    metadata: MetadataServer, role: ServerRole, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one request alone: others that need keys meanwhile go on with the old ones."""
    await role.current()
    rotate(metadata)
    metadata.is_silent = True
    clock.seconds = START + 6 * HOURS - 1
    monkeypatch.setattr(importlib.import_module("ncp_tui.gateway.metadata_service"), "SECONDS", 60.0)
    first = asyncio.ensure_future(role.current())
    await asked(metadata, 2)
    assert await used(role) == FIRST
    assert not first.done()
    metadata.release()
    assert (await first).access_key == SECOND
    assert (await used(role), metadata.questions) == (SECOND, 2)


async def test_the_same_keys_once_more(metadata: MetadataServer, role: ServerRole, clock: Clock) -> None:
    """The service may renew late: what it has is used, and it is asked again in a minute."""
    await role.current()
    clock.seconds = START + 6 * HOURS - RENEW_BEFORE + 1
    assert (await used(role), len(role.issued)) == (FIRST, 1)
    assert (await used(role), metadata.questions) == (FIRST, 2)
    clock.seconds += ASK_AGAIN_AFTER
    rotate(metadata)
    assert await used(role) == SECOND


@pytest.mark.parametrize("off", [-9 * HOURS, 9 * HOURS])
async def test_a_clock_that_is_hours_off(metadata: MetadataServer, clock: Clock, off: float) -> None:
    """Korean time set as UTC: good keys would look expired, or be used for hours after they are."""
    ours, monotonic = Clock(), clock
    ours.seconds = START + off
    metadata.clock = clock
    role = ServerRole(metadata.environ, clock=ours, monotonic=monotonic)
    assert await used(role) == FIRST
    rotate(metadata)
    ours.seconds += 6 * HOURS - RENEW_BEFORE - 60
    clock.seconds += 6 * HOURS - RENEW_BEFORE - 60
    assert (await used(role), metadata.questions) == (FIRST, 1)
    ours.seconds += 120
    clock.seconds += 120
    assert await used(role) == SECOND


async def test_a_clock_that_is_set_back_makes_no_keys_last_longer(metadata: MetadataServer) -> None:
    ours, monotonic = Clock(), Clock()
    role = ServerRole(metadata.environ, clock=ours, monotonic=monotonic)
    await role.current()
    rotate(metadata)
    ours.seconds -= 24 * HOURS
    monotonic.seconds += 6 * HOURS
    assert await used(role) == SECOND


async def test_a_machine_that_slept(metadata: MetadataServer) -> None:
    """The clock that nobody sets stands still meanwhile."""
    ours, monotonic = Clock(), Clock()
    role = ServerRole(metadata.environ, clock=ours, monotonic=monotonic)
    await role.current()
    rotate(metadata)
    ours.seconds += 6 * HOURS
    assert await used(role) == SECOND


async def test_cancelling_one_who_waits_leaves_the_others_their_keys(
    metadata: MetadataServer, role: ServerRole
) -> None:
    """Leaving a screen cancels its reads."""
    metadata.is_silent = True
    first, second = (asyncio.ensure_future(role.current()) for _ in range(2))
    await asked(metadata, 1)
    metadata.is_silent = False
    first.cancel()
    assert (await second).access_key == FIRST
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_the_loop_goes_on_while_it_is_asked(
    metadata: MetadataServer, role: ServerRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("ncp_tui.gateway.metadata_service"), "SECONDS", 0.2)
    metadata.is_silent = True
    asking, turns = asyncio.ensure_future(role.current()), 0
    while not asking.done():
        turns += 1
        await asyncio.sleep(0)
    with pytest.raises(MetadataSilent):
        await asking
    assert turns > 10


async def test_every_key_is_told_to_those_who_write_things_down(
    metadata: MetadataServer, role: ServerRole, clock: Clock
) -> None:
    heard: list[object] = []
    role.subscribe(heard.append)
    await role.current()
    rotate(metadata)
    clock.seconds += 6 * HOURS
    await role.current()
    assert heard == [pair.secret_key for pair in role.issued]
    assert len(heard) == 2


async def test_no_key_shows(role: ServerRole) -> None:
    await role.current()
    assert CANARY not in repr(role) + repr(vars(role)) + str(role)
    assert FIRST not in repr(role)
    with pytest.raises(TypeError):
        pickle.dumps(role.issued)


@pytest.mark.parametrize("variable", ["NCLOUD_METADATA_API_ENDPOINT", "NCLOUD_METADATA_ENDPOINT"])
async def test_the_variables_of_both_sdks(metadata: MetadataServer, variable: str) -> None:
    metadata.keys = document(FIRST, CANARY, time.time() + HOURS)
    assert await used(ServerRole({variable: metadata.url})) == FIRST
    assert ServerRole({}).service() == "http://169.254.169.254"
    assert ServerRole({variable: " "}).service() == "http://169.254.169.254"
    for go, python in ((metadata.url, "http://evil.example"), ("http://evil.example", metadata.url)):
        both = ServerRole({"NCLOUD_METADATA_API_ENDPOINT": go, "NCLOUD_METADATA_ENDPOINT": python})
        if "evil" in go:
            with pytest.raises(UnsafeMetadataService, match="NCLOUD_METADATA_API_ENDPOINT"):
                await both.current()
        else:
            assert await used(both) == FIRST


async def test_nobody_there() -> None:
    with pytest.raises(NotOnServer):
        await ServerRole({"NCLOUD_METADATA_ENDPOINT": "http://127.0.0.1:1"}).current()


def test_keys_as_they_are_documented() -> None:
    pair, ends = read_keys(json.dumps(document(FIRST, CANARY, START)))
    assert (pair.access_key, pair.secret_key.reveal()) == (FIRST, CANARY)
    assert ends == datetime.fromtimestamp(START, UTC)


@each_row(
    "change",
    [
        {"Code": "success"},
        {"Code": None},
        {"Message": None, "Type": "NCP", "LastUpdated": 1},
        {"AccessKeyId": f" {FIRST}\n"},
        {"Expiration": "2026-01-02T09:00:00+09:00"},
        {"Expiration": "2026-01-02T00:00:00"},
        {"Expiration": "2026-01-02T00:00:00.000000000Z"},
    ],
)
def test_keys_a_little_otherwise(change: dict[str, object]) -> None:
    pair, ends = read_keys(json.dumps(document(FIRST, CANARY, START) | change))
    assert (pair.access_key, ends.timestamp()) == (FIRST, START)


@each_row(
    ("change", "said"),
    [
        ({"Code": "Failed"}, "it says Failed"),
        ({"Code": "NoPermission", "Message": "not yours."}, "it says NoPermission: not yours."),
        ({"Code": "Failed", "Message": f"debug {CANARY}"}, "it says Failed: debug ****"),
        ({"Code": "\x1b[2J", "Message": "\u202eevil\nx"}, "it says ␛[2J: <U+202E>evil␊x"),
        ({"Code": "x" * 900, "Message": "y" * 9000}, "it says xxx"),
        ({"AccessKeyId": None}, "it has no AccessKeyId"),
        ({"SecretAccessKey": ""}, "it has no SecretAccessKey"),
        ({"Expiration": 1_767_312_000}, "it has no Expiration"),
        ({"AccessKeyId": None, "Expiration": None}, "it has no AccessKeyId and no Expiration"),
        ({"AccessKeyId": "A\nK"}, "no request could carry its keys"),
        ({"SecretAccessKey": CANARY + "\x1bx"}, "no request could carry its keys"),
        ({"Expiration": "soon"}, "its Expiration is not a time"),
        ({"Expiration": "2026-13-02T00:00:00Z"}, "its Expiration is not a time"),
    ],
)
def test_keys_that_cannot_be_used(change: dict[str, object], said: str) -> None:
    with pytest.raises(BadMetadata) as caught:
        read_keys(json.dumps(document(FIRST, CANARY, START) | change))
    assert said in caught.value.what
    assert CANARY not in caught.value.sentences()
    assert caught.value.what.isprintable()
    assert len(caught.value.what) < 400


@each_row("text", ["", "{", "[]", "null", '"x"', "1", "<html>", "[" * 9000, '{"a":' * 9000, "\x00"])
def test_what_is_no_document(text: str) -> None:
    with pytest.raises(BadMetadata, match=r"it is not (a )?JSON"):
        read_keys(text)


MEMBERS = st.sampled_from(["Code", "AccessKeyId", "SecretAccessKey", "Expiration", "Message"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda one: st.lists(one) | st.dictionaries(MEMBERS, one),
        max_leaves=15,
    )
)
def test_whatever_it_says_is_calm(value: object) -> None:
    try:
        read_keys(json.dumps(value))
    except BadMetadata as problem:
        assert problem.sentences().isprintable()  # noqa: PT017 - either outcome is right


async def test_keys_that_have_expired_already(metadata: MetadataServer, role: ServerRole) -> None:
    expired(metadata)
    with pytest.raises(BadMetadata, match="its keys have expired"):
        await role.current()
    assert role.issued == []
