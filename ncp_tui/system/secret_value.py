"""A value that nothing shows by accident."""

from __future__ import annotations

from typing import AnyStr, Generic, NoReturn


class SecretValue(Generic[AnyStr]):
    """A secret that cannot be printed, formatted, pickled or compared in variable time by accident.

    Textual's crash report and worker descriptions print the repr of local variables and arguments, so a plain `str` or
    `bytes` would end up on the terminal. The value is taken out in one place, `reveal`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: AnyStr) -> None:
        self._value: AnyStr = value

    def reveal(self) -> AnyStr:
        """The secret itself: for a signature, a cipher, a secret store, and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}(****)"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return format(repr(self), format_spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        from hmac import compare_digest  # 1 ms that the first frame does without

        return compare_digest(_bytes(self._value), _bytes(other._value))

    def __hash__(self) -> int:
        return hash(type(self))  # equal values hash alike, and a hash of the value would tell something about it

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret value is not pickled")


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
