"""Harness that feeds mutated frames to a parser and a tracker, and checks invariants."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from custom_components.unifi_scanner.api import FrameStatistics, frames, parse_unifi_events
from custom_components.unifi_scanner.api.parsing import _canonical_mac, as_text, normalise_mac
from custom_components.unifi_scanner.api.records import (
    Observation,
    StationRecord,
    observation_from,
    parse_log_row,
    parse_station,
)
from custom_components.unifi_scanner.roaming import ClientEvent, EventKind, RoamTracker
from custom_components.unifi_scanner.roaming.client import MAX_EVIDENCE
from custom_components.unifi_scanner.roaming.evidence import shared
from tests.controller.models import Json

from .mutations import Mutations
from .seed_frames import SeedFrames

START = 1_790_000_000.0
# The limits that the code guarantees.
MAX_CLIENTS = 20_000
MAX_NAMES = 65
MAX_COUNTERS = 16
SNAPSHOT_EVERY = 60.0


class Harness:
    """A parser and a tracker fed with random frames, in virtual time.

    Raises AssertionError if an invariant is violated; any other exception is a bug as well.
    """

    def __init__(self, random: Random) -> None:
        """Set up a site full of connected clients; the first step takes a snapshot."""
        self.now = START
        self.statistics = FrameStatistics()
        self.emitted: Counter[str] = Counter()
        self.tracker = RoamTracker()
        self._roam_tracker = self.tracker
        self._random = random
        self._snapshot_at = START
        self._seeds = SeedFrames(random, lambda: self.now)
        self._mutations = Mutations(random, self._seeds.clients + self._seeds.access_points)

    def run(self, frames: int) -> None:
        """Feed a number of frames, letting time pass and taking snapshots between them."""
        end = self.statistics.frames + frames
        while (left := end - self.statistics.frames) > 0:
            self.pass_time()
            batch = min(left, self._random.choice((1, 1, 1, 2, 5)))
            self.feed([self.frame() for _ in range(batch)])
            luck = self._random.random()
            if luck < 0.02:
                self.feed_rows(self._log_rows())
            elif luck > 0.998:
                self.feed([self._mutations.serialize(self._seeds.passing_clients())])
            if self.now >= self._snapshot_at:
                self._random_snapshot()
        self.check()

    def feed(self, frames: Sequence[bytes]) -> None:
        """Process frames as one batch, as the coordinator does."""
        received = datetime.fromtimestamp(self.now, UTC)
        batch: list[Observation | None] = [
            observation_from(replace(event, timestamp=received))
            for frame in frames
            for event in parse_unifi_events(frame, self.statistics)
        ]
        self._check_events(self.tracker.process_batch(batch, self.now))

    def snapshot(self, stations: Sequence[StationRecord]) -> None:
        """Process a snapshot."""
        self._check_events(self.tracker.process_snapshot(stations, self.now))

    def feed_rows(self, rows: Sequence[Json]) -> None:
        """Process rows of the system log."""
        parsed = [parse_log_row(row, self.now) for row in rows]
        events = [row for row in parsed if row is not None]
        self._check_events(self.tracker.process_log(events, None, self.now))

    def release_due(self) -> None:
        """Release the departures that are due."""
        self._check_events(self.tracker.release_due(self.now))
        assert self.tracker.next_due is None or self.tracker.next_due > self.now

    def pass_time(self) -> None:
        """Let time pass, sometimes a lot of it, and release the departures that are due."""
        luck = self._random.random()
        if luck < 0.0002:
            # Our own clock is set backwards or forwards.
            self.now += self._random.choice((*(-7200.0, -60.0, 60.0, 7200.0) * 5, 90_000.0))
            self._snapshot_at = self.now
        else:
            self.now += self._random.random() * (20.0 if luck > 0.99 else 0.5)
        due = self.tracker.next_due
        if due is not None and due <= self.now:
            self.release_due()

    def frame(self) -> bytes:
        """Return the next frame, mutated in most cases."""
        frame = self._seeds.frame()
        luck = self._random.random()
        if luck > 0.35:
            self._mutations.frame(frame)
        raw = self._mutations.serialize(frame)
        if luck > 0.85:
            return self._mutations.bytes(raw)
        return self._mutations.damage_text(raw) if luck > 0.75 else raw

    def check(self) -> None:
        """Check that the tracker's indexes are consistent and within their limits."""
        tracker = self._roam_tracker
        clients = tracker._clients
        assert tracker.clients.keys() == clients.keys()
        per_access_point: Counter[str] = Counter()
        away = set()
        for mac, client in clients.items():
            state = client.state
            assert state is tracker.clients[mac]
            assert mac == state.mac == normalise_mac(mac)
            assert len(client.evidence) <= 2 * MAX_EVIDENCE + 4
            assert client.evidence == sorted(client.evidence, key=lambda piece: piece.order)
            assert state.name == as_text(state.name)
            if state.ap_mac is None:
                away.add(mac)
            else:
                per_access_point[state.ap_mac] += 1
        assert tracker._away.keys() == away
        assert tracker.clients_per_access_point == per_access_point
        assert tracker.connected_clients == per_access_point.total()
        assert (tracker._due.keys() | tracker._missing.keys()) <= clients.keys()
        for name, size, limit in self.sizes():
            assert size <= limit, f"{name} has grown to {size}"

    def sizes(self) -> list[tuple[str, int, int]]:
        """Return name, size and limit of everything that is kept in memory."""
        tracker, statistics = self._roam_tracker, self.statistics
        return [
            ("clients", len(tracker._clients), MAX_CLIENTS),
            ("clients away", len(tracker._away), MAX_CLIENTS),
            ("held back", len(tracker._due) + len(tracker._missing), 2 * MAX_CLIENTS),
            ("access points", len(tracker.clients_per_access_point), MAX_CLIENTS),
            ("last events", len(tracker._last_events), 0),
            ("counters", len(self.tracker.counters), MAX_COUNTERS),
            ("frame types", len(statistics.types), MAX_NAMES),
            ("ignored types", len(statistics.ignored), MAX_NAMES),
            ("unused keys", len(statistics.unused_keys), MAX_NAMES),
            ("cached MACs", _canonical_mac.cache_info().currsize, 8192),
            ("cached links", shared.cache_info().currsize, 1024),
            ("cached frame starts", frames._meta_at_start.cache_info().currsize, 512),
            ("cached frame ends", frames._meta_at_end.cache_info().currsize, 512),
        ]

    def _log_rows(self) -> list[Json]:
        rows = [self._seeds.log_row() for _ in range(self._random.randint(1, 5))]
        for row in rows:
            if self._random.random() < 0.5:
                self._mutations.record(row)
        return rows

    def _random_snapshot(self) -> None:
        records: list[Json] = [] if self._random.random() < 0.05 else self._seeds.stations()
        self._random.shuffle(records)
        for record in records:
            if self._random.random() < 0.1:
                self._mutations.record(record)
        stations = [parse_station(record, self.now) for record in records]
        self.snapshot([station for station in stations if station is not None])
        recheck = self.tracker.recheck_due
        self._snapshot_at = min(self.now + SNAPSHOT_EVERY, recheck or self.now + SNAPSHOT_EVERY)

    def _check_events(self, events: Sequence[ClientEvent]) -> None:
        for event in events:
            self.emitted[event.kind] += 1
            ends = (event.ap_from is not None, event.ap_to is not None)
            expected = {EventKind.CONNECTED: (False, True), EventKind.DISCONNECTED: (True, False)}
            assert ends == expected.get(event.kind, (True, True)), event
            same = event.ap_from == event.ap_to
            assert same is (event.kind is EventKind.ROAM_RADIO), event
            assert event.roam_gap is None or event.roam_gap >= 0, event
            # As the event bus formats it.
            assert datetime.fromtimestamp(event.time, UTC).isoformat(), event
