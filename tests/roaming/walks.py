"""True walks of a client, and the messages that a controller sends about them."""

from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from custom_components.unifi_scanner.api.records import Observation
from custom_components.unifi_scanner.roaming import ClientEvent, EventKind, RoamTracker

from .observations import PHONE, connected, disconnected, roam, roam_radio, station

START = 1_790_000_000.0
SYNC_EVERY = 5
SNAPSHOT_EVERY = 60
BANDS = {36: "5", 11: "2.4"}


@dataclass(frozen=True)
class Step:
    """A move after `dwell` seconds to an access point and channel; None stands for away."""

    dwell: float
    ap: str | None
    channel: int
    reported_as: str = "roam"


@dataclass(frozen=True)
class TrueLink:
    """A client's true link from `since` on, or its absence (`ap` is None); POSIX seconds."""

    since: float
    ap: str | None
    channel: int
    assoc: float


@dataclass
class Faults:
    """Faults in delivering messages; `late` is the longest delay in seconds."""

    random: Random
    drop: float = 0.0
    double: float = 0.0
    late: float = 0.0

    def deliver(self, at: float) -> list[float]:
        """Return the arrival times of a message sent at `at`: none, one or two."""
        if self.random.random() < self.drop:
            return []
        times = [at + self.random.uniform(0, self.late)]
        if self.random.random() < self.double:
            times.append(at + self.random.uniform(0, self.late))
        return times


def true_links(first_ap: str, steps: list[Step]) -> list[TrueLink]:
    """Return the true timeline of links for some steps."""
    now = START - 100
    timeline = [TrueLink(now, first_ap, 36, now)]
    now = START + 5
    for step in steps:
        now += step.dwell
        before = timeline[-1]
        if (before.ap, before.channel) == (step.ap, step.channel):
            continue
        session = before.assoc if before.ap and step.ap else now
        timeline.append(TrueLink(now, step.ap, step.channel, session))
    return timeline


def true_events(timeline: list[TrueLink]) -> list[tuple[str, str | None, str | None]]:
    """Return the events of a perfect observer as (kind, origin, destination)."""
    emitted: list[tuple[str, str | None, str | None]] = []
    for before, after in pairwise(timeline):
        if before.ap == after.ap:
            kind = "roam_radio"
        elif before.ap is None:
            kind = "connected"
        elif after.ap is None:
            kind = "disconnected"
        else:
            kind = "roam"
        emitted.append((kind, before.ap, after.ap))
    return emitted


def event_frames(timeline: list[TrueLink], how: list[str]) -> list[tuple[float, Observation]]:
    """Return the controller's events as (time of sending, event)."""
    sent: list[tuple[float, Observation]] = []
    for before, after, reported_as in zip(timeline, timeline[1:], how, strict=False):
        t = after.since
        link = {
            "band_to": BANDS[after.channel],
            "channel_to": after.channel,
            "band_from": BANDS[before.channel],
            "channel_from": before.channel,
        }
        # Controllers date departures in whole seconds (docs/protocol.md 3.2).
        gone = max(float(int(t)), before.since)
        if after.ap is None:
            sent.append((t + 2, disconnected(gone, before.ap)))
        elif before.ap is None:
            sent.append((t, connected(t, after.ap, band_to=link["band_to"])))
        elif before.ap == after.ap:
            sent.append((t, roam_radio(t, after.ap, link["band_to"], after.channel)))
        elif reported_as == "split":
            sent.append((t + 1, disconnected(gone, before.ap)))
            sent.append((t, connected(t, after.ap, band_to=link["band_to"])))
        else:
            if reported_as == "gap":
                sent.append((t, disconnected(gone, before.ap)))
            sent.append((t, roam(t, before.ap, after.ap, **link)))
    return sent


def at(timeline: list[TrueLink], t: float) -> TrueLink:
    """Return the true link at a time."""
    return [link for link in timeline if link.since <= t][-1]


def record(timeline: list[TrueLink], t: float) -> Observation | None:
    """Return the true client record at a time, None while the client is away."""
    link = at(timeline, t)
    if link.ap is None:
        return None
    return station(
        float(int(t)),
        link.ap,
        received=t,
        band=BANDS[link.channel],
        channel=link.channel,
        associated_at=float(int(link.since)),
        connected_since=float(int(link.assoc)),
    )


@dataclass
class Observer:
    """Feeds a tracker like the coordinator does, and collects its events."""

    timeline: list[TrueLink]
    tracker: RoamTracker = field(default_factory=RoamTracker)
    events: list[ClientEvent] = field(default_factory=list)

    def snapshot(self, t: float) -> None:
        """Process a snapshot, which also lists another client that never moves."""
        seen = [station(float(int(t)), "f0:00:00:00:00:ff", mac="aa:00:00:00:00:99", received=t)]
        if mine := record(self.timeline, t):
            seen.append(mine)
        self.events += self.tracker.process_snapshot(seen, t)

    def run(self, arrivals: list[tuple[float, Observation]], until: float) -> None:
        """Process arrivals, timers and snapshots until a time."""
        self.snapshot(START)
        queue = sorted(arrivals, key=lambda entry: entry[0])
        snapshots = [START + n for n in range(SNAPSHOT_EVERY, int(until - START), SNAPSHOT_EVERY)]
        while queue or snapshots:
            due = [
                (when, order)
                for order, when in enumerate(
                    (
                        self.tracker.next_due,
                        self.tracker.recheck_due,
                        queue[0][0] if queue else None,
                        snapshots[0] if snapshots else None,
                    )
                )
                if when is not None
            ]
            when, order = min(due)
            if order == 0:
                self.events += self.tracker.release_due(when)
                assert self.tracker.next_due is None or self.tracker.next_due > when
            elif order == 1:
                self.snapshot(when)
            elif order == 2:
                batch = [entry for entry in queue if entry[0] <= when + 0.05]
                queue = queue[len(batch) :]
                self.events += self.tracker.process_batch([seen for _, seen in batch], when + 0.05)
            else:
                self.snapshot(snapshots.pop(0))


def walk(
    first_ap: str, steps: list[Step], faults: Faults, *, events: bool = True, syncs: bool = True
) -> Observer:
    """Deliver a walk's messages with some faults to an observer, and return the observer."""
    timeline = true_links(first_ap, steps)
    observer = Observer(timeline)
    until = timeline[-1].since + 400
    sent: list[tuple[float, Observation]] = []
    if events:
        sent += event_frames(timeline, [step.reported_as for step in steps])
    if syncs:
        for second in range(2, int(until - START), SYNC_EVERY):
            t = START + second + 0.3
            if seen := record(timeline, t):
                sent.append((t, seen))
    arrivals = [
        (arrival, _received(seen, arrival)) for t, seen in sent for arrival in faults.deliver(t)
    ]
    observer.run(arrivals, until)
    return observer


def _received(seen: Observation, arrival: float) -> Observation:
    return seen._replace(received=arrival)


def roams(observer: Observer) -> list[tuple[str | None, str | None]]:
    """Return the emitted roams in the order in which they happened."""
    emitted = [event for event in observer.events if event.kind is EventKind.ROAM]
    return [
        (event.ap_from, event.ap_to)
        for event in sorted(emitted, key=lambda event: event.time)
        if event.mac == PHONE
    ]
