"""What was made of some texts is remembered: most records of a client hold the same ones."""

from collections.abc import Callable
from typing import Any

# More than a site has clients, so that they do not push each other out all the time.
_MOST = 8192
# No texts that anyone reads together are longer; those of a stranger must not fill the memory.
_LONGEST = 1024


class Memoize[V]:
    """Asks a function what to make of some values, once for as long as it is remembered.

    The values come as a tuple, in which anything but texts and None is of an unexpected form. The
    function must always make the same of them.
    """

    def __init__(self, make: Callable[[tuple[Any, ...]], V]) -> None:
        """Remember nothing yet."""
        self._make = make
        self._known: dict[tuple[Any, ...], V] = {}

    def __call__(self, values: tuple[Any, ...]) -> V:
        """Return what is made of these values."""
        try:
            return self._known[values]
        except KeyError, TypeError:
            made = self._make(values)
        texts = [value for value in values if value is not None]
        if all(isinstance(text, str) for text in texts) and sum(map(len, texts)) <= _LONGEST:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[values] = made
        return made
