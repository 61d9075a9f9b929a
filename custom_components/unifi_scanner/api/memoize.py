"""Memoize parsed text fields: consecutive records of a client repeat them."""

from collections.abc import Callable
from typing import Any

# More than a site has clients, so that their entries do not keep evicting each other.
_MAX_ENTRIES = 8192
# Longer than any legitimate set of fields; an attacker's long texts must not fill the memory.
_MAX_TEXT_LENGTH = 1024


class Memoize[V]:
    """Cache the result of a pure function of a tuple of texts.

    Results for tuples that contain anything but strings and None, or more than 1024 characters,
    are not cached. The cache is emptied when it is full.
    """

    def __init__(self, function: Callable[[tuple[Any, ...]], V]) -> None:
        """Wrap `function`."""
        self._function = function
        self._cache: dict[tuple[Any, ...], V] = {}

    def __call__(self, values: tuple[Any, ...]) -> V:
        """Return the function's result for these values."""
        try:
            return self._cache[values]
        except KeyError, TypeError:
            result = self._function(values)
        texts = [value for value in values if value is not None]
        if all(isinstance(text, str) for text in texts) and sum(map(len, texts)) <= (
            _MAX_TEXT_LENGTH
        ):
            if len(self._cache) >= _MAX_ENTRIES:
                self._cache.clear()
            self._cache[values] = result
        return result
