"""Public names of a package that are loaded when they are first used, so that a start pays for what it shows.

Everything behind the client's packages takes 150 ms to load; the first frame of the first screen needs a third of it,
and completion in a shell next to nothing (measured by `python -m tests.benchmarks`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of `package`: `homes` names, for each module in it, the public names that live there.

    A public name must not be the name of a module: whoever imports that module would put it in the name's place.
    """
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def load(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
