"""What was made of a client's texts is remembered, within bounds."""

from typing import Any

import pytest

from custom_components.unifi_scanner.api.memoize import Memoize

MOST = 8192


class Maker:
    """Counts what it is asked for."""

    def __init__(self) -> None:
        """Be asked for nothing yet."""
        self.asked: list[tuple[Any, ...]] = []

    def __call__(self, values: tuple[Any, ...]) -> str:
        self.asked.append(values)
        return repr(values)


def test_the_same_texts_are_made_into_something_once() -> None:
    make = Maker()
    memo = Memoize(make)
    assert [memo(("Hall", None)) for _ in range(3)] == ["('Hall', None)"] * 3
    assert memo(("Hall", "Home")) == "('Hall', 'Home')"
    assert make.asked == [("Hall", None), ("Hall", "Home")]


@pytest.mark.parametrize(
    "odd",
    [1, True, 1.0, ["Hall"], {"name": "Hall"}, "x" * 2000],
    ids=lambda odd: type(odd).__name__,
)
def test_what_is_no_short_text_is_made_anew_each_time(odd: object) -> None:
    # Nothing but a text equals only itself: 1 is True.
    make = Maker()
    memo = Memoize(make)
    assert memo(("Hall", odd)) == memo(("Hall", odd)) == f"('Hall', {odd!r})"
    assert len(make.asked) == 2


def test_the_memory_is_bounded() -> None:
    make = Maker()
    memo = Memoize(make)
    for number in range(MOST + 1):
        memo((str(number),))
    assert memo((str(MOST),)) == f"('{MOST}',)"
    assert len(make.asked) == MOST + 1
    memo(("0",))
    assert len(make.asked) == MOST + 2
