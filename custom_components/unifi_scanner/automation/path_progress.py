"""Track how far each client has come along a path of locations."""

from collections.abc import Collection
from typing import NamedTuple

# Progress outlives the path's time limit by this much, for moves that are reported late.
MAX_LATENESS = 120.0  # seconds
# Bounds the memory; beyond it, the clients that moved longest ago are forgotten.
MAX_CLIENTS = 1000


class _Progress(NamedTuple):
    """A client's progress: when we learned of its last move, when that happened, and its steps.

    `starts` maps each step that the client has reached to the latest time at which it was at the
    first step before that.
    """

    updated_at: float
    moved_at: float
    starts: dict[int, float]


class PathProgress:
    """Detects clients that complete a path; other locations in between are ignored."""

    def __init__(self, length: int, time_limit: float) -> None:
        """Track a path of `length` steps, to be completed within `time_limit` seconds."""
        self._last_step = length - 1
        self._time_limit = time_limit
        # In the order of the last move.
        self._clients: dict[str, _Progress] = {}

    def __len__(self) -> int:
        """Return the number of clients that have reached part of the path."""
        return len(self._clients)

    def move(
        self, client: str, left: Collection[int], reached: Collection[int], *, at: float, now: float
    ) -> bool:
        """Process a client's move and return whether it completes the path.

        `left` and `reached` are the steps, counted from 0, at which the client was and is; a path
        may visit a location repeatedly. The time limit starts when the client leaves step 0. `at`
        is the time of the move in the controller's time, `now` that of any monotonic clock; both
        are in seconds.
        """
        self._discard_expired(now)
        progress = self._clients.get(client)
        if progress is not None and at < progress.moved_at:
            # A late report: the client has moved again since.
            return False
        starts = {} if progress is None else progress.starts
        starts = {step: start for step, start in starts.items() if at - start <= self._time_limit}
        if 0 in left:
            starts[0] = at
        # In descending order, so that one move advances by one step only.
        for step in sorted(set(reached) - set(left), reverse=True):
            if step == 0:
                starts[0] = at
            elif step - 1 in starts:
                starts[step] = starts[step - 1]
        self._clients.pop(client, None)
        if self._last_step in starts:
            return True
        if starts:
            self._clients[client] = _Progress(now, at, starts)
            if len(self._clients) > MAX_CLIENTS:
                del self._clients[next(iter(self._clients))]
        return False

    def _discard_expired(self, now: float) -> None:
        while self._clients:
            client, progress = next(iter(self._clients.items()))
            if now - progress.updated_at <= self._time_limit + MAX_LATENESS:
                break
            del self._clients[client]
