"""A roam tracker whose inputs and events are recorded for bug reports."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from ..api.records import EventRecord, Observation, StationRecord
from ..roaming import ClientEvent, RoamTracker
from .recorder import CaptureRecorder, Entry


class RecordingTracker:
    """Offers what a RoamTracker does, and records its inputs and outputs for a replay.

    The state of a client is recorded before the first change to it, so a recording may start at
    any input, and the cost of a record does not depend on the number of clients.
    """

    def __init__(self, tracker: RoamTracker, recorder: CaptureRecorder) -> None:
        """Start recording; the tracker must only be changed through this object from now on."""
        self._tracker = tracker
        self._recorder = recorder
        # These are live views of the tracker, or never change.
        self.clients = tracker.clients
        self.clients_per_access_point = tracker.clients_per_access_point
        self.counters = tracker.counters
        self.controller_time = tracker.controller_time
        self.loop_time = tracker.loop_time
        self._expected_log: tuple[float | None, float | None] = None, None
        self._restart()

    @property
    def disconnect_delay(self) -> float:
        """For how long a client may be gone without having been away, in seconds."""
        return self._tracker.disconnect_delay

    @disconnect_delay.setter
    def disconnect_delay(self, seconds: float) -> None:
        """Change the delay; the recording starts anew, as a capture has a single delay."""
        if seconds != self._tracker.disconnect_delay:
            self._tracker.disconnect_delay = seconds
            self._restart()

    @property
    def connected_clients(self) -> int:
        """The number of connected clients."""
        return self._tracker.connected_clients

    @property
    def next_due(self) -> float | None:
        """When `release_due` is to be called next, None for not at all."""
        return self._tracker.next_due

    @property
    def recheck_due(self) -> float | None:
        """When another snapshot is to be taken to confirm that a missing client is gone."""
        return self._tracker.recheck_due

    @property
    def waits_for_log(self) -> bool:
        """Whether something is held back until the controller's log is known any further."""
        return self._tracker.waits_for_log

    def set_names(self, names: Mapping[str, str]) -> None:
        """Set the names as RoamTracker does; the recording starts anew, as it cannot hold them."""
        self._tracker.set_names(names)
        self._restart()

    def save(self, now: float, heard_at: float) -> dict[str, Any]:
        """Return the clients as JSON; see RoamTracker."""
        return self._tracker.save(now, heard_at)

    def resume_from(self, saved: Mapping[str, Any], now: float) -> None:
        """Continue from what was saved, as RoamTracker does, and start a new recording."""
        self._tracker.resume_from(saved, now)
        self._restart()

    def resume(self, stations: Sequence[StationRecord], now: float) -> float | None:
        """Return since when nothing was heard, as RoamTracker does, and start a new recording."""
        since = self._tracker.resume(stations, now)
        if since is not None:
            self._restart()
        return since

    def restore(self, state: Mapping[str, Any], clients: Iterable[Mapping[str, Any]]) -> None:
        """Restore a state as RoamTracker does, and start a new recording from it."""
        self._tracker.restore(state, clients)
        self._restart()

    def process_batch(
        self, observations: Sequence[Observation | None], now: float
    ) -> list[ClientEvent]:
        """Record and process a batch of observations; see RoamTracker."""
        self._record_clients([each.mac for each in observations if each is not None])
        entry = self._recorder.record_batch(now)
        return self._record_events(entry, self._tracker.process_batch(observations, now))

    def process_log(
        self, rows: Sequence[EventRecord], known_until: float | None, now: float
    ) -> list[ClientEvent]:
        """Record and process rows of the controller's log; see RoamTracker."""
        self._record_clients([row.mac for row in rows])
        entry = self._recorder.record_log(now, rows, known_until)
        return self._record_events(entry, self._tracker.process_log(rows, known_until, now))

    def process_snapshot(self, stations: Sequence[StationRecord], now: float) -> list[ClientEvent]:
        """Record and process a snapshot; see RoamTracker."""
        listed = (station.mac for station in stations)
        # A snapshot also changes the clients that are missing in it.
        connected = (mac for mac, state in self.clients.items() if state.connected)
        self._record_clients(chain(listed, connected))
        entry = self._recorder.record_snapshot(now, stations)
        return self._record_events(entry, self._tracker.process_snapshot(stations, now))

    def release_due(self, now: float) -> list[ClientEvent]:
        """Report what was held back long enough, and record that; see RoamTracker."""
        self._record_clients(self._tracker.held_back)
        entry = self._recorder.record_timer(now)
        return self._record_events(entry, self._tracker.release_due(now))

    def connection_opened(self, now: float) -> None:
        """Expect old events once more; the recording has the stream's state already."""
        self._tracker.connection_opened(now)

    def suspend_departures(self, now: float) -> None:
        """Suspend departures, and record that; see RoamTracker."""
        self._record_clients(())
        self._recorder.record_suspension(now)
        self._tracker.suspend_departures(now)

    def expect_log(
        self, known_until: float | None, now: float, *, unread_since: float | None = None
    ) -> None:
        """Hold back what is only implied after a time, and record that; see RoamTracker."""
        expected = known_until, unread_since
        if expected != self._expected_log:
            self._expected_log = expected
            self._record_clients(())
            self._recorder.record_expected_log(now, known_until, unread_since)
            self._tracker.expect_log(known_until, now, unread_since=unread_since)

    def _restart(self) -> None:
        self._recorder.start(self._tracker.export_state(), self._tracker.CLIENT_FIELDS)

    def _record_clients(self, macs: Iterable[str]) -> None:
        """Record the states of the clients that the next input may change."""
        states = self._recorder.client_states(self._tracker.export_state)
        for mac in macs:
            if mac not in states:
                states[mac] = self._tracker.export_client(mac)

    def _record_events(self, entry: Entry, events: list[ClientEvent]) -> list[ClientEvent]:
        if events:
            self._recorder.record_events(entry, events)
        return events
