"""True walks through a house, and what a controller makes of them on the wire."""

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
    """After `dwell` seconds the client goes: to an access point (None: away) on a channel."""

    dwell: float
    ap: str | None
    channel: int
    told_as: str = "roam"


@dataclass(frozen=True)
class Stay:
    """A client's true link, or its absence."""

    since: float
    ap: str | None
    channel: int
    assoc: float


@dataclass
class Faults:
    """What the way to us does with each message; `late` is the longest delay in seconds."""

    random: Random
    drop: float = 0.0
    double: float = 0.0
    late: float = 0.0

    def deliver(self, at: float) -> list[float]:
        """Return when a message that was sent at that time arrives: never, once or twice."""
        if self.random.random() < self.drop:
            return []
        times = [at + self.random.uniform(0, self.late)]
        if self.random.random() < self.double:
            times.append(at + self.random.uniform(0, self.late))
        return times


def stays(first_ap: str, steps: list[Step]) -> list[Stay]:
    """Return the true timeline."""
    now = START - 100
    line = [Stay(now, first_ap, 36, now)]
    now = START + 5
    for step in steps:
        now += step.dwell
        before = line[-1]
        if (before.ap, before.channel) == (step.ap, step.channel):
            continue
        session = before.assoc if before.ap and step.ap else now
        line.append(Stay(now, step.ap, step.channel, session))
    return line


def true_events(line: list[Stay]) -> list[tuple[str, str | None, str | None]]:
    """Return what a perfect observer would tell."""
    told: list[tuple[str, str | None, str | None]] = []
    for before, after in pairwise(line):
        if before.ap == after.ap:
            kind = "roam_radio"
        elif before.ap is None:
            kind = "connected"
        elif after.ap is None:
            kind = "disconnected"
        else:
            kind = "roam"
        told.append((kind, before.ap, after.ap))
    return told


def event_frames(line: list[Stay], how: list[str]) -> list[tuple[float, Observation]]:
    """Return the controller's events: (time of sending, event)."""
    sent: list[tuple[float, Observation]] = []
    for before, after, told_as in zip(line, line[1:], how, strict=False):
        t = after.since
        link = {
            "band_to": BANDS[after.channel],
            "channel_to": after.channel,
            "band_from": BANDS[before.channel],
            "channel_from": before.channel,
        }
        # The controller dates a departure in whole seconds (docs/protocol.md 3.2).
        gone = max(float(int(t)), before.since)
        if after.ap is None:
            sent.append((t + 2, disconnected(gone, before.ap)))
        elif before.ap is None:
            sent.append((t, connected(t, after.ap, band_to=link["band_to"])))
        elif before.ap == after.ap:
            sent.append((t, roam_radio(t, after.ap, link["band_to"], after.channel)))
        elif told_as == "split":
            sent.append((t + 1, disconnected(gone, before.ap)))
            sent.append((t, connected(t, after.ap, band_to=link["band_to"])))
        else:
            if told_as == "gap":
                sent.append((t, disconnected(gone, before.ap)))
            sent.append((t, roam(t, before.ap, after.ap, **link)))
    return sent


def at(line: list[Stay], t: float) -> Stay:
    """Return the true state at a time."""
    return [stay for stay in line if stay.since <= t][-1]


def record(line: list[Stay], t: float) -> Observation | None:
    """Return the client record that is true at a time, None while the client is away."""
    stay = at(line, t)
    if stay.ap is None:
        return None
    return station(
        float(int(t)),
        stay.ap,
        received=t,
        band=BANDS[stay.channel],
        channel=stay.channel,
        associated_at=float(int(stay.since)),
        connected_since=float(int(stay.assoc)),
    )


@dataclass
class Observer:
    """Feeds a tracker as the coordinator does: batches, timers, snapshots."""

    line: list[Stay]
    tracker: RoamTracker = field(default_factory=RoamTracker)
    told: list[ClientEvent] = field(default_factory=list)

    def snapshot(self, t: float) -> None:
        """Ask the controller who is there; another client is always there."""
        seen = [station(float(int(t)), "f0:00:00:00:00:ff", mac="aa:00:00:00:00:99", received=t)]
        if mine := record(self.line, t):
            seen.append(mine)
        self.told += self.tracker.process_snapshot(seen, t)

    def run(self, arrivals: list[tuple[float, Observation]], until: float) -> None:
        """Let time pass."""
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
                self.told += self.tracker.release_due(when)
            elif order == 1:
                self.snapshot(when)
            elif order == 2:
                batch = [entry for entry in queue if entry[0] <= when + 0.05]
                queue = queue[len(batch) :]
                self.told += self.tracker.process_batch([seen for _, seen in batch], when + 0.05)
            else:
                self.snapshot(snapshots.pop(0))


def walk(
    first_ap: str, steps: list[Step], faults: Faults, *, events: bool = True, syncs: bool = True
) -> Observer:
    """Walk, tell it with these faults, and return who watched."""
    line = stays(first_ap, steps)
    observer = Observer(line)
    until = line[-1].since + 400
    sent: list[tuple[float, Observation]] = []
    if events:
        sent += event_frames(line, [step.told_as for step in steps])
    if syncs:
        for second in range(2, int(until - START), SYNC_EVERY):
            t = START + second + 0.3
            if seen := record(line, t):
                sent.append((t, seen))
    arrivals = [
        (arrival, _received(seen, arrival)) for t, seen in sent for arrival in faults.deliver(t)
    ]
    observer.run(arrivals, until)
    return observer


def _received(seen: Observation, arrival: float) -> Observation:
    return seen._replace(received=arrival)


def roams(observer: Observer) -> list[tuple[str | None, str | None]]:
    """Return the roams that were told, in the order in which they happened."""
    told = [event for event in observer.told if event.kind is EventKind.ROAM]
    return [
        (event.ap_from, event.ap_to)
        for event in sorted(told, key=lambda event: event.time)
        if event.mac == PHONE
    ]
