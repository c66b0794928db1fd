"""Taking secrets out of a finished document: the last step before it leaves the program, whatever it was made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ncp_tui.gateway import SecretKey, mask_access_key
from ncp_tui.gateway.exchange import MASKED
from ncp_tui.gateway.spellings import json_spellings

_SHORTEST_PART = 16
"""Characters from which a secret is looked for inside other text. NCP's have 40; a short one may be an honest word, and
is masked only where it is the whole of a string."""


def redact(document: Any, secrets: Iterable[SecretKey], access_keys: Iterable[str] = ()) -> Any:
    """A copy of `document` (as of JSON) in which no string, names of members included, holds a secret.

    `secrets` are secret keys and signatures; `access_keys` are shown masked. Each is also found as a URL or a JSON text
    inside a string would spell it.
    """
    masks: dict[str, str] = {}
    for key in access_keys:
        masks |= dict.fromkeys(_spellings(key), mask_access_key(key))
    for secret in secrets:
        masks |= dict.fromkeys(_spellings(secret.reveal()), MASKED)
    # The longest first: one spelling may begin with another, and the rest of it would stay.
    ordered = dict(sorted(masks.items(), key=lambda pair: -len(pair[0])))
    return _redacted(document, ordered)


def _spellings(value: str) -> set[str]:
    in_json = json_spellings(json.dumps(value)[1:-1])
    return in_json | {value, json.dumps(value, ensure_ascii=False)[1:-1], quote(value), quote(value, safe="")}


def _redacted(value: Any, masks: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _masked(value, masks)
    if isinstance(value, Mapping):
        return {_masked(str(key), masks): _redacted(item, masks) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, masks) for item in value]
    return value


def _masked(text: str, masks: Mapping[str, str]) -> str:
    for plain, mask in masks.items():
        if len(plain) >= _SHORTEST_PART:
            text = text.replace(plain, mask)
        elif text == plain:
            return mask
    return text
