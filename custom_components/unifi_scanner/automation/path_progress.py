"""How far each client has come on a path from place to place."""

from collections.abc import Collection
from typing import NamedTuple

# So long after a path's time progress is kept for what is told late, in seconds.
LATENESS = 120.0
# So many clients are followed at once: those that moved last.
LIMIT = 1000


class _Walk(NamedTuple):
    """A client on its way: when it was told of, when that was, and what it has reached.

    `starts` holds, for each place it has reached, the latest moment at which it was at the first
    one before.
    """

    told: float
    at: float
    starts: dict[int, float]


class PathProgress:
    """Follows clients along a path; other places in between do not matter."""

    def __init__(self, length: int, within: float) -> None:
        """Begin with nobody on the way; `within` is how long the path may take, in seconds."""
        self._last = length - 1
        self._within = within
        self._walks: dict[str, _Walk] = {}

    def __len__(self) -> int:
        """Return how many clients are on their way."""
        return len(self._walks)

    def move(
        self, client: str, left: Collection[int], reached: Collection[int], *, at: float, now: float
    ) -> bool:
        """Take a client's move; return whether it has completed the path.

        `left` and `reached` are the numbers, from 0, of the path's places where it was and is.
        The path's time begins when the client leaves the first place: `at` is when it moved, by
        the controller's clock, `now` any clock that never goes back; both are in seconds.
        """
        self._forget(now)
        walk = self._walks.get(client)
        if walk is not None and at < walk.at:
            # Told late: it is elsewhere by now.
            return False
        starts = {} if walk is None else walk.starts
        starts = {place: start for place, start in starts.items() if at - start <= self._within}
        if 0 in left:
            starts[0] = at
        # Backwards, so that one move is one step.
        for place in sorted(set(reached) - set(left), reverse=True):
            if place == 0:
                starts[0] = at
            elif place - 1 in starts:
                starts[place] = starts[place - 1]
        self._walks.pop(client, None)
        if self._last in starts:
            return True
        if starts:
            self._walks[client] = _Walk(now, at, starts)
            if len(self._walks) > LIMIT:
                del self._walks[next(iter(self._walks))]
        return False

    def _forget(self, now: float) -> None:
        """Forget those whose time is up."""
        while self._walks:
            client, walk = next(iter(self._walks.items()))
            if now - walk.told <= self._within + LATENESS:
                break
            del self._walks[client]
