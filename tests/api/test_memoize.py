"""Tests of the bounded cache for parsed text fields."""

from typing import Any

import pytest

from custom_components.unifi_scanner.api.memoize import Memoize

MAX_ENTRIES = 8192


class Function:
    """Records its calls."""

    def __init__(self) -> None:
        """Start without calls."""
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, values: tuple[Any, ...]) -> str:
        self.calls.append(values)
        return repr(values)


def test_memoize_calls_the_function_once_for_the_same_texts() -> None:
    function = Function()
    memoized = Memoize(function)
    assert [memoized(("Hall", None)) for _ in range(3)] == ["('Hall', None)"] * 3
    assert memoized(("Hall", "Home")) == "('Hall', 'Home')"
    assert function.calls == [("Hall", None), ("Hall", "Home")]


@pytest.mark.parametrize(
    "odd",
    [1, True, 1.0, ["Hall"], {"name": "Hall"}, "x" * 2000],
    ids=lambda odd: type(odd).__name__,
)
def test_memoize_does_not_cache_long_texts_or_other_types(odd: object) -> None:
    # Values of other types may compare equal, such as 1 and True.
    function = Function()
    memoized = Memoize(function)
    assert memoized(("Hall", odd)) == memoized(("Hall", odd)) == f"('Hall', {odd!r})"
    assert len(function.calls) == 2


def test_memoize_cache_is_bounded() -> None:
    function = Function()
    memoized = Memoize(function)
    for number in range(MAX_ENTRIES + 1):
        memoized((str(number),))
    assert memoized((str(MAX_ENTRIES),)) == f"('{MAX_ENTRIES}',)"
    assert len(function.calls) == MAX_ENTRIES + 1
    memoized(("0",))
    assert len(function.calls) == MAX_ENTRIES + 2
