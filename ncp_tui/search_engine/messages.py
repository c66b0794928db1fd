"""What a message of the snapshot history says. The service publishes no list of its messages, and mixes two languages.

A table of words instead of one pattern, because the rule has to be turned round: a pattern finds what it looks for in
a message never seen before ("Complete loss of data"), while here a message is a success only where every word of it is
known. What a word is worth depends on its neighbours ("0 failed shards"), so a message is cut into words first. In this
order: what is denied ("no failures") counts as nothing; any failing word that is left fails it; a word for something
that continues makes it running; a success needs all of its words known, no denial, and nothing missing.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple


class Saying(StrEnum):
    """What a message amounts to."""

    FAILED = "failed"
    RUNNING = "running"
    BEGUN_AND_ENDED = "begun and ended"
    """"Request completed": the snapshot has ended, or its request has been taken. Only a duration tells which."""
    SUCCESS = "success"
    NOTHING = "nothing"
    """No message, or one that only denies failures."""
    UNKNOWN = "unknown"


class _Word(StrEnum):
    BAD = "bad"
    ONGOING = "ongoing"
    BEGUN = "begun"
    GOOD = "good"
    NO = "no"
    WITHOUT = "without"
    NONE = "none"
    NUMBER = "number"
    PART = "part"
    NOUN = "noun"
    PLAIN = "plain"
    BREAK = "break"
    UNKNOWN = "unknown"


class _Token(NamedTuple):
    kind: _Word
    text: str
    number: float = 0.0
    whole: float | None = None
    """Of `3 of 12`, the 12; of a percentage, 100."""
    bound: bool = False
    """Behind a colon or an equals sign: the value of the word before it."""

    @property
    def is_zero(self) -> bool:
        return self.kind is _Word.NONE or (self.kind in {_Word.NUMBER, _Word.PART} and not self.number)


_FAIL = "fail(?:s|ed|ing|ures?)?|errors?|exceptions?|partial(?:ly)?|incompatible|abort(?:s|ed|ing)?|unsuccessful(?:ly)?"
_BROKEN = (
    "cancel(?:l?ed|l?ing)?|denied|reject(?:ed|ion)?|refused?|timeout|timedout|corrupt(?:ed|ion)?|lost|fatal|crashed"
)
_ENGLISH: tuple[tuple[_Word, str], ...] = (
    # A word that is stuck to another, as in repository_verification_exception or SnapshotFailedException.
    (_Word.BAD, rf"{_FAIL}|{_BROKEN}|\w*(?:exception|error|failure|failed)"),
    (_Word.ONGOING, "progress|in_?progress|running|pending|creating|queued|waiting|processing|ongoing|initiali[sz]ing"),
    (_Word.BEGUN, "start(?:s|ed|ing)?|request(?:s|ed)?|accepted|init|submitted|scheduled|began|begun"),
    (_Word.GOOD, "success(?:ful|fully)?|succeed(?:s|ed)?|completed?|done|finish(?:es|ed)?"),
    (_Word.NO, "no|not|zero"),
    (_Word.WITHOUT, "without|w/o"),
    (_Word.NONE, "none|null|nil|false"),
    (_Word.NOUN, "shards?|ind(?:ex|exes|ices)|files?|nodes?|documents?|docs?|items?|tasks?|counts?|total|logs?|any|of"),
    (
        _Word.PLAIN,
        (
            "snapshots?|backups?|creat(?:e|ed|ion)|cluster|repository|bucket|operation|job|state|status|result|message"
            "|the|a|an|all|is|was|has|have|been|did|does|do|and|or|with|at|on|in|for|from|by|took|time|elapsed|duration|date"
            "|s|ms|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|am|pm|kst|utc|gmt|z|t|info|ok|true|normal(?:ly)?"
        ),
    ),
)
# Korean writes what a word does in the sentence behind it: the stem decides, the ending says whether it is denied.
_KOREAN: tuple[tuple[_Word, str], ...] = (
    (_Word.NONE, r"없(?:음|이|이도|습니다|었습니다|다|었음)|무"),
    (_Word.NO, r".*(?:않|못|아니|아님|불가|미완료|미성공|안\b|안됨).*|안"),
    (
        _Word.BAD,
        r"(?:비정상|불완전|실패|오류|에러|예외|취소|거부|중단|초과|부분|일부|손상|유실|손실|누락|장애|타임아웃).*",
    ),
    (_Word.BAD, r".*(?:실패|오류|에러|취소|거부|중단).*"),
    (_Word.ONGOING, r"(?:진행|대기).*|(?:생성|처리|작업|수행|백업|저장|실행)?\s?중(?:입니다|이다|임)?|준비중.*"),
    (_Word.BEGUN, r"(?:요청|시작|접수).*(?<!완료)(?<!성공)"),
    (_Word.GOOD, r"(?:생성|백업|처리|작업|저장|스냅샷|요청)?(?:완료|성공)(?!률|율|예정|대기|전).*"),
    (_Word.NOUN, r"(?:샤드|인덱스|색인|파일|노드|문서|건수|개수|총|로그|건|개)(?:가|이|은|는|의|를|을|수)?"),
    (
        _Word.PLAIN,
        (
            r"(?:스냅샷|스냅숏|생성|백업|작업|처리|저장|정상|클러스터|버킷|결과|상태|모두|모든|전체|소요|시간|시각|일시)"
            r"(?:가|이|은|는|의|를|을|에|으로|적으로|로)?|(?:시|분|초|년|월|일|시간|오전|오후|및|와|과|에|이|가|을|를|은|는)"
            r"|(?:생성|백업|처리|저장|수행|실행)?(?:되|하|했|됐|되었|하였)(?:었|였)?(?:습니다|음|다|고|며)?|됨|함|됩니다|합니다|입니다"
        ),
    ),
)
# Patterns as text, compiled by `re` when a message first needs them: all of them at once cost each start 17 ms.
_NUMBER = r"(?i)(\d+(?:\.\d+)?)(?:\s*(?:/|(?:out )?of)\s*(\d+(?:\.\d+)?))?\s*(%)?(?:\s*(?:건|개)(?![가-힣]))?"
# A date or a time of day is no count: "completed 09:02" has no two of anything.
_TIME = (
    r"(?i)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})?"
    r"|\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?"
    r"|\d{4}년\s?|\d{1,2}\s?(?:월|일|시(?!간)|분|초|시간)(?:에|경)?(?![가-힣])\s?"
    r"|\d+(?:\.\d+)?\s?(?:ms|s|m|h|secs?|seconds?|mins?|minutes?|hrs?|hours?)(?![A-Za-z])"
)
_EMPTY_LIST = r"\[\s*\]|\{\s*\}"
_PIECE = r"(?i)[가-힣]+|w/o|[^\W\d가-힣][^\W가-힣]*|\d|\S"
_BREAKS = frozenset(",;.!()[]{}|\n-–—<>\"'")
_LINKS = frozenset(":=")
_PHRASES = (
    (r"(?i)\btimed\s+out\b", "timeout"),
    (r"(?i)\b(did|does|do|was|were|has|have|is|are)(?:n't|n’t)", r"\1 not"),
    (r"(?i)\b(error|failure)[- ]free\b", r"no \1"),
    (r"_", " "),
)
_KOREAN_PHRASES = (
    (r"생성\s+중", "생성중"),
    (r"(?:생성|백업|진행|처리|수행|저장)(?:하고|되고)\s*있[가-힣]*", "진행중"),
    (r"(?<!비)정상(?:적으로)?\s*종료", "완료"),
    # "did not fail", "no error occurred": Korean denies behind the verb.
    (r"(실패|오류|에러)(?:하지|되지|[가이는은]?\s*발생(?:하|되)지)\s*않[가-힣]*", r"\1 없음"),
)
_HANGUL = r"[가-힣]"
_MOST_WORDS = 1024
_SHORT = 64
"""Characters of a message that is worth keeping."""
_WHOLE = 100.0


def saying_of(message: str, names: Sequence[str] = ()) -> Saying:
    """What `message` says; `names` are those of the snapshot and its places, which say nothing when they stand in it.

    In JSON the members that tell a state are read, and the counts of what failed.
    """
    text = unicodedata.normalize("NFKC", message).strip()
    if text.startswith("{") and (members := _members(text)) is not None:
        return _saying_of_members(members)
    for name in names:
        # A name that could be a word of the service's is left where it is.
        if name in text and re.search(r"[-._\d]", name):
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", " snapshot ", text)
    return _saying_of_short(text) if len(text) <= _SHORT else _saying(list(_tokens(text)))


@lru_cache(maxsize=256)
def _saying_of_short(text: str) -> Saying:
    """The same, kept: a history says SUCCESS in nearly every row, and each look at one would take 50 us."""
    return _saying(list(_tokens(text)))


def _saying(tokens: list[_Token]) -> Saying:
    left = _without_denied_failures(tokens)
    kinds = {token.kind for token in left}
    is_denial = len(left) < len(tokens) and not kinds - {_Word.BREAK, _Word.NOUN, _Word.PLAIN}
    if is_denial or not kinds - {_Word.BREAK}:
        return Saying.NOTHING
    if _Word.BAD in kinds:
        return Saying.FAILED
    if _Word.ONGOING in kinds:
        return Saying.UNKNOWN if _Word.NO in kinds else Saying.RUNNING
    if kinds & {_Word.NO, _Word.WITHOUT, _Word.NONE, _Word.UNKNOWN}:
        begun = _Word.BEGUN in kinds and not kinds & {_Word.GOOD, _Word.NO, _Word.WITHOUT, _Word.NONE}
        return Saying.RUNNING if begun else Saying.UNKNOWN
    if _Word.GOOD in kinds:
        return _success(left, begun=_Word.BEGUN in kinds)
    return Saying.RUNNING if _Word.BEGUN in kinds else Saying.UNKNOWN


def _success(tokens: list[_Token], *, begun: bool) -> Saying:
    """A success, unless something of it is missing: `10 of 12 shards`, `0 successful`, `50 %`."""
    counts = [token for token in tokens if token.kind in {_Word.NUMBER, _Word.PART}]
    if any(token.whole == _WHOLE and token.kind is _Word.PART and token.number < _WHOLE for token in counts):
        return Saying.RUNNING
    if any(not token.number or (token.whole is not None and token.number != token.whole) for token in counts):
        return Saying.UNKNOWN
    if not begun:
        return Saying.SUCCESS
    # "requested 09:00, completed 09:02" has ended; of "request completed" nobody can tell what it speaks of.
    ordered = [token.kind for token in tokens if token.kind in {_Word.BEGUN, _Word.GOOD, _Word.BREAK}]
    last = len(ordered) - 1 - ordered[::-1].index(_Word.GOOD)
    ends_apart = _Word.BREAK in ordered[ordered.index(_Word.BEGUN) : last]
    return Saying.SUCCESS if ends_apart else Saying.BEGUN_AND_ENDED


def _without_denied_failures(tokens: list[_Token]) -> list[_Token]:
    """`tokens` without the failing words that are said to be none, and without what says so."""
    gone: set[int] = set()
    for place, token in enumerate(tokens):
        if token.kind is _Word.BAD and (denial := _denial(tokens, place)) is not None:
            gone |= {place, *denial}
    return [token for place, token in enumerate(tokens) if place not in gone]


def _denial(tokens: list[_Token], place: int) -> set[int] | None:
    """The places of what denies the failing word at `place`: a zero or a no beside it, nouns between.

    None as well where a number behind it says how many: of "success 0 failed 3" the zero is not the failures'.
    """
    for step in (1, -1):
        at, passed = place + step, {place}
        while 0 <= at < len(tokens) and tokens[at].kind is _Word.NOUN:
            passed.add(at)
            at += step
        if not 0 <= at < len(tokens):
            continue
        token = tokens[at]
        if step == 1 and token.number and not _belongs_elsewhere(tokens, at, step):
            return None
        if token.is_zero and not (token.kind is _Word.NUMBER and _belongs_elsewhere(tokens, at, step)):
            return passed | {at}
        if step == -1 and (token.kind in {_Word.NO, _Word.WITHOUT}):
            return passed | {at}
        # "no errors or failures": the second is denied by what denies the first.
        if step == -1 and token.kind is _Word.PLAIN and token.text in {"or", "및", "와", "과"} and at > 0:
            before = tokens[at - 1]
            if before.kind is _Word.BAD and (denial := _denial(tokens, at - 1)) is not None:
                return passed | {at, at - 1} | denial
    return None


def _belongs_elsewhere(tokens: list[_Token], at: int, step: int) -> bool:
    """Whether the number behind a failing word is the count of the word that follows: `failed 0 successful`."""
    if tokens[at].bound:
        return False
    after = at + step
    while step == 1 and after < len(tokens) and tokens[after].kind is _Word.NOUN:
        after += 1
    return step == 1 and after < len(tokens) and tokens[after].kind in {_Word.GOOD, _Word.BAD, _Word.UNKNOWN}


def _tokens(text: str) -> Iterator[_Token]:
    for pattern, words in (*(_KOREAN_PHRASES if re.search(_HANGUL, text) else ()), *_PHRASES):
        text = re.sub(pattern, words, text)
    text = re.sub(_EMPTY_LIST, " none ", text)
    at, bound = 0, False
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if text[at].isdigit():
            if (time := re.compile(_TIME).match(text, at)) is not None:
                at = time.end()
                yield _Token(_Word.PLAIN, "time")
                continue
            number = re.compile(_NUMBER).match(text, at)
            if number is not None:
                at = number.end()
                yield _count(number, bound=bound)
                bound = False
                continue
        piece = re.compile(_PIECE).match(text, at)
        word = piece.group() if piece else text[at]
        at += len(word)
        bound = word in _LINKS
        if bound:
            continue
        yield _Token(_Word.BREAK, word) if word in _BREAKS else _Token(_kind_of(word), word.lower())


def _count(number: re.Match[str], *, bound: bool) -> _Token:
    count, whole, percent = float(number[1]), number[2], number[3]
    if percent:
        return _Token(_Word.PART, number.group(), count, _WHOLE, bound)
    return _Token(_Word.NUMBER, number.group(), count, None if whole is None else float(whole), bound)


@lru_cache(maxsize=_MOST_WORDS)
def _kind_of(word: str) -> _Word:
    tables = (*_ENGLISH, *_KOREAN) if re.search(_HANGUL, word) else _ENGLISH
    return next((kind for kind, words in tables if re.fullmatch(words, word, re.IGNORECASE)), _Word.UNKNOWN)


_STATES = frozenset({"state", "status", "result", "message", "reason", "error", "exception"})


def _members(text: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _saying_of_members(members: Mapping[str, Any]) -> Saying:
    """What the members of an engine's answer say, at any depth: its state, unless something is told to have failed."""
    said = set(_sayings(members, 0))
    for worst in (Saying.FAILED, Saying.UNKNOWN, Saying.RUNNING, Saying.BEGUN_AND_ENDED, Saying.SUCCESS):
        if worst in said:
            return worst
    return Saying.UNKNOWN


_DEEPEST = 8


def _sayings(value: Any, depth: int) -> Iterator[Saying]:
    if depth > _DEEPEST:
        yield Saying.UNKNOWN
    elif isinstance(value, list):
        for item in value:
            yield from _sayings(item, depth + 1)
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from _sayings_of_member(name, member, depth)
        counts = {str(name).lower(): member for name, member in value.items()}
        total, whole = counts.get("total"), counts.get("successful")
        if isinstance(total, int) and isinstance(whole, int) and whole < total:
            yield Saying.UNKNOWN


def _sayings_of_member(name: str, member: Any, depth: int) -> Iterator[Saying]:
    if _kind_of(name) is _Word.BAD:
        if member not in (None, 0, False, "", [], {}):
            yield Saying.FAILED
    elif name.lower() in _STATES and isinstance(member, str | bool):
        yield saying_of(member if isinstance(member, str) else "SUCCESS" if member else "not SUCCESS")
    else:
        yield from _sayings(member, depth + 1)
