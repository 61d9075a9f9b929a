"""Buffer between the event socket and the coordinator, which processes events in batches."""

from collections import deque
from itertools import chain
from operator import itemgetter
from threading import Lock

from .frames import SYNC_TYPES, BufferedEvent

# The sequence number restores the order of arrival across the two queues.
type _Numbered = tuple[int, BufferedEvent]


class WebSocketEventBuffer:
    """A bounded, thread-safe queue of events in order of arrival.

    When it is full, the oldest sync record is dropped: the same client's next record supersedes
    it. Events are never repeated, so they are dropped only when the buffer holds nothing else.
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
        """Number of events and sync records dropped so far because the buffer was full."""
        return self._dropped

    def __len__(self) -> int:
        """Return the number of buffered events and sync records."""
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

    def drain(self, max_syncs: int | None = None) -> list[BufferedEvent]:
        """Remove and return the buffered events in order of arrival.

        With `max_syncs`, return all events but only that many of the oldest sync records: the
        events of a burst must be put in order together, whereas records can wait.
        """
        with self._lock:
            events, self._events = self._events, deque()
            if max_syncs is None or len(self._syncs) <= max_syncs:
                syncs, self._syncs = self._syncs, deque()
            else:
                syncs = deque(self._syncs.popleft() for _ in range(max_syncs))
        if events and syncs:
            # Sorting two sorted runs takes a single pass.
            return [event for _, event in sorted(chain(events, syncs), key=itemgetter(0))]
        return [event for _, event in events or syncs]
