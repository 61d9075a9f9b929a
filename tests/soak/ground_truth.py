"""Ground truth of a soak: what happened, and which sources delivered it to Home Assistant."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from enum import IntFlag
from math import inf


class Delivery(IntFlag):
    """How a change was delivered to Home Assistant."""

    NONE = 0
    # An event of the controller: a roam with both access points, an arrival, a departure.
    ROAM = 1
    CONNECTED = 2
    DISCONNECTED = 4
    # A client record of the stream, or of a snapshot, while nothing newer was known.
    SYNC = 8
    SNAPSHOT = 16
    # A client record delivered after a newer change.
    OVERTAKEN = 32
    # A row of the system log.
    LOG = 64


@dataclass(slots=True, kw_only=True)
class Change:
    """A client's change of access point, None while away; times in POSIX seconds.

    `end` is the time of the next change, `delivered_at` that of the first delivery, and `period`
    the index of the loaded period then. `absent` counts the snapshots that did not list the client.
    `departure_reported` is set if a disconnect was reported, which a roam delivered as Disconnected
    and Connected may cause too.
    """

    mac: str
    index: int
    at: float
    before: str | None
    after: str | None
    end: float = inf
    deliveries: Delivery = Delivery.NONE
    delivered_at: float | None = None
    period: int = 0
    absent: int = 0
    reported: str | None = None
    reported_at: float = inf
    departure_reported: bool = False

    @property
    def arrives(self) -> bool:
        """Whether the client is connected after the change."""
        return self.after is not None


@dataclass(slots=True)
class Link:
    """A client's link on one radio, from `at` to `end`; `band` as in the integration's events."""

    ap: str
    band: str
    at: float
    end: float = inf


@dataclass(slots=True)
class LoadedPeriod:
    """A period in which the entry is loaded, from its first snapshot on."""

    began: float
    ended: float = inf


@dataclass(slots=True)
class GroundTruth:
    """All changes of all clients; the first change of each client is its initial position."""

    changes: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    links: dict[str, list[Link]] = field(default_factory=lambda: defaultdict(list))
    loaded_periods: list[LoadedPeriod] = field(default_factory=list)
    # The change that an event will deliver, by (client, verb, time in ms).
    expected_events: dict[tuple[str, str, int], tuple[Change, Delivery]] = field(
        default_factory=dict
    )
    newest: dict[str, int] = field(default_factory=dict)
    # After an outage a controller may list only some of its clients for a while.
    departures_suspended_until: float = 0.0

    def begin(self, mac: str, ap: str | None, at: float) -> None:
        """Add a client with its initial access point."""
        self.changes[mac].append(Change(mac=mac, index=0, at=at, before=None, after=ap))

    def add(self, mac: str, at: float, after: str | None) -> Change:
        """Add a change of a client's access point, None for leaving."""
        changes = self.changes[mac]
        last = changes[-1]
        last.end = at
        change = Change(mac=mac, index=len(changes), at=at, before=last.after, after=after)
        changes.append(change)
        return change

    def link(self, mac: str, at: float, ap: str | None, band: str) -> None:
        """Add a new link of a client; without an access point, only end the last one."""
        links = self.links[mac]
        if links:
            links[-1].end = min(links[-1].end, at)
        if ap is not None:
            links.append(Link(ap, band, at))

    def expect_event(self, change: Change, verb: str, time: float, how: Delivery) -> None:
        """Register which change an event with this verb and time will deliver."""
        self.expected_events[change.mac, verb, round(time * 1000)] = (change, how)

    def add_event(self, mac: str, verb: str, milliseconds: int, now: float) -> None:
        """Record the delivery of an event."""
        if (expected := self.expected_events.get((mac, verb, milliseconds))) is not None:
            self._deliver(*expected, now)

    def add_record(
        self, mac: str, ap: str | None, associated: int, now: float, how: Delivery
    ) -> None:
        """Record the delivery of a client record, which belongs to the link that began by then."""
        for change in reversed(self.changes.get(mac, ())):
            if change.after == ap and int(change.at) <= associated <= change.end:
                overtaken = change.index < self.newest.get(mac, 0)
                self._deliver(change, Delivery.OVERTAKEN if overtaken else how, now)
                return

    def add_absence(self, mac: str, now: float) -> None:
        """Record that a snapshot did not list a client."""
        change = self.at(mac, now)
        if change is None or change.arrives or now < self.departures_suspended_until:
            return
        if change.at > self.loaded_periods[-1].began:
            change.absent += 1

    def add_log_row(self, mac: str, milliseconds: int, after: str | None, now: float) -> None:
        """Record the delivery of a system log row."""
        for change in reversed(self.changes.get(mac, ())):
            if round(change.at * 1000) == milliseconds and change.after == after:
                self._deliver(change, Delivery.LOG, now)
                return

    def add_snapshot(self, now: float) -> None:
        """Record a snapshot; the first one after a load begins a loaded period."""
        if not self.loaded_periods or self.loaded_periods[-1].ended <= now:
            self.loaded_periods.append(LoadedPeriod(now))

    def end_loaded_period(self, now: float) -> None:
        """Record that the entry was unloaded."""
        if self.loaded_periods:
            self.loaded_periods[-1].ended = min(self.loaded_periods[-1].ended, now)

    def at(self, mac: str, now: float) -> Change | None:
        """Return a client's latest change at a given time."""
        changes = self.changes.get(mac)
        if not changes:
            return None
        index = bisect_right(changes, now, key=lambda change: change.at)
        return changes[index - 1] if index else None

    def _deliver(self, change: Change, how: Delivery, now: float) -> None:
        if not self.loaded_periods or self.loaded_periods[-1].ended <= now:
            return
        change.deliveries |= how
        # A Disconnected does not reveal where the client went.
        is_half = change.arrives and how is Delivery.DISCONNECTED
        if change.delivered_at is None and not is_half:
            change.delivered_at = now
            change.period = len(self.loaded_periods) - 1
        if is_half:
            return
        self.newest[change.mac] = max(self.newest.get(change.mac, 0), change.index)
