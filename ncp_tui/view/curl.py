"""A request as a shell snippet that signs itself: it runs as pasted, and no key is in it or in a process list."""

from __future__ import annotations

import json
import shlex

from ncp_tui.gateway.exchange import ACCESS_KEY_HEADER, MASKED, SIGNATURE_HEADER, TIMESTAMP_HEADER, RequestRecord
from ncp_tui.problem import Problem

_SIGNING = {ACCESS_KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER}
_DROPPED = {"host", "content-length", "connection", "accept-encoding", *_SIGNING}
_CHANGES_THINGS = "# This changes things on NCP. It is not written to the journal of ncp-tui.\n"

_VARIABLE = "NCP_TUI_BODY_"
"""What the variable is called that a secret of the body is read from, before the member's name in capitals."""

# Not openssl: its -hmac takes the key as an argument, and a process list is world-readable on a shared bastion.
# A JSON string is a quoted value of curl's configuration too: both escape backslash, quote, CR, LF and TAB in the same
# way, and what else JSON would escape is refused.
_SIGN = f"""
import base64, hmac, json, os, sys, time
def option(name, value):
    if any(character < " " and character not in "\\r\\n\\t" for character in value):
        sys.exit("a control character in a key: nothing was sent")
    print(name + " = " + json.dumps(value, ensure_ascii=False))
def wanted(name):
    return os.environ.get(name) or sys.exit("set " + name + ": nothing was sent")
access, key, now = wanted("NCLOUD_ACCESS_KEY"), wanted("NCLOUD_SECRET_KEY"), str(int(time.time() * 1000))
text = "\\n".join((sys.argv[1], now, access))
signature = base64.b64encode(hmac.new(key.encode(), text.encode(), "sha256").digest()).decode()
option("header", "{TIMESTAMP_HEADER}: " + now)
option("header", "{ACCESS_KEY_HEADER}: " + access)
option("header", "{SIGNATURE_HEADER}: " + signature)
for text in sys.argv[2:]:
    body = json.loads(text)
    body = {{name: wanted("{_VARIABLE}" + name.upper()) if value == "*" * {len(MASKED)} else value
            for name, value in body.items()}}
    option("data-binary", json.dumps(body, ensure_ascii=False, separators=(",", ":")))
""".strip()


class NotForCurl(Problem):
    """A request holds what no configuration of curl can say."""

    kind = "not_for_curl"


def as_curl(request: RequestRecord) -> str:
    """A shell snippet that sends `request` again, signed afresh with python3. Raises NotForCurl.

    The keys are read from NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY when it runs, so the snippet itself can be pasted
    into a ticket. A signature that was already made is useless after five minutes; this stays good. Each secret in the
    body is read from a variable of its own, which the snippet names. Everything reaches curl on its standard input, as
    one configuration that curl 7.29 understands, and nothing in its arguments; where a key is missing curl is not
    started.
    """
    if request.body.startswith("@"):  # curl would send the file of that name
        raise _not_for_curl("a body that begins with @")
    secrets = _secrets_of(request.body)
    secret_body = [request.body] if secrets else []
    options = [
        "silent",
        "show-error",
        "globoff",
        f"request = {_quoted(request.method)}",
        f"url = {_quoted(request.url)}",
        *(f"header = {_quoted(f'{name}: {value}')}" for name, value in request.headers if name not in _DROPPED),
        *(f"data-binary = {_quoted(request.body)}" for _ in [1] if request.body and not secret_body),
    ]
    arguments = " ".join(shlex.quote(text) for text in (_SIGN, f"{request.method} {request.target}", *secret_body))
    # printf is a part of the shell: what it writes is in no process list.
    lines = " \\\n  ".join(map(shlex.quote, options))
    reads = f"# The keys of its body are read from {' and '.join(secrets)}.\n" if secrets else ""
    return (
        f"{_CHANGES_THINGS if request.has_effect else ''}{reads}"
        f"signed=$(python3 -c {arguments}) &&\n"
        f"printf '%s\\n' {lines} \\\n"
        '  "$signed" |\n'
        "curl -q -K -\n"
    )


def _secrets_of(body: str) -> list[str]:
    """The variables that the secrets of `body` are read from."""
    try:
        members = json.loads(body) if MASKED in body else {}
    except ValueError:
        return []
    return [_VARIABLE + name.upper() for name, value in members.items() if value == MASKED]


def _quoted(value: str) -> str:
    if any((character < " " and character not in "\r\n\t") or character == "\x7f" for character in value):
        raise _not_for_curl("a control character")
    return json.dumps(value, ensure_ascii=False)


def _not_for_curl(what: str) -> NotForCurl:
    return NotForCurl(
        f"The request holds {what}, which no configuration of curl can say.",
        "It was not copied.",
        "Copy the request from the response pane instead.",
    )
