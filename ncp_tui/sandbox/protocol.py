"""What the sandbox reads of a request, strictly, and what it answers: error bodies, envelopes and refusals.

Two number spaces, never to be mixed: `GatewayError` is the documented table of the API gateway; `Refusal` is the
service itself. NCP publishes no codes for the latter. Three of its five-digit ones have been seen live (10115, 10139,
10154; npm ncloud-mcp-server 1.16.0); the others here, 40001 and up, are invented: what counts is that they are not
zero. A duplicate name is refused with HTTP 200, a missing storage key alternately with 200 and 400, and the rest with
400, because services of this kind do both and a client must read both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import parse_qsl

JSON_TYPE = "application/json;charset=UTF-8"


class GatewayError(Enum):
    """The gateway's errors: HTTP status, error code, message, details."""

    BAD_REQUEST = (400, "100", "Bad Request Exception", "Invalid request.")
    AUTHENTICATION_FAILED = (401, "200", "Authentication Failed", "Invalid authentication information.")
    PERMISSION_DENIED = (401, "210", "Permission Denied", "Permission denied.")
    FORBIDDEN = (403, "230", "Forbidden", "Forbidden.")
    NOT_FOUND = (404, "300", "Not Found Exception", "URL not found.")
    TOO_LARGE = (413, "430", "Request Entity Too Large", "Request entity too large.")
    QUOTA_EXCEEDED = (429, "400", "Quota Exceeded", "Quota exceeded.")
    THROTTLED = (429, "410", "Throttle Limited", "Throttle limited.")
    RATE_LIMITED = (429, "420", "Rate Limited", "Rate limited.")
    UNEXPECTED = (500, "900", "Unexpected Error", "Unexpected error.")
    ENDPOINT_ERROR = (503, "500", "Endpoint Error", "Endpoint error.")
    ENDPOINT_TIMEOUT = (504, "510", "Endpoint Timeout", "Endpoint timeout.")


class Refusal(Enum):
    """The service's refusals: HTTP status, code of the envelope, message."""

    INVALID_NUMBER = (
        400,
        40001,
        "Failed to convert value of type 'java.lang.String' to required type 'java.lang.Long'",
    )
    INVALID_PAGE = (400, 40002, "pageNo와 pageSize는 1 이상의 정수여야 합니다.")
    INVALID_BODY = (400, 40003, "Required request body is missing or is not a JSON object")
    INVALID_SNAPSHOT_NAME = (
        400,
        40010,
        "스냅샷 이름은 3~30자의 영문 소문자, 숫자, '-'만 사용할 수 있습니다. (snapshotName)",
    )
    INVALID_SCHEDULE_NAME = (
        400,
        40011,
        "스냅샷 이름은 3~15자의 영문 소문자, 숫자, '-'만 사용할 수 있습니다. (snapshotName)",
    )
    INVALID_SCHEDULE_DAY = (
        400,
        40012,
        "scheduledDay must be Everyday, Sunday, Monday, Tuesday, Wednesday, Thursday, Friday or Saturday",
    )
    INVALID_SCHEDULE_TIME = (400, 40013, "scheduledHour는 0~23, scheduledMinute는 0, 15, 30, 45 중 하나여야 합니다.")
    BUCKET_NOT_FOUND = (400, 40020, "bucket not found")
    BUCKET_LOCKED = (400, 40021, "잠금 설정된 버킷에는 스냅샷을 저장할 수 없습니다. (object lock is enabled)")
    BUCKET_DENIED = (400, 40022, "Access to the bucket is denied for the API authentication key")
    INVALID_VERSION = (400, 40060, "targetVersionCode는 필수입니다. (targetVersionCode is required)")
    INVALID_REGION = (400, 40061, "regionNo must be a string")
    INVALID_AUTHENTICATION_KEY = (400, 40030, "accessKeyId and secretKey are not allowed to be empty")
    CLUSTER_NOT_FOUND = (400, 40040, "cluster not found")
    CLUSTER_NOT_RUNNING = (400, 40050, "클러스터가 운영 중(running) 상태가 아닙니다.")
    AUTHENTICATION_KEY_NOT_SET = (400, 10115, "API 인증키가 설정되지 않았습니다. Set the API authentication key first.")
    WRONG_GENERATION = (400, 10139, "서버 세대가 맞지 않습니다. (server generation of the cluster does not match)")
    NO_RECENT_SNAPSHOT = (400, 10154, "최근 스냅샷이 없습니다. (a recent snapshot is required)")
    DUPLICATE_NAME = (200, 40070, "snapshot with the same name already exists")
    SNAPSHOT_IN_PROGRESS = (400, 40080, "다른 스냅샷이 생성 중입니다. (another snapshot is in progress)")


class Refused(Exception):
    """The service understood the request and will not do it; nothing was changed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.name)
        self.refusal = refusal


class NotPossible(Exception):
    """The documented other way to say no, of a check: code 0, a result of null, and the reason as the message."""


class Denied(Exception):
    """The account is known and may not do this: 401/210."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. `error_code` (gateway) and `code` (service) say again what the body says, for the ledger.

    `dates` are the `Date` headers, none or several of them; None is the usual one, by the gateway's clock.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    error_code: str | None = None
    code: int | None = None
    dates: tuple[str, ...] | None = None


def gateway_answer(error: GatewayError, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer of the gateway itself, its error code a string as in the documented example."""
    status, error_code, message, details = error.value
    body = {"error": {"errorCode": error_code, "message": message, "details": details}}
    return json_answer(status, body, headers, error_code=error_code)


def success_answer(result: Any, request_id: str) -> Answer:
    """The service's envelope around `result`."""
    return json_answer(200, {"code": 0, "message": "SUCCESS", "result": result, "requestId": request_id}, code=0)


def not_possible_answer(reason: str, request_id: str) -> Answer:
    """The envelope of a success around a result of null, with the reason for it."""
    return json_answer(200, {"code": 0, "message": reason, "result": None, "requestId": request_id}, code=0)


def refusal_answer(refusal: Refusal, request_id: str, status: int | None = None) -> Answer:
    """The service's envelope with a code that is not zero, a message and no result; `status` instead of the usual."""
    usual, code, message = refusal.value
    return json_answer(
        status or usual, {"code": code, "message": message, "result": None, "requestId": request_id}, code=code
    )


def json_answer(
    status: int,
    body: Any,
    headers: Mapping[str, str] | None = None,
    *,
    error_code: str | None = None,
    code: int | None = None,
) -> Answer:
    """Any JSON value as an answer, in UTF-8 without escapes, as the service sends Korean text."""
    text = json.dumps(body, ensure_ascii=False).encode()
    return Answer(status, text, {"content-type": JSON_TYPE} | dict(headers or {}), error_code, code)


# Korea has had no summer time since 1988, so a fixed offset needs no zone data on the machine.
SEOUL = timezone(timedelta(hours=9), "KST")
DAY = 86_400.0


def seoul_time(moment: float) -> str:
    """`moment` (epoch seconds) as `yyyy-MM-dd HH:mm:ss` in Asia/Seoul."""
    return format(datetime.fromtimestamp(moment, SEOUL), "%Y-%m-%d %H:%M:%S")


def seoul_stamp(moment: float) -> str:
    """The same moment as a part of a name, `yyyyMMdd-HHmmss`."""
    return seoul_time(moment).replace("-", "").replace(":", "").replace(" ", "-")


DEFAULT_PAGE_SIZE = 10
SNAPSHOT_NAME_LENGTH = 30
SCHEDULE_NAME_LENGTH = 15

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_SHORTEST_NAME = 3
_NUMBER = re.compile(r"[0-9]{1,18}")
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,8}")

Fields = dict[str, Any]
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Page:
    """Which part of a list is requested: `number` counts from 1."""

    number: int = 1
    size: int = DEFAULT_PAGE_SIZE

    def cut(self, rows: Sequence[_Row]) -> Sequence[_Row]:
        """The rows of this page; none behind the end."""
        first = (self.number - 1) * self.size
        return rows[first : first + self.size]

    def fields(self, total: int) -> Fields:
        """The paging fields that stand beside the list."""
        pages = -(-total // self.size)
        return {
            "currentPage": self.number,
            "pageSize": self.size,
            "totalCount": total,
            "totalPage": pages,
            "isFirst": self.number == 1,
            "isLast": self.number >= pages,
        }


def read_query(query: bytes) -> dict[str, str]:
    """The decoded query; of a parameter given twice the first counts."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace")
    return dict(reversed(pairs))


def read_page(query: Mapping[str, str]) -> Page:
    """`pageNo` and `pageSize`, 1 and 10 when absent or empty. Raises Refused for anything but a number from 1 up."""
    return Page(_page_number(query, "pageNo", 1), _page_number(query, "pageSize", DEFAULT_PAGE_SIZE))


def read_number(text: str) -> str:
    """A service group instance number in canonical form. Raises Refused unless it is one."""
    if not _NUMBER.fullmatch(text):
        raise Refused(Refusal.INVALID_NUMBER)
    return str(int(text))


def read_body(body: bytes) -> Fields:
    """The JSON object in `body`. Raises Refused for anything else, however malformed."""
    try:
        fields = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(Refusal.INVALID_BODY) from None
    if not isinstance(fields, dict):
        raise Refused(Refusal.INVALID_BODY)
    return fields


def read_text(fields: Fields, name: str, refusal: Refusal) -> str:
    """A string field that is not empty. Raises Refused(refusal)."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(refusal)
    return value


def read_snapshot_name(fields: Fields, longest: int, refusal: Refusal) -> str:
    """`snapshotName`: 3 to `longest` of a-z, 0-9 and single hyphens inside, a letter first. Raises Refused(refusal)."""
    name = read_text(fields, "snapshotName", refusal)
    if not _SHORTEST_NAME <= len(name) <= longest or not _NAME.fullmatch(name):
        raise Refused(refusal)
    return name


def _page_number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not _PAGE_NUMBER.fullmatch(text):
        raise Refused(Refusal.INVALID_PAGE)
    return int(text)
