"""A request as a shell snippet that signs itself: it runs as pasted, and no key is in it."""

from __future__ import annotations

import shlex

from ncp_tui.gateway.exchange import MASKED, RequestRecord
from ncp_tui.gateway.signature import ACCESS_KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER

# Leaves the single quotes and enters them again. Sent as it stands, the mask would become the cluster's key.
_FROM_ENVIRONMENT = "'\"${NCP_TUI_BODY_SECRET:?}\"'"
_SIGNING = {ACCESS_KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER}
_DROPPED = {"host", "content-length", "connection", "accept-encoding", *_SIGNING}


# Not openssl: its -hmac takes the key as an argument, and a process list is world-readable on a shared bastion.
_SIGN = (
    'import base64, hmac, os, sys; key = os.environb[b"NCLOUD_SECRET_KEY"]; '
    'print(base64.b64encode(hmac.digest(key, sys.stdin.buffer.read(), "sha256")).decode())'
)


def as_curl(request: RequestRecord) -> str:
    """A bash snippet that sends `request` again, signed afresh with python3.

    The keys are read from NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY when it runs, so the snippet itself can be pasted
    into a ticket. A signature that was already made is useless after five minutes; this stays good. A secret in the
    body is read from NCP_TUI_BODY_SECRET; without it curl is not started.
    """
    headers = "".join(
        f" \\\n  -H {shlex.quote(f'{name}: {value}')}" for name, value in request.headers if name not in _DROPPED
    )
    line = shlex.quote(f"{request.method} {request.target}")
    return (
        'timestamp="$(date +%s)000"\n'
        f'signature=$(printf \'%s\\n%s\\n%s\' {line} "$timestamp" "$NCLOUD_ACCESS_KEY" |\n'
        f"  python3 -c {shlex.quote(_SIGN)})\n"
        f"curl -sS -X {request.method} {shlex.quote(request.url)}{headers} \\\n"
        f'  -H "{TIMESTAMP_HEADER}: $timestamp" \\\n'
        f'  -H "{ACCESS_KEY_HEADER}: $NCLOUD_ACCESS_KEY" \\\n'
        f'  -H "{SIGNATURE_HEADER}: $signature"{_data(request.body)}\n'
    )


def _data(body: str) -> str:
    """The body as an argument, or on standard input where a secret in it would show in the process list."""
    if not body:
        return ""
    if MASKED not in body:
        return f" \\\n  --data-raw {shlex.quote(body)}"
    return f" \\\n  --data-binary @- <<< {shlex.quote(body).replace(MASKED, _FROM_ENVIRONMENT)}"
