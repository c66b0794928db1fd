"""A secret as JSON may spell it, to be found wherever it is repeated."""

from __future__ import annotations

import itertools

_WAYS = (("/", "\\/", "\\u002f", "\\u002F"), ("+", "\\u002b", "\\u002B"), ("=", "\\u003d", "\\u003D"))
"""Of what base64 has besides letters and digits; PHP escapes the slash, others the rest as well."""


def json_spellings(value: str) -> set[str]:
    """`value`, and what it is between the quotes of other machines' JSON."""
    found = set[str]()
    for chosen in itertools.product(*_WAYS):
        spelled = value
        for (plain, *_), way in zip(_WAYS, chosen, strict=True):
            spelled = spelled.replace(plain, way)
        found.add(spelled)
    return found
