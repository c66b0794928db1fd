"""Taking secrets out of a finished document: the last step before it leaves the program, whatever it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ncp_tui.gateway.credentials import SecretKey, mask_access_key
from ncp_tui.gateway.exchange import MASKED
from ncp_tui.system.redact import Spellings

_SHORTEST_PART = 16
"""Characters from which a secret is looked for inside other text. NCP's have 40; a short one may be an honest word, and
is masked only where it is the whole of a string."""


def redact(document: Any, secrets: Iterable[SecretKey], access_keys: Iterable[str] = ()) -> Any:
    """A copy of `document` (as of JSON) in which no string, names of members included, holds a secret.

    `secrets` are secret keys and signatures; `access_keys` are shown masked. Each is found however another machine may
    have spelled it.
    """
    masks = {key: mask_access_key(key) for key in access_keys} | {secret.reveal(): MASKED for secret in secrets}
    # The longest first: one may begin with another, and the rest of it would stay.
    ordered = sorted(masks.items(), key=lambda pair: -len(pair[0]))
    return _redacted(document, [(Spellings(plain), mask) for plain, mask in ordered])


def _redacted(value: Any, masks: Sequence[tuple[Spellings, str]]) -> Any:
    if isinstance(value, str):
        return _masked(value, masks)
    if isinstance(value, Mapping):
        return {_masked(str(key), masks): _redacted(item, masks) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, masks) for item in value]
    return value


def _masked(text: str, masks: Sequence[tuple[Spellings, str]]) -> str:
    for spellings, mask in masks:
        if text == spellings.value:
            return mask
        if len(spellings.value) >= _SHORTEST_PART:
            text = spellings.masked(text, mask)
    return text
