"""A request as a shell snippet that signs itself: it runs as pasted, and no key is in it."""

from __future__ import annotations

import shlex

from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.gateway.signature import ACCESS_KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER

_SIGNING = {ACCESS_KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER}
_DROPPED = {"host", "content-length", "connection", "accept-encoding", *_SIGNING}


def as_curl(request: RequestRecord) -> str:
    """A bash snippet that sends `request` again, signed afresh with openssl.

    The keys are read from NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY when it runs, so the snippet itself can be pasted
    into a ticket. A signature that was already made is useless after five minutes; this stays good.
    """
    headers = "".join(
        f" \\\n  -H {shlex.quote(f'{name}: {value}')}" for name, value in request.headers if name not in _DROPPED
    )
    body = f" \\\n  --data-raw {shlex.quote(request.body)}" if request.body else ""
    line = shlex.quote(f"{request.method} {request.target}")
    return (
        'timestamp="$(date +%s)000"\n'
        f'signature=$(printf \'%s\\n%s\\n%s\' {line} "$timestamp" "$NCLOUD_ACCESS_KEY" |\n'
        '  openssl dgst -sha256 -hmac "$NCLOUD_SECRET_KEY" -binary | base64)\n'
        f"curl -sS -X {request.method} {shlex.quote(request.url)}{headers} \\\n"
        f'  -H "{TIMESTAMP_HEADER}: $timestamp" \\\n'
        f'  -H "{ACCESS_KEY_HEADER}: $NCLOUD_ACCESS_KEY" \\\n'
        f'  -H "{SIGNATURE_HEADER}: $signature"{body}\n'
    )
