"""What the tracker remembers of a client, in bytes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
import gc
import tracemalloc

from custom_components.unifi_scanner.api import parse_unifi_events
from custom_components.unifi_scanner.api.records import (
    Observation,
    StationRecord,
    observation_from,
)
from custom_components.unifi_scanner.roaming import RoamTracker

from .effort import Effort
from .frames import NOW, Clock, Crowd
from .rows import OURS, Figure, Row
from .workers import run_apart

_ROAMS = 4
_EVERY = 60.0  # seconds
# Records that are alive at a time, as in a frame.
_TOGETHER = 100


def rows(effort: Effort) -> list[Row]:
    """Measure a tracker that knows many clients, which have roamed."""
    return [
        Row(
            key="memory",
            work=f"memory per client in the tracker, {effort.remembered:,} clients",
            unit="bytes",
            figures={OURS: Figure.exactly(run_apart(bytes_per_client, effort.remembered))},
            note=f"each has roamed {_ROAMS} times; the records are released",
        )
    ]


def bytes_per_client(clients: int) -> float:
    """Fill a tracker by a snapshot, records and roams, and return what it takes for a client."""
    clock = Clock()
    crowd, tracker = Crowd(clients, clock=clock), RoamTracker()
    listed = crowd.sync(*crowd.clients)
    # Made before, so that only what is kept of them is measured.
    told = [(clock.now, frame) for _ in range(_ROAMS) for frame in _roams(crowd, clock)]
    gc.collect()
    tracemalloc.start()
    tracker.process_snapshot(
        [seen for seen in _seen(listed, NOW) if isinstance(seen, StationRecord)], NOW
    )
    for at, frame in told:
        tracker.process_batch(_seen(frame, at), at)
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / clients


def _roams(crowd: Crowd, clock: Clock) -> Iterator[bytes]:
    """Let all clients roam; give the frames that tell it, by events and then by records."""
    clock.now += _EVERY
    for start in range(0, len(crowd.clients), _TOGETHER):
        some = crowd.clients[start : start + _TOGETHER]
        yield from [crowd.move(client) for client in some]
        yield crowd.sync(*some)


def _seen(frame: bytes, at: float) -> list[Observation | None]:
    received = datetime.fromtimestamp(at, UTC)
    return [
        observation_from(replace(event, timestamp=received)) for event in parse_unifi_events(frame)
    ]
