"""Who is where, and what is to be told of it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ..api.records import Observation, StationRecord
from .client_track import STALE, HeldDeparture
from .clock import ControllerClock
from .event_rules import EventRules
from .models import ClientEvent, ClientState, Source
from .record_rules import RecordRules
from .registry import ClientRegistry
from .state import (
    CLIENT_FIELDS,
    DueDeparture,
    KnownName,
    TrackerState,
    client_track_from,
    client_values,
    tracker_state_from,
)

# A controller that boots or is upgraded lists nobody for minutes (core#107061).
_EMPTY_PATIENCE = 300.0
# After that its list fills up, client by client.
_FILLING = 180.0
# Our clock has been set when it goes back by more than this.
_SET_BACK = 5.0


class RoamTracker:
    """Keeps every wireless client's place and tells each change of it exactly once.

    All times are POSIX seconds; `now` is the caller's clock, which need not be the controller's.
    `disconnect_delay` is how long a departure is held back, in seconds. Not for several threads.
    """

    # The names of the values that `export_client` returns.
    CLIENT_FIELDS = CLIENT_FIELDS

    def __init__(self, disconnect_delay: float = 10.0) -> None:
        """Know nobody yet."""
        # The time of the latest batch, snapshot or timer.
        self.now = 0.0
        self.counters: Counter[str] = Counter()
        self._clock = ControllerClock()
        self._registry = ClientRegistry(disconnect_delay)
        self._record_rules = RecordRules(self._registry, self._clock, self.counters)
        self._event_rules = EventRules(self._registry, self._clock, self.counters)
        self._primed = False
        self._empty_since: float | None = None
        self._doubted_until = 0.0
        # The same names as in the latest export: there may be many, and they rarely change.
        self._exported_names: tuple[Mapping[str, str], tuple[KnownName, ...]] = ({}, ())

    @property
    def disconnect_delay(self) -> float:
        """How long a departure is held back, in seconds."""
        return self._registry.disconnect_delay

    @property
    def clients(self) -> Mapping[str, ClientState]:
        """Every known client by MAC; a live, read-only view."""
        return MappingProxyType(self._registry.states)

    def set_names(self, names: Mapping[str, str]) -> None:
        """Know from now on what clients are called, by MAC, whether or not they have been met.

        An event tells only the host name; that of a record takes the place of this one.
        """
        self._registry.names = dict(names)

    @property
    def clients_per_access_point(self) -> Mapping[str, int]:
        """How many clients are connected to each access point, by its MAC; a live view."""
        return MappingProxyType(self._registry.per_access_point)

    @property
    def connected_clients(self) -> int:
        """How many clients are connected."""
        return len(self._registry.tracks) - len(self._registry.away)

    @property
    def next_due(self) -> float | None:
        """When `advance` will have something to tell, if nothing happens before."""
        return next(iter(self._registry.held.values()), None)

    @property
    def recheck_due(self) -> float | None:
        """When another snapshot should be taken, to confirm that a missing client is gone."""
        return next(iter(self._registry.rechecks.values()), None)

    @property
    def departing(self) -> Collection[str]:
        """The clients whose departure `release_due` may report, by MAC; a live view."""
        return self._registry.held.keys()

    def process_batch(
        self, observations: Sequence[Observation | None], now: float
    ) -> list[ClientEvent]:
        """Take a batch from the stream; None stands for a record that could not be read."""
        self._follow_clock(now)
        batch: list[tuple[float, Observation]] = []
        for seen in observations:
            if seen is None:
                self.counters["unreadable"] += 1
                continue
            if isinstance(seen, StationRecord):
                time, is_asked_for = seen.seen_at, False
            else:
                time, is_asked_for = seen.time, seen.logged
            if not is_asked_for and self._clock.is_replay(time, seen.received):
                self.counters["replayed"] += 1
                continue
            batch.append((self._clock.local(time, seen.received), seen))
        if len(batch) > 1:
            batch.sort(key=lambda entry: entry[0])
        for t, seen in batch:
            if isinstance(seen, StationRecord):
                self._record_rules.process(seen, t, Source.SYNC)
            else:
                self._event_rules.process(seen, t, now + self.disconnect_delay)
        return self._registry.drain_events()

    def process_snapshot(self, stations: Sequence[StationRecord], now: float) -> list[ClientEvent]:
        """Take all clients that are connected now. The first one that lists any tells nothing.

        A client that is missing is taken for gone when a second snapshot confirms it after the
        disconnect delay; `recheck_due` says when that is.
        """
        self._follow_clock(now)
        self._clock.compare(
            [station.seen_at for station in stations if station.seen_at is not None], now
        )
        for station in stations:
            t = self._clock.local(station.seen_at, station.received)
            self._record_rules.process(station, t, Source.RESYNC)
        self._miss({station.mac for station in stations}, now)
        self._registry.forget(now)
        told = self._registry.drain_events()
        if self._primed:
            return told
        # A controller that has just booted lists nobody; who comes then was there before.
        self._primed = bool(stations) or not self._is_doubtful(now)
        return []

    def suspend_departures(self, now: float) -> None:
        """Take nobody for gone by snapshots for a while: the controller has just not answered.

        It may be starting, and then lists its clients only as they report.
        """
        self._begin_doubt(now)

    def controller_time(self, now: float) -> float:
        """Return a time of ours by the controller's clock, as far as that is known."""
        return self._clock.controller(now)

    def release_due(self, now: float) -> list[ClientEvent]:
        """Tell the departures that were held back long enough."""
        self._follow_clock(now)
        held = self._registry.held
        for mac in [mac for mac, due in held.items() if due <= now]:
            self._registry.confirm_departure(self._registry.tracks[mac])
        return self._registry.drain_events()

    def export_state(self) -> TrackerState:
        """Return the state apart from the clients, immutable and with field names as in JSON."""
        registry = self._registry
        names, exported = self._exported_names
        if names is not registry.names:
            exported = tuple(KnownName(*pair) for pair in registry.names.items())
            self._exported_names = (registry.names, exported)
        return TrackerState(
            disconnect_delay=self.disconnect_delay,
            offset=self._clock.offset,
            knows_clock=self._clock.known,
            primed=self._primed,
            empty_since=self._empty_since,
            doubted_until=self._doubted_until,
            now=self.now,
            held=tuple(DueDeparture(*pair) for pair in registry.held.items()),
            rechecks=tuple(DueDeparture(*pair) for pair in registry.rechecks.items()),
            names=exported,
        )

    def export_client(self, mac: str) -> tuple[Any, ...] | None:
        """Return all that is known of a client, immutable, as the values of CLIENT_FIELDS.

        None for an unknown client.
        """
        track = self._registry.tracks.get(mac)
        return None if track is None else client_values(track)

    def restore(self, state: Mapping[str, Any], clients: Iterable[Mapping[str, Any]]) -> None:
        """Replace the whole state, apart from `disconnect_delay`, by an exported one.

        `state` and `clients` are as JSON has them, clients as mappings of CLIENT_FIELDS. Raises
        KeyError, TypeError, ValueError or the like, and changes nothing, if they are broken.
        """
        restored = tracker_state_from(state)
        tracks = [client_track_from(client) for client in clients]
        self._clock.offset, self._clock.known = restored.offset, restored.knows_clock
        self._primed = restored.primed
        self._empty_since = restored.empty_since
        self._doubted_until = restored.doubted_until
        self.now = restored.now
        registry = self._registry
        registry.restore(tracks)
        for departures, due in (
            (restored.held, registry.held),
            (restored.rechecks, registry.rechecks),
        ):
            due.update((mac, until) for mac, until in departures if mac in registry.tracks)
        self.set_names(dict(restored.names))

    def _follow_clock(self, now: float) -> None:
        """When our clock has been set back, take what is known along.

        Until it had caught up everything else would be out of date.
        """
        back = now - self.now
        self.now = now
        if back < -_SET_BACK:
            self._clock.shift(back)
            for track in self._registry.tracks.values():
                track.shift(back)
            for times in (self._registry.held, self._registry.rechecks, self._registry.away):
                for mac in times:
                    times[mac] += back
            if self._empty_since is not None:
                self._empty_since += back
            self._doubted_until += back

    def _begin_doubt(self, now: float) -> None:
        self._doubted_until = now + _FILLING

    def _is_doubtful(self, now: float) -> bool:
        """Return whether those who are missing in a snapshot may be there all the same."""
        if self._empty_since is None:
            return now < self._doubted_until
        return now - self._empty_since < _EMPTY_PATIENCE

    def _miss(self, present: set[str], now: float) -> None:
        """Take note of the connected clients that a snapshot does not list."""
        if present:
            self._empty_since = None
        else:
            self._empty_since = now if self._empty_since is None else self._empty_since
            self._begin_doubt(now)
        if self._is_doubtful(now):
            # Nor is a suspicion worth anything that such a controller has raised.
            for mac in list(self._registry.rechecks):
                self._registry.cancel_departure(self._registry.tracks[mac])
            return
        for mac, track in self._registry.tracks.items():
            suspected = track.held is not None and track.held.recheck
            # A snapshot lags behind events (protocol.md 5): who has just come may not be in it yet.
            if mac in present or now - track.arrived < STALE:
                if suspected:
                    self._registry.cancel_departure(track)
            elif suspected:
                if track.held is not None and track.held.due <= now:
                    self._registry.confirm_departure(track, absent=now)
            elif track.held is None and track.state.connected:
                self._registry.hold_departure(
                    track,
                    HeldDeparture(
                        left=track.seen,
                        time=self._clock.controller(track.seen),
                        due=now + self.disconnect_delay,
                        source=Source.RESYNC,
                        recheck=True,
                    ),
                )
