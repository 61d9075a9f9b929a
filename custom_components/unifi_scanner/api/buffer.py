"""Holds what the socket has read until the coordinator takes it, in one go."""

from collections import deque
from itertools import chain
from operator import itemgetter
from threading import Lock

from .frames import SYNC_TYPES, BufferedEvent

type _Numbered = tuple[int, BufferedEvent]


class WebSocketEventBuffer:
    """A bounded, thread-safe queue of events in order of arrival.

    When it is full the oldest sync record gives way: the next one of that client tells the same
    and more. An event is told once, and gives way only when nothing but events is held.
    """

    def __init__(self, max_size: int = 10_000) -> None:
        """Hold at most `max_size` events; raise ValueError below 1."""
        if max_size < 1:
            raise ValueError("A buffer must hold at least one event")
        self._max_size = max_size
        self._lock = Lock()
        self._added = 0
        self._dropped = 0
        self._events: deque[_Numbered] = deque()
        self._syncs: deque[_Numbered] = deque()

    @property
    def dropped(self) -> int:
        """How many events have given way so far."""
        return self._dropped

    def __len__(self) -> int:
        """Return how many events are held."""
        with self._lock:
            return len(self._events) + len(self._syncs)

    def add(self, event: BufferedEvent) -> None:
        """Append an event, in constant time."""
        with self._lock:
            queue = self._syncs if event.event_type in SYNC_TYPES else self._events
            queue.append((self._added, event))
            self._added += 1
            if len(self._events) + len(self._syncs) > self._max_size:
                (self._syncs or self._events).popleft()
                self._dropped += 1

    def drain(self, most_syncs: int | None = None) -> list[BufferedEvent]:
        """Return what is held in order of arrival and hold it no longer.

        With `most_syncs` all events, but only so many of the sync records, the oldest: events of
        one burst must be put in order together, records may wait.
        """
        with self._lock:
            events, self._events = self._events, deque()
            if most_syncs is None or len(self._syncs) <= most_syncs:
                syncs, self._syncs = self._syncs, deque()
            else:
                syncs = deque(self._syncs.popleft() for _ in range(most_syncs))
        if events and syncs:
            # Both are in order already, which sorting recognises: one pass.
            return [event for _, event in sorted(chain(events, syncs), key=itemgetter(0))]
        return [event for _, event in events or syncs]
