"""How a simulated controller reports the movements of its clients."""

from copy import deepcopy
from dataclasses import dataclass, replace
from random import Random

from tests.controller import Generation, Movement, MovementKind, SimulatedController
from tests.controller.actions import GAP_SECONDS
from tests.controller.frames import event_record, events_frame, frame
from tests.controller.models import Client, Json
from tests.controller.records import station_record, station_record_v2

from .agenda import Agenda
from .truth import Move, Source
from .wire import Wire

# Interval of an access point's sync records, in seconds.
SYNC_EVERY = 10.0
# An old access point repeats its record of a client at this interval, for so many seconds.
OLD_RECORD_EVERY = 5.0
OLD_RECORD_SECONDS = (60.0, 240.0)

# A mixture of uniform distributions, each as (share, minimum, maximum) in seconds.
type Mixture = tuple[tuple[float, float, float], ...]

PROMPT: Mixture = ((1.0, 0.05, 0.5),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a controller reports: its latencies in seconds, and shares of what it does besides.

    `departure_latency` is that of departures. In the share `listed` of them, the client stays in
    the controller's lists until the departure is reported. After the share `stale` of the roams,
    the old access point sends one more record, after the share `alternating` it goes on for
    minutes, in snapshots too.
    """

    latency: Mixture = PROMPT
    departure_latency: Mixture = PROMPT
    listed: float = 0.0
    stale: float = 0.0
    alternating: float = 0.0


PUNCTUAL = Manner()
SOMETIMES_LATE = Manner(
    latency=((0.9, 0.05, 0.5), (0.1, 5, 40)), departure_latency=((0.9, 0.05, 0.5), (0.1, 5, 40))
)
# Disconnects are reported later still (docs/protocol.md 3.2, ordering fact 5).
UNRELIABLE = Manner(
    latency=((0.7, 0, 0.5), (0.2, 0.5, 5), (0.1, 5, 40)),
    departure_latency=((0.5, 0, 5), (0.4, 5, 40), (0.1, 40, 200)),
    listed=0.5,
    stale=0.1,
)
ALTERNATING = Manner(alternating=0.5)


def draw(rng: Random, mixture: Mixture) -> float:
    """Draw a number from a mixture of uniform distributions."""
    share_left = rng.random()
    for share, shortest, longest in mixture:
        if share_left < share:
            return rng.uniform(shortest, longest)
        share_left -= share
    return mixture[-1][2]


class Reporter:
    """Sends what the controller reports about movements; `hidden` clients have left unnoticed."""

    def __init__(
        self,
        controller: SimulatedController,
        wire: Wire,
        agenda: Agenda,
        *,
        manner: Manner,
        seed: int,
    ) -> None:
        """Report in a given manner."""
        self.hidden: set[str] = set()
        self._controller = controller
        self._world = controller.world
        self._wire = wire
        self._agenda = agenda
        self._manner = manner
        self._has_events = controller.settings.generation is Generation.EVENTS
        self._random = Random(f"{seed} reports")  # noqa: S311 - repeatable, not a secret

    def start(self) -> None:
        """Start the access points' regular records."""
        access_points = self._world.access_points()
        for number, ap in enumerate(access_points):
            first = number * SYNC_EVERY / len(access_points)
            self._agenda.after(first, lambda mac=ap.mac: self._sync(mac))

    def seconds_listed(self, absence: float) -> float:
        """Return how long the controller goes on listing a client that leaves."""
        if self._random.random() >= self._manner.listed:
            return 0.0
        return min(draw(self._random, self._manner.departure_latency), absence / 2)

    def old_record(self, client: Client) -> Json:
        """Return a client's present record, for its access point to repeat."""
        return {
            str(v2): record(client, self._world)
            for v2, record in ((False, station_record), (True, station_record_v2))
        }

    def report_roam(self, movement: Movement, move: Move, old: Json) -> None:
        """Report a roam, in one of the ways known of access points."""
        rng, wait = self._random, draw(self._random, self._manner.latency)
        way, stale = rng.random(), rng.random()
        if stale < self._manner.stale:
            self._agenda.after(rng.uniform(0, 25), lambda: self._repeat(old))
        elif stale < self._manner.stale + self._manner.alternating:
            self._repeat_for_minutes(movement, old, rng.uniform(*OLD_RECORD_SECONDS))
        if not self._has_events:
            if way < 0.5:
                self._agenda.after(wait, lambda: self._sync_client(movement.mac))
        elif way < 0.8:
            self._event(wait, movement, move, Source.ROAM)
        elif way < 0.9:
            # As Disconnected and Connected, like some access points (ordering fact 2).
            self._departure(wait, movement, move, movement.time - GAP_SECONDS)
            arrival = replace(movement, kind=MovementKind.CONNECTED, before=None)
            self._event(wait, arrival, move, Source.CONNECTED)
        else:
            # A Disconnected before the Roam (ordering fact 1).
            self._departure(wait, movement, move, movement.time)
            pause = 4.0 if wait > PROMPT[0][2] else PROMPT[0][2] - wait
            self._event(wait + rng.uniform(0, pause), movement, move, Source.ROAM)

    def report_radio(self, movement: Movement, move: Move) -> None:
        """Report a change of band."""
        self._event(draw(self._random, self._manner.latency), movement, move, Source.RADIO)

    def report_connection(self, movement: Movement, move: Move) -> None:
        """Report a connection."""
        self._event(draw(self._random, self._manner.latency), movement, move, Source.CONNECTED)

    def report_departure(self, movement: Movement, move: Move, *, is_late: bool) -> None:
        """Report a departure, at once if it is late already."""
        wait = 0.0 if is_late else draw(self._random, self._manner.departure_latency)
        self._event(wait, movement, move, Source.DISCONNECTED)

    def _departure(self, wait: float, roam: Movement, move: Move, left: float) -> None:
        gone = replace(roam, kind=MovementKind.DISCONNECTED, after=None, time=float(int(left)))
        self._event(wait, gone, move, Source.DISCONNECTED)

    def _event(self, wait: float, movement: Movement, move: Move, source: Source) -> None:
        if self._has_events:
            record = event_record(movement, self._world, self._controller.settings.major)
            sent = events_frame(record)
            self._agenda.after(wait, lambda: self._wire.send(sent, [(move, source)]))

    def _sync(self, ap: str) -> None:
        """Report an access point's clients by sync records, again and again."""
        clients = [
            client
            for client in self._world.online()
            if client.link and client.link.ap == ap and client.mac not in self.hidden
        ]
        self._world.touch(client.mac for client in clients)
        if clients:
            self._wire.sync(clients)
        self._agenda.after(SYNC_EVERY, lambda: self._sync(ap))

    def _sync_client(self, mac: str) -> None:
        client = self._world.client(mac)
        if client.connected and mac not in self.hidden:
            self._wire.sync([client])

    def _repeat(self, old: Json) -> None:
        """Send a record of a client that has moved on, as if it had just been seen there."""
        for v2, name in ((False, "sta:sync"), (True, "client:sync")):
            record = deepcopy(old[str(v2)])
            record["last_seen"] = int(self._world.clock())
            self._wire.send_records(frame(name, [record]), v2=v2)

    def _repeat_for_minutes(self, roam: Movement, old: Json, seconds: float) -> None:
        """Repeat an old record, until the client has gone or is at that access point again."""
        assert roam.before
        ap, end = roam.before.ap, self._world.clock() + seconds
        client, row = self._world.client(roam.mac), dict(old["False"])
        self._world.raw_stations.append(row)

        def repeat() -> None:
            is_back = client.link is None or client.link.ap == ap
            if is_back or client.mac in self.hidden or self._world.clock() > end:
                self._world.raw_stations.remove(row)
                return
            row["last_seen"] = int(self._world.clock())
            self._repeat(old)
            self._agenda.after(OLD_RECORD_EVERY, repeat)

        self._agenda.after(OLD_RECORD_EVERY, repeat)
