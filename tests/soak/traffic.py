"""What the clients do, and how their controller tells it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from copy import deepcopy
from dataclasses import replace
from random import Random

from tests.controller import Band, Generation, Movement, MovementKind, SimulatedController
from tests.controller.actions import GAP_SECONDS
from tests.controller.frames import event_record, events_frame, sync_frame
from tests.controller.models import Client, Json

from .ground_truth import Change, Told, Truth

ROOMS: dict[str, dict[Band, int]] = {
    "Hall": {Band.NG: 1, Band.NA: 36},
    "Kitchen": {Band.NG: 6, Band.NA: 52},
    "Living Room": {Band.NG: 11, Band.NA: 100, Band.SIX: 37},
    "Bedroom": {Band.NG: 1, Band.NA: 132},
    "Office": {Band.NG: 6, Band.NA: 149, Band.SIX: 69},
    "Garden": {Band.NG: 11, Band.NA: 44},
}
BANDS = {Band.NG: "2.4", Band.NA: "5", Band.SIX: "6"}
# An access point reports to its controller so often, seconds.
SYNC_EVERY = 10.0
GUESTS = 8  # one client in so many

type Spread = tuple[tuple[float, float, float], ...]

# (share, shortest, longest), seconds. How long a client stays: bounces, walks, settles.
DWELL: Spread = ((0.15, 1.5, 8), (0.45, 8, 60), (0.4, 60, 240))
# How long it is away: naps within the disconnect delay, and absences.
AWAY: Spread = ((0.4, 2, 9), (0.6, 15, 400))
# How late the controller tells.
LATENCY: Spread = ((0.7, 0, 0.5), (0.2, 0.5, 5), (0.1, 5, 40))
# It tells departures later still (docs/protocol.md 3.2, ordering fact 5).
DEPARTURE_LATENCY: Spread = ((0.5, 0, 5), (0.4, 5, 40), (0.1, 40, 200))


def draw(random: Random, spread: Spread) -> float:
    """Draw from a mixture of even spreads."""
    dice = random.random()
    for share, shortest, longest in spread:
        if dice < share:
            return random.uniform(shortest, longest)
        dice -= share
    return spread[-1][2]


class Life:
    """Lets clients roam, nap and leave until there were `roams` roams; each draws its own dice."""

    def __init__(
        self, controller: SimulatedController, truth: Truth, *, clients: int, roams: int, seed: int
    ) -> None:
        """Furnish the world; nothing moves yet."""
        self.left = roams
        self.roams = 0
        self.macs: list[str] = []
        self._controller = controller
        self._world = controller.world
        self._truth = truth
        self._seed = seed
        self._tellers: set[asyncio.Task[None]] = set()
        self._has_events = controller.settings.generation is Generation.EVENTS
        self._unheard: set[str] = set()
        self._beats: list[asyncio.Task[None]] = []
        dice = Random(f"{seed} house")  # noqa: S311 - a repeatable life, not a secret
        for room, radios in ROOMS.items():
            self._world.add_access_point(room, radios=radios)
        for number in range(clients):
            client = self._world.add_client(
                None if number % 5 == 4 else f"Client {number}",
                mac=f"02:50:a0:00:{number // 256:02x}:{number % 256:02x}",
                hostname=f"phone-{number}",
                ap=dice.choice([*ROOMS]),
                is_guest=number % GUESTS == GUESTS - 1,
            )
            self.macs.append(client.mac)
            assert client.link
            truth.begin(client.mac, client.link.ap, client.latest_assoc_time)
            truth.link(
                client.mac, client.latest_assoc_time, client.link.ap, BANDS[client.link.band]
            )

    def begin(self) -> None:
        """Let the access points report who is there; nobody moves yet."""
        self._beats = [
            asyncio.create_task(self._beat(ap.mac, n * SYNC_EVERY / len(ROOMS)))
            for n, ap in enumerate(self._world.access_points())
        ]

    async def run(self) -> None:
        """Live until the roams are used up and the last of it has been told."""
        await asyncio.gather(*(self._live(mac) for mac in self.macs))
        while self._tellers:
            await asyncio.wait(self._tellers)

    async def end(self) -> None:
        """Let the access points fall silent too."""
        for beat in self._beats:
            beat.cancel()
        await asyncio.gather(*self._beats, return_exceptions=True)

    async def _beat(self, ap: str, first: float) -> None:
        """Let an access point report its clients again and again."""
        await asyncio.sleep(first)
        while True:
            heard = [
                client.mac
                for client in self._world.online()
                if client.link and client.link.ap == ap and client.mac not in self._unheard
            ]
            self._world.touch(heard)
            if heard:
                await self._controller.sync(*heard)
            await asyncio.sleep(SYNC_EVERY)

    async def _live(self, mac: str) -> None:
        dice = Random(f"{self._seed} {mac}")  # noqa: S311 - a repeatable life, not a secret
        client = self._world.client(mac)
        await asyncio.sleep(dice.uniform(0, 60))
        while True:
            await asyncio.sleep(draw(dice, DWELL))
            if self.left <= 0:
                return
            choice = dice.random()
            if choice < 0.08:
                await self._leave(client, dice)
            elif choice < 0.14:
                self._change_radio(client, dice)
            else:
                self._roam(client, dice)

    def _roam(self, client: Client, dice: Random) -> None:
        self.left -= 1
        self.roams += 1
        stale = sync_frame(self._world, [client])
        movement = self._world.roam(
            client.mac,
            self._elsewhere(client, dice),
            band=dice.choice([Band.NG, Band.NA, Band.NA, Band.SIX]),
            signal=dice.randint(-80, -40),
        )
        change = self._note(movement)
        if dice.random() < 0.1:
            self._soon(self._tell_stale(stale, dice.uniform(0, 25)))
        self._tell_roam(movement, change, dice)

    def _tell_roam(self, movement: Movement, change: Change, dice: Random) -> None:
        wait = draw(dice, LATENCY)
        choice = dice.random()
        if not self._has_events:
            if choice < 0.5:
                self._soon(self._after(wait, lambda: self._sync(movement.mac)))
            return
        if choice < 0.8:
            self._tell(wait, movement, change, Told.ROAM)
        elif choice < 0.9:
            # As Disconnected and Connected, the way some access points do (ordering fact 2).
            left = float(int(movement.time - GAP_SECONDS))
            self._truth.means(change, "Disconnected", left, Told.DISCONNECTED)
            self._truth.means(change, "Connected", movement.time, Told.CONNECTED)
            self._soon(self._after(wait, lambda: self._controller.send_as_reconnect(movement)))
        else:
            # A Disconnected before the Roam (ordering fact 1).
            left = float(int(movement.time))
            gone = replace(movement, kind=MovementKind.DISCONNECTED, after=None, time=left)
            self._tell(wait, gone, change, Told.DISCONNECTED)
            self._tell(wait + dice.uniform(0, 4), movement, change, Told.ROAM)

    def _change_radio(self, client: Client, dice: Random) -> None:
        band = Band.NG if client.link and client.link.band is not Band.NG else Band.NA
        movement = self._world.roam_radio(client.mac, band, signal=dice.randint(-80, -40))
        self._note_link(movement)
        if self._has_events:
            self._soon(
                self._after(draw(dice, LATENCY), lambda: self._controller.send_events(movement))
            )

    async def _leave(self, client: Client, dice: Random) -> None:
        """Nap or go away, and come back."""
        absence = draw(dice, AWAY)
        told_after = draw(dice, DEPARTURE_LATENCY)
        ap = client.link.ap if client.link else ""
        if dice.random() < 0.5:
            # The controller goes on listing it until it tells.
            told_after = min(told_after, absence / 2)
            left = self._world.clock()
            self._unheard.add(client.mac)
            await asyncio.sleep(told_after)
            absence -= told_after
            self._unheard.discard(client.mac)
            movement = self._world.disconnect(client.mac, left=left)
            told_after = 0.0
        else:
            movement = self._world.disconnect(client.mac)
        change = self._note(movement)
        self._tell(told_after, movement, change, Told.DISCONNECTED)
        await asyncio.sleep(absence)
        place = ap if dice.random() < 0.6 else self._elsewhere(client, dice)
        movement = self._world.connect(client.mac, place, signal=dice.randint(-80, -40))
        self._tell(draw(dice, LATENCY), movement, self._note(movement), Told.CONNECTED)

    def _elsewhere(self, client: Client, dice: Random) -> str:
        here = client.link.ap if client.link else None
        return dice.choice([ap.mac for ap in self._world.access_points() if ap.mac != here])

    def _note(self, movement: Movement) -> Change:
        after = movement.after.ap if movement.after else None
        self._note_link(movement)
        return self._truth.add(movement.mac, movement.time, after)

    def _note_link(self, movement: Movement) -> None:
        if (link := movement.after) is None:
            self._truth.link(movement.mac, movement.time, None, "")
        else:
            self._truth.link(movement.mac, movement.time, link.ap, BANDS[link.band])

    def _tell(self, wait: float, movement: Movement, change: Change, told: Told) -> None:
        if not self._has_events:
            return
        record: Json = event_record(movement, self._world, self._controller.settings.major)
        verb = record["key"].rpartition("_")[2]
        self._truth.means(change, verb, movement.time, told)
        self._soon(self._after(wait, lambda: self._controller.send(events_frame(record))))

    async def _sync(self, mac: str) -> None:
        if self._world.client(mac).connected:
            await self._controller.sync(mac)

    async def _tell_stale(self, frame: Json, wait: float) -> None:
        """Let the old access point report the client it has lost, as if it were just seen."""
        await asyncio.sleep(wait)
        frame = deepcopy(frame)
        for record in frame["data"]:
            record["last_seen"] = int(self._world.clock())
        await self._controller.send(frame)

    async def _after(self, wait: float, tell: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(wait)
        await tell()

    def _soon(self, telling: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(telling)
        self._tellers.add(task)
        task.add_done_callback(self._tellers.discard)
