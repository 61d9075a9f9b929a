"""Where every client of a site is, and what there is to report about it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from math import inf
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from ..api.records import EventKind, EventRecord, Observation, StationRecord
from .client import MAX_EVIDENCE, Client
from .clock import MAX_DELAY, STEP, ControllerClock, newest_credible
from .evidence import REPORT_INTERVAL, Evidence, Proof
from .models import ClientEvent, ClientState, Source
from .state import (
    CLIENT_FIELDS,
    KnownName,
    MissingClient,
    TrackerState,
    client_from_saved,
    client_values,
    restore_client,
    saved_client,
)

# Evidence is kept for so long; pushed reports older than this are not news.
HORIZON = 900.0
# An arrival that a roam only implies waits for the controller's own, late report of it.
LATE_REPORT_WAIT = 45.0
# An event reported later than this is late.
LATE = 60.0
# A controller that boots or is upgraded lists no clients for minutes (core#107061).
EMPTY_PATIENCE = 300.0
# Then its list fills up, client by client.
FILLING_TIME = 180.0
# A snapshot lags behind events (docs/protocol.md 5).
SNAPSHOT_LAG = 10.0
# After a longer time without the controller, what happened meanwhile is not news.
MAX_OUTAGE = 3600.0
# Clients that have left are forgotten after a day, or sooner if there are too many.
FORGET_AFTER = 86_400.0
MAX_CLIENTS = 20_000

_time_of = attrgetter("time")


class RoamTracker:
    """Turns reports about wireless clients into states, and into events that are reported once.

    `now` is always event-loop time in seconds. Times in reports, states and events are POSIX
    seconds on the controller's clock. A client that is gone for at most `disconnect_delay` seconds
    was not away. Not thread-safe.
    """

    # The names of the values that `export_client` returns.
    CLIENT_FIELDS = CLIENT_FIELDS

    def __init__(self, disconnect_delay: float = 10.0) -> None:
        """Create a tracker that knows no client."""
        self.disconnect_delay = disconnect_delay
        # Reports that changed nothing, by reason.
        self.counters: Counter[str] = Counter()
        self._clock = ControllerClock()
        self._clients: dict[str, Client] = {}
        self._states: dict[str, ClientState] = {}
        self._clients_per_access_point: Counter[str] = Counter()
        self._names: Mapping[str, str] = {}
        self._exported_names: tuple[KnownName, ...] = ()
        self._numbers = count(1)
        # When there is something to report about a client; `inf` for what waits for the log.
        self._due: dict[str, float] = {}
        # The controller's log is known up to this time, and more of it is expected; None if not.
        self._log_known: float | None = None
        self._unread_since: float | None = None
        # Clients that the latest snapshot did not list, and since when: event-loop time, and time
        # on the timeline.
        self._missing: dict[str, tuple[float, float]] = {}
        # Clients that are not connected, by when they left; `inf` before they ever connected.
        self._away: dict[str, float] = {}
        # Whether a list of all clients was processed; before that, nothing is news.
        self._is_primed = False
        self._floor = 0.0
        self._empty_since: float | None = None
        self._suspended_until = 0.0
        # Whether the connection has delivered news in time, and not only old events once more.
        self._is_on_time = False
        self._newest = 0.0
        # When the connection was opened, and when the latest event was received, in loop time.
        self._opened_at = 0.0
        self._event_at = -1.0
        # When the controller was last heard before a restart, on its clock.
        self._heard: float | None = None
        # Events of clients that were forgotten since the last report.
        self._last_events: list[ClientEvent] = []

    # What is known

    @property
    def clients(self) -> Mapping[str, ClientState]:
        """All known clients by MAC; a live, read-only view."""
        return MappingProxyType(self._states)

    @property
    def clients_per_access_point(self) -> Mapping[str, int]:
        """The number of clients connected to each access point, by its MAC; a live view."""
        return MappingProxyType(self._clients_per_access_point)

    @property
    def connected_clients(self) -> int:
        """The number of connected clients."""
        return len(self._clients) - len(self._away)

    @property
    def next_due(self) -> float | None:
        """When `release_due` is to be called next, None for not at all."""
        due = min(self._due.values(), default=inf)
        return None if due == inf else due

    @property
    def waits_for_log(self) -> bool:
        """Whether something is held back until the controller's log is known any further."""
        return inf in self._due.values()

    @property
    def recheck_due(self) -> float | None:
        """When another snapshot is to be taken to confirm that a missing client is gone."""
        if not self._missing:
            return None
        return next(iter(self._missing.values()))[0] + self.disconnect_delay

    @property
    def held_back(self) -> Collection[str]:
        """The MACs of the clients that `release_due` may report about; a live view."""
        return self._due.keys()

    def loop_time(self, time: float) -> float:
        """Return the event-loop time of a time on the controller's clock."""
        return self._clock.loop_time(time + self._clock.shift)

    def controller_time(self, now: float) -> float:
        """Return the controller's time, as far as it is known."""
        return self._clock.now(now) - self._clock.shift

    def set_names(self, names: Mapping[str, str]) -> None:
        """Set the names of clients by MAC, until a record gives another one."""
        self._names = dict(names)
        self._exported_names = tuple(KnownName(*pair) for pair in names.items())

    # Reports

    def process_batch(
        self, observations: Sequence[Observation | None], now: float
    ) -> list[ClientEvent]:
        """Process what the controller pushed; None stands for unreadable."""
        changed: dict[str, Client] = {}
        logged: dict[str, Client] = {}
        for observation in observations:
            if observation is None:
                self.counters["unreadable"] += 1
                continue
            if isinstance(observation, StationRecord):
                client = self._process_record(observation, now, Source.SYNC)
            elif (client := self._process_event(observation, now)) is not None:
                if observation.logged:
                    # There may be thousands of rows about a client.
                    logged[observation.mac] = client
                else:
                    client.rebuild(self.disconnect_delay)
            if client is not None:
                changed[client.state.mac] = client
        for client in logged.values():
            client.rebuild(self.disconnect_delay)
        return self._report(changed.values(), now)

    def process_log(
        self, rows: Sequence[EventRecord], known_until: float | None, now: float
    ) -> list[ClientEvent]:
        """Process rows of the controller's log, oldest first.

        With them the log is known until an event-loop time, None for all that is expected of it.
        For other clients that counts from `expect_log` on.
        """
        before = self._log_known
        self._log_known = None if known_until is None else self._clock.now(known_until)
        try:
            return self.process_batch(rows, now)
        finally:
            self._log_known = before

    def process_snapshot(self, stations: Sequence[StationRecord], now: float) -> list[ClientEvent]:
        """Process a list of all connected clients; the first one that lists any reports nothing.

        A missing client is gone when a second snapshot, `disconnect_delay` later, confirms that;
        `recheck_due` is when that is.
        """
        self._compare_clocks(stations, now)
        changed: dict[str, Client] = {}
        for station in stations:
            if (client := self._process_record(station, now, Source.RESYNC)) is not None:
                changed[station.mac] = client
        for client in self._find_missing({station.mac for station in stations}, now):
            changed[client.state.mac] = client
        events = self._report(changed.values(), now)
        self._forget_departed(now)
        if not self._is_primed and (stations or not self._is_suspended(now)):
            # A controller that has just booted lists nobody; clients it lists later were there.
            self._is_primed = True
            self._floor = self._clock.now(now) - SNAPSHOT_LAG
        return events

    def suspend_departures(self, now: float) -> None:
        """Ignore for a while that clients are missing in snapshots, as the controller may boot."""
        self._suspended_until = now + FILLING_TIME

    def expect_log(
        self, known_until: float | None, now: float, *, unread_since: float | None = None
    ) -> None:
        """Hold back what is only implied to have happened after an event-loop time.

        The controller's log is known until then, and more of it will be soon. None if it will not.
        What is known since `unread_since` is kept, as rows may still come, however late.
        """
        self._log_known = None if known_until is None else self._clock.now(known_until)
        self._unread_since = None if unread_since is None else self._clock.now(unread_since)
        for mac, due in self._due.items():
            if due == inf:
                self._due[mac] = now

    def connection_opened(self, now: float) -> None:
        """Expect the controller to send its latest events once more."""
        self._opened_at = now
        self._is_on_time = False

    def release_due(self, now: float) -> list[ClientEvent]:
        """Report what was held back long enough."""
        due = [self._clients[mac] for mac, at in self._due.items() if at <= now]
        # In an order that a replay has too.
        due.sort(key=lambda client: client.number)
        for client in due:
            client.rebuild(self.disconnect_delay)
        return self._report(due, now)

    # Evidence

    def _process_record(self, station: StationRecord, now: float, source: Source) -> Client | None:
        """Return the client if a record may have changed its stays."""
        if station.is_wired:
            # Phones are shown as wired for moments (core#30029); this says nothing about WiFi.
            self.counters["wired"] += 1
            return None
        if (link := station.link) is None:
            self.counters["no_access_point"] += 1
            return None
        clock, client = self._clock, self._clients.get(station.mac)
        seen, associated_at = station.seen_at, station.associated_at
        if associated_at is not None:
            associated_at += clock.shift
        if seen is None:
            seen = clock.now(now)
        else:
            seen += clock.shift
            if client is not None and client.confirms_present(
                link, associated_at, is_mlo=station.is_mlo
            ):
                self._confirm_present(client, station, seen, now)
                return None
            if source is Source.SYNC and self._is_replay(seen, now):
                self.counters["replayed"] += 1
                return None
        if client is None:
            client = self._add(station.mac, None, now, guest=station.guest)
        if not client.add_record(
            link,
            associated_at,
            seen,
            source,
            is_mlo=station.is_mlo,
            roam_count=station.roam_count,
            due=self._late_event_due(associated_at or seen, now),
        ):
            self.counters["outdated"] += 1
            return None
        client.rebuild(self.disconnect_delay)
        if client.is_shown_by(link, seen):
            self._set_state(client, client.apply_record(station, link, seen))
        return client

    def _late_event_due(self, time: float, now: float) -> float:
        """Return until when the event of what a record shows may be delivered."""
        delivers_events = self._event_at >= self._opened_at
        is_expected = delivers_events and time > self._clock.now(self._opened_at)
        return now + LATE_REPORT_WAIT if is_expected else now

    def _confirm_present(
        self, client: Client, station: StationRecord, seen: float, now: float
    ) -> None:
        """Process a record of a client that is where it was, as by far most are."""
        if station.link is None or not client.extend_present(seen, station.roam_count):
            self.counters["outdated"] += 1
            return
        if seen > client.recorded_at:
            # The records of an idle client repeat a time, which says nothing about the clock.
            self._clock.compare(seen, now)
        self._set_state(client, client.apply_record(station, station.link, seen))

    def _process_event(self, event: EventRecord, now: float) -> Client | None:
        """Return the client if an event may change its stays, once they are rebuilt."""
        is_departure = event.kind is EventKind.DISCONNECTED
        if not is_departure and event.link_to is None:
            self.counters["no_access_point"] += 1
            return None
        if (time := self._time_of_event(event, now)) is None:
            self.counters["replayed"] += 1
            return None
        if not event.logged:
            self._event_at = now
        client = self._clients.get(event.mac)
        if client is None:
            if is_departure or time < self._floor:
                self.counters["outdated"] += 1
                return None
            client = self._add(event.mac, event.hostname, now, guest=event.guest)
        elif event.hostname is not None and client.state.name == event.mac:
            self._set_state(client, client.state._replace(name=event.hostname))
        piece = Evidence(
            time,
            Proof.DEPARTURE if is_departure else Proof.ARRIVAL,
            event.link_from if is_departure else event.link_to,
            Source.SYSTEM_LOG if event.logged else Source.EVENT,
            link_from=None if is_departure else event.link_from,
            until=time,
            due=now + (self.disconnect_delay if is_departure else LATE_REPORT_WAIT),
            signal=event.signal,
        )
        if time < client.floor or not client.add(piece):
            self.counters["outdated" if time < client.floor else "echo"] += 1
            return None
        if not is_departure:
            client.received_at = now
        return client

    def _time_of_event(self, event: EventRecord, now: float) -> float | None:
        """Return the time of an event on the timeline, None if it is too old to be news."""
        if event.time is None:
            return self._clock.now(now)
        if not event.logged:
            is_arrival = event.kind is not EventKind.DISCONNECTED
            if self._is_replay(event.time + self._clock.shift, now, is_arrival=is_arrival):
                return None
        # After the comparison, which may have found that the clock was set.
        time, present = event.time + self._clock.shift, self._clock.now(now)
        return present if self._clock.is_known and time > present + STEP else time

    def _find_missing(self, listed: set[str], now: float) -> list[Client]:
        """Return the clients that are gone, as a second snapshot did not list them."""
        if listed:
            self._empty_since = None
        else:
            self._empty_since = now if self._empty_since is None else self._empty_since
            self.suspend_departures(now)
        missing_before, self._missing = self._missing, {}
        if self._is_suspended(now):
            return []
        gone: list[Client] = []
        for mac, client in self._clients.items():
            present = client.present
            if (
                mac in listed
                or present is None
                or present.left is not None
                # A client that has just arrived may not be listed yet.
                or now - client.received_at < REPORT_INTERVAL
            ):
                continue
            since, time = missing_before.get(mac, (now, self._clock.now(now)))
            if mac not in missing_before or now - since < self.disconnect_delay:
                self._missing[mac] = since, time
                continue
            time = max(time, present.seen)
            client.add(Evidence(time, Proof.ABSENCE, None, Source.RESYNC, due=now))
            client.rebuild(self.disconnect_delay)
            gone.append(client)
        return gone

    def _is_suspended(self, now: float) -> bool:
        """Return whether clients that are missing in a snapshot may be there all the same."""
        if self._empty_since is None:
            return now < self._suspended_until
        return now - self._empty_since < EMPTY_PATIENCE

    # Clocks

    def _is_replay(self, time: float, now: float, *, is_arrival: bool = False) -> bool:
        """Return whether a pushed report is too old to be news; compare the clocks by it."""
        clock = self._clock
        if not clock.is_known:
            # It may be old; only a list of all clients shows the controller's time.
            return False
        if not is_arrival and clock.now(now) - time > STEP:
            # Departures are noticed late, and records of idle clients are old: no measure of time.
            return clock.now(now) - time > HORIZON
        clock.compare(time, now)
        age = clock.now(now) - time
        if age <= MAX_DELAY:
            self._is_on_time = True
        elif self._is_on_time and self._is_primed:
            # Nothing is so late where other news has been in time: the clock was set back.
            clock.set_back(time, now)
            return False
        return age > HORIZON

    def _compare_clocks(self, stations: Sequence[StationRecord], now: float) -> None:
        """Compare the clocks by when clients were last seen."""
        times = [station.seen_at for station in stations if station.seen_at is not None]
        if (newest := newest_credible(times)) is None:
            return
        clock = self._clock
        newest += clock.shift
        lags = [
            client.stays[-1].seen - station.seen_at - clock.shift
            for station in stations
            if station.seen_at is not None
            and (client := self._clients.get(station.mac)) is not None
            and client.stays
        ]
        earlier = sum(lag > STEP for lag in lags)
        if clock.is_known and earlier and earlier * 2 >= len(lags):
            # Clients are not seen earlier than before.
            clock.set_back(newest, now)
        elif newest > self._newest or not clock.is_known:
            clock.compare(newest, now)
            # A list counts for two reports, as it shows the time of many clients.
            clock.compare(newest, now)
            self._newest = newest

    # Clients

    def _add(self, mac: str, hostname: str | None, now: float, *, guest: bool) -> Client:
        if len(self._clients) >= MAX_CLIENTS:
            mac_dropped = next(iter(self._away or self._clients))
            if self._is_primed:
                self._clients[mac_dropped].rebuild(self.disconnect_delay)
                self._last_events += self._clients[mac_dropped].report(
                    now, self.disconnect_delay, self._log_known
                )
            self._drop(mac_dropped)
        client = Client(
            mac,
            alias=self._names.get(mac),
            hostname=hostname,
            floor=self._floor,
            number=next(self._numbers),
            guest=guest,
        )
        self._enter(client)
        return client

    def _enter(self, client: Client) -> None:
        """Add a client that is not connected yet."""
        mac = client.state.mac
        self._clients[mac] = client
        self._states[mac] = client.state
        self._away[mac] = inf

    def _report(self, clients: Iterable[Client], now: float) -> list[ClientEvent]:
        """Return the events of clients whose evidence has changed, and update their states."""
        clock = self._clock
        present = clock.now(now)
        oldest = present - HORIZON
        if self._unread_since is not None:
            oldest = min(oldest, self._unread_since)
        events, self._last_events = self._last_events, []
        for client in clients:
            if self._clients.get(client.state.mac) is not client:
                # Forgotten meanwhile, as there are too many.
                continue
            if self._is_primed:
                events += client.report(now, self.disconnect_delay, self._log_known)
            else:
                client.mark_reported()
            due = client.next_due(self.disconnect_delay, self._log_known)
            if due is not None and len(client.evidence) > 2 * MAX_EVIDENCE:
                # There is no room to wait any longer.
                events += client.report(inf, self.disconnect_delay, None)
                due = None
            if due is None:
                client.forget_before(oldest, self.disconnect_delay)
            self._update(client, due, now)
        if len(events) > 1:
            events.sort(key=_time_of)
        return [
            event._replace(
                signal=self._signal_of(event),
                time=event.time - clock.shift,
                late=present - event.time > LATE,
            )
            for event in events
        ]

    def _signal_of(self, event: ClientEvent) -> int | None:
        """Return an event's signal; that of an arrival may have come in the same batch."""
        state = self._states.get(event.mac)
        if event.signal is not None or event.link_to is None or state is None:
            return event.signal
        return state.signal if state.ap_mac == event.ap_to else None

    def _update(self, client: Client, due: float | None, now: float) -> None:
        """Update what follows from a client's stays."""
        mac = client.state.mac
        self._set_state(client, client.current_state(self._clock.shift))
        if client.state.connected:
            self._away.pop(mac, None)
        elif self._away.get(mac, inf) == inf:
            self._away.pop(mac, None)
            self._away[mac] = now
        if due is None:
            self._due.pop(mac, None)
        else:
            self._due[mac] = due
        if client.present is not None and client.present.left is not None:
            self._missing.pop(mac, None)
        client.keep_present_only()

    def _set_state(self, client: Client, state: ClientState) -> None:
        old, new = client.state.ap_mac, state.ap_mac
        if old != new:
            if old is not None:
                self._count(old, -1)
            if new is not None:
                self._count(new, 1)
        client.state = self._states[state.mac] = state

    def _count(self, ap_mac: str, change: int) -> None:
        self._clients_per_access_point[ap_mac] += change
        if not self._clients_per_access_point[ap_mac]:
            del self._clients_per_access_point[ap_mac]

    def _forget_departed(self, now: float) -> None:
        while self._away and next(iter(self._away.values())) < now - FORGET_AFTER:
            self._drop(next(iter(self._away)))

    def _drop(self, mac: str) -> None:
        client = self._clients.pop(mac)
        if client.alias is not None:
            self.set_names({**self._names, mac: client.alias})
        if client.state.ap_mac is not None:
            self._count(client.state.ap_mac, -1)
        del self._states[mac]
        self._away.pop(mac, None)
        self._due.pop(mac, None)
        self._missing.pop(mac, None)

    # Over a restart

    def save(self, now: float, heard_at: float) -> dict[str, Any]:
        """Return the clients as JSON, for `resume_from` after a restart.

        `heard_at` is when the controller was last heard, in event-loop time.
        """
        oldest = self._clock.now(now) - HORIZON
        return {
            "heard": self.controller_time(heard_at) if self._clock.is_known else None,
            "clients": {
                mac: saved_client(client, self._clock.shift)
                for mac, client in self._clients.items()
                if client.evidence
                and (client.state.connected or client.evidence[-1].time >= oldest)
            },
        }

    def resume_from(self, saved: Mapping[str, Any], now: float) -> None:
        """Continue from what was saved, as far as it is usable."""
        heard, clients = saved.get("heard"), saved.get("clients")
        if not isinstance(heard, int | float) or not isinstance(clients, dict):
            return
        self._heard, self._floor, self._is_primed = float(heard), float(heard), True
        for mac, values in clients.items():
            try:
                client = client_from_saved(
                    mac, values, number=next(self._numbers), due=now + self.disconnect_delay
                )
            except KeyError, TypeError, ValueError, AttributeError:
                self.counters["unreadable"] += 1
                continue
            client.rebuild(self.disconnect_delay)
            self._enter(client)
            due = client.next_due(self.disconnect_delay, self._log_known)
            self._update(client, due, now)

    def resume(self, stations: Sequence[StationRecord], now: float) -> float | None:
        """Return since when nothing was heard, in event-loop time, after a restart or a sleep.

        To be called with the stations of a snapshot, before it is processed: they show the
        controller's time. Each gap is returned once. After more than an hour, only the state is
        continued: nothing that happened meanwhile is news.
        """
        self._compare_clocks(stations, now)
        heard, self._heard = self._heard, None
        if heard is None and (before := self._clock.consume_jump()) is not None:
            heard = before - self._clock.shift
        if heard is None:
            return None
        if not self._clock.is_known:
            # Nobody is listed yet.
            self._heard = heard
            return None
        outage = self.controller_time(now) - heard
        if outage > MAX_OUTAGE:
            self._is_primed = False
            return None
        return now - max(0.0, outage)

    # Export

    def export_state(self) -> TrackerState:
        """Return the state apart from the clients, immutable."""
        return TrackerState(
            disconnect_delay=self.disconnect_delay,
            clock=self._clock.export(),
            primed=self._is_primed,
            floor=self._floor,
            empty_since=self._empty_since,
            suspended_until=self._suspended_until,
            log_known=self._log_known,
            unread_since=self._unread_since,
            on_time=self._is_on_time,
            newest=self._newest,
            opened_at=self._opened_at,
            event_at=self._event_at,
            missing=tuple(MissingClient(mac, *since) for mac, since in self._missing.items()),
            names=self._exported_names,
        )

    def export_client(self, mac: str) -> tuple[Any, ...] | None:
        """Return all that is known of a client, immutable, as the values of CLIENT_FIELDS.

        None for an unknown client.
        """
        client = self._clients.get(mac)
        return None if client is None else client_values(client)

    def restore(self, state: Mapping[str, Any], clients: Iterable[Mapping[str, Any]]) -> None:
        """Replace the whole state, apart from `disconnect_delay`, by an exported one.

        `state` and `clients` are as JSON has them, clients as mappings of CLIENT_FIELDS. Raises
        KeyError, TypeError, ValueError or the like, and changes nothing, if they are broken.
        """
        restored = [restore_client(values) for values in clients]
        clock = ControllerClock()
        clock.restore(state["clock"])
        missing = {one["mac"]: (one["since"], one["time"]) for one in state["missing"]}
        names = {known["mac"]: known["name"] for known in state["names"]}
        self._is_primed, self._floor = bool(state["primed"]), float(state["floor"])
        self._empty_since, self._suspended_until = state["empty_since"], state["suspended_until"]
        self._log_known, self._unread_since = state["log_known"], state["unread_since"]
        self._is_on_time, self._newest = state["on_time"], state["newest"]
        self._opened_at, self._event_at = state["opened_at"], state["event_at"]
        self._clock, self._missing = clock, missing
        for mac in list(self._clients):
            self._drop(mac)
        for client in restored:
            mac = client.state.mac
            self._enter(client)
            client.rebuild(self.disconnect_delay)
            if client.state.ap_mac is not None:
                self._count(client.state.ap_mac, 1)
                del self._away[mac]
            if (due := client.next_due(self.disconnect_delay, self._log_known)) is not None:
                self._due[mac] = due
            client.keep_present_only()
        self.set_names(names)
        self._numbers = count(max((client.number for client in restored), default=0) + 1)
