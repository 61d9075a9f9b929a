"""Simulated clients that move at random, and the frames their controller sends about it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from copy import deepcopy
from dataclasses import replace
from random import Random

from tests.controller import Band, Generation, Movement, MovementKind, SimulatedController
from tests.controller.actions import GAP_SECONDS
from tests.controller.frames import event_record, events_frame, sync_frame
from tests.controller.models import Client, Json

from .ground_truth import Change, Delivery, GroundTruth

ROOMS: dict[str, dict[Band, int]] = {
    "Hall": {Band.NG: 1, Band.NA: 36},
    "Kitchen": {Band.NG: 6, Band.NA: 52},
    "Living Room": {Band.NG: 11, Band.NA: 100, Band.SIX: 37},
    "Bedroom": {Band.NG: 1, Band.NA: 132},
    "Office": {Band.NG: 6, Band.NA: 149, Band.SIX: 69},
    "Garden": {Band.NG: 11, Band.NA: 44},
}
BANDS = {Band.NG: "2.4", Band.NA: "5", Band.SIX: "6"}
# Interval of an access point's sync records, in seconds.
SYNC_EVERY = 10.0
GUESTS = 8  # every eighth client is a guest

# A mixture of uniform distributions, each as (share, minimum, maximum) in seconds.
type Mixture = tuple[tuple[float, float, float], ...]

# Time at an access point: brief bounces, walks, long stays.
DWELL: Mixture = ((0.15, 1.5, 8), (0.45, 8, 60), (0.4, 60, 240))
# Time away: within the disconnect delay, and longer.
AWAY: Mixture = ((0.4, 2, 9), (0.6, 15, 400))
# Latency of the controller's reports.
LATENCY: Mixture = ((0.7, 0, 0.5), (0.2, 0.5, 5), (0.1, 5, 40))
# Disconnects are reported later still (docs/protocol.md 3.2, ordering fact 5).
DEPARTURE_LATENCY: Mixture = ((0.5, 0, 5), (0.4, 5, 40), (0.1, 40, 200))


def draw(rng: Random, mixture: Mixture) -> float:
    """Draw a number from a mixture of uniform distributions."""
    share_left = rng.random()
    for share, shortest, longest in mixture:
        if share_left < share:
            return rng.uniform(shortest, longest)
        share_left -= share
    return mixture[-1][2]


class Traffic:
    """Moves clients until `roams` roams have happened; each client has its own random numbers."""

    def __init__(
        self,
        controller: SimulatedController,
        truth: GroundTruth,
        *,
        clients: int,
        roams: int,
        seed: int,
    ) -> None:
        """Add access points and clients; nothing moves yet."""
        self._roams_left = roams
        self.roams = 0
        self.macs: list[str] = []
        self._controller = controller
        self._world = controller.world
        self._truth = truth
        self._seed = seed
        self._pending_reports: set[asyncio.Task[None]] = set()
        self._has_events = controller.settings.generation is Generation.EVENTS
        self._absent_but_listed: set[str] = set()
        self._access_point_tasks: list[asyncio.Task[None]] = []
        rng = Random(f"{seed} house")  # noqa: S311 - repeatable traffic, not a secret
        for room, radios in ROOMS.items():
            self._world.add_access_point(room, radios=radios)
        for number in range(clients):
            client = self._world.add_client(
                None if number % 5 == 4 else f"Client {number}",
                mac=f"02:50:a0:00:{number // 256:02x}:{number % 256:02x}",
                hostname=f"phone-{number}",
                ap=rng.choice([*ROOMS]),
                is_guest=number % GUESTS == GUESTS - 1,
            )
            self.macs.append(client.mac)
            assert client.link
            truth.begin(client.mac, client.link.ap, client.latest_assoc_time)
            truth.link(
                client.mac, client.latest_assoc_time, client.link.ap, BANDS[client.link.band]
            )

    def start(self) -> None:
        """Start the access points' sync records; no client moves yet."""
        self._access_point_tasks = [
            asyncio.create_task(self._run_access_point(ap.mac, n * SYNC_EVERY / len(ROOMS)))
            for n, ap in enumerate(self._world.access_points())
        ]

    async def run(self) -> None:
        """Move clients until all roams are used up and everything has been reported."""
        await asyncio.gather(*(self._run_client(mac) for mac in self.macs))
        while self._pending_reports:
            await asyncio.wait(self._pending_reports)

    async def stop(self) -> None:
        """Stop the access points' sync records."""
        for task in self._access_point_tasks:
            task.cancel()
        await asyncio.gather(*self._access_point_tasks, return_exceptions=True)

    async def _run_access_point(self, ap: str, first: float) -> None:
        """Report an access point's clients by sync records at regular intervals."""
        await asyncio.sleep(first)
        while True:
            macs = [
                client.mac
                for client in self._world.online()
                if client.link
                and client.link.ap == ap
                and client.mac not in self._absent_but_listed
            ]
            self._world.touch(macs)
            if macs:
                await self._controller.sync(*macs)
            await asyncio.sleep(SYNC_EVERY)

    async def _run_client(self, mac: str) -> None:
        rng = Random(f"{self._seed} {mac}")  # noqa: S311 - repeatable traffic, not a secret
        client = self._world.client(mac)
        await asyncio.sleep(rng.uniform(0, 60))
        while True:
            await asyncio.sleep(draw(rng, DWELL))
            if self._roams_left <= 0:
                return
            choice = rng.random()
            if choice < 0.08:
                await self._leave(client, rng)
            elif choice < 0.14:
                self._change_radio(client, rng)
            else:
                self._roam(client, rng)

    def _roam(self, client: Client, rng: Random) -> None:
        self._roams_left -= 1
        self.roams += 1
        stale = sync_frame(self._world, [client])
        movement = self._world.roam(
            client.mac,
            self._elsewhere(client, rng),
            band=rng.choice([Band.NG, Band.NA, Band.NA, Band.SIX]),
            signal=rng.randint(-80, -40),
        )
        change = self._add_change(movement)
        if rng.random() < 0.1:
            self._schedule(self._send_stale(stale, rng.uniform(0, 25)))
        self._report_roam(movement, change, rng)

    def _report_roam(self, movement: Movement, change: Change, rng: Random) -> None:
        wait = draw(rng, LATENCY)
        choice = rng.random()
        if not self._has_events:
            if choice < 0.5:
                self._schedule(self._after(wait, lambda: self._sync(movement.mac)))
            return
        if choice < 0.8:
            self._send_event(wait, movement, change, Delivery.ROAM)
        elif choice < 0.9:
            # As Disconnected and Connected, like some access points (ordering fact 2).
            left = float(int(movement.time - GAP_SECONDS))
            self._truth.expect_event(change, "Disconnected", left, Delivery.DISCONNECTED)
            self._truth.expect_event(change, "Connected", movement.time, Delivery.CONNECTED)
            self._schedule(self._after(wait, lambda: self._controller.send_as_reconnect(movement)))
        else:
            # A Disconnected before the Roam (ordering fact 1).
            left = float(int(movement.time))
            gone = replace(movement, kind=MovementKind.DISCONNECTED, after=None, time=left)
            self._send_event(wait, gone, change, Delivery.DISCONNECTED)
            self._send_event(wait + rng.uniform(0, 4), movement, change, Delivery.ROAM)

    def _change_radio(self, client: Client, rng: Random) -> None:
        band = Band.NG if client.link and client.link.band is not Band.NG else Band.NA
        movement = self._world.roam_radio(client.mac, band, signal=rng.randint(-80, -40))
        self._add_link(movement)
        if self._has_events:
            self._schedule(
                self._after(draw(rng, LATENCY), lambda: self._controller.send_events(movement))
            )

    async def _leave(self, client: Client, rng: Random) -> None:
        """Leave, for a short or long time, and come back."""
        absence = draw(rng, AWAY)
        report_delay = draw(rng, DEPARTURE_LATENCY)
        ap = client.link.ap if client.link else ""
        if rng.random() < 0.5:
            # The controller keeps listing the client until it reports the disconnect.
            report_delay = min(report_delay, absence / 2)
            left = self._world.clock()
            self._absent_but_listed.add(client.mac)
            await asyncio.sleep(report_delay)
            absence -= report_delay
            self._absent_but_listed.discard(client.mac)
            movement = self._world.disconnect(client.mac, left=left)
            report_delay = 0.0
        else:
            movement = self._world.disconnect(client.mac)
        change = self._add_change(movement)
        self._send_event(report_delay, movement, change, Delivery.DISCONNECTED)
        await asyncio.sleep(absence)
        place = ap if rng.random() < 0.6 else self._elsewhere(client, rng)
        movement = self._world.connect(client.mac, place, signal=rng.randint(-80, -40))
        self._send_event(
            draw(rng, LATENCY), movement, self._add_change(movement), Delivery.CONNECTED
        )

    def _elsewhere(self, client: Client, rng: Random) -> str:
        here = client.link.ap if client.link else None
        return rng.choice([ap.mac for ap in self._world.access_points() if ap.mac != here])

    def _add_change(self, movement: Movement) -> Change:
        after = movement.after.ap if movement.after else None
        self._add_link(movement)
        return self._truth.add(movement.mac, movement.time, after)

    def _add_link(self, movement: Movement) -> None:
        if (link := movement.after) is None:
            self._truth.link(movement.mac, movement.time, None, "")
        else:
            self._truth.link(movement.mac, movement.time, link.ap, BANDS[link.band])

    def _send_event(
        self, wait: float, movement: Movement, change: Change, delivery: Delivery
    ) -> None:
        if not self._has_events:
            return
        record: Json = event_record(movement, self._world, self._controller.settings.major)
        verb = record["key"].rpartition("_")[2]
        self._truth.expect_event(change, verb, movement.time, delivery)
        self._schedule(self._after(wait, lambda: self._controller.send(events_frame(record))))

    async def _sync(self, mac: str) -> None:
        if self._world.client(mac).connected:
            await self._controller.sync(mac)

    async def _send_stale(self, frame: Json, wait: float) -> None:
        """Send the old access point's record of a client it has lost, as if it were just seen."""
        await asyncio.sleep(wait)
        frame = deepcopy(frame)
        for record in frame["data"]:
            record["last_seen"] = int(self._world.clock())
        await self._controller.send(frame)

    async def _after(self, wait: float, send: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(wait)
        await send()

    def _schedule(self, report: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(report)
        self._pending_reports.add(task)
        task.add_done_callback(self._pending_reports.discard)
