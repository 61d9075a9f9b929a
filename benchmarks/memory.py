"""Memory that the tracker needs per client, in bytes."""

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
from custom_components.unifi_scanner.roaming.tracker import HORIZON

from .effort import Effort
from .frames import NOW, Clock, Crowd
from .rows import OURS, Figure, Row
from .workers import run_apart

_ROAMS = 4
_ROAM_INTERVAL = 60.0  # seconds
# Records that exist at the same time, as in a frame.
_CLIENTS_PER_FRAME = 100


def rows(effort: Effort) -> list[Row]:
    """Measure a tracker with many clients that have roamed."""
    return [
        Row(
            key="memory",
            work=f"memory per client in the tracker, {effort.remembered:,} clients",
            unit="bytes",
            figures={OURS: Figure.exactly(run_apart(bytes_per_client, effort.remembered))},
            note=f"each has roamed {_ROAMS} times within the {HORIZON / 60:.0f} minutes that are "
            "kept; the parser's caches, which are bounded, are not counted",
        )
    ]


def bytes_per_client(clients: int) -> float:
    """Fill a tracker with a snapshot, records and roams, and return its size per client."""
    clock = Clock()
    crowd, tracker = Crowd(clients, clock=clock), RoamTracker()
    listed = crowd.sync(*crowd.clients)
    # Created first, so that only what the tracker keeps of them is measured.
    frames = [(clock.now, frame) for _ in range(_ROAMS) for frame in _roams(crowd, clock)]
    gc.collect()
    tracemalloc.start()
    tracker.process_snapshot(
        [record for record in _observations(listed, NOW) if isinstance(record, StationRecord)], NOW
    )
    for at, frame in frames:
        tracker.process_batch(_observations(frame, at), at)
    with_tracker, _ = tracemalloc.get_traced_memory()
    del tracker
    gc.collect()
    without, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (with_tracker - without) / clients


def _roams(crowd: Crowd, clock: Clock) -> Iterator[bytes]:
    """Move all clients; yield the frames that report it, as events and then as records."""
    clock.now += _ROAM_INTERVAL
    for start in range(0, len(crowd.clients), _CLIENTS_PER_FRAME):
        some = crowd.clients[start : start + _CLIENTS_PER_FRAME]
        yield from [crowd.move(client) for client in some]
        yield crowd.sync(*some)


def _observations(frame: bytes, at: float) -> list[Observation | None]:
    received = datetime.fromtimestamp(at, UTC)
    return [
        observation_from(replace(event, timestamp=received)) for event in parse_unifi_events(frame)
    ]
