"""A tracker that lets a recorder know what it is given and what it tells."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from operator import attrgetter
from typing import Any, Protocol, override

from ..api.records import Observation, StationRecord
from ..roaming.client_track import ClientTrack
from ..roaming.models import ClientEvent
from ..roaming.tracker import RoamTracker

_ORDER = "number"
_VALUES = (_ORDER, *(field.name for field in fields(ClientTrack) if field.name != _ORDER))
_values_of = attrgetter(*_VALUES)


class Recorder[Entry](Protocol):
    """Where it is written down (api/recorder.py)."""

    def follow(self, memory: object, remembered: Sequence[str]) -> None:
        """Begin with a tracker that remembers this beside its clients.

        `remembered` is what the values are called that it remembers of each client, the first of
        them the one that says in which order it has them.
        """

    def turn(self, memory: Callable[[], object]) -> dict[str, Sequence[Any] | None]:
        """Return where to put what is remembered of a client before the first change to it."""

    def observed(self, now: float, batch: Sequence[Observation | None]) -> Entry:
        """Take a batch."""

    def snapshot(self, now: float, stations: Sequence[StationRecord]) -> Entry:
        """Take a snapshot."""

    def waited(self, now: float) -> Entry:
        """Take note that time has passed."""

    def doubted(self, now: float) -> Entry:
        """Take note that the controller is doubted."""

    def told(self, entry: Entry, events: Iterable[object]) -> None:
        """Take what was told because of what one of the others has taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDeparture:
    """A departure that is held back until a time."""

    mac: str
    due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownName:
    """What a client is called that may not have been met yet."""

    mac: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerState:
    """What a tracker remembers beside its clients, in the order in which it matters."""

    disconnect_delay: float
    offset: float
    knows_clock: bool
    primed: bool
    empty_since: float | None
    doubted_until: float
    now: float
    held: tuple[DueDeparture, ...]
    rechecks: tuple[DueDeparture, ...]
    names: tuple[KnownName, ...]


class RecordingTracker[Entry](RoamTracker):
    """Writes down its own life, so that another tracker can live it again.

    What it remembered of a client is kept from before the first change to it, so that a recording
    may begin anywhere, and each record costs the same however many clients there are.
    """

    def __init__(self, recorder: Recorder[Entry], disconnect_delay: float = 10.0) -> None:
        """Know nobody yet."""
        super().__init__(disconnect_delay)
        self._recorder = recorder
        # The same names as last time, as a recording has them: there may be many, and few change.
        self._names: Mapping[str, str] = {}
        self._called: tuple[KnownName, ...] = ()
        recorder.follow(self._remember(), _VALUES)

    @override
    def set_names(self, names: Mapping[str, str]) -> None:
        super().set_names(names)
        # The recording begins anew, as there is no place in it where they would have come.
        self._recorder.follow(self._remember(), _VALUES)

    @override
    def process_batch(
        self, observations: Sequence[Observation | None], now: float
    ) -> list[ClientEvent]:
        self._keep([seen.mac for seen in observations if seen is not None], now)
        entry = self._recorder.observed(now, observations)
        return self._told(entry, super().process_batch(observations, now))

    @override
    def process_snapshot(self, stations: Sequence[StationRecord], now: float) -> list[ClientEvent]:
        listed = (station.mac for station in stations)
        # Who is missing in it changes, too.
        connected = (mac for mac, state in self.clients.items() if state.connected)
        self._keep(chain(listed, connected), now)
        entry = self._recorder.snapshot(now, stations)
        return self._told(entry, super().process_snapshot(stations, now))

    @override
    def release_due(self, now: float) -> list[ClientEvent]:
        self._keep(self._registry.held, now)
        entry = self._recorder.waited(now)
        return self._told(entry, super().release_due(now))

    @override
    def suspend_departures(self, now: float) -> None:
        self._keep((), now)
        self._recorder.doubted(now)
        super().suspend_departures(now)

    def _keep(self, macs: Iterable[str], now: float) -> None:
        before, tracks = self._recorder.turn(self._remember), self._registry.tracks
        # When our clock has been set back, all that is known is changed.
        for mac in macs if now >= self._now else list(tracks):
            if mac not in before:
                track = tracks.get(mac)
                before[mac] = None if track is None else _values_of(track)

    def _remember(self) -> TrackerState:
        registry = self._registry
        if self._names is not registry.names:
            self._names = registry.names
            self._called = tuple(KnownName(mac=mac, name=name) for mac, name in self._names.items())
        return TrackerState(
            disconnect_delay=self.disconnect_delay,
            offset=self._clock.offset,
            knows_clock=self._clock.known,
            primed=self._primed,
            empty_since=self._empty_since,
            doubted_until=self._doubted_until,
            now=self._now,
            held=tuple(DueDeparture(mac=mac, due=due) for mac, due in registry.held.items()),
            rechecks=tuple(
                DueDeparture(mac=mac, due=due) for mac, due in registry.rechecks.items()
            ),
            names=self._called,
        )

    def _told(self, entry: Entry, events: list[ClientEvent]) -> list[ClientEvent]:
        if events:
            self._recorder.told(entry, events)
        return events
