"""Simulated clients that roam, leave and come back at random."""

from collections.abc import Callable, Generator
from random import Random

from tests.controller import Band, Movement
from tests.controller.models import Client
from tests.controller.world import World

from .agenda import Agenda
from .reporter import Reporter
from .truth import Link, Move, Truth
from .wire import Archive

ROOMS: dict[str, dict[Band, int]] = {
    "Hall": {Band.NG: 1, Band.NA: 36},
    "Kitchen": {Band.NG: 6, Band.NA: 52},
    "Living Room": {Band.NG: 11, Band.NA: 100, Band.SIX: 37},
    "Bedroom": {Band.NG: 1, Band.NA: 132},
    "Office": {Band.NG: 6, Band.NA: 149, Band.SIX: 69},
    "Garden": {Band.NG: 11, Band.NA: 44},
}
BANDS = {Band.NG: "2.4", Band.NA: "5", Band.SIX: "6"}
GUESTS = 8  # every eighth client is a guest

# A phone that has just roamed does not roam again at once.
SHORTEST_STAY = 1.5
SHARE_LEAVING = 0.05
SHARE_CHANGING_BAND = 0.05
SHARE_GOING_BACK = 0.4
# Absences within the disconnect delay of 10 s, and longer ones; none is so close to it that the
# whole seconds of a departure decide.
SHARE_OF_SHORT_ABSENCES = 0.4
SHORT_ABSENCE = (2.0, 8.5)
LONG_ABSENCE = (14.0, 400.0)


class Walk:
    """Moves the clients of a world until it is stopped; each client has its own random numbers."""

    def __init__(
        self,
        world: World,
        truth: Truth,
        agenda: Agenda,
        *,
        reporter: Reporter,
        archive: Archive,
        clients: int,
        stay: float,
        seed: int,
    ) -> None:
        """Add access points and clients that do not move yet; `stay` is the mean in seconds."""
        self.roams = 0
        self.macs: list[str] = []
        self._world = world
        self._truth = truth
        self._agenda = agenda
        self._reporter = reporter
        self._archive = archive
        self._stay = stay
        self._seed = seed
        self._is_stopped = False
        self._walking = 0
        rng = Random(f"{seed} house")  # noqa: S311 - a repeatable walk, not a secret
        for room, radios in ROOMS.items():
            world.add_access_point(room, radios=radios)
        for number in range(clients):
            client = world.add_client(
                None if number % 5 == 4 else f"Client {number}",
                mac=f"02:50:a0:00:{number // 256:02x}:{number % 256:02x}",
                hostname=f"phone-{number}",
                ap=rng.choice([*ROOMS]),
                is_guest=number % GUESTS == GUESTS - 1,
            )
            self.macs.append(client.mac)
            truth.add(client.mac, client.latest_assoc_time, _link(client))

    @property
    def is_over(self) -> bool:
        """Whether no client moves any more."""
        return self._walking == 0

    def start(self) -> None:
        """Start moving."""
        for mac in self.macs:
            self._walking += 1
            self._resume(self._steps(self._world.client(mac)))

    def stop(self) -> None:
        """Let every client finish what it is doing; those that have left come back."""
        self._is_stopped = True

    def _resume(self, steps: Generator[float]) -> None:
        if (wait := next(steps, None)) is None:
            self._walking -= 1
        else:
            self._agenda.after(wait, lambda: self._resume(steps))

    def _steps(self, client: Client) -> Generator[float]:
        """Move a client; yields the seconds until it goes on."""
        rng = Random(f"{self._seed} {client.mac}")  # noqa: S311 - a repeatable walk
        before = ""
        yield rng.uniform(0, self._stay)
        while True:
            yield SHORTEST_STAY + rng.expovariate(1 / (self._stay - SHORTEST_STAY))
            if self._is_stopped:
                return
            here = client.link.ap if client.link else ""
            choice = rng.random()
            if choice < SHARE_LEAVING:
                yield from self._leave(client, rng)
            elif choice < SHARE_LEAVING + SHARE_CHANGING_BAND:
                self._change_band(client, rng)
            else:
                is_return = before not in {"", here} and rng.random() < SHARE_GOING_BACK
                self._roam(client, before if is_return else self._elsewhere(here, rng), rng)
            if client.link and client.link.ap != here:
                before = here

    def _roam(self, client: Client, target: str, rng: Random) -> None:
        self.roams += 1
        band = rng.choice([Band.NG, Band.NA, Band.NA, Band.SIX])
        signal = rng.randint(-80, -40)
        old = self._reporter.old_record(client)
        move = self._move(
            client, lambda: self._world.roam(client.mac, target, band=band, signal=signal)
        )
        self._reporter.report_roam(*move, old)

    def _change_band(self, client: Client, rng: Random) -> None:
        band = Band.NG if client.link and client.link.band is not Band.NG else Band.NA
        signal = rng.randint(-80, -40)
        move = self._move(client, lambda: self._world.roam_radio(client.mac, band, signal=signal))
        self._reporter.report_radio(*move)

    def _leave(self, client: Client, rng: Random) -> Generator[float]:
        """Leave, for a short or long time, and come back."""
        is_short = rng.random() < SHARE_OF_SHORT_ABSENCES
        absence = rng.uniform(*(SHORT_ABSENCE if is_short else LONG_ABSENCE))
        link = client.link
        assert link
        # The controller may go on listing the client for a while.
        listed = self._reporter.seconds_listed(absence)
        left = self._world.clock()
        move = self._truth.add(client.mac, left, None)
        if listed:
            self._reporter.hidden.add(client.mac)
            yield listed
            self._reporter.hidden.discard(client.mac)
        movement = self._world.disconnect(client.mac, left=left)
        self._archive.add(movement, move)
        self._reporter.report_departure(movement, move, is_late=bool(listed))
        yield absence - listed
        is_back = rng.random() < 0.6
        target = link.ap if is_back else self._elsewhere(link.ap, rng)
        band = link.band if is_back else Band.NA
        signal = rng.randint(-80, -40)
        arrival = self._move(
            client, lambda: self._world.connect(client.mac, target, band=band, signal=signal)
        )
        self.roams += is_short and not is_back
        self._reporter.report_connection(*arrival)

    def _elsewhere(self, here: str, rng: Random) -> str:
        return rng.choice([ap.mac for ap in self._world.access_points() if ap.mac != here])

    def _move(self, client: Client, act: Callable[[], Movement]) -> tuple[Movement, Move]:
        movement = act()
        move = self._truth.add(client.mac, movement.time, _link(client))
        self._archive.add(movement, move)
        return movement, move


def _link(client: Client) -> Link | None:
    return Link(client.link.ap, BANDS[client.link.band]) if client.link else None
